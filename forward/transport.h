/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_TRANSPORT_H
#define EVENLOG_FORWARD_TRANSPORT_H

/*
 * The way to one receiver: connect, frame, send, learn what has arrived;
 * when it breaks, again after a back-off, for ever.  It never blocks the loop
 * and holds no queue but what is in flight.
 *
 * What "arrived" means (design, "Durability" 4):
 *   RELP       the receiver has answered 200 to it
 *   TCP, TLS   the receiver's kernel has acknowledged its last byte
 *   Unix       the kernel took it (datagram), the peer read it (stream)
 *   UDP        it was handed to the kernel: nothing more is known
 *
 * A datagram that is longer than its socket takes can never be sent: it counts
 * as arrived, so that nothing waits behind it, and as refused.
 */

#include "base/everr.h"
#include "forward/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Bytes in flight of a stream, at most, beside one message. */
#define FORWARD_IN_FLIGHT_MAX (1024 * 1024)
#define FORWARD_REASON_MAX 512

struct forward_transport;

/* Called in turns of the loop of their own, never out of a function here. */
struct forward_transport_hooks {
	/* Messages may be sent: it has come up, or has room again. */
	void (*ready)(void *private_data);
	/*
	 * The connection is gone; what was not acknowledged is to be sent
	 * again, from the start of the message, after the next ready.  Also
	 * called for an attempt that failed.
	 */
	void (*down)(const char *reason, void *private_data);
	/* All messages up to the one of that sequence number have arrived. */
	void (*arrived)(uint64_t sequence, void *private_data);
	/*
	 * The receiver's answer is that it does not take this message (RELP);
	 * it is down next.  May be NULL.
	 */
	void (*refused)(uint64_t sequence, const char *reason,
			void *private_data);
};

/*
 * Begins to connect at once.  config and hooks outlive it.  Freeing it closes
 * without calling a hook.  *ret_message (talloc child of mem_ctx): what is
 * wrong in config.  EVERR_CONFIG, EVERR_NOMEM.  Certificates and key are read
 * for each attempt, and one that they spoil has failed like any other.
 */
everr_t forward_transport_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct forward_config *config,
				 const struct forward_transport_hooks *hooks,
				 void *private_data,
				 struct forward_transport **ret_transport,
				 char **ret_message) EVERR_MUST_CHECK;

/*
 * Whether one could be created, and its certificates and key are there and
 * right.  The same errors.
 */
everr_t forward_transport_check(TALLOC_CTX *mem_ctx,
				const struct forward_config *config,
				char **ret_message) EVERR_MUST_CHECK;

/* Whether forward_transport_send() takes another message now. */
bool forward_transport_ready(const struct forward_transport *transport);

/*
 * Send one message of at least one byte; it is framed and copied.  Sequence numbers rise by one,
 * and start anywhere after each down.  Written out at the end of the turn, or
 * when enough has come together.  Not ready: nothing happens, false.  UDP is
 * nearly always ready: who has much to send takes turns (base/turns.h).
 */
bool forward_transport_send(struct forward_transport *transport,
			    const uint8_t *message, size_t len,
			    uint64_t sequence);

/*
 * Before it is freed: see at once what has arrived.  The highest sequence
 * number that the hook has not told; false: none.
 */
bool forward_transport_ask(struct forward_transport *transport,
			   uint64_t *ret_sequence);

struct forward_transport_info {
	bool up;
	uint64_t since; /* FILETIME */
	uint64_t connects;
	uint64_t messages;		 /* taken */
	uint64_t bytes;			 /* of them, framed */
	uint64_t refused;		 /* too long for a datagram, not sent */
	uint64_t in_flight;		 /* messages that have not arrived */
	char reason[FORWARD_REASON_MAX]; /* of the last failure, or "" */
	uint64_t reason_time;
};
void forward_transport_info(const struct forward_transport *transport,
			    struct forward_transport_info *ret_info);

#endif
