/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_RENDERING_H
#define EVENLOG_CLI_RENDERING_H

/*
 * RenderingInfo: what publishers say about an event as a part of it, in the
 * form that Windows gives forwarded events (facts 10.1).
 */

#include "base/buf.h"
#include "cli/view.h"

#include <stddef.h>

/*
 * Append the event with a RenderingInfo element at its end, unless it has one
 * already.  The culture is empty: the host picked it and does not tell.
 */
void rendering_put_xml(struct buf *out, const char *xml, size_t len,
		       const struct cli_view *view,
		       const struct cli_said *said);

/* The same as a member RenderingInfo of the JSON form. */
void rendering_put_json(struct buf *out, const char *json, size_t len,
			const struct cli_view *view,
			const struct cli_said *said);

#endif
