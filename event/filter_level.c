/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_level.h"

#include "event/node.h"

#include <string.h>

/* The text of an element with all that is in it. */
#define TEXT_BYTES_MAX (16 * 1024 * 1024)
/* What a filter keeps of it for the next event. */
#define TEXT_BYTES_KEPT (16 * 1024)

/* A level with more values is opened rather than counted through. */
#define UNOPENED_VALUES_MAX 64

#define CACHE_FIRST_SIZE 16

/* The work that an event begins with; filter_charge(). */
#define WORK_START (EVENT_RENDER_WORK_MAX - EVENT_FILTER_WORK_MAX)

/* What is compiled of a document, or loaded of values, for a step of work. */
#define DOCUMENT_BYTES_PER_STEP 4
#define VALUES_PER_STEP 8

static bool fail(struct filter_reader *reader, everr_t err)
{
	if (reader->err == EVERR_OK) {
		reader->err = err;
	}
	return false;
}

/* -------------------------------------------------------------- cache */

static uint32_t cache_slot(const struct filter_reader *reader,
			   uint32_t template_no, uint32_t test)
{
	uint32_t mask = reader->cache_size - 1;
	uint32_t i = (template_no * 2654435761U + test * 40503U) >> 7 & mask;

	while (reader->cache[i].template_no != 0 &&
	       (reader->cache[i].template_no != template_no ||
		reader->cache[i].test != test)) {
		i = (i + 1) & mask;
	}
	return i;
}

static struct filter_plan *cache_find(const struct filter_reader *reader,
				      uint32_t template_no, uint32_t test)
{
	if (reader->cache_size == 0) {
		return NULL;
	}
	return reader->cache[cache_slot(reader, template_no, test)].plan;
}

/* At most half of the table is in use. */
static everr_t cache_grow(struct filter_reader *reader)
{
	struct filter_cached *old = reader->cache;
	uint32_t old_size = reader->cache_size;
	uint32_t size = old_size > 0 ? 2 * old_size : CACHE_FIRST_SIZE;
	struct filter_cached *grown = NULL;
	uint32_t i;

	grown = talloc_zero_array(reader, struct filter_cached, size);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	reader->cache = grown;
	reader->cache_size = size;
	for (i = 0; i < old_size; i++) {
		if (old[i].template_no != 0) {
			reader->cache[cache_slot(reader, old[i].template_no,
						 old[i].test)] = old[i];
		}
	}
	TALLOC_FREE(old);
	return EVERR_OK;
}

static everr_t cache_add(struct filter_reader *reader, uint32_t template_no,
			 uint32_t test, struct filter_plan *plan)
{
	everr_t err;

	if (2 * reader->num_cached >= reader->cache_size) {
		err = cache_grow(reader);
		if (err != EVERR_OK) {
			return err;
		}
	}
	reader->cache[cache_slot(reader, template_no, test)] =
		(struct filter_cached){template_no, test, plan};
	reader->num_cached++;
	reader->cache_bytes += plan->bytes;
	return EVERR_OK;
}

/* Between events only: levels point to plans. */
static void cache_trim(struct filter_reader *reader)
{
	uint32_t i;

	if (reader->num_cached <= FILTER_PLANS_MAX &&
	    reader->cache_bytes <= FILTER_PLANS_BYTES_MAX) {
		return;
	}
	for (i = 0; i < reader->cache_size; i++) {
		TALLOC_FREE(reader->cache[i].plan);
	}
	TALLOC_FREE(reader->cache);
	reader->cache_size = 0;
	reader->num_cached = 0;
	reader->cache_bytes = 0;
}

/* ------------------------------------------------------------- levels */

void filter_reader_init(struct filter_reader *reader, const struct xpath *xpath)
{
	*reader = (struct filter_reader){.xpath = xpath};
	buf_init(&reader->text, reader, TEXT_BYTES_MAX);
	buf_init(&reader->scratch, reader, TEXT_BYTES_MAX);
}

