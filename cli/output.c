/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/output.h"

#include "cli/line.h"
#include "cli/terminal.h"

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

struct output {
	int fd;
	enum cli_format format;
	struct line_style style;
	struct buf pending;  /* lines to be written */
	struct buf rendered; /* scratch */
	uint64_t failed;
};

/* -------------------------------------------------------------- writing */

struct output *output_create(TALLOC_CTX *mem_ctx, const struct cli *cli, int fd)
{
	struct output *output = talloc_zero(mem_ctx, struct output);

	if (output == NULL) {
		return NULL;
	}
	output->fd = fd;
	output->format = cli->options.format;
	output->style.utc = cli->options.utc != 0;
	output->style.colored = terminal_colored(stdout, cli->options.color);
	buf_init(&output->pending, output, 2 * OUTPUT_LINE_MAX);
	buf_init(&output->rendered, output, OUTPUT_LINE_MAX);
	return output;
}

static everr_t render(struct output *output, struct event_dict *dict,
		      const uint8_t *data, size_t len)
{
	struct buf *rendered = &output->rendered;
	struct buf *pending = &output->pending;
	const char *text = NULL;
	everr_t err;

	buf_reset(rendered);
	if (output->format == CLI_FORMAT_XML) {
		err = event_render_xml(rendered, dict, data, len, NULL);
	} else {
		err = event_render_json(rendered, dict, data, len);
	}
	if (err != EVERR_OK) {
		return err;
	}
	text = (const char *)rendered->data;

	switch (output->format) {
	case CLI_FORMAT_TEXT:
		return line_format(pending, text, rendered->len,
				   &output->style);
	case CLI_FORMAT_XML:
		terminal_put_xml(pending, text, rendered->len);
		break;
	case CLI_FORMAT_JSON:
		terminal_put_json(pending, text, rendered->len);
		break;
	}
	buf_put_u8(pending, '\n');
	return buf_error(pending);
}

struct event_dict *output_dict_create(TALLOC_CTX *mem_ctx)
{
	const struct event_dict_limits limits = {
		.max_templates = OUTPUT_TEMPLATES_MAX,
		.max_bytes = OUTPUT_TEMPLATES_BYTES,
	};

	return event_dict_create(mem_ctx, &limits);
}

everr_t output_event(struct output *output, struct event_dict *dict,
		     const uint8_t *data, size_t len)
{
	size_t start = output->pending.len;
	everr_t err;

	err = render(output, dict, data, len);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		output->pending.err = EVERR_OK;
		buf_truncate(&output->pending, start);
		output->failed++;
		cli_error("an event cannot be shown: %s", everr_text(err));
	}
	if (output->pending.len >= OUTPUT_CHUNK) {
		return output_flush(output);
	}
	return EVERR_OK;
}

everr_t output_flush(struct output *output)
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

uint64_t output_failed(const struct output *output)
{
	return output->failed;
}

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
	char *text = json_dumps(object, JSON_COMPACT);

	if (text != NULL) {
		cli_print_json_text(text);
		free(text);
	}
	json_decref(object);
}
