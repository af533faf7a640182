/* SPDX-License-Identifier: GPL-3.0-or-later */

/* status and verify: how the service and its store are. */

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "collect/control.h"
#include "idl/ndr_control.h"
#include "store/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int no_xml(struct cli *cli)
{
	if (cli->options.format != CLI_FORMAT_XML) {
		return -1;
	}
	return cli_usage(cli,
			 "--format=xml is for events; %s has text and"
			 " json",
			 cli->verb->name);
}

/* --------------------------------------------------------------- status */

/* Levels of objects in objects that are shown. */
#define STATUS_DEPTH 8

static void print_value(const json_t *value, unsigned int depth);

static void print_scalar(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING: {
		struct buf text;

		buf_init(&text, NULL, 1024 * 1024);
		terminal_put_text(&text, json_string_value(value),
				  json_string_length(value), 0);
		printf("%.*s", (int)text.len,
		       text.data != NULL ? (const char *)text.data : "");
		buf_free(&text);
		break;
	}
	case JSON_INTEGER:
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		printf("%g", json_real_value(value));
		break;
	case JSON_TRUE:
		printf("yes");
		break;
	case JSON_FALSE:
		printf("no");
		break;
	default:
		printf("-");
		break;
	}
}

static void print_members(const json_t *object, unsigned int depth)
{
	void *iter = json_object_iter((json_t *)object);

	while (iter != NULL) {
		const json_t *value = json_object_iter_value(iter);

		printf("%*s%s:", (int)(2 * depth), "",
		       json_object_iter_key(iter));
		if (json_is_object(value) || json_is_array(value)) {
			printf("\n");
			print_value(value, depth + 1);
		} else {
			printf(" ");
			print_scalar(value);
			printf("\n");
		}
		iter = json_object_iter_next((json_t *)object, iter);
	}
}

static void print_value(const json_t *value, unsigned int depth)
{
	size_t i;

	if (depth > STATUS_DEPTH) {
		return;
	}
	if (json_is_object(value)) {
		print_members(value, depth);
		return;
	}
	for (i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);

		if (json_is_object(item) || json_is_array(item)) {
			print_value(item, depth);
			if (i + 1 < json_array_size(value)) {
				printf("\n");
			}
			continue;
		}
		printf("%*s", (int)(2 * depth), "");
		print_scalar(item);
		printf("\n");
	}
}

static int print_status(struct cli *cli, const char *text)
{
	json_t *status = NULL;

	if (cli->options.format == CLI_FORMAT_JSON) {
		printf("%s\n", text);
		return CLI_OK;
	}
	status = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (status == NULL) {
		cli_error("the service's status is malformed");
		return CLI_FAILED;
	}
	print_value(status, 0);
	json_decref(status);
	return CLI_OK;
}

int cli_status(struct cli *cli)
{
	struct poptOption table[] = {POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	const char **args = NULL;
	const char *json = NULL;
	everr_t err;
	int ret;

	ret = cli_parse(cli, table, 0, 0, &args);
	if (ret < 0) {
		ret = cli_local_only(cli);
	}
	if (ret < 0) {
		ret = no_xml(cli);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_control, &connection);
	}
	if (ret >= 0) {
		return ret;
	}
	req = collect_status_send(cli, cli->ev, connection);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_status_recv(req, cli, &json, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	return print_status(cli, json);
}

/* --------------------------------------------------------------- verify */

struct verify {
	struct cli *cli;
	struct terminal_progress progress;
};

static void print_json_line(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(object);
}

static void on_finding(enum store_verify_level level, const char *where,
		       const char *what, void *private_data)
{
	struct verify *verify = private_data;
	const char *word = level == STORE_VERIFY_ERROR ? "error" : "note";

	terminal_progress_clear(&verify->progress);
	if (verify->cli->options.format == CLI_FORMAT_JSON) {
		print_json_line(json_pack("{s:s, s:s, s:s}", "level", word,
					  "where", where, "what", what));
		return;
	}
	printf("%s: %s: %s\n", word, where, what);
}

static void on_progress(uint64_t done, uint64_t total, void *private_data)
{
	struct verify *verify = private_data;

	if (!terminal_progress_due(&verify->progress)) {
		return;
	}
	terminal_progress_show(
		&verify->progress,
		"%" PRIu64 " of %" PRIu64 " records (%.0f %%)", done, total,
		total > 0 ? 100.0 * (double)done / (double)total : 100.0);
}

static void print_result(const struct cli *cli, const char *dir,
			 const struct store_verify_result *result)
{
	if (cli->options.format == CLI_FORMAT_JSON) {
		print_json_line(json_pack(
			"{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "store", dir,
			"channels", (json_int_t)result->channels, "records",
			(json_int_t)result->records, "templates",
			(json_int_t)result->templates, "bytes",
			(json_int_t)result->bytes, "errors",
			(json_int_t)result->errors, "notes",
			(json_int_t)result->notes));
		return;
	}
	printf("%s: %" PRIu64 " channels, %" PRIu64 " records, %" PRIu64
	       " templates, %" PRIu64 " bytes: ",
	       dir, result->channels, result->records, result->templates,
	       result->bytes);
	if (result->errors == 0) {
		printf("no errors");
	} else {
		printf("%" PRIu64 " errors", result->errors);
	}
	printf(", %" PRIu64 " notes\n", result->notes);
}

int cli_verify(struct cli *cli)
{
	struct poptOption table[] = {POPT_TABLEEND};
	struct verify verify = {.cli = cli};
	struct store_verify_result result = {.errors = 0};
	struct cli_paths paths = {.store = NULL};
	const char **args = NULL;
	const char *dir = NULL;
	everr_t err;
	int ret;

	ret = cli_parse(cli, table, 0, 1, &args);
	if (ret < 0) {
		ret = cli_local_only(cli);
	}
	if (ret < 0) {
		ret = no_xml(cli);
	}
	if (ret < 0 && args[0] == NULL && cli->options.store == NULL) {
		ret = cli_paths(cli, &paths);
	}
	if (ret >= 0) {
		return ret;
	}
	dir = args[0];
	if (dir == NULL) {
		dir = cli->options.store != NULL ? cli->options.store
						 : paths.store;
	}

	terminal_progress_init(&verify.progress);
	err = store_verify(cli, dir, on_finding, on_progress, &verify, &result);
	terminal_progress_clear(&verify.progress);
	if (err == EVERR_NOT_FOUND) {
		cli_error("there is no store in %s", dir);
		return CLI_FAILED;
	}
	if (err != EVERR_OK) {
		cli_error("cannot check %s: %s", dir, everr_text(err));
		return CLI_FAILED;
	}
	print_result(cli, dir, &result);
	return result.errors == 0 ? CLI_OK : CLI_FAILED;
}
