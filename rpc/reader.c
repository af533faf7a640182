/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/reader.h"

#include "event/result.h"

#include <inttypes.h>
#include <stdio.h>

#define BATCH_FIRST_RECORDS 16

/* ------------------------------------------------------------- losses */

/* A 64-bit number in decimal and its NUL. */
#define NUMBER_SIZE 21

static void number_format(char text[NUMBER_SIZE], uint64_t number)
{
	snprintf(text, NUMBER_SIZE, "%" PRIu64, number);
}

static const char *cause_text(enum store_gap_cause cause)
{
	switch (cause) {
	case STORE_GAP_TRIMMED:
		return "trimmed";
	case STORE_GAP_RESTORED:
		return "restored";
	case STORE_GAP_DAMAGED:
		return "damaged";
	case STORE_GAP_CLEARED:
		return "cleared";
	}
	return "unknown";
}

static void report_damaged(struct rpc_reader *reader, const char *channel,
			   uint64_t record_id)
{
	char id[NUMBER_SIZE];
	const char *fields[] = {"Channel", channel, "RecordId", id};

	number_format(id, record_id);
	operational_report(reader->operational, OPERATIONAL_RECORD_DAMAGED,
			   channel, fields, 2);
}

static void report_gap(struct rpc_reader *reader, const char *channel,
		       const struct rpc_walk_loss *loss)
{
	char first[NUMBER_SIZE];
	char last[NUMBER_SIZE];
	const char *fields[] = {"Channel", channel, "First", first,
				"Last",	   last,    "Cause", NULL};

	number_format(first, loss->first_id);
	number_format(last, loss->last_id);
	fields[7] = cause_text(loss->cause);
	operational_report(reader->operational, OPERATIONAL_READER_GAP, channel,
			   fields, 4);
}

void rpc_reader_report_bookmark(struct rpc_reader *reader, const char *channel,
				uint64_t record_id, uint64_t resumed_at,
				uint64_t missing)
{
	char id[NUMBER_SIZE];
	char at[NUMBER_SIZE];
	const char *fields[] = {"Channel", channel,	"RecordId",
				id,	   "ResumedAt", at};

	reader->stats->gaps++;
	reader->stats->records_missing += missing;
	number_format(id, record_id);
	number_format(at, resumed_at);
	operational_report(reader->operational, OPERATIONAL_BOOKMARK_STALE,
			   channel, fields, 3);
}

static void reader_damaged(struct rpc_reader *reader, size_t channel,
			   uint64_t record_id)
{
	reader->stats->records_damaged++;
	report_damaged(reader, reader->query->paths[channel], record_id);
}

static void reader_lost(const struct rpc_walk_loss *loss, void *private_data)
{
	struct rpc_reader *reader =
		talloc_get_type_abort(private_data, struct rpc_reader);
	bool cleared = loss->cause == STORE_GAP_CLEARED;

	if (loss->damaged) {
		reader_damaged(reader, loss->channel, loss->first_id);
		return;
	}

	reader->stats->gaps++;
	reader->stats->records_missing += loss->missing;
	reader->stale |= reader->strict || (cleared && !reader->live);
	/*
	 * A query that comes across ids skipped long ago says nothing new:
	 * reporting it would write an event for every query from then on.
	 */
	if (reader->live || cleared || loss->cause == STORE_GAP_TRIMMED) {
		report_gap(reader, reader->query->paths[loss->channel], loss);
	}
}

/* -------------------------------------------------------------- places */

void rpc_reader_bounds(struct rpc_walk *walk, size_t channel,
		       uint64_t *ret_first_id, uint64_t *ret_next_id)
{
	uint64_t oldest_id, next_id;

	store_bounds(walk->snapshot, walk->cursors[channel].channel, &oldest_id,
		     &next_id);
	*ret_first_id = oldest_id != 0 ? oldest_id : next_id;
	*ret_next_id = next_id;
}

void rpc_reader_place_first(const struct rpc_reader *reader,
			    struct rpc_walk *walk)
{
	uint64_t first_id, next_id;
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		struct rpc_cursor *cursor = &walk->cursors[i];

