/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/catalog.h"

#include "base/text.h"
#include "event/catalog_default.h"
#include "event/evenlog_man.h"

#include <string.h>

/* A standard name without this is for persons, too. */
#define STANDARD_PREFIX "win:"

/* In the order of cmp; no two are the same to it. */
struct sorted {
	int (*cmp)(const struct event_publisher *a,
		   const struct event_publisher *b);
	const struct event_publisher **publishers;
	size_t num;
};

struct event_catalog {
	struct event_publisher *standard;
	/* The same publishers by name without case, and by GUID. */
	struct sorted by_name;
	struct sorted by_guid;
	const struct event_manifest **manifests;
	size_t num_manifests;
};

static int name_cmp(const struct event_publisher *a,
		    const struct event_publisher *b)
{
	return text_name_cmp(a->name, b->name);
}

static int guid_cmp(const struct event_publisher *a,
		    const struct event_publisher *b)
{
	return memcmp(&a->guid, &b->guid, sizeof(a->guid));
}

/* Where key is, or would have to be. */
static size_t position(const struct sorted *sorted,
		       const struct event_publisher *key)
{
	size_t low = 0;
	size_t high = sorted->num;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted->cmp(sorted->publishers[middle], key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static const struct event_publisher *search(const struct sorted *sorted,
					    const struct event_publisher *key)
{
	size_t at = position(sorted, key);

	if (at == sorted->num ||
	    sorted->cmp(sorted->publishers[at], key) != 0) {
		return NULL;
	}
	return sorted->publishers[at];
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
	catalog->by_name.cmp = name_cmp;
	catalog->by_guid.cmp = guid_cmp;
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

static bool is_of(const struct event_publisher *publisher,
		  const struct event_manifest *manifest)
{
	return publisher >= manifest->publishers &&
	       publisher < manifest->publishers + manifest->num_publishers;
}

/* Room for more publishers. */
static everr_t grow(struct event_catalog *catalog, struct sorted *sorted,
		    size_t more)
{
	const struct event_publisher **grown = NULL;

	grown = talloc_realloc(catalog, sorted->publishers,
			       const struct event_publisher *,
			       sorted->num + more);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	sorted->publishers = grown;
	return EVERR_OK;
}

/*
 * There is room.  Thousands of files come here one after the other: to sort
 * anew for each would take a minute.
 * EVERR_EXISTS  *ret_name is the one that was there before
 */
static everr_t insert(struct sorted *sorted,
		      const struct event_publisher *publisher,
		      const char **ret_name)
{
	size_t at = position(sorted, publisher);
	const struct event_publisher **place = &sorted->publishers[at];

	if (at < sorted->num && sorted->cmp(*place, publisher) == 0) {
		*ret_name = (*place)->name;
		return EVERR_EXISTS;
	}
	memmove(place + 1, place, (sorted->num - at) * sizeof(*place));
	*place = publisher;
	sorted->num++;
	return EVERR_OK;
}

/* Take out again what insert() took of a manifest. */
static void drop(struct sorted *sorted, const struct event_manifest *manifest)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < sorted->num; i++) {
		if (!is_of(sorted->publishers[i], manifest)) {
			sorted->publishers[kept++] = sorted->publishers[i];
		}
	}
	sorted->num = kept;
}

static everr_t insert_all(struct event_catalog *catalog,
			  const struct event_manifest *manifest,
			  const char **ret_name)
{
	everr_t err;
	size_t i;

	err = grow(catalog, &catalog->by_name, manifest->num_publishers);
	if (err == EVERR_OK) {
		err = grow(catalog, &catalog->by_guid,
			   manifest->num_publishers);
	}
	for (i = 0; i < manifest->num_publishers && err == EVERR_OK; i++) {
		const struct event_publisher *publisher =
			&manifest->publishers[i];

		err = insert(&catalog->by_name, publisher, ret_name);
		if (err == EVERR_OK) {
			err = insert(&catalog->by_guid, publisher, ret_name);
		}
	}
	return err;
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
	everr_t err;

	if (event_catalog_count(catalog) + manifest->num_publishers >
	    EVENT_CATALOG_PUBLISHERS_MAX) {
		return EVERR_LIMIT;
	}
	err = insert_all(catalog, manifest, ret_name);
	if (err == EVERR_OK) {
		err = keep_manifest(catalog, manifest);
	}
	if (err != EVERR_OK) {
		drop(&catalog->by_name, manifest);
		drop(&catalog->by_guid, manifest);
		return err;
	}
	talloc_steal(catalog, manifest);
	return EVERR_OK;
}

size_t event_catalog_count(const struct event_catalog *catalog)
{
	return catalog->by_name.num;
}

const struct event_publisher *event_catalog_at(
	const struct event_catalog *catalog, size_t index)
{
	return catalog->by_name.publishers[index];
}

const struct event_publisher *event_catalog_find(
	const struct event_catalog *catalog, const char *name)
{
	struct event_publisher key = {.name = name};
	const struct event_publisher *found = NULL;
	everr_t err;

	found = search(&catalog->by_name, &key);
	if (found != NULL || name[0] != '{') {
		return found;
	}
	err = ev_guid_parse(name, &key.guid);
	if (err != EVERR_OK) {
		return NULL;
	}
	return search(&catalog->by_guid, &key);
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
