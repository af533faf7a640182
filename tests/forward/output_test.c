/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"

#include "forward/forward.h"
#include "forward/output.h"
#include "tests/forward/fake_receiver.h"

#include <stdio.h>

#define ALL UINT64_MAX

static const char *const app[] = {"App", NULL};
static const char *const app_and_sys[] = {"App", "Sys", NULL};
static const char *const star[] = {"*", NULL};

struct bench {
	TALLOC_CTX *mem_ctx; /* of the forwarder: it goes before the store */
	struct fixture *f;
	struct store_channel *app;
	struct forwarder *forwarder;
};

static struct forward_config config_of(const char *name,
				       const char *const *channels)
{
	return (struct forward_config){
		.name = name,
		.channels = channels,
		.start = FORWARD_FROM_OLDEST,
		.transport = FORWARD_TCP,
		.host = "siem.example",
	};
}

static struct bench bench_new(void **state)
{
	struct bench b = {.mem_ctx = *state, .f = fixture_start(state)};

	b.app = fixture_channel(b.f, "App");
	return b;
}

static void start(struct bench *b, const struct forward_config *configs,
		  size_t num)
{
	char *message = NULL;

	assert_int_equal(forwarder_start(b->mem_ctx, b->f->ev, configs, num,
					 "host", b->f->store, NULL, NULL,
					 &b->forwarder, &message),
			 EVERR_OK);
	assert_null(message);
}

static struct forward_info info_of(const struct bench *b, size_t output)
{
	struct forward_info info;

	forwarder_output(b->forwarder, output, &info);
	return info;
}

static uint64_t position_of(const struct bench *b, size_t output,
			    size_t channel)
{
	struct forward_channel_info info;

	forwarder_channel(b->forwarder, output, channel, &info);
	return info.position;
}

static void expect(const struct forward_transport *fake, size_t at,
		   const char *text)
{
	assert_true(at < fake->num);
	assert_string_equal(fake->messages[at].text, text);
}

/* Messages from at on are these records of a channel, in this order. */
static void expect_range(const struct forward_transport *fake, size_t at,
			 const char *channel, uint64_t first, uint64_t last)
{
	char text[80];

	for (; first <= last; first++, at++) {
		snprintf(text, sizeof(text), "%s %llu", channel,
			 (unsigned long long)first);
		expect(fake, at, text);
	}
}

static void test_each_event_is_sent_once_and_in_order(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 1000);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 1000);
	expect_range(fake, 0, "App", 1, 1000);
	fake_arrive(fake, 1000);
	assert_int_equal(position_of(&b, 0, 0), 1000);

	fixture_append_ok(b.f, b.app, 1, 3);
	fixture_until(b.f, fake->num == 1003);
	expect_range(fake, 1000, "App", 1001, 1003);
	assert_int_equal(info_of(&b, 0).sent, 1003);
	assert_int_equal(info_of(&b, 0).arrived, 1000);
	assert_int_equal(info_of(&b, 0).resent, 0);
}

static void test_a_restart_goes_on_behind_what_has_arrived(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 10);
	fake_arrive(fake, 7);
	TALLOC_FREE(b.forwarder);
	fixture_reopen(b.f);

	start(&b, &config, 1);
	assert_int_equal(position_of(&b, 0, 0), 7);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect_range(fake, 0, "App", 8, 10);
}

/* How many reports with this id there are. */
static size_t reports(const struct bench *b, struct store_channel *own,
		      uint32_t event_id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t id = 1;
	size_t num = 0;

	assert_int_equal(store_snapshot_begin(b->f->store, &snapshot),
			 EVERR_OK);
	while (store_read(snapshot, own, id, false, &record) == EVERR_OK) {
		num += record.header.event_id == event_id;
		id = record.id + 1;
	}
	store_snapshot_end(snapshot);
	return num;
}

static void test_a_position_that_is_none_is_told_and_all_is_sent(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	const struct store_state garbage = {
		.name = "forward/siem", .data = "garbage", .len = 7};
	struct operational *operational = NULL;
	struct store_channel *own = NULL;
	struct tevent_req *req = NULL;
	char *message = NULL;
	uint64_t first_id;

	req = store_append_send(b.f, b.f->ev, b.app, NULL, 0, &garbage, 1);
	assert_int_equal(fixture_recv(b.f, req, &first_id), EVERR_OK);
	assert_int_equal(operational_create(b.f, b.f->ev, b.f->store, "host",
					    &operational),
			 EVERR_OK);
	fixture_append_ok(b.f, b.app, 1, 2);
	config.start = FORWARD_FROM_NOW;
	assert_int_equal(forwarder_start(b.mem_ctx, b.f->ev, &config, 1, "host",
					 b.f->store, NULL, operational,
					 &b.forwarder, &message),
			 EVERR_OK);
	fake_up(fake_receiver("siem"), ALL);
	fixture_until(b.f, fake_receiver("siem")->num == 2);
	expect_range(fake_receiver("siem"), 0, "App", 1, 2);
	own = fixture_channel(b.f, OPERATIONAL_CHANNEL);
	fixture_until(b.f,
		      reports(&b, own, OPERATIONAL_OUTPUT_POSITION_LOST) == 1);
	TALLOC_FREE(b.forwarder);
	TALLOC_FREE(operational);
}

