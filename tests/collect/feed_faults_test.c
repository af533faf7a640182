/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Feeds whose host, connection or position fails: what ends and what goes on,
 * how often it is tried again, and what an administrator is told.
 */

#include "tests/collect/feeding.h"

/* --------------------------------------------------------- hosts that fail */

static void test_access_that_is_denied_then_granted(void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->info_error = 5;
	add(t, 1, 2, "a");
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	assert_int_equal(info(t).failure.err, EVERR_ACCESS);
	t->log->info_error = 0;
	fixture_until(t->f, position_of(t) == 2);
	assert_int_equal(info(t).state, COLLECT_FEED_READING);
	assert_int_equal(t->broken, 0);
}

static void set_state(struct feeding *t, const char *name, const void *data,
		      size_t len)
{
	const struct store_state change = {
		.name = name, .data = data, .len = len};
	struct tevent_req *req = NULL;
	uint64_t first = 0;
	size_t bad = 0;

	req = store_append_send(t, t->f->ev, t->target, NULL, 0, &change, 1);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, t->f->ev));
	assert_int_equal(store_append_recv(req, &first, &bad), EVERR_OK);
	talloc_free(req);
}

/*
 * Its channel says so and is left alone, since what it would read might be
 * stored already; the host's others go on.
 */
static void test_a_damaged_position_stops_its_channel_alone(void **state)
{
	static const char name[] = "collect/dc1.example/application";
	struct feeding *t = feeding_new(state);
	uint8_t *data = NULL;
	size_t len = 0;

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	TALLOC_FREE(t->feed);
	assert_int_equal(store_state_get(t, t->f->store, name, &data, &len),
			 EVERR_OK);
	add(t, 4, 4, "a");

	set_state(t, name, data, len - 1);
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	assert_int_equal(info(t).failure.err, EVERR_STORE_CORRUPT);
	assert_non_null(strstr(info(t).failure.text, name));
	assert_stored(t, "a-1 a-2 a-3");
	assert_int_equal(t->broken, 0);

	/* It is looked at again. */
	set_state(t, name, data, len);
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-1 a-2 a-3 a-4");
	assert_int_equal(info(t).position.gaps, 0);
}

/* Without its position it is a new one, and need not wait for its next turn. */
static void test_a_stuck_channel_begins_anew_when_it_is_forgotten(void **state)
{
	static const char name[] = "collect/dc1.example/application";
	struct feeding *t = feeding_new(state);
	uint64_t last;
	int i;

	t->config.backoff_max = 3600;
	t->patient = true;
	add(t, 1, 3, "a");
	set_state(t, name, "x", 1);
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	assert_true(info(t).stuck);
	assert_stored(t, "");
	/* Each attempt in vain doubles the wait, up to an hour. */
	for (i = 0; i < 10; i++) {
		last = info(t).failure_time;
		collect_feed_again(t->feed);
		fixture_until(t->f, info(t).failure_time != last);
	}

	set_state(t, name, NULL, 0);
	collect_feed_again(t->feed);
	fixture_until(t->f, position_of(t) == 3);
	assert_false(info(t).stuck);
	assert_stored(t, "a-1 a-2 a-3");
	assert_int_equal(info(t).position.gaps, 0);
	/* For one that reads it is nothing. */
	collect_feed_again(t->feed);
	assert_int_equal(info(t).state, COLLECT_FEED_READING);
}

/*
 * What is found in it may have to be written at once: a gap that was not told
 * yet.  The log is compared when that is written, not meanwhile.
 */
static void test_a_position_that_is_back_with_a_gap_to_be_told(void **state)
{
	static const char name[] = "collect/dc1.example/application";
	struct feeding *t = feeding_new(state);
	uint8_t bytes[COLLECT_POSITION_MAX];
	struct collect_position position;
	size_t len;

	add(t, 1, 1, "a");
	add(t, 4, 4, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 4 && is_quiet(t));
	position = info(t).position;
	TALLOC_FREE(t->feed);
	position.gap_reported = false;
	/* So that to open the log writes, too. */
	position.log_created = 0;

	set_state(t, name, "x", 1);
	add(t, 5, 5, "a");
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	len = collect_position_encode(&position, bytes);
	set_state(t, name, bytes, len);
	fixture_until(t->f, position_of(t) == 5 && is_quiet(t));
	assert_stored(t, "a-1 a-4 a-5");
	assert_int_equal(info(t).position.gaps, 1);
	assert_whole(t);
}

