/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_REPORT_H
#define EVENLOG_SOAP_WSUS_REPORT_H

/*
 * What the reporting service's modules share: the tables as memory knows
 * them, and a call that changes them row by row.
 */

#include "base/wintime.h"
#include "soap/wsus_hash.h"
#include "soap/wsus_job.h"
#include "soap/wsus_rows.h"
#include "soap/wsus_tables.h"

/* What GetRollupConfiguration tells, and the calls keep to; facts 10.1. */
#define WSUS_BATCH_SUMMARIES 5000
#define WSUS_BATCH_COMPUTERS 1500
#define WSUS_BATCH_OUT_OF_SYNC 20000
#define WSUS_BATCH_STATUS 500

/* The Message of a fault, for an administrator. */
#define WSUS_PARENT_UNKNOWN                                                   \
	"a ParentServerId is of no server that has authorized itself or was " \
	"reported"

/* What corrections of a sender's clock are rounded to: a minute. */
#define WSUS_CLOCK_STEP (60 * WINTIME_SECOND)

/* 9999-12-31T23:59:59.9999999Z: for ever. */
#define WSUS_TIME_FOR_EVER UINT64_C(2650467743999999999)

/* -------------------------------------------------------------- tables */

/*
 * Entries are children of the tables and stay; one whose first row did not
 * get to disk goes with the job that made it.
 */
struct wsus_server_entry {
	struct wsus_link link;
	struct wsus_lock lock;
	struct ev_guid id;
	struct wsus_server_row *row; /* NULL: not on disk yet */
	/* Told by status calls since the last sync_finished event. */
	uint64_t computers, changes;
	/* wsus_tables_descendants(): which walk, and what it found. */
	uint32_t walk;
	bool below;
};

/* About 240 bytes each, with an id of 36; the rest is read when needed. */
struct wsus_computer_entry {
	struct wsus_link link;
	struct wsus_lock lock;
	bool committed;
	int32_t rollup_number;
	uint64_t detection;
	struct ev_guid parent;
	uint32_t mark; /* of the last answer it stands in */
	uint16_t id_len;
	char id[]; /* in lower case */
};

struct wsus_tables {
	struct wsus *wsus;
	struct wsus_hash servers;
	struct wsus_hash computers;
	uint32_t walks;
	uint32_t marks;
	uint64_t damaged; /* rows that could not be read, ever */
	uint64_t rows;	  /* of statuses taken in */
	uint64_t transitions;
};

/* Only what is on disk; NULL: none. */
struct wsus_server_entry *wsus_tables_server(const struct wsus_tables *tables,
					     const struct ev_guid *id);
struct wsus_computer_entry *wsus_tables_computer(
	const struct wsus_tables *tables, const char *id);

/*
 * The same, made when there is none; NULL in *ret_entry never.
 * EVERR_LIMIT: servers_max, computers_max, or an id that is none.
 */
everr_t wsus_tables_server_make(
	struct wsus_tables *tables, const struct ev_guid *id,
	struct wsus_server_entry **ret_entry) EVERR_MUST_CHECK;
everr_t wsus_tables_computer_make(struct wsus_tables *tables, const char *id,
				  struct wsus_computer_entry **ret_entry)
	EVERR_MUST_CHECK;

/* A job with the entry ended: one that nothing came of goes. */
void wsus_tables_server_tidy(struct wsus_tables *tables,
			     struct wsus_server_entry *entry);
void wsus_tables_computer_tidy(struct wsus_tables *tables,
			       struct wsus_computer_entry *entry);

/*
 * Find out which servers are id or below it; entry->below holds where
 * entry->walk is the result.
 */
uint32_t wsus_tables_descendants(struct wsus_tables *tables,
				 const struct ev_guid *id);

/*
 * The computer's row from the store.  A damaged one is counted and as good as
 * none: EVERR_NOT_FOUND.
 */
everr_t wsus_tables_computer_read(
	TALLOC_CTX *mem_ctx, struct wsus_tables *tables, const char *id,
	struct wsus_computer_row *ret_row) EVERR_MUST_CHECK;

/* A copy that stays when the exchange goes; strings are children of mem_ctx. */
everr_t wsus_origin_copy(TALLOC_CTX *mem_ctx,
			 const struct bridge_origin *origin,
			 struct bridge_origin *ret_origin) EVERR_MUST_CHECK;

/* --------------------------------------------------------------- calls */

