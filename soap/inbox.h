/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_INBOX_H
#define EVENLOG_SOAP_INBOX_H

/*
 * The inbox: a directory into which others drop .DDR files.  A file is taken
 * when its writer has closed it or when it is moved in, and, whatever came of
 * that, when a look at the whole directory finds it (at start and each
 * minute).  Its events go to disk together with a note of it, then it is moved
 * to done/, so that a crash between the two makes no second event.  What can't
 * be read is moved to bad/, with NAME.reason.txt beside it.  Directories, and
 * names that begin with a dot, are left alone.
 */

#include "base/everr.h"
#include "soap/configmgr.h"

/* Bytes of a file, which is read in the loop; beyond it, it is bad. */
#define INBOX_FILE_MAX (1024 * 1024)
/* Files kept in done/ and in bad/, each; and for how long. */
#define INBOX_KEPT_MAX 2000
#define INBOX_DONE_SECONDS (7 * 24 * 3600)
#define INBOX_BAD_SECONDS (30 * 24 * 3600)
/* Files on their way to disk at a time. */
#define INBOX_FLIGHTS_MAX 16

/*
 * Watch path (NULL: none any more) instead of what was watched before, and
 * look through it.  On failure what was watched stays.  *ret_message is a
 * child of configmgr.
 *
 * EVERR_CONFIG  it is no directory that can be used
 * EVERR_NOMEM
 */
everr_t configmgr_inbox_start(struct configmgr *configmgr, const char *path,
			      char **ret_message) EVERR_MUST_CHECK;

struct inbox_stats {
	uint64_t done;
	uint64_t again; /* had been stored before */
	uint64_t bad;
	uint64_t deferred; /* could not be stored; tried again later */
	uint64_t failed;   /* could not be moved */
};

#endif
