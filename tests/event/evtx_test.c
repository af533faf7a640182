/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/event/make.h"
#include "tests/leak.h"

#include "event/evtx.h"

#include <sys/mman.h>

/* Facts: evtx, 2 to 5.  Offsets are written out here, not taken from us. */
#define CHUNK EVENT_EVTX_CHUNK_SIZE
#define HEADER EVENT_EVTX_HEADER_SIZE
#define FIRST_RECORD 512

/* A file in memory, and what made it. */
struct fixture {
	TALLOC_CTX *mem_ctx;
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_evtx_writer *writer;
	struct buf file;
};

static struct fixture *fixture_new(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->mem_ctx = f;
	f->dict = event_dict_create(f, NULL);
	f->packer = event_packer_create(f, f->dict);
	assert_int_equal(event_evtx_writer_create(f, f->dict, &f->writer),
			 EVERR_OK);
	buf_init(&f->file, f, 64 * 1024 * 1024);
	buf_put_zero(&f->file, HEADER);
	return f;
}

/* <Event><System/><`name`>%0</`name`></Event> */
static void make_event(struct fixture *f, const char *name, const void *value,
		       size_t len, struct buf *ret_doc)
{
	struct maker m;

	make_start(&m, f->mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_leaf(&m, name, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_BINARY, value, len);
	make_document(&m, ret_doc);
}

static everr_t add_packed(struct fixture *f, const uint8_t *data, size_t len,
			  uint64_t written)
{
	const uint8_t *chunk = NULL;
	everr_t err;

	err = event_evtx_add(f->writer, data, len, written, &chunk);
	if (err == EVERR_OK && chunk != NULL) {
		buf_put(&f->file, chunk, CHUNK);
	}
	return err;
}

static everr_t add(struct fixture *f, const char *name, const void *value,
		   size_t len)
{
	struct event_packed packed;
	struct buf doc;

	make_event(f, name, value, len, &doc);
	assert_int_equal(event_pack(f->packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	return add_packed(f, packed.data, packed.len, 1000 + len);
}

static void finish(struct fixture *f)
{
	const uint8_t *chunk = NULL;
	uint8_t header[HEADER];

	assert_int_equal(event_evtx_finish(f->writer, &chunk, header),
			 EVERR_OK);
	buf_put(&f->file, chunk, CHUNK);
	memcpy(f->file.data, header, HEADER);
	assert_int_equal(buf_error(&f->file), EVERR_OK);
}

static uint8_t *chunk_at(const struct fixture *f, size_t i)
{
	return f->file.data + HEADER + i * CHUNK;
}

/* IEEE 802.3, bit by bit. */
static uint32_t crc32(uint32_t crc, const uint8_t *data, size_t len)
{
	int bit;

	crc = ~crc;
	for (; len > 0; len--, data++) {
		crc ^= *data;
		for (bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ (0xEDB88320 & -(crc & 1));
		}
	}
	return ~crc;
}

static uint32_t header_crc(const uint8_t *chunk)
{
	return crc32(crc32(0, chunk, 120), chunk + 128, 384);
}

/* As a log that was changed on purpose: checksums are right. */
static void seal(uint8_t *chunk)
{
	le32_set(chunk + 52, crc32(0, chunk + 512, le32_get(chunk + 48) - 512));
	le32_set(chunk + 124, header_crc(chunk));
}

static void test_three_events_are_one_chunk_with_right_headers(void **state)
{
	struct fixture *f = fixture_new(state);
	const uint8_t *chunk = NULL;
	const uint8_t *last = NULL;

	assert_int_equal(add(f, "A", "1", 1), EVERR_OK);
	assert_int_equal(add(f, "A", "12", 2), EVERR_OK);
	assert_int_equal(add(f, "B", "123", 3), EVERR_OK);
	assert_int_equal(event_evtx_num_records(f->writer), 3);
	finish(f);
	assert_int_equal(f->file.len, HEADER + CHUNK);

	assert_memory_equal(f->file.data, "ElfFile", 8);
	assert_int_equal(le64_get(f->file.data + 8), 0);
	assert_int_equal(le64_get(f->file.data + 16), 0);
	assert_int_equal(le64_get(f->file.data + 24), 4);
	assert_int_equal(le32_get(f->file.data + 32), 128);
	assert_int_equal(le16_get(f->file.data + 36), 1);
	assert_int_equal(le16_get(f->file.data + 38), 3);
	assert_int_equal(le16_get(f->file.data + 40), 4096);
	assert_int_equal(le16_get(f->file.data + 42), 1);
	assert_int_equal(le32_get(f->file.data + 120), 0);
	assert_int_equal(le32_get(f->file.data + 124),
			 crc32(0, f->file.data, 120));

	chunk = chunk_at(f, 0);
	assert_memory_equal(chunk, "ElfChnk", 8);
	assert_int_equal(le64_get(chunk + 8), 1);
	assert_int_equal(le64_get(chunk + 16), 3);
	assert_int_equal(le64_get(chunk + 24), 1);
	assert_int_equal(le64_get(chunk + 32), 3);
	assert_int_equal(le32_get(chunk + 40), 128);
	assert_int_equal(le32_get(chunk + 120), 1);
	assert_int_equal(le32_get(chunk + 52),
			 crc32(0, chunk + 512, le32_get(chunk + 48) - 512));
	assert_int_equal(le32_get(chunk + 124), header_crc(chunk));

	last = chunk + le32_get(chunk + 44);
	assert_memory_equal(last, "\x2A\x2A\0\0", 4);
	assert_int_equal(le64_get(last + 8), 3);
	assert_int_equal(le64_get(last + 16), 1003);
	assert_int_equal(le32_get(chunk + 44) + le32_get(last + 4),
			 le32_get(chunk + 48));
	talloc_free(f);
}

/* Facts: evtx, 8: readers take it for an empty log; [Schuster 2007] numbers. */
static void test_a_file_without_events_has_an_empty_chunk(void **state)
{
	struct fixture *f = fixture_new(state);
	const uint8_t *chunk = NULL;

	finish(f);
	chunk = chunk_at(f, 0);
	assert_int_equal(f->file.len, HEADER + CHUNK);
	assert_int_equal(le64_get(f->file.data + 24), 1);
	assert_int_equal(le64_get(chunk + 8), 1);
	assert_int_equal(le64_get(chunk + 16), UINT64_MAX);
	assert_int_equal(le64_get(chunk + 24), UINT64_MAX);
	assert_int_equal(le64_get(chunk + 32), UINT64_MAX);
	assert_int_equal(le32_get(chunk + 48), 512);
	assert_int_equal(le32_get(chunk + 52), 0);
	talloc_free(f);
}

/* Facts: evtx, 5.  How many there are; each is checked. */
static size_t walk_strings(const uint8_t *chunk)
{
	uint32_t offset, hash, next;
	size_t bucket, i, n = 0;

	for (bucket = 0; bucket < 64; bucket++) {
		offset = le32_get(chunk + 128 + 4 * bucket);
		for (; offset != 0; offset = next, n++) {
			assert_true(offset < le32_get(chunk + 48));
			next = le32_get(chunk + offset);
			assert_true(next < offset);
			hash = 0;
			for (i = 0; i < le16_get(chunk + offset + 6); i++) {
				hash = hash * 65599 +
				       le16_get(chunk + offset + 8 + 2 * i);
			}
			hash &= 0xFFFF;
			assert_int_equal(le16_get(chunk + offset + 4), hash);
			assert_int_equal(hash % 64, bucket);
		}
	}
	return n;
}

static size_t walk_templates(const uint8_t *chunk)
{
	uint32_t offset, hash, next;
	size_t bucket, i, n = 0;

	for (bucket = 0; bucket < 32; bucket++) {
		offset = le32_get(chunk + 384 + 4 * bucket);
		for (; offset != 0; offset = next, n++) {
			assert_true(offset < le32_get(chunk + 48));
			next = le32_get(chunk + offset);
			assert_true(next < offset);
			hash = 0;
			for (i = 0; i < 8; i++) {
				hash = hash * 65599 +
				       le16_get(chunk + offset + 4 + 2 * i);
			}
			assert_int_equal(hash % 32, bucket);
			/* The short id in the instance in front of it. */
			assert_int_equal(le32_get(chunk + offset - 8),
					 le32_get(chunk + offset + 4));
			assert_int_equal(le32_get(chunk + offset - 4), offset);
		}
	}
	return n;
}

static void test_names_and_definitions_stand_once_in_their_buckets(void **state)
{
	struct fixture *f = fixture_new(state);
	char name[16];
	int i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "N%d", i);
			assert_int_equal(add(f, name, "x", 1), EVERR_OK);
		}
	}
	finish(f);
	assert_int_equal(f->file.len, HEADER + CHUNK);
	assert_int_equal(walk_strings(chunk_at(f, 0)), 22);
	assert_int_equal(walk_templates(chunk_at(f, 0)), 20);
	talloc_free(f);
}

