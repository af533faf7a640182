/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A catalogue's index as a file: JSON, doc/wsus.md. */

#include "soap/wsus_catalogue.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1
/* Nobody else needs to read it, whoever runs the service must. */
#define NAME_PREFIX "updates-"

/* -------------------------------------------------------------------- reading */

/* The first thing that is wrong. */
struct loading {
	struct wsus_catalogue *catalogue;
	const char *list; /* where it is */
	size_t row;
	const char *what;
	bool nomem;
};

static everr_t wrong(struct loading *loading, const char *what)
{
	if (loading->what == NULL) {
		loading->what = what;
	}
	return EVERR_CONFIG;
}

static everr_t get_number(struct loading *loading, const json_t *object,
			  const char *name, uint64_t max, uint64_t *ret_number)
{
	const json_t *value = json_object_get(object, name);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number > max) {
		return wrong(loading, name);
	}
	*ret_number = (uint64_t)number;
	return EVERR_OK;
}

static everr_t get_text(struct loading *loading, const json_t *object,
			const char *name, const char **ret_text)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (text == NULL) {
		return wrong(loading, name);
	}
	*ret_text = talloc_strdup(loading->catalogue, text);
	if (*ret_text == NULL) {
		loading->nomem = true;
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

static everr_t get_guid(struct loading *loading, const json_t *value,
			const char *name, struct ev_guid *ret_guid)
{
	const char *text = json_string_value(value);
	everr_t err = EVERR_TEXT;

	if (text != NULL) {
		err = ev_guid_parse(text, ret_guid);
	}
	return err == EVERR_OK ? EVERR_OK : wrong(loading, name);
}

static everr_t get_member_guid(struct loading *loading, const json_t *object,
			       const char *name, struct ev_guid *ret_guid)
{
	return get_guid(loading, json_object_get(object, name), name, ret_guid);
}

/* Hexadecimal digits of exactly len bytes. */
static everr_t get_hex(struct loading *loading, const json_t *object,
		       const char *name, uint8_t *ret_data, size_t len)
{
	const char *text = json_string_value(json_object_get(object, name));
	size_t i;

	if (text == NULL || strlen(text) != 2 * len) {
		return wrong(loading, name);
	}
	for (i = 0; i < len; i++) {
		int high = text_hex_digit(text[2 * i]);
		int low = text_hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			return wrong(loading, name);
		}
		ret_data[i] = (uint8_t)(high << 4 | low);
	}
	return EVERR_OK;
}

static everr_t get_anchor(struct loading *loading, const json_t *object,
			  struct wsus_anchor *ret_anchor)
{
	const char *text =
		json_string_value(json_object_get(object, "changed"));
	everr_t err;

	err = wsus_anchor_parse(text, ret_anchor);
	return err == EVERR_OK ? EVERR_OK : wrong(loading, "changed");
}

/* One of num words. */
static everr_t get_word(struct loading *loading, const json_t *object,
			const char *name, const char *const *words, size_t num,
			size_t *ret_index)
{
	const char *text = json_string_value(json_object_get(object, name));
	size_t i;

	for (i = 0; text != NULL && i < num; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_index = i;
			return EVERR_OK;
		}
	}
	return wrong(loading, name);
}

/*
 * An array of a size within its limit, with room for its rows; an absent one
 * is empty.
 */
static everr_t get_array(struct loading *loading, const json_t *object,
			 const char *name, size_t max, size_t row_size,
			 const json_t **ret_array, void **ret_rows)
{
	const json_t *array = json_object_get(object, name);

	*ret_array = NULL;
	if (array == NULL) {
		return EVERR_OK;
	}
	if (!json_is_array(array) || json_array_size(array) > max) {
		return wrong(loading, name);
	}
	*ret_rows = talloc_zero_size(loading->catalogue,
				     json_array_size(array) * row_size + 1);
	if (*ret_rows == NULL) {
		loading->nomem = true;
		return EVERR_NOMEM;
	}
	*ret_array = array;
	return EVERR_OK;
}

