/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Feeds from a scripted host into a real store: what is stored, in which order,
 * how often, and what is counted as missing.
 */

#include "tests/collect/feeding.h"

/* ------------------------------------------------------------ first sight */

static void test_existing_events_are_read_and_then_the_new_ones(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3);
	add(t, 4, 5, "a");
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(info(t).state, COLLECT_FEED_READING);
	assert_int_equal(info(t).events, 5);
	assert_int_equal(info(t).position.gaps, 0);
	assert_int_equal(info(t).position.log_created, t->log->created);
	assert_true(t->alive > 0);
}

static void test_pull_waits_for_new_events(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.delivery = COLLECT_DELIVERY_PULL;
	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	assert_int_equal(t->log->service->calls[3], 1);
	add(t, 4, 4, "a");
	fixture_until(t->f, position_of(t) == 4 && is_quiet(t));
	assert_int_equal(t->log->service->calls[3], 2);
	assert_stored(t, "a-1 a-2 a-3 a-4");
}

static void test_first_sight_is_kept_before_subscribing(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.read_existing = false;
	add(t, 1, 3, "a");
	t->log->open_error = 5;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	assert_int_equal(position_of(t), 3);

	/* What comes before the next attempt is not lost. */
	add(t, 4, 4, "a");
	t->log->open_error = 0;
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-4");
	assert_int_equal(t->log->last_bookmark, 3);
}

static void test_first_sight_of_an_empty_log(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.read_existing = false;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_READING);
	TALLOC_FREE(t->feed);
	add(t, 1, 2, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 2);
	assert_stored(t, "a-1 a-2");
}

/* --------------------------------------------------------------- resuming */

static void test_a_restart_goes_on_after_the_last_event(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3);
	TALLOC_FREE(t->feed);
	add(t, 4, 6, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 a-6");
	assert_int_equal(t->log->last_bookmark, 3);
	assert_int_equal(info(t).position.gaps, 0);
	assert_int_equal(info(t).position.events, 6);
	assert_whole(t);
}

static void test_a_log_that_was_cleared_and_is_shorter(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 5, "a");
	collect_to(t, 5);
	fake_log_trim(t->log, 100);
	add(t, 1, 2, "b");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 2);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 b-1 b-2");
	assert_gap(t, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 6, 0, 0);
	assert_int_equal(info(t).position.gaps, 1);
}

static void test_a_log_that_was_cleared_and_has_grown_past(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	collect_to(t, 3);
	fake_log_trim(t->log, 100);
	add(t, 1, 6, "b");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-3 b-1 b-2 b-3 b-4 b-5 b-6");
	assert_int_equal(info(t).position.gap.cause, COLLECT_GAP_CLEARED);
	assert_int_equal(info(t).position.gaps, 1);
}

static void test_a_log_that_rolled_over(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	collect_to(t, 3);
	add(t, 4, 9, "a");
	fake_log_trim(t->log, 7);
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 9);
	assert_stored(t, "a-1 a-2 a-3 a-7 a-8 a-9");
	assert_gap(t, COLLECT_GAP_OVERWRITTEN, COLLECT_GAP_EXACT, 4, 6, 3);
	assert_int_equal(info(t).position.missing, 3);
	assert_int_equal(info(t).position.gaps, 1);
}

static void test_a_log_that_rolled_over_right_behind_the_position(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	collect_to(t, 3);
	add(t, 4, 5, "a");
	fake_log_trim(t->log, 4);
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(info(t).position.gaps, 0);
}

/* Record ids go on after a clear, as Windows does it. */
static void test_a_log_that_was_cleared_and_counts_on(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	collect_to(t, 3);
	fake_log_trim(t->log, 100);
	feed_restart(t);
	fixture_until(t->f, is_quiet(t));
	assert_int_equal(info(t).position.gaps, 0);
	add(t, 6, 7, "a");
	fixture_until(t->f, position_of(t) == 7);
	assert_stored(t, "a-1 a-2 a-3 a-6 a-7");
	assert_int_equal(info(t).position.gap.missing, 2);
	assert_int_equal(info(t).position.gaps, 1);
}

