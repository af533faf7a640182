/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The page walker against LMDB itself: what LMDB writes is read back whole
 * and found clean, and of a flipped bit it is either said that something is
 * wrong or nothing that matters has changed.
 */

#include "base/buf.h"
#include "store/image.h"
#include "tests/leak.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUM_TABLES 3
static const char *const names[NUM_TABLES] = {"bytes", "numbers", "big"};

struct fixture {
	char dir[64];
	char path[96];
	uint64_t seed;
};

/* What a walk of all tables gave. */
struct outcome {
	everr_t err;
	unsigned int errors, notes;
	uint64_t items;
	uint64_t hash; /* of all keys and values in their order */
	struct store_image_tree trees[NUM_TABLES];
	unsigned int found;
	char first[200];
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void fixture_setup(struct fixture *f, uint64_t seed)
{
	const char *tmp = getenv("TMPDIR");

	f->seed = seed;
	snprintf(f->dir, sizeof(f->dir), "%s/image.XXXXXX",
		 tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/data.mdb", f->dir);
}

static void fixture_teardown(struct fixture *f)
{
	char lock[96];

	snprintf(lock, sizeof(lock), "%s/lock.mdb", f->dir);
	unlink(lock);
	unlink(f->path);
	rmdir(f->dir);
}

static void put_random(struct fixture *f, MDB_txn *txn, MDB_dbi dbi,
		       unsigned int which)
{
	static uint8_t data[20000];
	uint64_t number = next_random(&f->seed) % (which == 2 ? 20 : 500);
	uint8_t bytes[64] = {};
	MDB_val key = {sizeof(number), &number};
	MDB_val value = {next_random(&f->seed) % 200, data};

	if (which != 1) {
		le64_set(bytes, number * 0x9E3779B97F4A7C15ULL);
		key.mv_data = bytes;
		key.mv_size = 4 + number % 60;
	}
	if (which == 2) {
		value.mv_size = next_random(&f->seed) % sizeof(data);
	}
	if (next_random(&f->seed) % 3 == 0) {
		int rc = mdb_del(txn, dbi, &key, NULL);

		assert_true(rc == 0 || rc == MDB_NOTFOUND);
		return;
	}
	memset(data, (int)number, value.mv_size);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

/* Transactions of random puts and deletes over three kinds of tables. */
static void write_random(struct fixture *f, unsigned int txns,
			 unsigned int puts)
{
	MDB_env *env = NULL;
	unsigned int t, i, which;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 256 << 20), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, NUM_TABLES), 0);
	assert_int_equal(mdb_env_open(env, f->dir, MDB_NOSYNC, 0600), 0);
	for (t = 0; t < txns; t++) {
		MDB_txn *txn = NULL;

		assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
		for (which = 0; which < NUM_TABLES; which++) {
			unsigned int flags = MDB_CREATE;
			MDB_dbi dbi;

			flags |= which == 1 ? MDB_INTEGERKEY : 0;
			assert_int_equal(
				mdb_dbi_open(txn, names[which], flags, &dbi),
				0);
			for (i = 0; i < puts; i++) {
				put_random(f, txn, dbi, which);
			}
		}
		assert_int_equal(mdb_txn_commit(txn), 0);
	}
	mdb_env_close(env);
}

static void told(enum store_verify_level level, const char *where,
		 const char *what, void *private_data)
{
	struct outcome *outcome = private_data;

	if (level == STORE_VERIFY_NOTE) {
		outcome->notes++;
	} else {
		outcome->errors++;
	}
	if (outcome->first[0] == '\0') {
		snprintf(outcome->first, sizeof(outcome->first), "%s: %s",
			 where, what);
	}
}

static uint64_t hash_more(uint64_t hash, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		hash = (hash ^ data[i]) * 0x100000001B3ULL;
	}
	return hash * 31 + len;
}

static void item(const uint8_t *key, size_t key_len, const uint8_t *data,
		 size_t len, unsigned int flags, void *private_data)
{
	struct outcome *outcome = private_data;

	outcome->items++;
	outcome->hash = hash_more(outcome->hash, key, key_len);
	outcome->hash = hash_more(outcome->hash, data, len);
}

