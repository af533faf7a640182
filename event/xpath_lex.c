/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/xpath_lex.h"

#include <stdbool.h>
#include <string.h>

struct lexer {
	const char *text;
	uint32_t len;
};

/* The byte at pos, or NUL at the end; a NUL in the text is no token. */
static char at(const struct lexer *lexer, uint32_t pos)
{
	return pos < lexer->len ? lexer->text[pos] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Any character beyond ASCII may be part of a name. */
static bool starts_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
	return starts_name(c) || is_digit(c) || c == '-' || c == '.';
}

static uint32_t skip_digits(const struct lexer *lexer, uint32_t pos)
{
	while (is_digit(at(lexer, pos))) {
		pos++;
	}
	return pos;
}

/* [+-]d*[.d*][(e|E|d|D)[+-]d+], facts 7.2. */
static uint32_t number_end(const struct lexer *lexer, uint32_t pos)
{
	char c = at(lexer, pos);
	uint32_t end;

	if (c == '+' || c == '-') {
		pos++;
	}
	pos = skip_digits(lexer, pos);
	if (at(lexer, pos) == '.') {
		pos = skip_digits(lexer, pos + 1);
	}
	c = (char)(at(lexer, pos) | 0x20);
	if (c != 'e' && c != 'd') {
		return pos;
	}
	end = pos + 1;
	if (at(lexer, end) == '+' || at(lexer, end) == '-') {
		end++;
	}
	return is_digit(at(lexer, end)) ? skip_digits(lexer, end) : pos;
}

/* A sign or a point begins a number only before a digit. */
static bool starts_number(const struct lexer *lexer, uint32_t pos)
{
	char c = at(lexer, pos);

	if (c == '+' || c == '-') {
		c = at(lexer, ++pos);
	}
	if (c == '.') {
		c = at(lexer, ++pos);
	}
	return is_digit(c);
}

static struct xpath_token punctuation(const struct lexer *lexer, uint32_t pos)
{
	static const struct {
		char text[3];
		uint8_t kind;
	} tokens[] = {
		/* The longer ones first. */
		{"!=", XPATH_TOKEN_NE},
		{"<=", XPATH_TOKEN_LE},
		{">=", XPATH_TOKEN_GE},
		{"::", XPATH_TOKEN_AXIS},
		{"//", XPATH_TOKEN_UNSUPPORTED},
		{"..", XPATH_TOKEN_UNSUPPORTED},
		{"=", XPATH_TOKEN_EQ},
		{"<", XPATH_TOKEN_LT},
		{">", XPATH_TOKEN_GT},
		{"*", XPATH_TOKEN_STAR},
		{"@", XPATH_TOKEN_AT},
		{"/", XPATH_TOKEN_SLASH},
		{",", XPATH_TOKEN_COMMA},
		{"[", XPATH_TOKEN_OPEN_BRACKET},
		{"]", XPATH_TOKEN_CLOSE_BRACKET},
		{"(", XPATH_TOKEN_OPEN_PAREN},
		{")", XPATH_TOKEN_CLOSE_PAREN},
		{".", XPATH_TOKEN_UNSUPPORTED},
		{"|", XPATH_TOKEN_UNSUPPORTED},
		{"+", XPATH_TOKEN_UNSUPPORTED},
		{"-", XPATH_TOKEN_UNSUPPORTED},
		{"$", XPATH_TOKEN_UNSUPPORTED},
		{":", XPATH_TOKEN_UNSUPPORTED},
	};
	struct xpath_token token = {.kind = XPATH_TOKEN_UNKNOWN,
				    .end = pos + 1};
	size_t i;

	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		uint32_t n = (uint32_t)strlen(tokens[i].text);

		if (n <= lexer->len - pos &&
		    memcmp(lexer->text + pos, tokens[i].text, n) == 0) {
			token.kind = tokens[i].kind;
			token.end = pos + n;
			break;
		}
	}
	return token;
}

static struct xpath_token string(const struct lexer *lexer, uint32_t pos)
{
	const char *start = lexer->text + pos + 1;
	const char *end = memchr(start, *(start - 1), lexer->len - pos - 1);

	if (end == NULL) {
		return (struct xpath_token){.kind = XPATH_TOKEN_OPEN_QUOTE,
					    .end = lexer->len};
	}
	return (struct xpath_token){
		.kind = XPATH_TOKEN_STRING,
		.end = pos + (uint32_t)(end - start) + 2,
		.offset = pos + 1,
		.len = (uint32_t)(end - start),
	};
}

static struct xpath_token number(const struct lexer *lexer, uint32_t pos)
{
	uint32_t end = number_end(lexer, pos);

	return (struct xpath_token){
		.kind = is_name(at(lexer, end)) ? XPATH_TOKEN_BAD_NUMBER
						: XPATH_TOKEN_NUMBER,
		.end = end,
		.offset = pos,
		.len = end - pos,
	};
}

static struct xpath_token name(const struct lexer *lexer, uint32_t pos)
{
	uint32_t end = pos + 1;

	while (is_name(at(lexer, end))) {
		end++;
	}
	return (struct xpath_token){
		.kind = XPATH_TOKEN_NAME,
		.end = end,
		.offset = pos,
		.len = end - pos,
	};
}

struct xpath_token xpath_lex(const char *text, uint32_t len, uint32_t pos)
{
	const struct lexer lexer = {text, len};
	struct xpath_token token = {.kind = XPATH_TOKEN_END};
	char c;

	while (is_blank(at(&lexer, pos))) {
		pos++;
	}
	c = at(&lexer, pos);
	if (pos == len) {
		token.end = len;
	} else if (c == '\'' || c == '"') {
		token = string(&lexer, pos);
	} else if (starts_number(&lexer, pos)) {
		token = number(&lexer, pos);
	} else if (starts_name(c)) {
		token = name(&lexer, pos);
	} else {
		token = punctuation(&lexer, pos);
	}
	token.start = pos;
	return token;
}
