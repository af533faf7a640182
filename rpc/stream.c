/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/stream.h"

#include <errno.h>
#include <tsocket_internal.h>

struct rpc_stream {
	struct tstream_context *plain; /* talloc child */
	rpc_stream_end_fn end;	       /* NULL: has been called */
	rpc_packet_fn packet;
	void *private_data;
	struct rpc_packets packets;
	bool held;
	struct tevent_req *waiting; /* a read that is held */
};

struct stream_readv_state {
	struct rpc_stream *stream;
	struct tevent_context *ev;
	struct iovec *vector;
	size_t count;
	bool waiting;
	int ret;
};

struct stream_writev_state {
	struct rpc_stream *stream;
	int ret;
};

static void stream_ended(struct rpc_stream *stream)
{
	rpc_stream_end_fn end = stream->end;

	if (end != NULL) {
		stream->end = NULL;
		end(stream->private_data);
	}
}

static ssize_t stream_pending_bytes(struct tstream_context *tstream)
{
	struct rpc_stream *stream =
		tstream_context_data(tstream, struct rpc_stream);

	return tstream_pending_bytes(stream->plain);
}

/* The end of every recv: the request's result, or -1 with *perrno. */
static int stream_io_recv(struct tevent_req *req, int result, int *perrno)
{
	int ret = tsocket_simple_int_recv(req, perrno);

	if (ret == 0) {
		ret = result;
	}
	tevent_req_received(req);
	return ret;
}

/* ---------------------------------------------------------------- read */

/* What was read fills the vectors in their order. */
static void stream_look(const struct stream_readv_state *state)
{
	struct rpc_stream *stream = state->stream;
	size_t left = (size_t)state->ret;
	size_t i;

	for (i = 0; i < state->count && left > 0; i++) {
		const struct iovec *iov = &state->vector[i];
		size_t len = iov->iov_len < left ? iov->iov_len : left;

		rpc_packets_feed(&stream->packets, iov->iov_base, len,
				 stream->packet, stream->private_data);
		left -= len;
	}
}

static void stream_readv_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct stream_readv_state *state =
		tevent_req_data(req, struct stream_readv_state);
	int sys_errno = 0;

	state->ret = tstream_readv_recv(subreq, &sys_errno);
	TALLOC_FREE(subreq);
	if (state->ret == -1) {
		stream_ended(state->stream);
		tevent_req_error(req, sys_errno);
		return;
	}
	stream_look(state);
	tevent_req_done(req);
}

static void stream_readv_start(struct tevent_req *req)
{
	struct stream_readv_state *state =
		tevent_req_data(req, struct stream_readv_state);
	struct tevent_req *subreq = NULL;

	subreq = tstream_readv_send(state, state->ev, state->stream->plain,
				    state->vector, state->count);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, stream_readv_done, req);
}

static void stream_readv_cleanup(struct tevent_req *req,
				 enum tevent_req_state req_state)
{
	struct stream_readv_state *state =
		tevent_req_data(req, struct stream_readv_state);

	if (state->waiting) {
		state->waiting = false;
		state->stream->waiting = NULL;
	}
}

static struct tevent_req *stream_readv_send(TALLOC_CTX *mem_ctx,
					    struct tevent_context *ev,
					    struct tstream_context *tstream,
					    struct iovec *vector, size_t count)
{
	struct stream_readv_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct stream_readv_state);
	if (req == NULL) {
		return NULL;
	}
	state->stream = tstream_context_data(tstream, struct rpc_stream);
	state->ev = ev;
	state->vector = vector;
	state->count = count;
	tevent_req_set_cleanup_fn(req, stream_readv_cleanup);

	if (state->stream->held) {
		state->stream->waiting = req;
		state->waiting = true;
		return req;
	}
	stream_readv_start(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static int stream_readv_recv(struct tevent_req *req, int *perrno)
{
	struct stream_readv_state *state =
		tevent_req_data(req, struct stream_readv_state);

	return stream_io_recv(req, state->ret, perrno);
}

static void stream_stop_waiting(struct rpc_stream *stream)
{
	struct stream_readv_state *state =
		tevent_req_data(stream->waiting, struct stream_readv_state);

	state->waiting = false;
	stream->waiting = NULL;
}

void rpc_stream_hold(struct rpc_stream *stream, bool hold)
{
	struct tevent_req *req = stream->waiting;

	stream->held = hold;
	if (!hold && req != NULL) {
		stream_stop_waiting(stream);
		stream_readv_start(req);
	}
}

static int stream_destructor(struct rpc_stream *stream)
{
	if (stream->waiting != NULL) {
		stream_stop_waiting(stream);
	}
	return 0;
}

/* --------------------------------------------------------------- write */

static void stream_writev_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct stream_writev_state *state =
		tevent_req_data(req, struct stream_writev_state);
	int sys_errno = 0;

	state->ret = tstream_writev_recv(subreq, &sys_errno);
	TALLOC_FREE(subreq);
	if (state->ret == -1) {
		stream_ended(state->stream);
		tevent_req_error(req, sys_errno);
		return;
	}
	tevent_req_done(req);
}

