/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/evtx_convert.h"

#include "base/guid.h"
#include "event/binxml.h"
#include "event/evtx.h"
#include "event/evtx_format.h"
#include "event/type.h"

#include <string.h>

/*
 * Definitions that were converted are kept until the chunk is done, so that a
 * record costs hardly more than copying it.  A chunk that has more of them
 * than any writer could leave there goes without.
 */
#define CACHE_ENTRIES 2048
#define CACHE_BYTES (4 * 1024 * 1024)

/* 0C 00, GUID and length in front of a definition. */
#define INSTANCE_HEAD 22

struct cached {
	uint32_t offset; /* of the definition in the chunk */
	uint32_t start;	 /* of its RPC form, with the head, in the cache */
	uint32_t len;
};

struct event_evtx_converter {
	const uint8_t *chunk;
	struct buf out;
	struct buf cache;
	struct cached entries[CACHE_ENTRIES];
	uint32_t num_entries;
	/* By offset in the chunk: index in entries + 1, or 0. */
	uint16_t slots[EVENT_EVTX_CHUNK_SIZE];
};

static everr_t put_document(struct event_evtx_converter *c, size_t pos,
			    size_t end, unsigned int depth);

struct event_evtx_converter *event_evtx_converter_create(TALLOC_CTX *mem_ctx)
{
	struct event_evtx_converter *c =
		talloc_zero(mem_ctx, struct event_evtx_converter);

	if (c != NULL) {
		buf_init(&c->out, c, EVENT_WIRE_MAX);
		buf_init(&c->cache, c, CACHE_BYTES);
	}
	return c;
}

void event_evtx_converter_use(struct event_evtx_converter *c,
			      const uint8_t *chunk)
{
	uint32_t i;

	for (i = 0; i < c->num_entries; i++) {
		c->slots[c->entries[i].offset] = 0;
	}
	c->num_entries = 0;
	buf_reset(&c->cache);
	c->chunk = chunk;
}

/* What was just written behind start is the definition at offset. */
static void cache_add(struct event_evtx_converter *c, uint32_t offset,
		      size_t start)
{
	struct cached *cached = &c->entries[c->num_entries];
	size_t len = c->out.len - start;

	if (c->num_entries == CACHE_ENTRIES || buf_error(&c->out) != EVERR_OK) {
		return;
	}
	cached->offset = offset;
	cached->start = (uint32_t)c->cache.len;
	cached->len = (uint32_t)len;
	buf_put(&c->cache, c->out.data + start, len);
	if (buf_error(&c->cache) == EVERR_OK) {
		c->slots[offset] = (uint16_t)++c->num_entries;
	}
}

/* Is it one that only a definition has? */
static bool needs_values(const struct event_token *token)
{
	return token->kind == EVENT_TOKEN_SUBST ||
	       token->kind == EVENT_TOKEN_OPTIONAL_SUBST ||
	       (token->kind == EVENT_TOKEN_OPEN &&
		token->dependency != EVENT_NO_DEPENDENCY);
}

/*
 * A definition's tokens as those of a definition, or of a document, if it can
 * be one: EVERR_BINXML_TOKEN.
 */
static everr_t put_tokens(struct event_evtx_converter *c,
			  const struct event_instance *instance,
			  enum event_reader_mode mode)
{
	size_t pos = (size_t)(instance->def - c->chunk);
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token;
	everr_t err;

	event_reader_init_chunk(&reader, EVENT_READ_DEFINITION, c->chunk, pos,
				pos + instance->def_len, 0);
	event_writer_init(&writer, mode, &c->out);
	if (mode == EVENT_READ_DEFINITION) {
		event_writer_put(&writer, &(struct event_token){
						  .kind = EVENT_TOKEN_FRAGMENT,
					  });
	}
	for (;;) {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		if (token.kind == EVENT_TOKEN_EOF) {
			break;
		}
		if (mode == EVENT_READ_DOCUMENT && needs_values(&token)) {
			return EVERR_BINXML_TOKEN;
		}
		if (token.kind != EVENT_TOKEN_FRAGMENT) {
			event_writer_put(&writer, &token);
		}
	}
	if (mode == EVENT_READ_DEFINITION) {
		event_writer_put(&writer, &token);
	}
	return EVERR_OK;
}

/* 0C 00 and the definition. */
static everr_t put_definition(struct event_evtx_converter *c,
			      const struct event_instance *instance)
{
	uint32_t offset = (uint32_t)(instance->def - c->chunk);
	struct buf *out = &c->out;
	const struct cached *cached = NULL;
	size_t start = out->len;
	everr_t err;

	if (c->slots[offset] != 0) {
		cached = &c->entries[c->slots[offset] - 1];
		buf_put(out, c->cache.data + cached->start, cached->len);
		return EVERR_OK;
	}
	buf_put_u8(out, EVENT_TOKEN_TEMPLATE);
	buf_put_u8(out, 0);
	buf_put(out, instance->guid, sizeof(struct ev_guid));
	buf_put_u32(out, 0);
	err = put_tokens(c, instance, EVENT_READ_DEFINITION);
	if (err != EVERR_OK) {
		return err;
	}
	buf_set_u32(out, start + INSTANCE_HEAD - 4,
		    (uint32_t)(out->len - start - INSTANCE_HEAD));
	cache_add(c, offset, start);
	return EVERR_OK;
}

/* Bytes of a string without the NULs at its end. */
static size_t string_len(const uint8_t *value, size_t len)
{
	while (len >= 2 && value[len - 1] == 0 && value[len - 2] == 0) {
		len -= 2;
	}
	return len;
}

