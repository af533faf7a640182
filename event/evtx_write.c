/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/evtx.h"

#include "event/binxml.h"
#include "event/evtx_chunk.h"
#include "event/evtx_format.h"
#include "event/node.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* What we write; later versions differ in ways that nobody has described. */
#define FILE_MAJOR 3
#define FILE_MINOR 1

/* A definition made of a document's element: two bytes more per element. */
#define DEFINITION_MAX (2 * EVENT_WIRE_MAX)

struct event_evtx_writer {
	struct event_dict *dict;
	struct event_crc32 crc;
	struct event_evtx_chunk *chunk; /* the one that is being filled */
	struct event_evtx_chunk *other; /* the one before, or the next */
	struct buf scratch;		/* a definition being made */
	uint32_t num_chunks;		/* handed out */
	uint64_t num_records;
};

/* One record's way into a chunk. */
struct output {
	struct event_dict *dict;
	struct event_evtx_chunk *chunk;
	struct buf *out; /* the chunk's */
	struct buf *scratch;
};

static const struct event_token fragment = {.kind = EVENT_TOKEN_FRAGMENT};

/* What nested values are: nodes in nodes, documents in documents. */
typedef everr_t (*put_nested_fn)(struct output *o, const uint8_t *data,
				 size_t len, unsigned int depth);

static everr_t put_node(struct output *o, const uint8_t *data, size_t len,
			unsigned int depth);
static everr_t put_document(struct output *o, const uint8_t *data, size_t len,
			    unsigned int depth);

everr_t event_evtx_writer_create(TALLOC_CTX *mem_ctx, struct event_dict *dict,
				 struct event_evtx_writer **ret_writer)
{
	struct event_evtx_writer *writer = NULL;

	writer = talloc_zero(mem_ctx, struct event_evtx_writer);
	if (writer == NULL) {
		return EVERR_NOMEM;
	}
	writer->dict = dict;
	event_crc32_init(&writer->crc);
	buf_init(&writer->scratch, writer, DEFINITION_MAX);
	writer->chunk = event_evtx_chunk_create(writer);
	writer->other = event_evtx_chunk_create(writer);
	if (writer->chunk == NULL || writer->other == NULL) {
		TALLOC_FREE(writer);
		return EVERR_NOMEM;
	}
	event_evtx_chunk_reset(writer->chunk, 1);
	*ret_writer = writer;
	return EVERR_OK;
}

/* One BinXml value, whose spec stands at spec. */
static everr_t put_nested(struct output *o, put_nested_fn put,
			  const uint8_t *value, size_t len, unsigned int depth,
			  size_t spec)
{
	size_t start = o->out->len;
	everr_t err;

	if (len == 0) {
		return EVERR_OK;
	}
	if (depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	err = put(o, value, len, depth);
	if (err != EVERR_OK) {
		return err;
	}
	/* A chunk is not longer than a value can be. */
	buf_set_u16(o->out, spec, (uint16_t)(o->out->len - start));
	return EVERR_OK;
}

/* Number, specs and values of an instance; its values stand at depth. */
static everr_t put_values(struct output *o, put_nested_fn put,
			  const struct event_instance *instance,
			  unsigned int depth)
{
	const uint8_t *values = instance->values;
	size_t done = 0;
	size_t pos = 0;
	size_t specs;
	uint16_t len;
	uint32_t i;
	everr_t err;

	buf_put_u32(o->out, instance->num_values);
	specs = o->out->len;
	buf_put(o->out, instance->specs,
		(size_t)instance->num_values * EVENT_SPEC_SIZE);
	for (i = 0; i < instance->num_values; i++) {
		len = event_spec_len(instance->specs, i);
		if (event_spec_type(instance->specs, i) == EVENT_TYPE_BINXML) {
			buf_put(o->out, values + done, pos - done);
			err = put_nested(o, put, values + pos, len, depth,
					 specs + (size_t)i * EVENT_SPEC_SIZE);
			if (err != EVERR_OK) {
				return err;
			}
			done = pos + len;
		}
		pos += len;
	}
	buf_put(o->out, values + done, pos - done);
	return EVERR_OK;
}

/* A template instance: 0C 01, the definition, the values. */
static everr_t put_instance(struct output *o, put_nested_fn put,
			    const struct ev_guid *guid, const uint8_t *id,
			    const struct event_instance *instance,
			    unsigned int depth)
{
	everr_t err;

	buf_put_u8(o->out, EVENT_TOKEN_TEMPLATE);
	buf_put_u8(o->out, 1);
	err = event_evtx_put_definition(o->chunk, guid, id, instance->def,
					instance->def_len);
	if (err != EVERR_OK) {
		return err;
	}
	return put_values(o, put, instance, depth);
}

/* An instance inside of a document, which has its definition with it. */
static everr_t put_document_instance(struct output *o,
				     const struct event_instance *instance,
				     unsigned int depth)
{
	uint8_t id[EVENT_TEMPLATE_ID_SIZE];
	struct ev_guid guid;
	int rc;

	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, instance->def,
			      instance->def_len, id);
	if (rc != 0) {
		return EVERR_INTERNAL;
	}
	memcpy(guid.b, instance->guid, sizeof(guid.b));
	return put_instance(o, put_document, &guid, id, instance, depth + 1);
}

