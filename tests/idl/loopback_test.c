/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client stubs and server dispatch against each other, over a transport that
 * is a function call: the sample interface, whose handlers are here.
 */

#include "tests/leak.h"
#include "tests/idl/cases.h"

#include "tests/idl/sample_client.h"
#include "tests/idl/sample_server.h"

#include <string.h>
#include <util/tevent_ntstatus.h>

/* The handlers: each answers something that only its request explains. */

void dcesrv_sample_Nothing(struct dcesrv_call_state *dce_call,
			   TALLOC_CTX *mem_ctx, struct sample_Nothing *r)
{
}

uint32_t dcesrv_sample_Values(struct dcesrv_call_state *dce_call,
			      TALLOC_CTX *mem_ctx, struct sample_Values *r)
{
	return (uint32_t)(r->in.a - r->in.b + r->in.c - r->in.d) +
	       (uint32_t)r->in.m[2];
}

WERROR dcesrv_sample_Swap(struct dcesrv_call_state *dce_call,
			  TALLOC_CTX *mem_ctx, struct sample_Swap *r)
{
	const char *first = r->in.fixed->names[0];

	/* What goes in and out is there already. */
	if (*r->out.count != *r->in.count) {
		return WERR_INTERNAL_ERROR;
	}
	r->out.fixed->names[0] = r->in.fixed->names[1];
	r->out.fixed->names[1] = first;
	*r->out.count += 1;
	*r->out.sum = r->in.maybe != NULL ? r->in.maybe->d : -1;
	return WERR_OK;
}

WERROR dcesrv_sample_Choose(struct dcesrv_call_state *dce_call,
			    TALLOC_CTX *mem_ctx, struct sample_Choose *r)
{
	*r->out.other = *r->in.chosen;
	return W_ERROR(r->in.chosen->level);
}

void dcesrv_sample_Late(struct dcesrv_call_state *dce_call, TALLOC_CTX *mem_ctx,
			struct sample_Late *r)
{
	r->out.numbers =
		talloc_zero_array(mem_ctx, struct sample_Numbers, r->in.count);
	*r->out.total = r->in.count;
}

WERROR dcesrv_sample_Point(struct dcesrv_call_state *dce_call,
			   TALLOC_CTX *mem_ctx, struct sample_Point *r)
{
	dce_call->fault_code = DCERPC_FAULT_CONTEXT_MISMATCH;
	return WERR_OK;
}

NTSTATUS dcesrv_sample_bind(struct dcesrv_connection_context *context,
			    const struct dcesrv_interface *iface)
{
	return NT_STATUS_OK;
}

void dcesrv_sample_unbind(struct dcesrv_connection_context *context,
			  const struct dcesrv_interface *iface)
{
}

/* As Samba's core drives an interface: the reply, or the fault's code. */
static uint32_t serve(TALLOC_CTX *mem_ctx, bool ndr64, uint32_t opnum,
		      const uint8_t *data, size_t length, DATA_BLOB *ret_reply)
{
	const struct dcesrv_interface *iface = &dcesrv_sample_interface;
	struct dcesrv_connection_context context = {
		.iface = iface,
		.transfer_syntax = ndr64 ? ndr_transfer_syntax_ndr64
					 : ndr_transfer_syntax_ndr,
	};
	struct dcesrv_call_state call = {.context = &context};
	DATA_BLOB in = data_blob_const(data, length);
	struct ndr_pull *pull = ndr_pull_init_blob(&in, mem_ctx);
	struct ndr_push *push = ndr_push_init_ctx(mem_ctx);
	NTSTATUS status;
	void *r = NULL;

	call.pkt.u.request.opnum = (uint16_t)opnum;
	pull->flags |= LIBNDR_FLAG_REF_ALLOC;
	status = iface->ndr_pull(&call, mem_ctx, pull, &r);
	if (NT_STATUS_IS_OK(status)) {
		status = iface->dispatch(&call, mem_ctx, r);
	}
	if (NT_STATUS_IS_OK(status)) {
		status = iface->reply(&call, mem_ctx, r);
	}
	if (NT_STATUS_IS_OK(status)) {
		status = iface->ndr_push(&call, mem_ctx, push, r);
	}
	if (!NT_STATUS_IS_OK(status)) {
		assert_true(NT_STATUS_EQUAL(status, NT_STATUS_NET_WRITE_FAULT));
		assert_int_not_equal(call.fault_code, 0);
		return call.fault_code;
	}
	*ret_reply = ndr_push_blob(push);
	return 0;
}

/* The transport. */

struct loop {
	bool ndr64;
};

struct loop_state {
	DATA_BLOB reply;
};

static bool loop_is_connected(struct dcerpc_binding_handle *h)
{
	return true;
}

static uint32_t loop_set_timeout(struct dcerpc_binding_handle *h,
				 uint32_t timeout)
{
	return 0;
}

static bool loop_use_ndr64(struct dcerpc_binding_handle *h)
{
	struct loop *loop = dcerpc_binding_handle_data(h, struct loop);

	return loop->ndr64;
}

