/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_FORWARD_H
#define EVENLOG_FORWARD_FORWARD_H

/*
 * Outputs: each reads the channels through cursors of its own, formats and
 * sends, and keeps its position in the store's named state "forward/NAME".
 * The store is the queue: nothing is copied into a second one, an output that
 * waits costs nothing but retention's patience, and no output holds up
 * another.  At least once, as far as the transport lets one know.
 */

#include "base/everr.h"
#include "event/catalog.h"
#include "forward/config.h"
#include "forward/transport.h"
#include "store/operational.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/*
 * The position is written when so much has arrived since it was last written,
 * or so long after: what is sent again after a crash.
 */
#define FORWARD_POSITION_EVENTS 10000
#define FORWARD_POSITION_MS 1000

struct forwarder;

/*
 * Start all outputs.  configs are copied; *ret_message (talloc child of
 * mem_ctx) says what is wrong.  Freed before operational, store and catalog,
 * it writes the positions.
 */
everr_t forwarder_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct forward_config *configs,
			size_t num_configs, const char *computer,
			struct store *store,
			const struct event_catalog *catalog,
			struct operational *operational,
			struct forwarder **ret_forwarder,
			char **ret_message) EVERR_MUST_CHECK;

/*
 * Outputs of which nothing changed go on undisturbed; positions of those that
 * are gone stay.  All or nothing.
 */
everr_t forwarder_reload(struct forwarder *forwarder,
			 const struct forward_config *configs,
			 size_t num_configs,
			 const struct event_catalog *catalog,
			 TALLOC_CTX *mem_ctx,
			 char **ret_message) EVERR_MUST_CHECK;

/* Where to go on from; of all its channels, or the one that is named. */
enum forward_rewind_kind {
	FORWARD_REWIND_OLDEST,
	FORWARD_REWIND_TIME,	/* first event received at or after it */
	FORWARD_REWIND_RECORD,	/* of channel: this record is sent next */
	FORWARD_REWIND_BOOKMARK /* a bookmark list, event/bookmark.h */
};

struct forward_rewind {
	const char *output;
	const char *channel; /* NULL: all */
	enum forward_rewind_kind kind;
	uint64_t value; /* FILETIME, or record id */
	const char *bookmark;
};

/*
 * Done when the new position is on disk.  Forward in time is allowed as well:
 * what is passed over is counted as a gap.
 *
 * EVERR_NOT_FOUND          no such output
 * EVERR_CHANNEL_NOT_FOUND  it does not forward that channel
 * EVERR_BOOKMARK_SYNTAX, EVERR_INVALID, EVERR_STORE_*, EVERR_NOMEM
 */
struct tevent_req *forward_rewind_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct forwarder *forwarder,
				       const struct forward_rewind *rewind);
everr_t forward_rewind_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    char **ret_message) EVERR_MUST_CHECK;

struct forward_channel_info {
	const char *channel;
	uint64_t position; /* record id that arrived last; 0: none */
	uint64_t newest;
	uint64_t lag_events;  /* records behind it, matching or not */
	uint64_t lag_seconds; /* age of the oldest of them */
};

/* A message that the receiver says it does not take. */
struct forward_refusal {
	const char *channel; /* NULL: there is none */
	uint64_t id;	     /* the record's, or a gap's last one */
	uint64_t since;	     /* FILETIME */
	uint64_t times;
	const char *reason; /* the latest */
};

struct forward_info {
	const struct forward_config *config;
	const char *receiver; /* for a person: "tcp siem:514" */
	struct forward_transport_info transport;
	uint64_t sent;	  /* messages handed to the transport */
	uint64_t arrived; /* as far as it knows */
	uint64_t resent;  /* after a break */
	uint64_t passed;  /* did not match the query */
	uint64_t cut, replaced, damaged;
	uint64_t gaps;
	uint64_t missing; /* in exact gaps */
	uint64_t at_most; /* in the others: records that a query may select */
	double rate;	  /* messages/s over about the last minute */
	size_t num_channels;
	struct forward_refusal refusal;
};

size_t forwarder_count(const struct forwarder *forwarder);
void forwarder_output(const struct forwarder *forwarder, size_t index,
		      struct forward_info *ret_info);
void forwarder_channel(const struct forwarder *forwarder, size_t output,
		       size_t channel, struct forward_channel_info *ret_info);

#endif
