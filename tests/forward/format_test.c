/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/event/make.h"

#include "base/wintime.h"
#include "event/build.h"
#include "forward/format.h"

#define CREATED 133444736001234567ULL  /* 2023-11-14T22:13:20.1234567Z */
#define RECEIVED 133444736010000000ULL /* 2023-11-14T22:13:21.0000000Z */

/* One output with a dictionary of its own. */
struct fixture {
	TALLOC_CTX *mem_ctx;
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_packed packed;
	struct forward_config config;
	struct forward_format *format;
	struct forward_event event;
	struct buf out;
	uint32_t marks;
};

static void fixture_init(struct fixture *f, TALLOC_CTX *mem_ctx,
			 enum forward_format_kind kind)
{
	*f = (struct fixture){.mem_ctx = mem_ctx};
	f->dict = event_dict_create(mem_ctx, NULL);
	f->packer = event_packer_create(mem_ctx, f->dict);
	f->config = (struct forward_config){
		.format = kind,
		.facility = 16,
		.sd_id = "evenlog@32473",
		.max_message = 65536,
	};
	assert_int_equal(forward_format_create(mem_ctx, &f->config,
					       "collector.example.com", f->dict,
					       NULL, &f->format),
			 EVERR_OK);
	buf_init(&f->out, mem_ctx, 1 << 24);
	f->event = (struct forward_event){
		.channel = "Application",
		.record_id = 7,
		.received = RECEIVED,
		.header = &f->packed.header,
	};
}

static const struct event_system typical_system = {
	.provider = "Sample Provider",
	.event_id = 4625,
	.level = 3,
	.keywords = 0x8020000000000000,
	.time_created = CREATED,
	.process_id = 700,
	.thread_id = 804,
	.channel = "Application",
	.computer = "server.example.com",
	.record_id = 7,
};

/* Names and strings alternate. */
static void build(struct fixture *f, const struct event_system *system,
		  const char *const *texts, size_t num_data)
{
	struct event_data data[16];
	struct buf doc;
	size_t i;

	assert_true(num_data <= 16);
	for (i = 0; i < num_data; i++) {
		struct buf value;

		buf_init(&value, f->mem_ctx, EVENT_VALUE_MAX);
		assert_int_equal(text_utf8_to_utf16(&value, texts[2 * i + 1],
						    strlen(texts[2 * i + 1])),
				 EVERR_OK);
		data[i] = (struct event_data){.name = texts[2 * i],
					      .type = EVENT_TYPE_STRING,
					      .value = value.data,
					      .len = value.len};
	}
	buf_init(&doc, f->mem_ctx, EVENT_WIRE_MAX);
	assert_int_equal(event_build(&doc, system, data, num_data), EVERR_OK);
	assert_int_equal(event_pack(f->packer, doc.data, doc.len, &f->packed),
			 EVERR_OK);
	f->event.data = f->packed.data;
	f->event.len = f->packed.len;
}

static const char *format(struct fixture *f)
{
	buf_reset(&f->out);
	assert_int_equal(
		forward_format_event(f->format, &f->out, &f->event, &f->marks),
		EVERR_OK);
	buf_put_u8(&f->out, 0);
	return (const char *)f->out.data;
}

static void test_rfc5424_has_all_fields(void **state)
{
	static const char *const texts[] = {"User", "bob", "Port", "445"};
	struct fixture f;

	fixture_init(&f, *state, FORWARD_RFC5424);
	build(&f, &typical_system, texts, 2);
	assert_string_equal(
		format(&f),
		"<132>1 2023-11-14T22:13:20.123456Z server.example.com "
		"Sample_Provider 700 4625 "
		"[evenlog@32473 channel=\"Application\" recordId=\"7\" "
		"provider=\"Sample Provider\" eventId=\"4625\" version=\"0\" "
		"level=\"3\" task=\"0\" opcode=\"0\" "
		"keywords=\"0x8020000000000000\" "
		"time=\"2023-11-14T22:13:20.1234567Z\" "
		"received=\"2023-11-14T22:13:21.0000000Z\" processId=\"700\" "
		"threadId=\"804\"]"
		"[evenlog-data@32473 User=\"bob\" Port=\"445\"] "
		"Sample Provider event 4625");
	assert_int_equal(f.marks, 0);
}

