/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

#include "base/text.h"
#include "event/type.h"
#include "event/value.h"

/* Where one is in an event: a level of it and what is known of its plan. */
struct place {
	struct event_scope *scope;
	const struct format_program *program;
	enum format_context context;
};

static everr_t put_element(struct format_run *run, const struct place *place,
			   uint32_t index);

/* ---------------------------------------------------------------- texts */

everr_t format_read_parts(const struct format_run *run,
			  const struct event_scope *scope, uint32_t first_part)
{
	const struct event_plan *plan = scope->plan;
	struct buf *scratch = &run->format->scratch;
	everr_t err = EVERR_OK;
	uint32_t i;

	buf_reset(scratch);
	for (i = first_part; i != EVENT_PLAN_NONE && err == EVERR_OK;
	     i = plan->parts[i].next) {
		const struct event_plan_part *part = &plan->parts[i];

		if (part->kind == EVENT_PLAN_PART_TEXT) {
			buf_put(scratch, plan->text + part->plain.offset,
				part->plain.len);
		} else if (part->kind == EVENT_PLAN_PART_VALUE) {
			err = event_value_text(
				scratch, EVENT_TEXT_PLAIN,
				event_scope_value(scope, part->id));
		}
	}
	if (err == EVERR_OK) {
		err = buf_error(scratch);
	}
	return err;
}

static void put_scratch(struct format_run *run)
{
	const struct buf *scratch = &run->format->scratch;

	format_put_utf8(run->out, (const char *)scratch->data, scratch->len,
			FORMAT_QUOTED, &run->marks);
}

/* Text that is not UTF-16 as it is: Windows-1252, or an array of any. */
static everr_t put_other_value(struct format_run *run,
			       const struct event_value *value)
{
	struct buf *scratch = &run->format->scratch;
	everr_t err;

	buf_reset(scratch);
	err = event_value_text(scratch, EVENT_TEXT_PLAIN, value);
	if (err == EVERR_OK) {
		err = buf_error(scratch);
	}
	if (err == EVERR_OK) {
		put_scratch(run);
	}
	return err;
}

everr_t format_put_value(struct format_run *run,
			 const struct event_value *value)
{
	if (value->type == EVENT_TYPE_STRING) {
		if (value->len % 2 != 0) {
			return EVERR_BINXML_VALUE;
		}
		format_put_utf16(run->out, value->data,
				 text_utf16_nlen(value->data, value->len / 2),
				 &run->marks);
		return EVERR_OK;
	}
	if (value->type == EVENT_TYPE_ANSI ||
	    (value->type & EVENT_TYPE_ARRAY) != 0) {
		return put_other_value(run, value);
	}
	/* No text of these has anything that must be escaped. */
	return event_value_text(run->out, EVENT_TEXT_PLAIN, value);
}

/* ---------------------------------------------------------------- names */

static void put_counted_name(struct format_run *run)
{
	FORMAT_PUT(run->out, " Data");
	format_put_number(run->out, ++run->data_count);
	FORMAT_PUT(run->out, "=\"");
}

/* The Name of a Data element, where values are in it. */
static everr_t put_computed_name(struct format_run *run,
				 const struct place *place,
				 const struct event_plan_element *element)
{
	const struct event_plan *plan = place->scope->plan;
	const struct buf *scratch = &run->format->scratch;
	struct format_path path = {};
	uint32_t i;
	everr_t err;

	for (i = 0; i < element->num_attributes; i++) {
		const struct event_plan_attribute *attribute =
			&plan->attributes[element->first_attribute + i];
		struct event_plan_text text = attribute->name;

		if (text.len == 4 &&
		    memcmp(plan->text + text.offset, "Name", 4) == 0) {
			err = format_read_parts(run, place->scope,
						attribute->first_part);
			if (err != EVERR_OK) {
				return err;
			}
			break;
		}
	}
	/* It may be long, again and again, and little comes out of it. */
	err = event_scope_charge(place->scope, scratch->len);
	if (err != EVERR_OK) {
		return err;
	}
	if (scratch->len == 0) {
		put_counted_name(run);
		return EVERR_OK;
	}
	format_path_add(&path, &run->format->crc, scratch->data, scratch->len);
	if (format_put_name(run->out, &path,
			    run->format->kind == FORWARD_RFC3164)) {
		run->marks |= FORWARD_REPLACED;
	}
	return EVERR_OK;
}

static everr_t put_name(struct format_run *run, const struct place *place,
			uint32_t index)
{
	const struct format_slot *slot = &place->program->slots[index];

	if (slot->role == FORMAT_DATA_UNNAMED) {
		put_counted_name(run);
		return EVERR_OK;
	}
	if (slot->role == FORMAT_DATA_COMPUTED) {
		return put_computed_name(run, place,
					 &place->scope->plan->elements[index]);
	}
	buf_put(run->out, place->program->text + slot->name.offset,
		slot->name.len);
	return EVERR_OK;
}

/* --------------------------------------------------------------- levels */

