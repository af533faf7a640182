/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/event/make.h"

#include "base/wintime.h"
#include "event/build.h"
#include "event/filter.h"

#include <stdio.h>

/* 2022-11-20T10:00:00Z, and what the events' times are. */
#define TIME 133134120000000000ULL
#define HOUR (3600 * WINTIME_SECOND)
#define NOW (TIME + HOUR)

/* One event, packed, as a filter sees it. */
struct seen {
	TALLOC_CTX *mem_ctx;
	struct event_dict *dict;
	struct event_header header;
	uint8_t *data;
	size_t len;
};

static struct event_view view_of(const struct seen *seen)
{
	return (struct event_view){
		.header = &seen->header,
		.dict = seen->dict,
		.data = seen->data,
		.len = seen->len,
		.now = NOW,
	};
}

/* Pack into the dictionary that seen has, or into a new one. */
static void see(struct seen *seen, TALLOC_CTX *mem_ctx, const struct buf *doc)
{
	struct event_packer *packer = NULL;
	struct event_packed packed;

	seen->mem_ctx = mem_ctx;
	if (seen->dict == NULL) {
		seen->dict = event_dict_create(mem_ctx, NULL);
	}
	packer = event_packer_create(mem_ctx, seen->dict);
	assert_int_equal(event_pack(packer, doc->data, doc->len, &packed),
			 EVERR_OK);
	seen->header = packed.header;
	seen->data = talloc_memdup(mem_ctx, packed.data, packed.len);
	seen->len = packed.len;
	TALLOC_FREE(packer);
}

static struct event_filter *compile(TALLOC_CTX *mem_ctx, const char *text)
{
	struct event_filter_error error = {};
	struct event_filter *filter = NULL;

	if (event_filter_compile(mem_ctx, text, strlen(text), &filter,
				 &error) != EVERR_OK) {
		fail_msg("%s: at %u: %s", text, error.offset, error.message);
	}
	return filter;
}

/* With the header and without, twice each: the second time it is known. */
static bool matches(const struct seen *seen, const char *text)
{
	struct event_filter *filter = compile(seen->mem_ctx, text);
	const struct event_header no_header = {};
	struct event_view view = view_of(seen);
	struct event_view blind = view;
	bool first = event_filter_match(filter, &view);

	blind.header = &no_header;
	if (event_filter_match(filter, &view) != first ||
	    event_filter_match(filter, &blind) != first ||
	    event_filter_match(filter, &blind) != first) {
		fail_msg("not always the same: %s", text);
	}
	TALLOC_FREE(filter);
	return first;
}

static void must(const struct seen *seen, const char *text)
{
	if (!matches(seen, text)) {
		fail_msg("should match: %s", text);
	}
}

static void must_not(const struct seen *seen, const char *text)
{
	if (matches(seen, text)) {
		fail_msg("should not match: %s", text);
	}
}

/* <Event><EventData><Data>value</Data></EventData></Event> */
static struct seen data_event(TALLOC_CTX *mem_ctx, uint8_t type,
			      const void *data, size_t len)
{
	struct seen seen = {};
	struct maker m;
	struct buf doc;

	make_start(&m, mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_leaf(&m, "Data", 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, type, data, len);
	make_document(&m, &doc);
	see(&seen, mem_ctx, &doc);
	return seen;
}

/* Does the value compare so?  comparison is what follows the path. */
static void check(void **state, uint8_t type, const void *data, size_t len,
		  const char *comparison, bool want)
{
	struct seen seen = data_event(*state, type, data, len);
	char *text = talloc_asprintf(*state, "*[EventData/Data%s]", comparison);

	if (matches(&seen, text) != want) {
		fail_msg("type 0x%02x: %s is not %d", type, text, want);
	}
	TALLOC_FREE(seen.dict);
}

static void check_string(void **state, const char *string,
			 const char *comparison, bool want)
{
	struct buf units;

	buf_init(&units, *state, 4096);
	assert_int_equal(text_utf8_to_utf16(&units, string, strlen(string)),
			 EVERR_OK);
	check(state, EVENT_TYPE_STRING, units.data, units.len, comparison,
	      want);
	buf_free(&units);
}

/* ---------------------------------------------------- types, facts 7.2 */

static void test_integers_compare_exactly(void **state)
{
	static const uint8_t max[] = {255, 255, 255, 255, 255, 255, 255, 255};
	/* 2^53 + 1, which no double is. */
	static const uint8_t odd[] = {1, 0, 0, 0, 0, 0, 0x20, 0};
	static const uint8_t minus_two[] = {0xFE};

	check(state, EVENT_TYPE_UINT64, max, 8, "=18446744073709551615", true);
	check(state, EVENT_TYPE_UINT64, max, 8, "=18446744073709551614", false);
	check(state, EVENT_TYPE_UINT64, max, 8, ">18446744073709551614", true);
	check(state, EVENT_TYPE_HEXINT64, max, 8, "='0xFFFFFFFFFFFFFFFF'",
	      true);
	check(state, EVENT_TYPE_INT64, max, 8, "=-1", true);
	check(state, EVENT_TYPE_INT64, max, 8, "<0", true);
	check(state, EVENT_TYPE_INT64, max, 8, "=18446744073709551615", false);
	check(state, EVENT_TYPE_UINT64, odd, 8, "=9007199254740993", true);
	check(state, EVENT_TYPE_UINT64, odd, 8, "=9007199254740992", false);
	check(state, EVENT_TYPE_INT8, minus_two, 1, "<-1", true);
	check(state, EVENT_TYPE_INT8, minus_two, 1, ">-3", true);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "='254'", true);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "='0xfe'", true);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "='0254'", true);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "=254.0", true);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "<2.545e2", true);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "<2.545D+2", true);
	/* No number: their texts. */
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "='x'", false);
	check(state, EVENT_TYPE_UINT8, minus_two, 1, "!='x'", true);
}

