/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/publisher.h"

#include "base/buf.h"
#include "collect/call.h"
#include "collect/variant.h"
#include "idl/ndr_even6.h"

#include <string.h>

/* Seconds for saying goodbye. */
#define CLOSE_TIMEOUT 3

/* Win32 codes, [MS-ERREF] 2.2 and facts 4.7. */
#define W_FILE_NOT_FOUND 2
#define W_INVALID_PARAMETER 87
#define W_PUBLISHER_METADATA_NOT_FOUND 15002

/* ---------------------------------------------------------------- list */

struct publishers_state {
	struct collect_call call;
	union {
		struct even6_EvtRpcGetPublisherList all;
		struct even6_EvtRpcGetPublisherListForChannel some;
	} r;
	bool for_channel;
	uint32_t num;
	const char **names;
};

static void publishers_done(struct tevent_req *subreq);

struct tevent_req *collect_publishers_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel)
{
	struct publishers_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct publishers_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, connection,
				"list the publishers", COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	if (channel == NULL) {
		state->r.all.out.numPublisherIds = &state->num;
		state->r.all.out.publisherIds = &state->names;
		collect_call_send(req, &state->call,
				  NDR_EVEN6_EVTRPCGETPUBLISHERLIST,
				  &state->r.all, publishers_done);
		return collect_call_posted(req, ev);
	}
	state->call.what =
		collect_call_about(state, "list the publishers of", channel);
	state->for_channel = true;
	state->r.some.in.channelName = talloc_strdup(state, channel);
	if (tevent_req_nomem(state->r.some.in.channelName, req)) {
		return tevent_req_post(req, ev);
	}
	state->r.some.out.numPublisherIds = &state->num;
	state->r.some.out.publisherIds = &state->names;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCGETPUBLISHERLISTFORCHANNEL,
			  &state->r.some, publishers_done);
	return collect_call_posted(req, ev);
}

static void publishers_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct publishers_state *state =
		tevent_req_data(req, struct publishers_state);
	struct collect_call *call = &state->call;
	WERROR result;

	if (!collect_call_recv(req, call, subreq, state)) {
		return;
	}
	result = state->for_channel ? state->r.some.out.result
				    : state->r.all.out.result;
	/* [MS-EVEN6] 3.1.4.24 has this code for a channel that is none. */
	if (state->for_channel && W_ERROR_V(result) == W_INVALID_PARAMETER) {
		collect_failure_set(&call->failure, EVERR_CHANNEL_NOT_FOUND,
				    "%s: cannot %s: there is no such channel, "
				    "or it may not be read",
				    call->connection->where, call->what);
		call->failure.win32 = W_ERROR_V(result);
		tevent_req_error(req, EVERR_CHANNEL_NOT_FOUND);
		return;
	}
	if (!collect_call_ok(req, call, result)) {
		return;
	}
	if (state->num > 0 && state->names == NULL) {
		collect_call_malformed(req, call);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_publishers_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				const char ***ret_names, size_t *ret_num,
				struct collect_failure *ret_failure)
{
	struct publishers_state *state =
		tevent_req_data(req, struct publishers_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		err = collect_strings_copy(mem_ctx, state->names, state->num,
					   ret_names);
		if (err == EVERR_OK) {
			*ret_num = state->num;
		} else {
			collect_failure_set(ret_failure, err, "out of memory");
		}
	}
	tevent_req_received(req);
	return err;
}

/* ---------------------------------------------------------------- open */

/* Facts 12.3 */
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
	PROPERTY_OPCODES = 21,
	PROPERTY_KEYWORDS = 25
};

#define CHANNEL_IMPORTED 1

struct open_state {
	struct collect_call call;
	struct even6_EvtRpcGetPublisherMetadata r;
	struct even6_EvtRpcVariantList list;
	struct policy_handle handle;
	struct collect_publisher *publisher;
};

static void open_done(struct tevent_req *subreq);

