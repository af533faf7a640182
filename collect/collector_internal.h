/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_COLLECTOR_INTERNAL_H
#define EVENLOG_COLLECT_COLLECTOR_INTERNAL_H

/*
 * What collector.c and forget.c know of a collector.
 *
 * A barrier stands for something on its way to the store that writes
 * positions: while there is one no host is begun, since it would read a
 * position that is about to be another.
 */

#include "collect/collector.h"

#include "base/turns.h"

/* How soon is looked again whether barriers are gone, or a queue has room. */
#define COLLECTOR_RETRY_MS 100

struct host; /* collector.c's, both */
struct barrier;

struct collector {
	struct tevent_context *ev;
	struct store *store;
	struct operational *operational;
	struct collect_feed_env env;
	struct collector_config config; /* but for its hosts */
	struct turns *turns;
	struct turn naming;	     /* of hosts, which then begin */
	size_t num_named;	     /* hosts[] below it */
	struct collect_links *links; /* once there is a host */
	struct host **hosts;	     /* in the order of the configuration */
	size_t num_hosts;
	struct host *going;	 /* that a configuration has no more */
	struct turn stopping;	 /* of the first of them */
	struct barrier *waiting; /* not sent yet: behind all that go */
	size_t num_barriers;	 /* and those that are under way */
};

/* Whether something of hosts that are gone is still on its way. */
bool collector_is_stopping(const struct collector *collector);

/* One barrier less; hosts that waited for the last of them begin. */
void collector_barrier_down(struct collector *collector);

/* Look at once at a position that could not be read; nothing for others. */
void collector_feed_again(struct collector *collector, size_t host,
			  size_t feed);

#endif
