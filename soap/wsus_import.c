/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_import.h"

#include "base/file.h"
#include "base/text.h"
#include "soap/wsus_metadata.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* As it is on disk: UTF-16 has at most twice the bytes. */
#define SOURCE_FILE_MAX (2 * WSUS_BLOB_MAX)
/* Whoever runs the service may read what root put there. */
#define FILE_MODE 0644
#define DIRECTORY_MODE 0755

struct import {
	struct wsus_problems *problems; /* and parent of all else */
	const char *source;
	const char *directory;
	bool check;
	uint64_t now;
	struct wsus_catalogue *old;
	struct wsus_catalogue *catalogue;
	const char **names; /* of each update's file, for messages */
	int dir_fd;
	bool made_dir;
	int data_fd;
	char *data_temporary;
	uint64_t data_len;
	struct wsus_import result;
};

void wsus_problem(struct wsus_problems *problems, const char *fmt, ...)
{
	va_list ap;

	if (problems->num == WSUS_PROBLEMS_MAX) {
		problems->num_more++;
		return;
	}
	va_start(ap, fmt);
	problems->messages[problems->num] = talloc_vasprintf(problems, fmt, ap);
	va_end(ap);
	if (problems->messages[problems->num] != NULL) {
		problems->num++;
	} else {
		problems->num_more++;
	}
}

static everr_t io_failed(struct import *import, const char *path)
{
	wsus_problem(import->problems, "%s: %s", path, strerror(errno));
	return EVERR_IO;
}

/* ------------------------------------------------------- the new data's file */

/* Nobody else imports into it while it is open. */
static everr_t open_directory(struct import *import)
{
	import->made_dir = mkdir(import->directory, DIRECTORY_MODE) == 0;
	if (!import->made_dir && errno != EEXIST) {
		return io_failed(import, import->directory);
	}
	import->dir_fd =
		open(import->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (import->dir_fd < 0) {
		return io_failed(import, import->directory);
	}
	/* Who imports and the service need not be the same user. */
	if (import->made_dir && fchmod(import->dir_fd, DIRECTORY_MODE) != 0) {
		return io_failed(import, import->directory);
	}
	if (flock(import->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		wsus_problem(import->problems,
			     "%s: another import is at work there",
			     import->directory);
		return EVERR_IO;
	}
	return EVERR_OK;
}

static everr_t open_data(struct import *import)
{
	import->data_temporary = talloc_asprintf(
		import->problems, "%s/.updates.XXXXXX", import->directory);
	if (import->data_temporary == NULL) {
		return EVERR_NOMEM;
	}
	import->data_fd = mkostemp(import->data_temporary, O_CLOEXEC);
	if (import->data_fd < 0) {
		io_failed(import, import->data_temporary);
		TALLOC_FREE(import->data_temporary);
		return EVERR_IO;
	}
	return EVERR_OK;
}

static everr_t append_data(struct import *import, const struct buf *text)
{
	if (!import->check &&
	    !file_write_all(import->data_fd, text->data, text->len)) {
		return io_failed(import, import->data_temporary);
	}
	import->data_len += text->len;
	return EVERR_OK;
}

/* ------------------------------------------------------------ reading updates */

/* A regular file, or a link to one: a pipe would never end. */
static everr_t open_source(struct import *import, const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		return io_failed(import, path);
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		wsus_problem(import->problems, "%s: it is not a file", path);
		close(fd);
		return EVERR_IO;
	}
	*ret_fd = fd;
	return EVERR_OK;
}

static everr_t read_file(struct import *import, const char *path,
			 struct buf *out)
{
	uint8_t chunk[65536];
	everr_t err;
	ssize_t n = 1;
	int fd = -1;

	err = open_source(import, path, &fd);
	if (err != EVERR_OK) {
		return err;
	}
	while (n > 0 && err == EVERR_OK) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0) {
			err = io_failed(import, path);
		} else {
			buf_put(out, chunk, (size_t)n);
			err = buf_error(out);
		}
	}
	close(fd);
	return err;
}

