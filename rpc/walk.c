/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/walk.h"

#include "base/wintime.h"

#include <string.h>
#include <time.h>

static void cursor_init(struct rpc_walk *walk, size_t index,
			struct store_channel *channel)
{
	bool reverse = walk->reverse;
	uint64_t min_time = 0;
	uint64_t max_time = UINT64_MAX;

	event_query_time_range(walk->query, (uint32_t)index, wintime_now(),
			       &min_time, &max_time);
	walk->cursors[index] = (struct rpc_cursor){
		.channel = channel,
		.next_id = reverse ? UINT64_MAX : 1,
		.bound_id = reverse ? 1 : UINT64_MAX,
		.told_id = reverse ? UINT64_MAX : 0,
		.timed = min_time > 0 || max_time < UINT64_MAX,
	};
}

static everr_t walk_alloc(TALLOC_CTX *mem_ctx, const struct event_query *query,
			  struct rpc_walk **ret_walk)
{
	struct rpc_walk *walk = talloc_zero(mem_ctx, struct rpc_walk);
	size_t num_ids = query->num_subqueries;

	if (walk == NULL) {
		return EVERR_NOMEM;
	}
	walk->query = query;
	walk->num_channels = query->num_paths;
	walk->turn_records = RPC_WALK_TURN_RECORDS;
	walk->turn_bytes = RPC_WALK_TURN_BYTES;
	walk->turn_ms = RPC_WALK_TURN_MS;
	walk->ids_of = SIZE_MAX;
	walk->cursors =
		talloc_zero_array(walk, struct rpc_cursor, walk->num_channels);
	walk->ids = talloc_array(walk, uint32_t, num_ids);
	if (walk->cursors == NULL || walk->ids == NULL) {
		TALLOC_FREE(walk);
		return EVERR_NOMEM;
	}

	*ret_walk = walk;
	return EVERR_OK;
}

everr_t rpc_walk_create(TALLOC_CTX *mem_ctx, struct store *store,
			const struct event_query *query,
			struct store_channel *const *channels, bool reverse,
			struct rpc_walk **ret_walk)
{
	struct rpc_walk *walk = NULL;
	everr_t err;
	size_t i;

	err = walk_alloc(mem_ctx, query, &walk);
	if (err != EVERR_OK) {
		return err;
	}
	walk->store = store;
	walk->reverse = reverse;
	for (i = 0; i < walk->num_channels; i++) {
		cursor_init(walk, i, channels[i]);
	}

	*ret_walk = walk;
	return EVERR_OK;
}

everr_t rpc_walk_copy(TALLOC_CTX *mem_ctx, const struct rpc_walk *walk,
		      struct rpc_walk **ret_copy)
{
	struct rpc_walk *copy = NULL;
	everr_t err;

	err = walk_alloc(mem_ctx, walk->query, &copy);
	if (err != EVERR_OK) {
		return err;
	}
	copy->store = walk->store;
	copy->reverse = walk->reverse;
	copy->turn_records = walk->turn_records;
	copy->turn_bytes = walk->turn_bytes;
	copy->turn_ms = walk->turn_ms;
	memcpy(copy->cursors, walk->cursors,
	       walk->num_channels * sizeof(walk->cursors[0]));

	*ret_copy = copy;
	return EVERR_OK;
}

static uint64_t id_after(uint64_t id)
{
	return id == UINT64_MAX ? UINT64_MAX : id + 1;
}

static uint64_t id_before(uint64_t id)
{
	return id == 0 ? 0 : id - 1;
}

uint64_t rpc_walk_passed(const struct rpc_walk *walk, size_t channel)
{
	const struct rpc_cursor *cursor = &walk->cursors[channel];

	if (cursor->channel == NULL) {
		return 0;
	}
	return walk->reverse ? id_after(cursor->next_id)
			     : id_before(cursor->next_id);
}

