/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_REPORT_H
#define EVENLOG_RPC_REPORT_H

/* Evenlog's own events about the service; aggregated by store/operational.h. */

#include "rpc/internal.h"

void rpc_report_access_refused(struct rpc_service *service, const char *user,
			       const char *peer, const char *channel,
			       uint32_t access);
/* The same for what is not one of the three rights: "configure". */
void rpc_report_refused(struct rpc_service *service, const char *user,
			const char *peer, const char *channel,
			const char *operation);

void rpc_report_logon_failed(struct rpc_service *service, const char *peer,
			     const char *status);

/* Count and report that a limit was reached; limit is its name. */
void rpc_report_limit(struct rpc_service *service, const char *limit,
		      const char *peer);

#endif
