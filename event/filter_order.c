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
	struct xpath *xpath;
	struct xpath_expr *exprs; /* those of xpath */
	const uint8_t *fields;
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

/* The depth of a test: that of Event is 1. */
static uint32_t test_depth(const struct xpath *xpath, uint32_t test)
{
	uint32_t depth = 0;

	/* Deeper ones are all the same. */
	for (; test != 0 && depth < 4; test = xpath->tests[test].parent) {
		depth++;
	}
	return depth;
}

static bool is_in_system(const struct xpath *xpath, uint32_t test)
{
	while (test_depth(xpath, test) > 2) {
		test = xpath->tests[test].parent;
	}
	return filter_test_is_system(xpath, test);
}

/* What looking for the nodes of one test costs. */
static enum cost test_cost(const struct order *o, uint32_t test)
{
	uint32_t child = o->xpath->tests[test].first_child;

	if (o->fields[test] == EVENT_SYSTEM_PROVIDER) {
		return COST_NAME;
	}
	/* Event, System, and what a field's attribute belongs to. */
	if (o->fields[test] != FILTER_NO_FIELD ||
	    test_depth(o->xpath, test) < 2 ||
	    filter_test_is_system(o->xpath, test)) {
		return COST_HEADER;
	}
	if (!is_in_system(o->xpath, test)) {
		return COST_DATA;
	}
	for (; child != XPATH_NONE; child = o->xpath->tests[child].next) {
		if (o->fields[child] == FILTER_NO_FIELD) {
			return COST_SYSTEM;
		}
	}
	return o->xpath->tests[test].num_children > 0 ? COST_HEADER
						      : COST_SYSTEM;
}

static enum cost order_path(const struct order *o, uint32_t step)
{
	const struct xpath *xpath = o->xpath;
	enum cost cost = COST_HEADER;
	uint32_t i;

	for (; step != XPATH_NONE; step = xpath->steps[step].next) {
		cost = higher(cost, test_cost(o, xpath->steps[step].test));
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

void filter_order(struct xpath *xpath, const uint8_t *fields)
{
	const struct order order = {xpath, xpath->exprs, fields};

	(void)order_expr(&order, xpath->root);
}
