/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_COLLECT_FEEDING_H
#define EVENLOG_TESTS_COLLECT_FEEDING_H

/* A feed from a scripted host into a real store. */

#include "tests/store/fixture.h"

#include "collect/feed_internal.h"
#include "tests/collect/fake_log.h"

#define TARGET "ForwardedEvents"

struct feeding {
	struct fixture *f;
	struct fake_log *log;
	struct store_channel *target;
	struct collect_channel_config channel;
	struct collect_config config;
	struct operational *operational;
	struct timers *timers;
	struct collect_feed *feed;
	bool patient; /* waits as long between attempts as feeds do */
	uint32_t broken;
	uint32_t alive;
};

static inline void on_broken(const struct collect_failure *why,
			     void *private_data)
{
	struct feeding *t = private_data;

	assert_int_not_equal(why->err, EVERR_OK);
	t->broken++;
}

static inline void on_alive(void *private_data)
{
	struct feeding *t = private_data;

	t->alive++;
}

static const struct collect_feed_hooks hooks = {
	.broken = on_broken,
	.alive = on_alive,
};

static inline void feed_start(struct feeding *t)
{
	struct collect_feed_env env = {
		.ev = t->f->ev,
		.timers = t->timers,
		.store = t->f->store,
		.operational = t->operational,
	};

	assert_int_equal(collect_feed_create(t->f, &env, &t->config,
					     &t->channel, &hooks, t, &t->feed),
			 EVERR_OK);
	if (!t->patient) {
		t->feed->retry.min_ms = 20;
		t->feed->retry.max_ms = 100;
		t->feed->blocked.min_ms = 20;
		t->feed->blocked.max_ms = 100;
	}
	collect_feed_up(t->feed, t->log->connection, false);
}

static inline struct feeding *feeding_new(void **state)
{
	struct feeding *t = talloc_zero(*state, struct feeding);

	t->f = fixture_new(*state);
	t->f->options.limits.disk_reserve = 1000;
	fixture_open(t->f);
	/* The feed ends before the store and the host do. */
	t->log = fake_log_create(t);
	t->target = fixture_channel(t->f, TARGET);
	assert_int_equal(timers_create(t, t->f->ev, &t->timers), EVERR_OK);
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
static inline void feed_restart(struct feeding *t)
{
	TALLOC_FREE(t->feed);
	fixture_reopen(t->f);
	assert_int_equal(store_channel_find(t->f->store, TARGET, &t->target),
			 EVERR_OK);
	feed_start(t);
}

/*
 * Records first to last; their text is "N" of "generation", which no other's
 * record of that number has the time of.
 */
static inline void add(struct feeding *t, uint64_t first, uint64_t last,
		       const char *generation)
{
	uint64_t begin = FIXTURE_TIME + (uint64_t)(generation[0] - 'a');
	uint64_t id;

	for (id = first; id <= last; id++) {
		char *text = talloc_asprintf(t, "%s-%u", generation,
					     (unsigned int)id);
		struct store_input event =
			fixture_event(t, 1, begin + id * WINTIME_SECOND, text);

		fake_log_add(t->log, id, event.doc, event.len);
	}
	fake_log_wake(t->log);
}

static inline struct collect_feed_info info(const struct feeding *t)
{
	struct collect_feed_info i;

	collect_feed_info(t->feed, &i);
	return i;
}

static inline uint64_t position_of(const struct feeding *t)
{
	return info(t).position.record_id;
}

/* The texts that are stored, "a-1 a-2 ...", in order. */
static inline char *stored(struct feeding *t)
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

static inline void assert_stored(struct feeding *t, const char *expected)
{
	char *all = stored(t);

	assert_string_equal(all, expected);
}

/* The last thing of a test: the store is closed, and checked. */
static inline void assert_whole(struct feeding *t)
{
	TALLOC_FREE(t->feed);
	TALLOC_FREE(t->f->store);
	fixture_verify(t->f);
}

static inline bool is_quiet(const struct feeding *t)
{
	return !TAILQ_EMPTY(&t->log->service->parked);
}

/* What the position says of gaps. */
static inline void assert_gap(struct feeding *t, uint32_t cause, uint32_t exact,
			      uint64_t first, uint64_t last, uint64_t missing)
{
	struct collect_position position = info(t).position;

	assert_int_equal(position.gap.cause, cause);
	assert_int_equal(position.gap.exact, exact);
	assert_int_equal(position.gap.first, first);
	assert_int_equal(position.gap.last, last);
	assert_int_equal(position.gap.missing, missing);
}

/* Collect what there is, then stop. */
static inline void collect_to(struct feeding *t, uint64_t id)
{
	feed_start(t);
	fixture_until(t->f, position_of(t) == id && is_quiet(t));
	TALLOC_FREE(t->feed);
}

/* Samba keeps its converters of characters for ever: not a leak of a test. */
static inline void warm_up(void)
{
	void *state = talloc_new(NULL);
	struct feeding *t = feeding_new(&state);

	feed_start(t);
	fixture_until(t->f, info(t).state == COLLECT_FEED_READING);
	talloc_free(state);
}

#endif
