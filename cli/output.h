/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_OUTPUT_H
#define EVENLOG_CLI_OUTPUT_H

/*
 * Events on stdout: as text for a person, as XML (a stream of Event elements)
 * or as JSON (an object a line).
 *
 * Where texts of publishers are wanted, events are held back until they are
 * there: output_event() for each of a batch, then, unless output_waiting(),
 * output_flush(); else output_flush() when the texts have come.
 */

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/texts.h"
#include "event/event.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A rendered event: 1 MiB of values, escaped six-fold at worst. */
#define OUTPUT_LINE_MAX (16 * 1024 * 1024)

/* How events are shown, beyond cli->options. */
struct output_options {
	int no_messages; /* the data instead of the message */
	int full;	 /* text: a record of many lines for each event */
	int rendered;	 /* XML, JSON: with RenderingInfo */
};

#define OUTPUT_TABLE_SIZE 4

/* The options for popt, filled in for a verb's POPT_ARG_INCLUDE_TABLE. */
void output_table(struct output_options *options, struct poptOption *table);

/* Refuse what does not go together.  -1 to go on, else the exit status. */
int output_check(struct cli *cli, const struct output_options *options);

struct output;

/* Writes to fd, in the format and color cli->options ask for. */
struct output *output_create(TALLOC_CTX *mem_ctx, const struct cli *cli,
			     const struct output_options *options, int fd);

/* Whether the events are shown with texts of publishers. */
bool output_wants_texts(const struct output *output);

/* Where the texts come from; they outlive the output.  NULL: nowhere. */
void output_set_texts(struct output *output, struct cli_texts *texts);

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
		     const struct event_packed *packed) EVERR_MUST_CHECK;

/*
 * Whether events are held back for texts that are on their way.  To be asked
 * again when they are there: some may need more.
 */
bool output_waiting(struct output *output);

/*
 * Write out everything, without the texts that are not there; errors as above.
 */
everr_t output_flush(struct output *output) EVERR_MUST_CHECK;

/* Events that could not be rendered. */
uint64_t output_failed(const struct output *output);

/* What is no event: a JSON object as a line on stdout; it is let go of. */
void cli_print_json(json_t *object);
/* The same from its text. */
void cli_print_json_text(const char *json);

#endif
