/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/feed_internal.h"

#include "base/text.h"
#include "collect/compare.h"

#include <string.h>

static void open_compared(struct tevent_req *req);
static void open_subscribed(struct tevent_req *req);

void feed_open(struct collect_feed *feed)
{
	const struct collect_position *position = NULL;

	/* First: what is found in it may begin to write it. */
	if (!feed_has_position(feed)) {
		return;
	}
	if (!feed_append_idle(feed)) {
		feed->open_waits = true;
		return;
	}
	if (feed->skip_waits) {
		feed_skip(feed);
		return;
	}
	if (feed->state != COLLECT_FEED_RETRYING) {
		feed_set_state(feed, COLLECT_FEED_OPENING);
	}
	if (feed->known || feed->config->read_existing) {
		position = &feed->position;
	}
	feed->opening = collect_compare_send(feed->session, feed->env.ev,
					     feed->connection,
					     feed->channel->name, position);
	if (feed->opening == NULL) {
		feed_out_of_memory(feed);
		return;
	}
	tevent_req_set_callback(feed->opening, open_compared, feed);
}

/* ----------------------------------------------------------- compared */

/*
 * What is here now will not be read, what comes will: the place between is
 * kept before anything is subscribed to, so that it stays the same whatever
 * happens.
 */
static void first_position(struct collect_feed *feed,
			   const struct collect_facts *facts,
			   struct collect_position *position)
{
	position->record_id = facts->newest;
	position->time_created = facts->newest_digest.time_created;
	memcpy(position->hash, facts->newest_digest.hash, COLLECT_HASH_SIZE);
	feed->plan = (struct collect_plan){
		.from = facts->newest != 0 ? COLLECT_FROM_BOOKMARK
					   : COLLECT_FROM_OLDEST,
		.strict = true,
		.record_id = facts->newest,
	};
}

static void next_position(struct collect_feed *feed,
			  const struct collect_facts *facts,
			  struct feed_piece *piece)
{
	struct collect_memory memory = {
		.filtered = feed->filtered,
		.newest = feed->source_newest,
		.refused = feed->refused,
		.unproved = feed->unproved,
	};
	struct collect_position *position = &piece->position;

	collect_resume(position, facts, &memory, &feed->plan);
	if (feed->plan.restart) {
		position->record_id = feed->plan.record_id;
		position->time_created = 0;
		memset(position->hash, 0, COLLECT_HASH_SIZE);
		position->passed = 0;
		/* What was seen of the log before is not of this one. */
		feed->source_newest = 0;
		feed->source_oldest = 0;
	}
	collect_gap_add(&piece->tally, &feed->plan.gap);
	collect_gap_commit(position, &piece->tally);
	feed->again = feed->plan.again ? position->record_id : 0;
	feed->proving = feed->plan.prove;
}

static bool is_same_position(const struct collect_position *a,
			     const struct collect_position *b)
{
	uint8_t bytes_a[COLLECT_POSITION_MAX];
	uint8_t bytes_b[COLLECT_POSITION_MAX];
	size_t len = collect_position_encode(a, bytes_a);

	return len == collect_position_encode(b, bytes_b) &&
	       memcmp(bytes_a, bytes_b, len) == 0;
}

static void open_decide(struct collect_feed *feed,
			const struct collect_facts *facts)
{
	struct feed_piece *piece = talloc_zero(feed, struct feed_piece);

	if (piece == NULL) {
		feed_out_of_memory(feed);
		return;
	}
	piece->position = feed->position;
	if (feed->known || feed->config->read_existing) {
		next_position(feed, facts, piece);
	} else {
		first_position(feed, facts, &piece->position);
	}
	if (facts->created != 0) {
		piece->position.log_created = facts->created;
	}
	if (facts->newest > feed->source_newest) {
		feed->source_newest = facts->newest;
	}
	if (feed->known &&
	    is_same_position(&piece->position, &feed->position)) {
		talloc_free(piece);
		feed_subscribe(feed);
		return;
	}
	feed->then = FEED_THEN_SUBSCRIBE;
	feed_append_alone(feed, piece);
}

