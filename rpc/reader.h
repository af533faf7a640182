/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_READER_H
#define EVENLOG_RPC_READER_H

/*
 * A reader: what subscriptions and queries are inside.  It stands at a place
 * in the channels of its query and hands out batches of result records.
 *
 * No record is passed over silently: what a reader does not deliver because
 * it was trimmed, skipped or damaged is counted in rpc_stats and reported in
 * Evenlog/Operational (design, "Durability" 2).
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/bookmark.h"
#include "event/query.h"
#include "rpc/rpc.h"
#include "rpc/walk.h"
#include "store/operational.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

/* MAX_RPC_RECORD_COUNT and MAX_RPC_BATCH_SIZE, [MS-EVEN6] 2.2.1. */
#define RPC_BATCH_RECORDS_MAX 1024
#define RPC_BATCH_BYTES_MAX 2097152
/* What a push reply aims at, so that one subscriber leaves room for others. */
#define RPC_BATCH_PUSH_BYTES (256 * 1024)

struct rpc_reader_config {
	struct store *store;
	struct operational *operational; /* may be NULL */
	struct rpc_stats *stats;	 /* outlives the reader */
	struct event_query *query;	 /* becomes the reader's child */
	/* Those of query->paths, in order; NULL: cannot be read. */
	struct store_channel *const *channels;
	bool reverse;
	/* A subscription; else a query, whose results start with what is there
	 * and to whom losses of long ago are no news. */
	bool live;
	bool strict; /* a gap is an error, once: EVERR_STALE */
};

struct rpc_reader {
	struct operational *operational;
	struct rpc_stats *stats;
	struct event_query *query;
	struct rpc_walk *walk;
	/* reverse: the newest record of each channel when the query was made;
	 * the result set does not grow beyond it (facts 11.2). */
	uint64_t *newest_ids;
	uint64_t *passed_ids; /* scratch for bookmarks */
	bool live;
	bool strict;
	bool stale; /* a gap the caller has not been told */
	bool gone;  /* nor that a channel was removed, or all were */
};

/* A reader that stands at the first result. */
everr_t rpc_reader_create(TALLOC_CTX *mem_ctx,
			  const struct rpc_reader_config *config,
			  struct rpc_reader **ret_reader) EVERR_MUST_CHECK;

/* Stand behind everything that is in the channels now. */
everr_t rpc_reader_start_future(struct rpc_reader *reader) EVERR_MUST_CHECK;

/*
 * Stand at the first result: in reading direction, of a forward reader the
 * oldest record that is there now.  Within a turn of the walk, which may be a
 * copy of the reader's.
 */
void rpc_reader_place_first(const struct rpc_reader *reader,
			    struct rpc_walk *walk);

/* Forward: the oldest id that is there, and the next one to be given. */
void rpc_reader_bounds(struct rpc_walk *walk, size_t channel,
		       uint64_t *ret_first_id, uint64_t *ret_next_id);

/* Report a bookmark that does not lead on, and count its gap. */
void rpc_reader_report_bookmark(struct rpc_reader *reader, const char *channel,
				uint64_t record_id, uint64_t resumed_at,
				uint64_t missing);

/* ------------------------------------------------------------ batches */

/* Results on their way to a client. */
struct rpc_batch {
	struct buf data;   /* the result buffer, facts 5 */
	uint32_t *indices; /* offsets of the records in it */
	uint32_t *sizes;
	uint32_t num;
	uint32_t max_num;
	size_t aim_bytes;   /* passed only by a first record */
	size_t max_bytes;   /* never passed */
	uint64_t *undo_ids; /* where the reader stood before */
};

/*
 * An empty batch for at most num_requested records (more than
 * RPC_BATCH_RECORDS_MAX counts as that many).
 */
everr_t rpc_batch_create(TALLOC_CTX *mem_ctx, const struct rpc_reader *reader,
			 uint32_t num_requested, size_t aim_bytes,
			 struct rpc_batch **ret_batch) EVERR_MUST_CHECK;

enum rpc_progress {
	RPC_READER_READY, /* the batch is full; or, there is a match */
	RPC_READER_AGAIN, /* the turn is over, the work is not */
	RPC_READER_END	  /* no further match for now */
};

/*
 * One turn's work on a batch.  What did not fit stays for the next one.
 *
 * EVERR_STALE  records were lost before the next one, and the reader is
 *              strict or (a query) the log was cleared; once
 * EVERR_CHANNEL_NOT_FOUND
 *              a channel of a live reader was removed; once, and from then on
 *              always if it was the last
 * EVERR_IO, EVERR_NOMEM; the batch is empty then
 */
everr_t rpc_reader_fill(struct rpc_reader *reader, struct rpc_batch *batch,
			enum rpc_progress *ret_progress) EVERR_MUST_CHECK;

/* One turn's look whether a match is there, without passing it. */
everr_t rpc_reader_look(struct rpc_reader *reader,
			enum rpc_progress *ret_progress) EVERR_MUST_CHECK;

/* The batch goes to the client: count it. */
void rpc_batch_commit(struct rpc_reader *reader, struct rpc_batch *batch);

/* The batch will not be delivered: stand where it began, empty it. */
void rpc_batch_undo(struct rpc_reader *reader, struct rpc_batch *batch);

#endif
