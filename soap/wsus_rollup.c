/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_report.h"

/* Of one call: the store's queue is everybody's. */
#define FLIGHT_JOBS 8
#define FLIGHT_BYTES (4 * 1024 * 1024)
/* Rows looked at in one turn of the loop. */
#define TURN_ROWS 128

everr_t wsus_origin_copy(TALLOC_CTX *mem_ctx,
			 const struct bridge_origin *origin,
			 struct bridge_origin *ret_origin)
{
	struct bridge_origin copy = *origin;

	copy.computer = talloc_strdup(mem_ctx, origin->computer);
	copy.peer = talloc_strdup(mem_ctx, origin->peer);
	copy.certificate = talloc_strdup(mem_ctx, origin->certificate);
	if (copy.computer == NULL || copy.peer == NULL ||
	    (copy.certificate == NULL && origin->certificate != NULL)) {
		return EVERR_NOMEM;
	}
	*ret_origin = copy;
	return EVERR_OK;
}

/* ------------------------------------------------- a call and its end */

/* A child of the call, so that the rollup learns when it goes. */
struct wsus_rollup_guard {
	struct wsus_rollup *rollup;
};

/* No call, no job: nobody needs it any more. */
static void rollup_tidy(struct wsus_rollup *rollup)
{
	if (rollup->call == NULL && rollup->jobs == 0 && !rollup->in_run) {
		talloc_free(rollup);
	}
}

static int guard_destructor(struct wsus_rollup_guard *guard)
{
	struct wsus_rollup *rollup = guard->rollup;

	if (rollup != NULL) {
		rollup->guard = NULL;
		rollup->call = NULL;
		rollup_tidy(rollup);
	}
	return 0;
}

static int rollup_destructor(struct wsus_rollup *rollup)
{
	if (rollup->guard != NULL) {
		rollup->guard->rollup = NULL;
	}
	return 0;
}

/* The call is over for the rollup; it may go on with its jobs. */
static void rollup_detach(struct wsus_rollup *rollup)
{
	if (rollup->guard != NULL) {
		rollup->guard->rollup = NULL;
		rollup->guard = NULL;
	}
	rollup->call = NULL;
}

void wsus_rollup_answered(struct wsus_rollup *rollup)
{
	rollup->wsus->calls++;
	rollup_detach(rollup);
	rollup_tidy(rollup);
}

void wsus_rollup_fault(struct wsus_rollup *rollup, const char *error_code,
		       const char *message)
{
	struct soap_call *call = rollup->call;
	const char *why = rollup->why;

	if (call == NULL) {
		return;
	}
	/* Nothing is taken in any more, so that what is paused goes on. */
	if (rollup->paused) {
		rollup->paused = false;
		soap_resume(call);
	}
	rollup_detach(rollup);
	rollup_tidy(rollup);
	if (why != NULL) {
		soap_fault_reason(call, error_code, message, why);
	} else {
		soap_fault(call, error_code, message);
	}
}

void wsus_rollup_error(struct wsus_rollup *rollup, everr_t err)
{
	wsus_rollup_fault(rollup, "InternalServerError",
			  rollup->why != NULL ? rollup->why : everr_text(err));
}

/* ---------------------------------------------------------- beginning */

/*
 * [MS-WSUSSS] 3.1.4.14, 3.1.4.15, 3.1.4.17: Windows corrects the times of a
 * sender whose clock is off by more than a minute.  Whole minutes, so that a
 * repeated call, which was under way for a moment more or less, says the same
 * again.
 */
static int64_t clock_shift(const struct wsus *wsus, uint64_t now,
			   uint64_t client_time)
{
	int64_t minute = (int64_t)WSUS_CLOCK_STEP;
	int64_t off = (int64_t)(now - client_time);

	if (!wsus->config.correct_clocks || client_time == 0 ||
	    client_time >= WSUS_TIME_FOR_EVER || llabs(off) <= minute) {
		return 0;
	}
	return (off + (off > 0 ? minute : -minute) / 2) / minute * minute;
}

static struct wsus_rollup *rollup_new(struct soap_call *call, size_t size)
{
	struct wsus *wsus = call->private_data;
	struct wsus_rollup_guard *guard = NULL;
	struct wsus_rollup *rollup = NULL;
	struct bridge_origin origin = {};
	everr_t err;

	rollup = talloc_zero_size(wsus->tables, size);
	guard = talloc_zero(call, struct wsus_rollup_guard);
	if (rollup == NULL || guard == NULL) {
		goto failed;
	}
	talloc_set_name_const(rollup, "struct wsus_rollup");
	wsus_origin(wsus, call->exchange, &origin);
	err = wsus_origin_copy(rollup, &origin, &rollup->origin);
	if (err != EVERR_OK) {
		goto failed;
	}
	rollup->wsus = wsus;
	rollup->call = call;
	rollup->guard = guard;
	guard->rollup = rollup;
	talloc_set_destructor(guard, guard_destructor);
	talloc_set_destructor(rollup, rollup_destructor);
	return rollup;
failed:
	talloc_free(rollup);
	talloc_free(guard);
	return NULL;
}

