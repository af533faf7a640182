/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_INTERNAL_H
#define EVENLOG_SOAP_WSUS_INTERNAL_H

/* What the modules soap/wsus_*.c share. */

#include "soap/wsus.h"

#define WSUS_NS "http://www.microsoft.com/SoftwareDistribution"
#define WSUS_AUTH_NS WSUS_NS "/Server/DssAuthWebService"

struct wsus_catalogue;	  /* soap/wsus_catalogue.h */
struct wsus_tables;	  /* soap/wsus_tables.h: servers, computers, states */
struct wsus_cookies;	  /* soap/wsus_cookie.h */
struct wsus_reject_limit; /* soap/wsus_reject.h */

struct wsus {
	struct tevent_context *ev;
	struct wsus_config config;
	const char *computer;
	struct store *store;
	struct store_channel *channel; /* BRIDGE_WSUS_CHANNEL */
	struct quarantine *quarantine;
	struct ev_guid server_id;	/* this upstream server's; durable */
	struct ev_guid rollup_reset_id; /* RollupResetGuid; durable */
	struct wsus_cookies *cookies;
	struct wsus_catalogue *catalogue;
	struct wsus_tables *tables;
	struct wsus_reject_limit *rejects;
	struct soap_service auth, sync, reporting;
	struct soap_budget budget; /* of the three */
	struct http_route routes[8];
	size_t num_routes;
	uint64_t calls, faults; /* for metrics */
};

/* Operations of the three services, each list ended by NULL. */
extern const struct soap_operation *const wsus_auth_operations[];
extern const struct soap_operation *const wsus_sync_operations[];
extern const struct soap_operation *const wsus_report_operations[];

/* The origin of what a call says, for bridge/. */
void wsus_origin(const struct wsus *wsus, const struct http_exchange *exchange,
		 struct bridge_origin *ret_origin);

/*
 * Append events with states in one commit: store_append_send() on the channel.
 * A call that answers only when all its commits are done counts them itself.
 */
struct tevent_req *wsus_commit_send(TALLOC_CTX *mem_ctx, struct wsus *wsus,
				    const struct bridge_events *events,
				    const struct store_state *states,
				    size_t num_states);
everr_t wsus_commit_recv(struct tevent_req *req) EVERR_MUST_CHECK;

#endif
