/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/json_text.h"

#include "base/text.h"
#include "base/wintime.h"

#include <math.h>
#include <string.h>

/* Digits of a uint64_t. */
#define DIGITS_MAX 20

static void put_name(struct buf *out, const char *name)
{
	char last = out->len > 0 ? (char)out->data[out->len - 1] : '{';

	if (last != '{' && last != '[') {
		buf_put_u8(out, ',');
	}
	if (name != NULL) {
		buf_put_u8(out, '"');
		buf_puts(out, name);
		buf_put(out, "\":", 2);
	}
}

void daemon_json_open(struct buf *out, const char *name, char bracket)
{
	put_name(out, name);
	buf_put_u8(out, (uint8_t)bracket);
}

void daemon_json_close(struct buf *out, char bracket)
{
	buf_put_u8(out, (uint8_t)bracket);
}

/* RFC 8259 7: what must not stand in a string as it is. */
static void put_character(struct buf *out, uint8_t c, bool utf8)
{
	if (c == '"' || c == '\\') {
		buf_put_u8(out, '\\');
		buf_put_u8(out, c);
	} else if (c < 0x20) {
		buf_printf(out, "\\u%04x", (unsigned int)c);
	} else {
		buf_put_u8(out, c < 0x80 || utf8 ? c : '?');
	}
}

void daemon_json_text(struct buf *out, const char *name, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	bool utf8 = text_utf8_valid(text, len);
	size_t i;

	put_name(out, name);
	if (text == NULL) {
		buf_puts(out, "null");
		return;
	}
	buf_put_u8(out, '"');
	for (i = 0; i < len; i++) {
		put_character(out, (uint8_t)text[i], utf8);
	}
	buf_put_u8(out, '"');
}

void daemon_json_number(struct buf *out, const char *name, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t at = DIGITS_MAX;

	if (number > INT64_MAX) {
		number = INT64_MAX;
	}
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put_name(out, name);
	buf_put(out, &digits[at], DIGITS_MAX - at);
}

void daemon_json_real(struct buf *out, const char *name, double number)
{
	put_name(out, name);
	buf_printf(out, "%.6f", isfinite(number) ? number : 0.0);
}

void daemon_json_bool(struct buf *out, const char *name, bool value)
{
	put_name(out, name);
	buf_puts(out, value ? "true" : "false");
}

void daemon_json_time(struct buf *out, const char *name, uint64_t filetime)
{
	char text[WINTIME_TEXT_MAX];

	if (filetime == 0) {
		daemon_json_text(out, name, NULL);
		return;
	}
	wintime_format(filetime, text);
	daemon_json_text(out, name, text);
}
