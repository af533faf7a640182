/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/scope.h"

#include "event/node.h"
#include "event/type.h"

/*
 * A step takes some 10 ns.  To read a document, the shortest even, takes 1.5
 * us; the text of a real number a third of that, and 10 us if it has hundreds
 * of digits.  Numbers from 2^64 on nobody measures: hostile events have them.
 */
#define COMPILE_STEPS 256
#define REAL_SLOWNESS 4
#define LARGE_REAL_SLOWNESS 256
#define LARGE_REAL32 0x5F800000U
#define INFINITE_REAL32 0x7F800000U
#define LARGE_REAL64_UPPER 0x43F00000U
#define INFINITE_REAL64_UPPER 0x7FF00000U

everr_t event_scope_charge(const struct event_scope *scope, size_t work)
{
	return event_scope_charge_bytes(scope, work * scope->slowness);
}

everr_t event_scope_charge_bytes(const struct event_scope *scope, size_t work)
{
	struct event_render *render = scope->render;

	if (scope->loop != NULL) {
		work *= 1 + scope->loop->depth;
	}
	if (work > EVENT_RENDER_WORK_MAX - render->work) {
		return EVERR_LIMIT;
	}
	render->work += (uint32_t)work;
	return buf_error(render->out);
}

static bool is_real(uint8_t type)
{
	type &= (uint8_t)~EVENT_TYPE_ARRAY;
	return type == EVENT_TYPE_REAL32 || type == EVENT_TYPE_REAL64;
}

/* Of a number, or of an array of them.  What is none has a short text. */
static uint32_t real_slowness(const struct event_value *value)
{
	bool is_64 = (value->type & ~EVENT_TYPE_ARRAY) == EVENT_TYPE_REAL64;
	uint32_t large = is_64 ? LARGE_REAL64_UPPER : LARGE_REAL32;
	uint32_t infinite = is_64 ? INFINITE_REAL64_UPPER : INFINITE_REAL32;
	size_t size = is_64 ? 8 : 4;
	size_t end;

	for (end = size; end <= value->len; end += size) {
		uint32_t upper = le32_get(value->data + end - 4) & INT32_MAX;

		if (upper >= large && upper < infinite) {
			return LARGE_REAL_SLOWNESS;
		}
	}
	return REAL_SLOWNESS;
}

static uint32_t find_slowness(const struct event_scope *scope)
{
	uint32_t slowest = 1;
	uint32_t i;

	for (i = 0; i < scope->num_values; i++) {
		const struct event_value *value = &scope->values[i];
		uint32_t slowness = 1;

		if (is_real(value->type)) {
			slowness = real_slowness(value);
		}
		if (slowness > slowest) {
			slowest = slowness;
		}
	}
	return slowest;
}

/* specs and values were checked against each other by who parsed them. */
static everr_t load_values(struct event_scope *scope, const uint8_t *specs,
			   const uint8_t *values, uint32_t num_values)
{
	uint8_t types = 0;
	bool any_real = false;
	uint32_t i;

	scope->values = scope->small;
	if (num_values > EVENT_SCOPE_VALUES) {
		scope->more = talloc_array(scope->render->out->mem_ctx,
					   struct event_value, num_values);
		if (scope->more == NULL) {
			return EVERR_NOMEM;
		}
		scope->values = scope->more;
	}

	for (i = 0; i < num_values; i++) {
		struct event_value *value = &scope->values[i];

		value->data = values;
		value->len = event_spec_len(specs, i);
		value->type = event_spec_type(specs, i);
		values += value->len;
		types |= value->type;
		any_real |= is_real(value->type);
	}
	scope->num_values = num_values;
	scope->any_array = (types & EVENT_TYPE_ARRAY) != 0;
	if (any_real) {
		scope->slowness = find_slowness(scope);
	}
	return EVERR_OK;
}

static void scope_init(struct event_scope *scope, struct event_render *render,
		       unsigned int depth)
{
	scope->render = render;
	scope->plan = NULL;
	scope->own_plan = NULL;
	scope->depth = depth;
	scope->top = depth == 0;
	scope->packed = false;
	scope->any_array = false;
	scope->slowness = 1;
	scope->loop = NULL;
	scope->num_values = 0;
	scope->values = NULL;
	scope->more = NULL;
}

static everr_t open_template(struct event_scope *scope,
			     const struct event_node *node)
{
	struct event_template *template = NULL;
	everr_t err;

	err = event_dict_get(scope->render->dict, node->template_no, &template);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_plan_get(template, &scope->plan);
	if (err != EVERR_OK) {
		return err;
	}
	scope->packed = true;
	return load_values(scope, node->specs, node->values, node->num_values);
}

