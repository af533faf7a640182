/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/interface.h"

#include "idl/control_server.h"
#include "idl/even6_server.h"
#include "rpc/park.h"
#include "rpc/report.h"
#include "rpc/samba.h"

#include <dcerpc.h>
#include <string.h>

/* Presentation contexts of one connection; clients use one to three. */
#define CONTEXTS_MAX 16

/* ---------------------------------------------------------------- bind */

static enum dcerpc_transport_t context_transport(
	const struct dcesrv_connection_context *context)
{
	return dcerpc_binding_get_transport(
		context->conn->endpoint->ep_description);
}

static NTSTATUS bind_check_contexts(struct dcesrv_connection_context *context)
{
	const struct dcesrv_connection_context *c = NULL;
	size_t count = 0;

	for (c = context->conn->contexts; c != NULL; c = c->next) {
		count++;
	}
	return count > CONTEXTS_MAX ? NT_STATUS_INSUFFICIENT_RESOURCES
				    : NT_STATUS_OK;
}

/*
 * [MS-EVEN6] 2.1 with the hardening of CVE-2021-31958: over the network packet
 * integrity is the least.  The core answers calls below with fault 0x5.  A
 * local socket carries its peer's identity itself.
 */
NTSTATUS dcesrv_even6_bind(struct dcesrv_connection_context *context,
			   const struct dcesrv_interface *iface)
{
	if (context_transport(context) != NCALRPC) {
		context->min_auth_level = DCERPC_AUTH_LEVEL_INTEGRITY;
		context->allow_connect = false;
	}
	return bind_check_contexts(context);
}

void dcesrv_even6_unbind(struct dcesrv_connection_context *context,
			 const struct dcesrv_interface *iface)
{
	rpc_connection_lose_calls(talloc_get_type_abort(
		context->conn->transport.private_data, struct rpc_connection));
}

NTSTATUS dcesrv_control_bind(struct dcesrv_connection_context *context,
			     const struct dcesrv_interface *iface)
{
	if (context_transport(context) != NCALRPC) {
		return NT_STATUS_ACCESS_DENIED;
	}
	return bind_check_contexts(context);
}

void dcesrv_control_unbind(struct dcesrv_connection_context *context,
			   const struct dcesrv_interface *iface)
{
	dcesrv_even6_unbind(context, iface);
}

/* ------------------------------------------------------------ dispatch */

static void count_logon(struct dcesrv_call_state *call)
{
	struct rpc_stats *stats = &rpc_call_service(call)->stats;
	const char *mechanism =
		gensec_final_auth_type(call->auth_state->gensec_security);

	stats->logons++;
	if (strcmp(mechanism, "krb5") == 0) {
		stats->logons_kerberos++;
	}
}

/*
 * An anonymous NTLM logon can be sealed too, so the level alone does not
 * tell: the session must have been authenticated.
 */
static bool dispatch_allowed(struct dcesrv_call_state *call)
{
	struct rpc_connection *connection = rpc_call_connection(call);

	if (!dcesrv_call_authenticated(call)) {
		return false;
	}
	if (!connection->logged_on) {
		connection->logged_on = true;
		TALLOC_FREE(connection->logon_timer);
		if (connection->door != RPC_DOOR_LOCAL) {
			count_logon(call);
		}
	}
	return true;
}

static NTSTATUS dispatch(const struct dcesrv_interface *iface,
			 struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			 void *r)
{
	struct rpc_connection *connection = rpc_call_connection(call);
	struct dcesrv_call_state *outer = connection->dispatching;
	NTSTATUS status;

	if (!dispatch_allowed(call)) {
		call->fault_code = RPC_FAULT_ACCESS_DENIED;
		return NT_STATUS_NET_WRITE_FAULT;
	}
	connection->dispatching = call;
	status = iface->dispatch(call, mem_ctx, r);
	connection->dispatching = outer;
	if (!NT_STATUS_IS_OK(status)) {
		/* A fault goes out at once, so nothing may stay parked. */
		rpc_parked_forget(call);
	}
	return status;
}

static NTSTATUS even6_dispatch(struct dcesrv_call_state *call,
			       TALLOC_CTX *mem_ctx, void *r)
{
	uint16_t opnum = call->pkt.u.request.opnum;

	if (opnum < RPC_EVEN6_NUM_CALLS) {
		rpc_call_service(call)->stats.calls[opnum]++;
	}
	return dispatch(&dcesrv_even6_interface, call, mem_ctx, r);
}

static NTSTATUS control_dispatch(struct dcesrv_call_state *call,
				 TALLOC_CTX *mem_ctx, void *r)
{
	return dispatch(&dcesrv_control_interface, call, mem_ctx, r);
}

struct dcesrv_interface rpc_interface_even6(void)
{
	struct dcesrv_interface iface = dcesrv_even6_interface;

	iface.dispatch = even6_dispatch;
	return iface;
}

struct dcesrv_interface rpc_interface_control(void)
{
	struct dcesrv_interface iface = dcesrv_control_interface;

	iface.dispatch = control_dispatch;
	return iface;
}
