/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_message.h"
#include "tests/soap/ccm_layout.h"

#include <string.h>

#define PAYLOAD_MAX (64 * 1024 * 1024)
#define ZLIB_HOOK "<Hooks><Hook3 Name=\"zlib-compress\" /></Hooks>"

static everr_t parse(void **state, const struct buf *body, size_t len,
		     uint64_t payload_max, struct ccm_message **message,
		     const char **reason)
{
	/* A copy of its length, for AddressSanitizer. */
	uint8_t *copy = talloc_memdup(*state, body->data, len);

	return ccm_message_parse(*state, LAYOUT_TYPE, copy, len, payload_max,
				 message, reason);
}

static struct ccm_message *reads(void **state, const char *more,
				 const struct buf *payload)
{
	struct buf body = layout_body(*state, layout_msg(*state, more),
				      payload->data, payload->len);
	struct ccm_message *message = NULL;
	const char *reason = NULL;

	if (parse(state, &body, body.len, PAYLOAD_MAX, &message, &reason) !=
	    EVERR_OK) {
		fail_msg("%s", reason);
	}
	assert_null(reason);
	return message;
}

static void part_is(const struct ccm_message *message, size_t i,
		    const struct buf *payload, size_t offset, size_t len)
{
	const struct bridge_part *part = &message->message.parts[i];

	assert_int_equal(part->len, len);
	assert_int_equal(part->data - message->payload, offset);
	assert_memory_equal(part->data, payload->data + offset, len);
}

static void test_the_sdks_message(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct ccm_message *message =
		reads(state, LAYOUT_SDK_RANGES "<Hooks />", &payload);
	const struct bridge_message *bridge = &message->message;

	assert_string_equal(bridge->id, LAYOUT_ID);
	assert_string_equal(bridge->source_id, LAYOUT_SOURCE);
	assert_string_equal(bridge->source_host, "PC01");
	assert_string_equal(bridge->endpoint, "MP_DdrEndpoint");
	assert_null(bridge->file_type);
	assert_int_equal(bridge->signature, BRIDGE_SIGNATURE_NONE);
	assert_int_equal(message->reply_mode, CCM_REPLY_ASYNC);
	assert_false(message->reply_zlib);
	assert_string_equal(message->reply_to, "direct:PC01:SccmMessaging");
	assert_string_equal(message->boundary, LAYOUT_BOUNDARY);
	assert_false(message->compressed);
	assert_int_equal(message->transmitted_len, 4186);
	assert_ptr_equal(message->payload, message->transmitted);
	assert_int_equal(bridge->num_parts, 2);
	part_is(message, 0, &payload, 0, LAYOUT_SDK_BODY);
	part_is(message, 1, &payload, LAYOUT_SDK_BODY, LAYOUT_SDK_ATTACHMENT);
}

static void test_the_sdks_deflated_message(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct buf deflated =
		layout_deflate(*state, payload.data, payload.len, 6, 13);
	struct ccm_message *message = NULL;

	memcpy(deflated.data, "\x58\x85", 2);
	message = reads(state, LAYOUT_SDK_RANGES ZLIB_HOOK, &deflated);
	assert_true(message->compressed);
	assert_int_equal(message->transmitted_len, deflated.len);
	assert_memory_equal(message->transmitted, deflated.data, deflated.len);
	assert_int_equal(message->payload_len, 4186);
	part_is(message, 1, &payload, LAYOUT_SDK_BODY, LAYOUT_SDK_ATTACHMENT);
}

static void test_the_python_senders_message(void **state)
{
	struct buf payload = layout_sender_payload(*state);
	struct buf deflated =
		layout_deflate(*state, payload.data, payload.len, 6, 15);
	/* Without its hook it is known by its first bytes. */
	struct ccm_message *message = reads(
		state, "<ReplyMode>ASync</ReplyMode>" LAYOUT_SENDER_RANGES,
		&deflated);

	assert_true(message->compressed);
	assert_int_equal(message->reply_mode, CCM_REPLY_ASYNC);
	assert_int_equal(message->message.num_parts, 3);
	part_is(message, 0, &payload, 1676, 6204);
	part_is(message, 1, &payload, 0, 1672);
	part_is(message, 2, &payload, 1676, 6202);
}

static void test_a_message_may_be_all_header(void **state)
{
	struct ccm_message *message = NULL;
	const char *reason = NULL;
	struct buf body;

	buf_init(&body, *state, 1 << 20);
	buf_printf(&body, "--%s\r\ncontent-type: text/xml\r\n\r\n%s\r\n--%s--",
		   LAYOUT_BOUNDARY, layout_msg(*state, ZLIB_HOOK),
		   LAYOUT_BOUNDARY);
	assert_int_equal(
		parse(state, &body, body.len, PAYLOAD_MAX, &message, &reason),
		EVERR_OK);
	assert_int_equal(message->payload_len, 0);
	assert_int_equal(message->message.num_parts, 0);
}

/* What a message is refused for, and whether its header is handed out. */
static void refuses(void **state, const struct buf *body, uint64_t payload_max,
		    everr_t expected, bool has_header,
		    const char *expected_reason)
{
	struct ccm_message *message = (void *)1;
	const char *reason = (void *)1;

	assert_int_equal(
		parse(state, body, body->len, payload_max, &message, &reason),
		expected);
	assert_string_equal(reason, expected_reason);
	if (!has_header) {
		assert_null(message);
		return;
	}
	assert_string_equal(message->message.id, LAYOUT_ID);
	assert_string_equal(message->boundary, LAYOUT_BOUNDARY);
	assert_int_equal(message->message.num_parts, 0);
}