static everr_t open_compiled(struct event_scope *scope,
			     enum event_reader_mode mode, const uint8_t *data,
			     size_t len)
{
	everr_t err;

	err = event_scope_charge(scope, COMPILE_STEPS);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_plan_compile(scope->render->out->mem_ctx, mode, data, len,
				 &scope->own_plan);
	if (err == EVERR_OK) {
		scope->plan = scope->own_plan;
	}
	return err;
}

static everr_t open_node(struct event_scope *scope, const uint8_t *data,
			 size_t len)
{
	struct event_node node;
	everr_t err;

	err = event_node_parse(data, len, &node);
	if (err != EVERR_OK) {
		return err;
	}
	if (node.kind == EVENT_NODE_TEMPLATE) {
		return open_template(scope, &node);
	}
	return open_compiled(scope, EVENT_READ_DOCUMENT, node.doc,
			     node.doc_len);
}

everr_t event_scope_open(struct event_scope *scope, struct event_render *render,
			 const uint8_t *node, size_t len)
{
	everr_t err;

	scope_init(scope, render, 0);
	err = open_node(scope, node, len);
	if (err != EVERR_OK) {
		event_scope_close(scope);
	}
	return err;
}

/*
 * The next level below outer.  Its bytes are charged before they are read,
 * and its steps before they are taken.
 */
static everr_t descend(struct event_scope *scope,
		       const struct event_scope *outer, size_t work)
{
	scope_init(scope, outer->render, outer->depth + 1);
	if (scope->depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	return event_scope_charge(scope, work);
}

static everr_t charge_steps(const struct event_scope *scope)
{
	return event_scope_charge(scope, scope->plan->num_steps);
}

everr_t event_scope_open_value(struct event_scope *scope,
			       const struct event_scope *outer,
			       const struct event_value *value)
{
	everr_t err;

	err = descend(scope, outer, value->len);
	if (err == EVERR_OK && outer->packed) {
		err = open_node(scope, value->data, value->len);
	} else if (err == EVERR_OK) {
		err = open_compiled(scope, EVENT_READ_DOCUMENT, value->data,
				    value->len);
	}
	if (err == EVERR_OK) {
		err = charge_steps(scope);
	}
	if (err != EVERR_OK) {
		event_scope_close(scope);
	}
	return err;
}

everr_t event_scope_open_instance(struct event_scope *scope,
				  const struct event_scope *outer,
				  const struct event_instance *instance)
{
	everr_t err;

	err = descend(scope, outer, instance->def_len);
	scope->top = outer->top;
	if (err == EVERR_OK) {
		err = open_compiled(scope, EVENT_READ_DEFINITION, instance->def,
				    instance->def_len);
	}
	if (err == EVERR_OK) {
		err = load_values(scope, instance->specs, instance->values,
				  instance->num_values);
	}
	if (err == EVERR_OK) {
		err = charge_steps(scope);
	}
	if (err != EVERR_OK) {
		event_scope_close(scope);
	}
	return err;
}

void event_scope_close(struct event_scope *scope)
{
	TALLOC_FREE(scope->own_plan);
	TALLOC_FREE(scope->more);
}

bool event_loop_find(const struct event_scope *scope, const uint16_t *ids,
		     size_t num_ids, struct event_loop *ret_loop)
{
	size_t i;

	for (i = 0; scope->any_array && i < num_ids; i++) {
		const struct event_value *value =
			event_scope_value(scope, ids[i]);

		if ((value->type & EVENT_TYPE_ARRAY) != 0) {
			*ret_loop = (struct event_loop){
				.id = ids[i],
				.outer = scope->loop,
				.depth = scope->loop != NULL
						 ? scope->loop->depth + 1
						 : 1,
				.array = *value,
			};
			return true;
		}
	}
	return false;
}

bool event_loop_next(struct event_scope *scope, struct event_loop *loop)
{
	struct event_value *item = &loop->item;
	size_t len = 0;
	bool first = scope->loop != loop;
	bool found;

	found = event_array_next(loop->array.type, loop->array.data,
				 loop->array.len, &loop->pos, &item->data,
				 &len);
	if (!found && !first) {
		return false;
	}
	scope->loop = loop;
	item->len = (uint16_t)len;
	item->type =
		found ? loop->array.type & ~EVENT_TYPE_ARRAY : EVENT_TYPE_NULL;
	return true;
}

void event_loop_end(struct event_scope *scope, struct event_loop *loop)
{
	scope->loop = loop->outer;
}
