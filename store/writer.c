/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/writer.h"

#include "base/wintime.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often retention by age, free space and dead readers are looked at. */
#define TICK_MS 1000
#define READERS_MS 30000
/* LMDB's free list is counted at most this often. */
#define PAGES_MS 250
/* Records that retention removes in one transaction, at least. */
#define TRIM_BUSY 256
#define TRIM_IDLE 4096
/* Free bytes inside the file that a batch may need beside its records. */
#define PAGES_SLACK (4 * 1024 * 1024)

static uint64_t mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t store_writer_now(const struct store_writer *writer)
{
	if (writer->hooks.now != NULL) {
		return writer->hooks.now(writer->hooks.private_data);
	}
	return wintime_now();
}

uint8_t *store_writer_scratch(struct store_writer *writer, size_t len)
{
	uint8_t *scratch = NULL;

	if (len > writer->scratch_size) {
		scratch = realloc(writer->scratch, len * 2);
		if (scratch == NULL) {
			return NULL;
		}
		writer->scratch = scratch;
		writer->scratch_size = len * 2;
	}
	return writer->scratch;
}

/* ---------------------------------------------------------------- room */

static uint64_t disk_free(const struct store_writer *writer)
{
	if (writer->hooks.disk_free != NULL) {
		return writer->hooks.disk_free(writer->hooks.private_data);
	}
	return store_env_disk_free(writer->env);
}

/*
 * Whether events may be appended.  LMDB's file never shrinks, so that below
 * the reserve it is the room inside the file that counts: what retention gave
 * back is used again without taking from the disk.  So it is when the map
 * comes to its end: without a page left nothing could be removed, either.
 */
static bool have_room(struct store_writer *writer)
{
	uint64_t batch = 2 * writer->limits.batch_bytes + PAGES_SLACK;
	uint64_t reserve = writer->limits.disk_reserve;
	uint64_t now = mono_ms();
	bool room;

	writer->stats.disk_free = disk_free(writer);
	if (writer->stats.full) {
		reserve += reserve / 8;
	}
	if (writer->stats.disk_free >= reserve &&
	    store_env_map_left(writer->env) >= batch) {
		writer->stats.full = writer->refused;
		return true;
	}
	if (now - writer->pages_counted >= PAGES_MS) {
		writer->pages_free = store_env_pages_free(writer->env);
		writer->pages_counted = now;
	}
	room = writer->pages_free >= batch;
	writer->stats.full = !room || writer->refused;
	return room;
}

static void use_pages(struct store_writer *writer)
{
	uint64_t used = 2 * writer->txn_bytes + writer->env->page_size * 16;

	writer->pages_free -=
		used < writer->pages_free ? used : writer->pages_free;
}

/* -------------------------------------------------------------- commit */

static void publish(struct store_writer *writer, struct store_wchannel *channel)
{
	const struct store_head *head = &channel->head;
	struct store_progress progress = {
		.next_id = head->next_id,
		.oldest_id = head->oldest_id,
		.records = head->records,
		.bytes = head->bytes,
		.missing = head->missing,
		.received = head->received,
		.appended = channel->appended,
	};

	store_queue_progress(&writer->queue, &channel->lane, &progress);
}

static void committed(struct store_writer *writer)
{
	struct store_wchannel *channel = NULL;
	size_t i;

	writer->meta = writer->txn_meta;
	writer->opening = false;
	/* An empty transaction says nothing of the disk. */
	if (writer->refused &&
	    (writer->touched != NULL || writer->meta_dirty)) {
		writer->refused = false;
		writer->stats.full = false;
	}
	writer->commits++;
	writer->stats.commits++;
	writer->stats.records += writer->txn_records;
	writer->stats.record_bytes += writer->txn_bytes;
	writer->stats.trimmed += writer->txn_trimmed;
	writer->stats.disk_used = store_env_file_size(writer->env, NULL);
	use_pages(writer);
	for (channel = writer->touched; channel != NULL;
	     channel = channel->touched_next) {
		publish(writer, channel);
		channel->touched = false;
		channel->appended = false;
		channel->cursor = NULL;
	}
	writer->touched = NULL;
	for (i = 0; i < writer->num_unused; i++) {
		store_queue_unused(&writer->queue, writer->unused[i],
				   writer->commits);
	}
	writer->num_unused = 0;
}

