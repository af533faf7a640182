/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <string.h>

/* U+FFFD in UTF-8, for what the target cannot carry. */
#define REPLACEMENT 0xFFFDU
#define REPLACEMENT_UTF8 "\xEF\xBF\xBD"

/*
 * Four UTF-16 units are looked at as one 64-bit word: these are the bits that
 * make a unit other than ASCII, and the lowest and highest bit of each unit.
 */
#define FOUR_NOT_ASCII 0xFF80FF80FF80FF80ULL
#define FOUR_ONES 0x0001000100010001ULL
#define FOUR_TOPS 0x8000800080008000ULL
/* The same for eight bytes of UTF-8. */
#define EIGHT_NOT_ASCII 0x8080808080808080ULL

/* What stands for an ASCII character: itself, or a text. */
struct escapes {
	uint8_t special[128]; /* index into texts, 0: copied */
	const char *texts[36];
	bool xml; /* U+FFFE and U+FFFF are not allowed either */
};

static const struct escapes escapes_none;

/* Control characters that XML 1.0 2.2 has no way to write. */
#define XML_CONTROLS \
	[0x00 ... 0x08] = 1, [0x0B ... 0x0C] = 1, [0x0E ... 0x1F] = 1

#define XML_TEXTS                                                         \
	{                                                                 \
		NULL, REPLACEMENT_UTF8, "&amp;", "&lt;", "&gt;", "&#13;", \
			"&apos;", "&quot;", "&#9;", "&#10;"               \
	}

static const struct escapes escapes_xml_text = {
	.special = {XML_CONTROLS, ['&'] = 2, ['<'] = 3, ['>'] = 4, ['\r'] = 5},
	.texts = XML_TEXTS,
	.xml = true,
};

static const struct escapes escapes_xml_attribute = {
	.special = {XML_CONTROLS, ['&'] = 2, ['<'] = 3, ['>'] = 4, ['\r'] = 5,
		    ['\''] = 6, ['"'] = 7, ['\t'] = 8, ['\n'] = 9},
	.texts = XML_TEXTS,
	.xml = true,
};

/* RFC 8259 7: a control character c has the text of index c + 1. */
static const struct escapes escapes_json = {
	.special = {[0x00] = 1,	 [0x01] = 2,  [0x02] = 3,  [0x03] = 4,
		    [0x04] = 5,	 [0x05] = 6,  [0x06] = 7,  [0x07] = 8,
		    [0x08] = 9,	 [0x09] = 10, [0x0A] = 11, [0x0B] = 12,
		    [0x0C] = 13, [0x0D] = 14, [0x0E] = 15, [0x0F] = 16,
		    [0x10] = 17, [0x11] = 18, [0x12] = 19, [0x13] = 20,
		    [0x14] = 21, [0x15] = 22, [0x16] = 23, [0x17] = 24,
		    [0x18] = 25, [0x19] = 26, [0x1A] = 27, [0x1B] = 28,
		    [0x1C] = 29, [0x1D] = 30, [0x1E] = 31, [0x1F] = 32,
		    ['"'] = 33,	 ['\\'] = 34},
	.texts = {NULL,	     "\\u0000", "\\u0001", "\\u0002", "\\u0003",
		  "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\b",
		  "\\t",     "\\n",	"\\u000b", "\\f",     "\\r",
		  "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012",
		  "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017",
		  "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c",
		  "\\u001d", "\\u001e", "\\u001f", "\\\"",    "\\\\"},
};

size_t text_utf16_nlen(const uint8_t *utf16le, size_t num_units)
{
	size_t i = 0;

	for (; num_units - i >= 4; i += 4) {
		uint64_t four = le64_get(utf16le + 2 * i);

		if (((four - FOUR_ONES) & ~four & FOUR_TOPS) != 0) {
			break;
		}
	}
	while (i < num_units && le16_get(utf16le + 2 * i) != 0) {
		i++;
	}
	return i;
}

