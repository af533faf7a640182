/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/bookmark.h"
#include "event/build.h"
#include "event/event.h"
#include "event/query.h"
#include "tests/event/vectors.h"

/*
 * Memory that ends at every place in turn: talloc refuses beyond a limit that
 * grows from one try to the next.  Each try ends with NOMEM and without a
 * leak, until one succeeds; and that one is reached.
 */

/* Deprecated for programs; there is no other way to refuse from within. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define STEP 24
#define TRIES 20000

typedef everr_t (*attempt_fn)(TALLOC_CTX *mem_ctx, void *private_data);

static void with_ever_more_memory(TALLOC_CTX *mem_ctx, attempt_fn attempt,
				  void *private_data)
{
	everr_t err = EVERR_NOMEM;
	size_t i;

	for (i = 1; i < TRIES && err != EVERR_OK; i++) {
		TALLOC_CTX *limited = talloc_new(mem_ctx);

		talloc_set_memlimit(limited, i * STEP);
		err = attempt(limited, private_data);
		if (err != EVERR_OK) {
			assert_int_equal(err, EVERR_NOMEM);
		}
		talloc_free(limited);
	}
	assert_int_equal(err, EVERR_OK);
	assert_true(i > 2);
}

static everr_t parse_query(TALLOC_CTX *mem_ctx, void *private_data)
{
	static const char text[] =
		"<QueryList><Query Id='1' Path='A'><Select>*</Select>"
		"<Select Path='B'>*</Select><Select Path='C'>*</Select>"
		"<Suppress>*</Suppress></Query><Query><Select Path='D'>*"
		"</Select></Query></QueryList>";
	struct event_query_error error;
	struct event_query *query = NULL;

	return event_query_parse(mem_ctx, NULL, text, sizeof(text) - 1, false,
				 &query, &error);
}

static everr_t parse_bookmark(TALLOC_CTX *mem_ctx, void *private_data)
{
	static const char text[] =
		"<BookmarkList><Bookmark Channel='A' RecordId='1'/>"
		"<Bookmark Channel='B' RecordId='2'/>"
		"<Bookmark Channel='C' RecordId='3'/></BookmarkList>";
	struct event_bookmark_list *list = NULL;

	return event_bookmark_parse(mem_ctx, text, sizeof(text) - 1, &list);
}

static everr_t build_json(TALLOC_CTX *mem_ctx, void *private_data)
{
	static const char text[] =
		"{\"System\":{\"Security\":{\"UserID\":\"S-1-5-18\"}},"
		"\"EventData\":{\"a\":1,\"b\":\"c\",\"d\":1.5}}";
	static const struct event_system defaults = {
		.provider = "P", .channel = "C", .computer = "K"};
	char *message = NULL;
	struct buf out;

	buf_init(&out, mem_ctx, 1 << 20);
	return event_build_json(mem_ctx, &out, text, sizeof(text) - 1,
				&defaults, &message);
}

struct event {
	struct event_dict *dict;
	struct event_packed packed;
};

/* The plan belongs to the dictionary, which has the memory it wants. */
static everr_t render_xml(TALLOC_CTX *mem_ctx, void *private_data)
{
	const struct event_render_options indent = {.indent = true};
	const struct event *event = private_data;
	struct buf out;

	buf_init(&out, mem_ctx, 1 << 20);
	return event_render_xml(&out, event->dict, event->packed.data,
				event->packed.len, &indent);
}

static everr_t render_json(TALLOC_CTX *mem_ctx, void *private_data)
{
	const struct event *event = private_data;
	struct buf out;

	buf_init(&out, mem_ctx, 1 << 20);
	return event_render_json(&out, event->dict, event->packed.data,
				 event->packed.len);
}

/* Dictionary, packing, plans and text all in little memory. */
static everr_t everything(TALLOC_CTX *mem_ctx, void *private_data)
{
	const struct buf *doc = private_data;
	struct event_packer *packer = NULL;
	struct event event = {0};
	everr_t err;

	event.dict = event_dict_create(mem_ctx, NULL);
	if (event.dict == NULL) {
		return EVERR_NOMEM;
	}
	packer = event_packer_create(mem_ctx, event.dict);
	if (packer == NULL) {
		return EVERR_NOMEM;
	}
	err = event_pack(packer, doc->data, doc->len, &event.packed);
	if (err != EVERR_OK) {
		return err;
	}
	err = render_json(mem_ctx, &event);
	if (err != EVERR_OK) {
		return err;
	}
	return render_xml(mem_ctx, &event);
}

static void test_parsing_queries_and_bookmarks(void **state)
{
	with_ever_more_memory(*state, parse_query, NULL);
	with_ever_more_memory(*state, parse_bookmark, NULL);
}

static void test_building_from_json(void **state)
{
	with_ever_more_memory(*state, build_json, NULL);
}

static void test_rendering_documents_that_are_compiled_each_time(void **state)
{
	const struct event_dict_limits none = {0};
	struct event_packer *packer = NULL;
	struct event event = {0};
	struct buf doc;

	buf_init(&doc, *state, 1 << 20);
	vector_load(&doc, "windows-4634");
	event.dict = event_dict_create(*state, &none);
	packer = event_packer_create(*state, event.dict);
	assert_int_equal(event_pack(packer, doc.data, doc.len, &event.packed),
			 EVERR_OK);
	with_ever_more_memory(*state, render_xml, &event);
	with_ever_more_memory(*state, render_json, &event);
}

static void test_from_the_wire_to_text(void **state)
{
	struct buf doc;

	buf_init(&doc, *state, 1 << 20);
	vector_load(&doc, "spec-4.8");
	with_ever_more_memory(*state, everything, &doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_parsing_queries_and_bookmarks),
		leak_test(test_building_from_json),
		leak_test(test_rendering_documents_that_are_compiled_each_time),
		leak_test(test_from_the_wire_to_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
