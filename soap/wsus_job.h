/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_JOB_H
#define EVENLOG_SOAP_WSUS_JOB_H

/*
 * One change of the durable tables: events and the rows that speak of them in
 * one commit, or in several when there are many.  Changes of one row come one
 * after the other, whichever calls they are from: a job holds its row's lock
 * from before it reads until what it wrote is on disk.  What memory knows of a
 * row is changed only then.
 */

#include "bridge/events.h"
#include "soap/wsus_internal.h"

/* Events of one commit, and so of one turn of the loop. */
#define WSUS_JOB_EVENTS 512

struct wsus_job;

/* Of a row; all zero: nobody has it. */
struct wsus_lock {
	struct wsus_job *owner;
	struct wsus_job *waiting; /* in the order they came */
	struct wsus_job *last;
};

/* The first member of a job's own structure, zero but for what is named. */
struct wsus_job {
	struct wsus *wsus;	/* set by the maker */
	struct wsus_lock *lock; /* set by the maker; NULL: none is needed */
	/*
	 * One turn: add to events and states; all else it makes goes to turn,
	 * which is freed when the commit has been handed over.  Neither events
	 * nor states: the job is done.  more: it is called again after the
	 * commit.
	 */
	everr_t (*prepare)(struct wsus_job *job);
	/* It is on disk: tell memory. */
	void (*committed)(struct wsus_job *job);
	/* The end; the row is free again, and the job is freed after it. */
	void (*done)(struct wsus_job *job, everr_t err);

	TALLOC_CTX *turn;
	struct bridge_events *events;
	struct store_state *states;
	size_t num_states;
	bool more;

	struct wsus_job *next; /* that waits for the lock */
	struct tevent_immediate *wake;
};

/*
 * Begin, or wait for the lock.  job is a talloc pointer; it may be freed when
 * this returns.  EVERR_NOMEM: it was not begun, and done is not called.
 */
everr_t wsus_job_start(struct wsus_job *job) EVERR_MUST_CHECK;

/*
 * For prepare: a row to write.  name is copied to turn; data is a buffer of
 * turn.  EVERR_NOMEM, or the buffer's error.
 */
everr_t wsus_job_state(struct wsus_job *job, const char *name,
		       const struct buf *data) EVERR_MUST_CHECK;

#endif