static void test_a_log_that_is_reset_under_the_subscription(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	fake_log_trim(t->log, 100);
	/* The host's cursor is moved as well. */
	fake_log_rewind(t->log);
	add(t, 1, 2, "b");
	fixture_until(t->f, position_of(t) == 2);
	assert_stored(t, "a-1 a-2 a-3 b-1 b-2");
	assert_int_equal(info(t).position.gap.cause, COLLECT_GAP_CLEARED);
	assert_int_equal(info(t).position.gaps, 1);
	assert_int_equal(t->broken, 0);
}

/* The subscription ends while a batch is written that makes it begin anew. */
static void test_two_reasons_to_begin_anew_at_once(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	fixture_disk_set(t->f, 1);
	/* Two records of number 4. */
	t->log->lie_id = 4;
	add(t, 4, 5, "a");
	fixture_until(t->f,
		      info(t).state == COLLECT_FEED_BLOCKED && is_quiet(t));
	t->log->lie_id = 0;
	t->log->next_error = 15011;
	fake_log_wake(t->log);
	fixture_until(t->f, !is_quiet(t));

	fixture_disk_set(t->f, UINT64_C(1) << 40);
	fixture_until(t->f, position_of(t) == 5 && is_quiet(t));
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(t->log->subscriptions, 2);
	add(t, 6, 6, "a");
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 a-6");
	assert_int_equal(info(t).position.gaps, 0);
}

static void test_events_that_are_sent_again_are_not_stored_again(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	fake_log_rewind(t->log);
	add(t, 4, 5, "a");
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(info(t).position.gaps, 0);
}

