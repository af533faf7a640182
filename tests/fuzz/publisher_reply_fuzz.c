/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a service says of its publishers, as our client takes it.
 */

#include "collect/messages.h"
#include "collect/publisher.h"
#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
