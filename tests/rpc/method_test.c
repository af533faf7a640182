/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The methods without a network: what they answer, when, and what they leave
 * behind.  Codes and rules are those of facts 4 and 11.
 */

#include "tests/leak.h"

#include "event/result.h"
#include "idl/even6_server.h"
#include "rpc/fetch.h"
#include "rpc/reader.h"
#include "tests/rpc/fake_host.h"
#include "tests/rpc/fake_store.h"

#include <string.h>

#define PULL EVEN6_SUBSCRIBE_PULL
#define FUTURE EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS
#define OLDEST EVEN6_SUBSCRIBE_START_AT_OLDEST_RECORD
#define AFTER EVEN6_SUBSCRIBE_START_AFTER_BOOKMARK
#define TOLERATE EVEN6_SUBSCRIBE_TOLERATE_QUERY_ERRORS
#define STRICT EVEN6_SUBSCRIBE_STRICT

#define BACKUP "Microsoft-Windows-Backup/Operational"
/* [MS-EVEN6] 4.6 */
#define SPEC_QUERY                                     \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<QueryList>\n"                                \
	"<Query Id=\"1\" Path=\"Application\">\n"      \
	"<Select Path=\"Application\">*</Select>\n"    \
	"</Query>\n"                                   \
	"<Query Id=\"2\" Path=\"" BACKUP "\">\n"       \
	"<Select Path=\"" BACKUP "\">*</Select>\n"     \
	"</Query>\n"                                   \
	"</QueryList>"

struct fixture {
	struct tevent_context *ev;
	struct store *store;
	struct store_channel *application;
	struct store_channel *backup;
	struct rpc_service *service;
};

static int fixture_destructor(struct fixture *f)
{
	fake_host_rundown(f->service);
	return 0;
}

static struct fixture *fixture_create(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->ev = tevent_context_init(f);
	f->store = fake_store_create(f);
	f->application = fake_channel(f->store, "Application");
	f->backup = fake_channel(f->store, BACKUP);
	f->service = fake_host_create(f, f->ev, f->store);
	talloc_set_destructor(f, fixture_destructor);
	return f;
}

static void append(struct store_channel *channel, uint64_t time)
{
	fake_append(channel, time, 0);
	fake_wake(channel);
}

/* ------------------------------------------------ calling the methods */

typedef struct even6_EvtRpcRegisterRemoteSubscription subscribe_call;

static subscribe_call *subscribe(struct fixture *f, const char *path,
				 const char *query, const char *bookmark,
				 uint32_t flags, uint32_t expected)
{
	struct fake_call *call = fake_call_new(f->service);
	subscribe_call *r = talloc_zero(f, subscribe_call);
	WERROR werr;

	r->in.channelPath = path;
	r->in.query = query;
	r->in.bookmarkXml = bookmark;
	r->in.flags = flags;
	r->out.handle = talloc_zero(r, struct policy_handle);
	r->out.control = talloc_zero(r, struct policy_handle);
	r->out.queryChannelInfoSize = talloc_zero(r, uint32_t);
	r->out.queryChannelInfo =
		talloc_zero(r, struct even6_EvtRpcQueryChannelInfo *);
	r->out.error = talloc_zero(r, struct even6_RpcInfo);
	werr = dcesrv_even6_EvtRpcRegisterRemoteSubscription(
		fake_call_state(call), r, r);
	assert_int_equal(W_ERROR_V(werr), expected);
	assert_int_equal(r->out.error->m_error, expected);
	if (expected != 0) {
		assert_int_equal(*r->out.queryChannelInfoSize, 0);
		assert_null(*r->out.queryChannelInfo);
		assert_true(ndr_policy_handle_empty(r->out.handle));
		assert_true(ndr_policy_handle_empty(r->out.control));
	}
	return r;
}

typedef struct even6_EvtRpcRegisterLogQuery query_call;

static query_call *query(struct fixture *f, const char *path, const char *text,
			 uint32_t flags, uint32_t expected)
{
	struct fake_call *call = fake_call_new(f->service);
	query_call *r = talloc_zero(f, query_call);
	WERROR werr;

	r->in.path = path;
	r->in.query = text;
	r->in.flags = flags;
	r->out.handle = talloc_zero(r, struct policy_handle);
	r->out.opControl = talloc_zero(r, struct policy_handle);
	r->out.queryChannelInfoSize = talloc_zero(r, uint32_t);
	r->out.queryChannelInfo =
		talloc_zero(r, struct even6_EvtRpcQueryChannelInfo *);
	r->out.error = talloc_zero(r, struct even6_RpcInfo);
	werr = dcesrv_even6_EvtRpcRegisterLogQuery(fake_call_state(call), r, r);
	assert_int_equal(W_ERROR_V(werr), expected);
	assert_int_equal(r->out.error->m_error, expected);
	if (expected != 0) {
		assert_true(ndr_policy_handle_empty(r->out.handle));
		assert_true(ndr_policy_handle_empty(r->out.opControl));
	}
	return r;
}

/* Opnum 1, 2 or 11, whose results are alike. */
struct next {
	struct fake_call *call;
	union {
		struct even6_EvtRpcRemoteSubscriptionNextAsync push;
		struct even6_EvtRpcRemoteSubscriptionNext pull;
		struct even6_EvtRpcQueryNext query;
	} r;
	enum rpc_fetch_kind kind;
	struct rpc_fetch_out out;
};

