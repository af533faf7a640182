/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/evtx.h"

#include "base/wintime.h"
#include "cli/map.h"
#include "cli/session.h"
#include "event/filter.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Faults said one by one; the rest is counted. */
#define FAULTS_SAID_MAX 100

static const char suffix[] = ".evtx";

struct cli_evtx {
	const char *path;
	struct cli_map *map;
	struct event_evtx_reader *reader;
	uint64_t faults;
};

/* A channel's name begins with none of these; an .evtx file may. */
bool cli_is_evtx(const char *argument)
{
	size_t len = strlen(argument);

	return argument[0] == '/' || strncmp(argument, "./", 2) == 0 ||
	       strncmp(argument, "../", 3) == 0 ||
	       (len >= strlen(suffix) &&
		strcasecmp(argument + len - strlen(suffix), suffix) == 0);
}

static int say_not_evtx(const char *path, const struct cli_map *map)
{
	if (map->size >= 8 && memcmp(map->data + 4, "LfLe", 4) == 0) {
		cli_error("%s is a log of Windows NT (.evt); only .evtx files"
			  " are read",
			  path);
	} else {
		cli_error("%s is not an .evtx file of version 3", path);
	}
	return CLI_FAILED;
}

int cli_evtx_open(TALLOC_CTX *mem_ctx, const char *path, bool backwards,
		  struct cli_evtx **ret_file)
{
	struct cli_evtx *file = talloc_zero(mem_ctx, struct cli_evtx);
	everr_t err;

	if (file == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	file->path = path;
	file->map = cli_map_file(file, path);
	if (file->map == NULL) {
		cli_error("cannot read %s: %s", path,
			  errno == EINVAL ? "not a regular file"
					  : strerror(errno));
		TALLOC_FREE(file);
		return CLI_FAILED;
	}
	err = event_evtx_open(file, file->map->data, file->map->size,
			      &file->reader);
	if (err == EVERR_EVTX) {
		say_not_evtx(path, file->map);
	} else if (err != EVERR_OK) {
		cli_error("%s: %s", path, everr_text(err));
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(file);
		return CLI_FAILED;
	}
	if (backwards) {
		event_evtx_read_backwards(file->reader);
	}
	*ret_file = file;
	return -1;
}

/* Count a fault; true if it is to be said. */
static bool count_fault(struct cli_evtx *file)
{
	file->faults++;
	return file->faults <= FAULTS_SAID_MAX;
}

void cli_evtx_refuse(struct cli_evtx *file, uint64_t offset, const char *why)
{
	if (count_fault(file)) {
		cli_error("%s: at byte %" PRIu64 ": %s", file->path, offset,
			  why);
	}
}

static void say_damage(struct cli_evtx *file,
		       const struct event_evtx_damage *damage)
{
	if (!count_fault(file)) {
		return;
	}
	if (damage->len == 0) {
		cli_error("%s: at byte %" PRIu64 ": %s", file->path,
			  damage->offset, damage->message);
	} else {
		cli_error("%s: at byte %" PRIu64 ": %s; %" PRIu64
			  " bytes passed over",
			  file->path, damage->offset, damage->message,
			  damage->len);
	}
}

everr_t cli_evtx_next(struct cli_evtx *file,
		      struct event_evtx_record *ret_record)
{
	struct event_evtx_damage damage;
	everr_t err;

