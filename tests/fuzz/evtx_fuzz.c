/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as an .evtx file, forwards and backwards.  The first byte says
 * what the others are: a whole file, the records of a chunk, the BinXML of one
 * record, so that the fuzzer need not find headers and checksums; or a packed
 * event, as from a damaged disk, to be written.  What is read and can be packed
 * is written; what is read of that renders as the same XML.
 */

#include "event/evtx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum input {
	INPUT_FILE,
	INPUT_CHUNK,
	INPUT_RECORD,
	INPUT_PACKED,
	NUM_INPUTS
};

struct target {
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_evtx_writer *writer;
	struct buf file;    /* what is read */
	struct buf written; /* what is written of it */
	struct buf xml;	    /* of all events that were written */
	struct buf again;   /* of all that were read of that */
};

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static struct target *target_new(TALLOC_CTX *mem_ctx)
{
	struct target *t = talloc_zero(mem_ctx, struct target);

	t->dict = event_dict_create(t, NULL);
	t->packer = event_packer_create(t, t->dict);
	must(event_evtx_writer_create(t, t->dict, &t->writer) == EVERR_OK);
	buf_init(&t->file, t, 1 << 24);
	buf_init(&t->written, t, 1 << 26);
	buf_init(&t->xml, t, 1 << 28);
	buf_init(&t->again, t, 1 << 28);
	buf_put_zero(&t->written, EVENT_EVTX_HEADER_SIZE);
	return t;
}

/* A file of one chunk without checksums, empty but for the input. */
static void make_file(struct buf *file, enum input input, const uint8_t *data,
		      size_t size)
{
	const size_t records = EVENT_EVTX_HEADER_SIZE + 512;
	uint8_t *record = NULL;
	uint8_t *chunk = NULL;
	size_t len = (size + 28 + 7) / 8 * 8;

	buf_put_zero(file, EVENT_EVTX_HEADER_SIZE + EVENT_EVTX_CHUNK_SIZE);
	memcpy(file->data, "ElfFile", 8);
	file->data[38] = 3;
	file->data[42] = 1;
	file->data[120] = 4;
	chunk = file->data + EVENT_EVTX_HEADER_SIZE;
	memcpy(chunk, "ElfChnk", 8);
	le32_set(chunk + 48, EVENT_EVTX_CHUNK_SIZE);
	if (input == INPUT_CHUNK) {
		memcpy(file->data + records, data, size);
		return;
	}
	record = file->data + records;
	memcpy(record, "**", 2);
	le32_set(record + 4, (uint32_t)len);
	memcpy(record + 24, data, size);
	le32_set(record + len - 4, (uint32_t)len);
}

static bool load(struct target *t, const uint8_t *data, size_t size)
{
	enum input input;

	if (size == 0) {
		return false;
	}
	input = (enum input)(data[0] % NUM_INPUTS);
	if (input == INPUT_FILE) {
		buf_put(&t->file, data + 1, size - 1);
		return true;
	}
	if (size - 1 > EVENT_EVTX_EVENT_MAX - 36) {
		return false;
	}
	make_file(&t->file, input, data + 1, size - 1);
	return true;
}

static everr_t render(struct target *t, struct buf *out,
		      const struct event_packed *packed)
{
	everr_t err;

	err = event_render_xml(out, t->dict, packed->data, packed->len, NULL);
	must(err == EVERR_OK || err == EVERR_LIMIT);
	return err;
}

/* Write what can be rendered, so that there is something to compare. */
static void keep(struct target *t, const struct event_evtx_record *record)
{
	const uint8_t *chunk = NULL;
	struct event_packed packed;
	size_t len = t->xml.len;
	everr_t err;

	err = event_pack(t->packer, record->doc, record->len, &packed);
	if (err != EVERR_OK || render(t, &t->xml, &packed) != EVERR_OK) {
		return;
	}
	err = event_evtx_add(t->writer, packed.data, packed.len,
			     record->written, &chunk);
	must(err == EVERR_OK || err == EVERR_EVENT_TOO_LARGE);
	if (err != EVERR_OK) {
		buf_truncate(&t->xml, len);
	} else if (chunk != NULL) {
		buf_put(&t->written, chunk, EVENT_EVTX_CHUNK_SIZE);
	}
}

static void check_damage(const struct event_evtx_damage *damage, size_t size)
{
	must(damage->offset <= size);
	must(memchr(damage->message, 0, sizeof(damage->message)) != NULL);
}

/* How many there are of both. */
static size_t read_all(struct target *t, bool backwards)
{
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	struct event_evtx_info info;
	size_t n = 0;
	everr_t err;

	err = event_evtx_open(t, t->file.data, t->file.len, &reader);
	if (err != EVERR_OK) {
		return 0;
	}
	event_evtx_info(reader, &info);
	if (backwards) {
		event_evtx_read_backwards(reader);
	}
	for (;;) {
		err = event_evtx_next(reader, &record, &damage);
		if (err == EVERR_END) {
			break;
		}
		n++;
		must(err == EVERR_OK || err == EVERR_EVTX);
		if (err == EVERR_EVTX) {
			check_damage(&damage, t->file.len);
		} else if (!backwards) {
			keep(t, &record);
		}
	}
	talloc_free(reader);
	return n;
}

/* What the disk lost may be written, as far as it can be taken apart. */
static void write_packed(struct target *t, const uint8_t *data, size_t size)
{
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	uint8_t header[EVENT_EVTX_HEADER_SIZE];
	const uint8_t *chunk = NULL;
	everr_t err;

	err = event_evtx_add(t->writer, data, size, 0, &chunk);
	must(event_evtx_num_records(t->writer) == (err == EVERR_OK ? 1U : 0U));
	must(event_evtx_finish(t->writer, &chunk, header) == EVERR_OK);
	buf_put(&t->written, chunk, EVENT_EVTX_CHUNK_SIZE);
	memcpy(t->written.data, header, sizeof(header));
	must(event_evtx_open(t, t->written.data, t->written.len, &reader) ==
	     EVERR_OK);
	do {
		err = event_evtx_next(reader, &record, &damage);
	} while (err != EVERR_END);
}

static void finish(struct target *t)
{
	uint8_t header[EVENT_EVTX_HEADER_SIZE];
	const uint8_t *chunk = NULL;

	must(event_evtx_finish(t->writer, &chunk, header) == EVERR_OK);
	buf_put(&t->written, chunk, EVENT_EVTX_CHUNK_SIZE);
	memcpy(t->written.data, header, sizeof(header));
}

/* Nothing of what was written is damaged, and it says the same. */
static void check_written(struct target *t)
{
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	struct event_packed packed;
	everr_t err;

	must(event_evtx_open(t, t->written.data, t->written.len, &reader) ==
	     EVERR_OK);
	for (;;) {
		err = event_evtx_next(reader, &record, &damage);
		if (err == EVERR_END) {
			break;
		}
		must(err == EVERR_OK);
		must(event_pack(t->packer, record.doc, record.len, &packed) ==
		     EVERR_OK);
		must(render(t, &t->again, &packed) == EVERR_OK);
	}
	must(t->again.len == t->xml.len);
	must(t->xml.len == 0 ||
	     memcmp(t->again.data, t->xml.data, t->xml.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct target *t = target_new(mem_ctx);
	size_t n;

	if (size > 0 && data[0] % NUM_INPUTS == INPUT_PACKED) {
		write_packed(t, data + 1, size - 1);
	} else if (load(t, data, size)) {
		n = read_all(t, false);
		must(read_all(t, true) == n);
		finish(t);
		check_written(t);
	}
	talloc_free(mem_ctx);
	return 0;
}
