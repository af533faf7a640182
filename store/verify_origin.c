/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/verify_parts.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN_PREFIX "origin/"
#define ORIGIN_DIGITS 5
#define ORIGIN_VERSION 1
#define ORIGIN_HEADER 4 /* of the data: the version */
#define ORIGIN_HOST_MAX 300

/* Of the minor version that has them. */
#define ORIGIN_MINOR 2

static const char *host_fault(const uint8_t *data, size_t len)
{
	const char *host = (const char *)data + ORIGIN_HEADER;

	if (len < ORIGIN_HEADER || le32_get(data) != ORIGIN_VERSION) {
		return "it is of an unknown version";
	}
	len -= ORIGIN_HEADER;
	if (len == 0 || len > ORIGIN_HOST_MAX) {
		return "its host's name is empty or too long";
	}
	if (memchr(host, '\0', len) != NULL || !text_utf8_valid(host, len)) {
		return "its host's name is no text";
	}
	return NULL;
}

/* 0: none. */
static uint32_t origin_number(const uint8_t *digits, size_t len)
{
	uint32_t number = 0;
	size_t i;

	if (len != ORIGIN_DIGITS) {
		return 0;
	}
	for (i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9') {
			return 0;
		}
		number = number * 10 + (digits[i] - '0');
	}
	return number < VERIFY_ORIGINS ? number : 0;
}

static void tell(struct verify *verify, const char *where, const char *what)
{
	verify_tell(verify, STORE_VERIFY_ERROR, where, "%s", what);
}

static void remember_host(struct verify *verify, const uint8_t *data,
			  size_t len)
{
	char **hosts = verify_more(verify, verify->hosts, verify->num_hosts,
				   sizeof(*hosts));
	char *host = NULL;

	if (hosts == NULL) {
		return;
	}
	verify->hosts = hosts;
	host = talloc_strndup(hosts, (const char *)data + ORIGIN_HEADER,
			      len - ORIGIN_HEADER);
	if (host == NULL) {
		verify->err = EVERR_NOMEM;
		return;
	}
	hosts[verify->num_hosts++] = host;
}

void verify_origin_state(struct verify *verify, const char *where,
			 const uint8_t *key, size_t key_len,
			 const uint8_t *data, size_t len)
{
	size_t prefix_len = strlen(ORIGIN_PREFIX);
	const char *fault = NULL;
	uint32_t number;

	if (!verify->strict || verify->minor < ORIGIN_MINOR ||
	    key_len < prefix_len ||
	    memcmp(key, ORIGIN_PREFIX, prefix_len) != 0) {
		return;
	}
	number = origin_number(key + prefix_len, key_len - prefix_len);
	if (number == 0) {
		tell(verify, where, "it is no number of an origin");
		return;
	}
	if (number != verify->num_origins + 1) {
		tell(verify, where, "the number before it is not there");
	}
	/* In the order of the keys, which is theirs. */
	verify->num_origins = number;
	verify->origins[number / 8] |= (uint8_t)(1U << number % 8);
	fault = host_fault(data, len);
	if (fault != NULL) {
		tell(verify, where, fault);
		return;
	}
	remember_host(verify, data, len);
}

static int compare_hosts(const void *a, const void *b)
{
	return text_name_cmp(*(char *const *)a, *(char *const *)b);
}

void verify_origin_hosts(struct verify *verify)
{
	char where[400];
	size_t i;

	if (verify->num_hosts > 1) {
		qsort(verify->hosts, verify->num_hosts,
		      sizeof(verify->hosts[0]), compare_hosts);
	}
	for (i = 1; i < verify->num_hosts; i++) {
		if (text_name_equal(verify->hosts[i - 1], verify->hosts[i])) {
			snprintf(where, sizeof(where), "origin %s",
				 verify->hosts[i]);
			tell(verify, where, "it has two numbers");
		}
	}
	TALLOC_FREE(verify->hosts);
	verify->num_hosts = 0;
}

const char *verify_origin_fault(const struct verify *verify,
				const struct verify_record *record)
{
	uint16_t origin = record->origin;

	if (!verify->strict || (origin == 0 && record->mark == 0)) {
		return NULL;
	}
	if (verify->minor < ORIGIN_MINOR) {
		return "it has an origin, which its version does not know";
	}
	if (origin == 0) {
		return "it has a mark but no origin";
	}
	if ((verify->origins[origin / 8] & 1U << origin % 8) == 0) {
		return "its origin has no name";
	}
	return NULL;
}
