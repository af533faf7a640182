/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/line.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check_style(void **state, const struct line_style *style,
			const char *json, const char *expected)
{
	struct buf text;

	buf_init(&text, *state, 65536);
	assert_int_equal(line_format(&text, json, strlen(json), style),
			 EVERR_OK);
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data, expected);
	buf_free(&text);
}

static void check(void **state, const char *json, const char *expected)
{
	const struct line_style style = {.utc = true};

	check_style(state, &style, json, expected);
}

#define SYSTEM                                                             \
	"\"System\":{\"Provider\":{\"Name\":\"Backup\"},\"EventID\":4711," \
	"\"Level\":3,\"TimeCreated\":{\"SystemTime\":"                     \
	"\"2023-11-14T22:13:20.1239999Z\"},\"Channel\":\"Application\"}"
/* Widths: time 24, level 8, provider 24, id 5, channel 12. */
#define HEAD                                                                \
	"2023-11-14 22:13:20.123Z Warning  Backup                    4711 " \
	"Application "

static void test_fields_stand_in_columns(void **state)
{
	check(state,
	      "{" SYSTEM ",\"EventData\":{\"User\":\"bob\",\"Port\":445}}",
	      HEAD " User=bob Port=445\n");
}

static void test_event_without_data_ends_at_the_channel(void **state)
{
	check(state, "{" SYSTEM "}",
	      "2023-11-14 22:13:20.123Z Warning  Backup                   "
	      " 4711 Application\n");
}

static void test_missing_fields_are_dashes(void **state)
{
	check(state, "{\"System\":{}}",
	      "-                        -        -                       "
	      "     - -\n");
}

static void test_event_id_with_qualifiers(void **state)
{
	check(state,
	      "{\"System\":{\"EventID\":{\"Qualifiers\":16384,"
	      "\"#text\":7036},\"Level\":4}}",
	      "-                        Info     -                       "
	      "  7036 -\n");
}

static void test_level_words(void **state)
{
	static const char *const words[] = {"Info",    "Critical", "Error",
					    "Warning", "Info",	   "Verbose",
					    "Lvl6"};
	const struct line_style style = {.utc = true};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char json[64];
		struct buf text;

		snprintf(json, sizeof(json), "{\"System\":{\"Level\":%zu}}", i);
		buf_init(&text, *state, 1024);
		assert_int_equal(line_format(&text, json, strlen(json), &style),
				 EVERR_OK);
		assert_memory_equal(text.data + 25, words[i], strlen(words[i]));
		assert_int_equal(text.data[25 + strlen(words[i])], ' ');
		buf_free(&text);
	}
}

static void test_values_of_every_kind(void **state)
{
	check(state,
	      "{" SYSTEM ",\"EventData\":{\"a\":\"two words\",\"b\":-5,"
	      "\"c\":true,\"d\":null,\"e\":\"\",\"f\":[1,2]}}",
	      HEAD " a=\"two words\" b=-5 c=true d= e=\"\" f=1 f=2\n");
}

static void test_data_without_names_has_values_only(void **state)
{
	check(state,
	      "{" SYSTEM ",\"EventData\":{\"Data\":[\"one\",\"two 2\"]}}",
	      HEAD " one \"two 2\"\n");
}

static void test_user_data_shows_the_way_down(void **state)
{
	check(state,
	      "{" SYSTEM ",\"UserData\":{\"Op\":{\"Id\":1,\"In\":"
	      "{\"#text\":\"x\",\"Kind\":\"k\"}}}}",
	      HEAD " Op.Id=1 Op.In=x Op.In.Kind=k\n");
}

static void test_control_characters_never_get_through(void **state)
{
	const struct line_style style = {.utc = true};
	static const char json[] =
		"{\"System\":{\"Provider\":{\"Name\":\"\\u001b[31mX\"},"
		"\"Channel\":\"a\\nb\"},"
		"\"EventData\":{\"\\u001b]0;t\\u0007\":\"\\u009bx\"}}";
	struct buf text;
	size_t i;

	buf_init(&text, *state, 65536);
	assert_int_equal(line_format(&text, json, strlen(json), &style),
			 EVERR_OK);
	for (i = 0; i + 1 < text.len; i++) {
		assert_true(text.data[i] >= 0x20 && text.data[i] != 0x7f);
	}
	assert_int_equal(text.data[text.len - 1], '\n');
	assert_null(memmem(text.data, text.len, "\xc2\x9b", 2));
}

static void test_local_time_is_the_time_zone_s(void **state)
{
	const struct line_style style = {.utc = false};

	setenv("TZ", "XXX-2", 1); /* two hours east */
	tzset();
	check_style(state, &style,
		    "{\"System\":{\"TimeCreated\":{\"SystemTime\":"
		    "\"2023-11-14T22:13:20.5000000Z\"}}}",
		    "2023-11-15 00:13:20.500 -        -                       "
		    "     - -\n");
}

static void test_color_marks_level_and_names_only(void **state)
{
	const struct line_style style = {.utc = true, .colored = true};

	check_style(state, &style,
		    "{\"System\":{\"Level\":2},\"EventData\":{\"a\":1}}",
		    "-                        \033[1;31mError\033[0m    "
		    "-                            - -            "
		    "\033[36ma\033[0m=1\n");
}

static void test_what_is_no_event_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "{", "[]", "1", "null", "{}", "{\"System\":1}"};
	const struct line_style style = {.utc = true};
	struct buf text;
	size_t i;

	buf_init(&text, *state, 1024);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			line_format(&text, wrong[i], strlen(wrong[i]), &style),
			EVERR_TEXT);
		assert_int_equal(text.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_fields_stand_in_columns),
		leak_test(test_event_without_data_ends_at_the_channel),
		leak_test(test_missing_fields_are_dashes),
		leak_test(test_event_id_with_qualifiers),
		leak_test(test_level_words),
		leak_test(test_values_of_every_kind),
		leak_test(test_data_without_names_has_values_only),
		leak_test(test_user_data_shows_the_way_down),
		leak_test(test_control_characters_never_get_through),
		leak_test(test_local_time_is_the_time_zone_s),
		leak_test(test_color_marks_level_and_names_only),
		leak_test(test_what_is_no_event_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
