/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"

#include <sys/wait.h>

/* -------------------------------------------------------- append, read */

static void test_ids_begin_at_one_and_run_on(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel_info info;
	uint64_t first_id = 0;

	assert_int_equal(fixture_append(f, channel, 1, 3, &first_id), EVERR_OK);
	assert_int_equal(first_id, 1);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 4);
	store_channel_info(channel, &info);
	assert_int_equal(info.oldest_id, 1);
	assert_int_equal(info.next_id, 5);
	assert_int_equal(info.num_records, 4);
	assert_int_equal(info.last_write_time, FIXTURE_TIME);
	fixture_verify(f);
}

static void test_what_was_appended_comes_out_again(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input =
		fixture_event(f, 1, FIXTURE_TIME + 7, "hello");
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t first_id = 0;
	struct buf wire;

	assert_int_equal(
		fixture_recv(f, fixture_send(f, channel, &input, 1), &first_id),
		EVERR_OK);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, 0, false, &record),
			 EVERR_OK);
	assert_int_equal(record.id, 1);
	assert_int_equal(record.received, FIXTURE_TIME);
	assert_int_equal(record.header.time_created, FIXTURE_TIME + 7);
	assert_int_equal(record.header.event_id, 1000);
	assert_int_equal(record.header.level, 4);
	buf_init(&wire, f, 1 << 20);
	assert_int_equal(event_packed_to_wire(&wire, store_dict(f->store),
					      record.data, record.len),
			 EVERR_OK);
	/* event_build() writes the profile that is sent. */
	assert_int_equal(wire.len, input.len);
	assert_int_equal(record.wire_len, input.len);
	assert_memory_equal(wire.data, input.doc, input.len);
	store_snapshot_end(snapshot);
}

static void test_reading_goes_both_ways_in_single_steps(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t id;

	fixture_append_ok(f, channel, 1, 100);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	for (id = 1; id <= 100; id++) {
		assert_int_equal(
			store_read(snapshot, channel, id, false, &record),
			EVERR_OK);
		assert_int_equal(record.id, id);
	}
	assert_int_equal(store_read(snapshot, channel, 101, false, &record),
			 EVERR_END);
	assert_int_equal(
		store_read(snapshot, channel, UINT64_MAX, true, &record),
		EVERR_OK);
	assert_int_equal(record.id, 100);
	for (id = 99; id >= 1; id--) {
		assert_int_equal(
			store_read(snapshot, channel, id, true, &record),
			EVERR_OK);
		assert_int_equal(record.id, id);
	}
	assert_int_equal(store_read(snapshot, channel, 0, true, &record),
			 EVERR_END);
	/* Turning round. */
	assert_int_equal(store_read(snapshot, channel, 50, false, &record),
			 EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, 49, true, &record),
			 EVERR_OK);
	assert_int_equal(record.id, 49);
	assert_int_equal(store_read(snapshot, channel, 50, false, &record),
			 EVERR_OK);
	assert_int_equal(record.id, 50);
	store_snapshot_end(snapshot);
}

static void test_an_empty_channel_has_an_end_and_no_oldest(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t oldest = 9;
	uint64_t next = 9;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, 0, false, &record),
			 EVERR_END);
	assert_int_equal(
		store_read(snapshot, channel, UINT64_MAX, true, &record),
		EVERR_END);
	store_bounds(snapshot, channel, &oldest, &next);
	assert_int_equal(oldest, 0);
	assert_int_equal(next, 1);
	store_snapshot_end(snapshot);
}

static void test_a_snapshot_stays_as_it_was(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel *later = NULL;
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t oldest;
	uint64_t next;

	fixture_append_ok(f, channel, 1, 2);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	fixture_append_ok(f, channel, 1, 2);
	later = fixture_channel(f, "Later");
	fixture_append_ok(f, later, 1, 1);
	store_bounds(snapshot, channel, &oldest, &next);
	assert_int_equal(next, 3);
	assert_int_equal(store_read(snapshot, channel, 3, false, &record),
			 EVERR_END);
	assert_int_equal(store_read(snapshot, later, 1, false, &record),
			 EVERR_END);
	store_snapshot_end(snapshot);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, 3, false, &record),
			 EVERR_OK);
	store_snapshot_end(snapshot);
}

