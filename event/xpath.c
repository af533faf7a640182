/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/xpath.h"

#include "base/buf.h"
#include "base/text.h"
#include "event/xpath_lex.h"

#include <string.h>

/* Win32 codes for RpcInfo, [MS-ERREF] 2.2. */
#define ERROR_EVT_FILTER_NOTELTSET 0x3AA7
#define ERROR_EVT_FILTER_INVARG 0x3AA8
#define ERROR_EVT_FILTER_INVTEST 0x3AA9
#define ERROR_EVT_FILTER_PARSEERR 0x3AAB
#define ERROR_EVT_FILTER_UNSUPPORTEDOP 0x3AAC
#define ERROR_EVT_FILTER_UNEXPECTEDTOKEN 0x3AAD
#define ERROR_EVT_FILTER_TOO_COMPLEX 0x3AB2

/* Above what the limits of event/filter.h can need. */
#define PARSER_BYTES_MAX (16 * 1024 * 1024)

struct parser {
	const char *text;
	uint32_t len;
	struct xpath_token token; /* the next one */
	uint32_t num_terms;
	uint32_t depth;	    /* open brackets and parentheses */
	uint32_t predicate; /* the innermost, or XPATH_NONE */
	uint32_t context;   /* test of the node that paths start from */
	everr_t err;	    /* the first error */
	struct event_filter_error error;
	/* Arrays of the tree's types, in growth buffers. */
	struct buf exprs;
	struct buf steps;
	struct buf predicates;
	struct buf tests;
	struct buf literals;
	/* Tests by what they ask: open addressing, 0 is free. */
	uint32_t *table;
	uint32_t table_mask;
};

static uint32_t parse_or(struct parser *p);
static uint32_t parse_path(struct parser *p);

/* ------------------------------------------------------------- errors */

/* Later errors are only consequences. */
static uint32_t fail(struct parser *p, everr_t err, uint32_t offset,
		     uint32_t code, const char *message)
{
	if (p->err == EVERR_OK) {
		p->err = err;
		p->error = (struct event_filter_error){
			.error = code, .offset = offset, .message = message};
		/* Nothing follows: every loop ends. */
		p->token = (struct xpath_token){.kind = XPATH_TOKEN_END,
						.start = offset,
						.end = p->len};
	}
	return XPATH_NONE;
}

static uint32_t refuse(struct parser *p, uint32_t offset, uint32_t code,
		       const char *message)
{
	return fail(p, EVERR_QUERY_SYNTAX, offset, code, message);
}

static uint32_t refuse_complex(struct parser *p, const char *message)
{
	return fail(p, EVERR_QUERY_COMPLEX, p->token.start,
		    ERROR_EVT_FILTER_TOO_COMPLEX, message);
}

/* The next token cannot stand here; why, as far as the token tells. */
static uint32_t refuse_token(struct parser *p, const char *message)
{
	uint32_t offset = p->token.start;

	switch ((enum xpath_token_kind)p->token.kind) {
	case XPATH_TOKEN_END:
		return refuse(p, offset, ERROR_EVT_FILTER_PARSEERR, message);
	case XPATH_TOKEN_OPEN_QUOTE:
		return refuse(p, offset, ERROR_EVT_FILTER_PARSEERR,
			      "a quote is not closed");
	case XPATH_TOKEN_BAD_NUMBER:
		return refuse(p, offset, ERROR_EVT_FILTER_UNEXPECTEDTOKEN,
			      "a number runs into a name; hexadecimal numbers "
			      "are written in quotes");
	case XPATH_TOKEN_UNKNOWN:
		return refuse(p, offset, ERROR_EVT_FILTER_PARSEERR,
			      "a character that means nothing");
	case XPATH_TOKEN_UNSUPPORTED:
		return refuse(p, offset, ERROR_EVT_FILTER_UNSUPPORTEDOP,
			      "an operator of XPath that event filters do not "
			      "have");
	default:
		return refuse(p, offset, ERROR_EVT_FILTER_UNEXPECTEDTOKEN,
			      message);
	}
}

/* ------------------------------------------------------------- tokens */

static void advance(struct parser *p)
{
	if (p->err == EVERR_OK) {
		p->token = xpath_lex(p->text, p->len, p->token.end);
	}
}

