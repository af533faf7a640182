/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/configure.h"

#include "collect/call.h"
#include "collect/client.h"
#include "collect/variant.h"
#include "idl/ndr_even6.h"

/* Win32 codes, [MS-ERREF] 2.2 and facts 4.6. */
#define W_ACCESS_DENIED 5
#define W_INVALID_DATA 13
#define W_INVALID_PARAMETER 87
#define W_NOT_FOUND 1168
#define W_INVALID_OPERATION 4317

/* facts 12.1 */
static const struct {
	const char *name;
	enum even6_EvtRpcVariantType type;
} table[COLLECT_PROPERTIES] = {
	[COLLECT_ENABLED] = {"Enabled", EvtRpcVarTypeBoolean},
	[COLLECT_ISOLATION] = {"Isolation", EvtRpcVarTypeUInt32},
	[COLLECT_TYPE] = {"Type", EvtRpcVarTypeUInt32},
	[COLLECT_OWNING_PUBLISHER] = {"OwningPublisher", EvtRpcVarTypeString},
	[COLLECT_CLASSIC] = {"ClassicEventlog", EvtRpcVarTypeBoolean},
	[COLLECT_ACCESS] = {"Access", EvtRpcVarTypeString},
	[COLLECT_RETENTION] = {"Retention", EvtRpcVarTypeBoolean},
	[COLLECT_AUTO_BACKUP] = {"AutoBackup", EvtRpcVarTypeBoolean},
	[COLLECT_MAX_SIZE] = {"MaxSize", EvtRpcVarTypeUInt64},
	[COLLECT_LOG_FILE_PATH] = {"LogFilePath", EvtRpcVarTypeString},
	[COLLECT_LEVEL] = {"Level", EvtRpcVarTypeUInt32},
	[COLLECT_KEYWORDS] = {"Keywords", EvtRpcVarTypeUInt64},
	[COLLECT_CONTROL_GUID] = {"ControlGuid", EvtRpcVarTypeGuid},
	[COLLECT_BUFFER_SIZE] = {"BufferSize", EvtRpcVarTypeUInt64},
	[COLLECT_MIN_BUFFERS] = {"MinBuffers", EvtRpcVarTypeUInt32},
	[COLLECT_MAX_BUFFERS] = {"MaxBuffers", EvtRpcVarTypeUInt32},
	[COLLECT_LATENCY] = {"Latency", EvtRpcVarTypeUInt32},
	[COLLECT_CLOCK_TYPE] = {"ClockType", EvtRpcVarTypeUInt32},
	[COLLECT_SID_TYPE] = {"SidType", EvtRpcVarTypeUInt32},
	[COLLECT_PUBLISHER_LIST] = {"PublisherList", EvtRpcVarTypeStringArray},
	[COLLECT_FILE_MAX] = {"FileMax", EvtRpcVarTypeUInt32},
};

const char *collect_property_name(uint32_t property)
{
	return property < COLLECT_PROPERTIES ? table[property].name
					     : "(unknown property)";
}

/* ----------------------------------------------------------------- get */

struct get_state {
	struct collect_call call;
	struct even6_EvtRpcGetChannelConfig r;
	struct even6_EvtRpcVariantList list;
	struct collect_channel_config *config;
};

static void get_done(struct tevent_req *subreq);

struct tevent_req *collect_config_get_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel)
{
	struct get_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct get_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, connection,
				collect_call_about(state,
						   "read the properties of",
						   channel),
				COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	state->r.in.channelPath = talloc_strdup(state, channel);
	if (tevent_req_nomem(state->r.in.channelPath, req)) {
		return tevent_req_post(req, ev);
	}
	state->r.out.props = &state->list;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCGETCHANNELCONFIG,
			  &state->r, get_done);
	return collect_call_posted(req, ev);
}

/* Of the type that the table says, or a list without memory. */
static everr_t get_text(TALLOC_CTX *mem_ctx,
			const struct even6_EvtRpcVariantList *list,
			uint32_t index, struct collect_value *value)
{
	everr_t err;

	err = collect_variant_string(list, index, mem_ctx, &value->text);
	value->present = err == EVERR_OK && value->text != NULL;
	return err;
}

static everr_t get_list(TALLOC_CTX *mem_ctx,
			const struct even6_EvtRpcVariantList *list,
			uint32_t index, struct collect_value *value)
{
	const struct even6_StringArray *strings =
		collect_variant_strings(list, index);
	everr_t err;

	if (strings == NULL) {
		return EVERR_OK;
	}
	err = collect_strings_copy(mem_ctx, strings->ptr, strings->count,
				   &value->list);
	if (err == EVERR_OK) {
		value->num_list = strings->count;
		value->present = true;
	}
	return err;
}

