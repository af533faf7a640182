/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/control.h"

#include "collect/call.h"
#include "idl/control_client.h"
#include "idl/ndr_control.h"

#include <dcerpc.h>
#include <string.h>

/* A full disk or a slow one may hold an acknowledgement for a while. */
#define PUBLISH_TIMEOUT 120
#define STATUS_TIMEOUT 30
#define RELOAD_TIMEOUT 120

_Static_assert(COLLECT_PUBLISH_EVENTS <= CONTROL_PUBLISH_MAX_EVENTS,
	       "a batch fits into a call");

/* It waits for the disk. */
#define FORGET_TIMEOUT 60
#define FORGET_WHAT "forget the position"

/* Map how a call of this interface ended; EVERR_OK when all is well. */
static everr_t control_result(struct collect_failure *failure, const char *what,
			      NTSTATUS status, WERROR result, uint32_t error)
{
	if (!NT_STATUS_IS_OK(status)) {
		return collect_failure_status(failure, "this host", what,
					      status);
	}
	if (!W_ERROR_IS_OK(result)) {
		return collect_failure_win32(failure, "this host", what,
					     W_ERROR_V(result));
	}
	if (error != EVERR_OK) {
		return collect_failure_set(failure, (everr_t)error,
					   "cannot %s: %s", what,
					   everr_text((everr_t)error));
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------- publish */

struct publish_state {
	bool imported;
	struct control_Publish publish;
	struct control_Import import;
	struct control_Event *events;
	uint64_t first_id;
	uint32_t bad_index;
	uint32_t error;
	struct collect_failure failure;
};

static void publish_done(struct tevent_req *subreq);

static struct tevent_req *call_publish(struct publish_state *state,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const char *channel, size_t num_docs)
{
	struct control_Publish *r = &state->publish;

	r->in.channel = channel;
	r->in.count = (uint32_t)num_docs;
	r->in.events = state->events;
	r->out.first_id = &state->first_id;
	r->out.bad_index = &state->bad_index;
	r->out.error = &state->error;
	return dcerpc_control_Publish_r_send(state, ev, connection->handle, r);
}

static struct tevent_req *call_import(struct publish_state *state,
				      struct tevent_context *ev,
				      struct collect_connection *connection,
				      const char *channel, size_t num_docs)
{
	struct control_Import *r = &state->import;

	r->in.channel = channel;
	r->in.count = (uint32_t)num_docs;
	r->in.events = state->events;
	r->out.first_id = &state->first_id;
	r->out.bad_index = &state->bad_index;
	r->out.error = &state->error;
	return dcerpc_control_Import_r_send(state, ev, connection->handle, r);
}

static struct tevent_req *publish_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const char *channel,
				       const struct collect_document *docs,
				       size_t num_docs, bool imported)
{
	struct publish_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;
	char *name = NULL;
	size_t i;

	req = tevent_req_create(mem_ctx, &state, struct publish_state);
	if (req == NULL) {
		return NULL;
	}
	state->imported = imported;
	state->bad_index = CONTROL_PUBLISH_NO_INDEX;
	if (num_docs > COLLECT_PUBLISH_EVENTS) {
		collect_failure_set(&state->failure, EVERR_LIMIT,
				    "more than %d events in one call",
				    COLLECT_PUBLISH_EVENTS);
		tevent_req_error(req, EVERR_LIMIT);
		return tevent_req_post(req, ev);
	}
	state->events =
		talloc_zero_array(state, struct control_Event, num_docs);
	name = talloc_strdup(state, channel);
	if (tevent_req_nomem(state->events, req) ||
	    tevent_req_nomem(name, req)) {
		return tevent_req_post(req, ev);
	}
	for (i = 0; i < num_docs; i++) {
		state->events[i].length = (uint32_t)docs[i].len;
		state->events[i].data = docs[i].data;
	}
	if (!tevent_req_set_endtime(
		    req, ev, tevent_timeval_current_ofs(PUBLISH_TIMEOUT, 0))) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}

	subreq = imported ? call_import(state, ev, connection, name, num_docs)
			  : call_publish(state, ev, connection, name, num_docs);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, publish_done, req);
	return req;
}

