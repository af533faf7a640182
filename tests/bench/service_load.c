/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client half of the service benchmarks; service_bench.py runs it against
 * a real evenlogd.
 *
 *   service_load PORT USER PASSWORD-FILE deliver SUBSCRIBERS EVENTS CHANNEL
 *   service_load PORT USER PASSWORD-FILE latency COUNT CHANNEL SOCKET
 *
 * deliver: every subscriber, on a sealed connection of its own, reads EVENTS
 * events from the oldest on by NextAsync.  The floor, on the same connections:
 * as many calls that return as many bytes but do nothing for them
 * (GetLogFileInfo with a large buffer).
 *
 * latency: from the moment an event is handed to Publish to the moment the
 * parked NextAsync has brought it.
 */

#include "collect/connect.h"
#include "idl/control_client.h"
#include "idl/even6_client.h"
#include "event/build.h"

#include "base/wintime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct load;

struct client {
	struct load *load;
	struct collect_connection *connection;
	struct policy_handle subscription;
	struct policy_handle control;
	struct policy_handle log;
	struct even6_EvtRpcRemoteSubscriptionNextAsync next;
	struct even6_EvtRpcGetLogFileInfo info;
	uint32_t num, size;
	uint32_t *indices, *sizes;
	uint8_t *buffer;
	uint64_t events, bytes, replies, floor_calls;
};

struct load {
	struct tevent_context *ev;
	struct client *clients;
	uint32_t num_clients;
	uint32_t busy;
	uint64_t want;
	uint32_t floor_size;
	uint64_t floor_calls;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "service_load: %s: %s\n", what, why);
	exit(1);
}

static void must(NTSTATUS status, WERROR result, const char *what)
{
	char text[32];

	if (!NT_STATUS_IS_OK(status)) {
		snprintf(text, sizeof(text), "NT status 0x%08x",
			 NT_STATUS_V(status));
		die(what, text);
	}
	if (!W_ERROR_IS_OK(result)) {
		snprintf(text, sizeof(text), "error 0x%x", W_ERROR_V(result));
		die(what, text);
	}
}

static struct collect_connection *connect_now(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	const struct collect_target *target,
	const struct ndr_interface_table *table)
{
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {0};
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_connect_send(mem_ctx, ev, target, table);
	if (req == NULL || !tevent_req_poll(req, ev)) {
		die("connect", "no memory");
	}
	err = collect_connect_recv(req, mem_ctx, &connection, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		die("connect", failure.text);
	}
	return connection;
}

static void subscribe(struct client *client, const char *channel,
		      uint32_t flags)
{
	struct even6_EvtRpcRegisterRemoteSubscription r = {
		.in = {.channelPath = channel, .query = "*", .flags = flags},
	};
	struct even6_EvtRpcQueryChannelInfo *channels = NULL;
	struct even6_RpcInfo error = {0};
	uint32_t num_channels = 0;
	NTSTATUS status;

	r.out.handle = &client->subscription;
	r.out.control = &client->control;
	r.out.queryChannelInfoSize = &num_channels;
	r.out.queryChannelInfo = &channels;
	r.out.error = &error;
	status = dcerpc_even6_EvtRpcRegisterRemoteSubscription_r(
		client->connection->handle, client->connection, &r);
	must(status, r.out.result, "RegisterRemoteSubscription");
}

static void open_log(struct client *client, const char *channel)
{
	struct even6_EvtRpcOpenLogHandle r = {
		.in = {.channel = channel, .flags = 1},
	};
	struct even6_RpcInfo error = {0};
	NTSTATUS status;

	r.out.handle = &client->log;
	r.out.error = &error;
	status = dcerpc_even6_EvtRpcOpenLogHandle_r(client->connection->handle,
						    client->connection, &r);
	must(status, r.out.result, "OpenLogHandle");
}

/* ------------------------------------------------------------ delivery */

static void next_send(struct client *client);

static void next_done(struct tevent_req *req)
{
	struct client *client = tevent_req_callback_data_void(req);
	TALLOC_CTX *frame = talloc_new(client->load->clients);
	NTSTATUS status;

	status = dcerpc_even6_EvtRpcRemoteSubscriptionNextAsync_r_recv(req,
								       frame);
	TALLOC_FREE(req);
	must(status, client->next.out.result, "NextAsync");
	client->events += client->num;
	client->bytes += client->size;
	client->replies++;
	TALLOC_FREE(frame);

	if (client->events < client->load->want) {
		next_send(client);
	} else {
		client->load->busy--;
	}
}

