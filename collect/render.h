/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_RENDER_H
#define EVENLOG_COLLECT_RENDER_H

/*
 * Texts for events, made by the service that has the publisher's messages:
 * [MS-EVEN6] 3.1.4.31 and 3.1.4.32.
 */

#include "collect/publisher.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* EVENT_DESCRIPTOR, [MS-DTYP] 2.3.1 */
#define COLLECT_DESCRIPTOR_SIZE 16
/* Values that one message can take. */
#define COLLECT_RENDER_INSERTS_MAX 99

/* What to make a text of; [MS-EVEN6] 3.1.4.31, flags. */
enum collect_render {
	COLLECT_RENDER_EVENT = 1,
	COLLECT_RENDER_LEVEL = 2,
	COLLECT_RENDER_TASK = 3,
	COLLECT_RENDER_OPCODE = 4,
	COLLECT_RENDER_KEYWORDS = 5, /* names with a NUL after each */
	COLLECT_RENDER_CHANNEL = 6,
	COLLECT_RENDER_PROVIDER = 7,
	COLLECT_RENDER_ID = 8
};

struct collect_render_request {
	enum collect_render what;
	uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE];
	uint32_t message_id;	    /* COLLECT_RENDER_ID */
	const char *const *inserts; /* UTF-8; for _EVENT and _ID */
	size_t num_inserts;	    /* those beyond the limit are left out */
};

/* UTF-8; a NUL follows the len bytes. */
struct collect_text {
	char *text;
	size_t len;
};

/*
 * Opnum 9; with publisher NULL 10, which has no _CHANNEL and no _PROVIDER.
 * request is copied.  A text of up to 2 MiB may come back.
 * EVERR_MESSAGE: there is no text for it.
 */
struct tevent_req *collect_render_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection,
	struct collect_publisher *publisher,
	const struct collect_render_request *request);
everr_t collect_render_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    struct collect_text *ret_text,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

#endif
