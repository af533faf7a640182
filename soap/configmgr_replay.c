/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_replay.h"

#include "base/buf.h"
#include "base/wintime.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

/* No slot. */
#define NONE UINT32_MAX
#define SLOTS_FIRST 64

/* One id.  Slots are linked by age, and by the bucket they hash to. */
struct slot {
	struct ev_guid id;
	uint64_t time;
	uint64_t digest;
	uint32_t older, newer;
	uint32_t chain;
};

struct configmgr_replay {
	const char *prefix;
	uint64_t seconds;
	uint32_t max;
	struct slot *slots;
	uint32_t num_slots; /* allocated */
	uint32_t num_known;
	uint32_t num_coming; /* entries prepared and not noted yet */
	uint32_t free;	     /* unused slots, linked by chain */
	uint32_t oldest, newest;
	uint32_t *buckets;    /* as many as there are slots */
	uint64_t secret[2];   /* senders choose the ids */
	uint64_t num_dropped; /* before their time */
};

uint64_t configmgr_digest(const uint8_t *data, size_t len)
{
	uint8_t digest[32] = {};

	/* It fails only where SHA-256 is forbidden: then all are alike. */
	(void)gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest);
	return le64_get(digest);
}

/* ---------------------------------------------------------------- table */

static uint32_t *bucket_of(const struct configmgr_replay *replay,
			   const struct ev_guid *id)
{
	uint64_t low = le64_get(id->b) + replay->secret[0];
	uint64_t high = le64_get(id->b + 8) + replay->secret[1];
	unsigned __int128 product = (unsigned __int128)low * high;
	uint64_t hash = (uint64_t)(product >> 64) ^ (uint64_t)product;

	return &replay->buckets[hash & (replay->num_slots - 1)];
}

static uint32_t slot_find(const struct configmgr_replay *replay,
			  const struct ev_guid *id)
{
	uint32_t at = NONE;

	if (replay->num_slots == 0) {
		return NONE;
	}
	at = *bucket_of(replay, id);
	while (at != NONE && !ev_guid_equal(&replay->slots[at].id, id)) {
		at = replay->slots[at].chain;
	}
	return at;
}

static void slot_chain(struct configmgr_replay *replay, uint32_t at)
{
	uint32_t *bucket = bucket_of(replay, &replay->slots[at].id);

	replay->slots[at].chain = *bucket;
	*bucket = at;
}

static void slot_remove(struct configmgr_replay *replay, uint32_t at)
{
	struct slot *slot = &replay->slots[at];
	uint32_t *link = bucket_of(replay, &slot->id);

	while (*link != at) {
		link = &replay->slots[*link].chain;
	}
	*link = slot->chain;

	if (slot->older == NONE) {
		replay->oldest = slot->newer;
	} else {
		replay->slots[slot->older].newer = slot->newer;
	}
	if (slot->newer == NONE) {
		replay->newest = slot->older;
	} else {
		replay->slots[slot->newer].older = slot->older;
	}
	slot->chain = replay->free;
	replay->free = at;
	replay->num_known--;
}

/* There is a free slot: prepare and load have seen to it. */
static void slot_add(struct configmgr_replay *replay, const struct ev_guid *id,
		     uint64_t time, uint64_t digest)
{
	uint32_t at = replay->free;
	struct slot *slot = &replay->slots[at];

	replay->free = slot->chain;
	*slot = (struct slot){
		.id = *id,
		.time = time,
		.digest = digest,
		.older = replay->newest,
		.newer = NONE,
	};
	if (replay->newest == NONE) {
		replay->oldest = at;
	} else {
		replay->slots[replay->newest].newer = at;
	}
	replay->newest = at;
	replay->num_known++;
	slot_chain(replay, at);
}

