/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/event/make.h"

#include "event/query.h"

#include <string.h>

#define ERROR_EVT_INVALID_QUERY 0x3A99
#define ERROR_EVT_FILTER_TOO_COMPLEX 0x3AB2
#define NO_POSITION 0xFFFFFFFFU

static struct event_query *parse(TALLOC_CTX *mem_ctx, const char *path,
				 const char *text)
{
	struct event_query_error error = {};
	struct event_query *query = NULL;
	everr_t err = event_query_parse(mem_ctx, path, text, strlen(text),
					false, &query, &error);

	if (err != EVERR_OK) {
		fail_msg("%s (%s): %s", everr_name(err), error.message, text);
	}
	return query;
}

static struct event_query_error refused(TALLOC_CTX *mem_ctx, const char *path,
					const char *text, everr_t want)
{
	struct event_query_error error = {};
	struct event_query *query = NULL;
	everr_t err = event_query_parse(mem_ctx, path, text, strlen(text),
					false, &query, &error);

	if (err != want) {
		fail_msg("%s (%s): %s", everr_name(err), error.message, text);
	}
	assert_null(query);
	assert_int_not_equal(error.error, 0);
	assert_int_not_equal(strlen(error.message), 0);
	return error;
}

/* The ids that select an event at paths[path], as text; NULL: no match. */
static const char *match(TALLOC_CTX *mem_ctx, const struct event_query *query,
			 uint32_t path)
{
	uint32_t *ids = talloc_array(mem_ctx, uint32_t, query->num_subqueries);
	const struct event_header header = {};
	const struct event_view view = {.header = &header};
	char *text = talloc_strdup(mem_ctx, "");
	size_t num_ids = 42;
	size_t i;

	if (!event_query_match(query, path, &view, ids, &num_ids)) {
		assert_int_equal(num_ids, 0);
		return NULL;
	}
	for (i = 0; i < num_ids; i++) {
		text = talloc_asprintf_append(text, "%s%x", i > 0 ? " " : "",
					      ids[i]);
	}
	return text;
}

/* [MS-EVEN6] 4.6, as a client sends it. */
static void test_the_query_of_the_specification(void **state)
{
	struct event_query *query =
		parse(*state, NULL,
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<QueryList>\n"
		      "<Query Id=\"1\" Path=\"Application\">\n"
		      "<Select Path=\"Application\">*</Select>\n"
		      "</Query>\n"
		      "<Query Id=\"2\" Path=\"Microsoft-Windows-Backup/"
		      "Operational\">\n"
		      "<Select Path=\"Microsoft-Windows-Backup/Operational\">*"
		      "</Select>\n"
		      "</Query>\n"
		      "</QueryList>\n");

	assert_true(query->structured);
	assert_int_equal(query->num_paths, 2);
	assert_string_equal(query->paths[0], "Application");
	assert_string_equal(query->paths[1],
			    "Microsoft-Windows-Backup/Operational");
	assert_int_equal(query->num_subqueries, 2);
	assert_int_equal(query->subqueries[0].id, 1);
	assert_int_equal(query->subqueries[1].id, 2);
	assert_string_equal(match(*state, query, 0), "1");
	assert_string_equal(match(*state, query, 1), "2");
	assert_null(match(*state, query, 2));
}

static void test_a_plain_filter_on_one_channel_has_no_ids(void **state)
{
	static const char *const filters[] = {
		"*", "", "Event", " \r\n*\t", "\xEF\xBB\xBF*", "  Event "};
	size_t i;

	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct event_query *query =
			parse(*state, "Security", filters[i]);

		assert_false(query->structured);
		assert_int_equal(query->num_paths, 1);
		assert_string_equal(query->paths[0], "Security");
		assert_int_equal(query->num_subqueries, 1);
		assert_int_equal(query->subqueries[0].id, EVENT_QUERY_NO_ID);
		assert_string_equal(match(*state, query, 0), "");
	}
}

