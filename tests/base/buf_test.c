/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/buf.h"

static void test_integers_are_little_endian(void **state)
{
	static const uint8_t want[] = {1,  3,  2,  7,  6,  5, 4, 15,
				       14, 13, 12, 11, 10, 9, 8};
	struct buf buf;

	buf_init(&buf, *state, 64);
	buf_put_u8(&buf, 1);
	buf_put_u16(&buf, 0x0203);
	buf_put_u32(&buf, 0x04050607);
	buf_put_u64(&buf, 0x08090A0B0C0D0E0F);
	assert_int_equal(buf_error(&buf), EVERR_OK);
	assert_int_equal(buf.len, sizeof(want));
	assert_memory_equal(buf.data, want, sizeof(want));
}

static void test_the_maximum_is_reached_and_never_passed(void **state)
{
	uint8_t filler[1000] = {0};
	struct buf buf;

	buf_init(&buf, *state, 1001);
	buf_put(&buf, filler, sizeof(filler));
	buf_put_u8(&buf, 42);
	assert_int_equal(buf_error(&buf), EVERR_OK);
	assert_int_equal(buf.len, 1001);
	buf_put_u8(&buf, 43);
	assert_int_equal(buf_error(&buf), EVERR_LIMIT);
	assert_int_equal(buf.len, 1001);
	assert_int_equal(buf.data[1000], 42);
}

static void test_the_first_error_sticks_until_reset(void **state)
{
	struct buf buf;

	buf_init(&buf, *state, 4);
	buf_put_u64(&buf, 1);
	buf_put_u8(&buf, 1);
	assert_int_equal(buf_error(&buf), EVERR_LIMIT);
	assert_int_equal(buf.len, 0);
	buf_set_u32(&buf, 0, 1);
	buf_reset(&buf);
	buf_put_u8(&buf, 1);
	assert_int_equal(buf_error(&buf), EVERR_OK);
	assert_int_equal(buf.len, 1);
}

static void test_printf_longer_than_its_scratch(void **state)
{
	struct buf buf;

	buf_init(&buf, *state, 4096);
	buf_printf(&buf, "%0*d", 2000, 7);
	assert_int_equal(buf_error(&buf), EVERR_OK);
	assert_int_equal(buf.len, 2000);
	assert_int_equal(buf.data[0], '0');
	assert_int_equal(buf.data[1999], '7');
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_integers_are_little_endian),
		leak_test(test_the_maximum_is_reached_and_never_passed),
		leak_test(test_the_first_error_sticks_until_reset),
		leak_test(test_printf_longer_than_its_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
