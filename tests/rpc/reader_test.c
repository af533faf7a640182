/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/result.h"
#include "rpc/reader.h"
#include "tests/rpc/fake_store.h"

#include <string.h>

/* The structured query of [MS-EVEN6] 4.6, with these two names. */
#define TWO_CHANNELS                                                         \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                       \
	"<QueryList>\n"                                                      \
	"<Query Id=\"1\" Path=\"A\"><Select Path=\"A\">*</Select></Query>\n" \
	"<Query Id=\"2\" Path=\"B\"><Select Path=\"B\">*</Select></Query>\n" \
	"</QueryList>"

struct fixture {
	struct store *store;
	struct store_channel *a;
	struct store_channel *b;
	struct rpc_stats stats;
};

static struct fixture *fixture_create(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->store = fake_store_create(f);
	f->a = fake_channel(f->store, "A");
	f->b = fake_channel(f->store, "B");
	return f;
}

enum {
	LIVE = 1,
	REVERSE = 2,
	STRICT = 4,
	ONE = 8,
	NO_B = 16
};

static struct rpc_reader *reader_on(struct fixture *f, int how)
{
	struct store_channel *channels[] = {f->a, how & NO_B ? NULL : f->b};
	const char *text = how & ONE ? "*" : TWO_CHANNELS;
	struct rpc_reader_config config = {
		.store = f->store,
		.stats = &f->stats,
		.channels = channels,
		.live = how & LIVE,
		.reverse = how & REVERSE,
		.strict = how & STRICT,
	};
	struct event_query_error error;
	struct rpc_reader *reader = NULL;

	assert_int_equal(event_query_parse(f, how & ONE ? "A" : NULL, text,
					   strlen(text), false, &config.query,
					   &error),
			 EVERR_OK);
	assert_int_equal(rpc_reader_create(f, &config, &reader), EVERR_OK);
	/* Turns end for what they have done, however slow the machine is. */
	reader->walk->turn_ms = 3600000;
	return reader;
}

static struct rpc_batch *batch_of(struct rpc_reader *reader, uint32_t num)
{
	struct rpc_batch *batch = NULL;

	assert_int_equal(rpc_batch_create(reader, reader, num,
					  RPC_BATCH_BYTES_MAX, &batch),
			 EVERR_OK);
	return batch;
}

/* Fill in one turn, which must end like this. */
static void fill(struct rpc_reader *reader, struct rpc_batch *batch,
		 enum rpc_progress expected)
{
	enum rpc_progress progress;

	assert_int_equal(rpc_reader_fill(reader, batch, &progress), EVERR_OK);
	assert_int_equal(progress, expected);
	assert_int_equal(fake_open_snapshots, 0);
}

static void parse(const struct rpc_batch *batch, uint32_t i,
		  struct event_result *result)
{
	assert_true(i < batch->num);
	assert_true(batch->indices[i] + batch->sizes[i] <= batch->data.len);
	assert_int_equal(
		event_result_parse(batch->data.data + batch->indices[i],
				   batch->sizes[i], result),
		EVERR_OK);
}

static uint64_t passed_id(const struct event_result *result, size_t channel)
{
	return le64_get(result->record_ids + 8 * channel);
}

/* "A1 A2 B1": channel and record id of each record. */
static const char *sequence(const struct rpc_batch *batch)
{
	char *text = talloc_strdup(batch, "");
	uint32_t i;

	for (i = 0; i < batch->num; i++) {
		struct event_result result;

		parse(batch, i, &result);
		text = talloc_asprintf_append(
			text, "%s%c%u", i > 0 ? " " : "",
			'A' + (int)result.current_channel,
			(unsigned int)passed_id(&result,
						result.current_channel));
	}
	return text;
}

static const char *read_all(struct rpc_reader *reader)
{
	struct rpc_batch *batch = batch_of(reader, 1024);

	fill(reader, batch, RPC_READER_END);
	return sequence(batch);
}

/* --------------------------------------------------------------- order */

