/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/dict.h"

#include "base/buf.h"
#include "event/binxml.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define DEFAULT_MAX_TEMPLATES 65536
#define DEFAULT_MAX_BYTES (64 * 1024 * 1024)

#define FIRST_BUCKETS 64

/*
 * Definitions that came in another form than the normalised one, or under
 * another GUID than is sent, are remembered as they came.  A small cache that
 * overwrites: whoever sends many such forms pays for parsing them again.
 */
#define NUM_ALIASES 256
#define ALIAS_LEN_MAX 16384

/* The three keys an entry is found by. */
enum table_key {
	BY_NO,
	BY_GUID,
	BY_ID,
	NUM_KEYS
};

struct entry {
	struct event_template t; /* first: handed out as the talloc parent */
	struct entry *next[NUM_KEYS];
};

struct alias {
	uint64_t hash;
	uint8_t *raw;
	size_t len;
	struct entry *entry; /* NULL: the slot is free */
};

struct event_dict {
	struct event_dict_limits limits;
	uint64_t seed[2];      /* keeps a sender from choosing our buckets */
	struct entry **tables; /* NUM_KEYS tables, one behind the other */
	uint32_t num_buckets;  /* of each; a power of two */
	uint32_t count;
	size_t bytes;
	uint32_t next_no;
	struct alias aliases[NUM_ALIASES];
	struct buf scratch; /* a definition being normalised */
	event_dict_loader loader;
	void *loader_data;
};

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9E3779B97F4A7C15ULL;
	return h ^ h >> 29;
}

/* Four lanes of eight bytes, so that the multiplications overlap. */
static uint64_t raw_hash(const struct event_dict *dict, const uint8_t *p,
			 size_t len)
{
	uint64_t lane[4] = {dict->seed[0], dict->seed[1], ~dict->seed[0], len};
	uint64_t h = dict->seed[0];
	size_t i;

	for (; len >= 32; len -= 32, p += 32) {
		for (i = 0; i < 4; i++) {
			lane[i] = mix(lane[i], le64_get(p + 8 * i));
		}
	}
	for (i = 0; i < 4; i++) {
		h = mix(h, lane[i]);
	}
	for (; len > 0; len--, p++) {
		h = mix(h, *p);
	}
	return h;
}

static uint32_t bucket_of(const struct event_dict *dict, enum table_key key,
			  const uint8_t *bytes, uint32_t no)
{
	uint64_t h;

	/* Numbers are ours and dense. */
	if (key == BY_NO) {
		return no & (dict->num_buckets - 1);
	}
	h = mix(dict->seed[0], le64_get(bytes));
	h = mix(h ^ dict->seed[1], le64_get(bytes + 8));
	return (uint32_t)(h >> 32) & (dict->num_buckets - 1);
}

/* The first entry of a bucket. */
static struct entry **bucket_at(const struct event_dict *dict,
				enum table_key key, const uint8_t *bytes,
				uint32_t no)
{
	return &dict->tables[key * dict->num_buckets +
			     bucket_of(dict, key, bytes, no)];
}

static struct entry **entry_bucket(const struct event_dict *dict,
				   enum table_key key,
				   const struct entry *entry)
{
	const uint8_t *bytes = key == BY_GUID ? entry->t.guid.b : entry->t.id;

	return bucket_at(dict, key, bytes, entry->t.no);
}

static void tables_insert(struct event_dict *dict, struct entry *entry)
{
	struct entry **bucket = NULL;
	int key;

	for (key = 0; key < NUM_KEYS; key++) {
		bucket = entry_bucket(dict, key, entry);
		entry->next[key] = *bucket;
		*bucket = entry;
	}
}

static void tables_remove(struct event_dict *dict, const struct entry *entry)
{
	struct entry **link = NULL;
	int key;

	for (key = 0; key < NUM_KEYS; key++) {
		link = entry_bucket(dict, key, entry);
		while (*link != entry) {
			link = &(*link)->next[key];
		}
		*link = entry->next[key];
	}
}

