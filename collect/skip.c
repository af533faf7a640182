/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/skip.h"

#include "collect/call.h"

/*
 * So many places are tried one by one: a step across a record that can be read
 * to one that cannot would not be noticed, and pass it.
 */
#define SKIP_SINGLE 32

struct skip_state {
	struct tevent_context *ev;
	struct collect_connection *connection;
	const char *channel;
	const char *query;
	uint64_t behind;
	/* Reading behind low fails, behind high (once it is set) does not. */
	uint64_t low;
	uint64_t high;
	uint64_t sure; /* no record from behind to here can be read */
	uint64_t step;
	uint32_t steps;
	uint64_t at; /* what is tried now */
	struct collect_cursor *cursor;
	bool can_read;
	everr_t err;
	struct collect_failure failure;
};

static void skip_try(struct tevent_req *req, uint64_t at);
static void skip_opened(struct tevent_req *subreq);
static void skip_read(struct tevent_req *subreq);
static void skip_closed(struct tevent_req *subreq);

struct tevent_req *collect_skip_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     const char *channel, const char *query,
				     uint64_t behind)
{
	struct skip_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct skip_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->connection = connection;
	state->behind = behind;
	state->sure = behind;
	state->step = 1;
	state->channel = talloc_strdup(state, channel);
	state->query = query != NULL ? talloc_strdup(state, query) : NULL;
	if (state->channel == NULL || (query != NULL && state->query == NULL)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	skip_try(req, behind);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

/* By a pull subscription: one that has nothing to give does not park. */
static void skip_try(struct tevent_req *req, uint64_t at)
{
	struct skip_state *state = tevent_req_data(req, struct skip_state);
	struct event_bookmark bookmark = {
		.channel = state->channel,
		.record_id = at,
		.is_current = true,
	};
	struct event_bookmark_list list = {
		.bookmarks = &bookmark,
		.num_bookmarks = 1,
	};
	struct collect_request request = {
		.kind = COLLECT_PULL,
		.channel = collect_query_is_structured(state->query)
				   ? NULL
				   : state->channel,
		.query = state->query,
		.from = at != 0 ? COLLECT_FROM_BOOKMARK : COLLECT_FROM_OLDEST,
		.bookmark = &list,
	};
	struct tevent_req *subreq = NULL;

	state->at = at;
	subreq = collect_open_send(state, state->ev, state->connection,
				   &request);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, skip_opened, req);
}

static void skip_opened(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct skip_state *state = tevent_req_data(req, struct skip_state);
	everr_t err;

	err = collect_open_recv(subreq, state, &state->cursor, &state->failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	subreq = collect_next_send(state, state->ev, state->cursor, 1, 0);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, skip_read, req);
}

/* A host that begins elsewhere would let us pass what can be read. */
static everr_t skip_check(struct skip_state *state,
			  const struct collect_batch *batch)
{
	struct collect_event event;
	everr_t err;

	if (batch->num == 0) {
		return EVERR_OK;
	}
	err = collect_batch_event(state->cursor, batch, 0, &event);
	if (err == EVERR_OK && event.record_id <= state->at) {
		return collect_failure_set(
			&state->failure, EVERR_NOT_SUPPORTED,
			"%s: %s has a record that cannot be delivered, and the "
			"host does not begin behind it",
			state->connection->where, state->channel);
	}
	return EVERR_OK;
}

static void skip_read(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct skip_state *state = tevent_req_data(req, struct skip_state);
	struct collect_batch *batch = NULL;
	everr_t err;

	err = collect_next_recv(subreq, state, &batch, &state->failure);
	TALLOC_FREE(subreq);
	state->can_read = err == EVERR_OK;
	if (err == EVERR_OK) {
		state->err = skip_check(state, batch);
		TALLOC_FREE(batch);
	} else if (!collect_failure_is_bound(&state->failure)) {
		state->err = err;
	}
	subreq = collect_close_send(state, state->ev, state->cursor);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, skip_closed, req);
}

/* One step of the search; the record is found when nothing is between. */
static void skip_next(struct tevent_req *req)
{
	struct skip_state *state = tevent_req_data(req, struct skip_state);

	if (state->can_read && state->at == state->behind) {
		tevent_req_done(req);
		return;
	}
	if (state->can_read) {
		state->high = state->at;
	} else {
		state->low = state->at;
		/* The record there, if it is selected, was not delivered. */
		state->sure += state->at == state->sure ? 1 : 0;
	}
	if (state->high == 0) {
		if (state->low > UINT64_MAX / 2 - state->step) {
			tevent_req_error(req, EVERR_LIMIT);
			return;
		}
		skip_try(req, state->low + state->step);
		state->steps++;
		if (state->steps >= SKIP_SINGLE) {
			state->step *= 2;
		}
		return;
	}
	if (state->high - state->low > 1) {
		skip_try(req, state->low + (state->high - state->low) / 2);
		return;
	}
	tevent_req_done(req);
}

static void skip_closed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct skip_state *state = tevent_req_data(req, struct skip_state);
	struct collect_failure ignored;

	(void)!collect_close_recv(subreq, &ignored);
	TALLOC_FREE(subreq);
	TALLOC_FREE(state->cursor);
	if (state->err != EVERR_OK) {
		tevent_req_error(req, state->err);
		return;
	}
	skip_next(req);
}

everr_t collect_skip_recv(struct tevent_req *req, uint64_t *ret_record_id,
			  uint64_t *ret_sure,
			  struct collect_failure *ret_failure)
{
	struct skip_state *state = tevent_req_data(req, struct skip_state);
	everr_t err;

	err = collect_request_end(req, NULL, NULL, &state->failure,
				  ret_failure);
	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	*ret_record_id = state->high;
	*ret_sure = state->sure;
	tevent_req_received(req);
	return EVERR_OK;
}