/* The id as the event itself says it, by the packed event's last UInt64. */
static uint64_t rendered_id(struct fixture *f, struct store_channel *channel,
			    uint64_t id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	struct event_packed packed = {};
	struct event_packer *packer = NULL;
	struct buf wire;
	uint64_t said;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, id, false, &record),
			 EVERR_OK);
	buf_init(&wire, f, 1 << 20);
	assert_int_equal(event_packed_to_wire(&wire, store_dict(f->store),
					      record.data, record.len),
			 EVERR_OK);
	store_snapshot_end(snapshot);
	packer = event_packer_create(f, store_dict(f->store));
	assert_int_equal(event_pack(packer, wire.data, wire.len, &packed),
			 EVERR_OK);
	assert_int_not_equal(packed.record_id_offset, 0);
	said = le64_get(packed.data + packed.record_id_offset);
	TALLOC_FREE(packer);
	buf_free(&wire);
	return said;
}

static void test_born_here_takes_our_id_and_collected_keeps_its_own(
	void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input inputs[3];
	uint64_t first_id = 0;

	/* The events say 77. */
	inputs[0] = fixture_event(f, 1, FIXTURE_TIME, "a");
	inputs[0].born_here = true;
	inputs[1] = fixture_event(f, 1, FIXTURE_TIME, "b");
	inputs[2] = fixture_event(f, 1, FIXTURE_TIME, "c");
	inputs[2].born_here = true;
	assert_int_equal(
		fixture_recv(f, fixture_send(f, channel, inputs, 3), &first_id),
		EVERR_OK);
	assert_int_equal(rendered_id(f, channel, 1), 1);
	assert_int_equal(rendered_id(f, channel, 2), 77);
	assert_int_equal(rendered_id(f, channel, 3), 3);
	fixture_verify(f);
}

static void test_received_time_never_decreases(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};

	fixture_append_ok(f, channel, 1, 1);
	fixture_clock_set(f, FIXTURE_TIME - WINTIME_SECOND);
	fixture_append_ok(f, channel, 1, 1);
	fixture_clock_set(f, FIXTURE_TIME + WINTIME_SECOND);
	fixture_append_ok(f, channel, 1, 1);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, 2, false, &record),
			 EVERR_OK);
	assert_int_equal(record.received, FIXTURE_TIME);
	assert_int_equal(store_read(snapshot, channel, 3, false, &record),
			 EVERR_OK);
	assert_int_equal(record.received, FIXTURE_TIME + WINTIME_SECOND);
	store_snapshot_end(snapshot);
}

/* ----------------------------------------------------------- all or none */

static void test_one_bad_event_keeps_all_out_and_is_named(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	const uint8_t garbage[] = {0x0f, 0x01, 0x01, 0x00, 0xff};
	struct store_state states[] = {{.name = "s", .data = "x", .len = 1}};
	struct store_channel_info info;
	struct store_input inputs[3];
	struct tevent_req *req = NULL;
	uint8_t *data = NULL;
	uint64_t first_id = 0;
	size_t bad = 0;
	size_t len;

	inputs[0] = fixture_event(f, 1, FIXTURE_TIME, "a");
	inputs[1] = fixture_event(f, 2, FIXTURE_TIME, "b");
	inputs[2] =
		(struct store_input){.doc = garbage, .len = sizeof(garbage)};
	req = store_append_send(f, f->ev, channel, inputs, 3, states, 1);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(store_append_recv(req, &first_id, &bad),
			 EVERR_BINXML_TOKEN);
	TALLOC_FREE(req);
	assert_int_equal(bad, 2);
	store_channel_info(channel, &info);
	assert_int_equal(info.next_id, 1);
	assert_int_equal(store_state_get(f, f->store, "s", &data, &len),
			 EVERR_NOT_FOUND);
	/* Their templates went with them. */
	assert_int_equal(event_dict_count(store_dict(f->store)), 0);
	fixture_append_ok(f, channel, 1, 1);
	fixture_verify(f);
}

