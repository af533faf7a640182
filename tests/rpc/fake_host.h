/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_RPC_FAKE_HOST_H
#define EVENLOG_TESTS_RPC_FAKE_HOST_H

/*
 * What the methods use of the host (rpc/internal.h): one association group, a
 * connection whose calls can be looked at, and no Samba.
 */

#include "rpc/internal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A call; what the methods see as struct dcesrv_call_state. */
struct fake_call {
	struct rpc_parked *parked; /* while it is */
	bool answered;		   /* after it was */
	uint32_t fault;
};

struct rpc_service *fake_host_create(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct store *store);

/* A fresh call; its memory is the call itself. */
struct fake_call *fake_call_new(struct rpc_service *service);
struct dcesrv_call_state *fake_call_state(struct fake_call *call);

/* The connection of a parked call goes away. */
void fake_call_lose(struct fake_call *call);

/* Run the loop until the call is answered; false after half a minute. */
bool fake_call_wait(struct rpc_service *service, struct fake_call *call);

/* Give what waits for a turn its turns. */
void fake_turns(struct rpc_service *service);

/* The association group ends. */
void fake_host_rundown(struct rpc_service *service);

/* Handles that are open. */
size_t fake_num_handles(void);

/* Nobody may read this channel. */
void fake_deny(struct store_channel *channel);
extern size_t fake_num_refusals; /* reported ones */

/* This channel is an Analytic one. */
void fake_set_direct(struct store_channel *channel);

/* The host takes no more calls, or no more handles, than so many. */
extern size_t fake_max_parked;
extern size_t fake_max_handles;

#endif