static void test_a_stop_asks_what_has_arrived(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, 6);
	fixture_until(b.f, fake->num == 6);
	fake->untold = 3;
	TALLOC_FREE(b.forwarder);
	fixture_reopen(b.f);

	start(&b, &config, 1);
	assert_int_equal(position_of(&b, 0, 0), 3);
	fake = fake_receiver("siem");
	fake_up(fake, 4);
	fixture_until(b.f, fake->num == 4);
	expect_range(fake, 0, "App", 4, 7);
	/* So does a reload of this output. */
	fake->untold = 2;
	config.host = "new.example";
	assert_int_equal(forwarder_reload(b.forwarder, &config, 1, NULL, b.f,
					  &(char *){NULL}),
			 EVERR_OK);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 5);
	expect_range(fake, 0, "App", 6, 10);
}

static void test_the_position_is_written_while_it_moves(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_position *position = NULL;
	uint8_t *data = NULL;
	uint64_t id = 0;
	size_t len;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake_up(fake_receiver("siem"), ALL);
	fixture_until(b.f, fake_receiver("siem")->num == 10);
	fake_arrive(fake_receiver("siem"), 4);
	forward_output_tick(b.forwarder->outputs[0]);
	while (id != 4) {
		assert_int_equal(tevent_loop_once(b.f->ev), 0);
		if (store_state_get(b.f, b.f->store, "forward/siem", &data,
				    &len) != EVERR_OK) {
			continue;
		}
		assert_int_equal(
			forward_position_decode(b.f, data, len, &position),
			EVERR_OK);
		assert_string_equal(position->places[0].channel, "App");
		id = position->places[0].id;
		talloc_free(position);
		talloc_free(data);
	}
}

static void test_what_has_not_arrived_is_sent_again(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, 8);
	fixture_until(b.f, fake->num == 8);
	fake_arrive(fake, 3);
	fake_down(fake);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 15);
	expect_range(fake, 8, "App", 4, 10);
	assert_int_equal(info_of(&b, 0).resent, 5);
	fake_arrive(fake, 15);
	assert_int_equal(position_of(&b, 0, 0), 10);
	assert_int_equal(info_of(&b, 0).arrived, 10);
}

static void test_channels_take_turns(void **state)
{
	const struct forward_config config = config_of("siem", app_and_sys);
	struct bench b = bench_new(state);
	struct store_channel *sys = fixture_channel(b.f, "Sys");
	struct forward_transport *fake = NULL;
	uint64_t next[2] = {1, 1};
	size_t i;

	fixture_append_ok(b.f, b.app, 1, 2000);
	fixture_append_ok(b.f, sys, 1, 100);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, 300);
	fixture_until(b.f, fake->num == 300);
	for (i = 0; i < 300; i++) {
		bool is_sys = fake->messages[i].text[0] == 'S';
		char text[40];

		snprintf(text, sizeof(text), "%s %llu", is_sys ? "Sys" : "App",
			 (unsigned long long)next[is_sys]++);
		assert_string_equal(fake->messages[i].text, text);
	}
	assert_int_equal(next[1], 101);
}

static void test_a_new_output_may_start_now(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	config.start = FORWARD_FROM_NOW;
	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fixture_append_ok(b.f, b.app, 1, 1);
	/* It has sent nothing: what "now" was is on disk all the same. */
	TALLOC_FREE(b.forwarder);
	fixture_append_ok(b.f, b.app, 1, 2);
	fixture_reopen(b.f);

	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect_range(fake, 0, "App", 11, 13);
	assert_int_equal(info_of(&b, 0).gaps, 0);
}

static void test_nothing_is_sent_before_now_is_on_disk(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;
	uint8_t *data = NULL;
	size_t len;

	config.start = FORWARD_FROM_NOW;
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_append_ok(b.f, b.app, 1, 1);
	while (fake->num == 0) {
		assert_int_equal(tevent_loop_once(b.f->ev), 0);
	}
	assert_int_equal(
		store_state_get(b.f, b.f->store, "forward/siem", &data, &len),
		EVERR_OK);
}

static void test_the_query_passes_events_and_the_position_goes_along(
	void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	config.query = "*[System[EventRecordID=3000]]";
	fixture_append_ok(b.f, b.app, 1, 3005);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, info_of(&b, 0).passed == 3005 - fake->num);
	/* fixture_event() has 77 in every event, and it is not born here. */
	assert_int_equal(fake->num, 0);
	assert_int_equal(position_of(&b, 0, 0), 3005);
}

static void test_a_time_range_passes_whole_blocks(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	/* FIXTURE_TIME and 4000 seconds: 2023-11-14T23:20:00Z */
	config.query = "*[System[TimeCreated[@SystemTime="
		       "'2023-11-14T23:20:00.0000000Z']]]";
	fixture_append_ok(b.f, b.app, 1, 5000);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, info_of(&b, 0).passed == 4999);
	assert_int_equal(fake->num, 1);
	expect(fake, 0, "App 4001");
	fake_arrive(fake, 1);
	assert_int_equal(position_of(&b, 0, 0), 5000);
}

static void clear(struct bench *b, uint64_t up_to)
{
	struct tevent_req *req =
		store_clear_send(b->f, b->f->ev, b->app, up_to);
	uint64_t removed;

	assert_true(tevent_req_poll(req, b->f->ev));
	assert_int_equal(store_clear_recv(req, &removed), EVERR_OK);
	talloc_free(req);
}

static void test_what_is_gone_is_told_and_counted_once(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, 2);
	fixture_until(b.f, fake->num == 2);
	clear(&b, 6);
	fake_arrive(fake, 2);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 7);
	expect(fake, 2, "App gap 3-6 4 cleared");
	expect_range(fake, 3, "App", 7, 10);
	/* Sent again after a break, but no other gap. */
	fake_down(fake);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 12);
	expect(fake, 7, "App gap 3-6 4 cleared");
	assert_int_equal(info_of(&b, 0).gaps, 1);
	assert_int_equal(info_of(&b, 0).missing, 4);
	fake_arrive(fake, 12);
	assert_int_equal(position_of(&b, 0, 0), 10);
}

