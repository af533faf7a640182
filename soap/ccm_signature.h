/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CCM_SIGNATURE_H
#define EVENLOG_SOAP_CCM_SIGNATURE_H

/*
 * The signatures of ConfigMgr clients (facts, sections 4 and 5.4): RSA with
 * PKCS #1 v1.5, the signature's bytes reversed and in hexadecimal.  A message
 * is checked by ccm_message_verify(); here is what registration needs besides.
 */

#include "base/buf.h"
#include "bridge/configmgr.h"

/* Bits of a modulus; bytes of a certificate. */
#define CCM_KEY_BITS_MIN 1024
#define CCM_KEY_BITS_MAX 16384
#define CCM_CERTIFICATE_MAX (16 * 1024)

/*
 * Append what hexadecimal digits of either case stand for.
 *
 * EVERR_TEXT   an odd number of digits, or something else; out is as before
 * EVERR_LIMIT, EVERR_NOMEM  the buffer's own
 */
everr_t ccm_hex_decode(struct buf *out, const char *hex) EVERR_MUST_CHECK;

/*
 * The SHA-256 over modulus and exponent (big endian, no leading zeros) of an
 * X.509 certificate's RSA key: what ccm_message_verify() returns for a message
 * that is signed by it.
 *
 * EVERR_TEXT   not such a certificate, or a key that is not accepted
 * EVERR_LIMIT  longer than CCM_CERTIFICATE_MAX
 * EVERR_NOMEM
 */
everr_t ccm_certificate_key(const uint8_t *der, size_t len,
			    uint8_t ret_key[32]) EVERR_MUST_CHECK;

/*
 * Check the SignatureValue of a registration by the certificate that it
 * registers.  algorithm is the HashAlgorithm's OID, or NULL.  text is what was
 * signed, the bytes as they came: see ccm_element().
 *
 * BRIDGE_SIGNATURE_SELF_ASSERTED  right by the certificate
 * BRIDGE_SIGNATURE_INVALID        wrong, or certificate or digits malformed
 * BRIDGE_SIGNATURE_NOT_CHECKED    another algorithm
 */
enum bridge_signature ccm_signature_verify_text(const uint8_t *der, size_t len,
						const char *algorithm,
						const char *signature,
						const uint8_t *text,
						size_t text_len);

/*
 * The bytes of the one element of a name (of less than 60 characters) in a
 * UTF-16LE text, from "<name" to "</name>": what a client signed of it.  data
 * is from the start of the text (an even offset) and has been read as XML.
 *
 * false: it isn't there, it is there twice, or what the XML's reader took for
 * it may be something else: there are comments, CDATA, a prefixed element.
 */
bool ccm_element(const uint8_t *data, size_t len, const char *name,
		 const uint8_t **ret_element, size_t *ret_len);

#endif
