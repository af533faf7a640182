/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/guid.h"
#include "base/text.h"
#include "base/wintime.h"
#include "event/build.h"
#include "event/type.h"
#include "event/value.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The names that manifests use (inType); behind them, what else is understood.
 * The first one of a type is the one that is shown.
 */
static const struct {
	const char *name;
	uint8_t type;
} type_names[] = {
	{"Null", EVENT_TYPE_NULL},
	{"UnicodeString", EVENT_TYPE_STRING},
	{"AnsiString", EVENT_TYPE_ANSI},
	{"Int8", EVENT_TYPE_INT8},
	{"UInt8", EVENT_TYPE_UINT8},
	{"Int16", EVENT_TYPE_INT16},
	{"UInt16", EVENT_TYPE_UINT16},
	{"Int32", EVENT_TYPE_INT32},
	{"UInt32", EVENT_TYPE_UINT32},
	{"Int64", EVENT_TYPE_INT64},
	{"UInt64", EVENT_TYPE_UINT64},
	{"Float", EVENT_TYPE_REAL32},
	{"Double", EVENT_TYPE_REAL64},
	{"Boolean", EVENT_TYPE_BOOL},
	{"Binary", EVENT_TYPE_BINARY},
	{"GUID", EVENT_TYPE_GUID},
	{"Pointer", EVENT_TYPE_SIZET},
	{"FILETIME", EVENT_TYPE_FILETIME},
	{"SYSTEMTIME", EVENT_TYPE_SYSTIME},
	{"SID", EVENT_TYPE_SID},
	{"HexInt32", EVENT_TYPE_HEXINT32},
	{"HexInt64", EVENT_TYPE_HEXINT64},
	{"String", EVENT_TYPE_STRING},
	{"Bool", EVENT_TYPE_BOOL},
	{"Real32", EVENT_TYPE_REAL32},
	{"Real64", EVENT_TYPE_REAL64},
	{"SizeT", EVENT_TYPE_SIZET},
	{"SysTime", EVENT_TYPE_SYSTIME},
};

#define NUM_TYPE_NAMES (sizeof(type_names) / sizeof(type_names[0]))

const char *event_type_name(uint8_t type)
{
	size_t i;

	for (i = 0; i < NUM_TYPE_NAMES; i++) {
		if (type_names[i].type == type) {
			return type_names[i].name;
		}
	}
	return "?";
}

everr_t event_type_from_name(const char *name, uint8_t *ret_type)
{
	size_t i;

	if (strncmp(name, "win:", 4) == 0) {
		name += 4;
	}
	for (i = 0; i < NUM_TYPE_NAMES; i++) {
		if (text_name_equal(type_names[i].name, name)) {
			*ret_type = type_names[i].type;
			return EVERR_OK;
		}
	}
	return EVERR_TEXT;
}

/* Decimal, or hexadecimal with 0x; steps over what it has read. */
static everr_t get_number(const char **text, uint64_t *ret_number)
{
	const char *p = *text;
	uint64_t base = 10;
	uint64_t number = 0;
	const char *start = NULL;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (start = p;; p++) {
		int digit = text_hex_digit(*p);

		if (digit < 0 || (uint64_t)digit >= base) {
			break;
		}
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, (uint64_t)digit, &number)) {
			return EVERR_TEXT;
		}
	}
	if (p == start) {
		return EVERR_TEXT;
	}
	*text = p;
	*ret_number = number;
	return EVERR_OK;
}

static void put_integer(struct buf *out, uint64_t v, size_t len)
{
	uint8_t bytes[8];

	le64_set(bytes, v);
	buf_put(out, bytes, len);
}

static everr_t parse_unsigned(struct buf *out, size_t len, const char *text)
{
	uint64_t v;
	everr_t err;

	err = get_number(&text, &v);
	if (err != EVERR_OK) {
		return err;
	}
	if (*text != '\0' || (len < 8 && v >> (8 * len) != 0)) {
		return EVERR_TEXT;
	}
	put_integer(out, v, len);
	return EVERR_OK;
}

static everr_t parse_signed(struct buf *out, size_t len, const char *text)
{
	bool negative = text[0] == '-';
	uint64_t limit = 1ULL << (8 * len - 1);
	uint64_t v;
	everr_t err;

	text += negative;
	err = get_number(&text, &v);
	if (err != EVERR_OK) {
		return err;
	}
	if (*text != '\0' || v > limit || (v == limit && !negative)) {
		return EVERR_TEXT;
	}
	put_integer(out, negative ? -v : v, len);
	return EVERR_OK;
}

