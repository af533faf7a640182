/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/catalog.h"

#include "base/text.h"
#include "event/catalog_default.h"
#include "event/evenlog_man.h"

#include <stdlib.h>
#include <string.h>

/* A standard name without this is for persons, too. */
#define STANDARD_PREFIX "win:"

struct event_catalog {
	struct event_publisher *standard;
	/* The same publishers by name without case, and by GUID. */
	const struct event_publisher **by_name;
	const struct event_publisher **by_guid;
	size_t num;
	const struct event_manifest **manifests;
	size_t num_manifests;
};

static int name_cmp(const void *a, const void *b)
{
	const struct event_publisher *const *x = a, *const *y = b;

	return text_name_cmp((*x)->name, (*y)->name);
}

static int guid_cmp(const void *a, const void *b)
{
	const struct event_publisher *const *x = a, *const *y = b;

	return memcmp(&(*x)->guid, &(*y)->guid, sizeof((*x)->guid));
}

static const struct event_publisher *search(
	const struct event_publisher *const *sorted, size_t num,
	const struct event_publisher *key,
	int (*cmp)(const void *, const void *))
{
	const struct event_publisher *const *found = NULL;

	if (num == 0) {
		return NULL;
	}
	found = bsearch(&key, sorted, num, sizeof(key), cmp);
	return found != NULL ? *found : NULL;
}

/* Evenlog's own publisher is a manifest like any other. */
static everr_t add_own(struct event_catalog *catalog)
{
	struct event_manifest_error error;
	struct event_manifest *manifest = NULL;
	const char *name = NULL;
	everr_t err;

	err = event_manifest_parse(
		catalog, "evenlog.man", (const uint8_t *)event_evenlog_man,
		sizeof(event_evenlog_man) - 1, &manifest, &error);
	if (err != EVERR_OK) {
		return err;
	}
	return event_catalog_add(catalog, manifest, &name);
}

struct event_catalog *event_catalog_create(TALLOC_CTX *mem_ctx)
{
	struct event_catalog *catalog = NULL;
	everr_t err;

	catalog = talloc_zero(mem_ctx, struct event_catalog);
	if (catalog == NULL) {
		return NULL;
	}
	catalog->standard = event_catalog_default_create(catalog);
	if (catalog->standard == NULL) {
		talloc_free(catalog);
		return NULL;
	}
	err = add_own(catalog);
	if (err != EVERR_OK) {
		talloc_free(catalog);
		return NULL;
	}
	return catalog;
}

/* The old ones and the manifest's, sorted; NULL: no memory. */
static const struct event_publisher **merge(
	TALLOC_CTX *mem_ctx, const struct event_publisher *const *old,
	size_t num_old, const struct event_manifest *manifest,
	int (*cmp)(const void *, const void *))
{
	const struct event_publisher **merged = NULL;
	size_t i;

	merged = talloc_array(mem_ctx, const struct event_publisher *,
			      num_old + manifest->num_publishers);
	if (merged == NULL) {
		return NULL;
	}
	for (i = 0; i < num_old; i++) {
		merged[i] = old[i];
	}
	for (i = 0; i < manifest->num_publishers; i++) {
		merged[num_old + i] = &manifest->publishers[i];
	}
	qsort(merged, num_old + manifest->num_publishers, sizeof(*merged), cmp);
	return merged;
}

static bool is_of(const struct event_publisher *publisher,
		  const struct event_manifest *manifest)
{
	return publisher >= manifest->publishers &&
	       publisher < manifest->publishers + manifest->num_publishers;
}

/* The name of one that is there twice, the older of the two; or NULL. */
static const char *find_twice(const struct event_publisher *const *sorted,
			      size_t num, const struct event_manifest *manifest,
			      int (*cmp)(const void *, const void *))
{
	size_t i;

	for (i = 1; i < num; i++) {
		if (cmp(&sorted[i - 1], &sorted[i]) == 0) {
			return is_of(sorted[i], manifest) ? sorted[i - 1]->name
							  : sorted[i]->name;
		}
	}
	return NULL;
}

static everr_t keep_manifest(struct event_catalog *catalog,
			     const struct event_manifest *manifest)
{
	const struct event_manifest **grown = NULL;

	grown = talloc_realloc(catalog, catalog->manifests,
			       const struct event_manifest *,
			       catalog->num_manifests + 1);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	catalog->manifests = grown;
	grown[catalog->num_manifests++] = manifest;
	return EVERR_OK;
}

everr_t event_catalog_add(struct event_catalog *catalog,
			  struct event_manifest *manifest,
			  const char **ret_name)
{
	const struct event_publisher **by_name = NULL, **by_guid = NULL;
	size_t num = catalog->num + manifest->num_publishers;
	const char *twice = NULL;
	everr_t err;

	if (num > EVENT_CATALOG_PUBLISHERS_MAX) {
		return EVERR_LIMIT;
	}
	by_name = merge(catalog, catalog->by_name, catalog->num, manifest,
			name_cmp);
	by_guid = merge(catalog, catalog->by_guid, catalog->num, manifest,
			guid_cmp);
	if (by_name == NULL || by_guid == NULL) {
		talloc_free(by_name);
		talloc_free(by_guid);
		return EVERR_NOMEM;
	}
	twice = find_twice(by_name, num, manifest, name_cmp);
	if (twice == NULL) {
		twice = find_twice(by_guid, num, manifest, guid_cmp);
	}
	if (twice != NULL) {
		talloc_free(by_name);
		talloc_free(by_guid);
		*ret_name = twice;
		return EVERR_EXISTS;
	}
	err = keep_manifest(catalog, manifest);
	if (err != EVERR_OK) {
		talloc_free(by_name);
		talloc_free(by_guid);
		return err;
	}
	talloc_free(catalog->by_name);
	talloc_free(catalog->by_guid);
	catalog->by_name = by_name;
	catalog->by_guid = by_guid;
	catalog->num = num;
	talloc_steal(catalog, manifest);
	return EVERR_OK;
}

