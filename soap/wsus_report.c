/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_report.h"

/* --------------------------------------- GetRollupConfiguration, 3.1.4.13 */

/* No check of anything, the cookie included. */
static void configuration_finish(struct soap_call *call)
{
	struct wsus *wsus = call->private_data;
	struct soap_writer *out = soap_answer_begin(call, 0);

	soap_open(out, "GetRollupConfigurationResult");
	soap_put_bool(out, "DoDetailedRollup", wsus->config.detailed_rollup);
	soap_put_guid(out, "RollupResetGuid", &wsus->rollup_reset_id);
	soap_put_guid(out, "ServerId", &wsus->server_id);
	soap_put_int(out, "RollupDownstreamServersMaxBatchSize",
		     WSUS_BATCH_SUMMARIES);
	soap_put_int(out, "RollupComputersMaxBatchSize", WSUS_BATCH_COMPUTERS);
	soap_put_int(out, "GetOutOfSyncComputersMaxBatchSize",
		     WSUS_BATCH_OUT_OF_SYNC);
	soap_put_int(out, "RollupComputerStatusMaxBatchSize",
		     WSUS_BATCH_STATUS);
	soap_close(out);
	wsus->calls++;
	soap_answer(call);
}

static const struct soap_operation get_rollup_configuration = {
	.name = "GetRollupConfiguration",
	.finish = configuration_finish,
};

/* ---------------------------------------- GetOutOfSyncComputers, 3.1.4.16 */

/* One that is known, with another number than the server's. */
struct differing {
	const struct wsus_computer_entry *entry;
	char *id; /* as it was asked for */
};

struct out_of_sync {
	TALLOC_CTX *mem_ctx; /* child of the call */
	size_t num_asked;
	struct differing *computers;
	size_t num, size;
};

static everr_t differing_add(struct soap_call *call, struct out_of_sync *state,
			     const struct wsus_computer_entry *entry,
			     const char *id)
{
	struct differing *grown = NULL;
	char *copy = NULL;

	if (state->mem_ctx == NULL) {
		state->mem_ctx = talloc_pool(call, 64 * 1024);
		if (state->mem_ctx == NULL) {
			return EVERR_NOMEM;
		}
	}
	if (state->num == state->size) {
		size_t size = state->size * 2 + 64;

		grown = talloc_realloc(call, state->computers, struct differing,
				       size);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		state->computers = grown;
		state->size = size;
	}
	copy = talloc_strdup(state->mem_ctx, id);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	state->computers[state->num++] = (struct differing){
		.entry = entry,
		.id = copy,
	};
	return EVERR_OK;
}

static void out_of_sync_item(struct soap_call *call,
			     const struct soap_node *item)
{
	struct wsus *wsus = call->private_data;
	struct out_of_sync *state = call->state;
	const char *id = soap_text(item, "ComputerId");
	const struct wsus_computer_entry *entry = NULL;
	int64_t number = 0;
	everr_t err;

	state->num_asked++;
	if (state->num_asked > WSUS_BATCH_OUT_OF_SYNC) {
		soap_fault(call, "InvalidParameters", "lastRollupNumbers");
		return;
	}
	err = soap_get_int(soap_text(item, "RollupNumber"), INT32_MIN,
			   INT32_MAX, &number);
	if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
		soap_fault(call, "InvalidParameters", "RollupNumber");
		return;
	}
	entry = id != NULL ? wsus_tables_computer(wsus->tables, id) : NULL;
	if (entry == NULL || entry->rollup_number == number) {
		return;
	}
	err = differing_add(call, state, entry, id);
	if (err != EVERR_OK) {
		soap_fault(call, "InternalServerError", everr_text(err));
	}
}

/* Those whose server is the one that asks or below it. */
static void out_of_sync_answer(struct soap_call *call,
			       const struct ev_guid *parent)
{
	struct wsus *wsus = call->private_data;
	struct out_of_sync *state = call->state;
	struct soap_writer *out = soap_answer_begin(call, 0);
	uint32_t walk = wsus_tables_descendants(wsus->tables, parent);
	const struct wsus_server_entry *server = NULL;
	size_t i;

	soap_open(out, "GetOutOfSyncComputersResult");
	for (i = 0; i < state->num; i++) {
		const struct wsus_computer_entry *entry =
			state->computers[i].entry;

		server = wsus_tables_server(wsus->tables, &entry->parent);
		if (server != NULL && server->walk == walk && server->below) {
			soap_put(out, "string", state->computers[i].id);
		}
	}
	soap_close(out);
	wsus->calls++;
	soap_answer(call);
}

static void out_of_sync_finish(struct soap_call *call)
{
	const struct wsus *wsus = call->private_data;
	const struct soap_node *request = call->request;
	struct ev_guid parent = {};
	everr_t err;

	if (!wsus->config.detailed_rollup) {
		soap_fault_reason(call, "InvalidParameters", "DoDetailedRollup",
				  WSUS_NOT_DETAILED);
		return;
	}
	if (soap_child(request, "lastRollupNumbers") == NULL) {
		soap_fault(call, "InvalidParameters", "lastRollupNumbers");
		return;
	}
	err = soap_get_guid(soap_text(request, "parentServerId"), &parent);
	if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
		soap_fault(call, "InvalidParameters", "parentServerId");
		return;
	}
	out_of_sync_answer(call, &parent);
}

static const struct soap_operation get_out_of_sync_computers = {
	.name = "GetOutOfSyncComputers",
	.items = "lastRollupNumbers/ComputerLastRollupNumber",
	.state_size = sizeof(struct out_of_sync),
	.item = out_of_sync_item,
	.finish = out_of_sync_finish,
};

const struct soap_operation *const wsus_report_operations[] = {
	&get_rollup_configuration,
	&wsus_rollup_servers,
	&wsus_rollup_computers,
	&get_out_of_sync_computers,
	&wsus_rollup_status,
	&soap_ping,
	NULL,
};