static void test_what_does_not_fit_leaves_no_trace_in_a_full_chunk(void **state)
{
	static const uint8_t value[30000];
	struct fixture *f = fixture_new(state);
	const uint8_t *chunk = NULL;
	size_t i;

	assert_int_equal(add(f, "First", value, sizeof(value)), EVERR_OK);
	assert_int_equal(add(f, "Second", value, sizeof(value)), EVERR_OK);
	/* Its names and definition go to the second chunk. */
	assert_int_equal(add(f, "Third", value, sizeof(value)), EVERR_OK);
	finish(f);
	assert_int_equal(f->file.len, HEADER + 2 * CHUNK);

	chunk = chunk_at(f, 0);
	assert_int_equal(le64_get(chunk + 16), 2);
	assert_int_equal(walk_strings(chunk), 4);
	assert_int_equal(walk_templates(chunk), 2);
	for (i = le32_get(chunk + 48); i < CHUNK; i++) {
		assert_int_equal(chunk[i], 0);
	}
	chunk = chunk_at(f, 1);
	assert_int_equal(le64_get(chunk + 8), 3);
	assert_int_equal(le64_get(chunk + 16), 3);
	assert_int_equal(walk_strings(chunk), 3);
	assert_int_equal(walk_templates(chunk), 1);
	assert_int_equal(le16_get(f->file.data + 42), 2);
	assert_int_equal(le64_get(f->file.data + 16), 1);
	talloc_free(f);
}

