/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_cookie.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define FORMAT 1
#define KEY_FORMAT 1
#define KEY_OFFSET 8
#define KEY_LEN 32
#define NONCE_LEN 12
#define TAG_LEN 16
#define HEAD_LEN 5 /* format, key id */
#define SEALED_MIN (HEAD_LEN + NONCE_LEN + TAG_LEN)

struct wsus_cookies {
	gnutls_aead_cipher_hd_t cipher;
	uint8_t head[HEAD_LEN];
};

everr_t wsus_cookies_make_key(uint8_t key[WSUS_COOKIE_KEY_SIZE])
{
	int rc;

	le32_set(key, KEY_FORMAT);
	rc = gnutls_rnd(GNUTLS_RND_RANDOM, key + 4, 4);
	if (rc == 0) {
		rc = gnutls_rnd(GNUTLS_RND_KEY, key + KEY_OFFSET, KEY_LEN);
	}
	return rc == 0 ? EVERR_OK : EVERR_IO;
}

static int cookies_destructor(struct wsus_cookies *cookies)
{
	gnutls_aead_cipher_deinit(cookies->cipher);
	return 0;
}

everr_t wsus_cookies_create(TALLOC_CTX *mem_ctx, const uint8_t *key, size_t len,
			    struct wsus_cookies **ret_cookies)
{
	struct wsus_cookies *cookies = NULL;
	gnutls_datum_t datum;
	int rc;

	if (len != WSUS_COOKIE_KEY_SIZE || le32_get(key) != KEY_FORMAT) {
		return EVERR_STORE_CORRUPT;
	}
	cookies = talloc_zero(mem_ctx, struct wsus_cookies);
	if (cookies == NULL) {
		return EVERR_NOMEM;
	}
	cookies->head[0] = FORMAT;
	memcpy(cookies->head + 1, key + 4, 4);
	datum.data = (unsigned char *)key + KEY_OFFSET;
	datum.size = KEY_LEN;
	rc = gnutls_aead_cipher_init(&cookies->cipher,
				     GNUTLS_CIPHER_AES_256_GCM, &datum);
	if (rc != 0) {
		talloc_free(cookies);
		return EVERR_NOMEM;
	}
	talloc_set_destructor(cookies, cookies_destructor);
	*ret_cookies = cookies;
	return EVERR_OK;
}

static void put_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_put_u8(out, (uint8_t)len);
	buf_put(out, text, len);
}

static void put_content(struct buf *out, const struct wsus_cookie *cookie)
{
	buf_put_u8(out, (uint8_t)cookie->kind);
	buf_put(out, cookie->dss.b, sizeof(cookie->dss.b));
	buf_put(out, cookie->uss.b, sizeof(cookie->uss.b));
	buf_put_u64(out, cookie->expires);
	put_text(out, cookie->version);
	put_text(out, cookie->name);
}

/* The sealed bytes of a whole content. */
static everr_t seal(const struct wsus_cookies *cookies, const uint8_t *plain,
		    size_t len, struct buf *out)
{
	uint8_t nonce[NONCE_LEN];
	size_t sealed_len = len + TAG_LEN;
	uint8_t *sealed = NULL;
	int rc;

	rc = gnutls_rnd(GNUTLS_RND_NONCE, nonce, sizeof(nonce));
	if (rc != 0) {
		return EVERR_IO;
	}
	buf_put(out, cookies->head, HEAD_LEN);
	buf_put(out, nonce, sizeof(nonce));
	sealed = buf_extend(out, sealed_len);
	if (sealed == NULL) {
		return buf_error(out);
	}
	rc = gnutls_aead_cipher_encrypt(cookies->cipher, nonce, sizeof(nonce),
					cookies->head, HEAD_LEN, TAG_LEN, plain,
					len, sealed, &sealed_len);
	return rc == 0 ? EVERR_OK : EVERR_IO;
}

everr_t wsus_cookie_seal(const struct wsus_cookies *cookies,
			 const struct wsus_cookie *cookie, struct buf *out)
{
	struct buf plain;
	everr_t err;

	buf_init(&plain, out->mem_ctx, WSUS_COOKIE_MAX);
	put_content(&plain, cookie);
	err = buf_error(&plain);
	if (err == EVERR_OK) {
		err = seal(cookies, plain.data, plain.len, out);
	}
	buf_free(&plain);
	return err;
}

/* A text of at most max bytes; NULL: there is none. */
static const uint8_t *get_text(const uint8_t *p, const uint8_t *end, char *text,
			       size_t max)
{
	size_t len;

	if (p == NULL || p == end || *p > max ||
	    (size_t)(end - p - 1) < (size_t)*p) {
		return NULL;
	}
	len = *p;
	memcpy(text, p + 1, len);
	text[len] = '\0';
	return p + 1 + len;
}

static everr_t get_content(const uint8_t *p, size_t len,
			   struct wsus_cookie *ret_cookie)
{
	const uint8_t *end = p + len;
	struct wsus_cookie cookie = {};

	if (len < 1 + 16 + 16 + 8) {
		return EVERR_AUTH;
	}
	cookie.kind = p[0];
	memcpy(cookie.dss.b, p + 1, 16);
	memcpy(cookie.uss.b, p + 17, 16);
	cookie.expires = le64_get(p + 33);
	p = get_text(p + 41, end, cookie.version, WSUS_COOKIE_VERSION_MAX);
	p = get_text(p, end, cookie.name, WSUS_COOKIE_NAME_MAX);
	if (p != end) {
		return EVERR_AUTH;
	}
	*ret_cookie = cookie;
	return EVERR_OK;
}

everr_t wsus_cookie_open(const struct wsus_cookies *cookies,
			 enum wsus_cookie_kind kind, const uint8_t *data,
			 size_t len, struct wsus_cookie *ret_cookie)
{
	uint8_t plain[WSUS_COOKIE_MAX];
	size_t plain_len = sizeof(plain);
	struct wsus_cookie cookie;
	everr_t err;
	int rc;

	if (len < SEALED_MIN || len > WSUS_COOKIE_MAX ||
	    memcmp(data, cookies->head, HEAD_LEN) != 0) {
		return EVERR_AUTH;
	}
	rc = gnutls_aead_cipher_decrypt(
		cookies->cipher, data + HEAD_LEN, NONCE_LEN, data, HEAD_LEN,
		TAG_LEN, data + HEAD_LEN + NONCE_LEN,
		len - HEAD_LEN - NONCE_LEN, plain, &plain_len);
	if (rc != 0) {
		return EVERR_AUTH;
	}
	err = get_content(plain, plain_len, &cookie);
	if (err != EVERR_OK || cookie.kind != kind) {
		return EVERR_AUTH;
	}
	*ret_cookie = cookie;
	return EVERR_OK;
}
