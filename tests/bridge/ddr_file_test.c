/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Discovery data record files. */

#include "tests/bridge/made.h"

#include "base/text.h"
#include "bridge/configmgr.h"
#include "bridge/ddr_file.h"

#include <time.h>

#define HEAD "<System>\r\n"
#define AGENT "AGENTINFO<MyAgent><ABC><11/21/2026 19:14:35>\r\n"
/* The SDK's writer cuts the last line feed off. */
#define END "FEOF\r"

#define SCALAR(line) "BEGIN_PROPERTY\r\n" line "\r\nEND_PROPERTY\r\n"
#define ARRAY(line, values)                                           \
	"BEGIN_PROPERTY\r\n" line "\r\nBEGIN_ARRAY_VALUES\r\n" values \
	"\r\nEND_ARRAY_VALUES\r\nEND_PROPERTY\r\n"

/* As the SDK's sample has it (facts, section 6). */
#define SAMPLE                                                                 \
	HEAD SCALAR("<8><Netbios Name><19><64><PC01>") SCALAR(                 \
		"<10><SMS Unique Identifier><19><64>"                          \
		"<GUID:01234567-89AB-CDEF-0123-456789ABCDEF>")                 \
		ARRAY("<16><IP Addresses><19><64>",                            \
		      "<10.0.0.17><fe80::1>") SCALAR("<0><Client><8><8><1>")   \
			SCALAR("<0><Creation Date><12><17><2026-11-21 01:02>") \
				AGENT END

struct file {
	struct made made;
	struct buf bytes;
	const char *reason;
};

static void file_start(struct file *f, TALLOC_CTX *mem_ctx)
{
	*f = (struct file){.reason = NULL};
	made_start(&f->made, mem_ctx);
	f->made.origin.peer = "";
	buf_init(&f->bytes, mem_ctx, 128 << 20);
}

/* Bytes as facts, section 6 has them: length = payload + 16. */
static void put_frame(struct file *f, uint32_t id, const void *payload,
		      size_t len)
{
	static const uint8_t head[] = {0x01, 0x00, 0x1F, 0x1E,
				       0x00, 0x00, 0x46, 0x56};

	buf_put(&f->bytes, head, sizeof(head));
	buf_put_u32(&f->bytes, id);
	buf_put_u32(&f->bytes, (uint32_t)len + 16);
	buf_put(&f->bytes, payload, len);
	buf_put_u32(&f->bytes, 0x56460000);
	assert_int_equal(buf_error(&f->bytes), EVERR_OK);
}

static void put_text(struct file *f, const char *payload)
{
	put_frame(f, 0xB0, payload, strlen(payload));
}

static everr_t take(struct file *f)
{
	return bridge_configmgr_ddr_file(f->made.events, &f->made.origin,
					 "ABCDEFGH.DDR", f->bytes.data,
					 f->bytes.len, &f->reason);
}

static void assert_refused(struct file *f, const char *reason)
{
	assert_int_equal(take(f), EVERR_TEXT);
	assert_non_null(f->reason);
	made_has(f->reason, reason);
	assert_int_equal(f->made.events->num_documents, 0);
}

static void refuse_text(TALLOC_CTX *mem_ctx, const char *payload,
			const char *reason)
{
	struct file f;

	file_start(&f, mem_ctx);
	put_text(&f, payload);
	assert_refused(&f, reason);
}

#define PROPERTY(name, rest, value)                                    \
	"<Property Class='System' Name='" name "'" rest ">" value "</" \
	"Property>"

