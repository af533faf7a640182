/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/message_event.h"

#include "event/manifest_parse.h"
#include "event/scope.h"
#include "event/type.h"

#include <string.h>

/* Text that is looked at, of one event. */
#define TEXT_MAX (4 * EVENT_WIRE_MAX)

/* Texts are many and short: they share pieces of memory of this size. */
#define CHUNK_SIZE 2048

struct reading {
	struct event_message_source *source;
	struct buf *text; /* scratch */
	char *chunk;	  /* where the next text goes */
	size_t left;
	/* NULL: System as well, and all inserts. */
	const struct event_message_wanted *wanted;
};

typedef everr_t (*element_fn)(struct reading *reading,
			      struct event_scope *scope,
			      const struct event_plan_element *element);

/* ---------------------------------------------------------------- texts */

/* A plan's text is escaped; "&#13;" stands for what XML would lose. */
static void put_unescaped(struct buf *out, const uint8_t *text, size_t len)
{
	static const struct {
		const char *entity;
		char c;
	} entities[] = {{"&amp;", '&'},	 {"&lt;", '<'},	   {"&gt;", '>'},
			{"&quot;", '"'}, {"&apos;", '\''}, {"&#13;", '\r'},
			{"&#10;", '\n'}, {"&#9;", '\t'}};
	size_t at = 0;

	if (len == 0 || memchr(text, '&', len) == NULL) {
		buf_put(out, text, len);
		return;
	}
	while (at < len) {
		size_t used = 1;
		char c = (char)text[at];
		size_t i;

		for (i = 0; c == '&' && used == 1 &&
			    i < sizeof(entities) / sizeof(entities[0]);
		     i++) {
			size_t n = strlen(entities[i].entity);

			if (n <= len - at &&
			    memcmp(text + at, entities[i].entity, n) == 0) {
				c = entities[i].c;
				used = n;
			}
		}
		buf_put_u8(out, (uint8_t)c);
		at += used;
	}
}

/* Memory for as long as the source. */
static char *take_memory(struct reading *reading, size_t size)
{
	char *p = NULL;

	if (size > reading->left) {
		size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		p = talloc_array(reading->source, char, chunk_size);
		if (p == NULL) {
			return NULL;
		}
		reading->chunk = p;
		reading->left = chunk_size;
	}
	p = reading->chunk;
	reading->chunk += size;
	reading->left -= size;
	return p;
}

/* What was written into the scratch buffer, for as long as the source. */
static everr_t keep_text(struct reading *reading,
			 const struct event_scope *scope, const char **ret_text)
{
	const struct buf *text = reading->text;
	char *copy = NULL;
	everr_t err;

	err = event_scope_charge_bytes(scope, text->len);
	if (err != EVERR_OK) {
		return err;
	}
	copy = take_memory(reading, text->len + 1);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	if (text->len > 0) {
		memcpy(copy, text->data, text->len);
	}
	copy[text->len] = '\0';
	*ret_text = copy;
	return EVERR_OK;
}

/*
 * The text of an element or attribute, without what stands in elements inside,
 * for as long as the source.
 */
static everr_t read_text(struct reading *reading,
			 const struct event_scope *scope, uint32_t first_part,
			 const char **ret_text)
{
	const struct event_plan *plan = scope->plan;
	struct buf *text = reading->text;
	everr_t err = EVERR_OK;
	uint32_t i;

	buf_truncate(text, 0);
	for (i = first_part; i != EVENT_PLAN_NONE && err == EVERR_OK;
	     i = plan->parts[i].next) {
		const struct event_plan_part *part = &plan->parts[i];

		if (part->kind == EVENT_PLAN_PART_TEXT) {
			put_unescaped(text, plan->text + part->xml.offset,
				      part->xml.len);
		} else if (part->kind == EVENT_PLAN_PART_VALUE &&
			   !event_scope_is_nested(scope, part)) {
			err = event_value_text(
				text, EVENT_TEXT_PLAIN,
				event_scope_value(scope, part->id));
		}
	}
	return err == EVERR_OK ? keep_text(reading, scope, ret_text) : err;
}

static bool text_is(const struct event_scope *scope,
		    struct event_plan_text text, const char *want)
{
	return text.len == strlen(want) &&
	       memcmp(scope->plan->text + text.offset, want, text.len) == 0;
}

static const struct event_plan_attribute *find_attribute(
	const struct event_scope *scope,
	const struct event_plan_element *element, const char *name)
{
	const struct event_plan_attribute *attribute =
		scope->plan->attributes + element->first_attribute;
	uint32_t i;

	for (i = 0; i < element->num_attributes; i++) {
		if (text_is(scope, attribute[i].name, name)) {
			return &attribute[i];
		}
	}
	return NULL;
}

