/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/rpc/fake_store.h"

#include "base/text.h"
#include "event/build.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct fake_record {
	bool there;
	bool damaged;
	enum store_gap_cause cause; /* when not there */
	uint64_t time;
	struct event_header header;
	uint8_t *data;
	size_t len;
	uint32_t wire_len;
};

struct store_watch {
	struct store_channel *channel;
	store_watch_fn fn;
	void *private_data;
	struct store_watch *next;
};

struct store_channel {
	struct store *store;
	struct store_watch *watches;
	char *name;
	struct fake_record *records; /* [id - 1] */
	size_t num_ids;
	uint64_t oldest_id; /* 0: empty */
	bool removed;
};

#define MAX_CHANNELS 8

struct store {
	struct store_channel *channels[MAX_CHANNELS];
	size_t num_channels;
	struct event_dict *dict;
	struct event_packer *packer;
};

struct store_snapshot {
	struct store *store;
};

struct fake_report fake_reports[64];
size_t fake_num_reports;
bool fake_ignore_reports;
size_t fake_open_snapshots;
size_t fake_num_snapshots;
everr_t fake_snapshot_error;

struct store *fake_store_create(TALLOC_CTX *mem_ctx)
{
	struct store *store = talloc_zero(mem_ctx, struct store);

	store->dict = event_dict_create(store, NULL);
	store->packer = event_packer_create(store, store->dict);
	fake_num_reports = 0;
	fake_ignore_reports = false;
	fake_open_snapshots = 0;
	fake_num_snapshots = 0;
	fake_snapshot_error = EVERR_OK;
	return store;
}

struct store_channel *fake_channel(struct store *store, const char *name)
{
	struct store_channel *channel =
		talloc_zero(store, struct store_channel);

	assert(store->num_channels < MAX_CHANNELS);
	store->channels[store->num_channels++] = channel;
	channel->store = store;
	channel->name = talloc_strdup(channel, name);
	return channel;
}

static struct fake_record *fake_new_id(struct store_channel *channel)
{
	channel->records =
		talloc_realloc(channel, channel->records, struct fake_record,
			       channel->num_ids + 1);
	channel->num_ids++;
	return &channel->records[channel->num_ids - 1];
}

static struct fake_record *fake_record(struct store_channel *channel,
				       uint64_t id)
{
	assert(id >= 1 && id <= channel->num_ids);
	return &channel->records[id - 1];
}

/* EventData of len bytes, in values that fit 16 bits of length. */
static size_t fake_data(struct event_data *data, size_t max, size_t len)
{
	static const uint8_t zeros[65535];
	size_t n = 0;

	while (len > 0 && n < max) {
		size_t part = len < sizeof(zeros) ? len : sizeof(zeros);

		data[n++] = (struct event_data){
			.type = EVENT_TYPE_BINARY, .value = zeros, .len = part};
		len -= part;
	}
	return n;
}

uint64_t fake_append(struct store_channel *channel, uint64_t time, size_t len)
{
	struct store *store = channel->store;
	struct event_system system = {
		.provider = "P",
		.channel = channel->name,
		.computer = "c",
		.time_created = time,
	};
	struct fake_record *record = NULL;
	struct event_packed packed;
	struct event_data data[64];
	size_t num_data = fake_data(data, 64, len);
	struct buf doc;
	everr_t err;

	buf_init(&doc, store, EVENT_WIRE_MAX);
	err = event_build(&doc, &system, data, num_data);
	assert(err == EVERR_OK);
	err = event_pack(store->packer, doc.data, doc.len, &packed);
	assert(err == EVERR_OK);
	buf_free(&doc);

	record = fake_new_id(channel);
	*record = (struct fake_record){
		.there = true,
		.time = time,
		.header = packed.header,
		.data = talloc_memdup(channel, packed.data, packed.len),
		.len = packed.len,
		.wire_len = packed.wire_len,
	};
	if (channel->oldest_id == 0) {
		channel->oldest_id = channel->num_ids;
	}
	return channel->num_ids;
}

void fake_append_many(struct store_channel *channel, size_t n, uint64_t time)
{
	while (n-- > 0) {
		fake_append(channel, time++, 0);
	}
}

size_t fake_wire_len(struct store_channel *channel, uint64_t id)
{
	return fake_record(channel, id)->wire_len;
}

