/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/type.h"

#include <string.h>

/* Facts 9.4; every length up to 20 that is not listed is refused. */
static void test_single_values_have_their_sizes(void **state)
{
	static const struct {
		uint8_t type;
		uint8_t sizes[2];
	} cases[] = {
		{0x03, {1, 1}}, {0x04, {1, 1}}, {0x05, {2, 2}},
		{0x06, {2, 2}}, {0x07, {4, 4}}, {0x08, {4, 4}},
		{0x09, {8, 8}}, {0x0A, {8, 8}}, {0x0B, {4, 4}},
		{0x0C, {8, 8}}, {0x0D, {1, 4}}, {0x0F, {16, 16}},
		{0x10, {4, 8}}, {0x11, {8, 8}}, {0x12, {16, 16}},
		{0x14, {4, 4}}, {0x15, {8, 8}},
	};
	static const uint8_t zeros[20];
	size_t i, len;
	bool fits;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (len = 0; len <= sizeof(zeros); len++) {
			fits = len == cases[i].sizes[0] ||
			       len == cases[i].sizes[1];
			assert_int_equal(
				event_type_check(cases[i].type, zeros, len),
				fits ? EVERR_OK : EVERR_BINXML_VALUE);
		}
	}
}

static void test_text_and_bytes_have_any_size(void **state)
{
	static const uint8_t zeros[5];
	size_t len;

	for (len = 0; len <= sizeof(zeros); len++) {
		assert_int_equal(event_type_check(0x00, zeros, len), EVERR_OK);
		assert_int_equal(event_type_check(0x02, zeros, len), EVERR_OK);
		assert_int_equal(event_type_check(0x0E, zeros, len), EVERR_OK);
		/* UTF-16 comes in pairs. */
		assert_int_equal(event_type_check(0x01, zeros, len),
				 len % 2 == 0 ? EVERR_OK : EVERR_BINXML_VALUE);
		assert_int_equal(event_type_check(0x81, zeros, len),
				 len % 2 == 0 ? EVERR_OK : EVERR_BINXML_VALUE);
	}
}

static void test_types_that_the_wire_does_not_have(void **state)
{
	static const uint8_t none[] = {0x16, 0x1F, 0x20, 0x22, 0x23, 0x7F,
				       0x80, 0x8E, 0x96, 0xA1, 0xFF};
	static const uint8_t zeros[16];
	size_t i;

	for (i = 0; i < sizeof(none); i++) {
		assert_int_equal(event_type_check(none[i], zeros, 16),
				 EVERR_BINXML_VALUE);
	}
}

/* A SID of n sub-authorities has 8 + 4n bytes; n is its second byte. */
static void test_sids_are_as_long_as_they_say(void **state)
{
	uint8_t sid[80] = {1, 1, 0, 0, 0, 0, 0, 5, 18};

	assert_int_equal(event_type_check(0x13, sid, 12), EVERR_OK);
	assert_int_equal(event_type_check(0x13, sid, 11), EVERR_BINXML_VALUE);
	assert_int_equal(event_type_check(0x13, sid, 0), EVERR_BINXML_VALUE);
	sid[1] = 15;
	assert_int_equal(event_type_check(0x13, sid, 68), EVERR_OK);
	sid[1] = 16;
	assert_int_equal(event_type_check(0x13, sid, 72), EVERR_BINXML_VALUE);

	/* In arrays each by its own count. */
	sid[1] = 1;
	sid[12] = 1;
	sid[13] = 0;
	assert_int_equal(event_type_check(0x93, sid, 12 + 8), EVERR_OK);
	assert_int_equal(event_type_check(0x93, sid, 12 + 7),
			 EVERR_BINXML_VALUE);
	assert_int_equal(event_type_check(0x93, sid, 0), EVERR_OK);
}

static void test_arrays_hold_whole_items(void **state)
{
	static const struct {
		uint8_t type;
		uint8_t size;
	} cases[] = {
		{0x83, 1},  {0x84, 1}, {0x85, 2},  {0x86, 2},
		{0x87, 4},  {0x88, 4}, {0x89, 8},  {0x8A, 8},
		{0x8B, 4},  {0x8C, 8}, {0x8F, 16}, {0x91, 8},
		{0x92, 16}, {0x94, 4}, {0x95, 8},  {0x90, 4},
	};
	static const uint8_t zeros[64];
	size_t i, len;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (len = 0; len <= sizeof(zeros); len++) {
			assert_int_equal(
				event_type_check(cases[i].type, zeros, len),
				len % cases[i].size == 0 ? EVERR_OK
							 : EVERR_BINXML_VALUE);
		}
	}
	/* Bool of 1 byte or 4: any length is one or the other. */
	assert_int_equal(event_type_check(0x8D, zeros, 8), EVERR_OK);
	assert_int_equal(event_type_check(0x8D, zeros, 3), EVERR_OK);
}

/* Walk an array; the items' lengths, -1 behind the last. */
static void assert_items(uint8_t type, const void *value, size_t len,
			 const int *want)
{
	const uint8_t *start = value;
	const uint8_t *item = NULL;
	size_t item_len = 0;
	size_t pos = 0;

	assert_int_equal(event_type_check(type, value, len), EVERR_OK);
	while (event_array_next(type, value, len, &pos, &item, &item_len)) {
		assert_int_equal(item_len, *want);
		assert_true(item >= start && item + item_len <= start + len);
		want++;
	}
	assert_int_equal(*want, -1);
	assert_int_equal(pos, len);
}

static void test_items_of_arrays(void **state)
{
	static const uint8_t sids[20] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0,
					 0, 0, 1, 0, 0, 0, 0, 0, 0,  5};

	assert_items(0x81, "a\0b\0\0\0c\0\0\0", 10, (int[]){4, 2, -1});
	assert_items(0x81, "a\0\0\0\0\0", 6, (int[]){2, 0, -1});
	/* The last need not have its NUL; a half-zero unit is not one. */
	assert_items(0x81, "a\0\0\0\0b", 6, (int[]){2, 2, -1});
	assert_items(0x81, "", 0, (int[]){-1});
	assert_items(0x82, "ab\0c\0d", 6, (int[]){2, 1, 1, -1});
	assert_items(0x86, "\1\0\2\0", 4, (int[]){2, 2, -1});
	assert_items(0x93, sids, 20, (int[]){12, 8, -1});
	assert_items(0x8D, "\1\0\0\0\0\0\0\0", 8, (int[]){4, 4, -1});
	assert_items(0x8D, "\1\0\1", 3, (int[]){1, 1, 1, -1});
	assert_items(0x90, "12345678", 8, (int[]){8, -1});
	assert_items(0x90, "123456781234", 12, (int[]){4, 4, 4, -1});
	assert_items(0x8F, "0123456789abcdef", 16, (int[]){16, -1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_single_values_have_their_sizes),
		leak_test(test_text_and_bytes_have_any_size),
		leak_test(test_types_that_the_wire_does_not_have),
		leak_test(test_sids_are_as_long_as_they_say),
		leak_test(test_arrays_hold_whole_items),
		leak_test(test_items_of_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
