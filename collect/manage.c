/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/manage.h"

#include "collect/call.h"
#include "collect/client.h"
#include "idl/ndr_even6.h"

/* Win32 codes, [MS-ERREF] 2.2. */
#define W_ACCESS_DENIED 5

/* The call itself may take as long as it likes; a month is that. */
#define WORK_TIMEOUT (30 * 24 * 3600)

/*
 * One request of either kind: a control, the work under it, and the control
 * closed, whatever became of the work.
 */
struct manage_state {
	struct collect_call call;
	struct even6_EvtRpcRegisterControllableOperation begin;
	struct even6_EvtRpcExportLog export;
	struct even6_EvtRpcClearLog clear;
	struct even6_EvtRpcCancel cancel;
	struct even6_EvtRpcClose close;
	struct even6_RpcInfo info;
	struct policy_handle control;
	bool clears;
	bool working;
	bool cancelled;
	WERROR result;
};

static void manage_begun(struct tevent_req *subreq);
static void manage_done(struct tevent_req *subreq);
static void manage_cancelled(struct tevent_req *subreq);
static void manage_closed(struct tevent_req *subreq);

static struct tevent_req *manage_create(TALLOC_CTX *mem_ctx,
					struct manage_state **ret_state)
{
	struct manage_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct manage_state);
	if (req == NULL) {
		return NULL;
	}
	state->export.in.control = &state->control;
	state->export.out.error = &state->info;
	state->clear.in.control = &state->control;
	state->clear.out.error = &state->info;
	*ret_state = state;
	return req;
}

static struct tevent_req *manage_send(struct tevent_req *req,
				      struct tevent_context *ev,
				      struct collect_connection *connection,
				      const char *what)
{
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	if (!collect_call_begin(req, &state->call, ev, connection, what,
				COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	state->begin.out.handle = &state->control;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCREGISTERCONTROLLABLEOPERATION,
			  &state->begin, manage_begun);
	return collect_call_posted(req, ev);
}

struct tevent_req *collect_export_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const struct collect_export *export)
{
	struct manage_state *state = NULL;
	struct even6_EvtRpcExportLog *r = NULL;
	struct tevent_req *req = NULL;

	req = manage_create(mem_ctx, &state);
	if (req == NULL) {
		return NULL;
	}
	r = &state->export;
	r->in.flags = EVEN6_EXPORT_CHANNEL_PATH;
	if (export->tolerate) {
		r->in.flags |= EVEN6_EXPORT_TOLERATE_QUERY_ERRORS;
	}
	if (export->channel != NULL) {
		r->in.channelPath = talloc_strdup(state, export->channel);
		if (tevent_req_nomem(r->in.channelPath, req)) {
			return tevent_req_post(req, ev);
		}
	}
	r->in.query = talloc_strdup(state, export->query != NULL ? export->query
								 : "*");
	r->in.backupPath = talloc_strdup(state, export->path);
	if (tevent_req_nomem(r->in.query, req) ||
	    tevent_req_nomem(r->in.backupPath, req)) {
		return tevent_req_post(req, ev);
	}
	return manage_send(
		req, ev, connection,
		collect_call_about(state, "export events to", export->path));
}

struct tevent_req *collect_clear_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct collect_connection *connection,
				      const char *channel, const char *backup)
{
	struct manage_state *state = NULL;
	struct even6_EvtRpcClearLog *r = NULL;
	struct tevent_req *req = NULL;

	req = manage_create(mem_ctx, &state);
	if (req == NULL) {
		return NULL;
	}
	state->clears = true;
	r = &state->clear;
	r->in.channelPath = talloc_strdup(state, channel);
	if (tevent_req_nomem(r->in.channelPath, req)) {
		return tevent_req_post(req, ev);
	}
	if (backup != NULL) {
		r->in.backupPath = talloc_strdup(state, backup);
		if (tevent_req_nomem(r->in.backupPath, req)) {
			return tevent_req_post(req, ev);
		}
	}
	return manage_send(req, ev, connection,
			   collect_call_about(state, "clear", channel));
}

static void manage_close(struct tevent_req *req)
{
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	if (!collect_call_set_timeout(req, &state->call,
				      COLLECT_CALL_TIMEOUT)) {
		tevent_req_oom(req);
		return;
	}
	state->close.in.handle = &state->control;
	state->close.out.handle = &state->control;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCLOSE,
			  &state->close, manage_closed);
}

static void manage_begun(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (!collect_call_ok(req, &state->call, state->begin.out.result)) {
		return;
	}
	if (state->cancelled) {
		state->result = WERR_CANCELLED;
		manage_close(req);
		return;
	}
	if (!collect_call_set_timeout(req, &state->call, WORK_TIMEOUT)) {
		tevent_req_oom(req);
		return;
	}
	state->working = true;
	collect_call_send(req, &state->call,
			  state->clears ? NDR_EVEN6_EVTRPCCLEARLOG
					: NDR_EVEN6_EVTRPCEXPORTLOG,
			  state->clears ? (void *)&state->clear
					: (void *)&state->export,
			  manage_done);
}

static void manage_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	state->working = false;
	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	state->result = state->clears ? state->clear.out.result
				      : state->export.out.result;
	manage_close(req);
}

static void manage_closed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (state->clears && W_ERROR_V(state->result) == W_ACCESS_DENIED) {
		collect_failure_set(&state->call.failure, EVERR_ACCESS,
				    "%s: cannot %s: access denied; the account "
				    "needs the channel's right to clear, and "
				    "for a backup that to read (error 0x5)",
				    state->call.connection->where,
				    state->call.what);
		tevent_req_error(req, EVERR_ACCESS);
		return;
	}
	if (collect_call_ok(req, &state->call, state->result)) {
		tevent_req_done(req);
	}
}

/* ---------------------------------------------------------------- cancel */

void collect_manage_cancel(struct tevent_req *req)
{
	struct manage_state *state = tevent_req_data(req, struct manage_state);
	bool again = state->cancelled;

	state->cancelled = true;
	if (again || !state->working || !tevent_req_is_in_progress(req)) {
		return;
	}
	state->cancel.in.handle = &state->control;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCANCEL,
			  &state->cancel, manage_cancelled);
}

/* The answer that counts is that of the call. */
static void manage_cancelled(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	(void)collect_call_recv(req, &state->call, subreq, state);
}

static everr_t manage_recv(struct tevent_req *req,
			   struct collect_failure *ret_failure)
{
	struct manage_state *state = tevent_req_data(req, struct manage_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

everr_t collect_export_recv(struct tevent_req *req,
			    struct collect_failure *ret_failure)
{
	return manage_recv(req, ret_failure);
}

everr_t collect_clear_recv(struct tevent_req *req,
			   struct collect_failure *ret_failure)
{
	return manage_recv(req, ret_failure);
}