/* How many units from s on are ASCII and stand for themselves. */
static size_t plain_run(const uint8_t *s, size_t n,
			const struct escapes *escapes)
{
	const uint8_t *special = escapes->special;
	size_t i = 0;

	for (; n - i >= 4; i += 4) {
		const uint8_t *p = s + 2 * i;

		if ((le64_get(p) & FOUR_NOT_ASCII) != 0 ||
		    (special[p[0]] | special[p[2]] | special[p[4]] |
		     special[p[6]]) != 0) {
			break;
		}
	}
	for (; i < n; i++) {
		uint16_t unit = le16_get(s + 2 * i);

		if (unit >= 0x80 || special[unit] != 0) {
			break;
		}
	}
	return i;
}

/* Append n units known to be ASCII. */
static void put_narrow(struct buf *out, const uint8_t *s, size_t n)
{
	uint8_t *p = buf_extend(out, n);
	size_t i = 0;

	if (p == NULL) {
		return;
	}
	for (; n - i >= 4; i += 4) {
		uint64_t four = le64_get(s + 2 * i);

		four = (four | four >> 8) & 0x0000FFFF0000FFFFULL;
		le32_set(p + i, (uint32_t)(four | four >> 16));
	}
	for (; i < n; i++) {
		p[i] = s[2 * i];
	}
}

static size_t utf8_encode(uint8_t *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xC0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xE0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c & 0x3F));
		return 3;
	}
	p[0] = (uint8_t)(0xF0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	p[3] = (uint8_t)(0x80 | (c & 0x3F));
	return 4;
}

/*
 * The character at s, U+FFFD for a surrogate that is not the half of a pair.
 * Returns how many units it took; n > 0.
 */
static size_t utf16_decode(const uint8_t *s, size_t n, uint32_t *ret_c)
{
	uint32_t unit = le16_get(s);
	uint32_t low;

	if (unit < 0xD800 || unit > 0xDFFF) {
		*ret_c = unit;
		return 1;
	}
	low = unit < 0xDC00 && n > 1 ? le16_get(s + 2) : 0;
	if (low < 0xDC00 || low > 0xDFFF) {
		*ret_c = REPLACEMENT;
		return 1;
	}
	*ret_c = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
	return 2;
}

/*
 * Append units that are not plain until a plain one comes, through a small
 * buffer; returns how many were taken, at least one of n > 0.
 */
static size_t put_other_run(struct buf *out, const uint8_t *s, size_t n,
			    const struct escapes *escapes)
{
	uint8_t bytes[256];
	size_t len = 0;
	size_t i = 0;

	while (i < n && len <= sizeof(bytes) - 8) {
		uint32_t c;
		size_t units = utf16_decode(s + 2 * i, n - i, &c);
		uint8_t special = c < 0x80 ? escapes->special[c] : 0;

		if (special != 0) {
			size_t size = strlen(escapes->texts[special]);

			memcpy(bytes + len, escapes->texts[special], size);
			len += size;
		} else if (c < 0x80 && i > 0) {
			break;
		} else {
			if (escapes->xml && (c == 0xFFFE || c == 0xFFFF)) {
				c = REPLACEMENT;
			}
			len += utf8_encode(bytes + len, c);
		}
		i += units;
	}
	buf_put(out, bytes, len);
	return i;
}

static void put_escaped(struct buf *out, const uint8_t *s, size_t n,
			const struct escapes *escapes)
{
	size_t run;

	while (n > 0 && out->err == EVERR_OK) {
		run = plain_run(s, n, escapes);
		if (run > 0) {
			put_narrow(out, s, run);
		} else {
			run = put_other_run(out, s, n, escapes);
		}
		s += 2 * run;
		n -= run;
	}
}

void text_utf16_to_utf8(struct buf *out, const uint8_t *utf16le,
			size_t num_units)
{
	put_escaped(out, utf16le, num_units, &escapes_none);
}

