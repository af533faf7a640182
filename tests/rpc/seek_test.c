/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/result.h"
#include "rpc/reader.h"
#include "rpc/resume.h"
#include "rpc/seek.h"
#include "tests/rpc/fake_store.h"

#include <string.h>

#define TWO_CHANNELS                                             \
	"<QueryList><Query Path='A'>"                            \
	"<Select Path='A'>*</Select><Select Path='B'>*</Select>" \
	"</Query></QueryList>"

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
	ONE = 8
};

static struct rpc_reader *reader_on(struct fixture *f, int how)
{
	struct store_channel *channels[] = {f->a, f->b};
	const char *text = how & ONE ? "*" : TWO_CHANNELS;
	struct rpc_reader_config config = {
		.store = f->store,
		.stats = &f->stats,
		.channels = channels,
		.live = how & LIVE,
		.reverse = how & REVERSE,
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

/* The next n records as "A1 B1", which are then passed. */
static const char *read_some(struct rpc_reader *reader, uint32_t n)
{
	struct rpc_batch *batch = NULL;
	enum rpc_progress progress;
	char *text = NULL;
	uint32_t i;

	assert_int_equal(rpc_batch_create(reader, reader, n,
					  RPC_BATCH_BYTES_MAX, &batch),
			 EVERR_OK);
	assert_int_equal(rpc_reader_fill(reader, batch, &progress), EVERR_OK);
	text = talloc_strdup(reader, "");
	for (i = 0; i < batch->num; i++) {
		struct event_result result;

		assert_int_equal(
			event_result_parse(batch->data.data + batch->indices[i],
					   batch->sizes[i], &result),
			EVERR_OK);
		text = talloc_asprintf_append(
			text, "%s%c%u", i > 0 ? " " : "",
			'A' + (int)result.current_channel,
			(unsigned int)le64_get(result.record_ids +
					       8 * result.current_channel));
	}
	return text;
}

static const char *read_one(struct rpc_reader *reader)
{
	return read_some(reader, 1);
}

static everr_t resume(struct rpc_reader *reader, const char *xml, bool strict)
{
	struct event_bookmark_list *bookmarks = NULL;

	assert_int_equal(
		event_bookmark_parse(reader, xml, strlen(xml), &bookmarks),
		EVERR_OK);
	return rpc_resume_reader(reader, bookmarks, strict);
}

/* Seek in turns of one record each, to the end or the error. */
static everr_t seek(struct rpc_reader *reader, enum rpc_seek_origin origin,
		    int64_t pos, bool strict, const char *xml)
{
	enum rpc_progress progress = RPC_READER_AGAIN;
	struct event_bookmark_list *bookmarks = NULL;
	struct rpc_seek *seek = NULL;
	everr_t err;
	int turns;

	if (xml != NULL) {
		assert_int_equal(event_bookmark_parse(reader, xml, strlen(xml),
						      &bookmarks),
				 EVERR_OK);
	}
	reader->walk->turn_records = 1;
	err = rpc_seek_create(reader, reader, origin, pos, strict, bookmarks,
			      &seek);
	for (turns = 0; err == EVERR_OK && progress == RPC_READER_AGAIN;
	     turns++) {
		assert_true(turns < 10000);
		err = rpc_seek_turn(seek, &progress);
	}
	talloc_free(seek);
	reader->walk->turn_records = RPC_WALK_TURN_RECORDS;
	assert_int_equal(fake_open_snapshots, 0);
	return err;
}

static void assert_seek(struct rpc_reader *reader, enum rpc_seek_origin origin,
			int64_t pos, const char *next)
{
	assert_int_equal(seek(reader, origin, pos, false, NULL), EVERR_OK);
	assert_string_equal(read_one(reader), next);
}

#define BOOKMARK_A(id)                                       \
	"<BookmarkList><Bookmark Channel='A' RecordId='" #id \
	"' IsCurrent='true'/></BookmarkList>"

/* --------------------------------------------------------------- resume */

static void test_a_bookmark_resumes_behind_its_record(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 12, 1);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(10), true), EVERR_OK);
	assert_string_equal(read_some(reader, 10), "A11 A12");
	assert_int_equal(resume(reader, BOOKMARK_A(12), true), EVERR_OK);
	assert_string_equal(read_some(reader, 10), "");
	fake_append(f->a, 50, 0);
	assert_string_equal(read_some(reader, 10), "A13");
	assert_int_equal(f->stats.gaps, 0);
	assert_int_equal(fake_num_reports, 0);
}

