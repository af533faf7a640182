/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_FILE_H
#define EVENLOG_BASE_FILE_H

/* What every writer and reader of small files needs; errno says what failed. */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* All of it, whatever write() takes at a time. */
bool file_write_all(int fd, const void *data, size_t len);

/* Make what was created, renamed or removed in dir last. */
bool file_sync_directory(const char *dir);

/*
 * A file of at most max bytes, with a NUL behind it that is not counted.  For
 * small local files: it waits for the disk, but for nobody who would have to
 * write.
 *
 * EVERR_IO             it cannot be opened or read (errno)
 * EVERR_NOT_SUPPORTED  it is not a regular file: a directory, FIFO or device
 * EVERR_LIMIT          it is longer than max
 */
everr_t file_read_all(TALLOC_CTX *mem_ctx, const char *path, size_t max,
		      char **ret_data, size_t *ret_len) EVERR_MUST_CHECK;

#endif
