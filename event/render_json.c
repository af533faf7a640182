/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/event.h"
#include "event/scope.h"

#include <string.h>

/*
 * An element is an object if it has something beside its text: attributes,
 * elements, a BinXml value.  Else it is its text, and null without any.  What
 * occurs more than once in a definition is always an array, so that the shape
 * depends on values as little as possible.
 */

/*
 * Where the members of a BinXml value go: into an object that has members of
 * its own, and perhaps those of another value.
 */
struct host {
	struct event_scope *scope;
	const struct event_plan_element *element;
	unsigned int ordinal; /* of the BinXml value in the element, from 1 */
};

static everr_t put_members(struct event_scope *scope,
			   const struct event_plan_element *element,
			   const struct host *host);

static void put_plan_text(const struct event_scope *scope,
			  struct event_plan_text text)
{
	buf_put(scope->render->out, scope->plan->text + text.offset, text.len);
}

/* A comma, but for what comes first in its object or array, or has a key. */
static void put_comma(struct buf *out)
{
	uint8_t last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':') {
		buf_put_u8(out, ',');
	}
}

/* Has the object a member of that name from elsewhere? */
static bool key_taken(const struct event_scope *scope,
		      struct event_plan_text key, const struct host *host)
{
	const struct event_plan *plan = host->scope->plan;
	uint32_t i;

	for (i = host->element->first_child; i != EVENT_PLAN_NONE;
	     i = plan->elements[i].next_sibling) {
		struct event_plan_text other = plan->elements[i].key;

		if (key.len == other.len &&
		    memcmp(scope->plan->text + key.offset,
			   plan->text + other.offset, key.len) == 0) {
			return true;
		}
	}
	return host->ordinal > 1;
}

/* Names in an object are unique: another one of a BinXml value gets "#n". */
static everr_t put_key(const struct event_scope *scope,
		       struct event_plan_text key, const struct host *host)
{
	struct buf *out = scope->render->out;
	everr_t err;

	put_comma(out);
	buf_put_u8(out, '"');
	put_plan_text(scope, key);
	if (host != NULL) {
		err = event_scope_charge(scope, host->element->num_children);
		if (err != EVERR_OK) {
			return err;
		}
		if (key_taken(scope, key, host)) {
			buf_printf(out, "#%u", host->ordinal + 1);
		}
	}
	buf_put(out, "\":", 2);
	return EVERR_OK;
}

/* Does the part have text?  Literal parts have, unless they are empty. */
static bool has_text(const struct event_scope *scope,
		     const struct event_plan_part *part)
{
	if (part->kind == EVENT_PLAN_PART_TEXT) {
		return part->json.len > 0;
	}
	return part->kind == EVENT_PLAN_PART_VALUE &&
	       !event_value_is_empty(event_scope_value(scope, part->id));
}

static bool attribute_present(const struct event_scope *scope,
			      const struct event_plan_attribute *attribute)
{
	const struct event_plan_part *parts = scope->plan->parts;
	uint32_t i;

	if (!attribute->in_json || attribute->has_text) {
		return attribute->in_json;
	}
	for (i = attribute->first_part; i != EVENT_PLAN_NONE;
	     i = parts[i].next) {
		if (has_text(scope, &parts[i])) {
			return true;
		}
	}
	return false;
}

/* The text of parts that are not alone, in one string. */
static everr_t put_string(const struct event_scope *scope, uint32_t first_part)
{
	const struct event_plan_part *parts = scope->plan->parts;
	struct buf *out = scope->render->out;
	everr_t err = EVERR_OK;
	uint32_t i;

	buf_put_u8(out, '"');
	for (i = first_part;
	     i != EVENT_PLAN_NONE && err == EVERR_OK && out->err == EVERR_OK;
	     i = parts[i].next) {
		if (parts[i].kind == EVENT_PLAN_PART_TEXT) {
			put_plan_text(scope, parts[i].json);
		} else if (parts[i].kind == EVENT_PLAN_PART_VALUE) {
			err = event_value_text(
				out, EVENT_TEXT_JSON,
				event_scope_value(scope, parts[i].id));
		}
	}
	buf_put_u8(out, '"');
	return err;
}

