/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_H
#define EVENLOG_SOAP_WSUS_H

/*
 * The WSUS upstream server of [MS-WSUSSS]: authorization, server sync and
 * reporting, from a catalogue of updates (soap/wsus_catalogue.h) and durable
 * tables in the store's named state.
 */

#include "bridge/wsus.h"
#include "soap/http.h"
#include "soap/service.h"
#include "store/store.h"

struct quarantine;

struct wsus_config {
	bool enabled;
	const char *catalogue; /* directory of `evenlog wsus import` */
	bool detailed_rollup;  /* DoDetailedRollup */
	bool correct_clocks;   /* facts 10.2: shift by now - clientTime */
	bool strict_accounts;  /* refuse what facts 4's last point allows */
	bool compress;	       /* large blobs as a CAB */
	uint64_t body_max;     /* of reporting; others 8 MiB */
	uint64_t cookie_seconds;
	uint32_t servers_max; /* downstream servers kept */
	uint32_t computers_max;
	uint32_t statuses_max; /* of one computer */
};

void wsus_config_default(struct wsus_config *ret_config);

/* What all services of the server share. */
struct wsus;

/*
 * Reads tables and keys from the store, makes them when they are missing,
 * loads the catalogue (one that is not there is empty), defines the channel.
 * *ret_message is a child of mem_ctx; with EVERR_OK it is a warning, to be
 * logged (rows of the tables that could not be read).
 */
everr_t wsus_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		   const struct wsus_config *config, const char *computer,
		   struct store *store, struct quarantine *quarantine,
		   struct wsus **ret_wsus, char **ret_message) EVERR_MUST_CHECK;

/* The catalogue again, and what may change; else all stays as it was. */
everr_t wsus_reload(struct wsus *wsus, const struct wsus_config *config,
		    char **ret_message) EVERR_MUST_CHECK;

/* Its routes, for http_listen(). */
const struct http_route *wsus_routes(const struct wsus *wsus, size_t *ret_num);

void wsus_metrics(const struct wsus *wsus, struct buf *out);

#endif