		if (cursor->channel == NULL) {
			continue;
		}
		rpc_reader_bounds(walk, i, &first_id, &next_id);
		cursor->next_id =
			walk->reverse ? reader->newest_ids[i] : first_id;
		cursor->head = RPC_HEAD_UNKNOWN;
	}
}

/* A reverse walk's results end where the channels began at its birth. */
static void reader_note_ends(struct rpc_reader *reader)
{
	struct rpc_walk *walk = reader->walk;
	uint64_t first_id, next_id;
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		if (walk->cursors[i].channel == NULL) {
			continue;
		}
		rpc_reader_bounds(walk, i, &first_id, &next_id);
		reader->newest_ids[i] = next_id - 1;
		if (walk->reverse) {
			walk->cursors[i].bound_id = first_id;
		}
	}
}

everr_t rpc_reader_start_future(struct rpc_reader *reader)
{
	struct rpc_walk *walk = reader->walk;
	uint64_t first_id, next_id;
	everr_t err;
	size_t i;

	err = rpc_walk_begin(walk);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < walk->num_channels; i++) {
		if (walk->cursors[i].channel != NULL) {
			rpc_reader_bounds(walk, i, &first_id, &next_id);
			walk->cursors[i].next_id = next_id;
		}
	}
	rpc_walk_end(walk);
	return EVERR_OK;
}

static everr_t reader_init(struct rpc_reader *reader,
			   const struct rpc_reader_config *config)
{
	size_t num_channels = config->query->num_paths;
	everr_t err;

	reader->newest_ids = talloc_zero_array(reader, uint64_t, num_channels);
	reader->passed_ids = talloc_zero_array(reader, uint64_t, num_channels);
	if (reader->newest_ids == NULL || reader->passed_ids == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_walk_create(reader, config->store, config->query,
			      config->channels, config->reverse, &reader->walk);
	if (err != EVERR_OK) {
		return err;
	}
	reader->walk->loss_fn = reader_lost;
	reader->walk->loss_private = reader;

	err = rpc_walk_begin(reader->walk);
	if (err != EVERR_OK) {
		return err;
	}
	reader_note_ends(reader);
	rpc_reader_place_first(reader, reader->walk);
	rpc_walk_end(reader->walk);
	return EVERR_OK;
}

everr_t rpc_reader_create(TALLOC_CTX *mem_ctx,
			  const struct rpc_reader_config *config,
			  struct rpc_reader **ret_reader)
{
	struct rpc_reader *reader = talloc_zero(mem_ctx, struct rpc_reader);
	everr_t err;

	if (reader == NULL) {
		return EVERR_NOMEM;
	}
	reader->operational = config->operational;
	reader->stats = config->stats;
	reader->query = config->query;
	reader->live = config->live;
	reader->strict = config->strict;
	err = reader_init(reader, config);
	if (err != EVERR_OK) {
		TALLOC_FREE(reader);
		return err;
	}

	talloc_steal(reader, config->query);
	*ret_reader = reader;
	return EVERR_OK;
}

/* ------------------------------------------------------------- batches */

everr_t rpc_batch_create(TALLOC_CTX *mem_ctx, const struct rpc_reader *reader,
			 uint32_t num_requested, size_t aim_bytes,
			 struct rpc_batch **ret_batch)
{
	const struct rpc_walk *walk = reader->walk;
	struct rpc_batch *batch = talloc_zero(mem_ctx, struct rpc_batch);
	size_t i;

	if (batch == NULL) {
		return EVERR_NOMEM;
	}
	batch->undo_ids = talloc_array(batch, uint64_t, walk->num_channels);
	if (batch->undo_ids == NULL) {
		TALLOC_FREE(batch);
		return EVERR_NOMEM;
	}
	for (i = 0; i < walk->num_channels; i++) {
		batch->undo_ids[i] = walk->cursors[i].next_id;
	}
	batch->max_num = num_requested < RPC_BATCH_RECORDS_MAX
				 ? num_requested
				 : RPC_BATCH_RECORDS_MAX;
	batch->aim_bytes = aim_bytes;
	batch->max_bytes = RPC_BATCH_BYTES_MAX;
	buf_init(&batch->data, batch, RPC_BATCH_BYTES_MAX);

	*ret_batch = batch;
	return EVERR_OK;
}

static everr_t batch_grow(struct rpc_batch *batch)
{
	size_t size = talloc_array_length(batch->indices);
	uint32_t *indices = NULL;
	uint32_t *sizes = NULL;

	if (batch->num < size) {
		return EVERR_OK;
	}
	size = size == 0 ? BATCH_FIRST_RECORDS : 2 * size;
	sizes = talloc_realloc(batch, batch->sizes, uint32_t, size);
	if (sizes == NULL) {
		return EVERR_NOMEM;
	}
	batch->sizes = sizes;
	indices = talloc_realloc(batch, batch->indices, uint32_t, size);
	if (indices == NULL) {
		return EVERR_NOMEM;
	}
	batch->indices = indices;
	return EVERR_OK;
}

/* The bookmark of a channel's head: how far each channel has been passed. */
static void reader_note_passed(struct rpc_reader *reader, size_t channel)
{
	const struct rpc_walk *walk = reader->walk;
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		reader->passed_ids[i] = rpc_walk_passed(walk, i);
	}
	reader->passed_ids[channel] = walk->cursors[channel].record.id;
}

