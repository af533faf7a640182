/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_CONFIG_COLLECT_H
#define EVENLOG_DAEMON_CONFIG_COLLECT_H

/* Inside the configuration: [collect] and [collect NAME]. */

#include "daemon/config_load.h"

/* What all [collect NAME] of all files begin with; before any of them. */
void config_collect_defaults(struct load *load, const char *section);

/* One [collect NAME], which gives one or more hosts. */
void config_collect_apply(struct load *load, const char *section,
			  const char *name);

/* When all files have been read: what the hosts say together. */
void config_collect_check(struct load *load);

#endif
