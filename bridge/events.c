/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/events.h"

#include "base/wintime.h"
#include "bridge/configmgr_man.h"
#include "bridge/document.h"
#include "bridge/wsus_man.h"

/* 1980-01-01: no clock that is right says less. */
#define TIME_EARLIEST 119600064000000000ULL
#define TIME_AHEAD_MAX (24 * 3600 * WINTIME_SECOND)

struct bridge_events *bridge_events_create(TALLOC_CTX *mem_ctx)
{
	return talloc_zero(mem_ctx, struct bridge_events);
}

uint64_t bridge_time(const struct bridge_origin *origin, uint64_t stated)
{
	if (stated < TIME_EARLIEST) {
		return origin->received;
	}
	if (stated > origin->received &&
	    stated - origin->received > TIME_AHEAD_MAX) {
		return origin->received;
	}
	return stated;
}

/* Room for one more; the array doubles. */
static everr_t grow(struct bridge_events *events)
{
	size_t room = talloc_array_length(events->documents);
	struct bridge_document *grown = NULL;

	if (events->num_documents == BRIDGE_EVENTS_MAX) {
		return EVERR_LIMIT;
	}
	if (events->num_documents < room) {
		return EVERR_OK;
	}
	grown = talloc_realloc(events, events->documents,
			       struct bridge_document,
			       room == 0 ? 4 : 2 * room);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	events->documents = grown;
	return EVERR_OK;
}

everr_t bridge_events_add(struct bridge_events *events,
			  const struct buf *document)
{
	const uint8_t *data = NULL;
	everr_t err;

	if (document->len > BRIDGE_EVENTS_BYTES_MAX - events->num_bytes) {
		return EVERR_LIMIT;
	}
	err = grow(events);
	if (err != EVERR_OK) {
		return err;
	}
	data = talloc_memdup(events, document->data, document->len);
	if (data == NULL) {
		return EVERR_NOMEM;
	}
	events->documents[events->num_documents++] =
		(struct bridge_document){.data = data, .len = document->len};
	events->num_bytes += document->len;
	return EVERR_OK;
}

void bridge_events_truncate(struct bridge_events *events, size_t num)
{
	while (events->num_documents > num) {
		const struct bridge_document *last =
			&events->documents[--events->num_documents];

		events->num_bytes -= last->len;
		talloc_free((void *)(uintptr_t)last->data);
	}
}
