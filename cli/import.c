/* SPDX-License-Identifier: GPL-3.0-or-later */

/* import: the events of .evtx files into a channel of this host. */

#include "cli/cli.h"
#include "cli/evtx.h"
#include "cli/options.h"
#include "cli/sender.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "event/event.h"
#include "idl/ndr_control.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

/* Where Windows puts what was not written on the host itself. */
#define DEFAULT_CHANNEL "ForwardedEvents"

struct import {
	struct cli *cli;
	struct cli_sender sender;
	/* Each event is checked here, before the service is asked. */
	struct event_packer *packer;
	struct cli_evtx *file;
	uint64_t left_out; /* records of all files that were of no use */
	bool faulty;	   /* something was, or was damaged */
};

static void refuse(void *private_data, uint64_t place, const char *why)
{
	struct import *import = private_data;

	import->left_out++;
	terminal_progress_clear(&import->sender.progress);
	cli_evtx_refuse(import->file, place, why);
}

static everr_t import_record(struct import *import,
			     const struct event_evtx_record *record)
{
	struct buf *bytes = cli_sender_bytes(&import->sender);
	struct event_packed packed;
	everr_t err;

	err = event_pack(import->packer, record->doc, record->len, &packed);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		refuse(import, record->offset, everr_text(err));
		return EVERR_OK;
	}
	buf_put(bytes, record->doc, record->len);
	err = buf_error(bytes);
	if (err == EVERR_OK) {
		cli_sender_added(&import->sender, record->offset);
	}
	return err;
}

/* All of a file is stored when this returns, but for what is of no use. */
static bool import_records(struct import *import)
{
	struct event_evtx_record record;
	everr_t err = EVERR_OK;

	while (err == EVERR_OK && !import->sender.broken) {
		err = cli_evtx_next(import->file, &record);
		if (err == EVERR_OK) {
			err = import_record(import, &record);
		}
	}
	cli_sender_flush(&import->sender);
	cli_sender_finish(&import->sender);
	terminal_progress_clear(&import->sender.progress);
	if (err != EVERR_OK && err != EVERR_END) {
		cli_error("%s", everr_text(err));
		return false;
	}
	return !import->sender.broken;
}

static bool import_file(struct import *import, const char *path)
{
	bool ok;
	int ret;

	ret = cli_evtx_open(import, path, false, &import->file);
	if (ret >= 0) {
		import->faulty = true;
		return true;
	}
	ok = import_records(import);
	if (cli_evtx_faults(import->file) > 0) {
		import->faulty = true;
	}
	TALLOC_FREE(import->file);
	return ok;
}

static void print_summary(const struct import *import)
{
	const struct cli_sender *sender = &import->sender;

	if (import->cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json(json_pack(
			"{s:s, s:I, s:I, s:I, s:I}", "Channel", sender->channel,
			"Imported", (json_int_t)sender->stored, "LeftOut",
			(json_int_t)import->left_out, "FirstRecordID",
			(json_int_t)sender->first_id, "LastRecordID",
			(json_int_t)sender->last_id));
		return;
	}
	printf("%" PRIu64 " events imported into ", sender->stored);
	terminal_print(sender->channel);
	if (sender->stored > 0) {
		printf(", records %" PRIu64 " to %" PRIu64, sender->first_id,
		       sender->last_id);
	}
	printf("\n");
	if (import->left_out > 0) {
		cli_note("%" PRIu64 " records left out", import->left_out);
	}
}

static int import_run(struct import *import, const char **paths)
{
	struct event_dict *dict = output_dict_create(import);
	bool ok = true;
	size_t i;
	int ret;

	import->packer =
		dict != NULL ? event_packer_create(import, dict) : NULL;
	if (import->packer == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	ret = cli_connect(import->cli, &ndr_table_control,
			  &import->sender.connection);
	if (ret >= 0) {
		return ret;
	}
	cli_sender_show_progress(&import->sender);
	for (i = 0; ok && paths[i] != NULL; i++) {
		ok = import_file(import, paths[i]);
	}
	print_summary(import);
	return ok && !import->faulty ? CLI_OK : CLI_FAILED;
}

static int cli_import(struct cli *cli)
{
	char *channel = NULL;
	struct poptOption table[] = {
		{"channel", 0, POPT_ARG_STRING, &channel, 0,
		 "Where the events go (" DEFAULT_CHANNEL ")", "CHANNEL"},
		POPT_TABLEEND,
	};
	struct import *import = talloc_zero(cli, struct import);
	const char **args = NULL;
	int ret;

	if (import == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	import->cli = cli;
	cli_sender_init(&import->sender, cli, refuse, import);
	import->sender.imported = true;
	ret = cli_parse_local(cli, table, 1, -1, &args);
	if (ret < 0) {
		import->sender.channel =
			channel != NULL ? channel : DEFAULT_CHANNEL;
		ret = import_run(import, args);
	}
	return ret;
}

static const char import_description[] =
	"Appends the events of each .evtx FILE, as they are: they keep their\n"
	"time, computer, channel and EventRecordID, and get record ids of the\n"
	"channel beside them. What is damaged is named with its place, the\n"
	"rest is imported, and the exit status is 1. Whoever imports a file\n"
	"twice has its events twice.\n"
	"\n"
	"  evenlog import Security.evtx\n"
	"  evenlog import --channel Case-17 disk/Logs/*.evtx\n";

const struct cli_verb cli_verb_import = {
	.name = "import",
	.arguments = "FILE...",
	.summary = "Append the events of .evtx files to a channel of this host",
	.description = import_description,
	.run = cli_import,
	.local = true,
};