static void level_close(struct filter_level *level)
{
	if (level->open) {
		event_scope_close(&level->scope);
	}
	TALLOC_FREE(level->own_plan);
	level->open = false;
	level->plan = NULL;
	level->source = NULL;
}

/* The head of a packed node, if it is that of a template. */
static void level_read_head(struct filter_level *level, const uint8_t *node,
			    size_t len)
{
	uint32_t num_values;

	level->template_no = 0;
	if (len < EVENT_NODE_TEMPLATE_HEAD || node[0] != EVENT_NODE_TEMPLATE ||
	    node[1] != 0) {
		return;
	}
	num_values = le16_get(node + 2);
	if (num_values > EVENT_VALUES_MAX ||
	    num_values * EVENT_SPEC_SIZE > len - EVENT_NODE_TEMPLATE_HEAD) {
		return;
	}
	level->template_no = le32_get(node + 4);
	level->num_values = num_values;
	level->specs = node + EVENT_NODE_TEMPLATE_HEAD;
	level->end = node + len;
}

/* The level at that depth, made anew for the source; NULL: an error. */
static struct filter_level *level_take(struct filter_reader *reader,
				       unsigned int depth,
				       const uint8_t *source)
{
	struct filter_level *level = NULL;
	unsigned int i;

	if (depth > EVENT_DEPTH_MAX) {
		fail(reader, EVERR_BINXML_DEPTH);
		return NULL;
	}
	/* What was inside of what was here before goes with it. */
	for (i = depth + 1; i < reader->num_levels; i++) {
		level_close(reader->levels[i]);
	}
	level = reader->levels[depth];
	if (level == NULL) {
		level = talloc_zero(reader, struct filter_level);
		if (level == NULL) {
			fail(reader, EVERR_NOMEM);
			return NULL;
		}
		level->depth = depth;
		reader->levels[depth] = level;
	}
	level_close(level);
	level->source = source;
	level->top = depth == 0;
	level->instance = NULL;
	level->template_no = 0;
	level->num_values = 0;
	if (reader->num_levels <= depth) {
		reader->num_levels = depth + 1;
	}
	return level;
}

struct filter_level *filter_reader_begin(struct filter_reader *reader,
					 const struct event_view *view)
{
	struct filter_level *level = NULL;

	cache_trim(reader);
	reader->view = view;
	reader->err = EVERR_OK;
	buf_reset(&reader->text);
	reader->render = (struct event_render){
		.out = &reader->text,
		.dict = view->dict,
		.work = WORK_START + (view->work != NULL ? *view->work : 0),
	};
	if (reader->render.work > EVENT_RENDER_WORK_MAX) {
		fail(reader, EVERR_LIMIT);
		return NULL;
	}
	level = level_take(reader, 0, view->data);
	if (level != NULL) {
		level_read_head(level, view->data, view->len);
		if (!filter_level_plan(reader, level, 0)) {
			level = NULL;
		}
	}
	return level;
}

void filter_reader_end(struct filter_reader *reader)
{
	unsigned int i;

	for (i = reader->num_levels; i > 0; i--) {
		level_close(reader->levels[i - 1]);
	}
	reader->num_levels = 0;
	if (reader->text.size > TEXT_BYTES_KEPT) {
		buf_free(&reader->text);
	}
	if (reader->scratch.size > TEXT_BYTES_KEPT) {
		buf_free(&reader->scratch);
	}
	if (reader->view->work != NULL) {
		*reader->view->work = reader->err != EVERR_LIMIT
					      ? reader->render.work - WORK_START
					      : EVENT_FILTER_WORK_MAX;
	}
}

/* The levels inside are charged for by who opens them. */
static bool charge_outermost(struct filter_reader *reader,
			     const struct filter_level *level)
{
	size_t work = level->num_values / VALUES_PER_STEP;

	if (level->template_no == 0) {
		work = reader->view->len / DOCUMENT_BYTES_PER_STEP;
	}
	return filter_charge(reader, (uint32_t)work);
}

