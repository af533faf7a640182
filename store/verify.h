/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_VERIFY_H
#define EVENLOG_STORE_VERIFY_H

/*
 * `evenlog verify`: an independent check of a store directory.  Written from
 * doc/store-format.md alone; shares no decoding code with the store, so that
 * two wrongs do not make a right.  Read only; works on a copy, on a crash
 * image, and on a store in use by another process (never call it in a process
 * that has the same store open: LMDB's file locks would be lost).
 *
 * Damage anywhere in the file ends in a report, not in a crash: LMDB's pages
 * are walked by the checker itself (store/image.h).
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

enum store_verify_level {
	STORE_VERIFY_NOTE, /* worth knowing: a recorded gap */
	STORE_VERIFY_ERROR /* the store is damaged here */
};

/* where is for a person: "channel Application, record 17". */
typedef void (*store_verify_fn)(enum store_verify_level level,
				const char *where, const char *what,
				void *private_data);
/* done of total pages; called now and then. */
typedef void (*store_verify_progress_fn)(uint64_t done, uint64_t total,
					 void *private_data);

struct store_verify_result {
	uint64_t channels;
	uint64_t records;
	uint64_t templates;
	uint64_t bytes;
	uint64_t errors;
	uint64_t notes;
};

/*
 * EVERR_OK even when errors were found: see ret_result->errors.
 * EVERR_NOT_FOUND      no store there
 * EVERR_STORE_VERSION  a format this program does not know
 * EVERR_STORE_CORRUPT  not readable at all as LMDB; reported through fn too
 * EVERR_IO, EVERR_NOMEM
 */
everr_t store_verify(TALLOC_CTX *mem_ctx, const char *path, store_verify_fn fn,
		     store_verify_progress_fn progress, void *private_data,
		     struct store_verify_result *ret_result) EVERR_MUST_CHECK;

#endif
