/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Where to go on, for every combination of what a position and a log can say.
 * The cases are those of design decisions 6 and 7, "Durability" 3 and facts
 * 4.1, 11.1, 14; what holds for all combinations is checked for all of them.
 */

#include "tests/leak.h"

#include "collect/resume.h"

#include <string.h>

#define CREATED 133444736000000000U

static struct collect_position position_at(uint64_t record_id)
{
	struct collect_position position = {
		.record_id = record_id,
		.log_created = CREATED,
	};

	memset(position.hash, 0xAA, COLLECT_HASH_SIZE);
	return position;
}

/* A record that was not looked for, in a log from oldest to newest. */
static struct collect_facts log_of(uint64_t oldest, uint64_t newest)
{
	return (struct collect_facts){
		.created = CREATED,
		.probe = COLLECT_PROBE_GONE,
		.bounds = true,
		.oldest = oldest,
		.newest = newest,
	};
}

static struct collect_facts found(uint8_t hash)
{
	struct collect_facts facts = log_of(1, 100);

	facts.probe = COLLECT_PROBE_FOUND;
	memset(facts.digest.hash, hash, COLLECT_HASH_SIZE);
	return facts;
}

static struct collect_plan decide(const struct collect_position *position,
				  const struct collect_facts *facts,
				  struct collect_memory memory)
{
	struct collect_plan plan;

	collect_resume(position, facts, &memory, &plan);
	return plan;
}

static const struct collect_memory all = {.filtered = false};
static const struct collect_memory filtered = {.filtered = true};

static void assert_gap(const struct collect_plan *plan, uint32_t cause,
		       uint32_t exact, uint64_t first, uint64_t last,
		       uint64_t missing)
{
	assert_int_equal(plan->gap.cause, cause);
	assert_int_equal(plan->gap.exact, exact);
	assert_int_equal(plan->gap.first, first);
	assert_int_equal(plan->gap.last, last);
	assert_int_equal(plan->gap.missing, missing);
}

static void assert_goes_on(const struct collect_plan *plan, uint64_t id)
{
	assert_int_equal(plan->from, COLLECT_FROM_BOOKMARK);
	assert_int_equal(plan->record_id, id);
	assert_int_equal(plan->gap.cause, COLLECT_GAP_NONE);
	assert_false(plan->restart);
}

static void test_the_same_record_is_where_to_go_on(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = found(0xAA);
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	assert_goes_on(&plan, 10);
	assert_true(plan.strict);
	assert_false(plan.again);

	/* Even in a log that has another creation time: a restored one. */
	facts.created = CREATED + 1;
	plan = decide(&position, &facts, filtered);
	assert_goes_on(&plan, 10);
}

static void test_the_same_time_in_the_same_log_is_the_same_record(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = found(0xBB);
	struct collect_plan plan;

	(void)state;
	position.time_created = CREATED + 7;
	facts.digest.time_created = CREATED + 7;
	plan = decide(&position, &facts, all);
	assert_goes_on(&plan, 10);

	facts.digest.time_created++;
	plan = decide(&position, &facts, all);
	assert_true(plan.restart);

	/* Of a log that was made anew, or might have been, it says nothing. */
	facts.digest.time_created = CREATED + 7;
	facts.created = CREATED + 1;
	plan = decide(&position, &facts, all);
	assert_true(plan.restart);
	facts.created = 0;
	plan = decide(&position, &facts, all);
	assert_true(plan.restart);
}

static void test_where_bookmarks_are_refused_all_is_read_again(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = found(0xAA);
	struct collect_memory memory = {.refused = true};
	struct collect_plan plan = decide(&position, &facts, memory);

	(void)state;
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_true(plan.again);
	assert_int_equal(plan.record_id, 10);
	assert_false(plan.restart);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_NONE);
}

static void test_another_record_of_that_number(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = found(0xBB);
	struct collect_memory memory = {.newest = 14};
	struct collect_plan plan = decide(&position, &facts, memory);

	(void)state;
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_true(plan.restart);
	assert_int_equal(plan.record_id, 0);
	assert_gap(&plan, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 11, 14, 4);

	/* A filter's results in the old log are not known to be any. */
	memory.filtered = true;
	plan = decide(&position, &facts, memory);
	assert_gap(&plan, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 11, 14, 0);
}

