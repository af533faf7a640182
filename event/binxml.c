/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/binxml.h"

#include "event/evtx.h"
#include "event/evtx_format.h"

#include <string.h>

#define TOKEN_MORE 0x40
#define STRING_TYPE 0x01
#define TEMPLATE_HEAD 22       /* 0C 00, GUID, length of the definition */
#define CHUNK_TEMPLATE_HEAD 10 /* 0C 01, short id, offset of the definition */

/* Where the reader stands in the grammar; a row of the table below. */
enum reader_state {
	AT_TOP,	      /* outside of elements */
	AT_START,     /* behind the name of an element without attributes */
	AT_LIST,      /* at the first attribute */
	AT_ATTRIBUTE, /* in an attribute's value */
	AT_CONTENT,   /* in an element's content */
	AT_PI,	      /* behind the target of a processing instruction */
	AT_END
};

#define BIT(kind) (1U << EVENT_TOKEN_##kind)
#define BITS_REFERENCE                                              \
	(BIT(TEXT) | BIT(CHAR_REF) | BIT(ENTITY_REF) | BIT(SUBST) | \
	 BIT(OPTIONAL_SUBST))
#define BITS_CLOSE (BIT(CLOSE_START) | BIT(CLOSE_EMPTY))

/*
 * [MS-EVEN6] 2.2.12: the tokens that may follow, by state.  A fragment header
 * may stand before a processing instruction, too: ours does, since readers
 * expect it to be the first thing of all.
 */
static const uint16_t allowed_tokens[] = {
	[AT_TOP] = BIT(FRAGMENT) | BIT(OPEN) | BIT(TEMPLATE) | BIT(PI_TARGET) |
		   BIT(EOF),
	[AT_START] = BITS_CLOSE,
	[AT_LIST] = BIT(ATTRIBUTE),
	[AT_ATTRIBUTE] = BITS_REFERENCE | BIT(ATTRIBUTE) | BITS_CLOSE,
	[AT_CONTENT] = BITS_REFERENCE | BIT(OPEN) | BIT(CDATA) |
		       BIT(PI_TARGET) | BIT(END),
	[AT_PI] = BIT(PI_DATA),
	[AT_END] = 0,
};

/* What only documents have, what only definitions have, the "more" bit. */
#define BITS_NOT_IN_DEFINITION BIT(TEMPLATE)
#define BITS_NOT_IN_DOCUMENT (BIT(SUBST) | BIT(OPTIONAL_SUBST))
#define BITS_WITH_MORE                                                         \
	(BIT(OPEN) | BIT(TEXT) | BIT(ATTRIBUTE) | BIT(CDATA) | BIT(CHAR_REF) | \
	 BIT(ENTITY_REF))

void event_reader_init(struct event_reader *reader, enum event_reader_mode mode,
		       const uint8_t *data, size_t len, unsigned int depth)
{
	reader->data = data;
	reader->len = len;
	reader->pos = 0;
	reader->mode = mode;
	reader->in_chunk = false;
	reader->state = AT_TOP;
	reader->base =
		depth > EVENT_DEPTH_MAX ? EVENT_DEPTH_MAX : (uint8_t)depth;
	reader->depth = 0;
	reader->num_roots = 0;
	reader->attributes_end = 0;
	reader->num_attributes = 0;
}

void event_reader_init_chunk(struct event_reader *reader,
			     enum event_reader_mode mode, const uint8_t *chunk,
			     size_t pos, size_t end, unsigned int depth)
{
	event_reader_init(reader, mode, chunk, end, depth);
	reader->pos = pos;
	reader->in_chunk = true;
}

/* The next len bytes, or NULL. */
static const uint8_t *take(struct event_reader *r, size_t len)
{
	const uint8_t *p = NULL;

	if (len > r->len - r->pos) {
		return NULL;
	}
	p = r->data + r->pos;
	r->pos += len;
	return p;
}

