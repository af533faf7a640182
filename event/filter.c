/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter.h"

#include "event/filter_eval.h"
#include "event/filter_fold.h"
#include "event/filter_order.h"
#include "event/filter_time.h"

#include <string.h>

/* Win32 codes for RpcInfo, [MS-ERREF] 2.2. */
#define ERROR_EVT_FILTER_INVTYPE 0x3AAA
#define ERROR_EVT_FILTER_PARSEERR 0x3AAB

struct event_filter {
	struct xpath *xpath; /* NULL: matches all */
	struct filter_literal *literals;
	uint8_t *fields;
	bool *folds;
	struct filter_term *terms;
	uint32_t *positions;
	struct filter_eval eval;
	bool timed; /* says something about TimeCreated */
	/* The bounds for this now. */
	uint64_t now;
	uint64_t min_time;
	uint64_t max_time;
};

static bool text_is(const char *text, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(text, want, len) == 0;
}

/* ----------------------------------------------------------- constants */

static everr_t refuse(struct event_filter_error *error, uint32_t offset,
		      uint32_t code, const char *message)
{
	*error = (struct event_filter_error){
		.error = code, .offset = offset, .message = message};
	return EVERR_QUERY_SYNTAX;
}

static everr_t make_literals(struct event_filter *filter,
			     struct event_filter_error *error)
{
	const struct xpath *xpath = filter->xpath;
	everr_t err;
	uint32_t i;

