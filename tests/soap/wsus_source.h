/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_SOAP_WSUS_SOURCE_H
#define EVENLOG_TESTS_SOAP_WSUS_SOURCE_H

/* A directory of metadata for an import, and one for the catalogue. */

#include "tests/leak.h"

#include "soap/wsus_import.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 2023-11-14T22:13:20Z */
#define SOURCE_TIME UINT64_C(133444736000000000)

struct source {
	char *dir;
	char *catalogue;
	struct wsus_import result;
	struct wsus_problems *problems;
};

static inline void source_empty_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry = NULL;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0) {
			unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

static inline int source_destructor(struct source *source)
{
	source_empty_dir(source->dir);
	source_empty_dir(source->catalogue);
	rmdir(source->catalogue);
	rmdir(source->dir);
	return 0;
}

static inline struct source *source_create(TALLOC_CTX *mem_ctx)
{
	struct source *source = talloc_zero(mem_ctx, struct source);

	source->dir = talloc_strdup(source, "/tmp/evenlog-wsus.XXXXXX");
	assert_non_null(mkdtemp(source->dir));
	source->catalogue =
		talloc_asprintf(source, "%s.catalogue", source->dir);
	talloc_set_destructor(source, source_destructor);
	return source;
}

static inline void source_put(struct source *source, const char *name,
			      const char *text, size_t len)
{
	char *path = talloc_asprintf(source, "%s/%s", source->dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	talloc_free(path);
}

static inline void source_put_text(struct source *source, const char *name,
				   const char *text)
{
	source_put(source, name, text, strlen(text));
}

static inline void source_remove(struct source *source, const char *name)
{
	char *path = talloc_asprintf(source, "%s/%s", source->dir, name);

	assert_int_equal(unlink(path), 0);
	talloc_free(path);
}

#define SOURCE_UPDATE_BEGIN                                                  \
	"<upd:Update xmlns:upd=\"http://schemas.microsoft.com/msus/2002/12/" \
	"Update\">"

/* inside: what stands between Properties and the end. */
static inline void source_put_update(struct source *source, const char *id,
				     int revision, const char *type,
				     const char *inside)
{
	char *name = talloc_asprintf(source, "%s-%d.xml", id, revision);
	char *text = talloc_asprintf(
		source,
		SOURCE_UPDATE_BEGIN
		"<upd:UpdateIdentity UpdateID=\"%s\" RevisionNumber=\"%d\"/>"
		"<upd:Properties DefaultPropertiesLanguage=\"en\" "
		"UpdateType=\"%s\"/>%s</upd:Update>",
		id, revision, type, inside);

	source_put_text(source, name, text);
	talloc_free(name);
	talloc_free(text);
}

/* In which categories an update is; ended by NULL. */
static inline char *source_in(TALLOC_CTX *mem_ctx, const char *const *ids)
{
	char *text = talloc_strdup(mem_ctx,
				   "<upd:Relationships><upd:Prerequisites>");
	size_t i;

	for (i = 0; ids[i] != NULL; i++) {
		text = talloc_asprintf_append(
			text,
			"<upd:AtLeastOne IsCategory=\"true\">"
			"<upd:UpdateIdentity UpdateID=\"%s\"/>"
			"</upd:AtLeastOne>",
			ids[i]);
	}
	return talloc_strdup_append(text,
				    "</upd:Prerequisites></upd:Relationships>");
}

static inline everr_t source_import(struct source *source, uint64_t now)
{
	TALLOC_FREE(source->problems);
	source->result = (struct wsus_import){};
	return wsus_import(source, source->dir, source->catalogue, false, now,
			   &source->result, &source->problems);
}

static inline struct wsus_catalogue *source_load(struct source *source)
{
	struct wsus_catalogue *catalogue = NULL;
	char *message = NULL;
	everr_t err;

	err = wsus_catalogue_load(source, source->catalogue, &catalogue,
				  &message);
	if (err != EVERR_OK) {
		fail_msg("%s", message);
	}
	return catalogue;
}

/* One of the import's problems has this in it. */
static inline void source_assert_problem(const struct source *source,
					 const char *text)
{
	size_t i;

	for (i = 0; i < source->problems->num; i++) {
		if (strstr(source->problems->messages[i], text) != NULL) {
			return;
		}
	}
	fail_msg("no problem with \"%s\"; the first of %zu: %s", text,
		 source->problems->num,
		 source->problems->num > 0 ? source->problems->messages[0]
					   : "none");
}

#endif
