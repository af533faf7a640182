/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_EVTX_H
#define EVENLOG_CLI_EVTX_H

/*
 * .evtx files on the command line.  What is damaged in them is said on stderr
 * with its place, and reading goes on.
 */

#include "base/everr.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "event/evtx.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

/* Whether an argument is such a file and no channel. */
bool cli_is_evtx(const char *argument);

struct cli_evtx;

/* Open a file; what goes wrong has been said.  -1 or the exit status. */
int cli_evtx_open(TALLOC_CTX *mem_ctx, const char *path, bool backwards,
		  struct cli_evtx **ret_file);

/* The next record, damage passed over.  EVERR_END, EVERR_NOMEM */
everr_t cli_evtx_next(struct cli_evtx *file,
		      struct event_evtx_record *ret_record) EVERR_MUST_CHECK;

/* Say that the record at that offset was of no use, and why. */
void cli_evtx_refuse(struct cli_evtx *file, uint64_t offset, const char *why);

/*
 * After the last record: the places where something was damaged or refused,
 * those that were not said one by one included.
 */
uint64_t cli_evtx_faults(struct cli_evtx *file);

/* What is asked of files, where query asks a service. */
struct cli_evtx_query {
	const char *const *paths; /* ended by NULL; one after the other */
	const char *xpath;
	bool reverse;
	bool limited;
	uint64_t count; /* events wanted, if limited */
	struct output_options output_options;
};

/* Show the events; the exit status. */
int cli_evtx_show(struct cli *cli, const struct cli_evtx_query *query);

#endif
