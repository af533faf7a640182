/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_SESSION_H
#define EVENLOG_CLI_SESSION_H

/*
 * From the command line's options to a connection, and to the paths that the
 * service's configuration names.  What goes wrong has been said on stderr when
 * these return.
 */

#include "cli/cli.h"
#include "cli/texts.h"
#include "collect/client.h"
#include "collect/connect.h"

struct daemon_config;

/* Where the local service and its files are. */
struct cli_paths {
	const char *control_socket;
	const char *store;
	const char *computer; /* System/Computer of events made here */
	/* Directory; NULL where the configuration was not needed. */
	const char *manifests;
};

/* The service's configuration.  -1 to go on, else exit status. */
int cli_config(struct cli *cli, struct daemon_config **ret_config);

/*
 * Texts from the manifests that are installed on this host, as far as they and
 * the configuration can be read.  NULL: out of memory, which was said.
 */
struct cli_texts *cli_installed_texts(struct cli *cli);

/* Options first, then the configuration.  -1 to go on, else exit status. */
int cli_paths(struct cli *cli, struct cli_paths *ret_paths);

/* Refuse --remote for a verb that works on this host only. */
int cli_local_only(struct cli *cli);

/*
 * cli_parse() for a verb that works on this host only and shows no events:
 * without --remote and --format=xml.
 */
int cli_parse_local(struct cli *cli, struct poptOption *table, int min_args,
		    int max_args, const char ***ret_args);

/* Whom to connect to, with the password asked for.  -1 or exit status. */
int cli_target(struct cli *cli, struct collect_target *ret_target);

/*
 * Connect and wait for it; the connection is a child of cli.  -1 or exit
 * status.
 */
int cli_connect(struct cli *cli, const struct ndr_interface_table *table,
		struct collect_connection **ret_connection);

/*
 * Have the local service read its files again; what says that they are in
 * place.  One that is not running reads them when it starts.  -1 or exit
 * status.
 */
int cli_reload(struct cli *cli, const char *what);

/* Say which channels of a query were left out, and why. */
void cli_report_channels(const struct collect_cursor *cursor);

/* Run the loop until req is done; false: the loop failed, which was said. */
bool cli_wait(struct cli *cli, struct tevent_req *req);

#endif
