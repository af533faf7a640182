/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_MANAGE_H
#define EVENLOG_COLLECT_MANAGE_H

/*
 * The client's side of what is done to whole logs: opnums 6 and 7, with 4, 13
 * and 14 around them; [MS-EVEN6] 3.1.4.16 and 3.1.4.17, facts 4.3 and 4.4.
 *
 * Paths are the service's, and name files there.  A log may be large: these
 * requests have no time limit, but can be cancelled.
 *
 * Failures are handed out as collect/client.h says.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>

/* Strings are UTF-8 and copied. */
struct collect_export {
	const char *channel; /* NULL: the query names its channels */
	const char *query;   /* XPath or QueryList; NULL: "*" */
	const char *path;    /* of an .evtx file that is not there yet */
	bool tolerate;	     /* go on without channels that are missing */
};

struct tevent_req *collect_export_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const struct collect_export *export);
everr_t collect_export_recv(struct tevent_req *req,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* Remove all events of the channel; backup NULL: without keeping them. */
struct tevent_req *collect_clear_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct collect_connection *connection,
				      const char *channel, const char *backup);
everr_t collect_clear_recv(struct tevent_req *req,
			   struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/*
 * Ask the service to give up either; its answer ends the request, with
 * EVERR_CANCELLED unless it was too late.
 */
void collect_manage_cancel(struct tevent_req *req);

#endif