static void test_a_host_that_ignores_bookmarks(void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->ignore_bookmark = true;
	add(t, 1, 3, "a");
	collect_to(t, 3);
	add(t, 4, 5, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(info(t).position.gaps, 0);
}

static void refuse_bookmarks(void **state, uint32_t error)
{
	struct feeding *t = feeding_new(state);

	t->log->bookmark_error = error;
	add(t, 1, 3, "a");
	collect_to(t, 3);
	add(t, 4, 5, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(info(t).position.gaps, 0);
	/* From the oldest record, with the old ones left out. */
	assert_int_equal(t->log->last_flags & EVEN6_SUBSCRIBE_ORIGIN_MASK,
			 EVEN6_SUBSCRIBE_START_AT_OLDEST_RECORD);
}

static void test_a_bookmark_refused_as_stale(void **state)
{
	refuse_bookmarks(state, 0x3AA3);
}

static void test_a_bookmark_refused_as_not_found(void **state)
{
	refuse_bookmarks(state, 0x490);
}

static void test_a_bookmark_refused_as_a_query(void **state)
{
	refuse_bookmarks(state, 0x3A99);
}

static void test_a_host_that_cannot_seek(void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->seek_error = 50;
	add(t, 1, 3, "a");
	collect_to(t, 3);
	add(t, 4, 5, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(t->log->last_bookmark, 3);
	assert_true(t->log->last_flags & EVEN6_SUBSCRIBE_STRICT);
}

/* It brings its records from the oldest on, and nothing else. */
static struct feeding *feeding_blind(void **state, uint32_t bookmark_error)
{
	struct feeding *t = feeding_new(state);

	t->log->seek_error = 50;
	t->log->bookmark_error = bookmark_error;
	t->config.batch = 2;
	return t;
}

static void neither_seek_nor_bookmark(void **state, uint32_t bookmark_error)
{
	struct feeding *t = feeding_blind(state, bookmark_error);

	add(t, 1, 5, "a");
	collect_to(t, 5);
	add(t, 6, 7, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 7 && is_quiet(t));
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 a-6 a-7");
	TALLOC_FREE(t->feed);

	/* And with nothing new. */
	feed_restart(t);
	fixture_until(t->f, is_quiet(t));
	add(t, 8, 8, "a");
	fixture_until(t->f, position_of(t) == 8);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 a-6 a-7 a-8");
	assert_int_equal(info(t).position.gaps, 0);
	assert_whole(t);
}

static void test_neither_seek_nor_bookmark_doubles_nothing(void **state)
{
	neither_seek_nor_bookmark(state, 0x3AA3);
}

static void test_bookmarks_that_are_not_supported_double_nothing(void **state)
{
	neither_seek_nor_bookmark(state, 50);
}

static void test_bookmarks_that_are_a_bad_parameter_double_nothing(void **state)
{
	neither_seek_nor_bookmark(state, 87);
}

/* Not proved: rather twice than not at all. */
static void test_another_log_that_nothing_tells_apart_is_read(void **state)
{
	struct feeding *t = feeding_blind(state, 50);

	add(t, 1, 3, "a");
	collect_to(t, 3);
	fake_log_trim(t->log, 100);
	add(t, 1, 6, "b");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-3 b-1 b-2 b-3 b-4 b-5 b-6");
	assert_int_equal(info(t).position.gap.cause, COLLECT_GAP_CLEARED);
	assert_int_equal(info(t).position.gaps, 1);

	/* It is known from now on. */
	TALLOC_FREE(t->feed);
	add(t, 7, 7, "b");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 7);
	assert_stored(t, "a-1 a-2 a-3 b-1 b-2 b-3 b-4 b-5 b-6 b-7");
	assert_int_equal(info(t).position.gaps, 1);
}

static void test_a_proof_that_is_missing_is_no_proof(void **state)
{
	struct feeding *t = feeding_blind(state, 50);

	add(t, 1, 3, "a");
	collect_to(t, 3);
	fake_log_lose(t->log, 3);
	add(t, 4, 4, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-1 a-2 a-3 a-1 a-2 a-4");
	assert_true(info(t).position.gaps > 0);
}

/* The host tells nothing, and what it gives ends before the position. */
static void test_a_proof_is_not_waited_for_without_end(void **state)
{
	struct feeding *t = feeding_blind(state, 50);

	t->log->query_error = 50;
	add(t, 1, 3, "a");
	collect_to(t, 3);
	fake_log_trim(t->log, 100);
	add(t, 1, 2, "b");
	feed_restart(t);
	fixture_until(t->f, is_quiet(t) && t->feed->looking == NULL &&
				    feed_append_idle(t->feed));
	assert_stored(t, "a-1 a-2 a-3");

	/* Looks at the log, which come by themselves some time. */
	while (t->feed->proving) {
		assert_true(feed_look(t->feed));
		fixture_until(t->f, t->feed->looking == NULL);
	}
	fixture_until(t->f, position_of(t) == 2);
	assert_stored(t, "a-1 a-2 a-3 b-1 b-2");
	assert_int_equal(info(t).position.gap.cause, COLLECT_GAP_CLEARED);
}

/*
 * The record that the first position names is none that the filter brings, but
 * it is seen that nothing came behind it.
 */
static void test_old_records_are_not_read_for_want_of_a_proof(void **state)
{
	struct feeding *t = feeding_blind(state, 50);

	t->channel.query = "*[System[Level=1]]";
	t->config.read_existing = false;
	add(t, 1, 3, "a");
	fake_log_find(t->log, 3)->selected = false;
	feed_start(t);
	fixture_until(t->f, is_quiet(t));
	add(t, 4, 4, "a");
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-4");
	assert_int_equal(info(t).position.gaps, 0);
}

/* A subscription that ends; what was not read is read by the next one. */
static void end_subscription(void **state, uint32_t error)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	t->log->next_error = error;
	add(t, 4, 4, "a");
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-1 a-2 a-3 a-4");
	assert_int_equal(t->log->subscriptions, 2);
	assert_int_equal(t->broken, 0);
}

static void test_a_subscription_that_ends_as_stale(void **state)
{
	end_subscription(state, 0x3AA3);
}

static void test_a_subscription_that_is_cancelled(void **state)
{
	end_subscription(state, 0x4C7);
}

static void test_a_subscription_whose_channel_goes_and_comes(void **state)
{
	end_subscription(state, 0x3A9F);
}

/* ------------------------------------------------------------------ gaps */

static void test_numbers_that_are_missing_are_counted(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 2, "a");
	add(t, 5, 6, "a");
	add(t, 10, 10, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 10);
	assert_stored(t, "a-1 a-2 a-5 a-6 a-10");
	assert_gap(t, COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT, 3, 9, 5);
	assert_int_equal(info(t).position.gaps, 2);
	assert_int_equal(info(t).position.missing, 5);
}

static void test_a_roll_over_under_the_subscription(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 2, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 2 && is_quiet(t));
	fake_log_trim(t->log, 100);
	add(t, 7, 8, "a");
	fixture_until(t->f, position_of(t) == 8);
	assert_gap(t, COLLECT_GAP_OVERWRITTEN, COLLECT_GAP_EXACT, 3, 6, 4);
}

