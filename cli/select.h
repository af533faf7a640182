/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_SELECT_H
#define EVENLOG_CLI_SELECT_H

/* Which events a verb is about. */

#include "cli/cli.h"
#include "cli/filter.h"

struct cli_selection {
	const char *channel; /* NULL: the query names its channels */
	const char *query;   /* NULL: all events */
	const char *label;   /* for messages */
	bool everything;     /* all events of the channels */
};

/* What such a verb takes, for its usage line. */
#define CLI_SELECT_ARGUMENTS "CHANNEL... [XPATH] | --structured FILE"

/*
 * From "CHANNEL... [XPATH]" (the last argument is an XPath when it looks like
 * one) or the file of --structured ("-": stdin), and the options of filter.
 * Several channels become a structured query.  With --explain the query is
 * printed, and CLI_OK returned.  -1 to go on, else the exit status.
 */
int cli_select(struct cli *cli, const char **args, const char *structured,
	       const struct cli_filter *filter,
	       struct cli_selection *ret_selection);

#endif
