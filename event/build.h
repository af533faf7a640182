/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_BUILD_H
#define EVENLOG_EVENT_BUILD_H

/*
 * Making an event of our own: typed System fields and named data in, RPC-form
 * BinXML out.  One outer System template serves all hosts, with Provider,
 * Channel and Computer as substitutions (design, "The event"; facts 9.7,
 * 10.2, 10.3); the EventData template depends on the names and types only, so
 * that events of one kind share it.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"
#include "event/event.h"

#include <stdbool.h>

/* More named data than this is refused. */
#define EVENT_BUILD_DATA_MAX 1024

/* One <Data Name='...'>; value is in the wire form of its type. */
struct event_data {
	const char *name; /* UTF-8, may be NULL (a Data without Name) */
	uint8_t type;	  /* enum event_type, perhaps an array; not BINXML */
	const uint8_t *value;
	size_t len; /* bytes, at most EVENT_VALUE_MAX */
	/*
	 * There is none: it is Null, and the template still says type, so
	 * that events with and without it share the template.  libevtx
	 * (20181227) reads it only where the definition makes it optional.
	 */
	bool absent;
};

/* System.  Strings are UTF-8; NULL leaves the field out. */
struct event_system {
	const char *provider; /* required */
	const struct ev_guid *provider_guid;
	uint16_t event_id;
	uint16_t qualifiers;
	bool has_qualifiers;
	uint8_t version;
	uint8_t level;
	uint8_t opcode;
	uint16_t task;
	uint64_t keywords;
	uint64_t time_created; /* FILETIME */
	const struct ev_guid *activity_id;
	const struct ev_guid *related_activity_id;
	uint32_t process_id;
	uint32_t thread_id;
	const char *channel;	 /* required */
	const char *computer;	 /* required */
	const uint8_t *user_sid; /* binary SID */
	size_t user_sid_len;
	uint64_t record_id; /* the store assigns its own over it */
};

/*
 * Append the document.
 *
 * EVERR_INVALID  a required field is missing, or a type that is not allowed
 * EVERR_TEXT     a string is not valid UTF-8
 * EVERR_BINXML_VALUE  a value's length does not fit its type, or too long
 * EVERR_LIMIT    more than EVENT_BUILD_DATA_MAX data, or out is full
 * EVERR_EVENT_DATA_SIZE  the data, with their names, exceed EVENT_VALUE_MAX:
 *                in BinXML all of EventData is one value
 * EVERR_NOMEM
 */
everr_t event_build(struct buf *out, const struct event_system *system,
		    const struct event_data *data,
		    size_t num_data) EVERR_MUST_CHECK;

/*
 * The same with a body of another shape: definition is a template's, whose
 * substitutions are the data in their order; their names are not looked at.
 * Nothing but the length of the definition is checked.
 */
everr_t event_build_body(struct buf *out, const struct event_system *system,
			 const uint8_t *definition, size_t definition_len,
			 const struct event_data *data,
			 size_t num_data) EVERR_MUST_CHECK;

/*
 * The same with UserData: user_data is its one element as XML, in which %1,
 * %2, ... stand for the data; event/manifest.h has it so.
 *
 * EVERR_TEXT  not well-formed, or %n without such data
 */
everr_t event_build_user(struct buf *out, const struct event_system *system,
			 const char *user_data, const struct event_data *data,
			 size_t num_data) EVERR_MUST_CHECK;

/*
 * A typed value from text, as a person or a JSON document gives it, appended
 * in wire form: numbers decimal or 0x, bool true/false/1/0, FILETIME in
 * wintime_parse()'s form, GUID and SID as text, binary as hex digits.
 * EVERR_TEXT: the text is not a value of that type.
 */
everr_t event_value_from_text(struct buf *out, uint8_t type,
			      const char *text) EVERR_MUST_CHECK;

/*
 * The name a manifest uses for the type (inType): "UnicodeString", "UInt32";
 * "?" for what is none.  Read with or without "win:", without case; "String",
 * "Bool", "Real32", "Real64", "SizeT" and "SysTime" are understood as well.
 */
const char *event_type_name(uint8_t type);
everr_t event_type_from_name(const char *name,
			     uint8_t *ret_type) EVERR_MUST_CHECK;

/*
 * An event from one JSON object, the form event_render_json() writes (System
 * may be short: what is missing is taken from defaults), appended as a
 * document.  Data values: JSON strings become String, integers UInt64 or
 * Int64, true/false Bool, other numbers Real64, null Null;
 * {"type":"UInt32","value":...} says it exactly, and a list is several Data of
 * one name, or without names for the name "Data".  A name that begins with
 * "@@", or is "##text" with or without more "#", loses its first character,
 * which told it from an attribute or a text.  defaults may be NULL.
 * A message about what is wrong is a talloc child of mem_ctx.
 *
 * EVERR_TEXT  not such an object, or members that are not known;
 *             *ret_message says where and what
 * others as event_build()
 */
everr_t event_build_json(TALLOC_CTX *mem_ctx, struct buf *out, const char *json,
			 size_t len, const struct event_system *defaults,
			 char **ret_message) EVERR_MUST_CHECK;

#endif