static void test_what_a_filter_leaves_is_no_gap(void **state)
{
	struct feeding *t = feeding_new(state);

	t->channel.query = "*[System[Level=1]]";
	add(t, 1, 6, "a");
	fake_log_find(t->log, 2)->selected = false;
	fake_log_find(t->log, 5)->selected = false;
	collect_to(t, 6);
	assert_stored(t, "a-1 a-3 a-4 a-6");
	add(t, 7, 9, "a");
	fake_log_trim(t->log, 9);
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 9);
	assert_gap(t, COLLECT_GAP_OVERWRITTEN, COLLECT_GAP_AT_MOST, 7, 8, 2);
	assert_int_equal(info(t).position.gaps, 1);
	assert_int_equal(info(t).position.at_most, 2);
	assert_int_equal(info(t).position.missing, 0);
}

/* -------------------------------------------------------- what is too large */

static void test_a_batch_that_is_too_large_is_halved(void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->bound = 20;
	add(t, 1, 50, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 50);
	assert_int_equal(info(t).events, 50);
	assert_int_equal(info(t).position.gaps, 0);
	assert_int_equal(info(t).batch, 16);

	/* And grows again. */
	t->log->bound = 0;
	add(t, 51, 60, "a");
	fixture_until(t->f, position_of(t) == 60 && is_quiet(t));
	while (info(t).batch < 64) {
		uint64_t next = position_of(t) + 1;

		add(t, next, next, "a");
		fixture_until(t->f, position_of(t) == next && is_quiet(t));
		assert_true(next < 200);
	}
}

static void test_a_bound_that_the_transport_reports(void **state)
{
	struct feeding *t = feeding_new(state);

	t->log->next_status = NT_STATUS_RPC_INVALID_BOUND;
	add(t, 1, 5, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 5);
	assert_int_equal(info(t).batch, 32);
	assert_int_equal(t->broken, 0);
	assert_int_equal(info(t).events, 5);
}

static void test_a_record_that_nobody_can_read_is_passed(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 6, "a");
	fake_log_find(t->log, 4)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-3 a-5 a-6");
	assert_gap(t, COLLECT_GAP_UNREADABLE, COLLECT_GAP_EXACT, 4, 4, 1);
	assert_int_equal(info(t).position.gaps, 1);
	assert_int_equal(info(t).position.missing, 1);
}

static void test_what_is_between_two_of_them_is_not_passed(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 9, "a");
	fake_log_find(t->log, 2)->too_large = true;
	fake_log_find(t->log, 3)->too_large = true;
	fake_log_find(t->log, 5)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 9);
	assert_stored(t, "a-1 a-4 a-6 a-7 a-8 a-9");
	assert_int_equal(info(t).position.missing, 3);
}

static void test_one_far_behind_is_found(void **state)
{
	struct feeding *t = feeding_new(state);

	t->channel.query = "*[System[Level=1]]";
	add(t, 1, 1, "a");
	add(t, 1000, 1000, "a");
	add(t, 1001, 1001, "a");
	add(t, 1005, 1005, "a");
	fake_log_find(t->log, 1000)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 1005);
	assert_stored(t, "a-1 a-1001 a-1005");
	/* 33 numbers behind the position have been looked at one by one. */
	assert_gap(t, COLLECT_GAP_UNREADABLE, COLLECT_GAP_AT_MOST, 35, 1000,
		   966);
	assert_int_equal(info(t).position.gaps, 1);
}

static void test_one_as_far_as_is_sure_is_exact(void **state)
{
	struct feeding *t = feeding_new(state);

	t->channel.query = "*[System[Level=1]]";
	add(t, 1, 1, "a");
	add(t, 35, 36, "a");
	fake_log_find(t->log, 35)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 36);
	assert_stored(t, "a-1 a-36");
	assert_gap(t, COLLECT_GAP_UNREADABLE, COLLECT_GAP_EXACT, 35, 35, 1);
}

