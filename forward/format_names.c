/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

#include "base/text.h"
#include "base/wintime.h"
#include "event/value.h"

/* ---------------------------------------------------------------- forms */

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/*
 * RFC 5424 6: PRINTUSASCII.  RFC 3164 4.1.2 has a host's name: a receiver
 * takes one with any other character for the TAG.
 */
static bool is_header_char(char c, enum format_header form)
{
	if (form == FORMAT_BSD_HOSTNAME) {
		return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
	}
	return c > 0x20 && c < 0x7F;
}

/* Everything else is '_', once a character. */
static char *header_form(TALLOC_CTX *mem_ctx, const struct format_known *known,
			 enum format_header form)
{
	size_t max = form == FORMAT_APP_NAME ? FORMAT_APP_NAME_MAX
					     : FORMAT_HOSTNAME_MAX;
	char *header = talloc_array(mem_ctx, char, max + 1);
	size_t len = 0;
	size_t i;

	if (header == NULL) {
		return NULL;
	}
	for (i = 0; i < known->text_len && len < max; i++) {
		char c = known->text[i];

		if ((c & 0xC0) != 0x80) {
			header[len++] = is_header_char(c, form) ? c : '_';
		}
	}
	if (len == 0) {
		header[len++] = '-';
	}
	header[len] = '\0';
	return header;
}

/* RFC 3164 4.1.3: alphanumeric characters; what is none is left out. */
static char *tag_form(TALLOC_CTX *mem_ctx, const struct format_known *known)
{
	char *tag = talloc_array(mem_ctx, char, FORMAT_TAG_MAX + 1);
	size_t len = 0;
	size_t i;

	if (tag == NULL) {
		return NULL;
	}
	for (i = 0; i < known->text_len && len < FORMAT_TAG_MAX; i++) {
		if (is_alphanumeric(known->text[i])) {
			tag[len++] = known->text[i];
		}
	}
	if (len == 0) {
		memcpy(tag, "event", 5);
		len = 5;
	}
	tag[len] = '\0';
	return tag;
}

static everr_t quoted_form(struct format_known *known)
{
	struct buf quoted;

	buf_init(&quoted, known, 4 * FORMAT_WORK_KEEP);
	format_put_utf8(&quoted, known->text, known->text_len, FORMAT_QUOTED,
			&known->marks);
	known->quoted = quoted.len > 0 ? (const char *)quoted.data : "";
	known->quoted_len = quoted.len;
	return buf_error(&quoted);
}

static everr_t add_forms(struct format_known *known, enum format_header form)
{
	known->header = header_form(known, known, form);
	known->tag = tag_form(known, known);
	if (known->header == NULL || known->tag == NULL) {
		return EVERR_NOMEM;
	}
	known->header_len = strlen(known->header);
	known->tag_len = strlen(known->tag);
	known->header_differs =
		known->header_len != known->text_len ||
		memcmp(known->header, known->text, known->text_len) != 0;
	return quoted_form(known);
}

everr_t format_known_new(TALLOC_CTX *mem_ctx, const char *text,
			 enum format_header form,
			 struct format_known **ret_known)
{
	struct format_known *known = talloc_zero(mem_ctx, struct format_known);
	everr_t err;

	if (known == NULL) {
		return EVERR_NOMEM;
	}
	known->text = talloc_strdup(known, text);
	if (known->text == NULL) {
		talloc_free(known);
		return EVERR_NOMEM;
	}
	known->text_len = strlen(text);
	err = add_forms(known, form);
	if (err != EVERR_OK) {
		talloc_free(known);
		return err;
	}
	*ret_known = known;
	return EVERR_OK;
}

enum format_header format_hostname(const struct forward_format *format)
{
	return format->kind == FORWARD_RFC3164 ? FORMAT_BSD_HOSTNAME
					       : FORMAT_HOSTNAME;
}

/* --------------------------------------------------------------- memory */

/* One place for all that are too long to be names. */
static size_t key_slot(const uint8_t *key, size_t len)
{
	uint64_t hash = len;
	size_t i = 0;

	if (len > FORMAT_KNOWN_BYTES_MAX) {
		return FORMAT_KNOWN_SLOTS;
	}
	for (; len - i >= 8; i += 8) {
		hash = (hash ^ le64_get(key + i)) * 0x9E3779B97F4A7C15ULL;
		hash ^= hash >> 29;
	}
	for (; i < len; i++) {
		hash = (hash ^ key[i]) * 0x100000001B3ULL;
	}
	return (size_t)(hash >> 32) % FORMAT_KNOWN_SLOTS;
}