#define NEXT_OUT(next, arm)                                                    \
	do {                                                                   \
		(next)->r.arm.out.numActualRecords =                           \
			talloc_zero(next, uint32_t);                           \
		(next)->r.arm.out.eventDataIndices =                           \
			talloc_zero(next, uint32_t *);                         \
		(next)->r.arm.out.eventDataSizes =                             \
			talloc_zero(next, uint32_t *);                         \
		(next)->r.arm.out.resultBufferSize =                           \
			talloc_zero(next, uint32_t);                           \
		(next)->r.arm.out.resultBuffer = talloc_zero(next, uint8_t *); \
		(next)->out =                                                  \
			(struct rpc_fetch_out)RPC_FETCH_OUT(&(next)->r.arm);   \
	} while (0)

static struct next *next_start(struct fixture *f, enum rpc_fetch_kind kind,
			       struct policy_handle *handle, uint32_t num,
			       uint32_t time_ms)
{
	struct next *next = talloc_zero(f, struct next);
	struct dcesrv_call_state *state = NULL;
	WERROR werr = WERR_INTERNAL_ERROR;

	next->call = fake_call_new(f->service);
	next->kind = kind;
	state = fake_call_state(next->call);
	switch (kind) {
	case RPC_FETCH_PUSH:
		NEXT_OUT(next, push);
		next->r.push.in.handle = handle;
		next->r.push.in.numRequestedRecords = num;
		werr = dcesrv_even6_EvtRpcRemoteSubscriptionNextAsync(
			state, next, &next->r.push);
		break;
	case RPC_FETCH_PULL:
		NEXT_OUT(next, pull);
		next->r.pull.in.handle = handle;
		next->r.pull.in.numRequestedRecords = num;
		next->r.pull.in.timeOut = time_ms;
		werr = dcesrv_even6_EvtRpcRemoteSubscriptionNext(state, next,
								 &next->r.pull);
		break;
	case RPC_FETCH_QUERY:
		NEXT_OUT(next, query);
		next->r.query.in.logQuery = handle;
		next->r.query.in.numRequestedRecords = num;
		next->r.query.in.timeOutEnd = time_ms;
		werr = dcesrv_even6_EvtRpcQueryNext(state, next,
						    &next->r.query);
		break;
	}
	if (next->call->parked == NULL) {
		next->call->answered = next->call->fault == 0;
		*next->out.result = werr;
	}
	return next;
}

/* The records as "0:201 1:7", channel and id. */
static const char *records(const struct next *next)
{
	char *text = talloc_strdup(next, "");
	uint32_t i;

	for (i = 0; i < *next->out.num; i++) {
		const uint8_t *data = *next->out.data + (*next->out.indices)[i];
		struct event_result result;

		assert_int_equal(event_result_parse(data, (*next->out.sizes)[i],
						    &result),
				 EVERR_OK);
		text = talloc_asprintf_append(
			text, "%s%u:%u", i > 0 ? " " : "",
			result.current_channel,
			(unsigned int)le64_get(result.record_ids +
					       8 * result.current_channel));
	}
	return text;
}

/* Answered with this code and these records; arrays NULL on errors only. */
static void assert_next(const struct next *next, uint32_t code,
			const char *expected)
{
	assert_true(next->call->answered);
	assert_int_equal(W_ERROR_V(*next->out.result), code);
	assert_string_equal(records(next), expected);
	if (code != 0) {
		assert_null(*next->out.indices);
		assert_null(*next->out.sizes);
		assert_null(*next->out.data);
		assert_int_equal(*next->out.data_size, 0);
	} else {
		assert_non_null(*next->out.indices);
		assert_non_null(*next->out.sizes);
		assert_non_null(*next->out.data);
	}
}

static void assert_parked(const struct next *next)
{
	assert_non_null(next->call->parked);
	assert_false(next->call->answered);
}

static struct next *push(struct fixture *f, subscribe_call *s, uint32_t num)
{
	return next_start(f, RPC_FETCH_PUSH, s->out.handle, num, 0);
}

static struct next *pull(struct fixture *f, subscribe_call *s, uint32_t num,
			 uint32_t time_ms)
{
	return next_start(f, RPC_FETCH_PULL, s->out.handle, num, time_ms);
}

struct wait {
	struct fake_call *call;
	struct even6_EvtRpcRemoteSubscriptionWaitAsync r;
};

static struct wait *wait_start(struct fixture *f, subscribe_call *s)
{
	struct wait *wait = talloc_zero(f, struct wait);
	WERROR werr;

	wait->call = fake_call_new(f->service);
	wait->r.in.handle = s->out.handle;
	werr = dcesrv_even6_EvtRpcRemoteSubscriptionWaitAsync(
		fake_call_state(wait->call), wait, &wait->r);
	if (wait->call->parked == NULL) {
		wait->call->answered = true;
		wait->r.out.result = werr;
	}
	return wait;
}

static void assert_wait(const struct wait *wait, uint32_t code)
{
	assert_true(wait->call->answered);
	assert_int_equal(W_ERROR_V(wait->r.out.result), code);
}

static uint32_t cancel(struct fixture *f, struct policy_handle *control)
{
	struct even6_EvtRpcCancel r = {.in.handle = control};

	return W_ERROR_V(dcesrv_even6_EvtRpcCancel(
		fake_call_state(fake_call_new(f->service)), f, &r));
}

static uint32_t close_handle(struct fixture *f, struct policy_handle *handle)
{
	struct even6_EvtRpcClose r = {.in.handle = handle,
				      .out.handle = handle};

	return W_ERROR_V(dcesrv_even6_EvtRpcClose(
		fake_call_state(fake_call_new(f->service)), f, &r));
}

