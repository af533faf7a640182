/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_address.h"

#include "soap/http.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct allow_entry {
	struct http_address address;
	unsigned int bits;
};

struct http_allow {
	struct allow_entry *entries;
	size_t count;
};

static void address_from_v6(const struct in6_addr *in6,
			    struct http_address *address)
{
	if (IN6_IS_ADDR_V4MAPPED(in6)) {
		memcpy(address->bytes, &in6->s6_addr[12], 4);
		return;
	}
	address->v6 = true;
	memcpy(address->bytes, in6->s6_addr, 16);
}

bool http_address_of(const struct sockaddr *sa,
		     struct http_address *ret_address)
{
	struct http_address address = {};

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(address.bytes,
		       &((const struct sockaddr_in *)sa)->sin_addr, 4);
		break;
	case AF_INET6:
		address_from_v6(&((const struct sockaddr_in6 *)sa)->sin6_addr,
				&address);
		break;
	default:
		return false;
	}
	*ret_address = address;
	return true;
}

bool http_address_equal(const struct http_address *a,
			const struct http_address *b)
{
	return a->v6 == b->v6 && memcmp(a->bytes, b->bytes, 16) == 0;
}

uint16_t http_address_text(const struct sockaddr *sa,
			   char ret_text[HTTP_ADDRESS_TEXT_MAX])
{
	socklen_t len = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in);
	int ret;

	ret = getnameinfo(sa, len, ret_text, HTTP_ADDRESS_TEXT_MAX, NULL, 0,
			  NI_NUMERICHOST);
	if (ret != 0) {
		snprintf(ret_text, HTTP_ADDRESS_TEXT_MAX, "unknown");
	}
	if (sa->sa_family == AF_INET6) {
		return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	}
	return ntohs(((const struct sockaddr_in *)sa)->sin_port);
}

/* ---------------------------------------------------------- the list */

/* The length after '/': decimal digits only, at most max. */
static bool bits_parse(const char *text, unsigned int max,
		       unsigned int *ret_bits)
{
	unsigned int bits = 0;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] < '0' || text[i] > '9' || i >= 3) {
			return false;
		}
		bits = bits * 10 + (unsigned int)(text[i] - '0');
	}
	if (i == 0 || bits > max) {
		return false;
	}
	*ret_bits = bits;
	return true;
}

static bool entry_parse(const char *text, struct allow_entry *ret_entry)
{
	char address[INET6_ADDRSTRLEN];
	struct allow_entry entry = {};
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct in6_addr in6;
	unsigned int max = 32;

	if (len >= sizeof(address)) {
		return false;
	}
	memcpy(address, text, len);
	address[len] = '\0';

	if (inet_pton(AF_INET, address, entry.address.bytes) != 1) {
		if (inet_pton(AF_INET6, address, &in6) != 1) {
			return false;
		}
		max = 128;
		address_from_v6(&in6, &entry.address);
	}
	entry.bits = max;
	if (slash != NULL && !bits_parse(slash + 1, max, &entry.bits)) {
		return false;
	}
	/* ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter one is not IPv4. */
	if (max == 128 && !entry.address.v6) {
		if (entry.bits < 96) {
			return false;
		}
		entry.bits -= 96;
	}
	*ret_entry = entry;
	return true;
}

everr_t http_allow_parse(TALLOC_CTX *mem_ctx, const char *const *entries,
			 struct http_allow **ret_allow, const char **ret_bad)
{
	struct http_allow *allow = NULL;
	size_t count = 0;
	size_t i;

	while (entries != NULL && entries[count] != NULL) {
		count++;
	}
	if (count > HTTP_ALLOW_MAX) {
		return EVERR_LIMIT;
	}
	allow = talloc_zero(mem_ctx, struct http_allow);
	if (allow == NULL) {
		return EVERR_NOMEM;
	}
	allow->entries = talloc_zero_array(allow, struct allow_entry, count);
	if (allow->entries == NULL) {
		TALLOC_FREE(allow);
		return EVERR_NOMEM;
	}
	for (i = 0; i < count; i++) {
		if (!entry_parse(entries[i], &allow->entries[i])) {
			*ret_bad = entries[i];
			TALLOC_FREE(allow);
			return EVERR_CONFIG;
		}
	}
	allow->count = count;
	*ret_allow = allow;
	return EVERR_OK;
}

static bool entry_match(const struct allow_entry *entry,
			const struct http_address *address)
{
	unsigned int whole = entry->bits / 8;
	unsigned int rest = entry->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (entry->address.v6 != address->v6 ||
	    memcmp(entry->address.bytes, address->bytes, whole) != 0) {
		return false;
	}
	return rest == 0 ||
	       ((entry->address.bytes[whole] ^ address->bytes[whole]) & mask) ==
		       0;
}

bool http_allow_match(const struct http_allow *allow,
		      const struct http_address *address)
{
	size_t i;

	for (i = 0; i < allow->count; i++) {
		if (entry_match(&allow->entries[i], address)) {
			return true;
		}
	}
	return false;
}
