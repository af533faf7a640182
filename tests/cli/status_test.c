/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/wintime.h"
#include "cli/status.h"

#include <string.h>

#define HEADER                                                         \
	"\"version\":\"0.1\",\"pid\":42,\"computer\":\"srv.example\"," \
	"\"started\":\"2023-11-14T20:13:15.0000000Z\",\"port\":49152," \
	"\"endpoint_mapper_port\":135,"                                \
	"\"loop_lag\":{\"samples\":9,\"p50_us\":35,\"p99_us\":1250,"   \
	"\"max_us\":31000},\"store\":{\"disk_used\":1610612736,"       \
	"\"disk_free\":12345,\"full\":false}"
#define CHANNEL(name, extra)                                                   \
	"{\"name\":\"" name "\",\"enabled\":true,\"records\":12,"              \
	"\"oldest_id\":4,\"next_id\":16,\"bytes\":2048,\"missing\":3,"         \
	"\"last_write\":\"2023-11-14T22:11:05.0000000Z\",\"full\":false" extra \
	"}"
#define FEED(channel, state, lag, extra)                               \
	"{\"channel\":\"" channel "\",\"target\":\"ForwardedEvents\"," \
	"\"state\":\"" state "\",\"events\":7,\"rate\":1.25,"          \
	"\"record_id\":99,\"lag_events\":" lag ",\"lag_seconds\":90,"  \
	"\"gaps\":1,\"missing\":5" extra "}"
#define HOST(name, state, feeds, extra)                      \
	"{\"host\":\"" name "\",\"section\":\"s-" name "\"," \
	"\"state\":\"" state "\",\"channels\":[" feeds "]" extra "}"

static const struct status_style plain = {
	/* 2023-11-14T22:13:20Z */
	.now = 133444736000000000,
};

static everr_t format(void **state, const char *json,
		      const struct status_style *style, char **ret_text)
{
	json_t *status = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	struct buf out;
	everr_t err;

	assert_non_null(status);
	buf_init(&out, *state, 1 << 20);
	err = status_format(&out, status, style);
	json_decref(status);
	*ret_text = talloc_strndup(*state, (char *)out.data, out.len);
	buf_free(&out);
	return err;
}

static const char *page(void **state, const char *json,
			const struct status_style *style)
{
	char *text = NULL;

	assert_int_equal(format(state, json, style, &text), EVERR_OK);
	return text;
}

static void check(void **state, const char *json,
		  const struct status_style *style, const char *expected)
{
	assert_string_equal(page(state, json, style), expected);
}

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		print_error("%s\nis not in\n%s", part, text);
		fail();
	}
}

static void assert_order(const char *text, const char *first,
			 const char *second)
{
	const char *a = strstr(text, first);
	const char *b = strstr(text, second);

	assert_non_null(a);
	assert_non_null(b);
	assert_true(a < b);
}

/* ---------------------------------------------------------------- cases */

#define HEAD_TEXT                                                        \
	"evenlog 0.1 on srv.example, up 2h 0m, process 42, port 49152\n" \
	"store: 1.5 GiB, disk: 12.1 KiB free\n"                          \
	"loop lag: 35 us, 99 % below 1.2 ms, longest 31.0 ms\n"

static void test_a_service_that_neither_collects_nor_forwards(void **state)
{
	check(state,
	      "{" HEADER
	      ",\"channels\":[" CHANNEL("Application", "") "," CHANNEL(
		      "A much longer channel/Operational", "") "]}",
	      &plain,
	      HEAD_TEXT
	      "\n"
	      "CHANNEL                            RECORDS  NEWEST     SIZE"
	      "  MISSING  LAST WRITE\n"
	      "Application                             12      15  2.0 KiB"
	      "        3  2m 15s ago\n"
	      "A much longer channel/Operational       12      15  2.0 KiB"
	      "        3  2m 15s ago\n");
}

#define COLLECT                                                                                                                      \
	"{" HEADER ",\"channels\":[],\"collect\":{\"hosts\":[" HOST(                                                                 \
		"well", "up", FEED("Security", "reading", "0", ""),                                                                  \
		"") "," HOST("late", "up",                                                                                           \
			     FEED("Security", "reading", "500",                                                                      \
				  "") "," FEED("System", "reading", "20", ""),                                                       \
			     "") "," HOST("gone", "connecting",                                                                      \
					  FEED("Security", "down", "0", ""),                                                         \
					  ",\"failure\":{\"text\":\"gone: "                                                          \
					  "cannot connect: refused\","                                                               \
					  "\"time\":null}") "," HOST("half",                                                         \
								     "up",                                                           \
								     FEED("Se"                                                       \
									  "cu"                                                       \
									  "ri"                                                       \
									  "t"                                                        \
									  "y",                                                       \
									  "re"                                                       \
									  "ad"                                                       \
									  "in"                                                       \
									  "g",                                                       \
									  "0",                                                       \
									  "") "," FEED("System",                                     \
										       "retrying",                                   \
										       "0",                                          \
										       ",\"failure\":{\"text\":\"access denied\"}"), \
								     "") "],"                                                        \
									 "\"h"                                                       \
									 "ost"                                                       \
									 "s_"                                                        \
									 "not"                                                       \
									 "_li"                                                       \
									 "ste"                                                       \
									 "d\""                                                       \
									 ":0}"                                                       \
									 "}"

