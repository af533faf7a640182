/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_SYSTEM_H
#define EVENLOG_EVENT_SYSTEM_H

/*
 * Where an event's System fields stand: found once per template, read once per
 * event.  A field is a value (Windows 7 and later write nearly all of them so)
 * or text in the definition or document itself (Provider and Channel of older
 * templates, everything in rendered events).  Facts 10.2.
 */

#include "event/binxml.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_system_field {
	EVENT_SYSTEM_PROVIDER, /* Provider/@Name */
	EVENT_SYSTEM_EVENT_ID,
	EVENT_SYSTEM_VERSION,
	EVENT_SYSTEM_LEVEL,
	EVENT_SYSTEM_TASK,
	EVENT_SYSTEM_OPCODE,
	EVENT_SYSTEM_KEYWORDS,
	EVENT_SYSTEM_TIME, /* TimeCreated/@SystemTime */
	EVENT_SYSTEM_RECORD_ID,
	EVENT_SYSTEM_COMPUTER,
	EVENT_SYSTEM_NUM
};

/* What they are called, below Event/System. */
struct event_system_name {
	const char *element;
	const char *attribute; /* NULL: the element's content */
};
extern const struct event_system_name event_system_names[EVENT_SYSTEM_NUM];

enum event_system_source {
	EVENT_SYSTEM_NOWHERE,
	EVENT_SYSTEM_VALUE,
	EVENT_SYSTEM_LITERAL,
	/* COMPUTER only: there is one, but not as one value or text. */
	EVENT_SYSTEM_MIXED
};

struct event_system_fields {
	struct {
		uint8_t source; /* enum event_system_source */
		uint16_t id;	/* VALUE: of the substitution */
		/* LITERAL: number, FILETIME or hash; of COMPUTER the text's
		   offset in what was read << 16 | its units. */
		uint64_t literal;
	} places[EVENT_SYSTEM_NUM];
};

/*
 * Find the fields in a definition, or in a document without a template.  What
 * comes first counts; a field that mixes text and values is nowhere (COMPUTER:
 * MIXED), as is everything behind a malformed token.
 */
void event_system_locate(enum event_reader_mode mode, const uint8_t *data,
			 size_t len, struct event_system_fields *ret_fields);

/*
 * The same for some fields, as bits 1 << field: it reads no further than to the
 * last of them.  *ret_fields is what was found, whatever is returned: the
 * errors of event_reader_next().
 */
everr_t event_system_locate_some(enum event_reader_mode mode,
				 const uint8_t *data, size_t len,
				 uint32_t wanted,
				 struct event_system_fields *ret_fields);

/*
 * A value, of a length that its type may have, as a field other than COMPUTER:
 * number, FILETIME or hash.  false: it is none that the field can have.
 */
bool event_system_value(enum event_system_field field, uint8_t type,
			const uint8_t *value, size_t len, uint64_t *ret_value);

/*
 * Read them.  offsets says where in values each value begins; specs as on the
 * wire.  A value that does not fit its field leaves the field out.
 */
void event_system_read(const struct event_system_fields *fields,
		       uint32_t num_values, const uint8_t *specs,
		       const uint8_t *values, const uint32_t *offsets,
		       struct event_header *ret_header);

#endif
