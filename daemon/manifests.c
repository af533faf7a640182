/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/manifests.h"

#include "base/text.h"
#include "rpc/sddl.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool daemon_manifest_name_valid(const char *name)
{
	size_t suffix = strlen(DAEMON_MANIFEST_SUFFIX);
	size_t len = strlen(name);

	return len > suffix && len <= DAEMON_MANIFEST_NAME_MAX &&
	       name[0] != '.' && strchr(name, '/') == NULL &&
	       text_utf8_valid(name, len) &&
	       strcmp(name + len - suffix, DAEMON_MANIFEST_SUFFIX) == 0;
}

/* ------------------------------------------------------------- one file */

static everr_t complain(TALLOC_CTX *mem_ctx, everr_t err, char **ret_message,
			const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static everr_t complain(TALLOC_CTX *mem_ctx, everr_t err, char **ret_message,
			const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	*ret_message = talloc_vasprintf(mem_ctx, format, ap);
	va_end(ap);
	return *ret_message == NULL ? EVERR_NOMEM : err;
}

/* What fits into a manifest, and one byte more to tell that it does not. */
static everr_t read_all(TALLOC_CTX *mem_ctx, int fd, size_t size,
			uint8_t **ret_data, size_t *ret_len)
{
	size_t max = size < EVENT_MANIFEST_MAX ? size : EVENT_MANIFEST_MAX;
	uint8_t *data = talloc_size(mem_ctx, max + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (data == NULL) {
		return EVERR_NOMEM;
	}
	while (n > 0 && len < max + 1) {
		n = read(fd, data + len, max + 1 - len);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		talloc_free(data);
		return EVERR_IO;
	}
	*ret_data = data;
	*ret_len = len;
	return EVERR_OK;
}

static everr_t read_file(TALLOC_CTX *mem_ctx, const char *path,
			 uint8_t **ret_data, size_t *ret_len)
{
	struct stat st;
	everr_t err;
	int fd;

	/* O_NONBLOCK: a fifo must not hold the service. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return EVERR_IO;
	}
	if (fstat(fd, &st) != 0) {
		close(fd);
		return EVERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return EVERR_IO;
	}
	err = read_all(mem_ctx, fd, (size_t)st.st_size, ret_data, ret_len);
	close(fd);
	return err;
}

static everr_t check_channel(TALLOC_CTX *mem_ctx, const char *path,
			     const struct event_manifest_channel *channel,
			     char **ret_message)
{
	if (!store_channel_name_valid(channel->name)) {
		return complain(mem_ctx, EVERR_MANIFEST, ret_message,
				"%s: no channel can have the name \"%s\"", path,
				channel->name);
	}
	if (channel->access != NULL && !rpc_sddl_valid(channel->access)) {
		return complain(mem_ctx, EVERR_MANIFEST, ret_message,
				"%s: the access of the channel %s is not an "
				"access string (SDDL)",
				path, channel->name);
	}
	return EVERR_OK;
}

static everr_t check_channels(TALLOC_CTX *mem_ctx, const char *path,
			      const struct event_manifest *manifest,
			      char **ret_message)
{
	everr_t err = EVERR_OK;
	size_t i, j;

	for (i = 0; i < manifest->num_publishers; i++) {
		const struct event_publisher *publisher =
			&manifest->publishers[i];

		for (j = 0; j < publisher->num_channels && err == EVERR_OK;
		     j++) {
			err = check_channel(mem_ctx, path,
					    &publisher->channels[j],
					    ret_message);
		}
	}
	return err;
}

everr_t daemon_manifest_parse(TALLOC_CTX *mem_ctx, const char *path,
			      const uint8_t *data, size_t len,
			      struct event_manifest **ret_manifest,
			      char **ret_message)
{
	struct event_manifest_error error = {};
	struct event_manifest *manifest = NULL;
	everr_t err;

	err = event_manifest_parse(mem_ctx, path, data, len, &manifest, &error);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK && error.line > 0) {
		return complain(mem_ctx, err, ret_message, "%s:%d: %s", path,
				error.line, error.message);
	}
	if (err != EVERR_OK) {
		return complain(mem_ctx, err, ret_message, "%s: %s", path,
				error.message);
	}
	err = check_channels(mem_ctx, path, manifest, ret_message);
	if (err != EVERR_OK) {
		talloc_free(manifest);
		return err;
	}
	*ret_manifest = manifest;
	return EVERR_OK;
}

everr_t daemon_manifest_read(TALLOC_CTX *mem_ctx, const char *path,
			     uint8_t **ret_data, size_t *ret_len,
			     char **ret_message)
{
	everr_t err;

	err = read_file(mem_ctx, path, ret_data, ret_len);
	if (err == EVERR_IO) {
		return complain(mem_ctx, err, ret_message,
				"%s cannot be read: %s", path,
				errno == EINVAL ? "it is not a file"
						: strerror(errno));
	}
	return err;
}

everr_t daemon_manifest_add(TALLOC_CTX *mem_ctx, struct event_catalog *catalog,
			    struct event_manifest *manifest, char **ret_message)
{
	const char *name = NULL;
	everr_t err;

	err = event_catalog_add(catalog, manifest, &name);
	if (err == EVERR_EXISTS) {
		return complain(mem_ctx, err, ret_message,
				"%s: the publisher %s, or another one with its "
				"GUID, is already described",
				manifest->file, name);
	}
	if (err == EVERR_LIMIT) {
		return complain(mem_ctx, err, ret_message,
				"%s: with it there are more than %d publishers",
				manifest->file, EVENT_CATALOG_PUBLISHERS_MAX);
	}
	return err;
}

/* ------------------------------------------------------------ directory */

struct loading {
	const char *dir;
	const char *const *except;
	struct event_catalog *catalog;
	struct daemon_manifest_problems *problems;
};

static everr_t report(struct loading *loading, char *message)
{
	struct daemon_manifest_problems *problems = loading->problems;
	char **grown = NULL;

	grown = talloc_realloc(problems, problems->messages, char *,
			       problems->num_messages + 1);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	problems->messages = grown;
	grown[problems->num_messages++] = talloc_steal(problems, message);
	return EVERR_OK;
}

/* What is wrong with one file does not keep the others from being read. */
static everr_t load_file(struct loading *loading, const char *name)
{
	struct event_manifest *manifest = NULL;
	uint8_t *data = NULL;
	char *message = NULL;
	char *path = NULL;
	size_t len = 0;
	everr_t err;

	path = talloc_asprintf(loading->problems, "%s/%s", loading->dir, name);
	if (path == NULL) {
		return EVERR_NOMEM;
	}
	err = daemon_manifest_read(loading->problems, path, &data, &len,
				   &message);
	if (err == EVERR_OK) {
		err = daemon_manifest_parse(loading->problems, path, data, len,
					    &manifest, &message);
	}
	if (err == EVERR_OK) {
		err = daemon_manifest_add(loading->problems, loading->catalog,
					  manifest, &message);
	}
	if (err != EVERR_OK) {
		talloc_free(manifest);
	}
	talloc_free(data);
	talloc_free(path);
	return message != NULL ? report(loading, message) : err;
}

static bool is_excepted(const struct loading *loading, const char *name)
{
	size_t i;

	for (i = 0; loading->except != NULL && loading->except[i] != NULL;
	     i++) {
		if (strcmp(loading->except[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static int is_manifest(const struct dirent *entry)
{
	return daemon_manifest_name_valid(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static everr_t load_dir(struct loading *loading)
{
	struct dirent **entries = NULL;
	everr_t err = EVERR_OK;
	int num, i;

	num = scandir(loading->dir, &entries, is_manifest, by_name);
	if (num < 0 && errno == ENOENT) {
		return EVERR_OK;
	}
	if (num < 0) {
		return report(loading,
			      talloc_asprintf(loading->problems,
					      "%s cannot be read: %s",
					      loading->dir, strerror(errno)));
	}
	if (num > DAEMON_MANIFESTS_MAX) {
		err = report(loading,
			     talloc_asprintf(loading->problems,
					     "%s has more than %d manifests",
					     loading->dir,
					     DAEMON_MANIFESTS_MAX));
	}
	for (i = 0; i < num; i++) {
		if (err == EVERR_OK && i < DAEMON_MANIFESTS_MAX &&
		    !is_excepted(loading, entries[i]->d_name)) {
			err = load_file(loading, entries[i]->d_name);
		}
		free(entries[i]);
	}
	free(entries);
	return err;
}

everr_t daemon_manifests_load(TALLOC_CTX *mem_ctx, const char *dir,
			      const char *const *except,
			      struct event_catalog **ret_catalog,
			      struct daemon_manifest_problems **ret_problems)
{
	struct loading loading = {.dir = dir, .except = except};
	everr_t err = EVERR_NOMEM;

	loading.catalog = event_catalog_create(mem_ctx);
	loading.problems =
		talloc_zero(mem_ctx, struct daemon_manifest_problems);
	if (loading.catalog != NULL && loading.problems != NULL) {
		err = load_dir(&loading);
	}
	if (err != EVERR_OK) {
		talloc_free(loading.catalog);
		talloc_free(loading.problems);
		return err;
	}
	*ret_catalog = loading.catalog;
	*ret_problems = loading.problems;
	return EVERR_OK;
}