static everr_t get_guids(struct loading *loading, const json_t *object,
			 const char *name, size_t max,
			 struct ev_guid **ret_guids, size_t *ret_num)
{
	const json_t *array = NULL;
	everr_t err;
	size_t i;

	err = get_array(loading, object, name, max, sizeof(struct ev_guid),
			&array, (void **)ret_guids);
	for (i = 0; i < json_array_size(array) && err == EVERR_OK; i++) {
		err = get_guid(loading, json_array_get(array, i), name,
			       &(*ret_guids)[i]);
	}
	*ret_num = json_array_size(array);
	return err;
}

static everr_t load_file(struct loading *loading, const json_t *object,
			 struct wsus_file *file)
{
	everr_t err;

	err = get_hex(loading, object, "sha1", file->digest,
		      sizeof(file->digest));
	if (err == EVERR_OK && json_object_get(object, "url") != NULL) {
		err = get_text(loading, object, "url", &file->url);
	}
	return err;
}

static everr_t load_files(struct loading *loading, const json_t *object,
			  struct wsus_update *update)
{
	const json_t *array = NULL;
	everr_t err;
	size_t i;

	err = get_array(loading, object, "files", WSUS_FILES_MAX,
			sizeof(struct wsus_file), &array,
			(void **)&update->files);
	for (i = 0; i < json_array_size(array) && err == EVERR_OK; i++) {
		err = load_file(loading, json_array_get(array, i),
				&update->files[i]);
	}
	update->num_files = json_array_size(array);
	return err;
}

/* Where its metadata is. */
static everr_t load_place(struct loading *loading, const json_t *object,
			  struct wsus_update *update)
{
	uint64_t len, units;
	everr_t err;

	err = get_number(loading, object, "offset", INT64_MAX, &update->offset);
	if (err == EVERR_OK) {
		err = get_number(loading, object, "length", WSUS_BLOB_MAX,
				 &len);
	}
	if (err == EVERR_OK) {
		err = get_number(loading, object, "units", WSUS_BLOB_MAX,
				 &units);
	}
	if (err == EVERR_OK) {
		err = get_hex(loading, object, "sha256", update->hash,
			      sizeof(update->hash));
	}
	if (err == EVERR_OK) {
		update->len = (uint32_t)len;
		update->units = (uint32_t)units;
	}
	return err;
}

static everr_t load_update(struct loading *loading, const json_t *object,
			   void *row)
{
	struct wsus_update *update = row;
	uint64_t revision, languages;
	size_t kind;
	everr_t err;

	err = get_member_guid(loading, object, "id", &update->id);
	if (err == EVERR_OK) {
		err = get_number(loading, object, "revision", INT32_MAX,
				 &revision);
	}
	if (err == EVERR_OK) {
		err = get_word(loading, object, "kind", wsus_kind_names,
			       WSUS_KINDS, &kind);
	}
	if (err == EVERR_OK) {
		err = get_text(loading, object, "title", &update->title);
	}
	if (err == EVERR_OK) {
		err = get_anchor(loading, object, &update->changed);
	}
	if (err == EVERR_OK) {
		err = get_number(loading, object, "languages", UINT32_MAX,
				 &languages);
	}
	if (err == EVERR_OK) {
		err = get_guids(loading, object, "categories",
				WSUS_CATEGORIES_MAX, &update->categories,
				&update->num_categories);
	}
	if (err == EVERR_OK) {
		err = load_files(loading, object, update);
	}
	if (err == EVERR_OK) {
		err = load_place(loading, object, update);
	}
	if (err == EVERR_OK) {
		update->revision = (int32_t)revision;
		update->languages = (uint32_t)languages;
		update->kind = (enum wsus_kind)kind;
		update->compress =
			json_is_true(json_object_get(object, "compress"));
	}
	return err;
}

static everr_t load_language(struct loading *loading, const json_t *object,
			     void *row)
{
	struct wsus_language *language = row;
	uint64_t id;
	everr_t err;

	err = get_number(loading, object, "id", INT32_MAX, &id);
	if (err == EVERR_OK) {
		err = get_text(loading, object, "short", &language->short_name);
	}
	if (err == EVERR_OK) {
		err = get_text(loading, object, "long", &language->long_name);
	}
	if (err == EVERR_OK) {
		err = get_anchor(loading, object, &language->changed);
	}
	if (err == EVERR_OK) {
		language->id = (int32_t)id;
		language->enabled =
			json_is_true(json_object_get(object, "enabled"));
	}
	return err;
}