static void test_hosts_the_worst_first(void **state)
{
	const char *text = page(state, COLLECT, &plain);

	assert_has(
		text,
		"collecting from 4 hosts, 3 up; 4 of 6 channels are read, "
		"7.5 events/s, 520 events behind\n"
		"HOST  STATE       CHANNELS  EVENTS/S  BEHIND     LAG  GAPS"
		"  ERROR\n"
		"gone  connecting       0/1       1.2       ?  1m 30s     1"
		"  cannot connect: refused\n"
		"half  up               1/2       2.5       0  1m 30s     2"
		"  access denied\n"
		"late  up               2/2       2.5     520  1m 30s     2\n"
		"well  up               1/1       1.2       0  1m 30s"
		"     1\n");
}

static void test_a_line_is_as_wide_as_the_window(void **state)
{
	struct status_style style = plain;

	style.width = 66;
	assert_has(page(state, COLLECT, &style),
		   "collecting from 4 hosts, 3 up; 4 of 6 channels are read, "
		   "7.5\n  events/s, 520 events behind\n");
	/* In a window that is drawn over, a row is a line. */
	style.height = 40;
	assert_has(page(state, COLLECT, &style),
		   "gone  connecting       0/1       1.2       ?  1m 30s     1"
		   "  can...\n");
}

static void test_errors_stand_whole_below_the_table(void **state)
{
	struct status_style style = plain;
	const char *text = NULL;

	style.width = 60;
	text = page(state, COLLECT, &style);
	assert_has(
		text,
		"  BEHIND     LAG  GAPS\n"
		"gone  connecting       0/1       1.2       ?  1m 30s     1\n");
	assert_has(text, "\n  gone: cannot connect: refused\n"
			 "  half: access denied\n");
	style.width = 24;
	assert_has(page(state, COLLECT, &style),
		   "\n  gone: cannot connect:\n    refused\n");
}

static void test_errors_beyond_the_tenth_are_counted(void **state)
{
	struct status_style style = plain;
	char *json = talloc_strdup(*state, "{\"collect\":{\"hosts\":[");
	const char *text = NULL;
	int i;

	for (i = 0; i < 12; i++) {
		json = talloc_asprintf_append(
			json,
			"%s{\"host\":\"dc%d\",\"state\":\"waiting\","
			"\"failure\":{\"text\":\"refused\"}}",
			i > 0 ? "," : "", i);
	}
	json = talloc_asprintf_append(json, "]}}");
	style.width = 60;
	text = page(state, json, &style);
	assert_has(text, "\n  dc9: refused\n  and 2 more errors\n");
}

static void test_a_long_name_leaves_room(void **state)
{
	struct status_style style = plain;
	const char *json = "{\"collect\":{\"hosts\":[" HOST(
		"d\u00e4nemark-mit-einem-langen-namen.corp.example", "up", "",
		"") "]}}";

	assert_has(page(state, json, &plain), "-langen-namen.corp.example  up");
	style.width = 60;
	assert_has(page(state, json, &style),
		   "\nd\303\244nemark-mit-eine...  up ");
	style.width = 90;
	assert_has(page(state, json, &style),
		   "\nd\303\244nemark-mit-einem-langen-namen.co...  up ");
}

/* Of the longest line, without the sequences of colors. */
static size_t longest(const char *text)
{
	size_t len = 0, max = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\033') {
			text = strchr(text, 'm');
			assert_non_null(text);
			continue;
		}
		len = *text == '\n' ? 0 : len + 1;
		max = len > max ? len : max;
	}
	return max;
}

/* Blanks count too: they would take a line of the window each. */
static void test_no_line_is_wider_than_the_window(void **state)
{
	struct status_style style = plain;

	for (style.width = 1; style.width < 120; style.width++) {
		style.colored = false;
		assert_true(longest(page(state, COLLECT, &style)) <=
			    style.width);
		style.colored = true;
		assert_true(longest(page(state, COLLECT, &style)) <=
			    style.width);
	}
}

