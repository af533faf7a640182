/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_FIELDS_H
#define EVENLOG_BRIDGE_FIELDS_H

/*
 * Typed fields of one event, and the event's document made of them.  Texts
 * are borrowed until bridge_event_end(); there they share what an event has
 * room for, and the longest ones are cut with a visible mark.
 *
 * What a sender did not say is an empty text, a zero GUID, 1601-01-01 or 0, as
 * Windows' own events have it, and not Null: libevtx (20181227) reads no Null
 * in a field that is not optional, and optional ones would be left out.
 */

#include "base/guid.h"
#include "bridge/events.h"

#include <stdbool.h>

/* Fields of an event; UTF-16 units of a computer's name. */
#define BRIDGE_FIELDS_MAX 64
#define BRIDGE_COMPUTER_MAX 255

/* winmeta's levels. */
enum bridge_level {
	BRIDGE_LEVEL_ERROR = 2,
	BRIDGE_LEVEL_WARNING = 3,
	BRIDGE_LEVEL_INFORMATION = 4
};

struct bridge_provider {
	const char *name;
	struct ev_guid guid;
	const char *channel;
};

/* What the provider's manifest says of an event. */
struct bridge_kind {
	uint16_t id;
	uint8_t level;
	uint16_t task;
	uint64_t keywords; /* without the channel's bit */
};

struct bridge_field {
	const char *name;
	uint8_t type;	  /* enum event_type */
	const char *text; /* STRING only; UTF-8, hopefully */
	size_t len;
	size_t num_units; /* as it is written */
	uint8_t bytes[16];
	uint8_t num_bytes;
};

/* Between begin and end: computer, time and level may be set. */
struct bridge_event {
	const struct bridge_provider *provider;
	const struct bridge_kind *kind;
	const struct bridge_origin *origin;
	const char *computer; /* NULL or empty: the origin's */
	uint64_t time;	      /* the sender's, for bridge_time() */
	uint8_t level;
	struct bridge_field fields[BRIDGE_FIELDS_MAX];
	size_t num_fields;
};

void bridge_event_begin(struct bridge_event *event,
			const struct bridge_provider *provider,
			const struct bridge_kind *kind,
			const struct bridge_origin *origin);

/* Text NULL: empty. */
void bridge_put_text(struct bridge_event *event, const char *name,
		     const char *text);
void bridge_put_guid(struct bridge_event *event, const char *name,
		     const struct ev_guid *guid);
/* FILETIME; 0: never. */
void bridge_put_time(struct bridge_event *event, const char *name,
		     uint64_t filetime);
void bridge_put_bool(struct bridge_event *event, const char *name, bool value);
void bridge_put_uint32(struct bridge_event *event, const char *name,
		       uint32_t value);
void bridge_put_uint64(struct bridge_event *event, const char *name,
		       uint64_t value);
/* A number that is not negative by its specification; if it is: 0. */
void bridge_put_count(struct bridge_event *event, const char *name,
		      int32_t value);
/* Decimal digits; NULL or other text: 0. */
void bridge_put_digits(struct bridge_event *event, const char *name,
		       const char *text);
void bridge_put_int32(struct bridge_event *event, const char *name,
		      int32_t value);
/* A set of bits, shown in hexadecimal. */
void bridge_put_bits(struct bridge_event *event, const char *name,
		     uint32_t value);

/* PeerAddress and PeerCertificate, which every event has. */
void bridge_put_peer(struct bridge_event *event);

/*
 * Append the event with its fields as EventData.
 * EVERR_LIMIT  out has BRIDGE_EVENTS_MAX already
 * EVERR_NOMEM
 */
everr_t bridge_event_end(struct bridge_events *out,
			 const struct bridge_event *event) EVERR_MUST_CHECK;

#endif