static void test_a_record_is_told_by_name(void **state)
{
	struct file f;

	file_start(&f, *state);
	put_text(&f, SAMPLE);
	assert_int_equal(take(&f), EVERR_OK);
	assert_int_equal(f.made.events->num_documents, 1);
	made_check(&f.made, 0);
	made_has(made_xml(&f.made, 0),
		 "<EventID>1100</EventID><Version>0</Version><Level>4</Level>"
		 "<Task>1</Task><Opcode>0</Opcode>"
		 "<Keywords>0x8000000000000021</Keywords>"
		 "<TimeCreated SystemTime='2026-11-21T19:14:35.0000000Z'/>");
	made_has(
		made_xml(&f.made, 0),
		"<Computer>PC01</Computer><Security/></System><UserData>"
		"<DiscoveryFileRecord xmlns='urn:evenlog:configmgr'>"
		"<ComputerName>PC01</ComputerName>"
		"<File>ABCDEFGH.DDR</File><Record>1</Record>"
		"<RecordId>176</RecordId><Build>7711</Build>"
		"<Architecture>System</Architecture>"
		"<AgentName>MyAgent</AgentName><SiteCode>ABC</SiteCode>"
		"<AgentTime>2026-11-21T19:14:35.0000000Z</AgentTime>"
		"<ClientId>GUID:01234567-89AB-CDEF-0123-456789ABCDEF"
		"</ClientId><NetBIOSName>PC01</NetBIOSName>"
		"<ResourceNames></ResourceNames><Domain></Domain>"
		"<ADSite></ADSite><OperatingSystem></OperatingSystem>"
		"<IPAddresses>10.0.0.17, fe80::1</IPAddresses>"
		"<IPSubnets></IPSubnets><MACAddresses></MACAddresses>"
		"<ClientVersion></ClientVersion>"
		"<PropertyCount>5</PropertyCount><Part>1</Part>"
		"<Parts>1</Parts><PeerAddress></PeerAddress>"
		"<PeerCertificate></PeerCertificate><Properties>" PROPERTY(
			"Netbios Name", " Flags='Key' Type='string' Width='64'",
			"PC01") PROPERTY("SMS Unique Identifier",
					 " Flags='GUID, Key' Type='string' "
					 "Width='64'",
					 "GUID:01234567-89AB-CDEF-0123-"
					 "456789ABCDEF") PROPERTY("IP "
								  "Addresses",
								  " Flags='"
								  "Array' "
								  "Type='"
								  "string' "
								  "Width='64'",
								  "10.0.0.17")
			PROPERTY("IP Addresses",
				 " Flags='Array' Type='string' Width='64'",
				 "fe80::1") PROPERTY("Client",
						     " Type='int' Width='8'",
						     "1")
				PROPERTY("Creation Date",
					 " Type='datetime' Width='17'",
					 "2026-11-21 01:02") "</Properties></"
							     "DiscoveryFileReco"
							     "rd></UserData></"
							     "Event>");
	made_starts(made_message(&f.made, 0),
		    "PC01: the file ABCDEFGH.DDR has a discovery record of "
		    "the agent MyAgent, site ABC.\r\n");
}

static void test_the_frame_is_that_of_the_sample(void **state)
{
	static const uint8_t length[] = {0x4D, 0x02, 0x00, 0x00};
	char payload[574];
	struct file f;

	file_start(&f, *state);
	memset(payload, 'x', 573);
	put_frame(&f, 0xB0, payload, 573);
	assert_int_equal(f.bytes.len, 593);
	assert_memory_equal(f.bytes.data + 12, length, sizeof(length));
}

static void test_a_file_may_have_several_records(void **state)
{
	struct file f;

	file_start(&f, *state);
	put_text(&f, SAMPLE);
	put_text(&f, HEAD ARRAY("<25><Resource Names><19><256>",
				"<PC02><pc02.contoso.com><x.y>") AGENT
		 "FEOF\r\nwhatever follows");
	assert_int_equal(take(&f), EVERR_OK);
	assert_int_equal(f.made.events->num_documents, 2);
	made_has(made_xml(&f.made, 1), "<Computer>pc02.contoso.com<");
	made_has(made_xml(&f.made, 1), "<Record>2</Record>");
	made_has(made_xml(&f.made, 1),
		 "<ResourceNames>PC02, pc02.contoso.com, x.y</ResourceNames>");
	made_has(made_xml(&f.made, 1),
		 PROPERTY("Resource Names",
			  " Flags='Full replace, Key, Array' Type='string' "
			  "Width='256'",
			  "x.y"));
	made_check(&f.made, 1);
}

/* A second record that is wrong leaves nothing of the first. */
static void test_a_file_is_taken_whole_or_not_at_all(void **state)
{
	struct file f;

	file_start(&f, *state);
	put_text(&f, SAMPLE);
	put_text(&f, "<System>\r\n");
	assert_refused(&f, "the record ends without FEOF");
	f.bytes.len -= 3;
	assert_refused(&f, "the frame's length is 26, but 23 bytes follow");
}