/* The text of a key, which ends at a NUL as strings do. */
static everr_t set_text(struct format_known *known)
{
	struct buf text;

	buf_init(&text, known, 4 * FORMAT_WORK_KEEP);
	if (known->key_utf16) {
		text_utf16_to_utf8(
			&text, known->key,
			text_utf16_nlen(known->key, known->key_len / 2));
	} else {
		buf_put(&text, known->key, known->key_len);
	}
	buf_put_u8(&text, 0);
	known->text = (const char *)text.data;
	if (buf_error(&text) != EVERR_OK) {
		return buf_error(&text);
	}
	known->text_len = strlen(known->text);
	return EVERR_OK;
}

static everr_t known_create(TALLOC_CTX *mem_ctx, const uint8_t *key,
			    size_t key_len, bool key_utf16,
			    enum format_header form,
			    struct format_known **ret_known)
{
	struct format_known *known = talloc_zero(mem_ctx, struct format_known);
	everr_t err = EVERR_NOMEM;

	if (known == NULL) {
		return EVERR_NOMEM;
	}
	known->key = talloc_memdup(known, key, key_len);
	known->key_len = key_len;
	known->key_utf16 = key_utf16;
	if (known->key != NULL) {
		err = set_text(known);
	}
	if (err == EVERR_OK) {
		err = add_forms(known, form);
	}
	if (err != EVERR_OK) {
		talloc_free(known);
		return err;
	}
	*ret_known = known;
	return EVERR_OK;
}

/* What was made of these bytes before; a collision forgets the older. */
static everr_t remember(struct forward_format *format,
			struct format_known **slots, const uint8_t *key,
			size_t key_len, bool key_utf16, enum format_header form,
			struct format_known **ret_known)
{
	struct format_known **slot = &slots[key_slot(key, key_len)];
	struct format_known *known = *slot;
	everr_t err;

	if (known != NULL && known->key_len == key_len &&
	    known->key_utf16 == key_utf16 &&
	    memcmp(known->key, key, key_len) == 0) {
		*ret_known = known;
		return EVERR_OK;
	}
	err = known_create(format, key, key_len, key_utf16, form, &known);
	if (err != EVERR_OK) {
		return err;
	}
	talloc_free(*slot);
	*slot = known;
	*ret_known = known;
	return EVERR_OK;
}

/* --------------------------------------------------------------- fields */

const struct event_value *format_field(const struct format_run *run,
				       enum format_field field,
				       uint32_t *ret_first)
{
	uint32_t first = run->program->fields[field];
	const struct event_plan_part *part = NULL;

	*ret_first = first;
	if (first == EVENT_PLAN_NONE) {
		return NULL;
	}
	part = &run->scope->plan->parts[first];
	if (part->kind != EVENT_PLAN_PART_VALUE ||
	    part->next != EVENT_PLAN_NONE) {
		return NULL;
	}
	return event_scope_value(run->scope, part->id);
}

/* NULL for one that is missing or empty. */
static everr_t find_name(struct format_run *run, enum format_field field,
			 struct format_known **slots, enum format_header form,
			 struct format_known **ret_known)
{
	struct buf *scratch = &run->format->scratch;
	const struct event_value *value = NULL;
	uint32_t first = EVENT_PLAN_NONE;
	everr_t err;

	*ret_known = NULL;
	value = format_field(run, field, &first);
	if (value != NULL && value->type == EVENT_TYPE_STRING) {
		if (event_value_is_empty(value)) {
			return EVERR_OK;
		}
		return remember(run->format, slots, value->data,
				value->len & ~(size_t)1, true, form, ret_known);
	}
	if (first == EVENT_PLAN_NONE) {
		return EVERR_OK;
	}
	err = format_read_parts(run, run->scope, first);
	if (err != EVERR_OK || scratch->len == 0) {
		return err;
	}
	return remember(run->format, slots, scratch->data, scratch->len, false,
			form, ret_known);
}