/* Windows' own tools know BufferSize as 32 bits (facts 12.1). */
static void get_number(const struct even6_EvtRpcVariant *variant,
		       struct collect_value *value)
{
	value->present = true;
	switch (variant->type) {
	case EvtRpcVarTypeBoolean:
		value->number = variant->var.booleanVal != 0;
		break;
	case EvtRpcVarTypeUInt32:
		value->number = variant->var.uint32Val;
		break;
	case EvtRpcVarTypeUInt64:
		value->number = variant->var.uint64Val;
		break;
	default:
		value->present = false;
		break;
	}
}

static everr_t get_value(TALLOC_CTX *mem_ctx,
			 const struct even6_EvtRpcVariantList *list,
			 uint32_t index, struct collect_value *value)
{
	const struct even6_EvtRpcVariant *variant = &list->props[index];

	switch (table[index].type) {
	case EvtRpcVarTypeString:
		return get_text(mem_ctx, list, index, value);
	case EvtRpcVarTypeStringArray:
		return get_list(mem_ctx, list, index, value);
	default:
		if (variant->type == table[index].type ||
		    index == COLLECT_BUFFER_SIZE) {
			get_number(variant, value);
		}
		return EVERR_OK;
	}
}

static void get_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct get_state *state = tevent_req_data(req, struct get_state);
	everr_t err;
	uint32_t i;

	if (!collect_call_recv(req, &state->call, subreq, state) ||
	    !collect_call_ok(req, &state->call, state->r.out.result)) {
		return;
	}
	if (state->list.count > 0 && state->list.props == NULL) {
		collect_call_malformed(req, &state->call);
		return;
	}
	state->config = talloc_zero(state, struct collect_channel_config);
	if (tevent_req_nomem(state->config, req)) {
		return;
	}
	for (i = 0; i < COLLECT_PROPERTIES && i < state->list.count; i++) {
		err = get_value(state->config, &state->list, i,
				&state->config->values[i]);
		if (err != EVERR_OK) {
			collect_call_failed(req, &state->call, err);
			return;
		}
	}
	tevent_req_done(req);
}

everr_t collect_config_get_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct collect_channel_config **ret_config,
				struct collect_failure *ret_failure)
{
	struct get_state *state = tevent_req_data(req, struct get_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_config = talloc_move(mem_ctx, &state->config);
	}
	tevent_req_received(req);
	return err;
}

/* ------------------------------------------------------------- changes */

/*
 * What the method said, then in full in call->failure.  Some of its codes mean
 * something else here than where logs are read.
 */
static everr_t change_result(struct collect_call *call, WERROR result,
			     const char *property)
{
	const char *text = NULL;
	everr_t err = EVERR_INVALID;

	switch (W_ERROR_V(result)) {
	case 0:
		return EVERR_OK;
	case W_ACCESS_DENIED:
		err = EVERR_ACCESS;
		text = "access denied; the account needs the channel's right "
		       "to write, or to be an administrator there";
		break;
	case W_INVALID_DATA:
		text = "the access string cannot be read";
		break;
	case W_INVALID_PARAMETER:
		text = "the service refused the value, or there is no such "
		       "channel";
		break;
	case W_NOT_FOUND:
		err = EVERR_CHANNEL_NOT_FOUND;
		text = "there is no such channel";
		break;
	case W_INVALID_OPERATION:
		err = EVERR_NOT_CHANGEABLE;
		text = "the service or its configuration file has fixed it";
		break;
	default:
		return collect_failure_win32(&call->failure,
					     call->connection->where,
					     call->what, W_ERROR_V(result));
	}
	collect_failure_set(
		&call->failure, err, "%s: cannot %s%s%s: %s (error 0x%x)",
		call->connection->where, call->what,
		property != NULL ? ": " : "", property != NULL ? property : "",
		text, (unsigned int)W_ERROR_V(result));
	call->failure.win32 = W_ERROR_V(result);
	return err;
}

struct put_state {
	struct collect_call call;
	struct even6_EvtRpcPutChannelConfig r;
	struct even6_EvtRpcVariantList list;
	struct even6_RpcInfo error;
};

static everr_t put_value(TALLOC_CTX *mem_ctx, uint32_t index,
			 const struct collect_value *value,
			 struct even6_EvtRpcVariant *variant)
{
	union even6_EvtRpcVariantUnion *var = &variant->var;

	variant->type = table[index].type;
	variant->flags = EVEN6_VAR_FLAGS_MODIFIED;
	switch (variant->type) {
	case EvtRpcVarTypeBoolean:
		var->booleanVal = value->number != 0;
		return EVERR_OK;
	case EvtRpcVarTypeUInt32:
		var->uint32Val = (uint32_t)value->number;
		return EVERR_OK;
	case EvtRpcVarTypeUInt64:
		var->uint64Val = value->number;
		return EVERR_OK;
	case EvtRpcVarTypeString:
		var->stringVal = talloc_strdup(mem_ctx, value->text);
		return var->stringVal != NULL ? EVERR_OK : EVERR_NOMEM;
	case EvtRpcVarTypeStringArray:
		var->stringArray.count = (uint32_t)value->num_list;
		return collect_strings_copy(mem_ctx, value->list,
					    (uint32_t)value->num_list,
					    &var->stringArray.ptr);
	default:
		variant->type = EvtRpcVarTypeNull;
		return EVERR_OK;
	}
}

