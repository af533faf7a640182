/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/query.h"

#include "base/text.h"
#include "event/filter.h"
#include "event/xml.h"

#include <stdio.h>
#include <string.h>

/* Win32 codes for RpcInfo, [MS-ERREF] 2.2. */
#define ERROR_EVT_INVALID_QUERY 0x3A99
#define ERROR_EVT_FILTER_TOO_COMPLEX 0x3AB2
#define NO_POSITION 0xFFFFFFFFU

#define BOM "\xEF\xBB\xBF"

/* Work of going on to the next filter, in the unit of EVENT_FILTER_WORK_MAX. */
#define SELECTOR_WORK 8

/* Where the parse of a structured query stands. */
enum query_level {
	LEVEL_TOP,
	LEVEL_LIST,
	LEVEL_QUERY,
	LEVEL_SELECTOR
};

struct query_parse {
	struct event_query *query;
	uint64_t path_hashes[EVENT_QUERY_PATHS_MAX];
	const char *last_path; /* that was looked for, and its index */
	uint32_t last_index;
	const char *default_path; /* of the call, or NULL */
	bool tolerate;
	enum query_level level;
	size_t num_elements;
	size_t num_terms; /* of all filters */
	struct event_subquery *subquery;
	const char *query_path; /* of the Query element, or NULL */
	bool suppress;
	uint32_t path;			/* of the selector being read */
	struct buf text;		/* its content so far */
	uint32_t filter_offset;		/* where a filter is wrong */
	struct event_query_error error; /* without a position */
};

static everr_t refuse(struct query_parse *parse, everr_t err, uint32_t code,
		      const char *message)
{
	parse->error = (struct event_query_error){.error = code,
						  .sub_error = NO_POSITION,
						  .sub_param = NO_POSITION};
	snprintf(parse->error.message, sizeof(parse->error.message), "%s",
		 message);
	return err;
}

static everr_t refuse_syntax(struct query_parse *parse, const char *message)
{
	return refuse(parse, EVERR_QUERY_SYNTAX, ERROR_EVT_INVALID_QUERY,
		      message);
}

static everr_t refuse_complex(struct query_parse *parse, const char *message)
{
	return refuse(parse, EVERR_QUERY_COMPLEX, ERROR_EVT_FILTER_TOO_COMPLEX,
		      message);
}

/*
 * FNV-1a without case.  Long paths that differ in their last character only
 * would otherwise be compared again and again.
 */
static uint64_t path_hash(const char *path)
{
	uint64_t hash = 0xCBF29CE484222325ULL;

	for (; *path != '\0'; path++) {
		uint8_t c = (uint8_t)*path;

		if (c >= 'A' && c <= 'Z') {
			c |= 0x20;
		}
		hash = (hash ^ c) * 0x100000001B3ULL;
	}
	return hash;
}

/* The index of a path, which is added when it is new. */
static everr_t find_path(struct query_parse *parse, const char *path,
			 uint32_t *ret_index)
{
	struct event_query *query = parse->query;
	uint64_t hash;
	char *copy = NULL;
	size_t i;

	/* Most selectors inherit the path of the one before. */
	if (path == parse->last_path) {
		*ret_index = parse->last_index;
		return EVERR_OK;
	}
	hash = path_hash(path);
	for (i = 0; i < query->num_paths; i++) {
		if (parse->path_hashes[i] == hash &&
		    text_name_equal(query->paths[i], path)) {
			break;
		}
	}
	if (i == EVENT_QUERY_PATHS_MAX) {
		return refuse_complex(parse, "too many channels");
	}
	if (i == query->num_paths) {
		copy = talloc_strdup(query->paths, path);
		if (copy == NULL) {
			return EVERR_NOMEM;
		}
		parse->path_hashes[i] = hash;
		query->paths[query->num_paths++] = copy;
	}
	parse->last_path = path;
	parse->last_index = (uint32_t)i;
	*ret_index = (uint32_t)i;
	return EVERR_OK;
}

