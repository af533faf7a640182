/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_EVENT_WIRE_H
#define EVENLOG_TESTS_EVENT_WIRE_H

/*
 * RPC-form BinXML made by hand, token by token, for tests: nothing here comes
 * from the code that is tested, and nothing is checked, so that it makes
 * malformed documents as easily.
 */

#include "base/buf.h"
#include "event/event.h"

#include <string.h>

#define WIRE_NONE 0xFFFF /* no dependency */
#define WIRE_PLAIN (-1)	 /* a document: no dependency id at all */

struct wire {
	struct buf b;
	size_t open[300]; /* offsets of the open elements' lengths */
	size_t depth;
	size_t list;   /* of the attribute list's length */
	size_t def;    /* of the definition's first byte */
	size_t specs;  /* of the instance's */
	uint32_t next; /* value */
};

static inline void wire_init(struct wire *w, TALLOC_CTX *mem_ctx)
{
	*w = (struct wire){0};
	buf_init(&w->b, mem_ctx, 16 * 1024 * 1024);
}

static inline void wire_u8(struct wire *w, uint8_t v)
{
	buf_put_u8(&w->b, v);
}

static inline void wire_units(struct wire *w, const char *ascii)
{
	for (; *ascii != '\0'; ascii++) {
		buf_put_u16(&w->b, (uint8_t)*ascii);
	}
}

/* Facts 9.3: h = h * 65599 + ch, low 16 bits. */
static inline uint16_t wire_hash(const char *name)
{
	uint32_t h = 0;

	for (; *name != '\0'; name++) {
		h = h * 65599 + (uint8_t)*name;
	}
	return (uint16_t)(h & 0xFFFF);
}

static inline void wire_name(struct wire *w, const char *name)
{
	buf_put_u16(&w->b, wire_hash(name));
	buf_put_u16(&w->b, (uint16_t)strlen(name));
	wire_units(w, name);
	buf_put_u16(&w->b, 0);
}

static inline void wire_header(struct wire *w)
{
	buf_put(&w->b, "\x0F\x01\x01\x00", 4);
}

static inline void wire_open(struct wire *w, const char *name, int dependency,
			     bool attributes)
{
	wire_u8(w, attributes ? 0x41 : 0x01);
	if (dependency != WIRE_PLAIN) {
		buf_put_u16(&w->b, (uint16_t)dependency);
	}
	w->open[w->depth++] = w->b.len;
	buf_put_u32(&w->b, 0);
	wire_name(w, name);
	w->list = 0;
	if (attributes) {
		w->list = w->b.len;
		buf_put_u32(&w->b, 0);
	}
}

static inline void wire_attribute(struct wire *w, const char *name, bool more)
{
	wire_u8(w, more ? 0x46 : 0x06);
	wire_name(w, name);
}

static inline void wire_text(struct wire *w, const char *ascii)
{
	wire_u8(w, 0x05);
	wire_u8(w, 0x01);
	buf_put_u16(&w->b, (uint16_t)strlen(ascii));
	wire_units(w, ascii);
}

static inline void wire_subst(struct wire *w, bool optional, uint16_t id,
			      uint8_t type)
{
	wire_u8(w, optional ? 0x0E : 0x0D);
	buf_put_u16(&w->b, id);
	wire_u8(w, type);
}

static inline void wire_end_list(struct wire *w)
{
	if (w->list != 0) {
		buf_set_u32(&w->b, w->list, (uint32_t)(w->b.len - w->list - 4));
	}
	w->list = 0;
}

static inline void wire_close_start(struct wire *w)
{
	wire_end_list(w);
	wire_u8(w, 0x02);
}

static inline void wire_leave(struct wire *w, uint8_t token)
{
	size_t start = w->open[--w->depth];

	wire_u8(w, token);
	buf_set_u32(&w->b, start, (uint32_t)(w->b.len - start - 4));
}

static inline void wire_close_empty(struct wire *w)
{
	wire_end_list(w);
	wire_leave(w, 0x03);
}

static inline void wire_end(struct wire *w)
{
	wire_leave(w, 0x04);
}

/* <name>text</name> */
static inline void wire_leaf(struct wire *w, const char *name, int dependency,
			     const char *text)
{
	wire_open(w, name, dependency, false);
	wire_close_start(w);
	wire_text(w, text);
	wire_end(w);
}

/* A template instance, up to and without its definition's first byte. */
static inline void wire_template(struct wire *w, uint8_t guid)
{
	wire_u8(w, 0x0C);
	wire_u8(w, 0x00);
	wire_u8(w, guid);
	buf_put_zero(&w->b, 15 + 4);
	w->def = w->b.len;
}

/* The definition is over; specs of num_values values, Null for now. */
static inline void wire_values(struct wire *w, uint32_t num_values)
{
	buf_set_u32(&w->b, w->def - 4, (uint32_t)(w->b.len - w->def));
	buf_put_u32(&w->b, num_values);
	w->specs = w->b.len;
	w->next = 0;
	buf_put_zero(&w->b, 4 * (size_t)num_values);
}

static inline void wire_value(struct wire *w, uint8_t type, const void *data,
			      size_t len)
{
	buf_set_u16(&w->b, w->specs + 4 * (size_t)w->next, (uint16_t)len);
	w->b.data[w->specs + 4 * (size_t)w->next + 2] = type;
	w->next++;
	buf_put(&w->b, data, len);
}

/* <Event>%0</Event> as definition; values follow. */
static inline void wire_small_template(struct wire *w, uint8_t guid,
				       const char *root, uint32_t num_values)
{
	wire_template(w, guid);
	wire_header(w);
	wire_open(w, root, WIRE_NONE, false);
	wire_close_start(w);
	wire_subst(w, false, 0, 0x01);
	wire_end(w);
	wire_u8(w, 0x00);
	wire_values(w, num_values);
}

#endif