struct tevent_req *collect_publish_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct collect_connection *connection,
					const char *channel,
					const struct collect_document *docs,
					size_t num_docs)
{
	return publish_send(mem_ctx, ev, connection, channel, docs, num_docs,
			    false);
}

struct tevent_req *collect_import_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const char *channel,
				       const struct collect_document *docs,
				       size_t num_docs)
{
	return publish_send(mem_ctx, ev, connection, channel, docs, num_docs,
			    true);
}

static void publish_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct publish_state *state =
		tevent_req_data(req, struct publish_state);
	NTSTATUS status;
	WERROR result;
	everr_t err;

	if (state->imported) {
		status = dcerpc_control_Import_r_recv(subreq, state);
		result = state->import.out.result;
	} else {
		status = dcerpc_control_Publish_r_recv(subreq, state);
		result = state->publish.out.result;
	}
	TALLOC_FREE(subreq);
	err = control_result(&state->failure,
			     state->imported ? "import" : "publish", status,
			     result, state->error);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_publish_recv(struct tevent_req *req, uint64_t *ret_first_id,
			     size_t *ret_bad,
			     struct collect_failure *ret_failure)
{
	struct publish_state *state =
		tevent_req_data(req, struct publish_state);
	everr_t err;

	err = collect_request_end(req, "this host",
				  state->imported ? "import" : "publish",
				  &state->failure, ret_failure);
	if (err == EVERR_OK) {
		*ret_first_id = state->first_id;
	} else if (state->bad_index == CONTROL_PUBLISH_NO_INDEX) {
		*ret_bad = COLLECT_PUBLISH_NO_INDEX;
	} else {
		*ret_bad = state->bad_index;
	}
	tevent_req_received(req);
	return err;
}

/* -------------------------------------------------------------- status */

struct status_state {
	struct control_Status r;
	const char *json;
	uint32_t error;
	struct collect_failure failure;
};

static void status_done(struct tevent_req *subreq);

struct tevent_req *collect_status_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection)
{
	struct status_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct status_state);
	if (req == NULL) {
		return NULL;
	}
	state->r.out.json = &state->json;
	state->r.out.error = &state->error;
	if (!tevent_req_set_endtime(
		    req, ev, tevent_timeval_current_ofs(STATUS_TIMEOUT, 0))) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	subreq = dcerpc_control_Status_r_send(state, ev, connection->handle,
					      &state->r);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, status_done, req);
	return req;
}

static void status_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct status_state *state = tevent_req_data(req, struct status_state);
	NTSTATUS status;
	everr_t err;

	status = dcerpc_control_Status_r_recv(subreq, state);
	TALLOC_FREE(subreq);
	err = control_result(&state->failure, "read the status", status,
			     state->r.out.result, state->error);
	if (err == EVERR_OK && state->json == NULL) {
		err = collect_failure_set(&state->failure, EVERR_PROTOCOL,
					  "the service sent no status");
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_status_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    const char **ret_json,
			    struct collect_failure *ret_failure)
{
	struct status_state *state = tevent_req_data(req, struct status_state);
	const char *json = NULL;
	everr_t err;

	err = collect_request_end(req, "this host", "read the status",
				  &state->failure, ret_failure);
	if (err == EVERR_OK) {
		json = talloc_strdup(mem_ctx, state->json);
		if (json == NULL) {
			err = collect_failure_set(ret_failure, EVERR_NOMEM,
						  "out of memory");
		} else {
			*ret_json = json;
		}
	}
	tevent_req_received(req);
	return err;
}

/* -------------------------------------------------------------- reload */

struct reload_state {
	struct control_Reload r;
	uint32_t error;
	struct collect_failure failure;
};

static void reload_done(struct tevent_req *subreq);

struct tevent_req *collect_reload_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection)
{
	struct reload_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct reload_state);
	if (req == NULL) {
		return NULL;
	}
	state->r.out.error = &state->error;
	if (!tevent_req_set_endtime(
		    req, ev, tevent_timeval_current_ofs(RELOAD_TIMEOUT, 0))) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	subreq = dcerpc_control_Reload_r_send(state, ev, connection->handle,
					      &state->r);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, reload_done, req);
	return req;
}

