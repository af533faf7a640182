/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_JOB_H
#define EVENLOG_STORE_JOB_H

/*
 * What the loop hands to the writer: one append, one clearing, one definition
 * or removal of a channel, or a list of templates to collect.
 *
 * A job is plain malloc memory, made and freed in the loop's thread.  While
 * it is queued the writer owns it, but for the fields marked so.
 */

#include "base/everr.h"
#include "event/event.h"
#include "store/store.h"

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of one append call, as stored. */
#define STORE_APPEND_BYTES_MAX (64 * 1024 * 1024)
/* Named states of one append call. */
#define STORE_STATES_MAX 1024

struct store_lane;

enum store_job_kind {
	STORE_JOB_APPEND,
	STORE_JOB_CLEAR,
	STORE_JOB_DEFINE, /* and removal */
	STORE_JOB_COLLECT
};

/* Offsets are into the job's bytes. */
struct store_job_record {
	size_t at; /* a record's value, unsealed */
	uint32_t len;
	uint32_t record_id_at; /* offset in the value, 0: leave it */
	uint32_t nos_at;       /* index into the job's template numbers */
	uint32_t num_nos;
};

/* A template's definition that may not be on disk yet: its sealed value. */
struct store_job_def {
	uint32_t no;
	size_t at;
	size_t len;
};

struct store_job_state {
	size_t name_at;
	size_t name_len;
	size_t at;  /* the sealed value */
	size_t len; /* 0: delete */
};

struct store_job {
	struct store_job *next;
	enum store_job_kind kind;
	struct store_lane *lane; /* the channel; NULL: COLLECT, states */
	uint32_t life;		 /* APPEND, CLEAR: the channel's */

	uint8_t *bytes;
	size_t len;
	size_t size;

	struct store_job_record *records;
	size_t num_records;
	struct store_job_def *defs;
	size_t num_defs;
	size_t size_defs;
	struct store_job_state *states;
	size_t num_states;
	uint32_t *nos;
	size_t num_nos;
	size_t size_nos;
	uint64_t received; /* FILETIME of the call */

	/* DEFINE: bytes hold the channel's sealed value; or, without a lane,
	   states, for who cannot go on before they are on disk. */
	bool create; /* it is new, with its number */
	bool remove;
	uint64_t min_next_id; /* ids begin there; 0: where they are */
	uint64_t max_bytes;
	uint64_t max_age;
	bool retain;

	/* CLEAR */
	uint64_t up_to_id;

	/* The writer's answer. */
	everr_t err;
	uint64_t first_id;
	uint64_t full_bytes;  /* EVERR_CHANNEL_FULL: the channel's */
	uint64_t num_removed; /* CLEAR */
	uint64_t txn;	      /* number of the commit that has it */
	uint64_t next_id; /* DEFINE: the channel's; 0: it was not looked at */
	MDB_dbi dbi;	  /* DEFINE with create */
	bool done;	  /* DEFINE: under the queue's mutex */

	/* The loop's own: the writer does not look. */
	struct tevent_req *req;		   /* NULL: nobody waits */
	struct event_template **templates; /* distinct ones */
	size_t num_templates;
	size_t size_templates;
	size_t cost; /* as counted in queued bytes */
};

/* NULL: out of memory. */
struct store_job *store_job_new(enum store_job_kind kind,
				struct store_lane *lane);
void store_job_free(struct store_job *job);

/* Room for len bytes at *ret_at; may move job->bytes.  False: no memory. */
bool store_job_extend(struct store_job *job, size_t len, size_t *ret_at)
	__attribute__((warn_unused_result));

/*
 * Add a packed event; num_records grows, and records has room for it.
 * EVERR_LIMIT above STORE_APPEND_BYTES_MAX, EVERR_NOMEM.
 */
everr_t store_job_add_event(struct store_job *job,
			    const struct event_packed *event,
			    const struct store_input *input) EVERR_MUST_CHECK;
everr_t store_job_add_def(struct store_job *job,
			  const struct event_template *tmpl) EVERR_MUST_CHECK;
/* EVERR_INVALID: a name or size outside store.h's limits. */
everr_t store_job_add_state(struct store_job *job,
			    const struct store_state *state) EVERR_MUST_CHECK;
everr_t store_job_add_no(struct store_job *job, uint32_t no) EVERR_MUST_CHECK;
/* Remember a template for the loop's own bookkeeping. */
everr_t store_job_add_template(struct store_job *job,
			       struct event_template *tmpl) EVERR_MUST_CHECK;

#endif
