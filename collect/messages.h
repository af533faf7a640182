/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_MESSAGES_H
#define EVENLOG_COLLECT_MESSAGES_H

/*
 * The messages of many events, as they come: the publishers' handles are
 * opened when they are needed and kept for the next event.
 */

#include "collect/render.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Handles kept open; publishers remembered for having no messages. */
#define COLLECT_MESSAGES_HANDLES 64
#define COLLECT_MESSAGES_MISSING 1024
/* Calls in flight; what is more waits. */
#define COLLECT_MESSAGES_CALLS 32

struct collect_messages;

/*
 * lcid 0: the service picks the language.  The connection outlives it, and it
 * outlives its requests.  NULL: out of memory.
 */
struct collect_messages *collect_messages_create(
	TALLOC_CTX *mem_ctx, struct collect_connection *connection,
	uint32_t lcid);

/*
 * A text about one event: what is COLLECT_RENDER_EVENT for its message, or one
 * of the names but _CHANNEL.  provider is its Provider/@Name; descriptor as in
 * collect/render.h; qualifiers those of System/EventID, 0 without: a classic
 * publisher's message is found by them.  inserts are the values of its
 * EventData in their order.  All are copied, and kept until a place is free:
 * whoever reads faster than the service answers bounds its requests.
 *
 * The result is UTF-8, a child of mem_ctx.
 * EVERR_MESSAGE  there is none; the usual case, *ret_failure says why
 * The rest is about the connection.
 */
struct tevent_req *collect_messages_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_messages *messages, enum collect_render what,
	const char *provider, const uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE],
	uint16_t qualifiers, const char *const *inserts, size_t num_inserts);
everr_t collect_messages_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      struct collect_text *ret_text,
			      struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/*
 * Whether it is known that a provider has no messages: saves collecting the
 * values for nothing.
 */
bool collect_messages_none(const struct collect_messages *messages,
			   const char *provider);

#endif
