/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_LEAK_H
#define EVENLOG_TESTS_LEAK_H

/*
 * cmocka with a talloc leak check around every test: *state is a context, and
 * what a test leaves outside it fails the test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <talloc.h>

static size_t leak_before;

static int leak_setup(void **state)
{
	talloc_enable_null_tracking();
	leak_before = talloc_total_blocks(NULL);
	*state = talloc_new(NULL);
	return *state == NULL ? -1 : 0;
}

static int leak_teardown(void **state)
{
	talloc_free(*state);
	*state = NULL;
	if (talloc_total_blocks(NULL) != leak_before) {
		talloc_report_full(NULL, stderr);
		return -1;
	}
	/* Or its own context is what LeakSanitizer reports. */
	talloc_disable_null_tracking();
	return 0;
}

#define leak_test(fn) \
	cmocka_unit_test_setup_teardown(fn, leak_setup, leak_teardown)

#endif
