/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_NEWEST_H
#define EVENLOG_COLLECT_NEWEST_H

/*
 * Where "now" is: the newest record of each channel.
 *
 * A subscription to future events tells its client no position, so what is
 * appended while the connection is down, before the first event came, would be
 * lost without notice.  Subscribing after the bookmark found here is the same
 * thing with a position.
 */

#include "collect/client.h"

/* Channels with a status other than 0 are left out; names are copied. */
struct tevent_req *collect_newest_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const struct collect_channel *channels,
				       size_t num_channels);

/*
 * A bookmark list with an entry for each channel; the first one that has
 * records is current.  An empty channel has RecordId 0, so that the list can
 * be kept: it says that nothing was there.
 */
everr_t collect_newest_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    struct event_bookmark_list **ret_list,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

#endif
