/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/settings.h"

#include "base/text.h"
#include "rpc/sddl.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

/* "rpc/channel/4294967295" */
#define STATE_NAME_MAX 32
/* Bytes of a state before the properties. */
#define STATE_HEAD 8

/* Handed on to the store, which obeys them. */
static const enum rpc_property stored[] = {
	RPC_PROPERTY_ENABLED, RPC_PROPERTY_MAX_SIZE, RPC_PROPERTY_ACCESS,
	RPC_PROPERTY_RETENTION};
#define NUM_STORED (sizeof(stored) / sizeof(stored[0]))

/* Most layers say nothing. */
static const struct rpc_properties nothing;

/* What is known of a channel of the store. */
struct entry {
	struct store_channel *channel;
	enum rpc_channel_origin origin;
	uint64_t max_age;
	/* Levels 1 to 3 of settings.h; never NULL. */
	const struct rpc_properties *fixed;
	const struct rpc_properties *changed; /* by clients */
	const struct rpc_properties *given;
	uint64_t round; /* of rpc_settings_apply() when a source named it */
	bool damaged;	/* what clients had set could not be read */
	bool reported;
};

/* What clients will have set when opnum 15 says so. */
struct pending {
	TAILQ_ENTRY(pending) link;
	char *name;
	struct rpc_properties *changed;
	size_t bytes;
	uint64_t generation; /* of all pending copies' changes */
};

struct rpc_settings {
	struct store *store;
	struct entry **entries; /* by channel id */
	size_t num_entries;
	TAILQ_HEAD(, pending) pending;
	size_t num_pending;
	size_t pending_bytes;
	uint64_t generation;
	uint64_t round; /* rpc_settings_apply() calls */
};

everr_t rpc_settings_create(TALLOC_CTX *mem_ctx, struct store *store,
			    struct rpc_settings **ret_settings)
{
	struct rpc_settings *settings = NULL;

	settings = talloc_zero(mem_ctx, struct rpc_settings);
	if (settings == NULL) {
		return EVERR_NOMEM;
	}
	settings->store = store;
	TAILQ_INIT(&settings->pending);
	*ret_settings = settings;
	return EVERR_OK;
}

/* ------------------------------------------------------------- entries */

static void state_name(const struct store_channel *channel,
		       char out[STATE_NAME_MAX])
{
	struct store_channel_info info;

	store_channel_info((struct store_channel *)channel, &info);
	(void)snprintf(out, STATE_NAME_MAX, "rpc/channel/%u",
		       (unsigned int)info.id);
}

static void layer_set(const struct rpc_properties **layer,
		      const struct rpc_properties *properties)
{
	if (*layer != &nothing) {
		talloc_free((void *)*layer);
	}
	*layer = properties;
}

/* from NULL: it says nothing. */
static everr_t layer_copy(struct entry *entry,
			  const struct rpc_properties **layer,
			  const struct rpc_properties *from)
{
	struct rpc_properties *copy = NULL;
	everr_t err;

	if (from == NULL || from->set == 0) {
		layer_set(layer, &nothing);
		return EVERR_OK;
	}
	copy = rpc_properties_create(entry);
	err = copy != NULL ? rpc_properties_overlay(copy, from) : EVERR_NOMEM;
	if (err != EVERR_OK) {
		TALLOC_FREE(copy);
		return err;
	}
	layer_set(layer, copy);
	return EVERR_OK;
}

/*
 * The channel's creation time, then the properties: a channel that was removed
 * may leave its number to another one, but not what it was set to.
 */
static everr_t state_pack(const struct store_channel *channel,
			  const struct rpc_properties *changed, struct buf *out)
{
	struct store_channel_info info;

	store_channel_info((struct store_channel *)channel, &info);
	buf_put_u64(out, info.creation_time);
	return rpc_properties_pack(out, changed);
}

/* EVERR_NOT_FOUND: another channel's. */
static everr_t state_unpack(struct entry *entry, const uint8_t *data,
			    size_t len, struct rpc_properties **ret_changed)
{
	struct store_channel_info info;

	if (len < STATE_HEAD) {
		return EVERR_STORE_CORRUPT;
	}
	store_channel_info(entry->channel, &info);
	if (le64_get(data) != info.creation_time) {
		return EVERR_NOT_FOUND;
	}
	return rpc_properties_unpack(entry, data + STATE_HEAD, len - STATE_HEAD,
				     ret_changed);
}

