/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_CATALOGUE_H
#define EVENLOG_SOAP_WSUS_CATALOGUE_H

/*
 * What the WSUS server offers: updates with their metadata, target groups,
 * deployments.  A directory that `evenlog wsus import` writes
 * (soap/wsus_import.h); the index is held in memory, metadata is read when it
 * is asked for.  doc/wsus.md describes the files.
 *
 * A catalogue does not change; a newer one is loaded beside it.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"
#include "soap/wsus_anchor.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* More is refused, when it is imported and when it is loaded. */
#define WSUS_INDEX_MAX (256 * 1024 * 1024)
#define WSUS_UPDATES_MAX 200000
#define WSUS_BLOB_MAX (4 * 1024 * 1024)
#define WSUS_CATEGORIES_MAX 256 /* that one update names */
#define WSUS_FILES_MAX 4096	/* of one update */
#define WSUS_GROUPS_MAX 4096
#define WSUS_DEPLOYMENTS_MAX 65536
#define WSUS_DEAD_MAX 65536   /* deleted deployments; the oldest go */
#define WSUS_GUIDS_MAX 200000 /* of a list */
#define WSUS_LANGUAGES_MAX 511
#define WSUS_NAME_MAX 256
#define WSUS_DIGEST_LEN 20 /* SHA-1 */
/* A buffer to decode its text in: soap_get_base64() counts white space. */
#define WSUS_DIGEST_ROOM 64
#define WSUS_HASH_LEN 32 /* SHA-256 */

#define WSUS_INDEX_FILE "catalogue.index"
#define WSUS_DATA_NAME "updates-%" PRIu64 ".dat" /* data_number */

enum wsus_kind {
	WSUS_UPDATE, /* software and drivers */
	WSUS_CATEGORY,
	WSUS_CLASSIFICATION,
	WSUS_DETECTOID,
	WSUS_KINDS
};
extern const char *const wsus_kind_names[WSUS_KINDS];

struct wsus_file {
	uint8_t digest[WSUS_DIGEST_LEN];
	const char *url; /* NULL: not known */
};

/* One revision. */
struct wsus_update {
	struct ev_guid id;
	int32_t revision;
	enum wsus_kind kind;
	const char *title;
	struct wsus_anchor changed;
	bool compress;		    /* always sent as a CAB */
	uint32_t languages;	    /* in which it has texts */
	struct ev_guid *categories; /* and classifications it names */
	size_t num_categories;
	struct wsus_file *files;
	size_t num_files;

	/* Its metadata: UTF-8, without BOM and XML declaration. */
	uint64_t offset; /* in the file of data */
	uint32_t len;
	uint32_t units; /* of UTF-16 */
	uint8_t hash[WSUS_HASH_LEN];

	/*
	 * Numbers of the categories that it is in: those it names and those
	 * that these are in; wsus_catalogue_category().
	 */
	uint32_t *member_of;
	size_t num_member_of;
	bool newest; /* no other revision is higher */
};

struct wsus_language {
	int32_t id;
	const char *short_name;
	const char *long_name;
	bool enabled;
	struct wsus_anchor changed;
};

struct wsus_group {
	struct ev_guid id;
	struct ev_guid parent;
	const char *name;
	bool builtin;
};

enum wsus_action {
	WSUS_INSTALL,
	WSUS_UNINSTALL,
	WSUS_SCAN,
	WSUS_BLOCK,
	WSUS_ACTIONS
};
extern const char *const wsus_action_names[WSUS_ACTIONS];

struct wsus_deployment {
	struct ev_guid id;
	struct ev_guid update;
	int32_t revision;
	enum wsus_action action;
	const char *admin;
	uint64_t deadline; /* 0: none */
	bool assigned;
	uint64_t go_live;
	struct ev_guid group;
	uint8_t priority; /* 1 low to 3 high */
	struct wsus_anchor changed;
};