static void test_channels_merge_by_time_then_by_index(void **state)
{
	struct fixture *f = fixture_create(state);

	fake_append(f->a, 10, 0);
	fake_append(f->a, 20, 0);
	fake_append(f->a, 30, 0);
	fake_append(f->b, 5, 0);
	fake_append(f->b, 20, 0);
	fake_append(f->b, 25, 0);
	assert_string_equal(read_all(reader_on(f, 0)), "B1 A1 A2 B2 B3 A3");
	assert_string_equal(read_all(reader_on(f, REVERSE)),
			    "A3 B3 B2 A2 A1 B1");
}

static void test_inside_a_channel_record_ids_count_not_times(void **state)
{
	struct fixture *f = fixture_create(state);

	fake_append(f->a, 50, 0);
	fake_append(f->a, 10, 0);
	fake_append(f->b, 30, 0);
	assert_string_equal(read_all(reader_on(f, 0)), "B1 A1 A2");
}

static void test_a_channel_that_cannot_be_read_keeps_its_index(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = reader_on(f, NO_B);
	struct rpc_batch *batch = batch_of(reader, 10);
	struct event_result result;

	fake_append(f->a, 1, 0);
	fake_append(f->b, 1, 0);
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 1);
	parse(batch, 0, &result);
	assert_int_equal(result.num_channels, 2);
	assert_int_equal(passed_id(&result, 1), 0);
}

/* ------------------------------------------------------------ bookmarks */

/* The example of [MS-EVEN6] 4.6: cursors at 201 and 101. */
static void test_future_events_start_behind_what_is_there(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	struct event_result result;

	fake_append_many(f->a, 200, 1000);
	fake_append_many(f->b, 100, 1000);
	reader = reader_on(f, LIVE);
	assert_int_equal(rpc_reader_start_future(reader), EVERR_OK);
	batch = batch_of(reader, 5);
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 0);

	fake_append(f->a, 5000, 0);
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 1);
	parse(batch, 0, &result);
	assert_int_equal(result.current_channel, 0);
	assert_int_equal(passed_id(&result, 0), 201);
	assert_int_equal(passed_id(&result, 1), 100);
	assert_int_equal(result.num_subquery_ids, 1);
	assert_int_equal(le32_get(result.subquery_ids), 1);
	assert_false(result.reverse);
}

static void test_bookmarks_name_what_each_channel_has_passed(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	struct event_result result;

	fake_append(f->a, 10, 0);
	fake_append(f->b, 20, 0);
	fake_append(f->b, 30, 0);
	fake_append(f->a, 40, 0);
	reader = reader_on(f, 0);
	batch = batch_of(reader, 10);
	fill(reader, batch, RPC_READER_END);
	assert_string_equal(sequence(batch), "A1 B1 B2 A2");
	parse(batch, 0, &result);
	assert_int_equal(passed_id(&result, 1), 0);
	parse(batch, 2, &result);
	assert_int_equal(passed_id(&result, 0), 1);
	assert_int_equal(passed_id(&result, 1), 2);
	parse(batch, 3, &result);
	assert_int_equal(passed_id(&result, 0), 2);
	assert_int_equal(passed_id(&result, 1), 2);
}

static void test_a_plain_query_has_no_subquery_ids(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	struct event_result result;

	fake_append(f->a, 1, 0);
	reader = reader_on(f, ONE | REVERSE);
	batch = batch_of(reader, 10);
	fill(reader, batch, RPC_READER_END);
	parse(batch, 0, &result);
	assert_int_equal(result.num_subquery_ids, 0);
	assert_int_equal(result.num_channels, 1);
	assert_true(result.reverse);
}

/* --------------------------------------------------------------- limits */