	filter->literals = talloc_array(filter, struct filter_literal,
					xpath->num_literals);
	if (filter->literals == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < xpath->num_literals; i++) {
		const struct xpath_literal *literal = &xpath->literals[i];

		err = filter_literal_init(filter->literals,
					  xpath->text + literal->text.offset,
					  literal->text.len, literal->quoted,
					  &filter->literals[i]);
		if (err == EVERR_QUERY_SYNTAX) {
			return refuse(error, literal->text.offset,
				      ERROR_EVT_FILTER_PARSEERR,
				      "a number that is none");
		}
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

/* What functions and conditions can be compared with. */
static const char *check_types(const struct event_filter *filter,
			       const struct xpath_expr *expr)
{
	const struct xpath_expr *exprs = filter->xpath->exprs;
	const struct filter_literal *literal = NULL;
	uint8_t left;
	uint32_t i;

	if (expr->literal != XPATH_NONE) {
		literal = &filter->literals[expr->literal];
	}
	if (expr->kind == XPATH_BAND &&
	    ((literal->is & FILTER_IS_NUMBER) == 0 || !literal->number.exact)) {
		return "band takes an integer";
	}
	if (expr->kind == XPATH_TIMEDIFF) {
		for (i = expr->first; i != XPATH_NONE; i = exprs[i].next) {
			if (exprs[i].kind == XPATH_LITERAL &&
			    (filter->literals[exprs[i].literal].is &
			     FILTER_IS_TIME) == 0) {
				return "timediff takes times";
			}
		}
	}
	if (expr->kind != XPATH_COMPARE) {
		return NULL;
	}
	left = exprs[expr->first].kind;
	if ((left == XPATH_TIMEDIFF || left == XPATH_POSITION) &&
	    (literal->is & FILTER_IS_NUMBER) == 0) {
		return "a function's result is compared with a number";
	}
	if (xpath_is_test(&exprs[expr->first]) && left != XPATH_PATH &&
	    (literal->is & (FILTER_IS_NUMBER | FILTER_IS_BOOL)) == 0) {
		return "a condition is compared with 'true' or 'false'";
	}
	return NULL;
}

static everr_t check_all_types(const struct event_filter *filter,
			       struct event_filter_error *error)
{
	const char *message = NULL;
	uint32_t i;

	for (i = 0; i < filter->xpath->num_exprs; i++) {
		message = check_types(filter, &filter->xpath->exprs[i]);
		if (message != NULL) {
			return refuse(error, filter->xpath->exprs[i].offset,
				      ERROR_EVT_FILTER_INVTYPE, message);
		}
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------- compile */

static everr_t make_fields(struct event_filter *filter)
{
	const struct xpath *xpath = filter->xpath;
	uint32_t i;

	filter->fields = talloc_array(filter, uint8_t, xpath->num_tests);
	if (filter->fields == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < xpath->num_tests; i++) {
		filter->fields[i] = filter_test_field(xpath, i);
		filter->eval.asked_fields |=
			(uint16_t)(1U << filter->fields[i]);
	}
	filter->eval.asked_fields &= (uint16_t) ~(1U << FILTER_NO_FIELD);
	return EVERR_OK;
}

static everr_t make_folds(struct event_filter *filter)
{
	const struct xpath *xpath = filter->xpath;
	uint32_t i;

	filter->folds = talloc_array(filter, bool, xpath->num_steps);
	if (filter->folds == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < xpath->num_steps; i++) {
		filter->folds[i] = filter_fold_is_useful(xpath, i);
	}
	return EVERR_OK;
}

/* Comparisons of a field of the event's header with an integer. */
static everr_t make_terms(struct event_filter *filter)
{
	const struct xpath *xpath = filter->xpath;
	uint32_t i;

	filter->terms =
		talloc_array(filter, struct filter_term, xpath->num_exprs);
	if (filter->terms == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < xpath->num_exprs; i++) {
		filter->terms[i] =
			filter_find_term(xpath, filter->literals,
					 filter->fields, &xpath->exprs[i]);
	}
	return EVERR_OK;
}

static everr_t make_eval(struct event_filter *filter)
{
	struct filter_reader *reader = NULL;

	filter->positions = talloc_zero_array(filter, uint32_t,
					      filter->xpath->num_predicates);
	reader = talloc_zero(filter, struct filter_reader);
	if (filter->positions == NULL || reader == NULL) {
		return EVERR_NOMEM;
	}
	filter_reader_init(reader, filter->xpath);
	filter->eval.xpath = filter->xpath;
	filter->eval.literals = filter->literals;
	filter->eval.fields = filter->fields;
	filter->eval.terms = filter->terms;
	filter->eval.folds = filter->folds;
	filter->eval.positions = filter->positions;
	filter->eval.reader = reader;
	return EVERR_OK;
}

static void find_time_range(struct event_filter *filter, uint64_t now)
{
	filter->now = now;
	filter_time_range(filter->xpath, filter->literals, filter->fields, now,
			  &filter->min_time, &filter->max_time);
}

static everr_t compile(struct event_filter *filter, const char *text,
		       size_t len, struct event_filter_error *error)
{
	everr_t err;

	err = xpath_parse(filter, text, len, &filter->xpath, error);
	if (err != EVERR_OK) {
		return err;
	}
	err = make_literals(filter, error);
	if (err != EVERR_OK) {
		return err;
	}
	err = check_all_types(filter, error);
	if (err != EVERR_OK) {
		return err;
	}
	err = make_fields(filter);
	if (err == EVERR_OK) {
		err = make_folds(filter);
	}
	if (err == EVERR_OK) {
		err = make_terms(filter);
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = filter_order(filter->xpath, filter->fields);
	if (err != EVERR_OK) {
		return err;
	}
	find_time_range(filter, 0);
	filter->timed = filter_says_time(filter->xpath, filter->fields);
	return make_eval(filter);
}

everr_t event_filter_compile(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			     struct event_filter **ret_filter,
			     struct event_filter_error *ret_error)
{
	struct event_filter *filter = talloc_zero(mem_ctx, struct event_filter);
	everr_t err = EVERR_OK;

	if (filter == NULL) {
		return EVERR_NOMEM;
	}
	if (len > 0 && !text_is(text, len, "*") &&
	    !text_is(text, len, "Event")) {
		err = compile(filter, text, len, ret_error);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(filter);
		return err;
	}
	*ret_filter = filter;
	return EVERR_OK;
}

/* --------------------------------------------------------------- match */

bool event_filter_matches_all(const struct event_filter *filter)
{
	return filter->xpath == NULL;
}

uint32_t event_filter_terms(const struct event_filter *filter)
{
	if (filter->xpath == NULL) {
		return 0;
	}
	return filter->xpath->num_terms + filter->xpath->num_steps;
}

/* Known from the header alone. */
static bool is_out_of_time(struct event_filter *filter,
			   const struct event_view *view)
{
	if (!filter->timed || (view->header->has & EVENT_HAS_TIME) == 0) {
		return false;
	}
	if (filter->now != view->now) {
		find_time_range(filter, view->now);
	}
	return view->header->time_created < filter->min_time ||
	       view->header->time_created > filter->max_time;
}

bool event_filter_match(struct event_filter *filter,
			const struct event_view *view)
{
	if (filter->xpath == NULL) {
		return true;
	}
	return !is_out_of_time(filter, view) &&
	       filter_eval_match(&filter->eval, view);
}

void event_filter_time_range(const struct event_filter *filter, uint64_t now,
			     uint64_t *ret_min, uint64_t *ret_max)
{
	if (!filter->timed) {
		*ret_min = 0;
		*ret_max = UINT64_MAX;
		return;
	}
	filter_time_range(filter->xpath, filter->literals, filter->fields, now,
			  ret_min, ret_max);
}