static size_t count_units(const struct buf *text)
{
	size_t units = 0;
	size_t i;

	for (i = 0; i < text->len; i++) {
		uint8_t c = text->data[i];

		/* Not of a continuation byte, two of a surrogate pair. */
		units += (c & 0xC0) != 0x80;
		units += c >= 0xF0;
	}
	return units;
}

static everr_t take_update(struct import *import, const char *path,
			   const struct buf *text, struct wsus_update *update)
{
	char *message = NULL;
	everr_t err;
	int rc;

	err = wsus_metadata_read(import->catalogue, text->data, text->len,
				 update, &message);
	if (err == EVERR_CONFIG) {
		wsus_problem(import->problems, "%s:%s", path, message);
		talloc_free(message);
	}
	if (err != EVERR_OK) {
		return err;
	}
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, text->data, text->len,
			      update->hash);
	if (rc != 0) {
		return EVERR_NOMEM;
	}
	update->offset = import->data_len;
	update->len = (uint32_t)text->len;
	update->units = (uint32_t)count_units(text);
	return append_data(import, text);
}

static everr_t read_update(struct import *import, const char *path,
			   struct wsus_update *update)
{
	struct buf raw, text;
	everr_t err;

	buf_init(&raw, import->problems, SOURCE_FILE_MAX);
	buf_init(&text, import->problems, WSUS_BLOB_MAX);
	err = read_file(import, path, &raw);
	if (err == EVERR_OK) {
		err = wsus_metadata_text(raw.data, raw.len, &text);
	}
	if (err == EVERR_TEXT) {
		wsus_problem(import->problems,
			     "%s: it is neither UTF-8 nor UTF-16, or declares "
			     "another encoding",
			     path);
	}
	if (err == EVERR_LIMIT) {
		wsus_problem(import->problems,
			     "%s: an update's metadata has at most %d bytes",
			     path, WSUS_BLOB_MAX);
	}
	if (err == EVERR_OK) {
		err = take_update(import, path, &text, update);
	}
	buf_free(&raw);
	buf_free(&text);
	return err;
}

static int is_metadata(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       strcasecmp(entry->d_name + len - 4, ".xml") == 0;
}

/* What is wrong with one file does not keep the others from being looked at. */
static everr_t read_updates(struct import *import, struct dirent **entries,
			    size_t num)
{
	struct wsus_catalogue *catalogue = import->catalogue;
	everr_t err = EVERR_OK;
	size_t i;

	catalogue->updates =
		talloc_zero_array(catalogue, struct wsus_update, num);
	import->names = talloc_zero_array(import->problems, const char *, num);
	if (catalogue->updates == NULL || import->names == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num && err != EVERR_NOMEM; i++) {
		char *path =
			talloc_asprintf(import->names, "%s/%s", import->source,
					entries[i]->d_name);
		size_t at = catalogue->num_updates;

		if (path == NULL) {
			return EVERR_NOMEM;
		}
		err = read_update(import, path, &catalogue->updates[at]);
		if (err == EVERR_OK) {
			import->names[at] = path;
			catalogue->num_updates++;
		} else {
			catalogue->updates[at] = (struct wsus_update){};
		}
	}
	return err == EVERR_NOMEM ? err : EVERR_OK;
}

struct named {
	const struct wsus_update *update;
	const char *name;
};

static int named_cmp(const void *a, const void *b)
{
	const struct named *x = a;
	const struct named *y = b;
	int order =
		memcmp(&x->update->id, &y->update->id, sizeof(struct ev_guid));

	if (order == 0) {
		order = (x->update->revision > y->update->revision) -
			(x->update->revision < y->update->revision);
	}
	return order != 0 ? order : strcmp(x->name, y->name);
}

