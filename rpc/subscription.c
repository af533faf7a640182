/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Remote subscriptions, opnums 0 to 3: [MS-EVEN6] 3.1.4.8 to 3.1.4.11;
 * facts 4.1 and 11.1.
 */

#include "idl/even6_server.h"
#include "rpc/fetch.h"
#include "rpc/internal.h"
#include "rpc/open.h"
#include "rpc/reader.h"
#include "rpc/resume.h"
#include "rpc/target.h"
#include "rpc/task.h"

#include <string.h>

struct subscription {
	struct rpc_reader *reader;
	struct rpc_operation operation;
	bool push;
	struct rpc_task *next_task; /* opnum 1 or 2 */
	struct rpc_task *wait_task; /* opnum 3 */
};

static void subscription_cancel(void *private_data)
{
	struct subscription *subscription =
		talloc_get_type_abort(private_data, struct subscription);

	rpc_task_cancel(subscription->next_task);
	rpc_task_cancel(subscription->wait_task);
}

static int subscription_destructor(struct subscription *subscription)
{
	rpc_operation_end(&subscription->operation);
	subscription_cancel(subscription);
	return 0;
}

/*
 * The watches stand for the subscription's whole life: whoever waits has
 * looked after they were armed.
 */
static void subscription_wake(struct store_channel *channel, void *private_data)
{
	struct subscription *subscription =
		talloc_get_type_abort(private_data, struct subscription);

	(void)channel;
	if (subscription->next_task != NULL) {
		rpc_task_wake(subscription->next_task);
	}
	if (subscription->wait_task != NULL) {
		rpc_task_wake(subscription->wait_task);
	}
}

