/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/system.h"

#include "base/buf.h"
#include "base/wintime.h"

#include <string.h>

/* Longer text is neither a number nor a time. */
#define LITERAL_MAX 48

#define HASH_START 2166136261U

const struct event_system_name event_system_names[EVENT_SYSTEM_NUM] = {
	[EVENT_SYSTEM_PROVIDER] = {"Provider", "Name"},
	[EVENT_SYSTEM_EVENT_ID] = {"EventID", NULL},
	[EVENT_SYSTEM_VERSION] = {"Version", NULL},
	[EVENT_SYSTEM_LEVEL] = {"Level", NULL},
	[EVENT_SYSTEM_TASK] = {"Task", NULL},
	[EVENT_SYSTEM_OPCODE] = {"Opcode", NULL},
	[EVENT_SYSTEM_KEYWORDS] = {"Keywords", NULL},
	[EVENT_SYSTEM_TIME] = {"TimeCreated", "SystemTime"},
	[EVENT_SYSTEM_RECORD_ID] = {"EventRecordID", NULL},
	[EVENT_SYSTEM_COMPUTER] = {"Computer", NULL},
};

/* The text of a field so far: its hash, and as ASCII while it is short. */
struct literal {
	uint32_t hash;
	size_t len;
	char ascii[LITERAL_MAX]; /* NUL-terminated; "" when it is not ASCII */
	unsigned int pieces;	 /* tokens */
	uint64_t place;		 /* of the last: offset << 16 | units */
};

/* The walk through System. */
struct walk {
	struct event_system_fields *fields;
	const uint8_t *data;
	uint32_t missing; /* wanted and not found yet, bits */
	bool in_event;
	bool in_system;
	int content; /* the open element's content field, or -1 */
	int field;   /* what the next tokens belong to, or -1 */
	uint8_t source;
	bool mixed;
	uint16_t id;
	struct literal literal;
};

/* FNV-1a with 16-bit units; ASCII letters as lower case. */
static uint32_t hash_unit(uint32_t hash, uint16_t unit)
{
	if (unit >= 'A' && unit <= 'Z') {
		unit += 'a' - 'A';
	}
	return (hash ^ unit) * 16777619U;
}

uint32_t event_name_hash(const uint8_t *utf16le, size_t num_units)
{
	uint32_t hash = HASH_START;
	size_t i;

	for (i = 0; i < num_units; i++) {
		hash = hash_unit(hash, le16_get(utf16le + 2 * i));
	}
	return hash;
}

static void literal_reset(struct literal *literal)
{
	literal->hash = HASH_START;
	literal->len = 0;
	literal->ascii[0] = '\0';
	literal->pieces = 0;
	literal->place = 0;
}

static void literal_add(struct literal *literal, const uint8_t *units,
			size_t num_units)
{
	uint16_t unit;
	size_t i;

	for (i = 0; i < num_units; i++) {
		unit = le16_get(units + 2 * i);
		literal->hash = hash_unit(literal->hash, unit);
		if (unit == 0 || unit > 0x7F ||
		    literal->len + 1 >= LITERAL_MAX) {
			/* From now on it can only be a name. */
			literal->len = LITERAL_MAX;
			literal->ascii[0] = '\0';
			continue;
		}
		literal->ascii[literal->len++] = (char)unit;
		literal->ascii[literal->len] = '\0';
	}
}

/* Decimal, or hexadecimal behind 0x. */
static bool text_number(const char *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	unsigned int base = 10;
	unsigned int digit;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (*text == '\0') {
		return false;
	}
	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9') {
			digit = (unsigned int)(*text - '0');
		} else if ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'f') {
			digit = (unsigned int)((*text | 0x20) - 'a') + 10;
		} else {
			return false;
		}
		if (digit >= base || number > (UINT64_MAX - digit) / base) {
			return false;
		}
		number = number * base + digit;
	}
	*ret_number = number;
	return true;
}

static bool literal_value(const struct literal *literal, int field,
			  uint64_t *ret_value)
{
	if (field == EVENT_SYSTEM_PROVIDER) {
		*ret_value = literal->hash;
		return true;
	}
	if (field == EVENT_SYSTEM_COMPUTER) {
		*ret_value = literal->place;
		return true;
	}
	if (field == EVENT_SYSTEM_TIME) {
		return wintime_parse(literal->ascii, ret_value) == EVERR_OK;
	}
	return text_number(literal->ascii, ret_value);
}

static bool units_equal(const struct event_token *token, const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (token->num_units != len) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (le16_get(token->units + 2 * i) != (uint8_t)name[i]) {
			return false;
		}
	}
	return true;
}

/* The tokens that follow belong to a field (-1: to none). */
static void field_begin(struct walk *walk, int field)
{
	walk->field = field;
	walk->source = EVENT_SYSTEM_NOWHERE;
	walk->mixed = false;
	literal_reset(&walk->literal);
}