/* ----------------------------------------------------------------- push */

/* [MS-EVEN6] 4.6, step by step. */
static void test_the_push_example_of_the_specification(void **state)
{
	struct fixture *f = fixture_create(state);
	struct event_result result;
	subscribe_call *s = NULL;
	struct next *next = NULL;

	fake_append_many(f->application, 200, 1000);
	fake_append_many(f->backup, 100, 1000);
	s = subscribe(f, NULL, SPEC_QUERY, NULL, 0x00000001, 0);
	assert_int_equal(*s->out.queryChannelInfoSize, 2);
	assert_string_equal((*s->out.queryChannelInfo)[0].name, "Application");
	assert_string_equal((*s->out.queryChannelInfo)[1].name, BACKUP);
	assert_int_equal((*s->out.queryChannelInfo)[0].status, 0);
	assert_int_equal((*s->out.queryChannelInfo)[1].status, 0);

	next = push(f, s, 5);
	assert_parked(next);
	append(f->application, 5000);
	assert_true(fake_call_wait(f->service, next->call));
	assert_next(next, 0, "0:201");
	assert_int_equal(event_result_parse(*next->out.data,
					    *next->out.data_size, &result),
			 EVERR_OK);
	assert_int_equal(le32_get(result.subquery_ids), 1);
	assert_int_equal(le64_get(result.record_ids + 8), 100);

	next = push(f, s, 5);
	assert_parked(next);
	assert_int_equal(cancel(f, s->out.control), 0);
	assert_next(next, 0x4C7, "");
	assert_int_equal(close_handle(f, s->out.handle), 0);
	assert_int_equal(close_handle(f, s->out.control), 0);
	assert_int_equal(fake_num_handles(), 0);
	assert_int_equal(fake_num_watches(f->application), 0);
}

static void test_push_answers_at_once_when_events_are_there(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = NULL;

	fake_append_many(f->application, 1500, 1);
	s = subscribe(f, "Application", "*", NULL, OLDEST, 0);
	assert_next(push(f, s, 0), 0, "");
	assert_next(push(f, s, 1), 0, "0:1");
	assert_next(push(f, s, 2), 0, "0:2 0:3");
}

/* The answer of a call that may take several turns, on a slow host. */
static void settle(struct fixture *f, const struct next *next)
{
	if (!next->call->answered && next->call->parked != NULL) {
		assert_true(fake_call_wait(f->service, next->call));
	}
}

/* Opnums 1 and 2 clamp, opnum 11 refuses. */
static void test_more_than_1024_records(void **state)
{
	struct fixture *f = fixture_create(state);
	struct next *next = NULL;
	subscribe_call *s = NULL;
	query_call *q = NULL;

	fake_append_many(f->application, 1500, 1);
	s = subscribe(f, "Application", "*", NULL, OLDEST | PULL, 0);
	next = pull(f, s, 1025, 0);
	settle(f, next);
	assert_int_equal(W_ERROR_V(*next->out.result), 0);
	assert_int_equal(*next->out.num, 1024);
	next = pull(f, s, 0xFFFFFFFF, 0);
	settle(f, next);
	assert_int_equal(*next->out.num, 1500 - 1024);

	q = query(f, "Application", "*", 0x101, 0);
	next = next_start(f, RPC_FETCH_QUERY, q->out.handle, 1025, 0);
	assert_next(next, 0x57, "");
	next = next_start(f, RPC_FETCH_QUERY, q->out.handle, 1024, 0xFFFFFFFF);
	settle(f, next);
	assert_int_equal(*next->out.num, 1024);
}

static void test_a_wake_up_for_another_channel_does_not_answer(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	struct next *next = push(f, s, 5);

	append(f->backup, 1);
	fake_wake(f->application);
	fake_turns(f->service);
	assert_parked(next);
	append(f->application, 2);
	fake_turns(f->service);
	assert_next(next, 0, "0:1");
}

static void test_events_between_calls_wait_at_the_cursor(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);

	append(f->application, 1);
	append(f->application, 2);
	assert_next(push(f, s, 5), 0, "0:1 0:2");
}

static void test_two_subscriptions_each_get_everything(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	subscribe_call *t = subscribe(f, "application", "", NULL, FUTURE, 0);
	struct next *first = push(f, s, 5);
	struct next *second = push(f, t, 5);

	append(f->application, 1);
	fake_turns(f->service);
	assert_next(first, 0, "0:1");
	assert_next(second, 0, "0:1");
}

/* ----------------------------------------------------------------- pull */

static void test_pull_without_events_waits_its_time(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);
	struct timeval start = tevent_timeval_current();
	struct timeval end, spent;
	struct next *next = NULL;

	assert_next(pull(f, s, 5, 0), 0, "");

	next = pull(f, s, 5, 60);
	assert_parked(next);
	assert_true(fake_call_wait(f->service, next->call));
	assert_next(next, 0, "");
	end = tevent_timeval_current();
	spent = tevent_timeval_until(&start, &end);
	assert_true(spent.tv_sec > 0 || spent.tv_usec >= 60000);

	next = pull(f, s, 5, 0xFFFFFFFF);
	assert_parked(next);
	append(f->application, 1);
	fake_turns(f->service);
	assert_next(next, 0, "0:1");
}

static void test_pull_returns_what_is_there_without_waiting(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);

	append(f->application, 1);
	append(f->application, 2);
	assert_next(pull(f, s, 5, 0xFFFFFFFF), 0, "0:1 0:2");
	assert_next(pull(f, s, 0, 0xFFFFFFFF), 0, "");
}

