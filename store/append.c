/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

#include <stdlib.h>

struct store_append_state {
	struct store_job *job; /* with the writer; NULL: done */
	uint64_t first_id;
	size_t bad;
};

/* Whoever waits is gone: the append goes on, nobody is told. */
static int append_state_destructor(struct store_append_state *state)
{
	if (state->job != NULL) {
		state->job->req = NULL;
	}
	return 0;
}

static everr_t add_inputs(struct store *store, struct store_job *job,
			  const struct store_input *inputs, size_t num_inputs,
			  size_t *ret_bad)
{
	struct event_packed event;
	everr_t err;
	size_t i;

	for (i = 0; i < num_inputs; i++) {
		err = store_origin_known(store, inputs[i].origin)
			      ? event_pack(store->packer, inputs[i].doc,
					   inputs[i].len, &event)
			      : EVERR_INVALID;
		if (err == EVERR_OK) {
			err = store_template_pin(store, job, &event);
		}
		if (err == EVERR_OK) {
			err = store_job_add_event(job, &event, &inputs[i]);
		}
		if (err != EVERR_OK) {
			*ret_bad = i;
			return err;
		}
	}
	return EVERR_OK;
}

static everr_t job_fill(struct store *store, struct store_job *job,
			const struct store_input *inputs, size_t num_inputs,
			const struct store_state *states, size_t num_states,
			size_t *ret_bad)
{
	everr_t err;
	size_t i;

	store->jobs++;
	if (num_inputs > 0) {
		job->records = calloc(num_inputs, sizeof(*job->records));
	}
	if (num_states > 0) {
		job->states = calloc(num_states, sizeof(*job->states));
	}
	if ((num_inputs > 0 && job->records == NULL) ||
	    (num_states > 0 && job->states == NULL)) {
		return EVERR_NOMEM;
	}
	err = add_inputs(store, job, inputs, num_inputs, ret_bad);
	for (i = 0; err == EVERR_OK && i < num_states; i++) {
		err = store_job_add_state(job, &states[i]);
	}
	if (err != EVERR_OK) {
		return err;
	}
	job->received = store_now(store);
	job->cost = sizeof(*job) + job->size +
		    num_inputs * sizeof(*job->records) +
		    num_states * sizeof(*job->states) +
		    job->size_nos * sizeof(*job->nos);
	/* Alone in the queue it may be of any size. */
	if (store->queued_bytes > 0 &&
	    store->queued_bytes + job->cost >
		    store->options.limits.queue_bytes) {
		return EVERR_LIMIT;
	}
	return EVERR_OK;
}

/* A job that was not handed over. */
static void job_drop(struct store *store, struct store_job *job, everr_t err)
{
	job->err = err;
	store_template_unpin(store, job);
	store_job_free(job);
	store_template_collect(store);
}

static everr_t append_check(const struct store_channel *channel,
			    size_t num_inputs, size_t num_states,
			    size_t *ret_bad)
{
	const struct store *store = channel->store;

	if (store->writer == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	if (channel->removed) {
		return EVERR_CHANNEL_NOT_FOUND;
	}
	if (num_inputs > STORE_APPEND_MAX) {
		*ret_bad = STORE_APPEND_MAX;
		return EVERR_LIMIT;
	}
	if (num_states > STORE_STATES_MAX) {
		return EVERR_LIMIT;
	}
	if (num_inputs > 0 && !channel->info.config.enabled) {
		return EVERR_CHANNEL_DISABLED;
	}
	return EVERR_OK;
}

struct tevent_req *store_append_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct store_channel *channel, const struct store_input *inputs,
	size_t num_inputs, const struct store_state *states, size_t num_states)
{
	struct store *store = channel->store;
	struct store_append_state *state = NULL;
	struct tevent_req *req = NULL;
	struct store_job *job = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct store_append_state);
	if (req == NULL) {
		return NULL;
	}
	state->bad = num_inputs;

	err = append_check(channel, num_inputs, num_states, &state->bad);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	job = store_job_new(STORE_JOB_APPEND, &channel->writer->lane);
	if (job == NULL) {
		tevent_req_error(req, EVERR_NOMEM);
		return tevent_req_post(req, ev);
	}
	job->life = channel->life;
	err = job_fill(store, job, inputs, num_inputs, states, num_states,
		       &state->bad);
	if (err != EVERR_OK) {
		job_drop(store, job, err);
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}

	store->queued_bytes += job->cost;
	/* Its callback must not find us in the middle of the others. */
	tevent_req_defer_callback(req, ev);
	job->req = req;
	state->job = job;
	talloc_set_destructor(state, append_state_destructor);
	store_queue_push(&store->writer->queue, job);
	return req;
}

/* Remember that the events of a channel that retains did not fit. */
static void note_full(const struct store_job *job)
{
	struct store_channel *channel = job->lane->user;

	if (job->err == EVERR_CHANNEL_FULL && channel != NULL) {
		channel->full_bytes = job->full_bytes;
	}
}

void store_append_done(struct store *store, struct store_job *job)
{
	struct tevent_req *req = job->req;
	struct store_append_state *state = NULL;
	everr_t err = job->err;

	store->queued_bytes -= job->cost;
	store_template_unpin(store, job);
	note_full(job);
	if (req != NULL) {
		state = tevent_req_data(req, struct store_append_state);
		state->job = NULL;
		state->first_id = job->first_id;
	}
	store_job_free(job);
	if (req == NULL) {
		return;
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t store_req_error(struct tevent_req *req)
{
	enum tevent_req_state state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &state, &error)) {
		return EVERR_OK;
	}
	switch (state) {
	case TEVENT_REQ_USER_ERROR:
		return (everr_t)error;
	case TEVENT_REQ_NO_MEMORY:
		return EVERR_NOMEM;
	case TEVENT_REQ_TIMED_OUT:
		return EVERR_TIMEOUT;
	default:
		return EVERR_INTERNAL;
	}
}

everr_t store_append_recv(struct tevent_req *req, uint64_t *ret_first_id,
			  size_t *ret_bad)
{
	struct store_append_state *state =
		tevent_req_data(req, struct store_append_state);
	everr_t err = store_req_error(req);

	if (err != EVERR_OK && ret_bad != NULL) {
		*ret_bad = state->bad;
	}
	if (err == EVERR_OK && ret_first_id != NULL) {
		*ret_first_id = state->first_id;
	}
	tevent_req_received(req);
	return err;
}