/*
 * What a value becomes: its length, and its type in *type.  Bytes are cut off
 * at the end only.
 */
static size_t value_len(uint8_t *type, const uint8_t *value, size_t len)
{
	everr_t err;

	if (*type == EVENT_TYPE_NULL) {
		return 0;
	}
	if (*type == EVENT_TYPE_STRING && len % 2 == 0) {
		return string_len(value, len);
	}
	err = event_type_check(*type, value, len);
	if (err != EVERR_OK) {
		*type = len > 0 ? EVENT_TYPE_BINARY : EVENT_TYPE_NULL;
	}
	return len;
}

/* A BinXml value; nothing, or only its end, is an empty one. */
static everr_t put_nested(struct event_evtx_converter *c, size_t pos,
			  size_t len, unsigned int depth)
{
	size_t start = c->out.len;
	everr_t err;

	if (len == 0 || c->chunk[pos] == EVENT_TOKEN_EOF) {
		return EVERR_OK;
	}
	err = put_document(c, pos, pos + len, depth);
	if (err == EVERR_OK && c->out.len - start > EVENT_VALUE_MAX) {
		err = EVERR_BINXML_VALUE;
	}
	return err;
}

/* Specs and values; what need not change is copied in as few runs as can be. */
static everr_t put_values(struct event_evtx_converter *c,
			  const struct event_instance *instance,
			  unsigned int depth)
{
	const uint8_t *value = instance->values;
	const uint8_t *done = instance->values;
	struct buf *out = &c->out;
	size_t start, len, new_len, spec;
	uint8_t type, new_type;
	uint32_t i;
	everr_t err;

	buf_put_u32(out, instance->num_values);
	spec = out->len;
	buf_put(out, instance->specs,
		(size_t)instance->num_values * EVENT_SPEC_SIZE);
	for (i = 0; i < instance->num_values; i++, spec += EVENT_SPEC_SIZE) {
		len = event_spec_len(instance->specs, i);
		type = event_spec_type(instance->specs, i);
		new_type = type;
		if (type == EVENT_TYPE_BINXML) {
			buf_put(out, done, (size_t)(value - done));
			done = value + len;
			start = out->len;
			err = put_nested(c, (size_t)(value - c->chunk), len,
					 depth);
			if (err != EVERR_OK) {
				return err;
			}
			new_len = out->len - start;
		} else {
			new_len = value_len(&new_type, value, len);
		}
		if (new_len < len && type != EVENT_TYPE_BINXML) {
			buf_put(out, done, (size_t)(value + new_len - done));
			done = value + len;
		}
		if (buf_error(out) != EVERR_OK) {
			return EVERR_OK;
		}
		le16_set(out->data + spec, (uint16_t)new_len);
		out->data[spec + 2] = new_type;
		out->data[spec + 3] = 0;
		value += len;
	}
	buf_put(out, done, (size_t)(value - done));
	return EVERR_OK;
}

/*
 * Did our writer make this of a document?  Its GUID is made from the
 * definition's bytes, which stand behind start.
 */
static bool was_document(const struct buf *out, size_t start,
			 const struct event_instance *instance)
{
	struct ev_guid guid;

	if (instance->num_values > 0 || buf_error(out) != EVERR_OK) {
		return false;
	}
	start += INSTANCE_HEAD;
	ev_guid_from_bytes(out->data + start, out->len - start, &guid);
	return memcmp(guid.b, instance->guid, sizeof(guid.b)) == 0;
}

static everr_t put_instance(struct event_evtx_converter *c,
			    const struct event_instance *instance,
			    unsigned int depth)
{
	size_t start = c->out.len;
	everr_t err;

	err = put_definition(c, instance);
	if (err != EVERR_OK) {
		return err;
	}
	if (was_document(&c->out, start, instance)) {
		buf_truncate(&c->out, start);
		err = put_tokens(c, instance, EVENT_READ_DOCUMENT);
		if (err == EVERR_OK) {
			return EVERR_OK;
		}
		buf_truncate(&c->out, start);
		err = put_definition(c, instance);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return put_values(c, instance, depth + 1);
}

static everr_t put_document(struct event_evtx_converter *c, size_t pos,
			    size_t end, unsigned int depth)
{
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token = {.kind = EVENT_TOKEN_FRAGMENT};
	everr_t err;

	if (depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	event_reader_init_chunk(&reader, EVENT_READ_DOCUMENT, c->chunk, pos,
				end, depth);
	event_writer_init(&writer, EVENT_READ_DOCUMENT, &c->out);
	event_writer_put(&writer, &token);
	do {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		if (token.kind == EVENT_TOKEN_TEMPLATE) {
			err = put_instance(c, &token.instance, depth);
		} else if (token.kind != EVENT_TOKEN_FRAGMENT) {
			event_writer_put(&writer, &token);
		}
		if (err != EVERR_OK) {
			return err;
		}
		/* Work goes with what is written. */
		if (buf_error(&c->out) != EVERR_OK) {
			return EVERR_OK;
		}
	} while (token.kind != EVENT_TOKEN_EOF);
	return EVERR_OK;
}

everr_t event_evtx_convert(struct event_evtx_converter *c, size_t pos,
			   size_t end, const uint8_t **ret_doc, size_t *ret_len)
{
	everr_t err;

	buf_reset(&c->out);
	err = put_document(c, pos, end, 0);
	if (err != EVERR_OK) {
		return err;
	}
	err = buf_error(&c->out);
	if (err != EVERR_OK) {
		return err == EVERR_LIMIT ? EVERR_EVENT_TOO_LARGE : err;
	}
	*ret_doc = c->out.data;
	*ret_len = c->out.len;
	return EVERR_OK;
}
