/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idl/server.h"

/* Samba's core knows the negotiated syntax, but leaves using it to us. */
static bool speaks_ndr64(const struct dcesrv_call_state *dce_call)
{
	return ndr_syntax_id_equal(&dce_call->context->transfer_syntax,
				   &ndr_transfer_syntax_ndr64);
}

static NTSTATUS set_fault(struct dcesrv_call_state *dce_call, uint32_t fault)
{
	dce_call->fault_code = fault;
	return NT_STATUS_NET_WRITE_FAULT;
}

NTSTATUS idl_server_pull(struct dcesrv_call_state *dce_call,
			 TALLOC_CTX *mem_ctx,
			 const struct ndr_interface_table *table,
			 struct ndr_pull *pull, void **ret_r)
{
	const struct ndr_interface_call *call = NULL;
	uint16_t opnum = dce_call->pkt.u.request.opnum;
	enum ndr_err_code ndr_err;
	void *r = NULL;

	dce_call->fault_code = 0;
	if (opnum >= table->num_calls) {
		return set_fault(dce_call, DCERPC_FAULT_OP_RNG_ERROR);
	}
	call = &table->calls[opnum];

	r = talloc_zero_size(mem_ctx, call->struct_size);
	if (r == NULL) {
		return set_fault(dce_call, DCERPC_NCA_S_FAULT_REMOTE_NO_MEMORY);
	}
	talloc_set_name(r, "struct %s", call->name);

	if (speaks_ndr64(dce_call)) {
		pull->flags |= LIBNDR_FLAG_NDR64;
	}
	ndr_err = call->ndr_pull(pull, NDR_IN, r);
	if (ndr_err == NDR_ERR_RANGE) {
		return set_fault(dce_call, DCERPC_NCA_S_FAULT_INVALID_BOUND);
	}
	if (!NDR_ERR_CODE_IS_SUCCESS(ndr_err)) {
		return set_fault(dce_call, DCERPC_FAULT_NDR);
	}

	*ret_r = r;
	return NT_STATUS_OK;
}

NTSTATUS idl_server_push(struct dcesrv_call_state *dce_call,
			 const struct ndr_interface_table *table,
			 struct ndr_push *push, const void *r)
{
	uint16_t opnum = dce_call->pkt.u.request.opnum;
	enum ndr_err_code ndr_err;

	if (speaks_ndr64(dce_call)) {
		push->flags |= LIBNDR_FLAG_NDR64;
	}
	ndr_err = table->calls[opnum].ndr_push(push, NDR_OUT, r);
	if (!NDR_ERR_CODE_IS_SUCCESS(ndr_err)) {
		return set_fault(dce_call, DCERPC_FAULT_NDR);
	}
	return NT_STATUS_OK;
}

NTSTATUS idl_server_status(const struct dcesrv_call_state *dce_call)
{
	return dce_call->fault_code != 0 ? NT_STATUS_NET_WRITE_FAULT
					 : NT_STATUS_OK;
}
