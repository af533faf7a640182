/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Calls aside from the loop: when each side is told, and what is freed. */

#include "tests/leak.h"

#include "rpc/aside.h"

#include <pthread.h>
#include <unistd.h>

/* A call that returns when the test lets it. */
struct job {
	int gate[2];
	pthread_t thread;
	bool *freed;
};

struct seen {
	unsigned int done;
	pthread_t thread;
};

static int job_destructor(struct job *job)
{
	close(job->gate[0]);
	close(job->gate[1]);
	*job->freed = true;
	return 0;
}

static struct job *job_create(bool *freed)
{
	struct job *job = talloc_zero(NULL, struct job);

	assert_non_null(job);
	assert_int_equal(pipe(job->gate), 0);
	job->freed = freed;
	*freed = false;
	talloc_set_destructor(job, job_destructor);
	return job;
}

static void job_open(const struct job *job)
{
	assert_int_equal(write(job->gate[1], "", 1), 1);
}

static void job_run(void *private_data)
{
	struct job *job = private_data;
	char byte;

	(void)!read(job->gate[0], &byte, 1);
	job->thread = pthread_self();
}

static void job_done(void *private_job, void *private_data)
{
	struct job *job = private_job;
	struct seen *seen = private_data;

	assert_false(*job->freed);
	seen->done++;
	seen->thread = job->thread;
}

static struct rpc_aside *start(struct tevent_context *ev, struct job *job,
			       struct seen *seen)
{
	struct rpc_aside *aside = NULL;
	everr_t err;

	err = rpc_aside_start(ev, job, job_run, job_done, seen, &aside);
	assert_int_equal(err, EVERR_OK);
	return aside;
}

static void test_the_loop_is_told_and_goes_on_meanwhile(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {};
	bool freed;
	struct job *job = job_create(&freed);

	(void)start(ev, job, &seen);
	assert_int_equal(seen.done, 0);
	job_open(job);
	while (seen.done == 0) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_int_equal(seen.done, 1);
	assert_false(pthread_equal(seen.thread, pthread_self()));
	assert_true(freed);
	TALLOC_FREE(ev);
}

static void test_waiting_ends_with_the_call_or_the_time(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {};
	bool freed;
	struct job *job = job_create(&freed);
	struct rpc_aside *aside = start(ev, job, &seen);

	assert_false(rpc_aside_wait(aside, 1));
	assert_int_equal(seen.done, 0);
	job_open(job);
	assert_true(rpc_aside_wait(aside, 60000));
	assert_int_equal(seen.done, 1);
	assert_true(freed);
	TALLOC_FREE(ev);
}

static void test_who_forgets_is_not_told(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {};
	bool freed;
	struct job *job = job_create(&freed);

	rpc_aside_forget(start(ev, job, &seen));
	job_open(job);
	while (!freed) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_int_equal(seen.done, 0);
	TALLOC_FREE(ev);
}

static void test_threads_are_limited_and_come_back(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct rpc_aside *aside[RPC_ASIDE_MAX];
	struct job *jobs[RPC_ASIDE_MAX];
	struct rpc_aside *more = NULL;
	bool freed[RPC_ASIDE_MAX];
	struct seen seen = {};
	bool refused;
	everr_t err;
	size_t i;

	for (i = 0; i < RPC_ASIDE_MAX; i++) {
		jobs[i] = job_create(&freed[i]);
		aside[i] = start(ev, jobs[i], &seen);
	}
	err = rpc_aside_start(ev, job_create(&refused), job_run, job_done,
			      &seen, &more);
	assert_int_equal(err, EVERR_LIMIT);
	assert_true(refused);

	for (i = 0; i < RPC_ASIDE_MAX; i++) {
		job_open(jobs[i]);
		assert_true(rpc_aside_wait(aside[i], 60000));
	}
	assert_int_equal(seen.done, RPC_ASIDE_MAX);
	jobs[0] = job_create(&freed[0]);
	aside[0] = start(ev, jobs[0], &seen);
	job_open(jobs[0]);
	assert_true(rpc_aside_wait(aside[0], 60000));
	TALLOC_FREE(ev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_loop_is_told_and_goes_on_meanwhile),
		leak_test(test_waiting_ends_with_the_call_or_the_time),
		leak_test(test_who_forgets_is_not_told),
		leak_test(test_threads_are_limited_and_come_back),
	};

	/* tevent keeps its list of kernel interfaces for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