/* The element whose start was just read, as a definition of its own. */
static everr_t make_definition(struct buf *out, struct event_reader *reader,
			       struct event_token *token)
{
	static const struct event_token end = {.kind = EVENT_TOKEN_EOF};
	struct event_writer writer;
	everr_t err;

	buf_reset(out);
	event_writer_init(&writer, EVENT_READ_DEFINITION, out);
	event_writer_put(&writer, &fragment);
	event_writer_put(&writer, token);
	while (reader->depth > 0) {
		err = event_reader_next(reader, token);
		if (err != EVERR_OK) {
			return err;
		}
		event_writer_put(&writer, token);
	}
	event_writer_put(&writer, &end);
	/* What is too long here is so in any form. */
	return buf_error(out) == EVERR_LIMIT ? EVERR_EVENT_TOO_LARGE
					     : buf_error(out);
}

/*
 * Windows writes an element that came without a template as it is, but of
 * those who read files few understand that.  As a template without values all
 * do.  Its GUID, made from its bytes, tells our reader what it was.
 */
static everr_t put_element(struct output *o, struct event_reader *reader,
			   struct event_token *token, unsigned int depth)
{
	struct event_instance instance = {0};
	struct ev_guid guid;
	everr_t err;

	err = make_definition(o->scratch, reader, token);
	if (err != EVERR_OK) {
		return err;
	}
	ev_guid_from_bytes(o->scratch->data, o->scratch->len, &guid);
	instance.guid = guid.b;
	instance.def = o->scratch->data;
	instance.def_len = (uint32_t)o->scratch->len;
	/* None of them, but somewhere. */
	instance.specs = instance.def;
	instance.values = instance.def;
	return put_document_instance(o, &instance, depth);
}

/* RPC form to file form. */
static everr_t put_document(struct output *o, const uint8_t *data, size_t len,
			    unsigned int depth)
{
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token;
	everr_t err;

	event_reader_init(&reader, EVENT_READ_DOCUMENT, data, len, depth);
	event_writer_init(&writer, EVENT_READ_DOCUMENT, o->out);
	writer.put_name = event_evtx_put_name;
	writer.private_data = o->chunk;
	do {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		if (token.kind == EVENT_TOKEN_TEMPLATE) {
			err = put_document_instance(o, &token.instance, depth);
		} else if (token.kind == EVENT_TOKEN_OPEN) {
			err = put_element(o, &reader, &token, depth);
		} else {
			event_writer_put(&writer, &token);
		}
		if (err != EVERR_OK) {
			return err;
		}
	} while (token.kind != EVENT_TOKEN_EOF &&
		 buf_error(o->out) == EVERR_OK);
	return EVERR_OK;
}

static everr_t put_template_node(struct output *o,
				 const struct event_node *node,
				 unsigned int depth)
{
	struct event_template *template = NULL;
	struct event_instance instance = {0};
	struct event_writer writer;
	everr_t err;

	err = event_dict_get(o->dict, node->template_no, &template);
	if (err != EVERR_OK) {
		return err;
	}
	event_writer_init(&writer, EVENT_READ_DOCUMENT, o->out);
	event_writer_put(&writer, &fragment);

	instance.def = template->def;
	instance.def_len = template->def_len;
	instance.num_values = node->num_values;
	instance.specs = node->specs;
	instance.values = node->values;
	err = put_instance(o, put_node, &template->guid, template->id,
			   &instance, depth + 1);
	if (err != EVERR_OK) {
		return err;
	}
	buf_put_u8(o->out, EVENT_TOKEN_EOF);
	return EVERR_OK;
}

static everr_t put_node(struct output *o, const uint8_t *data, size_t len,
			unsigned int depth)
{
	struct event_node node = {0};
	everr_t err;

	err = event_node_parse(data, len, &node);
	if (err != EVERR_OK) {
		return err;
	}
	if (node.kind == EVENT_NODE_TEMPLATE) {
		return put_template_node(o, &node, depth);
	}
	return put_document(o, node.doc, node.doc_len, depth);
}

/* Record `number` at the chunk's end; its header and its tail. */
static everr_t put_record(struct output *o, uint64_t number,
			  const uint8_t *data, size_t len, uint64_t written)
{
	struct buf *out = o->out;
	size_t start = out->len;
	uint32_t size;
	everr_t err;

	buf_put_u32(out, EVTX_RECORD_MAGIC);
	buf_put_u32(out, 0);
	buf_put_u64(out, number);
	buf_put_u64(out, written);
	err = put_node(o, data, len, 0);
	if (err != EVERR_OK) {
		return err;
	}
	while ((out->len + EVTX_RECORD_TAIL) % EVTX_RECORD_ALIGN != 0 &&
	       buf_error(out) == EVERR_OK) {
		buf_put_u8(out, 0);
	}
	size = (uint32_t)(out->len + EVTX_RECORD_TAIL - start);
	buf_put_u32(out, size);
	buf_set_u32(out, start + EVTX_RECORD_SIZE, size);
	return EVERR_OK;
}

