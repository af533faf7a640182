/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/*
 * A disk that fails on demand: LMDB's calls find these before the C
 * library's.  The counters are the writer thread's, the switches ours.
 */
struct disk {
	int fail_sync;	/* errno of the next fdatasync() */
	int fail_write; /* errno of every write that has data */
	int fail_meta;	/* errno of the next write of a meta page */
};

static struct disk disk;

static int take(int *p)
{
	return __atomic_exchange_n(p, 0, __ATOMIC_SEQ_CST);
}

int fdatasync(int fd)
{
	int failure = take(&disk.fail_sync);

	if (failure != 0) {
		errno = failure;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* LMDB's meta pages are the first two of the file. */
static int write_failure(off_t offset)
{
	if (offset < 2 * 4096) {
		return take(&disk.fail_meta);
	}
	return __atomic_load_n(&disk.fail_write, __ATOMIC_SEQ_CST);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	int failure = write_failure(offset);

	if (failure != 0) {
		errno = failure;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

ssize_t pwritev(int fd, const struct iovec *iov, int num, off_t offset)
{
	int failure = write_failure(offset);

	if (failure != 0) {
		errno = failure;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwritev, fd, iov, num, offset, 0);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int num, off_t offset)
{
	return pwritev(fd, iov, num, offset);
}

/* How LMDB 0.9 writes several pages at once. */
ssize_t writev(int fd, const struct iovec *iov, int num)
{
	int failure = __atomic_load_n(&disk.fail_write, __ATOMIC_SEQ_CST);

	if (failure != 0) {
		errno = failure;
		return -1;
	}
	return (ssize_t)syscall(SYS_writev, fd, iov, num);
}

static void set(int *p, int v)
{
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

static int clear_disk(void **state)
{
	set(&disk.fail_sync, 0);
	set(&disk.fail_write, 0);
	set(&disk.fail_meta, 0);
	return leak_setup(state);
}

#define fault_test(fn) \
	cmocka_unit_test_setup_teardown(fn, clear_disk, leak_teardown)

/* The store answers again: what an operator sees after the fault. */
static void append_until_ok(struct fixture *f, struct store_channel *channel,
			    uint64_t *ret_first_id)
{
	everr_t err = EVERR_STORE_SYNC;

	while (err != EVERR_OK) {
		err = fixture_append(f, channel, 1, 1, ret_first_id);
		assert_true(err == EVERR_OK || err == EVERR_STORE_SYNC ||
			    err == EVERR_STORE_FULL);
	}
}

static uint64_t missing(struct fixture *f, struct store_channel *channel,
			enum store_gap_cause *ret_cause)
{
	struct store_snapshot *snapshot = NULL;
	uint64_t num = 0;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(
		store_gap(snapshot, channel, 1, UINT64_MAX, &num, ret_cause),
		EVERR_OK);
	store_snapshot_end(snapshot);
	return num;
}

static void sync_fails(void **state, int *what)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	struct store_stats stats;
	uint64_t first_id = 0;
	uint64_t id = 0;

	fixture_append_ok(f, channel, 1, 10);
	set(what, EIO);
	assert_int_equal(fixture_append(f, channel, 2, 5, &first_id),
			 EVERR_STORE_SYNC);
	/* Nothing of it is to be seen, what was there still is. */
	assert_int_equal(fixture_info(channel).next_id, 11);
	append_until_ok(f, channel, &first_id);
	/* Ids that the failed commit gave out are not given out again. */
	assert_int_equal(first_id, 16);
	assert_int_equal(fixture_read(f, channel, 11, false, &id), EVERR_OK);
	assert_int_equal(id, 16);
	assert_int_equal(fixture_read(f, channel, 15, true, &id), EVERR_OK);
	assert_int_equal(id, 10);
	assert_int_equal(missing(f, channel, &cause), 5);
	assert_int_equal(cause, STORE_GAP_RESTORED);
	store_stats(f->store, &stats);
	assert_int_equal(stats.failed_batches, 1);
	/* The template of the failed batch was not forgotten by mistake. */
	fixture_append_ok(f, channel, 2, 1);
	fixture_verify(f);
	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_append(f, channel, 2, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 18);
	fixture_verify(f);
}

static void test_a_failed_sync_fails_its_batch_only(void **state)
{
	sync_fails(state, &disk.fail_sync);
}

static void test_a_failed_meta_page_fails_its_batch_only(void **state)
{
	sync_fails(state, &disk.fail_meta);
}

static void test_all_that_is_queued_fails_with_a_failed_sync(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "x");
	struct tevent_req *reqs[100];
	uint64_t first_id = 0;
	uint64_t last_ok = 0;
	bool failed = false;
	everr_t err;
	size_t i;

	fixture_append_ok(f, channel, 1, 1);
	for (i = 0; i < 100; i++) {
		if (i == 50) {
			set(&disk.fail_sync, EIO);
		}
		reqs[i] = fixture_send(f, channel, &input, 1);
	}
	/* Once one has failed, none of those that waited behind it is in. */
	for (i = 0; i < 100; i++) {
		err = fixture_recv(f, reqs[i], &first_id);
		if (err == EVERR_OK) {
			assert_false(failed);
			last_ok = first_id;
		} else {
			assert_int_equal(err, EVERR_STORE_SYNC);
			failed = true;
		}
	}
	assert_true(failed);
	append_until_ok(f, channel, &first_id);
	assert_true(first_id > last_ok);
	fixture_verify(f);
}

static void test_reading_goes_on_while_the_disk_is_full(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_stats stats;
	uint64_t first_id = 0;
	uint64_t id = 0;

	fixture_append_ok(f, channel, 1, 10);
	set(&disk.fail_write, ENOSPC);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_FULL);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_FULL);
	assert_int_equal(fixture_read(f, channel, 10, false, &id), EVERR_OK);
	store_stats(f->store, &stats);
	assert_true(stats.full);
	set(&disk.fail_write, 0);
	append_until_ok(f, channel, &first_id);
	store_stats(f->store, &stats);
	assert_false(stats.full);
	assert_int_equal(fixture_read(f, channel, 11, false, &id), EVERR_OK);
	assert_int_equal(id, first_id);
	fixture_verify(f);
}

/* LMDB says EIO for a write that came out short. */
static void test_an_io_error_on_a_full_disk_is_full(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_state st[] = {{.name = "output/1", .data = "5", .len = 1}};
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;

	f->options.limits.disk_reserve = 1000;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 1, 10);
	set(&disk.fail_write, EIO);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_SYNC);
	set(&disk.fail_write, 0);
	append_until_ok(f, channel, &first_id);
	/* The reserve lets small state through until there is nothing. */
	fixture_disk_set(f, 0);
	set(&disk.fail_write, EIO);
	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel, NULL,
							0, st, 1),
				      &first_id),
			 EVERR_STORE_FULL);
	set(&disk.fail_write, 0);
	fixture_disk_set(f, UINT64_C(1) << 40);
	append_until_ok(f, channel, &first_id);
	fixture_verify(f);
}

