/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_EVTX_CONVERT_H
#define EVENLOG_EVENT_EVTX_CONVERT_H

/*
 * BinXML of a chunk to RPC form; facts: even6, 9.6.  Inside of the reader.
 *
 * Names and definitions come to where they are used.  Values stay as they are
 * but for what RPC form has not: a Null that has bytes loses them, a string
 * the NULs at its end, and a value of a size that its type cannot have is
 * Binary, or Null if it is empty.  Nested documents get a fragment header.
 */

#include "base/buf.h"
#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct event_evtx_converter;

/* NULL: no memory. */
struct event_evtx_converter *event_evtx_converter_create(TALLOC_CTX *mem_ctx);

/* From now on it is this chunk, of EVENT_EVTX_CHUNK_SIZE bytes. */
void event_evtx_converter_use(struct event_evtx_converter *converter,
			      const uint8_t *chunk);

/*
 * The document that stands from pos up to end, what follows it inside
 * ignored.  The result is valid until the next call.
 *
 * EVERR_BINXML_*, EVERR_LIMIT  damaged, or beyond the limits of event_pack()
 * EVERR_EVENT_TOO_LARGE        its RPC form is beyond EVENT_WIRE_MAX
 * EVERR_NOMEM
 */
everr_t event_evtx_convert(struct event_evtx_converter *converter, size_t pos,
			   size_t end, const uint8_t **ret_doc,
			   size_t *ret_len) EVERR_MUST_CHECK;

#endif
