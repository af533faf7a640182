/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_CONTROL_H
#define EVENLOG_COLLECT_CONTROL_H

/*
 * The client's side of control.idl, Evenlog's own local interface: publish,
 * import, status, reload, collect forget.  The quarantine's calls are in
 * collect/quarantine.h.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* One call's bounds, as control.idl has them; see collect_publish_send(). */
#define COLLECT_PUBLISH_EVENTS 1024
#define COLLECT_PUBLISH_BYTES (3 * 1024 * 1024)
/* Of ret_bad: no single event was at fault. */
#define COLLECT_PUBLISH_NO_INDEX SIZE_MAX

/* One event in RPC-form BinXML. */
struct collect_document {
	uint8_t *data;
	size_t len;
};

/*
 * Append events to a channel, all of them or none; done when they are on
 * disk.  docs must stay until then.  At most COLLECT_PUBLISH_EVENTS events
 * with COLLECT_PUBLISH_BYTES together.
 */
struct tevent_req *collect_publish_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct collect_connection *connection,
					const char *channel,
					const struct collect_document *docs,
					size_t num_docs);

/*
 * The same for events that were born elsewhere: they keep their EventRecordID.
 * The answer is taken by collect_publish_recv().
 */
struct tevent_req *collect_import_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection,
				       const char *channel,
				       const struct collect_document *docs,
				       size_t num_docs);

/* *ret_bad is set on failure: the document at fault. */
everr_t collect_publish_recv(
	struct tevent_req *req, uint64_t *ret_first_id, size_t *ret_bad,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* The service's state, one JSON object. */
struct tevent_req *collect_status_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection);
everr_t collect_status_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx, const char **ret_json,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* Configuration and manifests are read again, as SIGHUP does it. */
struct tevent_req *collect_reload_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collect_connection *connection);
everr_t collect_reload_recv(struct tevent_req *req,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* How far a host's channel was collected (NULL: all of them) is forgotten. */
struct tevent_req *collect_forget_position_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *host,
	const char *channel);
/* *ret_message, a child of mem_ctx, says what was forgotten. */
everr_t collect_forget_position_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx, const char **ret_message,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