static everr_t batch_write(struct rpc_reader *reader, struct buf *data,
			   size_t channel)
{
	const struct rpc_walk *walk = reader->walk;
	const struct store_record *record = &walk->cursors[channel].record;
	size_t start;
	everr_t err;

	/* Records start at even offsets; sizes leave the pad out (facts 5). */
	if (data->len % 2 != 0) {
		buf_put_zero(data, 1);
	}
	start = event_result_begin(data);
	err = buf_error(data);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_packed_to_wire(data, store_dict(walk->store), record->data,
				   record->len);
	if (err != EVERR_OK) {
		return err;
	}
	reader_note_passed(reader, channel);
	event_result_end(data, start, walk->ids, walk->num_ids,
			 reader->passed_ids, walk->num_channels,
			 (uint32_t)channel, walk->reverse);
	return buf_error(data);
}

/* Add a channel's head.  EVERR_LIMIT: no room. */
static everr_t batch_add(struct rpc_reader *reader, struct rpc_batch *batch,
			 size_t channel)
{
	struct rpc_walk *walk = reader->walk;
	size_t max = batch->num == 0 ? batch->max_bytes : batch->aim_bytes;
	size_t before = batch->data.len;
	size_t start = before + before % 2;
	size_t size;
	everr_t err;

	rpc_walk_select(walk, channel);
	size = EVENT_RESULT_OVERHEAD(walk->num_ids, walk->num_channels) +
	       walk->cursors[channel].record.wire_len;
	if (start > max || size > max - start) {
		return EVERR_LIMIT;
	}
	err = batch_grow(batch);
	if (err != EVERR_OK) {
		return err;
	}

	err = batch_write(reader, &batch->data, channel);
	if (err != EVERR_OK) {
		buf_truncate(&batch->data, before);
		batch->data.err = EVERR_OK;
		return err;
	}
	batch->indices[batch->num] = (uint32_t)start;
	batch->sizes[batch->num] = (uint32_t)(batch->data.len - start);
	batch->num++;
	return EVERR_OK;
}

/* Add a channel's head or pass it over; *ret_full: it stays where it is. */
static everr_t reader_take(struct rpc_reader *reader, struct rpc_batch *batch,
			   size_t channel, bool *ret_full)
{
	struct rpc_walk *walk = reader->walk;
	everr_t err = batch_add(reader, batch, channel);

	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err == EVERR_LIMIT && batch->num > 0) {
		*ret_full = true;
		return EVERR_OK;
	}
	/* Cannot be read, or not even alone within the protocol's limit. */
	if (err != EVERR_OK) {
		reader_damaged(reader, channel,
			       walk->cursors[channel].record.id);
	}
	rpc_walk_pass(walk, channel);
	return EVERR_OK;
}

/* A gap is told once, and after what was collected before it. */
static everr_t reader_check_stale(struct rpc_reader *reader,
				  const struct rpc_batch *batch, bool *ret_full)
{
	if (!reader->stale) {
		return EVERR_OK;
	}
	if (batch->num > 0) {
		*ret_full = true;
		return EVERR_OK;
	}
	reader->stale = false;
	return EVERR_STALE;
}

