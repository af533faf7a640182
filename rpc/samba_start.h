/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SAMBA_START_H
#define EVENLOG_RPC_SAMBA_START_H

/*
 * What a process does once before it uses Samba's libraries, server and
 * `evenlog user` alike.
 */

#include "base/everr.h"

#include <talloc.h>

/*
 * Read smb_conf and make it the file that Samba reads again by itself; open
 * secrets.tdb and give the machine a SID when it has none.
 *
 * EVERR_CONFIG  *ret_message says what is wrong with it
 */
everr_t rpc_samba_start(TALLOC_CTX *mem_ctx, const char *program,
			const char *smb_conf,
			char **ret_message) EVERR_MUST_CHECK;

/* A frame for Samba's temporary memory; free it when done. */
TALLOC_CTX *rpc_samba_frame(void);

#endif
