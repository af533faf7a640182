/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/writer.h"

#include "base/wintime.h"

#include <inttypes.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

/* 9999-12-31T23:59:59.9999999, which senders write for "for ever". */
#define TIME_LAST 2650467743999999999ULL
#define TIME_LAST_TEXT "9999-12-31T23:59:59.9999999"
#define TIME_NEVER_TEXT "0001-01-01T00:00:00"

/* Bytes that are encoded at a time; a multiple of three. */
#define BASE64_PIECE 3072

void soap_writer_init(struct soap_writer *writer, struct buf *out)
{
	*writer = (struct soap_writer){.out = out};
}

/* A use against the contract; sticks as the buffer's own errors do. */
static void writer_fail(struct soap_writer *writer, everr_t err)
{
	if (writer->out->err == EVERR_OK) {
		writer->out->err = err;
	}
}

static void end_tag(struct soap_writer *writer)
{
	if (writer->in_tag) {
		buf_put_u8(writer->out, '>');
		writer->in_tag = false;
	}
}

void soap_open(struct soap_writer *writer, const char *name)
{
	if (writer->depth == SOAP_WRITER_DEPTH) {
		writer_fail(writer, EVERR_LIMIT);
		return;
	}
	end_tag(writer);
	writer->open[writer->depth++] = name;
	buf_put_u8(writer->out, '<');
	buf_puts(writer->out, name);
	writer->in_tag = true;
}

void soap_close(struct soap_writer *writer)
{
	const char *name = NULL;

	if (writer->depth == 0) {
		writer_fail(writer, EVERR_INVALID);
		return;
	}
	name = writer->open[--writer->depth];
	if (writer->in_tag) {
		buf_puts(writer->out, " />");
		writer->in_tag = false;
		return;
	}
	buf_puts(writer->out, "</");
	buf_puts(writer->out, name);
	buf_put_u8(writer->out, '>');
}

/* ------------------------------------------------------------ escaping */

/* Bytes that do not stand for themselves, and where. */
#define IN_TEXT 1
#define IN_ATTRIBUTE 2
#define IN_BOTH (IN_TEXT | IN_ATTRIBUTE)

static const uint8_t special[256] = {
	[0x00 ... 0x08] = IN_BOTH, ['\t'] = IN_ATTRIBUTE,
	['\n'] = IN_ATTRIBUTE,	   [0x0B ... 0x1F] = IN_BOTH,
	['"'] = IN_ATTRIBUTE,	   ['&'] = IN_BOTH,
	['<'] = IN_BOTH,	   ['>'] = IN_BOTH,
	[0x80 ... 0xFF] = IN_BOTH,
};

/*
 * What such a byte becomes.  XML 1.0 2.2 has no way to write the control
 * characters; a parser would make LF of a CR (2.11), and blanks of what is
 * white space in an attribute (3.3.3).
 */
static const char *escape_of(uint8_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	default:
		return REPLACEMENT;
	}
}

/*
 * The length of the well-formed UTF-8 sequence at p (Unicode 3.9, table 3-7)
 * of a character that XML can carry, or 0.
 */
static size_t sequence(const uint8_t *p, size_t len)
{
	uint8_t low = 0x80, high = 0xBF;
	size_t n = 2;
	size_t i;

	if (p[0] < 0xC2 || p[0] > 0xF4) {
		return 0;
	}
	if (p[0] >= 0xF0) {
		n = 4;
		low = p[0] == 0xF0 ? 0x90 : low;
		high = p[0] == 0xF4 ? 0x8F : high;
	} else if (p[0] >= 0xE0) {
		n = 3;
		low = p[0] == 0xE0 ? 0xA0 : low;
		high = p[0] == 0xED ? 0x9F : high;
	}
	if (len < n || p[1] < low || p[1] > high) {
		return 0;
	}
	for (i = 2; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
	}
	/* U+FFFE and U+FFFF are no characters of XML. */
	if (n == 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE) {
		return 0;
	}
	return n;
}

