/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/show.h"

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levels of objects in objects that are shown. */
#define SHOW_DEPTH 8
/* Bytes of a value that are shown. */
#define CELL_MAX 512
/* Bytes of an object as XML or JSON. */
#define SHOW_MAX (256 * 1024 * 1024)
/* Columns of a table that are shown. */
#define COLUMNS_MAX 32

static void print_value(const json_t *value, unsigned int depth);

/* Text made safe; what is longer than the room ends in dots. */
static void cell_string(const json_t *value, char *text, size_t size)
{
	static const char dots[] = "...";
	struct buf out;
	size_t len;

	buf_init(&out, NULL, 8 * json_string_length(value) + 1);
	terminal_put_text(&out, json_string_value(value),
			  json_string_length(value), 0);
	len = out.len;
	if (len >= size) {
		len = size - sizeof(dots);
		/* Not inside a character. */
		while (len > 0 && (out.data[len] & 0xC0) == 0x80) {
			len--;
		}
	}
	snprintf(text, size, "%.*s%s", (int)len,
		 out.data != NULL ? (const char *)out.data : "",
		 len < out.len ? dots : "");
	buf_free(&out);
}

/* The text of a cell. */
static void cell_text(const json_t *value, char *text, size_t size)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		cell_string(value, text, size);
		break;
	case JSON_INTEGER:
		snprintf(text, size, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(text, size, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(text, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(text, size, "no");
		break;
	default:
		snprintf(text, size, "-");
		break;
	}
}

static void print_scalar(const json_t *value)
{
	char text[CELL_MAX];

	cell_text(value, text, sizeof(text));
	printf("%s", text);
}

static bool is_scalar(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

static void print_members(const json_t *object, unsigned int depth)
{
	void *iter = json_object_iter((json_t *)object);

	while (iter != NULL) {
		const json_t *value = json_object_iter_value(iter);

		printf("%*s", (int)(2 * depth), "");
		terminal_print(json_object_iter_key(iter));
		printf(":");
		if (is_scalar(value)) {
			printf(" ");
			print_scalar(value);
			printf("\n");
		} else {
			print_value(value, depth + 1);
		}
		iter = json_object_iter_next((json_t *)object, iter);
	}
}

/* A row of a table is an object of nothing but scalars. */
static bool is_row(const json_t *value)
{
	void *iter = json_object_iter((json_t *)value);

	while (iter != NULL) {
		if (!is_scalar(json_object_iter_value(iter))) {
			return false;
		}
		iter = json_object_iter_next((json_t *)value, iter);
	}
	return json_object_size(value) > 0;
}

static bool is_table(const json_t *array)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		if (!is_row(json_array_get(array, i))) {
			return false;
		}
	}
	return json_array_size(array) > 0;
}

/* The width of each column of a table, for at most COLUMNS_MAX of them. */
static void column_widths(const json_t *array, size_t *widths)
{
	const json_t *first = json_array_get(array, 0);
	void *iter = json_object_iter((json_t *)first);
	size_t column;
	size_t i;

	for (column = 0; iter != NULL && column < COLUMNS_MAX; column++) {
		const char *name = json_object_iter_key(iter);

		widths[column] = strlen(name);
		for (i = 0; i < json_array_size(array); i++) {
			const json_t *row = json_array_get(array, i);
			char text[CELL_MAX];

			cell_text(json_object_get(row, name), text,
				  sizeof(text));
			if (strlen(text) > widths[column]) {
				widths[column] = strlen(text);
			}
		}
		iter = json_object_iter_next((json_t *)first, iter);
	}
}

/* row NULL: the names of the columns. */
static void print_row(const json_t *first, const json_t *row,
		      const size_t *widths, unsigned int depth)
{
	void *iter = json_object_iter((json_t *)first);
	size_t column;

	printf("%*s", (int)(2 * depth), "");
	for (column = 0; iter != NULL && column < COLUMNS_MAX; column++) {
		const char *name = json_object_iter_key(iter);
		const json_t *value = json_object_iter_value(iter);
		bool left = json_is_string(value) || json_is_null(value);
		int width = (int)widths[column];
		char text[CELL_MAX];

		snprintf(text, sizeof(text), "%s", name);
		if (row != NULL) {
			cell_text(json_object_get(row, name), text,
				  sizeof(text));
		}
		iter = json_object_iter_next((json_t *)first, iter);
		/* What stands last needs nothing behind it. */
		if (left) {
			width = iter != NULL ? -width : 0;
		}
		printf("%s%*s", column > 0 ? "  " : "", width, text);
	}
	printf("\n");
}

