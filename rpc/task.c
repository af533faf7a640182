/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/task.h"

#include "base/turns.h"

struct rpc_task {
	struct turns *turns;
	struct turn turn;
	struct rpc_task **slot;
	struct rpc_parked *parked;
	struct tevent_timer *timer;
	const struct rpc_task_ops *ops;
	void *private_data;
	bool look_only; /* no time to wait, only to look at what is there */
};

static int task_destructor(struct rpc_task *task)
{
	turn_cancel(&task->turn);
	*task->slot = NULL;
	return 0;
}

/*
 * Answering may end the connection, and with it the group and the object this
 * task belongs to: nothing of it is touched afterwards.
 */
static void task_answer(struct rpc_task *task)
{
	struct rpc_parked *parked = task->parked;

	TALLOC_FREE(task);
	rpc_unpark_reply(parked);
}

static void task_stop(struct rpc_task *task, everr_t why)
{
	task->ops->stop(task->private_data, why);
	task_answer(task);
}

static void task_turn(void *private_data)
{
	struct rpc_task *task =
		talloc_get_type_abort(private_data, struct rpc_task);

	switch (task->ops->step(task->private_data)) {
	case RPC_TASK_DONE:
		task_answer(task);
		break;
	case RPC_TASK_AGAIN:
		turn_schedule(task->turns, &task->turn);
		break;
	case RPC_TASK_WAIT:
		if (task->look_only) {
			task_stop(task, EVERR_TIMEOUT);
		}
		break;
	}
}

static void task_expired(struct tevent_context *ev, struct tevent_timer *te,
			 struct timeval now, void *private_data)
{
	struct rpc_task *task =
		talloc_get_type_abort(private_data, struct rpc_task);

	(void)ev;
	(void)te;
	(void)now;
	task->timer = NULL;
	task_stop(task, EVERR_TIMEOUT);
}

static void task_lost(void *private_data)
{
	struct rpc_task *task =
		talloc_get_type_abort(private_data, struct rpc_task);

	task->ops->drop(task->private_data);
	TALLOC_FREE(task);
}

static everr_t task_set_timer(struct rpc_task *task, struct tevent_context *ev,
			      uint32_t time_ms)
{
	if (time_ms == RPC_TASK_NO_LIMIT) {
		return EVERR_OK;
	}
	task->timer =
		tevent_add_timer(ev, task,
				 tevent_timeval_current_ofs(
					 time_ms / 1000, time_ms % 1000 * 1000),
				 task_expired, task);
	return task->timer != NULL ? EVERR_OK : EVERR_NOMEM;
}

static everr_t task_create(struct dcesrv_call_state *call, void *object,
			   struct rpc_task **slot, uint32_t time_ms,
			   struct rpc_task **ret_task)
{
	struct rpc_service *service = rpc_call_service(call);
	struct rpc_task *task = talloc_zero(object, struct rpc_task);
	everr_t err;

	if (task == NULL) {
		return EVERR_NOMEM;
	}
	task->turns = service->turns;
	task->turn.fn = task_turn;
	task->turn.private_data = task;
	task->slot = slot;
	*slot = task;
	talloc_set_destructor(task, task_destructor);

	err = task_set_timer(task, service->ev, time_ms);
	if (err == EVERR_OK) {
		err = rpc_park(call, task_lost, task, &task->parked);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(task);
		return err;
	}

	*ret_task = task;
	return EVERR_OK;
}

everr_t rpc_task_run(struct dcesrv_call_state *call, void *object,
		     struct rpc_task **slot, const struct rpc_task_ops *ops,
		     void *private_data, uint32_t time_ms)
{
	enum rpc_task_state state = ops->step(private_data);
	const bool look_only = time_ms == RPC_TASK_LOOK;
	struct rpc_task *task = NULL;
	everr_t err;

	if (state == RPC_TASK_DONE) {
		return EVERR_OK;
	}
	if (time_ms == RPC_TASK_NO_TIME ||
	    (state == RPC_TASK_WAIT && look_only)) {
		ops->stop(private_data, EVERR_TIMEOUT);
		return EVERR_OK;
	}

	err = task_create(call, object, slot,
			  look_only ? RPC_TASK_LOOK_MS : time_ms, &task);
	if (err != EVERR_OK) {
		ops->drop(private_data);
		return err;
	}
	task->look_only = look_only;
	task->ops = ops;
	task->private_data = private_data;
	if (state == RPC_TASK_AGAIN) {
		turn_schedule(task->turns, &task->turn);
	}
	return EVERR_OK;
}

void rpc_task_wake(struct rpc_task *task)
{
	turn_schedule(task->turns, &task->turn);
}

void rpc_task_cancel(struct rpc_task *task)
{
	if (task != NULL) {
		task_stop(task, EVERR_CANCELLED);
	}
}