/* Append to one of the subquery's arrays. */
static everr_t add_selector(struct event_query *query,
			    struct event_selector **array, size_t *num,
			    const struct event_selector *selector)
{
	struct event_selector *grown = NULL;

	/* In powers of two. */
	if ((*num & (*num - 1)) == 0) {
		grown = talloc_realloc(query, *array, struct event_selector,
				       *num == 0 ? 1 : 2 * *num);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		*array = grown;
	}
	(*array)[(*num)++] = *selector;
	return EVERR_OK;
}

/* The path answers for its filter; the selector stands without one. */
static everr_t tolerate_filter(struct query_parse *parse, everr_t err)
{
	parse->query->path_errors[parse->path] = err;
	if (!parse->suppress) {
		parse->subquery->num_refused++;
	}
	return EVERR_OK;
}

/* A refused filter was read as well: two characters are a step at most. */
static everr_t count_terms(struct query_parse *parse,
			   const struct event_filter *filter, size_t len)
{
	parse->num_terms +=
		filter != NULL ? event_filter_terms(filter) : len / 2;
	if (parse->num_terms > EVENT_QUERY_TERMS_MAX) {
		return refuse_complex(parse, "too many paths and functions");
	}
	return EVERR_OK;
}

static everr_t add_filter(struct query_parse *parse, const char *text,
			  size_t len)
{
	struct event_subquery *subquery = parse->subquery;
	struct event_selector selector = {.path = parse->path};
	struct event_filter_error error;
	everr_t err, count_err;

	event_xml_trim(&text, &len);
	err = event_filter_compile(parse->query, text, len, &selector.filter,
				   &error);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK && !parse->tolerate) {
		parse->filter_offset = error.offset;
		return refuse(parse, err, error.error, error.message);
	}
	count_err = count_terms(parse, selector.filter, len);
	if (count_err != EVERR_OK) {
		return count_err;
	}
	if (err != EVERR_OK) {
		return tolerate_filter(parse, err);
	}
	if (parse->suppress) {
		return add_selector(parse->query, &subquery->suppresses,
				    &subquery->num_suppresses, &selector);
	}
	return add_selector(parse->query, &subquery->selects,
			    &subquery->num_selects, &selector);
}

/* Looked for once here, so that no event has to. */
static uint32_t find_same_id(const struct event_query *query, uint32_t id)
{
	uint32_t i = 0;

	while (i < query->num_subqueries && query->subqueries[i].id != id) {
		i++;
	}
	return i;
}

static everr_t add_subquery(struct query_parse *parse, uint32_t id)
{
	struct event_query *query = parse->query;
	size_t n = query->num_subqueries;
	struct event_subquery *grown = NULL;

	if ((n & (n - 1)) == 0) {
		grown = talloc_realloc(query, query->subqueries,
				       struct event_subquery,
				       n == 0 ? 1 : 2 * n);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		query->subqueries = grown;
	}
	query->subqueries[n] = (struct event_subquery){
		.id = id, .first_same = find_same_id(query, id)};
	query->num_subqueries++;
	parse->subquery = &query->subqueries[n];
	return EVERR_OK;
}

/* An optional Path, blanks around it removed; NULL when absent or empty. */
static everr_t get_path(struct query_parse *parse,
			const struct event_xml_attribute *attributes,
			size_t num_attributes, const char **ret_path)
{
	const struct event_xml_attribute *path = NULL;
	const char *text = NULL;
	size_t len = 0;

	path = event_xml_attribute(attributes, num_attributes, "Path");
	if (path != NULL) {
		text = path->value;
		len = path->value_len;
		event_xml_trim(&text, &len);
	}
	if (len > EVENT_QUERY_PATH_LENGTH_MAX) {
		return refuse_complex(parse, "a path is too long");
	}
	*ret_path = NULL;
	if (len > 0) {
		*ret_path = talloc_strndup(parse->query, text, len);
		if (*ret_path == NULL) {
			return EVERR_NOMEM;
		}
	}
	return EVERR_OK;
}

