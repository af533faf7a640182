/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/inbox_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* A name that is moved is cut to so many bytes, so that endings fit. */
#define MOVED_NAME_MAX 200
/* Names that are tried; the last one has the file's time for a number. */
#define MOVED_TRIES 16
/* Entries that one call of inbox_trim() looks at, and removes. */
#define TRIM_ENTRIES_MAX 8192
#define TRIM_REMOVED_MAX 1024

/* ----------------------------------------------------------- directories */

static int dirs_destructor(struct inbox_dirs *dirs)
{
	int fds[] = {dirs->top, dirs->done, dirs->bad};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
	return 0;
}

static int dir_open(int at, const char *name, int flags)
{
	if (mkdirat(at, name, 0770) != 0 && errno != EEXIST) {
		return -1;
	}
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
}

/*
 * Whether files can be moved between the two.  A file that can't be would stay
 * where it is and be read again each minute.  Sets errno.
 */
static bool dirs_movable(int from, int to)
{
	struct stat one, other;

	if (faccessat(from, ".", W_OK | X_OK, AT_EACCESS) != 0 ||
	    faccessat(to, ".", W_OK | X_OK, AT_EACCESS) != 0 ||
	    fstat(from, &one) != 0 || fstat(to, &other) != 0) {
		return false;
	}
	errno = EXDEV;
	return one.st_dev == other.st_dev;
}

/* The name of what can't be used, or NULL. */
static const char *dirs_fill(struct inbox_dirs *dirs)
{
	/* An administrator may make the inbox itself a link. */
	dirs->top = dir_open(AT_FDCWD, dirs->path, 0);
	if (dirs->top < 0) {
		return "";
	}
	dirs->done = dir_open(dirs->top, "done", O_NOFOLLOW);
	if (dirs->done < 0 || !dirs_movable(dirs->top, dirs->done)) {
		return "/done";
	}
	dirs->bad = dir_open(dirs->top, "bad", O_NOFOLLOW);
	if (dirs->bad < 0 || !dirs_movable(dirs->top, dirs->bad)) {
		return "/bad";
	}
	return NULL;
}

everr_t inbox_dirs_open(TALLOC_CTX *mem_ctx, const char *path,
			struct inbox_dirs **ret_dirs, char **ret_message)
{
	struct inbox_dirs *dirs = NULL;
	const char *failed = NULL;

	dirs = talloc_zero(mem_ctx, struct inbox_dirs);
	if (dirs == NULL) {
		return EVERR_NOMEM;
	}
	dirs->top = dirs->done = dirs->bad = -1;
	talloc_set_destructor(dirs, dirs_destructor);
	dirs->path = talloc_strdup(dirs, path);
	if (dirs->path == NULL) {
		talloc_free(dirs);
		return EVERR_NOMEM;
	}
	failed = dirs_fill(dirs);
	if (failed != NULL) {
		*ret_message = talloc_asprintf(
			mem_ctx, "the inbox %s%s can't be used: %s", path,
			failed, strerror(errno));
		talloc_free(dirs);
		return EVERR_CONFIG;
	}
	*ret_dirs = dirs;
	return EVERR_OK;
}

