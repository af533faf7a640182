/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_EVTX_H
#define EVENLOG_EVENT_EVTX_H

/*
 * The .evtx file format: writing and reading.  No specification of it is
 * public; doc/evtx.md says what is written, and from which observations.
 * Pure: bytes in, bytes out.
 */

#include "base/everr.h"
#include "event/dict.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define EVENT_EVTX_HEADER_SIZE 4096
#define EVENT_EVTX_CHUNK_SIZE 65536
/* BinXML of one record with the strings and definitions inside it. */
#define EVENT_EVTX_EVENT_MAX 65024
/* The header has 16 bits to count them: 4 GiB. */
#define EVENT_EVTX_CHUNKS_MAX 65535

/* -------------------------------------------------------------- writing */

struct event_evtx_writer;

/* dict numbers the templates of the packed events, and outlives the writer. */
everr_t event_evtx_writer_create(TALLOC_CTX *mem_ctx, struct event_dict *dict,
				 struct event_evtx_writer **ret_writer)
	EVERR_MUST_CHECK;

/*
 * Add a packed event; its record number and id are the next one, from 1;
 * System/EventRecordID stays what it is.  When a chunk is full,
 * *ret_chunk is its EVENT_EVTX_CHUNK_SIZE bytes, valid until the next call,
 * and the event is the first of the next chunk; else NULL.
 *
 * EVERR_EVENT_TOO_LARGE  does not fit a chunk; nothing changed
 * EVERR_BINXML_*, EVERR_TEMPLATE_UNKNOWN  damaged; nothing changed
 * EVERR_LIMIT            a file has at most EVENT_EVTX_CHUNKS_MAX chunks;
 *                        or damaged; nothing changed
 * EVERR_NOMEM
 */
everr_t event_evtx_add(struct event_evtx_writer *writer, const uint8_t *data,
		       size_t len, uint64_t written_time,
		       const uint8_t **ret_chunk) EVERR_MUST_CHECK;

/*
 * The last chunk (an empty one if there was no event) and the file's header.
 * Chunks stand behind the header in the order they were handed out.
 */
everr_t event_evtx_finish(
	struct event_evtx_writer *writer, const uint8_t **ret_chunk,
	uint8_t header[EVENT_EVTX_HEADER_SIZE]) EVERR_MUST_CHECK;

uint64_t event_evtx_num_records(const struct event_evtx_writer *writer);

/* -------------------------------------------------------------- reading */

struct event_evtx_reader;

struct event_evtx_record {
	uint64_t id;	    /* of the record's head */
	uint64_t written;   /* FILETIME */
	const uint8_t *doc; /* RPC-form BinXML, for event_pack(); valid until
			       the next call */
	size_t len;
	uint64_t offset; /* of the record in the file */
};

/* What could not be read, or not be trusted; reading goes on behind it. */
struct event_evtx_damage {
	uint64_t offset; /* in the file */
	uint64_t len;	 /* bytes that were passed over, or 0 */
	char message[160];
};

/*
 * data is the whole file (mapped), which outlives the reader; it may change
 * under it.  The header is
 * not believed (a log that was not closed has an old one): every 64 KiB slot
 * is looked at, and chunks are read in order of their first record id.
 *
 * EVERR_EVTX  not an .evtx file of major version 3
 * EVERR_NOMEM
 */
everr_t event_evtx_open(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t size,
			struct event_evtx_reader **ret_reader) EVERR_MUST_CHECK;

/* Before the first record: read the last one first. */
void event_evtx_read_backwards(struct event_evtx_reader *reader);

/*
 * The next record.  Its document's structure is whole; event_pack() may still
 * refuse it, for a name that XML does not allow and the like.
 *
 * EVERR_END
 * EVERR_EVTX  *ret_damage says what was passed over; call again
 * EVERR_NOMEM
 */
everr_t event_evtx_next(struct event_evtx_reader *reader,
			struct event_evtx_record *ret_record,
			struct event_evtx_damage *ret_damage) EVERR_MUST_CHECK;

/* What the heads of the valid chunks say; facts: evtx, 7. */
struct event_evtx_info {
	uint64_t num_chunks;
	uint64_t num_records;
	uint64_t oldest_id;
	bool dirty;
	bool full;
};
void event_evtx_info(const struct event_evtx_reader *reader,
		     struct event_evtx_info *ret_info);

#endif
