/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_REJECT_H
#define EVENLOG_SOAP_WSUS_REJECT_H

/*
 * Requests that could not be used, as events.  So that a flood of them does
 * not push everything else out of the channel, each peer has a few a minute;
 * the next one says how many were left out.
 */

#include "soap/wsus_internal.h"

/* Events of one peer and minute. */
#define WSUS_REJECT_PER_MINUTE 10
/* Peers counted at a time; the others share one count. */
#define WSUS_REJECT_PEERS 256

struct wsus_reject_limit;

everr_t wsus_reject_limit_create(TALLOC_CTX *mem_ctx,
				 struct wsus_reject_limit **ret_limit)
	EVERR_MUST_CHECK;

/*
 * Whether a peer may have an event at now (FILETIME); *ret_left_out is how
 * many before it had none.
 */
bool wsus_reject_allowed(struct wsus_reject_limit *limit, const char *peer,
			 uint64_t now, uint64_t *ret_left_out);

/* soap_service's hook; private_data is struct wsus. */
void wsus_rejected(void *private_data, const struct soap_rejected *rejected);

#endif