static void test_a_channel_is_needed_somewhere(void **state)
{
	refused(*state, NULL, "*", EVERR_INVALID);
	refused(*state, "", "*", EVERR_INVALID);
	refused(*state, NULL,
		"<QueryList><Query><Select>*</Select></Query></QueryList>",
		EVERR_QUERY_SYNTAX);
}

/* Own Path, else the Query's, else the call's; the same without case. */
static void test_the_nearest_path_counts(void **state)
{
	struct event_query *query =
		parse(*state, "Call",
		      "<QueryList>"
		      "<Query Id='0'><Select>*</Select></Query>"
		      "<Query Id='1' Path=' Query '><Select>*</Select>"
		      "<Select Path='Own'>*</Select>"
		      "<Select Path='QUERY'>*</Select></Query>"
		      "<Query Id='2' Path=''><Select Path=''>*</Select>"
		      "<Select Path='oWN'>*</Select></Query>"
		      "</QueryList>");

	assert_int_equal(query->num_paths, 3);
	assert_string_equal(query->paths[0], "Call");
	assert_string_equal(query->paths[1], "Query");
	assert_string_equal(query->paths[2], "Own");
	assert_int_equal(query->subqueries[1].num_selects, 3);
	assert_string_equal(match(*state, query, 0), "0 2");
	assert_string_equal(match(*state, query, 1), "1");
	assert_string_equal(match(*state, query, 2), "1 2");
}

static void test_a_path_of_the_query_that_nobody_uses_is_none(void **state)
{
	struct event_query *query =
		parse(*state, NULL,
		      "<QueryList><Query Path='A'><Select Path='B'>*</Select>"
		      "</Query></QueryList>");

	assert_int_equal(query->num_paths, 1);
	assert_string_equal(query->paths[0], "B");
}

static void test_file_paths_are_kept_as_written(void **state)
{
	struct event_query *query = parse(
		*state, NULL,
		"<QueryList><Query><Select Path='file://c:\\dir\\a.evtx'>*"
		"</Select></Query></QueryList>");

	assert_string_equal(query->paths[0], "file://c:\\dir\\a.evtx");
}

/* Suppress takes events from its own Query, on its own path only. */
static void test_suppress_removes_from_its_query_and_path(void **state)
{
	struct event_query *query =
		parse(*state, NULL,
		      "<QueryList>"
		      "<Query Id='1' Path='A'><Select>*</Select>"
		      "<Suppress>*</Suppress>"
		      "<Select Path='B'>*</Select></Query>"
		      "<Query Id='2' Path='C'><Select Path='A'>*</Select>"
		      "<Suppress Path='B'>*</Suppress></Query>"
		      "</QueryList>");

	assert_string_equal(query->paths[0], "A");
	assert_string_equal(query->paths[1], "B");
	assert_int_equal(query->num_paths, 2);
	assert_string_equal(match(*state, query, 0), "2");
	assert_string_equal(match(*state, query, 1), "1");

	query = parse(*state, "A",
		      "<QueryList><Query><Select>*</Select><Suppress>*"
		      "</Suppress></Query></QueryList>");
	assert_null(match(*state, query, 0));
}

/* [MS-EVEN6] 2.2.17: 0xFFFFFFFF without Id; the same Id is listed once. */
static void test_ids_are_distinct_and_may_be_missing(void **state)
{
	struct event_query *query =
		parse(*state, "A",
		      "<QueryList><Query><Select>*</Select></Query>"
		      "<Query><Select>*</Select></Query>"
		      "<Query Id=' 4294967295 '><Select>*</Select></Query>"
		      "<Query Id='7'><Select>*</Select></Query>"
		      "<Query Id='007'><Select>*</Select></Query>"
		      "</QueryList>");

	assert_string_equal(match(*state, query, 0), "ffffffff 7");
}

static void test_namespace_comments_entities_and_blanks(void **state)
{
	struct event_query *query = parse(
		*state, NULL,
		"\xEF\xBB\xBF <q:QueryList xmlns:q='http://schemas.microsoft."
		"com/win/2004/08/events/eventquery'><!-- all -->\r\n"
		"<q:Query Target='Host' Path='A&amp;&#x42;'>\r\n"
		"<q:Select>\r\n   <![CDATA[*]]>  <!-- of it -->\r\n"
		"</q:Select></q:Query></q:QueryList>  \r\n");

	assert_string_equal(query->paths[0], "A&B");
}

