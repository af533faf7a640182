/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Publish and Import of the control interface: events from local programs.
 * The answer goes out when the events are on disk, never before.
 */

#include "idl/control_server.h"
#include "rpc/internal.h"

/* What both calls are about. */
struct publish_request {
	const char *channel;
	uint32_t count;
	const struct control_Event *events;
	bool born_here;
	/* The call's results. */
	uint64_t *first_id;
	uint32_t *bad_index;
	uint32_t *error;
	WERROR *result;
};

struct publish_state {
	struct rpc_service *service;
	struct publish_request r;
	struct rpc_parked *parked;
	struct tevent_req *append;
};

static void publish_answer(const struct publish_request *r, everr_t err,
			   uint64_t first_id, uint32_t bad_index)
{
	*r->error = (uint32_t)err;
	*r->first_id = first_id;
	*r->bad_index = bad_index;
	*r->result = WERR_OK;
}

/* The publisher is gone; what it handed over is stored all the same. */
static void publish_lost(void *private_data)
{
	struct publish_state *state =
		talloc_get_type_abort(private_data, struct publish_state);

	TALLOC_FREE(state->append);
	state->parked = NULL;
}

/* Events are lost to this decision of somebody's: he should hear of it. */
static void publish_report_full(struct rpc_service *service,
				const char *channel)
{
	const char *const fields[] = {"Channel", channel};

	operational_report(service->operational, OPERATIONAL_CHANNEL_FULL,
			   channel, fields, 1);
}

static void publish_done(struct tevent_req *req)
{
	struct publish_state *state =
		tevent_req_callback_data(req, struct publish_state);
	size_t bad = CONTROL_PUBLISH_NO_INDEX;
	uint64_t first_id = 0;
	everr_t err;

	err = store_append_recv(req, &first_id, &bad);
	TALLOC_FREE(req);
	state->append = NULL;
	if (err == EVERR_CHANNEL_FULL) {
		publish_report_full(state->service, state->r.channel);
	}
	publish_answer(&state->r, err, first_id,
		       bad < state->r.count ? (uint32_t)bad
					    : CONTROL_PUBLISH_NO_INDEX);
	rpc_unpark_reply(state->parked);
}

static everr_t publish_start(struct dcesrv_call_state *call,
			     TALLOC_CTX *mem_ctx, struct store_channel *channel,
			     const struct publish_request *r)
{
	struct rpc_service *service = rpc_call_service(call);
	struct publish_state *state = NULL;
	struct store_input *inputs = NULL;
	everr_t err;
	uint32_t i;

	state = talloc_zero(mem_ctx, struct publish_state);
	inputs = talloc_zero_array(mem_ctx, struct store_input, r->count);
	if (state == NULL || inputs == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < r->count; i++) {
		inputs[i] = (struct store_input){
			.doc = r->events[i].data,
			.len = r->events[i].length,
			.born_here = r->born_here,
		};
	}

	state->r = *r;
	state->service = service;
	err = rpc_park(call, publish_lost, state, &state->parked);
	if (err != EVERR_OK) {
		return err;
	}
	state->append = store_append_send(state, service->ev, channel, inputs,
					  r->count, NULL, 0);
	TALLOC_FREE(inputs);
	if (state->append == NULL) {
		rpc_unpark_reply(state->parked);
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(state->append, publish_done, state);
	return EVERR_OK;
}

static WERROR publish(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
		      const struct publish_request *r)
{
	struct rpc_service *service = rpc_call_service(call);
	struct store_channel *channel = NULL;
	everr_t err;

	err = store_channel_find(service->store, r->channel, &channel);
	if (err == EVERR_OK) {
		err = rpc_access_check(call, channel, RPC_ACCESS_WRITE);
	}
	if (err == EVERR_OK && r->count > 0) {
		err = publish_start(call, mem_ctx, channel, r);
		if (err == EVERR_OK) {
			/* Parked, or answered already: out is set by then. */
			return *r->result;
		}
	}
	publish_answer(r, err, 0, CONTROL_PUBLISH_NO_INDEX);
	return WERR_OK;
}

WERROR dcesrv_control_Publish(struct dcesrv_call_state *call,
			      TALLOC_CTX *mem_ctx, struct control_Publish *r)
{
	const struct publish_request request = {
		.channel = r->in.channel,
		.count = r->in.count,
		.events = r->in.events,
		.born_here = true,
		.first_id = r->out.first_id,
		.bad_index = r->out.bad_index,
		.error = r->out.error,
		.result = &r->out.result,
	};

	return publish(call, mem_ctx, &request);
}

WERROR dcesrv_control_Import(struct dcesrv_call_state *call,
			     TALLOC_CTX *mem_ctx, struct control_Import *r)
{
	const struct publish_request request = {
		.channel = r->in.channel,
		.count = r->in.count,
		.events = r->in.events,
		.born_here = false,
		.first_id = r->out.first_id,
		.bad_index = r->out.bad_index,
		.error = r->out.error,
		.result = &r->out.result,
	};

	return publish(call, mem_ctx, &request);
}
