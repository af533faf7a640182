/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_header.h"
#include "soap/ccm_message.h"
#include "soap/ccm_multipart.h"
#include "tests/soap/ccm_layout.h"

#include <string.h>
#include <zlib.h>

/* date -u -d 2026-11-21T19:22:19Z +%s, and 11644473600. */
#define NOW ((1795288939ULL + 11644473600ULL) * 10000000ULL + 1234567)
#define REPLY_ID "{01234567-89AB-CDEF-0123-456789ABCDEF}"

/* The whole of it, byte by byte. */
static void test_no_reply_is_byte_exact(void **state)
{
	static const char expected[] =
		"--" LAYOUT_BOUNDARY
		"\r\nContent-Type: text/plain; charset=UTF-16\r\n\r\n"
		"\xFF\xFEN\0o\0R\0e\0p\0l\0y\0\r\n--" LAYOUT_BOUNDARY "--";
	struct buf out;

	buf_init(&out, *state, 1024);
	buf_puts(&out, "kept");
	assert_int_equal(ccm_reply_none(&out, LAYOUT_BOUNDARY), EVERR_OK);
	assert_int_equal(out.len, 4 + sizeof(expected) - 1);
	assert_memory_equal(out.data, "kept", 4);
	assert_memory_equal(out.data + 4, expected, sizeof(expected) - 1);
}

static void test_the_content_type_quotes_the_boundary(void **state)
{
	assert_string_equal(ccm_reply_content_type(*state, "a:b"),
			    "multipart/mixed; boundary=\"a:b\"");
}

static struct ccm_message *request(TALLOC_CTX *mem_ctx, bool compress)
{
	struct ccm_message *message = talloc_zero(mem_ctx, struct ccm_message);

	message->boundary = "B";
	message->reply_zlib = compress;
	message->reply_to = "direct:PC<01>:SccmMessaging";
	message->message.id = LAYOUT_ID;
	message->message.source_host = "PC<01>";
	return message;
}

/* "<a>" U+00E9 U+1F600 "</a>", NUL, CRLF. */
#define XML "<a>\xC3\xA9\xF0\x9F\x98\x80</a>"
static const char payload[] =
	"<\0a\0>\0\xE9\0\x3D\xD8\0\xDE<\0/\0a\0>\0\0\0\r\n";
#define PAYLOAD_LEN (sizeof(payload) - 1)

static void read_reply(void **state, bool compress, struct ccm_parts *parts,
		       struct ccm_header **header)
{
	const char *reason = NULL;
	struct buf *out = talloc(*state, struct buf);

	buf_init(out, *state, 1 << 20);
	assert_int_equal(ccm_reply_xml(out, request(*state, compress),
				       "mp.example.com", REPLY_ID, NOW, XML),
			 EVERR_OK);
	assert_int_equal(ccm_multipart_parse(*state, "B", out->data, out->len,
					     parts, &reason),
			 EVERR_OK);
	/* No line end behind the close delimiter. */
	assert_memory_equal(out->data + out->len - 5, "--B--", 5);
	assert_int_equal(parts->num, 2);
	assert_int_equal(parts->part[0].head_len, 40);
	assert_memory_equal(parts->part[0].head,
			    "Content-Type: text/plain; charset=UTF-16", 40);
	assert_int_equal(parts->part[1].head_len, 38);
	assert_memory_equal(parts->part[1].head,
			    "Content-Type: application/octet-stream", 38);
	assert_memory_equal(parts->part[0].data, "\xFF\xFE", 2);
	assert_int_equal(ccm_header_parse(*state, parts->part[0].data,
					  parts->part[0].len, header, &reason),
			 EVERR_OK);
}

static void test_a_synchronous_answer_has_its_xml_as_body(void **state)
{
	struct ccm_parts parts = {.num = 0};
	struct ccm_header *header = NULL;

	read_reply(state, false, &parts, &header);
	assert_string_equal(header->id, REPLY_ID);
	assert_string_equal(header->correlation_id, LAYOUT_ID);
	assert_string_equal(header->source_host, "mp.example.com");
	assert_string_equal(header->target_host, "PC<01>");
	assert_string_equal(header->endpoint, "direct:PC<01>:SccmMessaging");
	assert_int_equal(header->reply_mode, CCM_REPLY_SYNC);
	assert_int_equal(header->sent, NOW - 1234567);
	assert_false(header->compressed);
	assert_false(header->encrypted);
	assert_true(header->has_body);
	/* The NUL is counted, CRLF is not. */
	assert_int_equal(header->body.offset, 0);
	assert_int_equal(header->body.length, PAYLOAD_LEN - 2);
	assert_int_equal(parts.part[1].len, PAYLOAD_LEN);
	assert_memory_equal(parts.part[1].data, payload, PAYLOAD_LEN);
}

static void test_a_synchronous_answer_is_deflated_when_asked_for(void **state)
{
	struct ccm_parts parts = {.num = 0};
	struct ccm_header *header = NULL;
	uint8_t inflated[256];
	uLongf len = sizeof(inflated);

	read_reply(state, true, &parts, &header);
	assert_true(header->compressed);
	/* Ranges count inflated bytes. */
	assert_int_equal(header->body.length, PAYLOAD_LEN - 2);
	assert_int_equal(uncompress(inflated, &len, parts.part[1].data,
				    parts.part[1].len),
			 Z_OK);
	assert_int_equal(len, PAYLOAD_LEN);
	assert_memory_equal(inflated, payload, len);
}

static void test_a_failed_answer_leaves_what_was_there(void **state)
{
	struct ccm_message *message = request(*state, true);
	struct buf out;

	buf_init(&out, *state, 100);
	buf_puts(&out, "kept");
	assert_int_equal(ccm_reply_none(&out, LAYOUT_BOUNDARY), EVERR_LIMIT);
	assert_int_equal(out.len, 4);

	buf_init(&out, *state, 500);
	buf_puts(&out, "kept");
	assert_int_equal(ccm_reply_xml(&out, message, "h", REPLY_ID, NOW, XML),
			 EVERR_LIMIT);
	assert_int_equal(out.len, 4);

	buf_init(&out, *state, 1 << 20);
	buf_puts(&out, "kept");
	assert_int_equal(
		ccm_reply_xml(&out, message, "h", REPLY_ID, NOW, "<a>\xC3</a>"),
		EVERR_TEXT);
	assert_int_equal(out.len, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_no_reply_is_byte_exact),
		leak_test(test_the_content_type_quotes_the_boundary),
		leak_test(test_a_synchronous_answer_has_its_xml_as_body),
		leak_test(test_a_synchronous_answer_is_deflated_when_asked_for),
		leak_test(test_a_failed_answer_leaves_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
