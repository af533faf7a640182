/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_EVENT_MAKE_H
#define EVENLOG_TESTS_EVENT_MAKE_H

/*
 * Events for tests: a template written token by token, values beside it.
 * Names and texts are UTF-8.
 */

#include "tests/leak.h"

#include "base/text.h"
#include "event/binxml.h"
#include "event/event.h"

#include <string.h>

struct maker {
	TALLOC_CTX *mem_ctx;
	struct buf def;
	struct event_writer writer;
	struct buf specs;
	struct buf values;
	uint32_t num_values;
};

static inline void make_put(struct maker *m, struct event_token token)
{
	event_writer_put(&m->writer, &token);
	assert_int_equal(buf_error(&m->def), EVERR_OK);
}

static inline void make_named(struct maker *m, struct event_token token,
			      const char *name)
{
	struct buf units;

	buf_init(&units, m->mem_ctx, 1 << 20);
	assert_int_equal(text_utf8_to_utf16(&units, name, strlen(name)),
			 EVERR_OK);
	token.units = units.data;
	token.num_units = units.len / 2;
	make_put(m, token);
	buf_free(&units);
}

static inline void make_start(struct maker *m, TALLOC_CTX *mem_ctx,
			      enum event_reader_mode mode)
{
	*m = (struct maker){.mem_ctx = mem_ctx};
	buf_init(&m->def, mem_ctx, 1 << 24);
	buf_init(&m->specs, mem_ctx, 1 << 20);
	buf_init(&m->values, mem_ctx, 1 << 24);
	event_writer_init(&m->writer, mode, &m->def);
	make_put(m, (struct event_token){.kind = EVENT_TOKEN_FRAGMENT});
}

/* <name, whose attributes follow if any do. */
static inline void make_open(struct maker *m, const char *name,
			     uint16_t dependency, bool attributes)
{
	make_named(m,
		   (struct event_token){.kind = EVENT_TOKEN_OPEN,
					.more = attributes,
					.dependency = dependency},
		   name);
}

static inline void make_attribute(struct maker *m, const char *name)
{
	make_named(m, (struct event_token){.kind = EVENT_TOKEN_ATTRIBUTE},
		   name);
}

static inline void make_text(struct maker *m, const char *text)
{
	make_named(m, (struct event_token){.kind = EVENT_TOKEN_TEXT}, text);
}

static inline void make_kind(struct maker *m, enum event_token_kind kind)
{
	make_put(m, (struct event_token){.kind = (uint8_t)kind});
}

/* A substitution, optional as Windows' own. */
static inline void make_subst(struct maker *m, uint16_t id)
{
	make_put(m, (struct event_token){.kind = EVENT_TOKEN_OPTIONAL_SUBST,
					 .subst_id = id,
					 .subst_type = EVENT_TYPE_STRING});
}

/* <name>%id</name> */
static inline void make_leaf(struct maker *m, const char *name, uint16_t id)
{
	make_open(m, name, EVENT_NO_DEPENDENCY, false);
	make_kind(m, EVENT_TOKEN_CLOSE_START);
	make_subst(m, id);
	make_kind(m, EVENT_TOKEN_END);
}

static inline void make_value(struct maker *m, uint8_t type, const void *data,
			      size_t len)
{
	buf_put_u16(&m->specs, (uint16_t)len);
	buf_put_u8(&m->specs, type);
	buf_put_u8(&m->specs, 0);
	buf_put(&m->values, data, len);
	m->num_values++;
}

static inline void make_string(struct maker *m, const char *text)
{
	struct buf units;

	buf_init(&units, m->mem_ctx, 1 << 20);
	assert_int_equal(text_utf8_to_utf16(&units, text, strlen(text)),
			 EVERR_OK);
	make_value(m, EVENT_TYPE_STRING, units.data, units.len);
	buf_free(&units);
}

/* The document: the template with its values, or the tokens as they are. */
static inline void make_document(struct maker *m, struct buf *ret_doc)
{
	static const uint8_t head[] = {0x0F, 1, 1, 0, 0x0C, 0};
	struct ev_guid guid;

	make_kind(m, EVENT_TOKEN_EOF);
	buf_init(ret_doc, m->mem_ctx, 1 << 24);
	if (m->writer.mode == EVENT_READ_DOCUMENT) {
		buf_put(ret_doc, m->def.data, m->def.len);
		return;
	}
	ev_guid_from_bytes(m->def.data, m->def.len, &guid);
	buf_put(ret_doc, head, sizeof(head));
	buf_put(ret_doc, guid.b, sizeof(guid.b));
	buf_put_u32(ret_doc, (uint32_t)m->def.len);
	buf_put(ret_doc, m->def.data, m->def.len);
	buf_put_u32(ret_doc, m->num_values);
	buf_put(ret_doc, m->specs.data, m->specs.len);
	buf_put(ret_doc, m->values.data, m->values.len);
	buf_put_u8(ret_doc, EVENT_TOKEN_EOF);
	assert_int_equal(buf_error(ret_doc), EVERR_OK);
}

#endif
