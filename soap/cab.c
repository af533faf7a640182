/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/cab.h"

#define BLOCK_LEN 32768
#define HEADER_LEN 36
#define FOLDER_LEN 8
#define FILE_LEN 16 /* and the name with its NUL */
/* typeCompress: LZX with a window of 2^21 */
#define TYPE_LZX_21 0x1503
/* Before the raw bytes: the block's bits and R0, R1, R2. */
#define LZX_HEADER_LEN 16

/* CFHEADER, CFFOLDER and CFFILE, [MS-CAB] 2.1 to 2.3. */
static void put_head(struct buf *out, const char *name, size_t len,
		     size_t num_blocks)
{
	size_t name_size = strlen(name) + 1;

	buf_puts(out, "MSCF");
	buf_put_u32(out, 0);
	buf_put_u32(out, 0); /* cbCabinet, set at the end */
	buf_put_u32(out, 0);
	buf_put_u32(out, HEADER_LEN + FOLDER_LEN); /* coffFiles */
	buf_put_u32(out, 0);
	buf_put_u8(out, 3); /* version 1.3 */
	buf_put_u8(out, 1);
	buf_put_u16(out, 1); /* cFolders */
	buf_put_u16(out, 1); /* cFiles */
	buf_put_u16(out, 0); /* flags */
	buf_put_u16(out, 0); /* setID */
	buf_put_u16(out, 0); /* iCabinet */

	buf_put_u32(out,
		    (uint32_t)(HEADER_LEN + FOLDER_LEN + FILE_LEN + name_size));
	buf_put_u16(out, (uint16_t)num_blocks);
	buf_put_u16(out, TYPE_LZX_21);

	buf_put_u32(out, (uint32_t)len);
	buf_put_u32(out, 0); /* uoffFolderStart */
	buf_put_u16(out, 0); /* iFolder */
	buf_put_u16(out, 0); /* date */
	buf_put_u16(out, 0); /* time */
	buf_put_u16(out, 0); /* attribs */
	buf_put(out, name, name_size);
}

/* CFDATA's csum, [MS-CAB] 3.1: an odd rest is taken high byte first. */
static uint32_t checksum(const uint8_t *data, size_t len, uint32_t seed)
{
	uint32_t rest = 0;

	for (; len >= 4; len -= 4, data += 4) {
		seed ^= le32_get(data);
	}
	for (; len > 0; len--, data++) {
		rest = rest << 8 | *data;
	}
	return seed ^ rest;
}

/*
 * One uncompressed LZX block.  Its bits stand in 16-bit words, low byte first,
 * filled from the top: in the first block one bit "no E8 translation"; 3 bits
 * of the block's type, 3 for uncompressed; 24 bits of its length.
 */
static void put_lzx(struct buf *out, const uint8_t *data, size_t len,
		    bool is_first)
{
	uint32_t bits = UINT32_C(3) << 29 | (uint32_t)len << 5;

	if (is_first) {
		bits >>= 1;
	}
	buf_put_u16(out, (uint16_t)(bits >> 16));
	buf_put_u16(out, (uint16_t)bits);
	buf_put_u32(out, 1);
	buf_put_u32(out, 1);
	buf_put_u32(out, 1);
	buf_put(out, data, len);
	buf_put_zero(out, len & 1);
}

/* CFDATA, [MS-CAB] 2.4 */
static void put_block(struct buf *out, const uint8_t *data, size_t len,
		      bool is_first)
{
	size_t start = out->len;
	size_t packed = LZX_HEADER_LEN + len + (len & 1);
	uint32_t sum;

	buf_put_u32(out, 0); /* csum */
	buf_put_u16(out, (uint16_t)packed);
	buf_put_u16(out, (uint16_t)len);
	put_lzx(out, data, len, is_first);
	if (out->err == EVERR_OK) {
		sum = checksum(out->data + start + 8, packed, 0);
		sum = checksum(out->data + start + 4, 4, sum);
		buf_set_u32(out, start, sum);
	}
}

everr_t cab_write(struct buf *out, const char *name, const uint8_t *data,
		  size_t len)
{
	size_t start = out->len;
	size_t at;

	if (len > CAB_FILE_MAX) {
		return EVERR_LIMIT;
	}
	put_head(out, name, len, (len + BLOCK_LEN - 1) / BLOCK_LEN);
	for (at = 0; at < len; at += BLOCK_LEN) {
		size_t n = len - at < BLOCK_LEN ? len - at : BLOCK_LEN;

		put_block(out, data + at, n, at == 0);
	}
	if (out->err == EVERR_OK) {
		buf_set_u32(out, start + 8, (uint32_t)(out->len - start));
	}
	return buf_error(out);
}
