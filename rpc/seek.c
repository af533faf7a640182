/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/seek.h"

#include "rpc/resume.h"

struct rpc_seek {
	struct rpc_reader *reader;
	struct rpc_walk *walk; /* what moves until the place is found */
	enum rpc_seek_origin origin;
	int64_t pos;
	bool strict;
	const struct event_bookmark_list *bookmarks;
	bool placed;   /* walk stands at the origin */
	bool back;     /* walk has been turned round */
	uint64_t left; /* records still to be passed */
	bool check;    /* there has to be a record in the end */
	bool passed;   /* any; the last one is: */
	size_t passed_channel;
	uint64_t passed_id;
};

/* |pos|, also for the lowest number there is. */
static uint64_t distance(int64_t pos)
{
	return pos < 0 ? (uint64_t) - (pos + 1) + 1 : (uint64_t)pos;
}

everr_t rpc_seek_create(TALLOC_CTX *mem_ctx, struct rpc_reader *reader,
			enum rpc_seek_origin origin, int64_t pos, bool strict,
			const struct event_bookmark_list *bookmarks,
			struct rpc_seek **ret_seek)
{
	struct rpc_seek *seek = NULL;
	everr_t err;

	if ((origin == RPC_SEEK_FIRST && pos < 0) ||
	    (origin == RPC_SEEK_LAST && pos > 0)) {
		return EVERR_INVALID;
	}
	if (origin == RPC_SEEK_BOOKMARK &&
	    (bookmarks == NULL || bookmarks->num_bookmarks == 0)) {
		return EVERR_INVALID;
	}

	seek = talloc_zero(mem_ctx, struct rpc_seek);
	if (seek == NULL) {
		return EVERR_NOMEM;
	}
	seek->reader = reader;
	seek->origin = origin;
	seek->pos = pos;
	seek->strict = strict;
	seek->bookmarks = bookmarks;
	err = rpc_walk_copy(seek, reader->walk, &seek->walk);
	if (err != EVERR_OK) {
		TALLOC_FREE(seek);
		return err;
	}

	*ret_seek = seek;
	return EVERR_OK;
}

/* -------------------------------------------------------- the bookmark */

/* The id next to a bookmarked one; 0: the channel has no record. */
static everr_t nearest_id(struct rpc_walk *walk, size_t channel, uint64_t id,
			  uint64_t *ret_id)
{
	struct store_channel *store_channel = walk->cursors[channel].channel;
	struct store_record above = {};
	struct store_record below = {};
	everr_t err;

	err = store_read(walk->snapshot, store_channel, id, false, &above);
	if (err != EVERR_OK && err != EVERR_END && err != EVERR_STORE_CORRUPT) {
		return err;
	}
	err = store_read(walk->snapshot, store_channel, id, true, &below);
	if (err != EVERR_OK && err != EVERR_END && err != EVERR_STORE_CORRUPT) {
		return err;
	}

	if (below.id == 0 || (above.id != 0 && above.id - id < id - below.id)) {
		*ret_id = above.id;
	} else {
		*ret_id = below.id;
	}
	return EVERR_OK;
}

/* Keep a reverse query inside its result set. */
static uint64_t clamp_newest(const struct rpc_seek *seek, size_t channel,
			     uint64_t id)
{
	uint64_t newest_id = seek->reader->newest_ids[channel];

	return seek->walk->reverse && id > newest_id ? newest_id : id;
}

static everr_t place_current(struct rpc_seek *seek, size_t channel, uint64_t id)
{
	struct rpc_cursor *cursor = &seek->walk->cursors[channel];
	uint64_t at_id = 0;
	everr_t err;

	err = nearest_id(seek->walk, channel, id, &at_id);
	if (err != EVERR_OK) {
		return err;
	}
	if (at_id != id && seek->strict) {
		return EVERR_NOT_FOUND;
	}
	if (at_id == 0) {
		return EVERR_OK;
	}
	/* Only a reverse query comes here with a positive position. */
	if (seek->pos > 0) {
		at_id = id == 0 ? 0 : id - 1;
	}
	cursor->next_id = clamp_newest(seek, channel, at_id);
	return EVERR_OK;
}

/*
 * The other channels of a bookmark name the last record passed in the
 * direction of the query it came from.
 */
static void place_other(struct rpc_seek *seek, size_t channel, uint64_t id)
{
	struct rpc_walk *walk = seek->walk;
	struct rpc_cursor *cursor = &walk->cursors[channel];
	uint64_t first_id, next_id;

	if (id == 0) {
		return;
	}
	rpc_reader_bounds(walk, channel, &first_id, &next_id);
	if (seek->bookmarks->backward == walk->reverse && walk->reverse) {
		id--;
	} else if (seek->bookmarks->backward == walk->reverse) {
		id = id < next_id ? id + 1 : next_id;
	}
	if (!walk->reverse && id < first_id) {
		id = first_id;
	}
	if (!walk->reverse && id > next_id) {
		id = next_id;
	}
	cursor->next_id = clamp_newest(seek, channel, id);
}

