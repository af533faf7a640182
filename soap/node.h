/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_NODE_H
#define EVENLOG_SOAP_NODE_H

/*
 * An element of a request as it was read: a small tree, and the scalars of
 * XML Schema in it.  Children are found by local name: senders disagree about
 * namespaces (an AuthorizationCookie's children), and unknown elements are
 * passed over.  xsi:nil='true' is as if the element were not there.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct soap_attribute {
	const char *name; /* local */
	const char *value;
	struct soap_attribute *next;
};

struct soap_node {
	const char *name; /* local */
	const char *ns;	  /* "" when it has none */
	const char *text; /* all its own character data; never NULL */
	size_t text_len;
	struct soap_attribute *attributes;
	struct soap_node *children;
	struct soap_node *next;
};

/* The first child of the name, or NULL; also when node is NULL. */
const struct soap_node *soap_child(const struct soap_node *node,
				   const char *name);
/* The next one of the same name. */
const struct soap_node *soap_next(const struct soap_node *node);
/* A child's text, or NULL when there is no such child. */
const char *soap_text(const struct soap_node *node, const char *name);
const char *soap_attr(const struct soap_node *node, const char *name);

/*
 * Scalars of text; white space around is allowed.  NULL and "" are absent:
 * *ret_value is left alone and the answer is EVERR_NOT_FOUND.  EVERR_TEXT: not
 * such a value.
 */
everr_t soap_get_int(const char *text, int64_t min, int64_t max,
		     int64_t *ret_value) EVERR_MUST_CHECK;
everr_t soap_get_bool(const char *text, bool *ret_value) EVERR_MUST_CHECK;
everr_t soap_get_guid(const char *text,
		      struct ev_guid *ret_value) EVERR_MUST_CHECK;
/*
 * xs:dateTime with 0 to 9 fraction digits; no zone is UTC, an offset is
 * applied.  What is in 1753 or before is "never": 0.  A year beyond 9999 is
 * not such a value; 9999-12-31T23:59:59.9999999 is ("for ever"), and what an
 * offset moves beyond it is it too.
 */
everr_t soap_get_time(const char *text,
		      uint64_t *ret_filetime) EVERR_MUST_CHECK;
/* Appended to out; "" is zero bytes and no error.  EVERR_LIMIT: out's own. */
everr_t soap_get_base64(const char *text, struct buf *out) EVERR_MUST_CHECK;

#endif
