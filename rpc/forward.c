/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The forwarder's call of the control interface.  Where events go, and which
 * of them again, is for administrators.
 */

#include "idl/control_server.h"
#include "rpc/request.h"

_Static_assert(CONTROL_REWIND_OLDEST == (int)RPC_REWIND_OLDEST &&
		       CONTROL_REWIND_TIME == (int)RPC_REWIND_TIME &&
		       CONTROL_REWIND_RECORD == (int)RPC_REWIND_RECORD &&
		       CONTROL_REWIND_BOOKMARK == (int)RPC_REWIND_BOOKMARK,
	       "a kind is the same number on the wire");

static everr_t rewind_start(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			    struct control_ForwardRewind *r)
{
	const struct rpc_forward_rewind to = {
		.output = r->in.output,
		.channel = r->in.channel,
		.kind = r->in.kind,
		.value = r->in.value,
		.bookmark = r->in.bookmark,
	};
	struct rpc_service *service = rpc_call_service(call);
	const struct rpc_forward_hooks *hooks = service->hooks.forward;
	struct rpc_request *request = NULL;
	everr_t err;

	err = rpc_request_begin(call, mem_ctx, hooks->rewind_recv,
				r->out.message, r->out.error, &request);
	if (err != EVERR_OK) {
		return err;
	}
	rpc_request_wait(request,
			 hooks->rewind_send(request, service->ev, &to,
					    service->hooks.private_data));
	return EVERR_OK;
}

WERROR dcesrv_control_ForwardRewind(struct dcesrv_call_state *call,
				    TALLOC_CTX *mem_ctx,
				    struct control_ForwardRewind *r)
{
	everr_t err = EVERR_NOT_SUPPORTED;

	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	*r->out.message = "";
	*r->out.error = EVERR_OK;
	r->out.result = WERR_OK;
	if (rpc_call_service(call)->hooks.forward != NULL) {
		err = rewind_start(call, mem_ctx, r);
		if (err == EVERR_OK) {
			/* Parked, or answered already: out is set by then. */
			return r->out.result;
		}
	}
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}
