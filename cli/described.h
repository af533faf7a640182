/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_DESCRIBED_H
#define EVENLOG_CLI_DESCRIBED_H

/*
 * Events that an installed manifest describes: it knows their data's types,
 * and what stands in System.  What is wrong has been said when these return.
 */

#include "cli/cli.h"
#include "event/compose.h"

/* dir: of the manifests.  *ret_publisher NULL: none describes the provider.
 * -1 or exit status. */
int cli_described_publisher(struct cli *cli, const char *dir,
			    const char *provider,
			    const struct event_publisher **ret_publisher);

/* version NULL: the newest one.  -1 or exit status. */
int cli_described_event(struct cli *cli,
			const struct event_publisher *publisher, uint32_t id,
			const char *version,
			const struct event_manifest_event **ret_event);

/*
 * Append the event with values "name=value", in lists that NULL ends (or
 * NULL); base as in event_compose().  -1 or exit status.
 */
int cli_described_compose(struct cli *cli, struct buf *out,
			  const struct event_publisher *publisher,
			  const struct event_manifest_event *event,
			  const struct event_system *base,
			  const char *const *texts,
			  const char *const *more_texts);

#endif
