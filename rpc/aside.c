/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/aside.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* libwbclient keeps a few kilobytes of request and answer on the stack. */
#define STACK_BYTES (256 * 1024)

/* The thread reads fn, job and fd, and writes into job; the rest is ours. */
struct rpc_aside {
	struct tevent_fd *fde;
	int fd; /* an eventfd, readable when the call has returned */
	void *job;
	void (*fn)(void *job);
	void (*done)(void *job, void *private_data);
	void *private_data;
};

/* Of the process, as threads are. */
static unsigned int num_asides;

static void *aside_main(void *private_data)
{
	struct rpc_aside *aside = private_data;
	const uint64_t one = 1;
	ssize_t written;

	aside->fn(aside->job);
	/* From here on it may be gone. */
	written = write(aside->fd, &one, sizeof(one));
	(void)written;
	return NULL;
}

static int aside_destructor(struct rpc_aside *aside)
{
	num_asides--;
	TALLOC_FREE(aside->fde);
	if (aside->fd != -1) {
		close(aside->fd);
	}
	return 0;
}

static void aside_end(struct rpc_aside *aside)
{
	if (aside->done != NULL) {
		aside->done(aside->job, aside->private_data);
	}
	TALLOC_FREE(aside);
}

static void aside_readable(struct tevent_context *ev, struct tevent_fd *fde,
			   uint16_t flags, void *private_data)
{
	aside_end(talloc_get_type_abort(private_data, struct rpc_aside));
}

/* The loop's signals stay the loop's. */
static bool aside_run(struct rpc_aside *aside)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc != 0) {
		return false;
	}
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attr, aside_main, aside);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc == 0;
}

everr_t rpc_aside_start(struct tevent_context *ev, void *job,
			void (*fn)(void *job),
			void (*done)(void *job, void *private_data),
			void *private_data, struct rpc_aside **ret_aside)
{
	struct rpc_aside *aside = NULL;

	if (num_asides >= RPC_ASIDE_MAX) {
		talloc_free(job);
		return EVERR_LIMIT;
	}
	/* Nobody's child: the thread cannot be stopped, not even at exit. */
	aside = talloc_zero(NULL, struct rpc_aside);
	if (aside == NULL) {
		talloc_free(job);
		return EVERR_NOMEM;
	}
	num_asides++;
	aside->job = talloc_steal(aside, job);
	aside->fn = fn;
	aside->done = done;
	aside->private_data = private_data;
	aside->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	talloc_set_destructor(aside, aside_destructor);
	if (aside->fd != -1) {
		aside->fde = tevent_add_fd(ev, aside, aside->fd, TEVENT_FD_READ,
					   aside_readable, aside);
	}
	if (aside->fde == NULL || !aside_run(aside)) {
		TALLOC_FREE(aside);
		return EVERR_NOMEM;
	}
	*ret_aside = aside;
	return EVERR_OK;
}

void rpc_aside_forget(struct rpc_aside *aside)
{
	aside->done = NULL;
}

bool rpc_aside_wait(struct rpc_aside *aside, int milliseconds)
{
	struct pollfd pfd = {.fd = aside->fd, .events = POLLIN};
	int ret;

	ret = poll(&pfd, 1, milliseconds);
	if (ret != 1) {
		return false;
	}
	aside_end(aside);
	return true;
}
