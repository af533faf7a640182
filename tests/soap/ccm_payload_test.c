/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_internal.h"
#include "tests/soap/ccm_layout.h"

#include <string.h>

/* ----------------------------------------------------------------- inflate */

static everr_t inflate_it(void **state, const struct buf *data, size_t len,
			  uint64_t max, const uint8_t **out, size_t *out_len,
			  const char **reason)
{
	/* A copy of its length, for AddressSanitizer. */
	uint8_t *copy = talloc_memdup(*state, data->data, len);
	everr_t err = ccm_payload_inflate(*state, copy, len, max, out, out_len,
					  reason);

	talloc_free(copy);
	return err;
}

static void inflates(void **state, const struct buf *deflated, uint64_t max,
		     const struct buf *expected)
{
	const uint8_t *out = NULL;
	const char *reason = NULL;
	size_t len = 0;

	if (inflate_it(state, deflated, deflated->len, max, &out, &len,
		       &reason) != EVERR_OK) {
		fail_msg("%s", reason);
	}
	assert_int_equal(len, expected->len);
	assert_memory_equal(out, expected->data, len);
}

static void test_each_header_of_a_zlib_stream_is_taken(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct buf deflated;
	int bits;

	for (bits = 9; bits <= 15; bits++) {
		deflated = layout_deflate(*state, payload.data, payload.len,
					  bits % 10, bits);
		assert_true(ccm_payload_is_zlib(deflated.data, deflated.len));
		inflates(state, &deflated, 4186, &payload);
	}
	deflated = layout_deflate(*state, payload.data, payload.len, 6, 15);
	assert_memory_equal(deflated.data, "\x78\x9C", 2);

	/* Microsoft's encoder: a window of 8 KiB, level 2. */
	deflated = layout_deflate(*state, payload.data, payload.len, 6, 13);
	memcpy(deflated.data, "\x58\x85", 2);
	assert_true(ccm_payload_is_zlib(deflated.data, deflated.len));
	inflates(state, &deflated, 4186, &payload);
}

static void test_texts_are_not_taken_for_zlib_streams(void **state)
{
	assert_false(ccm_payload_is_zlib((const uint8_t *)"<\0", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"\xFF\xFE", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"x\0", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"h\0", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"<R", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"\x78\x9D", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"\x88\x1C", 2));
	/* A dictionary that nobody has: 7820 + 31 * n with the bit. */
	assert_false(ccm_payload_is_zlib((const uint8_t *)"\x78\xBB", 2));
	assert_false(ccm_payload_is_zlib((const uint8_t *)"\x78", 1));
}

static void test_what_follows_a_zlib_stream_is_ignored(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct buf deflated =
		layout_deflate(*state, payload.data, payload.len, 6, 15);

	buf_puts(&deflated, "\r\ngarbage");
	inflates(state, &deflated, 1 << 20, &payload);
}

static void test_inflating_stops_at_its_limit(void **state)
{
	static const size_t sizes[] = {1, 65535, 65536, 65537, 200000};
	const uint8_t *out = NULL;
	const char *reason = NULL;
	size_t len = 0;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf zeros, deflated;

		buf_init(&zeros, *state, 1 << 20);
		buf_put_zero(&zeros, sizes[i]);
		deflated = layout_deflate(*state, zeros.data, zeros.len, 9, 15);
		inflates(state, &deflated, sizes[i], &zeros);
		assert_int_equal(inflate_it(state, &deflated, deflated.len,
					    sizes[i] - 1, &out, &len, &reason),
				 EVERR_LIMIT);
		assert_null(out);
	}
	assert_string_equal(reason, "the payload has more than 199,999 bytes "
				    "when it is inflated");
}

/* A megabyte of a stream for a gigabyte costs no more than the limit. */
static void test_a_bomb_stays_within_its_limit(void **state)
{
	struct buf zeros, bomb;
	const uint8_t *out = NULL;
	const char *reason = NULL;
	size_t len = 0;
	size_t before;

	buf_init(&zeros, *state, 16 << 20);
	buf_put_zero(&zeros, 16 << 20);
	bomb = layout_deflate(*state, zeros.data, zeros.len, 9, 15);
	assert_true(bomb.len < 32768);
	before = talloc_total_size(*state);
	assert_int_equal(inflate_it(state, &bomb, bomb.len, 1 << 20, &out, &len,
				    &reason),
			 EVERR_LIMIT);
	assert_true(talloc_total_size(*state) < before + 1024);
}

