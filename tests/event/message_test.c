/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What is expected of escapes comes from Microsoft's description of
 * FormatMessage and of message text files.
 */

#include "tests/leak.h"
#include "tests/event/manifest.h"

#include <time.h>

static const char *formatted(TALLOC_CTX *mem_ctx,
			     const struct event_publisher *publisher,
			     const char *message, const char *const *inserts,
			     size_t num)
{
	struct buf out;
	everr_t err;

	buf_init(&out, mem_ctx, 1 << 22);
	err = event_message_format(&out, publisher, 0, message, inserts, num);
	assert_int_equal(err, EVERR_OK);
	buf_put_u8(&out, 0);
	return (const char *)out.data;
}

static void test_inserts_are_put_where_they_are_named(void **state)
{
	const char *in[12] = {"a", "b", "c", "d", "e", "f",
			      "g", "h", "i", "j", "k", "l"};

	assert_string_equal(formatted(*state, NULL, "%2 and %1", in, 2),
			    "b and a");
	assert_string_equal(formatted(*state, NULL, "%1%1%12", in, 12), "aal");
	/* Two digits at most. */
	assert_string_equal(formatted(*state, NULL, "%100", in, 12), "j0");
	assert_string_equal(formatted(*state, NULL, "x", in, 12), "x");
}

static void test_an_insert_that_is_missing_stays_as_written(void **state)
{
	const char *in[] = {"a"};

	assert_string_equal(formatted(*state, NULL, "%1 %2 %99.", in, 1),
			    "a %2 %99.");
	assert_string_equal(formatted(*state, NULL, "%2!08x! %1", in, 1),
			    "%2!08x! a");
	assert_string_equal(formatted(*state, NULL, "%1", NULL, 0), "%1");
}

static void test_escapes_of_format_message(void **state)
{
	assert_string_equal(formatted(*state, NULL, "a%nb", NULL, 0), "a\r\nb");
	assert_string_equal(formatted(*state, NULL, "a%rb", NULL, 0), "a\rb");
	assert_string_equal(formatted(*state, NULL, "a%tb", NULL, 0), "a\tb");
	assert_string_equal(formatted(*state, NULL, "a%bb", NULL, 0), "a b");
	assert_string_equal(formatted(*state, NULL, "a% b", NULL, 0), "a b");
	assert_string_equal(formatted(*state, NULL, "end%.", NULL, 0), "end.");
	assert_string_equal(formatted(*state, NULL, "end%!", NULL, 0), "end!");
	assert_string_equal(formatted(*state, NULL, "5%% of", NULL, 0),
			    "5% of");
	assert_string_equal(formatted(*state, NULL, "a%0b", NULL, 0), "a");
	assert_string_equal(formatted(*state, NULL, "%q%", NULL, 0), "q%");
}

static void test_line_ends_of_the_text_are_line_ends(void **state)
{
	assert_string_equal(formatted(*state, NULL, "a\nb\r\nc\rd", NULL, 0),
			    "a\r\nb\r\nc\r\nd");
}

static void test_an_insert_is_not_a_message(void **state)
{
	const char *in[] = {"%2 %n\n%%", "b"};

	assert_string_equal(formatted(*state, NULL, "%1", in, 2), "%2 %n\n%%");
}

/* FormatMessage's documentation, "Examples": both lines are the same text. */
static void test_width_and_precision_from_the_documentation(void **state)
{
	const char *in[] = {"4", "2", "Bill", "Bob", "6", "Bill"};

	assert_string_equal(
		formatted(*state, NULL, "%1!*.*s! %4 %5!*s!", in, 6),
		"  Bi Bob   Bill");
	in[0] = "Bill";
	in[1] = "Bob";
	assert_string_equal(
		formatted(*state, NULL, "%1!4.2s! %2 %1!6s!", in, 2),
		"  Bi Bob   Bill");
}

