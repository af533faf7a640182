/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/wsus_cookie.h"

#include <string.h>

#define EXPIRES UINT64_C(133444736000000000)

static const struct wsus_cookie sample = {
	.kind = WSUS_COOKIE_SESSION,
	.dss = {{1, 2, 3}},
	.uss = {{9, 8, 7}},
	.expires = EXPIRES,
	.version = "1.20",
	.name = "dss.example",
};

static struct wsus_cookies *new_cookies(TALLOC_CTX *mem_ctx)
{
	uint8_t key[WSUS_COOKIE_KEY_SIZE];
	struct wsus_cookies *cookies = NULL;

	assert_int_equal(wsus_cookies_make_key(key), EVERR_OK);
	assert_int_equal(
		wsus_cookies_create(mem_ctx, key, sizeof(key), &cookies),
		EVERR_OK);
	return cookies;
}

static void seal(TALLOC_CTX *mem_ctx, const struct wsus_cookies *cookies,
		 const struct wsus_cookie *cookie, struct buf *sealed)
{
	buf_init(sealed, mem_ctx, WSUS_COOKIE_MAX);
	assert_int_equal(wsus_cookie_seal(cookies, cookie, sealed), EVERR_OK);
}

static void assert_refused(const struct wsus_cookies *cookies,
			   const uint8_t *data, size_t len)
{
	struct wsus_cookie cookie;

	assert_int_equal(wsus_cookie_open(cookies, WSUS_COOKIE_SESSION, data,
					  len, &cookie),
			 EVERR_AUTH);
}

static void test_a_cookie_says_what_was_sealed(void **state)
{
	struct wsus_cookies *cookies = new_cookies(*state);
	struct wsus_cookie cookie;
	struct buf sealed;

	seal(*state, cookies, &sample, &sealed);
	assert_int_equal(wsus_cookie_open(cookies, WSUS_COOKIE_SESSION,
					  sealed.data, sealed.len, &cookie),
			 EVERR_OK);
	assert_true(ev_guid_equal(&cookie.dss, &sample.dss));
	assert_true(ev_guid_equal(&cookie.uss, &sample.uss));
	assert_int_equal(cookie.expires, EXPIRES);
	assert_string_equal(cookie.version, "1.20");
	assert_string_equal(cookie.name, "dss.example");
}

static void test_the_longest_name_fits(void **state)
{
	struct wsus_cookies *cookies = new_cookies(*state);
	struct wsus_cookie longest = sample;
	struct wsus_cookie cookie;
	struct buf sealed;

	memset(longest.name, 'x', WSUS_COOKIE_NAME_MAX);
	memset(longest.version, '1', WSUS_COOKIE_VERSION_MAX);
	seal(*state, cookies, &longest, &sealed);
	assert_int_equal(wsus_cookie_open(cookies, WSUS_COOKIE_SESSION,
					  sealed.data, sealed.len, &cookie),
			 EVERR_OK);
	assert_string_equal(cookie.name, longest.name);
	assert_string_equal(cookie.version, longest.version);
}

static void test_no_bit_of_a_cookie_can_be_changed(void **state)
{
	struct wsus_cookies *cookies = new_cookies(*state);
	struct buf sealed;
	size_t i;
	int bit;

	seal(*state, cookies, &sample, &sealed);
	for (i = 0; i < sealed.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			sealed.data[i] ^= (uint8_t)(1 << bit);
			assert_refused(cookies, sealed.data, sealed.len);
			sealed.data[i] ^= (uint8_t)(1 << bit);
		}
	}
}

static void test_a_cookie_of_another_length_is_refused(void **state)
{
	struct wsus_cookies *cookies = new_cookies(*state);
	uint8_t longer[WSUS_COOKIE_MAX + 1] = {};
	struct buf sealed;
	size_t len;

	seal(*state, cookies, &sample, &sealed);
	memcpy(longer, sealed.data, sealed.len);
	for (len = 0; len <= sizeof(longer); len++) {
		if (len != sealed.len) {
			assert_refused(cookies, longer, len);
		}
	}
	assert_refused(cookies, NULL, 0);
}

static void test_a_cookie_of_one_kind_is_none_of_the_other(void **state)
{
	struct wsus_cookies *cookies = new_cookies(*state);
	struct wsus_cookie authorization = sample;
	struct wsus_cookie cookie;
	struct buf sealed;

	authorization.kind = WSUS_COOKIE_AUTHORIZATION;
	seal(*state, cookies, &authorization, &sealed);
	assert_refused(cookies, sealed.data, sealed.len);
	assert_int_equal(wsus_cookie_open(cookies, WSUS_COOKIE_AUTHORIZATION,
					  sealed.data, sealed.len, &cookie),
			 EVERR_OK);
}

static void test_a_cookie_survives_a_restart_with_the_same_key(void **state)
{
	uint8_t key[WSUS_COOKIE_KEY_SIZE];
	struct wsus_cookies *before = NULL;
	struct wsus_cookies *after = NULL;
	struct wsus_cookie cookie;
	struct buf sealed;

	assert_int_equal(wsus_cookies_make_key(key), EVERR_OK);
	assert_int_equal(wsus_cookies_create(*state, key, sizeof(key), &before),
			 EVERR_OK);
	seal(*state, before, &sample, &sealed);
	TALLOC_FREE(before);
	assert_int_equal(wsus_cookies_create(*state, key, sizeof(key), &after),
			 EVERR_OK);
	assert_int_equal(wsus_cookie_open(after, WSUS_COOKIE_SESSION,
					  sealed.data, sealed.len, &cookie),
			 EVERR_OK);
	/* And none made with another one. */
	assert_refused(new_cookies(*state), sealed.data, sealed.len);
}

static void test_the_same_content_is_never_sealed_the_same(void **state)
{
	struct wsus_cookies *cookies = new_cookies(*state);
	struct buf first, second;

	seal(*state, cookies, &sample, &first);
	seal(*state, cookies, &sample, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_not_equal(first.data, second.data, first.len);
}

static void test_a_damaged_key_is_no_key(void **state)
{
	uint8_t key[WSUS_COOKIE_KEY_SIZE];
	struct wsus_cookies *cookies = NULL;

	assert_int_equal(wsus_cookies_make_key(key), EVERR_OK);
	assert_int_equal(
		wsus_cookies_create(*state, key, sizeof(key) - 1, &cookies),
		EVERR_STORE_CORRUPT);
	key[0] = 2;
	assert_int_equal(
		wsus_cookies_create(*state, key, sizeof(key), &cookies),
		EVERR_STORE_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_cookie_says_what_was_sealed),
		leak_test(test_the_longest_name_fits),
		leak_test(test_no_bit_of_a_cookie_can_be_changed),
		leak_test(test_a_cookie_of_another_length_is_refused),
		leak_test(test_a_cookie_of_one_kind_is_none_of_the_other),
		leak_test(test_a_cookie_survives_a_restart_with_the_same_key),
		leak_test(test_the_same_content_is_never_sealed_the_same),
		leak_test(test_a_damaged_key_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
