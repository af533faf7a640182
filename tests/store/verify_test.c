/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A store written here by hand from doc/store-format.md, with nothing of
 * store/ but the checker: as it should be, and with one thing wrong in each
 * case.
 */

#include "base/buf.h"
#include "store/verify.h"
#include "tests/leak.h"

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORTS_SIZE 65536

struct fixture {
	char dir[64];
	MDB_env *env;
	MDB_txn *txn;
	char reports[REPORTS_SIZE];
	size_t reports_len;
	struct store_verify_result result;
};

/* ------------------------------------------------- writing by the page */

static uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t len)
{
	size_t i;
	int bit;

	crc = ~crc;
	for (i = 0; i < len; i++) {
		crc ^= data[i];
		for (bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
		}
	}
	return ~crc;
}

static void be32_set(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void be64_set(uint8_t *p, uint64_t v)
{
	be32_set(p, (uint32_t)(v >> 32));
	be32_set(p + 4, (uint32_t)v);
}

static MDB_dbi table(struct fixture *f, const char *name)
{
	unsigned int flags = MDB_CREATE;
	MDB_dbi dbi;

	if (strncmp(name, "records/", 8) == 0) {
		flags |= MDB_INTEGERKEY;
	}
	assert_int_equal(mdb_dbi_open(f->txn, name, flags, &dbi), 0);
	return dbi;
}

static void put_raw(struct fixture *f, const char *name, const void *key,
		    size_t key_len, const void *data, size_t len)
{
	MDB_val k = {key_len, (void *)key};
	MDB_val v = {len, (void *)data};

	assert_int_equal(mdb_put(f->txn, table(f, name), &k, &v, 0), 0);
}

static void put(struct fixture *f, const char *name, const void *key,
		size_t key_len, uint8_t *data, size_t len)
{
	le32_set(data, crc32c(crc32c(0, key, key_len), data + 4, len - 4));
	put_raw(f, name, key, key_len, data, len);
}

static void put_no(struct fixture *f, const char *name, uint32_t no,
		   uint8_t *data, size_t len)
{
	uint8_t key[4];

	be32_set(key, no);
	put(f, name, key, sizeof(key), data, len);
}

static void put_pair(struct fixture *f, const char *name, uint32_t no,
		     uint64_t id, uint8_t *data, size_t len)
{
	uint8_t key[12];

	be32_set(key, no);
	be64_set(key + 4, id);
	put(f, name, key, sizeof(key), data, len);
}

static void delete_no(struct fixture *f, const char *name, uint32_t no)
{
	uint8_t bytes[4];
	MDB_val key = {sizeof(bytes), bytes};

	be32_set(bytes, no);
	assert_int_equal(mdb_del(f->txn, table(f, name), &key, NULL), 0);
}

static void put_meta(struct fixture *f, uint16_t major, uint16_t minor,
		     uint32_t next_no)
{
	uint8_t data[64] = {};

	le32_set(data + 4, 0x4C4E5645);
	le16_set(data + 8, major);
	le16_set(data + 10, minor);
	data[16] = 1;
	le32_set(data + 40, next_no);
	put(f, "meta", "store", 5, data, sizeof(data));
}

static void put_channel(struct fixture *f, uint32_t no, const char *name)
{
	uint8_t data[2048] = {};
	size_t len = strlen(name);

	le32_set(data + 4, 1);
	le32_set(data + 32, (uint32_t)len);
	le32_set(data + 36, 4);
	memcpy(data + 40, name, len);
	memcpy(data + 40 + len, "O:BA", 4);
	put_no(f, "channels", no, data, 40 + len + 4);
}

/* A definition of 8 bytes that differ by number. */
#define DEF_LEN 8

static void put_template(struct fixture *f, uint32_t no, uint8_t guid)
{
	uint8_t data[56 + DEF_LEN] = {};
	uint8_t *def = data + 56;

	data[8] = guid;
	le32_set(def, 0x0001010F);
	def[4] = (uint8_t)no;
	assert_int_equal(
		gnutls_hash_fast(GNUTLS_DIG_SHA256, def, DEF_LEN, data + 24),
		0);
	put_no(f, "templates", no, data, sizeof(data));
}

static void put_users(struct fixture *f, uint32_t no, uint64_t count)
{
	uint8_t data[16] = {};

	le64_set(data + 8, count);
	put_no(f, "users", no, data, sizeof(data));
}

/*
 * Two values, a UInt64 and a nested node without values of template 2: packed
 * 8 + 8 + 8 + 8 = 32 bytes.  On the wire the inner one has 26 + 8 + 4 + 1
 * bytes, the outer one 26 + 8 + 4 + 8 + 8 + 39 + 1.
 */
#define RECORD_LEN (48 + 32)
#define INNER_WIRE_LEN (26 + DEF_LEN + 5)
#define WIRE_LEN (26 + DEF_LEN + 5 + 8 + 8 + INNER_WIRE_LEN)

static void record_make(uint8_t data[RECORD_LEN], uint64_t time)
{
	uint8_t *node = data + 48;

	memset(data, 0, RECORD_LEN);
	data[4] = 1;
	data[5] = 1;
	data[6] = 0x03;
	le64_set(data + 8, 1000 + time);
	le64_set(data + 16, time);
	le16_set(data + 36, 4711);
	le32_set(data + 44, WIRE_LEN);

	node[0] = 1;
	le16_set(node + 2, 2);
	le32_set(node + 4, 1);
	le16_set(node + 8, 8);
	node[10] = 0x0A;
	le16_set(node + 12, 8);
	node[14] = 0x21;
	node[24] = 1;
	le32_set(node + 28, 2);
}

static void put_record(struct fixture *f, uint32_t channel, uint64_t id,
		       uint8_t *data, size_t len)
{
	uint8_t place[12];
	char name[32];

	le32_set(place, channel);
	le64_set(place + 4, id);
	le32_set(data,
		 crc32c(crc32c(0, place, sizeof(place)), data + 4, len - 4));
	snprintf(name, sizeof(name), "records/%08x", channel);
	put_raw(f, name, &id, sizeof(id), data, len);
}

static void put_plain_record(struct fixture *f, uint32_t channel, uint64_t id)
{
	uint8_t data[RECORD_LEN];

	record_make(data, id);
	put_record(f, channel, id, data, sizeof(data));
}

struct summary {
	uint64_t first_id, last_id, min, max;
	uint32_t count;
};

static size_t summary_make(uint8_t data[48 + 8], const struct summary *summary)
{
	memset(data, 0, 48 + 8);
	if (summary->count == 0) {
		le64_set(data + 8, summary->last_id);
		return 48;
	}
	le32_set(data + 4, summary->count);
	le64_set(data + 8, summary->last_id);
	le64_set(data + 16, summary->min);
	le64_set(data + 24, summary->max);
	le64_set(data + 32, summary->count * (uint64_t)RECORD_LEN);
	le32_set(data + 40, 2);
	le32_set(data + 48, 2);
	le32_set(data + 52, 1);
	return 48 + 8;
}

struct head {
	uint64_t next_id, oldest_id, records, missing, received;
	struct summary open;
};

static void put_head(struct fixture *f, uint32_t channel,
		     const struct head *head)
{
	uint8_t data[64 + 48 + 8] = {};
	size_t len;

	le64_set(data + 8, head->next_id);
	le64_set(data + 16, head->oldest_id);
	le64_set(data + 24, head->records);
	le64_set(data + 32, head->records * RECORD_LEN);
	le64_set(data + 40, head->missing);
	le64_set(data + 48, head->received);
	le64_set(data + 56, head->open.first_id);
	len = summary_make(data + 64, &head->open);
	put_no(f, "heads", channel, data, 64 + len);
}

static void put_block(struct fixture *f, uint32_t channel,
		      const struct summary *summary)
{
	uint8_t data[8 + 48 + 8] = {};
	size_t len = summary_make(data + 8, summary);

	put_pair(f, "blocks", channel, summary->first_id, data, 8 + len);
}

static void put_gap(struct fixture *f, uint32_t channel, uint64_t first_id,
		    uint64_t last_id, uint32_t cause)
{
	uint8_t data[24] = {};

	le32_set(data + 4, cause);
	le64_set(data + 8, last_id);
	put_pair(f, "gaps", channel, first_id, data, sizeof(data));
}

/*
 * Channel 1 has a closed block with ids 1020 to 1024 (the ones before were
 * trimmed), ids 1025 to 1100 that were skipped, and 1101 to 1103.  Channel 2
 * was never written to.
 */
static const struct head good_head = {
	.next_id = 1104,
	.oldest_id = 1020,
	.records = 8,
	.missing = 76,
	.received = 2103,
	.open = {1025, 1103, 1101, 1103, 3},
};
static const struct summary good_block = {1, 1024, 1, 1024, 1024};

static void put_good_store(struct fixture *f)
{
	static const struct head empty = {.next_id = 1};
	uint8_t state[4 + 3] = {0, 0, 0, 0, 'a', 'b', 'c'};
	uint64_t id;

	put_meta(f, 1, 0, 3);
	put_channel(f, 1, "Application");
	put_channel(f, 2, "Dom\xC3\xA4ne/Betrieb");
	put_template(f, 1, 1);
	put_template(f, 2, 2);
	put_users(f, 1, 2);
	put_users(f, 2, 2);
	for (id = 1020; id <= 1024; id++) {
		put_plain_record(f, 1, id);
	}
	for (id = 1101; id <= 1103; id++) {
		put_plain_record(f, 1, id);
	}
	put_block(f, 1, &good_block);
	put_gap(f, 1, 1025, 1100, 2);
	put_head(f, 1, &good_head);
	put_head(f, 2, &empty);
	put(f, "state", "collect/dc1", 11, state, sizeof(state));
}

/* --------------------------------------------------------------- set-up */

static void env_open(struct fixture *f)
{
	assert_int_equal(mdb_env_create(&f->env), 0);
	assert_int_equal(mdb_env_set_mapsize(f->env, 64 << 20), 0);
	assert_int_equal(mdb_env_set_maxdbs(f->env, 32), 0);
	assert_int_equal(mdb_env_open(f->env, f->dir, MDB_NOSYNC, 0600), 0);
	assert_int_equal(mdb_txn_begin(f->env, NULL, 0, &f->txn), 0);
}

static void env_commit(struct fixture *f)
{
	assert_int_equal(mdb_txn_commit(f->txn), 0);
	mdb_env_close(f->env);
	f->env = NULL;
}

static void data_path(const struct fixture *f, const char *name, char path[96])
{
	snprintf(path, 96, "%s/%s", f->dir, name);
}

static int fixture_setup(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "%s/verify.XXXXXX",
		 tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	if (mkdtemp(f->dir) == NULL) {
		return -1;
	}
	env_open(f);
	return 0;
}

static void fixture_teardown(struct fixture *f)
{
	char path[96];

	data_path(f, "data.mdb", path);
	unlink(path);
	data_path(f, "lock.mdb", path);
	unlink(path);
	rmdir(f->dir);
}

static void collect(enum store_verify_level level, const char *where,
		    const char *what, void *private_data)
{
	struct fixture *f = private_data;
	int len;

	len = snprintf(f->reports + f->reports_len,
		       sizeof(f->reports) - f->reports_len, "%s %s: %s\n",
		       level == STORE_VERIFY_ERROR ? "ERROR" : "NOTE", where,
		       what);
	f->reports_len += (size_t)len;
	assert_true(f->reports_len < sizeof(f->reports));
}

static everr_t verify(struct fixture *f, TALLOC_CTX *mem_ctx)
{
	f->reports_len = 0;
	f->reports[0] = '\0';
	return store_verify(mem_ctx, f->dir, collect, NULL, f, &f->result);
}

/* ---------------------------------------------------------------- cases */

static void test_good_store_is_clean(void **state)
{
	struct fixture f;

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	env_commit(&f);
	assert_int_equal(verify(&f, *state), EVERR_OK);
	assert_string_equal(f.reports, "NOTE channel Application: ids 1025 to "
				       "1100 are a gap: skipped\n");
	assert_int_equal(f.result.errors, 0);
	assert_int_equal(f.result.notes, 1);
	assert_int_equal(f.result.channels, 2);
	assert_int_equal(f.result.records, 8);
	assert_int_equal(f.result.templates, 2);
	fixture_teardown(&f);
}

/*
 * 1.1: ids 1020 to 1101 were cleared, and those that were there still wait to
 * be removed; so does the summary of the first block.
 */
static const struct head cleared_head = {
	.next_id = 1104,
	.oldest_id = 1102,
	.records = 2,
	.missing = 82,
	.received = 2103,
	.open = {1025, 1103, 1101, 1103, 3},
};

static void put_cleared_store(struct fixture *f)
{
	uint8_t key[12];
	MDB_val val = {sizeof(key), key};

	put_good_store(f);
	put_meta(f, 1, 1, 3);
	be32_set(key, 1);
	be64_set(key + 4, 1025);
	assert_int_equal(mdb_del(f->txn, table(f, "gaps"), &val, NULL), 0);
	put_gap(f, 1, 1020, 1101, 4);
	put_head(f, 1, &cleared_head);
}

static void test_records_that_were_cleared_may_still_be_there(void **state)
{
	struct fixture f;

	assert_int_equal(fixture_setup(&f), 0);
	put_cleared_store(&f);
	env_commit(&f);
	assert_int_equal(verify(&f, *state), EVERR_OK);
	assert_string_equal(f.reports, "NOTE channel Application: ids 1020 to "
				       "1101 are a gap: cleared\n");
	assert_int_equal(f.result.records, 2);
	fixture_teardown(&f);
}

/* It waits to be removed; its definition is in use under another number. */
static void test_unused_template_may_be_there_twice(void **state)
{
	uint8_t data[56 + DEF_LEN] = {};
	uint8_t *def = data + 56;
	struct fixture f;

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	put_meta(&f, 1, 0, 4);
	data[8] = 2;
	le32_set(def, 0x0001010F);
	def[4] = 2;
	assert_int_equal(
		gnutls_hash_fast(GNUTLS_DIG_SHA256, def, DEF_LEN, data + 24),
		0);
	put_no(&f, "templates", 3, data, sizeof(data));
	put_users(&f, 3, 0);
	env_commit(&f);
	assert_int_equal(verify(&f, *state), EVERR_OK);
	assert_int_equal(f.result.errors, 0);
	assert_int_equal(f.result.templates, 3);
	fixture_teardown(&f);
}

/* A copy has no lock file, and may lie where nothing can be written. */
static void test_copy_without_lock_file_is_read_and_left_alone(void **state)
{
	struct fixture f;
	char path[96];

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	env_commit(&f);
	data_path(&f, "lock.mdb", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(f.dir, 0500), 0);
	assert_int_equal(verify(&f, *state), EVERR_OK);
	assert_int_equal(f.result.errors, 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(chmod(f.dir, 0700), 0);
	fixture_teardown(&f);
}

static void test_absent_store_is_not_found(void **state)
{
	struct store_verify_result result = {};
	struct fixture f = {};

	assert_int_equal(store_verify(*state, "/nonexistent/store", collect,
				      NULL, &f, &result),
			 EVERR_NOT_FOUND);
}

static void test_another_major_version_is_refused(void **state)
{
	struct fixture f;

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	put_meta(&f, 2, 0, 3);
	env_commit(&f);
	assert_int_equal(verify(&f, *state), EVERR_STORE_VERSION);
	fixture_teardown(&f);
}

/* What 1.2 adds: two hosts, and a record from the second. */
static void put_origin(struct fixture *f, const char *name, const char *host)
{
	uint8_t data[4 + 4 + 400] = {};
	size_t len = strlen(host);

	le32_set(data + 4, 1);
	memcpy(data + 8, host, len);
	put(f, "state", name, strlen(name), data, 8 + len);
}

static void put_origin_record(struct fixture *f, uint8_t flags, uint16_t origin)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	data[5] = flags;
	le16_set(data + 42, origin);
	put_record(f, 1, 1102, data, sizeof(data));
}

static void put_origins(struct fixture *f)
{
	put_meta(f, 1, 2, 3);
	put_origin(f, "origin/00001", "dc1.example");
	put_origin(f, "origin/00002", "dc\xC3\xA4.example");
	put_origin_record(f, 0x06, 2);
}

static void test_records_may_have_an_origin(void **state)
{
	char longest[301] = {};
	struct fixture f;

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	put_origins(&f);
	memset(longest, 'x', 300);
	put_origin(&f, "origin/00003", longest);
	env_commit(&f);
	assert_int_equal(verify(&f, *state), EVERR_OK);
	assert_int_equal(f.result.errors, 0);
	fixture_teardown(&f);
}

static void test_newer_minor_version_may_have_more(void **state)
{
	uint8_t data[8] = {};
	struct fixture f;

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	put_meta(&f, 1, 3, 3);
	put(&f, "summaries", "x", 1, data, sizeof(data));
	env_commit(&f);
	assert_int_equal(verify(&f, *state), EVERR_OK);
	assert_int_equal(f.result.errors, 0);
	assert_non_null(strstr(f.reports, "of the newer version 1.3"));
	fixture_teardown(&f);
}

static void test_file_that_is_no_store_is_corrupt(void **state)
{
	struct fixture f;
	char path[96];
	FILE *file = NULL;

	assert_int_equal(fixture_setup(&f), 0);
	env_commit(&f);
	data_path(&f, "data.mdb", path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("a text", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(verify(&f, *state), EVERR_STORE_CORRUPT);
	assert_non_null(strstr(f.reports, "ERROR meta pages: "));
	fixture_teardown(&f);
}

/* --------------------------------------------------- one thing is wrong */

struct defect {
	const char *name;
	void (*make)(struct fixture *f);
	const char *report; /* the only error, or a part of it */
};

static void make_meta_absent(struct fixture *f)
{
	MDB_val key = {5, "store"};

	assert_int_equal(mdb_del(f->txn, table(f, "meta"), &key, NULL), 0);
}

static void make_meta_crc(struct fixture *f)
{
	uint8_t data[64] = {1};

	put_raw(f, "meta", "store", 5, data, sizeof(data));
}

static void make_meta_next_no(struct fixture *f)
{
	put_meta(f, 1, 0, 2);
}

static void make_unknown_table(struct fixture *f)
{
	uint8_t data[8] = {};

	put(f, "summaries", "x", 1, data, sizeof(data));
}

static void make_table_absent(struct fixture *f)
{
	assert_int_equal(mdb_drop(f->txn, table(f, "state"), 1), 0);
}

static void make_record_crc(struct fixture *f)
{
	uint8_t data[RECORD_LEN];
	uint64_t id = 1102;

	record_make(data, id);
	put_raw(f, "records/00000001", &id, sizeof(id), data, sizeof(data));
}

/* Whole, with its checksum, but of another place. */
static void make_record_moved(struct fixture *f)
{
	uint8_t data[RECORD_LEN];
	uint64_t id = 1102;
	MDB_val key = {sizeof(id), &id};
	MDB_val value;

	assert_int_equal(
		mdb_get(f->txn, table(f, "records/00000001"), &key, &value), 0);
	memcpy(data, value.mv_data, sizeof(data));
	id = 1103;
	put_raw(f, "records/00000001", &id, sizeof(id), data, sizeof(data));
}

static void make_record_missing(struct fixture *f)
{
	struct head head = good_head;
	uint64_t id = 1102;
	MDB_val key = {sizeof(id), &id};

	assert_int_equal(
		mdb_del(f->txn, table(f, "records/00000001"), &key, NULL), 0);
	head.records = 7;
	head.open.count = 2;
	put_head(f, 1, &head);
}

static void make_last_record_missing(struct fixture *f)
{
	struct head head = good_head;
	uint64_t id = 1103;
	MDB_val key = {sizeof(id), &id};

	assert_int_equal(
		mdb_del(f->txn, table(f, "records/00000001"), &key, NULL), 0);
	head.records = 7;
	head.open.count = 2;
	head.open.last_id = 1102;
	head.open.max = 1102;
	put_head(f, 1, &head);
}

static void make_record_in_gap(struct fixture *f)
{
	struct head head = good_head;

	head.missing = 77;
	put_head(f, 1, &head);
	put_gap(f, 1, 1025, 1101, 2);
}

static void make_record_received_earlier(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	le64_set(data + 8, 2100);
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_record_kind(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	data[4] = 2;
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_record_absent_field(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	data[7] = 4;
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_record_wire_len(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	le32_set(data + 44, WIRE_LEN + 1);
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_node_template(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	le32_set(data + 48 + 28, 3);
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_node_value_too_long(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	le16_set(data + 48 + 8, 17);
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_node_longer_than_values(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	le16_set(data + 48 + 12, 0);
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_node_kind(struct fixture *f)
{
	uint8_t data[RECORD_LEN];

	record_make(data, 1102);
	data[48 + 24] = 3;
	put_record(f, 1, 1102, data, sizeof(data));
}

static void make_head_absent(struct fixture *f)
{
	delete_no(f, "heads", 2);
}

static void make_head_records(struct fixture *f)
{
	struct head head = good_head;

	/* As many bytes as there are: one count is wrong, not two. */
	uint8_t data[64 + 48 + 8] = {};

	le64_set(data + 8, head.next_id);
	le64_set(data + 16, head.oldest_id);
	le64_set(data + 24, 9);
	le64_set(data + 32, 8 * RECORD_LEN);
	le64_set(data + 40, head.missing);
	le64_set(data + 48, head.received);
	le64_set(data + 56, head.open.first_id);
	put_no(f, "heads", 1, data, 64 + summary_make(data + 64, &head.open));
}

static void make_head_next_id(struct fixture *f)
{
	struct head head = good_head;

	head.next_id = 1103;
	put_head(f, 1, &head);
}

static void make_head_oldest_id(struct fixture *f)
{
	struct head head = good_head;

	head.oldest_id = 1021;
	put_head(f, 1, &head);
}

static void make_head_missing(struct fixture *f)
{
	struct head head = good_head;

	head.missing = 75;
	put_head(f, 1, &head);
}

static void make_head_received(struct fixture *f)
{
	struct head head = good_head;

	head.received = 2102;
	put_head(f, 1, &head);
}

static void make_block_absent(struct fixture *f)
{
	uint8_t bytes[12];
	MDB_val key = {sizeof(bytes), bytes};

	be32_set(bytes, 1);
	be64_set(bytes + 4, 1);
	assert_int_equal(mdb_del(f->txn, table(f, "blocks"), &key, NULL), 0);
	put_users(f, 1, 1);
	put_users(f, 2, 1);
}

static void make_block_without_records(struct fixture *f)
{
	static const struct summary more = {1, 1024, 1, 1024, 1024};
	static const struct head trimmed = {
		.next_id = 1030,
		.open = {.first_id = 1025, .last_id = 1029},
	};

	put_head(f, 2, &trimmed);
	put_block(f, 2, &more);
	put_users(f, 1, 3);
	put_users(f, 2, 3);
}

static void make_block_times(struct fixture *f)
{
	struct summary block = good_block;

	block.max = 1023;
	put_block(f, 1, &block);
}

static void make_open_block_count(struct fixture *f)
{
	struct head head = good_head;

	head.open.count = 2;
	put_head(f, 1, &head);
}

static void make_open_block_times(struct fixture *f)
{
	struct head head = good_head;

	head.open.min = 1100;
	put_head(f, 1, &head);
}

static void make_block_template_absent(struct fixture *f)
{
	uint8_t data[64 + 48 + 8] = {};
	size_t len;

	le64_set(data + 8, good_head.next_id);
	le64_set(data + 16, good_head.oldest_id);
	le64_set(data + 24, good_head.records);
	le64_set(data + 32, good_head.records * RECORD_LEN);
	le64_set(data + 40, good_head.missing);
	le64_set(data + 48, good_head.received);
	le64_set(data + 56, good_head.open.first_id);
	len = summary_make(data + 64, &good_head.open);
	le32_set(data + 64 + 40, 1);
	put_no(f, "heads", 1, data, 64 + len - 4);
	put_users(f, 1, 1);
}

static void make_gap_cause(struct fixture *f)
{
	put_gap(f, 1, 1025, 1100, 1);
}

static void make_gap_beyond_end(struct fixture *f)
{
	struct head head = good_head;

	head.missing = 77;
	put_head(f, 1, &head);
	put_gap(f, 1, 1104, 1104, 2);
}

static void make_gap_overlap(struct fixture *f)
{
	put_gap(f, 1, 1030, 1031, 2);
}

static void make_template_sha256(struct fixture *f)
{
	uint8_t data[56 + DEF_LEN] = {};

	data[8] = 1;
	le32_set(data + 56, 0x0001010F);
	put_no(f, "templates", 1, data, sizeof(data));
}

static void make_template_guid_twice(struct fixture *f)
{
	put_template(f, 2, 1);
}

static void make_users_absent(struct fixture *f)
{
	delete_no(f, "users", 2);
}

static void make_users_count(struct fixture *f)
{
	put_users(f, 2, 1);
}

static void make_users_of_nothing(struct fixture *f)
{
	put_users(f, 7, 0);
}

static void make_channel_hole(struct fixture *f)
{
	static const struct head empty = {.next_id = 1};

	put_channel(f, 4, "Four");
	put_head(f, 3, &empty);
	put_head(f, 4, &empty);
}

static void make_channel_name(struct fixture *f)
{
	put_channel(f, 2, "a:b");
}

static void make_channel_twice(struct fixture *f)
{
	put_channel(f, 2, "APPLICATION");
}

static void make_state_crc(struct fixture *f)
{
	uint8_t data[5] = {};

	put_raw(f, "state", "forward/x", 9, data, sizeof(data));
}

static void make_state_too_long(struct fixture *f)
{
	static uint8_t data[4 + 1048577];

	put(f, "state", "forward/x", 9, data, sizeof(data));
}

static void make_cleared_without_gap(struct fixture *f)
{
	put_cleared_store(f);
	put_gap(f, 1, 1020, 1100, 4);
}

static void make_cleared_summary(struct fixture *f)
{
	uint64_t id;
	MDB_val key = {sizeof(id), &id};

	put_cleared_store(f);
	for (id = 1020; id <= 1024; id++) {
		assert_int_equal(mdb_del(f->txn, table(f, "records/00000001"),
					 &key, NULL),
				 0);
	}
}

static void make_channel_removed(struct fixture *f)
{
	uint8_t data[40 + 1] = {};

	put_meta(f, 1, 1, 3);
	le32_set(data + 4, 3);
	le32_set(data + 32, 1);
	le32_set(data + 36, UINT32_MAX);
	data[40] = 'A';
	put_no(f, "channels", 1, data, sizeof(data));
}

static void make_origin_unnamed(struct fixture *f)
{
	put_origins(f);
	put_origin_record(f, 0x02, 3);
}

static void make_origin_mark(struct fixture *f)
{
	put_origins(f);
	put_origin_record(f, 0x04, 0);
}

static void make_record_flag(struct fixture *f)
{
	put_origins(f);
	put_origin_record(f, 0x08, 0);
}

static void make_origin_early(struct fixture *f)
{
	put_origins(f);
	put_meta(f, 1, 1, 3);
}

static void make_origin_hole(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/00004", "x");
}

static void make_origin_great(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/65536", "x");
}

static void make_origin_short(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/3", "x");
}

static void make_origin_letter(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/0000x", "x");
}

static void make_origin_empty(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/00003", "");
}

static void make_origin_long(struct fixture *f)
{
	char host[302] = {};

	put_origins(f);
	memset(host, 'x', 301);
	put_origin(f, "origin/00003", host);
}

static void make_origin_text(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/00003", "\xFF");
}

static void make_origin_version(struct fixture *f)
{
	uint8_t data[9] = {0, 0, 0, 0, 2, 0, 0, 0, 'x'};

	put_origins(f);
	put(f, "state", "origin/00003", 12, data, sizeof(data));
}

static void make_origin_twice(struct fixture *f)
{
	put_origins(f);
	put_origin(f, "origin/00003", "DC1.Example");
}

static const struct defect defects[] = {
	{"cleared record that no gap names", make_cleared_without_gap,
	 "record 1101: it is the oldest one, but the head says 1102"},
	{"summary that a clearing left", make_cleared_summary,
	 "block 1: it has a summary but no records"},
	{"records of a removed channel", make_channel_removed,
	 "channel A: it was removed, but its head counts records"},
	{"meta absent", make_meta_absent, "table meta: it is empty"},
	{"meta with a wrong checksum", make_meta_crc,
	 "table meta: its checksum or size is wrong"},
	{"template number not below the next one", make_meta_next_no,
	 "template 2: its number is not below the next one, 2"},
	{"unknown table", make_unknown_table, "table summaries: it is unknown"},
	{"table absent", make_table_absent,
	 "the table of tables: state is missing"},
	{"record with a wrong checksum", make_record_crc,
	 "channel Application, record 1102: its checksum is wrong"},
	{"record under another id", make_record_moved,
	 "channel Application, record 1103: its checksum is wrong"},
	{"record missing", make_record_missing,
	 "channel Application, record 1102: 1 records up to 1102 are missing "
	 "and no gap says so"},
	{"last record missing", make_last_record_missing,
	 "channel Application, record 1103: 1 records up to 1103 are missing "
	 "and no gap says so"},
	{"record in a gap", make_record_in_gap,
	 "channel Application, record 1101: it lies in a gap"},
	{"record received before the one before it",
	 make_record_received_earlier,
	 "channel Application, record 1102: it was received before the record "
	 "before it"},
	{"record of an unknown kind", make_record_kind,
	 "channel Application, record 1102: it is of an unknown kind"},
	{"field without its bit", make_record_absent_field,
	 "record 1102: a System field that it has not is not zero"},
	{"wrong length of the RPC form", make_record_wire_len,
	 "record 1102: its RPC form has 94 bytes, but the header says 95"},
	{"node with an unknown template", make_node_template,
	 "record 1102: it uses a template that does not exist"},
	{"value beyond its node", make_node_value_too_long,
	 "record 1102: a value reaches beyond its node"},
	{"node longer than its values", make_node_longer_than_values,
	 "record 1102: a node is longer than its values"},
	{"nested node of an unknown kind", make_node_kind,
	 "record 1102: a node is neither a template nor a document"},
	{"head absent", make_head_absent,
	 "channel Dom\xC3\xA4ne/Betrieb: it has no head"},
	{"wrong number of records", make_head_records,
	 "channel Application: it has 8 records, but its head says 9"},
	{"next id not above the last", make_head_next_id,
	 "record 1103: it is not below the next id, 1103"},
	{"wrong oldest id", make_head_oldest_id,
	 "record 1020: it is the oldest one, but the head says 1021"},
	{"too few missing ids", make_head_missing,
	 "its head counts fewer missing ids than its gaps"},
	{"received after the head's time", make_head_received,
	 "its last record was received later than its head says"},
	{"summary absent", make_block_absent,
	 "channel Application, block 1: it has records but no summary"},
	{"summary without records", make_block_without_records,
	 "channel Dom\xC3\xA4ne/Betrieb, block 1: it has a summary but no "
	 "records"},
	{"summary that does not cover a time", make_block_times,
	 "block 1: its summary does not cover the times of its records"},
	{"open summary with fewer records", make_open_block_count,
	 "block 1025: it has more records than its summary says"},
	{"open summary with wider times", make_open_block_times,
	 "block 1025: its summary has other times than its records"},
	{"summary that misses a template", make_block_template_absent,
	 "block 1025: its summary misses a template of its records"},
	{"gap with a cause that is never stored", make_gap_cause,
	 "channel Application: the gap at 1025 has an unknown cause"},
	{"gap beyond the end", make_gap_beyond_end,
	 "channel Application: the gap at 1104 is not below the next id"},
	{"gaps that overlap", make_gap_overlap,
	 "channel Application: the gap at 1030 has impossible bounds"},
	{"definition with another SHA-256", make_template_sha256,
	 "template 1: its definition is not the one of its SHA-256"},
	{"GUID of two templates", make_template_guid_twice,
	 "it has the same GUID as template"},
	{"users not counted", make_users_absent,
	 "template 2: its users are not counted"},
	{"users counted wrongly", make_users_count,
	 "template 2: it has 2 users, but its count says 1"},
	{"users of no template", make_users_of_nothing,
	 "users of template 7: there is no such template"},
	{"hole in the numbers of channels", make_channel_hole,
	 "table channels: channels are not numbered in a row"},
	{"impossible name of a channel", make_channel_name,
	 "channel 2: it has a name that no channel may have"},
	{"name of two channels", make_channel_twice,
	 "two channels have this name"},
	{"state with a wrong checksum", make_state_crc,
	 "state forward/x: its checksum is wrong"},
	{"state too long", make_state_too_long,
	 "state forward/x: it is too long"},
	{"origin without a name", make_origin_unnamed,
	 "record 1102: its origin has no name"},
	{"mark without an origin", make_origin_mark,
	 "record 1102: it has a mark but no origin"},
	{"unknown flag", make_record_flag, "record 1102: it has unknown flags"},
	{"origin before its version", make_origin_early,
	 "record 1102: it has an origin, which its version does not know"},
	{"hole in the numbers of origins", make_origin_hole,
	 "state origin/00004: the number before it is not there"},
	{"number of an origin too great", make_origin_great,
	 "state origin/65536: it is no number of an origin"},
	{"number of an origin too short", make_origin_short,
	 "state origin/3: it is no number of an origin"},
	{"number of an origin that is none", make_origin_letter,
	 "state origin/0000x: it is no number of an origin"},
	{"origin without a host", make_origin_empty,
	 "state origin/00003: its host's name is empty or too long"},
	{"origin of too long a name", make_origin_long,
	 "state origin/00003: its host's name is empty or too long"},
	{"origin whose name is no text", make_origin_text,
	 "state origin/00003: its host's name is no text"},
	{"origin of another form", make_origin_version,
	 "state origin/00003: it is of an unknown version"},
	{"host with two numbers", make_origin_twice, "it has two numbers"},
};
#define NUM_DEFECTS (sizeof(defects) / sizeof(defects[0]))

/* Each is found and called by its name, and the first error is about it. */
static bool defect_is_found(const struct defect *defect, TALLOC_CTX *mem_ctx)
{
	struct fixture f;
	const char *error = NULL;
	const char *end = NULL;
	const char *found = NULL;

	assert_int_equal(fixture_setup(&f), 0);
	put_good_store(&f);
	defect->make(&f);
	env_commit(&f);
	assert_int_equal(verify(&f, mem_ctx), EVERR_OK);
	fixture_teardown(&f);

	assert_int_not_equal(f.result.errors, 0);
	error = strstr(f.reports, "ERROR ");
	assert_non_null(error);
	end = strchr(error, '\n');
	assert_non_null(end);
	found = strstr(error, defect->report);
	if (found == NULL || found > end) {
		print_message("%s: not reported first:\n%s", defect->name,
			      f.reports);
		return false;
	}
	return true;
}

static void test_every_defect_is_found(void **state)
{
	size_t failed = 0;
	size_t i;

	for (i = 0; i < NUM_DEFECTS; i++) {
		failed += !defect_is_found(&defects[i], *state);
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_good_store_is_clean),
		leak_test(test_records_that_were_cleared_may_still_be_there),
		leak_test(test_unused_template_may_be_there_twice),
		leak_test(test_copy_without_lock_file_is_read_and_left_alone),
		leak_test(test_absent_store_is_not_found),
		leak_test(test_another_major_version_is_refused),
		leak_test(test_records_may_have_an_origin),
		leak_test(test_newer_minor_version_may_have_more),
		leak_test(test_file_that_is_no_store_is_corrupt),
		leak_test(test_every_defect_is_found),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
