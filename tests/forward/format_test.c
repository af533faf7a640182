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

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_rfc5424_has_all_fields),
		leak_test(test_json_wraps_the_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