static void test_a_record_that_was_overwritten(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = log_of(15, 100);
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.record_id, 14);
	assert_true(plan.restart);
	assert_gap(&plan, COLLECT_GAP_OVERWRITTEN, COLLECT_GAP_EXACT, 11, 14,
		   4);
	plan = decide(&position, &facts, filtered);
	assert_gap(&plan, COLLECT_GAP_OVERWRITTEN, COLLECT_GAP_AT_MOST, 11, 14,
		   4);
	position.passed = 13;
	plan = decide(&position, &facts, filtered);
	assert_gap(&plan, COLLECT_GAP_OVERWRITTEN, COLLECT_GAP_AT_MOST, 14, 14,
		   1);
	position.passed = 14;
	plan = decide(&position, &facts, filtered);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_NONE);
}

static void test_a_cleared_log_whose_numbers_go_on(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = log_of(15, 100);
	struct collect_plan plan;

	(void)state;
	facts.created = CREATED + 1;
	plan = decide(&position, &facts, all);
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.record_id, 14);
	assert_gap(&plan, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 11, 14, 4);
}

static void test_a_log_that_begins_right_behind(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = log_of(11, 100);
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.record_id, 10);
	assert_false(plan.restart);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_NONE);
}

static void test_numbers_that_were_reset(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = log_of(3, 9);
	struct collect_memory memory = {.newest = 12};
	struct collect_plan plan = decide(&position, &facts, memory);

	(void)state;
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.record_id, 2);
	assert_true(plan.restart);
	assert_gap(&plan, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 11, 12, 2);
	/* Nothing is known of what came after the position. */
	plan = decide(&position, &facts, all);
	assert_gap(&plan, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 11, 0, 0);
}

static void test_an_empty_log(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = log_of(0, 0);
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	/* The next event's number tells what is missing. */
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.record_id, 10);
	assert_false(plan.restart);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_NONE);

	plan = decide(&position, &facts, filtered);
	assert_true(plan.restart);
	assert_int_equal(plan.record_id, 0);
	assert_gap(&plan, COLLECT_GAP_CLEARED, COLLECT_GAP_AT_LEAST, 11, 0, 0);
}

static void test_a_hole_where_the_record_was(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = log_of(3, 20);
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	assert_goes_on(&plan, 10);
	assert_false(plan.strict);
	facts.created = CREATED + 1;
	plan = decide(&position, &facts, all);
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_CLEARED);
}

/* One that could not be read has no hash; the creation time must do. */
static void test_a_position_without_a_hash(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = found(0xBB);
	struct collect_plan plan;

	(void)state;
	memset(position.hash, 0, COLLECT_HASH_SIZE);
	plan = decide(&position, &facts, all);
	assert_goes_on(&plan, 10);
	facts.created = CREATED + 1;
	plan = decide(&position, &facts, all);
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_CLEARED);
}

static void test_a_host_that_cannot_tell(void **state)
{
	struct collect_position position = position_at(10);
	struct collect_facts facts = {.created = CREATED,
				      .probe = COLLECT_PROBE_UNKNOWN};
	struct collect_memory memory = {.refused = true};
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	/* The subscription tells: it is Strict. */
	assert_goes_on(&plan, 10);
	assert_true(plan.strict);
	/* It did: the record itself may come, and prove that it is the log. */
	plan = decide(&position, &facts, memory);
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_true(plan.again);
	assert_true(plan.prove);
	assert_int_equal(plan.record_id, 10);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_NONE);
	/* It did not: all that is there is read, nothing said to be old. */
	memory.unproved = true;
	plan = decide(&position, &facts, memory);
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_false(plan.again);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_CLEARED);
	assert_int_equal(plan.gap.exact, COLLECT_GAP_AT_LEAST);
	/* Nothing could prove it, or it is known to be another one. */
	memory.unproved = false;
	facts.created = CREATED + 1;
	plan = decide(&position, &facts, memory);
	assert_false(plan.again);
	facts.created = CREATED;
	memset(position.hash, 0, COLLECT_HASH_SIZE);
	plan = decide(&position, &facts, memory);
	assert_false(plan.again);
}

static void test_a_log_that_was_empty_at_first_sight(void **state)
{
	struct collect_position position = {.record_id = 0};
	struct collect_facts facts = log_of(5, 20);
	struct collect_plan plan = decide(&position, &facts, all);

	(void)state;
	assert_int_equal(plan.from, COLLECT_FROM_OLDEST);
	assert_int_equal(plan.gap.cause, COLLECT_GAP_NONE);
	assert_int_equal(plan.record_id, 0);
}

