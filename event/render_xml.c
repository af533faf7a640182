/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/event.h"
#include "event/scope.h"
#include "event/xml_indent.h"

static everr_t run_scope(struct event_scope *scope);

static everr_t run_steps(struct event_scope *scope, uint32_t from, uint32_t to);

/* Elements cannot stand in attributes; there a BinXml value is nothing. */
static everr_t put_value(struct event_scope *scope, uint16_t id)
{
	const struct event_value *value = event_scope_value(scope, id);
	struct event_scope inner;
	everr_t err;

	if (value->type != EVENT_TYPE_BINXML) {
		return event_value_text(scope->render->out, EVENT_TEXT_XML,
					value);
	}
	if (value->len == 0) {
		return EVERR_OK;
	}
	err = event_scope_open_value(&inner, scope, value);
	if (err != EVERR_OK) {
		return err;
	}
	err = run_scope(&inner);
	event_scope_close(&inner);
	return err;
}

static everr_t put_instance(struct event_scope *scope, uint32_t index)
{
	struct event_scope inner;
	everr_t err;

	err = event_scope_open_instance(&inner, scope,
					&scope->plan->instances[index]);
	if (err != EVERR_OK) {
		return err;
	}
	err = run_scope(&inner);
	event_scope_close(&inner);
	return err;
}

/* The values are those of the steps behind the COPY that follows. */
static bool all_empty(const struct event_scope *scope,
		      const struct event_plan_step *skip)
{
	uint16_t i;

	for (i = 0; i < skip->count; i++) {
		const struct event_value *value =
			event_scope_value(scope, skip[2 + i].id);

		if (!event_value_is_empty(value)) {
			return false;
		}
	}
	return true;
}

/* The element once for each item; from is the step behind the REPEAT. */
static everr_t run_loop(struct event_scope *scope, struct event_loop *loop,
			uint32_t from, uint32_t to)
{
	everr_t err = EVERR_OK;

	while (err == EVERR_OK && event_loop_next(scope, loop)) {
		err = event_scope_charge(scope, to - from);
		if (err == EVERR_OK) {
			err = run_steps(scope, from, to);
		}
	}
	event_loop_end(scope, loop);
	return err;
}

/* Recursion is as deep as elements that are repeated in each other. */
static everr_t run_steps(struct event_scope *scope, uint32_t from, uint32_t to)
{
	const struct event_plan *plan = scope->plan;
	struct buf *out = scope->render->out;
	struct event_loop loop;
	uint32_t i = from;
	everr_t err = EVERR_OK;

	/* What is full takes no more, however long it would go on. */
	while (i < to && err == EVERR_OK && out->err == EVERR_OK) {
		const struct event_plan_step *step = &plan->steps[i++];

		switch ((enum event_plan_op)step->op) {
		case EVENT_PLAN_COPY:
			buf_put(out, plan->text + step->text.offset,
				step->text.len);
			break;
		case EVENT_PLAN_VALUE:
			err = put_value(scope, step->id);
			break;
		case EVENT_PLAN_ATTRIBUTE_VALUE:
			err = event_value_text(
				out, EVENT_TEXT_XML_ATTRIBUTE,
				event_scope_value(scope, step->id));
			break;
		case EVENT_PLAN_SKIP_NULL:
			if (event_scope_value(scope, step->id)->type ==
			    EVENT_TYPE_NULL) {
				i = step->target;
			}
			break;
		case EVENT_PLAN_SKIP_EMPTY:
			if (all_empty(scope, step)) {
				i = step->target;
			}
			break;
		case EVENT_PLAN_REPEAT:
			if (event_loop_find(scope, plan->ids + step->first,
					    step->count, &loop)) {
				err = run_loop(scope, &loop, i, step->target);
				i = step->target;
			}
			break;
		case EVENT_PLAN_INSTANCE:
			err = put_instance(scope, step->first);
			break;
		}
	}
	return err != EVERR_OK ? err : buf_error(out);
}

/*
 * A document has one root: that of the event is neither left out, if its body
 * is Null, nor repeated.
 */
static uint32_t first_step(const struct event_scope *scope)
{
	const struct event_plan *plan = scope->plan;
	uint32_t i = 0;

	while (scope->top && i < plan->num_steps &&
	       (plan->steps[i].op == EVENT_PLAN_SKIP_NULL ||
		plan->steps[i].op == EVENT_PLAN_REPEAT) &&
	       plan->steps[i].target == plan->num_steps) {
		i++;
	}
	return i;
}

static everr_t run_scope(struct event_scope *scope)
{
	return run_steps(scope, first_step(scope), scope->plan->num_steps);
}

static everr_t render(struct buf *out, struct event_dict *dict,
		      const uint8_t *data, size_t len)
{
	struct event_render shared = {.out = out, .dict = dict};
	struct event_scope scope;
	everr_t err;

	err = event_scope_open(&scope, &shared, data, len);
	if (err != EVERR_OK) {
		return err;
	}
	err = run_scope(&scope);
	event_scope_close(&scope);
	return err;
}

static everr_t render_indented(struct buf *out, struct event_dict *dict,
			       const uint8_t *data, size_t len)
{
	struct buf line;
	everr_t err;

	buf_init(&line, out->mem_ctx, out->max);
	err = render(&line, dict, data, len);
	if (err == EVERR_OK) {
		event_xml_indent(out, (const char *)line.data, line.len);
		err = buf_error(out);
	}
	buf_free(&line);
	return err;
}

everr_t event_render_xml(struct buf *out, struct event_dict *dict,
			 const uint8_t *data, size_t len,
			 const struct event_render_options *options)
{
	size_t old_len = out->len;
	everr_t err;

	if (options != NULL && options->indent) {
		err = render_indented(out, dict, data, len);
	} else {
		err = render(out, dict, data, len);
	}
	if (err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return err;
}
