/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Status and Reload of the control interface.
 */

#include "idl/control_server.h"
#include "rpc/internal.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *calls_json(const struct rpc_stats *stats)
{
	json_t *calls = json_array();
	size_t i;

	for (i = 0; i < RPC_EVEN6_NUM_CALLS; i++) {
		json_array_append_new(
			calls, json_integer((json_int_t)stats->calls[i]));
	}
	return calls;
}

static json_t *losses_json(const struct rpc_stats *stats)
{
	return json_pack("{s:I,s:I,s:I}", "gaps", (json_int_t)stats->gaps,
			 "records_missing", (json_int_t)stats->records_missing,
			 "records_damaged", (json_int_t)stats->records_damaged);
}

static json_t *rpc_json(const struct rpc_stats *stats)
{
	return json_pack(
		"{s:i,s:i,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}",
		"connections", (int)stats->connections, "subscriptions",
		(int)stats->subscriptions, "queries", (int)stats->queries,
		"handles", (int)stats->handles, "parked_calls",
		(int)stats->parked_calls, "events_delivered",
		(json_int_t)stats->events_delivered, "bytes_delivered",
		(json_int_t)stats->bytes_delivered, "logons",
		(json_int_t)stats->logons, "logons_kerberos",
		(json_int_t)stats->logons_kerberos, "logon_failures",
		(json_int_t)stats->logon_failures, "refused",
		(json_int_t)stats->refused, "losses", losses_json(stats),
		"calls", calls_json(stats));
}

static json_t *store_json(struct store *store)
{
	struct store_stats stats;

	store_stats(store, &stats);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "commits",
			 (json_int_t)stats.commits, "records",
			 (json_int_t)stats.records, "record_bytes",
			 (json_int_t)stats.record_bytes, "trimmed",
			 (json_int_t)stats.trimmed, "failed_batches",
			 (json_int_t)stats.failed_batches, "queued_bytes",
			 (json_int_t)stats.queued_bytes, "disk_free",
			 (json_int_t)stats.disk_free, "disk_used",
			 (json_int_t)stats.disk_used, "full", stats.full);
}

/* The daemon's own object with ours added. */
static everr_t status_text(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			   const char **ret_text)
{
	struct rpc_service *service = rpc_call_service(call);
	struct rpc_stats stats;
	json_t *root = NULL;
	char *text = NULL;
	char *copy = NULL;

	if (service->hooks.status != NULL) {
		text = service->hooks.status(mem_ctx,
					     service->hooks.private_data);
		root = text != NULL ? json_loads(text, 0, NULL) : NULL;
		TALLOC_FREE(text);
	} else {
		root = json_object();
	}
	if (root == NULL) {
		return EVERR_NOMEM;
	}

	rpc_service_stats(service, &stats);
	json_object_set_new(root, "rpc", rpc_json(&stats));
	json_object_set_new(root, "store", store_json(service->store));
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	copy = talloc_strdup(mem_ctx, text);
	free(text);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	*ret_text = copy;
	return EVERR_OK;
}

/*
 * How the service is, without any event: every local user may ask, as every
 * local user may ask systemd.
 */
WERROR dcesrv_control_Status(struct dcesrv_call_state *call,
			     TALLOC_CTX *mem_ctx, struct control_Status *r)
{
	const char *text = "{}";
	everr_t err;

	err = status_text(call, mem_ctx, &text);
	*r->out.json = text;
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}

WERROR dcesrv_control_Reload(struct dcesrv_call_state *call,
			     TALLOC_CTX *mem_ctx, struct control_Reload *r)
{
	struct rpc_service *service = rpc_call_service(call);
	everr_t err;

	if (!rpc_call_is_administrator(call)) {
		return WERR_ACCESS_DENIED;
	}
	err = EVERR_NOT_SUPPORTED;
	if (service->hooks.reload != NULL) {
		err = service->hooks.reload(service->hooks.private_data);
	}
	*r->out.error = (uint32_t)err;
	return WERR_OK;
}
