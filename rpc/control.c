/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/control.h"

#include "idl/even6_server.h"
#include "rpc/internal.h"

struct rpc_control {
	struct rpc_operation *operation; /* NULL: none, or closed */
};

static int control_destructor(struct rpc_control *control)
{
	if (control->operation != NULL) {
		control->operation->control = NULL;
	}
	return 0;
}

struct rpc_control *rpc_control_create(TALLOC_CTX *mem_ctx,
				       struct rpc_operation *operation)
{
	struct rpc_control *control = talloc_zero(mem_ctx, struct rpc_control);

	if (control == NULL) {
		return NULL;
	}
	control->operation = operation;
	if (operation != NULL) {
		operation->control = control;
	}
	talloc_set_destructor(control, control_destructor);
	return control;
}

void rpc_control_attach(struct dcesrv_call_state *call,
			const struct policy_handle *wire,
			struct rpc_operation *operation)
{
	struct rpc_control *control = NULL;
	void *object = NULL;

	/* Unlike a look-up, asking for the kind does not fault. */
	if (rpc_handle_kind(call, wire) != RPC_HANDLE_CONTROL ||
	    rpc_handle_lookup(call, wire, RPC_HANDLE_CONTROL, &object) !=
		    EVERR_OK) {
		return;
	}
	control = talloc_get_type_abort(object, struct rpc_control);
	if (control->operation == NULL) {
		control->operation = operation;
		operation->control = control;
	}
}

void rpc_operation_end(struct rpc_operation *operation)
{
	if (operation->control != NULL) {
		operation->control->operation = NULL;
		operation->control = NULL;
	}
}

/*
 * Opnum 4, [MS-EVEN6] 3.1.4.24: a control for ClearLog, ExportLog and
 * LocalizeExportLog.
 */
WERROR dcesrv_even6_EvtRpcRegisterControllableOperation(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRegisterControllableOperation *r)
{
	struct rpc_control *control = rpc_control_create(mem_ctx, NULL);
	everr_t err;

	if (control == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	err = rpc_handle_create(call, RPC_HANDLE_CONTROL, control,
				r->out.handle);
	return rpc_werror(err);
}

/*
 * Opnum 13, [MS-EVEN6] 3.1.4.32.  The object's destructor answers the calls
 * that still wait on it; a partner it has lives on.
 */
WERROR dcesrv_even6_EvtRpcClose(struct dcesrv_call_state *call,
				TALLOC_CTX *mem_ctx,
				struct even6_EvtRpcClose *r)
{
	(void)mem_ctx;
	return rpc_werror(rpc_handle_close(call, r->out.handle));
}

/*
 * Opnum 14, [MS-EVEN6] 3.1.4.33.  What is outstanding ends with
 * ERROR_CANCELLED; nothing outstanding is no error.  The cancelling does not
 * stick to the subscription or query: whether later calls fail on Windows is
 * not known, and clients close next.
 */
WERROR dcesrv_even6_EvtRpcCancel(struct dcesrv_call_state *call,
				 TALLOC_CTX *mem_ctx,
				 struct even6_EvtRpcCancel *r)
{
	struct rpc_control *control = NULL;
	void *object = NULL;
	everr_t err;

	(void)mem_ctx;
	err = rpc_handle_lookup(call, r->in.handle, RPC_HANDLE_CONTROL,
				&object);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	control = talloc_get_type_abort(object, struct rpc_control);
	if (control->operation != NULL) {
		control->operation->cancel(control->operation->private_data);
	}
	return WERR_OK;
}