static everr_t read_attribute(struct reading *reading,
			      const struct event_scope *scope,
			      const struct event_plan_element *element,
			      const char *name, const char **ret_text)
{
	const struct event_plan_attribute *attribute = NULL;

	attribute = find_attribute(scope, element, name);
	if (attribute == NULL) {
		return EVERR_OK;
	}
	return read_text(reading, scope, attribute->first_part, ret_text);
}

static uint64_t read_number(const char *text)
{
	uint64_t number = 0;

	return manifest_parse_number(text, &number) ? number : 0;
}

/* ------------------------------------------------------------- elements */

static bool is_left_out(const struct event_scope *scope,
			const struct event_plan_element *element)
{
	return element->dependency != EVENT_NO_DEPENDENCY &&
	       event_scope_value(scope, element->dependency)->type ==
		       EVENT_TYPE_NULL;
}

static everr_t walk_nested(struct reading *reading, struct event_scope *scope,
			   const struct event_plan_part *part, element_fn fn);

/* Each element in the content of one, those of BinXml values included. */
static everr_t walk(struct reading *reading, struct event_scope *scope,
		    const struct event_plan_element *element, element_fn fn)
{
	const struct event_plan *plan = scope->plan;
	everr_t err = EVERR_OK;
	uint32_t i;

	for (i = element->first_part; i != EVENT_PLAN_NONE && err == EVERR_OK;
	     i = plan->parts[i].next) {
		const struct event_plan_part *part = &plan->parts[i];
		const struct event_plan_element *child = NULL;

		err = event_scope_charge(scope, 1);
		if (err != EVERR_OK) {
			return err;
		}
		if (event_scope_is_nested(scope, part)) {
			err = walk_nested(reading, scope, part, fn);
			continue;
		}
		if (part->kind != EVENT_PLAN_PART_ELEMENT) {
			continue;
		}
		child = &plan->elements[part->index];
		if (!is_left_out(scope, child)) {
			err = fn(reading, scope, child);
		}
	}
	return err;
}

