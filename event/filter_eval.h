/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_EVAL_H
#define EVENLOG_EVENT_FILTER_EVAL_H

/*
 * A filter's tree on one event: a walk along its paths, forward only.  Every
 * step goes one element down, so that a step meets a node once at most: the
 * work is at most the filter's terms times the event's nodes, and ends at
 * EVENT_FILTER_WORK_MAX.
 */

#include "event/filter.h"
#include "event/filter_compare.h"
#include "event/filter_level.h"
#include "event/xpath.h"

#include <stdbool.h>
#include <stdint.h>

/* A comparison of a field of the event's header with an integer. */
struct filter_term {
	uint8_t field; /* or FILTER_NO_FIELD: something else */
	uint8_t op;    /* enum xpath_op */
	uint64_t number;
};

struct filter_eval {
	const struct xpath *xpath;
	const struct filter_literal *literals; /* by number */
	const uint8_t *fields;		 /* by test: filter_test_field() */
	uint16_t asked_fields;		 /* bits: those among fields */
	const struct filter_term *terms; /* by expression */
	const bool *folds;		 /* by step: filter_fold_is_useful() */
	uint32_t *positions; /* by predicate: of the node it looks at */
	struct filter_reader *reader;
	/* Of this event: for which fields its header answers, and what. */
	uint16_t ready; /* bits */
	uint64_t numbers[EVENT_SYSTEM_NUM];
};

struct filter_term filter_find_term(const struct xpath *xpath,
				    const struct filter_literal *literals,
				    const uint8_t *fields,
				    const struct xpath_expr *expr);

/* A damaged event, or one beyond the work bound, does not match. */
bool filter_eval_match(struct filter_eval *eval, const struct event_view *view);

#endif
