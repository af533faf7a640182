/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_compare.h"

#include "base/text.h"
#include "base/wintime.h"
#include "event/build.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above the longest text of a number, time, GUID or SID. */
#define TYPED_TEXT_MAX 256

/* -------------------------------------------------------------- order */

static bool holds(enum xpath_op op, int cmp)
{
	switch (op) {
	case XPATH_EQ:
		return cmp == 0;
	case XPATH_NE:
		return cmp != 0;
	case XPATH_LT:
		return cmp < 0;
	case XPATH_LE:
		return cmp <= 0;
	case XPATH_GT:
		return cmp > 0;
	case XPATH_GE:
		return cmp >= 0;
	}
	return false;
}

/* What has no order is equal or not. */
static bool holds_equal(enum xpath_op op, bool equal)
{
	return op == XPATH_EQ ? equal : op == XPATH_NE && !equal;
}

static int cmp_u64(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

/* ------------------------------------------------------------ numbers */

/* Digits of the base and nothing else; false: no, or beyond 64 bits. */
static bool parse_digits(const char *text, int base, uint64_t *ret_v)
{
	uint64_t v = 0;

	if (*text == '\0') {
		return false;
	}
	for (; *text != '\0'; text++) {
		int digit = text_hex_digit(*text);

		if (digit < 0 || digit >= base ||
		    __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit, &v)) {
			return false;
		}
	}
	*ret_v = v;
	return true;
}

/* Fraction and exponent; d means e.  text has room, and is written to. */
static bool parse_double(char *text, double *ret_v)
{
	locale_t c_locale;
	char *end = NULL;
	char *p = NULL;

	if (strspn(text, "0123456789+-.eEdD") != strlen(text) ||
	    strpbrk(text, "0123456789") == NULL) {
		return false;
	}
	for (p = text; *p != '\0'; p++) {
		*p = (*p | 0x20) == 'd' ? 'e' : *p;
	}
	c_locale = newlocale(LC_NUMERIC_MASK, "C", NULL);
	if (c_locale == NULL) {
		return false;
	}
	*ret_v = strtod_l(text, &end, c_locale);
	freelocale(c_locale);
	return *end == '\0';
}

static bool parse_number(char *text, struct filter_number *ret_number)
{
	struct filter_number number = {.exact = true};
	const char *digits = text;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		if (!parse_digits(text + 2, 16, &number.magnitude)) {
			return false;
		}
		number.real = (double)number.magnitude;
		*ret_number = number;
		return true;
	}
	if (*digits == '+' || *digits == '-') {
		digits++;
	}
	number.exact = parse_digits(digits, 10, &number.magnitude);
	number.negative = text[0] == '-' && number.magnitude != 0;
	if (number.exact) {
		number.real = (double)number.magnitude;
		number.real = number.negative ? -number.real : number.real;
	} else if (!parse_double(text, &number.real)) {
		return false;
	}
	*ret_number = number;
	return true;
}

bool filter_compare_number(const struct filter_operand *left, enum xpath_op op,
			   const struct filter_number *right)
{
	double real = left->real;

	if (left->class == FILTER_INTEGER && right->exact) {
		if (left->negative != right->negative) {
			return holds(op, left->negative ? -1 : 1);
		}
		return holds(op, left->negative ? cmp_u64(right->magnitude,
							  left->magnitude)
						: cmp_u64(left->magnitude,
							  right->magnitude));
	}
	if (left->class == FILTER_INTEGER) {
		real = (double)left->magnitude;
		real = left->negative ? -real : real;
	}
	/* Not a number is unequal to all numbers. */
	if (isnan(real)) {
		return op == XPATH_NE;
	}
	return holds(op, (real > right->real) - (real < right->real));
}

/* --------------------------------------------------------------- text */

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool units_equal(const uint8_t *data, size_t num_units,
			const struct filter_literal *literal)
{
	size_t i;

	if (num_units < literal->num_units) {
		return false;
	}
	for (i = 0; i < literal->num_units; i++) {
		uint16_t unit = le16_get(data + 2 * i);

		if (unit >= 'A' && unit <= 'Z') {
			unit |= 0x20;
		}
		if (unit != le16_get(literal->units + 2 * i) || unit == 0) {
			return false;
		}
	}
	return i == num_units || le16_get(data + 2 * i) == 0;
}

