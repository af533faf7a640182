/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_FORWARD_H
#define EVENLOG_COLLECT_FORWARD_H

/*
 * The client's side of control.idl's call about the forwarder.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

enum collect_rewind_kind {
	COLLECT_REWIND_OLDEST,
	COLLECT_REWIND_TIME,
	COLLECT_REWIND_RECORD,
	COLLECT_REWIND_BOOKMARK
};

struct collect_rewind {
	const char *output;
	const char *channel; /* NULL: all of the output's */
	enum collect_rewind_kind kind;
	uint64_t value;	      /* FILETIME, or record id */
	const char *bookmark; /* XML */
};

/* Let an output go on from another place; done when that is on disk. */
struct tevent_req *collect_rewind_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const struct collect_rewind *rewind);

/* *ret_message, a child of mem_ctx, says where it goes on. */
everr_t collect_rewind_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx, const char **ret_message,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