struct tevent_req *collect_publisher_open_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *name, uint32_t lcid)
{
	struct collect_publisher *publisher = NULL;
	struct open_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct open_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, connection,
				"open the publisher", COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	publisher = talloc_zero(state, struct collect_publisher);
	if (tevent_req_nomem(publisher, req)) {
		return tevent_req_post(req, ev);
	}
	state->publisher = publisher;
	publisher->connection = connection;
	if (name != NULL) {
		publisher->name = talloc_strdup(publisher, name);
		if (tevent_req_nomem(publisher->name, req)) {
			return tevent_req_post(req, ev);
		}
		state->call.what =
			collect_call_about(state, "open the publisher", name);
	}
	state->r.in.publisherId = publisher->name;
	state->r.in.locale = lcid;
	state->r.out.pubMetadataProps = &state->list;
	state->r.out.pubMetadata = &state->handle;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCGETPUBLISHERMETADATA, &state->r,
			  open_done);
	return collect_call_posted(req, ev);
}

static everr_t channels_take(struct collect_publisher *publisher,
			     const struct even6_EvtRpcVariantList *list)
{
	const struct even6_StringArray *path =
		collect_variant_strings(list, PROPERTY_CHANNEL_PATH);
	const struct even6_UInt32Array *index =
		collect_variant_uint32s(list, PROPERTY_CHANNEL_INDEX);
	const struct even6_UInt32Array *id =
		collect_variant_uint32s(list, PROPERTY_CHANNEL_ID);
	const struct even6_UInt32Array *flags =
		collect_variant_uint32s(list, PROPERTY_CHANNEL_FLAGS);
	const struct even6_UInt32Array *message_id =
		collect_variant_uint32s(list, PROPERTY_CHANNEL_MESSAGE_ID);
	struct collect_publisher_channel *channels = NULL;
	uint32_t i;

	if (path == NULL) {
		return EVERR_OK;
	}
	if (index == NULL || id == NULL || flags == NULL ||
	    message_id == NULL || index->count != path->count ||
	    id->count != path->count || flags->count != path->count ||
	    message_id->count != path->count) {
		return EVERR_PROTOCOL;
	}
	channels = talloc_zero_array(
		publisher, struct collect_publisher_channel, path->count);
	if (channels == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < path->count; i++) {
		channels[i] = (struct collect_publisher_channel){
			.path = collect_text_copy(channels, path->ptr[i]),
			.index = index->ptr[i],
			.id = id->ptr[i],
			.imported = flags->ptr[i] & CHANNEL_IMPORTED,
			.message_id = message_id->ptr[i],
		};
		if (channels[i].path == NULL) {
			return EVERR_NOMEM;
		}
	}
	publisher->channels = channels;
	publisher->num_channels = path->count;
	return EVERR_OK;
}

static everr_t publisher_take(struct collect_publisher *publisher,
			      const struct even6_EvtRpcVariantList *list)
{
	everr_t err;

	collect_variant_guid(list, PROPERTY_GUID, &publisher->guid);
	err = collect_variant_string(list, PROPERTY_RESOURCE_FILE, publisher,
				     &publisher->resource_file);
	if (err == EVERR_OK) {
		err = collect_variant_string(list, PROPERTY_PARAMETER_FILE,
					     publisher,
					     &publisher->parameter_file);
	}
	if (err == EVERR_OK) {
		err = collect_variant_string(list, PROPERTY_MESSAGE_FILE,
					     publisher,
					     &publisher->message_file);
	}
	return err == EVERR_OK ? channels_take(publisher, list) : err;
}

/* Services differ in the code for a name that is no publisher's. */
static bool is_unknown_publisher(WERROR result)
{
	uint32_t win32 = W_ERROR_V(result);

	return win32 == W_FILE_NOT_FOUND || win32 == W_INVALID_PARAMETER ||
	       win32 == W_PUBLISHER_METADATA_NOT_FOUND;
}

static void open_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct open_state *state = tevent_req_data(req, struct open_state);
	struct collect_call *call = &state->call;
	everr_t err;

	if (!collect_call_recv(req, call, subreq, state)) {
		return;
	}
	if (is_unknown_publisher(state->r.out.result)) {
		collect_failure_set(&call->failure, EVERR_PUBLISHER,
				    "%s: cannot %s: there is none of that name",
				    call->connection->where, call->what);
		call->failure.win32 = W_ERROR_V(state->r.out.result);
		tevent_req_error(req, EVERR_PUBLISHER);
		return;
	}
	if (!collect_call_ok(req, call, state->r.out.result)) {
		return;
	}
	err = publisher_take(state->publisher, &state->list);
	if (err != EVERR_OK) {
		collect_call_failed(req, call, err);
		return;
	}
	state->publisher->handle = state->handle;
	tevent_req_done(req);
}

