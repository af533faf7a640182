/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The events that a publisher declares: opnums 26 and 27, facts 12.5.
 */

#include "collect/call.h"
#include "collect/publisher.h"
#include "collect/variant.h"
#include "idl/ndr_even6.h"

#include <string.h>

/* Events asked for at a time: the protocol's limit. */
#define BATCH EVEN6_MAX_RPC_EVENT_METADATA_COUNT

/* Win32 code: all have been delivered. */
#define W_NO_DATA 232

enum {
	PROPERTY_ID = 0,
	PROPERTY_VERSION = 1,
	PROPERTY_CHANNEL = 2,
	PROPERTY_LEVEL = 3,
	PROPERTY_OPCODE = 4,
	PROPERTY_TASK = 5,
	PROPERTY_KEYWORDS = 6,
	PROPERTY_MESSAGE_ID = 7,
	PROPERTY_TEMPLATE = 8
};

struct events_state {
	struct collect_call call;
	union {
		struct even6_EvtRpcGetEventMetadataEnum open;
		struct even6_EvtRpcGetNextEventMetadata next;
		struct even6_EvtRpcClose close;
	} r;
	struct policy_handle publisher;
	struct policy_handle handle;
	uint32_t num;
	struct even6_EvtRpcVariantList *lists;
	size_t template_bytes;
	struct collect_publisher_events *events;
};

static void events_opened(struct tevent_req *subreq);
static void events_get(struct tevent_req *req);
static void events_got(struct tevent_req *subreq);
static void events_close(struct tevent_req *req);
static void events_closed(struct tevent_req *subreq);

struct tevent_req *collect_publisher_events_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_publisher *publisher)
{
	struct events_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct events_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, publisher->connection,
				"read the publisher's events",
				COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	state->events = talloc_zero(state, struct collect_publisher_events);
	if (tevent_req_nomem(state->events, req)) {
		return tevent_req_post(req, ev);
	}
	state->publisher = publisher->handle;
	state->r.open.in.pubMetadata = &state->publisher;
	state->r.open.out.eventMetaDataEnum = &state->handle;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCGETEVENTMETADATAENUM, &state->r.open,
			  events_opened);
	return collect_call_posted(req, ev);
}

static void events_opened(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct events_state *state = tevent_req_data(req, struct events_state);

	if (!collect_call_recv(req, &state->call, subreq, state) ||
	    !collect_call_ok(req, &state->call, state->r.open.out.result)) {
		return;
	}
	events_get(req);
}

static void events_get(struct tevent_req *req)
{
	struct events_state *state = tevent_req_data(req, struct events_state);
	struct even6_EvtRpcGetNextEventMetadata *r = &state->r.next;

	*r = (struct even6_EvtRpcGetNextEventMetadata){{0}};
	r->in.eventMetaDataEnum = &state->handle;
	r->in.numRequested = BATCH;
	state->num = 0;
	state->lists = NULL;
	r->out.numReturned = &state->num;
	r->out.eventMetadataInstances = &state->lists;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCGETNEXTEVENTMETADATA, r, events_got);
}

static everr_t event_take(struct events_state *state,
			  const struct even6_EvtRpcVariantList *list,
			  struct collect_publisher_event *event)
{
	const struct {
		uint32_t index;
		uint32_t *value;
	} numbers[] = {
		{PROPERTY_ID, &event->id},
		{PROPERTY_VERSION, &event->version},
		{PROPERTY_CHANNEL, &event->channel},
		{PROPERTY_LEVEL, &event->level},
		{PROPERTY_OPCODE, &event->opcode},
		{PROPERTY_TASK, &event->task},
		{PROPERTY_MESSAGE_ID, &event->message_id},
	};
	everr_t err;
	size_t i;

	*event = (struct collect_publisher_event){
		.message_id = COLLECT_MESSAGE_NONE,
		.template_xml = "",
	};
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		collect_variant_uint32(list, numbers[i].index,
				       numbers[i].value);
	}
	collect_variant_uint64(list, PROPERTY_KEYWORDS, &event->keywords);
	err = collect_variant_string(list, PROPERTY_TEMPLATE,
				     state->events->events,
				     &event->template_xml);
	if (err != EVERR_OK) {
		return err;
	}
	state->template_bytes += strlen(event->template_xml);
	return state->template_bytes <= COLLECT_PUBLISHER_TEMPLATES_MAX
		       ? EVERR_OK
		       : EVERR_LIMIT;
}

static everr_t events_take(struct events_state *state)
{
	struct collect_publisher_events *events = state->events;
	struct collect_publisher_event *grown = NULL;
	uint32_t i;

	if (state->lists == NULL) {
		return EVERR_PROTOCOL;
	}
	if (state->num > COLLECT_PUBLISHER_EVENTS_MAX - events->num) {
		return EVERR_LIMIT;
	}
	grown = talloc_realloc(events, events->events,
			       struct collect_publisher_event,
			       events->num + state->num);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	events->events = grown;
	for (i = 0; i < state->num; i++) {
		everr_t err = event_take(state, &state->lists[i],
					 &grown[events->num]);

		if (err != EVERR_OK) {
			return err;
		}
		events->num++;
	}
	return EVERR_OK;
}

static void events_got(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct events_state *state = tevent_req_data(req, struct events_state);
	TALLOC_CTX *reply = talloc_new(state);
	everr_t err;

	if (tevent_req_nomem(reply, req)) {
		return;
	}
	if (!collect_call_recv(req, &state->call, subreq, reply)) {
		return;
	}
	/* The end is said in one of two ways (facts 4.7). */
	if (W_ERROR_V(state->r.next.out.result) == W_NO_DATA ||
	    (W_ERROR_IS_OK(state->r.next.out.result) && state->num == 0)) {
		events_close(req);
		return;
	}
	if (!collect_call_ok(req, &state->call, state->r.next.out.result)) {
		return;
	}
	err = events_take(state);
	TALLOC_FREE(reply);
	if (err != EVERR_OK) {
		collect_call_failed(req, &state->call, err);
		return;
	}
	events_get(req);
}

static void events_close(struct tevent_req *req)
{
	struct events_state *state = tevent_req_data(req, struct events_state);

	state->r.close = (struct even6_EvtRpcClose){{0}};
	state->r.close.in.handle = &state->handle;
	state->r.close.out.handle = &state->handle;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCLOSE,
			  &state->r.close, events_closed);
}

static void events_closed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct events_state *state = tevent_req_data(req, struct events_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	tevent_req_done(req);
}

everr_t collect_publisher_events_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx,
	struct collect_publisher_events **ret_events,
	struct collect_failure *ret_failure)
{
	struct events_state *state = tevent_req_data(req, struct events_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_events = talloc_move(mem_ctx, &state->events);
	}
	tevent_req_received(req);
	return err;
}