static everr_t load_group(struct loading *loading, const json_t *object,
			  void *row)
{
	struct wsus_group *group = row;
	everr_t err;

	err = get_member_guid(loading, object, "id", &group->id);
	if (err == EVERR_OK) {
		err = get_member_guid(loading, object, "parent",
				      &group->parent);
	}
	if (err == EVERR_OK) {
		err = get_text(loading, object, "name", &group->name);
	}
	group->builtin = json_is_true(json_object_get(object, "builtin"));
	return err;
}

static everr_t load_deployment_update(struct loading *loading,
				      const json_t *object,
				      struct wsus_deployment *deployment)
{
	uint64_t revision, priority;
	everr_t err;

	err = get_member_guid(loading, object, "update", &deployment->update);
	if (err == EVERR_OK) {
		err = get_number(loading, object, "revision", INT32_MAX,
				 &revision);
	}
	if (err == EVERR_OK) {
		err = get_number(loading, object, "priority", 3, &priority);
	}
	if (err == EVERR_OK) {
		deployment->revision = (int32_t)revision;
		deployment->priority = (uint8_t)priority;
	}
	return err;
}

static everr_t load_deployment(struct loading *loading, const json_t *object,
			       void *row)
{
	struct wsus_deployment *deployment = row;
	size_t action;
	everr_t err;

	err = get_member_guid(loading, object, "id", &deployment->id);
	if (err == EVERR_OK) {
		err = load_deployment_update(loading, object, deployment);
	}
	if (err == EVERR_OK) {
		err = get_word(loading, object, "action", wsus_action_names,
			       WSUS_ACTIONS, &action);
	}
	if (err == EVERR_OK) {
		err = get_text(loading, object, "admin", &deployment->admin);
	}
	if (err == EVERR_OK) {
		err = get_number(loading, object, "deadline", INT64_MAX,
				 &deployment->deadline);
	}
	if (err == EVERR_OK) {
		err = get_number(loading, object, "goLive", INT64_MAX,
				 &deployment->go_live);
	}
	if (err == EVERR_OK) {
		err = get_member_guid(loading, object, "group",
				      &deployment->group);
	}
	if (err == EVERR_OK) {
		err = get_anchor(loading, object, &deployment->changed);
	}
	if (err == EVERR_OK) {
		deployment->action = (enum wsus_action)action;
		deployment->assigned =
			json_is_true(json_object_get(object, "assigned"));
	}
	return err;
}

static everr_t load_dead(struct loading *loading, const json_t *object,
			 void *row)
{
	struct wsus_dead *dead = row;
	everr_t err;

	err = get_member_guid(loading, object, "id", &dead->id);
	if (err == EVERR_OK) {
		err = get_anchor(loading, object, &dead->changed);
	}
	return err;
}

/* Rows of one kind. */
struct list {
	const char *name;
	size_t max;
	size_t row_size;
	everr_t (*load)(struct loading *loading, const json_t *object,
			void *row);
	void **rows;
	size_t *num;
};

static everr_t load_list(struct loading *loading, const json_t *root,
			 const struct list *list)
{
	const json_t *array = NULL;
	void *rows = NULL;
	everr_t err;
	size_t i;

	loading->list = list->name;
	loading->row = 0;
	err = get_array(loading, root, list->name, list->max, list->row_size,
			&array, &rows);
	for (i = 0; i < json_array_size(array) && err == EVERR_OK; i++) {
		loading->row = i + 1;
		err = list->load(loading, json_array_get(array, i),
				 (uint8_t *)rows + i * list->row_size);
	}
	if (err == EVERR_OK && array != NULL) {
		*list->rows = rows;
		*list->num = json_array_size(array);
	}
	return err;
}

