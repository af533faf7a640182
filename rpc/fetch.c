/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/fetch.h"

struct rpc_fetch {
	struct rpc_reader *reader;
	struct rpc_batch *batch;
	enum rpc_fetch_kind kind;
	struct rpc_fetch_out out;
};

/* On error the arrays are NULL: clients tell by that (facts 2.2). */
static enum rpc_task_state fetch_refuse(struct rpc_fetch *fetch, everr_t err)
{
	*fetch->out.num = 0;
	*fetch->out.indices = NULL;
	*fetch->out.sizes = NULL;
	*fetch->out.data_size = 0;
	*fetch->out.data = NULL;
	*fetch->out.result = rpc_werror(err);
	return RPC_TASK_DONE;
}

/* On success they are not NULL, also when they are empty (facts 16.1). */
static enum rpc_task_state fetch_deliver(struct rpc_fetch *fetch)
{
	struct rpc_batch *batch = fetch->batch;

	if (batch->num == 0) {
		batch->indices = talloc_array(batch, uint32_t, 0);
		batch->sizes = talloc_array(batch, uint32_t, 0);
		batch->data.data = talloc_array(batch, uint8_t, 0);
	}
	if (batch->indices == NULL || batch->sizes == NULL ||
	    batch->data.data == NULL) {
		return fetch_refuse(fetch, EVERR_NOMEM);
	}

	rpc_batch_commit(fetch->reader, batch);
	*fetch->out.num = batch->num;
	*fetch->out.indices = batch->indices;
	*fetch->out.sizes = batch->sizes;
	*fetch->out.data_size = (uint32_t)batch->data.len;
	*fetch->out.data = batch->data.data;
	*fetch->out.result = WERR_OK;
	return RPC_TASK_DONE;
}

static enum rpc_task_state fetch_end(struct rpc_fetch *fetch)
{
	if (fetch->batch->num > 0) {
		return fetch_deliver(fetch);
	}
	/* [MS-EVEN6] 3.1.4.13: only when no record is returned. */
	if (fetch->kind == RPC_FETCH_QUERY) {
		return fetch_refuse(fetch, EVERR_END);
	}
	return RPC_TASK_WAIT;
}

static enum rpc_task_state fetch_step(void *private_data)
{
	struct rpc_fetch *fetch =
		talloc_get_type_abort(private_data, struct rpc_fetch);
	enum rpc_progress progress = RPC_READER_END;
	everr_t err;

	err = rpc_reader_fill(fetch->reader, fetch->batch, &progress);
	if (err != EVERR_OK) {
		return fetch_refuse(fetch, err);
	}
	switch (progress) {
	case RPC_READER_READY:
		return fetch_deliver(fetch);
	case RPC_READER_AGAIN:
		/* A subscriber gets what there is; the next call goes on. */
		if (fetch->kind == RPC_FETCH_PUSH && fetch->batch->num > 0) {
			return fetch_deliver(fetch);
		}
		return RPC_TASK_AGAIN;
	case RPC_READER_END:
		break;
	}
	return fetch_end(fetch);
}

static void fetch_drop(void *private_data)
{
	struct rpc_fetch *fetch =
		talloc_get_type_abort(private_data, struct rpc_fetch);

	rpc_batch_undo(fetch->reader, fetch->batch);
}

/*
 * When its time is over a pull subscription answers an empty success: the
 * letter of [MS-EVEN6] 3.1.4.10 is ERROR_TIMEOUT, but clients that poll an
 * idle channel of Windows take every error for the end (facts 4.1).  A query
 * that has found nothing yet answers ERROR_TIMEOUT.
 */
static void fetch_stop(void *private_data, everr_t why)
{
	struct rpc_fetch *fetch =
		talloc_get_type_abort(private_data, struct rpc_fetch);

	if (why != EVERR_TIMEOUT) {
		rpc_batch_undo(fetch->reader, fetch->batch);
		fetch_refuse(fetch, why);
	} else if (fetch->batch->num == 0 && fetch->kind == RPC_FETCH_QUERY) {
		fetch_refuse(fetch, EVERR_TIMEOUT);
	} else {
		fetch_deliver(fetch);
	}
}

static const struct rpc_task_ops fetch_ops = {
	.step = fetch_step,
	.stop = fetch_stop,
	.drop = fetch_drop,
};

everr_t rpc_fetch_run(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
		      void *object, struct rpc_task **slot,
		      struct rpc_reader *reader, enum rpc_fetch_kind kind,
		      uint32_t num_requested, uint32_t time_ms,
		      const struct rpc_fetch_out *out)
{
	size_t aim_bytes = kind == RPC_FETCH_PUSH ? RPC_BATCH_PUSH_BYTES
						  : RPC_BATCH_BYTES_MAX;
	struct rpc_fetch *fetch = talloc_zero(mem_ctx, struct rpc_fetch);
	everr_t err;

	if (fetch == NULL) {
		return EVERR_NOMEM;
	}
	fetch->reader = reader;
	fetch->kind = kind;
	fetch->out = *out;
	/*
	 * Who pulls without time to wait wants what is there; on a slow host, or
	 * with a filter that passes over much, one turn would find nothing.
	 * Clients allow an answer a second more than they ask for (facts 4.1).
	 */
	if (time_ms == RPC_TASK_LOOK) {
		time_ms--; /* a client's own number has no meaning of ours */
	} else if (kind == RPC_FETCH_PULL && time_ms == RPC_TASK_NO_TIME) {
		time_ms = RPC_TASK_LOOK;
	}
	err = rpc_batch_create(mem_ctx, reader, num_requested, aim_bytes,
			       &fetch->batch);
	if (err != EVERR_OK) {
		return err;
	}
	return rpc_task_run(call, object, slot, &fetch_ops, fetch, time_ms);
}
