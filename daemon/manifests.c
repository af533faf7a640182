/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/manifests.h"

#include "base/text.h"
#include "bridge/events.h"
#include "rpc/sddl.h"
#include "store/operational.h"
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

/* As many as there were, and one more to tell that it has grown. */
static everr_t read_all(TALLOC_CTX *mem_ctx, int fd, size_t size,
			uint8_t **ret_data, size_t *ret_len)
{
	uint8_t *data = talloc_size(mem_ctx, size + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (data == NULL) {
		return EVERR_NOMEM;
	}
	while (n > 0 && len < size + 1) {
		n = read(fd, data + len, size + 1 - len);
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

static everr_t cannot_read(TALLOC_CTX *mem_ctx, const char *path,
			   const char *why, char **ret_message)
{
	return complain(mem_ctx, EVERR_IO, ret_message, "%s cannot be read: %s",
			path, why);
}

/* Before it is read, so that what is refused takes no time. */
static everr_t check_size(TALLOC_CTX *mem_ctx,
			  const struct daemon_manifests *manifests,
			  const char *path, off_t size, char **ret_message)
{
	if (size > EVENT_MANIFEST_MAX) {
		return complain(mem_ctx, EVERR_LIMIT, ret_message,
				"%s: larger than %d MiB", path,
				EVENT_MANIFEST_MAX / 1048576);
	}
	if ((size_t)size > DAEMON_MANIFESTS_BYTES_MAX - manifests->num_bytes) {
		return complain(mem_ctx, EVERR_LIMIT, ret_message,
				"%s: with it the manifests are larger than %d "
				"MiB together",
				path, DAEMON_MANIFESTS_BYTES_MAX / 1048576);
	}
	return EVERR_OK;
}

static everr_t read_open(TALLOC_CTX *mem_ctx,
			 struct daemon_manifests *manifests, const char *path,
			 int fd, uint8_t **ret_data, size_t *ret_len,
			 char **ret_message)
{
	struct stat st;
	everr_t err;

	if (fstat(fd, &st) != 0) {
		return cannot_read(mem_ctx, path, strerror(errno), ret_message);
	}
	if (!S_ISREG(st.st_mode)) {
		return cannot_read(mem_ctx, path, "it is not a file",
				   ret_message);
	}
	err = check_size(mem_ctx, manifests, path, st.st_size, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	manifests->num_bytes += (size_t)st.st_size;
	err = read_all(mem_ctx, fd, (size_t)st.st_size, ret_data, ret_len);
	if (err == EVERR_IO) {
		return cannot_read(mem_ctx, path, strerror(errno), ret_message);
	}
	return err;
}

everr_t daemon_manifest_read(TALLOC_CTX *mem_ctx,
			     struct daemon_manifests *manifests,
			     const char *path, uint8_t **ret_data,
			     size_t *ret_len, char **ret_message)
{
	everr_t err;
	int fd;

	/* O_NONBLOCK: a fifo must not hold the service. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return cannot_read(mem_ctx, path, strerror(errno), ret_message);
	}
	err = read_open(mem_ctx, manifests, path, fd, ret_data, ret_len,
			ret_message);
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

/* ------------------------------------------------------------- built in */

/* Evenlog's own publisher is in every catalog already. */
static const struct {
	const char *provider;
	const char *file; /* for messages */
	const char *xml;
} built_in[] = {
	{BRIDGE_CONFIGMGR_PROVIDER, "evenlog-configmgr.man",
	 bridge_configmgr_manifest},
	{BRIDGE_WSUS_PROVIDER, "evenlog-wsus.man", bridge_wsus_manifest},
};

static bool is_built_in(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		if (text_name_equal(name, built_in[i].provider)) {
			return true;
		}
	}
	return text_name_equal(name, OPERATIONAL_PROVIDER);
}

static everr_t add_built_in(struct daemon_manifests *manifests)
{
	struct event_manifest *manifest = NULL;
	char *message = NULL;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		err = daemon_manifest_parse(manifests, built_in[i].file,
					    (const uint8_t *)built_in[i].xml,
					    strlen(built_in[i].xml), &manifest,
					    &message);
		if (err == EVERR_OK) {
			err = daemon_manifest_add(manifests, manifests->catalog,
						  manifest, &message);
		}
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

everr_t daemon_manifest_add(TALLOC_CTX *mem_ctx, struct event_catalog *catalog,
			    struct event_manifest *manifest, char **ret_message)
{
	const char *name = NULL;
	everr_t err;

	err = event_catalog_add(catalog, manifest, &name);
	if (err == EVERR_EXISTS && is_built_in(name)) {
		return complain(mem_ctx, err, ret_message,
				"%s: the publisher %s, or its GUID, is one of "
				"Evenlog's own, which no file describes",
				manifest->file, name);
	}
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
	struct daemon_manifests *manifests;
};

/* message NULL: there was no memory for it. */
static everr_t report(struct loading *loading, char *message)
{
	struct daemon_manifests *manifests = loading->manifests;
	char **grown = NULL;

	grown = talloc_realloc(manifests, manifests->problems, char *,
			       manifests->num_problems + 1);
	if (grown == NULL || message == NULL) {
		return EVERR_NOMEM;
	}
	manifests->problems = grown;
	grown[manifests->num_problems++] = talloc_steal(manifests, message);
	return EVERR_OK;
}

/* What is wrong with one file does not keep the others from being read. */
static everr_t load_file(struct loading *loading, const char *name)
{
	struct daemon_manifests *manifests = loading->manifests;
	struct event_manifest *manifest = NULL;
	uint8_t *data = NULL;
	char *message = NULL;
	char *path = NULL;
	size_t len = 0;
	everr_t err;

	path = talloc_asprintf(manifests, "%s/%s", loading->dir, name);
	if (path == NULL) {
		return EVERR_NOMEM;
	}
	err = daemon_manifest_read(manifests, manifests, path, &data, &len,
				   &message);
	if (err == EVERR_OK) {
		err = daemon_manifest_parse(manifests, path, data, len,
					    &manifest, &message);
	}
	if (err == EVERR_OK) {
		err = daemon_manifest_add(manifests, manifests->catalog,
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
			      talloc_asprintf(loading->manifests,
					      "%s cannot be read: %s",
					      loading->dir, strerror(errno)));
	}
	if (num > DAEMON_MANIFESTS_MAX) {
		err = report(
			loading,
			talloc_asprintf(loading->manifests,
					"%s has more than %d manifests: "
					"%s and those after it are "
					"passed over",
					loading->dir, DAEMON_MANIFESTS_MAX,
					entries[DAEMON_MANIFESTS_MAX]->d_name));
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
			      struct daemon_manifests **ret_manifests)
{
	struct loading loading = {.dir = dir, .except = except};
	struct daemon_manifests *manifests = NULL;
	everr_t err = EVERR_NOMEM;

	manifests = talloc_zero(mem_ctx, struct daemon_manifests);
	if (manifests == NULL) {
		return EVERR_NOMEM;
	}
	loading.manifests = manifests;
	manifests->catalog = event_catalog_create(manifests);
	if (manifests->catalog != NULL) {
		err = add_built_in(manifests);
	}
	if (err == EVERR_OK) {
		err = load_dir(&loading);
	}
	if (err != EVERR_OK) {
		talloc_free(manifests);
		return err;
	}
	*ret_manifests = manifests;
	return EVERR_OK;
}