static void test_a_channel_the_bookmark_leaves_out_starts_at_oldest(
	void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 3, 10);
	fake_append_many(f->b, 2, 20);
	reader = reader_on(f, LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(2), true), EVERR_OK);
	assert_string_equal(read_some(reader, 10), "A3 B1 B2");
	assert_int_equal(f->stats.gaps, 0);
}

static void test_each_channel_resumes_at_its_own_bookmark(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	const char *xml = "<BookmarkList><Bookmark Channel='a' RecordId='2'/>"
			  "<Bookmark Channel=' B' RecordId='1'"
			  " IsCurrent='true'/></BookmarkList>";

	fake_append_many(f->a, 3, 10);
	fake_append_many(f->b, 3, 20);
	reader = reader_on(f, LIVE);
	assert_int_equal(resume(reader, xml, true), EVERR_OK);
	assert_string_equal(read_some(reader, 10), "A3 B2 B3");
}

/*
 * A reverse query's bookmark: B was read down to 3, so that B3 comes after
 * A2 in time and is news to who goes forward from there.
 */
static void test_a_backward_bookmark_loses_nothing_forward(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	const char *xml = "<BookmarkList Direction='backward'>"
			  "<Bookmark Channel='A' RecordId='2' "
			  "IsCurrent='true'/>"
			  "<Bookmark Channel='B' RecordId='3'/>"
			  "</BookmarkList>";

	fake_append_many(f->a, 3, 10);
	fake_append_many(f->b, 4, 20);
	reader = reader_on(f, LIVE);
	assert_int_equal(resume(reader, xml, false), EVERR_OK);
	assert_string_equal(read_some(reader, 10), "A3 B3 B4");
}

static void test_a_trimmed_bookmark_resumes_at_the_oldest_with_a_gap(
	void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 20, 1);
	fake_trim(f->a, 15);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(10), false), EVERR_OK);
	assert_int_equal(f->stats.gaps, 1);
	assert_int_equal(f->stats.records_missing, 4);
	assert_int_equal(fake_num_reports, 1);
	assert_int_equal(fake_reports[0].id, OPERATIONAL_BOOKMARK_STALE);
	assert_string_equal(fake_reports[0].text,
			    "Channel=A RecordId=10 ResumedAt=15");
	assert_string_equal(read_some(reader, 2), "A15 A16");
	assert_int_equal(f->stats.gaps, 1);

	assert_int_equal(resume(reader, BOOKMARK_A(10), true), EVERR_STALE);
}

static void test_a_bookmark_just_trimmed_has_lost_nothing(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 20, 1);
	fake_trim(f->a, 11);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(10), false), EVERR_OK);
	assert_string_equal(read_one(reader), "A11");
	assert_int_equal(f->stats.gaps, 0);
	/* But the record itself is gone, which is what Strict asks about. */
	assert_int_equal(resume(reader, BOOKMARK_A(10), true), EVERR_STALE);
}

static void test_a_bookmark_in_a_trimmed_empty_channel_is_stale(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 20, 1);
	fake_trim(f->a, 21);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(5), true), EVERR_STALE);
	assert_int_equal(resume(reader, BOOKMARK_A(5), false), EVERR_OK);
	assert_int_equal(f->stats.records_missing, 15);
	fake_append(f->a, 50, 0);
	assert_string_equal(read_some(reader, 5), "A21");
}

