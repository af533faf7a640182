/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/export_file.h"

#include "rpc/export_disk.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Chunks that wait for the disk. */
#define QUEUE_MAX 8

/*
 * Threads of the process.  One whose export was given up may hang in the disk
 * for long, and lives longer than whoever made it.
 */
static atomic_uint num_threads;

/* What the loop and the thread share; the last of them frees it. */
struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t work; /* for the thread */
	int wake_fd;	     /* an eventfd, for the loop */
	unsigned int users;

	struct export_disk disk; /* the thread's */

	/* Under the mutex. */
	uint8_t *chunks[QUEUE_MAX];
	size_t first;
	size_t num_chunks;
	bool open;   /* the thread takes chunks */
	bool finish; /* header is what comes after the last of them */
	bool done;   /* err is the result */
	bool let_go; /* the loop has no more interest in it */
	bool keep;   /* then it stays, if it is done */
	everr_t err;
	uint8_t header[EVENT_EVTX_HEADER_SIZE];
};

struct rpc_export_file {
	struct shared *shared;
	struct tevent_fd *fde;
	rpc_export_file_fn fn;
	void *private_data;
	bool keep;
};

static void shared_free(struct shared *shared)
{
	size_t i;

	for (i = 0; i < shared->num_chunks; i++) {
		free(shared->chunks[(shared->first + i) % QUEUE_MAX]);
	}
	export_disk_destroy(&shared->disk);
	pthread_cond_destroy(&shared->work);
	pthread_mutex_destroy(&shared->mutex);
	close(shared->wake_fd);
	free(shared);
}

static void shared_leave(struct shared *shared)
{
	unsigned int users;

	pthread_mutex_lock(&shared->mutex);
	shared->users--;
	users = shared->users;
	pthread_mutex_unlock(&shared->mutex);
	if (users == 0) {
		shared_free(shared);
	}
}

/* -------------------------------------------------------- the thread */

/* Under the mutex. */
static void wake_loop(struct shared *shared)
{
	const uint64_t one = 1;
	ssize_t n;

	/* It can only fail when it has been written 2^64 times. */
	n = write(shared->wake_fd, &one, sizeof(one));
	(void)n;
}

/* The next chunk; NULL: all are written, or the file is not wanted. */
static uint8_t *next_chunk(struct shared *shared, bool *ret_cancel)
{
	uint8_t *chunk = NULL;

	pthread_mutex_lock(&shared->mutex);
	while (shared->num_chunks == 0 && !shared->finish && !shared->let_go) {
		pthread_cond_wait(&shared->work, &shared->mutex);
	}
	*ret_cancel = shared->let_go;
	if (shared->num_chunks > 0 && !shared->let_go) {
		chunk = shared->chunks[shared->first];
		shared->first = (shared->first + 1) % QUEUE_MAX;
		shared->num_chunks--;
		wake_loop(shared);
	}
	pthread_mutex_unlock(&shared->mutex);
	return chunk;
}

static everr_t write_chunks(struct shared *shared)
{
	uint8_t *chunk = NULL;
	bool cancel = false;
	everr_t err = EVERR_OK;

	while (err == EVERR_OK) {
		chunk = next_chunk(shared, &cancel);
		if (chunk == NULL) {
			return cancel ? EVERR_CANCELLED : EVERR_OK;
		}
		err = export_disk_append(&shared->disk, chunk,
					 EVENT_EVTX_CHUNK_SIZE);
		free(chunk);
	}
	return err;
}

static void set_open(struct shared *shared)
{
	pthread_mutex_lock(&shared->mutex);
	shared->open = true;
	wake_loop(shared);
	pthread_mutex_unlock(&shared->mutex);
}

static void set_done(struct shared *shared, everr_t err)
{
	pthread_mutex_lock(&shared->mutex);
	shared->done = true;
	shared->err = err;
	wake_loop(shared);
	pthread_mutex_unlock(&shared->mutex);
}

/* Whether the file is to stay; the loop may take its time. */
static bool wait_for_verdict(struct shared *shared)
{
	bool keep;

	pthread_mutex_lock(&shared->mutex);
	while (!shared->let_go) {
		pthread_cond_wait(&shared->work, &shared->mutex);
	}
	keep = shared->keep;
	pthread_mutex_unlock(&shared->mutex);
	return keep;
}

static everr_t write_file(struct shared *shared)
{
	everr_t err;

	err = export_disk_open(&shared->disk, EVENT_EVTX_HEADER_SIZE);
	if (err != EVERR_OK) {
		return err;
	}
	set_open(shared);
	err = write_chunks(shared);
	if (err != EVERR_OK) {
		return err;
	}
	return export_disk_commit(&shared->disk, shared->header,
				  sizeof(shared->header));
}

static void *file_main(void *private_data)
{
	struct shared *shared = private_data;
	everr_t err = write_file(shared);

	if (err != EVERR_OK) {
		export_disk_undo(&shared->disk);
	}
	set_done(shared, err);
	if (err == EVERR_OK && !wait_for_verdict(shared)) {
		export_disk_undo(&shared->disk);
	}
	shared_leave(shared);
	atomic_fetch_sub(&num_threads, 1);
	return NULL;
}