static everr_t find_names(struct format_run *run)
{
	struct forward_format *format = run->format;
	struct format_known *provider = NULL;
	struct format_known *computer = NULL;
	everr_t err;

	err = find_name(run, FORMAT_PROVIDER, format->providers,
			FORMAT_APP_NAME, &provider);
	if (err != EVERR_OK) {
		return err;
	}
	err = find_name(run, FORMAT_COMPUTER, format->computers,
			format_hostname(format), &computer);
	if (err != EVERR_OK) {
		return err;
	}
	run->provider = provider;
	run->computer = computer;
	return EVERR_OK;
}

/* ----------------------------------------------------------------- runs */

/* The template of the event; 0: it is of none. */
static uint32_t template_no(const struct forward_event *event)
{
	return event->len >= 8 && event->data[0] == 1
		       ? le32_get(event->data + 4)
		       : 0;
}

/* An instance in a document is the only one there, and holds the event. */
static const struct event_instance *only_instance(
	const struct event_scope *scope)
{
	const struct event_plan *plan = scope->plan;
	const struct event_plan_part *part = NULL;

	if (plan->elements->num_children > 0 ||
	    plan->elements->first_part == EVENT_PLAN_NONE) {
		return NULL;
	}
	part = &plan->parts[plan->elements->first_part];
	return part->kind == EVENT_PLAN_PART_INSTANCE
		       ? &plan->instances[part->index]
		       : NULL;
}

static everr_t open_scopes(struct format_run *run)
{
	const struct event_instance *instance = NULL;
	everr_t err;

	err = event_scope_open(&run->outer, &run->render, run->event->data,
			       run->event->len);
	if (err != EVERR_OK) {
		return err;
	}
	run->outer_open = true;
	run->scope = &run->outer;
	instance = only_instance(&run->outer);
	if (instance == NULL) {
		return EVERR_OK;
	}
	err = event_scope_open_instance(&run->inner, &run->outer, instance);
	if (err == EVERR_OK) {
		run->inner_open = true;
		run->scope = &run->inner;
	}
	return err;
}

static everr_t find_program(struct format_run *run)
{
	struct forward_format *format = run->format;
	uint32_t no = template_no(run->event);
	everr_t err;

	if (no != 0) {
		return format_program_get(format, run->scope->plan, no,
					  FORMAT_IN_NOTHING, &run->program);
	}
	err = format_program_compile(format, run->scope->plan,
				     FORMAT_IN_NOTHING, NULL,
				     &run->own_program);
	run->program = run->own_program;
	return err;
}

everr_t format_run_open(struct format_run *run)
{
	everr_t err;

	format_programs_trim(&run->format->programs);
	err = open_scopes(run);
	if (err == EVERR_OK) {
		err = find_program(run);
	}
	if (err == EVERR_OK) {
		err = find_names(run);
	}
	if (err != EVERR_OK) {
		format_run_close(run);
	}
	return err;
}

void format_run_close(struct format_run *run)
{
	if (run->inner_open) {
		event_scope_close(&run->inner);
	}
	if (run->outer_open) {
		event_scope_close(&run->outer);
	}
	run->inner_open = run->outer_open = false;
	TALLOC_FREE(run->own_program);
	run->scope = NULL;
	run->program = NULL;
}

/* ---------------------------------------------------------------- times */

const struct format_second *format_second(struct format_second *cache,
					  uint64_t filetime)
{
	uint64_t second = filetime / WINTIME_SECOND;
	char text[WINTIME_TEXT_MAX];

	if (!cache->valid || cache->second != second) {
		size_t len = wintime_format(second * WINTIME_SECOND, text);

		cache->valid = true;
		cache->second = second;
		cache->in_range = len == strlen("0000-00-00T00:00:00.0000000Z");
		memcpy(cache->text, text, sizeof(cache->text) - 1);
	}
	return cache;
}

void format_put_time(struct buf *out, struct format_second *cache,
		     uint64_t filetime)
{
	const struct format_second *second = format_second(cache, filetime);
	uint32_t fraction = (uint32_t)(filetime % WINTIME_SECOND);
	char text[WINTIME_TEXT_MAX];
	size_t i;

	if (!second->in_range) {
		buf_put(out, text, wintime_format(filetime, text));
		return;
	}
	memcpy(text, second->text, 19);
	text[19] = '.';
	for (i = 26; i > 19; i--) {
		text[i] = (char)('0' + fraction % 10);
		fraction /= 10;
	}
	text[27] = 'Z';
	buf_put(out, text, 28);
}
