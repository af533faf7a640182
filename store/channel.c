/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

#include "base/text.h"
#include "base/wintime.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------- names */

static bool name_char_valid(unsigned char c)
{
	/* C0 controls and DEL; C1 controls are told by the caller. */
	return c >= 0x20 && c != 0x7F && strchr("<>|\\\":'*?", c) == NULL;
}

bool store_channel_name_valid(const char *name)
{
	size_t units = 0;
	const unsigned char *p = NULL;

	if (!text_utf8_valid(name, strlen(name))) {
		return false;
	}
	for (p = (const unsigned char *)name; *p != '\0'; p++) {
		if (!name_char_valid(*p)) {
			return false;
		}
		if (p[0] == 0xC2 && p[1] < 0xA0) {
			return false; /* a C1 control */
		}
		/* UTF-16 units: one for each leading byte, two from F0 on. */
		units += (*p & 0xC0) != 0x80 ? 1 : 0;
		units += *p >= 0xF0 ? 1 : 0;
	}
	return units > 0 && units <= STORE_CHANNEL_NAME_MAX;
}

/* ----------------------------------------------------------- the lists */

/* Index of the first channel in by_name whose name is not below. */
static size_t name_index(const struct store *store, const char *name)
{
	size_t low = 0;
	size_t high = store->num_channels;
	size_t mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (text_name_cmp(store->by_name[mid]->info.name, name) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

static struct store_channel *name_find(const struct store *store,
				       const char *name)
{
	size_t i = name_index(store, name);

	if (i < store->num_channels &&
	    text_name_equal(store->by_name[i]->info.name, name)) {
		return store->by_name[i];
	}
	return NULL;
}

static everr_t list_grow(struct store *store, struct store_channel ***list,
			 size_t num)
{
	size_t size = talloc_array_length(*list);
	struct store_channel **grown = NULL;

	if (num < size) {
		return EVERR_OK;
	}
	grown = talloc_realloc(store, *list, struct store_channel *,
			       size == 0 ? 16 : size * 2);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	*list = grown;
	return EVERR_OK;
}

/* Room for one more in each. */
static everr_t lists_grow(struct store *store)
{
	everr_t err;

	err = list_grow(store, &store->numbers, store->num_numbers);
	if (err == EVERR_OK) {
		err = list_grow(store, &store->channels, store->num_channels);
	}
	if (err == EVERR_OK) {
		err = list_grow(store, &store->by_name, store->num_channels);
	}
	return err;
}

static void list_insert(struct store_channel **list, size_t num, size_t at,
			struct store_channel *channel)
{
	memmove(&list[at + 1], &list[at], (num - at) * sizeof(list[0]));
	list[at] = channel;
}

static void list_remove(struct store_channel **list, size_t num, size_t at)
{
	memmove(&list[at], &list[at + 1], (num - at - 1) * sizeof(list[0]));
}

/* Where the number stands, or would, among the channels that are there. */
static size_t number_index(const struct store *store, uint32_t id)
{
	size_t i = store->num_channels;

	while (i > 0 && store->channels[i - 1]->info.id >= id) {
		i--;
	}
	return i;
}

/* The lists have room. */
static void lists_add(struct store *store, struct store_channel *channel)
{
	const char *name = channel->info.name;
	uint32_t id = channel->info.id;

	store->numbers[id - 1] = channel;
	if (id > store->num_numbers) {
		store->num_numbers = id;
	}
	if (channel->removed) {
		return;
	}
	list_insert(store->by_name, store->num_channels,
		    name_index(store, name), channel);
	list_insert(store->channels, store->num_channels,
		    number_index(store, id), channel);
	store->num_channels++;
}

/* The number stays its own. */
static void lists_remove(struct store *store, struct store_channel *channel)
{
	list_remove(store->by_name, store->num_channels,
		    name_index(store, channel->info.name));
	list_remove(store->channels, store->num_channels,
		    number_index(store, channel->info.id));
	store->num_channels--;
}

static int channel_destructor(struct store_channel *channel)
{
	struct store_watch *watch = NULL;

	for (watch = channel->watches; watch != NULL; watch = watch->next) {
		watch->channel = NULL;
	}
	if (channel->writer != NULL) {
		u32set_free(&channel->writer->templates);
		free(channel->writer);
	}
	return 0;
}

static struct store_channel *channel_new(struct store *store, uint32_t id)
{
	struct store_channel *channel = NULL;

	channel = talloc_zero(store, struct store_channel);
	if (channel == NULL) {
		return NULL;
	}
	channel->store = store;
	channel->info.id = id;
	channel->info.next_id = 1;
	channel->writer = calloc(1, sizeof(*channel->writer));
	if (channel->writer == NULL) {
		TALLOC_FREE(channel);
		return NULL;
	}
	channel->writer->id = id;
	store_lane_init(&channel->writer->lane, channel);
	talloc_set_destructor(channel, channel_destructor);
	return channel;
}

/* ------------------------------------------------------------- loading */

/* The counters that a head has for the loop. */
static void take_head(struct store_channel *channel,
		      const struct store_head *head)
{
	struct store_channel_info *info = &channel->info;

	info->next_id = head->next_id;
	info->oldest_id = head->oldest_id;
	info->num_records = head->records;
	info->bytes = head->bytes;
	info->num_missing = head->missing;
	info->last_write_time = head->received > info->creation_time
					? head->received
					: info->creation_time;
}

static everr_t read_head(struct store_channel *channel, MDB_txn *txn)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	struct store_head head = {};
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	MDB_val value;
	everr_t err;
	int rc;

	store_key_u32(key, channel->info.id);
	rc = store_env_get(txn, channel->store->env.tables.heads, key,
			   sizeof(key), &value);
	if (rc != 0) {
		return rc == MDB_NOTFOUND ? EVERR_STORE_CORRUPT
					  : store_env_error(rc);
	}
	err = store_head_get(value.mv_data, value.mv_size, channel->info.id,
			     &head, &nos, &num);
	if (err != EVERR_OK) {
		return err;
	}
	take_head(channel, &head);
	return EVERR_OK;
}

static everr_t load_parts(struct store_channel *channel, MDB_txn *txn,
			  const MDB_val *value)
{
	char *name = NULL;
	everr_t err;

	err = store_channel_get(channel, value->mv_data, value->mv_size,
				channel->info.id, &name,
				&channel->info.creation_time, &channel->removed,
				&channel->info.config);
	if (err != EVERR_OK) {
		return err;
	}
	channel->info.name = name;
	err = store_env_records(txn, channel->info.id, false, &channel->dbi);
	if (err != EVERR_OK) {
		return err == EVERR_NOT_FOUND ? EVERR_STORE_CORRUPT : err;
	}
	return read_head(channel, txn);
}

everr_t store_channel_load(struct store *store, MDB_txn *txn,
			   const MDB_val *value)
{
	uint32_t id = (uint32_t)store->num_numbers + 1;
	struct store_channel *channel = NULL;
	everr_t err;

	err = lists_grow(store);
	if (err != EVERR_OK) {
		return err;
	}
	channel = channel_new(store, id);
	if (channel == NULL) {
		return EVERR_NOMEM;
	}
	err = load_parts(channel, txn, value);
	if (err != EVERR_OK) {
		TALLOC_FREE(channel);
		return err;
	}
	channel->writer->dbi = channel->dbi;
	channel->writer->max_bytes = channel->info.config.max_bytes;
	channel->writer->max_age = channel->info.config.max_age;
	channel->writer->retain = channel->info.config.retain;
	channel->writer->life = channel->removed ? 1 : 0;
	lists_add(store, channel);
	return EVERR_OK;
}

everr_t store_channel_refresh(struct store *store)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	MDB_txn *txn = NULL;
	MDB_val value;
	everr_t err = EVERR_OK;
	int rc;

	rc = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn);
	if (rc != 0) {
		return store_env_error(rc);
	}
	while (err == EVERR_OK && store->num_numbers < STORE_CHANNELS_MAX) {
		store_key_u32(key, (uint32_t)store->num_numbers + 1);
		rc = store_env_get(txn, store->env.tables.channels, key,
				   sizeof(key), &value);
		if (rc != 0) {
			err = rc == MDB_NOTFOUND ? EVERR_OK
						 : store_env_error(rc);
			break;
		}
		err = store_channel_load(store, txn, &value);
	}
	/* Committing keeps the tables' handles, also those found before. */
	rc = mdb_txn_commit(txn);
	return err != EVERR_OK ? err : store_env_error(rc);
}

