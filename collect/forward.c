/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/forward.h"

#include "collect/call.h"
#include "idl/control_client.h"
#include "idl/ndr_control.h"

#include <dcerpc.h>
#include <string.h>

/* It waits for the disk, and for its turns with many channels. */
#define REWIND_TIMEOUT 60
#define WHAT "rewind the output"

_Static_assert(CONTROL_REWIND_OLDEST == (int)COLLECT_REWIND_OLDEST &&
		       CONTROL_REWIND_TIME == (int)COLLECT_REWIND_TIME &&
		       CONTROL_REWIND_RECORD == (int)COLLECT_REWIND_RECORD &&
		       CONTROL_REWIND_BOOKMARK == (int)COLLECT_REWIND_BOOKMARK,
	       "a kind is the same number on the wire");

struct rewind_state {
	struct control_ForwardRewind r;
	const char *message;
	uint32_t error;
	struct collect_failure failure;
};

static void rewind_done(struct tevent_req *subreq);

/* NULL stays NULL. */
static bool copy_text(TALLOC_CTX *mem_ctx, const char **text)
{
	if (*text == NULL) {
		return true;
	}
	*text = talloc_strdup(mem_ctx, *text);
	return *text != NULL;
}

/* What the call cannot carry is told here. */
static everr_t check_lengths(struct rewind_state *state,
			     const struct collect_rewind *rewind)
{
	if (strlen(rewind->output) >= CONTROL_OUTPUT_NAME_MAX) {
		return collect_failure_set(&state->failure, EVERR_NOT_FOUND,
					   "there is no such output");
	}
	if (rewind->channel != NULL &&
	    strlen(rewind->channel) >= CONTROL_CHANNEL_NAME_MAX) {
		return collect_failure_set(&state->failure,
					   EVERR_CHANNEL_NOT_FOUND,
					   "there is no such channel");
	}
	if (rewind->bookmark != NULL &&
	    strlen(rewind->bookmark) >= CONTROL_BOOKMARK_MAX_LENGTH) {
		return collect_failure_set(&state->failure, EVERR_LIMIT,
					   "the bookmark is larger than 1 MiB");
	}
	return EVERR_OK;
}

static everr_t rewind_fill(struct rewind_state *state,
			   const struct collect_rewind *rewind)
{
	struct control_ForwardRewind *r = &state->r;
	everr_t err;

	err = check_lengths(state, rewind);
	if (err != EVERR_OK) {
		return err;
	}
	r->in.output = rewind->output;
	r->in.channel = rewind->channel;
	r->in.kind = (uint32_t)rewind->kind;
	r->in.value = rewind->value;
	r->in.bookmark = rewind->bookmark;
	r->out.message = &state->message;
	r->out.error = &state->error;
	if (!copy_text(state, &r->in.output) ||
	    !copy_text(state, &r->in.channel) ||
	    !copy_text(state, &r->in.bookmark)) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

struct tevent_req *collect_rewind_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const struct collect_rewind *rewind)
{
	struct rewind_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct rewind_state);
	if (req == NULL) {
		return NULL;
	}
	err = rewind_fill(state, rewind);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	if (!tevent_req_set_endtime(
		    req, ev, tevent_timeval_current_ofs(REWIND_TIMEOUT, 0))) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	subreq = dcerpc_control_ForwardRewind_r_send(
		state, ev, connection->handle, &state->r);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, rewind_done, req);
	return req;
}

/* The service's own word where it has one. */
static everr_t explain(struct rewind_state *state)
{
	everr_t err = (everr_t)state->error;
	const char *text = everr_text(err);

	if (state->message != NULL && state->message[0] != '\0') {
		text = state->message;
	} else if (err == EVERR_NOT_FOUND) {
		text = "there is no such output; 'evenlog forward list' names "
		       "them";
	} else if (err == EVERR_CHANNEL_NOT_FOUND) {
		text = "it does not forward that channel";
	}
	return collect_failure_set(&state->failure, err, "cannot " WHAT ": %s",
				   text);
}

static void rewind_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct rewind_state *state = tevent_req_data(req, struct rewind_state);
	WERROR result = WERR_OK;
	everr_t err = EVERR_OK;
	NTSTATUS status;

	status = dcerpc_control_ForwardRewind_r_recv(subreq, state);
	TALLOC_FREE(subreq);
	result = state->r.out.result;
	if (!NT_STATUS_IS_OK(status)) {
		err = collect_failure_status(&state->failure, "this host", WHAT,
					     status);
	} else if (W_ERROR_EQUAL(result, WERR_ACCESS_DENIED)) {
		err = collect_failure_set(
			&state->failure, EVERR_ACCESS,
			"cannot " WHAT ": access denied; it is for root and "
			"those whom administrators in [access] names");
	} else if (!W_ERROR_IS_OK(result)) {
		err = collect_failure_win32(&state->failure, "this host", WHAT,
					    W_ERROR_V(result));
	} else if (state->error != EVERR_OK) {
		err = explain(state);
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_rewind_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    const char **ret_message,
			    struct collect_failure *ret_failure)
{
	struct rewind_state *state = tevent_req_data(req, struct rewind_state);
	everr_t err;

	err = collect_request_end(req, "this host", WHAT, &state->failure,
				  ret_failure);
	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	*ret_message = talloc_steal(mem_ctx, state->message);
	tevent_req_received(req);
	return EVERR_OK;
}
