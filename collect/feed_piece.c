/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/feed_internal.h"

#include "collect/digest.h"
#include "event/event.h"

#include <string.h>

/* The walk through a batch that makes a piece of it. */
struct cutting {
	const struct feed_batch *batch;
	const struct feed_rules *rules;
	struct feed_piece *piece;
	const struct feed_event *last; /* that was read: the position's */
	uint64_t malformed; /* result records since the event before */
	uint64_t again;	    /* as in the rules, until an event is new */
	bool prove;
	everr_t err;
};

/*
 * Records that are missing before this one.  Of a filter's results only those
 * are known that came, and could not be read.
 */
static void count_missing(struct cutting *cut, uint64_t id)
{
	struct feed_piece *piece = cut->piece;
	uint64_t before = piece->position.record_id;
	uint64_t unreadable = cut->malformed;
	struct collect_gap gap = {.cause = COLLECT_GAP_NONE};
	bool overwritten;

	cut->malformed = 0;
	if (cut->rules->filtered || before == 0) {
		if (unreadable > 0) {
			gap.missing = unreadable;
			gap.cause = COLLECT_GAP_UNREADABLE;
			gap.last = id - 1;
			collect_gap_add(&piece->tally, &gap);
		}
		return;
	}
	if (id == before + 1) {
		return;
	}
	gap = collect_gap_range(before + 1, id - 1, COLLECT_GAP_SKIPPED,
				COLLECT_GAP_EXACT);
	if (unreadable > 0) {
		struct collect_gap bad = gap;

		bad.cause = COLLECT_GAP_UNREADABLE;
		if (bad.missing > unreadable) {
			bad.missing = unreadable;
		}
		gap.missing -= bad.missing;
		collect_gap_add(&piece->tally, &bad);
	}
	if (gap.missing == 0) {
		return;
	}
	piece->jumped = true;
	overwritten = cut->rules->oldest > before + 1;
	gap.cause = overwritten ? COLLECT_GAP_OVERWRITTEN : COLLECT_GAP_SKIPPED;
	collect_gap_add(&piece->tally, &gap);
}

static void count_refused(struct feed_piece *piece, uint64_t id)
{
	struct collect_gap gap = collect_gap_range(id, id, COLLECT_GAP_REFUSED,
						   COLLECT_GAP_EXACT);

	collect_gap_add(&piece->tally, &gap);
}

static void take_event(struct cutting *cut, size_t index)
{
	const struct feed_event *event = &cut->batch->events[index];
	struct feed_piece *piece = cut->piece;

	count_missing(cut, event->record_id);
	piece->position.record_id = event->record_id;
	piece->changed = true;
	cut->last = event;
	cut->again = 0;
	if (event->refused != EVERR_OK) {
		count_refused(piece, event->record_id);
		return;
	}
	piece->inputs[piece->num] = (struct store_input){
		.doc = event->doc,
		.len = event->len,
		.origin = cut->rules->origin,
		.origin_mark = event->mark,
	};
	piece->events[piece->num] = index;
	piece->num++;
	piece->bytes += event->len;
	piece->position.events++;
}

/* The event of the position's number: whether it is the one that was stored. */
static void cut_prove(struct cutting *cut, const struct feed_event *event)
{
	struct feed_piece *piece = cut->piece;
	struct collect_digest digest;

	cut->prove = false;
	cut->err = collect_digest(piece, event->doc, event->len, &digest);
	piece->proved = cut->err == EVERR_OK &&
			memcmp(digest.hash, piece->position.hash,
			       COLLECT_HASH_SIZE) == 0;
	piece->unproved = !piece->proved;
}

/* An event that is not behind the position.  False: no further. */
static bool cut_old(struct cutting *cut, const struct feed_event *event)
{
	struct feed_piece *piece = cut->piece;

	if (event->record_id > cut->again) {
		piece->stepped_back = true;
		return false;
	}
	if (cut->prove && event->record_id == piece->position.record_id) {
		cut_prove(cut, event);
	}
	return !piece->unproved;
}

