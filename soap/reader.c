/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/reader.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What libxml2 is given at a time. */
#define READER_PIECE (8 * 1024)

#define XSI_NS "http://www.w3.org/2001/XMLSchema-instance"

enum reader_encoding {
	READER_UTF8,
	READER_UTF16LE,
	READER_UTF16BE
};

struct soap_reader {
	xmlParserCtxt *ctxt;
	const struct soap_reader_handler *handler;
	void *private_data;
	everr_t err;
	char problem[200];

	/* Elements that are open, and the namespaces that each declares. */
	size_t depth;
	size_t num_namespaces;
	uint8_t namespaces[SOAP_READER_DEPTH_MAX];

	enum reader_encoding encoding;
	bool encoding_known;
	uint8_t first; /* kept until the second byte tells the encoding */
	bool has_first;
	uint8_t half; /* of a UTF-16 unit */
	bool has_half;
	uint16_t high; /* a surrogate that waits for its other; 0: none */

	bool begun; /* the document's first '<' was there */
	/* UTF-8 for libxml2; a character is never split. */
	uint8_t piece[READER_PIECE + 4];
	size_t len;
};

/* ---------------------------------------------------------- its errors */

/* End the reading; the first error counts. */
static void reader_fail(struct soap_reader *reader, everr_t err,
			const char *problem)
{
	int line = 0;
	size_t len;

	if (reader->err != EVERR_OK) {
		return;
	}
	reader->err = err;
	if (reader->ctxt->input != NULL) {
		line = reader->ctxt->input->line;
	}
	len = strcspn(problem, "\r\n");
	snprintf(reader->problem, sizeof(reader->problem), "line %d: %.*s",
		 line, (int)len, problem);
	xmlStopParser(reader->ctxt);
}

static void on_error(void *private_data, xmlErrorPtr error)
{
	struct soap_reader *reader = private_data;
	everr_t err = EVERR_TEXT;

	if (error->level < XML_ERR_ERROR) {
		return;
	}
	if (error->code == XML_ERR_NO_MEMORY) {
		err = EVERR_NOMEM;
	}
	reader_fail(reader, err,
		    error->message != NULL ? error->message
					   : "not well-formed");
}

const char *soap_reader_problem(const struct soap_reader *reader)
{
	return reader->problem;
}

/* ------------------------------------------------------------- events */

static const char *text_or_empty(const xmlChar *text)
{
	return text != NULL ? (const char *)text : "";
}

/* The element's limits; libxml2 has compared its attributes by now. */
static bool start_allowed(struct soap_reader *reader, const xmlChar *name,
			  size_t num_namespaces, size_t num_attributes)
{
	if (reader->depth == SOAP_READER_DEPTH_MAX) {
		reader_fail(reader, EVERR_LIMIT,
			    "elements are nested too deeply");
		return false;
	}
	if (num_namespaces + num_attributes > SOAP_READER_ATTRIBUTES_MAX) {
		reader_fail(reader, EVERR_LIMIT,
			    "an element has too many attributes");
		return false;
	}
	if (reader->num_namespaces + num_namespaces >
	    SOAP_READER_NAMESPACES_MAX) {
		reader_fail(reader, EVERR_LIMIT,
			    "too many namespaces are declared");
		return false;
	}
	if (strnlen((const char *)name, SOAP_READER_NAME_MAX + 1) >
	    SOAP_READER_NAME_MAX) {
		reader_fail(reader, EVERR_LIMIT, "a name is too long");
		return false;
	}
	return true;
}

static void on_start(void *private_data, const xmlChar *name,
		     const xmlChar *prefix, const xmlChar *uri,
		     int num_namespaces, const xmlChar **namespaces,
		     int num_attributes, int num_defaulted,
		     const xmlChar **attributes)
{
	struct soap_reader *reader = private_data;
	struct soap_reader_attribute seen[SOAP_READER_ATTRIBUTES_MAX];
	struct soap_reader_element element = {
		.name = (const char *)name,
		.ns = text_or_empty(uri),
		.attributes = seen,
		.num_attributes = (size_t)num_attributes,
	};
	everr_t err;
	size_t i;

	if (reader->err != EVERR_OK ||
	    !start_allowed(reader, name, (size_t)num_namespaces,
			   (size_t)num_attributes)) {
		return;
	}
	/* libxml2: name, prefix, URI, start and end of the value. */
	for (i = 0; i < element.num_attributes; i++) {
		const xmlChar **a = attributes + 5 * i;

		seen[i] = (struct soap_reader_attribute){
			.name = (const char *)a[0],
			.ns = text_or_empty(a[2]),
			.value = (const char *)a[3],
			.len = (size_t)(a[4] - a[3]),
		};
	}
	reader->namespaces[reader->depth++] = (uint8_t)num_namespaces;
	reader->num_namespaces += (size_t)num_namespaces;
	err = reader->handler->start(reader->private_data, &element);
	if (err != EVERR_OK) {
		reader_fail(reader, err, everr_text(err));
	}
}

