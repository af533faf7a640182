/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_CRC32_H
#define EVENLOG_EVENT_CRC32_H

/* CRC-32 (IEEE 802.3, reflected 0xEDB88320), as in zip and in .evtx files. */

#include <stddef.h>
#include <stdint.h>

/* 8 KiB of remainders; whoever computes checksums keeps one. */
struct event_crc32 {
	uint32_t remainders[8][256];
};

void event_crc32_init(struct event_crc32 *table);

/* crc is 0 at first, then what came before: data may come in pieces. */
uint32_t event_crc32(const struct event_crc32 *table, uint32_t crc,
		     const uint8_t *data, size_t len);

#endif