static void field_end(struct walk *walk)
{
	int field = walk->field;
	uint64_t value = 0;

	walk->field = -1;
	if (field < 0 ||
	    walk->fields->places[field].source != EVENT_SYSTEM_NOWHERE) {
		return;
	}
	if (field == EVENT_SYSTEM_COMPUTER &&
	    (walk->mixed || walk->literal.pieces > 1)) {
		walk->source = EVENT_SYSTEM_MIXED;
	} else if (walk->mixed) {
		return;
	}
	if (walk->source == EVENT_SYSTEM_LITERAL &&
	    !literal_value(&walk->literal, field, &value)) {
		return;
	}
	walk->fields->places[field].source = walk->source;
	walk->fields->places[field].id = walk->id;
	walk->fields->places[field].literal = value;
	if (walk->source != EVENT_SYSTEM_NOWHERE) {
		walk->missing &= ~(1U << field);
	}
}

static void field_text(struct walk *walk, const struct event_token *token)
{
	if (walk->field < 0) {
		return;
	}
	walk->mixed |= walk->source == EVENT_SYSTEM_VALUE;
	walk->source = EVENT_SYSTEM_LITERAL;
	literal_add(&walk->literal, token->units, token->num_units);
	walk->literal.pieces++;
	walk->literal.place =
		(uint64_t)(token->units - walk->data) << 16 | token->num_units;
}

static void field_subst(struct walk *walk, const struct event_token *token)
{
	walk->mixed |= walk->source != EVENT_SYSTEM_NOWHERE;
	walk->source = EVENT_SYSTEM_VALUE;
	walk->id = token->subst_id;
}

static void walk_open(struct walk *walk, const struct event_token *token,
		      unsigned int depth)
{
	int i;

	/* A field with an element in it is none. */
	walk->mixed = true;
	field_end(walk);
	walk->content = -1;
	if (depth == 1) {
		walk->in_event = units_equal(token, "Event");
	} else if (depth == 2) {
		walk->in_system =
			walk->in_event && units_equal(token, "System");
	} else if (depth == 3 && walk->in_system) {
		/* Attributes are looked up among those of this element. */
		for (i = 0; i < EVENT_SYSTEM_NUM; i++) {
			if (units_equal(token, event_system_names[i].element)) {
				walk->content = i;
			}
		}
	}
}

static void walk_attribute(struct walk *walk, const struct event_token *token)
{
	const char *name = NULL;

	field_end(walk);
	if (walk->content < 0) {
		return;
	}
	name = event_system_names[walk->content].attribute;
	if (name != NULL && units_equal(token, name)) {
		field_begin(walk, walk->content);
	}
}

static void walk_close_start(struct walk *walk)
{
	field_end(walk);
	if (walk->content >= 0 &&
	    event_system_names[walk->content].attribute == NULL) {
		field_begin(walk, walk->content);
	}
	walk->content = -1;
}

static void walk_token(struct walk *walk, const struct event_token *token,
		       unsigned int depth)
{
	switch (token->kind) {
	case EVENT_TOKEN_OPEN:
		walk_open(walk, token, depth);
		break;
	case EVENT_TOKEN_ATTRIBUTE:
		walk_attribute(walk, token);
		break;
	case EVENT_TOKEN_CLOSE_START:
		walk_close_start(walk);
		break;
	case EVENT_TOKEN_CLOSE_EMPTY:
	case EVENT_TOKEN_END:
		field_end(walk);
		walk->content = -1;
		break;
	case EVENT_TOKEN_TEXT:
	case EVENT_TOKEN_CDATA:
		field_text(walk, token);
		break;
	case EVENT_TOKEN_SUBST:
	case EVENT_TOKEN_OPTIONAL_SUBST:
		field_subst(walk, token);
		break;
	case EVENT_TOKEN_CHAR_REF:
	case EVENT_TOKEN_ENTITY_REF:
		/* No number, time or provider needs them. */
		walk->mixed = true;
		break;
	}
}

everr_t event_system_locate_some(enum event_reader_mode mode,
				 const uint8_t *data, size_t len,
				 uint32_t wanted,
				 struct event_system_fields *ret_fields)
{
	struct walk walk = {
		.fields = ret_fields,
		.data = data,
		.missing = wanted,
		.content = -1,
		.field = -1,
	};
	struct event_reader reader;
	struct event_token token;
	everr_t err;

	*ret_fields = (struct event_system_fields){0};
	event_reader_init(&reader, mode, data, len, 0);
	do {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		walk_token(&walk, &token, reader.depth);
	} while (token.kind != EVENT_TOKEN_EOF && walk.missing != 0);
	return EVERR_OK;
}

void event_system_locate(enum event_reader_mode mode, const uint8_t *data,
			 size_t len, struct event_system_fields *ret_fields)
{
	/* What was found before an error counts. */
	(void)event_system_locate_some(mode, data, len, UINT32_MAX, ret_fields);
}