void rpc_walk_turn_round(struct rpc_walk *walk)
{
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		struct rpc_cursor *cursor = &walk->cursors[i];

		cursor->next_id = rpc_walk_passed(walk, i);
		cursor->bound_id = walk->reverse ? UINT64_MAX : 1;
		cursor->head = RPC_HEAD_UNKNOWN;
	}
	walk->reverse = !walk->reverse;
	walk->ids_of = SIZE_MAX;
}

void rpc_walk_move_to(struct rpc_walk *walk, const struct rpc_walk *place)
{
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		walk->cursors[i].next_id = place->cursors[i].next_id;
		walk->cursors[i].head = RPC_HEAD_UNKNOWN;
	}
	walk->ids_of = SIZE_MAX;
}

/* To the kernel's tick, which costs next to nothing. */
static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

everr_t rpc_walk_begin(struct rpc_walk *walk)
{
	everr_t err;
	size_t i;

	err = store_snapshot_begin(walk->store, &walk->snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	/* One look for each channel, or a turn might not get anywhere. */
	walk->records_left = walk->num_channels + walk->turn_records;
	walk->bytes_left = walk->turn_bytes;
	walk->ids_of = SIZE_MAX;
	walk->moved = false;
	walk->now = wintime_now();
	walk->deadline_ms = clock_ms() + walk->turn_ms;
	for (i = 0; i < walk->num_channels; i++) {
		walk->cursors[i].head = walk->cursors[i].channel != NULL
						? RPC_HEAD_UNKNOWN
						: RPC_HEAD_END;
		walk->cursors[i].block_id = 0;
		walk->cursors[i].ranged = false;
	}
	return EVERR_OK;
}

void rpc_walk_end(struct rpc_walk *walk)
{
	if (walk->snapshot != NULL) {
		store_snapshot_end(walk->snapshot);
		walk->snapshot = NULL;
	}
}

static bool cursor_in_bounds(const struct rpc_walk *walk,
			     const struct rpc_cursor *cursor, uint64_t id)
{
	return walk->reverse ? id >= cursor->bound_id : id <= cursor->bound_id;
}

static void cursor_pass(const struct rpc_walk *walk, struct rpc_cursor *cursor,
			uint64_t id)
{
	cursor->next_id = walk->reverse ? id_before(id) : id_after(id);
	cursor->head = RPC_HEAD_UNKNOWN;
}

/*
 * Tell what was passed over between two ids, both included, as far as it has
 * not been told: a walk that goes back to an earlier place says nothing twice.
 */
static everr_t walk_tell(struct rpc_walk *walk, size_t channel, uint64_t first,
			 uint64_t last, bool damaged)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	struct rpc_walk_loss loss = {
		.channel = channel, .damaged = damaged, .missing = 1};
	everr_t err;

	if (walk->loss_fn == NULL) {
		return EVERR_OK;
	}
	if (walk->reverse && last >= cursor->told_id) {
		last = id_before(cursor->told_id);
	}
	if (!walk->reverse && first <= cursor->told_id) {
		first = id_after(cursor->told_id);
	}
	if (first > last) {
		return EVERR_OK;
	}

	if (!damaged) {
		err = store_gap(walk->snapshot, cursor->channel, first, last,
				&loss.missing, &loss.cause);
		if (err != EVERR_OK) {
			return err;
		}
	}
	cursor->told_id = walk->reverse ? first : last;
	if (loss.missing == 0) {
		return EVERR_OK;
	}
	loss.first_id = first;
	loss.last_id = last;
	walk->loss_fn(&loss, walk->loss_private);
	return EVERR_OK;
}

/* No record any more in this direction; some may have been trimmed away. */
static everr_t cursor_end(struct rpc_walk *walk, size_t channel)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	uint64_t oldest_id, next_id;
	everr_t err = EVERR_OK;

	cursor->head = RPC_HEAD_END;
	if (walk->reverse) {
		err = walk_tell(walk, channel, cursor->bound_id,
				cursor->next_id, false);
		cursor->next_id = id_before(cursor->bound_id);
		return err;
	}

	store_bounds(walk->snapshot, cursor->channel, &oldest_id, &next_id);
	if (next_id > cursor->next_id && cursor->bound_id == UINT64_MAX) {
		err = walk_tell(walk, channel, cursor->next_id, next_id - 1,
				false);
		cursor->next_id = next_id;
	}
	return err;
}

