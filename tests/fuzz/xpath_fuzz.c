/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a filter, up to a NUL, and behind it as an event.  What is
 * accepted is asked of that event and of one of our own: the answer is the
 * same each time and with the event's header or without, and an event outside
 * of the filter's bounds of time does not match.
 */

#include "event/build.h"
#include "event/event.h"
#include "event/filter.h"

#include <stdlib.h>
#include <string.h>

#define TIME 133134120000000000ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void ask(struct event_filter *filter, struct event_view *view)
{
	const struct event_header *header = view->header;
	const struct event_header no_header = {0};
	bool matches = event_filter_match(filter, view);
	uint64_t min, max;

	must(event_filter_match(filter, view) == matches);
	event_filter_time_range(filter, view->now, &min, &max);
	if ((header->has & EVENT_HAS_TIME) != 0 &&
	    (header->time_created < min || header->time_created > max)) {
		/* Of several TimeCreated, the header's counts. */
		must(!matches);
		return;
	}
	view->header = &no_header;
	must(event_filter_match(filter, view) == matches);
}

static void ask_document(struct event_filter *filter, struct event_dict *dict,
			 const uint8_t *doc, size_t len)
{
	struct event_packer *packer = event_packer_create(dict, dict);
	struct event_packed packed;
	struct event_view view = {.dict = dict, .now = TIME + 36000000000ULL};

	must(packer != NULL);
	if (event_pack(packer, doc, len, &packed) == EVERR_OK) {
		view.header = &packed.header;
		view.data = packed.data;
		view.len = packed.len;
		ask(filter, &view);
	}
	TALLOC_FREE(packer);
}

static void make_document(struct buf *out)
{
	static const uint8_t name[] = {'b', 0, 'o', 0, 'b', 0};
	static const uint8_t sid[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
	static const uint8_t three[] = {3, 0, 0, 0};
	static const struct event_data data[] = {
		{"User", EVENT_TYPE_STRING, name, sizeof(name)},
		{"Type", EVENT_TYPE_UINT32, three, sizeof(three)},
		{"Sid", EVENT_TYPE_SID, sid, sizeof(sid)},
		{NULL, EVENT_TYPE_NULL, NULL, 0},
	};
	const struct event_system system = {
		.provider = "P",
		.event_id = 4624,
		.level = 2,
		.keywords = 0x8020000000000000,
		.time_created = TIME,
		.channel = "C",
		.computer = "c",
		.user_sid = sid,
		.user_sid_len = sizeof(sid),
		.record_id = 1,
	};

	must(event_build(out, &system, data, 4) == EVERR_OK);
}

static void check(TALLOC_CTX *mem_ctx, struct event_filter *filter,
		  const uint8_t *doc, size_t len)
{
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct buf own;

	must(dict != NULL);
	buf_init(&own, mem_ctx, EVENT_WIRE_MAX);
	make_document(&own);
	ask_document(filter, dict, own.data, own.len);
	ask_document(filter, dict, doc, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t len = nul != NULL ? (size_t)(nul - data) : size;
	struct event_filter_error error = {0};
	struct event_filter *filter = NULL;
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	everr_t err;

	err = event_filter_compile(mem_ctx, (const char *)data, len, &filter,
				   &error);
	if (err == EVERR_OK) {
		must(event_filter_terms(filter) <=
		     EVENT_FILTER_TERMS_MAX + EVENT_FILTER_STEPS_MAX);
		check(mem_ctx, filter, nul != NULL ? nul + 1 : data,
		      nul != NULL ? size - len - 1 : 0);
	} else {
		must(filter == NULL);
		must(err == EVERR_QUERY_SYNTAX || err == EVERR_QUERY_COMPLEX);
		must(error.error >= 0x3AA6 && error.error <= 0x3AB2);
		must(error.offset <= len && error.message != NULL);
	}
	talloc_free(mem_ctx);
	return 0;
}
