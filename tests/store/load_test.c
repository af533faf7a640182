/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"

#include <fcntl.h>

/*
 * Many producers, followers and retention at once: what thread sanitizer
 * looks at, and the promises under load.
 */

#define CHANNELS 8
#define PRODUCERS 16
#define EVENTS 400

struct load {
	struct fixture *f;
	struct store_channel *channels[CHANNELS];
	uint64_t acked[CHANNELS]; /* the last id, for each channel */
	unsigned int running;
};

struct producer {
	struct load *load;
	unsigned int channel;
	unsigned int kind;
	unsigned int left;
	unsigned int batch;
	struct store_input inputs[7];
};

/* Reads on from where it was, whenever it is woken. */
struct follower {
	struct load *load;
	unsigned int channel;
	uint64_t seen; /* last id */
	uint64_t missed;
};

static void produce(struct producer *p);

static void produced(struct tevent_req *req)
{
	struct producer *p = tevent_req_callback_data_void(req);
	uint64_t *acked = &p->load->acked[p->channel];
	uint64_t first_id = 0;
	size_t bad = 0;

	assert_int_equal(store_append_recv(req, &first_id, &bad), EVERR_OK);
	TALLOC_FREE(req);
	/* In the order of the calls, so acknowledged in that order too. */
	assert_true(first_id > *acked);
	*acked = first_id + p->batch - 1;
	if (p->left == 0) {
		p->load->running--;
		return;
	}
	produce(p);
}

static void produce(struct producer *p)
{
	struct tevent_req *req = NULL;

	p->left--;
	p->batch = 1 + p->left % 7;
	req = fixture_send(p->load->f, p->load->channels[p->channel], p->inputs,
			   p->batch);
	tevent_req_set_callback(req, produced, p);
}

static void follow(struct store_channel *channel, void *private_data)
{
	struct follower *follower = private_data;
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	enum store_gap_cause cause;
	uint64_t missing = 0;

	assert_int_equal(
		store_snapshot_begin(follower->load->f->store, &snapshot),
		EVERR_OK);
	while (store_read(snapshot, channel, follower->seen + 1, false,
			  &record) == EVERR_OK) {
		if (record.id != follower->seen + 1) {
			assert_int_equal(
				store_gap(snapshot, channel, follower->seen + 1,
					  record.id - 1, &missing, &cause),
				EVERR_OK);
			assert_int_equal(missing,
					 record.id - follower->seen - 1);
			assert_int_equal(cause, STORE_GAP_TRIMMED);
			follower->missed += missing;
		}
		follower->seen = record.id;
	}
	store_snapshot_end(snapshot);
}

static void define(struct load *load, unsigned int i)
{
	/* Every other one is trimmed all the time. */
	struct store_channel_config config = {
		.enabled = true, .max_bytes = i % 2 == 0 ? 20000 : 0};
	char name[16];

	snprintf(name, sizeof(name), "Channel-%u", i);
	assert_int_equal(store_channel_define(load->f->store, name, &config,
					      &load->channels[i]),
			 EVERR_OK);
}

static void test_many_producers_and_followers(void **state)
{
	struct load load = {.f = fixture_start(state)};
	struct follower followers[2 * CHANNELS];
	struct producer producers[PRODUCERS];
	struct fixture *f = load.f;
	unsigned int i;
	size_t j;

	for (i = 0; i < CHANNELS; i++) {
		define(&load, i);
	}
	for (i = 0; i < 2 * CHANNELS; i++) {
		followers[i] = (struct follower){.load = &load,
						 .channel = i % CHANNELS};
		assert_non_null(store_watch_add(f, load.channels[i % CHANNELS],
						follow, &followers[i]));
	}
	for (i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){
			.load = &load, .channel = i % CHANNELS, .left = EVENTS};
		for (j = 0; j < 7; j++) {
			producers[i].inputs[j] = fixture_event(
				f, i + (unsigned int)j, FIXTURE_TIME, "x");
		}
		load.running++;
		produce(&producers[i]);
	}
	fixture_until(f, load.running == 0);
	for (i = 0; i < 2 * CHANNELS; i++) {
		unsigned int c = followers[i].channel;

		/* The last wake-up was for the last commit. */
		assert_int_equal(followers[i].seen, load.acked[c]);
		assert_true(c % 2 == 0 || followers[i].missed == 0);
		assert_int_equal(fixture_info(load.channels[c]).next_id,
				 load.acked[c] + 1);
	}
	fixture_verify(f);
}

/* ------------------------------------------------------------ fairness */

struct arrival {
	unsigned int *clock;
	unsigned int at;
};

