/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/client.h"

#include "base/buf.h"
#include "collect/call.h"
#include "idl/ndr_even6.h"

#include <stdio.h>
#include <string.h>

/* Seconds for each step of saying goodbye. */
#define CLOSE_TIMEOUT 3
/* Room for a bookmark list's XML. */
#define BOOKMARK_XML_MAX EVENT_BOOKMARK_LENGTH_MAX

/* ---------------------------------------------------------------- open */

struct open_state {
	struct collect_call call;
	enum collect_kind kind;
	union {
		struct even6_EvtRpcRegisterRemoteSubscription subscribe;
		struct even6_EvtRpcRegisterLogQuery query;
	} r;
	struct policy_handle handle;
	struct policy_handle control;
	uint32_t num;
	struct even6_EvtRpcQueryChannelInfo *info;
	struct even6_RpcInfo error;
	struct collect_channel *channels;
};

bool collect_query_is_structured(const char *query)
{
	return query != NULL && query[strspn(query, " \t\r\n")] == '<';
}

/* [MS-EVEN6] 3.1.4.8, the flags of a subscription. */
static uint32_t subscribe_flags(const struct collect_request *request)
{
	uint32_t flags = 0;

	switch (request->from) {
	case COLLECT_FROM_NOW:
		flags = EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS;
		break;
	case COLLECT_FROM_OLDEST:
		flags = EVEN6_SUBSCRIBE_START_AT_OLDEST_RECORD;
		break;
	case COLLECT_FROM_BOOKMARK:
		flags = EVEN6_SUBSCRIBE_START_AFTER_BOOKMARK;
		break;
	}
	if (request->tolerate) {
		flags |= EVEN6_SUBSCRIBE_TOLERATE_QUERY_ERRORS;
	}
	if (request->strict) {
		flags |= EVEN6_SUBSCRIBE_STRICT;
	}
	if (request->kind == COLLECT_PULL) {
		flags |= EVEN6_SUBSCRIBE_PULL;
	}
	return flags;
}

/*
 * RecordId 0 stands for "nothing seen".  No service need understand that: a
 * channel without an entry begins with its oldest record (facts 11.1).
 */
static const char *bookmark_text(TALLOC_CTX *mem_ctx,
				 const struct event_bookmark_list *list)
{
	struct event_bookmark_list seen = *list;
	struct buf xml;
	size_t i;

	seen.num_bookmarks = 0;
	seen.bookmarks = talloc_array(mem_ctx, struct event_bookmark,
				      list->num_bookmarks);
	if (seen.bookmarks == NULL) {
		return NULL;
	}
	for (i = 0; i < list->num_bookmarks; i++) {
		if (list->bookmarks[i].record_id != 0) {
			seen.bookmarks[seen.num_bookmarks] = list->bookmarks[i];
			seen.num_bookmarks++;
		}
	}

	buf_init(&xml, mem_ctx, BOOKMARK_XML_MAX);
	event_bookmark_write(&xml, &seen);
	talloc_free(seen.bookmarks);
	buf_put_u8(&xml, 0);
	return buf_error(&xml) == EVERR_OK ? (const char *)xml.data : NULL;
}

static void open_done(struct tevent_req *subreq);

static void open_subscription(struct tevent_req *req,
			      const struct collect_request *request,
			      const char *channel, const char *query)
{
	struct open_state *state = tevent_req_data(req, struct open_state);
	struct even6_EvtRpcRegisterRemoteSubscription *r = &state->r.subscribe;

	r->in.channelPath = channel;
	r->in.query = query;
	r->in.flags = subscribe_flags(request);
	if (request->from == COLLECT_FROM_BOOKMARK) {
		r->in.bookmarkXml = bookmark_text(state, request->bookmark);
		if (tevent_req_nomem(r->in.bookmarkXml, req)) {
			return;
		}
	}
	r->out.handle = &state->handle;
	r->out.control = &state->control;
	r->out.queryChannelInfoSize = &state->num;
	r->out.queryChannelInfo = &state->info;
	r->out.error = &state->error;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCREGISTERREMOTESUBSCRIPTION, r,
			  open_done);
}

