/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/bridge.h"
#include "daemon/collect.h"
#include "daemon/forward.h"

#include "base/wintime.h"
#include "idl/control.h"

#include <jansson.h>
#include <string.h>
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

/* The collector's part is by far the largest, and written as text. */
static char *add_collect(TALLOC_CTX *mem_ctx,
			 const struct daemon_service *service,
			 const char *object)
{
	struct buf out;
	everr_t err;

	buf_init(&out, mem_ctx, CONTROL_STATUS_MAX_LENGTH);
	buf_put(&out, object, strlen(object) - 1);
	daemon_collect_status(service, &out);
	buf_put(&out, "}", 2);
	err = buf_error(&out);
	if (err != EVERR_OK) {
		buf_free(&out);
		return NULL;
	}
	return talloc_realloc(mem_ctx, (char *)out.data, char, out.len);
}

char *daemon_service_status(TALLOC_CTX *mem_ctx,
			    const struct daemon_service *service)
{
	json_t *root = NULL;
	char *whole = NULL;
	char *text = NULL;

	root = json_pack(
		"{s:s,s:i,s:s,s:o,s:i,s:i,s:o,s:o}", "version", PACKAGE_VERSION,
		"pid", (int)getpid(), "computer", service->config->computer,
		"started", daemon_time_json(service->started), "port",
		(int)rpc_service_port(service->rpc), "endpoint_mapper_port",
		(int)rpc_service_mapper_port(service->rpc), "loop_lag",
		lag_json(service->lag), "channels",
		channels_json(service->store));
	if (root == NULL) {
		return NULL;
	}
	daemon_bridge_status(service, root);
	daemon_forward_status(service, root);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text == NULL) {
		return NULL;
	}
	whole = add_collect(mem_ctx, service, text);
	free(text);
	return whole;
}
