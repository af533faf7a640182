/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/wsus_rows.h"
#include "soap/wsus_states.h"

#include <string.h>

static struct ev_guid guid(uint8_t first)
{
	struct ev_guid id = {.b = {first, 2, 3, 4, 5, 6, 7, 8, 9}};

	return id;
}

static struct buf row_buf(void **state)
{
	struct buf buf;

	buf_init(&buf, *state, WSUS_ROW_MAX);
	return buf;
}

/* -------------------------------------------------------------- names */

static void expect_name(const char *id, const char *want)
{
	char name[WSUS_ROW_NAME_SIZE];

	assert_int_equal(wsus_computer_row_name(WSUS_ROW_COMPUTER, id, name),
			 EVERR_OK);
	assert_string_equal(name, want);
}

static void test_a_row_is_named_by_the_id_without_case(void **state)
{
	expect_name("d07a4d51-7cb2-46d1-ad86-91195cb4325a",
		    "wsus/computer/d07a4d51-7cb2-46d1-ad86-91195cb4325a");
	expect_name("D07A4D51-7CB2", "wsus/computer/d07a4d51-7cb2");
	expect_name("S-1-5-21", "wsus/computer/s-1-5-21");
}

/* What stands behind '=' is python3's base64.urlsafe_b64encode(). */
static void test_any_other_id_is_in_base64(void **state)
{
	expect_name("../key", "wsus/computer/=Li4va2V5");
	expect_name("a b", "wsus/computer/=YSBi");
	expect_name("\xc3\xa4?>", "wsus/computer/=w6Q_Pg");
	expect_name("=", "wsus/computer/=PQ");
}

static void test_an_id_is_neither_empty_nor_over_256_bytes(void **state)
{
	char id[WSUS_COMPUTER_ID_MAX + 2];
	char name[WSUS_ROW_NAME_SIZE];

	memset(id, '/', sizeof(id));
	id[WSUS_COMPUTER_ID_MAX + 1] = '\0';
	assert_int_equal(wsus_computer_row_name(WSUS_ROW_COMPUTER, id, name),
			 EVERR_LIMIT);
	assert_int_equal(wsus_computer_row_name(WSUS_ROW_COMPUTER, "", name),
			 EVERR_LIMIT);
	id[WSUS_COMPUTER_ID_MAX] = '\0';
	assert_int_equal(wsus_computer_row_name(WSUS_ROW_COMPUTER, id, name),
			 EVERR_OK);
	/* base64 of 256 bytes has 342 digits. */
	assert_int_equal(strlen(name), strlen(WSUS_ROW_COMPUTER) + 1 + 342);
}

/* --------------------------------------------------------------- rows */

static void test_a_server_row_comes_back_as_it_was(void **state)
{
	struct ev_guid parts[2] = {guid(7), guid(8)};
	struct wsus_server_row row = {
		.server = {.id = guid(1),
			   .name = "dss.example.com",
			   .parent = guid(2),
			   .version = "10.0.20348.1",
			   .replica = true,
			   .last_sync = 11,
			   .last_rollup = 12,
			   .has_counters = true,
			   .counters = {1002, 29, 2, 971}},
		.first_seen = 13,
		.sent_rollup = 14,
		.reporting = true,
		.num_systems = 15,
		.parts = parts,
		.num_parts = 2,
	};
	struct wsus_server_row back = {};
	struct buf buf = row_buf(state);

	wsus_server_encode(&buf, &row);
	assert_int_equal(wsus_server_decode(*state, &row.server.id, buf.data,
					    buf.len, &back),
			 EVERR_OK);
	assert_string_equal(back.server.name, row.server.name);
	assert_string_equal(back.server.version, row.server.version);
	assert_memory_equal(&back.server.parent, &row.server.parent, 16);
	assert_true(back.server.replica);
	assert_true(back.server.has_counters);
	assert_memory_equal(back.server.counters, row.server.counters,
			    sizeof(row.server.counters));
	assert_int_equal(back.server.last_sync, 11);
	assert_int_equal(back.server.last_rollup, 12);
	assert_int_equal(back.first_seen, 13);
	assert_int_equal(back.sent_rollup, 14);
	assert_int_equal(back.num_systems, 15);
	assert_true(back.reporting);
	assert_int_equal(back.num_parts, 2);
	assert_memory_equal(back.parts, parts, sizeof(parts));
}

