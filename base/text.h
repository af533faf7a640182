/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_TEXT_H
#define EVENLOG_BASE_TEXT_H

/*
 * UTF-16LE, as it stands on the wire, to and from UTF-8.
 *
 * Lone surrogates.  Windows strings are sequences of 16-bit units and need not
 * be valid UTF-16.  Values are stored byte for byte, so nothing is lost; where
 * such a unit becomes UTF-8 text it is written as U+FFFD, one per unit.
 * UTF-8 from outside must be valid (shortest form, no surrogates, at most
 * U+10FFFF), else EVERR_TEXT.
 */

#include "base/buf.h"
#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Units before the first NUL unit, at most num_units. */
size_t text_utf16_nlen(const uint8_t *utf16le, size_t num_units);

/* Append the units as UTF-8; the buffer's error state tells of failure. */
void text_utf16_to_utf8(struct buf *out, const uint8_t *utf16le,
			size_t num_units);

/*
 * The same, escaped for XML: & < > in text, with attribute also ' and ".
 * What XML 1.0 cannot carry at all (C0 controls but tab, CR and LF, and the
 * non-characters U+FFFE and U+FFFF) is written as U+FFFD; CR becomes &#13;,
 * and inside attributes tab and LF become &#9; and &#10;, so that a parser
 * hands back what was stored.
 */
void text_utf16_to_xml(struct buf *out, const uint8_t *utf16le,
		       size_t num_units, bool attribute);

/* The same as the inside of a JSON string (RFC 8259), quotes not included. */
void text_utf16_to_json(struct buf *out, const uint8_t *utf16le,
			size_t num_units);

/*
 * Append valid UTF-8 as UTF-16LE, without NUL.  On failure out is cut back to
 * its old length.
 *
 * EVERR_TEXT                not valid
 * EVERR_NOMEM, EVERR_LIMIT  the buffer's own
 */
everr_t text_utf8_to_utf16(struct buf *out, const char *utf8,
			   size_t len) EVERR_MUST_CHECK;

/* Whether len bytes are valid UTF-8. */
bool text_utf8_valid(const char *utf8, size_t len);

/*
 * Case-insensitive comparison of channel and provider names: ASCII letters
 * only, as both are restricted to what the registry of names allows.
 */
int text_name_cmp(const char *a, const char *b);
bool text_name_equal(const char *a, const char *b);

/* Whether two texts, or NULL-terminated lists of them, are equal; NULL is
 * equal to itself only. */
bool text_same(const char *a, const char *b);
bool text_same_list(const char *const *a, const char *const *b);

/* What a hexadecimal digit of either case stands for; -1: it is none. */
int text_hex_digit(char c);

#endif
