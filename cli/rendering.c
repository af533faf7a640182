/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/rendering.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of an end tag with its name. */
#define END_TAG "</Event>"

static bool has_rendering(const struct cli_view *view)
{
	return json_object_get(view->json, "RenderingInfo") != NULL;
}

static const char *channel_of(const struct cli_view *view)
{
	const json_t *system = json_object_get(view->json, "System");

	return json_string_value(
		cli_view_element(json_object_get(system, "Channel")));
}

/* C0 controls but tab and line feed; U+FFFE and U+FFFF. */
static bool is_not_xml(const char *text)
{
	if (*text == '\xEF') {
		return strncmp(text, "\xEF\xBF\xBE", 3) == 0 ||
		       strncmp(text, "\xEF\xBF\xBF", 3) == 0;
	}
	return (unsigned char)*text < 0x20 && *text != '\t' && *text != '\n';
}

/* Text of an element; what XML cannot have becomes U+FFFD. */
static void put_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '\r':
			buf_puts(out, "&#13;");
			break;
		default:
			if (is_not_xml(text)) {
				buf_puts(out, "\xEF\xBF\xBD");
				text += *text == '\xEF' ? 2 : 0;
			} else {
				buf_put_u8(out, (uint8_t)*text);
			}
			break;
		}
	}
}

static void put_element(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0') {
		buf_printf(out, "<%s></%s>", name, name);
		return;
	}
	buf_printf(out, "<%s>", name);
	put_escaped(out, text);
	buf_printf(out, "</%s>", name);
}

/* The keyword behind p, and on the first call (NULL) the first one. */
static const char *next_keyword(const struct cli_said *said, const char *p)
{
	if (said->keywords_len == 0) {
		return NULL;
	}
	p = p == NULL ? said->keywords : p + strlen(p) + 1;
	return p < said->keywords + said->keywords_len && *p != '\0' ? p : NULL;
}

void rendering_put_xml(struct buf *out, const char *xml, size_t len,
		       const struct cli_view *view, const struct cli_said *said)
{
	size_t end = strlen(END_TAG);
	const char *keyword = next_keyword(said, NULL);

	if (has_rendering(view) || len < end ||
	    memcmp(xml + len - end, END_TAG, end) != 0) {
		buf_put(out, xml, len);
		return;
	}
	buf_put(out, xml, len - end);
	buf_puts(out, "<RenderingInfo Culture=''>");
	put_element(out, "Message", said->message);
	put_element(out, "Level", said->level);
	put_element(out, "Task", said->task);
	put_element(out, "Opcode", said->opcode);
	put_element(out, "Channel", channel_of(view));
	put_element(out, "Provider", said->provider);
	buf_puts(out, "<Keywords>");
	for (; keyword != NULL; keyword = next_keyword(said, keyword)) {
		put_element(out, "Keyword", keyword);
	}
	buf_puts(out, "</Keywords></RenderingInfo>" END_TAG);
}

/* A member, null where there is no text. */
static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name,
			    text != NULL && text[0] != '\0' ? json_string(text)
							    : json_null());
}

static json_t *make_object(const struct cli_view *view,
			   const struct cli_said *said)
{
	json_t *object = json_object();
	json_t *keywords = json_array();
	const char *keyword = next_keyword(said, NULL);

	set_text(object, "Message", said->message);
	set_text(object, "Level", said->level);
	set_text(object, "Task", said->task);
	set_text(object, "Opcode", said->opcode);
	set_text(object, "Channel", channel_of(view));
	set_text(object, "Provider", said->provider);
	for (; keyword != NULL; keyword = next_keyword(said, keyword)) {
		json_array_append_new(keywords, json_string(keyword));
	}
	json_object_set_new(object, "Keywords", keywords);
	return object;
}

void rendering_put_json(struct buf *out, const char *json, size_t len,
			const struct cli_view *view,
			const struct cli_said *said)
{
	json_t *object = NULL;
	char *text = NULL;

	if (has_rendering(view) || len < 3 || json[len - 1] != '}') {
		buf_put(out, json, len);
		return;
	}
	object = make_object(view, said);
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL) {
		buf_put(out, json, len);
		return;
	}
	buf_put(out, json, len - 1);
	buf_puts(out, ",\"RenderingInfo\":");
	buf_puts(out, text);
	buf_put_u8(out, '}');
	free(text);
}
