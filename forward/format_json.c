/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

/* The largest integer that every JSON parser has exactly. */
#define INTEGER_MAX (1ULL << 53)

static void put_control(struct buf *out, uint32_t c)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t text[6] = {'\\',
				 'u',
				 '0',
				 '0',
				 (uint8_t)digits[c >> 4 & 15],
				 (uint8_t)digits[c & 15]};

	buf_put(out, text, sizeof(text));
}

/* Whether one of eight bytes is DEL or begins something that is looked at:
   C2 (a C1 control perhaps) or EF (U+FFFD perhaps). */
static bool is_dull(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101ULL;
	const uint64_t tops = 0x8080808080808080ULL;
	uint64_t del = eight ^ (0x7F * ones);

	/* No byte is beyond ASCII, and none is zero here. */
	return ((eight | (del - ones)) & tops) == 0;
}

/* The inside of a JSON string; text is valid UTF-8. */
static void put_string(struct buf *out, const char *text, size_t len)
{
	size_t start = 0;
	size_t i;

	for (i = 0; i < len && out->err == EVERR_OK; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c >= 0x20 && c != '"' && c != '\\') {
			continue;
		}
		buf_put(out, text + start, i - start);
		start = i + 1;
		if (c == '\n') {
			FORMAT_PUT(out, "\\n");
		} else if (c == '\r') {
			FORMAT_PUT(out, "\\r");
		} else if (c == '\t') {
			FORMAT_PUT(out, "\\t");
		} else if (c < 0x20) {
			put_control(out, c);
		} else {
			buf_put_u8(out, '\\');
			buf_put_u8(out, c);
		}
	}
	buf_put(out, text + start, len - start);
}

/* ------------------------------------------------------------ cleaning */

/*
 * DEL and C1 controls are allowed in JSON and are no text.  Returns where the
 * first one is, from start on, or len; *marks learns of U+FFFD before it.
 */
static size_t find_control(const uint8_t *p, size_t start, size_t len,
			   uint32_t *marks)
{
	size_t i = start;

	while (i < len) {
		if (len - i >= 8 && is_dull(le64_get(p + i))) {
			i += 8;
			continue;
		}
		if (p[i] == 0x7F) {
			return i;
		}
		if (p[i] == 0xC2 && len - i > 1 && p[i + 1] < 0xA0) {
			return i;
		}
		if (p[i] == 0xEF && len - i > 2 && p[i + 1] == 0xBF &&
		    p[i + 2] == 0xBD) {
			*marks |= FORWARD_REPLACED;
		}
		i++;
	}
	return len;
}

/* Escape what must not be there raw in what begins at start. */
void format_clean_json(struct format_run *run, size_t start)
{
	struct buf *out = run->out;
	struct buf *scratch = &run->format->scratch;
	size_t first, at;

	if (buf_error(out) != EVERR_OK) {
		return;
	}
	first = find_control(out->data, start, out->len, &run->marks);
	buf_reset(scratch);
	at = first;
	while (at < out->len && buf_error(scratch) == EVERR_OK) {
		bool del = out->data[at] == 0x7F;
		size_t from = at + (del ? 1 : 2);

		put_control(scratch, del ? 0x7F : out->data[at + 1]);
		at = find_control(out->data, from, out->len, &run->marks);
		buf_put(scratch, out->data + from, at - from);
	}
	buf_truncate(out, first);
	buf_put(out, scratch->data, scratch->len);
	if (out->err == EVERR_OK) {
		out->err = scratch->err;
	}
}

/* -------------------------------------------------------------- objects */

void format_put_json_text(struct buf *out, const char *name, const char *text)
{
	buf_puts(out, name);
	buf_put_u8(out, '"');
	put_string(out, text, strlen(text));
	buf_put_u8(out, '"');
}

void format_put_json_number(struct buf *out, const char *name, uint64_t v)
{
	const char *quote = v > INTEGER_MAX ? "\"" : "";

	buf_puts(out, name);
	buf_puts(out, quote);
	format_put_number(out, v);
	buf_puts(out, quote);
}

static void put_place(struct format_run *run)
{
	const struct forward_event *event = run->event;
	struct buf *out = run->out;

	buf_put_u8(out, '{');
	run->marks_at = out->len;
	format_put_json_text(out, "\"channel\":", event->channel);
	format_put_json_number(out, ",\"recordId\":", event->record_id);
	FORMAT_PUT(out, ",\"received\":\"");
	format_put_time(out, &run->format->received, event->received);
	buf_put_u8(out, '"');
	if (event->origin != NULL) {
		format_put_json_text(out, ",\"origin\":", event->origin);
	}
	if (event->origin_mark != NULL) {
		format_put_json_text(out,
				     ",\"originMark\":", event->origin_mark);
	}
}

static void put_name(struct buf *out, const char *name)
{
	if (out->data != NULL && out->data[out->len - 1] != '{') {
		buf_put_u8(out, ',');
	}
	buf_puts(out, name);
}

static void put_member(struct buf *out, const char *name, uint64_t v)
{
	put_name(out, name);
	format_put_number(out, v);
}

/* In the form of event_render_json(), what is known of a damaged event. */
static void put_header_object(struct format_run *run)
{
	const struct event_header *header = run->event->header;
	struct buf *out = run->out;

	FORMAT_PUT(out, "{\"System\":{");
	if ((header->has & EVENT_HAS_EVENT_ID) != 0) {
		put_member(out, "\"EventID\":", header->event_id);
	}
	if ((header->has & EVENT_HAS_VERSION) != 0) {
		put_member(out, "\"Version\":", header->version);
	}
	if ((header->has & EVENT_HAS_LEVEL) != 0) {
		put_member(out, "\"Level\":", header->level);
	}
	if ((header->has & EVENT_HAS_TASK) != 0) {
		put_member(out, "\"Task\":", header->task);
	}
	if ((header->has & EVENT_HAS_OPCODE) != 0) {
		put_member(out, "\"Opcode\":", header->opcode);
	}
	if ((header->has & EVENT_HAS_KEYWORDS) != 0) {
		put_name(out, "\"Keywords\":\"");
		format_put_hex(out, header->keywords);
		buf_put_u8(out, '"');
	}
	if ((header->has & EVENT_HAS_TIME) != 0) {
		put_name(out, "\"TimeCreated\":{\"SystemTime\":\"");
		format_put_time(out, &run->format->created,
				header->time_created);
		FORMAT_PUT(out, "\"}");
	}
	FORMAT_PUT(out, "}}");
}

static everr_t put_event(struct format_run *run)
{
	FORMAT_PUT(run->out, ",\"event\":");
	if (run->scope == NULL) {
		put_header_object(run);
		return EVERR_OK;
	}
	return event_render_json_open(run->scope);
}

everr_t format_put_json(struct format_run *run)
{
	const struct buf *scratch = &run->format->scratch;
	size_t start = run->out->len;
	bool found = false;
	everr_t err;

	run->text_at = start;
	put_place(run);
	err = put_event(run);
	if (err == EVERR_OK) {
		err = format_read_message(run, &found);
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (found) {
		FORMAT_PUT(run->out, ",\"message\":\"");
		put_string(run->out, (const char *)scratch->data, scratch->len);
		buf_put_u8(run->out, '"');
	}
	buf_put_u8(run->out, '}');
	format_clean_json(run, start);
	return EVERR_OK;
}
