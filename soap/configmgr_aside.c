/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The thread reads step, data and fd; the rest is the loop's. */
struct seat {
	struct configmgr_places *places;
	struct configmgr_place *holder; /* NULL: nobody wants it any more */
	TALLOC_CTX *memory;		/* a tree of its own: the thread's */
	struct tevent_fd *fde;
	struct tevent_req *req; /* who waits for the step, or NULL */
	pthread_t thread;
	int fd; /* an eventfd, readable when the step has ended */
	bool taken, running;
	void (*step)(void *data);
	void *data;
};

struct configmgr_place {
	struct seat *seat;
};

struct place_state {
	struct place_state *prev, *next;
	struct configmgr_places *places; /* while it waits in line */
	struct tevent_req *req;
	struct configmgr_place *place;
};

struct aside_state {
	struct seat *seat; /* NULL: the step has ended */
};

struct configmgr_places {
	struct tevent_context *ev;
	struct seat seats[CONFIGMGR_PLACES_MAX];
	struct place_state *first, *last;
};

/* ----------------------------------------------------------------- seats */

static void seats_give(struct configmgr_places *places);

static void seat_free(struct seat *seat)
{
	TALLOC_FREE(seat->fde);
	if (seat->fd != -1) {
		close(seat->fd);
		seat->fd = -1;
	}
	TALLOC_FREE(seat->memory);
	seat->taken = false;
}

static int place_destructor(struct configmgr_place *place)
{
	struct seat *seat = place->seat;

	seat->holder = NULL;
	seat->req = NULL;
	if (!seat->running) {
		seat_free(seat);
		seats_give(seat->places);
	}
	return 0;
}

static void seat_joined(struct seat *seat)
{
	pthread_join(seat->thread, NULL);
	seat->running = false;
	TALLOC_FREE(seat->fde);
	close(seat->fd);
	seat->fd = -1;
}

static void seat_ended(struct tevent_context *ev, struct tevent_fd *fde,
		       uint16_t flags, void *private_data)
{
	struct seat *seat = private_data;
	struct configmgr_places *places = seat->places;
	struct tevent_req *req = seat->req;

	seat_joined(seat);
	seat->req = NULL;
	if (seat->holder == NULL) {
		seat_free(seat);
		seats_give(places);
		return;
	}
	if (req != NULL) {
		struct aside_state *state =
			tevent_req_data(req, struct aside_state);

		state->seat = NULL;
		tevent_req_done(req);
	}
}

static void *seat_main(void *private_data)
{
	struct seat *seat = private_data;
	const uint64_t one = 1;
	ssize_t written;

	seat->step(seat->data);
	written = write(seat->fd, &one, sizeof(one));
	(void)written;
	return NULL;
}

static int places_destructor(struct configmgr_places *places)
{
	size_t i;

	for (i = 0; i < CONFIGMGR_PLACES_MAX; i++) {
		struct seat *seat = &places->seats[i];

		if (seat->running) {
			seat_joined(seat);
		}
		if (seat->holder != NULL) {
			talloc_set_destructor(seat->holder, NULL);
		}
		if (seat->req != NULL) {
			struct aside_state *state =
				tevent_req_data(seat->req, struct aside_state);

			state->seat = NULL;
		}
		seat_free(seat);
	}
	while (places->first != NULL) {
		places->first->places = NULL;
		places->first = places->first->next;
	}
	return 0;
}