static void open_query(struct tevent_req *req,
		       const struct collect_request *request,
		       const char *channel, const char *query)
{
	struct open_state *state = tevent_req_data(req, struct open_state);
	struct even6_EvtRpcRegisterLogQuery *r = &state->r.query;

	r->in.path = channel;
	r->in.query = query;
	r->in.flags = EVEN6_QUERY_CHANNEL_PATH;
	r->in.flags |= request->reverse ? EVEN6_QUERY_REVERSE_DIRECTION
					: EVEN6_QUERY_FORWARD_DIRECTION;
	if (request->tolerate) {
		r->in.flags |= EVEN6_QUERY_TOLERATE_QUERY_ERRORS;
	}
	r->out.handle = &state->handle;
	r->out.opControl = &state->control;
	r->out.queryChannelInfoSize = &state->num;
	r->out.queryChannelInfo = &state->info;
	r->out.error = &state->error;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCREGISTERLOGQUERY,
			  r, open_done);
}

/* For messages; what the state itself cannot hold is said shorter. */
static const char *open_what(TALLOC_CTX *mem_ctx,
			     const struct collect_request *request)
{
	const char *verb =
		request->kind == COLLECT_QUERY ? "query" : "subscribe to";
	const char *what = NULL;

	what = talloc_asprintf(mem_ctx, "%s %s", verb,
			       request->channel != NULL
				       ? request->channel
				       : "the channels of the query");
	return what != NULL ? what : verb;
}

struct tevent_req *collect_open_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     const struct collect_request *request)
{
	struct open_state *state = NULL;
	struct tevent_req *req = NULL;
	const char *channel = NULL;
	const char *query = NULL;

