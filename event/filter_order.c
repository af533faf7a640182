/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_order.h"

#include "event/filter_plan.h"

enum cost {
	COST_HEADER, /* a number in the event's header */
	COST_NAME,   /* the provider: a hash in the header, then its name */
	COST_SYSTEM, /* a value of the outer template */
	COST_DATA,   /* another template's */
	NUM_COSTS
};

struct order {
	const struct xpath *xpath;
	struct xpath_expr *exprs;    /* those of xpath */
	const enum cost *test_costs; /* of looking for a test's nodes */
};

/* The operands of one cost, in order. */
struct chain {
	uint32_t first;
	uint32_t last;
};

static enum cost order_expr(const struct order *o, uint32_t expr);

static enum cost higher(enum cost x, enum cost y)
{
	return x > y ? x : y;
}

/* The costs of a test whose parent's cost is known. */
static enum cost test_cost(const struct xpath *xpath, const uint8_t *fields,
			   const enum cost *costs, uint32_t test)
{
	uint32_t parent = xpath->tests[test].parent;

	/* Event itself, and System. */
	if (test == 0 || parent == 0 || filter_test_is_system(xpath, test)) {
		return COST_HEADER;
	}
	if (fields[test] == EVENT_SYSTEM_PROVIDER) {
		return COST_NAME;
	}
	if (fields[test] != FILTER_NO_FIELD) {
		return COST_HEADER;
	}
	return costs[parent] == COST_DATA || xpath->tests[parent].parent == 0
		       ? COST_DATA
		       : COST_SYSTEM;
}

/* Tests stand behind their parents. */
static enum cost *find_test_costs(const struct xpath *xpath,
				  const uint8_t *fields)
{
	enum cost *costs = talloc_array(xpath, enum cost, xpath->num_tests);
	uint32_t i;

	for (i = 0; costs != NULL && i < xpath->num_tests; i++) {
		costs[i] = test_cost(xpath, fields, costs, i);
		/* TimeCreated is there for its SystemTime. */
		if (fields[i] != FILTER_NO_FIELD &&
		    xpath->tests[i].axis == XPATH_ATTRIBUTE) {
			costs[xpath->tests[i].parent] = COST_HEADER;
		}
	}
	return costs;
}

static enum cost order_path(const struct order *o, uint32_t step)
{
	const struct xpath *xpath = o->xpath;
	enum cost cost = COST_HEADER;
	uint32_t i;

	for (; step != XPATH_NONE; step = xpath->steps[step].next) {
		cost = higher(cost, o->test_costs[xpath->steps[step].test]);
		for (i = xpath->steps[step].first_predicate; i != XPATH_NONE;
		     i = xpath->predicates[i].next) {
			cost = higher(cost,
				      order_expr(o, xpath->predicates[i].expr));
		}
	}
	return cost;
}

static enum cost order_list(const struct order *o, uint32_t expr)
{
	struct chain chains[NUM_COSTS];
	enum cost most = COST_HEADER;
	uint32_t *link = &o->exprs[expr].first;
	uint32_t next;
	uint32_t i;
	int c;

	for (c = 0; c < NUM_COSTS; c++) {
		chains[c] = (struct chain){XPATH_NONE, XPATH_NONE};
	}
	for (i = o->exprs[expr].first; i != XPATH_NONE; i = next) {
		enum cost cost = order_expr(o, i);
		struct chain *chain = &chains[cost];

		next = o->exprs[i].next;
		if (chain->first == XPATH_NONE) {
			chain->first = i;
		} else {
			o->exprs[chain->last].next = i;
		}
		chain->last = i;
		most = higher(most, cost);
	}
	for (c = 0; c < NUM_COSTS; c++) {
		if (chains[c].first != XPATH_NONE) {
			*link = chains[c].first;
			link = &o->exprs[chains[c].last].next;
		}
	}
	*link = XPATH_NONE;
	return most;
}

/* Recursion is as deep as brackets and parentheses. */
static enum cost order_expr(const struct order *o, uint32_t expr)
{
	const struct xpath_expr *e = &o->exprs[expr];
	enum cost cost = COST_HEADER;
	uint32_t i;

	switch ((enum xpath_kind)e->kind) {
	case XPATH_OR:
	case XPATH_AND:
		return order_list(o, expr);
	case XPATH_PATH:
		return order_path(o, e->first);
	case XPATH_COMPARE:
	case XPATH_BAND:
		return order_expr(o, e->first);
	case XPATH_TIMEDIFF:
		for (i = e->first; i != XPATH_NONE; i = o->exprs[i].next) {
			cost = higher(cost, order_expr(o, i));
		}
		return cost;
	case XPATH_POSITION:
	case XPATH_LITERAL:
		break;
	}
	return COST_HEADER;
}

everr_t filter_order(struct xpath *xpath, const uint8_t *fields)
{
	enum cost *costs = find_test_costs(xpath, fields);
	const struct order order = {xpath, xpath->exprs, costs};

	if (costs == NULL) {
		return EVERR_NOMEM;
	}
	(void)order_expr(&order, xpath->root);
	TALLOC_FREE(costs);
	return EVERR_OK;
}
