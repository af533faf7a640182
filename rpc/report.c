/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/report.h"

static const char *access_text(uint32_t access)
{
	switch (access) {
	case RPC_ACCESS_READ:
		return "read";
	case RPC_ACCESS_WRITE:
		return "write";
	case RPC_ACCESS_CLEAR:
		return "clear";
	default:
		return "several";
	}
}

void rpc_report_refused(struct rpc_service *service, const char *user,
			const char *peer, const char *channel,
			const char *operation)
{
	const char *const fields[] = {
		"User",	   user,    "Peer",	 peer,
		"Channel", channel, "Operation", operation,
	};
	char *subject = NULL;

	subject = talloc_asprintf(NULL, "%s|%s|%s", user, channel, operation);
	operational_report(service->operational, OPERATIONAL_ACCESS_REFUSED,
			   subject != NULL ? subject : user, fields, 4);
	TALLOC_FREE(subject);
}

void rpc_report_access_refused(struct rpc_service *service, const char *user,
			       const char *peer, const char *channel,
			       uint32_t access)
{
	rpc_report_refused(service, user, peer, channel, access_text(access));
}

void rpc_report_logon_failed(struct rpc_service *service, const char *peer,
			     const char *status)
{
	const char *const fields[] = {"Peer", peer, "Status", status};

	operational_report(service->operational, OPERATIONAL_LOGON_FAILED, peer,
			   fields, 2);
}

void rpc_report_limit(struct rpc_service *service, const char *limit,
		      const char *peer)
{
	const char *const fields[] = {"Limit", limit, "Peer", peer};

	service->stats.refused++;
	operational_report(service->operational, OPERATIONAL_LIMIT_REACHED,
			   limit, fields, 2);
}