/* Of the only channel. */
static uint64_t lag_of(const struct bench *b)
{
	struct forward_channel_info info;

	forwarder_channel(b->forwarder, 0, 0, &info);
	return info.lag_seconds;
}

static void test_the_lag_is_the_age_of_the_oldest_that_waits(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;
	const uint64_t day = 86400;
	uint64_t now = wintime_now();
	uint64_t i;

	for (i = 5; i > 0; i--) {
		fixture_clock_set(b.f, now - i * day * WINTIME_SECOND);
		fixture_append_ok(b.f, b.app, 1, 1);
	}
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 5);
	/* In days, whatever the test takes. */
	assert_int_equal(lag_of(&b) / day, 5);
	assert_int_equal(lag_of(&b) / day, 5);
	fake_arrive(fake, 2);
	assert_int_equal(lag_of(&b) / day, 3);
	clear(&b, 3);
	assert_int_equal(lag_of(&b) / day, 2);
	fake_arrive(fake, 5);
	assert_int_equal(lag_of(&b), 0);
}

static void test_a_gap_at_the_end_is_told_at_once(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	clear(&b, UINT64_MAX);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 1);
	expect(fake, 0, "App gap 1-5 5 cleared");
}

static void test_an_event_without_a_format_is_sent_as_damaged(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fake_format_fails = 2;
	fixture_append_ok(b.f, b.app, 1, 3);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	fake_format_fails = 0;
	expect(fake, 1, "App 2 damaged");
	expect(fake, 2, "App 3");
	assert_int_equal(info_of(&b, 0).damaged, 1);
}

/* How many of Evenlog's own events have this id. */
static size_t told(const struct bench *b, uint16_t id)
{
	struct store_channel *channel = NULL;
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	size_t num = 0;

	assert_int_equal(
		store_channel_find(b->f->store, OPERATIONAL_CHANNEL, &channel),
		EVERR_OK);
	assert_int_equal(store_snapshot_begin(b->f->store, &snapshot),
			 EVERR_OK);
	while (store_read(snapshot, channel, record.id + 1, false, &record) ==
	       EVERR_OK) {
		num += record.header.event_id == id;
	}
	store_snapshot_end(snapshot);
	return num;
}

static void test_what_the_transport_could_not_send_is_told(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct operational *operational = NULL;
	char *message = NULL;

	assert_int_equal(operational_create(b.f, b.f->ev, b.f->store, "host",
					    &operational),
			 EVERR_OK);
	assert_int_equal(forwarder_start(b.mem_ctx, b.f->ev, &config, 1, "host",
					 b.f->store, NULL, operational,
					 &b.forwarder, &message),
			 EVERR_OK);
	fake_receiver("siem")->refused = 2;
	forward_output_tick(b.forwarder->outputs[0]);
	fixture_until(b.f, told(&b, 99) == 1);
	/* Once; and what comes between the last look and a stop as well. */
	forward_output_tick(b.forwarder->outputs[0]);
	assert_int_equal(info_of(&b, 0).transport.refused, 2);
	operational_flush(operational);
	fixture_until(b.f, told(&b, 92) == 1);
	assert_int_equal(told(&b, 99), 1);
	fake_receiver("siem")->refused = 3;
	TALLOC_FREE(b.forwarder);
	operational_flush(operational);
	fixture_until(b.f, told(&b, 99) == 2);
	TALLOC_FREE(operational);
}

static void test_a_stalled_output_holds_up_nobody(void **state)
{
	const struct forward_config configs[] = {config_of("stalled", app),
						 config_of("quick", app)};
	struct bench b = bench_new(state);
	struct forward_transport *quick = NULL;
	struct forward_transport *stalled = NULL;

	start(&b, configs, 2);
	quick = fake_receiver("quick");
	stalled = fake_receiver("stalled");
	fake_up(stalled, 1);
	fake_up(quick, ALL);
	fixture_append_ok(b.f, b.app, 1, 3000);
	fixture_until(b.f, quick->num == 3000);
	assert_int_equal(stalled->num, 1);
	fake_arrive(quick, 3000);
	assert_int_equal(position_of(&b, 1, 0), 3000);
	assert_int_equal(position_of(&b, 0, 0), 0);
}

static void count_turn(struct tevent_context *ev, struct tevent_fd *fde,
		       uint16_t flags, void *private_data)
{
	size_t *turns = private_data;

	(void)ev;
	(void)fde;
	(void)flags;
	*turns += 1;
}

static void test_a_backlog_takes_turns_with_the_sockets(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;
	struct tevent_fd *fde = NULL;
	size_t turns = 0;
	int fds[2];

	fixture_append_ok(b.f, b.app, 1, 10000);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	fde = tevent_add_fd(b.f->ev, b.f, fds[0], TEVENT_FD_READ, count_turn,
			    &turns);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 10000);
	/* One turn for each slice of ours, of 256 records at the most. */
	assert_true(turns >= 10000 / FORWARD_TURN_RECORDS);
	talloc_free(fde);
	close(fds[0]);
	close(fds[1]);
}

