/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Readers on a real store: its commits, wake-ups, retention and restarts.
 */

#include "tests/store/fixture.h"

#include "event/result.h"
#include "rpc/reader.h"
#include "rpc/resume.h"

struct live {
	struct fixture *f;
	struct store_channel *a;
	struct store_channel *b;
	struct rpc_stats stats;
};

static struct live *live_start(void **state)
{
	struct live *live = talloc_zero(*state, struct live);

	live->f = fixture_start(state);
	live->a = fixture_channel(live->f, "Application");
	live->b = fixture_channel(live->f, "Backup/Operational");
	return live;
}

static struct rpc_reader *reader_on(struct live *live, const char *text)
{
	struct store_channel *channels[] = {live->a, live->b};
	struct rpc_reader_config config = {
		.store = live->f->store,
		.stats = &live->stats,
		.channels = channels,
		.live = true,
	};
	const char *path = text[0] == '<' ? NULL : "Application";
	struct event_query_error error;
	struct rpc_reader *reader = NULL;

	assert_int_equal(event_query_parse(live, path, text, strlen(text),
					   false, &config.query, &error),
			 EVERR_OK);
	assert_int_equal(rpc_reader_create(live, &config, &reader), EVERR_OK);
	/* Turns end for what they have done, however slow the machine is. */
	reader->walk->turn_ms = 3600000;
	return reader;
}

static struct rpc_batch *fill(struct rpc_reader *reader, uint32_t num)
{
	enum rpc_progress progress;
	struct rpc_batch *batch = NULL;

	assert_int_equal(rpc_batch_create(reader, reader, num,
					  RPC_BATCH_BYTES_MAX, &batch),
			 EVERR_OK);
	assert_int_equal(rpc_reader_fill(reader, batch, &progress), EVERR_OK);
	return batch;
}

static void parse(const struct rpc_batch *batch, uint32_t i,
		  struct event_result *result)
{
	assert_true(i < batch->num);
	assert_int_equal(
		event_result_parse(batch->data.data + batch->indices[i],
				   batch->sizes[i], result),
		EVERR_OK);
}

static uint64_t record_id(const struct rpc_batch *batch, uint32_t i)
{
	struct event_result result;

	parse(batch, i, &result);
	return le64_get(result.record_ids + 8 * result.current_channel);
}

static void count_wake(struct store_channel *channel, void *private_data)
{
	int *count = private_data;

	(void)channel;
	(*count)++;
}

static void test_a_commit_wakes_and_is_read_exactly(void **state)
{
	struct live *live = live_start(state);
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	struct event_result result;
	struct buf xml;
	int wakes = 0;

	fixture_append_ok(live->f, live->a, 1, 200);
	fixture_append_ok(live->f, live->b, 2, 100);
	reader = reader_on(
		live, "<QueryList><Query Id='1' Path='Application'>"
		      "<Select Path='Application'>*</Select></Query>"
		      "<Query Id='2' Path='Backup/Operational'>"
		      "<Select Path='Backup/Operational'>*</Select></Query>"
		      "</QueryList>");
	assert_int_equal(rpc_reader_start_future(reader), EVERR_OK);
	assert_non_null(store_watch_add(reader, live->a, count_wake, &wakes));
	assert_int_equal(fill(reader, 5)->num, 0);

	fixture_append_ok(live->f, live->a, 1, 1);
	assert_int_equal(wakes, 1);
	batch = fill(reader, 5);
	assert_int_equal(batch->num, 1);
	parse(batch, 0, &result);
	assert_int_equal(record_id(batch, 0), 201);
	assert_int_equal(le64_get(result.record_ids + 8), 100);
	assert_int_equal(le32_get(result.subquery_ids), 1);

	/* What came out is a document again, of what went in. */
	buf_init(&xml, reader, 1 << 20);
	{
		struct event_dict *dict = event_dict_create(reader, NULL);
		struct event_packer *packer = event_packer_create(reader, dict);
		struct event_packed packed;

		assert_int_equal(event_pack(packer, result.event,
					    result.event_len, &packed),
				 EVERR_OK);
		assert_int_equal(event_render_xml(&xml, dict, packed.data,
						  packed.len, NULL),
				 EVERR_OK);
	}
	buf_put_u8(&xml, 0);
	assert_non_null(strstr((const char *)xml.data, "Test-Provider"));
	assert_non_null(strstr((const char *)xml.data, "<Data Name='Kind1'>"));
}

