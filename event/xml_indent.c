/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/xml_indent.h"

#include "event/event.h"

#include <string.h>

struct indenter {
	struct buf *out;
	unsigned int depth;
	bool after_tag; /* nothing but tags since the last line */
	bool after_end; /* the last tag ended an element */
	size_t start;	/* of the output */
};

static void new_line(struct indenter *in)
{
	unsigned int i;

	if (in->out->len == in->start) {
		return;
	}
	buf_put_u8(in->out, '\n');
	for (i = 0; i < in->depth; i++) {
		buf_put(in->out, "  ", 2);
	}
}

/* The length of the markup at xml: a tag, or all of a CDATA section or PI. */
static size_t markup_len(const char *xml, size_t len, bool *ret_is_tag)
{
	const char *end = NULL;
	char quote = '\0';
	size_t i;

	*ret_is_tag = false;
	if (len >= 2 && xml[1] == '!') {
		end = memmem(xml, len, "]]>", 3);
		return end != NULL ? (size_t)(end - xml) + 3 : len;
	}
	if (len >= 2 && xml[1] == '?') {
		end = memmem(xml, len, "?>", 2);
		return end != NULL ? (size_t)(end - xml) + 2 : len;
	}

	*ret_is_tag = true;
	for (i = 0; i < len; i++) {
		if (quote != '\0') {
			quote = xml[i] == quote ? '\0' : quote;
		} else if (xml[i] == '\'') {
			quote = xml[i];
		} else if (xml[i] == '>') {
			return i + 1;
		}
	}
	return len;
}

static void put_tag(struct indenter *in, const char *tag, size_t len)
{
	bool end = len >= 2 && tag[1] == '/';
	bool empty = len >= 2 && tag[len - 2] == '/';

	if (end) {
		in->depth -= in->depth > 0;
		if (in->after_end) {
			new_line(in);
		}
	} else if (in->after_tag) {
		new_line(in);
	}
	buf_put(in->out, tag, len);
	if (!end && !empty) {
		in->depth++;
	}
	in->after_tag = true;
	in->after_end = end || empty;
}

void event_xml_indent(struct buf *out, const char *xml, size_t len)
{
	struct indenter in = {.out = out, .after_tag = true, .start = out->len};

	while (len > 0) {
		bool is_tag = false;
		const char *next = NULL;
		size_t n;

		if (xml[0] == '<') {
			n = markup_len(xml, len, &is_tag);
		} else {
			next = memchr(xml, '<', len);
			n = next != NULL ? (size_t)(next - xml) : len;
		}
		if (is_tag) {
			put_tag(&in, xml, n);
		} else {
			buf_put(out, xml, n);
			in.after_tag = false;
			in.after_end = false;
		}
		xml += n;
		len -= n;
	}
}
