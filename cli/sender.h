/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_SENDER_H
#define EVENLOG_CLI_SENDER_H

/*
 * Events on their way into a channel of the local service.
 *
 * They are gathered into batches; one batch is on its way to the disk while
 * the next one is filled.  A batch is stored whole or not at all, so that an
 * event the service refuses is taken out and the rest sent again.
 */

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "collect/control.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Documents on their way, one behind the other in bytes. */
struct cli_batch {
	struct buf bytes;
	size_t offsets[COLLECT_PUBLISH_EVENTS + 1];
	uint64_t places[COLLECT_PUBLISH_EVENTS];
	size_t num;
	size_t sent_from; /* documents before it are done with */
};

/* The service refuses the event of that place; it is left out. */
typedef void (*cli_sender_refused_fn)(void *private_data, uint64_t place,
				      const char *why);

struct cli_sender {
	struct cli *cli;
	struct collect_connection *connection;
	const char *channel;
	bool imported; /* they keep their EventRecordID */
	cli_sender_refused_fn refused;
	void *private_data;

	struct cli_batch batches[2];
	struct cli_batch *filling;
	struct cli_batch *sending; /* NULL: none is on its way */
	struct tevent_req *req;
	struct collect_document docs[COLLECT_PUBLISH_EVENTS];

	uint64_t stored;
	uint64_t first_id;
	uint64_t last_id;
	bool broken; /* no more can be stored; why has been said */

	struct terminal_progress progress;
	struct timeval started;
};

/* What is not set here is zero; connection and channel come later. */
void cli_sender_init(struct cli_sender *sender, struct cli *cli,
		     cli_sender_refused_fn refused, void *private_data);

/* Show progress on a terminal from now on. */
void cli_sender_show_progress(struct cli_sender *sender);

/* Where the next document is appended, at most EVENT_WIRE_MAX bytes. */
static inline struct buf *cli_sender_bytes(struct cli_sender *sender)
{
	return &sender->filling->bytes;
}

/*
 * The document that was just appended is complete.  place is its caller's, to
 * be told of it.
 */
void cli_sender_added(struct cli_sender *sender, uint64_t place);

/* Send what has been gathered, after the batch before it is done. */
void cli_sender_flush(struct cli_sender *sender);

/* Wait until all that was sent is stored or refused. */
void cli_sender_finish(struct cli_sender *sender);

#endif
