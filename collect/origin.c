/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/origin.h"

#include "base/buf.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

/* Bytes of a name in UTF-16LE; a DNS name has at most 255 characters. */
#define NAME_BYTES_MAX 2048

struct collect_origin {
	bool address;
	struct buf name; /* UTF-16LE */
};

static bool is_address(const char *host)
{
	struct in_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       strchr(host, ':') != NULL;
}

everr_t collect_origin_create(TALLOC_CTX *mem_ctx, const char *host,
			      struct collect_origin **ret_origin)
{
	struct collect_origin *origin =
		talloc_zero(mem_ctx, struct collect_origin);
	size_t len = strlen(host);
	everr_t err;

	if (origin == NULL) {
		return EVERR_NOMEM;
	}
	/* "dc1.example." is the same name. */
	if (len > 0 && host[len - 1] == '.') {
		len--;
	}
	origin->address = is_address(host);
	buf_init(&origin->name, origin, NAME_BYTES_MAX);
	err = text_utf8_to_utf16(&origin->name, host, len);
	if (err != EVERR_OK) {
		talloc_free(origin);
		return err;
	}
	*ret_origin = origin;
	return EVERR_OK;
}

static uint16_t lower_unit(const uint8_t *units, size_t index)
{
	uint16_t unit = le16_get(units + 2 * index);

	return unit >= 'A' && unit <= 'Z' ? unit - 'A' + 'a' : unit;
}

static size_t first_label(const uint8_t *units, size_t num)
{
	size_t i;

	for (i = 0; i < num && lower_unit(units, i) != '.'; i++) {
	}
	return i;
}

static bool names_agree(const uint8_t *a, size_t num_a, const uint8_t *b,
			size_t num_b)
{
	size_t label_a = first_label(a, num_a);
	size_t label_b = first_label(b, num_b);
	size_t i;

	if (label_a == num_a || label_b == num_b) {
		num_a = label_a;
		num_b = label_b;
	}
	if (num_a != num_b || num_a == 0) {
		return false;
	}
	for (i = 0; i < num_a; i++) {
		if (lower_unit(a, i) != lower_unit(b, i)) {
			return false;
		}
	}
	return true;
}

enum store_origin_mark collect_origin_mark(const struct collect_origin *origin,
					   bool proved,
					   const struct event_glance *glance)
{
	if (!proved || origin->address || glance->computer == NULL) {
		return STORE_ORIGIN_CLAIMED;
	}
	return names_agree(origin->name.data, origin->name.len / 2,
			   glance->computer, glance->computer_units)
		       ? STORE_ORIGIN_VERIFIED
		       : STORE_ORIGIN_MISMATCH;
}