static everr_t thread_start(struct shared *shared)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int rc;

	if (atomic_load(&num_threads) >= RPC_EXPORT_THREADS_MAX) {
		return EVERR_LIMIT;
	}
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	shared->users++;
	atomic_fetch_add(&num_threads, 1);
	rc = pthread_create(&thread, &attr, file_main, shared);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		atomic_fetch_sub(&num_threads, 1);
		shared->users--;
		return EVERR_IO;
	}
	return EVERR_OK;
}

/* ---------------------------------------------------------- the loop */

static int file_destructor(struct rpc_export_file *file)
{
	struct shared *shared = file->shared;

	TALLOC_FREE(file->fde);
	pthread_mutex_lock(&shared->mutex);
	shared->let_go = true;
	shared->keep = file->keep;
	pthread_cond_signal(&shared->work);
	pthread_mutex_unlock(&shared->mutex);
	shared_leave(shared);
	return 0;
}

static void file_woken(struct tevent_context *ev, struct tevent_fd *fde,
		       uint16_t flags, void *private_data)
{
	struct rpc_export_file *file =
		talloc_get_type_abort(private_data, struct rpc_export_file);
	uint64_t count;
	ssize_t n;

	(void)ev;
	(void)fde;
	(void)flags;
	n = read(file->shared->wake_fd, &count, sizeof(count));
	(void)n;
	file->fn(file->private_data);
}

static everr_t shared_create(const struct rpc_export_place *place,
			     const struct rpc_export_path *path,
			     struct shared **ret_shared)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	everr_t err;

	if (shared == NULL) {
		return EVERR_NOMEM;
	}
	shared->users = 1;
	shared->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (shared->wake_fd == -1) {
		free(shared);
		return EVERR_IO;
	}
	pthread_mutex_init(&shared->mutex, NULL);
	pthread_cond_init(&shared->work, NULL);
	err = export_disk_init(&shared->disk, place, path);
	if (err != EVERR_OK) {
		shared_free(shared);
		return err;
	}
	*ret_shared = shared;
	return EVERR_OK;
}

everr_t rpc_export_file_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			       const struct rpc_export_place *place,
			       const struct rpc_export_path *path,
			       rpc_export_file_fn fn, void *private_data,
			       struct rpc_export_file **ret_file)
{
	struct rpc_export_file *file = NULL;
	everr_t err;

	file = talloc_zero(mem_ctx, struct rpc_export_file);
	if (file == NULL) {
		return EVERR_NOMEM;
	}
	file->fn = fn;
	file->private_data = private_data;
	err = shared_create(place, path, &file->shared);
	if (err != EVERR_OK) {
		TALLOC_FREE(file);
		return err;
	}
	talloc_set_destructor(file, file_destructor);
	file->fde = tevent_add_fd(ev, file, file->shared->wake_fd,
				  TEVENT_FD_READ, file_woken, file);
	err = file->fde == NULL ? EVERR_NOMEM : thread_start(file->shared);
	if (err != EVERR_OK) {
		TALLOC_FREE(file);
		return err;
	}
	*ret_file = file;
	return EVERR_OK;
}

enum rpc_export_state rpc_export_file_state(struct rpc_export_file *file,
					    everr_t *ret_err)
{
	struct shared *shared = file->shared;
	enum rpc_export_state state = RPC_EXPORT_WAIT;

	pthread_mutex_lock(&shared->mutex);
	if (shared->done && shared->err != EVERR_OK) {
		*ret_err = shared->err;
		state = RPC_EXPORT_FAILED;
	} else if (shared->done) {
		state = RPC_EXPORT_DONE;
	} else if (shared->open && !shared->finish &&
		   shared->num_chunks < QUEUE_MAX) {
		state = RPC_EXPORT_ROOM;
	}
	pthread_mutex_unlock(&shared->mutex);
	return state;
}

everr_t rpc_export_file_put(struct rpc_export_file *file,
			    const uint8_t chunk[EVENT_EVTX_CHUNK_SIZE])
{
	struct shared *shared = file->shared;
	uint8_t *copy = malloc(EVENT_EVTX_CHUNK_SIZE);

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	memcpy(copy, chunk, EVENT_EVTX_CHUNK_SIZE);
	pthread_mutex_lock(&shared->mutex);
	shared->chunks[(shared->first + shared->num_chunks) % QUEUE_MAX] = copy;
	shared->num_chunks++;
	pthread_cond_signal(&shared->work);
	pthread_mutex_unlock(&shared->mutex);
	return EVERR_OK;
}

void rpc_export_file_finish(struct rpc_export_file *file,
			    const uint8_t header[EVENT_EVTX_HEADER_SIZE])
{
	struct shared *shared = file->shared;

	pthread_mutex_lock(&shared->mutex);
	memcpy(shared->header, header, sizeof(shared->header));
	shared->finish = true;
	pthread_cond_signal(&shared->work);
	pthread_mutex_unlock(&shared->mutex);
}

void rpc_export_file_keep(struct rpc_export_file *file, bool keep)
{
	file->keep = keep;
}