static everr_t check_unique(struct import *import)
{
	size_t num = import->catalogue->num_updates;
	struct named *named =
		talloc_zero_array(import->problems, struct named, num);
	size_t i;

	if (named == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		named[i].update = &import->catalogue->updates[i];
		named[i].name = import->names[i];
	}
	qsort(named, num, sizeof(*named), named_cmp);
	for (i = 1; i < num; i++) {
		const struct wsus_update *before = named[i - 1].update;

		if (ev_guid_equal(&before->id, &named[i].update->id) &&
		    before->revision == named[i].update->revision) {
			wsus_problem(import->problems,
				     "%s: it is the same update and revision "
				     "as %s: remove one of them",
				     named[i].name, named[i - 1].name);
		}
	}
	talloc_free(named);
	return EVERR_OK;
}

static void free_entries(struct dirent **entries, int num)
{
	int i;

	for (i = 0; i < num; i++) {
		free(entries[i]);
	}
	free(entries);
}

static everr_t read_source(struct import *import)
{
	struct dirent **entries = NULL;
	everr_t err = EVERR_OK;
	int num;

	num = scandir(import->source, &entries, is_metadata, alphasort);
	if (num < 0) {
		return io_failed(import, import->source);
	}
	if (num > WSUS_UPDATES_MAX) {
		wsus_problem(import->problems,
			     "%s: it has more than %d updates", import->source,
			     WSUS_UPDATES_MAX);
	} else {
		err = read_updates(import, entries, (size_t)num);
	}
	free_entries(entries, num);
	if (err == EVERR_OK) {
		err = check_unique(import);
	}
	if (err == EVERR_OK) {
		err = wsus_catalogue_index(import->catalogue);
	}
	if (err == EVERR_OK) {
		err = wsus_settings_read(import->problems, import->source,
					 import->catalogue);
	}
	return err;
}

/* ----------------------------------------------------------- what has changed */

/* The rest follows from the metadata. */
static bool update_equal(const struct wsus_update *a,
			 const struct wsus_update *b)
{
	size_t i;

	if (memcmp(a->hash, b->hash, WSUS_HASH_LEN) != 0 ||
	    a->compress != b->compress || a->num_files != b->num_files) {
		return false;
	}
	for (i = 0; i < a->num_files; i++) {
		const char *x = a->files[i].url;
		const char *y = b->files[i].url;

		if ((x == NULL) != (y == NULL) ||
		    (x != NULL && strcmp(x, y) != 0)) {
			return false;
		}
	}
	return true;
}

static bool language_equal(const struct wsus_language *a,
			   const struct wsus_language *b)
{
	return a->id == b->id && a->enabled == b->enabled &&
	       strcmp(a->short_name, b->short_name) == 0 &&
	       strcmp(a->long_name, b->long_name) == 0;
}

static bool deployment_equal(const struct wsus_deployment *a,
			     const struct wsus_deployment *b)
{
	return ev_guid_equal(&a->update, &b->update) &&
	       a->revision == b->revision && a->action == b->action &&
	       strcmp(a->admin, b->admin) == 0 && a->deadline == b->deadline &&
	       a->assigned == b->assigned && a->go_live == b->go_live &&
	       ev_guid_equal(&a->group, &b->group) &&
	       a->priority == b->priority;
}

/* The anchor of what changes now: one number for all metadata. */
static struct wsus_anchor changed_now(const struct import *import)
{
	return wsus_anchor_at(import->old->changed.number + 1, import->now);
}

static bool compare_updates(struct import *import)
{
	struct wsus_catalogue *new = import->catalogue;
	struct wsus_import *result = &import->result;
	size_t kept = 0;
	size_t i;

	for (i = 0; i < new->num_updates; i++) {
		struct wsus_update *update = &new->updates[i];
		const struct wsus_update *before = wsus_catalogue_find(
			import->old, &update->id, update->revision);

		kept += before != NULL;
		if (before != NULL && update_equal(before, update)) {
			update->changed = before->changed;
			continue;
		}
		update->changed = changed_now(import);
		result->added += before == NULL;
		result->changed += before != NULL;
	}
	result->updates = new->num_updates;
	result->removed = import->old->num_updates - kept;
	return result->added + result->changed > 0;
}

