/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/node.h"

#include <string.h>

static void test_absent_values_leave_the_result_alone(void **state)
{
	static const char *const absent[] = {NULL, "", " \t\r\n"};
	struct ev_guid guid = {{1}};
	uint64_t time = 7;
	int64_t number = 7;
	bool boolean = true;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(soap_get_int(absent[i], 0, 9, &number),
				 EVERR_NOT_FOUND);
		assert_int_equal(soap_get_bool(absent[i], &boolean),
				 EVERR_NOT_FOUND);
		assert_int_equal(soap_get_guid(absent[i], &guid),
				 EVERR_NOT_FOUND);
		assert_int_equal(soap_get_time(absent[i], &time),
				 EVERR_NOT_FOUND);
	}
	assert_int_equal(number, 7);
	assert_int_equal(time, 7);
	assert_true(boolean);
	assert_int_equal(guid.b[0], 1);
}

/* XML Schema part 2, 3.3.13. */
static void test_integers_follow_the_lexical_rules(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max;
		everr_t err;
		int64_t value;
	} table[] = {
		{"0", INT32_MIN, INT32_MAX, EVERR_OK, 0},
		{"-0", 0, 0, EVERR_OK, 0},
		{"+1", 0, 9, EVERR_OK, 1},
		{" \n12678967\t", 0, INT32_MAX, EVERR_OK, 12678967},
		{"0000000000000000000000000000007", 0, 9, EVERR_OK, 7},
		{"-2147483648", INT32_MIN, INT32_MAX, EVERR_OK, INT32_MIN},
		{"2147483648", INT32_MIN, INT32_MAX, EVERR_TEXT, 0},
		{"-32769", INT16_MIN, INT16_MAX, EVERR_TEXT, 0},
		{"272", INT16_MIN, INT16_MAX, EVERR_OK, 272},
		{"256", 0, 255, EVERR_TEXT, 0},
		{"9223372036854775807", INT64_MIN, INT64_MAX, EVERR_OK,
		 INT64_MAX},
		{"-9223372036854775808", INT64_MIN, INT64_MAX, EVERR_OK,
		 INT64_MIN},
		{"9223372036854775808", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"18446744073709551617", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"-", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"+", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"+-1", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"1 2", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"1.0", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"1e3", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"0x10", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
		{"\xD9\xA1", INT64_MIN, INT64_MAX, EVERR_TEXT, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t value = 0;
		everr_t err = soap_get_int(table[i].text, table[i].min,
					   table[i].max, &value);

		if (err != table[i].err || value != table[i].value) {
			fail_msg("%s", table[i].text);
		}
	}
}

/* XML Schema part 2, 3.2.2.1. */
static void test_booleans_are_four_words(void **state)
{
	static const char *const wrong[] = {"True", "TRUE", "yes",	 "2",
					    "01",   "t",    "true false"};
	bool value = false;
	size_t i;

	assert_int_equal(soap_get_bool(" true\n", &value), EVERR_OK);
	assert_true(value);
	assert_int_equal(soap_get_bool("0", &value), EVERR_OK);
	assert_false(value);
	assert_int_equal(soap_get_bool("1", &value), EVERR_OK);
	assert_true(value);
	assert_int_equal(soap_get_bool("false", &value), EVERR_OK);
	assert_false(value);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(soap_get_bool(wrong[i], &value), EVERR_TEXT);
	}
}

