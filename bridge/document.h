/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_DOCUMENT_H
#define EVENLOG_BRIDGE_DOCUMENT_H

/*
 * How documents are made and kept: what the shapes of events share.
 */

#include "base/buf.h"
#include "bridge/fields.h"
#include "event/build.h"

/*
 * Bytes of EventData or UserData with its template.  BinXML allows 64 KiB, but
 * an .evtx file has chunks of 64 KiB, where System and headers stand as well.
 */
#define BRIDGE_BODY_MAX (60 * 1024)

/* Why there are no events when there is no room for them. */
#define BRIDGE_REASON_LIMIT                                                 \
	"it would be more events, or more bytes of them, than one message " \
	"may "                                                              \
	"become"

/*
 * Append a copy.
 * EVERR_LIMIT  there are BRIDGE_EVENTS_MAX, or BRIDGE_EVENTS_BYTES_MAX bytes
 * EVERR_NOMEM
 */
everr_t bridge_events_add(struct bridge_events *events,
			  const struct buf *document) EVERR_MUST_CHECK;

/* Where a value starts in a buffer, which may be empty. */
static inline const uint8_t *bridge_value_at(const struct buf *buf,
					     size_t offset)
{
	return buf->data == NULL ? (const uint8_t *)"" : buf->data + offset;
}

/* Take out again what was appended behind the first num. */
void bridge_events_truncate(struct bridge_events *events, size_t num);

/*
 * The fields in wire form: their bytes are appended to values, data gets
 * num_fields entries that point there.  Texts are cut so that all of them take
 * at most room bytes.
 */
everr_t bridge_event_data(struct buf *values, const struct bridge_event *event,
			  size_t room,
			  struct event_data *data) EVERR_MUST_CHECK;

/* System of an event; its computer is a talloc child of mem_ctx. */
everr_t bridge_event_system(TALLOC_CTX *mem_ctx,
			    const struct bridge_event *event,
			    struct event_system *ret_system) EVERR_MUST_CHECK;

#endif