/* Recursion is as deep as the levels: EVENT_DEPTH_MAX. */
bool filter_level_open(struct filter_reader *reader, struct filter_level *level)
{
	const struct event_view *view = reader->view;
	struct filter_level *outer = NULL;
	everr_t err;

	if (level->open) {
		return true;
	}
	if (level->depth == 0) {
		if (!charge_outermost(reader, level)) {
			return false;
		}
		err = event_scope_open(&level->scope, &reader->render,
				       view->data, view->len);
	} else {
		outer = reader->levels[level->depth - 1];
		if (!filter_level_open(reader, outer)) {
			return false;
		}
		if (level->instance != NULL) {
			err = event_scope_open_instance(
				&level->scope, &outer->scope, level->instance);
		} else {
			err = event_scope_open_value(
				&level->scope, &outer->scope, &level->value);
		}
	}
	if (err != EVERR_OK) {
		return fail(reader, err);
	}
	level->open = true;
	return true;
}

/* System's fields, if an event's header speaks of this level. */
static everr_t level_fields(const struct filter_reader *reader,
			    const struct filter_level *level,
			    struct event_system_fields *ret_fields)
{
	struct event_template *template = NULL;
	everr_t err;

	if (level->depth > 0 || level->template_no == 0) {
		return EVERR_END;
	}
	err = event_dict_get(reader->view->dict, level->template_no, &template);
	if (err == EVERR_OK) {
		event_system_locate(EVENT_READ_DEFINITION, template->def,
				    template->def_len, ret_fields);
	}
	return err;
}

static everr_t level_build(struct filter_reader *reader,
			   struct filter_level *level, uint32_t test)
{
	struct event_system_fields fields;
	struct filter_plan *plan = NULL;
	bool has_fields = level_fields(reader, level, &fields) == EVERR_OK;
	everr_t err;

	err = filter_plan_build(reader, reader->xpath, test, level->scope.plan,
				has_fields ? &fields : NULL,
				EVENT_RENDER_WORK_MAX, &reader->render.work,
				&plan);
	if (err != EVERR_OK) {
		return err;
	}
	if (level->template_no == 0) {
		level->own_plan = plan;
	} else {
		err = cache_add(reader, level->template_no, test, plan);
		if (err != EVERR_OK) {
			TALLOC_FREE(plan);
			return err;
		}
	}
	level->plan = plan;
	return EVERR_OK;
}

bool filter_level_plan(struct filter_reader *reader, struct filter_level *level,
		       uint32_t test)
{
	everr_t err;

	if (level->plan != NULL && level->plan_test == test) {
		return true;
	}
	level->plan = NULL;
	level->plan_test = test;
	TALLOC_FREE(level->own_plan);
	if (level->template_no != 0) {
		level->plan = cache_find(reader, level->template_no, test);
	}
	if (level->plan != NULL) {
		return true;
	}
	if (!filter_level_open(reader, level)) {
		return false;
	}
	err = level_build(reader, level, test);
	return err == EVERR_OK || fail(reader, err);
}

/* ------------------------------------------------------------- values */

/* A value of a level that is not open, and need not be for one value. */
static bool unopened_value(struct filter_reader *reader,
			   const struct filter_level *level, uint16_t id,
			   struct event_value *ret_value)
{
	const uint8_t *p = level->specs + level->num_values * EVENT_SPEC_SIZE;
	uint32_t i;

	if (id >= level->num_values) {
		*ret_value = (struct event_value){.type = EVENT_TYPE_NULL};
		return true;
	}
	for (i = 0; i < id; i++) {
		p += event_spec_len(level->specs, i);
	}
	if (p > level->end ||
	    event_spec_len(level->specs, id) > (size_t)(level->end - p)) {
		return fail(reader, EVERR_BINXML_LENGTH);
	}
	*ret_value = (struct event_value){
		.data = p,
		.len = event_spec_len(level->specs, id),
		.type = event_spec_type(level->specs, id),
	};
	return true;
}

