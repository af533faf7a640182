/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_RESOLVE_H
#define EVENLOG_BASE_RESOLVE_H

/*
 * Host names to addresses, without blocking the loop and without a fork.
 * (libdcerpc would fork to resolve; a daemon that holds threads and an LMDB
 * environment must not.)
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include <tevent.h>

/* More addresses of one name are not tried. */
#define RESOLVE_ADDRESSES_MAX 16
/* A name longer than this cannot be one (RFC 1035, with a final dot). */
#define RESOLVE_HOST_MAX 254

/* Whether host is an address and no name. */
bool resolve_is_address(const char *host);

/*
 * Numeric addresses (IPv6 without brackets) are done at once; others are asked
 * of the system's resolver in a thread of its own, which outlives a request
 * that is freed early and then cleans up after itself.
 */
struct tevent_req *resolve_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				const char *host);

/*
 * The distinct addresses as text, in the resolver's order.
 *
 * EVERR_NOT_FOUND  no such name, or no address; *ret_reason (static) says
 *                  what the resolver said
 * EVERR_INVALID    not a host name at all
 * EVERR_NOMEM, EVERR_IO
 */
everr_t resolve_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
		     char ***ret_addresses, size_t *ret_num,
		     const char **ret_reason) EVERR_MUST_CHECK;

#endif
