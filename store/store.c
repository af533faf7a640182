/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

#include "base/wintime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define MAP_SIZE (UINT64_C(1) << 40)

/* A store that could not be opened again is tried so often. */
#define REOPEN_SECONDS 1

void store_limits_default(struct store_limits *ret_limits)
{
	*ret_limits = (struct store_limits){
		.map_size = MAP_SIZE,
		.disk_reserve = 256 * MIB,
		.batch_records = 8192,
		.batch_bytes = 8 * MIB,
		.batch_ms = 50,
		.queue_bytes = 128 * MIB,
	};
}

/* What is 0 is not set. */
static void limits_fill(struct store_limits *limits)
{
	struct store_limits defaults;

	store_limits_default(&defaults);
	if (limits->map_size == 0) {
		limits->map_size = defaults.map_size;
	}
	if (limits->batch_records == 0) {
		limits->batch_records = defaults.batch_records;
	}
	if (limits->batch_bytes == 0) {
		limits->batch_bytes = defaults.batch_bytes;
	}
	if (limits->batch_ms == 0) {
		limits->batch_ms = defaults.batch_ms;
	}
	if (limits->queue_bytes == 0) {
		limits->queue_bytes = defaults.queue_bytes;
	}
}

uint64_t store_now(const struct store *store)
{
	if (store->hooks.now != NULL) {
		return store->hooks.now(store->hooks.private_data);
	}
	return wintime_now();
}

struct event_dict *store_dict(struct store *store)
{
	return store->dict;
}

void store_stats(struct store *store, struct store_stats *ret_stats)
{
	*ret_stats = store->stats;
	ret_stats->queued_bytes = store->queued_bytes;
	if (store->writer == NULL && store->env.mdb != NULL) {
		ret_stats->disk_free = store_env_disk_free(&store->env);
		ret_stats->disk_used = store_env_file_size(&store->env, NULL);
	}
}

void store_poke(struct store *store)
{
	store_queue_poke(&store->writer->queue);
}

/* --------------------------------------------------------------- wake */

static void dispatch(struct store *store);

/* The writer has news. */
static void woken(struct tevent_context *ev, struct tevent_fd *fde,
		  uint16_t flags, void *private_data)
{
	struct store *store = private_data;

	store_queue_woken(&store->writer->queue);
	dispatch(store);
}

/* Something that had to wait for the end of a snapshot. */
static void resumed(struct tevent_context *ev, struct tevent_immediate *im,
		    void *private_data)
{
	dispatch(private_data);
}

static everr_t wake_create(struct store *store)
{
	store->wake =
		tevent_add_fd(store->ev, store, store->writer->queue.wake_fd,
			      TEVENT_FD_READ, woken, store);
	store->resume = tevent_create_immediate(store);
	if (store->wake == NULL || store->resume == NULL) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------ loading */

static everr_t open_files(struct store *store)
{
	const struct store_options *options = &store->options;
	everr_t err;

	err = store_env_open(&store->env, store->path, options->limits.map_size,
			     options->read_only, &store->meta);
	if (err != EVERR_OK || !options->asynchronous || options->read_only) {
		return err;
	}
	err = store_env_relax(&store->env);
	if (err != EVERR_OK) {
		store_env_close(&store->env);
	}
	return err;
}

static everr_t load_templates(struct store *store)
{
	MDB_txn *txn = NULL;
	everr_t err;
	int rc;

	err = store_template_init(store, store->meta.next_no);
	if (err != EVERR_OK) {
		return err;
	}
	rc = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn);
	if (rc != 0) {
		return store_env_error(rc);
	}
	err = store_template_load(store, txn);
	mdb_txn_abort(txn);
	return err;
}

static everr_t meta_new(struct store *store)
{
	const size_t len = sizeof(store->meta.uuid);

	store->meta = (struct store_meta){
		.major = STORE_FORMAT_MAJOR,
		.minor = STORE_FORMAT_MINOR,
		.created = store_now(store),
		.next_no = 1,
	};
	return getrandom(store->meta.uuid, len, 0) == (ssize_t)len ? EVERR_OK
								   : EVERR_IO;
}

/* ------------------------------------------------------------- writer */

/*
 * Ids that may have been given out, though no record has them: the data file
 * is not the one we left, or appends were acknowledged before they were
 * written (design decision 8).
 */
