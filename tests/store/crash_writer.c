/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The one that is killed: appends numbered events to a store's channels as
 * fast as they are acknowledged, and tells each answer at once on stdout (and
 * to the shim, when it runs under it).
 *
 * crash_writer DIR LIFE APPENDS [async] [fail-sync=N] [fail-meta=N]
 *
 * LIFE is a number that grows from one run on a store to the next.  APPENDS
 * per channel; 0: for ever.  fail-sync=N: before every Nth append the
 * disk is made to fail the next sync; fail-meta=N: the next write of a meta
 * page.
 */

#include "tests/store/iotrace.h"
#include "tests/store/proof.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_FLIGHT 4
#define EVENTS_MAX 24
/* Appends between two erasures; every third of these removes the channel. */
#define ERASE_EVERY 6

struct writer {
	struct tevent_context *ev;
	uint64_t life;
	uint64_t seed;
	uint64_t appends;
	uint64_t fail_sync, fail_meta;
	uint64_t num_appends;
	unsigned int running;
	iotrace_mark_fn mark;
	iotrace_fail_sync_fn fail_next_sync;
	iotrace_fail_write_fn fail_next_write;
};

struct lane {
	struct writer *writer;
	struct store *store;
	unsigned int number;
	struct store_channel *channel;
	/* Of PROOF_ERASED */
	uint64_t acked_id;  /* the last one that was answered */
	uint64_t erased_id; /* to be erased up to here, or done so */
	uint64_t erased_at; /* appends then */
	uint64_t num_erasures;
	bool erasing;
	bool draining; /* for a removal */
	bool done;
	char state_name[32];
	uint64_t next_seq;
	uint64_t num_appends;
	unsigned int in_flight;
};

struct append {
	struct lane *lane;
	uint64_t first_seq;
	uint64_t count;
};

static uint64_t next_random(struct writer *writer)
{
	writer->seed ^= writer->seed << 13;
	writer->seed ^= writer->seed >> 7;
	writer->seed ^= writer->seed << 17;
	return writer->seed;
}

static void die(const char *what, everr_t err)
{
	fprintf(stderr, "crash_writer: %s: %s\n", what, everr_text(err));
	_exit(99);
}

static void lane_fill(struct lane *lane);

/* One write, so that the line is whole or not there. */
static void say(const struct lane *lane, char letter, uint64_t first,
		uint64_t first_seq, uint64_t count)
{
	char line[96];
	int len;

	len = snprintf(line, sizeof(line),
		       "%c %u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", letter,
		       lane->number, first, first_seq, count);
	if (lane->writer->mark != NULL) {
		lane->writer->mark(line);
	}
	if (write(STDOUT_FILENO, line, (size_t)len) != len) {
		_exit(0);
	}
}

static void append_done(struct tevent_req *req)
{
	struct append *append = tevent_req_callback_data(req, struct append);
	struct lane *lane = append->lane;
	uint64_t first_id = 0;
	size_t bad = 0;
	everr_t err;

	err = store_append_recv(req, &first_id, &bad);
	TALLOC_FREE(req);
	if (err == EVERR_OK) {
		say(lane, 'A', first_id, append->first_seq, append->count);
		lane->acked_id = first_id + append->count - 1;
	} else {
		say(lane, 'F', (uint64_t)err, append->first_seq, append->count);
	}
	talloc_free(append);
	lane->in_flight--;
	lane_fill(lane);
}

static void maybe_fail(struct writer *writer)
{
	writer->num_appends++;
	if (writer->fail_sync != 0 &&
	    writer->num_appends % writer->fail_sync == 0) {
		writer->fail_next_sync(1, EIO);
	}
	if (writer->fail_meta != 0 &&
	    writer->num_appends % writer->fail_meta == 0) {
		writer->fail_next_write(1, EIO, 1);
	}
}

static void lane_send(struct lane *lane)
{
	struct writer *writer = lane->writer;
	struct store_input inputs[EVENTS_MAX];
	size_t ends[EVENTS_MAX];
	struct append *append = NULL;
	struct store_state state = {.name = lane->state_name, .len = 8};
	struct tevent_req *req = NULL;
	uint8_t last_seq[8];
	struct buf docs;
	size_t i, start = 0;
	everr_t err;

	append = talloc_zero(lane, struct append);
	append->lane = lane;
	append->first_seq = lane->next_seq;
	append->count = 1 + next_random(writer) % EVENTS_MAX;
	buf_init(&docs, append, EVENTS_MAX * EVENT_WIRE_MAX);
	for (i = 0; i < append->count; i++) {
		uint64_t dice = next_random(writer);

		/* Few kinds most of the time, now and then a rare one. */
		err = proof_event(&docs, proof_channels[lane->number],
				  lane->next_seq++,
				  dice % 50 == 0 ? dice / 50 % 60 : dice % 3,
				  dice / 3000 % 600);
		if (err != EVERR_OK) {
			die("event", err);
		}
		ends[i] = docs.len;
	}
	for (i = 0; i < append->count; i++) {
		inputs[i] = (struct store_input){
			.doc = docs.data + start,
			.len = ends[i] - start,
			.born_here = true,
		};
		start = ends[i];
	}
	le64_set(last_seq, lane->next_seq - 1);
	state.data = last_seq;
	maybe_fail(writer);
	req = store_append_send(append, writer->ev, lane->channel, inputs,
				append->count, &state, 1);
	if (req == NULL) {
		die("append", EVERR_NOMEM);
	}
	buf_free(&docs);
	tevent_req_set_callback(req, append_done, append);
	lane->in_flight++;
	lane->num_appends++;
}