/* ---------------------------------------------------------- definition */

static everr_t config_copy(struct store_channel *channel,
			   const struct store_channel_config *config)
{
	char *sddl = NULL;

	if (config->sddl != NULL) {
		sddl = talloc_strdup(channel, config->sddl);
		if (sddl == NULL) {
			return EVERR_NOMEM;
		}
	}
	talloc_free((void *)channel->info.config.sddl);
	channel->info.config = *config;
	channel->info.config.sddl = sddl;
	channel->full_bytes = 0;
	return EVERR_OK;
}

static bool config_equal(const struct store_channel_config *a,
			 const struct store_channel_config *b)
{
	if (a->enabled != b->enabled || a->max_bytes != b->max_bytes ||
	    a->max_age != b->max_age || a->retain != b->retain) {
		return false;
	}
	if (a->sddl == NULL || b->sddl == NULL) {
		return a->sddl == b->sddl;
	}
	return strcmp(a->sddl, b->sddl) == 0;
}

/* A job that puts the channel's configuration on disk. */
static everr_t define_job(struct store_channel *channel,
			  const struct store_channel_config *config,
			  bool remove, struct store_job **ret_job)
{
	const struct store_channel_info *info = &channel->info;
	size_t sddl_len = config->sddl == NULL ? 0 : strlen(config->sddl);
	struct store_job *job = NULL;
	size_t at;

	if (sddl_len > STORE_SDDL_MAX) {
		return EVERR_LIMIT;
	}
	job = store_job_new(STORE_JOB_DEFINE, &channel->writer->lane);
	if (job == NULL ||
	    !store_job_extend(job,
			      STORE_CHANNEL_LEN(strlen(info->name), sddl_len),
			      &at)) {
		store_job_free(job);
		return EVERR_NOMEM;
	}
	store_channel_put(job->bytes, info->id, info->name, info->creation_time,
			  remove, config);
	job->remove = remove;
	job->max_bytes = config->max_bytes;
	job->max_age = config->max_age;
	job->retain = config->retain;
	*ret_job = job;
	return EVERR_OK;
}

