/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_header.h"
#include "tests/soap/ccm_layout.h"

#include <string.h>

/* Seconds since 1601 by: date -u -d DATE +%s, and 11644473600. */
#define SENT_ISO ((1795288939ULL + 11644473600ULL) * 10000000ULL)
#define SENT_CIM ((1795289039ULL + 11644473600ULL) * 10000000ULL)

static everr_t parse(void **state, const void *data, size_t len,
		     struct ccm_header **header, const char **reason)
{
	/* A copy of its length, for AddressSanitizer. */
	void *copy = talloc_memdup(*state, data, len);
	everr_t err = ccm_header_parse(*state, copy, len, header, reason);

	talloc_free(copy);
	return err;
}

static struct ccm_header *reads(void **state, const char *text)
{
	struct ccm_header *header = NULL;
	const char *reason = NULL;
	everr_t err = parse(state, text, strlen(text), &header, &reason);

	if (err != EVERR_OK) {
		fail_msg("%s: %s", text, reason);
	}
	assert_null(reason);
	return header;
}

static struct ccm_header *reads_msg(void **state, const char *more)
{
	return reads(state, layout_msg(*state, more));
}

static void refuses(void **state, const char *text, everr_t expected,
		    const char *expected_reason)
{
	struct ccm_header *header = NULL;
	const char *reason = NULL;

	assert_int_equal(parse(state, text, strlen(text), &header, &reason),
			 expected);
	assert_null(header);
	if (strncmp(reason, expected_reason, strlen(expected_reason)) != 0) {
		fail_msg("%s", reason);
	}
}

static void check_all_fields(const struct ccm_header *header)
{
	assert_string_equal(header->id, LAYOUT_ID);
	assert_string_equal(header->correlation_id,
			    "{00000000-0000-0000-0000-000000000000}");
	assert_string_equal(header->source_id, LAYOUT_SOURCE);
	assert_string_equal(header->source_host, "PC01");
	assert_string_equal(header->endpoint, "MP_RelayEndpoint");
	assert_string_equal(header->target_host, "mp & co");
	assert_string_equal(header->reply_to, "direct:PC01:SccmMessaging");
	assert_string_equal(header->file_type, "SMX");
	assert_int_equal(header->reply_mode, CCM_REPLY_SYNC);
	assert_true(header->reply_zlib);
	assert_int_equal(header->sent, SENT_ISO);
	assert_true(header->compressed);
	assert_false(header->encrypted);
	assert_true(header->has_body);
	assert_int_equal(header->body.offset, 1676);
	assert_int_equal(header->body.length, 6204);
	assert_int_equal(header->num_attachments, 2);
	assert_string_equal(header->attachments[0].name, "n");
	assert_int_equal(header->attachments[0].length, 1672);
	assert_null(header->attachments[1].name);
	assert_int_equal(header->attachments[1].offset, 1676);
}

#define MSG "<Msg ReplyCompression=\"zlib\" SchemaVersion=\"1.1\">"
#define PIECES_1                                                      \
	"<ID>" LAYOUT_ID "</ID><CorrelationID>{00000000-0000-0000-"   \
	"0000-000000000000}</CorrelationID><SourceID> " LAYOUT_SOURCE \
	"\n</SourceID><SourceHost>PC01</SourceHost>"
#define PIECES_2                                               \
	"<TargetAddress>mp:MP_RelayEndpoint</TargetAddress>"   \
	"<TargetHost>mp &amp; <![CDATA[co]]></TargetHost>"     \
	"<ReplyTo>direct:PC01:SccmMessaging</ReplyTo>"         \
	"<ReplyMode>sYnC</ReplyMode><Protocol>http</Protocol>" \
	"<Priority>0</Priority><Timeout>60000</Timeout>"       \
	"<SentTime>2026-11-21T19:22:19Z</SentTime>"
#define PIECES_3                                                      \
	"<Body Type=\"ByteRange\" Offset=\"1676\" Length=\"6204\" />" \
	"<Attachment Name=\"n\" Offset=\"0\" Length=\"1672\"/>"       \
	"<Attachment Offset=\"1676\" Length=\"6202\"/>"               \
	"<Property Name=\"FileType\" Value=\"SMX\" />"                \
	"<Property Name=\"Other\" Value=\"x\" /><Payload Type=\"inline\"/>"
#define PIECES_4                                                   \
	"<Hooks><Hook3 Name=\"zlib-compress\" /></Hooks>"          \
	"<ReplyCapabilities><AllowRegistrationReset>direct:PC01:X" \
	"</AllowRegistrationReset></ReplyCapabilities>"            \
	"<New><ID>{0}</ID></New><SourceType/>"