static void table(const uint8_t *key, size_t key_len, const uint8_t *data,
		  size_t len, unsigned int flags, void *private_data)
{
	struct outcome *outcome = private_data;
	unsigned int i;

	outcome->hash = hash_more(outcome->hash, key, key_len);
	for (i = 0; i < NUM_TABLES; i++) {
		if (strlen(names[i]) == key_len &&
		    memcmp(names[i], key, key_len) == 0 &&
		    store_image_subtree(names[i], data, len,
					&outcome->trees[i]) == EVERR_OK) {
			outcome->found |= 1U << i;
		}
	}
}

static void read_all(TALLOC_CTX *mem_ctx, const struct fixture *f,
		     struct outcome *outcome)
{
	struct store_image *image = NULL;
	unsigned int i;
	everr_t err;

	memset(outcome, 0, sizeof(*outcome));
	outcome->err = store_image_open(mem_ctx, f->dir, told, outcome, &image);
	if (outcome->err != EVERR_OK) {
		return;
	}
	err = store_image_walk(image, store_image_main(image), table, outcome);
	assert_int_equal(err, EVERR_OK);
	for (i = 0; i < NUM_TABLES; i++) {
		if ((outcome->found >> i & 1) != 0) {
			err = store_image_walk(image, &outcome->trees[i], item,
					       outcome);
			assert_int_equal(err, EVERR_OK);
		}
	}
	err = store_image_finish(image);
	assert_int_equal(err, EVERR_OK);
	talloc_free(image);
}

