/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_CRASHPOINT_H
#define EVENLOG_STORE_CRASHPOINT_H

/*
 * Named places where a test lets the process die.
 *
 * EVENLOG_CRASH_POINT=NAME or NAME:N in the environment of a process that
 * opens a store for writing makes it send itself SIGKILL when its writer
 * passes the place for the Nth time (from 1).  Off, a place costs one
 * comparison.
 */

#include <stdbool.h>

enum store_crash_point {
	STORE_CRASH_NONE,
	STORE_CRASH_BEFORE_TXN, /* before-txn: work taken, nothing begun */
	STORE_CRASH_AFTER_TEMPLATE_PUT, /* after-template-put */
	STORE_CRASH_AFTER_RECORDS,	/* after-records: heads not written */
	STORE_CRASH_DURING_TRIM,	/* during-trim: a record was removed */
	STORE_CRASH_BEFORE_COMMIT,	/* before-commit */
	STORE_CRASH_AFTER_COMMIT,	/* after-commit: nobody was told */
	STORE_CRASH_BEFORE_DEFINE, /* before-define: channel, uncommitted */
	STORE_CRASH_AFTER_DEFINE,  /* after-define: committed, not told */
	STORE_CRASH_DURING_CLEAR,  /* during-clear: gap written, no head */
	STORE_CRASH_AFTER_CLEAR,   /* after-clear: no record removed yet */
	STORE_CRASH_DURING_SWEEP,  /* during-sweep: a cleared one removed */
	STORE_CRASH_BEFORE_REMOVE, /* before-remove: channel, uncommitted */
	STORE_CRASH_AFTER_REMOVE   /* after-remove: committed, not told */
};

struct store_crash {
	enum store_crash_point point;
	unsigned int passes; /* left before the last one */
};

/* From the environment; anything that is no such name is off. */
void store_crash_init(struct store_crash *crash);

/* The last of the passes. */
void store_crash_now(struct store_crash *crash);

static inline void store_crash_at(struct store_crash *crash,
				  enum store_crash_point point)
{
	if (__builtin_expect(crash->point == point, false)) {
		store_crash_now(crash);
	}
}

#endif
