/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_EVENT_VECTORS_H
#define EVENLOG_TESTS_EVENT_VECTORS_H

/*
 * The vectors in tests/event/data: bytes as hex digits, blanks ignored.
 * spec-4.4, spec-4.8: [MS-EVEN6] 4.4 and 4.8; windows-4634: a real event;
 * manifest-style: a generated one; result-record: spec-4.4 in a result.
 */

#include "base/buf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int vector_digit(int c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c > 0 ? strchr(digits, tolower(c)) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

/* Append the bytes of tests/event/data/NAME.hex; ends the program if not. */
static inline void vector_load(struct buf *out, const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	FILE *f = NULL;
	int c, high = -1;

	snprintf(path, sizeof(path), "%s/tests/event/data/%s.hex",
		 srcdir != NULL ? srcdir : ".", name);
	f = fopen(path, "re");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	while ((c = getc(f)) != EOF) {
		int digit = vector_digit(c);

		if (digit >= 0 && high >= 0) {
			buf_put_u8(out, (uint8_t)(high << 4 | digit));
			high = -1;
		} else if (digit >= 0) {
			high = digit;
		}
	}
	fclose(f);
}

#endif
