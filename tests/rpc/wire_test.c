/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Subscriptions, queries and logs over the wire: sealed DCE/RPC to a service
 * in a process of its own.  What the methods answer in detail is in
 * method_test; here is what needs connections.
 */

#include "base/text.h"
#include "event/build.h"
#include "event/result.h"
#include "idl/control_client.h"
#include "idl/even6_client.h"
#include "tests/rpc/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define CONTEXT_MISMATCH NT_STATUS_V(NT_STATUS_RPC_SS_CONTEXT_MISMATCH)
#define FOREVER 0xFFFFFFFF
#define MINUTE 60000 /* milliseconds */

/* Each test writes to channels of its own. */
#define NUM_CHANNELS 24

static struct server server;

struct peer {
	struct client client;
	struct dcerpc_pipe *pipe;
};

static int group_setup(void **state)
{
	server_start(&server, NULL, NUM_CHANNELS);
	return 0;
}

static int group_teardown(void **state)
{
	server_stop(&server);
	return 0;
}

/* As server_fixture.c names them. */
static const char *channel_no(TALLOC_CTX *mem_ctx, unsigned int no)
{
	assert_true(no < NUM_CHANNELS);
	return talloc_asprintf(mem_ctx, "Channel-%0150u", no);
}

static struct peer *peer_with(TALLOC_CTX *mem_ctx, const char *options,
			      const char *user)
{
	struct peer *peer = talloc_zero(mem_ctx, struct peer);
	NTSTATUS status;

	client_init(&peer->client, peer, &server);
	status = client_connect(&peer->client, &server, options, user,
				SERVER_PASSWORD, &peer->pipe);
	assert_int_equal(NT_STATUS_V(status), 0);
	/* Parked calls may wait for ever; tests have their own limits. */
	dcerpc_binding_handle_set_timeout(peer->pipe->binding_handle, 0);
	return peer;
}

static struct peer *peer_new(TALLOC_CTX *mem_ctx)
{
	return peer_with(mem_ctx, "ntlm,seal", SERVER_READER);
}

/* Another connection into the association group of the first. */
static struct peer *peer_beside(TALLOC_CTX *mem_ctx, const struct peer *first)
{
	uint32_t group =
		dcerpc_binding_get_assoc_group_id(first->pipe->binding);
	struct peer *peer = NULL;
	char *options = NULL;

	assert_int_not_equal(group, 0);
	options = talloc_asprintf(mem_ctx, "ntlm,seal,assoc_group_id=0x%08x",
				  (unsigned int)group);
	peer = peer_with(mem_ctx, options, SERVER_READER);
	talloc_free(options);
	return peer;
}

/* ------------------------------------------------------------ publishing */

static void build(struct buf *doc, const char *channel, size_t len)
{
	struct event_system system = {
		.provider = "Wire-Test",
		.event_id = 7,
		.time_created = UINT64_C(133444736000000000),
		.channel = channel,
		.computer = "host.example",
	};
	struct event_data data = {.name = "Text", .type = EVENT_TYPE_STRING};
	uint8_t *value = talloc_array(doc->mem_ctx, uint8_t, len);

	memset(value, 'x', len);
	data.value = value;
	data.len = len;
	assert_int_equal(event_build(doc, &system, &data, 1), EVERR_OK);
}

/* Publish num events of about len bytes; the first one's id. */
static uint64_t publish(struct peer *peer, const char *channel, uint32_t num,
			size_t len)
{
	TALLOC_CTX *frame = talloc_new(peer);
	struct control_Event *events = NULL;
	struct control_Publish r = {};
	struct dcerpc_pipe *pipe = NULL;
	uint64_t first_id;
	struct buf doc;
	uint32_t i;

	buf_init(&doc, frame, EVENT_WIRE_MAX);
	build(&doc, channel, len);
	events = talloc_array(frame, struct control_Event, num);
	for (i = 0; i < num; i++) {
		events[i].length = (uint32_t)doc.len;
		events[i].data = doc.data;
	}
	r.in.channel = channel;
	r.in.count = num;
	r.in.events = events;
	assert_int_equal(
		NT_STATUS_V(client_connect_local(&peer->client, &server,
						 &ndr_table_control, &pipe)),
		0);
	assert_int_equal(NT_STATUS_V(dcerpc_control_Publish_r(
				 pipe->binding_handle, frame, &r)),
			 0);
	assert_int_equal(*r.out.error, 0);
	first_id = *r.out.first_id;
	TALLOC_FREE(pipe);
	TALLOC_FREE(frame);
	return first_id;
}

/* --------------------------------------------------------------- methods */

typedef struct even6_EvtRpcRegisterRemoteSubscription subscription;

static subscription *subscribe(struct peer *peer, const char *path,
			       const char *query, const char *bookmark,
			       uint32_t flags, uint32_t expected)
{
	subscription *r = talloc_zero(peer, subscription);
	NTSTATUS status;

	r->in.channelPath = path;
	r->in.query = query;
	r->in.bookmarkXml = bookmark;
	r->in.flags = flags;
	status = dcerpc_even6_EvtRpcRegisterRemoteSubscription_r(
		peer->pipe->binding_handle, r, r);
	assert_int_equal(NT_STATUS_V(status), 0);
	assert_int_equal(W_ERROR_V(r->out.result), expected);
	return r;
}