static void on_end(void *private_data, const xmlChar *name,
		   const xmlChar *prefix, const xmlChar *uri)
{
	struct soap_reader *reader = private_data;
	everr_t err;

	if (reader->err != EVERR_OK || reader->depth == 0) {
		return;
	}
	reader->num_namespaces -= reader->namespaces[--reader->depth];
	err = reader->handler->end(reader->private_data);
	if (err != EVERR_OK) {
		reader_fail(reader, err, everr_text(err));
	}
}

static void on_text(void *private_data, const xmlChar *text, int len)
{
	struct soap_reader *reader = private_data;
	everr_t err;

	if (reader->err != EVERR_OK) {
		return;
	}
	err = reader->handler->text(reader->private_data, (const char *)text,
				    (size_t)len);
	if (err != EVERR_OK) {
		reader_fail(reader, err, everr_text(err));
	}
}

static void on_dtd(void *private_data, const xmlChar *name,
		   const xmlChar *external_id, const xmlChar *system_id)
{
	reader_fail(private_data, EVERR_TEXT,
		    "a document type declaration is not allowed");
}

bool soap_reader_is_nil(const struct soap_reader_element *element)
{
	size_t i;

	for (i = 0; i < element->num_attributes; i++) {
		const struct soap_reader_attribute *a = &element->attributes[i];

		if (strcmp(a->name, "nil") == 0 && strcmp(a->ns, XSI_NS) == 0) {
			return (a->len == 4 &&
				memcmp(a->value, "true", 4) == 0) ||
			       (a->len == 1 && a->value[0] == '1');
		}
	}
	return false;
}

/* ------------------------------------------------------------ a reader */

static int reader_destructor(struct soap_reader *reader)
{
	xmlFreeParserCtxt(reader->ctxt);
	return 0;
}

everr_t soap_reader_create(TALLOC_CTX *mem_ctx,
			   const struct soap_reader_handler *handler,
			   void *private_data, struct soap_reader **ret_reader)
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
	struct soap_reader *reader = NULL;

	reader = talloc(mem_ctx, struct soap_reader);
	if (reader == NULL) {
		return EVERR_NOMEM;
	}
	memset(reader, 0, offsetof(struct soap_reader, piece));
	reader->len = 0;
	reader->handler = handler;
	reader->private_data = private_data;
	reader->ctxt = xmlCreatePushParserCtxt(&sax, reader, NULL, 0, NULL);
	if (reader->ctxt == NULL) {
		TALLOC_FREE(reader);
		return EVERR_NOMEM;
	}
	talloc_set_destructor(reader, reader_destructor);
	/* NOENT hands "&amp;" over as "&", not as "&#38;"; without a DTD there
	   are no other entities. */
	xmlCtxtUseOptions(reader->ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC |
						XML_PARSE_NOENT);
	*ret_reader = reader;
	return EVERR_OK;
}

/* ------------------------------------------------- pieces for libxml2 */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * How much of the piece is whole characters.  What is not UTF-8 at all counts
 * as whole: libxml2 refuses it.
 */
static size_t whole_characters(const uint8_t *piece, size_t len)
{
	size_t back = 1;

	while (back <= 3 && back <= len) {
		uint8_t c = piece[len - back];

		if (c >= 0xC0) {
			size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

			return need > back ? len - back : len;
		}
		if (c < 0x80) {
			return len;
		}
		back++;
	}
	return len;
}

static void piece_drop(struct soap_reader *reader, size_t n)
{
	reader->len -= n;
	memmove(reader->piece, reader->piece + n, reader->len);
}

