/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_SOAP_INTERNAL_H
#define EVENLOG_SOAP_SOAP_INTERNAL_H

/* What soap/soap.c, soap/metrics.c and soap/retry.c share. */

#include "soap/soap.h"

#include <sys/queue.h>

/* One that goes on; told when the soap is freed. */
struct soap_retry {
	LIST_ENTRY(soap_retry) link;
	bool listed;
	void (*stop)(struct soap_retry *retry);
	void *private_data;
};

struct soap_listener {
	const struct soap_listener_config *config; /* as started */
	struct http_listener *http;
};

struct soap {
	struct tevent_context *ev;
	/* Copies with all they point to: as started, and now in force. */
	struct soap_config *started;
	struct soap_config *config;
	struct soap_hooks hooks;
	struct quarantine *quarantine;
	struct wsus *wsus;	     /* NULL: off */
	struct configmgr *configmgr; /* NULL: off */
	struct http_server *http;
	struct soap_listener *listeners;
	size_t num_listeners;
	LIST_HEAD(, soap_retry) retries;
};

#endif
