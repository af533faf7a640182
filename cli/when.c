/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/when.h"

#include "base/wintime.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* An age that reaches back further than FILETIME does. */
#define AGE_MAX (1000ULL * 365 * DAY)

/* --------------------------------------------------------------- scanning */

/* Exactly digits decimal digits; moves *text behind them. */
static bool scan_digits(const char **text, unsigned int digits, int *ret_number)
{
	int number = 0;
	unsigned int i;

	for (i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*text)[i])) {
			return false;
		}
		number = number * 10 + ((*text)[i] - '0');
	}
	*text += digits;
	*ret_number = number;
	return true;
}

static bool scan_char(const char **text, char c)
{
	if (**text != c) {
		return false;
	}
	(*text)++;
	return true;
}

/* ------------------------------------------------------------------- ages */

static uint64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return MINUTE;
	case 'h':
		return HOUR;
	case 'd':
		return DAY;
	case 'w':
		return 7 * DAY;
	default:
		return 0;
	}
}

/* "1h30m" */
static bool parse_age(const char *text, uint64_t *ret_seconds)
{
	uint64_t seconds = 0;

	do {
		uint64_t number = 0;
		uint64_t unit;

		if (!isdigit((unsigned char)*text)) {
			return false;
		}
		for (; isdigit((unsigned char)*text); text++) {
			number = number * 10 + (uint64_t)(*text - '0');
			if (number > AGE_MAX) {
				return false;
			}
		}
		unit = unit_seconds(*text);
		if (unit == 0) {
			return false;
		}
		text++;
		seconds += number * unit;
		if (seconds > AGE_MAX) {
			return false;
		}
	} while (*text != '\0');
	*ret_seconds = seconds;
	return true;
}

/* ------------------------------------------------------------ dates, times */

/* A date and time, and what of it was given. */
struct moment {
	struct tm tm;
	uint32_t fraction; /* 100 ns */
	bool has_time;
	bool has_zone;
	int offset; /* seconds east of UTC, when has_zone */
};

/* Whether the day is in the calendar. */
static bool day_exists(const struct tm *day)
{
	struct tm tm = *day;

	tm.tm_hour = 12;
	tm.tm_min = 0;
	tm.tm_sec = 0;
	return timegm(&tm) != (time_t)-1 && tm.tm_mday == day->tm_mday &&
	       tm.tm_mon == day->tm_mon;
}

static bool scan_date(const char **text, struct tm *tm)
{
	int year, month, day;

	if (!scan_digits(text, 4, &year) || !scan_char(text, '-') ||
	    !scan_digits(text, 2, &month) || !scan_char(text, '-') ||
	    !scan_digits(text, 2, &day)) {
		return false;
	}
	if (year < 1602 || month < 1 || month > 12 || day < 1 || day > 31) {
		return false;
	}
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return day_exists(tm);
}

/* ".123": at least one digit, those beyond 100 ns are dropped. */
static bool scan_fraction(const char **text, uint32_t *ret_fraction)
{
	uint32_t fraction = 0;
	unsigned int digits = 0;

	if (!isdigit((unsigned char)**text)) {
		return false;
	}
	for (; isdigit((unsigned char)**text); (*text)++) {
		if (digits < 7) {
			fraction = fraction * 10 + (uint32_t)(**text - '0');
			digits++;
		}
	}
	for (; digits < 7; digits++) {
		fraction *= 10;
	}
	*ret_fraction = fraction;
	return true;
}

static bool scan_time(const char **text, struct moment *moment)
{
	struct tm *tm = &moment->tm;

	if (!scan_digits(text, 2, &tm->tm_hour) || !scan_char(text, ':') ||
	    !scan_digits(text, 2, &tm->tm_min)) {
		return false;
	}
	if (scan_char(text, ':')) {
		if (!scan_digits(text, 2, &tm->tm_sec)) {
			return false;
		}
		if (scan_char(text, '.') &&
		    !scan_fraction(text, &moment->fraction)) {
			return false;
		}
	}
	moment->has_time = true;
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59;
}

