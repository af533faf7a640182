/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/samba_log.h"

#include "rpc/samba.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/debug.h>

#include <cmocka.h>

/* What fn makes this process write to stderr; the caller frees it. */
static char *stderr_of(void (*fn)(void))
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	char *text = test_calloc(1, 65536);
	size_t len;

	assert_non_null(file);
	assert_int_not_equal(dup2(fileno(file), STDERR_FILENO), -1);
	fn();
	fflush(stderr);
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	rewind(file);
	len = fread(text, 1, 65535, file);
	assert_true(len < 65535);
	fclose(file);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += *text == '\n';
	}
	return count;
}

static void flood(void)
{
	int i;

	rpc_samba_log_start("test");
	for (i = 0; i < 10000; i++) {
		DEBUG(0, ("a client sent nonsense %d\n", i));
	}
}

static void test_a_flood_of_lines_is_cut_short(void **state)
{
	char *text = stderr_of(flood);

	assert_int_equal(count_lines(text), 20);
	assert_memory_equal(text, "test: Samba: a client sent nonsense 0\n",
			    38);
	test_free(text);
}

static void wanted(void)
{
	int i;

	rpc_samba_log_start("test");
	debuglevel_set(3);
	for (i = 0; i < 100; i++) {
		DEBUG(3, ("wanted\n"));
	}
	debuglevel_set(0);
	DEBUG(3, ("not wanted\n"));
}

static void test_what_was_asked_for_is_not_cut(void **state)
{
	char *text = stderr_of(wanted);

	assert_int_equal(count_lines(text), 100);
	test_free(text);
}

static void strange(void)
{
	rpc_samba_log_start("test");
	DEBUG(0, ("user a\033[2J\rb\n"));
}

static void test_a_line_stays_one_and_harmless(void **state)
{
	char *text = stderr_of(strange);

	assert_string_equal(text, "test: Samba: user a [2J b\n");
	test_free(text);
}

static void test_the_next_minute_tells_what_was_held(void **state)
{
	struct rpc_log_gate gate = {};
	uint64_t held = 1;
	int i;

	for (i = 0; i < 20; i++) {
		assert_true(rpc_log_gate_pass(&gate, 1000, &held));
		assert_int_equal(held, 0);
	}
	assert_false(rpc_log_gate_pass(&gate, 1000, &held));
	assert_false(rpc_log_gate_pass(&gate, 1059, &held));
	assert_int_equal(held, 0);
	assert_true(rpc_log_gate_pass(&gate, 1060, &held));
	assert_int_equal(held, 2);
	assert_true(rpc_log_gate_pass(&gate, 1060, &held));
	assert_int_equal(held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_flood_of_lines_is_cut_short),
		cmocka_unit_test(test_what_was_asked_for_is_not_cut),
		cmocka_unit_test(test_a_line_stays_one_and_harmless),
		cmocka_unit_test(test_the_next_minute_tells_what_was_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