static void fake_find_oldest(struct store_channel *channel)
{
	size_t i;

	channel->oldest_id = 0;
	for (i = 0; i < channel->num_ids; i++) {
		if (channel->records[i].there) {
			channel->oldest_id = i + 1;
			return;
		}
	}
}

static void fake_remove(struct store_channel *channel, uint64_t id,
			enum store_gap_cause cause)
{
	struct fake_record *record = fake_record(channel, id);

	if (record->there) {
		TALLOC_FREE(record->data);
		record->there = false;
		record->cause = cause;
	}
	fake_find_oldest(channel);
}

void fake_trim(struct store_channel *channel, uint64_t below_id)
{
	uint64_t id;

	for (id = 1; id < below_id; id++) {
		fake_remove(channel, id, STORE_GAP_TRIMMED);
	}
}

void fake_lose(struct store_channel *channel, uint64_t id)
{
	fake_remove(channel, id, STORE_GAP_DAMAGED);
}

void fake_damage(struct store_channel *channel, uint64_t id)
{
	fake_record(channel, id)->damaged = true;
}

void fake_orphan(struct store_channel *channel, uint64_t id)
{
	/* A packed template node (event/event.h) without values. */
	static const uint8_t node[] = {1, 0, 0, 0, 0xF0, 0xFF, 0, 0};
	struct fake_record *record = fake_record(channel, id);

	memcpy(record->data, node, sizeof(node));
	record->len = sizeof(node);
}

void fake_skip(struct store_channel *channel, uint64_t n,
	       enum store_gap_cause cause)
{
	while (n-- > 0) {
		*fake_new_id(channel) = (struct fake_record){.cause = cause};
	}
}

void fake_wake(struct store_channel *channel)
{
	struct store_watch *watch = NULL;

	for (watch = channel->watches; watch != NULL; watch = watch->next) {
		watch->fn(channel, watch->private_data);
	}
}

size_t fake_num_watches(struct store_channel *channel)
{
	struct store_watch *watch = NULL;
	size_t n = 0;

	for (watch = channel->watches; watch != NULL; watch = watch->next) {
		n++;
	}
	return n;
}

/* --------------------------------------------------- the store's side */

static int watch_destructor(struct store_watch *watch)
{
	struct store_watch **p = &watch->channel->watches;

	while (*p != watch) {
		p = &(*p)->next;
	}
	*p = watch->next;
	return 0;
}

struct store_watch *store_watch_add(TALLOC_CTX *mem_ctx,
				    struct store_channel *channel,
				    store_watch_fn fn, void *private_data)
{
	struct store_watch *watch = talloc_zero(mem_ctx, struct store_watch);

	watch->channel = channel;
	watch->fn = fn;
	watch->private_data = private_data;
	watch->next = channel->watches;
	channel->watches = watch;
	talloc_set_destructor(watch, watch_destructor);
	return watch;
}

bool store_channel_name_valid(const char *name)
{
	return name[0] != '\0' && strpbrk(name, "<>|\\\":'*?") == NULL;
}

everr_t store_channel_find(struct store *store, const char *name,
			   struct store_channel **ret_channel)
{
	size_t i;

	for (i = 0; i < store->num_channels; i++) {
		if (text_name_equal(store->channels[i]->name, name)) {
			*ret_channel = store->channels[i];
			return EVERR_OK;
		}
	}
	return EVERR_CHANNEL_NOT_FOUND;
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
	return channel->name;
}

bool store_channel_removed(const struct store_channel *channel)
{
	return channel->removed;
}

/* Numbers of no meaning, each another. */
void store_channel_info(struct store_channel *channel,
			struct store_channel_info *ret_info)
{
	*ret_info = (struct store_channel_info){
		.name = channel->name,
		.creation_time = 0x0101010101010101,
		.last_write_time = 0x0202020202020202,
		.bytes = 0x0303030303030303,
		.num_records = 32,
		.oldest_id = 7,
		.next_id = channel->num_ids + 1,
		.full = true,
	};
}

struct event_dict *store_dict(struct store *store)
{
	return store->dict;
}

everr_t store_snapshot_begin(struct store *store,
			     struct store_snapshot **ret_snapshot)
{
	struct store_snapshot *snapshot = NULL;

	if (fake_snapshot_error != EVERR_OK) {
		return fake_snapshot_error;
	}
	snapshot = talloc_zero(store, struct store_snapshot);
	snapshot->store = store;
	fake_open_snapshots++;
	fake_num_snapshots++;
	*ret_snapshot = snapshot;
	return EVERR_OK;
}

