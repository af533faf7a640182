/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_metadata.h"

#include "base/text.h"
#include "soap/node.h"

#include <libxml/xmlreader.h>
#include <string.h>
#include <strings.h>

#define PATH_MAX_LEN 8192
#define TITLE_MAX 1024

/* ---------------------------------------------------------------------- text */

static const uint8_t *find(const uint8_t *data, size_t len, const char *what)
{
	return memmem(data, len, what, strlen(what));
}

/* An encoding that the declaration names, other than what the text is in. */
static bool declared_otherwise(const uint8_t *data, size_t len)
{
	const uint8_t *at = find(data, len, "encoding");
	size_t left;

	if (at == NULL) {
		return false;
	}
	at += strlen("encoding");
	left = len - (size_t)(at - data);
	while (left > 0 && strchr(" \t\r\n='\"", *at) != NULL && *at != 0) {
		at++;
		left--;
	}
	return !(left >= 5 && strncasecmp((const char *)at, "utf-8", 5) == 0) &&
	       !(left >= 6 && strncasecmp((const char *)at, "utf-16", 6) == 0);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without what does not belong to the element. */
static everr_t trim(struct buf *out, const uint8_t *data, size_t len)
{
	const uint8_t *end = NULL;

	while (len > 0 && is_space(*data)) {
		data++;
		len--;
	}
	if (len > 5 && memcmp(data, "<?xml", 5) == 0 && is_space(data[5])) {
		end = find(data, len, "?>");
		if (end == NULL ||
		    declared_otherwise(data, (size_t)(end - data))) {
			return EVERR_TEXT;
		}
		len -= (size_t)(end + 2 - data);
		data = end + 2;
	}
	while (len > 0 && is_space(*data)) {
		data++;
		len--;
	}
	while (len > 0 && is_space(data[len - 1])) {
		len--;
	}
	buf_put(out, data, len);
	return buf_error(out);
}

static everr_t text_from_utf16(const uint8_t *data, size_t len, struct buf *out)
{
	struct buf utf8;
	everr_t err;

	buf_init(&utf8, out->mem_ctx, 3 * len / 2 + 1);
	text_utf16_to_utf8(&utf8, data + 2, (len - 2) / 2);
	err = buf_error(&utf8);
	if (err == EVERR_OK) {
		err = trim(out, utf8.data, utf8.len);
	}
	buf_free(&utf8);
	return err;
}

everr_t wsus_metadata_text(const uint8_t *data, size_t len, struct buf *out)
{
	if (len >= 2 && data[0] == 0xFF && data[1] == 0xFE) {
		return len % 2 == 0 ? text_from_utf16(data, len, out)
				    : EVERR_TEXT;
	}
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
		data += 3;
		len -= 3;
	}
	if (!text_utf8_valid((const char *)data, len)) {
		return EVERR_TEXT;
	}
	return trim(out, data, len);
}

/* -------------------------------------------------------------------- reading */

struct reading {
	TALLOC_CTX *mem_ctx;
	xmlTextReaderPtr reader;
	struct wsus_update *update;
	struct buf path; /* "/Update/Properties" */
	struct buf text; /* of a title or language */
	char *default_language;
	char *language; /* of the LocalizedProperties being read */
	char *message;
	bool has_identity;
	bool has_properties;
	bool in_category; /* inside AtLeastOne[@IsCategory] */
	bool nomem;
};

