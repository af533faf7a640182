/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/input.h"

#include "cli/cli.h"

#include <string.h>

/* The library's other parts want a table of verbs. */
const struct cli_verb *const cli_verbs[] = {NULL};

static void test_levels_have_names_and_numbers(void **state)
{
	static const struct {
		const char *text;
		uint8_t level;
	} levels[] = {{"critical", 1},	  {"Error", 2}, {"WARNING", 3},
		      {"information", 4}, {"info", 4},	{"verbose", 5},
		      {"always", 0},	  {"0", 0},	{"255", 255},
		      {"0x10", 16}};
	uint8_t level = 77;
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		assert_int_equal(input_level(levels[i].text, &level), EVERR_OK);
		assert_int_equal(level, levels[i].level);
	}
	assert_int_equal(input_level("256", &level), EVERR_TEXT);
	assert_int_equal(input_level("", &level), EVERR_TEXT);
	assert_int_equal(input_level("warn", &level), EVERR_TEXT);
	assert_int_equal(level, 16);
}

static void check_data(void **state, const char *text, const char *name,
		       uint8_t type, const void *value, size_t len)
{
	struct event_data data = {.name = NULL};
	char *message = NULL;

	assert_int_equal(input_data(*state, text, &data, &message), EVERR_OK);
	assert_null(message);
	assert_string_equal(data.name, name);
	assert_int_equal(data.type, type);
	assert_int_equal(data.len, len);
	if (len > 0) {
		assert_memory_equal(data.value, value, len);
	}
}

static void test_data_is_text_or_typed(void **state)
{
	check_data(state, "User=bob", "User", EVENT_TYPE_STRING, "b\0o\0b\0",
		   6);
	check_data(state, "Empty=", "Empty", EVENT_TYPE_STRING, NULL, 0);
	/* Only the first equals sign parts. */
	check_data(state, "a=b=c", "a", EVENT_TYPE_STRING, "b\0=\0c\0", 6);
	check_data(state, "Time=12:30", "Time", EVENT_TYPE_STRING,
		   "1\0"
		   "2\0:\0"
		   "3\0"
		   "0\0",
		   10);
	check_data(state, "n:UInt32=258", "n", EVENT_TYPE_UINT32,
		   "\x02\x01\0\0", 4);
	check_data(state, "n:HexInt32=0xff", "n", EVENT_TYPE_HEXINT32,
		   "\xff\0\0\0", 4);
	/* The last colon before the sign parts name and type. */
	check_data(state, "a:b:UInt8=7", "a:b", EVENT_TYPE_UINT8, "\x07", 1);
}

static void test_data_that_is_wrong_is_explained(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} wrong[] = {{"", "name=value"},       {"x", "name=value"},
		     {"=x", "name=value"},     {"n:Foo=1", "UInt32"},
		     {"n:=1", "UInt32"},       {"n:UInt8=256", "its type"},
		     {"n:UInt8=", "its type"}, {"n:GUID=x", "its type"}};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct event_data data = {.name = NULL};
		char *message = NULL;

		assert_int_equal(
			input_data(*state, wrong[i].text, &data, &message),
			EVERR_TEXT);
		assert_non_null(message);
		assert_non_null(strstr(message, wrong[i].says));
		assert_null(data.name);
	}
}

static void test_data_longer_than_a_value_is_refused(void **state)
{
	struct event_data data = {.name = NULL};
	char *message = NULL;
	char *text = talloc_size(*state, 40000);

	/* 32,767 units are the most that 65,535 bytes hold. */
	memset(text, 'x', 40000);
	memcpy(text, "a=", 2);
	text[2 + 32767] = '\0';
	assert_int_equal(input_data(*state, text, &data, &message), EVERR_OK);
	assert_int_equal(data.len, 65534);
	text[2 + 32767] = 'x';
	text[2 + 32768] = '\0';
	assert_int_not_equal(input_data(*state, text, &data, &message),
			     EVERR_OK);
	assert_non_null(message);
}

static void next_is(struct input_lines *lines, const char *text,
		    unsigned long number)
{
	struct input_line line = {.text = NULL};

	assert_true(input_lines_next(lines, &line));
	assert_false(line.too_long);
	assert_int_equal(line.len, strlen(text));
	assert_memory_equal(line.text, text, line.len);
	assert_int_equal(line.number, number);
}

