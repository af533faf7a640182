/* SPDX-License-Identifier: GPL-3.0-or-later */

/* forward: the outputs of this host's service, and letting one go back. */

#include "base/wintime.h"
#include "cli/bookmark_file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/when.h"
#include "collect/control.h"
#include "collect/forward.h"
#include "idl/ndr_control.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Of the outputs' table, and what is said below it. */
#define TABLE_MAX (1024 * 1024)
#define LINE_MAX_BYTES 8192

struct forward_verb {
	struct cli *cli;
	struct collect_connection *connection;
	const char *channel;
	const char *since;
	const char *record;
	const char *bookmark;
	int oldest;
};

/* ---------------------------------------------------------------- list */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Of all its channels: events behind, and the age of the oldest of them. */
static void sum_lag(const json_t *output, uint64_t *ret_events,
		    uint64_t *ret_seconds)
{
	const json_t *channels = json_object_get(output, "channels");
	size_t i;

	*ret_events = 0;
	*ret_seconds = 0;
	for (i = 0; i < json_array_size(channels); i++) {
		const json_t *channel = json_array_get(channels, i);
		uint64_t seconds = number_of(channel, "lag_seconds");

		*ret_events += number_of(channel, "lag_events");
		*ret_seconds = seconds > *ret_seconds ? seconds : *ret_seconds;
	}
}

static void add_output(struct table *table, const json_t *output)
{
	uint64_t at_most = number_of(output, "at_most");
	uint64_t lag_events, lag_seconds;

	sum_lag(output, &lag_events, &lag_seconds);
	table_cell(table, TERMINAL_PLAIN, text_of(output, "name"));
	table_cell(table, TERMINAL_PLAIN, text_of(output, "state"));
	table_cell(table, TERMINAL_PLAIN, text_of(output, "receiver"));
	table_cell(table, TERMINAL_PLAIN, text_of(output, "format"));
	table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
		    number_of(output, "arrived"));
	table_cellf(table, TERMINAL_PLAIN, "%" PRIu64, lag_events);
	table_cellf(table, TERMINAL_PLAIN, "%" PRIu64 "s", lag_seconds);
	table_cellf(table, TERMINAL_PLAIN, "%.1f",
		    json_number_value(json_object_get(output, "rate")));
	table_cellf(table, TERMINAL_PLAIN, "%s%" PRIu64,
		    at_most > 0 ? "up to " : "",
		    number_of(output, "missing") + at_most);
}

/* For a shell, but not yet for a terminal. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_put_u8(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			buf_puts(out, "'\\'");
		}
		buf_put_u8(out, (uint8_t)*text);
	}
	buf_put_u8(out, '\'');
}

static void put_line(struct buf *out, struct buf *line)
{
	terminal_put_text(out, (const char *)line->data, line->len, 0);
	buf_put_u8(out, '\n');
	buf_reset(line);
}

/* What keeps an output, and what may be done about it. */
static void put_trouble(struct buf *out, const json_t *output)
{
	const json_t *refused = json_object_get(output, "refused");
	struct buf line;

	if (!json_is_string(json_object_get(output, "last_error")) ||
	    (strcmp(text_of(output, "state"), "up") == 0 &&
	     !json_is_object(refused))) {
		return;
	}
	buf_init(&line, NULL, LINE_MAX_BYTES);
	buf_printf(&line, "%s: %s", text_of(output, "name"),
		   text_of(output, "last_error"));
	put_line(out, &line);
	if (json_is_object(refused)) {
		buf_puts(&line, "  to leave it out: evenlog forward rewind ");
		put_quoted(&line, text_of(output, "name"));
		buf_puts(&line, " --channel ");
		put_quoted(&line, text_of(refused, "channel"));
		buf_printf(&line, " --record %" PRIu64,
			   number_of(refused, "record") + 1);
		put_line(out, &line);
	}
	buf_free(&line);
}