static struct even6_EvtRpcRegisterLogQuery *query(struct peer *peer,
						  const char *path,
						  const char *text,
						  uint32_t flags)
{
	struct even6_EvtRpcRegisterLogQuery *r =
		talloc_zero(peer, struct even6_EvtRpcRegisterLogQuery);
	NTSTATUS status;

	r->in.path = path;
	r->in.query = text;
	r->in.flags = flags;
	status = dcerpc_even6_EvtRpcRegisterLogQuery_r(
		peer->pipe->binding_handle, r, r);
	assert_int_equal(NT_STATUS_V(status), 0);
	assert_int_equal(W_ERROR_V(r->out.result), 0);
	return r;
}

/* What opnums 1, 2 and 11 return. */
struct batch {
	NTSTATUS status;
	uint32_t result;
	uint32_t num;
	const uint32_t *indices;
	const uint32_t *sizes;
	uint32_t len;
	const uint8_t *data;
};

#define BATCH(ret_batch, the_status, r)                                    \
	do {                                                               \
		*(ret_batch) = (struct batch){.status = (the_status)};     \
		if (NT_STATUS_IS_OK(the_status)) {                         \
			(ret_batch)->result = W_ERROR_V((r)->out.result);  \
			(ret_batch)->num = *(r)->out.numActualRecords;     \
			(ret_batch)->indices = *(r)->out.eventDataIndices; \
			(ret_batch)->sizes = *(r)->out.eventDataSizes;     \
			(ret_batch)->len = *(r)->out.resultBufferSize;     \
			(ret_batch)->data = *(r)->out.resultBuffer;        \
		}                                                          \
	} while (0)

static void parse(const struct batch *batch, uint32_t i,
		  struct event_result *result)
{
	assert_true(i < batch->num);
	assert_true(batch->sizes[i] <= batch->len &&
		    batch->indices[i] <= batch->len - batch->sizes[i]);
	assert_int_equal(event_result_parse(batch->data + batch->indices[i],
					    batch->sizes[i], result),
			 EVERR_OK);
}

static uint64_t id_of(const struct batch *batch, uint32_t i)
{
	struct event_result result;

	parse(batch, i, &result);
	return le64_get(result.record_ids + 8 * result.current_channel);
}

static void assert_batch(const struct batch *batch, uint32_t result,
			 uint32_t num)
{
	assert_int_equal(NT_STATUS_V(batch->status), 0);
	assert_int_equal(batch->result, result);
	assert_int_equal(batch->num, num);
	if (result == 0) {
		assert_non_null(batch->indices);
		assert_non_null(batch->sizes);
		assert_non_null(batch->data);
	} else {
		assert_null(batch->indices);
		assert_null(batch->sizes);
		assert_null(batch->data);
	}
}

/* A call under way. */
struct pending {
	struct peer *peer;
	struct tevent_req *req;
	struct even6_EvtRpcRemoteSubscriptionNextAsync push;
	struct even6_EvtRpcRemoteSubscriptionNext pull;
	struct even6_EvtRpcRemoteSubscriptionWaitAsync wait;
};

static struct pending *push_send(struct peer *peer,
				 struct policy_handle *handle, uint32_t num)
{
	struct pending *pending = talloc_zero(peer, struct pending);

	pending->peer = peer;
	pending->push.in.handle = handle;
	pending->push.in.numRequestedRecords = num;
	pending->req = dcerpc_even6_EvtRpcRemoteSubscriptionNextAsync_r_send(
		pending, peer->client.ev, peer->pipe->binding_handle,
		&pending->push);
	assert_non_null(pending->req);
	return pending;
}

static void push_recv(struct pending *pending, struct batch *ret_batch)
{
	NTSTATUS status;

	assert_true(tevent_req_poll(pending->req, pending->peer->client.ev));
	status = dcerpc_even6_EvtRpcRemoteSubscriptionNextAsync_r_recv(
		pending->req, pending);
	BATCH(ret_batch, status, &pending->push);
}

static void push(struct peer *peer, struct policy_handle *handle, uint32_t num,
		 struct batch *ret_batch)
{
	push_recv(push_send(peer, handle, num), ret_batch);
}

static struct pending *pull_send(struct peer *peer,
				 struct policy_handle *handle, uint32_t num,
				 uint32_t time_ms)
{
	struct pending *pending = talloc_zero(peer, struct pending);

	pending->peer = peer;
	pending->pull.in.handle = handle;
	pending->pull.in.numRequestedRecords = num;
	pending->pull.in.timeOut = time_ms;
	pending->req = dcerpc_even6_EvtRpcRemoteSubscriptionNext_r_send(
		pending, peer->client.ev, peer->pipe->binding_handle,
		&pending->pull);
	assert_non_null(pending->req);
	return pending;
}