static bool compare_languages(struct import *import)
{
	struct wsus_catalogue *new = import->catalogue;
	bool differs = false;
	size_t i, j;

	for (i = 0; i < new->num_languages; i++) {
		struct wsus_language *language = &new->languages[i];

		language->changed = changed_now(import);
		for (j = 0; j < import->old->num_languages; j++) {
			const struct wsus_language *before =
				&import->old->languages[j];

			if (language_equal(before, language)) {
				language->changed = before->changed;
			}
		}
		differs = differs || language->changed.number ==
					     changed_now(import).number;
	}
	return differs;
}

static int deployment_cmp(const void *a, const void *b)
{
	const struct wsus_deployment *const *x = a;
	const struct wsus_deployment *const *y = b;

	return memcmp(&(*x)->id, &(*y)->id, sizeof(struct ev_guid));
}

/* By id, for looking up. */
static const struct wsus_deployment **sort_deployments(
	TALLOC_CTX *mem_ctx, const struct wsus_catalogue *catalogue)
{
	size_t num = catalogue->num_deployments;
	const struct wsus_deployment **sorted =
		talloc_array(mem_ctx, const struct wsus_deployment *, num);
	size_t i;

	for (i = 0; i < num && sorted != NULL; i++) {
		sorted[i] = &catalogue->deployments[i];
	}
	if (sorted != NULL) {
		qsort(sorted, num, sizeof(*sorted), deployment_cmp);
	}
	return sorted;
}

static const struct wsus_deployment *find_deployment(
	const struct wsus_deployment **sorted, size_t num,
	const struct ev_guid *id)
{
	struct wsus_deployment key = {.id = *id};
	const struct wsus_deployment *pointer = &key;
	const struct wsus_deployment **found = NULL;

	if (num > 0) {
		found = bsearch(&pointer, sorted, num, sizeof(*sorted),
				deployment_cmp);
	}
	return found != NULL ? *found : NULL;
}

/* [MS-WSUSSS] 3.1.1.1: each that is created or deleted moves the number. */
static void compare_created(struct import *import,
			    const struct wsus_deployment **before_by_id,
			    uint32_t *number)
{
	struct wsus_catalogue *new = import->catalogue;
	size_t i;

	for (i = 0; i < new->num_deployments; i++) {
		struct wsus_deployment *deployment = &new->deployments[i];
		const struct wsus_deployment *before = find_deployment(
			before_by_id, import->old->num_deployments,
			&deployment->id);

		/* Where the source does not say: when it was seen first. */
		if (deployment->go_live == 0) {
			deployment->go_live =
				before != NULL ? before->go_live : import->now;
		}
		if (before != NULL && deployment_equal(before, deployment)) {
			deployment->changed = before->changed;
			continue;
		}
		deployment->changed = wsus_anchor_at(++*number, import->now);
		import->result.created++;
	}
	import->result.deployments = new->num_deployments;
}

/* One that died before and is not there again. */
static size_t keep_dead(struct import *import,
			const struct wsus_deployment **now_by_id)
{
	struct wsus_catalogue *new = import->catalogue;
	const struct wsus_catalogue *old = import->old;
	size_t num = 0;
	size_t i;

	for (i = 0; i < old->num_dead; i++) {
		if (find_deployment(now_by_id, new->num_deployments,
				    &old->dead[i].id) == NULL) {
			new->dead[num++] = old->dead[i];
		}
	}
	return num;
}

