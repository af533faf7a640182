/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_SOAP_H
#define EVENLOG_SOAP_SOAP_H

/*
 * The bridge's front: listeners, the WSUS upstream server, the ConfigMgr
 * management point, the inbox of .DDR files and the quarantine, started from
 * one configuration.  An answer that acknowledges goes out when the events it
 * stands for are on disk.
 */

#include "soap/configmgr.h"
#include "soap/http.h"
#include "soap/quarantine.h"
#include "soap/wsus.h"
#include "store/operational.h"
#include "store/store.h"

/* What a listener serves. */
enum soap_role {
	SOAP_ROLE_WSUS = 0x1,
	SOAP_ROLE_CONFIGMGR = 0x2,
	SOAP_ROLE_METRICS = 0x4 /* /metrics and /health, and nothing else */
};

struct soap_listener_config {
	struct http_listener_config http;
	uint32_t roles; /* enum soap_role */
};

/* Nothing is served without listeners; an inbox is watched all the same. */
struct soap_config {
	const struct soap_listener_config *listeners;
	size_t num_listeners;
	const char *computer; /* this host */
	struct wsus_config wsus;
	struct configmgr_config configmgr;
	const char *quarantine; /* directory */
	struct quarantine_limits quarantine_limits;
};

/* Asked for by the metrics listener. */
struct soap_hooks {
	/* Append what else there is to measure, beside soap_metrics(). */
	void (*metrics)(struct buf *out, void *private_data);
	/* NULL: all is well; else why not, child of mem_ctx. */
	char *(*health)(TALLOC_CTX *mem_ctx, void *private_data);
	void *private_data;
};

/* Its listener of that name; NULL: there is none. */
const struct soap_listener_config *soap_config_listener(
	const struct soap_config *config, const char *name);

struct soap;

/* Whether there is anything to start. */
bool soap_wanted(const struct soap_config *config);

/*
 * EVERR_CONFIG, EVERR_IO and others; *ret_message (child of mem_ctx) says what
 * and where.  With EVERR_OK it is something to be logged all the same, or not
 * set.  config is copied; hooks may be NULL.
 */
everr_t soap_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		   const struct soap_config *config, struct store *store,
		   struct operational *operational,
		   const struct soap_hooks *hooks, struct soap **ret_soap,
		   char **ret_message) EVERR_MUST_CHECK;

/*
 * Take over what may change while it runs: allow-lists, certificates, the
 * catalogue of updates, policies.  On failure what was in force stays.
 */
everr_t soap_reload(struct soap *soap, const struct soap_config *config,
		    TALLOC_CTX *mem_ctx, char **ret_message) EVERR_MUST_CHECK;

/* The listeners, in the order of the configuration. */
struct soap_listener_info {
	const char *name;
	const char *address;
	uint16_t port; /* that it got */
	uint32_t roles;
	bool tls;
	struct http_stats stats;
};
size_t soap_listener_count(const struct soap *soap);
void soap_listener_info(const struct soap *soap, size_t index,
			struct soap_listener_info *ret_info);

struct http_server *soap_http(struct soap *soap);
struct quarantine *soap_quarantine(struct soap *soap);

/*
 * Append the bridge's own metrics: listeners, quarantine, and those of each
 * service (which is NULL when it is off).
 */
void soap_metrics(const struct soap *soap, struct buf *out);
const struct wsus *soap_wsus(const struct soap *soap);
const struct configmgr *soap_configmgr(const struct soap *soap);

/*
 * Try an entry of the quarantine again, as if it had come in now.  When its
 * events are on disk it leaves the quarantine; else it stays, and *ret_message
 * (child of mem_ctx) says why.  EVERR_NOT_FOUND, EVERR_NOT_SUPPORTED (it was
 * cut off when it was kept) and those of its processing.
 */
struct tevent_req *soap_retry_send(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev, struct soap *soap,
				   const char *name);
everr_t soap_retry_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			char **ret_message) EVERR_MUST_CHECK;

#endif