static void test_a_damaged_zlib_stream_is_refused(void **state)
{
	struct buf payload = layout_sdk_payload(*state);
	struct buf deflated =
		layout_deflate(*state, payload.data, payload.len, 6, 15);
	const uint8_t *out = NULL;
	const char *reason = NULL;
	size_t len = 0;
	size_t i;

	for (i = 0; i < deflated.len; i++) {
		assert_int_equal(inflate_it(state, &deflated, i, 1 << 20, &out,
					    &len, &reason),
				 EVERR_TEXT);
	}
	assert_int_equal(strncmp(reason,
				 "the deflated payload is cut off "
				 "after ",
				 38),
			 0);
	/* Its checksum. */
	deflated.data[deflated.len - 1] ^= 1;
	assert_int_equal(inflate_it(state, &deflated, deflated.len, 1 << 20,
				    &out, &len, &reason),
			 EVERR_TEXT);
	assert_non_null(strstr(reason, "is damaged after"));
	deflated.data[0] = '<';
	assert_int_equal(inflate_it(state, &deflated, deflated.len, 1 << 20,
				    &out, &len, &reason),
			 EVERR_TEXT);
	assert_null(out);
}

/* ------------------------------------------------------------------ ranges */

struct expected {
	size_t offset;
	size_t len;
};

static everr_t cut(void **state, const char *ranges, const uint8_t *payload,
		   size_t len, const struct bridge_part **parts, size_t *num,
		   const char **reason)
{
	char *msg = layout_msg(*state, ranges);
	struct ccm_header *header = NULL;

	assert_int_equal(ccm_header_parse(*state, (uint8_t *)msg, strlen(msg),
					  &header, reason),
			 EVERR_OK);
	return ccm_payload_parts(*state, header, payload, len, parts, num,
				 reason);
}

static void parts_are(void **state, const char *ranges, const void *data,
		      size_t len, const struct expected *expected, size_t num)
{
	const uint8_t *payload = data;
	const struct bridge_part *parts = NULL;
	const char *reason = NULL;
	size_t num_parts = 77;
	size_t i;

	if (cut(state, ranges, payload, len, &parts, &num_parts, &reason) !=
	    EVERR_OK) {
		fail_msg("%s", reason);
	}
	assert_int_equal(num_parts, num);
	for (i = 0; i < num; i++) {
		assert_int_equal(parts[i].data - payload, expected[i].offset);
		assert_int_equal(parts[i].len, expected[i].len);
	}
}

#define PARTS_ARE(ranges, data, len, ...)                          \
	parts_are(state, ranges, data, len,                        \
		  (const struct expected[]){__VA_ARGS__},          \
		  sizeof((const struct expected[]){__VA_ARGS__}) / \
			  sizeof(struct expected))

static void test_the_sdk_lists_each_attachment_twice(void **state)
{
	struct buf payload = layout_sdk_payload(*state);

	PARTS_ARE(LAYOUT_SDK_RANGES, payload.data, payload.len,
		  {0, LAYOUT_SDK_BODY}, {1674, LAYOUT_SDK_ATTACHMENT});
	/* So even without a name. */
	PARTS_ARE("<Body Length=\"1674\" Offset=\"0\"/>"
		  "<Attachment Length=\"2510\" Offset=\"0\"/>"
		  "<Attachment Length=\"2510\" Offset=\"1674\"/>",
		  payload.data, payload.len, {0, 1674}, {1674, 2510});
}

