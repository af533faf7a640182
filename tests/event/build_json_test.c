/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/build.h"
#include "event/event.h"

#include <string.h>

static const struct event_system defaults = {
	.provider = "Default-Provider",
	.channel = "Application",
	.computer = "host.example",
	.level = 4,
	.keywords = 0x8000000000000000,
	.time_created = 133444736000000000,
};

/* Built, packed and rendered; the text is a child of mem_ctx. */
static char *render(TALLOC_CTX *mem_ctx, const char *json, bool xml)
{
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;
	struct buf doc, out;
	char *message = NULL;
	everr_t err;

	buf_init(&doc, mem_ctx, 1 << 20);
	buf_init(&out, mem_ctx, 1 << 20);
	err = event_build_json(mem_ctx, &doc, json, strlen(json), &defaults,
			       &message);
	if (err != EVERR_OK) {
		fail_msg("%s: %s: %s", everr_name(err), message, json);
	}
	assert_int_equal(event_pack(packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	if (xml) {
		err = event_render_xml(&out, dict, packed.data, packed.len,
				       NULL);
	} else {
		err = event_render_json(&out, dict, packed.data, packed.len);
	}
	assert_int_equal(err, EVERR_OK);
	buf_put_u8(&out, '\0');
	return (char *)out.data;
}

static void assert_refused(TALLOC_CTX *mem_ctx, const char *json, everr_t want,
			   const char *message_part)
{
	struct buf doc;
	char *message = NULL;
	everr_t err;

	buf_init(&doc, mem_ctx, 1 << 20);
	err = event_build_json(mem_ctx, &doc, json, strlen(json), &defaults,
			       &message);
	if (err != want || message == NULL ||
	    strstr(message, message_part) == NULL) {
		fail_msg("%s: %s: %s", everr_name(err), message, json);
	}
	assert_int_equal(doc.len, 0);
	TALLOC_FREE(message);
}

#define FULL                                                                 \
	"{\"System\":{\"Provider\":{\"Name\":\"P\","                         \
	"\"Guid\":\"{11111111-2222-3333-4444-555555555555}\"},"              \
	"\"EventID\":{\"Qualifiers\":16384,\"#text\":7036},\"Version\":1,"   \
	"\"Level\":2,\"Task\":3,\"Opcode\":4,"                               \
	"\"Keywords\":\"0x80000000000000\",\"TimeCreated\":{"                \
	"\"SystemTime\":\"2023-11-14T22:13:20.1234567Z\"},"                  \
	"\"EventRecordID\":77,\"Correlation\":{"                             \
	"\"ActivityID\":\"{00000000-0000-0000-0000-000000000001}\","         \
	"\"RelatedActivityID\":\"{00000000-0000-0000-0000-000000000002}\"}," \
	"\"Execution\":{\"ProcessID\":5,\"ThreadID\":6},"                    \
	"\"Channel\":\"C\",\"Computer\":\"K\","                              \
	"\"Security\":{\"UserID\":\"S-1-5-18\"}},"                           \
	"\"EventData\":{\"User\":\"b\\\"ob\\n\",\"Port\":445,\"Delta\":-3,"  \
	"\"Yes\":true,\"Nothing\":null,\"Empty\":\"\"}}"

/* Every field of System, and data whose JSON types say enough. */
static void test_what_is_rendered_is_built_and_rendered_again(void **state)
{
	char *once = render(*state, FULL, false);

	assert_string_equal(once, FULL);
	assert_string_equal(render(*state, once, false), FULL);
}

static void test_defaults_fill_what_is_missing(void **state)
{
	assert_string_equal(
		render(*state, "{\"EventData\":{\"a\":1}}", true),
		"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/"
		"event'><System><Provider Name='Default-Provider'/><EventID>0"
		"</EventID><Version>0</Version><Level>4</Level><Task>0</Task>"
		"<Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>"
		"<TimeCreated SystemTime='2023-11-14T22:13:20.0000000Z'/>"
		"<EventRecordID>0</EventRecordID><Correlation/><Execution "
		"ProcessID='0' ThreadID='0'/><Channel>Application</Channel>"
		"<Computer>host.example</Computer><Security/></System>"
		"<EventData><Data Name='a'>1</Data></EventData></Event>");
}

static void test_short_forms_of_system(void **state)
{
	char *xml = render(*state,
			   "{\"System\":{\"Provider\":\"Short\","
			   "\"EventID\":\"42\",\"Keywords\":1,"
			   "\"TimeCreated\":\"2000-01-01T00:00:00Z\","
			   "\"Correlation\":null,\"Security\":null}}",
			   true);

	assert_non_null(strstr(xml, "<Provider Name='Short'/>"
				    "<EventID>42</EventID>"));
	assert_non_null(strstr(xml, "<Keywords>0x1</Keywords>"));
	assert_non_null(strstr(xml, "'2000-01-01T00:00:00.0000000Z'"));
}

static void test_types_that_are_said(void **state)
{
	char *xml = render(*state,
			   "{\"EventData\":{"
			   "\"a\":{\"type\":\"UInt32\",\"value\":7},"
			   "\"b\":{\"type\":\"HexInt64\",\"value\":\"0xAB\"},"
			   "\"c\":{\"type\":\"win:Binary\",\"value\":\"00ff\"},"
			   "\"d\":{\"type\":\"Boolean\",\"value\":false},"
			   "\"e\":{\"type\":\"Double\",\"value\":0.5},"
			   "\"f\":{\"type\":\"SID\",\"value\":\"S-1-1-0\"},"
			   "\"g\":{\"type\":\"FILETIME\",\"value\":\"2000-01-"
			   "01T00:00:00\"}"
			   ",\"h\":2.5,\"i\":9223372036854775807}}",
			   true);

	assert_non_null(strstr(
		xml, "<Data Name='a'>7</Data><Data Name='b'>0xab</Data>"
		     "<Data Name='c'>00FF</Data><Data Name='d'>false</Data>"
		     "<Data Name='e'>0.500000</Data>"
		     "<Data Name='f'>S-1-1-0</Data>"
		     "<Data Name='g'>2000-01-01T00:00:00.0000000Z</Data>"
		     "<Data Name='h'>2.500000</Data>"
		     "<Data Name='i'>9223372036854775807</Data>"));
}

static void test_lists_are_repeated_or_unnamed_data(void **state)
{
	char *xml = render(*state,
			   "{\"EventData\":{\"x\":[\"1\",2],\"Data\":[\"p\","
			   "{\"type\":\"HexInt32\",\"value\":3}]}}",
			   true);

	assert_non_null(strstr(xml, "<EventData><Data Name='x'>1</Data>"
				    "<Data Name='x'>2</Data><Data>p</Data>"
				    "<Data>0x3</Data></EventData>"));
}

/* As event_render_json() tells them from texts and attributes. */
static void test_names_that_begin_twice_begin_once(void **state)
{
	static const char data[] =
		"\"EventData\":{\"@@x\":1,\"@@@y\":2,\"##text\":3,"
		"\"###text\":4,\"##texts\":5}}";
	char *json = talloc_asprintf(*state, "{%s", data);
	char *xml = render(*state, json, true);

	assert_non_null(strstr(xml, "<EventData><Data Name='@x'>1</Data>"
				    "<Data Name='@@y'>2</Data>"
				    "<Data Name='#text'>3</Data>"
				    "<Data Name='##text'>4</Data>"
				    "<Data Name='##texts'>5</Data>"));
	assert_non_null(strstr(render(*state, json, false), data));
	/* Written by hand they mean the same. */
	assert_non_null(strstr(
		render(*state, "{\"EventData\":{\"@x\":1,\"#text\":2}}", true),
		"<EventData><Data Name='@x'>1</Data>"
		"<Data Name='#text'>2</Data>"));
}

static void test_a_refusal_names_the_place(void **state)
{
	static const struct {
		const char *json;
		const char *message;
	} cases[] = {
		{"", "line 1"},
		{"{\"System\":{}\n,}", "line 2"},
		{"[]", "the event: not an object"},
		{"{\"a\":1,\"a\":2}", "line 1"},
		{"{\"Systen\":{}}", "\"Systen\" is not known"},
		{"{\"UserData\":{}}", "\"UserData\" is not known"},
		{"{\"System\":5}", "System: not an object"},
		{"{\"System\":{\"Evnt\":1}}", "System: \"Evnt\""},
		{"{\"System\":{\"EventID\":65536}}",
		 "System.EventID: not a number from 0 to 65535"},
		{"{\"System\":{\"EventID\":-1}}", "System.EventID"},
		{"{\"System\":{\"EventID\":\"x\"}}", "System.EventID"},
		{"{\"System\":{\"Level\":256}}",
		 "System.Level: not a number from 0 to 255"},
		{"{\"System\":{\"Channel\":5}}",
		 "System.Channel: not a string"},
		{"{\"System\":{\"Provider\":{\"Guid\":\"x\"}}}",
		 "System.Provider.Guid: not a GUID"},
		{"{\"System\":{\"Correlation\":7}}",
		 "System.Correlation: not an object"},
		{"{\"System\":{\"TimeCreated\":\"now\"}}",
		 "System.TimeCreated.SystemTime: not a time"},
		{"{\"System\":{\"Security\":{\"UserID\":\"root\"}}}",
		 "System.Security.UserID: not a SID"},
		{"{\"EventData\":[]}", "EventData: not an object"},
		{"{\"EventData\":{\"x\":{\"y\":1}}}",
		 "EventData.x: an object with"},
		{"{\"EventData\":{\"x\":{\"type\":\"Int\",\"value\":1}}}",
		 "EventData.x: there is no such type"},
		{"{\"EventData\":{\"x\":{\"type\":\"UInt8\",\"value\":256}}}",
		 "EventData.x: not a value of type UInt8"},
		{"{\"EventData\":{\"x\":[[1]]}}", "EventData.x: not a value"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_refused(*state, cases[i].json, EVERR_TEXT,
			       cases[i].message);
	}
	assert_refused(*state, "{\"System\":{\"Channel\":\"\"}}", EVERR_INVALID,
		       "Channel");
}

static void test_too_many_and_too_long(void **state)
{
	char *many = talloc_strdup(*state, "{\"EventData\":{\"x\":[");
	char *longer = talloc_array(*state, char, 32769);
	int i;

	for (i = 0; i <= EVENT_BUILD_DATA_MAX; i++) {
		many = talloc_asprintf_append_buffer(many, "%s1",
						     i > 0 ? "," : "");
	}
	many = talloc_strdup_append_buffer(many, "]}}");
	assert_refused(*state, many, EVERR_TEXT, "too many values");

	memset(longer, 'x', 32768);
	longer[32768] = '\0';
	assert_refused(*state,
		       talloc_asprintf(*state, "{\"EventData\":{\"x\":\"%s\"}}",
				       longer),
		       EVERR_TEXT, "EventData.x: longer than 65535 bytes");
}

/* Each value has 40,000 bytes in UTF-16; none is to blame alone. */
static void test_data_too_large_together(void **state)
{
	char *value = talloc_zero_array(*state, char, 20001);
	char *json = talloc_strdup(*state, "{\"EventData\":{\"x\":[1");
	int i;

	memset(value, 'x', 20000);
	for (i = 0; i < 40; i++) {
		json = talloc_asprintf_append_buffer(json, ",\"%s\"", value);
		if (i == 1) {
			assert_refused(*state,
				       talloc_asprintf(*state, "%s]}}", json),
				       EVERR_EVENT_DATA_SIZE, "65,535 bytes");
		}
	}
	assert_refused(*state, talloc_asprintf(*state, "%s]}}", json),
		       EVERR_TEXT, "EventData: the event's data");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_is_rendered_is_built_and_rendered_again),
		leak_test(test_defaults_fill_what_is_missing),
		leak_test(test_short_forms_of_system),
		leak_test(test_types_that_are_said),
		leak_test(test_lists_are_repeated_or_unnamed_data),
		leak_test(test_names_that_begin_twice_begin_once),
		leak_test(test_a_refusal_names_the_place),
		leak_test(test_too_many_and_too_long),
		leak_test(test_data_too_large_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
