/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/env.h"

#include "base/file.h"
#include "store/image.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Record ids are LMDB's integer keys. */
_Static_assert(sizeof(size_t) == 8, "a 64-bit machine");

/* Tables beside the channels' own. */
#define TABLES_FIXED 16

everr_t store_env_error(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return EVERR_OK;
	case MDB_NOTFOUND:
		return EVERR_NOT_FOUND;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return EVERR_STORE_FULL;
	case ENOMEM:
		return EVERR_NOMEM;
	case ENOENT:
		return EVERR_NOT_FOUND;
	case MDB_VERSION_MISMATCH:
		return EVERR_STORE_VERSION;
	case MDB_PANIC:
		return EVERR_STORE_SYNC;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL:
	case MDB_KEYEXIST:
	case MDB_BAD_VALSIZE:
	case MDB_INCOMPATIBLE:
		return EVERR_STORE_CORRUPT;
	default:
		return EVERR_IO;
	}
}

/* --------------------------------------------------------------- files */

/* A new directory outlives a power failure only when its parent is synced. */
static everr_t make_dir(const char *path)
{
	char parent[PATH_MAX];
	int len;

	if (mkdir(path, 0700) == -1) {
		return errno == EEXIST ? EVERR_OK : store_env_error(errno);
	}
	len = snprintf(parent, sizeof(parent), "%s/..", path);
	if (len < 0 || (size_t)len >= sizeof(parent)) {
		return EVERR_INVALID;
	}
	return file_sync_directory(parent) ? EVERR_OK : EVERR_IO;
}

everr_t store_env_lock(const char *path, int *ret_fd)
{
	everr_t err;
	int dir;
	int fd;

	err = make_dir(path);
	if (err != EVERR_OK) {
		return err;
	}
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		return EVERR_IO;
	}
	fd = openat(dir, STORE_FILE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	close(dir);
	if (fd == -1) {
		return store_env_error(errno);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		err = errno == EWOULDBLOCK ? EVERR_STORE_LOCKED : EVERR_IO;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return EVERR_OK;
}

/*
 * The inode's number alone does not tell a copy from the file it replaced:
 * file systems give the number of a deleted file to the next one.
 */
static uint64_t identity(int fd, const struct stat *st)
{
	struct statx stx = {};
	uint64_t born = 0;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) == 0 &&
	    (stx.stx_mask & STATX_BTIME) != 0) {
		born = (uint64_t)stx.stx_btime.tv_sec * 1000000000 +
		       stx.stx_btime.tv_nsec;
	}
	return st->st_ino ^ born * UINT64_C(0x9E3779B97F4A7C15);
}

uint64_t store_env_file_size(const struct store_env *env, uint64_t *ret_inode)
{
	struct stat st;
	int fd;

	if (mdb_env_get_fd(env->mdb, &fd) != 0 || fstat(fd, &st) != 0) {
		return 0;
	}
	if (ret_inode != NULL) {
		*ret_inode = identity(fd, &st);
	}
	return (uint64_t)st.st_size;
}

/* -------------------------------------------------------------- tables */