static void next_send(struct client *client)
{
	struct tevent_req *req = NULL;

	client->next = (struct even6_EvtRpcRemoteSubscriptionNextAsync){
		.in = {.handle = &client->subscription,
		       .numRequestedRecords = 1024},
		.out = {.numActualRecords = &client->num,
			.eventDataIndices = &client->indices,
			.eventDataSizes = &client->sizes,
			.resultBufferSize = &client->size,
			.resultBuffer = &client->buffer},
	};
	req = dcerpc_even6_EvtRpcRemoteSubscriptionNextAsync_r_send(
		client->load->clients, client->load->ev,
		client->connection->handle, &client->next);
	if (req == NULL) {
		die("NextAsync", "no memory");
	}
	tevent_req_set_callback(req, next_done, client);
}

static void floor_send(struct client *client);

static void floor_done(struct tevent_req *req)
{
	struct client *client = tevent_req_callback_data_void(req);
	NTSTATUS status;

	status = dcerpc_even6_EvtRpcGetLogFileInfo_r_recv(
		req, client->load->clients);
	TALLOC_FREE(req);
	must(status, client->info.out.result, "GetLogFileInfo");
	client->floor_calls++;
	if (client->floor_calls < client->load->floor_calls) {
		floor_send(client);
	} else {
		client->load->busy--;
	}
}

static void floor_send(struct client *client)
{
	struct tevent_req *req = NULL;

	client->info = (struct even6_EvtRpcGetLogFileInfo){
		.in = {.logHandle = &client->log,
		       .propertyId = 5,
		       .propertyValueBufferSize = client->load->floor_size},
		.out = {.propertyValueBuffer = client->buffer,
			.propertyValueBufferLength = &client->size},
	};
	req = dcerpc_even6_EvtRpcGetLogFileInfo_r_send(
		client->load->clients, client->load->ev,
		client->connection->handle, &client->info);
	if (req == NULL) {
		die("GetLogFileInfo", "no memory");
	}
	tevent_req_set_callback(req, floor_done, client);
}

static double run_all(struct load *load, void (*send)(struct client *))
{
	uint64_t start = now_ns();
	uint32_t i;

	load->busy = load->num_clients;
	for (i = 0; i < load->num_clients; i++) {
		send(&load->clients[i]);
	}
	while (load->busy > 0) {
		if (tevent_loop_once(load->ev) != 0) {
			die("loop", "failed");
		}
	}
	return (double)(now_ns() - start) / 1e9;
}

static void deliver(struct load *load, const struct collect_target *target,
		    const char *channel)
{
	uint64_t events = 0, bytes = 0, replies = 0;
	double seconds, floor_seconds, rate, floor_rate;
	uint32_t i;

	for (i = 0; i < load->num_clients; i++) {
		struct client *client = &load->clients[i];

		client->load = load;
		client->connection = connect_now(load->clients, load->ev,
						 target, &ndr_table_even6);
		subscribe(client, channel, 2);
		open_log(client, channel);
	}
	seconds = run_all(load, next_send);
	for (i = 0; i < load->num_clients; i++) {
		events += load->clients[i].events;
		bytes += load->clients[i].bytes;
		replies += load->clients[i].replies;
	}

	load->floor_size = (uint32_t)(bytes / replies);
	load->floor_calls = replies / load->num_clients;
	for (i = 0; i < load->num_clients; i++) {
		load->clients[i].buffer = talloc_zero_array(
			load->clients, uint8_t, load->floor_size);
	}
	floor_seconds = run_all(load, floor_send);

	rate = (double)bytes / seconds;
	floor_rate = (double)load->floor_size * (double)load->floor_calls *
		     load->num_clients / floor_seconds;
	printf("delivery, sealed, %2u subscriber%s %9.0f events/s %7.1f MB/s, "
	       "%u-byte replies; ratio to a no-op call of as many bytes %.2f\n",
	       load->num_clients,
	       load->num_clients == 1 ? ": " : "s:", (double)events / seconds,
	       rate / 1e6, load->floor_size, rate / floor_rate);
}

/* ------------------------------------------------------------- latency */

