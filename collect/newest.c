/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/newest.h"

#include "collect/call.h"
#include "collect/peek.h"

struct newest_state {
	struct tevent_context *ev;
	struct collect_connection *connection;
	const char **names;
	size_t num_names;
	size_t index; /* of the channel that is looked at */
	struct event_bookmark_list *list;
	bool has_current;
	struct collect_failure failure;
};

static void newest_channel(struct tevent_req *req);
static void newest_peeked(struct tevent_req *subreq);

static bool newest_copy(struct newest_state *state,
			const struct collect_channel *channels,
			size_t num_channels)
{
	size_t i;

	state->names = talloc_zero_array(state, const char *, num_channels);
	state->list = talloc_zero(state, struct event_bookmark_list);
	if (state->names == NULL || state->list == NULL) {
		return false;
	}
	state->list->bookmarks = talloc_zero_array(
		state->list, struct event_bookmark, num_channels);
	if (state->list->bookmarks == NULL) {
		return false;
	}
	for (i = 0; i < num_channels; i++) {
		const char *name = NULL;

		if (channels[i].status != 0) {
			continue;
		}
		name = talloc_strdup(state->names, channels[i].name);
		if (name == NULL) {
			return false;
		}
		state->names[state->num_names] = name;
		state->num_names++;
	}
	return true;
}

struct tevent_req *collect_newest_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const struct collect_channel *channels,
				       size_t num_channels)
{
	struct newest_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct newest_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->connection = connection;
	if (!newest_copy(state, channels, num_channels)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	newest_channel(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void newest_channel(struct tevent_req *req)
{
	struct newest_state *state = tevent_req_data(req, struct newest_state);
	struct tevent_req *subreq = NULL;

	if (state->index == state->num_names) {
		tevent_req_done(req);
		return;
	}
	subreq = collect_peek_send(state, state->ev, state->connection,
				   state->names[state->index],
				   COLLECT_PEEK_NEWEST, 0);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, newest_peeked, req);
}

/* The channel's place; the first one that is at a record is the current. */
static void newest_add(struct newest_state *state, uint64_t record_id)
{
	struct event_bookmark_list *list = state->list;

	list->bookmarks[list->num_bookmarks] = (struct event_bookmark){
		.channel = state->names[state->index],
		.record_id = record_id,
		.is_current = record_id != 0 && !state->has_current,
	};
	list->num_bookmarks++;
	state->has_current |= record_id != 0;
}

static void newest_peeked(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct newest_state *state = tevent_req_data(req, struct newest_state);
	struct collect_peek peek;
	everr_t err;

	err = collect_peek_recv(subreq, &peek, &state->failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	newest_add(state, peek.found ? peek.record_id : 0);
	state->index++;
	newest_channel(req);
}

everr_t collect_newest_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    struct event_bookmark_list **ret_list,
			    struct collect_failure *ret_failure)
{
	struct newest_state *state = tevent_req_data(req, struct newest_state);
	everr_t err;

	err = collect_request_end(req, NULL, NULL, &state->failure,
				  ret_failure);
	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	talloc_steal(state->list, state->names);
	*ret_list = talloc_move(mem_ctx, &state->list);
	tevent_req_received(req);
	return EVERR_OK;
}
