/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/ccm_message.h"
#include "soap/ccm_signature.h"
#include "tests/soap/ccm_layout.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#define SHA256_OID "1.2.840.113549.1.1.11"
#define SHA1_OID "1.2.840.113549.1.1.5"

/*
 * By OpenSSL 3.0.19: genrsa 1024, dgst -sha256 -sign and -sha1 -sign of the
 * SourceID in UTF-16LE with its NUL and of "<Report/>" with NUL and CRLF,
 * dgst -sha256 -sign of the text <Data SMSID="">x</Data> in UTF-16LE, req -new
 * -x509; sha256sum of the modulus and 01 00 01.
 */
#define OPENSSL_PUBLIC_KEY                                               \
	"0602000000A40000525341310004000001000100DBA954B1C951461FB98DEE" \
	"6454A18CA785BE1A84E502550D525D92AFED9890D430AD1624751DD9B0E56F" \
	"45C0BD5362E31217997A4162101167D10B29835BFAE099278F8336768D547D" \
	"816780166F9C73E62D296FA5B0C2B7B5761018867AF27097D5AFD00DEEB72E" \
	"F749BD9B634C36E05640ECA0E50033D4FBD6A750333BE7BD"
#define OPENSSL_ID_SHA256                                                \
	"48A75B1970969D5C7FBA8CFEA3305ED99E5A58814E017B33BC0365E61F332C" \
	"AEF1B918029E9928F0FA47BFEF15E2A5B027D44A2C9ADC63A9FB916BB103D0" \
	"46207645CAB1568D9653D9447E4CEF22D4A4F536A094614D7379A91F749461" \
	"DEFCF35B44A30984940EE5A1C4EFF3F56C5A5D6C11AFFDF8E54A1A49270DAC" \
	"9AF5887C"
#define OPENSSL_PAYLOAD_SHA256                                           \
	"3994F59E8B96E356C39598DB36B8EE1D09DD93EC3BC021B08188634C7D8F3E" \
	"5FC5C97D04E2CC76D91EF0D01EC85DB0E85050A9218BB6EFE66B0480BF7641" \
	"551D0DE2746EE663D126AB878805FCF08FF74BEEE4F82DF725552C2AC69A3C" \
	"0F3B1963774F3F7714D26B69E26A560263115F5CE89F0D1A3D357EB19927AA" \
	"CB750339"
#define OPENSSL_ID_SHA1                                                  \
	"673C2212743133F790A8FF0451A4B23ABAC92D08D09959089AD8E8A283CFBF" \
	"21B154E2ABFBA32757937ECE81930A84D52AA172EC54909B06B159F5CC2EB4" \
	"6403C3BCCC41D568F17D0414ED09FD3D6A310F245E28E70A5FC7334BB198FC" \
	"89E7AF02444010573C11785AB2D79171BDC3A2880956EE5EB70708B9EACAAA" \
	"BAE80A76"
#define OPENSSL_PAYLOAD_SHA1                                             \
	"60B3F665228DF97746BC6EB8A953DE26983C3ED06AE6700C70F81E59B3269C" \
	"F5D6194519B3776BF4F1D8A9A34E078AD0C6C7C060CB35B24EE6DFE082BA7D" \
	"95DAFA35B3CE522969A2D0EB0A276FDFA93BA9672C88474AFBF6E224C26EE7" \
	"24480E25AACEBBEEADC6CA72696876D140852F0A187119C2CF92B1A82877E8" \
	"C3688032"
#define OPENSSL_CERTIFICATE                                              \
	"308202143082017DA003020102021440CE1FC8322DE0CB864F44DA7087300A" \
	"1A8A9A56300D06092A864886F70D01010B0500301B3119301706035504030C" \
	"10436F6E6669674D677220436C69656E743020170D32363131323230333430" \
	"33305A180F32313236313032393033343033305A301B311930170603550403" \
	"0C10436F6E6669674D677220436C69656E7430819F300D06092A864886F70D" \
	"010101050003818D0030818902818100BDE73B3350A7D6FBD43300E5A0EC40" \
	"56E0364C639BBD49F72EB7EE0DD0AFD59770F27A86181076B5B7C2B0A56F29" \
	"2DE6739C6F168067817D548D7636838F2799E0FA5B83290BD167111062417A" \
	"991712E36253BDC0456FE5B0D91D752416AD30D49098EDAF925D520D5502E5" \
	"841ABE85A78CA15464EE8DB91F4651C9B154A9DB0203010001A3533051301D" \
	"0603551D0E04160414CE4411853B16D1DD4484F026A426281641C00684301F" \
	"0603551D23041830168014CE4411853B16D1DD4484F026A426281641C00684" \
	"300F0603551D130101FF040530030101FF300D06092A864886F70D01010B05" \
	"0003818100256A7048BE0EAC1B17272995C50BF45E98DB2D55AB759B341B16" \
	"FE1B0EDCEA6D0D33C3CD88219E96B291DC5AB99EC6A329874ED96CD92D5BF1" \
	"7F7979E37CFE0FD26FB879A48CE756E6580C3B98A5713C68086FAB56E19239" \
	"5FBA41181D6AAD3E14FFA8365D19F99947AFAFB0E00DAC7E005E22A00E1792" \
	"0C948A0F74AB745B91"
