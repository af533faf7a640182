/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_CRC32C_H
#define EVENLOG_STORE_CRC32C_H

/*
 * CRC-32C (Castagnoli), RFC 3720 appendix B.4; by the processor's instruction
 * where it has one.
 */

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of more bytes: crc is 0 at first, then what the call before
 * returned.
 */
uint32_t store_crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the instruction; for tests. */
uint32_t store_crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