/* Facts 5: even offsets, one pad byte that no size counts, none at the end. */
static void test_records_start_at_even_offsets(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	size_t expected = 0;
	bool odd = false;
	uint32_t i;

	for (i = 0; i < 40; i++) {
		fake_append(f->a, i, i);
	}
	reader = reader_on(f, ONE);
	batch = batch_of(reader, 100);
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 40);
	for (i = 0; i < 40; i++) {
		/* Head, event, no ids, a bookmark of one channel. */
		size_t size = 20 + fake_wire_len(f->a, i + 1) + 4 + 0x18 + 8;

		expected += expected % 2;
		assert_int_equal(batch->indices[i], expected);
		assert_int_equal(batch->sizes[i], size);
		expected += size;
		odd |= size % 2 != 0;
	}
	assert_int_equal(batch->data.len, expected);
	assert_true(odd);
}

static void test_a_batch_holds_what_was_asked_for(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fake_append_many(f->a, 2000, 1);
	reader = reader_on(f, ONE);

	batch = batch_of(reader, 0);
	fill(reader, batch, RPC_READER_READY);
	assert_int_equal(batch->num, 0);
	batch = batch_of(reader, 1);
	fill(reader, batch, RPC_READER_READY);
	assert_string_equal(sequence(batch), "A1");
	batch = batch_of(reader, 1025);
	fill(reader, batch, RPC_READER_READY);
	assert_int_equal(batch->num, 1024);
	batch = batch_of(reader, 1024);
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 2000 - 1 - 1024);
}

static void test_two_mebibytes_are_not_passed(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	uint32_t num_fit;
	size_t size;
	int i;

	for (i = 0; i < 50; i++) {
		fake_append(f->a, (uint64_t)i, 60000);
	}
	size = 20 + fake_wire_len(f->a, 1) + 4 + 0x18 + 8;
	size += size % 2;
	num_fit = (uint32_t)(2097152 / size);
	assert_in_range(num_fit, 26, 49);

	reader = reader_on(f, ONE);
	batch = batch_of(reader, 100);
	fill(reader, batch, RPC_READER_READY);
	assert_int_equal(batch->num, num_fit);
	assert_true(batch->data.len <= 2097152);
	batch = batch_of(reader, 100);
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 50 - num_fit);
}

static void test_the_byte_limit_is_exact(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	size_t size;

	fake_append(f->a, 1, 100);
	fake_append(f->a, 2, 100);
	size = 20 + fake_wire_len(f->a, 1) + 4 + 0x18 + 8;
	size += size % 2;
	size += 20 + fake_wire_len(f->a, 2) + 4 + 0x18 + 8;

	reader = reader_on(f, ONE);
	batch = batch_of(reader, 10);
	batch->aim_bytes = size;
	fill(reader, batch, RPC_READER_END);
	assert_int_equal(batch->num, 2);
	assert_int_equal(batch->data.len, size);

	reader = reader_on(f, ONE);
	batch = batch_of(reader, 10);
	batch->aim_bytes = size - 1;
	fill(reader, batch, RPC_READER_READY);
	assert_int_equal(batch->num, 1);
}

static void test_one_event_alone_passes_the_aim(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fake_append(f->a, 1, 10000);
	fake_append(f->a, 2, 0);
	reader = reader_on(f, ONE | LIVE);
	batch = batch_of(reader, 10);
	batch->aim_bytes = 5000;
	fill(reader, batch, RPC_READER_READY);
	assert_string_equal(sequence(batch), "A1");
}

static void test_an_event_over_the_limit_is_skipped_and_reported(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fake_append(f->a, 1, 10000);
	fake_append(f->a, 2, 0);
	reader = reader_on(f, ONE);
	batch = batch_of(reader, 10);
	batch->max_bytes = 5000;
	fill(reader, batch, RPC_READER_END);
	assert_string_equal(sequence(batch), "A2");
	assert_int_equal(f->stats.records_damaged, 1);
	assert_int_equal(fake_num_reports, 1);
	assert_int_equal(fake_reports[0].id, OPERATIONAL_RECORD_DAMAGED);
	assert_string_equal(fake_reports[0].text, "Channel=A RecordId=1");
}

/* ---------------------------------------------------------------- losses */