/* The parts of an element, or of what stands around the roots. */
static everr_t put_parts(struct format_run *run, const struct place *place,
			 uint32_t index);

static enum format_context context_in(const struct place *place, uint32_t index)
{
	/* In no element of this plan: it stands where the plan does. */
	if (index == 0) {
		return place->context;
	}
	switch ((enum format_role)place->program->slots[index].role) {
	case FORMAT_EVENT:
		return FORMAT_IN_EVENT;
	case FORMAT_USER_DATA:
		return FORMAT_IN_USER;
	default:
		return FORMAT_IN_PATH;
	}
}

/* Names in EventData, and in the element of UserData, have no path. */
static bool has_path(const struct place *place, uint32_t index)
{
	return index == 0 ? place->program->slots[0].path.len > 0
			  : place->program->slots[index].role > FORMAT_USER_TOP;
}

/* The number of the template that a BinXml value is of; 0: of none. */
static uint32_t template_no(const struct place *place,
			    const struct event_plan_part *part)
{
	const struct event_value *value = NULL;

	if (part->kind != EVENT_PLAN_PART_VALUE || !place->scope->packed) {
		return 0;
	}
	value = event_scope_value(place->scope, part->id);
	return value->len >= 8 && value->data[0] == 1
		       ? le32_get(value->data + 4)
		       : 0;
}

/* Compiled in each event, and for each item of an array: by size it counts. */
static everr_t compile(struct format_run *run, const struct event_scope *scope,
		       enum format_context context,
		       const struct format_path *prefix,
		       struct format_program **ret_program)
{
	struct format_program *program = NULL;
	everr_t err;

	err = format_program_compile(run->format, scope->plan, context, prefix,
				     &program);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_scope_charge_bytes(scope, program->size / 2);
	if (err != EVERR_OK) {
		talloc_free(program);
		return err;
	}
	*ret_program = program;
	return EVERR_OK;
}

static everr_t put_level(struct format_run *run, const struct place *outer,
			 uint32_t index, const struct event_plan_part *part,
			 struct event_scope *scope)
{
	struct place place = {.scope = scope,
			      .context = context_in(outer, index)};
	uint32_t no = has_path(outer, index) ? 0 : template_no(outer, part);
	struct format_program *own = NULL;
	everr_t err;

	if (no != 0) {
		err = format_program_get(run->format, scope->plan, no,
					 place.context, &place.program);
	} else {
		static const struct format_path no_path;

		err = compile(run, scope, place.context,
			      has_path(outer, index)
				      ? &outer->program->slots[index].path
				      : &no_path,
			      &own);
		place.program = own;
	}
	if (err == EVERR_OK) {
		run->marks |= place.program->changed ? FORWARD_REPLACED : 0;
		err = put_parts(run, &place, 0);
	}
	talloc_free(own);
	return err;
}