static int utf8_cmp(const uint8_t *data, size_t len,
		    const struct filter_literal *literal)
{
	size_t common = len < literal->len ? len : literal->len;
	size_t i;

	for (i = 0; i < common; i++) {
		uint8_t c = fold(data[i]);
		uint8_t other = (uint8_t)literal->text[i];

		if (c != other) {
			return c < other ? -1 : 1;
		}
	}
	return (len > literal->len) - (len < literal->len);
}

/* As strings, whatever the left side is. */
static bool compare_text(const struct filter_operand *left, enum xpath_op op,
			 const struct filter_literal *right,
			 struct buf *scratch)
{
	if (left->class == FILTER_UTF8) {
		if (op <= XPATH_NE && left->len != right->len) {
			return op == XPATH_NE;
		}
		return holds(op, utf8_cmp(left->data, left->len, right));
	}
	if (left->class == FILTER_UTF16 && op <= XPATH_NE) {
		return holds_equal(
			op, units_equal(left->data, left->len / 2, right));
	}
	buf_reset(scratch);
	if (event_value_text(scratch, EVENT_TEXT_PLAIN, &left->value) !=
		    EVERR_OK ||
	    buf_error(scratch) != EVERR_OK) {
		return false;
	}
	return holds(op, utf8_cmp(scratch->data, scratch->len, right));
}

static bool is_text(const struct filter_operand *operand)
{
	return operand->class == FILTER_UTF8 || operand->class == FILTER_UTF16;
}

/*
 * A short text in ASCII, blanks around it removed, for what may be a number,
 * a time, a GUID or a SID; false: it cannot be one.
 */
static bool typed_text(const struct filter_operand *operand,
		       char text[TYPED_TEXT_MAX])
{
	size_t step = operand->class == FILTER_UTF16 ? 2 : 1;
	const uint8_t *p = operand->data;
	const uint8_t *end = p + operand->len / step * step;
	bool cut = false;
	size_t n = 0;

	/* However much of it is blank. */
	if (end - p > FILTER_TYPED_BYTES_MAX) {
		end = p + FILTER_TYPED_BYTES_MAX;
		cut = true;
	}
	for (; p < end && n < TYPED_TEXT_MAX - 1; p += step) {
		uint16_t unit = step == 2 ? le16_get(p) : *p;

		if (step == 2 && unit == 0) {
			end = p;
			cut = false;
			break;
		}
		if (unit > 0x7E || (unit < 0x20 && unit != '\t' &&
				    unit != '\n' && unit != '\r')) {
			return false;
		}
		if (n > 0 || unit > 0x20) {
			text[n++] = (char)unit;
		}
	}
	while (n > 0 && (uint8_t)text[n - 1] <= 0x20) {
		n--;
	}
	text[n] = '\0';
	return p >= end && n > 0 && !cut;
}

static bool text_number(const struct filter_operand *operand,
			struct filter_number *ret_number)
{
	char text[TYPED_TEXT_MAX];

	return typed_text(operand, text) && parse_number(text, ret_number);
}

static bool text_time(const struct filter_operand *operand, uint64_t *ret_time)
{
	char text[TYPED_TEXT_MAX];

	return typed_text(operand, text) &&
	       wintime_parse(text, ret_time) == EVERR_OK;
}

/* ----------------------------------------------------------- constants */

static everr_t copy_text(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			 struct filter_literal *literal)
{
	struct buf units;
	char *copy = talloc_size(mem_ctx, len + 1);
	everr_t err;
	size_t i;

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < len; i++) {
		copy[i] = (char)fold((uint8_t)text[i]);
	}
	copy[len] = '\0';
	buf_init(&units, mem_ctx, 2 * len);
	err = text_utf8_to_utf16(&units, copy, len);
	if (err != EVERR_OK) {
		return err == EVERR_NOMEM ? err : EVERR_QUERY_SYNTAX;
	}
	literal->text = copy;
	literal->len = len;
	literal->units = units.data;
	literal->num_units = units.len / 2;
	literal->hash = event_name_hash(units.data, literal->num_units);
	return EVERR_OK;
}

