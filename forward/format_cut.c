/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

/*
 * A message is read twice: how long are its values, then it is copied with
 * those beyond one length cut to it.  Each pass is linear.
 */

/* What is written behind a value that was cut: U+2026. */
#define ELLIPSIS "\xE2\x80\xA6"
#define ELLIPSIS_LEN 3

/* What MSG of RFC 5424 begins with if it is not ASCII: U+FEFF. */
#define BOM "\xEF\xBB\xBF"
#define BOM_LEN 3

/* Values are not cut below this; rather are the last ones left out. */
#define LEVEL_MIN 32

/* Lengths are counted one by one up to here, then eight to each doubling. */
#define EXACT 64
#define EXACT_BITS 6
#define BUCKETS (EXACT + (32 - EXACT_BITS) * 8)

/* JSON: an event has EVENT_DEPTH_MAX elements in each other, each perhaps an
   object in an array. */
#define DEPTH_MAX (2 * EVENT_DEPTH_MAX + 16)

struct lengths {
	uint64_t count[BUCKETS];
	uint64_t total[BUCKETS];
	uint64_t values; /* bytes of all of them */
};

static size_t bucket_of(size_t len)
{
	unsigned int bits;

	if (len < EXACT) {
		return len;
	}
	bits = 31 - (unsigned int)__builtin_clz((uint32_t)len);
	return EXACT + (bits - EXACT_BITS) * 8 + (len >> (bits - 3) & 7);
}

/* The shortest length of a bucket. */
static size_t bucket_start(size_t bucket)
{
	size_t bits;

	if (bucket < EXACT) {
		return bucket;
	}
	bits = EXACT_BITS + (bucket - EXACT) / 8;
	return (8 + (bucket - EXACT) % 8) << (bits - 3);
}

static void add_length(struct lengths *lengths, size_t len)
{
	size_t bucket = bucket_of(len);

	lengths->count[bucket]++;
	lengths->total[bucket] += len;
	lengths->values += len;
}

/* The most bytes that each value may have so that all are within budget. */
static size_t find_level(const struct lengths *lengths, size_t budget)
{
	uint64_t longer = 0;
	uint64_t shorter = lengths->values;
	size_t b = BUCKETS;

	while (b-- > LEVEL_MIN) {
		longer += lengths->count[b];
		shorter -= lengths->total[b];
		if (shorter + longer * bucket_start(b) <= budget) {
			return bucket_start(b);
		}
	}
	return LEVEL_MIN;
}

/* ---------------------------------------------------------------- texts */

static size_t utf8_size(uint8_t c)
{
	if (c < 0xC0) {
		return 1;
	}
	return c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
}

enum escapes {
	ESCAPES_NONE,
	ESCAPES_QUOTED, /* RFC 5424: \ and one character */
	ESCAPES_JSON
};

/* Bytes of the character or escape at p, of which n are there. */
static size_t unit_size(const uint8_t *p, size_t n, enum escapes escapes)
{
	if (p[0] == '\\' && escapes != ESCAPES_NONE) {
		return escapes == ESCAPES_JSON && n > 1 && p[1] == 'u' ? 6 : 2;
	}
	if (p[0] == '#' && escapes != ESCAPES_JSON && n > 3 && p[1] >= '0' &&
	    p[1] <= '2' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
	    p[3] <= '7') {
		return 4;
	}
	return utf8_size(p[0]);
}

/* How many bytes of whole characters are among the first max. */
static size_t whole_size(const uint8_t *p, size_t n, size_t max,
			 enum escapes escapes)
{
	size_t i = 0;

	while (i < n) {
		size_t size = unit_size(p + i, n - i, escapes);

		if (size > n - i || i + size > max) {
			break;
		}
		i += size;
	}
	return i;
}

/* Text of at most level bytes; level >= LEVEL_MIN, or n is within it. */
static void put_text(struct buf *out, const uint8_t *p, size_t n, size_t level,
		     enum escapes escapes)
{
	if (n <= level) {
		buf_put(out, p, n);
		return;
	}
	buf_put(out, p, whole_size(p, n, level - ELLIPSIS_LEN, escapes));
	buf_put(out, ELLIPSIS, ELLIPSIS_LEN);
}

