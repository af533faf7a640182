/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/writer.h"

#include <string.h>

/*
 * Clearing.
 *
 * A channel may have many millions of records, and a transaction that removes
 * them all would hold up everybody's appends and use up the disk.  So only the
 * channel's bounds move, and a gap says why: one small step, which is there or
 * not after a crash.  The records themselves are taken away later, some in
 * each transaction, as retention does (trim.c); block summaries keep counting
 * for their templates until then.
 */

/* Some records of a channel. */
struct span {
	uint64_t records;
	uint64_t bytes;
};

/* To the first record from id on.  EVERR_END: none. */
static everr_t seek_record(struct store_wchannel *channel, uint64_t id,
			   uint64_t *ret_id, size_t *ret_len)
{
	size_t at = id;
	MDB_val key = {.mv_size = sizeof(at), .mv_data = &at};
	MDB_val value;
	int rc;

	rc = mdb_cursor_get(channel->cursor, &key, &value, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND) {
		return EVERR_END;
	}
	if (rc != 0) {
		return store_env_error(rc);
	}
	memcpy(&at, key.mv_data, sizeof(at));
	*ret_id = at;
	*ret_len = value.mv_size;
	return EVERR_OK;
}

/* The last record up to id, and the first one behind it (0: none). */
static everr_t find_border(struct store_wchannel *channel, uint64_t id,
			   uint64_t *ret_last_id, uint64_t *ret_next_id)
{
	uint64_t next_id = 0;
	MDB_val key;
	MDB_val value;
	everr_t err = EVERR_END;
	size_t len = 0;
	size_t at;
	int rc;

	if (id < channel->head.next_id) {
		err = seek_record(channel, id + 1, &next_id, &len);
	}
	if (err != EVERR_OK && err != EVERR_END) {
		return err;
	}
	rc = mdb_cursor_get(channel->cursor, &key, &value,
			    err == EVERR_OK ? MDB_PREV : MDB_LAST);
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_END : store_env_error(rc);
	}
	memcpy(&at, key.mv_data, sizeof(at));
	*ret_last_id = at;
	*ret_next_id = next_id;
	return EVERR_OK;
}

/* ----------------------------------------------------------- counting */

/* The summary of a block; EVERR_NOT_FOUND: there is none to be used. */
static everr_t block_summary(struct store_writer *writer,
			     struct store_wchannel *channel, uint64_t block_id,
			     struct store_summary *ret_block)
{
	uint8_t key[STORE_KEY_PAIR_SIZE];
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	MDB_val value;
	everr_t err;
	int rc;

	if (block_id == channel->head.block_id) {
		*ret_block = channel->head.block;
		return EVERR_OK;
	}
	store_key_pair(key, channel->id, block_id);
	rc = store_env_get(writer->txn, writer->env->tables.blocks, key,
			   sizeof(key), &value);
	if (rc != 0) {
		return store_env_error(rc);
	}
	err = store_closed_get(value.mv_data, value.mv_size, channel->id,
			       block_id, ret_block, &nos, &num);
	/* The records themselves are counted instead. */
	return err == EVERR_STORE_CORRUPT ? EVERR_NOT_FOUND : err;
}

/* Add the records from the cursor's one up to last. */
static everr_t count_records(struct store_wchannel *channel, uint64_t last,
			     struct span *span)
{
	MDB_val key;
	MDB_val value;
	size_t id;
	int rc;

