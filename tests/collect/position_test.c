/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Positions as bytes and names, and how gaps come into them. */

#include "tests/leak.h"

#include "base/text.h"
#include "collect/gap.h"
#include "collect/position.h"

#include <string.h>

static struct collect_position some_position(void)
{
	return (struct collect_position){
		.record_id = 0x0102030405060708,
		.time_created = 133444736000000000,
		.hash = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		.log_created = 133444735000000000,
		.passed = 0x0102030405060709,
		.events = 11,
		.gaps = 12,
		.missing = 13,
		.at_most = 14,
		.gap = {.first = 3,
			.last = 9,
			.missing = 7,
			.cause = COLLECT_GAP_CLEARED,
			.exact = COLLECT_GAP_AT_LEAST},
		.gap_reported = true,
	};
}

/* The bytes of doc/store-format.md, written down by hand. */
static void test_the_bytes_are_those_of_the_document(void **state)
{
	static const char expected[121] =
		"EVCF\1\0\1\0"
		"\x08\x07\x06\x05\x04\x03\x02\x01"
		/* 133444736000000000 */
		"\x00\x00\x6D\xC6\x47\x17\xDA\x01"
		"\1\2\3\4\5\6\7\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10"
		/* 133444735000000000 */
		"\x00\x36\xD2\x8A\x47\x17\xDA\x01"
		"\x09\x07\x06\x05\x04\x03\x02\x01"
		"\x0B\0\0\0\0\0\0\0\x0C\0\0\0\0\0\0\0"
		"\x0D\0\0\0\0\0\0\0\x0E\0\0\0\0\0\0\0"
		"\3\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0"
		"\7\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0";
	const size_t len = sizeof(expected) - 1;
	struct collect_position position = some_position();
	struct collect_position again = {.record_id = 0};
	uint8_t bytes[COLLECT_POSITION_MAX];

	(void)state;
	assert_int_equal(collect_position_encode(&position, bytes), len);
	assert_memory_equal(bytes, expected, len);
	assert_int_equal(
		collect_position_decode((const uint8_t *)expected, len, &again),
		EVERR_OK);
	assert_int_equal(collect_position_encode(&again, bytes), len);
	assert_memory_equal(bytes, expected, len);
}

static void test_what_is_no_position_is_refused(void **state)
{
	struct collect_position position = some_position();
	struct collect_position result = {.record_id = 77};
	uint8_t bytes[COLLECT_POSITION_MAX];
	uint8_t bad[COLLECT_POSITION_MAX];
	size_t len = collect_position_encode(&position, bytes);
	/* Where, and a byte that cannot stand there. */
	static const struct {
		size_t at;
		uint8_t byte;
	} cases[] = {{0, 'X'}, {6, 2},	 {7, 1}, {112, 6},
		     {116, 3}, {88, 10}, {48, 1}};
	size_t i;

	(void)state;
	for (i = 0; i < len; i++) {
		assert_int_equal(collect_position_decode(bytes, i, &result),
				 EVERR_STORE_CORRUPT);
	}
	assert_int_equal(collect_position_decode(bytes, len + 1, &result),
			 EVERR_STORE_CORRUPT);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bad, bytes, sizeof(bad));
		bad[cases[i].at] = cases[i].byte;
		assert_int_equal(collect_position_decode(bad, len, &result),
				 EVERR_STORE_CORRUPT);
	}
	bytes[4] = 2;
	assert_int_equal(collect_position_decode(bytes, len, &result),
			 EVERR_STORE_VERSION);
	assert_int_equal(result.record_id, 77);
}

