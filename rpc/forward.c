/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The forwarder's call of the control interface.  Where events go, and which
 * of them again, is for administrators.
 */

#include "idl/control_server.h"
#include "rpc/internal.h"

_Static_assert(CONTROL_REWIND_OLDEST == (int)RPC_REWIND_OLDEST &&
		       CONTROL_REWIND_TIME == (int)RPC_REWIND_TIME &&
		       CONTROL_REWIND_RECORD == (int)RPC_REWIND_RECORD &&
		       CONTROL_REWIND_BOOKMARK == (int)RPC_REWIND_BOOKMARK,
	       "a kind is the same number on the wire");

struct rewind_state {
	const struct rpc_forward_hooks *hooks;
	struct control_ForwardRewind *r;
	struct rpc_parked *parked;
	struct tevent_req *req;
};

/* Nobody hears of it any more; where it leads to is in its event. */
static void rewind_lost(void *private_data)
{
	struct rewind_state *state =
		talloc_get_type_abort(private_data, struct rewind_state);

	TALLOC_FREE(state->req);
	state->parked = NULL;
}

static void rewind_done(struct tevent_req *req)
{
	struct rewind_state *state =
		tevent_req_callback_data(req, struct rewind_state);
	char *message = NULL;
	everr_t err;

	err = state->hooks->rewind_recv(req, state, &message);
	TALLOC_FREE(req);
	state->req = NULL;
	if (message != NULL) {
		*state->r->out.message = rpc_message_fit(message, err);
	}
	*state->r->out.error = (uint32_t)err;
	rpc_unpark_reply(state->parked);
}

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
	struct rewind_state *state = talloc_zero(mem_ctx, struct rewind_state);
	everr_t err;

	if (state == NULL) {
		return EVERR_NOMEM;
	}
	state->hooks = service->hooks.forward;
	state->r = r;
	err = rpc_park(call, rewind_lost, state, &state->parked);
	if (err != EVERR_OK) {
		return err;
	}
	state->req = state->hooks->rewind_send(state, service->ev, &to,
					       service->hooks.private_data);
	if (state->req == NULL) {
		*r->out.error = (uint32_t)EVERR_NOMEM;
		rpc_unpark_reply(state->parked);
		return EVERR_OK;
	}
	tevent_req_set_callback(state->req, rewind_done, state);
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
