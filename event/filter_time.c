/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_time.h"

#include "event/filter_plan.h"

#include <math.h>

/* Milliseconds in FILETIME units. */
#define UNITS_PER_MS 10000.0

struct range {
	uint64_t min;
	uint64_t max;
};

struct finder {
	const struct xpath *xpath;
	const struct filter_literal *literals;
	const uint8_t *fields;
	uint64_t now;
};

static const struct range everything = {0, UINT64_MAX};

static struct range both(struct range x, struct range y)
{
	return (struct range){x.min > y.min ? x.min : y.min,
			      x.max < y.max ? x.max : y.max};
}

static struct range either(struct range x, struct range y)
{
	if (x.min > x.max) {
		return y;
	}
	if (y.min > y.max) {
		return x;
	}
	return (struct range){x.min < y.min ? x.min : y.min,
			      x.max > y.max ? x.max : y.max};
}

/* Times below or above a bound, which counts as well. */
static struct range compared(uint8_t op, uint64_t low, uint64_t high)
{
	switch ((enum xpath_op)op) {
	case XPATH_EQ:
		return (struct range){low, high};
	case XPATH_LT:
	case XPATH_LE:
		return (struct range){0, high};
	case XPATH_GT:
	case XPATH_GE:
		return (struct range){low, UINT64_MAX};
	case XPATH_NE:
		break;
	}
	return everything;
}

static uint64_t clamp(double v)
{
	if (!(v > 0)) {
		return 0;
	}
	return v < 18446744073709549568.0 ? (uint64_t)v : UINT64_MAX;
}

/* The operator that now - t has where t has this one. */
static uint8_t turn(uint8_t op)
{
	switch ((enum xpath_op)op) {
	case XPATH_LT:
	case XPATH_LE:
		return XPATH_GE;
	case XPATH_GT:
	case XPATH_GE:
		return XPATH_LE;
	case XPATH_EQ:
	case XPATH_NE:
		break;
	}
	return op;
}

/*
 * (now - t) / 10000 compared with a number, which doubles cannot say to the
 * unit: a wider range does no harm.
 */
static struct range timediff_range(const struct finder *f, uint8_t op,
				   const struct filter_literal *literal)
{
	double units = literal->number.real * UNITS_PER_MS;
	double bound = (double)f->now - units;
	double slack = ((double)f->now + fabs(units)) * 0x1p-50 + 2;

	if (!isfinite(bound)) {
		return everything;
	}
	return compared(turn(op), clamp(bound - slack), clamp(bound + slack));
}

static struct range expr_range(const struct finder *f, uint32_t expr);

/* Every predicate on the way must hold. */
static struct range path_range(const struct finder *f, uint32_t step,
			       bool *ret_is_time)
{
	const struct xpath *xpath = f->xpath;
	struct range range = everything;
	uint32_t last = step;
	uint32_t i;

	for (; step != XPATH_NONE; step = xpath->steps[step].next) {
		last = step;
		for (i = xpath->steps[step].first_predicate; i != XPATH_NONE;
		     i = xpath->predicates[i].next) {
			range = both(range,
				     expr_range(f, xpath->predicates[i].expr));
		}
	}
	*ret_is_time = f->fields[xpath->steps[last].test] == EVENT_SYSTEM_TIME;
	return range;
}

static struct range compare_range(const struct finder *f,
				  const struct xpath_expr *expr)
{
	const struct xpath_expr *left = &f->xpath->exprs[expr->first];
	const struct filter_literal *literal = &f->literals[expr->literal];
	const struct xpath_expr *argument = NULL;
	struct range range = everything;
	bool is_time = false;

	if (left->kind == XPATH_PATH) {
		range = path_range(f, left->first, &is_time);
		if (is_time && (literal->is & FILTER_IS_TIME) != 0) {
			range = both(range, compared(expr->op, literal->time,
						     literal->time));
		}
		return range;
	}
	if (left->kind != XPATH_TIMEDIFF) {
		return everything;
	}
	argument = &f->xpath->exprs[left->first];
	if (argument->kind == XPATH_PATH && argument->next == XPATH_NONE) {
		range = path_range(f, argument->first, &is_time);
		if (is_time) {
			range = both(range,
				     timediff_range(f, expr->op, literal));
		}
	}
	return range;
}

static struct range list_range(const struct finder *f,
			       const struct xpath_expr *expr)
{
	struct range range = expr_range(f, expr->first);
	uint32_t i = f->xpath->exprs[expr->first].next;

	for (; i != XPATH_NONE; i = f->xpath->exprs[i].next) {
		range = expr->kind == XPATH_OR ? either(range, expr_range(f, i))
					       : both(range, expr_range(f, i));
	}
	return range;
}

/* Recursion is as deep as brackets and parentheses. */
static struct range expr_range(const struct finder *f, uint32_t expr)
{
	const struct xpath_expr *e = &f->xpath->exprs[expr];
	bool is_time = false;

	switch ((enum xpath_kind)e->kind) {
	case XPATH_OR:
	case XPATH_AND:
		return list_range(f, e);
	case XPATH_COMPARE:
		return compare_range(f, e);
	case XPATH_PATH:
		return path_range(f, e->first, &is_time);
	case XPATH_BAND:
		return path_range(f, f->xpath->exprs[e->first].first, &is_time);
	case XPATH_TIMEDIFF:
	case XPATH_POSITION:
	case XPATH_LITERAL:
		break;
	}
	return everything;
}

bool filter_says_time(const struct xpath *xpath, const uint8_t *fields)
{
	uint32_t i;

	for (i = 0; i < xpath->num_tests; i++) {
		if (fields[i] == EVENT_SYSTEM_TIME) {
			return true;
		}
	}
	return false;
}

void filter_time_range(const struct xpath *xpath,
		       const struct filter_literal *literals,
		       const uint8_t *fields, uint64_t now, uint64_t *ret_min,
		       uint64_t *ret_max)
{
	const struct finder f = {xpath, literals, fields, now};
	struct range range = expr_range(&f, xpath->root);

	*ret_min = range.min;
	*ret_max = range.max;
}