static bool next_is(const struct parser *p, enum xpath_token_kind kind)
{
	return p->token.kind == kind;
}

static bool take(struct parser *p, enum xpath_token_kind kind)
{
	if (!next_is(p, kind)) {
		return false;
	}
	advance(p);
	return true;
}

static bool range_is(const struct parser *p, const struct xpath_token *token,
		     const char *want)
{
	return token->len == strlen(want) &&
	       memcmp(p->text + token->offset, want, token->len) == 0;
}

static bool next_is_name(const struct parser *p, const char *want)
{
	return next_is(p, XPATH_TOKEN_NAME) && range_is(p, &p->token, want);
}

/* What stands behind the next token, to tell calls and axes from names. */
static uint8_t kind_after(const struct parser *p)
{
	return xpath_lex(p->text, p->len, p->token.end).kind;
}

static bool open_nesting(struct parser *p)
{
	if (p->depth == EVENT_FILTER_NESTING_MAX) {
		refuse_complex(p, "brackets and parentheses are nested too "
				  "deeply");
		return false;
	}
	p->depth++;
	advance(p);
	return true;
}

static void close_nesting(struct parser *p, enum xpath_token_kind kind)
{
	p->depth--;
	if (p->err == EVERR_OK && !take(p, kind)) {
		refuse_token(p, kind == XPATH_TOKEN_CLOSE_BRACKET
					? "a ] is expected"
					: "a ) is expected");
	}
}

/* -------------------------------------------------------------- nodes */

static uint32_t add(struct parser *p, struct buf *array, const void *item,
		    size_t size)
{
	uint32_t index = (uint32_t)(array->len / size);

	buf_put(array, item, size);
	if (array->err != EVERR_OK) {
		return fail(p, EVERR_NOMEM, 0, 0, NULL);
	}
	return index;
}

static struct xpath_expr *expr_at(const struct parser *p, uint32_t i)
{
	return (struct xpath_expr *)(void *)p->exprs.data + i;
}

static struct xpath_step *step_at(const struct parser *p, uint32_t i)
{
	return (struct xpath_step *)(void *)p->steps.data + i;
}

static struct xpath_predicate *predicate_at(const struct parser *p, uint32_t i)
{
	return (struct xpath_predicate *)(void *)p->predicates.data + i;
}

static struct xpath_test *test_at(const struct parser *p, uint32_t i)
{
	return (struct xpath_test *)(void *)p->tests.data + i;
}

static uint32_t add_expr(struct parser *p, enum xpath_kind kind,
			 uint32_t offset, uint32_t first)
{
	const struct xpath_expr expr = {
		.kind = (uint8_t)kind,
		.offset = offset,
		.first = first,
		.literal = XPATH_NONE,
		.next = XPATH_NONE,
	};

	return add(p, &p->exprs, &expr, sizeof(expr));
}

/* One more path or function. */
static void count_term(struct parser *p)
{
	if (++p->num_terms > EVENT_FILTER_TERMS_MAX) {
		refuse_complex(p, "too many paths and functions");
	}
}

/* -------------------------------------------------------------- tests */

static uint32_t test_hash(const struct parser *p, const struct xpath_test *test)
{
	uint32_t hash = 2166136261U ^ test->parent;
	uint32_t i;

	hash = (hash * 16777619U) ^ (uint32_t)(test->axis << 1 | test->any);
	for (i = 0; i < test->name.len; i++) {
		hash = (hash * 16777619U) ^
		       (uint8_t)p->text[test->name.offset + i];
	}
	return hash * 16777619U;
}

static bool same_test(const struct parser *p, const struct xpath_test *x,
		      const struct xpath_test *y)
{
	return x->parent == y->parent && x->axis == y->axis &&
	       x->any == y->any && x->name.len == y->name.len &&
	       memcmp(p->text + x->name.offset, p->text + y->name.offset,
		      x->name.len) == 0;
}

