/* SPDX-License-Identifier: GPL-3.0-or-later */

/* status: how the service is doing, once or again and again. */

#include "cli/status.h"

#include "base/wintime.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/terminal.h"
#include "collect/control.h"
#include "idl/ndr_control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Seconds between two looks unless said otherwise, and the longest. */
#define WATCH_SECONDS 2
#define WATCH_MAX 86400
/* Bytes of a page. */
#define PAGE_MAX (64 * 1024 * 1024)

#define CURSOR_HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

struct status {
	struct cli *cli;
	const char *host; /* NULL: all */
	int verbose;
	int watch;
	uint64_t interval; /* seconds */
	bool terminal;	   /* stdout is one */
	bool redrawn;	   /* with --watch: it can be drawn over */
	bool stopping;

	struct collect_target target;
	struct collect_connection *connection; /* NULL: none */
	struct collect_failure failure;
};

/* ------------------------------------------------------------- asking */

/* Until it is done, or a signal comes: then *ret_req is freed. */
static bool wait_for(struct status *status, struct tevent_req **req)
{
	if (*req == NULL) {
		collect_failure_set(&status->failure, EVERR_NOMEM,
				    "out of memory");
		return false;
	}
	while (tevent_req_is_in_progress(*req) && !status->stopping) {
		if (tevent_loop_once(status->cli->ev) != 0) {
			break;
		}
	}
	if (tevent_req_is_in_progress(*req)) {
		TALLOC_FREE(*req);
		collect_failure_set(&status->failure, EVERR_CANCELLED,
				    "interrupted");
		return false;
	}
	return true;
}

static bool connect_service(struct status *status)
{
	struct tevent_req *req = NULL;
	everr_t err;

	if (status->connection != NULL) {
		return true;
	}
	req = collect_connect_send(status, status->cli->ev, &status->target,
				   &ndr_table_control);
	if (!wait_for(status, &req)) {
		return false;
	}
	err = collect_connect_recv(req, status, &status->connection,
				   &status->failure);
	TALLOC_FREE(req);
	return err == EVERR_OK;
}

static const char *ask_once(struct status *status, TALLOC_CTX *mem_ctx)
{
	struct tevent_req *req = NULL;
	const char *json = NULL;
	everr_t err;

	if (!connect_service(status)) {
		return NULL;
	}
	req = collect_status_send(status, status->cli->ev, status->connection);
	if (!wait_for(status, &req)) {
		return NULL;
	}
	err = collect_status_recv(req, mem_ctx, &json, &status->failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		TALLOC_FREE(status->connection);
		return NULL;
	}
	return json;
}

/* The state as text; NULL: status->failure says why. */
static const char *ask(struct status *status, TALLOC_CTX *mem_ctx)
{
	bool kept = status->connection != NULL;
	const char *json = ask_once(status, mem_ctx);

	/* It may have been the connection to a process that is gone. */
	if (json == NULL && kept && !status->stopping) {
		json = ask_once(status, mem_ctx);
	}
	return json;
}

/* ------------------------------------------------------------- showing */

static void window_size(const struct status *status, struct status_style *style)
{
	struct winsize size = {.ws_col = 0};

	if (!status->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
		return;
	}
	style->width = size.ws_col;
	/* The last line stays empty: writing it would scroll. */
	style->height =
		status->redrawn && size.ws_row > 1 ? size.ws_row - 1U : 0;
}

/* Over what stood there before; lines beyond the window are left out. */
static void put_screen(const struct buf *page, size_t height)
{
	const char *text = (const char *)page->data;
	const char *end = text + page->len;
	size_t lines;

	printf(CURSOR_HOME);
	for (lines = 0; text < end && (height == 0 || lines < height);
	     lines++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((stop != NULL ? stop : end) - text);

		printf("%.*s" CLEAR_LINE "\n", (int)len, text);
		text += len + 1;
	}
	printf(CLEAR_BELOW);
}

