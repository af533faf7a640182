/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_IMPORT_H
#define EVENLOG_SOAP_WSUS_IMPORT_H

/*
 * From a directory that a person makes to the service's catalogue: all *.xml
 * (one update's metadata each) and, if it is there, catalogue.json (groups,
 * deployments and whatever else no metadata says).  doc/wsus.md.
 */

#include "soap/wsus_catalogue.h"

/* What is said of one import. */
#define WSUS_PROBLEMS_MAX 50

/* What is wrong, for a person: "DIR/x.xml:12: ...". */
struct wsus_problems {
	char *messages[WSUS_PROBLEMS_MAX]; /* talloc children */
	size_t num;
	size_t num_more; /* for which there was no room */
};

void wsus_problem(struct wsus_problems *problems, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Read catalogue.json of a source into a catalogue whose updates are there.
 * Problems are added; no file is none.  EVERR_NOMEM
 */
everr_t wsus_settings_read(struct wsus_problems *problems, const char *source,
			   struct wsus_catalogue *catalogue) EVERR_MUST_CHECK;

struct wsus_import {
	size_t updates; /* now */
	size_t added, changed, removed;
	size_t deployments;
	size_t created, deleted;
	bool written; /* something was different */
};

/*
 * Import source into directory (made when it is missing), or only check.  What
 * was there stays in force when anything is wrong.  now is a FILETIME.
 *
 * EVERR_CONFIG  *ret_problems has what
 * EVERR_IO      likewise
 * EVERR_NOMEM
 * *ret_problems is a child of mem_ctx and is set in all cases but the last.
 */
everr_t wsus_import(TALLOC_CTX *mem_ctx, const char *source,
		    const char *directory, bool check, uint64_t now,
		    struct wsus_import *ret_import,
		    struct wsus_problems **ret_problems) EVERR_MUST_CHECK;

#endif
