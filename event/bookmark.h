/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_BOOKMARK_H
#define EVENLOG_EVENT_BOOKMARK_H

/*
 * Bookmark lists: the XML a client sends to resume a subscription or to seek.
 * [MS-EVEN6] 2.2.14; what clients really send: facts 6.
 */

#include "base/buf.h"
#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* At most this many channels in one list; the protocol's own limit. */
#define EVENT_BOOKMARK_MAX 512
/* [MS-EVEN6] 2.2.1 MAX_RPC_BOOKMARK_LENGTH, in UTF-16 units; bytes here. */
#define EVENT_BOOKMARK_LENGTH_MAX (3 * 1048576)

struct event_bookmark {
	const char *channel; /* UTF-8, blanks around it removed */
	uint64_t record_id;  /* last record the client has seen */
	bool is_current;
};

struct event_bookmark_list {
	struct event_bookmark *bookmarks;
	size_t num_bookmarks;
	bool backward; /* Direction='backward' */
};

/*
 * Parse a bookmark list; xml is UTF-8 and any encoding label in it is
 * ignored.  Empty or blank text is an empty list: clients send it for "none".
 * If several entries claim to be current, or none does, the first one counts.
 *
 * EVERR_BOOKMARK_SYNTAX  not well-formed, another root, a required attribute
 *                        missing or not a number, no Bookmark at all, a DTD
 * EVERR_LIMIT            more than EVENT_BOOKMARK_MAX entries, or too long
 * EVERR_NOMEM
 */
everr_t event_bookmark_parse(TALLOC_CTX *mem_ctx, const char *xml, size_t len,
			     struct event_bookmark_list **ret_list)
	EVERR_MUST_CHECK;

/* The entry of a channel, compared without case, or NULL. */
const struct event_bookmark *event_bookmark_find(
	const struct event_bookmark_list *list, const char *channel);

/* The current entry, or NULL when the list is empty. */
const struct event_bookmark *event_bookmark_current(
	const struct event_bookmark_list *list);

/*
 * Write a list as Windows writes it: CRLF, single quotes, two blanks.
 * Channel names are escaped.
 */
void event_bookmark_write(struct buf *out,
			  const struct event_bookmark_list *list);

#endif
