/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_STREAM_H
#define EVENLOG_RPC_STREAM_H

/*
 * A connection's byte stream: a socket's tstream with additions that the
 * server core has no place for.  It tells when the peer has gone (the core
 * keeps that to itself while calls are parked) and which calls the peer has
 * given up (the core ignores that), and reading can be held.
 */

#include "base/everr.h"
#include "rpc/packets.h"

#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>
#include <tsocket.h>

struct rpc_stream;

/* The stream has ended; called once, within the core's own frames. */
typedef void (*rpc_stream_end_fn)(void *private_data);

/*
 * Wrap a connected, non-blocking socket, which then belongs to *ret_tstream.
 * *ret_stream lives as long as that.  packet is called before the core gets
 * the packet; the core reads one at a time, so none follows while it is held.
 * EVERR_NOMEM, EVERR_IO; the socket is the caller's then.
 */
everr_t rpc_stream_create(TALLOC_CTX *mem_ctx, int fd, rpc_stream_end_fn end,
			  rpc_packet_fn packet, void *private_data,
			  struct tstream_context **ret_tstream,
			  struct rpc_stream **ret_stream) EVERR_MUST_CHECK;

/*
 * Take nothing more from the peer until hold is false again.  A held stream
 * notices the peer's end by a failing write only.
 */
void rpc_stream_hold(struct rpc_stream *stream, bool hold);

#endif
