/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_HTTP_ADDRESS_H
#define EVENLOG_SOAP_HTTP_ADDRESS_H

/*
 * Addresses: their text, and lists of allowed ones.  Pure.  An IPv4 address
 * that came mapped into IPv6 (::ffff:10.0.0.1) is the IPv4 address.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <talloc.h>

/* An IPv6 address with its zone ("fe80::1%eth0"). */
#define HTTP_ADDRESS_TEXT_MAX 80

struct http_address {
	bool v6;
	uint8_t bytes[16]; /* 4 of IPv4 */
};

struct http_allow;

/* False for what is neither IPv4 nor IPv6. */
bool http_address_of(const struct sockaddr *sa,
		     struct http_address *ret_address);

bool http_address_equal(const struct http_address *a,
			const struct http_address *b);

/* Numeric text; "unknown" when there is none.  Returns the port. */
uint16_t http_address_text(const struct sockaddr *sa,
			   char ret_text[HTTP_ADDRESS_TEXT_MAX]);

/*
 * entries: "10.1.0.0/16", "::1", ..., ended by NULL; an address without a
 * length is that one.  NULL or empty: nobody is allowed.
 *
 * EVERR_CONFIG  *ret_bad is an entry that is none
 * EVERR_LIMIT   more than HTTP_ALLOW_MAX
 * EVERR_NOMEM
 */
everr_t http_allow_parse(TALLOC_CTX *mem_ctx, const char *const *entries,
			 struct http_allow **ret_allow,
			 const char **ret_bad) EVERR_MUST_CHECK;

bool http_allow_match(const struct http_allow *allow,
		      const struct http_address *address);

#endif