static void put_escaped(struct buf *out, const uint8_t *p, size_t len,
			uint8_t where)
{
	size_t start = 0;
	size_t i = 0;

	while (i < len) {
		size_t n = 0;

		if ((special[p[i]] & where) == 0) {
			i++;
			continue;
		}
		if (p[i] >= 0x80) {
			n = sequence(p + i, len - i);
		}
		if (n > 0) {
			i += n;
			continue;
		}
		buf_put(out, p + start, i - start);
		buf_puts(out, escape_of(p[i]));
		start = ++i;
	}
	buf_put(out, p + start, len - start);
}

void soap_attribute(struct soap_writer *writer, const char *name,
		    const char *value)
{
	if (!writer->in_tag) {
		writer_fail(writer, EVERR_INVALID);
		return;
	}
	buf_put_u8(writer->out, ' ');
	buf_puts(writer->out, name);
	buf_puts(writer->out, "=\"");
	put_escaped(writer->out, (const uint8_t *)value, strlen(value),
		    IN_ATTRIBUTE);
	buf_put_u8(writer->out, '"');
}

void soap_attribute_int(struct soap_writer *writer, const char *name,
			int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	soap_attribute(writer, name, text);
}

void soap_data(struct soap_writer *writer, const char *text, size_t len)
{
	if (writer->depth == 0) {
		writer_fail(writer, EVERR_INVALID);
		return;
	}
	if (len > 0) {
		end_tag(writer);
		put_escaped(writer->out, (const uint8_t *)text, len, IN_TEXT);
	}
}

/* ------------------------------------------------------ whole elements */

void soap_put(struct soap_writer *writer, const char *name, const char *text)
{
	if (text == NULL) {
		return;
	}
	soap_open(writer, name);
	soap_data(writer, text, strlen(text));
	soap_close(writer);
}

void soap_put_empty(struct soap_writer *writer, const char *name)
{
	soap_put(writer, name, "");
}

void soap_put_int(struct soap_writer *writer, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	soap_put(writer, name, text);
}

void soap_put_bool(struct soap_writer *writer, const char *name, bool value)
{
	soap_put(writer, name, value ? "true" : "false");
}

void soap_put_guid(struct soap_writer *writer, const char *name,
		   const struct ev_guid *value)
{
	char text[EV_GUID_TEXT_SIZE];
	size_t i;

	ev_guid_format(value, text);
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] >= 'A' && text[i] <= 'F') {
			text[i] = (char)(text[i] - 'A' + 'a');
		}
	}
	/* Without the braces. */
	text[i - 1] = '\0';
	soap_put(writer, name, text + 1);
}

void soap_put_time(struct soap_writer *writer, const char *name,
		   uint64_t filetime)
{
	char text[WINTIME_TEXT_MAX];
	size_t len;

	if (filetime == 0) {
		soap_put(writer, name, TIME_NEVER_TEXT);
		return;
	}
	if (filetime >= TIME_LAST) {
		soap_put(writer, name, TIME_LAST_TEXT);
		return;
	}
	/* "....ss.fffffffZ" */
	len = wintime_format(filetime, text) - 1;
	while (text[len - 1] == '0') {
		len--;
	}
	if (text[len - 1] == '.') {
		len--;
	}
	text[len] = 'Z';
	text[len + 1] = '\0';
	soap_put(writer, name, text);
}

void soap_put_base64(struct soap_writer *writer, const char *name,
		     const void *data, size_t len)
{
	const uint8_t *p = data;

	soap_open(writer, name);
	while (len > 0) {
		size_t n = len < BASE64_PIECE ? len : BASE64_PIECE;
		uint8_t *to = NULL;

		end_tag(writer);
		to = buf_extend(writer->out, BASE64_ENCODE_RAW_LENGTH(n));
		if (to == NULL) {
			break;
		}
		base64_encode_raw((char *)to, n, p);
		p += n;
		len -= n;
	}
	soap_close(writer);
}

everr_t soap_writer_end(struct soap_writer *writer)
{
	if (writer->depth != 0) {
		writer_fail(writer, EVERR_INVALID);
	}
	return buf_error(writer->out);
}
