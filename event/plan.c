/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/plan.h"

#include "base/buf.h"
#include "base/text.h"
#include "event/plan_build.h"

#include <string.h>

/* Above what the largest definition can need; memory is the real limit. */
#define PLAN_BYTES_MAX (256U * 1024 * 1024)

uint32_t event_plan_add(struct buf *array, const void *item, size_t size)
{
	uint32_t index = (uint32_t)(array->len / size);

	buf_put(array, item, size);
	return index;
}

/* What add_text() appended since start. */
static struct event_plan_text text_since(const struct buf *text, size_t start)
{
	return (struct event_plan_text){(uint32_t)start,
					(uint32_t)(text->len - start)};
}

static struct event_plan_text add_name(struct event_plan_builder *b,
				       const struct event_token *token)
{
	size_t start = b->text.len;

	text_utf16_to_utf8(&b->text, token->units, token->num_units);
	return text_since(&b->text, start);
}

/*
 * Append a part to the attribute or element being read.  Items are looked up
 * anew each time: the arrays move as they grow.
 */
static void add_part(struct event_plan_builder *b,
		     const struct event_plan_part *part)
{
	uint32_t index =
		event_plan_add(&b->parts, part, sizeof(struct event_plan_part));
	uint32_t *first = NULL, *last = NULL;

	if (buf_error(&b->parts) != EVERR_OK) {
		return;
	}
	plan_element(b, b->open[b->depth])->cost++;
	if (b->attribute != EVENT_PLAN_NONE) {
		first = &plan_attribute(b, b->attribute)->first_part;
		last = &plan_attribute(b, b->attribute)->last_part;
	} else {
		first = &plan_element(b, b->open[b->depth])->first_part;
		last = &plan_element(b, b->open[b->depth])->last_part;
	}
	if (*first == EVENT_PLAN_NONE) {
		*first = index;
	} else {
		plan_part(b, *last)->next = index;
	}
	*last = index;
}

static void add_element(struct event_plan_builder *b,
			const struct event_token *token)
{
	struct event_plan_element element = {
		.dependency = EVENT_NO_DEPENDENCY,
		.cost = 1,
		.first_attribute =
			(uint32_t)(b->attributes.len /
				   sizeof(struct event_plan_attribute)),
		.first_part = EVENT_PLAN_NONE,
		.first_child = EVENT_PLAN_NONE,
		.next_sibling = EVENT_PLAN_NONE,
	};

	if (token != NULL) {
		element.dependency = token->dependency;
		element.name = add_name(b, token);
	}
	event_plan_add(&b->elements, &element, sizeof(element));
}

static void open_element(struct event_plan_builder *b,
			 const struct event_token *token)
{
	uint32_t index =
		(uint32_t)(b->elements.len / sizeof(struct event_plan_element));
	const struct event_plan_part part = {.kind = EVENT_PLAN_PART_ELEMENT,
					     .index = index,
					     .next = EVENT_PLAN_NONE};

	add_part(b, &part);
	add_element(b, token);
	if (buf_error(&b->elements) == EVERR_OK) {
		plan_element(b, b->open[b->depth])->num_children++;
	}
	b->open[++b->depth] = index;
}

static void open_attribute(struct event_plan_builder *b,
			   const struct event_token *token)
{
	const struct event_plan_attribute attribute = {
		.name = add_name(b, token),
		.first_part = EVENT_PLAN_NONE,
	};

	b->attribute =
		event_plan_add(&b->attributes, &attribute, sizeof(attribute));
	if (buf_error(&b->attributes) == EVERR_OK) {
		plan_element(b, b->open[b->depth])->num_attributes++;
		plan_element(b, b->open[b->depth])->cost++;
	}
}

static void add_value(struct event_plan_builder *b,
		      const struct event_token *token)
{
	const struct event_plan_part part = {.kind = EVENT_PLAN_PART_VALUE,
					     .id = token->subst_id,
					     .next = EVENT_PLAN_NONE};

	add_part(b, &part);
	if (buf_error(&b->parts) != EVERR_OK) {
		return;
	}
	if (b->attribute != EVENT_PLAN_NONE) {
		plan_attribute(b, b->attribute)->num_values++;
	} else {
		plan_element(b, b->open[b->depth])->num_parts++;
	}
}

static void add_instance(struct event_plan_builder *b,
			 const struct event_token *token)
{
	struct event_plan_part part = {.kind = EVENT_PLAN_PART_INSTANCE,
				       .next = EVENT_PLAN_NONE};

	part.index = event_plan_add(&b->instances, &token->instance,
				    sizeof(token->instance));
	add_part(b, &part);
}

