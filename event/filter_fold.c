/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_fold.h"

enum truth {
	IS_FALSE,
	IS_TRUE,
	IS_UNKNOWN
};

struct fold {
	struct filter_reader *reader;
	const struct filter_literal *literals;
	const struct filter_plan *plan;
	const struct filter_item *item;
};

/* --------------------------------------------------------- the predicates */

/* A path of one step, and nothing about what it finds. */
static uint32_t simple_step(const struct xpath *xpath, uint32_t expr)
{
	const struct xpath_expr *e = &xpath->exprs[expr];
	const struct xpath_step *step = NULL;

	if (e->kind != XPATH_PATH) {
		return XPATH_NONE;
	}
	step = &xpath->steps[e->first];
	return step->next == XPATH_NONE && step->first_predicate == XPATH_NONE
		       ? e->first
		       : XPATH_NONE;
}

/* literal NULL: does it exist?  Else: does it compare? */
static enum truth fold_path(const struct fold *fold, uint32_t step,
			    enum xpath_op op,
			    const struct filter_literal *literal)
{
	const struct xpath_test *test = NULL;
	const struct filter_range *range = NULL;
	enum truth truth = IS_FALSE;
	uint32_t i;

	if (step == XPATH_NONE) {
		return IS_UNKNOWN;
	}
	test = &fold->reader->xpath
			->tests[fold->reader->xpath->steps[step].test];
	range = &fold->plan->ranges[fold->item->ranges + test->slot];
	for (i = range->first; i < range->first + range->count; i++) {
		const struct filter_item *item = &fold->plan->items[i];
		struct filter_operand operand = {.class = FILTER_UTF8};

		if (item->kind != FILTER_ATTRIBUTE ||
		    item->form != FILTER_FORM_LITERAL) {
			truth = IS_UNKNOWN;
			continue;
		}
		operand.data = fold->plan->text + item->literal.offset;
		operand.len = item->literal.len;
		if (literal == NULL || filter_compare(&operand, op, literal,
						      &fold->reader->scratch)) {
			return IS_TRUE;
		}
	}
	return truth;
}

static enum truth fold_expr(const struct fold *fold, uint32_t expr);

static enum truth fold_list(const struct fold *fold,
			    const struct xpath_expr *expr)
{
	enum truth decides = expr->kind == XPATH_OR ? IS_TRUE : IS_FALSE;
	enum truth truth = expr->kind == XPATH_OR ? IS_FALSE : IS_TRUE;
	uint32_t i = expr->first;

	for (; i != XPATH_NONE; i = fold->reader->xpath->exprs[i].next) {
		enum truth operand = fold_expr(fold, i);

		if (operand == decides) {
			return decides;
		}
		if (operand == IS_UNKNOWN) {
			truth = IS_UNKNOWN;
		}
	}
	return truth;
}

/* Recursion is as deep as brackets and parentheses. */
static enum truth fold_expr(const struct fold *fold, uint32_t expr)
{
	const struct xpath *xpath = fold->reader->xpath;
	const struct xpath_expr *e = &xpath->exprs[expr];

	if (!filter_charge(fold->reader, 1)) {
		return IS_UNKNOWN;
	}
	switch ((enum xpath_kind)e->kind) {
	case XPATH_OR:
	case XPATH_AND:
		return fold_list(fold, e);
	case XPATH_COMPARE:
		return fold_path(fold, simple_step(xpath, e->first),
				 (enum xpath_op)e->op,
				 &fold->literals[e->literal]);
	case XPATH_PATH:
		return fold_path(fold, simple_step(xpath, expr), XPATH_EQ,
				 NULL);
	default:
		return IS_UNKNOWN;
	}
}

static bool may_pass(const struct fold *fold, uint32_t step)
{
	const struct xpath *xpath = fold->reader->xpath;
	uint32_t i = xpath->steps[step].first_predicate;

	if (fold->item->kind != FILTER_ELEMENT) {
		return true;
	}
	for (; i != XPATH_NONE; i = xpath->predicates[i].next) {
		if (fold_expr(fold, xpath->predicates[i].expr) == IS_FALSE) {
			return false;
		}
	}
	return true;
}

bool filter_fold_is_useful(const struct xpath *xpath, uint32_t step)
{
	uint32_t i = xpath->steps[step].first_predicate;
	uint32_t test = xpath->tests[xpath->steps[step].test].first_child;

	/* A place counts what others are thrown out for. */
	for (; i != XPATH_NONE; i = xpath->predicates[i].next) {
		if (xpath->predicates[i].uses_position) {
			return false;
		}
	}
	for (; test != XPATH_NONE; test = xpath->tests[test].next) {
		if (xpath->tests[test].axis == XPATH_ATTRIBUTE) {
			return xpath->steps[step].first_predicate != XPATH_NONE;
		}
	}
	return false;
}

/* ------------------------------------------------------------- the lists */

static struct filter_kept *make_kept(struct fold *fold,
				     struct filter_plan *plan, uint32_t step,
				     uint32_t range_index)
{
	const struct filter_range *range = &plan->ranges[range_index];
	struct filter_kept *kept = NULL;
	uint32_t i;

	kept = talloc_size(plan,
			   sizeof(*kept) + range->count * sizeof(uint32_t));
	if (kept == NULL) {
		return NULL;
	}
	*kept = (struct filter_kept){.step = step, .range = range_index};
	for (i = range->first; i < range->first + range->count; i++) {
		fold->item = &plan->items[i];
		if (may_pass(fold, step)) {
			kept->items[kept->count++] = i;
		}
	}
	return kept;
}

const struct filter_kept *filter_fold(struct filter_reader *reader,
				      const struct filter_literal *literals,
				      struct filter_level *level, uint32_t step,
				      uint32_t range)
{
	struct fold fold = {reader, literals, level->plan, NULL};
	struct filter_plan *plan = level->plan;
	struct filter_kept **head = NULL;
	struct filter_kept *kept = NULL;

	if (plan->kept == NULL) {
		plan->kept = talloc_zero_array(plan, struct filter_kept *,
					       FILTER_KEPT_HEADS);
		if (plan->kept == NULL) {
			reader->err = EVERR_NOMEM;
			return NULL;
		}
	}
	head = &plan->kept[(step + 31 * range) % FILTER_KEPT_HEADS];
	for (kept = *head; kept != NULL; kept = kept->next) {
		if (kept->step == step && kept->range == range) {
			return kept;
		}
	}
	kept = make_kept(&fold, plan, step, range);
	if (kept == NULL) {
		reader->err = EVERR_NOMEM;
		return NULL;
	}
	kept->next = *head;
	*head = kept;
	reader->cache_bytes += talloc_get_size(kept);
	return kept;
}