/* A value that is alone keeps its type. */
static everr_t put_text(const struct event_scope *scope, uint32_t first_part)
{
	const struct event_plan_part *part = &scope->plan->parts[first_part];

	if (part->kind == EVENT_PLAN_PART_VALUE &&
	    part->next == EVENT_PLAN_NONE) {
		return event_value_json(scope->render->out,
					event_scope_value(scope, part->id));
	}
	return put_string(scope, first_part);
}

static bool is_object(const struct event_scope *scope,
		      const struct event_plan_element *element)
{
	const struct event_plan *plan = scope->plan;
	uint32_t i;

	if (element->num_children > 0) {
		return true;
	}
	for (i = 0; i < element->num_attributes; i++) {
		if (attribute_present(
			    scope,
			    &plan->attributes[element->first_attribute + i])) {
			return true;
		}
	}
	for (i = element->first_part; i != EVENT_PLAN_NONE;
	     i = plan->parts[i].next) {
		if (event_scope_is_nested(scope, &plan->parts[i])) {
			return true;
		}
	}
	return false;
}

/* The element's value, whatever its key. */
static everr_t put_element_once(struct event_scope *scope,
				const struct event_plan_element *element)
{
	struct buf *out = scope->render->out;
	everr_t err;

	err = event_scope_charge(scope, element->cost);
	if (err != EVERR_OK) {
		return err;
	}
	if (is_object(scope, element)) {
		buf_put_u8(out, '{');
		err = put_members(scope, element, NULL);
		buf_put_u8(out, '}');
		return err;
	}
	if (element->num_parts == 0) {
		buf_put(out, "null", 4);
		return EVERR_OK;
	}
	return put_text(scope, element->first_part);
}

/* The items of an array, one element each; an empty array has none. */
static everr_t put_loop(struct event_scope *scope, struct event_loop *loop,
			const struct event_plan_element *element)
{
	everr_t err = EVERR_OK;

	while (err == EVERR_OK && loop->array.len > 0 &&
	       event_loop_next(scope, loop)) {
		put_comma(scope->render->out);
		err = put_element_once(scope, element);
	}
	event_loop_end(scope, loop);
	return err;
}

/* An element of a key whose array, if it is one, may be open already. */
static everr_t put_element(struct event_scope *scope,
			   const struct event_plan_element *element,
			   const struct host *host, bool *open)
{
	struct buf *out = scope->render->out;
	struct event_loop loop;
	bool loops;
	everr_t err;

	err = event_scope_charge(scope, element->cost);
	if (err != EVERR_OK) {
		return err;
	}
	if (element->dependency != EVENT_NO_DEPENDENCY &&
	    event_scope_value(scope, element->dependency)->type ==
		    EVENT_TYPE_NULL) {
		return EVERR_OK;
	}
	loops = event_loop_find(scope, scope->plan->ids + element->first_id,
				element->num_ids, &loop);
	if (!*open) {
		err = put_key(scope, element->key, host);
		if (err != EVERR_OK) {
			return err;
		}
		*open = element->is_array || loops;
		buf_put(out, "[", *open ? 1 : 0);
	}
	if (loops) {
		return put_loop(scope, &loop, element);
	}
	put_comma(out);
	return put_element_once(scope, element);
}

/* The children; those of one key follow each other. */
static everr_t put_children(struct event_scope *scope,
			    const struct event_plan_element *parent,
			    const struct host *host)
{
	const struct event_plan_element *elements = scope->plan->elements;
	uint32_t i = parent->first_child;
	everr_t err = EVERR_OK;

	while (i != EVENT_PLAN_NONE && err == EVERR_OK) {
		bool open = false;

		do {
			err = put_element(scope, &elements[i], host, &open);
			i = elements[i].next_sibling;
		} while (i != EVENT_PLAN_NONE && elements[i].same_key &&
			 err == EVERR_OK);
		buf_put(scope->render->out, "]", open ? 1 : 0);
	}
	return err;
}

static everr_t open_nested(struct event_scope *inner,
			   const struct event_scope *scope,
			   const struct event_plan_part *part)
{
	if (part->kind == EVENT_PLAN_PART_INSTANCE) {
		return event_scope_open_instance(
			inner, scope, &scope->plan->instances[part->index]);
	}
	return event_scope_open_value(inner, scope,
				      event_scope_value(scope, part->id));
}

