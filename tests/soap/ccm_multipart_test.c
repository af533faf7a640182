/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_multipart.h"

#include <string.h>
#include <time.h>

/* As Microsoft's SDK writes it. */
#define SDK_BOUNDARY "aAbBcCdDv1234567890VxXyYzZ"

#define TEXT_HEAD "content-type: text/plain; charset=UTF-16\r\n\r\n"
#define DATA_HEAD "content-type: application/octet-stream\r\n\r\n"

static void boundary_is(void **state, const char *content_type,
			const char *expected)
{
	const char *boundary = NULL;
	const char *reason = NULL;
	everr_t err = ccm_multipart_boundary(*state, content_type, &boundary,
					     &reason);

	if (expected == NULL) {
		assert_int_equal(err, EVERR_TEXT);
		assert_null(boundary);
		assert_non_null(reason);
		return;
	}
	assert_int_equal(err, EVERR_OK);
	assert_string_equal(boundary, expected);
}

static void test_boundary_is_read_quoted_or_not(void **state)
{
	boundary_is(state, "multipart/mixed; boundary=\"" SDK_BOUNDARY "\"",
		    SDK_BOUNDARY);
	boundary_is(state, "multipart/mixed; boundary=" SDK_BOUNDARY,
		    SDK_BOUNDARY);
	boundary_is(state, "Multipart/Mixed;BOUNDARY=x", "x");
	boundary_is(state, " multipart/related ; a=b; boundary = x ; c=\"d;e\"",
		    "x");
	boundary_is(state, "multipart/mixed; a=\"; boundary=y\"; boundary=x;",
		    "x");
	boundary_is(state, "multipart/mixed; boundary=\"a b'(:?)\"",
		    "a b'(:?)");
	boundary_is(state, "multipart/mixed; boundary=\"a\\b\"", "ab");
	boundary_is(state, "multipart/mixed; boundary=a/b=c", "a/b=c");
}

static void test_what_is_no_boundary_is_refused(void **state)
{
	boundary_is(state, NULL, NULL);
	boundary_is(state, "", NULL);
	boundary_is(state, "text/xml; boundary=x", NULL);
	boundary_is(state, "multipart/mixed", NULL);
	boundary_is(state, "multipart/mixed; charset=x", NULL);
	boundary_is(state, "multipart/mixed; xboundary=x", NULL);
	boundary_is(state, "multipart/mixed; boundary", NULL);
	boundary_is(state, "multipart/mixed; boundary=", NULL);
	boundary_is(state, "multipart/mixed; boundary=\"\"", NULL);
	boundary_is(state, "multipart/mixed; boundary=\"x", NULL);
	boundary_is(state, "multipart/mixed; boundary=\"x\\", NULL);
	boundary_is(state, "multipart/mixed; boundary=\"x \"", NULL);
	boundary_is(state, "multipart/mixed; boundary=x y", NULL);
	boundary_is(state, "multipart/mixed; boundary=x\"", NULL);
	boundary_is(state, "multipart/mixed; boundary=\"x\r\nA: b\"", NULL);
	boundary_is(state, "multipart/mixed; boundary=\xC3\xA4", NULL);
	boundary_is(state, "multipart/mixed; boundary=x; boundary=y", NULL);
	boundary_is(state, "multipart/mixed; =x; boundary=y", NULL);
}

/* RFC 2046 5.1.1: no longer than 70 characters. */
static void test_a_boundary_has_seventy_characters_at_most(void **state)
{
	char boundary[72];
	char type[128];

	memset(boundary, 'b', sizeof(boundary));
	boundary[70] = '\0';
	snprintf(type, sizeof(type), "multipart/mixed; boundary=%s", boundary);
	boundary_is(state, type, boundary);
	boundary[70] = 'b';
	boundary[71] = '\0';
	snprintf(type, sizeof(type), "multipart/mixed; boundary=%s", boundary);
	boundary_is(state, type, NULL);
}

static everr_t parse(void **state, const char *body, size_t len,
		     struct ccm_parts *parts, const char **ret_reason)
{
	return ccm_multipart_parse(*state, "B", (const uint8_t *)body, len,
				   parts, ret_reason);
}

static void parts_are(void **state, const char *body, size_t len, size_t num,
		      const char *const *expected)
{
	struct ccm_parts parts = {.num = 0};
	const char *reason = NULL;
	size_t i;

	if (parse(state, body, len, &parts, &reason) != EVERR_OK) {
		fail_msg("%s", reason);
	}
	assert_int_equal(parts.num, num);
	for (i = 0; i < num; i++) {
		assert_int_equal(parts.part[i].len, strlen(expected[i]));
		assert_memory_equal(parts.part[i].data, expected[i],
				    strlen(expected[i]));
	}
}