static void test_a_deleted_record_in_the_middle(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 10, 1);
	fake_lose(f->a, 5);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(5), true), EVERR_NOT_FOUND);
	assert_int_equal(resume(reader, BOOKMARK_A(5), false), EVERR_OK);
	assert_string_equal(read_one(reader), "A6");
	assert_int_equal(f->stats.gaps, 0);
}

static void test_a_bookmark_beyond_the_newest_never_means_now(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 10, 1);
	fake_trim(f->a, 4);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(11), true), EVERR_NOT_FOUND);
	assert_int_equal(resume(reader, BOOKMARK_A(11), false), EVERR_OK);
	assert_string_equal(read_one(reader), "A4");
	assert_int_equal(f->stats.gaps, 1);
	assert_string_equal(fake_reports[0].text,
			    "Channel=A RecordId=11 ResumedAt=4");
	assert_int_equal(
		resume(reader, BOOKMARK_A(18446744073709551615), false),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A4");
}

static void test_a_bookmark_of_another_log_resumes_at_the_oldest(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	const char *xml = "<BookmarkList><Bookmark Channel='Z' RecordId='2' "
			  "IsCurrent='true'/></BookmarkList>";

	fake_append_many(f->a, 3, 1);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, xml, true), EVERR_NOT_FOUND);
	assert_int_equal(resume(reader, xml, false), EVERR_OK);
	assert_string_equal(read_one(reader), "A1");
	assert_int_equal(f->stats.gaps, 1);
	assert_int_equal(fake_reports[0].id, OPERATIONAL_BOOKMARK_STALE);
}

static void test_record_id_zero_means_nothing_seen(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 10, 1);
	fake_trim(f->a, 4);
	reader = reader_on(f, ONE | LIVE);
	assert_int_equal(resume(reader, BOOKMARK_A(0), false), EVERR_OK);
	assert_string_equal(read_one(reader), "A4");
	assert_int_equal(f->stats.gaps, 0);
	assert_int_equal(resume(reader, BOOKMARK_A(0), true), EVERR_NOT_FOUND);
}

/* ----------------------------------------------------------------- seek */

/* The two channels of seven records whose order is told by their times. */
static void append_seven(struct fixture *f)
{
	fake_append(f->a, 10, 0);
	fake_append(f->a, 20, 0);
	fake_append(f->a, 30, 0);
	fake_append(f->b, 15, 0);
	fake_append(f->b, 20, 0);
	fake_append(f->b, 30, 0);
	fake_append(f->b, 30, 0);
}

/* From every place to every other, in turns of one record. */
static void check_positions(struct rpc_reader *reader, const char *const *names)
{
	int from, to;

	for (to = 0; to < 7; to++) {
		assert_seek(reader, RPC_SEEK_FIRST, to, names[to]);
		assert_seek(reader, RPC_SEEK_LAST, to - 6, names[to]);
		for (from = 0; from < 7; from++) {
			assert_seek(reader, RPC_SEEK_FIRST, from, names[from]);
			/* Reading has passed it: the cursor is one further. */
			assert_seek(reader, RPC_SEEK_CURRENT, to - from - 1,
				    names[to]);
		}
	}
}

static void test_positions_are_those_of_the_sequence(void **state)
{
	const char *names[] = {"A1", "B1", "A2", "B2", "A3", "B3", "B4"};
	struct fixture *f = fixture_create(state);

	append_seven(f);
	check_positions(reader_on(f, 0), names);
}

static void test_reverse_positions_stay_in_the_result_set(void **state)
{
	const char *names[] = {"B4", "B3", "A3", "B2", "A2", "B1", "A1"};
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	append_seven(f);
	reader = reader_on(f, REVERSE);
	fake_append(f->a, 99, 0);
	fake_append(f->b, 99, 0);
	check_positions(reader, names);
}