static void test_doubles_compare_as_doubles(void **state)
{
	static const uint8_t half[] = {0, 0, 0, 0, 0, 0, 0xE0, 0x3F};
	static const uint8_t half32[] = {0, 0, 0, 0x3F};
	static const uint8_t nan[] = {1, 0, 0, 0, 0, 0, 0xF8, 0x7F};

	check(state, EVENT_TYPE_REAL64, half, 8, "=0.5", true);
	check(state, EVENT_TYPE_REAL64, half, 8, "='.5'", true);
	check(state, EVENT_TYPE_REAL32, half32, 4, "=5e-1", true);
	check(state, EVENT_TYPE_REAL64, half, 8, "<1", true);
	check(state, EVENT_TYPE_REAL64, half, 8, ">-1", true);
	check(state, EVENT_TYPE_REAL64, nan, 8, "<1", false);
	check(state, EVENT_TYPE_REAL64, nan, 8, ">=1", false);
	check(state, EVENT_TYPE_REAL64, nan, 8, "!=1", true);
}

static void test_booleans_are_true_or_false(void **state)
{
	static const uint8_t yes[] = {1, 0, 0, 0};
	static const uint8_t no[] = {0, 0, 0, 0};

	check(state, EVENT_TYPE_BOOL, yes, 4, "='true'", true);
	check(state, EVENT_TYPE_BOOL, yes, 4, "='True'", true);
	check(state, EVENT_TYPE_BOOL, yes, 4, "=1", true);
	check(state, EVENT_TYPE_BOOL, yes, 1, "='5'", true);
	check(state, EVENT_TYPE_BOOL, no, 4, "='false'", true);
	check(state, EVENT_TYPE_BOOL, no, 4, "=0", true);
	check(state, EVENT_TYPE_BOOL, no, 4, "!='true'", true);
	/* Facts 7.2: numeric 0 is false. */
	check(state, EVENT_TYPE_UINT32, yes, 4, "='true'", true);
	check(state, EVENT_TYPE_UINT32, no, 4, "='false'", true);
	check_string(state, "TRUE", "='true'", true);
}

