/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The list of channels, opnum 19: [MS-EVEN6] 3.1.4.20; facts 4.6.
 */

#include "idl/even6_server.h"
#include "rpc/internal.h"

WERROR dcesrv_even6_EvtRpcGetChannelList(struct dcesrv_call_state *call,
					 TALLOC_CTX *mem_ctx,
					 struct even6_EvtRpcGetChannelList *r)
{
	struct store *store = rpc_call_service(call)->store;
	size_t count = store_channel_count(store);
	const char **paths = NULL;
	size_t i;

	/* Names are no secret: each of them, as the channel table has it. */
	paths = talloc_zero_array(mem_ctx, const char *, count);
	if (paths == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	for (i = 0; i < count; i++) {
		struct store_channel *channel = store_channel_at(store, i);

		paths[i] = store_channel_name(channel);
	}

	*r->out.numChannelPaths = (uint32_t)count;
	*r->out.channelPaths = paths;
	return WERR_OK;
}
