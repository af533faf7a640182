/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Filters on events, for filter_oracle.py, which knows what is right.
 *
 * stdin:  now:u64, number of filters:u32, the filters, then documents up to
 *         the end, each of them with its length in front (u32)
 * stdout: for each filter its error:u32, 0 if it is one; for each document its
 *         XML with a length in front, and a byte for each filter: 1 if it
 *         matches, else 0; 2 if it does so only with the event's header, or
 *         only without; 3 if an event that matches lies outside of the
 *         filter's bounds of time
 */

#include "base/buf.h"
#include "event/event.h"
#include "event/filter.h"

#include <stdio.h>
#include <stdlib.h>

struct check {
	TALLOC_CTX *mem_ctx;
	struct event_dict *dict;
	struct event_packer *packer;
	uint64_t now;
	struct event_filter **filters; /* NULL: refused */
	uint32_t num_filters;
};

static void die(const char *what)
{
	fprintf(stderr, "filter_check: %s\n", what);
	exit(1);
}

static bool read_bytes(void *to, size_t len)
{
	return fread(to, 1, len, stdin) == len;
}

static bool read_u32(uint32_t *ret_v)
{
	uint8_t bytes[4];

	if (!read_bytes(bytes, sizeof(bytes))) {
		return false;
	}
	*ret_v = le32_get(bytes);
	return true;
}

static void write_u32(uint32_t v)
{
	uint8_t bytes[4];

	le32_set(bytes, v);
	fwrite(bytes, 1, sizeof(bytes), stdout);
}

/* What has a length in front; false at the end. */
static bool read_item(struct buf *item)
{
	uint32_t len;
	uint8_t *p = NULL;

	if (!read_u32(&len)) {
		return false;
	}
	buf_reset(item);
	p = buf_extend(item, len);
	if (p == NULL || !read_bytes(p, len)) {
		die("the input ends early");
	}
	return true;
}

static void read_filters(struct check *c)
{
	uint8_t now[8];
	struct buf text;
	uint32_t i;

	if (!read_bytes(now, sizeof(now)) || !read_u32(&c->num_filters)) {
		die("no filters");
	}
	c->now = le64_get(now);
	c->filters = talloc_zero_array(c->mem_ctx, struct event_filter *,
				       c->num_filters);
	buf_init(&text, c->mem_ctx, 1 << 20);
	for (i = 0; i < c->num_filters; i++) {
		struct event_filter_error error = {0};

		if (!read_item(&text)) {
			die("a filter is missing");
		}
		if (event_filter_compile(c->mem_ctx, (const char *)text.data,
					 text.len, &c->filters[i],
					 &error) != EVERR_OK) {
			fprintf(stderr, "%.*s: at %u: %s\n", (int)text.len,
				(const char *)text.data, error.offset,
				error.message);
		}
		write_u32(error.error);
	}
}

static bool in_bounds(const struct event_filter *filter,
		      const struct event_view *view)
{
	uint64_t min, max;

	if ((view->header->has & EVENT_HAS_TIME) == 0) {
		return true;
	}
	event_filter_time_range(filter, view->now, &min, &max);
	return view->header->time_created >= min &&
	       view->header->time_created <= max;
}

static uint8_t match(struct event_filter *filter, const struct event_view *view)
{
	const struct event_header no_header = {0};
	struct event_view slow = *view;
	bool matches;

	if (filter == NULL) {
		return 0;
	}
	matches = event_filter_match(filter, view);
	slow.header = &no_header;
	if (event_filter_match(filter, &slow) != matches) {
		return 2;
	}
	return matches && !in_bounds(filter, view) ? 3 : matches;
}

static void check(struct check *c, const struct buf *doc, struct buf *xml)
{
	struct event_packed packed;
	struct event_view view = {.dict = c->dict, .now = c->now};
	everr_t err;
	uint32_t i;

	err = event_pack(c->packer, doc->data, doc->len, &packed);
	if (err != EVERR_OK) {
		die(everr_text(err));
	}
	buf_reset(xml);
	err = event_render_xml(xml, c->dict, packed.data, packed.len, NULL);
	if (err != EVERR_OK) {
		die(everr_text(err));
	}
	write_u32((uint32_t)xml->len);
	fwrite(xml->data, 1, xml->len, stdout);
	view.header = &packed.header;
	view.data = packed.data;
	view.len = packed.len;
	for (i = 0; i < c->num_filters; i++) {
		putchar(match(c->filters[i], &view));
	}
}

int main(void)
{
	struct check c = {.mem_ctx = talloc_new(NULL)};
	struct buf doc, xml;

	c.dict = event_dict_create(c.mem_ctx, NULL);
	c.packer = event_packer_create(c.mem_ctx, c.dict);
	buf_init(&doc, c.mem_ctx, EVENT_WIRE_MAX);
	buf_init(&xml, c.mem_ctx, 16 * EVENT_WIRE_MAX);
	read_filters(&c);
	while (read_item(&doc)) {
		check(&c, &doc, &xml);
	}
	talloc_free(c.mem_ctx);
	return ferror(stdin) || fflush(stdout) != 0;
}
