/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_POSITION_H
#define EVENLOG_COLLECT_POSITION_H

/*
 * How far a host's channel has been collected, as it is kept in the store's
 * named state "collect/HOST/CHANNEL" and committed with the events it covers
 * (design decisions 6 and 7).  Pure; doc/store-format.md has the bytes.
 *
 * record_id alone would not tell a log that was cleared and has grown past it
 * from one that went on: time and hash of the last event do, and the log's
 * creation time says why.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define COLLECT_HASH_SIZE 16
/* Bytes of an encoded position. */
#define COLLECT_POSITION_MAX 512

/* Why events are missing; texts in collect_gap_cause_text(). */
enum collect_gap_cause {
	COLLECT_GAP_NONE = 0,
	/*
	 * The log rolled over before they were read.  Or it was cleared: where
	 * record ids go on after that, as on Windows, nobody can tell.
	 */
	COLLECT_GAP_OVERWRITTEN,
	COLLECT_GAP_CLEARED,	/* the log was cleared or made anew */
	COLLECT_GAP_SKIPPED,	/* numbers are missing within the log */
	COLLECT_GAP_UNREADABLE, /* the host cannot deliver them */
	COLLECT_GAP_REFUSED	/* this store does not take them */
};

/* How sure the number of missing events is. */
enum collect_gap_exact {
	COLLECT_GAP_EXACT,   /* so many */
	COLLECT_GAP_AT_MOST, /* up to so many: a filter would have left some */
	COLLECT_GAP_AT_LEAST /* the host no longer knows how many more */
};

struct collect_gap {
	uint64_t first; /* record ids, both included; 0: not known */
	uint64_t last;
	uint64_t missing;
	uint32_t cause; /* enum collect_gap_cause */
	uint32_t exact; /* enum collect_gap_exact */
};

struct collect_position {
	/* 0: the channel was empty when it was first seen. */
	uint64_t record_id;
	uint64_t time_created; /* FILETIME of that event */
	/* SHA-256, cut, of that event's XML; zeros when record_id is 0. */
	uint8_t hash[COLLECT_HASH_SIZE];
	uint64_t log_created; /* FILETIME, opnum 18; 0: not told */
	/*
	 * Records up to here have been looked at by the host's filter, which
	 * selected none beyond record_id; 0 or at least record_id.  Only gaps
	 * are counted from it, reading always goes on from record_id.
	 */
	uint64_t passed;

	uint64_t events;  /* stored, ever */
	uint64_t gaps;	  /* met, ever */
	uint64_t missing; /* in exact gaps */
	uint64_t at_most; /* in those that are bounds */
	/*
	 * The latest gap.  It is reported to Evenlog/Operational after the
	 * commit; one whose report a crash has cut off is reported at the next
	 * start.
	 */
	struct collect_gap gap;
	bool gap_reported;
};

/*
 * The state's name: "collect/HOST/CHANNEL" in lower case; where that is longer
 * than a name may be its end is replaced by a hash.  NULL: no memory.
 */
char *collect_position_name(TALLOC_CTX *mem_ctx, const char *host,
			    const char *channel);

/* What the names of all of a host's begin with.  NULL: no memory. */
char *collect_position_prefix(TALLOC_CTX *mem_ctx, const char *host);

/* Returns the length. */
size_t collect_position_encode(const struct collect_position *position,
			       uint8_t out[COLLECT_POSITION_MAX]);

/* EVERR_STORE_VERSION: a later version wrote it; EVERR_STORE_CORRUPT. */
everr_t collect_position_decode(const uint8_t *data, size_t len,
				struct collect_position *ret_position)
	EVERR_MUST_CHECK;

/* "the log was cleared" and so on; static. */
const char *collect_gap_cause_text(uint32_t cause);

#endif
