/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_internal.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#define INFLATE_CHUNK (64 * 1024)

/* ----------------------------------------------------------------- inflate */

bool ccm_payload_is_zlib(const uint8_t *data, size_t len)
{
	/* Method 8, a window of at most 32 KiB, the check, no dictionary. */
	return len >= 2 && (data[0] & 0x0F) == 8 && data[0] >> 4 <= 7 &&
	       (data[0] << 8 | data[1]) % 31 == 0 && (data[1] & 0x20) == 0;
}

/* As much as there is, or one byte more than max. */
static int inflate_run(z_stream *z, struct buf *out, uint64_t max)
{
	int rc = Z_OK;

	while (rc == Z_OK && out->len <= max) {
		uint64_t room = max - out->len;
		size_t chunk = INFLATE_CHUNK;

		if (room < chunk) {
			chunk = (size_t)room + 1;
		}
		z->next_out = buf_extend(out, chunk);
		if (z->next_out == NULL) {
			return Z_MEM_ERROR;
		}
		z->avail_out = (uInt)chunk;
		rc = inflate(z, Z_NO_FLUSH);
		buf_truncate(out, out->len - z->avail_out);
	}
	return rc;
}

static everr_t inflate_result(TALLOC_CTX *mem_ctx, int rc, const z_stream *z,
			      const struct buf *out, uint64_t max,
			      const char **ret_reason)
{
	char count[CCM_COUNT_SIZE];

	if (rc == Z_MEM_ERROR) {
		return out->err != EVERR_OK ? out->err : EVERR_NOMEM;
	}
	if (out->len > max) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_LIMIT,
				  "the payload has more than %s bytes when it "
				  "is inflated",
				  ccm_count(count, max));
	}
	if (rc == Z_STREAM_END) {
		return EVERR_OK;
	}
	if (rc == Z_BUF_ERROR) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
				  "the deflated payload is cut off after %s "
				  "bytes",
				  ccm_count(count, z->total_in));
	}
	return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
			  "the deflated payload is damaged after %s bytes%s%s",
			  ccm_count(count, z->total_in),
			  z->msg != NULL ? ": " : "",
			  z->msg != NULL ? z->msg : "");
}

everr_t ccm_payload_inflate(TALLOC_CTX *mem_ctx, const uint8_t *data,
			    size_t len, uint64_t max, const uint8_t **ret_data,
			    size_t *ret_len, const char **ret_reason)
{
	z_stream z = {.next_in = (uint8_t *)data, .avail_in = (uInt)len};
	struct buf out;
	everr_t err;
	int rc;

	if (len > UINT_MAX) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_LIMIT,
				  "the deflated payload is too long");
	}
	max = max < UINT_MAX ? max : UINT_MAX;
	if (!ccm_payload_is_zlib(data, len)) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
				  "the payload does not begin as a deflated "
				  "one, which the header's hook says it is");
	}
	if (inflateInit(&z) != Z_OK) {
		return EVERR_NOMEM;
	}
	buf_init(&out, mem_ctx, (size_t)max + 1);
	rc = inflate_run(&z, &out, max);
	err = inflate_result(mem_ctx, rc, &z, &out, max, ret_reason);
	inflateEnd(&z);
	if (err != EVERR_OK) {
		buf_free(&out);
		return err;
	}
	*ret_data = out.data;
	*ret_len = out.len;
	return EVERR_OK;
}

/* ------------------------------------------------------------------ ranges */

struct cutter {
	TALLOC_CTX *mem_ctx;
	const char **ret_reason;
	const uint8_t *payload;
	size_t len;
	struct bridge_part *parts;
	size_t num;
	size_t max;
	uint64_t covered;
	const struct ccm_range *past; /* the first that ends past the payload */
};

static bool fits(const struct cutter *cutter, const struct ccm_range *range)
{
	return range->offset <= cutter->len &&
	       range->length <= cutter->len - range->offset;
}

static bool overlap(const struct ccm_range *a, const struct ccm_range *b)
{
	return a->offset < b->offset + b->length &&
	       b->offset < a->offset + a->length;
}

static bool same_bytes(const struct ccm_range *a, const struct ccm_range *b)
{
	return a->offset == b->offset && a->length == b->length;
}

static bool same_name(const struct ccm_range *a, const struct ccm_range *b)
{
	return a->name != NULL && b->name != NULL &&
	       strcmp(a->name, b->name) == 0;
}

/*
 * Microsoft's SDK lists each attachment twice, first with a wrong offset of
 * zero: of one name the last counts; without names, what lies across the body
 * has a later one of its length.
 */
static bool superseded(const struct ccm_header *header, size_t i)
{
	const struct ccm_range *one = &header->attachments[i];
	bool on_body = header->has_body && overlap(one, &header->body);
	size_t j;

	for (j = i + 1; j < header->num_attachments; j++) {
		const struct ccm_range *later = &header->attachments[j];

		if (same_name(one, later) ||
		    (on_body && later->length == one->length)) {
			return true;
		}
	}
	return false;
}

static void cut(struct cutter *cutter, const struct ccm_range *range)
{
	if (range->length == 0) {
		return;
	}
	if (!fits(cutter, range)) {
		cutter->past = cutter->past != NULL ? cutter->past : range;
		return;
	}
	cutter->covered += range->length;
	cutter->parts[cutter->num++] = (struct bridge_part){
		.data = cutter->payload + range->offset,
		.len = (size_t)range->length,
	};
}