static struct tevent_req *stream_writev_send(TALLOC_CTX *mem_ctx,
					     struct tevent_context *ev,
					     struct tstream_context *tstream,
					     const struct iovec *vector,
					     size_t count)
{
	struct stream_writev_state *state = NULL;
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;

	req = tevent_req_create(mem_ctx, &state, struct stream_writev_state);
	if (req == NULL) {
		return NULL;
	}
	state->stream = tstream_context_data(tstream, struct rpc_stream);

	subreq = tstream_writev_send(state, ev, state->stream->plain, vector,
				     count);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, stream_writev_done, req);
	return req;
}

static int stream_writev_recv(struct tevent_req *req, int *perrno)
{
	struct stream_writev_state *state =
		tevent_req_data(req, struct stream_writev_state);

	return stream_io_recv(req, state->ret, perrno);
}

/* ---------------------------------------------------------- disconnect */

struct stream_disconnect_state {
	uint8_t dummy;
};

static void stream_disconnect_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	int sys_errno = 0;
	int ret;

	ret = tstream_disconnect_recv(subreq, &sys_errno);
	TALLOC_FREE(subreq);
	if (ret == -1) {
		tevent_req_error(req, sys_errno);
		return;
	}
	tevent_req_done(req);
}

static struct tevent_req *stream_disconnect_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct tstream_context *tstream)
{
	struct stream_disconnect_state *state = NULL;
	struct rpc_stream *stream =
		tstream_context_data(tstream, struct rpc_stream);
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;

	req = tevent_req_create(mem_ctx, &state,
				struct stream_disconnect_state);
	if (req == NULL) {
		return NULL;
	}
	subreq = tstream_disconnect_send(state, ev, stream->plain);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, stream_disconnect_done, req);
	return req;
}

static int stream_disconnect_recv(struct tevent_req *req, int *perrno)
{
	return stream_io_recv(req, 0, perrno);
}

static const struct tstream_context_ops stream_ops = {
	.name = "evenlog",
	.pending_bytes = stream_pending_bytes,
	.readv_send = stream_readv_send,
	.readv_recv = stream_readv_recv,
	.writev_send = stream_writev_send,
	.writev_recv = stream_writev_recv,
	.disconnect_send = stream_disconnect_send,
	.disconnect_recv = stream_disconnect_recv,
};

everr_t rpc_stream_create(TALLOC_CTX *mem_ctx, int fd, rpc_stream_end_fn end,
			  rpc_packet_fn packet, void *private_data,
			  struct tstream_context **ret_tstream,
			  struct rpc_stream **ret_stream)
{
	struct tstream_context *tstream = NULL;
	struct rpc_stream *stream = NULL;
	int ret;

	tstream = tstream_context_create(mem_ctx, &stream_ops, &stream,
					 struct rpc_stream, __FILE__);
	if (tstream == NULL) {
		return EVERR_NOMEM;
	}
	*stream = (struct rpc_stream){
		.end = end,
		.packet = packet,
		.private_data = private_data,
	};
	talloc_set_destructor(stream, stream_destructor);

	ret = tstream_bsd_existing_socket(stream, fd, &stream->plain);
	if (ret == -1) {
		TALLOC_FREE(tstream);
		return EVERR_IO;
	}

	*ret_tstream = tstream;
	*ret_stream = stream;
	return EVERR_OK;
}