/* Facts 4.2: 99 left and position 100 is the last one. */
static void test_positions_too_far_take_the_nearest_record(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 100, 1);
	reader = reader_on(f, ONE);
	assert_string_equal(read_one(reader), "A1");
	assert_seek(reader, RPC_SEEK_CURRENT, 100, "A100");
	assert_seek(reader, RPC_SEEK_FIRST, 100, "A100");
	assert_seek(reader, RPC_SEEK_FIRST, INT64_MAX, "A100");
	assert_seek(reader, RPC_SEEK_LAST, -100, "A1");
	assert_seek(reader, RPC_SEEK_LAST, INT64_MIN, "A1");
	assert_seek(reader, RPC_SEEK_CURRENT, -5, "A1");
}

static void test_strict_positions_too_far_are_refused_and_do_not_move(
	void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 10, 1);
	reader = reader_on(f, ONE);
	assert_string_equal(read_some(reader, 4), "A1 A2 A3 A4");
	assert_int_equal(seek(reader, RPC_SEEK_FIRST, 10, true, NULL),
			 EVERR_NOT_FOUND);
	assert_int_equal(seek(reader, RPC_SEEK_CURRENT, 6, true, NULL),
			 EVERR_NOT_FOUND);
	assert_int_equal(seek(reader, RPC_SEEK_CURRENT, -5, true, NULL),
			 EVERR_NOT_FOUND);
	assert_int_equal(seek(reader, RPC_SEEK_LAST, -10, true, NULL),
			 EVERR_NOT_FOUND);
	assert_string_equal(read_one(reader), "A5");
	assert_int_equal(seek(reader, RPC_SEEK_FIRST, 9, true, NULL), EVERR_OK);
	assert_string_equal(read_one(reader), "A10");
	assert_int_equal(seek(reader, RPC_SEEK_LAST, -9, true, NULL), EVERR_OK);
	assert_string_equal(read_one(reader), "A1");
}

static void test_positions_on_the_wrong_side_are_invalid(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 3, 1);
	reader = reader_on(f, ONE);
	assert_string_equal(read_one(reader), "A1");
	assert_int_equal(seek(reader, RPC_SEEK_FIRST, -1, false, NULL),
			 EVERR_INVALID);
	assert_int_equal(seek(reader, RPC_SEEK_LAST, 1, false, NULL),
			 EVERR_INVALID);
	assert_int_equal(seek(reader, RPC_SEEK_BOOKMARK, 0, false, NULL),
			 EVERR_INVALID);
	assert_string_equal(read_one(reader), "A2");
}

/* Read one, skip one: comes to an end. */
static void test_a_cursor_behind_the_last_record_stays_there(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 2, 1);
	reader = reader_on(f, ONE);
	assert_string_equal(read_some(reader, 5), "A1 A2");
	assert_seek(reader, RPC_SEEK_CURRENT, 1, "");
	assert_seek(reader, RPC_SEEK_CURRENT, 0, "");
	assert_seek(reader, RPC_SEEK_CURRENT, -1, "A2");
	fake_append(f->a, 9, 0);
	assert_seek(reader, RPC_SEEK_CURRENT, 0, "A3");
}

static void test_seeking_in_an_empty_result(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *forward = reader_on(f, 0);
	struct rpc_reader *reverse = reader_on(f, REVERSE);

	assert_seek(forward, RPC_SEEK_FIRST, 3, "");
	assert_seek(forward, RPC_SEEK_LAST, 0, "");
	assert_seek(reverse, RPC_SEEK_FIRST, 0, "");
	assert_seek(reverse, RPC_SEEK_LAST, -2, "");
	assert_int_equal(seek(forward, RPC_SEEK_LAST, 0, true, NULL),
			 EVERR_NOT_FOUND);
	fake_append(f->a, 1, 0);
	assert_string_equal(read_one(forward), "A1");
	assert_string_equal(read_one(reverse), "");
}