static void pull_recv(struct pending *pending, struct batch *ret_batch)
{
	NTSTATUS status;

	assert_true(tevent_req_poll(pending->req, pending->peer->client.ev));
	status = dcerpc_even6_EvtRpcRemoteSubscriptionNext_r_recv(pending->req,
								  pending);
	BATCH(ret_batch, status, &pending->pull);
}

static void pull(struct peer *peer, struct policy_handle *handle, uint32_t num,
		 uint32_t time_ms, struct batch *ret_batch)
{
	pull_recv(pull_send(peer, handle, num, time_ms), ret_batch);
}

static struct pending *wait_send(struct peer *peer,
				 struct policy_handle *handle)
{
	struct pending *pending = talloc_zero(peer, struct pending);

	pending->peer = peer;
	pending->wait.in.handle = handle;
	pending->req = dcerpc_even6_EvtRpcRemoteSubscriptionWaitAsync_r_send(
		pending, peer->client.ev, peer->pipe->binding_handle,
		&pending->wait);
	assert_non_null(pending->req);
	return pending;
}

static uint32_t wait_recv(struct pending *pending)
{
	NTSTATUS status;

	assert_true(tevent_req_poll(pending->req, pending->peer->client.ev));
	status = dcerpc_even6_EvtRpcRemoteSubscriptionWaitAsync_r_recv(
		pending->req, pending);
	assert_int_equal(NT_STATUS_V(status), 0);
	return W_ERROR_V(pending->wait.out.result);
}

static void query_next(struct peer *peer, struct policy_handle *handle,
		       uint32_t num, uint32_t time_ms, struct batch *ret_batch)
{
	struct even6_EvtRpcQueryNext *r =
		talloc_zero(peer, struct even6_EvtRpcQueryNext);
	NTSTATUS status;

	r->in.logQuery = handle;
	r->in.numRequestedRecords = num;
	r->in.timeOutEnd = time_ms;
	status = dcerpc_even6_EvtRpcQueryNext_r(peer->pipe->binding_handle, r,
						r);
	BATCH(ret_batch, status, r);
}

static uint32_t query_seek(struct peer *peer, struct policy_handle *handle,
			   int64_t pos, uint32_t flags, const char *bookmark)
{
	struct even6_EvtRpcQuerySeek *r =
		talloc_zero(peer, struct even6_EvtRpcQuerySeek);
	NTSTATUS status;

	r->in.logQuery = handle;
	r->in.pos = pos;
	r->in.bookmarkXml = bookmark;
	r->in.flags = flags;
	status = dcerpc_even6_EvtRpcQuerySeek_r(peer->pipe->binding_handle, r,
						r);
	assert_int_equal(NT_STATUS_V(status), 0);
	return W_ERROR_V(r->out.result);
}

static uint32_t cancel(struct peer *peer, struct policy_handle *control)
{
	struct even6_EvtRpcCancel r = {.in.handle = control};
	NTSTATUS status;

	status = dcerpc_even6_EvtRpcCancel_r(peer->pipe->binding_handle, peer,
					     &r);
	assert_int_equal(NT_STATUS_V(status), 0);
	return W_ERROR_V(r.out.result);
}

static uint32_t close_handle(struct peer *peer, struct policy_handle *handle)
{
	struct even6_EvtRpcClose r = {.in.handle = handle,
				      .out.handle = handle};
	NTSTATUS status;

	status = dcerpc_even6_EvtRpcClose_r(peer->pipe->binding_handle, peer,
					    &r);
	assert_int_equal(NT_STATUS_V(status), 0);
	if (W_ERROR_IS_OK(r.out.result)) {
		assert_true(ndr_policy_handle_empty(r.out.handle));
	}
	return W_ERROR_V(r.out.result);
}

/*
 * Ask until the service has so many of them.  Every answer is a round trip, in
 * which the calls this peer has begun go out as well.
 */
static void await_status(struct peer *peer, const char *key, long expected)
{
	const time_t end = time(NULL) + 60;
	long value = -1;

	while (value != expected && time(NULL) < end) {
		value = client_status(&peer->client, &server, key);
	}
	assert_int_equal(value, expected);
}

static void assert_parked(struct peer *peer, long num)
{
	await_status(peer, "parked_calls", num);
}

static void assert_still_waiting(const struct pending *pending)
{
	assert_true(tevent_req_is_in_progress(pending->req));
}

/* ----------------------------------------------------------------- tests */

