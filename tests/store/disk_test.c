/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A disk that fails, is full, or gives back other bytes than it was given.
 * Runs itself under the shim, which plays that disk.
 *
 * EVENLOG_LONG_TESTS: many more flipped bits.
 */

#include "tests/store/fixture.h"
#include "tests/store/iotrace.h"
#include "tests/store/proof.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static iotrace_fail_sync_fn fail_sync;
static iotrace_fail_write_fn fail_write;
static iotrace_set_room_fn set_room;

/* ------------------------------------------------------------ a bad disk */

static struct fixture *start_on_disk(void **state)
{
	struct fixture *f = fixture_new(*state);

	/* What is free is what the shim says. */
	f->hooks.disk_free = NULL;
	fixture_open(f);
	return f;
}

static uint64_t count_records(struct fixture *f, struct store_channel *channel)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t count = 0;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	while (store_read(snapshot, channel, record.id + 1, false, &record) ==
	       EVERR_OK) {
		count++;
	}
	store_snapshot_end(snapshot);
	return count;
}

/* Until the store has opened its file again, appends are refused. */
static void append_after_fault(struct fixture *f, struct store_channel *channel,
			       uint64_t *ret_id)
{
	everr_t err = EVERR_STORE_SYNC;
	unsigned int i;

	for (i = 0; i < 1000 && err == EVERR_STORE_SYNC; i++) {
		err = fixture_append(f, channel, 0, 1, ret_id);
	}
	assert_int_equal(err, EVERR_OK);
}

/*
 * The promise around one failed batch: told so, not stored, what came before
 * stays, what comes after works, and ids go on upwards.
 */
static void check_one_failed_batch(struct fixture *f,
				   struct store_channel *channel)
{
	uint64_t before = 0;
	uint64_t after = 0;
	uint64_t missing = 0;
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	struct store_snapshot *snapshot = NULL;

	fail_sync(0, 0);
	fail_write(0, 0, 0);
	append_after_fault(f, channel, &after);
	assert_int_equal(count_records(f, channel), 3);
	assert_int_equal(fixture_read(f, channel, 1, false, &before), EVERR_OK);
	assert_int_equal(before, 1);
	assert_true(after > 2);

	/* Ids of the failed batch are not given out again: a gap says so. */
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(
		store_gap(snapshot, channel, 1, after, &missing, &cause),
		EVERR_OK);
	store_snapshot_end(snapshot);
	assert_int_equal(missing, after - 3);

	TALLOC_FREE(f->store);
	fixture_verify(f);
	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_int_equal(count_records(f, channel), 3);
}