#define OPENSSL_DATA_SHA256                                              \
	"A25CA43A59485A4E462F39111FC226F2D0E8BA66DEE78E22EF0667A5DDCF22" \
	"09893D9CDB97B6A8A31AF3878FD4106B186928B3BAC134ED50A834DB63F557" \
	"1719B2D3CE71767F7610B8093A9D0FDEB72D65F8C4B83A76CFA138FBACFF1E" \
	"412B2B567AABAB73A5088C124235FDDFA646EF753B138671362290033A26C0" \
	"BA52D064"
#define OPENSSL_KEY_HASH                                                 \
	"93aef2c4206c507d364683aca8c824817446ae08d0621cf82d06d435cd4996" \
	"8d"

/* --------------------------------------------------------------- messages */

struct signer {
	gnutls_privkey_t key;
	char *blob;
};

static char *hex_of(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	char *text = talloc_array(mem_ctx, char, 2 * len + 1);
	size_t i;

	for (i = 0; i < len; i++) {
		snprintf(text + 2 * i, 3, "%02X", data[i]);
	}
	text[2 * len] = '\0';
	return text;
}

static char *reversed_hex(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	uint8_t *copy = talloc_array(mem_ctx, uint8_t, len);
	size_t i;

	for (i = 0; i < len; i++) {
		copy[i] = data[len - 1 - i];
	}
	return hex_of(mem_ctx, copy, len);
}

/* A PUBLICKEYBLOB of these numbers, big endian. */
static char *blob_of(TALLOC_CTX *mem_ctx, gnutls_datum_t m, uint32_t exponent)
{
	struct buf head;

	while (m.size > 0 && m.data[0] == 0) {
		m.data++;
		m.size--;
	}
	buf_init(&head, mem_ctx, 64);
	buf_put(&head, "\x06\x02\0\0\0\xA4\0\0RSA1", 12);
	buf_put_u32(&head, m.size * 8);
	buf_put_u32(&head, exponent);
	return talloc_asprintf(mem_ctx, "%s%s",
			       hex_of(mem_ctx, head.data, head.len),
			       reversed_hex(mem_ctx, m.data, m.size));
}

static struct signer make_signer(TALLOC_CTX *mem_ctx, unsigned int bits)
{
	gnutls_datum_t m, e, d, p, q, u;
	struct signer signer;

	assert_int_equal(gnutls_privkey_init(&signer.key), 0);
	assert_int_equal(
		gnutls_privkey_generate(signer.key, GNUTLS_PK_RSA, bits, 0), 0);
	assert_int_equal(gnutls_privkey_export_rsa_raw(signer.key, &m, &e, &d,
						       &p, &q, &u, NULL, NULL),
			 0);
	signer.blob = blob_of(mem_ctx, m, 65537);
	gnutls_free(m.data);
	gnutls_free(e.data);
	gnutls_free(d.data);
	gnutls_free(p.data);
	gnutls_free(q.data);
	gnutls_free(u.data);
	return signer;
}

static char *sign(TALLOC_CTX *mem_ctx, const struct signer *signer,
		  gnutls_digest_algorithm_t hash, const void *data, size_t len)
{
	const gnutls_datum_t datum = {(void *)data, (unsigned int)len};
	gnutls_datum_t signature = {NULL, 0};
	char *hex = NULL;

	assert_int_equal(gnutls_privkey_sign_data(signer->key, hash, 0, &datum,
						  &signature),
			 0);
	hex = reversed_hex(mem_ctx, signature.data, signature.size);
	gnutls_free(signature.data);
	return hex;
}