static everr_t load_lists(struct loading *loading, const json_t *root)
{
	struct wsus_catalogue *c = loading->catalogue;
	const struct list lists[] = {
		{"updates", WSUS_UPDATES_MAX, sizeof(*c->updates), load_update,
		 (void **)&c->updates, &c->num_updates},
		{"languages", WSUS_LANGUAGES_MAX, sizeof(*c->languages),
		 load_language, (void **)&c->languages, &c->num_languages},
		{"groups", WSUS_GROUPS_MAX, sizeof(*c->groups), load_group,
		 (void **)&c->groups, &c->num_groups},
		{"deployments", WSUS_DEPLOYMENTS_MAX, sizeof(*c->deployments),
		 load_deployment, (void **)&c->deployments,
		 &c->num_deployments},
		{"dead", WSUS_DEAD_MAX, sizeof(*c->dead), load_dead,
		 (void **)&c->dead, &c->num_dead},
	};
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]) && err == EVERR_OK;
	     i++) {
		err = load_list(loading, root, &lists[i]);
	}
	return err;
}

static everr_t load_root(struct loading *loading, const json_t *root)
{
	struct wsus_catalogue *catalogue = loading->catalogue;
	uint64_t format;
	everr_t err;

	err = get_number(loading, root, "format", UINT32_MAX, &format);
	if (err == EVERR_OK && format != FORMAT) {
		err = wrong(loading, "format");
	}
	if (err == EVERR_OK) {
		err = get_anchor(loading, root, &catalogue->changed);
	}
	if (err == EVERR_OK) {
		err = get_text(loading, root, "data", &catalogue->data_file);
	}
	if (err == EVERR_OK && (strncmp(catalogue->data_file, NAME_PREFIX,
					strlen(NAME_PREFIX)) != 0 ||
				strchr(catalogue->data_file, '/') != NULL)) {
		err = wrong(loading, "data");
	}
	if (err == EVERR_OK) {
		err = get_guids(loading, root, "declined", WSUS_GUIDS_MAX,
				&catalogue->declined, &catalogue->num_declined);
	}
	if (err == EVERR_OK) {
		err = get_guids(loading, root, "eulas", WSUS_GUIDS_MAX,
				&catalogue->eulas, &catalogue->num_eulas);
	}
	if (err == EVERR_OK) {
		catalogue->catalog_only =
			json_is_true(json_object_get(root, "catalogOnlySync"));
		catalogue->lazy =
			json_is_true(json_object_get(root, "lazySync"));
		err = load_lists(loading, root);
	}
	return err;
}

static char *describe(TALLOC_CTX *mem_ctx, const char *path,
		      const struct loading *loading)
{
	if (loading->list == NULL || loading->row == 0) {
		return talloc_asprintf(mem_ctx,
				       "%s: '%s' is not as 'evenlog wsus "
				       "import' writes it: import again",
				       path, loading->what);
	}
	return talloc_asprintf(mem_ctx,
			       "%s: '%s' of number %zu in '%s' is not as "
			       "'evenlog wsus import' writes it: import again",
			       path, loading->what, loading->row,
			       loading->list);
}