static void test_failed_sync_fails_its_batch_and_no_other(void **state)
{
	struct fixture *f = start_on_disk(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	uint64_t id = 0;

	fixture_append_ok(f, channel, 0, 2);
	fail_sync(1, EIO);
	assert_int_equal(fixture_append(f, channel, 0, 5, &id),
			 EVERR_STORE_SYNC);
	check_one_failed_batch(f, channel);
}

static void test_failed_meta_write_fails_its_batch_and_no_other(void **state)
{
	struct fixture *f = start_on_disk(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	uint64_t id = 0;

	fixture_append_ok(f, channel, 0, 2);
	fail_write(1, EIO, 1);
	assert_int_equal(fixture_append(f, channel, 0, 5, &id),
			 EVERR_STORE_SYNC);
	check_one_failed_batch(f, channel);
}

static void test_failed_write_fails_its_batch_and_no_other(void **state)
{
	struct fixture *f = start_on_disk(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	uint64_t id = 0;

	fixture_append_ok(f, channel, 0, 2);
	fail_write(1, EIO, 0);
	assert_int_equal(fixture_append(f, channel, 0, 5, &id),
			 EVERR_STORE_SYNC);
	check_one_failed_batch(f, channel);
}

/* A disk that does not come back for a while: told each time, then it goes on. */
static void test_disk_that_fails_for_long_is_survived(void **state)
{
	struct fixture *f = start_on_disk(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_stats stats = {};
	uint64_t id = 0;
	unsigned int i;

	fixture_append_ok(f, channel, 0, 2);
	fail_sync(1000, EIO);
	for (i = 0; i < 5; i++) {
		assert_int_equal(fixture_append(f, channel, 0, 5, &id),
				 EVERR_STORE_SYNC);
		assert_int_equal(count_records(f, channel), 2);
	}
	fail_sync(0, 0);
	append_after_fault(f, channel, &id);
	assert_int_equal(count_records(f, channel), 3);
	store_stats(f->store, &stats);
	assert_true(stats.failed_batches > 0);
	TALLOC_FREE(f->store);
	fixture_verify(f);
}

/* ----------------------------------------------------------- a full disk */

static uint64_t file_size(const struct fixture *f)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", f->path);
	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* Append until it is refused; how many events were stored. */
static uint64_t fill(struct fixture *f, struct store_channel *channel,
		     everr_t *ret_err)
{
	uint64_t stored = 0;
	uint64_t id = 0;
	unsigned int i;

	*ret_err = EVERR_OK;
	for (i = 0; i < 2000 && *ret_err == EVERR_OK; i++) {
		*ret_err = fixture_append(f, channel, 0, 50, &id);
		if (*ret_err == EVERR_OK) {
			stored += 50;
		}
	}
	return stored;
}

/* Retention goes on: the reserve is there for it. */
static void trim_without_room(struct fixture *f, struct store_channel *channel)
{
	const struct store_channel_config config = {
		.enabled = true,
		.max_bytes = 20000,
	};
	uint64_t left = UINT64_MAX;
	unsigned int i;

	assert_int_equal(store_channel_define(f->store, "Application", &config,
					      &channel),
			 EVERR_OK);
	for (i = 0; i < 2000 && left >= 100; i++) {
		store_poke(f->store);
		assert_int_equal(tevent_loop_once(f->ev), 0);
		left = count_records(f, channel);
	}
	assert_true(left < 100);
}

/* reserve 0: LMDB runs into the end itself; else the store stops before it. */
static void check_full_disk(void **state, uint64_t reserve)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	struct store_stats stats = {};
	uint64_t stored;
	uint64_t id = 0;
	everr_t err;

	f->hooks.disk_free = NULL;
	f->options.limits.disk_reserve = reserve;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 0, 50);
	set_room(file_size(f) + 4 * 1024 * 1024);
	stored = 50 + fill(f, channel, &err);
	assert_int_equal(err, EVERR_STORE_FULL);

	/* Refused again, and all that was stored can be read. */
	assert_int_equal(fixture_append(f, channel, 0, 50, &id),
			 EVERR_STORE_FULL);
	assert_int_equal(count_records(f, channel), stored);
	store_stats(f->store, &stats);
	assert_true(stats.full);

	if (reserve > 0) {
		trim_without_room(f, channel);
	}

	/* Room again. */
	set_room(UINT64_MAX);
	append_after_fault(f, channel, &id);
	assert_true(id > stored);
	TALLOC_FREE(f->store);
	fixture_verify(f);
}
static void test_full_disk_refuses_reads_trims_and_recovers(void **state)
{
	check_full_disk(state, 1024 * 1024);
}

static void test_disk_full_to_the_last_byte_recovers_too(void **state)
{
	check_full_disk(state, 0);
}

/* ------------------------------------------------------- damaged files */

/* A closed store with records of many lengths; ids 1..count. */
static struct fixture *closed_store(void **state, uint64_t count)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	uint64_t seq;

	for (seq = 1; seq <= count; seq++) {
		struct store_input input = {.born_here = true};
		uint64_t id = 0;
		struct buf doc;

		buf_init(&doc, f, EVENT_WIRE_MAX);
		/* Each tenth is longer than a page. */
		assert_int_equal(proof_event(&doc, "Application", seq,
					     seq % 10 == 0 ? 30 : seq % 3,
					     seq % 10 == 0 ? 1000 : seq % 200),
				 EVERR_OK);
		input.doc = doc.data;
		input.len = doc.len;
		assert_int_equal(
			fixture_recv(f, fixture_send(f, channel, &input, 1),
				     &id),
			EVERR_OK);
		assert_int_equal(id, seq);
		buf_free(&doc);
	}
	TALLOC_FREE(f->store);
	return f;
}

struct file {
	int fd;
	uint8_t *data; /* as it was */
	size_t len;
};

static void file_open(const struct fixture *f, struct file *file)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", f->path);
	file->fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(file->fd, -1);
	assert_int_equal(fstat(file->fd, &st), 0);
	file->len = (size_t)st.st_size;
	file->data = malloc(file->len);
	assert_int_equal(pread(file->fd, file->data, file->len, 0), st.st_size);
}

