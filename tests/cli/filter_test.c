/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/wintime.h"
#include "cli/cli.h"
#include "cli/filter.h"

#include <string.h>

const struct cli_verb *const cli_verbs[] = {NULL};

#define LIST(...)                 \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}

static uint64_t now(void)
{
	uint64_t filetime = 0;

	assert_int_equal(wintime_parse("2026-11-21T15:30:20.123Z", &filetime),
			 EVERR_OK);
	return filetime;
}

/* The options' query must be this. */
static size_t expect(void **state, const struct cli_filter *filter,
		     const char *xpath, const char *expected)
{
	const char *got = NULL;
	const char *message = NULL;
	size_t terms = 0;

	assert_int_equal(cli_filter_xpath(*state, filter, xpath, now(), true,
					  &got, &terms, &message),
			 EVERR_OK);
	assert_string_equal(got, expected);
	return terms;
}

/* The options must be refused, with words that say so. */
static void refuse(void **state, const struct cli_filter *filter,
		   const char *words)
{
	const char *got = NULL;
	const char *message = NULL;
	size_t terms = 7;

	assert_int_equal(cli_filter_xpath(*state, filter, NULL, now(), true,
					  &got, &terms, &message),
			 EVERR_TEXT);
	assert_null(got);
	assert_int_equal(terms, 7);
	assert_non_null(message);
	if (strstr(message, words) == NULL) {
		print_error("%s: no \"%s\"\n", message, words);
	}
	assert_non_null(strstr(message, words));
}

#define EXPECT(expected, ...) \
	expect(state, &(struct cli_filter){__VA_ARGS__}, NULL, expected)
#define REFUSE(words, ...) \
	refuse(state, &(struct cli_filter){__VA_ARGS__}, words)

static void test_no_options_ask_for_everything(void **state)
{
	assert_int_equal(EXPECT("*", .since = NULL), 0);
	expect(state, &(struct cli_filter){.since = NULL}, "*[System]",
	       "*[System]");
	assert_false(cli_filter_given(&(struct cli_filter){.explain = 1}));
	assert_true(
		cli_filter_given(&(struct cli_filter){.since = (char *)""}));
}

static void test_ids_are_numbers_ranges_and_exceptions(void **state)
{
	EXPECT("*[System[EventID=4624]]", .ids = LIST("4624"));
	assert_int_equal(EXPECT("*[System[(EventID=4624 or"
				" (EventID>=4625 and EventID<=4634)) and"
				" EventID!=4630]]",
				.ids = LIST("4624,4625-4634,!4630")),
			 4);
	/* As Event Viewer's own dialog takes it. */
	EXPECT("*[System[(EventID=1 or EventID=3 or"
	       " (EventID>=5 and EventID<=99)) and EventID!=76]]",
	       .ids = LIST("1,3,5-99,-76"));
	EXPECT("*[System[(EventID<5 or EventID>9)]]", .ids = LIST("-5-9"));
	EXPECT("*[System[(EventID=1 or EventID=16)]]",
	       .ids = LIST("1", "0x10"));
	EXPECT("*[System[(EventID=1 or EventID=2)]]", .ids = LIST(" 1 , 2 "));

	REFUSE("--id takes numbers up to 65535", .ids = LIST("65536"));
	REFUSE("\"x\"", .ids = LIST("1,x"));
	REFUSE("\"9-5\"", .ids = LIST("9-5"));
	REFUSE("\"5-\"", .ids = LIST("5-"));
	REFUSE("\"--5\"", .ids = LIST("--5"));
	REFUSE("\"1-2-3\"", .ids = LIST("1-2-3"));
	REFUSE("missing", .ids = LIST("1,,2"));
	REFUSE("missing", .ids = LIST(""));
	REFUSE("missing", .ids = LIST("1,"));
}

