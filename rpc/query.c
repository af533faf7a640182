/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Log queries, opnums 5, 11 and 12: [MS-EVEN6] 3.1.4.12 to 3.1.4.14;
 * facts 4.2 and 11.2.
 */

#include "idl/even6_server.h"
#include "rpc/fetch.h"
#include "rpc/internal.h"
#include "rpc/open.h"
#include "rpc/reader.h"
#include "rpc/seek.h"
#include "rpc/target.h"
#include "rpc/task.h"

#include <string.h>

struct query {
	struct rpc_reader *reader;
	struct rpc_operation operation;
	struct rpc_task *task; /* opnum 11 or 12 */
};

static void query_cancel(void *private_data)
{
	struct query *query = talloc_get_type_abort(private_data, struct query);

	rpc_task_cancel(query->task);
}

static int query_destructor(struct query *query)
{
	rpc_operation_end(&query->operation);
	rpc_task_cancel(query->task);
	return 0;
}

/* ------------------------------------------------------------- opnum 5 */

static everr_t query_create(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			    const struct rpc_target *target, uint32_t flags,
			    struct query **ret_query)
{
	struct rpc_service *service = rpc_call_service(call);
	/* No direction is forward: .NET never sets one for it (facts 1.5). */
	struct rpc_reader_config config = {
		.store = service->store,
		.operational = service->operational,
		.stats = &service->stats,
		.query = target->query,
		.channels = target->channels,
		.reverse = flags & EVEN6_QUERY_REVERSE_DIRECTION,
	};
	struct query *query = talloc_zero(mem_ctx, struct query);
	everr_t err;

	if (query == NULL) {
		return EVERR_NOMEM;
	}
	query->operation.cancel = query_cancel;
	query->operation.private_data = query;
	err = rpc_reader_create(query, &config, &query->reader);
	if (err != EVERR_OK) {
		TALLOC_FREE(query);
		return err;
	}
	talloc_set_destructor(query, query_destructor);

	*ret_query = query;
	return EVERR_OK;
}

/*
 * An Analytic or Debug channel is read forward only; the code that Windows has
 * for the other way is not known (facts 4.2).
 */
