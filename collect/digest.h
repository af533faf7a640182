/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_DIGEST_H
#define EVENLOG_COLLECT_DIGEST_H

/*
 * What tells one event from another that has its record id: its time, and a
 * hash of its text.  The text, because a host may send the same event in
 * another binary form another time.  Pure.
 */

#include "base/everr.h"
#include "collect/position.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct collect_digest {
	uint64_t time_created; /* FILETIME; 0: the event has none */
	uint8_t hash[COLLECT_HASH_SIZE];
};

/*
 * Of an event in RPC form; scratch memory is taken from mem_ctx and given
 * back.  One that is malformed is told by its bytes.  EVERR_NOMEM
 */
everr_t collect_digest(TALLOC_CTX *mem_ctx, const uint8_t *doc, size_t len,
		       struct collect_digest *ret_digest) EVERR_MUST_CHECK;

#endif
