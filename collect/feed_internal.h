/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_FEED_INTERNAL_H
#define EVENLOG_COLLECT_FEED_INTERNAL_H

/*
 * What the parts of a feed share.
 *
 *   feed.c         life, state, failures, timers
 *   feed_open.c    compare log and position, subscribe
 *   feed_read.c    ask for batches, take them apart
 *   feed_append.c  events and position into the store
 *   feed_piece.c   which events, and what is missing between them: pure
 *   feed_report.c  what an administrator is told
 *
 * Two things go on at a time.  Reading: opening, then one request for a batch.
 * Writing: one append.  Between them lies at most one batch (ready).  Whatever
 * makes the feed open the log anew waits until what was read is written, since
 * the position speaks for it.
 */

#include "base/backoff.h"
#include "collect/client.h"
#include "collect/feed.h"
#include "collect/gap.h"
#include "collect/origin.h"
#include "collect/resume.h"

/* Bytes of events in one append; a batch that is larger takes several. */
#define FEED_PIECE_BYTES (2 * 1024 * 1024)
/* Slots of the rate, and seconds of each. */
#define FEED_RATE_SLOTS 6
#define FEED_RATE_SECONDS 10

struct feed_event {
	const uint8_t *doc; /* NULL: its result record is malformed */
	uint32_t len;
	uint64_t record_id;
	everr_t refused; /* by this store; EVERR_OK: not that we know */
	uint8_t mark;	 /* enum store_origin_mark */
	/* The other computer, UTF-16LE inside doc, when it is a mismatch. */
	const uint8_t *computer;
	size_t computer_units;
};

/* What one answer brought. */
struct feed_batch {
	struct collect_batch *raw; /* child */
	struct feed_event *events;
	size_t num;
	size_t done; /* those that need not be looked at again */
	bool looked; /* for why numbers are missing */
};

/* What one append is to write, and what it makes of the position. */
struct feed_piece {
	struct store_input *inputs;
	size_t *events; /* index of each input */
	size_t num;
	uint64_t bytes;
	size_t end;   /* events of the batch before this one are dealt with */
	bool changed; /* there is something to write */
	bool jumped;  /* record ids are missing */
	/* A record id that was passed before: nothing behind it is taken. */
	bool stepped_back;
	bool proved;   /* what the rules ask to be proved */
	bool unproved; /* it cannot be any more: nothing is taken */
	struct collect_position position;
	struct collect_gap_tally tally;
};

/* What feed_piece_cut() needs to know of the feed. */
struct feed_rules {
	bool filtered;
	uint64_t again;	 /* events up to here are dropped: stored already */
	bool prove;	 /* if the position's own event is among them */
	uint64_t oldest; /* of the log, at the last look; 0: not known */
	uint16_t origin; /* store_origin_number() */
};

/* What comes after a position was written without events. */
enum feed_then {
	FEED_THEN_NOTHING,
	FEED_THEN_SUBSCRIBE,
	FEED_THEN_OPEN
};

/* What the administrator was told last. */
enum feed_told {
	FEED_TOLD_NOTHING,
	FEED_TOLD_READING,
	FEED_TOLD_FAILED
};

struct collect_feed {
	struct collect_feed_env env;
	const struct collect_config *config;
	const struct collect_channel_config *channel;
	struct collect_feed_hooks hooks;
	void *private_data;
	const char *state_name;
	const char *label; /* HOST/CHANNEL */
	struct store_channel *target;
	bool filtered;
	uint16_t origin_number;
	struct collect_origin *origin;
	struct event_glancer *glancer; /* once there was an event */

	/* As committed; known: the store has it. */
	struct collect_position position;
	bool known;
	bool unreadable; /* what the store has of it */

	enum collect_feed_state state;
	uint64_t since;
	struct collect_failure failure;
	uint64_t failure_time;
	enum feed_told told;
	struct collect_failure told_failure;
	struct backoff retry;
	struct timer retry_timer;

	/* A connection; what hangs on session goes with it. */
	TALLOC_CTX *session;
	struct collect_connection *connection;
	bool kerberos;
	struct tevent_req *opening;
	bool open_waits; /* until what was read is written */
	bool skip_waits; /* for it, to find a record that nobody can read */
	struct collect_plan plan;
	bool refused;  /* struct collect_memory */
	bool unproved; /* the same */
	uint64_t again;
	bool proving;		 /* struct feed_rules */
	uint64_t proving_looked; /* batches at the last look */

	/* Reading. */
	struct collect_cursor *cursor;
	struct tevent_req *reading;
	uint32_t batch;	     /* records to ask for */
	uint32_t good;	     /* answers since it was changed */
	uint32_t asked;	     /* by the request under way */
	bool last_full;	     /* the last answer had as many as asked for */
	bool progress;	     /* an event was stored since it was opened */
	bool in_vain;	     /* looked for a record that cannot be read */
	bool waited;	     /* opnum 3 has just said that there is something */
	uint64_t wait_began; /* FILETIME */
	struct backoff idle; /* answers without events in a row */
	struct timer idle_timer;

