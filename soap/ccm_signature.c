/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_signature.h"

#include "base/text.h"
#include "soap/ccm_message.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

/* A CAPI PUBLICKEYBLOB's head, and all of the longest. */
#define BLOB_HEAD 20
#define BLOB_MAX (BLOB_HEAD + CCM_KEY_BITS_MAX / 8)

/* BLOBHEADER: PUBLICKEYBLOB, version 2; then the algorithm and "RSA1". */
#define BLOB_TYPE 0x06
#define BLOB_VERSION 0x02
#define CALG_RSA_KEYX 0x0000A400
#define CALG_RSA_SIGN 0x00002400
#define BLOB_RSA1 0x31415352

/* A longer public exponent only makes checking slow. */
#define EXPONENT_MAX 8

/* Big endian, without leading zeros. */
struct rsa_key {
	gnutls_datum_t modulus;
	gnutls_datum_t exponent;
};

static const struct {
	const char *oid;
	gnutls_sign_algorithm_t sign;
} algorithms[] = {
	{"1.2.840.113549.1.1.11", GNUTLS_SIGN_RSA_SHA256},
	/* Clients of 2007 [unverified]. */
	{"1.2.840.113549.1.1.5", GNUTLS_SIGN_RSA_SHA1},
};

#define NUM_ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

/* A client that doesn't say which one may use any of them. */
static bool algorithm_is(size_t i, const char *oid)
{
	return oid == NULL || strcmp(oid, algorithms[i].oid) == 0;
}

static bool algorithm_known(const char *oid)
{
	size_t i;

	for (i = 0; i < NUM_ALGORITHMS; i++) {
		if (algorithm_is(i, oid)) {
			return true;
		}
	}
	return false;
}

/* -------------------------------------------------------------- hexadecimal */

everr_t ccm_hex_decode(struct buf *out, const char *hex)
{
	size_t len = strlen(hex);
	size_t old_len = out->len;
	uint8_t *p = NULL;
	size_t i;

	if (len % 2 != 0) {
		return EVERR_TEXT;
	}
	p = buf_extend(out, len / 2);
	if (p == NULL) {
		return buf_error(out);
	}
	for (i = 0; i < len; i += 2) {
		int high = text_hex_digit(hex[i]);
		int low = text_hex_digit(hex[i + 1]);

		if (high < 0 || low < 0) {
			buf_truncate(out, old_len);
			return EVERR_TEXT;
		}
		p[i / 2] = (uint8_t)(high << 4 | low);
	}
	return EVERR_OK;
}

static void reverse(uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len / 2; i++) {
		uint8_t first = data[i];

		data[i] = data[len - 1 - i];
		data[len - 1 - i] = first;
	}
}

/* -------------------------------------------------------------------- keys */

static void skip_zeros(gnutls_datum_t *number)
{
	while (number->size > 0 && number->data[0] == 0) {
		number->data++;
		number->size--;
	}
}

static unsigned int num_bits(const gnutls_datum_t *number)
{
	unsigned int bits = number->size * 8;
	unsigned int mask = 0x80;

	while (mask > 0 && (number->data[0] & mask) == 0) {
		bits--;
		mask >>= 1;
	}
	return bits;
}

/* Bring it to its form; false: not a key that is worked with. */
static bool key_accept(struct rsa_key *key)
{
	gnutls_datum_t *modulus = &key->modulus;
	gnutls_datum_t *exponent = &key->exponent;

	skip_zeros(modulus);
	skip_zeros(exponent);
	if (modulus->size == 0 || modulus->size > CCM_KEY_BITS_MAX / 8 ||
	    num_bits(modulus) < CCM_KEY_BITS_MIN) {
		return false;
	}
	/* Both odd; by an exponent of 1 anything would be a signature. */
	return (modulus->data[modulus->size - 1] & 1) == 1 &&
	       exponent->size > 0 && exponent->size <= EXPONENT_MAX &&
	       (exponent->data[exponent->size - 1] & 1) == 1 &&
	       (exponent->size > 1 || exponent->data[0] > 1);
}

