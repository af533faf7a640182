/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_H
#define EVENLOG_EVENT_FILTER_H

/*
 * Compiled filters: the XPath subset of [MS-EVEN6] 2.2.15 on one event
 * (facts 7).  The text becomes a tree of tests once; what each test needs of
 * an event is found once for each template (header field, substitution,
 * literal text), and an event is then a pass over the values it names.
 */

#include "base/everr.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Paths and functions of one filter, and steps of all its paths together. */
#define EVENT_FILTER_TERMS_MAX 4096
#define EVENT_FILTER_STEPS_MAX 8192
/* Open brackets and parentheses at a time. */
#define EVENT_FILTER_NESTING_MAX 64

/*
 * Steps of work on one event: nodes looked at, conditions, and some bytes of
 * the texts compared for each; one is some 25 ns.  What a filter and an event
 * of the largest size can ask for together is far more, and whoever waits for
 * the loop would wait for it: an event that reaches this is treated as a
 * damaged one.  Twenty clauses on an event of 4096 values are a fifth of it.
 */
#define EVENT_FILTER_WORK_MAX (1U << 19)

struct event_filter;

/* Why a filter was refused. */
struct event_filter_error {
	uint32_t error;	     /* Win32, for RpcInfo: 0x3AA6..0x3AAD, 0x3AB2 */
	uint32_t offset;     /* bytes into the text */
	const char *message; /* static */
};

/* An event as a filter sees it. */
struct event_view {
	const struct event_header *header;
	struct event_dict *dict;
	const uint8_t *data; /* packed */
	size_t len;
	uint64_t now; /* FILETIME; what timediff() counts from */
	/*
	 * Work on this event so far, for filters that share one bound; NULL:
	 * each has its own.
	 */
	uint32_t *work;
};

/*
 * Compile len bytes of UTF-8, blanks around them already removed.  "", "*"
 * and "Event" match every event.  The language is that of event/xpath.h, its
 * comparisons those of event/filter_compare.h.
 *
 * EVERR_QUERY_SYNTAX   not a filter
 * EVERR_QUERY_COMPLEX  over a limit above
 * EVERR_NOMEM
 */
everr_t event_filter_compile(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			     struct event_filter **ret_filter,
			     struct event_filter_error *ret_error)
	EVERR_MUST_CHECK;

/* Whether it accepts every event, so that nobody need look at one. */
bool event_filter_matches_all(const struct event_filter *filter);

/* Paths, functions and steps in it. */
uint32_t event_filter_terms(const struct event_filter *filter);

/*
 * Does the event match?  What was found out about its template is kept in the
 * filter (bounded), hence not const: a filter is used with one dictionary, and
 * one thread.  An event whose damage is met on the way matches nothing.
 *
 * Where an event has several TimeCreated, a comparison of TimeCreated that all
 * of the filter depends on is one of the header's, as it is for whole blocks
 * (event_filter_time_range()).
 */
bool event_filter_match(struct event_filter *filter,
			const struct event_view *view);

/*
 * Bounds of TimeCreated (FILETIME, both included) outside of which no event
 * that has EVENT_HAS_TIME matches; 0 and UINT64_MAX where the filter says
 * nothing about the time.  min > max: none matches.
 */
void event_filter_time_range(const struct event_filter *filter, uint64_t now,
			     uint64_t *ret_min, uint64_t *ret_max);

#endif