/* The special values as event_value_text() writes them. */
static bool get_special_real(const char *text, double *ret_v)
{
	static const struct {
		const char *text;
		uint64_t bits;
	} specials[] = {
		{"1.#INF", 0x7FF0000000000000ULL},
		{"-1.#INF", 0xFFF0000000000000ULL},
		{"-1.#IND", 0xFFF8000000000000ULL},
		{"1.#QNAN", 0x7FF8000000000000ULL},
		/* A payload that survives as a float's. */
		{"-1.#QNAN", 0xFFF8000020000000ULL},
	};
	size_t i;

	for (i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		if (strcmp(specials[i].text, text) == 0) {
			memcpy(ret_v, &specials[i].bits, sizeof(*ret_v));
			return true;
		}
	}
	return false;
}

/*
 * With a point whatever the locale's is; no "inf", no hexadecimal, and no
 * number that is too large to be one.
 */
static everr_t get_real(const char *text, double max, double *ret_v)
{
	locale_t c_locale;
	char *end = NULL;

	if (get_special_real(text, ret_v)) {
		return EVERR_OK;
	}
	if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) {
		return EVERR_TEXT;
	}
	c_locale = newlocale(LC_NUMERIC_MASK, "C", NULL);
	if (c_locale == NULL) {
		return EVERR_NOMEM;
	}
	*ret_v = strtod_l(text, &end, c_locale);
	freelocale(c_locale);
	if (*end != '\0' || end == text || fabs(*ret_v) > max) {
		return EVERR_TEXT;
	}
	return EVERR_OK;
}

static everr_t parse_real(struct buf *out, uint8_t type, const char *text)
{
	uint64_t bits64;
	uint32_t bits32;
	double v;
	float single;
	everr_t err;

	err = get_real(text, type == EVENT_TYPE_REAL64 ? DBL_MAX : FLT_MAX, &v);
	if (err != EVERR_OK) {
		return err;
	}
	if (type == EVENT_TYPE_REAL64) {
		memcpy(&bits64, &v, sizeof(bits64));
		buf_put_u64(out, bits64);
		return EVERR_OK;
	}
	single = (float)v;
	memcpy(&bits32, &single, sizeof(bits32));
	buf_put_u32(out, bits32);
	return EVERR_OK;
}

/* Four bytes, as Windows has them; facts 9.4. */
static everr_t parse_bool(struct buf *out, const char *text)
{
	bool yes = text_name_equal(text, "true") || strcmp(text, "1") == 0;
	bool no = text_name_equal(text, "false") || strcmp(text, "0") == 0;

	if (!yes && !no) {
		return EVERR_TEXT;
	}
	buf_put_u32(out, yes);
	return EVERR_OK;
}

static everr_t parse_binary(struct buf *out, const char *text)
{
	for (; *text != '\0'; text += 2) {
		int high = text_hex_digit(text[0]);
		int low = high >= 0 ? text_hex_digit(text[1]) : -1;

		if (low < 0) {
			return EVERR_TEXT;
		}
		buf_put_u8(out, (uint8_t)(high << 4 | low));
	}
	return EVERR_OK;
}

static everr_t parse_guid(struct buf *out, const char *text)
{
	struct ev_guid guid;
	everr_t err;

	err = ev_guid_parse(text, &guid);
	if (err == EVERR_OK) {
		buf_put(out, guid.b, sizeof(guid.b));
	}
	return err;
}

static everr_t parse_filetime(struct buf *out, const char *text)
{
	uint64_t filetime;
	everr_t err;

	err = wintime_parse(text, &filetime);
	if (err == EVERR_OK) {
		buf_put_u64(out, filetime);
	}
	return err;
}

/* [MS-DTYP] 2.3.13: years 1601 to 30827; Sunday is 0. */
static everr_t parse_systime(struct buf *out, const char *text)
{
	struct timespec ts;
	uint64_t filetime;
	struct tm tm;
	everr_t err;

	err = wintime_parse(text, &filetime);
	if (err != EVERR_OK) {
		return err;
	}
	wintime_to_timespec(filetime, &ts);
	if (gmtime_r(&ts.tv_sec, &tm) == NULL || tm.tm_year + 1900 > 30827) {
		return EVERR_TEXT;
	}
	buf_put_u16(out, (uint16_t)(tm.tm_year + 1900));
	buf_put_u16(out, (uint16_t)(tm.tm_mon + 1));
	buf_put_u16(out, (uint16_t)tm.tm_wday);
	buf_put_u16(out, (uint16_t)tm.tm_mday);
	buf_put_u16(out, (uint16_t)tm.tm_hour);
	buf_put_u16(out, (uint16_t)tm.tm_min);
	buf_put_u16(out, (uint16_t)tm.tm_sec);
	buf_put_u16(out, (uint16_t)(ts.tv_nsec / 1000000));
	return EVERR_OK;
}

