/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

#include "base/buf.h"

#include <string.h>
#include <unistd.h>

/* Snapshots at a time; each takes one of LMDB's 126 reader slots. */
#define SNAPSHOTS_MAX 64

/* ----------------------------------------------------------- snapshots */

static void positions_close(struct store_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < snapshot->num_positions; i++) {
		if (snapshot->positions[i].cursor != NULL) {
			mdb_cursor_close(snapshot->positions[i].cursor);
		}
	}
	TALLOC_FREE(snapshot->positions);
	snapshot->num_positions = 0;
}

static int snapshot_destructor(struct store_snapshot *snapshot)
{
	struct store *store = snapshot->store;

	/* In a forked child the reader's slot is the parent's. */
	if (store->pid == getpid()) {
		positions_close(snapshot);
		mdb_txn_abort(snapshot->txn);
	}
	if (snapshot->active) {
		store->num_active--;
	}
	if (snapshot->prev != NULL) {
		snapshot->prev->next = snapshot->next;
	} else {
		store->snapshots = snapshot->next;
	}
	if (snapshot->next != NULL) {
		snapshot->next->prev = snapshot->prev;
	}
	return 0;
}

static everr_t snapshot_create(struct store *store,
			       struct store_snapshot **ret_snapshot)
{
	struct store_snapshot *snapshot = NULL;
	int rc;

	snapshot = talloc_zero(store, struct store_snapshot);
	if (snapshot == NULL) {
		return EVERR_NOMEM;
	}
	rc = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &snapshot->txn);
	if (rc != 0) {
		snapshot->txn = NULL;
		TALLOC_FREE(snapshot);
		return rc == MDB_READERS_FULL ? EVERR_LIMIT
					      : store_env_error(rc);
	}
	snapshot->store = store;
	snapshot->next = store->snapshots;
	if (snapshot->next != NULL) {
		snapshot->next->prev = snapshot;
	}
	store->snapshots = snapshot;
	talloc_set_destructor(snapshot, snapshot_destructor);
	*ret_snapshot = snapshot;
	return EVERR_OK;
}

static everr_t snapshot_renew(struct store_snapshot *snapshot)
{
	int rc = mdb_txn_renew(snapshot->txn);

	if (rc != 0) {
		TALLOC_FREE(snapshot);
		return store_env_error(rc);
	}
	return EVERR_OK;
}

everr_t store_snapshot_begin(struct store *store,
			     struct store_snapshot **ret_snapshot)
{
	struct store_snapshot *snapshot = store->snapshots;
	size_t num = 0;
	everr_t err;

	if (store->env.mdb == NULL) {
		return EVERR_IO;
	}
	while (snapshot != NULL && snapshot->active) {
		snapshot = snapshot->next;
		num++;
	}
	if (num >= SNAPSHOTS_MAX) {
		return EVERR_LIMIT;
	}
	err = snapshot == NULL ? snapshot_create(store, &snapshot)
			       : snapshot_renew(snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	snapshot->active = true;
	snapshot->generation++;
	snapshot->epoch = store->epoch;
	store->num_active++;
	*ret_snapshot = snapshot;
	return EVERR_OK;
}

void store_snapshot_end(struct store_snapshot *snapshot)
{
	struct store *store = snapshot->store;

	mdb_txn_reset(snapshot->txn);
	snapshot->active = false;
	store->num_active--;
	if (store->num_active == 0) {
		store_no_snapshot(store);
	}
}

void store_snapshot_drop_all(struct store *store)
{
	struct store_snapshot *next = NULL;
	struct store_snapshot *snapshot = store->snapshots;

	for (; snapshot != NULL; snapshot = next) {
		next = snapshot->next;
		TALLOC_FREE(snapshot);
	}
}

/* ----------------------------------------------------------- positions */

static everr_t positions_grow(struct store_snapshot *snapshot, size_t num)
{
	struct store_position *positions = NULL;

	positions = talloc_realloc(snapshot, snapshot->positions,
				   struct store_position, num);
	if (positions == NULL) {
		return EVERR_NOMEM;
	}
	memset(&positions[snapshot->num_positions], 0,
	       (num - snapshot->num_positions) * sizeof(*positions));
	snapshot->positions = positions;
	snapshot->num_positions = num;
	return EVERR_OK;
}

/*
 * The channel's cursor in this snapshot.  EVERR_END: the channel is younger
 * than the snapshot, or was removed.
 */
static everr_t position_get(struct store_snapshot *snapshot,
			    struct store_channel *channel,
			    struct store_position **ret_position)
{
	struct store_position *position = NULL;
	size_t i = channel->info.id - 1;
	everr_t err;
	int rc = 0;

