/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_H
#define EVENLOG_EVENT_FILTER_H

/*
 * Compiled filters: the XPath subset of [MS-EVEN6] 2.2.15 on one event.
 *
 * Today the language is "*", "" and "Event": every event.
 */

#include "base/everr.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct event_filter;

/* Why a filter was refused. */
struct event_filter_error {
	uint32_t error;	     /* Win32, for RpcInfo */
	uint32_t offset;     /* bytes into the text */
	const char *message; /* static */
};

/*
 * Compile len bytes of UTF-8, blanks around them already removed.
 *
 * EVERR_QUERY_SYNTAX   not a filter
 * EVERR_NOT_SUPPORTED  one that is not supported yet
 * EVERR_NOMEM
 */
everr_t event_filter_compile(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			     struct event_filter **ret_filter,
			     struct event_filter_error *ret_error)
	EVERR_MUST_CHECK;

/* Whether it accepts every event, so that nobody need look at one. */
bool event_filter_matches_all(const struct event_filter *filter);

/* Does the event (header and packed data) match? */
bool event_filter_match(const struct event_filter *filter,
			const struct event_header *header,
			struct event_dict *dict, const uint8_t *data,
			size_t len);

#endif
