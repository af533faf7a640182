/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_STATES_H
#define EVENLOG_SOAP_WSUS_STATES_H

/*
 * The update states of one computer: what is known, what a rollup says, and
 * what follows.  [MS-WSUSSS] 3.1.4.17.  Pure.
 */

#include "base/buf.h"
#include "base/guid.h"

#include <stdbool.h>

/* As many as one row of WSUS_ROW_MAX bytes holds. */
#define WSUS_STATES_MAX 40000
/* The bytes of one in the row. */
#define WSUS_STATE_SIZE 26

struct wsus_state {
	struct ev_guid update;
	uint64_t changed; /* LastChangeTime */
	uint32_t order;	  /* of what was sent */
	uint16_t state;	  /* SummarizationState */
};

struct wsus_states {
	struct wsus_state *rows; /* by update, in the order of bytes */
	size_t num;
	bool baseline; /* a full rollup has been seen */
};

/* A transition that is worth an event. */
struct wsus_transition {
	size_t at; /* in the result's rows */
	bool known;
	struct wsus_state old; /* when it was known */
};

struct wsus_merge {
	struct wsus_states result;
	struct wsus_transition *transitions;
	size_t num_transitions;
	bool baseline; /* this is the first full rollup */
	bool changed;  /* the row must be written */
};

/*
 * Sort what was sent, order being set, and leave one row for each update: of
 * several the last, unless its time is before the other's.
 */
void wsus_states_sort(struct wsus_states *states);

/*
 * What is known after a rollup.  A full one replaces all; of another, rows
 * whose time is before the known one's are passed over.
 *
 * A transition is a state that differs from the known one.  An update that was
 * not known makes one when there is something to do or to tell (not for "not
 * applicable" and "unknown", and not in the first full rollup, whose states
 * are the baseline).
 *
 * EVERR_LIMIT: more than max rows; EVERR_NOMEM.
 */
everr_t wsus_states_merge(TALLOC_CTX *mem_ctx, const struct wsus_states *old,
			  const struct wsus_states *sent, bool full, size_t max,
			  struct wsus_merge **ret_merge) EVERR_MUST_CHECK;

/*
 * The row's bytes when the first num transitions have been told: what the
 * others speak of is left as it was.
 */
void wsus_states_encode(struct buf *out, const struct wsus_merge *merge,
			size_t num);

/* EVERR_STORE_CORRUPT, EVERR_STORE_VERSION, EVERR_NOMEM */
everr_t wsus_states_decode(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			   struct wsus_states *ret_states) EVERR_MUST_CHECK;

#endif
