/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The catalogue.json that a person writes beside the metadata. */

#include "soap/node.h"
#include "soap/wsus_import.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SETTINGS_MAX (64 * 1024 * 1024)
#define DEFAULT_ADMIN "WUS Server"
#define DEFAULT_PRIORITY 1

struct settings {
	struct wsus_problems *problems;
	struct wsus_catalogue *catalogue;
	const char *path; /* of the file */
	const char *list; /* being read */
	size_t row;
	bool nomem;
};

/* "FILE: deployments[3]: ..." */
static void bad(struct settings *settings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void bad(struct settings *settings, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = talloc_vasprintf(settings->problems, fmt, ap);
	va_end(ap);
	if (text == NULL) {
		settings->nomem = true;
		return;
	}
	if (settings->list != NULL) {
		wsus_problem(settings->problems, "%s: %s[%zu]: %s",
			     settings->path, settings->list, settings->row,
			     text);
	} else {
		wsus_problem(settings->problems, "%s: %s", settings->path,
			     text);
	}
	talloc_free(text);
}

/* ------------------------------------------------------------------- members */

static void check_keys(struct settings *settings, json_t *object,
		       const char *const *known)
{
	const char *key = NULL;
	json_t *value = NULL;
	size_t i;

	json_object_foreach (object, key, value) {
		for (i = 0; known[i] != NULL; i++) {
			if (strcmp(known[i], key) == 0) {
				break;
			}
		}
		if (known[i] == NULL) {
			bad(settings, "'%.64s' is not known here", key);
		}
	}
}

static void get_flag(struct settings *settings, const json_t *object,
		     const char *name, bool *flag)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL) {
		return;
	}
	if (!json_is_boolean(value)) {
		bad(settings, "'%s' is true or false", name);
		return;
	}
	*flag = json_is_true(value);
}

static void get_number(struct settings *settings, const json_t *object,
		       const char *name, int64_t min, int64_t max,
		       int64_t *number)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max) {
		bad(settings, "'%s' is a number from %" PRId64 " to %" PRId64,
		    name, min, max);
		return;
	}
	*number = json_integer_value(value);
}

/* name NULL: the value itself is meant. */
static void get_guid(struct settings *settings, const json_t *value,
		     const char *name, struct ev_guid *guid)
{
	const char *text = NULL;
	everr_t err;

	if (name != NULL) {
		value = json_object_get(value, name);
	}
	text = json_string_value(value);
	err = soap_get_guid(text, guid);
	if (err == EVERR_OK) {
		return;
	}
	if (name != NULL) {
		bad(settings, "'%s' is a guid", name);
	} else {
		bad(settings, "'%.64s' is not a guid",
		    text != NULL ? text : "what is there");
	}
}

/* fallback NULL: it must be there. */
static void get_text(struct settings *settings, const json_t *object,
		     const char *name, const char *fallback, const char **text)
{
	const json_t *value = json_object_get(object, name);
	const char *found = json_string_value(value);

	if (value == NULL && fallback != NULL) {
		*text = fallback;
		return;
	}
	if (found == NULL || *found == '\0' || strlen(found) > WSUS_NAME_MAX) {
		bad(settings, "'%s' is a text of 1 to %d bytes", name,
		    WSUS_NAME_MAX);
		return;
	}
	*text = talloc_strdup(settings->catalogue, found);
	settings->nomem = settings->nomem || *text == NULL;
}

static void get_time(struct settings *settings, const json_t *object,
		     const char *name, uint64_t *time)
{
	const json_t *value = json_object_get(object, name);
	everr_t err;

	if (value == NULL) {
		return;
	}
	err = soap_get_time(json_string_value(value), time);
	if (err != EVERR_OK) {
		bad(settings, "'%s' is a time like \"2026-05-24T15:37:08Z\"",
		    name);
	}
}

static void get_action(struct settings *settings, const json_t *object,
		       enum wsus_action *action)
{
	const char *text = json_string_value(json_object_get(object, "action"));
	size_t i;

	for (i = 0; text != NULL && i < WSUS_ACTIONS; i++) {
		if (strcmp(text, wsus_action_names[i]) == 0) {
			*action = (enum wsus_action)i;
			return;
		}
	}
	bad(settings, "'action' is install, uninstall, scan or block");
}

/*
 * An array of at most max, after the rows that are there already; -1: there is
 * none.  Sets where problems are said to be.
 */
