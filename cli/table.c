/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/table.h"

#include "cli/fields.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a cell, made safe. */
#define CELL_MAX 4096
/* Bytes of all cells. */
#define TEXT_MAX (64 * 1024 * 1024)
#define GAP 2

struct cell {
	size_t at; /* in the table's text */
	size_t len;
	size_t columns;
	enum terminal_style style;
};

struct table {
	const struct table_column *columns;
	size_t num_columns;
	struct cell *cells;
	size_t num_cells;
	struct buf text;
	everr_t err;
};

struct table *table_create(TALLOC_CTX *mem_ctx,
			   const struct table_column *columns,
			   size_t num_columns)
{
	struct table *table = talloc_zero(mem_ctx, struct table);

	if (table == NULL) {
		return NULL;
	}
	table->columns = columns;
	table->num_columns = num_columns;
	buf_init(&table->text, table, TEXT_MAX);
	return table;
}

static struct cell *add_cell(struct table *table)
{
	size_t size = talloc_array_length(table->cells);
	struct cell *cells = NULL;

	if (table->num_cells == size) {
		cells = talloc_realloc(table, table->cells, struct cell,
				       size == 0 ? 64 : 2 * size);
		if (cells == NULL) {
			table->err = EVERR_NOMEM;
			return NULL;
		}
		table->cells = cells;
	}
	return &table->cells[table->num_cells++];
}

void table_cell(struct table *table, enum terminal_style style,
		const char *text)
{
	struct cell *cell = add_cell(table);
	size_t at = table->text.len;

	if (cell == NULL) {
		return;
	}
	terminal_put_text(&table->text, text, strnlen(text, CELL_MAX), 0);
	*cell = (struct cell){
		.at = at,
		.len = table->text.len - at,
		.columns = field_columns(&table->text, at),
		.style = style,
	};
}

void table_cellf(struct table *table, enum terminal_style style,
		 const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(table, style, text);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = strlen(table->columns[column].title);
	size_t i;

	for (i = column; i < table->num_cells; i += table->num_columns) {
		if (table->cells[i].columns > width) {
			width = table->cells[i].columns;
		}
	}
	return width;
}

static void put_blanks(struct buf *out, size_t num)
{
	for (; num > 0; num--) {
		buf_put_u8(out, ' ');
	}
}

/* The bytes of the first so many characters. */
static size_t prefix_len(const char *text, size_t len, size_t columns)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (((uint8_t)text[i] & 0xc0) != 0x80 && columns-- == 0) {
			break;
		}
	}
	return i;
}

/* A line being put: what it has room for. */
struct line {
	struct buf *out;
	size_t used;
	size_t width; /* 0: no end */
	bool colored;
};

/* A gap, which ends with the line. */
static void skip_columns(struct line *line, size_t num)
{
	size_t room = line->width > line->used ? line->width - line->used : 0;

	put_blanks(line->out, line->width != 0 && num > room ? room : num);
	line->used += num;
}

static void put_cell(struct line *line, const char *text, size_t len,
		     size_t columns, enum terminal_style style)
{
	static const char dots[] = "...";
	size_t room = line->width > line->used ? line->width - line->used : 0;
	bool cut = line->width != 0 && columns > room;

	if (cut) {
		columns = room;
		len = prefix_len(text, len, room >= 3 ? room - 3 : 0);
	}
	if (columns == 0) {
		return;
	}
	if (style != TERMINAL_PLAIN) {
		terminal_style(line->out, style, line->colored);
	}
	buf_put(line->out, text, len);
	if (cut && room >= 3) {
		buf_puts(line->out, dots);
	}
	if (style != TERMINAL_PLAIN) {
		terminal_style(line->out, TERMINAL_PLAIN, line->colored);
	}
	line->used += columns;
}

/* The cells of a row; titles where cells is NULL. */
static void put_row(const struct table *table, struct line *line,
		    const struct cell *cells, const size_t *widths)
{
	const char *text = (const char *)table->text.data;
	size_t i;

	for (i = 0; i < table->num_columns; i++) {
		const struct table_column *column = &table->columns[i];
		struct cell title = {
			.len = strlen(column->title),
			.columns = strlen(column->title),
			.style = TERMINAL_NAME,
		};
		const struct cell *cell = cells != NULL ? &cells[i] : &title;
		bool last = i + 1 == table->num_columns;
		size_t blanks = widths[i] - cell->columns;

		if (column->right) {
			skip_columns(line, blanks);
		}
		put_cell(line, cells != NULL ? text + cell->at : column->title,
			 cell->len, cell->columns, cell->style);
		if (last) {
			break;
		}
		blanks = GAP + (column->right ? 0 : blanks);
		skip_columns(line, blanks);
	}
	while (line->out->len > 0 &&
	       line->out->data[line->out->len - 1] == ' ') {
		buf_truncate(line->out, line->out->len - 1);
	}
	buf_put_u8(line->out, '\n');
}

everr_t table_put(struct table *table, struct buf *out, size_t indent,
		  size_t width, bool colored)
{
	struct line line = {.out = out, .width = width, .colored = colored};
	size_t *widths = NULL;
	size_t i;

	if (table->err != EVERR_OK || buf_error(&table->text) != EVERR_OK) {
		return EVERR_NOMEM;
	}
	widths = talloc_array(table, size_t, table->num_columns);
	if (widths == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < table->num_columns; i++) {
		widths[i] = column_width(table, i);
	}
	put_blanks(out, indent);
	line.used = indent;
	put_row(table, &line, NULL, widths);
	for (i = 0; i + table->num_columns <= table->num_cells;
	     i += table->num_columns) {
		put_blanks(out, indent);
		line.used = indent;
		put_row(table, &line, &table->cells[i], widths);
	}
	TALLOC_FREE(widths);
	return buf_error(out);
}