/*
 * Some reader may have seen, or the disk may have kept, what a commit that
 * failed has written: its ids are spent.
 */
static void spend_ids(struct store_writer *writer)
{
	struct store_wchannel *channel = NULL;

	for (channel = writer->touched; channel != NULL;
	     channel = channel->touched_next) {
		channel->floor_before = channel->head.next_id;
	}
}

/*
 * LMDB says EIO for a short write, which is what a full disk may give; then
 * there is less left than the transaction needed.
 */
static everr_t commit_error(struct store_writer *writer, int rc)
{
	uint64_t needed = 2 * writer->txn_bytes + PAGES_SLACK;
	everr_t err = store_env_error(rc);

	if (err == EVERR_STORE_FULL || err == EVERR_NOMEM) {
		return err;
	}
	if (rc == EIO &&
	    disk_free(writer) < writer->limits.disk_reserve + needed) {
		return EVERR_STORE_FULL;
	}
	return EVERR_STORE_SYNC;
}

/* After an error the environment must be opened anew. */
static everr_t commit(struct store_writer *writer)
{
	everr_t err;
	int rc;

	store_crash_at(&writer->crash, STORE_CRASH_BEFORE_COMMIT);
	rc = mdb_txn_commit(writer->txn);
	writer->txn = NULL;
	if (rc != 0) {
		err = commit_error(writer, rc);
		spend_ids(writer);
		store_batch_abort(writer);
		return err;
	}
	store_crash_at(&writer->crash, STORE_CRASH_AFTER_COMMIT);
	committed(writer);
	return EVERR_OK;
}

/* The same, and on disk in any case. */
static everr_t commit_synced(struct store_writer *writer)
{
	everr_t err = commit(writer);

	if (err == EVERR_OK && writer->asynchronous &&
	    store_env_sync(writer->env) != EVERR_OK) {
		err = EVERR_STORE_SYNC;
	}
	return err;
}

/* ---------------------------------------------------------------- jobs */

static void answer(struct store_writer *writer, struct store_job *job,
		   everr_t err)
{
	job->err = err;
	job->txn = writer->commits;
	store_queue_done(&writer->queue, job);
}

static void fail_parked(struct store_job *job, void *private_data)
{
	struct store_writer *writer = private_data;

	answer(writer, job, writer->park_err);
}

/* A commit failed: wait for the loop to open the environment again. */
static void park(struct store_writer *writer, everr_t err)
{
	writer->refused = err == EVERR_STORE_FULL;
	writer->stats.full = writer->refused;
	writer->park_err = err;
	if (store_queue_park(&writer->queue, &writer->stats, fail_parked,
			     writer)) {
		writer->park_err = EVERR_OK;
	}
}

static void fail_batch(struct store_writer *writer, everr_t err)
{
	writer->stats.failed_batches++;
	park(writer, err);
}

static void answer_all(struct store_writer *writer, struct store_job *jobs,
		       everr_t err)
{
	struct store_job *next = NULL;

	for (; jobs != NULL; jobs = next) {
		next = jobs->next;
		answer(writer, jobs, err);
	}
	store_queue_wake(&writer->queue, &writer->stats);
}

