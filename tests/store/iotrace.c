/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/iotrace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

/* LMDB's data file in a store's directory, and where it is made. */
#define DATA_NAME "/data.mdb"
#define CREATE_NAME "/create/data.mdb"
#define FDS_MAX 4096

enum {
	FD_OTHER,
	FD_DATA,
	FD_DATA_DSYNC
};

static uint8_t fds[FDS_MAX];
static int trace_fd = -1;
static uint64_t num_syncs;
static unsigned int fail_syncs, fail_writes;
static int fail_sync_error, fail_write_error, fail_write_dsync;
static uint64_t room = UINT64_MAX;
static const char *bad_file; /* IOTRACE_FAIL_WHILE */
static bool lazy;	     /* IOTRACE_LAZY: a disk that lies about syncs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * The next definition of name.  Looked up at each call: the shim is for tests,
 * and a cache would need care about threads for nothing.
 */
static void *next(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (fn == NULL) {
		abort();
	}
	return fn;
}

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef ssize_t (*pwritev_fn)(int, const struct iovec *, int, off_t);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef int (*fd_fn)(int);
typedef int (*open_fn)(const char *, int, mode_t);
typedef int (*openat_fn)(int, const char *, int, mode_t);
typedef int (*truncate_fn)(int, off_t);
typedef void *(*mmap_fn)(void *, size_t, int, int, int, off_t);
typedef int (*statvfs_fn)(const char *, struct statvfs *);
typedef int (*fstatvfs_fn)(int, struct statvfs *);

