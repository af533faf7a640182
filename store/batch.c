/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/writer.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/*
 * A count of users that was damaged: never reached by counting down, so that
 * the definition stays.
 */
#define USERS_PINNED (UINT64_C(1) << 62)

/* The first commit says who has the store open, and in which file. */
static void meta_open(struct store_writer *writer)
{
	struct store_meta *meta = &writer->txn_meta;

	meta->minor = STORE_FORMAT_MINOR;
	meta->flags = STORE_META_FLAG_OPEN;
	if (writer->asynchronous) {
		meta->flags |= STORE_META_FLAG_ASYNC;
	}
	meta->opened++;
	(void)store_env_file_size(writer->env, &meta->inode);
	writer->meta_dirty = true;
}

everr_t store_batch_begin(struct store_writer *writer)
{
	int rc;

	rc = mdb_txn_begin(writer->env->mdb, NULL, 0, &writer->txn);
	if (rc != 0) {
		writer->txn = NULL;
		return store_env_error(rc);
	}
	writer->txn_meta = writer->meta;
	writer->meta_dirty = false;
	writer->touched = NULL;
	writer->txn_records = 0;
	writer->txn_bytes = 0;
	writer->txn_trimmed = 0;
	writer->num_unused = 0;
	if (writer->opening) {
		meta_open(writer);
	}
	return EVERR_OK;
}

void store_batch_abort(struct store_writer *writer)
{
	struct store_wchannel *channel = NULL;

	for (channel = writer->touched; channel != NULL;
	     channel = channel->touched_next) {
		channel->touched = false;
		channel->appended = false;
		channel->valid = false;
		channel->cursor = NULL;
		channel->floor = channel->floor_before;
		channel->oldest_received = 0;
	}
	writer->touched = NULL;
	if (writer->txn != NULL) {
		mdb_txn_abort(writer->txn);
		writer->txn = NULL;
	}
}

/* --------------------------------------------------------------- heads */

static everr_t head_load(struct store_writer *writer,
			 struct store_wchannel *channel)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	MDB_val value;
	bool is_new;
	everr_t err;
	uint32_t i;
	int rc;

	store_key_u32(key, channel->id);
	rc = store_env_get(writer->txn, writer->env->tables.heads, key,
			   sizeof(key), &value);
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_STORE_CORRUPT
					  : store_env_error(rc);
	}
	err = store_head_get(value.mv_data, value.mv_size, channel->id,
			     &channel->head, &nos, &num);
	if (err != EVERR_OK) {
		return err;
	}
	u32set_clear(&channel->templates);
	for (i = 0; i < num; i++) {
		if (!u32set_add(&channel->templates, le32_get(nos + 4 * i),
				&is_new)) {
			return EVERR_NOMEM;
		}
	}
	channel->oldest_received = 0;
	/* Retention looks at the table and tells. */
	channel->hidden = true;
	channel->valid = true;
	return EVERR_OK;
}

everr_t store_batch_touch(struct store_writer *writer,
			  struct store_wchannel *channel)
{
	everr_t err;
	int rc;

	if (channel->touched) {
		return EVERR_OK;
	}
	if (!channel->valid) {
		err = head_load(writer, channel);
		if (err != EVERR_OK) {
			return err;
		}
	}
	rc = mdb_cursor_open(writer->txn, channel->dbi, &channel->cursor);
	if (rc != 0) {
		return store_env_error(rc);
	}
	channel->touched = true;
	channel->appended = false;
	channel->floor_before = channel->floor;
	channel->txn_first = channel->head.next_id;
	channel->touched_next = writer->touched;
	writer->touched = channel;
	if (channel->floor > channel->head.next_id) {
		return store_batch_skip(writer, channel, channel->floor,
					STORE_GAP_RESTORED);
	}
	return EVERR_OK;
}

everr_t store_batch_skip(struct store_writer *writer,
			 struct store_wchannel *channel, uint64_t next,
			 enum store_gap_cause cause)
{
	struct store_head *head = &channel->head;
	struct store_gap_value gap = {
		.cause = cause,
		.last_id = next - 1,
		.time = store_writer_now(writer),
	};
	uint8_t key[STORE_KEY_PAIR_SIZE];
	uint8_t value[STORE_GAP_SIZE];
	int rc;