static everr_t compare_deleted(struct import *import,
			       const struct wsus_deployment **now_by_id,
			       uint32_t *number)
{
	struct wsus_catalogue *new = import->catalogue;
	const struct wsus_catalogue *old = import->old;
	size_t num, i;

	new->dead = talloc_zero_array(new, struct wsus_dead,
				      old->num_dead + old->num_deployments);
	if (new->dead == NULL) {
		return EVERR_NOMEM;
	}
	num = keep_dead(import, now_by_id);
	for (i = 0; i < old->num_deployments; i++) {
		const struct ev_guid *id = &old->deployments[i].id;

		if (find_deployment(now_by_id, new->num_deployments, id) ==
		    NULL) {
			new->dead[num++] = (struct wsus_dead){
				.id = *id,
				.changed =
					wsus_anchor_at(++*number, import->now)};
			import->result.deleted++;
		}
	}
	if (num > WSUS_DEAD_MAX) {
		new->dead += num - WSUS_DEAD_MAX;
		num = WSUS_DEAD_MAX;
	}
	new->num_dead = num;
	return EVERR_OK;
}

static everr_t compare_deployments(struct import *import, uint32_t *number)
{
	const struct wsus_deployment **before_by_id =
		sort_deployments(import->problems, import->old);
	const struct wsus_deployment **now_by_id =
		sort_deployments(import->problems, import->catalogue);

	if (before_by_id == NULL || now_by_id == NULL) {
		return EVERR_NOMEM;
	}
	compare_created(import, before_by_id, number);
	return compare_deleted(import, now_by_id, number);
}

static everr_t compare(struct import *import)
{
	struct wsus_catalogue *new = import->catalogue;
	uint32_t number = import->old->changed.number;
	bool updates = compare_updates(import);
	bool languages = compare_languages(import);
	everr_t err;

	if (number > INT32_MAX - WSUS_DEPLOYMENTS_MAX * 2 - 1) {
		wsus_problem(import->problems,
			     "%s: the number of changes is used up: remove "
			     "the directory and import again",
			     import->directory);
		return EVERR_CONFIG;
	}
	if (updates || languages) {
		number++;
	}
	err = compare_deployments(import, &number);
	new->changed = number == import->old->changed.number
			       ? import->old->changed
			       : wsus_anchor_at(number, import->now);
	return err;
}

/* ---------------------------------------------------------------------- writing */

static everr_t write_index(struct import *import, const char *path)
{
	char *temporary = talloc_asprintf(import->problems, "%s/.index.XXXXXX",
					  import->directory);
	struct buf text;
	bool written;
	everr_t err;
	int fd;

	if (temporary == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&text, import->problems, WSUS_INDEX_MAX);
	err = wsus_catalogue_format(import->catalogue, &text);
	if (err == EVERR_LIMIT) {
		wsus_problem(import->problems,
			     "the index would have more than %d bytes",
			     WSUS_INDEX_MAX);
	}
	if (err != EVERR_OK) {
		return err;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		return io_failed(import, temporary);
	}
	written = file_write_all(fd, text.data, text.len) &&
		  fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0 &&
		  rename(temporary, path) == 0;
	if (!written) {
		err = io_failed(import, path);
		unlink(temporary);
	}
	close(fd);
	buf_free(&text);
	return err;
}

/* A number that no import had before, though the clock went back. */
static char *data_name(struct import *import)
{
	uint64_t *number = &import->catalogue->data_number;

	*number = import->now;
	if (*number <= import->old->data_number) {
		*number = import->old->data_number + 1;
	}
	return talloc_asprintf(import->problems, WSUS_DATA_NAME, *number);
}

static everr_t name_data(struct import *import, const char *name)
{
	if (fchmod(import->data_fd, FILE_MODE) != 0 ||
	    fsync(import->data_fd) != 0 ||
	    renameat(AT_FDCWD, import->data_temporary, import->dir_fd, name) !=
		    0) {
		return io_failed(import, name);
	}
	TALLOC_FREE(import->data_temporary);
	return EVERR_OK;
}

