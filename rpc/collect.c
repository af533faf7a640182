/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The collector's call of the control interface.  What is collected once more,
 * or never, is for administrators.
 */

#include "idl/control_server.h"
#include "rpc/request.h"

static everr_t forget_start(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			    struct control_CollectForget *r)
{
	struct rpc_service *service = rpc_call_service(call);
	const struct rpc_collect_hooks *hooks = service->hooks.collect;
	struct rpc_request *request = NULL;
	everr_t err;

	err = rpc_request_begin(call, mem_ctx, hooks->forget_recv,
				r->out.message, r->out.error, &request);
	if (err != EVERR_OK) {
		return err;
	}
	rpc_request_wait(request,
			 hooks->forget_send(request, service->ev, r->in.host,
					    r->in.channel,
					    service->hooks.private_data));
	return EVERR_OK;
}

WERROR dcesrv_control_CollectForget(struct dcesrv_call_state *call,
				    TALLOC_CTX *mem_ctx,
				    struct control_CollectForget *r)
{
	everr_t err = EVERR_NOT_SUPPORTED;

	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	*r->out.message = "";
	*r->out.error = EVERR_OK;
	r->out.result = WERR_OK;
	if (rpc_call_service(call)->hooks.collect != NULL) {
		err = forget_start(call, mem_ctx, r);
		if (err == EVERR_OK) {
			/* Parked, or answered already: out is set by then. */
			return r->out.result;
		}
	}
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}