static void test_json_wraps_the_event(void **state)
{
	static const char *const texts[] = {"User", "bob\x7F"};
	struct fixture f;

	fixture_init(&f, *state, FORWARD_JSON);
	f.event.origin = "dc1";
	f.event.origin_mark = "verified";
	build(&f, &typical_system, texts, 1);
	assert_string_equal(
		format(&f),
		"{\"channel\":\"Application\",\"recordId\":7,"
		"\"received\":\"2023-11-14T22:13:21.0000000Z\","
		"\"origin\":\"dc1\",\"originMark\":\"verified\",\"event\":{"
		"\"System\":{\"Provider\":{\"Name\":\"Sample Provider\"},"
		"\"EventID\":4625,\"Version\":0,\"Level\":3,\"Task\":0,"
		"\"Opcode\":0,\"Keywords\":\"0x8020000000000000\","
		"\"TimeCreated\":{\"SystemTime\":"
		"\"2023-11-14T22:13:20.1234567Z\"},\"EventRecordID\":7,"
		"\"Correlation\":null,\"Execution\":{\"ProcessID\":700,"
		"\"ThreadID\":804},\"Channel\":\"Application\","
		"\"Computer\":\"server.example.com\",\"Security\":null},"
		"\"EventData\":{\"User\":\"bob\\u007f\"}}}");
}

static void test_level_and_audit_failure_make_the_severity(void **state)
{
	static const struct {
		uint8_t level;
		uint64_t keywords;
		const char *pri;
	} cases[] = {{0, 0, "<134>"}, {1, 0, "<130>"},
		     {2, 0, "<131>"}, {3, 0, "<132>"},
		     {4, 0, "<134>"}, {5, 0, "<135>"},
		     {9, 0, "<134>"}, {0, 0x8010000000000000, "<133>"}};
	struct fixture f;
	size_t i;

	fixture_init(&f, *state, FORWARD_RFC5424);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_system system = typical_system;

		system.level = cases[i].level;
		system.keywords = cases[i].keywords;
		build(&f, &system, NULL, 0);
		assert_memory_equal(format(&f), cases[i].pri, 5);
	}
}

/* One message, with line ends and what is not ASCII. */
static const char manifest_xml[] =
	"<instrumentationManifest><instrumentation><events>"
	"<provider name='Sample Provider' "
	"guid='{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}'>"
	"<events><event value='4625' message='$(string.S)'/></events>"
	"</provider></events></instrumentation><localization>"
	"<resources culture='en-US'><stringTable>"
	"<string id='S' value='%1 failed.%n%n%t&#176; %2'/>"
	"</stringTable></resources></localization></instrumentationManifest>";

/* The same with ASCII only. */
static const char ascii_manifest_xml[] =
	"<instrumentationManifest><instrumentation><events>"
	"<provider name='Sample Provider' "
	"guid='{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}'>"
	"<events><event value='4625' message='$(string.S)'/></events>"
	"</provider></events></instrumentation><localization>"
	"<resources culture='en-US'><stringTable>"
	"<string id='S' value='%1 failed.'/>"
	"</stringTable></resources></localization></instrumentationManifest>";

static void use_manifest(struct fixture *f, const char *xml)
{
	struct event_catalog *catalog = event_catalog_create(f->mem_ctx);
	struct event_manifest_error error;
	struct event_manifest *manifest = NULL;
	const char *name = NULL;

	assert_int_equal(event_manifest_parse(catalog, "test",
					      (const uint8_t *)xml, strlen(xml),
					      &manifest, &error),
			 EVERR_OK);
	assert_int_equal(event_catalog_add(catalog, manifest, &name), EVERR_OK);
	TALLOC_FREE(f->format);
	assert_int_equal(forward_format_create(f->mem_ctx, &f->config, "c",
					       f->dict, catalog, &f->format),
			 EVERR_OK);
}

static void test_a_known_publishers_message_is_msg(void **state)
{
	static const char *const texts[] = {"User", "bob", "Where", "a\nb"};
	const char *line = NULL;
	struct fixture f;

	fixture_init(&f, *state, FORWARD_RFC5424);
	use_manifest(&f, manifest_xml);
	build(&f, &typical_system, texts, 2);
	line = format(&f);
	assert_string_equal(strstr(line, "] ") + 2, "\xEF\xBB\xBF"
						    "bob failed. \xC2\xB0 a b");
	assert_int_equal(f.marks, 0);
}

