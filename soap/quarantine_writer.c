/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/quarantine_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

/* At most so many are written before they are flushed. */
#define NAMES_MAX 256

/*
 * What is to be done with an entry.  The thread reads it while it is not done
 * and then fills its end in; the loop takes it off the list afterwards.
 */
struct job {
	STAILQ_ENTRY(job) link;
	bool remove;
	bool removed; /* the loop's: the entry is removed by a later job */
	char name[QUARANTINE_NAME_SIZE];
	size_t description_len, len;
	uint8_t *content; /* description and input; NULL once it is done */
	bool done, failed;
	struct timespec before, after;
};

STAILQ_HEAD(job_list, job);

/* What both threads see; not talloc's, which knows one thread only. */
struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	char *dir;
	struct job_list jobs;
	struct job *next; /* first that is not done */
	size_t waiting_bytes, waiting_entries;
	bool stop;
};

struct quarantine_writer {
	struct shared *shared;
	pthread_t thread;
	bool started;
	pid_t pid;
};

/* ---------------------------------------------------------- the thread */

/* Written, and not yet flushed. */
struct names {
	char name[NAMES_MAX][QUARANTINE_NAME_SIZE];
	size_t num;
};

/*
 * What fails here fails silently: the entry is there for whoever looks, and a
 * start after a crash removes what is not whole.
 */
static void names_sync(const char *path, struct names *names)
{
	size_t i;
	int dir;

	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1) {
		for (i = 0; i < names->num; i++) {
			quarantine_files_sync(dir, names->name[i]);
		}
		fsync(dir);
		close(dir);
	}
	names->num = 0;
}

static void changed_at(int dir, struct timespec *ret_time)
{
	struct stat st;

	if (fstat(dir, &st) == 0) {
		*ret_time = st.st_mtim;
	}
}

/* false: the entry could not be written. */
static bool work(const struct shared *shared, const struct job *job,
		 struct timespec *before, struct timespec *after)
{
	everr_t err = EVERR_OK;
	int dir = -1;

	err = quarantine_dir_open(shared->dir, &dir);
	if (err != EVERR_OK) {
		return job->remove;
	}
	changed_at(dir, before);
	if (job->remove) {
		quarantine_files_remove(dir, job->name);
	} else {
		err = quarantine_files_write(
			dir, job->name, job->content, job->description_len,
			job->content + job->description_len, job->len);
	}
	changed_at(dir, after);
	close(dir);
	return err == EVERR_OK;
}

static void do_job(struct shared *shared, struct job *job)
{
	struct timespec before = {0}, after = {0};
	uint8_t *content = job->content;
	bool ok;

	ok = work(shared, job, &before, &after);
	pthread_mutex_lock(&shared->mutex);
	job->before = before;
	job->after = after;
	job->failed = !ok;
	job->done = true;
	if (!job->remove) {
		shared->waiting_bytes -= job->len;
		shared->waiting_entries--;
	}
	job->content = NULL;
	shared->next = STAILQ_NEXT(job, link);
	pthread_mutex_unlock(&shared->mutex);
	free(content);
}

/* The next job; NULL: none now, and what is written can be flushed. */
static struct job *next_job(struct shared *shared, bool wait, bool *stop)
{
	struct job *job = NULL;

	pthread_mutex_lock(&shared->mutex);
	while (wait && shared->next == NULL && !shared->stop) {
		pthread_cond_wait(&shared->cond, &shared->mutex);
	}
	job = shared->next;
	*stop = shared->stop;
	pthread_mutex_unlock(&shared->mutex);
	return job;
}

static void *writer_main(void *arg)
{
	struct shared *shared = arg;
	struct names names = {.num = 0};
	struct job *job = NULL;
	bool stop = false;

	while (job != NULL || !stop) {
		job = next_job(shared, names.num == 0, &stop);
		if (job == NULL) {
			names_sync(shared->dir, &names);
			continue;
		}
		if (!job->remove) {
			memcpy(names.name[names.num++], job->name,
			       QUARANTINE_NAME_SIZE);
		}
		do_job(shared, job);
		if (names.num == NAMES_MAX) {
			names_sync(shared->dir, &names);
		}
	}
	return NULL;
}

