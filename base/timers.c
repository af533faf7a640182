/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/timers.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000ULL
#define MS_NS 1000000ULL
/* A hundred years: what is later is never, and must not overflow. */
#define LATEST_MS (100ULL * 366 * 86400 * 1000)

struct timers {
	struct tevent_fd *fde;
	int fd;
	uint64_t armed; /* what fd is set to; UINT64_MAX: to nothing */
	bool running;	/* fd is set when the slice is over */
	struct timer *root;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* ------------------------------------------------------- a pairing heap */

/* Both are roots; either may be NULL.  The later one goes below the other. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	struct timer *later = a;

	if (a == NULL || b == NULL) {
		return a != NULL ? a : b;
	}
	if (a->due <= b->due) {
		later = b;
		b = a;
	}
	later->prev = b;
	later->next = b->child;
	if (b->child != NULL) {
		b->child->prev = later;
	}
	b->child = later;
	return b;
}

/* Cut the first of a list of siblings off it. */
static struct timer *take_first(struct timer **list)
{
	struct timer *first = *list;

	if (first != NULL) {
		*list = first->next;
		first->next = NULL;
		first->prev = NULL;
	}
	return first;
}

/* One heap of a list of siblings: in pairs, and then one by one. */
static struct timer *meld_list(struct timer *list)
{
	struct timer *pairs = NULL;
	struct timer *root = NULL;
	struct timer *pair = NULL;

	while (list != NULL) {
		struct timer *a = take_first(&list);
		struct timer *b = take_first(&list);

		pair = meld(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs != NULL) {
		pair = take_first(&pairs);
		root = meld(root, pair);
	}
	return root;
}

static void heap_remove(struct timers *timers, struct timer *timer)
{
	struct timer *below = meld_list(timer->child);

	if (timer == timers->root) {
		timers->root = below;
	} else {
		if (timer->prev->child == timer) {
			timer->prev->child = timer->next;
		} else {
			timer->prev->next = timer->next;
		}
		if (timer->next != NULL) {
			timer->next->prev = timer->prev;
		}
		timers->root = meld(timers->root, below);
	}
	timer->child = NULL;
	timer->next = NULL;
	timer->prev = NULL;
	timer->timers = NULL;
}

/* -------------------------------------------------------------- the clock */

/*
 * Not earlier than need be, and not for a first timer that was cancelled: then
 * it is readable once with nothing to do.
 */
static void arm(struct timers *timers)
{
	struct itimerspec when = {};
	uint64_t due = UINT64_MAX;

	if (timers->root != NULL) {
		due = timers->root->due;
		when.it_value.tv_sec = (time_t)(due / SECOND_NS);
		when.it_value.tv_nsec = (long)(due % SECOND_NS);
	}
	/* It cannot fail: descriptor and numbers are good. */
	(void)timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &when, NULL);
	timers->armed = due;
}

static void timers_run(struct tevent_context *ev, struct tevent_fd *fde,
		       uint16_t flags, void *private_data)
{
	struct timers *timers =
		talloc_get_type_abort(private_data, struct timers);
	const uint64_t begin = now_ns();
	struct timer *timer = timers->root;

	(void)ev;
	(void)fde;
	(void)flags;

	/* What is set now is not due at begin. */
	timers->running = true;
	while (timer != NULL && timer->due <= begin) {
		heap_remove(timers, timer);
		timer->fn(timer->private_data);
		if (now_ns() - begin >= TIMERS_SLICE_NS) {
			break;
		}
		timer = timers->root;
	}
	timers->running = false;
	arm(timers);
}

/* ---------------------------------------------------------- the interface */

static int timers_destructor(struct timers *timers)
{
	while (timers->root != NULL) {
		heap_remove(timers, timers->root);
	}
	TALLOC_FREE(timers->fde);
	close(timers->fd);
	return 0;
}

everr_t timers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      struct timers **ret_timers)
{
	struct timers *timers = talloc_zero(mem_ctx, struct timers);

	if (timers == NULL) {
		return EVERR_NOMEM;
	}
	timers->armed = UINT64_MAX;
	timers->fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timers->fd == -1) {
		TALLOC_FREE(timers);
		return EVERR_IO;
	}
	talloc_set_destructor(timers, timers_destructor);

	timers->fde = tevent_add_fd(ev, timers, timers->fd, TEVENT_FD_READ,
				    timers_run, timers);
	if (timers->fde == NULL) {
		TALLOC_FREE(timers);
		return EVERR_NOMEM;
	}

	*ret_timers = timers;
	return EVERR_OK;
}

void timer_set(struct timers *timers, struct timer *timer, uint64_t ms)
{
	timer_cancel(timer);
	if (ms > LATEST_MS) {
		ms = LATEST_MS;
	}
	timer->timers = timers;
	timer->due = now_ns() + ms * MS_NS;
	timers->root = meld(timers->root, timer);
	if (!timers->running && timer->due < timers->armed) {
		arm(timers);
	}
}

void timer_cancel(struct timer *timer)
{
	if (timer->timers != NULL) {
		heap_remove(timer->timers, timer);
	}
}

bool timer_is_set(const struct timer *timer)
{
	return timer->timers != NULL;
}
