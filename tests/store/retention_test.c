/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"
#include "tests/event/vectors.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static struct store_channel *limited(struct fixture *f, uint64_t max_bytes,
				     uint64_t max_age)
{
	struct store_channel_config config = {
		.enabled = true, .max_bytes = max_bytes, .max_age = max_age};
	struct store_channel *channel = NULL;

	assert_int_equal(store_channel_define(f->store, "Application", &config,
					      &channel),
			 EVERR_OK);
	return channel;
}

static void gap(struct fixture *f, struct store_channel *channel,
		uint64_t first, uint64_t last, uint64_t *ret_missing,
		enum store_gap_cause *ret_cause)
{
	struct store_snapshot *snapshot = NULL;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_gap(snapshot, channel, first, last, ret_missing,
				   ret_cause),
			 EVERR_OK);
	store_snapshot_end(snapshot);
}

/* ----------------------------------------------------------- retention */

static everr_t append_one(struct fixture *f, struct store_channel *channel,
			  size_t len)
{
	char *text = talloc_zero_size(f, len + 1);
	struct store_input input;
	struct tevent_req *req = NULL;
	everr_t err;

	memset(text, 'x', len);
	input = fixture_event(f, 1, FIXTURE_TIME, text);
	req = store_append_send(f, f->ev, channel, &input, 1, NULL, 0);
	assert_non_null(req);
	fixture_until(f, !tevent_req_is_in_progress(req));
	err = store_append_recv(req, NULL, NULL);
	TALLOC_FREE(req);
	TALLOC_FREE(text);
	return err;
}

/* Those of one transaction count, too. */
static void test_a_channel_that_retains_never_grows_beyond(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel_config config = {
		.enabled = true, .max_bytes = 100000, .retain = true};
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "short");
	struct store_channel *channel = NULL;
	struct tevent_req *reqs[2000];
	size_t stored = 0;
	size_t i;

	assert_int_equal(
		store_channel_define(f->store, "Full", &config, &channel),
		EVERR_OK);
	for (i = 0; i < 2000; i++) {
		reqs[i] = store_append_send(f, f->ev, channel, &input, 1, NULL,
					    0);
		assert_non_null(reqs[i]);
	}
	for (i = 0; i < 2000; i++) {
		everr_t err;

		fixture_until(f, !tevent_req_is_in_progress(reqs[i]));
		err = store_append_recv(reqs[i], NULL, NULL);
		assert_true(err == EVERR_OK || err == EVERR_CHANNEL_FULL);
		stored += err == EVERR_OK;
		TALLOC_FREE(reqs[i]);
	}
	assert_int_equal(fixture_info(channel).num_records, stored);
	assert_in_range(stored, 1, 1999);
	assert_true(fixture_info(channel).bytes <= 100000);
	assert_true(fixture_info(channel).full);
}

/* Retention=true of [MS-EVEN6] 3.1.4.21: the old events stay. */
static void test_a_channel_that_retains_refuses_new_events(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel_config config = {
		.enabled = true, .max_bytes = 100000, .retain = true};
	struct store_channel *channel = NULL;
	struct store_channel *other = fixture_channel(f, "Other");
	struct store_channel_info info;
	uint64_t next_id;
	int i;

	assert_int_equal(
		store_channel_define(f->store, "Full", &config, &channel),
		EVERR_OK);
	while (append_one(f, channel, 5000) == EVERR_OK) {
		assert_false(fixture_info(channel).full);
		assert_true(fixture_info(channel).bytes <= 100000);
	}
	info = fixture_info(channel);
	assert_true(info.full);
	assert_int_equal(info.oldest_id, 1);
	assert_true(info.num_records > 5);
	assert_int_equal(info.next_id, info.num_records + 1);
	/* The others go on, and so does this one with what fits. */
	fixture_append_ok(f, other, 1, 10);
	assert_int_equal(append_one(f, channel, 5000), EVERR_CHANNEL_FULL);
	assert_int_equal(append_one(f, channel, 10), EVERR_OK);
	assert_int_equal(append_one(f, channel, 5000), EVERR_CHANNEL_FULL);
	next_id = fixture_info(channel).next_id;
	assert_int_equal(next_id, info.next_id + 1);

	/* It is on disk. */
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "Full", &channel),
			 EVERR_OK);
	assert_true(fixture_info(channel).config.retain);
	for (i = 0; i < 3; i++) {
		assert_int_equal(append_one(f, channel, 5000),
				 EVERR_CHANNEL_FULL);
	}
	assert_true(fixture_info(channel).full);
	fixture_verify(f);

	/* Room again: by a larger size, or by letting the oldest go. */
	config.max_bytes = 200000;
	assert_int_equal(
		store_channel_define(f->store, "Full", &config, &channel),
		EVERR_OK);
	assert_false(fixture_info(channel).full);
	assert_int_equal(append_one(f, channel, 5000), EVERR_OK);
	config.retain = false;
	config.max_bytes = 50000;
	assert_int_equal(
		store_channel_define(f->store, "Full", &config, &channel),
		EVERR_OK);
	assert_int_equal(append_one(f, channel, 5000), EVERR_OK);
	fixture_until(f, fixture_info(channel).bytes <= 50000);
	assert_true(fixture_info(channel).oldest_id > 1);
}

