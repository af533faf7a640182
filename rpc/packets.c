/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/packets.h"

#include "base/buf.h"

#include <string.h>

/* Places in the header, [C706] 12.6.3.1. */
#define AT_TYPE 2
#define AT_DREP 4
#define AT_LENGTH 8
#define AT_CALL_ID 12

#define DREP_LITTLE_ENDIAN 0x10

static size_t packet_length(const uint8_t *header)
{
	const uint8_t *at = header + AT_LENGTH;

	if (header[AT_DREP] & DREP_LITTLE_ENDIAN) {
		return le16_get(at);
	}
	return (size_t)at[0] << 8 | at[1];
}

static uint32_t packet_call_id(const uint8_t *header)
{
	const uint8_t *at = header + AT_CALL_ID;

	if (header[AT_DREP] & DREP_LITTLE_ENDIAN) {
		return le32_get(at);
	}
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* The packet is complete; the next one begins. */
static void packet_end(struct rpc_packets *packets, rpc_packet_fn fn,
		       void *private_data)
{
	uint8_t type = packets->header[AT_TYPE];

	packets->have = 0;
	if (type == RPC_PACKET_CO_CANCEL || type == RPC_PACKET_ORPHANED) {
		fn(type, packet_call_id(packets->header), private_data);
	}
}

static size_t take_header(struct rpc_packets *packets, const uint8_t *data,
			  size_t len)
{
	size_t missing = RPC_PACKET_HEADER_SIZE - packets->have;
	size_t size = len < missing ? len : missing;
	size_t length;

	memcpy(packets->header + packets->have, data, size);
	packets->have += size;
	if (packets->have < RPC_PACKET_HEADER_SIZE) {
		return size;
	}
	/* The core ends a connection that sends this. */
	length = packet_length(packets->header);
	packets->broken = length < RPC_PACKET_HEADER_SIZE;
	packets->left = length - RPC_PACKET_HEADER_SIZE;
	return size;
}

void rpc_packets_feed(struct rpc_packets *packets, const uint8_t *data,
		      size_t len, rpc_packet_fn fn, void *private_data)
{
	while (len > 0 && !packets->broken) {
		size_t size;

		if (packets->have < RPC_PACKET_HEADER_SIZE) {
			size = take_header(packets, data, len);
		} else {
			size = len < packets->left ? len : packets->left;
			packets->left -= size;
		}
		data += size;
		len -= size;
		if (packets->have == RPC_PACKET_HEADER_SIZE &&
		    packets->left == 0 && !packets->broken) {
			packet_end(packets, fn, private_data);
		}
	}
}