static bool level_value(struct filter_reader *reader,
			struct filter_level *level, uint16_t id,
			struct event_value *ret_value)
{
	if (!level->open && level->template_no != 0 &&
	    level->num_values <= UNOPENED_VALUES_MAX) {
		return unopened_value(reader, level, id, ret_value);
	}
	if (!filter_level_open(reader, level)) {
		return false;
	}
	*ret_value = *event_scope_value(&level->scope, id);
	return true;
}

struct filter_level *filter_level_nested(struct filter_reader *reader,
					 struct filter_level *level,
					 uint16_t id, uint32_t test)
{
	struct filter_level *inner = NULL;
	struct event_value value;

	if (filter_level_type(level, id) != EVENT_TYPE_BINXML ||
	    !level_value(reader, level, id, &value) || value.len == 0) {
		return NULL;
	}
	inner = reader->levels[level->depth + 1];
	if (inner == NULL || inner->source != value.data) {
		inner = level_take(reader, level->depth + 1, value.data);
		if (inner == NULL) {
			return NULL;
		}
		inner->value = value;
		/* Inside a document, values are documents. */
		if (level->template_no != 0) {
			level_read_head(inner, value.data, value.len);
		}
	}
	return filter_level_plan(reader, inner, test) ? inner : NULL;
}

struct filter_level *filter_level_instance(struct filter_reader *reader,
					   struct filter_level *level,
					   uint32_t index, uint32_t test)
{
	const struct event_instance *instance = NULL;
	struct filter_level *inner = NULL;

	if (!filter_level_open(reader, level)) {
		return NULL;
	}
	instance = &level->scope.plan->instances[index];
	inner = reader->levels[level->depth + 1];
	if (inner == NULL || inner->source != instance->def) {
		inner = level_take(reader, level->depth + 1, instance->def);
		if (inner == NULL) {
			return NULL;
		}
		inner->instance = instance;
		inner->top = level->top;
	}
	return filter_level_plan(reader, inner, test) ? inner : NULL;
}

/* --------------------------------------------------------------- text */

static everr_t append_content(struct event_scope *scope, uint32_t element);

static everr_t append_root(struct event_scope *inner, everr_t open_err)
{
	everr_t err = open_err;

	if (err == EVERR_OK) {
		err = append_content(inner, 0);
		event_scope_close(inner);
	}
	return err;
}

static everr_t append_value(struct event_scope *scope, uint16_t id)
{
	const struct event_value *value = event_scope_value(scope, id);
	struct event_scope inner;

	if (value->type == EVENT_TYPE_BINXML) {
		if (value->len == 0) {
			return EVERR_OK;
		}
		return append_root(
			&inner, event_scope_open_value(&inner, scope, value));
	}
	return event_value_text(scope->render->out, EVENT_TEXT_PLAIN, value);
}

static everr_t append_repeated(struct event_scope *scope, uint32_t element)
{
	const struct event_plan_element *e = &scope->plan->elements[element];
	struct event_loop loop;
	everr_t err = EVERR_OK;

	if (e->dependency != EVENT_NO_DEPENDENCY &&
	    event_scope_value(scope, e->dependency)->type == EVENT_TYPE_NULL) {
		return EVERR_OK;
	}
	if (!event_loop_find(scope, scope->plan->ids + e->first_id, e->num_ids,
			     &loop)) {
		return append_content(scope, element);
	}
	while (err == EVERR_OK && event_loop_next(scope, &loop)) {
		err = append_content(scope, element);
	}
	event_loop_end(scope, &loop);
	return err;
}