static void test_wait_completes_as_long_as_events_are_unread(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);
	struct wait *wait = wait_start(f, s);

	assert_non_null(wait->call->parked);
	append(f->application, 1);
	fake_turns(f->service);
	assert_wait(wait, 0);
	/* Level, not edge: it has not been read. */
	assert_wait(wait_start(f, s), 0);
	assert_next(pull(f, s, 5, 0), 0, "0:1");

	wait = wait_start(f, s);
	assert_non_null(wait->call->parked);
	assert_int_equal(cancel(f, s->out.control), 0);
	assert_wait(wait, 0x4C7);
}

static void test_pull_goes_on_while_a_wait_is_parked(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);
	struct wait *wait = wait_start(f, s);

	assert_next(pull(f, s, 5, 0), 0, "");
	fake_append(f->application, 1, 0);
	assert_next(pull(f, s, 5, 0), 0, "0:1");
	/* The wake-up comes too late: somebody has read it. */
	fake_wake(f->application);
	fake_turns(f->service);
	assert_non_null(wait->call->parked);
}

static void test_push_and_pull_do_not_mix(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	subscribe_call *t =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);

	assert_next(pull(f, s, 5, 0), 0x10DD, "");
	assert_wait(wait_start(f, s), 0x10DD);
	assert_next(push(f, t, 5), 0x10DD, "");
}

static void test_one_call_of_a_kind_at_a_time(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	subscribe_call *t =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);
	struct next *first = push(f, s, 5);
	struct next *pulling = pull(f, t, 5, 0xFFFFFFFF);
	struct wait *waiting = wait_start(f, t);

	assert_next(push(f, s, 5), 0x10DD, "");
	assert_next(pull(f, t, 5, 0), 0x10DD, "");
	assert_wait(wait_start(f, t), 0x10DD);
	append(f->application, 1);
	fake_turns(f->service);
	assert_next(first, 0, "0:1");
	assert_next(pulling, 0, "0:1");
	/* The pull had its turn first and left nothing unread. */
	assert_non_null(waiting->call->parked);
}

/* ------------------------------------------------ cancel, close, loss */

static void test_a_cancelled_subscription_goes_on(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	struct next *next = NULL;

	assert_int_equal(cancel(f, s->out.control), 0);
	next = push(f, s, 5);
	assert_int_equal(cancel(f, s->out.control), 0);
	assert_next(next, 0x4C7, "");
	assert_int_equal(cancel(f, s->out.control), 0);
	append(f->application, 1);
	assert_next(push(f, s, 5), 0, "0:1");
}

static void test_close_answers_what_is_parked(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	subscribe_call *t =
		subscribe(f, "Application", "*", NULL, FUTURE | PULL, 0);
	struct next *next = push(f, s, 5);
	struct next *pulling = pull(f, t, 5, 0xFFFFFFFF);
	struct wait *waiting = wait_start(f, t);

	assert_int_equal(close_handle(f, s->out.handle), 0);
	assert_true(ndr_policy_handle_empty(s->out.handle));
	assert_next(next, 0x4C7, "");
	assert_int_equal(close_handle(f, t->out.handle), 0);
	assert_next(pulling, 0x4C7, "");
	assert_wait(waiting, 0x4C7);

	/* The controls outlive what they controlled. */
	assert_int_equal(cancel(f, s->out.control), 0);
	assert_int_equal(close_handle(f, s->out.control), 0);
	append(f->application, 1);
	fake_turns(f->service);
}

static void test_a_subscription_outlives_its_control(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	struct next *next = push(f, s, 5);

	assert_int_equal(close_handle(f, s->out.control), 0);
	assert_parked(next);
	append(f->application, 1);
	fake_turns(f->service);
	assert_next(next, 0, "0:1");
	assert_int_equal(close_handle(f, s->out.handle), 0);
}

static void test_a_lost_call_loses_no_event(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	struct next *next = push(f, s, 5);

	/* Woken, but the connection goes before the turn comes. */
	append(f->application, 1);
	fake_call_lose(next->call);
	fake_turns(f->service);
	/* Another connection of the group asks again. */
	assert_next(push(f, s, 5), 0, "0:1");
}

static void test_a_rundown_lets_go_of_everything(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	subscribe_call *t =
		subscribe(f, NULL, SPEC_QUERY, NULL, FUTURE | PULL, 0);
	struct next *next = push(f, s, 5);
	struct wait *waiting = wait_start(f, t);

	append(f->application, 1);
	fake_call_lose(next->call);
	fake_call_lose(waiting->call);
	fake_host_rundown(f->service);
	assert_int_equal(fake_num_watches(f->application), 0);
	assert_int_equal(fake_num_watches(f->backup), 0);
	fake_turns(f->service);
}

static void test_handles_of_another_kind_and_closed_ones(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	query_call *q = query(f, "Application", "*", 0x101, 0);
	struct policy_handle old = *s->out.handle;
	struct next *next = NULL;

	assert_next(next_start(f, RPC_FETCH_PUSH, q->out.handle, 5, 0), 0x57,
		    "");
	assert_next(next_start(f, RPC_FETCH_PULL, s->out.control, 5, 0), 0x57,
		    "");
	assert_next(next_start(f, RPC_FETCH_QUERY, s->out.handle, 5, 0), 0x57,
		    "");
	assert_int_equal(cancel(f, s->out.handle), 0x57);

	assert_int_equal(close_handle(f, s->out.handle), 0);
	next = next_start(f, RPC_FETCH_PUSH, &old, 5, 0);
	assert_int_equal(next->call->fault, 0x1C00001A);
}

