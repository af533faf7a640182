/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_job.h"

/* --------------------------------------------------------------- locks */

/* Whether the job has it now; else it stands in the row of those that wait. */
static bool lock_take(struct wsus_lock *lock, struct wsus_job *job)
{
	if (lock == NULL) {
		return true;
	}
	if (lock->owner == NULL) {
		lock->owner = job;
		return true;
	}
	if (lock->waiting == NULL) {
		lock->waiting = job;
	} else {
		lock->last->next = job;
	}
	lock->last = job;
	return false;
}

static void job_turn(struct wsus_job *job);

static void job_woken(struct tevent_context *ev, struct tevent_immediate *im,
		      void *private_data)
{
	struct wsus_job *job = private_data;

	job_turn(job);
}

/* The next one begins in a turn of its own. */
static void lock_release(struct wsus_lock *lock)
{
	struct wsus_job *next = NULL;

	if (lock == NULL) {
		return;
	}
	next = lock->waiting;
	lock->owner = next;
	if (next == NULL) {
		return;
	}
	lock->waiting = next->next;
	next->next = NULL;
	tevent_schedule_immediate(next->wake, next->wsus->ev, job_woken, next);
}

/* ---------------------------------------------------------------- turns */

static void job_end(struct wsus_job *job, everr_t err)
{
	TALLOC_FREE(job->turn);
	lock_release(job->lock);
	job->done(job, err);
	talloc_free(job);
}

static void job_committed(struct tevent_req *req)
{
	/* A job is the first member of a structure of another name. */
	struct wsus_job *job = tevent_req_callback_data_void(req);
	everr_t err;

	err = wsus_commit_recv(req);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		job_end(job, err);
		return;
	}
	job->committed(job);
	if (!job->more) {
		job_end(job, EVERR_OK);
		return;
	}
	job_turn(job);
}

static everr_t turn_begin(struct wsus_job *job)
{
	job->more = false;
	job->states = NULL;
	job->num_states = 0;
	job->turn = talloc_new(job);
	if (job->turn == NULL) {
		return EVERR_NOMEM;
	}
	job->events = bridge_events_create(job->turn);
	return job->events != NULL ? EVERR_OK : EVERR_NOMEM;
}

static everr_t turn_commit(struct wsus_job *job)
{
	struct tevent_req *req = NULL;

	req = wsus_commit_send(job, job->wsus, job->events, job->states,
			       job->num_states);
	if (req == NULL) {
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(req, job_committed, job);
	/* The store has its own copy. */
	TALLOC_FREE(job->turn);
	job->events = NULL;
	job->states = NULL;
	return EVERR_OK;
}

static void job_turn(struct wsus_job *job)
{
	everr_t err;

	err = turn_begin(job);
	if (err == EVERR_OK) {
		err = job->prepare(job);
	}
	if (err != EVERR_OK) {
		job_end(job, err);
		return;
	}
	if (job->events->num_documents == 0 && job->num_states == 0) {
		job_end(job, EVERR_OK);
		return;
	}
	err = turn_commit(job);
	if (err != EVERR_OK) {
		job_end(job, err);
	}
}

everr_t wsus_job_start(struct wsus_job *job)
{
	bool mine;

	/* Made now, so that a waiting job can always be woken. */
	job->wake = tevent_create_immediate(job);
	if (job->wake == NULL) {
		return EVERR_NOMEM;
	}
	mine = lock_take(job->lock, job);
	if (mine) {
		job_turn(job);
	}
	return EVERR_OK;
}

everr_t wsus_job_state(struct wsus_job *job, const char *name,
		       const struct buf *data)
{
	struct store_state *states = NULL;
	everr_t err = buf_error(data);

	if (err != EVERR_OK) {
		return err;
	}
	states = talloc_realloc(job->turn, job->states, struct store_state,
				job->num_states + 1);
	if (states == NULL) {
		return EVERR_NOMEM;
	}
	job->states = states;
	name = talloc_strdup(job->turn, name);
	if (name == NULL) {
		return EVERR_NOMEM;
	}
	states[job->num_states++] = (struct store_state){
		.name = name,
		.data = data->data,
		.len = data->len,
	};
	return EVERR_OK;
}