/* The value of the declaration's pseudo-attribute "encoding", or NULL. */
static const char *declared_encoding(const uint8_t *piece, size_t len,
				     size_t *ret_len)
{
	const uint8_t *end = NULL;
	const uint8_t *p = NULL;
	const uint8_t *quote = NULL;

	if (len < 6 || memcmp(piece, "<?xml", 5) != 0 || !is_blank(piece[5])) {
		return NULL;
	}
	end = memmem(piece, len, "?>", 2);
	if (end == NULL) {
		return NULL;
	}
	p = memmem(piece, (size_t)(end - piece), "encoding", 8);
	if (p == NULL) {
		return NULL;
	}
	for (p += 8; p < end && (is_blank(*p) || *p == '='); p++) {
	}
	if (p == end || (*p != '"' && *p != '\'')) {
		return NULL;
	}
	quote = memchr(p + 1, *p, (size_t)(end - p - 1));
	if (quote == NULL) {
		return NULL;
	}
	*ret_len = (size_t)(quote - p - 1);
	return (const char *)p + 1;
}

bool soap_reader_knows(const char *encoding, size_t len)
{
	static const char *const known[] = {"utf-8",	"utf8",	    "utf-16",
					    "utf-16le", "utf-16be", "us-ascii"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i]) == len &&
		    strncasecmp(known[i], encoding, len) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * What may stand in front of the document, and how it begins: a first byte
 * other than '<' would make libxml2 guess an encoding.
 */
static void document_begin(struct soap_reader *reader)
{
	const char *name = NULL;
	size_t len = 0;
	size_t n = 0;

	if (reader->len >= 3 && memcmp(reader->piece, "\xEF\xBB\xBF", 3) == 0) {
		n = 3;
	}
	while (n < reader->len && is_blank(reader->piece[n])) {
		n++;
	}
	piece_drop(reader, n);
	if (reader->len == 0) {
		return;
	}
	if (reader->piece[0] != '<') {
		reader_fail(reader, EVERR_TEXT, "this is not XML");
		return;
	}
	name = declared_encoding(reader->piece, reader->len, &len);
	if (name != NULL && !soap_reader_knows(name, len)) {
		reader_fail(reader, EVERR_TEXT,
			    "the encoding is not supported");
		return;
	}
	reader->begun = true;
}

/*
 * libxml2 looks again at all of a token whose end is not there each time it is
 * given more, and compares each attribute with each other one: no token may be
 * long.  It keeps each different name to the end.
 */
static void check_limits(struct soap_reader *reader)
{
	const xmlParserCtxt *ctxt = reader->ctxt;
	size_t waiting = (size_t)(ctxt->input->end - ctxt->input->cur);
	size_t max = SOAP_READER_TAG_MAX;

	if (ctxt->instate == XML_PARSER_CDATA_SECTION) {
		max = SOAP_READER_CDATA_MAX;
	}
	if (waiting > max) {
		reader_fail(reader, EVERR_LIMIT,
			    "a tag, comment or CDATA section is too long");
	}
	if (xmlDictGetUsage(ctxt->dict) > SOAP_READER_NAMES_MAX) {
		reader_fail(reader, EVERR_LIMIT, "too many different names");
	}
}

/* Hand over what is there. */
static void reader_parse(struct soap_reader *reader)
{
	size_t len;
	int rc;

	if (!reader->begun) {
		document_begin(reader);
	}
	len = whole_characters(reader->piece, reader->len);
	if (reader->err != EVERR_OK || len == 0) {
		return;
	}
	if (memchr(reader->piece, '\0', len) != NULL) {
		reader_fail(reader, EVERR_TEXT, "a NUL is no character of XML");
		return;
	}
	rc = xmlParseChunk(reader->ctxt, (const char *)reader->piece, (int)len,
			   0);
	if (reader->err != EVERR_OK) {
		return;
	}
	if (rc != 0 || reader->ctxt->wellFormed == 0) {
		reader_fail(reader, EVERR_TEXT, "not well-formed");
		return;
	}
	check_limits(reader);
	piece_drop(reader, len);
}

/* ------------------------------------------------------------ encodings */

static void feed_utf8(struct soap_reader *reader, const uint8_t *data,
		      size_t len)
{
	while (len > 0 && reader->err == EVERR_OK) {
		size_t n = READER_PIECE - reader->len;

		n = n < len ? n : len;
		memcpy(reader->piece + reader->len, data, n);
		reader->len += n;
		data += n;
		len -= n;
		if (reader->len == READER_PIECE) {
			reader_parse(reader);
		}
	}
}