/*
 * The record's share of the 65,024 bytes that is not the value: head and tail,
 * document, instance, definition and its strings, by facts: evtx, 4 to 6.
 */
#define STRING(n) (4 + 2 + 2 + 2 * (n) + 2)
#define ELEMENT (1 + 2 + 4 + 4)
#define DEFINITION                                                            \
	(24 + 4 + (ELEMENT + STRING(5) + 1 + 1) + (ELEMENT + STRING(6) + 1) + \
	 (ELEMENT + STRING(4) + 1 + 1) + 4 + 1)
#define RECORD (24 + 4 + (2 + 4 + 4) + DEFINITION + (4 + 4) + 1 + 4)

static void test_a_record_fills_a_chunk_to_the_last_byte(void **state)
{
	static const uint8_t value[CHUNK];
	struct fixture *f = fixture_new(state);
	const size_t max = EVENT_EVTX_EVENT_MAX - RECORD;

	assert_int_equal(add(f, "Blob", value, max), EVERR_OK);
	assert_int_equal(add(f, "Blob", value, max + 1), EVERR_EVENT_TOO_LARGE);
	assert_int_equal(add(f, "Blob", "x", 1), EVERR_OK);
	assert_int_equal(event_evtx_num_records(f->writer), 2);
	finish(f);
	assert_int_equal(f->file.len, HEADER + 2 * CHUNK);
	assert_int_equal(le32_get(chunk_at(f, 0) + 48), CHUNK);
	assert_int_equal(le64_get(chunk_at(f, 1) + 8), 2);
	talloc_free(f);
}

/* Two records: chunks of a file in which len bytes are left behind them. */
static size_t chunks_with_left(void **state, size_t left)
{
	static const uint8_t value[CHUNK];
	struct fixture *f = fixture_new(state);
	const size_t first = 30000 + (8 - (30000 + RECORD) % 8);
	const size_t second = CHUNK - FIRST_RECORD - (RECORD + first) -
			      (RECORD - DEFINITION) - left;
	size_t num;

	assert_int_equal(add(f, "Blob", value, first), EVERR_OK);
	assert_int_equal(add(f, "Blob", value, second), EVERR_OK);
	finish(f);
	num = le16_get(f->file.data + 42);
	if (num == 1) {
		assert_int_equal(le32_get(chunk_at(f, 0) + 48), CHUNK - left);
	}
	talloc_free(f);
	return num;
}