static void test_elements_come_in_any_order(void **state)
{
	check_all_fields(
		reads(state, MSG PIECES_1 PIECES_2 PIECES_3 PIECES_4 "</Msg>"));
	check_all_fields(
		reads(state, MSG PIECES_4 PIECES_3 PIECES_2 PIECES_1 "</Msg>"));
	check_all_fields(
		reads(state, MSG PIECES_3 PIECES_1 PIECES_4 PIECES_2 "</Msg>"));
}

/* U+00E9 and U+1F600 in the name of a host. */
#define HOST_UTF8 "<SourceHost>\xC3\xA9\xF0\x9F\x98\x80</SourceHost>"

static void utf16_is_read(void **state, bool big, bool bom)
{
	static const uint16_t host[] = {0xE9, 0xD83D, 0xDE00};
	char *text = layout_msg(*state, "<SourceHost>###</SourceHost>");
	struct ccm_header *header = NULL;
	const char *reason = NULL;
	struct buf out;
	size_t n = 0;
	size_t i;

	buf_init(&out, *state, 1 << 20);
	if (bom) {
		buf_put_u16(&out, 0xFEFF);
	}
	for (i = 0; i < strlen(text); i++) {
		buf_put_u16(&out,
			    text[i] == '#' ? host[n++] : (uint16_t)text[i]);
	}
	for (i = 0; big && i < out.len; i += 2) {
		uint8_t low = out.data[i];

		out.data[i] = out.data[i + 1];
		out.data[i + 1] = low;
	}
	assert_int_equal(parse(state, out.data, out.len, &header, &reason),
			 EVERR_OK);
	assert_string_equal(header->source_host, "\xC3\xA9\xF0\x9F\x98\x80");
}

static void test_utf16_of_both_orders_and_utf8_are_read(void **state)
{
	struct ccm_header *header = NULL;

	utf16_is_read(state, false, true);
	utf16_is_read(state, false, false);
	utf16_is_read(state, true, true);
	utf16_is_read(state, true, false);
	header = reads_msg(state, HOST_UTF8);
	assert_string_equal(header->source_host, "\xC3\xA9\xF0\x9F\x98\x80");
	reads(state, talloc_asprintf(*state,
				     "\xEF\xBB\xBF<?xml version=\"1.0\" "
				     "encoding=\"utf-16\"?>\r\n%s\r\n",
				     layout_msg(*state, "")));
}

static void test_bad_utf16_is_refused(void **state)
{
	static const uint16_t bad[][2] = {{0xD800, 'a'},
					  {0xDC00, 'a'},
					  {0xDC00, 0xD800},
					  {0xD800, 0xD800}};
	struct ccm_header *header = NULL;
	const char *reason = NULL;
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_init(&out, *state, 1 << 20);
		buf_put_u16(&out, 0xFEFF);
		layout_utf16(&out, "<Msg><SourceHost>");
		buf_put_u16(&out, bad[i][0]);
		buf_put_u16(&out, bad[i][1]);
		layout_utf16(&out, "</SourceHost></Msg>");
		assert_int_equal(
			parse(state, out.data, out.len, &header, &reason),
			EVERR_TEXT);
		assert_string_equal(reason,
				    "the message's header is neither valid "
				    "UTF-16 nor valid UTF-8");
	}

	buf_init(&out, *state, 1 << 20);
	buf_put_u16(&out, 0xFEFF);
	layout_utf16(&out, layout_msg(*state, ""));
	assert_int_equal(parse(state, out.data, out.len, &header, &reason),
			 EVERR_OK);
	header = NULL;
	assert_int_equal(parse(state, out.data, out.len - 1, &header, &reason),
			 EVERR_TEXT);
	assert_null(header);
	refuses(state, "<Msg>\xFF</Msg>", EVERR_TEXT,
		"the message's header is neither");
	refuses(state, "", EVERR_TEXT, "the message's header is not XML");
}

static void endpoint_is(void **state, const char *elements,
			const char *expected)
{
	char *text = talloc_asprintf(*state,
				     "<Msg><ID>" LAYOUT_ID "</ID>%s"
				     "</Msg>",
				     elements);

	assert_string_equal(reads(state, text)->endpoint, expected);
}

static void test_the_endpoint_is_found_in_each_spelling(void **state)
{
	endpoint_is(state, "<TargetAddress>mp:StatusReceiver</TargetAddress>",
		    "StatusReceiver");
	endpoint_is(state, "<TargetAddress>mp:[http]MP_X</TargetAddress>",
		    "MP_X");
	endpoint_is(state, "<TargetAddress>MP:[https]MP_X</TargetAddress>",
		    "MP_X");
	endpoint_is(state, "<TargetAddress>mp:[httpMP_X</TargetAddress>",
		    "[httpMP_X");
	endpoint_is(state,
		    "<TargetEndpoint>MP_Y</TargetEndpoint>"
		    "<TargetAddress>mp:MP_X</TargetAddress>",
		    "MP_Y");
	endpoint_is(state,
		    "<TargetAddress>mp:MP_X</TargetAddress><TargetEndpoint/>",
		    "MP_X");
}

