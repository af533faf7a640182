/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_PUBLISHER_H
#define EVENLOG_RPC_PUBLISHER_H

/*
 * What stands behind a publisher's handle, opnum 24, and which of its
 * channels the caller gets to see.
 */

#include "event/catalog.h"
#include "rpc/internal.h"

#include <stdbool.h>
#include <stdint.h>

struct rpc_publisher {
	struct event_catalog *catalog; /* a reference: it may be replaced */
	const struct event_publisher *publisher;
	uint32_t lcid; /* 0: the server picks */
};

/* Errors as rpc_handle_lookup() has them. */
everr_t rpc_publisher_lookup(
	struct dcesrv_call_state *call, const struct policy_handle *wire,
	struct rpc_publisher **ret_publisher) EVERR_MUST_CHECK;

/*
 * Whether metadata may speak of a channel: not of one that is there and that
 * the caller may not read.
 */
bool rpc_publisher_shows(struct dcesrv_call_state *call,
			 const struct event_manifest_channel *channel);

#endif
