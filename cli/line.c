/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/line.h"

#include "cli/terminal.h"

#include <string.h>

/* Columns; longer names push the rest of their line to the right. */
#define WIDTH_TIME 23
#define WIDTH_LEVEL 8
#define WIDTH_PROVIDER 24
#define WIDTH_ID 5
#define WIDTH_CHANNEL 12

/* A column with text from the event, "-" when it has none, and a blank. */
static void put_column(struct buf *out, const json_t *value, size_t width)
{
	size_t start = out->len;

	value = value != NULL ? cli_view_element(value) : NULL;
	if (value != NULL) {
		field_put_scalar(out, value, field_put_plain);
	}
	if (out->len == start) {
		buf_put_u8(out, '-');
	}
	field_pad(out, start, width);
	buf_put_u8(out, ' ');
}

static void put_time(struct buf *out, const json_t *created,
		     const struct field_style *style)
{
	const char *text =
		json_string_value(cli_view_member(created, "SystemTime"));
	size_t start = out->len;

	if (!field_put_time(out, text, style)) {
		buf_put_u8(out, '-');
	}
	field_pad(out, start, style->utc ? WIDTH_TIME + 1 : WIDTH_TIME);
	buf_put_u8(out, ' ');
}

/* The column is what it looks like, without what makes its color. */
static void put_level(struct buf *out, const json_t *level,
		      const struct field_style *style)
{
	const struct field_style plain = {.colored = false};
	size_t start = out->len;
	size_t blanks;

	field_put_level(out, level, NULL, &plain);
	blanks = out->len;
	field_pad(out, start, WIDTH_LEVEL);
	blanks = out->len - blanks + 1;
	buf_truncate(out, start);
	field_put_level(out, level, NULL, style);
	buf_printf(out, "%*s", (int)blanks, "");
}

static void put_id(struct buf *out, const json_t *id)
{
	id = id != NULL ? cli_view_element(id) : NULL;
	if (json_is_integer(id)) {
		buf_printf(out, "%*" JSON_INTEGER_FORMAT " ", WIDTH_ID,
			   json_integer_value(id));
	} else {
		buf_printf(out, "%*s ", WIDTH_ID, "-");
	}
}

static void put_pair(struct buf *out, const struct field_path *path,
		     const json_t *value, const struct field_style *style)
{
	buf_put_u8(out, ' ');
	if (field_path_is_named(path)) {
		terminal_style(out, TERMINAL_NAME, style->colored);
		field_put_path(out, path);
		terminal_style(out, TERMINAL_PLAIN, style->colored);
		buf_put_u8(out, '=');
	}
	field_put_scalar(out, value, terminal_put_value);
}

/* Its words with a blank before each. */
static void put_message(struct buf *out, const char *message)
{
	static const char blanks[] = " \t\r\n\v\f";

	for (;;) {
		size_t len;

		message += strspn(message, blanks);
		len = strcspn(message, blanks);
		if (len == 0) {
			return;
		}
		buf_put_u8(out, ' ');
		terminal_put_text(out, message, len, 0);
		message += len;
	}
}

everr_t line_format(struct buf *out, const json_t *event, const char *message,
		    const struct field_style *style)
{
	const json_t *system = cli_view_member(event, "System");
	size_t start;

	if (!json_is_object(system)) {
		return EVERR_TEXT;
	}
	put_time(out, cli_view_member(system, "TimeCreated"), style);
	put_level(out, cli_view_member(system, "Level"), style);
	put_column(out,
		   cli_view_member(cli_view_member(system, "Provider"), "Name"),
		   WIDTH_PROVIDER);
	start = out->len;
	put_id(out, cli_view_member(system, "EventID"));
	put_column(out, cli_view_member(system, "Channel"), WIDTH_CHANNEL);
	/* The column's blank; what follows brings its own. */
	buf_truncate(out, out->len > 0 ? out->len - 1 : 0);

	if (message != NULL) {
		put_message(out, message);
	} else {
		field_walk(out, event, put_pair, style);
	}
	while (out->len > start && out->data[out->len - 1] == ' ') {
		buf_truncate(out, out->len - 1);
	}
	buf_put_u8(out, '\n');
	return buf_error(out);
}