/* The search steps over what can be read between two; it is not sure. */
static void test_what_a_filter_may_have_lost_is_counted(void **state)
{
	struct feeding *t = feeding_new(state);

	t->channel.query = "*[System[Level=1]]";
	add(t, 1, 1, "a");
	add(t, 100, 100, "a");
	add(t, 150, 150, "a");
	add(t, 160, 161, "a");
	fake_log_find(t->log, 100)->too_large = true;
	fake_log_find(t->log, 160)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 161);
	assert_stored(t, "a-1 a-161");
	assert_gap(t, COLLECT_GAP_UNREADABLE, COLLECT_GAP_AT_MOST, 35, 160,
		   126);
	assert_int_equal(info(t).position.at_most, 126);
	assert_int_equal(info(t).position.missing, 0);
}

/* What was before the log's oldest record was not lost by the search. */
static void test_a_first_record_that_nobody_can_read(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1000, 1003, "a");
	fake_log_find(t->log, 1000)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 1003);
	assert_stored(t, "a-1001 a-1002 a-1003");
	assert_gap(t, COLLECT_GAP_UNREADABLE, COLLECT_GAP_EXACT, 1000, 1000, 1);
}

static void test_the_last_one_is_passed_too(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	fake_log_find(t->log, 3)->too_large = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	TALLOC_FREE(t->feed);

	/* It still cannot be read: not even to compare it. */
	add(t, 4, 4, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-1 a-2 a-4");
	assert_int_equal(info(t).position.gaps, 1);
}

/* -------------------------------------------------- what cannot be stored */

static void spoil(struct feeding *t, uint64_t id)
{
	static const uint8_t garbage[] = {0x0F, 0x01, 0x01, 0x00, 0x77, 0x77};
	struct fake_record *record = fake_log_find(t->log, id);

	record->doc = garbage;
	record->len = sizeof(garbage);
}

static void test_events_that_the_store_refuses_are_left_out(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 6, "a");
	spoil(t, 2);
	spoil(t, 5);
	spoil(t, 6);
	feed_start(t);
	fixture_until(t->f, position_of(t) == 6 && is_quiet(t));
	assert_stored(t, "a-1 a-3 a-4");
	assert_int_equal(info(t).position.gap.cause, COLLECT_GAP_REFUSED);
	assert_int_equal(info(t).position.gaps, 3);
	assert_int_equal(info(t).position.missing, 3);
	assert_int_equal(info(t).position.events, 3);
	TALLOC_FREE(t->feed);

	/* The last one is known again, although it is no event. */
	add(t, 7, 7, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 7);
	assert_stored(t, "a-1 a-3 a-4 a-7");
	assert_int_equal(info(t).position.gaps, 3);
}

static void test_a_batch_of_nothing_but_refused_events(void **state)
{
	struct feeding *t = feeding_new(state);
	uint64_t id;

	t->config.batch = 1024;
	add(t, 1, 1024, "a");
	for (id = 1; id <= 1024; id++) {
		spoil(t, id);
	}
	add(t, 1025, 1025, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 1025);
	assert_stored(t, "a-1025");
	assert_int_equal(info(t).position.missing, 1024);
	assert_whole(t);
}

static void test_malformed_result_records_are_counted(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 6, "a");
	fake_log_find(t->log, 3)->malformed = true;
	fake_log_find(t->log, 4)->malformed = true;
	feed_start(t);
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-5 a-6");
	assert_gap(t, COLLECT_GAP_UNREADABLE, COLLECT_GAP_EXACT, 3, 4, 2);
}

/* A batch of several pieces: those before the event that begins the next. */
static void test_malformed_records_between_pieces_are_counted(void **state)
{
	const uint32_t len = FEED_PIECE_BYTES / 2 + 1;
	struct collect_position position = {.record_id = 1};
	struct feed_rules rules = {.filtered = true};
	struct feed_piece *piece = NULL;
	struct feed_batch *batch = talloc_zero(*state, struct feed_batch);
	uint8_t *doc = talloc_zero_size(batch, len);
	struct feed_event events[] = {
		{.doc = doc, .len = len, .record_id = 2},
		{.doc = NULL},
		{.doc = NULL},
		{.doc = doc, .len = len, .record_id = 9},
	};

	batch->events = events;
	batch->num = 4;
	assert_int_equal(feed_piece_cut(batch, &position, &rules, &piece),
			 EVERR_OK);
	assert_int_equal(piece->num, 1);
	assert_int_equal(piece->position.record_id, 2);
	assert_int_equal(piece->position.missing, 0);

	batch->done = piece->end;
	position = piece->position;
	assert_int_equal(feed_piece_cut(batch, &position, &rules, &piece),
			 EVERR_OK);
	assert_int_equal(piece->num, 1);
	assert_int_equal(piece->end, 4);
	assert_int_equal(piece->position.record_id, 9);
	assert_int_equal(piece->position.missing, 2);
	assert_int_equal(piece->position.gap.cause, COLLECT_GAP_UNREADABLE);
	talloc_free(batch);
}