	for (;;) {
		err = event_evtx_next(file->reader, ret_record, &damage);
		if (err != EVERR_EVTX) {
			return err;
		}
		say_damage(file, &damage);
	}
}

uint64_t cli_evtx_faults(struct cli_evtx *file)
{
	if (cli_map_was_cut()) {
		file->faults++;
		cli_error("%s became shorter while it was read", file->path);
	}
	if (file->faults > FAULTS_SAID_MAX) {
		cli_error("%s: %" PRIu64 " more faults", file->path,
			  file->faults - FAULTS_SAID_MAX);
	}
	return file->faults;
}

/* --------------------------------------------------------------- showing */

struct show {
	struct cli *cli;
	bool limited;
	uint64_t remaining;
	uint64_t now;
	struct event_filter *filter;
	struct event_dict *dict;
	struct event_packer *packer;
	struct output *output;
};

static int compile(struct show *show, const char *xpath)
{
	struct event_filter_error error = {0};
	everr_t err;

	err = event_filter_compile(show->cli, xpath, strlen(xpath),
				   &show->filter, &error);
	if (err == EVERR_NOMEM) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (err != EVERR_OK) {
		return cli_usage(show->cli,
				 "the XPATH is wrong at character %u: %s",
				 error.offset + 1,
				 error.message != NULL ? error.message
						       : everr_text(err));
	}
	return -1;
}

/* A file has no messages: what is installed here may know them. */
static int set_texts(struct cli *cli, struct output *output)
{
	struct cli_texts *texts = NULL;

	if (!output_wants_texts(output)) {
		return -1;
	}
	texts = cli_installed_texts(cli);
	if (texts == NULL) {
		return CLI_FAILED;
	}
	output_set_texts(output, texts);
	return -1;
}

static int prepare(struct show *show, const struct cli_evtx_query *query)
{
	struct cli *cli = show->cli;
	int ret;

	ret = compile(show, query->xpath);
	if (ret >= 0) {
		return ret;
	}
	show->limited = query->limited;
	show->remaining = query->count;
	show->now = wintime_now();
	show->dict = output_dict_create(cli);
	if (show->dict != NULL) {
		show->packer = event_packer_create(cli, show->dict);
	}
	show->output =
		output_create(cli, cli, &query->output_options, STDOUT_FILENO);
	if (show->packer == NULL || show->output == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	return set_texts(cli, show->output);
}

/* One record; EVERR_END when there have been enough. */
static everr_t show_record(struct show *show, struct cli_evtx *file,
			   const struct event_evtx_record *record)
{
	struct event_packed packed;
	struct event_view view;
	everr_t err;

	err = event_pack(show->packer, record->doc, record->len, &packed);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		cli_evtx_refuse(file, record->offset, everr_text(err));
		return EVERR_OK;
	}
	view = (struct event_view){&packed.header, show->dict, packed.data,
				   packed.len, show->now};
	if (!event_filter_match(show->filter, &view)) {
		return EVERR_OK;
	}
	err = output_event(show->output, show->dict, &packed);
	if (err != EVERR_OK || !show->limited) {
		return err;
	}
	show->remaining--;
	return show->remaining > 0 ? EVERR_OK : EVERR_END;
}

/* *ret_faults is added to.  EVERR_END: there have been enough. */
static everr_t show_file(struct show *show, struct cli_evtx *file,
			 uint64_t *ret_faults)
{
	struct event_evtx_record record;
	everr_t err;

	for (;;) {
		err = cli_evtx_next(file, &record);
		if (err == EVERR_END) {
			err = EVERR_OK;
			break;
		}
		if (err == EVERR_OK) {
			err = show_record(show, file, &record);
		}
		if (err != EVERR_OK) {
			break;
		}
	}
	*ret_faults += cli_evtx_faults(file);
	return err;
}

/* stdout is gone, which a reader who had enough may cause; or memory is. */
static void say_end(everr_t err)
{
	if (err != EVERR_IO) {
		cli_error("%s", everr_text(err));
	} else if (errno != EPIPE) {
		cli_error("cannot write the output: %s", strerror(errno));
	}
}

int cli_evtx_show(struct cli *cli, const struct cli_evtx_query *query)
{
	struct show show = {.cli = cli};
	uint64_t faults = 0;
	everr_t err = EVERR_OK;
	size_t i;
	int ret;

	ret = prepare(&show, query);
	if (ret >= 0) {
		return ret;
	}
	for (i = 0; err == EVERR_OK && query->paths[i] != NULL; i++) {
		struct cli_evtx *file = NULL;

		ret = cli_evtx_open(cli, query->paths[i], query->reverse,
				    &file);
		if (ret >= 0) {
			faults++;
			continue;
		}
		err = show_file(&show, file, &faults);
		TALLOC_FREE(file);
	}
	if (err == EVERR_OK || err == EVERR_END) {
		err = output_flush(show.output);
	}
	if (err != EVERR_OK) {
		say_end(err);
		return CLI_FAILED;
	}
	return faults > 0 || output_failed(show.output) > 0 ? CLI_FAILED
							    : CLI_OK;
}
