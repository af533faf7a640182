/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Local users.  As root: the database belongs to another user, as the
 * service's does, and stays that user's.
 */

#include "rpc/passdb.h"
#include "rpc/smb_conf.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* base-passwd: daemon */
#define OWNER 1

static char dir[] = "/tmp/evl-passdb-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	return remove(path);
}

static int give_away(const char *path, const struct stat *st, int flag,
		     struct FTW *ftw)
{
	return chown(path, OWNER, OWNER);
}

static size_t num_foreign;

static int count_foreign(const char *path, const struct stat *st, int flag,
			 struct FTW *ftw)
{
	num_foreign += st->st_uid != OWNER;
	return 0;
}

static int group_setup(void **state)
{
	struct rpc_smb_conf options = {.dir = dir};
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *message = NULL;
	char *path = NULL;
	everr_t err;

	assert_non_null(mkdtemp(dir));
	err = rpc_smb_conf_write(ctx, &options, &message);
	assert_int_equal(err, EVERR_OK);
	if (geteuid() == 0) {
		assert_int_equal(nftw(dir, give_away, 16, FTW_PHYS), 0);
	}
	path = talloc_asprintf(ctx, "%s/smb.conf", dir);
	err = rpc_passdb_open(ctx, path, &message);
	assert_int_equal(err, EVERR_OK);
	TALLOC_FREE(ctx);
	return 0;
}

static int group_teardown(void **state)
{
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static int test_setup(void **state)
{
	*state = talloc_new(NULL);
	return *state == NULL ? -1 : 0;
}

static int test_teardown(void **state)
{
	TALLOC_FREE(*state);
	return 0;
}

/* The users, joined by commas. */
static char *users(TALLOC_CTX *ctx)
{
	char *text = talloc_strdup(ctx, "");
	const char *const *names = NULL;
	char *message = NULL;
	size_t num = 0;
	size_t i;

	assert_int_equal(rpc_passdb_list(ctx, &names, &num, &message),
			 EVERR_OK);
	for (i = 0; i < num; i++) {
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? "," : "",
					      names[i]);
	}
	return text;
}

static void test_users_come_and_go(void **state)
{
	char *message = NULL;

	assert_string_equal(users(*state), "");
	assert_int_equal(rpc_passdb_add(*state, "news", "one", &message),
			 EVERR_OK);
	assert_int_equal(rpc_passdb_add(*state, "games", "two", &message),
			 EVERR_OK);
	assert_string_equal(users(*state), "games,news");
	/* A second time it only sets the password. */
	assert_int_equal(rpc_passdb_add(*state, "news", "three", &message),
			 EVERR_OK);
	assert_string_equal(users(*state), "games,news");
	assert_int_equal(rpc_passdb_remove(*state, "news", &message), EVERR_OK);
	assert_string_equal(users(*state), "games");
	assert_int_equal(rpc_passdb_remove(*state, "games", &message),
			 EVERR_OK);
	assert_string_equal(users(*state), "");
	assert_null(message);
}

static void test_a_user_has_to_be_a_unix_user(void **state)
{
	char *message = NULL;

	assert_int_equal(rpc_passdb_add(*state, "no-such-user", "x", &message),
			 EVERR_NOT_FOUND);
	assert_non_null(strstr(message, "no-such-user"));
	assert_string_equal(users(*state), "");
}

static void test_who_is_not_there_cannot_be_removed(void **state)
{
	char *message = NULL;

	assert_int_equal(rpc_passdb_remove(*state, "games", &message),
			 EVERR_NOT_FOUND);
	assert_non_null(message);
}

static void test_impossible_names_and_passwords_are_refused(void **state)
{
	static const char *const names[] = {"",	   "a b", "a/b",  "DOM\\u",
					    "a:b", "u@d", "\xff", "a\nb"};
	char longest[RPC_PASSDB_PASSWORD_MAX + 2];
	char *message = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(
			rpc_passdb_add(*state, names[i], "x", &message),
			EVERR_TEXT);
	}
	assert_int_equal(rpc_passdb_add(*state, "games", "", &message),
			 EVERR_TEXT);
	assert_int_equal(rpc_passdb_add(*state, "games", "\xc3(", &message),
			 EVERR_TEXT);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(rpc_passdb_add(*state, "games", longest, &message),
			 EVERR_TEXT);
	/* A password never stands in a message. */
	assert_null(strstr(message, "xxxx"));
	assert_string_equal(users(*state), "");
}

static void test_what_root_does_stays_the_owners(void **state)
{
	char *message = NULL;

	if (geteuid() != 0) {
		/* cmocka's skip() counts as a failure in TAP. */
		print_message(
			"# not tested here: not root, or no nss_wrapper\n");
		return;
	}
	assert_int_equal(rpc_passdb_add(*state, "games", "two", &message),
			 EVERR_OK);
	nftw(dir, count_foreign, 16, FTW_PHYS);
	assert_int_equal(num_foreign, 0);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	assert_int_equal(rpc_passdb_remove(*state, "games", &message),
			 EVERR_OK);
}

#define passdb_test(fn) \
	cmocka_unit_test_setup_teardown(fn, test_setup, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		passdb_test(test_users_come_and_go),
		passdb_test(test_a_user_has_to_be_a_unix_user),
		passdb_test(test_who_is_not_there_cannot_be_removed),
		passdb_test(test_impossible_names_and_passwords_are_refused),
		passdb_test(test_what_root_does_stays_the_owners),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
