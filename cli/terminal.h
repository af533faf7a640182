/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_TERMINAL_H
#define EVENLOG_CLI_TERMINAL_H

/*
 * Text on its way to a person.  An event is written by strangers: what could
 * move a cursor, change a color or turn the direction of a line is shown as
 * an escape and never sent.
 */

#include "base/buf.h"
#include "cli/cli.h"

#include <stdio.h>

enum terminal_style {
	TERMINAL_PLAIN,
	TERMINAL_DIM,
	TERMINAL_NAME, /* the name in name=value */
	TERMINAL_CRITICAL,
	TERMINAL_ERROR,
	TERMINAL_WARNING
};

/* Whether the terminal of TERM understands more than lines. */
bool terminal_draws(void);

/* Whether stream gets colors: asked for, or a terminal that has them. */
bool terminal_colored(FILE *stream, enum cli_color color);

/* Begin or end (TERMINAL_PLAIN) a style; nothing when colored is false. */
void terminal_style(struct buf *out, enum terminal_style style, bool colored);

/*
 * Append UTF-8 with every character that is not for showing as \n, \r, \t or
 * \u{XX}: C0, DEL, C1, line and paragraph separators, direction marks; and
 * bytes that are not UTF-8 as \xXX.  When quote is not 0, it and the backslash
 * get a backslash before them.
 */
void terminal_put_text(struct buf *out, const char *text, size_t len,
		       char quote);

/* A value: bare when it is one plain word, else in double quotes. */
void terminal_put_value(struct buf *out, const char *text, size_t len);

/*
 * XML or JSON as it was rendered, made one line and safe for a terminal:
 * what is not for showing becomes a character reference (XML) or an escape
 * (JSON), which a parser reads as what was there.
 */
void terminal_put_xml(struct buf *out, const char *xml, size_t len);
void terminal_put_json(struct buf *out, const char *json, size_t len);

/* Print text on stdout the way terminal_put_text() writes it. */
void terminal_print(const char *text);

/*
 * A line of progress on stderr that overwrites itself; shown at most ten
 * times a second and only when stderr is a terminal.
 */
struct terminal_progress {
	bool shown;
	bool enabled;
	struct timeval last;
};

void terminal_progress_init(struct terminal_progress *progress);
/* Whether it is time to show another one. */
bool terminal_progress_due(struct terminal_progress *progress);
void terminal_progress_show(struct terminal_progress *progress, const char *fmt,
			    ...) __attribute__((format(printf, 2, 3)));
/* Remove the line, before other text and at the end. */
void terminal_progress_clear(struct terminal_progress *progress);

#endif
