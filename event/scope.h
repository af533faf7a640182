/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_SCOPE_H
#define EVENLOG_EVENT_SCOPE_H

/*
 * One level of an event while it is rendered: a plan and the values it is
 * filled with.  A BinXml value opens the next level.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values that need no memory of their own; Windows' System has 18. */
#define EVENT_SCOPE_VALUES 40

/* What all levels of one event share. */
struct event_render {
	struct buf *out;
	struct event_dict *dict;
	uint32_t work; /* so far, up to EVENT_RENDER_WORK_MAX */
};

/* A repetition: value id stands for one item of its array. */
struct event_loop {
	uint16_t id;
	struct event_value item;
	const struct event_loop *outer;
	uint32_t depth; /* of loops, from 1 */
	struct event_value array;
	size_t pos;
};

struct event_scope {
	struct event_render *render;
	const struct event_plan *plan;
	struct event_plan *own_plan; /* of a document; freed with it */
	unsigned int depth;	     /* of BinXml values */
	bool top;		     /* its root element is the event's */
	bool packed;		     /* BinXml values are nodes */
	bool any_array;
	uint32_t slowness; /* steps that one counts for, for its values */
	const struct event_loop *loop; /* innermost */
	uint32_t num_values;
	struct event_value *values; /* small, or more */
	struct event_value *more;
	struct event_value small[EVENT_SCOPE_VALUES];
};

/*
 * Count work; EVERR_LIMIT when it is too much, and the error of the buffer,
 * into which nothing goes any more.  In loops each piece counts more, since a
 * value is looked for in all that are open; and beside real numbers, whose
 * texts take long.
 */
everr_t event_scope_charge(const struct event_scope *scope,
			   size_t work) EVERR_MUST_CHECK;
/* The same of bytes, which no number beside them makes slow. */
everr_t event_scope_charge_bytes(const struct event_scope *scope,
				 size_t work) EVERR_MUST_CHECK;

/*
 * Open the level of a packed node, of a BinXml value (not empty) of outer, or
 * of an instance in outer's document.  Errors as event_packed_to_wire().
 */
everr_t event_scope_open(struct event_scope *scope, struct event_render *render,
			 const uint8_t *node, size_t len) EVERR_MUST_CHECK;
everr_t event_scope_open_value(
	struct event_scope *scope, const struct event_scope *outer,
	const struct event_value *value) EVERR_MUST_CHECK;
everr_t event_scope_open_instance(
	struct event_scope *scope, const struct event_scope *outer,
	const struct event_instance *instance) EVERR_MUST_CHECK;

void event_scope_close(struct event_scope *scope);

/* A value by its id: the item of a loop; Null where the event has none. */
static inline const struct event_value *event_scope_value(
	const struct event_scope *scope, uint16_t id)
{
	static const struct event_value null_value;
	const struct event_loop *loop = scope->loop;

	for (; loop != NULL; loop = loop->outer) {
		if (loop->id == id) {
			return &loop->item;
		}
	}
	return id < scope->num_values ? &scope->values[id] : &null_value;
}

/* Whether a part is a template instance or a BinXml value that is not empty. */
static inline bool event_scope_is_nested(const struct event_scope *scope,
					 const struct event_plan_part *part)
{
	const struct event_value *value = NULL;

	if (part->kind == EVENT_PLAN_PART_INSTANCE) {
		return true;
	}
	if (part->kind != EVENT_PLAN_PART_VALUE) {
		return false;
	}
	value = event_scope_value(scope, part->id);
	return value->type == EVENT_TYPE_BINXML && value->len > 0;
}

/*
 * Is one of the values whose ids these are an array?  The first one becomes
 * the loop.  Then each event_loop_next() hands over an item, with the loop
 * entered in the scope; an array without items is one empty item.
 */
bool event_loop_find(const struct event_scope *scope, const uint16_t *ids,
		     size_t num_ids, struct event_loop *ret_loop);
bool event_loop_next(struct event_scope *scope, struct event_loop *loop);
void event_loop_end(struct event_scope *scope, struct event_loop *loop);

/*
 * What event_render_json() writes, of an event that is open, in the steps that
 * are left.  Behind an error there is a piece of it.
 */
everr_t event_render_json_open(struct event_scope *scope) EVERR_MUST_CHECK;

#endif
