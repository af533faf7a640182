/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_FORWARD_H
#define EVENLOG_DAEMON_FORWARD_H

/*
 * The forwarder as a part of the service: its start and reload, what is shown
 * of it, and what the control interface asks of it.
 */

#include "daemon/service.h"
#include "rpc/rpc.h"

#include <jansson.h>

/* Also without outputs: a reload may bring some.  What fails was logged. */
everr_t daemon_forward_start(struct daemon_service *service) EVERR_MUST_CHECK;

/*
 * Log as mistakes what would keep outputs from connecting: their certificates
 * and keys.  Returns how many outputs that are.
 */
size_t daemon_forward_check(const struct daemon_log *log,
			    const struct daemon_config *config);

/* The same as warnings of a service that runs without those outputs. */
void daemon_forward_warn_files(const struct daemon_log *log,
			       const struct daemon_config *config);

/*
 * Outputs by a new configuration, texts by a new catalog; all or nothing.
 * *ret_message (child of the service) says what is wrong.
 */
everr_t daemon_forward_reload(struct daemon_service *service,
			      const struct daemon_config *config,
			      const struct event_catalog *catalog,
			      char **ret_message) EVERR_MUST_CHECK;

/* Add its part of the status. */
void daemon_forward_status(const struct daemon_service *service, json_t *root);

/* And of the metrics; daemon/metrics_forward.c. */
void daemon_forward_metrics(struct buf *out,
			    const struct daemon_service *service);

/* For the control interface; private_data is the service. */
extern const struct rpc_forward_hooks daemon_forward_hooks;

#endif
