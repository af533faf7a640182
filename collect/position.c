/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/position.h"

#include "base/buf.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* doc/store-format.md, "state". */
#define POSITION_MAGIC 0x46435645U /* "EVCF" */
#define POSITION_VERSION 1
#define POSITION_SIZE 120
#define POSITION_FLAG_REPORTED 0x0001

/* A named state's length, store/store.h. */
#define NAME_MAX_BYTES 400
/* "~" and so many hexadecimal digits replace the end of a longer one. */
#define NAME_HASH_DIGITS 32

/* ---------------------------------------------------------------- name */

/* As channels are compared: ASCII letters only. */
static void lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z') {
			*text = (char)(*text - 'A' + 'a');
		}
	}
}

/* Never inside a character of UTF-8. */
static size_t cut_at(const char *text, size_t len)
{
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
		len--;
	}
	return len;
}

static char *name_shorten(TALLOC_CTX *mem_ctx, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[32];
	char hex[NAME_HASH_DIGITS + 1] = {0};
	size_t len, i;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, name, strlen(name), hash) !=
	    0) {
		return NULL;
	}
	for (i = 0; i < NAME_HASH_DIGITS; i++) {
		hex[i] = digits[hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0x0F];
	}
	len = cut_at(name, NAME_MAX_BYTES - NAME_HASH_DIGITS - 1);
	return talloc_asprintf(mem_ctx, "%.*s~%s", (int)len, name, hex);
}

char *collect_position_name(TALLOC_CTX *mem_ctx, const char *host,
			    const char *channel)
{
	char *whole = talloc_asprintf(mem_ctx, "collect/%s/%s", host, channel);
	char *name = NULL;

	if (whole == NULL) {
		return NULL;
	}
	lower(whole);
	if (strlen(whole) <= NAME_MAX_BYTES) {
		return whole;
	}
	name = name_shorten(mem_ctx, whole);
	talloc_free(whole);
	return name;
}

char *collect_position_prefix(TALLOC_CTX *mem_ctx, const char *host)
{
	char *prefix = talloc_asprintf(mem_ctx, "collect/%s/", host);

	if (prefix != NULL) {
		lower(prefix);
	}
	return prefix;
}

/* --------------------------------------------------------------- bytes */

size_t collect_position_encode(const struct collect_position *position,
			       uint8_t out[COLLECT_POSITION_MAX])
{
	const struct collect_gap *gap = &position->gap;
	uint16_t flags = position->gap_reported ? POSITION_FLAG_REPORTED : 0;

	le32_set(out, POSITION_MAGIC);
	le16_set(out + 4, POSITION_VERSION);
	le16_set(out + 6, flags);
	le64_set(out + 8, position->record_id);
	le64_set(out + 16, position->time_created);
	memcpy(out + 24, position->hash, COLLECT_HASH_SIZE);
	le64_set(out + 40, position->log_created);
	le64_set(out + 48, position->passed);
	le64_set(out + 56, position->events);
	le64_set(out + 64, position->gaps);
	le64_set(out + 72, position->missing);
	le64_set(out + 80, position->at_most);
	le64_set(out + 88, gap->first);
	le64_set(out + 96, gap->last);
	le64_set(out + 104, gap->missing);
	le32_set(out + 112, gap->cause);
	le32_set(out + 116, gap->exact);
	return POSITION_SIZE;
}

static bool position_plausible(const struct collect_position *position)
{
	const struct collect_gap *gap = &position->gap;

	return gap->cause <= COLLECT_GAP_REFUSED &&
	       gap->exact <= COLLECT_GAP_AT_LEAST &&
	       (gap->last == 0 || gap->first <= gap->last) &&
	       (position->passed == 0 ||
		position->passed >= position->record_id);
}

everr_t collect_position_decode(const uint8_t *data, size_t len,
				struct collect_position *ret_position)
{
	struct collect_position position = {.record_id = 0};
	uint16_t flags;

	if (len < 8 || le32_get(data) != POSITION_MAGIC) {
		return EVERR_STORE_CORRUPT;
	}
	if (le16_get(data + 4) != POSITION_VERSION) {
		return EVERR_STORE_VERSION;
	}
	flags = le16_get(data + 6);
	if (len != POSITION_SIZE || (flags & ~POSITION_FLAG_REPORTED) != 0) {
		return EVERR_STORE_CORRUPT;
	}
	position.record_id = le64_get(data + 8);
	position.time_created = le64_get(data + 16);
	memcpy(position.hash, data + 24, COLLECT_HASH_SIZE);
	position.log_created = le64_get(data + 40);
	position.passed = le64_get(data + 48);
	position.events = le64_get(data + 56);
	position.gaps = le64_get(data + 64);
	position.missing = le64_get(data + 72);
	position.at_most = le64_get(data + 80);
	position.gap.first = le64_get(data + 88);
	position.gap.last = le64_get(data + 96);
	position.gap.missing = le64_get(data + 104);
	position.gap.cause = le32_get(data + 112);
	position.gap.exact = le32_get(data + 116);
	position.gap_reported = flags & POSITION_FLAG_REPORTED;
	if (!position_plausible(&position)) {
		return EVERR_STORE_CORRUPT;
	}
	*ret_position = position;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- text */

const char *collect_gap_cause_text(uint32_t cause)
{
	switch (cause) {
	case COLLECT_GAP_NONE:
		return "nothing is missing";
	case COLLECT_GAP_OVERWRITTEN:
		return "the log rolled over or was cleared before they were "
		       "read";
	case COLLECT_GAP_CLEARED:
		return "the log was cleared or made anew";
	case COLLECT_GAP_SKIPPED:
		return "the log has no records of these numbers";
	case COLLECT_GAP_UNREADABLE:
		return "the host cannot deliver them";
	case COLLECT_GAP_REFUSED:
		return "this store does not take them";
	default:
		return "for an unknown reason";
	}
}