static void test_a_full_disk_blocks_and_loses_nothing(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.batch = 2;
	fixture_disk_set(t->f, 1);
	add(t, 1, 9, "a");
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_BLOCKED);
	assert_int_equal(info(t).failure.err, EVERR_STORE_FULL);
	assert_stored(t, "");

	/* A connection that goes meanwhile takes nothing with it. */
	collect_feed_down(t->feed);
	collect_feed_up(t->feed, t->log->connection, false);
	fixture_disk_set(t->f, UINT64_C(1) << 40);
	fixture_until(t->f, position_of(t) == 9);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 a-6 a-7 a-8 a-9");
	fixture_until(t->f, info(t).state == COLLECT_FEED_READING);
	assert_whole(t);
}

static void test_a_target_that_is_removed_and_made_anew(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	assert_int_equal(store_channel_remove(t->target), EVERR_OK);
	add(t, 4, 5, "a");
	fixture_until(t->f, info(t).state == COLLECT_FEED_BLOCKED);
	assert_int_equal(info(t).failure.err, EVERR_CHANNEL_NOT_FOUND);

	t->target = fixture_channel(t->f, TARGET);
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-4 a-5");
	assert_int_equal(info(t).position.gaps, 0);
	assert_whole(t);
}

static void test_a_full_target_that_retains_blocks(void **state)
{
	struct feeding *t = feeding_new(state);
	struct store_channel_config config = {
		.enabled = true, .retain = true, .max_bytes = 1};
	struct store_channel *channel = NULL;

	assert_int_equal(
		store_channel_define(t->f->store, TARGET, &config, &channel),
		EVERR_OK);
	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_BLOCKED);
	assert_int_equal(info(t).failure.err, EVERR_CHANNEL_FULL);
	assert_int_equal(info(t).position.gaps, 0);
	fixture_channel(t->f, TARGET);
	fixture_until(t->f, position_of(t) == 3);
	assert_stored(t, "a-1 a-2 a-3");
	assert_int_equal(info(t).position.gaps, 0);
}

static void test_a_disabled_target_blocks(void **state)
{
	struct feeding *t = feeding_new(state);
	struct store_channel_config off = {.enabled = false};
	struct store_channel *channel = NULL;

	assert_int_equal(
		store_channel_define(t->f->store, TARGET, &off, &channel),
		EVERR_OK);
	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_BLOCKED);
	assert_int_equal(info(t).failure.err, EVERR_CHANNEL_DISABLED);
	fixture_channel(t->f, TARGET);
	fixture_until(t->f, position_of(t) == 3);
	assert_stored(t, "a-1 a-2 a-3");
}

/* --------------------------------------------------------------- origins */

/* The mark of the record with this id; its origin is the host. */
static uint8_t mark_of(struct feeding *t, uint64_t id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {.id = 0};

	assert_int_equal(store_snapshot_begin(t->f->store, &snapshot),
			 EVERR_OK);
	assert_int_equal(store_read(snapshot, t->target, id, false, &record),
			 EVERR_OK);
	assert_int_equal(record.id, id);
	store_snapshot_end(snapshot);
	assert_string_equal(store_origin_name(t->f->store, record.origin),
			    t->config.host);
	return record.origin_mark;
}