/* Whether it is metadata of an import, or what one left that was killed. */
static bool is_ours(const char *name)
{
	size_t prefix = strlen("updates-");
	size_t digits;

	if (strncmp(name, ".updates.", 9) == 0 ||
	    strncmp(name, ".index.", 7) == 0) {
		return true;
	}
	if (strncmp(name, "updates-", prefix) != 0) {
		return false;
	}
	digits = strspn(name + prefix, "0123456789");
	return digits > 0 && strcmp(name + prefix + digits, ".dat") == 0;
}

/* The data of imports before; a service that has it open keeps it. */
static void remove_others(struct import *import, const char *data)
{
	DIR *dir = opendir(import->directory);
	struct dirent *entry = NULL;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (is_ours(entry->d_name) &&
		    strcmp(entry->d_name, data) != 0) {
			unlinkat(import->dir_fd, entry->d_name, 0);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

/* The index's rename is the moment at which the new catalogue is there. */
static everr_t store(struct import *import)
{
	char *path = talloc_asprintf(import->problems, "%s/" WSUS_INDEX_FILE,
				     import->directory);
	char *data = data_name(import);
	everr_t err;

	if (path == NULL || data == NULL) {
		return EVERR_NOMEM;
	}
	err = name_data(import, data);
	if (err != EVERR_OK) {
		return err;
	}
	err = write_index(import, path);
	if (err != EVERR_OK) {
		unlinkat(import->dir_fd, data, 0);
		return err;
	}
	if (fsync(import->dir_fd) != 0) {
		return io_failed(import, import->directory);
	}
	remove_others(import, data);
	import->result.written = true;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- all of it */

static everr_t load_old(struct import *import)
{
	char *message = NULL;
	everr_t err;

	err = wsus_catalogue_load(import->problems, import->directory,
				  &import->old, &message);
	if (message != NULL) {
		wsus_problem(import->problems, "%s", message);
	}
	return err;
}

static everr_t run(struct import *import)
{
	everr_t err = EVERR_OK;

	if (!import->check) {
		err = open_directory(import);
	}
	if (err == EVERR_OK) {
		err = load_old(import);
	}
	if (err == EVERR_OK) {
		err = wsus_catalogue_empty(import->problems,
					   &import->catalogue);
	}
	if (err == EVERR_OK && !import->check) {
		err = open_data(import);
	}
	if (err == EVERR_OK) {
		err = read_source(import);
	}
	if (err == EVERR_OK && import->problems->num > 0) {
		err = EVERR_CONFIG;
	}
	if (err == EVERR_OK) {
		err = compare(import);
	}
	if (err == EVERR_OK && !import->check) {
		err = store(import);
	}
	return err;
}

static void clean_up(struct import *import, everr_t err)
{
	if (import->data_fd >= 0) {
		close(import->data_fd);
	}
	if (import->data_temporary != NULL) {
		unlink(import->data_temporary);
	}
	if (import->dir_fd >= 0) {
		close(import->dir_fd);
	}
	if (err != EVERR_OK && import->made_dir) {
		rmdir(import->directory);
	}
	TALLOC_FREE(import->old);
	TALLOC_FREE(import->catalogue);
	TALLOC_FREE(import->names);
}

everr_t wsus_import(TALLOC_CTX *mem_ctx, const char *source,
		    const char *directory, bool check, uint64_t now,
		    struct wsus_import *ret_import,
		    struct wsus_problems **ret_problems)
{
	struct import import = {.source = source,
				.directory = directory,
				.check = check,
				.now = now,
				.dir_fd = -1,
				.data_fd = -1};
	everr_t err;

	import.problems = talloc_zero(mem_ctx, struct wsus_problems);
	if (import.problems == NULL) {
		return EVERR_NOMEM;
	}
	err = run(&import);
	clean_up(&import, err);
	if (err == EVERR_NOMEM) {
		talloc_free(import.problems);
		return err;
	}
	if (err == EVERR_OK) {
		*ret_import = import.result;
	}
	*ret_problems = import.problems;
	return err;
}