static void test_size_keeps_the_newest(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 100000, 0);
	enum store_gap_cause cause = STORE_GAP_DAMAGED;
	struct store_channel_info info;
	uint64_t missing = 0;
	uint64_t id = 0;
	size_t i;

	for (i = 0; i < 30; i++) {
		fixture_append_ok(f, channel, 1, 100);
	}
	fixture_until(f, fixture_info(channel).bytes <= 100000);
	info = fixture_info(channel);
	assert_int_equal(info.next_id, 3001);
	assert_true(info.oldest_id > 1);
	assert_int_equal(info.num_records, 3001 - info.oldest_id);
	/* No more than had to go. */
	assert_true(info.bytes + info.bytes / info.num_records > 100000);
	assert_int_equal(info.num_missing, 0);
	assert_false(info.full);

	/* A reader that was behind is moved and can tell by how much. */
	assert_int_equal(fixture_read(f, channel, 1, false, &id), EVERR_OK);
	assert_int_equal(id, info.oldest_id);
	gap(f, channel, 1, id - 1, &missing, &cause);
	assert_int_equal(missing, id - 1);
	assert_int_equal(cause, STORE_GAP_TRIMMED);
	gap(f, channel, id - 10, 3000, &missing, &cause);
	assert_int_equal(missing, 10);
	gap(f, channel, id, 3000, &missing, &cause);
	assert_int_equal(missing, 0);
	fixture_verify(f);
}

static void test_one_event_above_the_limit_stays_and_is_told(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 10, 0);

	fixture_append_ok(f, channel, 1, 1);
	assert_true(fixture_info(channel).full);
	fixture_append_ok(f, channel, 1, 3);
	fixture_until(f, fixture_info(channel).num_records == 1);
	assert_int_equal(fixture_info(channel).oldest_id, 4);
	fixture_verify(f);
}

static void test_age_removes_even_the_last_record(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 0, 60);
	struct store_channel_info info;
	uint64_t first_id = 0;

	fixture_append_ok(f, channel, 1, 10);
	fixture_clock_set(f, FIXTURE_TIME + 30 * WINTIME_SECOND);
	fixture_append_ok(f, channel, 1, 10);
	fixture_clock_set(f, FIXTURE_TIME + 60 * WINTIME_SECOND);
	store_poke(f->store);
	fixture_until(f, fixture_info(channel).num_records == 10);
	assert_int_equal(fixture_info(channel).oldest_id, 11);
	fixture_clock_set(f, FIXTURE_TIME + 1000 * WINTIME_SECOND);
	store_poke(f->store);
	fixture_until(f, fixture_info(channel).num_records == 0);
	info = fixture_info(channel);
	assert_int_equal(info.oldest_id, 0);
	assert_int_equal(info.bytes, 0);
	fixture_verify(f);

	/* Ids go on where they were, also over a restart. */
	fixture_reopen(f);
	channel = limited(f, 0, 60);
	assert_int_equal(fixture_append(f, channel, 1, 2, &first_id), EVERR_OK);
	assert_int_equal(first_id, 21);
	fixture_verify(f);
}

