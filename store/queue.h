/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_QUEUE_H
#define EVENLOG_STORE_QUEUE_H

/*
 * The one place where the loop's thread and the writer's meet: jobs go one
 * way, finished jobs and the channels' new counters the other, under one
 * mutex.
 *
 * Every channel has a lane, first in, first out; the lanes that have work
 * stand in a ring and are served in turn, so that a channel with much to
 * write does not hold up the others.
 */

#include "base/everr.h"
#include "store/job.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What the writer tells of a channel after a commit. */
struct store_progress {
	uint64_t next_id;
	uint64_t oldest_id;
	uint64_t records;
	uint64_t bytes;
	uint64_t missing;
	uint64_t received;
	bool appended; /* records came since the last look */
};

/* The part of a channel that both threads know. */
struct store_lane {
	/* Jobs that wait. */
	struct store_job *head;
	struct store_job **tail;
	struct store_lane *ring_next; /* NULL: last, or not in the ring */
	bool in_ring;

	/* News for the loop. */
	struct store_progress progress;
	struct store_lane *news_next;
	bool has_news;

	void *user; /* the loop's struct store_channel */
};

/* A template that had no user at the end of commit txn. */
struct store_unused {
	uint32_t no;
	uint64_t txn;
};

/* Everything the loop takes over at once. */
struct store_news {
	struct store_job *done;	     /* all but DEFINE, in order */
	struct store_unused *unused; /* malloc */
	size_t num_unused;
	struct store_stats stats;
	bool reopen; /* the writer waits for a new environment */
};

struct store_queue {
	pthread_mutex_t mutex;
	pthread_cond_t work;  /* for the writer */
	pthread_cond_t reply; /* for the loop, when it waits for a DEFINE */

	/* To the writer. */
	struct store_job *control_head; /* DEFINE and COLLECT go first */
	struct store_job **control_tail;
	struct store_lane *ring_head;
	struct store_lane **ring_tail;
	bool stop;
	bool poke;   /* look at retention and room now */
	bool parked; /* no environment: fail what comes */

	/* To the loop. */
	struct store_news news;
	struct store_job **done_tail;
	struct store_lane *news_lanes;
	size_t size_unused;
	bool woken;

	/*
	 * An eventfd that the loop watches.  (An immediate that tevent
	 * schedules for a thread cannot be taken back, and freeing it aborts
	 * the process: it does not suit a store that can be closed.)
	 */
	int wake_fd;
};

/* False: the system has no mutex or descriptor for us. */
bool store_queue_init(struct store_queue *queue);
void store_queue_destroy(struct store_queue *queue);
void store_lane_init(struct store_lane *lane, void *user);

/* ------------------------------------------------------ in the loop */

/* Hand over; the writer owns the job until it comes back. */
void store_queue_push(struct store_queue *queue, struct store_job *job);
/* The same for DEFINE, until the writer is done with it. */
void store_queue_call(struct store_queue *queue, struct store_job *job);
void store_queue_poke(struct store_queue *queue);
void store_queue_stop(struct store_queue *queue);
void store_queue_unpark(struct store_queue *queue);
/* The loop has seen wake_fd: the writer may wake it again. */
void store_queue_woken(struct store_queue *queue);
/*
 * Take the news; everything in it is the caller's.  fn copies the progress of
 * each lane that has some; it is called under the mutex.
 */
typedef void (*store_queue_progress_fn)(struct store_lane *lane,
					const struct store_progress *progress,
					void *private_data);
void store_queue_take_news(struct store_queue *queue,
			   store_queue_progress_fn fn, void *private_data,
			   struct store_news *ret_news);

/* ---------------------------------------------------- in the writer */

enum store_work {
	STORE_WORK_CONTROL, /* *ret_job */
	STORE_WORK_APPEND,  /* store_queue_pop() has something */
	STORE_WORK_TICK,    /* nothing came in time, or a poke */
	STORE_WORK_STOP
};

/* Wait at most ms for something to do. */
enum store_work store_queue_wait(struct store_queue *queue, unsigned int ms,
				 struct store_job **ret_job);

/*
 * The next append in turn, if it has at most max_records and max_bytes; NULL:
 * none, or it must wait for the next batch, or for a DEFINE or COLLECT: what
 * is appended after a collection may store the same definition anew.
 */
struct store_job *store_queue_pop(struct store_queue *queue, size_t max_records,
				  size_t max_bytes);

/*
 * Ask the loop for a new environment and wait until it has it, or until the
 * queue is stopped (false).  What is queued and what comes is handed to fail.
 */
typedef void (*store_queue_fail_fn)(struct store_job *job, void *private_data);
bool store_queue_park(struct store_queue *queue,
		      const struct store_stats *stats, store_queue_fail_fn fail,
		      void *private_data);

/* Give back; call store_queue_wake() when all of a commit is given. */
void store_queue_done(struct store_queue *queue, struct store_job *job);
void store_queue_progress(struct store_queue *queue, struct store_lane *lane,
			  const struct store_progress *progress);
void store_queue_unused(struct store_queue *queue, uint32_t no, uint64_t txn);
void store_queue_wake(struct store_queue *queue,
		      const struct store_stats *stats);

#endif