/* What the store does now, as properties. */
static everr_t add_stored(struct rpc_properties *properties,
			  const struct store_channel_config *config)
{
	rpc_properties_set_number(properties, RPC_PROPERTY_ENABLED,
				  config->enabled);
	rpc_properties_set_number(properties, RPC_PROPERTY_MAX_SIZE,
				  config->max_bytes);
	rpc_properties_set_number(properties, RPC_PROPERTY_RETENTION,
				  config->retain);
	if (config->sddl == NULL) {
		rpc_properties_unset(properties, RPC_PROPERTY_ACCESS);
		return EVERR_OK;
	}
	return rpc_properties_set_text(properties, RPC_PROPERTY_ACCESS,
				       config->sddl);
}

/*
 * What the store obeys it knows by itself: that much is left, lest a channel
 * be open to those whom its access string had kept out.
 */
static everr_t entry_salvage(struct entry *entry)
{
	struct rpc_properties *changed = rpc_properties_create(entry);
	struct store_channel_info info;
	everr_t err;

	if (changed == NULL) {
		return EVERR_NOMEM;
	}
	store_channel_info(entry->channel, &info);
	err = add_stored(changed, &info.config);
	if (err != EVERR_OK) {
		TALLOC_FREE(changed);
		return err;
	}
	entry->changed = changed;
	entry->damaged = true;
	return EVERR_OK;
}

/* What clients have set before; damage is remembered. */
static everr_t entry_load(struct rpc_settings *settings, struct entry *entry)
{
	struct rpc_properties *changed = NULL;
	char name[STATE_NAME_MAX];
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	state_name(entry->channel, name);
	err = store_state_get(entry, settings->store, name, &data, &len);
	if (err == EVERR_OK) {
		err = state_unpack(entry, data, len, &changed);
		TALLOC_FREE(data);
	}
	switch (err) {
	case EVERR_OK:
		entry->changed = changed;
		return EVERR_OK;
	case EVERR_STORE_CORRUPT:
	case EVERR_STORE_VERSION:
		return entry_salvage(entry);
	case EVERR_NOT_FOUND:
		return EVERR_OK;
	default:
		return err;
	}
}

static everr_t entries_grow(struct rpc_settings *settings, uint32_t id)
{
	size_t num = (size_t)id + 64;
	struct entry **entries = NULL;

	if (id < settings->num_entries) {
		return EVERR_OK;
	}
	entries = talloc_realloc(settings, settings->entries, struct entry *,
				 num);
	if (entries == NULL) {
		return EVERR_NOMEM;
	}
	memset(entries + settings->num_entries, 0,
	       (num - settings->num_entries) * sizeof(struct entry *));
	settings->entries = entries;
	settings->num_entries = num;
	return EVERR_OK;
}

/*
 * The channel's entry; what the store keeps for it is read the first time.
 * EVERR_CHANNEL_NOT_FOUND: it was removed, and its number may be another's.
 */
static everr_t entry_of(struct rpc_settings *settings,
			struct store_channel *channel, struct entry **ret_entry)
{
	struct store_channel_info info;
	struct entry *entry = NULL;
	everr_t err;

	if (store_channel_removed(channel)) {
		return EVERR_CHANNEL_NOT_FOUND;
	}
	store_channel_info(channel, &info);
	err = entries_grow(settings, info.id);
	if (err != EVERR_OK) {
		return err;
	}
	entry = settings->entries[info.id];
	if (entry != NULL && entry->channel == channel) {
		*ret_entry = entry;
		return EVERR_OK;
	}
	/* Of a channel that is no more. */
	TALLOC_FREE(settings->entries[info.id]);

	entry = talloc_zero(settings, struct entry);
	if (entry == NULL) {
		return EVERR_NOMEM;
	}
	entry->channel = channel;
	entry->max_age = info.config.max_age;
	entry->fixed = &nothing;
	entry->changed = &nothing;
	entry->given = &nothing;
	err = entry_load(settings, entry);
	if (err != EVERR_OK) {
		TALLOC_FREE(entry);
		return err;
	}
	settings->entries[info.id] = entry;
	*ret_entry = entry;
	return EVERR_OK;
}

static void entry_drop(struct rpc_settings *settings,
		       struct store_channel *channel)
{
	struct store_channel_info info;

	store_channel_info(channel, &info);
	if (info.id < settings->num_entries &&
	    settings->entries[info.id] != NULL &&
	    settings->entries[info.id]->channel == channel) {
		TALLOC_FREE(settings->entries[info.id]);
	}
}

