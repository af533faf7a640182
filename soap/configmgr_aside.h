/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONFIGMGR_ASIDE_H
#define EVENLOG_SOAP_CONFIGMGR_ASIDE_H

/*
 * Reading large messages aside from the loop, which goes on serving others: a
 * thread of its own for each step.  There are few places, and a message keeps
 * its place until it is answered: what large messages take of memory is
 * bounded.
 *
 * A step touches the memory of its place and what is constant; no loop, no
 * store, no table.
 */

#include "base/everr.h"

#include <talloc.h>
#include <tevent.h>

/* Large messages that are read at a time; others wait for a place. */
#define CONFIGMGR_PLACES_MAX 2

struct configmgr;
struct configmgr_places;
struct configmgr_place;

/* Freeing it waits for steps that are running; after all who hold a place. */
everr_t configmgr_places_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				struct configmgr_places **ret_places)
	EVERR_MUST_CHECK;

/*
 * Wait for a place.  What recv hands out is a child of mem_ctx; freeing it
 * gives the place back, when its step has ended.
 */
struct tevent_req *configmgr_place_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct configmgr_places *places);
everr_t configmgr_place_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			     struct configmgr_place **ret_place)
	EVERR_MUST_CHECK;

/* Places that are taken. */
unsigned int configmgr_places_busy(const struct configmgr_places *places);

/* What steps work in and leave behind; goes with the place. */
TALLOC_CTX *configmgr_place_memory(struct configmgr_place *place);

/* Run a step; one at a time.  data lies in the place's memory. */
struct tevent_req *configmgr_aside_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct configmgr_place *place,
					void (*step)(void *data), void *data);
everr_t configmgr_aside_recv(struct tevent_req *req) EVERR_MUST_CHECK;

#endif
