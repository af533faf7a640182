/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a service answers to a collector, and what becomes of it: channels,
 * positions, subscriptions and queries, and each event up to the form that is
 * stored.
 *
 * Input: which of these is asked (below), then the replies.
 */

#include "collect/client.h"
#include "collect/newest.h"
#include "event/event.h"
#include "event/glance.h"
#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Batches read of one cursor. */
#define BATCHES 4

struct client {
	TALLOC_CTX *mem_ctx;
	struct tevent_context *ev;
	struct collect_connection *connection;
	struct event_glancer *glancer;
	struct event_packer *packer;
};

static bool inside(const struct collect_batch *batch, const uint8_t *p,
		   size_t len)
{
	return p >= batch->data && len <= batch->len &&
	       p <= batch->data + batch->len - len;
}

/* An event that can be stored has at a glance what it has when packed. */
static void take_event(struct client *client, const struct collect_batch *batch,
		       const struct collect_event *event)
{
	const struct event_result *result = &event->result;
	struct event_packed packed = {.len = 0};
	struct event_glance glance = {.has_time = false};
	everr_t glanced;
	everr_t err;

	must(inside(batch, result->event, result->event_len));
	glanced = event_glance(client->glancer, result->event,
			       result->event_len, &glance);
	if (glanced == EVERR_OK && glance.computer != NULL) {
		must(inside(batch, glance.computer, 2 * glance.computer_units));
	}
	err = event_pack(client->packer, result->event, result->event_len,
			 &packed);
	if (err != EVERR_OK) {
		return;
	}
	must(glanced == EVERR_OK);
	if ((packed.header.has & EVENT_HAS_TIME) != 0) {
		must(glance.has_time &&
		     glance.time_created == packed.header.time_created);
	}
}

/* All of a batch cannot be more than what came. */
static void take_batch(struct client *client,
		       const struct collect_cursor *cursor,
		       const struct collect_batch *batch)
{
	struct collect_event event;
	size_t total = 0;
	uint32_t i;

	for (i = 0; i < batch->num; i++) {
		if (collect_batch_event(cursor, batch, i, &event) == EVERR_OK) {
			must(event.channel < cursor->num_channels);
			total += event.result.event_len;
			take_event(client, batch, &event);
		}
	}
	must(total <= batch->len);
	must(collect_batch_event(cursor, batch, batch->num, &event) !=
	     EVERR_OK);
}

static void read_cursor(struct client *client, struct collect_cursor *cursor)
{
	struct collect_batch *batch = NULL;
	struct collect_failure failure;
	struct tevent_req *req = NULL;
	int i;

	for (i = 0; i < BATCHES; i++) {
		req = collect_next_send(client->mem_ctx, client->ev, cursor,
					COLLECT_BATCH_RECORDS, 0);
		wait_for(req, client->ev);
		if (collect_next_recv(req, client->mem_ctx, &batch, &failure) !=
		    EVERR_OK) {
			must(failure.err != EVERR_OK);
			break;
		}
		take_batch(client, cursor, batch);
		talloc_free(batch);
	}
	if (cursor->kind == COLLECT_PULL) {
		req = collect_wait_send(client->mem_ctx, client->ev, cursor);
		wait_for(req, client->ev);
		(void)collect_wait_recv(req, &failure);
	}
	req = collect_close_send(client->mem_ctx, client->ev, cursor);
	wait_for(req, client->ev);
	(void)collect_close_recv(req, &failure);
}

static void open_cursor(struct client *client, enum collect_kind kind)
{
	const struct collect_request request = {
		.kind = kind,
		.channel = "Security",
		.from = COLLECT_FROM_OLDEST,
	};
	struct collect_cursor *cursor = NULL;
	struct collect_failure failure;
	struct tevent_req *req = NULL;

	req = collect_open_send(client->mem_ctx, client->ev, client->connection,
				&request);
	wait_for(req, client->ev);
	if (collect_open_recv(req, client->mem_ctx, &cursor, &failure) ==
	    EVERR_OK) {
		read_cursor(client, cursor);
	}
}

static void list_channels(struct client *client)
{
	struct collect_failure failure;
	struct tevent_req *req = NULL;
	const char **names = NULL;
	size_t num = 0;
	size_t i;

	req = collect_channels_send(client->mem_ctx, client->ev,
				    client->connection);
	wait_for(req, client->ev);
	if (collect_channels_recv(req, client->mem_ctx, &names, &num,
				  &failure) != EVERR_OK) {
		return;
	}
	for (i = 0; i < num; i++) {
		must(names[i] != NULL);
	}
	must(names[num] == NULL);
}

static void read_log_info(struct client *client)
{
	struct collect_log_info info;
	struct collect_failure failure;
	struct tevent_req *req = NULL;

	req = collect_log_info_send(client->mem_ctx, client->ev,
				    client->connection, "Security");
	wait_for(req, client->ev);
	(void)collect_log_info_recv(req, &info, &failure);
}

static void find_newest(struct client *client)
{
	static const struct collect_channel channels[] = {
		{.name = "Security"},
		{.name = "System"},
	};
	struct event_bookmark_list *list = NULL;
	struct collect_failure failure;
	struct tevent_req *req = NULL;

	req = collect_newest_send(client->mem_ctx, client->ev,
				  client->connection, channels, 2);
	wait_for(req, client->ev);
	if (collect_newest_recv(req, client->mem_ctx, &list, &failure) ==
	    EVERR_OK) {
		must(list->num_bookmarks <= 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct client client = {
		.mem_ctx = mem_ctx,
		.ev = tevent_context_init(mem_ctx),
		.connection = connect_to_input(mem_ctx),
		.glancer = event_glancer_create(mem_ctx),
		.packer = event_packer_create(mem_ctx, dict),
	};

	if (size > 0) {
		input.data = data + 1;
		input.size = size - 1;
		switch (data[0] % 6) {
		case 0:
			open_cursor(&client, COLLECT_PUSH);
			break;
		case 1:
			open_cursor(&client, COLLECT_PULL);
			break;
		case 2:
			open_cursor(&client, COLLECT_QUERY);
			break;
		case 3:
			list_channels(&client);
			break;
		case 4:
			read_log_info(&client);
			break;
		case 5:
			find_newest(&client);
			break;
		}
	}
	talloc_free(mem_ctx);
	return 0;
}