static everr_t find_sid(TALLOC_CTX *mem_ctx, const char *text,
			struct filter_literal *literal)
{
	struct buf sid;
	everr_t err;

	buf_init(&sid, mem_ctx, EVENT_SID_MAX);
	err = event_value_from_text(&sid, EVENT_TYPE_SID, text);
	if (err == EVERR_OK && buf_error(&sid) == EVERR_OK) {
		memcpy(literal->sid, sid.data, sid.len);
		literal->sid_len = (uint8_t)sid.len;
		literal->is |= FILTER_IS_SID;
	}
	buf_free(&sid);
	return err == EVERR_NOMEM ? err : EVERR_OK;
}

/* Everything that the text can be. */
static everr_t find_types(TALLOC_CTX *mem_ctx, char *text,
			  struct filter_literal *literal)
{
	if (ev_guid_parse(text, &literal->guid) == EVERR_OK) {
		literal->is |= FILTER_IS_GUID;
	}
	if (wintime_parse(text, &literal->time) == EVERR_OK) {
		literal->is |= FILTER_IS_TIME;
	}
	if (text_name_equal(text, "true") || text_name_equal(text, "false")) {
		literal->is |= FILTER_IS_BOOL;
		literal->truth = text_name_equal(text, "true");
	}
	if (parse_number(text, &literal->number)) {
		literal->is |= FILTER_IS_NUMBER;
		literal->truth = literal->number.real != 0;
	}
	return find_sid(mem_ctx, text, literal);
}

