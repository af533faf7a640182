/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_MESSAGE_EVENT_H
#define EVENLOG_EVENT_MESSAGE_EVENT_H

/*
 * What a person is shown of an event: the message of its publisher with the
 * event's values in it, and the names of its level, task, opcode and keywords.
 *
 * The inserts %1, %2, ... are the values of the event's own data:
 *
 *   EventData  one for each Data, in order.  A Data without a name whose value
 *              is an array stands for as many as it has items (classic events);
 *              one with a name is one insert, its items with blanks between.
 *   UserData   the values of its template, in order of their ids, which is
 *              the order of <data> in a manifest; without a template its
 *              texts in document order.
 *
 * Whether Windows counts named arrays this way is not verified.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/catalog.h"
#include "event/event.h"
#include "event/scope.h"

struct event_message_insert {
	const char *name; /* of its Data, or NULL */
	const char *text; /* UTF-8, as in the XML */
	bool is_integer;  /* of any integer type */
	uint64_t number;  /* its value, negative ones in two's complement */
};

/* What was read of an event; texts live as long as it. */
struct event_message_source {
	const char *provider; /* "" where the event has none */
	const char *provider_guid;
	const char *channel;
	uint16_t event_id;
	uint16_t qualifiers; /* classic events */
	bool has_qualifiers;
	uint8_t version;
	uint8_t level;
	uint8_t opcode;
	uint16_t task;
	uint64_t keywords;
	struct event_message_insert inserts[EVENT_MESSAGE_INSERTS_MAX];
	size_t num_inserts; /* the ones beyond the maximum are left out */
};

/* Read a packed event.  Errors as event_packed_to_wire(). */
everr_t event_message_read(
	TALLOC_CTX *mem_ctx, struct event_dict *dict, const uint8_t *data,
	size_t len, struct event_message_source **ret_source) EVERR_MUST_CHECK;

/* Inserts by their places, from 0. */
struct event_message_wanted {
	uint64_t bits[(EVENT_MESSAGE_INSERTS_MAX + 63) / 64];
};

/*
 * The same of an event that is open, the wanted inserts only; of others there
 * is no text, and of none a name.  Steps count in scope.  Texts are talloc
 * children of source, of which nothing else is set.  Errors as above.
 */
everr_t event_message_read_inserts(struct event_message_source *source,
				   struct event_scope *scope,
				   const struct event_message_wanted *wanted,
				   struct buf *scratch) EVERR_MUST_CHECK;

/* By name, else by GUID; NULL: the catalog does not know it. */
const struct event_publisher *event_message_publisher(
	const struct event_catalog *catalog,
	const struct event_message_source *source);

/*
 * The number of the event's message: of the publisher's event, or of a classic
 * one Qualifiers << 16 | EventID; EVENT_MESSAGE_NONE: it has none.
 */
uint32_t event_message_id(const struct event_publisher *publisher,
			  const struct event_message_source *source);

/*
 * The inserts as the manifest wants them shown: numbers by its maps, and in
 * the form of its outType; without memory for that, as they are.  ret_texts
 * has num_inserts entries, which live as long as mem_ctx, source and publisher.
 */
void event_message_texts(TALLOC_CTX *mem_ctx,
			 const struct event_publisher *publisher,
			 const struct event_message_source *source,
			 uint32_t lcid, const char **ret_texts);

/*
 * Append the message of what was read, with \r\n as line ends.
 *
 * EVERR_PUBLISHER  nobody has told what its publisher's events mean
 * EVERR_MESSAGE    the publisher has no text for it
 * EVERR_LIMIT      too long; EVERR_NOMEM
 */
everr_t event_message_put(struct buf *out, const struct event_catalog *catalog,
			  const struct event_message_source *source,
			  uint32_t lcid) EVERR_MUST_CHECK;

/* EventID/@Qualifiers, "" if there is none. */
void event_message_set_qualifiers(struct event_message_source *source,
				  const char *text);

/*
 * The same of an event that is open, of a publisher that is known.  source
 * has event_id, version and qualifiers, and gets inserts as its children.
 */
everr_t event_message_put_open(struct buf *out,
			       const struct event_publisher *publisher,
			       struct event_message_source *source,
			       struct event_scope *scope, struct buf *scratch,
			       uint32_t lcid) EVERR_MUST_CHECK;

/* The same straight from a packed event. */
everr_t event_message_render(struct buf *out,
			     const struct event_catalog *catalog,
			     struct event_dict *dict, const uint8_t *data,
			     size_t len, uint32_t lcid) EVERR_MUST_CHECK;

#endif
