/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_CONFIG_FORWARD_H
#define EVENLOG_DAEMON_CONFIG_FORWARD_H

/* Inside the configuration: [forward NAME]. */

#include "daemon/config_load.h"

/* One [forward NAME]. */
void config_forward_apply(struct load *load, const char *section,
			  const char *name);

#endif
