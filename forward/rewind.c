/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/rewind.h"

#include "base/text.h"
#include "event/bookmark.h"
#include "forward/output.h"

#include <string.h>

/* Channels looked at in one turn of the loop. */
#define TURN_LANES 32
/* Channels that a message names. */
#define MESSAGE_LANES 16

struct rewind_state {
	struct tevent_context *ev;
	struct tevent_req *req;
	struct forward_output *output; /* NULL: it is gone */
	enum forward_rewind_kind kind;
	uint64_t value;
	struct forward_lane *lane; /* NULL: all */
	struct event_bookmark_list *bookmarks;
	struct turn turn;
	size_t next_lane;
	size_t found;
	size_t moved;
	struct tevent_req *write;
	char *message;
};

/* ---------------------------------------------------------------- time */

/* The record from id on whose time is known; EVERR_END: none before end. */
static everr_t read_timed(struct store_snapshot *snapshot,
			  struct store_channel *channel, uint64_t id,
			  struct store_record *record)
{
	everr_t err = EVERR_STORE_CORRUPT;
	size_t i;

	for (i = 0;
	     err == EVERR_STORE_CORRUPT && i < FORWARD_REWIND_DAMAGED_MAX;
	     i++) {
		err = store_read(snapshot, channel, id, false, record);
		id = record->id + 1;
	}
	return err;
}

everr_t forward_rewind_find(struct store_snapshot *snapshot,
			    struct store_channel *channel, uint64_t time,
			    uint64_t *ret_id)
{
	struct store_record record = {};
	uint64_t low, high;
	everr_t err;

	store_bounds(snapshot, channel, &low, &high);
	if (low == 0) {
		low = high;
	}
	/* Below low all were received before; high and beyond none was. */
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		err = read_timed(snapshot, channel, mid, &record);
		if (err != EVERR_OK && err != EVERR_END &&
		    err != EVERR_STORE_CORRUPT) {
			return err;
		}
		if (err == EVERR_OK && record.received < time) {
			low = record.id + 1;
		} else {
			high = mid;
		}
	}
	*ret_id = low;
	return EVERR_OK;
}

/* ------------------------------------------------------------- the place */

static everr_t refuse(struct rewind_state *state, everr_t err,
		      const struct forward_lane *lane, const char *what,
		      uint64_t newest)
{
	state->message = talloc_asprintf(
		state, "%s: %s; the newest record of the channel is %llu",
		lane->name, what, (unsigned long long)newest);
	return err;
}

/* The id to go on with; 0: the lane stays where it is. */
static everr_t lane_target(struct rewind_state *state,
			   const struct forward_lane *lane,
			   struct store_snapshot *snapshot, uint64_t *ret_id)
{
	const struct event_bookmark *bookmark = NULL;
	uint64_t oldest, next;

	*ret_id = 0;
	if (lane->channel == NULL || !lane->placed) {
		return EVERR_OK;
	}
	store_bounds(snapshot, lane->channel, &oldest, &next);
	switch (state->kind) {
	case FORWARD_REWIND_OLDEST:
		*ret_id = oldest != 0 ? oldest : next;
		break;
	case FORWARD_REWIND_TIME:
		return forward_rewind_find(snapshot, lane->channel,
					   state->value, ret_id);
	case FORWARD_REWIND_RECORD:
		if (state->value == 0 || state->value > next) {
			return refuse(state, EVERR_INVALID, lane,
				      "there is no such record", next - 1);
		}
		*ret_id = state->value;
		break;
	case FORWARD_REWIND_BOOKMARK:
		bookmark = event_bookmark_find(state->bookmarks, lane->name);
		if (bookmark == NULL) {
			break;
		}
		if (bookmark->record_id >= next) {
			return refuse(state, EVERR_INVALID, lane,
				      "the bookmark is not of this channel",
				      next - 1);
		}
		*ret_id = bookmark->record_id + 1;
		break;
	}
	return EVERR_OK;
}

static bool state_has(const struct rewind_state *state,
		      const struct forward_lane *lane)
{
	return state->lane == NULL || state->lane == lane;
}