static void put_page(const struct status *status, const struct buf *page,
		     const struct status_style *style)
{
	if (status->redrawn) {
		put_screen(page, style->height);
		return;
	}
	if (page->len > 0) {
		fwrite(page->data, 1, page->len, stdout);
	}
}

/* What else there is to know, once and for the whole. */
static void show_rest(const struct status *status, const json_t *json)
{
	json_t *rest = NULL;

	if (status->verbose == 0 || status->watch != 0 ||
	    status->host != NULL) {
		return;
	}
	rest = status_rest(json);
	if (json_object_size(rest) > 0) {
		printf("\n");
		cli_show(rest);
	}
	json_decref(rest);
}

static void tell_no_host(const struct status *status, const json_t *json)
{
	const json_t *collect = json_object_get(json, "collect");
	json_int_t rest = json_integer_value(
		json_object_get(collect, "hosts_not_listed"));

	if (rest > 0) {
		cli_error(
			"\"%s\" is not among the hosts that the service lists;"
			" it counts %lld more, and the metrics have all",
			status->host, (long long)rest);
		return;
	}
	cli_error("nothing is collected from a host \"%s\", and no section has"
		  " this name; evenlog status shows all",
		  status->host);
}

static int show_text(const struct status *status, const json_t *json)
{
	const struct cli_options *o = &status->cli->options;
	struct status_style style = {
		.now = wintime_now(),
		.colored = terminal_colored(stdout, o->color),
		.verbose = status->verbose != 0,
		.host = status->host,
	};
	struct buf page;
	everr_t err;

	window_size(status, &style);
	buf_init(&page, NULL, PAGE_MAX);
	err = status_format(&page, json, &style);
	if (err == EVERR_NOT_FOUND) {
		tell_no_host(status, json);
	} else if (err != EVERR_OK) {
		cli_error("cannot show the status: %s", everr_text(err));
	} else {
		put_page(status, &page, &style);
		show_rest(status, json);
	}
	buf_free(&page);
	return err == EVERR_OK ? CLI_OK : CLI_FAILED;
}

static int show(const struct status *status, const char *text)
{
	json_t *json = NULL;
	int ret;

	if (status->cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json_text(text);
		return CLI_OK;
	}
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		cli_error("the service's status is malformed");
		return CLI_FAILED;
	}
	ret = show_text(status, json);
	json_decref(json);
	return ret;
}

/* ------------------------------------------------------------- watching */

static void on_signal(struct tevent_context *ev, struct tevent_signal *se,
		      int signum, int count, void *siginfo, void *private_data)
{
	struct status *status = private_data;

	status->stopping = true;
}

static void show_absence(const struct status *status)
{
	const char *why = status->failure.text;
	struct status_style style = {.now = 0};
	struct buf page;

	if (status->cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json(
			json_pack("{s:b, s:s}", "running", 0, "error", why));
		return;
	}
	window_size(status, &style);
	buf_init(&page, NULL, PAGE_MAX);
	terminal_put_text(&page, why, strlen(why), 0);
	buf_put_u8(&page, '\n');
	put_page(status, &page, &style);
	buf_free(&page);
}

static void pause_watching(struct status *status)
{
	struct tevent_req *req = NULL;

	req = tevent_wakeup_send(
		status, status->cli->ev,
		tevent_timeval_current_ofs((uint32_t)status->interval, 0));
	if (wait_for(status, &req)) {
		TALLOC_FREE(req);
	}
}

static int watch(struct status *status)
{
	bool blocks = !status->redrawn &&
		      status->cli->options.format == CLI_FORMAT_TEXT;
	TALLOC_CTX *frame = NULL;
	const char *text = NULL;
	bool first = true;

	while (!status->stopping) {
		frame = talloc_new(status);
		text = ask(status, frame);
		if (status->stopping) {
			break;
		}
		if (blocks && !first) {
			printf("\n");
		}
		first = false;
		if (text == NULL) {
			show_absence(status);
		} else {
			(void)show(status, text);
		}
		TALLOC_FREE(frame);
		if (fflush(stdout) != 0 || ferror(stdout)) {
			cli_error("cannot write: %s", strerror(errno));
			return CLI_FAILED;
		}
		pause_watching(status);
	}
	return CLI_OK;
}

