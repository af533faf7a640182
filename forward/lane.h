/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_LANE_H
#define EVENLOG_FORWARD_LANE_H

/*
 * One channel of one output: the cursor that reads it, and how far what was
 * read has got.
 *
 *   position        next_id
 *      v               v
 *   ...|.in..flight....|..not read yet...
 *
 * All up to position have arrived or were passed over by the query.  Going
 * back is setting next_id to behind position.
 */

#include "base/backoff.h"
#include "base/everr.h"
#include "event/query.h"
#include "forward/format.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct forward_lane {
	void *owner; /* the output */
	const char *name;
	struct store_channel *channel; /* NULL: there is none */
	struct store_watch *watch;     /* its owner's */
	struct event_query *query;     /* NULL: all of it */
	uint32_t path;		       /* in query */
	bool timed;  /* the query bounds the time: look at the blocks */
	bool placed; /* it has a position */

	uint64_t end_id;    /* where its channel ended that was removed */
	uint64_t rewind_id; /* a rewind to it is being written; 0: none */
	uint64_t position;
	uint64_t next_id;
	uint64_t told_id;	 /* gaps up to it have been counted */
	uint64_t handed_id;	 /* what is sent up to it is sent again */
	uint64_t block_id;	 /* of the block looked at last */
	uint64_t received;	 /* of the record read last; FILETIME */
	uint32_t in_flight;	 /* messages */
	uint32_t epoch;		 /* of messages whose arrival counts */
	struct forward_gap jump; /* last != 0: to be told before the rest */
	bool jump_handed;	 /* it is in flight */
	uint64_t behind_id;	 /* where the oldest record behind was sought */
	uint64_t behind_since;	 /* and when it was received; FILETIME */

	/*
	 * The receiver does not take this record: it is sent again after a
	 * back-off of its own, whatever else the receiver takes meanwhile.
	 */
	uint64_t refused_id; /* 0: none */
	struct backoff refusals;
	struct tevent_timer *held; /* not NULL: the lane waits */

	bool queued; /* it may have something to read */
	struct forward_lane *queue_next;
};

enum forward_found {
	FORWARD_FOUND_RECORD,
	FORWARD_FOUND_DAMAGED, /* the record has its id only */
	FORWARD_FOUND_GAP,
	FORWARD_FOUND_PASSED, /* something that is not sent was passed */
	FORWARD_FOUND_END
};

struct forward_item {
	enum forward_found found;
	uint64_t last_id; /* of record or gap: where the cursor goes on */
	struct store_record record;
	struct forward_gap gap;
};

/* What a turn needs to read. */
struct forward_reading {
	struct store_snapshot *snapshot;
	struct event_dict *dict;
	uint64_t now;
	uint32_t *ids; /* room for the subqueries of any of its queries */
};

/*
 * Look at one record, block or gap.  What is passed over moves the cursor;
 * a record or gap is passed with forward_lane_take() when it has been sent,
 * and is in flight from then on.
 * EVERR_IO, EVERR_NOMEM
 */
everr_t forward_lane_look(struct forward_lane *lane,
			  const struct forward_reading *reading,
			  struct forward_item *ret_item) EVERR_MUST_CHECK;
void forward_lane_take(struct forward_lane *lane,
		       const struct forward_item *item);

/* The message of that id has arrived. */
void forward_lane_arrived(struct forward_lane *lane, uint64_t id);

/* Nothing is in flight: what was passed over at the end counts, too. */
void forward_lane_settle(struct forward_lane *lane);

/* Back to what has not arrived. */
void forward_lane_back(struct forward_lane *lane);

/* What was refused is no longer to be sent. */
void forward_lane_release(struct forward_lane *lane);

/* Go on with next_id; arrivals of what is in flight no longer count. */
void forward_lane_move(struct forward_lane *lane, uint64_t next_id);

/* Where its channel begins and ends now; 1 and 1 without one. */
void forward_lane_bounds(const struct forward_lane *lane, uint64_t *ret_oldest,
			 uint64_t *ret_next);

/* Whether the query asks nothing of the channel's events. */
bool forward_lane_takes_all(const struct event_query *query, uint32_t path);

const char *forward_cause_text(enum store_gap_cause cause);

#endif
