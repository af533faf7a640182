/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_COMPOSE_H
#define EVENLOG_EVENT_COMPOSE_H

/*
 * An event as its manifest describes it, from names and texts that a person or
 * a script gives: the manifest knows the types, and System's fields.
 */

#include "event/build.h"
#include "event/manifest.h"

struct event_compose_value {
	const char *name;
	const char *text;
};

/*
 * Append the document of an event of a publisher.  Each field of its template
 * needs a value, and there are no others.  Texts are those of
 * event_value_from_text(); the items of an array stand between commas; a field
 * with a valueMap also takes the text of one of its items.
 *
 * Of base the time, computer, process, user and activity are taken, and the
 * channel if it has one; the rest is the manifest's.  An integer whose outType
 * is hexadecimal becomes HexInt32 or HexInt64, since an event has no other way
 * to say so (inferred from Windows' events).  *ret_message is a talloc child
 * of mem_ctx.
 *
 * EVERR_INVALID  a field that is missing or not known, no channel; *ret_message
 *                says which
 * EVERR_TEXT     a text that is no value of its field's type; likewise
 * others as event_build_user()
 */
everr_t event_compose(TALLOC_CTX *mem_ctx, struct buf *out,
		      const struct event_publisher *publisher,
		      const struct event_manifest_event *event,
		      const struct event_system *base,
		      const struct event_compose_value *values,
		      size_t num_values, char **ret_message) EVERR_MUST_CHECK;

#endif
