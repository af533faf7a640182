/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_ACCESS_H
#define EVENLOG_RPC_ACCESS_H

/*
 * Who may do what with a channel: its access string against the session's
 * SIDs, plus the well-known groups that the configuration gives to users and
 * groups of this host or its domain.
 */

#include "rpc/internal.h"

struct security_token;
struct rpc_access;

/* BUILTIN\Event Log Readers and BUILTIN\Administrators. */
#define RPC_SID_READERS "S-1-5-32-573"
#define RPC_SID_ADMINISTRATORS "S-1-5-32-544"

/*
 * Resolve the configured names.  Those that do not resolve are named in
 * *ret_warning (else untouched) and tried again once a minute: a domain
 * controller may not be there yet.  EVERR_NOMEM.
 */
everr_t rpc_access_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const char *const *readers,
			  const char *const *administrators,
			  TALLOC_CTX *message_ctx,
			  struct rpc_access **ret_access,
			  char **ret_warning) EVERR_MUST_CHECK;

/* Take over other names; on failure the old ones stay in force. */
everr_t rpc_access_reload(struct rpc_access *access, const char *const *readers,
			  const char *const *administrators,
			  TALLOC_CTX *message_ctx,
			  char **ret_warning) EVERR_MUST_CHECK;

/*
 * A copy of token with the mapped groups added, talloc child of mem_ctx.
 * It holds until rpc_access_generation() changes.
 */
everr_t rpc_access_token(TALLOC_CTX *mem_ctx, const struct rpc_access *access,
			 const struct security_token *token,
			 struct security_token **ret_token) EVERR_MUST_CHECK;
uint32_t rpc_access_generation(const struct rpc_access *access);

/*
 * Check one access string.  Descriptors are kept by channel id while their
 * text stays the same.
 *
 * EVERR_ACCESS   no, or the string cannot be read
 * EVERR_NOMEM
 */
everr_t rpc_access_decide(struct rpc_access *access, uint32_t channel_id,
			  const char *sddl, const struct security_token *token,
			  uint32_t wanted) EVERR_MUST_CHECK;

#endif