static void test_what_no_call_may_ask(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel_config off = {.enabled = false};
	struct store_channel *disabled = NULL;
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct store_input *many = NULL;
	char name[STORE_STATE_NAME_MAX + 2];
	struct store_state states[] = {{.name = name, .data = "x", .len = 1}};
	uint64_t first_id = 0;
	size_t i;

	many = talloc_array(f, struct store_input, STORE_APPEND_MAX + 1);
	for (i = 0; i <= STORE_APPEND_MAX; i++) {
		many[i] = input;
	}
	assert_int_equal(fixture_recv(f,
				      fixture_send(f, channel, many,
						   STORE_APPEND_MAX + 1),
				      &first_id),
			 EVERR_LIMIT);
	assert_int_equal(store_channel_define(f->store, "Off", &off, &disabled),
			 EVERR_OK);
	assert_int_equal(fixture_recv(f, fixture_send(f, disabled, &input, 1),
				      &first_id),
			 EVERR_CHANNEL_DISABLED);

	memset(name, 'n', sizeof(name));
	name[STORE_STATE_NAME_MAX + 1] = '\0';
	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel, NULL,
							0, states, 1),
				      &first_id),
			 EVERR_INVALID);
	name[STORE_STATE_NAME_MAX] = '\0';
	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel, NULL,
							0, states, 1),
				      &first_id),
			 EVERR_OK);
}

static void test_a_full_queue_refuses(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct tevent_req *first = NULL;
	struct tevent_req *second = NULL;
	uint64_t first_id = 0;

	f->options.limits.queue_bytes = 1;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	/* Alone it may pass, so that nothing is impossible. */
	first = fixture_send(f, channel, &input, 1);
	second = fixture_send(f, channel, &input, 1);
	assert_int_equal(fixture_recv(f, second, &first_id), EVERR_LIMIT);
	assert_int_equal(fixture_recv(f, first, &first_id), EVERR_OK);
	assert_int_equal(
		fixture_recv(f, fixture_send(f, channel, &input, 1), &first_id),
		EVERR_OK);
	assert_int_equal(first_id, 2);
}

static void test_an_append_goes_on_when_nobody_waits_for_it(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct tevent_req *req = fixture_send(f, channel, &input, 1);
	uint64_t first_id = 0;

	TALLOC_FREE(req);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 2);
}

/* --------------------------------------------------------------- state */

static void test_state_commits_with_its_events(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct store_state set[] = {
		{.name = "collect/dc1", .data = "17", .len = 2},
		{.name = "empty", .data = "", .len = 0},
	};
	struct store_state unset[] = {{.name = "collect/dc1"},
				      {.name = "never there"}};
	uint8_t *data = NULL;
	uint64_t first_id = 0;
	size_t len = 9;

	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel,
							&input, 1, set, 2),
				      &first_id),
			 EVERR_OK);
	assert_int_equal(
		store_state_get(f, f->store, "collect/dc1", &data, &len),
		EVERR_OK);
	assert_int_equal(len, 2);
	assert_memory_equal(data, "17", 2);
	assert_int_equal(store_state_get(f, f->store, "empty", &data, &len),
			 EVERR_OK);
	assert_int_equal(len, 0);

	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(
		store_state_get(f, f->store, "collect/dc1", &data, &len),
		EVERR_OK);
	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel, NULL,
							0, unset, 2),
				      &first_id),
			 EVERR_OK);
	assert_int_equal(
		store_state_get(f, f->store, "collect/dc1", &data, &len),
		EVERR_NOT_FOUND);
	fixture_verify(f);
}