static struct tevent_req *loop_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    struct dcerpc_binding_handle *h,
				    const struct GUID *object, uint32_t opnum,
				    uint32_t in_flags, const uint8_t *in_data,
				    size_t in_length)
{
	struct loop *loop = dcerpc_binding_handle_data(h, struct loop);
	struct loop_state *state = NULL;
	struct tevent_req *req = NULL;
	uint32_t fault;

	req = tevent_req_create(mem_ctx, &state, struct loop_state);
	assert_non_null(req);
	fault = serve(state, loop->ndr64, opnum, in_data, in_length,
		      &state->reply);
	if (fault != 0) {
		tevent_req_nterror(req, dcerpc_fault_to_nt_status(fault));
	} else {
		tevent_req_done(req);
	}
	return tevent_req_post(req, ev);
}

static NTSTATUS loop_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			  uint8_t **out_data, size_t *out_length,
			  uint32_t *out_flags)
{
	struct loop_state *state = tevent_req_data(req, struct loop_state);
	NTSTATUS status;

	if (tevent_req_is_nterror(req, &status)) {
		tevent_req_received(req);
		return status;
	}
	*out_data =
		talloc_memdup(mem_ctx, state->reply.data, state->reply.length);
	*out_length = state->reply.length;
	*out_flags = 0;
	tevent_req_received(req);
	return NT_STATUS_OK;
}

static const struct dcerpc_binding_handle_ops loop_ops = {
	.name = "loop",
	.is_connected = loop_is_connected,
	.set_timeout = loop_set_timeout,
	.raw_call_send = loop_send,
	.raw_call_recv = loop_recv,
	.use_ndr64 = loop_use_ndr64,
};

static struct dcerpc_binding_handle *loop_create(TALLOC_CTX *mem_ctx,
						 bool ndr64)
{
	struct dcerpc_binding_handle *h = NULL;
	struct loop *loop = NULL;

	h = dcerpc_binding_handle_create(mem_ctx, &loop_ops, NULL,
					 &ndr_table_sample, &loop, struct loop,
					 __location__);
	assert_non_null(h);
	loop->ndr64 = ndr64;
	return h;
}

static struct sample_Fixed *fixed(TALLOC_CTX *mem_ctx)
{
	struct sample_Fixed *f = talloc_zero(mem_ctx, struct sample_Fixed);

	assert_non_null(f);
	f->names[0] = "first";
	f->kind = SAMPLE_SIX;
	return f;
}

/* The asynchronous stub; what comes back hangs below mem_ctx. */
static NTSTATUS swap(TALLOC_CTX *mem_ctx, bool ndr64, struct sample_Swap *r)
{
	TALLOC_CTX *tmp = talloc_new(mem_ctx);
	struct tevent_context *ev = tevent_context_init(tmp);
	struct tevent_req *req = NULL;
	NTSTATUS status;

	req = dcerpc_sample_Swap_r_send(tmp, ev, loop_create(tmp, ndr64), r);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, ev));
	status = dcerpc_sample_Swap_r_recv(req, mem_ctx);
	talloc_free(tmp);
	return status;
}

static void test_a_call_goes_to_its_handler_and_back(void **state)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		struct sample_Numbers maybe = {.d = -77};
		uint32_t count = 41;
		struct sample_Swap r = {};

		r.in.fixed = fixed(*state);
		r.in.maybe = &maybe;
		r.in.count = &count;
		assert_true(NT_STATUS_IS_OK(swap(*state, i == 1, &r)));
		assert_true(W_ERROR_IS_OK(r.out.result));
		assert_null(r.out.fixed->names[0]);
		assert_string_equal(r.out.fixed->names[1], "first");
		assert_int_equal(r.out.fixed->kind, SAMPLE_SIX);
		assert_int_equal(*r.out.count, 42);
		assert_int_equal(*r.out.sum, -77);
	}
}

/* libdcerpc's users often bring the memory for [ref] results. */
static void test_results_go_where_the_caller_wants_them(void **state)
{
	struct sample_Fixed mine = {};
	uint32_t count = 1;
	uint32_t new_count = 0;
	int64_t sum = 0;
	struct sample_Swap r = {};

	r.in.fixed = fixed(*state);
	r.in.count = &count;
	r.out.fixed = &mine;
	r.out.count = &new_count;
	r.out.sum = &sum;
	assert_true(NT_STATUS_IS_OK(swap(*state, false, &r)));
	assert_ptr_equal(r.out.fixed, &mine);
	assert_string_equal(mine.names[1], "first");
	assert_int_equal(new_count, 2);
	assert_int_equal(sum, -1);
}

static void test_the_synchronous_stub_does_the_same(void **state)
{
	struct dcerpc_binding_handle *h = loop_create(*state, false);
	struct sample_Values r = {};

	r.in.a = 1;
	r.in.b = -2;
	r.in.c = 3;
	r.in.d = -4;
	r.in.m[2] = 100;
	assert_true(NT_STATUS_IS_OK(dcerpc_sample_Values_r(h, h, &r)));
	assert_int_equal(r.out.result, 110);
}

