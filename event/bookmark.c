/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/bookmark.h"

#include "base/text.h"
#include "event/xml.h"

#include <string.h>

struct bookmark_parse {
	struct event_bookmark_list *list;
	unsigned int depth;
};

static bool value_is(const struct event_xml_attribute *attribute,
		     const char *want)
{
	const char *text = attribute->value;
	size_t len = attribute->value_len;

	event_xml_trim(&text, &len);
	return len == strlen(want) && strncasecmp(text, want, len) == 0;
}

/* A record number: decimal, at most 64 bits. */
static everr_t get_number(const struct event_xml_attribute *attribute,
			  uint64_t *ret_number)
{
	const char *text = attribute->value;
	size_t len = attribute->value_len;
	uint64_t number = 0;
	size_t i;

	event_xml_trim(&text, &len);
	for (i = 0; i < len; i++) {
		uint64_t digit = (uint64_t)(uint8_t)text[i] - '0';

		if (digit > 9 ||
		    __builtin_mul_overflow(number, (uint64_t)10, &number) ||
		    __builtin_add_overflow(number, digit, &number)) {
			return EVERR_BOOKMARK_SYNTAX;
		}
	}
	if (len == 0) {
		return EVERR_BOOKMARK_SYNTAX;
	}
	*ret_number = number;
	return EVERR_OK;
}

/* The specification's own sample has a blank in front of the name. */
static everr_t get_channel(TALLOC_CTX *mem_ctx,
			   const struct event_xml_attribute *attribute,
			   const char **ret_channel)
{
	const char *text = attribute->value;
	size_t len = attribute->value_len;

	event_xml_trim(&text, &len);
	if (len == 0) {
		return EVERR_BOOKMARK_SYNTAX;
	}
	*ret_channel = talloc_strndup(mem_ctx, text, len);
	return *ret_channel != NULL ? EVERR_OK : EVERR_NOMEM;
}

static everr_t add_bookmark(struct event_bookmark_list *list,
			    const struct event_bookmark *bookmark)
{
	size_t n = list->num_bookmarks;
	struct event_bookmark *grown = NULL;

	if (n == EVENT_BOOKMARK_MAX) {
		return EVERR_LIMIT;
	}
	/* In powers of two: most lists have one entry. */
	if ((n & (n - 1)) == 0) {
		grown = talloc_realloc(list, list->bookmarks,
				       struct event_bookmark,
				       n == 0 ? 1 : 2 * n);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		list->bookmarks = grown;
	}
	list->bookmarks[n] = *bookmark;
	list->num_bookmarks++;
	return EVERR_OK;
}

/* [MS-EVEN6] 2.2.14: Channel and RecordId are required. */
static everr_t read_bookmark(struct event_bookmark_list *list,
			     const struct event_xml_attribute *attributes,
			     size_t num_attributes)
{
	const struct event_xml_attribute *channel = NULL;
	const struct event_xml_attribute *record_id = NULL;
	const struct event_xml_attribute *current = NULL;
	struct event_bookmark bookmark = {};
	everr_t err;

	channel = event_xml_attribute(attributes, num_attributes, "Channel");
	record_id = event_xml_attribute(attributes, num_attributes, "RecordId");
	current = event_xml_attribute(attributes, num_attributes, "IsCurrent");
	if (channel == NULL || record_id == NULL) {
		return EVERR_BOOKMARK_SYNTAX;
	}

	err = get_number(record_id, &bookmark.record_id);
	if (err != EVERR_OK) {
		return err;
	}
	err = get_channel(list, channel, &bookmark.channel);
	if (err != EVERR_OK) {
		return err;
	}
	if (current != NULL) {
		bookmark.is_current =
			value_is(current, "true") || value_is(current, "1");
	}
	return add_bookmark(list, &bookmark);
}

static everr_t on_start(void *private_data, const char *name,
			const struct event_xml_attribute *attributes,
			size_t num_attributes)
{
	struct bookmark_parse *parse = private_data;
	const struct event_xml_attribute *direction = NULL;
	unsigned int depth = parse->depth++;

	if (depth == 0) {
		if (strcmp(name, "BookmarkList") != 0) {
			return EVERR_BOOKMARK_SYNTAX;
		}
		direction = event_xml_attribute(attributes, num_attributes,
						"Direction");
		parse->list->backward =
			direction != NULL && value_is(direction, "backward");
		return EVERR_OK;
	}
	/* What later versions may add beside the bookmarks is not ours. */
	if (depth == 1 && strcmp(name, "Bookmark") == 0) {
		return read_bookmark(parse->list, attributes, num_attributes);
	}
	return EVERR_OK;
}

