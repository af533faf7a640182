/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <string.h>
#include <strings.h>

/* Of the body, in one turn of the loop. */
#define REPLAY_PIECE (64 * 1024)

/* What stands in for a connection. */
struct http_replay_state {
	struct tevent_req *req;
	struct tevent_context *ev;
	struct tevent_immediate *turn;
	struct http_replay request;
	struct http_peer peer;
	struct http_exchange *exchange;
	size_t offset; /* of the body handed over */
	unsigned int status;
};

static void replay_step(struct tevent_context *ev, struct tevent_immediate *im,
			void *private_data);

void http_replay_wake(struct http_replay_state *state)
{
	tevent_schedule_immediate(state->turn, state->ev, replay_step, state);
}

const char *http_replay_header(const struct http_replay_state *state,
			       const char *name)
{
	size_t i;

	for (i = 0; i < state->request.num_fields; i++) {
		if (strcasecmp(state->request.fields[i].name, name) == 0) {
			return state->request.fields[i].value;
		}
	}
	return NULL;
}

const struct http_peer *http_replay_peer(const struct http_replay_state *state)
{
	return &state->peer;
}

void http_replay_answer(struct http_replay_state *state, unsigned int status)
{
	state->status = status;
	http_replay_wake(state);
}

/* Given up before its end: the handler hears of it as of a lost peer. */
static int replay_destructor(struct http_replay_state *state)
{
	struct http_exchange *exchange = state->exchange;

	if (exchange != NULL && exchange->begun && !exchange->answered) {
		exchange->answered = true; /* one from gone() is ignored */
		http_exchange_gone(exchange);
	}
	return 0;
}

static void replay_begin(struct http_exchange *exchange)
{
	exchange->begun = true;
	if (exchange->handler->begin != NULL) {
		exchange->handler->begin(exchange, exchange->private_data);
	}
	if (!exchange->answered &&
	    exchange->content_length > exchange->body_max) {
		http_refuse(exchange, 413, "The request's body is too long.");
	}
}

static void replay_body(struct http_replay_state *state)
{
	struct http_exchange *exchange = state->exchange;
	size_t len = state->request.len - state->offset;

	len = len < REPLAY_PIECE ? len : REPLAY_PIECE;
	if (exchange->handler->body != NULL) {
		exchange->handler->body(exchange, exchange->private_data,
					state->request.body + state->offset,
					len);
	}
	state->offset += len;
}

static void replay_end(struct http_exchange *exchange)
{
	exchange->ended = true;
	if (exchange->handler->end != NULL) {
		exchange->handler->end(exchange, exchange->private_data);
	}
}

/* One turn: the head, a piece of the body, its end, or the answer's. */
static void replay_step(struct tevent_context *ev, struct tevent_immediate *im,
			void *private_data)
{
	struct http_replay_state *state =
		talloc_get_type_abort(private_data, struct http_replay_state);
	struct http_exchange *exchange = state->exchange;

	(void)ev;
	(void)im;
	if (exchange->answered) {
		tevent_req_done(state->req);
		return;
	}
	if (exchange->ended || exchange->pauses > 0) {
		return; /* an answer or a resume comes */
	}
	if (!exchange->begun) {
		replay_begin(exchange);
	} else if (state->offset < state->request.len) {
		replay_body(state);
	} else {
		replay_end(exchange);
	}
	http_replay_wake(state);
}

static bool replay_exchange(struct http_replay_state *state,
			    const struct http_handler *handler,
			    void *private_data)
{
	TALLOC_CTX *memory = talloc_new(state);
	struct http_exchange *exchange = NULL;

	if (memory == NULL) {
		return false;
	}
	exchange = talloc_zero(memory, struct http_exchange);
	if (exchange == NULL) {
		return false;
	}
	exchange->memory = memory;
	exchange->replay = state;
	exchange->method = state->request.method;
	exchange->path = state->request.path;
	exchange->handler = handler;
	exchange->private_data = private_data;
	exchange->content_length = state->request.len;
	exchange->has_body = state->request.len > 0;
	exchange->inside = true; /* no library waits for the answer */
	state->exchange = exchange;
	return true;
}

struct tevent_req *http_replay_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    const struct http_handler *handler,
				    void *private_data,
				    const struct http_replay *request)
{
	struct http_replay_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct http_replay_state);
	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	state->ev = ev;
	state->request = *request;
	state->peer.address = request->peer != NULL ? request->peer : "";
	state->turn = tevent_create_immediate(state);
	if (tevent_req_nomem(state->turn, req)) {
		return tevent_req_post(req, ev);
	}
	if (!replay_exchange(state, handler, private_data)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	talloc_set_destructor(state, replay_destructor);
	http_replay_wake(state);
	return req;
}

everr_t http_replay_recv(struct tevent_req *req, unsigned int *ret_status)
{
	struct http_replay_state *state =
		tevent_req_data(req, struct http_replay_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (tevent_req_is_error(req, &req_state, &error)) {
		tevent_req_received(req);
		return EVERR_NOMEM;
	}
	*ret_status = state->status;
	tevent_req_received(req);
	return EVERR_OK;
}
