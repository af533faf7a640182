/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_FORGET_H
#define EVENLOG_CLI_FORGET_H

#include "cli/cli.h"

/*
 * collect forget: have the service forget how far a host's channel, or all of
 * them (NULL), was collected.  Returns the exit status.
 */
int cli_forget(struct cli *cli, const char *host, const char *channel);

#endif
