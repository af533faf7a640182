/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_STATUS_H
#define EVENLOG_CLI_STATUS_H

/*
 * The service's state for a person.  Members that are missing, or of another
 * type than expected, are shown as "-": the service may be of another version.
 */

#include "base/buf.h"
#include "base/everr.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct status_style {
	uint64_t now; /* FILETIME */
	bool colored;
	bool verbose;	  /* each host's channels, each output's */
	const char *host; /* only this one, with all of it; NULL: all */
	size_t width;	  /* columns of a line; 0: as many as it takes */
	size_t height;	  /* lines; 0: likewise */
};

/*
 * Append header, hosts, outputs and channels, the worst first where there is
 * no room for all.
 *
 * EVERR_NOT_FOUND  there is no such host
 * EVERR_NOMEM
 */
everr_t status_format(struct buf *out, const json_t *status,
		      const struct status_style *style) EVERR_MUST_CHECK;

/* What it does not show in full, but calls by their numbers, to be let go of;
 * NULL: out of memory. */
json_t *status_rest(const json_t *status);

#endif