/* The key points into the blob, whose numbers are turned around. */
static bool key_from_blob(uint8_t *blob, size_t len, struct rsa_key *key)
{
	uint32_t algorithm, bits;

	if (len <= BLOB_HEAD || blob[0] != BLOB_TYPE ||
	    blob[1] != BLOB_VERSION || le32_get(blob + 8) != BLOB_RSA1) {
		return false;
	}
	algorithm = le32_get(blob + 4);
	bits = le32_get(blob + 12);
	if ((algorithm != CALG_RSA_KEYX && algorithm != CALG_RSA_SIGN) ||
	    bits % 8 != 0 || bits / 8 != len - BLOB_HEAD) {
		return false;
	}
	reverse(blob + 16, 4);
	reverse(blob + BLOB_HEAD, len - BLOB_HEAD);
	key->exponent = (gnutls_datum_t){blob + 16, 4};
	key->modulus = (gnutls_datum_t){blob + BLOB_HEAD,
					(unsigned int)(len - BLOB_HEAD)};
	return key_accept(key);
}

static everr_t gnutls_copy(TALLOC_CTX *mem_ctx, gnutls_datum_t *number)
{
	unsigned char *copy =
		talloc_memdup(mem_ctx, number->data, number->size);

	gnutls_free(number->data);
	number->data = copy;
	return copy != NULL ? EVERR_OK : EVERR_NOMEM;
}

static everr_t crt_key(TALLOC_CTX *mem_ctx, gnutls_x509_crt_t crt,
		       const uint8_t *der, size_t len, struct rsa_key *key)
{
	gnutls_datum_t data = {(uint8_t *)der, (unsigned int)len};
	everr_t err, err2;
	int rc;

	rc = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER);
	if (rc == 0) {
		rc = gnutls_x509_crt_get_pk_rsa_raw(crt, &key->modulus,
						    &key->exponent);
	}
	if (rc != 0) {
		return rc == GNUTLS_E_MEMORY_ERROR ? EVERR_NOMEM : EVERR_TEXT;
	}
	err = gnutls_copy(mem_ctx, &key->modulus);
	err2 = gnutls_copy(mem_ctx, &key->exponent);
	if (err != EVERR_OK || err2 != EVERR_OK) {
		return EVERR_NOMEM;
	}
	return key_accept(key) ? EVERR_OK : EVERR_TEXT;
}

/* The key's numbers are children of mem_ctx. */
static everr_t key_from_certificate(TALLOC_CTX *mem_ctx, const uint8_t *der,
				    size_t len, struct rsa_key *key)
{
	gnutls_x509_crt_t crt = NULL;
	everr_t err;

	if (len > CCM_CERTIFICATE_MAX) {
		return EVERR_LIMIT;
	}
	if (gnutls_x509_crt_init(&crt) != 0) {
		return EVERR_NOMEM;
	}
	err = crt_key(mem_ctx, crt, der, len, key);
	gnutls_x509_crt_deinit(crt);
	return err;
}

static everr_t key_hash(TALLOC_CTX *mem_ctx, const struct rsa_key *key,
			uint8_t ret_key[32])
{
	uint8_t hash[32];
	struct buf numbers;
	int rc;

	buf_init(&numbers, mem_ctx, BLOB_MAX);
	buf_put(&numbers, key->modulus.data, key->modulus.size);
	buf_put(&numbers, key->exponent.data, key->exponent.size);
	if (numbers.err != EVERR_OK) {
		return EVERR_NOMEM;
	}
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, numbers.data, numbers.len,
			      hash);
	buf_free(&numbers);
	if (rc != 0) {
		return EVERR_INTERNAL;
	}
	memcpy(ret_key, hash, sizeof(hash));
	return EVERR_OK;
}

everr_t ccm_certificate_key(const uint8_t *der, size_t len, uint8_t ret_key[32])
{
	TALLOC_CTX *frame = talloc_new(NULL);
	struct rsa_key key = {{NULL, 0}, {NULL, 0}};
	everr_t err;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	err = key_from_certificate(frame, der, len, &key);
	if (err == EVERR_OK) {
		err = key_hash(frame, &key, ret_key);
	}
	talloc_free(frame);
	return err;
}

/* -------------------------------------------------------------- signatures */