static void test_a_star_takes_channels_as_they_come(void **state)
{
	struct forward_config config = config_of("siem", star);
	struct bench b = bench_new(state);
	struct store_channel *later = NULL;
	struct store_channel *own = NULL;
	struct forward_transport *fake = NULL;

	config.start = FORWARD_FROM_NOW;
	own = fixture_channel(b.f, OPERATIONAL_CHANNEL);
	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_clock_set(b.f, wintime_now() + WINTIME_SECOND);
	later = fixture_channel(b.f, "Later");
	fixture_append_ok(b.f, later, 1, 2);
	fixture_append_ok(b.f, own, 1, 2);
	forward_output_tick(b.forwarder->outputs[0]);
	fixture_until(b.f, fake->num == 2);
	expect_range(fake, 0, "Later", 1, 2);
	assert_int_equal(info_of(&b, 0).num_channels, 2);

	/* Removed and made anew it goes on, by its ids. */
	fake_arrive(fake, 2);
	assert_int_equal(store_channel_remove(later), EVERR_OK);
	later = fixture_channel(b.f, "Later");
	fixture_append_ok(b.f, later, 1, 1);
	forward_output_tick(b.forwarder->outputs[0]);
	fixture_until(b.f, fake->num == 3);
	expect(fake, 2, "Later 3");
	assert_int_equal(info_of(&b, 0).gaps, 0);
}

static void test_what_went_with_its_channel_in_flight_is_told(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 5);
	fake_arrive(fake, 2);
	assert_int_equal(store_channel_remove(b.app), EVERR_OK);
	forward_output_tick(b.forwarder->outputs[0]);
	fake_down(fake);
	b.app = fixture_channel(b.f, "App");
	fixture_append_ok(b.f, b.app, 1, 1);
	forward_output_tick(b.forwarder->outputs[0]);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 7);
	expect(fake, 5, "App gap 3-5 3 cleared");
	expect(fake, 6, "App 6");
}

/* -------------------------------------------------------------- reload */

static everr_t reload(struct bench *b, const struct forward_config *configs,
		      size_t num)
{
	char *message = NULL;
	everr_t err;

	err = forwarder_reload(b->forwarder, configs, num, NULL, b->f,
			       &message);
	talloc_free(message);
	return err;
}

static void test_a_reload_leaves_alone_what_has_not_changed(void **state)
{
	struct forward_config configs[] = {config_of("same", app),
					   config_of("other", app),
					   config_of("gone", app)};
	struct bench b = bench_new(state);
	struct forward_transport *same = NULL;
	struct forward_transport *other = NULL;

	fixture_append_ok(b.f, b.app, 1, 4);
	start(&b, configs, 3);
	same = fake_receiver("same");
	other = fake_receiver("other");
	fake_up(same, ALL);
	fake_up(other, 3);
	fixture_until(b.f, same->num == 4 && other->num == 3);
	fake_arrive(other, 2);

	configs[1].host = "new.example";
	configs[2] = config_of("added", app);
	assert_int_equal(reload(&b, configs, 3), EVERR_OK);
	assert_ptr_equal(fake_receiver("same"), same);
	assert_null(fake_receiver("gone"));
	assert_ptr_not_equal(fake_receiver("other"), other);
	other = fake_receiver("other");
	fake_up(other, ALL);
	fake_up(fake_receiver("added"), ALL);
	fixture_until(b.f, other->num == 2 && fake_receiver("added")->num == 4);
	expect_range(other, 0, "App", 3, 4);
	assert_int_equal(info_of(&b, 1).resent, 0);
	assert_int_equal(info_of(&b, 1).sent, 5);
}

static void test_a_reload_that_fails_changes_nothing(void **state)
{
	struct forward_config configs[] = {config_of("a", app),
					   config_of("b", app)};
	struct bench b = bench_new(state);
	struct forward_transport *a = NULL;

	start(&b, configs, 1);
	a = fake_receiver("a");
	configs[0].host = "elsewhere";
	configs[1].host = "refused";
	assert_int_equal(reload(&b, configs, 2), EVERR_CONFIG);
	assert_ptr_equal(fake_receiver("a"), a);
	assert_int_equal(forwarder_count(b.forwarder), 1);
	configs[1].host = "b.example";
	configs[1].query = "*[System[";
	assert_int_equal(reload(&b, configs, 2), EVERR_CONFIG);
	assert_ptr_equal(fake_receiver("a"), a);
	fixture_append_ok(b.f, b.app, 1, 1);
	fake_up(a, ALL);
	fixture_until(b.f, a->num == 1);
}

static void test_a_channel_that_is_left_out_keeps_its_place(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct store_channel *sys = fixture_channel(b.f, "Sys");
	static const char *const only_sys[] = {"sys", NULL};

	fixture_append_ok(b.f, b.app, 1, 3);
	fixture_append_ok(b.f, sys, 1, 1);
	start(&b, &config, 1);
	fake_up(fake_receiver("siem"), ALL);
	fixture_until(b.f, fake_receiver("siem")->num == 3);
	fake_arrive(fake_receiver("siem"), 3);
	config.channels = only_sys;
	assert_int_equal(reload(&b, &config, 1), EVERR_OK);
	fixture_append_ok(b.f, b.app, 1, 2);
	config.channels = app;
	assert_int_equal(reload(&b, &config, 1), EVERR_OK);
	fake_up(fake_receiver("siem"), ALL);
	fixture_until(b.f, fake_receiver("siem")->num == 2);
	expect_range(fake_receiver("siem"), 0, "App", 4, 5);
}

/* -------------------------------------------------------------- rewind */

static everr_t rewind_to(struct bench *b, const struct forward_rewind *rewind)
{
	struct tevent_req *req =
		forward_rewind_send(b->f, b->f->ev, b->forwarder, rewind);
	char *message = NULL;
	everr_t err;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, b->f->ev));
	err = forward_rewind_recv(req, b->f, &message);
	talloc_free(message);
	talloc_free(req);
	return err;
}

/* Ten events, a second apart by their time of reception; all have arrived. */
static struct bench bench_done(void **state, const char *const *channels)
{
	const struct forward_config config = config_of("siem", channels);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;
	size_t i;