static everr_t table_grow(struct configmgr_replay *replay)
{
	uint32_t old = replay->num_slots;
	uint32_t num = old == 0 ? SLOTS_FIRST : old * 2;
	struct slot *slots = NULL;
	uint32_t *buckets = NULL;
	uint32_t at;

	if (old > UINT32_MAX / 4) {
		return EVERR_LIMIT;
	}
	slots = talloc_realloc(replay, replay->slots, struct slot, num);
	if (slots == NULL) {
		return EVERR_NOMEM;
	}
	replay->slots = slots;
	buckets = talloc_realloc(replay, replay->buckets, uint32_t, num);
	if (buckets == NULL) {
		return EVERR_NOMEM;
	}
	replay->buckets = buckets;
	replay->num_slots = num;

	/* What is not linked by age is in the list of free ones. */
	memset(buckets, 0xFF, num * sizeof(*buckets));
	for (at = replay->oldest; at != NONE; at = slots[at].newer) {
		slot_chain(replay, at);
	}
	for (at = num; at-- > old;) {
		slots[at].chain = replay->free;
		replay->free = at;
	}
	return EVERR_OK;
}

/* ----------------------------------------------------------------- load */

struct loaded {
	struct ev_guid id;
	uint64_t time;
	uint64_t digest;
};

static int by_time(const void *a, const void *b)
{
	const struct loaded *x = a;
	const struct loaded *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* All states below the prefix that can be read. */
static everr_t load_states(TALLOC_CTX *frame, struct store *store,
			   const char *prefix, struct buf *found)
{
	TALLOC_CTX *step = talloc_new(frame);
	TALLOC_CTX *last = NULL;
	char *name = NULL;
	everr_t err;

	if (step == NULL) {
		return EVERR_NOMEM;
	}
	for (;;) {
		struct loaded loaded = {};
		uint8_t *data = NULL;
		size_t len = 0;

		err = store_state_next(step, store, prefix,
				       name == NULL ? "" : name, &name, &data,
				       &len);
		if (err != EVERR_OK && err != EVERR_STORE_CORRUPT) {
			break;
		}
		if (err == EVERR_OK && len == 16 &&
		    ev_guid_parse(name + strlen(prefix), &loaded.id) ==
			    EVERR_OK) {
			loaded.time = le64_get(data);
			loaded.digest = le64_get(data + 8);
			buf_put(found, &loaded, sizeof(loaded));
		}
		/* The name is needed for one more step, no longer. */
		talloc_free(last);
		last = step;
		step = talloc_new(frame);
		if (step == NULL) {
			return EVERR_NOMEM;
		}
	}
	return err == EVERR_END ? buf_error(found) : err;
}

static everr_t load(struct configmgr_replay *replay, struct store *store)
{
	TALLOC_CTX *frame = talloc_new(NULL);
	struct loaded *all = NULL;
	struct buf found;
	everr_t err;
	size_t i, num;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&found, frame, SIZE_MAX / 2);
	err = load_states(frame, store, replay->prefix, &found);
	num = found.len / sizeof(*all);
	all = (struct loaded *)(void *)found.data;
	if (num > 1) {
		qsort(all, num, sizeof(*all), by_time);
	}
	for (i = 0; err == EVERR_OK && i < num; i++) {
		if (replay->free == NONE) {
			err = table_grow(replay);
		}
		if (err == EVERR_OK) {
			slot_add(replay, &all[i].id, all[i].time,
				 all[i].digest);
		}
	}
	talloc_free(frame);
	return err;
}

everr_t configmgr_replay_load(TALLOC_CTX *mem_ctx, struct store *store,
			      const char *prefix, uint64_t seconds,
			      uint32_t max,
			      struct configmgr_replay **ret_replay)
{
	struct configmgr_replay *replay = NULL;
	everr_t err;

	replay = talloc_zero(mem_ctx, struct configmgr_replay);
	if (replay == NULL) {
		return EVERR_NOMEM;
	}
	replay->prefix = prefix;
	replay->oldest = replay->newest = replay->free = NONE;
	configmgr_replay_limit(replay, seconds, max);
	(void)gnutls_rnd(GNUTLS_RND_NONCE, replay->secret,
			 sizeof(replay->secret));
	err = load(replay, store);
	if (err != EVERR_OK) {
		talloc_free(replay);
		return err;
	}
	*ret_replay = replay;
	return EVERR_OK;
}

void configmgr_replay_limit(struct configmgr_replay *replay, uint64_t seconds,
			    uint32_t max)
{
	replay->seconds = seconds;
	replay->max = max == 0 ? 1 : max;
}

/* ------------------------------------------------------------------ use */

