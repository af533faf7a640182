/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a service says of its publishers, as our client takes it: the input is
 * the replies, one after the other, each with its length in two bytes before
 * it.  What is not there any more is a lost connection.
 */

#include "collect/messages.h"
#include "collect/publisher.h"
#include "idl/ndr_even6.h"

#include <dcerpc.h>
#include <ndr.h>
#include <rpc_common.h>
#include <stdlib.h>
#include <string.h>
#include <util/tevent_ntstatus.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

/* ------------------------------------------------------------ the service */

static struct {
	const uint8_t *data;
	size_t size;
} input;

struct fuzz_handle {
	int unused;
};

struct fuzz_call {
	DATA_BLOB reply;
};

static bool next_reply(DATA_BLOB *reply)
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

static bool fuzz_is_connected(struct dcerpc_binding_handle *h)
{
	(void)h;
	return true;
}

static struct tevent_req *fuzz_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    struct dcerpc_binding_handle *h,
				    const struct GUID *object, uint32_t opnum,
				    uint32_t in_flags, const uint8_t *in_data,
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

static NTSTATUS fuzz_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
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

static struct collect_connection *connect_to_input(TALLOC_CTX *mem_ctx)
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

/* ------------------------------------------------------------- the client */

static void wait_for(struct tevent_req *req, struct tevent_context *ev)
{
	must(req != NULL && tevent_req_poll(req, ev));
}

static void read_all(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		     struct collect_publisher *publisher)
{
	struct collect_publisher_details *details = NULL;
	struct collect_publisher_events *events = NULL;
	struct collect_failure failure;
	struct tevent_req *req = NULL;

	req = collect_publisher_details_send(mem_ctx, ev, publisher);
	wait_for(req, ev);
	if (collect_publisher_details_recv(req, mem_ctx, &details, &failure) ==
	    EVERR_OK) {
		must(details != NULL);
	}
	req = collect_publisher_events_send(mem_ctx, ev, publisher);
	wait_for(req, ev);
	if (collect_publisher_events_recv(req, mem_ctx, &events, &failure) ==
	    EVERR_OK) {
		must(events->num <= COLLECT_PUBLISHER_EVENTS_MAX);
	}
}

static void read_message(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			 struct collect_connection *connection)
{
	static const uint8_t event[COLLECT_DESCRIPTOR_SIZE] = {1};
	static const char *const inserts[] = {"a", "b"};
	struct collect_messages *messages =
		collect_messages_create(mem_ctx, connection, 0);
	struct collect_text text = {.text = NULL};
	struct collect_failure failure;
	struct tevent_req *req = NULL;

	req = collect_messages_send(mem_ctx, ev, messages, COLLECT_RENDER_EVENT,
				    "P", event, 0, inserts, 2);
	wait_for(req, ev);
	if (collect_messages_recv(req, mem_ctx, &text, &failure) == EVERR_OK) {
		must(text.text != NULL && text.text[text.len] == '\0');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct tevent_context *ev = tevent_context_init(mem_ctx);
	struct collect_connection *connection = connect_to_input(mem_ctx);
	struct collect_publisher *publisher = NULL;
	struct collect_failure failure;
	struct tevent_req *req = NULL;
	const char **names = NULL;
	size_t num = 0;

	input.data = data;
	input.size = size;
	read_message(mem_ctx, ev, connection);
	req = collect_publishers_send(mem_ctx, ev, connection, NULL);
	wait_for(req, ev);
	if (collect_publishers_recv(req, mem_ctx, &names, &num, &failure) ==
	    EVERR_OK) {
		must(names[num] == NULL);
	}
	req = collect_publisher_open_send(mem_ctx, ev, connection, "P", 0);
	wait_for(req, ev);
	if (collect_publisher_open_recv(req, mem_ctx, &publisher, &failure) ==
	    EVERR_OK) {
		read_all(mem_ctx, ev, publisher);
	}
	talloc_free(mem_ctx);
	return 0;
}
