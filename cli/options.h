/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_OPTIONS_H
#define EVENLOG_CLI_OPTIONS_H

/* Reading the command line. */

#include "cli/cli.h"

/*
 * Read what comes before the verb, find the verb and leave the rest in
 * cli->argv.  Returns -1 to go on (cli->verb may still be NULL: only --help or
 * --version were given), else the exit status.
 */
int cli_parse_global(struct cli *cli, int argc, const char **argv);

/*
 * Read a verb's options: table is its own ({NULL} for none, ended by
 * POPT_TABLEEND), the common ones come with it.  Positional arguments are
 * handed out, between min_args and max_args of them (max_args -1: any number);
 * the array is a talloc child of cli.  Strings that popt allocated, and
 * lists of them (POPT_ARG_ARGV), become talloc children of cli; so do those of
 * tables that the verb's includes.
 *
 * Returns -1 to go on, else the exit status (--help was given, or something is
 * wrong and has been said).
 */
int cli_parse(struct cli *cli, struct poptOption *table, int min_args,
	      int max_args, const char ***ret_args);

/* Refuse --format=xml where no events are shown.  -1 or the exit status. */
int cli_no_xml(struct cli *cli);

/* A number from text, decimal or 0x: the whole text, at most max. */
everr_t cli_parse_number(const char *text, uint64_t max,
			 uint64_t *ret_number) EVERR_MUST_CHECK;

/*
 * "HOST", "HOST:PORT", "[V6]:PORT", "V6".  *ret_port is 0 without a port.
 * EVERR_TEXT: neither.
 */
everr_t cli_parse_remote(TALLOC_CTX *mem_ctx, const char *text,
			 const char **ret_host,
			 uint16_t *ret_port) EVERR_MUST_CHECK;

/* Split "DOMAIN\user"; *ret_domain is NULL without one. */
everr_t cli_parse_user(TALLOC_CTX *mem_ctx, const char *text,
		       const char **ret_domain,
		       const char **ret_user) EVERR_MUST_CHECK;

#endif