/* libevtx 20181227 overlooks a record that ends where its chunk does. */
static void test_a_chunk_of_several_records_has_something_left(void **state)
{
	assert_int_equal(chunks_with_left(state, 8), 1);
	assert_int_equal(chunks_with_left(state, 0), 2);
}

static void test_a_damaged_event_leaves_the_chunk_as_it_was(void **state)
{
	struct fixture *f = fixture_new(state);
	struct fixture *same = fixture_new(state);
	struct event_packed packed;
	struct buf doc;

	make_event(f, "A", "x", 1, &doc);
	assert_int_equal(event_pack(f->packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	/* Cut short; of a template that is not there; no node at all. */
	assert_int_equal(add_packed(f, packed.data, packed.len - 1, 0),
			 EVERR_BINXML_LENGTH);
	assert_int_equal(
		add_packed(f, (const uint8_t *)"\1\0\0\0\7\0\0\0", 8, 0),
		EVERR_TEMPLATE_UNKNOWN);
	assert_int_equal(add_packed(f, (const uint8_t *)"xxxx", 4, 0),
			 EVERR_BINXML_TOKEN);
	assert_int_equal(add_packed(f, packed.data, packed.len, 7), EVERR_OK);
	finish(f);

	make_event(same, "A", "x", 1, &doc);
	assert_int_equal(event_pack(same->packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	assert_int_equal(add_packed(same, packed.data, packed.len, 7),
			 EVERR_OK);
	finish(same);
	assert_int_equal(f->file.len, same->file.len);
	assert_memory_equal(f->file.data, same->file.data, f->file.len);
	talloc_free(f);
	talloc_free(same);
}

/*
 * What was a document keeps its own GUID beside a template of that GUID that
 * is another.
 */
static void test_one_guid_is_one_definition_in_a_chunk(void **state)
{
	static const struct event_dict_limits none = {0, 0};
	struct fixture *f = fixture_new(state);
	struct event_dict *full = event_dict_create(f, &none);
	struct event_packer *packer = event_packer_create(f, full);
	struct event_packed packed;
	struct buf doc, other;

	make_event(f, "Taken", "x", 1, &doc);
	make_event(f, "Other", "x", 1, &other);
	/* The GUID made from `Taken' stands for `Other' first. */
	memcpy(other.data + 6, doc.data + 6, 16);
	assert_int_equal(event_pack(f->packer, other.data, other.len, &packed),
			 EVERR_OK);
	assert_int_equal(add_packed(f, packed.data, packed.len, 1), EVERR_OK);
	assert_int_equal(event_pack(packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	assert_int_equal(packed.num_templates, 0);
	assert_int_equal(add_packed(f, packed.data, packed.len, 1), EVERR_OK);
	assert_int_equal(add_packed(f, packed.data, packed.len, 1), EVERR_OK);
	finish(f);
	assert_int_equal(walk_templates(chunk_at(f, 0)), 2);
	assert_int_equal(walk_strings(chunk_at(f, 0)), 4);
	talloc_free(f);
}

/* -------------------------------------------------------------- reading */

/* What reading a file gave: ids in order, and what was damaged. */
struct seen {
	size_t num_records;
	uint64_t ids[64];
	uint64_t sizes[64]; /* the length of the value, from its written time */
	size_t num_damages;
	struct event_evtx_damage damages[16];
};

static void read_into(struct event_evtx_reader *reader, struct seen *seen)
{
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	everr_t err;

	for (;;) {
		err = event_evtx_next(reader, &record, &damage);
		if (err == EVERR_END) {
			return;
		}
		if (err == EVERR_EVTX) {
			seen->damages[seen->num_damages++] = damage;
			continue;
		}
		assert_int_equal(err, EVERR_OK);
		seen->ids[seen->num_records] = record.id;
		seen->sizes[seen->num_records++] = record.written - 1000;
	}
}

static void read_file(struct fixture *f, struct seen *seen)
{
	struct event_evtx_reader *reader = NULL;

	*seen = (struct seen){0};
	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_OK);
	read_into(reader, seen);
	talloc_free(reader);
}

/* 9 events in three chunks. */
static struct fixture *three_chunks(void **state)
{
	static const uint8_t value[20009];
	struct fixture *f = fixture_new(state);
	size_t i;

	for (i = 1; i <= 9; i++) {
		assert_int_equal(add(f, "Blob", value, 20000 + i), EVERR_OK);
	}
	finish(f);
	assert_int_equal(f->file.len, HEADER + 3 * CHUNK);
	return f;
}

/* Where record i of a chunk begins in it. */
static size_t record_at(const uint8_t *chunk, size_t i)
{
	size_t pos = FIRST_RECORD;

	for (; i > 0; i--) {
		pos += le32_get(chunk + pos + 4);
	}
	return pos;
}

static void test_what_was_written_is_read(void **state)
{
	struct fixture *f = three_chunks(state);
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_info info;
	struct seen seen;
	size_t i;

	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 0);
	for (i = 0; i < 9; i++) {
		assert_int_equal(seen.ids[i], i + 1);
		assert_int_equal(seen.sizes[i], 20000 + i + 1);
	}

	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_OK);
	event_evtx_info(reader, &info);
	assert_int_equal(info.num_chunks, 3);
	assert_int_equal(info.num_records, 9);
	assert_int_equal(info.oldest_id, 1);
	assert_false(info.dirty || info.full);
	talloc_free(f);
}

static void test_backwards_is_the_other_way_round(void **state)
{
	struct fixture *f = three_chunks(state);
	struct event_evtx_reader *reader = NULL;
	struct seen seen = {0};
	size_t i;

	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_OK);
	event_evtx_read_backwards(reader);
	read_into(reader, &seen);
	assert_int_equal(seen.num_records, 9);
	for (i = 0; i < 9; i++) {
		assert_int_equal(seen.ids[i], 9 - i);
	}
	talloc_free(f);
}

static void test_a_ring_is_read_from_its_oldest_chunk(void **state)
{
	struct fixture *f = three_chunks(state);
	uint8_t *kept = talloc_memdup(f, chunk_at(f, 2), CHUNK);
	struct seen seen;
	size_t i;

	/* 4..6 7..9 1..3 */
	memmove(chunk_at(f, 2), chunk_at(f, 0), CHUNK);
	memmove(chunk_at(f, 0), chunk_at(f, 1), CHUNK);
	memcpy(chunk_at(f, 1), kept, CHUNK);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 0);
	for (i = 0; i < 9; i++) {
		assert_int_equal(seen.ids[i], i + 1);
	}
	talloc_free(f);
}

static void test_what_is_no_evtx_file_is_refused(void **state)
{
	struct fixture *f = three_chunks(state);
	struct event_evtx_reader *reader = NULL;

	assert_int_equal(event_evtx_open(f, f->file.data, 127, &reader),
			 EVERR_EVTX);
	f->file.data[38] = 2;
	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_EVTX);
	f->file.data[38] = 3;
	f->file.data[0] = 'e';
	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_EVTX);
	talloc_free(f);
}

