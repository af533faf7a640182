/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/decode.h"

#include "base/text.h"
#include "bridge/text.h"

/* UTF-16 units of a reason. */
#define REASON_MAX 1024

enum encoding {
	ENCODING_UTF8,
	ENCODING_UTF16LE,
	ENCODING_UTF16BE
};

/*
 * Reasons quote what was sent, a part of it perhaps, and are shown on
 * terminals: no half characters and no controls.
 */
static const char *tidied(TALLOC_CTX *mem_ctx, char *reason)
{
	size_t i;

	if (reason == NULL) {
		return NULL;
	}
	for (i = 0; reason[i] != '\0'; i++) {
		if ((uint8_t)reason[i] < ' ' || reason[i] == 0x7F) {
			reason[i] = ' ';
		}
	}
	if (text_utf8_valid(reason, i)) {
		return reason;
	}
	return bridge_text_clean(mem_ctx, reason, REASON_MAX);
}

everr_t bridge_refuse(TALLOC_CTX *mem_ctx, everr_t err, const char **ret_reason,
		      const char *format, ...)
{
	const char *reason = NULL;
	va_list ap;

	va_start(ap, format);
	reason = tidied(mem_ctx, talloc_vasprintf(mem_ctx, format, ap));
	va_end(ap);
	if (reason == NULL) {
		return EVERR_NOMEM;
	}
	*ret_reason = reason;
	return err;
}

/* By its mark, or by where the zeros of an ASCII letter are. */
static enum encoding detect(const uint8_t *data, size_t len, size_t *ret_mark)
{
	*ret_mark = 0;
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
		*ret_mark = 3;
		return ENCODING_UTF8;
	}
	if (len >= 2 && data[0] == 0xFF && data[1] == 0xFE) {
		*ret_mark = 2;
		return ENCODING_UTF16LE;
	}
	if (len >= 2 && data[0] == 0xFE && data[1] == 0xFF) {
		*ret_mark = 2;
		return ENCODING_UTF16BE;
	}
	if (len >= 2 && data[0] != 0 && data[1] == 0) {
		return ENCODING_UTF16LE;
	}
	if (len >= 2 && data[0] == 0 && data[1] != 0) {
		return ENCODING_UTF16BE;
	}
	return ENCODING_UTF8;
}

static bool is_tail(uint16_t c)
{
	return c == 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ----------------------------------------------------------------- UTF-8 */

static everr_t decode_utf8(TALLOC_CTX *mem_ctx, struct buf *out,
			   const uint8_t *data, size_t len,
			   const char **ret_reason)
{
	const uint8_t *nul = NULL;

	while (len > 0 && is_tail(data[len - 1])) {
		len--;
	}
	if (len == 0) {
		return EVERR_OK;
	}
	nul = memchr(data, 0, len);
	if (nul != NULL) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "a NUL at byte %zu of its text",
				     (size_t)(nul - data));
	}
	if (!text_utf8_valid((const char *)data, len)) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "its text is neither UTF-16 nor valid "
				     "UTF-8");
	}
	buf_put(out, data, len);
	return buf_error(out);
}

/* ---------------------------------------------------------------- UTF-16 */

static uint16_t unit_at(const uint8_t *units, size_t i)
{
	return le16_get(units + 2 * i);
}

/* The first that is NUL, or a half of a surrogate pair alone; num: none. */
static size_t find_wrong(const uint8_t *units, size_t num)
{
	size_t i;

	for (i = 0; i < num; i++) {
		uint16_t c = unit_at(units, i);

		if (c == 0 || (c >= 0xDC00 && c < 0xE000)) {
			return i;
		}
		if (c < 0xD800 || c >= 0xE000) {
			continue;
		}
		if (i + 1 == num || unit_at(units, i + 1) < 0xDC00 ||
		    unit_at(units, i + 1) >= 0xE000) {
			return i;
		}
		i++;
	}
	return num;
}

static everr_t decode_utf16(TALLOC_CTX *mem_ctx, struct buf *out,
			    const uint8_t *units, size_t num,
			    const char **ret_reason)
{
	size_t wrong;

	while (num > 0 && is_tail(unit_at(units, num - 1))) {
		num--;
	}
	wrong = find_wrong(units, num);
	if (wrong < num && unit_at(units, wrong) == 0) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "a NUL at character %zu of its text",
				     wrong);
	}
	if (wrong < num) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "half a surrogate pair (0x%04X) at "
				     "character %zu of its text",
				     unit_at(units, wrong), wrong);
	}
	text_utf16_to_utf8(out, units, num);
	return buf_error(out);
}

static everr_t decode_swapped(TALLOC_CTX *mem_ctx, struct buf *out,
			      const uint8_t *data, size_t num,
			      const char **ret_reason)
{
	uint8_t *units = talloc_array(mem_ctx, uint8_t, 2 * num);
	everr_t err;
	size_t i;

	if (units == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		units[2 * i] = data[2 * i + 1];
		units[2 * i + 1] = data[2 * i];
	}
	err = decode_utf16(mem_ctx, out, units, num, ret_reason);
	talloc_free(units);
	return err;
}

everr_t bridge_decode(TALLOC_CTX *mem_ctx, struct buf *out, const uint8_t *data,
		      size_t len, const char **ret_reason)
{
	size_t mark = 0;
	enum encoding encoding = detect(data, len, &mark);

	data += mark;
	len -= mark;
	if (encoding == ENCODING_UTF8) {
		return decode_utf8(mem_ctx, out, data, len, ret_reason);
	}
	if (len % 2 != 0) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "its text is UTF-16 with an odd number "
				     "of bytes (%zu)",
				     len);
	}
	if (encoding == ENCODING_UTF16LE) {
		return decode_utf16(mem_ctx, out, data, len / 2, ret_reason);
	}
	return decode_swapped(mem_ctx, out, data, len / 2, ret_reason);
}