void store_snapshot_end(struct store_snapshot *snapshot)
{
	fake_open_snapshots--;
	talloc_free(snapshot);
}

everr_t store_read(struct store_snapshot *snapshot,
		   struct store_channel *channel, uint64_t from_id,
		   bool reverse, struct store_record *ret_record)
{
	uint64_t id = from_id;

	(void)snapshot;
	if (reverse && id > channel->num_ids) {
		id = channel->num_ids;
	}
	if (!reverse && id == 0) {
		id = 1;
	}
	while (id >= 1 && id <= channel->num_ids &&
	       !channel->records[id - 1].there) {
		id = reverse ? id - 1 : id + 1;
	}
	if (id < 1 || id > channel->num_ids) {
		return EVERR_END;
	}
	*ret_record = (struct store_record){.id = id};
	if (channel->records[id - 1].damaged) {
		return EVERR_STORE_CORRUPT;
	}
	ret_record->received = channel->records[id - 1].time;
	ret_record->header = channel->records[id - 1].header;
	ret_record->data = channel->records[id - 1].data;
	ret_record->len = channel->records[id - 1].len;
	ret_record->wire_len = channel->records[id - 1].wire_len;
	return EVERR_OK;
}

void store_bounds(struct store_snapshot *snapshot,
		  struct store_channel *channel, uint64_t *ret_oldest_id,
		  uint64_t *ret_next_id)
{
	(void)snapshot;
	*ret_oldest_id = channel->oldest_id;
	*ret_next_id = channel->num_ids + 1;
}

everr_t store_gap(struct store_snapshot *snapshot,
		  struct store_channel *channel, uint64_t first, uint64_t last,
		  uint64_t *ret_missing, enum store_gap_cause *ret_cause)
{
	uint64_t counts[STORE_GAP_CLEARED + 1] = {0};
	uint64_t missing = 0;
	uint64_t id;
	int cause, most = STORE_GAP_TRIMMED;

	(void)snapshot;
	for (id = first; id <= last && id <= channel->num_ids; id++) {
		if (!channel->records[id - 1].there) {
			counts[channel->records[id - 1].cause]++;
			missing++;
		}
	}
	for (cause = STORE_GAP_TRIMMED; cause <= STORE_GAP_CLEARED; cause++) {
		if (counts[cause] > counts[most]) {
			most = cause;
		}
	}
	*ret_missing = missing;
	*ret_cause = most;
	return EVERR_OK;
}

everr_t store_block(struct store_snapshot *snapshot,
		    struct store_channel *channel, uint64_t id,
		    struct store_block *ret_block)
{
	struct store_block block = {.min_time = UINT64_MAX};

	(void)snapshot;
	if (id == 0 || id > channel->num_ids) {
		return EVERR_END;
	}
	block.first_id =
		(id - 1) / STORE_BLOCK_RECORDS * STORE_BLOCK_RECORDS + 1;
	for (id = block.first_id; id <= channel->num_ids &&
				  id < block.first_id + STORE_BLOCK_RECORDS;
	     id++) {
		const struct fake_record *record = fake_record(channel, id);

		block.last_id = id;
		if (!record->there) {
			continue;
		}
		if (record->time < block.min_time) {
			block.min_time = record->time;
		}
		if (record->time > block.max_time) {
			block.max_time = record->time;
		}
	}
	if (block.min_time > block.max_time) {
		return EVERR_END;
	}
	*ret_block = block;
	return EVERR_OK;
}

void operational_report(struct operational *operational, enum operational_id id,
			const char *subject, const char *const *fields,
			size_t num_fields)
{
	struct fake_report *report = &fake_reports[fake_num_reports];
	size_t len = 0;
	size_t i;

	(void)operational;
	(void)subject;
	if (fake_ignore_reports) {
		return;
	}
	assert(fake_num_reports < 64);
	fake_num_reports++;
	report->id = id;
	report->text[0] = '\0';
	for (i = 0; i < num_fields; i++) {
		len += (size_t)snprintf(report->text + len,
					sizeof(report->text) - len, "%s%s=%s",
					i > 0 ? " " : "", fields[2 * i],
					fields[2 * i + 1]);
		assert(len < sizeof(report->text));
	}
}

void fake_remove_channel(struct store_channel *channel)
{
	channel->removed = true;
	channel->oldest_id = 0;
	fake_wake(channel);
}
