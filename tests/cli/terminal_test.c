/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>

static void check(void **state, const char *in, size_t len, char quote,
		  const char *out)
{
	struct buf text;

	buf_init(&text, *state, 65536);
	terminal_put_text(&text, in, len, quote);
	buf_put_u8(&text, 0);
	assert_int_equal(buf_error(&text), EVERR_OK);
	assert_string_equal((const char *)text.data, out);
	buf_free(&text);
}

static void test_plain_text_passes(void **state)
{
	check(state, "", 0, 0, "");
	check(state, "abc C:\\x", 8, 0, "abc C:\\x");
	/* U+00E4, U+20AC, U+1F600 */
	check(state, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, 0,
	      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void test_control_characters_are_shown(void **state)
{
	check(state, "a\nb\rc\td", 7, 0, "a\\nb\\rc\\td");
	/* An escape sequence that would clear the screen. */
	check(state, "\033[2J", 4, 0, "\\u{1b}[2J");
	check(state, "a\0b", 3, 0, "a\\u{0}b");
	check(state, "\x7f", 1, 0, "\\u{7f}");
	/* CSI as one C1 character, U+009B. */
	check(state, "\xc2\x9b", 2, 0, "\\u{9b}");
}

static void test_direction_marks_are_shown(void **state)
{
	/* U+202E, U+2066, U+200F, U+2028, U+061C */
	check(state, "\xe2\x80\xae", 3, 0, "\\u{202e}");
	check(state, "\xe2\x81\xa6", 3, 0, "\\u{2066}");
	check(state, "\xe2\x80\x8f", 3, 0, "\\u{200f}");
	check(state, "\xe2\x80\xa8", 3, 0, "\\u{2028}");
	check(state, "\xd8\x9c", 2, 0, "\\u{61c}");
}

static void test_bytes_that_are_not_utf8_are_shown(void **state)
{
	check(state, "\xff", 1, 0, "\\xff");
	/* Overlong "/", a surrogate, past U+10FFFF, cut off. */
	check(state, "\xc0\xaf", 2, 0, "\\xc0\\xaf");
	check(state, "\xe0\x80\xaf", 3, 0, "\\xe0\\x80\\xaf");
	check(state, "\xed\xa0\x80", 3, 0, "\\xed\\xa0\\x80");
	check(state, "\xf4\x90\x80\x80", 4, 0, "\\xf4\\x90\\x80\\x80");
	check(state, "a\xe2\x82", 3, 0, "a\\xe2\\x82");
}

static void test_quote_and_backslash_are_escaped_inside_quotes(void **state)
{
	check(state, "a\"b\\c", 5, '"', "a\\\"b\\\\c");
	check(state, "a'b", 3, '"', "a'b");
}

static void check_value(void **state, const char *in, const char *out)
{
	struct buf text;

	buf_init(&text, *state, 65536);
	terminal_put_value(&text, in, strlen(in));
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data, out);
	buf_free(&text);
}

static void test_values_are_quoted_when_needed(void **state)
{
	check_value(state, "bob", "bob");
	check_value(state, "C:\\Windows", "C:\\Windows");
	check_value(state, "", "\"\"");
	check_value(state, "two words", "\"two words\"");
	check_value(state, "a=b", "\"a=b\"");
	check_value(state, "C:\\Program Files", "\"C:\\\\Program Files\"");
	check_value(state, "say \"hi\"", "\"say \\\"hi\\\"\"");
	check_value(state, "a\nb", "\"a\\nb\"");
	/* No-break space: looks like the end of the value. */
	check_value(state,
		    "a\xc2\xa0"
		    "b",
		    "\"a\xc2\xa0"
		    "b\"");
}

static void check_xml(void **state, const char *in, const char *out)
{
	struct buf text;

	buf_init(&text, *state, 65536);
	terminal_put_xml(&text, in, strlen(in));
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data, out);
	buf_free(&text);
}

static void test_xml_becomes_one_harmless_line(void **state)
{
	check_xml(state, "<a b='c'>d</a>", "<a b='c'>d</a>");
	check_xml(state, "<a>x\ny\xc2\x9b\x7f</a>",
		  "<a>x&#10;y&#155;&#127;</a>");
	check_xml(state, "<a>\xe2\x80\xae</a>", "<a>&#8238;</a>");
}

static void test_xml_cdata_keeps_its_meaning(void **state)
{
	check_xml(state, "<a><![CDATA[x<y]]></a>", "<a><![CDATA[x<y]]></a>");
	check_xml(state, "<a>\n<![CDATA[x\n<]]>\n</a>",
		  "<a>&#10;<![CDATA[x]]>&#10;<![CDATA[<]]>&#10;</a>");
	/* Without an end it is no section. */
	check_xml(state, "<![CDATA[x\n", "<![CDATA[x&#10;");
}

static void test_json_gets_escapes(void **state)
{
	static const char in[] = "{\"a\":\"\xc2\x9b\x7f\xe2\x80\xae\"}";
	struct buf text;

	buf_init(&text, *state, 65536);
	terminal_put_json(&text, in, strlen(in));
	buf_put_u8(&text, 0);
	assert_string_equal((const char *)text.data,
			    "{\"a\":\"\\u009b\\u007f\\u202e\"}");
	buf_free(&text);
}

static void test_color_is_for_terminals_unless_asked_for(void **state)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_false(terminal_colored(file, CLI_COLOR_AUTO));
	assert_false(terminal_colored(file, CLI_COLOR_NEVER));
	assert_true(terminal_colored(file, CLI_COLOR_ALWAYS));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_plain_text_passes),
		leak_test(test_control_characters_are_shown),
		leak_test(test_direction_marks_are_shown),
		leak_test(test_bytes_that_are_not_utf8_are_shown),
		leak_test(test_quote_and_backslash_are_escaped_inside_quotes),
		leak_test(test_values_are_quoted_when_needed),
		leak_test(test_xml_becomes_one_harmless_line),
		leak_test(test_xml_cdata_keeps_its_meaning),
		leak_test(test_json_gets_escapes),
		leak_test(test_color_is_for_terminals_unless_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
