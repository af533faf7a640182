/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_multipart.h"

#include "soap/ccm_internal.h"

#include <string.h>
#include <strings.h>

/* CRLF, "--", boundary, NUL. */
#define DELIMITER_SIZE (2 + 2 + CCM_BOUNDARY_MAX + 1)

/* What a line that begins with "--" and the boundary is. */
enum line {
	LINE_OTHER,
	LINE_PART,
	LINE_CLOSE
};

struct reader {
	TALLOC_CTX *mem_ctx;
	const char **ret_reason;
	const uint8_t *body;
	size_t len;
	char delimiter[DELIMITER_SIZE];
	size_t delimiter_len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *s)
{
	while (is_blank(*s)) {
		s++;
	}
	return s;
}

/* ------------------------------------------------------------ Content-Type */

/* RFC 2046 5.1.1: bchars. */
static bool is_boundary_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

static bool boundary_valid(const char *boundary)
{
	size_t len = strlen(boundary);
	size_t i;

	if (len == 0 || len > CCM_BOUNDARY_MAX || boundary[len - 1] == ' ') {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (!is_boundary_char(boundary[i])) {
			return false;
		}
	}
	return true;
}

/*
 * A parameter's value at s, up to size - 1 characters of it; returns where it
 * ends, NULL: malformed.  Outside of quotes it ends at a blank or ";": senders
 * forget the quotes that RFC 2045 5.1 asks for around "/", ":", "?" and "=".
 */
static const char *parameter_value(const char *s, char *value, size_t size)
{
	bool quoted = *s == '"';
	size_t n = 0;

	for (s += quoted ? 1 : 0; *s != '\0'; s++) {
		if (quoted ? *s == '"' : *s == ';' || is_blank(*s)) {
			break;
		}
		if (quoted && *s == '\\' && *++s == '\0') {
			return NULL;
		}
		if (n < size - 1) {
			value[n++] = *s;
		}
	}
	if (quoted && *s++ != '"') {
		return NULL;
	}
	value[n] = '\0';
	return s;
}

/* "; name=value" at s; returns where it ends, NULL: malformed. */
static const char *parameter_next(const char *s, char *value, size_t size,
				  bool *ret_boundary)
{
	const char *name = NULL;
	size_t len;

	if (*s != ';') {
		return NULL;
	}
	name = skip_blanks(s + 1);
	len = strcspn(name, "=; \t");
	s = skip_blanks(name + len);
	if (len == 0) {
		/* An empty one, as in "a; b=c;". */
		value[0] = '\0';
		*ret_boundary = false;
		return *s == '=' ? NULL : s;
	}
	if (*s != '=') {
		return NULL;
	}
	s = parameter_value(skip_blanks(s + 1), value, size);
	*ret_boundary = len == 8 && strncasecmp(name, "boundary", 8) == 0;
	return s == NULL ? NULL : skip_blanks(s);
}

/* One character more than is legal, so that a longer one is seen. */
static bool find_boundary(const char *s, char boundary[CCM_BOUNDARY_MAX + 2],
			  bool *ret_found)
{
	char value[CCM_BOUNDARY_MAX + 2] = "";
	bool is_boundary = false;

	*ret_found = false;
	for (s = skip_blanks(s); *s != '\0';) {
		s = parameter_next(s, value, sizeof(value), &is_boundary);
		/* Two of them: which one it is would be a guess. */
		if (s == NULL || (is_boundary && *ret_found)) {
			return false;
		}
		if (is_boundary) {
			memcpy(boundary, value, sizeof(value));
			*ret_found = true;
		}
	}
	return true;
}

everr_t ccm_multipart_boundary(TALLOC_CTX *mem_ctx, const char *content_type,
			       const char **ret_boundary,
			       const char **ret_reason)
{
	char boundary[CCM_BOUNDARY_MAX + 2] = "";
	bool found = false;
	char *copy = NULL;
	bool ok;

	content_type = skip_blanks(content_type != NULL ? content_type : "");
	if (strncasecmp(content_type, "multipart/", 10) != 0) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
				  "the request's Content-Type is not "
				  "multipart/mixed");
	}
	ok = find_boundary(content_type + strcspn(content_type, "; \t"),
			   boundary, &found);
	if (!ok || (found && !boundary_valid(boundary))) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
				  "the boundary in the request's Content-Type "
				  "is not a legal one");
	}
	if (!found) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
				  "the request's Content-Type has no boundary");
	}
	copy = talloc_strdup(mem_ctx, boundary);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	*ret_boundary = copy;
	return EVERR_OK;
}

