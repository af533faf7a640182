/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_RESULT_H
#define EVENLOG_EVENT_RESULT_H

/*
 * Result records: one event with the ids of the subqueries that selected it
 * and its binary bookmark, as opnums 1, 2 and 11 return it.
 * [MS-EVEN6] 2.2.17 (result set) and 2.2.16.1 (bookmark); facts 5, vector V5.
 */

#include "base/buf.h"
#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a result record around its event. */
#define EVENT_RESULT_OVERHEAD(num_ids, num_channels) \
	(20 + 4 + 4 * (num_ids) + 0x18 + 8 * (num_channels))

struct event_result {
	const uint8_t *event; /* RPC-form document */
	uint32_t event_len;
	const uint8_t *subquery_ids; /* u32 little endian each */
	uint32_t num_subquery_ids;
	uint32_t num_channels;
	uint32_t current_channel;
	bool reverse;		   /* readDirection 1 */
	const uint8_t *record_ids; /* u64 little endian each */
};

/*
 * Append a record in two steps, so that the event is written in place:
 * begin writes the head and returns its offset, the caller appends the
 * event's RPC form, end adds ids and bookmark and patches the lengths.
 */
size_t event_result_begin(struct buf *out);
void event_result_end(struct buf *out, size_t start,
		      const uint32_t *subquery_ids, size_t num_subquery_ids,
		      const uint64_t *record_ids, size_t num_channels,
		      uint32_t current_channel, bool reverse);

/*
 * Take one record apart; pointers go into data.  Every length and offset is
 * checked.  EVERR_RESULT: malformed.
 */
everr_t event_result_parse(const uint8_t *data, size_t len,
			   struct event_result *ret_result) EVERR_MUST_CHECK;

#endif
