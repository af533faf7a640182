/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ClearLog, opnum 6: [MS-EVEN6] 3.1.4.16; facts 4.4 and 13.
 *
 * With a backup the events are first exported; only when that file is on disk
 * is the channel cleared, up to the last of them.  What came meanwhile stays.
 */

#include "idl/even6_server.h"
#include "rpc/control.h"
#include "rpc/exporter.h"
#include "rpc/target.h"

#include <inttypes.h>
#include <stdio.h>

struct clear_call;

/*
 * The clearing itself, which goes on when its client has gone: it is written
 * down who did it all the same.  Talloc child of the service.
 */
struct clearing {
	struct rpc_service *service;
	struct clear_call *call;       /* NULL: gone */
	struct rpc_exporter *exporter; /* NULL: no backup */
	struct rpc_export_path *path;
	struct event_query *query; /* of the exporter */
	char *channel;
	char *user;
	char *peer;
};

/* A call at work; talloc child of the call. */
struct clear_call {
	struct rpc_service *service;
	struct store_channel *channel;
	struct clearing *clearing;
	uint64_t up_to_id;
	bool sent; /* the channel is being cleared: no way back */
	bool done;
	everr_t err;
	struct rpc_operation operation;
	struct rpc_task *task;
	struct even6_RpcInfo *info;
	WERROR *result;
};

/* A clearing that was sent goes on without the call. */
static void clear_let_go(struct clear_call *state)
{
	struct clearing *clearing = state->clearing;

	state->clearing = NULL;
	if (clearing != NULL) {
		clearing->call = NULL;
	}
	if (!state->sent) {
		TALLOC_FREE(clearing);
	}
}

static int clear_call_destructor(struct clear_call *state)
{
	rpc_operation_end(&state->operation);
	clear_let_go(state);
	return 0;
}

static void clear_wake(void *private_data)
{
	struct clearing *clearing =
		talloc_get_type_abort(private_data, struct clearing);

	if (clearing->call != NULL && clearing->call->task != NULL) {
		rpc_task_wake(clearing->call->task);
	}
}

static void clear_cancel(void *private_data)
{
	struct clear_call *state =
		talloc_get_type_abort(private_data, struct clear_call);

	if (!state->sent) {
		rpc_task_cancel(state->task);
	}
}

/* ------------------------------------------------------------- clearing */

static void clear_report(const struct clearing *clearing, uint64_t num_removed)
{
	const char *path = clearing->path != NULL ? clearing->path->text : "";
	char events[21];
	const char *fields[] = {
		"Channel", clearing->channel,
		"User",	   clearing->user,
		"Peer",	   clearing->peer,
		"Path",	   path,
		"Events",  events,
	};

	snprintf(events, sizeof(events), "%" PRIu64, num_removed);
	if (clearing->exporter != NULL) {
		rpc_exporter_report(clearing->exporter);
	}
	operational_report(clearing->service->operational,
			   OPERATIONAL_LOG_CLEARED, NULL, fields, 5);
}

static void clearing_done(struct tevent_req *req)
{
	struct clearing *clearing =
		tevent_req_callback_data(req, struct clearing);
	struct clear_call *state = clearing->call;
	uint64_t num_removed = 0;
	everr_t err;

	err = store_clear_recv(req, &num_removed);
	TALLOC_FREE(req);
	if (err == EVERR_OK) {
		clear_report(clearing, num_removed);
	} else if (clearing->exporter != NULL && err != EVERR_STORE_SYNC) {
		/*
		 * A backup of what was not cleared would be in the way.  After
		 * a failed sync nobody knows what the disk has.
		 */
		rpc_exporter_keep(clearing->exporter, false);
	}
	if (state != NULL) {
		state->clearing = NULL;
		state->done = true;
		state->err = err;
		rpc_task_wake(state->task);
	}
	TALLOC_FREE(clearing);
}

static everr_t clearing_send(struct clear_call *state)
{
	struct clearing *clearing = state->clearing;
	struct tevent_req *req = NULL;

	req = store_clear_send(clearing, state->service->ev, state->channel,
			       state->up_to_id);
	if (req == NULL) {
		return EVERR_NOMEM;
	}
	/* From here on the backup may be all that is left of the events. */
	if (clearing->exporter != NULL) {
		rpc_exporter_keep(clearing->exporter, true);
	}
	state->sent = true;
	tevent_req_set_callback(req, clearing_done, clearing);
	return EVERR_OK;
}

/* A backup that lacks events is none; those that are damaged are lost. */
static everr_t backup_check(struct clear_call *state)
{
	const struct rpc_exporter *exporter = state->clearing->exporter;

	if (rpc_exporter_result(exporter).too_large > 0) {
		rpc_exporter_report(exporter);
		return EVERR_EVENT_TOO_LARGE;
	}
	state->up_to_id = rpc_exporter_last_id(exporter, 0);
	return EVERR_OK;
}

static void clear_answer(struct clear_call *state, everr_t err)
{
	clear_let_go(state);
	*state->result = rpc_exporter_werror(err);
	rpc_info_set(state->info, *state->result);
}

static everr_t clear_advance(struct clear_call *state,
			     enum rpc_task_state *ret_next)
{
	struct clearing *clearing = state->clearing;
	everr_t err;

