/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A writer is killed, at each named place and anywhere; afterwards nothing is
 * missing that it was told is stored, nothing is there twice, and the checker
 * finds nothing.  (This alone would pass without a single sync: the kernel
 * keeps what a killed process wrote.  replay_test.c is about the disk.)
 *
 * EVENLOG_LONG_TESTS: many more rounds.
 */

#include "tests/leak.h"
#include "tests/store/proof.h"

#include <lmdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITER "tests/store/crash_writer"

struct child {
	pid_t pid;
	FILE *answers;
};

static unsigned int rounds(unsigned int usual, unsigned int many)
{
	return getenv("EVENLOG_LONG_TESTS") != NULL ? many : usual;
}

static void start(TALLOC_CTX *mem_ctx, const char *dir, unsigned int seed,
		  unsigned int appends, const char *crash_point,
		  struct child *child)
{
	char *program = proof_built(mem_ctx, WRITER);
	char *seed_text = talloc_asprintf(mem_ctx, "%u", seed);
	char *appends_text = talloc_asprintf(mem_ctx, "%u", appends);
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	child->pid = fork();
	assert_int_not_equal(child->pid, -1);
	if (child->pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		if (crash_point != NULL) {
			setenv("EVENLOG_CRASH_POINT", crash_point, 1);
		}
		execl(program, program, dir, seed_text, appends_text, NULL);
		perror(program);
		_exit(99);
	}
	close(fds[1]);
	child->answers = fdopen(fds[0], "r");
	assert_non_null(child->answers);
	talloc_free(program);
	talloc_free(seed_text);
	talloc_free(appends_text);
}

/* Read answers until there are no more, or so many. */
static unsigned int listen_to(TALLOC_CTX *mem_ctx, struct child *child,
			      unsigned int most, struct proof_account *account)
{
	unsigned int num = 0;
	char line[128];

	while (num < most && fgets(line, sizeof(line), child->answers)) {
		if (strchr(line, '\n') == NULL) {
			break;
		}
		assert_true(proof_account_line(mem_ctx, account, line));
		num++;
	}
	return num;
}