static void test_a_message_in_json_keeps_its_lines(void **state)
{
	static const char *const texts[] = {"User", "b\"b", "Where", "x"};
	struct fixture f;

	fixture_init(&f, *state, FORWARD_JSON);
	use_manifest(&f, manifest_xml);
	build(&f, &typical_system, texts, 2);
	assert_non_null(strstr(format(&f),
			       "},\"message\":\"b\\\"b failed.\\r\\n\\r\\n"
			       "\\t\xC2\xB0 x\"}"));
}

static void test_a_damaged_event_is_its_header(void **state)
{
	static const char *const expected[] = {
		"<132>1 2023-11-14T22:13:20.123456Z collector.example.com - - "
		"4625 [evenlog@32473 marks=\"damaged\" "
		"channel=\"Application\" recordId=\"7\" eventId=\"4625\" "
		"version=\"0\" level=\"3\" task=\"0\" opcode=\"0\" "
		"keywords=\"0x8020000000000000\" "
		"time=\"2023-11-14T22:13:20.1234567Z\" "
		"received=\"2023-11-14T22:13:21.0000000Z\"] event 4625",
		"<132>1 2023-11-14T22:13:20.123456Z collector.example.com - - "
		"4625 [evenlog@32473 channel=\"Application\" "
		"recordId=\"7\"] {\"marks\":[\"damaged\"],"
		"\"channel\":\"Application\",\"recordId\":7,"
		"\"received\":\"2023-11-14T22:13:21.0000000Z\",\"event\":"
		"{\"System\":{\"EventID\":4625,\"Version\":0,\"Level\":3,"
		"\"Task\":0,\"Opcode\":0,"
		"\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":"
		"{\"SystemTime\":\"2023-11-14T22:13:20.1234567Z\"}}}}",
		"<132>Nov 14 22:13:20 collector.example.com event: "
		"marks=\"damaged\" msg=\"event 4625\" "
		"channel=\"Application\" recordId=\"7\" eventId=\"4625\" "
		"version=\"0\" level=\"3\" task=\"0\" opcode=\"0\" "
		"keywords=\"0x8020000000000000\" "
		"time=\"2023-11-14T22:13:20.1234567Z\" "
		"received=\"2023-11-14T22:13:21.0000000Z\""};
	uint32_t kind;

	for (kind = FORWARD_RFC5424; kind <= FORWARD_RFC3164; kind++) {
		struct fixture f;

		fixture_init(&f, *state, kind);
		build(&f, &typical_system, NULL, 0);
		f.event.len /= 2;
		assert_string_equal(format(&f), expected[kind]);
		assert_int_equal(f.marks, FORWARD_DAMAGED);
	}
}

static void test_a_gap_says_what_is_missing(void **state)
{
	static const char *const expected[] = {
		"<132>1 2023-11-14T22:13:21.000000Z collector.example.com "
		"evenlog - gap [evenlog@32473 channel=\"A\" gapFirst=\"1\" "
		"gapLast=\"9\" gapMissing=\"8\" gapExact=\"exact\" "
		"gapCause=\"trimmed\"] "
		"8 events of channel A are missing, records 1 to 9: trimmed",
		"<132>1 2023-11-14T22:13:21.000000Z collector.example.com "
		"evenlog - gap [evenlog@32473 channel=\"A\"] "
		"{\"channel\":\"A\","
		"\"received\":\"2023-11-14T22:13:21.0000000Z\",\"gap\":"
		"{\"first\":1,\"last\":9,\"missing\":8,\"exact\":\"exact\","
		"\"cause\":\"trimmed\"},\"message\":\"8 events of channel A "
		"are missing, records 1 to 9: trimmed\"}",
		"<132>Nov 14 22:13:21 collector.example.com evenlog: "
		"msg=\"8 events of channel A are missing, records 1 to 9: "
		"trimmed\" channel=\"A\" gapFirst=\"1\" gapLast=\"9\" "
		"gapMissing=\"8\" gapExact=\"exact\" gapCause=\"trimmed\""};
	const struct forward_gap gap = {
		.first = 1, .last = 9, .missing = 8, .cause = "trimmed"};
	uint32_t kind;

	for (kind = FORWARD_RFC5424; kind <= FORWARD_RFC3164; kind++) {
		struct fixture f;

		fixture_init(&f, *state, kind);
		assert_int_equal(forward_format_gap(f.format, &f.out, "A", &gap,
						    RECEIVED),
				 EVERR_OK);
		buf_put_u8(&f.out, 0);
		assert_string_equal((const char *)f.out.data, expected[kind]);
	}
}