static void test_guids_come_in_either_case_and_with_braces(void **state)
{
	static const uint8_t want[16] = {0x48, 0xFE, 0xB2, 0xAD, 0x2E, 0x0B,
					 0x1E, 0x45, 0x8F, 0xC8, 0x44, 0xB2,
					 0x98, 0x45, 0xB0, 0xC6};
	static const char *const right[] = {
		"ADB2FE48-0B2E-451e-8FC8-44B29845B0C6",
		" adb2fe48-0b2e-451e-8fc8-44b29845b0c6 ",
		"{adb2fe48-0b2e-451e-8fc8-44b29845b0c6}"};
	static const char *const wrong[] = {
		"adb2fe48-0b2e-451e-8fc8-44b29845b0c",
		"adb2fe48-0b2e-451e-8fc8-44b29845b0c6a",
		"{adb2fe48-0b2e-451e-8fc8-44b29845b0c6",
		"adb2fe480b2e451e8fc844b29845b0c6",
		"adb2fe48-0b2e-451e-8fc8-44b29845b0cg",
		"adb2fe48-0b2e-451e-8fc8- 44b29845b0c6",
		"(adb2fe48-0b2e-451e-8fc8-44b29845b0c6)"};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct ev_guid guid = {};

		assert_int_equal(soap_get_guid(right[i], &guid), EVERR_OK);
		assert_memory_equal(guid.b, want, 16);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ev_guid guid = {};

		assert_int_equal(soap_get_guid(wrong[i], &guid), EVERR_TEXT);
	}
}

/*
 * FILETIMEs were computed by Python's datetime.
 * XML Schema part 2, 3.2.7.1 and appendix D.
 */
static void test_times_follow_the_lexical_rules(void **state)
{
	static const struct {
		const char *text;
		everr_t err;
		uint64_t value;
	} table[] = {
		{"2006-06-08T19:32:23.7190987Z", EVERR_OK, 127942687437190987},
		{"2006-05-24T15:37:08.887", EVERR_OK, 127929586288870000},
		{" 2006-05-24T15:37:08.887\n", EVERR_OK, 127929586288870000},
		{"2006-05-24T15:37:08.887+00:00", EVERR_OK, 127929586288870000},
		{"2006-05-24T17:37:08.887+02:00", EVERR_OK, 127929586288870000},
		{"2006-05-24T10:07:08.887-05:30", EVERR_OK, 127929586288870000},
		{"2006-05-25T05:37:08.887+14:00", EVERR_OK, 127929586288870000},
		{"2007-03-06T03:28:02Z", EVERR_OK, 128176252820000000},
		{"2007-03-06T03:28:02.000000099Z", EVERR_OK,
		 128176252820000000},
		{"2004-02-29T00:00:00Z", EVERR_OK, 127224864000000000},
		{"2000-02-29T00:00:00Z", EVERR_OK, 125962560000000000},
		{"2003-12-31T24:00:00Z", EVERR_OK, 127173888000000000},
		{"2003-12-31T24:00:00.00Z", EVERR_OK, 127173888000000000},
		{"1754-01-01T00:00:00Z", EVERR_OK, 48282048000000000},
		/* Never. */
		{"1753-12-31T23:59:59Z", EVERR_OK, 0},
		{"1754-01-01T00:00:00+01:00", EVERR_OK, 0},
		{"1753-01-01T00:00:00", EVERR_OK, 0},
		{"1601-01-01T00:00:00-14:00", EVERR_OK, 0},
		{"1601-01-01T00:00:00+14:00", EVERR_OK, 0},
		{"0001-01-01T00:00:00", EVERR_OK, 0},
		{"0004-02-29T00:00:00", EVERR_OK, 0},
		/* For ever. */
		{"9999-12-31T23:59:59.9999999", EVERR_OK, 2650467743999999999},
		{"9999-12-31T23:59:59.9999999-08:00", EVERR_OK,
		 2650467743999999999},
		{"9999-12-31T23:59:59.9999999+01:00", EVERR_OK,
		 2650467707999999999},
		/* No such dates and times. */
		{"2006-02-29T00:00:00Z", EVERR_TEXT, 1},
		{"1900-02-29T00:00:00Z", EVERR_TEXT, 1},
		{"0001-02-29T00:00:00", EVERR_TEXT, 1},
		{"1500-02-29T00:00:00", EVERR_TEXT, 1},
		{"2006-13-01T00:00:00Z", EVERR_TEXT, 1},
		{"2006-00-01T00:00:00Z", EVERR_TEXT, 1},
		{"2006-04-31T00:00:00Z", EVERR_TEXT, 1},
		{"2006-04-30T24:00:01Z", EVERR_TEXT, 1},
		{"2006-04-30T24:00:00.1Z", EVERR_TEXT, 1},
		{"2006-04-30T25:00:00Z", EVERR_TEXT, 1},
		{"2006-04-30T00:60:00Z", EVERR_TEXT, 1},
		{"2006-04-30T00:00:60Z", EVERR_TEXT, 1},
		{"10000-01-01T00:00:00Z", EVERR_TEXT, 1},
		/* Not the form. */
		{"2006-04-30", EVERR_TEXT, 1},
		{"2006-04-30T00:00Z", EVERR_TEXT, 1},
		{"2006-04-30 00:00:00Z", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00.Z", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00.1234567890Z", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00z", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00ZZ", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00Z+01:00", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00+1:00", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00+14:01", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00+01:60", EVERR_TEXT, 1},
		{"2006-04-30T00:00:00+0100", EVERR_TEXT, 1},
		{"+2006-04-30T00:00:00", EVERR_TEXT, 1},
		{"06-04-30T00:00:00Z", EVERR_TEXT, 1},
		{"2006-4-30T00:00:00.0", EVERR_TEXT, 1},
		{"Z", EVERR_TEXT, 1},
		{"now", EVERR_TEXT, 1},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t value = 1;
		everr_t err = soap_get_time(table[i].text, &value);

		if (err != table[i].err || value != table[i].value) {
			fail_msg("%s: %s, %llu", table[i].text, everr_name(err),
				 (unsigned long long)value);
		}
	}
}

