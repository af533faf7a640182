/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Dates, numbers, times of events, and texts that are cut. */

#include "tests/leak.h"

#include "base/text.h"
#include "base/wintime.h"
#include "bridge/decode.h"
#include "bridge/events.h"
#include "bridge/text.h"

static const char *cim(const char *text)
{
	static char out[WINTIME_TEXT_MAX];
	uint64_t filetime = 0;

	if (bridge_parse_cim_time(text, &filetime) != EVERR_OK) {
		return "none";
	}
	wintime_format(filetime, out);
	return out;
}

static void test_cim_times_are_local_and_say_how_far(void **state)
{
	assert_string_equal(cim("20261121191320.348000+000"),
			    "2026-11-21T19:13:20.3480000Z");
	/* Ahead of UTC, and behind it; over midnight and new year. */
	assert_string_equal(cim("20270101003000.000001+060"),
			    "2026-12-31T23:30:00.0000010Z");
	assert_string_equal(cim("20261231230000.999999-480"),
			    "2027-01-01T07:00:00.9999990Z");
	assert_string_equal(cim("16010101000000.000000+000"),
			    "1601-01-01T00:00:00.0000000Z");
}

static void test_what_is_no_cim_time(void **state)
{
	static const char *const wrong[] = {
		"",
		"20261121191320.348000",
		"20261121191320.348000+00",
		"20261121191320.348000+0000",
		"20261121191320,348000+000",
		"2026112119132*.******+000",
		"00000001010203.000000:000",
		"20261321191320.348000+000",
		"20260229191320.348000+000",
		"20261121251320.348000+000",
		"16010101000000.000000+001",
		"15001121191320.348000+000",
		" 0261121191320.348000+000",
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_string_equal(cim(wrong[i]), "none");
	}
}

static void test_numbers_are_digits(void **state)
{
	uint32_t n = 7;

	assert_true(bridge_parse_number("0", &n) && n == 0);
	assert_true(bridge_parse_number("4294967295", &n) && n == UINT32_MAX);
	assert_false(bridge_parse_number("4294967296", &n));
	assert_false(bridge_parse_number("00000000001", &n));
	assert_false(bridge_parse_number("", &n));
	assert_false(bridge_parse_number("-1", &n));
	assert_false(bridge_parse_number("1 ", &n));
	assert_true(n == UINT32_MAX);
}

static void test_an_events_time_is_sane(void **state)
{
	const struct bridge_origin origin = {.received = 134397620000000000ULL};
	const uint64_t day = 864000000000ULL;

	assert_true(bridge_time(&origin, 0) == origin.received);
	assert_true(bridge_time(&origin, 1) == origin.received);
	assert_true(bridge_time(&origin, UINT64_MAX) == origin.received);
	/* 1980-01-01T00:00:00Z. */
	assert_true(bridge_time(&origin, 119600064000000000ULL) ==
		    119600064000000000ULL);
	assert_true(bridge_time(&origin, 119600063999999999ULL) ==
		    origin.received);
	assert_true(bridge_time(&origin, origin.received + day) ==
		    origin.received + day);
	assert_true(bridge_time(&origin, origin.received + day + 1) ==
		    origin.received);
}

/* As UTF-8 again. */
static const char *put(TALLOC_CTX *mem_ctx, const char *text, size_t max)
{
	return bridge_text_clean(mem_ctx, text, max);
}

static void test_texts_are_cut_between_characters(void **state)
{
	/* 40 units; an emoji takes two. */
	const char *fits = "0123456789012345678901234567890123456789";
	const char *emoji = "\xF0\x9F\x98\x80";
	char *text = NULL;

	assert_string_equal(put(*state, fits, 40), fits);
	/* The mark has 17 units here. */
	text = talloc_asprintf(*state, "%s!", fits);
	assert_string_equal(put(*state, text, 40),
			    "01234567890123456789012… [cut, 41 bytes]");
	text = talloc_asprintf(*state, "0123456789012345678901%s0123456789%s",
			       emoji, fits);
	assert_string_equal(put(*state, text, 40),
			    "0123456789012345678901… [cut, 76 bytes]");
	assert_string_equal(put(*state, "", 40), "");
}

static void test_wrong_utf8_becomes_marks(void **state)
{
	/* Unicode's own examples of what is ill-formed: one mark a byte. */
	static const struct {
		const char *text;
		size_t units;
	} cases[] = {
		{"\xC3\xA4", 1},	 {"\xC3", 1},
		{"\xC0\xAF", 2},	 {"\xE0\x80\xAF", 3},
		{"\xED\xA0\x80", 3},	 {"\xF0\x90\x80\x80", 2},
		{"\xF0\x8F\xBF\xBF", 4}, {"\xF4\x8F\xBF\xBF", 2},
		{"\xF4\x90\x80\x80", 4}, {"\xF5\x80\x80\x80", 4},
		{"\xE2\x82x", 3},	 {"\x80", 1},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;
		char *clean = NULL;

		assert_int_equal(bridge_text_units(text, strlen(text), 100),
				 cases[i].units);
		clean = bridge_text_clean(*state, text, 100);
		assert_true(text_utf8_valid(clean, strlen(clean)));
		assert_int_equal(text_utf8_valid(text, strlen(text)),
				 strcmp(clean, text) == 0);
	}
}

/* Eighty bytes of what was sent may end inside a character. */
static void test_a_reason_is_one_line_of_text(void **state)
{
	const char *reason = NULL;

	assert_int_equal(bridge_refuse(*state, EVERR_TEXT, &reason,
				       "it is \"%.4s\"", "a\n\xC3\xA4\xC3\xA4"),
			 EVERR_TEXT);
	assert_string_equal(reason, "it is \"a \xC3\xA4\"");
	assert_int_equal(bridge_refuse(*state, EVERR_LIMIT, &reason,
				       "it is \"%.3s\"", "\x7F\x1B\xC3\xA4"),
			 EVERR_LIMIT);
	assert_string_equal(reason, "it is \"  \xEF\xBF\xBD\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_cim_times_are_local_and_say_how_far),
		leak_test(test_what_is_no_cim_time),
		leak_test(test_numbers_are_digits),
		leak_test(test_an_events_time_is_sane),
		leak_test(test_texts_are_cut_between_characters),
		leak_test(test_wrong_utf8_becomes_marks),
		leak_test(test_a_reason_is_one_line_of_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
