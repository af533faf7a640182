/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SEEK_H
#define EVENLOG_RPC_SEEK_H

/*
 * Seeking in a query's results, [MS-EVEN6] 3.1.4.14, facts 4.2 (op 12).
 *
 * A position is counted in matching records, in the direction of the query;
 * the record at the cursor is the one that is returned next.  Where there is
 * none, strict refuses, and else the nearest one is taken.  A cursor that has
 * passed the last record stays there, so that a client that reads and skips
 * in a loop comes to an end.
 *
 * "After the bookmark" (a positive position on a forward query) is how
 * clients resume.  There a bookmark that does not lead on is treated as
 * rpc/resume.h says, and one on the newest record leads behind it.
 */

#include "event/bookmark.h"
#include "rpc/reader.h"

enum rpc_seek_origin {
	RPC_SEEK_FIRST = 1,
	RPC_SEEK_LAST = 2,
	RPC_SEEK_CURRENT = 3,
	RPC_SEEK_BOOKMARK = 4
};

struct rpc_seek;

/*
 * bookmarks is for RPC_SEEK_BOOKMARK and outlives the seek.
 *
 * EVERR_INVALID  the position lies on the wrong side of the origin, or no
 *                bookmark
 * EVERR_NOMEM
 */
everr_t rpc_seek_create(TALLOC_CTX *mem_ctx, struct rpc_reader *reader,
			enum rpc_seek_origin origin, int64_t pos, bool strict,
			const struct event_bookmark_list *bookmarks,
			struct rpc_seek **ret_seek) EVERR_MUST_CHECK;

/*
 * One turn's work: RPC_READER_AGAIN, or RPC_READER_READY when the reader
 * stands at the new place.  It does not move before.
 *
 * EVERR_NOT_FOUND, EVERR_STALE  strict, and there is no such record
 * EVERR_IO, EVERR_NOMEM
 */
everr_t rpc_seek_turn(struct rpc_seek *seek,
		      enum rpc_progress *ret_progress) EVERR_MUST_CHECK;

#endif