static void test_below_the_reserve_only_small_state_is_written(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel *channel = NULL;
	struct store_state st[] = {{.name = "output/1", .data = "5", .len = 1}};
	struct store_stats stats;
	uint64_t first_id = 0;
	uint8_t *data = NULL;
	size_t len = 0;

	f->options.limits.disk_reserve = 1000;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 1, 10);
	fixture_disk_set(f, 999);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id),
			 EVERR_STORE_FULL);
	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel, NULL,
							0, st, 1),
				      &first_id),
			 EVERR_OK);
	assert_int_equal(store_state_get(f, f->store, "output/1", &data, &len),
			 EVERR_OK);
	store_stats(f->store, &stats);
	assert_true(stats.full);
	assert_int_equal(stats.disk_free, 999);
	/* Not at once above the edge, so that it does not flutter. */
	fixture_disk_set(f, 1001);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id),
			 EVERR_STORE_FULL);
	fixture_disk_set(f, 1200);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 11);
	fixture_verify(f);
}

/* The file never shrinks: what retention frees inside it must count. */
static void test_retention_makes_room_on_a_full_disk(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel_config config = {.enabled = true};
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;
	struct store_stats stats;
	size_t i;

	f->options.limits.disk_reserve = 1000;
	f->options.limits.batch_bytes = 65536;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	for (i = 0; i < 30; i++) {
		fixture_append_ok(f, channel, 1, 1000);
	}
	fixture_disk_set(f, 10);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id),
			 EVERR_STORE_FULL);
	/* Trimming goes on, and then there is room though the disk has none. */
	config.max_bytes = 100000;
	assert_int_equal(store_channel_define(f->store, "Application", &config,
					      &channel),
			 EVERR_OK);
	fixture_until(f, fixture_info(channel).bytes <= 100000);
	fixture_until(f, (store_stats(f->store, &stats), !stats.full));
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 30001);
	fixture_verify(f);
}

