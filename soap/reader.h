/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_READER_H
#define EVENLOG_SOAP_READER_H

/*
 * XML as it arrives from the network: libxml2's push parser, and what it must
 * not be left to.  Pure: no I/O, no clock.
 *
 * UTF-8 and UTF-16 (by byte order mark, or by how the first '<' is written)
 * are read; an XML declaration that names another encoding is refused.  A
 * document type declaration is refused where it begins, so there are no
 * entities but the five of XML.  Comments and processing instructions are
 * passed over.  Bytes are kept back until a piece (8 KiB) are there or
 * the document ends: a sender of single bytes costs no more than others.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Elements inside each other. */
#define SOAP_READER_DEPTH_MAX 64
/* Attributes and namespace declarations of one element. */
#define SOAP_READER_ATTRIBUTES_MAX 128
/* Namespace declarations in force at one place. */
#define SOAP_READER_NAMESPACES_MAX 64
#define SOAP_READER_NAME_MAX 256
/*
 * Bytes of one tag, comment or processing instruction, and of one CDATA
 * section.  Up to a piece more may pass.
 */
#define SOAP_READER_TAG_MAX (16 * 1024)
#define SOAP_READER_CDATA_MAX (1024 * 1024)
/* Bytes that all different names and namespaces of a document take. */
#define SOAP_READER_NAMES_MAX (1024 * 1024)

struct soap_reader_attribute {
	const char *name;  /* local */
	const char *ns;	   /* "" when it has none */
	const char *value; /* not NUL-terminated */
	size_t len;
};

struct soap_reader_element {
	const char *name; /* local */
	const char *ns;	  /* "" when it has none */
	const struct soap_reader_attribute *attributes;
	size_t num_attributes;
};

/*
 * Called in document order; an error ends the reading and is returned by
 * soap_reader_feed().  An element's and its attributes' name and ns stay valid
 * as long as the reader, all else during the call.  Text comes in pieces.
 */
struct soap_reader_handler {
	everr_t (*start)(void *private_data,
			 const struct soap_reader_element *element);
	everr_t (*end)(void *private_data);
	everr_t (*text)(void *private_data, const char *text, size_t len);
};

struct soap_reader;

everr_t soap_reader_create(TALLOC_CTX *mem_ctx,
			   const struct soap_reader_handler *handler,
			   void *private_data,
			   struct soap_reader **ret_reader) EVERR_MUST_CHECK;

/*
 * The next bytes, and that there are no more.  The first error sticks.
 *
 * EVERR_TEXT   not well-formed, a DTD, not its encoding
 * EVERR_LIMIT  one of the above
 * EVERR_NOMEM, and what a handler returned
 */
everr_t soap_reader_feed(struct soap_reader *reader, const uint8_t *data,
			 size_t len) EVERR_MUST_CHECK;
everr_t soap_reader_end(struct soap_reader *reader) EVERR_MUST_CHECK;

/* What was wrong, and in which line, for an administrator; "" if nothing. */
const char *soap_reader_problem(const struct soap_reader *reader);

/* Whether this is a name of an encoding that is read; case does not matter. */
bool soap_reader_knows(const char *encoding, size_t len);

/* Whether it has xsi:nil='true'. */
bool soap_reader_is_nil(const struct soap_reader_element *element);

#endif
