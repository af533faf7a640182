/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Attributes that a handler sees; none of the protocol's elements has more. */
#define ATTRIBUTES_SEEN 32

#define BOM "\xEF\xBB\xBF"

struct xml_parse {
	xmlParserCtxt *ctxt;
	const struct event_xml_handler *handler;
	void *private_data;
	everr_t err;
	struct event_xml_position position;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void event_xml_trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1])) {
		(*len)--;
	}
}

const struct event_xml_attribute *event_xml_attribute(
	const struct event_xml_attribute *attributes, size_t num_attributes,
	const char *name)
{
	size_t i;

	for (i = 0; i < num_attributes; i++) {
		if (strcmp(attributes[i].name, name) == 0) {
			return &attributes[i];
		}
	}
	return NULL;
}

/* End the parse; the first error counts. */
static void xml_fail(struct xml_parse *parse, everr_t err, int line, int column,
		     const char *message)
{
	struct event_xml_position *position = &parse->position;
	size_t len;

	if (parse->err != EVERR_OK) {
		return;
	}
	parse->err = err;
	position->line = line > 0 ? (uint32_t)line : 0;
	position->column = column > 0 ? (uint32_t)column : 0;
	snprintf(position->message, sizeof(position->message), "%s", message);
	len = strlen(position->message);
	while (len > 0 && is_blank(position->message[len - 1])) {
		position->message[--len] = '\0';
	}
	xmlStopParser(parse->ctxt);
}

/* The same where the parser stands now. */
static void xml_fail_here(struct xml_parse *parse, everr_t err,
			  const char *message)
{
	xml_fail(parse, err, xmlSAX2GetLineNumber(parse->ctxt),
		 xmlSAX2GetColumnNumber(parse->ctxt), message);
}

static void xml_handled(struct xml_parse *parse, everr_t err)
{
	if (err != EVERR_OK) {
		xml_fail_here(parse, err, everr_text(err));
	}
}

static void on_error(void *private_data, xmlErrorPtr error)
{
	struct xml_parse *parse = private_data;
	everr_t err = EVERR_TEXT;

	if (error->level < XML_ERR_ERROR ||
	    error->domain == XML_FROM_NAMESPACE) {
		return;
	}
	if (error->code == XML_ERR_NO_MEMORY) {
		err = EVERR_NOMEM;
	}
	xml_fail(parse, err, error->line, error->int2,
		 error->message != NULL ? error->message : "not well-formed");
}

static everr_t start_handle(struct xml_parse *parse, const char *name,
			    const char *uri,
			    const struct event_xml_attribute *attributes,
			    size_t num_attributes)
{
	const struct event_xml_handler *handler = parse->handler;
	struct event_xml_start start = {
		.name = name,
		.uri = uri,
		.attributes = attributes,
		.num_attributes = num_attributes,
	};
	int line;

	if (handler->element == NULL) {
		return handler->start(parse->private_data, name, attributes,
				      num_attributes);
	}
	line = xmlSAX2GetLineNumber(parse->ctxt);
	start.line = line > 0 ? (uint32_t)line : 0;
	return handler->element(parse->private_data, &start);
}

static void on_start(void *private_data, const xmlChar *name,
		     const xmlChar *prefix, const xmlChar *uri,
		     int num_namespaces, const xmlChar **namespaces,
		     int num_attributes, int num_defaulted,
		     const xmlChar **attributes)
{
	struct xml_parse *parse = private_data;
	struct event_xml_attribute seen[ATTRIBUTES_SEEN];
	size_t num_seen = 0;
	everr_t err;
	int i;

	/* libxml2: name, prefix, URI, start and end of the value. */
	for (i = 0; i < num_attributes && num_seen < ATTRIBUTES_SEEN; i++) {
		const xmlChar **a = attributes + 5 * i;

		seen[num_seen++] = (struct event_xml_attribute){
			.name = (const char *)a[0],
			.value = (const char *)a[3],
			.value_len = (size_t)(a[4] - a[3]),
		};
	}
	if (parse->err == EVERR_OK) {
		err = start_handle(parse, (const char *)name, (const char *)uri,
				   seen, num_seen);
		xml_handled(parse, err);
	}
}

