/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/evtx.h"

#include "event/crc32.h"
#include "event/evtx_convert.h"
#include "event/evtx_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The version that is described; its minor ones 1 and 2 are read. */
#define FILE_MAJOR 3

/* A record with nothing in it. */
#define RECORD_MIN (EVTX_RECORD_HEAD + EVTX_RECORD_TAIL)
#define RECORD_MAX (EVENT_EVTX_CHUNK_SIZE - EVTX_CHUNK_RECORDS)

/* Records of a chunk, and stretches between them that are none. */
#define ITEMS_MAX (EVENT_EVTX_CHUNK_SIZE / EVTX_RECORD_ALIGN)

enum item_kind {
	ITEM_RECORD,
	ITEM_FILE_CRC,	  /* the file's header */
	ITEM_SHORT,	  /* the header counts more chunks than there are */
	ITEM_NO_CHUNK,	  /* a slot that holds something else */
	ITEM_BAD_MAGIC,	  /* the same, but there are records in it */
	ITEM_CUT,	  /* the file ends inside of the chunk */
	ITEM_HEADER_CRC,  /* a chunk's header */
	ITEM_RECORDS_CRC, /* a chunk's records */
	ITEM_GAP	  /* where a record should be */
};

static const char *const messages[] = {
	[ITEM_RECORD] = "",
	[ITEM_FILE_CRC] = "the checksum of the file's header is wrong",
	[ITEM_SHORT] = "the file ends before the last of its chunks",
	[ITEM_NO_CHUNK] = "here should be a chunk",
	[ITEM_BAD_MAGIC] = "the chunk's header is damaged; what is whole of "
			   "its records is read",
	[ITEM_CUT] = "the file ends inside of a chunk",
	[ITEM_HEADER_CRC] = "the checksum of the chunk's header is wrong; "
			    "what is whole of its records is read",
	[ITEM_RECORDS_CRC] = "the checksum of the chunk's records is wrong; "
			     "what is whole of them is read",
	[ITEM_GAP] = "here should be a record",
};

/* Something to hand out; pos is in the chunk or, before any, in the file. */
struct item {
	uint8_t kind;
	uint32_t len;
	uint64_t pos;
};

/* A slot of the file that is not unused. */
struct slot {
	uint64_t first_id; /* what chunks are ordered by */
	uint64_t offset;   /* in the file */
};

struct event_evtx_reader {
	const uint8_t *data;
	size_t size;
	struct event_crc32 crc;
	uint32_t flags;
	bool backwards;
	struct buf slots;  /* struct slot, in order */
	size_t next_slot;  /* how many were begun */
	uint8_t *cut;	   /* the last chunk, if the file ends in it */
	size_t cut_offset; /* where it begins in the file */
	/*
	 * The chunk that is being read: a copy, since a file that is mapped
	 * may be written to between a look at a length and its use.
	 */
	uint8_t chunk[EVENT_EVTX_CHUNK_SIZE];
	uint64_t offset;		  /* in the file */
	struct item items[ITEMS_MAX + 4]; /* first those of the file */
	uint32_t num_items;
	uint32_t next_item;
	struct event_evtx_converter *converter;
};

static struct slot *slots_of(const struct event_evtx_reader *reader)
{
	return (struct slot *)(void *)reader->slots.data;
}

static size_t num_slots(const struct event_evtx_reader *reader)
{
	return reader->slots.len / sizeof(struct slot);
}