static void test_a_call_that_cannot_be_parked_faults(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = subscribe(f, "Application", "*", NULL, FUTURE, 0);
	struct next *next = NULL;

	fake_max_parked = 0;
	next = push(f, s, 5);
	assert_int_equal(next->call->fault, 0x1C010014);
	assert_null(next->call->parked);
	fake_max_parked = 1;
	assert_parked(push(f, s, 5));
}

/* --------------------------------------------------------- registration */

static void test_registration_is_refused_and_leaves_no_handle(void **state)
{
	struct fixture *f = fixture_create(state);
	const char *absent =
		"<QueryList><Query><Select Path='Application'>*</Select>"
		"<Select Path='Absent'>*</Select></Query></QueryList>";
	const char *mark = "<BookmarkList><Bookmark Channel='Application' "
			   "RecordId='1' IsCurrent='true'/></BookmarkList>";

	/* No starting point; impacket's bookmark flag is 4 (facts 16.1). */
	subscribe(f, "Application", "*", NULL, 0, 0x57);
	subscribe(f, "Application", "*", mark, 4, 0x57);
	/* Bookmarks: required, and well-formed. */
	subscribe(f, "Application", "*", NULL, AFTER, 0x57);
	subscribe(f, "Application", "*", "", AFTER, 0x57);
	subscribe(f, "Application", "*", "<BookmarkList>", AFTER, 0x57);
	subscribe(f, "Application", "*", "<BookmarkList>", AFTER | STRICT,
		  0x57);
	/* Nothing to read. */
	subscribe(f, NULL, "*", NULL, FUTURE, 0x57);
	subscribe(f, NULL, "", NULL, FUTURE, 0x57);
	subscribe(f, "Absent", "*", NULL, FUTURE, 0x3A9F);
	subscribe(f, "A<b", "*", NULL, FUTURE, 0x3A98);
	subscribe(f, NULL, absent, NULL, FUTURE, 0x3A98);
	subscribe(f, NULL, absent, NULL, FUTURE | STRICT | TOLERATE, 0x3A98);
	/* The query. */
	subscribe(f, "Application", "<QueryList>", NULL, FUTURE, 0x3A99);
	subscribe(f, "Application", "<QueryList>", NULL, FUTURE | TOLERATE,
		  0x3A99);
	assert_int_equal(fake_num_handles(), 0);
	assert_int_equal(fake_num_watches(f->application), 0);
}

static void test_a_tolerated_channel_is_listed_with_its_status(void **state)
{
	struct fixture *f = fixture_create(state);
	const char *text =
		"<QueryList><Query><Select Path='Absent'>*</Select>"
		"<Select Path='Application'>*</Select></Query></QueryList>";
	subscribe_call *s =
		subscribe(f, NULL, text, NULL, OLDEST | TOLERATE | PULL, 0);

	assert_int_equal(*s->out.queryChannelInfoSize, 2);
	assert_string_equal((*s->out.queryChannelInfo)[0].name, "Absent");
	assert_int_equal((*s->out.queryChannelInfo)[0].status, 0x3A9F);
	assert_int_equal((*s->out.queryChannelInfo)[1].status, 0);
	append(f->application, 1);
	/* The index is that of the list. */
	assert_next(pull(f, s, 5, 0), 0, "1:1");

	text = "<QueryList><Query><Select Path='Absent'>*</Select></Query>"
	       "</QueryList>";
	subscribe(f, NULL, text, NULL, OLDEST | TOLERATE, 0x3A9F);
	/* Of a query the specification wants success, and then the end. */
	assert_next(next_start(f, RPC_FETCH_QUERY,
			       query(f, NULL, text, 0x1001, 0)->out.handle, 5,
			       0),
		    0x103, "");
}

static void test_without_the_right_to_read_nothing_is_seen(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = NULL;

	fake_deny(f->application);
	subscribe(f, "Application", "*", NULL, OLDEST, 0x5);
	subscribe(f, NULL, SPEC_QUERY, NULL, OLDEST, 0x5);
	query(f, "Application", "*", 0x101, 0x5);
	query(f, "Application", "*", 0x1101, 0x5);
	assert_int_equal(fake_num_refusals, 4);
	assert_int_equal(fake_num_handles(), 0);

	fake_append(f->application, 1, 0);
	fake_append(f->backup, 2, 0);
	s = subscribe(f, NULL, SPEC_QUERY, NULL, OLDEST | TOLERATE | PULL, 0);
	assert_int_equal((*s->out.queryChannelInfo)[0].status, 0x5);
	assert_next(pull(f, s, 5, 0), 0, "1:1");
	assert_int_equal(fake_num_refusals, 4);
}

