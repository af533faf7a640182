/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_BRIDGE_H
#define EVENLOG_DAEMON_BRIDGE_H

/*
 * The SOAP bridge as a part of the service: its start and reload, what it is
 * asked by its own listeners (metrics, health) and by the control interface
 * (the quarantine).
 */

#include "daemon/service.h"
#include "rpc/rpc.h"

#include <jansson.h>

/* Nothing without listeners and inbox.  What fails has been logged. */
everr_t daemon_bridge_start(struct daemon_service *service) EVERR_MUST_CHECK;

/* *ret_message (child of the service) says what is wrong. */
everr_t daemon_bridge_reload(struct daemon_service *service,
			     const struct daemon_config *config,
			     char **ret_message) EVERR_MUST_CHECK;

/* Log which changed keys need a restart. */
void daemon_bridge_warn_restart(struct daemon_service *service,
				const struct daemon_config *config);

/* Add its part of the status. */
void daemon_bridge_status(const struct daemon_service *service, json_t *root);

/* For the control interface; private_data is the service. */
extern const struct rpc_quarantine_hooks daemon_quarantine_hooks;

/* The service's own numbers and state; daemon/metrics.c. */
void daemon_metrics(struct buf *out, const struct daemon_service *service);
/* NULL: all is well; else why not, child of mem_ctx. */
char *daemon_health(TALLOC_CTX *mem_ctx, struct daemon_service *service);

#endif
