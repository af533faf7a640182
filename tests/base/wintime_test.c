/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/wintime.h"

#include <inttypes.h>
#include <string.h>

static void assert_text(uint64_t filetime, const char *want)
{
	char text[WINTIME_TEXT_MAX];
	uint64_t back = 0;

	assert_int_equal(wintime_format(filetime, text), strlen(want));
	assert_string_equal(text, want);
	assert_int_equal(wintime_parse(text, &back), EVERR_OK);
	assert_true(back == filetime);
}

/* Values of [MS-DTYP] 2.3.3, of test vectors, and of Python's calendar. */
static void test_known_times_to_text_and_back(void **state)
{
	assert_text(0, "1601-01-01T00:00:00.0000000Z");
	assert_text(1, "1601-01-01T00:00:00.0000001Z");
	assert_text(116444736000000000ULL, "1970-01-01T00:00:00.0000000Z");
	assert_text(133444736000000000ULL, "2023-11-14T22:13:20.0000000Z");
	assert_text(0x01d6609db4c50a21ULL, "2020-07-23T03:02:31.2952353Z");
	assert_text(125963423999999999ULL, "2000-02-29T23:59:59.9999999Z");
	assert_text(125963424000000000ULL, "2000-03-01T00:00:00.0000000Z");
	assert_text(94353984000000000ULL, "1899-12-31T00:00:00.0000000Z");
	assert_text(94406688000000000ULL, "1900-03-02T00:00:00.0000000Z");
}

static void test_years_of_five_digits_to_the_last_value(void **state)
{
	assert_text(0x7FFF35F4F06C7FFFULL, "30827-12-31T23:59:59.9999999Z");
	assert_text(INT64_MAX, "30828-09-14T02:48:05.4775807Z");
	assert_text(UINT64_MAX, "60056-05-28T05:36:10.9551615Z");
}

/* Against the C library, on the first and last second of many days. */
static void test_every_day_to_year_9999_agrees_with_gmtime(void **state)
{
	int64_t day;

	for (day = -134774; day < 2932897; day += 1) {
		time_t t = (time_t)(day * 86400 + (day & 1) * 86399);
		struct timespec ts = {.tv_sec = t};
		char want[WINTIME_TEXT_MAX], text[WINTIME_TEXT_MAX];
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.0000000Z", &tm);
		wintime_format(wintime_from_timespec(&ts), text);
		assert_string_equal(text, want);
	}
}

static void test_parsing_takes_zero_to_nine_fraction_digits(void **state)
{
	static const struct {
		const char *text;
		uint64_t units;
	} cases[] = {
		{"1601-01-01T00:00:01", 10000000},
		{"1601-01-01T00:00:01Z", 10000000},
		{"1601-01-01T00:00:00.1Z", 1000000},
		{"1601-01-01T00:00:00.123", 1230000},
		{"1601-01-01T00:00:00.1234567Z", 1234567},
		{"1601-01-01T00:00:00.123456789Z", 1234567},
		{"1601-01-01T00:00:00.000000099Z", 0},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t units = 42;

		assert_int_equal(wintime_parse(cases[i].text, &units),
				 EVERR_OK);
		assert_true(units == cases[i].units);
	}
}

static void test_what_is_no_time_is_refused_and_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"2023",
		"2023-11-14",
		"2023-11-14 22:13:20",
		"2023-11-14T22:13:20.",
		"2023-11-14T22:13:20.Z",
		"2023-11-14T22:13:20.1234567890Z",
		"2023-11-14T22:13:20ZZ",
		"2023-11-14T22:13:20+01:00",
		"2023-11-14T24:00:00Z",
		"2023-11-14T22:60:00Z",
		"2023-11-14T22:13:60Z",
		"2023-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2023-00-01T00:00:00Z",
		"2023-13-01T00:00:00Z",
		"2023-04-31T00:00:00Z",
		"2023-04-00T00:00:00Z",
		"2023-4-01T00:00:00Z",
		"1600-12-31T23:59:59Z",
		"-023-04-01T00:00:00Z",
		"60056-05-28T05:36:10.9551616Z",
		"99999-01-01T00:00:00Z",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t units = 42;

		assert_int_equal(wintime_parse(texts[i], &units), EVERR_TEXT);
		assert_true(units == 42);
	}
}

static void test_unix_times_and_their_ends(void **state)
{
	struct timespec ts = {.tv_sec = 1595473351, .tv_nsec = 295235399};

	assert_true(wintime_from_timespec(&ts) == 0x01d6609db4c50a21ULL);

	wintime_to_timespec(0x01d6609db4c50a21ULL, &ts);
	assert_int_equal(ts.tv_sec, 1595473351);
	assert_int_equal(ts.tv_nsec, 295235300);

	wintime_to_timespec(0, &ts);
	assert_true(ts.tv_sec == -11644473600LL && ts.tv_nsec == 0);
	assert_true(wintime_from_timespec(&ts) == 0);

	ts = (struct timespec){.tv_sec = -11644473601LL, .tv_nsec = 999999999};
	assert_true(wintime_from_timespec(&ts) == 0);
	ts.tv_sec = INT64_MAX;
	assert_true(wintime_from_timespec(&ts) == UINT64_MAX);
	ts.tv_sec = INT64_MIN;
	assert_true(wintime_from_timespec(&ts) == 0);

	wintime_to_timespec(UINT64_MAX, &ts);
	assert_true(wintime_from_timespec(&ts) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_known_times_to_text_and_back),
		leak_test(test_years_of_five_digits_to_the_last_value),
		leak_test(test_every_day_to_year_9999_agrees_with_gmtime),
		leak_test(test_parsing_takes_zero_to_nine_fraction_digits),
		leak_test(test_what_is_no_time_is_refused_and_changes_nothing),
		leak_test(test_unix_times_and_their_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
