/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_REQUEST_H
#define EVENLOG_RPC_REQUEST_H

/*
 * Calls of control.idl that ask something of the daemon which takes its time,
 * and are answered with a message for a person.
 */

#include "rpc/internal.h"

struct rpc_request; /* parent of what belongs to it */

typedef everr_t (*rpc_request_recv_fn)(struct tevent_req *req,
				       TALLOC_CTX *mem_ctx, char **ret_message);

/*
 * Park the call; message and error are its out members, and set when it is
 * answered.  A client that is lost takes the request with it.
 */
everr_t rpc_request_begin(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			  rpc_request_recv_fn recv, const char **message,
			  uint32_t *error,
			  struct rpc_request **ret_request) EVERR_MUST_CHECK;

/* Answer when req (child of the request) is done; NULL: no memory. */
void rpc_request_wait(struct rpc_request *request, struct tevent_req *req);

#endif
