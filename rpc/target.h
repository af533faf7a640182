/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_TARGET_H
#define EVENLOG_RPC_TARGET_H

/*
 * What a subscription or a query reads: its query text compiled, its channels
 * found, and the caller's right to read each of them checked.
 * [MS-EVEN6] 3.1.4.8 and 3.1.4.12; facts 4.1, 4.2, 8.
 */

#include "event/query.h"
#include "idl/even6.h"
#include "rpc/internal.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_target {
	struct event_query *query;
	struct store_channel **channels; /* by path; NULL: cannot be read */
	uint32_t *status;		 /* by path: 0 or why not, Win32 */
	size_t num_usable;		 /* that are there and may be read */
};

/*
 * path may be NULL or empty.  With tolerate a structured query keeps the
 * paths that cannot be read, and any query those whose filters are wrong,
 * with their status (facts 7.3); a QueryList that is malformed is refused all
 * the same, because no answer to it would be right.
 *
 * direct is what an Analytic or Debug channel is refused with; EVERR_OK: such
 * a channel is as good as any other.
 *
 * On failure *info says more, and the Win32 code is
 *   0x57    no channel anywhere
 *   0x3A98  the channel name is none, or a path of a structured query
 *   0x3A9F  there is no such channel
 *   0x3A99  the query is malformed; 0x3AB2 too complex; 0x32 not supported
 *   0x5     no right to read it
 *   direct's code
 *   0xE     out of memory
 */
WERROR rpc_target_resolve(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			  const char *path, const char *query, bool tolerate,
			  everr_t direct, struct rpc_target **ret_target,
			  struct even6_RpcInfo *info);

/*
 * Whether path names a file, given the flags for either kind.  Without a path
 * the flags say nothing, because Get-WinEvent sets that for files for
 * structured queries on channels (facts 1.5).  Windows takes neither flag for
 * a file; a channel's name is taken for the channel here, as the client can
 * have meant nothing else.
 */
bool rpc_target_is_file(struct dcesrv_call_state *call, const char *path,
			bool is_channel, bool is_file);

/*
 * The queryChannelInfo of the reply: each path in the order of the query,
 * which the indices of binary bookmarks refer to (facts 5).
 */
everr_t rpc_target_list(TALLOC_CTX *mem_ctx, const struct rpc_target *target,
			uint32_t *ret_size,
			struct even6_EvtRpcQueryChannelInfo **ret_list)
	EVERR_MUST_CHECK;

/* RpcInfo of a failure without more to say: facts 14. */
void rpc_info_set(struct even6_RpcInfo *info, WERROR error);

#endif