	*ret_next = RPC_TASK_WAIT;
	if (state->done) {
		*ret_next = RPC_TASK_DONE;
		return state->err;
	}
	if (state->sent) {
		return EVERR_OK;
	}
	if (clearing->exporter != NULL) {
		err = rpc_exporter_turn(clearing->exporter, ret_next);
		if (err != EVERR_OK || *ret_next != RPC_TASK_DONE) {
			return err;
		}
		*ret_next = RPC_TASK_WAIT;
		err = backup_check(state);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return clearing_send(state);
}

static enum rpc_task_state clear_step(void *private_data)
{
	struct clear_call *state =
		talloc_get_type_abort(private_data, struct clear_call);
	enum rpc_task_state next = RPC_TASK_DONE;
	everr_t err;

	/* Not before the call has its place among those that wait. */
	if (state->task == NULL) {
		return RPC_TASK_AGAIN;
	}
	err = clear_advance(state, &next);
	if (err == EVERR_OK && next != RPC_TASK_DONE) {
		return next;
	}
	clear_answer(state, err);
	return RPC_TASK_DONE;
}

static void clear_stop(void *private_data, everr_t why)
{
	clear_answer(talloc_get_type_abort(private_data, struct clear_call),
		     why);
}

static void clear_drop(void *private_data)
{
	clear_let_go(talloc_get_type_abort(private_data, struct clear_call));
}

static const struct rpc_task_ops clear_ops = {
	.step = clear_step,
	.stop = clear_stop,
	.drop = clear_drop,
};

/* ------------------------------------------------------------- the call */

/*
 * The specification asks for the rights to clear and to write.  The access
 * string that Windows gives its Security log lets nobody write, and its
 * administrators clear it: so what counts is the right to clear.  A backup
 * shows the events to whoever can read the file.
 */
static everr_t clear_access(struct dcesrv_call_state *call,
			    struct store_channel *channel, bool backup)
{
	everr_t err;

	err = rpc_access_check(call, channel, RPC_ACCESS_CLEAR);
	if (err == EVERR_OK && backup) {
		err = rpc_access_check(call, channel, RPC_ACCESS_READ);
	}
	return err;
}

static everr_t clearing_create(struct dcesrv_call_state *call,
			       struct clear_call *state)
{
	struct rpc_service *service = state->service;
	struct clearing *clearing = talloc_zero(service, struct clearing);

	if (clearing == NULL) {
		return EVERR_NOMEM;
	}
	clearing->service = service;
	clearing->call = state;
	state->clearing = clearing;
	clearing->channel =
		talloc_strdup(clearing, store_channel_name(state->channel));
	clearing->user = talloc_strdup(clearing, rpc_call_user(call));
	clearing->peer = talloc_strdup(clearing, rpc_call_peer(call));
	if (clearing->channel == NULL || clearing->user == NULL ||
	    clearing->peer == NULL) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

static everr_t backup_create(struct clear_call *state)
{
	struct clearing *clearing = state->clearing;
	struct rpc_exporter_config config = {
		.service = state->service,
		.channels = &state->channel,
		.path = clearing->path,
		.peer = clearing->peer,
		.wake = clear_wake,
		.private_data = clearing,
	};
	struct event_query_error error = {};
	everr_t err;

	err = event_query_parse(clearing, clearing->channel, "*", 1, false,
				&clearing->query, &error);
	if (err != EVERR_OK) {
		return err;
	}
	config.query = clearing->query;
	return rpc_exporter_create(clearing, &config, &clearing->exporter);
}

/*
 * In the order of the specification: the channel, the backup's path, the
 * right.
 */
static everr_t clear_begin(struct dcesrv_call_state *call,
			   struct clear_call *state,
			   const struct even6_EvtRpcClearLog *r)
{
	const char *backup = r->in.backupPath;
	struct rpc_export_path *path = NULL;
	everr_t err;

	err = store_channel_find(state->service->store, r->in.channelPath,
				 &state->channel);
	if (err != EVERR_OK) {
		return err;
	}
	/* An empty path is none (facts 13). */
	if (backup != NULL && backup[0] == '\0') {
		backup = NULL;
	}
	if (backup != NULL) {
		err = rpc_export_path_parse(state, backup, &path);
		if (err != EVERR_OK) {
			return err;
		}
	}
	err = clear_access(call, state->channel, backup != NULL);
	if (err == EVERR_OK) {
		err = clearing_create(call, state);
	}
	if (err != EVERR_OK || backup == NULL) {
		return err;
	}
	state->clearing->path = talloc_steal(state->clearing, path);
	return backup_create(state);
}

/* Flags are none yet; what a client sends there is not looked at. */
WERROR dcesrv_even6_EvtRpcClearLog(struct dcesrv_call_state *call,
				   TALLOC_CTX *mem_ctx,
				   struct even6_EvtRpcClearLog *r)
{
	struct clear_call *state = talloc_zero(mem_ctx, struct clear_call);
	everr_t err;

	if (state == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	state->service = rpc_call_service(call);
	state->up_to_id = UINT64_MAX;
	state->info = r->out.error;
	state->result = &r->out.result;
	state->operation.cancel = clear_cancel;
	state->operation.private_data = state;
	talloc_set_destructor(state, clear_call_destructor);

	err = clear_begin(call, state, r);
	if (err == EVERR_OK) {
		rpc_control_attach(call, r->in.control, &state->operation);
		err = rpc_task_run(call, state, &state->task, &clear_ops, state,
				   RPC_TASK_NO_LIMIT);
	}
	if (err != EVERR_OK) {
		rpc_info_set(r->out.error, rpc_werror(err));
		return rpc_werror(err);
	}
	return r->out.result;
}