everr_t filter_literal_init(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			    bool quoted, struct filter_literal *ret_literal)
{
	struct filter_literal literal = {.quoted = quoted};
	char typed[TYPED_TEXT_MAX];
	everr_t err;

	err = copy_text(mem_ctx, text, len, &literal);
	if (err != EVERR_OK) {
		return err;
	}
	if (len < sizeof(typed) && memchr(text, '\0', len) == NULL) {
		memcpy(typed, text, len);
		typed[len] = '\0';
		err = find_types(mem_ctx, typed, &literal);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (!quoted && (literal.is & FILTER_IS_NUMBER) == 0) {
		return EVERR_QUERY_SYNTAX;
	}
	*ret_literal = literal;
	return EVERR_OK;
}

/* ----------------------------------------------------- the event's side */

static void set_signed(struct filter_operand *operand, int64_t v)
{
	operand->class = FILTER_INTEGER;
	operand->negative = v < 0;
	operand->magnitude = v < 0 ? -(uint64_t)v : (uint64_t)v;
}

static void set_unsigned(struct filter_operand *operand, uint64_t v)
{
	operand->class = FILTER_INTEGER;
	operand->magnitude = v;
}

static void set_real32(struct filter_operand *operand, const uint8_t *data)
{
	uint32_t bits = le32_get(data);
	float v;

	memcpy(&v, &bits, sizeof(v));
	operand->class = FILTER_REAL;
	operand->real = v;
}

static void set_real64(struct filter_operand *operand, const uint8_t *data)
{
	uint64_t bits = le64_get(data);

	memcpy(&operand->real, &bits, sizeof(operand->real));
	operand->class = FILTER_REAL;
}

static void set_bool(struct filter_operand *operand,
		     const struct event_value *value)
{
	size_t i;

	operand->class = FILTER_BOOL;
	for (i = 0; i < value->len; i++) {
		operand->magnitude |= value->data[i] != 0;
	}
}

/* Eight fields that may be no date: then only their text is compared. */
static everr_t set_systime(struct filter_operand *operand, struct buf *text)
{
	everr_t err;

	buf_reset(text);
	err = event_value_text(text, EVENT_TEXT_PLAIN, &operand->value);
	buf_put_u8(text, 0);
	if (err == EVERR_OK) {
		err = buf_error(text);
	}
	if (err == EVERR_OK && wintime_parse((const char *)text->data,
					     &operand->magnitude) == EVERR_OK) {
		operand->class = FILTER_TIME;
	}
	return err;
}

static void set_data(struct filter_operand *operand, enum filter_class class,
		     const uint8_t *data, size_t len)
{
	operand->class = (uint8_t) class;
	operand->data = data;
	operand->len = len;
}

static everr_t set_ansi(struct filter_operand *operand, struct buf *text)
{
	everr_t err;

	buf_reset(text);
	err = event_value_text(text, EVENT_TEXT_PLAIN, &operand->value);
	if (err == EVERR_OK) {
		err = buf_error(text);
	}
	set_data(operand, FILTER_UTF8,
		 text->data != NULL ? text->data : (const uint8_t *)"",
		 text->len);
	return err;
}

everr_t filter_operand_init(const struct event_value *value, struct buf *text,
			    struct filter_operand *ret_operand)
{
	struct filter_operand *operand = ret_operand;
	const uint8_t *p = value->data;
	everr_t err;

	err = event_type_check(value->type, p, value->len);
	if (err != EVERR_OK) {
		return err;
	}
	operand->class = FILTER_OTHER;
	operand->negative = false;
	operand->magnitude = 0;
	operand->value = *value;
	switch ((enum event_type)value->type) {
	case EVENT_TYPE_NULL:
		set_data(operand, FILTER_UTF8, (const uint8_t *)"", 0);
		break;
	case EVENT_TYPE_STRING:
		set_data(operand, FILTER_UTF16, p, value->len);
		break;
	case EVENT_TYPE_INT8:
		set_signed(operand, (int8_t)p[0]);
		break;
	case EVENT_TYPE_INT16:
		set_signed(operand, (int16_t)le16_get(p));
		break;
	case EVENT_TYPE_INT32:
		set_signed(operand, (int32_t)le32_get(p));
		break;
	case EVENT_TYPE_INT64:
		set_signed(operand, (int64_t)le64_get(p));
		break;
	case EVENT_TYPE_UINT8:
		set_unsigned(operand, p[0]);
		break;
	case EVENT_TYPE_UINT16:
		set_unsigned(operand, le16_get(p));
		break;
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_HEXINT32:
		set_unsigned(operand, le32_get(p));
		break;
	case EVENT_TYPE_UINT64:
	case EVENT_TYPE_HEXINT64:
		set_unsigned(operand, le64_get(p));
		break;
	case EVENT_TYPE_SIZET:
		set_unsigned(operand,
			     value->len == 4 ? le32_get(p) : le64_get(p));
		break;
	case EVENT_TYPE_REAL32:
		set_real32(operand, p);
		break;
	case EVENT_TYPE_REAL64:
		set_real64(operand, p);
		break;
	case EVENT_TYPE_BOOL:
		set_bool(operand, value);
		break;
	case EVENT_TYPE_GUID:
		set_data(operand, FILTER_GUID, p, sizeof(struct ev_guid));
		break;
	case EVENT_TYPE_SID:
		set_data(operand, FILTER_SID, p, 8 + 4 * (size_t)p[1]);
		break;
	case EVENT_TYPE_FILETIME:
		operand->class = FILTER_TIME;
		operand->magnitude = le64_get(p);
		break;
	case EVENT_TYPE_SYSTIME:
		return set_systime(operand, text);
	case EVENT_TYPE_ANSI:
		return set_ansi(operand, text);
	case EVENT_TYPE_BINARY:
	case EVENT_TYPE_BINXML:
	case EVENT_TYPE_ARRAY:
		break;
	}
	return EVERR_OK;
}

bool filter_operand_bits(const struct filter_operand *operand,
			 uint64_t *ret_bits)
{
	struct filter_number number = {.negative = operand->negative,
				       .magnitude = operand->magnitude};

	if (is_text(operand)) {
		if (!text_number(operand, &number) || !number.exact) {
			return false;
		}
	} else if (operand->class != FILTER_INTEGER) {
		return false;
	}
	*ret_bits = number.negative ? -number.magnitude : number.magnitude;
	return true;
}

bool filter_operand_time(const struct filter_operand *operand,
			 uint64_t *ret_time)
{
	if (is_text(operand)) {
		return text_time(operand, ret_time);
	}
	*ret_time = operand->magnitude;
	return operand->class == FILTER_TIME;
}

/* ---------------------------------------------------------- comparison */

static bool compare_guid(const struct filter_operand *left, enum xpath_op op,
			 const struct filter_literal *right)
{
	char text[TYPED_TEXT_MAX];
	struct ev_guid guid;

	if (left->class == FILTER_GUID) {
		return holds_equal(op, memcmp(left->data, right->guid.b,
					      sizeof(guid.b)) == 0);
	}
	return is_text(left) && typed_text(left, text) &&
	       ev_guid_parse(text, &guid) == EVERR_OK &&
	       holds_equal(op, ev_guid_equal(&guid, &right->guid));
}

static bool sid_equal(const uint8_t *sid, size_t len,
		      const struct filter_literal *literal)
{
	return len == literal->sid_len && memcmp(sid, literal->sid, len) == 0;
}

static bool compare_sid(const struct filter_operand *left, enum xpath_op op,
			const struct filter_literal *right, struct buf *scratch)
{
	char text[TYPED_TEXT_MAX];

	if (left->class == FILTER_SID) {
		return holds_equal(op, sid_equal(left->data, left->len, right));
	}
	if (!is_text(left) || !typed_text(left, text)) {
		return false;
	}
	buf_reset(scratch);
	return event_value_from_text(scratch, EVENT_TYPE_SID, text) ==
		       EVERR_OK &&
	       holds_equal(op, sid_equal(scratch->data, scratch->len, right));
}

static bool compare_time(const struct filter_operand *left, enum xpath_op op,
			 const struct filter_literal *right)
{
	uint64_t time;

	return filter_operand_time(left, &time) &&
	       holds(op, cmp_u64(time, right->time));
}

/* A number in quotes is a string as well. */
static bool compare_text_number(const struct filter_operand *left,
				enum xpath_op op,
				const struct filter_literal *right,
				struct buf *scratch)
{
	struct filter_operand operand = {.class = FILTER_REAL};
	struct filter_number number;

	if (right->quoted && (op <= XPATH_NE || !text_number(left, &number))) {
		return compare_text(left, op, right, scratch);
	}
	if (!right->quoted && !text_number(left, &number)) {
		return false;
	}
	operand.real = number.real;
	if (number.exact) {
		operand.class = FILTER_INTEGER;
		operand.negative = number.negative;
		operand.magnitude = number.magnitude;
	}
	return filter_compare_number(&operand, op, &right->number);
}

static bool compare_truth(const struct filter_operand *left, enum xpath_op op,
			  const struct filter_literal *right)
{
	bool truth = left->class == FILTER_REAL ? left->real != 0
						: left->magnitude != 0;

	return holds(op, (int)truth - (int)right->truth);
}

static bool compare_with_number(const struct filter_operand *left,
				enum xpath_op op,
				const struct filter_literal *right,
				struct buf *scratch)
{
	switch ((enum filter_class)left->class) {
	case FILTER_INTEGER:
	case FILTER_REAL:
		return filter_compare_number(left, op, &right->number);
	case FILTER_BOOL:
		return compare_truth(left, op, right);
	case FILTER_UTF8:
	case FILTER_UTF16:
		return compare_text_number(left, op, right, scratch);
	default:
		return right->quoted && compare_text(left, op, right, scratch);
	}
}

bool filter_compare(const struct filter_operand *left, enum xpath_op op,
		    const struct filter_literal *right, struct buf *scratch)
{
	if ((right->is & FILTER_IS_NUMBER) != 0) {
		return compare_with_number(left, op, right, scratch);
	}
	if ((right->is & FILTER_IS_TIME) != 0) {
		return compare_time(left, op, right);
	}
	if ((right->is & FILTER_IS_GUID) != 0) {
		return compare_guid(left, op, right);
	}
	if ((right->is & FILTER_IS_SID) != 0) {
		return compare_sid(left, op, right, scratch);
	}
	if ((right->is & FILTER_IS_BOOL) != 0 &&
	    (left->class == FILTER_INTEGER || left->class == FILTER_REAL ||
	     left->class == FILTER_BOOL)) {
		return compare_truth(left, op, right);
	}
	return compare_text(left, op, right, scratch);
}