everr_t collect_publisher_open_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				    struct collect_publisher **ret_publisher,
				    struct collect_failure *ret_failure)
{
	struct open_state *state = tevent_req_data(req, struct open_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_publisher = talloc_move(mem_ctx, &state->publisher);
	}
	tevent_req_received(req);
	return err;
}

/* ------------------------------------------------------------- details */

static const uint32_t detail_groups[] = {
	PROPERTY_HELP_LINK, PROPERTY_MESSAGE_ID, PROPERTY_LEVELS,
	PROPERTY_TASKS,	    PROPERTY_OPCODES,	 PROPERTY_KEYWORDS,
};
#define NUM_DETAIL_GROUPS (sizeof(detail_groups) / sizeof(detail_groups[0]))

struct details_state {
	struct collect_call call;
	struct even6_EvtRpcGetPublisherResourceMetadata r;
	struct even6_EvtRpcVariantList list;
	struct policy_handle handle;
	size_t group; /* index of the one asked for */
	struct collect_publisher_details *details;
};

static void details_get(struct tevent_req *req);
static void details_got(struct tevent_req *subreq);

struct tevent_req *collect_publisher_details_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_publisher *publisher)
{
	struct details_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct details_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, publisher->connection,
				"read the publisher's metadata",
				COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	state->handle = publisher->handle;
	state->details = talloc_zero(state, struct collect_publisher_details);
	if (tevent_req_nomem(state->details, req)) {
		return tevent_req_post(req, ev);
	}
	state->details->message_id = COLLECT_MESSAGE_NONE;
	details_get(req);
	return collect_call_posted(req, ev);
}

static void details_get(struct tevent_req *req)
{
	struct details_state *state =
		tevent_req_data(req, struct details_state);

	state->r = (struct even6_EvtRpcGetPublisherResourceMetadata){{0}};
	state->list = (struct even6_EvtRpcVariantList){0};
	state->r.in.handle = &state->handle;
	state->r.in.propertyId = detail_groups[state->group];
	state->r.out.pubMetadataProps = &state->list;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCGETPUBLISHERRESOURCEMETADATA,
			  &state->r, details_got);
}

/* An opcode's value has its task in the low word. */
static void name_set_value(struct collect_publisher_name *name, uint32_t group,
			   uint64_t value)
{
	if (group == PROPERTY_OPCODES) {
		name->value = value >> 16;
		name->task = value & 0xFFFF;
		return;
	}
	name->value = value;
}

/*
 * A group: names, GUIDs for tasks, values (of 64 bits for keywords), message
 * ids.
 */
static everr_t names_take(TALLOC_CTX *mem_ctx,
			  const struct even6_EvtRpcVariantList *list,
			  uint32_t group,
			  struct collect_publisher_names *ret_names)
{
	uint32_t value_at = group == PROPERTY_TASKS ? group + 3 : group + 2;
	const struct even6_StringArray *texts =
		collect_variant_strings(list, group + 1);
	const struct even6_UInt32Array *values =
		collect_variant_uint32s(list, value_at);
	const struct even6_UInt64Array *masks =
		collect_variant_uint64s(list, value_at);
	const struct even6_UInt32Array *message_ids =
		collect_variant_uint32s(list, value_at + 1);
	const struct even6_GuidArray *guids =
		collect_variant_guids(list, group + 2);
	struct collect_publisher_name *names = NULL;
	uint32_t num_values;
	uint32_t i;

	if (texts == NULL) {
		return EVERR_OK;
	}
	if ((values == NULL && masks == NULL) || message_ids == NULL) {
		return EVERR_PROTOCOL;
	}
	num_values = values != NULL ? values->count : masks->count;
	if (num_values != texts->count || message_ids->count != texts->count ||
	    (guids != NULL && guids->count != texts->count)) {
		return EVERR_PROTOCOL;
	}
	names = talloc_zero_array(mem_ctx, struct collect_publisher_name,
				  texts->count);
	if (names == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < texts->count; i++) {
		names[i].name = collect_text_copy(names, texts->ptr[i]);
		if (names[i].name == NULL) {
			return EVERR_NOMEM;
		}
		name_set_value(&names[i], group,
			       values != NULL ? values->ptr[i] : masks->ptr[i]);
		if (guids != NULL) {
			names[i].guid = collect_guid(&guids->ptr[i]);
		}
		names[i].message_id = message_ids->ptr[i];
	}
	ret_names->names = names;
	ret_names->num = texts->count;
	return EVERR_OK;
}

