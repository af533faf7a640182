/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/park.h"

#include "rpc/report.h"

static int parked_destructor(struct rpc_parked *parked)
{
	LIST_REMOVE(parked, link);
	parked->connection->num_parked--;
	parked->connection->service->stats.parked_calls--;
	return 0;
}

static everr_t park_refuse(struct dcesrv_call_state *call)
{
	struct rpc_connection *connection = rpc_call_connection(call);

	call->fault_code = RPC_FAULT_TOO_BUSY;
	rpc_report_limit(connection->service, "calls in flight",
			 connection->peer);
	return EVERR_LIMIT;
}

everr_t rpc_park(struct dcesrv_call_state *call, rpc_lost_fn lost,
		 void *private_data, struct rpc_parked **ret_parked)
{
	struct rpc_connection *connection = rpc_call_connection(call);
	struct rpc_service *service = connection->service;
	struct rpc_parked *parked = NULL;

	if (connection->num_parked >= service->config.limits.calls_in_flight) {
		return park_refuse(call);
	}
	/* Only a security mechanism that needs strict order takes this away. */
	if (!(call->state_flags & DCESRV_CALL_STATE_FLAG_MAY_ASYNC)) {
		return park_refuse(call);
	}

	parked = talloc_zero(call, struct rpc_parked);
	if (parked == NULL) {
		return EVERR_NOMEM;
	}
	parked->connection = connection;
	parked->call = call;
	parked->lost = lost;
	parked->private_data = private_data;
	LIST_INSERT_HEAD(&connection->parked, parked, link);
	connection->num_parked++;
	service->stats.parked_calls++;
	talloc_set_destructor(parked, parked_destructor);

	call->state_flags |= DCESRV_CALL_STATE_FLAG_ASYNC;
	*ret_parked = parked;
	return EVERR_OK;
}

struct dcesrv_call_state *rpc_parked_call(struct rpc_parked *parked)
{
	return parked->call;
}

void rpc_unpark_reply(struct rpc_parked *parked)
{
	struct rpc_connection *connection = parked->connection;
	struct dcesrv_call_state *call = parked->call;
	NTSTATUS status;

	TALLOC_FREE(parked);
	if (connection->dispatching == call) {
		call->state_flags &= ~DCESRV_CALL_STATE_FLAG_ASYNC;
		return;
	}
	if (connection->ending) {
		TALLOC_FREE(call);
		return;
	}

	status = dcesrv_reply(call);
	if (!NT_STATUS_IS_OK(status)) {
		TALLOC_FREE(call);
		rpc_connection_end(connection, "cannot form a reply");
	}
}

void rpc_unpark_fault(struct rpc_parked *parked, uint32_t fault_code)
{
	/* The dispatch's reply function looks at it and answers a fault. */
	parked->call->fault_code = fault_code;
	rpc_unpark_reply(parked);
}

void rpc_parked_lose(struct rpc_parked *parked)
{
	struct dcesrv_call_state *call = parked->call;
	rpc_lost_fn lost = parked->lost;
	void *private_data = parked->private_data;

	TALLOC_FREE(parked);
	if (lost != NULL) {
		lost(private_data);
	}
	TALLOC_FREE(call);
}

/*
 * A method that went on for a client that no longer listens would hand it
 * events, which would then be lost (facts 1.3).
 */
void rpc_parked_abandon(struct rpc_connection *connection, uint32_t call_id,
			bool orphaned)
{
	struct rpc_parked *parked = NULL;

	LIST_FOREACH(parked, &connection->parked, link)
	{
		if (parked->call->pkt.call_id == call_id) {
			break;
		}
	}
	if (parked == NULL) {
		return;
	}
	if (orphaned) {
		rpc_parked_lose(parked);
		return;
	}
	if (parked->lost != NULL) {
		parked->lost(parked->private_data);
	}
	rpc_unpark_fault(parked, RPC_FAULT_CANCEL);
}

void rpc_parked_forget(struct dcesrv_call_state *call)
{
	struct rpc_connection *connection = rpc_call_connection(call);
	struct rpc_parked *parked = NULL;

	LIST_FOREACH(parked, &connection->parked, link)
	{
		if (parked->call == call) {
			call->state_flags &= ~DCESRV_CALL_STATE_FLAG_ASYNC;
			TALLOC_FREE(parked);
			return;
		}
	}
}