static bool verify_by(gnutls_pubkey_t pubkey, const char *oid,
		      const gnutls_datum_t *data, const gnutls_datum_t *sig)
{
	size_t i;
	int rc;

	for (i = 0; i < NUM_ALGORITHMS; i++) {
		if (!algorithm_is(i, oid)) {
			continue;
		}
		/* SHA-1 is asked for by name. */
		rc = gnutls_pubkey_verify_data2(pubkey, algorithms[i].sign,
						GNUTLS_VERIFY_ALLOW_BROKEN,
						data, sig);
		if (rc >= 0) {
			return true;
		}
	}
	return false;
}

/* Whether the signature, reversed and in hexadecimal, is right. */
static bool verify(TALLOC_CTX *mem_ctx, const struct rsa_key *key,
		   const char *oid, const uint8_t *data, size_t len,
		   const char *signature)
{
	const gnutls_datum_t datum = {(uint8_t *)data, (unsigned int)len};
	gnutls_datum_t sig;
	gnutls_pubkey_t pubkey = NULL;
	struct buf bytes;
	bool right = false;
	everr_t err;

	buf_init(&bytes, mem_ctx, CCM_KEY_BITS_MAX / 8);
	err = ccm_hex_decode(&bytes, signature);
	if (err != EVERR_OK || bytes.len != key->modulus.size) {
		return false;
	}
	reverse(bytes.data, bytes.len);
	sig = (gnutls_datum_t){bytes.data, (unsigned int)bytes.len};
	if (gnutls_pubkey_init(&pubkey) != 0) {
		return false;
	}
	if (gnutls_pubkey_import_rsa_raw(pubkey, &key->modulus,
					 &key->exponent) == 0) {
		right = verify_by(pubkey, oid, &datum, &sig);
	}
	gnutls_pubkey_deinit(pubkey);
	return right;
}

/* The signed form of a SourceID: UTF-16LE and a NUL. */
static bool verify_source_id(TALLOC_CTX *mem_ctx, const struct rsa_key *key,
			     const struct ccm_message *message)
{
	const struct ccm_authentication *by = &message->authentication;
	const char *id = message->message.source_id;
	struct buf text;

	if (id == NULL) {
		return false;
	}
	buf_init(&text, mem_ctx, 2 * CCM_HEADER_MAX);
	if (text_utf8_to_utf16(&text, id, strlen(id)) != EVERR_OK) {
		return false;
	}
	buf_put_u16(&text, 0);
	return text.err == EVERR_OK &&
	       verify(mem_ctx, key, by->hash_algorithm, text.data, text.len,
		      by->client_id_signature);
}

static enum bridge_signature verify_message(TALLOC_CTX *mem_ctx,
					    const struct ccm_message *message,
					    uint8_t ret_key[32])
{
	const struct ccm_authentication *by = &message->authentication;
	struct rsa_key key = {{NULL, 0}, {NULL, 0}};
	struct buf blob;
	bool usable;

	buf_init(&blob, mem_ctx, BLOB_MAX);
	usable = by->public_key != NULL &&
		 ccm_hex_decode(&blob, by->public_key) == EVERR_OK &&
		 key_from_blob(blob.data, blob.len, &key) &&
		 key_hash(mem_ctx, &key, ret_key) == EVERR_OK;
	if (!algorithm_known(by->hash_algorithm)) {
		return BRIDGE_SIGNATURE_NOT_CHECKED;
	}
	/* Either one alone would let the rest be exchanged. */
	if (!usable || by->client_id_signature == NULL ||
	    by->payload_signature == NULL ||
	    !verify_source_id(mem_ctx, &key, message) ||
	    !verify(mem_ctx, &key, by->hash_algorithm, message->transmitted,
		    message->transmitted_len, by->payload_signature)) {
		return BRIDGE_SIGNATURE_INVALID;
	}
	return BRIDGE_SIGNATURE_SELF_ASSERTED;
}

enum bridge_signature ccm_message_verify(const struct ccm_message *message,
					 uint8_t ret_key[32])
{
	const struct ccm_authentication *by = &message->authentication;
	enum bridge_signature signature;
	TALLOC_CTX *frame = NULL;

	memset(ret_key, 0, 32);
	if (by->public_key == NULL && by->client_id_signature == NULL &&
	    by->payload_signature == NULL) {
		return BRIDGE_SIGNATURE_NONE;
	}
	frame = talloc_new(message);
	if (frame == NULL) {
		return BRIDGE_SIGNATURE_INVALID;
	}
	signature = verify_message(frame, message, ret_key);
	talloc_free(frame);
	return signature;
}

