/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What is on the disk when the power fails, at any moment of a writer's life.
 *
 * The shim (iotrace.c) wrote down what the writer wrote and when it asked for
 * a sync.  Between two syncs a disk may have kept any of the writes, in any
 * order, and torn ones at a sector.  So at every sync the files that could be
 * there are made: everything that is safe, and of what is not, nothing, all,
 * all but the last, only the last, half of the last, and random choices of
 * sectors.  Each must be whole to the checker and hold every event that was
 * acknowledged before that moment.
 *
 * The same proof is run on writers that are wrong, and must find it.
 *
 * EVENLOG_LONG_TESTS: a longer life, more choices.
 */

#include "tests/leak.h"
#include "tests/store/iotrace.h"
#include "tests/store/proof.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECTOR 512
/* One in so many files is also opened for writing. */
#define REOPEN_EVERY 16

struct pending {
	uint64_t offset;
	uint32_t len;
	const uint8_t *data;
	bool doubtful; /* its sync failed: it may never get there */
};

struct replay {
	TALLOC_CTX *mem_ctx;
	char *dir; /* of the file that is made */
	int fd;
	uint8_t *safe; /* what is on disk for certain */
	uint64_t safe_size;
	size_t safe_room;
	struct pending *pending;
	size_t num_pending;
	size_t syncing; /* of them, those before the running sync */
	bool born;	/* a first sync was done */
	bool ignore_syncs;
	unsigned int choices;
	uint64_t seed;
	struct proof_account account;

	/* What was found. */
	uint64_t syncs, files, reopened;
	uint64_t acked, refused, num_erasures;
	uint64_t lost, damaged, others;
	char first[512];
};

static uint64_t next_random(struct replay *replay)
{
	replay->seed ^= replay->seed << 13;
	replay->seed ^= replay->seed >> 7;
	replay->seed ^= replay->seed << 17;
	return replay->seed;
}

/* ---------------------------------------------------- making the file */

static void put_bytes(struct replay *replay, const uint8_t *data, size_t len,
		      uint64_t offset)
{
	assert_int_equal(pwrite(replay->fd, data, len, (off_t)offset), len);
}

/* Back to what is safe, where the write went. */
static void take_back(struct replay *replay, const struct pending *write)
{
	uint64_t end = write->offset + write->len;

	if (end > replay->safe_size) {
		end = replay->safe_size;
	}
	if (end > write->offset) {
		put_bytes(replay, replay->safe + write->offset,
			  end - write->offset, write->offset);
	}
}

static void take_all_back(struct replay *replay)
{
	size_t i;

	for (i = 0; i < replay->num_pending; i++) {
		take_back(replay, &replay->pending[i]);
	}
	assert_int_equal(ftruncate(replay->fd, (off_t)replay->safe_size), 0);
}

static void make_safe(struct replay *replay, const struct pending *write)
{
	uint64_t end = write->offset + write->len;
	size_t room = replay->safe_room;

	if (end > room) {
		room = 2 * (size_t)end;
		replay->safe = talloc_realloc(replay->mem_ctx, replay->safe,
					      uint8_t, room);
		assert_non_null(replay->safe);
		memset(replay->safe + replay->safe_room, 0,
		       room - replay->safe_room);
		replay->safe_room = room;
	}
	memcpy(replay->safe + write->offset, write->data, write->len);
	if (end > replay->safe_size) {
		replay->safe_size = end;
	}
	put_bytes(replay, write->data, write->len, write->offset);
}

/* The first num pending writes are on disk, the doubtful ones excepted. */
static void settle(struct replay *replay, size_t num)
{
	size_t kept = 0;
	size_t i, j;

	for (i = 0; i < replay->num_pending; i++) {
		struct pending *write = &replay->pending[i];

		if (i >= num || write->doubtful) {
			replay->pending[kept++] = *write;
			continue;
		}
		make_safe(replay, write);
		/* What was in doubt under it no longer matters. */
		for (j = 0; j < kept; j++) {
			struct pending *old = &replay->pending[j];

			if (old->doubtful && old->offset == write->offset &&
			    old->len <= write->len) {
				old->len = 0;
			}
		}
	}
	replay->num_pending = kept;
}

/* ------------------------------------------------- looking at the file */

