/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_EXPORT_PATH_H
#define EVENLOG_RPC_EXPORT_PATH_H

/*
 * Where a client's target path lies under the export directory.  Pure text;
 * nothing is looked up.
 *
 *	C:\Backups\app.evtx	C/Backups/app.evtx
 *	c:/app.evtx		C/app.evtx
 *	/x/y.evtx		x/y.evtx
 *
 * Every component must be a name that Windows and Linux take alike, so that a
 * file has one name seen from either: no "." or "..", no hidden name, none of
 * < > : " / \ | ? * nor control characters, no blank or dot at its end, no
 * device of DOS.  Paths of other hosts (\\server\share) and of no root are
 * refused.  Case is kept; drive letters are upper case.
 */

#include "base/everr.h"

#include <stddef.h>
#include <talloc.h>

/* Components, and bytes of one and of all with their separators. */
#define RPC_EXPORT_DEPTH_MAX 32
#define RPC_EXPORT_NAME_MAX 255
#define RPC_EXPORT_PATH_MAX 2048

struct rpc_export_path {
	const char *text; /* relative: "C/Backups/app.evtx" */
	const char *names[RPC_EXPORT_DEPTH_MAX];
	size_t num_names; /* at least one; the last one is the file's */
};

/* EVERR_INVALID: no such path is allowed.  EVERR_NOMEM */
everr_t rpc_export_path_parse(TALLOC_CTX *mem_ctx, const char *text,
			      struct rpc_export_path **ret_path)
	EVERR_MUST_CHECK;

#endif
