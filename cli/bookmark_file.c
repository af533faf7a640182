/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bookmark_file.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static everr_t read_all(int fd, struct buf *out)
{
	for (;;) {
		uint8_t chunk[4096];
		ssize_t ret = read(fd, chunk, sizeof(chunk));

		if (ret < 0 && errno == EINTR) {
			continue;
		}
		if (ret < 0) {
			return EVERR_IO;
		}
		if (ret == 0) {
			return buf_error(out);
		}
		buf_put(out, chunk, (size_t)ret);
	}
}

everr_t bookmark_file_load(TALLOC_CTX *mem_ctx, const char *path,
			   struct event_bookmark_list **ret_list)
{
	struct event_bookmark_list *list = NULL;
	struct buf text;
	everr_t err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		return errno == ENOENT ? EVERR_NOT_FOUND : EVERR_IO;
	}
	buf_init(&text, mem_ctx, EVENT_BOOKMARK_LENGTH_MAX);
	err = read_all(fd, &text);
	close(fd);
	if (err == EVERR_OK) {
		err = event_bookmark_parse(mem_ctx, (const char *)text.data,
					   text.len, &list);
	}
	buf_free(&text);
	if (err != EVERR_OK) {
		return err;
	}
	/* A file that lost its content must not be read as "from now". */
	if (list->num_bookmarks == 0) {
		TALLOC_FREE(list);
		return EVERR_BOOKMARK_SYNTAX;
	}
	*ret_list = list;
	return EVERR_OK;
}

/* The directory holds the name: without its sync the rename may be lost. */
static everr_t sync_parent(TALLOC_CTX *mem_ctx, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dir = ".";

	if (slash != NULL) {
		dir = talloc_strndup(mem_ctx, path,
				     slash == path ? 1
						   : (size_t)(slash - path));
		if (dir == NULL) {
			return EVERR_NOMEM;
		}
	}
	return file_sync_directory(dir) ? EVERR_OK : EVERR_IO;
}

static everr_t replace(TALLOC_CTX *mem_ctx, const char *path,
		       const struct buf *text)
{
	char *temporary = talloc_asprintf(mem_ctx, "%s.XXXXXX", path);
	int ret, fd, saved;
	everr_t err;

	if (temporary == NULL) {
		return EVERR_NOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd == -1) {
		return EVERR_IO;
	}
	err = file_write_all(fd, text->data, text->len) ? EVERR_OK : EVERR_IO;
	if (err == EVERR_OK && fsync(fd) != 0) {
		err = EVERR_IO;
	}
	ret = close(fd);
	if (err == EVERR_OK && ret != 0) {
		err = EVERR_IO;
	}
	if (err == EVERR_OK) {
		ret = rename(temporary, path);
		err = ret == 0 ? EVERR_OK : EVERR_IO;
	}
	if (err != EVERR_OK) {
		saved = errno;
		unlink(temporary);
		errno = saved;
		return err;
	}
	return sync_parent(mem_ctx, path);
}

everr_t bookmark_file_save(const char *path,
			   const struct event_bookmark_list *list)
{
	TALLOC_CTX *frame = talloc_new(NULL);
	struct buf text;
	everr_t err;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&text, frame, EVENT_BOOKMARK_LENGTH_MAX);
	event_bookmark_write(&text, list);
	err = buf_error(&text);
	if (err == EVERR_OK) {
		err = replace(frame, path, &text);
	}
	TALLOC_FREE(frame);
	return err;
}