static int watch_begin(struct status *status)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (tevent_add_signal(status->cli->ev, status, signals[i], 0,
				      on_signal, status) == NULL) {
			cli_error("out of memory");
			return CLI_FAILED;
		}
	}
	if (status->redrawn) {
		printf(CURSOR_HOME CLEAR_BELOW);
	}
	return watch(status);
}

/* -------------------------------------------------------------- options */

/*
 * [HOST], and with --watch [SECONDS]: a number behind it is no host, since
 * those are names or addresses.
 */
static int take_arguments(struct status *status, const char **args)
{
	size_t num = 0;

	while (args[num] != NULL) {
		num++;
	}
	status->interval = WATCH_SECONDS;
	if (status->watch != 0 && num > 0 &&
	    cli_parse_number(args[num - 1], WATCH_MAX, &status->interval) ==
		    EVERR_OK) {
		if (status->interval == 0) {
			return cli_usage(status->cli,
					 "--watch takes 1 to %d seconds",
					 WATCH_MAX);
		}
		num--;
	}
	if (num > 1) {
		return cli_usage(status->cli,
				 "\"%s\" is too much: one host, and with"
				 " --watch the seconds",
				 args[num - 1]);
	}
	status->host = num > 0 ? args[0] : NULL;
	return -1;
}

static int status_options(struct status *status)
{
	struct poptOption table[] = {
		{"verbose", 'v', POPT_ARG_NONE, &status->verbose, 0,
		 "Also each host's and output's channels, and counters", NULL},
		{"watch", 'w', POPT_ARG_NONE, &status->watch, 0,
		 "Again every 2 or SECONDS seconds, until Ctrl-C", NULL},
		POPT_TABLEEND,
	};
	struct cli *cli = status->cli;
	const char **args = NULL;
	int ret;

	ret = cli_parse_local(cli, table, 0, 2, &args);
	return ret < 0 ? take_arguments(status, args) : ret;
}

static int cli_status(struct cli *cli)
{
	struct status *status = talloc_zero(cli, struct status);
	const char *text = NULL;
	int ret;

	if (status == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	status->cli = cli;
	ret = status_options(status);
	if (ret < 0) {
		ret = cli_target(cli, &status->target);
	}
	if (ret >= 0) {
		return ret;
	}
	status->terminal = isatty(STDOUT_FILENO) != 0 &&
			   cli->options.format == CLI_FORMAT_TEXT;
	status->redrawn =
		status->watch != 0 && status->terminal && terminal_draws();
	if (status->watch != 0) {
		return watch_begin(status);
	}
	text = ask(status, status);
	if (text == NULL) {
		cli_error("%s", status->failure.text);
		return CLI_FAILED;
	}
	return show(status, text);
}

static const char status_description[] =
	"Shows the service's state: its channels, the hosts it collects from\n"
	"and the outputs it forwards to, those that need to be looked at\n"
	"first; with HOST (a name or a section) only that host, with its\n"
	"channels, their errors and latest gaps. --format=json shows all of\n"
	"it as one object, with --watch one a line. The exit status is 1 when\n"
	"the service is not running; --watch waits for it, and ends with 0.\n"
	"\n"
	"  evenlog status\n"
	"  evenlog status dc1.example.com\n"
	"  evenlog status --watch\n"
	"  evenlog status --watch controllers 10\n";

const struct cli_verb cli_verb_status = {
	.name = "status",
	.arguments = "[HOST] [SECONDS]",
	.summary = "Show how the local service is doing",
	.description = status_description,
	.run = cli_status,
	.local = true,
};