static void test_a_full_disk_does_not_keep_the_store_from_opening(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	uint64_t first_id = 0;
	uint64_t id = 0;

	fixture_append_ok(f, channel, 1, 10);
	TALLOC_FREE(f->store);
	set(&disk.fail_write, ENOSPC);
	fixture_open(f);
	assert_int_equal(store_channel_find(f->store, "Application", &channel),
			 EVERR_OK);
	assert_int_equal(fixture_read(f, channel, 10, false, &id), EVERR_OK);
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id),
			 EVERR_STORE_FULL);
	set(&disk.fail_write, 0);
	append_until_ok(f, channel, &first_id);
	fixture_verify(f);
}

static void test_a_snapshot_may_be_open_while_the_store_is_opened_again(
	void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t first_id = 0;

	fixture_append_ok(f, channel, 1, 10);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	set(&disk.fail_sync, EIO);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_SYNC);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_SYNC);
	assert_int_equal(store_read(snapshot, channel, 10, false, &record),
			 EVERR_OK);
	store_snapshot_end(snapshot);
	append_until_ok(f, channel, &first_id);
	fixture_verify(f);
}

static void test_a_store_that_failed_can_be_closed(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_input input = fixture_event(f, 1, FIXTURE_TIME, "x");
	struct store_snapshot *snapshot = NULL;
	struct tevent_req *req = NULL;
	uint64_t first_id = 0;

	fixture_append_ok(f, channel, 1, 10);
	/* Keeps it from being opened again. */
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	set(&disk.fail_sync, EIO);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_SYNC);
	req = fixture_send(f, channel, &input, 1);
	TALLOC_FREE(f->store);
	assert_int_equal(fixture_recv(f, req, &first_id), EVERR_STORE_SYNC);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	fixture_verify(f);
}

/* Less is promised of what was acknowledged, not of what is acknowledged. */
static void test_without_sync_a_failed_batch_fails_all_the_same(void **state)
{
	struct fixture *f = fixture_new(*state);
	enum store_gap_cause cause = STORE_GAP_TRIMMED;
	struct store_channel *channel = NULL;
	uint64_t first_id = 0;

	f->options.asynchronous = true;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	fixture_append_ok(f, channel, 1, 10);
	set(&disk.fail_sync, EIO);
	assert_int_equal(fixture_append(f, channel, 1, 5, &first_id),
			 EVERR_STORE_SYNC);
	append_until_ok(f, channel, &first_id);
	assert_int_equal(first_id, 16);
	assert_int_equal(missing(f, channel, &cause), 5);
	assert_int_equal(cause, STORE_GAP_RESTORED);
	fixture_verify(f);
}

/* What is full is the map, not the disk: it needs a reserve of its own. */
static void test_a_full_map_refuses_trims_and_recovers(void **state)
{
	struct fixture *f = fixture_new(*state);
	struct store_channel_config config = {.enabled = true};
	struct store_channel *channel = NULL;
	struct store_stats stats;
	uint64_t first_id = 0;
	everr_t err = EVERR_OK;

	f->options.limits.map_size = 16 << 20;
	f->options.limits.batch_bytes = 65536;
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	while (err == EVERR_OK) {
		err = fixture_append(f, channel, 1, 100, &first_id);
	}
	assert_int_equal(err, EVERR_STORE_FULL);
	store_stats(f->store, &stats);
	assert_true(stats.full);
	/* To the last page. */
	while (fixture_append(f, channel, 1, 1, &first_id) == EVERR_OK) {
		;
	}
	config.max_bytes = 100000;
	assert_int_equal(store_channel_define(f->store, "Application", &config,
					      &channel),
			 EVERR_OK);
	fixture_until(f, fixture_info(channel).bytes <= 100000);
	fixture_until(f, (store_stats(f->store, &stats), !stats.full));
	fixture_append_ok(f, channel, 1, 100);
	fixture_verify(f);
}

/* ------------------------------------------- one channel's damage */

/* Holds the writer up where it looks for room, before each batch. */
static uint64_t gate_disk_free(void *private_data)
{
	pthread_mutex_t *gate = private_data;

	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
	return UINT64_C(1) << 40;
}