/* The ids between where the cursor stood and the record that was found. */
static everr_t cursor_skip_to(struct rpc_walk *walk, size_t channel,
			      uint64_t id)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	uint64_t from_id = cursor->next_id;

	if (id == from_id) {
		return EVERR_OK;
	}
	cursor->next_id = id;
	if (walk->reverse) {
		return walk_tell(walk, channel, id + 1, from_id, false);
	}
	return walk_tell(walk, channel, from_id, id - 1, false);
}

static void walk_charge(struct rpc_walk *walk, size_t bytes)
{
	walk->bytes_left -= bytes < walk->bytes_left ? bytes : walk->bytes_left;
}

static bool cursor_match(struct rpc_walk *walk, size_t channel)
{
	const struct store_record *record = &walk->cursors[channel].record;
	const struct event_view view = {
		.header = &record->header,
		.dict = store_dict(walk->store),
		.data = record->data,
		.len = record->len,
		.now = walk->now,
	};

	walk->ids_of = channel;
	return event_query_match(walk->query, (uint32_t)channel, &view,
				 walk->ids, &walk->num_ids);
}

void rpc_walk_select(struct rpc_walk *walk, size_t channel)
{
	if (walk->ids_of != channel) {
		(void)cursor_match(walk, channel);
	}
}

/* Pass a block unread, as far as it belongs to the walk. */
static everr_t cursor_pass_block(struct rpc_walk *walk, size_t channel,
				 const struct store_block *block)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	uint64_t first = block->first_id;
	uint64_t last = block->last_id;

	if (walk->reverse) {
		first = first > cursor->bound_id ? first : cursor->bound_id;
		last = cursor->next_id;
		cursor_pass(walk, cursor, first);
	} else {
		first = cursor->next_id;
		last = last < cursor->bound_id ? last : cursor->bound_id;
		cursor_pass(walk, cursor, last);
	}
	return walk_tell(walk, channel, first, last, false);
}

/* Whether the block of the next id was passed, since no time in it counts. */
static everr_t cursor_skip_block(struct rpc_walk *walk, size_t channel,
				 bool *ret_passed)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	uint64_t block_id = (cursor->next_id - 1) / STORE_BLOCK_RECORDS *
				    STORE_BLOCK_RECORDS +
			    1;
	struct store_block block;
	everr_t err;

	*ret_passed = false;
	if (cursor->block_id == block_id) {
		return EVERR_OK;
	}
	cursor->block_id = block_id;
	err = store_block(walk->snapshot, cursor->channel, cursor->next_id,
			  &block);
	if (err != EVERR_OK) {
		return err == EVERR_END ? EVERR_OK : err;
	}
	/* The newest block may end before the id that is looked for. */
	if (cursor->next_id < block.first_id ||
	    cursor->next_id > block.last_id) {
		return EVERR_OK;
	}
	if (!cursor->ranged) {
		event_query_time_range(walk->query, (uint32_t)channel,
				       walk->now, &cursor->min_time,
				       &cursor->max_time);
		cursor->ranged = true;
	}
	if (block.max_time >= cursor->min_time &&
	    block.min_time <= cursor->max_time) {
		return EVERR_OK;
	}
	*ret_passed = true;
	return cursor_pass_block(walk, channel, &block);
}

