/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/writer.h"

#include "base/buf.h"
#include "base/wintime.h"

#include <string.h>

/*
 * A channel in which retention failed is left alone for so long: the
 * transaction is lost with all that was trimmed elsewhere.
 */
#define TRIM_AGAIN_MS 60000

/* The first record of a channel's table, as retention looks at it. */
struct oldest {
	uint64_t id;
	uint64_t received;
	size_t len;
};

/* ----------------------------------------------------------- decisions */

static bool over_size(const struct store_wchannel *channel)
{
	/* The last record stays, however large it is. */
	return channel->max_bytes != 0 && !channel->retain &&
	       channel->head.records > 1 &&
	       channel->head.bytes > channel->max_bytes;
}

static bool over_age(const struct store_wchannel *channel, uint64_t received,
		     uint64_t now)
{
	uint64_t age = now > received ? now - received : 0;

	return channel->max_age != 0 &&
	       age / WINTIME_SECOND >= channel->max_age;
}

/* Whether it is worth a look inside a transaction. */
static bool may_be_over(const struct store_writer *writer,
			const struct store_wchannel *channel, uint64_t now)
{
	if (writer->ticked < channel->trim_after) {
		return false;
	}
	if (!channel->valid || channel->hidden) {
		return true;
	}
	if (channel->head.records == 0) {
		return false;
	}
	if (over_size(channel)) {
		return true;
	}
	return channel->max_age != 0 &&
	       (channel->oldest_received == 0 ||
		over_age(channel, channel->oldest_received, now));
}

void store_trim_look(struct store_writer *writer)
{
	uint64_t now = store_writer_now(writer);
	uint32_t i;

	for (i = 0; i < writer->num_channels; i++) {
		if (may_be_over(writer, writer->channels[i], now)) {
			writer->trim_pending = true;
			return;
		}
	}
}

/* -------------------------------------------------------------- blocks */

