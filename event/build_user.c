/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/build.h"

#include "base/text.h"
#include "event/binxml.h"
#include "event/xml.h"

#include <string.h>

/* A namespace's name, to tell an element's from its parent's. */
#define NAMESPACE_SIZE 256
/* Elements in UserData: it is inside an Event and of two levels itself. */
#define DEPTH_MAX (EVENT_DEPTH_MAX - 4)

struct user_build {
	struct event_writer writer;
	const struct event_data *data;
	size_t num_data;
	struct buf units; /* scratch */
	struct buf text;  /* which comes in pieces */
	unsigned int depth;
	/* What the elements that are open say of their namespace. */
	char namespaces[DEPTH_MAX + 1][NAMESPACE_SIZE];
};

static everr_t put_named(struct user_build *build, struct event_token token,
			 const char *name, size_t len)
{
	everr_t err;

	buf_reset(&build->units);
	err = text_utf8_to_utf16(&build->units, name, len);
	if (err != EVERR_OK) {
		return err;
	}
	token.units = build->units.data;
	token.num_units = build->units.len / 2;
	event_writer_put(&build->writer, &token);
	return EVERR_OK;
}

static void put_kind(struct user_build *build, enum event_token_kind kind)
{
	const struct event_token token = {.kind = (uint8_t)kind};

	event_writer_put(&build->writer, &token);
}

static everr_t put_literal(struct user_build *build, const char *text,
			   size_t len)
{
	const struct event_token token = {.kind = EVENT_TOKEN_TEXT};

	return len == 0 ? EVERR_OK : put_named(build, token, text, len);
}

/* "%n" at text; *ret_used is its length. */
static everr_t put_reference(struct user_build *build, const char *text,
			     size_t len, size_t *ret_used)
{
	struct event_token token = {.kind = EVENT_TOKEN_SUBST};
	size_t n = 0;
	size_t i;

	for (i = 1; i < len && text[i] >= '0' && text[i] <= '9' &&
		    n <= build->num_data;
	     i++) {
		n = 10 * n + (size_t)(text[i] - '0');
	}
	if (n == 0 || n > build->num_data) {
		return EVERR_TEXT;
	}
	token.subst_id = (uint16_t)(n - 1);
	token.subst_type = build->data[n - 1].type;
	event_writer_put(&build->writer, &token);
	*ret_used = i;
	return EVERR_OK;
}

/* Text in which references stand. */
static everr_t put_text(struct user_build *build, const char *text, size_t len)
{
	everr_t err = EVERR_OK;

	while (len > 0 && err == EVERR_OK) {
		const char *percent = memchr(text, '%', len);
		size_t used = percent != NULL ? (size_t)(percent - text) : len;

		err = put_literal(build, text, used);
		text += used;
		len -= used;
		if (err == EVERR_OK && percent != NULL) {
			err = put_reference(build, text, len, &used);
			text += used;
			len -= used;
		}
	}
	return err;
}

static everr_t flush_text(struct user_build *build)
{
	everr_t err;

	err = put_text(build, (const char *)build->text.data, build->text.len);
	buf_reset(&build->text);
	return err;
}

static everr_t put_attribute(struct user_build *build, const char *name,
			     const char *value, size_t len)
{
	const struct event_token token = {.kind = EVENT_TOKEN_ATTRIBUTE};
	everr_t err;

	err = put_named(build, token, name, strlen(name));
	if (err != EVERR_OK) {
		return err;
	}
	return put_text(build, value, len);
}

static everr_t on_element(void *private_data,
			  const struct event_xml_start *start)
{
	struct user_build *build = private_data;
	struct event_token token = {.kind = EVENT_TOKEN_OPEN,
				    .dependency = EVENT_NO_DEPENDENCY};
	const char *uri = start->uri != NULL ? start->uri : "";
	const char *outer = build->namespaces[build->depth];
	bool new_namespace = strcmp(uri, outer) != 0;
	everr_t err;
	size_t i;

	err = flush_text(build);
	if (err != EVERR_OK) {
		return err;
	}
	if (build->depth == DEPTH_MAX || strlen(uri) >= NAMESPACE_SIZE) {
		return EVERR_TEXT;
	}
	memcpy(build->namespaces[++build->depth], uri, strlen(uri) + 1);

	token.more = new_namespace || start->num_attributes > 0;
	err = put_named(build, token, start->name, strlen(start->name));
	if (err == EVERR_OK && new_namespace) {
		err = put_attribute(build, "xmlns", uri, strlen(uri));
	}
	for (i = 0; i < start->num_attributes && err == EVERR_OK; i++) {
		err = put_attribute(build, start->attributes[i].name,
				    start->attributes[i].value,
				    start->attributes[i].value_len);
	}
	put_kind(build, EVENT_TOKEN_CLOSE_START);
	return err;
}

static everr_t on_end(void *private_data, const char *name)
{
	struct user_build *build = private_data;
	everr_t err;

	err = flush_text(build);
	build->depth--;
	put_kind(build, EVENT_TOKEN_END);
	return err;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	struct user_build *build = private_data;

	buf_put(&build->text, text, len);
	return buf_error(&build->text);
}

/* <UserData>, the element, </UserData>. */
static everr_t put_definition(struct user_build *build, const char *user_data)
{
	static const struct event_xml_handler handler = {
		.element = on_element,
		.end = on_end,
		.text = on_text,
	};
	const struct event_token open = {.kind = EVENT_TOKEN_OPEN,
					 .dependency = EVENT_NO_DEPENDENCY};
	struct event_xml_position position;
	everr_t err;

	put_kind(build, EVENT_TOKEN_FRAGMENT);
	err = put_named(build, open, "UserData", strlen("UserData"));
	if (err != EVERR_OK) {
		return err;
	}
	put_kind(build, EVENT_TOKEN_CLOSE_START);
	err = event_xml_parse(user_data, strlen(user_data), &handler, build,
			      &position);
	put_kind(build, EVENT_TOKEN_END);
	put_kind(build, EVENT_TOKEN_EOF);
	return err;
}

everr_t event_build_user(struct buf *out, const struct event_system *system,
			 const char *user_data, const struct event_data *data,
			 size_t num_data)
{
	struct user_build *build = NULL;
	struct buf definition;
	everr_t err;

	build = talloc_zero(out->mem_ctx, struct user_build);
	if (build == NULL) {
		return EVERR_NOMEM;
	}
	build->data = data;
	build->num_data = num_data;
	buf_init(&definition, build, EVENT_VALUE_MAX);
	buf_init(&build->text, build, EVENT_VALUE_MAX);
	buf_init(&build->units, build, 2 * EVENT_VALUE_MAX);
	event_writer_init(&build->writer, EVENT_READ_DEFINITION, &definition);

	err = put_definition(build, user_data);
	if (err == EVERR_OK && buf_error(&definition) == EVERR_LIMIT) {
		err = EVERR_EVENT_DATA_SIZE;
	} else if (err == EVERR_OK) {
		err = buf_error(&definition);
	}
	if (err == EVERR_OK) {
		err = event_build_body(out, system, definition.data,
				       definition.len, data, num_data);
	}
	talloc_free(build);
	return err;
}