/* Whether one of eight bytes is c: the lowest that is found is one. */
static uint64_t find_byte(uint64_t eight, uint8_t c)
{
	const uint64_t ones = 0x0101010101010101ULL;
	uint64_t zero = eight ^ (ones * c);

	return (zero - ones) & ~zero & (ones << 7);
}

/* Where a quoted text ends: at its quote, or at the end of what there is. */
static size_t quoted_size(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != '"') {
		if (p[i] == '\\') {
			i += 2;
			continue;
		}
		i++;
		while (n > i && n - i >= 8) {
			uint64_t eight = le64_get(p + i);

			if ((find_byte(eight, '"') | find_byte(eight, '\\')) !=
			    0) {
				break;
			}
			i += 8;
		}
	}
	return i < n ? i : n;
}

/* --------------------------------------------------------------- syslog */

/* ' name="value"', or what stands between such: "][id". */
struct param {
	const uint8_t *name; /* with the quote, or all there is */
	size_t name_len;
	const uint8_t *value; /* NULL: it is none */
	size_t value_len;
	bool whole; /* its quote is there */
};

/* The next one at *pos; false: none follows. */
static bool next_param(const uint8_t *p, size_t end, size_t *pos,
		       struct param *ret)
{
	size_t i = *pos;

	*ret = (struct param){.name = p + i};
	if (i >= end) {
		return false;
	}
	/* "]" or "][id" */
	if (p[i] == ']') {
		do {
			i++;
		} while (i < end && p[i] != ' ' && p[i] != ']');
		ret->name_len = i - *pos;
		*pos = i;
		return true;
	}
	while (i < end && p[i] != '"') {
		i++;
	}
	if (i == end) {
		return false;
	}
	i++;
	ret->name_len = i - *pos;
	ret->value = p + i;
	ret->value_len = quoted_size(p + i, end - i);
	i += ret->value_len;
	ret->whole = i < end;
	*pos = i + 1;
	return true;
}

static void put_param(struct buf *out, const struct param *param, size_t level)
{
	buf_put(out, param->name, param->name_len);
	if (param->value != NULL) {
		put_text(out, param->value, param->value_len, level,
			 ESCAPES_QUOTED);
		buf_put_u8(out, '"');
	}
}

static size_t param_size(const struct param *param, size_t level)
{
	size_t value = param->value_len < level ? param->value_len : level;

	return param->name_len + value + (param->value != NULL ? 1 : 0);
}

/*
 * RFC 5424 6.4: what ends in an ellipsis is not ASCII any more.  At the end of
 * one that was broken off there may be a piece of a character.
 */
static void put_message(struct buf *out, const uint8_t *p, size_t n,
			size_t level, bool broken)
{
	if (broken && level >= n) {
		if (n <= BOM_LEN + ELLIPSIS_LEN) {
			return;
		}
		level = n - 1;
	}
	if (n > level && (n < BOM_LEN || memcmp(p, BOM, BOM_LEN) != 0)) {
		buf_put(out, BOM, BOM_LEN);
		level -= BOM_LEN;
	}
	put_text(out, p, n, level, ESCAPES_NONE);
}

void format_cut_syslog(struct buf *out, const struct format_cut *cut)
{
	struct lengths lengths = {};
	const uint8_t *p = cut->data;
	size_t pos = cut->start;
	size_t end = cut->text_at > 0 ? cut->text_at : cut->len;
	size_t text_len = cut->len - end;
	size_t fixed, level;
	struct param param;

	while (next_param(p, end, &pos, &param)) {
		if (param.value != NULL) {
			add_length(&lengths, param.value_len);
		}
	}
	add_length(&lengths, text_len);
	fixed = cut->len - lengths.values;
	level = find_level(&lengths, cut->max > fixed ? cut->max - fixed : 0);

	buf_put(out, p, cut->start);
	pos = cut->start;
	while (next_param(p, end, &pos, &param) &&
	       (param.value == NULL || param.whole)) {
		/* The last ']' is written below. */
		if (param.value == NULL && param.name_len == 1) {
			break;
		}
		if (out->len + param_size(&param, level) + 1 > cut->max) {
			break;
		}
		put_param(out, &param, level);
	}
	if (cut->brackets) {
		buf_put_u8(out, ']');
	}
	if (text_len > 0 && out->len + 1 + LEVEL_MIN <= cut->max) {
		size_t room = cut->max - out->len - 1;

		buf_put_u8(out, ' ');
		put_message(out, p + end, text_len, room < level ? room : level,
			    cut->broken);
	}
}

