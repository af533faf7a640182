/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Feeds from a scripted host into a real store: what is stored, in which order,
 * how often, and what is counted as missing.
 */

#include "tests/store/fixture.h"

#include "collect/feed.h"
#include "tests/collect/fake_log.h"

#define TARGET "ForwardedEvents"

struct feeding {
	struct fixture *f;
	struct fake_log *log;
	struct store_channel *target;
	struct collect_channel_config channel;
	struct collect_config config;
	struct collect_feed *feed;
	uint32_t broken;
	uint32_t alive;
};

static void on_broken(const struct collect_failure *why, void *private_data)
{
	struct feeding *t = private_data;

	assert_int_not_equal(why->err, EVERR_OK);
	t->broken++;
}

static void on_alive(void *private_data)
{
	struct feeding *t = private_data;

	t->alive++;
}

static const struct collect_feed_hooks hooks = {
	.broken = on_broken,
	.alive = on_alive,
};

static void feed_start(struct feeding *t)
{
	struct collect_feed_env env = {.ev = t->f->ev, .store = t->f->store};

	assert_int_equal(collect_feed_create(t->f, &env, &t->config,
					     &t->channel, &hooks, t, &t->feed),
			 EVERR_OK);
	collect_feed_up(t->feed, t->log->connection, false);
}

static struct feeding *feeding_new(void **state)
{
	struct feeding *t = talloc_zero(*state, struct feeding);

	t->f = fixture_start(state);
	/* The feed ends before the store and the host do. */
	t->log = fake_log_create(t);
	t->target = fixture_channel(t->f, TARGET);
	t->channel.name = FAKE_LOG_NAME;
	t->config = (struct collect_config){
		.section = "test",
		.host = "dc1.example",
		.channels = &t->channel,
		.num_channels = 1,
		.batch = 64,
		.read_existing = true,
		.target = TARGET,
		.backoff_max = 1,
	};
	return t;
}

/* Another feed, as after the process was started again. */
static void feed_restart(struct feeding *t)
{
	TALLOC_FREE(t->feed);
	fixture_reopen(t->f);
	assert_int_equal(store_channel_find(t->f->store, TARGET, &t->target),
			 EVERR_OK);
	feed_start(t);
}

/* Records first to last; their text is "N" of "generation". */
static void add(struct feeding *t, uint64_t first, uint64_t last,
		const char *generation)
{
	uint64_t id;

	for (id = first; id <= last; id++) {
		char *text = talloc_asprintf(t, "%s-%u", generation,
					     (unsigned int)id);
		struct store_input event = fixture_event(
			t, 1, FIXTURE_TIME + id * WINTIME_SECOND, text);

		fake_log_add(t->log, id, event.doc, event.len);
	}
	fake_log_wake(t->log);
}

static struct collect_feed_info info(const struct feeding *t)
{
	struct collect_feed_info i;

	collect_feed_info(t->feed, &i);
	return i;
}

static uint64_t position_of(const struct feeding *t)
{
	return info(t).position.record_id;
}

/* The texts that are stored, "a-1 a-2 ...", in order. */
static char *stored(struct feeding *t)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {.id = 0};
	char *all = talloc_strdup(t, "");
	struct buf xml;

	assert_int_equal(store_snapshot_begin(t->f->store, &snapshot),
			 EVERR_OK);
	while (store_read(snapshot, t->target, record.id + 1, false, &record) ==
	       EVERR_OK) {
		char *text = NULL;
		char *end = NULL;

		buf_init(&xml, t, 1 << 20);
		assert_int_equal(event_render_xml(&xml, store_dict(t->f->store),
						  record.data, record.len,
						  NULL),
				 EVERR_OK);
		buf_put_u8(&xml, 0);
		text = strstr((char *)xml.data, "'Kind1'>");
		assert_non_null(text);
		text += strlen("'Kind1'>");
		end = strchr(text, '<');
		all = talloc_asprintf_append(all, "%s%.*s",
					     *all == '\0' ? "" : " ",
					     (int)(end - text), text);
		talloc_free(xml.data);
	}
	store_snapshot_end(snapshot);
	return all;
}

static void assert_stored(struct feeding *t, const char *expected)
{
	char *all = stored(t);

	assert_string_equal(all, expected);
	fixture_verify(t->f);
}

static bool is_quiet(const struct feeding *t)
{
	return !TAILQ_EMPTY(&t->log->service->parked);
}

/* ------------------------------------------------------------ first sight */

static void test_existing_events_are_read_and_then_the_new_ones(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3);
	add(t, 4, 5, "a");
	fixture_until(t->f, position_of(t) == 5);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5");
	assert_int_equal(info(t).state, COLLECT_FEED_READING);
	assert_int_equal(info(t).events, 5);
	assert_int_equal(info(t).position.gaps, 0);
	assert_int_equal(info(t).position.log_created, t->log->created);
	assert_true(t->alive > 0);
}

static void test_pull_waits_for_new_events(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.delivery = COLLECT_DELIVERY_PULL;
	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3 && is_quiet(t));
	assert_int_equal(t->log->service->calls[3], 1);
	add(t, 4, 4, "a");
	fixture_until(t->f, position_of(t) == 4 && is_quiet(t));
	assert_int_equal(t->log->service->calls[3], 2);
	assert_stored(t, "a-1 a-2 a-3 a-4");
}

static void test_first_sight_is_kept_before_subscribing(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.read_existing = false;
	add(t, 1, 3, "a");
	t->log->open_error = 5;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_RETRYING);
	assert_int_equal(position_of(t), 3);

	/* What comes before the next attempt is not lost. */
	add(t, 4, 4, "a");
	t->log->open_error = 0;
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 4);
	assert_stored(t, "a-4");
	assert_int_equal(t->log->last_bookmark, 3);
}

static void test_first_sight_of_an_empty_log(void **state)
{
	struct feeding *t = feeding_new(state);

	t->config.read_existing = false;
	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_READING);
	TALLOC_FREE(t->feed);
	add(t, 1, 2, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 2);
	assert_stored(t, "a-1 a-2");
}

/* --------------------------------------------------------------- resuming */

static void test_a_restart_goes_on_after_the_last_event(void **state)
{
	struct feeding *t = feeding_new(state);

	add(t, 1, 3, "a");
	feed_start(t);
	fixture_until(t->f, position_of(t) == 3);
	TALLOC_FREE(t->feed);
	add(t, 4, 6, "a");
	feed_restart(t);
	fixture_until(t->f, position_of(t) == 6);
	assert_stored(t, "a-1 a-2 a-3 a-4 a-5 a-6");
	assert_int_equal(t->log->last_bookmark, 3);
	assert_int_equal(info(t).position.gaps, 0);
	assert_int_equal(info(t).position.events, 6);
}

/* Samba keeps its converters of characters for ever: not a leak of a test. */
static void warm_up(void)
{
	void *state = talloc_new(NULL);
	struct feeding *t = feeding_new(&state);

	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_READING);
	talloc_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_existing_events_are_read_and_then_the_new_ones),
		leak_test(test_pull_waits_for_new_events),
		leak_test(test_first_sight_is_kept_before_subscribing),
		leak_test(test_first_sight_of_an_empty_log),
		leak_test(test_a_restart_goes_on_after_the_last_event),
	};

	fixture_prepare();
	warm_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