/* Production [2] of XML 1.0, for a unit that is no surrogate. */
static bool is_xml_unit(uint16_t unit)
{
	return unit >= 0x20 ? unit < 0xFFFE
			    : unit == '\t' || unit == '\n' || unit == '\r';
}

/* Does the '>' at i end a CDATA section, or a processing instruction? */
static bool ends_verbatim(const uint8_t *units, size_t start, size_t i,
			  bool cdata)
{
	if (!cdata) {
		return i > start && le16_get(units + 2 * i - 2) == '?';
	}
	return i > start + 1 && le16_get(units + 2 * i - 2) == ']' &&
	       le16_get(units + 2 * i - 4) == ']';
}

/*
 * Text that cannot be escaped: the inside of a CDATA section or of a
 * processing instruction.  What would end it, or would not come back from a
 * parser, is kept apart.
 */
static void put_verbatim(struct buf *out, const uint8_t *units, size_t n,
			 bool cdata)
{
	size_t start = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		uint16_t unit = le16_get(units + 2 * i);
		const char *instead = NULL;
		size_t skip = 1;

		if (!is_xml_unit(unit)) {
			instead = "\xEF\xBF\xBD";
		} else if (cdata && unit == '\r') {
			instead = "]]>&#13;<![CDATA[";
		} else if (unit == '>' &&
			   ends_verbatim(units, start, i, cdata)) {
			instead = cdata ? "]]><![CDATA[" : " ";
			skip = 0;
		}
		if (instead != NULL) {
			text_utf16_to_utf8(out, units + 2 * start, i - start);
			buf_puts(out, instead);
			start = i + skip;
		}
	}
	text_utf16_to_utf8(out, units + 2 * start, n - start);
}

static void put_char_ref(struct buf *out, uint16_t unit)
{
	if (!is_xml_unit(unit) || (unit >= 0xD800 && unit <= 0xDFFF)) {
		buf_puts(out, "\xEF\xBF\xBD");
	} else {
		buf_printf(out, "&#%u;", unit);
	}
}

/* The character of one of XML's own entities; 0 for another. */
static char entity_char(const struct event_token *token)
{
	static const struct {
		const char *utf16le;
		size_t num_units;
		char c;
	} entities[] = {
		{"a\0m\0p", 3, '&'},	 {"l\0t", 2, '<'},
		{"g\0t", 2, '>'},	 {"q\0u\0o\0t", 4, '"'},
		{"a\0p\0o\0s", 4, '\''},
	};
	size_t i;

	for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (token->num_units == entities[i].num_units &&
		    memcmp(token->units, entities[i].utf16le,
			   2 * token->num_units) == 0) {
			return entities[i].c;
		}
	}
	return '\0';
}

/* An entity that XML does not define is text: no DTD will. */
static void put_entity(struct buf *out, const struct event_token *token,
		       bool json)
{
	char c = entity_char(token);

	if (json && c != '\0') {
		text_utf16_to_json(out, (const uint8_t[]){(uint8_t)c, 0}, 1);
		return;
	}
	buf_puts(out, c != '\0' || json ? "&" : "&amp;");
	text_utf16_to_utf8(out, token->units, token->num_units);
	buf_put_u8(out, ';');
}

/* The XML of a token that is literal text. */
static void put_xml(struct event_plan_builder *b,
		    const struct event_token *token)
{
	struct buf *out = &b->text;

	switch (token->kind) {
	case EVENT_TOKEN_TEXT:
		text_utf16_to_xml(out, token->units, token->num_units,
				  b->attribute != EVENT_PLAN_NONE);
		break;
	case EVENT_TOKEN_CDATA:
		buf_puts(out, "<![CDATA[");
		put_verbatim(out, token->units, token->num_units, true);
		buf_puts(out, "]]>");
		break;
	case EVENT_TOKEN_CHAR_REF:
		put_char_ref(out, token->ch);
		break;
	case EVENT_TOKEN_ENTITY_REF:
		put_entity(out, token, false);
		break;
	}
}

static void put_json(struct event_plan_builder *b,
		     const struct event_token *token)
{
	uint8_t unit[2];

	switch (token->kind) {
	case EVENT_TOKEN_TEXT:
	case EVENT_TOKEN_CDATA:
		text_utf16_to_json(&b->text, token->units, token->num_units);
		break;
	case EVENT_TOKEN_CHAR_REF:
		le16_set(unit, token->ch != 0 ? token->ch : 0xFFFD);
		text_utf16_to_json(&b->text, unit, 1);
		break;
	case EVENT_TOKEN_ENTITY_REF:
		put_entity(&b->text, token, true);
		break;
	}
}

