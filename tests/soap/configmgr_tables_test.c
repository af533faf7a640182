/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Ids of messages, and registered clients, on a real store. */

#include "soap/configmgr_clients.h"
#include "soap/configmgr_replay.h"
#include "tests/store/fixture.h"

#define PREFIX "test/seen/"
#define HOUR (UINT64_C(3600) * WINTIME_SECOND)

static struct ev_guid guid(uint32_t n)
{
	struct ev_guid id = {};

	le32_set(id.b, n);
	id.b[15] = 1;
	return id;
}

static struct configmgr_replay *load(struct fixture *f, uint64_t seconds,
				     uint32_t max)
{
	struct configmgr_replay *replay = NULL;

	assert_int_equal(configmgr_replay_load(f, f->store, PREFIX, seconds,
					       max, &replay),
			 EVERR_OK);
	return replay;
}

static void commit(struct fixture *f, const struct store_state *states,
		   size_t num)
{
	struct store_channel *channel = fixture_channel(f, "Test");
	struct tevent_req *req = NULL;

	req = store_append_send(f, f->ev, channel, NULL, 0, states, num);
	assert_non_null(req);
	assert_int_equal(fixture_recv(f, req, NULL), EVERR_OK);
}

static void note(struct fixture *f, struct configmgr_replay *replay, uint32_t n,
		 uint64_t digest, uint64_t now)
{
	struct configmgr_replay_entry *entry = NULL;
	struct ev_guid id = guid(n);

	assert_int_equal(
		configmgr_replay_prepare(f, replay, &id, digest, now, &entry),
		EVERR_OK);
	commit(f, entry->states, entry->num_states);
	configmgr_replay_note(entry);
}

static bool known(const struct configmgr_replay *replay, uint32_t n,
		  uint64_t now)
{
	struct ev_guid id = guid(n);
	uint64_t digest = 0;

	return configmgr_replay_find(replay, &id, now, &digest);
}

static uint32_t count(const struct configmgr_replay *replay)
{
	struct configmgr_replay_stats stats;

	configmgr_replay_stats(replay, &stats);
	return stats.num;
}

/* States below the prefix, as the store has them. */
static size_t on_disk(struct fixture *f)
{
	TALLOC_CTX *frame = talloc_new(f);
	const char *after = "";
	uint8_t *data = NULL;
	char *name = NULL;
	size_t len = 0;
	size_t num = 0;

	while (store_state_next(frame, f->store, PREFIX, after, &name, &data,
				&len) == EVERR_OK) {
		after = name;
		num++;
	}
	talloc_free(frame);
	return num;
}

/* ---------------------------------------------------------------- replay */

static void test_a_noted_id_is_known_with_its_digest(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 100);
	struct ev_guid id = guid(1);
	uint64_t digest = 0;

	assert_false(known(replay, 1, FIXTURE_TIME));
	note(f, replay, 1, 0x1122334455667788, FIXTURE_TIME);
	assert_true(configmgr_replay_find(replay, &id, FIXTURE_TIME, &digest));
	assert_true(digest == 0x1122334455667788);
	assert_false(known(replay, 2, FIXTURE_TIME));
}

static void test_an_id_that_was_not_stored_is_not_known(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 100);
	struct configmgr_replay_entry *entry = NULL;
	struct ev_guid id = guid(1);

	assert_int_equal(configmgr_replay_prepare(f, replay, &id, 7,
						  FIXTURE_TIME, &entry),
			 EVERR_OK);
	assert_false(known(replay, 1, FIXTURE_TIME));
	talloc_free(entry);
	assert_false(known(replay, 1, FIXTURE_TIME));
	assert_int_equal(count(replay), 0);
}