/* ----------------------------------------------------------------- JSON */

/* A piece of JSON text as event_render_json() writes it, without blanks. */
struct token {
	const uint8_t *text;
	size_t len; /* a string's with its quotes */
	bool string;
	bool key; /* with its colon */
};

static bool next_token(const uint8_t *p, size_t end, size_t *pos,
		       struct token *ret)
{
	size_t i = *pos;

	*ret = (struct token){.text = p + i};
	if (i >= end) {
		return false;
	}
	if (p[i] == '"') {
		i += 1 + quoted_size(p + i + 1, end - i - 1);
		if (i >= end) {
			return false;
		}
		i++;
		ret->string = true;
		ret->key = i < end && p[i] == ':';
		i += ret->key ? 1 : 0;
	} else if (strchr("{}[],", p[i]) != NULL) {
		i++;
	} else {
		while (i < end && memchr(",]}", p[i], 3) == NULL) {
			i++;
		}
		/* Broken off: "tru", or a number's first digits. */
		if (i == end) {
			return false;
		}
	}
	ret->len = i - *pos;
	*pos = i;
	return true;
}

struct json_writer {
	struct buf *out;
	size_t max;
	size_t level;
	uint8_t closers[DEPTH_MAX];
	size_t depth;
	bool comma;
	struct token key; /* text NULL: none waits */
};

/* Write what waits for a value, if there is room for both, and for the ends
   of all that is open then. */
static bool open_value(struct json_writer *w, size_t size, size_t depth)
{
	size_t key_len = w->key.text != NULL ? w->key.len : 0;

	if (w->out->len + 1 + key_len + size + depth > w->max) {
		return false;
	}
	if (w->comma) {
		buf_put_u8(w->out, ',');
	}
	if (w->key.text != NULL) {
		buf_put(w->out, w->key.text, w->key.len);
	}
	w->comma = false;
	w->key.text = NULL;
	return true;
}

static bool put_value(struct json_writer *w, const struct token *token)
{
	size_t inside = token->string ? token->len - 2 : 0;
	size_t size = token->len;

	if (inside > w->level) {
		size = 2 + w->level;
	}
	if (!open_value(w, size, w->depth)) {
		return false;
	}
	if (!token->string) {
		buf_put(w->out, token->text, token->len);
		return true;
	}
	buf_put_u8(w->out, '"');
	put_text(w->out, token->text + 1, inside, w->level, ESCAPES_JSON);
	buf_put_u8(w->out, '"');
	return true;
}

/* false: no more has room. */
static bool put_token(struct json_writer *w, const struct token *token)
{
	uint8_t c = token->text[0];

	if (token->key) {
		w->key = *token;
		return true;
	}
	if (c == ',') {
		w->comma = true;
		return true;
	}
	if (c == '{' || c == '[') {
		if (w->depth == DEPTH_MAX || !open_value(w, 1, w->depth + 1)) {
			return false;
		}
		buf_put_u8(w->out, c);
		w->closers[w->depth++] = c == '{' ? '}' : ']';
		return true;
	}
	if (c == '}' || c == ']') {
		if (w->depth == 0) {
			return false;
		}
		buf_put_u8(w->out, w->closers[--w->depth]);
		return true;
	}
	return put_value(w, token);
}

/* What is at start is inside of the outer object, before its first name. */
void format_cut_json(struct buf *out, const struct format_cut *cut)
{
	struct json_writer w = {.out = out, .max = cut->max};
	struct lengths lengths = {};
	const uint8_t *p = cut->data;
	size_t pos = cut->start;
	size_t fixed;
	struct token token;

	while (next_token(p, cut->len, &pos, &token)) {
		if (token.string && !token.key) {
			add_length(&lengths, token.len - 2);
		}
	}
	fixed = cut->len - lengths.values;
	w.level = find_level(&lengths, cut->max > fixed ? cut->max - fixed : 0);

	buf_put(out, p, cut->start);
	w.closers[w.depth++] = '}';
	pos = cut->start;
	while (next_token(p, cut->len, &pos, &token) && put_token(&w, &token)) {
	}
	while (w.depth > 0) {
		buf_put_u8(out, w.closers[--w.depth]);
	}
}