/* Have the writer do it. */
static everr_t define_run(struct store_channel *channel, struct store_job *job)
{
	everr_t err;

	store_queue_call(&channel->store->writer->queue, job);
	err = job->err;
	if (job->create && err == EVERR_OK) {
		channel->dbi = job->dbi;
	}
	if (err == EVERR_OK && job->next_id > channel->info.next_id) {
		channel->info.next_id = job->next_id;
	}
	store_job_free(job);
	return err;
}

static everr_t define_call(struct store_channel *channel,
			   const struct store_channel_config *config)
{
	struct store_job *job = NULL;
	everr_t err;

	err = define_job(channel, config, false, &job);
	return err != EVERR_OK ? err : define_run(channel, job);
}

/* ------------------------------------------------------------ creation */

/*
 * The number of a channel that was removed, for one of this name: its own, or,
 * when no other is left, any.  NULL: a new number is to be had, or none.
 */
static struct store_channel *find_removed(const struct store *store,
					  const char *name)
{
	struct store_channel *any = NULL;
	size_t i;

	for (i = store->num_numbers; i > 0; i--) {
		struct store_channel *channel = store->numbers[i - 1];

		if (!channel->removed) {
			continue;
		}
		if (text_name_equal(channel->info.name, name)) {
			return channel;
		}
		any = channel;
	}
	return store->num_numbers >= store->max_numbers ? any : NULL;
}

/* Above every id ever given out under any name. */
static uint64_t highest_next_id(const struct store *store)
{
	uint64_t highest = 1;
	size_t i;

	for (i = 0; i < store->num_numbers; i++) {
		const struct store_channel_info *info =
			&store->numbers[i]->info;

		highest = info->next_id > highest ? info->next_id : highest;
	}
	return highest;
}

static everr_t channel_make(struct store *store, uint32_t id, const char *name,
			    const struct store_channel_config *config,
			    struct store_channel **ret_channel)
{
	struct store_channel *channel = channel_new(store, id);
	everr_t err;

	if (channel == NULL) {
		return EVERR_NOMEM;
	}
	channel->info.creation_time = store_now(store);
	channel->info.last_write_time = channel->info.creation_time;
	channel->info.name = talloc_strdup(channel, name);
	err = channel->info.name == NULL ? EVERR_NOMEM
					 : config_copy(channel, config);
	if (err != EVERR_OK) {
		TALLOC_FREE(channel);
		return err;
	}
	*ret_channel = channel;
	return EVERR_OK;
}

/* Take over the number from a channel that was removed. */
static void channel_inherit(struct store_channel *channel,
			    struct store_channel *removed)
{
	free(channel->writer);
	channel->writer = removed->writer;
	channel->writer->lane.user = channel;
	channel->dbi = removed->dbi;
	channel->life = removed->life + 1;
	channel->info.num_missing = removed->info.num_missing;
	removed->writer = NULL;
}

