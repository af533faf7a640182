/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/result.h"
#include "tests/event/vectors.h"

/* Offsets in the vector: its event has 252 bytes. */
#define V_TOTAL 0
#define V_HEADER 4
#define V_EVENT_OFFSET 8
#define V_BOOKMARK_OFFSET 12
#define V_EVENT_LEN 16
#define V_NUM_IDS (20 + 252)
#define V_BOOKMARK (V_NUM_IDS + 8)
#define V_LEN 320

static void load(struct buf *out, TALLOC_CTX *mem_ctx)
{
	buf_init(out, mem_ctx, 4096);
	vector_load(out, "result-record");
	assert_int_equal(out->len, V_LEN);
}

static void test_a_record_is_the_vector_byte_for_byte(void **state)
{
	const uint32_t ids[] = {1};
	const uint64_t records[] = {201, 100};
	struct buf want, event, out;
	size_t start;

	load(&want, *state);
	buf_init(&event, *state, 4096);
	vector_load(&event, "spec-4.4");

	buf_init(&out, *state, 4096);
	buf_puts(&out, "what stands before stays");
	start = event_result_begin(&out);
	buf_put(&out, event.data, event.len);
	event_result_end(&out, start, ids, 1, records, 2, 0, false);
	assert_int_equal(buf_error(&out), EVERR_OK);
	assert_int_equal(out.len - start, want.len);
	assert_memory_equal(out.data + start, want.data, want.len);
	assert_int_equal(want.len, event.len + EVENT_RESULT_OVERHEAD(1, 2));
}

static void test_the_vector_is_taken_apart(void **state)
{
	struct event_result result;
	struct buf v, event;

	load(&v, *state);
	buf_init(&event, *state, 4096);
	vector_load(&event, "spec-4.4");
	assert_int_equal(event_result_parse(v.data, v.len, &result), EVERR_OK);
	assert_int_equal(result.event_len, event.len);
	assert_memory_equal(result.event, event.data, event.len);
	assert_int_equal(result.num_subquery_ids, 1);
	assert_int_equal(le32_get(result.subquery_ids), 1);
	assert_int_equal(result.num_channels, 2);
	assert_int_equal(result.current_channel, 0);
	assert_false(result.reverse);
	assert_int_equal(le64_get(result.record_ids), 201);
	assert_int_equal(le64_get(result.record_ids + 8), 100);
}

static void test_no_ids_and_a_reverse_query(void **state)
{
	const uint64_t records[] = {UINT64_MAX};
	struct event_result result;
	struct buf out;
	size_t start;

	buf_init(&out, *state, 4096);
	start = event_result_begin(&out);
	buf_puts(&out, "event");
	event_result_end(&out, start, NULL, 0, records, 1, 0, true);
	assert_int_equal(event_result_parse(out.data, out.len, &result),
			 EVERR_OK);
	assert_int_equal(result.event_len, 5);
	assert_int_equal(result.num_subquery_ids, 0);
	assert_int_equal(result.num_channels, 1);
	assert_true(result.reverse);
	assert_true(le64_get(result.record_ids) == UINT64_MAX);
}

static void test_a_pad_byte_behind_the_record_is_no_part_of_it(void **state)
{
	struct event_result result;
	struct buf v;

	load(&v, *state);
	buf_put_u8(&v, 0);
	assert_int_equal(event_result_parse(v.data, v.len, &result), EVERR_OK);
	assert_int_equal(result.event_len, 252);
}

static void test_every_truncation_is_malformed(void **state)
{
	struct event_result result = {.num_channels = 42};
	struct buf v;
	size_t len;

	load(&v, *state);
	for (len = 0; len < V_LEN; len++) {
		uint8_t *copy = talloc_memdup(*state, v.data, len);

		assert_int_equal(event_result_parse(copy, len, &result),
				 EVERR_RESULT);
		if (len >= 4) {
			le32_set(copy, (uint32_t)len);
			assert_int_equal(event_result_parse(copy, len, &result),
					 EVERR_RESULT);
		}
		TALLOC_FREE(copy);
	}
	assert_int_equal(result.num_channels, 42);
}

static void test_each_wrong_field_is_malformed(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} cases[] = {
		{V_TOTAL, 0},
		{V_TOTAL, V_LEN - 1},
		{V_TOTAL, V_LEN + 1},
		{V_TOTAL, UINT32_MAX},
		{V_HEADER, 0x14},
		{V_EVENT_OFFSET, 0},
		{V_EVENT_OFFSET, UINT32_MAX},
		{V_BOOKMARK_OFFSET, 0},
		{V_BOOKMARK_OFFSET, V_BOOKMARK - 1},
		{V_BOOKMARK_OFFSET, V_BOOKMARK + 1},
		{V_BOOKMARK_OFFSET, V_LEN},
		{V_BOOKMARK_OFFSET, UINT32_MAX},
		{V_EVENT_LEN, V_LEN},
		{V_EVENT_LEN, UINT32_MAX},
		{V_NUM_IDS, 2},
		{V_NUM_IDS, UINT32_MAX},
		{V_NUM_IDS, 0x40000000},
		{V_BOOKMARK, 0},
		{V_BOOKMARK, 0x27},
		{V_BOOKMARK, 0x29},
		{V_BOOKMARK + 4, 0x10},
		{V_BOOKMARK + 8, 0},
		{V_BOOKMARK + 8, 3},
		{V_BOOKMARK + 8, UINT32_MAX},
		{V_BOOKMARK + 8, 0x20000000},
		{V_BOOKMARK + 12, 2},
		{V_BOOKMARK + 16, 2},
		{V_BOOKMARK + 20, 0},
		{V_BOOKMARK + 20, 0x19},
		{V_BOOKMARK + 20, UINT32_MAX},
	};
	struct event_result result;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf v;

		load(&v, *state);
		buf_set_u32(&v, cases[i].offset, cases[i].value);
		if (event_result_parse(v.data, v.len, &result) !=
		    EVERR_RESULT) {
			fail_msg("case %zu was taken", i);
		}
		buf_free(&v);
	}
}

static void test_a_full_buffer_keeps_its_error(void **state)
{
	const uint64_t records[] = {1};
	struct buf out;
	size_t start;

	buf_init(&out, *state, 30);
	start = event_result_begin(&out);
	event_result_end(&out, start, NULL, 0, records, 1, 0, false);
	assert_int_equal(buf_error(&out), EVERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_record_is_the_vector_byte_for_byte),
		leak_test(test_the_vector_is_taken_apart),
		leak_test(test_no_ids_and_a_reverse_query),
		leak_test(test_a_pad_byte_behind_the_record_is_no_part_of_it),
		leak_test(test_every_truncation_is_malformed),
		leak_test(test_each_wrong_field_is_malformed),
		leak_test(test_a_full_buffer_keeps_its_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
