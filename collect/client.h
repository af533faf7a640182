/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_CLIENT_H
#define EVENLOG_COLLECT_CLIENT_H

/*
 * The client's side of [MS-EVEN6]: subscriptions, queries and log properties
 * of a service that collect_connect_send() has reached.
 *
 * Every recv returns EVERR_OK or what failed, then in full in *ret_failure:
 * EVERR_ACCESS, EVERR_CHANNEL_NOT_FOUND, EVERR_QUERY_SYNTAX and so on for what
 * the service said, EVERR_CONNECT when the connection is gone, EVERR_PROTOCOL
 * for an answer that cannot be.  Calls that are not meant to park end with
 * EVERR_TIMEOUT after COLLECT_CALL_TIMEOUT seconds.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"
#include "event/bookmark.h"
#include "event/result.h"

#include <util/data_blob.h>
#include <gen_ndr/misc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#define COLLECT_CALL_TIMEOUT 60
/* Records asked for at a time; the protocol's limit is 1024. */
#define COLLECT_BATCH_RECORDS 512
/* A timeout that is none, [MS-EVEN6] 3.1.4.10. */
#define COLLECT_NO_TIMEOUT 0xFFFFFFFFU

enum collect_kind {
	COLLECT_QUERY,
	COLLECT_PUSH,
	COLLECT_PULL
};

enum collect_from {
	COLLECT_FROM_NOW,
	COLLECT_FROM_OLDEST,
	COLLECT_FROM_BOOKMARK
};

/* What to ask for; strings are UTF-8 and copied. */
struct collect_request {
	enum collect_kind kind;
	const char *channel; /* NULL: the query names its channels */
	const char *query;   /* XPath or QueryList; NULL: "*" */
	bool tolerate;	     /* go on without channels that are missing */

	bool reverse; /* a query, newest first */

	enum collect_from from; /* a subscription */
	const struct event_bookmark_list *bookmark;
	bool strict; /* refuse a bookmark that is gone */
};

/* Whether a query is a QueryList, which names its channels itself. */
bool collect_query_is_structured(const char *query);

struct collect_channel {
	const char *name;
	uint32_t status; /* Win32: why it is left out, or 0 */
};

/* A registered query or subscription. */
struct collect_cursor {
	struct collect_connection *connection;
	enum collect_kind kind;
	struct policy_handle handle;
	struct policy_handle control;
	/* In the order of the indices in bookmarks (facts 5). */
	struct collect_channel *channels;
	size_t num_channels;
};

/* Opnums 0 and 5. The connection outlives the cursor. */
struct tevent_req *collect_open_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_connection *connection,
				     const struct collect_request *request);
everr_t collect_open_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			  struct collect_cursor **ret_cursor,
			  struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* Events as they came; one talloc block holds all of it. */
struct collect_batch {
	uint32_t num;
	const uint32_t *offsets;
	const uint32_t *sizes;
	const uint8_t *data;
	uint32_t len;
};

/*
 * The next records: opnum 11 for a query, 1 for a push subscription (parks
 * until there is an event, timeout_ms is not used), 2 for a pull one.  A pull
 * subscription with nothing new gives an empty batch, a query at its end
 * EVERR_END.
 */
struct tevent_req *collect_next_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_cursor *cursor,
				     uint32_t max_records, uint32_t timeout_ms);
everr_t collect_next_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			  struct collect_batch **ret_batch,
			  struct collect_failure *ret_failure) EVERR_MUST_CHECK;

struct collect_event {
	struct event_result result;
	uint32_t channel; /* index into the cursor's channels */
	uint64_t record_id;
};

/* One event of a batch.  EVERR_RESULT: malformed. */
everr_t collect_batch_event(const struct collect_cursor *cursor,
			    const struct collect_batch *batch, uint32_t index,
			    struct collect_event *ret_event) EVERR_MUST_CHECK;

/*
 * Opnum 12: go to the bookmark's record, which is the next one then.  strict:
 * EVERR_NOT_FOUND, or another error, when it is not there; else the nearest.
 */
struct tevent_req *collect_seek_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_cursor *cursor,
				     const struct event_bookmark_list *bookmark,
				     bool strict);
everr_t collect_seek_recv(struct tevent_req *req,
			  struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* Opnum 3: wait (without a limit) until a pull subscription has events. */
struct tevent_req *collect_wait_send(TALLOC_CTX *mem_ctx,
				     struct tevent_context *ev,
				     struct collect_cursor *cursor);
everr_t collect_wait_recv(struct tevent_req *req,
			  struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/*
 * Opnums 14, 13, 13: end the calls that are parked, then close both handles.
 * A service that does not answer within a few seconds is left alone.
 */
struct tevent_req *collect_close_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct collect_cursor *cursor);
everr_t collect_close_recv(struct tevent_req *req,
			   struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* Opnum 19: the names of all channels, as the service orders them. */
struct tevent_req *collect_channels_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct collect_connection *connection);
everr_t collect_channels_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx, const char ***ret_names,
	size_t *ret_num, struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* Properties of a log, opnum 18. */
enum {
	COLLECT_LOG_CREATION_TIME = 0,
	COLLECT_LOG_LAST_ACCESS_TIME = 1,
	COLLECT_LOG_LAST_WRITE_TIME = 2,
	COLLECT_LOG_FILE_SIZE = 3,
	COLLECT_LOG_ATTRIBUTES = 4,
	COLLECT_LOG_NUM_RECORDS = 5,
	COLLECT_LOG_OLDEST_RECORD = 6,
	COLLECT_LOG_FULL = 7,
	COLLECT_LOG_NUM_PROPERTIES
};

struct collect_log_info {
	uint64_t values[COLLECT_LOG_NUM_PROPERTIES];
	bool present[COLLECT_LOG_NUM_PROPERTIES];
};

/* Opnums 17, 18 for each property, 13: all properties. */
struct tevent_req *collect_log_info_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct collect_connection *connection,
					 const char *channel);
/* The same for some properties: bits 1 << COLLECT_LOG_..., at least one. */
struct tevent_req *collect_log_some_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct collect_connection *connection,
					 const char *channel,
					 uint32_t properties);
everr_t collect_log_info_recv(
	struct tevent_req *req, struct collect_log_info *ret_info,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
