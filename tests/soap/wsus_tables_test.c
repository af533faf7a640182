/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soap/wsus_fixture.h"

static const struct ev_guid dss = {.b = {1, 2, 3}};
static const struct bridge_origin origin = {
	.computer = "host.example",
	.peer = "192.0.2.7",
	.received = FIXTURE_TIME,
};

static struct tevent_req *contact(struct wsus_fixture *w,
				  const struct ev_guid *id)
{
	struct tevent_req *req = wsus_tables_contact_send(
		w, w->wsus, &origin, id, "dss.example.com");

	assert_non_null(req);
	return req;
}

static everr_t contact_done(struct wsus_fixture *w, struct tevent_req *req,
			    bool *ret_new)
{
	everr_t err;

	assert_true(tevent_req_poll(req, w->f->ev));
	err = wsus_tables_contact_recv(req, ret_new);
	talloc_free(req);
	return err;
}

static bool is_new(struct wsus_fixture *w, const struct ev_guid *id)
{
	bool new = false;

	assert_int_equal(contact_done(w, contact(w, id), &new), EVERR_OK);
	return new;
}

static void put_state(struct wsus_fixture *w, const char *name,
		      const char *data)
{
	struct store_state state = {name, data, strlen(data)};
	uint64_t first_id;

	assert_int_equal(
		fixture_recv(w->f,
			     store_append_send(w->f, w->f->ev, w->channel, NULL,
					       0, &state, 1),
			     &first_id),
		EVERR_OK);
}

static void test_a_server_is_new_at_its_first_contact_only(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	assert_true(is_new(w, &dss));
	assert_false(is_new(w, &dss));
	wsus_fixture_restart(w);
	assert_false(is_new(w, &dss));
	assert_string_equal(wsus_tables_server_name(w->wsus->tables, &dss),
			    "dss.example.com");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SEEN), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_SERVER_SEEN, "PeerAddress",
			    "192.0.2.7");
	fixture_verify(w->f);
}

static void test_contacts_at_once_make_one_row(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct tevent_req *reqs[4];
	unsigned int num_new = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		reqs[i] = contact(w, &dss);
	}
	assert_null(wsus_tables_server(w->wsus->tables, &dss));
	/* One of those that wait does not wait any more. */
	TALLOC_FREE(reqs[1]);
	for (i = 0; i < 4; i++) {
		bool new = false;

		if (reqs[i] != NULL) {
			assert_int_equal(contact_done(w, reqs[i], &new),
					 EVERR_OK);
		}
		num_new += new;
	}
	assert_int_equal(num_new, 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SEEN), 1);
}

static void test_an_id_of_zeros_gets_no_row(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const struct ev_guid zero = {};

	assert_false(is_new(w, &zero));
	assert_int_equal(w->wsus->tables->servers.num, 0);
	assert_int_equal(wsus_events(w, 0), 0);
}

static void test_a_contact_that_can_not_be_written_leaves_nothing(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	bool new = false;

	w->f->options.limits.disk_reserve = 1 << 20;
	wsus_fixture_restart(w);
	fixture_disk_set(w->f, 1);
	assert_int_equal(contact_done(w, contact(w, &dss), &new),
			 EVERR_STORE_FULL);
	assert_int_equal(w->wsus->tables->servers.num, 0);
	assert_null(wsus_tables_server_name(w->wsus->tables, &dss));
}

static void test_there_is_a_limit_of_servers(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const struct ev_guid other = {.b = {9}};
	bool new = false;

	w->wsus->config.servers_max = 1;
	assert_true(is_new(w, &dss));
	assert_int_equal(contact_done(w, contact(w, &other), &new),
			 EVERR_LIMIT);
	assert_false(is_new(w, &dss));
}