static void note(struct replay *replay, const char *choice, const char *what)
{
	if (replay->first[0] == '\0') {
		snprintf(replay->first, sizeof(replay->first),
			 "sync %" PRIu64 ", %s: %s", replay->syncs, choice,
			 what);
	}
}

static uint64_t highest_acked(const struct replay *replay)
{
	const struct proof_ranges *acked = &replay->account.acked[PROOF_KEPT];
	const struct proof_range *last = NULL;

	if (acked->num == 0) {
		return 0;
	}
	last = &acked->ranges[acked->num - 1];
	return last->first_id + last->count - 1;
}

static void done(struct tevent_req *req)
{
	*(bool *)tevent_req_callback_data_void(req) = true;
}

/* Append an event to the channel "Kept" and return its id; 0: it failed. */
static uint64_t append_one(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			   struct store *store)
{
	struct store_channel *channel = NULL;
	struct store_input input = {};
	struct tevent_req *req = NULL;
	uint64_t id = 0;
	bool is_done = false;
	size_t bad = 0;
	struct buf doc;
	everr_t err;

	err = store_channel_find(store, proof_channels[PROOF_KEPT], &channel);
	if (err != EVERR_OK) {
		return 0;
	}
	buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
	err = proof_event(&doc, proof_channels[PROOF_KEPT], UINT32_MAX, 1, 1);
	assert_int_equal(err, EVERR_OK);
	input.doc = doc.data;
	input.len = doc.len;
	req = store_append_send(mem_ctx, ev, channel, &input, 1, NULL, 0);
	assert_non_null(req);
	tevent_req_set_callback(req, done, &is_done);
	while (!is_done) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	err = store_append_recv(req, &id, &bad);
	talloc_free(req);
	buf_free(&doc);
	return err == EVERR_OK ? id : 0;
}

static void copy_image(struct replay *replay, const char *dir)
{
	char *path = talloc_asprintf(replay->mem_ctx, "%s/data.mdb", dir);
	struct stat st;
	uint8_t *data = NULL;
	int fd;

	assert_int_equal(fstat(replay->fd, &st), 0);
	data = talloc_size(replay->mem_ctx, (size_t)st.st_size + 1);
	assert_int_equal(pread(replay->fd, data, (size_t)st.st_size, 0),
			 st.st_size);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	talloc_free(data);
	talloc_free(path);
}

/* The service starts again on a copy and goes on with ids that are new. */
static void reopen(struct replay *replay, const char *choice)
{
	TALLOC_CTX *mem_ctx = talloc_new(replay->mem_ctx);
	char *dir = proof_dir(mem_ctx);
	struct tevent_context *ev = tevent_context_init(mem_ctx);
	struct store_options options;
	struct store *store = NULL;
	uint64_t acked = highest_acked(replay);
	uint64_t id = 0;
	char text[256];
	uint64_t errors;
	everr_t err;

	copy_image(replay, dir);
	proof_options(dir, &options);
	err = store_open(mem_ctx, ev, &options, &store);
	if (err != EVERR_OK) {
		replay->damaged++;
		note(replay, choice, "it cannot be opened for writing");
	} else if (acked > 0) {
		id = append_one(mem_ctx, ev, store);
		if (id <= acked) {
			replay->others++;
			note(replay, choice, "an id was given out again");
		}
	}
	TALLOC_FREE(store);
	if (err == EVERR_OK) {
		errors = proof_verify(mem_ctx, dir, text, &err);
		if (err != EVERR_OK || errors != 0) {
			replay->damaged++;
			note(replay, choice, text);
		}
	}
	replay->reopened++;
	proof_dir_remove(dir);
	talloc_free(mem_ctx);
}

