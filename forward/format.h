/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_FORMAT_H
#define EVENLOG_FORWARD_FORMAT_H

/*
 * An event as a syslog message or JSON line; doc/forward-formats.md has the mapping,
 * field by field.  Pure: no sockets, no disk, no clock.
 *
 * What depends on the event's template only is found once and kept in the
 * format (bounded); an event is one pass over its values.
 *
 * Whatever an event holds it can be sent: the result is valid UTF-8 without
 * control characters (so it survives both framings of RFC 6587), at most
 * max_message bytes, and says in itself when something was cut or replaced.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/catalog.h"
#include "event/event.h"
#include "forward/config.h"

#include <stdint.h>
#include <talloc.h>

/* The least max_message, above RFC 3164's own; RFC 5424 6.1 wants 2048. */
#define FORWARD_MESSAGE_MIN 1024

/* What had to be done to an event; in the message, too. */
enum forward_mark {
	FORWARD_CUT = 0x1,	/* longer than max_message: values were cut */
	FORWARD_REPLACED = 0x2, /* characters that no text can have */
	FORWARD_DAMAGED = 0x4	/* the event could not be read: only its
				   header is sent */
};

struct forward_event {
	const char *channel; /* ours */
	uint64_t record_id;  /* ours */
	uint64_t received;   /* FILETIME */
	const struct event_header *header;
	const uint8_t *data; /* packed */
	size_t len;
	/* Where it was collected: host, and "verified", "claimed" or
	   "mismatch"; NULL: born or imported here. */
	const char *origin;
	const char *origin_mark;
};

struct forward_format;

/*
 * dict and catalog (for messages; may be NULL) outlive the format; config is
 * read here only.  EVERR_INVALID: sd_id (name@number, 27 characters at most),
 * facility or max_message; EVERR_NOMEM.
 */
everr_t forward_format_create(
	TALLOC_CTX *mem_ctx, const struct forward_config *config,
	const char *computer, struct event_dict *dict,
	const struct event_catalog *catalog,
	struct forward_format **ret_format) EVERR_MUST_CHECK;

/*
 * Append one message, without framing.  It fails for want of memory only
 * (EVERR_NOMEM, or EVERR_LIMIT of out; out is cut back).  *ret_marks: enum
 * forward_mark.
 */
everr_t forward_format_event(struct forward_format *format, struct buf *out,
			     const struct forward_event *event,
			     uint32_t *ret_marks) EVERR_MUST_CHECK;

/* Ids that are not forwarded, and why. */
struct forward_gap {
	uint64_t first;
	uint64_t last;
	uint64_t missing;  /* of them; the others have no record anyway */
	bool at_most;	   /* a query would have selected some of these only */
	const char *cause; /* static */
};

/* "exact" or "at most", as other gaps say it. */
static inline const char *forward_gap_exact(const struct forward_gap *gap)
{
	return gap->at_most ? "at most" : "exact";
}

/* A message of the forwarder's own: so many events of channel are missing. */
everr_t forward_format_gap(struct forward_format *format, struct buf *out,
			   const char *channel, const struct forward_gap *gap,
			   uint64_t now) EVERR_MUST_CHECK;

#endif