	store_key_pair(key, channel->id, head->next_id);
	store_gap_put(value, channel->id, head->next_id, &gap);
	rc = store_env_put(writer->txn, writer->env->tables.gaps, key,
			   sizeof(key), value, sizeof(value), 0);
	if (rc != 0) {
		return store_env_error(rc);
	}
	head->missing += next - head->next_id;
	head->next_id = next;
	return EVERR_OK;
}

static everr_t head_write(struct store_writer *writer,
			  struct store_wchannel *channel)
{
	size_t len = STORE_HEAD_LEN(channel->templates.num);
	uint8_t *value = store_writer_scratch(writer, len);
	uint8_t key[STORE_KEY_U32_SIZE];

	if (value == NULL) {
		return EVERR_NOMEM;
	}
	store_head_put(value, channel->id, &channel->head,
		       channel->templates.items, channel->templates.num);
	store_key_u32(key, channel->id);
	return store_env_error(store_env_put(writer->txn,
					     writer->env->tables.heads, key,
					     sizeof(key), value, len, 0));
}

/* ----------------------------------------------------------- templates */

static everr_t users_read(struct store_writer *writer, uint32_t no,
			  uint64_t *ret_count)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	MDB_val value;
	everr_t err;
	int rc;

	store_key_u32(key, no);
	rc = store_env_get(writer->txn, writer->env->tables.users, key,
			   sizeof(key), &value);
	if (rc != 0) {
		return store_env_error(rc);
	}
	err = store_users_get(value.mv_data, value.mv_size, no, ret_count);
	if (err != EVERR_OK) {
		*ret_count = USERS_PINNED;
	}
	return EVERR_OK;
}

static everr_t users_write(struct store_writer *writer, uint32_t no,
			   uint64_t count)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	uint8_t value[STORE_USERS_SIZE];

	store_key_u32(key, no);
	store_users_put(value, no, count);
	return store_env_error(
		store_env_put(writer->txn, writer->env->tables.users, key,
			      sizeof(key), value, sizeof(value), 0));
}

static everr_t note_unused(struct store_writer *writer, uint32_t no)
{
	size_t size = writer->size_unused == 0 ? 64 : writer->size_unused * 2;
	uint32_t *unused = NULL;

	if (writer->num_unused == writer->size_unused) {
		unused = realloc(writer->unused, size * sizeof(*unused));
		if (unused == NULL) {
			return EVERR_NOMEM;
		}
		writer->unused = unused;
		writer->size_unused = size;
	}
	writer->unused[writer->num_unused] = no;
	writer->num_unused++;
	return EVERR_OK;
}

everr_t store_batch_use(struct store_writer *writer, uint32_t no, int change)
{
	uint64_t count = 0;
	everr_t err;

	err = users_read(writer, no, &count);
	if (err == EVERR_NOT_FOUND) {
		/*
		 * The loop sends a definition until it knows it is on disk, so
		 * this is a bug when counting up; a block that was damaged
		 * when counting down.
		 */
		return change > 0 ? EVERR_INTERNAL : EVERR_OK;
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (change < 0 && count == 0) {
		return EVERR_OK;
	}
	count = change > 0 ? count + 1 : count - 1;
	if (count == 0) {
		err = note_unused(writer, no);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return users_write(writer, no, count);
}

everr_t store_batch_collect(struct store_writer *writer, const uint32_t *nos,
			    size_t num)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	uint64_t count = 0;
	everr_t err;
	size_t i;
	int rc;

	for (i = 0; i < num; i++) {
		err = users_read(writer, nos[i], &count);
		if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
			return err;
		}
		if (err == EVERR_NOT_FOUND || count != 0) {
			continue;
		}
		store_key_u32(key, nos[i]);
		rc = store_env_del(writer->txn, writer->env->tables.users, key,
				   sizeof(key));
		if (rc == 0) {
			rc = store_env_del(writer->txn,
					   writer->env->tables.templates, key,
					   sizeof(key));
		}
		if (rc != 0 && rc != MDB_NOTFOUND) {
			return store_env_error(rc);
		}
	}
	return EVERR_OK;
}