/*
 * Two channels never have the same ids under one name: ids go on where the
 * removed one stopped; under another name, where the farthest channel is.
 */
static everr_t channel_revive(struct store *store,
			      struct store_channel *removed,
			      struct store_channel *channel)
{
	const struct store_channel_config config = channel->info.config;
	uint64_t next_id = removed->info.next_id;
	struct store_job *job = NULL;
	everr_t err;

	err = define_job(channel, &config, false, &job);
	if (err != EVERR_OK) {
		return err;
	}
	if (!text_name_equal(removed->info.name, channel->info.name)) {
		next_id = highest_next_id(store);
		job->min_next_id = next_id;
	}
	job->lane = &removed->writer->lane;
	channel->info.next_id = next_id;
	err = define_run(channel, job);
	if (err != EVERR_OK) {
		return err;
	}
	channel_inherit(channel, removed);
	return EVERR_OK;
}

static everr_t channel_first(struct store_channel *channel)
{
	const struct store_channel_config config = channel->info.config;
	struct store_job *job = NULL;
	everr_t err;

	err = define_job(channel, &config, false, &job);
	if (err != EVERR_OK) {
		return err;
	}
	job->create = true;
	return define_run(channel, job);
}

static everr_t channel_create(struct store *store, const char *name,
			      const struct store_channel_config *config,
			      struct store_channel **ret_channel)
{
	struct store_channel *removed = find_removed(store, name);
	struct store_channel *channel = NULL;
	everr_t err;
	size_t id;

	if (removed == NULL && store->num_numbers >= store->max_numbers) {
		return EVERR_LIMIT;
	}
	err = lists_grow(store);
	if (err != EVERR_OK) {
		return err;
	}
	id = removed != NULL ? removed->info.id : store->num_numbers + 1;
	err = channel_make(store, (uint32_t)id, name, config, &channel);
	if (err != EVERR_OK) {
		return err;
	}
	err = removed != NULL ? channel_revive(store, removed, channel)
			      : channel_first(channel);
	if (err != EVERR_OK) {
		TALLOC_FREE(channel);
		return err;
	}
	lists_add(store, channel);
	*ret_channel = channel;
	return EVERR_OK;
}

everr_t store_channel_define(struct store *store, const char *name,
			     const struct store_channel_config *config,
			     struct store_channel **ret_channel)
{
	struct store_channel *channel = NULL;
	everr_t err;