static void reload_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct reload_state *state = tevent_req_data(req, struct reload_state);
	NTSTATUS status;
	everr_t err;

	status = dcerpc_control_Reload_r_recv(subreq, state);
	TALLOC_FREE(subreq);
	err = control_result(&state->failure, "have the configuration read",
			     status, state->r.out.result, state->error);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_reload_recv(struct tevent_req *req,
			    struct collect_failure *ret_failure)
{
	struct reload_state *state = tevent_req_data(req, struct reload_state);
	everr_t err;

	err = collect_request_end(req, "this host",
				  "have the configuration read",
				  &state->failure, ret_failure);
	tevent_req_received(req);
	return err;
}

/* -------------------------------------------------------------- forget */

struct forget_state {
	struct control_CollectForget r;
	const char *message;
	uint32_t error;
	struct collect_failure failure;
};

static void forget_done(struct tevent_req *subreq);

static everr_t forget_fill(struct forget_state *state, const char *host,
			   const char *channel)
{
	struct control_CollectForget *r = &state->r;

	if (strlen(host) >= CONTROL_HOST_NAME_MAX) {
		return collect_failure_set(&state->failure, EVERR_INVALID,
					   "no host has such a name");
	}
	if (channel != NULL && strlen(channel) >= CONTROL_CHANNEL_NAME_MAX) {
		return collect_failure_set(&state->failure, EVERR_CHANNEL_NAME,
					   "no channel has such a name");
	}
	r->in.host = talloc_strdup(state, host);
	r->in.channel = talloc_strdup(state, channel);
	r->out.message = &state->message;
	r->out.error = &state->error;
	return r->in.host != NULL && (channel == NULL || r->in.channel != NULL)
		       ? EVERR_OK
		       : EVERR_NOMEM;
}

struct tevent_req *collect_forget_position_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *host,
	const char *channel)
{
	struct forget_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct forget_state);
	if (req == NULL) {
		return NULL;
	}
	err = forget_fill(state, host, channel);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	if (!tevent_req_set_endtime(
		    req, ev, tevent_timeval_current_ofs(FORGET_TIMEOUT, 0))) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	subreq = dcerpc_control_CollectForget_r_send(
		state, ev, connection->handle, &state->r);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, forget_done, req);
	return req;
}

/* The service's own word where it has one. */
static everr_t forget_refused(struct forget_state *state)
{
	everr_t err = (everr_t)state->error;
	const char *text = everr_text(err);

	if (state->message != NULL && state->message[0] != '\0') {
		text = state->message;
	} else if (err == EVERR_NOT_FOUND) {
		text = "there is none; a host is named as its section names it";
	} else if (err == EVERR_INVALID) {
		text = "no host has such a name";
	}
	return collect_failure_set(&state->failure, err,
				   "cannot " FORGET_WHAT ": %s", text);
}

static void forget_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct forget_state *state = tevent_req_data(req, struct forget_state);
	WERROR result = WERR_OK;
	NTSTATUS status;
	everr_t err;

	status = dcerpc_control_CollectForget_r_recv(subreq, state);
	TALLOC_FREE(subreq);
	result = state->r.out.result;
	if (NT_STATUS_IS_OK(status) &&
	    W_ERROR_EQUAL(result, WERR_ACCESS_DENIED)) {
		err = collect_failure_set(
			&state->failure, EVERR_ACCESS,
			"cannot " FORGET_WHAT ": access denied; it is for root "
			"and those whom administrators in [access] names");
	} else if (NT_STATUS_IS_OK(status) && W_ERROR_IS_OK(result) &&
		   state->error != EVERR_OK) {
		err = forget_refused(state);
	} else {
		err = control_result(&state->failure, FORGET_WHAT, status,
				     result, EVERR_OK);
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_forget_position_recv(struct tevent_req *req,
				     TALLOC_CTX *mem_ctx,
				     const char **ret_message,
				     struct collect_failure *ret_failure)
{
	struct forget_state *state = tevent_req_data(req, struct forget_state);
	everr_t err;

	err = collect_request_end(req, "this host", FORGET_WHAT,
				  &state->failure, ret_failure);
	if (err == EVERR_OK) {
		*ret_message = talloc_steal(mem_ctx, state->message);
	}
	tevent_req_received(req);
	return err;
}