/* -------------------------------------------------------------- layers */

/* All levels on top of each other; changed may be another than the entry's. */
static everr_t merge(TALLOC_CTX *mem_ctx, const struct entry *entry,
		     const struct rpc_properties *changed,
		     struct rpc_properties **ret_properties)
{
	struct rpc_properties *properties = rpc_properties_create(mem_ctx);
	struct store_channel_info info;
	everr_t err;

	if (properties == NULL) {
		return EVERR_NOMEM;
	}
	store_channel_info(entry->channel, &info);
	err = rpc_properties_defaults(properties, info.name);
	/* Nobody else knows what a channel without a source began as. */
	if (err == EVERR_OK && entry->origin == RPC_CHANNEL_OF_CLIENT) {
		err = add_stored(properties, &info.config);
	}
	if (err == EVERR_OK) {
		err = rpc_properties_overlay(properties, entry->given);
	}
	if (err == EVERR_OK) {
		err = rpc_properties_overlay(properties, changed);
	}
	if (err == EVERR_OK) {
		err = rpc_properties_overlay(properties, entry->fixed);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(properties);
		return err;
	}
	*ret_properties = properties;
	return EVERR_OK;
}

static struct store_channel_config store_config(
	const struct rpc_properties *properties, uint64_t max_age)
{
	const struct rpc_value *values = properties->values;

	return (struct store_channel_config){
		.enabled = values[RPC_PROPERTY_ENABLED].number != 0,
		.max_bytes = values[RPC_PROPERTY_MAX_SIZE].number,
		.max_age = max_age,
		.retain = values[RPC_PROPERTY_RETENTION].number != 0,
		.sddl = values[RPC_PROPERTY_ACCESS].text,
	};
}

/* Let the store do what the levels say together. */
static everr_t entry_define(struct rpc_settings *settings, struct entry *entry)
{
	struct store_channel *channel = NULL;
	struct store_channel_config config;
	struct rpc_properties *all = NULL;
	everr_t err;

	err = merge(entry, entry, entry->changed, &all);
	if (err != EVERR_OK) {
		return err;
	}
	config = store_config(all, entry->max_age);
	err = store_channel_define(settings->store,
				   store_channel_name(entry->channel), &config,
				   &channel);
	TALLOC_FREE(all);
	return err;
}

/* ------------------------------------------------------------- sources */

/*
 * A channel that is new here begins with what its source says; clients cannot
 * have set anything of it yet.
 */
static everr_t source_create(struct rpc_settings *settings,
			     const struct rpc_channel_source *source,
			     struct store_channel **ret_channel)
{
	struct store_channel_config config;
	struct rpc_properties *all = NULL;
	everr_t err;

	if (!store_channel_name_valid(source->name)) {
		return EVERR_CHANNEL_NAME;
	}
	all = rpc_properties_create(settings);
	err = all != NULL ? rpc_properties_defaults(all, source->name)
			  : EVERR_NOMEM;
	if (err == EVERR_OK && source->given != NULL) {
		err = rpc_properties_overlay(all, source->given);
	}
	if (err == EVERR_OK && source->fixed != NULL) {
		err = rpc_properties_overlay(all, source->fixed);
	}
	if (err == EVERR_OK) {
		config = store_config(all, source->max_age);
		err = store_channel_define(settings->store, source->name,
					   &config, ret_channel);
	}
	TALLOC_FREE(all);
	return err;
}

static everr_t source_apply(struct rpc_settings *settings,
			    const struct rpc_channel_source *source)
{
	struct store_channel *channel = NULL;
	struct entry *entry = NULL;
	everr_t err;

	err = store_channel_find(settings->store, source->name, &channel);
	if (err == EVERR_CHANNEL_NOT_FOUND) {
		err = source_create(settings, source, &channel);
	}
	if (err == EVERR_OK) {
		err = entry_of(settings, channel, &entry);
	}
	if (err != EVERR_OK) {
		return err;
	}
	entry->origin = source->origin;
	entry->max_age = source->max_age;
	entry->round = settings->round;
	err = layer_copy(entry, &entry->fixed, source->fixed);
	if (err == EVERR_OK) {
		err = layer_copy(entry, &entry->given, source->given);
	}
	if (err == EVERR_OK) {
		err = entry_define(settings, entry);
	}
	return err;
}

/*
 * A channel without a source is the store's: only what clients have set is
 * done again, should a crash have come between their answer and the store.
 */
