/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The quarantine's calls of the control interface.  What strangers have sent
 * may hold anything, so that it is for administrators.
 */

#include "base/text.h"
#include "idl/control_server.h"
#include "rpc/internal.h"

#include <string.h>

/* Bytes of a list: of UTF-8, so that no more units come of it. */
#define LIST_MAX (1024 * 1024)

/* Of a message; the same holds. */
#define MESSAGE_MAX (CONTROL_MESSAGE_MAX_LENGTH - 1)

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

struct retry_state {
	const struct rpc_quarantine_hooks *hooks;
	struct control_QuarantineRetry *r;
	struct rpc_parked *parked;
	struct tevent_req *req;
};

/* Nobody hears of it any more; where it has got to is in its events. */
static void retry_lost(void *private_data)
{
	struct retry_state *state =
		talloc_get_type_abort(private_data, struct retry_state);

	TALLOC_FREE(state->req);
	state->parked = NULL;
}

const char *rpc_message_fit(char *message, everr_t err)
{
	size_t len = strlen(message);

	if (!text_utf8_valid(message, len)) {
		return everr_text(err);
	}
	if (len > MESSAGE_MAX) {
		len = MESSAGE_MAX;
		while (len > 0 && (message[len] & 0xC0) == 0x80) {
			len--;
		}
		message[len] = '\0';
	}
	return message;
}

static void retry_done(struct tevent_req *req)
{
	struct retry_state *state =
		tevent_req_callback_data(req, struct retry_state);
	char *message = NULL;
	everr_t err;

	err = state->hooks->retry_recv(req, state, &message);
	TALLOC_FREE(req);
	state->req = NULL;
	if (message != NULL) {
		*state->r->out.message = rpc_message_fit(message, err);
	}
	*state->r->out.error = (uint32_t)err;
	rpc_unpark_reply(state->parked);
}

static everr_t retry_start(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			   struct control_QuarantineRetry *r)
{
	struct rpc_service *service = rpc_call_service(call);
	struct retry_state *state = talloc_zero(mem_ctx, struct retry_state);
	everr_t err;

	if (state == NULL) {
		return EVERR_NOMEM;
	}
	state->hooks = service->hooks.quarantine;
	state->r = r;
	err = rpc_park(call, retry_lost, state, &state->parked);
	if (err != EVERR_OK) {
		return err;
	}
	state->req = state->hooks->retry_send(state, service->ev, r->in.name,
					      service->hooks.private_data);
	if (state->req == NULL) {
		rpc_unpark_reply(state->parked);
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(state->req, retry_done, state);
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