/*
 * libevtx 20181227 overlooks the last record of a chunk that is full to the
 * last byte.  One that needs all of a chunk is written all the same.
 */
static bool is_brimful(const struct event_evtx_chunk *chunk)
{
	return chunk->num_records > 0 &&
	       chunk->out.len == EVENT_EVTX_CHUNK_SIZE;
}

/*
 * Add a record to a chunk.  *ret_full: it does not fit, and nothing else is
 * wrong with it as far as can be seen; the chunk is as it was.
 */
static everr_t add_to(struct event_evtx_writer *writer,
		      struct event_evtx_chunk *chunk, const uint8_t *data,
		      size_t len, uint64_t written, bool *ret_full)
{
	struct output o = {writer->dict, chunk, &chunk->out, &writer->scratch};
	struct event_evtx_mark mark;
	everr_t full;
	everr_t err;

	event_evtx_chunk_mark(chunk, &mark);
	err = put_record(&o, writer->num_records + 1, data, len, written);
	full = event_evtx_chunk_error(chunk);
	if (err == EVERR_OK && is_brimful(chunk)) {
		full = EVERR_LIMIT;
	}
	if (err == EVERR_OK) {
		err = full;
	}
	if (err != EVERR_OK) {
		event_evtx_chunk_rewind(chunk, &mark);
		*ret_full = full == EVERR_LIMIT && err == full;
		return err;
	}
	chunk->last_record = (uint32_t)mark.len;
	chunk->num_records++;
	writer->num_records++;
	*ret_full = false;
	return EVERR_OK;
}

/* The event becomes the first of a new chunk, and this one is done. */
static everr_t start_chunk(struct event_evtx_writer *writer,
			   const uint8_t *data, size_t len, uint64_t written)
{
	struct event_evtx_chunk *done = writer->chunk;
	struct event_evtx_chunk *next = writer->other;
	bool full = false;
	everr_t err;

	/* This one, the next, and those handed out. */
	if (writer->num_chunks + 2 > EVENT_EVTX_CHUNKS_MAX) {
		return EVERR_LIMIT;
	}
	event_evtx_chunk_reset(next, writer->num_records + 1);
	err = add_to(writer, next, data, len, written, &full);
	if (err != EVERR_OK) {
		return full ? EVERR_EVENT_TOO_LARGE : err;
	}
	event_evtx_chunk_close(done, &writer->crc);
	writer->num_chunks++;
	writer->chunk = next;
	writer->other = done;
	return EVERR_OK;
}

everr_t event_evtx_add(struct event_evtx_writer *writer, const uint8_t *data,
		       size_t len, uint64_t written, const uint8_t **ret_chunk)
{
	bool full = false;
	everr_t err;

	err = add_to(writer, writer->chunk, data, len, written, &full);
	if (err == EVERR_OK) {
		*ret_chunk = NULL;
		return EVERR_OK;
	}
	if (!full) {
		return err;
	}
	if (writer->chunk->num_records == 0) {
		return EVERR_EVENT_TOO_LARGE;
	}
	err = start_chunk(writer, data, len, written);
	if (err == EVERR_OK) {
		*ret_chunk = writer->other->out.data;
	}
	return err;
}

everr_t event_evtx_finish(struct event_evtx_writer *writer,
			  const uint8_t **ret_chunk,
			  uint8_t header[EVENT_EVTX_HEADER_SIZE])
{
	event_evtx_chunk_close(writer->chunk, &writer->crc);
	writer->num_chunks++;

	memset(header, 0, EVENT_EVTX_HEADER_SIZE);
	memcpy(header, EVTX_FILE_MAGIC, EVTX_MAGIC_SIZE);
	le64_set(header + EVTX_FILE_FIRST_CHUNK, 0);
	le64_set(header + EVTX_FILE_LAST_CHUNK, writer->num_chunks - 1);
	le64_set(header + EVTX_FILE_NEXT_RECORD, writer->num_records + 1);
	le32_set(header + EVTX_FILE_HEADER_SIZE, EVTX_HEADER_USED);
	le16_set(header + EVTX_FILE_MINOR, FILE_MINOR);
	le16_set(header + EVTX_FILE_MAJOR, FILE_MAJOR);
	le16_set(header + EVTX_FILE_BLOCK_SIZE, EVENT_EVTX_HEADER_SIZE);
	le16_set(header + EVTX_FILE_NUM_CHUNKS, (uint16_t)writer->num_chunks);
	le32_set(header + EVTX_FILE_CRC,
		 event_crc32(&writer->crc, 0, header, EVTX_FILE_FLAGS));
	*ret_chunk = writer->chunk->out.data;
	return EVERR_OK;
}

uint64_t event_evtx_num_records(const struct event_evtx_writer *writer)
{
	return writer->num_records;
}