static void test_a_broken_connection_is_handed_up(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 2, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 2 && is_quiet(t));
	t->log->next_status = NT_STATUS_CONNECTION_DISCONNECTED;
	add(t, 3, 3, "a");
	fixture_until(t->f, t->broken == 1);
	assert_int_equal(info(t).state, COLLECT_FEED_DOWN);
	collect_feed_down(t->feed);
	collect_feed_up(t->feed, t->log->connection, false);
	fixture_until(t->f, position_of(t) == 3);
	assert_stored(t, "a-1 a-2 a-3");
	assert_int_equal(t->broken, 1);
}

/*
 * It stops its channel: the host's others share the connection, which is as
 * good as before.  What was in it is asked for again.
 */
static void check_malformed(struct feeding *t, uint32_t *misbehaviour)
{
	add(t, 1, 2, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 2 && is_quiet(t));
	*misbehaviour = 1;
	add(t, 3, 4, "a");
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	assert_int_equal(info(t).failure.err, EVERR_PROTOCOL);
	assert_non_null(strstr(info(t).failure.text, "malformed"));
	assert_int_equal(t->broken, 0);
	assert_stored(t, "a-1 a-2");

	*misbehaviour = 0;
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-1 a-2 a-3 a-4");
	assert_int_equal(info(t).position.gaps, 0);
	assert_int_equal(t->broken, 0);
}

static void test_an_answer_that_ends_too_early_stops_its_channel_alone(
	void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->service->cut_opnum = 1;
	check_malformed(t, &t->log->service->cut);
}

static void test_an_answer_that_contradicts_itself_stops_its_channel_alone(
	void **state)
{
	struct feeding *t = feeding_new(state);

	check_malformed(t, &t->log->torn);
}

/*
 * The position's record is missing, and what the log has around it was not
 * understood: that is no reason to store it once more.
 */
static void test_bounds_that_are_malformed_are_not_taken_for_none(void **state)
{
	static const char name[] = "collect/dc1.example/application";
	const struct collect_position position = {.record_id = 3,
						  .gap_reported = true};
	uint8_t bytes[COLLECT_POSITION_MAX];
	struct feeding *t = feeding_new(state);

	add(t, 1, 2, "a");
	add(t, 4, 5, "a");
	set_state(t, name, bytes, collect_position_encode(&position, bytes));
	t->log->service->cut_opnum = 11;
	t->log->service->cut = 1;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING ||
				    position_of(t) == 5);
	assert_stored(t, "");
	assert_non_null(strstr(info(t).failure.text, "malformed"));
	assert_int_equal(t->broken, 0);

	t->log->service->cut = 0;
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-4 a-5");
	assert_int_equal(info(t).position.gaps, 0);
}

/* What breaks the transport's own framing has such a status, too. */
static void test_an_answer_that_ends_the_connection_is_handed_up(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 2, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 2 && is_quiet(t));
	t->log->service->cut_opnum = 1;
	t->log->service->cut = 1;
	t->log->service->dead = true;
	add(t, 3, 3, "a");
	fixture_until(t->f, t->broken == 1);
	assert_int_equal(info(t).state, COLLECT_FEED_DOWN);
}

/* Runs the loop for a while; what happens in it is counted. */
static void run_for(struct feeding *t, long ms)
{
	bool late = false;

	tevent_add_timer(t->f->ev, t->f,
			 tevent_timeval_current_ofs(0, ms * 1000), fixture_late,
			 &late);
	while (!late) {
		assert_int_equal(tevent_loop_once(t->f->ev), 0);
	}
}

/* It sends what is before the log's oldest record, for ever. */
static void test_records_that_cannot_be_make_no_busy_loop(void **state)
{
	struct feeding *t = feeding_new(state);

	t->patient = true;
	add(t, 1, 3, "a");
	collect_to(t, 3);
	add(t, 4, 7, "a");
	fake_log_trim(t->log, 6);
	t->log->lie_id = 2;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	run_for(t, 300);
	assert_true(t->log->subscriptions <= 5);
	assert_stored(t, "a-1 a-2 a-3");
}

