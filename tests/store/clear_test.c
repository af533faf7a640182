/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Clearing and removing channels: what readers see, what is told, what is
 * left on disk.  (That a crash leaves one or the other: crash_test.c,
 * replay_test.c.)
 */

#include "tests/store/fixture.h"

#include <sys/wait.h>

/*
 * The independent checker finds nothing.  In a process of its own: LMDB gives
 * up a process's readers when a second environment is closed in it.
 */
static void verify_apart(struct fixture *f)
{
	struct store_verify_result result = {};
	int status = 0;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		everr_t err = store_verify(NULL, f->path, fixture_tell, NULL,
					   NULL, &result);

		_exit(err == EVERR_OK && result.errors == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static struct tevent_req *clear_send(struct fixture *f,
				     struct store_channel *channel,
				     uint64_t up_to_id)
{
	struct tevent_req *req = NULL;

	req = store_clear_send(f, f->ev, channel, up_to_id);
	assert_non_null(req);
	return req;
}

static everr_t clear_recv(struct fixture *f, struct tevent_req *req,
			  uint64_t *ret_num)
{
	everr_t err;

	assert_true(tevent_req_poll(req, f->ev));
	err = store_clear_recv(req, ret_num);
	TALLOC_FREE(req);
	return err;
}

static uint64_t clear_ok(struct fixture *f, struct store_channel *channel,
			 uint64_t up_to_id)
{
	uint64_t num = 0;

	assert_int_equal(clear_recv(f, clear_send(f, channel, up_to_id), &num),
			 EVERR_OK);
	return num;
}

static uint64_t gap(struct fixture *f, struct store_channel *channel,
		    uint64_t first, uint64_t last,
		    enum store_gap_cause *ret_cause)
{
	struct store_snapshot *snapshot = NULL;
	uint64_t missing = 0;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(
		store_gap(snapshot, channel, first, last, &missing, ret_cause),
		EVERR_OK);
	store_snapshot_end(snapshot);
	return missing;
}

/* Records that lie in the channel's table, whoever may see them. */
static size_t num_stored(struct fixture *f, struct store_channel *channel)
{
	MDB_txn *txn = NULL;
	MDB_stat stat;

	assert_int_equal(
		mdb_txn_begin(f->store->env.mdb, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_stat(txn, channel->dbi, &stat), 0);
	mdb_txn_abort(txn);
	return stat.ms_entries;
}

static uint64_t num_commits(struct fixture *f)
{
	struct store_stats stats;

	store_stats(f->store, &stats);
	return stats.commits;
}

static void append_many(struct fixture *f, struct store_channel *channel,
			size_t num)
{
	for (; num > 0; num -= num < 5000 ? num : 5000) {
		fixture_append_ok(f, channel, (unsigned int)num % 7,
				  num < 5000 ? num : 5000);
	}
}

static uint64_t first_readable(struct fixture *f, struct store_channel *channel)
{
	uint64_t id = 0;
	everr_t err = fixture_read(f, channel, 1, false, &id);

	return err == EVERR_OK ? id : 0;
}

/* --------------------------------------------------------------- clear */

static void test_a_cleared_channel_is_empty_and_ids_go_on(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	struct store_channel_info info;
	uint64_t first_id = 0;
	uint64_t id = 0;

	fixture_append_ok(f, channel, 1, 100);
	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 100);
	info = fixture_info(channel);
	assert_int_equal(info.num_records, 0);
	assert_int_equal(info.oldest_id, 0);
	assert_int_equal(info.bytes, 0);
	assert_int_equal(info.next_id, 101);
	assert_int_equal(info.num_missing, 100);
	assert_int_equal(fixture_read(f, channel, 1, false, &id), EVERR_END);
	assert_int_equal(fixture_read(f, channel, 100, true, &id), EVERR_END);

	assert_int_equal(gap(f, channel, 1, UINT64_MAX, &cause), 100);
	assert_int_equal(cause, STORE_GAP_CLEARED);
	assert_int_equal(gap(f, channel, 41, 50, &cause), 10);
	assert_int_equal(cause, STORE_GAP_CLEARED);

	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id), EVERR_OK);
	assert_int_equal(first_id, 101);
	assert_int_equal(first_readable(f, channel), 101);
	assert_int_equal(fixture_read(f, channel, 100, true, &id), EVERR_END);
	verify_apart(f);

	fixture_until(f, num_stored(f, channel) == 5);
	verify_apart(f);
	/* Told still when nothing is left of it. */
	assert_int_equal(gap(f, channel, 1, 105, &cause), 100);
	assert_int_equal(cause, STORE_GAP_CLEARED);
}

