/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/feed_internal.h"

#include "base/wintime.h"
#include "collect/skip.h"

#include <string.h>

/* Answers in a row until more records are asked for again. */
#define GROW_AFTER 8
/* A wait that lasted so long was one. */
#define WAIT_REAL WINTIME_SECOND

static void read_done(struct tevent_req *req);
static void read_waited(struct tevent_req *req);
static void read_skipped(struct tevent_req *req);

/* ------------------------------------------------------------- asking */

static bool may_read(const struct collect_feed *feed)
{
	return feed->cursor != NULL && feed->reading == NULL &&
	       feed->ready == NULL && !timer_is_set(&feed->idle_timer) &&
	       !feed->open_waits;
}

void feed_read(struct collect_feed *feed)
{
	if (!may_read(feed)) {
		return;
	}
	feed->asked = feed->batch;
	feed->reading = collect_next_send(feed->session, feed->env.ev,
					  feed->cursor, feed->asked, 0);
	if (feed->reading == NULL) {
		feed_pause(feed);
		return;
	}
	tevent_req_set_callback(feed->reading, read_done, feed);
}

static void read_wait(struct collect_feed *feed)
{
	feed->wait_began = wintime_now();
	feed->reading =
		collect_wait_send(feed->session, feed->env.ev, feed->cursor);
	if (feed->reading == NULL) {
		feed_pause(feed);
		return;
	}
	tevent_req_set_callback(feed->reading, read_waited, feed);
}

static void read_go_on(void *private_data)
{
	struct collect_feed *feed = private_data;

	feed_read(feed);
}

void feed_pause(struct collect_feed *feed)
{
	feed_timer(feed, &feed->idle_timer,
		   backoff_next(&feed->idle, feed_random()), read_go_on);
}

/* ------------------------------------------------------- invalid bounds */

/*
 * The host's answer is larger than the protocol allows (facts 11.3), and its
 * cursor may have moved: ask for less, from the position on.
 */
static void read_less(struct collect_feed *feed)
{
	feed->good = 0;
	if (feed->batch > 1) {
		feed->batch /= 2;
		feed_reopen(feed);
		return;
	}
	/* One record alone: find out which, when the position is there. */
	feed->skip_waits = true;
	feed_reopen(feed);
}

static void read_more(struct collect_feed *feed)
{
	feed->good++;
	if (feed->good >= GROW_AFTER && feed->batch < feed->config->batch) {
		feed->good = 0;
		feed->batch *= 2;
		if (feed->batch > feed->config->batch) {
			feed->batch = feed->config->batch;
		}
	}
}

void feed_skip(struct collect_feed *feed)
{
	feed->skip_waits = false;
	feed->opening =
		collect_skip_send(feed->session, feed->env.ev, feed->connection,
				  feed->channel->name, feed->channel->query,
				  feed->position.record_id);
	if (feed->opening == NULL) {
		feed_out_of_memory(feed);
		return;
	}
	tevent_req_set_callback(feed->opening, read_skipped, feed);
}

/*
 * Numbers before it are missing in a log that is read whole.  Of what a filter
 * would have selected, or before the log's first number is known, there may be
 * some that could be read: those above sure.
 */
static void skip_count(const struct collect_feed *feed, uint64_t bad,
		       uint64_t sure, struct collect_gap_tally *tally)
{
	uint64_t before = feed->position.record_id;
	bool is_exact = !feed->filtered && before != 0;
	uint64_t first = sure < bad ? sure + 1 : bad;
	struct collect_gap gap;

	if (first < feed->source_oldest) {
		first = feed->source_oldest < bad ? feed->source_oldest : bad;
	}
	if (is_exact || first == bad) {
		gap = collect_gap_range(bad, bad, COLLECT_GAP_UNREADABLE,
					COLLECT_GAP_EXACT);
	} else {
		gap = collect_gap_range(first, bad, COLLECT_GAP_UNREADABLE,
					COLLECT_GAP_AT_MOST);
	}
	collect_gap_add(tally, &gap);
	if (is_exact) {
		gap = collect_gap_range(before + 1, bad - 1,
					COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT);
		collect_gap_add(tally, &gap);
	}
}

/* The position goes past the record that nobody can read. */
static void skip_commit(struct collect_feed *feed, uint64_t bad, uint64_t sure)
{
	struct feed_piece *piece = talloc_zero(feed, struct feed_piece);

	if (piece == NULL) {
		feed_out_of_memory(feed);
		return;
	}
	skip_count(feed, bad, sure, &piece->tally);
	piece->position = feed->position;
	piece->position.record_id = bad;
	piece->position.time_created = 0;
	memset(piece->position.hash, 0, COLLECT_HASH_SIZE);
	piece->position.passed = 0;
	collect_gap_commit(&piece->position, &piece->tally);
	feed->then = FEED_THEN_OPEN;
	feed_append_alone(feed, piece);
}

/* All can be read, it seems; whoever says otherwise again has to wait. */
static void skip_nothing(struct collect_feed *feed)
{
	struct collect_failure failure;

	if (!feed->in_vain) {
		feed->in_vain = true;
		feed_open(feed);
		return;
	}
	feed->in_vain = false;
	collect_failure_set(&failure, EVERR_LIMIT,
			    "%s: a record of %s cannot be read, and not be "
			    "found either",
			    feed->config->host, feed->channel->name);
	feed_retry(feed, &failure);
}