static void test_two_attachments_of_the_sdk(void **state)
{
	static const uint8_t payload[100] = {0};

	PARTS_ARE("<Attachment Length=\"20\" Name=\"a\" Offset=\"0\"/>"
		  "<Attachment Length=\"20\" Name=\"a\" Offset=\"10\"/>"
		  "<Attachment Length=\"20\" Name=\"b\" Offset=\"0\"/>"
		  "<Attachment Length=\"20\" Name=\"b\" Offset=\"30\"/>"
		  "<Body Length=\"10\" Offset=\"0\"/>",
		  payload, 100, {0, 10}, {10, 20}, {30, 20});
	/* The Body's own bytes are not an attachment. */
	PARTS_ARE("<Body Length=\"10\"/><Attachment Length=\"10\"/>", payload,
		  100, {0, 10});
	/* Another name or another length is another attachment. */
	PARTS_ARE("<Body Length=\"10\"/>"
		  "<Attachment Length=\"20\" Name=\"a\" Offset=\"0\"/>"
		  "<Attachment Length=\"21\" Name=\"b\" Offset=\"10\"/>",
		  payload, 100, {0, 10}, {0, 20}, {10, 21});
}

static void test_the_python_senders_body_is_its_second_report(void **state)
{
	struct buf payload = layout_sender_payload(*state);

	PARTS_ARE(LAYOUT_SENDER_RANGES, payload.data, payload.len, {1676, 6204},
		  {0, 1672}, {1676, 6202});
}

static void test_a_range_past_the_payload_is_dropped(void **state)
{
	struct buf payload = layout_sdk_payload(*state);

	PARTS_ARE("<Body Length=\"1674\" Offset=\"0\"/>"
		  "<Attachment Length=\"2513\" Offset=\"1674\"/>"
		  "<Attachment Length=\"2512\" Offset=\"1674\"/>"
		  "<Attachment Length=\"1\" Offset=\"4186\"/>"
		  "<Attachment Length=\"0\" Offset=\"4186\"/>"
		  "<Attachment Length=\"1\" "
		  "Offset=\"18446744073709551615\"/>"
		  "<Attachment Length=\"18446744073709551615\" "
		  "Offset=\"2\"/>",
		  payload.data, payload.len, {0, 1674}, {1674, 2512});
	PARTS_ARE("<Body Length=\"9999\" Offset=\"0\"/>"
		  "<Attachment Length=\"2510\" Offset=\"1674\"/>",
		  payload.data, payload.len, {1674, 2510});
}

static void test_without_ranges_reports_are_found_in_utf16(void **state)
{
	struct buf payload = layout_sender_payload(*state);

	PARTS_ARE("<Body Length=\"9999\"/>", payload.data, payload.len,
		  {0, 1672}, {1676, 6202});
	PARTS_ARE("", payload.data, payload.len, {0, 1672}, {1676, 6202});
	/* The SDK's: the second one begins with a BOM. */
	payload = layout_sdk_payload(*state);
	PARTS_ARE("", payload.data, payload.len, {0, 1672}, {1674, 2510});
}

static void test_without_ranges_reports_are_found_in_other_text(void **state)
{
	static const char text[] =
		"<Report>1</Report>\r\n<Report>2</Report>\0\r\n";

	PARTS_ARE("", text, sizeof(text) - 1, {0, 18}, {20, 18});
	PARTS_ARE("", "<Status/>\r\n", 11, {0, 11});
}

/* U+3C00 and so on: the bytes are there, the characters are not. */
static void test_a_report_ends_at_a_whole_character(void **state)
{
	struct buf payload;

	buf_init(&payload, *state, 1024);
	layout_utf16(&payload, "<Report>");
	buf_put_u8(&payload, 1);
	layout_utf16(&payload, "</Report>");
	buf_put_u8(&payload, 1);
	layout_utf16(&payload, "</Report>");
	PARTS_ARE("", payload.data, payload.len, {0, payload.len});
}

static void test_an_empty_payload_has_no_parts(void **state)
{
	const struct bridge_part *parts = NULL;
	const char *reason = NULL;
	size_t num = 77;

	assert_int_equal(cut(state, "", NULL, 0, &parts, &num, &reason),
			 EVERR_OK);
	assert_int_equal(num, 0);
	num = 77;
	assert_int_equal(cut(state, "<Body Length=\"0\"/>",
			     (const uint8_t *)"\r\n", 2, &parts, &num, &reason),
			 EVERR_OK);
	assert_int_equal(num, 0);
}