	for (i = 0; i < 10; i++) {
		fixture_clock_set(b.f, FIXTURE_TIME + i * WINTIME_SECOND);
		fixture_append_ok(b.f, b.app, 1, 1);
	}
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 10);
	fake_arrive(fake, 10);
	return b;
}

static void check_rewind(void **state, struct forward_rewind rewind,
			 uint64_t first)
{
	struct bench b = bench_done(state, app);
	struct forward_transport *fake = fake_receiver("siem");

	rewind.output = "SIEM";
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	assert_int_equal(position_of(&b, 0, 0), first - 1);
	fixture_until(b.f, fake->num == 21 - first);
	expect_range(fake, 10, "App", first, 10);
	assert_int_equal(info_of(&b, 0).gaps, 0);
	assert_int_equal(info_of(&b, 0).resent, 0);
	talloc_free(b.forwarder);
	talloc_free(b.f);
}

static void test_rewind_to_the_oldest(void **state)
{
	check_rewind(state,
		     (struct forward_rewind){.kind = FORWARD_REWIND_OLDEST}, 1);
}

static void test_rewind_to_a_time(void **state)
{
	struct forward_rewind rewind = {.kind = FORWARD_REWIND_TIME};

	rewind.value = FIXTURE_TIME + 6 * WINTIME_SECOND;
	check_rewind(state, rewind, 7);
	rewind.value -= 1;
	check_rewind(state, rewind, 7);
	rewind.value += 2;
	check_rewind(state, rewind, 8);
	rewind.value = 0;
	check_rewind(state, rewind, 1);
	rewind.value = UINT64_MAX;
	check_rewind(state, rewind, 11);
}

static void test_rewind_to_a_record(void **state)
{
	check_rewind(state,
		     (struct forward_rewind){.kind = FORWARD_REWIND_RECORD,
					     .channel = "app",
					     .value = 4},
		     4);
}

static void test_rewind_to_a_bookmark(void **state)
{
	check_rewind(state,
		     (struct forward_rewind){
			     .kind = FORWARD_REWIND_BOOKMARK,
			     .bookmark = "<BookmarkList><Bookmark Channel='APP'"
					 " RecordId='8' IsCurrent='true'/>"
					 "</BookmarkList>"},
		     9);
}

static void test_a_rewind_survives_a_crash_at_once(void **state)
{
	const struct forward_rewind rewind = {.output = "siem",
					      .kind = FORWARD_REWIND_OLDEST};
	struct bench b = bench_done(state, app);
	struct forward_position *position = NULL;
	uint8_t *data = NULL;
	size_t len;

	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	assert_int_equal(
		store_state_get(b.f, b.f->store, "forward/siem", &data, &len),
		EVERR_OK);
	assert_int_equal(forward_position_decode(b.f, data, len, &position),
			 EVERR_OK);
	assert_int_equal(position->places[0].id, 0);
}

static void test_a_rewind_abandons_what_is_in_flight(void **state)
{
	const struct forward_rewind rewind = {.output = "siem",
					      .kind = FORWARD_REWIND_RECORD,
					      .channel = "App",
					      .value = 5};
	struct bench b = bench_done(state, app);
	struct forward_transport *fake = fake_receiver("siem");

	fixture_append_ok(b.f, b.app, 1, 2);
	fixture_until(b.f, fake->num == 12);
	fake->room = 0;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake_arrive(fake, 12);
	assert_int_equal(position_of(&b, 0, 0), 4);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 20);
	expect_range(fake, 12, "App", 5, 12);
	fake_arrive(fake, 20);
	assert_int_equal(position_of(&b, 0, 0), 12);
}

static void test_forward_is_a_gap_that_is_told(void **state)
{
	const struct forward_config config = config_of("siem", app);
	const struct forward_rewind rewind = {.output = "siem",
					      .kind = FORWARD_REWIND_RECORD,
					      .channel = "App",
					      .value = 9};
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect(fake, 0, "App gap 1-8 8 rewound");
	expect_range(fake, 1, "App", 9, 10);
	/* Not known to have arrived: told again, and counted once. */
	fake_down(fake);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 6);
	expect(fake, 3, "App gap 1-8 8 rewound");
	assert_int_equal(info_of(&b, 0).gaps, 1);
	assert_int_equal(info_of(&b, 0).missing, 8);
	fake_arrive(fake, 6);
	fake_down(fake);
	assert_int_equal(position_of(&b, 0, 0), 10);
}

/* Nobody knows how many of those that are gone it would have selected. */
static void test_with_a_query_a_gap_has_an_upper_bound(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct forward_rewind rewind = {.output = "siem",
					.kind = FORWARD_REWIND_RECORD,
					.channel = "App",
					.value = 9};
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	config.query = "*[System[EventRecordID=3000]]";
	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	clear(&b, 5);
	fake_up(fake, 1);
	fixture_until(b.f, fake->num == 1);
	expect(fake, 0, "App gap 1-5 up to 5 cleared");
	fake_arrive(fake, 1);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 2);
	expect(fake, 1, "App gap 6-8 up to 3 rewound");
	/* What the receiver has not heard of goes into the next one. */
	fake_down(fake);
	rewind.value = 10;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect(fake, 2, "App gap 6-9 up to 4 rewound");
	assert_int_equal(info_of(&b, 0).gaps, 3);
	assert_int_equal(info_of(&b, 0).missing, 0);
	assert_int_equal(info_of(&b, 0).at_most, 5 + 3 + 1);
}

static struct forward_refusal refusal_of(const struct bench *b)
{
	return info_of(b, 0).refusal;
}

