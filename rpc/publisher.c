/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Publishers, opnums 22 to 25: [MS-EVEN6] 3.1.4.23 to 3.1.4.26; facts 4.7
 * and 12.3.
 */

#include "rpc/publisher.h"

#include "base/text.h"
#include "idl/even6_server.h"
#include "rpc/variant.h"

#include <string.h>

/*
 * Properties of a publisher; a number is a place in the list and, where
 * opnum 25 asks for a group, the group's name.  Those that stand for arrays of
 * objects (6, 12, 16, 21 and 25) are always Null: their members follow.
 */
enum {
	PROPERTY_GUID = 0,
	PROPERTY_RESOURCE_FILE = 1,
	PROPERTY_PARAMETER_FILE = 2,
	PROPERTY_MESSAGE_FILE = 3,
	PROPERTY_HELP_LINK = 4,
	PROPERTY_MESSAGE_ID = 5,
	PROPERTY_CHANNEL_PATH = 7,
	PROPERTY_CHANNEL_INDEX = 8,
	PROPERTY_CHANNEL_ID = 9,
	PROPERTY_CHANNEL_FLAGS = 10,
	PROPERTY_CHANNEL_MESSAGE_ID = 11,
	PROPERTY_LEVELS = 12,
	PROPERTY_TASKS = 16,
	PROPERTY_TASK_GUID = 18,
	PROPERTY_OPCODES = 21,
	PROPERTY_KEYWORDS = 25,
	NUM_PROPERTIES = 29
};

/* Of PROPERTY_CHANNEL_FLAGS */
#define CHANNEL_IMPORTED 1

/* --------------------------------------------------- who may see what */

everr_t rpc_publisher_lookup(struct dcesrv_call_state *call,
			     const struct policy_handle *wire,
			     struct rpc_publisher **ret_publisher)
{
	void *object = NULL;
	everr_t err;

	err = rpc_handle_lookup(call, wire, RPC_HANDLE_PUBLISHER, &object);
	if (err == EVERR_OK) {
		*ret_publisher =
			talloc_get_type_abort(object, struct rpc_publisher);
	}
	return err;
}

bool rpc_publisher_shows(struct dcesrv_call_state *call,
			 const struct event_manifest_channel *channel)
{
	struct store_channel *found = NULL;
	everr_t err;

	err = store_channel_find(rpc_call_service(call)->store, channel->name,
				 &found);
	if (err != EVERR_OK) {
		return true;
	}
	return rpc_access_probe(call, found, RPC_ACCESS_READ) == EVERR_OK;
}

/* ---------------------------------------------------- opnums 22 and 23 */