static void refuses(void **state, const char *ranges, size_t len,
		    everr_t expected, const char *expected_reason)
{
	uint8_t *payload = talloc_zero_array(*state, uint8_t, len);
	const struct bridge_part *parts = NULL;
	const char *reason = NULL;
	size_t num = 77;

	assert_int_equal(
		cut(state, ranges, payload, len, &parts, &num, &reason),
		expected);
	assert_string_equal(reason, expected_reason);
	assert_null(parts);
	assert_int_equal(num, 77);
}

static void test_only_ranges_past_the_payload_are_refused(void **state)
{
	refuses(state, "<Body Offset=\"1676\" Length=\"6204\"/>", 4186,
		EVERR_TEXT,
		"the Body (offset 1,676, length 6,204) ends past the payload "
		"of 4,186 bytes");
	refuses(state,
		"<Body Length=\"0\"/><Attachment Name=\"a\" Offset=\"0\" "
		"Length=\"2\"/><Attachment Length=\"1\" Offset=\"7\"/>",
		1, EVERR_TEXT,
		"the Attachment a (offset 0, length 2) ends past the payload "
		"of 1 bytes");
	refuses(state, "<Attachment Length=\"1\" Offset=\"0\"/>", 0, EVERR_TEXT,
		"the Attachment (offset 0, length 1) ends past the payload of "
		"0 bytes");
}

/* Whoever reads the parts must not read the payload 256 times. */
static void test_ranges_must_not_multiply_the_payload(void **state)
{
	static const char attachment[] = "<Attachment Length=\"99\"/>";
	static const uint8_t payload[100] = {0};

	PARTS_ARE("<Body Length=\"100\"/>"
		  "<Attachment Length=\"97\"/><Attachment Length=\"98\"/>"
		  "<Attachment Length=\"99\"/>",
		  payload, 100, {0, 100}, {0, 97}, {0, 98}, {0, 99});
	refuses(state,
		talloc_asprintf(*state, "%s%s%s%s%s", attachment, attachment,
				attachment, attachment, attachment),
		100, EVERR_LIMIT,
		"the header's ranges cover the payload more than 4 times");
}

static void test_reports_without_ranges_have_a_limit(void **state)
{
	const struct bridge_part *parts = NULL;
	const char *reason = NULL;
	struct buf payload;
	size_t num = 0;
	size_t i;

	buf_init(&payload, *state, 1 << 20);
	for (i = 0; i <= CCM_ATTACHMENTS_MAX; i++) {
		buf_puts(&payload, "<Report></Report>");
	}
	assert_int_equal(cut(state, "", payload.data, payload.len, &parts, &num,
			     &reason),
			 EVERR_OK);
	assert_int_equal(num, CCM_ATTACHMENTS_MAX + 1);
	buf_puts(&payload, "</Report>");
	assert_int_equal(cut(state, "", payload.data, payload.len, &parts, &num,
			     &reason),
			 EVERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_each_header_of_a_zlib_stream_is_taken),
		leak_test(test_texts_are_not_taken_for_zlib_streams),
		leak_test(test_what_follows_a_zlib_stream_is_ignored),
		leak_test(test_inflating_stops_at_its_limit),
		leak_test(test_a_bomb_stays_within_its_limit),
		leak_test(test_a_damaged_zlib_stream_is_refused),
		leak_test(test_the_sdk_lists_each_attachment_twice),
		leak_test(test_two_attachments_of_the_sdk),
		leak_test(test_the_python_senders_body_is_its_second_report),
		leak_test(test_a_range_past_the_payload_is_dropped),
		leak_test(test_without_ranges_reports_are_found_in_utf16),
		leak_test(test_without_ranges_reports_are_found_in_other_text),
		leak_test(test_a_report_ends_at_a_whole_character),
		leak_test(test_an_empty_payload_has_no_parts),
		leak_test(test_only_ranges_past_the_payload_are_refused),
		leak_test(test_ranges_must_not_multiply_the_payload),
		leak_test(test_reports_without_ranges_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
