/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_EXPORT_DISK_H
#define EVENLOG_RPC_EXPORT_DISK_H

/*
 * What the thread of an export does on disk; rpc/export_file.h says how it is
 * to be.  No talloc, no Samba, no logging: all of it blocks.
 */

#include "rpc/export_file.h"

#include <stdbool.h>

struct export_disk {
	char *root;
	char *names[RPC_EXPORT_DEPTH_MAX];
	size_t num_names;
	uint64_t max_bytes;
	uint64_t reserve;

	/* dirs[i] holds names[i]; -1 beyond what is open. */
	int dirs[RPC_EXPORT_DEPTH_MAX];
	bool made[RPC_EXPORT_DEPTH_MAX]; /* names[i] is a directory we made */
	int fd;				 /* the file; -1: none */
	char temporary[64];		 /* its name; empty: none any more */
	bool named;			 /* it has its own name */
	uint64_t bytes;
	uint64_t checked; /* bytes when the disk's room was looked at last */
};

/* Copies what it needs.  EVERR_NOMEM */
everr_t export_disk_init(struct export_disk *disk,
			 const struct rpc_export_place *place,
			 const struct rpc_export_path *path) EVERR_MUST_CHECK;
/* Close and free; leaves the disk as it is. */
void export_disk_destroy(struct export_disk *disk);

/* The temporary file, with room for a header. */
everr_t export_disk_open(struct export_disk *disk,
			 size_t header_len) EVERR_MUST_CHECK;
everr_t export_disk_append(struct export_disk *disk, const uint8_t *data,
			   size_t len) EVERR_MUST_CHECK;
/* Header, sync, name, sync. */
everr_t export_disk_commit(struct export_disk *disk, const uint8_t *header,
			   size_t len) EVERR_MUST_CHECK;
/* Take back whatever was done, a commit included. */
void export_disk_undo(struct export_disk *disk);

#endif