/* Look at one record; the head stays unknown when it does not count. */
static everr_t cursor_look(struct rpc_walk *walk, size_t channel)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	struct store_record *record = &cursor->record;
	everr_t read_err, err;
	bool passed = false;

	if (!cursor_in_bounds(walk, cursor, cursor->next_id)) {
		cursor->head = RPC_HEAD_END;
		return EVERR_OK;
	}

	walk->records_left--;
	if (cursor->timed) {
		err = cursor_skip_block(walk, channel, &passed);
		if (err != EVERR_OK || passed) {
			return err;
		}
	}
	read_err = store_read(walk->snapshot, cursor->channel, cursor->next_id,
			      walk->reverse, record);
	if (read_err == EVERR_END) {
		return cursor_end(walk, channel);
	}
	if (read_err != EVERR_OK && read_err != EVERR_STORE_CORRUPT) {
		return read_err;
	}
	if (!cursor_in_bounds(walk, cursor, record->id)) {
		return cursor_end(walk, channel);
	}

	err = cursor_skip_to(walk, channel, record->id);
	if (err != EVERR_OK) {
		return err;
	}
	if (read_err == EVERR_STORE_CORRUPT) {
		cursor_pass(walk, cursor, record->id);
		return walk_tell(walk, channel, record->id, record->id, true);
	}

	/* The heads of many channels may take many turns to be found. */
	if (record->id == cursor->match_id || cursor_match(walk, channel)) {
		cursor->match_id = record->id;
		cursor->head = RPC_HEAD_MATCH;
		return EVERR_OK;
	}
	/*
	 * Only what is thrown away is charged: heads are looked at again in
	 * every turn, and would use up the turns of a query on large events.
	 */
	walk_charge(walk, record->len);
	cursor_pass(walk, cursor, record->id);
	return EVERR_OK;
}

/* Whether the turn has time for the next record of a channel. */
static bool walk_has_time(const struct rpc_walk *walk,
			  const struct rpc_cursor *cursor)
{
	return cursor->next_id == cursor->match_id || !walk->moved ||
	       clock_ms() < walk->deadline_ms;
}

static everr_t cursor_find(struct rpc_walk *walk, size_t channel)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];
	everr_t err = EVERR_OK;
	bool known;

	while (err == EVERR_OK && cursor->head == RPC_HEAD_UNKNOWN &&
	       walk->records_left > 0 && walk->bytes_left > 0 &&
	       walk_has_time(walk, cursor)) {
		known = cursor->next_id == cursor->match_id;
		err = cursor_look(walk, channel);
		walk->moved |= !known && cursor->head != RPC_HEAD_END;
	}
	return err;
}

static uint64_t record_time(const struct store_record *record)
{
	return record->header.has & EVENT_HAS_TIME ? record->header.time_created
						   : record->received;
}

/* Whether a comes before b, the channel of a having the lower index. */
static bool walk_first(const struct rpc_walk *walk, const struct rpc_cursor *a,
		       const struct rpc_cursor *b)
{
	uint64_t time_a = record_time(&a->record);
	uint64_t time_b = record_time(&b->record);

	return walk->reverse ? time_a > time_b : time_a <= time_b;
}

everr_t rpc_walk_peek(struct rpc_walk *walk, enum rpc_walk_step *ret_step,
		      size_t *ret_channel)
{
	const struct rpc_cursor *best = NULL;
	bool undecided = false;
	everr_t err;
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		const struct rpc_cursor *cursor = &walk->cursors[i];

		err = cursor_find(walk, i);
		if (err != EVERR_OK) {
			return err;
		}
		undecided |= cursor->head == RPC_HEAD_UNKNOWN;
		if (cursor->head == RPC_HEAD_MATCH &&
		    (best == NULL || !walk_first(walk, best, cursor))) {
			best = cursor;
		}
	}

	/* What an unknown head hides might come first. */
	if (undecided) {
		*ret_step = RPC_WALK_AGAIN;
		return EVERR_OK;
	}
	if (best == NULL) {
		*ret_step = RPC_WALK_END;
		return EVERR_OK;
	}
	*ret_step = RPC_WALK_RECORD;
	*ret_channel = (size_t)(best - walk->cursors);
	return EVERR_OK;
}

void rpc_walk_pass(struct rpc_walk *walk, size_t channel)
{
	struct rpc_cursor *cursor = &walk->cursors[channel];

	if (walk->ids_of == channel) {
		walk->ids_of = SIZE_MAX;
	}
	cursor_pass(walk, cursor, cursor->record.id);
}
