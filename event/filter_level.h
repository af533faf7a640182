/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_LEVEL_H
#define EVENLOG_EVENT_FILTER_LEVEL_H

/*
 * An event while a filter looks at it: its outer template is level 0, and a
 * BinXml value opens the next level.  A level is opened when a value of it is
 * asked for, and stays open until the event is done or another value takes
 * its place; what its template means to the filter is kept across events.
 */

#include "base/buf.h"
#include "event/binxml.h"
#include "event/filter.h"
#include "event/filter_compare.h"
#include "event/filter_plan.h"
#include "event/scope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Plans kept, and their bytes; beyond these all are forgotten before the next
 * event.  One event adds at most some hundred.
 */
#define FILTER_PLANS_MAX 1024
#define FILTER_PLANS_BYTES_MAX (4 * 1024 * 1024)

struct filter_level {
	unsigned int depth;
	bool top; /* its root element is the event's */
	/* What it was made of; NULL: nothing of this event. */
	const uint8_t *source;
	struct event_value value;	       /* a BinXml value, or */
	const struct event_instance *instance; /* this, or NULL */
	/* A template node's head; 0: a document, or an instance in one. */
	uint32_t template_no;
	uint32_t num_values;
	const uint8_t *specs;
	const uint8_t *end; /* of the node */
	bool open;
	struct event_scope scope;
	/* Where the children of a test lead. */
	struct filter_plan *plan;
	uint32_t plan_test;
	struct filter_plan *own_plan; /* of what has no template */
};

struct filter_cached {
	uint32_t template_no; /* 0: free */
	uint32_t test;
	struct filter_plan *plan;
};

/* One for each filter; zeroed but for the first three members. */
struct filter_reader {
	const struct xpath *xpath;
	struct buf text;    /* what an operand says */
	struct buf scratch; /* of comparisons */
	const struct event_view *view;
	struct event_render render;
	everr_t err; /* the first; nothing goes on */
	struct filter_level *levels[EVENT_DEPTH_MAX + 2];
	unsigned int num_levels; /* in use */
	struct filter_cached *cache;
	uint32_t cache_size; /* a power of two, or 0 */
	uint32_t num_cached;
	size_t cache_bytes;
};

/* reader is a talloc context. */
void filter_reader_init(struct filter_reader *reader,
			const struct xpath *xpath);

/* Begin with an event; NULL: err says why.  End with it, in any case. */
struct filter_level *filter_reader_begin(struct filter_reader *reader,
					 const struct event_view *view);
void filter_reader_end(struct filter_reader *reader);

/*
 * Count work; false, and an error, when it is too much.  The rendering of
 * texts counts in the same place: its bound is the filter's, which therefore
 * begins with the difference.
 */
static inline bool filter_charge(struct filter_reader *reader, uint32_t work)
{
	if (work > EVENT_RENDER_WORK_MAX - reader->render.work) {
		reader->err =
			reader->err != EVERR_OK ? reader->err : EVERR_LIMIT;
		return false;
	}
	reader->render.work += work;
	return true;
}

/* The level's plan for the children of a test; false: an error. */
bool filter_level_plan(struct filter_reader *reader, struct filter_level *level,
		       uint32_t test);

/*
 * The level of a BinXml value, or of an instance in a document, with its plan
 * for the children of test; NULL: there is nothing inside, or an error.
 */
struct filter_level *filter_level_nested(struct filter_reader *reader,
					 struct filter_level *level,
					 uint16_t id, uint32_t test);
struct filter_level *filter_level_instance(struct filter_reader *reader,
					   struct filter_level *level,
					   uint32_t index, uint32_t test);

/* Make the level's scope and rendering plan usable; false: an error. */
bool filter_level_open(struct filter_reader *reader,
		       struct filter_level *level);

/* The type of a value, without opening the level for it. */
static inline uint8_t filter_level_type(const struct filter_level *level,
					uint16_t id)
{
	if (level->open) {
		return event_scope_value(&level->scope, id)->type;
	}
	return id < level->num_values ? event_spec_type(level->specs, id)
				      : EVENT_TYPE_NULL;
}

/*
 * What an element, an attribute or a piece of text says.  False: there is no
 * such attribute or text, or an error.  A text is taken in pieces: *part goes
 * on to the next one, and is EVENT_PLAN_NONE at its end.
 */
bool filter_element_operand(struct filter_reader *reader,
			    struct filter_level *level,
			    const struct filter_item *item,
			    struct filter_operand *ret_operand);
bool filter_attribute_operand(struct filter_reader *reader,
			      struct filter_level *level,
			      const struct filter_item *item,
			      struct filter_operand *ret_operand);
bool filter_text_operand(struct filter_reader *reader,
			 struct filter_level *level, uint32_t *part,
			 struct filter_operand *ret_operand);

#endif