static struct buf signed_id(TALLOC_CTX *mem_ctx)
{
	struct buf text;

	buf_init(&text, mem_ctx, 1024);
	layout_utf16(&text, LAYOUT_SOURCE);
	buf_put_u16(&text, 0);
	return text;
}

/* A message that the signer has signed; its payload is deflated. */
static struct ccm_message *signed_message(TALLOC_CTX *mem_ctx,
					  const struct signer *signer,
					  bool sha1)
{
	struct ccm_message *message = talloc_zero(mem_ctx, struct ccm_message);
	gnutls_digest_algorithm_t hash =
		sha1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256;
	struct buf payload = layout_sdk_payload(mem_ctx);
	struct buf id = signed_id(mem_ctx);

	payload = layout_deflate(mem_ctx, payload.data, payload.len, 6, 15);
	message->message.source_id = LAYOUT_SOURCE;
	message->transmitted = payload.data;
	message->transmitted_len = payload.len;
	message->authentication = (struct ccm_authentication){
		.public_key = signer->blob,
		.client_id_signature =
			sign(mem_ctx, signer, hash, id.data, id.len),
		.payload_signature =
			sign(mem_ctx, signer, hash, payload.data, payload.len),
		.hash_algorithm = sha1 ? SHA1_OID : SHA256_OID,
	};
	return message;
}

static enum bridge_signature verify(const struct ccm_message *message)
{
	uint8_t key[32];

	return ccm_message_verify(message, key);
}

static void test_a_signed_message_is_self_asserted(void **state)
{
	static const unsigned int sizes[] = {1024, 2048, 3072};
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct signer signer = make_signer(*state, sizes[i]);

		assert_int_equal(verify(signed_message(*state, &signer, false)),
				 BRIDGE_SIGNATURE_SELF_ASSERTED);
		assert_int_equal(verify(signed_message(*state, &signer, true)),
				 BRIDGE_SIGNATURE_SELF_ASSERTED);
		gnutls_privkey_deinit(signer.key);
	}
}

static struct ccm_message *openssl_message(TALLOC_CTX *mem_ctx)
{
	struct ccm_message *message = talloc_zero(mem_ctx, struct ccm_message);
	struct buf payload;

	buf_init(&payload, mem_ctx, 1024);
	layout_utf16(&payload, "<Report/>");
	buf_put(&payload, "\0\0\r\n", 4);
	message->message.source_id = LAYOUT_SOURCE;
	message->transmitted = payload.data;
	message->transmitted_len = payload.len;
	message->authentication = (struct ccm_authentication){
		.public_key = OPENSSL_PUBLIC_KEY,
		.client_id_signature = OPENSSL_ID_SHA256,
		.payload_signature = OPENSSL_PAYLOAD_SHA256,
		.hash_algorithm = SHA256_OID,
	};
	return message;
}

static void test_what_openssl_signed_is_right(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	struct ccm_authentication *by = &message->authentication;
	uint8_t key[32];

	assert_int_equal(ccm_message_verify(message, key),
			 BRIDGE_SIGNATURE_SELF_ASSERTED);
	assert_int_equal(strcasecmp(hex_of(*state, key, 32), OPENSSL_KEY_HASH),
			 0);
	/* A signature of another algorithm than the one that is named. */
	by->hash_algorithm = SHA1_OID;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	by->client_id_signature = OPENSSL_ID_SHA1;
	by->payload_signature = OPENSSL_PAYLOAD_SHA1;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_SELF_ASSERTED);
	/* Old clients name none. */
	by->hash_algorithm = NULL;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_SELF_ASSERTED);
	by->client_id_signature = OPENSSL_ID_SHA256;
	by->payload_signature = OPENSSL_PAYLOAD_SHA256;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_SELF_ASSERTED);
}

static void test_an_unsigned_message_has_no_signature(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	uint8_t key[32];
	uint8_t zero[32] = {0};

	message->authentication = (struct ccm_authentication){
		.hash_algorithm = "1.2.3",
		.sender_machine = "PC01",
		.token = true,
	};
	memset(key, 0xAA, sizeof(key));
	assert_int_equal(ccm_message_verify(message, key),
			 BRIDGE_SIGNATURE_NONE);
	assert_memory_equal(key, zero, 32);
}