enum bridge_signature ccm_signature_verify_text(const uint8_t *der, size_t len,
						const char *algorithm,
						const char *signature,
						const uint8_t *text,
						size_t text_len)
{
	struct rsa_key key = {{NULL, 0}, {NULL, 0}};
	TALLOC_CTX *frame = NULL;
	bool right;

	if (!algorithm_known(algorithm)) {
		return BRIDGE_SIGNATURE_NOT_CHECKED;
	}
	frame = talloc_new(NULL);
	if (frame == NULL) {
		return BRIDGE_SIGNATURE_INVALID;
	}
	right = key_from_certificate(frame, der, len, &key) == EVERR_OK &&
		verify(frame, &key, algorithm, text, text_len, signature);
	talloc_free(frame);
	return right ? BRIDGE_SIGNATURE_SELF_ASSERTED
		     : BRIDGE_SIGNATURE_INVALID;
}

/* ------------------------------------------------------------ signed texts */

/* ASCII as UTF-16LE: bytes of markup that is searched for. */
#define MARKUP_MAX 64
struct markup {
	uint8_t units[2 * MARKUP_MAX];
	size_t len;
};

static struct markup markup_of(const char *start, const char *name)
{
	struct markup markup = {.len = 0};
	size_t start_len = strlen(start);
	size_t num = start_len + strlen(name);
	size_t i;

	for (i = 0; i < num && i < MARKUP_MAX; i++) {
		markup.units[markup.len++] =
			(uint8_t)(i < start_len ? start[i]
						: name[i - start_len]);
		markup.units[markup.len++] = 0;
	}
	return markup;
}

/* Where it stands from there on, at a whole unit; NULL: nowhere. */
static const uint8_t *find(const uint8_t *data, size_t len, size_t from,
			   const struct markup *markup)
{
	const uint8_t *p = NULL;

	while (from < len) {
		p = memmem(data + from, len - from, markup->units, markup->len);
		if (p == NULL || (p - data) % 2 == 0) {
			return p;
		}
		from = (size_t)(p - data) + 1;
	}
	return NULL;
}

/* The same with the end of a name behind it. */
static const uint8_t *find_tag(const uint8_t *data, size_t len, size_t from,
			       const struct markup *markup)
{
	const uint8_t *p = NULL;

	while ((p = find(data, len, from, markup)) != NULL) {
		from = (size_t)(p - data) + markup->len;
		if (len - from >= 2 && data[from + 1] == 0 && data[from] != 0 &&
		    strchr(" \t\r\n/>", data[from]) != NULL) {
			return p;
		}
	}
	return NULL;
}

/*
 * Whether a reader of the XML could take another element for it, or find it
 * where it is none: in a comment, in CDATA, in an instruction, by a prefix.
 */
static bool is_ambiguous(const uint8_t *data, size_t len, const char *name)
{
	const struct markup declaration = markup_of("<!", "");
	const struct markup instruction = markup_of("<?", "");
	const struct markup prefixed = markup_of(":", name);
	const uint8_t *p = NULL;

	if (find(data, len, 0, &declaration) != NULL ||
	    find(data, len, 0, &prefixed) != NULL) {
		return true;
	}
	/* The XML declaration stands in front, perhaps behind a BOM. */
	p = find(data, len, 0, &instruction);
	return p != NULL && (p > data + 2 || find(data, len, 4, &instruction));
}

bool ccm_element(const uint8_t *data, size_t len, const char *name,
		 const uint8_t **ret_element, size_t *ret_len)
{
	const struct markup start_tag = markup_of("<", name);
	const struct markup end_tag = markup_of("</", name);
	const uint8_t *start = NULL;
	const uint8_t *end = NULL;

	start = find_tag(data, len, 0, &start_tag);
	if (start == NULL || is_ambiguous(data, len, name) ||
	    find_tag(data, len, (size_t)(start - data) + 2, &start_tag)) {
		return false;
	}
	end = find_tag(data, len, (size_t)(start - data), &end_tag);
	if (end == NULL || end[end_tag.len] != '>') {
		return false;
	}
	end += end_tag.len + 2;
	*ret_element = start;
	*ret_len = (size_t)(end - start);
	return true;
}