static everr_t release_templates(struct store_writer *writer,
				 const uint8_t *nos, uint32_t num)
{
	everr_t err;
	uint32_t i;

	for (i = 0; i < num; i++) {
		err = store_batch_use(writer, le32_get(nos + 4 * i), -1);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

/* The open block lost its last record: it begins again. */
static everr_t release_open(struct store_writer *writer,
			    struct store_wchannel *channel)
{
	everr_t err;
	uint32_t i;

	for (i = 0; i < channel->templates.num; i++) {
		err = store_batch_use(writer, channel->templates.items[i], -1);
		if (err != EVERR_OK) {
			return err;
		}
	}
	u32set_clear(&channel->templates);
	channel->head.block = (struct store_summary){.min_time = UINT64_MAX};
	return EVERR_OK;
}

static everr_t release_closed(struct store_writer *writer,
			      struct store_wchannel *channel, uint64_t block_id)
{
	MDB_dbi dbi = writer->env->tables.blocks;
	uint8_t key[STORE_KEY_PAIR_SIZE];
	struct store_summary block = {};
	const uint8_t *nos = NULL;
	uint8_t *copy = NULL;
	uint32_t num = 0;
	MDB_val value;
	everr_t err;
	int rc;

	store_key_pair(key, channel->id, block_id);
	rc = store_env_get(writer->txn, dbi, key, sizeof(key), &value);
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_OK : store_env_error(rc);
	}
	err = store_closed_get(value.mv_data, value.mv_size, channel->id,
			       block_id, &block, &nos, &num);
	/* A damaged summary is dropped; its templates stay counted. */
	if (err == EVERR_OK && num > 0) {
		/* What LMDB hands out moves with the next change. */
		copy = store_writer_scratch(writer, 4 * (size_t)num);
		if (copy == NULL) {
			return EVERR_NOMEM;
		}
		memcpy(copy, nos, 4 * (size_t)num);
		err = release_templates(writer, copy, num);
		if (err != EVERR_OK) {
			return err;
		}
	}
	rc = store_env_del(writer->txn, dbi, key, sizeof(key));
	return store_env_error(rc);
}

/*
 * Gaps below the oldest record tell nobody anything more, but for that of the
 * last clearing: a query that is still open must learn of it.
 */
static everr_t release_gaps(struct store_writer *writer,
			    struct store_wchannel *channel)
{
	uint64_t oldest = store_head_first(&channel->head);
	uint8_t bytes[STORE_KEY_PAIR_SIZE];
	struct store_gap_value gap = {};
	MDB_cursor *cursor = NULL;
	MDB_val key = {.mv_size = sizeof(bytes), .mv_data = bytes};
	MDB_val value;
	uint64_t first_id;
	everr_t err;
	int rc;

	rc = mdb_cursor_open(writer->txn, writer->env->tables.gaps, &cursor);
	if (rc != 0) {
		return store_env_error(rc);
	}
	store_key_pair(bytes, channel->id, 0);
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (rc == 0 && key.mv_size == STORE_KEY_PAIR_SIZE &&
	       store_key_u32_get(key.mv_data) == channel->id) {
		first_id = store_key_pair_id(key.mv_data);
		err = store_gap_get(value.mv_data, value.mv_size, channel->id,
				    first_id, &gap);
		/* Where a damaged one ends nobody knows. */
		if (first_id >= oldest ||
		    (err == EVERR_OK && gap.last_id >= oldest)) {
			break;
		}
		if (err != EVERR_OK || gap.cause != STORE_GAP_CLEARED) {
			rc = mdb_cursor_del(cursor, 0);
		}
		if (rc == 0) {
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		}
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? EVERR_OK : store_env_error(rc);
}

static everr_t release_block(struct store_writer *writer,
			     struct store_wchannel *channel, uint64_t block_id)
{
	everr_t err;

	if (block_id == channel->head.block_id) {
		err = release_open(writer, channel);
	} else {
		err = release_closed(writer, channel, block_id);
	}
	if (err != EVERR_OK) {
		return err;
	}
	return release_gaps(writer, channel);
}

/* ------------------------------------------------------------- records */

/* Find the first record of the table.  EVERR_END: none. */
static everr_t first_record(struct store_wchannel *channel,
			    struct oldest *ret_oldest)
{
	MDB_val key;
	MDB_val value;
	size_t id;
	int rc;

	rc = mdb_cursor_get(channel->cursor, &key, &value, MDB_FIRST);
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_END : store_env_error(rc);
	}
	memcpy(&id, key.mv_data, sizeof(id));
	ret_oldest->id = id;
	ret_oldest->len = value.mv_size;
	ret_oldest->received =
		store_record_received(value.mv_data, value.mv_size);
	/* A damaged record must not hold back those behind it. */
	if (ret_oldest->received > channel->head.received) {
		ret_oldest->received = 0;
	}
	return EVERR_OK;
}

/* The head speaks of what is first now; found: whether anything is. */
static void note_oldest(struct store_wchannel *channel, everr_t found,
			const struct oldest *oldest)
{
	channel->head.oldest_id = found == EVERR_OK ? oldest->id : 0;
	channel->oldest_received = found == EVERR_OK ? oldest->received : 0;
}

/*
 * Remove the record that the cursor stands on; *oldest becomes the next one.
 * EVERR_END: none.
 */
static everr_t remove_first(struct store_writer *writer,
			    struct store_wchannel *channel, bool counted,
			    struct oldest *oldest)
{
	uint64_t block_id = store_block_of(oldest->id);
	everr_t found;
	everr_t err;
	int rc;

	rc = mdb_cursor_del(channel->cursor, 0);
	if (rc != 0) {
		return store_env_error(rc);
	}
	found = first_record(channel, oldest);
	if (found != EVERR_OK && found != EVERR_END) {
		return found;
	}
	if (counted) {
		note_oldest(channel, found, oldest);
	}
	if (found == EVERR_END || store_block_of(oldest->id) != block_id) {
		err = release_block(writer, channel, block_id);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return found;
}

/* Retention removes the oldest record. */
static everr_t remove_oldest(struct store_writer *writer,
			     struct store_wchannel *channel,
			     struct oldest *oldest)
{
	struct store_head *head = &channel->head;
	everr_t err;

	head->records -= head->records > 0 ? 1 : 0;
	head->bytes -= head->bytes > oldest->len ? oldest->len : head->bytes;
	writer->txn_trimmed++;
	err = remove_first(writer, channel, true, oldest);
	store_crash_at(&writer->crash, STORE_CRASH_DURING_TRIM);
	return err;
}

/* Remove what a clearing has left.  EVERR_END: nothing at all is left. */
static everr_t sweep_records(struct store_writer *writer,
			     struct store_wchannel *channel, uint64_t *budget,
			     struct oldest *ret_oldest)
{
	const uint64_t first_id = store_head_first(&channel->head);
	everr_t err;

	err = first_record(channel, ret_oldest);
	while (err == EVERR_OK && ret_oldest->id < first_id && *budget != 0) {
		(*budget)--;
		err = remove_first(writer, channel, false, ret_oldest);
		store_crash_at(&writer->crash, STORE_CRASH_DURING_SWEEP);
	}
	channel->hidden = err == EVERR_OK && ret_oldest->id < first_id;
	return err;
}

static everr_t trim_records(struct store_writer *writer,
			    struct store_wchannel *channel, uint64_t now,
			    uint64_t *budget)
{
	struct oldest oldest = {};
	everr_t err;

	err = store_batch_touch(writer, channel);
	if (err != EVERR_OK) {
		return err;
	}
	err = sweep_records(writer, channel, budget, &oldest);
	if (err == EVERR_OK && channel->hidden) {
		return EVERR_OK;
	}
	if (err == EVERR_OK || err == EVERR_END) {
		note_oldest(channel, err, &oldest);
	}
	while (err == EVERR_OK && *budget > 0) {
		if (!over_size(channel) &&
		    !over_age(channel, oldest.received, now)) {
			break;
		}
		/* Nobody could have read what this transaction appends. */
		if (oldest.id >= channel->txn_first) {
			writer->trim_more = true;
			break;
		}
		(*budget)--;
		err = remove_oldest(writer, channel, &oldest);
	}
	return err == EVERR_END ? EVERR_OK : err;
}

static everr_t trim_channel(struct store_writer *writer,
			    struct store_wchannel *channel, uint64_t now,
			    uint64_t *budget)
{
	everr_t err = trim_records(writer, channel, now, budget);

	if (err == EVERR_STORE_CORRUPT || err == EVERR_IO) {
		channel->trim_after = writer->ticked + TRIM_AGAIN_MS;
	}
	return err;
}

static everr_t trim_touched(struct store_writer *writer, uint64_t now,
			    uint64_t *budget)
{
	struct store_wchannel *channel = NULL;
	everr_t err;

	for (channel = writer->touched; channel != NULL && *budget > 0;
	     channel = channel->touched_next) {
		if (!may_be_over(writer, channel, now)) {
			continue;
		}
		err = trim_channel(writer, channel, now, budget);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

everr_t store_trim(struct store_writer *writer, uint64_t budget)
{
	uint64_t now = store_writer_now(writer);
	struct store_wchannel *channel = NULL;
	everr_t err;
	uint32_t i;

	writer->trim_more = false;
	err = trim_touched(writer, now, &budget);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; writer->trim_pending && i < writer->num_channels; i++) {
		if (budget == 0) {
			break;
		}
		writer->trim_next %= writer->num_channels;
		channel = writer->channels[writer->trim_next];
		writer->trim_next++;
		if (!may_be_over(writer, channel, now)) {
			continue;
		}
		err = trim_channel(writer, channel, now, &budget);
		if (err != EVERR_OK) {
			return err;
		}
	}
	/* With budget left every channel was seen. */
	writer->trim_pending = budget == 0 || writer->trim_more;
	return EVERR_OK;
}
