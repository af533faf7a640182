/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/export_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DIR_MODE 0750
#define FILE_MODE 0640

/* ".evenlog-0123456789abcdef.tmp"; no client can name such a file. */
#define TEMPORARY_PREFIX ".evenlog-"
#define TEMPORARY_SUFFIX ".tmp"
#define TEMPORARY_RANDOM 8

/* The disk's room is looked at each time so much has been written. */
#define CHECK_BYTES (1024 * 1024)

static everr_t error_of(int code)
{
	switch (code) {
	case EEXIST:
	case ENOTEMPTY:
		return EVERR_EXISTS;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return EVERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return EVERR_ACCESS;
	case ENOSPC:
	case EDQUOT:
		return EVERR_STORE_FULL;
	case EFBIG:
		return EVERR_LIMIT;
	case ENAMETOOLONG:
	case EINVAL:
	case EILSEQ:
		return EVERR_INVALID;
	case ENOMEM:
		return EVERR_NOMEM;
	default:
		return EVERR_IO;
	}
}

/* ------------------------------------------------------------ lifetime */

everr_t export_disk_init(struct export_disk *disk,
			 const struct rpc_export_place *place,
			 const struct rpc_export_path *path)
{
	size_t i;

	*disk = (struct export_disk){
		.max_bytes = place->max_bytes,
		.reserve = place->reserve,
		.fd = -1,
	};
	for (i = 0; i < RPC_EXPORT_DEPTH_MAX; i++) {
		disk->dirs[i] = -1;
	}
	disk->root = strdup(place->directory);
	if (disk->root == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < path->num_names; i++) {
		disk->names[i] = strdup(path->names[i]);
		if (disk->names[i] == NULL) {
			return EVERR_NOMEM;
		}
		disk->num_names++;
	}
	return EVERR_OK;
}

static void disk_close(struct export_disk *disk)
{
	size_t i;

	if (disk->fd != -1) {
		close(disk->fd);
		disk->fd = -1;
	}
	for (i = 0; i < RPC_EXPORT_DEPTH_MAX; i++) {
		if (disk->dirs[i] != -1) {
			close(disk->dirs[i]);
			disk->dirs[i] = -1;
		}
	}
}

void export_disk_destroy(struct export_disk *disk)
{
	size_t i;

	disk_close(disk);
	for (i = 0; i < disk->num_names; i++) {
		free(disk->names[i]);
	}
	free(disk->root);
}

/* ---------------------------------------------------------------- open */

/* A directory by one name, which must be neither a link nor a path. */
static int open_dir(int parent, const char *name)
{
	return openat(parent, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Go down by one name, making the directory if need be. */
static everr_t descend(struct export_disk *disk, size_t depth)
{
	int parent = disk->dirs[depth];
	int fd;

	if (mkdirat(parent, disk->names[depth], DIR_MODE) == 0) {
		disk->made[depth] = true;
	} else if (errno != EEXIST) {
		return error_of(errno);
	}
	fd = open_dir(parent, disk->names[depth]);
	if (fd == -1) {
		return error_of(errno);
	}
	disk->dirs[depth + 1] = fd;
	/* The umask of a service takes the group its rights. */
	if (disk->made[depth] && fchmod(fd, DIR_MODE) != 0) {
		return error_of(errno);
	}
	return EVERR_OK;
}

/* The directory that holds the target. */
static int target_dir(const struct export_disk *disk)
{
	return disk->dirs[disk->num_names - 1];
}

static const char *target_name(const struct export_disk *disk)
{
	return disk->names[disk->num_names - 1];
}

static everr_t open_temporary(struct export_disk *disk)
{
	uint8_t random[TEMPORARY_RANDOM];
	char *p = disk->temporary;
	size_t i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return EVERR_IO;
	}
	p += snprintf(p, sizeof(disk->temporary), "%s", TEMPORARY_PREFIX);
	for (i = 0; i < sizeof(random); i++) {
		p += snprintf(p, 3, "%02x", random[i]);
	}
	snprintf(p, sizeof(TEMPORARY_SUFFIX), "%s", TEMPORARY_SUFFIX);
	disk->fd = openat(target_dir(disk), disk->temporary,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  FILE_MODE);
	if (disk->fd == -1) {
		disk->temporary[0] = '\0';
		return error_of(errno);
	}
	return fchmod(disk->fd, FILE_MODE) == 0 ? EVERR_OK : error_of(errno);
}

static everr_t check_room(struct export_disk *disk, size_t len)
{
	struct statvfs st;

	if (disk->bytes + len > disk->max_bytes) {
		return EVERR_LIMIT;
	}
	if (disk->bytes != 0 && disk->bytes - disk->checked < CHECK_BYTES) {
		return EVERR_OK;
	}
	disk->checked = disk->bytes;
	if (fstatvfs(disk->fd, &st) != 0) {
		return error_of(errno);
	}
	return (uint64_t)st.f_bavail * st.f_frsize < disk->reserve + len
		       ? EVERR_STORE_FULL
		       : EVERR_OK;
}

everr_t export_disk_open(struct export_disk *disk, size_t header_len)
{
	struct stat st;
	everr_t err = EVERR_OK;
	size_t i;

	/* The export directory itself may be a link: an administrator's. */
	disk->dirs[0] = open(disk->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (disk->dirs[0] == -1) {
		return error_of(errno);
	}
	for (i = 0; err == EVERR_OK && i + 1 < disk->num_names; i++) {
		err = descend(disk, i);
	}
	if (err != EVERR_OK) {
		return err;
	}
	/* Before all the work; what counts is the check at its end. */
	if (fstatat(target_dir(disk), target_name(disk), &st,
		    AT_SYMLINK_NOFOLLOW) == 0) {
		return EVERR_EXISTS;
	}
	err = open_temporary(disk);
	if (err == EVERR_OK) {
		err = check_room(disk, header_len);
	}
	disk->bytes = header_len;
	return err;
}

/* --------------------------------------------------------------- write */

static everr_t write_at(struct export_disk *disk, const uint8_t *data,
			size_t len, uint64_t offset)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(disk->fd, data, len, (off_t)offset);
		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n == -1) {
			return error_of(errno);
		}
		if (n == 0) {
			return EVERR_IO;
		}
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return EVERR_OK;
}

