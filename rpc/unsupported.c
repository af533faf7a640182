/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The calls that are not done here: ERROR_NOT_SUPPORTED, with results that
 * are whole on the wire.  The dispatch hands over r->out zeroed, which is
 * what a failed call has: NULL arrays, zero counts and handles (facts 2.2).
 */

#include "idl/even6_server.h"
#include "rpc/target.h"

#define UNSUPPORTED_INFO(name)                                     \
	WERROR dcesrv_even6_##name(struct dcesrv_call_state *call, \
				   TALLOC_CTX *mem_ctx,            \
				   struct even6_##name *r)         \
	{                                                          \
		(void)call;                                        \
		(void)mem_ctx;                                     \
		rpc_info_set(r->out.error, WERR_NOT_SUPPORTED);    \
		return WERR_NOT_SUPPORTED;                         \
	}

/* Its .MTA files have no public format (facts 13). */
UNSUPPORTED_INFO(EvtRpcLocalizeExportLog) /* 8 */
