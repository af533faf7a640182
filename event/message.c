/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/catalog.h"

#include "event/winmeta.h"

#include <stdlib.h>
#include <string.h>

/* Digits of the number of a parameter, 32 bits. */
#define PARAMETER_DIGITS_MAX 10
/* Width and precision; more is no width that anybody means. */
#define WIDTH_MAX 4096
/* Digits of one that is an insert. */
#define NUMBER_DIGITS_MAX 20
#define NO_PRECISION SIZE_MAX
/*
 * Bytes of inserts and parameters that are looked at for one message: they
 * need not show up in it ("%1!.0s!"), and may be named any number of times.
 */
#define WORK_MAX (16 * 1024 * 1024)
/* To look for a parameter in one culture takes as long as so many bytes. */
#define LOOKUP_WORK 128

/* ------------------------------------------------------------- choosing */

static int message_cmp(const void *key, const void *item)
{
	uint32_t id = *(const uint32_t *)key;
	const struct event_manifest_message *message = item;

	return id < message->id ? -1 : id > message->id;
}

static const char *find_text(const struct event_manifest_message *messages,
			     size_t num, uint32_t id)
{
	const struct event_manifest_message *message = NULL;

	if (num == 0) {
		return NULL;
	}
	message = bsearch(&id, messages, num, sizeof(*messages), message_cmp);
	return message != NULL ? message->text : NULL;
}

static const char *culture_text(const struct event_manifest_strings *strings,
				uint32_t id, bool parameter)
{
	if (parameter) {
		return find_text(strings->parameters, strings->num_parameters,
				 id);
	}
	return find_text(strings->messages, strings->num_messages, id);
}

/* How well a culture serves who asks for lcid; 0: not at all. */
static unsigned int culture_rank(const struct event_manifest_strings *strings,
				 uint32_t lcid, bool exact, bool first)
{
	uint32_t language = WINMETA_LANGUAGE(strings->lcid);

	if (lcid == 0) {
		return language == WINMETA_ENGLISH ? 2 : 1;
	}
	if (strings->lcid == lcid) {
		return 3;
	}
	if (strings->lcid != 0 && language == WINMETA_LANGUAGE(lcid)) {
		return 2;
	}
	return !exact && first ? 1 : 0;
}

static const char *choose_text(const struct event_publisher *publisher,
			       uint32_t id, uint32_t lcid, bool exact,
			       bool parameter)
{
	const char *best = NULL;
	unsigned int best_rank = 0;
	size_t i;

	for (i = 0; i < publisher->num_strings; i++) {
		const struct event_manifest_strings *strings =
			&publisher->strings[i];
		unsigned int rank =
			culture_rank(strings, lcid, exact, best == NULL);
		const char *text = NULL;

		if (rank > best_rank) {
			text = culture_text(strings, id, parameter);
		}
		if (text != NULL) {
			best = text;
			best_rank = rank;
		}
	}
	return best;
}

const char *event_publisher_message(const struct event_publisher *publisher,
				    uint32_t id, uint32_t lcid, bool exact)
{
	return choose_text(publisher, id, lcid, exact, false);
}

/* ------------------------------------------------------------ formatting */

struct format {
	struct buf *out;
	size_t start;				 /* of the message in out */
	const struct event_publisher *publisher; /* NULL: no parameters */
	uint32_t lcid;
	const char *const *inserts;
	size_t num_inserts;
	size_t work; /* of WORK_MAX */
};