static void test_what_has_no_room_leaves_out_as_it_was(void **state)
{
	struct fixture f;
	struct buf small;

	fixture_init(&f, *state, FORWARD_RFC5424);
	build(&f, &typical_system, NULL, 0);
	buf_init(&small, f.mem_ctx, 100);
	buf_put(&small, "before", 6);
	assert_int_equal(
		forward_format_event(f.format, &small, &f.event, &f.marks),
		EVERR_LIMIT);
	assert_int_equal(small.len, 6);
}

/* 2,500 templates, each seen twice: more than are remembered. */
static void test_forgotten_templates_are_learnt_again(void **state)
{
	struct fixture f;
	unsigned int i;

	fixture_init(&f, *state, FORWARD_RFC5424);
	for (i = 0; i < 5000; i++) {
		char name[32], want[64];
		const char *const texts[] = {name, "v"};
		TALLOC_CTX *tmp_ctx = talloc_new(f.mem_ctx);
		TALLOC_CTX *mem_ctx = f.mem_ctx;

		snprintf(name, sizeof(name), "Name%u", i % 2500);
		snprintf(want, sizeof(want), "[evenlog-data@32473 %s=\"v\"]",
			 name);
		f.mem_ctx = tmp_ctx;
		build(&f, &typical_system, texts, 1);
		f.mem_ctx = mem_ctx;
		assert_non_null(strstr(format(&f), want));
		talloc_free(tmp_ctx);
	}
}

/* A new definition never has the number of one that is gone. */
static void test_a_removed_templates_names_are_not_anothers(void **state)
{
	static const char *const one[] = {"One", "1"};
	static const char *const two[] = {"Two", "2"};
	struct fixture f;
	uint32_t no;

	fixture_init(&f, *state, FORWARD_RFC5424);
	build(&f, &typical_system, one, 1);
	assert_non_null(strstr(format(&f), "One=\"1\""));
	for (no = 1; no < event_dict_next_no(f.dict); no++) {
		event_dict_forget(f.dict, no);
	}
	build(&f, &typical_system, two, 1);
	assert_non_null(strstr(format(&f), "Two=\"2\""));
}

/* A text of n times c. */
static char *repeat(TALLOC_CTX *mem_ctx, char c, size_t n)
{
	char *text = talloc_array(mem_ctx, char, n + 1);

	assert_non_null(text);
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

static void test_the_least_length_holds_any_names(void **state)
{
	uint32_t kind;

	for (kind = FORWARD_RFC5424; kind <= FORWARD_JSON; kind++) {
		struct event_system system = typical_system;
		struct fixture f;
		const char *line = NULL;

		fixture_init(&f, *state, kind);
		f.config.max_message = FORWARD_MESSAGE_MIN;
		TALLOC_FREE(f.format);
		assert_int_equal(forward_format_create(f.mem_ctx, &f.config,
						       "c", f.dict, NULL,
						       &f.format),
				 EVERR_OK);
		system.provider = repeat(f.mem_ctx, '"', 20000);
		system.computer = repeat(f.mem_ctx, 'x', 20000);
		f.event.channel = repeat(f.mem_ctx, ']', 255);
		f.event.origin = repeat(f.mem_ctx, '\\', 300);
		build(&f, &system, NULL, 0);
		line = format(&f);
		assert_in_range(strlen(line), 400, FORWARD_MESSAGE_MIN);
		assert_true((f.marks & FORWARD_CUT) != 0);
		assert_true(text_utf8_valid(line, strlen(line)));
		assert_non_null(strstr(line, "cut"));
	}
}

/* RFC 5424 6.4: MSG that is not ASCII begins with the BOM, cut or not. */
static void test_a_message_that_is_cut_has_its_bom(void **state)
{
	const char *texts[] = {"User", NULL, "Where", "x"};
	const char *msg = NULL;
	struct fixture f;

	fixture_init(&f, *state, FORWARD_RFC5424);
	f.config.max_message = 2048;
	use_manifest(&f, ascii_manifest_xml);
	texts[1] = repeat(f.mem_ctx, 'a', 5000);
	build(&f, &typical_system, texts, 2);
	msg = strstr(format(&f), "\"] ");
	assert_non_null(msg);
	assert_memory_equal(msg + 3,
			    "\xEF\xBB\xBF"
			    "aaa",
			    6);
	assert_string_equal(msg + strlen(msg) - 4, "a\xE2\x80\xA6");
	assert_in_range(f.out.len - 1, 1500, 2048);
	assert_int_equal(f.marks, FORWARD_CUT);
}

/* A receiver takes a HOSTNAME of RFC 3164 with ':' or '[' for the TAG. */
static void test_a_computers_name_is_no_tag(void **state)
{
	static const char *const hosts[][2] = {
		{"sshd[1]:x", "sshd_1__x"},
		{"a:b", "a_b"},
		{"a/b@c]", "a_b_c_"},
		{"srv-1.example_2.com", "srv-1.example_2.com"},
	};
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct event_system system = typical_system;
		struct fixture f;
		char want[64];

		fixture_init(&f, *state, FORWARD_RFC3164);
		system.computer = hosts[i][0];
		build(&f, &system, NULL, 0);
		snprintf(want, sizeof(want),
			 "<132>Nov 14 22:13:20 %s SampleProvider[700]: ",
			 hosts[i][1]);
		assert_memory_equal(format(&f), want, strlen(want));
		assert_int_equal(f.marks, strcmp(hosts[i][0], hosts[i][1]) != 0
						  ? FORWARD_REPLACED
						  : 0);
	}
}