/* Not deeper than event_scope_open_value() lets it be. */
static everr_t walk_nested(struct reading *reading, struct event_scope *scope,
			   const struct event_plan_part *part, element_fn fn)
{
	struct event_scope inner;
	everr_t err;

	if (part->kind == EVENT_PLAN_PART_INSTANCE) {
		err = event_scope_open_instance(
			&inner, scope, &scope->plan->instances[part->index]);
	} else {
		err = event_scope_open_value(
			&inner, scope, event_scope_value(scope, part->id));
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = walk(reading, &inner, inner.plan->elements, fn);
	event_scope_close(&inner);
	return err;
}

/* -------------------------------------------------------------- inserts */

/* The value that an element's text is, if it is one and nothing else. */
static const struct event_value *only_value(
	const struct event_scope *scope,
	const struct event_plan_element *element)
{
	const struct event_plan_part *part = NULL;

	if (element->first_part == EVENT_PLAN_NONE) {
		return NULL;
	}
	part = &scope->plan->parts[element->first_part];
	if (part->kind != EVENT_PLAN_PART_VALUE ||
	    part->next != EVENT_PLAN_NONE) {
		return NULL;
	}
	return event_scope_value(scope, part->id);
}

static bool read_integer(const struct event_value *value, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t i;

	switch (value->type) {
	case EVENT_TYPE_INT8:
	case EVENT_TYPE_UINT8:
	case EVENT_TYPE_INT16:
	case EVENT_TYPE_UINT16:
	case EVENT_TYPE_INT32:
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_INT64:
	case EVENT_TYPE_UINT64:
	case EVENT_TYPE_SIZET:
	case EVENT_TYPE_HEXINT32:
	case EVENT_TYPE_HEXINT64:
		break;
	default:
		return false;
	}
	for (i = value->len; i > 0 && i <= 8; i--) {
		number = number << 8 | value->data[i - 1];
	}
	*ret_number = number;
	return true;
}

/* Literal data, in a rendered event, may be numbers all the same. */
static void set_number(struct event_message_insert *insert,
		       const struct event_value *value)
{
	if (value != NULL) {
		insert->is_integer = read_integer(value, &insert->number);
	} else {
		insert->is_integer =
			manifest_parse_number(insert->text, &insert->number);
	}
}

static bool is_wanted(const struct event_message_wanted *wanted, size_t at)
{
	return wanted == NULL || (wanted->bits[at / 64] >> at % 64 & 1) != 0;
}

/* NULL: there are enough of them, or nobody looks at this one. */
static struct event_message_insert *next_insert(struct reading *reading)
{
	struct event_message_source *source = reading->source;
	struct event_message_insert *insert = NULL;

	if (source->num_inserts == EVENT_MESSAGE_INSERTS_MAX) {
		return NULL;
	}
	insert = &source->inserts[source->num_inserts];
	*insert = (struct event_message_insert){.text = ""};
	return is_wanted(reading->wanted, source->num_inserts++) ? insert
								 : NULL;
}

static everr_t add_value(struct reading *reading,
			 const struct event_scope *scope,
			 const struct event_value *value)
{
	struct event_message_insert *insert = next_insert(reading);
	everr_t err;

	if (insert == NULL) {
		return EVERR_OK;
	}
	buf_truncate(reading->text, 0);
	err = event_value_text(reading->text, EVENT_TEXT_PLAIN, value);
	if (err == EVERR_OK) {
		err = keep_text(reading, scope, &insert->text);
	}
	if (err == EVERR_OK) {
		set_number(insert, value);
	}
	return err;
}

/* The items of a classic event's strings. */
static everr_t add_items(struct reading *reading,
			 const struct event_scope *scope,
			 const struct event_value *array)
{
	struct event_value item = {.type = array->type & ~EVENT_TYPE_ARRAY};
	size_t pos = 0;
	size_t len = 0;
	everr_t err = EVERR_OK;

	while (err == EVERR_OK &&
	       reading->source->num_inserts < EVENT_MESSAGE_INSERTS_MAX &&
	       event_array_next(array->type, array->data, array->len, &pos,
				&item.data, &len)) {
		item.len = (uint16_t)len;
		err = add_value(reading, scope, &item);
	}
	return err;
}

/* A child of EventData.  Binary data beside Data are no inserts. */
static everr_t read_data(struct reading *reading, struct event_scope *scope,
			 const struct event_plan_element *element)
{
	const struct event_value *value = only_value(scope, element);
	struct event_message_insert *insert = NULL;
	bool has_name;
	everr_t err;

	if (!text_is(scope, element->name, "Data")) {
		return EVERR_OK;
	}
	has_name = find_attribute(scope, element, "Name") != NULL;
	if (!has_name && value != NULL &&
	    (value->type & EVENT_TYPE_ARRAY) != 0) {
		return add_items(reading, scope, value);
	}
	insert = next_insert(reading);
	if (insert == NULL) {
		return EVERR_OK;
	}
	if (reading->wanted == NULL) {
		err = read_attribute(reading, scope, element, "Name",
				     &insert->name);
		if (err != EVERR_OK) {
			return err;
		}
	}
	err = read_text(reading, scope, element->first_part, &insert->text);
	if (err == EVERR_OK) {
		set_number(insert, value);
	}
	return err;
}

/* Texts in document order, where no template gives another. */
static everr_t read_user_element(struct reading *reading,
				 struct event_scope *scope,
				 const struct event_plan_element *element)
{
	struct event_message_insert *insert = NULL;
	everr_t err;

	if (element->num_children > 0 || element->num_parts == 0) {
		return walk(reading, scope, element, read_user_element);
	}
	insert = next_insert(reading);
	if (insert == NULL) {
		return EVERR_OK;
	}
	err = read_text(reading, scope, element->first_part, &insert->text);
	if (err == EVERR_OK) {
		set_number(insert, only_value(scope, element));
	}
	return err;
}

/*
 * The values of the template that UserData is of, or that stands in it: the
 * System template's own values are not meant.
 */
static everr_t read_user_data(struct reading *reading,
			      struct event_scope *scope,
			      const struct event_plan_element *element)
{
	uint32_t i;
	everr_t err = EVERR_OK;

	if (scope->top || scope->num_values == 0) {
		return walk(reading, scope, element, read_user_element);
	}
	for (i = 0; i < scope->num_values && err == EVERR_OK; i++) {
		err = add_value(reading, scope, &scope->values[i]);
	}
	return err;
}

/* --------------------------------------------------------------- System */

static everr_t read_provider(struct reading *reading,
			     const struct event_scope *scope,
			     const struct event_plan_element *element)
{
	everr_t err;

	err = read_attribute(reading, scope, element, "Name",
			     &reading->source->provider);
	if (err != EVERR_OK) {
		return err;
	}
	return read_attribute(reading, scope, element, "Guid",
			      &reading->source->provider_guid);
}

void event_message_set_qualifiers(struct event_message_source *source,
				  const char *text)
{
	source->has_qualifiers = text[0] != '\0';
	source->qualifiers = (uint16_t)read_number(text);
}

static everr_t read_event_id(struct reading *reading,
			     const struct event_scope *scope,
			     const struct event_plan_element *element)
{
	struct event_message_source *source = reading->source;
	const char *text = "";
	const char *qualifiers = "";
	everr_t err;

	err = read_text(reading, scope, element->first_part, &text);
	if (err != EVERR_OK) {
		return err;
	}
	source->event_id = (uint16_t)read_number(text);
	err = read_attribute(reading, scope, element, "Qualifiers",
			     &qualifiers);
	event_message_set_qualifiers(source, qualifiers);
	return err;
}

static everr_t read_system_element(struct reading *reading,
				   struct event_scope *scope,
				   const struct event_plan_element *element)
{
	struct event_message_source *source = reading->source;
	const char *text = "";
	everr_t err;

	if (text_is(scope, element->name, "Provider")) {
		return read_provider(reading, scope, element);
	}
	if (text_is(scope, element->name, "EventID")) {
		return read_event_id(reading, scope, element);
	}
	err = read_text(reading, scope, element->first_part, &text);
	if (err != EVERR_OK) {
		return err;
	}
	if (text_is(scope, element->name, "Version")) {
		source->version = (uint8_t)read_number(text);
	} else if (text_is(scope, element->name, "Level")) {
		source->level = (uint8_t)read_number(text);
	} else if (text_is(scope, element->name, "Task")) {
		source->task = (uint16_t)read_number(text);
	} else if (text_is(scope, element->name, "Opcode")) {
		source->opcode = (uint8_t)read_number(text);
	} else if (text_is(scope, element->name, "Keywords")) {
		source->keywords = read_number(text);
	} else if (text_is(scope, element->name, "Channel")) {
		source->channel = text;
	}
	return EVERR_OK;
}

static everr_t read_event_element(struct reading *reading,
				  struct event_scope *scope,
				  const struct event_plan_element *element)
{
	if (text_is(scope, element->name, "System")) {
		return reading->wanted == NULL ? walk(reading, scope, element,
						      read_system_element)
					       : EVERR_OK;
	}
	if (text_is(scope, element->name, "EventData")) {
		return walk(reading, scope, element, read_data);
	}
	if (text_is(scope, element->name, "UserData")) {
		return read_user_data(reading, scope, element);
	}
	return EVERR_OK;
}

static everr_t read_root(struct reading *reading, struct event_scope *scope,
			 const struct event_plan_element *element)
{
	if (!text_is(scope, element->name, "Event")) {
		return EVERR_OK;
	}
	return walk(reading, scope, element, read_event_element);
}

static everr_t read_event(struct reading *reading, struct event_dict *dict,
			  const uint8_t *data, size_t len)
{
	struct event_render shared = {.out = reading->text, .dict = dict};
	struct event_scope scope;
	everr_t err;

	err = event_scope_open(&scope, &shared, data, len);
	if (err != EVERR_OK) {
		return err;
	}
	err = walk(reading, &scope, scope.plan->elements, read_root);
	event_scope_close(&scope);
	return err;
}

everr_t event_message_read(TALLOC_CTX *mem_ctx, struct event_dict *dict,
			   const uint8_t *data, size_t len,
			   struct event_message_source **ret_source)
{
	struct reading reading = {};
	struct buf text;
	everr_t err;

	reading.source = talloc_zero(mem_ctx, struct event_message_source);
	if (reading.source == NULL) {
		return EVERR_NOMEM;
	}
	reading.source->provider = "";
	reading.source->provider_guid = "";
	reading.source->channel = "";
	buf_init(&text, reading.source, TEXT_MAX);
	reading.text = &text;
	err = read_event(&reading, dict, data, len);
	if (err != EVERR_OK) {
		talloc_free(reading.source);
		return err;
	}
	buf_free(&text);
	*ret_source = reading.source;
	return EVERR_OK;
}

everr_t event_message_read_inserts(struct event_message_source *source,
				   struct event_scope *scope,
				   const struct event_message_wanted *wanted,
				   struct buf *scratch)
{
	struct reading reading = {
		.source = source, .text = scratch, .wanted = wanted};
	everr_t err;

	buf_reset(scratch);
	source->num_inserts = 0;
	err = walk(&reading, scope, scope->plan->elements, read_root);
	return err == EVERR_OK ? buf_error(scratch) : err;
}