static struct wsus_computer_row computer_row(void)
{
	return (struct wsus_computer_row){
		.computer = {.id = "d07a4d51",
			     .parent = guid(2),
			     .last_sync = 21,
			     .last_sync_result = 2,
			     .last_reboot = 22,
			     .last_status = 23,
			     .last_inventory = 24,
			     .has_details = true,
			     .name = "pc1.example.com",
			     .address = "10.0.0.7",
			     .os = {.major = 5,
				    .build = 3790,
				    .suite_mask = -272,
				    .locale = "en-US",
				    .architecture = "AMD64"},
			     .os_family = "Windows",
			     .make = "Hewlett-Packard",
			     .bios_date = 25,
			     .client_version = "7.0.6000.354",
			     .target_groups = "b73ca6ed",
			     .requested_groups =
				     "Windows Server 2003, Servers"},
		.detection = 26,
		.rollup_number = 3,
		.untold = true,
	};
}

static void test_a_computer_row_comes_back_as_it_was(void **state)
{
	struct wsus_computer_row row = computer_row();
	struct wsus_computer_row back = {};
	struct buf buf = row_buf(state);
	struct buf again = row_buf(state);

	wsus_computer_encode(&buf, &row);
	assert_int_equal(wsus_computer_decode(*state, buf.data, buf.len, &back),
			 EVERR_OK);
	assert_string_equal(back.computer.id, "d07a4d51");
	assert_string_equal(back.computer.requested_groups,
			    "Windows Server 2003, Servers");
	assert_null(back.computer.model);
	assert_int_equal(back.computer.os.suite_mask, -272);
	assert_int_equal(back.computer.last_sync_result, 2);
	assert_int_equal(back.detection, 26);
	assert_int_equal(back.rollup_number, 3);
	assert_true(back.untold);
	wsus_computer_encode(&again, &back);
	assert_int_equal(again.len, buf.len);
	assert_memory_equal(again.data, buf.data, buf.len);
}

static void test_a_cut_or_lengthened_row_is_damaged(void **state)
{
	struct wsus_computer_row row = computer_row();
	struct wsus_computer_row back = {};
	struct buf buf = row_buf(state);
	size_t len;

	wsus_computer_encode(&buf, &row);
	buf_put_u8(&buf, 0);
	assert_int_equal(wsus_computer_decode(*state, buf.data, buf.len, &back),
			 EVERR_STORE_CORRUPT);
	for (len = 0; len < buf.len - 1; len++) {
		assert_int_equal(
			wsus_computer_decode(*state, buf.data, len, &back),
			EVERR_STORE_CORRUPT);
	}
}

static void test_a_row_of_a_later_version_is_not_read(void **state)
{
	struct wsus_computer_row row = computer_row();
	struct buf buf = row_buf(state);

	wsus_computer_encode(&buf, &row);
	buf_set_u16(&buf, 4, 2);
	assert_int_equal(wsus_computer_decode(*state, buf.data, buf.len, &row),
			 EVERR_STORE_VERSION);
}

/* ----------------------------------------------------------- activity */

static void test_activity_is_added_up_by_update(void **state)
{
	struct wsus_activity_rows rows = {};
	struct wsus_activity_rows back = {};
	struct bridge_wsus_activity more = {.revision = 101, .succeeded = 1};
	struct buf buf = row_buf(state);
	uint8_t i;

	/* In an order that is not theirs, each twice. */
	for (i = 0; i < 200; i++) {
		more.update = guid((uint8_t)(i * 77 % 100));
		more.failed = i;
		assert_int_equal(wsus_activity_add(*state, &rows, &more),
				 EVERR_OK);
	}
	assert_int_equal(rows.num, 100);
	wsus_activity_encode(&buf, &rows);
	assert_int_equal(wsus_activity_decode(*state, buf.data, buf.len, &back),
			 EVERR_OK);
	assert_int_equal(back.num, 100);
	for (i = 0; i < 100; i++) {
		assert_int_equal(back.rows[i].update.b[0], i);
		assert_int_equal(back.rows[i].succeeded, 2);
		assert_int_equal(back.rows[i].revision, 101);
	}
	/* i = 1 and 101 have first byte 77. */
	assert_int_equal(back.rows[77].failed, 102);
}

