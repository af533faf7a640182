/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/lane.h"

const char *forward_cause_text(enum store_gap_cause cause)
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

/* ------------------------------------------------------------- reading */

/* The ids of [next_id, last] have no record, or some of them have none. */
static everr_t look_gap(struct forward_lane *lane,
			const struct forward_reading *reading, uint64_t last,
			struct forward_item *item)
{
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	bool at_most = lane->query != NULL;
	uint64_t missing = 0;
	everr_t err;

	err = store_gap(reading->snapshot, lane->channel, lane->next_id, last,
			&missing, &cause);
	if (err == EVERR_STORE_CORRUPT) {
		missing = last - lane->next_id + 1;
		cause = STORE_GAP_DAMAGED;
		at_most = true;
		err = EVERR_OK;
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (missing == 0) {
		lane->next_id = last + 1;
		item->found = FORWARD_FOUND_PASSED;
		return EVERR_OK;
	}
	item->found = FORWARD_FOUND_GAP;
	item->last_id = last;
	item->gap = (struct forward_gap){
		.first = lane->next_id,
		.last = last,
		.missing = missing,
		.at_most = at_most,
		.cause = forward_cause_text(cause),
	};
	return EVERR_OK;
}

/*
 * The block of the next id may be passed whole by its times.  EVERR_END: it
 * may not, and is not asked again.
 */
static everr_t look_block(struct forward_lane *lane,
			  const struct forward_reading *reading,
			  struct forward_item *item)
{
	uint64_t block_id = (lane->next_id - 1) / STORE_BLOCK_RECORDS + 1;
	uint64_t min_time, max_time;
	struct store_block block;
	everr_t err;

	if (lane->block_id == block_id) {
		return EVERR_END;
	}
	lane->block_id = block_id;
	err = store_block(reading->snapshot, lane->channel, lane->next_id,
			  &block);
	if (err != EVERR_OK) {
		return err == EVERR_STORE_CORRUPT ? EVERR_END : err;
	}
	/* The newest block may end before the id that is looked for. */
	if (lane->next_id < block.first_id || lane->next_id > block.last_id) {
		return EVERR_END;
	}
	event_query_time_range(lane->query, lane->path, reading->now, &min_time,
			       &max_time);
	if (block.max_time >= min_time && block.min_time <= max_time) {
		return EVERR_END;
	}
	return look_gap(lane, reading, block.last_id, item);
}

static everr_t look_end(struct forward_lane *lane,
			const struct forward_reading *reading,
			struct forward_item *item)
{
	uint64_t oldest_id, next_id;

	store_bounds(reading->snapshot, lane->channel, &oldest_id, &next_id);
	if (next_id > lane->next_id) {
		return look_gap(lane, reading, next_id - 1, item);
	}
	item->found = FORWARD_FOUND_END;
	return EVERR_OK;
}

static bool lane_match(const struct forward_lane *lane,
		       const struct forward_reading *reading,
		       const struct store_record *record)
{
	const struct event_view view = {
		.header = &record->header,
		.dict = reading->dict,
		.data = record->data,
		.len = record->len,
		.now = reading->now,
	};
	size_t num_ids;

	return event_query_match(lane->query, lane->path, &view, reading->ids,
				 &num_ids);
}

static everr_t look_record(struct forward_lane *lane,
			   const struct forward_reading *reading,
			   struct forward_item *item)
{
	struct store_record *record = &item->record;
	everr_t err;

	err = store_read(reading->snapshot, lane->channel, lane->next_id, false,
			 record);
	if (err == EVERR_END) {
		return look_end(lane, reading, item);
	}
	if (err != EVERR_OK && err != EVERR_STORE_CORRUPT) {
		return err;
	}
	if (record->id > lane->next_id) {
		return look_gap(lane, reading, record->id - 1, item);
	}
	item->last_id = record->id;
	/* Nobody knows what it was: it is told of, whatever the query. */
	if (err == EVERR_STORE_CORRUPT) {
		item->found = FORWARD_FOUND_DAMAGED;
		return EVERR_OK;
	}
	if (lane->query != NULL && !lane_match(lane, reading, record)) {
		lane->next_id = record->id + 1;
		item->found = FORWARD_FOUND_PASSED;
		return EVERR_OK;
	}
	item->found = FORWARD_FOUND_RECORD;
	return EVERR_OK;
}

everr_t forward_lane_look(struct forward_lane *lane,
			  const struct forward_reading *reading,
			  struct forward_item *ret_item)
{
	everr_t err;

