/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/queue.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

bool store_queue_init(struct store_queue *queue)
{
	pthread_condattr_t attr;
	bool ok;

	*queue = (struct store_queue){};
	queue->control_tail = &queue->control_head;
	queue->ring_tail = &queue->ring_head;
	queue->done_tail = &queue->news.done;
	queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->wake_fd == -1) {
		return false;
	}
	if (pthread_mutex_init(&queue->mutex, NULL) != 0) {
		close(queue->wake_fd);
		return false;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	ok = pthread_cond_init(&queue->work, &attr) == 0 &&
	     pthread_cond_init(&queue->reply, NULL) == 0;
	pthread_condattr_destroy(&attr);
	return ok;
}

static void free_jobs(struct store_job *job)
{
	struct store_job *next = NULL;

	for (; job != NULL; job = next) {
		next = job->next;
		store_job_free(job);
	}
}

void store_queue_destroy(struct store_queue *queue)
{
	free_jobs(queue->control_head);
	free_jobs(queue->news.done);
	free(queue->news.unused);
	pthread_cond_destroy(&queue->reply);
	pthread_cond_destroy(&queue->work);
	pthread_mutex_destroy(&queue->mutex);
	close(queue->wake_fd);
}

void store_lane_init(struct store_lane *lane, void *user)
{
	*lane = (struct store_lane){.tail = &lane->head, .user = user};
}

/* ---------------------------------------------------------- the ring */

static void ring_add(struct store_queue *queue, struct store_lane *lane)
{
	lane->ring_next = NULL;
	lane->in_ring = true;
	*queue->ring_tail = lane;
	queue->ring_tail = &lane->ring_next;
}

static void ring_remove_head(struct store_queue *queue)
{
	struct store_lane *lane = queue->ring_head;

	queue->ring_head = lane->ring_next;
	if (queue->ring_head == NULL) {
		queue->ring_tail = &queue->ring_head;
	}
	lane->ring_next = NULL;
	lane->in_ring = false;
}

/* The head's first job; its lane goes to the end of the ring. */
static struct store_job *ring_take(struct store_queue *queue)
{
	struct store_lane *lane = queue->ring_head;
	struct store_job *job = lane->head;

	lane->head = job->next;
	if (lane->head == NULL) {
		lane->tail = &lane->head;
	}
	job->next = NULL;
	ring_remove_head(queue);
	if (lane->head != NULL) {
		ring_add(queue, lane);
	}
	return job;
}

static void control_add(struct store_queue *queue, struct store_job *job)
{
	*queue->control_tail = job;
	queue->control_tail = &job->next;
}

static struct store_job *control_take(struct store_queue *queue)
{
	struct store_job *job = queue->control_head;

	if (job != NULL) {
		queue->control_head = job->next;
		if (queue->control_head == NULL) {
			queue->control_tail = &queue->control_head;
		}
		job->next = NULL;
	}
	return job;
}

/* ----------------------------------------------------------- the loop */

