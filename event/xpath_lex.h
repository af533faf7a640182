/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_XPATH_LEX_H
#define EVENLOG_EVENT_XPATH_LEX_H

/* Tokens of a filter's text; XPath 1.0 3.7 as far as the subset needs it. */

#include <stddef.h>
#include <stdint.h>

enum xpath_token_kind {
	XPATH_TOKEN_END,
	XPATH_TOKEN_NAME,
	XPATH_TOKEN_NUMBER,
	XPATH_TOKEN_STRING, /* the range is inside its quotes */
	XPATH_TOKEN_STAR,
	XPATH_TOKEN_AT,
	XPATH_TOKEN_SLASH,
	XPATH_TOKEN_AXIS, /* :: */
	XPATH_TOKEN_COMMA,
	XPATH_TOKEN_OPEN_BRACKET,
	XPATH_TOKEN_CLOSE_BRACKET,
	XPATH_TOKEN_OPEN_PAREN,
	XPATH_TOKEN_CLOSE_PAREN,
	XPATH_TOKEN_EQ, /* in the order of enum xpath_op */
	XPATH_TOKEN_NE,
	XPATH_TOKEN_LT,
	XPATH_TOKEN_LE,
	XPATH_TOKEN_GT,
	XPATH_TOKEN_GE,
	/* XPath's, but not the subset's: '//' '..' '.' '|' '+' '-' '$' ':'. */
	XPATH_TOKEN_UNSUPPORTED,
	XPATH_TOKEN_OPEN_QUOTE, /* a string without end */
	XPATH_TOKEN_BAD_NUMBER, /* a number that runs into a name */
	XPATH_TOKEN_UNKNOWN
};

struct xpath_token {
	uint8_t kind;
	uint32_t start; /* where the token stands */
	uint32_t end;	/* behind it */
	uint32_t offset;
	uint32_t len; /* of NAME, NUMBER, STRING */
};

/* The token at or behind pos. */
struct xpath_token xpath_lex(const char *text, uint32_t len, uint32_t pos);

#endif
