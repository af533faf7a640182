/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/wintime.h"

#include <stdbool.h>

#define SECONDS_PER_DAY 86400U
/* From 1601-01-01 to 1970-01-01. */
#define UNIX_EPOCH_SECONDS 11644473600LL
/* From 0000-03-01, where the leap day is the last day of a year. */
#define DAYS_BEFORE_1601 584694U
#define DAYS_PER_400_YEARS 146097U

/* A date of the proleptic Gregorian calendar. */
struct date {
	uint32_t year;
	uint32_t month; /* 1 to 12 */
	uint32_t day;	/* 1 to 31 */
};

/*
 * Days since 1601-01-01 to a date and back.  Years are counted from March, so
 * that leap days need no special case; months have the 153-day pattern of
 * five (31 30 31 30 31).
 */
static struct date date_from_days(uint32_t days)
{
	uint32_t z = days + DAYS_BEFORE_1601;
	uint32_t era = z / DAYS_PER_400_YEARS;
	uint32_t doe = z % DAYS_PER_400_YEARS;
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint32_t mp = (5 * doy + 2) / 153;
	uint32_t month = mp < 10 ? mp + 3 : mp - 9;

	return (struct date){
		.year = yoe + era * 400 + (month <= 2),
		.month = month,
		.day = doy - (153 * mp + 2) / 5 + 1,
	};
}

static uint32_t days_from_date(const struct date *date)
{
	uint32_t y = date->year - (date->month <= 2);
	uint32_t era = y / 400;
	uint32_t yoe = y % 400;
	uint32_t mp = date->month > 2 ? date->month - 3 : date->month + 9;
	uint32_t doy = (153 * mp + 2) / 5 + date->day - 1;
	uint32_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * DAYS_PER_400_YEARS + doe - DAYS_BEFORE_1601;
}

static bool date_exists(const struct date *date)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30,
					 31, 31, 30, 31, 30, 31};
	uint32_t y = date->year;
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	if (y < 1601 || date->month < 1 || date->month > 12 || date->day < 1) {
		return false;
	}
	return date->day <=
	       days[date->month - 1] + (uint32_t)(leap && date->month == 2);
}

uint64_t wintime_from_timespec(const struct timespec *ts)
{
	uint64_t units;

	if (ts->tv_sec < -UNIX_EPOCH_SECONDS) {
		return 0;
	}
	if (ts->tv_sec > INT64_MAX - UNIX_EPOCH_SECONDS) {
		return UINT64_MAX;
	}
	if (__builtin_mul_overflow((uint64_t)(ts->tv_sec + UNIX_EPOCH_SECONDS),
				   WINTIME_SECOND, &units)) {
		return UINT64_MAX;
	}
	if (__builtin_add_overflow(units, (uint64_t)ts->tv_nsec / 100,
				   &units)) {
		return UINT64_MAX;
	}
	return units;
}

uint64_t wintime_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return wintime_from_timespec(&ts);
}

void wintime_to_timespec(uint64_t filetime, struct timespec *ret_ts)
{
	ret_ts->tv_sec =
		(int64_t)(filetime / WINTIME_SECOND) - UNIX_EPOCH_SECONDS;
	ret_ts->tv_nsec = (long)(filetime % WINTIME_SECOND) * 100;
}

/* Write v with at least width digits; returns the place after them. */
static char *put_digits(char *p, uint32_t v, int width)
{
	char digits[10];
	int n = 0;

	while (v > 0 || n < width) {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	}
	while (n > 0) {
		*p++ = digits[--n];
	}
	return p;
}

size_t wintime_format(uint64_t filetime, char *text)
{
	uint64_t seconds = filetime / WINTIME_SECOND;
	uint32_t fraction = (uint32_t)(filetime % WINTIME_SECOND);
	uint32_t second_of_day = (uint32_t)(seconds % SECONDS_PER_DAY);
	struct date date =
		date_from_days((uint32_t)(seconds / SECONDS_PER_DAY));
	char *p = text;

	p = put_digits(p, date.year, 4);
	*p++ = '-';
	p = put_digits(p, date.month, 2);
	*p++ = '-';
	p = put_digits(p, date.day, 2);
	*p++ = 'T';
	p = put_digits(p, second_of_day / 3600, 2);
	*p++ = ':';
	p = put_digits(p, second_of_day / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, second_of_day % 60, 2);
	*p++ = '.';
	p = put_digits(p, fraction, 7);
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - text);
}

/*
 * Read min to max digits and step over them.  The value of at most nine
 * digits fits.
 */
static bool get_digits(const char **p, int min, int max, uint32_t *ret_value)
{
	uint32_t v = 0;
	int n;

	for (n = 0; n < max && **p >= '0' && **p <= '9'; n++) {
		v = v * 10 + (uint32_t)(**p - '0');
		(*p)++;
	}
	*ret_value = v;
	return n >= min;
}

/* The same after a separator. */
static bool get_field(const char **p, char separator, uint32_t *ret_value)
{
	if (**p != separator) {
		return false;
	}
	(*p)++;
	return get_digits(p, 2, 2, ret_value);
}

/* An optional fraction in 100 ns units; digits beyond them are cut. */
static bool get_fraction(const char **p, uint32_t *ret_units)
{
	const char *start = NULL;
	uint32_t value;
	ptrdiff_t n;

	*ret_units = 0;
	if (**p != '.') {
		return true;
	}
	start = ++(*p);
	if (!get_digits(p, 1, 9, &value)) {
		return false;
	}
	n = *p - start;
	for (; n < 7; n++) {
		value *= 10;
	}
	for (; n > 7; n--) {
		value /= 10;
	}
	*ret_units = value;
	return true;
}

static bool get_date(const char **p, struct date *date)
{
	return get_digits(p, 4, 5, &date->year) &&
	       get_field(p, '-', &date->month) &&
	       get_field(p, '-', &date->day) && date_exists(date);
}

static bool get_time(const char **p, uint32_t *ret_second_of_day)
{
	uint32_t hour, minute, second;

	if (!get_field(p, 'T', &hour) || !get_field(p, ':', &minute) ||
	    !get_field(p, ':', &second)) {
		return false;
	}
	*ret_second_of_day = hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second < 60;
}

everr_t wintime_parse(const char *text, uint64_t *ret_filetime)
{
	const char *p = text;
	struct date date;
	uint32_t second_of_day, units;
	uint64_t filetime;
	bool ok;

	ok = get_date(&p, &date) && get_time(&p, &second_of_day) &&
	     get_fraction(&p, &units);
	if (!ok) {
		return EVERR_TEXT;
	}
	if (*p == 'Z') {
		p++;
	}
	if (*p != '\0') {
		return EVERR_TEXT;
	}

	filetime = (uint64_t)days_from_date(&date) * SECONDS_PER_DAY +
		   second_of_day;
	if (__builtin_mul_overflow(filetime, WINTIME_SECOND, &filetime) ||
	    __builtin_add_overflow(filetime, (uint64_t)units, &filetime)) {
		return EVERR_TEXT;
	}
	*ret_filetime = filetime;
	return EVERR_OK;
}