/* "Z", "+02:00", "+0200", "+02", or nothing. */
static bool scan_zone(const char **text, struct moment *moment)
{
	int hours, minutes = 0;
	bool west;

	if (scan_char(text, 'Z')) {
		moment->has_zone = true;
		return true;
	}
	west = **text == '-';
	if (!west && **text != '+') {
		return true;
	}
	(*text)++;
	if (!scan_digits(text, 2, &hours)) {
		return false;
	}
	if ((scan_char(text, ':') || **text != '\0') &&
	    !scan_digits(text, 2, &minutes)) {
		return false;
	}
	moment->has_zone = true;
	moment->offset = hours * HOUR + minutes * MINUTE;
	moment->offset *= west ? -1 : 1;
	return hours <= 23 && minutes <= 59;
}

/* Today and yesterday, in the zone that is meant. */
static void set_day(const struct cli_when *when, int days_back, struct tm *tm)
{
	struct timespec now;
	struct tm day;

	wintime_to_timespec(when->now, &now);
	if (when->utc) {
		gmtime_r(&now.tv_sec, &day);
	} else {
		localtime_r(&now.tv_sec, &day);
	}
	/* timegm() and mktime() make the end of last month of day 0. */
	tm->tm_year = day.tm_year;
	tm->tm_mon = day.tm_mon;
	tm->tm_mday = day.tm_mday - days_back;
}

static bool parse_moment(const struct cli_when *when, const char *text,
			 struct moment *ret_moment)
{
	struct moment moment = {.has_time = false};
	const char *rest = text;

	if (strcasecmp(text, "today") == 0 ||
	    strcasecmp(text, "yesterday") == 0) {
		set_day(when, tolower((unsigned char)text[0]) == 'y' ? 1 : 0,
			&moment.tm);
		*ret_moment = moment;
		return true;
	}
	if (strlen(text) > 2 && text[2] == ':') {
		set_day(when, 0, &moment.tm);
		if (!scan_time(&rest, &moment)) {
			return false;
		}
	} else {
		if (!scan_date(&rest, &moment.tm)) {
			return false;
		}
		if ((scan_char(&rest, 'T') || scan_char(&rest, ' ')) &&
		    (!scan_time(&rest, &moment) ||
		     !scan_zone(&rest, &moment))) {
			return false;
		}
	}
	*ret_moment = moment;
	return *rest == '\0';
}

static time_t moment_seconds(const struct cli_when *when,
			     const struct moment *moment)
{
	struct tm tm = moment->tm;

	/* The day's end is where the next one begins, however long it is. */
	if (!moment->has_time && when->end) {
		tm.tm_mday++;
	}
	if (moment->has_zone) {
		return timegm(&tm) - moment->offset;
	}
	tm.tm_isdst = -1;
	return when->utc ? timegm(&tm) : mktime(&tm);
}

everr_t cli_when_parse(const struct cli_when *when, const char *text,
		       uint64_t *ret_filetime)
{
	struct moment moment;
	struct timespec ts = {.tv_nsec = 0};
	uint64_t seconds = 0;
	uint64_t filetime;

	if (strcasecmp(text, "now") == 0) {
		*ret_filetime = when->now;
		return EVERR_OK;
	}
	if (parse_age(text, &seconds)) {
		if (seconds > when->now / WINTIME_SECOND) {
			return EVERR_TEXT;
		}
		*ret_filetime = when->now - seconds * WINTIME_SECOND;
		return EVERR_OK;
	}
	if (!parse_moment(when, text, &moment)) {
		return EVERR_TEXT;
	}
	ts.tv_sec = moment_seconds(when, &moment);
	filetime = wintime_from_timespec(&ts) + moment.fraction;
	if (!moment.has_time && when->end) {
		filetime--;
	}
	*ret_filetime = filetime;
	return EVERR_OK;
}
