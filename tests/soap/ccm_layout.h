/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_SOAP_CCM_LAYOUT_H
#define EVENLOG_TESTS_SOAP_CCM_LAYOUT_H

/*
 * Messages as the captured senders put them on the wire (facts, sections 2 and
 * 3), with the captured lengths.  What is made is a child of mem_ctx.
 */

#include "base/buf.h"

#define LAYOUT_BOUNDARY "aAbBcCdDv1234567890VxXyYzZ"
#define LAYOUT_TYPE "multipart/mixed; boundary=\"" LAYOUT_BOUNDARY "\""
#define LAYOUT_ID "{0FCC9B9D-4B8B-4B8E-9C5D-3B3A1A2B3C4D}"
#define LAYOUT_SOURCE "GUID:01234567-89AB-CDEF-0123-456789ABCDEF"

/* A whole <Msg> that is for MP_DdrEndpoint; more: its other elements. */
char *layout_msg(TALLOC_CTX *mem_ctx, const char *more);

/* ASCII as UTF-16LE, without BOM and NUL. */
void layout_utf16(struct buf *out, const char *ascii);

/* "<Report a="aaa..."></Report>" of that many characters. */
char *layout_report(TALLOC_CTX *mem_ctx, char fill, size_t len);

/* The multipart body of a header (ASCII here, UTF-16 there) and a payload. */
struct buf layout_body(TALLOC_CTX *mem_ctx, const char *msg,
		       const void *payload, size_t len);

/*
 * Microsoft's SDK: Body of 1674 bytes with its NUL, attachment of 2510 with a
 * BOM, CRLF; 4186 in all.
 */
#define LAYOUT_SDK_BODY 1674
#define LAYOUT_SDK_ATTACHMENT 2510
#define LAYOUT_SDK_RANGES                                                 \
	"<Body Type=\"ByteRange\" Length=\"1674\" Offset=\"0\" />"        \
	"<Attachment Type=\"ByteRange\" Length=\"2510\" Name=\"a-guid\" " \
	"Offset=\"0\" /><Attachment Length=\"2510\" Name=\"a-guid\" "     \
	"Offset=\"1674\" />"
struct buf layout_sdk_payload(TALLOC_CTX *mem_ctx);

/* The Python sender: reports of 1672 and 6202 bytes, NUL and CRLF behind. */
#define LAYOUT_SENDER_RANGES                                              \
	"<Body Type=\"ByteRange\" Length=\"6204\" Offset=\"1676\" />"     \
	"<Attachment Type=\"ByteRange\" Length=\"1672\" Name=\"a-guid\" " \
	"Offset=\"0\" /><Attachment Length=\"6202\" Offset=\"1676\" />"
struct buf layout_sender_payload(TALLOC_CTX *mem_ctx);

/* A zlib stream, made with window bits 8 + 7 for "78 xx", less for others. */
struct buf layout_deflate(TALLOC_CTX *mem_ctx, const void *data, size_t len,
			  int level, int window_bits);

#endif
