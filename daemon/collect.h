/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_COLLECT_H
#define EVENLOG_DAEMON_COLLECT_H

/*
 * The collector as a part of the service: its start and reload, its part of
 * status and metrics.
 */

#include "daemon/service.h"
#include "rpc/rpc.h"

#include "base/buf.h"

/*
 * Hosts that the status has in full.  It is one text of at most some MiB
 * (STATUS_MAX_LENGTH of idl/control.idl), and a host with three channels takes
 * about 1.5 KiB of it.
 */
#define DAEMON_COLLECT_STATUS_HOSTS 1000
/* And of their channels, together. */
#define DAEMON_COLLECT_STATUS_CHANNELS 3000
/* The last host is one that begins within so many bytes. */
#define DAEMON_COLLECT_STATUS_BYTES (3 * 1024 * 1024)

/* What fails has been logged. */
everr_t daemon_collect_start(struct daemon_service *service) EVERR_MUST_CHECK;

/* *ret_message (child of the service) says what is wrong. */
everr_t daemon_collect_reload(struct daemon_service *service,
			      const struct daemon_config *config,
			      char **ret_message) EVERR_MUST_CHECK;

/* Log which changed keys need a restart. */
void daemon_collect_warn_restart(struct daemon_service *service,
				 const struct daemon_config *config);

/* Log what is wrong with keytabs and the like, for this process's user. */
void daemon_collect_warn_files(const struct daemon_log *log,
			       const struct collector_config *config);

/* Append its member to an object that is open; nothing without a host. */
void daemon_collect_status(const struct daemon_service *service,
			   struct buf *out);

/* For the control interface; private_data is the service. */
extern const struct rpc_collect_hooks daemon_collect_hooks;

/* daemon/metrics_collect.c */
void daemon_collect_metrics(struct buf *out,
			    const struct daemon_service *service);

#endif