/* ------------------------------------------------------------------- body */

static bool is_crlf(const struct reader *reader, size_t pos)
{
	return reader->len - pos >= 2 && reader->body[pos] == '\r' &&
	       reader->body[pos + 1] == '\n';
}

/*
 * What is at pos, behind "--" and the boundary.  A binary payload may contain
 * these too, so all of the line counts.
 */
static enum line line_end(const struct reader *reader, size_t pos,
			  size_t *ret_next)
{
	const uint8_t *body = reader->body;
	bool close = reader->len - pos >= 2 && memcmp(body + pos, "--", 2) == 0;

	pos += close ? 2 : 0;
	while (pos < reader->len && is_blank((char)body[pos])) {
		pos++;
	}
	if (close && pos == reader->len) {
		*ret_next = pos;
		return LINE_CLOSE;
	}
	if (is_crlf(reader, pos)) {
		*ret_next = pos + 2;
		return close ? LINE_CLOSE : LINE_PART;
	}
	return LINE_OTHER;
}

/*
 * The next delimiter from there on, where its CRLF is and its line ends.  Its
 * CR is its only one, so no byte is compared twice.
 */
static enum line delimiter_find(const struct reader *reader, size_t from,
				size_t *ret_at, size_t *ret_next)
{
	const uint8_t *end = reader->body + reader->len;
	const uint8_t *p = reader->body + from;
	enum line line = LINE_OTHER;

	for (; line == LINE_OTHER; p++) {
		if ((size_t)(end - p) < reader->delimiter_len) {
			return LINE_OTHER;
		}
		/* Only where there is room for all of it. */
		p = memchr(p, '\r',
			   (size_t)(end - p) - reader->delimiter_len + 1);
		if (p == NULL) {
			return LINE_OTHER;
		}
		if (memcmp(p, reader->delimiter, reader->delimiter_len) != 0) {
			continue;
		}
		*ret_at = (size_t)(p - reader->body);
		line = line_end(reader, *ret_at + reader->delimiter_len,
				ret_next);
	}
	return line;
}

/* The first one, which may also stand at the very start. */
static enum line delimiter_first(const struct reader *reader, size_t *ret_next)
{
	size_t len = reader->delimiter_len - 2;
	enum line line = LINE_OTHER;
	size_t at;

	if (reader->len >= len &&
	    memcmp(reader->body, reader->delimiter + 2, len) == 0) {
		line = line_end(reader, len, ret_next);
	}
	if (line == LINE_OTHER) {
		line = delimiter_find(reader, 0, &at, ret_next);
	}
	return line;
}

/* How long the head is with its empty line; false: it doesn't end. */
static bool head_end(const uint8_t *data, size_t len, size_t *ret_head,
		     size_t *ret_data)
{
	const uint8_t *p = NULL;

	if (len >= 2 && memcmp(data, "\r\n", 2) == 0) {
		*ret_head = 0;
		*ret_data = 2;
		return true;
	}
	p = memmem(data, len, "\r\n\r\n", 4);
	if (p == NULL) {
		return false;
	}
	*ret_head = (size_t)(p - data);
	*ret_data = *ret_head + 4;
	return true;
}

static everr_t part_split(const struct reader *reader, size_t number,
			  const uint8_t *data, size_t len,
			  struct ccm_part *ret_part)
{
	size_t head = 0;
	size_t start = 0;

	if (len > 0 && !head_end(data, len, &head, &start)) {
		return ccm_refuse(reader->mem_ctx, reader->ret_reason,
				  EVERR_TEXT,
				  "part %zu of the multipart body has no empty "
				  "line after its head",
				  number);
	}
	if (head > CCM_PART_HEAD_MAX) {
		return ccm_refuse(reader->mem_ctx, reader->ret_reason,
				  EVERR_LIMIT,
				  "the head of part %zu of the multipart body "
				  "has more than %u bytes",
				  number, CCM_PART_HEAD_MAX);
	}
	*ret_part = (struct ccm_part){
		.head = data,
		.head_len = head,
		.data = data + start,
		.len = len - start,
	};
	return EVERR_OK;
}

