/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/quarantine_files.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *quarantine_file_name(char *file, const char *prefix,
				 const char *name, const char *suffix)
{
	snprintf(file, QUARANTINE_FILE_MAX, "%s%.*s%s", prefix,
		 (int)QUARANTINE_NAME_SIZE - 1, name, suffix);
	return file;
}

everr_t quarantine_dir_open(const char *path, int *ret_fd)
{
	int fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return EVERR_IO;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		return EVERR_IO;
	}
	*ret_fd = fd;
	return EVERR_OK;
}

/* --------------------------------------------------------------- write */

/* A whole file under its temporary name. */
static everr_t write_file(int dir, const char *name, const char *suffix,
			  const uint8_t *data, size_t len)
{
	char file[QUARANTINE_FILE_MAX];
	everr_t err;
	int fd;

	quarantine_file_name(file, QUARANTINE_TEMPORARY, name, suffix);
	fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		return EVERR_IO;
	}
	err = file_write_all(fd, data, len) ? EVERR_OK : EVERR_IO;
	if (close(fd) != 0 && err == EVERR_OK) {
		err = EVERR_IO;
	}
	return err;
}

static everr_t give_name(int dir, const char *name, const char *suffix)
{
	char from[QUARANTINE_FILE_MAX];
	char to[QUARANTINE_FILE_MAX];
	int ret;

	quarantine_file_name(from, QUARANTINE_TEMPORARY, name, suffix);
	quarantine_file_name(to, "", name, suffix);
	ret = renameat(dir, from, dir, to);
	return ret == 0 ? EVERR_OK : EVERR_IO;
}

static void remove_file(int dir, const char *prefix, const char *name,
			const char *suffix)
{
	char file[QUARANTINE_FILE_MAX];

	unlinkat(dir, quarantine_file_name(file, prefix, name, suffix), 0);
}

static void undo(int dir, const char *name)
{
	int saved = errno;

	remove_file(dir, QUARANTINE_TEMPORARY, name, QUARANTINE_INPUT);
	remove_file(dir, QUARANTINE_TEMPORARY, name, QUARANTINE_DESCRIPTION);
	quarantine_files_remove(dir, name);
	errno = saved;
}

everr_t quarantine_files_write(int dir, const char *name,
			       const uint8_t *description,
			       size_t description_len, const uint8_t *data,
			       size_t len)
{
	everr_t err;

	err = write_file(dir, name, QUARANTINE_INPUT, data, len);
	if (err == EVERR_OK) {
		err = write_file(dir, name, QUARANTINE_DESCRIPTION, description,
				 description_len);
	}
	if (err == EVERR_OK) {
		err = give_name(dir, name, QUARANTINE_INPUT);
	}
	if (err == EVERR_OK) {
		err = give_name(dir, name, QUARANTINE_DESCRIPTION);
	}
	if (err != EVERR_OK) {
		undo(dir, name);
	}
	return err;
}

/* -------------------------------------------------------- remove, sync */

void quarantine_files_remove(int dir, const char *name)
{
	/* The description first: an input without one is no entry. */
	remove_file(dir, "", name, QUARANTINE_DESCRIPTION);
	remove_file(dir, "", name, QUARANTINE_INPUT);
}

static void sync_file(int dir, const char *name, const char *suffix)
{
	char file[QUARANTINE_FILE_MAX];
	int fd;

	quarantine_file_name(file, "", name, suffix);
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1) {
		fdatasync(fd);
		close(fd);
	}
}

void quarantine_files_sync(int dir, const char *name)
{
	sync_file(dir, name, QUARANTINE_INPUT);
	sync_file(dir, name, QUARANTINE_DESCRIPTION);
}