	ret_item->record.len = 0;
	if (lane->jump.last != 0 && !lane->jump_handed) {
		ret_item->found = FORWARD_FOUND_GAP;
		ret_item->last_id = lane->next_id - 1;
		ret_item->gap = lane->jump;
		return EVERR_OK;
	}
	if (lane->channel == NULL) {
		ret_item->found = FORWARD_FOUND_END;
		return EVERR_OK;
	}
	if (lane->timed) {
		err = look_block(lane, reading, ret_item);
		if (err != EVERR_END) {
			return err;
		}
	}
	return look_record(lane, reading, ret_item);
}

void forward_lane_take(struct forward_lane *lane,
		       const struct forward_item *item)
{
	lane->next_id = item->last_id + 1;
	lane->jump_handed = lane->jump.last != 0;
	lane->in_flight++;
	if (item->found == FORWARD_FOUND_GAP && item->last_id > lane->told_id) {
		lane->told_id = item->last_id;
	}
	if (item->last_id > lane->handed_id) {
		lane->handed_id = item->last_id;
	}
}

/* ------------------------------------------------------------ position */

void forward_lane_arrived(struct forward_lane *lane, uint64_t id)
{
	lane->in_flight--;
	if (lane->jump_handed) {
		lane->jump.last = 0;
		lane->jump_handed = false;
	}
	if (id > lane->position) {
		lane->position = id;
	}
	forward_lane_settle(lane);
	if (lane->refused_id != 0 && lane->position >= lane->refused_id) {
		forward_lane_release(lane);
	}
}

void forward_lane_settle(struct forward_lane *lane)
{
	if (lane->in_flight == 0) {
		lane->position = lane->next_id - 1;
	}
}

void forward_lane_back(struct forward_lane *lane)
{
	lane->next_id = lane->position + 1;
	lane->block_id = 0;
	lane->in_flight = 0;
	lane->jump_handed = false;
	lane->epoch++;
}

void forward_lane_release(struct forward_lane *lane)
{
	lane->refused_id = 0;
	TALLOC_FREE(lane->held);
}

void forward_lane_move(struct forward_lane *lane, uint64_t next_id)
{
	forward_lane_release(lane);
	lane->position = next_id - 1;
	lane->handed_id = 0;
	lane->told_id = next_id - 1;
	lane->jump.last = 0;
	lane->placed = true;
	forward_lane_back(lane);
}

void forward_lane_bounds(const struct forward_lane *lane, uint64_t *ret_oldest,
			 uint64_t *ret_next)
{
	struct store_channel_info info;

	*ret_oldest = 1;
	*ret_next = 1;
	if (lane->channel == NULL) {
		return;
	}
	store_channel_info(lane->channel, &info);
	*ret_next = info.next_id;
	*ret_oldest = info.oldest_id != 0 ? info.oldest_id : info.next_id;
}

/* --------------------------------------------------------------- query */

bool forward_lane_takes_all(const struct event_query *query, uint32_t path)
{
	bool all = false;
	size_t i, k;

	for (i = 0; i < query->num_subqueries; i++) {
		const struct event_subquery *sub = &query->subqueries[i];

		for (k = 0; k < sub->num_suppresses; k++) {
			if (sub->suppresses[k].path == path) {
				return false;
			}
		}
		for (k = 0; k < sub->num_selects; k++) {
			all |= sub->selects[k].path == path &&
			       event_filter_matches_all(sub->selects[k].filter);
		}
	}
	return all;
}