static void test_nothing_to_clear_is_no_error(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;

	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 0);
	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(clear_ok(f, channel, 0), 0);
	assert_int_equal(clear_ok(f, channel, 5), 5);
	assert_int_equal(clear_ok(f, channel, 5), 0);
	assert_int_equal(clear_ok(f, channel, 2), 0);
	assert_int_equal(fixture_info(channel).num_records, 5);
	assert_int_equal(gap(f, channel, 1, 10, &cause), 5);
	assert_int_equal(fixture_info(channel).num_missing, 5);
	verify_apart(f);
}

/* The counters are right wherever the border lies: the checker counts. */
static void test_what_came_after_the_backup_survives(void **state)
{
	static const uint64_t borders[] = {1,	 2,    700,  1023, 1024, 1025,
					   2047, 2048, 4000, 7168, 9000, 9999};
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	uint64_t before = 0;
	size_t i;

	append_many(f, channel, 10000);
	for (i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
		assert_int_equal(clear_ok(f, channel, borders[i]),
				 borders[i] - before);
		before = borders[i];
		assert_int_equal(fixture_info(channel).num_records,
				 10000 - before);
		assert_int_equal(fixture_info(channel).oldest_id, before + 1);
		assert_int_equal(first_readable(f, channel), before + 1);
		verify_apart(f);
	}
	fixture_until(f, num_stored(f, channel) == 1);
	verify_apart(f);
}

static void test_a_clearing_takes_its_turn_among_the_appends(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel *other = fixture_channel(f, "Other");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "x");
	struct tevent_req *reqs[30];
	struct tevent_req *clear = NULL;
	uint64_t first_id = 0;
	uint64_t num = 0;
	size_t i;

	for (i = 0; i < 20; i++) {
		reqs[i] = fixture_send(f, channel, &input, 1);
	}
	clear = clear_send(f, channel, UINT64_MAX);
	for (; i < 30; i++) {
		reqs[i] = fixture_send(f, i % 2 ? other : channel, &input, 1);
	}
	for (i = 0; i < 30; i++) {
		assert_int_equal(fixture_recv(f, reqs[i], &first_id), EVERR_OK);
	}
	assert_int_equal(clear_recv(f, clear, &num), EVERR_OK);
	assert_int_equal(num, 20);
	assert_int_equal(first_readable(f, channel), 21);
	assert_int_equal(fixture_info(channel).num_records, 5);
	assert_int_equal(fixture_info(other).num_records, 5);
	verify_apart(f);
}

static void test_a_snapshot_from_before_shows_nothing_cleared(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t oldest = 0;
	uint64_t next = 0;

	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, 1, false, &record),
			 EVERR_OK);
	assert_int_equal(clear_ok(f, channel, 7), 7);
	assert_int_equal(store_read(snapshot, channel, 2, false, &record),
			 EVERR_OK);
	assert_int_equal(record.id, 8);
	assert_int_equal(store_read(snapshot, channel, 7, true, &record),
			 EVERR_END);
	store_bounds(snapshot, channel, &oldest, &next);
	assert_int_equal(oldest, 8);
	assert_int_equal(next, 11);
	store_snapshot_end(snapshot);
}

/*
 * The answer does not wait for the records, which go in bounded transactions;
 * meanwhile others append.
 */
