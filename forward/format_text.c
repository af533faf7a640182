/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

#include "base/text.h"

/*
 * Control characters are '#' and three octal digits of their code, as
 * rsyslog writes them; a '#' that would read as such a one is #043, so that
 * the text can be got back.
 */

/* The bits that make one of four UTF-16 units other than ASCII. */
#define FOUR_NOT_ASCII 0xFF80FF80FF80FF80ULL

/* Bytes of one UTF-16 unit at most: "#ooo". */
#define UNIT_BYTES_MAX 4

enum special {
	PLAIN,
	CONTROL,
	ESCAPED, /* with a backslash, in a quoted value */
	HASH
};

static const uint8_t specials[128] = {
	[0x00 ... 0x1F] = CONTROL, [0x7F] = CONTROL, ['"'] = ESCAPED,
	['\\'] = ESCAPED,	   [']'] = ESCAPED,  ['#'] = HASH,
};

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/* Whether '#' and these three are what stands for a control character. */
static bool reads_as_control(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t code;

	if (a < '0' || a > '2' || b < '0' || b > '7' || c < '0' || c > '7') {
		return false;
	}
	code = (a - '0') << 6 | (b - '0') << 3 | (c - '0');
	return is_control(code) || code == '#';
}

static uint8_t *put_octal(uint8_t *p, uint32_t c)
{
	p[0] = '#';
	p[1] = (uint8_t)('0' + (c >> 6));
	p[2] = (uint8_t)('0' + (c >> 3 & 7));
	p[3] = (uint8_t)('0' + (c & 7));
	return p + 4;
}

/* A character beyond ASCII, no surrogate. */
static uint8_t *put_wide(uint8_t *p, uint32_t c)
{
	if (c < 0xA0) {
		return put_octal(p, c);
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xC0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3F));
		return p + 2;
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xE0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c & 0x3F));
		return p + 3;
	}
	p[0] = (uint8_t)(0xF0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	p[3] = (uint8_t)(0x80 | (c & 0x3F));
	return p + 4;
}

static uint8_t *put_special(uint8_t *p, const uint8_t *s, size_t left)
{
	uint32_t c = le16_get(s);

	if (specials[c] == CONTROL) {
		return put_octal(p, c);
	}
	if (specials[c] == ESCAPED) {
		*p++ = '\\';
	} else if (left >= 4 &&
		   reads_as_control(le16_get(s + 2), le16_get(s + 4),
				    le16_get(s + 6))) {
		return put_octal(p, c);
	}
	*p++ = (uint8_t)c;
	return p;
}

/* The character that is not ASCII at s; returns its units. */
static size_t wide_char(const uint8_t *s, size_t left, uint32_t *ret_c)
{
	uint32_t unit = le16_get(s);
	uint32_t low;

	*ret_c = unit;
	if (unit < 0xD800 || unit > 0xDFFF) {
		return 1;
	}
	low = unit < 0xDC00 && left > 1 ? le16_get(s + 2) : 0;
	if (low < 0xDC00 || low > 0xDFFF) {
		*ret_c = 0xFFFD;
		return 1;
	}
	*ret_c = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
	return 2;
}

/* As many units as are plain ASCII go to p; returns how many. */
static size_t put_plain_run(uint8_t *p, const uint8_t *s, size_t n)
{
	size_t i = 0;

	for (; n - i >= 4; i += 4) {
		const uint8_t *q = s + 2 * i;
		uint64_t four = le64_get(q);

		if ((four & FOUR_NOT_ASCII) != 0 ||
		    (specials[q[0]] | specials[q[2]] | specials[q[4]] |
		     specials[q[6]]) != 0) {
			break;
		}
		four = (four | four >> 8) & 0x0000FFFF0000FFFFULL;
		le32_set(p + i, (uint32_t)(four | four >> 16));
	}
	for (; i < n; i++) {
		uint16_t unit = le16_get(s + 2 * i);

		if (unit >= 0x80 || specials[unit] != PLAIN) {
			break;
		}
		p[i] = (uint8_t)unit;
	}
	return i;
}

void format_put_utf16(struct buf *out, const uint8_t *units, size_t num_units,
		      uint32_t *marks)
{
	size_t start = out->len;
	uint8_t *p = buf_extend(out, UNIT_BYTES_MAX * num_units);
	size_t i = 0;
	uint32_t c;

	if (p == NULL) {
		return;
	}
	while (i < num_units) {
		size_t run = put_plain_run(p, units + 2 * i, num_units - i);

		p += run;
		i += run;
		if (i == num_units) {
			break;
		}
		if (le16_get(units + 2 * i) < 0x80) {
			p = put_special(p, units + 2 * i, num_units - i);
			i++;
			continue;
		}
		i += wide_char(units + 2 * i, num_units - i, &c);
		if (c == 0xFFFD) {
			*marks |= FORWARD_REPLACED;
		}
		p = put_wide(p, c);
	}
	buf_truncate(out, start + (size_t)(p - (out->data + start)));
}

/* Bytes from p on that are copied as they are. */
static size_t plain_bytes(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] < 0x80 && specials[p[i]] == PLAIN) {
		i++;
	}
	return i;
}

static bool is_space(uint8_t c)
{
	return c == '\r' || c == '\n' || c == '\t';
}