void text_utf16_to_xml(struct buf *out, const uint8_t *utf16le,
		       size_t num_units, bool attribute)
{
	put_escaped(out, utf16le, num_units,
		    attribute ? &escapes_xml_attribute : &escapes_xml_text);
}

void text_utf16_to_json(struct buf *out, const uint8_t *utf16le,
			size_t num_units)
{
	put_escaped(out, utf16le, num_units, &escapes_json);
}

/* Bytes from p on that are ASCII. */
static size_t ascii_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (n - i >= 8 && (le64_get(p + i) & EIGHT_NOT_ASCII) == 0) {
		i += 8;
	}
	while (i < n && p[i] < 0x80) {
		i++;
	}
	return i;
}

/*
 * The character of more than one byte at p, by Unicode 15 table 3-7: what is
 * not in shortest form, a surrogate or beyond U+10FFFF is excluded by the
 * range of its second byte.  Returns its length, 0 if it is not valid.
 */
static size_t utf8_decode(const uint8_t *p, size_t n, uint32_t *ret_c)
{
	uint8_t low = 0x80, high = 0xBF;
	size_t len, i;
	uint32_t c;

	if (p[0] >= 0xC2 && p[0] <= 0xDF) {
		len = 2;
	} else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
		len = 3;
		low = p[0] == 0xE0 ? 0xA0 : 0x80;
		high = p[0] == 0xED ? 0x9F : 0xBF;
	} else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		len = 4;
		low = p[0] == 0xF0 ? 0x90 : 0x80;
		high = p[0] == 0xF4 ? 0x8F : 0xBF;
	} else {
		return 0;
	}
	if (n < len || p[1] < low || p[1] > high) {
		return 0;
	}

	c = p[0] & (0xFFU >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3FU);
	}
	*ret_c = c;
	return len;
}

static void put_wide(struct buf *out, const uint8_t *p, size_t n)
{
	uint8_t *to = buf_extend(out, 2 * n);
	size_t i;

	if (to == NULL) {
		return;
	}
	for (i = 0; i < n; i++) {
		le16_set(to + 2 * i, p[i]);
	}
}

static void put_utf16(struct buf *out, uint32_t c)
{
	if (c < 0x10000) {
		buf_put_u16(out, (uint16_t)c);
		return;
	}
	c -= 0x10000;
	buf_put_u32(out, (0xDC00 | (c & 0x3FF)) << 16 | 0xD800 | c >> 10);
}

everr_t text_utf8_to_utf16(struct buf *out, const char *utf8, size_t len)
{
	const uint8_t *p = (const uint8_t *)utf8;
	const uint8_t *end = p + len;
	size_t old_len = out->len;

	while (p < end) {
		size_t run = ascii_run(p, (size_t)(end - p));
		uint32_t c;

		if (run > 0) {
			put_wide(out, p, run);
		} else {
			run = utf8_decode(p, (size_t)(end - p), &c);
			if (run == 0) {
				buf_truncate(out, old_len);
				return EVERR_TEXT;
			}
			put_utf16(out, c);
		}
		p += run;
	}
	if (out->err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return buf_error(out);
}

bool text_utf8_valid(const char *utf8, size_t len)
{
	const uint8_t *p = (const uint8_t *)utf8;
	const uint8_t *end = p + len;

	while (p < end) {
		size_t run = ascii_run(p, (size_t)(end - p));
		uint32_t c;

		if (run == 0) {
			run = utf8_decode(p, (size_t)(end - p), &c);
		}
		if (run == 0) {
			return false;
		}
		p += run;
	}
	return true;
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (uint8_t)c;
}

int text_name_cmp(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) - lower(*b);
}

bool text_name_equal(const char *a, const char *b)
{
	return text_name_cmp(a, b) == 0;
}

int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

bool text_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool text_same_list(const char *const *a, const char *const *b)
{
	if (a == NULL || b == NULL) {
		return a == b;
	}
	for (; *a != NULL && *b != NULL; a++, b++) {
		if (strcmp(*a, *b) != 0) {
			return false;
		}
	}
	return *a == *b;
}