static void put_plain(struct event_plan_builder *b,
		      const struct event_token *token)
{
	uint8_t unit[2];

	switch (token->kind) {
	case EVENT_TOKEN_TEXT:
	case EVENT_TOKEN_CDATA:
		text_utf16_to_utf8(&b->text, token->units, token->num_units);
		break;
	case EVENT_TOKEN_CHAR_REF:
		le16_set(unit, token->ch != 0 ? token->ch : 0xFFFD);
		text_utf16_to_utf8(&b->text, unit, 1);
		break;
	case EVENT_TOKEN_ENTITY_REF:
		if (entity_char(token) != '\0') {
			buf_put_u8(&b->text, (uint8_t)entity_char(token));
		} else {
			put_entity(&b->text, token, true);
		}
		break;
	}
}

/* The text as it is; mostly what stands in the texts already. */
static struct event_plan_text add_plain(struct event_plan_builder *b,
					const struct event_token *token,
					struct event_plan_text json)
{
	struct event_plan_text plain;
	size_t start = b->text.len;

	put_plain(b, token);
	plain = text_since(&b->text, start);
	if (buf_error(&b->text) == EVERR_OK && plain.len == json.len &&
	    memcmp(b->text.data + plain.offset, b->text.data + json.offset,
		   json.len) == 0) {
		buf_truncate(&b->text, start);
		return json;
	}
	return plain;
}

/* Literal text ends at a NUL, as strings do. */
static void add_text(struct event_plan_builder *b, struct event_token *token)
{
	struct event_plan_part part = {.kind = EVENT_PLAN_PART_TEXT,
				       .next = EVENT_PLAN_NONE};
	size_t start = b->text.len;
	bool any;

	if (token->kind == EVENT_TOKEN_TEXT ||
	    token->kind == EVENT_TOKEN_CDATA) {
		token->num_units =
			text_utf16_nlen(token->units, token->num_units);
	}
	put_xml(b, token);
	part.xml = text_since(&b->text, start);
	start = b->text.len;
	put_json(b, token);
	part.json = text_since(&b->text, start);
	part.plain = add_plain(b, token, part.json);
	add_part(b, &part);

	any = part.json.len > 0;
	if (buf_error(&b->parts) != EVERR_OK) {
		return;
	}
	if (b->attribute != EVENT_PLAN_NONE) {
		plan_attribute(b, b->attribute)->has_text |= any;
	} else {
		plan_element(b, b->open[b->depth])->has_text |= any;
		plan_element(b, b->open[b->depth])->num_parts++;
	}
}

/* XML 1.0 2.6 reserves the target, in either case: it is left out. */
static bool pi_is_reserved(const struct event_token *target)
{
	static const char xml[] = "xml";
	size_t i;

	for (i = 0; i < 3 && i < target->num_units; i++) {
		if ((le16_get(target->units + 2 * i) | 0x20) != xml[i]) {
			return false;
		}
	}
	return target->num_units == 3;
}

/* Its target, kept from the token before, and its data; not in JSON. */
static void add_pi(struct event_plan_builder *b,
		   const struct event_token *token)
{
	struct event_plan_part part = {.kind = EVENT_PLAN_PART_TEXT,
				       .next = EVENT_PLAN_NONE};
	size_t start = b->text.len;

	if (pi_is_reserved(&b->pi)) {
		return;
	}
	buf_puts(&b->text, "<?");
	text_utf16_to_utf8(&b->text, b->pi.units, b->pi.num_units);
	buf_put_u8(&b->text, ' ');
	put_verbatim(&b->text, token->units, token->num_units, false);
	buf_puts(&b->text, "?>");
	part.xml = text_since(&b->text, start);
	add_part(b, &part);
}