static void print_table(const json_t *array, unsigned int depth)
{
	const json_t *first = json_array_get(array, 0);
	size_t widths[COLUMNS_MAX];
	size_t i;

	column_widths(array, widths);
	print_row(first, NULL, widths, depth);
	for (i = 0; i < json_array_size(array); i++) {
		print_row(first, json_array_get(array, i), widths, depth);
	}
}

static void print_list(const json_t *array)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		printf(" ");
		if (is_scalar(json_array_get(array, i))) {
			print_scalar(json_array_get(array, i));
		} else {
			printf("-");
		}
	}
	printf("\n");
}

/* What stands behind "name:", an object's members or an array. */
static void print_value(const json_t *value, unsigned int depth)
{
	if (depth > SHOW_DEPTH) {
		printf(" -\n");
		return;
	}
	if (json_is_object(value)) {
		if (depth > 0) {
			printf("\n");
		}
		print_members(value, depth);
	} else if (is_table(value)) {
		printf("\n");
		print_table(value, depth);
	} else {
		print_list(value);
	}
}

void cli_show(const json_t *object)
{
	print_value(object, 0);
}

/* ------------------------------------------------------------------ XML */

/* What XML 1.0 cannot carry becomes U+FFFD. */
static void put_character(struct buf *out, uint8_t c)
{
	if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
		buf_puts(out, "\xEF\xBF\xBD");
		return;
	}
	buf_put_u8(out, c);
}

static void put_escaped(struct buf *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		switch (text[i]) {
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '&':
			buf_puts(out, "&amp;");
			break;
		default:
			put_character(out, (uint8_t)text[i]);
			break;
		}
	}
}

static void put_element(struct buf *out, const char *name, size_t name_len,
			const json_t *value, unsigned int depth);

/* An object's members or an array's items. */
static void put_content(struct buf *out, const char *name, size_t name_len,
			const json_t *value, unsigned int depth)
{
	void *iter = json_object_iter((json_t *)value);
	size_t i;

	while (iter != NULL) {
		const char *key = json_object_iter_key(iter);

		put_element(out, key, strlen(key), json_object_iter_value(iter),
			    depth);
		iter = json_object_iter_next((json_t *)value, iter);
	}
	for (i = 0; i < json_array_size(value); i++) {
		put_element(out, name, name_len - 1, json_array_get(value, i),
			    depth);
	}
}

static void put_element(struct buf *out, const char *name, size_t name_len,
			const json_t *value, unsigned int depth)
{
	char text[CELL_MAX];

	buf_put_u8(out, '<');
	buf_put(out, name, name_len);
	buf_put_u8(out, '>');
	if (json_is_string(value)) {
		put_escaped(out, json_string_value(value),
			    json_string_length(value));
	} else if (json_is_boolean(value)) {
		buf_puts(out, json_is_true(value) ? "true" : "false");
	} else if (json_is_number(value)) {
		cell_text(value, text, sizeof(text));
		buf_puts(out, text);
	} else if (depth < SHOW_DEPTH) {
		put_content(out, name, name_len, value, depth + 1);
	}
	buf_puts(out, "</");
	buf_put(out, name, name_len);
	buf_put_u8(out, '>');
}

/* Write it out as a line, or say why not. */
static everr_t print_line(struct buf *line)
{
	everr_t err;

	buf_put_u8(line, '\n');
	err = buf_error(line);
	if (err != EVERR_OK) {
		cli_error("this is too much to show: %s", everr_text(err));
		return err;
	}
	fwrite(line->data, 1, line->len, stdout);
	return EVERR_OK;
}

everr_t cli_show_xml(const char *name, const json_t *object)
{
	struct buf xml;
	struct buf out;
	everr_t err;

	buf_init(&xml, NULL, SHOW_MAX);
	buf_init(&out, NULL, SHOW_MAX);
	put_element(&xml, name, strlen(name), object, 0);
	err = buf_error(&xml);
	if (err == EVERR_OK) {
		terminal_put_xml(&out, (const char *)xml.data, xml.len);
	} else {
		out.err = err;
	}
	err = print_line(&out);
	buf_free(&xml);
	buf_free(&out);
	return err;
}

everr_t cli_show_json(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	struct buf out;
	everr_t err;

	buf_init(&out, NULL, SHOW_MAX);
	if (text != NULL) {
		terminal_put_json(&out, text, strlen(text));
	} else {
		out.err = EVERR_NOMEM;
	}
	err = print_line(&out);
	buf_free(&out);
	free(text);
	return err;
}