static everr_t put_nested(struct format_run *run, const struct place *place,
			  uint32_t index, const struct event_plan_part *part)
{
	struct event_scope scope;
	everr_t err;

	if (part->kind == EVENT_PLAN_PART_INSTANCE) {
		err = event_scope_open_instance(
			&scope, place->scope,
			&place->scope->plan->instances[part->index]);
	} else {
		err = event_scope_open_value(
			&scope, place->scope,
			event_scope_value(place->scope, part->id));
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = put_level(run, place, index, part, &scope);
	event_scope_close(&scope);
	return err;
}

static everr_t put_parts(struct format_run *run, const struct place *place,
			 uint32_t index)
{
	const struct event_plan *plan = place->scope->plan;
	everr_t err = EVERR_OK;
	uint32_t i;

	for (i = plan->elements[index].first_part;
	     i != EVENT_PLAN_NONE && err == EVERR_OK; i = plan->parts[i].next) {
		const struct event_plan_part *part = &plan->parts[i];

		if (part->kind == EVENT_PLAN_PART_ELEMENT) {
			err = put_element(run, place, part->index);
		} else if (event_scope_is_nested(place->scope, part)) {
			err = put_nested(run, place, index, part);
		}
	}
	return err;
}

/* ------------------------------------------------------------- elements */

/* As XML has it: one without text is there if a value of it is not empty. */
static bool attribute_present(const struct event_scope *scope,
			      const struct event_plan_attribute *attribute)
{
	const struct event_plan_part *parts = scope->plan->parts;
	uint32_t i;

	for (i = attribute->first_part; i != EVENT_PLAN_NONE;
	     i = parts[i].next) {
		if (parts[i].kind == EVENT_PLAN_PART_VALUE &&
		    !event_value_is_empty(
			    event_scope_value(scope, parts[i].id))) {
			return true;
		}
	}
	return attribute->has_text;
}

static bool is_name_of_data(const struct format_slot *slot,
			    const struct event_plan *plan,
			    const struct event_plan_attribute *attribute)
{
	return slot->role == FORMAT_DATA_COMPUTED && attribute->name.len == 4 &&
	       memcmp(plan->text + attribute->name.offset, "Name", 4) == 0;
}

static everr_t put_attributes(struct format_run *run, const struct place *place,
			      uint32_t index)
{
	const struct event_plan *plan = place->scope->plan;
	const struct event_plan_element *element = &plan->elements[index];
	everr_t err = EVERR_OK;
	uint32_t i;

	for (i = 0; i < element->num_attributes && err == EVERR_OK; i++) {
		uint32_t at = element->first_attribute + i;
		const struct event_plan_attribute *attribute =
			&plan->attributes[at];
		struct format_name name = place->program->attributes[at];

		if (!attribute->in_json ||
		    !attribute_present(place->scope, attribute) ||
		    is_name_of_data(&place->program->slots[index], plan,
				    attribute)) {
			continue;
		}
		buf_put(run->out, place->program->text + name.offset, name.len);
		err = format_read_parts(run, place->scope,
					attribute->first_part);
		put_scratch(run);
		buf_put_u8(run->out, '"');
	}
	return err;
}

/*
 * Has it text, or nothing else at all that would show that it is there?  An
 * EventData without anything is not worth a value.
 */
static bool shows_text(const struct event_scope *scope,
		       const struct event_plan_element *element, bool silent)
{
	const struct event_plan_part *parts = scope->plan->parts;
	bool other = silent || element->num_children > 0;
	uint32_t i;

	for (i = element->first_part; i != EVENT_PLAN_NONE; i = parts[i].next) {
		if (parts[i].kind == EVENT_PLAN_PART_TEXT &&
		    parts[i].plain.len > 0) {
			return true;
		}
		if (parts[i].kind == EVENT_PLAN_PART_VALUE &&
		    !event_value_is_empty(
			    event_scope_value(scope, parts[i].id))) {
			return true;
		}
		other |= event_scope_is_nested(scope, &parts[i]);
	}
	return !other;
}

static everr_t put_content(struct format_run *run, const struct place *place,
			   uint32_t index)
{
	const struct event_plan_element *element =
		&place->scope->plan->elements[index];
	bool silent = place->program->slots[index].role <= FORMAT_USER_TOP;
	everr_t err;

	err = put_attributes(run, place, index);
	if (err == EVERR_OK && shows_text(place->scope, element, silent)) {
		err = put_name(run, place, index);
		if (err != EVERR_OK) {
			return err;
		}
		err = format_read_parts(run, place->scope, element->first_part);
		put_scratch(run);
		buf_put_u8(run->out, '"');
	}
	return err == EVERR_OK ? put_parts(run, place, index) : err;
}

/* Each item of an array is an element; an empty array is an empty one. */
static everr_t put_loop(struct format_run *run, const struct place *place,
			uint32_t index, struct event_loop *loop)
{
	struct event_scope *scope = place->scope;
	everr_t err = EVERR_OK;

	while (err == EVERR_OK && event_loop_next(scope, loop)) {
		err = event_scope_charge(scope,
					 scope->plan->elements[index].cost);
		if (err == EVERR_OK) {
			err = put_content(run, place, index);
		}
	}
	event_loop_end(scope, loop);
	return err;
}

static everr_t put_simple(struct format_run *run, const struct place *place,
			  uint32_t index, const struct event_value *value)
{
	everr_t err;

	err = put_name(run, place, index);
	if (err != EVERR_OK) {
		return err;
	}
	err = format_put_value(run, value);
	buf_put_u8(run->out, '"');
	return err;
}

static everr_t put_element(struct format_run *run, const struct place *place,
			   uint32_t index)
{
	struct event_scope *scope = place->scope;
	const struct event_plan_element *element =
		&scope->plan->elements[index];
	const struct format_slot *slot = &place->program->slots[index];
	const struct event_value *value = NULL;
	struct event_loop loop;
	everr_t err;

	err = event_scope_charge(scope, element->cost);
	if (err != EVERR_OK || slot->role == FORMAT_SYSTEM) {
		return err;
	}
	if (element->dependency != EVENT_NO_DEPENDENCY &&
	    event_scope_value(scope, element->dependency)->type ==
		    EVENT_TYPE_NULL) {
		return EVERR_OK;
	}
	if (slot->simple) {
		value = event_scope_value(scope, slot->id);
		if ((value->type & EVENT_TYPE_ARRAY) == 0 &&
		    value->type != EVENT_TYPE_BINXML) {
			return put_simple(run, place, index, value);
		}
	}
	if (event_loop_find(scope, scope->plan->ids + element->first_id,
			    element->num_ids, &loop)) {
		return put_loop(run, place, index, &loop);
	}
	return put_content(run, place, index);
}

everr_t format_put_data(struct format_run *run)
{
	struct place place = {.scope = run->scope,
			      .program = run->program,
			      .context = FORMAT_IN_NOTHING};

	run->marks |= run->program->changed ? FORWARD_REPLACED : 0;
	return put_parts(run, &place,
			 run->program->event != EVENT_PLAN_NONE
				 ? run->program->event
				 : 0);
}
