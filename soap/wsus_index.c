/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Reading a catalogue's index.  The file is read whole and checked against its
 * checksum; guids and texts are then used where they are.
 */

#include "soap/wsus_index.h"

#include "base/text.h"
#include "store/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An import may remove the data between its index's being read and its own. */
#define LOAD_TRIES 3

const struct wsus_index_section_info wsus_index_sections[WSUS_INDEX_SECTIONS] =
	{
		[WSUS_INDEX_UPDATES] = {"updates", 104, WSUS_UPDATES_MAX},
		[WSUS_INDEX_LANGUAGES] = {"languages", 28, WSUS_LANGUAGES_MAX},
		[WSUS_INDEX_GROUPS] = {"groups", 40, WSUS_GROUPS_MAX},
		[WSUS_INDEX_DEPLOYMENTS] = {"deployments", 88,
					    WSUS_DEPLOYMENTS_MAX},
		[WSUS_INDEX_DEAD] = {"dead", 28, WSUS_DEAD_MAX},
		[WSUS_INDEX_DECLINED] = {"declined", 16, WSUS_GUIDS_MAX},
		[WSUS_INDEX_EULAS] = {"eulas", 16, WSUS_GUIDS_MAX},
		[WSUS_INDEX_CATEGORIES] = {"categories", 16, WSUS_INDEX_MAX},
		[WSUS_INDEX_NAMED] = {"named", 16, WSUS_INDEX_MAX},
		[WSUS_INDEX_MEMBERS] = {"members", 4, WSUS_INDEX_MAX},
		[WSUS_INDEX_FILES] = {"files", 24, WSUS_INDEX_MAX},
		[WSUS_INDEX_DIGESTS] = {"digests", 4, WSUS_INDEX_MAX},
		[WSUS_INDEX_TEXTS] = {"texts", 1, WSUS_INDEX_MAX},
};

struct loading {
	struct wsus_catalogue *catalogue;
	const uint8_t *at[WSUS_INDEX_SECTIONS];
	size_t num[WSUS_INDEX_SECTIONS];
	uint64_t end; /* of what is needed of the metadata's file */

	/* What follows update by update, and how many were taken. */
	struct ev_guid *named_rows;
	struct wsus_file *file_rows;
	uint32_t *member_rows;
	size_t named, files, members;

	const char *what; /* the first thing that is wrong */
	size_t row;	  /* counted from 1; 0: not in a row */
};

static everr_t wrong(struct loading *loading, const char *what, size_t row)
{
	loading->what = what;
	loading->row = row;
	return EVERR_CONFIG;
}

/* -------------------------------------------------------------------- fields */

/* A row is read field by field; it is known to be there whole. */
static uint8_t next_u8(const uint8_t **p)
{
	return *(*p)++;
}

static uint32_t next_u32(const uint8_t **p)
{
	*p += 4;
	return le32_get(*p - 4);
}

static uint64_t next_u64(const uint8_t **p)
{
	*p += 8;
	return le64_get(*p - 8);
}

static void next_bytes(const uint8_t **p, uint8_t *bytes, size_t len)
{
	memcpy(bytes, *p, len);
	*p += len;
}

static struct wsus_anchor next_anchor(const uint8_t **p)
{
	uint64_t time = next_u64(p);

	return (struct wsus_anchor){.number = next_u32(p), .time = time};
}

/* NULL: no text begins there. */
static const char *next_text(const struct loading *loading, const uint8_t **p)
{
	const uint8_t *texts = loading->at[WSUS_INDEX_TEXTS];
	uint32_t offset = next_u32(p);

	if (offset >= loading->num[WSUS_INDEX_TEXTS] ||
	    (offset > 0 && texts[offset - 1] != 0)) {
		return NULL;
	}
	return (const char *)texts + offset;
}

/* num rows behind those that were taken before; false: there are fewer. */
static bool take(const struct loading *loading, enum wsus_index_section section,
		 size_t *taken, size_t num, size_t *ret_first)
{
	if (num > loading->num[section] - *taken) {
		return false;
	}
	*ret_first = *taken;
	*taken += num;
	return true;
}

/* ---------------------------------------------------------------------- rows */

