/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *rest = data;

	while (len > 0) {
		ssize_t n = write(fd, rest, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n == 0) {
			errno = EIO;
		}
		if (n <= 0) {
			return false;
		}
		rest += n;
		len -= (size_t)n;
	}
	return true;
}

bool file_sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret, saved;

	if (fd == -1) {
		return false;
	}
	ret = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return ret == 0;
}

/* As far as the file goes, or room; false: errno. */
static bool read_up_to(int fd, char *data, size_t room, size_t *ret_len)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = read(fd, data + len, room - len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return false;
		}
		if (n == 0) {
			break;
		}
		len += (size_t)n;
	}
	*ret_len = len;
	return true;
}

/* One byte more than max is asked for, so that a longer file is noticed. */
static everr_t read_regular(int fd, TALLOC_CTX *mem_ctx, size_t max,
			    char **ret_data, size_t *ret_len)
{
	struct stat st;
	char *data = NULL;
	size_t len = 0;

	if (fstat(fd, &st) != 0) {
		return EVERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		return EVERR_NOT_SUPPORTED;
	}
	data = talloc_array(mem_ctx, char, max + 2);
	if (data == NULL) {
		return EVERR_NOMEM;
	}
	if (!read_up_to(fd, data, max + 1, &len)) {
		talloc_free(data);
		return EVERR_IO;
	}
	if (len > max) {
		talloc_free(data);
		return EVERR_LIMIT;
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return EVERR_OK;
}

/* A FIFO's open would wait for who writes to it, but for O_NONBLOCK. */
everr_t file_read_all(TALLOC_CTX *mem_ctx, const char *path, size_t max,
		      char **ret_data, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int saved;
	everr_t err;

	if (fd == -1) {
		return EVERR_IO;
	}
	err = read_regular(fd, mem_ctx, max, ret_data, ret_len);
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}
