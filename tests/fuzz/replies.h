/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_FUZZ_REPLIES_H
#define EVENLOG_TESTS_FUZZ_REPLIES_H

/*
 * A service whose replies are the input, one after the other, each with its
 * length in two bytes before it.  What is not there any more is a lost
 * connection.
 */

#include "collect/connect.h"
#include "idl/ndr_even6.h"

#include <dcerpc.h>
#include <ndr.h>
#include <rpc_common.h>
#include <stdlib.h>
#include <string.h>
#include <util/tevent_ntstatus.h>

static inline void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

static struct replies {
	const uint8_t *data;
	size_t size;
} input;

struct fuzz_handle {
	int unused;
};

struct fuzz_call {
	DATA_BLOB reply;
};

static inline bool next_reply(DATA_BLOB *reply)
{
	size_t len;

	if (input.size < 2) {
		return false;
	}
	len = (size_t)input.data[0] | (size_t)input.data[1] << 8;
	input.data += 2;
	input.size -= 2;
	if (len > input.size) {
		len = input.size;
	}
	*reply = data_blob_const(input.data, len);
	input.data += len;
	input.size -= len;
	return true;
}

static inline bool fuzz_is_connected(struct dcerpc_binding_handle *h)
{
	(void)h;
	return true;
}

static inline struct tevent_req *fuzz_send(TALLOC_CTX *mem_ctx,
					   struct tevent_context *ev,
					   struct dcerpc_binding_handle *h,
					   const struct GUID *object,
					   uint32_t opnum, uint32_t in_flags,
					   const uint8_t *in_data,
					   size_t in_length)
{
	struct fuzz_call *state = NULL;
	struct tevent_req *req = NULL;

	(void)h;
	(void)object;
	(void)opnum;
	(void)in_flags;
	(void)in_data;
	(void)in_length;
	req = tevent_req_create(mem_ctx, &state, struct fuzz_call);
	must(req != NULL);
	if (next_reply(&state->reply)) {
		tevent_req_done(req);
	} else {
		tevent_req_nterror(req, NT_STATUS_CONNECTION_DISCONNECTED);
	}
	return tevent_req_post(req, ev);
}

static inline NTSTATUS fuzz_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				 uint8_t **out_data, size_t *out_length,
				 uint32_t *out_flags)
{
	struct fuzz_call *state = tevent_req_data(req, struct fuzz_call);
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

static const struct dcerpc_binding_handle_ops ops = {
	.name = "fuzz",
	.is_connected = fuzz_is_connected,
	.raw_call_send = fuzz_send,
	.raw_call_recv = fuzz_recv,
};

static inline struct collect_connection *connect_to_input(TALLOC_CTX *mem_ctx)
{
	struct collect_connection *connection =
		talloc_zero(mem_ctx, struct collect_connection);
	struct fuzz_handle *handle = NULL;

	connection->where = "fuzz";
	connection->handle = dcerpc_binding_handle_create(
		connection, &ops, NULL, &ndr_table_even6, &handle,
		struct fuzz_handle, __location__);
	must(connection->handle != NULL);
	return connection;
}

static inline void wait_for(struct tevent_req *req, struct tevent_context *ev)
{
	must(req != NULL && tevent_req_poll(req, ev));
}

#endif
