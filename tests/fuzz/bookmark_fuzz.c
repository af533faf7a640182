/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a bookmark list.  What is accepted is written, and what is
 * written is read as the same list.
 */

#include "event/bookmark.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_same(const struct event_bookmark_list *a,
		       const struct event_bookmark_list *b)
{
	size_t i;

	must(a->num_bookmarks == b->num_bookmarks);
	must(a->backward == b->backward);
	for (i = 0; i < a->num_bookmarks; i++) {
		must(strcmp(a->bookmarks[i].channel, b->bookmarks[i].channel) ==
		     0);
		must(a->bookmarks[i].record_id == b->bookmarks[i].record_id);
		must(a->bookmarks[i].is_current == b->bookmarks[i].is_current);
	}
}

/* An empty list is what blank text means; it is not written as such. */
static void check(TALLOC_CTX *mem_ctx, const struct event_bookmark_list *list)
{
	struct event_bookmark_list *again = NULL;
	const struct event_bookmark *current = event_bookmark_current(list);
	struct buf text;

	must(list->num_bookmarks <= EVENT_BOOKMARK_MAX);
	must((current == NULL) == (list->num_bookmarks == 0));
	if (current == NULL) {
		return;
	}
	must(event_bookmark_find(list, current->channel) != NULL);
	buf_init(&text, mem_ctx, EVENT_BOOKMARK_LENGTH_MAX * 8UL);
	event_bookmark_write(&text, list);
	must(buf_error(&text) == EVERR_OK);
	if (text.len > EVENT_BOOKMARK_LENGTH_MAX) {
		return;
	}
	must(event_bookmark_parse(mem_ctx, (const char *)text.data, text.len,
				  &again) == EVERR_OK);
	check_same(list, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_bookmark_list *list = NULL;
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	everr_t err =
		event_bookmark_parse(mem_ctx, (const char *)data, size, &list);

	if (err == EVERR_OK) {
		check(mem_ctx, list);
	} else {
		must(list == NULL);
	}
	talloc_free(mem_ctx);
	return 0;
}
