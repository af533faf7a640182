/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest_parse.h"

#include "base/buf.h"
#include "event/winmeta.h"

#include <string.h>

#define EVENTS_NAMESPACE "http://schemas.microsoft.com/win/2004/08/events"

/* What a template has on the wire is a string of [MS-EVEN6] 2.2.22. */
#define TEMPLATE_XML_MAX (1024 * 1024)
/* All of one file's: escapes and namespaces make them longer than it is. */
#define TEMPLATES_TOTAL_MAX (2 * EVENT_MANIFEST_MAX)

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
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\t':
		case '\n':
		case '\r':
			buf_printf(out, "&#%d;", *text);
			break;
		default:
			buf_put_u8(out, (uint8_t)*text);
			break;
		}
	}
}

static void put_attribute(struct buf *out, const char *name, const char *value)
{
	if (value == NULL) {
		return;
	}
	buf_printf(out, " %s=\"", name);
	put_escaped(out, value);
	buf_puts(out, "\"");
}

/* An element as it stood, with the namespace it does not share with parent. */
static void put_element(struct buf *out, const struct manifest_element *element,
			const struct manifest_element *parent)
{
	const struct manifest_element *child = NULL;
	size_t i;

	buf_printf(out, "<%s", element->name);
	if (strcmp(element->uri, parent->uri) != 0) {
		put_attribute(out, "xmlns", element->uri);
	}
	for (i = 0; i < element->num_attributes; i++) {
		put_attribute(out, element->attributes[i].name,
			      element->attributes[i].value);
	}
	buf_puts(out, ">");
	put_escaped(out, element->text);
	for (child = element->child; child != NULL; child = child->next) {
		put_element(out, child, element);
	}
	buf_printf(out, "</%s>", element->name);
}

/* What was written, for good. */
static everr_t keep_text(struct manifest_parse *parse,
			 const struct manifest_element *element,
			 struct buf *text, const char **ret_text)
{
	const char *kept = NULL;
	everr_t err;

	buf_put_u8(text, 0);
	err = buf_error(text);
	parse->template_bytes += text->len;
	if (err == EVERR_LIMIT || parse->template_bytes > TEMPLATES_TOTAL_MAX) {
		return manifest_refuse(parse, element,
				       "the templates are too long");
	}
	if (err != EVERR_OK) {
		return err;
	}
	kept = talloc_memdup(parse->manifest, text->data, text->len);
	buf_free(text);
	if (kept == NULL) {
		return EVERR_NOMEM;
	}
	*ret_text = kept;
	return EVERR_OK;
}

/* ----------------------------------------------------------------- data */

static everr_t check_map(struct manifest_parse *parse,
			 const struct manifest_element *element,
			 const char *map)
{
	size_t at = 0;

	if (map != NULL && !manifest_index_find(&parse->maps, map, 0, &at)) {
		return manifest_refuse(parse, element, "no map %s in <maps>",
				       map);
	}
	return EVERR_OK;
}

static everr_t read_data(struct manifest_parse *parse,
			 const struct manifest_element *element,
			 struct event_manifest_field *field)
{
	const struct winmeta_type *type = NULL;
	everr_t err;

	err = manifest_required(parse, element, "name", &field->name);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_required(parse, element, "inType", &field->in_type);
	if (err != EVERR_OK) {
		return err;
	}
	type = winmeta_in_type(field->in_type);
	if (type == NULL) {
		return manifest_refuse(parse, element,
				       "inType=\"%s\" of %s is not known",
				       field->in_type, field->name);
	}
	field->type = type->type;
	field->out_type = manifest_attribute(element, "outType");
	if (field->out_type == NULL) {
		field->out_type = type->out_type;
	}
	field->length = manifest_attribute(element, "length");
	field->count = manifest_attribute(element, "count");
	if (field->count != NULL && strcmp(field->count, "1") != 0) {
		if (field->type == EVENT_TYPE_BINARY) {
			return manifest_refuse(parse, element,
					       "%s is an array of binary data, "
					       "which no event can have",
					       field->name);
		}
		field->type |= EVENT_TYPE_ARRAY;
	}
	field->map = manifest_attribute(element, "map");
	return check_map(parse, element, field->map);
}

static everr_t read_fields(struct manifest_parse *parse,
			   const struct manifest_element *element,
			   struct event_manifest_template *tmpl)
{
	const struct manifest_element *item = NULL;
	struct event_manifest_field *fields = NULL;
	size_t num = manifest_count(element, "data");
	size_t n = 0;
	everr_t err;

