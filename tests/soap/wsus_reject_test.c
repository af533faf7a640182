/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/wintime.h"
#include "soap/wsus_reject.h"

#define NOW UINT64_C(133444736000000000)
#define MINUTE (60 * WINTIME_SECOND)

static struct wsus_reject_limit *new_limit(TALLOC_CTX *mem_ctx)
{
	struct wsus_reject_limit *limit = NULL;

	assert_int_equal(wsus_reject_limit_create(mem_ctx, &limit), EVERR_OK);
	return limit;
}

static void spend(struct wsus_reject_limit *limit, const char *peer,
		  uint64_t now)
{
	uint64_t left_out = 1;
	int i;

	for (i = 0; i < WSUS_REJECT_PER_MINUTE; i++) {
		assert_true(wsus_reject_allowed(limit, peer, now, &left_out));
		assert_int_equal(left_out, 0);
	}
}

static void test_a_flood_has_few_events_and_a_count(void **state)
{
	struct wsus_reject_limit *limit = new_limit(*state);
	uint64_t left_out = 0;
	int i;

	spend(limit, "192.0.2.1", NOW);
	for (i = 0; i < 1000; i++) {
		assert_false(wsus_reject_allowed(limit, "192.0.2.1", NOW + 1,
						 &left_out));
	}
	assert_true(wsus_reject_allowed(limit, "192.0.2.1", NOW + MINUTE,
					&left_out));
	assert_int_equal(left_out, 1000);
	assert_true(wsus_reject_allowed(limit, "192.0.2.1", NOW + MINUTE,
					&left_out));
	assert_int_equal(left_out, 0);
}

static void test_one_peer_does_not_use_up_anothers(void **state)
{
	struct wsus_reject_limit *limit = new_limit(*state);
	uint64_t left_out = 0;

	spend(limit, "192.0.2.1", NOW);
	assert_false(wsus_reject_allowed(limit, "192.0.2.1", NOW, &left_out));
	spend(limit, "192.0.2.2", NOW);
}

static void test_more_peers_than_there_is_room_for_share_one(void **state)
{
	struct wsus_reject_limit *limit = new_limit(*state);
	uint64_t left_out = 0;
	char peer[32];
	int i;

	for (i = 0; i < WSUS_REJECT_PEERS; i++) {
		snprintf(peer, sizeof(peer), "2001:db8::%x", i);
		assert_true(wsus_reject_allowed(limit, peer, NOW, &left_out));
	}
	spend(limit, "192.0.2.1", NOW);
	assert_false(wsus_reject_allowed(limit, "192.0.2.2", NOW, &left_out));
	/* A minute later the first ones make room. */
	spend(limit, "192.0.2.2", NOW + MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_flood_has_few_events_and_a_count),
		leak_test(test_one_peer_does_not_use_up_anothers),
		leak_test(test_more_peers_than_there_is_room_for_share_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
