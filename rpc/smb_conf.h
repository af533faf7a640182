/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SMB_CONF_H
#define EVENLOG_RPC_SMB_CONF_H

/*
 * The private Samba configuration: a server with its own user database and
 * its own files, which need not be root's, apart from any Samba that the host
 * runs.  It stands alone, or it takes the domain from the host's
 * configuration; the host's winbindd then does what needs the machine account.
 */

#include "base/everr.h"

#include <talloc.h>

struct rpc_smb_conf {
	const char *dir;    /* everything of it lies here; made 0700 */
	const char *member; /* a domain member's own smb.conf; NULL: none */
	const char *realm;  /* Kerberos; NULL: NTLM only, or the domain's */
	const char *keytab; /* with realm or member */
};

/*
 * Write DIR/smb.conf, whole or not at all, and make the directories it names.
 * A file that says the same is left alone.  On failure *ret_message (talloc
 * child of mem_ctx) says what to do.  EVERR_IO, EVERR_INVALID, EVERR_NOMEM.
 */
everr_t rpc_smb_conf_write(TALLOC_CTX *mem_ctx,
			   const struct rpc_smb_conf *options,
			   char **ret_message) EVERR_MUST_CHECK;

#endif
