/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ExportLog, opnum 7: [MS-EVEN6] 3.1.4.17; facts 4.4 and 13.
 */

#include "idl/even6_server.h"
#include "rpc/control.h"
#include "rpc/exporter.h"
#include "rpc/target.h"

#include <inttypes.h>
#include <stdio.h>

#define FLAGS_KNOWN                                           \
	(EVEN6_EXPORT_CHANNEL_PATH | EVEN6_EXPORT_FILE_PATH | \
	 EVEN6_EXPORT_TOLERATE_QUERY_ERRORS)

/* A call at work; talloc child of the call. */
struct export_call {
	struct rpc_service *service;
	struct rpc_target *target;
	struct rpc_export_path *path;
	struct rpc_exporter *exporter;
	struct rpc_operation operation;
	struct rpc_task *task;
	const char *user;
	const char *peer;
	struct even6_RpcInfo *info;
	WERROR *result;
};

static int export_call_destructor(struct export_call *state)
{
	rpc_operation_end(&state->operation);
	return 0;
}

static void export_wake(void *private_data)
{
	struct export_call *state =
		talloc_get_type_abort(private_data, struct export_call);

	if (state->task != NULL) {
		rpc_task_wake(state->task);
	}
}

static void export_cancel(void *private_data)
{
	struct export_call *state =
		talloc_get_type_abort(private_data, struct export_call);

	rpc_task_cancel(state->task);
}

/* ------------------------------------------------------------- the work */

/* The channels it was taken from: "Application, System". */
static char *sources_text(TALLOC_CTX *mem_ctx, const struct rpc_target *target)
{
	const struct event_query *query = target->query;
	char *text = talloc_strdup(mem_ctx, "");
	size_t i;

	for (i = 0; text != NULL && i < query->num_paths; i++) {
		if (target->channels[i] != NULL) {
			text = talloc_asprintf_append(
				text, "%s%s", text[0] != '\0' ? ", " : "",
				query->paths[i]);
		}
	}
	return text;
}

static void export_report(struct export_call *state)
{
	char *sources = sources_text(state, state->target);
	char events[21];
	const char *fields[] = {
		"Channel", sources,	"User", state->user,
		"Peer",	   state->peer, "Path", state->path->text,
		"Events",  events,
	};

	snprintf(events, sizeof(events), "%" PRIu64,
		 rpc_exporter_result(state->exporter).events);
	rpc_exporter_report(state->exporter);
	operational_report(state->service->operational,
			   OPERATIONAL_LOG_EXPORTED, NULL, fields, 5);
	TALLOC_FREE(sources);
}

static void export_answer(struct export_call *state, everr_t err)
{
	/* Frees what was not kept: the partial file goes with it. */
	TALLOC_FREE(state->exporter);
	*state->result = rpc_exporter_werror(err);
	rpc_info_set(state->info, *state->result);
}

static enum rpc_task_state export_step(void *private_data)
{
	struct export_call *state =
		talloc_get_type_abort(private_data, struct export_call);
	enum rpc_task_state next = RPC_TASK_DONE;
	everr_t err;

	err = rpc_exporter_turn(state->exporter, &next);
	if (err == EVERR_OK && next != RPC_TASK_DONE) {
		return next;
	}
	if (err == EVERR_OK) {
		export_report(state);
		rpc_exporter_keep(state->exporter, true);
	}
	export_answer(state, err);
	return RPC_TASK_DONE;
}

static void export_stop(void *private_data, everr_t why)
{
	export_answer(talloc_get_type_abort(private_data, struct export_call),
		      why);
}

static void export_drop(void *private_data)
{
	struct export_call *state =
		talloc_get_type_abort(private_data, struct export_call);

	TALLOC_FREE(state->exporter);
}

static const struct rpc_task_ops export_ops = {
	.step = export_step,
	.stop = export_stop,
	.drop = export_drop,
};

/* ------------------------------------------------------------- the call */

/*
 * Windows' own server checks no flags; its client does.  Both kinds of path at
 * once, and bits that nobody knows, can only be a mistake (the specification's
 * SHOULD); neither kind is taken for what the path is, as in opnum 5.
 */
static WERROR export_check_flags(struct dcesrv_call_state *call,
				 const char *channel, uint32_t flags)
{
	bool is_channel = flags & EVEN6_EXPORT_CHANNEL_PATH;
	bool is_file = flags & EVEN6_EXPORT_FILE_PATH;

	if ((flags & ~FLAGS_KNOWN) != 0 || (is_channel && is_file)) {
		return WERR_INVALID_PARAMETER;
	}
	if (rpc_target_is_file(call, channel, is_channel, is_file)) {
		return WERR_NOT_SUPPORTED;
	}
	return WERR_OK;
}

static WERROR export_begin(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			   struct even6_EvtRpcExportLog *r,
			   struct export_call **ret_state)
{
	bool tolerate = r->in.flags & EVEN6_EXPORT_TOLERATE_QUERY_ERRORS;
	struct export_call *state = talloc_zero(mem_ctx, struct export_call);
	struct rpc_exporter_config config = {
		.service = rpc_call_service(call),
		.peer = rpc_call_peer(call),
		.wake = export_wake,
		.private_data = state,
	};
	WERROR werr;
	everr_t err;

	if (state == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	state->service = config.service;
	state->user = rpc_call_user(call);
	state->peer = config.peer;
	state->info = r->out.error;
	state->result = &r->out.result;
	state->operation.cancel = export_cancel;
	state->operation.private_data = state;
	talloc_set_destructor(state, export_call_destructor);

	werr = rpc_target_resolve(call, state, r->in.channelPath, r->in.query,
				  tolerate, EVERR_OK, &state->target,
				  r->out.error);
	if (!W_ERROR_IS_OK(werr)) {
		return werr;
	}
	err = rpc_export_path_parse(state, r->in.backupPath, &state->path);
	if (err == EVERR_OK) {
		config.query = state->target->query;
		config.channels = state->target->channels;
		config.path = state->path;
		err = rpc_exporter_create(state, &config, &state->exporter);
	}
	if (err != EVERR_OK) {
		rpc_info_set(r->out.error, rpc_werror(err));
		return rpc_werror(err);
	}
	*ret_state = state;
	return WERR_OK;
}

WERROR dcesrv_even6_EvtRpcExportLog(struct dcesrv_call_state *call,
				    TALLOC_CTX *mem_ctx,
				    struct even6_EvtRpcExportLog *r)
{
	struct export_call *state = NULL;
	WERROR werr;
	everr_t err;

	werr = export_check_flags(call, r->in.channelPath, r->in.flags);
	if (!W_ERROR_IS_OK(werr)) {
		rpc_info_set(r->out.error, werr);
		return werr;
	}
	werr = export_begin(call, mem_ctx, r, &state);
	if (!W_ERROR_IS_OK(werr)) {
		return werr;
	}
	rpc_control_attach(call, r->in.control, &state->operation);
	err = rpc_task_run(call, state, &state->task, &export_ops, state,
			   RPC_TASK_NO_LIMIT);
	if (err != EVERR_OK) {
		rpc_info_set(r->out.error, rpc_werror(err));
		return rpc_werror(err);
	}
	return r->out.result;
}