static everr_t place_bookmark(struct rpc_seek *seek)
{
	const struct event_bookmark *current =
		event_bookmark_current(seek->bookmarks);
	struct rpc_walk *walk = seek->walk;
	bool found = false;
	everr_t err = EVERR_OK;
	size_t i;

	rpc_reader_place_first(seek->reader, walk);
	for (i = 0; i < walk->num_channels && err == EVERR_OK; i++) {
		const struct event_bookmark *bookmark = event_bookmark_find(
			seek->bookmarks, walk->query->paths[i]);

		if (bookmark == NULL || walk->cursors[i].channel == NULL) {
			continue;
		}
		if (bookmark == current) {
			found = true;
			err = place_current(seek, i, bookmark->record_id);
		} else {
			place_other(seek, i, bookmark->record_id);
		}
	}
	if (err != EVERR_OK || found) {
		return err;
	}

	/* A bookmark of another log: all there is, and a word about it. */
	if (seek->strict) {
		return EVERR_NOT_FOUND;
	}
	rpc_reader_place_first(seek->reader, walk);
	rpc_reader_report_bookmark(seek->reader, current->channel,
				   current->record_id, 0, 0);
	return EVERR_OK;
}

/* ---------------------------------------------------------- the origin */

/* Behind the last result, looking back. */
static void place_end(struct rpc_seek *seek)
{
	struct rpc_walk *walk = seek->walk;
	uint64_t first_id, next_id;
	size_t i;

	for (i = 0; i < walk->num_channels; i++) {
		struct rpc_cursor *cursor = &walk->cursors[i];

		if (cursor->channel == NULL) {
			continue;
		}
		rpc_reader_bounds(walk, i, &first_id, &next_id);
		cursor->next_id = walk->reverse ? first_id - 1 : next_id;
	}
}

/* Turned round, the walk ends where the results begin. */
static void turn_back(struct rpc_seek *seek)
{
	struct rpc_walk *walk = seek->walk;
	uint64_t first_id, next_id;
	size_t i;

	rpc_walk_turn_round(walk);
	seek->back = true;
	for (i = 0; i < walk->num_channels; i++) {
		struct rpc_cursor *cursor = &walk->cursors[i];

		if (cursor->channel == NULL) {
			continue;
		}
		rpc_reader_bounds(walk, i, &first_id, &next_id);
		cursor->bound_id =
			walk->reverse ? first_id : seek->reader->newest_ids[i];
	}
}

static everr_t seek_place(struct rpc_seek *seek)
{
	everr_t err = EVERR_OK;

	seek->left = distance(seek->pos);
	switch (seek->origin) {
	case RPC_SEEK_FIRST:
		rpc_reader_place_first(seek->reader, seek->walk);
		break;
	case RPC_SEEK_LAST:
		place_end(seek);
		turn_back(seek);
		seek->left++;
		break;
	case RPC_SEEK_CURRENT:
		break;
	case RPC_SEEK_BOOKMARK:
		if (seek->pos > 0) {
			seek->left--;
		}
		if (seek->pos > 0 && !seek->walk->reverse) {
			err = rpc_resume_place(seek->reader, seek->walk,
					       seek->bookmarks, seek->strict);
		} else {
			err = place_bookmark(seek);
		}
		break;
	}
	if (err != EVERR_OK) {
		return err;
	}

	if (seek->pos < 0 && !seek->back) {
		turn_back(seek);
	}
	seek->check = !seek->back && (seek->strict || seek->left > 0);
	seek->placed = true;
	return EVERR_OK;
}

/* ------------------------------------------------------------- the way */

/* No record where one was looked for: the nearest is the last one passed. */
static everr_t seek_short(struct rpc_seek *seek)
{
	if (seek->strict) {
		return EVERR_NOT_FOUND;
	}
	if (seek->passed && !seek->back) {
		seek->walk->cursors[seek->passed_channel].next_id =
			seek->passed_id;
	}
	return EVERR_OK;
}

static void seek_pass(struct rpc_seek *seek, size_t channel)
{
	seek->passed = true;
	seek->passed_channel = channel;
	seek->passed_id = seek->walk->cursors[channel].record.id;
	rpc_walk_pass(seek->walk, channel);
	seek->left--;
}

static everr_t seek_go(struct rpc_seek *seek, enum rpc_progress *ret_progress)
{
	while (seek->left > 0 || seek->check) {
		enum rpc_walk_step step;
		size_t channel = 0;
		everr_t err;

		err = rpc_walk_peek(seek->walk, &step, &channel);
		if (err != EVERR_OK) {
			return err;
		}
		if (step == RPC_WALK_AGAIN) {
			*ret_progress = RPC_READER_AGAIN;
			return EVERR_OK;
		}
		if (step == RPC_WALK_END) {
			*ret_progress = RPC_READER_READY;
			return seek_short(seek);
		}
		if (seek->left == 0) {
			break;
		}
		seek_pass(seek, channel);
	}
	*ret_progress = RPC_READER_READY;
	return EVERR_OK;
}

everr_t rpc_seek_turn(struct rpc_seek *seek, enum rpc_progress *ret_progress)
{
	enum rpc_progress progress = RPC_READER_AGAIN;
	everr_t err;

	err = rpc_walk_begin(seek->walk);
	if (err != EVERR_OK) {
		return err;
	}
	if (!seek->placed) {
		err = seek_place(seek);
	}
	if (err == EVERR_OK) {
		err = seek_go(seek, &progress);
	}
	rpc_walk_end(seek->walk);
	if (err != EVERR_OK) {
		return err;
	}

	if (progress == RPC_READER_READY) {
		if (seek->back) {
			rpc_walk_turn_round(seek->walk);
		}
		rpc_walk_move_to(seek->reader->walk, seek->walk);
	}
	*ret_progress = progress;
	return EVERR_OK;
}
