/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_XML_H
#define EVENLOG_EVENT_XML_H

/*
 * Reading the small XML texts of the protocol (queries, bookmarks) from
 * untrusted clients: libxml2's SAX parser without network, DTDs or entities
 * but the five of XML itself.  An encoding label is ignored, since the text
 * arrived as UTF-16 and is UTF-8 here.  Names are given without their prefix.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Equals signs between two '<', and namespaces in all.  libxml2 compares each
 * attribute of an element with each other one, and looks for each prefix
 * among all namespaces; these bound their numbers before it starts.
 */
#define EVENT_XML_EQUALS_MAX 1024
#define EVENT_XML_NAMESPACES_MAX 64

struct event_xml_attribute {
	const char *name;
	const char *value; /* not NUL-terminated */
	size_t value_len;
};

/* The start of an element, for those who need more than its name. */
struct event_xml_start {
	const char *name;
	const char *uri; /* its namespace, or NULL */
	uint32_t line;	 /* where its tag ends, from 1 */
	const struct event_xml_attribute *attributes;
	size_t num_attributes;
};

/*
 * Called in document order; an error ends the parse and is returned.  Strings
 * are valid during the call only.  Text comes in pieces.  Where element is
 * given it is called instead of start.
 */
struct event_xml_handler {
	everr_t (*start)(void *private_data, const char *name,
			 const struct event_xml_attribute *attributes,
			 size_t num_attributes);
	everr_t (*end)(void *private_data, const char *name);
	everr_t (*text)(void *private_data, const char *text, size_t len);
	everr_t (*element)(void *private_data,
			   const struct event_xml_start *start);
	/* Declarations in all; 0: EVENT_XML_NAMESPACES_MAX. */
	size_t max_namespaces;
};

/* Where the parser stood when it ended with an error, from 1. */
struct event_xml_position {
	uint32_t line;
	uint32_t column;
	char message[120];
};

/* The attribute of that name, or NULL. */
const struct event_xml_attribute *event_xml_attribute(
	const struct event_xml_attribute *attributes, size_t num_attributes,
	const char *name);

/* Take blanks (space, tab, CR, LF) off both ends. */
void event_xml_trim(const char **text, size_t *len);

/*
 * Parse a whole document.  Blanks and U+FEFF in front are skipped.
 *
 * EVERR_TEXT   not well-formed, a DTD, a NUL
 * EVERR_LIMIT  more than EVENT_XML_EQUALS_MAX or EVENT_XML_NAMESPACES_MAX
 * EVERR_NOMEM, and what a handler returned
 */
everr_t event_xml_parse(
	const char *text, size_t len, const struct event_xml_handler *handler,
	void *private_data,
	struct event_xml_position *ret_position) EVERR_MUST_CHECK;

#endif