/* Some lanes; *ret_done: these were the last. */
static everr_t find_targets(struct rewind_state *state, bool *ret_done)
{
	struct forward_output *output = state->output;
	struct store_snapshot *snapshot = NULL;
	size_t end = state->next_lane + TURN_LANES;
	everr_t err;

	err = store_snapshot_begin(output->forwarder->store, &snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	while (err == EVERR_OK && state->next_lane < end &&
	       state->next_lane < output->num_lanes) {
		struct forward_lane *lane = output->lanes[state->next_lane];

		state->next_lane++;
		if (state_has(state, lane)) {
			err = lane_target(state, lane, snapshot,
					  &lane->rewind_id);
			state->found += lane->rewind_id != 0;
		}
	}
	store_snapshot_end(snapshot);
	*ret_done = state->next_lane >= output->num_lanes;
	return err;
}

/* -------------------------------------------------------------- the move */

static void report_move(const struct forward_output *output,
			const struct forward_lane *lane)
{
	char number[21];
	const char *fields[] = {"Output",   output->config->name, "Channel",
				lane->name, "RecordId",		  number};
	size_t num = 3;

	snprintf(number, sizeof(number), "%llu",
		 (unsigned long long)lane->next_id);
	operational_report(output->forwarder->operational,
			   OPERATIONAL_OUTPUT_REWOUND, NULL, fields, num);
}

/* The records that there are from one id to before another. */
static struct forward_gap passed_over(const struct forward_lane *lane,
				      struct store_snapshot *snapshot,
				      uint64_t from, uint64_t to)
{
	enum store_gap_cause cause;
	uint64_t absent = 0;
	everr_t err;

	err = store_gap(snapshot, lane->channel, from, to - 1, &absent, &cause);
	return (struct forward_gap){
		.first = from,
		.last = to - 1,
		.missing = to - from - (err == EVERR_OK ? absent : 0),
		.at_most = lane->query != NULL || err != EVERR_OK,
		.cause = "rewound",
	};
}

/*
 * What lies between is passed over: a gap, for as many as there are.  One that
 * the receiver has not heard of yet, untold, becomes part of it as it was
 * counted, and is not counted again; its records may be gone by now.
 */
static void jump_forward(struct forward_output *output,
			 struct store_snapshot *snapshot,
			 struct forward_lane *lane,
			 const struct forward_gap *untold, uint64_t from,
			 uint64_t to)
{
	struct forward_gap gap = {};

	if (to > from) {
		gap = passed_over(lane, snapshot, from, to);
		if (gap.missing > 0) {
			forward_output_tell_gap(output, lane, &gap,
						gap.missing);
		}
	}
	if (untold->last != 0 && to >= from) {
		gap = (struct forward_gap){
			.first = untold->first,
			.last = to - 1,
			.missing = untold->missing + gap.missing,
			.at_most = untold->at_most || gap.at_most,
			.cause = untold->cause,
		};
	} else if (untold->last != 0 && to > untold->first) {
		gap = passed_over(lane, snapshot, untold->first, to);
	}
	if (gap.missing > 0) {
		lane->jump = gap;
	}
}

/* For the person who asked; of many channels a few. */
static void tell_move(struct rewind_state *state,
		      const struct forward_lane *lane, uint64_t to)
{
	char *line = NULL;

	state->moved++;
	if (state->moved > MESSAGE_LANES) {
		return;
	}
	line = talloc_asprintf(state, "%s%s%s: goes on with record %llu",
			       state->message != NULL ? state->message : "",
			       state->message != NULL ? "\n" : "", lane->name,
			       (unsigned long long)to);
	if (line != NULL) {
		talloc_free(state->message);
		state->message = line;
	}
}

static void lane_rewind(struct rewind_state *state,
			struct store_snapshot *snapshot,
			struct forward_lane *lane)
{
	struct forward_output *output = state->output;
	uint64_t from = lane->position + 1;
	const struct forward_gap untold = lane->jump;
	uint64_t to = lane->rewind_id;

	lane->rewind_id = 0;
	forward_lane_move(lane, to);
	jump_forward(output, snapshot, lane, &untold, from, to);
	report_move(output, lane);
	tell_move(state, lane, to);
	forward_output_wake(output, lane);
}

static everr_t move_lanes(struct rewind_state *state)
{
	struct forward_output *output = state->output;
	struct store_snapshot *snapshot = NULL;
	everr_t err;
	size_t i;

	err = store_snapshot_begin(output->forwarder->store, &snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < output->num_lanes; i++) {
		struct forward_lane *lane = output->lanes[i];

		if (lane->rewind_id != 0 && lane->channel != NULL) {
			lane_rewind(state, snapshot, lane);
		}
	}
	store_snapshot_end(snapshot);
	return EVERR_OK;
}

/* --------------------------------------------------------------- request */

/* The output may write its position again. */
static void let_go(struct rewind_state *state)
{
	struct forward_output *output = state->output;
	size_t i;

	turn_cancel(&state->turn);
	if (output == NULL) {
		return;
	}
	for (i = 0; i < output->num_lanes; i++) {
		output->lanes[i]->rewind_id = 0;
	}
	/* Given up while it was written: what is on disk is not so. */
	output->dirty |= state->write != NULL;
	output->rewind = NULL;
	output->written = NULL;
	state->output = NULL;
}

static void rewind_cleanup(struct tevent_req *req,
			   enum tevent_req_state req_state)
{
	struct rewind_state *state = tevent_req_data(req, struct rewind_state);

	(void)req_state;
	let_go(state);
	TALLOC_FREE(state->write);
}

static void finish(struct rewind_state *state, everr_t err)
{
	if (err != EVERR_OK) {
		tevent_req_error(state->req, err);
	} else {
		tevent_req_done(state->req);
	}
}

static void write_done(struct tevent_req *subreq)
{
	struct rewind_state *state =
		tevent_req_callback_data(subreq, struct rewind_state);
	struct forward_output *output = state->output;
	uint64_t first_id;
	everr_t err;
	size_t bad;

	err = store_append_recv(subreq, &first_id, &bad);
	TALLOC_FREE(state->write);
	if (err == EVERR_OK) {
		err = move_lanes(state);
	}
	/* Others have moved on, or have begun, while it was written. */
	output->settled |= err == EVERR_OK && !output->dirty;
	output->dirty = true;
	finish(state, err);
}

static void write_begin(struct rewind_state *state)
{
	struct forward_output *output = state->output;

	state->write = forward_output_write_send(state, output, true);
	if (state->write == NULL) {
		finish(state, EVERR_NOMEM);
		return;
	}
	tevent_req_set_callback(state->write, write_done, state);
	output->dirty = false;
}

/* The write that was under way has ended, or the output has. */
static void output_written(struct forward_output *output)
{
	struct rewind_state *state =
		tevent_req_data(output->rewind, struct rewind_state);

	if (output->gone) {
		finish(state, EVERR_CANCELLED);
	} else if (state->turn.private_data == NULL) {
		write_begin(state);
	}
}

static void rewind_turn(void *private_data)
{
	struct rewind_state *state =
		talloc_get_type_abort(private_data, struct rewind_state);
	struct forward_output *output = state->output;
	bool done = false;
	everr_t err;

	err = find_targets(state, &done);
	if (err == EVERR_OK && !done) {
		turn_schedule(output->forwarder->turns, &state->turn);
		return;
	}
	if (err == EVERR_OK && state->found == 0) {
		state->message = talloc_strdup(
			state, "none of its channels is named there");
		err = EVERR_CHANNEL_NOT_FOUND;
	}
	if (err != EVERR_OK) {
		finish(state, err);
		return;
	}
	/* From here on the place is known. */
	state->turn.private_data = NULL;
	if (output->write == NULL) {
		write_begin(state);
	}
}

static everr_t check_bookmark(struct rewind_state *state, const char *text)
{
	everr_t err;

	if (text == NULL) {
		return EVERR_INVALID;
	}
	err = event_bookmark_parse(state, text, strlen(text),
				   &state->bookmarks);
	if (err != EVERR_OK) {
		return err;
	}
	if (state->bookmarks->num_bookmarks == 0) {
		return EVERR_BOOKMARK_SYNTAX;
	}
	if (state->bookmarks->backward) {
		state->message = talloc_strdup(
			state, "the bookmark is of reading backwards");
		return EVERR_INVALID;
	}
	return EVERR_OK;
}

static everr_t check(struct rewind_state *state,
		     const struct forward_rewind *rewind)
{
	struct forward_output *output = state->output;

	if (output->rewind != NULL) {
		state->message = talloc_strdup(
			state, "another rewind of it is under way");
		return EVERR_LIMIT;
	}
	if (rewind->channel != NULL) {
		state->lane = forward_output_lane(output, rewind->channel);
		if (state->lane == NULL || state->lane->channel == NULL) {
			return EVERR_CHANNEL_NOT_FOUND;
		}
	}
	switch (rewind->kind) {
	case FORWARD_REWIND_OLDEST:
	case FORWARD_REWIND_TIME:
		return EVERR_OK;
	case FORWARD_REWIND_RECORD:
		if (state->lane == NULL) {
			state->message = talloc_strdup(
				state, "a record is one of a channel: name it");
			return EVERR_INVALID;
		}
		return EVERR_OK;
	case FORWARD_REWIND_BOOKMARK:
		return check_bookmark(state, rewind->bookmark);
	}
	return EVERR_INVALID;
}

struct tevent_req *forward_rewind_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct forwarder *forwarder,
				       const struct forward_rewind *rewind)
{
	struct forward_output *output =
		forwarder_find(forwarder, rewind->output);
	struct rewind_state *state = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct rewind_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->req = req;
	state->kind = rewind->kind;
	state->value = rewind->value;
	if (output == NULL) {
		tevent_req_error(req, EVERR_NOT_FOUND);
		return tevent_req_post(req, ev);
	}
	state->output = output;
	err = check(state, rewind);
	if (err != EVERR_OK) {
		state->output = NULL;
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}

	/* The output may end it in its own destructor. */
	tevent_req_defer_callback(req, ev);
	tevent_req_set_cleanup_fn(req, rewind_cleanup);
	output->rewind = req;
	output->written = output_written;
	state->turn = (struct turn){.fn = rewind_turn, .private_data = state};
	turn_schedule(forwarder->turns, &state->turn);
	return req;
}

everr_t forward_rewind_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    char **ret_message)
{
	struct rewind_state *state = tevent_req_data(req, struct rewind_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;
	everr_t err = EVERR_OK;

	if (tevent_req_is_error(req, &req_state, &error)) {
		err = req_state == TEVENT_REQ_USER_ERROR ? (everr_t)error
							 : EVERR_NOMEM;
	}
	if (state->message != NULL) {
		*ret_message = talloc_steal(mem_ctx, state->message);
	}
	tevent_req_received(req);
	return err;
}
