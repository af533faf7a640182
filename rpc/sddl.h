/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SDDL_H
#define EVENLOG_RPC_SDDL_H

/*
 * Access strings, [MS-DTYP] 2.5.1, as a channel's configuration has them.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <talloc.h>

/* Bytes of one; the store keeps no more. */
#define RPC_SDDL_MAX 65535

struct dom_sid;
struct security_descriptor;

/*
 * Read one; domain is what DA and its like belong to.  The descriptor, talloc
 * child of mem_ctx, has a list of rights: a string without one grants all on
 * Windows, which nobody means who writes a channel's rights.
 *
 * EVERR_CONFIG  it cannot be read, or has no list of rights
 */
everr_t rpc_sddl_parse(TALLOC_CTX *mem_ctx, const char *sddl,
		       const struct dom_sid *domain,
		       struct security_descriptor **ret_sd) EVERR_MUST_CHECK;

/* Whether a channel can have it: short enough, and read in any domain. */
bool rpc_sddl_valid(const char *sddl);

/*
 * The access string of a channel that has none of its own: for Application and
 * System what Windows gives them, for all others its fallback.
 */
const char *rpc_sddl_default(const char *channel);

#endif