/* False: no further. */
static bool cut_event(struct cutting *cut, size_t index)
{
	const struct feed_event *event = &cut->batch->events[index];
	struct feed_piece *piece = cut->piece;

	if (event->doc == NULL) {
		cut->malformed++;
		return true;
	}
	if (event->record_id <= piece->position.record_id) {
		return cut_old(cut, event);
	}
	if (cut->prove) {
		piece->unproved = true;
		return false;
	}
	if (piece->num > 0 && piece->bytes + event->len > FEED_PIECE_BYTES) {
		return false;
	}
	take_event(cut, index);
	return true;
}

/* Those at the end of a batch are counted with it. */
static void count_malformed_tail(struct cutting *cut)
{
	struct collect_gap gap = {
		.missing = cut->malformed,
		.cause = COLLECT_GAP_UNREADABLE,
	};

	if (cut->malformed > 0 && cut->rules->filtered) {
		collect_gap_add(&cut->piece->tally, &gap);
		cut->piece->changed = true;
	}
}

static everr_t cut_position(struct cutting *cut)
{
	struct collect_position *position = &cut->piece->position;
	struct collect_digest digest;
	everr_t err;

	if (cut->last != NULL) {
		err = collect_digest(cut->piece, cut->last->doc, cut->last->len,
				     &digest);
		if (err != EVERR_OK) {
			return err;
		}
		position->time_created = digest.time_created;
		memcpy(position->hash, digest.hash, COLLECT_HASH_SIZE);
	}
	if (position->passed < position->record_id) {
		position->passed = 0;
	}
	collect_gap_commit(position, &cut->piece->tally);
	return EVERR_OK;
}

everr_t feed_piece_cut(struct feed_batch *batch,
		       const struct collect_position *position,
		       const struct feed_rules *rules,
		       struct feed_piece **ret_piece)
{
	struct feed_piece *piece = talloc_zero(batch, struct feed_piece);
	struct cutting cut = {.batch = batch,
			      .rules = rules,
			      .piece = piece,
			      .again = rules->again,
			      .prove = rules->prove};
	size_t left = batch->num - batch->done;
	everr_t err;
	size_t i;

	if (piece == NULL) {
		return EVERR_NOMEM;
	}
	piece->inputs = talloc_array(piece, struct store_input, left);
	piece->events = talloc_array(piece, size_t, left);
	if (piece->inputs == NULL || piece->events == NULL) {
		TALLOC_FREE(piece);
		return EVERR_NOMEM;
	}
	piece->position = *position;
	for (i = batch->done; i < batch->num && cut_event(&cut, i); i++) {
	}
	piece->end = i;
	if (i == batch->num) {
		count_malformed_tail(&cut);
	} else if (!piece->stepped_back && !piece->unproved) {
		/* They are counted with the event behind them. */
		piece->end -= cut.malformed;
	}
	err = cut.err != EVERR_OK ? cut.err : cut_position(&cut);
	if (err != EVERR_OK) {
		TALLOC_FREE(piece);
		return err;
	}
	*ret_piece = piece;
	return EVERR_OK;
}

/* Whether it is the event's fault. */
static bool is_refusal(everr_t err)
{
	return err != EVERR_OK && err != EVERR_NOMEM;
}

/*
 * One look at all of them: to be told of the next bad one by each attempt
 * would take quadratic time.
 */
everr_t feed_piece_judge(struct feed_batch *batch,
			 const struct feed_piece *piece, size_t bad,
			 everr_t why)
{
	TALLOC_CTX *frame = talloc_new(batch);
	struct event_packer *packer = NULL;
	struct event_dict *dict = NULL;
	struct event_packed packed;
	everr_t err = EVERR_OK;
	size_t i;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	dict = event_dict_create(frame, NULL);
	packer = dict != NULL ? event_packer_create(frame, dict) : NULL;
	if (packer == NULL) {
		talloc_free(frame);
		return EVERR_NOMEM;
	}
	batch->events[piece->events[bad]].refused = why;
	for (i = bad + 1; i < piece->num && err != EVERR_NOMEM; i++) {
		err = event_pack(packer, piece->inputs[i].doc,
				 piece->inputs[i].len, &packed);
		if (is_refusal(err)) {
			batch->events[piece->events[i]].refused = err;
		}
	}
	talloc_free(frame);
	return err == EVERR_NOMEM ? err : EVERR_OK;
}
