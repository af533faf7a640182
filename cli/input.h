/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_INPUT_H
#define EVENLOG_CLI_INPUT_H

/* Events from the command line and from lines of JSON.  Pure but for memory. */

#include "base/buf.h"
#include "base/everr.h"
#include "event/build.h"

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* A line of standard input; an event of 1 MiB with every unit escaped. */
#define INPUT_LINE_MAX (4 * 1024 * 1024)

/* Level by number or name ("warning"), without case.  EVERR_TEXT. */
everr_t input_level(const char *text, uint8_t *ret_level) EVERR_MUST_CHECK;

/*
 * "name=value" or "name:Type=value" to a data item; name and value are
 * children of mem_ctx.  On failure *ret_message (child of mem_ctx) says what
 * is wrong.  EVERR_TEXT, EVERR_LIMIT, EVERR_NOMEM.
 */
everr_t input_data(TALLOC_CTX *mem_ctx, const char *text,
		   struct event_data *ret_data,
		   char **ret_message) EVERR_MUST_CHECK;

/*
 * Lines out of a stream of bytes: add what was read, then take lines until
 * there is none.  A line longer than INPUT_LINE_MAX is handed out once as
 * too long and skipped up to its end.
 */
struct input_lines {
	struct buf bytes;
	size_t start;	/* of the next line */
	size_t scanned; /* no line feed before this */
	bool skipping;
	bool ended;
	unsigned long number; /* of the line handed out last, from 1 */
};

struct input_line {
	const char *text; /* valid until the next input_lines_add() */
	size_t len;
	unsigned long number;
	bool too_long;
};

void input_lines_init(struct input_lines *lines, TALLOC_CTX *mem_ctx);
/* len 0: the stream has ended; a last line may lack its line feed. */
everr_t input_lines_add(struct input_lines *lines, const void *data,
			size_t len) EVERR_MUST_CHECK;
/* False: no complete line is there. */
bool input_lines_next(struct input_lines *lines, struct input_line *ret_line);

#endif
