/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/lag.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD_US 100000
#define WINDOW 1000

struct daemon_lag {
	struct tevent_context *ev;
	uint64_t due_us; /* CLOCK_MONOTONIC */
	uint64_t samples;
	uint32_t max_us;
	uint32_t window[WINDOW];
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void lag_tick(struct tevent_context *ev, struct tevent_timer *te,
		     struct timeval now, void *private_data);

static bool lag_arm(struct daemon_lag *lag)
{
	struct tevent_timer *te = NULL;

	lag->due_us = now_us() + PERIOD_US;
	te = tevent_add_timer(lag->ev, lag,
			      tevent_timeval_current_ofs(0, PERIOD_US),
			      lag_tick, lag);
	return te != NULL;
}

static void lag_tick(struct tevent_context *ev, struct tevent_timer *te,
		     struct timeval now, void *private_data)
{
	struct daemon_lag *lag =
		talloc_get_type_abort(private_data, struct daemon_lag);
	uint64_t at = now_us();
	uint64_t late = at > lag->due_us ? at - lag->due_us : 0;
	uint32_t sample = late > UINT32_MAX ? UINT32_MAX : (uint32_t)late;

	lag->window[lag->samples % WINDOW] = sample;
	lag->samples++;
	if (sample > lag->max_us) {
		lag->max_us = sample;
	}
	lag_arm(lag);
}

struct daemon_lag *daemon_lag_create(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev)
{
	struct daemon_lag *lag = talloc_zero(mem_ctx, struct daemon_lag);

	if (lag == NULL) {
		return NULL;
	}
	lag->ev = ev;
	if (!lag_arm(lag)) {
		TALLOC_FREE(lag);
	}
	return lag;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void daemon_lag_stats(const struct daemon_lag *lag,
		      struct daemon_lag_stats *ret_stats)
{
	size_t num = lag->samples < WINDOW ? (size_t)lag->samples : WINDOW;
	uint32_t sorted[WINDOW];

	*ret_stats = (struct daemon_lag_stats){
		.samples = lag->samples,
		.max_us = lag->max_us,
	};
	if (num == 0) {
		return;
	}
	memcpy(sorted, lag->window, num * sizeof(sorted[0]));
	qsort(sorted, num, sizeof(sorted[0]), compare);
	ret_stats->p50_us = sorted[num / 2];
	ret_stats->p99_us = sorted[num * 99 / 100];
}
