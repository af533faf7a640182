/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/line.h"

#include "base/wintime.h"
#include "cli/terminal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Columns; longer names push the rest of their line to the right. */
#define WIDTH_LEVEL 8
#define WIDTH_PROVIDER 24
#define WIDTH_ID 5
#define WIDTH_CHANNEL 12

/* -------------------------------------------------------------- fields */

static const json_t *member(const json_t *object, const char *name)
{
	return json_object_get(object, name);
}

/*
 * The text of an element: itself, or what stands beside its attributes.
 * NULL when there is none.
 */
static const json_t *element_text(const json_t *element)
{
	if (json_is_object(element)) {
		return member(element, "#text");
	}
	return element;
}

static void put_scalar(struct buf *out, const json_t *value,
		       void (*put)(struct buf *out, const char *text,
				   size_t len))
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		put(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_printf(out, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(value));
		break;
	case JSON_REAL:
		buf_printf(out, "%.17g", json_real_value(value));
		break;
	case JSON_TRUE:
		buf_puts(out, "true");
		break;
	case JSON_FALSE:
		buf_puts(out, "false");
		break;
	default:
		break;
	}
}

static void put_plain(struct buf *out, const char *text, size_t len)
{
	terminal_put_text(out, text, len, 0);
}

/* Columns of a terminal that the bytes from start take, roughly. */
static size_t columns_since(const struct buf *out, size_t start)
{
	size_t columns = 0;
	size_t i;

	for (i = start; i < out->len; i++) {
		columns += (out->data[i] & 0xc0) != 0x80;
	}
	return columns;
}

static void pad_to(struct buf *out, size_t start, size_t width)
{
	size_t columns = columns_since(out, start);

	while (columns < width) {
		buf_put_u8(out, ' ');
		columns++;
	}
}

/* A column with text from the event, "-" when it has none, and a blank. */
static void put_column(struct buf *out, const json_t *value, size_t width)
{
	size_t start = out->len;

	value = value != NULL ? element_text(value) : NULL;
	if (value != NULL) {
		put_scalar(out, value, put_plain);
	}
	if (out->len == start) {
		buf_put_u8(out, '-');
	}
	pad_to(out, start, width);
	buf_put_u8(out, ' ');
}

static void put_time(struct buf *out, const json_t *created,
		     const struct line_style *style)
{
	const char *text = json_string_value(member(created, "SystemTime"));
	struct timespec ts;
	struct tm tm;
	char date[40];
	uint64_t filetime;
	size_t len;
	everr_t err;

	err = text != NULL ? wintime_parse(text, &filetime) : EVERR_TEXT;
	if (err != EVERR_OK) {
		size_t start = out->len;

		buf_put_u8(out, '-');
		pad_to(out, start, style->utc ? 24 : 23);
		buf_put_u8(out, ' ');
		return;
	}
	wintime_to_timespec(filetime, &ts);
	if (style->utc) {
		gmtime_r(&ts.tv_sec, &tm);
	} else {
		localtime_r(&ts.tv_sec, &tm);
	}
	len = strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	buf_put(out, date, len);
	buf_printf(out, ".%03ld%s ", ts.tv_nsec / 1000000,
		   style->utc ? "Z" : "");
}

/* Names as Windows shows them, shortened to a column (facts 10.3). */
static void put_level(struct buf *out, const json_t *value,
		      const struct line_style *style)
{
	static const struct {
		const char *name;
		enum terminal_style style;
	} levels[] = {
		{"Info", TERMINAL_PLAIN},  {"Critical", TERMINAL_CRITICAL},
		{"Error", TERMINAL_ERROR}, {"Warning", TERMINAL_WARNING},
		{"Info", TERMINAL_PLAIN},  {"Verbose", TERMINAL_DIM},
	};
	json_int_t level = -1;
	char name[32] = "-";
	enum terminal_style look = TERMINAL_PLAIN;

	value = value != NULL ? element_text(value) : NULL;
	if (json_is_integer(value)) {
		level = json_integer_value(value);
		snprintf(name, sizeof(name), "Lvl%" JSON_INTEGER_FORMAT, level);
	}
	if (level >= 0 && (size_t)level < sizeof(levels) / sizeof(levels[0])) {
		snprintf(name, sizeof(name), "%s", levels[level].name);
		look = levels[level].style;
	}

	if (look != TERMINAL_PLAIN) {
		terminal_style(out, look, style->colored);
	}
	buf_puts(out, name);
	if (look != TERMINAL_PLAIN) {
		terminal_style(out, TERMINAL_PLAIN, style->colored);
	}
	buf_printf(out, "%*s", (int)(WIDTH_LEVEL - strlen(name) + 1), "");
}

