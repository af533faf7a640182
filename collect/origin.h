/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_ORIGIN_H
#define EVENLOG_COLLECT_ORIGIN_H

/*
 * Whether the host an event came from is the one it names: System/Computer
 * beside the name that the host was asked for under.  Pure.
 */

#include "base/everr.h"
#include "event/glance.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A host's name, ready to be compared. */
struct collect_origin;

/* EVERR_TEXT: host is not UTF-8; EVERR_NOMEM */
everr_t collect_origin_create(TALLOC_CTX *mem_ctx, const char *host,
			      struct collect_origin **ret_origin)
	EVERR_MUST_CHECK;

/*
 * proved: the host has authenticated itself.  Else, where the host is named by
 * its address, and of an event that names no computer, all that can be said is
 * CLAIMED.  Names are equal without case (ASCII); where one of them has no dot
 * its only label is compared with the first of the other.
 */
enum store_origin_mark collect_origin_mark(const struct collect_origin *origin,
					   bool proved,
					   const struct event_glance *glance);

#endif
