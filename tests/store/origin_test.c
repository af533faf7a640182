/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"

#include <sys/wait.h>

static uint16_t number_of(struct fixture *f, const char *host)
{
	uint16_t number = 0;

	assert_int_equal(store_origin_number(f->store, host, &number),
			 EVERR_OK);
	return number;
}

static void assert_host(struct fixture *f, uint16_t number, const char *host)
{
	const char *name = store_origin_name(f->store, number);

	if (host == NULL) {
		assert_null(name);
	} else {
		assert_non_null(name);
		assert_string_equal(name, host);
	}
}

static everr_t append_from(struct fixture *f, struct store_channel *channel,
			   uint16_t origin, uint8_t mark)
{
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "text");
	uint64_t id = 0;

	input.origin = origin;
	input.origin_mark = mark;
	return fixture_recv(f, fixture_send(f, channel, &input, 1), &id);
}

static void assert_origin(struct fixture *f, struct store_channel *channel,
			  uint64_t id, uint16_t origin, uint8_t mark)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, id, false, &record),
			 EVERR_OK);
	assert_int_equal(record.id, id);
	assert_int_equal(record.origin, origin);
	assert_int_equal(record.origin_mark, mark);
	store_snapshot_end(snapshot);
}

/* Hosts' names as states of their own, as the page has them. */
static everr_t put_states(struct fixture *f, struct store_channel *channel,
			  uint32_t first, uint32_t num)
{
	struct store_state *states = talloc_array(f, struct store_state, num);
	struct tevent_req *req = NULL;
	uint8_t *data = NULL;
	everr_t err;
	uint32_t i;

	for (i = 0; i < num; i++) {
		data = (uint8_t *)talloc_asprintf(states, "\1...h%u",
						  first + i);
		memset(data + 1, 0, 3);
		states[i] = (struct store_state){
			.name = talloc_asprintf(states, "origin/%05u",
						first + i),
			.data = data,
			.len = 4 + strlen((char *)data + 4),
		};
	}
	req = store_append_send(f, f->ev, channel, NULL, 0, states, num);
	err = fixture_recv(f, req, NULL);
	talloc_free(states);
	return err;
}

/* ---------------------------------------------------------------- cases */

static void test_hosts_have_numbers_for_ever(void **state)
{
	struct fixture *f = fixture_start(state);

	assert_int_equal(number_of(f, "dc1.example"), 1);
	assert_int_equal(number_of(f, "a.example"), 2);
	assert_int_equal(number_of(f, "DC1.Example"), 1);
	fixture_reopen(f);
	assert_int_equal(number_of(f, "A.EXAMPLE"), 2);
	assert_int_equal(number_of(f, "b.example"), 3);
	assert_host(f, 0, NULL);
	assert_host(f, 1, "dc1.example");
	assert_host(f, 2, "a.example");
	assert_host(f, 3, "b.example");
	assert_host(f, 4, NULL);
	fixture_verify(f);
}

static size_t commits(struct fixture *f)
{
	MDB_envinfo info = {};

	assert_int_equal(mdb_env_info(f->store->writer->env->mdb, &info), 0);
	return info.me_last_txnid;
}

static void test_hosts_that_come_at_once_share_a_commit(void **state)
{
	static const char *const hosts[] = {"b", "a", "B", "known", "c"};
	struct fixture *f = fixture_start(state);
	size_t before;

	assert_int_equal(number_of(f, "known"), 1);
	before = commits(f);
	assert_int_equal(store_origin_add(f->store, hosts, 5), EVERR_OK);
	assert_int_equal(commits(f), before + 1);
	fixture_reopen(f);
	before = commits(f);
	assert_int_equal(number_of(f, "B"), 2);
	assert_int_equal(number_of(f, "a"), 3);
	assert_int_equal(number_of(f, "c"), 4);
	assert_int_equal(store_origin_add(f->store, hosts, 5), EVERR_OK);
	assert_int_equal(store_origin_add(f->store, NULL, 0), EVERR_OK);
	assert_int_equal(commits(f), before);
	fixture_verify(f);
}

static void test_of_hosts_that_come_at_once_all_have_numbers_or_none(
	void **state)
{
	static const char *const hosts[] = {"c", "b", "\xC3"};
	const char *many[STORE_ORIGINS_AT_ONCE + 1];
	struct fixture *f = fixture_start(state);
	size_t i;

	assert_int_equal(number_of(f, "a"), 1);
	assert_int_equal(store_origin_add(f->store, hosts, 3), EVERR_INVALID);
	assert_host(f, 2, NULL);
	assert_int_equal(number_of(f, "b"), 2);

	for (i = 0; i <= STORE_ORIGINS_AT_ONCE; i++) {
		many[i] = talloc_asprintf(f, "%0300zu", i);
	}
	assert_int_equal(store_origin_add(f->store, many, i), EVERR_INVALID);
	assert_host(f, 3, NULL);
	assert_int_equal(store_origin_add(f->store, many, i - 1), EVERR_OK);
	assert_int_equal(number_of(f, many[i - 2]), i + 1);
	assert_int_equal(number_of(f, many[0]), 3);
	fixture_verify(f);
}