/* "-" and a number up to max. */
static everr_t get_sid_part(const char **text, uint64_t max, uint64_t *ret_v)
{
	everr_t err;

	if (**text != '-') {
		return EVERR_TEXT;
	}
	(*text)++;
	err = get_number(text, ret_v);
	if (err == EVERR_OK && *ret_v > max) {
		err = EVERR_TEXT;
	}
	return err;
}

/* [MS-DTYP] 2.4.2.1: S-1-authority-sub-authorities, at most 15 of them. */
static everr_t parse_sid(struct buf *out, const char *text)
{
	uint8_t sid[EVENT_SID_MAX];
	uint64_t v;
	uint8_t count = 0;
	everr_t err;
	int i;

	if (strncmp(text, "S-1-", 4) != 0) {
		return EVERR_TEXT;
	}
	text += 3;
	err = get_sid_part(&text, (1ULL << 48) - 1, &v);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 7; i >= 2; i--) {
		sid[i] = (uint8_t)v;
		v >>= 8;
	}
	while (*text != '\0') {
		if (count == (EVENT_SID_MAX - 8) / 4) {
			return EVERR_TEXT;
		}
		err = get_sid_part(&text, UINT32_MAX, &v);
		if (err != EVERR_OK) {
			return err;
		}
		le32_set(sid + 8 + 4 * (size_t)count++, (uint32_t)v);
	}
	sid[0] = 1;
	sid[1] = count;
	buf_put(out, sid, 8 + 4 * (size_t)count);
	return EVERR_OK;
}

/* ASCII only: what another code page would make of the rest is unknown. */
static everr_t parse_ansi(struct buf *out, const char *text)
{
	const char *p = text;

	for (; *p != '\0'; p++) {
		if ((uint8_t)*p >= 0x80) {
			return EVERR_TEXT;
		}
	}
	buf_put(out, text, (size_t)(p - text));
	return EVERR_OK;
}

static everr_t parse_value(struct buf *out, uint8_t type, const char *text)
{
	switch ((enum event_type)type) {
	case EVENT_TYPE_NULL:
		return *text == '\0' ? EVERR_OK : EVERR_TEXT;
	case EVENT_TYPE_STRING:
		return text_utf8_to_utf16(out, text, strlen(text));
	case EVENT_TYPE_ANSI:
		return parse_ansi(out, text);
	case EVENT_TYPE_INT8:
		return parse_signed(out, 1, text);
	case EVENT_TYPE_INT16:
		return parse_signed(out, 2, text);
	case EVENT_TYPE_INT32:
		return parse_signed(out, 4, text);
	case EVENT_TYPE_INT64:
		return parse_signed(out, 8, text);
	case EVENT_TYPE_UINT8:
		return parse_unsigned(out, 1, text);
	case EVENT_TYPE_UINT16:
		return parse_unsigned(out, 2, text);
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_HEXINT32:
		return parse_unsigned(out, 4, text);
	case EVENT_TYPE_UINT64:
	case EVENT_TYPE_SIZET:
	case EVENT_TYPE_HEXINT64:
		return parse_unsigned(out, 8, text);
	case EVENT_TYPE_REAL32:
	case EVENT_TYPE_REAL64:
		return parse_real(out, type, text);
	case EVENT_TYPE_BOOL:
		return parse_bool(out, text);
	case EVENT_TYPE_BINARY:
		return parse_binary(out, text);
	case EVENT_TYPE_GUID:
		return parse_guid(out, text);
	case EVENT_TYPE_FILETIME:
		return parse_filetime(out, text);
	case EVENT_TYPE_SYSTIME:
		return parse_systime(out, text);
	case EVENT_TYPE_SID:
		return parse_sid(out, text);
	case EVENT_TYPE_BINXML:
	case EVENT_TYPE_ARRAY:
		break;
	}
	return EVERR_TEXT;
}

everr_t event_value_from_text(struct buf *out, uint8_t type, const char *text)
{
	size_t old_len = out->len;
	everr_t err;

	err = parse_value(out, type, text);
	if (err == EVERR_OK) {
		err = buf_error(out);
	}
	if (err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return err;
}
