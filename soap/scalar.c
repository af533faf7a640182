/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The simple types of XML Schema part 2 that requests carry. */

#include "soap/node.h"

#include "base/wintime.h"

#include <nettle/base64.h>
#include <string.h>

/* 1754-01-01T00:00:00 and 9999-12-31T23:59:59.9999999. */
#define TIME_FIRST 48282048000000000ULL
#define TIME_LAST 2650467743999999999ULL

/* "YYYY-MM-DDThh:mm:ss.fffffffff" and NUL. */
#define TIME_BASE_SIZE 30

/* XML Schema part 2, 3.2.7.3: an offset is at most 14 hours. */
#define OFFSET_MINUTES_MAX (14 * 60)

/* A value without the white space around it; not NUL-terminated. */
struct lexical {
	const char *p;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* False: there is no value. */
static bool lexical_of(const char *text, struct lexical *ret_lexical)
{
	size_t len;

	if (text == NULL) {
		return false;
	}
	while (is_blank(*text)) {
		text++;
	}
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1])) {
		len--;
	}
	*ret_lexical = (struct lexical){text, len};
	return len > 0;
}

static bool lexical_is(const struct lexical *value, const char *word)
{
	size_t len = strlen(word);

	return value->len == len && memcmp(value->p, word, len) == 0;
}

/* ------------------------------------------------------------- numbers */

/* Digits of a number below zero are taken off, so that INT64_MIN fits. */
static bool add_digit(int64_t *value, char c, bool negative)
{
	int64_t digit = c - '0';

	return is_digit(c) &&
	       !__builtin_mul_overflow(*value, (int64_t)10, value) &&
	       !__builtin_add_overflow(*value, negative ? -digit : digit,
				       value);
}

everr_t soap_get_int(const char *text, int64_t min, int64_t max,
		     int64_t *ret_value)
{
	struct lexical s;
	int64_t value = 0;
	bool negative;
	size_t i;

	if (!lexical_of(text, &s)) {
		return EVERR_NOT_FOUND;
	}
	negative = s.p[0] == '-';
	i = negative || s.p[0] == '+' ? 1 : 0;
	if (i == s.len) {
		return EVERR_TEXT;
	}
	for (; i < s.len; i++) {
		if (!add_digit(&value, s.p[i], negative)) {
			return EVERR_TEXT;
		}
	}
	if (value < min || value > max) {
		return EVERR_TEXT;
	}
	*ret_value = value;
	return EVERR_OK;
}

everr_t soap_get_bool(const char *text, bool *ret_value)
{
	struct lexical s;

	if (!lexical_of(text, &s)) {
		return EVERR_NOT_FOUND;
	}
	if (lexical_is(&s, "true") || lexical_is(&s, "1")) {
		*ret_value = true;
		return EVERR_OK;
	}
	if (lexical_is(&s, "false") || lexical_is(&s, "0")) {
		*ret_value = false;
		return EVERR_OK;
	}
	return EVERR_TEXT;
}

everr_t soap_get_guid(const char *text, struct ev_guid *ret_value)
{
	char copy[EV_GUID_TEXT_SIZE];
	struct lexical s;

	if (!lexical_of(text, &s)) {
		return EVERR_NOT_FOUND;
	}
	if (s.len >= sizeof(copy)) {
		return EVERR_TEXT;
	}
	memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return ev_guid_parse(copy, ret_value);
}

/* ---------------------------------------------------------------- time */