/* ----------------------------------------------------- start and stop */

static void shared_free(struct shared *shared)
{
	struct job *job = NULL;

	while ((job = STAILQ_FIRST(&shared->jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&shared->jobs, link);
		free(job->content);
		free(job);
	}
	pthread_cond_destroy(&shared->cond);
	pthread_mutex_destroy(&shared->mutex);
	free(shared->dir);
	free(shared);
}

static int writer_destructor(struct quarantine_writer *writer)
{
	struct shared *shared = writer->shared;

	if (writer->pid != getpid()) {
		return 0;
	}
	if (writer->started) {
		pthread_mutex_lock(&shared->mutex);
		shared->stop = true;
		pthread_cond_signal(&shared->cond);
		pthread_mutex_unlock(&shared->mutex);
		pthread_join(writer->thread, NULL);
	}
	shared_free(shared);
	return 0;
}

struct quarantine_writer *quarantine_writer_create(TALLOC_CTX *mem_ctx,
						   const char *dir)
{
	struct quarantine_writer *writer = NULL;
	struct shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL) {
		return NULL;
	}
	pthread_mutex_init(&shared->mutex, NULL);
	pthread_cond_init(&shared->cond, NULL);
	STAILQ_INIT(&shared->jobs);
	shared->dir = strdup(dir);
	writer = talloc_zero(mem_ctx, struct quarantine_writer);
	if (shared->dir == NULL || writer == NULL) {
		TALLOC_FREE(writer);
		shared_free(shared);
		return NULL;
	}
	writer->shared = shared;
	writer->pid = getpid();
	talloc_set_destructor(writer, writer_destructor);
	return writer;
}

/* Signals are the event loop's. */
static bool start_thread(struct quarantine_writer *writer)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&writer->thread, NULL, writer_main,
			     writer->shared);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret == 0;
}

/* ------------------------------------------------------- put and remove */

static void add_job(struct quarantine_writer *writer, struct job *job)
{
	struct shared *shared = writer->shared;

	pthread_mutex_lock(&shared->mutex);
	STAILQ_INSERT_TAIL(&shared->jobs, job, link);
	if (shared->next == NULL) {
		shared->next = job;
	}
	if (!job->remove) {
		shared->waiting_bytes += job->len;
		shared->waiting_entries++;
	}
	pthread_cond_signal(&shared->cond);
	pthread_mutex_unlock(&shared->mutex);
	if (!writer->started) {
		writer->started = start_thread(writer);
	}
	if (!writer->started) {
		/* The loop has to wait, then. */
		do_job(shared, job);
	}
}

static bool has_room(struct shared *shared, size_t len)
{
	bool room;

	pthread_mutex_lock(&shared->mutex);
	room = shared->waiting_entries == 0 ||
	       (shared->waiting_entries < QUARANTINE_WAITING_ENTRIES &&
		shared->waiting_bytes <= QUARANTINE_WAITING_BYTES &&
		len <= QUARANTINE_WAITING_BYTES - shared->waiting_bytes);
	pthread_mutex_unlock(&shared->mutex);
	return room;
}

everr_t quarantine_writer_put(struct quarantine_writer *writer,
			      const char *name, const char *description,
			      const uint8_t *data, size_t len)
{
	size_t description_len = strlen(description);
	struct job *job = NULL;

	if (!has_room(writer->shared, len)) {
		return EVERR_LIMIT;
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL) {
		return EVERR_NOMEM;
	}
	job->content = malloc(description_len + len);
	if (job->content == NULL) {
		free(job);
		return EVERR_NOMEM;
	}
	snprintf(job->name, sizeof(job->name), "%s", name);
	job->description_len = description_len;
	job->len = len;
	memcpy(job->content, description, description_len);
	if (len > 0) {
		memcpy(job->content + description_len, data, len);
	}
	add_job(writer, job);
	return EVERR_OK;
}

/* The job that writes the entry, unless another removes it later. */
static struct job *find_put(const struct shared *shared, const char *name)
{
	struct job *job = NULL;