__attribute__((constructor)) static void iotrace_start(void)
{
	const char *path = getenv("IOTRACE_FILE");

	lazy = getenv("IOTRACE_LAZY") != NULL;
	bad_file = getenv("IOTRACE_FAIL_WHILE");
	if (path != NULL) {
		trace_fd = ((open_fn)next("open"))(
			path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (trace_fd == -1) {
			abort();
		}
	}
}

/* ------------------------------------------------------------ the trace */

static int kind_of_fd(int fd)
{
	return fd >= 0 && fd < FDS_MAX ? fds[fd] : FD_OTHER;
}

/* One call, so that a killed program leaves whole entries. */
static void put(const struct iotrace_entry *entry, const void *data)
{
	struct iovec iov[2] = {
		{(void *)entry, sizeof(*entry)},
		{(void *)data, data == NULL ? 0 : entry->len},
	};
	size_t len = iov[0].iov_len + iov[1].iov_len;
	ssize_t written;

	if (trace_fd == -1) {
		return;
	}
	pthread_mutex_lock(&lock);
	written = ((ssize_t(*)(int, const struct iovec *, int))next("writev"))(
		trace_fd, iov, 2);
	pthread_mutex_unlock(&lock);
	if (written != (ssize_t)len) {
		abort();
	}
}

static void put_write(int fd, const void *data, size_t len, off_t offset)
{
	struct iotrace_entry entry = {
		.kind = IOTRACE_WRITE,
		.len = (uint32_t)len,
		.offset = (uint64_t)offset,
	};

	put(&entry, data);
	if (kind_of_fd(fd) == FD_DATA_DSYNC && !lazy) {
		entry.kind = IOTRACE_WRITE_SAFE;
		entry.len = 0;
		put(&entry, NULL);
	}
}

static void put_plain(enum iotrace_kind kind, uint64_t offset)
{
	const struct iotrace_entry entry = {
		.kind = kind,
		.offset = offset,
	};

	put(&entry, NULL);
}

void iotrace_mark(const char *text);
void iotrace_mark(const char *text)
{
	const struct iotrace_entry entry = {
		.kind = IOTRACE_MARK,
		.len = (uint32_t)strlen(text),
	};

	put(&entry, text);
}

/* ------------------------------------------------------- the bad disk */

void iotrace_fail_sync(unsigned int count, int error);
void iotrace_fail_sync(unsigned int count, int error)
{
	pthread_mutex_lock(&lock);
	fail_syncs = count;
	fail_sync_error = error;
	pthread_mutex_unlock(&lock);
}

void iotrace_fail_write(unsigned int count, int error, int dsync);
void iotrace_fail_write(unsigned int count, int error, int dsync)
{
	pthread_mutex_lock(&lock);
	fail_writes = count;
	fail_write_error = error;
	fail_write_dsync = dsync;
	pthread_mutex_unlock(&lock);
}

void iotrace_set_room(uint64_t size);
void iotrace_set_room(uint64_t size)
{
	pthread_mutex_lock(&lock);
	room = size;
	pthread_mutex_unlock(&lock);
}

/* The error a write of the data file ends with, or 0. */
static int write_error(int fd, size_t len, off_t offset)
{
	int kind = kind_of_fd(fd);
	int error = 0;

	pthread_mutex_lock(&lock);
	if (fail_writes > 0 && (!fail_write_dsync || kind == FD_DATA_DSYNC)) {
		fail_writes--;
		error = fail_write_error;
	} else if ((uint64_t)offset + len > room) {
		error = ENOSPC;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static int sync_error(void)
{
	int error = 0;

	if (bad_file != NULL && access(bad_file, F_OK) == 0) {
		return EIO;
	}
	pthread_mutex_lock(&lock);
	if (fail_syncs > 0) {
		fail_syncs--;
		error = fail_sync_error;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

/* ------------------------------------------------- what is interposed */

static bool has_name(const char *path, const char *name)
{
	size_t len = strlen(path);
	size_t name_len = strlen(name);

	return len >= name_len && strcmp(path + len - name_len, name) == 0;
}

static int note_open(int fd, const char *path, int flags)
{
	if (fd < 0 || fd >= FDS_MAX) {
		return fd;
	}
	fds[fd] = FD_OTHER;
	if (has_name(path, DATA_NAME)) {
		fds[fd] = (flags & (O_DSYNC | O_SYNC)) != 0 ? FD_DATA_DSYNC
							    : FD_DATA;
	}
	return fd;
}

int rename(const char *from, const char *to)
{
	int ret =
		((int (*)(const char *, const char *))next("rename"))(from, to);

	if (ret == 0 && has_name(from, CREATE_NAME) &&
	    has_name(to, DATA_NAME)) {
		put_plain(IOTRACE_BORN, 0);
	}
	return ret;
}

static mode_t mode_of(int flags, va_list ap)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return note_open(((open_fn)next("open"))(path, flags, mode), path,
			 flags);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return note_open(((open_fn)next("open64"))(path, flags, mode), path,
			 flags);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return note_open(((openat_fn)next("openat"))(dir, path, flags, mode),
			 path, flags);
}

int close(int fd)
{
	if (fd >= 0 && fd < FDS_MAX) {
		fds[fd] = FD_OTHER;
	}
	return ((fd_fn)next("close"))(fd);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t written;
	int error;

	if (kind_of_fd(fd) == FD_OTHER) {
		return ((pwrite_fn)next("pwrite"))(fd, data, len, offset);
	}
	error = write_error(fd, len, offset);
	if (error != 0) {
		errno = error;
		return -1;
	}
	written = ((pwrite_fn)next("pwrite"))(fd, data, len, offset);
	if (written > 0) {
		put_write(fd, data, (size_t)written, offset);
	}
	return written;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

/* One after the other: what is traced is then exactly what was written. */
ssize_t pwritev(int fd, const struct iovec *iov, int num_iov, off_t offset)
{
	ssize_t total = 0;
	int i;

	if (kind_of_fd(fd) == FD_OTHER) {
		return ((pwritev_fn)next("pwritev"))(fd, iov, num_iov, offset);
	}
	for (i = 0; i < num_iov; i++) {
		ssize_t written = pwrite(fd, iov[i].iov_base, iov[i].iov_len,
					 offset + total);

		if (written == -1) {
			return total > 0 ? total : -1;
		}
		total += written;
		if ((size_t)written != iov[i].iov_len) {
			break;
		}
	}
	return total;
}

ssize_t writev(int fd, const struct iovec *iov, int num_iov)
{
	off_t offset;
	ssize_t written;

	if (kind_of_fd(fd) == FD_OTHER) {
		return ((ssize_t(*)(int, const struct iovec *, int))next(
			"writev"))(fd, iov, num_iov);
	}
	offset = lseek(fd, 0, SEEK_CUR);
	written = pwritev(fd, iov, num_iov, offset);
	if (written > 0) {
		(void)lseek(fd, offset + written, SEEK_SET);
	}
	return written;
}

ssize_t write(int fd, const void *data, size_t len)
{
	const struct iovec iov = {(void *)data, len};

	if (kind_of_fd(fd) == FD_OTHER) {
		return ((write_fn)next("write"))(fd, data, len);
	}
	return writev(fd, &iov, 1);
}

int ftruncate(int fd, off_t size)
{
	int ret;

	if (kind_of_fd(fd) != FD_OTHER && write_error(fd, 0, size) != 0) {
		errno = ENOSPC;
		return -1;
	}
	ret = ((truncate_fn)next("ftruncate"))(fd, size);
	if (ret == 0 && kind_of_fd(fd) != FD_OTHER) {
		put_plain(IOTRACE_TRUNCATE, (uint64_t)size);
	}
	return ret;
}

static int traced_sync(int fd, const char *name)
{
	uint64_t number;
	int error, ret;

	if (kind_of_fd(fd) == FD_OTHER) {
		return ((fd_fn)next(name))(fd);
	}
	if (lazy) {
		return 0;
	}
	pthread_mutex_lock(&lock);
	number = ++num_syncs;
	pthread_mutex_unlock(&lock);

	put_plain(IOTRACE_SYNC_BEGIN, number);
	error = sync_error();
	if (error != 0) {
		put_plain(IOTRACE_SYNC_FAILED, number);
		errno = error;
		return -1;
	}
	ret = ((fd_fn)next(name))(fd);
	put_plain(ret == 0 ? IOTRACE_SYNC_END : IOTRACE_SYNC_FAILED, number);
	return ret;
}

int fdatasync(int fd)
{
	return traced_sync(fd, "fdatasync");
}

int fsync(int fd)
{
	return traced_sync(fd, "fsync");
}

static void note_map(int fd, int prot, int flags)
{
	if (kind_of_fd(fd) != FD_OTHER && (prot & PROT_WRITE) != 0 &&
	    (flags & MAP_TYPE) == MAP_SHARED) {
		put_plain(IOTRACE_WRITE_MAP, 0);
	}
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	note_map(fd, prot, flags);
	return ((mmap_fn)next("mmap"))(addr, len, prot, flags, fd, offset);
}

/* The file system is as full as set_room() says: what is free is up to room. */
static void limit_free(struct statvfs *st)
{
	uint64_t limit, size = 0;
	struct stat file;
	int fd;

	pthread_mutex_lock(&lock);
	limit = room;
	pthread_mutex_unlock(&lock);
	if (limit == UINT64_MAX || st->f_frsize == 0) {
		return;
	}
	for (fd = 0; fd < FDS_MAX; fd++) {
		if (fds[fd] != FD_OTHER && fstat(fd, &file) == 0) {
			size = (uint64_t)file.st_size;
			break;
		}
	}
	st->f_bavail = size < limit ? (limit - size) / st->f_frsize : 0;
	st->f_bfree = st->f_bavail;
}

int statvfs(const char *path, struct statvfs *st)
{
	int ret = ((statvfs_fn)next("statvfs"))(path, st);

	if (ret == 0) {
		limit_free(st);
	}
	return ret;
}

int statvfs64(const char *path, struct statvfs64 *st)
{
	return statvfs(path, (struct statvfs *)st);
}

int fstatvfs(int fd, struct statvfs *st)
{
	int ret = ((fstatvfs_fn)next("fstatvfs"))(fd, st);

	if (ret == 0) {
		limit_free(st);
	}
	return ret;
}

int fstatvfs64(int fd, struct statvfs64 *st)
{
	return fstatvfs(fd, (struct statvfs *)st);
}