static void on_end(void *private_data, const xmlChar *name,
		   const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_parse *parse = private_data;
	everr_t err;

	if (parse->err == EVERR_OK) {
		err = parse->handler->end(parse->private_data,
					  (const char *)name);
		xml_handled(parse, err);
	}
}

static void on_text(void *private_data, const xmlChar *text, int len)
{
	struct xml_parse *parse = private_data;
	everr_t err;

	if (parse->err == EVERR_OK) {
		err = parse->handler->text(parse->private_data,
					   (const char *)text, (size_t)len);
		xml_handled(parse, err);
	}
}

static void on_dtd(void *private_data, const xmlChar *name,
		   const xmlChar *external_id, const xmlChar *system_id)
{
	xml_fail_here(private_data, EVERR_TEXT,
		      "a document type declaration is not allowed");
}

static bool too_many_equals(const char *text, size_t len)
{
	uint32_t equals = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '<') {
			equals = 0;
		} else if (text[i] == '=' && ++equals > EVENT_XML_EQUALS_MAX) {
			return true;
		}
	}
	return false;
}

static bool too_many_namespaces(const char *text, size_t len, size_t max)
{
	static const char xmlns[] = "xmlns";
	const char *end = text + len;
	size_t n = 0;

	while (n <= max) {
		text = memmem(text, (size_t)(end - text), xmlns,
			      sizeof(xmlns) - 1);
		if (text == NULL) {
			return false;
		}
		text += sizeof(xmlns) - 1;
		n++;
	}
	return true;
}

/* What libxml2 must not be given, and the time it would take. */
static everr_t xml_check(const char *text, size_t len,
			 const struct event_xml_handler *handler)
{
	size_t max = handler->max_namespaces;

	/* The first byte also keeps libxml2 from guessing an encoding. */
	if (len == 0 || len > INT_MAX || text[0] != '<' ||
	    memchr(text, '\0', len) != NULL) {
		return EVERR_TEXT;
	}
	if (max == 0) {
		max = EVENT_XML_NAMESPACES_MAX;
	}
	if (too_many_equals(text, len) || too_many_namespaces(text, len, max)) {
		return EVERR_LIMIT;
	}
	return EVERR_OK;
}

static everr_t xml_run(const char *text, size_t len, struct xml_parse *parse)
{
	xmlSAXHandler sax = {
		.internalSubset = on_dtd,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.serror = (xmlStructuredErrorFunc)on_error,
		.initialized = XML_SAX2_MAGIC,
	};

	parse->ctxt = xmlCreateMemoryParserCtxt(text, (int)len);
	if (parse->ctxt == NULL) {
		return EVERR_NOMEM;
	}
	/* NOENT hands "&amp;" over as "&", not as "&#38;"; without a DTD there
	   are no other entities. */
	xmlCtxtUseOptions(parse->ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC |
					       XML_PARSE_NOENT);
	*parse->ctxt->sax = sax;
	parse->ctxt->userData = parse;
	xmlParseDocument(parse->ctxt);
	if (parse->ctxt->wellFormed == 0) {
		xml_fail_here(parse, EVERR_TEXT, "not well-formed");
	}
	xmlFreeParserCtxt(parse->ctxt);
	parse->ctxt = NULL;
	return parse->err;
}

everr_t event_xml_parse(const char *text, size_t len,
			const struct event_xml_handler *handler,
			void *private_data,
			struct event_xml_position *ret_position)
{
	struct xml_parse parse = {.handler = handler,
				  .private_data = private_data};
	everr_t err;

	/* A declaration must come first for libxml2; clients are not so
	   strict. */
	if (len >= 3 && memcmp(text, BOM, 3) == 0) {
		text += 3;
		len -= 3;
	}
	event_xml_trim(&text, &len);

	err = xml_check(text, len, handler);
	if (err == EVERR_OK) {
		err = xml_run(text, len, &parse);
	}
	if (err != EVERR_OK) {
		*ret_position = parse.position;
	}
	return err;
}
