/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_FORGET_H
#define EVENLOG_COLLECT_FORGET_H

/*
 * Let the collector forget how far it was: the positions of a host in the
 * store, also those that are damaged.
 */

#include "collect/collector.h"

/*
 * channel NULL: all that there are of the host.  Done when they are gone from
 * the disk; no host is begun meanwhile.  A request that is freed is carried
 * out all the same, unless the collector goes.
 */
struct tevent_req *collect_forget_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collector *collector,
				       const char *host, const char *channel);

/*
 * *ret_message, talloc child of mem_ctx, says what was forgotten, or what is
 * in the way.
 *
 * EVERR_NOT_FOUND       there is none
 * EVERR_NOT_CHANGEABLE  the collector goes by it
 * EVERR_INVALID         no host has such a name
 * What store_append_recv() says, and EVERR_NOMEM
 */
everr_t collect_forget_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    char **ret_message) EVERR_MUST_CHECK;

#endif