/* A special byte, or the line ends from it on; returns how many were taken. */
static size_t put_special_byte(struct buf *out, const uint8_t *p, size_t n,
			       unsigned int form)
{
	uint8_t octal[4];
	size_t i = 1;

	if ((form & FORMAT_FLOWING) != 0 && is_space(p[0])) {
		while (i < n && is_space(p[i])) {
			i++;
		}
		buf_put_u8(out, ' ');
		return i;
	}
	if (specials[p[0]] == CONTROL ||
	    (p[0] == '#' && n >= 4 && reads_as_control(p[1], p[2], p[3]))) {
		put_octal(octal, p[0]);
		buf_put(out, octal, sizeof(octal));
		return 1;
	}
	if (specials[p[0]] == ESCAPED && (form & FORMAT_QUOTED) != 0) {
		buf_put_u8(out, '\\');
	}
	buf_put_u8(out, p[0]);
	return 1;
}

/* A character of more than one byte in valid UTF-8. */
static size_t put_wide_bytes(struct buf *out, const uint8_t *p, size_t n,
			     uint32_t *marks)
{
	uint8_t octal[4];
	size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;

	if (len > n) {
		return n;
	}
	if (p[0] == 0xC2 && p[1] < 0xA0) {
		put_octal(octal, p[1]);
		buf_put(out, octal, sizeof(octal));
		return len;
	}
	if (len == 3 && memcmp(p, "\xEF\xBF\xBD", 3) == 0) {
		*marks |= FORWARD_REPLACED;
	}
	buf_put(out, p, len);
	return len;
}

void format_put_utf8(struct buf *out, const char *text, size_t len,
		     unsigned int form, uint32_t *marks)
{
	const uint8_t *p = (const uint8_t *)text;
	const uint8_t *end = NULL;
	size_t run;

	/* Then there may be no text at all. */
	if (len == 0) {
		return;
	}
	end = p + len;
	while (p < end && out->err == EVERR_OK) {
		run = plain_bytes(p, (size_t)(end - p));
		if (run > 0) {
			buf_put(out, p, run);
		} else if (*p < 0x80) {
			run = put_special_byte(out, p, (size_t)(end - p), form);
		} else {
			run = put_wide_bytes(out, p, (size_t)(end - p), marks);
		}
		p += run;
	}
}

void format_put_number(struct buf *out, uint64_t v)
{
	char text[20];
	char *end = text + sizeof(text);
	char *p = end;

	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_put(out, p, (size_t)(end - p));
}

void format_put_hex(struct buf *out, uint64_t v)
{
	static const char digits[] = "0123456789abcdef";
	char text[18];
	char *end = text + sizeof(text);
	char *p = end;

	do {
		*--p = digits[v & 15];
		v >>= 4;
	} while (v != 0);
	*--p = 'x';
	*--p = '0';
	buf_put(out, p, (size_t)(end - p));
}

/* ---------------------------------------------------------------- names */

/* RFC 5424 6.3.3: PRINTUSASCII but these. */
static bool is_name_byte(uint8_t c)
{
	return c > 0x20 && c < 0x7F && c != '=' && c != ']' && c != '"';
}

void format_path_add(struct format_path *path, const struct event_crc32 *table,
		     const uint8_t *utf8, size_t len)
{
	size_t i;

	path->crc = event_crc32(table, path->crc, utf8, len);
	for (i = 0; i < len; i++) {
		uint8_t c = utf8[i];

		/* One '_' for each character. */
		if ((c & 0xC0) == 0x80) {
			continue;
		}
		if (!is_name_byte(c)) {
			path->changed = true;
			path->hashed |= c < 0x20 || c >= 0x7F;
			c = '_';
		}
		if (path->len == FORMAT_SD_NAME_MAX) {
			path->changed = true;
			path->hashed = true;
			return;
		}
		path->text[path->len++] = c;
	}
}

/* Write it into text; returns its length, at least 1. */
static size_t path_name(const struct format_path *path,
			uint8_t text[FORMAT_SD_NAME_MAX])
{
	static const char digits[] = "0123456789abcdef";
	size_t len = path->len;
	size_t i;

	if (len == 0) {
		text[0] = '_';
		return 1;
	}
	memcpy(text, path->text, len);
	if (!path->hashed) {
		return len;
	}
	if (len > FORMAT_SD_NAME_MAX - 9) {
		len = FORMAT_SD_NAME_MAX - 9;
	}
	text[len++] = '~';
	for (i = 0; i < 8; i++) {
		text[len++] = (uint8_t)digits[path->crc >> (28 - 4 * i) & 15];
	}
	return len;
}

/* The names of all parameters that are not the event's own. */
static bool is_ours(const uint8_t *name, size_t len)
{
	static const char *const ours[] = {"marks",	   "size",
					   "msg",	   "channel",
					   "recordId",	   "eventRecordId",
					   "eventChannel", "provider",
					   "providerGuid", "eventId",
					   "version",	   "level",
					   "task",	   "opcode",
					   "keywords",	   "time",
					   "received",	   "origin",
					   "originMark",   "qualifiers",
					   "activityId",   "relatedActivityId",
					   "processId",	   "threadId",
					   "userSid",	   "computer"};
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strlen(ours[i]) == len && memcmp(ours[i], name, len) == 0) {
			return true;
		}
	}
	return false;
}

bool format_put_name(struct buf *out, const struct format_path *path, bool flat)
{
	uint8_t name[FORMAT_SD_NAME_MAX];
	size_t len = path_name(path, name);
	bool moved = flat && is_ours(name, len);

	buf_put_u8(out, ' ');
	if (moved) {
		FORMAT_PUT(out, "data.");
	}
	buf_put(out, name, len);
	FORMAT_PUT(out, "=\"");
	return path->changed || moved;
}
