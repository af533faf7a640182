/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_CALL_H
#define EVENLOG_COLLECT_CALL_H

/*
 * What every request of this room that calls EVEN6 shares: send a call, look
 * at what came back, say what failed.  Inside the room only.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <core/werror.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* The first member of each request's state. */
struct collect_call {
	struct tevent_context *ev;
	struct collect_connection *connection;
	const char *what; /* "read events"; child of the state, or constant */
	struct collect_failure failure;
};

void collect_call_init(struct collect_call *call, struct tevent_context *ev,
		       struct collect_connection *connection, const char *what);

bool collect_call_set_timeout(struct tevent_req *req, struct collect_call *call,
			      unsigned int seconds);

/*
 * Both for a request that has just been made.  False: req has ended, and
 * collect_call_posted() returns it.
 */
bool collect_call_begin(struct tevent_req *req, struct collect_call *call,
			struct tevent_context *ev,
			struct collect_connection *connection, const char *what,
			unsigned int timeout);

/* What a send function returns: req, made to end later if it has ended. */
struct tevent_req *collect_call_posted(struct tevent_req *req,
				       struct tevent_context *ev);

/* "verb name" for collect_call.what; shorter when there is no memory. */
const char *collect_call_about(TALLOC_CTX *mem_ctx, const char *verb,
			       const char *name);

/* Send one call as part of req; r is its structure in the state. */
void collect_call_send(struct tevent_req *req, struct collect_call *call,
		       uint32_t opnum, void *r, tevent_req_fn done);

/*
 * Take the call's reply; what it points to becomes a child of mem_ctx.  False
 * when it did not come, and req has ended with the reason.
 */
bool collect_call_recv(struct tevent_req *req, struct collect_call *call,
		       struct tevent_req *subreq, TALLOC_CTX *mem_ctx);

/* Whether the method itself succeeded; else req has ended with the reason. */
bool collect_call_ok(struct tevent_req *req, struct collect_call *call,
		     WERROR result);

/* An answer that the protocol does not allow: end req. */
void collect_call_malformed(struct tevent_req *req, struct collect_call *call);

/*
 * End req for what a reply was found to be: EVERR_PROTOCOL,
 * EVERR_LIMIT, EVERR_NOMEM.
 */
void collect_call_failed(struct tevent_req *req, struct collect_call *call,
			 everr_t err);

/*
 * EVERR_OK unless req has failed; else what of where failed, as *failure has
 * it by now, handed out.  what NULL: a request without a time limit, of which
 * there is no more to say than that memory was out.
 */
everr_t collect_request_end(struct tevent_req *req, const char *where,
			    const char *what, struct collect_failure *failure,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* The end of every recv: EVERR_OK, or the failure handed out. */
everr_t collect_call_end(struct tevent_req *req, struct collect_call *call,
			 struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* The whole recv of a request that has no result. */
everr_t collect_call_finish(struct tevent_req *req, struct collect_call *call,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

#endif