static void test_all_types_and_flags_have_names(void **state)
{
	struct file f;

	file_start(&f, *state);
	put_text(&f, HEAD SCALAR("<2097151><a><14><0><4294967295>")
			     SCALAR("<4194304><b><17><0><1.5>")
				     SCALAR("<0><c><18><0><text, <with> ><>")
					     SCALAR("<0><d><99><3><12345>")
						     ARRAY("<16><e><8><8>", "")
							     AGENT END);
	assert_int_equal(take(&f), EVERR_OK);
	made_has(made_xml(&f.made, 0),
		 PROPERTY("a",
			  " Flags='Full replace, GUID, Grouping, Key, Array, "
			  "Agent, Name, Comment, No UI, No update, First name, "
			  "Second name, Third name, Fourth name, Fifth name, "
			  "0xFC00' Type='unsigned long' Width='0'",
			  "4294967295")
			 PROPERTY("b",
				  " Flags='0x400000' Type='float' Width='0'",
				  "1.5")
		 /* The last ">" ends a value. */
		 PROPERTY("c", " Type='text' Width='0'",
			  "text, &lt;with&gt; &gt;&lt;")
			 PROPERTY("d", " Type='99' Width='3'",
				  "12345") "</Properties>");
	made_has(made_xml(&f.made, 0), "<PropertyCount>5</PropertyCount>");
}

static void test_what_is_not_known_is_passed_over(void **state)
{
	struct file f;

	file_start(&f, *state);
	put_text(&f, HEAD "NEWWORD<1>\n\n" SCALAR(
			     "<8><a><19><4><bc>\r\nX<2>") "AGENTINFO<A><B><"
							  "yesterday>\rFEOF");
	assert_int_equal(take(&f), EVERR_OK);
	made_has(made_xml(&f.made, 0), ">bc</Property></Properties>");
	made_has(made_xml(&f.made, 0),
		 "<AgentTime>1601-01-01T00:00:00.0000000Z</AgentTime>");
	/* The time is this host's, and so is the computer. */
	made_has(made_xml(&f.made, 0), "'2026-11-21T19:13:20.0000000Z'");
	made_has(made_xml(&f.made, 0), "<Computer>bridge.example.com<");
}

static void test_widths_count_characters(void **state)
{
	struct file f;

	file_start(&f, *state);
	put_text(&f, HEAD SCALAR("<8><a><19><4><ÄÖÜß>") AGENT END);
	assert_int_equal(take(&f), EVERR_OK);
	made_has(made_xml(&f.made, 0), ">ÄÖÜß</Property>");

	/*
	 * The frame's 16, two lines of 10 and 16, and in the third line
	 * 3 + 3 + 4 + 3 + 1.
	 */
	refuse_text(*state, HEAD SCALAR("<8><a><19><4><ÄÖÜßx>") AGENT END,
		    "byte 56: the value of \"a\" has 5 characters, its width "
		    "is 4");
}

static void test_ansi_and_utf16_payloads_are_read(void **state)
{
	static const char ansi[] =
		HEAD SCALAR("<8><a><19><4><\xC4\x80\x93>") AGENT END;
	static const char wrong[] =
		HEAD SCALAR("<8><\xC4\xC4><19><2><\xC4\x80\x93>") AGENT END;
	struct file f;
	struct buf utf16;

	file_start(&f, *state);
	put_frame(&f, 0xB0, ansi, strlen(ansi));
	assert_int_equal(take(&f), EVERR_OK);
	made_has(made_xml(&f.made, 0), ">Ä€“</Property>");

	/* Offsets are those of the file. */
	refuse_text(*state, wrong,
		    "byte 57: the value of \"ÄÄ\" has 3 characters, its width "
		    "is 2");

	buf_init(&utf16, *state, 65536);
	buf_put_u16(&utf16, 0xFEFF);
	assert_int_equal(text_utf8_to_utf16(&utf16, SAMPLE, strlen(SAMPLE)),
			 EVERR_OK);
	file_start(&f, *state);
	put_frame(&f, 0xA0, utf16.data, utf16.len);
	assert_int_equal(take(&f), EVERR_OK);
	made_has(made_xml(&f.made, 0), "<NetBIOSName>PC01</NetBIOSName>");
	made_has(made_xml(&f.made, 0), "<RecordId>160</RecordId>");

	file_start(&f, *state);
	put_frame(&f, 0xB0, utf16.data, utf16.len - 1);
	assert_refused(&f, "UTF-16 with an odd number of bytes");
}

