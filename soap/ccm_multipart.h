/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CCM_MULTIPART_H
#define EVENLOG_SOAP_CCM_MULTIPART_H

/*
 * multipart/mixed, RFC 2046 5.1, as ConfigMgr's senders use it: parts of any
 * bytes, delimited by CRLF "--" boundary at the start of a line and nothing
 * but blanks behind it.  Pure; time is linear in the body.
 */

#include "base/everr.h"
#include "soap/ccm_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Characters of a boundary (RFC 2046 5.1.1), bytes of a part's head. */
#define CCM_BOUNDARY_MAX 70
#define CCM_PART_HEAD_MAX 8192

/* Into the body. */
struct ccm_part {
	const uint8_t *head; /* lines without the empty one */
	size_t head_len;
	const uint8_t *data;
	size_t len;
};

struct ccm_parts {
	struct ccm_part part[CCM_PARTS_MAX];
	size_t num; /* at least 1 */
};

/*
 * The boundary of a Content-Type header's value (NULL: there is none), quoted
 * or not.  It consists of RFC 2046's characters, so it can stand in an answer.
 * *ret_boundary and *ret_reason are children of mem_ctx.
 *
 * EVERR_TEXT  not multipart, no boundary, or not a legal one
 * EVERR_NOMEM
 */
everr_t ccm_multipart_boundary(TALLOC_CTX *mem_ctx, const char *content_type,
			       const char **ret_boundary,
			       const char **ret_reason) EVERR_MUST_CHECK;

/*
 * The parts of a body.  A preamble and an epilogue are passed over.
 *
 * EVERR_TEXT  malformed, or it ends before its close delimiter
 * EVERR_LIMIT more than CCM_PARTS_MAX parts, or a head that is too long
 * EVERR_NOMEM
 */
everr_t ccm_multipart_parse(TALLOC_CTX *mem_ctx, const char *boundary,
			    const uint8_t *body, size_t len,
			    struct ccm_parts *ret_parts,
			    const char **ret_reason) EVERR_MUST_CHECK;

/*
 * The value of a part's header field, without blanks around; the name is
 * compared without case.  false: the part has no such field.
 */
bool ccm_part_field(const struct ccm_part *part, const char *name,
		    const char **ret_value, size_t *ret_len);

#endif
