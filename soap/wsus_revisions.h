/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_REVISIONS_H
#define EVENLOG_SOAP_WSUS_REVISIONS_H

/*
 * ServerSyncFilter, [MS-WSUSSS] 3.1.4.5.3.1: which revisions a downstream
 * server is told of.
 *
 * Languages in it are passed over: metadata here has all of an update's.
 */

#include "soap/node.h"
#include "soap/wsus_catalogue.h"

struct wsus_filter;

/*
 * node is the filter's element, minor the version of the protocol after "1.".
 * EVERR_TEXT: it is absent (NULL) or malformed.  EVERR_NOMEM
 */
everr_t wsus_filter_read(TALLOC_CTX *mem_ctx,
			 const struct wsus_catalogue *catalogue,
			 const struct soap_node *node, uint32_t minor,
			 struct wsus_filter **ret_filter) EVERR_MUST_CHECK;

/* update is one of the catalogue's. */
bool wsus_filter_matches(const struct wsus_filter *filter,
			 const struct wsus_update *update);

#endif
