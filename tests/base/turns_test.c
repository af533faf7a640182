/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/turns.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* Loop turns within which anything that waits must have had its go. */
#define SOON 10

struct piece {
	long busy_ns;
	struct turn turn;
	struct turns *turns;
	int runs;
	bool again;
	const char **log;
	const char *name;
};

static void spend(long ns)
{
	struct timespec start, now;
	long spent = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (spent < ns) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		spent = (now.tv_sec - start.tv_sec) * 1000000000L +
			(now.tv_nsec - start.tv_nsec);
	}
}

static void piece_run(void *private_data)
{
	struct piece *piece = private_data;

	piece->runs++;
	spend(piece->busy_ns);
	if (piece->log != NULL) {
		*piece->log = talloc_asprintf_append((char *)*piece->log, "%s",
						     piece->name);
	}
	if (piece->again) {
		turn_schedule(piece->turns, &piece->turn);
	}
}

static void piece_init(struct piece *piece, struct turns *turns)
{
	*piece = (struct piece){.turns = turns};
	piece->turn.fn = piece_run;
	piece->turn.private_data = piece;
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

static void test_endless_work_leaves_sockets_their_turn(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct turns *turns = NULL;
	struct piece piece;
	int fds[2];
	int readable = 0;
	int i;

	assert_int_equal(turns_create(ev, ev, &turns), EVERR_OK);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_non_null(tevent_add_fd(ev, ev, fds[0], TEVENT_FD_READ,
				      count_readable, &readable));
	piece_init(&piece, turns);
	piece.again = true;
	turn_schedule(turns, &piece.turn);

	for (i = 0; i < 2 * SOON; i++) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_true(readable >= SOON / 2);
	assert_true(piece.runs >= SOON / 2);

	talloc_free(ev);
	close(fds[0]);
	close(fds[1]);
}

static void test_work_runs_in_order_and_once(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	const char *log = talloc_strdup(ev, "");
	struct turns *turns = NULL;
	struct piece pieces[3];
	const char *names[] = {"a", "b", "c"};
	int i;

	assert_int_equal(turns_create(ev, ev, &turns), EVERR_OK);
	for (i = 0; i < 3; i++) {
		piece_init(&pieces[i], turns);
		pieces[i].log = &log;
		pieces[i].name = names[i];
		turn_schedule(turns, &pieces[i].turn);
	}
	turn_schedule(turns, &pieces[0].turn);

	/* One slice is enough for them; a further turn would only wait. */
	for (i = 0; i < 3 && strlen(log) < 3; i++) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_string_equal(log, "abc");
	talloc_free(ev);
}

/* Each piece uses up a slice: sockets come in between, one by one. */
static void test_long_pieces_are_a_turn_each(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct turns *turns = NULL;
	struct piece pieces[3];
	int i;

	assert_int_equal(turns_create(ev, ev, &turns), EVERR_OK);
	for (i = 0; i < 3; i++) {
		piece_init(&pieces[i], turns);
		pieces[i].busy_ns = TURNS_SLICE_NS;
		turn_schedule(turns, &pieces[i].turn);
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(tevent_loop_once(ev), 0);
		assert_int_equal(pieces[i].runs, 1);
		assert_int_equal(pieces[2].runs, i == 2);
	}
	talloc_free(ev);
}

static void test_cancelled_work_does_not_run(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct turns *turns = NULL;
	struct piece kept;
	struct piece dropped;

	assert_int_equal(turns_create(ev, ev, &turns), EVERR_OK);
	piece_init(&kept, turns);
	piece_init(&dropped, turns);
	turn_schedule(turns, &dropped.turn);
	turn_schedule(turns, &kept.turn);
	turn_cancel(&dropped.turn);
	turn_cancel(&dropped.turn);

	assert_int_equal(tevent_loop_once(ev), 0);
	assert_int_equal(kept.runs, 1);
	assert_int_equal(dropped.runs, 0);

	/* A queue that goes away lets go of what still waits. */
	turn_schedule(turns, &kept.turn);
	talloc_free(turns);
	turn_cancel(&kept.turn);
	assert_int_equal(kept.runs, 1);
	talloc_free(ev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_endless_work_leaves_sockets_their_turn),
		leak_test(test_work_runs_in_order_and_once),
		leak_test(test_long_pieces_are_a_turn_each),
		leak_test(test_cancelled_work_does_not_run),
	};

	/* tevent keeps its list of backends for ever. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
