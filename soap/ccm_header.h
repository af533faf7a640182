/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CCM_HEADER_H
#define EVENLOG_SOAP_CCM_HEADER_H

/*
 * The <Msg> header of a ConfigMgr message (facts, section 3): UTF-16 by BOM or
 * by its first bytes, else UTF-8.  Elements may come in any order and unknown
 * ones are passed over.  Pure.
 */

#include "soap/ccm_message.h"

/* Elements inside each other. */
#define CCM_HEADER_DEPTH_MAX 16

/* Bytes of the payload that a Body or an Attachment stands for. */
struct ccm_range {
	const char *name; /* NULL: it has none */
	uint64_t offset;
	uint64_t length;
};

/* Texts are without blanks around; an empty one is NULL as an absent one. */
struct ccm_header {
	const char *id;	      /* a GUID, as sent; never NULL on success */
	const char *endpoint; /* without "mp:" and brackets; never NULL */
	const char *correlation_id;
	const char *source_id;
	const char *source_host;
	const char *target_host;
	const char *reply_to;
	const char *file_type;
	enum ccm_reply_mode reply_mode;
	bool reply_zlib;
	uint64_t sent; /* FILETIME; 0: absent or unreadable */
	bool compressed;
	bool encrypted;
	struct ccm_authentication authentication;
	bool has_body;
	struct ccm_range body;
	struct ccm_range *attachments; /* as listed, repeated ones too */
	size_t num_attachments;
};

/*
 * Read one.  *ret_header is a child of mem_ctx and owns its texts.
 *
 * EVERR_TEXT   not valid text, not well-formed, no <Msg>, no ID or no target;
 *              a number that is none
 * EVERR_LIMIT  more than CCM_HEADER_MAX bytes, CCM_HEADER_DEPTH_MAX,
 *              CCM_ATTACHMENTS_MAX
 * EVERR_NOMEM
 */
everr_t ccm_header_parse(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			 struct ccm_header **ret_header,
			 const char **ret_reason) EVERR_MUST_CHECK;

#endif
