/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_WRITER_H
#define EVENLOG_STORE_WRITER_H

/*
 * The writer: one thread that turns queued jobs into transactions.
 *
 * Its code makes no talloc, Samba, tevent or logging call (waking the loop,
 * in queue.c, is the one tevent call there is).  Between store_writer_start()
 * and store_writer_stop() the structures below belong to the thread, but for
 * the time it is parked.
 *
 *   writer.c   the thread, commits, what to do when one fails
 *   batch.c    what an append does inside a transaction
 *   erase.c    what a clearing does
 *   trim.c     retention, and the removal of what was cleared
 */

#include "store/crashpoint.h"
#include "store/env.h"
#include "store/queue.h"
#include "store/u32set.h"

#include <pthread.h>

/* Time and free space, so that tests can have their own. */
struct store_hooks {
	uint64_t (*now)(void *private_data); /* FILETIME */
	uint64_t (*disk_free)(void *private_data);
	void *private_data;
};

/* The writer's side of a channel. */
struct store_wchannel {
	struct store_lane lane; /* first: a job's lane leads here */
	uint32_t id;
	MDB_dbi dbi;
	uint64_t max_bytes;
	uint64_t max_age; /* seconds */
	bool retain;
	uint32_t life; /* how often it was removed, since opened */

	/* What the head says; read again when it is not valid. */
	bool valid;
	struct store_head head;
	struct u32set templates; /* of the open block */

	/* There may be records that were cleared. */
	bool hidden;
	/* Ids below it were given out by a commit that failed. */
	uint64_t floor;
	/* ReceivedTime of the oldest record; 0: not known. */
	uint64_t oldest_received;
	/* Retention failed there: not before then, in ms. */
	uint64_t trim_after;

	/* While a transaction is open and has touched it. */
	bool touched;
	bool appended;
	struct store_wchannel *touched_next;
	MDB_cursor *cursor;
	uint64_t txn_first; /* ids from here on are of this transaction */
	uint64_t floor_before;
};

struct store_writer {
	struct store_queue queue;
	pthread_t thread;
	bool running;

	struct store_env *env;
	struct store_limits limits;
	struct store_hooks hooks;
	struct store_crash crash;
	bool asynchronous;
	struct store_meta meta; /* as on disk */
	bool opening;		/* no commit yet since it was opened */
	bool refused;		/* the last commit failed for want of room */
	everr_t park_err;	/* why there is no environment */

	struct store_wchannel *channels[STORE_CHANNELS_MAX];
	uint32_t num_channels;

	/* The open transaction. */
	MDB_txn *txn;
	bool meta_dirty;
	struct store_meta txn_meta;
	struct store_wchannel *touched;
	uint64_t txn_records;
	uint64_t txn_bytes;
	uint64_t txn_trimmed;
	uint64_t commits; /* number of the last one, since opened */

	/* Templates that lost their last user in this transaction. */
	uint32_t *unused;
	size_t num_unused;
	size_t size_unused;

	/* Templates to remove when they still have no user. */
	struct store_job *collect;

	bool trim_pending;	/* retention has more to do */
	bool trim_more;		/* the same, while it runs */
	uint32_t trim_next;	/* where it goes on, among the channels */
	uint64_t pages_free;	/* as last counted, less what was used since */
	uint64_t pages_counted; /* when, in ms */
	uint64_t ticked;	/* when retention by age was looked at, in ms */
	uint64_t readers_checked;

	uint8_t *scratch; /* for heads and blocks */
	size_t scratch_size;

	struct store_stats stats;
};

/* Channel slots, queue, scratch.  wake is set up by the caller. */
everr_t store_writer_init(struct store_writer *writer) EVERR_MUST_CHECK;
void store_writer_destroy(struct store_writer *writer);

/*
 * The first transaction of an opening, in the loop's thread: ids jump where
 * some may be lost (design decision 8), templates without users go, and meta
 * is marked open.  EVERR_STORE_FULL: not done, appends will say the same.
 */
everr_t store_writer_open(struct store_writer *writer,
			  bool jump) EVERR_MUST_CHECK;

everr_t store_writer_start(struct store_writer *writer) EVERR_MUST_CHECK;
/* Finish what is queued, mark the store closed, end the thread. */
void store_writer_stop(struct store_writer *writer);

/* ------------------------------------ between writer.c, batch.c, trim.c */

/* LMDB results inside a transaction, as errors of ours. */
everr_t store_batch_begin(struct store_writer *writer) EVERR_MUST_CHECK;
/* A job's states alone. */
everr_t store_batch_states(struct store_writer *writer,
			   const struct store_job *job) EVERR_MUST_CHECK;
/* Apply one append: all of it, or an error that spoils the transaction. */
everr_t store_batch_append(struct store_writer *writer,
			   struct store_job *job) EVERR_MUST_CHECK;
/* Write heads and meta of what was touched. */
everr_t store_batch_finish(struct store_writer *writer) EVERR_MUST_CHECK;
/* Forget what the transaction did to the structures above. */
void store_batch_abort(struct store_writer *writer);
/* Read the channel's head and cursor for this transaction. */
everr_t store_batch_touch(struct store_writer *writer,
			  struct store_wchannel *channel) EVERR_MUST_CHECK;
/* Skip ids up to before next, as a recorded gap. */
everr_t store_batch_skip(struct store_writer *writer,
			 struct store_wchannel *channel, uint64_t next,
			 enum store_gap_cause cause) EVERR_MUST_CHECK;
/* One more or one less block with this template. */
everr_t store_batch_use(struct store_writer *writer, uint32_t no,
			int change) EVERR_MUST_CHECK;
/* Remove those of the numbers that have no user. */
everr_t store_batch_collect(struct store_writer *writer, const uint32_t *nos,
			    size_t num) EVERR_MUST_CHECK;

/*
 * The first id that the channel has for readers: records before it were
 * cleared, and wait to be removed.
 */
static inline uint64_t store_head_first(const struct store_head *head)
{
	return head->oldest_id != 0 ? head->oldest_id : head->next_id;
}

/* Carry out a CLEAR, in a step that does not depend on how much there is. */
everr_t store_erase_clear(struct store_writer *writer,
			  struct store_job *job) EVERR_MUST_CHECK;

/*
 * Retention inside the open transaction, and the removal of what was cleared:
 * at most budget records, first of the touched channels, then of the others in
 * turn.  Sets trim_pending.
 */
everr_t store_trim(struct store_writer *writer,
		   uint64_t budget) EVERR_MUST_CHECK;
/* Whether any channel has something to trim; sets trim_pending. */
void store_trim_look(struct store_writer *writer);

/* Room for len bytes in scratch; NULL: no memory. */
uint8_t *store_writer_scratch(struct store_writer *writer, size_t len);
uint64_t store_writer_now(const struct store_writer *writer);

#endif