static void test_a_wrong_frame_is_told_with_its_place(void **state)
{
	struct file f;
	size_t len;

	file_start(&f, *state);
	assert_refused(&f, "the file is empty");
	put_text(&f, SAMPLE);
	len = f.bytes.len;

	f.bytes.len = 19;
	assert_refused(&f, "byte 0: the file ends inside a frame (19 bytes are "
			   "left, a frame has at least 20)");
	f.bytes.len = len - 1;
	assert_refused(&f, "byte 12: the frame's length is ");
	f.bytes.len = len;
	f.bytes.data[0] = 2;
	assert_refused(&f, "byte 0: no frame of a discovery record starts "
			   "there (version 2, magic 0x56460000)");
	f.bytes.data[0] = 1;
	f.bytes.data[7] = 0x57;
	assert_refused(&f, "magic 0x57460000");
	f.bytes.data[7] = 0x56;
	f.bytes.data[8] = 1;
	assert_refused(&f, "byte 8: record id 0x1 is not a discovery record's");
	f.bytes.data[8] = 0xB0;
	f.bytes.data[len - 1] = 0;
	assert_refused(&f, "the frame ends in 0x00460000, not in its magic");
	f.bytes.data[len - 1] = 0x56;
	le32_set(f.bytes.data + 12, 15);
	assert_refused(&f, "byte 12: the frame's length is 15");
	le32_set(f.bytes.data + 12, UINT32_MAX);
	assert_refused(&f, "byte 12: the frame's length is 4294967295");

	file_start(&f, *state);
	put_text(&f, "");
	assert_refused(&f, "byte 16: the record is empty");
}

static void test_orders_are_strict(void **state)
{
	refuse_text(*state, "System\r\n" AGENT END,
		    "byte 16: the record does not start with <architecture>");
	refuse_text(*state, HEAD "BEGIN_PROPERTY\r\n<8><a><19>\r\n" END,
		    "byte 42: a property starts with <flags><name><type>"
		    "<width>");
	refuse_text(*state, HEAD "BEGIN_PROPERTY\r\n<x><a><19><1><b>\r\n" END,
		    "byte 42: a property starts with");
	refuse_text(*state, HEAD "BEGIN_PROPERTY\r\n<8><a><19><9><b\r\n" END,
		    "byte 42: the property's value does not end in \">\"");
	refuse_text(*state, HEAD "BEGIN_PROPERTY\r\n<8><a><19><9><b>\r\n" END,
		    "byte 60: END_PROPERTY is missing before it");
	refuse_text(*state,
		    HEAD "BEGIN_PROPERTY\r\n<8><a><19><9><b>\r\n"
			 "BEGIN_ARRAY_VALUES\r\n" END,
		    "byte 60: END_PROPERTY is missing before it");
	refuse_text(*state, HEAD "END_PROPERTY\r\n" END,
		    "byte 26: it ends or begins what is not open there");
	refuse_text(*state, HEAD ARRAY("<8><a><19><9>", "<b><c") END,
		    "byte 80: an array's values are <value><value>...");
	refuse_text(*state,
		    HEAD "BEGIN_PROPERTY\r\n<8><a><19><9>\r\n"
			 "BEGIN_ARRAY_VALUES\r\n" END,
		    "an array's values are");
	refuse_text(*state, HEAD "AGENTINFO<a><b>\r\n" END,
		    "byte 26: AGENTINFO has <agent><site><time>");
	refuse_text(*state, HEAD AGENT,
		    "byte 72: the record ends without FEOF");
}