/* 3.2 and flags above the three that are known: facts: evtx, 2. */
static void test_version_3_2_and_unknown_flags_are_read(void **state)
{
	struct fixture *f = three_chunks(state);
	struct seen seen;

	f->file.data[36] = 2;
	le32_set(f->file.data + 124, crc32(0, f->file.data, 120));
	le32_set(f->file.data + 120, 0x1B970000);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 0);
	talloc_free(f);
}

static void assert_damage(const struct seen *seen, size_t i, size_t offset,
			  size_t len, const char *text)
{
	assert_true(i < seen->num_damages);
	assert_int_equal(seen->damages[i].offset, offset);
	assert_int_equal(seen->damages[i].len, len);
	assert_non_null(strstr(seen->damages[i].message, text));
}

static void test_wrong_checksums_are_said_and_the_rest_is_read(void **state)
{
	struct fixture *f = three_chunks(state);
	struct seen seen;

	f->file.data[124] ^= 1;
	chunk_at(f, 0)[124] ^= 1;
	/* In the value of record 5. */
	chunk_at(f, 1)[record_at(chunk_at(f, 1), 1) + 5000] ^= 1;
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 3);
	assert_damage(&seen, 0, 0, 128, "file's header");
	assert_damage(&seen, 1, HEADER, 0, "chunk's header");
	assert_damage(&seen, 2, HEADER + CHUNK, 0, "chunk's records");

	/* Facts: evtx, 2: flag 4 is a file without checksums. */
	f->file.data[120] = 4;
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 0);
	talloc_free(f);
}

