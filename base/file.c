/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
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

/* One byte more than max is asked for, so that a longer file is noticed. */
everr_t file_read_all(TALLOC_CTX *mem_ctx, const char *path, size_t max,
		      char **ret_data, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *data = NULL;
	size_t len;
	int failed;

	if (f == NULL) {
		return EVERR_IO;
	}
	/* What is read may be a secret: no second copy in a buffer of stdio. */
	setvbuf(f, NULL, _IONBF, 0);
	data = talloc_array(mem_ctx, char, max + 2);
	if (data == NULL) {
		fclose(f);
		return EVERR_NOMEM;
	}
	errno = 0;
	len = fread(data, 1, max + 1, f);
	failed = ferror(f) != 0 ? errno : 0;
	fclose(f);
	if (failed != 0 || len > max) {
		TALLOC_FREE(data);
		errno = failed;
		return failed != 0 ? EVERR_IO : EVERR_LIMIT;
	}

	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return EVERR_OK;
}