struct wsus_rollup_guard;

/*
 * One call's changes.  A child of the tables: what has been handed to the
 * store is seen through also when the sender goes.  The first member of the
 * call's own structure.
 */
struct wsus_rollup {
	struct wsus *wsus;
	struct soap_call *call; /* NULL: answered, or gone */
	struct wsus_rollup_guard *guard;
	struct bridge_origin origin; /* its strings are children */
	int64_t shift;		     /* added to the times of the call */
	size_t jobs;		     /* under way */
	size_t bytes;		     /* that they hold */
	size_t applied;		     /* that changed something */
	bool paused;
	bool complete;	 /* the request is; answer comes when jobs is 0 */
	everr_t err;	 /* the first job's that failed */
	const char *why; /* more than err says, for an administrator; or NULL */
	/* All went well or rollup->err: give the answer. */
	void (*answer)(struct wsus_rollup *rollup);
	/* wsus_rollup_each() */
	bool running;
	bool in_run;
	size_t next, num;
	void (*start)(struct wsus_rollup *rollup, size_t index);
	struct tevent_immediate *again;
};

/* A job of a rollup; the first member of the job's own structure. */
struct wsus_rollup_job {
	struct wsus_job job;
	struct wsus_rollup *rollup;
	size_t bytes;
	bool changed; /* a commit of it is done */
	void (*ended)(struct wsus_rollup_job *job, everr_t err);
};

/*
 * The call's rollup; made at the first use (size bytes, zero), with the checks
 * that all three have.  NULL: a fault has been given.
 */
void *wsus_rollup_get(struct soap_call *call, size_t size,
		      void (*answer)(struct wsus_rollup *rollup));
#define wsus_rollup_of(call, type, answer) \
	((type *)wsus_rollup_get(call, sizeof(type), answer))

/* Why a report of computers is refused where only sums are wanted. */
#define WSUS_NOT_DETAILED \
	"it reports computers, which detailed_rollup in [wsus] turns off"

/*
 * A fault, once; the rollup goes when its jobs have ended.  The rollup's why
 * is the reason of the event.
 */
void wsus_rollup_fault(struct wsus_rollup *rollup, const char *error_code,
		       const char *message);
/* The same for one of ours: InternalServerError, with why or its text. */
void wsus_rollup_error(struct wsus_rollup *rollup, everr_t err);

/*
 * Run a job, whose prepare, committed and ended are set; it becomes a child
 * of the tables.  ended may be NULL.
 */
void wsus_rollup_start(struct wsus_rollup *rollup, struct wsus_rollup_job *job,
		       struct wsus_lock *lock, size_t bytes);
/* The request is complete: answer, now or when the jobs have ended. */
void wsus_rollup_complete(struct wsus_rollup *rollup);
/*
 * The same after start() was called for each of num, as many at a time as may
 * be under way.  Ends early when a job fails or the sender goes.
 */
void wsus_rollup_each(struct wsus_rollup *rollup, size_t num,
		      void (*start)(struct wsus_rollup *rollup, size_t index));
/* From answer, before it is given: the call is over, rollup gone. */
void wsus_rollup_answered(struct wsus_rollup *rollup);

/* -------------------------------------------------------------- fields */

/*
 * Fields of a request.  What is not there is 0, what is not of its type or
 * too long sets bad to the field's name (the first one stays).
 */
struct wsus_fields {
	TALLOC_CTX *mem_ctx; /* of texts */
	int64_t shift;
	const char *bad;
	bool nomem;
};

int32_t wsus_field_int(struct wsus_fields *fields, const char *name,
		       const char *text);
bool wsus_field_bool(struct wsus_fields *fields, const char *name,
		     const char *text);
struct ev_guid wsus_field_guid(struct wsus_fields *fields, const char *name,
			       const char *text);
/* Shifted, unless it stands for never or for ever. */
uint64_t wsus_field_time(struct wsus_fields *fields, const char *name,
			 const char *text);
/* NULL for "". */
const char *wsus_field_text(struct wsus_fields *fields, const char *name,
			    const char *text, size_t max);

/* A rollup's fault for fields; false: they are all right. */
bool wsus_fields_fault(const struct wsus_fields *fields,
		       struct wsus_rollup *rollup);

extern const struct soap_operation wsus_rollup_servers;
extern const struct soap_operation wsus_rollup_computers;
extern const struct soap_operation wsus_rollup_status;

#endif