static everr_t orphan_apply(struct rpc_settings *settings,
			    struct store_channel *channel)
{
	struct entry *entry = NULL;
	everr_t err;

	err = entry_of(settings, channel, &entry);
	if (err != EVERR_OK || entry->round == settings->round) {
		return err;
	}
	entry->origin = RPC_CHANNEL_OF_CLIENT;
	layer_set(&entry->fixed, &nothing);
	layer_set(&entry->given, &nothing);
	return entry->changed->set != 0 ? entry_define(settings, entry)
					: EVERR_OK;
}

everr_t rpc_settings_apply(struct rpc_settings *settings,
			   const struct rpc_channel_source *sources,
			   size_t num_sources, const char **ret_name)
{
	struct store_channel *channel = NULL;
	everr_t err = EVERR_OK;
	size_t i;

	*ret_name = NULL;
	settings->round++;
	for (i = 0; i < num_sources && err == EVERR_OK; i++) {
		*ret_name = sources[i].name;
		err = source_apply(settings, &sources[i]);
	}
	for (i = 0; err == EVERR_OK; i++) {
		channel = store_channel_at(settings->store, i);
		if (channel == NULL) {
			break;
		}
		*ret_name = store_channel_name(channel);
		err = orphan_apply(settings, channel);
	}
	return err;
}

void rpc_settings_report(struct rpc_settings *settings,
			 struct operational *operational)
{
	size_t i;

	for (i = 0; i < settings->num_entries; i++) {
		struct entry *entry = settings->entries[i];
		const char *fields[2] = {"Channel"};

		if (entry == NULL || !entry->damaged || entry->reported) {
			continue;
		}
		fields[1] = store_channel_name(entry->channel);
		entry->reported = true;
		operational_report(operational, OPERATIONAL_SETTINGS_DAMAGED,
				   fields[1], fields, 1);
	}
}

/* ----------------------------------------------------------- questions */

enum rpc_channel_origin rpc_settings_origin(struct rpc_settings *settings,
					    struct store_channel *channel)
{
	struct entry *entry = NULL;
	everr_t err;

	err = entry_of(settings, channel, &entry);
	return err == EVERR_OK ? entry->origin : RPC_CHANNEL_BUILT_IN;
}

everr_t rpc_settings_get(TALLOC_CTX *mem_ctx, struct rpc_settings *settings,
			 struct store_channel *channel,
			 struct rpc_properties **ret_properties)
{
	struct rpc_properties *properties = NULL;
	struct store_channel_info info;
	struct entry *entry = NULL;
	everr_t err;

	err = entry_of(settings, channel, &entry);
	if (err == EVERR_OK) {
		err = merge(mem_ctx, entry, entry->changed, &properties);
	}
	if (err != EVERR_OK) {
		return err;
	}
	store_channel_info(channel, &info);
	err = add_stored(properties, &info.config);
	if (err != EVERR_OK) {
		TALLOC_FREE(properties);
		return err;
	}
	*ret_properties = properties;
	return EVERR_OK;
}

bool rpc_settings_direct(struct rpc_settings *settings,
			 struct store_channel *channel)
{
	const uint32_t bit = RPC_PROPERTY_BIT(RPC_PROPERTY_TYPE);
	const struct rpc_properties *layers[3];
	struct entry *entry = NULL;
	everr_t err;
	size_t i;

	err = entry_of(settings, channel, &entry);
	if (err != EVERR_OK) {
		return false;
	}
	layers[0] = entry->fixed;
	layers[1] = entry->changed;
	layers[2] = entry->given;
	for (i = 0; i < 3; i++) {
		if (layers[i]->set & bit) {
			return layers[i]->values[RPC_PROPERTY_TYPE].number >=
			       RPC_CHANNEL_ANALYTIC;
		}
	}
	return false;
}

/* ------------------------------------------------------------- pending */

static struct pending *pending_find(struct rpc_settings *settings,
				    const char *name)
{
	struct pending *pending = NULL;

	TAILQ_FOREACH(pending, &settings->pending, link)
	{
		if (text_name_equal(pending->name, name)) {
			return pending;
		}
	}
	return NULL;
}

static void pending_drop(struct rpc_settings *settings, struct pending *pending)
{
	if (pending == NULL) {
		return;
	}
	TAILQ_REMOVE(&settings->pending, pending, link);
	settings->num_pending--;
	settings->pending_bytes -= pending->bytes;
	TALLOC_FREE(pending);
}

