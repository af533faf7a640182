/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/text.h"

#include <string.h>
#include <uchar.h>

typedef void (*convert_fn)(struct buf *out, const uint8_t *utf16le, size_t n);

static void to_xml_text(struct buf *out, const uint8_t *s, size_t n)
{
	text_utf16_to_xml(out, s, n, false);
}

static void to_xml_attribute(struct buf *out, const uint8_t *s, size_t n)
{
	text_utf16_to_xml(out, s, n, true);
}

static void assert_converts(convert_fn convert, const char16_t *units, size_t n,
			    const char *want)
{
	struct buf out;

	buf_init(&out, NULL, 100000);
	convert(&out, (const uint8_t *)units, n);
	assert_int_equal(buf_error(&out), EVERR_OK);
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.data, want, strlen(want));
	buf_free(&out);
}

/* The units of a literal, its NUL not counted. */
#define UNITS(literal) literal, sizeof(literal) / 2 - 1

static void test_utf16_becomes_utf8_of_every_length(void **state)
{
	assert_converts(text_utf16_to_utf8,
			UNITS(u"aA\x7F\x80"
			      u"\u07FF\u0800\uFFFD\U00010000"
			      u"\U0010FFFFz"),
			"aA\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBD"
			"\xF0\x90\x80\x80\xF4\x8F\xBF\xBFz");
	assert_converts(text_utf16_to_utf8,
			UNITS(u"Kiểm tra — 試験 — проверка, and ASCII after"),
			"Kiểm tra — 試験 — проверка, and ASCII after");
}

static void test_each_lone_surrogate_becomes_one_replacement(void **state)
{
	static const char16_t cases[][4] = {
		{'a', 0xD800, 'b', 'c'},
		{'a', 0xDC00, 'b', 'c'},
		{0xDBFF, 0xDBFF, 0xDFFF, 'c'},
		{0xDC00, 0xD800, 'b', 0xD800},
	};

	assert_converts(text_utf16_to_utf8, cases[0], 4, "a\uFFFDbc");
	assert_converts(text_utf16_to_utf8, cases[1], 4, "a\uFFFDbc");
	assert_converts(text_utf16_to_utf8, cases[2], 4,
			"\uFFFD\xF4\x8F\xBF\xBF"
			"c");
	assert_converts(text_utf16_to_utf8, cases[3], 4, "\uFFFD\uFFFDb\uFFFD");
}

static void test_xml_text_escapes_what_a_parser_would_read(void **state)
{
	assert_converts(to_xml_text, UNITS(u"<a href='x' id=\"y\">&amp; ]]>"),
			"&lt;a href='x' id=\"y\"&gt;&amp;amp; ]]&gt;");
	assert_converts(to_xml_text, UNITS(u"a\tb\nc\rd"), "a\tb\nc&#13;d");
}

static void test_xml_attributes_keep_quotes_and_blanks(void **state)
{
	assert_converts(to_xml_attribute, UNITS(u"<a b='c' d=\"e\">&"),
			"&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;");
	assert_converts(to_xml_attribute, UNITS(u"a\tb\nc\rd e"),
			"a&#9;b&#10;c&#13;d e");
}

static void test_xml_replaces_what_it_cannot_carry(void **state)
{
	static const char16_t units[] = {0,    1,   8,	    0xB,    0xC,  0xE,
					 0x1F, ' ', 0xFFFE, 0xFFFF, 0x7F, 0x80};

	assert_converts(to_xml_text, units, 12,
			"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD "
			"\uFFFD\uFFFD\x7F\xC2\x80");
	assert_converts(to_xml_attribute, units, 10,
			"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD "
			"\uFFFD\uFFFD");
	/* The non-characters beyond the first plane are legal in XML 1.0. */
	assert_converts(to_xml_text, UNITS(u"\U0001FFFF"), "\xF0\x9F\xBF\xBF");
}

static void test_json_escapes_of_rfc_8259(void **state)
{
	assert_converts(
		text_utf16_to_json,
		UNITS(u"\"C:\\x/<>'\"\b\t\n\f\r\x01\x0B\x1F\x7F"
		      u"\u2028é\uFFFE"),
		"\\\"C:\\\\x/<>'\\\"\\b\\t\\n\\f\\r\\u0001\\u000b\\u001f"
		"\x7F\u2028é\uFFFE");
	assert_converts(text_utf16_to_json, u"a\0b", 3, "a\\u0000b");
}

/* A special at every place of a run: the word-wise path must see them all. */
static void test_a_special_is_seen_at_every_place(void **state)
{
	size_t len, at, i;

	for (len = 1; len < 20; len++) {
		for (at = 0; at < len; at++) {
			char16_t units[20];
			char want[80] = "";

			for (i = 0; i < len; i++) {
				units[i] = i == at ? '<' : (char16_t)('a' + i);
			}
			for (i = 0; i < len; i++) {
				size_t end = strlen(want);

				snprintf(want + end, sizeof(want) - end, "%s",
					 i == at ? "&lt;"
						 : (char[]){(char)('a' + i),
							    '\0'});
			}
			assert_converts(to_xml_text, units, len, want);
			units[at] = 0;
			assert_int_equal(text_utf16_nlen((uint8_t *)units, len),
					 at);
			units[at] = 0x8000;
			assert_int_equal(text_utf16_nlen((uint8_t *)units, len),
					 len);
			units[at] = 0x0100;
			assert_int_equal(text_utf16_nlen((uint8_t *)units, len),
					 len);
		}
	}
}