/* [MS-EVEN6] 2.2.16: a long; in result records it has 32 bits. */
static everr_t get_id(struct query_parse *parse,
		      const struct event_xml_attribute *attributes,
		      size_t num_attributes, uint32_t *ret_id)
{
	const struct event_xml_attribute *attribute = NULL;
	const char *text = NULL;
	uint64_t id = 0;
	size_t len, i;

	attribute = event_xml_attribute(attributes, num_attributes, "Id");
	if (attribute == NULL) {
		*ret_id = EVENT_QUERY_NO_ID;
		return EVERR_OK;
	}
	text = attribute->value;
	len = attribute->value_len;
	event_xml_trim(&text, &len);
	for (i = 0; i < len && id <= UINT32_MAX; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return refuse_syntax(parse, "an Id is not a number");
		}
		id = id * 10 + (uint64_t)(text[i] - '0');
	}
	if (len == 0 || id > UINT32_MAX) {
		return refuse_syntax(parse, "an Id is not a 32-bit number");
	}
	*ret_id = (uint32_t)id;
	return EVERR_OK;
}

static everr_t start_query(struct query_parse *parse,
			   const struct event_xml_attribute *attributes,
			   size_t num_attributes)
{
	uint32_t id = EVENT_QUERY_NO_ID;
	everr_t err;

	err = get_id(parse, attributes, num_attributes, &id);
	if (err != EVERR_OK) {
		return err;
	}
	err = get_path(parse, attributes, num_attributes, &parse->query_path);
	if (err != EVERR_OK) {
		return err;
	}
	parse->level = LEVEL_QUERY;
	return add_subquery(parse, id);
}

/* The nearest Path counts: its own, the Query's, the call's; facts 8. */
static everr_t start_selector(struct query_parse *parse,
			      const struct event_xml_attribute *attributes,
			      size_t num_attributes)
{
	const char *path = NULL;
	everr_t err;

	err = get_path(parse, attributes, num_attributes, &path);
	if (err != EVERR_OK) {
		return err;
	}
	if (path == NULL) {
		path = parse->query_path;
	}
	if (path == NULL) {
		path = parse->default_path;
	}
	if (path == NULL) {
		return refuse(parse, EVERR_QUERY_SYNTAX,
			      ERROR_EVT_INVALID_QUERY,
			      "no path says which channel");
	}
	parse->level = LEVEL_SELECTOR;
	buf_reset(&parse->text);
	return find_path(parse, path, &parse->path);
}

static everr_t on_start(void *private_data, const char *name,
			const struct event_xml_attribute *attributes,
			size_t num_attributes)
{
	struct query_parse *parse = private_data;

	if (parse->level == LEVEL_TOP) {
		if (strcmp(name, "QueryList") != 0) {
			return refuse_syntax(parse, "QueryList is expected");
		}
		parse->level = LEVEL_LIST;
		return EVERR_OK;
	}
	if (++parse->num_elements > EVENT_QUERY_ELEMENTS_MAX) {
		return refuse_complex(parse, "too many elements");
	}
	if (parse->level == LEVEL_LIST && strcmp(name, "Query") == 0) {
		return start_query(parse, attributes, num_attributes);
	}
	if (parse->level == LEVEL_QUERY && strcmp(name, "Select") == 0) {
		parse->suppress = false;
		return start_selector(parse, attributes, num_attributes);
	}
	if (parse->level == LEVEL_QUERY && strcmp(name, "Suppress") == 0) {
		parse->suppress = true;
		return start_selector(parse, attributes, num_attributes);
	}
	/* A misspelt Suppress that nobody heeds would deliver the wrong
	   events. */
	return refuse_syntax(parse, "an element that is not known here");
}