/* [MS-EVEN6] 4.6, with its channels, numbers and query text. */
static void test_the_example_of_the_specification(void **state)
{
	static const char text[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		"<QueryList>\r\n"
		"<Query Id=\"1\" Path=\"Application\">\r\n"
		"<Select Path=\"Application\">*</Select>\r\n"
		"</Query>\r\n"
		"<Query Id=\"2\" Path=\"" SERVER_BACKUP "\">\r\n"
		"<Select Path=\"" SERVER_BACKUP "\">*</Select>\r\n"
		"</Query>\r\n"
		"</QueryList>";
	struct peer *peer = peer_new(*state);
	struct event_packer *packer = NULL;
	struct pending *pending = NULL;
	struct event_dict *dict = NULL;
	struct event_packed packed;
	struct event_result result;
	subscription *s = NULL;
	struct batch batch;
	struct buf xml;

	assert_int_equal(publish(peer, "Application", 200, 10), 1);
	assert_int_equal(publish(peer, SERVER_BACKUP, 100, 10), 1);
	s = subscribe(peer, NULL, text, NULL, 0x00000001, 0);
	assert_int_equal(*s->out.queryChannelInfoSize, 2);
	assert_string_equal((*s->out.queryChannelInfo)[0].name, "Application");
	assert_string_equal((*s->out.queryChannelInfo)[1].name, SERVER_BACKUP);
	assert_int_equal(s->out.error->m_error, 0);

	pending = push_send(peer, s->out.handle, 5);
	assert_parked(peer, 1);
	assert_still_waiting(pending);
	assert_int_equal(publish(peer, "Application", 1, 10), 201);
	push_recv(pending, &batch);
	assert_batch(&batch, 0, 1);
	parse(&batch, 0, &result);
	assert_int_equal(result.num_subquery_ids, 1);
	assert_int_equal(le32_get(result.subquery_ids), 1);
	assert_int_equal(result.num_channels, 2);
	assert_int_equal(result.current_channel, 0);
	assert_int_equal(le64_get(result.record_ids), 201);
	assert_int_equal(le64_get(result.record_ids + 8), 100);

	/* The client decodes it, and the store's id is in it. */
	dict = event_dict_create(peer, NULL);
	packer = event_packer_create(peer, dict);
	assert_int_equal(
		event_pack(packer, result.event, result.event_len, &packed),
		EVERR_OK);
	buf_init(&xml, peer, 65536);
	assert_int_equal(
		event_render_xml(&xml, dict, packed.data, packed.len, NULL),
		EVERR_OK);
	buf_put_u8(&xml, 0);
	assert_non_null(strstr((const char *)xml.data,
			       "<EventRecordID>201</EventRecordID>"));
	assert_non_null(strstr((const char *)xml.data, "<Data Name='Text'>"));

	pending = push_send(peer, s->out.handle, 5);
	assert_parked(peer, 1);
	assert_int_equal(cancel(peer, s->out.control), 0);
	push_recv(pending, &batch);
	assert_batch(&batch, 0x4C7, 0);
	assert_int_equal(close_handle(peer, s->out.handle), 0);
	assert_int_equal(close_handle(peer, s->out.control), 0);
	await_status(peer, "handles", 0);
	talloc_free(peer);
}

static void test_starting_points(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 0);
	const char *mark = talloc_asprintf(
		peer,
		"<BookmarkList>\r\n  <Bookmark Channel='%s' RecordId='3' "
		"IsCurrent='true'/>\r\n</BookmarkList>",
		channel);
	const char *beyond = talloc_asprintf(
		peer,
		"<BookmarkList><Bookmark Channel='%s' RecordId='99'/>"
		"</BookmarkList>",
		channel);
	const char *other = talloc_asprintf(
		peer,
		"<BookmarkList><Bookmark Channel='%s' RecordId='1'/>"
		"</BookmarkList>",
		channel_no(peer, 1));
	struct batch batch;

	publish(peer, channel, 5, 10);
	pull(peer,
	     subscribe(peer, channel, "*", NULL, 0x10000002, 0)->out.handle, 10,
	     0, &batch);
	assert_batch(&batch, 0, 5);
	assert_int_equal(id_of(&batch, 0), 1);

	pull(peer,
	     subscribe(peer, channel, "*", mark, 0x10010003, 0)->out.handle, 10,
	     0, &batch);
	assert_batch(&batch, 0, 2);
	assert_int_equal(id_of(&batch, 0), 4);

	/* Beyond the newest, and of another channel: never "now". */
	pull(peer,
	     subscribe(peer, channel, "*", beyond, 0x10000003, 0)->out.handle,
	     10, 0, &batch);
	assert_batch(&batch, 0, 5);
	pull(peer,
	     subscribe(peer, channel, "*", other, 0x10000003, 0)->out.handle,
	     10, 0, &batch);
	assert_batch(&batch, 0, 5);

	subscribe(peer, channel, "*", beyond, 0x10010003, 0x490);
	subscribe(peer, channel, "*", other, 0x10010003, 0x490);
	subscribe(peer, channel, "*", "garbage", 0x10000003, 0x57);
	subscribe(peer, channel, "*", "garbage", 0x10010003, 0x57);
	subscribe(peer, channel, "*", NULL, 0x10000003, 0x57);
	talloc_free(peer);
}

static void test_pull_with_wait(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 2);
	subscription *s = subscribe(peer, channel, "*", NULL, 0x10000001, 0);
	struct pending *waiting = wait_send(peer, s->out.handle);
	struct batch batch;

	assert_parked(peer, 1);
	/* Other calls go on beside it. */
	pull(peer, s->out.handle, 5, 0, &batch);
	assert_batch(&batch, 0, 0);
	assert_still_waiting(waiting);

	publish(peer, channel, 3, 10);
	assert_int_equal(wait_recv(waiting), 0);
	pull(peer, s->out.handle, 2, 15000, &batch);
	assert_batch(&batch, 0, 2);
	/* Unread ones complete the next wait at once. */
	assert_int_equal(wait_recv(wait_send(peer, s->out.handle)), 0);
	pull(peer, s->out.handle, 2, 15000, &batch);
	assert_batch(&batch, 0, 1);
	assert_int_equal(id_of(&batch, 0), 3);
	talloc_free(peer);
}

