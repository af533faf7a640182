/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_IDL_CLIENT_H
#define EVENLOG_IDL_CLIENT_H

/* What the generated client stubs of every interface share. */

#include <dcerpc.h>
#include <talloc.h>
#include <tevent.h>

/* Start a call; r is its struct TABLE_CALL, which outlives the request. */
struct tevent_req *idl_client_send(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev,
				   struct dcerpc_binding_handle *h,
				   const struct ndr_interface_table *table,
				   uint32_t opnum, void *r);

/*
 * Take the result: NT_STATUS_OK when a reply came and could be read (what
 * the call itself answered is in r->out.result), else the transport's or the
 * fault's status.  What r->out points to becomes a child of mem_ctx.
 */
NTSTATUS idl_client_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx);

#endif