static everr_t on_end(void *private_data, const char *name)
{
	struct query_parse *parse = private_data;

	parse->level--;
	if (parse->level == LEVEL_QUERY) {
		return add_filter(parse, (const char *)parse->text.data,
				  parse->text.len);
	}
	if (parse->level == LEVEL_LIST && parse->subquery->num_selects == 0 &&
	    parse->subquery->num_refused == 0) {
		return refuse_syntax(parse, "a Query without Select");
	}
	if (parse->level == LEVEL_TOP && parse->query->num_subqueries == 0) {
		return refuse_syntax(parse, "a QueryList without Query");
	}
	return EVERR_OK;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	struct query_parse *parse = private_data;

	if (parse->level == LEVEL_SELECTOR) {
		buf_put(&parse->text, text, len);
		return buf_error(&parse->text);
	}
	event_xml_trim(&text, &len);
	if (len > 0) {
		return refuse_syntax(parse, "text outside of Select");
	}
	return EVERR_OK;
}

/* What a refusal does not know: what libxml2 says, and where. */
static everr_t place_error(struct query_parse *parse, everr_t err,
			   const struct event_xml_position *position)
{
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (parse->error.error == 0) {
		if (err == EVERR_LIMIT) {
			err = refuse_complex(parse,
					     "too many comparisons or names");
		} else {
			err = refuse_syntax(parse, position->message);
		}
	}
	if (position->line > 0) {
		parse->error.sub_error = position->line;
		parse->error.sub_param = position->column;
	}
	return err;
}

static everr_t parse_structured(struct query_parse *parse, const char *text,
				size_t len)
{
	static const struct event_xml_handler handler = {on_start, on_end,
							 on_text};
	struct event_xml_position position = {};
	everr_t err;

	parse->query->structured = true;
	buf_init(&parse->text, parse->query, EVENT_QUERY_LENGTH_MAX);
	err = event_xml_parse(text, len, &handler, parse, &position);
	buf_free(&parse->text);
	if (err != EVERR_OK) {
		return place_error(parse, err, &position);
	}
	return EVERR_OK;
}

static everr_t parse_plain(struct query_parse *parse, const char *text,
			   size_t len)
{
	everr_t err;

	if (parse->default_path == NULL) {
		return refuse(parse, EVERR_INVALID, ERROR_EVT_INVALID_QUERY,
			      "no path says which channel");
	}
	err = find_path(parse, parse->default_path, &parse->path);
	if (err != EVERR_OK) {
		return err;
	}
	err = add_subquery(parse, EVENT_QUERY_NO_ID);
	if (err != EVERR_OK) {
		return err;
	}
	err = add_filter(parse, text, len);
	if (err != EVERR_OK && err != EVERR_NOMEM) {
		/* A filter is one line to us, however it is written. */
		parse->error.sub_error = 1;
		parse->error.sub_param = parse->filter_offset + 1;
	}
	return err;
}

static everr_t parse_any(struct query_parse *parse, const char *text,
			 size_t len)
{
	if (len > EVENT_QUERY_LENGTH_MAX) {
		return refuse_complex(parse, "too long");
	}
	parse->query->paths = talloc_zero_array(parse->query, const char *,
						EVENT_QUERY_PATHS_MAX);
	parse->query->path_errors =
		talloc_zero_array(parse->query, everr_t, EVENT_QUERY_PATHS_MAX);
	if (parse->query->paths == NULL || parse->query->path_errors == NULL) {
		return EVERR_NOMEM;
	}
	if (len >= 3 && memcmp(text, BOM, 3) == 0) {
		text += 3;
		len -= 3;
	}
	event_xml_trim(&text, &len);
	if (len > 0 && text[0] == '<') {
		return parse_structured(parse, text, len);
	}
	return parse_plain(parse, text, len);
}

