/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "bridge/events.h"

#include <string.h>

/* What the channel keeps when nobody configured it. */
#define CHANNEL_BYTES (UINT64_C(256) * 1024 * 1024)
/* States of a change beside those of the message's id. */
#define MORE_STATES_MAX 8

struct store_wait_state {
	struct store_wait_state *prev, *next;
	struct configmgr_flight *flight; /* NULL: it has landed */
	struct tevent_req *req;
};

struct configmgr_flight {
	struct configmgr_flight *prev, *next;
	struct configmgr *configmgr;
	struct store_wait_state *waits;
	struct configmgr_replay_entry *entry; /* NULL: without an id */
	struct ev_guid id;
	uint64_t digest;
	size_t num_inputs;
	bool report; /* of a rejected message: nobody waits for it */
	void (*stored)(struct configmgr *configmgr, void *private_data);
	void *private_data;
};

/* --------------------------------------------------------------- flights */

static int flight_destructor(struct configmgr_flight *flight)
{
	struct configmgr *configmgr = flight->configmgr;

	if (flight->prev != NULL) {
		flight->prev->next = flight->next;
	} else {
		configmgr->flights = flight->next;
	}
	if (flight->next != NULL) {
		flight->next->prev = flight->prev;
	}
	while (flight->waits != NULL) {
		flight->waits->flight = NULL;
		flight->waits = flight->waits->next;
	}
	return 0;
}

static struct configmgr_flight *flight_create(
	struct configmgr *configmgr, const struct configmgr_change *change)
{
	struct configmgr_flight *flight = NULL;

	flight = talloc_zero(configmgr, struct configmgr_flight);
	if (flight == NULL) {
		return NULL;
	}
	flight->configmgr = configmgr;
	flight->digest = change->digest;
	flight->stored = change->stored;
	flight->private_data = talloc_steal(flight, change->private_data);
	flight->next = configmgr->flights;
	if (flight->next != NULL) {
		flight->next->prev = flight;
	}
	configmgr->flights = flight;
	talloc_set_destructor(flight, flight_destructor);
	return flight;
}

static void flight_landed(struct tevent_req *subreq)
{
	struct configmgr_flight *flight =
		tevent_req_callback_data(subreq, struct configmgr_flight);
	uint64_t first_id = 0;
	size_t bad = 0;
	everr_t err;

	err = store_append_recv(subreq, &first_id, &bad);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK && bad < flight->num_inputs) {
		err = EVERR_EVENT_TOO_LARGE;
	}
	if (err == EVERR_OK && flight->entry != NULL) {
		configmgr_replay_note(flight->entry);
		flight->entry = NULL;
	}
	if (err == EVERR_OK && flight->stored != NULL) {
		flight->stored(flight->configmgr, flight->private_data);
	}
	if (err != EVERR_OK && flight->report) {
		flight->configmgr->counters.rejected_silently++;
	}
	while (flight->waits != NULL) {
		struct store_wait_state *wait = flight->waits;

		flight->waits = wait->next;
		if (wait->next != NULL) {
			wait->next->prev = NULL;
		}
		wait->flight = NULL;
		if (err == EVERR_OK) {
			tevent_req_done(wait->req);
		} else {
			tevent_req_error(wait->req, err);
		}
	}
	talloc_free(flight);
}

everr_t configmgr_channel_ready(struct configmgr *configmgr)
{
	static const struct store_channel_config config = {
		.enabled = true,
		.max_bytes = CHANNEL_BYTES,
	};
	everr_t err;

	if (configmgr->channel != NULL &&
	    !store_channel_removed(configmgr->channel)) {
		return EVERR_OK;
	}
	/* What was configured for it stays. */
	err = store_channel_find(configmgr->store, BRIDGE_CONFIGMGR_CHANNEL,
				 &configmgr->channel);
	if (err != EVERR_CHANNEL_NOT_FOUND) {
		return err;
	}
	return store_channel_define(configmgr->store, BRIDGE_CONFIGMGR_CHANNEL,
				    &config, &configmgr->channel);
}

static struct store_input *change_inputs(TALLOC_CTX *mem_ctx,
					 const struct bridge_events *events)
{
	struct store_input *inputs = NULL;
	size_t i;

	inputs = talloc_zero_array(mem_ctx, struct store_input,
				   events->num_documents + 1);
	if (inputs == NULL) {
		return NULL;
	}
	for (i = 0; i < events->num_documents; i++) {
		inputs[i] = (struct store_input){
			.doc = events->documents[i].data,
			.len = events->documents[i].len,
			.born_here = true,
		};
	}
	return inputs;
}

static size_t change_states(const struct configmgr_flight *flight,
			    const struct configmgr_change *change,
			    struct store_state *states)
{
	size_t num = 0;

