/* SPDX-License-Identifier: GPL-3.0-or-later */

/* verify: how a store is. */

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "store/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

	ret = cli_parse_local(cli, table, 0, 1, &args);
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
	if (err == EVERR_IO && access(dir, R_OK | X_OK) != 0) {
		/* Not the disk's fault, which the reader would fear. */
		cli_error("cannot check %s: %s", dir, strerror(errno));
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
	.local = true,
};