/* The same by LMDB's own cursors. */
static void read_by_lmdb(const struct fixture *f, struct outcome *outcome)
{
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	unsigned int i;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, NUM_TABLES), 0);
	assert_int_equal(mdb_env_open(env, f->dir, MDB_RDONLY, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	memset(outcome, 0, sizeof(*outcome));
	for (i = 0; i < NUM_TABLES; i++) {
		static const unsigned int order[NUM_TABLES] = {2, 0, 1};
		const char *name = names[order[i]];

		outcome->hash = hash_more(outcome->hash, (const uint8_t *)name,
					  strlen(name));
	}
	for (i = 0; i < NUM_TABLES; i++) {
		MDB_cursor *cursor = NULL;
		MDB_val key, value;
		MDB_dbi dbi;

		assert_int_equal(mdb_dbi_open(txn, names[i], 0, &dbi), 0);
		assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
		while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
			item(key.mv_data, key.mv_size, value.mv_data,
			     value.mv_size, 0, outcome);
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

static void test_what_lmdb_writes_is_clean_and_read_whole(void **state)
{
	uint64_t seed;

	for (seed = 1; seed <= 8; seed++) {
		struct outcome ours, theirs;
		struct fixture f;

		fixture_setup(&f, seed);
		write_random(&f, 1 + (unsigned int)seed * 4, 60);
		read_all(*state, &f, &ours);
		assert_int_equal(ours.err, EVERR_OK);
		assert_string_equal(ours.first, "");
		read_by_lmdb(&f, &theirs);
		assert_int_equal(ours.items, theirs.items);
		assert_true(ours.hash == theirs.hash);
		assert_true(ours.items > 100);
		fixture_teardown(&f);
	}
}

static void test_new_environment_is_clean_and_empty(void **state)
{
	struct outcome outcome;
	MDB_env *env = NULL;
	struct fixture f;

	fixture_setup(&f, 1);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, f.dir, 0, 0600), 0);
	mdb_env_close(env);
	read_all(*state, &f, &outcome);
	assert_int_equal(outcome.err, EVERR_OK);
	assert_string_equal(outcome.first, "");
	assert_int_equal(outcome.found, 0);
	fixture_teardown(&f);
}

static void flip(const struct fixture *f, off_t offset, unsigned int bit)
{
	uint8_t byte;
	int fd = open(f->path, O_RDWR | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= (uint8_t)(1U << bit);
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

/*
 * A flip in the bytes of a value changes the hash without a word, as it must:
 * the checksums of the format are there for these.  Anything else that goes
 * unsaid may change nothing.
 */
static void check_flip(struct fixture *f, TALLOC_CTX *mem_ctx,
		       const struct outcome *good, off_t offset,
		       unsigned int *ret_silent)
{
	struct outcome outcome;
	unsigned int bit = next_random(&f->seed) % 8;

	flip(f, offset, bit);
	read_all(mem_ctx, f, &outcome);
	flip(f, offset, bit);
	if (outcome.err != EVERR_OK || outcome.errors + outcome.notes > 0) {
		return;
	}
	if (outcome.items != good->items) {
		fail_msg("bit %u of byte %lld: silence, but %llu items", bit,
			 (long long)offset, (unsigned long long)outcome.items);
	}
	(*ret_silent)++;
}

/* The first 16 bytes of each page: numbers, kinds, bounds. */
static void test_flipped_page_headers_are_reported(void **state)
{
	struct outcome good;
	struct fixture f;
	struct stat st;
	off_t page;
	unsigned int silent = 0;

	fixture_setup(&f, 99);
	write_random(&f, 12, 40);
	read_all(*state, &f, &good);
	assert_string_equal(good.first, "");
	assert_int_equal(stat(f.path, &st), 0);
	/* No lock file: it would be opened and closed each time. */
	for (page = 0; page < st.st_size; page += 4096) {
		off_t offset = (off_t)(next_random(&f.seed) % 16);

		check_flip(&f, *state, &good, page + offset, &silent);
	}
	/* Free pages, pages inside a long value, and unused bytes. */
	assert_true(silent < st.st_size / 4096);
	fixture_teardown(&f);
}

static void test_flips_anywhere_never_crash(void **state)
{
	const char *longer = getenv("EVENLOG_LONG_TESTS");
	unsigned int flips = longer != NULL ? 200000 : 3000;
	struct outcome good;
	struct fixture f;
	struct stat st;
	unsigned int silent = 0;
	unsigned int i;

	fixture_setup(&f, 7);
	write_random(&f, 12, 10);
	read_all(*state, &f, &good);
	assert_string_equal(good.first, "");
	assert_int_equal(stat(f.path, &st), 0);
	for (i = 0; i < flips; i++) {
		off_t offset =
			(off_t)(next_random(&f.seed) % (uint64_t)st.st_size);

		check_flip(&f, *state, &good, offset, &silent);
	}
	assert_true(silent < flips);
	fixture_teardown(&f);
}

/* Meta pages decide over everything: each of their bits. */
static void test_every_flip_in_a_meta_page_is_reported(void **state)
{
	static const uint16_t parts[][2] = {
		{0, 8},	  {10, 12},	 {16, 24},   {24, 32},	 {32, 40},
		{40, 46}, {88 + 4, 136}, {136, 144}, {144, 152},
	};
	struct outcome good;
	struct fixture f;
	unsigned int page, part, bit;
	off_t offset;

	fixture_setup(&f, 5);
	write_random(&f, 3, 4);
	read_all(*state, &f, &good);
	assert_string_equal(good.first, "");
	for (page = 0; page < 2; page++) {
		/* The third commit wrote page 1; the other one is older. */
		for (part = 0; part < 9; part++) {
			bool newest_only = part == 4 || part >= 6;

			if (page == 0 && newest_only) {
				continue;
			}
			for (offset = parts[part][0]; offset < parts[part][1];
			     offset++) {
				struct outcome outcome;

				for (bit = 0; bit < 8; bit++) {
					flip(&f, page * 4096 + offset, bit);
					read_all(*state, &f, &outcome);
					flip(&f, page * 4096 + offset, bit);
					if (outcome.err == EVERR_OK &&
					    outcome.errors + outcome.notes ==
						    0) {
						fail_msg("meta page %u, byte "
							 "%lld, bit %u",
							 page,
							 (long long)offset,
							 bit);
					}
				}
			}
		}
	}
	fixture_teardown(&f);
}

/* The file ends early: pages are gone, nothing is read beyond. */
static void test_torn_tail_is_reported(void **state)
{
	struct outcome good;
	struct fixture f;
	struct stat st;
	off_t size;

	fixture_setup(&f, 21);
	write_random(&f, 6, 40);
	read_all(*state, &f, &good);
	assert_string_equal(good.first, "");
	assert_int_equal(stat(f.path, &st), 0);
	for (size = st.st_size / 2; size >= 0; size -= 5000) {
		struct outcome outcome;

		assert_int_equal(truncate(f.path, size), 0);
		read_all(*state, &f, &outcome);
		assert_true(outcome.err == EVERR_STORE_CORRUPT ||
			    outcome.errors > 0);
	}
	fixture_teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_lmdb_writes_is_clean_and_read_whole),
		leak_test(test_new_environment_is_clean_and_empty),
		leak_test(test_flipped_page_headers_are_reported),
		leak_test(test_flips_anywhere_never_crash),
		leak_test(test_every_flip_in_a_meta_page_is_reported),
		leak_test(test_torn_tail_is_reported),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