static void test_much_is_cleared_at_once_and_removed_little_by_little(
	void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel *other = fixture_channel(f, "Other");
	struct store_stats after;
	size_t appended = 0;
	uint64_t before;

	append_many(f, channel, 30000);
	before = num_commits(f);
	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 30000);
	verify_apart(f);
	while (num_stored(f, channel) > 0) {
		fixture_append_ok(f, other, 1, 1);
		appended++;
	}
	/* 4,096 records at most in one. */
	fixture_until(f, num_commits(f) - before > 30000 / 4096);
	store_stats(f->store, &after);
	assert_int_equal(after.trimmed, 0);
	assert_int_equal(fixture_info(other).num_records, appended);
	verify_apart(f);
}

static void test_a_restart_goes_on_with_the_removal(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct event_dict *dict = NULL;
	uint64_t first_id = 0;

	append_many(f, channel, 20000);
	fixture_append_ok(f, channel, 50, 3);
	assert_int_equal(clear_ok(f, channel, 20000), 20000);
	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_info(channel).num_records, 3);
	assert_int_equal(first_readable(f, channel), 20001);
	fixture_until(f, num_stored(f, channel) == 3);
	verify_apart(f);

	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 3);
	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_info(channel).num_records, 0);
	assert_int_equal(first_readable(f, channel), 0);
	fixture_until(f, num_stored(f, channel) == 0);
	/* And with that of the templates that nobody uses now. */
	dict = store_dict(f->store);
	fixture_until(f, event_dict_count(dict) == 0);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 20004);
	verify_apart(f);
}

static void test_clearings_leave_one_gap(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	MDB_txn *txn = NULL;
	MDB_stat stat;
	size_t i;

	for (i = 0; i < 20; i++) {
		fixture_append_ok(f, channel, 1, 100);
		assert_int_equal(clear_ok(f, channel, 100 * i + 60),
				 i == 0 ? 60 : 100);
	}
	assert_int_equal(gap(f, channel, 1, 2000, &cause), 1960);
	assert_int_equal(cause, STORE_GAP_CLEARED);
	assert_int_equal(fixture_info(channel).num_missing, 1960);
	fixture_until(f, num_stored(f, channel) == 40);
	assert_int_equal(
		mdb_txn_begin(f->store->env.mdb, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_stat(txn, f->store->env.tables.gaps, &stat), 0);
	mdb_txn_abort(txn);
	assert_int_equal(stat.ms_entries, 1);
	verify_apart(f);
}

/* Ids that were skipped before lie inside what is cleared. */
static void test_a_clearing_takes_over_older_gaps(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;

	fixture_append_ok(f, channel, 1, 10);
	TALLOC_FREE(f->store);
	fixture_replace_by_copy(f);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(fixture_info(channel).num_missing, STORE_ID_MARGIN);
	assert_int_equal(clear_ok(f, channel, STORE_ID_MARGIN + 15), 15);
	assert_int_equal(fixture_info(channel).num_missing,
			 STORE_ID_MARGIN + 15);
	assert_int_equal(gap(f, channel, 1, UINT64_MAX, &cause),
			 STORE_ID_MARGIN + 15);
	assert_int_equal(cause, STORE_GAP_CLEARED);
	verify_apart(f);
}

/*
 * A second clearing that does not join the first, whose records still lie
 * there: both gaps are needed.
 */
static void test_a_gap_stays_while_records_lie_in_it(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");

	append_many(f, channel, 60000);
	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 60000);
	TALLOC_FREE(f->store);
	fixture_replace_by_copy(f);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 10);
	verify_apart(f);
	fixture_until(f, num_stored(f, channel) == 0);
	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 10);
	verify_apart(f);
}

static void test_retention_goes_on_in_a_cleared_channel(void **state)
{
	struct store_channel_config config = {.enabled = true,
					      .max_bytes = 100000};
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = NULL;

	assert_int_equal(store_channel_define(f->store, "Application", &config,
					      &channel),
			 EVERR_OK);
	fixture_append_ok(f, channel, 1, 300);
	assert_int_equal(clear_ok(f, channel, 250) > 0, true);
	append_many(f, channel, 5000);
	fixture_until(f, fixture_info(channel).bytes <= 100000 &&
				 num_stored(f, channel) ==
					 fixture_info(channel).num_records);
	verify_apart(f);
	assert_int_equal(first_readable(f, channel),
			 fixture_info(channel).oldest_id);
}

