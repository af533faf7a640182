/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_TABLE_H
#define EVENLOG_CLI_TABLE_H

/* Rows of text in columns that are as wide as they need to be. */

#include "base/buf.h"
#include "cli/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct table_column {
	const char *title;
	bool right; /* numbers */
};

struct table;

/* columns outlive it.  NULL: out of memory. */
struct table *table_create(TALLOC_CTX *mem_ctx,
			   const struct table_column *columns,
			   size_t num_columns);

/*
 * The next cell; after the last column's the next row begins.  The text is
 * made safe for a terminal.
 */
void table_cell(struct table *table, enum terminal_style style,
		const char *text);
void table_cellf(struct table *table, enum terminal_style style,
		 const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Append title line and rows, each indented by so many blanks; the last column
 * is cut so that a line has at most width columns (0: never).  EVERR_NOMEM,
 * also of the calls before.
 */
everr_t table_put(struct table *table, struct buf *out, size_t indent,
		  size_t width, bool colored) EVERR_MUST_CHECK;

#endif