static int reap(struct child *child)
{
	int status = 0;

	fclose(child->answers);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

static void assert_killed(int status)
{
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* All that was promised, and the checker has nothing to say. */
static void assert_promise_kept(TALLOC_CTX *mem_ctx, const char *dir,
				const struct proof_account *account,
				const char *when)
{
	struct proof_outcome outcome = {};
	char text[256];
	uint64_t errors;
	everr_t err;

	errors = proof_verify(mem_ctx, dir, text, &err);
	if (err != EVERR_OK || errors != 0) {
		fail_msg("%s: verify: %s, %s", when, everr_name(err), text);
	}
	if (account->failed[PROOF_KEPT].num +
		    account->failed[PROOF_TRIMMED].num +
		    account->failed[PROOF_ERASED].num !=
	    0) {
		fail_msg("%s: an append was refused", when);
	}
	proof_compare(mem_ctx, dir, account, &outcome);
	if (outcome.err != EVERR_OK || outcome.lost != 0 ||
	    outcome.changed != 0 || outcome.repeated != 0 ||
	    outcome.failed != 0 || outcome.torn != 0 || outcome.undead != 0) {
		fail_msg("%s: open %s, %u lost, %u changed, %u repeated, %u "
			 "failed but there, %u torn, %u not erased",
			 when, everr_name(outcome.err),
			 (unsigned int)outcome.lost,
			 (unsigned int)outcome.changed,
			 (unsigned int)outcome.repeated,
			 (unsigned int)outcome.failed,
			 (unsigned int)outcome.torn,
			 (unsigned int)outcome.undead);
	}
}

static void account_free(struct proof_account *account)
{
	unsigned int i;

	for (i = 0; i < PROOF_CHANNELS; i++) {
		TALLOC_FREE(account->acked[i].ranges);
		TALLOC_FREE(account->failed[i].ranges);
	}
	TALLOC_FREE(account->erasures);
}

/*
 * One store goes through all the places, each at its first, third and
 * tenth passing, and is written to again after each.
 */
static void test_kill_at_each_crash_point_loses_nothing(void **state)
{
	static const char *const points[] = {
		"before-txn",	 "after-template-put", "after-records",
		"during-trim",	 "before-commit",      "after-commit",
		"during-clear",	 "after-clear",	       "during-sweep",
		"before-remove", "after-remove",
	};
	static const unsigned int passes[] = {1, 3, 10};
	struct proof_account account = {};
	struct child child;
	char *dir = proof_dir(*state);
	unsigned int p, i, seed = 1;

	for (p = 0; p < sizeof(passes) / sizeof(passes[0]); p++) {
		for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
			char when[64];

			snprintf(when, sizeof(when), "%s:%u", points[i],
				 passes[p]);
			start(*state, dir, seed++, 0, when, &child);
			(void)listen_to(*state, &child, UINT32_MAX, &account);
			assert_killed(reap(&child));
			assert_promise_kept(*state, dir, &account, when);
		}
	}
	assert_true(proof_account_count(&account.acked[PROOF_KEPT]) > 100);
	assert_true(account.num_erasures > 10);
	assert_true(account.erased > 0);
	account_free(&account);
	proof_dir_remove(dir);
}

/* Channels are made in a transaction of their own: a store for each kill. */
static void test_kill_while_a_channel_is_made_leaves_a_whole_store(void **state)
{
	static const char *const points[] = {
		"before-define:1",
		"before-define:2",
		"after-define:1",
		"after-define:2",
	};
	unsigned int i;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct proof_account account = {};
		char *dir = proof_dir(*state);
		struct child child;

		start(*state, dir, i, 1, points[i], &child);
		assert_int_equal(
			listen_to(*state, &child, UINT32_MAX, &account), 0);
		assert_killed(reap(&child));

		start(*state, dir, i, 2, NULL, &child);
		(void)listen_to(*state, &child, UINT32_MAX, &account);
		assert_int_equal(reap(&child), 0);
		assert_promise_kept(*state, dir, &account, points[i]);
		account_free(&account);
		proof_dir_remove(dir);
	}
}

/* After some answer, while the writer is busy with what comes next. */
static void test_kill_anywhere_loses_nothing(void **state)
{
	struct proof_account account = {};
	unsigned int num_rounds = rounds(25, 300);
	char *dir = proof_dir(*state);
	struct child child;
	unsigned int i;

	srandom(4711);
	for (i = 0; i < num_rounds; i++) {
		char when[32];

		snprintf(when, sizeof(when), "round %u", i);
		start(*state, dir, i, 0, NULL, &child);
		(void)listen_to(*state, &child, (unsigned int)random() % 40,
				&account);
		assert_int_equal(kill(child.pid, SIGKILL), 0);
		/* What it still said before it died was said. */
		(void)listen_to(*state, &child, UINT32_MAX, &account);
		assert_killed(reap(&child));
		assert_promise_kept(*state, dir, &account, when);
	}
	assert_true(proof_account_count(&account.acked[PROOF_KEPT]) > 100);
	assert_true(account.num_erasures > 10);
	assert_true(account.erased > 0);
	account_free(&account);
	proof_dir_remove(dir);
}

/*
 * The account itself is tested: what is not in the store is missed.  Without
 * this the tests above could pass by looking at nothing.
 */
static void test_what_was_never_stored_is_missed(void **state)
{
	struct proof_account account = {};
	struct proof_outcome outcome = {};
	char *dir = proof_dir(*state);
	struct child child;

	start(*state, dir, 3, 5, NULL, &child);
	assert_int_equal(listen_to(*state, &child, UINT32_MAX, &account),
			 5 * PROOF_CHANNELS);
	assert_int_equal(reap(&child), 0);
	assert_promise_kept(*state, dir, &account, "clean end");

	assert_true(proof_account_line(*state, &account, "A 0 5000 5000 7\n"));
	proof_compare(*state, dir, &account, &outcome);
	assert_int_equal(outcome.lost, 7);
	account.acked[PROOF_KEPT].num--;
	account.acked[PROOF_KEPT].ranges[0].first_seq++;
	proof_compare(*state, dir, &account, &outcome);
	assert_int_equal(outcome.lost, 0);
	assert_int_equal(outcome.changed,
			 account.acked[PROOF_KEPT].ranges[0].count);
	account_free(&account);
	proof_dir_remove(dir);
}

