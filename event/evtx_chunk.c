/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/evtx_chunk.h"

#include "event/binxml.h"

#include <string.h>

/* Facts: evtx, 3: what a normal chunk has there; the meaning is not known. */
#define CHUNK_FLAGS 1

/* A definition of the chunk; the shortest has more than 32 bytes. */
struct definition {
	uint8_t id[EVENT_TEMPLATE_ID_SIZE];
	uint32_t offset;
};
#define DEFINITIONS_MAX (EVENT_EVTX_CHUNK_SIZE / 32)

struct event_evtx_chunk *event_evtx_chunk_create(TALLOC_CTX *mem_ctx)
{
	struct event_evtx_chunk *chunk =
		talloc_zero(mem_ctx, struct event_evtx_chunk);

	if (chunk == NULL) {
		return NULL;
	}
	buf_init(&chunk->out, chunk, EVENT_EVTX_CHUNK_SIZE);
	buf_init(&chunk->definitions, chunk,
		 DEFINITIONS_MAX * sizeof(struct definition));
	/* All of it at once: later nothing but its end can be in the way. */
	buf_put_zero(&chunk->out, EVENT_EVTX_CHUNK_SIZE);
	if (buf_error(&chunk->out) != EVERR_OK) {
		TALLOC_FREE(chunk);
	}
	return chunk;
}

void event_evtx_chunk_reset(struct event_evtx_chunk *chunk,
			    uint64_t first_record)
{
	buf_reset(&chunk->out);
	buf_reset(&chunk->definitions);
	buf_put_zero(&chunk->out, EVTX_CHUNK_RECORDS);
	chunk->first_record = first_record;
	chunk->num_records = 0;
	chunk->last_record = 0;
}

everr_t event_evtx_chunk_error(const struct event_evtx_chunk *chunk)
{
	everr_t err = buf_error(&chunk->definitions);

	return err != EVERR_OK ? err : buf_error(&chunk->out);
}

void event_evtx_chunk_mark(const struct event_evtx_chunk *chunk,
			   struct event_evtx_mark *ret_mark)
{
	ret_mark->len = chunk->out.len;
	ret_mark->definitions_len = chunk->definitions.len;
	memcpy(ret_mark->tables, chunk->out.data + EVTX_CHUNK_STRINGS,
	       sizeof(ret_mark->tables));
}

/*
 * Links in the records point to lower offsets only, so that the heads are all
 * there is to restore.
 */
void event_evtx_chunk_rewind(struct event_evtx_chunk *chunk,
			     const struct event_evtx_mark *mark)
{
	chunk->out.len = mark->len;
	chunk->out.err = EVERR_OK;
	chunk->definitions.len = mark->definitions_len;
	chunk->definitions.err = EVERR_OK;
	memcpy(chunk->out.data + EVTX_CHUNK_STRINGS, mark->tables,
	       sizeof(mark->tables));
}

/* Where the head of a string's bucket stands; facts: evtx, 5. */
static size_t string_bucket(uint16_t hash)
{
	return EVTX_CHUNK_STRINGS + 4 * (size_t)(hash % EVTX_STRING_BUCKETS);
}

/* The same of a GUID, which is hashed as eight units. */
static size_t template_bucket(const struct ev_guid *guid)
{
	uint32_t hash = 0;
	size_t i;

	for (i = 0; i < sizeof(guid->b); i += 2) {
		hash = hash * 65599 + le16_get(guid->b + i);
	}
	return EVTX_CHUNK_TEMPLATES +
	       4 * (size_t)(hash % EVTX_TEMPLATE_BUCKETS);
}

/* The record of `size` bytes at the end becomes the first of its bucket. */
static void link_record(struct buf *out, size_t size, size_t bucket)
{
	uint32_t offset = (uint32_t)(out->len - size);

	buf_set_u32(out, offset, le32_get(out->data + bucket));
	buf_set_u32(out, bucket, offset);
}

