/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_RESUME_H
#define EVENLOG_COLLECT_RESUME_H

/*
 * Where to go on reading a log, given what is remembered of it and what it
 * says now (design decisions 6 and 7).  Pure; collect/compare.h asks the log.
 *
 * Where nothing tells whether an event was stored before, it is read: rather
 * twice than not at all.  Never "now".
 */

#include "collect/client.h"
#include "collect/digest.h"
#include "collect/gap.h"
#include "collect/position.h"

#include <stdbool.h>
#include <stdint.h>

/* The record that the position names. */
enum collect_probe {
	COLLECT_PROBE_FOUND,
	COLLECT_PROBE_GONE,
	COLLECT_PROBE_UNKNOWN /* the host cannot tell, or not deliver it */
};

/* What the log says. */
struct collect_facts {
	uint64_t created; /* FILETIME, opnum 18; 0: not told */
	enum collect_probe probe;
	struct collect_digest digest; /* when it was found */
	bool bounds;		      /* oldest and newest are known */
	uint64_t oldest;	      /* record ids; 0: the log is empty */
	uint64_t newest;
	struct collect_digest newest_digest;
};

/* What else decides. */
struct collect_memory {
	bool filtered;	 /* the query is not "*" */
	uint64_t newest; /* record id at the last look; 0: not known */
	/*
	 * The host did not take the position's bookmark, or did not obey it,
	 * since the last event that was stored.
	 */
	bool refused;
	/* A plan to prove the log has failed since then. */
	bool unproved;
};

struct collect_plan {
	enum collect_from from; /* OLDEST, or BOOKMARK of record_id */
	bool strict;
	/*
	 * Events up to record_id that come all the same have been stored: the
	 * log is proved to be the one that is remembered.
	 */
	bool again;
	/*
	 * With again: it is to be proved yet, by the record of record_id, when
	 * that comes with the position's hash.  Until then nothing is stored;
	 * if it does not come the log is to be compared again (unproved).
	 */
	bool prove;
	/*
	 * The position to have before the first event: it is another one than
	 * the position remembers if restart is set, without time and hash.
	 */
	uint64_t record_id;
	bool restart;
	struct collect_gap gap;
};

void collect_resume(const struct collect_position *position,
		    const struct collect_facts *facts,
		    const struct collect_memory *memory,
		    struct collect_plan *ret_plan);

#endif
