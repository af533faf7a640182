/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_GUID_H
#define EVENLOG_BASE_GUID_H

/*
 * GUIDs as they stand on the wire: 16 bytes, the first three fields little
 * endian, [MS-DTYP] 2.3.4.2.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ev_guid {
	uint8_t b[16];
};

/* "{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}" and NUL. */
#define EV_GUID_TEXT_SIZE 39

/* Braced, upper case, NUL-terminated. */
void ev_guid_format(const struct ev_guid *guid, char text[EV_GUID_TEXT_SIZE]);

/* With or without braces, either case.  EVERR_TEXT: not a GUID. */
everr_t ev_guid_parse(const char *text,
		      struct ev_guid *ret_guid) EVERR_MUST_CHECK;

bool ev_guid_equal(const struct ev_guid *a, const struct ev_guid *b);
bool ev_guid_is_zero(const struct ev_guid *guid);

/*
 * A name-based GUID (RFC 4122, version 5) over len bytes in our own name
 * space: the same bytes give the same GUID for ever.
 */
void ev_guid_from_bytes(const void *data, size_t len, struct ev_guid *ret_guid);

#endif