static everr_t lane_define(struct lane *lane)
{
	const struct store_channel_config config = {
		.enabled = true,
		.max_bytes =
			lane->number == PROOF_TRIMMED ? PROOF_TRIM_BYTES : 0,
	};

	return store_channel_define(lane->store, proof_channels[lane->number],
				    &config, &lane->channel);
}

static void clear_done(struct tevent_req *req)
{
	struct lane *lane = tevent_req_callback_data(req, struct lane);
	everr_t err = store_clear_recv(req, NULL);

	TALLOC_FREE(req);
	lane->erasing = false;
	if (err == EVERR_OK) {
		say(lane, 'C', lane->erased_id, 0, 0);
	}
	lane_fill(lane);
}

/* With appends before and behind it on their way. */
static void lane_clear(struct lane *lane)
{
	struct tevent_req *req = NULL;

	req = store_clear_send(lane, lane->writer->ev, lane->channel,
			       lane->erased_id);
	if (req == NULL) {
		die("clear", EVERR_NOMEM);
	}
	lane->erasing = true;
	tevent_req_set_callback(req, clear_done, lane);
}

static void lane_remove(struct lane *lane)
{
	everr_t err = store_channel_remove(lane->channel);

	if (err == EVERR_OK) {
		say(lane, 'C', lane->erased_id, 0, 0);
	}
	while (err == EVERR_OK && lane_define(lane) != EVERR_OK) {
		(void)tevent_loop_once(lane->writer->ev);
	}
}

static void lane_erase(struct lane *lane)
{
	bool remove = lane->num_erasures % 3 == 2;

	if (lane->number != PROOF_ERASED || lane->erasing ||
	    lane->acked_id == lane->erased_id ||
	    lane->num_appends - lane->erased_at < ERASE_EVERY) {
		return;
	}
	lane->draining = remove;
	if (remove && lane->in_flight > 0) {
		return;
	}
	lane->draining = false;
	/* Not always to the last one. */
	lane->erased_id =
		lane->num_erasures % 3 == 0
			? lane->acked_id
			: lane->erased_id + 1 +
				  (lane->acked_id - lane->erased_id) / 2;
	if (remove || lane->erased_id > lane->acked_id) {
		lane->erased_id = lane->acked_id;
	}
	lane->erased_at = lane->num_appends;
	lane->num_erasures++;
	say(lane, 'B', lane->erased_id, 0, 0);
	if (remove) {
		lane_remove(lane);
	} else {
		lane_clear(lane);
	}
}

static void lane_fill(struct lane *lane)
{
	struct writer *writer = lane->writer;

	lane_erase(lane);
	while (!lane->draining && lane->in_flight < IN_FLIGHT &&
	       (writer->appends == 0 || lane->num_appends < writer->appends)) {
		lane_send(lane);
	}
	if (lane->in_flight == 0 && !lane->erasing && !lane->done) {
		lane->done = true;
		writer->running--;
	}
}

static struct lane *lane_start(struct writer *writer, struct store *store,
			       unsigned int number)
{
	struct lane *lane = NULL;
	everr_t err;

	lane = talloc_zero(store, struct lane);
	lane->writer = writer;
	lane->store = store;
	lane->number = number;
	snprintf(lane->state_name, sizeof(lane->state_name), "proof/%s",
		 proof_channels[number]);
	err = lane_define(lane);
	if (err != EVERR_OK) {
		die("define", err);
	}
	/* The next life's events are other ones, whatever became of these. */
	lane->next_seq = (writer->life << 24) + 1;
	return lane;
}

static uint64_t number_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	return strncmp(text, name, len) == 0 ? strtoull(text + len, NULL, 10)
					     : 0;
}

int main(int argc, char **argv)
{
	struct store_options options;
	struct lane *lanes[PROOF_CHANNELS];
	struct writer writer = {};
	struct store *store = NULL;
	everr_t err;
	int i;

	if (argc < 4) {
		fprintf(stderr, "usage: crash_writer DIR LIFE APPENDS ...\n");
		return 2;
	}
	proof_options(argv[1], &options);
	writer.life = strtoull(argv[2], NULL, 10);
	writer.seed = writer.life * 2654435761U + 1;
	writer.appends = strtoull(argv[3], NULL, 10);
	for (i = 4; i < argc; i++) {
		options.asynchronous |= strcmp(argv[i], "async") == 0;
		writer.fail_sync |= number_of(argv[i], "fail-sync=");
		writer.fail_meta |= number_of(argv[i], "fail-meta=");
	}
	writer.mark = (iotrace_mark_fn)dlsym(RTLD_DEFAULT, "iotrace_mark");
	writer.fail_next_sync =
		(iotrace_fail_sync_fn)dlsym(RTLD_DEFAULT, "iotrace_fail_sync");
	writer.fail_next_write = (iotrace_fail_write_fn)dlsym(
		RTLD_DEFAULT, "iotrace_fail_write");

	writer.ev = tevent_context_init(NULL);
	err = store_open(writer.ev, writer.ev, &options, &store);
	if (err != EVERR_OK) {
		die("open", err);
	}
	for (i = 0; i < PROOF_CHANNELS; i++) {
		lanes[i] = lane_start(&writer, store, (unsigned int)i);
	}
	writer.running = PROOF_CHANNELS;
	for (i = 0; i < PROOF_CHANNELS; i++) {
		lane_fill(lanes[i]);
	}
	while (writer.running > 0) {
		if (tevent_loop_once(writer.ev) != 0) {
			die("loop", EVERR_IO);
		}
	}
	talloc_free(store);
	talloc_free(writer.ev);
	return 0;
}
