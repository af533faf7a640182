/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_TIMERS_H
#define EVENLOG_BASE_TIMERS_H

/*
 * Timers of which there may be tens of thousands.
 *
 * tevent keeps its timers in one sorted list, into which a new one is put by
 * walking past all that end later, and runs every one that is due before it
 * looks at a socket.  Here they are a heap behind one timerfd: to set and to
 * cancel costs O(log n), amortized, and the kernel hands out what is due in
 * turn with the sockets, a slice at a time, as base/turns.h does.
 *
 * They count on the monotonic clock, on which a computer's sleep is no time.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* No further timer is run in a slice when so much time has gone. */
#define TIMERS_SLICE_NS 1000000

struct timers;

/*
 * Embedded by its owner, who cancels it before it goes away.  Zero at first,
 * with fn and private_data set.
 */
struct timer {
	void (*fn)(void *private_data);
	void *private_data;
	struct timers *timers; /* NULL while it is not set */
	uint64_t due;	       /* monotonic, nanoseconds */
	/* In the heap: the first of those below, and its neighbours. */
	struct timer *child;
	struct timer *next;
	struct timer *prev; /* or the one above, of a first child */
};

/*
 * Freed not from inside a timer's fn; timers that are still set then are not
 * set any more.
 *
 * EVERR_IO  no descriptor (errno); EVERR_NOMEM
 */
everr_t timers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      struct timers **ret_timers) EVERR_MUST_CHECK;

/* Run timer->fn once, in ms milliseconds; one that is set is moved. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t ms);

/* Forget it; no-op if it is not set. */
void timer_cancel(struct timer *timer);

/* False from the moment on at which fn is called. */
bool timer_is_set(const struct timer *timer);

#endif