static void put_character(struct soap_reader *reader, uint32_t c)
{
	uint8_t *p = reader->piece + reader->len;

	if (c < 0x80) {
		p[0] = (uint8_t)c;
		reader->len += 1;
	} else if (c < 0x800) {
		p[0] = (uint8_t)(0xC0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3F));
		reader->len += 2;
	} else if (c < 0x10000) {
		p[0] = (uint8_t)(0xE0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c & 0x3F));
		reader->len += 3;
	} else {
		p[0] = (uint8_t)(0xF0 | c >> 18);
		p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[3] = (uint8_t)(0x80 | (c & 0x3F));
		reader->len += 4;
	}
	if (reader->len >= READER_PIECE) {
		reader_parse(reader);
	}
}

static void put_unit(struct soap_reader *reader, uint16_t unit)
{
	bool high = (unit & 0xFC00) == 0xD800;
	bool low = (unit & 0xFC00) == 0xDC00;

	/* A low surrogate follows a high one, and nothing else does. */
	if (low != (reader->high != 0)) {
		reader_fail(reader, EVERR_TEXT, "this is not UTF-16");
		return;
	}
	if (high) {
		reader->high = unit;
		return;
	}
	if (low) {
		uint32_t c = 0x10000U + ((reader->high & 0x3FFU) << 10) +
			     (unit & 0x3FFU);

		reader->high = 0;
		put_character(reader, c);
		return;
	}
	put_character(reader, unit);
}

static void feed_utf16(struct soap_reader *reader, const uint8_t *data,
		       size_t len)
{
	bool little = reader->encoding == READER_UTF16LE;
	size_t i;

	for (i = 0; i < len && reader->err == EVERR_OK; i++) {
		uint8_t a = reader->half;
		uint8_t b = data[i];

		if (!reader->has_half) {
			reader->half = b;
			reader->has_half = true;
			continue;
		}
		reader->has_half = false;
		put_unit(reader, (uint16_t)(little ? a | b << 8 : a << 8 | b));
	}
}

static void feed_encoded(struct soap_reader *reader, const uint8_t *data,
			 size_t len)
{
	if (reader->encoding == READER_UTF8) {
		feed_utf8(reader, data, len);
	} else {
		feed_utf16(reader, data, len);
	}
}

/*
 * XML 1.0 appendix F: the first two bytes are a mark, or what a document may
 * begin with, all of it ASCII.
 */
static enum reader_encoding encoding_of(uint8_t a, uint8_t b)
{
	if ((a == 0xFF && b == 0xFE) || (a != 0 && b == 0)) {
		return READER_UTF16LE;
	}
	if ((a == 0xFE && b == 0xFF) || (a == 0 && b != 0)) {
		return READER_UTF16BE;
	}
	return READER_UTF8;
}

everr_t soap_reader_feed(struct soap_reader *reader, const uint8_t *data,
			 size_t len)
{
	if (!reader->encoding_known && len > 0) {
		if (!reader->has_first) {
			reader->first = *data++;
			reader->has_first = true;
			len--;
		}
		if (len == 0) {
			return reader->err;
		}
		reader->encoding = encoding_of(reader->first, data[0]);
		reader->encoding_known = true;
		feed_encoded(reader, &reader->first, 1);
	}
	feed_encoded(reader, data, len);
	return reader->err;
}

everr_t soap_reader_end(struct soap_reader *reader)
{
	if (reader->err != EVERR_OK) {
		return reader->err;
	}
	if (reader->has_half || reader->high != 0) {
		reader_fail(reader, EVERR_TEXT, "it ends inside a character");
		return reader->err;
	}
	reader_parse(reader);
	if (reader->err != EVERR_OK) {
		return reader->err;
	}
	if (reader->len != 0) {
		reader_fail(reader, EVERR_TEXT, "it ends inside a character");
		return reader->err;
	}
	if (!reader->begun) {
		reader_fail(reader, EVERR_TEXT, "there is no XML document");
		return reader->err;
	}
	xmlParseChunk(reader->ctxt, NULL, 0, 1);
	if (reader->err == EVERR_OK && reader->ctxt->wellFormed == 0) {
		reader_fail(reader, EVERR_TEXT, "not well-formed");
	}
	return reader->err;
}
