/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_PLAN_BUILD_H
#define EVENLOG_EVENT_PLAN_BUILD_H

/*
 * Inside of the plan's compiler: tokens to a tree (plan.c), the tree to XML
 * steps (plan_steps.c), and its JSON keys (plan_keys.c).
 */

#include "base/buf.h"
#include "event/plan.h"

struct event_plan_builder {
	/* Arrays of the plan's types, in growth buffers. */
	struct buf text;
	struct buf steps;
	struct buf elements;
	struct buf attributes;
	struct buf parts;
	struct buf ids;
	struct buf instances;
	/* While reading: the open elements, element 0 first; the attribute
	   being read; the target of a processing instruction. */
	uint32_t open[EVENT_DEPTH_MAX + 1];
	uint32_t depth;
	uint32_t attribute;
	struct event_token pi;
	/* While writing steps: the last one is a COPY that may grow. */
	bool may_merge;
};

#define PLAN_BUILDER_BUFS(b)                                               \
	{                                                                  \
		&(b)->text, &(b)->steps, &(b)->elements, &(b)->attributes, \
			&(b)->parts, &(b)->ids, &(b)->instances            \
	}

static inline struct event_plan_element *plan_element(
	const struct event_plan_builder *b, uint32_t i)
{
	return (struct event_plan_element *)(void *)b->elements.data + i;
}

static inline struct event_plan_attribute *plan_attribute(
	const struct event_plan_builder *b, uint32_t i)
{
	return (struct event_plan_attribute *)(void *)b->attributes.data + i;
}

static inline struct event_plan_part *plan_part(
	const struct event_plan_builder *b, uint32_t i)
{
	return (struct event_plan_part *)(void *)b->parts.data + i;
}

/* Append an item; returns its index.  The array's error tells of failure. */
uint32_t event_plan_add(struct buf *array, const void *item, size_t size);

/* The first error of any of the arrays. */
everr_t event_plan_builder_error(const struct event_plan_builder *b)
	EVERR_MUST_CHECK;

/* Write the steps of the whole tree. */
void event_plan_add_steps(struct event_plan_builder *b);

/* Give elements and attributes their keys, and children that share one their
   places beside each other.  EVERR_NOMEM. */
everr_t event_plan_add_keys(struct event_plan_builder *b) EVERR_MUST_CHECK;

#endif
