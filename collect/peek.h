/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_PEEK_H
#define EVENLOG_COLLECT_PEEK_H

/*
 * One record of a log by a query of its own ("*"): its oldest, its newest, or
 * the one of a record id.
 *
 * The id is the log's, as bookmarks have it, and not System/EventRecordID:
 * in a log of forwarded events that is content.  So the record is sought by a
 * bookmark (opnum 12), not by a filter.
 */

#include "collect/client.h"
#include "collect/digest.h"

enum collect_peek_at {
	COLLECT_PEEK_OLDEST,
	COLLECT_PEEK_NEWEST,
	COLLECT_PEEK_RECORD
};

struct collect_peek {
	bool found;
	uint64_t record_id;
	struct collect_digest digest;
};

/* record_id counts for COLLECT_PEEK_RECORD; the channel is copied. */
struct tevent_req *collect_peek_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     const char *channel,
				     enum collect_peek_at at,
				     uint64_t record_id);

/*
 * Not found is not an error, whatever the host calls it: 0x103, 0x490, 0x3AA3,
 * 0x3AA4, 0x3A99 (facts 4.1, 14, 17), or another record than was asked for.
 */
everr_t collect_peek_recv(struct tevent_req *req, struct collect_peek *ret_peek,
			  struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