/* Integers of any width, sign-extended: a negative one fits no field. */
static bool integer_value(uint8_t type, const uint8_t *value,
			  uint64_t *ret_value)
{
	switch (type) {
	case EVENT_TYPE_INT8:
		*ret_value = (uint64_t)(int8_t)value[0];
		return true;
	case EVENT_TYPE_UINT8:
		*ret_value = value[0];
		return true;
	case EVENT_TYPE_INT16:
		*ret_value = (uint64_t)(int16_t)le16_get(value);
		return true;
	case EVENT_TYPE_UINT16:
		*ret_value = le16_get(value);
		return true;
	case EVENT_TYPE_INT32:
		*ret_value = (uint64_t)(int32_t)le32_get(value);
		return true;
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_HEXINT32:
		*ret_value = le32_get(value);
		return true;
	case EVENT_TYPE_INT64:
	case EVENT_TYPE_UINT64:
	case EVENT_TYPE_HEXINT64:
	case EVENT_TYPE_FILETIME:
		*ret_value = le64_get(value);
		return true;
	}
	return false;
}

static bool string_value(const uint8_t *value, size_t len, int field,
			 uint64_t *ret_value)
{
	struct literal literal;
	size_t num_units = 0;

	/* Files have closing NULs, and what is behind them is not text. */
	while (2 * num_units < len && le16_get(value + 2 * num_units) != 0) {
		num_units++;
	}
	if (field == EVENT_SYSTEM_PROVIDER) {
		*ret_value = event_name_hash(value, num_units);
		return num_units > 0;
	}
	literal_reset(&literal);
	literal_add(&literal, value, num_units);
	return literal_value(&literal, field, ret_value);
}

bool event_system_value(enum event_system_field field, uint8_t type,
			const uint8_t *value, size_t len, uint64_t *ret_value)
{
	if (type == EVENT_TYPE_STRING) {
		return string_value(value, len, field, ret_value);
	}
	if (field == EVENT_SYSTEM_PROVIDER) {
		return false;
	}
	if ((field == EVENT_SYSTEM_TIME) != (type == EVENT_TYPE_FILETIME)) {
		return false;
	}
	return integer_value(type, value, ret_value);
}

static void header_set(struct event_header *header, int field, uint64_t value)
{
	static const struct {
		uint64_t max;
		uint8_t has;
	} rules[EVENT_SYSTEM_NUM] = {
		[EVENT_SYSTEM_PROVIDER] = {UINT32_MAX, EVENT_HAS_PROVIDER},
		[EVENT_SYSTEM_EVENT_ID] = {UINT16_MAX, EVENT_HAS_EVENT_ID},
		[EVENT_SYSTEM_VERSION] = {UINT8_MAX, EVENT_HAS_VERSION},
		[EVENT_SYSTEM_LEVEL] = {UINT8_MAX, EVENT_HAS_LEVEL},
		[EVENT_SYSTEM_TASK] = {UINT16_MAX, EVENT_HAS_TASK},
		[EVENT_SYSTEM_OPCODE] = {UINT8_MAX, EVENT_HAS_OPCODE},
		[EVENT_SYSTEM_KEYWORDS] = {UINT64_MAX, EVENT_HAS_KEYWORDS},
		[EVENT_SYSTEM_TIME] = {UINT64_MAX, EVENT_HAS_TIME},
	};

	if (value > rules[field].max) {
		return;
	}
	header->has |= rules[field].has;
	switch (field) {
	case EVENT_SYSTEM_PROVIDER:
		header->provider_hash = (uint32_t)value;
		break;
	case EVENT_SYSTEM_EVENT_ID:
		header->event_id = (uint16_t)value;
		break;
	case EVENT_SYSTEM_VERSION:
		header->version = (uint8_t)value;
		break;
	case EVENT_SYSTEM_LEVEL:
		header->level = (uint8_t)value;
		break;
	case EVENT_SYSTEM_TASK:
		header->task = (uint16_t)value;
		break;
	case EVENT_SYSTEM_OPCODE:
		header->opcode = (uint8_t)value;
		break;
	case EVENT_SYSTEM_KEYWORDS:
		header->keywords = value;
		break;
	case EVENT_SYSTEM_TIME:
		header->time_created = value;
		break;
	}
}

void event_system_read(const struct event_system_fields *fields,
		       uint32_t num_values, const uint8_t *specs,
		       const uint8_t *values, const uint32_t *offsets,
		       struct event_header *ret_header)
{
	struct event_header header = {0};
	uint64_t value = 0;
	uint16_t id;
	int i;

	for (i = 0; i < EVENT_SYSTEM_RECORD_ID; i++) {
		id = fields->places[i].id;
		if (fields->places[i].source == EVENT_SYSTEM_LITERAL) {
			header_set(&header, i, fields->places[i].literal);
		} else if (fields->places[i].source == EVENT_SYSTEM_VALUE &&
			   id < num_values &&
			   event_system_value(i, event_spec_type(specs, id),
					      values + offsets[id],
					      event_spec_len(specs, id),
					      &value)) {
			header_set(&header, i, value);
		}
	}
	*ret_header = header;
}
