/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/feed_internal.h"

#include "base/text.h"
#include "base/wintime.h"

#include <string.h>
#include <sys/random.h>

/* Waits for answers without events, and for the store; milliseconds. */
#define IDLE_MIN_MS 100
#define IDLE_MAX_MS 5000
#define BLOCKED_MIN_MS 500
#define BLOCKED_MAX_MS 30000
/* Between two reports of gaps. */
#define GAP_PAUSE_MIN_MS 5000
#define GAP_PAUSE_MAX_MS 60000

/* ---------------------------------------------------------------- tools */

uint32_t feed_random(void)
{
	uint32_t value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(value)) {
		return 0;
	}
	return value;
}

void feed_timer(struct collect_feed *feed, struct timer *timer, uint64_t ms,
		void (*fn)(void *private_data))
{
	timer->fn = fn;
	timer->private_data = feed;
	timer_set(feed->env.timers, timer, ms);
}

void feed_set_state(struct collect_feed *feed, enum collect_feed_state state)
{
	if (feed->state != state) {
		feed->state = state;
		feed->since = wintime_now();
	}
}

static void note_failure(struct collect_feed *feed,
			 const struct collect_failure *failure)
{
	feed->failure = *failure;
	feed->failure_time = wintime_now();
}

/* -------------------------------------------------------------- closing */

static void closed(struct tevent_req *req)
{
	struct collect_failure ignored;

	(void)!collect_close_recv(req, &ignored);
	talloc_free(req);
}

void feed_close(struct collect_feed *feed)
{
	struct tevent_req *req = NULL;

	TALLOC_FREE(feed->opening);
	TALLOC_FREE(feed->reading);
	timer_cancel(&feed->idle_timer);
	timer_cancel(&feed->retry_timer);
	feed->open_waits = false;
	feed->passing = 0;
	if (feed->cursor == NULL) {
		return;
	}
	/* The next subscription need not wait for the end of this one. */
	req = collect_close_send(feed->session, feed->env.ev, feed->cursor);
	if (req != NULL) {
		tevent_req_set_callback(req, closed, NULL);
	}
	TALLOC_FREE(feed->cursor);
}

void feed_reopen(struct collect_feed *feed)
{
	feed_close(feed);
	if (feed->state == COLLECT_FEED_READING) {
		feed_set_state(feed, COLLECT_FEED_OPENING);
	}
	feed_open(feed);
}

void feed_unproved(struct collect_feed *feed)
{
	feed->unproved = true;
	feed_reopen(feed);
}

/* Everything of the connection; what was read goes on to the store. */
static void session_end(struct collect_feed *feed)
{
	timer_cancel(&feed->retry_timer);
	timer_cancel(&feed->idle_timer);
	TALLOC_FREE(feed->session);
	feed->connection = NULL;
	feed->opening = NULL;
	feed->reading = NULL;
	feed->looking = NULL;
	feed->cursor = NULL;
	feed->open_waits = false;
	feed->skip_waits = false;
	feed->then = FEED_THEN_NOTHING;
	feed->refused = false;
	feed->unproved = false;
	feed->passing = 0;
	feed_set_state(feed, COLLECT_FEED_DOWN);
	feed_append(feed);
}

/* ------------------------------------------------------------- failures */

void feed_broken(struct collect_feed *feed,
		 const struct collect_failure *failure)
{
	note_failure(feed, failure);
	session_end(feed);
	feed->hooks.broken(&feed->failure, feed->private_data);
}

static void retry_now(void *private_data)
{
	struct collect_feed *feed = private_data;

	feed_open(feed);
}

void feed_retry(struct collect_feed *feed,
		const struct collect_failure *failure)
{
	note_failure(feed, failure);
	feed_close(feed);
	feed->refused = false;
	feed->unproved = false;
	feed_set_state(feed, COLLECT_FEED_RETRYING);
	feed_tell_failed(feed);
	feed_timer(feed, &feed->retry_timer,
		   backoff_next(&feed->retry, feed_random()), retry_now);
}

void feed_failed(struct collect_feed *feed,
		 const struct collect_failure *failure)
{
	if (collect_failure_is_connection(failure)) {
		feed_broken(feed, failure);
		return;
	}
	feed_retry(feed, failure);
}

