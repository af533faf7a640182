/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_TYPE_H
#define EVENLOG_EVENT_TYPE_H

/*
 * Which bytes a value of a type may have, and the items of an array.
 * [MS-EVEN6] 2.2.12.1; what Windows really writes: facts 9.4.
 */

#include "base/everr.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the longest SID: 15 sub-authorities. */
#define EVENT_SID_MAX 68

/*
 * Do the bytes fit the type?  Fixed sizes exactly; Bool 1 or 4; SizeT 4 or 8;
 * a SID at least what its count says; UTF-16 an even number; Null anything
 * (skipped).  Arrays: whole items.  BinXml is checked by whoever parses it.
 *
 * EVERR_BINXML_VALUE  they do not, or there is no such type
 */
everr_t event_type_check(uint8_t type, const uint8_t *value,
			 size_t len) EVERR_MUST_CHECK;

/*
 * The next item of an array value that passed event_type_check(); type
 * carries the array bit.  *pos starts at 0.  False: no more items.  Strings
 * are without their NUL; the last one need not have one.
 */
bool event_array_next(uint8_t type, const uint8_t *value, size_t len,
		      size_t *pos, const uint8_t **ret_item,
		      size_t *ret_item_len);

#endif