static void test_time_limits_of_a_pull(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 3);
	subscription *s = subscribe(peer, channel, "*", NULL, 0x10000001, 0);
	struct pending *pending = NULL;
	struct batch batch;

	pull(peer, s->out.handle, 5, 0, &batch);
	assert_batch(&batch, 0, 0);
	pull(peer, s->out.handle, 5, 50, &batch);
	assert_batch(&batch, 0, 0);
	pending = pull_send(peer, s->out.handle, 5, FOREVER);
	assert_parked(peer, 1);
	publish(peer, channel, 1, 10);
	pull_recv(pending, &batch);
	assert_batch(&batch, 0, 1);
	talloc_free(peer);
}

static void test_numbers_of_records(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 4);
	struct policy_handle *handle = NULL;
	struct batch batch;

	publish(peer, channel, 1024, 10);
	publish(peer, channel, 1024, 10);
	publish(peer, channel, 10, 10);

	handle = subscribe(peer, channel, "*", NULL, 0x10000002, 0)->out.handle;
	pull(peer, handle, 0, 0, &batch);
	assert_batch(&batch, 0, 0);
	pull(peer, handle, 1, 0, &batch);
	assert_batch(&batch, 0, 1);
	/* With time, as without it a slow host gives what it has so far. */
	pull(peer, handle, 1024, MINUTE, &batch);
	assert_batch(&batch, 0, 1024);
	assert_int_equal(id_of(&batch, 1023), 1025);
	pull(peer, handle, 1025, MINUTE, &batch);
	assert_batch(&batch, 0, 1024);
	pull(peer, handle, 1024, 0, &batch);
	assert_batch(&batch, 0, 2058 - 1 - 1024 - 1024);

	handle = subscribe(peer, channel, "*", NULL, 2, 0)->out.handle;
	push(peer, handle, 1025, &batch);
	assert_int_equal(batch.result, 0);
	assert_in_range(batch.num, 1, 1024);
	/* Pushes aim at 256 KiB. */
	assert_in_range(batch.len, 1, 256 * 1024);

	handle = query(peer, channel, "*", 0x101)->out.handle;
	query_next(peer, handle, 1025, FOREVER, &batch);
	assert_batch(&batch, 0x57, 0);
	query_next(peer, handle, 1024, FOREVER, &batch);
	assert_batch(&batch, 0, 1024);
	talloc_free(peer);
}

static void test_more_than_two_mebibytes_waiting(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 5);
	struct policy_handle *handle = NULL;
	uint64_t expected = 1;
	struct batch batch;
	uint32_t i;

	publish(peer, channel, 40, 60000);
	publish(peer, channel, 40, 60001 & ~1U);
	handle = subscribe(peer, channel, "*", NULL, 0x10000002, 0)->out.handle;
	do {
		pull(peer, handle, 1024, expected < 81 ? MINUTE : 0, &batch);
		assert_int_equal(batch.result, 0);
		assert_in_range(batch.len, 0, 2097152);
		if (expected == 1) {
			/* The first is as full as it can be. */
			assert_in_range(batch.len, 2097152 - 62000, 2097152);
		}
		for (i = 0; i < batch.num; i++) {
			assert_int_equal(id_of(&batch, i), expected);
			assert_int_equal(batch.indices[i] % 2, 0);
			expected++;
		}
	} while (batch.num > 0);
	assert_int_equal(expected, 81);
	talloc_free(peer);
}

static void test_two_subscriptions_on_one_connection(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *first = channel_no(peer, 6);
	const char *second = channel_no(peer, 7);
	subscription *s = subscribe(peer, first, "*", NULL, 1, 0);
	subscription *t = subscribe(peer, second, "*", NULL, 1, 0);
	struct pending *one = push_send(peer, s->out.handle, 5);
	struct pending *two = push_send(peer, t->out.handle, 5);
	struct batch batch;

	assert_parked(peer, 2);
	publish(peer, second, 1, 10);
	push_recv(two, &batch);
	assert_batch(&batch, 0, 1);
	assert_still_waiting(one);
	publish(peer, first, 1, 10);
	push_recv(one, &batch);
	assert_batch(&batch, 0, 1);
	talloc_free(peer);
}