bool rpc_settings_pending(struct rpc_settings *settings, const char *name)
{
	return pending_find(settings, name) != NULL;
}

static const struct entry *entry_find(const struct rpc_settings *settings,
				      const char *name)
{
	struct store_channel *channel = NULL;
	struct store_channel_info info;
	const struct entry *entry = NULL;

	if (store_channel_find(settings->store, name, &channel) != EVERR_OK) {
		return NULL;
	}
	store_channel_info(channel, &info);
	if (info.id < settings->num_entries) {
		entry = settings->entries[info.id];
	}
	return entry != NULL && entry->channel == channel ? entry : NULL;
}

bool rpc_settings_pending_access(struct rpc_settings *settings,
				 const char *name)
{
	const struct pending *pending = pending_find(settings, name);
	const struct entry *entry = entry_find(settings, name);

	return pending != NULL &&
	       !rpc_properties_same(pending->changed,
				    entry != NULL ? entry->changed : &nothing,
				    RPC_PROPERTY_ACCESS);
}

/* Put changed in place of what was pending, when there is room. */
static everr_t pending_put(struct rpc_settings *settings, const char *name,
			   struct rpc_properties *changed)
{
	struct pending *old = pending_find(settings, name);
	size_t old_bytes = old != NULL ? old->bytes : 0;
	struct pending *pending = talloc_zero(settings, struct pending);

	if (pending == NULL) {
		return EVERR_NOMEM;
	}
	pending->name = talloc_strdup(pending, name);
	if (pending->name == NULL) {
		TALLOC_FREE(pending);
		return EVERR_NOMEM;
	}
	pending->bytes =
		talloc_total_size(changed) + sizeof(*pending) + strlen(name);
	if ((old == NULL && settings->num_pending >= RPC_PENDING_MAX) ||
	    settings->pending_bytes - old_bytes + pending->bytes >
		    RPC_PENDING_BYTES_MAX) {
		TALLOC_FREE(pending);
		return EVERR_LIMIT;
	}
	pending_drop(settings, old);
	pending->changed = talloc_steal(pending, changed);
	pending->generation = ++settings->generation;
	settings->pending_bytes += pending->bytes;
	settings->num_pending++;
	TAILQ_INSERT_TAIL(&settings->pending, pending, link);
	return EVERR_OK;
}

/* ------------------------------------------------------------- changes */

/*
 * The values that a channel without a source falls back to.  They are set like
 * any other, because nothing but the store would know them: facts 12.1 gives
 * what opnum 21 creates the access string of Application.
 */
static everr_t set_initial(struct rpc_properties *changed, uint32_t which)
{
	struct rpc_properties *initial = NULL;
	everr_t err;
	size_t i;

	if (which == 0) {
		return EVERR_OK;
	}
	initial = rpc_properties_create(changed);
	if (initial == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_properties_defaults(initial, "");
	if (err == EVERR_OK) {
		err = rpc_properties_set_text(initial, RPC_PROPERTY_ACCESS,
					      rpc_sddl_default("Application"));
	}
	for (i = 0; i < RPC_PROPERTIES && err == EVERR_OK; i++) {
		if (!(which & RPC_PROPERTY_BIT(i))) {
			rpc_properties_unset(initial, i);
		}
	}
	if (err == EVERR_OK) {
		err = rpc_properties_overlay(changed, initial);
	}
	TALLOC_FREE(initial);
	return err;
}

static uint32_t stored_bits(void)
{
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < NUM_STORED; i++) {
		bits |= RPC_PROPERTY_BIT(stored[i]);
	}
	return bits;
}

/* What the pending copy begins as. */
static everr_t change_begin(TALLOC_CTX *mem_ctx, struct rpc_settings *settings,
			    const char *name, bool reset,
			    const struct entry *entry,
			    struct rpc_properties **ret_changed)
{
	const struct pending *pending = pending_find(settings, name);
	const struct rpc_properties *from = NULL;
	struct rpc_properties *changed = NULL;
	everr_t err;

	if (!reset && pending != NULL) {
		from = pending->changed;
	} else if (!reset && entry != NULL) {
		from = entry->changed;
	}
	changed = rpc_properties_create(mem_ctx);
	if (changed == NULL) {
		return EVERR_NOMEM;
	}
	err = from != NULL ? rpc_properties_overlay(changed, from) : EVERR_OK;
	if (err == EVERR_OK && from == NULL &&
	    (entry == NULL || entry->origin == RPC_CHANNEL_OF_CLIENT)) {
		err = set_initial(changed, stored_bits());
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(changed);
		return err;
	}
	*ret_changed = changed;
	return EVERR_OK;
}