static void read_skipped(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	struct collect_failure failure;
	uint64_t bad = 0;
	uint64_t sure = 0;
	everr_t err;

	err = collect_skip_recv(req, &bad, &sure, &failure);
	TALLOC_FREE(req);
	feed->opening = NULL;
	if (err != EVERR_OK) {
		feed_failed(feed, &failure);
		return;
	}
	feed->hooks.alive(feed->private_data);
	if (bad == 0) {
		skip_nothing(feed);
		return;
	}
	skip_commit(feed, bad, sure);
}

/* ------------------------------------------------------------- answers */

static void take_origin(struct collect_feed *feed, struct feed_event *event)
{
	struct event_glance glance;
	everr_t err;

	event->mark = STORE_ORIGIN_CLAIMED;
	err = event_glance(feed->glancer, event->doc, event->len, &glance);
	if (err != EVERR_OK) {
		return;
	}
	event->mark = (uint8_t)collect_origin_mark(feed->origin, feed->kerberos,
						   &glance);
	if (event->mark == STORE_ORIGIN_MISMATCH) {
		event->computer = glance.computer;
		event->computer_units = glance.computer_units;
	}
}

/* A host's numbers begin with 1: 0 is none of them. */
static void take_record(struct collect_feed *feed, struct feed_batch *batch,
			uint32_t index)
{
	const struct collect_cursor *cursor = feed->cursor;
	struct feed_event *event = &batch->events[index];
	struct collect_event record;

	*event = (struct feed_event){.doc = NULL};
	if (collect_batch_event(cursor, batch->raw, index, &record) !=
		    EVERR_OK ||
	    record.record_id == 0) {
		return;
	}
	event->doc = record.result.event;
	event->len = record.result.event_len;
	event->record_id = record.record_id;
	if (feed->origin_number != 0) {
		take_origin(feed, event);
	}
}

static struct feed_batch *take_batch(struct collect_feed *feed,
				     struct collect_batch *raw)
{
	struct feed_batch *batch = talloc_zero(feed, struct feed_batch);
	uint32_t i;

	if (feed->glancer == NULL) {
		feed->glancer = event_glancer_create(feed);
	}
	if (batch == NULL || feed->glancer == NULL) {
		talloc_free(batch);
		return NULL;
	}
	batch->events = talloc_array(batch, struct feed_event, raw->num);
	if (batch->events == NULL) {
		talloc_free(batch);
		return NULL;
	}
	batch->raw = talloc_steal(batch, raw);
	batch->num = raw->num;
	for (i = 0; i < raw->num; i++) {
		take_record(feed, batch, i);
	}
	return batch;
}

static void read_events(struct collect_feed *feed, struct collect_batch *raw)
{
	struct feed_batch *batch = take_batch(feed, raw);

	if (batch == NULL) {
		/* The host's cursor has moved. */
		talloc_free(raw);
		feed_out_of_memory(feed);
		return;
	}
	feed->last_event = wintime_now();
	feed->last_full = batch->num >= feed->asked;
	feed->batches++;
	feed->passing = 0;
	feed->in_vain = false;
	backoff_reset(&feed->idle);
	feed_tell_heard(feed);
	read_more(feed);
	feed->ready = batch;
	feed_append(feed);
	feed_read(feed);
}

/*
 * Nothing there.  A pull subscription waits; but where the host says again and
 * again that there is something, it is not asked without end.
 */
static void read_nothing(struct collect_feed *feed)
{
	feed->last_full = false;
	if (feed->cursor->kind == COLLECT_PULL && !feed->waited) {
		read_wait(feed);
		return;
	}
	feed->waited = false;
	feed_pause(feed);
}

static void read_failed(struct collect_feed *feed,
			const struct collect_failure *failure)
{
	if (collect_failure_is_bound(failure)) {
		read_less(feed);
		return;
	}
	if (collect_failure_is_connection(failure)) {
		feed_broken(feed, failure);
		return;
	}
	switch (failure->err) {
	case EVERR_STALE:
	case EVERR_NOT_FOUND:
	case EVERR_CHANNEL_NOT_FOUND:
	case EVERR_CANCELLED:
	case EVERR_INVALID:
		/* The subscription ended; once at once, then slower. */
		if (feed->progress) {
			feed_reopen(feed);
			return;
		}
		break;
	default:
		break;
	}
	feed_retry(feed, failure);
}

static void read_done(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	struct collect_batch *raw = NULL;
	struct collect_failure failure;
	everr_t err;

	err = collect_next_recv(req, feed, &raw, &failure);
	TALLOC_FREE(req);
	feed->reading = NULL;
	if (err != EVERR_OK) {
		read_failed(feed, &failure);
		return;
	}
	feed->hooks.alive(feed->private_data);
	if (raw->num == 0) {
		talloc_free(raw);
		read_nothing(feed);
		return;
	}
	feed->waited = false;
	read_events(feed, raw);
}

static void read_waited(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	struct collect_failure failure;
	everr_t err;

	err = collect_wait_recv(req, &failure);
	TALLOC_FREE(req);
	feed->reading = NULL;
	if (err != EVERR_OK) {
		read_failed(feed, &failure);
		return;
	}
	feed->hooks.alive(feed->private_data);
	feed->waited = true;
	if (wintime_now() - feed->wait_began >= WAIT_REAL) {
		backoff_reset(&feed->idle);
	}
	feed_read(feed);
}