static everr_t subscription_watch(struct subscription *subscription,
				  const struct rpc_target *target)
{
	size_t i;

	for (i = 0; i < target->query->num_paths; i++) {
		if (target->channels[i] == NULL) {
			continue;
		}
		if (store_watch_add(subscription, target->channels[i],
				    subscription_wake, subscription) == NULL) {
			return EVERR_NOMEM;
		}
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------- opnum 0 */

static everr_t subscription_start(struct subscription *subscription,
				  uint32_t flags,
				  const struct event_bookmark_list *bookmarks)
{
	switch (flags & EVEN6_SUBSCRIBE_ORIGIN_MASK) {
	case EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS:
		return rpc_reader_start_future(subscription->reader);
	case EVEN6_SUBSCRIBE_START_AFTER_BOOKMARK:
		return rpc_resume_reader(subscription->reader, bookmarks,
					 flags & EVEN6_SUBSCRIBE_STRICT);
	default:
		/* START_AT_OLDEST_RECORD: that is where readers start. */
		return EVERR_OK;
	}
}

/*
 * The bookmark counts with START_AFTER_BOOKMARK only, and is required there.
 * Windows ignores a malformed one unless Strict is set, which starts a
 * subscription somewhere else than the client believes: here it is an error,
 * as [MS-EVEN6] has it.
 */
static everr_t subscription_bookmarks(
	TALLOC_CTX *mem_ctx, const char *xml, uint32_t flags,
	struct event_bookmark_list **ret_bookmarks)
{
	struct event_bookmark_list *bookmarks = NULL;
	everr_t err;

	if ((flags & EVEN6_SUBSCRIBE_ORIGIN_MASK) !=
	    EVEN6_SUBSCRIBE_START_AFTER_BOOKMARK) {
		return EVERR_OK;
	}
	if (xml == NULL) {
		return EVERR_BOOKMARK_SYNTAX;
	}
	err = event_bookmark_parse(mem_ctx, xml, strlen(xml), &bookmarks);
	if (err != EVERR_OK) {
		return err == EVERR_LIMIT ? EVERR_BOOKMARK_SYNTAX : err;
	}
	if (bookmarks->num_bookmarks == 0) {
		return EVERR_BOOKMARK_SYNTAX;
	}

	*ret_bookmarks = bookmarks;
	return EVERR_OK;
}

static everr_t subscription_create(struct dcesrv_call_state *call,
				   TALLOC_CTX *mem_ctx,
				   const struct rpc_target *target,
				   const char *bookmark_xml, uint32_t flags,
				   struct subscription **ret_subscription)
{
	struct rpc_service *service = rpc_call_service(call);
	struct rpc_reader_config config = {
		.store = service->store,
		.operational = service->operational,
		.stats = &service->stats,
		.query = target->query,
		.channels = target->channels,
		.live = true,
		.strict = flags & EVEN6_SUBSCRIBE_STRICT,
	};
	struct event_bookmark_list *bookmarks = NULL;
	struct subscription *subscription = NULL;
	everr_t err;

	err = subscription_bookmarks(mem_ctx, bookmark_xml, flags, &bookmarks);
	if (err != EVERR_OK) {
		return err;
	}
	subscription = talloc_zero(mem_ctx, struct subscription);
	if (subscription == NULL) {
		return EVERR_NOMEM;
	}
	subscription->push = !(flags & EVEN6_SUBSCRIBE_PULL);
	subscription->operation.cancel = subscription_cancel;
	subscription->operation.private_data = subscription;

	/* Armed before the reader looks: nothing is missed in between. */
	err = subscription_watch(subscription, target);
	if (err == EVERR_OK) {
		err = rpc_reader_create(subscription, &config,
					&subscription->reader);
	}
	if (err == EVERR_OK) {
		err = subscription_start(subscription, flags, bookmarks);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(subscription);
		return err;
	}
	talloc_set_destructor(subscription, subscription_destructor);

	*ret_subscription = subscription;
	return EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcRegisterRemoteSubscription(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRegisterRemoteSubscription *r)
{
	const struct rpc_open_out out = {
		.handle = r->out.handle,
		.control = r->out.control,
		.num_channels = r->out.queryChannelInfoSize,
		.channels = r->out.queryChannelInfo,
		.info = r->out.error,
	};
	uint32_t flags = r->in.flags;
	/* Strict wins when both are set, facts 4.1. */
	bool tolerate = (flags & EVEN6_SUBSCRIBE_TOLERATE_QUERY_ERRORS) &&
			!(flags & EVEN6_SUBSCRIBE_STRICT);
	struct subscription *subscription = NULL;
	struct rpc_target *target = NULL;
	WERROR werr;
	everr_t err;

	/* [MS-EVEN6] 3.1.4.8: one of the three starting points is required. */
	if ((flags & EVEN6_SUBSCRIBE_ORIGIN_MASK) == 0) {
		rpc_info_set(r->out.error, WERR_INVALID_PARAMETER);
		return WERR_INVALID_PARAMETER;
	}

	werr = rpc_target_resolve(call, mem_ctx, r->in.channelPath, r->in.query,
				  tolerate, EVERR_CHANNEL_DIRECT, &target,
				  r->out.error);
	if (!W_ERROR_IS_OK(werr)) {
		return werr;
	}
	/* A subscription to nothing would never say anything. */
	if (target->num_usable == 0) {
		werr = W_ERROR(target->status[0]);
		rpc_info_set(r->out.error, werr);
		return werr;
	}

	err = subscription_create(call, mem_ctx, target, r->in.bookmarkXml,
				  flags, &subscription);
	if (err != EVERR_OK) {
		rpc_info_set(r->out.error, rpc_werror(err));
		return rpc_werror(err);
	}
	return rpc_open_finish(call, mem_ctx, RPC_HANDLE_SUBSCRIPTION,
			       subscription, &subscription->operation, target,
			       &out);
}

/* ------------------------------------------------------- opnums 1 to 3 */

/*
 * Opnum 1 is for push; 2 and 3 are for pull, although their own sections ask
 * for push: an erratum, opnum 0 makes them pull (facts 18).
 *
 * A second call of a kind while one is outstanding is refused rather than
 * queued: events handed to a call that its client has given up would be lost.
 */
static everr_t subscription_of(struct dcesrv_call_state *call,
			       const struct policy_handle *handle,
			       struct subscription **ret_subscription)
{
	void *object = NULL;
	everr_t err;

	err = rpc_handle_lookup(call, handle, RPC_HANDLE_SUBSCRIPTION, &object);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_subscription = talloc_get_type_abort(object, struct subscription);
	return EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcRemoteSubscriptionNextAsync(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r)
{
	struct rpc_fetch_out out = RPC_FETCH_OUT(r);
	struct subscription *subscription = NULL;
	everr_t err;

	err = subscription_of(call, r->in.handle, &subscription);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	if (!subscription->push || subscription->next_task != NULL) {
		return WERR_INVALID_OPERATION;
	}
	if (r->in.flags != 0) {
		return WERR_INVALID_PARAMETER;
	}

	err = rpc_fetch_run(call, mem_ctx, subscription,
			    &subscription->next_task, subscription->reader,
			    RPC_FETCH_PUSH, r->in.numRequestedRecords,
			    RPC_TASK_NO_LIMIT, &out);
	return err == EVERR_OK ? r->out.result : rpc_werror(err);
}

WERROR dcesrv_even6_EvtRpcRemoteSubscriptionNext(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNext *r)
{
	struct rpc_fetch_out out = RPC_FETCH_OUT(r);
	struct subscription *subscription = NULL;
	everr_t err;

	err = subscription_of(call, r->in.handle, &subscription);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	if (subscription->push || subscription->next_task != NULL) {
		return WERR_INVALID_OPERATION;
	}
	if (r->in.flags != 0) {
		return WERR_INVALID_PARAMETER;
	}

	err = rpc_fetch_run(call, mem_ctx, subscription,
			    &subscription->next_task, subscription->reader,
			    RPC_FETCH_PULL, r->in.numRequestedRecords,
			    r->in.timeOut, &out);
	return err == EVERR_OK ? r->out.result : rpc_werror(err);
}

struct wait_state {
	struct subscription *subscription;
	WERROR *result;
};

/* Complete while there is an unread match, however often it is asked. */
static enum rpc_task_state wait_step(void *private_data)
{
	struct wait_state *wait =
		talloc_get_type_abort(private_data, struct wait_state);
	enum rpc_progress progress = RPC_READER_END;
	everr_t err;

	err = rpc_reader_look(wait->subscription->reader, &progress);
	if (err != EVERR_OK) {
		*wait->result = rpc_werror(err);
		return RPC_TASK_DONE;
	}
	switch (progress) {
	case RPC_READER_READY:
		*wait->result = WERR_OK;
		return RPC_TASK_DONE;
	case RPC_READER_AGAIN:
		return RPC_TASK_AGAIN;
	case RPC_READER_END:
		break;
	}
	return RPC_TASK_WAIT;
}

static void wait_stop(void *private_data, everr_t why)
{
	struct wait_state *wait =
		talloc_get_type_abort(private_data, struct wait_state);

	*wait->result = rpc_werror(why);
}

static void wait_drop(void *private_data)
{
	(void)private_data;
}

static const struct rpc_task_ops wait_ops = {
	.step = wait_step,
	.stop = wait_stop,
	.drop = wait_drop,
};

WERROR dcesrv_even6_EvtRpcRemoteSubscriptionWaitAsync(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionWaitAsync *r)
{
	struct subscription *subscription = NULL;
	struct wait_state *wait = NULL;
	everr_t err;

	err = subscription_of(call, r->in.handle, &subscription);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	if (subscription->push || subscription->wait_task != NULL) {
		return WERR_INVALID_OPERATION;
	}

	wait = talloc_zero(mem_ctx, struct wait_state);
	if (wait == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	wait->subscription = subscription;
	wait->result = &r->out.result;
	err = rpc_task_run(call, subscription, &subscription->wait_task,
			   &wait_ops, wait, RPC_TASK_NO_LIMIT);
	return err == EVERR_OK ? r->out.result : rpc_werror(err);
}