static everr_t on_end(void *private_data, const char *name)
{
	struct bookmark_parse *parse = private_data;

	parse->depth--;
	return EVERR_OK;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	return EVERR_OK;
}

/* Exactly one entry is current: the first that says so, or the first. */
static void settle_current(struct event_bookmark_list *list)
{
	size_t current = 0;
	size_t i;

	while (current < list->num_bookmarks &&
	       !list->bookmarks[current].is_current) {
		current++;
	}
	if (current == list->num_bookmarks) {
		current = 0;
	}
	for (i = 0; i < list->num_bookmarks; i++) {
		list->bookmarks[i].is_current = i == current;
	}
}

static everr_t read_list(const char *xml, size_t len,
			 struct event_bookmark_list *list)
{
	static const struct event_xml_handler handler = {on_start, on_end,
							 on_text};
	struct bookmark_parse parse = {.list = list};
	struct event_xml_position position;
	everr_t err;

	err = event_xml_parse(xml, len, &handler, &parse, &position);
	if (err == EVERR_TEXT) {
		return EVERR_BOOKMARK_SYNTAX;
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (list->num_bookmarks == 0) {
		return EVERR_BOOKMARK_SYNTAX;
	}
	settle_current(list);
	return EVERR_OK;
}

everr_t event_bookmark_parse(TALLOC_CTX *mem_ctx, const char *xml, size_t len,
			     struct event_bookmark_list **ret_list)
{
	struct event_bookmark_list *list = NULL;
	everr_t err;

	if (len > EVENT_BOOKMARK_LENGTH_MAX) {
		return EVERR_LIMIT;
	}
	list = talloc_zero(mem_ctx, struct event_bookmark_list);
	if (list == NULL) {
		return EVERR_NOMEM;
	}

	/* Blank text stands for "no bookmark"; facts 6. */
	event_xml_trim(&xml, &len);
	if (len > 0) {
		err = read_list(xml, len, list);
		if (err != EVERR_OK) {
			TALLOC_FREE(list);
			return err;
		}
	}
	*ret_list = list;
	return EVERR_OK;
}

const struct event_bookmark *event_bookmark_find(
	const struct event_bookmark_list *list, const char *channel)
{
	size_t i;

	for (i = 0; i < list->num_bookmarks; i++) {
		if (text_name_equal(list->bookmarks[i].channel, channel)) {
			return &list->bookmarks[i];
		}
	}
	return NULL;
}

const struct event_bookmark *event_bookmark_current(
	const struct event_bookmark_list *list)
{
	size_t i;

	for (i = 0; i < list->num_bookmarks; i++) {
		if (list->bookmarks[i].is_current) {
			return &list->bookmarks[i];
		}
	}
	return list->num_bookmarks > 0 ? &list->bookmarks[0] : NULL;
}

/* Escaped for an attribute, by way of the one function that knows how. */
static void put_attribute(struct buf *out, const char *text)
{
	struct buf utf16;
	everr_t err;

	buf_init(&utf16, out->mem_ctx, out->max);
	err = text_utf8_to_utf16(&utf16, text, strlen(text));
	if (err == EVERR_OK) {
		text_utf16_to_xml(out, utf16.data, utf16.len / 2, true);
	} else if (out->err == EVERR_OK) {
		out->err = err;
	}
	buf_free(&utf16);
}

void event_bookmark_write(struct buf *out,
			  const struct event_bookmark_list *list)
{
	size_t i;

	buf_puts(out, list->backward ? "<BookmarkList Direction='backward'>"
				     : "<BookmarkList>");
	for (i = 0; i < list->num_bookmarks; i++) {
		const struct event_bookmark *bookmark = &list->bookmarks[i];

		buf_puts(out, "\r\n  <Bookmark Channel='");
		put_attribute(out, bookmark->channel);
		buf_printf(out, "' RecordId='%llu'",
			   (unsigned long long)bookmark->record_id);
		buf_puts(out,
			 bookmark->is_current ? " IsCurrent='true'/>" : "/>");
	}
	buf_puts(out, "\r\n</BookmarkList>");
}
