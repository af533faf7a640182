/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/metrics.h"

#include <string.h>

static const char *text(struct buf *out)
{
	buf_put_u8(out, 0);
	assert_int_equal(buf_error(out), EVERR_OK);
	return (const char *)out->data;
}

static void test_a_family_has_its_help_and_type(void **state)
{
	struct buf out;

	buf_init(&out, *state, 1000);
	metrics_number(&out, "a_total", METRICS_COUNTER, "Things done.",
		       UINT64_MAX);
	metrics_number(&out, "b", METRICS_GAUGE, "Things there.", 0);
	assert_string_equal(text(&out), "# HELP a_total Things done.\n"
					"# TYPE a_total counter\n"
					"a_total 18446744073709551615\n"
					"# HELP b Things there.\n"
					"# TYPE b gauge\n"
					"b 0\n");
}

/*
 * Prometheus' text format 0.0.4: "label_value can be any sequence of UTF-8
 * characters, but the backslash, double-quote, and line feed characters have
 * to be escaped as \\, \", and \n".
 */
static void test_label_values_are_escaped(void **state)
{
	struct buf out;

	buf_init(&out, *state, 1000);
	metrics_sample(&out, "m", "l", "a\\b\"c\nd{},= \xC3\xA9", 1);
	metrics_sample2(&out, "m", "k", "\"", "l", "", 2);
	assert_string_equal(text(&out),
			    "m{l=\"a\\\\b\\\"c\\nd{},= \xC3\xA9\"} 1\n"
			    "m{k=\"\\\"\",l=\"\"} 2\n");
}

static void test_reals_are_written_without_loss_of_microseconds(void **state)
{
	struct buf out;

	buf_init(&out, *state, 1000);
	metrics_sample_real(&out, "m", 1234567 / 1e6);
	metrics_sample_real(&out, "m", 0);
	assert_string_equal(text(&out), "m 1.234567\nm 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_family_has_its_help_and_type),
		leak_test(test_label_values_are_escaped),
		leak_test(test_reals_are_written_without_loss_of_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
