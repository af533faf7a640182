/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/relp.h"

#include <stdio.h>
#include <string.h>

void relp_parser_init(struct relp_parser *parser)
{
	parser->state = RELP_TXNR;
	parser->count = 0;
	parser->length = 0;
	parser->frame = (struct relp_frame){};
}

static void parser_enter(struct relp_parser *parser, enum relp_state state)
{
	parser->state = state;
	parser->count = 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool parser_digit(struct relp_parser *parser, uint8_t c,
			 uint32_t *number)
{
	if (parser->count == RELP_NUMBER_DIGITS) {
		return false;
	}
	*number = *number * 10 + (uint32_t)(c - '0');
	parser->count++;
	return true;
}

static bool parser_txnr(struct relp_parser *parser, uint8_t c)
{
	if (is_digit(c)) {
		return parser_digit(parser, c, &parser->frame.txnr);
	}
	if (c != ' ' || parser->count == 0) {
		return false;
	}
	parser_enter(parser, RELP_COMMAND);
	return true;
}

static bool parser_command(struct relp_parser *parser, uint8_t c)
{
	if (is_letter(c)) {
		if (parser->count == RELP_COMMAND_MAX) {
			return false;
		}
		parser->frame.command[parser->count++] = (char)c;
		return true;
	}
	if (c != ' ' || parser->count == 0) {
		return false;
	}
	parser_enter(parser, RELP_LENGTH);
	return true;
}

/* Without data the space before the LF may be missing, or not. */
static bool parser_length(struct relp_parser *parser, uint8_t c)
{
	if (is_digit(c)) {
		return parser_digit(parser, c, &parser->length);
	}
	if (parser->count == 0 || parser->length > RELP_DATA_MAX) {
		return false;
	}
	if (c == '\n' && parser->length == 0) {
		parser->state = RELP_TRAILER;
		return true;
	}
	if (c != ' ') {
		return false;
	}
	parser_enter(parser, parser->length > 0 ? RELP_DATA : RELP_TRAILER);
	return true;
}

static void parser_data(struct relp_parser *parser, const uint8_t **data,
			size_t *len)
{
	size_t part = parser->length - parser->count;

	if (part > *len) {
		part = *len;
	}
	memcpy(parser->data + parser->count, *data, part);
	parser->count += part;
	*data += part;
	*len -= part;
	if (parser->count == parser->length) {
		parser_enter(parser, RELP_TRAILER);
	}
}

static bool parser_header(struct relp_parser *parser, uint8_t c)
{
	switch (parser->state) {
	case RELP_TXNR:
		return parser_txnr(parser, c);
	case RELP_COMMAND:
		return parser_command(parser, c);
	case RELP_LENGTH:
		return parser_length(parser, c);
	default:
		return c == '\n';
	}
}

everr_t relp_parser_feed(struct relp_parser *parser, const uint8_t **data,
			 size_t *len, struct relp_frame *ret_frame)
{
	while (*len > 0) {
		uint8_t c = **data;

		if (parser->state == RELP_DATA) {
			parser_data(parser, data, len);
			continue;
		}
		if (!parser_header(parser, c)) {
			return EVERR_PROTOCOL;
		}
		(*data)++;
		(*len)--;
		if (c == '\n') {
			parser->frame.data = parser->data;
			parser->frame.len = parser->length;
			*ret_frame = parser->frame;
			relp_parser_init(parser);
			return EVERR_OK;
		}
	}
	return EVERR_END;
}

everr_t relp_answer_parse(const uint8_t *data, size_t len,
			  unsigned int *ret_code, char ret_text[RELP_TEXT_MAX],
			  const uint8_t **ret_offers, size_t *ret_offers_len)
{
	size_t pos = 3;
	size_t n = 0;

	if (len < 3 || !is_digit(data[0]) || !is_digit(data[1]) ||
	    !is_digit(data[2]) ||
	    (len > 3 && data[3] != ' ' && data[3] != '\n')) {
		return EVERR_PROTOCOL;
	}
	*ret_code = (unsigned int)(data[0] - '0') * 100 +
		    (unsigned int)(data[1] - '0') * 10 +
		    (unsigned int)(data[2] - '0');

	if (pos < len && data[pos] == ' ') {
		pos++;
	}
	for (; pos < len && data[pos] != '\n'; pos++) {
		if (n < RELP_TEXT_MAX - 1) {
			ret_text[n++] = data[pos] >= 0x20 && data[pos] < 0x7f
						? (char)data[pos]
						: '?';
		}
	}
	ret_text[n] = '\0';
	pos += pos < len;
	*ret_offers = data + pos;
	*ret_offers_len = len - pos;
	return EVERR_OK;
}

static bool has_value(const char *values, size_t len, const char *value)
{
	size_t want = strlen(value);

	while (len > 0) {
		const char *comma = memchr(values, ',', len);
		size_t part = comma != NULL ? (size_t)(comma - values) : len;

		if (part == want && memcmp(values, value, want) == 0) {
			return true;
		}
		part += comma != NULL;
		values += part;
		len -= part;
	}
	return false;
}

bool relp_offers(const uint8_t *offers, size_t len, const char *name,
		 const char *value)
{
	const char *line = (const char *)offers;
	size_t name_len = strlen(name);

	while (len > 0) {
		const char *end = memchr(line, '\n', len);
		size_t part = end != NULL ? (size_t)(end - line) : len;

		if (part > name_len && memcmp(line, name, name_len) == 0 &&
		    line[name_len] == '=' &&
		    has_value(line + name_len + 1, part - name_len - 1,
			      value)) {
			return true;
		}
		part += end != NULL;
		line += part;
		len -= part;
	}
	return false;
}

size_t relp_header(char text[RELP_HEADER_MAX], uint32_t txnr,
		   const char *command, size_t len)
{
	int n = snprintf(text, RELP_HEADER_MAX,
			 len > 0 ? "%u %s %zu " : "%u %s %zu", txnr, command,
			 len);

	return (size_t)n;
}