	if (channel->removed) {
		return EVERR_END;
	}
	if (i >= snapshot->num_positions) {
		err = positions_grow(snapshot, snapshot->store->num_numbers);
		if (err != EVERR_OK) {
			return err;
		}
	}
	position = &snapshot->positions[i];
	*ret_position = position;
	if (position->renewed == snapshot->generation) {
		return EVERR_OK;
	}
	if (position->cursor == NULL) {
		rc = mdb_cursor_open(snapshot->txn, channel->dbi,
				     &position->cursor);
	} else {
		rc = mdb_cursor_renew(snapshot->txn, position->cursor);
	}
	if (rc != 0) {
		/* EINVAL: no such table in this transaction. */
		return EVERR_END;
	}
	position->renewed = snapshot->generation;
	position->at = 0;
	position->next_id = 0;
	position->first_id = 0;
	return EVERR_OK;
}

/* The head as this snapshot has it. */
static everr_t head_get(struct store_snapshot *snapshot,
			struct store_channel *channel,
			struct store_head *ret_head)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	MDB_val value;
	int rc;

	store_key_u32(key, channel->info.id);
	rc = store_env_get(snapshot->txn, snapshot->store->env.tables.heads,
			   key, sizeof(key), &value);
	if (rc != 0) {
		return store_env_error(rc);
	}
	return store_head_get(value.mv_data, value.mv_size, channel->info.id,
			      ret_head, &nos, &num);
}

/*
 * Where the channel ends for readers.
 *
 * LMDB shows a commit to readers when its last page is in the page cache,
 * which is before that page is on disk: a reader could hand on an event that
 * a power failure then takes back, and whose id another event gets.  So the
 * end is what the writer has reported, after the commit was through.  Another
 * process cannot know that and takes what it sees.
 *
 * What was reported since the snapshot began is not in it.
 */
static uint64_t end_of(struct store_snapshot *snapshot,
		       struct store_channel *channel,
		       struct store_position *position)
{
	const struct store *store = snapshot->store;
	struct store_head head = {};
	uint64_t end = channel->info.next_id;

	if (store->writer != NULL && snapshot->epoch == store->epoch) {
		return end;
	}
	if (position->next_id == 0) {
		if (head_get(snapshot, channel, &head) == EVERR_OK &&
		    (store->writer == NULL || head.next_id < end)) {
			end = head.next_id;
		}
		position->next_id = end;
	}
	return position->next_id;
}

/*
 * Where the channel begins for readers: records before that were cleared.
 *
 * Here, too, it is what the writer has reported that counts, not what is seen:
 * a clearing that is answered holds in every snapshot, those that began before
 * it included.
 */
static uint64_t first_of(struct store_snapshot *snapshot,
			 struct store_channel *channel,
			 struct store_position *position)
{
	const struct store_channel_info *info = &channel->info;
	struct store_head head = {};

	if (channel->store->writer != NULL) {
		return info->oldest_id != 0 ? info->oldest_id : info->next_id;
	}
	if (position->first_id == 0) {
		position->first_id = 1;
		if (head_get(snapshot, channel, &head) == EVERR_OK) {
			position->first_id = store_head_first(&head);
		}
	}
	return position->first_id;
}

/* ---------------------------------------------------------------- read */

/* To the first record from id on; one step when the one before is there. */
static int seek_forward(struct store_position *position, uint64_t id,
			MDB_val *key, MDB_val *value)
{
	size_t from = id;

	if (position->at != 0 && position->at + 1 == id) {
		return mdb_cursor_get(position->cursor, key, value, MDB_NEXT);
	}
	key->mv_size = sizeof(from);
	key->mv_data = &from;
	return mdb_cursor_get(position->cursor, key, value, MDB_SET_RANGE);
}

static int seek_reverse(struct store_position *position, uint64_t id,
			MDB_val *key, MDB_val *value)
{
	size_t from = id;
	size_t found;
	int rc;

	if (position->at != 0 && position->at == id + 1) {
		return mdb_cursor_get(position->cursor, key, value, MDB_PREV);
	}
	key->mv_size = sizeof(from);
	key->mv_data = &from;
	rc = mdb_cursor_get(position->cursor, key, value, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND) {
		return mdb_cursor_get(position->cursor, key, value, MDB_LAST);
	}
	if (rc != 0) {
		return rc;
	}
	memcpy(&found, key->mv_data, sizeof(found));
	if (found == id) {
		return 0;
	}
	return mdb_cursor_get(position->cursor, key, value, MDB_PREV);
}