	req = tevent_req_create(mem_ctx, &state, struct open_state);
	if (req == NULL) {
		return NULL;
	}
	collect_call_init(&state->call, ev, connection,
			  open_what(state, request));
	state->kind = request->kind;
	if (!collect_call_set_timeout(req, &state->call,
				      COLLECT_CALL_TIMEOUT)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	if (request->channel != NULL) {
		channel = talloc_strdup(state, request->channel);
		if (tevent_req_nomem(channel, req)) {
			return tevent_req_post(req, ev);
		}
	}
	query = talloc_strdup(state,
			      request->query != NULL ? request->query : "*");
	if (tevent_req_nomem(query, req)) {
		return tevent_req_post(req, ev);
	}

	if (request->kind == COLLECT_QUERY) {
		open_query(req, request, channel, query);
	} else {
		open_subscription(req, request, channel, query);
	}
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static bool open_channels(struct open_state *state)
{
	uint32_t i;

	state->channels =
		talloc_zero_array(state, struct collect_channel, state->num);
	if (state->channels == NULL) {
		return false;
	}
	for (i = 0; i < state->num; i++) {
		const char *name = state->info[i].name;

		state->channels[i].status = state->info[i].status;
		state->channels[i].name = talloc_strdup(
			state->channels, name != NULL ? name : "");
		if (state->channels[i].name == NULL) {
			return false;
		}
	}
	return true;
}

/* Whoever waits may free the request as soon as it is told. */
static void open_refused(struct tevent_req *req, WERROR result)
{
	struct open_state *state = tevent_req_data(req, struct open_state);
	struct collect_failure *failure = &state->call.failure;

	collect_failure_win32(failure, state->call.connection->where,
			      state->call.what, W_ERROR_V(result));
	failure->sub_error = state->error.m_subErr;
	failure->sub_param = state->error.m_subErrParam;
	tevent_req_error(req, failure->err);
}

static void open_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct open_state *state = tevent_req_data(req, struct open_state);
	WERROR result;

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	result = state->kind == COLLECT_QUERY ? state->r.query.out.result
					      : state->r.subscribe.out.result;
	if (!W_ERROR_IS_OK(result)) {
		open_refused(req, result);
		return;
	}
	/* There is a channel for every query that was accepted. */
	if (state->num > 0 && state->info == NULL) {
		collect_call_malformed(req, &state->call);
		return;
	}
	if (!open_channels(state)) {
		tevent_req_oom(req);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_open_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			  struct collect_cursor **ret_cursor,
			  struct collect_failure *ret_failure)
{
	struct open_state *state = tevent_req_data(req, struct open_state);
	struct collect_cursor *cursor = NULL;
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	cursor = talloc_zero(mem_ctx, struct collect_cursor);
	if (cursor == NULL) {
		tevent_req_received(req);
		return collect_failure_set(ret_failure, EVERR_NOMEM,
					   "out of memory");
	}
	cursor->connection = state->call.connection;
	cursor->kind = state->kind;
	cursor->handle = state->handle;
	cursor->control = state->control;
	cursor->channels = talloc_move(cursor, &state->channels);
	cursor->num_channels = state->num;
	*ret_cursor = cursor;
	tevent_req_received(req);
	return EVERR_OK;
}

/* ---------------------------------------------------------------- next */

struct next_state {
	struct collect_call call;
	struct collect_cursor *cursor;
	union {
		struct even6_EvtRpcRemoteSubscriptionNextAsync push;
		struct even6_EvtRpcRemoteSubscriptionNext pull;
		struct even6_EvtRpcQueryNext query;
	} r;
	struct policy_handle handle;
	uint32_t num;
	uint32_t *offsets;
	uint32_t *sizes;
	uint32_t len;
	uint8_t *data;
	struct collect_batch *batch;
};

static void next_done(struct tevent_req *subreq);

static void next_push(struct tevent_req *req, uint32_t max_records)
{
	struct next_state *state = tevent_req_data(req, struct next_state);
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = &state->r.push;

	r->in.handle = &state->handle;
	r->in.numRequestedRecords = max_records;
	r->out.numActualRecords = &state->num;
	r->out.eventDataIndices = &state->offsets;
	r->out.eventDataSizes = &state->sizes;
	r->out.resultBufferSize = &state->len;
	r->out.resultBuffer = &state->data;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCREMOTESUBSCRIPTIONNEXTASYNC, r,
			  next_done);
}

static void next_pull(struct tevent_req *req, uint32_t max_records,
		      uint32_t timeout_ms)
{
	struct next_state *state = tevent_req_data(req, struct next_state);
	struct even6_EvtRpcRemoteSubscriptionNext *r = &state->r.pull;

	r->in.handle = &state->handle;
	r->in.numRequestedRecords = max_records;
	r->in.timeOut = timeout_ms;
	r->out.numActualRecords = &state->num;
	r->out.eventDataIndices = &state->offsets;
	r->out.eventDataSizes = &state->sizes;
	r->out.resultBufferSize = &state->len;
	r->out.resultBuffer = &state->data;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCREMOTESUBSCRIPTIONNEXT, r, next_done);
}

static void next_query(struct tevent_req *req, uint32_t max_records,
		       uint32_t timeout_ms)
{
	struct next_state *state = tevent_req_data(req, struct next_state);
	struct even6_EvtRpcQueryNext *r = &state->r.query;

	r->in.logQuery = &state->handle;
	r->in.numRequestedRecords = max_records;
	r->in.timeOutEnd = timeout_ms;
	r->out.numActualRecords = &state->num;
	r->out.eventDataIndices = &state->offsets;
	r->out.eventDataSizes = &state->sizes;
	r->out.resultBufferSize = &state->len;
	r->out.resultBuffer = &state->data;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCQUERYNEXT, r,
			  next_done);
}