/* Clients without PFC_CONC_MPX wait on a second connection (facts 1.3). */
static void test_a_handle_is_good_on_every_connection_of_its_group(void **state)
{
	struct peer *peer = peer_new(*state);
	struct peer *beside = peer_beside(*state, peer);
	struct peer *stranger = peer_new(*state);
	const char *channel = channel_no(peer, 8);
	subscription *s = subscribe(peer, channel, "*", NULL, 0x10000001, 0);
	struct pending *waiting = NULL;
	struct policy_handle handle;
	struct batch batch;

	pull(stranger, s->out.handle, 5, 0, &batch);
	assert_int_equal(NT_STATUS_V(batch.status), CONTEXT_MISMATCH);

	waiting = wait_send(beside, s->out.handle);
	assert_parked(beside, 1);
	publish(peer, channel, 1, 10);
	assert_int_equal(wait_recv(waiting), 0);
	pull(peer, s->out.handle, 5, 0, &batch);
	assert_batch(&batch, 0, 1);

	/* It lives as long as any connection of the group. */
	handle = *s->out.handle;
	talloc_free(peer);
	publish(beside, channel_no(stranger, 8), 1, 10);
	pull(beside, &handle, 5, 0, &batch);
	assert_batch(&batch, 0, 1);
	talloc_free(beside);
	talloc_free(stranger);
}

static void test_cancel_and_close_from_a_second_connection(void **state)
{
	struct peer *peer = peer_new(*state);
	struct peer *beside = peer_beside(*state, peer);
	const char *channel = channel_no(peer, 9);
	subscription *s = subscribe(peer, channel, "*", NULL, 1, 0);
	subscription *t = subscribe(peer, channel, "*", NULL, 0x10000001, 0);
	struct pending *pushing = push_send(peer, s->out.handle, 5);
	struct pending *pulling = NULL;
	struct pending *waiting = NULL;
	struct policy_handle closed = *s->out.handle;
	struct batch batch;

	assert_parked(peer, 1);
	assert_int_equal(cancel(beside, s->out.control), 0);
	push_recv(pushing, &batch);
	assert_batch(&batch, 0x4C7, 0);
	pushing = push_send(peer, s->out.handle, 5);
	assert_parked(peer, 1);
	assert_int_equal(close_handle(beside, s->out.handle), 0);
	push_recv(pushing, &batch);
	assert_batch(&batch, 0x4C7, 0);

	pulling = pull_send(peer, t->out.handle, 5, FOREVER);
	waiting = wait_send(peer, t->out.handle);
	assert_parked(peer, 2);
	assert_int_equal(close_handle(beside, t->out.handle), 0);
	pull_recv(pulling, &batch);
	assert_batch(&batch, 0x4C7, 0);
	assert_int_equal(wait_recv(waiting), 0x4C7);

	/* Used after close. */
	push(peer, &closed, 5, &batch);
	assert_int_equal(NT_STATUS_V(batch.status), CONTEXT_MISMATCH);
	/* The controls are still there. */
	assert_int_equal(cancel(peer, s->out.control), 0);
	assert_int_equal(close_handle(peer, s->out.control), 0);
	talloc_free(beside);
	talloc_free(peer);
}

static void test_handles_of_another_type(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 10);
	subscription *s = subscribe(peer, channel, "*", NULL, 1, 0);
	struct policy_handle *q = query(peer, channel, "*", 0x101)->out.handle;
	struct batch batch;

	push(peer, q, 5, &batch);
	assert_batch(&batch, 0x57, 0);
	pull(peer, s->out.control, 5, 0, &batch);
	assert_batch(&batch, 0x57, 0);
	query_next(peer, s->out.handle, 5, 0, &batch);
	assert_batch(&batch, 0x57, 0);
	assert_int_equal(cancel(peer, q), 0x57);
	assert_int_equal(query_seek(peer, s->out.handle, 0, 1, NULL), 0x57);
	/* Push and pull are not each other's. */
	pull(peer, s->out.handle, 5, 0, &batch);
	assert_batch(&batch, 0x10DD, 0);
	talloc_free(peer);
}

static void test_a_connection_that_dies_leaves_nothing(void **state)
{
	struct peer *watcher = peer_new(*state);
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(watcher, 11);
	subscription *s = subscribe(peer, channel, "*", NULL, 1, 0);
	subscription *t = subscribe(peer, channel, "*", NULL, 0x10000001, 0);

	query(peer, channel, "*", 0x101);
	push_send(peer, s->out.handle, 5);
	wait_send(peer, t->out.handle);
	assert_parked(peer, 2);
	talloc_free(peer);
	await_status(watcher, "parked_calls", 0);
	await_status(watcher, "subscriptions", 0);
	await_status(watcher, "queries", 0);
	await_status(watcher, "handles", 0);
	/* And nothing is in the way of a commit. */
	publish(watcher, channel, 1, 10);
	talloc_free(watcher);
}

/*
 * One client asks for 2 MiB sixteen times and then does not read: more than
 * the socket and the service's own limit take.  The others are served
 * meanwhile; and when it reads again, it gets everything.
 */