static everr_t put_fill(struct put_state *state,
			const struct collect_channel_config *config)
{
	struct even6_EvtRpcVariant *props = NULL;
	everr_t err;
	uint32_t i;

	props = talloc_zero_array(state, struct even6_EvtRpcVariant,
				  COLLECT_PROPERTIES);
	if (props == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < COLLECT_PROPERTIES; i++) {
		if (!config->values[i].present) {
			continue;
		}
		err = put_value(props, i, &config->values[i], &props[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	state->list.count = COLLECT_PROPERTIES;
	state->list.props = props;
	return EVERR_OK;
}

static void put_done(struct tevent_req *subreq);

struct tevent_req *collect_config_put_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel,
	enum collect_config_mode mode,
	const struct collect_channel_config *config)
{
	struct put_state *state = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct put_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, connection,
				collect_call_about(state, "change", channel),
				COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	err = put_fill(state, config);
	state->r.in.channelPath = talloc_strdup(state, channel);
	if (err != EVERR_OK || state->r.in.channelPath == NULL) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	state->r.in.flags = mode;
	state->r.in.props = &state->list;
	state->r.out.error = &state->error;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCPUTCHANNELCONFIG,
			  &state->r, put_done);
	return collect_call_posted(req, ev);
}

/*
 * Windows may return 0 and name what failed for one property in the RpcInfo
 * only (facts 12.2).
 */
static void put_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct put_state *state = tevent_req_data(req, struct put_state);
	const struct even6_RpcInfo *error = &state->error;
	const char *property = NULL;
	WERROR result;
	everr_t err;

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	result = state->r.out.result;
	if (W_ERROR_IS_OK(result)) {
		result = W_ERROR(error->m_error);
	}
	if (error->m_subErrParam < COLLECT_PROPERTIES) {
		property = collect_property_name(error->m_subErrParam);
	}
	err = change_result(&state->call, result, property);
	if (err != EVERR_OK) {
		state->call.failure.sub_error = error->m_subErr;
		state->call.failure.sub_param = error->m_subErrParam;
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_config_put_recv(struct tevent_req *req,
				struct collect_failure *ret_failure)
{
	struct put_state *state = tevent_req_data(req, struct put_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

/* ---------------------------------------------------- assert, retract */

struct change_state {
	struct collect_call call;
	bool assert;
	union {
		struct even6_EvtRpcAssertConfig assert;
		struct even6_EvtRpcRetractConfig retract;
	} r;
};

static void change_done(struct tevent_req *subreq);

static struct tevent_req *change_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct collect_connection *connection,
				      const char *channel, bool assert)
{
	struct change_state *state = NULL;
	struct tevent_req *req = NULL;
	const char *path = NULL;

	req = tevent_req_create(mem_ctx, &state, struct change_state);
	if (req == NULL) {
		return NULL;
	}
	state->assert = assert;
	if (!collect_call_begin(req, &state->call, ev, connection,
				collect_call_about(state,
						   assert ? "change" : "remove",
						   channel),
				COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	path = talloc_strdup(state, channel);
	if (tevent_req_nomem(path, req)) {
		return tevent_req_post(req, ev);
	}
	if (assert) {
		state->r.assert.in.path = path;
		state->r.assert.in.flags = EVEN6_CONFIG_CHANNEL_PATH;
		collect_call_send(req, &state->call,
				  NDR_EVEN6_EVTRPCASSERTCONFIG,
				  &state->r.assert, change_done);
	} else {
		state->r.retract.in.path = path;
		state->r.retract.in.flags = EVEN6_CONFIG_CHANNEL_PATH;
		collect_call_send(req, &state->call,
				  NDR_EVEN6_EVTRPCRETRACTCONFIG,
				  &state->r.retract, change_done);
	}
	return collect_call_posted(req, ev);
}

static void change_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct change_state *state = tevent_req_data(req, struct change_state);
	WERROR result;
	everr_t err;

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	result = state->assert ? state->r.assert.out.result
			       : state->r.retract.out.result;
	err = change_result(&state->call, result, NULL);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

static everr_t change_recv(struct tevent_req *req,
			   struct collect_failure *ret_failure)
{
	struct change_state *state = tevent_req_data(req, struct change_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

struct tevent_req *collect_config_assert_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel)
{
	return change_send(mem_ctx, ev, connection, channel, true);
}

everr_t collect_config_assert_recv(struct tevent_req *req,
				   struct collect_failure *ret_failure)
{
	return change_recv(req, ret_failure);
}

struct tevent_req *collect_config_retract_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel)
{
	return change_send(mem_ctx, ev, connection, channel, false);
}

everr_t collect_config_retract_recv(struct tevent_req *req,
				    struct collect_failure *ret_failure)
{
	return change_recv(req, ret_failure);
}