static void test_a_handler_s_fault_is_the_caller_s_error(void **state)
{
	struct dcerpc_binding_handle *h = loop_create(*state, false);
	struct sample_Numbers n = {};
	struct sample_Pointers p = {.always = &n, .label = "x"};
	struct sample_Point r = {.in.pointers = &p};
	uint16_t odd = 0;

	p.odd = &odd;
	p.each = talloc_array(h, struct sample_Numbers *, 0);
	assert_true(NT_STATUS_EQUAL(dcerpc_sample_Point_r(h, h, &r),
				    NT_STATUS_RPC_SS_CONTEXT_MISMATCH));
}

/* Faults, as their codes. */

static DATA_BLOB request(TALLOC_CTX *mem_ctx, const char *name)
{
	DATA_BLOB blob = {};
	size_t i;

	for (i = 0; i < ndr_num_cases; i++) {
		const struct ndr_case *c = &ndr_cases[i];

		if (strcmp(c->name, name) == 0) {
			assert_int_equal(
				ndr_case_push(mem_ctx, c, 0,
					      ndr_case_make(mem_ctx, c), &blob),
				0);
			return blob;
		}
	}
	fail_msg("no case %s", name);
	return blob;
}

static void test_an_unknown_opnum_is_op_rng_error(void **state)
{
	DATA_BLOB reply = {};

	assert_int_equal(serve(*state, false, 6, NULL, 0, &reply), 0x1c010002);
	assert_int_equal(serve(*state, false, 0xffff, NULL, 0, &reply),
			 0x1c010002);
}

static void test_a_cut_off_request_is_bad_stub_data(void **state)
{
	DATA_BLOB in = request(*state, "sample Values in");
	DATA_BLOB reply = {};

	assert_int_equal(serve(*state, false, 1, in.data, in.length, &reply),
			 0);
	assert_int_equal(
		serve(*state, false, 1, in.data, in.length - 1, &reply), 0x6f7);
	assert_int_equal(serve(*state, false, 1, NULL, 0, &reply), 0x6f7);
}

static void test_a_violated_range_is_invalid_bound(void **state)
{
	DATA_BLOB in = request(*state, "sample Late in");
	DATA_BLOB reply = {};

	/* count is the last number: 5 is above its range of 0 to 4. */
	in.data[in.length - 4] = 5;
	assert_int_equal(serve(*state, false, 4, in.data, in.length, &reply),
			 0x1c000007);
	/* Another count that is allowed, but not that of the arrays. */
	in.data[in.length - 4] = 2;
	assert_int_equal(serve(*state, false, 4, in.data, in.length, &reply),
			 0x6f7);
}

/* A handler that goes by the count must not meet a NULL pointer. */
static void test_a_null_array_with_a_size_is_bad_stub_data(void **state)
{
	struct ndr_case c = {"NULL", &ndr_table_sample, 4, NDR_IN, NULL};
	uint16_t words[3] = {};
	struct sample_Late r = {.in.words = words, .in.count = 3};
	DATA_BLOB in = {};
	DATA_BLOB reply = {};

	assert_int_equal(ndr_case_push(*state, &c, 0, &r, &in), 0);
	assert_int_equal(serve(*state, false, 4, in.data, in.length, &reply),
			 0x6f7);
}

static void test_bytes_behind_a_request_are_tolerated(void **state)
{
	uint8_t trailing[12] = {0xff};
	DATA_BLOB reply = {};

	assert_int_equal(
		serve(*state, false, 0, trailing, sizeof(trailing), &reply), 0);
	assert_int_equal(reply.length, 0);
}

static void test_the_negotiated_syntax_decides(void **state)
{
	DATA_BLOB in = request(*state, "sample Choose in");
	DATA_BLOB reply = {};

	assert_int_equal(serve(*state, false, 3, in.data, in.length, &reply),
			 0);
	/* The same bytes are no NDR64. */
	assert_int_equal(serve(*state, true, 3, in.data, in.length, &reply),
			 0x6f7);
}

/* tevent and libdcerpc keep things for ever, too. */
static int setup(void **state)
{
	struct dcerpc_binding_handle *h = loop_create(NULL, false);
	struct sample_Nothing r = {};
	NTSTATUS status;

	status = dcerpc_sample_Nothing_r(h, h, &r);
	talloc_free(h);
	return NT_STATUS_IS_OK(status) ? ndr_case_setup(state) : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_call_goes_to_its_handler_and_back),
		leak_test(test_results_go_where_the_caller_wants_them),
		leak_test(test_the_synchronous_stub_does_the_same),
		leak_test(test_a_handler_s_fault_is_the_caller_s_error),
		leak_test(test_an_unknown_opnum_is_op_rng_error),
		leak_test(test_a_cut_off_request_is_bad_stub_data),
		leak_test(test_a_violated_range_is_invalid_bound),
		leak_test(test_a_null_array_with_a_size_is_bad_stub_data),
		leak_test(test_bytes_behind_a_request_are_tolerated),
		leak_test(test_the_negotiated_syntax_decides),
	};

	return cmocka_run_group_tests_name("idl/loopback", tests, setup, NULL);
}