/* Twice the buckets.  Without memory the chains just grow longer. */
static void tables_grow(struct event_dict *dict)
{
	uint32_t old_buckets = dict->num_buckets;
	struct entry **old = dict->tables;
	struct entry **tables = NULL;
	struct entry *entry = NULL;
	struct entry *next = NULL;
	uint32_t i;

	tables = talloc_zero_array(dict, struct entry *,
				   NUM_KEYS * 2 * old_buckets);
	if (tables == NULL) {
		return;
	}
	dict->tables = tables;
	dict->num_buckets = 2 * old_buckets;
	/* The first table, by number, holds every entry once. */
	for (i = 0; i < old_buckets; i++) {
		for (entry = old[i]; entry != NULL; entry = next) {
			next = entry->next[BY_NO];
			tables_insert(dict, entry);
		}
	}
	TALLOC_FREE(old);
}

static struct entry *find_no(const struct event_dict *dict, uint32_t no)
{
	struct entry *entry = *bucket_at(dict, BY_NO, NULL, no);

	while (entry != NULL && entry->t.no != no) {
		entry = entry->next[BY_NO];
	}
	return entry;
}

static struct entry *find_guid(const struct event_dict *dict,
			       const struct ev_guid *guid)
{
	struct entry *entry = *bucket_at(dict, BY_GUID, guid->b, 0);

	while (entry != NULL &&
	       memcmp(entry->t.guid.b, guid->b, sizeof(guid->b)) != 0) {
		entry = entry->next[BY_GUID];
	}
	return entry;
}

static struct entry *find_id(const struct event_dict *dict, const uint8_t *id)
{
	struct entry *entry = *bucket_at(dict, BY_ID, id, 0);

	while (entry != NULL &&
	       memcmp(entry->t.id, id, EVENT_TEMPLATE_ID_SIZE) != 0) {
		entry = entry->next[BY_ID];
	}
	return entry;
}

static struct alias *alias_slot(struct event_dict *dict, uint64_t hash)
{
	return &dict->aliases[hash % NUM_ALIASES];
}

static struct entry *alias_find(struct event_dict *dict, uint64_t hash,
				const uint8_t *raw, size_t len)
{
	const struct alias *alias = alias_slot(dict, hash);

	if (alias->entry == NULL || alias->hash != hash || alias->len != len ||
	    memcmp(alias->raw, raw, len) != 0) {
		return NULL;
	}
	return alias->entry;
}

/* Only a shortcut: without memory it is not taken. */
static void alias_add(struct event_dict *dict, uint64_t hash,
		      const uint8_t *raw, size_t len, struct entry *entry)
{
	struct alias *alias = alias_slot(dict, hash);

	if (len > ALIAS_LEN_MAX) {
		return;
	}
	TALLOC_FREE(alias->raw);
	*alias = (struct alias){0};
	alias->raw = talloc_memdup(dict, raw, len);
	if (alias->raw == NULL) {
		return;
	}
	alias->hash = hash;
	alias->len = len;
	alias->entry = entry;
}

static void aliases_drop(struct event_dict *dict, const struct entry *entry)
{
	size_t i;

	for (i = 0; i < NUM_ALIASES; i++) {
		if (dict->aliases[i].entry == entry) {
			TALLOC_FREE(dict->aliases[i].raw);
			dict->aliases[i] = (struct alias){0};
		}
	}
}

