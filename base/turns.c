/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/turns.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct turns {
	struct tevent_fd *fde;
	int fd;
	bool readable; /* the eventfd's counter is not zero */
	size_t count;
	struct turn *first;
	struct turn *last;
};

static void turns_unlink(struct turns *turns, struct turn *turn)
{
	if (turn->prev != NULL) {
		turn->prev->next = turn->next;
	} else {
		turns->first = turn->next;
	}
	if (turn->next != NULL) {
		turn->next->prev = turn->prev;
	} else {
		turns->last = turn->prev;
	}
	turn->queue = NULL;
	turn->prev = NULL;
	turn->next = NULL;
	turns->count--;
}

/* An eventfd neither blocks nor fails for counters this small. */
static void turns_set_readable(struct turns *turns, bool readable)
{
	uint64_t counter = 1;
	ssize_t n;

	if (turns->readable == readable) {
		return;
	}
	do {
		n = readable ? write(turns->fd, &counter, sizeof(counter))
			     : read(turns->fd, &counter, sizeof(counter));
	} while (n < 0 && errno == EINTR);
	turns->readable = readable;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void turns_run(struct tevent_context *ev, struct tevent_fd *fde,
		      uint16_t flags, void *private_data)
{
	struct turns *turns = talloc_get_type_abort(private_data, struct turns);
	uint64_t end = now_ns() + TURNS_SLICE_NS;
	size_t left = turns->count; /* what is added now waits */

	(void)ev;
	(void)fde;
	(void)flags;

	do {
		struct turn *turn = turns->first;

		if (turn == NULL) {
			break;
		}
		turns_unlink(turns, turn);
		turn->fn(turn->private_data);
		left--;
	} while (left > 0 && now_ns() < end);

	if (turns->first == NULL) {
		turns_set_readable(turns, false);
	}
}

static int turns_destructor(struct turns *turns)
{
	while (turns->first != NULL) {
		turns_unlink(turns, turns->first);
	}
	TALLOC_FREE(turns->fde);
	close(turns->fd);
	return 0;
}

everr_t turns_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		     struct turns **ret_turns)
{
	struct turns *turns = talloc_zero(mem_ctx, struct turns);

	if (turns == NULL) {
		return EVERR_NOMEM;
	}
	turns->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (turns->fd == -1) {
		TALLOC_FREE(turns);
		return EVERR_IO;
	}
	talloc_set_destructor(turns, turns_destructor);

	turns->fde = tevent_add_fd(ev, turns, turns->fd, TEVENT_FD_READ,
				   turns_run, turns);
	if (turns->fde == NULL) {
		TALLOC_FREE(turns);
		return EVERR_NOMEM;
	}

	*ret_turns = turns;
	return EVERR_OK;
}

void turn_schedule(struct turns *turns, struct turn *turn)
{
	if (turn->queue != NULL) {
		return;
	}
	turn->queue = turns;
	turn->prev = turns->last;
	if (turns->last != NULL) {
		turns->last->next = turn;
	} else {
		turns->first = turn;
	}
	turns->last = turn;
	turns->count++;
	turns_set_readable(turns, true);
}

void turn_cancel(struct turn *turn)
{
	struct turns *turns = turn->queue;

	if (turns == NULL) {
		return;
	}
	turns_unlink(turns, turn);
	if (turns->first == NULL) {
		turns_set_readable(turns, false);
	}
}
