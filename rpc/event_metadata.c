/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The events a publisher declares, opnums 26 and 27: [MS-EVEN6] 3.1.4.27 and
 * 3.1.4.28; facts 4.7 and 12.5.
 */

#include "idl/even6_server.h"
#include "rpc/publisher.h"
#include "rpc/variant.h"

#include <string.h>

/*
 * Bytes of templates in one reply, after which it ends early: many events may
 * share one long template.
 */
#define REPLY_BYTES (1024 * 1024)

/* Of an event; 6 and 7 stand in the specification's table in each other's
 * place (facts 12.5). */
enum {
	PROPERTY_ID = 0,
	PROPERTY_VERSION = 1,
	PROPERTY_CHANNEL = 2,
	PROPERTY_LEVEL = 3,
	PROPERTY_OPCODE = 4,
	PROPERTY_TASK = 5,
	PROPERTY_KEYWORDS = 6,
	PROPERTY_MESSAGE_ID = 7,
	PROPERTY_TEMPLATE = 8,
	NUM_PROPERTIES = 9
};

struct event_enum {
	struct event_catalog *catalog; /* a reference */
	const struct event_publisher *publisher;
	size_t next; /* event to hand out */
	bool begun;
};

WERROR dcesrv_even6_EvtRpcGetEventMetadataEnum(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetEventMetadataEnum *r)
{
	struct rpc_publisher *publisher = NULL;
	struct event_enum *events = NULL;
	everr_t err;

	err = rpc_publisher_lookup(call, r->in.pubMetadata, &publisher);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	events = talloc_zero(mem_ctx, struct event_enum);
	if (events == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	events->catalog = publisher->catalog;
	events->publisher = publisher->publisher;
	err = rpc_handle_create(call, RPC_HANDLE_EVENT_ENUM, events,
				r->out.eventMetaDataEnum);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	/* Only now: a reference would count as this client's own memory. */
	if (talloc_reference(events, publisher->catalog) == NULL) {
		(void)!rpc_handle_close(call, r->out.eventMetaDataEnum);
		return WERR_NOT_ENOUGH_MEMORY;
	}
	return WERR_OK;
}

/* None: an empty string, also for one that no string of a reply can be. */
static const char *event_template(const struct event_manifest_event *event)
{
	const char *xml = event->tmpl != NULL ? event->tmpl->xml : NULL;

	if (xml == NULL || strnlen(xml, EVEN6_MAX_RPC_STRING_LENGTH) ==
				   EVEN6_MAX_RPC_STRING_LENGTH) {
		return "";
	}
	return xml;
}

static everr_t event_describe(TALLOC_CTX *mem_ctx,
			      const struct event_manifest_event *event,
			      struct even6_EvtRpcVariantList *list)
{
	everr_t err;

	err = rpc_variants_create(mem_ctx, NUM_PROPERTIES, list);
	if (err != EVERR_OK) {
		return err;
	}
	rpc_variant_uint32(list, PROPERTY_ID, event->id);
	rpc_variant_uint32(list, PROPERTY_VERSION, event->version);
	rpc_variant_uint32(list, PROPERTY_CHANNEL,
			   event->channel != NULL ? event->channel->id : 0);
	rpc_variant_uint32(list, PROPERTY_LEVEL, event->level);
	rpc_variant_uint32(list, PROPERTY_OPCODE, event->opcode);
	rpc_variant_uint32(list, PROPERTY_TASK, event->task);
	rpc_variant_uint64(list, PROPERTY_KEYWORDS, event->keywords);
	rpc_variant_uint32(list, PROPERTY_MESSAGE_ID, event->message_id);
	rpc_variant_string(list, PROPERTY_TEMPLATE, event_template(event));
	return EVERR_OK;
}

/* The next ones, at most max and REPLY_BYTES; the cursor moves past them. */
static everr_t events_take(struct event_enum *events, uint32_t max,
			   struct even6_EvtRpcVariantList *lists,
			   uint32_t *ret_num)
{
	const struct event_publisher *publisher = events->publisher;
	size_t next = events->next;
	size_t bytes = 0;
	uint32_t num = 0;
	everr_t err;

	while (num < max && next < publisher->num_events) {
		const struct event_manifest_event *event =
			&publisher->events[next];

		bytes += 2 * strlen(event_template(event));
		if (bytes > REPLY_BYTES && num > 0) {
			break;
		}
		err = event_describe(lists, event, &lists[num]);
		if (err != EVERR_OK) {
			return err;
		}
		next++;
		num++;
	}
	events->next = next;
	*ret_num = num;
	return EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcGetNextEventMetadata(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetNextEventMetadata *r)
{
	uint32_t max = r->in.numRequested;
	struct even6_EvtRpcVariantList *lists = NULL;
	struct event_enum *events = NULL;
	void *object = NULL;
	everr_t err;

	err = rpc_handle_lookup(call, r->in.eventMetaDataEnum,
				RPC_HANDLE_EVENT_ENUM, &object);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	events = talloc_get_type_abort(object, struct event_enum);
	/* A publisher without events says so once before it is at its end. */
	if (events->begun && events->next == events->publisher->num_events) {
		return WERR_NO_DATA;
	}

	if (max > EVEN6_MAX_RPC_EVENT_METADATA_COUNT) {
		max = EVEN6_MAX_RPC_EVENT_METADATA_COUNT;
	}
	lists = talloc_zero_array(mem_ctx, struct even6_EvtRpcVariantList, max);
	if (lists == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	err = events_take(events, max, lists, r->out.numReturned);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	events->begun = true;
	*r->out.eventMetadataInstances = lists;
	return WERR_OK;
}
