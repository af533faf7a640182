/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/memory.h"

static void test_shares_take_up_to_the_whole_and_give_back(void **state)
{
	struct soap_memory memory = {.max = 1000};
	struct soap_share *a = soap_share_create(*state, &memory);
	struct soap_share *b = soap_share_create(*state, &memory);

	assert_true(soap_share_take(a, SOAP_MEMORY_OWN));
	assert_int_equal(memory.used, 0);
	assert_true(soap_share_take(a, 600));
	assert_int_equal(memory.used, 600);
	assert_true(soap_share_take(b, SOAP_MEMORY_OWN - 1));
	assert_false(soap_share_take(b, 402));
	/* What was refused has changed nothing. */
	assert_int_equal(memory.used, 600);
	assert_true(soap_share_take(b, 401));
	assert_int_equal(memory.used, 1000);
	assert_false(soap_share_take(a, 1));
	assert_true(soap_share_take(a, 0));
	talloc_free(b);
	assert_int_equal(memory.used, 600);
	assert_true(soap_share_take(a, 400));
	talloc_free(a);
	assert_int_equal(memory.used, 0);
}

static void test_each_has_its_own_when_others_have_all(void **state)
{
	struct soap_memory memory = {.max = 10};
	struct soap_share *greedy = soap_share_create(*state, &memory);
	struct soap_share *small = soap_share_create(*state, &memory);

	assert_true(soap_share_take(greedy, SOAP_MEMORY_OWN + 10));
	assert_true(soap_share_take(small, SOAP_MEMORY_OWN));
	assert_false(soap_share_take(small, 1));
	talloc_free(small);
	talloc_free(greedy);
}

static void test_sums_do_not_wrap(void **state)
{
	struct soap_memory memory = {.max = SIZE_MAX};
	struct soap_share *share = soap_share_create(*state, &memory);
	struct soap_share *other = soap_share_create(*state, &memory);

	assert_true(soap_share_take(share, SIZE_MAX));
	assert_false(soap_share_take(share, 1));
	assert_true(soap_share_take(other, 2 * SOAP_MEMORY_OWN));
	assert_false(soap_share_take(other, 1));
	talloc_free(share);
	talloc_free(other);
}

static void test_without_a_whole_there_is_no_limit(void **state)
{
	struct soap_share *share = soap_share_create(*state, NULL);

	assert_true(soap_share_take(share, (size_t)1 << 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_shares_take_up_to_the_whole_and_give_back),
		leak_test(test_each_has_its_own_when_others_have_all),
		leak_test(test_sums_do_not_wrap),
		leak_test(test_without_a_whole_there_is_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
