/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/resume.h"

#include <string.h>

/* What the cases below look at. */
struct resume {
	const struct collect_position *position;
	const struct collect_facts *facts;
	const struct collect_memory *memory;
	bool made_anew; /* the creation time is another one */
	bool empty;
};

static bool has_hash(const struct collect_position *position)
{
	static const uint8_t none[COLLECT_HASH_SIZE];

	return memcmp(position->hash, none, sizeof(none)) != 0;
}

/*
 * The hash is one of text, which a later version of this program may write
 * otherwise, or the host: that is no reason to store a whole log again.  The
 * same record id and time, to 100 ns, in a log that was not made anew is the
 * same event.
 */
static bool is_same_time(const struct resume *r)
{
	return r->position->time_created != 0 &&
	       r->position->time_created == r->facts->digest.time_created &&
	       r->facts->created != 0 &&
	       r->position->log_created == r->facts->created;
}

/*
 * Whether the record found is the one that was stored.  One that could not be
 * read then has no hash; the log's creation time must do.
 */
static bool is_same(const struct resume *r)
{
	if (r->facts->probe != COLLECT_PROBE_FOUND) {
		return false;
	}
	if (!has_hash(r->position)) {
		return !r->made_anew;
	}
	return memcmp(r->position->hash, r->facts->digest.hash,
		      COLLECT_HASH_SIZE) == 0 ||
	       is_same_time(r);
}

/* Where the log begins, as the record before it. */
static uint64_t before_oldest(const struct resume *r)
{
	return r->facts->bounds && !r->empty ? r->facts->oldest - 1 : 0;
}

/*
 * What was in the old log behind the position is known as far as the last look
 * went; of a filter's results not even that.
 */
static struct collect_gap gap_cleared(const struct resume *r)
{
	uint64_t first = r->position->record_id + 1;
	struct collect_gap gap = {
		.first = first,
		.cause = COLLECT_GAP_CLEARED,
		.exact = COLLECT_GAP_AT_LEAST,
	};

	if (r->memory->newest >= first) {
		gap.last = r->memory->newest;
		gap.missing = r->memory->filtered ? 0 : gap.last - first + 1;
	}
	return gap;
}

static struct collect_plan plan_cleared(const struct resume *r)
{
	return (struct collect_plan){
		.from = COLLECT_FROM_OLDEST,
		.record_id = before_oldest(r),
		.restart = true,
		.gap = gap_cleared(r),
	};
}

static struct collect_plan plan_same(const struct resume *r)
{
	struct collect_plan plan = {
		.from = COLLECT_FROM_BOOKMARK,
		.strict = true,
		.record_id = r->position->record_id,
	};

	if (r->memory->refused) {
		plan.from = COLLECT_FROM_OLDEST;
		plan.strict = false;
		plan.again = true;
	}
	return plan;
}

/*
 * Record ids may go on after a clear ([obs] of facts 11.1): what is missing
 * shows when the next event comes.  A filter's next event shows nothing.
 */
static struct collect_plan plan_empty(const struct resume *r)
{
	if (r->memory->filtered) {
		return plan_cleared(r);
	}
	return (struct collect_plan){
		.from = COLLECT_FROM_OLDEST,
		.record_id = r->position->record_id,
	};
}

/* The log begins behind the position. */
static struct collect_plan plan_behind(const struct resume *r)
{
	uint64_t oldest = r->facts->oldest;
	uint64_t seen = r->position->record_id;
	enum collect_gap_exact exact = COLLECT_GAP_EXACT;

	if (r->memory->filtered) {
		exact = COLLECT_GAP_AT_MOST;
		seen = r->position->passed > seen ? r->position->passed : seen;
	} else if (r->made_anew) {
		exact = COLLECT_GAP_AT_LEAST;
	}
	return (struct collect_plan){
		.from = COLLECT_FROM_OLDEST,
		.record_id = oldest - 1,
		.restart = oldest - 1 != r->position->record_id,
		.gap = collect_gap_range(seen + 1, oldest - 1,
					 r->made_anew ? COLLECT_GAP_CLEARED
						      : COLLECT_GAP_OVERWRITTEN,
					 exact),
	};
}

/* The host brings the record that the position names, if by no other way. */
static struct collect_plan plan_prove(const struct resume *r)
{
	return (struct collect_plan){
		.from = COLLECT_FROM_OLDEST,
		.again = true,
		.prove = true,
		.record_id = r->position->record_id,
	};
}

/* It is not there, or nobody knows, within a log that reaches past it. */
static struct collect_plan plan_within(const struct resume *r)
{
	if (r->made_anew) {
		return plan_cleared(r);
	}
	if (r->memory->refused) {
		return r->memory->unproved || !has_hash(r->position)
			       ? plan_cleared(r)
			       : plan_prove(r);
	}
	return (struct collect_plan){
		.from = COLLECT_FROM_BOOKMARK,
		.strict = r->facts->probe == COLLECT_PROBE_UNKNOWN,
		.record_id = r->position->record_id,
	};
}

static struct collect_plan plan_missing(const struct resume *r)
{
	uint64_t id = r->position->record_id;

	if (!r->facts->bounds) {
		return r->facts->probe == COLLECT_PROBE_UNKNOWN
			       ? plan_within(r)
			       : plan_cleared(r);
	}
	if (r->empty) {
		return plan_empty(r);
	}
	if (id < r->facts->oldest) {
		return plan_behind(r);
	}
	if (id > r->facts->newest) {
		return plan_cleared(r);
	}
	return plan_within(r);
}

void collect_resume(const struct collect_position *position,
		    const struct collect_facts *facts,
		    const struct collect_memory *memory,
		    struct collect_plan *ret_plan)
{
	struct resume r = {
		.position = position,
		.facts = facts,
		.memory = memory,
		.made_anew = position->log_created != 0 &&
			     facts->created != 0 &&
			     position->log_created != facts->created,
		.empty = facts->bounds && facts->oldest == 0,
	};

	if (position->record_id == 0) {
		/* Nothing was there: what there is now is all there was. */
		*ret_plan = (struct collect_plan){.from = COLLECT_FROM_OLDEST};
	} else if (is_same(&r)) {
		*ret_plan = plan_same(&r);
	} else if (facts->probe == COLLECT_PROBE_FOUND) {
		*ret_plan = plan_cleared(&r);
	} else {
		*ret_plan = plan_missing(&r);
	}
}
