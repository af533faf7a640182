/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/quarantine.h"

#include "collect/call.h"
#include "idl/control_client.h"
#include "idl/ndr_control.h"

#include <dcerpc.h>
#include <string.h>

/* Trying one again may take as long as taking it in. */
#define RETRY_TIMEOUT 300
#define CALL_TIMEOUT 60

_Static_assert(COLLECT_QUARANTINE_PART <= CONTROL_QUARANTINE_MAX_PART,
	       "a part fits into a call");

struct quarantine_state {
	enum collect_quarantine_call call;
	union {
		struct control_QuarantineList list;
		struct control_QuarantineRead read;
		struct control_QuarantineRetry retry;
		struct control_QuarantineRemove remove;
	} r;
	const char *name;
	const char *text; /* JSON, or Retry's message */
	uint8_t *data;
	uint32_t len;
	uint64_t total;
	uint32_t error;
	struct collect_failure failure;
};

static void quarantine_done(struct tevent_req *subreq);

static const char *what(enum collect_quarantine_call call)
{
	switch (call) {
	case COLLECT_QUARANTINE_LIST:
		return "list the quarantine";
	case COLLECT_QUARANTINE_READ:
		return "read from the quarantine";
	case COLLECT_QUARANTINE_RETRY:
		return "try it again";
	default:
		return "remove it from the quarantine";
	}
}

static struct tevent_req *call_list(struct quarantine_state *state,
				    struct tevent_context *ev,
				    struct collect_connection *connection)
{
	struct control_QuarantineList *r = &state->r.list;

	r->in.after = state->name;
	r->out.json = &state->text;
	r->out.error = &state->error;
	return dcerpc_control_QuarantineList_r_send(state, ev,
						    connection->handle, r);
}

static struct tevent_req *call_read(struct quarantine_state *state,
				    struct tevent_context *ev,
				    struct collect_connection *connection,
				    uint64_t offset)
{
	struct control_QuarantineRead *r = &state->r.read;

	r->in.name = state->name;
	r->in.offset = offset;
	r->in.max = COLLECT_QUARANTINE_PART;
	r->out.json = &state->text;
	r->out.length = &state->len;
	r->out.data = &state->data;
	r->out.total = &state->total;
	r->out.error = &state->error;
	return dcerpc_control_QuarantineRead_r_send(state, ev,
						    connection->handle, r);
}

static struct tevent_req *call_retry(struct quarantine_state *state,
				     struct tevent_context *ev,
				     struct collect_connection *connection)
{
	struct control_QuarantineRetry *r = &state->r.retry;

	r->in.name = state->name;
	r->out.message = &state->text;
	r->out.error = &state->error;
	return dcerpc_control_QuarantineRetry_r_send(state, ev,
						     connection->handle, r);
}

static struct tevent_req *call_remove(struct quarantine_state *state,
				      struct tevent_context *ev,
				      struct collect_connection *connection)
{
	struct control_QuarantineRemove *r = &state->r.remove;

	r->in.name = state->name;
	r->out.error = &state->error;
	return dcerpc_control_QuarantineRemove_r_send(state, ev,
						      connection->handle, r);
}

static struct tevent_req *start_call(struct quarantine_state *state,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     uint64_t offset)
{
	switch (state->call) {
	case COLLECT_QUARANTINE_LIST:
		return call_list(state, ev, connection);
	case COLLECT_QUARANTINE_READ:
		return call_read(state, ev, connection, offset);
	case COLLECT_QUARANTINE_RETRY:
		return call_retry(state, ev, connection);
	default:
		return call_remove(state, ev, connection);
	}
}

