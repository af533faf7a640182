/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/wintime.h"
#include "cli/when.h"

#include <stdlib.h>
#include <time.h>

/* Central European time as POSIX writes it: no zone files needed. */
#define CENTRAL_EUROPE "CET-1CEST,M3.5.0,M10.5.0/3"

static uint64_t at(const char *text)
{
	uint64_t filetime = 0;

	assert_int_equal(wintime_parse(text, &filetime), EVERR_OK);
	return filetime;
}

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static uint64_t parse(const char *text, bool utc, bool end)
{
	struct cli_when when = {.utc = utc, .end = end};
	uint64_t filetime = 0;

	when.now = at("2026-11-21T15:30:20.5Z");
	assert_int_equal(cli_when_parse(&when, text, &filetime), EVERR_OK);
	return filetime;
}

#define assert_time(text, utc, end, expected) \
	assert_true(parse(text, utc, end) == at(expected))

static void test_ages_count_back_from_now(void **state)
{
	assert_time("0s", false, false, "2026-11-21T15:30:20.5Z");
	assert_time("90s", false, false, "2026-11-21T15:28:50.5Z");
	assert_time("30m", false, false, "2026-11-21T15:00:20.5Z");
	assert_time("2h", false, false, "2026-11-21T13:30:20.5Z");
	assert_time("7d", false, false, "2026-11-14T15:30:20.5Z");
	assert_time("2w", false, true, "2026-11-07T15:30:20.5Z");
	assert_time("1h30m", false, false, "2026-11-21T14:00:20.5Z");
	assert_time("now", false, false, "2026-11-21T15:30:20.5Z");
}

static void test_times_without_a_zone_are_local(void **state)
{
	zone(CENTRAL_EUROPE);
	assert_time("2026-11-21 14:00", false, false, "2026-11-21T13:00:00Z");
	assert_time("2026-07-01T14:00:05", false, false,
		    "2026-07-01T12:00:05Z");
	assert_time("2026-11-21 14:00:05.123", false, false,
		    "2026-11-21T13:00:05.123Z");
	assert_time("14:00", false, false, "2026-11-21T13:00:00Z");
	/* With --utc they are not. */
	assert_time("2026-07-01 14:00", true, false, "2026-07-01T14:00:00Z");
	assert_time("14:00", true, false, "2026-11-21T14:00:00Z");
}

static void test_a_zone_behind_the_time_decides(void **state)
{
	zone(CENTRAL_EUROPE);
	assert_time("2026-11-21T14:00:00Z", false, false,
		    "2026-11-21T14:00:00Z");
	assert_time("2026-11-21 14:00+02:00", false, false,
		    "2026-11-21T12:00:00Z");
	assert_time("2026-11-21T14:00:00.5-0330", false, false,
		    "2026-11-21T17:30:00.5Z");
	assert_time("2026-11-21T00:00+01", true, false, "2026-11-20T23:00:00Z");
	/* Digits beyond 100 ns are dropped. */
	assert_time("2026-11-21T14:00:00.123456789Z", false, false,
		    "2026-11-21T14:00:00.1234567Z");
}

static void test_a_day_is_its_beginning_or_its_end(void **state)
{
	zone(CENTRAL_EUROPE);
	assert_time("2026-11-21", false, false, "2026-11-20T23:00:00Z");
	assert_time("2026-11-21", false, true, "2026-11-21T22:59:59.9999999Z");
	assert_time("today", false, false, "2026-11-20T23:00:00Z");
	assert_time("Yesterday", false, false, "2026-11-19T23:00:00Z");
	assert_time("yesterday", false, true, "2026-11-20T22:59:59.9999999Z");
	/* The day on which the clocks go forward has 23 hours. */
	assert_time("2026-03-29", false, false, "2026-03-28T23:00:00Z");
	assert_time("2026-03-29", false, true, "2026-03-29T21:59:59.9999999Z");
	assert_time("2026-12-31", true, true, "2026-12-31T23:59:59.9999999Z");
	/* A time of day is that moment, at either end. */
	assert_time("2026-11-21 14:00", true, true, "2026-11-21T14:00:00Z");
}

static void test_yesterday_of_the_first_of_a_month(void **state)
{
	struct cli_when when = {.utc = true};
	uint64_t filetime = 0;

	when.now = at("2024-03-01T08:00:00Z");
	assert_int_equal(cli_when_parse(&when, "yesterday", &filetime),
			 EVERR_OK);
	assert_true(filetime == at("2024-02-29T00:00:00Z"));
}

static void test_what_is_no_time_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"2",
		"h",
		"2x",
		"2h ",
		"-2h",
		"2h30",
		"1y",
		"99999999999999999999s",
		"999999w",
		"tomorrow",
		"2026",
		"2026-11",
		"2026-13-01",
		"2026-00-01",
		"2026-02-29",
		"2026-04-31",
		"2026-11-21T",
		"2026-11-21 ",
		"2026-11-21 24:00",
		"2026-11-21 14:60",
		"2026-11-21 14:00:60",
		"2026-11-21 14",
		"2026-11-21 14:00:00.",
		"2026-11-21 14:00 Z",
		"2026-11-21 14:00Zulu",
		"2026-11-21 14:00+2",
		"2026-11-21 14:00+25:00",
		"2026-11-21 14:00+01:60",
		"1500-01-01",
		"21.11.2026",
		"14:0",
		"14:00Z",
		"24:00",
	};
	struct cli_when when = {.utc = true};
	uint64_t filetime = 7;
	size_t i;

	when.now = at("2026-11-21T15:30:20Z");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(cli_when_parse(&when, wrong[i], &filetime),
				 EVERR_TEXT);
	}
	assert_true(filetime == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_ages_count_back_from_now),
		leak_test(test_times_without_a_zone_are_local),
		leak_test(test_a_zone_behind_the_time_decides),
		leak_test(test_a_day_is_its_beginning_or_its_end),
		leak_test(test_yesterday_of_the_first_of_a_month),
		leak_test(test_what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
