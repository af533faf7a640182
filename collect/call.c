/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/call.h"

#include "idl/client.h"
#include "idl/ndr_even6.h"

#include <rpc_common.h>

void collect_call_init(struct collect_call *call, struct tevent_context *ev,
		       struct collect_connection *connection, const char *what)
{
	call->ev = ev;
	call->connection = connection;
	call->what = what;
}

void collect_call_send(struct tevent_req *req, struct collect_call *call,
		       uint32_t opnum, void *r, tevent_req_fn done)
{
	struct tevent_req *subreq = NULL;

	subreq = idl_client_send(call, call->ev, call->connection->handle,
				 &ndr_table_even6, opnum, r);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, done, req);
}

bool collect_call_recv(struct tevent_req *req, struct collect_call *call,
		       struct tevent_req *subreq, TALLOC_CTX *mem_ctx)
{
	NTSTATUS status;

	status = idl_client_recv(subreq, mem_ctx);
	TALLOC_FREE(subreq);
	if (NT_STATUS_IS_OK(status)) {
		return true;
	}
	collect_failure_status(&call->failure, call->connection->where,
			       call->what, status);
	call->failure.malformed =
		collect_status_is_malformed(status) &&
		dcerpc_binding_handle_is_connected(call->connection->handle);
	tevent_req_error(req, call->failure.err);
	return false;
}

bool collect_call_ok(struct tevent_req *req, struct collect_call *call,
		     WERROR result)
{
	if (W_ERROR_IS_OK(result)) {
		return true;
	}
	collect_failure_win32(&call->failure, call->connection->where,
			      call->what, W_ERROR_V(result));
	tevent_req_error(req, call->failure.err);
	return false;
}

void collect_call_malformed(struct tevent_req *req, struct collect_call *call)
{
	collect_failure_set(&call->failure, EVERR_PROTOCOL,
			    "%s: cannot %s: the answer is malformed",
			    call->connection->where, call->what);
	call->failure.malformed = true;
	tevent_req_error(req, EVERR_PROTOCOL);
}

everr_t collect_request_end(struct tevent_req *req, const char *where,
			    const char *what, struct collect_failure *failure,
			    struct collect_failure *ret_failure)
{
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		return EVERR_OK;
	}
	if (req_state == TEVENT_REQ_TIMED_OUT && what != NULL) {
		collect_failure_status(failure, where, what,
				       NT_STATUS_IO_TIMEOUT);
	}
	if (failure->err == EVERR_OK && what != NULL) {
		collect_failure_set(failure, EVERR_NOMEM,
				    "cannot %s: out of memory", what);
	} else if (failure->err == EVERR_OK) {
		collect_failure_set(failure, EVERR_NOMEM, "out of memory");
	}
	*ret_failure = *failure;
	return ret_failure->err;
}

everr_t collect_call_end(struct tevent_req *req, struct collect_call *call,
			 struct collect_failure *ret_failure)
{
	return collect_request_end(req, call->connection->where, call->what,
				   &call->failure, ret_failure);
}

everr_t collect_call_finish(struct tevent_req *req, struct collect_call *call,
			    struct collect_failure *ret_failure)
{
	everr_t err = collect_call_end(req, call, ret_failure);

	tevent_req_received(req);
	return err;
}

bool collect_call_set_timeout(struct tevent_req *req, struct collect_call *call,
			      unsigned int seconds)
{
	return tevent_req_set_endtime(req, call->ev,
				      tevent_timeval_current_ofs(seconds, 0));
}

bool collect_call_begin(struct tevent_req *req, struct collect_call *call,
			struct tevent_context *ev,
			struct collect_connection *connection, const char *what,
			unsigned int timeout)
{
	collect_call_init(call, ev, connection, what);
	if (!collect_call_set_timeout(req, call, timeout)) {
		tevent_req_oom(req);
		return false;
	}
	return true;
}

struct tevent_req *collect_call_posted(struct tevent_req *req,
				       struct tevent_context *ev)
{
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

const char *collect_call_about(TALLOC_CTX *mem_ctx, const char *verb,
			       const char *name)
{
	const char *what = talloc_asprintf(mem_ctx, "%s %s", verb, name);

	return what != NULL ? what : verb;
}

void collect_call_failed(struct tevent_req *req, struct collect_call *call,
			 everr_t err)
{
	switch (err) {
	case EVERR_PROTOCOL:
		collect_call_malformed(req, call);
		break;
	case EVERR_LIMIT:
		collect_failure_set(&call->failure, EVERR_LIMIT,
				    "%s: cannot %s: it is more than this "
				    "program takes",
				    call->connection->where, call->what);
		tevent_req_error(req, EVERR_LIMIT);
		break;
	default:
		tevent_req_oom(req);
		break;
	}
}
