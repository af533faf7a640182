/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_TABLES_H
#define EVENLOG_SOAP_WSUS_TABLES_H

/*
 * The durable tables of reporting ([MS-WSUSSS] 3.1.1): downstream servers,
 * computers, their update states, activity.  Named state of the store:
 * "wsus/server/GUID", "wsus/computer/ID", "wsus/status/ID", "wsus/activity/...".
 * doc/store-format.md has the bytes.
 */

#include "soap/wsus_internal.h"

/*
 * Read what is there.  Rows that can't be read are passed over: EVERR_OK, and
 * *ret_message (a child of mem_ctx, to be logged) names the first; NULL: none.
 */
everr_t wsus_tables_load(TALLOC_CTX *mem_ctx, struct wsus *wsus,
			 struct wsus_tables **ret_tables,
			 char **ret_message) EVERR_MUST_CHECK;

/*
 * Take note of a server that asked for an authorization: its row is made when
 * there is none, with an event.  Commits; *ret_new says whether it was new.
 * An id of zeros gets no row.
 *
 * EVERR_LIMIT: servers_max; else as store_append_send().
 */
struct tevent_req *wsus_tables_contact_send(TALLOC_CTX *mem_ctx,
					    struct wsus *wsus,
					    const struct bridge_origin *origin,
					    const struct ev_guid *id,
					    const char *name);
everr_t wsus_tables_contact_recv(struct tevent_req *req,
				 bool *ret_new) EVERR_MUST_CHECK;

/* The name of a server's row, or NULL. */
const char *wsus_tables_server_name(const struct wsus_tables *tables,
				    const struct ev_guid *id);

void wsus_tables_metrics(const struct wsus_tables *tables, struct buf *out);

#endif
