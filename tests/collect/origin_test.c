/* SPDX-License-Identifier: GPL-3.0-or-later */

/* System/Computer beside the name of the host that an event came from. */

#include "tests/leak.h"

#include "base/buf.h"
#include "base/text.h"
#include "collect/origin.h"

#include <string.h>

static enum store_origin_mark mark_of(TALLOC_CTX *mem_ctx, const char *host,
				      bool proved, const char *computer)
{
	struct collect_origin *origin = NULL;
	struct event_glance glance = {.has_time = false};
	struct buf units;

	assert_int_equal(collect_origin_create(mem_ctx, host, &origin),
			 EVERR_OK);
	buf_init(&units, mem_ctx, 4096);
	if (computer != NULL) {
		assert_int_equal(
			text_utf8_to_utf16(&units, computer, strlen(computer)),
			EVERR_OK);
		buf_put_u8(&units, 0);
		glance.computer = units.data;
		glance.computer_units = units.len / 2;
	}
	return collect_origin_mark(origin, proved, &glance);
}

static void test_names_that_agree(void **state)
{
	static const char *const pairs[][2] = {
		{"dc1.example.org", "dc1.example.org"},
		{"DC1.example.org", "dc1.EXAMPLE.org"},
		{"dc1.example.org.", "dc1.example.org"},
		{"dc1", "DC1.example.org"},
		{"dc1.example.org", "DC1"},
		{"dc1", "dc1"},
		{"d\xC3\xA4mon", "D\xC3\xA4MON.example"},
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(
			mark_of(*state, pairs[i][0], true, pairs[i][1]),
			STORE_ORIGIN_VERIFIED);
	}
}

static void test_names_that_do_not(void **state)
{
	static const char *const pairs[][2] = {
		{"dc1.example.org", "dc1.example.com"},
		{"dc1.example.org", "dc2"},
		{"dc1.example.org", "dc1.example"},
		{"dc1", "dc11.example.org"},
		{"dc1", ""},
		{"dc1.example.org", ".example.org"},
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(
			mark_of(*state, pairs[i][0], true, pairs[i][1]),
			STORE_ORIGIN_MISMATCH);
	}
}

static void test_what_can_only_be_claimed(void **state)
{
	assert_int_equal(mark_of(*state, "dc1", false, "dc1"),
			 STORE_ORIGIN_CLAIMED);
	assert_int_equal(mark_of(*state, "dc1", false, "other"),
			 STORE_ORIGIN_CLAIMED);
	assert_int_equal(mark_of(*state, "192.0.2.1", true, "dc1"),
			 STORE_ORIGIN_CLAIMED);
	assert_int_equal(mark_of(*state, "2001:db8::1", true, "dc1"),
			 STORE_ORIGIN_CLAIMED);
	assert_int_equal(mark_of(*state, "fe80::1%eth0", true, "dc1"),
			 STORE_ORIGIN_CLAIMED);
	assert_int_equal(mark_of(*state, "dc1", true, NULL),
			 STORE_ORIGIN_CLAIMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_names_that_agree),
		leak_test(test_names_that_do_not),
		leak_test(test_what_can_only_be_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