static void test_seeking_does_not_report_what_it_passes(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 10, 1);
	fake_trim(f->a, 4);
	fake_damage(f->a, 6);
	reader = reader_on(f, ONE);
	assert_seek(reader, RPC_SEEK_LAST, -100, "A4");
	assert_seek(reader, RPC_SEEK_FIRST, 3, "A8");
	assert_int_equal(fake_num_reports, 0);
	assert_int_equal(f->stats.gaps, 0);
}

/* ------------------------------------------------- seek to a bookmark */

static void test_seek_to_a_bookmark_counts_from_its_record(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;
	const struct {
		int64_t pos;
		const char *forward;
		const char *reverse;
	} cases[] = {{0, "A5", "A5"},  {1, "A6", "A4"},	 {3, "A8", "A2"},
		     {-1, "A4", "A6"}, {-4, "A1", "A9"}, {-100, "A1", "A10"}};
	size_t i;

	fake_append_many(f->a, 10, 1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reader = reader_on(f, ONE);
		assert_int_equal(seek(reader, RPC_SEEK_BOOKMARK, cases[i].pos,
				      false, BOOKMARK_A(5)),
				 EVERR_OK);
		assert_string_equal(read_one(reader), cases[i].forward);
		reader = reader_on(f, ONE | REVERSE);
		assert_int_equal(seek(reader, RPC_SEEK_BOOKMARK, cases[i].pos,
				      false, BOOKMARK_A(5)),
				 EVERR_OK);
		assert_string_equal(read_one(reader), cases[i].reverse);
	}
}

/* Facts 4.2: bookmark 1000 missing with 999 and 1002 there is 999. */
static void test_a_missing_bookmark_is_its_nearest_record(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 999, 1);
	fake_skip(f->a, 2, STORE_GAP_RESTORED);
	fake_append_many(f->a, 1, 2000);
	reader = reader_on(f, ONE);
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 0, false, BOOKMARK_A(1000)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A999");
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 0, false, BOOKMARK_A(1001)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A1002");
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, -1, false, BOOKMARK_A(1000)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A998");
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 1, false, BOOKMARK_A(1000)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A1002");
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 0, true, BOOKMARK_A(1000)),
		EVERR_NOT_FOUND);
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 0, false, BOOKMARK_A(5000)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A1002");
}

/* .NET's EventLogReader resumes with position 1. */
static void test_after_a_bookmark_nothing_is_lost_or_repeated(void **state)
{
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 10, 1);
	reader = reader_on(f, ONE);
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 1, false, BOOKMARK_A(10)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "");
	fake_append(f->a, 50, 0);
	assert_string_equal(read_one(reader), "A11");
	assert_int_equal(f->stats.gaps, 0);

	/* Trimmed past it: the oldest, not the one after the oldest. */
	fake_trim(f->a, 8);
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 1, false, BOOKMARK_A(3)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A8");
	assert_int_equal(f->stats.gaps, 1);
	assert_int_equal(f->stats.records_missing, 4);

	/* From another log: all there is, never "now". */
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 1, false, BOOKMARK_A(500)),
		EVERR_OK);
	assert_string_equal(read_one(reader), "A8");
	assert_int_equal(f->stats.gaps, 2);
	assert_int_equal(
		seek(reader, RPC_SEEK_BOOKMARK, 1, true, BOOKMARK_A(500)),
		EVERR_NOT_FOUND);
}

