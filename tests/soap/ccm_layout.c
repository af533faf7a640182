/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soap/ccm_layout.h"

#include <assert.h>
#include <zlib.h>

#define LAYOUT_MAX (64 * 1024 * 1024)

char *layout_msg(TALLOC_CTX *mem_ctx, const char *more)
{
	return talloc_asprintf(
		mem_ctx,
		"<Msg ReplyCompression=\"none\" SchemaVersion=\"1.1\">"
		"<ID>" LAYOUT_ID "</ID><SourceID>" LAYOUT_SOURCE "</SourceID>"
		"<SourceHost>PC01</SourceHost>"
		"<TargetAddress>mp:MP_DdrEndpoint</TargetAddress>"
		"<ReplyTo>direct:PC01:SccmMessaging</ReplyTo>"
		"<ReplyMode>Async</ReplyMode>%s</Msg>",
		more);
}

void layout_utf16(struct buf *out, const char *ascii)
{
	for (; *ascii != '\0'; ascii++) {
		buf_put_u16(out, (uint16_t)*ascii);
	}
}

char *layout_report(TALLOC_CTX *mem_ctx, char fill, size_t len)
{
	static const char start[] = "<Report a=\"";
	static const char end[] = "\"></Report>";
	char *text = talloc_array(mem_ctx, char, len + 1);
	size_t start_len = sizeof(start) - 1;
	size_t end_len = sizeof(end) - 1;

	assert(len >= start_len + end_len);
	memset(text, fill, len);
	memcpy(text, start, start_len);
	memcpy(text + len - end_len, end, end_len + 1);
	return text;
}

struct buf layout_body(TALLOC_CTX *mem_ctx, const char *msg,
		       const void *payload, size_t len)
{
	struct buf out;

	buf_init(&out, mem_ctx, LAYOUT_MAX);
	buf_puts(&out, "--" LAYOUT_BOUNDARY "\r\ncontent-type: text/plain; "
		       "charset=UTF-16\r\n\r\n\xFF\xFE");
	layout_utf16(&out, msg);
	buf_puts(&out, "\r\n--" LAYOUT_BOUNDARY "\r\ncontent-type: "
		       "application/octet-stream\r\n\r\n");
	buf_put(&out, payload, len);
	buf_puts(&out, "\r\n--" LAYOUT_BOUNDARY "--");
	assert(out.err == EVERR_OK);
	return out;
}

struct buf layout_sdk_payload(TALLOC_CTX *mem_ctx)
{
	struct buf out;

	buf_init(&out, mem_ctx, LAYOUT_MAX);
	layout_utf16(&out, layout_report(mem_ctx, 'h', 836));
	buf_put_u16(&out, 0);
	assert(out.len == LAYOUT_SDK_BODY);
	buf_puts(&out, "\xFF\xFE");
	layout_utf16(&out, layout_report(mem_ctx, 'f', 1254));
	assert(out.len == LAYOUT_SDK_BODY + LAYOUT_SDK_ATTACHMENT);
	buf_puts(&out, "\r\n");
	assert(out.len == 4186 && out.err == EVERR_OK);
	return out;
}

struct buf layout_sender_payload(TALLOC_CTX *mem_ctx)
{
	struct buf out;

	buf_init(&out, mem_ctx, LAYOUT_MAX);
	layout_utf16(&out, layout_report(mem_ctx, 'h', 836));
	buf_put(&out, "\0\0\r\n", 4);
	assert(out.len == 1676);
	layout_utf16(&out, layout_report(mem_ctx, 'f', 3101));
	buf_put(&out, "\0\0\r\n", 4);
	assert(out.len == 1676 + 6204 + 2 && out.err == EVERR_OK);
	return out;
}

struct buf layout_deflate(TALLOC_CTX *mem_ctx, const void *data, size_t len,
			  int level, int window_bits)
{
	z_stream z = {.next_in = (uint8_t *)data, .avail_in = (uInt)len};
	struct buf out;
	int rc;

	buf_init(&out, mem_ctx, LAYOUT_MAX);
	rc = deflateInit2(&z, level, Z_DEFLATED, window_bits, 8,
			  Z_DEFAULT_STRATEGY);
	assert(rc == Z_OK);
	z.avail_out = (uInt)deflateBound(&z, len);
	z.next_out = buf_extend(&out, z.avail_out);
	rc = deflate(&z, Z_FINISH);
	assert(rc == Z_STREAM_END);
	buf_truncate(&out, z.total_out);
	deflateEnd(&z);
	return out;
}
