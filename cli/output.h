/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_OUTPUT_H
#define EVENLOG_CLI_OUTPUT_H

/*
 * Events on stdout, one line each: as text for a person, as XML (a stream of
 * Event elements) or as JSON (an object a line).
 */

#include "base/buf.h"
#include "cli/cli.h"
#include "event/event.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A rendered event: 1 MiB of values, escaped six-fold at worst. */
#define OUTPUT_LINE_MAX (16 * 1024 * 1024)

struct output;

/* Writes to fd, in the format and color cli->options ask for. */
struct output *output_create(TALLOC_CTX *mem_ctx, const struct cli *cli,
			     int fd);

/*
 * A dictionary for what a host sends, which may be hostile: far fewer
 * templates than a store keeps, since each is compiled.  What does not fit is
 * shown all the same, event by event.  NULL: out of memory.
 */
struct event_dict *output_dict_create(TALLOC_CTX *mem_ctx);

/*
 * Add an event to what is to be written.  An event that cannot be rendered is
 * reported on stderr, counted and passed over.
 *
 * EVERR_IO     stdout is gone; errno says why
 * EVERR_NOMEM
 */
everr_t output_event(struct output *output, struct event_dict *dict,
		     const uint8_t *data, size_t len) EVERR_MUST_CHECK;

/* Write out everything; errors as above. */
everr_t output_flush(struct output *output) EVERR_MUST_CHECK;

/* Events that could not be rendered. */
uint64_t output_failed(const struct output *output);

/* What is no event: a JSON object as a line on stdout; it is let go of. */
void cli_print_json(json_t *object);
/* The same from its text. */
void cli_print_json_text(const char *json);

#endif