static void test_an_unknown_algorithm_is_not_checked(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	uint8_t key[32];

	message->authentication.hash_algorithm = "1.2.840.113549.1.1.12";
	assert_int_equal(ccm_message_verify(message, key),
			 BRIDGE_SIGNATURE_NOT_CHECKED);
	/* Who it says it is from can be told. */
	assert_int_equal(strcasecmp(hex_of(*state, key, 32), OPENSSL_KEY_HASH),
			 0);
}

static void test_both_signatures_and_the_key_are_needed(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	struct ccm_authentication whole = message->authentication;

	message->authentication.public_key = NULL;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	message->authentication = whole;
	message->authentication.client_id_signature = NULL;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	message->authentication = whole;
	message->authentication.payload_signature = NULL;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	message->authentication = whole;
	message->authentication.payload_signature = whole.client_id_signature;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	message->authentication = whole;
	message->message.source_id = NULL;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
}

/* ------------------------------------------------------------ what is wrong */

static void test_another_source_id_or_payload_is_invalid(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	uint8_t *payload = talloc_memdup(*state, message->transmitted,
					 message->transmitted_len);
	size_t i;

	message->message.source_id = "GUID:01234567-89AB-CDEF-0123-"
				     "456789ABCDEE";
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	message->message.source_id = LAYOUT_SOURCE;

	message->transmitted = payload;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_SELF_ASSERTED);
	for (i = 0; i < message->transmitted_len; i++) {
		payload[i] ^= 1;
		assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
		payload[i] ^= 1;
	}
	message->transmitted_len--;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
}

/* Each digit of a hexadecimal text changed to another one. */
static void each_digit_counts(void **state, struct ccm_message *message,
			      const char **field)
{
	const char *right = *field;
	char *text = talloc_strdup(*state, right);
	size_t i;

	*field = text;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_SELF_ASSERTED);
	for (i = 0; right[i] != '\0'; i++) {
		text[i] = right[i] == '0' ? '1' : '0';
		if (verify(message) != BRIDGE_SIGNATURE_INVALID) {
			fail_msg("digit %zu", i);
		}
		text[i] = right[i];
	}
	*field = right;
}

static void test_each_digit_of_a_signature_counts(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	struct ccm_authentication *by = &message->authentication;

	each_digit_counts(state, message, &by->client_id_signature);
	each_digit_counts(state, message, &by->payload_signature);
}

static void test_each_digit_of_a_key_counts(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	const char *right = message->authentication.public_key;
	char *text = talloc_strdup(*state, right);
	size_t i;

	message->authentication.public_key = text;
	for (i = 0; right[i] != '\0'; i++) {
		/* BLOBHEADER.reserved and the low byte of CALG's high half. */
		bool ignored = i >= 4 && i < 8;

		text[i] = right[i] == '0' ? '1' : '0';
		if (verify(message) != (ignored ? BRIDGE_SIGNATURE_SELF_ASSERTED
						: BRIDGE_SIGNATURE_INVALID)) {
			fail_msg("digit %zu", i);
		}
		text[i] = right[i];
	}
}

static void test_malformed_digits_are_invalid(void **state)
{
	static const char *const bad[] = {"",	 "0",	 "zz",
					  " 00", "0x00", "00 00"};
	struct ccm_message *message = openssl_message(*state);
	struct ccm_authentication whole = message->authentication;
	char *longer = NULL;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		message->authentication = whole;
		message->authentication.public_key = bad[i];
		assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
		message->authentication = whole;
		message->authentication.client_id_signature = bad[i];
		assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
		message->authentication = whole;
		message->authentication.payload_signature = bad[i];
		assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	}
	/* With zeros in front (behind, as it is reversed) it is another. */
	message->authentication = whole;
	longer = talloc_asprintf(*state, "%s00", whole.payload_signature);
	message->authentication.payload_signature = longer;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	longer = talloc_array(*state, char, 100001);
	memset(longer, '0', 100000);
	longer[100000] = '\0';
	message->authentication.payload_signature = longer;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
	message->authentication.public_key = longer;
	assert_int_equal(verify(message), BRIDGE_SIGNATURE_INVALID);
}

static void key_is_refused(void **state, const uint8_t *modulus, size_t len,
			   uint32_t exponent)
{
	struct ccm_message *message = openssl_message(*state);
	gnutls_datum_t m = {(uint8_t *)modulus, (unsigned int)len};
	uint8_t key[32];
	uint8_t zero[32] = {0};

	message->authentication.public_key = blob_of(*state, m, exponent);
	assert_int_equal(ccm_message_verify(message, key),
			 BRIDGE_SIGNATURE_INVALID);
	assert_memory_equal(key, zero, 32);
}

