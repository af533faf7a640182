/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For tevent_loop_allow_nesting(). */
#define TEVENT_DEPRECATED 1

#include "cli/cli.h"

#include "cli/options.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <util/debug.h>

/* One a line, so that whoever adds one touches one. */
/* clang-format off */
const struct cli_verb *const cli_verbs[] = {
	&cli_verb_list,
	&cli_verb_query,
	&cli_verb_subscribe,
	&cli_verb_publish,
	&cli_verb_import,
	&cli_verb_log_info,
	&cli_verb_get_log,
	&cli_verb_set_log,
	&cli_verb_publishers,
	&cli_verb_publisher,
	&cli_verb_export,
	&cli_verb_clear,
	&cli_verb_install_manifest,
	&cli_verb_uninstall_manifest,
	&cli_verb_quarantine,
	&cli_verb_forward,
	&cli_verb_wsus,
	&cli_verb_collect,
	&cli_verb_status,
	&cli_verb_verify,
	&cli_verb_user,
	NULL,
};
/* clang-format on */

/* Samba's own messages; what they mean is said by whoever made the call. */
static void samba_message(void *private_data, int level, const char *text)
{
	const struct cli *cli = private_data;

	if (cli->options.debug != 0) {
		cli_note("samba %d: %s", level, text);
	}
}

/*
 * Samba's Kerberos asks for tickets in a loop inside the loop, which tevent
 * has to be told; there is no other way.
 */
static void allow_nesting(struct tevent_context *ev)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	tevent_loop_allow_nesting(ev);
#pragma GCC diagnostic pop
}

static int run(struct cli *cli, int argc, const char **argv)
{
	int ret;

	ret = cli_parse_global(cli, argc, argv);
	if (ret >= 0) {
		return ret;
	}
	cli->ev = tevent_context_init(cli);
	if (cli->ev == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	allow_nesting(cli->ev);
	return cli->verb->run(cli);
}

int main(int argc, char **argv)
{
	struct cli *cli = NULL;
	int ret;

	setlocale(LC_ALL, "");
	/* A reader that leaves shows as EPIPE. */
	signal(SIGPIPE, SIG_IGN);

	cli = talloc_zero(NULL, struct cli);
	if (cli == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	debug_set_callback(cli, samba_message);
	ret = run(cli, argc, (const char **)argv);
	if (fflush(stdout) != 0 && ret == CLI_OK) {
		cli_error("cannot write the output");
		ret = CLI_FAILED;
	}
	debug_set_callback(NULL, NULL);
	TALLOC_FREE(cli);
	return ret;
}
