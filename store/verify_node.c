/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/verify_node.h"

#include "base/buf.h"

/* The wire form of the largest event. */
#define RECORD_WIRE_MAX (1024 * 1024)
#define RECORD_HEADER 48
#define RECORD_KIND_PACKED 1
#define RECORD_BORN 0x01
#define RECORD_MARK 0x06
#define RECORD_HAS_TIME 0x01

#define WIRE_MAX 1048576
#define NODE_HEADER 4
#define NODE_TEMPLATE 1
#define NODE_DOCUMENT 2
#define NODE_DEPTH_MAX 64
#define NODE_VALUES_MAX 4096
#define VALUE_BINXML 0x21

/* The bytes around a definition in RPC form, and around its values. */
#define WIRE_TEMPLATE (4 + 2 + 16 + 4)
#define WIRE_VALUES (4 + 1)

/* ------------------------------------------------------------ checksum */

/* The reflected polynomial, four bits at a time. */
static const uint32_t crc_nibble[16] = {
	0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
	0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
	0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

static uint32_t crc_portable(uint32_t crc, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
/* The checksum is what takes the time of a check: fifteen times as fast. */
__attribute__((target("sse4.2"))) static uint32_t crc_by_instruction(
	uint32_t crc, const uint8_t *data, size_t len)
{
	uint64_t wide = crc;

	for (; len >= 8; len -= 8, data += 8) {
		wide = __builtin_ia32_crc32di(wide, le64_get(data));
	}
	crc = (uint32_t)wide;
	for (; len > 0; len--, data++) {
		crc = __builtin_ia32_crc32qi(crc, *data);
	}
	return crc;
}
#endif

uint32_t verify_crc(uint32_t crc, const uint8_t *data, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2")) {
		return ~crc_by_instruction(~crc, data, len);
	}
#endif
	return ~crc_portable(~crc, data, len);
}

bool verify_crc_value(const uint8_t *key, size_t key_len, const uint8_t *value,
		      size_t len)
{
	uint32_t crc;

	if (len < 4) {
		return false;
	}
	crc = verify_crc(0, key, key_len);
	crc = verify_crc(crc, value + 4, len - 4);
	return crc == le32_get(value);
}

/* -------------------------------------------------------------- record */

static bool record_crc(uint32_t channel, uint64_t id, const uint8_t *value,
		       size_t len)
{
	uint8_t place[12];
	uint32_t crc;

	le32_set(place, channel);
	le64_set(place + 4, id);
	crc = verify_crc(0, place, sizeof(place));
	crc = verify_crc(crc, value + 4, len - 4);
	return crc == le32_get(value);
}

/* Fields that the event has not are 0. */
static bool absent_fields_are_zero(const uint8_t *value)
{
	uint8_t has = value[6];
	const struct {
		uint8_t bit;
		uint64_t field;
	} fields[] = {
		{0x01, le64_get(value + 16)},
		{0x02, le16_get(value + 36)},
		{0x04, value[7]},
		{0x08, le16_get(value + 38)},
		{0x10, value[40]},
		{0x20, le64_get(value + 24)},
		{0x40, value[41]},
		{0x80, le32_get(value + 32)},
	};
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if ((has & fields[i].bit) == 0 && fields[i].field != 0) {
			return false;
		}
	}
	return true;
}

const char *verify_record_read(uint32_t channel, uint64_t id, bool strict,
			       const uint8_t *value, size_t len,
			       struct verify_record *ret_record)
{
	if (len < RECORD_HEADER) {
		return "it is shorter than its header";
	}
	if (!record_crc(channel, id, value, len)) {
		return "its checksum is wrong";
	}
	*ret_record = (struct verify_record){
		.received = le64_get(value + 8),
		.time_created = le64_get(value + 16),
		.has_time = (value[6] & RECORD_HAS_TIME) != 0,
		.packed = value[4] == RECORD_KIND_PACKED,
		.origin = le16_get(value + 42),
		.mark = value[5] & RECORD_MARK,
		.wire_len = le32_get(value + 44),
		.node = value + RECORD_HEADER,
		.node_len = len - RECORD_HEADER,
	};
	if (ret_record->packed && ret_record->wire_len > RECORD_WIRE_MAX) {
		return "its wire form is longer than any event's";
	}
	if (!strict) {
		return NULL;
	}
	if (!ret_record->packed) {
		return "it is of an unknown kind";
	}
	if ((value[5] & ~(RECORD_BORN | RECORD_MARK)) != 0) {
		return "it has unknown flags";
	}
	if (!absent_fields_are_zero(value)) {
		return "a System field that it has not is not zero";
	}
	return NULL;
}