static void file_close(struct file *file)
{
	close(file->fd);
	free(file->data);
}

/*
 * Flip a bit of these bytes wherever they stand: LMDB leaves old copies of
 * pages behind, and which one counts is its affair.
 */
static unsigned int flip_bytes(const struct file *file, const uint8_t *bytes,
			       size_t len, ptrdiff_t at, unsigned int bit)
{
	const uint8_t *p = file->data;
	unsigned int num = 0;

	for (;;) {
		size_t left = file->len - (size_t)(p - file->data);
		uint8_t byte;
		off_t offset;

		p = memmem(p, left, bytes, len);
		if (p == NULL) {
			return num;
		}
		offset = p - file->data + at;
		byte = file->data[offset] ^ (uint8_t)(1U << bit);
		assert_int_equal(pwrite(file->fd, &byte, 1, offset), 1);
		num++;
		p++;
	}
}

static void file_restore(const struct file *file)
{
	assert_int_equal(pwrite(file->fd, file->data, file->len, 0), file->len);
}

struct found {
	char where[128];
	unsigned int errors;
};

static void note_error(enum store_verify_level level, const char *where,
		       const char *what, void *private_data)
{
	struct found *found = private_data;

	if (level != STORE_VERIFY_ERROR) {
		return;
	}
	if (found->errors++ == 0) {
		snprintf(found->where, sizeof(found->where), "%s", where);
	}
}

/* One record is damaged, its neighbours are read. */
static void check_reading_past(struct fixture *f, uint64_t damaged,
			       uint64_t count)
{
	struct store_snapshot *snapshot = NULL;
	struct store_channel *channel = NULL;
	uint64_t id;

	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	for (id = 1; id <= count; id++) {
		struct store_record record = {};
		everr_t err;

		err = store_read(snapshot, channel, id, false, &record);
		assert_int_equal(record.id, id);
		assert_int_equal(err, id == damaged ? EVERR_STORE_CORRUPT
						    : EVERR_OK);
	}
	store_snapshot_end(snapshot);
	TALLOC_FREE(f->store);
}

/* The bytes of record id's packed event. */
static uint8_t *record_bytes(struct fixture *f, uint64_t id, size_t *ret_len)
{
	struct store_snapshot *snapshot = NULL;
	struct store_channel *channel = NULL;
	struct store_record record = {};
	uint8_t *bytes = NULL;

	f->options.read_only = true;
	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_read(snapshot, channel, id, false, &record),
			 EVERR_OK);
	assert_int_equal(record.id, id);
	bytes = talloc_memdup(f, record.data, record.len);
	*ret_len = record.len;
	store_snapshot_end(snapshot);
	TALLOC_FREE(f->store);
	f->options.read_only = false;
	return bytes;
}

static unsigned int num_flips(unsigned int usual)
{
	return getenv("EVENLOG_LONG_TESTS") != NULL ? 50 * usual : usual;
}

#define RECORD_HEADER 48

