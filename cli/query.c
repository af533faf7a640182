/* SPDX-License-Identifier: GPL-3.0-or-later */

/* list, log-info and query: what a service holds. */

#include "base/wintime.h"
#include "cli/cli.h"
#include "cli/evtx.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "collect/client.h"
#include "idl/ndr_even6.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One call looks for matches at most this long, then it is made again. */
#define QUERY_TIMEOUT_MS 10000
/* Win32 ERROR_TIMEOUT */
#define WIN32_TIMEOUT 1460

/* ----------------------------------------------------------------- list */

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static int cli_list(struct cli *cli)
{
	struct poptOption table[] = {POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	const char **names = NULL;
	const char **args = NULL;
	size_t num = 0;
	everr_t err;
	size_t i;
	int ret;

	ret = cli_parse(cli, table, 0, 0, &args);
	if (ret < 0) {
		ret = cli_no_xml(cli);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_even6, &connection);
	}
	if (ret >= 0) {
		return ret;
	}

	req = collect_channels_send(cli, cli->ev, connection);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_channels_recv(req, cli, &names, &num, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	qsort(names, num, sizeof(names[0]), compare_names);
	for (i = 0; i < num; i++) {
		if (cli->options.format == CLI_FORMAT_JSON) {
			cli_print_json(json_pack("{s:s}", "Channel", names[i]));
		} else {
			terminal_print(names[i]);
			printf("\n");
		}
	}
	return CLI_OK;
}

static const char list_description[] =
	"One channel a line, or with --format=json one object a line.\n";

const struct cli_verb cli_verb_list = {
	.name = "list",
	.aliases = "el enum-logs",
	.arguments = "",
	.summary = "Show the channels (logs) of a host",
	.description = list_description,
	.run = cli_list,
};

/* ------------------------------------------------------------- log-info */

static const struct {
	const char *name;
	const char *label;
	bool is_time;
	bool is_bool;
} properties[COLLECT_LOG_NUM_PROPERTIES] = {
	[COLLECT_LOG_CREATION_TIME] = {"CreationTime", "Created", true, false},
	[COLLECT_LOG_LAST_ACCESS_TIME] = {"LastAccessTime", "Last read", true,
					  false},
	[COLLECT_LOG_LAST_WRITE_TIME] = {"LastWriteTime", "Last written", true,
					 false},
	[COLLECT_LOG_FILE_SIZE] = {"FileSize", "Size in bytes", false, false},
	[COLLECT_LOG_ATTRIBUTES] = {"Attributes", NULL, false, false},
	[COLLECT_LOG_NUM_RECORDS] = {"NumberOfLogRecords", "Records", false,
				     false},
	[COLLECT_LOG_OLDEST_RECORD] = {"OldestRecordNumber", "Oldest record",
				       false, false},
	[COLLECT_LOG_FULL] = {"IsLogFull", "Full", false, true},
};

static void print_info_json(const char *channel,
			    const struct collect_log_info *info)
{
	json_t *object = json_pack("{s:s}", "Channel", channel);
	size_t i;

	for (i = 0; i < COLLECT_LOG_NUM_PROPERTIES; i++) {
		char text[WINTIME_TEXT_MAX];
		json_t *value = NULL;

		if (!info->present[i]) {
			continue;
		}
		if (properties[i].is_time) {
			wintime_format(info->values[i], text);
			value = json_string(text);
		} else if (properties[i].is_bool) {
			value = json_boolean(info->values[i] != 0);
		} else {
			value = json_integer((json_int_t)info->values[i]);
		}
		json_object_set_new(object, properties[i].name, value);
	}
	cli_print_json(object);
}

static void print_info_text(const char *channel,
			    const struct collect_log_info *info)
{
	size_t i;

	terminal_print(channel);
	printf("\n");
	for (i = 0; i < COLLECT_LOG_NUM_PROPERTIES; i++) {
		char text[WINTIME_TEXT_MAX] = "-";

		if (properties[i].label == NULL) {
			continue;
		}
		if (info->present[i] && properties[i].is_time &&
		    info->values[i] != 0) {
			wintime_format(info->values[i], text);
		} else if (info->present[i] && properties[i].is_bool) {
			snprintf(text, sizeof(text), "%s",
				 info->values[i] != 0 ? "yes" : "no");
		} else if (info->present[i] && !properties[i].is_time) {
			snprintf(text, sizeof(text), "%" PRIu64,
				 info->values[i]);
		}
		printf("  %-14s %s\n", properties[i].label, text);
	}
}

static bool log_info_one(struct cli *cli, struct collect_connection *connection,
			 const char *channel)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_log_info info;
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_log_info_send(cli, cli->ev, connection, channel);
	if (!cli_wait(cli, req)) {
		return false;
	}
	err = collect_log_info_recv(req, &info, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return false;
	}
	if (cli->options.format == CLI_FORMAT_JSON) {
		print_info_json(channel, &info);
	} else {
		print_info_text(channel, &info);
	}
	return true;
}

