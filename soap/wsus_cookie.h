/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_COOKIE_H
#define EVENLOG_SOAP_WSUS_COOKIE_H

/*
 * Cookies of the WSUS server: what it said of a downstream server, sealed with
 * AES-256-GCM under a key of its own, opaque to who carries it.
 *
 *   u8 format 1, u32 key id, 12 bytes nonce    (authenticated)
 *   the content                                (encrypted)
 *   16 bytes tag
 *
 * [MS-WSUSSS] 2.2.4.1 and 2.2.4.8 leave the bytes to the server.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* The key as it is kept: "wsus/key" of doc/store-format.md. */
#define WSUS_COOKIE_KEY_SIZE 40
/* Bytes of the largest sealed cookie, and more than one has. */
#define WSUS_COOKIE_MAX 512
/* A buffer to decode a cookie's text in, also where it was broken in lines. */
#define WSUS_COOKIE_ROOM 2048
#define WSUS_COOKIE_NAME_MAX 255
#define WSUS_COOKIE_VERSION_MAX 15

enum wsus_cookie_kind {
	WSUS_COOKIE_AUTHORIZATION = 1,
	WSUS_COOKIE_SESSION = 2
};

struct wsus_cookie {
	enum wsus_cookie_kind kind;
	struct ev_guid dss;
	struct ev_guid uss;
	uint64_t expires; /* FILETIME */
	/* Of the protocol, as the downstream server said; "" in the first. */
	char version[WSUS_COOKIE_VERSION_MAX + 1];
	char name[WSUS_COOKIE_NAME_MAX + 1];
};

struct wsus_cookies;

/* A new key.  EVERR_IO: no random numbers are to be had. */
everr_t wsus_cookies_make_key(uint8_t key[WSUS_COOKIE_KEY_SIZE])
	EVERR_MUST_CHECK;

/* EVERR_STORE_CORRUPT: key is none of ours.  EVERR_NOMEM */
everr_t wsus_cookies_create(TALLOC_CTX *mem_ctx, const uint8_t *key, size_t len,
			    struct wsus_cookies **ret_cookies) EVERR_MUST_CHECK;

/* Append the sealed cookie.  EVERR_IO, and the buffer's errors. */
everr_t wsus_cookie_seal(const struct wsus_cookies *cookies,
			 const struct wsus_cookie *cookie,
			 struct buf *out) EVERR_MUST_CHECK;

/*
 * EVERR_AUTH: not one of that kind that was sealed here.  Expiry and uss are
 * the caller's to look at.
 */
everr_t wsus_cookie_open(const struct wsus_cookies *cookies,
			 enum wsus_cookie_kind kind, const uint8_t *data,
			 size_t len,
			 struct wsus_cookie *ret_cookie) EVERR_MUST_CHECK;

#endif
