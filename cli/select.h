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

/* Whether any argument is an ".evtx" file. */
bool cli_selects_files(const char **args);

/*
 * From ".evtx" files: those of --file, which may be NULL, then those among the
 * arguments, the last of which may be an XPATH.  --explain as above.
 * *ret_paths, ended by NULL, is a talloc child of cli.
 */
int cli_select_files(struct cli *cli, char **files, const char **args,
		     const struct cli_filter *filter,
		     const char *const **ret_paths, const char **ret_xpath);

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