static everr_t put_def(struct store_writer *writer, const struct store_job *job,
		       const struct store_job_def *def)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	int rc;

	store_key_u32(key, def->no);
	rc = store_env_put(writer->txn, writer->env->tables.templates, key,
			   sizeof(key), job->bytes + def->at, def->len,
			   MDB_NOOVERWRITE);
	if (rc == MDB_KEYEXIST) {
		return EVERR_OK;
	}
	if (rc != 0) {
		return store_env_error(rc);
	}
	store_crash_at(&writer->crash, STORE_CRASH_AFTER_TEMPLATE_PUT);
	if (def->no >= writer->txn_meta.next_no) {
		writer->txn_meta.next_no = def->no + 1;
		writer->meta_dirty = true;
	}
	return users_write(writer, def->no, 0);
}

/* -------------------------------------------------------------- blocks */

static everr_t close_block(struct store_writer *writer,
			   struct store_wchannel *channel)
{
	size_t len = STORE_CLOSED_LEN(channel->templates.num);
	uint8_t *value = store_writer_scratch(writer, len);
	uint8_t key[STORE_KEY_PAIR_SIZE];

	if (value == NULL) {
		return EVERR_NOMEM;
	}
	store_closed_put(value, channel->id, channel->head.block_id,
			 &channel->head.block, channel->templates.items,
			 channel->templates.num);
	store_key_pair(key, channel->id, channel->head.block_id);
	return store_env_error(store_env_put(writer->txn,
					     writer->env->tables.blocks, key,
					     sizeof(key), value, len, 0));
}

/* Make the block that id lies in the open one. */
static everr_t roll_block(struct store_writer *writer,
			  struct store_wchannel *channel, uint64_t id)
{
	struct store_head *head = &channel->head;
	everr_t err;

	if (head->block.count > 0) {
		err = close_block(writer, channel);
		if (err != EVERR_OK) {
			return err;
		}
	}
	u32set_clear(&channel->templates);
	head->block_id = store_block_of(id);
	head->block = (struct store_summary){.min_time = UINT64_MAX};
	return EVERR_OK;
}

static void block_add(struct store_summary *block, uint64_t id,
		      const uint8_t *value, size_t len)
{
	uint64_t time = le64_get(value + STORE_RECORD_TIME_CREATED);

	if (block->count == 0) {
		block->min_time = UINT64_MAX;
		block->max_time = 0;
	}
	block->last_id = id;
	block->count++;
	block->bytes += len;
	if ((value[STORE_RECORD_HAS] & EVENT_HAS_TIME) == 0) {
		block->flags |= STORE_BLOCK_FLAG_TIMELESS;
		return;
	}
	if (time < block->min_time) {
		block->min_time = time;
	}
	if (time > block->max_time) {
		block->max_time = time;
	}
}