static everr_t query_refuses_direct(uint32_t flags)
{
	return flags & EVEN6_QUERY_REVERSE_DIRECTION ? EVERR_INVALID : EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcRegisterLogQuery(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRegisterLogQuery *r)
{
	const struct rpc_open_out out = {
		.handle = r->out.handle,
		.control = r->out.opControl,
		.num_channels = r->out.queryChannelInfoSize,
		.channels = r->out.queryChannelInfo,
		.info = r->out.error,
	};
	bool tolerate = r->in.flags & EVEN6_QUERY_TOLERATE_QUERY_ERRORS;
	struct rpc_target *target = NULL;
	struct query *query = NULL;
	WERROR werr;
	everr_t err;

	if (rpc_target_is_file(call, r->in.path,
			       r->in.flags & EVEN6_QUERY_CHANNEL_PATH,
			       r->in.flags & EVEN6_QUERY_FILE_PATH)) {
		rpc_info_set(r->out.error, WERR_NOT_SUPPORTED);
		return WERR_NOT_SUPPORTED;
	}

	/*
	 * [MS-EVEN6] 3.1.4.12: with TOLERATE_QUERY_ERRORS the query succeeds
	 * even if all its channels are invalid; it is at its end then.
	 */
	werr = rpc_target_resolve(call, mem_ctx, r->in.path, r->in.query,
				  tolerate, query_refuses_direct(r->in.flags),
				  &target, r->out.error);
	if (!W_ERROR_IS_OK(werr)) {
		return werr;
	}

	err = query_create(call, mem_ctx, target, r->in.flags, &query);
	if (err != EVERR_OK) {
		rpc_info_set(r->out.error, rpc_werror(err));
		return rpc_werror(err);
	}
	return rpc_open_finish(call, mem_ctx, RPC_HANDLE_QUERY, query,
			       &query->operation, target, &out);
}

/* ------------------------------------------------------ opnums 11, 12 */

/* One call at a time moves a query; another one meanwhile is refused. */
static everr_t query_of(struct dcesrv_call_state *call,
			const struct policy_handle *handle,
			struct query **ret_query)
{
	void *object = NULL;
	everr_t err;

	err = rpc_handle_lookup(call, handle, RPC_HANDLE_QUERY, &object);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_query = talloc_get_type_abort(object, struct query);
	return EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcQueryNext(struct dcesrv_call_state *call,
				    TALLOC_CTX *mem_ctx,
				    struct even6_EvtRpcQueryNext *r)
{
	struct rpc_fetch_out out = RPC_FETCH_OUT(r);
	struct query *query = NULL;
	everr_t err;

	err = query_of(call, r->in.logQuery, &query);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	if (query->task != NULL) {
		return WERR_INVALID_OPERATION;
	}
	/* Unlike opnums 1 and 2, which clamp (facts 4.2). */
	if (r->in.numRequestedRecords > EVEN6_MAX_RPC_RECORD_COUNT) {
		return WERR_INVALID_PARAMETER;
	}

	err = rpc_fetch_run(call, mem_ctx, query, &query->task, query->reader,
			    RPC_FETCH_QUERY, r->in.numRequestedRecords,
			    r->in.timeOutEnd, &out);
	return err == EVERR_OK ? r->out.result : rpc_werror(err);
}

struct seek_state {
	struct rpc_seek *seek;
	struct even6_RpcInfo *info;
	WERROR *result;
};

static void seek_answer(struct seek_state *state, everr_t err)
{
	*state->result = rpc_werror(err);
	rpc_info_set(state->info, *state->result);
}

static enum rpc_task_state seek_step(void *private_data)
{
	struct seek_state *state =
		talloc_get_type_abort(private_data, struct seek_state);
	enum rpc_progress progress = RPC_READER_READY;
	everr_t err;

	err = rpc_seek_turn(state->seek, &progress);
	if (err == EVERR_OK && progress == RPC_READER_AGAIN) {
		return RPC_TASK_AGAIN;
	}
	seek_answer(state, err);
	return RPC_TASK_DONE;
}

static void seek_stop(void *private_data, everr_t why)
{
	seek_answer(talloc_get_type_abort(private_data, struct seek_state),
		    why);
}

static void seek_drop(void *private_data)
{
	(void)private_data;
}

static const struct rpc_task_ops seek_ops = {
	.step = seek_step,
	.stop = seek_stop,
	.drop = seek_drop,
};

static everr_t seek_bookmarks(TALLOC_CTX *mem_ctx, const char *xml,
			      struct event_bookmark_list **ret_bookmarks)
{
	everr_t err;

	if (xml == NULL) {
		return EVERR_OK;
	}
	err = event_bookmark_parse(mem_ctx, xml, strlen(xml), ret_bookmarks);
	return err == EVERR_LIMIT ? EVERR_BOOKMARK_SYNTAX : err;
}

static everr_t seek_run(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			struct query *query, struct even6_EvtRpcQuerySeek *r)
{
	uint32_t origin = r->in.flags & EVEN6_SEEK_ORIGIN_MASK;
	struct event_bookmark_list *bookmarks = NULL;
	struct seek_state *state = NULL;
	everr_t err;

	if (origin < RPC_SEEK_FIRST || origin > RPC_SEEK_BOOKMARK) {
		return EVERR_INVALID;
	}
	if (origin == RPC_SEEK_BOOKMARK) {
		err = seek_bookmarks(mem_ctx, r->in.bookmarkXml, &bookmarks);
		if (err != EVERR_OK) {
			return err;
		}
	}
	state = talloc_zero(mem_ctx, struct seek_state);
	if (state == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_seek_create(state, query->reader, origin, r->in.pos,
			      r->in.flags & EVEN6_SEEK_STRICT, bookmarks,
			      &state->seek);
	if (err != EVERR_OK) {
		return err;
	}

	state->info = r->out.error;
	state->result = &r->out.result;
	return rpc_task_run(call, query, &query->task, &seek_ops, state,
			    RPC_TASK_NO_LIMIT);
}

WERROR dcesrv_even6_EvtRpcQuerySeek(struct dcesrv_call_state *call,
				    TALLOC_CTX *mem_ctx,
				    struct even6_EvtRpcQuerySeek *r)
{
	struct query *query = NULL;
	everr_t err;

	err = query_of(call, r->in.logQuery, &query);
	if (err == EVERR_OK && query->task != NULL) {
		rpc_info_set(r->out.error, WERR_INVALID_OPERATION);
		return WERR_INVALID_OPERATION;
	}
	if (err == EVERR_OK) {
		err = seek_run(call, mem_ctx, query, r);
	}
	if (err != EVERR_OK) {
		rpc_info_set(r->out.error, rpc_werror(err));
		return rpc_werror(err);
	}
	return r->out.result;
}
