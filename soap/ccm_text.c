/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_internal.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* The bytes 0D 0A, which senders put behind UTF-16 too, as one unit of it. */
#define CRLF_UNIT 0x0A0D

/* ----------------------------------------------------------------- reasons */

/* What came from a peer must not spoil the text that it is quoted in. */
static void make_printable(char *text)
{
	bool utf8 = text_utf8_valid(text, strlen(text));

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7F || (c >= 0x80 && !utf8)) {
			*text = '?';
		}
	}
}

everr_t ccm_refuse(TALLOC_CTX *mem_ctx, const char **ret_reason, everr_t err,
		   const char *fmt, ...)
{
	char *reason = NULL;
	va_list args;

	va_start(args, fmt);
	reason = talloc_vasprintf(mem_ctx, fmt, args);
	va_end(args);
	if (reason == NULL) {
		return EVERR_NOMEM;
	}
	make_printable(reason);
	*ret_reason = reason;
	return err;
}

const char *ccm_count(char text[CCM_COUNT_SIZE], uint64_t n)
{
	char digits[21];
	size_t len, i;
	char *p = text;

	len = (size_t)snprintf(digits, sizeof(digits), "%llu",
			       (unsigned long long)n);
	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			*p++ = ',';
		}
		*p++ = digits[i];
	}
	*p = '\0';
	return text;
}

/* ---------------------------------------------------------------- encoding */

enum ccm_encoding ccm_text_encoding(const uint8_t *data, size_t len,
				    size_t *ret_bom)
{
	*ret_bom = 0;
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
		*ret_bom = 3;
		return CCM_UTF8;
	}
	if (len < 2) {
		return CCM_UTF8;
	}
	if (data[0] == 0xFF && data[1] == 0xFE) {
		*ret_bom = 2;
		return CCM_UTF16LE;
	}
	if (data[0] == 0xFE && data[1] == 0xFF) {
		*ret_bom = 2;
		return CCM_UTF16BE;
	}
	if (data[0] != 0 && data[1] == 0) {
		return CCM_UTF16LE;
	}
	return data[0] == 0 && data[1] != 0 ? CCM_UTF16BE : CCM_UTF8;
}

static bool utf16_valid(const uint8_t *utf16le, size_t num_units)
{
	size_t i;

	for (i = 0; i < num_units; i++) {
		uint16_t unit = le16_get(utf16le + 2 * i);

		if ((unit & 0xF800) != 0xD800) {
			continue;
		}
		/* A high surrogate, and a low one behind it. */
		if (unit >= 0xDC00 || ++i == num_units ||
		    (le16_get(utf16le + 2 * i) & 0xFC00) != 0xDC00) {
			return false;
		}
	}
	return true;
}

static bool is_tail(uint16_t unit)
{
	return unit == 0 || unit == '\r' || unit == '\n' || unit == CRLF_UNIT;
}

static everr_t put_utf16(struct buf *out, const uint8_t *utf16le, size_t len)
{
	size_t num = len / 2;

	if (len % 2 != 0) {
		return EVERR_TEXT;
	}
	while (num > 0 && is_tail(le16_get(utf16le + 2 * (num - 1)))) {
		num--;
	}
	if (!utf16_valid(utf16le, num)) {
		return EVERR_TEXT;
	}
	text_utf16_to_utf8(out, utf16le, num);
	return buf_error(out);
}

static everr_t put_utf16be(struct buf *out, const uint8_t *utf16be, size_t len)
{
	uint8_t *swapped = NULL;
	everr_t err;
	size_t i;

	/* Two CRLF bytes are two bytes in this order as well. */
	while (len >= 2 && memcmp(utf16be + len - 2, "\r\n", 2) == 0) {
		len -= 2;
	}
	swapped = talloc_array(out->mem_ctx, uint8_t, len);
	if (swapped == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < len; i++) {
		swapped[i] = utf16be[(i ^ 1) < len ? i ^ 1 : i];
	}
	err = put_utf16(out, swapped, len);
	TALLOC_FREE(swapped);
	return err;
}

static everr_t put_utf8(struct buf *out, const uint8_t *utf8, size_t len)
{
	while (len > 0 && is_tail(utf8[len - 1])) {
		len--;
	}
	if (!text_utf8_valid((const char *)utf8, len)) {
		return EVERR_TEXT;
	}
	buf_put(out, utf8, len);
	return buf_error(out);
}

everr_t ccm_text(struct buf *out, const uint8_t *data, size_t len)
{
	size_t old_len = out->len;
	size_t bom = 0;
	everr_t err = EVERR_TEXT;

	switch (ccm_text_encoding(data, len, &bom)) {
	case CCM_UTF8:
		err = put_utf8(out, data + bom, len - bom);
		break;
	case CCM_UTF16LE:
		err = put_utf16(out, data + bom, len - bom);
		break;
	case CCM_UTF16BE:
		err = put_utf16be(out, data + bom, len - bom);
		break;
	}
	if (err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return err;
}