everr_t export_disk_append(struct export_disk *disk, const uint8_t *data,
			   size_t len)
{
	everr_t err = check_room(disk, len);

	if (err == EVERR_OK) {
		err = write_at(disk, data, len, disk->bytes);
	}
	disk->bytes += len;
	return err;
}

/* ---------------------------------------------------------------- commit */

/* The target's name, if nobody has it: atomically, and never over a file. */
static everr_t take_name(struct export_disk *disk)
{
	int dir = target_dir(disk);
	int rc;

	rc = renameat2(dir, disk->temporary, dir, target_name(disk),
		       RENAME_NOREPLACE);
	if (rc == 0) {
		disk->temporary[0] = '\0';
		disk->named = true;
		return EVERR_OK;
	}
	if (errno != EINVAL && errno != ENOSYS) {
		return error_of(errno);
	}
	/* A file system that cannot do that has links. */
	rc = linkat(dir, disk->temporary, dir, target_name(disk), 0);
	if (rc != 0) {
		return error_of(errno);
	}
	disk->named = true;
	if (unlinkat(dir, disk->temporary, 0) == 0) {
		disk->temporary[0] = '\0';
	}
	return EVERR_OK;
}

/* The entries of the file and of the directories that were made for it. */
static everr_t sync_dirs(const struct export_disk *disk)
{
	size_t i;

	for (i = disk->num_names; i > 0; i--) {
		if (i < disk->num_names && !disk->made[i - 1]) {
			continue;
		}
		if (fsync(disk->dirs[i - 1]) != 0) {
			return error_of(errno);
		}
	}
	return EVERR_OK;
}

everr_t export_disk_commit(struct export_disk *disk, const uint8_t *header,
			   size_t len)
{
	everr_t err;

	err = write_at(disk, header, len, 0);
	if (err != EVERR_OK) {
		return err;
	}
	if (fsync(disk->fd) != 0) {
		return error_of(errno);
	}
	err = take_name(disk);
	return err != EVERR_OK ? err : sync_dirs(disk);
}

void export_disk_undo(struct export_disk *disk)
{
	size_t i;

	if (disk->temporary[0] != '\0') {
		(void)unlinkat(target_dir(disk), disk->temporary, 0);
		disk->temporary[0] = '\0';
	}
	if (disk->named) {
		(void)unlinkat(target_dir(disk), target_name(disk), 0);
		disk->named = false;
	}
	/* Unless somebody has put something there meanwhile. */
	for (i = disk->num_names; i > 0; i--) {
		if (disk->made[i - 1] && disk->dirs[i - 1] != -1) {
			(void)unlinkat(disk->dirs[i - 1], disk->names[i - 1],
				       AT_REMOVEDIR);
		}
	}
	disk_close(disk);
}

/* ---------------------------------------------------------------- clean */

static bool is_temporary(const char *name)
{
	const size_t prefix = strlen(TEMPORARY_PREFIX);
	const size_t digits = 2 * TEMPORARY_RANDOM;

	return strncmp(name, TEMPORARY_PREFIX, prefix) == 0 &&
	       strspn(name + prefix, "0123456789abcdef") == digits &&
	       strcmp(name + prefix + digits, TEMPORARY_SUFFIX) == 0;
}

/* Takes over dir_fd. */
static void clean_dir(int dir_fd, unsigned int depth)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry = NULL;
	int fd;

	if (dir == NULL) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (is_temporary(entry->d_name)) {
			(void)unlinkat(dir_fd, entry->d_name, 0);
			continue;
		}
		if (entry->d_name[0] == '.' || depth == 0 ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) {
			continue;
		}
		fd = open_dir(dir_fd, entry->d_name);
		if (fd != -1) {
			clean_dir(fd, depth - 1);
		}
	}
	closedir(dir);
}

everr_t rpc_export_clean(const char *directory)
{
	int fd;

	if (mkdir(directory, DIR_MODE) == 0) {
		if (chmod(directory, DIR_MODE) != 0) {
			return error_of(errno);
		}
	} else if (errno != EEXIST) {
		return error_of(errno);
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		return error_of(errno);
	}
	clean_dir(fd, RPC_EXPORT_DEPTH_MAX);
	return EVERR_OK;
}
