/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_OUTPUT_H
#define EVENLOG_FORWARD_OUTPUT_H

/*
 * One output: what forward.c and rewind.c share.  Nothing here is for other
 * rooms.
 *
 * What may be read waits in a queue of lanes, each of which gives some records
 * in its turn; a turn is bounded, and takes turns with the sockets and with
 * other outputs (base/turns.h).  A message that was handed to the transport
 * has an entry in a ring until it has arrived; nothing else of it is kept.
 */

#include "base/buf.h"
#include "base/turns.h"
#include "forward/format.h"
#include "forward/forward.h"
#include "forward/lane.h"
#include "forward/position.h"

/* A turn is over after so much. */
#define FORWARD_TURN_RECORDS 256
#define FORWARD_TURN_BYTES (256 * 1024)
#define FORWARD_TURN_NS 2000000
/* Records or blocks looked at in a turn; most may be passed over. */
#define FORWARD_TURN_LOOKS 1024
/* Of one lane before the next one has its turn. */
#define FORWARD_LANE_LOOKS 64
/* Messages in flight, whatever the transport would take. */
#define FORWARD_RING_MAX 65536
/* Lanes of one output, those of removed channels included. */
#define FORWARD_LANES_MAX 16384
/* Seconds over which the rate is measured. */
#define FORWARD_RATE_SECONDS 60

struct forward_output;

struct forwarder {
	struct tevent_context *ev;
	struct store *store;
	const struct event_catalog *catalog;
	struct operational *operational; /* may be NULL */
	const char *computer;
	struct turns *turns;
	struct tevent_timer *tick;
	struct buf message; /* reused by all outputs */
	struct forward_output **outputs;
	size_t num_outputs;
};

/* A message that has not arrived. */
struct forward_flight {
	struct forward_lane *lane;
	uint64_t id; /* with it the position moves here */
	uint32_t epoch;
};

enum forward_state {
	FORWARD_STARTING, /* neither up nor failed yet */
	FORWARD_UP,
	FORWARD_DOWN
};

struct forward_output {
	struct forwarder *forwarder;
	struct forward_config *config; /* a copy */
	char *receiver;		       /* for a person: "tcp siem:514" */
	char *state_name;
	struct forward_format *format;
	struct forward_transport *transport;
	enum forward_state state;
	struct turn turn;

	struct event_query *query; /* of all channels, or structured */
	uint32_t *ids;

	struct forward_lane **lanes; /* by name */
	size_t num_lanes;
	/* Of channels that it no longer forwards. */
	struct forward_place *parked;
	size_t num_parked;
	struct forward_lane *first; /* queue of those with something to read */
	struct forward_lane *last;

	struct forward_flight *ring;
	uint32_t ring_size;	 /* a power of two */
	uint64_t first_sequence; /* of the oldest in flight */
	uint64_t next_sequence;

	uint64_t began;	      /* FILETIME, of the position */
	bool running;	      /* not only made */
	bool star;	      /* all channels, as they come */
	size_t seen_channels; /* of the store, when it was last looked */
	bool settled;	      /* its beginning is on disk */
	bool dirty;	      /* the position has moved since it was written */
	bool failed; /* the store could not be read: again at the tick */
	uint64_t told_dropped; /* messages that the transport could not send */
	uint64_t unsaved;      /* messages that arrived since it was written */
	struct tevent_req *write; /* of the position, in flight */
	/* A rewind, which holds up other writing, and hears of its end. */
	struct tevent_req *rewind;
	void (*written)(struct forward_output *output);
	bool gone; /* written is called for the last time */

	struct forward_lane *refused; /* info.refusal is of it; NULL: none */
	char *refusal_reason;
	struct forward_info info; /* counters, and the refusal */
	uint64_t history[FORWARD_RATE_SECONDS + 1]; /* arrived, by second */
	size_t history_at;
	size_t history_len;
};

/* NULL: no output of that name. */
struct forward_output *forwarder_find(const struct forwarder *forwarder,
				      const char *name);

/*
 * Everything but reading, which forward_output_run() begins.  before (may be
 * NULL) is the one of the same name that this one replaces: its position is
 * taken over.  EVERR_CONFIG and others with *ret_message, which is NULL before
 * and a child of the forwarder then.
 */
everr_t forward_output_create(TALLOC_CTX *mem_ctx, struct forwarder *forwarder,
			      const struct forward_config *config,
			      const struct event_catalog *catalog,
			      const struct forward_output *before,
			      struct forward_output **ret_output,
			      char **ret_message) EVERR_MUST_CHECK;
void forward_output_run(struct forward_output *output);

/* Once a second: channels that came and went, the position, the rate. */
void forward_output_tick(struct forward_output *output);

/* See at once what has arrived. */
void forward_output_ask(struct forward_output *output);

/* It stops for good: write the position, without waiting for it. */
void forward_output_stop(struct forward_output *output);

/* Write the position if it has moved and nothing is being written. */
void forward_output_save(struct forward_output *output);

/* Messages a second over the last minute. */
double forward_output_rate(const struct forward_output *output);

/* There may be something to read in this lane. */
void forward_output_wake(struct forward_output *output,
			 struct forward_lane *lane);

/* NULL: no lane of that name. */
struct forward_lane *forward_output_lane(const struct forward_output *output,
					 const char *name);

/*
 * Write the position, with rewound as its lanes' rewind_id has it.  It is done
 * by store_append_recv().  NULL: no memory, or nothing to write it by.
 */
struct tevent_req *forward_output_write_send(
	TALLOC_CTX *mem_ctx, const struct forward_output *output, bool rewound);

/* Forget what was refused, when it is no longer to be sent. */
void forward_output_settle_refusal(struct forward_output *output);

/* Count a gap, and report it; missing of its ids are new. */
void forward_output_tell_gap(struct forward_output *output,
			     const struct forward_lane *lane,
			     const struct forward_gap *gap, uint64_t missing);

#endif
