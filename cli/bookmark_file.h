/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_BOOKMARK_FILE_H
#define EVENLOG_CLI_BOOKMARK_FILE_H

/*
 * A bookmark list in a file, in the form Windows' tools use too.
 */

#include "base/everr.h"
#include "event/bookmark.h"

#include <talloc.h>

/*
 * EVERR_NOT_FOUND        there is no such file
 * EVERR_IO               it cannot be read; errno says why
 * EVERR_BOOKMARK_SYNTAX  it is no bookmark list, or names no channel
 * EVERR_LIMIT, EVERR_NOMEM
 */
everr_t bookmark_file_load(TALLOC_CTX *mem_ctx, const char *path,
			   struct event_bookmark_list **ret_list)
	EVERR_MUST_CHECK;

/*
 * Replace the file at once and durably: afterwards, whatever happens, it has
 * the old content or the new one.  It is readable by its owner only.
 *
 * EVERR_IO  errno says why
 * EVERR_NOMEM
 */
everr_t bookmark_file_save(const char *path,
			   const struct event_bookmark_list *list)
	EVERR_MUST_CHECK;

#endif
