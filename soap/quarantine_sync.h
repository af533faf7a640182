/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_QUARANTINE_SYNC_H
#define EVENLOG_SOAP_QUARANTINE_SYNC_H

/*
 * Has the files of new entries written to the disk itself, in a thread of its
 * own: waiting for a disk takes longer than the event loop may stand.  The
 * thread knows names and descriptors, nothing else.
 */

#include "base/everr.h"

#include <talloc.h>

/* Of an entry's name, with its NUL. */
#define QUARANTINE_NAME_SIZE 36

struct quarantine_sync;

/*
 * The thread starts with the first entry.  Freeing finishes what is queued; in
 * a child that was forked it does nothing.  NULL: no memory.
 */
struct quarantine_sync *quarantine_sync_create(TALLOC_CTX *mem_ctx,
					       const char *dir);

/* The entry's files are there, under their names. */
void quarantine_sync_add(struct quarantine_sync *sync, const char *name);

#endif