static uint32_t add_test(struct parser *p, const struct xpath_test *test)
{
	uint32_t index = add(p, &p->tests, test, sizeof(*test));
	struct xpath_test *parent = NULL;

	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	parent = test_at(p, test->parent);
	test_at(p, index)->slot = parent->num_children++;
	if (parent->first_child == XPATH_NONE) {
		parent->first_child = index;
	} else {
		test_at(p, parent->last_child)->next = index;
	}
	parent->last_child = index;
	return index;
}

/* The test of that kind below p->context; a new one when it is the first. */
static uint32_t find_test(struct parser *p, struct xpath_test *test)
{
	uint32_t i;

	test->parent = p->context;
	test->first_child = test->last_child = test->next = XPATH_NONE;
	i = test_hash(p, test) & p->table_mask;
	while (p->table[i] != 0) {
		if (same_test(p, test_at(p, p->table[i]), test)) {
			return p->table[i];
		}
		i = (i + 1) & p->table_mask;
	}
	p->table[i] = add_test(p, test);
	return p->table[i];
}

/* -------------------------------------------------------------- steps */

static struct xpath_range token_range(const struct xpath_token *token)
{
	return (struct xpath_range){token->offset, token->len};
}

/* A name or '*'. */
static void parse_name(struct parser *p, struct xpath_test *test)
{
	if (take(p, XPATH_TOKEN_STAR)) {
		test->any = true;
	} else if (next_is(p, XPATH_TOKEN_NAME)) {
		test->name = token_range(&p->token);
		advance(p);
	} else {
		refuse_token(p, "a name or * is expected");
	}
}

/* Behind the name of a function that is none of ours. */
static void refuse_function(struct parser *p)
{
	refuse(p, p->token.start, ERROR_EVT_FILTER_UNSUPPORTEDOP,
	       "the functions are position, band and timediff");
}

/* 'child::' and 'attribute::' spelled out. */
static void parse_axis(struct parser *p, struct xpath_test *test)
{
	if (!next_is(p, XPATH_TOKEN_NAME) ||
	    kind_after(p) != XPATH_TOKEN_AXIS) {
		return;
	}
	if (next_is_name(p, "attribute")) {
		test->axis = XPATH_ATTRIBUTE;
	} else if (!next_is_name(p, "child")) {
		refuse(p, p->token.start, ERROR_EVT_FILTER_UNSUPPORTEDOP,
		       "the axes are child and attribute");
	}
	advance(p);
	advance(p);
}

static void parse_node_test(struct parser *p, struct xpath_test *test)
{
	if (take(p, XPATH_TOKEN_AT)) {
		test->axis = XPATH_ATTRIBUTE;
	} else {
		parse_axis(p, test);
	}
	if (test->axis == XPATH_CHILD && next_is(p, XPATH_TOKEN_NAME) &&
	    kind_after(p) == XPATH_TOKEN_OPEN_PAREN) {
		if (!next_is_name(p, "text")) {
			refuse_function(p);
			return;
		}
		test->axis = XPATH_TEXT;
		advance(p);
		advance(p);
		if (!take(p, XPATH_TOKEN_CLOSE_PAREN)) {
			refuse_token(p, "a ) is expected");
		}
		return;
	}
	parse_name(p, test);
}

/* Facts 7.1: an event's element is Event, and nothing else stands there. */
static void check_root(struct parser *p, const struct xpath_test *test,
		       uint32_t offset)
{
	if (test->axis != XPATH_CHILD ||
	    (!test->any &&
	     (test->name.len != 5 ||
	      memcmp(p->text + test->name.offset, "Event", 5) != 0))) {
		refuse(p, offset, ERROR_EVT_FILTER_INVTEST,
		       "a filter begins with * or Event");
	}
}

static void parse_predicate(struct parser *p, uint32_t step, uint32_t *last)
{
	const struct xpath_predicate predicate = {.expr = XPATH_NONE,
						  .next = XPATH_NONE};
	uint32_t outer_predicate = p->predicate;
	uint32_t outer_context = p->context;
	uint32_t offset = p->token.start;
	uint32_t index, expr;

	if (!open_nesting(p)) {
		return;
	}
	index = add(p, &p->predicates, &predicate, sizeof(predicate));
	if (p->err != EVERR_OK) {
		return;
	}
	p->predicate = index;
	p->context = step_at(p, step)->test;
	expr = parse_or(p);
	close_nesting(p, XPATH_TOKEN_CLOSE_BRACKET);
	p->predicate = outer_predicate;
	p->context = outer_context;
	if (p->err != EVERR_OK) {
		return;
	}
	if (!xpath_is_test(expr_at(p, expr))) {
		refuse(p, offset, ERROR_EVT_FILTER_INVTEST,
		       "a value is no predicate; a place is [position()=n]");
		return;
	}

	predicate_at(p, index)->expr = expr;
	if (*last == XPATH_NONE) {
		step_at(p, step)->first_predicate = index;
	} else {
		predicate_at(p, *last)->next = index;
	}
	*last = index;
}