static everr_t change_merge(struct rpc_properties *changed,
			    const struct entry *entry,
			    const struct rpc_property_changes *changes)
{
	uint32_t keep = 0;
	everr_t err;
	uint32_t i;

	if (entry == NULL || entry->origin == RPC_CHANNEL_OF_CLIENT) {
		keep = stored_bits();
	}
	for (i = 0; i < RPC_PROPERTIES; i++) {
		if (changes->reset & ~keep & RPC_PROPERTY_BIT(i)) {
			rpc_properties_unset(changed, i);
		}
	}
	err = set_initial(changed, changes->reset & keep);
	if (err != EVERR_OK) {
		return err;
	}
	return rpc_properties_overlay(changed, changes->to);
}

/*
 * What evenlog.conf fixes stays; and the service's own channels are of the kind
 * that they are: Application stays an Admin log.
 */
static bool change_allowed(const struct entry *entry,
			   const struct rpc_properties *to,
			   enum rpc_property property)
{
	if ((entry->fixed->set & RPC_PROPERTY_BIT(property)) &&
	    !rpc_properties_same(entry->fixed, to, property)) {
		return false;
	}
	return entry->origin != RPC_CHANNEL_BUILT_IN ||
	       (property != RPC_PROPERTY_TYPE &&
		property != RPC_PROPERTY_ISOLATION) ||
	       rpc_properties_same(entry->given, to, property);
}

static everr_t change_check(const struct entry *entry,
			    const struct rpc_properties *to,
			    uint32_t *ret_property)
{
	uint32_t i;

	for (i = 0; i < RPC_PROPERTIES; i++) {
		if ((to->set & RPC_PROPERTY_BIT(i)) &&
		    !change_allowed(entry, to, i)) {
			*ret_property = i;
			return EVERR_NOT_CHANGEABLE;
		}
	}
	return EVERR_OK;
}

/* Whether the store can keep it, before anybody relies on it. */
static everr_t change_fits(const struct rpc_properties *changed)
{
	struct buf packed;
	everr_t err;

	buf_init(&packed, (void *)changed, 2 * RPC_PROPERTIES_PACKED_MAX);
	err = rpc_properties_pack(&packed, changed);
	buf_free(&packed);
	return err;
}