/* Two publishers of one name, which the catalog knows by another. */
static void test_a_message_is_of_the_providers_guid(void **state)
{
	static const char *const texts[] = {"User", "bob"};
	struct ev_guid guids[2] = {};
	struct event_system system = typical_system;
	struct fixture f;
	unsigned int i;

	fixture_init(&f, *state, FORWARD_RFC5424);
	use_manifest(&f, ascii_manifest_xml);
	assert_int_equal(ev_guid_parse("{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}",
				       &guids[1]),
			 EVERR_OK);
	system.provider = "Other";
	for (i = 0; i < 6; i++) {
		system.provider_guid = i % 3 == 2 ? NULL : &guids[i % 3];
		build(&f, &system, texts, 1);
		assert_non_null(
			strstr(format(&f), i % 3 == 1 ? "] bob failed."
						      : "] Other event 4625"));
	}
}

/* Where the dictionary has no room an event is a document. */
static void test_a_document_has_its_message(void **state)
{
	static const struct event_dict_limits none = {0};
	static const char *const texts[] = {"User", "bob"};
	struct fixture f;

	fixture_init(&f, *state, FORWARD_RFC5424);
	f.dict = event_dict_create(f.mem_ctx, &none);
	f.packer = event_packer_create(f.mem_ctx, f.dict);
	use_manifest(&f, ascii_manifest_xml);
	build(&f, &typical_system, texts, 1);
	assert_int_equal(event_dict_count(f.dict), 0);
	assert_non_null(strstr(format(&f), "User=\"bob\"] bob failed."));
}

static void end_data(struct fixture *f, struct maker *m)
{
	struct buf doc;

	make_kind(m, EVENT_TOKEN_END);
	make_kind(m, EVENT_TOKEN_END);
	make_document(m, &doc);
	assert_int_equal(event_pack(f->packer, doc.data, doc.len, &f->packed),
			 EVERR_OK);
	f->event.data = f->packed.data;
	f->event.len = f->packed.len;
}

/* As an event that was read from XML has it, and one that has nonsense. */
static void test_a_process_in_text_is_procid(void **state)
{
	static const char *const ids[][2] = {
		{"700", " 700 - "},	  {"", " - - "},
		{"0x2bc", " - - "},	  {"7 0", " - - "},
		{"70000000000", " - - "},
	};
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct fixture f;
		struct maker m;

		fixture_init(&f, *state, FORWARD_RFC5424);
		make_start(&m, f.mem_ctx, EVENT_READ_DOCUMENT);
		make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		make_open(&m, "System", EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		make_open(&m, "Execution", EVENT_NO_DEPENDENCY, true);
		make_attribute(&m, "ProcessID");
		make_text(&m, ids[i][0]);
		make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
		end_data(&f, &m);
		assert_non_null(strstr(format(&f), ids[i][1]));
	}
}