static void test_a_stalled_reader_holds_up_nobody(void **state)
{
	struct peer *stalled = peer_new(*state);
	const char *large = channel_no(stalled, 14);
	const char *small = channel_no(stalled, 15);
	struct pending *unread[16];
	struct pending *waiting[10];
	struct peer *others[10];
	struct batch batch;
	size_t i;

	publish(stalled, large, 40, 60000);
	for (i = 0; i < 16; i++) {
		subscription *s =
			subscribe(stalled, large, "*", NULL, 0x10000002, 0);

		unread[i] = pull_send(stalled, s->out.handle, 1024, MINUTE);
	}
	pull_recv(unread[0], &batch);
	assert_in_range(batch.num, 30, 40);
	assert_still_waiting(unread[15]);

	for (i = 0; i < 10; i++) {
		subscription *s = NULL;

		others[i] = peer_new(*state);
		s = subscribe(others[i], small, "*", NULL, 1, 0);
		waiting[i] = push_send(others[i], s->out.handle, 5);
		assert_parked(others[i], (long)i + 1);
	}
	publish(others[0], small, 1, 10);
	for (i = 0; i < 10; i++) {
		push_recv(waiting[i], &batch);
		assert_batch(&batch, 0, 1);
		talloc_free(others[i]);
	}

	assert_still_waiting(unread[15]);
	for (i = 1; i < 16; i++) {
		pull_recv(unread[i], &batch);
		assert_in_range(batch.num, 30, 40);
	}
	talloc_free(stalled);
}

static void test_a_query_from_end_to_end(void **state)
{
	struct peer *peer = peer_new(*state);
	const char *channel = channel_no(peer, 12);
	struct policy_handle *handle = NULL;
	struct batch batch;
	uint64_t expected = 1;
	uint32_t i;

	publish(peer, channel, 1000, 10);
	handle = query(peer, channel, "*", 0x1)->out.handle;
	for (;;) {
		query_next(peer, handle, 64, FOREVER, &batch);
		if (batch.result != 0) {
			break;
		}
		for (i = 0; i < batch.num; i++) {
			assert_int_equal(id_of(&batch, i), expected);
			expected++;
		}
	}
	assert_batch(&batch, 0x103, 0);
	assert_int_equal(expected, 1001);

	assert_int_equal(query_seek(peer, handle, -2, 2, NULL), 0);
	query_next(peer, handle, 64, 3000, &batch);
	assert_batch(&batch, 0, 3);
	assert_int_equal(id_of(&batch, 0), 998);
	assert_int_equal(query_seek(peer, handle, 2000, 0x10001, NULL), 0x490);
	assert_int_equal(query_seek(peer, handle, -1, 1, NULL), 0x57);

	handle = query(peer, channel, "*", 0x201)->out.handle;
	query_next(peer, handle, 2, 3000, &batch);
	assert_batch(&batch, 0, 2);
	assert_int_equal(id_of(&batch, 0), 1000);
	assert_int_equal(id_of(&batch, 1), 999);
	talloc_free(peer);
}

static void test_who_may_not_read_gets_nothing(void **state)
{
	struct peer *peer = peer_with(*state, "ntlm,seal", SERVER_STRANGER);
	const char *both = "<QueryList><Query>"
			   "<Select Path='Security'>*</Select></Query>"
			   "</QueryList>";
	subscription *s = subscribe(peer, "Security", "*", NULL, 2, 0x5);

	assert_true(ndr_policy_handle_empty(s->out.handle));
	assert_int_equal(*s->out.queryChannelInfoSize, 0);
	subscribe(peer, NULL, both, NULL, 0x1002, 0x5);
	talloc_free(peer);
}

/*
 * The call that is not done answers 0x32; those that are say what is wrong, to
 * whatever control handle.  All their replies can be read.
 */
static void test_clear_and_export_refuse_what_is_wrong(void **state)
{
	struct peer *peer = peer_new(*state);
	struct dcerpc_binding_handle *h = peer->pipe->binding_handle;
	struct policy_handle handle = {.uuid.time_low = 1};
	struct even6_RpcInfo info = {};

#define REFUSED(code, name, ...)                                        \
	do {                                                            \
		struct even6_##name r = {.in = {__VA_ARGS__},           \
					 .out.error = &info};           \
		NTSTATUS status = dcerpc_even6_##name##_r(h, peer, &r); \
		assert_int_equal(NT_STATUS_V(status), 0);               \
		assert_int_equal(W_ERROR_V(r.out.result), code);        \
		assert_int_equal(info.m_error, code);                   \
	} while (0)

	REFUSED(0x3A9F, EvtRpcClearLog, .control = &handle,
		.channelPath = "Missing");
	REFUSED(0x57, EvtRpcClearLog, .control = &handle,
		.channelPath = "Application", .backupPath = "x");
	REFUSED(0x57, EvtRpcExportLog, .control = &handle,
		.channelPath = "Application", .query = "*", .backupPath = "x",
		.flags = 1);
	REFUSED(0x57, EvtRpcExportLog, .control = &handle,
		.channelPath = "Application", .query = "*", .backupPath = "/x",
		.flags = 3);
	REFUSED(0x32, EvtRpcExportLog, .control = &handle,
		.channelPath = "C:\\a.evtx", .query = "*", .backupPath = "/x",
		.flags = 2);
	REFUSED(0x32, EvtRpcLocalizeExportLog, .control = &handle,
		.logFilePath = "x");
#undef REFUSED
	talloc_free(peer);
}

