/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export and clear: whole logs into files of the service's, and out of it. */

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "collect/client.h"
#include "collect/manage.h"
#include "daemon/config.h"
#include "idl/ndr_even6.h"
#include "rpc/export_path.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------- long requests */

/* A request that a person can interrupt. */
struct work {
	struct cli *cli;
	struct tevent_req *req;
	const char *doing; /* "Exporting" */
	unsigned int seconds;
	struct terminal_progress progress;
	bool interrupted;
	bool abandoned;
};

static void on_signal(struct tevent_context *ev, struct tevent_signal *se,
		      int signum, int count, void *siginfo, void *private_data)
{
	struct work *work = private_data;

	/* Whoever asks twice does not want to wait. */
	work->abandoned = work->interrupted;
	work->interrupted = true;
	collect_manage_cancel(work->req);
}

static bool tick_start(struct work *work);

static void tick(struct tevent_context *ev, struct tevent_timer *te,
		 struct timeval now, void *private_data)
{
	struct work *work = private_data;

	work->seconds++;
	terminal_progress_show(&work->progress, "%s, %u s%s", work->doing,
			       work->seconds,
			       work->interrupted ? "; stopping" : "");
	(void)tick_start(work);
}

static bool tick_start(struct work *work)
{
	return tevent_add_timer(work->cli->ev, work,
				tevent_timeval_current_ofs(1, 0), tick,
				work) != NULL;
}

static bool work_watch(struct work *work)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (tevent_add_signal(work->cli->ev, work, signals[i], 0,
				      on_signal, work) == NULL) {
			return false;
		}
	}
	return tick_start(work);
}

/* Wait for the request, unless it is given up. */
static bool work_wait(struct cli *cli, struct tevent_req *req,
		      const char *doing)
{
	struct work *work = talloc_zero(cli, struct work);
	bool ok;

	if (work == NULL || req == NULL) {
		cli_error("out of memory");
		return false;
	}
	work->cli = cli;
	work->req = req;
	work->doing = doing;
	terminal_progress_init(&work->progress);
	if (!work_watch(work)) {
		cli_error("out of memory");
		return false;
	}
	while (tevent_req_is_in_progress(req) && !work->abandoned) {
		if (tevent_loop_once(cli->ev) != 0) {
			cli_error("the event loop failed: %s", strerror(errno));
			break;
		}
	}
	terminal_progress_clear(&work->progress);
	ok = !tevent_req_is_in_progress(req);
	if (work->abandoned) {
		cli_error("interrupted; the service goes on with what it has"
			  " begun, or takes it back");
	}
	TALLOC_FREE(work);
	return ok;
}

/* -------------------------------------------------------------- paths */

/*
 * On this host: the service's export directory; NULL where its configuration
 * cannot be read, or on another host.
 */
static const char *export_directory(struct cli *cli)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err;

	if (cli->options.remote != NULL) {
		return NULL;
	}
	err = daemon_config_load_basic(cli, cli->options.config, &config,
				       &errors);
	TALLOC_FREE(errors);
	return err == EVERR_OK ? config->rpc.export_directory : NULL;
}

/*
 * What the service is asked for: a path that names the export directory
 * already means the file there.
 */
static const char *target_path(const char *directory, const char *path)
{
	size_t len = directory != NULL ? strlen(directory) : 0;

	if (len > 0 && strncmp(path, directory, len) == 0 && path[len] == '/') {
		return path + len;
	}
	return path;
}

/* Refuse here what the service would refuse without a reason. */
static int check_path(struct cli *cli, const char *path)
{
	struct rpc_export_path *mapped = NULL;
	everr_t err;

	/* Another host may have other rules. */
	if (cli->options.remote != NULL) {
		return -1;
	}
	err = rpc_export_path_parse(cli, path, &mapped);
	TALLOC_FREE(mapped);
	if (err != EVERR_INVALID) {
		return -1;
	}
	return cli_usage(cli,
			 "%s cannot be a path under the service's export"
			 " directory: it is like /name.evtx or C:\\name.evtx,"
			 " without \"..\", names of devices and the characters"
			 " < > : \" | ? *",
			 path);
}

