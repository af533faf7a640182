/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/render.h"

#include "base/buf.h"
#include "base/text.h"
#include "collect/call.h"
#include "idl/ndr_even6.h"

#include <string.h>

/* Bytes that do for nearly every text; what is longer is asked for again. */
#define FIRST_SIZE 16384
/* A UTF-16 unit becomes at most three bytes. */
#define TEXT_MAX (3 * EVEN6_MAX_RPC_RENDERED_STRING_SIZE)

#define W_INSUFFICIENT_BUFFER 122

struct render_state {
	struct collect_call call;
	bool with_handle;
	union {
		struct even6_EvtRpcMessageRender handle;
		struct even6_EvtRpcMessageRenderDefault none;
	} r;
	enum collect_render what;
	struct policy_handle handle;
	uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE];
	uint32_t message_id;
	struct even6_EvtRpcVariantList values;

	uint32_t size;
	uint32_t actual;
	uint32_t needed;
	uint8_t *string;
	struct even6_RpcInfo error;

	struct collect_text text;
};

static void render_call(struct tevent_req *req);
static void render_done(struct tevent_req *subreq);

static bool values_copy(struct render_state *state,
			const struct collect_render_request *request)
{
	struct even6_EvtRpcVariant *props = NULL;
	size_t num = request->num_inserts;
	size_t i;

	if (num > COLLECT_RENDER_INSERTS_MAX) {
		num = COLLECT_RENDER_INSERTS_MAX;
	}
	props = talloc_zero_array(state, struct even6_EvtRpcVariant, num);
	if (props == NULL) {
		return false;
	}
	for (i = 0; i < num; i++) {
		props[i].type = EvtRpcVarTypeString;
		props[i].var.stringVal =
			talloc_strdup(props, request->inserts[i]);
		if (props[i].var.stringVal == NULL) {
			return false;
		}
	}
	state->values.count = (uint32_t)num;
	state->values.props = props;
	return true;
}

struct tevent_req *collect_render_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection,
	struct collect_publisher *publisher,
	const struct collect_render_request *request)
{
	struct render_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct render_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, connection,
				"read a message", COLLECT_CALL_TIMEOUT)) {
		return tevent_req_post(req, ev);
	}
	if (!values_copy(state, request)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	if (publisher != NULL) {
		state->with_handle = true;
		state->handle = publisher->handle;
	}
	state->what = request->what;
	memcpy(state->descriptor, request->descriptor,
	       sizeof(state->descriptor));
	state->message_id = request->message_id;
	state->size = FIRST_SIZE;
	render_call(req);
	return collect_call_posted(req, ev);
}

#define RENDER_FILL(r, state)                                  \
	do {                                                   \
		(r)->in.sizeEventId = COLLECT_DESCRIPTOR_SIZE; \
		(r)->in.eventId = (state)->descriptor;         \
		(r)->in.messageId = (state)->message_id;       \
		(r)->in.values = &(state)->values;             \
		(r)->in.flags = (uint32_t)(state)->what;       \
		(r)->in.maxSizeString = (state)->size;         \
		(r)->out.actualSizeString = &(state)->actual;  \
		(r)->out.neededSizeString = &(state)->needed;  \
		(r)->out.string = &(state)->string;            \
		(r)->out.error = &(state)->error;              \
	} while (0)

static void render_call(struct tevent_req *req)
{
	struct render_state *state = tevent_req_data(req, struct render_state);

	memset(&state->r, 0, sizeof(state->r));
	if (state->with_handle) {
		state->r.handle.in.pubCfgObj = &state->handle;
		RENDER_FILL(&state->r.handle, state);
		collect_call_send(req, &state->call,
				  NDR_EVEN6_EVTRPCMESSAGERENDER,
				  &state->r.handle, render_done);
		return;
	}
	RENDER_FILL(&state->r.none, state);
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCMESSAGERENDERDEFAULT, &state->r.none,
			  render_done);
}

/*
 * UTF-16 with a NUL at its end to UTF-8.  Keywords: a NUL after each, and the
 * one at the end of all.
 */
static everr_t text_take(struct render_state *state)
{
	size_t units = state->actual / 2;
	struct buf text;

	if (state->string == NULL) {
		return EVERR_PROTOCOL;
	}
	if (state->what != COLLECT_RENDER_KEYWORDS) {
		units = text_utf16_nlen(state->string, units);
	} else if (units > 0 && le16_get(state->string + 2 * units - 2) == 0) {
		units--;
	}
	buf_init(&text, state, TEXT_MAX);
	text_utf16_to_utf8(&text, state->string, units);
	buf_put_u8(&text, 0);
	if (buf_error(&text) != EVERR_OK) {
		return EVERR_NOMEM;
	}
	state->text.text = (char *)text.data;
	state->text.len = text.len - 1;
	return EVERR_OK;
}

/* Whether to ask again with the size that the service says it takes. */
static bool render_again(struct render_state *state, WERROR result)
{
	if (W_ERROR_V(result) != W_INSUFFICIENT_BUFFER ||
	    state->needed <= state->size ||
	    state->needed > EVEN6_MAX_RPC_RENDERED_STRING_SIZE) {
		return false;
	}
	state->size = state->needed;
	return true;
}

static void render_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct render_state *state = tevent_req_data(req, struct render_state);
	WERROR result;
	everr_t err;

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	result = state->with_handle ? state->r.handle.out.result
				    : state->r.none.out.result;
	/* It grows at most once: a service that goes on changing is wrong. */
	if (state->size == FIRST_SIZE && render_again(state, result)) {
		render_call(req);
		return;
	}
	if (!collect_call_ok(req, &state->call, result)) {
		return;
	}
	err = text_take(state);
	if (err != EVERR_OK) {
		collect_call_failed(req, &state->call, err);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_render_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    struct collect_text *ret_text,
			    struct collect_failure *ret_failure)
{
	struct render_state *state = tevent_req_data(req, struct render_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		ret_text->len = state->text.len;
		ret_text->text = talloc_move(mem_ctx, &state->text.text);
	}
	tevent_req_received(req);
	return err;
}
