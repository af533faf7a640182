/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_IDL_SERVER_H
#define EVENLOG_IDL_SERVER_H

/* What the generated dispatch code of every interface shares. */

#include <dcesrv_core.h>
#include <talloc.h>

/*
 * Unmarshal a request into a new *ret_r, child of mem_ctx, results zeroed and
 * allocated.  What fails here is answered with a fault: nca_op_rng_error for
 * an unknown opnum, nca_s_fault_invalid_bound where range() is violated,
 * RPC_X_BAD_STUB_DATA for the rest, [MS-RPCE] 3.1.3.5.2.
 */
NTSTATUS idl_server_pull(struct dcesrv_call_state *dce_call,
			 TALLOC_CTX *mem_ctx,
			 const struct ndr_interface_table *table,
			 struct ndr_pull *pull, void **ret_r);

/* Marshal the reply. */
NTSTATUS idl_server_push(struct dcesrv_call_state *dce_call,
			 const struct ndr_interface_table *table,
			 struct ndr_push *push, const void *r);

/* What the core wants to hear after a handler: whether it set a fault. */
NTSTATUS idl_server_status(const struct dcesrv_call_state *dce_call);

#endif
