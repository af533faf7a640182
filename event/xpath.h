/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_XPATH_H
#define EVENLOG_EVENT_XPATH_H

/*
 * The text of a filter as a tree: the XPath subset of [MS-EVEN6] 2.2.15, in
 * the grammar of facts 7.1.
 *
 *   filter    := or                  each path in it begins with * or Event
 *   or        := and ('or' and)*
 *   and       := compare ('and' compare)*
 *   compare   := primary (('='|'!='|'<'|'<='|'>'|'>=') primary)?
 *   primary   := '(' or ')' | literal | number | function | path
 *   function  := 'position' '(' ')' | 'band' '(' or ',' or ')'
 *              | 'timediff' '(' or (',' or)? ')'
 *   path      := step ('/' step)*
 *   step      := ('child' '::')? ('*' | name | 'text' '(' ')') predicate*
 *              | ('@' | 'attribute' '::') ('*' | name)
 *   predicate := '[' or ']'
 *
 * One side of a comparison is a constant; it becomes the right one.  What a
 * constant means is another module's subject (event/filter_compare.h).
 *
 * Steps that ask the same of the same place share a test: paths are walked in
 * a tree of tests, whose root stands around the event.
 */

#include "base/everr.h"
#include "event/filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* No such node. */
#define XPATH_NONE UINT32_MAX

/* A range of the text. */
struct xpath_range {
	uint32_t offset;
	uint32_t len;
};

enum xpath_axis {
	XPATH_CHILD,
	XPATH_ATTRIBUTE,
	XPATH_TEXT
};

/* What a node must be: tests[0] is the root, the others stand below it. */
struct xpath_test {
	uint8_t axis; /* enum xpath_axis */
	bool any;     /* '*' */
	struct xpath_range name;
	uint32_t parent; /* test */
	uint32_t slot;	 /* its place among its siblings */
	uint32_t num_children;
	uint32_t first_child; /* test, or XPATH_NONE; in order of slots */
	uint32_t last_child;
	uint32_t next; /* sibling */
};

struct xpath_step {
	uint32_t test;
	uint32_t first_predicate;
	uint32_t next; /* step of the same path */
};

struct xpath_predicate {
	uint32_t expr;
	bool uses_position; /* a position() in it is its own */
	uint32_t next;	    /* of the same step */
};

enum xpath_kind {
	XPATH_OR,	/* first: operands */
	XPATH_AND,	/* first: operands */
	XPATH_COMPARE,	/* first: what is compared, with literal */
	XPATH_PATH,	/* first: step */
	XPATH_BAND,	/* first: a path; with literal */
	XPATH_TIMEDIFF, /* first: one or two of PATH and LITERAL */
	XPATH_POSITION, /* first: predicate */
	XPATH_LITERAL	/* literal */
};

enum xpath_op {
	XPATH_EQ,
	XPATH_NE,
	XPATH_LT,
	XPATH_LE,
	XPATH_GT,
	XPATH_GE
};

struct xpath_expr {
	uint8_t kind;	 /* enum xpath_kind */
	uint8_t op;	 /* enum xpath_op */
	uint32_t offset; /* in the text, for errors */
	uint32_t first;
	uint32_t literal;
	uint32_t next; /* operand of the same OR, AND, TIMEDIFF */
};

struct xpath_literal {
	bool quoted; /* a string; else a number as it is written */
	struct xpath_range text;
};

struct xpath {
	const char *text;
	struct xpath_expr *exprs;
	const struct xpath_step *steps;
	const struct xpath_predicate *predicates;
	const struct xpath_test *tests;
	const struct xpath_literal *literals;
	uint32_t num_exprs;
	uint32_t num_steps;
	uint32_t num_predicates;
	uint32_t num_tests;
	uint32_t num_literals;
	uint32_t num_terms; /* paths and functions */
	uint32_t root;	    /* expr */
};

/*
 * Parse len bytes of UTF-8.
 *
 * EVERR_QUERY_SYNTAX   not in the grammar; *ret_error says where and why
 * EVERR_QUERY_COMPLEX  over a limit of event/filter.h, as above
 * EVERR_NOMEM
 */
everr_t xpath_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len,
		    struct xpath **ret_xpath,
		    struct event_filter_error *ret_error) EVERR_MUST_CHECK;

/* Whether the kind of expression is true or false of an event. */
bool xpath_is_test(const struct xpath_expr *expr);

#endif