static ssize_t begin_list(struct settings *settings, const json_t *root,
			  const char *name, size_t max)
{
	const json_t *array = json_object_get(root, name);

	settings->list = NULL;
	if (array == NULL) {
		return -1;
	}
	if (!json_is_array(array)) {
		bad(settings, "'%s' is a list", name);
		return -1;
	}
	if (json_array_size(array) > max) {
		bad(settings, "'%s' has more than %zu items", name, max);
		return -1;
	}
	settings->list = name;
	return (ssize_t)json_array_size(array);
}

/* Item i; NULL: it is no object, which has been said. */
static json_t *list_object(struct settings *settings, const json_t *root,
			   size_t i, const char *const *known)
{
	json_t *item = json_array_get(json_object_get(root, settings->list), i);

	settings->row = i;
	if (!json_is_object(item)) {
		bad(settings, "it is not an object");
		return NULL;
	}
	check_keys(settings, item, known);
	return item;
}

static void *new_rows(struct settings *settings, size_t num, size_t size)
{
	void *rows = talloc_zero_size(settings->catalogue, num * size + 1);

	settings->nomem = settings->nomem || rows == NULL;
	return rows;
}

/* --------------------------------------------------------------------- lists */

static void read_languages(struct settings *settings, const json_t *root)
{
	static const char *const known[] = {"id", "short", "long", "enabled",
					    NULL};
	struct wsus_catalogue *catalogue = settings->catalogue;
	ssize_t num =
		begin_list(settings, root, "languages", WSUS_LANGUAGES_MAX);
	struct wsus_language *rows = NULL;
	ssize_t i;

	if (num >= 0) {
		rows = new_rows(settings, (size_t)num, sizeof(*rows));
	}
	if (rows == NULL) {
		return;
	}
	for (i = 0; i < num; i++) {
		json_t *item = list_object(settings, root, (size_t)i, known);
		int64_t id = 0;

		get_number(settings, item, "id", 0, INT32_MAX, &id);
		rows[i].id = (int32_t)id;
		rows[i].enabled = true;
		get_text(settings, item, "short", NULL, &rows[i].short_name);
		get_text(settings, item, "long", NULL, &rows[i].long_name);
		get_flag(settings, item, "enabled", &rows[i].enabled);
	}
	catalogue->languages = rows;
	catalogue->num_languages = (size_t)num;
}

static const struct wsus_group *find_group(
	const struct wsus_catalogue *catalogue, const struct ev_guid *id)
{
	size_t i;

	for (i = 0; i < catalogue->num_groups; i++) {
		if (ev_guid_equal(&catalogue->groups[i].id, id)) {
			return &catalogue->groups[i];
		}
	}
	return NULL;
}

/* A group stands behind its parent, so there can be no loop. */
static void read_group(struct settings *settings, json_t *item)
{
	struct wsus_catalogue *catalogue = settings->catalogue;
	/* Below "All Computers", as Windows has it. */
	struct wsus_group group = {.parent = catalogue->groups[0].id};

	get_guid(settings, item, "id", &group.id);
	get_text(settings, item, "name", NULL, &group.name);
	if (json_object_get(item, "parent") != NULL) {
		get_guid(settings, item, "parent", &group.parent);
	}
	if (find_group(catalogue, &group.id) != NULL) {
		bad(settings, "there is a group with this id already");
	}
	if (find_group(catalogue, &group.parent) == NULL) {
		bad(settings, "its parent is no group that stands before it");
	}
	catalogue->groups[catalogue->num_groups++] = group;
}

static void read_groups(struct settings *settings, const json_t *root)
{
	static const char *const known[] = {"id", "name", "parent", NULL};
	struct wsus_catalogue *catalogue = settings->catalogue;
	ssize_t num = begin_list(settings, root, "groups",
				 WSUS_GROUPS_MAX - catalogue->num_groups);
	struct wsus_group *rows = NULL;
	ssize_t i;

	if (num < 0) {
		return;
	}
	rows = talloc_realloc(catalogue, catalogue->groups, struct wsus_group,
			      catalogue->num_groups + (size_t)num);
	if (rows == NULL) {
		settings->nomem = true;
		return;
	}
	catalogue->groups = rows;
	for (i = 0; i < num; i++) {
		json_t *item = list_object(settings, root, (size_t)i, known);

		if (item != NULL) {
			read_group(settings, item);
		}
	}
}

static int deployment_cmp(const void *a, const void *b)
{
	const struct wsus_deployment *const *x = a;
	const struct wsus_deployment *const *y = b;

	return memcmp(&(*x)->id, &(*y)->id, sizeof(struct ev_guid));
}