static void test_a_full_disk_does_not_prevent_clearing(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;

	f->options.limits.disk_reserve = 1000;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 1, 100);
	fixture_disk_set(f, 1);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id),
			 EVERR_STORE_FULL);
	assert_int_equal(clear_ok(f, channel, UINT64_MAX), 100);
	assert_int_equal(fixture_info(channel).num_records, 0);
	fixture_until(f, num_stored(f, channel) == 0);
	verify_apart(f);
}

static void test_whoever_waited_may_be_gone(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct tevent_req *req = NULL;

	fixture_append_ok(f, channel, 1, 100);
	req = clear_send(f, channel, UINT64_MAX);
	TALLOC_FREE(req);
	fixture_until(f, fixture_info(channel).num_records == 0);
	fixture_append_ok(f, channel, 1, 1);
	req = clear_send(f, channel, UINT64_MAX);
	TALLOC_FREE(f->store);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(store_clear_recv(req, NULL), EVERR_OK);
	TALLOC_FREE(req);
}

static void test_blocks_of_what_was_cleared_are_not_told(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_block block;

	append_many(f, channel, 3000);
	assert_int_equal(clear_ok(f, channel, 2500), 2500);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_block(snapshot, channel, 1, &block), EVERR_END);
	assert_int_equal(store_block(snapshot, channel, 2500, &block),
			 EVERR_END);
	assert_int_equal(store_block(snapshot, channel, 2501, &block),
			 EVERR_OK);
	store_snapshot_end(snapshot);
}

/* ------------------------------------------------------------- removal */

static void count_call(struct store_channel *channel, void *private_data)
{
	(*(unsigned int *)private_data)++;
}