#define PARTS_ARE(body, ...)                                                   \
	parts_are(state, body, sizeof(body) - 1,                               \
		  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), \
		  (const char *const[]){__VA_ARGS__})

static void test_parts_of_the_known_layout(void **state)
{
	PARTS_ARE("--B\r\n" TEXT_HEAD "<Msg/>\r\n--B\r\n" DATA_HEAD
		  "payload\r\n\r\n--B--",
		  "<Msg/>", "payload\r\n");
}

static void test_what_stands_around_the_parts_is_passed_over(void **state)
{
	PARTS_ARE("a preamble\r\n--B\r\n\r\nx\r\n--B--\r\n", "x");
	PARTS_ARE("\r\n--B\r\n\r\nx\r\n--B--\r\nepilogue\r\n--B\r\n", "x");
	PARTS_ARE("--B \t\r\n\r\nx\r\n--B-- \t\r\n", "x");
	PARTS_ARE("--Bx\r\n--B\r\n\r\nx\r\n--B--", "x");
}

static void test_parts_without_headers_or_content(void **state)
{
	PARTS_ARE("--B\r\n\r\n\r\n--B--", "");
	PARTS_ARE("--B\r\n\r\n--B\r\n\r\ny\r\n--B--", "", "y");
	PARTS_ARE("--B\r\nA: b\r\n\r\n\r\n--B--", "");
	PARTS_ARE("--B\r\n\r\nA: b\r\n\r\nx\r\n--B--", "A: b\r\n\r\nx");
}

static void test_almost_delimiters_belong_to_the_payload(void **state)
{
	PARTS_ARE("--B\r\n\r\n\r\n--b\n--B\r--B--\r\n--B-\r\n--Bx\r\n--B x\r\n"
		  "--B--x\r\n--B\n\r\n-B\r\n--\r\n--B\r\n\r\n\r\n--B--",
		  "\r\n--b\n--B\r--B--\r\n--B-\r\n--Bx\r\n--B x\r\n"
		  "--B--x\r\n--B\n\r\n-B\r\n--",
		  "");
}

static void test_binary_payload_with_zeros(void **state)
{
	static const char body[] = "--B\r\n\r\n\0\r\n--\0B\r\n\0\r\n--B--";
	struct ccm_parts parts = {.num = 0};
	const char *reason = NULL;

	assert_int_equal(parse(state, body, sizeof(body) - 1, &parts, &reason),
			 EVERR_OK);
	assert_int_equal(parts.part[0].len, 10);
	assert_memory_equal(parts.part[0].data, "\0\r\n--\0B\r\n\0", 10);
}

static void field_is(const struct ccm_part *part, const char *name,
		     const char *expected)
{
	const char *value = NULL;
	size_t len = 0;

	assert_true(ccm_part_field(part, name, &value, &len));
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(value, expected, len);
}

static void test_head_fields_have_any_case_and_spacing(void **state)
{
	static const char body[] =
		"--B\r\nX-Extra: content-type\r\nCONTENT-type \t:  text/plain; "
		"charset=UTF-16 \r\nContent-Type-2: a\r\nlast:\r\n\r\nx\r\n"
		"--B--";
	struct ccm_parts parts = {.num = 0};
	const char *reason = NULL;
	const char *value = NULL;
	size_t len = 0;

	assert_int_equal(parse(state, body, sizeof(body) - 1, &parts, &reason),
			 EVERR_OK);
	field_is(&parts.part[0], "content-type", "text/plain; charset=UTF-16");
	field_is(&parts.part[0], "Last", "");
	assert_false(ccm_part_field(&parts.part[0], "extra", &value, &len));
	assert_false(ccm_part_field(&parts.part[0], "Content", &value, &len));
}

static void refused(void **state, const char *body, everr_t expected,
		    const char *expected_reason)
{
	struct ccm_parts parts = {.num = 77};
	const char *reason = NULL;

	assert_int_equal(parse(state, body, strlen(body), &parts, &reason),
			 expected);
	assert_string_equal(reason, expected_reason);
	assert_int_equal(parts.num, 77);
}

