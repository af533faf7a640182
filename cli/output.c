/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/output.h"

#include "cli/line.h"
#include "cli/rendering.h"
#include "cli/terminal.h"
#include "cli/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one host's events; a compiled template takes ten times its definition. */
#define OUTPUT_TEMPLATES_MAX 4096
#define OUTPUT_TEMPLATES_BYTES (8 * 1024 * 1024)

/* Written when this much has gathered, and at every flush. */
#define OUTPUT_CHUNK (64 * 1024)
/* Rendered events held back for their texts; then they go without. */
#define OUTPUT_HELD (64 * 1024 * 1024)

/* An event that waits for its texts. */
struct held {
	struct cli_view *view;
	size_t offset; /* of its XML or JSON in output->held_text */
	size_t len;
};

struct output {
	int fd;
	enum cli_format format;
	struct output_options options;
	struct field_style style;
	struct cli_texts *texts; /* NULL: none are to be had */
	struct buf pending;	 /* lines to be written */
	struct buf rendered;	 /* scratch */
	uint64_t failed;

	struct held *held;
	size_t num_held;
	size_t held_bytes; /* of their JSON */
	struct buf held_text;
	struct buf said; /* scratch: texts about one event */
};

/* -------------------------------------------------------------- options */

void output_table(struct output_options *options, struct poptOption *table)
{
	const struct poptOption source[] = {
		{"no-messages", 0, POPT_ARG_NONE, &options->no_messages, 0,
		 "Show each event's data instead of its message", NULL},
		{"long", 'L', POPT_ARG_NONE, &options->full, 0,
		 "Show all of an event, over several lines", NULL},
		{"rendered", 0, POPT_ARG_NONE, &options->rendered, 0,
		 "Add the message and names to XML or JSON (RenderingInfo)",
		 NULL},
		POPT_TABLEEND,
	};

	_Static_assert(sizeof(source) / sizeof(source[0]) <= OUTPUT_TABLE_SIZE,
		       "the table has room");
	memcpy(table, source, sizeof(source));
}

int output_check(struct cli *cli, const struct output_options *options)
{
	bool text = cli->options.format == CLI_FORMAT_TEXT;

	if (options->rendered != 0 && text) {
		return cli_usage(cli, "--rendered is for --format=xml and"
				      " --format=json; text has messages"
				      " anyway");
	}
	if (options->full != 0 && !text) {
		return cli_usage(cli, "--long is for text; XML and JSON always"
				      " have all of an event");
	}
	if (options->no_messages != 0 && options->rendered != 0) {
		return cli_usage(cli, "--rendered and --no-messages exclude"
				      " each other");
	}
	return -1;
}

/* ------------------------------------------------------------- creation */

struct output *output_create(TALLOC_CTX *mem_ctx, const struct cli *cli,
			     const struct output_options *options, int fd)
{
	struct output *output = talloc_zero(mem_ctx, struct output);

	if (output == NULL) {
		return NULL;
	}
	output->fd = fd;
	output->format = cli->options.format;
	output->options = *options;
	output->style.utc = cli->options.utc != 0;
	output->style.colored = terminal_colored(stdout, cli->options.color);
	buf_init(&output->pending, output, 2 * OUTPUT_LINE_MAX);
	buf_init(&output->rendered, output, OUTPUT_LINE_MAX);
	buf_init(&output->held_text, output, OUTPUT_HELD + OUTPUT_LINE_MAX);
	buf_init(&output->said, output, OUTPUT_LINE_MAX);
	return output;
}

bool output_wants_texts(const struct output *output)
{
	if (output->format == CLI_FORMAT_TEXT) {
		return output->options.no_messages == 0;
	}
	return output->options.rendered != 0;
}

void output_set_texts(struct output *output, struct cli_texts *texts)
{
	output->texts = output_wants_texts(output) ? texts : NULL;
}

struct event_dict *output_dict_create(TALLOC_CTX *mem_ctx)
{
	const struct event_dict_limits limits = {
		.max_templates = OUTPUT_TEMPLATES_MAX,
		.max_bytes = OUTPUT_TEMPLATES_BYTES,
	};

	return event_dict_create(mem_ctx, &limits);
}

/* ---------------------------------------------------------------- texts */

/* Message only, or the names too. */
static bool wants_names(const struct output *output)
{
	return output->options.full != 0 || output->options.rendered != 0;
}

/* What is said about one event, in output->said until the next one. */
static void find_said(struct output *output, const struct cli_view *view,
		      struct cli_said *ret_said)
{
	/* Where each text begins; they move while the buffer grows. */
	static const enum cli_text kinds[] = {
		CLI_TEXT_MESSAGE, CLI_TEXT_LEVEL,    CLI_TEXT_TASK,
		CLI_TEXT_OPCODE,  CLI_TEXT_PROVIDER, CLI_TEXT_KEYWORDS};
	enum {
		NUM = sizeof(kinds) / sizeof(kinds[0])
	};
	const char *texts[NUM] = {NULL};
	bool known[NUM] = {false};
	size_t offsets[NUM + 1];
	size_t num = wants_names(output) ? NUM : 1;
	struct buf *said = &output->said;
	size_t i;