WERROR dcesrv_even6_EvtRpcGetPublisherList(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetPublisherList *r)
{
	const struct event_catalog *catalog = rpc_call_service(call)->catalog;
	size_t count = event_catalog_count(catalog);
	const char **ids = talloc_zero_array(mem_ctx, const char *, count);
	size_t i;

	if (ids == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	for (i = 0; i < count; i++) {
		ids[i] = event_catalog_at(catalog, i)->name;
	}
	*r->out.numPublisherIds = (uint32_t)count;
	*r->out.publisherIds = ids;
	return WERR_OK;
}

static bool publisher_writes_to(const struct event_publisher *publisher,
				const char *channel)
{
	size_t i;

	for (i = 0; i < publisher->num_channels; i++) {
		if (text_name_equal(publisher->channels[i].name, channel)) {
			return true;
		}
	}
	return false;
}

WERROR dcesrv_even6_EvtRpcGetPublisherListForChannel(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetPublisherListForChannel *r)
{
	struct rpc_service *service = rpc_call_service(call);
	const struct event_catalog *catalog = service->catalog;
	size_t count = event_catalog_count(catalog);
	struct store_channel *channel = NULL;
	const char **ids = NULL;
	uint32_t num = 0;
	everr_t err;
	size_t i;

	/*
	 * [MS-EVEN6] 3.1.4.24: a name that is no channel's is an invalid
	 * parameter.  So is that of a channel the caller may not read.
	 */
	err = store_channel_find(service->store, r->in.channelName, &channel);
	if (err == EVERR_OK) {
		err = rpc_access_check(call, channel, RPC_ACCESS_READ);
	}
	if (err != EVERR_OK) {
		return err == EVERR_NOMEM ? rpc_werror(err)
					  : WERR_INVALID_PARAMETER;
	}

	ids = talloc_zero_array(mem_ctx, const char *, count);
	if (ids == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	for (i = 0; i < count; i++) {
		const struct event_publisher *publisher =
			event_catalog_at(catalog, i);

		if (publisher_writes_to(publisher, r->in.channelName)) {
			ids[num++] = publisher->name;
		}
	}
	*r->out.numPublisherIds = num;
	*r->out.publisherIds = ids;
	return WERR_OK;
}

/* ------------------------------------------------------------ opnum 24 */

/* The arrays about channels run in parallel. */
struct channel_arrays {
	const char **path;
	uint32_t *index;
	uint32_t *id;
	uint32_t *flags;
	uint32_t *message_id;
};

static everr_t channels_alloc(struct even6_EvtRpcVariantList *list,
			      uint32_t num, struct channel_arrays *ret_arrays)
{
	struct channel_arrays a = {
		.path = rpc_variant_strings(list, PROPERTY_CHANNEL_PATH, num),
		.index = rpc_variant_uint32s(list, PROPERTY_CHANNEL_INDEX, num),
		.id = rpc_variant_uint32s(list, PROPERTY_CHANNEL_ID, num),
		.flags = rpc_variant_uint32s(list, PROPERTY_CHANNEL_FLAGS, num),
		.message_id = rpc_variant_uint32s(
			list, PROPERTY_CHANNEL_MESSAGE_ID, num),
	};

	if (a.path == NULL || a.index == NULL || a.id == NULL ||
	    a.flags == NULL || a.message_id == NULL) {
		return EVERR_NOMEM;
	}
	*ret_arrays = a;
	return EVERR_OK;
}

static everr_t channels_put(struct dcesrv_call_state *call,
			    const struct event_publisher *publisher,
			    struct even6_EvtRpcVariantList *list)
{
	const struct event_manifest_channel **shown = NULL;
	struct channel_arrays arrays = {};
	uint32_t num = 0;
	everr_t err;
	size_t i;

	if (publisher->num_channels > EVEN6_MAX_RPC_STRING_ARRAY_COUNT) {
		return EVERR_LIMIT;
	}
	shown = talloc_zero_array(list->props,
				  const struct event_manifest_channel *,
				  publisher->num_channels);
	if (shown == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < publisher->num_channels; i++) {
		if (rpc_publisher_shows(call, &publisher->channels[i])) {
			shown[num++] = &publisher->channels[i];
		}
	}
	err = channels_alloc(list, num, &arrays);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < num; i++) {
		arrays.path[i] = shown[i]->name;
		arrays.index[i] = shown[i]->index;
		arrays.id[i] = shown[i]->id;
		arrays.flags[i] = shown[i]->imported ? CHANNEL_IMPORTED : 0;
		arrays.message_id[i] = shown[i]->message_id;
	}
	return EVERR_OK;
}

static everr_t publisher_describe(struct dcesrv_call_state *call,
				  TALLOC_CTX *mem_ctx,
				  const struct event_publisher *publisher,
				  struct even6_EvtRpcVariantList *ret_list)
{
	struct even6_EvtRpcVariantList list = {};
	everr_t err;

	err = rpc_variants_create(mem_ctx, NUM_PROPERTIES, &list);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_variant_guid(&list, PROPERTY_GUID, &publisher->guid);
	if (err == EVERR_OK) {
		err = channels_put(call, publisher, &list);
	}
	if (err != EVERR_OK) {
		return err;
	}
	rpc_variant_string(&list, PROPERTY_RESOURCE_FILE,
			   publisher->resource_file);
	rpc_variant_string(&list, PROPERTY_PARAMETER_FILE,
			   publisher->parameter_file);
	rpc_variant_string(&list, PROPERTY_MESSAGE_FILE,
			   publisher->message_file);
	*ret_list = list;
	return EVERR_OK;
}

static everr_t publisher_open(struct dcesrv_call_state *call,
			      TALLOC_CTX *mem_ctx,
			      const struct event_publisher *found,
			      uint32_t lcid, struct policy_handle *wire)
{
	struct event_catalog *catalog = rpc_call_service(call)->catalog;
	struct rpc_publisher *publisher = NULL;
	everr_t err;

	publisher = talloc_zero(mem_ctx, struct rpc_publisher);
	if (publisher == NULL) {
		return EVERR_NOMEM;
	}
	publisher->catalog = catalog;
	publisher->publisher = found;
	publisher->lcid = lcid;
	err = rpc_handle_create(call, RPC_HANDLE_PUBLISHER, publisher, wire);
	if (err != EVERR_OK) {
		return err;
	}
	/* Only now: a reference would count as this client's own memory. */
	if (talloc_reference(publisher, catalog) == NULL) {
		(void)!rpc_handle_close(call, wire);
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcGetPublisherMetadata(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetPublisherMetadata *r)
{
	const struct event_catalog *catalog = rpc_call_service(call)->catalog;
	const struct event_publisher *publisher = NULL;
	struct even6_EvtRpcVariantList list = {};
	everr_t err;

	/* [MS-EVEN6] 3.1.4.25: without a name, the server's default one. */
	if (r->in.publisherId == NULL) {
		publisher = event_catalog_default(catalog);
	} else {
		publisher = event_catalog_find(catalog, r->in.publisherId);
	}
	if (publisher == NULL) {
		return rpc_werror(EVERR_PUBLISHER);
	}
	err = publisher_describe(call, mem_ctx, publisher, &list);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	err = publisher_open(call, mem_ctx, publisher, r->in.locale,
			     r->out.pubMetadata);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	*r->out.pubMetadataProps = list;
	return WERR_OK;
}

/* ------------------------------------------------------------ opnum 25 */

/* What the arrays of a group may have, and their names in UTF-16. */
static everr_t names_fit(const struct event_manifest_name *names, size_t num)
{
	size_t bytes = 0;
	size_t i;

	if (num > EVEN6_MAX_RPC_STRING_ARRAY_COUNT) {
		return EVERR_LIMIT;
	}
	for (i = 0; i < num; i++) {
		bytes += 2 * strlen(names[i].name);
	}
	return bytes <= EVEN6_MAX_PAYLOAD ? EVERR_OK : EVERR_LIMIT;
}

/*
 * A group's arrays: names at group + 1, for tasks the GUIDs of their events,
 * values, message ids.
 */
static everr_t names_put(struct even6_EvtRpcVariantList *list, uint32_t group,
			 const struct event_manifest_name *names, size_t count)
{
	uint32_t num = (uint32_t)count;
	uint32_t value_at = group == PROPERTY_TASKS ? group + 3 : group + 2;
	const char **texts = NULL;
	uint32_t *values = NULL;
	uint32_t *message_ids = NULL;
	uint32_t i;
	everr_t err;

	err = names_fit(names, count);
	if (err != EVERR_OK) {
		return err;
	}
	texts = rpc_variant_strings(list, group + 1, num);
	values = rpc_variant_uint32s(list, value_at, num);
	message_ids = rpc_variant_uint32s(list, value_at + 1, num);
	if (texts == NULL || values == NULL || message_ids == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		texts[i] = names[i].name;
		values[i] = (uint32_t)names[i].value;
		message_ids[i] = names[i].message_id;
	}
	return EVERR_OK;
}

static everr_t tasks_put(struct even6_EvtRpcVariantList *list,
			 const struct event_publisher *publisher)
{
	const struct event_manifest_name *tasks = publisher->tasks;
	struct GUID *guids = NULL;
	size_t i;
	everr_t err;

	err = names_put(list, PROPERTY_TASKS, tasks, publisher->num_tasks);
	if (err != EVERR_OK) {
		return err;
	}
	guids = rpc_variant_guids(list, PROPERTY_TASK_GUID,
				  (uint32_t)publisher->num_tasks);
	if (guids == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < publisher->num_tasks; i++) {
		guids[i] = rpc_guid(&tasks[i].guid);
	}
	return EVERR_OK;
}

/* The opcode is the high word, the task it belongs to the low one. */
static everr_t opcodes_put(struct even6_EvtRpcVariantList *list,
			   const struct event_publisher *publisher)
{
	const struct event_manifest_name *opcodes = publisher->opcodes;
	uint32_t *values = NULL;
	size_t i;
	everr_t err;

	err = names_put(list, PROPERTY_OPCODES, opcodes,
			publisher->num_opcodes);
	if (err != EVERR_OK) {
		return err;
	}
	values = list->props[PROPERTY_OPCODES + 2].var.uint32Array.ptr;
	for (i = 0; i < publisher->num_opcodes; i++) {
		values[i] = (uint32_t)opcodes[i].value << 16 |
			    (opcodes[i].task & 0xFFFF);
	}
	return EVERR_OK;
}

static everr_t keywords_put(struct even6_EvtRpcVariantList *list,
			    const struct event_publisher *publisher)
{
	const struct event_manifest_name *keywords = publisher->keywords;
	uint64_t *masks = NULL;
	size_t i;
	everr_t err;

	err = names_put(list, PROPERTY_KEYWORDS, keywords,
			publisher->num_keywords);
	if (err != EVERR_OK) {
		return err;
	}
	masks = rpc_variant_uint64s(list, PROPERTY_KEYWORDS + 2,
				    (uint32_t)publisher->num_keywords);
	if (masks == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < publisher->num_keywords; i++) {
		masks[i] = keywords[i].value;
	}
	return EVERR_OK;
}

static everr_t group_put(struct even6_EvtRpcVariantList *list,
			 const struct event_publisher *publisher,
			 uint32_t group)
{
	switch (group) {
	case PROPERTY_HELP_LINK:
		rpc_variant_string(list, group, publisher->help_link);
		return EVERR_OK;
	case PROPERTY_MESSAGE_ID:
		rpc_variant_uint32(list, group, publisher->message_id);
		return EVERR_OK;
	case PROPERTY_LEVELS:
		return names_put(list, group, publisher->levels,
				 publisher->num_levels);
	case PROPERTY_TASKS:
		return tasks_put(list, publisher);
	case PROPERTY_OPCODES:
		return opcodes_put(list, publisher);
	case PROPERTY_KEYWORDS:
		return keywords_put(list, publisher);
	default:
		return EVERR_INVALID;
	}
}

WERROR dcesrv_even6_EvtRpcGetPublisherResourceMetadata(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetPublisherResourceMetadata *r)
{
	struct even6_EvtRpcVariantList list = {};
	struct rpc_publisher *publisher = NULL;
	everr_t err;

	err = rpc_publisher_lookup(call, r->in.handle, &publisher);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	err = rpc_variants_create(mem_ctx, NUM_PROPERTIES, &list);
	if (err == EVERR_OK) {
		err = group_put(&list, publisher->publisher, r->in.propertyId);
	}
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	*r->out.pubMetadataProps = list;
	return WERR_OK;
}