static void look(struct replay *replay, const char *choice)
{
	struct proof_outcome outcome = {};
	char text[256];
	uint64_t errors;
	everr_t err;

	/* Before that there is no file, and nothing was promised. */
	if (!replay->born) {
		return;
	}
	replay->files++;
	if (replay->files % REOPEN_EVERY == 0) {
		reopen(replay, choice);
	}
	errors = proof_verify(replay->mem_ctx, replay->dir, text, &err);
	if (err != EVERR_OK || errors != 0) {
		replay->damaged++;
		note(replay, choice, text);
		/* LMDB could crash on it; what is lost is lost. */
		replay->lost += highest_acked(replay);
		return;
	}
	proof_compare(replay->mem_ctx, replay->dir, &replay->account, &outcome);
	replay->lost += outcome.lost;
	replay->others += outcome.changed + outcome.repeated + outcome.torn +
			  outcome.undead + (outcome.err != EVERR_OK);
	if (outcome.lost > 0) {
		note(replay, choice, "an acknowledged event is missing");
	} else if (outcome.undead > 0) {
		note(replay, choice, "an erasure that was answered is undone");
	} else if (outcome.changed + outcome.repeated + outcome.torn > 0) {
		note(replay, choice, "an event or state is another one");
	}
	proof_locks_remove(replay->dir);
}

/* ------------------------------------------------------- the choices */

static void put_pending(struct replay *replay, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++) {
		put_bytes(replay, replay->pending[i].data,
			  replay->pending[i].len, replay->pending[i].offset);
	}
}

/* Each sector of each write, or not. */
static void put_random_sectors(struct replay *replay)
{
	uint32_t at, len;
	size_t i;

	for (i = 0; i < replay->num_pending; i++) {
		const struct pending *write = &replay->pending[i];
		bool whole = next_random(replay) % 2 == 0;

		if (whole && next_random(replay) % 2 == 0) {
			continue;
		}
		for (at = 0; at < write->len; at += len) {
			uint64_t to_boundary =
				SECTOR - (write->offset + at) % SECTOR;

			len = write->len - at;
			if (len > to_boundary) {
				len = (uint32_t)to_boundary;
			}
			if (whole || next_random(replay) % 2 == 0) {
				put_bytes(replay, write->data + at, len,
					  write->offset + at);
			}
		}
	}
}

/* The power fails here, before what is pending is safe. */
static void power_fails(struct replay *replay)
{
	size_t num = replay->num_pending;
	unsigned int i;

	look(replay, "nothing that was not synced");
	if (num == 0) {
		return;
	}
	put_pending(replay, 0, num);
	look(replay, "everything");
	take_all_back(replay);
	if (num > 1) {
		put_pending(replay, 0, num - 1);
		look(replay, "all but the last write");
		take_all_back(replay);
		put_pending(replay, num - 1, num);
		look(replay, "only the last write");
		take_all_back(replay);
	}
	if (replay->pending[num - 1].len >= 2 * SECTOR) {
		put_pending(replay, 0, num - 1);
		put_bytes(replay, replay->pending[num - 1].data,
			  replay->pending[num - 1].len / 2,
			  replay->pending[num - 1].offset);
		look(replay, "half of the last write");
		take_all_back(replay);
	}
	for (i = 0; i < replay->choices; i++) {
		put_random_sectors(replay);
		look(replay, "some sectors");
		take_all_back(replay);
	}
}

/* ---------------------------------------------------------- the trace */

static void add_pending(struct replay *replay,
			const struct iotrace_entry *entry, const uint8_t *data)
{
	replay->pending =
		talloc_realloc(replay->mem_ctx, replay->pending, struct pending,
			       replay->num_pending + 1);
	assert_non_null(replay->pending);
	replay->pending[replay->num_pending++] = (struct pending){
		.offset = entry->offset,
		.len = entry->len,
		.data = data,
	};
}

/* What the writer was told, at this place in the order of things. */
static void add_answer(struct replay *replay, const uint8_t *data, size_t len)
{
	char line[128] = {};

	assert_true(len < sizeof(line));
	memcpy(line, data, len);
	assert_true(
		proof_account_line(replay->mem_ctx, &replay->account, line));
}

/* A write through an O_DSYNC descriptor: it alone is safe. */
static void last_write_is_safe(struct replay *replay)
{
	struct pending write;

	replay->syncs++;
	power_fails(replay);
	write = replay->pending[--replay->num_pending];
	make_safe(replay, &write);
}

static void sync_failed(struct replay *replay)
{
	size_t i;

	for (i = 0; i < replay->syncing; i++) {
		replay->pending[i].doubtful = true;
	}
}