/* Flip a bit of the value's checksum, wherever the file has it. */
static void damage(struct fixture *f, const uint8_t *value, size_t len)
{
	char *path = talloc_asprintf(f, "%s/data.mdb", f->path);
	int fd = open(path, O_RDWR);
	size_t size = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *bytes = talloc_array(f, uint8_t, size);
	uint8_t *found = NULL;
	size_t num = 0;
	uint8_t bad;

	assert_int_equal(pread(fd, bytes, size, 0), size);
	found = memmem(bytes, size, value, len);
	while (found != NULL) {
		bad = found[STORE_CRC] ^ 1;
		assert_int_equal(pwrite(fd, &bad, 1, found - bytes + STORE_CRC),
				 1);
		num++;
		found++;
		found = memmem(found, size - (size_t)(found - bytes), value,
			       len);
	}
	assert_true(num > 0);
	close(fd);
	TALLOC_FREE(bytes);
	TALLOC_FREE(path);
}

/*
 * Damage the head of bad under a store that runs, and have the writer read it
 * again: the store was opened anew after a failed sync.  The gate is closed
 * then.
 */
static void damage_running(struct fixture *f, pthread_mutex_t *gate,
			   struct store_channel *bad)
{
	struct store_snapshot *snapshot = NULL;
	uint8_t key[STORE_KEY_U32_SIZE];
	uint64_t first_id = 0;
	uint8_t *head = NULL;
	MDB_val value;

	/* An open snapshot puts the opening off. */
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	set(&disk.fail_sync, EIO);
	assert_int_equal(fixture_append(f, bad, 1, 1, &first_id),
			 EVERR_STORE_SYNC);
	fixture_until(f, f->store->reopen);
	store_key_u32(key, bad->info.id);
	assert_int_equal(store_env_get(snapshot->txn,
				       f->store->env.tables.heads, key,
				       sizeof(key), &value),
			 0);
	head = talloc_memdup(f, value.mv_data, value.mv_size);
	pthread_mutex_lock(gate);
	store_snapshot_end(snapshot);
	fixture_until(f, !f->store->reopen);
	damage(f, head, value.mv_size);
	TALLOC_FREE(head);
}

/* The damaged channel's turn comes last, when the others are in the batch. */
static void test_a_damaged_channel_costs_the_others_no_commit_each(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct fixture *f = fixture_new(*state);
	struct store_channel *channels[61];
	struct tevent_req *reqs[61];
	struct store_stats before;
	struct store_stats after;
	struct store_input input;
	uint64_t first_id = 0;
	size_t i;

	f->hooks = (struct store_hooks){.disk_free = gate_disk_free,
					.private_data = &gate};
	fixture_open(f);
	for (i = 0; i < 61; i++) {
		channels[i] =
			fixture_channel(f, talloc_asprintf(f, "Channel%zu", i));
		fixture_append_ok(f, channels[i], 1, 1);
	}
	damage_running(f, &gate, channels[60]);
	store_stats(f->store, &before);
	input = fixture_event(f, 1, FIXTURE_TIME, "x");
	for (i = 0; i < 61; i++) {
		reqs[i] = fixture_send(f, channels[i], &input, 1);
	}
	pthread_mutex_unlock(&gate);
	for (i = 0; i < 61; i++) {
		assert_int_equal(fixture_recv(f, reqs[i], &first_id),
				 i == 60 ? EVERR_STORE_CORRUPT : EVERR_OK);
	}
	for (i = 0; i < 60; i++) {
		assert_int_equal(fixture_info(channels[i]).num_records, 2);
	}
	store_stats(f->store, &after);
	/* Halves of sixty: six, and retention now and then. */
	assert_true(after.commits - before.commits < 20);
	TALLOC_FREE(f->store);
}

static void test_a_damaged_channel_does_not_stop_retention(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct fixture *f = fixture_new(*state);
	struct store_channel_config config = {.enabled = true,
					      .max_bytes = 100000};
	struct store_channel *good = NULL;
	struct store_channel *bad = NULL;

	f->hooks = (struct store_hooks){.disk_free = gate_disk_free,
					.private_data = &gate};
	fixture_open(f);
	bad = fixture_channel(f, "Bad");
	good = fixture_channel(f, "Good");
	fixture_append_ok(f, bad, 1, 10);
	fixture_append_ok(f, good, 1, 1000);
	damage_running(f, &gate, bad);
	pthread_mutex_unlock(&gate);
	assert_int_equal(store_channel_define(f->store, "Good", &config, &good),
			 EVERR_OK);
	fixture_until(f, fixture_info(good).bytes <= 100000);
	TALLOC_FREE(f->store);
}

