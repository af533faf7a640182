/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_WALK_H
#define EVENLOG_RPC_WALK_H

/*
 * A walk through the matching records of the channels of one query: one
 * cursor for each channel, merged into one sequence.
 *
 * Inside a channel the order is that of the record ids.  Between channels the
 * record with the lower (TimeCreated, channel index) comes first; a reverse
 * walk sees the mirror image (facts 8, 11.1).
 *
 * A walk stands still between turns of the loop.  One turn looks at a bounded
 * number of records and bytes, whatever the filter throws away, so that no
 * query holds up the others.  Blocks of records whose times the query cannot
 * want are passed over unread.
 *
 * Ids without record and records that cannot be read are passed over, and
 * told to the walk's owner once each.
 */

#include "base/everr.h"
#include "event/query.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* What one turn looks at, at most. */
#define RPC_WALK_TURN_RECORDS 4096
#define RPC_WALK_TURN_BYTES (4 * 1024 * 1024)
/*
 * And about so long: what a filter costs is up to whoever wrote it.  Behind
 * that it looks at nothing but what it needs to get anywhere: one record.
 */
#define RPC_WALK_TURN_MS 10

enum rpc_walk_head {
	RPC_HEAD_UNKNOWN = 0, /* not looked at in this turn */
	RPC_HEAD_MATCH,	      /* record is the channel's next match */
	RPC_HEAD_END	      /* no further record in this turn */
};

/* One channel's place in the walk. */
struct rpc_cursor {
	struct store_channel *channel; /* NULL: passed over */
	uint64_t next_id;  /* the next to look at, in walking direction */
	uint64_t bound_id; /* the last id that belongs to the walk */
	uint64_t told_id;  /* losses up to here have been told */
	bool timed;	   /* the query bounds TimeCreated here */
	bool ranged;	   /* and in this turn so: */
	uint64_t min_time;
	uint64_t max_time;
	uint64_t block_id; /* first id of the block looked up in this turn */
	uint64_t match_id; /* found to match, in this turn or before */
	enum rpc_walk_head head;
	struct store_record record; /* valid with RPC_HEAD_MATCH */
};

/* Something the walk passed over. */
struct rpc_walk_loss {
	size_t channel; /* index */
	uint64_t first_id;
	uint64_t last_id;
	uint64_t missing;	    /* how many of these ids have no record */
	bool damaged;		    /* a record that is there and unreadable */
	enum store_gap_cause cause; /* when it is not */
};
typedef void (*rpc_walk_loss_fn)(const struct rpc_walk_loss *loss,
				 void *private_data);

struct rpc_walk {
	struct store *store;
	const struct event_query *query;
	bool reverse;
	struct rpc_cursor *cursors;
	size_t num_channels;
	rpc_walk_loss_fn loss_fn; /* may be NULL: losses go untold */
	void *loss_private;
	/* Bounds of a turn, from the constants above. */
	size_t turn_records;
	size_t turn_bytes;
	uint64_t turn_ms;
	/* This turn. */
	struct store_snapshot *snapshot; /* NULL between turns */
	size_t records_left;
	size_t bytes_left;
	uint64_t deadline_ms; /* monotonic */
	bool moved;	      /* something new was found out */
	uint64_t now;	      /* FILETIME, for filters */
	uint32_t *ids;	      /* subqueries that select ids_of's record */
	size_t num_ids;
	size_t ids_of; /* channel index, or SIZE_MAX */
};

/*
 * A walk that stands at id 1, or with reverse at the highest id.  channels
 * are those of query->paths, in that order, NULL for one that cannot be read.
 * query outlives the walk.
 */
everr_t rpc_walk_create(TALLOC_CTX *mem_ctx, struct store *store,
			const struct event_query *query,
			struct store_channel *const *channels, bool reverse,
			struct rpc_walk **ret_walk) EVERR_MUST_CHECK;

/* The same channels, place and direction; losses go untold. */
everr_t rpc_walk_copy(TALLOC_CTX *mem_ctx, const struct rpc_walk *walk,
		      struct rpc_walk **ret_copy) EVERR_MUST_CHECK;

/* Turn round in place: what was passed is what comes next. */
void rpc_walk_turn_round(struct rpc_walk *walk);

/* Stand where the other walk stands; same query and direction. */
void rpc_walk_move_to(struct rpc_walk *walk, const struct rpc_walk *place);

/* Everything from here to the end happens on one snapshot. */
everr_t rpc_walk_begin(struct rpc_walk *walk) EVERR_MUST_CHECK;
void rpc_walk_end(struct rpc_walk *walk);

enum rpc_walk_step {
	RPC_WALK_RECORD, /* *ret_channel's head is the next record */
	RPC_WALK_AGAIN,	 /* the turn's bound was reached */
	RPC_WALK_END	 /* no further record for now */
};

/*
 * Find the next record of the sequence, without passing it.
 * EVERR_IO, EVERR_NOMEM: the store could not be read.
 */
everr_t rpc_walk_peek(struct rpc_walk *walk, enum rpc_walk_step *ret_step,
		      size_t *ret_channel) EVERR_MUST_CHECK;

/* The subqueries that select the head of a channel; into walk->ids. */
void rpc_walk_select(struct rpc_walk *walk, size_t channel);

/* Pass the head of a channel. */
void rpc_walk_pass(struct rpc_walk *walk, size_t channel);

/*
 * Everything up to this id has been passed: the number that the channel has
 * in a bookmark.  0 for a channel that cannot be read.
 */
uint64_t rpc_walk_passed(const struct rpc_walk *walk, size_t channel);

#endif
