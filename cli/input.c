/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/input.h"

#include "cli/options.h"

#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- fields */

everr_t input_level(const char *text, uint8_t *ret_level)
{
	/* winmeta.h; 0 is for events that are logged whatever the level. */
	static const char *const names[] = {"always",	   "critical",
					    "error",	   "warning",
					    "information", "verbose"};
	uint64_t number;
	everr_t err;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(text, names[i]) == 0) {
			*ret_level = (uint8_t)i;
			return EVERR_OK;
		}
	}
	if (strcasecmp(text, "info") == 0) {
		*ret_level = 4;
		return EVERR_OK;
	}
	err = cli_parse_number(text, UINT8_MAX, &number);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_level = (uint8_t)number;
	return EVERR_OK;
}

/* The types that text can be turned into, for a message. */
static char *type_names(TALLOC_CTX *mem_ctx)
{
	char *names = NULL;
	unsigned int type;

	for (type = EVENT_TYPE_STRING; type < EVENT_TYPE_BINXML; type++) {
		const char *name = event_type_name((uint8_t)type);
		uint8_t same;

		if (name == NULL ||
		    event_type_from_name(name, &same) != EVERR_OK) {
			continue;
		}
		names = names == NULL
				? talloc_strdup(mem_ctx, name)
				: talloc_asprintf_append(names, " %s", name);
		if (names == NULL) {
			return NULL;
		}
	}
	return names;
}

static everr_t data_type(TALLOC_CTX *mem_ctx, const char *text,
			 const char *type_text, uint8_t *ret_type,
			 char **ret_message)
{
	char *names = NULL;
	everr_t err;

	err = event_type_from_name(type_text, ret_type);
	if (err == EVERR_OK) {
		return EVERR_OK;
	}
	names = type_names(mem_ctx);
	*ret_message =
		talloc_asprintf(mem_ctx,
				"%s: there is no type \"%s\"; types are"
				" %s",
				text, type_text, names != NULL ? names : "");
	TALLOC_FREE(names);
	return EVERR_TEXT;
}

everr_t input_data(TALLOC_CTX *mem_ctx, const char *text,
		   struct event_data *ret_data, char **ret_message)
{
	struct event_data data = {.type = EVENT_TYPE_STRING};
	const char *equals = strchr(text, '=');
	char *name = NULL;
	char *colon = NULL;
	struct buf value;
	everr_t err;

	if (equals == NULL || equals == text) {
		*ret_message = talloc_asprintf(
			mem_ctx, "%s: data is name=value or name:type=value",
			text);
		return EVERR_TEXT;
	}
	name = talloc_strndup(mem_ctx, text, (size_t)(equals - text));
	if (name == NULL) {
		return EVERR_NOMEM;
	}
	colon = strrchr(name, ':');
	if (colon != NULL) {
		*colon = '\0';
		err = data_type(mem_ctx, text, colon + 1, &data.type,
				ret_message);
		if (err != EVERR_OK) {
			return err;
		}
	}

	buf_init(&value, mem_ctx, EVENT_VALUE_MAX);
	err = event_value_from_text(&value, data.type, equals + 1);
	if (err == EVERR_OK) {
		err = buf_error(&value);
	}
	if (err != EVERR_OK) {
		*ret_message = talloc_asprintf(
			mem_ctx, "%s: %s", text,
			err == EVERR_LIMIT ? "the value is too long"
					   : "the value does not fit its type");
		return err;
	}
	data.name = name;
	data.value = value.data;
	data.len = value.len;
	*ret_data = data;
	return EVERR_OK;
}

/* ----------------------------------------------------------------- lines */

void input_lines_init(struct input_lines *lines, TALLOC_CTX *mem_ctx)
{
	*lines = (struct input_lines){.start = 0};
	buf_init(&lines->bytes, mem_ctx, 2 * INPUT_LINE_MAX);
}

/* Give up what has been handed out. */
static void lines_compact(struct input_lines *lines)
{
	struct buf *bytes = &lines->bytes;

	if (lines->start == 0) {
		return;
	}
	memmove(bytes->data, bytes->data + lines->start,
		bytes->len - lines->start);
	buf_truncate(bytes, bytes->len - lines->start);
	lines->scanned -= lines->start;
	lines->start = 0;
}

everr_t input_lines_add(struct input_lines *lines, const void *data, size_t len)
{
	lines_compact(lines);
	if (len == 0) {
		lines->ended = true;
		return EVERR_OK;
	}
	buf_put(&lines->bytes, data, len);
	return buf_error(&lines->bytes);
}

/* Hand out len bytes from start; the next line begins behind skip more. */
static void lines_take(struct input_lines *lines, size_t len, size_t skip,
		       struct input_line *ret_line)
{
	const char *text = (const char *)lines->bytes.data + lines->start;

	lines->number++;
	*ret_line = (struct input_line){
		.text = text,
		.len = len,
		.number = lines->number,
	};
	if (len > 0 && text[len - 1] == '\r') {
		ret_line->len--;
	}
	lines->start += len + skip;
	lines->scanned = lines->start;
}

/* Drop what is there of a line that is too long. */
static void lines_skip(struct input_lines *lines, size_t len)
{
	lines->start += len;
	lines->scanned = lines->start;
}

bool input_lines_next(struct input_lines *lines, struct input_line *ret_line)
{
	struct buf *bytes = &lines->bytes;

	for (;;) {
		const uint8_t *feed = NULL;
		size_t len = bytes->len - lines->start;

		if (bytes->len > lines->scanned) {
			feed = memchr(bytes->data + lines->scanned, '\n',
				      bytes->len - lines->scanned);
		}
		lines->scanned = bytes->len;
		if (feed != NULL) {
			len = (size_t)(feed - bytes->data) - lines->start;
		}
		if (lines->skipping) {
			lines->skipping = feed == NULL;
			lines_skip(lines, feed != NULL ? len + 1 : len);
			if (feed == NULL) {
				return false;
			}
			continue;
		}
		if (len > INPUT_LINE_MAX) {
			lines->number++;
			*ret_line = (struct input_line){
				.text = "",
				.number = lines->number,
				.too_long = true,
			};
			lines->skipping = feed == NULL;
			lines_skip(lines, feed != NULL ? len + 1 : len);
			return true;
		}
		if (feed != NULL) {
			lines_take(lines, len, 1, ret_line);
			return true;
		}
		if (lines->ended && len > 0) {
			lines_take(lines, len, 0, ret_line);
			return true;
		}
		return false;
	}
}