/* "!-08.3I64x!" */
struct spec {
	bool left, plus, blank, prefix, zeros;
	size_t width;
	size_t precision;
	bool width_from_insert, precision_from_insert;
	bool is_64_bits;
	char conversion;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static everr_t put(struct format *format, const char *text, size_t len)
{
	if (format->out->len - format->start + len > EVENT_MESSAGE_MAX) {
		return EVERR_LIMIT;
	}
	buf_put(format->out, text, len);
	return buf_error(format->out);
}

static everr_t put_repeated(struct format *format, char c, size_t num)
{
	everr_t err = EVERR_OK;

	while (num > 0 && err == EVERR_OK) {
		err = put(format, &c, 1);
		num--;
	}
	return err;
}

static everr_t charge(struct format *format, size_t work)
{
	if (work > WORK_MAX - format->work) {
		return EVERR_LIMIT;
	}
	format->work += work;
	return EVERR_OK;
}

static everr_t format_text(struct format *format, const char *text);

/*
 * "%%n" at *text, which is advanced.  A parameter's text is taken without
 * further inserts, and without the line end that message files put there.
 */
static everr_t put_parameter(struct format *format, const char **text)
{
	struct format inner = {.out = format->out, .start = format->start};
	const struct event_publisher *publisher = format->publisher;
	const char *start = *text;
	const char *p = start + 2;
	const char *found = NULL;
	uint64_t id = 0;
	size_t before = format->out->len;
	everr_t err;

	while (is_digit(*p) && p - start < 2 + PARAMETER_DIGITS_MAX) {
		id = 10 * id + (uint64_t)(*p++ - '0');
	}
	*text = p;
	if (publisher != NULL && id <= UINT32_MAX) {
		err = charge(format, publisher->num_strings * LOOKUP_WORK);
		if (err != EVERR_OK) {
			return err;
		}
		found = choose_text(publisher, (uint32_t)id, format->lcid,
				    false, true);
	}
	if (found == NULL) {
		return put(format, start, (size_t)(p - start));
	}
	err = charge(format, strlen(found));
	if (err != EVERR_OK) {
		return err;
	}
	err = format_text(&inner, found);
	while (format->out->len > before &&
	       (format->out->data[format->out->len - 1] == '\n' ||
		format->out->data[format->out->len - 1] == '\r')) {
		buf_truncate(format->out, format->out->len - 1);
	}
	return err;
}

/* An insert is text as it is, but for the parameters it names. */
static everr_t put_insert(struct format *format, const char *insert)
{
	const char *p = insert;
	everr_t err;

	while ((p = strstr(p, "%%")) != NULL) {
		if (!is_digit(p[2])) {
			p++;
			continue;
		}
		err = put(format, insert, (size_t)(p - insert));
		if (err != EVERR_OK) {
			return err;
		}
		err = put_parameter(format, &p);
		if (err != EVERR_OK) {
			return err;
		}
		insert = p;
	}
	return put(format, insert, strlen(insert));
}

/* ------------------------------------------------------- !specifications */

static const char *spec_number(const char *p, size_t *ret_number,
			       bool *ret_from_insert)
{
	size_t number = 0;

	if (*p == '*') {
		*ret_from_insert = true;
		return p + 1;
	}
	while (is_digit(*p)) {
		number = 10 * number + (size_t)(*p++ - '0');
		if (number > WIDTH_MAX) {
			number = WIDTH_MAX;
		}
	}
	*ret_number = number;
	return p;
}

static const char *spec_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		switch (*p) {
		case '-':
			spec->left = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->blank = true;
			break;
		case '#':
			spec->prefix = true;
			break;
		case '0':
			spec->zeros = true;
			break;
		default:
			return p;
		}
	}
}

static const char *spec_size(const char *p, struct spec *spec)
{
	if (strncmp(p, "I64", 3) == 0 || strncmp(p, "I32", 3) == 0) {
		spec->is_64_bits = p[1] == '6';
		return p + 3;
	}
	if (strncmp(p, "ll", 2) == 0) {
		spec->is_64_bits = true;
		return p + 2;
	}
	return p + strspn(p, "hlwI");
}

/* What stands from a '!' to the next; NULL: no specification. */
static const char *read_spec(const char *p, struct spec *spec)
{
	*spec = (struct spec){.precision = NO_PRECISION};
	p = spec_flags(p + 1, spec);
	p = spec_number(p, &spec->width, &spec->width_from_insert);
	if (*p == '.') {
		p = spec_number(p + 1, &spec->precision,
				&spec->precision_from_insert);
	}
	p = spec_size(p, spec);
	if (*p == '\0' || strchr("diouxXcCsSp", *p) == NULL || p[1] != '!') {
		return NULL;
	}
	spec->conversion = *p;
	return p + 2;
}

/* Bytes of the first characters, at most max of them. */
static size_t prefix_len(const char *text, size_t max)
{
	size_t len = 0;

	while (text[len] != '\0') {
		if (((uint8_t)text[len] & 0xC0) != 0x80 && max-- == 0) {
			break;
		}
		len++;
	}
	return len;
}

static size_t count_characters(const char *text, size_t len)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		n += ((uint8_t)text[i] & 0xC0) != 0x80;
	}
	return n;
}