void store_queue_push(struct store_queue *queue, struct store_job *job)
{
	struct store_lane *lane = job->lane;

	job->next = NULL;
	pthread_mutex_lock(&queue->mutex);
	if (job->kind == STORE_JOB_APPEND || job->kind == STORE_JOB_CLEAR) {
		*lane->tail = job;
		lane->tail = &job->next;
		if (!lane->in_ring) {
			ring_add(queue, lane);
		}
	} else {
		control_add(queue, job);
	}
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_call(struct store_queue *queue, struct store_job *job)
{
	store_queue_push(queue, job);
	pthread_mutex_lock(&queue->mutex);
	while (!job->done) {
		pthread_cond_wait(&queue->reply, &queue->mutex);
	}
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_poke(struct store_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->poke = true;
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_stop(struct store_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->stop = true;
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_unpark(struct store_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->parked = false;
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_woken(struct store_queue *queue)
{
	uint64_t count;
	ssize_t n;

	pthread_mutex_lock(&queue->mutex);
	n = read(queue->wake_fd, &count, sizeof(count));
	(void)n;
	queue->woken = false;
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_take_news(struct store_queue *queue,
			   store_queue_progress_fn fn, void *private_data,
			   struct store_news *ret_news)
{
	struct store_lane *lane = NULL;

	pthread_mutex_lock(&queue->mutex);
	*ret_news = queue->news;
	queue->news = (struct store_news){.stats = ret_news->stats};
	queue->done_tail = &queue->news.done;
	queue->size_unused = 0;
	for (lane = queue->news_lanes; lane != NULL; lane = lane->news_next) {
		lane->has_news = false;
		fn(lane, &lane->progress, private_data);
	}
	queue->news_lanes = NULL;
	pthread_mutex_unlock(&queue->mutex);
}

/* --------------------------------------------------------- the writer */

static void deadline(unsigned int ms, struct timespec *ret_ts)
{
	clock_gettime(CLOCK_MONOTONIC, ret_ts);
	ret_ts->tv_sec += ms / 1000;
	ret_ts->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ret_ts->tv_nsec >= 1000000000) {
		ret_ts->tv_nsec -= 1000000000;
		ret_ts->tv_sec++;
	}
}

static bool has_work(const struct store_queue *queue)
{
	return queue->control_head != NULL || queue->ring_head != NULL ||
	       queue->poke || queue->stop;
}

enum store_work store_queue_wait(struct store_queue *queue, unsigned int ms,
				 struct store_job **ret_job)
{
	enum store_work work = STORE_WORK_TICK;
	struct timespec until;
	int rc = 0;

	deadline(ms, &until);
	pthread_mutex_lock(&queue->mutex);
	while (!has_work(queue) && ms > 0 && rc == 0) {
		rc = pthread_cond_timedwait(&queue->work, &queue->mutex,
					    &until);
	}
	if (queue->control_head != NULL) {
		*ret_job = control_take(queue);
		work = STORE_WORK_CONTROL;
	} else if (queue->poke) {
		queue->poke = false;
	} else if (queue->ring_head != NULL) {
		work = STORE_WORK_APPEND;
	} else if (queue->stop) {
		work = STORE_WORK_STOP;
	}
	pthread_mutex_unlock(&queue->mutex);
	return work;
}

struct store_job *store_queue_pop(struct store_queue *queue, size_t max_records,
				  size_t max_bytes)
{
	struct store_job *job = NULL;

	pthread_mutex_lock(&queue->mutex);
	if (queue->control_head == NULL && queue->ring_head != NULL &&
	    queue->ring_head->head->num_records <= max_records &&
	    queue->ring_head->head->len <= max_bytes) {
		job = ring_take(queue);
	}
	pthread_mutex_unlock(&queue->mutex);
	return job;
}

/* Under the mutex. */
static void wake(struct store_queue *queue, const struct store_stats *stats)
{
	const uint64_t one = 1;

	queue->news.stats = *stats;
	if (!queue->woken) {
		/* It can only fail when it has been written 2^64 times. */
		queue->woken = write(queue->wake_fd, &one, sizeof(one)) ==
			       (ssize_t)sizeof(one);
	}
}

/* Any job, whatever its turn. */
static struct store_job *take_any(struct store_queue *queue)
{
	struct store_job *job = control_take(queue);

	if (job == NULL && queue->ring_head != NULL) {
		job = ring_take(queue);
	}
	return job;
}

bool store_queue_park(struct store_queue *queue,
		      const struct store_stats *stats, store_queue_fail_fn fail,
		      void *private_data)
{
	struct store_job *job = NULL;
	bool reopened;

	pthread_mutex_lock(&queue->mutex);
	queue->parked = true;
	queue->news.reopen = true;
	wake(queue, stats);
	while (queue->parked) {
		job = take_any(queue);
		if (job != NULL) {
			pthread_mutex_unlock(&queue->mutex);
			fail(job, private_data);
			pthread_mutex_lock(&queue->mutex);
			wake(queue, stats);
			continue;
		}
		if (queue->stop) {
			break;
		}
		pthread_cond_wait(&queue->work, &queue->mutex);
	}
	reopened = !queue->parked;
	pthread_mutex_unlock(&queue->mutex);
	return reopened;
}

void store_queue_done(struct store_queue *queue, struct store_job *job)
{
	pthread_mutex_lock(&queue->mutex);
	if (job->kind == STORE_JOB_DEFINE) {
		job->done = true;
		pthread_cond_signal(&queue->reply);
	} else {
		job->next = NULL;
		*queue->done_tail = job;
		queue->done_tail = &job->next;
	}
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_progress(struct store_queue *queue, struct store_lane *lane,
			  const struct store_progress *progress)
{
	bool appended;

	pthread_mutex_lock(&queue->mutex);
	appended = lane->has_news && lane->progress.appended;
	lane->progress = *progress;
	lane->progress.appended |= appended;
	if (!lane->has_news) {
		lane->has_news = true;
		lane->news_next = queue->news_lanes;
		queue->news_lanes = lane;
	}
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_unused(struct store_queue *queue, uint32_t no, uint64_t txn)
{
	struct store_news *news = &queue->news;
	struct store_unused *unused = NULL;
	size_t size;

	pthread_mutex_lock(&queue->mutex);
	if (news->num_unused == queue->size_unused) {
		size = queue->size_unused == 0 ? 64 : queue->size_unused * 2;
		unused = realloc(news->unused, size * sizeof(*unused));
		if (unused == NULL) {
			/* It is swept when the store is opened next. */
			pthread_mutex_unlock(&queue->mutex);
			return;
		}
		news->unused = unused;
		queue->size_unused = size;
	}
	news->unused[news->num_unused] = (struct store_unused){no, txn};
	news->num_unused++;
	pthread_mutex_unlock(&queue->mutex);
}

void store_queue_wake(struct store_queue *queue,
		      const struct store_stats *stats)
{
	pthread_mutex_lock(&queue->mutex);
	wake(queue, stats);
	pthread_mutex_unlock(&queue->mutex);
}
