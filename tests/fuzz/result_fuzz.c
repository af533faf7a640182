/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a result record.  What is accepted lies inside the data, and
 * written again it is read as the same.
 */

#include "event/result.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_inside(const uint8_t *data, size_t size, const uint8_t *p,
			 size_t len)
{
	must(p >= data && len <= size && p - data <= (ptrdiff_t)(size - len));
}

/* Reads every byte of it, so that a sanitizer sees one too many. */
static void put_u64s(uint64_t *to, const uint8_t *from, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		to[i] = le64_get(from + 8 * i);
	}
}

static void check_again(TALLOC_CTX *mem_ctx, const struct event_result *result)
{
	uint32_t *ids =
		talloc_array(mem_ctx, uint32_t, result->num_subquery_ids);
	uint64_t *records =
		talloc_array(mem_ctx, uint64_t, result->num_channels);
	struct event_result again;
	struct buf out;
	size_t i;

	for (i = 0; i < result->num_subquery_ids; i++) {
		ids[i] = le32_get(result->subquery_ids + 4 * i);
	}
	put_u64s(records, result->record_ids, result->num_channels);
	buf_init(&out, mem_ctx, 64 * 1024 * 1024);
	must(event_result_begin(&out) == 0);
	buf_put(&out, result->event, result->event_len);
	event_result_end(&out, 0, ids, result->num_subquery_ids, records,
			 result->num_channels, result->current_channel,
			 result->reverse);
	must(buf_error(&out) == EVERR_OK);
	must(event_result_parse(out.data, out.len, &again) == EVERR_OK);
	must(again.event_len == result->event_len);
	must(memcmp(again.event, result->event, again.event_len) == 0);
	must(again.num_subquery_ids == result->num_subquery_ids);
	must(again.num_channels == result->num_channels);
	must(again.current_channel == result->current_channel);
	must(again.reverse == result->reverse);
	must(memcmp(again.record_ids, result->record_ids,
		    8 * (size_t)again.num_channels) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = NULL;
	struct event_result result;

	if (event_result_parse(data, size, &result) != EVERR_OK) {
		return 0;
	}
	check_inside(data, size, result.event, result.event_len);
	check_inside(data, size, result.subquery_ids,
		     4 * (size_t)result.num_subquery_ids);
	check_inside(data, size, result.record_ids,
		     8 * (size_t)result.num_channels);
	mem_ctx = talloc_new(NULL);
	check_again(mem_ctx, &result);
	talloc_free(mem_ctx);
	return 0;
}