static void test_states_are_walked_by_prefix(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_state set[] = {
		{.name = "wsus/b", .data = "2", .len = 1},
		{.name = "wsus/a", .data = "1", .len = 1},
		{.name = "wsus", .data = "0", .len = 1},
		{.name = "wsus0", .data = "0", .len = 1},
		{.name = "wsus/ab", .data = "", .len = 0},
	};
	const char *expected[] = {"wsus/a", "wsus/ab", "wsus/b"};
	const char *after = "";
	uint8_t *data = NULL;
	char *name = NULL;
	uint64_t first_id = 0;
	size_t len = 0;
	size_t i;

	assert_int_equal(
		fixture_recv(f,
			     store_append_send(f, f->ev, channel, NULL, 0, set,
					       sizeof(set) / sizeof(set[0])),
			     &first_id),
		EVERR_OK);
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(store_state_next(f, f->store, "wsus/", after,
						  &name, &data, &len),
				 EVERR_OK);
		assert_string_equal(name, expected[i]);
		assert_int_equal(len, i == 1 ? 0 : 1);
		after = name;
	}
	assert_int_equal(store_state_next(f, f->store, "wsus/", after, &name,
					  &data, &len),
			 EVERR_END);
	assert_int_equal(
		store_state_next(f, f->store, "", "wsus/b", &name, &data, &len),
		EVERR_OK);
	assert_string_equal(name, "wsus0");
	assert_int_equal(
		store_state_next(f, f->store, "", "wsus0", &name, &data, &len),
		EVERR_END);
}

/* --------------------------------------------------------------- watch */

struct watcher {
	unsigned int calls;
	struct store_watch *victim;
	struct store *store;
	uint64_t next_id;
};

static void watch_count(struct store_channel *channel, void *private_data)
{
	struct watcher *watcher = private_data;
	struct store_channel_info info;

	store_channel_info(channel, &info);
	watcher->next_id = info.next_id;
	watcher->calls++;
	TALLOC_FREE(watcher->victim);
	TALLOC_FREE(watcher->store);
}

static void test_a_watch_is_called_once_for_a_commit_and_can_read_it(
	void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_channel *other = fixture_channel(f, "Other");
	struct watcher watcher = {};
	struct store_watch *watch = NULL;

	watch = store_watch_add(f, channel, watch_count, &watcher);
	assert_non_null(watch);
	fixture_append_ok(f, other, 1, 1);
	assert_int_equal(watcher.calls, 0);
	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(watcher.calls, 1);
	assert_int_equal(watcher.next_id, 11);
	TALLOC_FREE(watch);
	fixture_append_ok(f, channel, 1, 1);
	assert_int_equal(watcher.calls, 1);
}

static void test_a_watch_may_free_its_neighbours_and_the_store(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct watcher first = {};
	struct watcher second = {};
	struct store_watch *watch = NULL;

	/* The last one added is called first. */
	watch = store_watch_add(f, channel, watch_count, &first);
	second.victim = watch;
	watch = store_watch_add(f, channel, watch_count, &second);
	fixture_append_ok(f, channel, 1, 1);
	assert_int_equal(second.calls, 1);
	assert_int_equal(first.calls, 0);

	second.store = f->store;
	talloc_free(fixture_send(f, channel, &input, 1));
	while (second.calls < 2) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	f->store = NULL;
	TALLOC_FREE(watch);
}

/* Arm, look, wait: whatever the timing, every record is seen. */
static void test_no_wake_up_is_lost(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct watcher watcher = {};
	uint64_t seen = 0;
	uint64_t id = 0;
	unsigned int calls;
	size_t i;

	store_watch_add(f, channel, watch_count, &watcher);
	for (i = 0; i < 200; i++) {
		talloc_free(fixture_send(f, channel, &input, 1));
	}
	while (seen < 200) {
		calls = watcher.calls;
		while (fixture_read(f, channel, seen + 1, false, &id) ==
		       EVERR_OK) {
			seen = id;
		}
		while (seen < 200 && calls == watcher.calls) {
			assert_int_equal(tevent_loop_once(f->ev), 0);
		}
	}
	assert_true(watcher.calls <= 200);
}

/* ------------------------------------------------------------ channels */