/* The checker reads a store that is being written, without disturbing it. */
static void test_store_in_use_is_found_clean(void **state)
{
	struct proof_account account = {};
	char *dir = proof_dir(*state);
	struct child child;
	unsigned int i;

	start(*state, dir, 8, 0, NULL, &child);
	assert_int_equal(listen_to(*state, &child, 20, &account), 20);
	for (i = 0; i < rounds(10, 200); i++) {
		char text[256];
		uint64_t errors;
		everr_t err;

		errors = proof_verify(*state, dir, text, &err);
		if (err != EVERR_OK || errors != 0) {
			fail_msg("%s, %s", everr_name(err), text);
		}
		assert_int_equal(listen_to(*state, &child, 5, &account), 5);
	}
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	assert_killed(reap(&child));
	account_free(&account);
	proof_dir_remove(dir);
}

/* What was erased after an account ended may be missing from a later copy. */
static void allow_erasures(TALLOC_CTX *mem_ctx, struct proof_account *account,
			   const struct proof_account *later)
{
	size_t num = account->num_erasures + later->num_erasures;
	size_t i;

	account->erasures =
		talloc_realloc(mem_ctx, account->erasures, uint64_t, num);
	assert_true(account->erasures != NULL || num == 0);
	for (i = 0; i < later->num_erasures; i++) {
		account->erasures[account->num_erasures++] = later->erasures[i];
	}
}

/*
 * doc/store-format.md, "Hot backup": a copy taken by LMDB's own means while
 * the writer is at work is whole, and holds all that was acknowledged before.
 */
static void test_hot_copy_is_whole_and_restores_with_new_ids(void **state)
{
	struct proof_account account = {};
	struct proof_account later = {};
	struct proof_account rest = {};
	struct proof_outcome outcome = {};
	char *dir = proof_dir(*state);
	char *copy = proof_dir(*state);
	struct child child;
	MDB_env *env = NULL;

	start(*state, dir, 1, 0, NULL, &child);
	assert_int_equal(listen_to(*state, &child, 30, &account), 30);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, dir, MDB_RDONLY, 0), 0);
	assert_int_equal(mdb_env_copy2(env, copy, MDB_CP_COMPACT), 0);
	mdb_env_close(env);
	/* The writer went on meanwhile. */
	assert_int_equal(listen_to(*state, &child, 30, &later), 30);
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	listen_to(*state, &child, UINT32_MAX, &rest);
	assert_killed(reap(&child));

	allow_erasures(*state, &account, &later);
	allow_erasures(*state, &account, &rest);
	account_free(&rest);
	assert_promise_kept(*state, copy, &account, "the copy");
	proof_compare(*state, copy, &later, &outcome);
	assert_true(outcome.lost > 0);

	/* Restored: what is written now has ids that were never given out. */
	account_free(&later);
	later = (struct proof_account){};
	start(*state, copy, 2, 3, NULL, &child);
	assert_int_equal(listen_to(*state, &child, UINT32_MAX, &later),
			 3 * PROOF_CHANNELS);
	assert_int_equal(reap(&child), 0);
	assert_true(later.acked[PROOF_KEPT].ranges[0].first_id > 1048576);
	assert_promise_kept(*state, copy, &account, "the restored copy");
	assert_promise_kept(*state, copy, &later, "the restored copy");
	account_free(&account);
	account_free(&later);
	proof_dir_remove(dir);
	proof_dir_remove(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_kill_at_each_crash_point_loses_nothing),
		leak_test(
			test_kill_while_a_channel_is_made_leaves_a_whole_store),
		leak_test(test_kill_anywhere_loses_nothing),
		leak_test(test_what_was_never_stored_is_missed),
		leak_test(test_store_in_use_is_found_clean),
		leak_test(test_hot_copy_is_whole_and_restores_with_new_ids),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
