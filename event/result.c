/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/result.h"

/* [MS-EVEN6] 2.2.17, the result record. */
#define RESULT_HEAD 20
#define RESULT_HEADER_SIZE 0x10
/* [MS-EVEN6] 2.2.16, the bookmark. */
#define BOOKMARK_HEAD 0x18

size_t event_result_begin(struct buf *out)
{
	size_t start = out->len;

	buf_put_zero(out, RESULT_HEAD);
	return start;
}

static void put_bookmark(struct buf *out, const uint64_t *record_ids,
			 size_t num_channels, uint32_t current_channel,
			 bool reverse)
{
	size_t i;

	buf_put_u32(out, (uint32_t)(BOOKMARK_HEAD + 8 * num_channels));
	buf_put_u32(out, BOOKMARK_HEAD);
	buf_put_u32(out, (uint32_t)num_channels);
	buf_put_u32(out, current_channel);
	buf_put_u32(out, reverse ? 1 : 0);
	buf_put_u32(out, BOOKMARK_HEAD);
	for (i = 0; i < num_channels; i++) {
		buf_put_u64(out, record_ids[i]);
	}
}

void event_result_end(struct buf *out, size_t start,
		      const uint32_t *subquery_ids, size_t num_subquery_ids,
		      const uint64_t *record_ids, size_t num_channels,
		      uint32_t current_channel, bool reverse)
{
	size_t event_end = out->len;
	size_t bookmark, i;

	buf_put_u32(out, (uint32_t)num_subquery_ids);
	for (i = 0; i < num_subquery_ids; i++) {
		buf_put_u32(out, subquery_ids[i]);
	}
	bookmark = out->len;
	put_bookmark(out, record_ids, num_channels, current_channel, reverse);

	buf_set_u32(out, start, (uint32_t)(out->len - start));
	buf_set_u32(out, start + 4, RESULT_HEADER_SIZE);
	buf_set_u32(out, start + 8, RESULT_HEADER_SIZE);
	buf_set_u32(out, start + 12, (uint32_t)(bookmark - start));
	buf_set_u32(out, start + 16,
		    (uint32_t)(event_end - start - RESULT_HEAD));
}

/* The bookmark, which must lie in the len bytes at p. */
static everr_t parse_bookmark(const uint8_t *p, size_t len,
			      struct event_result *result)
{
	uint32_t size, ids;

	if (len < BOOKMARK_HEAD) {
		return EVERR_RESULT;
	}
	size = le32_get(p);
	if (size < BOOKMARK_HEAD || size > len ||
	    le32_get(p + 4) != BOOKMARK_HEAD) {
		return EVERR_RESULT;
	}

	result->num_channels = le32_get(p + 8);
	result->current_channel = le32_get(p + 12);
	if (result->current_channel >= result->num_channels) {
		return EVERR_RESULT;
	}
	if (le32_get(p + 16) > 1) {
		return EVERR_RESULT;
	}
	result->reverse = le32_get(p + 16) == 1;

	ids = le32_get(p + 20);
	if (ids < BOOKMARK_HEAD || ids > size ||
	    result->num_channels > (size - ids) / 8) {
		return EVERR_RESULT;
	}
	result->record_ids = p + ids;
	return EVERR_OK;
}

everr_t event_result_parse(const uint8_t *data, size_t len,
			   struct event_result *ret_result)
{
	struct event_result result = {};
	uint32_t total, bookmark;
	size_t left;
	everr_t err;

	if (len < RESULT_HEAD + 4) {
		return EVERR_RESULT;
	}
	total = le32_get(data);
	bookmark = le32_get(data + 12);
	result.event_len = le32_get(data + 16);
	if (total < RESULT_HEAD + 4 || total > len ||
	    le32_get(data + 4) != RESULT_HEADER_SIZE ||
	    le32_get(data + 8) != RESULT_HEADER_SIZE) {
		return EVERR_RESULT;
	}

	left = total - RESULT_HEAD - 4;
	if (result.event_len > left) {
		return EVERR_RESULT;
	}
	left -= result.event_len;
	result.event = data + RESULT_HEAD;
	result.num_subquery_ids = le32_get(result.event + result.event_len);
	result.subquery_ids = result.event + result.event_len + 4;
	if (result.num_subquery_ids > left / 4) {
		return EVERR_RESULT;
	}
	left -= 4 * (size_t)result.num_subquery_ids;

	/* Behind the ids, where spec and Windows put it, or later. */
	if (bookmark < total - left || bookmark > total) {
		return EVERR_RESULT;
	}
	err = parse_bookmark(data + bookmark, total - bookmark, &result);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_result = result;
	return EVERR_OK;
}
