/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/guid.h"

#include "base/text.h"

#include <nettle/sha1.h>
#include <string.h>

/*
 * Which byte each pair of digits shows: Data1 to Data3 are little endian,
 * Data4 is in order, [MS-DTYP] 2.3.4.3.
 */
static const uint8_t text_order[16] = {3, 2, 1,	 0,  5,	 4,  7,	 6,
				       8, 9, 10, 11, 12, 13, 14, 15};

/*
 * The name space of GUIDs made here, in the byte order RFC 4122 hashes:
 * 4335c4bd-8f8f-504c-a20a-750e736669ad.  Changing it changes every template
 * id that a client may have cached.
 */
static const uint8_t name_space[16] = {0x43, 0x35, 0xc4, 0xbd, 0x8f, 0x8f,
				       0x50, 0x4c, 0xa2, 0x0a, 0x75, 0x0e,
				       0x73, 0x66, 0x69, 0xad};

static bool dash_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

void ev_guid_format(const struct ev_guid *guid, char text[EV_GUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	char *p = text;
	size_t i;

	*p++ = '{';
	for (i = 0; i < 16; i++) {
		uint8_t b = guid->b[text_order[i]];

		if (dash_before(i)) {
			*p++ = '-';
		}
		*p++ = digits[b >> 4];
		*p++ = digits[b & 15];
	}
	*p++ = '}';
	*p = '\0';
}

everr_t ev_guid_parse(const char *text, struct ev_guid *ret_guid)
{
	struct ev_guid guid = {};
	bool braced = text[0] == '{';
	const char *p = text + braced;
	size_t i;

	for (i = 0; i < 16; i++) {
		int high, low;

		if (dash_before(i)) {
			if (*p != '-') {
				return EVERR_TEXT;
			}
			p++;
		}
		high = text_hex_digit(p[0]);
		if (high < 0) {
			return EVERR_TEXT;
		}
		low = text_hex_digit(p[1]);
		if (low < 0) {
			return EVERR_TEXT;
		}
		guid.b[text_order[i]] = (uint8_t)(high << 4 | low);
		p += 2;
	}

	if (strcmp(p, braced ? "}" : "") != 0) {
		return EVERR_TEXT;
	}
	*ret_guid = guid;
	return EVERR_OK;
}

bool ev_guid_equal(const struct ev_guid *a, const struct ev_guid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool ev_guid_is_zero(const struct ev_guid *guid)
{
	static const struct ev_guid zero;

	return ev_guid_equal(guid, &zero);
}

void ev_guid_from_bytes(const void *data, size_t len, struct ev_guid *ret_guid)
{
	struct sha1_ctx ctx;
	uint8_t digest[16];
	size_t i;

	sha1_init(&ctx);
	sha1_update(&ctx, sizeof(name_space), name_space);
	sha1_update(&ctx, len, data);
	sha1_digest(&ctx, sizeof(digest), digest);

	/* RFC 4122 4.3: version 5, variant 10. */
	digest[6] = (digest[6] & 0x0f) | 0x50;
	digest[8] = (digest[8] & 0x3f) | 0x80;
	for (i = 0; i < 16; i++) {
		ret_guid->b[text_order[i]] = digest[i];
	}
}
