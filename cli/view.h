/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_VIEW_H
#define EVENLOG_CLI_VIEW_H

/* An event on its way to a person: its fields, and what is said about it. */

#include "base/buf.h"
#include "base/everr.h"
#include "event/message_event.h"

#include <jansson.h>
#include <stddef.h>
#include <talloc.h>

struct cli_view {
	json_t *json; /* as event_render_json() made it */
	const char *provider;
	/* What a forwarded event brings along (RenderingInfo), or NULL. */
	const char *message;
	/* To ask for texts by; NULL: nobody asks. */
	struct event_message_source *source;
};

/*
 * From the text of event_render_json().  The strings lie in the view's JSON.
 *
 * EVERR_TEXT   it is no such object
 * EVERR_NOMEM
 */
everr_t cli_view_create(TALLOC_CTX *mem_ctx, const char *json, size_t len,
			struct cli_view **ret_view) EVERR_MUST_CHECK;

/* A member of the JSON form, NULL: none. */
const json_t *cli_view_member(const json_t *object, const char *name);

/*
 * The text of an element: itself, or what stands beside its attributes.
 * NULL when there is none.
 */
const json_t *cli_view_element(const json_t *element);

/* Texts about an event; NULL where there is none. */
struct cli_said {
	const char *message;
	const char *level;
	const char *task;
	const char *opcode;
	const char *provider;
	const char *keywords; /* each ended by a NUL */
	size_t keywords_len;
};

#endif