static void test_channel_names(void **state)
{
	char name[STORE_CHANNEL_NAME_MAX + 2];

	assert_true(store_channel_name_valid("Application"));
	assert_true(store_channel_name_valid("A-B/C d.e_(1)"));
	assert_true(store_channel_name_valid("\xc3\x9c"));
	assert_false(store_channel_name_valid(""));
	assert_false(store_channel_name_valid("\\x"));
	assert_false(store_channel_name_valid("a<b"));
	assert_false(store_channel_name_valid("a>b"));
	assert_false(store_channel_name_valid("a|b"));
	assert_false(store_channel_name_valid("a\"b"));
	assert_false(store_channel_name_valid("a:b"));
	assert_false(store_channel_name_valid("a'b"));
	assert_false(store_channel_name_valid("a*b"));
	assert_false(store_channel_name_valid("a?b"));
	assert_false(store_channel_name_valid("a\tb"));
	assert_false(store_channel_name_valid("a\x7f"));
	assert_false(store_channel_name_valid("a\xc2\x85"));
	assert_false(store_channel_name_valid("a\xff"));
	memset(name, 'n', sizeof(name));
	name[STORE_CHANNEL_NAME_MAX] = '\0';
	assert_true(store_channel_name_valid(name));
	name[STORE_CHANNEL_NAME_MAX] = 'n';
	name[STORE_CHANNEL_NAME_MAX + 1] = '\0';
	assert_false(store_channel_name_valid(name));
}

static void test_channels_are_found_without_case_and_in_order(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *b = fixture_channel(f, "Beta");
	struct store_channel *a = fixture_channel(f, "Alpha");
	struct store_channel *found = NULL;

	assert_int_equal(store_channel_find(f->store, "alPHA", &found),
			 EVERR_OK);
	assert_ptr_equal(found, a);
	assert_string_equal(store_channel_name(found), "Alpha");
	assert_int_equal(store_channel_find(f->store, "Gamma", &found),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(store_channel_count(f->store), 2);
	assert_ptr_equal(store_channel_at(f->store, 0), b);
	assert_ptr_equal(store_channel_at(f->store, 1), a);
	assert_null(store_channel_at(f->store, 2));
	assert_ptr_equal(fixture_channel(f, "BETA"), b);
	fixture_verify(f);
}

static void test_a_channel_keeps_its_configuration_and_events(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel_config config = {
		.enabled = true,
		.max_bytes = 1 << 20,
		.max_age = 3600,
		.sddl = "O:BAG:SYD:(A;;0x1;;;BA)",
	};
	struct store_channel_info info;
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;

	assert_int_equal(
		store_channel_define(f->store, "Security", &config, &channel),
		EVERR_OK);
	fixture_append_ok(f, channel, 1, 5);
	fixture_clock_set(f, FIXTURE_TIME + 10 * WINTIME_SECOND);
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "security", &channel),
			 EVERR_OK);
	store_channel_info(channel, &info);
	assert_string_equal(info.name, "Security");
	assert_true(info.config.enabled);
	assert_int_equal(info.config.max_bytes, 1 << 20);
	assert_int_equal(info.config.max_age, 3600);
	assert_string_equal(info.config.sddl, "O:BAG:SYD:(A;;0x1;;;BA)");
	assert_int_equal(info.creation_time, FIXTURE_TIME);
	assert_int_equal(info.last_write_time, FIXTURE_TIME);
	assert_int_equal(info.num_records, 5);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 6);

	/* Another configuration is taken over. */
	config.enabled = false;
	config.sddl = NULL;
	assert_int_equal(
		store_channel_define(f->store, "Security", &config, &channel),
		EVERR_OK);
	fixture_reopen(f);
	assert_int_equal(store_channel_find(f->store, "security", &channel),
			 EVERR_OK);
	store_channel_info(channel, &info);
	assert_false(info.config.enabled);
	assert_null(info.config.sddl);
	/* Its writer may still be looking for what is too old. */
	TALLOC_FREE(f->store);
	fixture_verify(f);
}

/* ------------------------------------------------------- opening, locks */

static void test_a_second_writer_is_refused(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store *second = NULL;

	assert_int_equal(store_open(f, f->ev, &f->options, &second),
			 EVERR_STORE_LOCKED);
	assert_null(second);
	TALLOC_FREE(f->store);
	fixture_open(f);
}