static everr_t put_outputs(struct forward_verb *verb, struct buf *out,
			   const json_t *outputs)
{
	static const struct table_column columns[] = {
		{"OUTPUT", false}, {"STATE", false},  {"RECEIVER", false},
		{"FORMAT", false}, {"ARRIVED", true}, {"BEHIND", true},
		{"AGE", true},	   {"RATE/S", true},  {"MISSING", true},
	};
	struct table *table = table_create(verb->cli, columns, 9);
	everr_t err;
	size_t i;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < json_array_size(outputs); i++) {
		add_output(table, json_array_get(outputs, i));
	}
	err = table_put(table, out, 0, 0,
			terminal_colored(stdout, verb->cli->options.color));
	TALLOC_FREE(table);
	for (i = 0; i < json_array_size(outputs); i++) {
		put_trouble(out, json_array_get(outputs, i));
	}
	return err != EVERR_OK ? err : buf_error(out);
}

static int print_table(struct forward_verb *verb, const json_t *outputs)
{
	struct buf out;
	everr_t err;

	buf_init(&out, NULL, TABLE_MAX);
	err = put_outputs(verb, &out, outputs);
	if (err == EVERR_OK) {
		fwrite(out.data, 1, out.len, stdout);
	} else {
		cli_error("%s", everr_text(err));
	}
	buf_free(&out);
	return err == EVERR_OK ? CLI_OK : CLI_FAILED;
}

static int print_outputs(struct forward_verb *verb, const char *status)
{
	json_t *root = json_loads(status, JSON_REJECT_DUPLICATES, NULL);
	json_t *outputs = json_object_get(root, "forward");
	int ret = CLI_OK;
	size_t i;

	if (!json_is_array(outputs)) {
		json_decref(root);
		cli_error("the service's status is malformed");
		return CLI_FAILED;
	}
	if (verb->cli->options.format == CLI_FORMAT_JSON) {
		for (i = 0; i < json_array_size(outputs); i++) {
			cli_print_json(json_incref(json_array_get(outputs, i)));
		}
		json_decref(root);
		return CLI_OK;
	}
	if (json_array_size(outputs) == 0) {
		cli_note("there is no [forward NAME] in the service's "
			 "configuration");
	} else {
		ret = print_table(verb, outputs);
	}
	json_decref(root);
	return ret;
}

static int list(struct forward_verb *verb, const char *name)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	const char *json = NULL;
	everr_t err;

	(void)name;
	req = collect_status_send(verb->cli, verb->cli->ev, verb->connection);
	if (!cli_wait(verb->cli, req)) {
		return CLI_FAILED;
	}
	err = collect_status_recv(req, verb->cli, &json, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	return print_outputs(verb, json);
}

/* -------------------------------------------------------------- rewind */

static int read_bookmark(struct forward_verb *verb,
			 struct collect_rewind *rewind)
{
	struct event_bookmark_list *bookmarks = NULL;
	struct buf text;
	everr_t err;

	err = bookmark_file_load(verb->cli, verb->bookmark, &bookmarks);
	if (err != EVERR_OK) {
		cli_error("%s: %s", verb->bookmark,
			  err == EVERR_IO ? strerror(errno) : everr_text(err));
		return CLI_FAILED;
	}
	buf_init(&text, verb->cli, EVENT_BOOKMARK_LENGTH_MAX);
	event_bookmark_write(&text, bookmarks);
	buf_put_u8(&text, 0);
	err = buf_error(&text);
	if (err != EVERR_OK) {
		cli_error("%s: %s", verb->bookmark, everr_text(err));
		return CLI_FAILED;
	}
	rewind->kind = COLLECT_REWIND_BOOKMARK;
	rewind->bookmark = (const char *)text.data;
	return -1;
}

/* Where to; -1 to go on, else the exit status. */
static int read_place(struct forward_verb *verb, struct collect_rewind *rewind)
{
	const struct cli_when when = {.now = wintime_now()};
	everr_t err = EVERR_OK;

	if (verb->bookmark != NULL) {
		return read_bookmark(verb, rewind);
	}
	if (verb->since != NULL) {
		rewind->kind = COLLECT_REWIND_TIME;
		err = cli_when_parse(&when, verb->since, &rewind->value);
		if (err != EVERR_OK) {
			return cli_usage(verb->cli,
					 "--since=%s: it takes " CLI_WHEN_FORMS,
					 verb->since);
		}
	} else if (verb->record != NULL) {
		rewind->kind = COLLECT_REWIND_RECORD;
		err = cli_parse_number(verb->record, UINT64_MAX,
				       &rewind->value);
		if (err != EVERR_OK || rewind->value == 0) {
			return cli_usage(verb->cli,
					 "--record=%s is not a record's number",
					 verb->record);
		}
	} else {
		rewind->kind = COLLECT_REWIND_OLDEST;
	}
	return -1;
}