static void check_unique(struct settings *settings,
			 const struct wsus_deployment *rows, size_t num)
{
	const struct wsus_deployment **sorted =
		new_rows(settings, num, sizeof(const struct wsus_deployment *));
	size_t i;

	if (sorted == NULL) {
		return;
	}
	for (i = 0; i < num; i++) {
		sorted[i] = &rows[i];
	}
	qsort(sorted, num, sizeof(*sorted), deployment_cmp);
	for (i = 1; i < num; i++) {
		if (deployment_cmp(&sorted[i - 1], &sorted[i]) == 0) {
			settings->row = (size_t)(sorted[i] - rows);
			bad(settings, "its 'id' is that of [%zu], too",
			    (size_t)(sorted[i - 1] - rows));
		}
	}
	talloc_free(sorted);
}

static void read_deployment(struct settings *settings, json_t *item,
			    struct wsus_deployment *row)
{
	int64_t revision = 0;
	int64_t priority = DEFAULT_PRIORITY;

	get_guid(settings, item, "id", &row->id);
	get_guid(settings, item, "update", &row->update);
	get_number(settings, item, "revision", 0, INT32_MAX, &revision);
	get_action(settings, item, &row->action);
	get_text(settings, item, "admin", DEFAULT_ADMIN, &row->admin);
	get_time(settings, item, "deadline", &row->deadline);
	get_time(settings, item, "goLive", &row->go_live);
	row->assigned = true;
	get_flag(settings, item, "assigned", &row->assigned);
	get_guid(settings, item, "group", &row->group);
	if (json_object_get(item, "priority") != NULL) {
		get_number(settings, item, "priority", 1, 3, &priority);
	}
	row->revision = (int32_t)revision;
	row->priority = (uint8_t)priority;
	if (wsus_catalogue_find(settings->catalogue, &row->update,
				row->revision) == NULL) {
		bad(settings, "there is no metadata of its update and "
			      "revision");
	}
	if (find_group(settings->catalogue, &row->group) == NULL) {
		bad(settings, "its group is not in 'groups'");
	}
}

static void read_deployments(struct settings *settings, const json_t *root)
{
	static const char *const known[] = {
		"id",	    "update", "revision", "action",   "group", "admin",
		"deadline", "goLive", "assigned", "priority", NULL};
	struct wsus_catalogue *catalogue = settings->catalogue;
	ssize_t num =
		begin_list(settings, root, "deployments", WSUS_DEPLOYMENTS_MAX);
	struct wsus_deployment *rows = NULL;
	ssize_t i;

	if (num >= 0) {
		rows = new_rows(settings, (size_t)num, sizeof(*rows));
	}
	if (rows == NULL) {
		return;
	}
	for (i = 0; i < num; i++) {
		json_t *item = list_object(settings, root, (size_t)i, known);

		if (item != NULL) {
			read_deployment(settings, item, &rows[i]);
		}
	}
	check_unique(settings, rows, (size_t)num);
	catalogue->deployments = rows;
	catalogue->num_deployments = (size_t)num;
}

static void read_guids(struct settings *settings, const json_t *root,
		       const char *name, struct ev_guid **ret_guids,
		       size_t *ret_num)
{
	ssize_t num = begin_list(settings, root, name, WSUS_GUIDS_MAX);
	struct ev_guid *guids = NULL;
	ssize_t i;

	if (num >= 0) {
		guids = new_rows(settings, (size_t)num, sizeof(*guids));
	}
	if (guids == NULL) {
		return;
	}
	for (i = 0; i < num; i++) {
		settings->row = (size_t)i;
		get_guid(settings,
			 json_array_get(json_object_get(root, name), (size_t)i),
			 NULL, &guids[i]);
	}
	*ret_guids = guids;
	*ret_num = (size_t)num;
}

/* Whether there is one; all its revisions are sent as cabinets. */
static bool compress_update(struct wsus_catalogue *catalogue,
			    const struct ev_guid *id)
{
	const struct wsus_update *newest = wsus_catalogue_newest(catalogue, id);
	struct wsus_update *update = NULL;

	if (newest == NULL) {
		return false;
	}
	update = &catalogue->updates[newest - catalogue->updates];
	while (update >= catalogue->updates && ev_guid_equal(&update->id, id)) {
		update->compress = true;
		update--;
	}
	return true;
}

static void read_compress(struct settings *settings, const json_t *root)
{
	struct ev_guid *guids = NULL;
	size_t num = 0;
	size_t i;

	read_guids(settings, root, "compress", &guids, &num);
	for (i = 0; i < num; i++) {
		if (!compress_update(settings->catalogue, &guids[i])) {
			settings->row = i;
			bad(settings, "there is no metadata of this update");
		}
	}
	talloc_free(guids);
}

