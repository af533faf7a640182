/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONFIGMGR_H
#define EVENLOG_SOAP_CONFIGMGR_H

/*
 * A ConfigMgr management point's endpoints: messages by CCM_POST, registration
 * of keys, location and MP list requests, fallback status; and an inbox
 * directory for .DDR files.
 */

#include "bridge/configmgr.h"
#include "soap/http.h"
#include "store/store.h"

struct quarantine;
struct quarantine_entry;

enum configmgr_signature_policy {
	CONFIGMGR_SIGNATURES_OFF,     /* not looked at */
	CONFIGMGR_SIGNATURES_PRESENT, /* a wrong one is refused */
	CONFIGMGR_SIGNATURES_REQUIRED /* also one of an unregistered sender */
};

struct configmgr_config {
	bool enabled;
	const char *site_code;	 /* "EVL": three letters or digits */
	const char *host;	 /* this management point's FQDN for clients */
	uint32_t signatures;	 /* enum configmgr_signature_policy */
	uint64_t body_max;	 /* of a request */
	uint64_t payload_max;	 /* inflated */
	uint64_t replay_seconds; /* how long message ids are kept */
	uint32_t replay_max;	 /* and how many */
	uint32_t clients_max;	 /* registered keys */
	const char *inbox;	 /* directory; NULL: none */
};

void configmgr_config_default(struct configmgr_config *ret_config);

struct configmgr;

/* As wsus_start(). */
everr_t configmgr_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct configmgr_config *config,
			const char *computer, struct store *store,
			struct quarantine *quarantine,
			struct configmgr **ret_configmgr,
			char **ret_message) EVERR_MUST_CHECK;

everr_t configmgr_reload(struct configmgr *configmgr,
			 const struct configmgr_config *config,
			 char **ret_message) EVERR_MUST_CHECK;

const struct http_route *configmgr_routes(const struct configmgr *configmgr,
					  size_t *ret_num);

void configmgr_metrics(const struct configmgr *configmgr, struct buf *out);

/*
 * An entry of the quarantine (its source is CONFIGMGR_QUARANTINE), as if it
 * had come in now: the same code as for a request.  It is neither kept a
 * second time nor reported as rejected again.
 *
 * EVERR_OK  its events are on disk, or had been before
 * EVERR_TEXT, EVERR_LIMIT, EVERR_ACCESS  still refused
 * EVERR_STORE_FULL, EVERR_NOMEM          may be tried later
 * EVERR_NOT_SUPPORTED  what it was sent to has no messages
 * *ret_message (child of mem_ctx) says which and why.
 */
#define CONFIGMGR_QUARANTINE "configmgr"
struct tevent_req *configmgr_inject_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct configmgr *configmgr,
					 const struct quarantine_entry *entry,
					 const uint8_t *body, size_t len);
everr_t configmgr_inject_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      char **ret_message) EVERR_MUST_CHECK;

#endif