struct tevent_req *collect_next_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_cursor *cursor,
				     uint32_t max_records, uint32_t timeout_ms)
{
	struct next_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct next_state);
	if (req == NULL) {
		return NULL;
	}
	collect_call_init(&state->call, ev, cursor->connection, "read events");
	state->cursor = cursor;
	state->handle = cursor->handle;

	/* A push call parks; the others end by themselves, some time. */
	if (cursor->kind != COLLECT_PUSH && timeout_ms != COLLECT_NO_TIMEOUT &&
	    !collect_call_set_timeout(req, &state->call,
				      timeout_ms / 1000 +
					      COLLECT_CALL_TIMEOUT)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	switch (cursor->kind) {
	case COLLECT_PUSH:
		next_push(req, max_records);
		break;
	case COLLECT_PULL:
		next_pull(req, max_records, timeout_ms);
		break;
	case COLLECT_QUERY:
		next_query(req, max_records, timeout_ms);
		break;
	}
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static WERROR next_result(const struct next_state *state)
{
	switch (state->cursor->kind) {
	case COLLECT_PUSH:
		return state->r.push.out.result;
	case COLLECT_PULL:
		return state->r.pull.out.result;
	default:
		return state->r.query.out.result;
	}
}

/*
 * A pull subscription with nothing to give: Windows' own client sees 0x103,
 * the letter of 3.1.4.10 is 0x5B4 (facts 4.1); both mean an empty batch.
 */
static bool next_is_empty(const struct next_state *state, WERROR result)
{
	return state->cursor->kind == COLLECT_PULL &&
	       (W_ERROR_EQUAL(result, WERR_NO_MORE_ITEMS) ||
		W_ERROR_EQUAL(result, WERR_TIMEOUT));
}

/*
 * Each record has bytes of its own: else a small answer could stand for any
 * amount of work.
 */
static bool next_is_whole(const struct next_state *state)
{
	uint64_t total = 0;
	uint32_t i;

	if (state->num > 0 && (state->offsets == NULL || state->sizes == NULL ||
			       state->data == NULL)) {
		return false;
	}
	for (i = 0; i < state->num; i++) {
		total += state->sizes[i];
	}
	return total <= state->len;
}

static void next_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct next_state *state = tevent_req_data(req, struct next_state);
	struct collect_batch *batch = NULL;
	WERROR result;

	batch = talloc_zero(state, struct collect_batch);
	if (tevent_req_nomem(batch, req)) {
		TALLOC_FREE(subreq);
		return;
	}
	if (!collect_call_recv(req, &state->call, subreq, batch)) {
		return;
	}
	result = next_result(state);
	if (!next_is_empty(state, result) &&
	    !collect_call_ok(req, &state->call, result)) {
		return;
	}
	if (!next_is_whole(state)) {
		collect_call_malformed(req, &state->call);
		return;
	}
	batch->num = state->num;
	batch->offsets = state->offsets;
	batch->sizes = state->sizes;
	batch->data = state->data;
	batch->len = state->len;
	state->batch = batch;
	tevent_req_done(req);
}

everr_t collect_next_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			  struct collect_batch **ret_batch,
			  struct collect_failure *ret_failure)
{
	struct next_state *state = tevent_req_data(req, struct next_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_batch = talloc_move(mem_ctx, &state->batch);
	}
	tevent_req_received(req);
	return err;
}

everr_t collect_batch_event(const struct collect_cursor *cursor,
			    const struct collect_batch *batch, uint32_t index,
			    struct collect_event *ret_event)
{
	struct collect_event event = {.channel = 0};
	uint32_t offset, size;
	everr_t err;

