/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_PACKETS_H
#define EVENLOG_RPC_PACKETS_H

/*
 * A look at a client's packets as they are read, for the two that the server
 * core takes and drops: those by which a client gives up a call that is still
 * out.  [C706] 12.6.4.  Pure: no I/O.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the header that all packets have. */
#define RPC_PACKET_HEADER_SIZE 16

#define RPC_PACKET_CO_CANCEL 18
#define RPC_PACKET_ORPHANED 19

/* Such a packet has been read, whole.  type: one of the two. */
typedef void (*rpc_packet_fn)(uint8_t type, uint32_t call_id,
			      void *private_data);

/* All zero at the beginning of the stream. */
struct rpc_packets {
	uint8_t header[RPC_PACKET_HEADER_SIZE];
	size_t have; /* bytes of the header */
	size_t left; /* bytes of the packet after its header */
	bool broken; /* no packets: nothing is looked at any more */
};

/* The next bytes of the stream, in pieces of any size. */
void rpc_packets_feed(struct rpc_packets *packets, const uint8_t *data,
		      size_t len, rpc_packet_fn fn, void *private_data);

#endif