everr_t store_read(struct store_snapshot *snapshot,
		   struct store_channel *channel, uint64_t from_id,
		   bool reverse, struct store_record *ret_record)
{
	struct store_position *position = NULL;
	uint64_t first, end;
	MDB_val key;
	MDB_val value;
	everr_t err;
	size_t id;
	int rc;

	err = position_get(snapshot, channel, &position);
	if (err != EVERR_OK) {
		return err;
	}
	first = first_of(snapshot, channel, position);
	end = end_of(snapshot, channel, position);
	if (reverse) {
		if (from_id >= end) {
			from_id = end - 1;
		}
		if (from_id == 0) {
			return EVERR_END;
		}
		rc = seek_reverse(position, from_id, &key, &value);
	} else {
		if (from_id < first) {
			from_id = first;
		}
		if (from_id >= end) {
			return EVERR_END;
		}
		rc = seek_forward(position, from_id, &key, &value);
	}
	position->at = 0;
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_END : store_env_error(rc);
	}
	memcpy(&id, key.mv_data, sizeof(id));
	if (id < first || id >= end) {
		return EVERR_END;
	}
	position->at = id;
	err = store_record_get(value.mv_data, value.mv_size, channel->info.id,
			       id, ret_record);
	if (err != EVERR_OK) {
		*ret_record = (struct store_record){.id = id};
	}
	return err;
}

static uint64_t oldest_of(struct store_position *position, uint64_t first,
			  uint64_t end)
{
	MDB_val key;
	MDB_val value;
	size_t id;

	position->at = 0;
	if (seek_forward(position, first, &key, &value) != 0) {
		return 0;
	}
	memcpy(&id, key.mv_data, sizeof(id));
	return id < end ? id : 0;
}

void store_bounds(struct store_snapshot *snapshot,
		  struct store_channel *channel, uint64_t *ret_oldest_id,
		  uint64_t *ret_next_id)
{
	struct store_position *position = NULL;

	if (position_get(snapshot, channel, &position) != EVERR_OK) {
		*ret_oldest_id = 0;
		*ret_next_id = channel->info.next_id;
		return;
	}
	*ret_next_id = end_of(snapshot, channel, position);
	*ret_oldest_id = oldest_of(
		position, first_of(snapshot, channel, position), *ret_next_id);
}

/* ---------------------------------------------------------------- gaps */

#define CAUSES (STORE_GAP_CLEARED + 1)

struct gap_sum {
	uint64_t first;
	uint64_t last;
	uint64_t oldest; /* ids below it and in no gap were trimmed */
	uint64_t below;	 /* ids of gaps below oldest */
	uint64_t missing[CAUSES];
};

static void gap_add(struct gap_sum *sum, uint64_t first,
		    const struct store_gap_value *gap)
{
	uint64_t from = first > sum->first ? first : sum->first;
	uint64_t to = gap->last_id < sum->last ? gap->last_id : sum->last;
	uint32_t cause = gap->cause < CAUSES ? gap->cause : STORE_GAP_DAMAGED;

	if (from > to) {
		return;
	}
	sum->missing[cause] += to - from + 1;
	if (from < sum->oldest) {
		sum->below += (to < sum->oldest ? to + 1 : sum->oldest) - from;
	}
}

/* To the last gap that begins at or before id, or to the first one. */
static int gap_seek(MDB_cursor *cursor, uint32_t channel, uint64_t id,
		    MDB_val *key, MDB_val *value)
{
	uint8_t bytes[STORE_KEY_PAIR_SIZE];
	int rc;

	store_key_pair(bytes, channel, id);
	key->mv_size = sizeof(bytes);
	key->mv_data = bytes;
	rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (rc == 0 && key->mv_size == sizeof(bytes) &&
	    memcmp(key->mv_data, bytes, sizeof(bytes)) == 0) {
		return 0;
	}
	rc = mdb_cursor_get(cursor, key, value, rc == 0 ? MDB_PREV : MDB_LAST);
	if (rc == 0 && key->mv_size == sizeof(bytes) &&
	    store_key_u32_get(key->mv_data) == channel) {
		return 0;
	}
	/* It belongs to another channel, or there is none: begin behind it. */
	store_key_pair(bytes, channel, 0);
	key->mv_size = sizeof(bytes);
	key->mv_data = bytes;
	return mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
}

static everr_t gaps_add(struct store_snapshot *snapshot, uint32_t channel,
			struct gap_sum *sum)
{
	struct store_gap_value gap = {};
	MDB_cursor *cursor = NULL;
	MDB_val key;
	MDB_val value;
	uint64_t first;
	everr_t err = EVERR_OK;
	int rc;