static void test_a_removed_channel_is_gone(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *a = fixture_channel(f, "A");
	struct store_channel *b = fixture_channel(f, "B");
	struct store_channel *c = fixture_channel(f, "C");
	struct store_channel *found = NULL;
	struct store_watch *watch = NULL;
	unsigned int calls = 0;
	uint64_t first_id = 0;
	uint64_t id = 0;

	fixture_append_ok(f, a, 1, 10);
	fixture_append_ok(f, b, 1, 10);
	watch = store_watch_add(f, b, count_call, &calls);
	assert_int_equal(store_channel_remove(b), EVERR_OK);
	assert_true(store_channel_removed(b));
	assert_false(store_channel_removed(a));
	assert_int_equal(store_channel_find(f->store, "b", &found),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(store_channel_count(f->store), 2);
	assert_ptr_equal(store_channel_at(f->store, 0), a);
	assert_ptr_equal(store_channel_at(f->store, 1), c);

	/* Who still holds it. */
	assert_string_equal(store_channel_name(b), "B");
	assert_int_equal(fixture_info(b).num_records, 0);
	assert_int_equal(fixture_read(f, b, 1, false, &id), EVERR_END);
	assert_int_equal(fixture_append(f, b, 1, 1, &first_id),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(clear_recv(f, clear_send(f, b, 5), &id),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(store_channel_remove(b), EVERR_OK);
	assert_int_equal(calls, 0);
	fixture_until(f, num_stored(f, b) == 0);
	/* The disk has it before this thread hears of it. */
	fixture_until(f, calls > 0);
	assert_int_equal(calls, 1);
	TALLOC_FREE(watch);

	assert_int_equal(fixture_info(a).num_records, 10);
	verify_apart(f);
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "B", &found),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(store_channel_count(f->store), 2);
	assert_string_equal(store_channel_name(store_channel_at(f->store, 1)),
			    "C");
	verify_apart(f);
}

static void test_ids_of_a_channel_that_comes_back_are_new(void **state)
{
	struct store_channel_config config = {
		.enabled = true, .max_bytes = 7, .sddl = "O:BA"};
	struct fixture *f = fixture_start(state);
	struct store_channel *old = fixture_channel(f, "A");
	struct store_channel *again = NULL;
	struct store_channel_info info;
	uint64_t first_id = 0;
	uint64_t id = 0;

	append_many(f, old, 9000);
	fixture_clock_set(f, FIXTURE_TIME + 5);
	assert_int_equal(store_channel_remove(old), EVERR_OK);
	assert_int_equal(store_channel_define(f->store, "a", &config, &again),
			 EVERR_OK);
	assert_ptr_not_equal(again, old);
	info = fixture_info(again);
	assert_string_equal(info.name, "a");
	assert_string_equal(info.config.sddl, "O:BA");
	assert_int_equal(info.config.max_bytes, 7);
	assert_int_equal(info.creation_time, FIXTURE_TIME + 5);
	assert_int_equal(info.last_write_time, FIXTURE_TIME + 5);
	assert_int_equal(info.num_records, 0);
	assert_int_equal(info.next_id, 9001);
	assert_int_equal(fixture_append(f, again, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 9001);
	assert_int_equal(first_readable(f, again), 9001);
	assert_int_equal(fixture_read(f, old, 9001, false, &id), EVERR_END);
	assert_int_equal(fixture_append(f, old, 1, 1, &first_id),
			 EVERR_CHANNEL_NOT_FOUND);
	verify_apart(f);
	fixture_until(f, num_stored(f, again) == 1);
	verify_apart(f);

	/* The same over a restart in between. */
	assert_int_equal(store_channel_remove(again), EVERR_OK);
	fixture_reopen(f);
	again = fixture_channel(f, "A");
	assert_int_equal(fixture_append(f, again, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 9002);
	fixture_reopen(f);
	again = fixture_channel(f, "A");
	assert_int_equal(first_readable(f, again), 9002);
	verify_apart(f);
}

/* What was sent before it was removed must not end in its successor. */
static void test_appends_that_wait_go_with_their_channel(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *old = fixture_channel(f, "A");
	struct store_channel *again = NULL;
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "x");
	struct tevent_req *reqs[200];
	struct tevent_req *clear = NULL;
	uint64_t first_id = 0;
	uint64_t num_failed = 0;
	uint64_t stored = 0;
	everr_t err;
	size_t i;

	for (i = 0; i < 200; i++) {
		reqs[i] = fixture_send(f, old, &input, 1);
	}
	clear = clear_send(f, old, UINT64_MAX);
	assert_int_equal(store_channel_remove(old), EVERR_OK);
	again = fixture_channel(f, "A");
	for (i = 0; i < 200; i++) {
		err = fixture_recv(f, reqs[i], &first_id);
		num_failed += err != EVERR_OK;
		assert_true(err == EVERR_OK || err == EVERR_CHANNEL_NOT_FOUND);
		stored = err == EVERR_OK ? first_id : stored;
	}
	err = clear_recv(f, clear, &first_id);
	assert_true(err == EVERR_OK || err == EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(stored + num_failed, 200);
	assert_int_equal(fixture_info(again).num_records, 0);
	assert_int_equal(fixture_append(f, again, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, stored + 1);
	verify_apart(f);
}

static void test_a_reader_of_the_old_channel_is_told(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "A");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;

	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(store_channel_remove(channel), EVERR_OK);
	channel = fixture_channel(f, "A");
	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(gap(f, channel, 4, 20, &cause), 7);
	assert_int_equal(cause, STORE_GAP_CLEARED);
}

/*
 * When all numbers were given out, those of removed channels go to others; ids
 * are new all the same, whoever had the number and whatever the name's were.
 */
static void test_numbers_do_not_run_out(void **state)
{
	struct store_channel_config config = {.enabled = true};
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;

	fixture_channel(f, "Other");
	f->store->max_numbers = store_channel_count(f->store) + 2;
	channel = fixture_channel(f, "A");
	fixture_append_ok(f, channel, 1, 30);
	assert_int_equal(store_channel_remove(channel), EVERR_OK);
	channel = fixture_channel(f, "B");
	fixture_append_ok(f, channel, 1, 20);
	assert_int_equal(store_channel_remove(channel), EVERR_OK);

	/* A's number is the lowest; ids begin above all. */
	channel = fixture_channel(f, "C");
	assert_int_equal(fixture_append(f, channel, 1, 10, &first_id),
			 EVERR_OK);
	assert_int_equal(first_id, 31);
	assert_int_equal(store_channel_remove(channel), EVERR_OK);
	/* B has its own; A's, which C had, is the only other one. */
	channel = fixture_channel(f, "B");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 21);
	channel = fixture_channel(f, "A");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_true(first_id > 30);
	assert_int_equal(store_channel_define(f->store, "D", &config, &channel),
			 EVERR_LIMIT);
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "C", &channel),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(first_readable(f, fixture_channel(f, "A")), first_id);
	verify_apart(f);
}

/* Who held one of them still may; what that costs has its limit. */
static void test_removed_channels_leave_little_behind(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel_config config = {.enabled = true};
	struct store_channel *channel = NULL;
	size_t before = 0;
	unsigned int i;

	config.sddl = talloc_asprintf(f, "O:BAG:SYD:%060000u", 0U);
	f->store->max_removals = 8;
	for (i = 0; i < 8; i++) {
		assert_int_equal(
			store_channel_define(f->store, "A", &config, &channel),
			EVERR_OK);
		assert_int_equal(store_channel_remove(channel), EVERR_OK);
		/* The buffers of the first time stay. */
		if (i == 0) {
			before = talloc_total_size(f->store);
		}
	}
	assert_true(talloc_total_size(f->store) - before < (size_t)8 * 1024);
	assert_int_equal(store_channel_define(f->store, "A", &config, &channel),
			 EVERR_OK);
	assert_int_equal(store_channel_remove(channel), EVERR_LIMIT);
	fixture_append_ok(f, channel, 1, 1);
	assert_string_equal(fixture_info(channel).config.sddl, config.sddl);
	fixture_reopen(f);
	assert_int_equal(store_channel_remove(fixture_channel(f, "A")),
			 EVERR_OK);
	verify_apart(f);
}

static void test_who_only_reads_cannot_clear(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "A");
	uint64_t num = 0;

	append_many(f, channel, 3000);
	assert_int_equal(clear_ok(f, channel, 2000), 2000);
	f->options.read_only = true;
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "A", &channel), EVERR_OK);
	assert_int_equal(clear_recv(f, clear_send(f, channel, 1), &num),
			 EVERR_NOT_SUPPORTED);
	assert_int_equal(store_channel_remove(channel), EVERR_NOT_SUPPORTED);
	/* It sees what was cleared as little as others do. */
	assert_int_equal(first_readable(f, channel), 2001);
	assert_int_equal(fixture_info(channel).num_records, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_cleared_channel_is_empty_and_ids_go_on),
		leak_test(test_nothing_to_clear_is_no_error),
		leak_test(test_what_came_after_the_backup_survives),
		leak_test(test_a_clearing_takes_its_turn_among_the_appends),
		leak_test(test_a_snapshot_from_before_shows_nothing_cleared),
		leak_test(
			test_much_is_cleared_at_once_and_removed_little_by_little),
		leak_test(test_a_restart_goes_on_with_the_removal),
		leak_test(test_clearings_leave_one_gap),
		leak_test(test_a_clearing_takes_over_older_gaps),
		leak_test(test_a_gap_stays_while_records_lie_in_it),
		leak_test(test_retention_goes_on_in_a_cleared_channel),
		leak_test(test_a_full_disk_does_not_prevent_clearing),
		leak_test(test_whoever_waited_may_be_gone),
		leak_test(test_blocks_of_what_was_cleared_are_not_told),
		leak_test(test_a_removed_channel_is_gone),
		leak_test(test_ids_of_a_channel_that_comes_back_are_new),
		leak_test(test_appends_that_wait_go_with_their_channel),
		leak_test(test_a_reader_of_the_old_channel_is_told),
		leak_test(test_numbers_do_not_run_out),
		leak_test(test_removed_channels_leave_little_behind),
		leak_test(test_who_only_reads_cannot_clear),
	};

	fixture_prepare();
	return cmocka_run_group_tests_name("clear", tests, NULL, NULL);
}