static void test_properties_of_a_channel(void **state)
{
	struct peer *peer = peer_new(*state);
	struct dcerpc_binding_handle *h = peer->pipe->binding_handle;
	struct even6_EvtRpcVariant entry = {.type = EvtRpcVarTypeUInt32,
					    .flags = 1};
	struct even6_EvtRpcVariantList values = {.count = 1, .props = &entry};
	struct even6_EvtRpcVariantList list = {};
	struct even6_RpcInfo info = {};
	struct even6_EvtRpcGetChannelConfig get = {
		.in.channelPath = "Application", .out.props = &list};
	struct even6_EvtRpcPutChannelConfig put = {.in.channelPath =
							   "Application",
						   .in.props = &values,
						   .out.error = &info};
	NTSTATUS status;

	status = dcerpc_even6_EvtRpcGetChannelConfig_r(h, peer, &get);
	assert_int_equal(NT_STATUS_V(status), 0);
	assert_int_equal(W_ERROR_V(get.out.result), 0);
	assert_int_equal(list.count, 21);
	assert_int_equal(list.props[8].type, EvtRpcVarTypeUInt64);
	assert_int_equal(list.props[19].type, EvtRpcVarTypeNull);
	assert_memory_equal(list.props[5].var.stringVal, "O:BAG:SYD:", 10);

	/* Property 0 is a boolean. */
	status = dcerpc_even6_EvtRpcPutChannelConfig_r(h, peer, &put);
	assert_int_equal(NT_STATUS_V(status), 0);
	assert_int_equal(W_ERROR_V(put.out.result), 0x57);
	assert_int_equal(info.m_error, 0x57);
	assert_int_equal(info.m_subErrParam, 0);
	talloc_free(peer);
}

static void test_log_properties_and_the_list_of_channels(void **state)
{
	struct peer *peer = peer_new(*state);
	struct dcerpc_binding_handle *h = peer->pipe->binding_handle;
	const char *channel = channel_no(peer, 13);
	struct even6_EvtRpcOpenLogHandle open = {.in.channel = channel,
						 .in.flags = 1};
	struct even6_EvtRpcGetLogFileInfo info = {};
	struct even6_EvtRpcGetChannelList list = {};
	bool found = false;
	uint32_t i;

	publish(peer, channel, 32, 10);
	assert_int_equal(
		NT_STATUS_V(dcerpc_even6_EvtRpcOpenLogHandle_r(h, peer, &open)),
		0);
	assert_int_equal(W_ERROR_V(open.out.result), 0);
	info.in.logHandle = open.out.handle;
	info.in.propertyId = 5;
	info.in.propertyValueBufferSize = 16;
	assert_int_equal(NT_STATUS_V(dcerpc_even6_EvtRpcGetLogFileInfo_r(
				 h, peer, &info)),
			 0);
	assert_int_equal(W_ERROR_V(info.out.result), 0);
	/* The bytes of "32 records", facts 4.5. */
	assert_memory_equal(info.out.propertyValueBuffer,
			    "\x20\0\0\0\0\0\0\0\x01\0\0\0\x0a\0\0\0", 16);
	assert_int_equal(*info.out.propertyValueBufferLength, 16);

	info.in.propertyValueBufferSize = 15;
	info.out = (typeof(info.out)){};
	assert_int_equal(NT_STATUS_V(dcerpc_even6_EvtRpcGetLogFileInfo_r(
				 h, peer, &info)),
			 0);
	assert_int_equal(W_ERROR_V(info.out.result), 0x7A);
	assert_int_equal(*info.out.propertyValueBufferLength, 16);
	assert_int_equal(close_handle(peer, open.out.handle), 0);

	assert_int_equal(NT_STATUS_V(dcerpc_even6_EvtRpcGetChannelList_r(
				 h, peer, &list)),
			 0);
	assert_int_equal(W_ERROR_V(list.out.result), 0);
	for (i = 0; i < *list.out.numChannelPaths; i++) {
		found |= strcmp((*list.out.channelPaths)[i], channel) == 0;
	}
	assert_true(found);
	talloc_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_example_of_the_specification),
		cmocka_unit_test(test_starting_points),
		cmocka_unit_test(test_pull_with_wait),
		cmocka_unit_test(test_time_limits_of_a_pull),
		cmocka_unit_test(test_numbers_of_records),
		cmocka_unit_test(test_more_than_two_mebibytes_waiting),
		cmocka_unit_test(test_two_subscriptions_on_one_connection),
		cmocka_unit_test(
			test_a_handle_is_good_on_every_connection_of_its_group),
		cmocka_unit_test(
			test_cancel_and_close_from_a_second_connection),
		cmocka_unit_test(test_handles_of_another_type),
		cmocka_unit_test(test_a_connection_that_dies_leaves_nothing),
		cmocka_unit_test(test_a_stalled_reader_holds_up_nobody),
		cmocka_unit_test(test_a_query_from_end_to_end),
		cmocka_unit_test(test_who_may_not_read_gets_nothing),
		cmocka_unit_test(test_clear_and_export_refuse_what_is_wrong),
		cmocka_unit_test(test_properties_of_a_channel),
		cmocka_unit_test(test_log_properties_and_the_list_of_channels),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