static struct forward_rewind rewind_to_record(uint64_t id)
{
	return (struct forward_rewind){.output = "siem",
				       .kind = FORWARD_REWIND_RECORD,
				       .channel = "App",
				       .value = id};
}

/* Before the receiver has heard of the first one. */
static void test_going_forward_twice_tells_all_that_is_left_out(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct forward_rewind rewind = rewind_to_record(5);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	rewind.value = 9;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	assert_int_equal(info_of(&b, 0).missing, 8);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect(fake, 0, "App gap 1-8 8 rewound");
	expect_range(fake, 1, "App", 9, 10);
	assert_int_equal(info_of(&b, 0).gaps, 2);
	fake_arrive(fake, 3);

	/* What the receiver has heard of is not told again. */
	fixture_append_ok(b.f, b.app, 1, 5);
	fixture_until(b.f, fake->num == 8);
	rewind.value = 13;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fixture_until(b.f, fake->num == 12);
	expect(fake, 8, "App gap 11-12 2 rewound");
}

/* What was left out is gone before it could be told. */
static void test_a_gap_that_grows_keeps_its_count(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct forward_rewind rewind = rewind_to_record(5);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	clear(&b, 4);
	rewind.value = 9;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	assert_int_equal(info_of(&b, 0).missing, 8);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect(fake, 0, "App gap 1-8 8 rewound");
}

static void test_going_back_into_what_was_left_out_tells_the_rest(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct forward_rewind rewind = rewind_to_record(9);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	rewind.value = 5;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake = fake_receiver("siem");
	fake_up(fake, 2);
	fixture_until(b.f, fake->num == 2);
	expect(fake, 0, "App gap 1-4 4 rewound");
	expect(fake, 1, "App 5");
	assert_int_equal(info_of(&b, 0).gaps, 1);

	/* All of it is sent after all. */
	rewind.value = 1;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 12);
	expect_range(fake, 2, "App", 1, 10);
}

static void test_a_reload_tells_what_was_left_out(void **state)
{
	struct forward_config config = config_of("siem", app);
	const struct forward_rewind rewind = rewind_to_record(9);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 10);
	start(&b, &config, 1);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	config.host = "new.example";
	assert_int_equal(reload(&b, &config, 1), EVERR_OK);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num > 0);
	expect(fake, 0, "App gap 1-8 8 rewound");
	assert_int_equal(info_of(&b, 0).gaps, 1);
}

static void test_a_reload_does_not_count_a_gap_twice(void **state)
{
	struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	clear(&b, 3);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	config.host = "new.example";
	assert_int_equal(reload(&b, &config, 1), EVERR_OK);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	expect(fake, 0, "App gap 1-3 3 cleared");
	assert_int_equal(info_of(&b, 0).gaps, 1);
	assert_int_equal(info_of(&b, 0).missing, 3);
}

static void test_a_message_that_is_refused_is_named_until_it_is_taken(
	void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;
	uint64_t since;

	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 5);
	assert_null(refusal_of(&b).channel);
	fake_arrive(fake, 2);
	fake_refuse(fake, 3);
	assert_string_equal(refusal_of(&b).channel, "App");
	assert_string_equal(refusal_of(&b).reason, "answered 500 no");
	assert_int_equal(refusal_of(&b).id, 3);
	assert_int_equal(refusal_of(&b).times, 1);
	since = refusal_of(&b).since;
	assert_true(since > 0);

	/* Again and alone: what comes after it waits for the answer. */
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num > 5);
	assert_int_equal(fake->num, 6);
	fake_refuse(fake, 6);
	forward_output_tick(b.forwarder->outputs[0]);
	assert_int_equal(refusal_of(&b).times, 2);
	assert_int_equal(refusal_of(&b).since, since);

	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 7);
	fake_arrive(fake, 7);
	assert_null(refusal_of(&b).channel);
	fixture_until(b.f, fake->num == 9);
	expect_range(fake, 6, "App", 3, 5);
	/* The next one is another. */
	fake_refuse(fake, 8);
	assert_int_equal(refusal_of(&b).id, 4);
	assert_int_equal(refusal_of(&b).times, 1);
}

static void test_a_rewind_leaves_out_what_is_refused(void **state)
{
	const struct forward_config config = config_of("siem", app);
	const struct forward_rewind rewind = {.output = "siem",
					      .kind = FORWARD_REWIND_RECORD,
					      .channel = "App",
					      .value = 4};
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 5);
	fake_arrive(fake, 2);
	fake_refuse(fake, 3);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	assert_null(refusal_of(&b).channel);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 8);
	expect(fake, 5, "App gap 3-3 1 rewound");
	expect_range(fake, 6, "App", 4, 5);

	/* An answer to what it has left says nothing about what it sends. */
	fake->hooks.refused(fake->messages[2].sequence, "late",
			    fake->private_data);
	assert_null(refusal_of(&b).channel);
}

/* Only what comes after what is refused waits for its answer. */
static void test_going_back_behind_a_refusal_goes_on_as_always(void **state)
{
	const struct forward_config config = config_of("siem", app);
	const struct forward_rewind rewind = rewind_to_record(1);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 5);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 5);
	fake_arrive(fake, 2);
	fake_refuse(fake, 3);
	assert_int_equal(rewind_to(&b, &rewind), EVERR_OK);
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 8);
	expect_range(fake, 5, "App", 1, 3);
	fake_arrive(fake, 7);
	assert_int_equal(fake->num, 8);
	fake_arrive(fake, 8);
	fixture_until(b.f, fake->num == 10);
	expect_range(fake, 8, "App", 4, 5);
}

