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

/* Comparisons, functions and bare paths of one filter. */
#define EVENT_FILTER_TERMS_MAX 4096
/* Open brackets and parentheses at a time. */
#define EVENT_FILTER_NESTING_MAX 64

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
};

/*
 * Compile len bytes of UTF-8, blanks around them already removed.  "", "*"
 * and "Event" match every event.
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

/*
 * Does the event match?  What was found out about its template is kept in the
 * filter (bounded), hence not const.  A damaged event matches nothing.
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