static void refuses_msg(void **state, const char *more,
			const struct buf *payload, uint64_t payload_max,
			everr_t expected, const char *expected_reason)
{
	struct buf body = layout_body(*state, layout_msg(*state, more),
				      payload->data, payload->len);

	refuses(state, &body, payload_max, expected, true, expected_reason);
}

static void test_a_message_cut_at_any_byte_is_refused(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct buf deflated =
		layout_deflate(*state, payload.data, payload.len, 9, 15);
	struct buf body =
		layout_body(*state, layout_msg(*state, LAYOUT_SDK_RANGES),
			    deflated.data, deflated.len);
	struct ccm_message *message = NULL;
	const char *reason = NULL;
	size_t len;

	for (len = 0; len < body.len; len++) {
		assert_int_equal(parse(state, &body, len, PAYLOAD_MAX, &message,
				       &reason),
				 EVERR_TEXT);
		assert_null(message);
		assert_non_null(reason);
	}
	assert_int_equal(
		parse(state, &body, len, PAYLOAD_MAX, &message, &reason),
		EVERR_OK);
	assert_null(reason);
}

static void test_an_encrypted_message_is_not_supported(void **state)
{
	struct buf payload = layout_sdk_payload(*state);

	refuses_msg(state,
		    LAYOUT_SDK_RANGES
		    "<Hooks><Hook Name=\"MPHookEncryption\"/></Hooks>",
		    &payload, PAYLOAD_MAX, EVERR_NOT_SUPPORTED,
		    "the message has been encrypted or changed by a hook that "
		    "is not known here");
}

static void test_a_payload_has_its_limit(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct buf deflated =
		layout_deflate(*state, payload.data, payload.len, 9, 15);

	refuses_msg(state, LAYOUT_SDK_RANGES, &payload, 4185, EVERR_LIMIT,
		    "the payload has more than 4,185 bytes");
	refuses_msg(state, LAYOUT_SDK_RANGES, &deflated, 4185, EVERR_LIMIT,
		    "the payload has more than 4,185 bytes when it is "
		    "inflated");
}

static void test_a_hook_must_be_right(void **state)
{
	struct buf payload = layout_sdk_payload(*state);

	refuses_msg(state, LAYOUT_SDK_RANGES ZLIB_HOOK, &payload, PAYLOAD_MAX,
		    EVERR_TEXT,
		    "the payload does not begin as a deflated one, which the "
		    "header's hook says it is");
}

static void test_ranges_past_the_payload_are_refused(void **state)
{
	struct buf payload;

	buf_init(&payload, *state, 1024);
	layout_utf16(&payload, "<Status/>");
	refuses_msg(state, "<Body Offset=\"0\" Length=\"20\"/>", &payload,
		    PAYLOAD_MAX, EVERR_TEXT,
		    "the Body (offset 0, length 20) ends past the payload of "
		    "18 bytes");
}

static void test_what_is_no_message_has_no_header(void **state)
{
	struct ccm_message *message = (void *)1;
	const char *reason = NULL;
	struct buf body;

	buf_init(&body, *state, 1 << 20);
	buf_printf(&body, "--%s\r\n\r\n<Msg/>\r\n--%s--", LAYOUT_BOUNDARY,
		   LAYOUT_BOUNDARY);
	refuses(state, &body, PAYLOAD_MAX, EVERR_TEXT, false,
		"the message's header has no ID");
	/* A request without a body. */
	assert_int_equal(ccm_message_parse(*state, LAYOUT_TYPE, NULL, 0,
					   PAYLOAD_MAX, &message, &reason),
			 EVERR_TEXT);
	assert_null(message);
	assert_int_equal(ccm_message_parse(*state, "text/xml", body.data,
					   body.len, PAYLOAD_MAX, &message,
					   &reason),
			 EVERR_TEXT);
	assert_null(message);
	assert_string_equal(reason, "the request's Content-Type is not "
				    "multipart/mixed");
}

static void test_parts_that_nobody_sends_are_refused(void **state)
{
	char *msg = layout_msg(*state, "");
	struct buf body;

	buf_init(&body, *state, 1 << 20);
	buf_printf(&body,
		   "--%s\r\n\r\n%s\r\n--%s\r\n\r\n\r\n--%s\r\n\r\n\r\n"
		   "--%s--",
		   LAYOUT_BOUNDARY, msg, LAYOUT_BOUNDARY, LAYOUT_BOUNDARY,
		   LAYOUT_BOUNDARY);
	refuses(state, &body, PAYLOAD_MAX, EVERR_TEXT, false,
		"the multipart body has 3 parts instead of a header and a "
		"payload");
	buf_reset(&body);
	buf_printf(&body,
		   "--%s\r\nContent-Transfer-Encoding: Binary\r\n\r\n%s"
		   "\r\n--%s\r\ncontent-transfer-encoding: base64\r\n"
		   "\r\nQQ==\r\n--%s--",
		   LAYOUT_BOUNDARY, msg, LAYOUT_BOUNDARY, LAYOUT_BOUNDARY);
	refuses(state, &body, PAYLOAD_MAX, EVERR_TEXT, false,
		"part 2 of the multipart body has a transfer encoding that is "
		"not known here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_sdks_message),
		leak_test(test_the_sdks_deflated_message),
		leak_test(test_the_python_senders_message),
		leak_test(test_a_message_may_be_all_header),
		leak_test(test_a_message_cut_at_any_byte_is_refused),
		leak_test(test_an_encrypted_message_is_not_supported),
		leak_test(test_a_payload_has_its_limit),
		leak_test(test_a_hook_must_be_right),
		leak_test(test_ranges_past_the_payload_are_refused),
		leak_test(test_what_is_no_message_has_no_header),
		leak_test(test_parts_that_nobody_sends_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