static void test_malformed_lists_say_where(void **state)
{
	struct event_query_error error;

	error = refused(*state, NULL,
			"<QueryList>\n<Query Path='A'>\n<Select>*</Selekt>\n"
			"</Query></QueryList>",
			EVERR_QUERY_SYNTAX);
	assert_int_equal(error.error, ERROR_EVT_INVALID_QUERY);
	assert_int_equal(error.sub_error, 3);
	assert_in_range(error.sub_param, 10, 19);

	error = refused(*state, NULL,
			"<QueryList>\n\n  <Query Path='A'>\n"
			"<Supress>*</Supress></Query></QueryList>",
			EVERR_QUERY_SYNTAX);
	assert_int_equal(error.sub_error, 4);

	error = refused(*state, "A", "*[System", EVERR_QUERY_SYNTAX);
	assert_int_equal(error.sub_error, 1);
	assert_int_equal(error.sub_param, 9);
}

static void test_what_is_no_query_list_is_a_syntax_error(void **state)
{
	static const char *const cases[] = {
		"<",
		"<QueryList/>",
		"<QueryList><Query Path='A'/></QueryList>",
		"<QueryList><Query Path='A'><Suppress>*</Suppress></Query>"
		"</QueryList>",
		"<Query Path='A'><Select>*</Select></Query>",
		"<QueryList><Select Path='A'>*</Select></QueryList>",
		"<QueryList><Query Path='A'><Query Path='A'><Select>*"
		"</Select></Query></Query></QueryList>",
		"<QueryList><Query Path='A'><Select><b>*</b></Select></Query>"
		"</QueryList>",
		"<QueryList>text<Query Path='A'><Select>*</Select></Query>"
		"</QueryList>",
		"<QueryList><Query Path='A' Id='x'><Select>*</Select></Query>"
		"</QueryList>",
		"<QueryList><Query Path='A' Id=''><Select>*</Select></Query>"
		"</QueryList>",
		"<QueryList><Query Path='A' Id='-1'><Select>*</Select></Query>"
		"</QueryList>",
		"<QueryList><Query Path='A' Id='4294967296'><Select>*</Select>"
		"</Query></QueryList>",
		"<QueryList><Query Path='A'><Select>*[</Select></Query>"
		"</QueryList>",
		"<QueryList><Query Path='A'><Select>&all;</Select></Query>"
		"</QueryList>",
		"<!DOCTYPE QueryList [<!ENTITY all '*'>]><QueryList><Query "
		"Path='A'><Select>&all;</Select></Query></QueryList>",
		"<QueryList><Query Path='A'><Select>*</Select></Query>"
		"</QueryList><QueryList/>",
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_query_error error =
			refused(*state, "B", cases[i], EVERR_QUERY_SYNTAX);

		assert_in_range(error.error, 0x3A99, 0x3AB2);
	}
}

static void test_what_is_no_filter_is_a_syntax_error(void **state)
{
	static const char *const cases[] = {
		"System", "/Event",	    "//Event", "*]",	   "*[System)",
		"*['x]",  "Events[System]", "**",      "Event'x'", "1=1",
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refused(*state, "A", cases[i], EVERR_QUERY_SYNTAX);
	}
}

static void test_filters_are_compiled_wherever_they_stand(void **state)
{
	static const char *const cases[] = {
		"*[System[(Level=1 or Level=2) and TimeCreated[timediff("
		"@SystemTime) <= 3600000]]]",
		"Event/System/EventID=4624",
		"Event[EventData[Data[@Name='a]b']]]",
		"* [System]",
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_non_null(parse(*state, "A", cases[i]));
	}
	parse(*state, NULL,
	      "<QueryList><Query Path='A'><Select>*[System[EventID &lt;= 9]]"
	      "</Select><Suppress>\n  *[System[Level=4]]\n</Suppress></Query>"
	      "</QueryList>");
}