static void add_token(struct event_plan_builder *b, struct event_token *token)
{
	switch ((enum event_token_kind)token->kind) {
	case EVENT_TOKEN_OPEN:
		open_element(b, token);
		break;
	case EVENT_TOKEN_ATTRIBUTE:
		open_attribute(b, token);
		break;
	case EVENT_TOKEN_CLOSE_START:
		b->attribute = EVENT_PLAN_NONE;
		break;
	case EVENT_TOKEN_CLOSE_EMPTY:
		b->attribute = EVENT_PLAN_NONE;
		plan_element(b, b->open[b->depth])->closed = true;
		b->depth--;
		break;
	case EVENT_TOKEN_END:
		b->depth--;
		break;
	case EVENT_TOKEN_TEXT:
	case EVENT_TOKEN_CDATA:
	case EVENT_TOKEN_CHAR_REF:
	case EVENT_TOKEN_ENTITY_REF:
		add_text(b, token);
		break;
	case EVENT_TOKEN_PI_TARGET:
		b->pi = *token;
		break;
	case EVENT_TOKEN_PI_DATA:
		add_pi(b, token);
		break;
	case EVENT_TOKEN_SUBST:
	case EVENT_TOKEN_OPTIONAL_SUBST:
		add_value(b, token);
		break;
	case EVENT_TOKEN_TEMPLATE:
		add_instance(b, token);
		break;
	case EVENT_TOKEN_FRAGMENT:
	case EVENT_TOKEN_EOF:
		break;
	}
}

static void builder_init(struct event_plan_builder *b, struct event_plan *plan)
{
	struct buf *const bufs[] = PLAN_BUILDER_BUFS(b);
	size_t i;

	for (i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
		buf_init(bufs[i], plan, PLAN_BYTES_MAX);
	}
	b->attribute = EVENT_PLAN_NONE;
	b->depth = 0;
	b->open[0] = 0;
	b->may_merge = false;
	add_element(b, NULL);
}

everr_t event_plan_builder_error(const struct event_plan_builder *b)
{
	const struct buf *const bufs[] = PLAN_BUILDER_BUFS(b);
	size_t i;
	everr_t err;

	for (i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
		err = buf_error(bufs[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

/* An array at its exact size: plans live as long as their templates. */
static const void *array_done(struct buf *array)
{
	static const uint64_t nothing;
	uint8_t *data = NULL;

	if (array->len == 0) {
		return &nothing;
	}
	data = talloc_realloc(array->mem_ctx, array->data, uint8_t, array->len);
	return data != NULL ? data : array->data;
}

static void builder_done(struct event_plan_builder *b, struct event_plan *plan)
{
	plan->num_steps =
		(uint32_t)(b->steps.len / sizeof(struct event_plan_step));
	plan->text = array_done(&b->text);
	plan->steps = array_done(&b->steps);
	plan->elements = array_done(&b->elements);
	plan->attributes = array_done(&b->attributes);
	plan->parts = array_done(&b->parts);
	plan->ids = array_done(&b->ids);
	plan->instances = array_done(&b->instances);
}

static everr_t read_tokens(struct event_plan_builder *b,
			   enum event_reader_mode mode, const uint8_t *data,
			   size_t len)
{
	struct event_reader reader;
	struct event_token token;
	everr_t err;

	event_reader_init(&reader, mode, data, len, 0);
	do {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		add_token(b, &token);
		err = event_plan_builder_error(b);
		if (err != EVERR_OK) {
			return err;
		}
	} while (token.kind != EVENT_TOKEN_EOF);
	return EVERR_OK;
}

static everr_t compile(struct event_plan_builder *b,
		       enum event_reader_mode mode, const uint8_t *data,
		       size_t len)
{
	everr_t err;

	err = read_tokens(b, mode, data, len);
	if (err != EVERR_OK) {
		return err;
	}
	event_plan_add_steps(b);
	err = event_plan_add_keys(b);
	if (err != EVERR_OK) {
		return err;
	}
	return event_plan_builder_error(b);
}

everr_t event_plan_compile(TALLOC_CTX *mem_ctx, enum event_reader_mode mode,
			   const uint8_t *data, size_t len,
			   struct event_plan **ret_plan)
{
	struct event_plan_builder builder;
	struct event_plan *plan = NULL;
	everr_t err;

	plan = talloc_zero(mem_ctx, struct event_plan);
	if (plan == NULL) {
		return EVERR_NOMEM;
	}
	builder_init(&builder, plan);
	err = event_plan_builder_error(&builder);
	if (err == EVERR_OK) {
		err = compile(&builder, mode, data, len);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(plan);
		return err;
	}
	builder_done(&builder, plan);
	*ret_plan = plan;
	return EVERR_OK;
}

everr_t event_plan_get(struct event_template *template,
		       const struct event_plan **ret_plan)
{
	everr_t err;

	if (template->plan == NULL) {
		err = event_plan_compile(template, EVENT_READ_DEFINITION,
					 template->def, template->def_len,
					 &template->plan);
		if (err != EVERR_OK) {
			return err;
		}
	}
	*ret_plan = template->plan;
	return EVERR_OK;
}