static int rewind_output(struct forward_verb *verb, const char *name)
{
	struct collect_rewind rewind = {.output = name,
					.channel = verb->channel};
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	const char *message = NULL;
	everr_t err;
	int ret;

	ret = read_place(verb, &rewind);
	if (ret >= 0) {
		return ret;
	}
	req = collect_rewind_send(verb->cli, verb->cli->ev, verb->connection,
				  &rewind);
	if (!cli_wait(verb->cli, req)) {
		return CLI_FAILED;
	}
	err = collect_rewind_recv(req, verb->cli, &message, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s: %s", name, failure.text);
		return CLI_FAILED;
	}
	cli_note_lines(message);
	return CLI_OK;
}

/* --------------------------------------------------------------- verbs */

struct forward_word {
	const char *word;
	bool rewinds;
	int (*run)(struct forward_verb *verb, const char *name);
};

static const struct forward_word words[] = {
	{"list", false, list},
	{"rewind", true, rewind_output},
};

static const struct forward_word *find_word(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, text) == 0) {
			return &words[i];
		}
	}
	return NULL;
}

/* -1 to go on, else CLI_USAGE. */
static int check_words(struct forward_verb *verb,
		       const struct forward_word *word, const char **args)
{
	int places = (verb->oldest != 0) + (verb->since != NULL) +
		     (verb->record != NULL) + (verb->bookmark != NULL);

	if (word == NULL) {
		return cli_usage(verb->cli,
				 "forward is list or rewind, not \"%s\"",
				 args[0]);
	}
	if (!word->rewinds) {
		if (args[1] != NULL || places > 0 || verb->channel != NULL) {
			return cli_usage(verb->cli,
					 "forward list takes nothing more");
		}
		return -1;
	}
	if (args[1] == NULL) {
		return cli_usage(verb->cli, "forward rewind needs an OUTPUT");
	}
	if (places != 1) {
		return cli_usage(verb->cli,
				 "forward rewind needs one of --oldest, "
				 "--since, --record and --bookmark");
	}
	if (verb->record != NULL && verb->channel == NULL) {
		return cli_usage(verb->cli,
				 "--record is a record of a channel: name it "
				 "with --channel");
	}
	return -1;
}

static int cli_forward(struct cli *cli)
{
	struct forward_verb verb = {.cli = cli};
	struct poptOption table[] = {
		{"channel", 0, POPT_ARG_STRING, &verb.channel, 0,
		 "rewind: this channel only", "CHANNEL"},
		{"oldest", 0, POPT_ARG_NONE, &verb.oldest, 0,
		 "rewind: to the oldest event there is", NULL},
		{"since", 's', POPT_ARG_STRING, &verb.since, 0,
		 "rewind: to the first event received then or later", "TIME"},
		{"record", 0, POPT_ARG_STRING, &verb.record, 0,
		 "rewind: to this record of the channel", "N"},
		{"bookmark", 'b', POPT_ARG_STRING, &verb.bookmark, 0,
		 "rewind: behind a bookmark", "FILE"},
		POPT_TABLEEND,
	};
	const struct forward_word *word = NULL;
	const char **args = NULL;
	int ret;

	ret = cli_parse_local(cli, table, 1, 2, &args);
	if (ret < 0) {
		word = find_word(args[0]);
		ret = check_words(&verb, word, args);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_control, &verb.connection);
	}
	if (ret >= 0) {
		return ret;
	}
	return word->run(&verb, args[1]);
}

static const char forward_description[] =
	"The outputs that forward events to syslog receivers: list shows "
	"them,\n"
	"with what has arrived and how far they are behind; rewind lets one "
	"go\n"
	"on from another place, so that events are sent again, or left out.\n"
	"It is done when the new place is on disk. For administrators.\n"
	"\n"
	"  evenlog forward list\n"
	"  evenlog forward rewind siem --since 2h\n"
	"  evenlog forward rewind siem --channel Security --record 4711\n";

const struct cli_verb cli_verb_forward = {
	.name = "forward",
	.arguments = "list|rewind [OUTPUT]",
	.summary = "Look at the outputs, or let one go back",
	.description = forward_description,
	.run = cli_forward,
	.local = true,
};
