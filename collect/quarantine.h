/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_QUARANTINE_H
#define EVENLOG_COLLECT_QUARANTINE_H

/*
 * The client's side of control.idl's calls about the quarantine.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Bytes of one collect_quarantine_read_send(). */
#define COLLECT_QUARANTINE_PART (512 * 1024)

enum collect_quarantine_call {
	COLLECT_QUARANTINE_LIST,
	COLLECT_QUARANTINE_READ,
	COLLECT_QUARANTINE_RETRY,
	COLLECT_QUARANTINE_REMOVE
};

struct collect_quarantine_result {
	/*
	 * List: a JSON array of entries after name, empty at the end.
	 * Read: the entry as an object.
	 */
	const char *json;
	/* Read: up to COLLECT_QUARANTINE_PART bytes from offset on. */
	const uint8_t *data;
	size_t len;
	uint64_t total;
};

/* offset is for Read only; name "" for List begins it. */
struct tevent_req *collect_quarantine_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection,
	enum collect_quarantine_call call, const char *name, uint64_t offset);

/* What *ret_result points to is a child of mem_ctx. */
everr_t collect_quarantine_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct collect_quarantine_result *ret_result,
				struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

#endif
