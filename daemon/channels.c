/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/channels.h"

#include "base/text.h"
#include "rpc/settings.h"

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

static everr_t source_init(TALLOC_CTX *mem_ctx,
			   const struct daemon_channel *channel,
			   struct rpc_channel_source *ret_source)
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
	set_built_in(layers.given, channel->name);
	return set_configured(&layers, channel);
}

static everr_t sources_create(TALLOC_CTX *mem_ctx,
			      const struct daemon_config *config,
			      struct rpc_channel_source **ret_sources)
{
	struct rpc_channel_source *sources = NULL;
	everr_t err;
	size_t i;

	sources = talloc_zero_array(mem_ctx, struct rpc_channel_source,
				    config->num_channels);
	if (sources == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < config->num_channels; i++) {
		err = source_init(sources, &config->channels[i], &sources[i]);
		if (err != EVERR_OK) {
			TALLOC_FREE(sources);
			return err;
		}
	}
	*ret_sources = sources;
	return EVERR_OK;
}

everr_t daemon_channels_define(struct daemon_service *service,
			       const struct daemon_config *config)
{
	struct rpc_channel_source *sources = NULL;
	const char *name = NULL;
	everr_t err;

	err = sources_create(service, config, &sources);
	if (err == EVERR_OK) {
		err = rpc_settings_apply(service->settings, sources,
					 config->num_channels, &name);
	}
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "channel %s: %s",
			   name != NULL ? name : "definition", everr_text(err));
	}
	TALLOC_FREE(sources);
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
	return daemon_channels_define(service, service->config);
}
