/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_JSON_TEXT_H
#define EVENLOG_DAEMON_JSON_TEXT_H

/*
 * JSON written as text at once.  A tree of thousands of objects takes a tenth
 * of a second to be built, written and freed, in one turn of the loop.
 *
 * Each function writes a value behind what it needs of a comma; name NULL: an
 * element of an array.
 */

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

void daemon_json_open(struct buf *out, const char *name, char bracket);
void daemon_json_close(struct buf *out, char bracket);
/* NULL: null.  What is not UTF-8 becomes question marks. */
void daemon_json_text(struct buf *out, const char *name, const char *text);
/* More than an int64_t holds is written as the most of it. */
void daemon_json_number(struct buf *out, const char *name, uint64_t number);
void daemon_json_real(struct buf *out, const char *name, double number);
void daemon_json_bool(struct buf *out, const char *name, bool value);
/* FILETIME; null for 0. */
void daemon_json_time(struct buf *out, const char *name, uint64_t filetime);

#endif
