/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/wsus_anchor.h"

/* 2006-05-26T18:59:26.192Z; computed with Python's datetime. */
#define SAMPLE_TIME UINT64_C(127931435661920000)

static void test_the_specification_sample_is_read_and_written(void **state)
{
	char text[WSUS_ANCHOR_TEXT_MAX];
	struct wsus_anchor anchor;

	assert_int_equal(
		wsus_anchor_parse("4742,2006-05-26 18:59:26.192", &anchor),
		EVERR_OK);
	assert_int_equal(anchor.number, 4742);
	assert_int_equal(anchor.time, SAMPLE_TIME);
	wsus_anchor_format(&anchor, text);
	assert_string_equal(text, "4742,2006-05-26 18:59:26.192");
}

static void test_what_is_written_can_be_read(void **state)
{
	static const struct wsus_anchor anchors[] = {
		{1, 0},
		{INT32_MAX, UINT64_C(2650467743999990000)},
		{7, SAMPLE_TIME}};
	char text[WSUS_ANCHOR_TEXT_MAX];
	struct wsus_anchor anchor;
	size_t i;

	for (i = 0; i < 3; i++) {
		wsus_anchor_format(&anchors[i], text);
		assert_int_equal(wsus_anchor_parse(text, &anchor), EVERR_OK);
		assert_int_equal(anchor.number, anchors[i].number);
		assert_int_equal(anchor.time, anchors[i].time);
	}
}

static void test_an_absent_anchor_is_no_mistake(void **state)
{
	struct wsus_anchor anchor;

	assert_int_equal(wsus_anchor_parse(NULL, &anchor), EVERR_NOT_FOUND);
	assert_int_equal(wsus_anchor_parse("", &anchor), EVERR_NOT_FOUND);
}

static void test_malformed_anchors_are_refused(void **state)
{
	static const char *const texts[] = {
		"x",
		" ",
		"4742",
		"4742,",
		"4742,2006-05-26",
		"4742,2006-05-26 18:59:26",
		"4742,2006-05-26T18:59:26.192",
		"4742, 2006-05-26 18:59:26.192",
		"4742,2006-05-26 18:59:26.19",
		"4742,2006-05-26 18:59:26.1920",
		"4742,2006-13-26 18:59:26.192",
		"4742,2006-02-30 18:59:26.192",
		"4742,2006-05-26 24:59:26.192",
		"4742,2006-05-26 18:59:26,192",
		"0,2006-05-26 18:59:26.192",
		"-1,2006-05-26 18:59:26.192",
		"2147483648,2006-05-26 18:59:26.192",
		"99999999999999999999,2006-05-26 18:59:26.192",
		"4742,2006-05-26 18:59:26.192 ",
	};
	struct wsus_anchor anchor;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(wsus_anchor_parse(texts[i], &anchor),
				 EVERR_TEXT);
	}
}

static void test_after_goes_by_the_number_or_the_time(void **state)
{
	struct wsus_anchor row = {5, 1000};
	struct wsus_anchor same = {5, 1000};
	struct wsus_anchor earlier_number = {4, 2000};
	struct wsus_anchor earlier_time = {6, 999};
	struct wsus_anchor later = {6, 2000};

	assert_true(wsus_anchor_after(&row, NULL));
	assert_false(wsus_anchor_after(&row, &same));
	assert_true(wsus_anchor_after(&row, &earlier_number));
	assert_true(wsus_anchor_after(&row, &earlier_time));
	assert_false(wsus_anchor_after(&row, &later));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_specification_sample_is_read_and_written),
		leak_test(test_what_is_written_can_be_read),
		leak_test(test_an_absent_anchor_is_no_mistake),
		leak_test(test_malformed_anchors_are_refused),
		leak_test(test_after_goes_by_the_number_or_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
