/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/channels.h"

#include "base/text.h"
#include "rpc/settings.h"

#include <string.h>

/* What Windows says of its own logs (wevtutil gl); ours is like its kind. */
static const struct {
	const char *name;
	uint32_t isolation;
	uint32_t type;
	bool classic;
} built_in[] = {
	{"Application", RPC_ISOLATION_APPLICATION, RPC_CHANNEL_ADMIN, true},
	{"System", RPC_ISOLATION_SYSTEM, RPC_CHANNEL_ADMIN, true},
	{"Security", RPC_ISOLATION_CUSTOM, RPC_CHANNEL_ADMIN, true},
	{"ForwardedEvents", RPC_ISOLATION_CUSTOM, RPC_CHANNEL_OPERATIONAL,
	 false},
	{OPERATIONAL_CHANNEL, RPC_ISOLATION_APPLICATION,
	 RPC_CHANNEL_OPERATIONAL, false},
};

/* What belongs to none of the properties' layers goes into one of the two. */
struct layers {
	struct rpc_properties *fixed;
	struct rpc_properties *given;
};

static struct rpc_properties *layer_of(const struct layers *layers,
				       const struct daemon_channel *channel,
				       enum daemon_channel_key key)
{
	return channel->keys & key ? layers->fixed : layers->given;
}

static void set_built_in(struct rpc_properties *given, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		if (!text_name_equal(name, built_in[i].name)) {
			continue;
		}
		rpc_properties_set_number(given, RPC_PROPERTY_ISOLATION,
					  built_in[i].isolation);
		rpc_properties_set_number(given, RPC_PROPERTY_TYPE,
					  built_in[i].type);
		rpc_properties_set_number(given, RPC_PROPERTY_CLASSIC,
					  built_in[i].classic);
	}
}

/* What the file sets is fixed; its defaults are what clients may change. */
static everr_t set_configured(const struct layers *layers,
			      const struct daemon_channel *channel)
{
	const struct store_channel_config *config = &channel->config;

	rpc_properties_set_number(
		layer_of(layers, channel, DAEMON_CHANNEL_ENABLED),
		RPC_PROPERTY_ENABLED, config->enabled);
	rpc_properties_set_number(
		layer_of(layers, channel, DAEMON_CHANNEL_MAX_SIZE),
		RPC_PROPERTY_MAX_SIZE, config->max_bytes);
	if (config->sddl == NULL) {
		return EVERR_OK;
	}
	return rpc_properties_set_text(
		layer_of(layers, channel, DAEMON_CHANNEL_ACCESS),
		RPC_PROPERTY_ACCESS, config->sddl);
}

/* MaxSize has steps and a range; a manifest may say any number. */
static uint64_t rounded_size(uint64_t bytes)
{
	if (bytes < RPC_MAX_SIZE_LEAST) {
		return RPC_MAX_SIZE_LEAST;
	}
	if (bytes > RPC_MAX_SIZE_MOST) {
		return RPC_MAX_SIZE_MOST;
	}
	return (bytes + RPC_MAX_SIZE_STEP - 1) / RPC_MAX_SIZE_STEP *
	       RPC_MAX_SIZE_STEP;
}

/* AutoBackup stays false: nothing here writes a full channel to a file. */
static everr_t set_of_manifest(struct rpc_properties *given,
			       const struct event_publisher *publisher,
			       const struct event_manifest_channel *channel)
{
	everr_t err;

	rpc_properties_set_number(given, RPC_PROPERTY_ENABLED,
				  channel->enabled);
	rpc_properties_set_number(given, RPC_PROPERTY_ISOLATION,
				  channel->isolation);
	rpc_properties_set_number(given, RPC_PROPERTY_TYPE, channel->type);
	rpc_properties_set_number(given, RPC_PROPERTY_RETENTION,
				  channel->retention);
	if (channel->max_size != 0) {
		rpc_properties_set_number(given, RPC_PROPERTY_MAX_SIZE,
					  rounded_size(channel->max_size));
	}
	err = rpc_properties_set_text(given, RPC_PROPERTY_OWNING_PUBLISHER,
				      publisher->name);
	if (err != EVERR_OK || channel->access == NULL) {
		return err;
	}
	return rpc_properties_set_text(given, RPC_PROPERTY_ACCESS,
				       channel->access);
}