static void test_too_many_values_are_refused(void **state)
{
	char list[2 * (CLI_FILTER_ITEMS_MAX + 1) + 1];
	const struct cli_filter filter = {.ids = LIST(list)};
	const char *xpath = NULL;
	const char *message = NULL;
	size_t terms = 0;
	size_t i;

	for (i = 0; i <= CLI_FILTER_ITEMS_MAX; i++) {
		memcpy(list + 2 * i, "1,", 2);
	}
	list[2 * CLI_FILTER_ITEMS_MAX + 1] = '\0';
	refuse(state, &filter, "more than 1024");
	list[2 * CLI_FILTER_ITEMS_MAX - 1] = '\0';
	assert_int_equal(cli_filter_xpath(*state, &filter, NULL, now(), true,
					  &xpath, &terms, &message),
			 EVERR_OK);
	assert_int_equal(terms, CLI_FILTER_ITEMS_MAX);
}

static void test_levels_are_exact_and_plus_adds_the_worse(void **state)
{
	EXPECT("*[System[Level=2]]", .levels = LIST("error"));
	EXPECT("*[System[Level=2]]", .levels = LIST("2"));
	EXPECT("*[System[(Level=2 or Level=3)]]",
	       .levels = LIST("warning,Error"));
	EXPECT("*[System[(Level=1 or Level=2)]]", .levels = LIST("error+"));
	EXPECT("*[System[(Level>=1 and Level<=3)]]",
	       .levels = LIST("warning+"));
	EXPECT("*[System[(Level>=1 and Level<=3)]]", .levels = LIST("3+"));
	/* Event Viewer's "Information" asks for 4 and 0. */
	EXPECT("*[System[(Level=0 or Level=4)]]",
	       .levels = LIST("information"));
	EXPECT("*[System[Level=4]]", .levels = LIST("4"));
	EXPECT("*[System[(Level>=0 and Level<=4)]]", .levels = LIST("info+"));
	EXPECT("*[System[(Level>=0 and Level<=5)]]",
	       .levels = LIST("verbose+"));
	EXPECT("*[System[Level=5]]", .levels = LIST("verbose"));
	EXPECT("*[System[Level=0]]", .levels = LIST("always"));
	EXPECT("*[System[(Level=1 or Level=200 or Level=255)]]",
	       .levels = LIST("255,200", "critical"));

	REFUSE("--level is critical, error", .levels = LIST("loud"));
	REFUSE("\"256\"", .levels = LIST("256"));
	REFUSE("--level", .levels = LIST("+"));
	REFUSE("--level", .levels = LIST("error++"));
	REFUSE("--level", .levels = LIST("error-"));
}

static void test_names_are_alternatives(void **state)
{
	EXPECT("*[System[Provider[@Name='a' or @Name='b c']]]",
	       .providers = LIST("a", "b c"));
	EXPECT("*[System[(Computer='pc1.example.org')]]",
	       .computers = LIST("pc1.example.org"));
	/* Get-WinEvent's way to name a user. */
	EXPECT("*[System[Security[@UserID='S-1-5-18']]]",
	       .user_ids = LIST("system"));
	EXPECT("*[System[Security[@UserID='S-1-5-21-1-2-3-500' or"
	       " @UserID='S-1-5-20']]]",
	       .user_ids = LIST("S-1-5-21-1-2-3-500", "Network Service"));

	REFUSE("--user-id is a SID", .user_ids = LIST("bob"));
	REFUSE("--user-id", .user_ids = LIST("S-1"));
	REFUSE("--user-id", .user_ids = LIST("S-1-5-"));
	REFUSE("--user-id", .user_ids = LIST("S-1-5-x"));
	REFUSE("--user-id", .user_ids = LIST("S-2-5-18"));
}

static void test_quotes_cannot_leave_their_literal(void **state)
{
	EXPECT("*[System[Provider[@Name=\"it's\"]]]",
	       .providers = LIST("it's"));
	EXPECT("*[System[Provider[@Name='say \"x\"']]]",
	       .providers = LIST("say \"x\""));
	EXPECT("*[System[Provider[@Name=\"' or @Name!='\"]]]",
	       .providers = LIST("' or @Name!='"));
	REFUSE("--provider: a query cannot hold both kinds of quotes",
	       .providers = LIST("'\""));
	REFUSE("both kinds", .data = LIST("a='\""));
	REFUSE("--computer: the value is not UTF-8 text of one line",
	       .computers = LIST("a\nb"));
	REFUSE("not UTF-8", .providers = LIST("\xff"));
	REFUSE("not UTF-8", .data = LIST("a=\x01"));
}