static void test_a_smaller_limit_trims_what_is_there(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 0, 0);

	fixture_append_ok(f, channel, 1, 5000);
	assert_int_equal(fixture_info(channel).num_records, 5000);
	channel = limited(f, 50000, 0);
	fixture_until(f, fixture_info(channel).bytes <= 50000);
	fixture_verify(f);
}

/* ----------------------------------------------------------- templates */

static void test_templates_go_with_their_last_block(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 1 << 20, 0);
	struct event_dict *dict = store_dict(f->store);
	uint32_t both;
	unsigned int kind;

	for (kind = 1; kind <= 20; kind++) {
		fixture_append_ok(f, channel, kind, 10);
	}
	/* The outer one and one for each kind. */
	both = event_dict_count(dict);
	assert_int_equal(both, 21);
	fixture_append_ok(f, channel, 100, 2000);
	fixture_append_ok(f, channel, 100, 2000);
	channel = limited(f, 50000, 0);
	fixture_until(f, event_dict_count(dict) == 2);
	fixture_verify(f);

	/* One that was collected may come back. */
	fixture_append_ok(f, channel, 7, 1);
	assert_int_equal(event_dict_count(dict), 3);
	fixture_verify(f);
	fixture_reopen(f);
	assert_int_equal(event_dict_count(store_dict(f->store)), 3);
}

static void test_a_definition_is_stored_once(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *a = fixture_channel(f, "A");
	struct store_channel *b = fixture_channel(f, "B");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "x");
	struct tevent_req *reqs[20];
	uint64_t first_id = 0;
	size_t i;

	/* All on their way before the first has come back. */
	for (i = 0; i < 20; i++) {
		reqs[i] = fixture_send(f, i % 2 ? a : b, &input, 1);
	}
	for (i = 0; i < 20; i++) {
		assert_int_equal(fixture_recv(f, reqs[i], &first_id), EVERR_OK);
	}
	fixture_reopen(f);
	assert_int_equal(event_dict_count(store_dict(f->store)), 2);
	a = fixture_channel(f, "A");
	fixture_append_ok(f, a, 1, 1);
	assert_int_equal(event_dict_count(store_dict(f->store)), 2);
	fixture_verify(f);
}

static void check_all_readable(struct fixture *f, struct store_channel *channel)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	struct buf wire;

	buf_init(&wire, f, 1 << 20);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	while (store_read(snapshot, channel, record.id + 1, false, &record) ==
	       EVERR_OK) {
		buf_reset(&wire);
		assert_int_equal(event_packed_to_wire(&wire,
						      store_dict(f->store),
						      record.data, record.len),
				 EVERR_OK);
	}
	store_snapshot_end(snapshot);
	buf_free(&wire);
}

/*
 * Appends that are queued while retention removes the last user of their
 * template: the definition must not go.
 */
static void test_no_queued_append_loses_its_template(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 300000, 0);
	struct store_input kinds[8];
	struct tevent_req *reqs[64];
	uint64_t first_id = 0;
	unsigned int seed = 1;
	size_t round;
	size_t i;

	for (i = 0; i < 8; i++) {
		kinds[i] = fixture_event(f, 1000 + i, FIXTURE_TIME, "x");
	}
	for (round = 0; round < 60; round++) {
		/* Retention never rests; kinds come and go. */
		fixture_append_ok(f, channel, 1, 500);
		for (i = 0; i < 64; i++) {
			reqs[i] = fixture_send(f, channel,
					       &kinds[rand_r(&seed) % 8],
					       round % 4 == 0);
		}
		for (i = 0; i < 64; i++) {
			assert_int_equal(fixture_recv(f, reqs[i], &first_id),
					 EVERR_OK);
		}
		check_all_readable(f, channel);
	}
	fixture_verify(f);
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	check_all_readable(f, channel);
}

/* -------------------------------------------------------------- blocks */

static void append_at(struct fixture *f, struct store_channel *channel,
		      uint64_t time)
{
	struct store_input input = fixture_event(f, 1, time, "x");
	uint64_t first_id = 0;

	assert_int_equal(
		fixture_recv(f, fixture_send(f, channel, &input, 1), &first_id),
		EVERR_OK);
}