	rc = mdb_cursor_open(snapshot->txn, snapshot->store->env.tables.gaps,
			     &cursor);
	if (rc != 0) {
		return store_env_error(rc);
	}
	rc = gap_seek(cursor, channel, sum->first, &key, &value);
	while (rc == 0 && key.mv_size == STORE_KEY_PAIR_SIZE &&
	       store_key_u32_get(key.mv_data) == channel) {
		first = store_key_pair_id(key.mv_data);
		if (first > sum->last) {
			break;
		}
		err = store_gap_get(value.mv_data, value.mv_size, channel,
				    first, &gap);
		if (err != EVERR_OK) {
			break;
		}
		gap_add(sum, first, &gap);
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (err == EVERR_OK && rc != 0 && rc != MDB_NOTFOUND) {
		err = store_env_error(rc);
	}
	return err;
}

everr_t store_gap(struct store_snapshot *snapshot,
		  struct store_channel *channel, uint64_t first, uint64_t last,
		  uint64_t *ret_missing, enum store_gap_cause *ret_cause)
{
	struct gap_sum sum = {.first = first > 0 ? first : 1, .last = last};
	uint32_t most = STORE_GAP_TRIMMED;
	uint64_t missing = 0;
	uint64_t trimmed;
	uint64_t next;
	everr_t err;
	uint32_t i;

	store_bounds(snapshot, channel, &sum.oldest, &next);
	if (sum.oldest == 0) {
		sum.oldest = next;
	}
	if (sum.last >= next) {
		sum.last = next - 1;
	}
	if (sum.first <= sum.last) {
		err = gaps_add(snapshot, channel->info.id, &sum);
		if (err != EVERR_OK) {
			return err;
		}
		trimmed = sum.last < sum.oldest ? sum.last + 1 : sum.oldest;
		trimmed = trimmed > sum.first ? trimmed - sum.first : 0;
		sum.missing[STORE_GAP_TRIMMED] +=
			trimmed > sum.below ? trimmed - sum.below : 0;
	}
	for (i = STORE_GAP_TRIMMED; i < CAUSES; i++) {
		missing += sum.missing[i];
		if (sum.missing[i] > sum.missing[most]) {
			most = i;
		}
	}
	*ret_missing = missing;
	*ret_cause = (enum store_gap_cause)most;
	return EVERR_OK;
}

/* -------------------------------------------------------------- blocks */

static everr_t closed_get(struct store_snapshot *snapshot,
			  struct store_channel *channel, uint64_t block_id,
			  struct store_summary *ret_block)
{
	uint8_t key[STORE_KEY_PAIR_SIZE];
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	MDB_val value;
	int rc;

	store_key_pair(key, channel->info.id, block_id);
	rc = store_env_get(snapshot->txn, snapshot->store->env.tables.blocks,
			   key, sizeof(key), &value);
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_END : store_env_error(rc);
	}
	return store_closed_get(value.mv_data, value.mv_size, channel->info.id,
				block_id, ret_block, &nos, &num);
}

everr_t store_block(struct store_snapshot *snapshot,
		    struct store_channel *channel, uint64_t id,
		    struct store_block *ret_block)
{
	struct store_position *position = NULL;
	struct store_summary block = {};
	struct store_head head = {};
	uint64_t block_id;
	uint64_t last_id;
	everr_t err;

