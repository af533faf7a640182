/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_SEND_H
#define EVENLOG_FORWARD_SEND_H

/*
 * An output at work: records are read, formatted and handed to the transport,
 * and what is in flight is kept account of.
 */

#include "forward/output.h"

/* Read and send in a turn of its own, if the transport takes anything. */
void forward_send_schedule(struct forward_output *output);
/* That turn. */
void forward_send_turn(void *private_data);

/* All up to that sequence number have arrived. */
void forward_send_arrived(struct forward_output *output, uint64_t sequence);

/* NULL: it is not in flight, or its lane has gone elsewhere since. */
const struct forward_flight *forward_send_find(
	const struct forward_output *output, uint64_t sequence);

/* The connection is gone: what has not arrived will be sent again. */
void forward_send_back(struct forward_output *output);

#endif
