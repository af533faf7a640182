/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_EVTX_CHUNK_H
#define EVENLOG_EVENT_EVTX_CHUNK_H

/*
 * A chunk that is being written: its bytes, and its tables of strings and
 * definitions, in which each stands once.  Inside of the writer.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"
#include "event/crc32.h"
#include "event/dict.h"
#include "event/evtx.h"
#include "event/evtx_format.h"

#include <stddef.h>
#include <stdint.h>

struct event_evtx_chunk {
	struct buf out;		/* from the chunk's first byte */
	struct buf definitions; /* what stands in it: struct definition */
	uint64_t first_record;	/* number of its first record */
	uint32_t num_records;
	uint32_t last_record; /* where it begins */
};

/* Where a record began, to take it back. */
struct event_evtx_mark {
	size_t len;
	size_t definitions_len;
	uint8_t tables[EVTX_TABLES_SIZE];
};

/* NULL: no memory. */
struct event_evtx_chunk *event_evtx_chunk_create(TALLOC_CTX *mem_ctx);

/* Empty it; its first record will have that number. */
void event_evtx_chunk_reset(struct event_evtx_chunk *chunk,
			    uint64_t first_record);

/* Its error: EVERR_LIMIT when it is full. */
everr_t event_evtx_chunk_error(const struct event_evtx_chunk *chunk)
	EVERR_MUST_CHECK;

/* Take back everything since the mark, the error too. */
void event_evtx_chunk_mark(const struct event_evtx_chunk *chunk,
			   struct event_evtx_mark *ret_mark);
void event_evtx_chunk_rewind(struct event_evtx_chunk *chunk,
			     const struct event_evtx_mark *mark);

/* A name: its offset and, if it is new, the string; for event_writer. */
void event_evtx_put_name(void *private_data, const uint8_t *units,
			 size_t num_units);

/*
 * What refers to a definition behind 0C 01, with the definition if it is new.
 * def is RPC form; id is its SHA-256 and identifies it.  A GUID that stands
 * for another definition in this chunk is replaced by one made from def.
 *
 * EVERR_BINXML_*, EVERR_LIMIT  the definition is malformed
 */
everr_t event_evtx_put_definition(struct event_evtx_chunk *chunk,
				  const struct ev_guid *guid,
				  const uint8_t id[EVENT_TEMPLATE_ID_SIZE],
				  const uint8_t *def,
				  size_t def_len) EVERR_MUST_CHECK;

/* Fill it up with zeros and write its header: the chunk is done. */
void event_evtx_chunk_close(struct event_evtx_chunk *chunk,
			    const struct event_crc32 *crc);

#endif