static bool must_jump(const struct store *store)
{
	const uint32_t cut = STORE_META_FLAG_OPEN | STORE_META_FLAG_ASYNC;
	uint64_t inode = store->meta.inode;

	(void)store_env_file_size(&store->env, &inode);
	if (store->meta.inode != 0 && store->meta.inode != inode) {
		return true;
	}
	return (store->meta.flags & cut) == cut;
}

static everr_t writer_create(struct store *store)
{
	struct store_writer *writer = NULL;
	everr_t err;

	/* Not a talloc child: its thread outlives no talloc_free() of ours. */
	writer = calloc(1, sizeof(*writer));
	if (writer == NULL) {
		return EVERR_NOMEM;
	}
	err = store_writer_init(writer);
	if (err != EVERR_OK) {
		free(writer);
		return err;
	}
	writer->env = &store->env;
	writer->limits = store->options.limits;
	writer->hooks = store->hooks;
	writer->asynchronous = store->options.asynchronous;
	store->writer = writer;
	return wake_create(store);
}

static void take_news(struct store *store, struct store_news *ret_news)
{
	store_queue_take_news(&store->writer->queue, store_channel_progress,
			      store, ret_news);
	store->epoch++;
	store->stats = ret_news->stats;
}

static everr_t reopen(struct store *store);

/*
 * A full disk is no reason not to read: then the writer does with its first
 * commit what it could not do now, and ids jump in memory until it can.
 */
static everr_t begin_full(struct store *store, bool jump)
{
	struct store_wchannel *channel = NULL;
	everr_t err;
	size_t i;

	err = reopen(store);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; jump && i < store->num_numbers; i++) {
		channel = store->numbers[i]->writer;
		channel->floor =
			store->numbers[i]->info.next_id + STORE_ID_MARGIN;
	}
	return EVERR_OK;
}

static everr_t writer_begin(struct store *store)
{
	struct store_writer *writer = store->writer;
	bool jump = must_jump(store);
	struct store_news news;
	everr_t err;
	size_t i;

	writer->meta = store->meta;
	for (i = 0; i < store->num_numbers; i++) {
		writer->channels[i] = store->numbers[i]->writer;
	}
	writer->num_channels = (uint32_t)store->num_numbers;
	err = store_writer_open(writer, jump);
	if (err == EVERR_STORE_FULL) {
		err = begin_full(store, jump);
	}
	if (err != EVERR_OK) {
		return err;
	}
	take_news(store, &news);
	free(news.unused);
	return EVERR_OK;
}

/* ---------------------------------------------------------------- open */

static void finish_jobs(struct store *store, struct store_job *jobs)
{
	struct store_job *next = NULL;

	for (; jobs != NULL; jobs = next) {
		next = jobs->next;
		if (jobs->kind == STORE_JOB_APPEND) {
			store_append_done(store, jobs);
		} else if (jobs->kind == STORE_JOB_CLEAR) {
			store_clear_done(jobs);
		} else {
			store_job_free(jobs);
		}
	}
}

static void writer_release(struct store *store)
{
	struct store_news news;

	store_writer_stop(store->writer);
	take_news(store, &news);
	finish_jobs(store, news.done);
	free(news.unused);
	TALLOC_FREE(store->wake);
	store_writer_destroy(store->writer);
	free(store->writer);
	store->writer = NULL;
}

static int store_destructor(struct store *store)
{
	if (store->freed != NULL) {
		*store->freed = true;
	}
	/* A child of ours shares files with us, but has no writer thread. */
	if (store->pid != getpid()) {
		return 0;
	}
	if (store->writer != NULL) {
		writer_release(store);
	}
	store_snapshot_drop_all(store);
	store_env_close(&store->env);
	if (store->lock_fd != -1) {
		close(store->lock_fd);
	}
	return 0;
}

static everr_t open_writer(struct store *store)
{
	everr_t err;

	err = writer_create(store);
	if (err != EVERR_OK) {
		return err;
	}
	err = store_channel_refresh(store);
	if (err != EVERR_OK) {
		return err;
	}
	err = writer_begin(store);
	if (err != EVERR_OK) {
		return err;
	}
	/* After the writer has swept out those without users. */
	err = load_templates(store);
	if (err != EVERR_OK) {
		return err;
	}
	return store_writer_start(store->writer);
}

static everr_t open_env(struct store *store)
{
	const struct store_options *options = &store->options;
	everr_t err;

	if (!options->read_only) {
		err = store_env_lock(store->path, &store->lock_fd);
		if (err != EVERR_OK) {
			return err;
		}
		err = meta_new(store);
		if (err != EVERR_OK) {
			return err;
		}
	}
	err = open_files(store);
	if (err != EVERR_OK) {
		return err;
	}
	if (options->read_only) {
		err = store_channel_refresh(store);
		return err != EVERR_OK ? err : load_templates(store);
	}
	return open_writer(store);
}

