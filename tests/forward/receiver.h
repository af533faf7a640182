/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_FORWARD_RECEIVER_H
#define EVENLOG_TESTS_FORWARD_RECEIVER_H

/*
 * Both ends of a transport in one loop: a receiver on a local socket, and a
 * sender that keeps what has not arrived and sends it again.  Whatever the
 * system refuses fails the test.
 */

#include "forward/transport.h"

#include <stdbool.h>

struct receiver {
	struct tevent_context *ev;
	int type;    /* SOCK_STREAM, SOCK_DGRAM */
	int fd;	     /* listening; a datagram socket itself */
	int peer;    /* of the last connection, -1 */
	bool paused; /* reads nothing */
	struct tevent_fd *fde;
	struct tevent_fd *peer_fde;
	uint16_t port;
	char path[64];	/* of a Unix socket, or "" */
	uint8_t *bytes; /* all that came, datagrams each with a '\n' added */
	size_t len;
	size_t accepted;
	size_t datagrams;
	bool ended; /* the last connection was closed by the other side */
};

/* Unix: on a path of its own in the working directory. */
struct receiver *receiver_open(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			       int family, int type);
/* Stop listening, and begin again at the same place. */
void receiver_close(struct receiver *receiver);
void receiver_reopen(struct receiver *receiver);
void receiver_pause(struct receiver *receiver);
void receiver_resume(struct receiver *receiver);
/* Close the connection; reset: so that the sender is told at once. */
void receiver_drop(struct receiver *receiver, bool reset);
void receiver_say(struct receiver *receiver, const void *data, size_t len);
bool receiver_has(const struct receiver *receiver, const char *text);

struct sender {
	struct tevent_context *ev;
	struct forward_config config;
	struct forward_transport *transport;
	size_t readies;
	size_t downs;
	char reason[FORWARD_REASON_MAX];
	uint64_t arrived; /* highest sequence */
	uint64_t refused; /* sequence of the last one */
	char refusal[FORWARD_REASON_MAX];
	bool refused_late;   /* only told after the end of the connection */
	bool out_of_order;   /* a hook told less than before */
	size_t free_at_hook; /* free the transport in that one; 0: never */
	size_t hooks;
};

struct sender *sender_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     uint32_t kind, const struct receiver *receiver);
void sender_start(struct sender *sender);
bool sender_send(struct sender *sender, const char *text, uint64_t sequence);

/* One turn of the loop, in which something has to happen. */
void loop_turn(struct tevent_context *ev);
#define loop_until(ev, condition)      \
	do {                           \
		while (!(condition)) { \
			loop_turn(ev); \
		}                      \
	} while (0)

#endif
