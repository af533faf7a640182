/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_OPEN_H
#define EVENLOG_RPC_OPEN_H

/*
 * What opnums 0 and 5 end with: a subscription or a query, whose client gets
 * its handle, the handle of its control, and its channels.
 */

#include "rpc/control.h"
#include "rpc/target.h"

/* Where the results go, in the r->out of the call. */
struct rpc_open_out {
	struct policy_handle *handle;
	struct policy_handle *control;
	uint32_t *num_channels;
	struct even6_EvtRpcQueryChannelInfo **channels;
	struct even6_RpcInfo *info;
};

/*
 * The result of the call.  object becomes the handle's, see
 * rpc_handle_create(); operation is embedded in it.  On failure no handle is
 * left behind, and no result but out->info.
 */
WERROR rpc_open_finish(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
		       enum rpc_handle_kind kind, void *object,
		       struct rpc_operation *operation,
		       const struct rpc_target *target,
		       const struct rpc_open_out *out);

#endif