static int cli_log_info(struct cli *cli)
{
	struct poptOption table[] = {POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	const char **args = NULL;
	bool all = true;
	size_t i;
	int ret;

	ret = cli_parse(cli, table, 1, -1, &args);
	if (ret < 0) {
		ret = cli_no_xml(cli);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_even6, &connection);
	}
	if (ret >= 0) {
		return ret;
	}
	for (i = 0; args[i] != NULL; i++) {
		all &= log_info_one(cli, connection, args[i]);
	}
	return all ? CLI_OK : CLI_FAILED;
}

static const char log_info_description[] =
	"Shows what the service knows about each log.\n";

const struct cli_verb cli_verb_log_info = {
	.name = "log-info",
	.aliases = "gli get-log-info",
	.arguments = "CHANNEL...",
	.summary = "Show size and age of channels",
	.description = log_info_description,
	.run = cli_log_info,
};

/* ---------------------------------------------------------------- query */

struct query {
	struct cli *cli;
	struct output_options output_options;
	struct collect_cursor *cursor;
	struct event_dict *dict;
	struct event_packer *packer;
	struct output *output;
	struct cli_texts *texts;
	bool limited;
	uint64_t remaining; /* events still wanted, when limited */
	uint64_t malformed;
};

static struct tevent_req *query_ask(struct query *query)
{
	uint32_t num = COLLECT_BATCH_RECORDS;

	if (query->limited && query->remaining < num) {
		num = (uint32_t)query->remaining;
	}
	return collect_next_send(query->cli, query->cli->ev, query->cursor, num,
				 QUERY_TIMEOUT_MS);
}

/* stdout is gone: said, unless a reader simply had enough. */
static void output_lost(void)
{
	if (errno != EPIPE) {
		cli_error("cannot write the output: %s", strerror(errno));
	}
}

/* The batch's texts come while the next batch is on its way. */
static bool show_held(struct query *query)
{
	everr_t err;

	while (output_waiting(query->output)) {
		if (tevent_loop_once(query->cli->ev) != 0) {
			cli_error("the event loop failed: %s", strerror(errno));
			return false;
		}
	}
	err = output_flush(query->output);
	if (err != EVERR_OK) {
		output_lost();
		return false;
	}
	return true;
}

static bool query_show(struct query *query, const struct collect_batch *batch)
{
	uint32_t i;

	for (i = 0; i < batch->num; i++) {
		struct event_packed packed;
		struct collect_event event;
		everr_t err;

		err = collect_batch_event(query->cursor, batch, i, &event);
		if (err == EVERR_OK) {
			err = event_pack(query->packer, event.result.event,
					 event.result.event_len, &packed);
		}
		if (err != EVERR_OK) {
			query->malformed++;
			cli_error("an event is malformed and left out: %s",
				  everr_text(err));
			continue;
		}
		err = output_event(query->output, query->dict, &packed);
		if (err != EVERR_OK) {
			output_lost();
			return false;
		}
	}
	return show_held(query);
}

