/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_INTERNAL_H
#define EVENLOG_STORE_INTERNAL_H

/*
 * The loop's side of the store: what store.c, channel.c, origin.c, template.c,
 * append.c, clear.c and read.c share.  Nothing here is for other rooms; tests use the hooks.
 */

#include "store/writer.h"

struct store_watch {
	struct store_watch *prev;
	struct store_watch *next;
	struct store_channel *channel;
	store_watch_fn fn;
	void *private_data;
};

struct store_channel {
	struct store *store;
	/*
	 * Its number's; calloc; lane.user leads back.  NULL: it was removed
	 * and the number has another owner.
	 */
	struct store_wchannel *writer;
	uint32_t life; /* of the number: how many it had */
	bool removed;
	struct store_channel_info info; /* strings are talloc children */
	MDB_dbi dbi;

	struct store_watch *watches;
	struct store_watch *watch_iter; /* the next to be called */
	/* Retained bytes when an append did not fit; 0: none has not. */
	uint64_t full_bytes;
	bool fire; /* records came; watches are to be called */
	struct store_channel *fire_next;
};

/* A template, as the loop keeps account of it; event_template.user. */
struct store_tmpl {
	uint32_t no;
	bool persisted;	  /* its definition is on disk */
	uint32_t pending; /* appends on their way that use it */
	uint64_t used;	  /* the last commit that did */
	uint64_t unused;  /* the commit after which nobody did; 0 */
	uint64_t job;	  /* the job that has listed it last */
	struct store_tmpl *unused_next;
	bool in_unused;
};

/* A cursor of a snapshot on one channel. */
struct store_position {
	MDB_cursor *cursor;
	uint64_t renewed;  /* the snapshot's generation */
	uint64_t at;	   /* id it stands on; 0: nowhere */
	uint64_t next_id;  /* end of the channel; 0: not looked up */
	uint64_t first_id; /* and its beginning; 0: not looked up */
};

struct store_snapshot {
	struct store *store;
	struct store_snapshot *prev;
	struct store_snapshot *next;
	MDB_txn *txn;
	bool active;
	uint64_t generation;
	uint64_t epoch;			  /* the store's when it began */
	struct store_position *positions; /* by channel number - 1 */
	size_t num_positions;
};

struct store {
	struct tevent_context *ev;
	char *path;
	struct store_options options;
	int lock_fd; /* -1: none */
	struct store_env env;
	struct store_meta meta;	     /* as read at open */
	struct store_writer *writer; /* NULL: read_only */
	struct store_hooks hooks;

	struct store_channel **numbers; /* by number - 1: the last owner */
	size_t num_numbers;
	size_t max_numbers;  /* STORE_CHANNELS_MAX, or fewer for a test */
	size_t num_removals; /* since it was opened */
	size_t max_removals; /* STORE_REMOVALS_MAX, or fewer for a test */
	struct store_channel **channels; /* that are there, by number */
	size_t num_channels;
	struct store_channel **by_name; /* the same */

	struct store_origins *origins;

	struct event_dict *dict;
	struct event_packer *packer;
	struct store_tmpl *unused; /* templates that may be forgotten */
	uint64_t jobs;		   /* made so far */

	struct store_snapshot *snapshots; /* all that exist */
	size_t num_active;

	uint64_t epoch; /* news taken so far */
	size_t queued_bytes;
	struct store_stats stats;
	bool reopen; /* the writer waits for us */
	struct tevent_timer *reopen_timer;
	struct tevent_fd *wake;
	struct tevent_immediate *resume;
	pid_t pid; /* a forked child must not touch any of it */

	struct store_channel *fire; /* channels whose watches are due */
	bool *freed;		    /* set when the store goes in a callback */
};

/* store_open() with a clock and a disk of one's own. */
everr_t store_open_hooked(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const struct store_options *options,
			  const struct store_hooks *hooks,
			  struct store **ret_store) EVERR_MUST_CHECK;
/* Let the writer look at retention and room now. */
void store_poke(struct store *store);

uint64_t store_now(const struct store *store);

/* ------------------------------------------------------------ channel.c */

/* Add what the table has at number num_numbers + 1. */
everr_t store_channel_load(struct store *store, MDB_txn *txn,
			   const MDB_val *value) EVERR_MUST_CHECK;
/* Take over counters. */
void store_channel_progress(struct store_lane *lane,
			    const struct store_progress *progress,
			    void *private_data);
/* Call the watches of all channels in store->fire. */
void store_channel_fire(struct store *store);
/* read_only: look for channels that came since. */
everr_t store_channel_refresh(struct store *store) EVERR_MUST_CHECK;

/* -------------------------------------------------------------- clear.c */

/* The writer is done with a clearing: complete its request. */
void store_clear_done(struct store_job *job);

/* ------------------------------------------------------------- origin.c */

/* Read the hosts' numbers, or those that came since. */
everr_t store_origin_load(struct store *store) EVERR_MUST_CHECK;
/* Whether an event may say that it came from there; 0: from nowhere. */
bool store_origin_known(const struct store *store, uint16_t number);

/* ----------------------------------------------------------- template.c */

everr_t store_template_init(struct store *store,
			    uint32_t next_no) EVERR_MUST_CHECK;
/* Read all definitions; those that are damaged stay unknown. */
everr_t store_template_load(struct store *store, MDB_txn *txn) EVERR_MUST_CHECK;
/* The packed event's templates become the job's, with definitions. */
everr_t store_template_pin(struct store *store, struct store_job *job,
			   const struct event_packed *event) EVERR_MUST_CHECK;
/* The job is over: drop what nobody needs. */
void store_template_unpin(struct store *store, struct store_job *job);
/* The writer found templates without users. */
void store_template_unused(struct store *store,
			   const struct store_unused *unused, size_t num);
/* Forget and collect those, unless a snapshot may still want them. */
void store_template_collect(struct store *store);

/* ------------------------------------------------------------- append.c */

/* The writer is done with an append: account for it, complete its request. */
void store_append_done(struct store *store, struct store_job *job);
/* What became of a request. */
everr_t store_req_error(struct tevent_req *req);

/* --------------------------------------------------------------- read.c */

/* Give back every transaction; no snapshot may be active. */
void store_snapshot_drop_all(struct store *store);

/* -------------------------------------------------------------- store.c */

/* The last active snapshot has ended. */
void store_no_snapshot(struct store *store);
/* Look for work in a turn of the loop of its own. */
void store_resume(struct store *store);

#endif
