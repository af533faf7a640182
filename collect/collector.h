/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_COLLECTOR_H
#define EVENLOG_COLLECT_COLLECTOR_H

/*
 * The collector: for each host a link (collect/link.h), for each of its
 * channels a feed (collect/feed.h).  The one public header of the room's
 * service; collect/client.h is the one of its client library.
 */

#include "base/everr.h"
#include "collect/config.h"
#include "collect/feed.h"
#include "collect/link.h"
#include "store/operational.h"
#include "store/store.h"

struct collector;

/*
 * Start collecting.  config is copied.  The targets must be channels of the
 * store.  Freed before operational and store; what was not acknowledged then
 * is collected at the next start.
 *
 * *ret_message (talloc child of mem_ctx) says what is wrong.
 */
everr_t collector_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct collector_config *config,
			struct store *store, struct operational *operational,
			struct collector **ret_collector,
			char **ret_message) EVERR_MUST_CHECK;

/*
 * Take over another configuration: hosts of which nothing changed go on
 * undisturbed, those that are gone stop (their positions stay in the store, so
 * that they go on if they come back), and then new ones start, in
 * turns of the loop that follow.  All or nothing.
 */
everr_t collector_reload(struct collector *collector,
			 const struct collector_config *config,
			 TALLOC_CTX *mem_ctx,
			 char **ret_message) EVERR_MUST_CHECK;

struct collect_host_info {
	const struct collect_config *config;
	struct collect_link_info link;
	size_t num_feeds;
};

/*
 * In the order of the configuration; valid until the next reload.  NULL has
 * none.
 */
size_t collector_count(const struct collector *collector);
void collector_host(const struct collector *collector, size_t index,
		    struct collect_host_info *ret_info);
void collector_feed(const struct collector *collector, size_t host, size_t feed,
		    struct collect_feed_info *ret_info);

#endif
