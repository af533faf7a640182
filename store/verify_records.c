/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/verify_parts.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>

/* The walk through one channel's records. */
struct records {
	struct verify *verify;
	struct verify_channel *channel;
	size_t gap;	      /* the first that does not end before id */
	uint64_t expected_id; /* of the next record */
	uint64_t last_id;     /* 0: none yet */
	uint64_t received;
	uint64_t num_records;
	uint64_t bytes;
	struct verify_block found; /* the running block; first_id 0: none */
};

__attribute__((format(printf, 3, 4))) static void tell_record(
	struct records *records, uint64_t id, const char *fmt, ...)
{
	char where[1400], what[160];
	va_list ap;

	snprintf(where, sizeof(where), "%s, record %" PRIu64,
		 records->channel->label, id);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	verify_tell(records->verify, STORE_VERIFY_ERROR, where, "%s", what);
}

static void tell_block(struct records *records, uint64_t first_id,
		       const char *what)
{
	char where[1400];

	snprintf(where, sizeof(where), "%s, block %" PRIu64,
		 records->channel->label, first_id);
	verify_tell(records->verify, STORE_VERIFY_ERROR, where, "%s", what);
}

/* --------------------------------------------------------------- blocks */

static struct verify_block *stored_block(struct verify_channel *channel,
					 uint64_t first_id)
{
	size_t low = 0;
	size_t high = channel->num_blocks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct verify_block *block = &channel->blocks[middle];

		if (block->first_id == first_id) {
			return block;
		}
		if (block->first_id < first_id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

/*
 * Whether records may have been removed from a block, so that its summary
 * speaks of more than is there: by retention, or as a gap says.
 */
static bool block_is_exact(const struct verify_channel *channel,
			   uint64_t first_id)
{
	uint64_t last_id = first_id + VERIFY_BLOCK_RECORDS - 1;
	size_t i;

	if (channel->has_head && channel->head.oldest_id > first_id) {
		return false;
	}
	for (i = 0; i < channel->num_gaps; i++) {
		const struct verify_gap *gap = &channel->gaps[i];

		if (gap->cause != VERIFY_GAP_RESTORED &&
		    gap->first_id <= last_id && gap->last_id >= first_id) {
			return false;
		}
	}
	return true;
}

/* Stamp what the summary lists; false: something found is not among it. */
static bool templates_cover(struct verify *verify,
			    const struct verify_block *stored,
			    const struct verify_block *found)
{
	uint64_t stamp = ++verify->stamp;
	uint32_t i;

	for (i = 0; i < stored->num_templates; i++) {
		struct verify_template *template =
			verify_template_find(verify, stored->templates[i]);

		if (template != NULL) {
			template->stamp = stamp;
		}
	}
	for (i = 0; i < found->num_templates; i++) {
		struct verify_template *template =
			verify_template_find(verify, found->templates[i]);

		if (template != NULL && template->stamp != stamp) {
			return false;
		}
	}
	return true;
}

static bool has_times(const struct verify_block *block)
{
	return block->min <= block->max;
}

/* The summary must cover what was found. */
static void block_compare(struct records *records,
			  const struct verify_block *stored,
			  const struct verify_block *found)
{
	if (stored->count < found->count || stored->bytes < found->bytes) {
		tell_block(records, found->first_id,
			   "it has more records than its summary says");
	}
	if (stored->last_id != found->last_id &&
	    (stored->last_id < found->last_id ||
	     block_is_exact(records->channel, found->first_id))) {
		tell_block(records, found->first_id,
			   "its last record is not the one its summary names");
	}
	if (has_times(found) &&
	    (stored->min > found->min || stored->max < found->max)) {
		tell_block(
			records, found->first_id,
			"its summary does not cover the times of its records");
	}
	if (found->timeless && !stored->timeless) {
		tell_block(records, found->first_id,
			   "its summary conceals a record without time");
	}
	if (!templates_cover(records->verify, stored, found)) {
		tell_block(records, found->first_id,
			   "its summary misses a template of its records");
	}
}

/* Of a block that lost nothing the summary says neither more nor less. */
static void block_compare_exact(struct records *records,
				const struct verify_block *stored,
				const struct verify_block *found)
{
	if (stored->count > found->count || stored->bytes > found->bytes) {
		tell_block(records, found->first_id,
			   "it has fewer records than its summary says");
	}
	if (found->damaged) {
		return;
	}
	if (has_times(stored) != has_times(found) ||
	    (has_times(found) &&
	     (stored->min < found->min || stored->max > found->max)) ||
	    stored->timeless != found->timeless) {
		tell_block(records, found->first_id,
			   "its summary has other times than its records");
	}
	if (stored->num_templates > found->num_templates) {
		tell_block(records, found->first_id,
			   "its summary lists a template that none uses");
	}
}

static void block_finish(struct records *records)
{
	struct verify_block *found = &records->found;
	struct verify_block *stored = NULL;

	if (found->first_id == 0) {
		return;
	}
	stored = stored_block(records->channel, found->first_id);
	if (stored == NULL) {
		tell_block(records, found->first_id,
			   "it has records but no summary");
		return;
	}
	stored->seen = true;
	block_compare(records, stored, found);
	if (block_is_exact(records->channel, found->first_id)) {
		block_compare_exact(records, stored, found);
	}
}

static void block_start(struct records *records, uint64_t first_id)
{
	struct verify_block *found = &records->found;

	block_finish(records);
	*found = (struct verify_block){
		.first_id = first_id,
		.min = UINT64_MAX,
		.templates = found->templates,
	};
	records->verify->stamp++;
}

static void block_note(struct records *records, uint64_t id, size_t len,
		       const struct verify_record *record)
{
	struct verify_block *found = &records->found;

	found->last_id = id;
	found->count++;
	found->bytes += len;
	if (record == NULL) {
		found->damaged = true;
		return;
	}
	if (!record->has_time) {
		found->timeless = true;
		return;
	}
	if (record->time_created < found->min) {
		found->min = record->time_created;
	}
	if (record->time_created > found->max) {
		found->max = record->time_created;
	}
}

/* A template node of the running record. */
static bool note_template(uint32_t no, uint32_t *ret_def_len,
			  void *private_data)
{
	struct records *records = private_data;
	struct verify *verify = records->verify;
	struct verify_block *found = &records->found;
	struct verify_template *template = verify_template_find(verify, no);
	uint32_t *templates = NULL;

	if (template == NULL) {
		return false;
	}
	*ret_def_len = template->def_len;
	if (template->stamp == verify->stamp) {
		return true;
	}
	template->stamp = verify->stamp;
	templates = verify_more(verify, found->templates, found->num_templates,
				sizeof(uint32_t));
	if (templates == NULL) {
		return true;
	}
	found->templates = templates;
	found->templates[found->num_templates++] = no;
	return true;
}

/* -------------------------------------------------------------- records */

/*
 * Ids from records->expected_id to before id have no record: a gap must say
 * why, for each of them.
 */
static void check_hole(struct records *records, uint64_t id)
{
	const struct verify_channel *channel = records->channel;
	uint64_t next = records->expected_id;
	uint64_t unexplained = 0;
	uint64_t first_unexplained = 0;

	while (next < id) {
		const struct verify_gap *gap = NULL;
		uint64_t until = id;

		while (records->gap < channel->num_gaps &&
		       channel->gaps[records->gap].last_id < next) {
			records->gap++;
		}
		if (records->gap < channel->num_gaps) {
			gap = &channel->gaps[records->gap];
		}
		if (gap != NULL && gap->first_id <= next) {
			if (gap->last_id >= id) {
				break;
			}
			next = gap->last_id + 1;
			continue;
		}
		if (gap != NULL && gap->first_id < until) {
			until = gap->first_id;
		}
		if (unexplained == 0) {
			first_unexplained = next;
		}
		unexplained += until - next;
		next = until;
	}
	if (unexplained > 0) {
		tell_record(records, first_unexplained,
			    "%" PRIu64 " records up to %" PRIu64
			    " are missing and no gap says so",
			    unexplained, id - 1);
	}
}

static bool id_in_gap(struct records *records, uint64_t id)
{
	const struct verify_channel *channel = records->channel;

	while (records->gap < channel->num_gaps &&
	       channel->gaps[records->gap].last_id < id) {
		records->gap++;
	}
	return records->gap < channel->num_gaps &&
	       channel->gaps[records->gap].first_id <= id;
}

/* It was cleared, as a gap says, and waits to be removed. */
static bool is_cleared(struct records *records, uint64_t id)
{
	const struct verify_channel *channel = records->channel;
	uint64_t first_id = channel->head.oldest_id;

	if (first_id == 0) {
		first_id = channel->head.next_id;
	}
	return channel->has_head && id < first_id && id_in_gap(records, id) &&
	       channel->gaps[records->gap].cause == VERIFY_GAP_CLEARED;
}

static void check_place(struct records *records, uint64_t id)
{
	const struct verify_channel *channel = records->channel;
	bool first = records->last_id == 0;

	if (first && channel->has_head && channel->head.oldest_id != id) {
		tell_record(records, id,
			    "it is the oldest one, but the head says %" PRIu64,
			    channel->head.oldest_id);
	}
	if (first && channel->has_head && channel->head.oldest_id < id) {
		records->expected_id = channel->head.oldest_id;
	} else if (first) {
		records->expected_id = id;
	}
	check_hole(records, id);
	if (id_in_gap(records, id)) {
		tell_record(records, id, "it lies in a gap");
	}
	if (channel->has_head && id >= channel->head.next_id) {
		tell_record(records, id,
			    "it is not below the next id, %" PRIu64,
			    channel->head.next_id);
	}
}

static void check_record(struct records *records, uint64_t id,
			 const uint8_t *data, size_t len)
{
	struct verify *verify = records->verify;
	struct verify_record record = {};
	const char *fault = NULL;
	uint64_t wire_len = 0;

	fault = verify_record_read(records->channel->no, id, verify->strict,
				   data, len, &record);
	if (fault != NULL) {
		tell_record(records, id, "%s", fault);
		block_note(records, id, len, NULL);
		return;
	}
	if (record.received < records->received) {
		tell_record(records, id,
			    "it was received before the record before it");
	}
	records->received = record.received;
	fault = verify_origin_fault(verify, &record);
	if (fault != NULL) {
		tell_record(records, id, "%s", fault);
	}

	if (record.packed) {
		fault = verify_node_walk(record.node, record.node_len,
					 note_template, records, &wire_len);
	}
	if (fault != NULL) {
		tell_record(records, id, "%s", fault);
		block_note(records, id, len, NULL);
		return;
	}
	if (record.packed && wire_len != record.wire_len) {
		tell_record(records, id,
			    "its RPC form has %" PRIu64
			    " bytes, but the header says %" PRIu32,
			    wire_len, record.wire_len);
	}
	block_note(records, id, len, &record);
}

static void record_item(const uint8_t *key, size_t key_len, const uint8_t *data,
			size_t len, unsigned int flags, void *private_data)
{
	struct records *records = private_data;
	uint64_t id, first_id;

	if (key_len != 8 || le64_get(key) == 0 ||
	    (flags & STORE_IMAGE_SUBTREE) != 0) {
		verify_tell(records->verify, STORE_VERIFY_ERROR,
			    records->channel->label,
			    "an item of its records is none");
		return;
	}
	id = le64_get(key);
	verify_step(records->verify);
	if (!is_cleared(records, id)) {
		records->verify->result.records++;
		records->num_records++;
		records->bytes += len;
		check_place(records, id);
		records->last_id = id;
		records->expected_id = id + 1;
	}
	first_id = (id - 1) / VERIFY_BLOCK_RECORDS * VERIFY_BLOCK_RECORDS + 1;
	if (first_id != records->found.first_id) {
		block_start(records, first_id);
	}
	check_record(records, id, data, len);
}

/* -------------------------------------------------------- the head's say */

static void check_counters(struct records *records)
{
	struct verify *verify = records->verify;
	const struct verify_channel *channel = records->channel;
	const struct verify_head *head = &channel->head;

	if (head->records != records->num_records) {
		verify_tell(verify, STORE_VERIFY_ERROR, channel->label,
			    "it has %" PRIu64
			    " records, but its head says %" PRIu64,
			    records->num_records, head->records);
	}
	if (head->bytes != records->bytes) {
		verify_tell(verify, STORE_VERIFY_ERROR, channel->label,
			    "its records have %" PRIu64
			    " bytes, but its head says %" PRIu64,
			    records->bytes, head->bytes);
	}
	if (channel->removed && head->records != 0) {
		verify_tell(verify, STORE_VERIFY_ERROR, channel->label,
			    "it was removed, but its head counts records");
	}
	if (records->num_records == 0 && head->oldest_id != 0) {
		verify_tell(verify, STORE_VERIFY_ERROR, channel->label,
			    "it is empty, but its head names an oldest record");
	}
	if (head->received < records->received) {
		verify_tell(verify, STORE_VERIFY_ERROR, channel->label,
			    "its last record was received later than its head "
			    "says");
	}
}

/* Lost to damage; what is cleared takes its summary along. */
static bool gap_may_hold(const struct verify_channel *channel,
			 const struct verify_block *block)
{
	size_t i;

	for (i = 0; i < channel->num_gaps; i++) {
		const struct verify_gap *gap = &channel->gaps[i];

		if (gap->cause != VERIFY_GAP_RESTORED &&
		    gap->cause != VERIFY_GAP_CLEARED &&
		    gap->first_id <= block->last_id &&
		    gap->last_id >= block->first_id) {
			return true;
		}
	}
	return false;
}

/* Blocks whose records are all gone. */
static void check_unseen_blocks(struct records *records)
{
	const struct verify_channel *channel = records->channel;
	size_t i;

	for (i = 0; i < channel->num_blocks; i++) {
		const struct verify_block *block = &channel->blocks[i];

		if (block->seen || gap_may_hold(channel, block)) {
			continue;
		}
		if (!block->open) {
			tell_block(records, block->first_id,
				   "it has a summary but no records");
		} else if (block->count != 0) {
			tell_block(records, block->first_id,
				   "it is open and has no records, but its "
				   "summary says that it has");
		}
	}
}

void verify_records(struct verify *verify, struct verify_channel *channel)
{
	struct records records = {.verify = verify, .channel = channel};
	everr_t err;

	if (channel->has_table) {
		err = store_image_walk(verify->image, &channel->table,
				       record_item, &records);
		if (err != EVERR_OK && verify->err == EVERR_OK) {
			verify->err = err;
		}
	}
	block_finish(&records);
	check_unseen_blocks(&records);
	if (channel->has_head) {
		if (records.last_id != 0) {
			check_hole(&records, channel->head.next_id);
		}
		check_counters(&records);
	}
	TALLOC_FREE(records.found.templates);
}
