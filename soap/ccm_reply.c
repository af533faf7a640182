/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_message.h"

#include "base/text.h"
#include "base/wintime.h"
#include "soap/writer.h"

#include <string.h>
#include <zlib.h>

/* Bytes of a reply's payload. */
#define REPLY_MAX (16 * 1024 * 1024)

#define HEADER_TYPE "Content-Type: text/plain; charset=UTF-16"
#define PAYLOAD_TYPE "Content-Type: application/octet-stream"

/* What stands in front of a part's bytes. */
static void put_part_head(struct buf *out, const char *boundary,
			  const char *type, bool first)
{
	buf_printf(out, "%s--%s\r\n%s\r\n\r\n", first ? "" : "\r\n", boundary,
		   type);
}

/* Nothing behind it: so do the senders end their requests. */
static void put_end(struct buf *out, const char *boundary)
{
	buf_printf(out, "\r\n--%s--", boundary);
}

static everr_t put_utf16_bom(struct buf *out, const char *utf8, size_t len)
{
	buf_put_u16(out, 0xFEFF);
	return text_utf8_to_utf16(out, utf8, len);
}

everr_t ccm_reply_none(struct buf *out, const char *boundary)
{
	static const char text[] = "NoReply";
	size_t old_len = out->len;
	everr_t err;

	put_part_head(out, boundary, HEADER_TYPE, true);
	err = put_utf16_bom(out, text, sizeof(text) - 1);
	put_end(out, boundary);
	if (err == EVERR_OK) {
		err = buf_error(out);
	}
	if (err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return err;
}

char *ccm_reply_content_type(TALLOC_CTX *mem_ctx, const char *boundary)
{
	return talloc_asprintf(mem_ctx, "multipart/mixed; boundary=\"%s\"",
			       boundary);
}

/* ------------------------------------------------------------- synchronous */

struct reply {
	const struct ccm_message *request;
	const char *host;
	const char *id;
	uint64_t now;
	const char *xml;
};

/* Where ranges are given it is without its CRLF, and before it is deflated. */
static void put_body_range(struct soap_writer *writer, size_t len)
{
	soap_open(writer, "Body");
	soap_attribute(writer, "Type", "ByteRange");
	soap_attribute_int(writer, "Length", (int64_t)len);
	soap_attribute_int(writer, "Offset", 0);
	soap_close(writer);
}

static void put_hooks(struct soap_writer *writer, bool compressed)
{
	soap_open(writer, "Hooks");
	if (compressed) {
		soap_open(writer, "Hook3");
		soap_attribute(writer, "Name", "zlib-compress");
		soap_close(writer);
	}
	soap_close(writer);
}

/*
 * The request's shape turned around.  The known senders look at Body, Hooks
 * and CorrelationID at most; the rest is [unverified].
 */
static everr_t put_header(struct buf *out, const struct reply *reply,
			  size_t body_len)
{
	const struct ccm_message *request = reply->request;
	struct soap_writer writer;

	soap_writer_init(&writer, out);
	soap_open(&writer, "Msg");
	soap_attribute(&writer, "ReplyCompression", "none");
	soap_attribute(&writer, "SchemaVersion", "1.1");
	put_body_range(&writer, body_len);
	soap_put(&writer, "CorrelationID", request->message.id);
	put_hooks(&writer, request->reply_zlib);
	soap_put(&writer, "ID", reply->id);
	soap_open(&writer, "Payload");
	soap_attribute(&writer, "Type", "inline");
	soap_close(&writer);
	soap_put_int(&writer, "Priority", 0);
	soap_put(&writer, "Protocol", "http");
	soap_put(&writer, "ReplyMode", "Sync");
	soap_put_time(&writer, "SentTime",
		      reply->now - reply->now % WINTIME_SECOND);
	soap_put(&writer, "SourceHost", reply->host);
	soap_put(&writer, "TargetAddress", request->reply_to);
	soap_put(&writer, "TargetHost", request->message.source_host);
	soap_put_int(&writer, "Timeout", 60000);
	soap_close(&writer);
	return soap_writer_end(&writer);
}

static everr_t put_deflated(struct buf *out, const struct buf *payload)
{
	uLong size = compressBound(payload->len);
	size_t old_len = out->len;
	uint8_t *p = buf_extend(out, size);
	int rc;

	if (p == NULL) {
		return buf_error(out);
	}
	rc = compress(p, &size, payload->data, payload->len);
	if (rc != Z_OK) {
		return EVERR_NOMEM;
	}
	buf_truncate(out, old_len + size);
	return EVERR_OK;
}

/* The two parts, from header and payload. */
static everr_t put_reply(struct buf *out, const struct reply *reply,
			 const struct buf *header, const struct buf *payload)
{
	const struct ccm_message *request = reply->request;
	everr_t err;

	put_part_head(out, request->boundary, HEADER_TYPE, true);
	err = put_utf16_bom(out, (const char *)header->data, header->len);
	if (err != EVERR_OK) {
		return err;
	}
	put_part_head(out, request->boundary, PAYLOAD_TYPE, false);
	if (request->reply_zlib) {
		err = put_deflated(out, payload);
		if (err != EVERR_OK) {
			return err;
		}
	} else {
		buf_put(out, payload->data, payload->len);
	}
	put_end(out, request->boundary);
	return buf_error(out);
}

static everr_t build_reply(TALLOC_CTX *mem_ctx, struct buf *out,
			   const struct reply *reply)
{
	struct buf header, payload;
	size_t body_len;
	everr_t err;

	buf_init(&header, mem_ctx, CCM_HEADER_MAX);
	buf_init(&payload, mem_ctx, REPLY_MAX);
	err = text_utf8_to_utf16(&payload, reply->xml, strlen(reply->xml));
	if (err != EVERR_OK) {
		return err;
	}
	buf_put_u16(&payload, 0);
	body_len = payload.len;
	buf_puts(&payload, "\r\n");
	err = buf_error(&payload);
	if (err == EVERR_OK) {
		err = put_header(&header, reply, body_len);
	}
	if (err == EVERR_OK) {
		err = put_reply(out, reply, &header, &payload);
	}
	return err;
}

everr_t ccm_reply_xml(struct buf *out, const struct ccm_message *request,
		      const char *host, const char *reply_id, uint64_t now,
		      const char *xml)
{
	const struct reply reply = {
		.request = request,
		.host = host,
		.id = reply_id,
		.now = now,
		.xml = xml,
	};
	TALLOC_CTX *frame = talloc_new(out->mem_ctx);
	size_t old_len = out->len;
	everr_t err;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	err = build_reply(frame, out, &reply);
	talloc_free(frame);
	if (err != EVERR_OK) {
		buf_truncate(out, old_len);
	}
	return err;
}