/* Read to the end, the next batch on its way while one is shown. */
static bool query_run(struct query *query)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = query_ask(query);
	bool ok = true;

	while (ok && req != NULL) {
		struct collect_batch *batch = NULL;
		everr_t err;

		if (!cli_wait(query->cli, req)) {
			return false;
		}
		err = collect_next_recv(req, query->cli, &batch, &failure);
		TALLOC_FREE(req);
		if (err == EVERR_END) {
			return true;
		}
		if (err != EVERR_OK && failure.win32 == WIN32_TIMEOUT) {
			/* Nothing found so far; the position has moved. */
			req = query_ask(query);
			continue;
		}
		if (err != EVERR_OK) {
			cli_error("%s", failure.text);
			return false;
		}
		if (query->limited) {
			query->remaining -= batch->num < query->remaining
						    ? batch->num
						    : query->remaining;
		}
		if (!query->limited || query->remaining > 0) {
			req = query_ask(query);
		}
		ok = query_show(query, batch);
		TALLOC_FREE(batch);
	}
	TALLOC_FREE(req);
	return ok;
}

static int query_open(struct cli *cli, struct collect_connection *connection,
		      const struct collect_request *request,
		      struct collect_cursor **ret_cursor)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_open_send(cli, cli->ev, connection, request);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_open_recv(req, cli, ret_cursor, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	cli_report_channels(*ret_cursor);
	return -1;
}

static void query_close(struct cli *cli, struct collect_cursor *cursor)
{
	struct collect_failure failure;
	struct tevent_req *req = NULL;
	everr_t err;

	/* For the service's sake; nothing depends on how it goes. */
	req = collect_close_send(cli, cli->ev, cursor);
	if (req != NULL && tevent_req_poll(req, cli->ev)) {
		err = collect_close_recv(req, &failure);
		(void)err;
	}
	TALLOC_FREE(req);
}

static bool query_set_texts(struct query *query,
			    struct collect_connection *connection)
{
	everr_t err;

	query->texts = cli_texts_create(query->cli, query->cli->ev);
	if (query->texts == NULL) {
		return false;
	}
	err = cli_texts_connect(query->texts, connection);
	output_set_texts(query->output, query->texts);
	return err == EVERR_OK;
}

static int query_execute(struct cli *cli, struct query *query,
			 const struct collect_request *request)
{
	struct collect_connection *connection = NULL;
	everr_t err;
	bool ok;
	int ret;

	ret = cli_connect(cli, &ndr_table_even6, &connection);
	if (ret >= 0) {
		return ret;
	}
	ret = query_open(cli, connection, request, &query->cursor);
	if (ret >= 0) {
		return ret;
	}
	query->dict = output_dict_create(cli);
	query->packer = query->dict != NULL
				? event_packer_create(cli, query->dict)
				: NULL;
	query->output =
		output_create(cli, cli, &query->output_options, STDOUT_FILENO);
	if (query->packer == NULL || query->output == NULL ||
	    !query_set_texts(query, connection)) {
		cli_error("out of memory");
		return CLI_FAILED;
	}

	ok = query_run(query);
	err = output_flush(query->output);
	if (err != EVERR_OK && ok) {
		output_lost();
		ok = false;
	}
	TALLOC_FREE(query->texts);
	query_close(cli, query->cursor);
	if (query->malformed > 0 || output_failed(query->output) > 0) {
		ok = false;
	}
	return ok ? CLI_OK : CLI_FAILED;
}

/* The options of query. */
struct query_options {
	char *structured;
	char *count;
	char **files;
	int reverse;
	int tolerate;
	struct cli_filter filter;
};

static int set_count(struct query *query, const char *count)
{
	everr_t err;

	if (count == NULL) {
		return -1;
	}
	err = cli_parse_number(count, UINT64_MAX, &query->remaining);
	if (err != EVERR_OK) {
		return cli_usage(query->cli,
				 "--count is a number, not"
				 " \"%s\"",
				 count);
	}
	query->limited = true;
	return query->remaining == 0 ? CLI_OK : -1;
}

