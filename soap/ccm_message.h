/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CCM_MESSAGE_H
#define EVENLOG_SOAP_CCM_MESSAGE_H

/*
 * A ConfigMgr message as it is on the wire (facts, sections 2 to 4): a
 * multipart body with a UTF-16 <Msg> header and a payload, perhaps deflated,
 * perhaps signed.  Pure functions.  All three orders of the header's elements
 * and the known senders' quirks about attachments are read.
 */

#include "base/buf.h"
#include "bridge/configmgr.h"

/* Bytes of the header part, parts of a body, attachments of a message. */
#define CCM_HEADER_MAX (1024 * 1024)
#define CCM_PARTS_MAX 16
#define CCM_ATTACHMENTS_MAX 256

enum ccm_reply_mode {
	CCM_REPLY_ASYNC,
	CCM_REPLY_SYNC
};

/* The clientauth hook's properties; hex as sent, NULL: not there. */
struct ccm_authentication {
	const char *public_key;
	const char *client_id_signature;
	const char *payload_signature;
	const char *hash_algorithm;
	const char *sender_machine;
	bool token; /* OSD or PXE token: counts as unauthenticated */
};

struct ccm_message {
	struct bridge_message message; /* parts point into payload */
	enum ccm_reply_mode reply_mode;
	bool reply_zlib; /* ReplyCompression */
	const char *reply_to;
	const char *target_host;
	const char *boundary; /* the answer uses it again */
	bool compressed;
	bool encrypted; /* a hook that we can't undo */
	struct ccm_authentication authentication;
	/* As transmitted (what PayloadSignature signs), and inflated. */
	const uint8_t *transmitted;
	size_t transmitted_len;
	const uint8_t *payload;
	size_t payload_len;
};

/*
 * Take a request apart.  content_type is the HTTP header's value.  body must
 * stay while the message is used.
 *
 * EVERR_TEXT   malformed; EVERR_LIMIT  beyond payload_max or another limit;
 * EVERR_NOT_SUPPORTED  encrypted.  *ret_reason (child of mem_ctx) says what
 * and where; *ret_message is set as far as the header could be read, else NULL.
 * EVERR_NOMEM
 */
everr_t ccm_message_parse(TALLOC_CTX *mem_ctx, const char *content_type,
			  const uint8_t *body, size_t len, uint64_t payload_max,
			  struct ccm_message **ret_message,
			  const char **ret_reason) EVERR_MUST_CHECK;

/*
 * Check the signatures by the key in the message.  *ret_key is the RSA key's
 * SHA-256 over its modulus and exponent (to compare with a registered one), or
 * all zero.  BRIDGE_SIGNATURE_SELF_ASSERTED is what a right one gives here.
 */
enum bridge_signature ccm_message_verify(const struct ccm_message *message,
					 uint8_t ret_key[32]);

/* ------------------------------------------------------------- answers */

/* The multipart answer to asynchronous messages ("NoReply"); appended. */
everr_t ccm_reply_none(struct buf *out, const char *boundary) EVERR_MUST_CHECK;

/* The answer to a synchronous message: xml (UTF-8) as its body. */
everr_t ccm_reply_xml(struct buf *out, const struct ccm_message *request,
		      const char *host, const char *reply_id, uint64_t now,
		      const char *xml) EVERR_MUST_CHECK;

/* "multipart/mixed; boundary=\"...\""; child of mem_ctx. */
char *ccm_reply_content_type(TALLOC_CTX *mem_ctx, const char *boundary);

/* A part's text as UTF-8: BOM, NULs and line ends at the end dropped. */
everr_t ccm_text(struct buf *out, const uint8_t *data,
		 size_t len) EVERR_MUST_CHECK;

#endif