/* Only elements have something behind them. */
static void parse_predicates(struct parser *p, uint32_t step,
			     enum xpath_axis axis)
{
	uint32_t last = XPATH_NONE;

	if (axis == XPATH_ATTRIBUTE && next_is(p, XPATH_TOKEN_OPEN_BRACKET)) {
		refuse_token(p, "an attribute has no predicates");
		return;
	}
	while (next_is(p, XPATH_TOKEN_OPEN_BRACKET)) {
		parse_predicate(p, step, &last);
	}
	if (axis != XPATH_CHILD && next_is(p, XPATH_TOKEN_SLASH)) {
		refuse(p, p->token.start, ERROR_EVT_FILTER_NOTELTSET,
		       "only elements have steps behind them");
	}
}

/* One step from p->context, where the next one starts. */
static uint32_t parse_step(struct parser *p)
{
	struct xpath_test test = {.axis = XPATH_CHILD};
	struct xpath_step step = {.first_predicate = XPATH_NONE,
				  .next = XPATH_NONE};
	uint32_t offset = p->token.start;
	uint32_t index;

	if (p->steps.len / sizeof(step) == EVENT_FILTER_STEPS_MAX) {
		return refuse_complex(p, "too many steps");
	}
	parse_node_test(p, &test);
	if (p->context == 0 && p->err == EVERR_OK) {
		check_root(p, &test, offset);
	}
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	step.test = find_test(p, &test);
	index = add(p, &p->steps, &step, sizeof(step));
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	parse_predicates(p, index, (enum xpath_axis)test.axis);
	p->context = step.test;
	return index;
}

static uint32_t parse_path(struct parser *p)
{
	uint32_t offset = p->token.start;
	uint32_t outer_context = p->context;
	uint32_t first, last, step;

	count_term(p);
	first = last = parse_step(p);
	while (p->err == EVERR_OK && take(p, XPATH_TOKEN_SLASH)) {
		step = parse_step(p);
		if (p->err != EVERR_OK) {
			break;
		}
		step_at(p, last)->next = step;
		last = step;
	}
	p->context = outer_context;
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	return add_expr(p, XPATH_PATH, offset, first);
}

/* ---------------------------------------------------------- functions */

static uint32_t parse_literal(struct parser *p)
{
	const struct xpath_literal literal = {
		.quoted = next_is(p, XPATH_TOKEN_STRING),
		.text = token_range(&p->token),
	};
	uint32_t offset = p->token.start;
	uint32_t expr;
	uint32_t index;

	index = add(p, &p->literals, &literal, sizeof(literal));
	advance(p);
	expr = add_expr(p, XPATH_LITERAL, offset, XPATH_NONE);
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	expr_at(p, expr)->literal = index;
	return expr;
}

static uint32_t parse_argument(struct parser *p)
{
	uint32_t offset = p->token.start;
	uint32_t expr = parse_or(p);

	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	if (expr_at(p, expr)->kind != XPATH_PATH &&
	    expr_at(p, expr)->kind != XPATH_LITERAL) {
		return refuse(p, offset, ERROR_EVT_FILTER_INVARG,
			      "an argument is a path or a constant");
	}
	return expr;
}