static void test_a_long_run_of_specials_passes_the_small_buffer(void **state)
{
	char16_t units[3000];
	struct buf out;
	size_t i;

	for (i = 0; i < 3000; i++) {
		units[i] = i % 2 != 0 ? 0x20AC : '"';
	}
	buf_init(&out, *state, 100000);
	text_utf16_to_xml(&out, (uint8_t *)units, 3000, true);
	assert_int_equal(out.len, 1500 * (6 + 3));
	for (i = 0; i < 1500; i++) {
		assert_memory_equal(out.data + 9 * i, "&quot;€", 9);
	}
}

static void test_a_full_buffer_fails_and_stops(void **state)
{
	struct buf out;

	buf_init(&out, *state, 3);
	text_utf16_to_utf8(&out, (const uint8_t *)u"abcé", 4);
	assert_int_equal(buf_error(&out), EVERR_LIMIT);
	assert_memory_equal(out.data, "abc", 3);

	buf_reset(&out);
	assert_int_equal(text_utf8_to_utf16(&out, "ab", 2), EVERR_LIMIT);
	assert_int_equal(out.len, 0);
}

static void test_valid_utf8_becomes_utf16(void **state)
{
	static const char text[] = "ASCII text, é ế 試 \xF0\x90\x80\x80"
				   "\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80";
	static const char16_t want[] = u"ASCII text, é ế 試 \U00010000"
				       u"\U0010FFFF\uD7FF\uE000";
	struct buf out;

	assert_true(text_utf8_valid(text, sizeof(text) - 1));
	buf_init(&out, *state, 1000);
	assert_int_equal(text_utf8_to_utf16(&out, text, sizeof(text) - 1),
			 EVERR_OK);
	assert_int_equal(out.len, sizeof(want) - 2);
	assert_memory_equal(out.data, want, out.len);
}

/* Unicode 15, 3.9, table 3-7 and its examples. */
static void test_invalid_utf8_is_refused_and_leaves_nothing(void **state)
{
	static const char *const cases[] = {
		"\x80",
		"\xBF",
		"\xC0\x80",
		"\xC1\xBF",
		"\xC2",
		"\xC2\x41",
		"\xE0\x80\x80",
		"\xE0\x9F\xBF",
		"\xE1\x80",
		"\xE1\x80\x41",
		"\xED\xA0\x80",
		"\xED\xBF\xBF",
		"\xF0\x80\x80\x80",
		"\xF0\x8F\xBF\xBF",
		"\xF1\x80\x80",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\xFF",
		"12345678\xFE",
		"1234567\xC3",
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		assert_false(text_utf8_valid(cases[i], strlen(cases[i])));
		buf_init(&out, *state, 1000);
		buf_put_u8(&out, 7);
		assert_int_equal(
			text_utf8_to_utf16(&out, cases[i], strlen(cases[i])),
			EVERR_TEXT);
		assert_int_equal(out.len, 1);
		assert_int_equal(buf_error(&out), EVERR_OK);
		buf_free(&out);
	}
}

static void test_every_character_survives_both_ways(void **state)
{
	struct buf utf16, utf8;
	uint32_t c;

	buf_init(&utf16, *state, 100);
	buf_init(&utf8, *state, 100);
	for (c = 0; c < 0x110000; c++) {
		size_t units = c < 0x10000 ? 1 : 2;
		char16_t want[2] = {(char16_t)c};

		if (c >= 0xD800 && c <= 0xDFFF) {
			continue;
		}
		if (units == 2) {
			want[0] = (char16_t)(0xD7C0 + (c >> 10));
			want[1] = (char16_t)(0xDC00 + (c & 0x3FF));
		}
		buf_reset(&utf8);
		buf_reset(&utf16);
		text_utf16_to_utf8(&utf8, (uint8_t *)want, units);
		assert_int_equal(
			text_utf8_to_utf16(&utf16, (char *)utf8.data, utf8.len),
			EVERR_OK);
		assert_int_equal(utf16.len, 2 * units);
		assert_memory_equal(utf16.data, want, 2 * units);
	}
}

static void test_names_compare_without_case_of_ascii(void **state)
{
	assert_true(text_name_equal("Application", "aPPLICATION"));
	assert_false(text_name_equal("Application", "Application/"));
	assert_false(text_name_equal("É", "é"));
	assert_true(text_name_cmp("a", "B") < 0);
	assert_true(text_name_cmp("B", "a") > 0);
	assert_true(text_name_cmp("", "a") < 0);
	assert_true(text_name_cmp("z", "\xC3\xA9") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_utf16_becomes_utf8_of_every_length),
		leak_test(test_each_lone_surrogate_becomes_one_replacement),
		leak_test(test_xml_text_escapes_what_a_parser_would_read),
		leak_test(test_xml_attributes_keep_quotes_and_blanks),
		leak_test(test_xml_replaces_what_it_cannot_carry),
		leak_test(test_json_escapes_of_rfc_8259),
		leak_test(test_a_special_is_seen_at_every_place),
		leak_test(test_a_long_run_of_specials_passes_the_small_buffer),
		leak_test(test_a_full_buffer_fails_and_stops),
		leak_test(test_valid_utf8_becomes_utf16),
		leak_test(test_invalid_utf8_is_refused_and_leaves_nothing),
		leak_test(test_every_character_survives_both_ways),
		leak_test(test_names_compare_without_case_of_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
