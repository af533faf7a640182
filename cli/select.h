/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_SELECT_H
#define EVENLOG_CLI_SELECT_H

/* Which events query and subscribe are about. */

#include "cli/cli.h"

struct cli_selection {
	const char *channel; /* NULL: the query names its channels */
	const char *query;   /* NULL: all events */
	const char *label;   /* for messages */
};

/*
 * From "CHANNEL [XPATH]" or the file of --structured ("-": stdin).  -1 to go
 * on, else the exit status.
 */
int cli_select(struct cli *cli, const char **args, const char *structured,
	       struct cli_selection *ret_selection);

#endif
