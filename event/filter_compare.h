/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_COMPARE_H
#define EVENLOG_EVENT_FILTER_COMPARE_H

/*
 * Comparing what an event has with a constant of a filter; [MS-EVEN6] 2.2.15,
 * facts 7.2.  The event's side has the type of its value; text in a template
 * is a string.  A constant is everything that its syntax can be.
 *
 *   constant          event's side        compared as
 *   GUID, SID, time   the same type       that type
 *     (quoted)        string              that type, if it is one in text
 *                     others              never true, not even !=
 *   number            integer             integers, exactly; with a fraction
 *                                         or an exponent as doubles
 *                     Real                doubles
 *                     Bool                true or false
 *                     string              number not in quotes: numbers, never
 *                                         true if the string is none;
 *                                         in quotes: = and != as strings, the
 *                                         others as numbers if both are
 *                     others              not in quotes: never true;
 *                                         in quotes: strings
 *   'true', 'false'   integer, Real, Bool true is what is not 0
 *                     others              strings
 *   other strings     all                 strings: the value's text
 *
 * Strings are compared without regard to the case of ASCII letters, in the
 * order of Unicode's code points.  GUIDs and SIDs have no order: of them only
 * = and != are ever true.  [inferred] as to case and order; nothing of it has
 * been compared with Windows.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"
#include "event/type.h"
#include "event/value.h"
#include "event/xpath.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a constant can be beside a string. */
enum filter_is {
	FILTER_IS_NUMBER = 0x01,
	FILTER_IS_BOOL = 0x02,
	FILTER_IS_GUID = 0x04,
	FILTER_IS_SID = 0x08,
	FILTER_IS_TIME = 0x10
};

/* A text that is a number, a time, a GUID or a SID is shorter. */
#define FILTER_TYPED_BYTES_MAX 512

struct filter_number {
	bool exact; /* an integer: its sign and magnitude */
	bool negative;
	uint64_t magnitude;
	double real; /* the same, rounded */
};

struct filter_literal {
	bool quoted;
	uint8_t is; /* enum filter_is */
	bool truth;
	struct filter_number number;
	uint64_t time; /* FILETIME */
	struct ev_guid guid;
	uint8_t sid[EVENT_SID_MAX];
	uint8_t sid_len;
	const char *text; /* UTF-8, ASCII letters lower-case */
	size_t len;
	const uint8_t *units; /* the same as UTF-16LE */
	size_t num_units;
	uint32_t hash; /* event_name_hash() */
};

enum filter_class {
	FILTER_UTF8,  /* data */
	FILTER_UTF16, /* data, up to a NUL if there is one */
	FILTER_INTEGER,
	FILTER_REAL,
	FILTER_BOOL, /* magnitude is 0 or 1 */
	FILTER_GUID, /* data */
	FILTER_SID,  /* data */
	FILTER_TIME, /* magnitude is a FILETIME */
	FILTER_OTHER /* its text only */
};

/* The event's side. */
struct filter_operand {
	uint8_t class; /* enum filter_class */
	bool negative;
	uint64_t magnitude;
	double real;
	const uint8_t *data;
	size_t len;		  /* bytes */
	struct event_value value; /* for its text; not of UTF8 */
};

/*
 * What a constant's text means.  Its strings are talloc children of mem_ctx.
 * EVERR_QUERY_SYNTAX: a number that is none.  EVERR_NOMEM
 */
everr_t filter_literal_init(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			    bool quoted, struct filter_literal *ret_literal)
	EVERR_MUST_CHECK;

/*
 * The event's side from a value that is not BinXml.  What must be converted
 * lies in text.  EVERR_BINXML_VALUE: its bytes do not fit its type.
 */
everr_t filter_operand_init(const struct event_value *value, struct buf *text,
			    struct filter_operand *ret_operand)
	EVERR_MUST_CHECK;

static inline bool filter_holds_u64(enum xpath_op op, uint64_t x, uint64_t y)
{
	switch (op) {
	case XPATH_EQ:
		return x == y;
	case XPATH_NE:
		return x != y;
	case XPATH_LT:
		return x < y;
	case XPATH_LE:
		return x <= y;
	case XPATH_GT:
		return x > y;
	case XPATH_GE:
		return x >= y;
	}
	return false;
}

/*
 * The comparison.  scratch is for passing use, and holds nothing of left; an
 * error of it makes the result false.
 */
bool filter_compare(const struct filter_operand *left, enum xpath_op op,
		    const struct filter_literal *right, struct buf *scratch);

/* Numbers and times of functions; false: it is none. */
bool filter_operand_bits(const struct filter_operand *operand,
			 uint64_t *ret_bits);
bool filter_operand_time(const struct filter_operand *operand,
			 uint64_t *ret_time);

/* left is FILTER_INTEGER or FILTER_REAL. */
bool filter_compare_number(const struct filter_operand *left, enum xpath_op op,
			   const struct filter_number *right);

#endif
