/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/feed_internal.h"

#include "base/wintime.h"

#include <string.h>

/* The store's queue is full for moments only. */
#define QUEUE_WAIT_MS 100

static void append_begin(struct collect_feed *feed);
static void append_send(struct collect_feed *feed);
static void append_done(struct tevent_req *req);

bool feed_append_idle(const struct collect_feed *feed)
{
	return feed->append == NULL && feed->writing == NULL &&
	       feed->piece == NULL;
}

/* ------------------------------------------------------------- a batch */

/* Cut, and put back until the log was looked at. */
static bool waits_for_look(const struct collect_feed *feed)
{
	return feed->looking != NULL && feed->writing != NULL &&
	       feed->writing->looked && feed->piece == NULL;
}

void feed_append(struct collect_feed *feed)
{
	if (feed->writing == NULL && feed->piece == NULL) {
		feed->writing = feed->ready;
		feed->ready = NULL;
	}
	if (feed->append == NULL && !timer_is_set(&feed->blocked_timer) &&
	    !waits_for_look(feed) &&
	    (feed->writing != NULL || feed->piece != NULL)) {
		append_begin(feed);
	}
}

/* Everything that was read is written. */
static void append_drained(struct collect_feed *feed)
{
	if (feed->open_waits && feed->session != NULL) {
		feed->open_waits = false;
		feed_open(feed);
		return;
	}
	feed_append_notes(feed);
}

static void batch_done(struct collect_feed *feed)
{
	TALLOC_FREE(feed->writing);
	if (feed->ready == NULL) {
		append_drained(feed);
		feed_read(feed);
		return;
	}
	feed_append(feed);
	feed_read(feed);
}

/*
 * Nothing behind a record id that was passed before is taken: the log was
 * reset under the subscription, or the host did not obey the bookmark.
 */
static void batch_stepped_back(struct collect_feed *feed)
{
	struct collect_failure failure;

	TALLOC_FREE(feed->writing);
	TALLOC_FREE(feed->ready);
	if (feed->session == NULL) {
		append_drained(feed);
		return;
	}
	if (feed->refused && !feed->progress) {
		collect_failure_set(&failure, EVERR_PROTOCOL,
				    "%s: the records of %s come out of order",
				    feed->config->host, feed->channel->name);
		feed_retry(feed, &failure);
		return;
	}
	feed->refused = !feed->progress;
	feed_reopen(feed);
}

static void batch_unproved(struct collect_feed *feed)
{
	TALLOC_FREE(feed->writing);
	TALLOC_FREE(feed->ready);
	if (feed->session == NULL) {
		append_drained(feed);
		return;
	}
	feed_unproved(feed);
}

static void piece_nothing(struct collect_feed *feed)
{
	struct feed_piece *piece = feed->piece;
	bool stepped_back = piece->stepped_back;
	bool unproved = piece->unproved;

	feed->writing->done = piece->end;
	TALLOC_FREE(feed->piece);
	if (stepped_back) {
		batch_stepped_back(feed);
		return;
	}
	if (unproved) {
		batch_unproved(feed);
		return;
	}
	batch_done(feed);
}

static void written_alone(struct collect_feed *feed)
{
	enum feed_then then = feed->then;

	feed->then = FEED_THEN_NOTHING;
	switch (then) {
	case FEED_THEN_SUBSCRIBE:
		feed_subscribe(feed);
		break;
	case FEED_THEN_OPEN:
		feed_open(feed);
		break;
	case FEED_THEN_NOTHING:
		if (feed->ready == NULL) {
			append_drained(feed);
		}
		feed_append(feed);
		feed_read(feed);
		break;
	}
}

static void append_begin(struct collect_feed *feed)
{
	struct feed_rules rules = {
		.filtered = feed->filtered,
		.again = feed->again,
		.prove = feed->proving,
		.oldest = feed->source_oldest,
		.origin = feed->origin_number,
	};
	everr_t err;

	if (feed->piece == NULL) {
		err = feed_piece_cut(feed->writing, &feed->position, &rules,
				     &feed->piece);
		if (err != EVERR_OK) {
			feed_timer(feed, &feed->blocked_timer, QUEUE_WAIT_MS,
				   feed_append_again);
			return;
		}
	}
	if (feed->piece->proved) {
		feed->proving = false;
	}
	/* The oldest record there says why numbers are missing. */
	if (feed->piece->jumped && !feed->writing->looked) {
		feed->writing->looked = true;
		if (feed_look(feed)) {
			TALLOC_FREE(feed->piece);
			return;
		}
	}
	if (feed->writing != NULL && !feed->piece->changed) {
		piece_nothing(feed);
		return;
	}
	append_send(feed);
}

/* -------------------------------------------------------------- append */

static void append_send(struct collect_feed *feed)
{
	uint8_t bytes[COLLECT_POSITION_MAX];
	struct feed_piece *piece = feed->piece;
	struct store_state state = {.name = feed->state_name, .data = bytes};

	state.len = collect_position_encode(&piece->position, bytes);
	feed->notes = false;
	feed->append = store_append_send(feed, feed->env.ev, feed->target,
					 piece->inputs, piece->num, &state, 1);
	if (feed->append == NULL) {
		feed_timer(feed, &feed->blocked_timer, QUEUE_WAIT_MS,
			   feed_append_again);
		return;
	}
	tevent_req_set_callback(feed->append, append_done, feed);
}