static void test_guids_and_sids_compare_as_such(void **state)
{
	static const uint8_t guid[] = {0, 1, 2,	 3,  4,	 5,  6,	 7,
				       8, 9, 10, 11, 12, 13, 14, 15};
	static const uint8_t sid[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

	check(state, EVENT_TYPE_GUID, guid, 16,
	      "='{03020100-0504-0706-0809-0a0b0c0d0e0f}'", true);
	check(state, EVENT_TYPE_GUID, guid, 16,
	      "='03020100-0504-0706-0809-0A0B0C0D0E0F'", true);
	check(state, EVENT_TYPE_GUID, guid, 16,
	      "!='03020100-0504-0706-0809-0A0B0C0D0E0E'", true);
	check(state, EVENT_TYPE_GUID, guid, 16,
	      "<'F3020100-0504-0706-0809-0A0B0C0D0E0F'", false);
	check_string(state, "03020100-0504-0706-0809-0A0B0C0D0E0F",
		     "='{03020100-0504-0706-0809-0a0b0c0d0e0f}'", true);
	check(state, EVENT_TYPE_SID, sid, 12, "='S-1-5-18'", true);
	check(state, EVENT_TYPE_SID, sid, 12, "!='S-1-5-19'", true);
	check(state, EVENT_TYPE_SID, sid, 12, "!='S-1-5-18'", false);
	check_string(state, "S-1-5-18", "='S-1-5-18'", true);
	/* "Same type, otherwise false": for != as well. */
	check_string(state, "-", "='S-1-5-18'", false);
	check_string(state, "-", "!='S-1-5-18'", false);
	check(state, EVENT_TYPE_UINT8, sid, 1,
	      "!='{03020100-0504-0706-0809-0a0b0c0d0e0f}'", false);
}

static void test_times_compare_as_times(void **state)
{
	static const uint8_t systime[] = {0xE6, 7, 11, 0, 0, 0, 20, 0,
					  10,	0, 0,  0, 0, 0, 5,  0};
	static const uint8_t no_date[] = {0xE6, 7, 13, 0, 0, 0, 20, 0,
					  10,	0, 0,  0, 0, 0, 5,  0};
	uint8_t time[8];

	le64_set(time, TIME + 1);
	check(state, EVENT_TYPE_FILETIME, time, 8,
	      "='2022-11-20T10:00:00.0000001Z'", true);
	check(state, EVENT_TYPE_FILETIME, time, 8, "='2022-11-20T10:00:00Z'",
	      false);
	check(state, EVENT_TYPE_FILETIME, time, 8, ">'2022-11-19T10:00:00Z'",
	      true);
	check(state, EVENT_TYPE_SYSTIME, systime, 16,
	      "='2022-11-20T10:00:00.005Z'", true);
	check(state, EVENT_TYPE_SYSTIME, systime, 16,
	      "<'2022-11-20T10:00:00.0051Z'", true);
	/* Facts 7.2: 0 to 9 digits, of which the last two say nothing. */
	check(state, EVENT_TYPE_SYSTIME, systime, 16,
	      "='2022-11-20T10:00:00.005000099Z'", true);
	check(state, EVENT_TYPE_SYSTIME, no_date, 16, "<'2023-01-01T00:00:00Z'",
	      false);
	check_string(state, "2022-11-20T10:00:00.005Z",
		     "='2022-11-20T10:00:00.0050Z'", true);
	check_string(state, "noon", "!='2022-11-20T10:00:00.0050Z'", false);
	/* A number is no time. */
	check(state, EVENT_TYPE_FILETIME, time, 8, "!=1", false);
}

static void test_strings_compare_without_case(void **state)
{
	static const uint8_t nul[] = {'a', 0, 0, 0, 'b', 0};

	check_string(state, "Administrator", "='ADMINISTRATOR'", true);
	check_string(state, "Administrator", "!='administrator'", false);
	check_string(state, "Administrator", "='Administrato'", false);
	check_string(state, "Administrato", "='Administrator'", false);
	check_string(state, "b", ">'A'", true);
	check_string(state, "a", "<'B'", true);
	check_string(state, "[", ">'Z'", false);
	check_string(state, "\xC3\xA4", "='\xC3\xA4'", true);
	/* ASCII's letters only. */
	check_string(state, "\xC3\xA4", "='\xC3\x84'", false);
	check_string(state, "\xF0\x9F\x98\x80", ">'\xEF\xBF\xBD'", true);
	check_string(state, "", "=''", true);
	check_string(state, "it's", "=\"it's\"", true);
	check(state, EVENT_TYPE_STRING, nul, 6, "='a'", true);
	check(state, EVENT_TYPE_ANSI, "Caf\xE9", 4, "='caf\xC3\xA9'", true);
	check(state, EVENT_TYPE_ANSI, "12", 2, "=12", true);
	check(state, EVENT_TYPE_BINARY, "\x00\xAB", 2, "='00ab'", true);
	check(state, EVENT_TYPE_NULL, "", 0, "=''", true);
	check(state, EVENT_TYPE_NULL, "", 0, "!='x'", true);
}

static void test_numbers_in_strings(void **state)
{
	check_string(state, "042", "=42", true);
	check_string(state, " 42\n", "=42", true);
	check_string(state, "0x2A", "=42", true);
	check_string(state, "4.2e1", "=42", true);
	check_string(state, "x42", "=42", false);
	check_string(state, "x42", "!=42", false);
	check_string(state, "", "!=42", false);
	/* In quotes a number is a string, too. */
	check_string(state, "042", "='42'", false);
	check_string(state, "42", "='42'", true);
	check_string(state, "9", "<'10'", true);
	check_string(state, "x9", "<'10'", false);
}

/* --------------------------------------------------------------- shapes */

static void test_what_is_missing_compares_with_nothing(void **state)
{
	struct seen seen = data_event(*state, EVENT_TYPE_NULL, "", 0);

	must_not(&seen, "*[EventData/Other='x']");
	must_not(&seen, "*[EventData/Other!='x']");
	must_not(&seen, "*[EventData/Data/@Name!='x']");
	must_not(&seen, "*[System[Level!=2]]");
	must_not(&seen, "*[band(EventData/Other, 1)='true']");
	must_not(&seen, "*[timediff(EventData/Other)!=0]");
	must(&seen, "*[(EventData/Other)='false']=1 or *[EventData]");
	must(&seen, "Event/EventData");
	must(&seen, "Event");
	must_not(&seen, "Event/System");
}

static void test_an_array_is_as_many_elements(void **state)
{
	static const uint8_t two[] = {'a', 0, 0, 0, 'b', 0, 0, 0};
	static const uint8_t numbers[] = {1, 0, 2, 0, 3, 0};
	struct seen seen = data_event(
		*state, EVENT_TYPE_STRING | EVENT_TYPE_ARRAY, two, sizeof(two));

	must(&seen, "*[EventData[Data='a' and Data='b']]");
	must(&seen, "*[EventData/Data[position()=2]='b']");
	must_not(&seen, "*[EventData/Data[position()=1]='b']");
	must_not(&seen, "*[EventData/Data[position()=3]]");
	must_not(&seen, "*[EventData[Data='a b']]");
	seen = data_event(*state, EVENT_TYPE_UINT16 | EVENT_TYPE_ARRAY, numbers,
			  sizeof(numbers));
	must(&seen, "*[EventData[Data=3]]");
	must_not(&seen, "*[EventData[Data>3]]");
	/* Without items it is one empty element. */
	seen = data_event(*state, EVENT_TYPE_UINT16 | EVENT_TYPE_ARRAY, numbers,
			  0);
	must(&seen, "*[EventData/Data='']");
	must_not(&seen, "*[EventData/Data[position()=2]]");
}

/* An event of our own, whose data are in another template. */
static struct seen built_event(TALLOC_CTX *mem_ctx, struct event_dict *dict,
			       struct event_system system)
{
	static const uint8_t name[] = {'b', 0, 'o', 0, 'b', 0};
	static const uint8_t type[] = {3, 0, 0, 0};
	static const struct event_data data[] = {
		{"TargetUserName", EVENT_TYPE_STRING, name, sizeof(name)},
		{"LogonType", EVENT_TYPE_UINT32, type, sizeof(type)},
		{"Other", EVENT_TYPE_STRING, name, sizeof(name)},
		{"Last", EVENT_TYPE_NULL, NULL, 0},
	};
	struct seen seen = {.dict = dict};
	struct buf doc;

	system.provider =
		system.provider != NULL ? system.provider : "Some-Provider";
	system.channel = "Security";
	system.computer = "host.example";
	buf_init(&doc, mem_ctx, 65536);
	assert_int_equal(event_build(&doc, &system, data, 4), EVERR_OK);
	see(&seen, mem_ctx, &doc);
	return seen;
}

static const struct event_system logon = {
	.event_id = 4624,
	.level = 4,
	.task = 12544,
	.keywords = 0x8020000000000000,
	.time_created = TIME,
	.record_id = 17,
};

static void test_filters_of_windows_tools(void **state)
{
	struct seen seen = built_event(*state, NULL, logon);

	must(&seen, "*[System[(Level=1 or Level=4) and TimeCreated[timediff("
		    "@SystemTime) <= 3600000]]]");
	must_not(&seen, "*[System[(Level=1 or Level=4) and TimeCreated["
			"timediff(@SystemTime) <= 3599999]]]");
	must(&seen, "*[System[((EventID >= 4620 and EventID <= 4630)) and "
		    "(EventID != 4625)]]");
	must(&seen, "*[System[band(Keywords,9007199254740992)]]");
	must_not(&seen, "*[System[band(Keywords,4503599627370496)]]");
	must(&seen, "*[System[Keywords=9232379236109516800]]");
	must(&seen, "*[System/Provider[@Name='other' or "
		    "@Name='some-provider']]");
	must(&seen, "*[EventData[Data[@Name='TargetUserName']='bob']]");
	must(&seen, "*[EventData[Data[@Name='LogonType']='3']]");
	must_not(&seen, "*[EventData[Data[@Name='LogonType']='bob']]");
	must(&seen, "*[EventData[Data[@Name='LogonType'] and (Data='bob')]]");
	must(&seen, "*[((EventData[Data[@Name='Other']='bob']) or "
		    "(UserData/*/Other='bob'))]");
	must(&seen, "*[System[(EventID=4624)]] and *[EventData[Data["
		    "@Name='LogonType']=3]]");
	must(&seen, "*[System[TimeCreated[@SystemTime>='2022-11-20T10:00:00."
		    "000Z' and @SystemTime<='2022-11-20T10:00:00.999Z']]]");
	must(&seen, "Event/System/EventID=4624");
	must(&seen, "*[System[EventRecordID>=17 and Computer='HOST.example']]");
	must(&seen, "*[EventData[Data[position()=2]=3]]");
	must(&seen, "*[EventData/Data[@Name='Last']='']");
	/* Names have a case, what they are compared with has none. */
	must(&seen, "*[EventData/Data[@Name='last']]");
	must_not(&seen, "*[EventData/Data[@name='last']]");
	must_not(&seen, "*[eventdata]");
}

static void test_timediff_of_two_times(void **state)
{
	struct seen seen = built_event(*state, NULL, logon);

	/* b - a, in milliseconds. */
	must(&seen, "*[System/TimeCreated[timediff(@SystemTime, "
		    "'2022-11-20T10:00:01.5Z') = 1500]]");
	must(&seen, "*[System/TimeCreated[timediff('2022-11-20T10:00:01.5Z', "
		    "@SystemTime) = -1500]]");
	must(&seen, "*[System[timediff(TimeCreated/@SystemTime, "
		    "TimeCreated/@SystemTime) = 0]]");
	must(&seen, "*[System/TimeCreated[timediff(@SystemTime) = 3600000]]");
}

/* ------------------------------------------------------- header or event */

/* <Event><System><Level>0</Level></System>1</Event>, with two values. */
static struct seen level_event(void **state, uint16_t dependency, uint8_t type,
			       const void *data, size_t len)
{
	struct seen seen = {};
	struct maker m;
	struct buf doc;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "Level", dependency, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_leaf(&m, "Keywords", 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, type, data, len);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	make_value(&m, EVENT_TYPE_INT64, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
	make_document(&m, &doc);
	see(&seen, *state, &doc);
	return seen;
}

/* matches() asks with the header and without. */
static void test_the_header_answers_only_where_it_is_all(void **state)
{
	struct seen seen = level_event(state, EVENT_NO_DEPENDENCY,
				       EVENT_TYPE_UINT8, "\2", 1);

	must(&seen, "*[System[Level=2]]");
	must(&seen, "*[System[Level='02']]");
	/* What the header has as 2^64 - 1. */
	assert_true(seen.header.keywords == UINT64_MAX);
	must(&seen, "*[System[Keywords=-1]]");
	must_not(&seen, "*[System[Keywords=18446744073709551615]]");
	must(&seen, "*[System[band(Keywords,9223372036854775808)]]");

	/* The header has it, the event's XML does not. */
	seen = level_event(state, 1, EVENT_TYPE_UINT8, "\2", 1);
	assert_true((seen.header.has & EVENT_HAS_LEVEL) != 0);
	must_not(&seen, "*[System[Level=2]]");
	must_not(&seen, "*[System[Level]]");

	/* A string that is a number compares with quotes as a string. */
	seen = level_event(state, 0, EVENT_TYPE_STRING, "0\0002\0", 4);
	assert_true((seen.header.has & EVENT_HAS_LEVEL) != 0);
	must(&seen, "*[System[Level=2]]");
	must_not(&seen, "*[System[Level='2']]");
	must(&seen, "*[System[Level='02']]");
}

/* A second System: the header is silent about it. */
static void test_a_nested_system_is_seen_as_well(void **state)
{
	struct seen seen = {};
	struct maker outer, inner;
	struct buf doc, nested;

	make_start(&inner, *state, EVENT_READ_DEFINITION);
	make_open(&inner, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(&inner, EVENT_TOKEN_CLOSE_START);
	make_leaf(&inner, "Level", 0);
	make_kind(&inner, EVENT_TOKEN_END);
	make_value(&inner, EVENT_TYPE_UINT8, "\5", 1);
	make_document(&inner, &nested);

	make_start(&outer, *state, EVENT_READ_DEFINITION);
	make_open(&outer, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&outer, EVENT_TOKEN_CLOSE_START);
	make_open(&outer, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(&outer, EVENT_TOKEN_CLOSE_START);
	make_leaf(&outer, "Level", 0);
	make_kind(&outer, EVENT_TOKEN_END);
	make_subst(&outer, 1);
	make_kind(&outer, EVENT_TOKEN_END);
	make_value(&outer, EVENT_TYPE_UINT8, "\2", 1);
	make_value(&outer, EVENT_TYPE_BINXML, nested.data, nested.len);
	make_document(&outer, &doc);
	see(&seen, *state, &doc);

	must(&seen, "*[System[Level=2]]");
	must(&seen, "*[System[Level=5]]");
	must(&seen, "*[System[position()=2]/Level=5]");
	must_not(&seen, "*[System[Level=2 and Level=5]]");
}

static void test_a_hash_is_no_name(void **state)
{
	static const uint8_t wanted[] = {'w', 0, 'a', 0, 'n', 0,
					 't', 0, 'e', 0, 'd', 0};
	struct seen seen = built_event(*state, NULL, logon);
	struct event_filter *filter =
		compile(*state, "*[System/Provider[@Name='wanted']]");
	struct event_view view = view_of(&seen);

	/* As if two names had one hash. */
	seen.header.provider_hash = event_name_hash(wanted, 6);
	assert_false(event_filter_match(filter, &view));
}

/* ----------------------------------------------------------------- time */

static void check_range(void **state, const char *text, uint64_t want_min,
			uint64_t want_max)
{
	/* What timediff's doubles cannot say exactly. */
	const uint64_t slack = 1000;
	struct event_filter *filter = compile(*state, text);
	uint64_t min = 1, max = 1;

	event_filter_time_range(filter, NOW, &min, &max);
	if (min > want_min || want_min - min > slack || max < want_max ||
	    max - want_max > slack) {
		fail_msg("%s: %llu to %llu, not %llu to %llu", text,
			 (unsigned long long)min, (unsigned long long)max,
			 (unsigned long long)want_min,
			 (unsigned long long)want_max);
	}
}

#define AT "2022-11-20T10:00:00Z"
#define LATER "2022-11-20T11:00:00Z"
#define IN_TIME(test) "*[System[TimeCreated[" test "]]]"

static void test_bounds_of_time(void **state)
{
	check_range(state, "*", 0, UINT64_MAX);
	check_range(state, "*[System[Level=2]]", 0, UINT64_MAX);
	check_range(state, IN_TIME("@SystemTime>='" AT "'"), TIME, UINT64_MAX);
	check_range(state, IN_TIME("@SystemTime<'" AT "'"), 0, TIME);
	check_range(state, IN_TIME("@SystemTime='" AT "'"), TIME, TIME);
	check_range(state, IN_TIME("'" AT "'>=@SystemTime"), 0, TIME);
	check_range(state, IN_TIME("@SystemTime!='" AT "'"), 0, UINT64_MAX);
	check_range(state, IN_TIME("@SystemTime<'noon'"), 0, UINT64_MAX);
	check_range(
		state,
		IN_TIME("@SystemTime>='" AT "' and @SystemTime<'" LATER "'"),
		TIME, TIME + HOUR);
	check_range(state,
		    IN_TIME("@SystemTime>='" AT "']["
			    "@SystemTime<'" LATER "'"),
		    TIME, TIME + HOUR);
	check_range(state,
		    IN_TIME("@SystemTime='" AT "' or @SystemTime='" LATER "'"),
		    TIME, TIME + HOUR);
	check_range(state, IN_TIME("@SystemTime='" AT "' or @Other"), 0,
		    UINT64_MAX);
	check_range(state, "Event/System/TimeCreated/@SystemTime>'" AT "'",
		    TIME, UINT64_MAX);
	check_range(state,
		    "*[System[Level=2]]/System/TimeCreated[@SystemTime>'" AT
		    "']",
		    TIME, UINT64_MAX);
	check_range(state,
		    "*[System[Level=2 and TimeCreated[@SystemTime>'" AT
		    "']]] and *[EventData]",
		    TIME, UINT64_MAX);
	check_range(state,
		    "*[System[TimeCreated[@SystemTime>'" AT
		    "']]] or *[EventData]",
		    0, UINT64_MAX);
	/* Not the event's time. */
	check_range(state, "*[EventData/TimeCreated[@SystemTime>'" AT "']]", 0,
		    UINT64_MAX);
	/* A condition that is to be false bounds nothing. */
	check_range(state,
		    "*[(System/TimeCreated[@SystemTime>'" AT "'])='false' or "
		    "System]",
		    0, UINT64_MAX);
	check_range(state,
		    "*[(System/TimeCreated/@SystemTime>'" AT "')='false']", 0,
		    UINT64_MAX);
}

static void test_bounds_of_timediff(void **state)
{
	check_range(state, IN_TIME("timediff(@SystemTime) <= 3600000"), TIME,
		    UINT64_MAX);
	check_range(state, IN_TIME("timediff(@SystemTime) < 3600000"), TIME,
		    UINT64_MAX);
	check_range(state, IN_TIME("timediff(@SystemTime) >= 3600000"), 0,
		    TIME);
	check_range(state, IN_TIME("timediff(@SystemTime) = 3600000"), TIME,
		    TIME);
	check_range(state, IN_TIME("3600000 >= timediff(@SystemTime)"), TIME,
		    UINT64_MAX);
	check_range(state, IN_TIME("timediff(@SystemTime) != 3600000"), 0,
		    UINT64_MAX);
	check_range(state, IN_TIME("timediff(@SystemTime) <= 1e30"), 0,
		    UINT64_MAX);
	check_range(state, IN_TIME("timediff(@SystemTime) <= -3600000"),
		    TIME + 2 * HOUR, UINT64_MAX);
	check_range(state,
		    IN_TIME("timediff(@SystemTime, '" AT "') <= 3600000"), 0,
		    UINT64_MAX);
	check_range(state, "*[System[timediff(TimeCreated/@SystemTime) < 0]]",
		    NOW, UINT64_MAX);
}

static void test_never_true_is_an_empty_range(void **state)
{
	struct event_filter *filter =
		compile(*state, IN_TIME("@SystemTime>'" LATER
					"' and @SystemTime<'" AT "'"));
	uint64_t min = 0, max = 0;

	event_filter_time_range(filter, NOW, &min, &max);
	assert_true(min > max);
}

/* The bounds of one now are not those of the next. */
static void test_time_goes_on(void **state)
{
	struct seen seen = built_event(*state, NULL, logon);
	struct event_filter *filter =
		compile(*state, IN_TIME("timediff(@SystemTime) <= 3600000"));
	struct event_view view = view_of(&seen);

	assert_true(event_filter_match(filter, &view));
	view.now += WINTIME_SECOND;
	assert_false(event_filter_match(filter, &view));
	view.now -= WINTIME_SECOND;
	assert_true(event_filter_match(filter, &view));
}

/* -------------------------------------------------------------- templates */

/* <Event><Na>0</Na></Event>, n distinct of them. */
static struct seen numbered_event(void **state, struct event_dict *dict, int n)
{
	char name[32];
	struct seen seen = {.dict = dict};
	struct maker m;
	struct buf doc;

	snprintf(name, sizeof(name), "N%d", n);
	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_leaf(&m, name, 0);
	make_leaf(&m, "Value", 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_UINT8, "\7", 1);
	make_document(&m, &doc);
	see(&seen, *state, &doc);
	buf_free(&doc);
	return seen;
}

static void test_what_is_kept_of_templates_is_bounded(void **state)
{
	struct event_filter *filter = compile(
		*state, "*[Value=7 and (N17 or N1500 or N2999 or N4000)]");
	struct event_dict *dict = event_dict_create(*state, NULL);
	size_t most = 0;
	int found = 0;
	int i;

	for (i = 0; i < 3000; i++) {
		struct seen seen = numbered_event(state, dict, i);
		struct event_view view = view_of(&seen);
		bool want = i == 17 || i == 1500 || i == 2999;

		assert_true(event_filter_match(filter, &view) == want);
		assert_true(event_filter_match(filter, &view) == want);
		found += want;
		if (talloc_total_size(filter) > most) {
			most = talloc_total_size(filter);
		}
		TALLOC_FREE(seen.data);
	}
	assert_int_equal(found, 3);
	/* FILTER_PLANS_MAX of below 1 KiB each, and the table. */
	assert_true(most < 1200 * 1024);
}

static void test_a_template_that_is_gone_is_damage(void **state)
{
	struct seen seen = built_event(*state, NULL, logon);
	struct event_filter *filter = compile(
		*state, "*[EventData[Data[@Name='TargetUserName']='bob']]");
	struct event_view view = view_of(&seen);
	uint32_t no;

	assert_true(event_filter_match(filter, &view));
	for (no = 1; no < 10; no++) {
		event_dict_forget(seen.dict, no);
	}
	assert_int_equal(event_dict_count(seen.dict), 0);
	/* It may answer from what it has kept; not from memory that is gone. */
	(void)event_filter_match(filter, &view);
	TALLOC_FREE(filter);
	filter = compile(*state, "*[EventData]");
	assert_false(event_filter_match(filter, &view));
}

static void test_damage_matches_nothing(void **state)
{
	struct seen seen = built_event(*state, NULL, logon);
	struct event_view view = view_of(&seen);
	size_t len;

	for (len = 0; len < seen.len; len++) {
		struct event_filter *filter = compile(
			*state, "*[EventData[Data[@Name='LogonType']=3]]");

		view.len = len;
		view.data = talloc_memdup(*state, seen.data, len);
		assert_false(event_filter_match(filter, &view));
		TALLOC_FREE(filter);
	}
}

/* ------------------------------------------------------------------ limits */

/* <Event>, n times <Data>0</Data> */
static struct seen wide_event(void **state, int n)
{
	struct seen seen = {};
	struct maker m;
	struct buf doc;
	int i;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < n; i++) {
		make_leaf(&m, "Data", (uint16_t)i);
	}
	make_kind(&m, EVENT_TOKEN_END);
	for (i = 0; i < n; i++) {
		make_value(&m, EVENT_TYPE_STRING, "a\0", 2);
	}
	make_document(&m, &doc);
	see(&seen, *state, &doc);
	return seen;
}

static char *many_terms(TALLOC_CTX *mem_ctx, int n, const char *last)
{
	char *text = talloc_strdup(mem_ctx, "*[");
	int i;

	for (i = 0; i < n; i++) {
		text = talloc_asprintf_append_buffer(text, "Data='x%d' or ", i);
	}
	return talloc_asprintf_append_buffer(text, "%s]", last);
}

static void test_work_on_an_event_is_bounded(void **state)
{
	struct seen seen = wide_event(state, EVENT_VALUES_MAX);

	must(&seen, many_terms(*state, 100, "Data='a'"));
	/* Each term looks at each of the elements: 4 million. */
	must_not(&seen, many_terms(*state, 1000, "Data='a'"));
	/* The next event is another. */
	seen = wide_event(state, 10);
	must(&seen, many_terms(*state, 4000, "Data='a'"));
}

/* An array of a value's size in an element with an array, and so on. */
static void test_loops_in_loops_are_bounded(void **state)
{
	static uint8_t bytes[60000];
	struct seen seen = {};
	struct maker m;
	struct buf doc;
	int i;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < 4; i++) {
		make_open(&m, "Data", EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		make_subst(&m, (uint16_t)i);
	}
	for (i = 0; i < 5; i++) {
		make_kind(&m, EVENT_TOKEN_END);
	}
	for (i = 0; i < 4; i++) {
		make_value(&m, EVENT_TYPE_UINT8 | EVENT_TYPE_ARRAY, bytes,
			   sizeof(bytes));
	}
	make_document(&m, &doc);
	see(&seen, *state, &doc);
	must_not(&seen, "*[Data/Data/Data/Data=1]");
	must(&seen, "*[Data/Data/Data/Data='0']");
}

/* <A><A>...x...</A></A>, as deep as BinXML goes. */
static void test_the_deepest_event(void **state)
{
	struct seen seen = {};
	struct maker m;
	struct buf doc;
	char *text = talloc_strdup(*state, "*");
	int i;

	make_start(&m, *state, EVENT_READ_DOCUMENT);
	for (i = 0; i < EVENT_DEPTH_MAX; i++) {
		make_open(&m, i == 0 ? "Event" : "A", EVENT_NO_DEPENDENCY,
			  false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
	}
	make_text(&m, "x");
	for (i = 0; i < EVENT_DEPTH_MAX; i++) {
		make_kind(&m, EVENT_TOKEN_END);
	}
	make_document(&m, &doc);
	see(&seen, *state, &doc);
	must(&seen, "*='x'");
	for (i = 1; i < EVENT_DEPTH_MAX; i++) {
		text = talloc_strdup_append_buffer(text, "/A");
	}
	must(&seen, talloc_asprintf(*state, "%s/text()='x'", text));
	must_not(&seen, talloc_asprintf(*state, "%s/A", text));
}

/* BinXml in BinXml, each with a template of its own. */
static void test_the_deepest_nesting(void **state)
{
	char *text = talloc_strdup(*state, "*");
	struct seen seen = {};
	struct buf doc;
	struct maker m;
	int i;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_leaf(&m, "A", 0);
	make_string(&m, "x");
	make_document(&m, &doc);
	for (i = 1; i < 30; i++) {
		struct buf inner = doc;

		make_start(&m, *state, EVENT_READ_DEFINITION);
		make_leaf(&m, i == 29 ? "Event" : "A", 0);
		make_value(&m, EVENT_TYPE_BINXML, inner.data, inner.len);
		make_document(&m, &doc);
		text = talloc_strdup_append_buffer(text, "/A");
	}
	see(&seen, *state, &doc);
	must(&seen, talloc_asprintf(*state, "%s='x'", text));
	must(&seen, "*='x'");
	must_not(&seen, talloc_asprintf(*state, "%s/A", text));
}

static void test_everything_matches_all(void **state)
{
	assert_true(event_filter_matches_all(compile(*state, "")));
	assert_true(event_filter_matches_all(compile(*state, "*")));
	assert_true(event_filter_matches_all(compile(*state, "Event")));
	assert_false(event_filter_matches_all(compile(*state, "*[System]")));
	assert_int_equal(event_filter_terms(compile(*state, "*")), 0);
	assert_int_equal(event_filter_terms(compile(*state, "*[a=1]")), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_integers_compare_exactly),
		leak_test(test_doubles_compare_as_doubles),
		leak_test(test_booleans_are_true_or_false),
		leak_test(test_guids_and_sids_compare_as_such),
		leak_test(test_times_compare_as_times),
		leak_test(test_strings_compare_without_case),
		leak_test(test_numbers_in_strings),
		leak_test(test_what_is_missing_compares_with_nothing),
		leak_test(test_an_array_is_as_many_elements),
		leak_test(test_filters_of_windows_tools),
		leak_test(test_timediff_of_two_times),
		leak_test(test_the_header_answers_only_where_it_is_all),
		leak_test(test_a_nested_system_is_seen_as_well),
		leak_test(test_a_hash_is_no_name),
		leak_test(test_bounds_of_time),
		leak_test(test_bounds_of_timediff),
		leak_test(test_never_true_is_an_empty_range),
		leak_test(test_time_goes_on),
		leak_test(test_what_is_kept_of_templates_is_bounded),
		leak_test(test_a_template_that_is_gone_is_damage),
		leak_test(test_damage_matches_nothing),
		leak_test(test_work_on_an_event_is_bounded),
		leak_test(test_loops_in_loops_are_bounded),
		leak_test(test_the_deepest_event),
		leak_test(test_the_deepest_nesting),
		leak_test(test_everything_matches_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