/* All names of doc/forward-formats.md, in one list with the event's own. */
static void test_no_name_of_an_event_passes_for_one_of_ours(void **state)
{
	static const char *const ours[] = {"marks",	   "size",
					   "msg",	   "channel",
					   "recordId",	   "eventRecordId",
					   "eventChannel", "provider",
					   "providerGuid", "eventId",
					   "version",	   "level",
					   "task",	   "opcode",
					   "keywords",	   "time",
					   "received",	   "origin",
					   "originMark",   "qualifiers",
					   "activityId",   "relatedActivityId",
					   "processId",	   "threadId",
					   "userSid",	   "computer"};
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		const char *const texts[] = {ours[i], "v", "ProcessId", "w"};
		struct fixture f;
		char want[64];

		fixture_init(&f, *state, FORWARD_RFC3164);
		build(&f, &typical_system, texts, 2);
		snprintf(want, sizeof(want), " data.%s=\"v\" ProcessId=\"w\"",
			 ours[i]);
		assert_non_null(strstr(format(&f), want));
		assert_int_equal(f.marks, FORWARD_REPLACED);

		/* There they have an element of their own. */
		fixture_init(&f, *state, FORWARD_RFC5424);
		build(&f, &typical_system, texts, 2);
		snprintf(want, sizeof(want), "[evenlog-data@32473 %s=\"v\" ",
			 ours[i]);
		assert_non_null(strstr(format(&f), want));
		assert_int_equal(f.marks, 0);
	}
}

/*
 * An array of empty items for each item of another: hours of work in a few
 * bytes.  What was written until the limit is sent, or the header.
 */
