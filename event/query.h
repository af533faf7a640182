/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_QUERY_H
#define EVENLOG_EVENT_QUERY_H

/*
 * Queries: an XPath filter on one channel, or a structured QueryList over any
 * number.  [MS-EVEN6] 2.2.15 (XPath subset) and 2.2.16 (structured query).
 */

#include "base/everr.h"
#include "event/event.h"
#include "event/filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Distinct channel paths of one query; MAX_RPC_QUERY_CHANNEL_SIZE. */
#define EVENT_QUERY_PATHS_MAX 512
/* Query, Select and Suppress elements of one structured query, together. */
#define EVENT_QUERY_ELEMENTS_MAX 4096
/*
 * Paths, functions and steps of all its filters: Event Viewer's twenty clauses
 * on each of 512 channels, which are compiled in some 15 ms.
 */
#define EVENT_QUERY_TERMS_MAX 32768
/* Bytes of query text; MAX_RPC_QUERY_LENGTH units. */
#define EVENT_QUERY_LENGTH_MAX (3 * 1048576)
/* Bytes of one path; MAX_RPC_CHANNEL_PATH_LENGTH units. */
#define EVENT_QUERY_PATH_LENGTH_MAX (3 * 32768)
/* A Query element without Id, [MS-EVEN6] 2.2.17. */
#define EVENT_QUERY_NO_ID 0xFFFFFFFFU

/* One Select or Suppress. */
struct event_selector {
	uint32_t path; /* index into paths */
	struct event_filter *filter;
};

/* One Query element; a plain XPath query has one, without an id. */
struct event_subquery {
	uint32_t id;	     /* or EVENT_QUERY_NO_ID */
	uint32_t first_same; /* the first subquery of this id */
	struct event_selector *selects;
	size_t num_selects;
	struct event_selector *suppresses;
	size_t num_suppresses;
	size_t num_refused; /* Selects that were tolerated without a filter */
};

struct event_query {
	bool structured;
	/* Distinct paths, case-insensitive, in order of first appearance. */
	const char **paths;
	size_t num_paths;
	/* By path: EVERR_OK, or with tolerate why a filter on it was refused:
	   nothing of this path is selected. */
	everr_t *path_errors;
	struct event_subquery *subqueries;
	size_t num_subqueries;
};

/* Where and why a query was refused; becomes RpcInfo, [MS-EVEN6] 2.2.1. */
struct event_query_error {
	uint32_t error;	    /* Win32, one of 0x3AA6..0x3AB2 or 0x3A99 */
	uint32_t sub_error; /* line, or 0xFFFFFFFF */
	uint32_t sub_param; /* column, or 0xFFFFFFFF */
	char message[160];  /* for a log or a person */
};

/*
 * Parse and compile.  path (UTF-8) is the channel of an XPath query and the
 * default of a structured one; may be NULL or "" for the latter.  A query is
 * structured when its first character but blanks and U+FEFF is '<'.  An XML
 * declaration's encoding is ignored; DTDs and entities are refused.  The
 * Select paths are kept as written; whether they exist is the caller's
 * question.  Paths of the form file://... are kept too (EVERR_NOT_SUPPORTED
 * is the caller's answer today).
 *
 * With tolerate a filter that cannot be compiled is no error of the query but
 * of its path: what its Suppress would have taken away must not be delivered
 * either.
 *
 * EVERR_QUERY_SYNTAX   malformed, or a Select without any path; *ret_error
 *                      says where
 * EVERR_QUERY_COMPLEX  over a limit above
 * EVERR_INVALID        an XPath query without path
 * EVERR_NOMEM
 */
everr_t event_query_parse(TALLOC_CTX *mem_ctx, const char *path,
			  const char *text, size_t len, bool tolerate,
			  struct event_query **ret_query,
			  struct event_query_error *ret_error) EVERR_MUST_CHECK;

/*
 * Does the event at paths[path] match, and which subqueries select it?
 * Writes the distinct ids to ids, which has room for num_subqueries, and
 * their number to *ret_num_ids (0 for a query that is not structured: its
 * result records carry no ids).
 *
 * EVENT_FILTER_WORK_MAX bounds what all its filters do together (view->work is
 * not looked at); an event that reaches it does not match, whatever was found
 * before.
 */
bool event_query_match(const struct event_query *query, uint32_t path,
		       const struct event_view *view, uint32_t *ids,
		       size_t *ret_num_ids);

/*
 * Bounds of TimeCreated outside of which no event of paths[path] is selected,
 * as event_filter_time_range() has them; so that blocks of records are
 * skipped.
 */
void event_query_time_range(const struct event_query *query, uint32_t path,
			    uint64_t now, uint64_t *ret_min, uint64_t *ret_max);

#endif
