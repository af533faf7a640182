/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/rpc/fake_host.h"

#include "base/turns.h"
#include "rpc/settings.h"

#include <assert.h>
#include <string.h>

#define MAX_HANDLES 32

struct rpc_parked {
	struct fake_call *call;
	rpc_lost_fn lost;
	void *private_data;
};

struct fake_handle {
	enum rpc_handle_kind kind; /* RPC_HANDLE_ANY: free */
	void *object;
};

static struct rpc_service *host;
static struct fake_handle handles[MAX_HANDLES];
static struct store_channel *denied;
static struct store_channel *direct;
static size_t num_parked;
size_t fake_num_refusals;
size_t fake_max_parked;
size_t fake_max_handles;

struct rpc_service *fake_host_create(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct store *store)
{
	everr_t err;

	host = talloc_zero(mem_ctx, struct rpc_service);
	host->ev = ev;
	host->store = store;
	err = turns_create(host, ev, &host->turns);
	assert(err == EVERR_OK);
	memset(handles, 0, sizeof(handles));
	denied = NULL;
	direct = NULL;
	num_parked = 0;
	fake_num_refusals = 0;
	fake_max_parked = 100;
	fake_max_handles = MAX_HANDLES;
	return host;
}

struct fake_call *fake_call_new(struct rpc_service *service)
{
	return talloc_zero(service, struct fake_call);
}

struct dcesrv_call_state *fake_call_state(struct fake_call *call)
{
	return (struct dcesrv_call_state *)call;
}

static struct fake_call *call_of(struct dcesrv_call_state *state)
{
	return talloc_get_type_abort((void *)state, struct fake_call);
}

void fake_call_lose(struct fake_call *call)
{
	struct rpc_parked *parked = call->parked;

	assert(parked != NULL);
	parked->lost(parked->private_data);
	num_parked--;
	talloc_free(parked);
	talloc_free(call);
}

static void wait_over(struct tevent_context *ev, struct tevent_timer *te,
		      struct timeval now, void *private_data)
{
	bool *over = private_data;

	(void)ev;
	(void)te;
	(void)now;
	*over = true;
}

bool fake_call_wait(struct rpc_service *service, struct fake_call *call)
{
	struct tevent_timer *timer = NULL;
	bool over = false;

	timer = tevent_add_timer(service->ev, service,
				 tevent_timeval_current_ofs(30, 0), wait_over,
				 &over);
	while (!call->answered && !over) {
		tevent_loop_once(service->ev);
	}
	if (!over) {
		talloc_free(timer);
	}
	return call->answered;
}

static void turn_mark(void *private_data)
{
	bool *done = private_data;

	*done = true;
}

void fake_turns(struct rpc_service *service)
{
	int i;

	/* Twice: what steps again stands behind the first mark. */
	for (i = 0; i < 2; i++) {
		bool done = false;
		struct turn mark = {.fn = turn_mark, .private_data = &done};

		turn_schedule(service->turns, &mark);
		while (!done) {
			tevent_loop_once(service->ev);
		}
	}
}

size_t fake_num_handles(void)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < MAX_HANDLES; i++) {
		n += handles[i].kind != RPC_HANDLE_ANY;
	}
	return n;
}

void fake_deny(struct store_channel *channel)
{
	denied = channel;
}

void fake_set_direct(struct store_channel *channel)
{
	direct = channel;
}

bool rpc_settings_direct(struct rpc_settings *settings,
			 struct store_channel *channel)
{
	(void)settings;
	return channel == direct;
}

/* ---------------------------------------------------- the host's side */

struct rpc_service *rpc_call_service(struct dcesrv_call_state *call)
{
	(void)call_of(call);
	return host;
}

everr_t rpc_handle_create(struct dcesrv_call_state *call,
			  enum rpc_handle_kind kind, void *object,
			  struct policy_handle *ret_wire)
{
	size_t i = 0;

	(void)call_of(call);
	if (fake_num_handles() >= fake_max_handles) {
		return EVERR_LIMIT;
	}
	while (handles[i].kind != RPC_HANDLE_ANY) {
		i++;
		assert(i < MAX_HANDLES);
	}
	handles[i].kind = kind;
	handles[i].object = talloc_steal(host, object);
	*ret_wire = (struct policy_handle){.uuid.time_low = (uint32_t)i + 1};
	return EVERR_OK;
}

static struct fake_handle *handle_of(struct dcesrv_call_state *call,
				     const struct policy_handle *wire)
{
	uint32_t no = wire->uuid.time_low;

	if (no == 0 || no > MAX_HANDLES ||
	    handles[no - 1].kind == RPC_HANDLE_ANY) {
		call_of(call)->fault = RPC_FAULT_CONTEXT_MISMATCH;
		return NULL;
	}
	return &handles[no - 1];
}

everr_t rpc_handle_lookup(struct dcesrv_call_state *call,
			  const struct policy_handle *wire,
			  enum rpc_handle_kind kind, void **ret_object)
{
	struct fake_handle *handle = handle_of(call, wire);

	if (handle == NULL) {
		return EVERR_NOT_FOUND;
	}
	if (handle->kind != kind) {
		return EVERR_INVALID;
	}
	*ret_object = handle->object;
	return EVERR_OK;
}

enum rpc_handle_kind rpc_handle_kind(struct dcesrv_call_state *call,
				     const struct policy_handle *wire)
{
	struct fake_handle *handle = handle_of(call, wire);

	return handle != NULL ? handle->kind : RPC_HANDLE_ANY;
}

everr_t rpc_handle_close(struct dcesrv_call_state *call,
			 struct policy_handle *wire)
{
	struct fake_handle *handle = handle_of(call, wire);
	void *object = NULL;

	if (handle == NULL) {
		return EVERR_NOT_FOUND;
	}
	object = handle->object;
	*handle = (struct fake_handle){};
	*wire = (struct policy_handle){};
	talloc_free(object);
	return EVERR_OK;
}

void fake_host_rundown(struct rpc_service *service)
{
	size_t i;

	(void)service;
	for (i = 0; i < MAX_HANDLES; i++) {
		void *object = handles[i].object;

		handles[i] = (struct fake_handle){};
		talloc_free(object);
	}
}

everr_t rpc_park(struct dcesrv_call_state *call, rpc_lost_fn lost,
		 void *private_data, struct rpc_parked **ret_parked)
{
	struct fake_call *fake = call_of(call);

	if (num_parked >= fake_max_parked) {
		fake->fault = RPC_FAULT_TOO_BUSY;
		return EVERR_LIMIT;
	}
	num_parked++;
	fake->parked = talloc_zero(host, struct rpc_parked);
	fake->parked->call = fake;
	fake->parked->lost = lost;
	fake->parked->private_data = private_data;
	*ret_parked = fake->parked;
	return EVERR_OK;
}

void rpc_unpark_reply(struct rpc_parked *parked)
{
	num_parked--;
	parked->call->parked = NULL;
	parked->call->answered = true;
	talloc_free(parked);
}

everr_t rpc_access_probe(struct dcesrv_call_state *call,
			 struct store_channel *channel, uint32_t access)
{
	(void)call_of(call);
	assert(access == RPC_ACCESS_READ);
	return channel == denied ? EVERR_ACCESS : EVERR_OK;
}

everr_t rpc_access_check(struct dcesrv_call_state *call,
			 struct store_channel *channel, uint32_t access)
{
	everr_t err = rpc_access_probe(call, channel, access);

	fake_num_refusals += err != EVERR_OK;
	return err;
}
