/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_LOGON_H
#define EVENLOG_RPC_LOGON_H

/*
 * Logons of a domain's users on a domain member.  Samba's own way asks
 * winbindd and the name service from inside the loop, which a domain
 * controller that hangs holds up for a minute and more; and it wants each
 * user to be a Unix user.
 *
 * Here an NTLM logon is checked beside the loop (rpc/winbind.h), a Kerberos
 * ticket says by itself who its owner is, and the session is made of the SIDs
 * that either of them tells.  Local users and anonymous logons stay Samba's.
 */

#include "rpc/samba.h"

/* The core's callback; on other hosts than members Samba's own. */
NTSTATUS rpc_logon_prepare(TALLOC_CTX *mem_ctx, struct dcesrv_call_state *call,
			   struct gensec_security **ret_gensec,
			   void *private_data);

#endif