static everr_t source_init(TALLOC_CTX *mem_ctx,
			   const struct daemon_channel *channel,
			   struct rpc_channel_source *ret_source,
			   struct rpc_properties **ret_given)
{
	struct layers layers = {
		.fixed = rpc_properties_create(mem_ctx),
		.given = rpc_properties_create(mem_ctx),
	};

	if (layers.fixed == NULL || layers.given == NULL) {
		return EVERR_NOMEM;
	}
	*ret_source = (struct rpc_channel_source){
		.name = channel->name,
		.origin = channel->built_in ? RPC_CHANNEL_BUILT_IN
					    : RPC_CHANNEL_OF_CONFIG,
		.max_age = channel->config.max_age,
		.fixed = layers.fixed,
		.given = layers.given,
	};
	*ret_given = layers.given;
	set_built_in(layers.given, channel->name);
	return set_configured(&layers, channel);
}

/* All channels, while they are put together. */
struct sources {
	struct rpc_channel_source *list;
	struct rpc_properties **given; /* of each, to be added to */
	size_t num;
	size_t *by_name; /* indices of the list */
	size_t num_new;	 /* of those, not in the store yet */
};

/* Where the name stands in by_name, or would. */
static size_t sources_place(const struct sources *sources, const char *name)
{
	size_t low = 0;
	size_t high = sources->num;
	size_t middle;
	const char *other = NULL;

	while (low < high) {
		middle = low + (high - low) / 2;
		other = sources->list[sources->by_name[middle]].name;
		if (text_name_cmp(other, name) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool sources_find(const struct sources *sources, const char *name,
			 size_t *ret_index)
{
	size_t place = sources_place(sources, name);
	size_t index;

	if (place == sources->num) {
		return false;
	}
	index = sources->by_name[place];
	if (!text_name_equal(sources->list[index].name, name)) {
		return false;
	}
	*ret_index = index;
	return true;
}

static bool in_store(const struct daemon_service *service, const char *name)
{
	struct store_channel *channel = NULL;

	return store_channel_find(service->store, name, &channel) == EVERR_OK;
}

/* The last of the list counts from now on. */
static void sources_added(const struct daemon_service *service,
			  struct sources *sources)
{
	const char *name = sources->list[sources->num].name;
	size_t place = sources_place(sources, name);

	memmove(&sources->by_name[place + 1], &sources->by_name[place],
		(sources->num - place) * sizeof(sources->by_name[0]));
	sources->by_name[place] = sources->num;
	sources->num++;
	sources->num_new += in_store(service, name) ? 0 : 1;
}

static everr_t sources_of_config(const struct daemon_service *service,
				 struct sources *sources,
				 const struct daemon_config *config)
{
	everr_t err;
	size_t i;

	for (i = 0; i < config->num_channels; i++) {
		err = source_init(sources->list, &config->channels[i],
				  &sources->list[i], &sources->given[i]);
		if (err != EVERR_OK) {
			return err;
		}
		sources_added(service, sources);
	}
	return EVERR_OK;
}

/* A channel that nothing else has brought. */
static everr_t add_new(struct daemon_service *service, struct sources *sources,
		       const struct event_publisher *publisher,
		       const struct event_manifest_channel *channel)
{
	struct rpc_properties *given = NULL;
	size_t num;

	/* Those that clients have made count, too. */
	num = store_channel_count(service->store) + sources->num_new;
	if (num >= STORE_CHANNELS_MAX && !in_store(service, channel->name)) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "the channel %s of %s is passed over: there are %d "
			   "already",
			   channel->name, publisher->name, STORE_CHANNELS_MAX);
		return EVERR_OK;
	}
	given = rpc_properties_create(sources->list);
	if (given == NULL) {
		return EVERR_NOMEM;
	}
	sources->given[sources->num] = given;
	sources->list[sources->num] = (struct rpc_channel_source){
		.name = channel->name,
		.origin = RPC_CHANNEL_OF_MANIFEST,
		.given = given,
	};
	sources_added(service, sources);
	return set_of_manifest(given, publisher, channel);
}

/*
 * A channel of evenlog.conf keeps what the file says, and takes the rest from
 * its manifest; one of the service's own keeps all.
 */
static everr_t add_of_manifest(struct daemon_service *service,
			       struct sources *sources,
			       const struct event_publisher *publisher,
			       const struct event_manifest_channel *channel)
{
	enum rpc_channel_origin origin;
	size_t i = 0;

	if (channel->auto_backup) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "autoBackup of the channel %s of %s is passed over: "
			   "the oldest events of a full channel are removed, "
			   "or with retention no more are taken",
			   channel->name, publisher->name);
	}
	if (!sources_find(sources, channel->name, &i)) {
		return add_new(service, sources, publisher, channel);
	}
	origin = sources->list[i].origin;
	if (origin == RPC_CHANNEL_OF_MANIFEST) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "the channel %s of %s is another publisher's: what "
			   "%s says of it is passed over",
			   channel->name, publisher->name, publisher->name);
	}
	return origin == RPC_CHANNEL_OF_CONFIG
		       ? set_of_manifest(sources->given[i], publisher, channel)
		       : EVERR_OK;
}