static void test_each_flipped_bit_of_a_record_is_found_and_passed(void **state)
{
	const uint64_t count = 60;
	struct fixture *f = closed_store(state, count);
	unsigned int i;

	f->options.read_only = false;
	srandom(815);
	for (i = 0; i < num_flips(60); i++) {
		uint64_t id = 1 + (uint64_t)random() % count;
		size_t len = 0;
		uint8_t *bytes = record_bytes(f, id, &len);
		ptrdiff_t at = random() % (ptrdiff_t)(len + RECORD_HEADER) -
			       RECORD_HEADER;
		struct store_verify_result result = {};
		struct found found = {};
		struct file file;
		char where[64];

		file_open(f, &file);
		assert_true(flip_bytes(&file, bytes, len, at,
				       (unsigned int)random() % 8) > 0);
		assert_int_equal(store_verify(f, f->path, note_error, NULL,
					      &found, &result),
				 EVERR_OK);
		snprintf(where, sizeof(where), "channel Application, record %u",
			 (unsigned int)id);
		assert_string_equal(found.where, where);

		f->options.read_only = true;
		check_reading_past(f, id, count);
		f->options.read_only = false;
		file_restore(&file);
		file_close(&file);
		talloc_free(bytes);
	}
	fixture_verify(f);
}

/* A definition of a template: what stands behind its fragment header. */
static void test_each_flipped_bit_of_a_template_is_found(void **state)
{
	struct fixture *f = closed_store(state, 20);
	struct file file;
	unsigned int i;
	/* The head of every System definition: <Event xmlns= with its names. */
	static const uint8_t name[] = {'x', 0, 'm', 0, 'l', 0, 'n', 0, 's', 0};

	srandom(4242);
	file_open(f, &file);
	for (i = 0; i < num_flips(60); i++) {
		struct store_verify_result result = {};
		struct found found = {};
		ptrdiff_t at = random() % 60 - 20;

		assert_true(flip_bytes(&file, name, sizeof(name), at,
				       (unsigned int)random() % 8) > 0);
		assert_int_equal(store_verify(f, f->path, note_error, NULL,
					      &found, &result),
				 EVERR_OK);
		assert_int_equal(strncmp(found.where, "template ", 9), 0);
		file_restore(&file);
	}
	file_close(&file);
	fixture_verify(f);
}

/*
 * Any bit of the file: a report, or nothing that was stored is another than
 * before.  LMDB is not asked to read what the checker found damaged.
 */
static void test_flips_anywhere_are_reported_or_of_no_effect(void **state)
{
	const uint64_t count = 40;
	struct fixture *f = closed_store(state, count);
	struct file file;
	unsigned int i, reported = 0;

	srandom(77);
	file_open(f, &file);
	for (i = 0; i < num_flips(300); i++) {
		struct store_verify_result result = {};
		struct found found = {};
		off_t offset = random() % (off_t)file.len;
		uint8_t byte =
			file.data[offset] ^ (uint8_t)(1U << random() % 8);
		everr_t err;

		assert_int_equal(pwrite(file.fd, &byte, 1, offset), 1);
		proof_locks_remove(f->path);
		err = store_verify(f, f->path, note_error, NULL, &found,
				   &result);
		if (err != EVERR_OK || result.errors + result.notes > 0) {
			reported++;
		} else {
			f->options.read_only = true;
			check_reading_past(f, 0, count);
			f->options.read_only = false;
		}
		assert_int_equal(pwrite(file.fd, &file.data[offset], 1, offset),
				 1);
	}
	assert_true(reported > 0);
	file_close(&file);
	proof_locks_remove(f->path);
	fixture_verify(f);
}

