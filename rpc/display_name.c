/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Display names of classic logs, opnum 28: [MS-EVEN6] 3.1.4.36; facts 4.8.
 *
 * On Windows these stand beside the logs of [MS-EVEN] in the registry.  Here
 * the default publisher has them, under the message ids by which .NET asks for
 * them (facts 12.3).
 */

#include "base/text.h"
#include "idl/even6_server.h"
#include "rpc/internal.h"

/* Flag: take another locale where the one that was asked for is missing. */
#define DISPLAY_NAME_BEST_LOCALE 0x100

static const struct {
	const char *log;
	uint32_t message_id;
} classic_logs[] = {
	{"Application", 256},
	{"Security", 257},
	{"System", 258},
};

static everr_t display_name(struct dcesrv_call_state *call, const char *log,
			    uint32_t lcid, bool exact, const char **ret_name)
{
	struct rpc_service *service = rpc_call_service(call);
	struct store_channel *channel = NULL;
	const char *name = NULL;
	everr_t err;
	size_t i;

	err = store_channel_find(service->store, log, &channel);
	if (err == EVERR_OK) {
		err = rpc_access_probe(call, channel, RPC_ACCESS_READ);
	}
	/* Neither says whether there is a log of that name. */
	if (err != EVERR_OK) {
		return err == EVERR_NOMEM ? err : EVERR_NOT_FOUND;
	}
	for (i = 0; i < sizeof(classic_logs) / sizeof(classic_logs[0]); i++) {
		if (text_name_equal(log, classic_logs[i].log)) {
			name = event_publisher_message(
				event_catalog_default(service->catalog),
				classic_logs[i].message_id, lcid, exact);
		}
	}
	if (name == NULL) {
		return EVERR_NOT_FOUND;
	}
	*ret_name = name;
	return EVERR_OK;
}

WERROR dcesrv_even6_EvtRpcGetClassicLogDisplayName(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetClassicLogDisplayName *r)
{
	bool exact = r->in.flags == 0 && r->in.locale != 0;

	(void)mem_ctx;
	if (r->in.flags != 0 && r->in.flags != DISPLAY_NAME_BEST_LOCALE) {
		return WERR_INVALID_PARAMETER;
	}
	return rpc_werror(display_name(call, r->in.logName, r->in.locale, exact,
				       r->out.displayName));
}