/* Facts 4.1 and 4.2: no subscription, no reverse query. */
static void test_a_direct_channel_is_queried_forward_only(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = NULL;
	query_call *q = NULL;

	fake_set_direct(f->application);
	fake_append(f->application, 1, 0);
	fake_append(f->backup, 2, 0);
	subscribe(f, "Application", "*", NULL, OLDEST, 0x3AA1);
	subscribe(f, "Application", "*", NULL, OLDEST | TOLERATE, 0x3AA1);
	subscribe(f, NULL, SPEC_QUERY, NULL, OLDEST, 0x3AA1);
	s = subscribe(f, NULL, SPEC_QUERY, NULL, OLDEST | TOLERATE | PULL, 0);
	assert_int_equal((*s->out.queryChannelInfo)[0].status, 0x3AA1);
	assert_int_equal((*s->out.queryChannelInfo)[1].status, 0);
	assert_next(pull(f, s, 5, 0), 0, "1:1");

	query(f, "Application", "*", 0x201, 0x57);
	query(f, NULL, SPEC_QUERY, 0x201, 0x57);
	q = query(f, NULL, SPEC_QUERY, 0x1201, 0);
	assert_int_equal((*q->out.queryChannelInfo)[0].status, 0x57);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 9, 0), 0,
		    "1:1");
	q = query(f, NULL, SPEC_QUERY, 0x101, 0);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 9, 0), 0,
		    "0:1 1:1");

	/* Who may not read it does not learn what it is. */
	fake_deny(f->application);
	subscribe(f, "Application", "*", NULL, OLDEST, 0x5);
	query(f, "Application", "*", 0x201, 0x5);
}

static void test_a_full_handle_table_leaves_no_half_subscription(void **state)
{
	struct fixture *f = fixture_create(state);

	fake_max_handles = 1;
	subscribe(f, "Application", "*", NULL, FUTURE, 0x718);
	query(f, "Application", "*", 0x101, 0x718);
	assert_int_equal(fake_num_handles(), 0);
	assert_int_equal(fake_num_watches(f->application), 0);
}

static void test_bookmarks_of_a_subscription(void **state)
{
	struct fixture *f = fixture_create(state);
	const char *mark = "<BookmarkList>\r\n  <Bookmark "
			   "Channel='Application' RecordId='10' "
			   "IsCurrent='true'/>\r\n</BookmarkList>";
	subscribe_call *s = NULL;

	fake_append_many(f->application, 12, 1);
	s = subscribe(f, "Application", "*", mark, AFTER | STRICT | PULL, 0);
	assert_next(pull(f, s, 5, 0), 0, "0:11 0:12");
	fake_trim(f->application, 11);
	subscribe(f, "Application", "*", mark, AFTER | STRICT, 0x3AA3);
	fake_trim(f->application, 12);
	s = subscribe(f, "Application", "*", mark, AFTER | PULL, 0);
	assert_next(pull(f, s, 5, 0), 0, "0:12");
	assert_int_equal(f->service->stats.gaps, 1);
	subscribe(f, BACKUP, "*", mark, AFTER | STRICT, 0x490);
	/* Ignored but with that flag: EVENmonitor sends an empty one. */
	s = subscribe(f, "Application", "*", "", OLDEST | PULL, 0);
	assert_next(pull(f, s, 5, 0), 0, "0:12");
	s = subscribe(f, "Application", "*", "rubbish", OLDEST | PULL, 0);
	assert_next(pull(f, s, 5, 0), 0, "0:12");
}

/* --------------------------------------------------------------- queries */

static void test_a_query_ends_with_no_more_items(void **state)
{
	struct fixture *f = fixture_create(state);
	query_call *q = NULL;

	fake_append_many(f->application, 3, 1);
	/* .NET sets no direction for forward (facts 1.5). */
	q = query(f, "Application", "*", 0x1, 0);
	assert_int_equal(*q->out.queryChannelInfoSize, 1);
	assert_next(
		next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0xFFFFFFFF), 0,
		"0:1 0:2");
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 0, 0), 0, "");
	assert_next(
		next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0xFFFFFFFF), 0,
		"0:3");
	assert_next(
		next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0xFFFFFFFF),
		0x103, "");
	append(f->application, 9);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0), 0,
		    "0:4");

	q = query(f, "Application", "*", 0x201, 0);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 9, 0), 0,
		    "0:4 0:3 0:2 0:1");
}

static void test_what_the_path_flags_of_a_query_mean(void **state)
{
	struct fixture *f = fixture_create(state);

	/* Get-WinEvent: FilePath and no path, a query on channels. */
	query(f, NULL, SPEC_QUERY, 0x1202, 0);
	query(f, "", SPEC_QUERY, 0x2, 0);
	query(f, "Application", "*", 0x100, 0);
	query(f, "C:\\x.evtx", "*", 0x2, 0x32);
	query(f, "Application", "*", 0x2, 0x32);
	query(f, "Absent", "*", 0x1, 0x3A9F);
	query(f, NULL, "*", 0x1, 0x57);
	query(f, "Application", "<QueryList>", 0x1, 0x3A99);
	query(f, NULL,
	      "<QueryList><Query><Select Path='file://c:/x.evtx'>*</Select>"
	      "</Query></QueryList>",
	      0x1, 0x32);
}

/* Damage stands for records that a filter throws away. */
static query_call *long_query(struct fixture *f)
{
	uint64_t id;

	fake_append(f->application, 1, 0);
	fake_append_many(f->application, 5000, 1);
	fake_append(f->application, 1, 0);
	for (id = 2; id <= 5001; id++) {
		fake_damage(f->application, id);
	}
	fake_ignore_reports = true;
	return query(f, "Application", "*", 0x101, 0);
}

static void test_a_long_query_takes_several_turns(void **state)
{
	struct fixture *f = fixture_create(state);
	query_call *q = long_query(f);
	struct next *next = NULL;

	next = next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0xFFFFFFFF);
	assert_parked(next);
	/* Meanwhile nobody else moves it. */
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0),
		    0x10DD, "");
	assert_true(fake_call_wait(f->service, next->call));
	assert_next(next, 0, "0:1 0:5002");
}