everr_t rpc_settings_change(struct rpc_settings *settings, const char *name,
			    bool reset,
			    const struct rpc_property_changes *changes,
			    uint32_t *ret_property)
{
	struct store_channel *channel = NULL;
	struct rpc_properties *changed = NULL;
	struct entry *entry = NULL;
	everr_t err;

	if (!store_channel_name_valid(name)) {
		return EVERR_CHANNEL_NAME;
	}
	err = store_channel_find(settings->store, name, &channel);
	if (err == EVERR_OK) {
		err = entry_of(settings, channel, &entry);
	} else if (err == EVERR_CHANNEL_NOT_FOUND) {
		err = EVERR_OK;
	}
	if (err == EVERR_OK && entry != NULL) {
		err = change_check(entry, changes->to, ret_property);
	}
	if (err == EVERR_OK) {
		err = change_begin(settings, settings, name, reset, entry,
				   &changed);
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = change_merge(changed, entry, changes);
	if (err == EVERR_OK) {
		err = change_fits(changed);
	}
	if (err == EVERR_OK) {
		err = pending_put(settings, name, changed);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(changed);
	}
	return err;
}

/* -------------------------------------------------------------- assert */

struct assert_state {
	struct rpc_settings *settings;
	struct store_channel *channel;
	char *name;
	uint64_t generation;
	struct rpc_properties *changed;
	bool created;
	char *text;
};

/* "Enabled=0, MaxSize=67108864" */
static char *properties_text(TALLOC_CTX *mem_ctx,
			     const struct rpc_properties *properties)
{
	char *text = talloc_strdup(mem_ctx, "");
	uint32_t i;

	for (i = 0; i < RPC_PROPERTIES && text != NULL; i++) {
		const struct rpc_value *value = &properties->values[i];
		const char *comma = text[0] != '\0' ? ", " : "";

		if (!(properties->set & RPC_PROPERTY_BIT(i))) {
			continue;
		}
		if (value->text != NULL) {
			text = talloc_asprintf_append(text, "%s%s=%s", comma,
						      rpc_property_name(i),
						      value->text);
		} else if (value->list != NULL) {
			text = talloc_asprintf_append(
				text, "%s%s=(%zu names)", comma,
				rpc_property_name(i), value->num_list);
		} else {
			text = talloc_asprintf_append(
				text, "%s%s=%llu", comma, rpc_property_name(i),
				(unsigned long long)value->number);
		}
	}
	return text;
}

/* In the store under its own name, with what it begins as. */
static everr_t assert_create(struct assert_state *state)
{
	struct store_channel_config config = store_config(state->changed, 0);
	struct rpc_settings *settings = state->settings;
	everr_t err;

	err = store_channel_define(settings->store, state->name, &config,
				   &state->channel);
	if (err == EVERR_OK) {
		state->created = true;
	}
	return err;
}

static everr_t assert_prepare(struct assert_state *state)
{
	struct rpc_settings *settings = state->settings;
	const struct pending *pending = pending_find(settings, state->name);
	everr_t err;

	err = store_channel_find(settings->store, state->name, &state->channel);
	if (err != EVERR_OK &&
	    (err != EVERR_CHANNEL_NOT_FOUND || pending == NULL)) {
		return err;
	}
	if (pending == NULL) {
		return EVERR_OK;
	}
	state->generation = pending->generation;
	state->changed = rpc_properties_create(state);
	if (state->changed == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_properties_overlay(state->changed, pending->changed);
	if (err != EVERR_OK) {
		return err;
	}
	state->text = properties_text(state, state->changed);
	if (state->text == NULL) {
		return EVERR_NOMEM;
	}
	return state->channel == NULL ? assert_create(state) : EVERR_OK;
}

/* Write what clients have set; NULL: out of memory. */
static struct tevent_req *state_write_send(TALLOC_CTX *mem_ctx,
					   struct tevent_context *ev,
					   struct store_channel *channel,
					   const struct rpc_properties *changed)
{
	struct tevent_req *req = NULL;
	char name[STATE_NAME_MAX];
	struct store_state state;
	struct buf packed;
	everr_t err;

	state_name(channel, name);
	buf_init(&packed, mem_ctx, 2 * RPC_PROPERTIES_PACKED_MAX);
	err = changed != NULL ? state_pack(channel, changed, &packed)
			      : EVERR_OK;
	if (err == EVERR_OK) {
		state = (struct store_state){
			.name = name,
			.data = packed.data,
			.len = packed.len,
		};
		req = store_append_send(mem_ctx, ev, channel, NULL, 0, &state,
					1);
	}
	buf_free(&packed);
	return req;
}

static void assert_written(struct tevent_req *subreq);

struct tevent_req *rpc_settings_assert_send(TALLOC_CTX *mem_ctx,
					    struct tevent_context *ev,
					    struct rpc_settings *settings,
					    const char *name)
{
	struct assert_state *state = NULL;
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct assert_state);
	if (req == NULL) {
		return NULL;
	}
	state->settings = settings;
	state->name = talloc_strdup(state, name);
	if (tevent_req_nomem(state->name, req)) {
		return tevent_req_post(req, ev);
	}
	err = assert_prepare(state);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	if (state->changed == NULL) {
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	subreq = state_write_send(state, ev, state->channel, state->changed);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, assert_written, req);
	return req;
}

/* It is on disk: in force from now on. */
static everr_t assert_activate(struct assert_state *state)
{
	struct rpc_settings *settings = state->settings;
	struct pending *pending = pending_find(settings, state->name);
	struct entry *entry = NULL;
	everr_t err;

	if (store_channel_removed(state->channel)) {
		return EVERR_CHANNEL_NOT_FOUND;
	}
	err = entry_of(settings, state->channel, &entry);
	if (err != EVERR_OK) {
		return err;
	}
	layer_set(&entry->changed, talloc_steal(entry, state->changed));
	entry->damaged = false;
	/* Changes that came meanwhile wait for their own call. */
	if (pending != NULL && pending->generation == state->generation) {
		pending_drop(settings, pending);
	}
	return entry_define(settings, entry);
}

static void assert_written(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct assert_state *state = tevent_req_data(req, struct assert_state);
	everr_t err;

	err = store_append_recv(subreq, NULL, NULL);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		err = assert_activate(state);
	} else if (state->created) {
		/* As if it had never been there; what fails is told already. */
		(void)!store_channel_remove(state->channel);
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

static everr_t settings_end(struct tevent_req *req)
{
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		return EVERR_OK;
	}
	return req_state == TEVENT_REQ_USER_ERROR ? (everr_t)error
						  : EVERR_NOMEM;
}

everr_t rpc_settings_assert_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				 bool *ret_created, char **ret_text)
{
	struct assert_state *state = tevent_req_data(req, struct assert_state);
	everr_t err = settings_end(req);

	if (err == EVERR_OK) {
		*ret_created = state->created;
		*ret_text = talloc_move(mem_ctx, &state->text);
	}
	tevent_req_received(req);
	return err;
}