/* Whatever comes together, these hold. */
static void check_always(const struct collect_position *position,
			 const struct collect_facts *facts,
			 const struct collect_memory *memory)
{
	struct collect_plan plan = decide(position, facts, *memory);
	bool same = facts->probe == COLLECT_PROBE_FOUND &&
		    memcmp(facts->digest.hash, position->hash,
			   COLLECT_HASH_SIZE) == 0;

	/* Never now. */
	assert_int_not_equal(plan.from, COLLECT_FROM_NOW);
	/* Nothing is called old that was not proved to be. */
	assert_true(!plan.again || plan.from == COLLECT_FROM_OLDEST);
	if (position->record_id != 0) {
		/* A bookmark is the position's own. */
		assert_true(plan.from != COLLECT_FROM_BOOKMARK ||
			    plan.record_id == position->record_id);
		/* Refused once, it is not tried again. */
		assert_true(!memory->refused ||
			    plan.from != COLLECT_FROM_BOOKMARK);
		/* What is to be proved is proved by a hash, once. */
		assert_true(!plan.prove || (plan.again && memory->refused &&
					    !memory->unproved && !same));
		/* A log that is proved to be the same has no gap. */
		assert_true(!same || plan.gap.cause == COLLECT_GAP_NONE);
		assert_true(!same || !plan.restart);
	}
	/* A position that moves without a gap has lost nothing. */
	assert_true(!plan.restart || plan.gap.cause != COLLECT_GAP_NONE ||
		    memory->filtered);
	/* Sure numbers are those of the range. */
	if (plan.gap.cause != COLLECT_GAP_NONE &&
	    plan.gap.exact != COLLECT_GAP_AT_LEAST) {
		assert_int_equal(plan.gap.missing,
				 plan.gap.last - plan.gap.first + 1);
	}
	assert_true(plan.gap.exact != COLLECT_GAP_EXACT ||
		    plan.gap.cause == COLLECT_GAP_NONE || !memory->filtered);
}

static void test_what_holds_for_every_combination(void **state)
{
	static const uint64_t ids[] = {0, 1, 2, 9, 10, 11, 12, 20};
	const size_t n = sizeof(ids) / sizeof(ids[0]);
	size_t count = 0;
	size_t i;

	(void)state;
	/* Each bit pattern is one choice of the small ones. */
	for (i = 0; i < 3 * 3 * 256 * n * n * n; i++) {
		size_t rest = i;
		struct collect_position position = position_at(10);
		struct collect_facts facts = {.created = 0};
		struct collect_memory memory = {.filtered = rest & 1};

		memory.refused = rest >> 1 & 1;
		facts.bounds = rest >> 2 & 1;
		memory.newest = rest >> 3 & 1 ? 15 : 0;
		facts.created = rest >> 4 & 1 ? CREATED : 0;
		position.log_created = rest >> 5 & 1 ? CREATED - 1 : 0;
		memset(position.hash, rest >> 6 & 1 ? 0xAA : 0,
		       COLLECT_HASH_SIZE);
		memory.unproved = rest >> 7 & 1;
		rest /= 256;
		facts.probe = rest % 3;
		rest /= 3;
		memset(facts.digest.hash, rest % 3 == 0 ? 0xAA : 0xBB,
		       COLLECT_HASH_SIZE);
		rest /= 3;
		position.record_id = ids[rest % n];
		rest /= n;
		facts.oldest = ids[rest % n];
		facts.newest = ids[rest / n];
		if (facts.oldest > facts.newest ||
		    (facts.oldest == 0) != (facts.newest == 0)) {
			continue;
		}
		check_always(&position, &facts, &memory);
		count++;
	}
	assert_true(count > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_same_record_is_where_to_go_on),
		leak_test(
			test_the_same_time_in_the_same_log_is_the_same_record),
		leak_test(test_where_bookmarks_are_refused_all_is_read_again),
		leak_test(test_another_record_of_that_number),
		leak_test(test_a_record_that_was_overwritten),
		leak_test(test_a_cleared_log_whose_numbers_go_on),
		leak_test(test_a_log_that_begins_right_behind),
		leak_test(test_numbers_that_were_reset),
		leak_test(test_an_empty_log),
		leak_test(test_a_hole_where_the_record_was),
		leak_test(test_a_position_without_a_hash),
		leak_test(test_a_host_that_cannot_tell),
		leak_test(test_a_log_that_was_empty_at_first_sight),
		leak_test(test_what_holds_for_every_combination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
