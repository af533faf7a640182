/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_VERIFY_NODE_H
#define EVENLOG_STORE_VERIFY_NODE_H

/*
 * The checker's own reading of values: the checksum, a record's header and
 * the packed event behind it.  From doc/store-format.md; pure.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CRC-32C of more bytes; crc is 0 at first. */
uint32_t verify_crc(uint32_t crc, const uint8_t *data, size_t len);

/* Whether the value of a table but records begins with its checksum. */
bool verify_crc_value(const uint8_t *key, size_t key_len, const uint8_t *value,
		      size_t len);

struct verify_record {
	uint64_t received;
	uint64_t time_created;
	bool has_time;
	bool packed; /* of the kind that this program knows */
	uint16_t origin;
	uint8_t mark;
	uint32_t wire_len;
	const uint8_t *node;
	size_t node_len;
};

/*
 * Read a record's value.  NULL, or what is wrong.  strict: flags and kinds
 * that this program does not know are wrong, too.
 */
const char *verify_record_read(uint32_t channel, uint64_t id, bool strict,
			       const uint8_t *value, size_t len,
			       struct verify_record *ret_record);

/*
 * Asked for the length of a template's definition; false: there is none of
 * that number.
 */
typedef bool (*verify_template_fn)(uint32_t no, uint32_t *ret_def_len,
				   void *private_data);

/*
 * Walk a packed event; fn is called for each template node.  NULL, or what is
 * wrong; the length of its RPC form.
 */
const char *verify_node_walk(const uint8_t *node, size_t len,
			     verify_template_fn fn, void *private_data,
			     uint64_t *ret_wire_len);

#endif
