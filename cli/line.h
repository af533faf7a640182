/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_LINE_H
#define EVENLOG_CLI_LINE_H

/* An event as a line of text for a person.  Pure but for the time zone. */

#include "base/buf.h"
#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>

struct line_style {
	bool colored;
	bool utc;
};

/*
 * One line of text, line feed included, from an event in the form of
 * event_render_json().  EVERR_TEXT: it is no such object.
 *
 *   2025-11-21 20:46:03.123 Warning  Provider 4711 Channel name=value ...
 */
everr_t line_format(struct buf *out, const char *json, size_t len,
		    const struct line_style *style) EVERR_MUST_CHECK;

#endif
