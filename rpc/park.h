/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_PARK_H
#define EVENLOG_RPC_PARK_H

/* Parked calls, the host's side; the methods' side is in rpc/internal.h. */

#include "rpc/connection.h"

struct rpc_parked {
	LIST_ENTRY(rpc_parked) link;
	struct rpc_connection *connection;
	struct dcesrv_call_state *call; /* talloc parent */
	rpc_lost_fn lost;
	void *private_data;
};

/* Tell the owner that the call is lost, and free it. */
void rpc_parked_lose(struct rpc_parked *parked);

/*
 * The client has given up the call with this id, if it is parked: cancelled,
 * it is answered with RPC_FAULT_CANCEL; orphaned, it is not answered.  Its
 * owner is told in either case that it is lost.
 */
void rpc_parked_abandon(struct rpc_connection *connection, uint32_t call_id,
			bool orphaned);

/* Take back the parking of this call, if it is parked; nobody is told. */
void rpc_parked_forget(struct dcesrv_call_state *call);

#endif