static void test_a_refusal_does_not_hold_up_other_channels(void **state)
{
	const struct forward_config config = config_of("siem", app_and_sys);
	struct bench b = bench_new(state);
	struct store_channel *sys = fixture_channel(b.f, "Sys");
	struct forward_transport *fake = NULL;
	uint64_t round;
	size_t at = 0;

	fixture_append_ok(b.f, b.app, 1, 1);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 1);
	fake_refuse(fake, 1);
	fixture_append_ok(b.f, sys, 1, 100);
	/* Some of theirs before each attempt, of which none is sent twice. */
	for (round = 0; position_of(&b, 0, 1) < 100; round++) {
		at = fake->num;
		fake_up(fake, ALL);
		fixture_until(b.f,
			      fake->num > at &&
				      strcmp(fake->messages[fake->num - 1].text,
					     "App 1") == 0);
		assert_true(fake->num > at + 1 || round == 0);
		if (fake->num > at + 1) {
			fake_arrive(fake, fake->num - 1);
		}
		fake_refuse(fake, fake->num);
	}
	assert_int_equal(fake->num, 1 + round + 100);
}

static void test_a_refused_record_waits_longer_whatever_else_arrives(
	void **state)
{
	const struct forward_config config = config_of("siem", app_and_sys);
	struct bench b = bench_new(state);
	struct store_channel *sys = fixture_channel(b.f, "Sys");
	struct forward_transport *fake = NULL;
	const struct forward_lane *lane = NULL;
	uint32_t round;

	fixture_append_ok(b.f, b.app, 1, 2);
	start(&b, &config, 1);
	lane = b.forwarder->outputs[0]->lanes[0];
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 2);
	for (round = 1; round <= 3; round++) {
		size_t at;

		/* On its way with the record, or behind it: it is resent. */
		fixture_append_ok(b.f, sys, round, 1);
		at = fake->num;
		fake_refuse(fake, round == 1 ? 1 : at);
		assert_int_equal(lane->refusals.attempts, round);
		assert_non_null(lane->held);
		fake_up(fake, ALL);
		/* The other channel goes on at once, and arrives. */
		fixture_until(b.f, fake->num > at);
		expect_range(fake, at, "Sys", round, round);
		fake_arrive(fake, at + 1);
		fixture_until(b.f, fake->num > at + 1);
		expect(fake, at + 1, "App 1");
		assert_null(lane->held);
	}
	/* Taken at last, it leaves nothing behind: the next is another. */
	fake_arrive(fake, fake->num);
	assert_int_equal(lane->refused_id, 0);
	fixture_until(b.f,
		      strcmp(fake->messages[fake->num - 1].text, "App 2") == 0);
	fake_refuse(fake, fake->num);
	assert_int_equal(lane->refused_id, 2);
	assert_int_equal(lane->refusals.attempts, 1);
}

static void test_a_refusal_ends_with_its_record(void **state)
{
	const struct forward_config config = config_of("siem", app);
	struct bench b = bench_new(state);
	struct forward_transport *fake = NULL;

	fixture_append_ok(b.f, b.app, 1, 3);
	start(&b, &config, 1);
	fake = fake_receiver("siem");
	fake_up(fake, ALL);
	fixture_until(b.f, fake->num == 3);
	fake_refuse(fake, 1);
	assert_int_equal(refusal_of(&b).id, 1);
	assert_int_equal(store_channel_remove(b.app), EVERR_OK);
	forward_output_tick(b.forwarder->outputs[0]);
	assert_null(refusal_of(&b).channel);
}

static void test_a_rewind_that_cannot_be_is_refused(void **state)
{
	struct bench b = bench_done(state, app);
	struct forward_rewind rewind = {.output = "other"};

	assert_int_equal(rewind_to(&b, &rewind), EVERR_NOT_FOUND);
	rewind.output = "siem";
	rewind.channel = "Sys";
	assert_int_equal(rewind_to(&b, &rewind), EVERR_CHANNEL_NOT_FOUND);
	rewind.channel = NULL;
	rewind.kind = FORWARD_REWIND_RECORD;
	rewind.value = 3;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_INVALID);
	rewind.channel = "App";
	rewind.value = 12;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_INVALID);
	rewind.value = 0;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_INVALID);
	rewind.kind = FORWARD_REWIND_BOOKMARK;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_INVALID);
	rewind.bookmark = "<BookmarkList>";
	assert_int_equal(rewind_to(&b, &rewind), EVERR_BOOKMARK_SYNTAX);
	rewind.bookmark = "<BookmarkList><Bookmark Channel='Sys' RecordId='1'"
			  " IsCurrent='true'/></BookmarkList>";
	assert_int_equal(rewind_to(&b, &rewind), EVERR_CHANNEL_NOT_FOUND);
	rewind.bookmark = "<BookmarkList><Bookmark Channel='App' RecordId='11'"
			  " IsCurrent='true'/></BookmarkList>";
	assert_int_equal(rewind_to(&b, &rewind), EVERR_INVALID);
	rewind.kind = (enum forward_rewind_kind)17;
	assert_int_equal(rewind_to(&b, &rewind), EVERR_INVALID);
	assert_int_equal(position_of(&b, 0, 0), 10);
}

static void test_a_rewind_ends_with_its_output(void **state)
{
	const struct forward_rewind rewind = {.output = "siem"};
	struct bench b = bench_done(state, app);
	struct tevent_req *req =
		forward_rewind_send(b.f, b.f->ev, b.forwarder, &rewind);
	char *message = NULL;

	assert_int_equal(reload(&b, NULL, 0), EVERR_OK);
	assert_true(tevent_req_poll(req, b.f->ev));
	assert_int_equal(forward_rewind_recv(req, b.f, &message),
			 EVERR_CANCELLED);
	talloc_free(req);
}

