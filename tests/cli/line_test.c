/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/line.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* From the JSON's text to the line. */
static everr_t format(void **state, struct buf *out, const char *json,
		      const char *message, const struct field_style *style)
{
	struct cli_view *view = NULL;
	everr_t err;

	err = cli_view_create(*state, json, strlen(json), &view);
	if (err != EVERR_OK) {
		return err;
	}
	err = line_format(out, view->json, message, style);
	TALLOC_FREE(view);
	return err;
}

static void check_style(void **state, const struct field_style *style,
			const char *json, const char *expected)
{
	struct buf text;

	buf_init(&text, *state, 65536);
	assert_int_equal(format(state, &text, json, NULL, style), EVERR_OK);
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data, expected);
	buf_free(&text);
}

static void check(void **state, const char *json, const char *expected)
{
	const struct field_style style = {.utc = true};

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
	const struct field_style style = {.utc = true};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char json[64];
		struct buf text;

		snprintf(json, sizeof(json), "{\"System\":{\"Level\":%zu}}", i);
		buf_init(&text, *state, 1024);
		assert_int_equal(format(state, &text, json, NULL, &style),
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
	const struct field_style style = {.utc = true};
	static const char json[] =
		"{\"System\":{\"Provider\":{\"Name\":\"\\u001b[31mX\"},"
		"\"Channel\":\"a\\nb\"},"
		"\"EventData\":{\"\\u001b]0;t\\u0007\":\"\\u009bx\"}}";
	struct buf text;
	size_t i;

	buf_init(&text, *state, 65536);
	assert_int_equal(format(state, &text, json, NULL, &style), EVERR_OK);
	for (i = 0; i + 1 < text.len; i++) {
		assert_true(text.data[i] >= 0x20 && text.data[i] != 0x7f);
	}
	assert_int_equal(text.data[text.len - 1], '\n');
	assert_null(memmem(text.data, text.len, "\xc2\x9b", 2));
}

static void test_local_time_is_the_time_zone_s(void **state)
{
	const struct field_style style = {.utc = false};

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
	const struct field_style style = {.utc = true, .colored = true};

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
	const struct field_style style = {.utc = true};
	struct buf text;
	size_t i;

	buf_init(&text, *state, 1024);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(format(state, &text, wrong[i], NULL, &style),
				 EVERR_TEXT);
		assert_int_equal(text.len, 0);
	}
}

static void test_a_message_stands_in_place_of_the_data(void **state)
{
	const struct field_style style = {.utc = true};
	struct buf text;

	buf_init(&text, *state, 65536);
	assert_int_equal(
		format(state, &text,
		       "{" SYSTEM ",\"EventData\":{\"User\":\"bob\"}}",
		       "\r\nThe user\tbob left.\r\n\r\n  Why:\tbored\033[0m\n",
		       &style),
		EVERR_OK);
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data,
			    HEAD " The user bob left. Why: bored\\u{1b}[0m\n");
}

/* ------------------------------------------------------------- records */

static void check_record(void **state, const char *json,
			 const struct cli_said *said,
			 const struct field_style *style, const char *expected)
{
	struct cli_view *view = NULL;
	struct buf text;

	assert_int_equal(cli_view_create(*state, json, strlen(json), &view),
			 EVERR_OK);
	buf_init(&text, *state, 65536);
	assert_int_equal(record_format(&text, view->json, said, style),
			 EVERR_OK);
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data, expected);
	TALLOC_FREE(view);
	buf_free(&text);
}

static void test_a_record_has_every_field(void **state)
{
	const struct field_style style = {.utc = true};
	const struct cli_said said = {
		.message = "\r\nLogged on.\r\n\r\n\tUser:\tbob\r\n",
		.level = "Warnung",
		.task = "Logon",
		.opcode = "Info",
		.keywords = "Audit Success\0Classic",
		.keywords_len = sizeof("Audit Success\0Classic"),
	};

	check_record(state,
		     "{\"System\":{\"Provider\":{\"Name\":\"Backup\"},"
		     "\"EventID\":4711,\"Version\":1,\"Level\":3,\"Task\":9,"
		     "\"Opcode\":0,\"Keywords\":\"0xa0000000000000\","
		     "\"TimeCreated\":{\"SystemTime\":"
		     "\"2023-11-14T22:13:20.1239999Z\"},"
		     "\"EventRecordID\":7,"
		     "\"Correlation\":{\"ActivityID\":\"{0}\"},"
		     "\"Execution\":{\"ProcessID\":1,\"ThreadID\":2},"
		     "\"Channel\":\"Application\",\"Computer\":\"c\","
		     "\"Security\":{\"UserID\":\"S-1-5-18\"}},"
		     "\"EventData\":{\"User\":\"bob x\",\"Port\":445}}",
		     &said, &style,
		     "2023-11-14 22:13:20.123Z  Warnung  Backup 4711\n"
		     "  Channel      Application\n"
		     "  Record       7\n"
		     "  Computer     c\n"
		     "  UserID       S-1-5-18\n"
		     "  Task         Logon (9)\n"
		     "  Opcode       Info (0)\n"
		     "  Keywords     Audit Success, Classic"
		     " (0xa0000000000000)\n"
		     "  Version      1\n"
		     "  ProcessID    1\n"
		     "  ThreadID     2\n"
		     "  ActivityID   {0}\n"
		     "  Message\n"
		     "    Logged on.\n"
		     "\n"
		     "            User:   bob\n"
		     "  Data\n"
		     "    User = bob x\n"
		     "    Port = 445\n"
		     "\n");
}

static void test_a_record_without_texts_and_data(void **state)
{
	const struct field_style style = {.utc = true};
	const struct cli_said said = {.message = NULL};

	check_record(state,
		     "{\"System\":{\"EventID\":1,\"Task\":9,"
		     "\"Keywords\":\"0x1\"}}",
		     &said, &style,
		     "-  -  1\n"
		     "  Task         9\n"
		     "  Keywords     0x1\n"
		     "\n");
}

static void test_nothing_in_a_record_reaches_the_terminal_raw(void **state)
{
	const struct field_style style = {.utc = true};
	const struct cli_said said = {
		.message = "a\033[2J\rb\n\xc2\x9bx",
		.level = "\033[31m",
		.task = "\a",
	};

	check_record(state,
		     "{\"System\":{\"Computer\":\"a\\nb\"},"
		     "\"EventData\":{\"x\\ny\":\"1\\n2\"}}",
		     &said, &style,
		     "-  \\u{1b}[31m\n"
		     "  Computer     a\\nb\n"
		     "  Task         \\u{7}\n"
		     "  Message\n"
		     "    a\\u{1b}[2J\\rb\n"
		     "    \\u{9b}x\n"
		     "  Data\n"
		     "    x\\ny = 1\\n2\n"
		     "\n");
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
		leak_test(test_a_message_stands_in_place_of_the_data),
		leak_test(test_a_record_has_every_field),
		leak_test(test_a_record_without_texts_and_data),
		leak_test(test_nothing_in_a_record_reaches_the_terminal_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