struct event_dict *event_dict_create(TALLOC_CTX *mem_ctx,
				     const struct event_dict_limits *limits)
{
	static const struct event_dict_limits defaults = {
		.max_templates = DEFAULT_MAX_TEMPLATES,
		.max_bytes = DEFAULT_MAX_BYTES,
	};
	struct event_dict *dict = NULL;

	dict = talloc_zero(mem_ctx, struct event_dict);
	if (dict == NULL) {
		return NULL;
	}
	dict->limits = limits != NULL ? *limits : defaults;
	dict->num_buckets = FIRST_BUCKETS;
	dict->next_no = 1;
	buf_init(&dict->scratch, dict, EVENT_WIRE_MAX);
	/* Without randomness the tables work, only more predictably. */
	(void)gnutls_rnd(GNUTLS_RND_NONCE, dict->seed, sizeof(dict->seed));

	dict->tables = talloc_zero_array(dict, struct entry *,
					 NUM_KEYS * dict->num_buckets);
	if (dict->tables == NULL) {
		TALLOC_FREE(dict);
	}
	return dict;
}

void event_dict_set_loader(struct event_dict *dict, event_dict_loader loader,
			   void *private_data)
{
	dict->loader = loader;
	dict->loader_data = private_data;
}

void event_dict_set_next_no(struct event_dict *dict, uint32_t no)
{
	dict->next_no = no;
}

uint32_t event_dict_next_no(const struct event_dict *dict)
{
	return dict->next_no;
}

uint32_t event_dict_count(const struct event_dict *dict)
{
	return dict->count;
}

/*
 * The GUID to send for the definition in scratch: the one it came with unless
 * that stands for another definition already, else one made from its bytes.
 * Whoever took that one in advance as a GUID of his own makes us try the next.
 */
static void choose_guid(const struct event_dict *dict, const uint8_t *def,
			size_t def_len, const uint8_t *id, struct ev_guid *guid)
{
	uint8_t name[EVENT_TEMPLATE_ID_SIZE + 4];
	uint32_t i = 0;

	if (find_guid(dict, guid) == NULL) {
		return;
	}
	ev_guid_from_bytes(def, def_len, guid);
	memcpy(name, id, EVENT_TEMPLATE_ID_SIZE);
	while (find_guid(dict, guid) != NULL) {
		le32_set(name + EVENT_TEMPLATE_ID_SIZE, i++);
		ev_guid_from_bytes(name, sizeof(name), guid);
	}
}

/* A new entry for the definition in scratch; no is free. */
static everr_t entry_add(struct event_dict *dict, uint32_t no,
			 const struct ev_guid *guid, const uint8_t *id,
			 const struct event_definition_needs *needs,
			 struct entry **ret_entry)
{
	const struct buf *scratch = &dict->scratch;
	struct entry *entry = NULL;

	if (dict->count >= dict->limits.max_templates ||
	    scratch->len > dict->limits.max_bytes - dict->bytes) {
		return EVERR_LIMIT;
	}
	entry = talloc_zero(dict, struct entry);
	if (entry == NULL) {
		return EVERR_NOMEM;
	}
	entry->t.def = talloc_memdup(entry, scratch->data, scratch->len);
	if (entry->t.def == NULL) {
		TALLOC_FREE(entry);
		return EVERR_NOMEM;
	}
	entry->t.def_len = (uint32_t)scratch->len;
	entry->t.no = no;
	entry->t.num_values = needs->num_values;
	entry->t.depth = needs->depth;
	entry->t.guid = *guid;
	memcpy(entry->t.id, id, EVENT_TEMPLATE_ID_SIZE);
	choose_guid(dict, entry->t.def, entry->t.def_len, id, &entry->t.guid);

	if (dict->count >= dict->num_buckets) {
		tables_grow(dict);
	}
	tables_insert(dict, entry);
	dict->count++;
	dict->bytes += entry->t.def_len;
	if (no >= dict->next_no) {
		dict->next_no = no + 1;
	}
	*ret_entry = entry;
	return EVERR_OK;
}

/* Check and normalise into scratch; *id is what identifies the definition. */
static everr_t normalise(struct event_dict *dict, const uint8_t *def,
			 size_t len, struct event_definition_needs *ret_needs,
			 uint8_t *ret_id)
{
	everr_t err;
	int rc;

	buf_reset(&dict->scratch);
	err = event_definition_normalise(&dict->scratch, def, len, ret_needs);
	if (err != EVERR_OK) {
		return err;
	}
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, dict->scratch.data,
			      dict->scratch.len, ret_id);
	return rc == 0 ? EVERR_OK : EVERR_INTERNAL;
}