static void test_a_query_out_of_time_gives_what_it_has(void **state)
{
	struct fixture *f = fixture_create(state);
	query_call *q = long_query(f);

	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0), 0,
		    "0:1");
	/* The rest of the way, and then one that finds nothing in time. */
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0), 0,
		    "0:5002");
	q = query(f, "Application", "*", 0x101, 0);
	fake_damage(f->application, 1);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0), 0x5B4,
		    "");
}

/* The way to the second event takes several turns, and no waiting. */
static void test_a_pull_without_time_gives_all_that_is_there(void **state)
{
	struct fixture *f = fixture_create(state);
	subscribe_call *s = NULL;
	struct next *next = NULL;

	(void)long_query(f);
	s = subscribe(f, "Application", "*", NULL, 0x10000002, 0);
	next = pull(f, s, 10, 0);
	assert_parked(next);
	assert_true(fake_call_wait(f->service, next->call));
	assert_next(next, 0, "0:1 0:5002");
	assert_next(pull(f, s, 10, 0), 0, "");
}

static void test_a_cancelled_or_lost_batch_is_not_lost(void **state)
{
	struct fixture *f = fixture_create(state);
	query_call *q = long_query(f);
	struct next *next = NULL;

	/* One record is in the batch when it is cancelled. */
	next = next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0xFFFFFFFF);
	assert_parked(next);
	assert_int_equal(cancel(f, q->out.opControl), 0);
	assert_next(next, 0x4C7, "");
	next = next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0xFFFFFFFF);
	assert_parked(next);
	fake_call_lose(next->call);
	next = next_start(f, RPC_FETCH_QUERY, q->out.handle, 10, 0xFFFFFFFF);
	assert_true(fake_call_wait(f->service, next->call));
	assert_next(next, 0, "0:1 0:5002");
}

static uint32_t seek(struct fixture *f, query_call *q, int64_t pos,
		     uint32_t flags, const char *bookmark)
{
	struct even6_RpcInfo info = {};
	struct even6_EvtRpcQuerySeek *r =
		talloc_zero(f, struct even6_EvtRpcQuerySeek);
	struct fake_call *call = fake_call_new(f->service);
	WERROR werr;

	r->in.logQuery = q->out.handle;
	r->in.pos = pos;
	r->in.flags = flags;
	r->in.bookmarkXml = bookmark;
	r->out.error = &info;
	werr = dcesrv_even6_EvtRpcQuerySeek(fake_call_state(call), r, r);
	if (call->parked != NULL) {
		assert_true(fake_call_wait(f->service, call));
		werr = r->out.result;
	}
	assert_int_equal(info.m_error, W_ERROR_V(werr));
	return W_ERROR_V(werr);
}

static void test_seek_checks_its_flags_and_bookmark(void **state)
{
	const char *mark = "<BookmarkList><Bookmark Channel='Application' "
			   "RecordId='5' IsCurrent='true'/></BookmarkList>";
	struct fixture *f = fixture_create(state);
	query_call *q = NULL;

	fake_append_many(f->application, 10, 1);
	q = query(f, "Application", "*", 0x101, 0);
	assert_int_equal(seek(f, q, 0, 0, NULL), 0x57);
	assert_int_equal(seek(f, q, 0, 5, NULL), 0x57);
	assert_int_equal(seek(f, q, 0, 0x10000, NULL), 0x57);
	assert_int_equal(seek(f, q, -1, 1, NULL), 0x57);
	assert_int_equal(seek(f, q, 1, 2, NULL), 0x57);
	assert_int_equal(seek(f, q, 0, 4, NULL), 0x57);
	assert_int_equal(seek(f, q, 0, 4, ""), 0x57);
	assert_int_equal(seek(f, q, 0, 4, "<x/>"), 0x57);
	assert_int_equal(seek(f, q, 100, 0x10001, NULL), 0x490);
	assert_int_equal(seek(f, q, 1, 4, mark), 0);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0), 0,
		    "0:6 0:7");
	assert_int_equal(seek(f, q, 0, 2, NULL), 0);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0), 0,
		    "0:10");
}

static void test_a_long_seek_takes_several_turns(void **state)
{
	struct fixture *f = fixture_create(state);
	query_call *q = NULL;

	fake_append_many(f->application, 9000, 1);
	q = query(f, "Application", "*", 0x101, 0);
	assert_int_equal(seek(f, q, 8999, 1, NULL), 0);
	assert_next(next_start(f, RPC_FETCH_QUERY, q->out.handle, 2, 0), 0,
		    "0:9000");
}

/* ------------------------------------------------------------------ logs */

