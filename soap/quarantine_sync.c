/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/quarantine_sync.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More at a time are flushed with all of their file system. */
#define NAMES_MAX 256

struct names {
	char name[NAMES_MAX][QUARANTINE_NAME_SIZE];
	size_t num;
	bool overflow;
};

/* What both threads see; not talloc's, which knows one thread only. */
struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	char *dir;
	struct names queue;
	bool stop;
};

struct quarantine_sync {
	struct shared *shared;
	pthread_t thread;
	bool started;
	pid_t pid;
};

static void sync_file(int dir, const char *name, const char *suffix)
{
	char file[QUARANTINE_NAME_SIZE + 8];
	int fd;

	snprintf(file, sizeof(file), "%s%s", name, suffix);
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1) {
		fdatasync(fd);
		close(fd);
	}
}

/*
 * What fails here fails silently: the entry is there for whoever looks, and a
 * start after a crash removes what is not whole.
 */
static void sync_names(const char *path, const struct names *names)
{
	size_t i;
	int dir;

	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		return;
	}
	for (i = 0; i < names->num; i++) {
		sync_file(dir, names->name[i], ".in");
		sync_file(dir, names->name[i], ".json");
	}
	if (names->overflow) {
		syncfs(dir);
	}
	fsync(dir);
	close(dir);
}

static void *sync_thread(void *arg)
{
	struct shared *shared = arg;
	struct names names;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&shared->mutex);
		while (shared->queue.num == 0 && !shared->stop) {
			pthread_cond_wait(&shared->cond, &shared->mutex);
		}
		names = shared->queue;
		shared->queue.num = 0;
		shared->queue.overflow = false;
		stop = shared->stop;
		pthread_mutex_unlock(&shared->mutex);
		if (names.num > 0) {
			sync_names(shared->dir, &names);
		}
	}
	return NULL;
}

static int sync_destructor(struct quarantine_sync *sync)
{
	struct shared *shared = sync->shared;

	if (sync->pid != getpid()) {
		return 0;
	}
	if (sync->started) {
		pthread_mutex_lock(&shared->mutex);
		shared->stop = true;
		pthread_cond_signal(&shared->cond);
		pthread_mutex_unlock(&shared->mutex);
		pthread_join(sync->thread, NULL);
	}
	pthread_cond_destroy(&shared->cond);
	pthread_mutex_destroy(&shared->mutex);
	free(shared->dir);
	free(shared);
	return 0;
}

struct quarantine_sync *quarantine_sync_create(TALLOC_CTX *mem_ctx,
					       const char *dir)
{
	struct quarantine_sync *sync = NULL;
	struct shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL) {
		return NULL;
	}
	shared->dir = strdup(dir);
	sync = talloc_zero(mem_ctx, struct quarantine_sync);
	if (shared->dir == NULL || sync == NULL) {
		TALLOC_FREE(sync);
		free(shared->dir);
		free(shared);
		return NULL;
	}
	pthread_mutex_init(&shared->mutex, NULL);
	pthread_cond_init(&shared->cond, NULL);
	sync->shared = shared;
	sync->pid = getpid();
	talloc_set_destructor(sync, sync_destructor);
	return sync;
}

/* Signals are the event loop's. */
static bool start_thread(struct quarantine_sync *sync)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&sync->thread, NULL, sync_thread, sync->shared);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret == 0;
}

void quarantine_sync_add(struct quarantine_sync *sync, const char *name)
{
	struct shared *shared = sync->shared;
	struct names *queue = &shared->queue;

	if (!sync->started) {
		sync->started = start_thread(sync);
	}
	if (!sync->started) {
		/* The disk gets to it by itself, half a minute later. */
		return;
	}
	pthread_mutex_lock(&shared->mutex);
	if (queue->num < NAMES_MAX) {
		snprintf(queue->name[queue->num], QUARANTINE_NAME_SIZE, "%s",
			 name);
		queue->num++;
	} else {
		queue->overflow = true;
	}
	pthread_cond_signal(&shared->cond);
	pthread_mutex_unlock(&shared->mutex);
}
