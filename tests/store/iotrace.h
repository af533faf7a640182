/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_STORE_IOTRACE_H
#define EVENLOG_TESTS_STORE_IOTRACE_H

/*
 * iotrace.so is preloaded under a program that uses the store.  It writes down,
 * in order, what reaches the store's data file and when the disk was asked to
 * keep it, and it can play a disk that fails or is full.
 *
 * A trace is a sequence of struct iotrace_entry, each followed by len bytes
 * for IOTRACE_WRITE and IOTRACE_MARK.  The file is named by the variable IOTRACE_FILE.  With
 * IOTRACE_LAZY set no sync is done nor written down, as if the program had
 * none.  While the file exists that IOTRACE_FAIL_WHILE names, each sync fails.
 */

#include <stdint.h>

enum iotrace_kind {
	IOTRACE_WRITE = 1,   /* offset, len; has returned */
	IOTRACE_TRUNCATE,    /* offset: the new size; has returned */
	IOTRACE_SYNC_BEGIN,  /* offset: number of the sync */
	IOTRACE_SYNC_END,    /* the same number; what was written is safe */
	IOTRACE_SYNC_FAILED, /* the same number */
	IOTRACE_WRITE_SAFE,  /* the write just before was O_DSYNC */
	IOTRACE_MARK,	     /* a text of the program */
	IOTRACE_BORN,	     /* a new file was moved to its place */
	IOTRACE_WRITE_MAP    /* a writable map: the trace is incomplete */
};

struct iotrace_entry {
	uint32_t kind;
	uint32_t len;
	uint64_t offset;
};

/*
 * What a program finds with dlsym() when it runs under the shim.
 *
 * mark        note something in the trace, in the order of the calls
 * fail_sync   the next count syncs fail with error
 * fail_write  the next count writes fail with error; dsync: only those through
 *             an O_DSYNC descriptor (LMDB's meta page)
 * set_room    the file may not grow beyond size bytes, and the file system
 *             says so; UINT64_MAX: as much as there is
 */
typedef void (*iotrace_mark_fn)(const char *text);
typedef void (*iotrace_fail_sync_fn)(unsigned int count, int error);
typedef void (*iotrace_fail_write_fn)(unsigned int count, int error, int dsync);
typedef void (*iotrace_set_room_fn)(uint64_t size);

#endif
