/* SPDX-License-Identifier: GPL-3.0-or-later */

/* An event over several lines. */

#include "cli/line.h"
#include "cli/terminal.h"

#include <string.h>

/* "  Name         value" */
#define WIDTH_NAME 12
/* Columns from one tab stop to the next. */
#define TAB 8

static void begin_field(struct buf *out, const char *name,
			const struct field_style *style)
{
	size_t start;

	buf_puts(out, "  ");
	terminal_style(out, TERMINAL_NAME, style->colored);
	start = out->len;
	buf_puts(out, name);
	field_pad(out, start, WIDTH_NAME);
	terminal_style(out, TERMINAL_PLAIN, style->colored);
	buf_put_u8(out, ' ');
}

/* Of what stands below it. */
static void put_heading(struct buf *out, const char *name,
			const struct field_style *style)
{
	buf_puts(out, "  ");
	terminal_style(out, TERMINAL_NAME, style->colored);
	buf_puts(out, name);
	terminal_style(out, TERMINAL_PLAIN, style->colored);
	buf_put_u8(out, '\n');
}

/* Ends the line, without the blanks at its end. */
static void end_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ') {
		buf_truncate(out, out->len - 1);
	}
	buf_put_u8(out, '\n');
}

/* A value of System, where there is one. */
static void put_field(struct buf *out, const char *name, const json_t *value,
		      const struct field_style *style)
{
	value = value != NULL ? cli_view_element(value) : NULL;
	if (value == NULL || json_is_null(value)) {
		return;
	}
	begin_field(out, name, style);
	field_put_scalar(out, value, field_put_plain);
	buf_put_u8(out, '\n');
}

/* A number with its name: "Logon (12544)". */
static void put_named(struct buf *out, const char *name, const json_t *value,
		      const char *said, const struct field_style *style)
{
	value = value != NULL ? cli_view_element(value) : NULL;
	if (said == NULL || said[0] == '\0') {
		put_field(out, name, value, style);
		return;
	}
	begin_field(out, name, style);
	terminal_put_text(out, said, strlen(said), 0);
	if (value != NULL) {
		buf_puts(out, " (");
		field_put_scalar(out, value, field_put_plain);
		buf_put_u8(out, ')');
	}
	buf_put_u8(out, '\n');
}

static void put_keywords(struct buf *out, const json_t *value,
			 const struct cli_said *said,
			 const struct field_style *style)
{
	const char *p = NULL;
	const char *end = NULL;
	size_t start;

	value = value != NULL ? cli_view_element(value) : NULL;
	if (said->keywords_len == 0) {
		put_field(out, "Keywords", value, style);
		return;
	}
	begin_field(out, "Keywords", style);
	start = out->len;
	end = said->keywords + said->keywords_len;
	for (p = said->keywords; p < end && *p != '\0'; p += strlen(p) + 1) {
		buf_puts(out, out->len > start ? ", " : "");
		terminal_put_text(out, p, strlen(p), 0);
	}
	if (value != NULL) {
		buf_puts(out, " (");
		field_put_scalar(out, value, field_put_plain);
		buf_put_u8(out, ')');
	}
	buf_put_u8(out, '\n');
}

/* A line with blanks for its tabs, which separate columns in messages. */
static void put_expanded(struct buf *out, const char *text, size_t len)
{
	size_t column = 0;

	while (len > 0) {
		const char *tab = memchr(text, '\t', len);
		size_t part = tab != NULL ? (size_t)(tab - text) : len;
		size_t start = out->len;

		terminal_put_text(out, text, part, 0);
		column += field_columns(out, start);
		text += part;
		len -= part;
		if (len > 0) {
			buf_printf(out, "%*s", (int)(TAB - column % TAB), "");
			column += TAB - column % TAB;
			text++;
			len--;
		}
	}
}