static everr_t collect(struct store_writer *writer)
{
	const struct store_job *job = NULL;
	everr_t err;

	for (job = writer->collect; job != NULL; job = job->next) {
		err = store_batch_collect(writer, job->nos, job->num_nos);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static void collect_done(struct store_writer *writer)
{
	struct store_job *jobs = writer->collect;

	writer->collect = NULL;
	if (jobs != NULL) {
		answer_all(writer, jobs, EVERR_OK);
	}
}

/* Retention, collection, heads: the end of every transaction. */
static everr_t finish(struct store_writer *writer, uint64_t budget)
{
	everr_t err;

	err = store_trim(writer, budget);
	if (err != EVERR_OK) {
		return err;
	}
	err = collect(writer);
	if (err != EVERR_OK) {
		return err;
	}
	return store_batch_finish(writer);
}

static everr_t apply_job(struct store_writer *writer, struct store_job *job)
{
	if (job->kind == STORE_JOB_CLEAR) {
		return store_erase_clear(writer, job);
	}
	return store_batch_append(writer, job);
}

/* Jobs in the open transaction, without retention. */
static everr_t apply(struct store_writer *writer, struct store_job *jobs)
{
	everr_t err = EVERR_OK;

	for (; jobs != NULL && err == EVERR_OK; jobs = jobs->next) {
		err = apply_job(writer, jobs);
	}
	if (err == EVERR_OK) {
		err = store_batch_finish(writer);
	}
	if (err != EVERR_OK) {
		store_batch_abort(writer);
	}
	return err;
}

/* Cut the list in two; NULL: it has one job. */
static struct store_job *halve(struct store_job *jobs)
{
	struct store_job *middle = jobs;
	struct store_job *end = jobs->next;
	struct store_job *rest = NULL;

	while (end != NULL && end->next != NULL) {
		middle = middle->next;
		end = end->next->next;
	}
	rest = middle->next;
	middle->next = NULL;
	return rest;
}

/*
 * Something inside a transaction failed, such as a damaged page of one
 * channel.  It must fail none of the others, nor cost each of them a commit:
 * half of the jobs are tried at a time until what failed stands alone.
 *
 * An error is that of a commit, after which all have been answered.
 */
static everr_t run_halves(struct store_writer *writer, struct store_job *jobs)
{
	struct store_job *rest = NULL;
	everr_t err;

	err = store_batch_begin(writer);
	if (err != EVERR_OK) {
		answer_all(writer, jobs, err);
		return err;
	}
	err = apply(writer, jobs);
	if (err == EVERR_OK) {
		err = commit(writer);
		answer_all(writer, jobs, err);
		return err;
	}
	rest = halve(jobs);
	if (rest == NULL) {
		answer_all(writer, jobs, err);
		return EVERR_OK;
	}
	err = run_halves(writer, jobs);
	if (err != EVERR_OK) {
		answer_all(writer, rest, err);
		return err;
	}
	return run_halves(writer, rest);
}

/* ------------------------------------------------------------- batches */

struct batch {
	struct store_job *jobs;
	struct store_job **tail;
	size_t records;
	size_t bytes;
	bool cleared;	  /* a channel was */
	uint64_t started; /* ms */
};

static void batch_add(struct batch *batch, struct store_job *job)
{
	*batch->tail = job;
	batch->tail = &job->next;
	batch->records += job->num_records;
	batch->bytes += job->len;
}

/* The next job that fits; the first one always does. */
static struct store_job *batch_pop(struct store_writer *writer,
				   const struct batch *batch)
{
	const struct store_limits *limits = &writer->limits;

	if (batch->jobs == NULL) {
		return store_queue_pop(&writer->queue, SIZE_MAX, SIZE_MAX);
	}
	if (batch->records >= limits->batch_records ||
	    batch->bytes >= limits->batch_bytes ||
	    mono_ms() - batch->started >= limits->batch_ms) {
		return NULL;
	}
	return store_queue_pop(&writer->queue,
			       limits->batch_records - batch->records,
			       limits->batch_bytes - batch->bytes);
}

/*
 * Whether the events fit into a channel that retains what it has.  Looked at
 * inside the transaction: what stands before them in it counts.
 */
static everr_t check_retained(struct store_writer *writer,
			      struct store_wchannel *channel,
			      struct store_job *job)
{
	uint64_t bytes = 0;
	everr_t err;
	size_t i;

	if (!channel->retain || channel->max_bytes == 0) {
		return EVERR_OK;
	}
	if (!channel->valid) {
		err = store_batch_touch(writer, channel);
		if (err != EVERR_OK) {
			return err;
		}
	}
	for (i = 0; i < job->num_records; i++) {
		bytes += job->records[i].len;
	}
	if (channel->head.bytes + bytes <= channel->max_bytes) {
		return EVERR_OK;
	}
	job->full_bytes = channel->head.bytes;
	return EVERR_CHANNEL_FULL;
}

/* Whether the job can be done at all. */
static everr_t job_check(struct store_writer *writer, struct store_job *job,
			 bool room)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;

	/* It was sent before the channel was removed. */
	if (job->life != channel->life) {
		return EVERR_CHANNEL_NOT_FOUND;
	}
	/* Small state is written from the reserve; so is a clearing. */
	if (!room && job->num_records > 0) {
		return EVERR_STORE_FULL;
	}
	return job->num_records > 0 ? check_retained(writer, channel, job)
				    : EVERR_OK;
}

static everr_t batch_fill(struct store_writer *writer, struct batch *batch,
			  bool room)
{
	struct store_job *job = NULL;
	everr_t refused;
	everr_t err = EVERR_OK;

	while (err == EVERR_OK) {
		job = batch_pop(writer, batch);
		if (job == NULL) {
			return EVERR_OK;
		}
		refused = job_check(writer, job, room);
		if (refused != EVERR_OK) {
			answer(writer, job, refused);
			continue;
		}
		batch_add(batch, job);
		batch->cleared |= job->kind == STORE_JOB_CLEAR;
		err = apply_job(writer, job);
	}
	return err;
}

/*
 * Retention and collection when nobody appends; and, where the disk refused a
 * commit for want of room though it says it has some, a small commit to see
 * whether that is over.
 */
static void run_idle(struct store_writer *writer)
{
	everr_t err;

	err = store_batch_begin(writer);
	if (err != EVERR_OK) {
		park(writer, err);
		return;
	}
	writer->meta_dirty |= writer->refused;
	err = finish(writer, TRIM_IDLE);
	if (err != EVERR_OK) {
		/* Tried again at the next tick. */
		store_batch_abort(writer);
		writer->trim_pending = false;
		collect_done(writer);
		return;
	}
	err = commit(writer);
	collect_done(writer);
	if (err != EVERR_OK) {
		writer->trim_pending = false;
		park(writer, err);
		return;
	}
	store_queue_wake(&writer->queue, &writer->stats);
}

/* What the batch was to do besides, by itself: it may be what failed. */
static void run_spoilt(struct store_writer *writer, struct store_job *jobs)
{
	everr_t err = EVERR_OK;

	if (jobs != NULL) {
		err = run_halves(writer, jobs);
	}
	if (err != EVERR_OK) {
		fail_batch(writer, err);
		return;
	}
	run_idle(writer);
}

static void run_batch(struct store_writer *writer)
{
	struct batch batch = {.tail = &batch.jobs, .started = mono_ms()};
	bool room = have_room(writer);
	everr_t err;

	store_crash_at(&writer->crash, STORE_CRASH_BEFORE_TXN);
	err = store_batch_begin(writer);
	if (err != EVERR_OK) {
		park(writer, err);
		return;
	}
	err = batch_fill(writer, &batch, room);
	if (err == EVERR_OK) {
		/* A clearing is answered before its records are removed. */
		err = finish(writer,
			     batch.cleared ? 0 : 2 * batch.records + TRIM_BUSY);
	}
	if (err != EVERR_OK) {
		store_batch_abort(writer);
		run_spoilt(writer, batch.jobs);
		return;
	}
	err = commit(writer);
	if (err == EVERR_OK && batch.cleared) {
		store_crash_at(&writer->crash, STORE_CRASH_AFTER_CLEAR);
	}
	answer_all(writer, batch.jobs, err);
	if (err != EVERR_OK) {
		fail_batch(writer, err);
		return;
	}
	collect_done(writer);
}

/* ------------------------------------------------------------- control */

/* The table and head of a number that was never used. */
static everr_t define_new(struct store_writer *writer, struct store_job *job)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;
	struct store_head head = {.next_id = 1};
	uint8_t value[STORE_HEAD_LEN(0)];
	uint8_t key[STORE_KEY_U32_SIZE];
	everr_t err;
	int rc;

	err = store_env_records(writer->txn, channel->id, true, &job->dbi);
	if (err != EVERR_OK) {
		return err;
	}
	store_key_u32(key, channel->id);
	store_head_put(value, channel->id, &head, NULL, 0);
	rc = store_env_put(writer->txn, writer->env->tables.heads, key,
			   sizeof(key), value, sizeof(value), 0);
	return store_env_error(rc);
}