/* --------------------------------------------------------- packed event */

struct node_walk {
	verify_template_fn fn;
	void *private_data;
};

static const char *node_walk(const struct node_walk *walk, const uint8_t *node,
			     size_t len, unsigned int depth,
			     uint64_t *ret_wire_len);

static const char *document_walk(const uint8_t *node, size_t len,
				 uint64_t *ret_wire_len)
{
	const uint8_t *document = node + NODE_HEADER;

	len -= NODE_HEADER;
	if (node[1] != 0 || le16_get(node + 2) != 0) {
		return "a document node has reserved bits set";
	}
	if (len < 5 || le32_get(document) != 0x0001010F ||
	    document[len - 1] != 0) {
		return "a document has no fragment header or no end";
	}
	*ret_wire_len = len;
	return NULL;
}

static const char *template_walk(const struct node_walk *walk,
				 const uint8_t *node, size_t len,
				 unsigned int depth, uint64_t *ret_wire_len)
{
	size_t num_values = le16_get(node + 2);
	size_t offset = 8 + 4 * num_values;
	uint64_t wire_len;
	uint32_t def_len = 0;
	size_t i;

	if (node[1] != 0) {
		return "a template node has reserved bits set";
	}
	if (num_values > NODE_VALUES_MAX) {
		return "a node has too many values";
	}
	if (len < offset) {
		return "a node ends inside its descriptions";
	}
	if (!walk->fn(le32_get(node + 4), &def_len, walk->private_data)) {
		return "it uses a template that does not exist";
	}
	wire_len = WIRE_TEMPLATE + (uint64_t)def_len + WIRE_VALUES +
		   4 * num_values;

	for (i = 0; i < num_values; i++) {
		const uint8_t *description = node + 8 + 4 * i;
		size_t value_len = le16_get(description);
		uint64_t value_wire_len = value_len;
		const char *fault = NULL;

		if (description[3] != 0) {
			return "a value's description has reserved bits set";
		}
		if (value_len > len - offset) {
			return "a value reaches beyond its node";
		}
		if (description[2] == VALUE_BINXML && value_len > 0) {
			fault = node_walk(walk, node + offset, value_len,
					  depth + 1, &value_wire_len);
		}
		if (fault != NULL) {
			return fault;
		}
		if (value_wire_len > UINT16_MAX) {
			return "a nested event is too long for a value";
		}
		offset += value_len;
		wire_len += value_wire_len;
	}
	if (offset != len) {
		return "a node is longer than its values";
	}
	*ret_wire_len = wire_len;
	return NULL;
}

static const char *node_walk(const struct node_walk *walk, const uint8_t *node,
			     size_t len, unsigned int depth,
			     uint64_t *ret_wire_len)
{
	if (depth >= NODE_DEPTH_MAX) {
		return "nodes are nested too deeply";
	}
	if (len >= 8 && node[0] == NODE_TEMPLATE) {
		return template_walk(walk, node, len, depth, ret_wire_len);
	}
	if (len >= NODE_HEADER && node[0] == NODE_DOCUMENT) {
		return document_walk(node, len, ret_wire_len);
	}
	return "a node is neither a template nor a document";
}

const char *verify_node_walk(const uint8_t *node, size_t len,
			     verify_template_fn fn, void *private_data,
			     uint64_t *ret_wire_len)
{
	const struct node_walk walk = {.fn = fn, .private_data = private_data};
	const char *fault = NULL;
	uint64_t wire_len = 0;

	fault = node_walk(&walk, node, len, 0, &wire_len);
	if (fault == NULL && wire_len > WIRE_MAX) {
		fault = "its RPC form is too long";
	}
	if (fault == NULL) {
		*ret_wire_len = wire_len;
	}
	return fault;
}