static everr_t details_take(struct details_state *state)
{
	struct collect_publisher_details *details = state->details;
	const struct even6_EvtRpcVariantList *list = &state->list;
	uint32_t group = detail_groups[state->group];

	switch (group) {
	case PROPERTY_HELP_LINK:
		return collect_variant_string(list, group, details,
					      &details->help_link);
	case PROPERTY_MESSAGE_ID:
		collect_variant_uint32(list, group, &details->message_id);
		return EVERR_OK;
	case PROPERTY_LEVELS:
		return names_take(details, list, group, &details->levels);
	case PROPERTY_TASKS:
		return names_take(details, list, group, &details->tasks);
	case PROPERTY_OPCODES:
		return names_take(details, list, group, &details->opcodes);
	default:
		return names_take(details, list, group, &details->keywords);
	}
}

static void details_got(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct details_state *state =
		tevent_req_data(req, struct details_state);
	everr_t err;

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	/* A group that the publisher has not is left out, not an error. */
	if (W_ERROR_IS_OK(state->r.out.result)) {
		err = details_take(state);
		if (err != EVERR_OK) {
			collect_call_failed(req, &state->call, err);
			return;
		}
	}
	state->group++;
	if (state->group < NUM_DETAIL_GROUPS) {
		details_get(req);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_publisher_details_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx,
	struct collect_publisher_details **ret_details,
	struct collect_failure *ret_failure)
{
	struct details_state *state =
		tevent_req_data(req, struct details_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_details = talloc_move(mem_ctx, &state->details);
	}
	tevent_req_received(req);
	return err;
}

/* --------------------------------------------------------------- close */

struct close_state {
	struct collect_call call;
	struct even6_EvtRpcClose r;
	struct policy_handle handle;
};

static void close_done(struct tevent_req *subreq);

struct tevent_req *collect_publisher_close_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_publisher *publisher)
{
	struct close_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct close_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, publisher->connection,
				"close the publisher", CLOSE_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	state->handle = publisher->handle;
	state->r.in.handle = &state->handle;
	state->r.out.handle = &state->handle;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCLOSE, &state->r,
			  close_done);
	return collect_call_posted(req, ev);
}

static void close_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct close_state *state = tevent_req_data(req, struct close_state);

	if (!collect_call_recv(req, &state->call, subreq, state) ||
	    !collect_call_ok(req, &state->call, state->r.out.result)) {
		return;
	}
	tevent_req_done(req);
}

everr_t collect_publisher_close_recv(struct tevent_req *req,
				     struct collect_failure *ret_failure)
{
	struct close_state *state = tevent_req_data(req, struct close_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

/* -------------------------------------------------------- display name */

struct display_name_state {
	struct collect_call call;
	struct even6_EvtRpcGetClassicLogDisplayName r;
	const char *name;
};

/* Flag: the best locale there is. */
#define DISPLAY_NAME_BEST_LOCALE 0x100

static void display_name_done(struct tevent_req *subreq);

struct tevent_req *collect_display_name_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *log, uint32_t lcid)
{
	struct display_name_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct display_name_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(
		    req, &state->call, ev, connection,
		    collect_call_about(state, "read the display name of", log),
		    COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	state->r.in.logName = talloc_strdup(state, log);
	if (tevent_req_nomem(state->r.in.logName, req)) {
		return tevent_req_post(req, ev);
	}
	state->r.in.locale = lcid;
	state->r.in.flags = DISPLAY_NAME_BEST_LOCALE;
	state->r.out.displayName = &state->name;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCGETCLASSICLOGDISPLAYNAME, &state->r,
			  display_name_done);
	return collect_call_posted(req, ev);
}

static void display_name_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct display_name_state *state =
		tevent_req_data(req, struct display_name_state);

	if (!collect_call_recv(req, &state->call, subreq, state) ||
	    !collect_call_ok(req, &state->call, state->r.out.result)) {
		return;
	}
	if (state->name == NULL) {
		collect_call_malformed(req, &state->call);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_display_name_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				  const char **ret_name,
				  struct collect_failure *ret_failure)
{
	struct display_name_state *state =
		tevent_req_data(req, struct display_name_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_name = talloc_move(mem_ctx, &state->name);
	}
	tevent_req_received(req);
	return err;
}