static void test_log_properties_are_binxml_variants(void **state)
{
	/* Value, count 1, type: facts 3 and 4.5; NumberOfLogRecords is 32. */
	static const struct {
		uint64_t value;
		uint32_t type;
	} expected[] = {
		{0x0101010101010101, 0x11},
		{0x0202020202020202, 0x11},
		{0x0202020202020202, 0x11},
		{0x0303030303030303, 0x0A},
		{0x20, 0x08},
		{32, 0x0A},
		{7, 0x0A},
		{1, 0x0D},
	};
	struct fixture *f = fixture_create(state);
	struct policy_handle handle = {};
	struct even6_RpcInfo info = {};
	struct even6_EvtRpcOpenLogHandle open = {.in.channel = "Application",
						 .in.flags = 1,
						 .out.handle = &handle,
						 .out.error = &info};
	uint8_t buffer[20];
	uint32_t length = 0;
	struct even6_EvtRpcGetLogFileInfo r = {
		.in.logHandle = &handle,
		.in.propertyValueBufferSize = 16,
		.out.propertyValueBuffer = buffer,
		.out.propertyValueBufferLength = &length};
	struct dcesrv_call_state *call =
		fake_call_state(fake_call_new(f->service));
	uint32_t id;

	assert_int_equal(
		W_ERROR_V(dcesrv_even6_EvtRpcOpenLogHandle(call, f, &open)), 0);
	for (id = 0; id < 8; id++) {
		r.in.propertyId = id;
		assert_int_equal(W_ERROR_V(dcesrv_even6_EvtRpcGetLogFileInfo(
					 call, f, &r)),
				 0);
		assert_int_equal(length, 16);
		assert_int_equal(le64_get(buffer), expected[id].value);
		assert_int_equal(le32_get(buffer + 8), 1);
		assert_int_equal(le32_get(buffer + 12), expected[id].type);
	}
	r.in.propertyId = 8;
	assert_int_equal(
		W_ERROR_V(dcesrv_even6_EvtRpcGetLogFileInfo(call, f, &r)),
		0x57);
	r.in.propertyId = 5;
	r.in.propertyValueBufferSize = 15;
	length = 0;
	assert_int_equal(
		W_ERROR_V(dcesrv_even6_EvtRpcGetLogFileInfo(call, f, &r)),
		0x7A);
	assert_int_equal(length, 16);
}

static uint32_t open_log(struct fixture *f, const char *name, uint32_t flags)
{
	struct policy_handle handle = {};
	struct even6_RpcInfo info = {};
	struct even6_EvtRpcOpenLogHandle r = {.in.channel = name,
					      .in.flags = flags,
					      .out.handle = &handle,
					      .out.error = &info};
	WERROR werr = dcesrv_even6_EvtRpcOpenLogHandle(
		fake_call_state(fake_call_new(f->service)), f, &r);

	assert_int_equal(info.m_error, W_ERROR_V(werr));
	return W_ERROR_V(werr);
}

static void test_open_log_refusals(void **state)
{
	struct fixture *f = fixture_create(state);

	assert_int_equal(open_log(f, "Absent", 1), 0x3A9F);
	assert_int_equal(open_log(f, "Application", 0), 0x57);
	assert_int_equal(open_log(f, "Application", 3), 0x57);
	assert_int_equal(open_log(f, "C:\\x.evtx", 2), 0x32);
	fake_deny(f->application);
	assert_int_equal(open_log(f, "Application", 1), 0x5);
	assert_int_equal(fake_num_handles(), 0);
}

static void test_the_channel_list(void **state)
{
	struct fixture *f = fixture_create(state);
	const char **paths = NULL;
	uint32_t num = 0;
	struct even6_EvtRpcGetChannelList r = {.out.numChannelPaths = &num,
					       .out.channelPaths = &paths};
	WERROR werr = dcesrv_even6_EvtRpcGetChannelList(
		fake_call_state(fake_call_new(f->service)), f, &r);

	assert_true(W_ERROR_IS_OK(werr));
	assert_int_equal(num, 2);
	assert_string_equal(paths[0], "Application");
	assert_string_equal(paths[1], BACKUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_push_example_of_the_specification),
		leak_test(test_push_answers_at_once_when_events_are_there),
		leak_test(test_more_than_1024_records),
		leak_test(test_a_wake_up_for_another_channel_does_not_answer),
		leak_test(test_events_between_calls_wait_at_the_cursor),
		leak_test(test_two_subscriptions_each_get_everything),
		leak_test(test_pull_without_events_waits_its_time),
		leak_test(test_pull_returns_what_is_there_without_waiting),
		leak_test(test_wait_completes_as_long_as_events_are_unread),
		leak_test(test_pull_goes_on_while_a_wait_is_parked),
		leak_test(test_push_and_pull_do_not_mix),
		leak_test(test_one_call_of_a_kind_at_a_time),
		leak_test(test_a_cancelled_subscription_goes_on),
		leak_test(test_close_answers_what_is_parked),
		leak_test(test_a_subscription_outlives_its_control),
		leak_test(test_a_lost_call_loses_no_event),
		leak_test(test_a_rundown_lets_go_of_everything),
		leak_test(test_handles_of_another_kind_and_closed_ones),
		leak_test(test_a_call_that_cannot_be_parked_faults),
		leak_test(test_registration_is_refused_and_leaves_no_handle),
		leak_test(test_a_tolerated_channel_is_listed_with_its_status),
		leak_test(test_without_the_right_to_read_nothing_is_seen),
		leak_test(test_a_direct_channel_is_queried_forward_only),
		leak_test(test_a_full_handle_table_leaves_no_half_subscription),
		leak_test(test_bookmarks_of_a_subscription),
		leak_test(test_a_query_ends_with_no_more_items),
		leak_test(test_what_the_path_flags_of_a_query_mean),
		leak_test(test_a_long_query_takes_several_turns),
		leak_test(test_a_query_out_of_time_gives_what_it_has),
		leak_test(test_a_pull_without_time_gives_all_that_is_there),
		leak_test(test_a_cancelled_or_lost_batch_is_not_lost),
		leak_test(test_seek_checks_its_flags_and_bookmark),
		leak_test(test_a_long_seek_takes_several_turns),
		leak_test(test_log_properties_are_binxml_variants),
		leak_test(test_open_log_refusals),
		leak_test(test_the_channel_list),
	};

	/* tevent keeps its list of backends for ever. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
