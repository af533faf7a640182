/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "daemon/json_text.h"

#include <jansson.h>
#include <math.h>

/* 2024-02-29T12:34:56.7890123Z, by another program's arithmetic. */
#define LEAP_DAY 133536836967890123ULL

static json_t *parse(struct buf *out)
{
	json_error_t error;
	json_t *json = NULL;

	assert_int_equal(buf_error(out), EVERR_OK);
	json = json_loadb((const char *)out->data, out->len,
			  JSON_REJECT_DUPLICATES, &error);
	if (json == NULL) {
		fail_msg("%s", error.text);
	}
	return json;
}

static void test_members_and_elements_have_their_commas(void **state)
{
	struct buf out;
	json_t *json = NULL;
	json_t *expected =
		json_pack("{s:{}, s:[{s:i,s:b},{s:n}], s:[], s:f, s:s}",
			  "empty", "list", "a", 0, "b", 1, "c", "none", "real",
			  1.5, "time", "2024-02-29T12:34:56.7890123Z");

	buf_init(&out, *state, 1000);
	daemon_json_open(&out, NULL, '{');
	daemon_json_open(&out, "empty", '{');
	daemon_json_close(&out, '}');
	daemon_json_open(&out, "list", '[');
	daemon_json_open(&out, NULL, '{');
	daemon_json_number(&out, "a", 0);
	daemon_json_bool(&out, "b", true);
	daemon_json_close(&out, '}');
	daemon_json_open(&out, NULL, '{');
	daemon_json_time(&out, "c", 0);
	daemon_json_close(&out, '}');
	daemon_json_close(&out, ']');
	daemon_json_open(&out, "none", '[');
	daemon_json_close(&out, ']');
	daemon_json_real(&out, "real", 1.5);
	daemon_json_time(&out, "time", LEAP_DAY);
	daemon_json_close(&out, '}');

	json = parse(&out);
	assert_true(json_equal(json, expected));
	json_decref(json);
	json_decref(expected);
	buf_free(&out);
}

static void test_any_text_is_a_string(void **state)
{
	static const char *const texts[] = {
		"",  "\"", "\\", "a\nb\tc\x01\x1f\x7f", "\xc3\xa4\xe2\x82\xac",
		"{", "[",
	};
	struct buf out;
	json_t *json = NULL;
	size_t i;

	buf_init(&out, *state, 1000);
	daemon_json_open(&out, NULL, '[');
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		daemon_json_text(&out, NULL, texts[i]);
	}
	daemon_json_text(&out, NULL, "\xff\xc3(");
	daemon_json_text(&out, NULL, NULL);
	daemon_json_close(&out, ']');

	json = parse(&out);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_string_equal(json_string_value(json_array_get(json, i)),
				    texts[i]);
	}
	assert_string_equal(json_string_value(json_array_get(json, i)), "?\?(");
	assert_true(json_is_null(json_array_get(json, i + 1)));
	json_decref(json);
	buf_free(&out);
}

static void test_any_number_can_be_read(void **state)
{
	struct buf out;
	json_t *json = NULL;

	buf_init(&out, *state, 1000);
	daemon_json_open(&out, NULL, '[');
	daemon_json_number(&out, NULL, 9);
	daemon_json_number(&out, NULL, INT64_MAX);
	daemon_json_number(&out, NULL, UINT64_MAX);
	daemon_json_real(&out, NULL, NAN);
	daemon_json_real(&out, NULL, INFINITY);
	daemon_json_real(&out, NULL, 123456789.25);
	daemon_json_close(&out, ']');

	json = parse(&out);
	assert_int_equal(json_integer_value(json_array_get(json, 0)), 9);
	assert_int_equal(json_integer_value(json_array_get(json, 1)),
			 INT64_MAX);
	assert_int_equal(json_integer_value(json_array_get(json, 2)),
			 INT64_MAX);
	assert_true(json_real_value(json_array_get(json, 3)) == 0);
	assert_true(json_real_value(json_array_get(json, 4)) == 0);
	assert_true(json_real_value(json_array_get(json, 5)) == 123456789.25);
	json_decref(json);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_members_and_elements_have_their_commas),
		leak_test(test_any_text_is_a_string),
		leak_test(test_any_number_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