static int open_tables(MDB_txn *txn, struct store_tables *tables,
		       unsigned int flags)
{
	const struct {
		const char *name;
		MDB_dbi *dbi;
	} list[] = {
		{STORE_TABLE_META, &tables->meta},
		{STORE_TABLE_CHANNELS, &tables->channels},
		{STORE_TABLE_HEADS, &tables->heads},
		{STORE_TABLE_BLOCKS, &tables->blocks},
		{STORE_TABLE_GAPS, &tables->gaps},
		{STORE_TABLE_TEMPLATES, &tables->templates},
		{STORE_TABLE_USERS, &tables->users},
		{STORE_TABLE_STATE, &tables->state},
	};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		rc = mdb_dbi_open(txn, list[i].name, flags, list[i].dbi);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

everr_t store_env_records(MDB_txn *txn, uint32_t channel, bool create,
			  MDB_dbi *ret_dbi)
{
	unsigned int flags = MDB_INTEGERKEY | (create ? MDB_CREATE : 0);
	char name[32];

	snprintf(name, sizeof(name), STORE_TABLE_RECORDS, channel);
	return store_env_error(mdb_dbi_open(txn, name, flags, ret_dbi));
}

static everr_t create_tables(struct store_env *env,
			     const struct store_meta *meta)
{
	uint8_t value[STORE_META_SIZE];
	MDB_txn *txn = NULL;
	int rc;

	rc = mdb_txn_begin(env->mdb, NULL, 0, &txn);
	if (rc != 0) {
		return store_env_error(rc);
	}
	rc = open_tables(txn, &env->tables, MDB_CREATE);
	if (rc == 0) {
		store_meta_put(value, meta);
		rc = store_env_put(txn, env->tables.meta, STORE_KEY_META,
				   strlen(STORE_KEY_META), value, sizeof(value),
				   0);
	}
	if (rc != 0) {
		mdb_txn_abort(txn);
		return store_env_error(rc);
	}
	return store_env_error(mdb_txn_commit(txn));
}

static everr_t read_meta(struct store_env *env, MDB_txn *txn,
			 struct store_meta *meta)
{
	MDB_val value;
	int rc;

	rc = store_env_get(txn, env->tables.meta, STORE_KEY_META,
			   strlen(STORE_KEY_META), &value);
	if (rc == MDB_NOTFOUND) {
		return EVERR_STORE_VERSION;
	}
	if (rc != 0) {
		return store_env_error(rc);
	}
	return store_meta_get(value.mv_data, value.mv_size, meta);
}

/* Handles opened in a transaction for reading stay when it is committed. */
static everr_t load_tables(struct store_env *env, struct store_meta *meta)
{
	MDB_txn *txn = NULL;
	everr_t err;
	int rc;

	rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
	if (rc != 0) {
		return store_env_error(rc);
	}
	rc = mdb_dbi_open(txn, STORE_TABLE_META, 0, &env->tables.meta);
	if (rc == MDB_NOTFOUND) {
		mdb_txn_abort(txn);
		return EVERR_STORE_VERSION;
	}
	err = rc == 0 ? read_meta(env, txn, meta) : store_env_error(rc);
	if (err == EVERR_OK) {
		rc = open_tables(txn, &env->tables, 0);
		err = rc == MDB_NOTFOUND ? EVERR_STORE_CORRUPT
					 : store_env_error(rc);
	}
	if (err != EVERR_OK) {
		mdb_txn_abort(txn);
		return err;
	}
	err = store_env_error(mdb_txn_commit(txn));
	if (err == EVERR_OK && !env->read_only &&
	    meta->minor > STORE_FORMAT_MINOR) {
		return EVERR_STORE_VERSION;
	}
	return err;
}

/* ---------------------------------------------------------------- open */

static everr_t env_open(struct store_env *env, const char *path,
			uint64_t map_size)
{
	unsigned int flags = MDB_NOTLS | (env->read_only ? MDB_RDONLY : 0);
	MDB_stat stat;
	int dead;
	int rc;

	rc = mdb_env_set_maxdbs(env->mdb, STORE_CHANNELS_MAX + TABLES_FIXED);
	if (rc == 0) {
		rc = mdb_env_set_mapsize(env->mdb, map_size);
	}
	if (rc == 0) {
		rc = mdb_env_open(env->mdb, path, flags, 0600);
	}
	if (rc == 0) {
		rc = mdb_env_stat(env->mdb, &stat);
	}
	if (rc != 0) {
		return store_env_error(rc);
	}
	env->page_size = stat.ms_psize;
	/* A reader that was killed would hold its pages for ever. */
	if (!env->read_only) {
		(void)mdb_reader_check(env->mdb, &dead);
	}
	return EVERR_OK;
}

static everr_t create_in(const char *dir, const struct store_meta *meta)
{
	struct store_env env = {};
	everr_t err;
	int rc;

	rc = mdb_env_create(&env.mdb);
	if (rc != 0) {
		return store_env_error(rc);
	}
	rc = mdb_env_set_maxdbs(env.mdb, TABLES_FIXED);
	if (rc == 0) {
		rc = mdb_env_open(env.mdb, dir, MDB_NOLOCK, 0600);
	}
	err = rc == 0 ? create_tables(&env, meta) : store_env_error(rc);
	store_env_close(&env);
	return err;
}

static everr_t path_join(char path[PATH_MAX], const char *dir, const char *name)
{
	int len = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return len < 0 || len >= PATH_MAX ? EVERR_INVALID : EVERR_OK;
}

/*
 * A store comes into being whole: LMDB writes its first pages in no order, and
 * what a power failure leaves of them it would refuse for ever.
 */
static everr_t create(const char *path, const struct store_meta *meta)
{
	char data[PATH_MAX], dir[PATH_MAX], fresh[PATH_MAX];
	everr_t err;

	err = path_join(data, path, STORE_FILE_DATA);
	if (err != EVERR_OK) {
		return err;
	}
	if (access(data, F_OK) == 0 || errno != ENOENT) {
		return EVERR_OK;
	}
	err = path_join(dir, path, STORE_DIR_CREATE);
	if (err == EVERR_OK) {
		err = path_join(fresh, dir, STORE_FILE_DATA);
	}
	if (err != EVERR_OK) {
		return err;
	}
	if ((mkdir(dir, 0700) == -1 && errno != EEXIST) ||
	    (unlink(fresh) == -1 && errno != ENOENT)) {
		return store_env_error(errno);
	}
	err = create_in(dir, meta);
	if (err != EVERR_OK) {
		return err;
	}
	if (rename(fresh, data) == -1) {
		return store_env_error(errno);
	}
	(void)rmdir(dir);
	return file_sync_directory(path) ? EVERR_OK : EVERR_IO;
}

everr_t store_env_open(struct store_env *env, const char *path,
		       uint64_t map_size, bool read_only,
		       struct store_meta *meta)
{
	everr_t err;
	int rc;

	*env = (struct store_env){.read_only = read_only};
	if (!read_only) {
		err = create(path, meta);
		if (err != EVERR_OK) {
			return err;
		}
	}
	err = store_image_check(path, !read_only);
	if (err != EVERR_OK) {
		return err;
	}
	rc = mdb_env_create(&env->mdb);
	if (rc != 0) {
		env->mdb = NULL;
		return store_env_error(rc);
	}
	err = env_open(env, path, map_size);
	if (err == EVERR_OK) {
		err = load_tables(env, meta);
	}
	if (err != EVERR_OK) {
		store_env_close(env);
	}
	return err;
}

void store_env_close(struct store_env *env)
{
	if (env->mdb != NULL) {
		mdb_env_close(env->mdb);
		env->mdb = NULL;
	}
}

everr_t store_env_relax(struct store_env *env)
{
	return store_env_error(mdb_env_set_flags(env->mdb, MDB_NOMETASYNC, 1));
}

everr_t store_env_sync(struct store_env *env)
{
	return store_env_error(mdb_env_sync(env->mdb, 1));
}

/* -------------------------------------------------------------- access */

int store_env_get(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len,
		  MDB_val *ret_value)
{
	MDB_val k = {.mv_size = key_len, .mv_data = (void *)key};

	return mdb_get(txn, dbi, &k, ret_value);
}

int store_env_put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len,
		  const void *value, size_t len, unsigned int flags)
{
	MDB_val k = {.mv_size = key_len, .mv_data = (void *)key};
	MDB_val v = {.mv_size = len, .mv_data = (void *)value};

	return mdb_put(txn, dbi, &k, &v, flags);
}

