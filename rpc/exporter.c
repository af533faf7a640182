/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/exporter.h"

#include "event/evtx.h"
#include "rpc/export_file.h"
#include "rpc/report.h"
#include "rpc/walk.h"

#include <inttypes.h>

/* What one turn writes, at most. */
#define TURN_RECORDS 256
#define TURN_BYTES (256 * 1024)
/* Records that are named one by one when they are left out. */
#define NAMED_MAX 16

/* Win32 codes that no error of ours stands for. */
#define WIN32_PATH_NOT_FOUND 3
#define WIN32_FILE_EXISTS 80
#define WIN32_FILE_TOO_LARGE 223

struct rpc_exporter {
	struct rpc_service *service;
	const struct event_query *query;
	const struct rpc_export_path *path;
	struct rpc_walk *walk;
	struct event_evtx_writer *writer;
	struct rpc_export_file *file;
	uint64_t *last_ids; /* by channel */
	bool walked;
	bool finished;
	struct rpc_exporter_result result;
	char *names; /* "Application 17, System 4" */
	unsigned int num_names;
};

/* --------------------------------------------------------- what is left out */

static void note_left_out(struct rpc_exporter *exporter, size_t channel,
			  uint64_t record_id)
{
	const char *separator = exporter->num_names > 0 ? ", " : "";
	char *names = NULL;

	if (exporter->num_names == NAMED_MAX) {
		return;
	}
	names = talloc_asprintf_append(
		exporter->names, "%s%s %" PRIu64, separator,
		exporter->query->paths[channel], record_id);
	if (names != NULL) {
		exporter->names = names;
		exporter->num_names++;
	}
}

static void note_loss(const struct rpc_walk_loss *loss, void *private_data)
{
	struct rpc_exporter *exporter =
		talloc_get_type_abort(private_data, struct rpc_exporter);

	if (loss->damaged) {
		exporter->result.damaged++;
		note_left_out(exporter, loss->channel, loss->first_id);
	}
}

void rpc_exporter_report(const struct rpc_exporter *exporter)
{
	const struct rpc_exporter_result *result = &exporter->result;
	char too_large[21];
	char damaged[21];
	const char *fields[] = {
		"Path",	   exporter->path->text,
		"Skipped", too_large,
		"Damaged", damaged,
		"Records", exporter->names,
	};

	if (result->too_large + result->damaged == 0) {
		return;
	}
	snprintf(too_large, sizeof(too_large), "%" PRIu64, result->too_large);
	snprintf(damaged, sizeof(damaged), "%" PRIu64, result->damaged);
	operational_report(exporter->service->operational,
			   OPERATIONAL_EXPORT_INCOMPLETE, exporter->path->text,
			   fields, 4);
}

/* ------------------------------------------------------------- creation */

static int exporter_destructor(struct rpc_exporter *exporter)
{
	exporter->service->num_exports--;
	return 0;
}

/* What comes from now on is not exported. */
static everr_t set_bounds(struct rpc_exporter *exporter)
{
	struct rpc_walk *walk = exporter->walk;
	uint64_t oldest_id, next_id;
	everr_t err;
	size_t i;

	err = rpc_walk_begin(walk);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < walk->num_channels; i++) {
		struct rpc_cursor *cursor = &walk->cursors[i];

		if (cursor->channel == NULL) {
			continue;
		}
		store_bounds(walk->snapshot, cursor->channel, &oldest_id,
			     &next_id);
		cursor->next_id = oldest_id != 0 ? oldest_id : next_id;
		cursor->bound_id = next_id - 1;
		exporter->last_ids[i] = oldest_id != 0 ? next_id - 1 : 0;
	}
	rpc_walk_end(walk);
	return EVERR_OK;
}

