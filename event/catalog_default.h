/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_CATALOG_DEFAULT_H
#define EVENLOG_EVENT_CATALOG_DEFAULT_H

/*
 * The server's default publisher: what Windows' own winmeta says of levels,
 * tasks, opcodes, keywords and the three classic channels, with the message
 * ids of facts 12.3 and 12.6.
 */

#include "event/manifest.h"

/* Its name is "".  NULL: no memory. */
struct event_publisher *event_catalog_default_create(TALLOC_CTX *mem_ctx);

#endif