static int query_service(struct query *query, const struct query_options *o,
			 const char **args)
{
	struct collect_request request = {.kind = COLLECT_QUERY};
	struct cli_selection selection = {.channel = NULL};
	int ret;

	ret = cli_select(query->cli, args, o->structured, &o->filter,
			 &selection);
	if (ret < 0) {
		ret = set_count(query, o->count);
	}
	if (ret >= 0) {
		return ret;
	}
	request.channel = selection.channel;
	request.query = selection.query;
	request.reverse = o->reverse != 0;
	request.tolerate = o->tolerate != 0;
	return query_execute(query->cli, query, &request);
}

static int query_files(struct query *query, const struct query_options *o,
		       const char **args)
{
	struct cli_evtx_query files = {.reverse = o->reverse != 0};
	struct cli *cli = query->cli;
	int ret;

	if (o->structured != NULL || cli->options.remote != NULL) {
		return cli_usage(cli, "files are read here, with an XPATH or"
				      " options; leave --structured and"
				      " --remote away");
	}
	ret = cli_select_files(cli, o->files, args, &o->filter, &files.paths,
			       &files.xpath);
	if (ret < 0) {
		ret = set_count(query, o->count);
	}
	if (ret >= 0) {
		return ret;
	}
	files.limited = query->limited;
	files.count = query->remaining;
	files.output_options = query->output_options;
	return cli_evtx_show(cli, &files);
}

static int cli_query(struct cli *cli)
{
	struct query_options o = {.structured = NULL};
	struct query query = {.cli = cli};
	struct poptOption filters[CLI_FILTER_TABLE_SIZE];
	struct poptOption outputs[OUTPUT_TABLE_SIZE];
	struct poptOption table[] = {
		{"structured", 's', POPT_ARG_STRING, &o.structured, 0,
		 "Read a structured query (QueryList); - is standard input",
		 "FILE"},
		{"count", 'n', POPT_ARG_STRING, &o.count, 0,
		 "Show at most so many events", "N"},
		{"reverse", 0, POPT_ARG_NONE, &o.reverse, 0,
		 "Newest events first", NULL},
		{"tolerate", 0, POPT_ARG_NONE, &o.tolerate, 0,
		 "Go on without channels that are missing", NULL},
		{"file", 0, POPT_ARG_ARGV, &o.files, 0,
		 "Read an .evtx file, whatever its name is", "FILE"},
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, outputs, 0, "Output:", NULL},
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, filters, 0,
		 "Only events that fit all of these:", NULL},
		POPT_TABLEEND,
	};
	const char **args = NULL;
	int ret;

	cli_filter_table(&o.filter, filters);
	output_table(&query.output_options, outputs);
	ret = cli_parse(cli, table, 0, -1, &args);
	if (ret < 0) {
		ret = output_check(cli, &query.output_options);
	}
	if (ret >= 0) {
		return ret;
	}
	if (o.files != NULL || cli_selects_files(args)) {
		return query_files(&query, &o, args);
	}
	return query_service(&query, &o, args);
}

static const char query_description[] =
	"Shows the events of each CHANNEL, oldest first, one a line. Options\n"
	"or an XPATH, as in Windows' own tools, select some of them. Of .evtx\n"
	"files (a path, or a name that ends in .evtx) those that are damaged\n"
	"are shown as far as they are whole.\n"
	"\n"
	"  evenlog query Application\n"
	"  evenlog query Application System --since 2h --level error+\n"
	"  evenlog query System --reverse --count 10 --format=json\n"
	"  evenlog query Security --id 4624,4625 --data TargetUserName=bob\n"
	"  evenlog query Security --remote dc1 --user 'EXAMPLE\\reader'\n"
	"  evenlog query ./Security.evtx --id 4624 --format=json\n";

const struct cli_verb cli_verb_query = {
	.name = "query",
	.aliases = "qe query-events",
	.arguments = CLI_SELECT_ARGUMENTS " | FILE.evtx... [XPATH]",
	.summary = "Show events that are there, or those of a file",
	.description = query_description,
	.run = cli_query,
};