int store_env_del(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len)
{
	MDB_val k = {.mv_size = key_len, .mv_data = (void *)key};

	return mdb_del(txn, dbi, &k, NULL);
}

/* ---------------------------------------------------------------- room */

uint64_t store_env_disk_free(const struct store_env *env)
{
	struct statvfs fs;
	int fd;

	if (mdb_env_get_fd(env->mdb, &fd) != 0 || fstatvfs(fd, &fs) != 0) {
		return 0;
	}
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

uint64_t store_env_map_left(const struct store_env *env)
{
	MDB_envinfo info;
	uint64_t used;

	if (mdb_env_info(env->mdb, &info) != 0) {
		return 0;
	}
	used = (info.me_last_pgno + 1) * env->page_size;
	return used < info.me_mapsize ? info.me_mapsize - used : 0;
}

/* Each entry of table 0 is a list of page numbers that begins with its length.
 */
static uint64_t free_list_pages(MDB_cursor *cursor)
{
	MDB_val key;
	MDB_val value;
	uint64_t pages = 0;
	size_t num;

	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		if (value.mv_size >= sizeof(num)) {
			memcpy(&num, value.mv_data, sizeof(num));
			pages += num;
		}
	}
	return pages;
}

uint64_t store_env_pages_free(const struct store_env *env)
{
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	uint64_t pages = 0;

	if (mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn) != 0) {
		return 0;
	}
	if (mdb_cursor_open(txn, 0, &cursor) == 0) {
		pages = free_list_pages(cursor);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return pages * env->page_size;
}
