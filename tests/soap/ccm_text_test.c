/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_message.h"

#include <string.h>

static void text_is(void **state, const char *data, size_t len,
		    const char *expected)
{
	/* A copy of its length, for AddressSanitizer. */
	uint8_t *copy = talloc_memdup(*state, data, len);
	struct buf out;

	buf_init(&out, *state, 1 << 20);
	buf_puts(&out, "kept");
	assert_int_equal(ccm_text(&out, copy, len), EVERR_OK);
	assert_int_equal(out.len, 4 + strlen(expected));
	assert_memory_equal(out.data + 4, expected, strlen(expected));
	buf_free(&out);
	talloc_free(copy);
}

static void not_text(void **state, const char *data, size_t len)
{
	uint8_t *copy = talloc_memdup(*state, data, len);
	struct buf out;

	buf_init(&out, *state, 1 << 20);
	buf_puts(&out, "kept");
	assert_int_equal(ccm_text(&out, copy, len), EVERR_TEXT);
	assert_int_equal(out.len, 4);
	buf_free(&out);
	talloc_free(copy);
}

#define IS(data, expected) text_is(state, data, sizeof(data) - 1, expected)
#define NOT(data) not_text(state, data, sizeof(data) - 1)

static void test_utf16_is_told_by_bom_or_by_its_zeros(void **state)
{
	IS("\xFF\xFE<\0\xE9\0", "<\xC3\xA9");
	IS("<\0\xE9\0", "<\xC3\xA9");
	IS("\xFE\xFF\0<\0\xE9", "<\xC3\xA9");
	IS("\0<\0\xE9", "<\xC3\xA9");
	IS("\xFF\xFE\x3D\xD8\0\xDE", "\xF0\x9F\x98\x80");
	IS("\xFE\xFF\xD8\x3D\xDE\0", "\xF0\x9F\x98\x80");
	/* One BOM is dropped, not two. */
	IS("\xFF\xFE\xFF\xFE<\0", "\xEF\xBB\xBF<");
}

static void test_no_bytes_are_no_text(void **state)
{
	struct buf out;

	buf_init(&out, *state, 16);
	assert_int_equal(ccm_text(&out, NULL, 0), EVERR_OK);
	assert_int_equal(out.len, 0);
}

static void test_everything_else_is_utf8(void **state)
{
	IS("<\xC3\xA9", "<\xC3\xA9");
	IS("\xEF\xBB\xBF<\xC3\xA9", "<\xC3\xA9");
	IS("", "");
	IS("<", "<");
	IS("\xEF\xBB\xBF", "");
}

/* As the senders end their texts: NUL, or CRLF as two bytes or two units. */
static void test_nuls_and_line_ends_at_the_end_are_dropped(void **state)
{
	IS("<\0>\0\0\0", "<>");
	IS("<\0>\0\r\n", "<>");
	IS("<\0>\0\0\0\r\n", "<>");
	IS("<\0>\0\0\0\r\0\n\0", "<>");
	IS("<\0>\0\n\0\0\0\0\0", "<>");
	IS("\0<\0>\0\0\r\n", "<>");
	IS("\0<\0>\0\r\0\n\0\0", "<>");
	IS("<>\r\n", "<>");
	IS("<>\0\r\n\0", "<>");
	IS("\xFF\xFE\0\0\r\n", "");
	IS("\xFF\xFE", "");
	/* But not in front and in the middle. */
	IS("<\0\n\0>\0", "<\n>");
	IS("\n<\r\n>", "\n<\r\n>");
}

static void test_what_is_not_valid_is_refused(void **state)
{
	NOT("\xFF\xFE<");
	NOT("<\0>");
	NOT("\0<\0");
	NOT("<\0>\0\0");
	NOT("\xFF\xFE\0\xD8");
	NOT("\xFF\xFE\0\xDC<\0");
	NOT("\xFF\xFE\0\xD8<\0");
	NOT("\xFE\xFF\xD8\0\0<");
	NOT("<\xE9>");
	NOT("<\xC3");
	NOT("\xC0\x80");
	NOT("\xED\xA0\x80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_utf16_is_told_by_bom_or_by_its_zeros),
		leak_test(test_no_bytes_are_no_text),
		leak_test(test_everything_else_is_utf8),
		leak_test(test_nuls_and_line_ends_at_the_end_are_dropped),
		leak_test(test_what_is_not_valid_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