	if (flight->entry != NULL) {
		num = flight->entry->num_states;
		memcpy(states, flight->entry->states, num * sizeof(*states));
	}
	if (change->num_states > 0) {
		memcpy(states + num, change->states,
		       change->num_states * sizeof(*states));
	}
	return num + change->num_states;
}

static everr_t flight_start(struct configmgr_flight *flight,
			    const struct configmgr_change *change)
{
	const struct bridge_events none = {};
	const struct bridge_events *events =
		change->events != NULL ? change->events : &none;
	struct store_state states[CONFIGMGR_REPLAY_STATES + MORE_STATES_MAX];
	struct configmgr *configmgr = flight->configmgr;
	struct store_input *inputs = NULL;
	struct tevent_req *subreq = NULL;
	everr_t err;

	if (change->num_states > MORE_STATES_MAX) {
		return EVERR_INVALID;
	}
	err = configmgr_channel_ready(configmgr);
	if (err != EVERR_OK) {
		return err;
	}
	if (change->id != NULL) {
		flight->id = *change->id;
		err = configmgr_replay_prepare(flight,
					       change->replay != NULL
						       ? change->replay
						       : configmgr->seen,
					       change->id, change->digest,
					       change->now, &flight->entry);
		if (err != EVERR_OK) {
			return err;
		}
	}
	inputs = change_inputs(flight, events);
	if (inputs == NULL) {
		return EVERR_NOMEM;
	}
	flight->num_inputs = events->num_documents;
	subreq = store_append_send(flight, configmgr->ev, configmgr->channel,
				   inputs, flight->num_inputs, states,
				   change_states(flight, change, states));
	talloc_free(inputs);
	if (subreq == NULL) {
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(subreq, flight_landed, flight);
	return EVERR_OK;
}

/* -------------------------------------------------------------- requests */

static int wait_destructor(struct store_wait_state *wait)
{
	if (wait->flight == NULL) {
		return 0;
	}
	if (wait->prev != NULL) {
		wait->prev->next = wait->next;
	} else {
		wait->flight->waits = wait->next;
	}
	if (wait->next != NULL) {
		wait->next->prev = wait->prev;
	}
	return 0;
}

static struct tevent_req *wait_create(TALLOC_CTX *mem_ctx,
				      struct store_wait_state **ret_wait)
{
	struct store_wait_state *wait = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &wait, struct store_wait_state);
	if (req == NULL) {
		return NULL;
	}
	wait->req = req;
	talloc_set_destructor(wait, wait_destructor);
	*ret_wait = wait;
	return req;
}

static void wait_join(struct store_wait_state *wait,
		      struct configmgr_flight *flight)
{
	wait->flight = flight;
	wait->next = flight->waits;
	if (wait->next != NULL) {
		wait->next->prev = wait;
	}
	flight->waits = wait;
}

struct tevent_req *configmgr_store_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct configmgr *configmgr,
					const struct configmgr_change *change)
{
	struct configmgr_flight *flight = NULL;
	struct store_wait_state *wait = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = wait_create(mem_ctx, &wait);
	if (req == NULL) {
		return NULL;
	}
	flight = flight_create(configmgr, change);
	if (tevent_req_nomem(flight, req)) {
		return tevent_req_post(req, ev);
	}
	err = flight_start(flight, change);
	if (err != EVERR_OK) {
		talloc_free(flight);
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	wait_join(wait, flight);
	return req;
}

everr_t configmgr_store_report(struct configmgr *configmgr,
			       const struct configmgr_change *change)
{
	struct configmgr_flight *flight = flight_create(configmgr, change);
	everr_t err;

	if (flight == NULL) {
		return EVERR_NOMEM;
	}
	flight->report = true;
	err = flight_start(flight, change);
	if (err != EVERR_OK) {
		talloc_free(flight);
	}
	return err;
}

struct tevent_req *configmgr_store_join_send(TALLOC_CTX *mem_ctx,
					     struct configmgr *configmgr,
					     const struct ev_guid *id,
					     uint64_t digest, bool *ret_differs)
{
	struct configmgr_flight *flight = configmgr->flights;
	struct store_wait_state *wait = NULL;
	struct tevent_req *req = NULL;

	while (flight != NULL &&
	       (flight->entry == NULL || !ev_guid_equal(&flight->id, id))) {
		flight = flight->next;
	}
	if (flight == NULL) {
		return NULL;
	}
	if (flight->digest != digest) {
		*ret_differs = true;
		return NULL;
	}
	req = wait_create(mem_ctx, &wait);
	if (req != NULL) {
		wait_join(wait, flight);
	}
	return req;
}

everr_t configmgr_store_recv(struct tevent_req *req)
{
	enum tevent_req_state state;
	uint64_t err = 0;

	if (!tevent_req_is_error(req, &state, &err)) {
		return EVERR_OK;
	}
	return state == TEVENT_REQ_USER_ERROR ? (everr_t)err : EVERR_NOMEM;
}