/*
 * A removed channel is told like a gap (facts 11.1), and then left out.  To a
 * query it is an empty one.
 */
static void reader_drop_removed(struct rpc_reader *reader, size_t *ret_left)
{
	struct rpc_walk *walk = reader->walk;
	size_t i;

	*ret_left = 0;
	for (i = 0; i < walk->num_channels; i++) {
		struct rpc_cursor *cursor = &walk->cursors[i];

		if (cursor->channel == NULL) {
			continue;
		}
		if (reader->live && store_channel_removed(cursor->channel)) {
			cursor->channel = NULL;
			reader->gone = true;
		} else {
			(*ret_left)++;
		}
	}
}

static everr_t reader_check_gone(struct rpc_reader *reader,
				 const struct rpc_batch *batch)
{
	size_t left = 0;

	reader_drop_removed(reader, &left);
	if (!reader->gone || batch->num > 0) {
		return EVERR_OK;
	}
	reader->gone = left == 0;
	return EVERR_CHANNEL_NOT_FOUND;
}

static everr_t reader_fill_step(struct rpc_reader *reader,
				struct rpc_batch *batch,
				enum rpc_walk_step *ret_step, bool *ret_full)
{
	size_t channel = 0;
	everr_t err;

	err = rpc_walk_peek(reader->walk, ret_step, &channel);
	if (err != EVERR_OK) {
		return err;
	}
	err = reader_check_stale(reader, batch, ret_full);
	if (err != EVERR_OK || *ret_full || *ret_step != RPC_WALK_RECORD) {
		return err;
	}
	return reader_take(reader, batch, channel, ret_full);
}

everr_t rpc_reader_fill(struct rpc_reader *reader, struct rpc_batch *batch,
			enum rpc_progress *ret_progress)
{
	enum rpc_walk_step step = RPC_WALK_RECORD;
	bool full = batch->num >= batch->max_num;
	everr_t err;

	if (full) {
		*ret_progress = RPC_READER_READY;
		return EVERR_OK;
	}
	err = reader_check_gone(reader, batch);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_walk_begin(reader->walk);
	while (err == EVERR_OK && !full && step == RPC_WALK_RECORD) {
		err = reader_fill_step(reader, batch, &step, &full);
		full |= batch->num >= batch->max_num;
	}
	rpc_walk_end(reader->walk);

	/* What was collected goes out; the error comes with the next batch. */
	if (err != EVERR_OK && batch->num == 0) {
		return err;
	}
	if (err != EVERR_OK || full) {
		*ret_progress = RPC_READER_READY;
	} else if (step == RPC_WALK_AGAIN) {
		*ret_progress = RPC_READER_AGAIN;
	} else {
		*ret_progress = RPC_READER_END;
	}
	return EVERR_OK;
}

everr_t rpc_reader_look(struct rpc_reader *reader,
			enum rpc_progress *ret_progress)
{
	enum rpc_walk_step step = RPC_WALK_END;
	size_t channel = 0;
	size_t left = 0;
	everr_t err;

	reader_drop_removed(reader, &left);
	err = rpc_walk_begin(reader->walk);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_walk_peek(reader->walk, &step, &channel);
	rpc_walk_end(reader->walk);
	if (err != EVERR_OK) {
		return err;
	}

	if (step == RPC_WALK_RECORD || reader->stale || reader->gone) {
		*ret_progress = RPC_READER_READY;
	} else if (step == RPC_WALK_AGAIN) {
		*ret_progress = RPC_READER_AGAIN;
	} else {
		*ret_progress = RPC_READER_END;
	}
	return EVERR_OK;
}

void rpc_batch_commit(struct rpc_reader *reader, struct rpc_batch *batch)
{
	reader->stats->events_delivered += batch->num;
	reader->stats->bytes_delivered += batch->data.len;
}

void rpc_batch_undo(struct rpc_reader *reader, struct rpc_batch *batch)
{
	struct rpc_walk *walk = reader->walk;
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		walk->cursors[i].next_id = batch->undo_ids[i];
		walk->cursors[i].head = RPC_HEAD_UNKNOWN;
	}
	walk->ids_of = SIZE_MAX;
	batch->num = 0;
	buf_truncate(&batch->data, 0);
}