/* Each of its lines indented, without empty ones around it. */
static void put_message(struct buf *out, const char *message,
			const struct field_style *style)
{
	size_t len = strlen(message);

	message += strspn(message, "\r\n");
	len = strlen(message);
	while (len > 0 && strchr(" \t\r\n", message[len - 1]) != NULL) {
		len--;
	}
	if (len == 0) {
		return;
	}
	put_heading(out, "Message", style);
	while (len > 0) {
		const char *feed = memchr(message, '\n', len);
		size_t line = feed != NULL ? (size_t)(feed - message) : len;
		size_t next = feed != NULL ? line + 1 : len;

		while (line > 0 && strchr(" \t\r", message[line - 1]) != NULL) {
			line--;
		}
		buf_puts(out, line > 0 ? "    " : "");
		put_expanded(out, message, line);
		buf_put_u8(out, '\n');
		message += next;
		len -= next;
	}
}

/* "    name = value", each on its line. */
static void put_item(struct buf *out, const struct field_path *path,
		     const json_t *value, const struct field_style *style)
{
	buf_puts(out, "    ");
	if (field_path_is_named(path)) {
		terminal_style(out, TERMINAL_NAME, style->colored);
		field_put_path(out, path);
		terminal_style(out, TERMINAL_PLAIN, style->colored);
		buf_puts(out, " = ");
	}
	field_put_scalar(out, value, field_put_plain);
	end_line(out);
}

static void put_data(struct buf *out, const json_t *event,
		     const struct field_style *style)
{
	size_t start = out->len;
	size_t first;

	put_heading(out, "Data", style);
	first = out->len;
	field_walk(out, event, put_item, style);
	if (out->len == first) {
		buf_truncate(out, start);
	}
}

/* "2025-11-21 20:46:03.123  Error  Provider 4711" */
static void put_headline(struct buf *out, const json_t *system,
			 const struct cli_said *said,
			 const struct field_style *style)
{
	const json_t *created = cli_view_member(system, "TimeCreated");
	const json_t *provider = cli_view_member(system, "Provider");
	const json_t *id = cli_view_member(system, "EventID");

	if (!field_put_time(
		    out,
		    json_string_value(cli_view_member(created, "SystemTime")),
		    style)) {
		buf_put_u8(out, '-');
	}
	buf_puts(out, "  ");
	field_put_level(out, cli_view_member(system, "Level"), said->level,
			style);
	buf_puts(out, "  ");
	provider = cli_view_member(provider, "Name");
	if (provider != NULL) {
		field_put_scalar(out, provider, field_put_plain);
		buf_put_u8(out, ' ');
	}
	if (id != NULL && cli_view_element(id) != NULL) {
		field_put_scalar(out, cli_view_element(id), field_put_plain);
	}
	end_line(out);
}

/* The attributes of an element of System. */
static void put_attributes(struct buf *out, const json_t *system,
			   const char *element, const char *const *names,
			   const struct field_style *style)
{
	const json_t *object = cli_view_member(system, element);
	size_t i;

	if (!json_is_object(object)) {
		return;
	}
	for (i = 0; names[i] != NULL; i++) {
		put_field(out, names[i], cli_view_member(object, names[i]),
			  style);
	}
}

everr_t record_format(struct buf *out, const json_t *event,
		      const struct cli_said *said,
		      const struct field_style *style)
{
	static const char *const execution[] = {"ProcessID", "ThreadID", NULL};
	static const char *const correlation[] = {"ActivityID",
						  "RelatedActivityID", NULL};
	static const char *const security[] = {"UserID", NULL};
	const json_t *system = cli_view_member(event, "System");

	if (!json_is_object(system)) {
		return EVERR_TEXT;
	}
	put_headline(out, system, said, style);
	put_field(out, "Channel", cli_view_member(system, "Channel"), style);
	put_field(out, "Record", cli_view_member(system, "EventRecordID"),
		  style);
	put_field(out, "Computer", cli_view_member(system, "Computer"), style);
	put_attributes(out, system, "Security", security, style);
	put_named(out, "Task", cli_view_member(system, "Task"), said->task,
		  style);
	put_named(out, "Opcode", cli_view_member(system, "Opcode"),
		  said->opcode, style);
	put_keywords(out, cli_view_member(system, "Keywords"), said, style);
	put_field(out, "Version", cli_view_member(system, "Version"), style);
	put_attributes(out, system, "Execution", execution, style);
	put_attributes(out, system, "Correlation", correlation, style);
	if (said->message != NULL) {
		put_message(out, said->message, style);
	}
	put_data(out, event, style);
	buf_put_u8(out, '\n');
	return buf_error(out);
}