static void test_data_is_looked_for_where_windows_looks(void **state)
{
	assert_int_equal(EXPECT("*[(EventData[Data[@Name='LogonType']='10'] or"
				" UserData/*/LogonType='10')]",
				.data = LIST("LogonType=10")),
			 3);
	EXPECT("*[(EventData[Data[@Name='a']='1'] or UserData/*/a='1') and"
	       " (EventData[Data[@Name='b']='x=y'] or UserData/*/b='x=y')]",
	       .data = LIST("a=1", "b=x=y"));
	/* No element has such a name. */
	EXPECT("*[EventData[Data[@Name='Service Name']='x']]",
	       .data = LIST("Service Name=x"));
	EXPECT("*[EventData[Data='x']]", .data = LIST("=x"));
	EXPECT("*[EventData[Data[@Name='1st']='']]", .data = LIST("1st="));
	REFUSE("--data is name=value", .data = LIST("LogonType"));
}

static void test_keywords_are_one_mask(void **state)
{
	/* Event Viewer's number for "Audit Failure". */
	EXPECT("*[System[band(Keywords,4503599627370496)]]",
	       .keywords = LIST("AuditFailure"));
	EXPECT("*[System[band(Keywords,13510798882111488)]]",
	       .keywords = LIST("audit success,audit failure"));
	EXPECT("*[System[band(Keywords,36028797018963968)]]",
	       .keywords = LIST("classic"));
	EXPECT("*[System[band(Keywords,33)]]", .keywords = LIST("1", "0x20"));
	EXPECT("*[System[band(Keywords,9223372036854775808)]]",
	       .keywords = LIST("0x8000000000000000"));
	/* More digits than a double has. */
	EXPECT("*[System[band(Keywords,'0x8000000000000001')]]",
	       .keywords = LIST("0x8000000000000001"));
	REFUSE("--keyword is AuditFailure", .keywords = LIST("Audit"));
	REFUSE("\"0\"", .keywords = LIST("0"));
}

static void test_other_numbers(void **state)
{
	EXPECT("*[System[Task=12544]]", .tasks = LIST("12544"));
	EXPECT("*[System[(Opcode=1 or Opcode=2)]]", .opcodes = LIST("1,2"));
	EXPECT("*[System[(EventRecordID>=5 and EventRecordID<=7)]]",
	       .records = LIST("5-7"));
	EXPECT("*[System[EventRecordID=18446744073709551615]]",
	       .records = LIST("18446744073709551615"));
	REFUSE("--task takes numbers up to 65535", .tasks = LIST("65536"));
	REFUSE("--opcode takes numbers up to 255", .opcodes = LIST("256"));
	REFUSE("--record takes numbers", .records = LIST("x"));
}

static void test_times_are_absolute(void **state)
{
	EXPECT("*[System[TimeCreated[@SystemTime>="
	       "'2026-11-21T13:30:20.123Z']]]",
	       .since = (char *)"2h");
	EXPECT("*[System[TimeCreated[@SystemTime<="
	       "'2026-11-20T23:59:59.9999999Z']]]",
	       .until = (char *)"2026-11-20");
	EXPECT("*[System[TimeCreated[@SystemTime>="
	       "'2026-11-20T00:00:00.000Z' and @SystemTime<="
	       "'2026-11-20T14:00:00.000Z']]]",
	       .since = (char *)"2026-11-20",
	       .until = (char *)"2026-11-20T14:00:00Z");
	REFUSE("--since is an age", .since = (char *)"x");
	REFUSE("--until is an age", .until = (char *)"24:00");
	REFUSE("later than", .since = (char *)"1h", .until = (char *)"2h");
}