static void test_keys_that_prove_nothing_are_refused(void **state)
{
	uint8_t *modulus = talloc_array(*state, uint8_t, 4096);

	memset(modulus, 0xFF, 4096);
	key_is_refused(state, modulus, 127, 65537);
	key_is_refused(state, modulus, 2049, 65537);
	key_is_refused(state, modulus, 128, 0);
	key_is_refused(state, modulus, 128, 1);
	key_is_refused(state, modulus, 128, 65536);
	modulus[127] = 0xFE;
	key_is_refused(state, modulus, 128, 65537);
	key_is_refused(state, modulus, 0, 65537);
	/* 1023 bits. */
	modulus[127] = 0xFF;
	modulus[0] = 0x7F;
	key_is_refused(state, modulus, 128, 65537);
}

/* 2048 bytes of modulus and the longest exponent that a blob holds. */
static void test_the_largest_key_is_checked_in_time(void **state)
{
	struct ccm_message *message = openssl_message(*state);
	uint8_t *modulus = talloc_array(*state, uint8_t, 2048);
	gnutls_datum_t m = {modulus, 2048};
	uint8_t key[32];
	uint8_t zero[32] = {0};

	memset(modulus, 0xFF, 2048);
	message->authentication.public_key = blob_of(*state, m, 0xFFFFFFFF);
	modulus[0] = 0x7F;
	message->authentication.client_id_signature =
		reversed_hex(*state, modulus, 2048);
	assert_int_equal(ccm_message_verify(message, key),
			 BRIDGE_SIGNATURE_INVALID);
	assert_memory_not_equal(key, zero, 32);
}

/* ----------------------------------------------------------- registrations */

static struct buf unhex(TALLOC_CTX *mem_ctx, const char *hex)
{
	struct buf out;

	buf_init(&out, mem_ctx, 1 << 16);
	assert_int_equal(ccm_hex_decode(&out, hex), EVERR_OK);
	return out;
}

static struct buf utf16(TALLOC_CTX *mem_ctx, const char *ascii)
{
	struct buf out;

	buf_init(&out, mem_ctx, 1 << 16);
	layout_utf16(&out, ascii);
	return out;
}

static void test_a_certificate_has_the_key_of_its_messages(void **state)
{
	struct buf der = unhex(*state, OPENSSL_CERTIFICATE);
	uint8_t key[32];
	size_t i;

	assert_int_equal(ccm_certificate_key(der.data, der.len, key), EVERR_OK);
	assert_int_equal(strcasecmp(hex_of(*state, key, 32), OPENSSL_KEY_HASH),
			 0);
	memset(key, 0xAA, 32);
	for (i = 0; i < der.len; i++) {
		uint8_t *copy = talloc_memdup(*state, der.data, i);

		assert_int_equal(ccm_certificate_key(copy, i, key), EVERR_TEXT);
		talloc_free(copy);
	}
	assert_int_equal(key[0], 0xAA);
	assert_int_equal(
		ccm_certificate_key(der.data, CCM_CERTIFICATE_MAX + 1, key),
		EVERR_LIMIT);
}

static void test_a_registration_is_checked_by_its_certificate(void **state)
{
	struct buf der = unhex(*state, OPENSSL_CERTIFICATE);
	struct buf text =
		utf16(*state, "<R><Data SMSID=\"\">x</Data><Signature/></R>");
	const uint8_t *data = NULL;
	size_t len = 0;
	size_t i;

	assert_true(ccm_element(text.data, text.len, "Data", &data, &len));
	assert_int_equal(
		ccm_signature_verify_text(der.data, der.len, SHA256_OID,
					  OPENSSL_DATA_SHA256, data, len),
		BRIDGE_SIGNATURE_SELF_ASSERTED);
	assert_int_equal(ccm_signature_verify_text(der.data, der.len, "1.2.3",
						   OPENSSL_DATA_SHA256, data,
						   len),
			 BRIDGE_SIGNATURE_NOT_CHECKED);
	assert_int_equal(ccm_signature_verify_text(der.data, der.len,
						   SHA256_OID, "00", data, len),
			 BRIDGE_SIGNATURE_INVALID);
	assert_int_equal(ccm_signature_verify_text(der.data, 10, SHA256_OID,
						   OPENSSL_DATA_SHA256, data,
						   len),
			 BRIDGE_SIGNATURE_INVALID);
	for (i = 0; i < text.len; i++) {
		text.data[i] ^= 1;
		assert_int_equal(
			ccm_signature_verify_text(der.data, der.len, NULL,
						  OPENSSL_DATA_SHA256, data,
						  len),
			i >= 6 && i < 6 + len ? BRIDGE_SIGNATURE_INVALID
					      : BRIDGE_SIGNATURE_SELF_ASSERTED);
		text.data[i] ^= 1;
	}
}