/* What an update has in other sections. */
static bool load_parts(struct loading *loading, struct wsus_update *update,
		       const uint8_t **p)
{
	size_t named, file, member;

	update->num_categories = next_u32(p);
	update->num_files = next_u32(p);
	update->num_member_of = next_u32(p);
	if (update->num_categories > WSUS_CATEGORIES_MAX ||
	    update->num_files > WSUS_FILES_MAX ||
	    !take(loading, WSUS_INDEX_NAMED, &loading->named,
		  update->num_categories, &named) ||
	    !take(loading, WSUS_INDEX_FILES, &loading->files, update->num_files,
		  &file) ||
	    !take(loading, WSUS_INDEX_MEMBERS, &loading->members,
		  update->num_member_of, &member)) {
		return false;
	}
	update->categories = loading->named_rows + named;
	update->files = loading->file_rows + file;
	update->member_of = loading->member_rows + member;
	return true;
}

static bool load_update(struct loading *loading, const uint8_t *p, size_t i)
{
	struct wsus_update *update = &loading->catalogue->updates[i];
	uint8_t kind;
	bool whole;

	next_bytes(&p, update->id.b, sizeof(update->id.b));
	next_bytes(&p, update->hash, sizeof(update->hash));
	update->changed = next_anchor(&p);
	update->offset = next_u64(&p);
	update->revision = (int32_t)next_u32(&p);
	update->len = next_u32(&p);
	update->units = next_u32(&p);
	update->languages = next_u32(&p);
	update->title = next_text(loading, &p);
	whole = load_parts(loading, update, &p);
	kind = next_u8(&p);
	update->kind = (enum wsus_kind)kind;
	update->compress = next_u8(&p) != 0;
	if (!whole || update->revision < 0 || update->len > WSUS_BLOB_MAX ||
	    update->units > update->len || update->offset > INT64_MAX / 2 ||
	    update->title == NULL || kind >= WSUS_KINDS) {
		return false;
	}
	/* Looking up goes by this order. */
	if (i > 0 && wsus_update_cmp(update - 1, update) >= 0) {
		return false;
	}
	if (update->offset + update->len > loading->end) {
		loading->end = update->offset + update->len;
	}
	update->newest = true;
	if (i > 0 && ev_guid_equal(&update[-1].id, &update->id)) {
		update[-1].newest = false;
	}
	return true;
}

static bool load_language(struct loading *loading, const uint8_t *p, size_t i)
{
	struct wsus_language *language = &loading->catalogue->languages[i];

	language->id = (int32_t)next_u32(&p);
	language->short_name = next_text(loading, &p);
	language->long_name = next_text(loading, &p);
	language->enabled = next_u32(&p) != 0;
	language->changed = next_anchor(&p);
	return language->id >= 0 && language->short_name != NULL &&
	       language->long_name != NULL;
}

static bool load_group(struct loading *loading, const uint8_t *p, size_t i)
{
	struct wsus_group *group = &loading->catalogue->groups[i];

	next_bytes(&p, group->id.b, sizeof(group->id.b));
	next_bytes(&p, group->parent.b, sizeof(group->parent.b));
	group->name = next_text(loading, &p);
	group->builtin = next_u32(&p) != 0;
	return group->name != NULL;
}

static bool load_deployment(struct loading *loading, const uint8_t *p, size_t i)
{
	struct wsus_deployment *deployment =
		&loading->catalogue->deployments[i];
	uint8_t action;

	next_bytes(&p, deployment->id.b, sizeof(deployment->id.b));
	next_bytes(&p, deployment->update.b, sizeof(deployment->update.b));
	next_bytes(&p, deployment->group.b, sizeof(deployment->group.b));
	deployment->deadline = next_u64(&p);
	deployment->go_live = next_u64(&p);
	deployment->changed = next_anchor(&p);
	deployment->revision = (int32_t)next_u32(&p);
	deployment->admin = next_text(loading, &p);
	action = next_u8(&p);
	deployment->action = (enum wsus_action)action;
	deployment->assigned = next_u8(&p) != 0;
	deployment->priority = next_u8(&p);
	return deployment->revision >= 0 && deployment->admin != NULL &&
	       action < WSUS_ACTIONS && deployment->priority <= 3;
}

static bool load_dead(struct loading *loading, const uint8_t *p, size_t i)
{
	struct wsus_dead *dead = &loading->catalogue->dead[i];

	next_bytes(&p, dead->id.b, sizeof(dead->id.b));
	dead->changed = next_anchor(&p);
	return true;
}

static bool load_file(struct loading *loading, const uint8_t *p, size_t i)
{
	struct wsus_file *file = &loading->file_rows[i];
	const char *url = NULL;

	next_bytes(&p, file->digest, sizeof(file->digest));
	url = next_text(loading, &p);
	file->url = url != NULL && *url != '\0' ? url : NULL;
	return url != NULL;
}