	buf_reset(said);
	for (i = 0; i < num; i++) {
		offsets[i] = said->len;
		known[i] = output->texts != NULL && view->source != NULL &&
			   cli_texts_put(output->texts, kinds[i], view->source,
					 said);
		buf_put_u8(said, 0);
	}
	offsets[num] = said->len;
	if (buf_error(said) != EVERR_OK) {
		*ret_said = (struct cli_said){.message = view->message};
		return;
	}
	for (i = 0; i < num; i++) {
		texts[i] =
			known[i] ? (const char *)said->data + offsets[i] : NULL;
	}
	*ret_said = (struct cli_said){
		.message = view->message != NULL ? view->message : texts[0],
		.level = texts[1],
		.task = texts[2],
		.opcode = texts[3],
		.provider = texts[4],
		.keywords = texts[5],
	};
	if (texts[5] != NULL) {
		ret_said->keywords_len = offsets[6] - offsets[5] - 1;
	}
}

/* Ask for what is not known of one event. */
static void want_texts(struct output *output, const struct cli_view *view)
{
	struct cli_texts *texts = output->texts;
	const struct event_message_source *source = view->source;

	if (source == NULL) {
		return;
	}
	if (view->message == NULL) {
		cli_texts_want(texts, CLI_TEXT_MESSAGE, source);
	}
	if (!wants_names(output)) {
		return;
	}
	cli_texts_want(texts, CLI_TEXT_LEVEL, source);
	cli_texts_want(texts, CLI_TEXT_OPCODE, source);
	cli_texts_want(texts, CLI_TEXT_PROVIDER, source);
	if (source->task != 0) {
		cli_texts_want(texts, CLI_TEXT_TASK, source);
	}
	if (source->keywords != 0) {
		cli_texts_want(texts, CLI_TEXT_KEYWORDS, source);
	}
}

/* What to ask by, where there is anything to be had. */
static everr_t read_source(struct output *output, struct cli_view *view,
			   struct event_dict *dict,
			   const struct event_packed *packed)
{
	if (cli_texts_none(output->texts, view->provider) ||
	    (view->message != NULL && !wants_names(output))) {
		return EVERR_OK;
	}
	return event_message_read(view, dict, packed->data, packed->len,
				  &view->source);
}

/* -------------------------------------------------------------- writing */

/* Show an event; text is its XML or JSON, for which pending has room. */
static everr_t put_event(struct output *output, const struct cli_view *view,
			 const char *text, size_t len)
{
	struct buf *pending = &output->pending;
	struct buf *rendered = &output->rendered;
	struct cli_said said = {.message = NULL};
	bool wants = output_wants_texts(output);

	if (wants && view != NULL) {
		find_said(output, view, &said);
	}
	switch (output->format) {
	case CLI_FORMAT_TEXT:
		if (output->options.full != 0) {
			return record_format(pending, view->json, &said,
					     &output->style);
		}
		return line_format(pending, view->json, said.message,
				   &output->style);
	case CLI_FORMAT_XML:
		if (wants) {
			buf_reset(rendered);
			rendering_put_xml(rendered, text, len, view, &said);
			text = (const char *)rendered->data;
			len = rendered->len;
		}
		terminal_put_xml(pending, text, len);
		break;
	case CLI_FORMAT_JSON:
		if (wants) {
			buf_reset(rendered);
			rendering_put_json(rendered, text, len, view, &said);
			text = (const char *)rendered->data;
			len = rendered->len;
		}
		terminal_put_json(pending, text, len);
		break;
	}
	buf_put_u8(pending, '\n');
	return buf_error(wants ? rendered : pending);
}

/* put_event(), and what follows when it cannot be. */
static everr_t show_event(struct output *output, const struct cli_view *view,
			  const char *text, size_t len)
{
	size_t start = output->pending.len;
	everr_t err;

	err = put_event(output, view, text, len);
	if (err == EVERR_OK) {
		err = buf_error(&output->pending);
	}
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		output->pending.err = EVERR_OK;
		buf_truncate(&output->pending, start);
		output->failed++;
		cli_error("an event cannot be shown: %s", everr_text(err));
	}
	return EVERR_OK;
}

static everr_t write_pending(struct output *output)
{
	size_t done = 0;

	while (done < output->pending.len) {
		ssize_t ret;

		ret = write(output->fd, output->pending.data + done,
			    output->pending.len - done);
		if (ret < 0 && errno == EINTR) {
			continue;
		}
		if (ret < 0) {
			return EVERR_IO;
		}
		done += (size_t)ret;
	}
	buf_reset(&output->pending);
	return EVERR_OK;
}

static everr_t write_chunk(struct output *output)
{
	if (output->pending.len < OUTPUT_CHUNK) {
		return EVERR_OK;
	}
	return write_pending(output);
}

/* ---------------------------------------------------------- holding back */

