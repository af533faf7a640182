/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_BUF_H
#define EVENLOG_BASE_BUF_H

/*
 * A growth buffer with a maximum that is set at its creation and never passed.
 *
 * Writers may ignore single results: the first failure sticks (buf_error())
 * and everything after it is a no-op, so a long emission is checked once at
 * its end.  A failed buffer keeps what it held before the failure.
 */

#include "base/everr.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

struct buf {
	uint8_t *data; /* talloc child of mem_ctx */
	size_t len;
	size_t size; /* allocated */
	size_t max;  /* len never passes it */
	everr_t err; /* EVERR_OK, EVERR_NOMEM or EVERR_LIMIT */
	TALLOC_CTX *mem_ctx;
};

/* An empty buffer of at most max bytes; allocates nothing yet. */
void buf_init(struct buf *buf, TALLOC_CTX *mem_ctx, size_t max);

/* Free the bytes; the buffer is as after buf_init(). */
void buf_free(struct buf *buf);

/* Forget the content and the error, keep the allocation. */
void buf_reset(struct buf *buf);

/* Cut back to an earlier length (len <= buf->len). */
void buf_truncate(struct buf *buf, size_t len);

/* The first error, or EVERR_OK. */
everr_t buf_error(const struct buf *buf) EVERR_MUST_CHECK;

/* The same as buf_extend(), where the buffer has to grow or has failed. */
uint8_t *buf_extend_slow(struct buf *buf, size_t len);

/*
 * Make room for len more bytes and hand out where they go; buf->len has grown
 * by len.  NULL when the buffer has failed.
 */
static inline uint8_t *buf_extend(struct buf *buf, size_t len)
{
	uint8_t *p = NULL;

	if (buf->err != EVERR_OK || buf->data == NULL ||
	    len > buf->size - buf->len) {
		return buf_extend_slow(buf, len);
	}
	p = buf->data + buf->len;
	buf->len += len;
	return p;
}

/* Append.  Integers are little endian, as everything on this project's wire. */
static inline void buf_put(struct buf *buf, const void *data, size_t len)
{
	uint8_t *p = buf_extend(buf, len);

	if (p != NULL && len > 0) {
		memcpy(p, data, len);
	}
}

static inline void buf_put_u8(struct buf *buf, uint8_t v)
{
	uint8_t *p = buf_extend(buf, 1);

	if (p != NULL) {
		*p = v;
	}
}

void buf_put_u16(struct buf *buf, uint16_t v);
void buf_put_u32(struct buf *buf, uint32_t v);
void buf_put_u64(struct buf *buf, uint64_t v);
void buf_put_zero(struct buf *buf, size_t len);
void buf_puts(struct buf *buf, const char *s);
void buf_printf(struct buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Overwrite at offset, which must lie inside the content. */
void buf_set_u16(struct buf *buf, size_t offset, uint16_t v);
void buf_set_u32(struct buf *buf, size_t offset, uint32_t v);
void buf_set_u64(struct buf *buf, size_t offset, uint64_t v);

/* Unaligned little-endian access to any bytes. */
static inline uint16_t le16_get(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32_get(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static inline uint64_t le64_get(const uint8_t *p)
{
	return (uint64_t)le32_get(p) | (uint64_t)le32_get(p + 4) << 32;
}

static inline void le16_set(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void le32_set(uint8_t *p, uint32_t v)
{
	le16_set(p, (uint16_t)v);
	le16_set(p + 2, (uint16_t)(v >> 16));
}

static inline void le64_set(uint8_t *p, uint64_t v)
{
	le32_set(p, (uint32_t)v);
	le32_set(p + 4, (uint32_t)(v >> 32));
}

#endif