/* A name gets the number of another one that was removed. */
static everr_t define_skip(struct store_writer *writer, struct store_job *job)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;
	everr_t err;

	err = store_batch_touch(writer, channel);
	if (err != EVERR_OK || channel->head.next_id >= job->min_next_id) {
		return err;
	}
	return store_batch_skip(writer, channel, job->min_next_id,
				STORE_GAP_RESTORED);
}

static everr_t define_put(struct store_writer *writer, struct store_job *job)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;
	uint8_t key[STORE_KEY_U32_SIZE];
	int rc;

	if (channel == NULL) {
		return store_batch_states(writer, job);
	}
	store_key_u32(key, channel->id);
	rc = store_env_put(writer->txn, writer->env->tables.channels, key,
			   sizeof(key), job->bytes, job->len, 0);
	if (rc != 0) {
		return store_env_error(rc);
	}
	if (job->remove) {
		return store_erase_clear(writer, job);
	}
	if (job->create) {
		return define_new(writer, job);
	}
	return job->min_next_id != 0 ? define_skip(writer, job) : EVERR_OK;
}

static void define_done(struct store_writer *writer, struct store_job *job)
{
	struct store_wchannel *channel = (struct store_wchannel *)job->lane;

	channel->max_bytes = job->max_bytes;
	channel->max_age = job->max_age;
	channel->retain = job->retain;
	channel->life += job->remove ? 1 : 0;
	job->next_id = channel->valid ? channel->head.next_id : 0;
	if (job->create) {
		channel->dbi = job->dbi;
		writer->channels[writer->num_channels] = channel;
		writer->num_channels++;
	}
	store_trim_look(writer);
}

