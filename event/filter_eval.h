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

struct filter_eval {
	const struct xpath *xpath;
	const struct filter_literal *literals; /* by number */
	const uint8_t *fields; /* by test: filter_test_field() */
	uint32_t *positions;   /* by predicate: of the node it looks at */
	struct filter_reader *reader;
};

/* A damaged event, or one beyond the work bound, does not match. */
bool filter_eval_match(struct filter_eval *eval, const struct event_view *view);

#endif