static everr_t block_templates(struct store_writer *writer,
			       struct store_wchannel *channel,
			       const uint32_t *nos, uint32_t num)
{
	bool is_new;
	everr_t err;
	uint32_t i;

	for (i = 0; i < num; i++) {
		if (!u32set_add(&channel->templates, nos[i], &is_new)) {
			return EVERR_NOMEM;
		}
		if (!is_new) {
			continue;
		}
		err = store_batch_use(writer, nos[i], 1);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------- records */

static everr_t put_record(struct store_writer *writer,
			  struct store_wchannel *channel,
			  const struct store_job *job,
			  const struct store_job_record *record)
{
	struct store_head *head = &channel->head;
	uint8_t *bytes = job->bytes + record->at;
	size_t id = head->next_id;
	MDB_val key = {.mv_size = sizeof(id), .mv_data = &id};
	MDB_val value = {.mv_size = record->len, .mv_data = bytes};
	int rc;

	store_record_seal(bytes, record->len, channel->id, id, head->received,
			  record->record_id_at);
	rc = mdb_cursor_put(channel->cursor, &key, &value, MDB_APPEND);
	if (rc != 0) {
		return store_env_error(rc);
	}
	head->next_id = id + 1;
	head->records++;
	head->bytes += record->len;
	if (head->oldest_id == 0) {
		head->oldest_id = id;
		channel->oldest_received = head->received;
	}
	block_add(&head->block, id, bytes, record->len);
	writer->txn_records++;
	writer->txn_bytes += record->len;
	return EVERR_OK;
}

static everr_t put_records(struct store_writer *writer,
			   struct store_wchannel *channel,
			   const struct store_job *job)
{
	const struct store_job_record *record = NULL;
	uint32_t nos_at = UINT32_MAX;
	everr_t err;
	size_t i;

	/* ReceivedTime never decreases, whatever the clock does. */
	if (job->received > channel->head.received) {
		channel->head.received = job->received;
	}
	for (i = 0; i < job->num_records; i++) {
		record = &job->records[i];
		if (store_block_of(channel->head.next_id) !=
		    channel->head.block_id) {
			err = roll_block(writer, channel,
					 channel->head.next_id);
			if (err != EVERR_OK) {
				return err;
			}
			nos_at = UINT32_MAX;
		}
		err = put_record(writer, channel, job, record);
		if (err != EVERR_OK) {
			return err;
		}
		if (record->nos_at == nos_at) {
			continue;
		}
		nos_at = record->nos_at;
		err = block_templates(writer, channel, job->nos + nos_at,
				      record->num_nos);
		if (err != EVERR_OK) {
			return err;
		}
	}
	channel->appended = true;
	return EVERR_OK;
}

static everr_t put_state(struct store_writer *writer,
			 const struct store_job *job,
			 const struct store_job_state *state)
{
	const uint8_t *name = job->bytes + state->name_at;
	MDB_dbi dbi = writer->env->tables.state;
	int rc;

	if (state->len == 0) {
		rc = store_env_del(writer->txn, dbi, name, state->name_len);
		return rc == MDB_NOTFOUND ? EVERR_OK : store_env_error(rc);
	}
	rc = store_env_put(writer->txn, dbi, name, state->name_len,
			   job->bytes + state->at, state->len, 0);
	return store_env_error(rc);
}

everr_t store_batch_states(struct store_writer *writer,
			   const struct store_job *job)
{
	everr_t err;
	size_t i;

	for (i = 0; i < job->num_states; i++) {
		err = put_state(writer, job, &job->states[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

everr_t store_batch_append(struct store_writer *writer, struct store_job *job)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;
	everr_t err;
	size_t i;

	for (i = 0; i < job->num_defs; i++) {
		err = put_def(writer, job, &job->defs[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (job->num_records > 0) {
		err = store_batch_touch(writer, channel);
		if (err != EVERR_OK) {
			return err;
		}
		job->first_id = channel->head.next_id;
		err = put_records(writer, channel, job);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return store_batch_states(writer, job);
}

/*
 * After the first commit of an opening, and after the last one, nothing in the
 * file tells any more that ids were lost: those that are spent in memory only
 * go to disk with it.
 */
static everr_t touch_spent(struct store_writer *writer)
{
	everr_t err = EVERR_OK;
	uint32_t i;

	if (!writer->opening &&
	    (writer->txn_meta.flags & STORE_META_FLAG_OPEN) != 0) {
		return EVERR_OK;
	}
	for (i = 0; err == EVERR_OK && i < writer->num_channels; i++) {
		if (writer->channels[i]->floor != 0) {
			err = store_batch_touch(writer, writer->channels[i]);
		}
	}
	return err;
}

everr_t store_batch_finish(struct store_writer *writer)
{
	struct store_wchannel *channel = NULL;
	uint8_t value[STORE_META_SIZE];
	everr_t err;
	int rc;

	store_crash_at(&writer->crash, STORE_CRASH_AFTER_RECORDS);
	err = touch_spent(writer);
	if (err != EVERR_OK) {
		return err;
	}
	for (channel = writer->touched; channel != NULL;
	     channel = channel->touched_next) {
		err = head_write(writer, channel);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (!writer->meta_dirty) {
		return EVERR_OK;
	}
	store_meta_put(value, &writer->txn_meta);
	rc = store_env_put(writer->txn, writer->env->tables.meta,
			   STORE_KEY_META, strlen(STORE_KEY_META), value,
			   sizeof(value), 0);
	return store_env_error(rc);
}