static void test_ids_are_known_after_a_restart(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 1000);
	struct ev_guid id = guid(77);
	uint64_t digest = 0;
	uint32_t i;

	for (i = 0; i < 300; i++) {
		note(f, replay, i, 1000 + i, FIXTURE_TIME + i);
	}
	talloc_free(replay);
	fixture_reopen(f);
	replay = load(f, 3600, 1000);
	assert_int_equal(count(replay), 300);
	for (i = 0; i < 300; i++) {
		assert_true(known(replay, i, FIXTURE_TIME + 300));
	}
	assert_true(configmgr_replay_find(replay, &id, FIXTURE_TIME, &digest));
	assert_int_equal(digest, 1077);
	fixture_verify(f);
}

static void test_an_old_id_is_forgotten_and_leaves_the_disk(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 1000);
	uint32_t i;

	for (i = 0; i < 100; i++) {
		note(f, replay, i, 0, FIXTURE_TIME);
	}
	assert_true(known(replay, 5, FIXTURE_TIME + HOUR - 1));
	assert_false(known(replay, 5, FIXTURE_TIME + HOUR));
	assert_int_equal(on_disk(f), 100);

	/* At most 64 with one commit: a client can't make a long one. */
	note(f, replay, 1000, 0, FIXTURE_TIME + HOUR);
	assert_int_equal(on_disk(f), 37);
	note(f, replay, 1001, 0, FIXTURE_TIME + HOUR);
	assert_int_equal(on_disk(f), 2);
	assert_int_equal(count(replay), 2);
}

static void test_the_oldest_go_when_there_are_too_many(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 10);
	struct configmgr_replay_stats stats;
	uint32_t i;

	for (i = 0; i < 25; i++) {
		note(f, replay, i, 0, FIXTURE_TIME + i);
	}
	configmgr_replay_stats(replay, &stats);
	assert_int_equal(stats.num, 10);
	assert_int_equal(stats.dropped, 15);
	assert_int_equal(on_disk(f), 10);
	assert_false(known(replay, 14, FIXTURE_TIME + 25));
	assert_true(known(replay, 15, FIXTURE_TIME + 25));

	/* The order is that of their times after a restart, too. */
	talloc_free(replay);
	fixture_reopen(f);
	replay = load(f, 3600, 10);
	note(f, replay, 100, 0, FIXTURE_TIME + 26);
	assert_false(known(replay, 15, FIXTURE_TIME + 26));
	assert_true(known(replay, 16, FIXTURE_TIME + 26));
}

static void test_an_id_that_comes_again_late_is_noted_anew(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 10);

	note(f, replay, 1, 11, FIXTURE_TIME);
	note(f, replay, 1, 12, FIXTURE_TIME + 2 * HOUR);
	assert_int_equal(count(replay), 1);
	assert_int_equal(on_disk(f), 1);
	talloc_free(replay);
	fixture_reopen(f);
	replay = load(f, 3600, 10);
	assert_true(known(replay, 1, FIXTURE_TIME + 2 * HOUR));
}

static void test_states_of_another_form_are_passed_over(void **state)
{
	struct fixture *f = fixture_start(state);
	const struct store_state strange[] = {
		{PREFIX "{00000000-0000-0000-0000-000000000001}", "short", 5},
		{PREFIX "no guid", "0123456789ABCDEF", 16},
		{"test/other/{00000000-0000-0000-0000-000000000002}",
		 "0123456789ABCDEF", 16},
	};

	commit(f, strange, 3);
	assert_int_equal(count(load(f, 3600, 10)), 0);
}

static void test_many_on_their_way_at_a_time(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_replay *replay = load(f, 3600, 1000);
	struct configmgr_replay_entry *entries[200];
	uint32_t i;

	for (i = 0; i < 200; i++) {
		struct ev_guid id = guid(i);

		assert_int_equal(configmgr_replay_prepare(f, replay, &id, i,
							  FIXTURE_TIME,
							  &entries[i]),
				 EVERR_OK);
	}
	/* Every second one fails. */
	for (i = 0; i < 200; i += 2) {
		configmgr_replay_note(entries[i]);
		talloc_free(entries[i + 1]);
	}
	assert_int_equal(count(replay), 100);
	for (i = 0; i < 200; i++) {
		assert_int_equal(known(replay, i, FIXTURE_TIME), i % 2 == 0);
	}
}