static void test_what_is_no_host(void **state)
{
	struct fixture *f = fixture_start(state);
	uint16_t number = 7;
	char host[302] = {};

	assert_int_equal(store_origin_number(f->store, "", &number),
			 EVERR_INVALID);
	assert_int_equal(store_origin_number(f->store, "\xC3", &number),
			 EVERR_INVALID);
	memset(host, 'x', 301);
	assert_int_equal(store_origin_number(f->store, host, &number),
			 EVERR_INVALID);
	assert_int_equal(number, 7);
	host[300] = '\0';
	assert_int_equal(number_of(f, host), 1);
	fixture_reopen(f);
	assert_host(f, 1, host);
	fixture_verify(f);
}

static void test_records_keep_their_origin(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "ForwardedEvents");
	uint16_t first = number_of(f, "dc1.example");
	uint16_t second = number_of(f, "dc2.example");

	assert_int_equal(append_from(f, channel, first, STORE_ORIGIN_VERIFIED),
			 EVERR_OK);
	assert_int_equal(append_from(f, channel, second, STORE_ORIGIN_MISMATCH),
			 EVERR_OK);
	assert_int_equal(append_from(f, channel, second, STORE_ORIGIN_NONE),
			 EVERR_OK);
	/* Where there is no origin there is no mark. */
	assert_int_equal(append_from(f, channel, 0, STORE_ORIGIN_CLAIMED),
			 EVERR_OK);
	fixture_reopen(f);
	assert_int_equal(
		store_channel_find(f->store, "ForwardedEvents", &channel),
		EVERR_OK);
	assert_origin(f, channel, 1, first, STORE_ORIGIN_VERIFIED);
	assert_origin(f, channel, 2, second, STORE_ORIGIN_MISMATCH);
	assert_origin(f, channel, 3, second, STORE_ORIGIN_NONE);
	assert_origin(f, channel, 4, 0, STORE_ORIGIN_NONE);
	fixture_verify(f);
}

static void test_an_origin_that_no_host_has_is_refused(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "ForwardedEvents");
	struct store_input inputs[2] = {
		fixture_event(f, 1, FIXTURE_TIME, "a"),
		fixture_event(f, 1, FIXTURE_TIME, "b"),
	};
	struct tevent_req *req = NULL;
	size_t bad = 9;

	inputs[0].origin = number_of(f, "dc1.example");
	inputs[1].origin = inputs[0].origin + 1;
	req = fixture_send(f, channel, inputs, 2);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(store_append_recv(req, NULL, &bad), EVERR_INVALID);
	assert_int_equal(bad, 1);
	TALLOC_FREE(req);
	assert_int_equal(fixture_info(channel).num_records, 0);
	fixture_verify(f);
}

/* Numbers stay when the records that have them go. */
static void test_clearing_and_removal_leave_origins(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "ForwardedEvents");
	uint16_t number = number_of(f, "dc1.example");
	struct tevent_req *req = NULL;
	uint64_t removed = 0;

	assert_int_equal(append_from(f, channel, number, STORE_ORIGIN_CLAIMED),
			 EVERR_OK);
	req = store_clear_send(f, f->ev, channel, UINT64_MAX);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(store_clear_recv(req, &removed), EVERR_OK);
	TALLOC_FREE(req);
	assert_int_equal(removed, 1);
	assert_int_equal(store_channel_remove(channel), EVERR_OK);
	fixture_reopen(f);
	assert_int_equal(number_of(f, "dc1.example"), number);
	fixture_verify(f);
}

static void test_numbers_run_out(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "ForwardedEvents");
	uint16_t number = 0;
	uint32_t first;

	for (first = 1; first < STORE_ORIGINS_MAX; first += 1023) {
		uint32_t num = STORE_ORIGINS_MAX - first;

		assert_int_equal(
			put_states(f, channel, first, num < 1023 ? num : 1023),
			EVERR_OK);
	}
	fixture_reopen(f);
	assert_int_equal(number_of(f, "H40000"), 40000);
	assert_int_equal(number_of(f, "the-last"), STORE_ORIGINS_MAX);
	assert_int_equal(store_origin_number(f->store, "one-too-many", &number),
			 EVERR_LIMIT);
	fixture_reopen(f);
	assert_host(f, STORE_ORIGINS_MAX, "the-last");
	fixture_verify(f);
}

