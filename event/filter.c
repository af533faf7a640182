/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter.h"

#include <string.h>

/* Win32 codes for RpcInfo, [MS-ERREF] 2.2. */
#define ERROR_EVT_INVALID_QUERY 0x3A99
#define ERROR_EVT_FILTER_PARSEERR 0x3AAB
#define ERROR_EVT_FILTER_UNEXPECTEDTOKEN 0x3AAD

/* Open brackets and parentheses at a time. */
#define FILTER_NESTING_MAX 64

struct event_filter {
	bool matches_all;
};

static bool text_is(const char *text, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(text, want, len) == 0;
}

/* "*" or the element name Event, which every filter starts with; facts 7.1. */
static size_t root_length(const char *text, size_t len)
{
	size_t n = 0;

	if (len >= 1 && text[0] == '*') {
		n = 1;
	} else if (len >= 5 && memcmp(text, "Event", 5) == 0) {
		n = 5;
	}
	if (n == 0 || n == len) {
		return n;
	}
	return memchr("[/ \t\r\n=!<>", text[n], 10) != NULL ? n : 0;
}

static everr_t refuse(struct event_filter_error *error, size_t offset,
		      uint32_t code, const char *message)
{
	*error = (struct event_filter_error){
		.error = code, .offset = (uint32_t)offset, .message = message};
	return EVERR_QUERY_SYNTAX;
}

/* Brackets, parentheses and quotes must pair. */
static everr_t check_pairs(const char *text, size_t len,
			   struct event_filter_error *error)
{
	char open[FILTER_NESTING_MAX];
	size_t depth = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		char c = text[i];
		const char *end = NULL;

		if (c == '\'' || c == '"') {
			end = memchr(text + i + 1, c, len - i - 1);
			if (end == NULL) {
				return refuse(error, i,
					      ERROR_EVT_FILTER_PARSEERR,
					      "a quote is not closed");
			}
			i = (size_t)(end - text);
		} else if (c == '[' || c == '(') {
			if (depth == FILTER_NESTING_MAX) {
				return refuse(error, i,
					      ERROR_EVT_FILTER_PARSEERR,
					      "nested too deeply");
			}
			open[depth++] = c == '[' ? ']' : ')';
		} else if (c == ']' || c == ')') {
			if (depth == 0 || open[depth - 1] != c) {
				return refuse(error, i,
					      ERROR_EVT_FILTER_UNEXPECTEDTOKEN,
					      "a bracket closes nothing");
			}
			depth--;
		}
	}
	if (depth > 0) {
		return refuse(error, len, ERROR_EVT_FILTER_PARSEERR,
			      "a bracket is not closed");
	}
	return EVERR_OK;
}

everr_t event_filter_compile(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			     struct event_filter **ret_filter,
			     struct event_filter_error *ret_error)
{
	struct event_filter *filter = NULL;
	everr_t err;

	if (len > 0 && root_length(text, len) == 0) {
		return refuse(ret_error, 0, ERROR_EVT_FILTER_PARSEERR,
			      "a filter starts with * or Event");
	}
	err = check_pairs(text, len, ret_error);
	if (err != EVERR_OK) {
		return err;
	}
	if (len > 0 && !text_is(text, len, "*") &&
	    !text_is(text, len, "Event")) {
		*ret_error = (struct event_filter_error){
			.error = ERROR_EVT_INVALID_QUERY,
			.offset = (uint32_t)root_length(text, len),
			.message = "only the filter * is supported",
		};
		return EVERR_NOT_SUPPORTED;
	}

	filter = talloc(mem_ctx, struct event_filter);
	if (filter == NULL) {
		return EVERR_NOMEM;
	}
	*filter = (struct event_filter){.matches_all = true};
	*ret_filter = filter;
	return EVERR_OK;
}

bool event_filter_matches_all(const struct event_filter *filter)
{
	return filter->matches_all;
}

bool event_filter_match(struct event_filter *filter,
			const struct event_view *view)
{
	(void)view;
	return filter->matches_all;
}

void event_filter_time_range(const struct event_filter *filter, uint64_t now,
			     uint64_t *ret_min, uint64_t *ret_max)
{
	(void)filter;
	(void)now;
	*ret_min = 0;
	*ret_max = UINT64_MAX;
}