/* -------------------------------------------------------------- remove */

struct remove_state {
	struct tevent_context *ev;
	struct rpc_settings *settings;
	struct store_channel *channel; /* NULL: it was pending only */
	bool removed;
};

static everr_t remove_check(const struct remove_state *state)
{
	struct entry *entry = NULL;
	everr_t err;

	err = entry_of(state->settings, state->channel, &entry);
	if (err != EVERR_OK) {
		return err;
	}
	return entry->origin == RPC_CHANNEL_OF_CLIENT ||
			       entry->origin == RPC_CHANNEL_OF_MANIFEST
		       ? EVERR_OK
		       : EVERR_NOT_CHANGEABLE;
}

static everr_t remove_prepare(struct remove_state *state, const char *name)
{
	struct rpc_settings *settings = state->settings;
	struct pending *pending = pending_find(settings, name);
	everr_t err;

	err = store_channel_find(settings->store, name, &state->channel);
	if (err == EVERR_CHANNEL_NOT_FOUND && pending != NULL) {
		pending_drop(settings, pending);
		return EVERR_OK;
	}
	return err != EVERR_OK ? err : remove_check(state);
}

static void state_restored(struct tevent_req *subreq)
{
	/* What cannot be written now is still in force until a restart. */
	(void)!store_append_recv(subreq, NULL, NULL);
	TALLOC_FREE(subreq);
}

/* The channel stays after all: so does what clients have set. */
static void state_restore(struct rpc_settings *settings,
			  struct tevent_context *ev,
			  struct store_channel *channel)
{
	struct tevent_req *subreq = NULL;
	struct entry *entry = NULL;
	everr_t err;

	err = entry_of(settings, channel, &entry);
	if (err != EVERR_OK || entry->changed->set == 0) {
		return;
	}
	subreq = state_write_send(settings, ev, channel, entry->changed);
	if (subreq != NULL) {
		tevent_req_set_callback(subreq, state_restored, NULL);
	}
}

static void remove_written(struct tevent_req *subreq);

struct tevent_req *rpc_settings_remove_send(TALLOC_CTX *mem_ctx,
					    struct tevent_context *ev,
					    struct rpc_settings *settings,
					    const char *name)
{
	struct remove_state *state = NULL;
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct remove_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->settings = settings;
	err = remove_prepare(state, name);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	if (state->channel == NULL) {
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	/* Its state first: without it the channel is as its source has it. */
	subreq = state_write_send(state, ev, state->channel, NULL);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, remove_written, req);
	return req;
}

static void remove_written(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct remove_state *state = tevent_req_data(req, struct remove_state);
	struct rpc_settings *settings = state->settings;
	const char *name = store_channel_name(state->channel);
	everr_t err;

	err = store_append_recv(subreq, NULL, NULL);
	TALLOC_FREE(subreq);
	/* By another call, which was faster: what came later stays. */
	if (store_channel_removed(state->channel)) {
		tevent_req_done(req);
		return;
	}
	/* A reload may have given it to evenlog.conf meanwhile. */
	if (err == EVERR_OK) {
		err = remove_check(state);
	}
	if (err == EVERR_OK) {
		err = store_channel_remove(state->channel);
	}
	if (err != EVERR_OK) {
		state_restore(settings, state->ev, state->channel);
		tevent_req_error(req, err);
		return;
	}
	pending_drop(settings, pending_find(settings, name));
	entry_drop(settings, state->channel);
	state->removed = true;
	tevent_req_done(req);
}

everr_t rpc_settings_remove_recv(struct tevent_req *req, bool *ret_removed)
{
	struct remove_state *state = tevent_req_data(req, struct remove_state);
	everr_t err = settings_end(req);

	if (err == EVERR_OK) {
		*ret_removed = state->removed;
	}
	tevent_req_received(req);
	return err;
}
