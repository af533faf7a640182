/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/collect/fake_service.h"

#include <assert.h>
#include <dcerpc.h>
#include <ndr.h>
#include <rpc_common.h>
#include <util/tevent_ntstatus.h>

struct fake_handle {
	struct fake_service *service;
};

struct fake_call {
	struct fake_service *service;
	struct tevent_req *req;
	uint32_t opnum;
	DATA_BLOB request;
	DATA_BLOB reply;
	bool parked;
	TAILQ_ENTRY(fake_call) link;
};

static int fake_call_destructor(struct fake_call *call)
{
	if (call->parked) {
		TAILQ_REMOVE(&call->service->parked, call, link);
		call->service->in_flight--;
	}
	return 0;
}

static bool fake_is_connected(struct dcerpc_binding_handle *h)
{
	struct fake_handle *handle =
		dcerpc_binding_handle_data(h, struct fake_handle);

	return !handle->service->dead;
}

static uint32_t fake_set_timeout(struct dcerpc_binding_handle *h,
				 uint32_t timeout)
{
	(void)h;
	return timeout;
}

static DATA_BLOB fake_reply(TALLOC_CTX *mem_ctx, struct fake_service *service,
			    uint32_t opnum, DATA_BLOB request,
			    NTSTATUS *ret_status)
{
	const struct ndr_interface_call *call = &ndr_table_even6.calls[opnum];
	void *r = talloc_zero_size(mem_ctx, call->struct_size);
	struct ndr_pull *pull = ndr_pull_init_blob(&request, r);
	struct ndr_push *push = ndr_push_init_ctx(mem_ctx);
	enum ndr_err_code ndr_err;

	pull->flags |= LIBNDR_FLAG_REF_ALLOC;
	ndr_err = call->ndr_pull(pull, NDR_IN, r);
	assert(ndr_err == NDR_ERR_SUCCESS);
	*ret_status = service->answer(service, opnum, r);
	ndr_err = call->ndr_push(push, NDR_OUT, r);
	assert(ndr_err == NDR_ERR_SUCCESS);
	return ndr_push_blob(push);
}

/* False: it parks. */
static bool fake_try(struct fake_call *call)
{
	NTSTATUS status = NT_STATUS_OK;

	call->reply = fake_reply(call, call->service, call->opnum,
				 call->request, &status);
	if (NT_STATUS_EQUAL(status, NT_STATUS_PENDING)) {
		return false;
	}
	if (call->service->cut != 0 &&
	    call->service->cut_opnum == call->opnum) {
		assert(call->reply.length >= call->service->cut);
		call->reply.length -= call->service->cut;
	}
	if (!tevent_req_nterror(call->req, status)) {
		tevent_req_done(call->req);
	}
	return true;
}

static struct tevent_req *fake_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    struct dcerpc_binding_handle *h,
				    const struct GUID *object, uint32_t opnum,
				    uint32_t in_flags, const uint8_t *in_data,
				    size_t in_length)
{
	struct fake_handle *handle =
		dcerpc_binding_handle_data(h, struct fake_handle);
	struct fake_service *service = handle->service;
	struct fake_call *state = NULL;
	struct tevent_req *req = NULL;

	(void)object;
	(void)in_flags;
	req = tevent_req_create(mem_ctx, &state, struct fake_call);
	assert(req != NULL && opnum < 64);
	state->service = service;
	service->calls[opnum]++;
	service->in_flight++;
	if (service->in_flight > service->max_in_flight) {
		service->max_in_flight = service->in_flight;
	}
	state->req = req;
	state->opnum = opnum;
	state->request.data = talloc_memdup(state, in_data, in_length);
	state->request.length = in_length;
	if (fake_try(state)) {
		return tevent_req_post(req, ev);
	}
	state->parked = true;
	TAILQ_INSERT_TAIL(&service->parked, state, link);
	talloc_set_destructor(state, fake_call_destructor);
	tevent_req_defer_callback(req, ev);
	return req;
}

void fake_service_wake(struct fake_service *service)
{
	struct fake_call *call = NULL;
	struct fake_call *next = NULL;

	for (call = TAILQ_FIRST(&service->parked); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		/* It may end, and its callback may do anything, later. */
		if (fake_try(call)) {
			call->parked = false;
			TAILQ_REMOVE(&service->parked, call, link);
		}
	}
}

static NTSTATUS fake_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			  uint8_t **out_data, size_t *out_length,
			  uint32_t *out_flags)
{
	struct fake_call *state = tevent_req_data(req, struct fake_call);
	NTSTATUS status;

	state->service->in_flight--;
	if (tevent_req_is_nterror(req, &status)) {
		tevent_req_received(req);
		return status;
	}
	*out_data = talloc_move(mem_ctx, &state->reply.data);
	*out_length = state->reply.length;
	*out_flags = 0;
	tevent_req_received(req);
	return NT_STATUS_OK;
}

static const struct dcerpc_binding_handle_ops ops = {
	.name = "fake",
	.is_connected = fake_is_connected,
	.set_timeout = fake_set_timeout,
	.raw_call_send = fake_send,
	.raw_call_recv = fake_recv,
};

struct fake_service *fake_service_create(
	TALLOC_CTX *mem_ctx, fake_answer_fn answer, void *private_data,
	struct collect_connection **ret_connection)
{
	struct fake_service *service =
		talloc_zero(mem_ctx, struct fake_service);
	struct collect_connection *connection =
		talloc_zero(service, struct collect_connection);
	struct fake_handle *handle = NULL;

	TAILQ_INIT(&service->parked);
	service->answer = answer;
	service->private_data = private_data;
	connection->where = "fake";
	connection->handle = dcerpc_binding_handle_create(
		connection, &ops, NULL, &ndr_table_even6, &handle,
		struct fake_handle, __location__);
	assert(connection->handle != NULL);
	handle->service = service;
	*ret_connection = connection;
	return service;
}
