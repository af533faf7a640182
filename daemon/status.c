/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/bridge.h"
#include "daemon/collect.h"
#include "daemon/forward.h"

#include "base/wintime.h"

#include <jansson.h>
#include <unistd.h>

json_t *daemon_time_json(uint64_t filetime)
{
	char text[WINTIME_TEXT_MAX];

	if (filetime == 0) {
		return json_null();
	}
	wintime_format(filetime, text);
	return json_string(text);
}

static json_t *lag_json(const struct daemon_lag *lag)
{
	struct daemon_lag_stats stats;

	daemon_lag_stats(lag, &stats);
	return json_pack("{s:I,s:i,s:i,s:i}", "samples",
			 (json_int_t)stats.samples, "p50_us", (int)stats.p50_us,
			 "p99_us", (int)stats.p99_us, "max_us",
			 (int)stats.max_us);
}

static json_t *channel_json(struct store_channel *channel)
{
	struct store_channel_info info;

	store_channel_info(channel, &info);
	return json_pack(
		"{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o,s:b}", "name", info.name,
		"enabled", info.config.enabled, "records",
		(json_int_t)info.num_records, "oldest_id",
		(json_int_t)info.oldest_id, "next_id", (json_int_t)info.next_id,
		"bytes", (json_int_t)info.bytes, "missing",
		(json_int_t)info.num_missing, "last_write",
		daemon_time_json(info.last_write_time), "full", info.full);
}

static json_t *channels_json(struct store *store)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < store_channel_count(store); i++) {
		json_array_append_new(array,
				      channel_json(store_channel_at(store, i)));
	}
	return array;
}

static json_t *store_json(struct store *store)
{
	struct store_stats stats;

	store_stats(store, &stats);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "used",
			 (json_int_t)stats.disk_used, "free",
			 (json_int_t)stats.disk_free, "records",
			 (json_int_t)stats.records, "commits",
			 (json_int_t)stats.commits, "trimmed",
			 (json_int_t)stats.trimmed, "failed_batches",
			 (json_int_t)stats.failed_batches, "queued_bytes",
			 (json_int_t)stats.queued_bytes, "full", stats.full);
}

char *daemon_service_status(TALLOC_CTX *mem_ctx,
			    const struct daemon_service *service)
{
	json_t *root = NULL;
	char *text = NULL;
	char *copy = NULL;

	root = json_pack(
		"{s:s,s:i,s:s,s:o,s:i,s:i,s:o,s:o,s:o}", "version", PACKAGE_VERSION,
		"pid", (int)getpid(), "computer", service->config->computer,
		"started", daemon_time_json(service->started), "port",
		(int)rpc_service_port(service->rpc), "endpoint_mapper_port",
		(int)rpc_service_mapper_port(service->rpc), "loop_lag",
		lag_json(service->lag), "store", store_json(service->store),
		"channels",
		channels_json(service->store));
	if (root == NULL) {
		return NULL;
	}
	daemon_bridge_status(service, root);
	daemon_collect_status(service, root);
	daemon_forward_status(service, root);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text == NULL) {
		return NULL;
	}
	copy = talloc_strdup(mem_ctx, text);
	free(text);
	return copy;
}