static void element_is(void **state, const char *ascii, const char *expected)
{
	struct buf text = utf16(*state, ascii);
	struct buf wide = utf16(*state, expected != NULL ? expected : "");
	const uint8_t *data = NULL;
	size_t len = 0;

	assert_int_equal(ccm_element(text.data, text.len, "Data", &data, &len),
			 expected != NULL);
	if (expected != NULL) {
		assert_int_equal(len, wide.len);
		assert_memory_equal(data, wide.data, len);
	}
}

static void test_an_elements_bytes_are_found_in_utf16(void **state)
{
	element_is(state, "<a><Data x=''>1</Data></a>", "<Data x=''>1</Data>");
	element_is(state, "<a><DataX>0</DataX><Data>1</Data></a>",
		   "<Data>1</Data>");
	element_is(state, "<Data\n>1</DataX></Data>",
		   "<Data\n>1</DataX></Data>");
	element_is(state, "<?xml version='1.0'?><Data>1</Data>",
		   "<Data>1</Data>");
	element_is(state, "<Data>1</Data", NULL);
	element_is(state, "<Data>1", NULL);
	element_is(state, "</Data><Data>", NULL);
	element_is(state, "<data>1</data>", NULL);
	element_is(state, "", NULL);
}

/* What was signed, hidden where the XML's reader doesn't look. */
static void test_an_element_that_may_be_another_is_not_found(void **state)
{
	element_is(state, "<a><!--<Data>1</Data>--><Data>2</Data></a>", NULL);
	element_is(state, "<a><!--<Data>1</Data>--><Data/></a>", NULL);
	element_is(state, "<a><!--<Data>1</Data>--><b/></a>", NULL);
	element_is(state, "<a><![CDATA[<Data>1</Data>]]><Data/></a>", NULL);
	element_is(state, "<a><?p <Data>1</Data>?><Data/></a>", NULL);
	element_is(state, "<?xml?><?p <Data>1</Data>?><Data/>", NULL);
	element_is(state, "<a xmlns:x='x'><x:Data/><Data>1</Data></a>", NULL);
	element_is(state, "<a><Data/><Data>1</Data></a>", NULL);
	element_is(state, "<a><Data>1<Data>2</Data></Data></a>", NULL);
	element_is(state, "<a><Data>1</Data ></a>", NULL);
}

static void test_hexadecimal_is_read_whole_or_not(void **state)
{
	struct buf out;

	buf_init(&out, *state, 4);
	assert_int_equal(ccm_hex_decode(&out, "00aF"), EVERR_OK);
	assert_int_equal(out.len, 2);
	assert_memory_equal(out.data, "\x00\xAF", 2);
	assert_int_equal(ccm_hex_decode(&out, "0g"), EVERR_TEXT);
	assert_int_equal(ccm_hex_decode(&out, "0"), EVERR_TEXT);
	assert_int_equal(out.len, 2);
	assert_int_equal(ccm_hex_decode(&out, "112233"), EVERR_LIMIT);
	assert_int_equal(out.len, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_signed_message_is_self_asserted),
		leak_test(test_what_openssl_signed_is_right),
		leak_test(test_an_unsigned_message_has_no_signature),
		leak_test(test_an_unknown_algorithm_is_not_checked),
		leak_test(test_both_signatures_and_the_key_are_needed),
		leak_test(test_another_source_id_or_payload_is_invalid),
		leak_test(test_each_digit_of_a_signature_counts),
		leak_test(test_each_digit_of_a_key_counts),
		leak_test(test_malformed_digits_are_invalid),
		leak_test(test_keys_that_prove_nothing_are_refused),
		leak_test(test_the_largest_key_is_checked_in_time),
		leak_test(test_a_certificate_has_the_key_of_its_messages),
		leak_test(test_a_registration_is_checked_by_its_certificate),
		leak_test(test_an_elements_bytes_are_found_in_utf16),
		leak_test(test_an_element_that_may_be_another_is_not_found),
		leak_test(test_hexadecimal_is_read_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