static everr_t wrong(struct reading *reading, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static everr_t wrong(struct reading *reading, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (reading->message != NULL) {
		return EVERR_CONFIG;
	}
	va_start(ap, fmt);
	text = talloc_vasprintf(reading->mem_ctx, fmt, ap);
	va_end(ap);
	reading->message = talloc_asprintf(
		reading->mem_ctx, "%d: %s",
		xmlTextReaderGetParserLineNumber(reading->reader),
		text != NULL ? text : "out of memory");
	talloc_free(text);
	return EVERR_CONFIG;
}

static void on_xml_error(void *arg, xmlErrorPtr error)
{
	struct reading *reading = arg;
	size_t len = error->message != NULL ? strlen(error->message) : 0;

	/* That a namespace is a relative URI, for one. */
	if (error->level == XML_ERR_WARNING) {
		return;
	}
	while (len > 0 && error->message[len - 1] == '\n') {
		len--;
	}
	if (reading->message == NULL) {
		reading->message =
			talloc_asprintf(reading->mem_ctx, "%d: %.*s",
					error->line, (int)len, error->message);
	}
}

static bool at(const struct reading *reading, const char *path)
{
	return strlen(path) == reading->path.len &&
	       memcmp(path, reading->path.data, reading->path.len) == 0;
}

/* An attribute, a child of mem_ctx; NULL: there is none. */
static char *attribute(struct reading *reading, const char *name)
{
	xmlChar *value = xmlTextReaderGetAttribute(reading->reader,
						   (const xmlChar *)name);
	char *copy = NULL;

	if (value != NULL) {
		copy = talloc_strdup(reading->mem_ctx, (const char *)value);
		reading->nomem = reading->nomem || copy == NULL;
		xmlFree(value);
	}
	return copy;
}

static everr_t read_guid(struct reading *reading, const char *name,
			 struct ev_guid *ret_guid)
{
	char *text = attribute(reading, name);
	everr_t err;

	err = soap_get_guid(text, ret_guid);
	if (err != EVERR_OK) {
		err = wrong(reading, "%s is not a guid", name);
	}
	talloc_free(text);
	return err;
}

/* /Update/UpdateIdentity */
static everr_t read_identity(struct reading *reading)
{
	char *text = attribute(reading, "RevisionNumber");
	int64_t revision = 0;
	everr_t err;

	err = soap_get_int(text, 0, INT32_MAX, &revision);
	talloc_free(text);
	if (err != EVERR_OK) {
		return wrong(reading, "RevisionNumber is not a number");
	}
	reading->has_identity = true;
	reading->update->revision = (int32_t)revision;
	return read_guid(reading, "UpdateID", &reading->update->id);
}

/* /Update/Properties: what is neither category nor detectoid is an update. */
static everr_t read_properties(struct reading *reading)
{
	char *type = attribute(reading, "UpdateType");
	enum wsus_kind kind = WSUS_UPDATE;

	if (type == NULL) {
		return wrong(reading, "Properties has no UpdateType");
	}
	if (strcmp(type, "Category") == 0) {
		kind = WSUS_CATEGORY;
	} else if (strcmp(type, "Detectoid") == 0) {
		kind = WSUS_DETECTOID;
	}
	talloc_free(type);
	reading->update->kind = kind;
	reading->has_properties = true;
	reading->default_language =
		attribute(reading, "DefaultPropertiesLanguage");
	return EVERR_OK;
}

/* /Update/HandlerSpecificData/CategoryInformation */
static everr_t read_category_type(struct reading *reading)
{
	char *type = attribute(reading, "CategoryType");

	if (type != NULL && reading->update->kind == WSUS_CATEGORY &&
	    strcmp(type, "UpdateClassification") == 0) {
		reading->update->kind = WSUS_CLASSIFICATION;
	}
	talloc_free(type);
	return EVERR_OK;
}

/* A prerequisite that is a category. */
static everr_t read_category(struct reading *reading)
{
	struct wsus_update *update = reading->update;
	struct ev_guid *categories = NULL;
	struct ev_guid id;
	everr_t err;

	err = read_guid(reading, "UpdateID", &id);
	if (err != EVERR_OK) {
		return err;
	}
	if (update->num_categories == WSUS_CATEGORIES_MAX) {
		return wrong(reading, "it is in more than %d categories",
			     WSUS_CATEGORIES_MAX);
	}
	categories = talloc_realloc(reading->mem_ctx, update->categories,
				    struct ev_guid, update->num_categories + 1);
	if (categories == NULL) {
		reading->nomem = true;
		return EVERR_NOMEM;
	}
	categories[update->num_categories++] = id;
	update->categories = categories;
	return EVERR_OK;
}

/* /Update/Files/File */
static everr_t read_file(struct reading *reading)
{
	struct wsus_update *update = reading->update;
	char *text = attribute(reading, "Digest");
	struct wsus_file *files = NULL;
	struct buf digest;
	everr_t err;

	if (update->num_files == WSUS_FILES_MAX) {
		return wrong(reading, "it has more than %d files",
			     WSUS_FILES_MAX);
	}
	files = talloc_realloc(reading->mem_ctx, update->files,
			       struct wsus_file, update->num_files + 1);
	if (files == NULL) {
		reading->nomem = true;
		return EVERR_NOMEM;
	}
	update->files = files;
	buf_init(&digest, reading->mem_ctx, WSUS_DIGEST_ROOM);
	err = soap_get_base64(text, &digest);
	if (err != EVERR_OK || digest.len != WSUS_DIGEST_LEN) {
		buf_free(&digest);
		return wrong(reading, "a file's Digest is not the base64 text "
				      "of a SHA-1 digest");
	}
	files[update->num_files] = (struct wsus_file){};
	memcpy(files[update->num_files].digest, digest.data, digest.len);
	update->num_files++;
	buf_free(&digest);
	talloc_free(text);
	return EVERR_OK;
}

static bool is_category_group(struct reading *reading)
{
	char *text = attribute(reading, "IsCategory");
	bool value = false;
	everr_t err;

	err = soap_get_bool(text, &value);
	talloc_free(text);
	return err == EVERR_OK && value;
}

#define PREREQUISITES "/Update/Relationships/Prerequisites"
#define LOCALIZED "/Update/LocalizedPropertiesCollection/LocalizedProperties"

static everr_t element_begins(struct reading *reading)
{
	if (at(reading, "/Update/UpdateIdentity")) {
		return read_identity(reading);
	}
	if (at(reading, "/Update/Properties")) {
		return read_properties(reading);
	}
	if (at(reading, "/Update/HandlerSpecificData/CategoryInformation")) {
		return read_category_type(reading);
	}
	if (at(reading, PREREQUISITES "/AtLeastOne")) {
		reading->in_category = is_category_group(reading);
		return EVERR_OK;
	}
	/* A category is in those that it needs, grouped or not. */
	if ((at(reading, PREREQUISITES "/AtLeastOne/UpdateIdentity") &&
	     reading->in_category) ||
	    (at(reading, PREREQUISITES "/UpdateIdentity") &&
	     reading->update->kind == WSUS_CATEGORY)) {
		return read_category(reading);
	}
	if (at(reading, "/Update/Files/File")) {
		return read_file(reading);
	}
	buf_reset(&reading->text);
	return EVERR_OK;
}

static char *take_text(struct reading *reading)
{
	char *text = talloc_strndup(reading->mem_ctx,
				    (const char *)reading->text.data,
				    reading->text.len);

	reading->nomem = reading->nomem || text == NULL;
	return text;
}

/* The first title, or that in the default language. */
static void read_title(struct reading *reading)
{
	bool is_default =
		reading->language != NULL &&
		reading->default_language != NULL &&
		strcasecmp(reading->language, reading->default_language) == 0;

	if (reading->update->title == NULL || is_default) {
		reading->update->title = take_text(reading);
	}
}

static void element_ends(struct reading *reading)
{
	if (at(reading, LOCALIZED "/Language")) {
		talloc_free(reading->language);
		reading->language = take_text(reading);
		reading->update->languages++;
	} else if (at(reading, LOCALIZED "/Title")) {
		read_title(reading);
	}
}

static void path_pop(struct buf *path)
{
	while (path->len > 0 && path->data[path->len - 1] != '/') {
		path->len--;
	}
	if (path->len > 0) {
		path->len--;
	}
}

static everr_t read_element(struct reading *reading)
{
	const xmlChar *name = xmlTextReaderConstLocalName(reading->reader);
	bool is_empty = xmlTextReaderIsEmptyElement(reading->reader) == 1;
	everr_t err;

	buf_put_u8(&reading->path, '/');
	buf_puts(&reading->path, (const char *)name);
	if (buf_error(&reading->path) != EVERR_OK) {
		return wrong(reading, "elements are nested too deeply");
	}
	err = element_begins(reading);
	if (is_empty) {
		element_ends(reading);
		path_pop(&reading->path);
	}
	return err;
}

/* Too long a title is cut; nothing but a person reads it. */
static void read_text(struct reading *reading)
{
	const char *text =
		(const char *)xmlTextReaderConstValue(reading->reader);

	if (text != NULL &&
	    reading->text.len + strlen(text) <= reading->text.max) {
		buf_puts(&reading->text, text);
	}
}

static everr_t read_node(struct reading *reading)
{
	switch (xmlTextReaderNodeType(reading->reader)) {
	case XML_READER_TYPE_DOCUMENT_TYPE:
		return wrong(reading, "a DOCTYPE is not allowed");
	case XML_READER_TYPE_ELEMENT:
		return read_element(reading);
	case XML_READER_TYPE_END_ELEMENT:
		element_ends(reading);
		path_pop(&reading->path);
		return EVERR_OK;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
		read_text(reading);
		return EVERR_OK;
	default:
		return EVERR_OK;
	}
}

static everr_t read_all(struct reading *reading)
{
	everr_t err = EVERR_OK;
	int rc = 1;

	while (rc == 1 && err == EVERR_OK && !reading->nomem) {
		rc = xmlTextReaderRead(reading->reader);
		if (rc == 1) {
			err = read_node(reading);
		}
	}
	if (reading->nomem) {
		return EVERR_NOMEM;
	}
	/* Of a prefix that is not bound there is a message only. */
	if (rc < 0 || (err == EVERR_OK && reading->message != NULL)) {
		return wrong(reading, "it is not well-formed");
	}
	if (err == EVERR_OK && !reading->has_identity) {
		return wrong(reading, "there is no Update/UpdateIdentity: it "
				      "is not an update's metadata");
	}
	if (err == EVERR_OK && !reading->has_properties) {
		return wrong(reading, "there is no Update/Properties");
	}
	return err;
}

everr_t wsus_metadata_read(TALLOC_CTX *mem_ctx, const uint8_t *xml, size_t len,
			   struct wsus_update *update, char **ret_message)
{
	struct reading reading = {.mem_ctx = mem_ctx, .update = update};
	everr_t err;

	reading.reader = xmlReaderForMemory(
		(const char *)xml, (int)len, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (reading.reader == NULL) {
		return EVERR_NOMEM;
	}
	xmlTextReaderSetStructuredErrorHandler(reading.reader, on_xml_error,
					       &reading);
	buf_init(&reading.path, mem_ctx, PATH_MAX_LEN);
	buf_init(&reading.text, mem_ctx, TITLE_MAX);
	err = read_all(&reading);
	xmlFreeTextReader(reading.reader);
	buf_free(&reading.path);
	buf_free(&reading.text);
	talloc_free(reading.language);
	talloc_free(reading.default_language);
	if (err == EVERR_OK && update->title == NULL) {
		update->title = "";
	}
	if (err == EVERR_CONFIG) {
		*ret_message = reading.message;
	}
	return err;
}
