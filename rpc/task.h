/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_TASK_H
#define EVENLOG_RPC_TASK_H

/*
 * A call that is not answered in the turn of the loop it came in, because it
 * waits for an event or because its work takes several turns.
 *
 * A task belongs to the object behind a handle (a subscription, a query) and
 * to a call.  It ends with the first of: its work is done, its time is over,
 * Cancel, Close or the end of the association group (all three answer the
 * call), or the loss of the connection (nothing to answer).
 */

#include "base/everr.h"
#include "rpc/internal.h"

#include <stdint.h>

struct rpc_task;

enum rpc_task_state {
	RPC_TASK_DONE,	/* the answer stands in the call's r->out */
	RPC_TASK_AGAIN, /* more work: step again in another turn */
	RPC_TASK_WAIT	/* nothing to do before rpc_task_wake() */
};

struct rpc_task_ops {
	/* One turn's work. */
	enum rpc_task_state (*step)(void *private_data);
	/*
	 * Write the answer without having finished.
	 * EVERR_TIMEOUT    the time is over
	 * EVERR_CANCELLED  Cancel, Close or rundown
	 */
	void (*stop)(void *private_data, everr_t why);
	/* The call is gone: take back what it had begun. */
	void (*drop)(void *private_data);
};

/*
 * Of a task's time: none at all, and no limit.  To look is to go through what
 * is there already, for RPC_TASK_LOOK_MS at most, without waiting for more.
 */
#define RPC_TASK_NO_TIME 0
#define RPC_TASK_NO_LIMIT 0xFFFFFFFFU
#define RPC_TASK_LOOK 0xFFFFFFFEU
#define RPC_TASK_LOOK_MS 500

/*
 * Step; unless that is the end of it, park the call and go on later.  *slot
 * points to the task while there is one; object is its talloc parent, and
 * stops it in its destructor.  private_data hangs on the call.
 *
 * On EVERR_OK the method returns what stands in r->out.result; that is the
 * answer, or ignored when the call was parked.
 *
 * EVERR_LIMIT  too many calls in flight; the call faults
 * EVERR_NOMEM
 * drop has been called then.
 */
everr_t rpc_task_run(struct dcesrv_call_state *call, void *object,
		     struct rpc_task **slot, const struct rpc_task_ops *ops,
		     void *private_data, uint32_t time_ms) EVERR_MUST_CHECK;

/* Something happened: a waiting task steps, in a turn of its own. */
void rpc_task_wake(struct rpc_task *task);

/* End it with EVERR_CANCELLED.  task may be NULL. */
void rpc_task_cancel(struct rpc_task *task);

#endif