/* fixture_event()'s Computer is host.example. */
static void check_marks(void **state, const char *host, bool kerberos,
			uint8_t mark, uint64_t mismatched)
{
	struct feeding *t = feeding_new(state);

	t->config.host = host;
	add(t, 1, 2, "a");
	feed_start(t);
	collect_feed_up(t->feed, t->log->connection, kerberos);
	fixture_until(t->f, position_of(t) == 2);
	assert_int_equal(mark_of(t, 1), mark);
	assert_int_equal(mark_of(t, 2), mark);
	assert_int_equal(info(t).mismatched, mismatched);
}

static void test_events_of_a_proved_host_are_verified(void **state)
{
	check_marks(state, "HOST.example", true, STORE_ORIGIN_VERIFIED, 0);
}

static void test_events_of_another_computer_are_marked(void **state)
{
	check_marks(state, "dc1.example", true, STORE_ORIGIN_MISMATCH, 2);
}

static void test_a_host_that_proves_nothing_only_claims(void **state)
{
	check_marks(state, "dc1.example", false, STORE_ORIGIN_CLAIMED, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_existing_events_are_read_and_then_the_new_ones),
		leak_test(test_pull_waits_for_new_events),
		leak_test(test_first_sight_is_kept_before_subscribing),
		leak_test(test_first_sight_of_an_empty_log),
		leak_test(test_a_restart_goes_on_after_the_last_event),
		leak_test(test_a_log_that_was_cleared_and_is_shorter),
		leak_test(test_a_log_that_was_cleared_and_has_grown_past),
		leak_test(test_a_log_that_rolled_over),
		leak_test(
			test_a_log_that_rolled_over_right_behind_the_position),
		leak_test(test_a_log_that_was_cleared_and_counts_on),
		leak_test(test_a_log_that_is_reset_under_the_subscription),
		leak_test(test_two_reasons_to_begin_anew_at_once),
		leak_test(test_events_that_are_sent_again_are_not_stored_again),
		leak_test(test_a_host_that_ignores_bookmarks),
		leak_test(test_a_bookmark_refused_as_stale),
		leak_test(test_a_bookmark_refused_as_not_found),
		leak_test(test_a_bookmark_refused_as_a_query),
		leak_test(test_a_host_that_cannot_seek),
		leak_test(test_neither_seek_nor_bookmark_doubles_nothing),
		leak_test(test_bookmarks_that_are_not_supported_double_nothing),
		leak_test(
			test_bookmarks_that_are_a_bad_parameter_double_nothing),
		leak_test(test_another_log_that_nothing_tells_apart_is_read),
		leak_test(test_a_proof_that_is_missing_is_no_proof),
		leak_test(test_a_proof_is_not_waited_for_without_end),
		leak_test(test_old_records_are_not_read_for_want_of_a_proof),
		leak_test(test_a_subscription_that_ends_as_stale),
		leak_test(test_a_subscription_that_is_cancelled),
		leak_test(test_a_subscription_whose_channel_goes_and_comes),
		leak_test(test_numbers_that_are_missing_are_counted),
		leak_test(test_a_roll_over_under_the_subscription),
		leak_test(test_what_a_filter_leaves_is_no_gap),
		leak_test(test_a_batch_that_is_too_large_is_halved),
		leak_test(test_a_bound_that_the_transport_reports),
		leak_test(test_a_record_that_nobody_can_read_is_passed),
		leak_test(test_what_is_between_two_of_them_is_not_passed),
		leak_test(test_one_far_behind_is_found),
		leak_test(test_one_as_far_as_is_sure_is_exact),
		leak_test(test_what_a_filter_may_have_lost_is_counted),
		leak_test(test_a_first_record_that_nobody_can_read),
		leak_test(test_the_last_one_is_passed_too),
		leak_test(test_events_that_the_store_refuses_are_left_out),
		leak_test(test_a_batch_of_nothing_but_refused_events),
		leak_test(test_malformed_result_records_are_counted),
		leak_test(test_malformed_records_between_pieces_are_counted),
		leak_test(test_a_full_disk_blocks_and_loses_nothing),
		leak_test(test_a_target_that_is_removed_and_made_anew),
		leak_test(test_a_full_target_that_retains_blocks),
		leak_test(test_a_disabled_target_blocks),
		leak_test(test_events_of_a_proved_host_are_verified),
		leak_test(test_events_of_another_computer_are_marked),
		leak_test(test_a_host_that_proves_nothing_only_claims),
	};

	fixture_prepare();
	warm_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
