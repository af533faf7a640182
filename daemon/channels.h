/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_CHANNELS_H
#define EVENLOG_DAEMON_CHANNELS_H

/*
 * Which channels there are, and what is known of each: the service's own,
 * those of evenlog.conf, those of manifests.  rpc/settings.h puts clients'
 * changes on top.
 */

#include "daemon/service.h"

/* Create service->settings and define the channels; failures are logged. */
everr_t daemon_channels_start(struct daemon_service *service) EVERR_MUST_CHECK;

/* The same by another configuration and catalog, for a reload. */
everr_t daemon_channels_define(
	struct daemon_service *service, const struct daemon_config *config,
	const struct event_catalog *catalog) EVERR_MUST_CHECK;

#endif
