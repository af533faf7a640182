/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_MANIFESTS_H
#define EVENLOG_DAEMON_MANIFESTS_H

/*
 * The directory of instrumentation manifests: every file NAME.man in it, in
 * the order of their names.  The service reads it, the command line puts files
 * there and takes them out.  The publishers of the bridges are built in, so
 * that their channels are there and their events understood everywhere.
 */

#include "base/everr.h"
#include "event/catalog.h"

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* Files of a directory that are looked at, and bytes of a file's name. */
#define DAEMON_MANIFESTS_MAX 4096
/*
 * Bytes of all files: a service reads them in one turn of its loop, 24 ms for
 * each MiB.
 */
#define DAEMON_MANIFESTS_BYTES_MAX (64 * 1024 * 1024)
#define DAEMON_MANIFEST_NAME_MAX 200
#define DAEMON_MANIFEST_SUFFIX ".man"

/* A directory as it was read. */
struct daemon_manifests {
	struct event_catalog *catalog; /* talloc children, all of them */
	size_t num_bytes;	       /* of the files that were read */
	/* Why files were passed over: "DIR/X.man:12: ...". */
	char **problems;
	size_t num_problems;
};

/* "NAME.man" with a name that a file may have there. */
bool daemon_manifest_name_valid(const char *name);

/*
 * The bytes of a file that is in the directory or shall go there.
 *
 * EVERR_LIMIT  it is too large, or all of them are; *ret_message (talloc child
 *              of mem_ctx) says so
 * EVERR_IO     *ret_message says why
 * EVERR_NOMEM
 */
everr_t daemon_manifest_read(TALLOC_CTX *mem_ctx,
			     struct daemon_manifests *manifests,
			     const char *path, uint8_t **ret_data,
			     size_t *ret_len,
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
 * What is built in, and then all files but those called except (a list that
 * NULL ends, or NULL), in the order of their names.  A file that is wrong, for
 * which there is no room, or that describes a publisher which another one has
 * or which is built in, is passed over and reported.  A directory that is not
 * there has no files.
 *
 * EVERR_NOMEM
 */
everr_t daemon_manifests_load(
	TALLOC_CTX *mem_ctx, const char *dir, const char *const *except,
	struct daemon_manifests **ret_manifests) EVERR_MUST_CHECK;

#endif