/* --------------------------------------------------------------- clients */

static struct configmgr_clients *clients_load(struct fixture *f)
{
	struct configmgr_clients *clients = NULL;

	assert_int_equal(configmgr_clients_load(f, f->store, &clients),
			 EVERR_OK);
	return clients;
}

static struct configmgr_client client(uint32_t id, uint8_t key)
{
	struct configmgr_client made = {
		.id = guid(id),
		.first = FIXTURE_TIME,
		.last = FIXTURE_TIME + id,
		.host = "PC01",
	};

	memset(made.key, key, sizeof(made.key));
	return made;
}

static void put(struct fixture *f, struct configmgr_clients *clients,
		uint32_t id, uint8_t key)
{
	struct configmgr_client one = client(id, key);
	struct store_state named;

	assert_int_equal(configmgr_clients_reserve(clients, 1), EVERR_OK);
	assert_int_equal(configmgr_clients_state(f, &one, &named), EVERR_OK);
	commit(f, &named, 1);
	configmgr_clients_put(clients, &one);
}

static void test_clients_are_found_by_id_and_by_key(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_clients *clients = clients_load(f);
	const struct configmgr_client *found = NULL;
	struct configmgr_client other = client(3, 30);
	uint32_t i;

	assert_null(configmgr_clients_find(clients, &other.id));
	assert_null(configmgr_clients_find_key(clients, other.key));
	for (i = 0; i < 100; i++) {
		put(f, clients, i, (uint8_t)(i + 1));
	}
	talloc_free(clients);
	fixture_reopen(f);
	clients = clients_load(f);
	assert_int_equal(configmgr_clients_count(clients), 100);
	found = configmgr_clients_find(clients, &other.id);
	assert_non_null(found);
	assert_int_equal(found->key[0], 4);
	assert_true(found->first == FIXTURE_TIME);
	assert_true(found->last == FIXTURE_TIME + 3);
	found = configmgr_clients_find_key(clients, other.key);
	assert_non_null(found);
	assert_int_equal(le32_get(found->id.b), 29);
}

static void test_a_client_with_a_new_key_has_lost_the_old_one(void **state)
{
	struct fixture *f = fixture_start(state);
	struct configmgr_clients *clients = clients_load(f);
	struct configmgr_client before = client(1, 10);
	struct configmgr_client after = client(1, 11);

	put(f, clients, 1, 10);
	put(f, clients, 2, 12);
	put(f, clients, 1, 11);
	assert_int_equal(configmgr_clients_count(clients), 2);
	assert_null(configmgr_clients_find_key(clients, before.key));
	assert_non_null(configmgr_clients_find_key(clients, after.key));
	assert_memory_equal(configmgr_clients_find(clients, &after.id)->key,
			    after.key, CONFIGMGR_KEY_SIZE);
}

static void test_client_states_of_another_form_are_passed_over(void **state)
{
	struct fixture *f = fixture_start(state);
	const struct store_state strange[] = {
		{"configmgr/client/{00000000-0000-0000-0000-000000000001}",
		 "short", 5},
		{"configmgr/client/nobody", "short", 5},
	};

	commit(f, strange, 2);
	assert_int_equal(configmgr_clients_count(clients_load(f)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_noted_id_is_known_with_its_digest),
		leak_test(test_an_id_that_was_not_stored_is_not_known),
		leak_test(test_ids_are_known_after_a_restart),
		leak_test(test_an_old_id_is_forgotten_and_leaves_the_disk),
		leak_test(test_the_oldest_go_when_there_are_too_many),
		leak_test(test_an_id_that_comes_again_late_is_noted_anew),
		leak_test(test_states_of_another_form_are_passed_over),
		leak_test(test_many_on_their_way_at_a_time),
		leak_test(test_clients_are_found_by_id_and_by_key),
		leak_test(test_a_client_with_a_new_key_has_lost_the_old_one),
		leak_test(test_client_states_of_another_form_are_passed_over),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