static void test_retention_leaves_an_exact_gap(void **state)
{
	struct store_channel_config config = {.enabled = true,
					      .max_bytes = 200000};
	struct live *live = live_start(state);
	struct store_channel_info info;
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;
	int i;

	assert_int_equal(store_channel_define(live->f->store, "Application",
					      &config, &live->a),
			 EVERR_OK);
	fixture_append_ok(live->f, live->a, 1, 100);
	reader = reader_on(live, "*");
	assert_int_equal(fill(reader, 10)->num, 10);
	for (i = 0; i < 50; i++) {
		fixture_append_ok(live->f, live->a, 1, 100);
	}
	store_channel_info(live->a, &info);
	assert_true(info.oldest_id > 11);

	batch = fill(reader, 10);
	assert_int_equal(record_id(batch, 0), info.oldest_id);
	assert_int_equal(live->stats.gaps, 1);
	assert_int_equal(live->stats.records_missing, info.oldest_id - 11);
}

/* Many small commits, each read as soon as it is there or some later. */
static void test_every_record_comes_once_while_others_are_written(void **state)
{
	struct live *live = live_start(state);
	struct rpc_reader *reader = reader_on(live, "*");
	struct tevent_req *requests[40];
	uint64_t expected = 1;
	uint64_t first_id;
	size_t i;
	uint32_t j;

	for (i = 0; i < 40; i++) {
		struct store_input inputs[5];

		for (j = 0; j < 5; j++) {
			inputs[j] = fixture_event(live, 1, FIXTURE_TIME, "x");
		}
		requests[i] = fixture_send(live->f, live->a, inputs, 5);
	}
	for (i = 0; i < 40; i++) {
		struct rpc_batch *batch = NULL;

		assert_int_equal(fixture_recv(live->f, requests[i], &first_id),
				 EVERR_OK);
		/* Acknowledged means readable. */
		batch = fill(reader, 1024);
		for (j = 0; j < batch->num; j++) {
			assert_int_equal(record_id(batch, j), expected);
			expected++;
		}
		assert_true(expected >= first_id + 5);
	}
	assert_int_equal(expected, 201);
	assert_int_equal(live->stats.gaps, 0);
}

static void test_a_bookmark_outlives_a_restart(void **state)
{
	const char *xml = "<BookmarkList><Bookmark Channel='Application' "
			  "RecordId='7' IsCurrent='true'/></BookmarkList>";
	struct live *live = live_start(state);
	struct event_bookmark_list *bookmarks = NULL;
	struct rpc_reader *reader = NULL;
	struct rpc_batch *batch = NULL;

	fixture_append_ok(live->f, live->a, 1, 10);
	fixture_reopen(live->f);
	live->a = fixture_channel(live->f, "Application");
	live->b = fixture_channel(live->f, "Backup/Operational");
	fixture_append_ok(live->f, live->a, 1, 1);

	reader = reader_on(live, "*");
	assert_int_equal(
		event_bookmark_parse(reader, xml, strlen(xml), &bookmarks),
		EVERR_OK);
	assert_int_equal(rpc_resume_reader(reader, bookmarks, true), EVERR_OK);
	batch = fill(reader, 10);
	assert_int_equal(batch->num, 4);
	assert_int_equal(record_id(batch, 0), 8);
	assert_int_equal(record_id(batch, 3), 11);
	assert_int_equal(live->stats.gaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_commit_wakes_and_is_read_exactly),
		leak_test(test_retention_leaves_an_exact_gap),
		leak_test(
			test_every_record_comes_once_while_others_are_written),
		leak_test(test_a_bookmark_outlives_a_restart),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
