/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/guid.h"

#include <string.h>

/* The provider of a real event: 25 96 84 54 78 54 94 49 a5 ba ... */
static const struct ev_guid auditing = {{0x25, 0x96, 0x84, 0x54, 0x78, 0x54,
					 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b,
					 0x03, 0x28, 0xc3, 0x0d}};

static void test_text_is_braced_upper_case_and_mixed_endian(void **state)
{
	char text[EV_GUID_TEXT_SIZE];

	ev_guid_format(&auditing, text);
	assert_string_equal(text, "{54849625-5478-4994-A5BA-3E3B0328C30D}");
}

static void test_parsing_takes_either_case_with_and_without_braces(void **state)
{
	static const char *const texts[] = {
		"{54849625-5478-4994-A5BA-3E3B0328C30D}",
		"54849625-5478-4994-a5ba-3e3b0328c30d",
		"{54849625-5478-4994-a5Ba-3E3b0328c30D}",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ev_guid guid;

		assert_int_equal(ev_guid_parse(texts[i], &guid), EVERR_OK);
		assert_true(ev_guid_equal(&guid, &auditing));
	}
}

static void test_what_is_not_a_guid_is_refused_and_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"54849625",
		"54849625-5478-4994-A5BA-3E3B0328C30",
		"54849625-5478-4994-A5BA-3E3B0328C30D0",
		"54849625-5478-4994-A5BA-3E3B0328C30D}",
		"{54849625-5478-4994-A5BA-3E3B0328C30D",
		"{54849625-5478-4994-A5BA-3E3B0328C30D} ",
		"54849625-54784994-A5BA-3E3B0328C30D-",
		"5484962554784994A5BA3E3B0328C30D",
		"5484962G-5478-4994-A5BA-3E3B0328C30D",
		" 54849625-5478-4994-A5BA-3E3B0328C30D",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ev_guid guid = auditing;

		assert_int_equal(ev_guid_parse(texts[i], &guid), EVERR_TEXT);
		assert_true(ev_guid_equal(&guid, &auditing));
	}
}

/* Expected: Python's uuid.uuid5() in uuid.uuid5(NAMESPACE_DNS, "evenlog"). */
static void test_name_based_guids_are_those_of_rfc_4122(void **state)
{
	static const struct {
		size_t len;
		char fill;
		const char *text;
	} cases[] = {
		{0, 'a', "{E3FEA436-4406-5417-A5B0-C2D53E32D580}"},
		{1000, 'a', "{6FB7D539-5305-51F0-8253-EBD033F6A973}"},
	};
	char data[1000];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[EV_GUID_TEXT_SIZE];
		struct ev_guid guid;

		memset(data, cases[i].fill, sizeof(data));
		ev_guid_from_bytes(data, cases[i].len, &guid);
		ev_guid_format(&guid, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_zero_is_known(void **state)
{
	struct ev_guid guid = {};

	assert_true(ev_guid_is_zero(&guid));
	guid.b[15] = 1;
	assert_false(ev_guid_is_zero(&guid));
	assert_false(ev_guid_is_zero(&auditing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_text_is_braced_upper_case_and_mixed_endian),
		leak_test(
			test_parsing_takes_either_case_with_and_without_braces),
		leak_test(
			test_what_is_not_a_guid_is_refused_and_changes_nothing),
		leak_test(test_name_based_guids_are_those_of_rfc_4122),
		leak_test(test_zero_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