static void test_activity_out_of_order_is_damaged(void **state)
{
	struct wsus_activity_row two[2] = {{.update = guid(2)},
					   {.update = guid(1)}};
	struct wsus_activity_rows rows = {two, 2};
	struct buf buf = row_buf(state);

	wsus_activity_encode(&buf, &rows);
	assert_int_equal(wsus_activity_decode(*state, buf.data, buf.len, &rows),
			 EVERR_STORE_CORRUPT);
}

/* ------------------------------------------------------------- states */

static struct wsus_state one(uint8_t update, uint16_t state, uint64_t changed)
{
	return (struct wsus_state){
		.update = guid(update), .state = state, .changed = changed};
}

static struct wsus_merge *merge(void **state, const struct wsus_states *old,
				const struct wsus_states *sent, bool full)
{
	struct wsus_merge *result = NULL;

	assert_int_equal(
		wsus_states_merge(*state, old, sent, full, 100, &result),
		EVERR_OK);
	return result;
}

static void test_of_several_rows_of_an_update_the_latest_stays(void **state)
{
	struct wsus_state rows[] = {one(9, 4, 50), one(1, 2, 10), one(9, 5, 40),
				    one(1, 3, 10)};
	struct wsus_states states = {.rows = rows, .num = 4};
	uint32_t i;

	for (i = 0; i < 4; i++) {
		rows[i].order = i;
	}
	wsus_states_sort(&states);
	assert_int_equal(states.num, 2);
	assert_int_equal(rows[0].update.b[0], 1);
	assert_int_equal(rows[0].state, 3);
	assert_int_equal(rows[1].update.b[0], 9);
	assert_int_equal(rows[1].state, 4);
}

static void test_the_first_full_rollup_is_the_baseline(void **state)
{
	struct wsus_state rows[] = {one(1, 4, 10), one(2, 5, 10)};
	struct wsus_states sent = {.rows = rows, .num = 2};
	struct wsus_states none = {};
	struct wsus_merge *m = merge(state, &none, &sent, true);

	assert_true(m->baseline);
	assert_true(m->changed);
	assert_int_equal(m->num_transitions, 0);
	assert_int_equal(m->result.num, 2);
	m = merge(state, &m->result, &sent, true);
	assert_false(m->baseline);
	assert_false(m->changed);
}

static void test_a_row_with_an_older_time_is_passed_over(void **state)
{
	struct wsus_state have = one(1, 4, 100);
	struct wsus_state late = one(1, 5, 99);
	struct wsus_state same = one(1, 5, 100);
	struct wsus_states old = {.rows = &have, .num = 1, .baseline = true};
	struct wsus_states sent = {.rows = &late, .num = 1};
	struct wsus_merge *m = merge(state, &old, &sent, false);

	assert_false(m->changed);
	assert_int_equal(m->result.rows[0].state, 4);
	sent.rows = &same;
	m = merge(state, &old, &sent, false);
	assert_int_equal(m->num_transitions, 1);
	assert_int_equal(m->transitions[0].old.state, 4);
	/* A full one deletes first, so that nothing is left to compare. */
	sent.rows = &late;
	m = merge(state, &old, &sent, true);
	assert_int_equal(m->num_transitions, 1);
	assert_int_equal(m->result.rows[0].changed, 99);
}

static void test_a_full_rollup_deletes_without_an_event(void **state)
{
	struct wsus_state have[] = {one(1, 4, 1), one(2, 4, 1), one(3, 4, 1)};
	struct wsus_state rows[] = {one(2, 4, 1)};
	struct wsus_states old = {.rows = have, .num = 3, .baseline = true};
	struct wsus_states sent = {.rows = rows, .num = 1};
	struct wsus_merge *m = merge(state, &old, &sent, true);

	assert_true(m->changed);
	assert_int_equal(m->num_transitions, 0);
	assert_int_equal(m->result.num, 1);
	m = merge(state, &old, &sent, false);
	assert_false(m->changed);
	assert_int_equal(m->result.num, 3);
}

static void test_a_new_update_is_told_unless_it_does_not_apply(void **state)
{
	struct wsus_state rows[] = {one(1, 0, 1), one(2, 1, 1), one(3, 2, 1),
				    one(4, 5, 1), one(5, 77, 1)};
	struct wsus_states old = {.baseline = true};
	struct wsus_states sent = {.rows = rows, .num = 5};
	struct wsus_merge *m = merge(state, &old, &sent, false);

	assert_int_equal(m->result.num, 5);
	assert_int_equal(m->num_transitions, 3);
	assert_int_equal(m->transitions[0].at, 2);
	assert_false(m->transitions[0].known);
}