static everr_t intern_slowly(struct event_dict *dict,
			     const struct ev_guid *guid, const uint8_t *def,
			     size_t len, struct entry **ret_entry)
{
	struct event_definition_needs needs = {0};
	uint8_t id[EVENT_TEMPLATE_ID_SIZE];
	struct entry *entry = NULL;
	everr_t err;

	err = normalise(dict, def, len, &needs, id);
	if (err != EVERR_OK) {
		return err;
	}
	entry = find_id(dict, id);
	if (entry == NULL) {
		while (find_no(dict, dict->next_no) != NULL) {
			dict->next_no++;
		}
		/* 0 after the last number there is. */
		if (dict->next_no == 0) {
			return EVERR_LIMIT;
		}
		err = entry_add(dict, dict->next_no, guid, id, &needs, &entry);
		if (err != EVERR_OK) {
			return err;
		}
	}
	*ret_entry = entry;
	return EVERR_OK;
}

everr_t event_dict_intern(struct event_dict *dict, const struct ev_guid *guid,
			  const uint8_t *def, size_t len,
			  struct event_template **ret_template)
{
	struct entry *entry = NULL;
	uint64_t hash;
	everr_t err;

	/* The common case: these bytes under this GUID. */
	entry = find_guid(dict, guid);
	if (entry != NULL && entry->t.def_len == len &&
	    memcmp(entry->t.def, def, len) == 0) {
		*ret_template = &entry->t;
		return EVERR_OK;
	}

	hash = raw_hash(dict, def, len);
	entry = alias_find(dict, hash, def, len);
	if (entry == NULL) {
		err = intern_slowly(dict, guid, def, len, &entry);
		if (err != EVERR_OK) {
			return err;
		}
		alias_add(dict, hash, def, len, entry);
	}
	*ret_template = &entry->t;
	return EVERR_OK;
}

everr_t event_dict_load(struct event_dict *dict, uint32_t no,
			const struct ev_guid *guid, const uint8_t *def,
			size_t len, struct event_template **ret_template)
{
	struct event_definition_needs needs = {0};
	uint8_t id[EVENT_TEMPLATE_ID_SIZE];
	struct entry *entry = NULL;
	everr_t err;

	err = normalise(dict, def, len, &needs, id);
	if (err != EVERR_OK) {
		return err;
	}
	if (dict->scratch.len != len ||
	    memcmp(dict->scratch.data, def, len) != 0) {
		return EVERR_BINXML_TOKEN;
	}

	entry = find_no(dict, no);
	if (entry == NULL) {
		err = entry_add(dict, no, guid, id, &needs, &entry);
		if (err != EVERR_OK) {
			return err;
		}
	} else if (memcmp(entry->t.id, id, sizeof(id)) != 0) {
		return EVERR_EXISTS;
	}
	*ret_template = &entry->t;
	return EVERR_OK;
}

everr_t event_dict_get(struct event_dict *dict, uint32_t no,
		       struct event_template **ret_template)
{
	struct entry *entry = find_no(dict, no);
	everr_t err;

	if (entry == NULL && dict->loader != NULL) {
		err = dict->loader(dict, no, dict->loader_data);
		if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
			return err;
		}
		entry = find_no(dict, no);
	}
	if (entry == NULL) {
		return EVERR_TEMPLATE_UNKNOWN;
	}
	*ret_template = &entry->t;
	return EVERR_OK;
}

void event_dict_forget(struct event_dict *dict, uint32_t no)
{
	struct entry *entry = find_no(dict, no);

	if (entry == NULL) {
		return;
	}
	tables_remove(dict, entry);
	aliases_drop(dict, entry);
	dict->count--;
	dict->bytes -= entry->t.def_len;
	TALLOC_FREE(entry);
}