static everr_t put_padded(struct format *format, const struct spec *spec,
			  const char *text, size_t len)
{
	size_t characters = count_characters(text, len);
	size_t blanks = 0;
	everr_t err;

	if (spec->width > characters) {
		blanks = spec->width - characters;
	}
	if (!spec->left) {
		err = put_repeated(format, ' ', blanks);
		if (err != EVERR_OK) {
			return err;
		}
		return put(format, text, len);
	}
	err = put(format, text, len);
	if (err != EVERR_OK) {
		return err;
	}
	return put_repeated(format, ' ', blanks);
}

/* Inserts are text; one that reads as an integer is one here. */
static bool read_integer(const char *text, const struct spec *spec,
			 uint64_t *ret_magnitude, bool *ret_negative)
{
	bool negative = text[0] == '-';
	uint64_t magnitude;
	char *end = NULL;

	text += negative;
	if (!is_digit(text[0])) {
		return false;
	}
	magnitude =
		strtoull(text, &end,
			 text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	if (*end != '\0') {
		return false;
	}
	if (negative && strchr("di", spec->conversion) == NULL) {
		/* As its two's complement is written. */
		magnitude = (uint64_t)0 - magnitude;
		if (!spec->is_64_bits) {
			magnitude &= UINT32_MAX;
		}
		negative = false;
	}
	*ret_magnitude = magnitude;
	*ret_negative = negative;
	return true;
}

/* The digits, at the end of a buffer of 64. */
static const char *put_digits(char buffer[65], uint64_t magnitude,
			      char conversion)
{
	const char *digits =
		conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int base = 10;
	char *p = buffer + 64;

	if (conversion == 'o') {
		base = 8;
	} else if (conversion == 'x' || conversion == 'X' ||
		   conversion == 'p') {
		base = 16;
	}
	*p = '\0';
	do {
		*--p = digits[magnitude % base];
		magnitude /= base;
	} while (magnitude > 0);
	return p;
}

static const char *number_sign(const struct spec *spec, uint64_t magnitude,
			       bool negative)
{
	bool is_signed = spec->conversion == 'd' || spec->conversion == 'i';

	if (negative) {
		return "-";
	}
	if (is_signed && spec->plus) {
		return "+";
	}
	if (is_signed && spec->blank) {
		return " ";
	}
	if (spec->prefix && magnitude != 0 && spec->conversion == 'x') {
		return "0x";
	}
	if (spec->prefix && magnitude != 0 && spec->conversion == 'X') {
		return "0X";
	}
	return "";
}

static everr_t put_integer(struct format *format, const struct spec *spec,
			   uint64_t magnitude, bool negative)
{
	char buffer[65];
	const char *digits = put_digits(buffer, magnitude, spec->conversion);
	const char *sign = number_sign(spec, magnitude, negative);
	size_t num_digits = strlen(digits);
	size_t least = spec->precision;
	size_t blanks = 0;
	everr_t err;

	if (least == NO_PRECISION) {
		least = 1;
		if (spec->zeros && !spec->left && spec->width > strlen(sign)) {
			least = spec->width - strlen(sign);
		}
	}
	if (least < num_digits) {
		least = num_digits;
	}
	if (spec->width > least + strlen(sign)) {
		blanks = spec->width - least - strlen(sign);
	}
	err = put_repeated(format, ' ', spec->left ? 0 : blanks);
	if (err != EVERR_OK) {
		return err;
	}
	err = put(format, sign, strlen(sign));
	if (err != EVERR_OK) {
		return err;
	}
	err = put_repeated(format, '0', least - num_digits);
	if (err != EVERR_OK) {
		return err;
	}
	err = put(format, digits, num_digits);
	if (err != EVERR_OK) {
		return err;
	}
	return put_repeated(format, ' ', spec->left ? blanks : 0);
}

static everr_t put_specified(struct format *format, const struct spec *spec,
			     const char *insert)
{
	uint64_t magnitude = 0;
	bool negative = false;
	everr_t err;

	err = charge(format, strlen(insert));
	if (err != EVERR_OK) {
		return err;
	}
	if (strchr("diouxXp", spec->conversion) != NULL &&
	    read_integer(insert, spec, &magnitude, &negative)) {
		return put_integer(format, spec, magnitude, negative);
	}
	if (spec->width == 0 && spec->precision == NO_PRECISION) {
		return put_insert(format, insert);
	}
	return put_padded(format, spec, insert,
			  prefix_len(insert, spec->precision));
}

/* A width or precision that an insert gives; false: there is none. */
static bool insert_number(const struct format *format, size_t *at,
			  size_t *ret_number)
{
	bool from_insert = false;
	const char *end = NULL;

	if (*at >= format->num_inserts ||
	    strnlen(format->inserts[*at], NUMBER_DIGITS_MAX + 1) >
		    NUMBER_DIGITS_MAX) {
		return false;
	}
	end = spec_number(format->inserts[*at], ret_number, &from_insert);
	if (from_insert || *end != '\0') {
		return false;
	}
	(*at)++;
	return true;
}

/*
 * "%n" or "%n!...!" at *text, which is advanced.  A '*' takes an insert of
 * its own, before the one that is printed.
 */
static everr_t put_numbered(struct format *format, const char **text)
{
	const char *start = *text;
	const char *p = start + 1;
	const char *end = NULL;
	struct spec spec;
	size_t at = 0;
	bool there = true;

	at = (size_t)(*p++ - '0');
	if (is_digit(*p)) {
		at = 10 * at + (size_t)(*p++ - '0');
	}
	at--;
	if (*p == '!') {
		end = read_spec(p, &spec);
	}
	if (end == NULL) {
		spec = (struct spec){.precision = NO_PRECISION,
				     .conversion = 's'};
		end = p;
	}
	*text = end;
	if (spec.width_from_insert) {
		there = insert_number(format, &at, &spec.width);
	}
	if (there && spec.precision_from_insert) {
		there = insert_number(format, &at, &spec.precision);
	}
	if (!there || at >= format->num_inserts) {
		return put(format, start, (size_t)(end - start));
	}
	return put_specified(format, &spec, format->inserts[at]);
}

/* ------------------------------------------------------------ the walk */

/* A '%' and what follows it; *text is advanced.  *ret_end: "%0". */
static everr_t put_escape(struct format *format, const char **text,
			  bool *ret_end)
{
	const char *p = *text;

	switch (p[1]) {
	case '\0':
		*text = p + 1;
		return put(format, "%", 1);
	case '0':
		*ret_end = true;
		return EVERR_OK;
	case '%':
		if (is_digit(p[2])) {
			return put_parameter(format, text);
		}
		*text = p + 2;
		return put(format, "%", 1);
	case 'n':
		*text = p + 2;
		return put(format, "\r\n", 2);
	case 'r':
		*text = p + 2;
		return put(format, "\r", 1);
	case 't':
		*text = p + 2;
		return put(format, "\t", 1);
	case 'b':
		*text = p + 2;
		return put(format, " ", 1);
	}
	if (is_digit(p[1])) {
		return put_numbered(format, text);
	}
	/* "%." and "%!", and what has no meaning: the character itself. */
	*text = p + 1;
	return EVERR_OK;
}

/* "\r\n", "\n" or "\r" in the text itself: one line end. */
static everr_t put_line_end(struct format *format, const char **text)
{
	const char *p = *text;

	*text = p + (p[0] == '\r' && p[1] == '\n' ? 2 : 1);
	return put(format, "\r\n", 2);
}

static everr_t format_text(struct format *format, const char *text)
{
	bool end = false;
	everr_t err = EVERR_OK;

	while (*text != '\0' && !end && err == EVERR_OK) {
		size_t plain = strcspn(text, "%\r\n");

		err = put(format, text, plain);
		if (err != EVERR_OK) {
			return err;
		}
		text += plain;
		if (*text == '%') {
			err = put_escape(format, &text, &end);
		} else if (*text != '\0') {
			err = put_line_end(format, &text);
		}
	}
	return err;
}

everr_t event_message_format(struct buf *out,
			     const struct event_publisher *publisher,
			     uint32_t lcid, const char *message,
			     const char *const *inserts, size_t num_inserts)
{
	struct format format = {
		.out = out,
		.start = out->len,
		.publisher = publisher,
		.lcid = lcid,
		.inserts = inserts,
		.num_inserts = num_inserts,
	};
	everr_t err;

	err = buf_error(out);
	if (err != EVERR_OK) {
		return err;
	}
	err = format_text(&format, message);
	if (err != EVERR_OK) {
		buf_truncate(out, format.start);
	}
	return err;
}
