/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_PUBLISHER_H
#define EVENLOG_COLLECT_PUBLISHER_H

/*
 * What a service knows of its publishers: [MS-EVEN6] 3.1.4.23 to 3.1.4.28,
 * 3.1.4.36.  Texts of their events: collect/render.h.
 *
 * Requests and failures are as in collect/client.h.  The service is not
 * trusted: what has another type than it must have is as good as not there,
 * parallel arrays of different lengths are EVERR_PROTOCOL.
 */

#include "base/everr.h"
#include "base/guid.h"
#include "collect/client.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <gen_ndr/misc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* No message, facts 12.3. */
#define COLLECT_MESSAGE_NONE 0xFFFFFFFFU
/* Events taken from one publisher, and bytes of their templates. */
#define COLLECT_PUBLISHER_EVENTS_MAX 65536
#define COLLECT_PUBLISHER_TEMPLATES_MAX (64 * 1024 * 1024)

/* Opnum 22, or with a channel 23: names, as the service orders them. */
struct tevent_req *collect_publishers_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel);
everr_t collect_publishers_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx, const char ***ret_names,
	size_t *ret_num, struct collect_failure *ret_failure) EVERR_MUST_CHECK;

struct collect_publisher_channel {
	const char *path;
	uint32_t index;
	uint32_t id;
	bool imported;
	uint32_t message_id;
};

/* A publisher's handle and what comes with it; strings may be NULL. */
struct collect_publisher {
	struct collect_connection *connection;
	struct policy_handle handle;
	const char *name; /* as asked for; NULL: the default one */
	struct ev_guid guid;
	const char *resource_file;
	const char *parameter_file;
	const char *message_file;
	struct collect_publisher_channel *channels;
	size_t num_channels;
};

/*
 * Opnum 24.  name NULL: the service's default publisher.  lcid 0: the service
 * picks the language of messages.  The connection outlives the publisher.
 * EVERR_PUBLISHER: there is none of that name.
 */
struct tevent_req *collect_publisher_open_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *name, uint32_t lcid);
everr_t collect_publisher_open_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				    struct collect_publisher **ret_publisher,
				    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* A level, a task, an opcode or a keyword. */
struct collect_publisher_name {
	const char *name;
	uint64_t value;
	uint32_t task;	     /* of an opcode; 0: of all */
	struct ev_guid guid; /* of a task */
	uint32_t message_id;
};

struct collect_publisher_names {
	struct collect_publisher_name *names;
	size_t num;
};

struct collect_publisher_details {
	const char *help_link; /* may be NULL */
	uint32_t message_id;
	struct collect_publisher_names levels;
	struct collect_publisher_names tasks;
	struct collect_publisher_names opcodes;
	struct collect_publisher_names keywords;
};

/* Opnum 25 for each of its groups; one the service has not is empty. */
struct tevent_req *collect_publisher_details_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_publisher *publisher);
everr_t collect_publisher_details_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx,
	struct collect_publisher_details **ret_details,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

struct collect_publisher_event {
	uint32_t id;
	uint32_t version;
	uint32_t channel; /* a channel's id */
	uint32_t level;
	uint32_t opcode;
	uint32_t task;
	uint64_t keywords;
	uint32_t message_id;
	const char *template_xml; /* "" without */
};

struct collect_publisher_events {
	struct collect_publisher_event *events;
	size_t num;
};

/*
 * Opnums 26, 27 to the end, 13.  EVERR_LIMIT: more than the limits above.
 */
struct tevent_req *collect_publisher_events_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_publisher *publisher);
everr_t collect_publisher_events_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx,
	struct collect_publisher_events **ret_events,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

/* Opnum 13; a service that does not answer soon is left alone. */
struct tevent_req *collect_publisher_close_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_publisher *publisher);
everr_t collect_publisher_close_recv(struct tevent_req *req,
				     struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* Opnum 28: the display name of a classic log, the best there is for lcid. */
struct tevent_req *collect_display_name_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *log, uint32_t lcid);
everr_t collect_display_name_recv(
	struct tevent_req *req, TALLOC_CTX *mem_ctx, const char **ret_name,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