static everr_t exporter_init(struct rpc_exporter *exporter,
			     const struct rpc_exporter_config *config)
{
	struct rpc_service *service = config->service;
	const struct rpc_export_place place = {
		.directory = service->config.export_directory,
		.max_bytes = service->config.export_max_bytes,
		.reserve = service->config.export_reserve,
	};
	everr_t err;

	exporter->names = talloc_strdup(exporter, "");
	exporter->last_ids =
		talloc_zero_array(exporter, uint64_t, config->query->num_paths);
	if (exporter->names == NULL || exporter->last_ids == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_walk_create(exporter, service->store, config->query,
			      config->channels, false, &exporter->walk);
	if (err != EVERR_OK) {
		return err;
	}
	exporter->walk->loss_fn = note_loss;
	exporter->walk->loss_private = exporter;
	err = set_bounds(exporter);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_evtx_writer_create(exporter, store_dict(service->store),
				       &exporter->writer);
	if (err != EVERR_OK) {
		return err;
	}
	return rpc_export_file_create(exporter, service->ev, &place,
				      config->path, config->wake,
				      config->private_data, &exporter->file);
}

everr_t rpc_exporter_create(TALLOC_CTX *mem_ctx,
			    const struct rpc_exporter_config *config,
			    struct rpc_exporter **ret_exporter)
{
	struct rpc_service *service = config->service;
	struct rpc_exporter *exporter = NULL;
	everr_t err;

	if (service->config.export_directory == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	if (service->num_exports >= RPC_EXPORTS_MAX) {
		rpc_report_limit(service, "exports at a time", config->peer);
		return EVERR_LIMIT;
	}
	exporter = talloc_zero(mem_ctx, struct rpc_exporter);
	if (exporter == NULL) {
		return EVERR_NOMEM;
	}
	exporter->service = service;
	exporter->query = config->query;
	exporter->path = config->path;
	service->num_exports++;
	talloc_set_destructor(exporter, exporter_destructor);
	err = exporter_init(exporter, config);
	if (err != EVERR_OK) {
		TALLOC_FREE(exporter);
		return err;
	}
	*ret_exporter = exporter;
	return EVERR_OK;
}

/* -------------------------------------------------------------- turns */

/* When it was written, as the format has it: doc/evtx.md. */
static uint64_t written_time(const struct store_record *record)
{
	return record->header.has & EVENT_HAS_TIME ? record->header.time_created
						   : record->received;
}

/* A channel's head goes into the file, or is left out. */
static everr_t add_record(struct rpc_exporter *exporter, size_t channel)
{
	const struct store_record *record =
		&exporter->walk->cursors[channel].record;
	const uint8_t *chunk = NULL;
	everr_t err;

	err = event_evtx_add(exporter->writer, record->data, record->len,
			     written_time(record), &chunk);
	if (err == EVERR_NOMEM || err == EVERR_LIMIT) {
		return err;
	}
	if (err != EVERR_OK) {
		exporter->result.too_large += err == EVERR_EVENT_TOO_LARGE;
		exporter->result.damaged += err != EVERR_EVENT_TOO_LARGE;
		note_left_out(exporter, channel, record->id);
		return EVERR_OK;
	}
	exporter->result.events++;
	if (chunk == NULL) {
		return EVERR_OK;
	}
	return rpc_export_file_put(exporter->file, chunk);
}

/* Records while there is room for the chunk that one of them may fill. */
static everr_t export_records(struct rpc_exporter *exporter,
			      enum rpc_walk_step *ret_step)
{
	struct rpc_walk *walk = exporter->walk;
	size_t num = 0;
	size_t bytes = 0;
	size_t channel = 0;
	everr_t ignored = EVERR_OK;
	everr_t err;

	*ret_step = RPC_WALK_AGAIN;
	while (num < TURN_RECORDS && bytes < TURN_BYTES &&
	       rpc_export_file_state(exporter->file, &ignored) ==
		       RPC_EXPORT_ROOM) {
		err = rpc_walk_peek(walk, ret_step, &channel);
		if (err != EVERR_OK || *ret_step != RPC_WALK_RECORD) {
			return err;
		}
		num++;
		bytes += walk->cursors[channel].record.wire_len;
		err = add_record(exporter, channel);
		if (err != EVERR_OK) {
			return err;
		}
		rpc_walk_pass(walk, channel);
		*ret_step = RPC_WALK_AGAIN;
	}
	return EVERR_OK;
}

/* One that was removed meanwhile looks as if it had ended. */
static everr_t check_channels(const struct rpc_walk *walk)
{
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		const struct store_channel *channel = walk->cursors[i].channel;

		if (channel != NULL && store_channel_removed(channel)) {
			return EVERR_CHANNEL_NOT_FOUND;
		}
	}
	return EVERR_OK;
}

static everr_t export_turn(struct rpc_exporter *exporter)
{
	enum rpc_walk_step step = RPC_WALK_AGAIN;
	everr_t err;

	err = check_channels(exporter->walk);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_walk_begin(exporter->walk);
	if (err != EVERR_OK) {
		return err;
	}
	err = export_records(exporter, &step);
	rpc_walk_end(exporter->walk);
	exporter->walked = err == EVERR_OK && step == RPC_WALK_END;
	return err;
}

static everr_t export_finish(struct rpc_exporter *exporter)
{
	uint8_t header[EVENT_EVTX_HEADER_SIZE];
	const uint8_t *chunk = NULL;
	everr_t err;

	err = event_evtx_finish(exporter->writer, &chunk, header);
	if (err == EVERR_OK && chunk != NULL) {
		err = rpc_export_file_put(exporter->file, chunk);
	}
	if (err != EVERR_OK) {
		return err;
	}
	rpc_export_file_finish(exporter->file, header);
	exporter->finished = true;
	return EVERR_OK;
}

everr_t rpc_exporter_turn(struct rpc_exporter *exporter,
			  enum rpc_task_state *ret_state)
{
	everr_t err = EVERR_OK;

	switch (rpc_export_file_state(exporter->file, &err)) {
	case RPC_EXPORT_FAILED:
		return err;
	case RPC_EXPORT_DONE:
		*ret_state = RPC_TASK_DONE;
		return EVERR_OK;
	case RPC_EXPORT_WAIT:
		*ret_state = RPC_TASK_WAIT;
		return EVERR_OK;
	case RPC_EXPORT_ROOM:
		break;
	}
	*ret_state = RPC_TASK_AGAIN;
	if (!exporter->walked) {
		return export_turn(exporter);
	}
	if (!exporter->finished) {
		err = export_finish(exporter);
		*ret_state = RPC_TASK_WAIT;
	}
	return err;
}

/* ------------------------------------------------------------- results */

uint64_t rpc_exporter_last_id(const struct rpc_exporter *exporter,
			      size_t channel)
{
	return exporter->last_ids[channel];
}

struct rpc_exporter_result rpc_exporter_result(
	const struct rpc_exporter *exporter)
{
	return exporter->result;
}

void rpc_exporter_keep(struct rpc_exporter *exporter, bool keep)
{
	rpc_export_file_keep(exporter->file, keep);
}

WERROR rpc_exporter_werror(everr_t err)
{
	switch (err) {
	case EVERR_EXISTS:
		return W_ERROR(WIN32_FILE_EXISTS);
	case EVERR_NOT_FOUND:
		return W_ERROR(WIN32_PATH_NOT_FOUND);
	case EVERR_LIMIT:
	case EVERR_EVENT_TOO_LARGE:
		return W_ERROR(WIN32_FILE_TOO_LARGE);
	default:
		return rpc_werror(err);
	}
}