/* False: a fault has been given. */
static bool rollup_check(struct wsus_rollup *rollup)
{
	const char *text = soap_text(rollup->call->request, "clientTime");
	uint64_t client_time = 0;
	everr_t err;

	err = soap_get_time(text, &client_time);
	if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
		wsus_rollup_fault(rollup, "InvalidParameters", "clientTime");
		return false;
	}
	rollup->shift =
		clock_shift(rollup->wsus, rollup->origin.received, client_time);
	return true;
}

void *wsus_rollup_get(struct soap_call *call, size_t size,
		      void (*answer)(struct wsus_rollup *rollup))
{
	struct wsus_rollup **place = call->state;
	struct wsus_rollup *rollup = *place;

	if (rollup != NULL) {
		return rollup;
	}
	rollup = rollup_new(call, size);
	if (rollup == NULL) {
		soap_fault(call, "InternalServerError",
			   everr_text(EVERR_NOMEM));
		return NULL;
	}
	rollup->answer = answer;
	*place = rollup;
	return rollup_check(rollup) ? rollup : NULL;
}

/* ----------------------------------------------------------------- jobs */

static bool rollup_busy(const struct wsus_rollup *rollup)
{
	return rollup->jobs >= FLIGHT_JOBS || rollup->bytes >= FLIGHT_BYTES;
}

static void rollup_pace(struct wsus_rollup *rollup)
{
	bool busy = rollup_busy(rollup);

	if (rollup->call == NULL || rollup->complete ||
	    busy == rollup->paused) {
		return;
	}
	rollup->paused = busy;
	if (busy) {
		soap_pause(rollup->call);
	} else {
		soap_resume(rollup->call);
	}
}

static void rollup_finish(struct wsus_rollup *rollup)
{
	if (rollup->call != NULL && rollup->complete && !rollup->running &&
	    rollup->jobs == 0) {
		rollup->answer(rollup);
		return;
	}
	rollup_tidy(rollup);
}

static void rollup_run(struct wsus_rollup *rollup);

static void rollup_job_done(struct wsus_job *job, everr_t err)
{
	struct wsus_rollup_job *part = (struct wsus_rollup_job *)job;
	struct wsus_rollup *rollup = part->rollup;

	/* Still counted, so that what ended() starts can't end the call. */
	if (err != EVERR_OK && rollup->err == EVERR_OK) {
		rollup->err = err;
	}
	rollup->applied += part->changed;
	if (part->ended != NULL) {
		part->ended(part, err);
	}
	rollup->jobs--;
	rollup->bytes -= part->bytes;
	rollup_pace(rollup);
	if (rollup->running) {
		rollup_run(rollup);
	} else {
		rollup_finish(rollup);
	}
}

void wsus_rollup_start(struct wsus_rollup *rollup, struct wsus_rollup_job *job,
		       struct wsus_lock *lock, size_t bytes)
{
	everr_t err;

	talloc_steal(rollup->wsus->tables, job);
	job->job.wsus = rollup->wsus;
	job->job.lock = lock;
	job->job.done = rollup_job_done;
	job->rollup = rollup;
	job->bytes = bytes;
	rollup->jobs++;
	rollup->bytes += bytes;
	err = wsus_job_start(&job->job);
	if (err != EVERR_OK) {
		rollup_job_done(&job->job, err);
		talloc_free(job);
		return;
	}
	rollup_pace(rollup);
}

void wsus_rollup_complete(struct wsus_rollup *rollup)
{
	rollup->complete = true;
	rollup_finish(rollup);
}

/* ------------------------------------------------------ one by one */

static void rollup_again(struct tevent_context *ev, struct tevent_immediate *im,
			 void *private_data)
{
	rollup_run(private_data);
}

static void rollup_run(struct wsus_rollup *rollup)
{
	size_t end = rollup->next + TURN_ROWS;

	/* A job that ended at once: the loop below goes on. */
	if (rollup->in_run) {
		return;
	}
	rollup->in_run = true;
	while (rollup->next < rollup->num && rollup->next < end &&
	       rollup->call != NULL && rollup->err == EVERR_OK &&
	       !rollup_busy(rollup)) {
		rollup->start(rollup, rollup->next++);
	}
	rollup->in_run = false;
	if (rollup->next == rollup->num || rollup->call == NULL ||
	    rollup->err != EVERR_OK) {
		rollup->running = false;
		rollup_finish(rollup);
	} else if (!rollup_busy(rollup)) {
		tevent_schedule_immediate(rollup->again, rollup->wsus->ev,
					  rollup_again, rollup);
	}
}

void wsus_rollup_each(struct wsus_rollup *rollup, size_t num,
		      void (*start)(struct wsus_rollup *rollup, size_t index))
{
	rollup->again = tevent_create_immediate(rollup);
	if (rollup->again == NULL) {
		wsus_rollup_error(rollup, EVERR_NOMEM);
		return;
	}
	rollup->complete = true;
	rollup->running = true;
	rollup->num = num;
	rollup->start = start;
	rollup_run(rollup);
}