/* Two digits below 100; -1: they are not. */
static int two_digits(const char *p)
{
	if (!is_digit(p[0]) || !is_digit(p[1])) {
		return -1;
	}
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Take "Z" or "+hh:mm" off the end; no zone is UTC. */
static bool take_zone(struct lexical *s, int *ret_minutes)
{
	const char *zone = NULL;
	int hours, minutes;

	*ret_minutes = 0;
	if (s->len > 0 && s->p[s->len - 1] == 'Z') {
		s->len--;
		return true;
	}
	/* The sign of an offset stands behind "hh:mm:ss", never before. */
	if (s->len < 25) {
		return true;
	}
	zone = s->p + s->len - 6;
	if (zone[0] != '+' && zone[0] != '-') {
		return true;
	}
	hours = two_digits(zone + 1);
	minutes = two_digits(zone + 4);
	if (hours < 0 || minutes < 0 || minutes > 59 || zone[3] != ':' ||
	    hours * 60 + minutes > OFFSET_MINUTES_MAX) {
		return false;
	}
	s->len -= 6;
	*ret_minutes = (hours * 60 + minutes) * (zone[0] == '-' ? -1 : 1);
	return true;
}

/* "24:00:00" is the first instant of the next day, 3.2.7.1. */
static bool take_midnight(char *base)
{
	char *time = base + 11;
	size_t n;

	if (strncmp(time, "24:00:00", 8) != 0) {
		return false;
	}
	n = time[8] == '.' ? 1 + strspn(time + 9, "0") : 0;
	if (time[8 + n] != '\0') {
		return false;
	}
	memcpy(time, "00", 2);
	return true;
}

/*
 * The date and time themselves.  A year that FILETIME does not have is read
 * as one that it has with the same leap day: the answer is then 0, but a date
 * that does not exist is still refused.
 */
static everr_t time_base(const struct lexical *s, uint64_t *ret_filetime)
{
	char base[TIME_BASE_SIZE];
	bool midnight;
	int century, year;
	everr_t err;

	if (s->len < 19 || s->len >= sizeof(base)) {
		return EVERR_TEXT;
	}
	memcpy(base, s->p, s->len);
	base[s->len] = '\0';
	century = two_digits(base);
	year = two_digits(base + 2);
	/* wintime_parse() knows years of five digits, and a zone. */
	if (century < 0 || year < 0 || base[4] != '-' ||
	    !is_digit(base[s->len - 1])) {
		return EVERR_TEXT;
	}
	year += century * 100;
	if (year < 1601) {
		memcpy(base, century / 4 * 4 == century ? "20" : "21", 2);
	}
	midnight = take_midnight(base);
	err = wintime_parse(base, ret_filetime);
	if (err != EVERR_OK) {
		return err;
	}
	if (midnight) {
		*ret_filetime += 86400 * WINTIME_SECOND;
	}
	if (year < 1601) {
		*ret_filetime = 0;
	}
	return EVERR_OK;
}

everr_t soap_get_time(const char *text, uint64_t *ret_filetime)
{
	struct lexical s;
	uint64_t filetime;
	int64_t offset;
	int minutes;
	everr_t err;

	if (!lexical_of(text, &s)) {
		return EVERR_NOT_FOUND;
	}
	if (!take_zone(&s, &minutes)) {
		return EVERR_TEXT;
	}
	err = time_base(&s, &filetime);
	if (err != EVERR_OK) {
		return err;
	}

	/* The zone of a bound does not matter: "for ever" in any. */
	offset = (int64_t)minutes * 60 * (int64_t)WINTIME_SECOND;
	if (filetime >= TIME_FIRST) {
		filetime -= (uint64_t)offset;
	}
	if (filetime < TIME_FIRST) {
		filetime = 0;
	}
	if (filetime > TIME_LAST) {
		filetime = TIME_LAST;
	}
	*ret_filetime = filetime;
	return EVERR_OK;
}

/* -------------------------------------------------------------- base64 */

everr_t soap_get_base64(const char *text, struct buf *out)
{
	struct base64_decode_ctx ctx;
	size_t before = out->len;
	size_t len, room;
	uint8_t *to = NULL;

	if (text == NULL) {
		return EVERR_NOT_FOUND;
	}
	len = strlen(text);
	if (len == 0) {
		return EVERR_OK;
	}
	room = BASE64_DECODE_LENGTH(len);
	to = buf_extend(out, room);
	if (to == NULL) {
		return buf_error(out);
	}
	/* nettle passes over white space and wants all of the padding. */
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &room, to, len, text) ||
	    !base64_decode_final(&ctx)) {
		buf_truncate(out, before);
		return EVERR_TEXT;
	}
	buf_truncate(out, before + room);
	return EVERR_OK;
}
