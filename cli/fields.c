/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/fields.h"

#include "base/wintime.h"
#include "cli/terminal.h"
#include "cli/view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void field_put_scalar(struct buf *out, const json_t *value,
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

void field_put_plain(struct buf *out, const char *text, size_t len)
{
	terminal_put_text(out, text, len, 0);
}

size_t field_columns(const struct buf *out, size_t start)
{
	size_t columns = 0;
	size_t i;

	for (i = start; i < out->len; i++) {
		columns += (out->data[i] & 0xc0) != 0x80;
	}
	return columns;
}

void field_pad(struct buf *out, size_t start, size_t width)
{
	size_t columns = field_columns(out, start);

	while (columns < width) {
		buf_put_u8(out, ' ');
		columns++;
	}
}

bool field_put_time(struct buf *out, const char *text,
		    const struct field_style *style)
{
	struct timespec ts;
	struct tm tm;
	char date[40];
	uint64_t filetime = 0;
	size_t len;
	everr_t err;

	err = text != NULL ? wintime_parse(text, &filetime) : EVERR_TEXT;
	if (err != EVERR_OK) {
		return false;
	}
	wintime_to_timespec(filetime, &ts);
	if (style->utc) {
		gmtime_r(&ts.tv_sec, &tm);
	} else {
		localtime_r(&ts.tv_sec, &tm);
	}
	len = strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	buf_put(out, date, len);
	buf_printf(out, ".%03ld%s", ts.tv_nsec / 1000000,
		   style->utc ? "Z" : "");
	return true;
}

/* Names as Windows shows them, shortened to a column (facts 10.3). */
void field_put_level(struct buf *out, const json_t *value, const char *name,
		     const struct field_style *style)
{
	static const struct {
		const char *name;
		enum terminal_style style;
	} levels[] = {
		{"Info", TERMINAL_PLAIN},  {"Critical", TERMINAL_CRITICAL},
		{"Error", TERMINAL_ERROR}, {"Warning", TERMINAL_WARNING},
		{"Info", TERMINAL_PLAIN},  {"Verbose", TERMINAL_DIM},
	};
	enum terminal_style look = TERMINAL_PLAIN;
	json_int_t level = -1;
	char usual[32] = "-";

	value = value != NULL ? cli_view_element(value) : NULL;
	if (json_is_integer(value)) {
		level = json_integer_value(value);
		snprintf(usual, sizeof(usual), "Lvl%" JSON_INTEGER_FORMAT,
			 level);
	}
	if (level >= 0 && (size_t)level < sizeof(levels) / sizeof(levels[0])) {
		snprintf(usual, sizeof(usual), "%s", levels[level].name);
		look = levels[level].style;
	}
	name = name != NULL ? name : usual;

	if (look != TERMINAL_PLAIN) {
		terminal_style(out, look, style->colored);
	}
	terminal_put_text(out, name, strlen(name), 0);
	if (look != TERMINAL_PLAIN) {
		terminal_style(out, TERMINAL_PLAIN, style->colored);
	}
}

/* ---------------------------------------------------------------- data */

static bool put_path(struct buf *out, const struct field_path *path)
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

void field_put_path(struct buf *out, const struct field_path *path)
{
	put_path(out, path);
}

bool field_path_is_named(const struct field_path *path)
{
	return path->name != NULL ||
	       (path->parent != NULL && field_path_is_named(path->parent));
}

/* What a walk hands down. */
struct walk {
	struct buf *out;
	field_fn fn;
	const struct field_style *style;
};

static void walk_value(const struct walk *walk, const struct field_path *path,
		       const json_t *value);

static void walk_members(const struct walk *walk, const struct field_path *path,
			 const json_t *object)
{
	void *iter = json_object_iter((json_t *)object);

	while (iter != NULL) {
		const char *name = json_object_iter_key(iter);
		/* The text of an element that also has attributes. */
		struct field_path here = {
			path, strcmp(name, "#text") != 0 ? name : NULL};

		walk_value(walk, &here, json_object_iter_value(iter));
		iter = json_object_iter_next((json_t *)object, iter);
	}
}

static void walk_value(const struct walk *walk, const struct field_path *path,
		       const json_t *value)
{
	size_t i;

	if (json_is_object(value)) {
		walk_members(walk, path, value);
		return;
	}
	if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value); i++) {
			walk_value(walk, path, json_array_get(value, i));
		}
		return;
	}
	walk->fn(walk->out, path, value, walk->style);
}

void field_walk(struct buf *out, const json_t *event, field_fn fn,
		const struct field_style *style)
{
	const struct walk walk = {out, fn, style};
	void *iter = json_object_iter((json_t *)event);

	while (iter != NULL) {
		const char *name = json_object_iter_key(iter);
		const json_t *value = json_object_iter_value(iter);
		const struct field_path root = {NULL, NULL};

		if (strcmp(name, "EventData") == 0 && json_is_object(value)) {
			/* <Data> without names is an array called Data. */
			const json_t *list = cli_view_member(value, "Data");

			if (json_is_array(list) &&
			    json_object_size(value) == 1) {
				value = list;
			}
		}
		if (strcmp(name, "System") != 0 &&
		    strcmp(name, "RenderingInfo") != 0 &&
		    (json_is_object(value) || json_is_array(value))) {
			walk_value(&walk, &root, value);
		}
		iter = json_object_iter_next((json_t *)event, iter);
	}
}