static bool too_old(const struct configmgr_replay *replay,
		    const struct slot *slot, uint64_t now)
{
	return now > slot->time &&
	       (now - slot->time) / WINTIME_SECOND >= replay->seconds;
}

bool configmgr_replay_find(const struct configmgr_replay *replay,
			   const struct ev_guid *id, uint64_t now,
			   uint64_t *ret_digest)
{
	uint32_t at = slot_find(replay, id);

	if (at == NONE || too_old(replay, &replay->slots[at], now)) {
		return false;
	}
	*ret_digest = replay->slots[at].digest;
	return true;
}

static everr_t entry_state(struct configmgr_replay_entry *entry,
			   const struct ev_guid *id, const void *data,
			   size_t len)
{
	char text[EV_GUID_TEXT_SIZE];
	char *name = NULL;

	ev_guid_format(id, text);
	name = talloc_asprintf(entry, "%s%s", entry->replay->prefix, text);
	if (name == NULL) {
		return EVERR_NOMEM;
	}
	entry->states[entry->num_states++] = (struct store_state){
		.name = name,
		.data = data,
		.len = len,
	};
	return EVERR_OK;
}

/* Let the oldest go, and their states with this commit. */
static everr_t entry_expire(struct configmgr_replay_entry *entry)
{
	struct configmgr_replay *replay = entry->replay;

	while (entry->num_states < CONFIGMGR_REPLAY_STATES &&
	       replay->oldest != NONE) {
		const struct slot *slot = &replay->slots[replay->oldest];
		bool old = too_old(replay, slot, entry->time);
		everr_t err;

		if (!old &&
		    replay->num_known + replay->num_coming <= replay->max) {
			break;
		}
		err = entry_state(entry, &slot->id, NULL, 0);
		if (err != EVERR_OK) {
			return err;
		}
		replay->num_dropped += !old;
		slot_remove(replay, replay->oldest);
	}
	return EVERR_OK;
}

static int entry_destructor(struct configmgr_replay_entry *entry)
{
	entry->replay->num_coming--;
	return 0;
}

static everr_t entry_fill(struct configmgr_replay_entry *entry)
{
	struct configmgr_replay *replay = entry->replay;
	uint32_t known = slot_find(replay, &entry->id);
	everr_t err;

	le64_set(entry->value, entry->time);
	le64_set(entry->value + 8, entry->digest);
	err = entry_state(entry, &entry->id, entry->value,
			  sizeof(entry->value));
	if (err != EVERR_OK) {
		return err;
	}
	/* One that is too old is written anew, not deleted. */
	if (known != NONE) {
		slot_remove(replay, known);
	}
	err = entry_expire(entry);
	if (err != EVERR_OK) {
		return err;
	}
	if (replay->num_known + replay->num_coming > replay->num_slots) {
		return table_grow(replay);
	}
	return EVERR_OK;
}

everr_t configmgr_replay_prepare(TALLOC_CTX *mem_ctx,
				 struct configmgr_replay *replay,
				 const struct ev_guid *id, uint64_t digest,
				 uint64_t now,
				 struct configmgr_replay_entry **ret_entry)
{
	struct configmgr_replay_entry *entry = NULL;
	everr_t err;

	entry = talloc_zero(mem_ctx, struct configmgr_replay_entry);
	if (entry == NULL) {
		return EVERR_NOMEM;
	}
	entry->replay = replay;
	entry->id = *id;
	entry->time = now;
	entry->digest = digest;
	replay->num_coming++;
	talloc_set_destructor(entry, entry_destructor);
	err = entry_fill(entry);
	if (err != EVERR_OK) {
		talloc_free(entry);
		return err;
	}
	*ret_entry = entry;
	return EVERR_OK;
}

void configmgr_replay_note(struct configmgr_replay_entry *entry)
{
	struct configmgr_replay *replay = entry->replay;
	uint32_t known = slot_find(replay, &entry->id);

	if (known != NONE) {
		slot_remove(replay, known);
	}
	slot_add(replay, &entry->id, entry->time, entry->digest);
	talloc_free(entry);
}

void configmgr_replay_stats(const struct configmgr_replay *replay,
			    struct configmgr_replay_stats *ret_stats)
{
	*ret_stats = (struct configmgr_replay_stats){
		.num = replay->num_known,
		.dropped = replay->num_dropped,
	};
}