static void test_waits_that_lie_make_no_busy_loop(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.delivery = COLLECT_DELIVERY_PULL;
	t->log->wait_lies = true;
	feed_start(t);
	fixture_until(t->f, t->log->service->calls[3] >= 1);
	run_for(t, 300);
	/* 50, 100 and 200 ms at the least between them. */
	assert_true(t->log->service->calls[2] <= 10);
	add(t, 1, 1, "a");
	fixture_until(t->f, position_of(t) == 1);
}

static void test_empty_answers_make_no_busy_loop(void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->next_lies = true;
	feed_start(t);
	run_for(t, 300);
	assert_true(t->log->service->calls[1] <= 6);
	add(t, 1, 1, "a");
	fixture_until(t->f, position_of(t) == 1);
}

static void test_a_subscription_that_always_fails_makes_no_busy_loop(
	void **state)
{
	struct feeding *t = feeding_new(state);

	t->patient = true;
	t->log->open_error = 0x3A9F;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	run_for(t, 300);
	assert_true(t->log->service->calls[0] <= 2);
}

/* --------------------------------------------------------------- reports */

/* How many events of this id are in Evenlog/Operational. */
static size_t reports(struct feeding *t, uint16_t event_id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {.id = 0};
	struct store_channel *channel = NULL;
	size_t num = 0;

	assert_int_equal(
		store_channel_find(t->f->store, OPERATIONAL_CHANNEL, &channel),
		EVERR_OK);
	assert_int_equal(store_snapshot_begin(t->f->store, &snapshot),
			 EVERR_OK);
	while (store_read(snapshot, channel, record.id + 1, false, &record) ==
	       EVERR_OK) {
		num += record.header.event_id == event_id;
	}
	store_snapshot_end(snapshot);
	return num;
}

static void with_reports(struct feeding *t)
{
	assert_int_equal(operational_create(t->f, t->f->ev, t->f->store,
					    "collector.example",
					    &t->operational),
			 EVERR_OK);
}

/* Many hosts whose gaps are committed together. */
static void test_gaps_of_many_hosts_at_once_are_all_told(void **state)
{
	enum {
		HOSTS = 150
	};
	struct feeding *t = feeding_new(state);
	struct collect_feed_env env = {.ev = t->f->ev, .timers = t->timers};
	struct collect_config configs[HOSTS];
	struct collect_feed *feeds[HOSTS];
	size_t i;

	with_reports(t);
	env.store = t->f->store;
	env.operational = t->operational;
	add(t, 1, 1, "a");
	add(t, 4, 4, "a");
	for (i = 0; i < HOSTS; i++) {
		configs[i] = t->config;
		configs[i].host = talloc_asprintf(t, "dc%zu.example", i);
		assert_int_equal(collect_feed_create(t->f, &env, &configs[i],
						     &t->channel, &hooks, t,
						     &feeds[i]),
				 EVERR_OK);
		collect_feed_up(feeds[i], t->log->connection, false);
	}
	for (i = 0; i < HOSTS; i++) {
		fixture_until(t->f, feeds[i]->position.gap_reported &&
					    feeds[i]->position.gaps == 1 &&
					    feed_append_idle(feeds[i]));
	}
	for (i = 0; i < HOSTS; i++) {
		talloc_free(feeds[i]);
	}
	TALLOC_FREE(t->operational);
	TALLOC_FREE(t->f->store);
	fixture_open(t->f);
	assert_int_equal(reports(t, OPERATIONAL_LOG_GAP), HOSTS);
}

/* What the store has as position. */
static struct collect_position committed(struct feeding *t)
{
	struct collect_position position = {.record_id = 0};
	uint8_t *data = NULL;
	size_t len = 0;

	if (store_state_get(t, t->f->store, "collect/dc1.example/application",
			    &data, &len) != EVERR_OK) {
		return position;
	}
	assert_int_equal(collect_position_decode(data, len, &position),
			 EVERR_OK);
	talloc_free(data);
	return position;
}