everr_t configmgr_places_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				struct configmgr_places **ret_places)
{
	struct configmgr_places *places = NULL;
	size_t i;

	places = talloc_zero(mem_ctx, struct configmgr_places);
	if (places == NULL) {
		return EVERR_NOMEM;
	}
	places->ev = ev;
	for (i = 0; i < CONFIGMGR_PLACES_MAX; i++) {
		places->seats[i].places = places;
		places->seats[i].fd = -1;
	}
	talloc_set_destructor(places, places_destructor);
	*ret_places = places;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- places */

static void line_leave(struct place_state *state)
{
	struct configmgr_places *places = state->places;

	if (state->prev != NULL) {
		state->prev->next = state->next;
	} else {
		places->first = state->next;
	}
	if (state->next != NULL) {
		state->next->prev = state->prev;
	} else {
		places->last = state->prev;
	}
	state->places = NULL;
}

static int place_state_destructor(struct place_state *state)
{
	if (state->places != NULL) {
		line_leave(state);
	}
	return 0;
}

static everr_t seat_take(struct seat *seat, struct place_state *state)
{
	struct configmgr_place *place = NULL;

	place = talloc_zero(state, struct configmgr_place);
	if (place == NULL) {
		return EVERR_NOMEM;
	}
	seat->memory = talloc_new(NULL);
	if (seat->memory == NULL) {
		talloc_free(place);
		return EVERR_NOMEM;
	}
	seat->taken = true;
	seat->holder = place;
	place->seat = seat;
	talloc_set_destructor(place, place_destructor);
	state->place = place;
	return EVERR_OK;
}

/* Those who wait come first in a later turn, so that nothing nests. */
static void seats_give(struct configmgr_places *places)
{
	size_t i;

	for (i = 0; i < CONFIGMGR_PLACES_MAX && places->first != NULL; i++) {
		struct place_state *state = places->first;
		struct seat *seat = &places->seats[i];
		everr_t err;

		if (seat->taken) {
			continue;
		}
		line_leave(state);
		tevent_req_defer_callback(state->req, places->ev);
		err = seat_take(seat, state);
		if (err != EVERR_OK) {
			tevent_req_error(state->req, err);
		} else {
			tevent_req_done(state->req);
		}
	}
}

struct tevent_req *configmgr_place_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct configmgr_places *places)
{
	struct place_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct place_state);
	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	state->places = places;
	state->prev = places->last;
	if (places->last == NULL) {
		places->first = state;
	} else {
		places->last->next = state;
	}
	places->last = state;
	talloc_set_destructor(state, place_state_destructor);
	seats_give(places);
	return req;
}

static everr_t req_error(struct tevent_req *req)
{
	enum tevent_req_state state;
	uint64_t err = 0;

	if (!tevent_req_is_error(req, &state, &err)) {
		return EVERR_OK;
	}
	return state == TEVENT_REQ_USER_ERROR ? (everr_t)err : EVERR_NOMEM;
}

everr_t configmgr_place_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			     struct configmgr_place **ret_place)
{
	struct place_state *state = tevent_req_data(req, struct place_state);
	everr_t err = req_error(req);

	if (err == EVERR_OK) {
		*ret_place = talloc_steal(mem_ctx, state->place);
	}
	tevent_req_received(req);
	return err;
}

unsigned int configmgr_places_busy(const struct configmgr_places *places)
{
	unsigned int num = 0;
	size_t i;

	for (i = 0; i < CONFIGMGR_PLACES_MAX; i++) {
		num += places->seats[i].taken;
	}
	return num;
}

TALLOC_CTX *configmgr_place_memory(struct configmgr_place *place)
{
	return place->seat->memory;
}

/* ----------------------------------------------------------------- steps */

/* The step goes on; nobody is told. */
static int aside_state_destructor(struct aside_state *state)
{
	if (state->seat != NULL) {
		state->seat->req = NULL;
	}
	return 0;
}

/* The loop's signals stay the loop's. */
static bool seat_run(struct seat *seat)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&seat->thread, NULL, seat_main, seat);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0;
}

struct tevent_req *configmgr_aside_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct configmgr_place *place,
					void (*step)(void *data), void *data)
{
	struct aside_state *state = NULL;
	struct seat *seat = place->seat;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct aside_state);
	if (req == NULL) {
		return NULL;
	}
	state->seat = seat;
	talloc_set_destructor(state, aside_state_destructor);
	seat->step = step;
	seat->data = data;
	seat->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (seat->fd != -1) {
		seat->fde = tevent_add_fd(ev, seat->places, seat->fd,
					  TEVENT_FD_READ, seat_ended, seat);
	}
	if (seat->fde == NULL || !seat_run(seat)) {
		tevent_req_error(req, EVERR_NOMEM);
		return tevent_req_post(req, ev);
	}
	seat->running = true;
	seat->req = req;
	return req;
}

everr_t configmgr_aside_recv(struct tevent_req *req)
{
	everr_t err = req_error(req);

	tevent_req_received(req);
	return err;
}