static everr_t append_part(struct event_scope *scope,
			   const struct event_plan_part *part)
{
	const struct event_plan *plan = scope->plan;
	struct event_scope inner;

	switch ((enum event_plan_part_kind)part->kind) {
	case EVENT_PLAN_PART_TEXT:
		buf_put(scope->render->out, plan->text + part->plain.offset,
			part->plain.len);
		return EVERR_OK;
	case EVENT_PLAN_PART_VALUE:
		return append_value(scope, part->id);
	case EVENT_PLAN_PART_INSTANCE:
		return append_root(
			&inner,
			event_scope_open_instance(
				&inner, scope, &plan->instances[part->index]));
	case EVENT_PLAN_PART_ELEMENT:
		return append_repeated(scope, part->index);
	}
	return EVERR_OK;
}

/* XPath 1.0 5.2: an element says what all text inside it says together. */
static everr_t append_content(struct event_scope *scope, uint32_t element)
{
	uint32_t i = scope->plan->elements[element].first_part;
	everr_t err;

	for (; i != EVENT_PLAN_NONE; i = scope->plan->parts[i].next) {
		err = event_scope_charge(scope, 1);
		if (err == EVERR_OK) {
			err = append_part(scope, &scope->plan->parts[i]);
		}
		if (err != EVERR_OK) {
			return err;
		}
	}
	return buf_error(scope->render->out);
}

/* ----------------------------------------------------------- operands */

static void utf8_operand(const uint8_t *data, size_t len,
			 struct filter_operand *ret_operand)
{
	*ret_operand = (struct filter_operand){
		.class = FILTER_UTF8, .data = data, .len = len};
}

/* What has been appended to reader->text. */
static bool text_operand(struct filter_reader *reader, everr_t err,
			 struct filter_operand *ret_operand)
{
	if (err == EVERR_OK) {
		err = buf_error(&reader->text);
	}
	if (err != EVERR_OK) {
		return fail(reader, err);
	}
	utf8_operand(reader->text.data != NULL ? reader->text.data
					       : (const uint8_t *)"",
		     reader->text.len, ret_operand);
	return filter_charge(reader, (uint32_t)(reader->text.len / 16));
}

static bool value_operand(struct filter_reader *reader,
			  const struct event_value *value,
			  struct filter_operand *ret_operand)
{
	everr_t err;

	/* Its items, where it does not stand for several elements. */
	if ((value->type & EVENT_TYPE_ARRAY) != 0) {
		buf_reset(&reader->text);
		err = event_value_text(&reader->text, EVENT_TEXT_PLAIN, value);
		return text_operand(reader, err, ret_operand);
	}
	err = filter_operand_init(value, &reader->text, ret_operand);
	return err == EVERR_OK || fail(reader, err);
}

static bool literal_operand(const struct filter_level *level,
			    const struct filter_item *item,
			    struct filter_operand *ret_operand)
{
	utf8_operand(level->plan->text + item->literal.offset,
		     item->literal.len, ret_operand);
	return true;
}

bool filter_element_operand(struct filter_reader *reader,
			    struct filter_level *level,
			    const struct filter_item *item,
			    struct filter_operand *ret_operand)
{
	struct event_value value = {};
	everr_t err;

	if (item->form == FILTER_FORM_LITERAL) {
		return literal_operand(level, item, ret_operand);
	}
	if (item->form == FILTER_FORM_VALUE) {
		if (!level_value(reader, level, item->id, &value)) {
			return false;
		}
		if (value.type != EVENT_TYPE_BINXML) {
			return value_operand(reader, &value, ret_operand);
		}
	}
	if (!filter_level_open(reader, level)) {
		return false;
	}
	buf_reset(&reader->text);
	err = append_content(&level->scope, item->index);
	return text_operand(reader, err, ret_operand);
}

/*
 * All parts of it; elements cannot stand in attributes.  Without text of its
 * own it is left out when its values are empty.
 */