static struct control_Event make_event(TALLOC_CTX *mem_ctx, uint32_t number)
{
	struct event_system system = {
		.provider = "Bench",
		.event_id = 1,
		.level = 4,
		.channel = "Application",
		.computer = "bench",
		.time_created = wintime_now(),
	};
	struct event_data data = {
		.name = "Number",
		.type = EVENT_TYPE_UINT32,
		.value = (const uint8_t *)&number,
		.len = 4,
	};
	struct buf out;
	everr_t err;

	buf_init(&out, mem_ctx, EVENT_WIRE_MAX);
	err = event_build(&out, &system, &data, 1);
	if (err != EVERR_OK) {
		die("event", everr_text(err));
	}
	return (struct control_Event){.length = (uint32_t)out.len,
				      .data = out.data};
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t one_latency(struct load *load,
			    struct collect_connection *publisher,
			    const char *channel, uint32_t number)
{
	struct client *client = &load->clients[0];
	TALLOC_CTX *frame = talloc_new(NULL);
	struct control_Event event = make_event(frame, number);
	uint64_t first_id = 0, start;
	uint32_t bad_index = 0, error = 0;
	struct control_Publish r = {
		.in = {.channel = channel, .count = 1, .events = &event},
		.out = {.first_id = &first_id,
			.bad_index = &bad_index,
			.error = &error},
	};
	struct tevent_req *req = NULL;
	NTSTATUS status;

	client->events = 0;
	load->busy = 1;
	next_send(client);
	start = now_ns();
	req = dcerpc_control_Publish_r_send(frame, load->ev, publisher->handle,
					    &r);
	while (load->busy > 0) {
		tevent_loop_once(load->ev);
	}
	start = now_ns() - start;
	tevent_req_poll(req, load->ev);
	status = dcerpc_control_Publish_r_recv(req, frame);
	must(status, r.out.result, "Publish");
	if (error != 0) {
		die("Publish", everr_text((everr_t)error));
	}
	talloc_free(frame);
	return start;
}

static void latency(struct load *load, const struct collect_target *target,
		    const char *channel, const char *socket, uint32_t count)
{
	const struct collect_target local = {.socket = socket};
	struct client *client = &load->clients[0];
	struct collect_connection *publisher = NULL;
	uint64_t *samples = talloc_array(load->clients, uint64_t, count);
	uint32_t i;

	client->load = load;
	client->connection =
		connect_now(load->clients, load->ev, target, &ndr_table_even6);
	publisher = connect_now(load->clients, load->ev, &local,
				&ndr_table_control);
	subscribe(client, channel, 1);
	load->want = 1;
	for (i = 0; i < count; i++) {
		samples[i] = one_latency(load, publisher, channel, i);
	}
	qsort(samples, count, sizeof(samples[0]), compare);
	printf("latency, Publish to NextAsync reply, synchronous store: "
	       "p50 %.2f ms, p99 %.2f ms, max %.2f ms (%u events)\n",
	       (double)samples[count / 2] / 1e6,
	       (double)samples[count * 99 / 100] / 1e6,
	       (double)samples[count - 1] / 1e6, count);
}

static char *read_password(TALLOC_CTX *mem_ctx, const char *path)
{
	char line[256] = "";
	FILE *f = fopen(path, "re");

	if (f == NULL || fgets(line, sizeof(line), f) == NULL) {
		die(path, "cannot be read");
	}
	fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	return talloc_strdup(mem_ctx, line);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct collect_target target = {.host = "127.0.0.1"};
	struct load load = {.num_clients = 1};

	if (argc != 8) {
		die("usage", "see the head of service_load.c");
	}
	target.port = (uint16_t)strtoul(argv[1], NULL, 10);
	target.user = argv[2];
	target.password = read_password(mem_ctx, argv[3]);

	load.ev = tevent_context_init(mem_ctx);
	if (strcmp(argv[4], "deliver") == 0) {
		load.num_clients = (uint32_t)strtoul(argv[5], NULL, 10);
		load.want = strtoull(argv[6], NULL, 10);
		load.clients = talloc_zero_array(mem_ctx, struct client,
						 load.num_clients);
		deliver(&load, &target, argv[7]);
	} else {
		load.clients = talloc_zero_array(mem_ctx, struct client, 1);
		latency(&load, &target, argv[6], argv[7],
			(uint32_t)strtoul(argv[5], NULL, 10));
	}
	talloc_free(mem_ctx);
	return 0;
}
