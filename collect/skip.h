/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_SKIP_H
#define EVENLOG_COLLECT_SKIP_H

/*
 * Which record it is that a host cannot deliver even alone (RPC_S_INVALID_BOUND
 * with one record asked for; facts 11.3): the first one that the query selects
 * behind a record id.  Its own id is told by nothing, so places to begin behind
 * are tried: one by one, then further and further, and then between; in most
 * cases one subscription, and never more than some 150.
 *
 * Those that follow each other are found together, as the last of them.  A
 * record between two of them that lie further than 32 behind could be passed:
 * up to where that is sure not to have happened is told.
 */

#include "collect/client.h"

struct tevent_req *collect_skip_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     const char *channel, const char *query,
				     uint64_t behind);

/*
 * 0: there is none, what follows can be read.  What can be read lies behind it,
 * or above *ret_sure.  EVERR_NOT_SUPPORTED: the host does not begin behind the
 * bookmarks it is given.
 */
everr_t collect_skip_recv(struct tevent_req *req, uint64_t *ret_record_id,
			  uint64_t *ret_sure,
			  struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
