/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/mapper.h"

#include <stdbool.h>

/* Protocol identifiers of tower floors, C706 appendix I. */
enum {
	FLOOR_TCP = 0x07,
	FLOOR_IP = 0x09,
	FLOOR_NCACN = 0x0b,
	FLOOR_UUID = 0x0d
};

/* Floors of a tower for ncacn_ip_tcp: interface, syntax, RPC, TCP, IP. */
#define FLOORS 5
#define FLOOR_OF_PORT 3

/* What a mapper may answer with at most; one is asked for. */
#define TOWERS_MAX 64

/* The NDR transfer syntax, 8a885d04-1ceb-11c9-9fe8-08002b104860 v2. */
static const struct ev_guid ndr_syntax = {{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c,
					   0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00,
					   0x2b, 0x10, 0x48, 0x60}};

/* A floor that names an interface or a syntax: left UUID and major. */
static void put_uuid_floor(struct buf *out, const struct ev_guid *uuid,
			   uint16_t major, uint16_t minor)
{
	buf_put_u16(out, 1 + sizeof(uuid->b) + 2);
	buf_put_u8(out, FLOOR_UUID);
	buf_put(out, uuid->b, sizeof(uuid->b));
	buf_put_u16(out, major);
	buf_put_u16(out, 2);
	buf_put_u16(out, minor);
}

/* A floor of one protocol byte whose right side is still unknown: zero. */
static void put_open_floor(struct buf *out, uint8_t protocol, size_t rhs_len)
{
	buf_put_u16(out, 1);
	buf_put_u8(out, protocol);
	buf_put_u16(out, (uint16_t)rhs_len);
	buf_put_zero(out, rhs_len);
}

void collect_mapper_request(struct buf *out, const struct ev_guid *interface,
			    uint16_t major, uint16_t minor)
{
	size_t tower, len;

	/* object: a full pointer to the nil UUID */
	buf_put_u32(out, 1);
	buf_put_zero(out, 16);

	/* map_tower: pointer, conformance, tower_length, the octets */
	buf_put_u32(out, 2);
	buf_put_u32(out, 0);
	buf_put_u32(out, 0);
	tower = out->len;
	buf_put_u16(out, FLOORS);
	put_uuid_floor(out, interface, major, minor);
	put_uuid_floor(out, &ndr_syntax, 2, 0);
	put_open_floor(out, FLOOR_NCACN, 2);
	put_open_floor(out, FLOOR_TCP, 2);
	put_open_floor(out, FLOOR_IP, 4);
	if (buf_error(out) != EVERR_OK) {
		return;
	}
	len = out->len - tower;
	buf_set_u32(out, tower - 8, (uint32_t)len);
	buf_set_u32(out, tower - 4, (uint32_t)len);
	buf_put_zero(out, -len & 3);

	/* entry_handle: none yet; max_towers */
	buf_put_zero(out, 20);
	buf_put_u32(out, 1);
}

/* A reader that fails once and for all when the data ends. */
struct reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool failed;
};

static const uint8_t *take(struct reader *reader, size_t len)
{
	const uint8_t *p = reader->data + reader->pos;

	if (reader->failed || len > reader->len - reader->pos) {
		reader->failed = true;
		return NULL;
	}
	reader->pos += len;
	return p;
}

static uint32_t take_u32(struct reader *reader)
{
	const uint8_t *p = NULL;

	take(reader, -reader->pos & 3);
	p = take(reader, 4);
	return p != NULL ? le32_get(p) : 0;
}

static uint16_t take_u16(struct reader *reader)
{
	const uint8_t *p = take(reader, 2);

	return p != NULL ? le16_get(p) : 0;
}

/* The port of one tower, 0 when it has none. */
static uint16_t tower_port(const uint8_t *data, size_t len)
{
	struct reader reader = {.data = data, .len = len};
	uint16_t floors = take_u16(&reader);
	uint16_t i;

	for (i = 0; i < floors && !reader.failed; i++) {
		size_t lhs_len = take_u16(&reader);
		const uint8_t *lhs = take(&reader, lhs_len);
		size_t rhs_len = take_u16(&reader);
		const uint8_t *rhs = take(&reader, rhs_len);

		if (reader.failed || i != FLOOR_OF_PORT) {
			continue;
		}
		if (lhs_len != 1 || lhs[0] != FLOOR_TCP || rhs_len != 2) {
			return 0;
		}
		/* Addresses in floors are big endian. */
		return (uint16_t)(rhs[0] << 8 | rhs[1]);
	}
	return 0;
}

everr_t collect_mapper_reply(const uint8_t *data, size_t len,
			     uint16_t *ret_port)
{
	struct reader reader = {.data = data, .len = len};
	uint32_t num_towers, actual, status, i;
	uint32_t pointers = 0;
	uint16_t port = 0;

	take(&reader, 20); /* entry_handle */
	num_towers = take_u32(&reader);
	take_u32(&reader); /* max_count */
	take_u32(&reader); /* offset */
	actual = take_u32(&reader);
	if (reader.failed || num_towers > TOWERS_MAX || actual != num_towers) {
		return EVERR_PROTOCOL;
	}
	for (i = 0; i < actual; i++) {
		if (take_u32(&reader) != 0) {
			pointers++;
		}
	}
	for (i = 0; i < pointers; i++) {
		uint32_t max_count = take_u32(&reader);
		uint32_t tower_len = take_u32(&reader);
		const uint8_t *tower = take(&reader, tower_len);

		if (reader.failed || max_count != tower_len) {
			return EVERR_PROTOCOL;
		}
		if (port == 0) {
			port = tower_port(tower, tower_len);
		}
	}
	status = take_u32(&reader);
	if (reader.failed) {
		return EVERR_PROTOCOL;
	}
	if (status != 0 || port == 0) {
		return EVERR_NOT_FOUND;
	}
	*ret_port = port;
	return EVERR_OK;
}
