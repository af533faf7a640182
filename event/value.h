/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_VALUE_H
#define EVENLOG_EVENT_VALUE_H

/*
 * Values as text, in the forms Windows prints them in ([MS-EVEN6] 2.2.12.1,
 * facts 9.4):
 *
 *   integers        decimal; HexInt and SizeT 0x and lower-case digits
 *   Real            six decimals; 1.#INF, -1.#INF, -1.#IND, 1.#QNAN
 *   Bool            true for any byte that is not 0, else false
 *   FILETIME        seven fraction digits; SYSTEMTIME three
 *   Guid, Sid       {UPPER-CASE}; S-1-..., an authority beyond 32 bits as
 *                   0x and twelve digits
 *   Binary          upper-case digits without blanks
 *   String          up to its first NUL
 *   AnsiString      up to its first NUL, as Windows-1252: the writer's code
 *                   page is not transmitted, and this is the commonest
 *   Null            nothing
 *   arrays          their items with blanks between them; where an array
 *                   stands for several elements, the caller takes the items
 *
 * Values of type BinXml are not text: nothing is written for them.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_value {
	const uint8_t *data;
	uint16_t len;
	uint8_t type; /* enum event_type, perhaps with the array bit */
};

/* What strings are escaped for. */
enum event_text_form {
	EVENT_TEXT_PLAIN, /* UTF-8 as it is */
	EVENT_TEXT_XML,
	EVENT_TEXT_XML_ATTRIBUTE,
	EVENT_TEXT_JSON /* the inside of a string */
};

/*
 * Append the text.  EVERR_BINXML_VALUE: the bytes do not fit the type.  The
 * buffer's own errors are left to the buffer.
 */
everr_t event_value_text(struct buf *out, enum event_text_form form,
			 const struct event_value *value) EVERR_MUST_CHECK;

/*
 * Append a JSON value: integers up to 2^53 as numbers, Bool as true or false,
 * Null as null, the rest as strings.
 */
everr_t event_value_json(struct buf *out,
			 const struct event_value *value) EVERR_MUST_CHECK;

/* Whether its text is empty; an attribute with such a value is left out. */
static inline bool event_value_is_empty(const struct event_value *value)
{
	switch (value->type) {
	case EVENT_TYPE_NULL:
	case EVENT_TYPE_BINXML:
		return true;
	case EVENT_TYPE_STRING:
		return value->len < 2 || le16_get(value->data) == 0;
	case EVENT_TYPE_ANSI:
		return value->len == 0 || value->data[0] == 0;
	}
	return value->len == 0;
}

#endif