	/* Writing. */
	struct feed_batch *writing;
	struct feed_batch *ready;
	struct feed_piece *piece; /* child of writing, or of the feed */
	struct tevent_req *append;
	enum feed_then then; /* after a piece without events */
	bool notes;	     /* the position has changed in memory only */
	struct backoff blocked;
	struct timer blocked_timer;

	/* Looking. */
	struct tevent_req *looking;
	struct timer look_timer;
	uint64_t source_oldest;
	uint64_t source_newest;
	/* Newest record when a look found the filter with nothing to give. */
	uint64_t passing;

	/* Telling. */
	struct collect_gap_tally untold;
	struct backoff gap_pause;
	struct timer gap_timer;
	struct timer silence_timer;
	bool silent;

	uint64_t created; /* FILETIME */
	uint64_t events;
	uint64_t bytes;
	uint64_t batches;
	uint64_t last_event;
	uint64_t mismatched;
	uint32_t rate_counts[FEED_RATE_SLOTS];
	uint64_t rate_slot; /* of the latest count */
};

/* feed.c */
void feed_set_state(struct collect_feed *feed, enum collect_feed_state state);
/* Run fn(feed) in ms milliseconds; one that is set is moved. */
void feed_timer(struct collect_feed *feed, struct timer *timer, uint64_t ms,
		void (*fn)(void *private_data));
uint32_t feed_random(void);
/* The connection is no good. */
void feed_broken(struct collect_feed *feed,
		 const struct collect_failure *failure);
/* The channel cannot be read now: later, with a back-off. */
void feed_retry(struct collect_feed *feed,
		const struct collect_failure *failure);
/* One of the two, by what failed. */
void feed_failed(struct collect_feed *feed,
		 const struct collect_failure *failure);
void feed_out_of_memory(struct collect_feed *feed);
/* Let go of the subscription. */
void feed_close(struct collect_feed *feed);
/* The position's event did not come: open the log anew without it. */
void feed_unproved(struct collect_feed *feed);
/* Let go of it, and open the log anew when what was read is written. */
void feed_reopen(struct collect_feed *feed);
/* Ask for oldest and newest record; then feed_append().  False: no. */
bool feed_look(struct collect_feed *feed);
void feed_count(struct collect_feed *feed, uint64_t events, uint64_t bytes);

/* False: the store's position is damaged; told, and tried again later. */
bool feed_has_position(struct collect_feed *feed);

/* feed_open.c: the session is there, nothing is left to be written. */
void feed_open(struct collect_feed *feed);
/* The position that a plan or a first sight needs has been committed. */
void feed_subscribe(struct collect_feed *feed);

/* feed_read.c */
void feed_read(struct collect_feed *feed);
/* Ask again after a while. */
void feed_pause(struct collect_feed *feed);
/* Find the record behind the position that cannot be read, and pass it. */
void feed_skip(struct collect_feed *feed);

/* feed_append.c */
void feed_append(struct collect_feed *feed);
/* Write piece (moved), which has no events; then do what feed->then says. */
void feed_append_alone(struct collect_feed *feed, struct feed_piece *piece);
/* Write down what notes says, when there is nothing else to write. */
void feed_append_notes(struct collect_feed *feed);
bool feed_append_idle(const struct collect_feed *feed);
void feed_append_again(void *private_data);

/* feed_piece.c */

/*
 * The next piece of a batch behind position.  *ret_piece is a talloc child of
 * batch.  EVERR_NOMEM
 */
everr_t feed_piece_cut(struct feed_batch *batch,
		       const struct collect_position *position,
		       const struct feed_rules *rules,
		       struct feed_piece **ret_piece) EVERR_MUST_CHECK;
/* Mark the events of a piece that no store takes, from input bad on. */
everr_t feed_piece_judge(struct feed_batch *batch,
			 const struct feed_piece *piece, size_t bad,
			 everr_t why) EVERR_MUST_CHECK;

/* feed_report.c */
void feed_tell_reading(struct collect_feed *feed);
void feed_tell_failed(struct collect_feed *feed);
void feed_tell_refused(struct collect_feed *feed,
		       const struct feed_batch *batch, size_t first,
		       size_t end);
/* Computers that are not the host they came from; counts them. */
void feed_tell_mismatched(struct collect_feed *feed,
			  const struct feed_batch *batch, size_t first,
			  size_t end);
/* Gaps that have been committed. */
void feed_tell_gaps(struct collect_feed *feed,
		    const struct collect_gap_tally *tally);
void feed_tell_heard(struct collect_feed *feed);
void feed_watch_silence(struct collect_feed *feed);

#endif
