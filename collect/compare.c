/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/compare.h"

#include "collect/call.h"
#include "collect/peek.h"

#include <string.h>

struct compare_state {
	struct tevent_context *ev;
	struct collect_connection *connection;
	const char *channel;
	bool first_sight;
	struct collect_position position;
	struct collect_facts facts;
	struct collect_failure failure;
};

static void compare_told(struct tevent_req *subreq);
static void compare_peek(struct tevent_req *req, enum collect_peek_at at,
			 tevent_req_fn done);
static void compare_probed(struct tevent_req *subreq);
static void compare_oldest(struct tevent_req *subreq);
static void compare_newest(struct tevent_req *subreq);

struct tevent_req *collect_compare_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct collect_connection *connection,
					const char *channel,
					const struct collect_position *position)
{
	struct compare_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct compare_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->connection = connection;
	state->first_sight = position == NULL;
	if (position != NULL) {
		state->position = *position;
	}
	state->facts.probe = COLLECT_PROBE_UNKNOWN;
	state->channel = talloc_strdup(state, channel);
	if (tevent_req_nomem(state->channel, req)) {
		return tevent_req_post(req, ev);
	}
	subreq = collect_log_some_send(state, ev, connection, channel,
				       1U << COLLECT_LOG_CREATION_TIME);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, compare_told, req);
	return req;
}

/* Whether there is no use in asking this host more of this channel. */
static bool is_final(const struct collect_failure *failure)
{
	switch (failure->err) {
	case EVERR_ACCESS:
	case EVERR_CHANNEL_NOT_FOUND:
	case EVERR_CHANNEL_NAME:
	case EVERR_CHANNEL_DISABLED:
	case EVERR_NOMEM:
		return true;
	default:
		return collect_failure_is_connection(failure);
	}
}

/*
 * False: req has ended.  Else the failure is the host's way of saying that it
 * does not know.  One that cannot be decoded says nothing: where the record is
 * known to be another, or none, the whole log would be taken for a new one.
 */
static bool compare_goes_on(struct tevent_req *req, everr_t err)
{
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	bool undecided = state->facts.probe == COLLECT_PROBE_UNKNOWN;

	if (err != EVERR_OK && (is_final(&state->failure) ||
				(state->failure.malformed && !undecided))) {
		tevent_req_error(req, err);
		return false;
	}
	return true;
}

static void compare_told(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	struct collect_log_info info = {.values = {0}};
	everr_t err;

	err = collect_log_info_recv(subreq, &info, &state->failure);
	TALLOC_FREE(subreq);
	if (!compare_goes_on(req, err)) {
		return;
	}
	if (err == EVERR_OK && info.present[COLLECT_LOG_CREATION_TIME]) {
		state->facts.created = info.values[COLLECT_LOG_CREATION_TIME];
	}
	if (state->first_sight) {
		compare_peek(req, COLLECT_PEEK_NEWEST, compare_newest);
	} else if (state->position.record_id == 0) {
		tevent_req_done(req);
	} else {
		compare_peek(req, COLLECT_PEEK_RECORD, compare_probed);
	}
}

static void compare_peek(struct tevent_req *req, enum collect_peek_at at,
			 tevent_req_fn done)
{
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	struct tevent_req *subreq = NULL;

	subreq = collect_peek_send(state, state->ev, state->connection,
				   state->channel, at,
				   state->position.record_id);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, done, req);
}

static void compare_probed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	struct collect_facts *facts = &state->facts;
	struct collect_peek peek;
	everr_t err;

	err = collect_peek_recv(subreq, &peek, &state->failure);
	TALLOC_FREE(subreq);
	if (!compare_goes_on(req, err)) {
		return;
	}
	if (err == EVERR_OK) {
		facts->probe =
			peek.found ? COLLECT_PROBE_FOUND : COLLECT_PROBE_GONE;
		facts->digest = peek.digest;
	}
	if (facts->probe == COLLECT_PROBE_FOUND &&
	    memcmp(facts->digest.hash, state->position.hash,
		   COLLECT_HASH_SIZE) == 0) {
		tevent_req_done(req);
		return;
	}
	compare_peek(req, COLLECT_PEEK_OLDEST, compare_oldest);
}

/* A host that cannot go to the record may have it at an end of its log. */
static void compare_end(struct compare_state *state,
			const struct collect_peek *peek)
{
	struct collect_facts *facts = &state->facts;

	if (facts->probe == COLLECT_PROBE_UNKNOWN && !state->first_sight &&
	    peek->found && peek->record_id == state->position.record_id) {
		facts->probe = COLLECT_PROBE_FOUND;
		facts->digest = peek->digest;
	}
}

static void compare_oldest(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	struct collect_peek peek;
	everr_t err;

	err = collect_peek_recv(subreq, &peek, &state->failure);
	TALLOC_FREE(subreq);
	if (!compare_goes_on(req, err)) {
		return;
	}
	if (err != EVERR_OK) {
		tevent_req_done(req);
		return;
	}
	if (!peek.found) {
		state->facts.bounds = true;
		tevent_req_done(req);
		return;
	}
	state->facts.oldest = peek.record_id;
	compare_end(state, &peek);
	compare_peek(req, COLLECT_PEEK_NEWEST, compare_newest);
}

static void compare_newest(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	struct collect_peek peek;
	everr_t err;

	err = collect_peek_recv(subreq, &peek, &state->failure);
	TALLOC_FREE(subreq);
	/* Without a newest record there is no first position. */
	if (err != EVERR_OK && state->first_sight) {
		tevent_req_error(req, err);
		return;
	}
	if (!compare_goes_on(req, err)) {
		return;
	}
	if (err == EVERR_OK) {
		compare_end(state, &peek);
	}
	if (err == EVERR_OK && peek.found) {
		state->facts.newest = peek.record_id;
		state->facts.newest_digest = peek.digest;
	}
	/* Emptied between the two questions: it is empty. */
	if (err == EVERR_OK && !peek.found) {
		state->facts.oldest = 0;
	}
	state->facts.bounds = err == EVERR_OK;
	tevent_req_done(req);
}

everr_t collect_compare_recv(struct tevent_req *req,
			     struct collect_facts *ret_facts,
			     struct collect_failure *ret_failure)
{
	struct compare_state *state =
		tevent_req_data(req, struct compare_state);
	everr_t err;

	err = collect_request_end(req, NULL, NULL, &state->failure,
				  ret_failure);
	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	*ret_facts = state->facts;
	tevent_req_received(req);
	return EVERR_OK;
}
