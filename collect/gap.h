/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_GAP_H
#define EVENLOG_COLLECT_GAP_H

/*
 * Counting what is missing: gaps that are met while a batch is looked at, by
 * cause, and their way into the position.  Pure.
 */

#include "collect/position.h"

#include <stdbool.h>
#include <stdint.h>

#define COLLECT_GAP_CAUSES (COLLECT_GAP_REFUSED + 1)

/* Gaps of a batch; those of one cause are one, from the first to the last. */
struct collect_gap_tally {
	struct collect_gap gaps[COLLECT_GAP_CAUSES]; /* by cause */
	uint64_t numbers[COLLECT_GAP_CAUSES];	     /* gaps in it */
};

/* NONE is not counted. */
void collect_gap_add(struct collect_gap_tally *tally,
		     const struct collect_gap *gap);
/* Everything of other, which counts as so many gaps. */
void collect_gap_merge(struct collect_gap_tally *tally,
		       const struct collect_gap_tally *other);
bool collect_gap_any(const struct collect_gap_tally *tally);

/* Records first to last are missing; last < first: nothing. */
struct collect_gap collect_gap_range(uint64_t first, uint64_t last,
				     enum collect_gap_cause cause,
				     enum collect_gap_exact exact);

/*
 * Count them in the position.  Its latest gap is the largest of them, not
 * reported; one that was there before and is not reported yet is part of it
 * when its cause is the same.
 */
void collect_gap_commit(struct collect_position *position,
			const struct collect_gap_tally *tally);

#endif