	rc = mdb_cursor_get(channel->cursor, &key, &value, MDB_GET_CURRENT);
	while (rc == 0) {
		memcpy(&id, key.mv_data, sizeof(id));
		if (id > last) {
			return EVERR_OK;
		}
		span->records++;
		span->bytes += value.mv_size;
		rc = mdb_cursor_get(channel->cursor, &key, &value, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? EVERR_OK : store_env_error(rc);
}

/*
 * What there is in [first, last], whole blocks by their summaries.  Nothing
 * was removed from a block that begins in it: what is removed lies before.
 */
static everr_t count_span(struct store_writer *writer,
			  struct store_wchannel *channel, uint64_t first,
			  uint64_t last, struct span *ret_span)
{
	struct store_summary block = {};
	struct span span = {};
	uint64_t block_id, block_last;
	uint64_t id = first;
	size_t len = 0;
	everr_t err;

	for (;;) {
		err = seek_record(channel, id, &id, &len);
		if (err == EVERR_END || (err == EVERR_OK && id > last)) {
			*ret_span = span;
			return EVERR_OK;
		}
		if (err != EVERR_OK) {
			return err;
		}
		block_id = store_block_of(id);
		block_last = block_id + STORE_BLOCK_RECORDS - 1;
		err = EVERR_NOT_FOUND;
		if (block_id >= first && block_last <= last) {
			err = block_summary(writer, channel, block_id, &block);
		}
		if (err == EVERR_OK) {
			span.records += block.count;
			span.bytes += block.bytes;
		} else if (err == EVERR_NOT_FOUND) {
			err = count_records(
				channel, block_last < last ? block_last : last,
				&span);
		}
		if (err != EVERR_OK) {
			return err;
		}
		if (block_last >= last) {
			*ret_span = span;
			return EVERR_OK;
		}
		id = block_last + 1;
	}
}

/* What is left behind last, counted on the side where there is less. */
static everr_t count_rest(struct store_writer *writer,
			  struct store_wchannel *channel, uint64_t last,
			  struct span *ret_rest)
{
	const struct store_head *head = &channel->head;
	struct span gone = {};
	everr_t err;

	if (head->next_id - last < last - head->oldest_id) {
		return count_span(writer, channel, last + 1, UINT64_MAX,
				  ret_rest);
	}
	err = count_span(writer, channel, head->oldest_id, last, &gone);
	if (err != EVERR_OK) {
		return err;
	}
	ret_rest->records =
		head->records > gone.records ? head->records - gone.records : 1;
	ret_rest->bytes =
		head->bytes > gone.bytes ? head->bytes - gone.bytes : 1;
	return EVERR_OK;
}

/* --------------------------------------------------------------- gap */

/* Whether an earlier clearing's records are still to be removed. */
static everr_t has_hidden(struct store_wchannel *channel, bool *ret_hidden)
{
	uint64_t id = 0;
	size_t len = 0;
	everr_t err = seek_record(channel, 0, &id, &len);

	*ret_hidden = err == EVERR_OK && id < channel->head.oldest_id;
	return err == EVERR_END ? EVERR_OK : err;
}

/*
 * Take out the gaps that the new one replaces: those inside it, whose ids are
 * counted, and the one of the clearing before it, which it continues if it
 * joins it.  One that does not join, and whose records are not all removed,
 * must stay: it says why nobody reads them.
 */
static everr_t join_gaps(struct store_writer *writer,
			 struct store_wchannel *channel, uint64_t last_id,
			 uint64_t *first_id, uint64_t *ret_counted)
{
	const uint64_t oldest_id = channel->head.oldest_id;
	uint8_t bytes[STORE_KEY_PAIR_SIZE];
	struct store_gap_value gap = {};
	MDB_cursor *cursor = NULL;
	MDB_val key = {.mv_size = sizeof(bytes), .mv_data = bytes};
	MDB_val value;
	bool hidden = false;
	bool joins;
	uint64_t at;
	everr_t err;
	int rc;

	err = has_hidden(channel, &hidden);
	if (err != EVERR_OK) {
		return err;
	}
	rc = mdb_cursor_open(writer->txn, writer->env->tables.gaps, &cursor);
	if (rc != 0) {
		return store_env_error(rc);
	}
	store_key_pair(bytes, channel->id, 0);
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (rc == 0 && key.mv_size == STORE_KEY_PAIR_SIZE &&
	       store_key_u32_get(key.mv_data) == channel->id) {
		at = store_key_pair_id(key.mv_data);
		if (at > last_id) {
			break;
		}
		err = store_gap_get(value.mv_data, value.mv_size, channel->id,
				    at, &gap);
		if (err == EVERR_OK && at >= oldest_id) {
			*ret_counted += gap.last_id - at + 1;
		}
		joins = err == EVERR_OK && at < oldest_id &&
			gap.cause == STORE_GAP_CLEARED &&
			gap.last_id == oldest_id - 1;
		if (joins) {
			*first_id = at;
		}
		if (at >= oldest_id || joins ||
		    (err == EVERR_OK && gap.cause == STORE_GAP_CLEARED &&
		     !hidden)) {
			rc = mdb_cursor_del(cursor, 0);
		}
		if (rc == 0) {
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		}
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? EVERR_OK : store_env_error(rc);
}

/* [oldest_id, last_id] is cleared. */
static everr_t put_gap(struct store_writer *writer,
		       struct store_wchannel *channel, uint64_t last_id)
{
	struct store_head *head = &channel->head;
	struct store_gap_value gap = {
		.cause = STORE_GAP_CLEARED,
		.last_id = last_id,
		.time = store_writer_now(writer),
	};
	uint64_t num_ids = last_id - head->oldest_id + 1;
	uint64_t first_id = head->oldest_id;
	uint8_t key[STORE_KEY_PAIR_SIZE];
	uint8_t value[STORE_GAP_SIZE];
	uint64_t counted = 0;
	everr_t err;
	int rc;

	err = join_gaps(writer, channel, last_id, &first_id, &counted);
	if (err != EVERR_OK) {
		return err;
	}
	store_key_pair(key, channel->id, first_id);
	store_gap_put(value, channel->id, first_id, &gap);
	rc = store_env_put(writer->txn, writer->env->tables.gaps, key,
			   sizeof(key), value, sizeof(value), 0);
	if (rc != 0) {
		return store_env_error(rc);
	}
	head->missing += num_ids > counted ? num_ids - counted : 0;
	return EVERR_OK;
}

/* -------------------------------------------------------------- clear */

everr_t store_erase_clear(struct store_writer *writer, struct store_job *job)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;
	struct store_head *head = &channel->head;
	uint64_t last_id = 0;
	uint64_t next_id = 0;
	struct span rest = {};
	everr_t err;

	/* It may be the second attempt. */
	job->num_removed = 0;
	err = store_batch_touch(writer, channel);
	if (err != EVERR_OK || head->oldest_id == 0) {
		return err;
	}
	err = find_border(channel, job->up_to_id, &last_id, &next_id);
	if (err == EVERR_END ||
	    (err == EVERR_OK && last_id < head->oldest_id)) {
		return EVERR_OK;
	}
	if (err == EVERR_OK && next_id != 0) {
		err = count_rest(writer, channel, last_id, &rest);
	}
	if (err == EVERR_OK) {
		err = put_gap(writer, channel, last_id);
	}
	if (err != EVERR_OK) {
		return err;
	}
	store_crash_at(&writer->crash, STORE_CRASH_DURING_CLEAR);
	job->num_removed =
		head->records > rest.records ? head->records - rest.records : 0;
	head->oldest_id = next_id;
	head->records = rest.records;
	head->bytes = rest.bytes;
	channel->oldest_received = 0;
	channel->hidden = true;
	writer->trim_pending = true;
	return EVERR_OK;
}
