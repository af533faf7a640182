/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/text.h"

#include "base/text.h"

#include <stdio.h>

#define REPLACEMENT 0xFFFD

/* A sequence of n bytes starts at or above these code points. */
static const uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};

/* How many bytes the sequence has that this byte starts; 0: none. */
static size_t sequence_len(uint8_t first)
{
	if (first < 0x80) {
		return 1;
	}
	if (first >= 0xC2 && first < 0xE0) {
		return 2;
	}
	if (first >= 0xE0 && first < 0xF0) {
		return 3;
	}
	return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/* The character at text; what is none is one byte of U+FFFD. */
static uint32_t next_char(const char *text, size_t len, size_t *ret_used)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t num = sequence_len(p[0]);
	uint32_t c;
	size_t i;

	*ret_used = 1;
	if (num == 1) {
		return p[0];
	}
	if (num == 0 || num > len) {
		return REPLACEMENT;
	}
	c = p[0] & (0x7FU >> num);
	for (i = 1; i < num; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return REPLACEMENT;
		}
		c = c << 6 | (p[i] & 0x3F);
	}
	if (c < shortest[num] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
		return REPLACEMENT;
	}
	*ret_used = num;
	return c;
}

size_t bridge_text_units(const char *text, size_t len, size_t max)
{
	size_t num = 0;
	size_t at = 0;
	size_t used = 0;

	while (at < len && num <= max) {
		num += next_char(text + at, len - at, &used) < 0x10000 ? 1 : 2;
		at += used;
	}
	return num;
}

static void put_units(struct buf *out, const char *text, size_t len,
		      size_t max_units)
{
	size_t num = 0;
	size_t at = 0;
	size_t used = 0;

	while (at < len && num < max_units) {
		uint32_t c = next_char(text + at, len - at, &used);

		if (c < 0x10000) {
			buf_put_u16(out, (uint16_t)c);
			num++;
		} else if (num + 2 <= max_units) {
			c -= 0x10000;
			buf_put_u16(out, (uint16_t)(0xD800 + (c >> 10)));
			buf_put_u16(out, (uint16_t)(0xDC00 + (c & 0x3FF)));
			num += 2;
		} else {
			return;
		}
		at += used;
	}
}

void bridge_text_put(struct buf *out, const char *text, size_t len,
		     size_t max_units)
{
	char mark[BRIDGE_CUT_MARK_MAX];
	size_t mark_len, mark_units;

	if (bridge_text_units(text, len, max_units) <= max_units) {
		put_units(out, text, len, max_units);
		return;
	}
	snprintf(mark, sizeof(mark), "… [cut, %zu bytes]", len);
	mark_len = strlen(mark);
	mark_units = bridge_text_units(mark, mark_len, sizeof(mark));
	if (mark_units < max_units) {
		put_units(out, text, len, max_units - mark_units);
	}
	put_units(out, mark, mark_len, max_units);
}

char *bridge_text_clean(TALLOC_CTX *mem_ctx, const char *text, size_t max_units)
{
	struct buf units, utf8;
	char *clean = NULL;

	buf_init(&units, mem_ctx, 2 * max_units);
	buf_init(&utf8, mem_ctx, 3 * max_units);
	bridge_text_put(&units, text, strlen(text), max_units);
	text_utf16_to_utf8(&utf8, units.data, units.len / 2);
	if (buf_error(&units) == EVERR_OK && buf_error(&utf8) == EVERR_OK) {
		clean = talloc_strndup(
			mem_ctx, utf8.len == 0 ? "" : (const char *)utf8.data,
			utf8.len);
	}
	buf_free(&units);
	buf_free(&utf8);
	return clean;
}