	err = position_get(snapshot, channel, &position);
	if (err != EVERR_OK) {
		return err;
	}
	/* What was cleared is not to be skipped as if it were there. */
	if (id == 0 || id < first_of(snapshot, channel, position)) {
		return EVERR_END;
	}
	block_id = store_block_of(id);
	last_id = block_id + STORE_BLOCK_RECORDS - 1;
	err = closed_get(snapshot, channel, block_id, &block);
	if (err == EVERR_END) {
		err = head_get(snapshot, channel, &head);
		if (err == EVERR_NOT_FOUND || head.block_id != block_id) {
			return EVERR_END;
		}
		block = head.block;
		last_id = block.last_id;
	}
	if (err == EVERR_STORE_CORRUPT) {
		/* The records may be whole all the same. */
		return EVERR_END;
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (block.count == 0 || (block.flags & STORE_BLOCK_FLAG_TIMELESS)) {
		return EVERR_END;
	}
	*ret_block = (struct store_block){
		.first_id = block_id,
		.last_id = last_id,
		.min_time = block.min_time,
		.max_time = block.max_time,
	};
	return EVERR_OK;
}

/* --------------------------------------------------------------- state */

/* The data of a state as it lies in the map, checked and copied. */
static everr_t copy_state(TALLOC_CTX *mem_ctx, const MDB_val *name,
			  const MDB_val *value, uint8_t **ret_data,
			  size_t *ret_len)
{
	size_t len = value->mv_size - STORE_STATE_DATA;
	uint8_t *data = NULL;
	everr_t err;

	err = store_value_check(value->mv_data, value->mv_size, name->mv_data,
				name->mv_size, STORE_STATE_DATA);
	if (err != EVERR_OK) {
		return err;
	}
	/* Never of size 0: that would not be a child of its own. */
	data = talloc_array(mem_ctx, uint8_t, value->mv_size);
	if (data == NULL) {
		return EVERR_NOMEM;
	}
	memcpy(data, (const uint8_t *)value->mv_data + STORE_STATE_DATA, len);
	*ret_data = data;
	*ret_len = len;
	return EVERR_OK;
}

everr_t store_state_get(TALLOC_CTX *mem_ctx, struct store *store,
			const char *name, uint8_t **ret_data, size_t *ret_len)
{
	struct store_snapshot *snapshot = NULL;
	MDB_val key = {strlen(name), (void *)name};
	MDB_val value = {};
	everr_t err;
	int rc;

	if (key.mv_size == 0 || key.mv_size > STORE_STATE_NAME_MAX) {
		return EVERR_NOT_FOUND;
	}
	err = store_snapshot_begin(store, &snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	rc = store_env_get(snapshot->txn, store->env.tables.state, key.mv_data,
			   key.mv_size, &value);
	err = store_env_error(rc);
	if (err == EVERR_OK) {
		err = copy_state(mem_ctx, &key, &value, ret_data, ret_len);
	}
	store_snapshot_end(snapshot);
	return err;
}

/* Go to the first name that is greater than after, and not below prefix. */
static int seek_state(MDB_cursor *cursor, const char *prefix, const char *after,
		      MDB_val *name, MDB_val *value)
{
	bool from_start = strcmp(after, prefix) < 0;
	const char *from = from_start ? prefix : after;
	size_t len = strlen(from);
	int rc;

	if (len == 0) {
		return mdb_cursor_get(cursor, name, value, MDB_FIRST);
	}
	name->mv_data = (void *)from;
	name->mv_size = len;
	rc = mdb_cursor_get(cursor, name, value, MDB_SET_RANGE);
	if (rc == 0 && !from_start && name->mv_size == len &&
	    memcmp(name->mv_data, from, len) == 0) {
		rc = mdb_cursor_get(cursor, name, value, MDB_NEXT);
	}
	return rc;
}

static everr_t next_state(TALLOC_CTX *mem_ctx, MDB_cursor *cursor,
			  const char *prefix, const char *after,
			  char **ret_name, uint8_t **ret_data, size_t *ret_len)
{
	size_t prefix_len = strlen(prefix);
	MDB_val name = {};
	MDB_val value = {};
	char *copy = NULL;
	everr_t err;
	int rc;

	rc = seek_state(cursor, prefix, after, &name, &value);
	if (rc == MDB_NOTFOUND) {
		return EVERR_END;
	}
	err = store_env_error(rc);
	if (err != EVERR_OK) {
		return err;
	}
	if (name.mv_size < prefix_len ||
	    memcmp(name.mv_data, prefix, prefix_len) != 0) {
		return EVERR_END;
	}
	copy = talloc_strndup(mem_ctx, name.mv_data, name.mv_size);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	err = copy_state(mem_ctx, &name, &value, ret_data, ret_len);
	if (err == EVERR_OK || err == EVERR_STORE_CORRUPT) {
		*ret_name = copy;
	} else {
		talloc_free(copy);
	}
	return err;
}

everr_t store_state_next(TALLOC_CTX *mem_ctx, struct store *store,
			 const char *prefix, const char *after, char **ret_name,
			 uint8_t **ret_data, size_t *ret_len)
{
	struct store_snapshot *snapshot = NULL;
	MDB_cursor *cursor = NULL;
	everr_t err;
	int rc;

	if (strlen(prefix) > STORE_STATE_NAME_MAX ||
	    strlen(after) > STORE_STATE_NAME_MAX) {
		return EVERR_END;
	}
	err = store_snapshot_begin(store, &snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	rc = mdb_cursor_open(snapshot->txn, store->env.tables.state, &cursor);
	err = store_env_error(rc);
	if (err == EVERR_OK) {
		err = next_state(mem_ctx, cursor, prefix, after, ret_name,
				 ret_data, ret_len);
		mdb_cursor_close(cursor);
	}
	store_snapshot_end(snapshot);
	return err;
}