/* The body ends in the part that starts there. */
static everr_t truncated(const struct reader *reader, size_t number,
			 size_t start)
{
	size_t rest = reader->len - start;
	char count[CCM_COUNT_SIZE];
	size_t head, data;

	if (!head_end(reader->body + start, rest, &head, &data)) {
		return ccm_refuse(reader->mem_ctx, reader->ret_reason,
				  EVERR_TEXT,
				  "the multipart body ends inside the head of "
				  "part %zu",
				  number);
	}
	return ccm_refuse(reader->mem_ctx, reader->ret_reason, EVERR_TEXT,
			  "the multipart body ends inside part %zu, %s bytes "
			  "after its head",
			  number, ccm_count(count, rest - data));
}

static everr_t parts_read(const struct reader *reader, struct ccm_parts *parts)
{
	size_t start, end, next = 0;
	enum line line = delimiter_first(reader, &next);
	everr_t err;

	if (line == LINE_OTHER) {
		return ccm_refuse(reader->mem_ctx, reader->ret_reason,
				  EVERR_TEXT,
				  "the multipart body has no delimiter with "
				  "the boundary of its Content-Type");
	}
	while (line == LINE_PART) {
		if (parts->num == CCM_PARTS_MAX) {
			return ccm_refuse(reader->mem_ctx, reader->ret_reason,
					  EVERR_LIMIT,
					  "the multipart body has more than %u "
					  "parts",
					  CCM_PARTS_MAX);
		}
		start = next;
		line = delimiter_find(reader, start, &end, &next);
		if (line == LINE_OTHER) {
			return truncated(reader, parts->num + 1, start);
		}
		err = part_split(reader, parts->num + 1, reader->body + start,
				 end - start, &parts->part[parts->num]);
		if (err != EVERR_OK) {
			return err;
		}
		parts->num++;
	}
	if (parts->num == 0) {
		return ccm_refuse(reader->mem_ctx, reader->ret_reason,
				  EVERR_TEXT, "the multipart body has no part");
	}
	return EVERR_OK;
}

everr_t ccm_multipart_parse(TALLOC_CTX *mem_ctx, const char *boundary,
			    const uint8_t *body, size_t len,
			    struct ccm_parts *ret_parts,
			    const char **ret_reason)
{
	struct reader reader = {
		.mem_ctx = mem_ctx,
		.ret_reason = ret_reason,
		.body = body,
		.len = len,
	};
	struct ccm_parts parts = {.num = 0};
	everr_t err;

	if (!boundary_valid(boundary)) {
		return EVERR_INVALID;
	}
	memcpy(reader.delimiter, "\r\n--", 4);
	memcpy(reader.delimiter + 4, boundary, strlen(boundary) + 1);
	reader.delimiter_len = strlen(reader.delimiter);

	err = parts_read(&reader, &parts);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_parts = parts;
	return EVERR_OK;
}

/* ------------------------------------------------------------------- heads */

/* Take a line off the front of a head. */
static bool head_line(const char **head, size_t *left, const char **ret_line,
		      size_t *ret_len)
{
	const char *end = NULL;
	size_t len = *left;

	if (*left == 0) {
		return false;
	}
	end = memmem(*head, *left, "\r\n", 2);
	if (end != NULL) {
		len = (size_t)(end - *head);
	}
	*ret_line = *head;
	*ret_len = len;
	len += end != NULL ? 2 : 0;
	*head += len;
	*left -= len;
	return true;
}

bool ccm_part_field(const struct ccm_part *part, const char *name,
		    const char **ret_value, size_t *ret_len)
{
	const char *head = (const char *)part->head;
	size_t left = part->head_len;
	size_t name_len = strlen(name);
	const char *line = NULL;
	size_t len, i;

	while (head_line(&head, &left, &line, &len)) {
		if (len <= name_len || strncasecmp(line, name, name_len) != 0) {
			continue;
		}
		for (i = name_len; i < len && is_blank(line[i]); i++) {
		}
		if (i == len || line[i] != ':') {
			continue;
		}
		for (i++; i < len && is_blank(line[i]); i++) {
		}
		while (len > i && is_blank(line[len - 1])) {
			len--;
		}
		*ret_value = line + i;
		*ret_len = len - i;
		return true;
	}
	return false;
}
