/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_MAPPER_H
#define EVENLOG_COLLECT_MAPPER_H

/*
 * The one question asked of a DCE endpoint mapper: at which TCP port does
 * this interface listen?  ept_map, opnum 3 of e1af8308-5d1f-11c9-91a4-
 * 08002b14a0fa v3.0, as stub bytes in NDR (C706 appendix O, protocol towers
 * in appendix L).  libdcerpc has it too, but only for port 135.  Pure.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"

#include <stddef.h>
#include <stdint.h>

#define COLLECT_MAPPER_OPNUM 3
#define COLLECT_MAPPER_PORT 135

/* Append the request for an interface over ncacn_ip_tcp and NDR. */
void collect_mapper_request(struct buf *out, const struct ev_guid *interface,
			    uint16_t major, uint16_t minor);

/*
 * Read the reply: the port of the first tower that has one.
 *
 * EVERR_NOT_FOUND  the mapper does not know the interface
 * EVERR_PROTOCOL   malformed
 */
everr_t collect_mapper_reply(const uint8_t *data, size_t len,
			     uint16_t *ret_port) EVERR_MUST_CHECK;

#endif