static void run_define(struct store_writer *writer, struct store_job *job)
{
	bool remove = job->remove;
	everr_t err;

	err = store_batch_begin(writer);
	if (err != EVERR_OK) {
		answer(writer, job, err);
		park(writer, err);
		return;
	}
	err = define_put(writer, job);
	if (err == EVERR_OK) {
		err = store_batch_finish(writer);
	}
	if (err != EVERR_OK) {
		store_batch_abort(writer);
		answer(writer, job, err);
		return;
	}
	store_crash_at(&writer->crash, remove ? STORE_CRASH_BEFORE_REMOVE
					      : STORE_CRASH_BEFORE_DEFINE);
	err = commit_synced(writer);
	if (err != EVERR_OK) {
		answer(writer, job, err);
		fail_batch(writer, err);
		return;
	}
	store_crash_at(&writer->crash, remove ? STORE_CRASH_AFTER_REMOVE
					      : STORE_CRASH_AFTER_DEFINE);
	if (job->lane != NULL) {
		define_done(writer, job);
	}
	answer(writer, job, EVERR_OK);
	store_queue_wake(&writer->queue, &writer->stats);
}

static void run_control(struct store_writer *writer, struct store_job *job)
{
	if (job->kind == STORE_JOB_DEFINE) {
		run_define(writer, job);
		return;
	}
	job->next = writer->collect;
	writer->collect = job;
}

/* -------------------------------------------------------------- thread */

static void tick(struct store_writer *writer)
{
	bool full = writer->stats.full;
	uint64_t now = mono_ms();
	int dead;

	writer->ticked = now;
	if (now - writer->readers_checked >= READERS_MS) {
		writer->readers_checked = now;
		(void)mdb_reader_check(writer->env->mdb, &dead);
	}
	store_trim_look(writer);
	(void)have_room(writer);
	if (full != writer->stats.full) {
		store_queue_wake(&writer->queue, &writer->stats);
	}
}

static void mark_closed(struct store_writer *writer)
{
	if (store_batch_begin(writer) != EVERR_OK) {
		return;
	}
	writer->txn_meta.flags = 0;
	writer->meta_dirty = true;
	if (store_batch_finish(writer) != EVERR_OK) {
		store_batch_abort(writer);
		return;
	}
	(void)commit_synced(writer);
}

