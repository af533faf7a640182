/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many subscribers in one process, for the tests of limits.
 *
 *   crowd PORT USER CHANNEL CLIENTS EVENTS
 *
 * CLIENTS sealed connections (the password is in EVENLOG_PASSWORD), each with
 * a push subscription to new events and a NextAsync that waits.  "ready" is
 * printed when the last one has sent it.  Then a line "CLIENT RECORD TIME" for
 * each event that arrives, TIME in nanoseconds of CLOCK_MONOTONIC; at the end
 * when every client has had EVENTS of them, in their order.
 */

#include "collect/client.h"
#include "idl/even6_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* Logons under way at a time. */
#define CONNECTING_MAX 32
#define CONNECT_TIMEOUT 60

struct crowd;

struct client {
	struct crowd *crowd;
	uint32_t number;
	struct collect_connection *connection;
	struct collect_cursor *cursor;
	uint64_t last_id;
	uint32_t events;
};

struct crowd {
	struct tevent_context *ev;
	struct collect_target target;
	struct collect_request request;
	struct client *clients;
	uint32_t num_clients;
	uint32_t started;
	uint32_t waiting; /* have sent their first NextAsync */
	uint32_t finished;
	uint32_t events; /* each client shall have */
};

static void die(const char *why)
{
	fprintf(stderr, "crowd: %s\n", why);
	exit(1);
}

static void *must(void *p)
{
	if (p == NULL) {
		die("out of memory");
	}
	return p;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ------------------------------------------------------------- events */

static void next_done(struct tevent_req *req);

static void next_send(struct client *client)
{
	struct tevent_req *req = NULL;

	req = must(collect_next_send(client->crowd->clients, client->crowd->ev,
				     client->cursor, COLLECT_BATCH_RECORDS, 0));
	tevent_req_set_callback(req, next_done, client);
}

static void take_event(struct client *client, const struct collect_batch *batch,
		       uint32_t index, uint64_t time)
{
	struct collect_event event;
	everr_t err;

	err = collect_batch_event(client->cursor, batch, index, &event);
	if (err != EVERR_OK) {
		die(everr_text(err));
	}
	if (client->last_id != 0 && event.record_id != client->last_id + 1) {
		die("an event is missing or out of order");
	}
	client->last_id = event.record_id;
	client->events++;
	printf("%" PRIu32 " %" PRIu64 " %" PRIu64 "\n", client->number,
	       event.record_id, time);
}

static void next_done(struct tevent_req *req)
{
	struct client *client = tevent_req_callback_data_void(req);
	struct crowd *crowd = client->crowd;
	struct collect_batch *batch = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	uint64_t time = now_ns();
	everr_t err;
	uint32_t i;

	err = collect_next_recv(req, crowd->clients, &batch, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		die(failure.text);
	}
	for (i = 0; i < batch->num; i++) {
		take_event(client, batch, i, time);
	}
	TALLOC_FREE(batch);
	if (client->events >= crowd->events) {
		crowd->finished++;
		return;
	}
	next_send(client);
}

/* ------------------------------------------------------------ arriving */

static void start_one(struct crowd *crowd);

static void open_done(struct tevent_req *req)
{
	struct client *client = tevent_req_callback_data_void(req);
	struct crowd *crowd = client->crowd;
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	err = collect_open_recv(req, crowd->clients, &client->cursor, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		die(failure.text);
	}
	next_send(client);
	crowd->waiting++;
	start_one(crowd);
}

static void connect_done(struct tevent_req *req)
{
	struct client *client = tevent_req_callback_data_void(req);
	struct crowd *crowd = client->crowd;
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	err = collect_connect_recv(req, crowd->clients, &client->connection,
				   &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		die(failure.text);
	}
	req = must(collect_open_send(crowd->clients, crowd->ev,
				     client->connection, &crowd->request));
	tevent_req_set_callback(req, open_done, client);
}

static void start_one(struct crowd *crowd)
{
	struct client *client = NULL;
	struct tevent_req *req = NULL;

	if (crowd->started == crowd->num_clients) {
		return;
	}
	client = &crowd->clients[crowd->started];
	client->crowd = crowd;
	client->number = crowd->started++;
	req = must(collect_connect_send(crowd->clients, crowd->ev,
					&crowd->target, &ndr_table_even6));
	tevent_req_set_callback(req, connect_done, client);
}

static void run_until(struct crowd *crowd, const uint32_t *count)
{
	while (*count < crowd->num_clients) {
		if (tevent_loop_once(crowd->ev) != 0) {
			die("the event loop failed");
		}
	}
}

static void raise_descriptors(void)
{
	struct rlimit limit = {0};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct crowd crowd = {
		.target = {.host = "127.0.0.1", .timeout = CONNECT_TIMEOUT},
		.request = {.kind = COLLECT_PUSH, .from = COLLECT_FROM_NOW},
	};
	TALLOC_CTX *mem_ctx = must(talloc_new(NULL));
	uint32_t i;

	if (argc != 6) {
		die("usage: crowd PORT USER CHANNEL CLIENTS EVENTS");
	}
	crowd.target.port = (uint16_t)strtoul(argv[1], NULL, 10);
	crowd.target.user = argv[2];
	crowd.target.password = getenv("EVENLOG_PASSWORD");
	crowd.request.channel = argv[3];
	crowd.num_clients = (uint32_t)strtoul(argv[4], NULL, 10);
	crowd.events = (uint32_t)strtoul(argv[5], NULL, 10);
	crowd.ev = must(tevent_context_init(mem_ctx));
	crowd.clients = must(
		talloc_zero_array(mem_ctx, struct client, crowd.num_clients));
	raise_descriptors();

	for (i = 0; i < CONNECTING_MAX; i++) {
		start_one(&crowd);
	}
	run_until(&crowd, &crowd.waiting);
	printf("ready\n");
	fflush(stdout);
	run_until(&crowd, &crowd.finished);
	talloc_free(mem_ctx);
	return 0;
}
