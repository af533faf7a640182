/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WRITER_H
#define EVENLOG_SOAP_WRITER_H

/*
 * XML that is well-formed by construction: elements are opened and closed
 * through a stack, text and attributes are escaped, names are the caller's
 * literals.  Nothing is indented and no element has a prefix but what the
 * caller writes: some clients read answers by regular expression.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOAP_WRITER_DEPTH 32

struct soap_writer {
	struct buf *out; /* the caller's; its error sticks */
	const char *open[SOAP_WRITER_DEPTH];
	size_t depth;
	bool in_tag; /* attributes may still be added */
};

void soap_writer_init(struct soap_writer *writer, struct buf *out);

void soap_open(struct soap_writer *writer, const char *name);
/* On the element opened last, before anything is in it. */
void soap_attribute(struct soap_writer *writer, const char *name,
		    const char *value);
void soap_attribute_int(struct soap_writer *writer, const char *name,
			int64_t value);
void soap_close(struct soap_writer *writer);

/* Character data; UTF-8, what XML can't carry becomes U+FFFD. */
void soap_data(struct soap_writer *writer, const char *text, size_t len);

/* A whole element.  NULL text: nothing is written. */
void soap_put(struct soap_writer *writer, const char *name, const char *text);
/* <name/> */
void soap_put_empty(struct soap_writer *writer, const char *name);
void soap_put_int(struct soap_writer *writer, const char *name, int64_t value);
void soap_put_bool(struct soap_writer *writer, const char *name, bool value);
void soap_put_guid(struct soap_writer *writer, const char *name,
		   const struct ev_guid *value);
/* UTC with Z, trailing zeros of the fraction trimmed; 0: 0001-01-01T00:00:00 */
void soap_put_time(struct soap_writer *writer, const char *name,
		   uint64_t filetime);
void soap_put_base64(struct soap_writer *writer, const char *name,
		     const void *data, size_t len);

/* EVERR_INVALID when elements are still open, else the buffer's error. */
everr_t soap_writer_end(struct soap_writer *writer) EVERR_MUST_CHECK;

#endif
