/* SPDX-License-Identifier: GPL-3.0-or-later */

/* status and verify: how the service and its store are. */

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "collect/control.h"
#include "idl/ndr_control.h"
#include "store/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------- status */

/* Levels of objects in objects that are shown. */
#define STATUS_DEPTH 8
/* Bytes of a value that are shown. */
#define CELL_MAX 512
/* Columns of a table that are shown. */
#define COLUMNS_MAX 32

static void print_value(const json_t *value, unsigned int depth);

/* The text of a cell; of numbers and words, so a small room does. */
static void cell_text(const json_t *value, char *text, size_t size)
{
	struct buf out;

	switch (json_typeof(value)) {
	case JSON_STRING:
		buf_init(&out, NULL, 16 * size);
		terminal_put_text(&out, json_string_value(value),
				  json_string_length(value), 0);
		snprintf(text, size, "%.*s", (int)out.len,
			 out.data != NULL ? (const char *)out.data : "");
		buf_free(&out);
		break;
	case JSON_INTEGER:
		snprintf(text, size, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(text, size, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(text, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(text, size, "no");
		break;
	default:
		snprintf(text, size, "-");
		break;
	}
}

static void print_scalar(const json_t *value)
{
	char text[CELL_MAX];

	cell_text(value, text, sizeof(text));
	printf("%s", text);
}

static bool is_scalar(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

static void print_members(const json_t *object, unsigned int depth)
{
	void *iter = json_object_iter((json_t *)object);

	while (iter != NULL) {
		const json_t *value = json_object_iter_value(iter);

		printf("%*s", (int)(2 * depth), "");
		terminal_print(json_object_iter_key(iter));
		printf(":");
		if (is_scalar(value)) {
			printf(" ");
			print_scalar(value);
			printf("\n");
		} else {
			print_value(value, depth + 1);
		}
		iter = json_object_iter_next((json_t *)object, iter);
	}
}

/* A row of a table is an object of nothing but scalars. */
static bool is_row(const json_t *value)
{
	void *iter = json_object_iter((json_t *)value);

	while (iter != NULL) {
		if (!is_scalar(json_object_iter_value(iter))) {
			return false;
		}
		iter = json_object_iter_next((json_t *)value, iter);
	}
	return json_object_size(value) > 0;
}

static bool is_table(const json_t *array)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		if (!is_row(json_array_get(array, i))) {
			return false;
		}
	}
	return json_array_size(array) > 0;
}

/* The width of each column of a table, for at most COLUMNS_MAX of them. */
static void column_widths(const json_t *array, size_t *widths)
{
	const json_t *first = json_array_get(array, 0);
	void *iter = json_object_iter((json_t *)first);
	size_t column;
	size_t i;

	for (column = 0; iter != NULL && column < COLUMNS_MAX; column++) {
		const char *name = json_object_iter_key(iter);

		widths[column] = strlen(name);
		for (i = 0; i < json_array_size(array); i++) {
			const json_t *row = json_array_get(array, i);
			char text[CELL_MAX];

			cell_text(json_object_get(row, name), text,
				  sizeof(text));
			if (strlen(text) > widths[column]) {
				widths[column] = strlen(text);
			}
		}
		iter = json_object_iter_next((json_t *)first, iter);
	}
}

/* row NULL: the names of the columns. */
static void print_row(const json_t *first, const json_t *row,
		      const size_t *widths, unsigned int depth)
{
	void *iter = json_object_iter((json_t *)first);
	size_t column;

	printf("%*s", (int)(2 * depth), "");
	for (column = 0; iter != NULL && column < COLUMNS_MAX; column++) {
		const char *name = json_object_iter_key(iter);
		bool left = json_is_string(json_object_iter_value(iter));
		int width = (int)widths[column];
		char text[CELL_MAX];

		snprintf(text, sizeof(text), "%s", name);
		if (row != NULL) {
			cell_text(json_object_get(row, name), text,
				  sizeof(text));
		}
		printf("%s%*s", column > 0 ? "  " : "", left ? -width : width,
		       text);
		iter = json_object_iter_next((json_t *)first, iter);
	}
	printf("\n");
}

static void print_table(const json_t *array, unsigned int depth)
{
	const json_t *first = json_array_get(array, 0);
	size_t widths[COLUMNS_MAX];
	size_t i;

	column_widths(array, widths);
	print_row(first, NULL, widths, depth);
	for (i = 0; i < json_array_size(array); i++) {
		print_row(first, json_array_get(array, i), widths, depth);
	}
}

static void print_list(const json_t *array)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		printf(" ");
		if (is_scalar(json_array_get(array, i))) {
			print_scalar(json_array_get(array, i));
		} else {
			printf("-");
		}
	}
	printf("\n");
}

/* What stands behind "name:", an object's members or an array. */
static void print_value(const json_t *value, unsigned int depth)
{
	if (depth > STATUS_DEPTH) {
		printf(" -\n");
		return;
	}
	if (json_is_object(value)) {
		if (depth > 0) {
			printf("\n");
		}
		print_members(value, depth);
	} else if (is_table(value)) {
		printf("\n");
		print_table(value, depth);
	} else {
		print_list(value);
	}
}

static int print_status(struct cli *cli, const char *text)
{
	json_t *status = NULL;

	if (cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json_text(text);
		return CLI_OK;
	}
	status = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(status)) {
		json_decref(status);
		cli_error("the service's status is malformed");
		return CLI_FAILED;
	}
	print_value(status, 0);
	json_decref(status);
	return CLI_OK;
}

static int cli_status(struct cli *cli)
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
		ret = cli_no_xml(cli);
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

static const char status_description[] =
	"Shows the service's state; --format=json shows all of it as one\n"
	"object. The exit status is 1 when the service is not running.\n";

const struct cli_verb cli_verb_status = {
	.name = "status",
	.arguments = "",
	.summary = "Show how the local service is doing",
	.description = status_description,
	.run = cli_status,
};

/* --------------------------------------------------------------- verify */

struct verify {
	struct cli *cli;
	struct terminal_progress progress;
};

static void on_finding(enum store_verify_level level, const char *where,
		       const char *what, void *private_data)
{
	struct verify *verify = private_data;
	const char *word = level == STORE_VERIFY_ERROR ? "error" : "note";

	terminal_progress_clear(&verify->progress);
	if (verify->cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json(json_pack("{s:s, s:s, s:s}", "level", word,
					 "where", where, "what", what));
		return;
	}
	printf("%s: ", word);
	terminal_print(where);
	printf(": ");
	terminal_print(what);
	printf("\n");
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
		cli_print_json(json_pack(
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

static int cli_verify(struct cli *cli)
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
		ret = cli_no_xml(cli);
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

static const char verify_description[] =
	"Reads every record of the store and checks it against its\n"
	"checksums and the others. DIR is another store, or a copy. The\n"
	"store is only read and may be in use. The exit status is 1 when\n"
	"damage was found.\n";

const struct cli_verb cli_verb_verify = {
	.name = "verify",
	.arguments = "[DIR]",
	.summary = "Check the store of this host",
	.description = verify_description,
	.run = cli_verify,
};
