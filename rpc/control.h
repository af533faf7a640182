/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_CONTROL_H
#define EVENLOG_RPC_CONTROL_H

/*
 * Operation control handles, [MS-EVEN6] 3.1.1.10 and 3.1.4.10.
 *
 * A control and its operation (a subscription or a query) know each other and
 * may be closed in either order; what is left then has no partner any more.
 */

#include "base/everr.h"
#include "rpc/internal.h"

#include <talloc.h>

struct rpc_control;

/* Embedded in the object it stands for, whose destructor ends it. */
struct rpc_operation {
	void (*cancel)(void *private_data);
	void *private_data;
	struct rpc_control *control; /* NULL once that was closed */
};

/* operation NULL: a control of nothing, as opnum 4 makes. */
struct rpc_control *rpc_control_create(TALLOC_CTX *mem_ctx,
				       struct rpc_operation *operation);

/*
 * A control that a client got before its operation: opnums 6 to 8 take one of
 * opnum 4.  The specification has them not look at the handle; so one that is
 * none, or that controls something else, gives an operation that cannot be
 * cancelled.
 */
void rpc_control_attach(struct dcesrv_call_state *call,
			const struct policy_handle *wire,
			struct rpc_operation *operation);

void rpc_operation_end(struct rpc_operation *operation);

#endif
