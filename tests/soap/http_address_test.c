/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_address.h"

#include "soap/http.h"
#include "tests/leak.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_allowed(TALLOC_CTX *mem_ctx, const char *entry, const char *text)
{
	const char *const entries[] = {entry, NULL};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	const struct sockaddr *sa = (struct sockaddr *)&in;
	struct http_address address = {};
	struct http_allow *allow = NULL;
	const char *bad = NULL;
	bool allowed;
	everr_t err;

	err = http_allow_parse(mem_ctx, entries, &allow, &bad);
	assert_int_equal(err, EVERR_OK);
	if (inet_pton(AF_INET, text, &in.sin_addr) != 1) {
		assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		sa = (struct sockaddr *)&in6;
	}
	assert_true(http_address_of(sa, &address));
	allowed = http_allow_match(allow, &address);
	talloc_free(allow);
	return allowed;
}

static void test_networks_match_to_the_bit(void **state)
{
	static const struct {
		const char *entry;
		const char *address;
		bool allowed;
	} cases[] = {
		{"10.1.0.0/16", "10.1.255.255", true},
		{"10.1.0.0/16", "10.2.0.0", false},
		{"10.1.2.3/16", "10.1.9.9", true},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.8/29", "192.0.2.15", true},
		{"192.0.2.8/29", "192.0.2.16", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1/31", "192.0.2.0", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "203.0.113.9", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"::1", "::1", true},
		{"::1", "::2", false},
		{"10.0.0.0/8", "::ffff:10.9.8.7", true},
		{"10.0.0.0/8", "::ffff:11.9.8.7", false},
		{"::ffff:10.0.0.0/104", "10.9.8.7", true},
		{"::ffff:10.0.0.0/104", "::ffff:11.0.0.1", false},
		{"::ffff:10.0.0.1", "10.0.0.1", true},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (is_allowed(*state, cases[i].entry, cases[i].address) !=
		    cases[i].allowed) {
			fail_msg("%s %s", cases[i].entry, cases[i].address);
		}
	}
}

static void test_what_is_no_network_is_named(void **state)
{
	static const char *const wrong[] = {
		"",
		"10.0.0.0/33",
		"10.0.0.0/",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/ 8",
		"10.0.0/8",
		"010.0.0.0.1",
		"::1/129",
		"::1/0128",
		"host.local",
		"10.0.0.0/8x",
		"fe80::1%lo",
		"*",
		"/8",
		"10.0.0.1 ",
		"::ffff:0:0/90",
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const entries[] = {"::1", wrong[i], NULL};
		struct http_allow *allow = NULL;
		const char *bad = NULL;
		everr_t err;

		err = http_allow_parse(*state, entries, &allow, &bad);
		if (err != EVERR_CONFIG || bad != wrong[i] || allow != NULL) {
			fail_msg("\"%s\": %s", wrong[i], everr_name(err));
		}
	}
}

static void test_an_empty_list_allows_nobody(void **state)
{
	const struct http_address address = {.bytes = {127, 0, 0, 1}};
	const char *const none[] = {NULL};
	struct http_allow *allow = NULL;
	const char *bad = NULL;

	assert_int_equal(http_allow_parse(*state, none, &allow, &bad),
			 EVERR_OK);
	assert_false(http_allow_match(allow, &address));
	assert_int_equal(http_allow_parse(*state, NULL, &allow, &bad),
			 EVERR_OK);
	assert_false(http_allow_match(allow, &address));
}

static void test_a_list_has_an_end(void **state)
{
	const char **entries =
		talloc_zero_array(*state, const char *, HTTP_ALLOW_MAX + 2);
	struct http_allow *allow = NULL;
	const char *bad = NULL;
	size_t i;

	for (i = 0; i <= HTTP_ALLOW_MAX; i++) {
		entries[i] = "::1";
	}
	assert_int_equal(http_allow_parse(*state, entries, &allow, &bad),
			 EVERR_LIMIT);
	entries[HTTP_ALLOW_MAX] = NULL;
	assert_int_equal(http_allow_parse(*state, entries, &allow, &bad),
			 EVERR_OK);
}

static void test_other_families_have_no_address(void **state)
{
	struct sockaddr sa = {.sa_family = AF_UNIX};
	struct http_address address = {};

	(void)state;
	assert_false(http_address_of(&sa, &address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_networks_match_to_the_bit),
		leak_test(test_what_is_no_network_is_named),
		leak_test(test_an_empty_list_allows_nobody),
		leak_test(test_a_list_has_an_end),
		leak_test(test_other_families_have_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