static void test_names_are_lower_case_and_bounded(void **state)
{
	char *long_name = talloc_zero_size(*state, 800);
	char *name = NULL;
	char *other = NULL;

	name = collect_position_name(*state, "DC1.Example",
				     "Microsoft-Windows-X/Operational");
	assert_string_equal(
		name, "collect/dc1.example/microsoft-windows-x/operational");

	/* Two bytes each, so that the cut could go through one. */
	memset(long_name, 0, 800);
	while (strlen(long_name) < 700) {
		memcpy(long_name + strlen(long_name), "\xC3\xA4", 2);
	}
	name = collect_position_name(*state, "h", long_name);
	long_name[0] = 'x';
	long_name[1] = 'y';
	other = collect_position_name(*state, "h", long_name);
	assert_true(strlen(name) <= 400 && strlen(name) > 390);
	assert_true(text_utf8_valid(name, strlen(name)));
	assert_string_not_equal(name, other);
	long_name[699] = 'z';
	assert_string_not_equal(other,
				collect_position_name(*state, "h", long_name));
}

static struct collect_gap a_gap(uint64_t first, uint64_t last, uint32_t cause,
				uint32_t exact)
{
	return collect_gap_range(first, last, cause, exact);
}

static void test_gaps_of_one_cause_are_one(void **state)
{
	struct collect_gap_tally tally = {.numbers = {0}};
	struct collect_position position = {.gap_reported = true};
	struct collect_gap gap =
		a_gap(3, 4, COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT);

	(void)state;
	assert_false(collect_gap_any(&tally));
	collect_gap_add(&tally, &gap);
	gap = a_gap(8, 8, COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT);
	collect_gap_add(&tally, &gap);
	gap = a_gap(9, 9, COLLECT_GAP_REFUSED, COLLECT_GAP_EXACT);
	collect_gap_add(&tally, &gap);
	/* Nothing is missing between 5 and 4. */
	gap = a_gap(5, 4, COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT);
	collect_gap_add(&tally, &gap);
	assert_true(collect_gap_any(&tally));

	collect_gap_commit(&position, &tally);
	assert_int_equal(position.gaps, 3);
	assert_int_equal(position.missing, 4);
	assert_int_equal(position.gap.cause, COLLECT_GAP_SKIPPED);
	assert_int_equal(position.gap.first, 3);
	assert_int_equal(position.gap.last, 8);
	assert_int_equal(position.gap.missing, 3);
	assert_false(position.gap_reported);
}

static void test_a_gap_that_was_not_reported_grows(void **state)
{
	struct collect_gap_tally tally = {.numbers = {0}};
	struct collect_position position = {.gap_reported = true};
	struct collect_gap gap =
		a_gap(3, 4, COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT);

	(void)state;
	collect_gap_add(&tally, &gap);
	collect_gap_commit(&position, &tally);
	tally = (struct collect_gap_tally){.numbers = {0}};
	gap = a_gap(10, 19, COLLECT_GAP_SKIPPED, COLLECT_GAP_AT_MOST);
	collect_gap_add(&tally, &gap);
	collect_gap_commit(&position, &tally);
	assert_int_equal(position.gap.first, 3);
	assert_int_equal(position.gap.last, 19);
	assert_int_equal(position.gap.missing, 12);
	assert_int_equal(position.gap.exact, COLLECT_GAP_AT_MOST);
	assert_int_equal(position.missing, 2);
	assert_int_equal(position.at_most, 10);
	assert_int_equal(position.gaps, 2);
}

static void test_numbers_of_a_host_do_not_overflow(void **state)
{
	struct collect_gap_tally tally = {.numbers = {0}};
	struct collect_position position = {.missing = 5};
	struct collect_gap gap =
		a_gap(1, UINT64_MAX, COLLECT_GAP_SKIPPED, COLLECT_GAP_EXACT);

	(void)state;
	collect_gap_add(&tally, &gap);
	collect_gap_add(&tally, &gap);
	collect_gap_commit(&position, &tally);
	assert_true(position.missing == UINT64_MAX);
	assert_true(position.gap.missing == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_bytes_are_those_of_the_document),
		leak_test(test_what_is_no_position_is_refused),
		leak_test(test_names_are_lower_case_and_bounded),
		leak_test(test_gaps_of_one_cause_are_one),
		leak_test(test_a_gap_that_was_not_reported_grows),
		leak_test(test_numbers_of_a_host_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
