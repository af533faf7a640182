/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_ENVELOPE_H
#define EVENLOG_SOAP_ENVELOPE_H

/*
 * The envelopes of SOAP 1.1 and 1.2: a request's, read as it arrives, and an
 * answer's.  Pure: no I/O, no clock.
 *
 * Header entries are passed over, but for one that must be understood: none
 * is.  Body's first element is the operation's; what follows is passed over.
 */

#include "soap/fault.h"
#include "soap/memory.h"
#include "soap/node.h"
#include "soap/service.h"
#include "soap/writer.h"

/* Parts of a path of items. */
#define SOAP_ITEMS_DEPTH_MAX 4

/* An error ends the reading, and is what soap_envelope_feed() returns. */
struct soap_envelope_handler {
	/*
	 * Body's first element has begun.  *ret_items is the path of its
	 * items, which stays, or NULL.
	 */
	everr_t (*operation)(void *private_data, const struct soap_node *node,
			     const char **ret_items);
	/* An item has ended; it is gone when this returns. */
	everr_t (*item)(void *private_data, const struct soap_node *item);
};

struct soap_envelope;

/* memory is what the trees of all requests take; NULL: no such limit. */
everr_t soap_envelope_create(
	TALLOC_CTX *mem_ctx, const struct soap_envelope_handler *handler,
	void *private_data, struct soap_memory *memory,
	struct soap_envelope **ret_envelope) EVERR_MUST_CHECK;

/*
 * The next bytes, and that there are no more.  Where it was not a handler that
 * failed, soap_envelope_fault() tells what is to be answered.  EVERR_NOMEM:
 * there is none left, or other requests have it.
 */
everr_t soap_envelope_feed(struct soap_envelope *envelope, const uint8_t *data,
			   size_t len) EVERR_MUST_CHECK;
everr_t soap_envelope_end(struct soap_envelope *envelope) EVERR_MUST_CHECK;

/* False: the envelope has not begun, or is of neither version. */
bool soap_envelope_version(const struct soap_envelope *envelope,
			   enum soap_version *ret_version);

/* The operation's element so far as it was read, or NULL. */
const struct soap_node *soap_envelope_request(
	const struct soap_envelope *envelope);

/* The sentence is a child of mem_ctx; NULL: no memory. */
char *soap_envelope_fault(const struct soap_envelope *envelope,
			  TALLOC_CTX *mem_ctx, enum soap_fault_code *ret_code);

/* ------------------------------------------------------------- answers */

const char *soap_envelope_content_type(enum soap_version version);

/* The document up to the inside of Body, and from there to its end. */
void soap_envelope_open(struct soap_writer *writer, enum soap_version version);
void soap_envelope_close(struct soap_writer *writer);

#endif
