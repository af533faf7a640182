/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For tevent_loop_allow_nesting(). */
#define TEVENT_DEPRECATED 1

#include "cli/cli.h"

#include "cli/options.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <util/debug.h>

const struct cli_verb cli_verbs[] = {
	{"list", "", "Show the channels (logs) of a host",
	 "One channel a line, or with --format=json one object a line.\n",
	 cli_list},
	{"query", "CHANNEL [XPATH] | --structured FILE",
	 "Show events that are there",
	 "Shows the events of CHANNEL, oldest first, one a line. XPATH\n"
	 "selects some of them, as in Windows' own tools.\n"
	 "\n"
	 "  evenlog query Application\n"
	 "  evenlog query System --reverse --count 10 --format=json\n"
	 "  evenlog query Security --remote dc1 --user 'EXAMPLE\\reader'\n",
	 cli_query},
	{"subscribe", "CHANNEL [XPATH] | --structured FILE",
	 "Show events as they happen",
	 "Waits for events and shows each at once, until interrupted (Ctrl-C)\n"
	 "or --count is reached. When the connection breaks it is made anew,\n"
	 "and events that happened meanwhile follow. With --bookmark the\n"
	 "position is kept in a file, also across runs: nothing is left out,\n"
	 "and what was shown right before a crash may be shown again.\n"
	 "\n"
	 "  evenlog subscribe Application\n"
	 "  evenlog subscribe Application --from oldest --bookmark app.mark\n"
	 "  evenlog subscribe --structured query.xml --remote dc1 --kerberos\n",
	 cli_subscribe},
	{"publish",
	 "CHANNEL --provider NAME --id N [OPTION...] | CHANNEL"
	 " --stdin",
	 "Write events into a channel of this host",
	 "Done when the event is on disk. --data takes name=value (text) or\n"
	 "name:type=value with a type such as UInt32, Boolean or HexInt64,\n"
	 "any number of times. With --stdin each line of standard input is an\n"
	 "event as query --format=json writes it; what a line leaves out is\n"
	 "taken from the options. Lines that are wrong are reported with\n"
	 "their number, the others are written, and the exit status is 1.\n"
	 "\n"
	 "  evenlog publish Application --provider Backup --id 1 \\\n"
	 "      --level warning --data Volume=home --data Size:UInt64=512\n"
	 "  evenlog publish Application --stdin < events.json\n",
	 cli_publish},
	{"log-info", "CHANNEL...", "Show size and age of channels",
	 "Shows what the service knows about each log.\n", cli_log_info},
	{"status", "", "Show how the local service is doing",
	 "Shows the service's state; --format=json shows all of it as one\n"
	 "object. The exit status is 1 when the service is not running.\n",
	 cli_status},
	{"verify", "[DIR]", "Check the store of this host",
	 "Reads every record of the store and checks it against its\n"
	 "checksums and the others. DIR is another store, or a copy. The\n"
	 "store is only read and may be in use. The exit status is 1 when\n"
	 "damage was found.\n",
	 cli_verify},
	{"user", "add|list|remove [NAME]",
	 "Manage the accounts that may log on over the network",
	 "For root. An account here belongs to a Unix user of the same name;\n"
	 "--create makes one that cannot log in. What an account may read is\n"
	 "the configuration's matter (readers, administrators).\n"
	 "\n"
	 "  evenlog user add reader --create\n"
	 "  evenlog user list\n"
	 "  evenlog user remove reader\n",
	 cli_user},
	{NULL, NULL, NULL, NULL, NULL},
};

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