static void test_what_is_no_store_is_not_opened(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store *store = NULL;
	char *file = talloc_asprintf(f, "%s/data.mdb", f->path);
	char junk[8192];
	FILE *out = NULL;

	f->options.read_only = true;
	assert_int_equal(store_open(f, f->ev, &f->options, &store),
			 EVERR_NOT_FOUND);
	f->options.read_only = false;
	out = fopen(file, "w");
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(fwrite(junk, sizeof(junk), 1, out), 1);
	fclose(out);
	assert_int_equal(store_open(f, f->ev, &f->options, &store),
			 EVERR_STORE_CORRUPT);
}

/* One process must not open an LMDB file twice: the reader is a child. */
static void read_only_child(struct fixture *f, uint64_t expected)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct tevent_context *ev = tevent_context_init(mem_ctx);
	struct store_options options = f->options;
	struct store_snapshot *snapshot = NULL;
	struct store_channel *channel = NULL;
	struct store_record record = {};
	struct store *store = NULL;
	uint64_t count = 0;

	options.read_only = true;
	if (store_open(mem_ctx, ev, &options, &store) != EVERR_OK ||
	    store_channel_find(store, "Application", &channel) != EVERR_OK ||
	    store_snapshot_begin(store, &snapshot) != EVERR_OK) {
		_exit(100);
	}
	while (store_read(snapshot, channel, record.id + 1, false, &record) ==
	       EVERR_OK) {
		struct buf xml;

		buf_init(&xml, mem_ctx, 1 << 20);
		if (event_packed_to_wire(&xml, store_dict(store), record.data,
					 record.len) != EVERR_OK) {
			_exit(101);
		}
		count++;
	}
	store_snapshot_end(snapshot);
	if (store_channel_define(store, "New", &(struct store_channel_config){},
				 &channel) != EVERR_NOT_SUPPORTED) {
		_exit(102);
	}
	talloc_free(mem_ctx);
	_exit(count == expected ? 0 : 103);
}

static void test_another_process_reads_beside_the_writer(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	int status = 0;
	pid_t pid;

	fixture_append_ok(f, channel, 1, 5);
	pid = fork();
	if (pid == 0) {
		read_only_child(f, 5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_closing_finishes_what_is_queued(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "a");
	struct store_channel_info info;
	struct tevent_req *reqs[50];
	uint64_t first_id = 0;
	size_t i;

	for (i = 0; i < 50; i++) {
		reqs[i] = fixture_send(f, channel, &input, 1);
	}
	TALLOC_FREE(f->store);
	for (i = 0; i < 50; i++) {
		assert_int_equal(fixture_recv(f, reqs[i], &first_id), EVERR_OK);
		assert_int_equal(first_id, i + 1);
	}
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	store_channel_info(channel, &info);
	assert_int_equal(info.num_records, 50);
	fixture_verify(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_ids_begin_at_one_and_run_on),
		leak_test(test_what_was_appended_comes_out_again),
		leak_test(test_reading_goes_both_ways_in_single_steps),
		leak_test(test_an_empty_channel_has_an_end_and_no_oldest),
		leak_test(test_a_snapshot_stays_as_it_was),
		leak_test(
			test_born_here_takes_our_id_and_collected_keeps_its_own),
		leak_test(test_received_time_never_decreases),
		leak_test(test_one_bad_event_keeps_all_out_and_is_named),
		leak_test(test_what_no_call_may_ask),
		leak_test(test_a_full_queue_refuses),
		leak_test(test_an_append_goes_on_when_nobody_waits_for_it),
		leak_test(test_state_commits_with_its_events),
		leak_test(test_states_are_walked_by_prefix),
		leak_test(
			test_a_watch_is_called_once_for_a_commit_and_can_read_it),
		leak_test(test_a_watch_may_free_its_neighbours_and_the_store),
		leak_test(test_no_wake_up_is_lost),
		leak_test(test_channel_names),
		leak_test(test_channels_are_found_without_case_and_in_order),
		leak_test(test_a_channel_keeps_its_configuration_and_events),
		leak_test(test_a_second_writer_is_refused),
		leak_test(test_what_is_no_store_is_not_opened),
		leak_test(test_another_process_reads_beside_the_writer),
		leak_test(test_closing_finishes_what_is_queued),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
