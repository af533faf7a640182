/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_TURNS_H
#define EVENLOG_BASE_TURNS_H

/*
 * Work that takes turns with the sockets.
 *
 * tevent runs every pending immediate and every timer that is due before it
 * looks at a socket, so work that goes on by one of these starves all
 * clients.  Here the work waits in one queue behind an eventfd that is
 * readable while the queue is not empty: the kernel hands it out in turn with
 * the sockets that are ready.  Each time a slice of the queue is run, at
 * least one piece and no piece twice: many small replies to one event do not
 * wait for a round of all sockets each, and a large one is a turn by itself.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>

/* No further piece is begun when so much time has gone. */
#define TURNS_SLICE_NS 1000000

struct turns;

/*
 * A piece of work; embedded by its owner, who cancels it before it goes away.
 * Zero and then fn and private_data set.
 */
struct turn {
	void (*fn)(void *private_data);
	void *private_data;
	struct turns *queue; /* NULL while it does not wait */
	struct turn *prev;
	struct turn *next;
};

/* EVERR_IO: no descriptor; EVERR_NOMEM */
everr_t turns_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		     struct turns **ret_turns) EVERR_MUST_CHECK;

/* Run turn->fn once, behind all that waits already; no-op while it waits. */
void turn_schedule(struct turns *turns, struct turn *turn);

/* Forget it; no-op if it does not wait. */
void turn_cancel(struct turn *turn);

#endif