static everr_t append_attribute(const struct event_scope *scope,
				uint32_t attribute, bool *ret_present)
{
	const struct event_plan *plan = scope->plan;
	uint32_t i = plan->attributes[attribute].first_part;
	bool present = plan->attributes[attribute].has_text;
	everr_t err = EVERR_OK;

	for (; err == EVERR_OK && i != EVENT_PLAN_NONE;
	     i = plan->parts[i].next) {
		const struct event_plan_part *part = &plan->parts[i];
		const struct event_value *value = NULL;

		if (part->kind == EVENT_PLAN_PART_TEXT) {
			buf_put(scope->render->out,
				plan->text + part->plain.offset,
				part->plain.len);
		} else {
			value = event_scope_value(scope, part->id);
			present |= !event_value_is_empty(value);
			err = event_value_text(scope->render->out,
					       EVENT_TEXT_PLAIN, value);
		}
	}
	*ret_present = present;
	return err;
}

bool filter_attribute_operand(struct filter_reader *reader,
			      struct filter_level *level,
			      const struct filter_item *item,
			      struct filter_operand *ret_operand)
{
	struct event_value value = {};
	bool present = false;
	everr_t err;

	if (item->form == FILTER_FORM_LITERAL) {
		return literal_operand(level, item, ret_operand);
	}
	if (item->form == FILTER_FORM_VALUE) {
		return level_value(reader, level, item->id, &value) &&
		       !event_value_is_empty(&value) &&
		       value_operand(reader, &value, ret_operand);
	}
	if (!filter_level_open(reader, level)) {
		return false;
	}
	buf_reset(&reader->text);
	err = append_attribute(&level->scope, item->index, &present);
	return text_operand(reader, err, ret_operand) && present;
}

/* Elements of a BinXml value divide the text that it stands in. */
static bool divides(const struct event_scope *scope,
		    const struct event_plan_part *part)
{
	return part->kind == EVENT_PLAN_PART_VALUE &&
	       event_scope_value(scope, part->id)->type == EVENT_TYPE_BINXML &&
	       event_scope_value(scope, part->id)->len > 0;
}

/* The parts of one text, and its only one if that is a value. */
static everr_t append_text(struct event_scope *scope, uint32_t *part,
			   const struct event_value **ret_only)
{
	const struct event_plan *plan = scope->plan;
	uint32_t num_parts = 0;
	everr_t err = EVERR_OK;
	uint32_t i = *part;

	*ret_only = NULL;
	for (; err == EVERR_OK && i != EVENT_PLAN_NONE &&
	       filter_part_is_text(&plan->parts[i]) &&
	       !divides(scope, &plan->parts[i]);
	     i = plan->parts[i].next) {
		const struct event_plan_part *p = &plan->parts[i];

		err = append_part(scope, p);
		if (p->kind == EVENT_PLAN_PART_VALUE) {
			*ret_only = event_scope_value(scope, p->id);
			num_parts++;
		} else if (p->plain.len > 0) {
			num_parts++;
		}
	}
	if (num_parts != 1) {
		*ret_only = NULL;
	}
	*part = i;
	return err;
}

bool filter_text_operand(struct filter_reader *reader,
			 struct filter_level *level, uint32_t *part,
			 struct filter_operand *ret_operand)
{
	const struct event_plan_part *parts = NULL;
	const struct event_value *only = NULL;
	everr_t err;

	if (!filter_level_open(reader, level)) {
		return false;
	}
	parts = level->scope.plan->parts;
	buf_reset(&reader->text);
	err = append_text(&level->scope, part, &only);
	/* Behind what divides it the text may go on. */
	if (*part != EVENT_PLAN_NONE && divides(&level->scope, &parts[*part])) {
		*part = parts[*part].next;
	}
	if (*part != EVENT_PLAN_NONE && !filter_part_is_text(&parts[*part])) {
		*part = EVENT_PLAN_NONE;
	}
	if (!text_operand(reader, err, ret_operand) || ret_operand->len == 0) {
		return false;
	}
	return only == NULL || value_operand(reader, only, ret_operand);
}