static bool url_valid(const char *url)
{
	if (url == NULL || strlen(url) > 2048 ||
	    (strncasecmp(url, "http://", 7) != 0 &&
	     strncasecmp(url, "https://", 8) != 0)) {
		return false;
	}
	for (; *url != '\0'; url++) {
		if ((uint8_t)*url <= ' ' || (uint8_t)*url >= 0x7F) {
			return false;
		}
	}
	return true;
}

static void set_url(struct settings *settings, const uint8_t *digest,
		    const char *url, const char *key)
{
	struct wsus_catalogue *catalogue = settings->catalogue;
	const char *copy = talloc_strdup(catalogue, url);
	size_t low = 0;
	size_t high = catalogue->num_digests;
	size_t i;

	/* The first that is not smaller; a file may belong to many. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(catalogue->digests[middle]->digest, digest,
			   WSUS_DIGEST_LEN) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (!wsus_catalogue_has_file(catalogue, digest)) {
		bad(settings, "fileUrls: no update has the file '%s'", key);
	}
	for (i = low; i < catalogue->num_digests; i++) {
		struct wsus_file *file =
			(struct wsus_file *)catalogue->digests[i];

		if (memcmp(file->digest, digest, WSUS_DIGEST_LEN) != 0) {
			break;
		}
		file->url = copy;
	}
	settings->nomem = settings->nomem || copy == NULL;
}

static void read_urls(struct settings *settings, const json_t *root)
{
	json_t *object = json_object_get(root, "fileUrls");
	const char *key = NULL;
	json_t *value = NULL;
	struct buf digest;
	everr_t err;

	settings->list = NULL;
	if (object != NULL && !json_is_object(object)) {
		bad(settings, "'fileUrls' is an object of digests and URLs");
		return;
	}
	buf_init(&digest, settings->catalogue, WSUS_DIGEST_ROOM);
	json_object_foreach (object, key, value) {
		buf_reset(&digest);
		err = soap_get_base64(key, &digest);
		if (err != EVERR_OK || digest.len != WSUS_DIGEST_LEN) {
			bad(settings,
			    "fileUrls: '%.64s' is not the base64 text of a "
			    "SHA-1 digest",
			    key);
		} else if (!url_valid(json_string_value(value))) {
			bad(settings, "fileUrls: '%s' has no http or https URL",
			    key);
		} else {
			set_url(settings, digest.data, json_string_value(value),
				key);
		}
	}
	buf_free(&digest);
}

/* ------------------------------------------------------------------ the file */

static void read_root(struct settings *settings, json_t *root)
{
	static const char *const known[] = {
		"catalogOnlySync", "lazySync",	  "languages", "compress",
		"groups",	   "deployments", "declined",  "acceptedEulas",
		"fileUrls",	   NULL};
	struct wsus_catalogue *catalogue = settings->catalogue;

	if (!json_is_object(root)) {
		bad(settings, "it is not an object");
		return;
	}
	check_keys(settings, root, known);
	get_flag(settings, root, "catalogOnlySync", &catalogue->catalog_only);
	get_flag(settings, root, "lazySync", &catalogue->lazy);
	read_languages(settings, root);
	read_compress(settings, root);
	read_groups(settings, root);
	read_deployments(settings, root);
	read_guids(settings, root, "declined", &catalogue->declined,
		   &catalogue->num_declined);
	read_guids(settings, root, "acceptedEulas", &catalogue->eulas,
		   &catalogue->num_eulas);
	read_urls(settings, root);
}

/* NULL: there is none, or it is said what is wrong with it. */
static json_t *load(struct settings *settings)
{
	FILE *file = fopen(settings->path, "re");
	json_error_t error;
	struct stat st;
	json_t *root = NULL;

	if (file == NULL && errno == ENOENT) {
		return NULL;
	}
	if (file == NULL || fstat(fileno(file), &st) != 0) {
		bad(settings, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > SETTINGS_MAX) {
		bad(settings, "it is not a file of at most %d bytes",
		    SETTINGS_MAX);
	} else {
		root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
		if (root == NULL) {
			wsus_problem(settings->problems, "%s:%d: %s",
				     settings->path, error.line, error.text);
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return root;
}

everr_t wsus_settings_read(struct wsus_problems *problems, const char *source,
			   struct wsus_catalogue *catalogue)
{
	struct settings settings = {.problems = problems,
				    .catalogue = catalogue};
	json_t *root = NULL;
	char *path = talloc_asprintf(problems, "%s/catalogue.json", source);

	if (path == NULL) {
		return EVERR_NOMEM;
	}
	settings.path = path;
	root = load(&settings);
	if (root != NULL) {
		read_root(&settings, root);
		json_decref(root);
	}
	talloc_free(path);
	return settings.nomem ? EVERR_NOMEM : EVERR_OK;
}