static bool load_member(struct loading *loading, const uint8_t *p, size_t i)
{
	loading->member_rows[i] = le32_get(p);
	return loading->member_rows[i] < loading->num[WSUS_INDEX_CATEGORIES];
}

static bool load_digest(struct loading *loading, const uint8_t *p, size_t i)
{
	uint32_t number = le32_get(p);

	if (number >= loading->num[WSUS_INDEX_FILES]) {
		return false;
	}
	loading->catalogue->digests[i] = &loading->file_rows[number];
	return true;
}

static everr_t load_section(struct loading *loading,
			    enum wsus_index_section section,
			    bool (*load)(struct loading *loading,
					 const uint8_t *p, size_t i))
{
	const struct wsus_index_section_info *info =
		&wsus_index_sections[section];
	size_t i;

	for (i = 0; i < loading->num[section]; i++) {
		const uint8_t *row = loading->at[section] + i * info->row_size;

		if (!load(loading, row, i)) {
			return wrong(loading, info->name, i + 1);
		}
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------------ sections */

static bool make_rows(struct loading *loading)
{
	struct wsus_catalogue *c = loading->catalogue;
	const size_t *num = loading->num;

	c->num_updates = num[WSUS_INDEX_UPDATES];
	c->updates = talloc_zero_array(c, struct wsus_update, c->num_updates);
	c->num_languages = num[WSUS_INDEX_LANGUAGES];
	c->languages =
		talloc_zero_array(c, struct wsus_language, c->num_languages);
	c->num_groups = num[WSUS_INDEX_GROUPS];
	c->groups = talloc_zero_array(c, struct wsus_group, c->num_groups);
	c->num_deployments = num[WSUS_INDEX_DEPLOYMENTS];
	c->deployments = talloc_zero_array(c, struct wsus_deployment,
					   c->num_deployments);
	c->num_dead = num[WSUS_INDEX_DEAD];
	c->dead = talloc_zero_array(c, struct wsus_dead, c->num_dead);
	c->num_digests = num[WSUS_INDEX_DIGESTS];
	c->digests = talloc_array(c, const struct wsus_file *, c->num_digests);
	loading->file_rows =
		talloc_array(c, struct wsus_file, num[WSUS_INDEX_FILES]);
	loading->member_rows =
		talloc_array(c, uint32_t, num[WSUS_INDEX_MEMBERS]);
	return c->updates != NULL && c->languages != NULL &&
	       c->groups != NULL && c->deployments != NULL && c->dead != NULL &&
	       c->digests != NULL && loading->file_rows != NULL &&
	       loading->member_rows != NULL;
}

/* Guids are bytes, and stay where they are. */
static struct ev_guid *guids(const struct loading *loading,
			     enum wsus_index_section section, size_t *ret_num)
{
	*ret_num = loading->num[section];
	return (struct ev_guid *)loading->at[section];
}

static everr_t load_sections(struct loading *loading)
{
	static const struct {
		enum wsus_index_section section;
		bool (*load)(struct loading *loading, const uint8_t *p,
			     size_t i);
	} sections[] = {
		{WSUS_INDEX_UPDATES, load_update},
		{WSUS_INDEX_LANGUAGES, load_language},
		{WSUS_INDEX_GROUPS, load_group},
		{WSUS_INDEX_DEPLOYMENTS, load_deployment},
		{WSUS_INDEX_DEAD, load_dead},
		{WSUS_INDEX_FILES, load_file},
		{WSUS_INDEX_MEMBERS, load_member},
		{WSUS_INDEX_DIGESTS, load_digest},
	};
	struct wsus_catalogue *c = loading->catalogue;
	everr_t err = EVERR_OK;
	size_t num_named;
	size_t i;

	if (!make_rows(loading)) {
		return EVERR_NOMEM;
	}
	c->declined = guids(loading, WSUS_INDEX_DECLINED, &c->num_declined);
	c->eulas = guids(loading, WSUS_INDEX_EULAS, &c->num_eulas);
	c->categories =
		guids(loading, WSUS_INDEX_CATEGORIES, &c->num_categories);
	loading->named_rows = guids(loading, WSUS_INDEX_NAMED, &num_named);
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		err = load_section(loading, sections[i].section,
				   sections[i].load);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

/* Where each section is; they fill the file. */
static everr_t find_sections(struct loading *loading, const uint8_t *data,
			     size_t len)
{
	const uint8_t *counts = data + WSUS_INDEX_AT_COUNTS;
	uint64_t offset = WSUS_INDEX_HEADER;
	size_t i;

	for (i = 0; i < WSUS_INDEX_SECTIONS; i++) {
		const struct wsus_index_section_info *info =
			&wsus_index_sections[i];

		loading->num[i] = next_u32(&counts);
		if (loading->num[i] > info->max ||
		    loading->num[i] * info->row_size > len - offset) {
			return wrong(loading, info->name, 0);
		}
		loading->at[i] = data + offset;
		offset += loading->num[i] * info->row_size;
	}
	if (offset != len) {
		return wrong(loading, "its length", 0);
	}
	return EVERR_OK;
}

/* Each text ends inside the section, and there is one to point to. */
static everr_t check_texts(struct loading *loading)
{
	const uint8_t *texts = loading->at[WSUS_INDEX_TEXTS];
	size_t len = loading->num[WSUS_INDEX_TEXTS];

	if (len == 0 || texts[0] != 0 || texts[len - 1] != 0 ||
	    !text_utf8_valid((const char *)texts, len)) {
		return wrong(loading, "texts", 0);
	}
	return EVERR_OK;
}

static everr_t load_header(struct loading *loading, const uint8_t *data,
			   size_t len)
{
	const uint8_t *p = data + WSUS_INDEX_MAGIC_LEN;
	uint32_t checksum, flags;

	if (len < WSUS_INDEX_HEADER ||
	    memcmp(data, WSUS_INDEX_MAGIC, WSUS_INDEX_MAGIC_LEN) != 0) {
		return wrong(loading, "its beginning", 0);
	}
	if (next_u32(&p) != WSUS_INDEX_FORMAT) {
		return wrong(loading, "its format", 0);
	}
	checksum = next_u32(&p);
	if (next_u64(&p) != len) {
		return wrong(loading, "its length", 0);
	}
	if (store_crc32c(0, data + WSUS_INDEX_AT_LENGTH,
			 len - WSUS_INDEX_AT_LENGTH) != checksum) {
		return wrong(loading, "its checksum", 0);
	}
	loading->catalogue->changed = next_anchor(&p);
	flags = next_u32(&p);
	loading->catalogue->catalog_only =
		(flags & WSUS_INDEX_CATALOG_ONLY) != 0;
	loading->catalogue->lazy = (flags & WSUS_INDEX_LAZY) != 0;
	loading->catalogue->data_number = next_u64(&p);
	return EVERR_OK;
}

static everr_t load_all(struct loading *loading, const uint8_t *data,
			size_t len)
{
	everr_t err;

	err = load_header(loading, data, len);
	if (err == EVERR_OK) {
		err = find_sections(loading, data, len);
	}
	if (err == EVERR_OK) {
		err = check_texts(loading);
	}
	if (err == EVERR_OK) {
		err = load_sections(loading);
	}
	return err;
}

/* --------------------------------------------------------------------- files */

static everr_t io_failed(TALLOC_CTX *mem_ctx, const char *path,
			 char **ret_message)
{
	*ret_message =
		talloc_asprintf(mem_ctx, "%s: %s", path, strerror(errno));
	return EVERR_IO;
}

/* EVERR_NOT_FOUND: there is none.  A regular file, or it is damaged. */
static everr_t open_file(TALLOC_CTX *mem_ctx, const char *path, int *ret_fd,
			 uint64_t *ret_size, char **ret_message)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		return EVERR_NOT_FOUND;
	}
	if (fd < 0) {
		return io_failed(mem_ctx, path, ret_message);
	}
	if (fstat(fd, &st) != 0) {
		close(fd);
		return io_failed(mem_ctx, path, ret_message);
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		*ret_message =
			talloc_asprintf(mem_ctx, "%s is not a file", path);
		return EVERR_CONFIG;
	}
	*ret_fd = fd;
	*ret_size = (uint64_t)st.st_size;
	return EVERR_OK;
}

/* EVERR_NOT_FOUND: there is none. */
static everr_t read_index(struct wsus_catalogue *catalogue, TALLOC_CTX *mem_ctx,
			  const char *path, uint8_t **ret_data, size_t *ret_len,
			  char **ret_message)
{
	uint8_t *data = NULL;
	uint64_t size = 0;
	everr_t err;
	bool done;
	int fd = -1;

	err = open_file(mem_ctx, path, &fd, &size, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	if (size > WSUS_INDEX_MAX) {
		close(fd);
		*ret_message =
			talloc_asprintf(mem_ctx, "%s has more than %d bytes",
					path, WSUS_INDEX_MAX);
		return EVERR_CONFIG;
	}
	data = talloc_array(catalogue, uint8_t, (size_t)size);
	if (data == NULL) {
		close(fd);
		return EVERR_NOMEM;
	}
	errno = EIO; /* what the end before its time is */
	done = wsus_read_at(fd, data, (size_t)size, 0);
	err = done ? EVERR_OK : io_failed(mem_ctx, path, ret_message);
	close(fd);
	*ret_data = data;
	*ret_len = (size_t)size;
	return err;
}

/*
 * The metadata's file stays open: a newer import may remove its name.
 * EVERR_NOT_FOUND: one has done so.
 */
static everr_t open_data(const struct loading *loading, TALLOC_CTX *mem_ctx,
			 const char *dir, char **ret_message)
{
	struct wsus_catalogue *catalogue = loading->catalogue;
	char *path = talloc_asprintf(mem_ctx, "%s/" WSUS_DATA_NAME, dir,
				     catalogue->data_number);
	uint64_t size = 0;
	everr_t err;

	if (path == NULL) {
		return EVERR_NOMEM;
	}
	err = open_file(mem_ctx, path, &catalogue->data_fd, &size, ret_message);
	if (err == EVERR_OK && loading->end > size) {
		*ret_message = talloc_asprintf(
			mem_ctx, "%s is shorter than the index says", path);
		err = EVERR_CONFIG;
	}
	if (err == EVERR_NOT_FOUND) {
		*ret_message = talloc_asprintf(mem_ctx, "%s is missing", path);
	}
	talloc_free(path);
	return err;
}

static void describe(TALLOC_CTX *mem_ctx, const char *path,
		     const struct loading *loading, char **ret_message)
{
	if (loading->row > 0) {
		*ret_message = talloc_asprintf(
			mem_ctx, "%s is damaged: number %zu of its %s", path,
			loading->row, loading->what);
		return;
	}
	*ret_message = talloc_asprintf(mem_ctx, "%s is damaged: %s", path,
				       loading->what);
}

/* EVERR_NOT_FOUND: an import came between; *ret_message says of what. */
static everr_t load_files(TALLOC_CTX *mem_ctx, const char *dir,
			  const char *path, struct wsus_catalogue *catalogue,
			  char **ret_message)
{
	struct loading loading = {.catalogue = catalogue};
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = read_index(catalogue, mem_ctx, path, &data, &len, ret_message);
	if (err == EVERR_NOT_FOUND) {
		return EVERR_OK;
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = load_all(&loading, data, len);
	if (err == EVERR_CONFIG) {
		describe(mem_ctx, path, &loading, ret_message);
	}
	if (err == EVERR_OK) {
		err = open_data(&loading, mem_ctx, dir, ret_message);
	}
	return err;
}

static everr_t load_once(TALLOC_CTX *mem_ctx, const char *dir,
			 struct wsus_catalogue **ret_catalogue,
			 char **ret_message)
{
	struct wsus_catalogue *catalogue = NULL;
	char *path = NULL;
	everr_t err;

	err = wsus_catalogue_empty(mem_ctx, &catalogue);
	if (err != EVERR_OK) {
		return err;
	}
	path = talloc_asprintf(catalogue, "%s/" WSUS_INDEX_FILE, dir);
	if (path == NULL) {
		talloc_free(catalogue);
		return EVERR_NOMEM;
	}
	err = load_files(mem_ctx, dir, path, catalogue, ret_message);
	TALLOC_FREE(path);
	if (err != EVERR_OK) {
		talloc_free(catalogue);
		return err;
	}
	*ret_catalogue = catalogue;
	return EVERR_OK;
}

everr_t wsus_catalogue_load(TALLOC_CTX *mem_ctx, const char *dir,
			    struct wsus_catalogue **ret_catalogue,
			    char **ret_message)
{
	char *message = NULL;
	everr_t err = EVERR_NOT_FOUND;
	unsigned int i;

	for (i = 0; i < LOAD_TRIES && err == EVERR_NOT_FOUND; i++) {
		TALLOC_FREE(message);
		err = load_once(mem_ctx, dir, ret_catalogue, &message);
	}
	if (err == EVERR_NOT_FOUND) {
		err = EVERR_CONFIG;
	}
	if (err == EVERR_CONFIG && message != NULL) {
		message = talloc_asprintf_append(
			message,
			": remove %s/" WSUS_INDEX_FILE
			" and import again; downstream servers then get "
			"all of it anew",
			dir);
	}
	if (err == EVERR_OK || err == EVERR_NOMEM) {
		TALLOC_FREE(message);
	} else {
		*ret_message = message;
	}
	return err;
}