static void test_work_without_end_is_cut(void **state)
{
	static const uint8_t zeros[65535];
	uint32_t kind;

	for (kind = FORWARD_RFC5424; kind <= FORWARD_JSON; kind++) {
		struct fixture f;
		struct maker m;
		struct buf doc;
		const char *line = NULL;

		fixture_init(&f, *state, kind);
		make_start(&m, f.mem_ctx, EVENT_READ_DEFINITION);
		make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		make_open(&m, "A", EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		make_subst(&m, 0);
		make_leaf(&m, "B", 1);
		make_kind(&m, EVENT_TOKEN_END);
		make_kind(&m, EVENT_TOKEN_END);
		make_kind(&m, EVENT_TOKEN_END);
		make_value(&m, EVENT_TYPE_UINT8 | EVENT_TYPE_ARRAY, zeros,
			   sizeof(zeros));
		make_value(&m, EVENT_TYPE_UINT8 | EVENT_TYPE_ARRAY, zeros,
			   sizeof(zeros));
		make_document(&m, &doc);
		assert_int_equal(
			event_pack(f.packer, doc.data, doc.len, &f.packed),
			EVERR_OK);
		f.event.data = f.packed.data;
		f.event.len = f.packed.len;
		line = format(&f);
		assert_int_equal(f.marks, FORWARD_CUT);
		assert_non_null(strstr(line, "cut"));
		if (kind == FORWARD_RFC5424 || kind == FORWARD_RFC3164) {
			assert_non_null(strstr(line, " A.B=\"0\" A.B=\"0\""));
			assert_in_range(strlen(line), 60000, 65536);
		} else {
			assert_non_null(
				strstr(line, "\"event\":{\"System\":{"));
		}
	}
}

static void put_value(struct maker *m, const char *name, uint8_t type,
		      const void *value, size_t len)
{
	make_leaf(m, name, (uint16_t)m->num_values);
	make_value(m, type, value, len);
}

/* With a format whose message may be so long. */
static size_t format_length(struct fixture *f, uint64_t max_message)
{
	f->config.max_message = max_message;
	TALLOC_FREE(f->format);
	assert_int_equal(forward_format_create(f->mem_ctx, &f->config, "c",
					       f->dict, NULL, &f->format),
			 EVERR_OK);
	return strlen(format(f));
}

/* 120,000 items of 35 bytes, and a text of n bytes; the MSG is not ASCII. */
static void build_long_list(struct fixture *f, size_t n)
{
	static const uint8_t zeros[65535];
	struct maker m;

	make_start(&m, f->mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "Provider", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Name");
	make_text(&m, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	put_value(&m, "exactly-thirty-characters-long",
		  EVENT_TYPE_UINT8 | EVENT_TYPE_ARRAY, zeros, 65535);
	put_value(&m, "exactly-thirty-characters-long",
		  EVENT_TYPE_UINT8 | EVENT_TYPE_ARRAY, zeros, 54000);
	put_value(&m, "Last", EVENT_TYPE_ANSI, repeat(f->mem_ctx, 'x', n), n);
	end_data(f, &m);
}

/*
 * What is formatted before it is cut is 4 MiB at most, or 128 bytes more than
 * max_message: with the marks it may be longer, and then the MSG, or a piece
 * of it, is what has no room.
 */
static void test_marks_have_room_in_the_longest_message(void **state)
{
	static const struct {
		size_t max_message;
		size_t work_max;
	} cases[] = {{65536, 4 << 20}, {4 << 20, (4 << 20) + 128}};
	struct fixture f;
	size_t whole, less, i;

	fixture_init(&f, *state, FORWARD_RFC5424);
	build_long_list(&f, 0);
	whole = format_length(&f, 16 << 20);
	assert_in_range(whole, (4 << 20) - 32000, 4 << 20);
	for (i = 0; i < 2; i++) {
		size_t max = cases[i].max_message;

		for (less = 0; less < 48; less += 3) {
			const char *line = NULL;
			size_t n = cases[i].work_max - whole - less;

			build_long_list(&f, n);
			assert_in_range(format_length(&f, max), max / 64 * 63,
					max);
			line = (const char *)f.out.data;
			assert_int_equal(f.marks, FORWARD_CUT);
			assert_int_equal(strlen(line), f.out.len - 1);
			assert_true(text_utf8_valid(line, strlen(line)));
			assert_non_null(
				strstr(line, "=\"0\"]") != NULL
					? line
					: strstr(line, "x\xE2\x80\xA6"));
		}
	}
}

/* Controls of six bytes in JSON, a text of n bytes, and true, true, ... */
static void build_long_object(struct fixture *f, size_t n)
{
	static const uint8_t items[60 * 4] = {[0 ... 239] = 1};
	const char *controls = repeat(f->mem_ctx, 1, 65535);
	struct maker m;
	size_t i;

	make_start(&m, f->mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < 10; i++) {
		put_value(&m, "Controls", EVENT_TYPE_ANSI, controls, 65535);
	}
	put_value(&m, "Controls", EVENT_TYPE_ANSI, controls, 40000);
	put_value(&m, "Text", EVENT_TYPE_ANSI, repeat(f->mem_ctx, 'x', n), n);
	put_value(&m, "Last", EVENT_TYPE_BOOL | EVENT_TYPE_ARRAY, items,
		  sizeof(items));
	end_data(f, &m);
}

/* The last "true" may be in two where the marks push the end out. */
static void test_no_piece_of_a_json_value_is_sent(void **state)
{
	struct fixture f;
	const char *end = NULL;
	size_t whole, more;

	fixture_init(&f, *state, FORWARD_JSON);
	build_long_object(&f, 0);
	whole = format_length(&f, 16 << 20);
	assert_in_range(whole, (4 << 20) - 65000, 4 << 20);
	for (more = 104; more <= 128; more += 3) {
		build_long_object(&f, (4 << 20) + more - whole);
		assert_in_range(format_length(&f, 4 << 20), 3500000, 4 << 20);
		assert_int_equal(f.marks, FORWARD_CUT);
		end = strstr((char *)f.out.data, "\"Last\":[true");
		assert_non_null(end);
		end += strlen("\"Last\":[true");
		while (strncmp(end, ",true", 5) == 0) {
			end += 5;
		}
		assert_string_equal(end, "]}}}");
	}
}

/* <A> with an item of a list and value: for each of 65,535 items. */
static void build_repeated(struct fixture *f, uint8_t type, const void *value,
			   size_t len)
{
	static const uint8_t zeros[65535];
	struct maker m;

	make_start(&m, f->mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "A", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_UINT8 | EVENT_TYPE_ARRAY, zeros, 65535);
	make_value(&m, type, value, len);
	end_data(f, &m);
}

/*
 * What takes microseconds counts for more than a step: a document that is
 * read again, and a number of 309 digits.  Without that these are 50 and 150
 * ms of work.
 */
static void test_slow_steps_count_for_more(void **state)
{
	static const uint8_t largest[] = {0xFF, 0xFF, 0xFF, 0xFF,
					  0xFF, 0xFF, 0xEF, 0x7F};
	struct fixture f;
	struct maker m;
	struct buf doc;
	size_t i;

	fixture_init(&f, *state, FORWARD_JSON);
	make_start(&m, f.mem_ctx, EVENT_READ_DOCUMENT);
	make_open(&m, "B", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_document(&m, &doc);
	for (i = 0; i < 2; i++) {
		if (i == 0) {
			build_repeated(&f, EVENT_TYPE_BINXML, doc.data,
				       doc.len);
		} else {
			build_repeated(&f, EVENT_TYPE_REAL64, largest,
				       sizeof(largest));
		}
		assert_non_null(strstr(format(&f), "\"event\":{\"System\":{"));
		assert_int_equal(f.marks, FORWARD_CUT);
	}
	/* An ordinary number does not. */
	build_repeated(&f, EVENT_TYPE_REAL64, "\0\0\0\0\0\0\xE0\x3F", 8);
	assert_non_null(strstr(format(&f), "\"A\":[\"00.500000\","));
	/* Nor do those that are none: they have three letters. */
	build_repeated(&f, EVENT_TYPE_REAL64, "\0\0\0\0\0\0\xF0\x7F", 8);
	assert_non_null(strstr(format(&f), "\"A\":[\"0"));
	build_repeated(&f, EVENT_TYPE_REAL32, "\0\0\xC0\xFF", 4);
	assert_non_null(strstr(format(&f), "\"A\":[\"0"));
}

static void make_data(struct maker *m, const char *name, const char *text)
{
	make_open(m, "Data", EVENT_NO_DEPENDENCY, true);
	make_attribute(m, "Name");
	make_text(m, name);
	make_kind(m, EVENT_TOKEN_CLOSE_START);
	make_text(m, text);
	make_kind(m, EVENT_TOKEN_END);
}

/* RFC 8259 4: of two members with one name a receiver takes either. */
static void test_no_name_hides_a_text_or_an_attribute(void **state)
{
	struct fixture f;
	struct maker m;

	fixture_init(&f, *state, FORWARD_JSON);
	make_start(&m, f.mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "x");
	make_text(&m, "attribute");
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_text(&m, "text");
	make_data(&m, "x", "1");
	make_data(&m, "@x", "2");
	make_data(&m, "#text", "3");
	make_data(&m, "##text", "4");
	make_data(&m, "#texts", "5");
	make_data(&m, "#", "6");
	end_data(&f, &m);
	assert_non_null(strstr(format(&f),
			       "\"EventData\":{\"@x\":\"attribute\","
			       "\"#text\":\"text\",\"x\":\"1\","
			       "\"@@x\":\"2\",\"##text\":\"3\","
			       "\"###text\":\"4\",\"#texts\":\"5\","
			       "\"#\":\"6\"}"));
}

static void test_a_bad_configuration_is_refused(void **state)
{
	static const struct forward_config bad[] = {
		{.sd_id = NULL, .max_message = 2048},
		{.sd_id = "evenlog", .max_message = 2048},
		{.sd_id = "@1", .max_message = 2048},
		{.sd_id = "even log@1", .max_message = 2048},
		{.sd_id = "evenlog@x", .max_message = 2048},
		{.sd_id = "evenlog-evenlog-evenlog-@123", .max_message = 2048},
		{.sd_id = "evenlog@1", .max_message = 1023},
		{.sd_id = "evenlog@1", .max_message = 2048, .facility = 24},
	};
	struct forward_format *format = NULL;
	struct event_dict *dict = event_dict_create(*state, NULL);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(forward_format_create(*state, &bad[i], "c",
						       dict, NULL, &format),
				 EVERR_INVALID);
		assert_null(format);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_rfc5424_has_all_fields),
		leak_test(test_json_wraps_the_event),
		leak_test(test_level_and_audit_failure_make_the_severity),
		leak_test(test_a_known_publishers_message_is_msg),
		leak_test(test_a_message_in_json_keeps_its_lines),
		leak_test(test_a_damaged_event_is_its_header),
		leak_test(test_a_gap_says_what_is_missing),
		leak_test(test_what_has_no_room_leaves_out_as_it_was),
		leak_test(test_forgotten_templates_are_learnt_again),
		leak_test(test_a_removed_templates_names_are_not_anothers),
		leak_test(test_the_least_length_holds_any_names),
		leak_test(test_a_message_that_is_cut_has_its_bom),
		leak_test(test_a_message_is_of_the_providers_guid),
		leak_test(test_a_document_has_its_message),
		leak_test(test_a_process_in_text_is_procid),
		leak_test(test_a_computers_name_is_no_tag),
		leak_test(test_no_name_of_an_event_passes_for_one_of_ours),
		leak_test(test_work_without_end_is_cut),
		leak_test(test_marks_have_room_in_the_longest_message),
		leak_test(test_no_piece_of_a_json_value_is_sent),
		leak_test(test_slow_steps_count_for_more),
		leak_test(test_no_name_hides_a_text_or_an_attribute),
		leak_test(test_a_bad_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