static void test_a_damaged_row_is_named_and_passed_over(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct wsus_tables *tables = NULL;
	char *message = NULL;

	assert_true(is_new(w, &dss));
	put_state(w, "wsus/server/no-guid", "x");
	put_state(w, "wsus/server/11111111-2222-3333-4444-555555555555", "x");
	put_state(w, "wsus/computer/pc", "EVWC");
	assert_int_equal(wsus_tables_load(w, w->wsus, &tables, &message),
			 EVERR_OK);
	assert_non_null(message);
	assert_non_null(strstr(message, "3 rows"));
	assert_non_null(strstr(
		message, "wsus/server/11111111-2222-3333-4444-555555555555"));
	assert_int_equal(tables->servers.num, 1);
	assert_int_equal(tables->computers.num, 0);
	assert_int_equal(tables->damaged, 3);
}

static void test_a_whole_store_loads_without_a_word(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct wsus_tables *tables = NULL;
	char *message = NULL;

	assert_true(is_new(w, &dss));
	assert_int_equal(wsus_tables_load(w, w->wsus, &tables, &message),
			 EVERR_OK);
	assert_null(message);
}

static void test_a_row_under_another_ones_name_is_damaged(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct wsus_computer_row row = {.computer.id = "pc1"};
	struct store_state moved = {.name = "wsus/computer/pc2"};
	struct wsus_tables *tables = NULL;
	char *message = NULL;
	uint64_t first_id;
	struct buf buf;

	buf_init(&buf, w, WSUS_ROW_MAX);
	wsus_computer_encode(&buf, &row);
	moved.data = buf.data;
	moved.len = buf.len;
	assert_int_equal(
		fixture_recv(w->f,
			     store_append_send(w->f, w->f->ev, w->channel, NULL,
					       0, &moved, 1),
			     &first_id),
		EVERR_OK);
	assert_int_equal(wsus_tables_load(w, w->wsus, &tables, &message),
			 EVERR_OK);
	assert_int_equal(tables->damaged, 1);
}

/* ------------------------------------------------------------------ hash */

struct linked {
	struct wsus_link link;
	unsigned int key;
};

static void test_what_is_in_the_hash_is_found_again(void **state)
{
	struct linked *all = talloc_zero_array(*state, struct linked, 5000);
	struct wsus_hash table;
	unsigned int i;

	assert_int_equal(wsus_hash_init(*state, &table), EVERR_OK);
	for (i = 0; i < 5000; i++) {
		all[i].key = i;
		all[i].link.hash = wsus_hash_of(&table, &i, sizeof(i));
		wsus_hash_add(&table, &all[i].link);
	}
	for (i = 0; i < 5000; i += 2) {
		wsus_hash_remove(&table, &all[i].link);
	}
	assert_int_equal(table.num, 2500);
	for (i = 0; i < 5000; i++) {
		struct wsus_link *link = wsus_hash_first(
			&table, wsus_hash_of(&table, &i, sizeof(i)));

		while (link != NULL && ((struct linked *)link)->key != i) {
			link = wsus_hash_next(link);
		}
		assert_int_equal(link != NULL, i % 2);
	}
	assert_true(table.num_buckets >= 4096);
}

/* The first two vectors of the tests of Rust's core::hash::SipHasher13. */
static void test_the_hash_is_siphash_1_3(void **state)
{
	struct wsus_hash table = {
		.secret = {UINT64_C(0x0706050403020100),
			   UINT64_C(0x0f0e0d0c0b0a0908)},
	};
	uint8_t key[8] = {0, 1, 2, 3, 4, 5, 6, 7};

	assert_int_equal(wsus_hash_of(&table, key, 0),
			 UINT64_C(0xabac0158050fc4dc));
	assert_int_equal(wsus_hash_of(&table, key, 1),
			 UINT64_C(0xc9f49bf37d57ca93));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_server_is_new_at_its_first_contact_only),
		leak_test(test_contacts_at_once_make_one_row),
		leak_test(test_an_id_of_zeros_gets_no_row),
		leak_test(
			test_a_contact_that_can_not_be_written_leaves_nothing),
		leak_test(test_there_is_a_limit_of_servers),
		leak_test(test_a_damaged_row_is_named_and_passed_over),
		leak_test(test_a_whole_store_loads_without_a_word),
		leak_test(test_a_row_under_another_ones_name_is_damaged),
		leak_test(test_what_is_in_the_hash_is_found_again),
		leak_test(test_the_hash_is_siphash_1_3),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
