/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The quarantine's calls of the control interface.  What strangers have sent
 * may hold anything, so that it is for administrators.
 */

#include "idl/control_server.h"
#include "rpc/request.h"

/* Bytes of a list: of UTF-8, so that no more units come of it. */
#define LIST_MAX (1024 * 1024)

_Static_assert(LIST_MAX < CONTROL_STATUS_MAX_LENGTH, "a list fits into a call");

/* NULL: the daemon has none. */
static const struct rpc_quarantine_hooks *quarantine_hooks(
	struct dcesrv_call_state *call)
{
	return rpc_call_service(call)->hooks.quarantine;
}

static void *hooks_data(struct dcesrv_call_state *call)
{
	return rpc_call_service(call)->hooks.private_data;
}

WERROR dcesrv_control_QuarantineList(struct dcesrv_call_state *call,
				     TALLOC_CTX *mem_ctx,
				     struct control_QuarantineList *r)
{
	const struct rpc_quarantine_hooks *hooks = quarantine_hooks(call);
	everr_t err = EVERR_NOT_SUPPORTED;
	char *json = NULL;

	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	if (hooks != NULL) {
		err = hooks->list(mem_ctx, r->in.after, LIST_MAX, &json,
				  hooks_data(call));
	}
	*r->out.json = json != NULL ? json : "[]";
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}

WERROR dcesrv_control_QuarantineRead(struct dcesrv_call_state *call,
				     TALLOC_CTX *mem_ctx,
				     struct control_QuarantineRead *r)
{
	const struct rpc_quarantine_hooks *hooks = quarantine_hooks(call);
	everr_t err = EVERR_NOT_SUPPORTED;
	struct rpc_quarantine_part part = {.json = NULL};

	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	if (hooks != NULL) {
		err = hooks->read(mem_ctx, r->in.name, r->in.offset, r->in.max,
				  &part, hooks_data(call));
	}
	*r->out.json = part.json != NULL ? part.json : "{}";
	*r->out.length = (uint32_t)part.len;
	*r->out.data = part.data;
	*r->out.total = part.total;
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}

WERROR dcesrv_control_QuarantineRemove(struct dcesrv_call_state *call,
				       TALLOC_CTX *mem_ctx,
				       struct control_QuarantineRemove *r)
{
	const struct rpc_quarantine_hooks *hooks = quarantine_hooks(call);
	everr_t err = EVERR_NOT_SUPPORTED;

	(void)mem_ctx;
	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	if (hooks != NULL) {
		err = hooks->remove(r->in.name, hooks_data(call));
	}
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}

/* --------------------------------------------------------------- retry */

static everr_t retry_start(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			   struct control_QuarantineRetry *r)
{
	struct rpc_service *service = rpc_call_service(call);
	const struct rpc_quarantine_hooks *hooks = service->hooks.quarantine;
	struct rpc_request *request = NULL;
	everr_t err;

	err = rpc_request_begin(call, mem_ctx, hooks->retry_recv,
				r->out.message, r->out.error, &request);
	if (err != EVERR_OK) {
		return err;
	}
	rpc_request_wait(request,
			 hooks->retry_send(request, service->ev, r->in.name,
					   service->hooks.private_data));
	return EVERR_OK;
}

WERROR dcesrv_control_QuarantineRetry(struct dcesrv_call_state *call,
				      TALLOC_CTX *mem_ctx,
				      struct control_QuarantineRetry *r)
{
	everr_t err = EVERR_NOT_SUPPORTED;

	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	*r->out.message = "";
	*r->out.error = EVERR_OK;
	r->out.result = WERR_OK;
	if (quarantine_hooks(call) != NULL) {
		err = retry_start(call, mem_ctx, r);
		if (err == EVERR_OK) {
			/* Parked, or answered already: out is set by then. */
			return r->out.result;
		}
	}
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}
