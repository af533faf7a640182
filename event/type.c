/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/type.h"

#include "base/buf.h"

#define SID_HEAD 8 /* revision, count, authority */

/* Bytes of the types that have one size; 0 for the others. */
static const uint8_t fixed_sizes[] = {
	[EVENT_TYPE_INT8] = 1,	   [EVENT_TYPE_UINT8] = 1,
	[EVENT_TYPE_INT16] = 2,	   [EVENT_TYPE_UINT16] = 2,
	[EVENT_TYPE_INT32] = 4,	   [EVENT_TYPE_UINT32] = 4,
	[EVENT_TYPE_INT64] = 8,	   [EVENT_TYPE_UINT64] = 8,
	[EVENT_TYPE_REAL32] = 4,   [EVENT_TYPE_REAL64] = 8,
	[EVENT_TYPE_GUID] = 16,	   [EVENT_TYPE_FILETIME] = 8,
	[EVENT_TYPE_SYSTIME] = 16, [EVENT_TYPE_HEXINT32] = 4,
	[EVENT_TYPE_HEXINT64] = 8,
};

/* 0: not a SID, or not all of it. */
static size_t sid_size(const uint8_t *value, size_t len)
{
	size_t size;

	if (len < SID_HEAD) {
		return 0;
	}
	size = SID_HEAD + 4 * (size_t)value[1];
	return size <= len && size <= EVENT_SID_MAX ? size : 0;
}

/*
 * The size of one item.  Windows' Bool has 4 bytes and its SizeT as many as
 * the writer's pointers; a length they do not divide is of 1 and of 4.
 */
static size_t item_size(uint8_t type, size_t len)
{
	if (type == EVENT_TYPE_BOOL) {
		return len % 4 == 0 ? 4 : 1;
	}
	if (type == EVENT_TYPE_SIZET) {
		return len % 8 == 0 ? 8 : 4;
	}
	return type < sizeof(fixed_sizes) ? fixed_sizes[type] : 0;
}

static bool sids_fit(const uint8_t *value, size_t len)
{
	size_t size;

	while (len > 0) {
		size = sid_size(value, len);
		if (size == 0) {
			return false;
		}
		value += size;
		len -= size;
	}
	return true;
}

static bool array_fits(uint8_t type, const uint8_t *value, size_t len)
{
	size_t size;

	switch (type) {
	case EVENT_TYPE_STRING:
		return len % 2 == 0;
	case EVENT_TYPE_ANSI:
		return true;
	case EVENT_TYPE_SID:
		return sids_fit(value, len);
	}
	size = item_size(type, len);
	return size > 0 && len % size == 0;
}

static bool value_fits(uint8_t type, const uint8_t *value, size_t len)
{
	switch (type) {
	case EVENT_TYPE_NULL:
	case EVENT_TYPE_ANSI:
	case EVENT_TYPE_BINARY:
	case EVENT_TYPE_BINXML:
		return true;
	case EVENT_TYPE_STRING:
		return len % 2 == 0;
	case EVENT_TYPE_SID:
		return sid_size(value, len) > 0;
	case EVENT_TYPE_BOOL:
		return len == 1 || len == 4;
	case EVENT_TYPE_SIZET:
		return len == 4 || len == 8;
	}
	return type < sizeof(fixed_sizes) && fixed_sizes[type] > 0 &&
	       fixed_sizes[type] == len;
}

everr_t event_type_check(uint8_t type, const uint8_t *value, size_t len)
{
	bool fits;

	if ((type & EVENT_TYPE_ARRAY) != 0) {
		fits = array_fits(type & 0x7F, value, len);
	} else {
		fits = value_fits(type, value, len);
	}
	return fits ? EVERR_OK : EVERR_BINXML_VALUE;
}

/* A string item: up to its NUL, or to the end. */
static size_t string_item(const uint8_t *p, size_t len, size_t unit)
{
	size_t n = 0;

	while (n + unit <= len && (p[n] != 0 || p[n + unit - 1] != 0)) {
		n += unit;
	}
	return n;
}

bool event_array_next(uint8_t type, const uint8_t *value, size_t len,
		      size_t *pos, const uint8_t **ret_item,
		      size_t *ret_item_len)
{
	const uint8_t *item = value + *pos;
	size_t left = len - *pos;
	size_t size = 0;
	size_t skip = 0;

	if (left == 0) {
		return false;
	}
	switch (type & 0x7F) {
	case EVENT_TYPE_STRING:
		size = string_item(item, left, 2);
		skip = size < left ? 2 : 0;
		break;
	case EVENT_TYPE_ANSI:
		size = string_item(item, left, 1);
		skip = size < left ? 1 : 0;
		break;
	case EVENT_TYPE_SID:
		size = sid_size(item, left);
		break;
	default:
		size = item_size(type & 0x7F, len);
		break;
	}
	if (size + skip == 0 || size + skip > left) {
		return false;
	}

	*pos += size + skip;
	*ret_item = item;
	*ret_item_len = size;
	return true;
}