/* band(path, constant), either way round. */
static uint32_t parse_band(struct parser *p, uint32_t offset)
{
	uint32_t path, literal, expr;

	path = parse_argument(p);
	if (p->err == EVERR_OK && !take(p, XPATH_TOKEN_COMMA)) {
		return refuse_token(p, "band has two arguments");
	}
	literal = parse_argument(p);
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	if (expr_at(p, path)->kind == XPATH_LITERAL) {
		uint32_t other = path;

		path = literal;
		literal = other;
	}
	if (expr_at(p, path)->kind != XPATH_PATH ||
	    expr_at(p, literal)->kind != XPATH_LITERAL) {
		return refuse(p, offset, ERROR_EVT_FILTER_INVARG,
			      "band compares a path with a constant");
	}
	expr = add_expr(p, XPATH_BAND, offset, path);
	if (p->err == EVERR_OK) {
		expr_at(p, expr)->literal = expr_at(p, literal)->literal;
	}
	return expr;
}

static uint32_t parse_timediff(struct parser *p, uint32_t offset)
{
	uint32_t first, second = XPATH_NONE;
	bool any_path;

	first = parse_argument(p);
	if (p->err == EVERR_OK && take(p, XPATH_TOKEN_COMMA)) {
		second = parse_argument(p);
	}
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	any_path = expr_at(p, first)->kind == XPATH_PATH;
	if (second != XPATH_NONE) {
		any_path |= expr_at(p, second)->kind == XPATH_PATH;
		expr_at(p, first)->next = second;
	}
	if (!any_path) {
		return refuse(p, offset, ERROR_EVT_FILTER_INVARG,
			      "timediff needs a path");
	}
	return add_expr(p, XPATH_TIMEDIFF, offset, first);
}

static uint32_t parse_position(struct parser *p, uint32_t offset)
{
	if (p->predicate == XPATH_NONE) {
		return refuse(p, offset, ERROR_EVT_FILTER_INVTEST,
			      "position() stands in a predicate");
	}
	predicate_at(p, p->predicate)->uses_position = true;
	return add_expr(p, XPATH_POSITION, offset, p->predicate);
}

/* A name with a parenthesis behind it. */
static uint32_t parse_function(struct parser *p)
{
	const struct xpath_token name = p->token;
	uint32_t expr = XPATH_NONE;

	count_term(p);
	advance(p);
	if (p->err != EVERR_OK || !open_nesting(p)) {
		return XPATH_NONE;
	}
	if (range_is(p, &name, "band")) {
		expr = parse_band(p, name.start);
	} else if (range_is(p, &name, "timediff")) {
		expr = parse_timediff(p, name.start);
	} else if (range_is(p, &name, "position")) {
		expr = parse_position(p, name.start);
	} else {
		refuse(p, name.start, ERROR_EVT_FILTER_UNSUPPORTEDOP,
		       "the functions are position, band and timediff");
	}
	close_nesting(p, XPATH_TOKEN_CLOSE_PAREN);
	return expr;
}

/* -------------------------------------------------------- expressions */

bool xpath_is_test(const struct xpath_expr *expr)
{
	return expr->kind == XPATH_OR || expr->kind == XPATH_AND ||
	       expr->kind == XPATH_COMPARE || expr->kind == XPATH_PATH ||
	       expr->kind == XPATH_BAND;
}

static uint32_t parse_parentheses(struct parser *p)
{
	uint32_t expr;

	if (!open_nesting(p)) {
		return XPATH_NONE;
	}
	expr = parse_or(p);
	close_nesting(p, XPATH_TOKEN_CLOSE_PAREN);
	if (next_is(p, XPATH_TOKEN_SLASH) ||
	    next_is(p, XPATH_TOKEN_OPEN_BRACKET)) {
		refuse(p, p->token.start, ERROR_EVT_FILTER_NOTELTSET,
		       "steps and predicates follow names, not parentheses");
	}
	return expr;
}

static uint32_t parse_primary(struct parser *p)
{
	switch (p->token.kind) {
	case XPATH_TOKEN_OPEN_PAREN:
		return parse_parentheses(p);
	case XPATH_TOKEN_STRING:
	case XPATH_TOKEN_NUMBER:
		return parse_literal(p);
	case XPATH_TOKEN_NAME:
		if (kind_after(p) == XPATH_TOKEN_OPEN_PAREN &&
		    !next_is_name(p, "text")) {
			return parse_function(p);
		}
		return parse_path(p);
	case XPATH_TOKEN_STAR:
	case XPATH_TOKEN_AT:
		return parse_path(p);
	case XPATH_TOKEN_SLASH:
		return refuse(p, p->token.start, ERROR_EVT_FILTER_UNSUPPORTEDOP,
			      "there are no absolute paths; a filter begins "
			      "with * or Event");
	default:
		return refuse_token(p, "a path, a function or a constant is "
				       "expected");
	}
}