static void open_compared(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	struct collect_failure failure;
	struct collect_facts facts;
	everr_t err;

	err = collect_compare_recv(req, &facts, &failure);
	TALLOC_FREE(req);
	feed->opening = NULL;
	if (err != EVERR_OK) {
		feed_failed(feed, &failure);
		return;
	}
	feed->hooks.alive(feed->private_data);
	open_decide(feed, &facts);
}

/* ---------------------------------------------------------- subscribe */

void feed_subscribe(struct collect_feed *feed)
{
	struct event_bookmark bookmark = {
		.channel = feed->channel->name,
		.record_id = feed->plan.record_id,
		.is_current = true,
	};
	struct event_bookmark_list list = {
		.bookmarks = &bookmark,
		.num_bookmarks = 1,
	};
	struct collect_request request = {
		.kind = feed->config->delivery == COLLECT_DELIVERY_PULL
				? COLLECT_PULL
				: COLLECT_PUSH,
		.channel = collect_query_is_structured(feed->channel->query)
				   ? NULL
				   : feed->channel->name,
		.query = feed->channel->query,
		.from = feed->plan.from,
		.bookmark = &list,
		.strict = feed->plan.strict,
	};

	feed->opening = collect_open_send(feed->session, feed->env.ev,
					  feed->connection, &request);
	if (feed->opening == NULL) {
		feed_out_of_memory(feed);
		return;
	}
	tevent_req_set_callback(feed->opening, open_subscribed, feed);
}

/* One channel, the one that the position is about. */
static everr_t check_channels(const struct collect_feed *feed,
			      const struct collect_cursor *cursor,
			      struct collect_failure *failure)
{
	const char *where = cursor->connection->where;

	if (cursor->num_channels != 1 ||
	    !text_name_equal(cursor->channels[0].name, feed->channel->name)) {
		return collect_failure_set(
			failure, EVERR_QUERY_SYNTAX,
			"%s: the query for %s must name this channel and no "
			"other",
			where, feed->channel->name);
	}
	if (cursor->channels[0].status != 0) {
		return collect_failure_win32(failure, where,
					     "subscribe to the channel",
					     cursor->channels[0].status);
	}
	return EVERR_OK;
}

/*
 * The host does not take a bookmark that was right a moment ago, or is as
 * Strict as none should be: look again, and do without it.
 */
static bool is_bookmark_refused(const struct collect_feed *feed,
				const struct collect_failure *failure)
{
	return feed->plan.from == COLLECT_FROM_BOOKMARK && !feed->refused &&
	       (failure->err == EVERR_STALE ||
		failure->err == EVERR_NOT_FOUND ||
		failure->err == EVERR_QUERY_SYNTAX ||
		failure->err == EVERR_NOT_SUPPORTED ||
		failure->err == EVERR_INVALID);
}

static void open_subscribed(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	struct collect_cursor *cursor = NULL;
	struct collect_failure failure;
	everr_t err;

	err = collect_open_recv(req, feed->session, &cursor, &failure);
	TALLOC_FREE(req);
	feed->opening = NULL;
	if (err != EVERR_OK && is_bookmark_refused(feed, &failure)) {
		feed->refused = true;
		feed_open(feed);
		return;
	}
	if (err == EVERR_OK) {
		feed->hooks.alive(feed->private_data);
		feed->cursor = cursor;
		err = check_channels(feed, cursor, &failure);
	}
	if (err != EVERR_OK) {
		feed_failed(feed, &failure);
		return;
	}
	feed->progress = false;
	feed->waited = false;
	feed->proving_looked = UINT64_MAX;
	feed_set_state(feed, COLLECT_FEED_READING);
	feed_tell_reading(feed);
	(void)feed_look(feed);
	/* Those that came while the log was opened. */
	feed_append_notes(feed);
	feed_read(feed);
}