static void sent_is(void **state, const char *sent, uint64_t expected)
{
	char *more = talloc_asprintf(*state, "<SentTime>%s</SentTime>", sent);

	assert_int_equal(reads_msg(state, more)->sent, expected);
}

static void test_sent_time_is_read_in_both_forms(void **state)
{
	sent_is(state, "2026-11-21T19:22:19Z", SENT_ISO);
	sent_is(state, "20261121192359.000000+000", SENT_CIM);
	sent_is(state, "20261121202359.000000+060", SENT_CIM);
	sent_is(state, "20261121092359.000000-600", SENT_CIM);
	sent_is(state, "20261121192359.500000+000", SENT_CIM + 5000000);
	sent_is(state, "", 0);
	sent_is(state, "yesterday", 0);
	sent_is(state, "20261321192359.000000+000", 0);
	sent_is(state, "20261121192359.000000+0", 0);
	sent_is(state, "2026112119235x.000000+000", 0);
	sent_is(state, "20261121192359.000000 000", 0);
	assert_int_equal(reads_msg(state, "")->sent, 0);
}

static void test_hooks_are_understood(void **state)
{
	struct ccm_header *header = NULL;

	header = reads_msg(state, "<Hooks />");
	assert_false(header->compressed);
	assert_false(header->encrypted);
	header = reads_msg(state, "<Hooks><Hook Name=\"ZLIB-Compress\"/>"
				  "</Hooks>");
	assert_true(header->compressed);
	header = reads_msg(state, "<Hooks><Hook2 Name=\"MPHookEncryption\">"
				  "<Property Name=\"PublicKey\">00</Property>"
				  "</Hook2></Hooks>");
	assert_true(header->encrypted);
	assert_null(header->authentication.public_key);
	header = reads_msg(state, "<Hooks><Hook/></Hooks>");
	assert_true(header->encrypted);
	/* What is elsewhere is no hook. */
	header = reads_msg(state, "<Others><Hook Name=\"x\"/></Others>");
	assert_false(header->encrypted);
}

static void test_the_clientauth_hook_has_text_properties(void **state)
{
	struct ccm_header *header = NULL;
	const struct ccm_authentication *by = NULL;

	header = reads_msg(
		state,
		"<Hooks><Hook2 Name=\"clientauth\">"
		"<Property Name=\"AuthSenderMachine\">PC01</Property>"
		"<Property Name=\"PublicKey\"> 0602\n</Property>"
		"<Property Name=\"ClientIDSignature\">AB<x>no</x>CD</Property>"
		"<Property Name=\"PayloadSignature\">EF</Property>"
		"<Property Name=\"ClientCapabilities\">NonSSL</Property>"
		"<Property Name=\"HashAlgorithm\">1.2</Property></Hook2>"
		"<Hook3 Name=\"zlib-compress\"><Property Name=\"PublicKey\">no"
		"</Property></Hook3></Hooks>");
	by = &header->authentication;
	assert_string_equal(by->sender_machine, "PC01");
	assert_string_equal(by->public_key, "0602");
	assert_string_equal(by->client_id_signature, "ABCD");
	assert_string_equal(by->payload_signature, "EF");
	assert_string_equal(by->hash_algorithm, "1.2");
	assert_false(by->token);
	assert_true(header->compressed);
	assert_false(header->encrypted);

	header = reads_msg(state, "<Hooks><Hook2 Name=\"clientauth\"><Property "
				  "Name=\"ClientToken\">x</Property></Hook2>"
				  "</Hooks>");
	assert_true(header->authentication.token);
	assert_null(header->authentication.public_key);
}

static void test_numbers_of_ranges_are_digits(void **state)
{
	struct ccm_header *header = NULL;

	header = reads_msg(state, "<Body Length=\" 7 \"/>");
	assert_int_equal(header->body.offset, 0);
	assert_int_equal(header->body.length, 7);
	/* Two such can be added. */
	header = reads_msg(state, "<Body Offset=\"99999999999999999999999\" "
				  "Length=\"18446744073709551615\"/>");
	assert_int_equal(header->body.offset, 1ULL << 62);
	assert_int_equal(header->body.length, 1ULL << 62);
	refuses(state, layout_msg(*state, "<Body Length=\"-1\"/>"), EVERR_TEXT,
		"an offset or length in the message's header is not a number: "
		"-1");
	refuses(state, layout_msg(*state, "<Attachment Offset=\"0x10\"/>"),
		EVERR_TEXT, "an offset or length");
}

