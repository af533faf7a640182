/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

struct store_clear_state {
	struct store_job *job; /* with the writer; NULL: done */
	uint64_t num_removed;
};

/* Whoever waits is gone: the clearing goes on, nobody is told. */
static int clear_state_destructor(struct store_clear_state *state)
{
	if (state->job != NULL) {
		state->job->req = NULL;
	}
	return 0;
}

static everr_t clear_check(const struct store_channel *channel)
{
	if (channel->store->writer == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	return channel->removed ? EVERR_CHANNEL_NOT_FOUND : EVERR_OK;
}

struct tevent_req *store_clear_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    struct store_channel *channel,
				    uint64_t up_to_id)
{
	struct store_clear_state *state = NULL;
	struct tevent_req *req = NULL;
	struct store_job *job = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct store_clear_state);
	if (req == NULL) {
		return NULL;
	}
	err = clear_check(channel);
	if (err == EVERR_OK) {
		job = store_job_new(STORE_JOB_CLEAR, &channel->writer->lane);
		err = job == NULL ? EVERR_NOMEM : EVERR_OK;
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	job->life = channel->life;
	job->up_to_id = up_to_id;
	/* Its callback must not find us in the middle of the others. */
	tevent_req_defer_callback(req, ev);
	job->req = req;
	state->job = job;
	talloc_set_destructor(state, clear_state_destructor);
	store_queue_push(&channel->store->writer->queue, job);
	return req;
}

void store_clear_done(struct store_job *job)
{
	struct store_clear_state *state = NULL;
	struct tevent_req *req = job->req;
	everr_t err = job->err;

	if (req != NULL) {
		state = tevent_req_data(req, struct store_clear_state);
		state->job = NULL;
		state->num_removed = job->num_removed;
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

everr_t store_clear_recv(struct tevent_req *req, uint64_t *ret_num_removed)
{
	struct store_clear_state *state =
		tevent_req_data(req, struct store_clear_state);
	everr_t err = store_req_error(req);

	if (err == EVERR_OK && ret_num_removed != NULL) {
		*ret_num_removed = state->num_removed;
	}
	tevent_req_received(req);
	return err;
}