	item = manifest_child(element, "struct");
	if (item != NULL) {
		return manifest_refuse(parse, item,
				       "<struct> in a template is not "
				       "supported");
	}
	if (num > EVENT_MANIFEST_FIELDS_MAX) {
		return manifest_refuse(parse, element,
				       "a template with more than %d <data>",
				       EVENT_MANIFEST_FIELDS_MAX);
	}
	fields = talloc_zero_array(parse->manifest, struct event_manifest_field,
				   num);
	if (fields == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(element, "data"); item != NULL;
	     item = manifest_next(item)) {
		err = read_data(parse, item, &fields[n++]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	tmpl->fields = fields;
	tmpl->num_fields = num;
	return EVERR_OK;
}

static void put_fields(struct buf *out,
		       const struct event_manifest_template *tmpl)
{
	size_t i;

	for (i = 0; i < tmpl->num_fields; i++) {
		const struct event_manifest_field *field = &tmpl->fields[i];

		buf_puts(out, "  <data");
		put_attribute(out, "name", field->name);
		put_attribute(out, "inType", field->in_type);
		put_attribute(out, "outType", field->out_type);
		put_attribute(out, "map", field->map);
		put_attribute(out, "length", field->length);
		put_attribute(out, "count", field->count);
		buf_puts(out, "/>\n");
	}
}

/* ------------------------------------------------------------- UserData */

/* Each %n must be one of the template's <data>. */
static everr_t check_references(struct manifest_parse *parse,
				const struct manifest_element *element,
				const char *text, size_t num_fields)
{
	while ((text = strchr(text, '%')) != NULL) {
		size_t n = 0;

		for (text++; *text >= '0' && *text <= '9' && n <= num_fields;
		     text++) {
			n = 10 * n + (size_t)(*text - '0');
		}
		if (n == 0 || n > num_fields) {
			return manifest_refuse(parse, element,
					       "<%s> refers to a <data> that "
					       "its template does not have",
					       element->name);
		}
	}
	return EVERR_OK;
}

/* The tree is at most EVENT_MANIFEST_DEPTH_MAX deep. */
static everr_t check_user_data(struct manifest_parse *parse,
			       const struct manifest_element *element,
			       size_t num_fields)
{
	const struct manifest_element *child = NULL;
	everr_t err;
	size_t i;

	err = check_references(parse, element, element->text, num_fields);
	for (i = 0; i < element->num_attributes && err == EVERR_OK; i++) {
		err = check_references(parse, element,
				       element->attributes[i].value,
				       num_fields);
	}
	for (child = element->child; child != NULL && err == EVERR_OK;
	     child = child->next) {
		err = check_user_data(parse, child, num_fields);
	}
	return err;
}

static everr_t read_user_data(struct manifest_parse *parse,
			      const struct manifest_element *element,
			      struct event_manifest_template *tmpl)
{
	const struct manifest_element *user = NULL;
	struct buf text;
	everr_t err;

	err = manifest_list(parse, element, "UserData", &user);
	if (err != EVERR_OK || user == NULL) {
		return err;
	}
	if (user->child == NULL || user->child->next != NULL) {
		return manifest_refuse(parse, user,
				       "<UserData> has not exactly one "
				       "element");
	}
	err = check_user_data(parse, user->child, tmpl->num_fields);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&text, parse->tmp_ctx, TEMPLATE_XML_MAX);
	put_element(&text, user->child, user);
	return keep_text(parse, user, &text, &tmpl->user_data);
}

/* ------------------------------------------------------------ templates */

static everr_t read_template(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     struct event_manifest_template *tmpl)
{
	struct buf text;
	everr_t err;

	err = manifest_required(parse, element, "tid", &tmpl->id);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_fields(parse, element, tmpl);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_user_data(parse, element, tmpl);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&text, parse->tmp_ctx, TEMPLATE_XML_MAX);
	buf_puts(&text, "<template xmlns=\"" EVENTS_NAMESPACE "\">\n");
	put_fields(&text, tmpl);
	if (tmpl->user_data != NULL) {
		buf_printf(&text, "  <UserData>%s</UserData>\n",
			   tmpl->user_data);
	}
	buf_puts(&text, "</template>");
	return keep_text(parse, element, &text, &tmpl->xml);
}

everr_t manifest_read_templates(struct manifest_parse *parse,
				const struct manifest_element *provider)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	const char *twice = NULL;
	everr_t err;

	err = manifest_list(parse, provider, "templates", &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	publisher->templates = talloc_zero_array(
		parse->manifest, struct event_manifest_template,
		manifest_count(list, "template"));
	if (publisher->templates == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(list, "template"); item != NULL;
	     item = manifest_next(item)) {
		size_t at = publisher->num_templates++;

		err = read_template(parse, item, &publisher->templates[at]);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_index_add(parse, &parse->templates,
					 publisher->templates[at].id, 0, at);
		if (err != EVERR_OK) {
			return err;
		}
	}
	twice = manifest_index_sort(&parse->templates);
	if (twice != NULL) {
		return manifest_refuse(parse, list,
				       "the template %s is there "
				       "twice",
				       twice);
	}
	return EVERR_OK;
}