/* The operator that says the same with its sides exchanged. */
static uint8_t mirror(uint8_t op)
{
	static const uint8_t mirrored[] = {
		[XPATH_EQ] = XPATH_EQ, [XPATH_NE] = XPATH_NE,
		[XPATH_LT] = XPATH_GT, [XPATH_LE] = XPATH_GE,
		[XPATH_GT] = XPATH_LT, [XPATH_GE] = XPATH_LE};

	return mirrored[op];
}

static uint32_t compare(struct parser *p, uint8_t op, uint32_t offset,
			uint32_t left, uint32_t right)
{
	bool left_constant = expr_at(p, left)->kind == XPATH_LITERAL;
	bool right_constant = expr_at(p, right)->kind == XPATH_LITERAL;
	uint32_t expr;

	if (left_constant == right_constant) {
		return refuse(p, offset, ERROR_EVT_FILTER_INVARG,
			      "one side of a comparison is a constant, the "
			      "other is none");
	}
	expr = add_expr(p, XPATH_COMPARE, offset, left_constant ? right : left);
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	expr_at(p, expr)->op = left_constant ? mirror(op) : op;
	expr_at(p, expr)->literal =
		expr_at(p, left_constant ? left : right)->literal;
	return expr;
}

static uint32_t parse_compare(struct parser *p)
{
	uint32_t left = parse_primary(p);
	uint32_t offset = p->token.start;
	uint8_t kind = p->token.kind;
	uint32_t right;

	if (kind < XPATH_TOKEN_EQ || kind > XPATH_TOKEN_GE) {
		return left;
	}
	advance(p);
	right = parse_primary(p);
	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	return compare(p, kind - XPATH_TOKEN_EQ + XPATH_EQ, offset, left,
		       right);
}

static uint32_t parse_and(struct parser *p);

/* Operands with a word between them; one alone stands for itself. */
static uint32_t parse_list(struct parser *p, enum xpath_kind kind,
			   const char *word)
{
	uint32_t (*parse)(struct parser *) =
		kind == XPATH_OR ? parse_and : parse_compare;
	uint32_t offset = p->token.start;
	uint32_t first, last, operand;
	bool all_tests;

	first = last = parse(p);
	if (p->err != EVERR_OK || !next_is_name(p, word)) {
		return first;
	}
	all_tests = xpath_is_test(expr_at(p, first));
	while (all_tests && next_is_name(p, word)) {
		offset = p->token.start;
		advance(p);
		operand = parse(p);
		if (p->err != EVERR_OK) {
			return XPATH_NONE;
		}
		all_tests = xpath_is_test(expr_at(p, operand));
		expr_at(p, last)->next = operand;
		last = operand;
	}
	if (!all_tests) {
		return refuse(p, offset, ERROR_EVT_FILTER_INVTEST,
			      "a value is no condition");
	}
	return add_expr(p, kind, expr_at(p, first)->offset, first);
}

static uint32_t parse_and(struct parser *p)
{
	return parse_list(p, XPATH_AND, "and");
}

/* Recursion is as deep as brackets and parentheses. */
static uint32_t parse_or(struct parser *p)
{
	return parse_list(p, XPATH_OR, "or");
}

static uint32_t parse_filter(struct parser *p)
{
	uint32_t expr = parse_or(p);

	if (p->err != EVERR_OK) {
		return XPATH_NONE;
	}
	if (!next_is(p, XPATH_TOKEN_END)) {
		return refuse_token(p, "an operator or the end is expected");
	}
	if (!xpath_is_test(expr_at(p, expr))) {
		return refuse(p, 0, ERROR_EVT_FILTER_INVTEST,
			      "a filter begins with * or Event");
	}
	return expr;
}

/* ------------------------------------------------------------- memory */

