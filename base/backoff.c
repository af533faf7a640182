/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/backoff.h"

uint32_t backoff_next(struct backoff *backoff, uint32_t random)
{
	uint64_t wait = backoff->min_ms > 0 ? backoff->min_ms : 1;
	uint32_t shift = backoff->attempts < 31 ? backoff->attempts : 31;
	uint32_t half;

	wait <<= shift;
	if (wait > backoff->max_ms) {
		wait = backoff->max_ms;
	}
	if (backoff->attempts < UINT32_MAX) {
		backoff->attempts++;
	}

	half = (uint32_t)(wait / 2);
	return (uint32_t)wait - half + random % (half + 1);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->attempts = 0;
}