	if (index >= batch->num) {
		return EVERR_INVALID;
	}
	offset = batch->offsets[index];
	size = batch->sizes[index];
	if (offset > batch->len || size > batch->len - offset) {
		return EVERR_RESULT;
	}
	err = event_result_parse(batch->data + offset, size, &event.result);
	if (err != EVERR_OK) {
		return err;
	}
	event.channel = event.result.current_channel;
	if (event.channel >= event.result.num_channels ||
	    event.channel >= cursor->num_channels) {
		return EVERR_RESULT;
	}
	event.record_id =
		le64_get(event.result.record_ids + 8 * (size_t)event.channel);
	*ret_event = event;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- seek */

struct seek_state {
	struct collect_call call;
	struct even6_EvtRpcQuerySeek r;
	struct policy_handle handle;
	struct even6_RpcInfo error;
};

static void seek_done(struct tevent_req *subreq);

struct tevent_req *collect_seek_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_cursor *cursor,
				     const struct event_bookmark_list *bookmark,
				     bool strict)
{
	struct seek_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct seek_state);
	if (req == NULL) {
		return NULL;
	}
	if (!collect_call_begin(req, &state->call, ev, cursor->connection,
				"go to a record", COLLECT_CALL_TIMEOUT)) {
		return collect_call_posted(req, ev);
	}
	state->handle = cursor->handle;
	state->r.in.logQuery = &state->handle;
	state->r.in.bookmarkXml = bookmark_text(state, bookmark);
	if (tevent_req_nomem(state->r.in.bookmarkXml, req)) {
		return collect_call_posted(req, ev);
	}
	state->r.in.flags = EVEN6_SEEK_RELATIVE_TO_BOOKMARK;
	if (strict) {
		state->r.in.flags |= EVEN6_SEEK_STRICT;
	}
	state->r.out.error = &state->error;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCQUERYSEEK,
			  &state->r, seek_done);
	return collect_call_posted(req, ev);
}

static void seek_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct seek_state *state = tevent_req_data(req, struct seek_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (collect_call_ok(req, &state->call, state->r.out.result)) {
		tevent_req_done(req);
	}
}

everr_t collect_seek_recv(struct tevent_req *req,
			  struct collect_failure *ret_failure)
{
	struct seek_state *state = tevent_req_data(req, struct seek_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

/* ---------------------------------------------------------------- wait */

struct wait_state {
	struct collect_call call;
	struct even6_EvtRpcRemoteSubscriptionWaitAsync r;
	struct policy_handle handle;
};

static void wait_done(struct tevent_req *subreq);

struct tevent_req *collect_wait_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_cursor *cursor)
{
	struct wait_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct wait_state);
	if (req == NULL) {
		return NULL;
	}
	collect_call_init(&state->call, ev, cursor->connection,
			  "wait for events");
	state->handle = cursor->handle;
	state->r.in.handle = &state->handle;
	collect_call_send(req, &state->call,
			  NDR_EVEN6_EVTRPCREMOTESUBSCRIPTIONWAITASYNC,
			  &state->r, wait_done);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void wait_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct wait_state *state = tevent_req_data(req, struct wait_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (!collect_call_ok(req, &state->call, state->r.out.result)) {
		return;
	}
	tevent_req_done(req);
}

everr_t collect_wait_recv(struct tevent_req *req,
			  struct collect_failure *ret_failure)
{
	struct wait_state *state = tevent_req_data(req, struct wait_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

/* --------------------------------------------------------------- close */

struct close_state {
	struct collect_call call;
	struct even6_EvtRpcCancel cancel;
	struct even6_EvtRpcClose close;
	struct policy_handle handle;
	struct policy_handle control;
	bool control_closed;
};

static void close_cancelled(struct tevent_req *subreq);
static void close_next(struct tevent_req *req, struct policy_handle *handle);
static void close_closed(struct tevent_req *subreq);

struct tevent_req *collect_close_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct collect_cursor *cursor)
{
	struct close_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct close_state);
	if (req == NULL) {
		return NULL;
	}
	collect_call_init(&state->call, ev, cursor->connection,
			  "close the log");
	state->handle = cursor->handle;
	state->control = cursor->control;
	if (!collect_call_set_timeout(req, &state->call, CLOSE_TIMEOUT)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	state->cancel.in.handle = &state->control;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCANCEL,
			  &state->cancel, close_cancelled);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void close_cancelled(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct close_state *state = tevent_req_data(req, struct close_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	/* Too busy to cancel (0x4C7) is no reason not to close. */
	close_next(req, &state->handle);
}

static void close_next(struct tevent_req *req, struct policy_handle *handle)
{
	struct close_state *state = tevent_req_data(req, struct close_state);

	state->close = (struct even6_EvtRpcClose){{0}};
	state->close.in.handle = handle;
	state->close.out.handle = handle;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCLOSE,
			  &state->close, close_closed);
}

static void close_closed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct close_state *state = tevent_req_data(req, struct close_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (!state->control_closed) {
		state->control_closed = true;
		close_next(req, &state->control);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_close_recv(struct tevent_req *req,
			   struct collect_failure *ret_failure)
{
	struct close_state *state = tevent_req_data(req, struct close_state);

	return collect_call_finish(req, &state->call, ret_failure);
}

/* ------------------------------------------------------------ channels */

struct channels_state {
	struct collect_call call;
	struct even6_EvtRpcGetChannelList r;
	uint32_t num;
	const char **names;
};

static void channels_done(struct tevent_req *subreq);

struct tevent_req *collect_channels_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct collect_connection *connection)
{
	struct channels_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct channels_state);
	if (req == NULL) {
		return NULL;
	}
	collect_call_init(&state->call, ev, connection, "list the channels");
	if (!collect_call_set_timeout(req, &state->call,
				      COLLECT_CALL_TIMEOUT)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	state->r.out.numChannelPaths = &state->num;
	state->r.out.channelPaths = &state->names;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCGETCHANNELLIST,
			  &state->r, channels_done);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void channels_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct channels_state *state =
		tevent_req_data(req, struct channels_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (!collect_call_ok(req, &state->call, state->r.out.result)) {
		return;
	}
	if (state->num > 0 && state->names == NULL) {
		collect_call_malformed(req, &state->call);
		return;
	}
	tevent_req_done(req);
}

everr_t collect_channels_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      const char ***ret_names, size_t *ret_num,
			      struct collect_failure *ret_failure)
{
	struct channels_state *state =
		tevent_req_data(req, struct channels_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);
	const char **names = NULL;
	uint32_t i;