/* The metadata's file stays open: a newer import may remove its name. */
static everr_t open_data(struct wsus_catalogue *catalogue, TALLOC_CTX *mem_ctx,
			 const char *dir, char **ret_message)
{
	char *path =
		talloc_asprintf(mem_ctx, "%s/%s", dir, catalogue->data_file);
	struct stat st;
	uint64_t end = 0;
	size_t i;

	if (path == NULL) {
		return EVERR_NOMEM;
	}
	catalogue->data_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (catalogue->data_fd < 0 || fstat(catalogue->data_fd, &st) != 0) {
		*ret_message = talloc_asprintf(mem_ctx, "%s: %s", path,
					       strerror(errno));
		return EVERR_IO;
	}
	for (i = 0; i < catalogue->num_updates; i++) {
		const struct wsus_update *update = &catalogue->updates[i];

		end = update->offset + update->len > end
			      ? update->offset + update->len
			      : end;
	}
	if (end > (uint64_t)st.st_size) {
		*ret_message = talloc_asprintf(
			mem_ctx,
			"%s is shorter than the index says: import "
			"again",
			path);
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

/* EVERR_NOT_FOUND: there is none. */
static everr_t read_json(TALLOC_CTX *mem_ctx, const char *path,
			 json_t **ret_root, char **ret_message)
{
	FILE *file = fopen(path, "re");
	json_error_t error;
	struct stat st;
	json_t *root = NULL;
	everr_t err = EVERR_OK;

	if (file == NULL && errno == ENOENT) {
		return EVERR_NOT_FOUND;
	}
	if (file == NULL || fstat(fileno(file), &st) != 0) {
		*ret_message = talloc_asprintf(mem_ctx, "%s: %s", path,
					       strerror(errno));
		err = EVERR_IO;
	} else if (st.st_size > WSUS_INDEX_MAX) {
		*ret_message =
			talloc_asprintf(mem_ctx, "%s has more than %d bytes",
					path, WSUS_INDEX_MAX);
		err = EVERR_CONFIG;
	} else {
		root = json_loadf(file, 0, &error);
	}
	if (err == EVERR_OK && root == NULL) {
		*ret_message = talloc_asprintf(mem_ctx, "%s:%d: %s", path,
					       error.line, error.text);
		err = EVERR_CONFIG;
	}
	if (file != NULL) {
		fclose(file);
	}
	*ret_root = root;
	return err;
}

static everr_t load_index(TALLOC_CTX *mem_ctx, const char *dir,
			  const char *path, struct wsus_catalogue *catalogue,
			  char **ret_message)
{
	struct loading loading = {.catalogue = catalogue};
	json_t *root = NULL;
	everr_t err;

	err = read_json(mem_ctx, path, &root, ret_message);
	if (err == EVERR_NOT_FOUND) {
		return EVERR_OK;
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = load_root(&loading, root);
	json_decref(root);
	if (loading.nomem) {
		return EVERR_NOMEM;
	}
	if (err != EVERR_OK) {
		*ret_message = describe(mem_ctx, path, &loading);
		return err;
	}
	return open_data(catalogue, mem_ctx, dir, ret_message);
}

everr_t wsus_catalogue_load(TALLOC_CTX *mem_ctx, const char *dir,
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
	err = load_index(mem_ctx, dir, path, catalogue, ret_message);
	TALLOC_FREE(path);
	if (err == EVERR_OK) {
		err = wsus_catalogue_index(catalogue);
	}
	if (err != EVERR_OK) {
		talloc_free(catalogue);
		return err;
	}
	*ret_catalogue = catalogue;
	return EVERR_OK;
}

/* -------------------------------------------------------------------- writing */

static json_t *guid_json(const struct ev_guid *guid)
{
	char text[EV_GUID_TEXT_SIZE];
	size_t i;

	ev_guid_format(guid, text);
	/* As it stands on the wire: lower case, without braces. */
	for (i = 0; text[i] != '\0'; i++) {
		text[i] = (char)(text[i] >= 'A' && text[i] <= 'F'
					 ? text[i] + ('a' - 'A')
					 : text[i]);
	}
	return json_stringn(text + 1, strlen(text) - 2);
}

static json_t *hex_json(const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * WSUS_HASH_LEN];
	size_t i;

	for (i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 0xF];
	}
	return json_stringn(text, 2 * len);
}

static json_t *anchor_json(const struct wsus_anchor *anchor)
{
	char text[WSUS_ANCHOR_TEXT_MAX];

	wsus_anchor_format(anchor, text);
	return json_string(text);
}

static json_t *guids_json(const struct ev_guid *guids, size_t num)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < num; i++) {
		json_array_append_new(array, guid_json(&guids[i]));
	}
	return array;
}