static void test_blocks_tell_the_span_of_times(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_block block = {};

	/* 1,023 a second apart, then one far before, then one far after. */
	fixture_append_ok(f, channel, 1, 1023);
	append_at(f, channel, 5);
	append_at(f, channel, UINT64_C(1) << 62);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_block(snapshot, channel, 500, &block), EVERR_OK);
	assert_int_equal(block.first_id, 1);
	assert_int_equal(block.last_id, 1024);
	assert_int_equal(block.min_time, 5);
	assert_int_equal(block.max_time, FIXTURE_TIME + 1022 * WINTIME_SECOND);
	assert_int_equal(store_block(snapshot, channel, 1025, &block),
			 EVERR_OK);
	assert_int_equal(block.first_id, 1025);
	assert_int_equal(block.last_id, 1025);
	assert_int_equal(block.min_time, UINT64_C(1) << 62);
	assert_int_equal(store_block(snapshot, channel, 2049, &block),
			 EVERR_END);
	assert_int_equal(store_block(snapshot, channel, 0, &block), EVERR_END);
	store_snapshot_end(snapshot);
	fixture_verify(f);
}

static void test_a_block_with_a_timeless_event_has_no_summary(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = {};
	struct store_snapshot *snapshot = NULL;
	struct store_block block = {};
	uint64_t first_id = 0;
	struct buf doc;

	/* An event of the specification that has no System at all. */
	buf_init(&doc, f, 4096);
	vector_load(&doc, "spec-4.4");
	input = (struct store_input){.doc = doc.data, .len = doc.len};
	fixture_append_ok(f, channel, 1, 2);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_block(snapshot, channel, 1, &block), EVERR_OK);
	store_snapshot_end(snapshot);
	assert_int_equal(
		fixture_recv(f, fixture_send(f, channel, &input, 1), &first_id),
		EVERR_OK);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_block(snapshot, channel, 1, &block), EVERR_END);
	store_snapshot_end(snapshot);
	fixture_verify(f);
}

/* ---------------------------------------------------------------- gaps */

static void test_ids_jump_after_a_restore_with_a_recorded_gap(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel *empty = fixture_channel(f, "Empty");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	uint64_t first_id = 0;
	uint64_t missing = 0;
	uint64_t id = 0;

	fixture_append_ok(f, channel, 1, 10);
	TALLOC_FREE(f->store);
	fixture_replace_by_copy(f);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	empty = fixture_channel(f, "Empty");
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id), EVERR_OK);
	assert_int_equal(first_id, 11 + STORE_ID_MARGIN);
	assert_int_equal(fixture_info(channel).num_missing, STORE_ID_MARGIN);
	/* One that was empty then may have had events since. */
	assert_int_equal(fixture_append(f, empty, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 1 + STORE_ID_MARGIN);

	assert_int_equal(fixture_read(f, channel, 11, false, &id), EVERR_OK);
	assert_int_equal(id, 11 + STORE_ID_MARGIN);
	assert_int_equal(fixture_read(f, channel, id - 1, true, &id), EVERR_OK);
	assert_int_equal(id, 10);
	gap(f, channel, 11, 10 + STORE_ID_MARGIN, &missing, &cause);
	assert_int_equal(missing, STORE_ID_MARGIN);
	assert_int_equal(cause, STORE_GAP_RESTORED);
	gap(f, channel, 500, 600, &missing, &cause);
	assert_int_equal(missing, 101);
	assert_int_equal(cause, STORE_GAP_RESTORED);
	gap(f, channel, 1, 10, &missing, &cause);
	assert_int_equal(missing, 0);
	gap(f, empty, 1, UINT64_MAX, &missing, &cause);
	assert_int_equal(missing, STORE_ID_MARGIN);
	fixture_verify(f);

	/* Once only. */
	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 16 + STORE_ID_MARGIN);
	fixture_verify(f);
}