/* The string's offset, or 0. */
static uint32_t find_string(const struct buf *out, uint16_t hash,
			    const uint8_t *units, size_t num_units)
{
	uint32_t offset = le32_get(out->data + string_bucket(hash));
	const uint8_t *p = NULL;

	for (; offset != 0; offset = le32_get(p)) {
		p = out->data + offset;
		if (le16_get(p + EVTX_STRING_HASH) == hash &&
		    le16_get(p + EVTX_STRING_UNITS) == num_units &&
		    memcmp(p + EVTX_STRING_HEAD, units, num_units * 2) == 0) {
			break;
		}
	}
	return offset;
}

void event_evtx_put_name(void *private_data, const uint8_t *units,
			 size_t num_units)
{
	struct event_evtx_chunk *chunk = private_data;
	size_t size = EVTX_STRING_HEAD + 2 * num_units + EVTX_STRING_TAIL;
	uint16_t hash = event_binxml_name_hash(units, num_units);
	struct buf *out = &chunk->out;
	uint32_t offset;
	uint8_t *p = NULL;

	/* What is full is not searched, however long that would go on. */
	if (buf_error(out) != EVERR_OK) {
		return;
	}
	offset = find_string(out, hash, units, num_units);
	if (offset != 0) {
		buf_put_u32(out, offset);
		return;
	}
	buf_put_u32(out, (uint32_t)(out->len + 4));
	p = buf_extend(out, size);
	if (p == NULL) {
		return;
	}
	le16_set(p + EVTX_STRING_HASH, hash);
	le16_set(p + EVTX_STRING_UNITS, (uint16_t)num_units);
	memcpy(p + EVTX_STRING_HEAD, units, 2 * num_units);
	le16_set(p + EVTX_STRING_HEAD + 2 * num_units, 0);
	link_record(out, size, string_bucket(hash));
}

/* The offset of the definition that has the id, or 0. */
static uint32_t find_definition(const struct event_evtx_chunk *chunk,
				const uint8_t *id)
{
	const struct definition *definitions =
		(const void *)chunk->definitions.data;
	size_t n = chunk->definitions.len / sizeof(*definitions);
	size_t i;

	for (i = 0; i < n; i++) {
		if (memcmp(definitions[i].id, id, EVENT_TEMPLATE_ID_SIZE) ==
		    0) {
			return definitions[i].offset;
		}
	}
	return 0;
}

