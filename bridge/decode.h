/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_DECODE_H
#define EVENLOG_BRIDGE_DECODE_H

/*
 * Texts of the sources: their encodings, numbers and dates, and what is wrong
 * with them.
 */

#include "base/buf.h"

#include <stdbool.h>

/*
 * *ret_reason: a talloc child of mem_ctx, valid UTF-8 of one line; gives err,
 * or EVERR_NOMEM.
 */
everr_t bridge_refuse(TALLOC_CTX *mem_ctx, everr_t err, const char **ret_reason,
		      const char *format, ...)
	__attribute__((format(printf, 4, 5))) EVERR_MUST_CHECK;

/*
 * Append text as UTF-8: UTF-16 of either order or UTF-8, with a mark or
 * without one; NULs, blanks and line ends at its end are dropped.
 *
 * EVERR_TEXT  not valid in its encoding, or a NUL inside; *ret_reason says
 *             what and where
 * EVERR_LIMIT out is full; EVERR_NOMEM
 */
everr_t bridge_decode(TALLOC_CTX *mem_ctx, struct buf *out, const uint8_t *data,
		      size_t len, const char **ret_reason) EVERR_MUST_CHECK;

/* Decimal digits and nothing else. */
bool bridge_parse_number(const char *text, uint32_t *ret_number);

/*
 * "yyyyMMddHHmmss.ffffff+UUU", a CIM datetime: local time, and how many
 * minutes it is ahead of UTC.  In UTC.
 * EVERR_TEXT  not one, or with asterisks
 */
everr_t bridge_parse_cim_time(const char *text,
			      uint64_t *ret_filetime) EVERR_MUST_CHECK;

/* "MM/dd/yyyy HH:mm:ss", which is taken for UTC.  EVERR_TEXT */
everr_t bridge_parse_us_time(const char *text,
			     uint64_t *ret_filetime) EVERR_MUST_CHECK;

#endif
