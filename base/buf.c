/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdio.h>

#define BUF_FIRST_SIZE 256

void buf_init(struct buf *buf, TALLOC_CTX *mem_ctx, size_t max)
{
	*buf = (struct buf){.max = max, .mem_ctx = mem_ctx};
}

void buf_free(struct buf *buf)
{
	TALLOC_FREE(buf->data);
	buf_init(buf, buf->mem_ctx, buf->max);
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->err = EVERR_OK;
}

void buf_truncate(struct buf *buf, size_t len)
{
	if (len < buf->len) {
		buf->len = len;
	}
}

everr_t buf_error(const struct buf *buf)
{
	return buf->err;
}

static void buf_grow(struct buf *buf, size_t need)
{
	size_t size = buf->size < BUF_FIRST_SIZE ? BUF_FIRST_SIZE : buf->size;
	uint8_t *data = NULL;

	while (size < need) {
		size *= 2;
	}
	if (size > buf->max) {
		size = buf->max;
	}

	data = talloc_realloc(buf->mem_ctx, buf->data, uint8_t, size);
	if (data == NULL) {
		buf->err = EVERR_NOMEM;
		return;
	}
	buf->data = data;
	buf->size = size;
}

uint8_t *buf_extend_slow(struct buf *buf, size_t len)
{
	uint8_t *p = NULL;

	if (buf->err != EVERR_OK) {
		return NULL;
	}
	if (len > buf->max - buf->len) {
		buf->err = EVERR_LIMIT;
		return NULL;
	}
	if (len > buf->size - buf->len || buf->data == NULL) {
		buf_grow(buf, buf->len + len);
		if (buf->err != EVERR_OK) {
			return NULL;
		}
	}

	p = buf->data + buf->len;
	buf->len += len;
	return p;
}

void buf_put_u16(struct buf *buf, uint16_t v)
{
	uint8_t *p = buf_extend(buf, 2);

	if (p != NULL) {
		le16_set(p, v);
	}
}

void buf_put_u32(struct buf *buf, uint32_t v)
{
	uint8_t *p = buf_extend(buf, 4);

	if (p != NULL) {
		le32_set(p, v);
	}
}

void buf_put_u64(struct buf *buf, uint64_t v)
{
	uint8_t *p = buf_extend(buf, 8);

	if (p != NULL) {
		le64_set(p, v);
	}
}

void buf_put_zero(struct buf *buf, size_t len)
{
	uint8_t *p = buf_extend(buf, len);

	if (p != NULL && len > 0) {
		memset(p, 0, len);
	}
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_put(buf, s, strlen(s));
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	char *big = NULL;
	int len;

	if (buf->err != EVERR_OK) {
		return;
	}

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof(text)) {
		buf_put(buf, text, (size_t)len);
		return;
	}

	va_start(ap, fmt);
	big = talloc_vasprintf(buf->mem_ctx, fmt, ap);
	va_end(ap);
	if (big == NULL) {
		buf->err = EVERR_NOMEM;
		return;
	}
	buf_puts(buf, big);
	TALLOC_FREE(big);
}

void buf_set_u16(struct buf *buf, size_t offset, uint16_t v)
{
	if (buf->err == EVERR_OK) {
		le16_set(buf->data + offset, v);
	}
}

void buf_set_u32(struct buf *buf, size_t offset, uint32_t v)
{
	if (buf->err == EVERR_OK) {
		le32_set(buf->data + offset, v);
	}
}

void buf_set_u64(struct buf *buf, size_t offset, uint64_t v)
{
	if (buf->err == EVERR_OK) {
		le64_set(buf->data + offset, v);
	}
}