static void test_more_states_than_are_kept_are_refused(void **state)
{
	struct wsus_state rows[] = {one(1, 0, 1), one(2, 1, 1), one(3, 2, 1)};
	struct wsus_states none = {};
	struct wsus_states sent = {.rows = rows, .num = 3};
	struct wsus_merge *m = NULL;

	assert_int_equal(wsus_states_merge(*state, &none, &sent, true, 2, &m),
			 EVERR_LIMIT);
	assert_null(m);
}

/*
 * Of what has not been told the row is as before, so that whoever goes on
 * from it tells the rest, and nothing twice.
 */
static void test_a_row_that_is_told_in_part_goes_on_from_there(void **state)
{
	struct wsus_state have[] = {one(1, 2, 1), one(2, 2, 1), one(4, 4, 1)};
	struct wsus_state rows[] = {one(1, 4, 2), one(2, 5, 2), one(3, 2, 2)};
	struct wsus_states old = {.rows = have, .num = 3, .baseline = true};
	struct wsus_states sent = {.rows = rows, .num = 3};
	struct wsus_states part = {};
	struct buf buf = row_buf(state);
	struct wsus_merge *m = merge(state, &old, &sent, false);

	assert_int_equal(m->num_transitions, 3);
	wsus_states_encode(&buf, m, 1);
	assert_int_equal(wsus_states_decode(*state, buf.data, buf.len, &part),
			 EVERR_OK);
	assert_true(part.baseline);
	assert_int_equal(part.num, 3);
	m = merge(state, &part, &sent, false);
	assert_int_equal(m->num_transitions, 2);
	assert_int_equal(m->result.rows[m->transitions[0].at].update.b[0], 2);
	assert_int_equal(m->result.rows[m->transitions[1].at].update.b[0], 3);
	assert_int_equal(m->result.num, 4);
}

static void test_damaged_states_are_noticed(void **state)
{
	struct wsus_state rows[] = {one(1, 0, 1), one(2, 1, 1)};
	struct wsus_states none = {};
	struct wsus_states sent = {.rows = rows, .num = 2};
	struct wsus_states back = {};
	struct buf buf = row_buf(state);
	size_t len;

	wsus_states_encode(&buf, merge(state, &none, &sent, true), 0);
	for (len = 0; len < buf.len; len++) {
		assert_int_equal(
			wsus_states_decode(*state, buf.data, len, &back),
			EVERR_STORE_CORRUPT);
	}
	/* The second update's first byte. */
	buf.data[12 + WSUS_STATE_SIZE] = 0;
	assert_int_equal(wsus_states_decode(*state, buf.data, buf.len, &back),
			 EVERR_STORE_CORRUPT);
}

static void test_the_most_states_fit_a_row(void **state)
{
	assert_true(12 + WSUS_STATES_MAX * WSUS_STATE_SIZE <= WSUS_ROW_MAX);
	assert_true(12 + WSUS_ACTIVITY_ROWS_MAX * 36 <= WSUS_ROW_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_row_is_named_by_the_id_without_case),
		leak_test(test_any_other_id_is_in_base64),
		leak_test(test_an_id_is_neither_empty_nor_over_256_bytes),
		leak_test(test_a_server_row_comes_back_as_it_was),
		leak_test(test_a_computer_row_comes_back_as_it_was),
		leak_test(test_a_cut_or_lengthened_row_is_damaged),
		leak_test(test_a_row_of_a_later_version_is_not_read),
		leak_test(test_activity_is_added_up_by_update),
		leak_test(test_activity_out_of_order_is_damaged),
		leak_test(test_of_several_rows_of_an_update_the_latest_stays),
		leak_test(test_the_first_full_rollup_is_the_baseline),
		leak_test(test_a_row_with_an_older_time_is_passed_over),
		leak_test(test_a_full_rollup_deletes_without_an_event),
		leak_test(test_a_new_update_is_told_unless_it_does_not_apply),
		leak_test(test_more_states_than_are_kept_are_refused),
		leak_test(test_a_row_that_is_told_in_part_goes_on_from_there),
		leak_test(test_damaged_states_are_noticed),
		leak_test(test_the_most_states_fit_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
