/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_ENV_H
#define EVENLOG_STORE_ENV_H

/*
 * The LMDB environment of a store: its files, its tables, its errors.
 * No talloc: the writer's thread uses it too.
 */

#include "base/everr.h"
#include "store/value.h"

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

struct store_tables {
	MDB_dbi meta;
	MDB_dbi channels;
	MDB_dbi heads;
	MDB_dbi blocks;
	MDB_dbi gaps;
	MDB_dbi templates;
	MDB_dbi users;
	MDB_dbi state;
};

struct store_env {
	MDB_env *mdb; /* NULL: closed */
	struct store_tables tables;
	bool read_only;
	size_t page_size;
};

/* What LMDB or the system said, as ours.  MDB_NOTFOUND: EVERR_NOT_FOUND. */
everr_t store_env_error(int rc);

/*
 * Make the directory (0700) unless it is there, and take the writer's lock in
 * it; *ret_fd holds it until closed.  EVERR_STORE_LOCKED, EVERR_IO.
 */
everr_t store_env_lock(const char *path, int *ret_fd) EVERR_MUST_CHECK;

/*
 * Open the environment and its tables.  Unless read_only a missing file is
 * made, with meta as given; then and else *meta is what was read.
 *
 * EVERR_NOT_FOUND      read_only, and there is none
 * EVERR_STORE_VERSION  no table of ours in it, or another version
 * EVERR_STORE_CORRUPT, EVERR_STORE_FULL, EVERR_IO, EVERR_NOMEM
 */
everr_t store_env_open(struct store_env *env, const char *path,
		       uint64_t map_size, bool read_only,
		       struct store_meta *meta) EVERR_MUST_CHECK;
void store_env_close(struct store_env *env);

/*
 * From now on a commit does not wait for its meta page, which the next one
 * waits for: a power failure may undo the last commit.
 */
everr_t store_env_relax(struct store_env *env) EVERR_MUST_CHECK;
/* Wait for that of the last commit. */
everr_t store_env_sync(struct store_env *env) EVERR_MUST_CHECK;

/* The table of a channel's records, in any transaction of the caller. */
everr_t store_env_records(MDB_txn *txn, uint32_t channel, bool create,
			  MDB_dbi *ret_dbi) EVERR_MUST_CHECK;

/* Look up a key of bytes. */
int store_env_get(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len,
		  MDB_val *ret_value);
int store_env_put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len,
		  const void *value, size_t len, unsigned int flags);
int store_env_del(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len);

/* Bytes of the file system that the store may still take. */
uint64_t store_env_disk_free(const struct store_env *env);
/* Bytes by which the file may still grow inside its map. */
uint64_t store_env_map_left(const struct store_env *env);
/* Bytes of the file; and what tells it from a copy of it. */
uint64_t store_env_file_size(const struct store_env *env, uint64_t *ret_inode);
/* Bytes inside the file that no record needs.  Walks LMDB's free list. */
uint64_t store_env_pages_free(const struct store_env *env);

#endif