/* Room for as many tests as there can be steps, half of it empty. */
static everr_t make_table(struct parser *p, TALLOC_CTX *mem_ctx)
{
	uint32_t size = 16;

	while (size < 2 * EVENT_FILTER_STEPS_MAX && size < 2 * p->len) {
		size *= 2;
	}
	p->table = talloc_zero_array(mem_ctx, uint32_t, size);
	p->table_mask = size - 1;
	return p->table != NULL ? EVERR_OK : EVERR_NOMEM;
}

static void parser_init(struct parser *p, TALLOC_CTX *mem_ctx, const char *text,
			size_t len)
{
	const struct xpath_test root = {.axis = XPATH_CHILD,
					.parent = XPATH_NONE,
					.first_child = XPATH_NONE,
					.last_child = XPATH_NONE,
					.next = XPATH_NONE};

	*p = (struct parser){
		.text = text, .len = (uint32_t)len, .predicate = XPATH_NONE};
	buf_init(&p->exprs, mem_ctx, PARSER_BYTES_MAX);
	buf_init(&p->steps, mem_ctx, PARSER_BYTES_MAX);
	buf_init(&p->predicates, mem_ctx, PARSER_BYTES_MAX);
	buf_init(&p->tests, mem_ctx, PARSER_BYTES_MAX);
	buf_init(&p->literals, mem_ctx, PARSER_BYTES_MAX);
	add(p, &p->tests, &root, sizeof(root));
}

/* At their exact size: filters live as long as subscriptions. */
static void *array_done(const struct buf *array)
{
	void *exact = NULL;

	if (array->len > 0) {
		exact = talloc_realloc_size(array->mem_ctx, array->data,
					    array->len);
	}
	return exact != NULL ? exact : array->data;
}

static void take_tree(struct parser *p, struct xpath *xpath)
{
	xpath->num_exprs = (uint32_t)(p->exprs.len / sizeof(*xpath->exprs));
	xpath->num_steps = (uint32_t)(p->steps.len / sizeof(*xpath->steps));
	xpath->num_predicates =
		(uint32_t)(p->predicates.len / sizeof(*xpath->predicates));
	xpath->num_tests = (uint32_t)(p->tests.len / sizeof(*xpath->tests));
	xpath->num_literals =
		(uint32_t)(p->literals.len / sizeof(*xpath->literals));
	xpath->num_terms = p->num_terms;
	xpath->exprs = array_done(&p->exprs);
	xpath->steps = array_done(&p->steps);
	xpath->predicates = array_done(&p->predicates);
	xpath->tests = array_done(&p->tests);
	xpath->literals = array_done(&p->literals);
}

static everr_t parse(struct xpath *xpath, const char *text, size_t len,
		     struct event_filter_error *ret_error)
{
	struct parser p;
	char *copy = talloc_size(xpath, len + 1);

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	xpath->text = copy;
	parser_init(&p, xpath, xpath->text, len);
	if (!text_utf8_valid(text, len)) {
		refuse(&p, 0, ERROR_EVT_FILTER_PARSEERR, "not valid UTF-8");
	}
	if (p.err == EVERR_OK) {
		p.err = make_table(&p, xpath);
	}
	if (p.err == EVERR_OK) {
		advance(&p);
		xpath->root = parse_filter(&p);
	}
	TALLOC_FREE(p.table);
	if (p.err != EVERR_OK) {
		*ret_error = p.error;
		return p.err;
	}
	take_tree(&p, xpath);
	return EVERR_OK;
}

everr_t xpath_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len,
		    struct xpath **ret_xpath,
		    struct event_filter_error *ret_error)
{
	struct xpath *xpath = NULL;
	everr_t err;

	if (len > UINT32_MAX / 4) {
		*ret_error = (struct event_filter_error){
			.error = ERROR_EVT_FILTER_TOO_COMPLEX,
			.message = "too long",
		};
		return EVERR_QUERY_COMPLEX;
	}
	xpath = talloc_zero(mem_ctx, struct xpath);
	if (xpath == NULL) {
		return EVERR_NOMEM;
	}
	err = parse(xpath, text, len, ret_error);
	if (err != EVERR_OK) {
		TALLOC_FREE(xpath);
		return err;
	}
	*ret_xpath = xpath;
	return EVERR_OK;
}