static void test_numbers_are_formatted_as_printf_does(void **state)
{
	static const char *const formats[] = {"d",   "5d",   "-5d|", "05d",
					      "+d",  "x",    "08X",  "#x",
					      ".4x", "-8x|", "o",    "u"};
	static const char *const numbers[] = {"0", "7", "255", "65535"};
	size_t i, j;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		for (j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++) {
			int bar = strchr(formats[i], '|') != NULL;
			char *spec =
				talloc_asprintf(*state, "%%1!%.*s!%s",
						(int)strcspn(formats[i], "|"),
						formats[i], bar ? "|" : "");
			char *c = talloc_asprintf(*state, "%%%s", formats[i]);
			char expected[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(expected, sizeof(expected), c,
				 (int)strtol(numbers[j], NULL, 10));
#pragma GCC diagnostic pop
			assert_string_equal(
				formatted(*state, NULL, spec, &numbers[j], 1),
				expected);
		}
	}
}

static void test_negative_and_large_numbers(void **state)
{
	const char *in[] = {"-1", "18446744073709551615", "0x1f", "abc"};

	assert_string_equal(
		formatted(*state, NULL, "%1!d! %1!x! %1!I64x!", in, 4),
		"-1 ffffffff ffffffffffffffff");
	assert_string_equal(formatted(*state, NULL, "%2!I64X! %2!llu!", in, 4),
			    "FFFFFFFFFFFFFFFF 18446744073709551615");
	assert_string_equal(
		formatted(*state, NULL, "%3!d! %4!5d! %4!s!", in, 4),
		"31   abc abc");
}

/* A sentence may end with an exclamation mark after an insert. */
static void test_what_is_no_format_is_text(void **state)
{
	const char *in[] = {"Bob", "B\xC3\xB6"};

	assert_string_equal(formatted(*state, NULL, "Hello %1!", in, 2),
			    "Hello Bob!");
	assert_string_equal(formatted(*state, NULL, "%1!y! %1!5!", in, 2),
			    "Bob!y! Bob!5!");
	assert_string_equal(
		formatted(*state, NULL, "%2!3s!|%2!-3S!|%2!.2s!", in, 2),
		" B\xC3\xB6|B\xC3\xB6 |B\xC3\xB6");
}

static void test_parameters_come_from_the_message_table(void **state)
{
	struct event_manifest *manifest = man_read(*state, MAN_SAMPLE);
	const struct event_publisher *p = &manifest->publishers[0];
	const char *in[] = {"%%1832", "%%8193, %%7 100%%"};

	/* Its text names itself: parameters are not looked for again. */
	assert_string_equal(formatted(*state, p, "<%%1832>", NULL, 0),
			    "<%%1832 itself>");
	assert_string_equal(formatted(*state, p, "%1|%2", in, 2),
			    "%%1832 itself|the third, %%7 100%%");
	assert_string_equal(formatted(*state, p, "%%99999999999", NULL, 0),
			    "%%99999999999");
	assert_string_equal(formatted(*state, NULL, "%%1832", NULL, 0),
			    "%%1832");
}

static void test_the_culture_that_fits_best_is_taken(void **state)
{
	struct event_manifest *manifest = man_read(*state, MAN_SAMPLE);
	const struct event_publisher *p = &manifest->publishers[0];
	const uint32_t both = 0x50000010, english = 0x70000007;

	assert_string_equal(event_publisher_message(p, both, 0, false),
			    "Very loud");
	assert_string_equal(event_publisher_message(p, both, 0x407, true),
			    "Sehr laut");
	/* Austria speaks German. */
	assert_string_equal(event_publisher_message(p, both, 0xC07, true),
			    "Sehr laut");
	assert_string_equal(event_publisher_message(p, both, 0x40C, false),
			    "Very loud");
	assert_null(event_publisher_message(p, both, 0x40C, true));
	assert_string_equal(event_publisher_message(p, english, 0x407, false),
			    "A job");
	assert_null(event_publisher_message(p, english, 0x407, true));
	assert_null(event_publisher_message(p, 1, 0, false));
	assert_null(event_publisher_message(p, EVENT_MESSAGE_NONE, 0, false));
}

