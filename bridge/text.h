/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_TEXT_H
#define EVENLOG_BRIDGE_TEXT_H

/*
 * Text of others for events: whatever the bytes are, what is written is valid
 * UTF-16, and what is too long ends in "… [cut, N bytes]", N being the length
 * of all of it in UTF-8.
 */

#include "base/buf.h"

/* Room for the longest mark. */
#define BRIDGE_CUT_MARK_MAX 40

/*
 * UTF-16 units of the text; counting stops beyond max.  Each byte that is not
 * part of valid UTF-8 counts as one, U+FFFD.
 */
size_t bridge_text_units(const char *text, size_t len, size_t max);

/*
 * Append text as UTF-16LE, of at most max_units (at least BRIDGE_CUT_MARK_MAX,
 * if the text is longer), mark included.
 */
void bridge_text_put(struct buf *out, const char *text, size_t len,
		     size_t max_units);

/* The same as a UTF-8 string; NULL: no memory. */
char *bridge_text_clean(TALLOC_CTX *mem_ctx, const char *text,
			size_t max_units);

#endif