/* A batch's own bookmark brings the reader back to where it was. */
static void test_a_bookmark_of_two_channels_is_a_place_in_both(void **state)
{
	const char *xml = "<BookmarkList><Bookmark Channel='A' RecordId='2' "
			  "IsCurrent='true'/>"
			  "<Bookmark Channel='B' RecordId='1'/>"
			  "</BookmarkList>";
	const char *back = "<BookmarkList Direction='backward'>"
			   "<Bookmark Channel='A' RecordId='2' "
			   "IsCurrent='true'/>"
			   "<Bookmark Channel='B' RecordId='2'/>"
			   "</BookmarkList>";
	struct fixture *f = fixture_create(state);
	struct rpc_reader *forward = NULL;
	struct rpc_reader *reverse = NULL;

	append_seven(f);
	forward = reader_on(f, 0);
	reverse = reader_on(f, REVERSE);
	assert_int_equal(seek(forward, RPC_SEEK_BOOKMARK, 0, true, xml),
			 EVERR_OK);
	assert_string_equal(read_some(forward, 9), "A2 B2 A3 B3 B4");
	assert_int_equal(seek(forward, RPC_SEEK_BOOKMARK, 1, true, xml),
			 EVERR_OK);
	assert_string_equal(read_some(forward, 9), "B2 A3 B3 B4");
	assert_int_equal(seek(forward, RPC_SEEK_BOOKMARK, 0, true, back),
			 EVERR_OK);
	assert_string_equal(read_some(forward, 9), "A2 B2 A3 B3 B4");

	assert_int_equal(seek(reverse, RPC_SEEK_BOOKMARK, 0, true, back),
			 EVERR_OK);
	assert_string_equal(read_some(reverse, 9), "A2 B1 A1");
	assert_int_equal(seek(reverse, RPC_SEEK_BOOKMARK, 0, true, xml),
			 EVERR_OK);
	assert_string_equal(read_some(reverse, 9), "A2 B1 A1");
}

static void test_a_bookmark_of_no_channel_of_ours(void **state)
{
	const char *xml = "<BookmarkList><Bookmark Channel='Z' RecordId='2' "
			  "IsCurrent='true'/></BookmarkList>";
	struct fixture *f = fixture_create(state);
	struct rpc_reader *reader = NULL;

	fake_append_many(f->a, 3, 1);
	reader = reader_on(f, ONE);
	assert_string_equal(read_some(reader, 2), "A1 A2");
	assert_int_equal(seek(reader, RPC_SEEK_BOOKMARK, 0, true, xml),
			 EVERR_NOT_FOUND);
	assert_string_equal(read_one(reader), "A3");
	assert_int_equal(seek(reader, RPC_SEEK_BOOKMARK, 0, false, xml),
			 EVERR_OK);
	assert_string_equal(read_one(reader), "A1");
	assert_int_equal(f->stats.gaps, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_bookmark_resumes_behind_its_record),
		leak_test(
			test_a_channel_the_bookmark_leaves_out_starts_at_oldest),
		leak_test(test_each_channel_resumes_at_its_own_bookmark),
		leak_test(test_a_backward_bookmark_loses_nothing_forward),
		leak_test(
			test_a_trimmed_bookmark_resumes_at_the_oldest_with_a_gap),
		leak_test(test_a_bookmark_just_trimmed_has_lost_nothing),
		leak_test(test_a_bookmark_in_a_trimmed_empty_channel_is_stale),
		leak_test(test_a_deleted_record_in_the_middle),
		leak_test(test_a_bookmark_beyond_the_newest_never_means_now),
		leak_test(test_a_bookmark_of_another_log_resumes_at_the_oldest),
		leak_test(test_record_id_zero_means_nothing_seen),
		leak_test(test_positions_are_those_of_the_sequence),
		leak_test(test_reverse_positions_stay_in_the_result_set),
		leak_test(test_positions_too_far_take_the_nearest_record),
		leak_test(
			test_strict_positions_too_far_are_refused_and_do_not_move),
		leak_test(test_positions_on_the_wrong_side_are_invalid),
		leak_test(test_a_cursor_behind_the_last_record_stays_there),
		leak_test(test_seeking_in_an_empty_result),
		leak_test(test_seeking_does_not_report_what_it_passes),
		leak_test(test_seek_to_a_bookmark_counts_from_its_record),
		leak_test(test_a_missing_bookmark_is_its_nearest_record),
		leak_test(test_after_a_bookmark_nothing_is_lost_or_repeated),
		leak_test(test_a_bookmark_of_two_channels_is_a_place_in_both),
		leak_test(test_a_bookmark_of_no_channel_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
