/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as an event, in RPC form and as a packed node from a damaged disk,
 * in all formats and at two lengths: always a message, valid UTF-8 without
 * control characters, within its length, and by the grammar of its format.
 */

#include "base/text.h"
#include "event/event.h"
#include "forward/format.h"

#include <stdlib.h>
#include <string.h>

#define LONG_MAX_MESSAGE (4U * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_text(const uint8_t *p, size_t n)
{
	size_t i;

	must(text_utf8_valid((const char *)p, n));
	for (i = 0; i < n; i++) {
		must(p[i] >= 0x20 && p[i] != 0x7F);
		must(p[i] != 0xC2 || p[i + 1] >= 0xA0);
	}
}

static bool is_name(uint8_t c)
{
	return c > 0x20 && c < 0x7F && c != '=' && c != ']' && c != '"';
}

/* ' name="value"' from i on, RFC 5424 6.3.3; returns where it ends. */
static size_t check_param(const uint8_t *p, size_t n, size_t i)
{
	size_t start = ++i;

	while (i < n && is_name(p[i])) {
		i++;
	}
	must(i > start && i - start <= 32 + strlen("data."));
	must(n - i > 2 && p[i] == '=' && p[i + 1] == '"');
	for (i += 2; i < n && p[i] != '"'; i++) {
		must(p[i] != ']');
		if (p[i] == '\\') {
			i++;
			must(i < n && strchr("\"\\]", p[i]) != NULL);
		}
	}
	must(i < n);
	return i + 1;
}

/* From i on: [id name="value"][id ...]; returns where they end. */
static size_t check_elements(const uint8_t *p, size_t n, size_t i)
{
	unsigned int num = 0;

	for (; i < n && p[i] == '['; i++) {
		size_t start = ++i;

		num++;
		while (i < n && is_name(p[i])) {
			i++;
		}
		must(i > start && i - start <= 32);
		while (i < n && p[i] == ' ') {
			i = check_param(p, n, i);
		}
		must(i < n && p[i] == ']');
	}
	must(num == 1 || num == 2);
	return i;
}

/* Behind so many blanks. */
static size_t skip_fields(const uint8_t *p, size_t n, unsigned int fields)
{
	size_t i = 0;

	while (fields > 0 && i < n) {
		fields -= p[i] == ' ' ? 1 : 0;
		i++;
	}
	must(fields == 0);
	return i;
}

/* RFC 5424 6: returns where MSG is, or n. */
static size_t check_rfc5424(const uint8_t *p, size_t n)
{
	size_t i = check_elements(p, n, skip_fields(p, n, 6));

	must(i == n || p[i] == ' ');
	return i < n ? i + 1 : n;
}

/* After "PRI", "Mmm dd hh:mm:ss", HOSTNAME and TAG: parameters only. */
static void check_rfc3164(const uint8_t *p, size_t n)
{
	const uint8_t *tag_end = memmem(p, n, ": ", 2);
	size_t i;

	must(tag_end != NULL);
	i = (size_t)(tag_end - p) + 1;
	while (i < n) {
		must(p[i] == ' ');
		i = check_param(p, n, i);
	}
}

/* Braces outside of strings, which end. */
static void check_json(const uint8_t *p, size_t n)
{
	bool string = false;
	size_t depth = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (string && p[i] == '\\') {
			i++;
		} else if (p[i] == '"') {
			string = !string;
		} else if (!string) {
			depth += p[i] == '{' || p[i] == '[' ? 1 : 0;
			must(depth > 0);
			depth -= p[i] == '}' || p[i] == ']' ? 1 : 0;
		}
	}
	must(!string && depth == 0);
}

static void check_syntax(enum forward_format_kind kind, const uint8_t *p,
			 size_t n)
{
	size_t msg;

	switch (kind) {
	case FORWARD_RFC5424:
		check_rfc5424(p, n);
		break;
	case FORWARD_RFC5424_JSON:
		msg = check_rfc5424(p, n);
		check_json(p + msg, n - msg);
		break;
	case FORWARD_RFC3164:
		check_rfc3164(p, n);
		break;
	case FORWARD_JSON:
		check_json(p, n);
		break;
	}
}

static void check(TALLOC_CTX *mem_ctx, struct event_dict *dict,
		  const struct event_header *header, const uint8_t *data,
		  size_t size, enum forward_format_kind kind, uint64_t max)
{
	const struct forward_config config = {.format = kind,
					      .facility = 1,
					      .sd_id = "evenlog@32473",
					      .max_message = max};
	const struct forward_event event = {.channel = "Sample",
					    .record_id = 1,
					    .received = 133444736000000000,
					    .header = header,
					    .data = data,
					    .len = size};
	struct forward_format *format = NULL;
	uint32_t marks = 0;
	struct buf out;

	must(forward_format_create(mem_ctx, &config, "host", dict, NULL,
				   &format) == EVERR_OK);
	buf_init(&out, mem_ctx, max);
	must(forward_format_event(format, &out, &event, &marks) == EVERR_OK);
	must(out.len > 0 && out.len <= max);
	check_text(out.data, out.len);
	check_syntax(kind, out.data, out.len);
	buf_free(&out);
	talloc_free(format);
}

static void check_all(TALLOC_CTX *mem_ctx, struct event_dict *dict,
		      const struct event_header *header, const uint8_t *data,
		      size_t size)
{
	unsigned int kind;

	for (kind = FORWARD_RFC5424; kind <= FORWARD_JSON; kind++) {
		check(mem_ctx, dict, header, data, size, kind,
		      FORWARD_MESSAGE_MIN);
		check(mem_ctx, dict, header, data, size, kind,
		      LONG_MAX_MESSAGE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct event_header no_header;
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;

	if (event_pack(packer, data, size, &packed) == EVERR_OK) {
		check_all(mem_ctx, dict, &packed.header, packed.data,
			  packed.len);
	}
	check_all(mem_ctx, dict, &no_header, data, size);
	talloc_free(mem_ctx);
	return 0;
}