void feed_out_of_memory(struct collect_feed *feed)
{
	struct collect_failure failure;

	collect_failure_set(&failure, EVERR_NOMEM, "out of memory");
	feed_retry(feed, &failure);
}

/* -------------------------------------------------------------- looking */

static void look_again(void *private_data)
{
	struct collect_feed *feed = private_data;

	(void)feed_look(feed);
}

/* They are not all at the same time. */
static void look_later(struct collect_feed *feed)
{
	uint32_t ms = COLLECT_FEED_LOOK * 1000;

	feed_timer(feed, &feed->look_timer, ms - feed_random() % (ms / 4),
		   look_again);
}

/*
 * A filter that had nothing to give between two looks has passed what was the
 * newest record at the first of them.
 */
static void look_passed(struct collect_feed *feed)
{
	struct collect_position *position = &feed->position;

	if (!feed->filtered || feed->state != COLLECT_FEED_READING) {
		return;
	}
	if (feed->known && feed->passing > position->record_id &&
	    feed->passing > position->passed && feed_append_idle(feed)) {
		position->passed = feed->passing;
		feed->notes = true;
		feed_append_notes(feed);
	}
	feed->passing = feed->source_newest;
}

/*
 * The host has given all it has, and the position's event was not there: a log
 * that is shorter now, or has lost it.
 */
static void look_proof(struct collect_feed *feed)
{
	bool is_quiet = feed->proving_looked == feed->batches &&
			feed_append_idle(feed) && feed->ready == NULL;

	feed->proving_looked = feed->batches;
	if (feed->proving && feed->state == COLLECT_FEED_READING && is_quiet) {
		feed_unproved(feed);
	}
}

static void look_take(struct collect_feed *feed,
		      const struct collect_log_info *info)
{
	uint64_t oldest = info->values[COLLECT_LOG_OLDEST_RECORD];
	uint64_t num = info->values[COLLECT_LOG_NUM_RECORDS];

	if (!info->present[COLLECT_LOG_OLDEST_RECORD] || oldest == 0) {
		return;
	}
	feed->source_oldest = oldest;
	if (info->present[COLLECT_LOG_NUM_RECORDS] && num > 0 &&
	    num <= UINT64_MAX - oldest) {
		feed->source_newest = oldest + num - 1;
	}
	/* Numbers that are missing make this too small. */
	if (feed->source_newest < feed->position.record_id) {
		feed->source_newest = feed->position.record_id;
	}
}

static void look_done(struct tevent_req *req)
{
	struct collect_feed *feed =
		tevent_req_callback_data(req, struct collect_feed);
	struct collect_log_info info;
	struct collect_failure failure;
	everr_t err;

	err = collect_log_info_recv(req, &info, &failure);
	TALLOC_FREE(req);
	feed->looking = NULL;
	if (err != EVERR_OK && collect_failure_is_connection(&failure)) {
		feed_broken(feed, &failure);
		return;
	}
	if (err == EVERR_OK) {
		feed->hooks.alive(feed->private_data);
		look_take(feed, &info);
		look_passed(feed);
	}
	look_proof(feed);
	look_later(feed);
	feed_append(feed);
}

bool feed_look(struct collect_feed *feed)
{
	if (feed->session == NULL) {
		return false;
	}
	if (feed->looking != NULL) {
		return true;
	}
	timer_cancel(&feed->look_timer);
	feed->looking =
		collect_log_some_send(feed->session, feed->env.ev,
				      feed->connection, feed->channel->name,
				      1U << COLLECT_LOG_OLDEST_RECORD |
					      1U << COLLECT_LOG_NUM_RECORDS);
	if (feed->looking == NULL) {
		look_later(feed);
		return false;
	}
	tevent_req_set_callback(feed->looking, look_done, feed);
	return true;
}

/* ----------------------------------------------------------------- life */

static bool is_filtered(const char *query)
{
	size_t blank;

	if (query == NULL) {
		return false;
	}
	blank = strspn(query, " \t\r\n");
	return query[blank] != '\0' &&
	       !(query[blank] == '*' &&
		 query[blank + 1 + strspn(query + blank + 1, " \t\r\n")] ==
			 '\0');
}

/* What a crash has kept from being told. */
static void tell_old_gap(struct collect_feed *feed)
{
	struct collect_gap_tally tally = {.numbers = {0}};

	if (feed->position.gap_reported ||
	    feed->position.gap.cause == COLLECT_GAP_NONE) {
		return;
	}
	collect_gap_add(&tally, &feed->position.gap);
	feed_tell_gaps(feed, &tally);
}

