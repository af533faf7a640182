/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_BACKOFF_H
#define EVENLOG_BASE_BACKOFF_H

/*
 * How long to wait before something is tried again: twice as long each time,
 * up to a bound, and jittered, so that a thousand that failed together do not
 * come back together.  Pure.
 */

#include <stdint.h>

struct backoff {
	uint32_t min_ms; /* at least 1 */
	uint32_t max_ms;
	uint32_t attempts; /* failed ones in a row */
};

/*
 * The wait before the next attempt in milliseconds, between half and all of
 * min(max_ms, min_ms * 2^attempts); attempts is counted up.  random is any
 * number.
 */
uint32_t backoff_next(struct backoff *backoff, uint32_t random);

/* It worked. */
void backoff_reset(struct backoff *backoff);

#endif