static bool guid_is_taken(const struct buf *out, const struct ev_guid *guid)
{
	uint32_t offset = le32_get(out->data + template_bucket(guid));
	const uint8_t *p = NULL;

	for (; offset != 0; offset = le32_get(p)) {
		p = out->data + offset;
		if (memcmp(p + EVTX_DEFINITION_GUID, guid->b,
			   sizeof(guid->b)) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * Within a chunk a GUID stands for one definition.  Whoever took the one made
 * from a definition for another makes us go on from it.
 */
static struct ev_guid choose_guid(const struct buf *out,
				  const struct ev_guid *wanted,
				  const uint8_t *def, size_t def_len)
{
	struct ev_guid guid = *wanted;

	if (guid_is_taken(out, &guid)) {
		ev_guid_from_bytes(def, def_len, &guid);
	}
	while (guid_is_taken(out, &guid)) {
		ev_guid_from_bytes(guid.b, sizeof(guid.b), &guid);
	}
	return guid;
}

/* The definition's tokens, with names at offsets. */
static everr_t put_tokens(struct event_evtx_chunk *chunk, const uint8_t *def,
			  size_t def_len)
{
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token;
	everr_t err;

	event_reader_init(&reader, EVENT_READ_DEFINITION, def, def_len, 0);
	event_writer_init(&writer, EVENT_READ_DEFINITION, &chunk->out);
	writer.put_name = event_evtx_put_name;
	writer.private_data = chunk;
	do {
		err = event_reader_next(&reader, &token);
		if (err != EVERR_OK) {
			return err;
		}
		event_writer_put(&writer, &token);
	} while (token.kind != EVENT_TOKEN_EOF &&
		 buf_error(&chunk->out) == EVERR_OK);
	return EVERR_OK;
}

static everr_t put_new_definition(struct event_evtx_chunk *chunk,
				  const struct ev_guid *guid, const uint8_t *id,
				  const uint8_t *def, size_t def_len)
{
	struct buf *out = &chunk->out;
	struct definition definition = {.offset = (uint32_t)out->len};
	size_t start = out->len + EVTX_DEFINITION_HEAD;
	everr_t err;

	buf_put_u32(out, 0);
	buf_put(out, guid->b, sizeof(guid->b));
	buf_put_u32(out, 0);
	if (buf_error(out) != EVERR_OK) {
		return EVERR_OK;
	}
	link_record(out, EVTX_DEFINITION_HEAD, template_bucket(guid));
	err = put_tokens(chunk, def, def_len);
	if (err != EVERR_OK) {
		return err;
	}
	buf_set_u32(out, start - 4, (uint32_t)(out->len - start));
	memcpy(definition.id, id, sizeof(definition.id));
	buf_put(&chunk->definitions, &definition, sizeof(definition));
	return EVERR_OK;
}

everr_t event_evtx_put_definition(struct event_evtx_chunk *chunk,
				  const struct ev_guid *wanted,
				  const uint8_t id[EVENT_TEMPLATE_ID_SIZE],
				  const uint8_t *def, size_t def_len)
{
	uint32_t offset = find_definition(chunk, id);
	struct buf *out = &chunk->out;
	struct ev_guid guid;

	/* The short id in front is the GUID's first field. */
	if (offset != 0) {
		buf_put_u32(out, le32_get(out->data + offset +
					  EVTX_DEFINITION_GUID));
		buf_put_u32(out, offset);
		return EVERR_OK;
	}
	guid = choose_guid(out, wanted, def, def_len);
	buf_put_u32(out, le32_get(guid.b));
	buf_put_u32(out, (uint32_t)(out->len + 4));
	return put_new_definition(chunk, &guid, id, def, def_len);
}

/* Both checksums; the header's leaves out the flags and itself. */
static void put_checksums(uint8_t *data, size_t free_offset,
			  const struct event_crc32 *table)
{
	uint32_t crc;

	crc = event_crc32(table, 0, data + EVTX_CHUNK_RECORDS,
			  free_offset - EVTX_CHUNK_RECORDS);
	le32_set(data + EVTX_CHUNK_RECORDS_CRC, crc);
	crc = event_crc32(table, 0, data, EVTX_CHUNK_FLAGS);
	crc = event_crc32(table, crc, data + EVTX_CHUNK_STRINGS,
			  EVTX_TABLES_SIZE);
	le32_set(data + EVTX_CHUNK_CRC, crc);
}

/* An empty log has -1 for all but its first number [Schuster 2007]. */
static void put_numbers(uint8_t *data, const struct event_evtx_chunk *chunk)
{
	uint64_t first_id = chunk->first_record;
	uint64_t last = chunk->first_record + chunk->num_records - 1;

	if (chunk->num_records == 0) {
		first_id = UINT64_MAX;
		last = UINT64_MAX;
	}
	le64_set(data + EVTX_CHUNK_FIRST_NUMBER, chunk->first_record);
	le64_set(data + EVTX_CHUNK_LAST_NUMBER, last);
	le64_set(data + EVTX_CHUNK_FIRST_ID, first_id);
	le64_set(data + EVTX_CHUNK_LAST_ID, last);
}

void event_evtx_chunk_close(struct event_evtx_chunk *chunk,
			    const struct event_crc32 *crc)
{
	size_t free_offset = chunk->out.len;
	uint8_t *data = chunk->out.data;

	buf_put_zero(&chunk->out, EVENT_EVTX_CHUNK_SIZE - free_offset);
	memcpy(data, EVTX_CHUNK_MAGIC, EVTX_MAGIC_SIZE);
	put_numbers(data, chunk);
	le32_set(data + EVTX_CHUNK_HEADER_SIZE, EVTX_HEADER_USED);
	le32_set(data + EVTX_CHUNK_LAST_RECORD, chunk->last_record);
	le32_set(data + EVTX_CHUNK_FREE, (uint32_t)free_offset);
	le32_set(data + EVTX_CHUNK_FLAGS, CHUNK_FLAGS);
	put_checksums(data, free_offset, crc);
}