/* A query may live long, and has one path as a rule. */
static void shrink_paths(struct event_query *query)
{
	const char **paths = NULL;
	everr_t *errors = NULL;

	paths = talloc_realloc(query, query->paths, const char *,
			       query->num_paths);
	errors = talloc_realloc(query, query->path_errors, everr_t,
				query->num_paths);
	query->paths = paths != NULL ? paths : query->paths;
	query->path_errors = errors != NULL ? errors : query->path_errors;
}

everr_t event_query_parse(TALLOC_CTX *mem_ctx, const char *path,
			  const char *text, size_t len, bool tolerate,
			  struct event_query **ret_query,
			  struct event_query_error *ret_error)
{
	struct query_parse parse = {.tolerate = tolerate};
	everr_t err;

	if (path != NULL && path[0] != '\0') {
		parse.default_path = path;
	}
	parse.query = talloc_zero(mem_ctx, struct event_query);
	if (parse.query == NULL) {
		return EVERR_NOMEM;
	}
	err = parse_any(&parse, text, len);
	if (err != EVERR_OK) {
		TALLOC_FREE(parse.query);
		*ret_error = parse.error;
		return err;
	}
	shrink_paths(parse.query);
	*ret_query = parse.query;
	return EVERR_OK;
}

static bool any_matches(const struct event_selector *selectors, size_t num,
			uint32_t path, const struct event_view *view)
{
	size_t i;

	for (i = 0; i < num && *view->work < EVENT_FILTER_WORK_MAX; i++) {
		if (selectors[i].path != path) {
			continue;
		}
		if (event_filter_match(selectors[i].filter, view)) {
			return true;
		}
		*view->work += SELECTOR_WORK;
	}
	return false;
}

/* Note the id of a subquery; false: it was noted before. */
static bool note_id(uint8_t *noted, const struct event_subquery *sub)
{
	uint8_t *byte = &noted[sub->first_same / 8];
	uint8_t bit = (uint8_t)(1U << sub->first_same % 8);
	bool is_new = (*byte & bit) == 0;

	*byte |= bit;
	return is_new;
}

bool event_query_match(const struct event_query *query, uint32_t path,
		       const struct event_view *view, uint32_t *ids,
		       size_t *ret_num_ids)
{
	uint8_t noted[EVENT_QUERY_ELEMENTS_MAX / 8];
	struct event_view shared = *view;
	bool matches = false;
	size_t num_ids = 0;
	uint32_t work = 0;
	size_t i;

	shared.work = &work;
	memset(noted, 0, (query->num_subqueries + 7) / 8);
	for (i = 0; i < query->num_subqueries; i++) {
		const struct event_subquery *sub = &query->subqueries[i];

		if (!any_matches(sub->selects, sub->num_selects, path,
				 &shared) ||
		    any_matches(sub->suppresses, sub->num_suppresses, path,
				&shared)) {
			continue;
		}
		matches = true;
		if (query->structured && note_id(noted, sub)) {
			ids[num_ids++] = sub->id;
		}
	}
	/* What a Suppress did not get to say is not known. */
	if (work >= EVENT_FILTER_WORK_MAX) {
		matches = false;
		num_ids = 0;
	}
	*ret_num_ids = num_ids;
	return matches;
}

void event_query_time_range(const struct event_query *query, uint32_t path,
			    uint64_t now, uint64_t *ret_min, uint64_t *ret_max)
{
	uint64_t min = UINT64_MAX;
	uint64_t max = 0;
	size_t i, j;

	for (i = 0; i < query->num_subqueries; i++) {
		const struct event_subquery *sub = &query->subqueries[i];

		for (j = 0; j < sub->num_selects; j++) {
			uint64_t first, last;

			if (sub->selects[j].path != path) {
				continue;
			}
			event_filter_time_range(sub->selects[j].filter, now,
						&first, &last);
			min = first < min ? first : min;
			max = last > max ? last : max;
		}
	}
	*ret_min = min;
	*ret_max = max;
}
