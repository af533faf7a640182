/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/timers.h"

#include <time.h>
#include <unistd.h>

/* Loop turns within which anything that waits must have had its go. */
#define SOON 10
#define MANY 2000

struct watch {
	struct timer timer;
	struct timers *timers;
	uint64_t due;	/* as it was when it was set last */
	uint64_t *last; /* due of the one that ran before */
	int runs;
	int *total;
	bool again;
	long busy_ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void watch_run(void *private_data)
{
	struct watch *watch = private_data;
	uint64_t begin = now_ns();

	assert_false(timer_is_set(&watch->timer));
	/* Neither early nor before one that ended earlier. */
	assert_true(begin >= watch->due);
	if (watch->last != NULL) {
		assert_true(watch->due >= *watch->last);
		*watch->last = watch->due;
	}
	watch->runs++;
	if (watch->total != NULL) {
		(*watch->total)++;
	}
	while (now_ns() - begin < (uint64_t)watch->busy_ns) {
	}
	if (watch->again) {
		timer_set(watch->timers, &watch->timer, 0);
		watch->due = watch->timer.due;
	}
}

static void watch_init(struct watch *watch, struct timers *timers)
{
	*watch = (struct watch){.timers = timers};
	watch->timer.fn = watch_run;
	watch->timer.private_data = watch;
}

static void watch_set(struct watch *watch, uint64_t ms)
{
	uint64_t before = now_ns();

	timer_set(watch->timers, &watch->timer, ms);
	watch->due = watch->timer.due;
	assert_true(timer_is_set(&watch->timer));
	assert_true(watch->due >= before + ms * 1000000);
	assert_true(watch->due <= now_ns() + ms * 1000000);
}

/* Numbers without order, the same in every run. */
static uint32_t next_number(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void test_timers_run_in_the_order_of_their_ends(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct watch *watches = talloc_array(ev, struct watch, MANY);
	struct timers *timers = NULL;
	uint64_t last = 0;
	uint32_t seed = 1;
	int expected = 0;
	int total = 0;
	size_t i;

	assert_int_equal(timers_create(ev, ev, &timers), EVERR_OK);
	for (i = 0; i < MANY; i++) {
		watch_init(&watches[i], timers);
		watches[i].last = &last;
		watches[i].total = &total;
		watch_set(&watches[i], 1 + next_number(&seed) % 50);
	}
	/* Some are moved, some cancelled, wherever they are in the heap. */
	for (i = 0; i < 4 * MANY; i++) {
		struct watch *watch = &watches[next_number(&seed) % MANY];

		if (next_number(&seed) % 4 == 0) {
			timer_cancel(&watch->timer);
			assert_false(timer_is_set(&watch->timer));
		} else {
			watch_set(watch, 100 + next_number(&seed) % 50);
		}
	}
	for (i = 0; i < MANY; i++) {
		expected += timer_is_set(&watches[i].timer) ? 1 : 0;
	}
	assert_true(expected > MANY / 2 && expected < MANY);
	while (total < expected) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	for (i = 0; i < MANY; i++) {
		assert_true(watches[i].runs <= 1);
		assert_false(timer_is_set(&watches[i].timer));
	}
	talloc_free(ev);
}

static void test_an_earlier_timer_does_not_wait_for_a_later_one(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct timers *timers = NULL;
	struct watch never, cancelled, soon;

	assert_int_equal(timers_create(ev, ev, &timers), EVERR_OK);
	watch_init(&never, timers);
	watch_init(&cancelled, timers);
	watch_init(&soon, timers);
	watch_set(&cancelled, 1);
	timer_set(timers, &never.timer, UINT64_MAX);
	watch_set(&soon, 2);
	timer_cancel(&cancelled.timer);
	timer_cancel(&cancelled.timer);
	while (soon.runs == 0) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_int_equal(cancelled.runs, 0);
	assert_int_equal(never.runs, 0);

	/* Timers that go away let go of what is still set. */
	talloc_free(timers);
	assert_false(timer_is_set(&never.timer));
	timer_cancel(&never.timer);
	talloc_free(ev);
}

static void count_readable(struct tevent_context *ev, struct tevent_fd *fde,
			   uint16_t flags, void *private_data)
{
	int *count = private_data;

	(void)ev;
	(void)fde;
	(void)flags;
	(*count)++;
}

static void test_timers_that_are_due_leave_sockets_their_turn(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct watch watches[SOON];
	struct timers *timers = NULL;
	int readable = 0;
	int total = 0;
	int fds[2];
	int i;

	assert_int_equal(timers_create(ev, ev, &timers), EVERR_OK);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_non_null(tevent_add_fd(ev, ev, fds[0], TEVENT_FD_READ,
				      count_readable, &readable));
	for (i = 0; i < SOON; i++) {
		watch_init(&watches[i], timers);
		watches[i].total = &total;
		watches[i].again = true;
		watches[i].busy_ns = TIMERS_SLICE_NS;
		watch_set(&watches[i], 0);
	}
	for (i = 0; i < 4 * SOON; i++) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	/* A slice is one of them, each as long as a slice may last. */
	assert_true(readable >= SOON);
	assert_true(total >= SOON && total <= 4 * SOON);
	talloc_free(ev);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_timers_run_in_the_order_of_their_ends),
		leak_test(test_an_earlier_timer_does_not_wait_for_a_later_one),
		leak_test(test_timers_that_are_due_leave_sockets_their_turn),
	};

	/* tevent keeps its list of backends for ever. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