static bool writer_step(struct store_writer *writer)
{
	struct store_job *job = NULL;
	unsigned int ms = TICK_MS;

	if (writer->trim_pending || writer->collect != NULL) {
		ms = 0;
	}
	switch (store_queue_wait(&writer->queue, ms, &job)) {
	case STORE_WORK_CONTROL:
		run_control(writer, job);
		break;
	case STORE_WORK_APPEND:
		if (mono_ms() - writer->ticked >= TICK_MS) {
			tick(writer);
		}
		run_batch(writer);
		break;
	case STORE_WORK_TICK:
		tick(writer);
		if (writer->trim_pending || writer->collect != NULL ||
		    writer->refused) {
			run_idle(writer);
		}
		break;
	case STORE_WORK_STOP:
		return false;
	}
	return true;
}

static void *writer_main(void *private_data)
{
	struct store_writer *writer = private_data;

	while (writer_step(writer)) {
		;
	}
	if (writer->park_err == EVERR_OK) {
		mark_closed(writer);
	}
	return NULL;
}

/* ------------------------------------------------------------ lifetime */

everr_t store_writer_init(struct store_writer *writer)
{
	store_crash_init(&writer->crash);
	if (!store_queue_init(&writer->queue)) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

void store_writer_destroy(struct store_writer *writer)
{
	struct store_job *next = NULL;

	for (; writer->collect != NULL; writer->collect = next) {
		next = writer->collect->next;
		store_job_free(writer->collect);
	}
	store_queue_destroy(&writer->queue);
	free(writer->unused);
	free(writer->scratch);
}

static everr_t jump_ids(struct store_writer *writer)
{
	struct store_wchannel *channel = NULL;
	everr_t err;
	uint32_t i;

	for (i = 0; i < writer->num_channels; i++) {
		channel = writer->channels[i];
		err = store_batch_touch(writer, channel);
		if (err != EVERR_OK) {
			return err;
		}
		err = store_batch_skip(writer, channel,
				       channel->head.next_id + STORE_ID_MARGIN,
				       STORE_GAP_RESTORED);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

/* Definitions whose collection was cut off. */
static everr_t sweep_templates(struct store_writer *writer)
{
	MDB_cursor *cursor = NULL;
	uint64_t count = 0;
	MDB_val key;
	MDB_val value;
	everr_t err = EVERR_OK;
	uint32_t no;
	int rc;

	rc = mdb_cursor_open(writer->txn, writer->env->tables.users, &cursor);
	if (rc != 0) {
		return store_env_error(rc);
	}
	rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	while (rc == 0 && err == EVERR_OK) {
		no = key.mv_size == STORE_KEY_U32_SIZE
			     ? store_key_u32_get(key.mv_data)
			     : 0;
		if (store_users_get(value.mv_data, value.mv_size, no, &count) ==
			    EVERR_OK &&
		    count == 0) {
			err = store_batch_collect(writer, &no, 1);
		}
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (rc != 0 && rc != MDB_NOTFOUND) {
		return store_env_error(rc);
	}
	return err;
}

everr_t store_writer_open(struct store_writer *writer, bool jump)
{
	everr_t err;

	writer->opening = true;
	err = store_batch_begin(writer);
	if (err != EVERR_OK) {
		return err;
	}
	if (jump) {
		err = jump_ids(writer);
	}
	if (err == EVERR_OK) {
		err = sweep_templates(writer);
	}
	if (err == EVERR_OK) {
		err = store_batch_finish(writer);
	}
	if (err != EVERR_OK) {
		store_batch_abort(writer);
		return err;
	}
	return commit(writer);
}

everr_t store_writer_start(struct store_writer *writer)
{
	sigset_t all;
	sigset_t before;
	int rc;

	store_trim_look(writer);
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&writer->thread, NULL, writer_main, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		return EVERR_NOMEM;
	}
	writer->running = true;
	return EVERR_OK;
}

void store_writer_stop(struct store_writer *writer)
{
	if (!writer->running) {
		return;
	}
	store_queue_stop(&writer->queue);
	pthread_join(writer->thread, NULL);
	writer->running = false;
}