static void test_one_host_with_its_channels(void **state)
{
	struct status_style style = plain;
	const char *text = NULL;
	char *none = NULL;

	style.host = "HALF";
	text = page(state, COLLECT, &style);
	assert_has(text, "  CHANNEL   STATE     EVENTS  EVENTS/S  RECORD  "
			 "BEHIND     LAG  GAPS  MISSING  INTO\n");
	assert_has(text, "  Security  reading        7       1.2      99       "
			 "0  1m 30s     1        5  ForwardedEvents\n"
			 "  System    retrying       7       1.2      99       "
			 "?  1m 30s     1        5  ForwardedEvents\n"
			 "  System: access denied\n");
	assert_null(strstr(text, "late"));
	style.host = "s-late";
	assert_has(page(state, COLLECT, &style), "\nlate  up ");
	style.host = "nobody";
	assert_int_equal(format(state, COLLECT, &style, &none),
			 EVERR_NOT_FOUND);
}

static void test_one_host_says_its_error_and_the_latest_gap(void **state)
{
	struct status_style style = plain;
	const char *text = NULL;

	style.host = "gone";
	style.width = 60;
	text = page(state,
		    "{\"collect\":{\"hosts\":[" HOST(
			    "gone", "waiting",
			    FEED("Security", "down", "0",
				 ",\"last_gap\":{\"cause\":\"it rolled over\","
				 "\"first\":2,\"last\":4,\"missing\":3,"
				 "\"exact\":\"at most\"}"),
			    ",\"failure\":{\"text\":\"gone: no route to it, "
			    "which is a reason that takes two lines\"}") "]}}",
		    &style);
	assert_has(text, "     1\n"
			 "  no route to it, which is a reason that takes two"
			 " lines\n"
			 "  CHANNEL ");
	assert_has(text, "\n  Security: latest gap: 3 (at most) missing, "
			 "records 2 to 4:\n"
			 "    it rolled over\n");
}

static void test_what_is_not_well_without_being_an_error(void **state)
{
	const char *text = page(
		state,
		"{\"collect\":{\"hosts\":[" HOST(
			"a", "up",
			FEED("Security", "reading", "0", ",\"silent\":true"),
			"") "," HOST("b", "up",
				     FEED("Security", "reading", "0",
					  ",\"mismatched\":3"),
				     "") "],\"hosts_not_listed\":7}}",
		&plain);

	assert_has(text, "silent: no event");
	assert_has(text, "events name another computer");
	assert_has(text, "collecting from 9 hosts, 2 up");
	assert_has(text, "and 7 more hosts\n");
}

/* Of 10,000 hosts the service lists some, and has the sums of all. */
static void test_sums_are_of_all_hosts(void **state)
{
	const char *text =
		page(state,
		     "{\"collect\":{\"hosts\":[" HOST(
			     "a", "up", FEED("Security", "reading", "0", ""),
			     "") "],\"totals\":{\"hosts\":8,\"up\":5,"
				 "\"channels\":24,\"reading\":14,\"rate\":2.5,"
				 "\"lag_events\":77},\"hosts_not_listed\":7}}",
		     &plain);

	assert_has(text, "collecting from 8 hosts, 5 up; 14 of 24 channels are "
			 "read, 2.5 events/s,");
	assert_has(text, "77 events behind");
}

/* 100 hosts, three of them bad, in a window of 24 lines. */
static void test_a_window_shows_the_worst(void **state)
{
	struct status_style style = plain;
	json_t *status = json_object();
	json_t *hosts = json_array();
	const char *text = NULL;
	char *dump = NULL;
	char *copy = NULL;
	size_t lines = 0;
	int i;

	for (i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "h%02d", i);
		json_array_append_new(
			hosts,
			json_pack("{s:s, s:s, s:[]}", "host", name, "state",
				  i % 40 == 7 ? "waiting" : "up", "channels"));
	}
	json_object_set_new(status, "collect",
			    json_pack("{s:o}", "hosts", hosts));
	dump = json_dumps(status, JSON_COMPACT);
	json_decref(status);
	copy = talloc_strdup(*state, dump);
	free(dump);

	style.height = 24;
	text = page(state, copy, &style);
	assert_order(text, "h07", "h47");
	assert_order(text, "h47", "h87");
	assert_order(text, "h87", "h00");
	assert_has(text, "more hosts are well\n");
	for (; *text != '\0'; text++) {
		lines += *text == '\n' ? 1 : 0;
	}
	assert_true(lines <= 24);
	assert_true(lines > 12);
}

static void test_outputs(void **state)
{
	struct status_style style = plain;
	const char *json =
		"{\"forward\":[{\"name\":\"siem\",\"receiver\":\"tls://"
		"s:6514\","
		"\"state\":\"up\",\"rate\":10,\"gaps\":2,\"last_error\":\"was "
		"down\","
		"\"channels\":[{\"name\":\"Security\",\"position\":5,"
		"\"newest\":25,\"lag_events\":20,\"lag_seconds\":3}]},"
		"{\"name\":\"old\",\"receiver\":\"udp://u:514\","
		"\"state\":\"down\",\"last_error\":\"refused\"}]}";
	const char *text = page(state, json, &plain);

	assert_has(text,
		   "OUTPUT  RECEIVER      STATE  SENT/S  BEHIND  LAG  GAPS  "
		   "ERROR\n"
		   "old     udp://u:514   down      0.0       0    -     0  "
		   "refused\n"
		   "siem    tls://s:6514  up       10.0      20   3s     2\n");
	assert_null(strstr(text, "Security"));
	style.verbose = true;
	assert_has(page(state, json, &style),
		   "  siem    Security        5      25      20   3s\n");
}