/* Where the file is, on standard output. */
static void print_file(struct cli *cli, const char *directory, const char *path)
{
	struct rpc_export_path *mapped = NULL;
	const char *text = path;

	if (directory != NULL &&
	    rpc_export_path_parse(cli, path, &mapped) == EVERR_OK) {
		text = talloc_asprintf(mapped, "%s/%s", directory,
				       mapped->text);
	}
	if (text == NULL) {
		text = path;
	}
	if (cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json(json_pack("{s:s}", "Path", text));
	} else {
		terminal_print(text);
		printf("\n");
	}
	TALLOC_FREE(mapped);
}

/* --------------------------------------------------------------- export */

struct export_options {
	char *structured;
	char *output;
	int tolerate;
	struct cli_filter filter;
};

static int export_run(struct cli *cli, const struct collect_export *export,
		      const char *directory)
{
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;
	int ret;

	ret = cli_connect(cli, &ndr_table_even6, &connection);
	if (ret >= 0) {
		return ret;
	}
	req = collect_export_send(cli, cli->ev, connection, export);
	if (!work_wait(cli, req, "Exporting")) {
		return CLI_FAILED;
	}
	err = collect_export_recv(req, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	print_file(cli, directory, export->path);
	return CLI_OK;
}

static int export_selected(struct cli *cli, const struct export_options *o,
			   const char **args)
{
	const char *directory = export_directory(cli);
	struct cli_selection selection = {.channel = NULL};
	struct collect_export export = {.tolerate = o->tolerate != 0};
	int ret;

	ret = cli_select(cli, args, o->structured, &o->filter, &selection);
	if (ret >= 0) {
		return ret;
	}
	if (o->output == NULL) {
		return cli_usage(cli, "--output is missing: the file to write,"
				      " such as /name.evtx");
	}
	export.path = target_path(directory, o->output);
	ret = check_path(cli, export.path);
	if (ret >= 0) {
		return ret;
	}
	export.channel = selection.channel;
	export.query = selection.query;
	return export_run(cli, &export, directory);
}

static int cli_export(struct cli *cli)
{
	struct export_options o = {.structured = NULL};
	struct poptOption filters[CLI_FILTER_TABLE_SIZE];
	struct poptOption table[] = {
		{"output", 'o', POPT_ARG_STRING, &o.output, 0,
		 "The file, in the service's export directory", "PATH"},
		{"structured", 's', POPT_ARG_STRING, &o.structured, 0,
		 "Read a structured query (QueryList); - is standard input",
		 "FILE"},
		{"tolerate", 0, POPT_ARG_NONE, &o.tolerate, 0,
		 "Go on without channels that are missing", NULL},
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, filters, 0,
		 "Only events that fit all of these:", NULL},
		POPT_TABLEEND,
	};
	const char **args = NULL;
	int ret;

	cli_filter_table(&o.filter, filters);
	ret = cli_parse(cli, table, 0, -1, &args);
	if (ret < 0) {
		ret = cli_no_xml(cli);
	}
	return ret < 0 ? export_selected(cli, &o, args) : ret;
}

static const char export_description[] =
	"The service writes the events to an .evtx file, which Event Viewer\n"
	"opens; where it lies is printed. On this host C:\\a.evtx is C/a.evtx\n"
	"and /a.evtx is a.evtx in the export directory of evenlog.conf(5). A\n"
	"file that is there is never replaced. Ctrl-C ends it without a "
	"file.\n";

const struct cli_verb cli_verb_export = {
	.name = "export",
	.aliases = "epl export-log",
	.arguments = CLI_SELECT_ARGUMENTS " --output PATH",
	.summary = "Export events to an .evtx file of the service",
	.description = export_description,
	.run = cli_export,
};