/* The 64 KiB of a slot; those the file has not are zeros. */
static const uint8_t *slot_bytes(const struct event_evtx_reader *reader,
				 uint64_t offset)
{
	if (reader->cut != NULL && offset == reader->cut_offset) {
		return reader->cut;
	}
	return reader->data + offset;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static bool has_magic(const uint8_t *chunk)
{
	return memcmp(chunk, EVTX_CHUNK_MAGIC, EVTX_MAGIC_SIZE) == 0;
}

/* The size of the record at pos, or 0 if there is none up to limit. */
static uint32_t record_size(const uint8_t *chunk, size_t pos, size_t limit)
{
	const uint8_t *p = chunk + pos;
	uint32_t size;

	if (limit - pos < RECORD_MIN || le32_get(p) != EVTX_RECORD_MAGIC) {
		return 0;
	}
	size = le32_get(p + EVTX_RECORD_SIZE);
	if (size < RECORD_MIN || size > RECORD_MAX || size > limit - pos) {
		return 0;
	}
	return le32_get(p + size - EVTX_RECORD_TAIL) == size ? size : 0;
}

static void add_item(struct event_evtx_reader *reader, enum item_kind kind,
		     size_t pos, size_t len)
{
	struct item *item = &reader->items[reader->num_items++];

	item->kind = (uint8_t)kind;
	item->pos = pos;
	item->len = (uint32_t)len;
}

/* --------------------------------------------------------- the file's slots */

/*
 * Chunks are a ring: the oldest need not be the first.  The first record's own
 * id counts, since a header may be damaged.
 */
static uint64_t first_id(const uint8_t *chunk)
{
	uint32_t size =
		record_size(chunk, EVTX_CHUNK_RECORDS, EVENT_EVTX_CHUNK_SIZE);

	if (size > 0) {
		return le64_get(chunk + EVTX_CHUNK_RECORDS + EVTX_RECORD_ID);
	}
	return has_magic(chunk) ? le64_get(chunk + EVTX_CHUNK_FIRST_ID)
				: UINT64_MAX;
}

/*
 * How many chunks the header counts: fewer than there are in a log that was
 * not closed.  Only those of 3.2 have more than 16 bits of them.
 */
static uint64_t counted_slots(const struct event_evtx_reader *reader)
{
	return le32_get(reader->data + EVTX_FILE_NUM_CHUNKS);
}

/* What is no chunk is damage among the chunks, and nothing behind them. */
static void add_slot(struct event_evtx_reader *reader, uint64_t offset)
{
	const uint8_t *chunk = slot_bytes(reader, offset);
	struct slot slot = {first_id(chunk), offset};
	uint64_t index =
		(offset - EVENT_EVTX_HEADER_SIZE) / EVENT_EVTX_CHUNK_SIZE;

	if (slot.first_id == UINT64_MAX && !has_magic(chunk) &&
	    index >= counted_slots(reader)) {
		return;
	}
	buf_put(&reader->slots, &slot, sizeof(slot));
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *x = a;
	const struct slot *y = b;

	if (x->first_id != y->first_id) {
		return x->first_id < y->first_id ? -1 : 1;
	}
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* What is behind the last whole slot, with zeros behind it. */
static everr_t keep_cut(struct event_evtx_reader *reader, size_t offset)
{
	reader->cut = talloc_zero_array(reader, uint8_t, EVENT_EVTX_CHUNK_SIZE);
	if (reader->cut == NULL) {
		return EVERR_NOMEM;
	}
	reader->cut_offset = offset;
	memcpy(reader->cut, reader->data + offset, reader->size - offset);
	return EVERR_OK;
}

static everr_t find_slots(struct event_evtx_reader *reader)
{
	size_t offset = EVENT_EVTX_HEADER_SIZE;
	everr_t err;

	while (offset < reader->size) {
		if (reader->size - offset < EVENT_EVTX_CHUNK_SIZE) {
			err = keep_cut(reader, offset);
			if (err != EVERR_OK) {
				return err;
			}
		}
		add_slot(reader, offset);
		offset += EVENT_EVTX_CHUNK_SIZE;
	}
	if (counted_slots(reader) >
	    (offset - EVENT_EVTX_HEADER_SIZE) / EVENT_EVTX_CHUNK_SIZE) {
		add_item(reader, ITEM_SHORT, reader->size, 0);
	}
	err = buf_error(&reader->slots);
	if (err == EVERR_OK && num_slots(reader) > 0) {
		qsort(reader->slots.data, num_slots(reader),
		      sizeof(struct slot), compare_slots);
	}
	return err;
}

/* ------------------------------------------------------- a chunk's records */

/* Facts: evtx, 7: records begin at multiples of 8. */
static size_t find_record(const uint8_t *chunk, size_t pos, size_t limit)
{
	while (pos < limit && record_size(chunk, pos, limit) == 0) {
		pos += EVTX_RECORD_ALIGN;
	}
	return pos < limit ? pos : limit;
}

/*
 * List the records up to limit and what lies between them.  last is where the
 * header says that the last one begins: zeros behind it are no damage.
 */
static void list_records(struct event_evtx_reader *reader, size_t limit,
			 size_t last)
{
	const uint8_t *chunk = reader->chunk;
	size_t pos = EVTX_CHUNK_RECORDS;
	size_t next;
	uint32_t size;

	while (pos < limit) {
		size = record_size(chunk, pos, limit);
		if (size > 0) {
			add_item(reader, ITEM_RECORD, pos, size);
			pos += size;
			continue;
		}
		if (pos > last && all_zero(chunk + pos, limit - pos)) {
			return;
		}
		next = find_record(chunk, pos + EVTX_RECORD_ALIGN, limit);
		add_item(reader, ITEM_GAP, pos, next - pos);
		pos = next;
	}
}

/*
 * A log that was not closed may have records behind what its chunk's header
 * knows; those that continue the numbers are read.
 */
static void list_unknown(struct event_evtx_reader *reader, size_t pos)
{
	const uint8_t *chunk = reader->chunk;
	const struct item *before = NULL;
	uint32_t size;
	uint64_t id;

	while (reader->num_items > 0) {
		before = &reader->items[reader->num_items - 1];
		size = record_size(chunk, pos, EVENT_EVTX_CHUNK_SIZE);
		if (size == 0 || before->kind != ITEM_RECORD) {
			return;
		}
		id = le64_get(chunk + before->pos + EVTX_RECORD_ID);
		if (le64_get(chunk + pos + EVTX_RECORD_ID) != id + 1) {
			return;
		}
		add_item(reader, ITEM_RECORD, pos, size);
		pos += size;
	}
}

/* Where the header says that records end; the chunk's end if it cannot be. */
static size_t free_offset(const uint8_t *chunk)
{
	uint32_t offset = le32_get(chunk + EVTX_CHUNK_FREE);

	if (offset < EVTX_CHUNK_RECORDS || offset > EVENT_EVTX_CHUNK_SIZE) {
		return EVENT_EVTX_CHUNK_SIZE;
	}
	return offset;
}

static bool header_crc_fits(const struct event_evtx_reader *reader)
{
	const uint8_t *chunk = reader->chunk;
	uint32_t crc = event_crc32(&reader->crc, 0, chunk, EVTX_CHUNK_FLAGS);

	crc = event_crc32(&reader->crc, crc, chunk + EVTX_CHUNK_STRINGS,
			  EVTX_TABLES_SIZE);
	return crc == le32_get(chunk + EVTX_CHUNK_CRC);
}

static bool records_crc_fits(const struct event_evtx_reader *reader,
			     size_t limit)
{
	const uint8_t *chunk = reader->chunk;
	uint32_t crc = event_crc32(&reader->crc, 0, chunk + EVTX_CHUNK_RECORDS,
				   limit - EVTX_CHUNK_RECORDS);

	return crc == le32_get(chunk + EVTX_CHUNK_RECORDS_CRC);
}

/* A file, or a chunk, can be without checksums. */
static bool has_crc(const struct event_evtx_reader *reader)
{
	uint32_t flags = le32_get(reader->chunk + EVTX_CHUNK_FLAGS);

	return ((reader->flags | flags) & EVTX_FILE_NO_CRC) == 0;
}

/* A slot without a chunk's magic: is there anything to be read? */
static void list_no_chunk(struct event_evtx_reader *reader)
{
	if (record_size(reader->chunk, EVTX_CHUNK_RECORDS,
			EVENT_EVTX_CHUNK_SIZE) == 0) {
		add_item(reader, ITEM_NO_CHUNK, 0, EVENT_EVTX_CHUNK_SIZE);
		return;
	}
	add_item(reader, ITEM_BAD_MAGIC, 0, 0);
	list_records(reader, EVENT_EVTX_CHUNK_SIZE, EVTX_CHUNK_RECORDS);
}

static void list_cut(struct event_evtx_reader *reader)
{
	size_t len = reader->size - reader->cut_offset;

	add_item(reader, ITEM_CUT, 0, 0);
	if (len > EVTX_CHUNK_RECORDS) {
		list_records(reader, len, EVTX_CHUNK_RECORDS);
	}
}

/*
 * None of the header's offsets is to be believed, but where it says that
 * records end none is missed.
 */
static void list_all(struct event_evtx_reader *reader)
{
	size_t limit = free_offset(reader->chunk);
	const struct item *end = NULL;

	add_item(reader, ITEM_HEADER_CRC, 0, 0);
	list_records(reader, EVENT_EVTX_CHUNK_SIZE, EVTX_CHUNK_RECORDS);
	end = &reader->items[reader->num_items - 1];
	if (end->kind == ITEM_GAP && end->pos >= limit) {
		reader->num_items--;
	}
}

static void list_chunk(struct event_evtx_reader *reader)
{
	size_t limit = free_offset(reader->chunk);
	size_t last = le32_get(reader->chunk + EVTX_CHUNK_LAST_RECORD);
	bool crc_fits = true;

	if (has_crc(reader)) {
		if (!header_crc_fits(reader)) {
			list_all(reader);
			return;
		}
		crc_fits = records_crc_fits(reader, limit);
	}
	if (!crc_fits) {
		add_item(reader, ITEM_RECORDS_CRC, 0, 0);
	}
	list_records(reader, limit, last);
	if (!crc_fits || (reader->flags & EVTX_FILE_DIRTY) != 0) {
		list_unknown(reader, limit);
	}
}

/* The next slot's items; false at the end. */
static bool next_chunk(struct event_evtx_reader *reader)
{
	size_t n = num_slots(reader);
	size_t i = reader->next_slot;
	const uint8_t *bytes = NULL;

	if (i == n) {
		return false;
	}
	reader->next_slot++;
	reader->offset =
		slots_of(reader)[reader->backwards ? n - 1 - i : i].offset;
	bytes = slot_bytes(reader, reader->offset);
	memcpy(reader->chunk, bytes, sizeof(reader->chunk));
	reader->num_items = 0;
	reader->next_item = 0;
	if (bytes == reader->cut) {
		list_cut(reader);
	} else if (!has_magic(reader->chunk)) {
		list_no_chunk(reader);
	} else {
		list_chunk(reader);
	}
	event_evtx_converter_use(reader->converter, reader->chunk);
	return true;
}

/* ----------------------------------------------------------------- results */

static void tell(const struct event_evtx_reader *reader,
		 const struct item *item, struct event_evtx_damage *ret_damage)
{
	ret_damage->offset = reader->offset + item->pos;
	ret_damage->len = item->len;
	snprintf(ret_damage->message, sizeof(ret_damage->message), "%s",
		 messages[item->kind]);
}

static void tell_record(const struct event_evtx_reader *reader,
			const struct item *item, everr_t err,
			struct event_evtx_damage *ret_damage)
{
	tell(reader, item, ret_damage);
	snprintf(ret_damage->message, sizeof(ret_damage->message),
		 "record %llu: %s",
		 (unsigned long long)le64_get(reader->chunk + item->pos +
					      EVTX_RECORD_ID),
		 everr_text(err));
}

static everr_t read_record(struct event_evtx_reader *reader,
			   const struct item *item,
			   struct event_evtx_record *ret_record,
			   struct event_evtx_damage *ret_damage)
{
	const uint8_t *p = reader->chunk + item->pos;
	struct event_evtx_record record = {
		.id = le64_get(p + EVTX_RECORD_ID),
		.written = le64_get(p + EVTX_RECORD_TIME),
		.offset = reader->offset + item->pos,
	};
	everr_t err;

	err = event_evtx_convert(reader->converter,
				 item->pos + EVTX_RECORD_HEAD,
				 item->pos + item->len - EVTX_RECORD_TAIL,
				 &record.doc, &record.len);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		tell_record(reader, item, err, ret_damage);
		return EVERR_EVTX;
	}
	*ret_record = record;
	return EVERR_OK;
}

everr_t event_evtx_next(struct event_evtx_reader *reader,
			struct event_evtx_record *ret_record,
			struct event_evtx_damage *ret_damage)
{
	const struct item *item = NULL;
	uint32_t i;

	while (reader->next_item == reader->num_items) {
		if (!next_chunk(reader)) {
			return EVERR_END;
		}
	}
	i = reader->next_item++;
	if (reader->backwards) {
		i = reader->num_items - 1 - i;
	}
	item = &reader->items[i];
	if (item->kind == ITEM_RECORD) {
		return read_record(reader, item, ret_record, ret_damage);
	}
	tell(reader, item, ret_damage);
	return EVERR_EVTX;
}

void event_evtx_read_backwards(struct event_evtx_reader *reader)
{
	reader->backwards = true;
}

/* ----------------------------------------------------------------- opening */

/* Before any chunk: what is wrong with the file's header. */
static void check_header(struct event_evtx_reader *reader)
{
	uint32_t crc =
		event_crc32(&reader->crc, 0, reader->data, EVTX_FILE_FLAGS);

	reader->flags = le32_get(reader->data + EVTX_FILE_FLAGS);
	if (crc != le32_get(reader->data + EVTX_FILE_CRC) &&
	    (reader->flags & EVTX_FILE_NO_CRC) == 0) {
		add_item(reader, ITEM_FILE_CRC, 0, EVTX_HEADER_USED);
	}
}

static bool is_evtx(const uint8_t *data, size_t size)
{
	return size >= EVTX_HEADER_USED &&
	       memcmp(data, EVTX_FILE_MAGIC, EVTX_MAGIC_SIZE) == 0 &&
	       le16_get(data + EVTX_FILE_MAJOR) == FILE_MAJOR;
}

everr_t event_evtx_open(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t size,
			struct event_evtx_reader **ret_reader)
{
	struct event_evtx_reader *reader = NULL;
	everr_t err = EVERR_NOMEM;

	if (!is_evtx(data, size)) {
		return EVERR_EVTX;
	}
	reader = talloc_zero(mem_ctx, struct event_evtx_reader);
	if (reader == NULL) {
		return EVERR_NOMEM;
	}
	reader->data = data;
	reader->size = size;
	event_crc32_init(&reader->crc);
	buf_init(&reader->slots, reader, SIZE_MAX);
	reader->converter = event_evtx_converter_create(reader);
	if (reader->converter != NULL) {
		check_header(reader);
		err = find_slots(reader);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(reader);
		return err;
	}
	*ret_reader = reader;
	return EVERR_OK;
}

/* How many records a chunk's head counts: not more than there is room for. */
static uint64_t head_records(const uint8_t *chunk)
{
	uint64_t first = le64_get(chunk + EVTX_CHUNK_FIRST_NUMBER);
	uint64_t last = le64_get(chunk + EVTX_CHUNK_LAST_NUMBER);

	return last - first < RECORD_MAX / RECORD_MIN ? last - first + 1 : 0;
}

void event_evtx_info(const struct event_evtx_reader *reader,
		     struct event_evtx_info *ret_info)
{
	struct event_evtx_info info = {
		.dirty = (reader->flags & EVTX_FILE_DIRTY) != 0,
		.full = (reader->flags & EVTX_FILE_FULL) != 0,
	};
	const uint8_t *chunk = NULL;
	uint64_t n;
	size_t i;

	for (i = 0; i < num_slots(reader); i++) {
		chunk = slot_bytes(reader, slots_of(reader)[i].offset);
		if (!has_magic(chunk)) {
			continue;
		}
		n = head_records(chunk);
		if (n > 0 && info.num_records == 0) {
			info.oldest_id = le64_get(chunk + EVTX_CHUNK_FIRST_ID);
		}
		info.num_chunks++;
		info.num_records += n;
	}
	*ret_info = info;
}