static void test_trimmed_and_restored_ids_are_told_apart(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = limited(f, 0, 60);
	enum store_gap_cause cause = STORE_GAP_DAMAGED;
	uint64_t missing = 0;

	fixture_append_ok(f, channel, 1, 10);
	fixture_clock_set(f, FIXTURE_TIME + 30 * WINTIME_SECOND);
	fixture_append_ok(f, channel, 1, 10);
	TALLOC_FREE(f->store);
	fixture_replace_by_copy(f);
	fixture_open(f);
	channel = limited(f, 0, 60);
	fixture_append_ok(f, channel, 1, 1);
	fixture_clock_set(f, FIXTURE_TIME + 60 * WINTIME_SECOND);
	store_poke(f->store);
	fixture_until(f, fixture_info(channel).oldest_id == 11);
	gap(f, channel, 1, 20, &missing, &cause);
	assert_int_equal(missing, 10);
	assert_int_equal(cause, STORE_GAP_TRIMMED);
	gap(f, channel, 1, 25, &missing, &cause);
	assert_int_equal(missing, 15);
	assert_int_equal(cause, STORE_GAP_TRIMMED);
	gap(f, channel, 0, UINT64_MAX, &missing, &cause);
	assert_int_equal(missing, 10 + STORE_ID_MARGIN);
	assert_int_equal(cause, STORE_GAP_RESTORED);
	fixture_verify(f);
}

/* ------------------------------------------------- synchronous = off */

static void async_child(struct fixture *f, int out)
{
	struct store_channel *channel = NULL;
	struct tevent_req *req = NULL;
	struct store_input input;
	uint64_t first_id = 0;
	size_t i;

	f->options.asynchronous = true;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	input = fixture_event(f, 1, FIXTURE_TIME, "x");
	for (i = 0; i < 100; i++) {
		req = fixture_send(f, channel, &input, 1);
		if (fixture_recv(f, req, &first_id) != EVERR_OK) {
			_exit(1);
		}
	}
	/* Acknowledged: the ids are known outside. */
	if (write(out, &first_id, sizeof(first_id)) != sizeof(first_id)) {
		_exit(2);
	}
	kill(getpid(), SIGKILL);
}

static void test_ids_jump_after_a_crash_without_sync(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	uint64_t last_id = 0;
	uint64_t first_id = 0;
	int status = 0;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		async_child(f, fds[1]);
	}
	assert_int_equal(read(fds[0], &last_id, sizeof(last_id)),
			 sizeof(last_id));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(last_id, 100);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_true(first_id > STORE_ID_MARGIN);
	fixture_verify(f);
}

static void test_without_sync_a_clean_close_loses_nothing(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;
	uint64_t id = 0;
	size_t i;

	f->options.asynchronous = true;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	for (i = 0; i < 50; i++) {
		assert_int_equal(fixture_append(f, channel, 1, 2, &first_id),
				 EVERR_OK);
		assert_int_equal(first_id, 1 + 2 * i);
	}
	fixture_until(f, fixture_info(channel).next_id == 101);
	assert_int_equal(fixture_read(f, channel, 100, false, &id), EVERR_OK);
	/* A clean close loses nothing, so that ids need not jump. */
	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 101);
	TALLOC_FREE(f->store);
	fixture_verify(f);
}

static void test_without_sync_what_was_acknowledged_can_be_read(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;
	uint64_t id = 0;
	size_t i;

	f->options.asynchronous = true;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	for (i = 0; i < 50; i++) {
		assert_int_equal(fixture_append(f, channel, 1, 1, &first_id),
				 EVERR_OK);
		assert_int_equal(fixture_read(f, channel, first_id, false, &id),
				 EVERR_OK);
		assert_int_equal(id, first_id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_size_keeps_the_newest),
		leak_test(test_a_channel_that_retains_refuses_new_events),
		leak_test(test_a_channel_that_retains_never_grows_beyond),
		leak_test(test_one_event_above_the_limit_stays_and_is_told),
		leak_test(test_age_removes_even_the_last_record),
		leak_test(test_a_smaller_limit_trims_what_is_there),
		leak_test(test_templates_go_with_their_last_block),
		leak_test(test_a_definition_is_stored_once),
		leak_test(test_no_queued_append_loses_its_template),
		leak_test(test_blocks_tell_the_span_of_times),
		leak_test(test_a_block_with_a_timeless_event_has_no_summary),
		leak_test(test_ids_jump_after_a_restore_with_a_recorded_gap),
		leak_test(test_trimmed_and_restored_ids_are_told_apart),
		leak_test(test_ids_jump_after_a_crash_without_sync),
		leak_test(test_without_sync_a_clean_close_loses_nothing),
		leak_test(test_without_sync_what_was_acknowledged_can_be_read),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
