/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_TEXTS_H
#define EVENLOG_CLI_TEXTS_H

/*
 * What publishers say about events: messages, and names of levels, tasks,
 * opcodes and keywords.  They come from the host that the events come from,
 * or from a catalog of this one.
 *
 * A host is asked twice for each message, not once for each event: with a
 * mark in place of every value, and with the values of one event.  Where the
 * values, put where the marks stand in the first answer, give the second one,
 * all events of the kind are done so.  Else the host does something with the
 * values (a manifest's maps), and is asked for each set of them.
 *
 * Values that a publisher may replace with texts of its own ("%%1833", facts
 * 12.6) are always sent as they are; a message is asked for again with each
 * set of those.
 */

#include "base/buf.h"
#include "event/catalog.h"
#include "event/message_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Texts remembered, and their bytes; beyond, all are forgotten before the
 * next batch. */
#define CLI_TEXTS_MAX 4096
#define CLI_TEXTS_BYTES (16 * 1024 * 1024)
/* Bytes of one text; what is behind them is left off. */
#define CLI_TEXT_LENGTH_MAX 65536
/* Seconds for the texts of a batch; then it is shown without. */
#define CLI_TEXTS_TIMEOUT 15

enum cli_text {
	CLI_TEXT_MESSAGE,
	CLI_TEXT_LEVEL,
	CLI_TEXT_TASK,
	CLI_TEXT_OPCODE,
	CLI_TEXT_KEYWORDS, /* names with a NUL after each */
	CLI_TEXT_PROVIDER
};

struct cli_texts;
struct collect_connection;

/* NULL: out of memory. */
struct cli_texts *cli_texts_create(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev);

/*
 * The host to ask from now on; NULL: nobody, which ends what is being asked.
 * To be called before the connection goes away.  What is known is forgotten.
 * EVERR_NOMEM
 */
everr_t cli_texts_connect(struct cli_texts *texts,
			  struct collect_connection *connection)
	EVERR_MUST_CHECK;

/* Take texts from here instead; the catalog outlives the texts. */
void cli_texts_set_catalog(struct cli_texts *texts,
			   const struct event_catalog *catalog);

/* A batch begins: what takes too much memory is forgotten. */
void cli_texts_begin(struct cli_texts *texts);

/* Whether nothing can come of asking about a provider's events. */
bool cli_texts_none(const struct cli_texts *texts, const char *provider);

/*
 * Ask for a text that is not known yet.  To be called again for the events of
 * a batch when the answers have come and cli_texts_unsettled() says so.
 */
void cli_texts_want(struct cli_texts *texts, enum cli_text what,
		    const struct event_message_source *event);

/*
 * Whether, since this was last asked, messages turned out to need each event's
 * own values.
 */
bool cli_texts_unsettled(struct cli_texts *texts);

/* Whether answers are outstanding. */
bool cli_texts_waiting(const struct cli_texts *texts);

/*
 * Called once, from the loop, when no answers are outstanding any more, soon
 * after when none are now.  NULL: nobody is.
 */
typedef void (*cli_texts_fn)(void *private_data);
void cli_texts_on_ready(struct cli_texts *texts, cli_texts_fn fn,
			void *private_data);

/* Append a text.  False: there is none. */
bool cli_texts_put(struct cli_texts *texts, enum cli_text what,
		   const struct event_message_source *event, struct buf *out);

#endif
