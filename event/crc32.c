/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/crc32.h"

#include "base/buf.h"

#define POLYNOMIAL 0xEDB88320

/* remainders[n][b] is that of byte b with n zero bytes behind it. */
void event_crc32_init(struct event_crc32 *table)
{
	uint32_t crc, i, j, n;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (j = 0; j < 8; j++) {
			crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		}
		table->remainders[0][i] = crc;
	}
	for (n = 1; n < 8; n++) {
		for (i = 0; i < 256; i++) {
			crc = table->remainders[n - 1][i];
			table->remainders[n][i] =
				crc >> 8 ^ table->remainders[0][crc & 0xFF];
		}
	}
}

/* Eight bytes at a time, each looked up in the table of its place. */
uint32_t event_crc32(const struct event_crc32 *table, uint32_t crc,
		     const uint8_t *data, size_t len)
{
	const uint32_t(*t)[256] = table->remainders;
	uint32_t low, high;

	crc = ~crc;
	for (; len >= 8; len -= 8, data += 8) {
		low = le32_get(data) ^ crc;
		high = le32_get(data + 4);
		crc = t[7][low & 0xFF] ^ t[6][low >> 8 & 0xFF] ^
		      t[5][low >> 16 & 0xFF] ^ t[4][low >> 24] ^
		      t[3][high & 0xFF] ^ t[2][high >> 8 & 0xFF] ^
		      t[1][high >> 16 & 0xFF] ^ t[0][high >> 24];
	}
	for (; len > 0; len--, data++) {
		crc = t[0][(crc ^ *data) & 0xFF] ^ crc >> 8;
	}
	return ~crc;
}