/* The store takes events again. */
static void append_unblocked(struct collect_feed *feed)
{
	backoff_reset(&feed->blocked);
	if (feed->state != COLLECT_FEED_BLOCKED) {
		return;
	}
	feed->told = FEED_TOLD_NOTHING;
	if (timer_is_set(&feed->retry_timer)) {
		feed_set_state(feed, COLLECT_FEED_RETRYING);
	} else if (feed->cursor != NULL) {
		feed_set_state(feed, COLLECT_FEED_READING);
		feed_tell_reading(feed);
	} else {
		feed_set_state(feed, feed->session != NULL
					     ? COLLECT_FEED_OPENING
					     : COLLECT_FEED_DOWN);
	}
}

static void append_took_events(struct collect_feed *feed,
			       const struct feed_piece *piece)
{
	if (piece->position.record_id > feed->again) {
		feed->again = 0;
	}
	if (piece->num > 0) {
		feed->progress = true;
		feed->refused = false;
		feed->unproved = false;
		backoff_reset(&feed->retry);
		feed_count(feed, piece->num, piece->bytes);
	}
}

/* The piece is on disk. */
static void append_ok(struct collect_feed *feed)
{
	struct feed_batch *batch = feed->writing;
	struct feed_piece *piece = feed->piece;
	struct collect_gap_tally tally = piece->tally;
	bool stepped_back = piece->stepped_back;

	feed->position = piece->position;
	feed->known = true;
	append_unblocked(feed);
	append_took_events(feed, piece);
	if (batch != NULL) {
		feed_tell_refused(feed, batch, batch->done, piece->end);
		feed_tell_mismatched(feed, batch, batch->done, piece->end);
		batch->done = piece->end;
	}
	TALLOC_FREE(feed->piece);
	feed_tell_gaps(feed, &tally);
	if (batch == NULL) {
		written_alone(feed);
	} else if (stepped_back) {
		batch_stepped_back(feed);
	} else if (batch->done < batch->num) {
		feed_append(feed);
	} else {
		batch_done(feed);
	}
}

/*
 * Whether a commit that the disk did not confirm is in the store after all:
 * then the position says so.
 */
static bool append_is_there(struct collect_feed *feed)
{
	uint8_t bytes[COLLECT_POSITION_MAX];
	uint8_t *data = NULL;
	size_t len = 0;
	bool there = false;
	everr_t err;

	err = store_state_get(feed, feed->env.store, feed->state_name, &data,
			      &len);
	if (err != EVERR_OK) {
		return false;
	}
	there = len == collect_position_encode(&feed->piece->position, bytes) &&
		memcmp(data, bytes, len) == 0;
	talloc_free(data);
	return there;
}

/* The batch is kept and tried again; the host's log is the queue. */
static void append_blocked(struct collect_feed *feed, everr_t err)
{
	struct collect_failure failure;

	if (feed->writing != NULL) {
		TALLOC_FREE(feed->piece);
	}
	collect_failure_set(&failure, err, "cannot store events in %s: %s",
			    store_channel_name(feed->target), everr_text(err));
	feed->failure = failure;
	feed->failure_time = wintime_now();
	feed_set_state(feed, COLLECT_FEED_BLOCKED);
	feed_tell_failed(feed);
	feed_timer(feed, &feed->blocked_timer,
		   backoff_next(&feed->blocked, feed_random()),
		   feed_append_again);
}

static void append_failed(struct collect_feed *feed, everr_t err, size_t bad)
{
	struct feed_piece *piece = feed->piece;

	if (feed->writing != NULL && bad < piece->num && err != EVERR_NOMEM) {
		err = feed_piece_judge(feed->writing, piece, bad, err);
		TALLOC_FREE(feed->piece);
		if (err == EVERR_OK) {
			append_begin(feed);
			return;
		}
	}
	if (err == EVERR_STORE_SYNC && append_is_there(feed)) {
		append_ok(feed);
		return;
	}
	if (err == EVERR_LIMIT || err == EVERR_NOMEM) {
		/* The queue: it moves. */
		feed_timer(feed, &feed->blocked_timer, QUEUE_WAIT_MS,
			   feed_append_again);
		return;
	}
	append_blocked(feed, err);
}

static void append_done(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	uint64_t first_id = 0;
	size_t bad = 0;
	everr_t err;

	err = store_append_recv(req, &first_id, &bad);
	TALLOC_FREE(req);
	feed->append = NULL;
	if (err == EVERR_OK) {
		append_ok(feed);
		return;
	}
	append_failed(feed, err, bad);
}

void feed_append_again(void *private_data)
{
	struct collect_feed *feed = private_data;
	struct store_channel *target = NULL;

	/* It may have been removed and made again. */
	if (store_channel_find(feed->env.store, feed->config->target,
			       &target) == EVERR_OK) {
		feed->target = target;
	}
	feed_append(feed);
}

/* ---------------------------------------------------------- no events */

void feed_append_alone(struct collect_feed *feed, struct feed_piece *piece)
{
	feed->piece = talloc_move(feed, &piece);
	append_begin(feed);
}

void feed_append_notes(struct collect_feed *feed)
{
	struct feed_piece *piece = NULL;

	/* What opens the log is about to write the position as well. */
	if (!feed->notes || feed->opening != NULL || !feed_append_idle(feed)) {
		return;
	}
	piece = talloc_zero(feed, struct feed_piece);
	if (piece == NULL) {
		return;
	}
	feed->notes = false;
	piece->position = feed->position;
	feed_append_alone(feed, piece);
}