struct wsus_dead {
	struct ev_guid id;
	struct wsus_anchor changed;
};

struct wsus_catalogue {
	struct wsus_anchor changed; /* the last change */
	bool catalog_only; /* CatalogOnlySync: content comes from elsewhere */
	bool lazy;	   /* LazySync */
	struct wsus_update *updates; /* by id, then revision */
	size_t num_updates;
	struct wsus_language *languages; /* "all" first */
	size_t num_languages;
	struct wsus_group *groups; /* built-in ones first */
	size_t num_groups;
	struct wsus_deployment *deployments;
	size_t num_deployments;
	struct wsus_dead *dead; /* oldest first */
	size_t num_dead;
	struct ev_guid *declined;
	size_t num_declined;
	struct ev_guid *eulas; /* accepted */
	size_t num_eulas;

	uint64_t data_number;	    /* of the metadata's file */
	int data_fd;		    /* -1: none */
	struct ev_guid *categories; /* that any update is in, sorted */
	size_t num_categories;
	const struct wsus_file **digests; /* of all files, sorted */
	size_t num_digests;
};

/* One without updates, with the languages and groups of Windows. */
everr_t wsus_catalogue_empty(TALLOC_CTX *mem_ctx,
			     struct wsus_catalogue **ret_catalogue)
	EVERR_MUST_CHECK;

/*
 * Load a directory; one that is not there, or has nothing in it, is empty.
 *
 * EVERR_IO, EVERR_CONFIG (what is there is not what import writes),
 * EVERR_NOMEM.  *ret_message (child of mem_ctx) says what and where.
 */
everr_t wsus_catalogue_load(TALLOC_CTX *mem_ctx, const char *dir,
			    struct wsus_catalogue **ret_catalogue,
			    char **ret_message) EVERR_MUST_CHECK;

/*
 * Sort and cross-reference what was filled in: newest, member_of, categories,
 * digests.  EVERR_NOMEM
 */
everr_t wsus_catalogue_index(struct wsus_catalogue *catalogue) EVERR_MUST_CHECK;

/* The order of updates: by id, then revision.  For qsort(). */
int wsus_update_cmp(const void *a, const void *b);

/* NULL: there is none. */
const struct wsus_update *wsus_catalogue_find(
	const struct wsus_catalogue *catalogue, const struct ev_guid *id,
	int32_t revision);

/* The highest revision; the others stand before it.  NULL: there is none. */
const struct wsus_update *wsus_catalogue_newest(
	const struct wsus_catalogue *catalogue, const struct ev_guid *id);

/* A title for events, of the newest revision; NULL: not known. */
const char *wsus_catalogue_title(const struct wsus_catalogue *catalogue,
				 const struct ev_guid *id);

/* The number of a category, or EVERR_NOT_FOUND: no update is in it. */
everr_t wsus_catalogue_category(const struct wsus_catalogue *catalogue,
				const struct ev_guid *id,
				uint32_t *ret_number) EVERR_MUST_CHECK;

bool wsus_catalogue_has_file(const struct wsus_catalogue *catalogue,
			     const uint8_t digest[WSUS_DIGEST_LEN]);

/*
 * Append the metadata.  EVERR_STORE_CORRUPT: it is not what was imported.
 * EVERR_IO, and the buffer's errors.
 */
everr_t wsus_catalogue_read(const struct wsus_catalogue *catalogue,
			    const struct wsus_update *update,
			    struct buf *out) EVERR_MUST_CHECK;

/*
 * Append the index of one that wsus_catalogue_index() went over.
 *
 * EVERR_NOMEM, EVERR_LIMIT
 */
everr_t wsus_catalogue_format(const struct wsus_catalogue *catalogue,
			      struct buf *out) EVERR_MUST_CHECK;

/* All of len bytes; false: they are not there, errno unless at the end. */
bool wsus_read_at(int fd, uint8_t *data, size_t len, uint64_t offset);

#endif
