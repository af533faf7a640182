/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_FETCH_H
#define EVENLOG_RPC_FETCH_H

/*
 * The calls that return events: opnums 1, 2 and 11.  They share their results
 * and the way to them, and differ in what happens when there are none.
 */

#include "rpc/reader.h"
#include "rpc/task.h"

#include <stdint.h>

enum rpc_fetch_kind {
	RPC_FETCH_PUSH, /* waits for an event without limit */
	RPC_FETCH_PULL, /* waits its time, then none is no error */
	RPC_FETCH_QUERY /* the end is ERROR_NO_MORE_ITEMS */
};

/* Where the results go, in the r->out of the call. */
struct rpc_fetch_out {
	uint32_t *num;
	uint32_t **indices;
	uint32_t **sizes;
	uint32_t *data_size;
	uint8_t **data;
	WERROR *result;
};

/* The one of any of the three; their results have the same names. */
#define RPC_FETCH_OUT(r)                                                   \
	{                                                                  \
		.num = (r)->out.numActualRecords,                          \
		.indices = (r)->out.eventDataIndices,                      \
		.sizes = (r)->out.eventDataSizes,                          \
		.data_size = (r)->out.resultBufferSize,                    \
		.data = (r)->out.resultBuffer, .result = &(r)->out.result, \
	}

/*
 * Run the call on a reader of object, see rpc_task_run().  time_ms is
 * RPC_TASK_NO_LIMIT for RPC_FETCH_PUSH.  Errors of the work itself go to
 * *out->result.
 */
everr_t rpc_fetch_run(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
		      void *object, struct rpc_task **slot,
		      struct rpc_reader *reader, enum rpc_fetch_kind kind,
		      uint32_t num_requested, uint32_t time_ms,
		      const struct rpc_fetch_out *out) EVERR_MUST_CHECK;

#endif
