/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_EXPORT_FILE_H
#define EVENLOG_RPC_EXPORT_FILE_H

/*
 * An .evtx file that is being written under the export directory.
 *
 * All that touches the disk is done by a thread of the file's own, so that a
 * slow disk holds up no client: the loop hands over chunks, which wait in a
 * short queue, and is called when there is room for the next one.
 *
 * The thread walks to the target without following a symbolic link, makes the
 * directories that are missing (0750), and writes to a temporary name beside
 * the target.  At the end the file is synced, takes its name if nobody else
 * has it (0640), and its directory is synced.  Until then nothing is there
 * under the name, and an end without success leaves nothing behind but a
 * directory that it made and another export is using; what a crash or the
 * service's end leaves is removed by rpc_export_clean().
 */

#include "event/evtx.h"
#include "rpc/export_path.h"

#include <stdbool.h>
#include <stdint.h>
#include <tevent.h>

/* Threads that write files, those included that nobody waits for. */
#define RPC_EXPORT_THREADS_MAX 16

struct rpc_export_place {
	const char *directory; /* the export directory; must exist */
	uint64_t max_bytes;    /* of one file */
	uint64_t reserve;      /* bytes of the file system not to be used */
};

enum rpc_export_state {
	RPC_EXPORT_WAIT, /* the caller is called when that changes */
	RPC_EXPORT_ROOM, /* for one chunk at least */
	RPC_EXPORT_DONE, /* the file is there, on disk */
	RPC_EXPORT_FAILED
};

struct rpc_export_file;

/* Called in the loop, after the state may have changed. */
typedef void (*rpc_export_file_fn)(void *private_data);

/*
 * Begin.  Freeing the file takes it back, in the thread, unless it is done and
 * to be kept.
 *
 * EVERR_LIMIT  RPC_EXPORT_THREADS_MAX: exports that were given up still hang
 *              in the disk
 * EVERR_IO     no descriptor or thread
 * EVERR_NOMEM
 */
everr_t rpc_export_file_create(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	const struct rpc_export_place *place,
	const struct rpc_export_path *path, rpc_export_file_fn fn,
	void *private_data, struct rpc_export_file **ret_file) EVERR_MUST_CHECK;

/*
 * Why it failed:
 * EVERR_EXISTS      there is something of that name
 * EVERR_NOT_FOUND   a component is no directory (or a symbolic link), or the
 *                   export directory is missing
 * EVERR_ACCESS      the system does not let us
 * EVERR_STORE_FULL  no room on the disk but the reserve
 * EVERR_LIMIT       it would be larger than max_bytes
 * EVERR_INVALID     a name that the file system does not take
 * EVERR_IO, EVERR_NOMEM
 */
enum rpc_export_state rpc_export_file_state(struct rpc_export_file *file,
					    everr_t *ret_err);

/* Hand over the next chunk (copied); only in RPC_EXPORT_ROOM.  EVERR_NOMEM */
everr_t rpc_export_file_put(struct rpc_export_file *file,
			    const uint8_t chunk[EVENT_EVTX_CHUNK_SIZE])
	EVERR_MUST_CHECK;

/* That was all; the header comes last. */
void rpc_export_file_finish(struct rpc_export_file *file,
			    const uint8_t header[EVENT_EVTX_HEADER_SIZE]);

/* What becomes of a file that is done when it is freed; first: taken back. */
void rpc_export_file_keep(struct rpc_export_file *file, bool keep);

/*
 * Make the export directory (0750) unless it is there, and remove from it what
 * exports that a crash cut off have left.  EVERR_IO and the like as above.
 */
everr_t rpc_export_clean(const char *directory) EVERR_MUST_CHECK;

#endif
