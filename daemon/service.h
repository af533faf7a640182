/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_SERVICE_H
#define EVENLOG_DAEMON_SERVICE_H

/*
 * The running service: the rooms wired together, from a configuration.
 */

#include "daemon/config.h"
#include "daemon/lag.h"
#include "daemon/log.h"
#include "event/catalog.h"
#include "store/operational.h"

#include <jansson.h>

/* What was seen when somebody last asked for it. */
struct daemon_health {
	uint64_t commits;
	uint64_t failed_batches;
	bool failing;
};

struct collector;

struct daemon_service {
	struct tevent_context *ev;
	struct daemon_log *log;
	const char *config_file;      /* as given, for the reload; or NULL */
	struct daemon_config *config; /* in force */
	struct store *store;
	struct event_catalog *catalog; /* of the manifests in force */
	struct operational *operational;
	struct rpc_settings *settings; /* of the channels */
	struct rpc_service *rpc;
	struct forwarder *forwarder;
	struct soap *soap; /* NULL: neither listeners nor an inbox */
	struct collector *collector;
	struct daemon_lag *lag;
	struct daemon_health health;
	uint64_t started; /* FILETIME */
};

/*
 * Start everything; what fails has been logged.  config becomes a child of
 * the service.  Freeing the service stops it: the doors first, then the
 * store, which finishes what it has queued.
 */
everr_t daemon_service_start(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct daemon_log *log,
	const char *config_file, struct daemon_config *config,
	struct daemon_service **ret_service) EVERR_MUST_CHECK;

/*
 * Read the configuration and the manifests again.  Channels, publishers and
 * access lists change at once, and what soap_reload() and collector_reload()
 * take over; a key that needs a restart is named in the log and keeps its old
 * value.  A configuration with mistakes changes nothing; a
 * manifest with mistakes is logged and passed over.
 */
everr_t daemon_service_reload(struct daemon_service *service) EVERR_MUST_CHECK;

/* How it is, as one JSON object; talloc child of mem_ctx, NULL: no memory. */
char *daemon_service_status(TALLOC_CTX *mem_ctx,
			    const struct daemon_service *service);
/* Text of FILETIME, null for 0. */
json_t *daemon_time_json(uint64_t filetime);

#endif