/* In a child: 0 when it ended by itself, whatever it found. */
static int read_in_child(struct fixture *f, bool read_only)
{
	int status = 0;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct tevent_context *ev = tevent_context_init(NULL);
		struct store_options options = f->options;
		struct store_snapshot *snapshot = NULL;
		struct store_channel *channel = NULL;
		struct store *store = NULL;
		struct store_record record = {};
		uint64_t id;
		everr_t err;

		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		options.read_only = read_only;
		err = store_open(ev, ev, &options, &store);
		if (err != EVERR_OK ||
		    store_channel_find(store, "Application", &channel) !=
			    EVERR_OK ||
		    store_snapshot_begin(store, &snapshot) != EVERR_OK) {
			_exit(0);
		}
		for (id = 1; id < 10000; id = record.id + 1) {
			record.id = id;
			err = store_read(snapshot, channel, id, false, &record);
			if (err != EVERR_OK && err != EVERR_STORE_CORRUPT) {
				break;
			}
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_torn_tail_is_reported_and_crashes_nobody(void **state)
{
	struct fixture *f = closed_store(state, 200);
	struct file file;
	size_t cut;

	file_open(f, &file);
	for (cut = 1000; cut < file.len; cut += cut < 70000 ? 7000 : 40000) {
		struct store_verify_result result = {};
		struct found found = {};
		off_t size = (off_t)(file.len - cut);
		everr_t err;

		assert_int_equal(ftruncate(file.fd, size), 0);
		proof_locks_remove(f->path);
		err = store_verify(f, f->path, note_error, NULL, &found,
				   &result);
		/* Free pages at the end are no loss; else it is said. */
		if (err == EVERR_OK && result.errors == 0) {
			f->options.read_only = true;
			check_reading_past(f, 0, 200);
			f->options.read_only = false;
		}
		assert_int_equal(read_in_child(f, true), 0);
		assert_int_equal(ftruncate(file.fd, size), 0);
		assert_int_equal(read_in_child(f, false), 0);
		file_restore(&file);
	}
	/* The last one left next to nothing. */
	assert_int_equal(ftruncate(file.fd, 10000), 0);
	proof_locks_remove(f->path);
	{
		struct store_verify_result result = {};
		struct found found = {};

		assert_int_equal(store_verify(f, f->path, note_error, NULL,
					      &found, &result),
				 EVERR_OK);
		assert_true(result.errors > 0);
	}
	file_close(&file);
}

/* Under the shim, or again under it. */
static int find_shim(char **argv)
{
	char *shim = NULL;

	fail_sync =
		(iotrace_fail_sync_fn)dlsym(RTLD_DEFAULT, "iotrace_fail_sync");
	fail_write = (iotrace_fail_write_fn)dlsym(RTLD_DEFAULT,
						  "iotrace_fail_write");
	set_room = (iotrace_set_room_fn)dlsym(RTLD_DEFAULT, "iotrace_set_room");
	if (fail_sync != NULL && fail_write != NULL && set_room != NULL) {
		return 0;
	}
	if (getenv("LD_PRELOAD") != NULL) {
		return -1;
	}
	shim = proof_built(NULL, "tests/store/iotrace.so");
	setenv("LD_PRELOAD", shim, 1);
	/* The shim comes before the sanitizer's runtime, as it must. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	execv("/proc/self/exe", argv);
	return -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_failed_sync_fails_its_batch_and_no_other),
		leak_test(test_failed_meta_write_fails_its_batch_and_no_other),
		leak_test(test_failed_write_fails_its_batch_and_no_other),
		leak_test(test_disk_that_fails_for_long_is_survived),
		leak_test(test_full_disk_refuses_reads_trims_and_recovers),
		leak_test(test_disk_full_to_the_last_byte_recovers_too),
		leak_test(
			test_each_flipped_bit_of_a_record_is_found_and_passed),
		leak_test(test_each_flipped_bit_of_a_template_is_found),
		leak_test(test_flips_anywhere_are_reported_or_of_no_effect),
		leak_test(test_torn_tail_is_reported_and_crashes_nobody),
	};

	(void)argc;
	if (find_shim(argv) != 0) {
		fprintf(stderr, "tests/store/iotrace.so is missing\n");
		return 1;
	}
	fixture_prepare();
	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