/* A rewind to the oldest, the place of which is being written. */
static struct tevent_req *rewind_under_way(struct bench *b)
{
	const struct forward_rewind rewind = {.output = "siem"};
	const struct forward_output *output = b->forwarder->outputs[0];
	struct tevent_req *req = NULL;

	while (output->dirty || output->write != NULL) {
		forward_output_tick(b->forwarder->outputs[0]);
		assert_int_equal(tevent_loop_once(b->f->ev), 0);
	}
	req = forward_rewind_send(b->f, b->f->ev, b->forwarder, &rewind);
	assert_non_null(req);
	while (output->lanes[0]->rewind_id == 0) {
		assert_int_equal(tevent_loop_once(b->f->ev), 0);
	}
	return req;
}

static void check_place_after_restart(struct bench *b, uint64_t place)
{
	const struct forward_config config = config_of("siem", app);

	TALLOC_FREE(b->forwarder);
	fixture_reopen(b->f);
	start(b, &config, 1);
	assert_int_equal(position_of(b, 0, 0), place);
}

static void test_a_rewind_that_is_given_up_is_none(void **state)
{
	struct bench b = bench_done(state, app);

	talloc_free(rewind_under_way(&b));
	assert_int_equal(position_of(&b, 0, 0), 10);
	check_place_after_restart(&b, 10);
}

static void test_a_rewind_that_a_stop_cancels_is_none(void **state)
{
	struct bench b = bench_done(state, app);
	struct tevent_req *req = rewind_under_way(&b);

	check_place_after_restart(&b, 10);
	talloc_free(req);
}

static void test_a_rewind_does_not_settle_what_came_meanwhile(void **state)
{
	struct forward_config config = config_of("siem", star);
	struct bench b = bench_new(state);
	struct tevent_req *req = NULL;
	struct forward_output *output = NULL;

	config.start = FORWARD_FROM_NOW;
	start(&b, &config, 1);
	output = b.forwarder->outputs[0];
	fixture_until(b.f, output->settled);
	(void)fixture_channel(b.f, "Old");
	req = rewind_under_way(&b);
	forward_output_tick(output);
	assert_int_equal(output->num_lanes, 2);
	assert_true(tevent_req_poll(req, b.f->ev));
	talloc_free(req);
	/* Where Old begins is not on disk yet. */
	assert_false(output->settled);
	forward_output_tick(output);
	fixture_until(b.f, output->settled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_each_event_is_sent_once_and_in_order),
		leak_test(test_a_restart_goes_on_behind_what_has_arrived),
		leak_test(test_a_position_that_is_none_is_told_and_all_is_sent),
		leak_test(test_a_stop_asks_what_has_arrived),
		leak_test(test_the_position_is_written_while_it_moves),
		leak_test(test_what_has_not_arrived_is_sent_again),
		leak_test(test_channels_take_turns),
		leak_test(test_a_new_output_may_start_now),
		leak_test(test_nothing_is_sent_before_now_is_on_disk),
		leak_test(
			test_the_query_passes_events_and_the_position_goes_along),
		leak_test(test_a_time_range_passes_whole_blocks),
		leak_test(test_what_is_gone_is_told_and_counted_once),
		leak_test(test_the_lag_is_the_age_of_the_oldest_that_waits),
		leak_test(test_with_a_query_a_gap_has_an_upper_bound),
		leak_test(test_a_gap_at_the_end_is_told_at_once),
		leak_test(test_an_event_without_a_format_is_sent_as_damaged),
		leak_test(test_what_the_transport_could_not_send_is_told),
		leak_test(test_a_stalled_output_holds_up_nobody),
		leak_test(test_a_backlog_takes_turns_with_the_sockets),
		leak_test(test_a_star_takes_channels_as_they_come),
		leak_test(test_what_went_with_its_channel_in_flight_is_told),
		leak_test(test_a_reload_leaves_alone_what_has_not_changed),
		leak_test(test_a_reload_that_fails_changes_nothing),
		leak_test(test_a_channel_that_is_left_out_keeps_its_place),
		leak_test(test_rewind_to_the_oldest),
		leak_test(test_rewind_to_a_time),
		leak_test(test_rewind_to_a_record),
		leak_test(test_rewind_to_a_bookmark),
		leak_test(test_a_rewind_survives_a_crash_at_once),
		leak_test(test_a_rewind_abandons_what_is_in_flight),
		leak_test(test_forward_is_a_gap_that_is_told),
		leak_test(test_going_forward_twice_tells_all_that_is_left_out),
		leak_test(test_a_gap_that_grows_keeps_its_count),
		leak_test(
			test_going_back_into_what_was_left_out_tells_the_rest),
		leak_test(test_a_reload_tells_what_was_left_out),
		leak_test(test_a_reload_does_not_count_a_gap_twice),
		leak_test(
			test_a_message_that_is_refused_is_named_until_it_is_taken),
		leak_test(test_a_rewind_leaves_out_what_is_refused),
		leak_test(test_going_back_behind_a_refusal_goes_on_as_always),
		leak_test(test_a_refusal_does_not_hold_up_other_channels),
		leak_test(
			test_a_refused_record_waits_longer_whatever_else_arrives),
		leak_test(test_a_refusal_ends_with_its_record),
		leak_test(test_a_rewind_that_cannot_be_is_refused),
		leak_test(test_a_rewind_ends_with_its_output),
		leak_test(test_a_rewind_that_is_given_up_is_none),
		leak_test(test_a_rewind_that_a_stop_cancels_is_none),
		leak_test(test_a_rewind_does_not_settle_what_came_meanwhile),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
