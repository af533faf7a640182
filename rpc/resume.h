/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_RESUME_H
#define EVENLOG_RPC_RESUME_H

/*
 * Going on after a bookmark, [MS-EVEN6] 3.1.4.8 and design, "Durability" 3.
 *
 * A channel goes on with the record after the bookmarked one; a channel that
 * the bookmark does not name starts at its oldest record.  A bookmark that
 * does not lead on (its successors were trimmed, or it lies beyond the newest
 * record because it comes from another log) resumes at the oldest record that
 * is left, with a counted and reported gap, and never at "now".
 */

#include "event/bookmark.h"
#include "rpc/reader.h"

/*
 * Place a forward walk within its turn: the reader's own, or a copy.
 *
 * With strict nothing is resumed elsewhere:
 * EVERR_STALE      the bookmarked record, or one after it, was trimmed
 * EVERR_NOT_FOUND  there never was such a record, or no channel of the query
 *                  is named
 * Always: EVERR_IO, EVERR_NOMEM.
 */
everr_t rpc_resume_place(struct rpc_reader *reader, struct rpc_walk *walk,
			 const struct event_bookmark_list *bookmarks,
			 bool strict) EVERR_MUST_CHECK;

/* The same for the reader itself, with a turn of its own. */
everr_t rpc_resume_reader(struct rpc_reader *reader,
			  const struct event_bookmark_list *bookmarks,
			  bool strict) EVERR_MUST_CHECK;

#endif
