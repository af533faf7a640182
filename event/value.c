/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/value.h"

#include "base/guid.h"
#include "base/text.h"
#include "base/wintime.h"
#include "event/type.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Enough for a double with 309 digits and six decimals. */
#define REAL_TEXT_MAX 336

/* The largest integer up to which every JSON parser has them all. */
#define JSON_INTEGER_MAX (1ULL << 53)

static const char lower_digits[] = "0123456789abcdef";
static const char upper_digits[] = "0123456789ABCDEF";

/* Every pair of decimal digits. */
static const char decimal_pairs[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

/* Write v so that it ends before end; returns where it starts. */
static char *put_decimal_before(char *end, uint64_t v)
{
	while (v >= 100) {
		end -= 2;
		memcpy(end, decimal_pairs + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10) {
		end -= 2;
		memcpy(end, decimal_pairs + 2 * v, 2);
	} else {
		*--end = (char)('0' + v);
	}
	return end;
}

static void put_unsigned(struct buf *out, uint64_t v)
{
	char text[20];
	char *end = text + sizeof(text);
	char *p = put_decimal_before(end, v);

	buf_put(out, p, (size_t)(end - p));
}

static void put_signed(struct buf *out, int64_t v)
{
	char text[21];
	char *end = text + sizeof(text);
	char *p = put_decimal_before(end, v < 0 ? -(uint64_t)v : (uint64_t)v);

	if (v < 0) {
		*--p = '-';
	}
	buf_put(out, p, (size_t)(end - p));
}

static void put_hex(struct buf *out, uint64_t v)
{
	char text[18];
	char *end = text + sizeof(text);
	char *p = end;

	do {
		*--p = lower_digits[v & 15];
		v >>= 4;
	} while (v != 0);
	*--p = 'x';
	*--p = '0';
	buf_put(out, p, (size_t)(end - p));
}

/*
 * The C library's decimal point is that of the locale; what is no digit and
 * no sign is it.
 */
static void put_point(struct buf *out, const char *text)
{
	bool in_point = false;

	for (; *text != '\0'; text++) {
		bool point = *text != '-' && (*text < '0' || *text > '9');

		if (!point || !in_point) {
			buf_put_u8(out, point ? '.' : (uint8_t)*text);
		}
		in_point = point;
	}
}

/* As Microsoft's C library prints with "%f" and its special values. */
static void put_real(struct buf *out, double v, bool indefinite)
{
	char text[REAL_TEXT_MAX];

	if (indefinite) {
		buf_puts(out, "-1.#IND");
	} else if (isnan(v)) {
		buf_puts(out, signbit(v) ? "-1.#QNAN" : "1.#QNAN");
	} else if (isinf(v)) {
		buf_puts(out, signbit(v) ? "-1.#INF" : "1.#INF");
	} else {
		snprintf(text, sizeof(text), "%f", v);
		put_point(out, text);
	}
}

static void put_real32(struct buf *out, const uint8_t *data)
{
	uint32_t bits = le32_get(data);
	float v;

	memcpy(&v, &bits, sizeof(v));
	put_real(out, v, bits == 0xFFC00000U);
}

static void put_real64(struct buf *out, const uint8_t *data)
{
	uint64_t bits = le64_get(data);
	double v;

	memcpy(&v, &bits, sizeof(v));
	put_real(out, v, bits == 0xFFF8000000000000ULL);
}

static bool is_true(const struct event_value *value)
{
	size_t i;

	for (i = 0; i < value->len; i++) {
		if (value->data[i] != 0) {
			return true;
		}
	}
	return false;
}

static void put_binary(struct buf *out, const uint8_t *data, size_t len)
{
	uint8_t *p = buf_extend(out, 2 * len);
	size_t i;

	if (p == NULL) {
		return;
	}
	for (i = 0; i < len; i++) {
		p[2 * i] = (uint8_t)upper_digits[data[i] >> 4];
		p[2 * i + 1] = (uint8_t)upper_digits[data[i] & 15];
	}
}

static void put_guid(struct buf *out, const uint8_t *data)
{
	char text[EV_GUID_TEXT_SIZE];
	struct ev_guid guid;

	memcpy(guid.b, data, sizeof(guid.b));
	ev_guid_format(&guid, text);
	buf_put(out, text, EV_GUID_TEXT_SIZE - 1);
}

static void put_filetime(struct buf *out, const uint8_t *data)
{
	char text[WINTIME_TEXT_MAX];
	size_t len = wintime_format(le64_get(data), text);

	buf_put(out, text, len);
}

/* Any values of the eight fields; nobody says that they are a date. */
static void put_systime(struct buf *out, const uint8_t *data)
{
	buf_printf(out, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", le16_get(data),
		   le16_get(data + 2), le16_get(data + 6), le16_get(data + 8),
		   le16_get(data + 10), le16_get(data + 12),
		   le16_get(data + 14));
}

/* [MS-DTYP] 2.4.2.1: an authority of 2^32 or more is hexadecimal. */
static void put_sid(struct buf *out, const uint8_t *data)
{
	uint64_t authority = 0;
	size_t i;

	buf_put(out, "S-", 2);
	put_unsigned(out, data[0]);
	for (i = 2; i < 8; i++) {
		authority = authority << 8 | data[i];
	}
	if (authority > UINT32_MAX) {
		buf_printf(out, "-0x%012llx", (unsigned long long)authority);
	} else {
		buf_put_u8(out, '-');
		put_unsigned(out, authority);
	}
	for (i = 0; i < data[1]; i++) {
		buf_put_u8(out, '-');
		put_unsigned(out, le32_get(data + 8 + 4 * i));
	}
}

static void put_units(struct buf *out, enum event_text_form form,
		      const uint8_t *units, size_t num_units)
{
	switch (form) {
	case EVENT_TEXT_PLAIN:
		text_utf16_to_utf8(out, units, num_units);
		break;
	case EVENT_TEXT_XML:
		text_utf16_to_xml(out, units, num_units, false);
		break;
	case EVENT_TEXT_XML_ATTRIBUTE:
		text_utf16_to_xml(out, units, num_units, true);
		break;
	case EVENT_TEXT_JSON:
		text_utf16_to_json(out, units, num_units);
		break;
	}
}

/* Windows-1252's characters from 0x80 to 0x9F; the others are Latin-1. */
static const uint16_t windows_1252[32] = {
	0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
	0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

static void put_ansi(struct buf *out, enum event_text_form form,
		     const uint8_t *data, size_t len)
{
	uint8_t units[256];
	size_t n = 0;
	size_t i;

	for (i = 0; i < len && data[i] != 0; i++) {
		uint16_t unit = data[i];

		if (unit >= 0x80 && unit < 0xA0) {
			unit = windows_1252[unit - 0x80];
		}
		le16_set(units + 2 * n++, unit);
		if (n == sizeof(units) / 2) {
			put_units(out, form, units, n);
			n = 0;
		}
	}
	put_units(out, form, units, n);
}

/* The value of an integer type, sign-extended where the type has a sign. */
static uint64_t get_integer(const struct event_value *value)
{
	const uint8_t *p = value->data;

	switch (value->type) {
	case EVENT_TYPE_INT8:
		return (uint64_t)(int64_t)(int8_t)p[0];
	case EVENT_TYPE_UINT8:
		return p[0];
	case EVENT_TYPE_INT16:
		return (uint64_t)(int64_t)(int16_t)le16_get(p);
	case EVENT_TYPE_UINT16:
		return le16_get(p);
	case EVENT_TYPE_INT32:
		return (uint64_t)(int64_t)(int32_t)le32_get(p);
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_HEXINT32:
		return le32_get(p);
	case EVENT_TYPE_SIZET:
		return value->len == 4 ? le32_get(p) : le64_get(p);
	}
	return le64_get(p);
}

/* A value that is no array and whose bytes fit its type. */
static void put_text(struct buf *out, enum event_text_form form,
		     const struct event_value *value)
{
	const uint8_t *data = value->data;

	switch ((enum event_type)value->type) {
	case EVENT_TYPE_STRING:
		put_units(out, form, data,
			  text_utf16_nlen(data, value->len / 2));
		break;
	case EVENT_TYPE_ANSI:
		put_ansi(out, form, data, value->len);
		break;
	case EVENT_TYPE_INT8:
	case EVENT_TYPE_INT16:
	case EVENT_TYPE_INT32:
	case EVENT_TYPE_INT64:
		put_signed(out, (int64_t)get_integer(value));
		break;
	case EVENT_TYPE_UINT8:
	case EVENT_TYPE_UINT16:
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_UINT64:
		put_unsigned(out, get_integer(value));
		break;
	case EVENT_TYPE_SIZET:
	case EVENT_TYPE_HEXINT32:
	case EVENT_TYPE_HEXINT64:
		put_hex(out, get_integer(value));
		break;
	case EVENT_TYPE_REAL32:
		put_real32(out, data);
		break;
	case EVENT_TYPE_REAL64:
		put_real64(out, data);
		break;
	case EVENT_TYPE_BOOL:
		buf_puts(out, is_true(value) ? "true" : "false");
		break;
	case EVENT_TYPE_BINARY:
		put_binary(out, data, value->len);
		break;
	case EVENT_TYPE_GUID:
		put_guid(out, data);
		break;
	case EVENT_TYPE_FILETIME:
		put_filetime(out, data);
		break;
	case EVENT_TYPE_SYSTIME:
		put_systime(out, data);
		break;
	case EVENT_TYPE_SID:
		put_sid(out, data);
		break;
	case EVENT_TYPE_NULL:
	case EVENT_TYPE_BINXML:
	case EVENT_TYPE_ARRAY:
		break;
	}
}

static void put_array(struct buf *out, enum event_text_form form,
		      const struct event_value *value)
{
	struct event_value item = {.type = value->type & ~EVENT_TYPE_ARRAY};
	size_t pos = 0, len = 0;
	bool first = true;

	while (event_array_next(value->type, value->data, value->len, &pos,
				&item.data, &len)) {
		item.len = (uint16_t)len;
		if (!first) {
			buf_put_u8(out, ' ');
		}
		put_text(out, form, &item);
		first = false;
	}
}

everr_t event_value_text(struct buf *out, enum event_text_form form,
			 const struct event_value *value)
{
	everr_t err;

	err = event_type_check(value->type, value->data, value->len);
	if (err != EVERR_OK) {
		return err;
	}
	if ((value->type & EVENT_TYPE_ARRAY) != 0) {
		put_array(out, form, value);
	} else {
		put_text(out, form, value);
	}
	return EVERR_OK;
}

/* Whether a JSON number shows the value exactly. */
static bool is_json_number(const struct event_value *value)
{
	uint64_t v;

	switch (value->type) {
	case EVENT_TYPE_UINT8:
	case EVENT_TYPE_UINT16:
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_INT8:
	case EVENT_TYPE_INT16:
	case EVENT_TYPE_INT32:
		return true;
	case EVENT_TYPE_UINT64:
		return le64_get(value->data) <= JSON_INTEGER_MAX;
	case EVENT_TYPE_INT64:
		v = le64_get(value->data);
		return v <= JSON_INTEGER_MAX || -v <= JSON_INTEGER_MAX;
	}
	return false;
}

everr_t event_value_json(struct buf *out, const struct event_value *value)
{
	everr_t err;

	err = event_type_check(value->type, value->data, value->len);
	if (err != EVERR_OK) {
		return err;
	}
	if (value->type == EVENT_TYPE_NULL) {
		buf_put(out, "null", 4);
		return EVERR_OK;
	}
	if (value->type == EVENT_TYPE_BOOL || is_json_number(value)) {
		put_text(out, EVENT_TEXT_JSON, value);
		return EVERR_OK;
	}
	buf_put_u8(out, '"');
	err = event_value_text(out, EVENT_TEXT_JSON, value);
	buf_put_u8(out, '"');
	return err;
}