static void test_terms_of_all_filters_are_limited(void **state)
{
	char *filter = talloc_strdup(*state, "*[a");
	char *text = talloc_strdup(*state, "<QueryList><Query Path='A'>");
	size_t n = 2;

	while (n < EVENT_FILTER_TERMS_MAX) {
		filter = talloc_strdup_append_buffer(filter, " or a");
		n++;
	}
	/* A term of one step each. */
	for (n = 0; n < EVENT_QUERY_TERMS_MAX;
	     n += 2 * EVENT_FILTER_TERMS_MAX) {
		text = talloc_asprintf_append_buffer(
			text, "<Select>%s]</Select>", filter);
	}
	parse(*state, NULL,
	      talloc_asprintf(*state, "%s</Query></QueryList>", text));
	refused(*state, NULL,
		talloc_asprintf(*state,
				"%s<Suppress>*[a]</Suppress></Query>"
				"</QueryList>",
				text),
		EVERR_QUERY_COMPLEX);
}

/* They are read before they are refused, again and again. */
static void test_tolerated_filters_count_as_well(void **state)
{
	char *steps = talloc_strdup(*state, "a");
	char *text = talloc_strdup(*state, "<QueryList><Query Path='A'>");
	struct event_query_error error = {};
	struct event_query *query = NULL;
	int i;

	for (i = 0; i < EVENT_FILTER_STEPS_MAX; i++) {
		steps = talloc_strdup_append_buffer(steps, "/a");
	}
	for (i = 0; i < 5; i++) {
		text = talloc_asprintf_append_buffer(
			text, "<Select>*[%s]</Select>", steps);
	}
	text = talloc_strdup_append_buffer(text, "</Query></QueryList>");
	assert_int_equal(event_query_parse(*state, NULL, text, strlen(text),
					   true, &query, &error),
			 EVERR_QUERY_COMPLEX);
	assert_null(query);
}