static void test_a_zeroed_stretch_costs_the_records_in_it(void **state)
{
	struct fixture *f = three_chunks(state);
	uint8_t *chunk = chunk_at(f, 1);
	size_t second = record_at(chunk, 1);
	size_t third = record_at(chunk, 2);
	struct seen seen;

	memset(chunk + second + 100, 0, third - second - 100);
	seal(chunk);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 8);
	assert_int_equal(seen.ids[4], 6);
	assert_int_equal(seen.num_damages, 1);
	assert_damage(&seen, 0, HEADER + CHUNK + second, third - second,
		      "should be a record");
	talloc_free(f);
}

static void test_zeros_behind_the_last_record_are_no_damage(void **state)
{
	struct fixture *f = three_chunks(state);
	struct seen seen;

	/* Archived files have this; facts: evtx, 3. */
	le32_set(chunk_at(f, 0) + 48, CHUNK);
	seal(chunk_at(f, 0));
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 0);
	talloc_free(f);
}

static void test_a_slot_that_is_no_chunk_is_said(void **state)
{
	struct fixture *f = three_chunks(state);
	struct seen seen;

	memset(chunk_at(f, 1), 0, CHUNK);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 6);
	assert_int_equal(seen.num_damages, 1);
	assert_damage(&seen, 0, HEADER + CHUNK, CHUNK, "should be a chunk");

	/* Behind those that the header counts it is room for more. */
	le16_set(f->file.data + 42, 1);
	le32_set(f->file.data + 124, crc32(0, f->file.data, 120));
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 6);
	assert_int_equal(seen.num_damages, 0);
	talloc_free(f);
}

static void test_records_behind_a_lost_header_are_read(void **state)
{
	struct fixture *f = three_chunks(state);
	struct seen seen;

	memset(chunk_at(f, 1), 'x', 512);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 1);
	assert_damage(&seen, 0, HEADER + CHUNK, 0, "header is damaged");
	talloc_free(f);
}

static void test_a_file_that_was_cut_is_read_up_to_there(void **state)
{
	struct fixture *f = three_chunks(state);
	size_t third = record_at(chunk_at(f, 1), 2);
	struct seen seen;

	buf_truncate(&f->file, HEADER + CHUNK + third + 77);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 5);
	assert_int_equal(seen.num_damages, 3);
	assert_damage(&seen, 0, HEADER + CHUNK + third + 77, 0,
		      "before the last");
	assert_damage(&seen, 1, HEADER + CHUNK, 0, "inside of a chunk");
	assert_damage(&seen, 2, HEADER + CHUNK + third, 77,
		      "should be a record");
	talloc_free(f);
}

/* Facts: evtx, 2: the header of a log that was not closed is an old one. */
static void test_a_log_that_was_not_closed_is_read_whole(void **state)
{
	struct fixture *f = three_chunks(state);
	uint8_t *chunk = chunk_at(f, 2);
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_info info;
	struct seen seen;

	f->file.data[120] = 1;
	le16_set(f->file.data + 42, 1);
	le64_set(f->file.data + 24, 4);
	le32_set(f->file.data + 124, crc32(0, f->file.data, 120));
	/* Nor does the chunk know of its last record. */
	le64_set(chunk + 16, 8);
	le64_set(chunk + 32, 8);
	le32_set(chunk + 44, (uint32_t)record_at(chunk, 1));
	le32_set(chunk + 48, (uint32_t)record_at(chunk, 2));
	seal(chunk);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 9);
	assert_int_equal(seen.num_damages, 0);
	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_OK);
	event_evtx_info(reader, &info);
	assert_true(info.dirty);

	/* In a closed one, or with other numbers, that is an older use. */
	f->file.data[120] = 0;
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 8);
	f->file.data[120] = 1;
	chunk[record_at(chunk, 2) + 8] = 10;
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 8);
	talloc_free(f);
}