size_t event_catalog_count(const struct event_catalog *catalog)
{
	return catalog->num;
}

const struct event_publisher *event_catalog_at(
	const struct event_catalog *catalog, size_t index)
{
	return catalog->by_name[index];
}

const struct event_publisher *event_catalog_find(
	const struct event_catalog *catalog, const char *name)
{
	struct event_publisher key = {.name = name};
	const struct event_publisher *found = NULL;
	everr_t err;

	found = search(catalog->by_name, catalog->num, &key, name_cmp);
	if (found != NULL || name[0] != '{') {
		return found;
	}
	err = ev_guid_parse(name, &key.guid);
	if (err != EVERR_OK) {
		return NULL;
	}
	return search(catalog->by_guid, catalog->num, &key, guid_cmp);
}

const char *event_catalog_file(const struct event_catalog *catalog,
			       const struct event_publisher *publisher)
{
	size_t i;

	for (i = 0; i < catalog->num_manifests; i++) {
		if (is_of(publisher, catalog->manifests[i])) {
			return catalog->manifests[i]->file;
		}
	}
	return "";
}

const struct event_publisher *event_catalog_default(
	const struct event_catalog *catalog)
{
	return catalog->standard;
}

/* ---------------------------------------------------- names for a person */

static const struct event_manifest_name *by_value(
	const struct event_manifest_name *names, size_t num, uint64_t value)
{
	size_t i;

	for (i = 0; i < num; i++) {
		if (names[i].value == value) {
			return &names[i];
		}
	}
	return NULL;
}

/* Its text; without one a standard name's, and last what it is called. */
static const char *name_text(const struct event_catalog *catalog,
			     const struct event_publisher *publisher,
			     const struct event_manifest_name *own,
			     const struct event_manifest_name *standard,
			     uint32_t lcid)
{
	const char *text = NULL;

	if (own != NULL) {
		text = event_publisher_message(publisher, own->message_id, lcid,
					       false);
	}
	if (text == NULL && standard != NULL) {
		text = event_publisher_message(
			catalog->standard, standard->message_id, lcid, false);
	}
	if (text == NULL && own != NULL) {
		text = own->name;
		if (strncmp(text, STANDARD_PREFIX, strlen(STANDARD_PREFIX)) ==
		    0) {
			text += strlen(STANDARD_PREFIX);
		}
	}
	return text;
}

const char *event_catalog_level(const struct event_catalog *catalog,
				const struct event_publisher *publisher,
				uint8_t level, uint32_t lcid)
{
	const struct event_publisher *standard = catalog->standard;
	const struct event_manifest_name *own = NULL;

	if (publisher != NULL) {
		own = by_value(publisher->levels, publisher->num_levels, level);
	}
	return name_text(
		catalog, publisher, own,
		by_value(standard->levels, standard->num_levels, level), lcid);
}

const char *event_catalog_task(const struct event_catalog *catalog,
			       const struct event_publisher *publisher,
			       uint32_t task, uint32_t lcid)
{
	const struct event_publisher *standard = catalog->standard;
	const struct event_manifest_name *own = NULL;

	if (publisher != NULL) {
		own = by_value(publisher->tasks, publisher->num_tasks, task);
	}
	return name_text(catalog, publisher, own,
			 by_value(standard->tasks, standard->num_tasks, task),
			 lcid);
}

/* The task's own opcode before one for all tasks. */
static const struct event_manifest_name *find_opcode(
	const struct event_publisher *publisher, uint32_t task, uint8_t opcode)
{
	const struct event_manifest_name *found = NULL;
	size_t i;

	for (i = 0; i < publisher->num_opcodes; i++) {
		const struct event_manifest_name *name = &publisher->opcodes[i];

		if (name->value != opcode) {
			continue;
		}
		if (name->task == task && task != 0) {
			return name;
		}
		if (name->task == 0 && found == NULL) {
			found = name;
		}
	}
	return found;
}

const char *event_catalog_opcode(const struct event_catalog *catalog,
				 const struct event_publisher *publisher,
				 uint32_t task, uint8_t opcode, uint32_t lcid)
{
	const struct event_manifest_name *own = NULL;

	if (publisher != NULL) {
		own = find_opcode(publisher, task, opcode);
	}
	return name_text(catalog, publisher, own,
			 find_opcode(catalog->standard, 0, opcode), lcid);
}

const char *event_catalog_keyword(const struct event_catalog *catalog,
				  const struct event_publisher *publisher,
				  uint64_t bit, uint32_t lcid)
{
	const struct event_publisher *standard = catalog->standard;
	const struct event_manifest_name *own = NULL;

	if (publisher != NULL) {
		own = by_value(publisher->keywords, publisher->num_keywords,
			       bit);
	}
	return name_text(
		catalog, publisher, own,
		by_value(standard->keywords, standard->num_keywords, bit),
		lcid);
}
