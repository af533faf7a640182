/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_FORWARD_FAKE_RECEIVER_H
#define EVENLOG_TESTS_FORWARD_FAKE_RECEIVER_H

/*
 * In place of the transports and formats: a receiver that takes as much as
 * the test lets it, and messages that say which event they are.
 */

#include "forward/transport.h"

struct fake_message {
	char *text;
	uint64_t sequence;
};

struct forward_transport {
	struct forward_transport_hooks hooks;
	void *private_data;
	const struct forward_config *config;
	bool up;
	uint64_t room; /* messages it takes until there is no more */
	struct fake_message *messages;
	size_t num;
	size_t untold; /* of all messages ever sent have arrived, if asked */
	bool *freed;
	uint64_t refused; /* as forward_transport_info has it */
};

/* The transport made last for the output of that name; NULL: none lives. */
struct forward_transport *fake_receiver(const char *output);

void fake_up(struct forward_transport *transport, uint64_t room);
void fake_down(struct forward_transport *transport);
/* It does not take message number num of all ever sent, and goes. */
void fake_refuse(struct forward_transport *transport, size_t num);
/* The first num of all messages ever sent have arrived. */
void fake_arrive(struct forward_transport *transport, size_t num);

/* Events with this id cannot be formatted; 0: all can. */
extern uint64_t fake_format_fails;

#endif