/* The writer looks for room before each batch: here it can be held up. */
static uint64_t gate_disk_free(void *private_data)
{
	pthread_mutex_t *gate = private_data;

	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
	return UINT64_C(1) << 40;
}

static void arrived(struct tevent_req *req)
{
	struct arrival *arrival = tevent_req_callback_data_void(req);

	arrival->at = ++*arrival->clock;
}

static void test_a_long_queue_does_not_hold_up_another_channel(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct fixture *f = fixture_new(*state);
	struct store_channel *big = NULL;
	struct store_channel *small = NULL;
	struct store_input *inputs = talloc_array(f, struct store_input, 200);
	struct arrival arrivals[41];
	struct tevent_req *reqs[41];
	unsigned int clock = 0;
	uint64_t first_id = 0;
	size_t i;

	f->hooks = (struct store_hooks){.disk_free = gate_disk_free,
					.private_data = &gate};
	f->options.limits.batch_records = 200;
	fixture_open(f);
	big = fixture_channel(f, "Big");
	small = fixture_channel(f, "Small");
	for (i = 0; i < 200; i++) {
		inputs[i] = fixture_event(f, 1, FIXTURE_TIME, "x");
	}
	pthread_mutex_lock(&gate);
	for (i = 0; i < 41; i++) {
		reqs[i] = fixture_send(f, i < 40 ? big : small, inputs,
				       i < 40 ? 200 : 1);
		arrivals[i] = (struct arrival){.clock = &clock};
		tevent_req_set_callback(reqs[i], arrived, &arrivals[i]);
	}
	pthread_mutex_unlock(&gate);
	fixture_until(f, clock == 41);
	for (i = 0; i < 41; i++) {
		assert_int_equal(fixture_recv(f, reqs[i], &first_id), EVERR_OK);
	}
	/* The last one to come: behind one batch, not behind the queue. */
	assert_int_equal(arrivals[40].at, 2);
	for (i = 1; i < 40; i++) {
		assert_true(arrivals[i].at > arrivals[i - 1].at);
	}
	/* Before the gate goes. */
	TALLOC_FREE(f->store);
}

/* -------------------------------------------------------------- damage */

/*
 * Flip a bit in the text of an event, wherever the file has it: pages that
 * are no longer used keep their old content.
 */
static void damage(struct fixture *f, const uint8_t *needle, size_t len)
{
	char *path = talloc_asprintf(f, "%s/data.mdb", f->path);
	uint8_t *bytes = NULL;
	uint8_t *found = NULL;
	size_t size;
	int fd = open(path, O_RDWR);

	size = (size_t)lseek(fd, 0, SEEK_END);
	bytes = talloc_array(f, uint8_t, size);
	assert_int_equal(pread(fd, bytes, size, 0), size);
	found = memmem(bytes, size, needle, len);
	assert_non_null(found);
	while (found != NULL) {
		found[2] ^= 0x10;
		found = memmem(found, size - (size_t)(found - bytes), needle,
			       len);
	}
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	close(fd);
	TALLOC_FREE(bytes);
}

static void test_a_damaged_record_is_told_and_passed(void **state)
{
	static const uint8_t needle[] = "n\0e\0e\0d\0l\0e\0";
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input =
		fixture_event(f, 1, FIXTURE_TIME, "a needle in it");
	struct store_verify_result result = {};
	uint64_t first_id = 0;
	uint64_t id = 0;

	fixture_append_ok(f, channel, 1, 5);
	assert_int_equal(
		fixture_recv(f, fixture_send(f, channel, &input, 1), &first_id),
		EVERR_OK);
	fixture_append_ok(f, channel, 1, 5);
	TALLOC_FREE(f->store);
	damage(f, needle, sizeof(needle) - 1);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_read(f, channel, 6, false, &id),
			 EVERR_STORE_CORRUPT);
	assert_int_equal(id, 6);
	assert_int_equal(fixture_read(f, channel, 7, false, &id), EVERR_OK);
	assert_int_equal(fixture_read(f, channel, 5, true, &id), EVERR_OK);
	/* Retention is not held up by it. */
	assert_int_equal(
		store_channel_define(f->store, "Application",
				     &(struct store_channel_config){
					     .enabled = true, .max_bytes = 1},
				     &channel),
		EVERR_OK);
	fixture_until(f, fixture_info(channel).num_records == 1);
	assert_int_equal(store_verify(f, f->path, NULL, NULL, NULL, &result),
			 EVERR_OK);
	assert_int_equal(result.errors, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_many_producers_and_followers),
		leak_test(test_a_long_queue_does_not_hold_up_another_channel),
		leak_test(test_a_damaged_record_is_told_and_passed),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
