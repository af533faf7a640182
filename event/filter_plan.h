/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_PLAN_H
#define EVENLOG_EVENT_FILTER_PLAN_H

/*
 * Where a filter's tests lead in one template: for each test the elements,
 * attributes and texts of the definition that pass it, below those that pass
 * the test before.  Names are compared here, once for each template; an event
 * is then a walk through what is left.
 *
 * Parts are meant as numbers of the template's rendering plan (event/plan.h),
 * which is the same whenever it is compiled; nothing here points into it.
 */

#include "base/everr.h"
#include "event/plan.h"
#include "event/system.h"
#include "event/xpath.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Not a field of struct event_header. */
#define FILTER_NO_FIELD EVENT_SYSTEM_NUM

enum filter_item_kind {
	FILTER_ELEMENT,
	FILTER_ATTRIBUTE,
	FILTER_TEXT,	/* between two elements */
	FILTER_NESTED,	/* if value id is BinXml, its elements */
	FILTER_INSTANCE /* the elements of a template instance */
};

enum filter_form {
	FILTER_FORM_VALUE,   /* value id alone */
	FILTER_FORM_LITERAL, /* a text that stands in the template */
	FILTER_FORM_MIXED    /* several parts, or elements */
};

struct filter_item {
	uint8_t kind; /* enum filter_item_kind */
	uint8_t form; /* enum filter_form, of ELEMENT and ATTRIBUTE */
	uint16_t id;
	uint32_t index;	 /* element, attribute, instance, first part */
	uint32_t test;	 /* that it passes */
	uint32_t ranges; /* ELEMENT: of its test's children, by slot */
	struct event_plan_text literal; /* a range of text */
	/* ELEMENT: when it is left out, and for which values repeated. */
	bool is_root;
	uint16_t dependency;
	uint32_t first_id; /* in ids */
	uint32_t num_ids;
};

/* Items in document order. */
struct filter_range {
	uint32_t first;
	uint32_t count;
};

/* Lists of items, by step and range (event/filter_fold.h). */
#define FILTER_KEPT_HEADS 64

/* The items of a range that a step's predicates may let pass. */
struct filter_kept {
	struct filter_kept *next; /* of the same head */
	uint32_t step;
	uint32_t range;
	uint32_t count;
	uint32_t items[];
};

struct filter_plan {
	const struct filter_item *items;
	/* The first ones are of the children of the test it was made for. */
	const struct filter_range *ranges;
	const uint16_t *ids;
	const uint8_t *text;
	struct filter_kept **kept; /* FILTER_KEPT_HEADS, or NULL: none yet */
	uint16_t exact; /* bits: fields for which the event's header answers */
	uint16_t field_ids[EVENT_SYSTEM_NUM]; /* their values */
	size_t bytes;
};

/* Does the part stand in a text, and not between two? */
bool filter_part_is_text(const struct event_plan_part *part);

/* Does the test ask for Event/System? */
bool filter_test_is_system(const struct xpath *xpath, uint32_t test);

/* The field that a test asks for, or FILTER_NO_FIELD. */
uint8_t filter_test_field(const struct xpath *xpath, uint32_t test);

/*
 * Find where the children of a test lead, if the plan's roots stand there.
 * fields are those of the definition, if the plan is that of an event's outer
 * template, else NULL.  *work grows by what was looked at, up to max_work.
 *
 * EVERR_LIMIT, EVERR_NOMEM
 */
everr_t filter_plan_build(TALLOC_CTX *mem_ctx, const struct xpath *xpath,
			  uint32_t test, const struct event_plan *plan,
			  const struct event_system_fields *fields,
			  uint32_t max_work, uint32_t *work,
			  struct filter_plan **ret_plan) EVERR_MUST_CHECK;

#endif
