/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SESSION_H
#define EVENLOG_RPC_SESSION_H

/*
 * Sessions that are not Samba's.
 *
 * Local clients: who is at the other end of the control socket is asked of
 * the kernel, so nobody logs on.
 *
 * root and the user that the service runs as are S-1-5-18 (SYSTEM) and
 * Administrators; anybody else is S-1-22-1-UID with S-1-22-2-GID of its
 * groups.  Both are Authenticated Users and INTERACTIVE.
 */

#include "base/everr.h"

#include <sys/types.h>
#include <talloc.h>

struct auth_session_info;
struct dom_sid;

/* EVERR_IO: the socket has no peer credentials.  EVERR_NOMEM. */
everr_t rpc_session_from_peer(TALLOC_CTX *mem_ctx, int fd,
			      struct auth_session_info **ret_session)
	EVERR_MUST_CHECK;

/* The same for known numbers; for tests. */
everr_t rpc_session_for(TALLOC_CTX *mem_ctx, uid_t uid, gid_t gid,
			const gid_t *groups, size_t num_groups,
			struct auth_session_info **ret_session)
	EVERR_MUST_CHECK;

/*
 * A user of the domain, from the network.  sids: the user, its primary group,
 * the rest.  Added are Everyone, NETWORK and Authenticated Users, and what
 * joining a domain makes of its groups: Domain Users are Users of this host,
 * Domain Admins its Administrators.  Left out are SIDs that a domain may not
 * hand out: SYSTEM, BUILTIN groups, this host's own users and groups.
 * EVERR_ACCESS: the user's own is one of those.  EVERR_NOMEM.
 */
everr_t rpc_session_for_domain(
	TALLOC_CTX *mem_ctx, const char *domain, const char *account,
	const struct dom_sid *sids, size_t num_sids,
	struct auth_session_info **ret_session) EVERR_MUST_CHECK;

#endif