/* NumChars u16 and that many units. */
static everr_t take_units(struct event_reader *r, struct event_token *token)
{
	const uint8_t *p = take(r, 2);

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	token->num_units = le16_get(p);
	token->units = take(r, token->num_units * 2);
	return token->units != NULL ? EVERR_OK : EVERR_BINXML_TRUNCATED;
}

/* NameHash u16 (recomputed when written), the units, and a closing NUL. */
static everr_t take_wire_name(struct event_reader *r, struct event_token *token)
{
	everr_t err;

	if (take(r, 2) == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	err = take_units(r, token);
	if (err != EVERR_OK) {
		return err;
	}
	return take(r, 2) != NULL ? EVERR_OK : EVERR_BINXML_TRUNCATED;
}

/* The offset of a string record; it follows where it is first used. */
static everr_t take_chunk_name(struct event_reader *r,
			       struct event_token *token)
{
	const uint8_t *p = take(r, 4);
	size_t offset;
	size_t size;

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	offset = le32_get(p);
	if (offset < EVTX_CHUNK_RECORDS ||
	    offset > EVENT_EVTX_CHUNK_SIZE - EVTX_STRING_HEAD) {
		return EVERR_BINXML_NAME;
	}
	token->num_units = le16_get(r->data + offset + EVTX_STRING_UNITS);
	token->units = r->data + offset + EVTX_STRING_HEAD;
	size = EVTX_STRING_HEAD + token->num_units * 2 + EVTX_STRING_TAIL;
	if (size > EVENT_EVTX_CHUNK_SIZE - offset) {
		return EVERR_BINXML_NAME;
	}
	if (offset == r->pos && take(r, size) == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	return EVERR_OK;
}

static everr_t take_name(struct event_reader *r, struct event_token *token)
{
	everr_t err;

	err = r->in_chunk ? take_chunk_name(r, token)
			  : take_wire_name(r, token);
	if (err != EVERR_OK) {
		return err;
	}
	if (!event_binxml_name_legal(token->units, token->num_units)) {
		return EVERR_BINXML_NAME;
	}
	return EVERR_OK;
}

/* A length field; *ret_end is where what it covers ends. */
static everr_t take_extent(struct event_reader *r, size_t *ret_end)
{
	const uint8_t *p = take(r, 4);
	uint32_t len;

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	len = le32_get(p);
	if (len > r->len - r->pos) {
		return EVERR_BINXML_TRUNCATED;
	}
	*ret_end = r->pos + len;
	return EVERR_OK;
}

/* One more thing at the top; a definition has exactly one element. */
static everr_t count_root(struct event_reader *r)
{
	if (r->mode == EVENT_READ_DEFINITION && r->num_roots == 1) {
		return EVERR_BINXML_TOKEN;
	}
	r->num_roots++;
	return EVERR_OK;
}

/* Remember where the element ends; its parent must not end before. */
static everr_t enter_element(struct event_reader *r, size_t end)
{
	everr_t err;

	if (r->base + r->depth >= EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	if (r->depth > 0) {
		if (end >= r->ends[r->depth - 1]) {
			return EVERR_BINXML_LENGTH;
		}
	} else {
		err = count_root(r);
		if (err != EVERR_OK) {
			return err;
		}
	}
	r->ends[r->depth++] = end;
	return EVERR_OK;
}

static everr_t read_open(struct event_reader *r, struct event_token *token)
{
	const uint8_t *p = NULL;
	size_t end = 0;
	everr_t err;

	token->dependency = EVENT_NO_DEPENDENCY;
	if (r->mode == EVENT_READ_DEFINITION) {
		p = take(r, 2);
		if (p == NULL) {
			return EVERR_BINXML_TRUNCATED;
		}
		token->dependency = le16_get(p);
		if (token->dependency != EVENT_NO_DEPENDENCY &&
		    token->dependency >= EVENT_VALUES_MAX) {
			return EVERR_LIMIT;
		}
	}

	err = take_extent(r, &end);
	if (err != EVERR_OK) {
		return err;
	}
	err = enter_element(r, end);
	if (err != EVERR_OK) {
		return err;
	}
	err = take_name(r, token);
	if (err != EVERR_OK) {
		return err;
	}

	r->state = AT_START;
	if (token->more) {
		err = take_extent(r, &r->attributes_end);
		if (err != EVERR_OK) {
			return err;
		}
		r->state = AT_LIST;
		r->num_attributes = 0;
	}
	return EVERR_OK;
}

/* XML does not allow an attribute twice in one element. */
static everr_t note_attribute(struct event_reader *r,
			      const struct event_token *token)
{
	const uint8_t *other = NULL;
	uint32_t i;

	for (i = 0; i < r->num_attributes; i++) {
		other = r->data + r->attributes[i];
		if (le16_get(other - 2) == token->num_units &&
		    memcmp(other, token->units, token->num_units * 2) == 0) {
			return EVERR_BINXML_NAME;
		}
	}
	if (r->num_attributes == EVENT_ATTRIBUTES_MAX) {
		return EVERR_LIMIT;
	}
	r->attributes[r->num_attributes++] = (size_t)(token->units - r->data);
	return EVERR_OK;
}

static everr_t read_attribute(struct event_reader *r, struct event_token *token)
{
	everr_t err;

	/* The list may not go on behind its end. */
	if (token->offset >= r->attributes_end) {
		return EVERR_BINXML_LENGTH;
	}
	err = take_name(r, token);
	if (err != EVERR_OK) {
		return err;
	}
	r->state = AT_ATTRIBUTE;
	return note_attribute(r, token);
}

/* Behind 03 and 04: the element must end here. */
static everr_t leave_element(struct event_reader *r)
{
	r->depth--;
	if (r->pos != r->ends[r->depth]) {
		return EVERR_BINXML_LENGTH;
	}
	r->state = r->depth > 0 ? AT_CONTENT : AT_TOP;
	return EVERR_OK;
}

static everr_t read_close(struct event_reader *r, struct event_token *token)
{
	if (r->state == AT_ATTRIBUTE && token->offset != r->attributes_end) {
		return EVERR_BINXML_LENGTH;
	}
	if (token->kind == EVENT_TOKEN_CLOSE_EMPTY) {
		return leave_element(r);
	}
	r->state = AT_CONTENT;
	return EVERR_OK;
}

static everr_t read_text(struct event_reader *r, struct event_token *token)
{
	const uint8_t *p = take(r, 1);

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	if (*p != STRING_TYPE) {
		return EVERR_BINXML_TOKEN;
	}
	return take_units(r, token);
}

static everr_t read_char_ref(struct event_reader *r, struct event_token *token)
{
	const uint8_t *p = take(r, 2);

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	token->ch = le16_get(p);
	return EVERR_OK;
}

static everr_t read_subst(struct event_reader *r, struct event_token *token)
{
	const uint8_t *p = take(r, 3);

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	token->subst_id = le16_get(p);
	token->subst_type = p[2];
	return token->subst_id < EVENT_VALUES_MAX ? EVERR_OK : EVERR_LIMIT;
}

static everr_t read_pi_target(struct event_reader *r, struct event_token *token)
{
	/* A definition is fragment headers and its element, no more. */
	if (r->mode == EVENT_READ_DEFINITION && r->depth == 0) {
		return EVERR_BINXML_TOKEN;
	}
	r->state = AT_PI;
	return take_name(r, token);
}

static everr_t read_pi_data(struct event_reader *r, struct event_token *token)
{
	r->state = r->depth > 0 ? AT_CONTENT : AT_TOP;
	return take_units(r, token);
}

static everr_t read_template(struct event_reader *r, struct event_token *token)
{
	size_t size = 0;
	everr_t err;

	if (r->in_chunk) {
		err = event_instance_parse_chunk(r->data, token->offset, r->len,
						 &token->instance, &size);
	} else {
		err = event_instance_parse(r->data + token->offset,
					   r->len - token->offset,
					   &token->instance, &size);
	}
	if (err != EVERR_OK) {
		return err;
	}
	r->pos = token->offset + size;
	r->state = AT_TOP;
	return count_root(r);
}

static everr_t read_fragment(struct event_reader *r)
{
	static const uint8_t version[] = {1, 1, 0};
	const uint8_t *p = take(r, sizeof(version));

	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	if (memcmp(p, version, sizeof(version)) != 0) {
		return EVERR_BINXML_TOKEN;
	}
	return EVERR_OK;
}

static everr_t read_eof(struct event_reader *r)
{
	if (r->mode == EVENT_READ_DEFINITION && r->num_roots == 0) {
		return EVERR_BINXML_TOKEN;
	}
	r->state = AT_END;
	return EVERR_OK;
}

static bool token_allowed(const struct event_reader *r,
			  const struct event_token *token)
{
	uint16_t allowed = allowed_tokens[r->state];

	allowed &= r->mode == EVENT_READ_DEFINITION
			   ? (uint16_t)~BITS_NOT_IN_DEFINITION
			   : (uint16_t)~BITS_NOT_IN_DOCUMENT;
	if (token->more) {
		allowed &= BITS_WITH_MORE;
	}
	return (allowed & 1U << token->kind) != 0;
}

static everr_t read_token(struct event_reader *r, struct event_token *token)
{
	switch (token->kind) {
	case EVENT_TOKEN_EOF:
		return read_eof(r);
	case EVENT_TOKEN_OPEN:
		return read_open(r, token);
	case EVENT_TOKEN_CLOSE_START:
	case EVENT_TOKEN_CLOSE_EMPTY:
		return read_close(r, token);
	case EVENT_TOKEN_END:
		return leave_element(r);
	case EVENT_TOKEN_TEXT:
		return read_text(r, token);
	case EVENT_TOKEN_ATTRIBUTE:
		return read_attribute(r, token);
	case EVENT_TOKEN_CDATA:
		return take_units(r, token);
	case EVENT_TOKEN_CHAR_REF:
		return read_char_ref(r, token);
	case EVENT_TOKEN_ENTITY_REF:
		return take_name(r, token);
	case EVENT_TOKEN_PI_TARGET:
		return read_pi_target(r, token);
	case EVENT_TOKEN_PI_DATA:
		return read_pi_data(r, token);
	case EVENT_TOKEN_TEMPLATE:
		return read_template(r, token);
	case EVENT_TOKEN_SUBST:
	case EVENT_TOKEN_OPTIONAL_SUBST:
		return read_subst(r, token);
	case EVENT_TOKEN_FRAGMENT:
		return read_fragment(r);
	}
	return EVERR_BINXML_TOKEN;
}

everr_t event_reader_next(struct event_reader *reader,
			  struct event_token *ret_token)
{
	size_t offset = reader->pos;
	const uint8_t *p = NULL;

	if (reader->state == AT_END) {
		return EVERR_END;
	}
	p = take(reader, 1);
	if (p == NULL) {
		return EVERR_BINXML_TRUNCATED;
	}
	if ((*p & ~TOKEN_MORE) > EVENT_TOKEN_FRAGMENT) {
		return EVERR_BINXML_TOKEN;
	}

	ret_token->kind = *p & (uint8_t)~TOKEN_MORE;
	ret_token->more = (*p & TOKEN_MORE) != 0;
	ret_token->offset = offset;
	if (!token_allowed(reader, ret_token)) {
		return EVERR_BINXML_TOKEN;
	}
	return read_token(reader, ret_token);
}

/* The sum of the values' lengths. */
static size_t specs_sum(const uint8_t *specs, uint32_t num_values)
{
	size_t sum = 0;
	uint32_t i;

	for (i = 0; i < num_values; i++) {
		sum += le16_get(specs + (size_t)i * EVENT_SPEC_SIZE);
	}
	return sum;
}

/* What follows the definition, from p on; *ret_end is behind it. */
static everr_t parse_values(const uint8_t *p, const uint8_t *end,
			    struct event_instance *instance,
			    const uint8_t **ret_end)
{
	if (end - p < 4) {
		return EVERR_BINXML_TRUNCATED;
	}
	instance->num_values = le32_get(p);
	instance->specs = p + 4;
	p += 4;
	if (instance->num_values > EVENT_VALUES_MAX) {
		return EVERR_LIMIT;
	}
	if (instance->num_values * EVENT_SPEC_SIZE > (size_t)(end - p)) {
		return EVERR_BINXML_TRUNCATED;
	}
	p += instance->num_values * EVENT_SPEC_SIZE;

	instance->values = p;
	instance->values_len = specs_sum(instance->specs, instance->num_values);
	if (instance->values_len > (size_t)(end - p)) {
		return EVERR_BINXML_TRUNCATED;
	}
	*ret_end = p + instance->values_len;
	return EVERR_OK;
}

everr_t event_instance_parse(const uint8_t *data, size_t len,
			     struct event_instance *ret_instance,
			     size_t *ret_size)
{
	struct event_instance instance = {0};
	const uint8_t *end = data + len;
	const uint8_t *p = data + TEMPLATE_HEAD;
	everr_t err;

	if (len < TEMPLATE_HEAD) {
		return EVERR_BINXML_TRUNCATED;
	}
	/* A second byte of 01 is the file form, whose offsets mean nothing
	   here; facts 9.6. */
	if (data[0] != EVENT_TOKEN_TEMPLATE || data[1] != 0) {
		return EVERR_BINXML_TOKEN;
	}
	instance.guid = data + 2;
	instance.def = p;
	instance.def_len = le32_get(p - 4);
	if (instance.def_len > (size_t)(end - p)) {
		return EVERR_BINXML_TRUNCATED;
	}
	err = parse_values(p + instance.def_len, end, &instance, &p);
	if (err != EVERR_OK) {
		return err;
	}

	*ret_instance = instance;
	*ret_size = (size_t)(p - data);
	return EVERR_OK;
}

everr_t event_instance_parse_chunk(const uint8_t *chunk, size_t pos, size_t end,
				   struct event_instance *ret_instance,
				   size_t *ret_size)
{
	struct event_instance instance = {0};
	const uint8_t *p = chunk + pos;
	size_t offset;
	everr_t err;

	if (end - pos < CHUNK_TEMPLATE_HEAD) {
		return EVERR_BINXML_TRUNCATED;
	}
	if (p[0] != EVENT_TOKEN_TEMPLATE || p[1] != 1) {
		return EVERR_BINXML_TOKEN;
	}
	offset = le32_get(p + CHUNK_TEMPLATE_HEAD - 4);
	if (offset < EVTX_CHUNK_RECORDS ||
	    offset > EVENT_EVTX_CHUNK_SIZE - EVTX_DEFINITION_HEAD) {
		return EVERR_BINXML_LENGTH;
	}
	instance.guid = chunk + offset + EVTX_DEFINITION_GUID;
	instance.def = chunk + offset + EVTX_DEFINITION_HEAD;
	instance.def_len = le32_get(chunk + offset + EVTX_DEFINITION_LEN);
	offset += EVTX_DEFINITION_HEAD;
	if (instance.def_len > EVENT_EVTX_CHUNK_SIZE - offset) {
		return EVERR_BINXML_LENGTH;
	}

	p += CHUNK_TEMPLATE_HEAD;
	if (p == chunk + offset - EVTX_DEFINITION_HEAD) {
		p = instance.def + instance.def_len;
	}
	if (p > chunk + end) {
		return EVERR_BINXML_TRUNCATED;
	}
	err = parse_values(p, chunk + end, &instance, &p);
	if (err != EVERR_OK) {
		return err;
	}

	*ret_instance = instance;
	*ret_size = (size_t)(p - chunk) - pos;
	return EVERR_OK;
}

uint16_t event_binxml_name_hash(const uint8_t *utf16le, size_t num_units)
{
	uint32_t hash = 0;
	size_t i;

	for (i = 0; i < num_units; i++) {
		hash = hash * 65599 + le16_get(utf16le + 2 * i);
	}
	return (uint16_t)hash;
}

/* XML 1.0 fifth edition, production [4] without colon and ASCII part. */
static const uint16_t name_start_ranges[][2] = {
	{0x00C0, 0x00D6}, {0x00D8, 0x00F6}, {0x00F8, 0x02FF}, {0x0370, 0x037D},
	{0x037F, 0x1FFF}, {0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF},
	{0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD},
};

static bool name_start_ascii(uint16_t unit)
{
	return (unit >= 'A' && unit <= 'Z') || (unit >= 'a' && unit <= 'z') ||
	       unit == '_';
}

static bool name_start(uint16_t unit)
{
	size_t i;

	if (unit < 0x80) {
		return name_start_ascii(unit);
	}
	for (i = 0; i < sizeof(name_start_ranges) / 4; i++) {
		if (unit >= name_start_ranges[i][0] &&
		    unit <= name_start_ranges[i][1]) {
			return true;
		}
	}
	return false;
}

/* Production [4a]: what a name may hold behind its first character. */
static bool name_part(uint16_t unit)
{
	if (name_start(unit)) {
		return true;
	}
	return (unit >= '0' && unit <= '9') || unit == '-' || unit == '.' ||
	       unit == 0xB7 || (unit >= 0x0300 && unit <= 0x036F) ||
	       unit == 0x203F || unit == 0x2040;
}

/* A surrogate pair below U+F0000, which is all of them that names may have. */
static bool name_pair(const uint8_t *utf16le, size_t num_units)
{
	uint16_t high = le16_get(utf16le);
	uint16_t low = 0;

	if (num_units < 2 || high < 0xD800 || high > 0xDB7F) {
		return false;
	}
	low = le16_get(utf16le + 2);
	return low >= 0xDC00 && low <= 0xDFFF;
}

/* An NCName from *pos on; *pos is moved to what follows it. */
static bool name_piece(const uint8_t *utf16le, size_t num_units, size_t *pos)
{
	size_t start = *pos;
	uint16_t unit;

	while (*pos < num_units) {
		unit = le16_get(utf16le + 2 * *pos);
		if (name_start(unit) || (*pos > start && name_part(unit))) {
			(*pos)++;
		} else if (name_pair(utf16le + 2 * *pos, num_units - *pos)) {
			*pos += 2;
		} else {
			break;
		}
	}
	return *pos > start;
}

bool event_binxml_name_legal(const uint8_t *utf16le, size_t num_units)
{
	size_t pos = 0;

	if (!name_piece(utf16le, num_units, &pos)) {
		return false;
	}
	if (pos < num_units && le16_get(utf16le + 2 * pos) == ':') {
		pos++;
		if (!name_piece(utf16le, num_units, &pos)) {
			return false;
		}
	}
	return pos == num_units;
}

void event_writer_init(struct event_writer *writer, enum event_reader_mode mode,
		       struct buf *out)
{
	writer->out = out;
	writer->put_name = NULL;
	writer->private_data = NULL;
	writer->mode = mode;
	writer->depth = 0;
	writer->in_attributes = false;
	writer->attributes_start = 0;
	writer->attribute = 0;
}

static void put_units(struct buf *out, const struct event_token *token)
{
	buf_put_u16(out, (uint16_t)token->num_units);
	buf_put(out, token->units, token->num_units * 2);
}

static void put_name(struct event_writer *w, const struct event_token *token)
{
	struct buf *out = w->out;

	if (w->put_name != NULL) {
		w->put_name(w->private_data, token->units, token->num_units);
		return;
	}
	buf_put_u16(out,
		    event_binxml_name_hash(token->units, token->num_units));
	put_units(out, token);
	buf_put_u16(out, 0);
}

/* The length field at start covers all that follows it. */
static void patch_length(struct buf *out, size_t start)
{
	buf_set_u32(out, start, (uint32_t)(out->len - start - 4));
}

static void write_open(struct event_writer *w, const struct event_token *token)
{
	if (w->mode == EVENT_READ_DEFINITION) {
		buf_put_u16(w->out, token->dependency);
	}
	w->starts[w->depth++] = w->out->len;
	buf_put_u32(w->out, 0);
	put_name(w, token);
	if (token->more) {
		w->in_attributes = true;
		w->attributes_start = w->out->len;
		w->attribute = 0;
		buf_put_u32(w->out, 0);
	}
}

/* 46 but for the list's last attribute, which is 06. */
static void write_attribute(struct event_writer *w,
			    const struct event_token *token)
{
	struct buf *out = w->out;

	if (buf_error(out) == EVERR_OK) {
		if (w->attribute != 0) {
			out->data[w->attribute] |= TOKEN_MORE;
		}
		w->attribute = out->len - 1;
		out->data[w->attribute] = EVENT_TOKEN_ATTRIBUTE;
	}
	put_name(w, token);
}

void event_writer_put(struct event_writer *w, const struct event_token *token)
{
	struct buf *out = w->out;

	if ((token->kind == EVENT_TOKEN_CLOSE_START ||
	     token->kind == EVENT_TOKEN_CLOSE_EMPTY) &&
	    w->in_attributes) {
		patch_length(out, w->attributes_start);
		w->in_attributes = false;
	}
	buf_put_u8(out, token->kind | (token->more ? TOKEN_MORE : 0));

	switch ((enum event_token_kind)token->kind) {
	case EVENT_TOKEN_OPEN:
		write_open(w, token);
		break;
	case EVENT_TOKEN_CLOSE_EMPTY:
	case EVENT_TOKEN_END:
		patch_length(out, w->starts[--w->depth]);
		break;
	case EVENT_TOKEN_TEXT:
		buf_put_u8(out, STRING_TYPE);
		put_units(out, token);
		break;
	case EVENT_TOKEN_ATTRIBUTE:
		write_attribute(w, token);
		break;
	case EVENT_TOKEN_CDATA:
	case EVENT_TOKEN_PI_DATA:
		put_units(out, token);
		break;
	case EVENT_TOKEN_CHAR_REF:
		buf_put_u16(out, token->ch);
		break;
	case EVENT_TOKEN_ENTITY_REF:
	case EVENT_TOKEN_PI_TARGET:
		put_name(w, token);
		break;
	case EVENT_TOKEN_SUBST:
	case EVENT_TOKEN_OPTIONAL_SUBST:
		buf_put_u16(out, token->subst_id);
		buf_put_u8(out, token->subst_type);
		break;
	case EVENT_TOKEN_FRAGMENT:
		buf_put(out, "\x01\x01\x00", 3);
		break;
	case EVENT_TOKEN_EOF:
	case EVENT_TOKEN_CLOSE_START:
	case EVENT_TOKEN_TEMPLATE:
		break;
	}
}

static void note_needs(const struct event_reader *reader,
		       const struct event_token *token,
		       struct event_definition_needs *needs)
{
	uint32_t num_values = 0;

	switch (token->kind) {
	case EVENT_TOKEN_OPEN:
		if (token->dependency != EVENT_NO_DEPENDENCY) {
			num_values = token->dependency + 1U;
		}
		if (reader->depth > needs->depth) {
			needs->depth = reader->depth;
		}
		break;
	case EVENT_TOKEN_SUBST:
	case EVENT_TOKEN_OPTIONAL_SUBST:
		num_values = token->subst_id + 1U;
		break;
	}
	if (num_values > needs->num_values) {
		needs->num_values = num_values;
	}
}

everr_t event_definition_normalise(struct buf *out, const uint8_t *def,
				   size_t len,
				   struct event_definition_needs *ret_needs)
{
	static const struct event_token header = {.kind = EVENT_TOKEN_FRAGMENT};
	struct event_definition_needs needs = {0};
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token;
	everr_t err;

	event_reader_init(&reader, EVENT_READ_DEFINITION, def, len, 0);
	event_writer_init(&writer, EVENT_READ_DEFINITION, out);
	event_writer_put(&writer, &header);
	do {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		if (token.kind == EVENT_TOKEN_FRAGMENT) {
			continue;
		}
		note_needs(&reader, &token, &needs);
		event_writer_put(&writer, &token);
	} while (token.kind != EVENT_TOKEN_EOF);

	err = buf_error(out);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_needs = needs;
	return EVERR_OK;
}
