/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/open.h"

#include <ndr.h>

static everr_t open_handles(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			    enum rpc_handle_kind kind, void *object,
			    struct rpc_operation *operation,
			    const struct rpc_open_out *out)
{
	struct rpc_control *control = rpc_control_create(mem_ctx, operation);
	everr_t err;

	if (control == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_handle_create(call, kind, object, out->handle);
	if (err != EVERR_OK) {
		return err;
	}
	return rpc_handle_create(call, RPC_HANDLE_CONTROL, control,
				 out->control);
}

static void open_undo(struct dcesrv_call_state *call,
		      const struct rpc_open_out *out)
{
	if (!ndr_policy_handle_empty(out->handle)) {
		(void)!rpc_handle_close(call, out->handle);
	}
	*out->num_channels = 0;
	*out->channels = NULL;
}

WERROR rpc_open_finish(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
		       enum rpc_handle_kind kind, void *object,
		       struct rpc_operation *operation,
		       const struct rpc_target *target,
		       const struct rpc_open_out *out)
{
	everr_t err;

	err = rpc_target_list(mem_ctx, target, out->num_channels,
			      out->channels);
	if (err == EVERR_OK) {
		err = open_handles(call, mem_ctx, kind, object, operation, out);
	}
	if (err != EVERR_OK) {
		open_undo(call, out);
		rpc_info_set(out->info, rpc_werror(err));
	}
	return rpc_werror(err);
}