/* RFC 4648 10, and XML Schema part 2, 3.2.16. */
static void test_base64_follows_the_lexical_rules(void **state)
{
	static const struct {
		const char *text;
		everr_t err;
		const char *value;
	} table[] = {
		{"", EVERR_OK, ""},
		{" \n", EVERR_OK, ""},
		{"Zg==", EVERR_OK, "f"},
		{"Zm8=", EVERR_OK, "fo"},
		{"Zm9v", EVERR_OK, "foo"},
		{"Zm9vYg==", EVERR_OK, "foob"},
		{"Zm9vYmE=", EVERR_OK, "fooba"},
		{"Zm9vYmFy", EVERR_OK, "foobar"},
		{" Zm9v\r\n\tYm Fy ", EVERR_OK, "foobar"},
		{"Zg = =", EVERR_OK, "f"},
		{"Zg", EVERR_TEXT, ""},
		{"Zg=", EVERR_TEXT, ""},
		{"Zh==", EVERR_TEXT, ""},
		{"Zm9=", EVERR_TEXT, ""},
		{"Z", EVERR_TEXT, ""},
		{"====", EVERR_TEXT, ""},
		{"Zg==Zg==", EVERR_TEXT, ""},
		{"Zm9v-mFy", EVERR_TEXT, ""},
		{"Zm9v\xC3\xA9mFy", EVERR_TEXT, ""},
	};
	struct buf out;
	size_t i;

	buf_init(&out, *state, 1000);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		everr_t err;

		buf_reset(&out);
		buf_puts(&out, "x");
		err = soap_get_base64(table[i].text, &out);
		if (err != table[i].err ||
		    out.len != 1 + strlen(table[i].value) ||
		    memcmp(out.data + 1, table[i].value, out.len - 1) != 0) {
			fail_msg("%s: %s", table[i].text, everr_name(err));
		}
	}
	assert_int_equal(soap_get_base64(NULL, &out), EVERR_NOT_FOUND);
	buf_free(&out);

	buf_init(&out, *state, 5);
	assert_int_equal(soap_get_base64("Zm9vYmFyZm9v", &out), EVERR_LIMIT);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_absent_values_leave_the_result_alone),
		leak_test(test_integers_follow_the_lexical_rules),
		leak_test(test_booleans_are_four_words),
		leak_test(test_guids_come_in_either_case_and_with_braces),
		leak_test(test_times_follow_the_lexical_rules),
		leak_test(test_base64_follows_the_lexical_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
