/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a query, with and without a channel.  What is accepted stays
 * in its limits, its indexes are valid, and its ids are distinct.
 */

#include "event/query.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_selectors(const struct event_query *query,
			    const struct event_selector *selectors, size_t num)
{
	size_t i;

	for (i = 0; i < num; i++) {
		must(selectors[i].path < query->num_paths);
		must(selectors[i].filter != NULL);
	}
}

static void check_match(const struct event_query *query)
{
	const struct event_header header = {0};
	const struct event_view view = {.header = &header};
	uint32_t *ids = talloc_array(query, uint32_t, query->num_subqueries);
	size_t num_ids = 0;
	size_t i, j;
	bool matches;

	for (i = 0; i < query->num_paths; i++) {
		matches = event_query_match(query, (uint32_t)i, &view, ids,
					    &num_ids);
		must(num_ids <= query->num_subqueries);
		must(matches || num_ids == 0);
		for (j = 1; j < num_ids && j < 50; j++) {
			must(ids[j] != ids[j - 1]);
		}
	}
}

static void check(const struct event_query *query)
{
	size_t i;

	must(query->num_paths >= 1 &&
	     query->num_paths <= EVENT_QUERY_PATHS_MAX);
	must(query->num_subqueries >= 1);
	for (i = 0; i < query->num_paths; i++) {
		must(query->paths[i][0] != '\0');
	}
	for (i = 0; i < query->num_subqueries; i++) {
		const struct event_subquery *sub = &query->subqueries[i];

		must(sub->num_selects + sub->num_refused >= 1);
		check_selectors(query, sub->selects, sub->num_selects);
		check_selectors(query, sub->suppresses, sub->num_suppresses);
	}
	check_match(query);
}

static void parse(const char *path, const uint8_t *data, size_t size,
		  bool tolerate)
{
	struct event_query_error error = {0};
	struct event_query *query = NULL;
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	everr_t err = event_query_parse(mem_ctx, path, (const char *)data, size,
					tolerate, &query, &error);

	if (err == EVERR_OK) {
		check(query);
	} else {
		must(query == NULL);
		must(error.error >= 0x3A99 && error.error <= 0x3AB2);
		must(strlen(error.message) < sizeof(error.message));
	}
	talloc_free(mem_ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(NULL, data, size, false);
	parse("Application", data, size, false);
	parse("Application", data, size, true);
	return 0;
}