/* The number of a damaged name is not given to another host. */
static void test_a_damaged_name_keeps_its_number(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "ForwardedEvents");
	static const struct store_state states[] = {
		{.name = "origin/00001", .data = "\2\0\0\0x", .len = 5},
		{.name = "origin/00001x", .data = "\1\0\0\0x", .len = 5},
		{.name = "origin/00002", .data = "\1\0\0\0y", .len = 5},
	};
	struct tevent_req *req = NULL;

	req = store_append_send(f, f->ev, channel, NULL, 0, states, 3);
	assert_int_equal(fixture_recv(f, req, NULL), EVERR_OK);
	fixture_reopen(f);
	assert_host(f, 1, NULL);
	assert_host(f, 2, "y");
	assert_int_equal(number_of(f, "x"), 3);
	assert_int_equal(append_from(f, fixture_channel(f, "ForwardedEvents"),
				     1, STORE_ORIGIN_NONE),
			 EVERR_OK);
}

/* The service, as a process of its own, that gets a new host. */
static void serve_host(struct fixture *f, const char *host)
{
	struct store *store = NULL;
	uint16_t number = 0;
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		f->options.read_only = false;
		if (store_open_hooked(NULL, f->ev, &f->options, &f->hooks,
				      &store) == EVERR_OK &&
		    store_origin_number(store, host, &number) == EVERR_OK) {
			status = 0;
		}
		talloc_free(store);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_a_reader_learns_of_new_hosts(void **state)
{
	struct fixture *f = fixture_start(state);
	uint16_t number = 0;

	number_of(f, "a");
	TALLOC_FREE(f->store);
	f->options.read_only = true;
	fixture_open(f);
	assert_host(f, 1, "a");
	assert_int_equal(number_of(f, "A"), 1);
	assert_int_equal(store_origin_number(f->store, "b", &number),
			 EVERR_NOT_SUPPORTED);
	serve_host(f, "b");
	assert_host(f, 2, "b");
	assert_host(f, 3, NULL);
}

/* --------------------------------------------------------- older stores */

/* The minor version in the file; with minor != 0 it is set to it before. */
static uint16_t file_minor(struct fixture *f, uint16_t minor)
{
	uint8_t value[STORE_META_SIZE];
	MDB_val key = {5, (void *)"store"};
	MDB_txn *txn = NULL;
	MDB_env *env = NULL;
	MDB_val data;
	MDB_dbi dbi;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
	assert_int_equal(mdb_env_open(env, f->path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &key, &data), 0);
	assert_int_equal(data.mv_size, sizeof(value));
	memcpy(value, data.mv_data, sizeof(value));
	if (minor != 0) {
		le16_set(value + STORE_META_MINOR, minor);
		store_value_seal(value, sizeof(value), key.mv_data,
				 key.mv_size);
		data = (MDB_val){sizeof(value), value};
		assert_int_equal(mdb_put(txn, dbi, &key, &data, 0), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	return le16_get(value + STORE_META_MINOR);
}

/* Its records are those of a store of 1.1, which had no origins. */
static void test_an_old_store_becomes_a_new_one_when_written(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");

	fixture_append_ok(f, channel, 1, 3);
	TALLOC_FREE(f->store);
	assert_int_equal(file_minor(f, 1), 1);
	fixture_verify(f);

	f->options.read_only = true;
	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_origin(f, channel, 3, 0, STORE_ORIGIN_NONE);
	TALLOC_FREE(f->store);
	assert_int_equal(file_minor(f, 0), 1);

	f->options.read_only = false;
	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_int_equal(append_from(f, channel, number_of(f, "dc1"),
				     STORE_ORIGIN_VERIFIED),
			 EVERR_OK);
	TALLOC_FREE(f->store);
	assert_int_equal(file_minor(f, 0), 2);
	fixture_verify(f);
	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_origin(f, channel, 3, 0, STORE_ORIGIN_NONE);
	assert_origin(f, channel, 4, 1, STORE_ORIGIN_VERIFIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_hosts_have_numbers_for_ever),
		leak_test(test_hosts_that_come_at_once_share_a_commit),
		leak_test(
			test_of_hosts_that_come_at_once_all_have_numbers_or_none),
		leak_test(test_what_is_no_host),
		leak_test(test_records_keep_their_origin),
		leak_test(test_an_origin_that_no_host_has_is_refused),
		leak_test(test_clearing_and_removal_leave_origins),
		leak_test(test_numbers_run_out),
		leak_test(test_a_damaged_name_keeps_its_number),
		leak_test(test_a_reader_learns_of_new_hosts),
		leak_test(test_an_old_store_becomes_a_new_one_when_written),
	};

	fixture_prepare();
	return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
