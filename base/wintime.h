/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_WINTIME_H
#define EVENLOG_BASE_WINTIME_H

/*
 * FILETIME: 100 ns units since 1601-01-01 UTC, [MS-DTYP] 2.3.3, and its text.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* FILETIME units in a second. */
#define WINTIME_SECOND 10000000ULL

/* "YYYY-MM-DDThh:mm:ss.fffffffZ" and its NUL, and years to 60056. */
#define WINTIME_TEXT_MAX 40

/* The FILETIME of a Unix time; before 1601 gives 0. */
uint64_t wintime_from_timespec(const struct timespec *ts);

/* The current time.  Library rooms do not call this; they are handed times. */
uint64_t wintime_now(void);

/* The Unix time of a FILETIME; exact. */
void wintime_to_timespec(uint64_t filetime, struct timespec *ret_ts);

/*
 * Write "2023-11-14T22:13:20.0000000Z" (seven fraction digits, as Windows
 * builds since 2023 print it) into text, which has room for WINTIME_TEXT_MAX;
 * returns the length without NUL.  Works for every 64-bit value.
 */
size_t wintime_format(uint64_t filetime, char *text);

/*
 * Parse "YYYY-MM-DDThh:mm:ss[.f{1,9}][Z]", UTC.  Digits beyond 100 ns are
 * cut off; years above 9999 have five digits, as wintime_format() writes them.
 * EVERR_TEXT  not such a text, or a date that does not exist
 */
everr_t wintime_parse(const char *text,
		      uint64_t *ret_filetime) EVERR_MUST_CHECK;

#endif