static void test_what_is_missing_is_named(void **state)
{
	refuses(state, "<Message/>", EVERR_TEXT,
		"the message's header is not a <Msg> but a <Message>");
	refuses(state, "<Msg/>", EVERR_TEXT, "the message's header has no ID");
	refuses(state, "<Msg><ID>\xC3\xA4\n</ID></Msg>", EVERR_TEXT,
		"the message's ID is not a GUID: \xC3\xA4");
	refuses(state, "<Msg><ID>" LAYOUT_ID "</ID></Msg>", EVERR_TEXT,
		"the message's header names no endpoint that it is for");
	refuses(state,
		"<Msg><ID>" LAYOUT_ID "</ID><TargetAddress>mp:</TargetAddress>"
		"</Msg>",
		EVERR_TEXT, "the message's header names no endpoint");
	refuses(state, "NoReply", EVERR_TEXT,
		"the message's header is not XML");
	refuses(state, "<Msg><ID></Msg>", EVERR_TEXT,
		"the message's header is not well-formed XML, line 1 column ");
}

static void test_no_dtd_and_no_entities(void **state)
{
	refuses(state,
		"<!DOCTYPE Msg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
		"\"&a;&a;&a;&a;&a;&a;&a;&a;\">]><Msg><ID>&b;</ID></Msg>",
		EVERR_TEXT, "the message's header is not well-formed XML");
	refuses(state, "<Msg><ID>&b;</ID></Msg>", EVERR_TEXT,
		"the message's header is not well-formed XML");
}

static char *repeated(TALLOC_CTX *mem_ctx, const char *text, size_t num)
{
	size_t len = strlen(text);
	char *all = talloc_zero_size(mem_ctx, num * len + 1);
	size_t i;

	assert_non_null(all);
	for (i = 0; i < num; i++) {
		memcpy(all + i * len, text, len);
	}
	return all;
}

static void test_a_header_has_limits(void **state)
{
	struct ccm_header *header = NULL;
	char *deep = NULL;
	char *many = repeated(*state, "<Attachment Length=\"1\"/>",
			      CCM_ATTACHMENTS_MAX);

	assert_int_equal(reads_msg(state, many)->num_attachments,
			 CCM_ATTACHMENTS_MAX);
	many = talloc_strdup_append(many, "<Attachment/>");
	refuses(state, layout_msg(*state, many), EVERR_LIMIT,
		"the message's header has too many attachments");

	/* <Msg> is the first one. */
	deep = talloc_asprintf(*state, "%s%s", repeated(*state, "<a>", 15),
			       repeated(*state, "</a>", 15));
	header = reads_msg(state, deep);
	assert_string_equal(header->id, LAYOUT_ID);
	deep = talloc_asprintf(*state, "<a>%s</a>", deep);
	refuses(state, layout_msg(*state, deep), EVERR_LIMIT,
		"elements are nested too deeply in the message's header");

	many = layout_msg(*state, repeated(*state, "<a/>", 262000));
	assert_in_range(strlen(many), 1048000, CCM_HEADER_MAX);
	reads(state, many);
	many = layout_msg(*state, repeated(*state, "<a/>", 262144));
	refuses(state, many, EVERR_LIMIT,
		"the message's header has more than 1048576 bytes");
	refuses(state,
		talloc_asprintf(*state, "<Msg %s/>",
				repeated(*state, "a=\"\" ", 2000)),
		EVERR_LIMIT,
		"the message's header has too many attributes or namespaces");
}

static void test_a_header_cut_at_any_byte_is_refused(void **state)
{
	struct ccm_header *header = NULL;
	const char *reason = NULL;
	struct buf out;
	size_t len;

	buf_init(&out, *state, 1 << 20);
	buf_put_u16(&out, 0xFEFF);
	layout_utf16(&out, MSG PIECES_1 PIECES_2 PIECES_3 PIECES_4 "</Msg>");
	for (len = 0; len < out.len; len++) {
		reason = NULL;
		assert_int_equal(parse(state, out.data, len, &header, &reason),
				 EVERR_TEXT);
		assert_non_null(reason);
		assert_null(header);
	}
	assert_int_equal(parse(state, out.data, len, &header, &reason),
			 EVERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_elements_come_in_any_order),
		leak_test(test_utf16_of_both_orders_and_utf8_are_read),
		leak_test(test_bad_utf16_is_refused),
		leak_test(test_the_endpoint_is_found_in_each_spelling),
		leak_test(test_sent_time_is_read_in_both_forms),
		leak_test(test_hooks_are_understood),
		leak_test(test_the_clientauth_hook_has_text_properties),
		leak_test(test_numbers_of_ranges_are_digits),
		leak_test(test_what_is_missing_is_named),
		leak_test(test_no_dtd_and_no_entities),
		leak_test(test_a_header_has_limits),
		leak_test(test_a_header_cut_at_any_byte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