/* ---------------------------------------------------------------- data */

/* The way down to a value, for UserData: Outer.Inner. */
struct path {
	const struct path *parent;
	const char *name; /* NULL: a place without a name */
};

static bool put_path(struct buf *out, const struct path *path)
{
	bool any = false;

	if (path->parent != NULL) {
		any = put_path(out, path->parent);
	}
	if (path->name != NULL) {
		if (any) {
			buf_put_u8(out, '.');
		}
		terminal_put_text(out, path->name, strlen(path->name), 0);
		any = true;
	}
	return any;
}

static bool path_is_named(const struct path *path)
{
	return path->name != NULL ||
	       (path->parent != NULL && path_is_named(path->parent));
}

static void put_pair(struct buf *out, const struct path *path,
		     const json_t *value, const struct line_style *style)
{
	buf_put_u8(out, ' ');
	if (path_is_named(path)) {
		terminal_style(out, TERMINAL_NAME, style->colored);
		put_path(out, path);
		terminal_style(out, TERMINAL_PLAIN, style->colored);
		buf_put_u8(out, '=');
	}
	put_scalar(out, value, terminal_put_value);
}

static void put_data(struct buf *out, const struct path *path,
		     const json_t *value, const struct line_style *style);

static void put_members(struct buf *out, const struct path *path,
			const json_t *object, const struct line_style *style)
{
	void *iter = json_object_iter((json_t *)object);

	while (iter != NULL) {
		const char *name = json_object_iter_key(iter);
		/* The text of an element that also has attributes. */
		struct path here = {path,
				    strcmp(name, "#text") != 0 ? name : NULL};

		put_data(out, &here, json_object_iter_value(iter), style);
		iter = json_object_iter_next((json_t *)object, iter);
	}
}

static void put_data(struct buf *out, const struct path *path,
		     const json_t *value, const struct line_style *style)
{
	size_t i;

	if (json_is_object(value)) {
		put_members(out, path, value, style);
		return;
	}
	if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value); i++) {
			put_data(out, path, json_array_get(value, i), style);
		}
		return;
	}
	put_pair(out, path, value, style);
}

/* Everything of the event but System: EventData, UserData and so on. */
static void put_body(struct buf *out, const json_t *event,
		     const struct line_style *style)
{
	void *iter = json_object_iter((json_t *)event);

	while (iter != NULL) {
		const char *name = json_object_iter_key(iter);
		const json_t *value = json_object_iter_value(iter);
		const struct path root = {NULL, NULL};

		if (strcmp(name, "EventData") == 0 && json_is_object(value)) {
			/* <Data> without names is an array called Data. */
			const json_t *list = member(value, "Data");

			if (json_is_array(list) &&
			    json_object_size(value) == 1) {
				value = list;
			}
		}
		if (strcmp(name, "System") != 0 &&
		    (json_is_object(value) || json_is_array(value))) {
			put_data(out, &root, value, style);
		}
		iter = json_object_iter_next((json_t *)event, iter);
	}
}

static everr_t put_line(struct buf *out, const json_t *event,
			const struct line_style *style)
{
	const json_t *system = member(event, "System");
	const json_t *id = NULL;
	size_t start;

	if (!json_is_object(system)) {
		return EVERR_TEXT;
	}
	put_time(out, member(system, "TimeCreated"), style);
	put_level(out, member(system, "Level"), style);
	put_column(out, member(member(system, "Provider"), "Name"),
		   WIDTH_PROVIDER);

	start = out->len;
	id = element_text(member(system, "EventID"));
	buf_printf(out, "%*" JSON_INTEGER_FORMAT " ", WIDTH_ID,
		   json_integer_value(id));
	if (!json_is_integer(id)) {
		buf_truncate(out, start);
		buf_printf(out, "%*s ", WIDTH_ID, "-");
	}
	put_column(out, member(system, "Channel"), WIDTH_CHANNEL);
	/* The column's blank; a pair brings its own. */
	buf_truncate(out, out->len > 0 ? out->len - 1 : 0);

	put_body(out, event, style);
	while (out->len > start && out->data[out->len - 1] == ' ') {
		buf_truncate(out, out->len - 1);
	}
	buf_put_u8(out, '\n');
	return buf_error(out);
}

everr_t line_format(struct buf *out, const char *json, size_t len,
		    const struct line_style *style)
{
	size_t start = out->len;
	json_t *event = NULL;
	everr_t err;

	event = json_loadb(json, len, JSON_ALLOW_NUL, NULL);
	if (event == NULL) {
		return EVERR_TEXT;
	}
	err = put_line(out, event, style);
	json_decref(event);
	if (err != EVERR_OK) {
		buf_truncate(out, start);
	}
	return err;
}