static everr_t show_held(struct output *output)
{
	const char *text = (const char *)output->held_text.data;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < output->num_held; i++) {
		const struct held *held = &output->held[i];

		if (err == EVERR_OK) {
			err = show_event(output, held->view,
					 held->len > 0 ? text + held->offset
						       : NULL,
					 held->len);
		}
		if (err == EVERR_OK) {
			err = write_chunk(output);
		}
		talloc_free(held->view);
	}
	output->num_held = 0;
	output->held_bytes = 0;
	buf_reset(&output->held_text);
	return err;
}

/* Keep the event until its texts are there; then the view is the output's. */
static everr_t hold_event(struct output *output, struct cli_view *view,
			  const char *text, size_t len)
{
	size_t num = output->num_held;
	struct held *held = output->held;
	everr_t err;

	if (num == talloc_array_length(held)) {
		held = talloc_realloc(output, held, struct held,
				      num > 0 ? 2 * num : 64);
		if (held == NULL) {
			return EVERR_NOMEM;
		}
		output->held = held;
	}
	held[num] = (struct held){
		.view = view, .offset = output->held_text.len, .len = len};
	if (len > 0) {
		buf_put(&output->held_text, text, len);
		err = buf_error(&output->held_text);
		if (err != EVERR_OK) {
			return err;
		}
	}
	output->num_held++;
	want_texts(output, view);
	return EVERR_OK;
}

/* -------------------------------------------------------------- an event */

/* Its XML or JSON in output->rendered, and what else it takes to show it. */
static everr_t render(struct output *output, struct event_dict *dict,
		      const struct event_packed *packed,
		      struct cli_view **ret_view, bool *ret_has_text)
{
	struct buf *rendered = &output->rendered;
	bool wants_view =
		output->format == CLI_FORMAT_TEXT || output_wants_texts(output);
	everr_t err;

	buf_reset(rendered);
	if (wants_view || output->format == CLI_FORMAT_JSON) {
		err = event_render_json(rendered, dict, packed->data,
					packed->len);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (wants_view) {
		err = cli_view_create(output, (const char *)rendered->data,
				      rendered->len, ret_view);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (output->texts != NULL) {
		err = read_source(output, *ret_view, dict, packed);
		if (err != EVERR_OK) {
			return err;
		}
	}
	*ret_has_text = output->format != CLI_FORMAT_TEXT;
	if (output->format != CLI_FORMAT_XML) {
		return EVERR_OK;
	}
	buf_reset(rendered);
	return event_render_xml(rendered, dict, packed->data, packed->len,
				NULL);
}

static everr_t take_event(struct output *output, struct event_dict *dict,
			  const struct event_packed *packed)
{
	struct cli_view *view = NULL;
	const char *text = NULL;
	bool has_text = false;
	size_t len = 0;
	everr_t err;

	err = render(output, dict, packed, &view, &has_text);
	if (err == EVERR_OK && has_text) {
		text = (const char *)output->rendered.data;
		len = output->rendered.len;
	}
	if (err == EVERR_OK && output->texts != NULL) {
		if (output->num_held == 0) {
			cli_texts_begin(output->texts);
		}
		output->held_bytes += output->rendered.len;
		err = hold_event(output, view, text, len);
		view = err == EVERR_OK ? NULL : view;
	} else if (err == EVERR_OK) {
		err = show_event(output, view, text, len);
	}
	TALLOC_FREE(view);
	return err;
}

everr_t output_event(struct output *output, struct event_dict *dict,
		     const struct event_packed *packed)
{
	everr_t err;

	err = take_event(output, dict, packed);
	if (err == EVERR_NOMEM || err == EVERR_IO) {
		return err;
	}
	if (err != EVERR_OK) {
		output->failed++;
		cli_error("an event cannot be shown: %s", everr_text(err));
	}
	/* Nothing to wait for, or too much to keep. */
	if (output->num_held > 0 &&
	    (!output_waiting(output) || output->held_bytes > OUTPUT_HELD)) {
		err = show_held(output);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return write_chunk(output);
}

bool output_waiting(struct output *output)
{
	size_t i;

	if (output->num_held == 0) {
		return false;
	}
	if (!cli_texts_waiting(output->texts) &&
	    cli_texts_unsettled(output->texts)) {
		for (i = 0; i < output->num_held; i++) {
			want_texts(output, output->held[i].view);
		}
	}
	return cli_texts_waiting(output->texts);
}

everr_t output_flush(struct output *output)
{
	everr_t err;

	err = show_held(output);
	if (err != EVERR_OK) {
		return err;
	}
	return write_pending(output);
}

uint64_t output_failed(const struct output *output)
{
	return output->failed;
}

/* --------------------------------------------------------- not an event */

void cli_print_json_text(const char *json)
{
	struct buf out;

	buf_init(&out, NULL, OUTPUT_LINE_MAX);
	terminal_put_json(&out, json, strlen(json));
	buf_put_u8(&out, '\n');
	if (buf_error(&out) == EVERR_OK) {
		fwrite(out.data, 1, out.len, stdout);
	}
	buf_free(&out);
}

void cli_print_json(json_t *object)
{
	/* 17 digits of a fraction are noise: 0.1 would not be 0.1. */
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));

	if (text != NULL) {
		cli_print_json_text(text);
		free(text);
	}
	json_decref(object);
}