everr_t store_open_hooked(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const struct store_options *options,
			  const struct store_hooks *hooks,
			  struct store **ret_store)
{
	struct store *store = NULL;
	everr_t err;

	store = talloc_zero(mem_ctx, struct store);
	if (store == NULL) {
		return EVERR_NOMEM;
	}
	store->ev = ev;
	store->lock_fd = -1;
	store->max_numbers = STORE_CHANNELS_MAX;
	store->max_removals = STORE_REMOVALS_MAX;
	store->pid = getpid();
	store->options = *options;
	limits_fill(&store->options.limits);
	if (hooks != NULL) {
		store->hooks = *hooks;
	}
	talloc_set_destructor(store, store_destructor);
	store->path = talloc_strdup(store, options->path);
	if (store->path == NULL) {
		TALLOC_FREE(store);
		return EVERR_NOMEM;
	}
	store->options.path = store->path;
	err = open_env(store);
	if (err == EVERR_OK) {
		err = store_origin_load(store);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(store);
		return err;
	}
	*ret_store = store;
	return EVERR_OK;
}

everr_t store_open(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		   const struct store_options *options,
		   struct store **ret_store)
{
	return store_open_hooked(mem_ctx, ev, options, NULL, ret_store);
}

/* -------------------------------------------------------------- reopen */

/* The tables' handles are other ones now. */
static everr_t reload_handles(struct store *store)
{
	struct store_channel *channel = NULL;
	MDB_txn *txn = NULL;
	everr_t err = EVERR_OK;
	size_t i;
	int rc;

	rc = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn);
	if (rc != 0) {
		return store_env_error(rc);
	}
	for (i = 0; err == EVERR_OK && i < store->num_numbers; i++) {
		channel = store->numbers[i];
		err = store_env_records(txn, channel->info.id, false,
					&channel->dbi);
		channel->writer->dbi = channel->dbi;
		channel->writer->valid = false;
		if (channel->writer->floor < channel->info.next_id) {
			channel->writer->floor = channel->info.next_id;
		}
	}
	rc = mdb_txn_commit(txn);
	return err != EVERR_OK ? err : store_env_error(rc);
}

static everr_t reopen(struct store *store)
{
	everr_t err;

	store_snapshot_drop_all(store);
	store_env_close(&store->env);
	err = open_files(store);
	if (err != EVERR_OK) {
		return err;
	}
	err = reload_handles(store);
	if (err != EVERR_OK) {
		store_env_close(&store->env);
	}
	return err;
}

static void reopen_try(struct store *store);

static void reopen_again(struct tevent_context *ev, struct tevent_timer *te,
			 struct timeval now, void *private_data)
{
	struct store *store = private_data;

	TALLOC_FREE(store->reopen_timer);
	reopen_try(store);
}

static void reopen_try(struct store *store)
{
	everr_t err;

	if (store->num_active > 0 || store->reopen_timer != NULL) {
		return;
	}
	err = reopen(store);
	if (err != EVERR_OK) {
		store->reopen_timer = tevent_add_timer(
			store->ev, store,
			tevent_timeval_current_ofs(REOPEN_SECONDS, 0),
			reopen_again, store);
		return;
	}
	store->reopen = false;
	store->writer->meta = store->meta;
	store_queue_unpark(&store->writer->queue);
}

void store_resume(struct store *store)
{
	tevent_schedule_immediate(store->resume, store->ev, resumed, store);
}

void store_no_snapshot(struct store *store)
{
	/* Not from here: the caller may begin the next snapshot at once. */
	if (store->reopen || store->unused != NULL) {
		store_resume(store);
	}
}

/* ------------------------------------------------------------ dispatch */

static void dispatch(struct store *store)
{
	struct store_news news;
	bool *outer = store->freed;
	bool freed = false;

	take_news(store, &news);
	finish_jobs(store, news.done);
	store_template_unused(store, news.unused, news.num_unused);
	free(news.unused);
	store_template_collect(store);
	if (news.reopen) {
		store->reopen = true;
	}
	if (store->reopen) {
		reopen_try(store);
	}
	store->freed = &freed;
	store_channel_fire(store);
	if (!freed) {
		store->freed = outer;
	} else if (outer != NULL) {
		*outer = true;
	}
}
