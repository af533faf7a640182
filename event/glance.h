/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_GLANCE_H
#define EVENLOG_EVENT_GLANCE_H

/*
 * The few fields that a collector wants of an event in RPC form before it is
 * stored: when it was made and on which computer.  Events of one source share
 * their definitions, so where the fields stand is remembered by the
 * definition's bytes.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct event_glance {
	bool has_time;
	uint64_t time_created; /* FILETIME */
	/*
	 * System/Computer, UTF-16LE inside doc, without the closing NUL that
	 * files have; NULL: it has none.  No units: it is empty, not text, or
	 * not in one piece, which no Windows writes: it is no host's name.
	 */
	const uint8_t *computer;
	size_t computer_units;
};

/* Remembers a bounded number of definitions: 256, and 256 KiB of them. */
struct event_glancer;
struct event_glancer *event_glancer_create(TALLOC_CTX *mem_ctx);

/*
 * What comes first counts, as for event_pack()'s header.
 *
 * EVERR_BINXML_*, EVERR_LIMIT  malformed, as far as it was looked at
 * EVERR_NOMEM
 */
everr_t event_glance(struct event_glancer *glancer, const uint8_t *doc,
		     size_t len,
		     struct event_glance *ret_glance) EVERR_MUST_CHECK;

#endif