	if (err != EVERR_OK) {
		tevent_req_received(req);
		return err;
	}
	names = talloc_zero_array(mem_ctx, const char *, state->num + 1);
	for (i = 0; names != NULL && i < state->num; i++) {
		const char *name = state->names[i];

		names[i] = talloc_strdup(names, name != NULL ? name : "");
		if (names[i] == NULL) {
			TALLOC_FREE(names);
		}
	}
	*ret_num = state->num;
	tevent_req_received(req);
	if (names == NULL) {
		return collect_failure_set(ret_failure, EVERR_NOMEM,
					   "out of memory");
	}
	*ret_names = names;
	return EVERR_OK;
}

/* ------------------------------------------------------------ log info */

struct log_info_state {
	struct collect_call call;
	union {
		struct even6_EvtRpcOpenLogHandle open;
		struct even6_EvtRpcGetLogFileInfo get;
		struct even6_EvtRpcClose close;
	} r;
	struct policy_handle handle;
	struct even6_RpcInfo error;
	uint8_t value[EVEN6_LOG_PROPERTY_SIZE];
	uint32_t value_len;
	uint32_t wanted; /* bits of properties that are still to be asked for */
	uint32_t property;
	struct collect_log_info info;
};

static void log_info_opened(struct tevent_req *subreq);
static void log_info_get(struct tevent_req *req);
static void log_info_got(struct tevent_req *subreq);
static void log_info_closed(struct tevent_req *subreq);

struct tevent_req *collect_log_info_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct collect_connection *connection,
					 const char *channel)
{
	return collect_log_some_send(mem_ctx, ev, connection, channel,
				     (1U << COLLECT_LOG_NUM_PROPERTIES) - 1);
}

struct tevent_req *collect_log_some_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct collect_connection *connection,
					 const char *channel,
					 uint32_t properties)
{
	struct log_info_state *state = NULL;
	struct tevent_req *req = NULL;
	const char *what = NULL;

	req = tevent_req_create(mem_ctx, &state, struct log_info_state);
	if (req == NULL) {
		return NULL;
	}
	collect_call_init(&state->call, ev, connection,
			  "read the log's properties");
	state->wanted = properties;
	what = talloc_asprintf(state, "read the properties of %s", channel);
	if (what != NULL) {
		state->call.what = what;
	}
	if (!collect_call_set_timeout(req, &state->call,
				      COLLECT_CALL_TIMEOUT)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	state->r.open.in.channel = talloc_strdup(state, channel);
	if (tevent_req_nomem(state->r.open.in.channel, req)) {
		return tevent_req_post(req, ev);
	}
	state->r.open.in.flags = EVEN6_OPEN_CHANNEL_PATH;
	state->r.open.out.handle = &state->handle;
	state->r.open.out.error = &state->error;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCOPENLOGHANDLE,
			  &state->r.open, log_info_opened);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void log_info_opened(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct log_info_state *state =
		tevent_req_data(req, struct log_info_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	if (!collect_call_ok(req, &state->call, state->r.open.out.result)) {
		return;
	}
	log_info_get(req);
}

static void log_info_get(struct tevent_req *req)
{
	struct log_info_state *state =
		tevent_req_data(req, struct log_info_state);
	struct even6_EvtRpcGetLogFileInfo *r = &state->r.get;

	state->property = (uint32_t)__builtin_ctz(state->wanted);
	state->wanted &= state->wanted - 1;
	*r = (struct even6_EvtRpcGetLogFileInfo){{0}};
	r->in.logHandle = &state->handle;
	r->in.propertyId = state->property;
	r->in.propertyValueBufferSize = sizeof(state->value);
	r->out.propertyValueBuffer = state->value;
	r->out.propertyValueBufferLength = &state->value_len;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCGETLOGFILEINFO, r,
			  log_info_got);
}

/* A BinXmlVariant: 8 bytes of value, a count, a type (facts 3). */
static void log_info_take(struct log_info_state *state)
{
	uint32_t type = le32_get(state->value + 12);
	uint64_t value = le64_get(state->value);

	switch (type) {
	case 0x08: /* UInt32 */
	case 0x0D: /* Bool */
		value &= UINT32_MAX;
		break;
	case 0x0A: /* UInt64 */
	case 0x11: /* FILETIME */
		break;
	default: /* an empty log has no oldest record */
		return;
	}
	state->info.values[state->property] = value;
	state->info.present[state->property] = true;
}

static void log_info_got(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct log_info_state *state =
		tevent_req_data(req, struct log_info_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	/* A property the service does not know is left out, not an error. */
	if (W_ERROR_IS_OK(state->r.get.out.result)) {
		log_info_take(state);
	}
	if (state->wanted != 0) {
		log_info_get(req);
		return;
	}
	state->r.close = (struct even6_EvtRpcClose){{0}};
	state->r.close.in.handle = &state->handle;
	state->r.close.out.handle = &state->handle;
	collect_call_send(req, &state->call, NDR_EVEN6_EVTRPCCLOSE,
			  &state->r.close, log_info_closed);
}

static void log_info_closed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct log_info_state *state =
		tevent_req_data(req, struct log_info_state);

	if (!collect_call_recv(req, &state->call, subreq, state)) {
		return;
	}
	tevent_req_done(req);
}

everr_t collect_log_info_recv(struct tevent_req *req,
			      struct collect_log_info *ret_info,
			      struct collect_failure *ret_failure)
{
	struct log_info_state *state =
		tevent_req_data(req, struct log_info_state);
	everr_t err = collect_call_end(req, &state->call, ret_failure);

	if (err == EVERR_OK) {
		*ret_info = state->info;
	}
	tevent_req_received(req);
	return err;
}