static void test_english_is_preferred_where_nobody_asks(void **state)
{
	struct event_manifest *manifest =
		man_read(*state, MAN_HEAD MAN_PROVIDER
			 "</provider></events></instrumentation>"
			 "<localization>"
			 "<resources culture='de-DE'><stringTable>"
			 "<string id='Provider' value='D'/>"
			 "</stringTable></resources>"
			 "<resources culture='en-GB'><stringTable>"
			 "<string id='Provider' value='E'/>"
			 "</stringTable></resources>"
			 "</localization>"
			 "</instrumentationManifest>");
	const struct event_publisher *p = &manifest->publishers[0];

	assert_string_equal(event_publisher_message(p, p->message_id, 0, false),
			    "E");
	/* Nobody's language: the first. */
	assert_string_equal(
		event_publisher_message(p, p->message_id, 0x411, false), "D");
}

static void test_a_message_that_is_too_long_leaves_nothing(void **state)
{
	char *insert = talloc_size(*state, 65536);
	const char *in[1];
	char *message = talloc_strdup(*state, "");
	struct buf out;
	size_t i;

	memset(insert, 'x', 65535);
	insert[65535] = '\0';
	in[0] = insert;
	for (i = 0; i < 33; i++) {
		message = talloc_strdup_append(message, "%1");
	}
	buf_init(&out, *state, 1 << 23);
	buf_puts(&out, "before");
	assert_int_equal(event_message_format(&out, NULL, 0, message, in, 1),
			 EVERR_LIMIT);
	assert_int_equal(out.len, 6);
}

/* "%1!.0s!" of megabytes shows nothing, however often it is there. */
static void test_inserts_that_show_nothing_cost_all_the_same(void **state)
{
	static const char *const texts[] = {"%1!.0d!", "%1!.0s!", "%1"};
	const size_t len = 4 * 1024 * 1024;
	char *digits = talloc_size(*state, len + 1);
	/* Short: a sanitizer's strstr() measures what is left each time. */
	const size_t references_len = 6000;
	char *references = talloc_size(*state, references_len + 1);
	const char *in[3] = {digits, digits, "5"};
	struct event_manifest *manifest = man_read(
		*state, MAN_HEAD
		"<messageTable><message value='1' mid='M' "
		"message='$(string.Provider)'/></messageTable>" MAN_PROVIDER
		"</provider>" MAN_LOCAL
		"<string id='Provider' value='&#10;'/>" MAN_TAIL);
	const clock_t start = clock();
	struct buf out;
	size_t i, j;

	memset(digits, '0', len);
	digits[len] = '\0';
	for (i = 0; i < references_len; i++) {
		references[i] = "%%1 "[i % 3];
	}
	references[references_len] = '\0';
	buf_init(&out, *state, 1 << 23);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *message = talloc_strdup(*state, "");

		for (j = 0; j < 5000; j++) {
			message =
				talloc_strdup_append_buffer(message, texts[i]);
		}
		/* Parameters that are a line end, which is taken away. */
		in[0] = i == 2 ? references : digits;
		assert_int_equal(event_message_format(&out,
						      &manifest->publishers[0],
						      0, message, in, 3),
				 EVERR_LIMIT);
		assert_int_equal(out.len, 0);
	}
	/* What is no number is no width. */
	assert_string_equal(formatted(*state, NULL, "%2!*d!", in, 3), "%2!*d!");
	/* 10,000 times 4 MiB would be a minute and more. */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_inserts_are_put_where_they_are_named),
		leak_test(test_an_insert_that_is_missing_stays_as_written),
		leak_test(test_escapes_of_format_message),
		leak_test(test_line_ends_of_the_text_are_line_ends),
		leak_test(test_an_insert_is_not_a_message),
		leak_test(test_width_and_precision_from_the_documentation),
		leak_test(test_numbers_are_formatted_as_printf_does),
		leak_test(test_negative_and_large_numbers),
		leak_test(test_what_is_no_format_is_text),
		leak_test(test_parameters_come_from_the_message_table),
		leak_test(test_the_culture_that_fits_best_is_taken),
		leak_test(test_english_is_preferred_where_nobody_asks),
		leak_test(test_a_message_that_is_too_long_leaves_nothing),
		leak_test(test_inserts_that_show_nothing_cost_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