/* What stands in BinXml values, as members of the element they stand in. */
static everr_t put_nested(struct event_scope *scope,
			  const struct event_plan_element *element)
{
	const struct event_plan_part *parts = scope->plan->parts;
	struct host host = {.scope = scope, .element = element};
	struct event_scope inner;
	everr_t err = EVERR_OK;
	uint32_t i;

	for (i = element->first_part; i != EVENT_PLAN_NONE && err == EVERR_OK;
	     i = parts[i].next) {
		if (!event_scope_is_nested(scope, &parts[i])) {
			continue;
		}
		host.ordinal++;
		err = open_nested(&inner, scope, &parts[i]);
		if (err == EVERR_OK) {
			err = put_members(&inner, inner.plan->elements, &host);
			event_scope_close(&inner);
		}
	}
	return err;
}

static everr_t put_attributes(struct event_scope *scope,
			      const struct event_plan_element *element)
{
	const struct event_plan_attribute *attribute =
		scope->plan->attributes + element->first_attribute;
	everr_t err = EVERR_OK;
	uint32_t i;

	for (i = 0; i < element->num_attributes && err == EVERR_OK; i++) {
		if (attribute_present(scope, &attribute[i])) {
			err = put_key(scope, attribute[i].key, NULL);
			if (err == EVERR_OK) {
				err = put_text(scope, attribute[i].first_part);
			}
		}
	}
	return err;
}

/* The text beside attributes or elements, if there is any. */
static everr_t put_text_member(struct event_scope *scope,
			       const struct event_plan_element *element)
{
	const struct event_plan_part *parts = scope->plan->parts;
	uint32_t i = element->first_part;

	while (i != EVENT_PLAN_NONE && !has_text(scope, &parts[i])) {
		i = parts[i].next;
	}
	if (i == EVENT_PLAN_NONE) {
		return EVERR_OK;
	}
	put_comma(scope->render->out);
	buf_puts(scope->render->out, "\"#text\":");
	return put_text(scope, element->first_part);
}

static everr_t put_members(struct event_scope *scope,
			   const struct event_plan_element *element,
			   const struct host *host)
{
	everr_t err;

	err = put_attributes(scope, element);
	if (err != EVERR_OK) {
		return err;
	}
	err = put_text_member(scope, element);
	if (err != EVERR_OK) {
		return err;
	}
	err = put_children(scope, element, host);
	if (err != EVERR_OK) {
		return err;
	}
	return put_nested(scope, element);
}

/* The root is left out when it is Event; every event's is. */
static everr_t put_root(struct event_scope *scope)
{
	const struct event_plan *plan = scope->plan;
	const struct event_plan_element *root = plan->elements;
	const struct event_plan_element *event = NULL;
	struct event_scope inner;
	everr_t err;

	if (root->num_children == 1) {
		event = &plan->elements[root->first_child];
		if (event->name.len == 5 &&
		    memcmp(plan->text + event->name.offset, "Event", 5) == 0) {
			return put_members(scope, event, NULL);
		}
	}
	/* An instance in a document is the only one there. */
	if (root->num_children == 0 && root->first_part != EVENT_PLAN_NONE &&
	    plan->parts[root->first_part].kind == EVENT_PLAN_PART_INSTANCE) {
		err = open_nested(&inner, scope,
				  &plan->parts[root->first_part]);
		if (err == EVERR_OK) {
			err = put_root(&inner);
			event_scope_close(&inner);
		}
		return err;
	}
	return put_members(scope, root, NULL);
}

everr_t event_render_json_open(struct event_scope *scope)
{
	struct buf *out = scope->render->out;
	everr_t err;

	buf_put_u8(out, '{');
	err = put_root(scope);
	buf_put_u8(out, '}');
	return err == EVERR_OK ? buf_error(out) : err;
}

everr_t event_render_json(struct buf *out, struct event_dict *dict,
			  const uint8_t *data, size_t len)
{
	struct event_render shared = {.out = out, .dict = dict};
	size_t old_len = out->len;
	struct event_scope scope;
	everr_t err;

	err = event_scope_open(&scope, &shared, data, len);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_render_json_open(&scope);
	event_scope_close(&scope);
	if (err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return err;
}