static void test_options_come_together(void **state)
{
	assert_int_equal(
		EXPECT("*[System[Provider[@Name='P'] and"
		       " (Level=1 or Level=2) and EventID=7 and"
		       " TimeCreated[@SystemTime>='2026-11-21T14:30:20.123Z']]"
		       " and EventData[Data='v']]",
		       .providers = LIST("P"), .levels = LIST("error+"),
		       .ids = LIST("7"), .since = (char *)"1h",
		       .data = LIST("=v")),
		6);
}

static void test_a_given_path_is_kept(void **state)
{
	const struct cli_filter filter = {.ids = LIST("7")};
	static const struct {
		const char *given;
		const char *both;
	} cases[] = {
		{"*", "*[System[EventID=7]]"},
		{"Event", "*[System[EventID=7]]"},
		{"*[System[Level=2]]",
		 "*[(System[Level=2]) and System[EventID=7]]"},
		{"Event[System[Level=2 or Level=3]]",
		 "*[(System[Level=2 or Level=3]) and System[EventID=7]]"},
		{"*[A][B or C]", "*[(A) and (B or C) and System[EventID=7]]"},
		{"*[A=']']", "*[(A=']') and System[EventID=7]]"},
		{"*[A=\"[\"]", "*[(A=\"[\") and System[EventID=7]]"},
		{"Event/System/Level=2",
		 "Event/System/Level=2 and *[System[EventID=7]]"},
		{"*[A] and *[B]", "*[A] and *[B] and *[System[EventID=7]]"},
		{"*[A] or *[B]", "*[(A) and System[EventID=7]] or"
				 " *[(B) and System[EventID=7]]"},
		{"*[A] and *[B] or *[C or D]",
		 "*[A] and *[B] and *[System[EventID=7]] or"
		 " *[(C or D) and System[EventID=7]]"},
		{"(*[A] or *[B])", "(*[A] or *[B]) and *[System[EventID=7]]"},
		{"*[A=' or ']", "*[(A=' or ') and System[EventID=7]]"},
		/* Wrong ones stay wrong: the service says why. */
		{"*[A", "*[A and *[System[EventID=7]]"},
		{"*[A]]", "*[A]] and *[System[EventID=7]]"},
		{"*[A='x]", "*[A='x] and *[System[EventID=7]]"},
		{"*[]", "*[] and *[System[EventID=7]]"},
		{"Eventful[A]", "Eventful[A] and *[System[EventID=7]]"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect(state, &filter, cases[i].given, cases[i].both);
	}
}

static void test_several_channels_are_a_query_list(void **state)
{
	const char *const channels[] = {"Application", "A&B/\"Operational\""};
	const char *const broken[] = {"A", "\x01"};
	const char *query = NULL;

	assert_int_equal(cli_filter_query_list(*state, channels, 2,
					       "*[System[Level<=2]]", &query),
			 EVERR_OK);
	assert_string_equal(
		query, "<QueryList>\n"
		       "  <Query Id=\"0\">\n"
		       "    <Select Path=\"Application\">*[System[Level&lt;=2]]"
		       "</Select>\n"
		       "    <Select Path=\"A&amp;B/&quot;Operational&quot;\">"
		       "*[System[Level&lt;=2]]</Select>\n"
		       "  </Query>\n"
		       "</QueryList>\n");
	query = NULL;
	assert_int_equal(cli_filter_query_list(*state, broken, 2, "*", &query),
			 EVERR_TEXT);
	assert_null(query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_no_options_ask_for_everything),
		leak_test(test_ids_are_numbers_ranges_and_exceptions),
		leak_test(test_too_many_values_are_refused),
		leak_test(test_levels_are_exact_and_plus_adds_the_worse),
		leak_test(test_names_are_alternatives),
		leak_test(test_quotes_cannot_leave_their_literal),
		leak_test(test_data_is_looked_for_where_windows_looks),
		leak_test(test_keywords_are_one_mask),
		leak_test(test_other_numbers),
		leak_test(test_times_are_absolute),
		leak_test(test_options_come_together),
		leak_test(test_a_given_path_is_kept),
		leak_test(test_several_channels_are_a_query_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
