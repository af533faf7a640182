/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/gap.h"

/* Numbers are what a host says: sums stop at the top. */
static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The sum of gaps is no surer than the least sure of them. */
static uint32_t sum_exact(uint32_t a, uint32_t b)
{
	if (a == COLLECT_GAP_AT_LEAST || b == COLLECT_GAP_AT_LEAST) {
		return COLLECT_GAP_AT_LEAST;
	}
	return a == COLLECT_GAP_EXACT ? b : a;
}

static void gap_join(struct collect_gap *gap, const struct collect_gap *other)
{
	if (gap->cause == COLLECT_GAP_NONE) {
		*gap = *other;
		return;
	}
	/* Record ids of what has none are not known: 0. */
	if (gap->first == 0 ||
	    (other->first != 0 && other->first < gap->first)) {
		gap->first = other->first;
	}
	if (other->last > gap->last) {
		gap->last = other->last;
	}
	gap->missing = sum(gap->missing, other->missing);
	gap->exact = sum_exact(gap->exact, other->exact);
}

void collect_gap_add(struct collect_gap_tally *tally,
		     const struct collect_gap *gap)
{
	if (gap->cause == COLLECT_GAP_NONE ||
	    gap->cause >= COLLECT_GAP_CAUSES) {
		return;
	}
	gap_join(&tally->gaps[gap->cause], gap);
	tally->numbers[gap->cause]++;
}

void collect_gap_merge(struct collect_gap_tally *tally,
		       const struct collect_gap_tally *other)
{
	size_t i;

	for (i = 1; i < COLLECT_GAP_CAUSES; i++) {
		if (other->numbers[i] > 0) {
			gap_join(&tally->gaps[i], &other->gaps[i]);
			tally->numbers[i] += other->numbers[i];
		}
	}
}

bool collect_gap_any(const struct collect_gap_tally *tally)
{
	size_t i;

	for (i = 1; i < COLLECT_GAP_CAUSES; i++) {
		if (tally->numbers[i] > 0) {
			return true;
		}
	}
	return false;
}

struct collect_gap collect_gap_range(uint64_t first, uint64_t last,
				     enum collect_gap_cause cause,
				     enum collect_gap_exact exact)
{
	if (last < first) {
		return (struct collect_gap){.cause = COLLECT_GAP_NONE};
	}
	return (struct collect_gap){
		.first = first,
		.last = last,
		.missing = last - first + 1,
		.cause = cause,
		.exact = exact,
	};
}

void collect_gap_commit(struct collect_position *position,
			const struct collect_gap_tally *tally)
{
	const struct collect_gap *largest = NULL;
	struct collect_gap before = position->gap;
	size_t i;

	for (i = 1; i < COLLECT_GAP_CAUSES; i++) {
		const struct collect_gap *gap = &tally->gaps[i];
		uint64_t *count = gap->exact == COLLECT_GAP_AT_MOST
					  ? &position->at_most
					  : &position->missing;

		if (tally->numbers[i] == 0) {
			continue;
		}
		position->gaps = sum(position->gaps, tally->numbers[i]);
		*count = sum(*count, gap->missing);
		if (largest == NULL || gap->missing > largest->missing) {
			largest = gap;
		}
	}
	if (largest == NULL) {
		return;
	}
	position->gap = *largest;
	if (!position->gap_reported && before.cause == largest->cause) {
		gap_join(&position->gap, &before);
	}
	position->gap_reported = false;
}
