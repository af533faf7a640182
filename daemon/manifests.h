/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_MANIFESTS_H
#define EVENLOG_DAEMON_MANIFESTS_H

/*
 * The directory of instrumentation manifests: every file NAME.man in it, in
 * the order of their names.  The service reads it, the command line puts files
 * there and takes them out.
 */

#include "base/everr.h"
#include "event/catalog.h"

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* Files of a directory, and bytes of a file's name. */
#define DAEMON_MANIFESTS_MAX 4096
#define DAEMON_MANIFEST_NAME_MAX 200
#define DAEMON_MANIFEST_SUFFIX ".man"

/* What is wrong with files that were passed over: "DIR/X.man:12: ...". */
struct daemon_manifest_problems {
	char **messages; /* talloc children of the structure */
	size_t num_messages;
};

/* "NAME.man" with a name that a file may have there. */
bool daemon_manifest_name_valid(const char *name);

/*
 * The bytes of a file, as many as a manifest may have and one.
 * EVERR_IO  *ret_message (talloc child of mem_ctx) says why; EVERR_NOMEM
 */
everr_t daemon_manifest_read(TALLOC_CTX *mem_ctx, const char *path,
			     uint8_t **ret_data, size_t *ret_len,
			     char **ret_message) EVERR_MUST_CHECK;

/*
 * Parse it, and check what only the service knows: names of channels and
 * access strings.  manifest->file is path.
 *
 * EVERR_MANIFEST, EVERR_LIMIT  *ret_message says what is wrong and where
 * EVERR_NOMEM
 */
everr_t daemon_manifest_parse(TALLOC_CTX *mem_ctx, const char *path,
			      const uint8_t *data, size_t len,
			      struct event_manifest **ret_manifest,
			      char **ret_message) EVERR_MUST_CHECK;

/*
 * Add a manifest to a catalog, whose child it becomes.
 *
 * EVERR_EXISTS, EVERR_LIMIT  *ret_message says what is in the way
 * EVERR_NOMEM
 */
everr_t daemon_manifest_add(TALLOC_CTX *mem_ctx, struct event_catalog *catalog,
			    struct event_manifest *manifest,
			    char **ret_message) EVERR_MUST_CHECK;

/*
 * A catalog of all files but those called except (a list that NULL ends, or
 * NULL).  A file that is wrong, or that describes a publisher which another one has, is passed
 * over and reported.  A directory that is not there has no files.
 *
 * EVERR_NOMEM
 */
everr_t daemon_manifests_load(
	TALLOC_CTX *mem_ctx, const char *dir, const char *const *except,
	struct event_catalog **ret_catalog,
	struct daemon_manifest_problems **ret_problems) EVERR_MUST_CHECK;

#endif