static void step(struct replay *replay, const struct iotrace_entry *entry,
		 const uint8_t *data)
{
	switch ((enum iotrace_kind)entry->kind) {
	case IOTRACE_WRITE:
		add_pending(replay, entry, data);
		break;
	case IOTRACE_WRITE_SAFE:
		last_write_is_safe(replay);
		break;
	case IOTRACE_SYNC_BEGIN:
		replay->syncing = replay->num_pending;
		break;
	case IOTRACE_SYNC_END:
		if (replay->ignore_syncs) {
			break;
		}
		replay->syncs++;
		power_fails(replay);
		settle(replay, replay->syncing);
		break;
	case IOTRACE_SYNC_FAILED:
		sync_failed(replay);
		break;
	case IOTRACE_BORN:
		replay->born = true;
		replay->syncs++;
		power_fails(replay);
		break;
	case IOTRACE_MARK:
		add_answer(replay, data, entry->len);
		break;
	case IOTRACE_TRUNCATE:
		/* Longer by zeros, that no tree uses. */
		assert_true(entry->offset >= replay->safe_size);
		break;
	case IOTRACE_WRITE_MAP:
		fail_msg("the file was mapped for writing");
		break;
	}
}

static void run_trace(struct replay *replay, const uint8_t *trace, size_t len)
{
	size_t at = 0;

	while (at < len) {
		struct iotrace_entry entry;

		assert_true(len - at >= sizeof(entry));
		memcpy(&entry, trace + at, sizeof(entry));
		at += sizeof(entry);
		if (entry.kind != IOTRACE_WRITE && entry.kind != IOTRACE_MARK) {
			entry.len = 0;
		}
		assert_true(entry.len <= len - at);
		step(replay, &entry, trace + at);
		at += entry.len;
	}
	/* And after the end. */
	replay->syncs++;
	power_fails(replay);
}