static void test_a_damaged_summary_hides_no_record(void **state)
{
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	uint8_t key[STORE_KEY_PAIR_SIZE];
	struct store_block block;
	uint8_t *copy = NULL;
	MDB_val value;

	fixture_append_ok(f, channel, 1, STORE_BLOCK_RECORDS + 1);
	store_key_pair(key, channel->info.id, 1);
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(store_block(snapshot, channel, 1, &block), EVERR_OK);
	assert_int_equal(store_env_get(snapshot->txn,
				       f->store->env.tables.blocks, key,
				       sizeof(key), &value),
			 0);
	copy = talloc_memdup(f, value.mv_data, value.mv_size);
	damage(f, copy, value.mv_size);
	assert_int_equal(store_block(snapshot, channel, 1, &block), EVERR_END);
	store_snapshot_end(snapshot);
	TALLOC_FREE(copy);
}

/* ---------------------------------------------------------------- ids */

/* Another file with the same content, as a restored backup is. */
static void restore(struct fixture *f)
{
	char *from = talloc_asprintf(f, "%s/data.mdb", f->path);
	char *to = talloc_asprintf(f, "%s/copy", f->path);
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	uint8_t bytes[65536];
	ssize_t n;

	for (n = read(in, bytes, sizeof(bytes)); n > 0;
	     n = read(in, bytes, sizeof(bytes))) {
		assert_int_equal(write(out, bytes, (size_t)n), n);
	}
	assert_int_equal(n, 0);
	close(in);
	close(out);
	assert_int_equal(rename(to, from), 0);
	TALLOC_FREE(from);
	TALLOC_FREE(to);
}

/*
 * The disk was full when a restored file was opened, so that ids jumped in
 * memory only; the first thing written was no event.
 */
static void test_a_jump_that_had_to_wait_is_not_forgotten(void **state)
{
	struct store_state st[] = {{.name = "output/1", .data = "5", .len = 1}};
	struct fixture *f = fixture_start(state);
	struct store_channel *channel = fixture_channel(f, "Application");
	struct store_snapshot *snapshot = NULL;
	uint64_t first_id = 0;

	fixture_append_ok(f, channel, 1, 10);
	TALLOC_FREE(f->store);
	restore(f);
	set(&disk.fail_write, ENOSPC);
	fixture_open(f);
	channel = fixture_channel(f, "Application");
	/* The writer has seen that it cannot write and waits for a tick. */
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	fixture_until(f, f->store->reopen);
	set(&disk.fail_write, 0);
	store_snapshot_end(snapshot);
	fixture_until(f, !f->store->reopen);
	assert_int_equal(fixture_recv(f,
				      store_append_send(f, f->ev, channel, NULL,
							0, st, 1),
				      &first_id),
			 EVERR_OK);
	fixture_reopen(f);
	channel = fixture_channel(f, "Application");
	assert_int_equal(fixture_append(f, channel, 1, 1, &first_id), EVERR_OK);
	assert_int_equal(first_id, 11 + STORE_ID_MARGIN);
	fixture_verify(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fault_test(test_a_failed_sync_fails_its_batch_only),
		fault_test(test_a_failed_meta_page_fails_its_batch_only),
		fault_test(test_all_that_is_queued_fails_with_a_failed_sync),
		fault_test(test_reading_goes_on_while_the_disk_is_full),
		fault_test(test_an_io_error_on_a_full_disk_is_full),
		fault_test(test_below_the_reserve_only_small_state_is_written),
		fault_test(test_retention_makes_room_on_a_full_disk),
		fault_test(
			test_a_full_disk_does_not_keep_the_store_from_opening),
		fault_test(
			test_a_snapshot_may_be_open_while_the_store_is_opened_again),
		fault_test(test_a_store_that_failed_can_be_closed),
		fault_test(test_without_sync_a_failed_batch_fails_all_the_same),
		fault_test(test_a_full_map_refuses_trims_and_recovers),
		fault_test(
			test_a_damaged_channel_costs_the_others_no_commit_each),
		fault_test(test_a_damaged_channel_does_not_stop_retention),
		fault_test(test_a_damaged_summary_hides_no_record),
		fault_test(test_a_jump_that_had_to_wait_is_not_forgotten),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