static bool is_at(int held, int at, const char *name)
{
	struct stat one, other;

	return fstat(held, &one) == 0 && fstatat(at, name, &other, 0) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool inbox_dirs_current(const struct inbox_dirs *dirs)
{
	return is_at(dirs->top, AT_FDCWD, dirs->path) &&
	       is_at(dirs->done, dirs->top, "done") &&
	       is_at(dirs->bad, dirs->top, "bad");
}

bool inbox_name_fits(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && name[0] != '.' &&
	       strcasecmp(name + len - 4, ".DDR") == 0;
}

/* --------------------------------------------------------------- reading */

static everr_t read_all(TALLOC_CTX *mem_ctx, int fd, size_t max,
			struct inbox_content *content)
{
	size_t size = (size_t)content->stat.st_size;
	uint8_t *data = NULL;
	size_t len = 0;

	/* One byte more than expected shows that it grew. */
	data = talloc_size(mem_ctx, size + 1);
	if (data == NULL) {
		return EVERR_NOMEM;
	}
	while (len <= size) {
		ssize_t n = read(fd, data + len, size + 1 - len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			talloc_free(data);
			return EVERR_IO;
		}
		if (n == 0) {
			break;
		}
		len += (size_t)n;
	}
	content->data = data;
	content->len = len;
	return EVERR_OK;
}

static everr_t read_fd(TALLOC_CTX *mem_ctx, int fd, size_t max,
		       struct inbox_content *content)
{
	if (fstat(fd, &content->stat) != 0) {
		return EVERR_IO;
	}
	if (S_ISDIR(content->stat.st_mode)) {
		return EVERR_NOT_FOUND;
	}
	if (!S_ISREG(content->stat.st_mode)) {
		return EVERR_TEXT;
	}
	if (content->stat.st_size < 0 ||
	    (uint64_t)content->stat.st_size > max) {
		return EVERR_LIMIT;
	}
	return read_all(mem_ctx, fd, max, content);
}

everr_t inbox_read(TALLOC_CTX *mem_ctx, const struct inbox_dirs *dirs,
		   const char *name, size_t max,
		   struct inbox_content *ret_content)
{
	everr_t err;
	int fd;

	/* What is not a regular file must not be waited for, either. */
	fd = openat(dirs->top, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		return EVERR_NOT_FOUND;
	}
	if (fd < 0 && (errno == ELOOP || errno == ENXIO)) {
		/* A symbolic link, or a socket. */
		return fstatat(dirs->top, name, &ret_content->stat,
			       AT_SYMLINK_NOFOLLOW) == 0
			       ? EVERR_TEXT
			       : EVERR_NOT_FOUND;
	}
	if (fd < 0) {
		return EVERR_IO;
	}
	err = read_fd(mem_ctx, fd, max, ret_content);
	close(fd);
	return err;
}

/* ---------------------------------------------------------------- moving */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void write_reason(int dir, const char *name, const char *reason)
{
	char path[NAME_MAX + sizeof(".reason.txt")];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s.reason.txt", name);
	fd = openat(dir, path,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0) {
		return;
	}
	/* Beside the event that says the same, it is a help, no promise. */
	n = write(fd, reason, strlen(reason));
	if (n >= 0) {
		n = write(fd, "\n", 1);
	}
	close(fd);
}

/* The bytes of a name that are kept: no character of UTF-8 is cut. */
static int kept_len(const char *name)
{
	size_t len = strlen(name);

	if (len > MOVED_NAME_MAX) {
		len = MOVED_NAME_MAX;
		while (len > 1 && ((uint8_t)name[len] & 0xC0) == 0x80) {
			len--;
		}
	}
	return (int)len;
}

/* As rename(), but never over what is there.  Sets errno. */
static bool move_to(int from, const char *name, int to, const char *target)
{
	struct stat stat;

	if (renameat2(from, name, to, target, RENAME_NOREPLACE) == 0) {
		return true;
	}
	if (errno != EINVAL && errno != ENOSYS) {
		return false;
	}
	/* A file system that can't, such as NFS; done and bad are ours. */
	if (fstatat(to, target, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return false;
	}
	return errno == ENOENT && renameat(from, name, to, target) == 0;
}

/*
 * What was moved may have been put there in the last moment: then it goes back
 * to be read, unless yet another one has come.
 */
static everr_t moved_check(const struct inbox_dirs *dirs, const char *name,
			   int to, const char *target, const struct stat *stat)
{
	struct stat now;

	if (fstatat(to, target, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
	    same_file(stat, &now)) {
		return EVERR_OK;
	}
	return move_to(to, target, dirs->top, name) ? EVERR_STALE : EVERR_IO;
}

static void moved_name(const char *name, const struct stat *stat,
		       unsigned int number, char target[NAME_MAX + 1])
{
	const struct timespec *time = &stat->st_ctim;

	if (number == 0) {
		snprintf(target, NAME_MAX + 1, "%.*s", kept_len(name), name);
	} else if (number < MOVED_TRIES - 1) {
		snprintf(target, NAME_MAX + 1, "%.*s.%u", kept_len(name), name,
			 number);
	} else {
		snprintf(target, NAME_MAX + 1, "%.*s.%lld%09ld", kept_len(name),
			 name, (long long)time->tv_sec, time->tv_nsec);
	}
}

everr_t inbox_move(const struct inbox_dirs *dirs, const char *name,
		   const struct stat *stat, enum inbox_kind kind,
		   const char *reason)
{
	int to = kind == INBOX_DONE ? dirs->done : dirs->bad;
	char target[NAME_MAX + 1];
	struct stat now;
	unsigned int i;
	everr_t err;

	if (fstatat(dirs->top, name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
		return errno == ENOENT ? EVERR_NOT_FOUND : EVERR_IO;
	}
	if (!same_file(stat, &now)) {
		return EVERR_STALE;
	}
	for (i = 0; i < MOVED_TRIES; i++) {
		moved_name(name, stat, i, target);
		if (move_to(dirs->top, name, to, target)) {
			err = moved_check(dirs, name, to, target, stat);
			if (err == EVERR_OK && reason != NULL) {
				write_reason(to, target, reason);
			}
			return err;
		}
		if (errno != EEXIST) {
			break;
		}
	}
	return EVERR_IO;
}

/* -------------------------------------------------------------- trimming */

struct trim_entry {
	char *name;
	time_t time;
};

static int by_time(const void *a, const void *b)
{
	const struct trim_entry *x = a;
	const struct trim_entry *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

static size_t trim_read(TALLOC_CTX *frame, DIR *dir, struct trim_entry *entries)
{
	struct dirent *entry = NULL;
	struct stat stat;
	size_t num = 0;

	while (num < TRIM_ENTRIES_MAX && (entry = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), entry->d_name, &stat,
			    AT_SYMLINK_NOFOLLOW) != 0 ||
		    S_ISDIR(stat.st_mode)) {
			continue;
		}
		entries[num].name = talloc_strdup(frame, entry->d_name);
		/* When it came here; its writer may have set the other. */
		entries[num].time = stat.st_ctim.tv_sec;
		if (entries[num].name == NULL) {
			break;
		}
		num++;
	}
	return num;
}

static void trim_dir(DIR *dir, uint32_t max, uint64_t seconds)
{
	TALLOC_CTX *frame = talloc_new(NULL);
	struct trim_entry *entries = NULL;
	time_t now = time(NULL);
	size_t i, num;

	entries = talloc_array(frame, struct trim_entry, TRIM_ENTRIES_MAX);
	if (entries == NULL) {
		talloc_free(frame);
		return;
	}
	num = trim_read(frame, dir, entries);
	qsort(entries, num, sizeof(*entries), by_time);
	for (i = 0; i < num && i < TRIM_REMOVED_MAX; i++) {
		if (num - i <= max && now - entries[i].time < (time_t)seconds) {
			break;
		}
		(void)unlinkat(dirfd(dir), entries[i].name, 0);
	}
	talloc_free(frame);
}

void inbox_trim(const struct inbox_dirs *dirs, enum inbox_kind kind,
		uint32_t max, uint64_t seconds)
{
	int fd = openat(kind == INBOX_DONE ? dirs->done : dirs->bad, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = NULL;

	if (fd < 0) {
		return;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return;
	}
	trim_dir(dir, max, seconds);
	closedir(dir);
}