	STAILQ_FOREACH(job, &shared->jobs, link)
	{
		if (!job->remove && !job->removed &&
		    strcmp(job->name, name) == 0) {
			return job;
		}
	}
	return NULL;
}

void quarantine_writer_remove(struct quarantine_writer *writer,
			      const char *name)
{
	struct job *put = find_put(writer->shared, name);
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		/* It stays on disk, and is found there again. */
		return;
	}
	if (put != NULL) {
		put->removed = true;
	}
	job->remove = true;
	snprintf(job->name, sizeof(job->name), "%s", name);
	add_job(writer, job);
}

/* ------------------------------------------------------- what goes on */

bool quarantine_writer_next(struct quarantine_writer *writer,
			    struct quarantine_written *ret_written)
{
	struct shared *shared = writer->shared;
	struct job *job = NULL;

	pthread_mutex_lock(&shared->mutex);
	job = STAILQ_FIRST(&shared->jobs);
	if (job != NULL && job->done) {
		STAILQ_REMOVE_HEAD(&shared->jobs, link);
	} else {
		job = NULL;
	}
	pthread_mutex_unlock(&shared->mutex);
	if (job == NULL) {
		return false;
	}
	*ret_written = (struct quarantine_written){
		.failed = job->failed,
		.before = job->before,
		.after = job->after,
	};
	memcpy(ret_written->name, job->name, sizeof(job->name));
	free(job);
	return true;
}

/* The list itself is changed by the loop alone. */
bool quarantine_writer_busy(const struct quarantine_writer *writer)
{
	return !STAILQ_EMPTY(&writer->shared->jobs);
}

bool quarantine_writer_has(const struct quarantine_writer *writer,
			   const char *name)
{
	struct job *job = NULL;

	STAILQ_FOREACH(job, &writer->shared->jobs, link)
	{
		if (strcmp(job->name, name) == 0) {
			return true;
		}
	}
	return false;
}

everr_t quarantine_writer_each(const struct quarantine_writer *writer,
			       everr_t (*fn)(void *private_data,
					     const char *name, uint64_t bytes),
			       void *private_data)
{
	struct job *job = NULL;
	everr_t err = EVERR_OK;

	STAILQ_FOREACH(job, &writer->shared->jobs, link)
	{
		if (err == EVERR_OK && !job->remove && !job->removed) {
			err = fn(private_data, job->name,
				 job->description_len + job->len);
		}
	}
	return err;
}

/* With the mutex: the thread does away with what it has written. */
static everr_t copy_waiting(TALLOC_CTX *mem_ctx, const struct job *job,
			    uint64_t offset, size_t max,
			    struct quarantine_waiting *ret_waiting)
{
	struct quarantine_waiting waiting = {.total = job->len};
	const uint8_t *input = job->content + job->description_len;

	if (offset > job->len) {
		offset = job->len;
	}
	waiting.len = job->len - (size_t)offset;
	waiting.len = waiting.len < max ? waiting.len : max;
	waiting.description = talloc_strndup(
		mem_ctx, (const char *)job->content, job->description_len);
	waiting.data = talloc_size(mem_ctx, waiting.len + 1);
	if (waiting.description == NULL || waiting.data == NULL) {
		TALLOC_FREE(waiting.description);
		TALLOC_FREE(waiting.data);
		return EVERR_NOMEM;
	}
	memcpy(waiting.data, input + offset, waiting.len);
	*ret_waiting = waiting;
	return EVERR_OK;
}

everr_t quarantine_writer_read(const struct quarantine_writer *writer,
			       TALLOC_CTX *mem_ctx, const char *name,
			       uint64_t offset, size_t max,
			       struct quarantine_waiting *ret_waiting)
{
	struct shared *shared = writer->shared;
	const struct job *job = find_put(shared, name);
	everr_t err = EVERR_NOT_FOUND;

	if (job == NULL) {
		return EVERR_NOT_FOUND;
	}
	pthread_mutex_lock(&shared->mutex);
	if (!job->done) {
		err = copy_waiting(mem_ctx, job, offset, max, ret_waiting);
	}
	pthread_mutex_unlock(&shared->mutex);
	return err;
}
