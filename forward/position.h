/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_POSITION_H
#define EVENLOG_FORWARD_POSITION_H

/*
 * How far an output has come, as it lies in the store's named state
 * "forward/NAME".  Pure.
 *
 * Layout (little endian):
 *
 *   "FWP1" began:u64 count:u32
 *   count x { length:u16 name id:u64 }
 */

#include "base/buf.h"
#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* The largest one: what a named state may hold. */
#define FORWARD_POSITION_MAX (1024 * 1024)
/* Bytes before the first place, and of one beside its name. */
#define FORWARD_POSITION_HEAD 16
#define FORWARD_PLACE_HEAD 10
/* UTF-8 bytes of a channel's name. */
#define FORWARD_PLACE_NAME_MAX 1024

struct forward_place {
	const char *channel; /* compared without case */
	uint64_t id; /* all up to it have arrived, or were passed over */
};

struct forward_position {
	uint64_t began; /* FILETIME: when the output ran for the first time */
	struct forward_place *places;
	size_t num_places;
};

/* EVERR_LIMIT: over FORWARD_POSITION_MAX; EVERR_INVALID: a name; EVERR_NOMEM */
everr_t forward_position_encode(struct buf *out,
				const struct forward_position *position)
	EVERR_MUST_CHECK;

/*
 * EVERR_INVALID  not what forward_position_encode() makes
 * EVERR_NOMEM
 */
everr_t forward_position_decode(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
	struct forward_position **ret_position) EVERR_MUST_CHECK;

#endif
