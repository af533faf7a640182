/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/peek.h"

#include "collect/call.h"

/* For the one record that is asked for. */
#define PEEK_TIMEOUT_MS 30000

struct peek_state {
	struct tevent_context *ev;
	struct collect_cursor *cursor;
	enum collect_peek_at at;
	struct event_bookmark bookmark;
	struct event_bookmark_list list;
	struct collect_peek peek;
	everr_t err;
	struct collect_failure failure;
};

static void peek_opened(struct tevent_req *subreq);
static void peek_sought(struct tevent_req *subreq);
static void peek_next(struct tevent_req *req);
static void peek_read(struct tevent_req *subreq);
static void peek_close(struct tevent_req *req, everr_t err);
static void peek_closed(struct tevent_req *subreq);

struct tevent_req *collect_peek_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     const char *channel,
				     enum collect_peek_at at,
				     uint64_t record_id)
{
	struct collect_request request = {
		.kind = COLLECT_QUERY,
		.channel = channel,
		.reverse = at == COLLECT_PEEK_NEWEST,
	};
	struct peek_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct peek_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->at = at;
	state->bookmark = (struct event_bookmark){
		.channel = talloc_strdup(state, channel),
		.record_id = record_id,
		.is_current = true,
	};
	if (tevent_req_nomem(state->bookmark.channel, req)) {
		return tevent_req_post(req, ev);
	}
	state->list = (struct event_bookmark_list){
		.bookmarks = &state->bookmark,
		.num_bookmarks = 1,
	};
	subreq = collect_open_send(state, ev, connection, &request);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, peek_opened, req);
	return req;
}

/* What hosts say of a record that is not there. */
static bool says_not_found(everr_t err)
{
	return err == EVERR_END || err == EVERR_NOT_FOUND ||
	       err == EVERR_STALE || err == EVERR_QUERY_SYNTAX;
}

static void peek_opened(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	everr_t err;

	err = collect_open_recv(subreq, state, &state->cursor, &state->failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	if (state->at != COLLECT_PEEK_RECORD) {
		peek_next(req);
		return;
	}
	subreq = collect_seek_send(state, state->ev, state->cursor,
				   &state->list, true);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, peek_sought, req);
}

static void peek_sought(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	everr_t err;

	err = collect_seek_recv(subreq, &state->failure);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		peek_next(req);
		return;
	}
	if (says_not_found(err) && state->failure.win32 != 0) {
		err = EVERR_OK;
	}
	peek_close(req, err);
}

static void peek_next(struct tevent_req *req)
{
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	struct tevent_req *subreq = NULL;

	subreq = collect_next_send(state, state->ev, state->cursor, 1,
				   PEEK_TIMEOUT_MS);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, peek_read, req);
}

static everr_t peek_take(struct peek_state *state,
			 const struct collect_batch *batch)
{
	struct collect_event event;
	everr_t err;

	if (batch->num == 0) {
		return EVERR_OK;
	}
	err = collect_batch_event(state->cursor, batch, 0, &event);
	if (err != EVERR_OK) {
		return collect_failure_set(&state->failure, err,
					   "%s: a record of %s is malformed",
					   state->cursor->connection->where,
					   state->bookmark.channel);
	}
	if (state->at == COLLECT_PEEK_RECORD &&
	    event.record_id != state->bookmark.record_id) {
		return EVERR_OK;
	}
	state->peek.found = true;
	state->peek.record_id = event.record_id;
	return collect_digest(state, event.result.event, event.result.event_len,
			      &state->peek.digest);
}

static void peek_read(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	struct collect_batch *batch = NULL;
	everr_t err;

	err = collect_next_recv(subreq, state, &batch, &state->failure);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		err = peek_take(state, batch);
		TALLOC_FREE(batch);
	} else if (says_not_found(err) && state->failure.win32 != 0) {
		err = EVERR_OK;
	}
	peek_close(req, err);
}

/* Whatever came of it: handles are not left open at the host. */
static void peek_close(struct tevent_req *req, everr_t err)
{
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	struct tevent_req *subreq = NULL;

	state->err = err;

	subreq = collect_close_send(state, state->ev, state->cursor);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, peek_closed, req);
}

/* A connection that is gone by now shows at the next call. */
static void peek_closed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	struct collect_failure ignored;

	(void)!collect_close_recv(subreq, &ignored);
	TALLOC_FREE(subreq);
	if (state->err != EVERR_OK) {
		tevent_req_error(req, state->err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_peek_recv(struct tevent_req *req, struct collect_peek *ret_peek,
			  struct collect_failure *ret_failure)
{
	struct peek_state *state = tevent_req_data(req, struct peek_state);
	everr_t err;

	err = collect_request_end(req, NULL, NULL, &state->failure,
				  ret_failure);
	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	*ret_peek = state->peek;
	tevent_req_received(req);
	return EVERR_OK;
}