struct tevent_req *collect_quarantine_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection,
	enum collect_quarantine_call call, const char *name, uint64_t offset)
{
	const uint32_t seconds =
		call == COLLECT_QUARANTINE_RETRY ? RETRY_TIMEOUT : CALL_TIMEOUT;
	struct quarantine_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct quarantine_state);
	if (req == NULL) {
		return NULL;
	}
	state->call = call;
	/* A longer one cannot be sent, and no entry has it. */
	if (strlen(name) >= CONTROL_QUARANTINE_NAME_MAX) {
		collect_failure_set(&state->failure, EVERR_NOT_FOUND,
				    "there is no such entry");
		tevent_req_error(req, EVERR_NOT_FOUND);
		return tevent_req_post(req, ev);
	}
	state->name = talloc_strdup(state, name);
	if (tevent_req_nomem(state->name, req)) {
		return tevent_req_post(req, ev);
	}
	if (!tevent_req_set_endtime(req, ev,
				    tevent_timeval_current_ofs(seconds, 0))) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	subreq = start_call(state, ev, connection, offset);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, quarantine_done, req);
	return req;
}

static NTSTATUS end_call(struct quarantine_state *state,
			 struct tevent_req *subreq, WERROR *ret_result)
{
	NTSTATUS status;

	switch (state->call) {
	case COLLECT_QUARANTINE_LIST:
		status = dcerpc_control_QuarantineList_r_recv(subreq, state);
		*ret_result = state->r.list.out.result;
		break;
	case COLLECT_QUARANTINE_READ:
		status = dcerpc_control_QuarantineRead_r_recv(subreq, state);
		*ret_result = state->r.read.out.result;
		break;
	case COLLECT_QUARANTINE_RETRY:
		status = dcerpc_control_QuarantineRetry_r_recv(subreq, state);
		*ret_result = state->r.retry.out.result;
		break;
	default:
		status = dcerpc_control_QuarantineRemove_r_recv(subreq, state);
		*ret_result = state->r.remove.out.result;
		break;
	}
	return status;
}

/* The service's own word where it has one. */
static everr_t explain(struct quarantine_state *state)
{
	everr_t err = (everr_t)state->error;
	const char *text = everr_text(err);

	if (state->call == COLLECT_QUARANTINE_RETRY && state->text != NULL &&
	    state->text[0] != '\0') {
		text = state->text;
	} else if (err == EVERR_NOT_SUPPORTED) {
		text = "the service has no quarantine: its configuration has "
		       "no [listener NAME]";
	} else if (err == EVERR_NOT_FOUND) {
		text = "there is no such entry";
	}
	return collect_failure_set(&state->failure, err, "cannot %s: %s",
				   what(state->call), text);
}

static void quarantine_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct quarantine_state *state =
		tevent_req_data(req, struct quarantine_state);
	everr_t err = EVERR_OK;
	NTSTATUS status;
	WERROR result;

	status = end_call(state, subreq, &result);
	TALLOC_FREE(subreq);
	if (!NT_STATUS_IS_OK(status)) {
		err = collect_failure_status(&state->failure, "this host",
					     what(state->call), status);
	} else if (W_ERROR_EQUAL(result, WERR_ACCESS_DENIED)) {
		err = collect_failure_set(
			&state->failure, EVERR_ACCESS,
			"cannot %s: access denied; it is for root and those "
			"whom administrators in [access] names",
			what(state->call));
	} else if (!W_ERROR_IS_OK(result)) {
		err = collect_failure_win32(&state->failure, "this host",
					    what(state->call),
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

everr_t collect_quarantine_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct collect_quarantine_result *ret_result,
				struct collect_failure *ret_failure)
{
	struct quarantine_state *state =
		tevent_req_data(req, struct quarantine_state);
	everr_t err;

	err = collect_request_end(req, "this host", what(state->call),
				  &state->failure, ret_failure);
	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	*ret_result = (struct collect_quarantine_result){
		.json = talloc_steal(mem_ctx, state->text),
		.data = talloc_steal(mem_ctx, state->data),
		.len = state->len,
		.total = state->total,
	};
	tevent_req_received(req);
	return EVERR_OK;
}