static void cut_ranges(struct cutter *cutter, const struct ccm_header *header)
{
	size_t i;

	if (header->has_body) {
		cut(cutter, &header->body);
	}
	for (i = 0; i < header->num_attachments; i++) {
		const struct ccm_range *range = &header->attachments[i];

		if (!superseded(header, i) &&
		    !(header->has_body && same_bytes(range, &header->body))) {
			cut(cutter, range);
		}
	}
}

/* ----------------------------------------------------------------- reports */

static const uint8_t report_end[] = "</Report>";
static const uint8_t report_end_wide[] = {
	'<', 0, '/', 0, 'R', 0, 'e', 0, 'p', 0, 'o', 0, 'r', 0, 't', 0, '>', 0};

/* What may stand between two reports: NULs, blanks, line ends. */
static bool is_filler(uint8_t c)
{
	return c == 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Of UTF-16LE: a line end of two bytes as well as of two units. */
static bool is_filler_wide(const uint8_t *p)
{
	return (p[1] == 0 && is_filler(p[0])) || memcmp(p, "\r\n", 2) == 0;
}

/* Where the next report ends, from its start at p on; NULL: none does. */
static const uint8_t *find_report_end(const uint8_t *p, size_t len, bool wide)
{
	const uint8_t *start = p;
	const uint8_t *end = p + len;

	if (!wide) {
		p = memmem(p, len, report_end, sizeof(report_end) - 1);
		return p != NULL ? p + sizeof(report_end) - 1 : NULL;
	}
	do {
		p = memmem(p, (size_t)(end - p), report_end_wide,
			   sizeof(report_end_wide));
		if (p == NULL) {
			return NULL;
		}
		p += sizeof(report_end_wide);
	} while ((p - start) % 2 != 0);
	return p;
}

static everr_t cut_reports(struct cutter *cutter)
{
	const uint8_t *p = cutter->payload;
	const uint8_t *end = p + cutter->len;
	const uint8_t *next = NULL;
	size_t bom = 0;
	bool wide;

	wide = ccm_text_encoding(p, cutter->len, &bom) == CCM_UTF16LE;
	for (;;) {
		while (wide ? end - p >= 2 && is_filler_wide(p)
			    : p < end && is_filler(*p)) {
			p += wide ? 2 : 1;
		}
		next = find_report_end(p, (size_t)(end - p), wide);
		if (next == NULL) {
			return EVERR_OK;
		}
		if (cutter->num == cutter->max) {
			return ccm_refuse(cutter->mem_ctx, cutter->ret_reason,
					  EVERR_LIMIT,
					  "the payload has more than %zu "
					  "reports and no usable ranges",
					  cutter->max);
		}
		cutter->parts[cutter->num++] = (struct bridge_part){
			.data = p,
			.len = (size_t)(next - p),
		};
		p = next;
	}
}

static everr_t refuse_past(const struct cutter *cutter,
			   const struct ccm_header *header)
{
	const struct ccm_range *range = cutter->past;
	bool body = range == &header->body;
	const char *name = range->name;
	char offset[CCM_COUNT_SIZE];
	char length[CCM_COUNT_SIZE];
	char len[CCM_COUNT_SIZE];

	return ccm_refuse(
		cutter->mem_ctx, cutter->ret_reason, EVERR_TEXT,
		"%s%s%.60s (offset %s, length %s) ends past the "
		"payload of %s bytes",
		body ? "the Body" : "the Attachment", name != NULL ? " " : "",
		name != NULL ? name : "", ccm_count(offset, range->offset),
		ccm_count(length, range->length), ccm_count(len, cutter->len));
}

/* No range gave a part. */
static everr_t cut_without_ranges(struct cutter *cutter,
				  const struct ccm_header *header)
{
	bool ranges = header->has_body || header->num_attachments > 0;
	everr_t err;

	if (ranges && cutter->past == NULL) {
		return EVERR_OK; /* all of them are empty */
	}
	if (cutter->len > 0) {
		err = cut_reports(cutter);
		if (err != EVERR_OK || cutter->num > 0) {
			return err;
		}
	}
	if (cutter->past != NULL) {
		return refuse_past(cutter, header);
	}
	if (cutter->len > 0) {
		cut(cutter, &(struct ccm_range){.length = cutter->len});
	}
	return EVERR_OK;
}

static everr_t cut_payload(struct cutter *cutter,
			   const struct ccm_header *header)
{
	cut_ranges(cutter, header);
	if (cutter->num == 0) {
		return cut_without_ranges(cutter, header);
	}
	/* Each part costs a reading of its bytes. */
	if (cutter->covered > CCM_COVER_MAX * (uint64_t)cutter->len) {
		return ccm_refuse(cutter->mem_ctx, cutter->ret_reason,
				  EVERR_LIMIT,
				  "the header's ranges cover the payload more "
				  "than %u times",
				  CCM_COVER_MAX);
	}
	return EVERR_OK;
}

everr_t ccm_payload_parts(TALLOC_CTX *mem_ctx, const struct ccm_header *header,
			  const uint8_t *payload, size_t len,
			  const struct bridge_part **ret_parts, size_t *ret_num,
			  const char **ret_reason)
{
	struct cutter cutter = {
		.mem_ctx = mem_ctx,
		.ret_reason = ret_reason,
		.payload = payload,
		.len = len,
		.max = 1 + CCM_ATTACHMENTS_MAX,
	};
	everr_t err;

	cutter.parts = talloc_array(mem_ctx, struct bridge_part, cutter.max);
	if (cutter.parts == NULL) {
		return EVERR_NOMEM;
	}
	err = cut_payload(&cutter, header);
	if (err != EVERR_OK) {
		TALLOC_FREE(cutter.parts);
		return err;
	}
	*ret_parts = cutter.parts;
	*ret_num = cutter.num;
	return EVERR_OK;
}
