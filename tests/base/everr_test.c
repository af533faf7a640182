/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/everr.h"

#include <string.h>

static void test_every_error_has_its_own_name_and_text(void **state)
{
	int err;

	for (err = EVERR_BASE + 1; err < EVERR_LAST; err++) {
		assert_string_not_equal(everr_name(err), "EVERR_?");
		assert_null(strstr(everr_text(err), "unknown error"));
		assert_int_not_equal(everr_win32(err), 0);
		assert_true(everr_http(err) >= 400);
	}
}

/* Someone whose event was refused must learn which of its sizes it was. */
static void test_texts_of_different_limits_differ(void **state)
{
	assert_non_null(strstr(everr_text(EVERR_EVENT_TOO_LARGE), "1 MiB"));
	assert_non_null(strstr(everr_text(EVERR_EVENT_DATA_SIZE), "65,535"));
}

static void test_a_foreign_number_is_shown_as_such(void **state)
{
	assert_string_equal(everr_text((everr_t)22), "unknown error 0x16");
	assert_int_equal(everr_win32((everr_t)22), 0x54F);
}

/* Numbers from [MS-ERREF] 2.2 and [MS-EVEN6], not from our table. */
static void test_the_codes_that_clients_look_for(void **state)
{
	assert_int_equal(everr_win32(EVERR_ACCESS), 0x5);
	assert_int_equal(everr_win32(EVERR_INVALID), 0x57);
	assert_int_equal(everr_win32(EVERR_END), 0x103);
	assert_int_equal(everr_win32(EVERR_NOT_FOUND), 0x490);
	assert_int_equal(everr_win32(EVERR_CANCELLED), 0x4C7);
	assert_int_equal(everr_win32(EVERR_TIMEOUT), 0x5B4);
	assert_int_equal(everr_win32(EVERR_QUERY_SYNTAX), 0x3A99);
	assert_int_equal(everr_win32(EVERR_CHANNEL_NOT_FOUND), 0x3A9F);
	assert_int_equal(everr_win32(EVERR_STALE), 0x3AA3);
	assert_int_equal(everr_win32(EVERR_NOT_SUPPORTED), 0x32);
	assert_int_equal(everr_win32(EVERR_CHANNEL_FULL), 1502);
	assert_int_equal(everr_win32(EVERR_CHANNEL_DIRECT), 0x3AA1);
	assert_int_equal(everr_win32(EVERR_NOT_CHANGEABLE), 0x10DD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_every_error_has_its_own_name_and_text),
		leak_test(test_texts_of_different_limits_differ),
		leak_test(test_a_foreign_number_is_shown_as_such),
		leak_test(test_the_codes_that_clients_look_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
