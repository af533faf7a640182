/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CCM_INTERNAL_H
#define EVENLOG_SOAP_CCM_INTERNAL_H

/* What the parts of the ConfigMgr message reader share. */

#include "soap/ccm_header.h"

/* ------------------------------------------------------------- reasons */

/*
 * Returns err after setting *ret_reason, a child of mem_ctx, to the sentence;
 * EVERR_NOMEM when there is no memory for it.  Controls and bytes that are not
 * UTF-8 in the result (pieces of what a peer sent) are replaced.
 */
everr_t ccm_refuse(TALLOC_CTX *mem_ctx, const char **ret_reason, everr_t err,
		   const char *fmt, ...)
	__attribute__((format(printf, 4, 5))) EVERR_MUST_CHECK;

/* A number with its thousands marked: "1,674".  Returns text. */
#define CCM_COUNT_SIZE 27
const char *ccm_count(char text[CCM_COUNT_SIZE], uint64_t n);

/* ---------------------------------------------------------------- text */

enum ccm_encoding {
	CCM_UTF8,
	CCM_UTF16LE,
	CCM_UTF16BE
};

/*
 * By its BOM, whose length goes to *ret_bom, or by which byte of the first
 * character is zero: the texts of messages begin with ASCII.
 */
enum ccm_encoding ccm_text_encoding(const uint8_t *data, size_t len,
				    size_t *ret_bom);

/* ------------------------------------------------------------- payload */

/* Whether data begins as a zlib stream does (RFC 1950 2.2). */
bool ccm_payload_is_zlib(const uint8_t *data, size_t len);

/*
 * Inflate a zlib stream; what follows it is not looked at.  *ret_data is a
 * child of mem_ctx.
 *
 * EVERR_TEXT  not such a stream, damaged, or not all of one
 * EVERR_LIMIT more than max bytes
 * EVERR_NOMEM
 */
everr_t ccm_payload_inflate(TALLOC_CTX *mem_ctx, const uint8_t *data,
			    size_t len, uint64_t max, const uint8_t **ret_data,
			    size_t *ret_len,
			    const char **ret_reason) EVERR_MUST_CHECK;

/*
 * The parts of an inflated payload by the header's ranges, Body first; what
 * the known senders get wrong is put right (facts, section 3).  A range that
 * is empty or ends past the payload is left out; when all the others are gone
 * by that, or there are none, the payload is cut behind each "</Report>".
 * *ret_parts is a child of mem_ctx.
 *
 * EVERR_TEXT  nothing but ranges past the payload's end
 * EVERR_LIMIT ranges that cover the payload CCM_COVER_MAX times, too many parts
 * EVERR_NOMEM
 */
#define CCM_COVER_MAX 4
everr_t ccm_payload_parts(TALLOC_CTX *mem_ctx, const struct ccm_header *header,
			  const uint8_t *payload, size_t len,
			  const struct bridge_part **ret_parts, size_t *ret_num,
			  const char **ret_reason) EVERR_MUST_CHECK;

#endif