/* The first value's spec of the chunk's first record, behind its definition. */
static uint8_t *first_spec(uint8_t *chunk)
{
	uint8_t *p = chunk + FIRST_RECORD + 24 + 4 + 10;

	return p + 24 + le32_get(p + 20) + 4;
}

/* The XML of the first record, NUL-terminated. */
static char *first_xml(struct fixture *f)
{
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	struct event_packed packed;
	struct buf out;

	seal(chunk_at(f, 0));
	assert_int_equal(event_evtx_open(f, f->file.data, f->file.len, &reader),
			 EVERR_OK);
	assert_int_equal(event_evtx_next(reader, &record, &damage), EVERR_OK);
	assert_int_equal(event_pack(f->packer, record.doc, record.len, &packed),
			 EVERR_OK);
	buf_init(&out, f, CHUNK);
	assert_int_equal(
		event_render_xml(&out, f->dict, packed.data, packed.len, NULL),
		EVERR_OK);
	buf_put_u8(&out, 0);
	return (char *)out.data;
}

/* Facts: evtx, 6: value quirks. */
static void test_values_that_wire_form_has_not_are_put_right(void **state)
{
	struct fixture *f = fixture_new(state);
	uint8_t *spec = NULL;

	assert_int_equal(add(f, "V", "A\0B\0\0\0\0\0", 8), EVERR_OK);
	finish(f);
	spec = first_spec(chunk_at(f, 0));
	assert_int_equal(le16_get(spec), 8);
	assert_int_equal(spec[2], EVENT_TYPE_BINARY);

	/* A Null that has bytes. */
	spec[2] = EVENT_TYPE_NULL;
	assert_string_equal(first_xml(f), "<Event><System/><V></V></Event>");
	/* NULs behind a string. */
	spec[2] = EVENT_TYPE_STRING;
	assert_string_equal(first_xml(f), "<Event><System/><V>AB</V></Event>");
	/* A size that the type cannot have, and a type that is none. */
	spec[2] = EVENT_TYPE_UINT32;
	assert_string_equal(first_xml(f),
			    "<Event><System/><V>4100420000000000</V></Event>");
	spec[2] = 0x22;
	assert_string_equal(first_xml(f),
			    "<Event><System/><V>4100420000000000</V></Event>");
	/* What Windows writes for the last byte of a spec is not known. */
	spec[2] = EVENT_TYPE_STRING;
	spec[3] = 0xAA;
	assert_string_equal(first_xml(f), "<Event><System/><V>AB</V></Event>");
	talloc_free(f);
}

/* Offsets where the record's definition and first name stand. */
#define DEFINITION_OFFSET (FIRST_RECORD + 24 + 4 + 6)
#define NAME_OFFSET (FIRST_RECORD + 24 + 4 + 10 + 24 + 4 + 1 + 2 + 4)

static void test_offsets_that_lead_astray_cost_the_record(void **state)
{
	static const uint32_t offsets[] = {
		0, 1, 511, 512, 65535, 65536, 65530, 0x7FFFFFFF, UINT32_MAX};
	struct fixture *f = fixture_new(state);
	struct seen seen;
	uint8_t *chunk = NULL;
	uint32_t right;
	size_t i;

	assert_int_equal(add(f, "A", "x", 1), EVERR_OK);
	assert_int_equal(add(f, "B", "xy", 2), EVERR_OK);
	finish(f);
	chunk = chunk_at(f, 0);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		right = le32_get(chunk + DEFINITION_OFFSET);
		assert_int_equal(right, DEFINITION_OFFSET + 4);
		le32_set(chunk + DEFINITION_OFFSET, offsets[i]);
		seal(chunk);
		read_file(f, &seen);
		assert_int_equal(seen.num_records, 1);
		assert_damage(&seen, 0, HEADER + FIRST_RECORD,
			      le32_get(chunk + FIRST_RECORD + 4), "record 1");
		le32_set(chunk + DEFINITION_OFFSET, right);

		right = le32_get(chunk + NAME_OFFSET);
		assert_int_equal(right, NAME_OFFSET + 4);
		le32_set(chunk + NAME_OFFSET, offsets[i]);
		seal(chunk);
		read_file(f, &seen);
		assert_int_equal(seen.num_records, 1);
		assert_int_equal(seen.ids[0], 2);
		le32_set(chunk + NAME_OFFSET, right);
	}
	talloc_free(f);
}