static void test_a_gap_is_told_once_and_that_is_kept(void **state)
{
	struct feeding *t = feeding_new(state);

	with_reports(t);
	add(t, 1, 1, "a");
	add(t, 4, 4, "a");
	feed_start(t);
	fixture_until(t->f, committed(t).gap.missing == 2 &&
				    committed(t).gap_reported);
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_GAP) == 1);
	assert_int_equal(committed(t).record_id, 4);
	assert_int_equal(committed(t).gap.missing, 2);
	assert_int_equal(reports(t, OPERATIONAL_LOG_READING), 1);

	/* Nor by the next feed. */
	TALLOC_FREE(t->feed);
	add(t, 5, 5, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 5 && is_quiet(t));
	TALLOC_FREE(t->feed);
	TALLOC_FREE(t->operational);
	assert_int_equal(reports(t, OPERATIONAL_LOG_GAP), 1);
}

static void test_a_gap_that_a_crash_kept_from_being_told(void **state)
{
	struct feeding *t = feeding_new(state);
	struct collect_position position;
	uint8_t bytes[COLLECT_POSITION_MAX];
	struct store_state states = {.name = "collect/dc1.example/application",
				     .data = bytes};
	uint64_t first_id = 0;

	with_reports(t);
	add(t, 1, 1, "a");
	add(t, 4, 4, "a");
	feed_start(t);
	fixture_until(t->f, committed(t).gap.missing == 2 &&
				    committed(t).gap_reported);
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_GAP) == 1);
	TALLOC_FREE(t->feed);
	position = committed(t);
	position.gap_reported = false;
	states.len = collect_position_encode(&position, bytes);
	assert_int_equal(
		fixture_recv(t->f,
			     store_append_send(t->f, t->f->ev, t->target, NULL,
					       0, &states, 1),
			     &first_id),
		EVERR_OK);

	feed_start(t);
	fixture_until(t->f, committed(t).gap.missing == 2 &&
				    committed(t).gap_reported);
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_GAP) == 2);
	TALLOC_FREE(t->feed);
	TALLOC_FREE(t->operational);
}

static void test_a_failure_is_told_once_for_each_reason(void **state)
{
	struct feeding *t = feeding_new(state);

	with_reports(t);
	t->log->open_error = 5;
	feed_start(t);
	fixture_until(t->f, t->log->subscriptions >= 2);
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_FAILED) == 1);
	t->log->open_error = 0;
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_READING) == 1);
	TALLOC_FREE(t->feed);
	TALLOC_FREE(t->operational);
	assert_int_equal(reports(t, OPERATIONAL_LOG_FAILED), 1);
}

static void test_silence_is_told_and_its_end(void **state)
{
	struct feeding *t = feeding_new(state);

	with_reports(t);
	t->config.silent_after = 1;
	feed_start(t);
	fixture_until(t->f, info(t).silent);
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_SILENT) == 1);
	add(t, 1, 1, "a");
	fixture_until(t->f, !info(t).silent);
	fixture_until(t->f, reports(t, OPERATIONAL_LOG_HEARD) == 1);
	TALLOC_FREE(t->feed);
	TALLOC_FREE(t->operational);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_access_that_is_denied_then_granted),
		leak_test(test_a_damaged_position_stops_its_channel_alone),
		leak_test(
			test_a_stuck_channel_begins_anew_when_it_is_forgotten),
		leak_test(test_a_position_that_is_back_with_a_gap_to_be_told),
		leak_test(test_a_broken_connection_is_handed_up),
		leak_test(
			test_an_answer_that_ends_too_early_stops_its_channel_alone),
		leak_test(
			test_an_answer_that_contradicts_itself_stops_its_channel_alone),
		leak_test(
			test_bounds_that_are_malformed_are_not_taken_for_none),
		leak_test(test_an_answer_that_ends_the_connection_is_handed_up),
		leak_test(test_records_that_cannot_be_make_no_busy_loop),
		leak_test(test_waits_that_lie_make_no_busy_loop),
		leak_test(test_empty_answers_make_no_busy_loop),
		leak_test(
			test_a_subscription_that_always_fails_makes_no_busy_loop),
		leak_test(test_a_gap_is_told_once_and_that_is_kept),
		leak_test(test_a_gap_that_a_crash_kept_from_being_told),
		leak_test(test_gaps_of_many_hosts_at_once_are_all_told),
		leak_test(test_a_failure_is_told_once_for_each_reason),
		leak_test(test_silence_is_told_and_its_end),
	};

	fixture_prepare();
	warm_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