	if (!store_channel_name_valid(name)) {
		return EVERR_CHANNEL_NAME;
	}
	if (store->writer == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	channel = name_find(store, name);
	if (channel == NULL) {
		return channel_create(store, name, config, ret_channel);
	}
	if (!config_equal(&channel->info.config, config)) {
		err = define_call(channel, config);
		if (err != EVERR_OK) {
			return err;
		}
		err = config_copy(channel, config);
		if (err != EVERR_OK) {
			return err;
		}
	}
	*ret_channel = channel;
	return EVERR_OK;
}

/* ------------------------------------------------------------- removal */

/* For who still holds it: it is empty, and there is something to be seen. */
static void removal_tell(struct store_channel *channel)
{
	struct store_channel_info *info = &channel->info;
	struct store *store = channel->store;

	info->oldest_id = 0;
	info->num_records = 0;
	info->bytes = 0;
	talloc_free((void *)info->config.sddl);
	info->config.sddl = NULL;
	if (!channel->fire) {
		channel->fire = true;
		channel->fire_next = store->fire;
		store->fire = channel;
	}
	/* Not from here: who removes it need not expect its readers. */
	store_resume(store);
}

everr_t store_channel_remove(struct store_channel *channel)
{
	struct store_channel_config config = channel->info.config;
	struct store *store = channel->store;
	struct store_job *job = NULL;
	everr_t err;

	if (store->writer == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	if (channel->removed) {
		return EVERR_OK;
	}
	if (store->num_removals >= store->max_removals) {
		return EVERR_LIMIT;
	}
	/* It may be long, and nobody asks for it any more. */
	config.sddl = NULL;
	err = define_job(channel, &config, true, &job);
	if (err != EVERR_OK) {
		return err;
	}
	job->up_to_id = UINT64_MAX;
	err = define_run(channel, job);
	if (err != EVERR_OK) {
		return err;
	}
	lists_remove(store, channel);
	channel->removed = true;
	store->num_removals++;
	removal_tell(channel);
	return EVERR_OK;
}

bool store_channel_removed(const struct store_channel *channel)
{
	return channel->removed;
}

/* -------------------------------------------------------------- access */

everr_t store_channel_find(struct store *store, const char *name,
			   struct store_channel **ret_channel)
{
	struct store_channel *channel = name_find(store, name);
	everr_t err;

	if (channel == NULL && store->writer == NULL) {
		err = store_channel_refresh(store);
		if (err != EVERR_OK) {
			return err;
		}
		channel = name_find(store, name);
	}
	if (channel == NULL) {
		return EVERR_CHANNEL_NOT_FOUND;
	}
	*ret_channel = channel;
	return EVERR_OK;
}

size_t store_channel_count(struct store *store)
{
	return store->num_channels;
}

struct store_channel *store_channel_at(struct store *store, size_t index)
{
	return index < store->num_channels ? store->channels[index] : NULL;
}

const char *store_channel_name(const struct store_channel *channel)
{
	return channel->info.name;
}

/* Another process writes: look at what it has left. */
static void refresh_info(struct store_channel *channel)
{
	struct store_snapshot *snapshot = NULL;

	if (store_snapshot_begin(channel->store, &snapshot) == EVERR_OK) {
		/* What cannot be read is as it was. */
		(void)read_head(channel, snapshot->txn);
		store_snapshot_end(snapshot);
	}
}

/* One that retains is full as long as it is no smaller than when it was. */
static bool is_full(const struct store_channel *channel)
{
	const struct store_channel_info *info = &channel->info;

	if (!info->config.retain) {
		return info->num_records == 1 &&
		       info->bytes > info->config.max_bytes;
	}
	return info->bytes >= info->config.max_bytes ||
	       (channel->full_bytes != 0 && info->bytes >= channel->full_bytes);
}

void store_channel_info(struct store_channel *channel,
			struct store_channel_info *ret_info)
{
	const struct store_channel_config *config = &channel->info.config;

	if (channel->store->writer == NULL) {
		refresh_info(channel);
	}
	*ret_info = channel->info;
	ret_info->full = config->max_bytes != 0 && is_full(channel);
}

/* ------------------------------------------------------------- watches */

void store_channel_progress(struct store_lane *lane,
			    const struct store_progress *progress,
			    void *private_data)
{
	struct store_channel *channel = lane->user;
	struct store_channel_info *info = &channel->info;
	struct store *store = private_data;

	info->next_id = progress->next_id;
	/* What was cleared with it is being swept out. */
	if (channel->removed) {
		return;
	}
	info->oldest_id = progress->oldest_id;
	info->num_records = progress->records;
	info->bytes = progress->bytes;
	info->num_missing = progress->missing;
	if (progress->received > info->creation_time) {
		info->last_write_time = progress->received;
	}
	if (progress->appended && !channel->fire) {
		channel->fire = true;
		channel->fire_next = store->fire;
		store->fire = channel;
	}
}

static void fire_channel(struct store_channel *channel, const bool *freed)
{
	struct store_watch *watch = channel->watches;

	while (watch != NULL) {
		channel->watch_iter = watch->next;
		watch->fn(channel, watch->private_data);
		if (*freed) {
			return;
		}
		watch = channel->watch_iter;
	}
}

void store_channel_fire(struct store *store)
{
	const bool *freed = store->freed;
	struct store_channel *channel = NULL;

	while (store->fire != NULL) {
		channel = store->fire;
		store->fire = channel->fire_next;
		channel->fire = false;
		fire_channel(channel, freed);
		if (*freed) {
			return;
		}
	}
}

static int watch_destructor(struct store_watch *watch)
{
	struct store_channel *channel = watch->channel;

	if (channel == NULL) {
		return 0;
	}
	if (channel->watch_iter == watch) {
		channel->watch_iter = watch->next;
	}
	if (watch->prev != NULL) {
		watch->prev->next = watch->next;
	} else {
		channel->watches = watch->next;
	}
	if (watch->next != NULL) {
		watch->next->prev = watch->prev;
	}
	return 0;
}

struct store_watch *store_watch_add(TALLOC_CTX *mem_ctx,
				    struct store_channel *channel,
				    store_watch_fn fn, void *private_data)
{
	struct store_watch *watch = talloc_zero(mem_ctx, struct store_watch);

	if (watch == NULL) {
		return NULL;
	}
	watch->channel = channel;
	watch->fn = fn;
	watch->private_data = private_data;
	watch->next = channel->watches;
	if (watch->next != NULL) {
		watch->next->prev = watch;
	}
	channel->watches = watch;
	talloc_set_destructor(watch, watch_destructor);
	return watch;
}