static void test_the_reason_says_where_a_body_ends(void **state)
{
	char body[2048] = "--B\r\n\r\nx\r\n--B\r\nA: b\r\n\r\n";
	size_t len = strlen(body);

	memset(body + len, 'p', 1674);
	refused(state, body, EVERR_TEXT,
		"the multipart body ends inside part 2, 1,674 bytes after its "
		"head");
	refused(state, "--B\r\nA: b", EVERR_TEXT,
		"the multipart body ends inside the head of part 1");
	refused(state, "--B\r\nA: b\r\n--B--", EVERR_TEXT,
		"part 1 of the multipart body has no empty line after its "
		"head");
	refused(state, "--B--", EVERR_TEXT, "the multipart body has no part");
	refused(state, "", EVERR_TEXT,
		"the multipart body has no delimiter with the boundary of its "
		"Content-Type");
	refused(state, "\n--B\r\n\r\nx\r\n--B--x", EVERR_TEXT,
		"the multipart body has no delimiter with the boundary of its "
		"Content-Type");
}

static void test_a_body_cut_at_any_byte_is_refused(void **state)
{
	static const char body[] =
		"--B\r\n" TEXT_HEAD "<\0M\0\r\n--B\r\n" DATA_HEAD
		"\r\n--b\r\n\r\n--B--";
	struct ccm_parts parts = {.num = 0};
	const char *reason = NULL;
	size_t len;

	for (len = 0; len < sizeof(body) - 1; len++) {
		/* A copy of its length, for AddressSanitizer. */
		char *copy = talloc_memdup(*state, body, len);

		reason = NULL;
		assert_int_equal(parse(state, copy, len, &parts, &reason),
				 EVERR_TEXT);
		assert_non_null(reason);
		talloc_free(copy);
	}
	assert_int_equal(parse(state, body, len, &parts, &reason), EVERR_OK);
	assert_int_equal(parts.num, 2);
}

static void test_parts_and_heads_have_limits(void **state)
{
	char *body = talloc_strdup(*state, "");
	struct ccm_parts parts = {.num = 0};
	const char *reason = NULL;
	char *head = NULL;
	size_t i;

	for (i = 0; i < CCM_PARTS_MAX; i++) {
		body = talloc_strdup_append(body, "--B\r\n\r\nx\r\n");
	}
	assert_int_equal(parse(state, talloc_asprintf(*state, "%s--B--", body),
			       strlen(body) + 5, &parts, &reason),
			 EVERR_OK);
	assert_int_equal(parts.num, CCM_PARTS_MAX);
	refused(state, talloc_asprintf(*state, "%s--B\r\n\r\nx\r\n--B--", body),
		EVERR_LIMIT, "the multipart body has more than 16 parts");

	head = talloc_array(*state, char, CCM_PART_HEAD_MAX + 2);
	memset(head, 'h', CCM_PART_HEAD_MAX + 1);
	head[CCM_PART_HEAD_MAX + 1] = '\0';
	refused(state,
		talloc_asprintf(*state, "--B\r\n%s\r\n\r\nx\r\n--B--", head),
		EVERR_LIMIT,
		"the head of part 1 of the multipart body has more than 8192 "
		"bytes");
}

static double seconds_for(void **state, size_t len, const char *pattern)
{
	struct timespec a, b;
	struct ccm_parts parts = {.num = 0};
	const char *reason = NULL;
	size_t n = strlen(pattern);
	char *body = talloc_array(*state, char, len);
	size_t i;

	for (i = 0; i < len; i++) {
		body[i] = pattern[i % n];
	}
	memcpy(body, "--B\r\n\r\n", 7);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(parse(state, body, len, &parts, &reason), EVERR_TEXT);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	talloc_free(body);
	return (double)(b.tv_sec - a.tv_sec) +
	       (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* Sixteen times the bytes in far less than 16 * 16 times the time. */
static void test_time_is_linear_in_a_hostile_body(void **state)
{
	static const char *const patterns[] = {"\r\n--B ", "\r\n--", "\r\n\r",
					       "\r\n--B--  x"};
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		double small = seconds_for(state, 1 << 18, patterns[i]);
		double large = seconds_for(state, 1 << 22, patterns[i]);

		assert_true(large < 0.5 || large < 100 * small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_boundary_is_read_quoted_or_not),
		leak_test(test_what_is_no_boundary_is_refused),
		leak_test(test_a_boundary_has_seventy_characters_at_most),
		leak_test(test_parts_of_the_known_layout),
		leak_test(test_what_stands_around_the_parts_is_passed_over),
		leak_test(test_parts_without_headers_or_content),
		leak_test(test_almost_delimiters_belong_to_the_payload),
		leak_test(test_binary_payload_with_zeros),
		leak_test(test_head_fields_have_any_case_and_spacing),
		leak_test(test_the_reason_says_where_a_body_ends),
		leak_test(test_a_body_cut_at_any_byte_is_refused),
		leak_test(test_parts_and_heads_have_limits),
		leak_test(test_time_is_linear_in_a_hostile_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
