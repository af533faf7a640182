/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Status and Reload of the control interface.
 */

#include "idl/control_server.h"
#include "rpc/internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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

/* What this room knows: an object of two members. */
static char *own_text(struct rpc_service *service)
{
	struct rpc_stats stats;
	json_t *own = NULL;
	char *text = NULL;

	rpc_service_stats(service, &stats);
	own = json_pack("{s:o,s:o}", "rpc", rpc_json(&stats), "store",
			store_json(service->store));
	text = own != NULL ? json_dumps(own, JSON_COMPACT) : NULL;
	json_decref(own);
	return text;
}

/*
 * The daemon's object with our members behind its own.  They are joined as
 * texts: to parse what is a MiB where there are many hosts would hold up the
 * loop.
 */
static everr_t status_text(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			   const char **ret_text)
{
	struct rpc_service *service = rpc_call_service(call);
	char *own = own_text(service);
	char *text = NULL;
	size_t len;

	if (own == NULL) {
		return EVERR_NOMEM;
	}
	if (service->hooks.status == NULL) {
		text = talloc_strdup(mem_ctx, own);
	} else {
		text = service->hooks.status(mem_ctx,
					     service->hooks.private_data);
		len = text != NULL ? strlen(text) : 0;
		if (len > strlen("{}")) {
			text[len - 1] = ',';
			text = talloc_strdup_append_buffer(text, own + 1);
		}
	}
	free(own);
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	*ret_text = text;
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
