/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_FEED_H
#define EVENLOG_COLLECT_FEED_H

/*
 * One channel of one host into the store, exactly once: subscribe after the
 * position, read, append events and position in one transaction, read on.  The
 * next batch is asked for while the one before it is written; the position
 * never runs ahead of an answer.
 *
 * Where the log is not what the position remembers, what can be read is read
 * from the oldest record there, and the gap is counted (design decision 7).
 * Never "now".
 */

#include "base/everr.h"
#include "base/timers.h"
#include "collect/config.h"
#include "collect/connect.h"
#include "collect/failure.h"
#include "collect/position.h"
#include "store/operational.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* A channel that cannot be read is tried again: first wait, milliseconds. */
#define COLLECT_FEED_RETRY_MIN 5000
/* Seconds between two looks at the log's newest record, for the lag. */
#define COLLECT_FEED_LOOK 60

enum collect_feed_state {
	COLLECT_FEED_DOWN,    /* no connection */
	COLLECT_FEED_OPENING, /* comparing the log with the position */
	COLLECT_FEED_READING, /* events are coming, or there are none */
	COLLECT_FEED_BLOCKED, /* this store refuses: full, disabled */
	COLLECT_FEED_RETRYING /* missing, disabled, access denied: waits */
};

struct collect_feed;

struct collect_feed_hooks {
	/* The connection is no good: collect_link_broken(). */
	void (*broken)(const struct collect_failure *why, void *private_data);
	/* An answer came: collect_link_alive(). */
	void (*alive)(void *private_data);
};

struct collect_feed_env {
	struct tevent_context *ev;
	struct timers *timers; /* outlive the feed */
	struct store *store;
	struct operational *operational; /* or NULL */
};

/*
 * Reads the position; nothing else happens before collect_feed_up().  config
 * and channel (one of config's), env and hooks outlive the feed.  Freeing it
 * leaves an append that is under way to the store.
 *
 * A position that is damaged, or of a later version, is a failure of the feed
 * when it is up: it reads nothing then.
 *
 * EVERR_CHANNEL_NOT_FOUND  the target; EVERR_NOMEM, and what the store says
 */
everr_t collect_feed_create(TALLOC_CTX *mem_ctx,
			    const struct collect_feed_env *env,
			    const struct collect_config *config,
			    const struct collect_channel_config *channel,
			    const struct collect_feed_hooks *hooks,
			    void *private_data,
			    struct collect_feed **ret_feed) EVERR_MUST_CHECK;

/* kerberos: the host proved its name (else it is only claimed). */
void collect_feed_up(struct collect_feed *feed,
		     struct collect_connection *connection, bool kerberos);
void collect_feed_down(struct collect_feed *feed);

/* One that is stuck looks at once whether it can go on. */
void collect_feed_again(struct collect_feed *feed);

struct collect_feed_info {
	const char *channel; /* the host's */
	const char *target;
	enum collect_feed_state state;
	uint64_t since; /* FILETIME of the last change of state */
	struct collect_position position; /* as committed */
	uint64_t events;		  /* stored since created */
	uint64_t bytes;			  /* of them */
	uint64_t batches;
	double rate;	     /* events/s over about the last minute */
	uint64_t last_event; /* FILETIME of arrival; 0: none since created */
	uint32_t batch;	     /* records asked for now */
	/* At the last look; 0 when not known. */
	uint64_t source_newest; /* record id */
	uint64_t lag_events;
	/* Age of the event read last, while there are more; else 0. */
	uint64_t lag_seconds;
	uint64_t mismatched; /* events of another Computer, since created */
	bool silent;
	bool stuck; /* it cannot read its position, and never writes it */
	struct collect_failure failure; /* the latest; EVERR_OK: none */
	uint64_t failure_time;
};
void collect_feed_info(const struct collect_feed *feed,
		       struct collect_feed_info *ret_info);

#endif