/* A name may stand anywhere in the chunk, behind its use too. */
static void test_a_name_that_comes_later_is_found(void **state)
{
	struct fixture *f = fixture_new(state);
	struct seen seen;
	uint8_t *chunk = NULL;
	uint32_t offset;

	assert_int_equal(add(f, "A", "x", 1), EVERR_OK);
	assert_int_equal(add(f, "B", "xy", 2), EVERR_OK);
	finish(f);
	chunk = chunk_at(f, 0);
	/* The second record's `Event' is that of the first; ours follows. */
	offset = (uint32_t)record_at(chunk, 1) + 24 + 4 + 10 + 24 + 4 + 7;
	assert_int_equal(le32_get(chunk + offset), NAME_OFFSET + 4);
	memcpy(chunk + le32_get(chunk + 48), chunk + NAME_OFFSET + 4, 20);
	le32_set(chunk + offset, le32_get(chunk + 48));
	seal(chunk);
	read_file(f, &seen);
	assert_int_equal(seen.num_records, 2);
	assert_int_equal(seen.num_damages, 0);
	talloc_free(f);
}

/* Behind 4 GiB, of which only what is looked at is in memory. */
static void test_a_place_behind_four_gigabytes_is_told(void **state)
{
	const size_t num_chunks = 65536;
	const size_t size = HEADER + num_chunks * CHUNK;
	struct fixture *f = fixture_new(state);
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	uint8_t *data = NULL;

	data = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	memcpy(data, "ElfFile", 8);
	data[38] = 3;
	data[120] = 4; /* no checksums */
	le32_set(data + 42, (uint32_t)num_chunks + 1);
	assert_int_equal(event_evtx_open(f, data, size, &reader), EVERR_OK);
	assert_int_equal(event_evtx_next(reader, &record, &damage), EVERR_EVTX);
	assert_int_equal(damage.offset, size);
	munmap(data, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_three_events_are_one_chunk_with_right_headers),
		leak_test(test_a_file_without_events_has_an_empty_chunk),
		leak_test(
			test_names_and_definitions_stand_once_in_their_buckets),
		leak_test(
			test_what_does_not_fit_leaves_no_trace_in_a_full_chunk),
		leak_test(test_a_record_fills_a_chunk_to_the_last_byte),
		leak_test(test_a_chunk_of_several_records_has_something_left),
		leak_test(test_a_damaged_event_leaves_the_chunk_as_it_was),
		leak_test(test_one_guid_is_one_definition_in_a_chunk),
		leak_test(test_what_was_written_is_read),
		leak_test(test_backwards_is_the_other_way_round),
		leak_test(test_a_ring_is_read_from_its_oldest_chunk),
		leak_test(test_what_is_no_evtx_file_is_refused),
		leak_test(test_version_3_2_and_unknown_flags_are_read),
		leak_test(test_wrong_checksums_are_said_and_the_rest_is_read),
		leak_test(test_a_zeroed_stretch_costs_the_records_in_it),
		leak_test(test_zeros_behind_the_last_record_are_no_damage),
		leak_test(test_a_slot_that_is_no_chunk_is_said),
		leak_test(test_records_behind_a_lost_header_are_read),
		leak_test(test_a_file_that_was_cut_is_read_up_to_there),
		leak_test(test_a_log_that_was_not_closed_is_read_whole),
		leak_test(test_values_that_wire_form_has_not_are_put_right),
		leak_test(test_offsets_that_lead_astray_cost_the_record),
		leak_test(test_a_name_that_comes_later_is_found),
		leak_test(test_a_place_behind_four_gigabytes_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
