/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_REWIND_H
#define EVENLOG_FORWARD_REWIND_H

/*
 * Where in a channel a rewind leads to; forward_rewind_send() is in
 * forward/forward.h.
 */

#include "base/everr.h"
#include "store/store.h"

#include <stdint.h>

/* Damaged records in a row that are looked past for a time. */
#define FORWARD_REWIND_DAMAGED_MAX 64

/*
 * The first id whose record was received at time or later; the channel's next
 * id when there is none.  ReceivedTime never decreases in a channel, so it is
 * some twenty reads.  Where damage hides the time it is an earlier id rather
 * than a later one.  EVERR_IO, EVERR_NOMEM
 */
everr_t forward_rewind_find(struct store_snapshot *snapshot,
			    struct store_channel *channel, uint64_t time,
			    uint64_t *ret_id) EVERR_MUST_CHECK;

#endif
