/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_QUARANTINE_WRITER_H
#define EVENLOG_SOAP_QUARANTINE_WRITER_H

/*
 * Writes and removes the quarantine's files in a thread of its own, in the
 * order in which it was asked: a disk takes longer than the event loop may
 * stand.  The thread knows plain memory and descriptors, nothing else; all
 * calls here are the loop's.
 */

#include "base/everr.h"
#include "soap/quarantine_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <time.h>

/* What may wait for the disk; one entry may, whatever its size. */
#define QUARANTINE_WAITING_BYTES (32 * 1024 * 1024)
#define QUARANTINE_WAITING_ENTRIES 1024

struct quarantine_writer;

/*
 * The thread starts with the first entry.  Freeing finishes what was asked
 * for; in a child that was forked it does nothing.  NULL: no memory.
 */
struct quarantine_writer *quarantine_writer_create(TALLOC_CTX *mem_ctx,
						   const char *dir);

/* Texts and data are copied.  EVERR_LIMIT: too much waits for the disk. */
everr_t quarantine_writer_put(struct quarantine_writer *writer,
			      const char *name, const char *description,
			      const uint8_t *data, size_t len) EVERR_MUST_CHECK;
/* Of an entry on disk or on its way there. */
void quarantine_writer_remove(struct quarantine_writer *writer,
			      const char *name);

/* What has been done; before and after: the directory's time of change. */
struct quarantine_written {
	char name[QUARANTINE_NAME_SIZE];
	bool failed; /* an entry that could not be written */
	struct timespec before, after;
};
/* One after another; false: no more yet. */
bool quarantine_writer_next(struct quarantine_writer *writer,
			    struct quarantine_written *ret_written);

/* Asked for, and quarantine_writer_next() has not told of its end. */
bool quarantine_writer_busy(const struct quarantine_writer *writer);
/* An entry that is being written or removed. */
bool quarantine_writer_has(const struct quarantine_writer *writer,
			   const char *name);
/* For each entry that is being written, in their order. */
everr_t quarantine_writer_each(const struct quarantine_writer *writer,
			       everr_t (*fn)(void *private_data,
					     const char *name, uint64_t bytes),
			       void *private_data) EVERR_MUST_CHECK;

/*
 * An entry that is not on disk yet: its description, and up to max bytes of
 * its input from offset on, children of mem_ctx.  EVERR_NOT_FOUND: look there.
 */
struct quarantine_waiting {
	char *description;
	uint8_t *data;
	size_t len;
	uint64_t total;
};
everr_t quarantine_writer_read(
	const struct quarantine_writer *writer, TALLOC_CTX *mem_ctx,
	const char *name, uint64_t offset, size_t max,
	struct quarantine_waiting *ret_waiting) EVERR_MUST_CHECK;

#endif
