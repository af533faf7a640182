/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_PASSDB_H
#define EVENLOG_RPC_PASSDB_H

/*
 * Local users: Samba's account database of the private configuration
 * (rpc/smb_conf.h).  For root on the command line; the service only reads it,
 * and sees a change at the next logon.
 *
 * A local user is a Unix user too: Samba maps the one to the other.
 */

#include "base/everr.h"

#include <stddef.h>
#include <talloc.h>

/* Bytes of a password in UTF-8; longer ones are refused. */
#define RPC_PASSDB_PASSWORD_MAX 256

/*
 * Open the database that smb_conf describes; once per process, before the
 * other calls.  EVERR_CONFIG, EVERR_IO; *ret_message (talloc child of
 * mem_ctx) says what is wrong and what to do.
 */
everr_t rpc_passdb_open(TALLOC_CTX *mem_ctx, const char *smb_conf,
			char **ret_message) EVERR_MUST_CHECK;

/*
 * Add the user or, where it exists, set its password.
 *
 * EVERR_NOT_FOUND  there is no Unix user of that name
 * EVERR_TEXT       the name or the password cannot be one
 * EVERR_IO, EVERR_NOMEM; *ret_message as above
 */
everr_t rpc_passdb_add(TALLOC_CTX *mem_ctx, const char *user,
		       const char *password,
		       char **ret_message) EVERR_MUST_CHECK;

/* EVERR_NOT_FOUND, EVERR_IO; *ret_message as above. */
everr_t rpc_passdb_remove(TALLOC_CTX *mem_ctx, const char *user,
			  char **ret_message) EVERR_MUST_CHECK;

/* The users' names, sorted; *ret_users is a talloc child of mem_ctx. */
everr_t rpc_passdb_list(TALLOC_CTX *mem_ctx, const char *const **ret_users,
			size_t *ret_num_users,
			char **ret_message) EVERR_MUST_CHECK;

#endif