static uint8_t *read_file(TALLOC_CTX *mem_ctx, const char *path,
			  size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;
	struct stat st;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	data = talloc_size(mem_ctx, (size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return data;
}

/* Run the writer under the shim to its end. */
static uint8_t *trace_writer(TALLOC_CTX *mem_ctx, const char *dir,
			     const char *appends, const char *mode, bool lazy,
			     size_t *ret_len)
{
	char *program = proof_built(mem_ctx, "tests/store/crash_writer");
	char *shim = proof_built(mem_ctx, "tests/store/iotrace.so");
	char *trace = talloc_asprintf(mem_ctx, "%s/trace", dir);
	uint8_t *data = NULL;
	int status = 0;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		setenv("LD_PRELOAD", shim, 1);
		setenv("IOTRACE_FILE", trace, 1);
		if (lazy) {
			setenv("IOTRACE_LAZY", "1", 1);
		}
		/* The shim comes before the sanitizer's runtime, as it must. */
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
		execl(program, program, dir, "42", appends, mode, NULL);
		perror(program);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	data = read_file(mem_ctx, trace, ret_len);
	talloc_free(program);
	talloc_free(shim);
	talloc_free(trace);
	return data;
}

struct life {
	const char *appends; /* per channel */
	const char *mode;    /* of crash_writer; NULL: right */
	bool lazy;	     /* the writer's syncs are left out */
	bool ignore_syncs;   /* only its O_DSYNC writes count */
	unsigned int choices;
};

static void live_and_replay(TALLOC_CTX *mem_ctx, const struct life *life,
			    struct replay *replay)
{
	TALLOC_CTX *tmp_ctx = talloc_new(mem_ctx);
	char *dir = proof_dir(tmp_ctx);
	char *path = NULL;
	uint8_t *trace = NULL;
	size_t len = 0;
	unsigned int i;

	trace = trace_writer(tmp_ctx, dir, life->appends, life->mode,
			     life->lazy, &len);
	*replay = (struct replay){
		.mem_ctx = tmp_ctx,
		.dir = proof_dir(tmp_ctx),
		.ignore_syncs = life->ignore_syncs,
		.choices = life->choices,
		.seed = 88172645463325252ULL,
	};
	path = talloc_asprintf(tmp_ctx, "%s/data.mdb", replay->dir);
	replay->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_not_equal(replay->fd, -1);
	run_trace(replay, trace, len);
	close(replay->fd);

	for (i = 0; i < PROOF_CHANNELS; i++) {
		replay->acked += proof_account_count(&replay->account.acked[i]);
		replay->refused +=
			proof_account_count(&replay->account.failed[i]);
	}
	replay->num_erasures = replay->account.num_erasures;
	print_message(
		"%s: %" PRIu64 " moments, %" PRIu64 " files, %" PRIu64
		" reopened, %" PRIu64 " events acknowledged, %" PRIu64
		" refused; %" PRIu64 " lost, %" PRIu64 " files damaged%s%s\n",
		life->lazy	     ? "without syncs"
		: life->ignore_syncs ? "without data syncs"
		: life->mode != NULL ? life->mode
				     : "synchronous",
		replay->syncs, replay->files, replay->reopened, replay->acked,
		replay->refused, replay->lost, replay->damaged,
		replay->first[0] != '\0' ? "; first: " : "", replay->first);
	proof_dir_remove(replay->dir);
	proof_dir_remove(dir);
	talloc_free(tmp_ctx);
}

static bool long_tests(void)
{
	return getenv("EVENLOG_LONG_TESTS") != NULL;
}

/*
 * ThreadSanitizer looks at how the writer's threads share memory, which does
 * not depend on what a disk kept; each file takes it twenty times as long.
 */
static unsigned int choices(unsigned int usual)
{
#ifdef __SANITIZE_THREAD__
	usual = 1;
#endif
	return long_tests() ? 20 : usual;
}

static void assert_promise_kept(const struct replay *replay)
{
	if (replay->lost + replay->damaged + replay->others != 0) {
		fail_msg("%s", replay->first);
	}
}

/* ------------------------------------------------------------- the proofs */

static void test_no_acknowledgement_precedes_its_sync(void **state)
{
	const struct life life = {
		.appends = long_tests() ? "300" : "25",
		.choices = choices(4),
	};
	struct replay replay;

	live_and_replay(*state, &life, &replay);
	assert_promise_kept(&replay);
	assert_true(replay.files > 100);
	assert_true(replay.reopened > 10);
	/* The third one removes the channel. */
	assert_true(replay.num_erasures >= 3);
}

static void test_promise_outlives_failed_syncs(void **state)
{
	const struct life life = {
		.appends = long_tests() ? "300" : "40",
		.mode = "fail-sync=23",
		.choices = choices(3),
	};
	struct replay replay;

	live_and_replay(*state, &life, &replay);
	assert_promise_kept(&replay);
	assert_true(replay.files > 100);
	assert_true(replay.acked > 100);
	assert_true(replay.refused > 0);
}

static void test_promise_outlives_failed_meta_writes(void **state)
{
	const struct life life = {
		.appends = long_tests() ? "300" : "40",
		.mode = "fail-meta=23",
		.choices = choices(3),
	};
	struct replay replay;

	live_and_replay(*state, &life, &replay);
	assert_promise_kept(&replay);
	assert_true(replay.files > 100);
	assert_true(replay.acked > 100);
	assert_true(replay.refused > 0);
}

/* ----------------------------------------- the proof finds what is wrong */

static void test_asynchronous_store_is_caught(void **state)
{
	const struct life life = {
		.appends = "10",
		.mode = "async",
		.choices = 2,
	};
	struct replay replay;

	live_and_replay(*state, &life, &replay);
	assert_true(replay.lost > 0);
}

static void test_store_without_syncs_is_caught(void **state)
{
	const struct life life = {
		.appends = "10",
		.lazy = true,
		.choices = 2,
	};
	struct replay replay;

	live_and_replay(*state, &life, &replay);
	assert_true(replay.lost > 0);
}

/* The meta page overtakes the pages it speaks of. */
static void test_store_without_data_syncs_is_caught(void **state)
{
	const struct life life = {
		.appends = "10",
		.ignore_syncs = true,
		.choices = 2,
	};
	struct replay replay;

	live_and_replay(*state, &life, &replay);
	assert_true(replay.damaged > 0);
	assert_true(replay.lost > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_no_acknowledgement_precedes_its_sync),
		leak_test(test_promise_outlives_failed_syncs),
		leak_test(test_promise_outlives_failed_meta_writes),
		leak_test(test_asynchronous_store_is_caught),
		leak_test(test_store_without_syncs_is_caught),
		leak_test(test_store_without_data_syncs_is_caught),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
