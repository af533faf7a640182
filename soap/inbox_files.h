/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_INBOX_FILES_H
#define EVENLOG_SOAP_INBOX_FILES_H

/*
 * The inbox's directories and files.  Others write there: no link is followed,
 * nothing but a regular file is read, and a file is moved only while it is
 * still the one that was read.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <talloc.h>

enum inbox_kind {
	INBOX_DONE,
	INBOX_BAD
};

struct inbox_dirs {
	const char *path;
	int top, done, bad; /* descriptors, closed with the struct */
};

/*
 * Open, and make what is missing.  *ret_message (child of mem_ctx) says what
 * can't be used: also where files can't be moved from one to the other.
 * EVERR_CONFIG, EVERR_NOMEM.
 */
everr_t inbox_dirs_open(TALLOC_CTX *mem_ctx, const char *path,
			struct inbox_dirs **ret_dirs,
			char **ret_message) EVERR_MUST_CHECK;

/* Whether the names still are those of the directories that are open. */
bool inbox_dirs_current(const struct inbox_dirs *dirs);

/* Whether a file of the name is looked at: it ends in .DDR, without case. */
bool inbox_name_fits(const char *name);

struct inbox_content {
	uint8_t *data; /* child of mem_ctx */
	size_t len;
	struct stat stat; /* when it was read */
};

/*
 * EVERR_NOT_FOUND  it is gone, or a directory
 * EVERR_TEXT       no regular file
 * EVERR_LIMIT      larger than max
 * EVERR_IO, EVERR_NOMEM
 * stat is set for EVERR_TEXT and EVERR_LIMIT, too.
 */
everr_t inbox_read(TALLOC_CTX *mem_ctx, const struct inbox_dirs *dirs,
		   const char *name, size_t max,
		   struct inbox_content *ret_content) EVERR_MUST_CHECK;

/*
 * Move the file, unless it is another one by now (EVERR_STALE); a name that is
 * taken there gets a number.  With reason, NAME.reason.txt is written beside
 * it, if it can be.  EVERR_NOT_FOUND, EVERR_IO.
 */
everr_t inbox_move(const struct inbox_dirs *dirs, const char *name,
		   const struct stat *stat, enum inbox_kind kind,
		   const char *reason) EVERR_MUST_CHECK;

/*
 * Remove what is older than seconds, and the oldest beyond max.  A directory
 * with very many files needs several calls.
 */
void inbox_trim(const struct inbox_dirs *dirs, enum inbox_kind kind,
		uint32_t max, uint64_t seconds);

#endif