/* ---------------------------------------------------------------- clear */

/* Read a line; whether it says yes. */
static bool said_yes(void)
{
	char line[16];

	if (fgets(line, sizeof(line), stdin) == NULL) {
		fputc('\n', stderr);
		return false;
	}
	return strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0;
}

/* Ask a person, with what is at stake.  -1 to go on, else the exit status. */
static int clear_confirm(struct cli *cli, struct collect_connection *connection,
			 const char *channel, const char *backup)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_log_info info = {};
	struct tevent_req *req = NULL;
	char number[40] = "all";
	everr_t err;

	req = collect_log_info_send(cli, cli->ev, connection, channel);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	/* Who may clear need not be allowed to read. */
	err = collect_log_info_recv(req, &info, &failure);
	TALLOC_FREE(req);
	if (err == EVERR_CHANNEL_NOT_FOUND) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	if (err == EVERR_OK && info.present[COLLECT_LOG_NUM_RECORDS]) {
		snprintf(number, sizeof(number), "the %" PRIu64,
			 info.values[COLLECT_LOG_NUM_RECORDS]);
	}
	cli_note("This removes %s events of %s on %s%s%s.", number, channel,
		 cli->options.remote != NULL ? cli->options.remote
					     : "this host",
		 backup != NULL ? " when they are in "
				: ", and keeps no copy of them",
		 backup != NULL ? backup : "");
	fprintf(stderr, "Go on? [y/N] ");
	fflush(stderr);
	if (said_yes()) {
		return -1;
	}
	cli_note("Nothing was done.");
	return CLI_FAILED;
}

static int clear_run(struct cli *cli, const char *channel, const char *backup,
		     bool ask)
{
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;
	int ret;

	ret = cli_connect(cli, &ndr_table_even6, &connection);
	if (ret < 0 && ask) {
		ret = clear_confirm(cli, connection, channel, backup);
	}
	if (ret >= 0) {
		return ret;
	}
	req = collect_clear_send(cli, cli->ev, connection, channel, backup);
	if (!work_wait(cli, req, "Clearing")) {
		return CLI_FAILED;
	}
	err = collect_clear_recv(req, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	return CLI_OK;
}

static int cli_clear(struct cli *cli)
{
	char *backup = NULL;
	int yes = 0;
	struct poptOption table[] = {
		{"backup", 'b', POPT_ARG_STRING, &backup, 0,
		 "First export the events to this file", "PATH"},
		{"yes", 'y', POPT_ARG_NONE, &yes, 0, "Do not ask", NULL},
		POPT_TABLEEND,
	};
	const char *directory = NULL;
	const char *path = NULL;
	const char **args = NULL;
	bool ask;
	int ret;

	ret = cli_parse(cli, table, 1, 1, &args);
	if (ret < 0) {
		ret = cli_no_xml(cli);
	}
	if (ret < 0 && backup != NULL) {
		directory = export_directory(cli);
		path = target_path(directory, backup);
		ret = check_path(cli, path);
	}
	if (ret >= 0) {
		return ret;
	}
	ask = yes == 0 && isatty(STDIN_FILENO);
	if (ask && !isatty(STDERR_FILENO)) {
		return cli_usage(cli, "nobody would see the question on"
				      " standard error: --yes leaves it out");
	}
	ret = clear_run(cli, args[0], path, ask);
	if (ret == CLI_OK && path != NULL) {
		print_file(cli, directory, path);
	}
	return ret;
}

static const char clear_description[] =
	"Removes all events of the channel, with --backup only when they are\n"
	"on disk in that file (see export); what is written meanwhile stays.\n"
	"Asks first when it is run from a terminal.\n";

const struct cli_verb cli_verb_clear = {
	.name = "clear",
	.aliases = "cl clear-log",
	.arguments = "CHANNEL",
	.summary = "Remove all events of a channel",
	.description = clear_description,
	.run = cli_clear,
};
