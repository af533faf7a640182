/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_ASIDE_H
#define EVENLOG_RPC_ASIDE_H

/*
 * A call that may block, aside from the loop: in a thread of its own, which
 * ends with the call.  It touches its job and nothing else of ours: no
 * talloc, no log, no Samba but libwbclient.
 */

#include "base/everr.h"

#include <talloc.h>
#include <tevent.h>

/* Threads at the same time; winbindd serves 200 clients. */
#define RPC_ASIDE_MAX 64

struct rpc_aside;

/*
 * Run fn(job) aside, then done(job, private_data) in the loop.  The job is
 * taken over, also on failure, and is freed after done has returned.  *ret_aside
 * is gone from then on.  EVERR_LIMIT, EVERR_NOMEM.
 */
everr_t rpc_aside_start(struct tevent_context *ev, void *job,
			void (*fn)(void *job),
			void (*done)(void *job, void *private_data),
			void *private_data,
			struct rpc_aside **ret_aside) EVERR_MUST_CHECK;

/* Nobody wants to know any more: done is not called. */
void rpc_aside_forget(struct rpc_aside *aside);

/*
 * Block for at most so many milliseconds.  Whether the call has returned; if
 * so, done was called.
 */
bool rpc_aside_wait(struct rpc_aside *aside, int milliseconds);

#endif
