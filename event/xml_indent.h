/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_XML_INDENT_H
#define EVENLOG_EVENT_XML_INDENT_H

#include "base/buf.h"

#include <stddef.h>

/*
 * Append XML as event_render_xml() writes it (no comments, no "<" but for
 * markup) with one element per line and two blanks per level.  Elements that
 * have begun with text stay on their line.
 */
void event_xml_indent(struct buf *out, const char *xml, size_t len);

#endif
