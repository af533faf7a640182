/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_QUARANTINE_H
#define EVENLOG_SOAP_QUARANTINE_H

/*
 * What came in and could not be used, kept for a person: a directory with two
 * files for each, NAME.in (the bytes) and NAME.json (what is known of it).
 * Names are made here: no byte of the input is in them; their order is the
 * order of arrival.  The oldest go when the limits are reached, which is
 * counted.  A person may take entries away, or all of it, at any time; files
 * of other names are left alone.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct quarantine_limits {
	uint64_t bytes; /* of all */
	uint32_t entries;
	uint64_t entry_bytes; /* of one; the rest is cut off */
};

void quarantine_limits_default(struct quarantine_limits *ret_limits);

/* Strings are UTF-8 and may be NULL where they are not known. */
struct quarantine_entry {
	const char *name;
	const char *source; /* "configmgr", "wsus" */
	const char *reason;
	const char *peer;
	const char *method; /* of the HTTP request */
	const char *path;   /* of the request */
	const char *content_type;
	const char *soap_action;
	uint64_t received; /* FILETIME */
	uint64_t len;	   /* of the input */
	bool complete;	   /* nothing was cut off: it can be tried again */
};

struct quarantine;

/* The directory is made (0700) when it is missing.  EVERR_IO. */
everr_t quarantine_open(TALLOC_CTX *mem_ctx, const char *dir,
			const struct quarantine_limits *limits,
			struct quarantine **ret_quarantine) EVERR_MUST_CHECK;

/*
 * Keep data; entry->name and len are not looked at.  The entry is there at
 * once for all calls below; a thread writes its files, which are whole or not
 * there, also after a crash.  One that cannot be written then is gone and
 * counted as lost.  *ret_name is a child of mem_ctx.
 *
 * EVERR_LIMIT  more comes than the disk takes; counted as lost, too
 * EVERR_IO, EVERR_NOMEM
 */
everr_t quarantine_keep(struct quarantine *quarantine, TALLOC_CTX *mem_ctx,
			const struct quarantine_entry *entry,
			const uint8_t *data, size_t len,
			char **ret_name) EVERR_MUST_CHECK;

/* Oldest first; a child of mem_ctx. */
everr_t quarantine_list(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			struct quarantine_entry **ret_entries,
			size_t *ret_num) EVERR_MUST_CHECK;

/*
 * One by one: the first after the entry of that name, which need not be there
 * ("": from the start).  EVERR_END.
 */
everr_t quarantine_next(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			const char *after,
			struct quarantine_entry *ret_entry) EVERR_MUST_CHECK;

/*
 * EVERR_NOT_FOUND; also for a name that none can have.  What is handed out is
 * a child of mem_ctx.
 */
everr_t quarantine_read(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			const char *name, struct quarantine_entry *ret_entry,
			uint8_t **ret_data, size_t *ret_len) EVERR_MUST_CHECK;
/* The entry alone. */
everr_t quarantine_find(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			const char *name,
			struct quarantine_entry *ret_entry) EVERR_MUST_CHECK;

/*
 * Up to max bytes of the input from offset on; none at its end.  *ret_total is
 * how many there are.  Errors as above.
 */
everr_t quarantine_read_part(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			     const char *name, uint64_t offset, size_t max,
			     uint8_t **ret_data, size_t *ret_len,
			     uint64_t *ret_total) EVERR_MUST_CHECK;
everr_t quarantine_remove(struct quarantine *quarantine,
			  const char *name) EVERR_MUST_CHECK;

struct quarantine_stats {
	uint64_t kept;	  /* since opened */
	uint64_t dropped; /* to make room */
	uint64_t lost;	  /* could not be written */
	uint32_t entries; /* now */
	uint64_t bytes;
};
/* Looks into the directory again when somebody has changed it. */
void quarantine_stats(struct quarantine *quarantine,
		      struct quarantine_stats *ret_stats);

#endif
