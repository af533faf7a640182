/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_LINE_H
#define EVENLOG_CLI_LINE_H

/* An event as text for a person.  Pure but for the time zone. */

#include "base/buf.h"
#include "base/everr.h"
#include "cli/fields.h"
#include "cli/view.h"

#include <jansson.h>

/*
 * One line of text, line feed included, from an event in the form of
 * event_render_json().  A message (NULL: none) stands in place of the data,
 * what is blank in it as single blanks.  EVERR_TEXT: it is no such object.
 *
 *   2025-11-21 20:46:03.123 Warning  Provider 4711 Channel name=value ...
 */
everr_t line_format(struct buf *out, const json_t *event, const char *message,
		    const struct field_style *style) EVERR_MUST_CHECK;

/*
 * The same event over several lines with an empty one at the end: all fields
 * of System, the whole message, the data.
 */
everr_t record_format(struct buf *out, const json_t *event,
		      const struct cli_said *said,
		      const struct field_style *style) EVERR_MUST_CHECK;

#endif