/* A line of 60 MiB, or very many. */
static void test_time_grows_with_the_size_only(void **state)
{
	static const char *const fillings[] = {
		"<", "><", "\r", "x\r", "<a>", "BEGIN_PROPERTY\r"};
	size_t i, j;

	for (i = 0; i < sizeof(fillings) / sizeof(fillings[0]); i++) {
		size_t num = (60U << 20) / strlen(fillings[i]);
		struct timespec before, after;
		struct buf payload;
		struct file f;
		everr_t err;

		file_start(&f, *state);
		buf_init(&payload, f.made.events, 64 << 20);
		buf_puts(&payload, HEAD);
		buf_puts(&payload, i % 2 == 0 ? ""
					      : "BEGIN_PROPERTY\r<1><a><18>"
						"<0>\rBEGIN_ARRAY_VALUES\r");
		for (j = 0; j < num; j++) {
			buf_puts(&payload, fillings[i]);
		}
		put_frame(&f, 0xB0, payload.data, payload.len);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		err = take(&f);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		assert_int_not_equal(err, EVERR_OK);
		print_message("%.80s, %ld ms\n", f.reason,
			      (after.tv_sec - before.tv_sec) * 1000 +
				      (after.tv_nsec - before.tv_nsec) /
					      1000000);
		assert_true(after.tv_sec - before.tv_sec < 60);
		buf_free(&f.bytes);
		TALLOC_FREE(f.made.events);
	}
}

/* A file is read in one turn. */
static void test_records_of_a_file_are_bounded(void **state)
{
	struct file f;
	int i;

	file_start(&f, *state);
	for (i = 0; i < BRIDGE_FILE_EVENTS_MAX; i++) {
		put_frame(&f, 0xB0, "<S>\rFEOF", 8);
	}
	assert_int_equal(take(&f), EVERR_OK);
	assert_int_equal(f.made.events->num_documents, 256);
	put_frame(&f, 0xB0, "<S>\rFEOF", 8);
	assert_int_equal(take(&f), EVERR_LIMIT);
	assert_string_equal(f.reason, "record 257: with it the file would be "
				      "more than 256 events");
	assert_int_equal(f.made.events->num_documents, 256);
	buf_free(&f.bytes);
}

/* What all values of a record share is measured once. */
static void test_a_long_architecture_takes_no_more_time(void **state)
{
	struct timespec before, after;
	struct buf payload;
	struct file f;
	size_t i;

	file_start(&f, *state);
	buf_init(&payload, f.made.events, 64 << 20);
	buf_puts(&payload, "<");
	memset(buf_extend(&payload, 8 << 20), 'A', 8 << 20);
	buf_puts(&payload, ">\rBEGIN_PROPERTY\r<1><");
	memset(buf_extend(&payload, 8 << 20), 'B', 8 << 20);
	buf_puts(&payload, "><18><0>\rBEGIN_ARRAY_VALUES\r");
	for (i = 0; i < DDR_VALUES_MAX; i++) {
		buf_puts(&payload, "<>");
	}
	buf_puts(&payload, "\rEND_ARRAY_VALUES\rEND_PROPERTY\rFEOF\r");
	put_frame(&f, 0xB0, payload.data, payload.len);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_int_equal(take(&f), EVERR_OK);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	print_message("%ld ms\n",
		      (after.tv_sec - before.tv_sec) * 1000 +
			      (after.tv_nsec - before.tv_nsec) / 1000000);
	assert_true(after.tv_sec - before.tv_sec < 5);
	made_has(made_xml(&f.made, 1), "A… [cut, 8388608 bytes]' Name='BB");
	buf_free(&f.bytes);
	TALLOC_FREE(f.made.events);
}

static void test_a_rejected_file_is_told(void **state)
{
	struct file f;

	file_start(&f, *state);
	assert_int_equal(bridge_configmgr_file_rejected(f.made.events,
							&f.made.origin, "X.DDR",
							"the file is empty"),
			 EVERR_OK);
	made_check(&f.made, 0);
	made_has(made_xml(&f.made, 0), "<EventID>1901</EventID>");
	assert_string_equal(
		made_message(&f.made, 0),
		"The discovery file X.DDR was rejected: the file is empty.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_record_is_told_by_name),
		leak_test(test_the_frame_is_that_of_the_sample),
		leak_test(test_a_file_may_have_several_records),
		leak_test(test_a_file_is_taken_whole_or_not_at_all),
		leak_test(test_all_types_and_flags_have_names),
		leak_test(test_what_is_not_known_is_passed_over),
		leak_test(test_widths_count_characters),
		leak_test(test_ansi_and_utf16_payloads_are_read),
		leak_test(test_a_wrong_frame_is_told_with_its_place),
		leak_test(test_orders_are_strict),
		leak_test(test_time_grows_with_the_size_only),
		leak_test(test_records_of_a_file_are_bounded),
		leak_test(test_a_long_architecture_takes_no_more_time),
		leak_test(test_a_rejected_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