static json_t *files_json(const struct wsus_update *update)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < update->num_files; i++) {
		const struct wsus_file *file = &update->files[i];
		json_t *object = json_object();

		json_object_set_new(object, "sha1",
				    hex_json(file->digest, WSUS_DIGEST_LEN));
		if (file->url != NULL) {
			json_object_set_new(object, "url",
					    json_string(file->url));
		}
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *update_json(const struct wsus_update *update)
{
	return json_pack(
		"{s:o, s:i, s:s, s:s, s:o, s:b, s:I, s:o, s:o, s:I, "
		"s:I, s:I, s:o}",
		"id", guid_json(&update->id), "revision", (int)update->revision,
		"kind", wsus_kind_names[update->kind], "title", update->title,
		"changed", anchor_json(&update->changed), "compress",
		(int)update->compress, "languages",
		(json_int_t)update->languages, "categories",
		guids_json(update->categories, update->num_categories), "files",
		files_json(update), "offset", (json_int_t)update->offset,
		"length", (json_int_t)update->len, "units",
		(json_int_t)update->units, "sha256",
		hex_json(update->hash, WSUS_HASH_LEN));
}

static json_t *language_json(const struct wsus_language *language)
{
	return json_pack("{s:i, s:s, s:s, s:b, s:o}", "id", (int)language->id,
			 "short", language->short_name, "long",
			 language->long_name, "enabled", (int)language->enabled,
			 "changed", anchor_json(&language->changed));
}

static json_t *group_json(const struct wsus_group *group)
{
	return json_pack("{s:o, s:o, s:s, s:b}", "id", guid_json(&group->id),
			 "parent", guid_json(&group->parent), "name",
			 group->name, "builtin", (int)group->builtin);
}

static json_t *deployment_json(const struct wsus_deployment *deployment)
{
	return json_pack("{s:o, s:o, s:i, s:s, s:s, s:I, s:I, s:b, s:o, s:i, "
			 "s:o}",
			 "id", guid_json(&deployment->id), "update",
			 guid_json(&deployment->update), "revision",
			 (int)deployment->revision, "action",
			 wsus_action_names[deployment->action], "admin",
			 deployment->admin, "deadline",
			 (json_int_t)deployment->deadline, "goLive",
			 (json_int_t)deployment->go_live, "assigned",
			 (int)deployment->assigned, "group",
			 guid_json(&deployment->group), "priority",
			 (int)deployment->priority, "changed",
			 anchor_json(&deployment->changed));
}

static json_t *root_json(const struct wsus_catalogue *c)
{
	json_t *updates = json_array();
	json_t *languages = json_array();
	json_t *groups = json_array();
	json_t *deployments = json_array();
	json_t *dead = json_array();
	size_t i;

	for (i = 0; i < c->num_updates; i++) {
		json_array_append_new(updates, update_json(&c->updates[i]));
	}
	for (i = 0; i < c->num_languages; i++) {
		json_array_append_new(languages,
				      language_json(&c->languages[i]));
	}
	for (i = 0; i < c->num_groups; i++) {
		json_array_append_new(groups, group_json(&c->groups[i]));
	}
	for (i = 0; i < c->num_deployments; i++) {
		json_array_append_new(deployments,
				      deployment_json(&c->deployments[i]));
	}
	for (i = 0; i < c->num_dead; i++) {
		json_array_append_new(
			dead,
			json_pack("{s:o, s:o}", "id", guid_json(&c->dead[i].id),
				  "changed", anchor_json(&c->dead[i].changed)));
	}
	return json_pack(
		"{s:i, s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"format", FORMAT, "changed", anchor_json(&c->changed), "data",
		c->data_file, "catalogOnlySync", (int)c->catalog_only,
		"lazySync", (int)c->lazy, "languages", languages, "groups",
		groups, "declined", guids_json(c->declined, c->num_declined),
		"eulas", guids_json(c->eulas, c->num_eulas), "deployments",
		deployments, "dead", dead, "updates", updates);
}

static int append_text(const char *text, size_t len, void *private_data)
{
	struct buf *out = private_data;

	buf_put(out, text, len);
	return out->err == EVERR_OK ? 0 : -1;
}

everr_t wsus_catalogue_format(const struct wsus_catalogue *catalogue,
			      struct buf *out)
{
	json_t *root = root_json(catalogue);
	everr_t err;
	int rc;

	if (root == NULL) {
		return EVERR_NOMEM;
	}
	rc = json_dump_callback(root, append_text, out, JSON_COMPACT);
	json_decref(root);
	err = buf_error(out);
	return rc != 0 && err == EVERR_OK ? EVERR_NOMEM : err;
}