static void test_records_trimmed_unread_are_a_counted_gap(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fake_append_many(f->a, 10, 1);
	reader = reader_on(f, ONE | LIVE);
	batch = batch_of(reader, 2);
	fill(reader, batch, RPC_READER_READY);
	fake_trim(f->a, 8);
	assert_string_equal(read_all(reader), "A8 A9 A10");

	assert_int_equal(f->stats.gaps, 1);
	assert_int_equal(f->stats.records_missing, 5);
	assert_int_equal(fake_num_reports, 1);
	assert_int_equal(fake_reports[0].id, OPERATIONAL_READER_GAP);
	assert_string_equal(fake_reports[0].text,
			    "Channel=A First=3 Last=7 Cause=trimmed");
}

static void test_a_channel_trimmed_empty_is_a_gap_as_well(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 3, 1);
	reader = reader_on(f, ONE | LIVE);
	fake_trim(f->a, 4);
	assert_string_equal(read_all(reader), "");
	assert_int_equal(f->stats.records_missing, 3);
	fake_append(f->a, 9, 0);
	assert_string_equal(read_all(reader), "A4");
	assert_int_equal(f->stats.gaps, 1);
}

static void test_a_strict_reader_hears_of_a_gap_once(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	enum rpc_progress progress;

	fake_append_many(f->a, 4, 1);
	fake_skip(f->a, 10, STORE_GAP_RESTORED);
	fake_append_many(f->a, 2, 1);
	reader = reader_on(f, ONE | LIVE | STRICT);
	batch = batch_of(reader, 100);
	/* What lies before the gap is delivered first. */
	fill(reader, batch, RPC_READER_READY);
	assert_string_equal(sequence(batch), "A1 A2 A3 A4");
	assert_int_equal(rpc_reader_look(reader, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_READY);

	batch = batch_of(reader, 100);
	assert_int_equal(rpc_reader_fill(reader, batch, &progress),
			 EVERR_STALE);
	assert_string_equal(read_all(reader), "A15 A16");
	assert_string_equal(fake_reports[0].text,
			    "Channel=A First=5 Last=14 Cause=restored");
}

static void test_a_query_says_that_its_log_was_cleared(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	enum rpc_progress progress;

	fake_append_many(f->a, 2, 1);
	reader = reader_on(f, ONE);
	batch = batch_of(reader, 2);
	fill(reader, batch, RPC_READER_READY);
	fake_skip(f->a, 7, STORE_GAP_CLEARED);
	fake_append(f->a, 9, 0);
	batch = batch_of(reader, 2);
	assert_int_equal(rpc_reader_fill(reader, batch, &progress),
			 EVERR_STALE);
	assert_string_equal(read_all(reader), "A10");
}

/* facts 11.1: ERROR_EVT_CHANNEL_NOT_FOUND on the next delivery. */
static void test_a_subscription_learns_that_its_channel_is_gone(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *both = NULL;
	struct rpc_reader *one = NULL;
	struct rpc_reader *query = NULL;
	struct rpc_batch *batch = NULL;
	enum rpc_progress progress;

	fake_append_many(f->a, 2, 1);
	fake_append_many(f->b, 2, 5);
	both = reader_on(f, LIVE);
	one = reader_on(f, LIVE | ONE);
	query = reader_on(f, ONE);
	fake_remove_channel(f->a);

	/* The other channel goes on. */
	assert_int_equal(rpc_reader_look(both, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_READY);
	batch = batch_of(both, 10);
	assert_int_equal(rpc_reader_fill(both, batch, &progress),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_string_equal(read_all(both), "B1 B2");

	batch = batch_of(one, 10);
	assert_int_equal(rpc_reader_fill(one, batch, &progress),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(rpc_reader_fill(one, batch, &progress),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_int_equal(rpc_reader_look(one, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_READY);

	batch = batch_of(query, 10);
	assert_int_equal(rpc_reader_fill(query, batch, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_END);
}

static void test_ids_skipped_long_ago_are_no_news_to_a_query(void **state)
{
	struct fixture *f = fixture_create(state);

	fake_append(f->a, 1, 0);
	fake_skip(f->a, 1000, STORE_GAP_RESTORED);
	fake_append(f->a, 2, 0);
	assert_string_equal(read_all(reader_on(f, ONE)), "A1 A1002");
	assert_int_equal(f->stats.records_missing, 1000);
	assert_int_equal(fake_num_reports, 0);
}

static void test_damaged_records_are_passed_counted_and_reported(void **state)
{
	struct fixture *f = fixture_create(state);

	fake_append_many(f->a, 5, 1);
	fake_damage(f->a, 2);
	fake_orphan(f->a, 4);
	assert_string_equal(read_all(reader_on(f, ONE | LIVE)), "A1 A3 A5");
	assert_int_equal(f->stats.records_damaged, 2);
	assert_int_equal(f->stats.gaps, 0);
	assert_int_equal(fake_num_reports, 2);
	assert_int_equal(fake_reports[0].id, OPERATIONAL_RECORD_DAMAGED);
	assert_string_equal(fake_reports[0].text, "Channel=A RecordId=2");
	assert_string_equal(fake_reports[1].text, "Channel=A RecordId=4");
}

static void test_undoing_a_batch_says_nothing_twice(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fake_append_many(f->a, 2, 1);
	reader = reader_on(f, ONE | LIVE);
	fake_trim(f->a, 2);
	fake_append_many(f->a, 2, 1);
	fake_damage(f->a, 3);
	batch = batch_of(reader, 10);
	fill(reader, batch, RPC_READER_END);
	assert_string_equal(sequence(batch), "A2 A4");
	rpc_batch_undo(reader, batch);
	assert_int_equal(batch->num, 0);

	fill(reader, batch, RPC_READER_END);
	assert_string_equal(sequence(batch), "A2 A4");
	assert_int_equal(f->stats.gaps, 1);
	assert_int_equal(f->stats.records_damaged, 1);
	assert_int_equal(fake_num_reports, 2);
	assert_int_equal(f->stats.events_delivered, 0);
	rpc_batch_commit(reader, batch);
	assert_int_equal(f->stats.events_delivered, 2);
	assert_int_equal(f->stats.bytes_delivered, batch->data.len);
}

/* --------------------------------------------------------------- reverse */

static void test_a_reverse_query_does_not_grow(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 3, 1);
	reader = reader_on(f, ONE | REVERSE);
	fake_append_many(f->a, 3, 1);
	assert_string_equal(read_all(reader), "A3 A2 A1");
	assert_string_equal(read_all(reader), "");
}

static void test_a_forward_query_grows(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 2, 1);
	reader = reader_on(f, ONE);
	assert_string_equal(read_all(reader), "A1 A2");
	assert_string_equal(read_all(reader), "");
	fake_append(f->a, 9, 0);
	assert_string_equal(read_all(reader), "A3");
}

static void test_a_reverse_query_misses_what_was_trimmed(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fake_append_many(f->a, 10, 1);
	fake_trim(f->a, 3);
	reader = reader_on(f, ONE | REVERSE);
	batch = batch_of(reader, 2);
	fill(reader, batch, RPC_READER_READY);
	fake_trim(f->a, 6);
	assert_string_equal(read_all(reader), "A8 A7 A6");
	assert_string_equal(read_all(reader), "");
	assert_int_equal(f->stats.gaps, 1);
	assert_int_equal(f->stats.records_missing, 3);
	assert_string_equal(fake_reports[0].text,
			    "Channel=A First=3 Last=5 Cause=trimmed");
}

/* ----------------------------------------------------------------- turns */

static void test_a_turn_looks_at_a_bounded_number_of_records(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	enum rpc_progress progress = RPC_READER_AGAIN;
	int turns = 0;
	uint64_t id;

	/* Damage stands for records that a filter throws away. */
	fake_append_many(f->a, 100, 1);
	fake_append(f->a, 500, 0);
	fake_append(f->b, 400, 0);
	for (id = 1; id <= 100; id++) {
		fake_damage(f->a, id);
	}
	reader = reader_on(f, 0);
	reader->walk->loss_fn = NULL;
	reader->walk->turn_records = 8;
	batch = batch_of(reader, 10);
	while (progress == RPC_READER_AGAIN && turns < 100) {
		assert_int_equal(rpc_reader_fill(reader, batch, &progress),
				 EVERR_OK);
		turns++;
	}
	/* 8 and one for each channel in a turn; B's head is looked at anew. */
	assert_in_range(turns, 100 / 10, 100 / 8 + 2);
	assert_int_equal(progress, RPC_READER_END);
	assert_string_equal(sequence(batch), "B1 A101");
}

/*
 * No time at all: what one turn finds out is not looked for in the next, or
 * the head of the last channel would never be reached.
 */
static void turns_without_time(struct fixture *f, int direction,
			       const char *want)
{
	struct rpc_reader *reader = reader_on(f, direction);
	struct rpc_batch *batch = batch_of(reader, 10);
	enum rpc_progress progress = RPC_READER_AGAIN;
	int turns = 0;

	reader->walk->turn_ms = 0;
	while (progress == RPC_READER_AGAIN && turns < 100) {
		size_t before = batch->num;

		assert_int_equal(rpc_reader_fill(reader, batch, &progress),
				 EVERR_OK);
		/* The head that was known, and a new one. */
		assert_in_range(batch->num, before, before + 2);
		turns++;
	}
	assert_int_equal(progress, RPC_READER_END);
	assert_in_range(turns, 5, 7);
	assert_string_equal(sequence(batch), want);
}

static void test_a_turn_without_time_finds_one_record(void **state)
{
	struct fixture *f = fixture_create(state);

	fake_append_many(f->a, 2, 100);
	fake_append_many(f->b, 3, 50);
	turns_without_time(f, 0, "B1 B2 B3 A1 A2");
	turns_without_time(f, REVERSE, "A2 A1 B3 B2 B1");
}

/* ----------------------------------------------------------------- times */

static struct rpc_reader *reader_of(struct fixture *f, const char *filter,
				    bool reverse)
{
	struct store_channel *channels[] = {f->a};
	struct rpc_reader_config config = {
		.store = f->store,
		.stats = &f->stats,
		.channels = channels,
		.reverse = reverse,
	};
	struct event_query_error error;
	struct rpc_reader *reader = NULL;

	assert_int_equal(event_query_parse(f, "A", filter, strlen(filter),
					   false, &config.query, &error),
			 EVERR_OK);
	assert_int_equal(rpc_reader_create(f, &config, &reader), EVERR_OK);
	/* Turns end for what they have done, however slow the machine is. */
	reader->walk->turn_ms = 3600000;
	return reader;
}

/* FILETIMEs 2,997 to 3,000 of records with times 1 to 5,000: block 3. */
#define A_WINDOW                                                           \
	"*[System/TimeCreated[@SystemTime>='1601-01-01T00:00:00.0002997Z'" \
	" and @SystemTime<='1601-01-01T00:00:00.0003000Z']]"

/*
 * The other blocks are not read: they are all damaged, which a reader that
 * looks at a record reports.
 */
static void test_blocks_of_other_times_are_passed_unread(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	uint64_t id;

	fake_append_many(f->a, 5000, 1);
	for (id = 1; id <= 5000; id++) {
		if (id <= 2048 || id > 3072) {
			fake_damage(f->a, id);
		}
	}
	reader = reader_of(f, A_WINDOW, false);
	assert_string_equal(read_all(reader), "A2997 A2998 A2999 A3000");
	assert_int_equal(rpc_walk_passed(reader->walk, 0), 5000);
	reader = reader_of(f, A_WINDOW, true);
	assert_string_equal(read_all(reader), "A3000 A2999 A2998 A2997");
	assert_int_equal(f->stats.records_damaged, 0);
}

/* What is missing in a block that is passed is told as elsewhere. */
static void test_gaps_in_passed_blocks_are_counted(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 5000, 1);
	reader = reader_of(f, A_WINDOW, false);
	fake_lose(f->a, 5);
	fake_lose(f->a, 4999);
	assert_string_equal(read_all(reader), "A2997 A2998 A2999 A3000");
	assert_int_equal(f->stats.records_missing, 2);
}

static void test_a_forward_query_grows_within_its_times(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 100, 1);
	reader = reader_of(f, A_WINDOW, false);
	assert_string_equal(read_all(reader), "");
	fake_append(f->a, 2998, 0);
	assert_string_equal(read_all(reader), "A101");
	fake_append(f->a, 5, 0);
	fake_append(f->a, 2999, 0);
	assert_string_equal(read_all(reader), "A103");
}

/* What a batch holds already has been passed, so it has to go out. */
static void test_a_store_that_fails_half_way_loses_no_record(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	enum rpc_progress progress;

	fake_append_many(f->a, 20, 1);
	reader = reader_on(f, ONE);
	reader->walk->turn_records = 4;
	batch = batch_of(reader, 100);
	fill(reader, batch, RPC_READER_AGAIN);
	assert_string_equal(sequence(batch), "A1 A2 A3 A4 A5");
	fake_snapshot_error = EVERR_IO;
	fill(reader, batch, RPC_READER_READY);
	assert_string_equal(sequence(batch), "A1 A2 A3 A4 A5");

	batch = batch_of(reader, 100);
	assert_int_equal(rpc_reader_fill(reader, batch, &progress), EVERR_IO);
	fake_snapshot_error = EVERR_OK;
	fill(reader, batch, RPC_READER_AGAIN);
	assert_string_equal(sequence(batch), "A6 A7 A8 A9 A10");
}

static void test_looking_does_not_move(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = reader_on(f, LIVE);
	enum rpc_progress progress;

	assert_int_equal(rpc_reader_look(reader, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_END);
	fake_append(f->b, 1, 0);
	assert_int_equal(rpc_reader_look(reader, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_READY);
	assert_int_equal(rpc_reader_look(reader, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_READY);
	assert_string_equal(read_all(reader), "B1");
	assert_int_equal(rpc_reader_look(reader, &progress), EVERR_OK);
	assert_int_equal(progress, RPC_READER_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_channels_merge_by_time_then_by_index),
		leak_test(test_inside_a_channel_record_ids_count_not_times),
		leak_test(test_a_channel_that_cannot_be_read_keeps_its_index),
		leak_test(test_future_events_start_behind_what_is_there),
		leak_test(test_bookmarks_name_what_each_channel_has_passed),
		leak_test(test_a_plain_query_has_no_subquery_ids),
		leak_test(test_records_start_at_even_offsets),
		leak_test(test_a_batch_holds_what_was_asked_for),
		leak_test(test_two_mebibytes_are_not_passed),
		leak_test(test_the_byte_limit_is_exact),
		leak_test(test_one_event_alone_passes_the_aim),
		leak_test(test_an_event_over_the_limit_is_skipped_and_reported),
		leak_test(test_records_trimmed_unread_are_a_counted_gap),
		leak_test(test_a_channel_trimmed_empty_is_a_gap_as_well),
		leak_test(test_a_strict_reader_hears_of_a_gap_once),
		leak_test(test_a_query_says_that_its_log_was_cleared),
		leak_test(test_a_subscription_learns_that_its_channel_is_gone),
		leak_test(test_ids_skipped_long_ago_are_no_news_to_a_query),
		leak_test(test_damaged_records_are_passed_counted_and_reported),
		leak_test(test_undoing_a_batch_says_nothing_twice),
		leak_test(test_a_reverse_query_does_not_grow),
		leak_test(test_a_forward_query_grows),
		leak_test(test_a_reverse_query_misses_what_was_trimmed),
		leak_test(test_a_turn_looks_at_a_bounded_number_of_records),
		leak_test(test_a_turn_without_time_finds_one_record),
		leak_test(test_blocks_of_other_times_are_passed_unread),
		leak_test(test_gaps_in_passed_blocks_are_counted),
		leak_test(test_a_forward_query_grows_within_its_times),
		leak_test(test_a_store_that_fails_half_way_loses_no_record),
		leak_test(test_looking_does_not_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