static everr_t sources_of_manifests(struct daemon_service *service,
				    struct sources *sources,
				    const struct event_catalog *catalog)
{
	everr_t err = EVERR_OK;
	size_t i, j;

	for (i = 0; i < event_catalog_count(catalog); i++) {
		const struct event_publisher *publisher =
			event_catalog_at(catalog, i);

		for (j = 0; j < publisher->num_channels && err == EVERR_OK;
		     j++) {
			if (!publisher->channels[j].imported) {
				err = add_of_manifest(service, sources,
						      publisher,
						      &publisher->channels[j]);
			}
		}
	}
	return err;
}

static size_t count_channels(const struct daemon_config *config,
			     const struct event_catalog *catalog)
{
	size_t n = config->num_channels;
	size_t i;

	for (i = 0; i < event_catalog_count(catalog); i++) {
		n += event_catalog_at(catalog, i)->num_channels;
	}
	return n;
}

static everr_t sources_create(struct daemon_service *service,
			      const struct daemon_config *config,
			      const struct event_catalog *catalog,
			      struct sources *ret_sources)
{
	size_t max = count_channels(config, catalog);
	struct sources sources = {};
	everr_t err;

	sources.list =
		talloc_zero_array(service, struct rpc_channel_source, max);
	if (sources.list == NULL) {
		return EVERR_NOMEM;
	}
	sources.given =
		talloc_zero_array(sources.list, struct rpc_properties *, max);
	sources.by_name = talloc_zero_array(sources.list, size_t, max);
	if (sources.given == NULL || sources.by_name == NULL) {
		talloc_free(sources.list);
		return EVERR_NOMEM;
	}
	err = sources_of_config(service, &sources, config);
	if (err == EVERR_OK) {
		err = sources_of_manifests(service, &sources, catalog);
	}
	if (err != EVERR_OK) {
		talloc_free(sources.list);
		return err;
	}
	*ret_sources = sources;
	return EVERR_OK;
}

everr_t daemon_channels_define(struct daemon_service *service,
			       const struct daemon_config *config,
			       const struct event_catalog *catalog)
{
	struct sources sources = {};
	const char *name = NULL;
	everr_t err;

	err = sources_create(service, config, catalog, &sources);
	if (err == EVERR_OK) {
		err = rpc_settings_apply(service->settings, sources.list,
					 sources.num, &name);
	}
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "channel %s: %s",
			   name != NULL ? name : "definition", everr_text(err));
	}
	TALLOC_FREE(sources.list);
	return err;
}

everr_t daemon_channels_start(struct daemon_service *service)
{
	everr_t err;

	err = rpc_settings_create(service, service->store, &service->settings);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "channels: %s",
			   everr_text(err));
		return err;
	}
	return daemon_channels_define(service, service->config,
				      service->catalog);
}
