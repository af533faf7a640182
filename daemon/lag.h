/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_LAG_H
#define EVENLOG_DAEMON_LAG_H

/*
 * How late the event loop is: a timer every 100 ms that measures by how much
 * it was late.  Everything runs in one loop, so this is what a slow call
 * anywhere costs all others (design decision 10).
 */

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct daemon_lag;

struct daemon_lag_stats {
	uint64_t samples;
	uint32_t p50_us; /* over the last 1,000 samples */
	uint32_t p99_us;
	uint32_t max_us; /* since the start */
};

/* NULL: out of memory.  Freeing it stops the timer. */
struct daemon_lag *daemon_lag_create(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev);
void daemon_lag_stats(const struct daemon_lag *lag,
		      struct daemon_lag_stats *ret_stats);

#endif