static void test_a_channel_that_never_had_events(void **state)
{
	assert_has(page(state,
			"{\"channels\":[{\"name\":\"New\",\"records\":0,"
			"\"next_id\":1,\"bytes\":0,\"missing\":0,"
			"\"last_write\":\"2023-11-14T22:11:05.0000000Z\"}]}",
			&plain),
		   "\nNew            0       0   0 B        0           -\n");
}

static void test_listeners_and_what_waits_in_the_quarantine(void **state)
{
	const char *text = page(
		state,
		"{\"listeners\":[{\"name\":\"dss\",\"address\":\"0.0.0.0\","
		"\"port\":8531,\"tls\":true,\"serve\":\"wsus, configmgr\","
		"\"connections\":3}],\"quarantine\":{\"entries\":2}}",
		&plain);

	assert_has(text, "\nlistener dss: wsus, configmgr on 0.0.0.0 port 8531,"
			 " TLS, 3 connections\n");
	assert_has(text, "\nquarantine: 2 messages ");
	text = page(state, "{\"quarantine\":{\"entries\":0}}", &plain);
	assert_null(strstr(text, "quarantine"));
}

static void test_nothing_of_it_need_be_there(void **state)
{
	const char *text = page(state, "{}", &plain);

	assert_has(text, "evenlog - on -, up -");
	text = page(state,
		    "{\"channels\":[3,{}],\"collect\":7,\"forward\":{},"
		    "\"store\":[],\"loop_lag\":\"x\",\"started\":5}",
		    &plain);
	assert_has(text, "\n-    ");
	text = page(state, "{\"collect\":[{}],\"forward\":{\"outputs\":[{}]}}",
		    &plain);
	assert_has(text, "collecting from 1 host, 0 up");
}

static void test_strangers_cannot_draw(void **state)
{
	const char *text = page(
		state,
		"{\"collect\":{\"hosts\":[" HOST(
			"a", "waiting", "",
			",\"failure\":{\"text\":\"\\u001b[2J\\nx\"}") "]}}",
		&plain);

	assert_null(strchr(text, 033));
	assert_has(text, "\\u{1b}[2J\\nx\n");
}

static void test_colors(void **state)
{
	struct status_style style = plain;

	style.colored = true;
	assert_has(page(state, COLLECT, &style), "\033[1;31mgone\033[0m");
}

static void test_the_rest_is_what_is_not_shown(void **state)
{
	json_t *status = json_loads("{" HEADER ",\"listeners\":[],"
				    "\"wsus\":{},\"rpc\":{\"handles\":1,"
				    "\"calls\":[0,1]}}",
				    0, NULL);
	json_t *rest = status_rest(status);
	json_t *rpc = json_object_get(rest, "rpc");

	assert_int_equal(json_object_size(rest), 4);
	assert_int_equal(json_object_size(rpc), 1);
	assert_non_null(json_object_get(rpc, "handles"));
	/* What was given is as it was. */
	assert_int_equal(json_object_size(json_object_get(status, "rpc")), 2);
	assert_non_null(json_object_get(rest, "listeners"));
	assert_non_null(json_object_get(rest, "wsus"));
	assert_non_null(json_object_get(rest, "endpoint_mapper_port"));
	json_decref(rest);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_service_that_neither_collects_nor_forwards),
		leak_test(test_hosts_the_worst_first),
		leak_test(test_sums_are_of_all_hosts),
		leak_test(test_a_line_is_as_wide_as_the_window),
		leak_test(test_no_line_is_wider_than_the_window),
		leak_test(test_errors_stand_whole_below_the_table),
		leak_test(test_errors_beyond_the_tenth_are_counted),
		leak_test(test_a_long_name_leaves_room),
		leak_test(test_one_host_with_its_channels),
		leak_test(test_one_host_says_its_error_and_the_latest_gap),
		leak_test(test_what_is_not_well_without_being_an_error),
		leak_test(test_a_window_shows_the_worst),
		leak_test(test_outputs),
		leak_test(test_a_channel_that_never_had_events),
		leak_test(test_listeners_and_what_waits_in_the_quarantine),
		leak_test(test_nothing_of_it_need_be_there),
		leak_test(test_strangers_cannot_draw),
		leak_test(test_colors),
		leak_test(test_the_rest_is_what_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