static void test_lines_come_out_however_they_went_in(void **state)
{
	static const char text[] = "one\ntwo\r\n\nlast";
	size_t step;

	for (step = 1; step < sizeof(text); step++) {
		static const char *const expected[] = {"one", "two", "",
						       "last"};
		struct input_line line;
		struct input_lines lines;
		size_t done = 0;
		size_t got = 0;

		input_lines_init(&lines, *state);
		for (;;) {
			size_t len = sizeof(text) - 1 - done;

			len = len < step ? len : step;
			assert_int_equal(
				input_lines_add(&lines, text + done, len),
				EVERR_OK);
			done += len;
			while (input_lines_next(&lines, &line)) {
				assert_true(got < 4);
				assert_int_equal(line.len,
						 strlen(expected[got]));
				assert_memory_equal(line.text, expected[got],
						    line.len);
				got++;
				assert_int_equal(line.number, got);
			}
			if (len == 0) {
				break;
			}
		}
		assert_int_equal(got, 4);
		buf_free(&lines.bytes);
	}
}

static void test_a_line_without_end_waits_for_it(void **state)
{
	struct input_lines lines;
	struct input_line line;

	input_lines_init(&lines, *state);
	assert_int_equal(input_lines_add(&lines, "half", 4), EVERR_OK);
	assert_false(input_lines_next(&lines, &line));
	assert_int_equal(input_lines_add(&lines, " done\n", 6), EVERR_OK);
	next_is(&lines, "half done", 1);
	assert_int_equal(input_lines_add(&lines, NULL, 0), EVERR_OK);
	assert_false(input_lines_next(&lines, &line));
	buf_free(&lines.bytes);
}

static void test_a_line_that_is_too_long_is_skipped_once(void **state)
{
	const size_t chunk_len = 1024 * 1024;
	char *chunk = talloc_size(*state, chunk_len);
	struct input_lines lines;
	struct input_line line;
	int too_long = 0;
	int i;

	memset(chunk, 'x', chunk_len);
	input_lines_init(&lines, *state);
	assert_int_equal(input_lines_add(&lines, "a\n", 2), EVERR_OK);
	next_is(&lines, "a", 1);
	/* Three times the limit; memory stays bounded by the buffer's. */
	for (i = 0; i < 12; i++) {
		assert_int_equal(input_lines_add(&lines, chunk, chunk_len),
				 EVERR_OK);
		while (input_lines_next(&lines, &line)) {
			assert_true(line.too_long);
			assert_int_equal(line.number, 2);
			too_long++;
		}
	}
	assert_int_equal(too_long, 1);
	assert_int_equal(input_lines_add(&lines, "xx\nb\n", 5), EVERR_OK);
	next_is(&lines, "b", 3);
	buf_free(&lines.bytes);
}

static void test_a_line_at_the_limit_passes(void **state)
{
	char *text = talloc_size(*state, INPUT_LINE_MAX + 2);
	struct input_lines lines;
	struct input_line line;

	memset(text, 'x', INPUT_LINE_MAX + 2);
	text[INPUT_LINE_MAX] = '\n';
	input_lines_init(&lines, *state);
	assert_int_equal(input_lines_add(&lines, text, INPUT_LINE_MAX + 1),
			 EVERR_OK);
	assert_true(input_lines_next(&lines, &line));
	assert_false(line.too_long);
	assert_int_equal(line.len, INPUT_LINE_MAX);

	text[INPUT_LINE_MAX] = 'x';
	text[INPUT_LINE_MAX + 1] = '\n';
	assert_int_equal(input_lines_add(&lines, text, INPUT_LINE_MAX + 2),
			 EVERR_OK);
	assert_true(input_lines_next(&lines, &line));
	assert_true(line.too_long);
	assert_false(input_lines_next(&lines, &line));
	buf_free(&lines.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_levels_have_names_and_numbers),
		leak_test(test_data_is_text_or_typed),
		leak_test(test_data_that_is_wrong_is_explained),
		leak_test(test_data_longer_than_a_value_is_refused),
		leak_test(test_lines_come_out_however_they_went_in),
		leak_test(test_a_line_without_end_waits_for_it),
		leak_test(test_a_line_that_is_too_long_is_skipped_once),
		leak_test(test_a_line_at_the_limit_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