static everr_t position_load(struct collect_feed *feed)
{
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = store_state_get(feed, feed->env.store, feed->state_name, &data,
			      &len);
	if (err == EVERR_NOT_FOUND) {
		feed->position.gap_reported = true;
		return EVERR_OK;
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = collect_position_decode(data, len, &feed->position);
	talloc_free(data);
	if (err == EVERR_OK) {
		feed->known = true;
		tell_old_gap(feed);
	}
	return err;
}

/*
 * One that cannot be read stops this channel, and not the host's others: to
 * begin anew would store again what is stored.
 */
static everr_t position_load_first(struct collect_feed *feed)
{
	everr_t err = position_load(feed);

	if (err == EVERR_STORE_CORRUPT || err == EVERR_STORE_VERSION) {
		feed->unreadable = true;
		return EVERR_OK;
	}
	return err;
}

bool feed_has_position(struct collect_feed *feed)
{
	struct collect_failure failure;
	everr_t err;

	if (!feed->unreadable) {
		return true;
	}
	err = position_load(feed);
	if (err == EVERR_OK) {
		feed->unreadable = false;
		return true;
	}
	collect_failure_set(&failure, err,
			    "%s: cannot go on with %s: its position in the "
			    "store (state %s) cannot be read: %s; restore the "
			    "store from a backup, or let it begin anew with "
			    "'evenlog collect forget %s %s'",
			    feed->config->host, feed->channel->name,
			    feed->state_name, everr_text(err),
			    feed->config->host, feed->channel->name);
	feed_retry(feed, &failure);
	return false;
}

void collect_feed_again(struct collect_feed *feed)
{
	if (feed->unreadable && timer_is_set(&feed->retry_timer)) {
		feed_timer(feed, &feed->retry_timer, 0, retry_now);
	}
}

static void backoffs(struct collect_feed *feed)
{
	uint64_t max_ms = feed->config->backoff_max * 1000;

	if (max_ms > UINT32_MAX / 2) {
		max_ms = UINT32_MAX / 2;
	}
	if (max_ms == 0) {
		max_ms = 1;
	}
	feed->retry.max_ms = (uint32_t)max_ms;
	feed->retry.min_ms = feed->retry.max_ms < COLLECT_FEED_RETRY_MIN
				     ? feed->retry.max_ms
				     : COLLECT_FEED_RETRY_MIN;
	feed->idle.min_ms = IDLE_MIN_MS;
	feed->idle.max_ms = IDLE_MAX_MS;
	feed->blocked.min_ms = BLOCKED_MIN_MS;
	feed->blocked.max_ms = BLOCKED_MAX_MS;
	feed->gap_pause.min_ms = GAP_PAUSE_MIN_MS;
	feed->gap_pause.max_ms = GAP_PAUSE_MAX_MS;
}

static everr_t feed_init(struct collect_feed *feed)
{
	everr_t err;

	feed->state_name = collect_position_name(feed, feed->config->host,
						 feed->channel->name);
	feed->label = talloc_asprintf(feed, "%s/%s", feed->config->host,
				      feed->channel->name);
	if (feed->state_name == NULL || feed->label == NULL) {
		return EVERR_NOMEM;
	}
	err = store_channel_find(feed->env.store, feed->config->target,
				 &feed->target);
	if (err != EVERR_OK) {
		return err;
	}
	err = collect_origin_create(feed, feed->config->host, &feed->origin);
	if (err != EVERR_OK) {
		return err;
	}
	err = store_origin_number(feed->env.store, feed->config->host,
				  &feed->origin_number);
	/* More hosts than have numbers: their events go without. */
	if (err != EVERR_OK && err != EVERR_LIMIT) {
		return err;
	}
	return position_load_first(feed);
}

static int feed_destructor(struct collect_feed *feed)
{
	timer_cancel(&feed->retry_timer);
	timer_cancel(&feed->idle_timer);
	timer_cancel(&feed->blocked_timer);
	timer_cancel(&feed->look_timer);
	timer_cancel(&feed->gap_timer);
	timer_cancel(&feed->silence_timer);
	return 0;
}

everr_t collect_feed_create(TALLOC_CTX *mem_ctx,
			    const struct collect_feed_env *env,
			    const struct collect_config *config,
			    const struct collect_channel_config *channel,
			    const struct collect_feed_hooks *hooks,
			    void *private_data, struct collect_feed **ret_feed)
{
	struct collect_feed *feed = talloc_zero(mem_ctx, struct collect_feed);
	everr_t err;

	if (feed == NULL) {
		return EVERR_NOMEM;
	}
	feed->env = *env;
	feed->config = config;
	feed->channel = channel;
	feed->hooks = *hooks;
	feed->private_data = private_data;
	feed->filtered = is_filtered(channel->query);
	feed->batch = config->batch;
	feed->created = wintime_now();
	feed->since = feed->created;
	backoffs(feed);
	talloc_set_destructor(feed, feed_destructor);
	err = feed_init(feed);
	if (err != EVERR_OK) {
		talloc_free(feed);
		return err;
	}
	feed_watch_silence(feed);
	*ret_feed = feed;
	return EVERR_OK;
}

void collect_feed_up(struct collect_feed *feed,
		     struct collect_connection *connection, bool kerberos)
{
	collect_feed_down(feed);
	feed->session = talloc_new(feed);
	if (feed->session == NULL) {
		return;
	}
	feed->connection = connection;
	feed->kerberos = kerberos;
	feed_open(feed);
}

void collect_feed_down(struct collect_feed *feed)
{
	if (feed->session != NULL) {
		session_end(feed);
	}
}

/* ----------------------------------------------------------------- info */

static uint64_t rate_slot(void)
{
	return wintime_now() / (WINTIME_SECOND * FEED_RATE_SECONDS);
}

void feed_count(struct collect_feed *feed, uint64_t events, uint64_t bytes)
{
	uint64_t slot = rate_slot();
	uint64_t i;

	for (i = 0; i < FEED_RATE_SLOTS && feed->rate_slot + i < slot; i++) {
		feed->rate_counts[(slot - i) % FEED_RATE_SLOTS] = 0;
	}
	feed->rate_slot = slot;
	feed->rate_counts[slot % FEED_RATE_SLOTS] += (uint32_t)events;
	feed->events += events;
	feed->bytes += bytes;
}

/* Over the slots before, and what there is of this one. */
static double rate(const struct collect_feed *feed)
{
	uint64_t span = WINTIME_SECOND * FEED_RATE_SECONDS;
	uint64_t now = wintime_now();
	uint64_t slot = now / span;
	uint64_t first = (slot - (FEED_RATE_SLOTS - 1)) * span;
	uint64_t begin = feed->created > first ? feed->created : first;
	double seconds = (double)(now - begin) / WINTIME_SECOND;
	uint64_t sum = 0;
	uint64_t i;

	for (i = 0; i < FEED_RATE_SLOTS; i++) {
		if (slot - i <= feed->rate_slot &&
		    feed->rate_slot - (slot - i) < FEED_RATE_SLOTS) {
			sum += feed->rate_counts[(slot - i) % FEED_RATE_SLOTS];
		}
	}
	return (double)sum / (seconds < 1 ? 1 : seconds);
}

static void info_lag(const struct collect_feed *feed,
		     struct collect_feed_info *info)
{
	uint64_t now = wintime_now();
	uint64_t time = feed->position.time_created;
	bool more = feed->last_full;

	if (!feed->filtered && feed->source_newest > feed->position.record_id) {
		info->lag_events =
			feed->source_newest - feed->position.record_id;
		more = true;
	}
	if (more && time != 0 && time < now) {
		info->lag_seconds = (now - time) / WINTIME_SECOND;
	}
}

void collect_feed_info(const struct collect_feed *feed,
		       struct collect_feed_info *ret_info)
{
	*ret_info = (struct collect_feed_info){
		.channel = feed->channel->name,
		.target = feed->config->target,
		.state = feed->state,
		.since = feed->since,
		.position = feed->position,
		.events = feed->events,
		.bytes = feed->bytes,
		.batches = feed->batches,
		.rate = rate(feed),
		.last_event = feed->last_event,
		.batch = feed->batch,
		.source_newest = feed->source_newest,
		.mismatched = feed->mismatched,
		.silent = feed->silent,
		.stuck = feed->unreadable,
		.failure = feed->failure,
		.failure_time = feed->failure_time,
	};
	info_lag(feed, ret_info);
}
