/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/backoff.h"

static void test_wait_doubles_up_to_the_bound(void **state)
{
	static const uint32_t expected[] = {100, 200, 400, 800, 1000, 1000};
	struct backoff backoff = {.min_ms = 100, .max_ms = 1000};
	size_t i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		/* The largest jitter: its half is divided without rest. */
		assert_int_equal(backoff_next(&backoff, expected[i] / 2),
				 expected[i]);
	}
}

static void test_jitter_stays_between_half_and_all_of_the_wait(void **state)
{
	uint32_t random;

	for (random = 0; random < 5000; random++) {
		struct backoff backoff = {.min_ms = 333, .max_ms = 60000};
		uint32_t wait = backoff_next(&backoff, random);

		assert_in_range(wait, 333 - 333 / 2, 333);
	}
}

static void test_many_failures_neither_overflow_nor_reach_zero(void **state)
{
	struct backoff backoff = {.min_ms = 1000,
				  .max_ms = UINT32_MAX,
				  .attempts = UINT32_MAX - 1};
	uint32_t wait;

	wait = backoff_next(&backoff, 0);
	assert_in_range(wait, UINT32_MAX / 2, UINT32_MAX);
	wait = backoff_next(&backoff, UINT32_MAX);
	assert_in_range(wait, UINT32_MAX / 2, UINT32_MAX);
	assert_int_equal(backoff.attempts, UINT32_MAX);
}

static void test_success_starts_from_the_least_wait(void **state)
{
	struct backoff backoff = {.min_ms = 100, .max_ms = 1000};

	(void)backoff_next(&backoff, 0);
	(void)backoff_next(&backoff, 0);
	backoff_reset(&backoff);
	assert_int_equal(backoff_next(&backoff, 50), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_doubles_up_to_the_bound),
		cmocka_unit_test(
			test_jitter_stays_between_half_and_all_of_the_wait),
		cmocka_unit_test(
			test_many_failures_neither_overflow_nor_reach_zero),
		cmocka_unit_test(test_success_starts_from_the_least_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