/* <Event>, 4096 times <Data>x</Data> */
static const uint8_t *wide_event(TALLOC_CTX *mem_ctx, struct event_dict *dict,
				 size_t *ret_len)
{
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;
	struct maker m;
	struct buf doc;
	int i;

	make_start(&m, mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < EVENT_VALUES_MAX; i++) {
		make_leaf(&m, "Data", (uint16_t)i);
		make_string(&m, "x");
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_document(&m, &doc);
	assert_int_equal(event_pack(packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	*ret_len = packed.len;
	return talloc_memdup(mem_ctx, packed.data, packed.len);
}

/* n Selects that look at every element in vain, and one that does not. */
static struct event_query *selects(TALLOC_CTX *mem_ctx, int n)
{
	char *text = talloc_strdup(mem_ctx, "<QueryList><Query Path='A'>");

	while (n-- > 0) {
		text = talloc_strdup_append_buffer(
			text, "<Select>*[Data='y']</Select>");
	}
	text = talloc_strdup_append_buffer(
		text, "<Select>*[Data='x']</Select></Query></QueryList>");
	return parse(mem_ctx, NULL, text);
}

static void test_the_filters_of_a_query_share_their_work(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	const struct event_header header = {};
	struct event_view view = {.header = &header, .dict = dict};
	struct event_query *query = selects(*state, 20);
	uint32_t id = 0;
	size_t num_ids = 0;

	view.data = wide_event(*state, dict, &view.len);
	assert_true(event_query_match(query, 0, &view, &id, &num_ids));
	assert_int_equal(num_ids, 1);
	/* 800,000 elements to look at. */
	query = selects(*state, 200);
	assert_false(event_query_match(query, 0, &view, &id, &num_ids));
	assert_int_equal(num_ids, 0);
}

/* What a Suppress has no time to say may not be delivered. */
static void test_an_unfinished_suppress_suppresses(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	const struct event_header header = {};
	struct event_view view = {.header = &header, .dict = dict};
	char *text = talloc_strdup(
		*state, "<QueryList><Query Path='A'><Select>*</Select>"
			"<Suppress>*[");
	struct event_query *query = NULL;
	uint32_t id = 0;
	size_t num_ids = 1;
	int i;

	view.data = wide_event(*state, dict, &view.len);
	for (i = 0; i < 1000; i++) {
		text = talloc_strdup_append_buffer(text, "Data='y' or ");
	}
	text = talloc_strdup_append_buffer(
		text, "Data='x']</Suppress></Query></QueryList>");
	query = parse(*state, NULL, text);
	assert_false(event_query_match(query, 0, &view, &id, &num_ids));
	assert_int_equal(num_ids, 0);
}

/* libxml2 looks for each prefix among all namespaces that are open. */
static void test_the_number_of_namespaces_is_limited(void **state)
{
	char *text = talloc_strdup(*state, "<QueryList ");
	int i;

	for (i = 0; i < 100; i++) {
		text = talloc_asprintf_append(text, "xmlns:n%d='u' ", i);
	}
	text = talloc_strdup_append(text, "><Query><Select>*</Select></Query>"
					  "</QueryList>");
	refused(*state, "A", text, EVERR_QUERY_COMPLEX);
}

/* A list of n queries on m channels. */
static char *list(TALLOC_CTX *mem_ctx, int n, int m)
{
	char *text = talloc_strdup(mem_ctx, "<QueryList>");
	int i;

	for (i = 0; i < n; i++) {
		text = talloc_asprintf_append_buffer(
			text,
			"<Query Id='%d'><Select Path='c%d'>*</Select></Query>",
			i, i % m);
	}
	return talloc_strdup_append_buffer(text, "</QueryList>");
}

/* Every id once, in order, however often queries share it. */
static void test_the_most_ids_there_can_be(void **state)
{
	char *text = talloc_strdup(*state, "<QueryList>");
	const struct event_header header = {};
	const struct event_view view = {.header = &header};
	struct event_query *query = NULL;
	uint32_t *ids = NULL;
	size_t num_ids = 0;
	size_t i;

	for (i = 0; i < 2048; i++) {
		text = talloc_asprintf_append_buffer(
			text, "<Query Id='%zu'><Select>*</Select></Query>",
			i < 1500 ? 9000 - i : 9000 - (i - 1500));
	}
	text = talloc_strdup_append_buffer(text, "</QueryList>");
	query = parse(*state, "A", text);
	ids = talloc_array(*state, uint32_t, query->num_subqueries);
	assert_true(event_query_match(query, 0, &view, ids, &num_ids));
	assert_int_equal(num_ids, 1500);
	for (i = 0; i < num_ids; i++) {
		assert_int_equal(ids[i], 9000 - i);
	}
}

static struct event_query *tolerated(TALLOC_CTX *mem_ctx, const char *path,
				     const char *text)
{
	struct event_query_error error = {};
	struct event_query *query = NULL;

	assert_int_equal(event_query_parse(mem_ctx, path, text, strlen(text),
					   true, &query, &error),
			 EVERR_OK);
	return query;
}

/* Facts 7.3: the channel is named with its status, nothing of it comes. */
static void test_a_tolerated_filter_is_an_error_of_its_path(void **state)
{
	struct event_query *query = tolerated(
		*state, NULL,
		"<QueryList><Query Id='1' Path='A'><Select>*[</Select>"
		"<Select Path='B'>*</Select>"
		"<Suppress Path='C'>*]</Suppress></Query>"
		"<Query Id='2' Path='A'><Select>*</Select></Query>"
		"</QueryList>");

	assert_int_equal(query->num_paths, 3);
	assert_int_equal(query->path_errors[0], EVERR_QUERY_SYNTAX);
	assert_int_equal(query->path_errors[1], EVERR_OK);
	assert_int_equal(query->path_errors[2], EVERR_QUERY_SYNTAX);
	assert_string_equal(match(*state, query, 1), "1");

	query = tolerated(*state, "A", "*[");
	assert_int_equal(query->num_paths, 1);
	assert_string_equal(query->paths[0], "A");
	assert_int_equal(query->path_errors[0], EVERR_QUERY_SYNTAX);
	assert_null(match(*state, query, 0));
}

static void test_a_malformed_list_is_not_tolerated(void **state)
{
	static const char *const lists[] = {
		"<QueryList", "<QueryList/>",
		"<QueryList><Query Path='A'/></QueryList>",
		"<QueryList><Query Path='A'><Suppress>*[</Suppress></Query>"
		"</QueryList>"};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct event_query_error error = {};
		struct event_query *query = NULL;

		assert_int_equal(event_query_parse(*state, "A", lists[i],
						   strlen(lists[i]), true,
						   &query, &error),
				 EVERR_QUERY_SYNTAX);
		assert_null(query);
	}
}

static void test_paths_elements_and_length_are_limited(void **state)
{
	size_t len = EVENT_QUERY_LENGTH_MAX + 1;
	struct event_query_error error;
	struct event_query *query = NULL;
	char *text = NULL;

	query = parse(*state, NULL, list(*state, 512, 512));
	assert_int_equal(query->num_paths, EVENT_QUERY_PATHS_MAX);
	error = refused(*state, NULL, list(*state, 513, 513),
			EVERR_QUERY_COMPLEX);
	assert_int_equal(error.error, ERROR_EVT_FILTER_TOO_COMPLEX);

	/* Query and Select count both. */
	query = parse(*state, NULL, list(*state, 2048, 2));
	assert_int_equal(query->num_subqueries, 2048);
	refused(*state, NULL, list(*state, 2049, 2), EVERR_QUERY_COMPLEX);

	/* A path, then more comparisons than libxml2 is given at a time. */
	text = talloc_array(*state, char, EVENT_QUERY_PATH_LENGTH_MAX + 2);
	memset(text, 'p', EVENT_QUERY_PATH_LENGTH_MAX + 1);
	text[EVENT_QUERY_PATH_LENGTH_MAX + 1] = '\0';
	refused(*state, NULL,
		talloc_asprintf(*state,
				"<QueryList><Query Path='%s'><Select>*"
				"</Select></Query></QueryList>",
				text),
		EVERR_QUERY_COMPLEX);
	memset(text, '=', EVENT_QUERY_PATH_LENGTH_MAX + 1);
	refused(*state, "A",
		talloc_asprintf(*state,
				"<QueryList><Query><Select>%s</Select></Query>"
				"</QueryList>",
				text),
		EVERR_QUERY_COMPLEX);

	text = talloc_array(*state, char, len + 1);
	memset(text, ' ', len);
	text[len] = '\0';
	refused(*state, "A", text, EVERR_QUERY_COMPLEX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_query_of_the_specification),
		leak_test(test_a_plain_filter_on_one_channel_has_no_ids),
		leak_test(test_a_channel_is_needed_somewhere),
		leak_test(test_the_nearest_path_counts),
		leak_test(test_a_path_of_the_query_that_nobody_uses_is_none),
		leak_test(test_file_paths_are_kept_as_written),
		leak_test(test_suppress_removes_from_its_query_and_path),
		leak_test(test_ids_are_distinct_and_may_be_missing),
		leak_test(test_namespace_comments_entities_and_blanks),
		leak_test(test_malformed_lists_say_where),
		leak_test(test_what_is_no_query_list_is_a_syntax_error),
		leak_test(test_what_is_no_filter_is_a_syntax_error),
		leak_test(test_filters_are_compiled_wherever_they_stand),
		leak_test(test_terms_of_all_filters_are_limited),
		leak_test(test_tolerated_filters_count_as_well),
		leak_test(test_the_filters_of_a_query_share_their_work),
		leak_test(test_an_unfinished_suppress_suppresses),
		leak_test(test_the_number_of_namespaces_is_limited),
		leak_test(test_the_most_ids_there_can_be),
		leak_test(test_a_tolerated_filter_is_an_error_of_its_path),
		leak_test(test_a_malformed_list_is_not_tolerated),
		leak_test(test_paths_elements_and_length_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
