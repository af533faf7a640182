/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

#include "base/text.h"

#include <stdio.h>

/* Behind the name in sd_id, for the element with the event's data. */
#define DATA_SUFFIX "-data"

/* ---------------------------------------------------------------- format */

_Static_assert(FORWARD_SD_ID_MAX + sizeof(DATA_SUFFIX) - 1 <=
		       FORMAT_SD_NAME_MAX,
	       "with the suffix it is an SD-NAME still");

static bool set_texts(struct forward_format *format,
		      const struct forward_config *config)
{
	const char *sd_id = config->sd_id;
	size_t name_len = (size_t)(strchr(sd_id, '@') - sd_id);
	unsigned int severity;

	format->sd_open = talloc_asprintf(format, "[%s", sd_id);
	format->sd_data_open =
		talloc_asprintf(format, "[%.*s" DATA_SUFFIX "%s", (int)name_len,
				sd_id, sd_id + name_len);
	for (severity = 0; severity < 8; severity++) {
		snprintf(format->pri[severity], sizeof(format->pri[severity]),
			 "<%u>", config->facility * 8 + severity);
	}
	return format->sd_open != NULL && format->sd_data_open != NULL;
}

everr_t forward_format_create(TALLOC_CTX *mem_ctx,
			      const struct forward_config *config,
			      const char *computer, struct event_dict *dict,
			      const struct event_catalog *catalog,
			      struct forward_format **ret_format)
{
	struct forward_format *format = NULL;
	size_t work_max = FORMAT_WORK_MAX;
	everr_t err;

	if (config->sd_id == NULL || !forward_sd_id_valid(config->sd_id) ||
	    config->facility > 23 ||
	    config->max_message < FORWARD_MESSAGE_MIN) {
		return EVERR_INVALID;
	}
	format = talloc_zero(mem_ctx, struct forward_format);
	if (format == NULL) {
		return EVERR_NOMEM;
	}
	format->kind = (enum forward_format_kind)config->format;
	format->max_message = config->max_message < FORMAT_MESSAGE_MAX
				      ? (size_t)config->max_message
				      : FORMAT_MESSAGE_MAX;
	if (work_max < format->max_message + FORMAT_MARKS_ROOM) {
		work_max = format->max_message + FORMAT_MARKS_ROOM;
	}
	format->dict = dict;
	format->catalog = catalog;
	event_crc32_init(&format->crc);
	buf_init(&format->work, format, work_max);
	buf_init(&format->scratch, format, work_max);
	buf_init(&format->cut, format, work_max);
	format->pool = talloc_pool(format, FORMAT_POOL_SIZE);
	err = format->pool != NULL && set_texts(format, config) ? EVERR_OK
								: EVERR_NOMEM;
	if (err == EVERR_OK) {
		err = format_known_new(format, computer,
				       format_hostname(format), &format->self);
	}
	if (err != EVERR_OK) {
		talloc_free(format);
		return err;
	}
	*ret_format = format;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- marks */

static bool is_json(const struct forward_format *format)
{
	return format->kind == FORWARD_JSON ||
	       format->kind == FORWARD_RFC5424_JSON;
}

static void put_mark_names(struct buf *out, uint32_t marks, const char *quote)
{
	static const struct {
		uint32_t mark;
		const char *name;
	} names[] = {{FORWARD_CUT, "cut"},
		     {FORWARD_REPLACED, "replaced"},
		     {FORWARD_DAMAGED, "damaged"}};
	const char *between = "";
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((marks & names[i].mark) != 0) {
			buf_puts(out, between);
			buf_puts(out, quote);
			buf_puts(out, names[i].name);
			buf_puts(out, quote);
			between = ",";
		}
	}
}

/* The marks, and how long the whole was, in the format's own form. */
static void write_marks(const struct format_run *run, struct buf *out,
			size_t size)
{
	bool rfc5424 = run->format->kind == FORWARD_RFC5424;
	bool json = is_json(run->format);

	buf_puts(out, json	? "\"marks\":["
		      : rfc5424 ? " marks=\""
				: "marks=\"");
	put_mark_names(out, run->marks, json ? "\"" : "");
	buf_puts(out, json ? "]" : "\"");
	if ((run->marks & FORWARD_CUT) != 0) {
		buf_puts(out, json ? ",\"size\":" : " size=\"");
		format_put_number(out, size);
		buf_puts(out, json ? "" : "\"");
	}
	if (!rfc5424) {
		buf_puts(out, json ? "," : " ");
	}
}

/* Put the marks in where they belong: before everything of any length. */
static everr_t insert_marks(struct format_run *run)
{
	struct buf *out = run->out;
	struct buf *text = &run->format->scratch;
	size_t size = out->len;

	buf_reset(text);
	write_marks(run, text, size);
	if (buf_error(text) != EVERR_OK) {
		return buf_error(text);
	}
	/* What is lost here would be cut off below. */
	run->broken = out->err != EVERR_OK || size > out->max - text->len;
	out->err = EVERR_OK;
	buf_truncate(out, out->max - text->len);
	size = out->len;
	if (buf_extend(out, text->len) == NULL) {
		return buf_error(out);
	}
	memmove(out->data + run->marks_at + text->len,
		out->data + run->marks_at, size - run->marks_at);
	memcpy(out->data + run->marks_at, text->data, text->len);
	run->marks_at += text->len;
	run->text_at += run->text_at > 0 ? text->len : 0;
	/* Pushed out, and what was before it perhaps in part. */
	if (run->text_at > out->len) {
		run->text_at = 0;
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------------ end */

static everr_t put_cut(struct format_run *run, struct buf *ret_out)
{
	struct forward_format *format = run->format;
	const struct format_cut cut = {
		.data = run->out->data,
		.len = run->out->len,
		.start = run->marks_at,
		.text_at = is_json(format) ? 0 : run->text_at,
		.brackets = format->kind == FORWARD_RFC5424,
		.broken = run->broken,
		.max = format->max_message,
	};

	buf_reset(&format->cut);
	if (is_json(format)) {
		format_cut_json(&format->cut, &cut);
	} else {
		format_cut_syslog(&format->cut, &cut);
	}
	if (buf_error(&format->cut) != EVERR_OK) {
		return buf_error(&format->cut);
	}
	buf_put(ret_out, format->cut.data, format->cut.len);
	return buf_error(ret_out);
}

/* A large event's memory is not kept for the small ones behind it. */
static void trim(struct buf *buf)
{
	if (buf->size > FORMAT_WORK_KEEP) {
		buf_free(buf);
	}
}

/* Hand the message over, marked and no longer than allowed. */
everr_t format_run_finish(struct format_run *run, struct buf *ret_out)
{
	struct forward_format *format = run->format;
	size_t old_len = ret_out->len;
	everr_t err = EVERR_OK;

	if (run->out->err == EVERR_NOMEM) {
		return EVERR_NOMEM;
	}
	if (run->out->err != EVERR_OK ||
	    run->out->len + (run->marks != 0 ? FORMAT_MARKS_ROOM : 0) >
		    format->max_message) {
		run->marks |= FORWARD_CUT;
	}
	if (run->marks != 0) {
		err = insert_marks(run);
	}
	if (err == EVERR_OK && (run->marks & FORWARD_CUT) != 0) {
		err = put_cut(run, ret_out);
	} else if (err == EVERR_OK) {
		buf_put(ret_out, run->out->data, run->out->len);
		err = buf_error(ret_out);
	}
	if (err != EVERR_OK) {
		buf_truncate(ret_out, old_len);
	}
	trim(&format->work);
	trim(&format->scratch);
	trim(&format->cut);
	return err;
}

/* --------------------------------------------------------------- events */

static everr_t put_kind(struct format_run *run)
{
	switch (run->format->kind) {
	case FORWARD_RFC5424:
		return format_put_syslog(run);
	case FORWARD_RFC5424_JSON:
		return format_put_syslog_json(run);
	case FORWARD_RFC3164:
		return format_put_rfc3164(run);
	case FORWARD_JSON:
		return format_put_json(run);
	}
	return EVERR_INVALID;
}

/* Back to the beginning, with nothing of the event but its header. */
static void restart(struct format_run *run)
{
	buf_reset(run->out);
	run->render.work = EVENT_RENDER_WORK_MAX - FORMAT_STEPS_MAX;
	run->provider = NULL;
	run->computer = NULL;
	run->data_count = 0;
	run->marks = 0;
	run->marks_at = run->text_at = 0;
	run->broken = false;
}

/* The scopes in it, which are large, are set when they are opened. */
void format_run_init(struct format_run *run, struct forward_format *format,
		     const struct forward_event *event)
{
	run->format = format;
	run->out = &format->work;
	run->event = event;
	run->render =
		(struct event_render){.out = run->out, .dict = format->dict};
	run->scope = NULL;
	run->outer_open = false;
	run->inner_open = false;
	run->program = NULL;
	run->own_program = NULL;
	restart(run);
}

/* With all that is in the event. */
static everr_t put_whole(struct format_run *run)
{
	everr_t err;

	err = format_run_open(run);
	if (err == EVERR_OK) {
		err = put_kind(run);
		format_run_close(run);
	}
	return err;
}

/*
 * With what can be read.  Of an object that does not end within the buffer, or
 * takes too many steps, there is nothing that could be sent; parameters are
 * sent as far as they go.
 */
static everr_t put_event(struct format_run *run)
{
	uint32_t mark = FORWARD_DAMAGED;
	everr_t err;

	err = put_whole(run);
	if (err == EVERR_NOMEM || run->out->err == EVERR_NOMEM) {
		return EVERR_NOMEM;
	}
	if (run->out->err != EVERR_OK || err == EVERR_LIMIT) {
		mark = FORWARD_CUT;
		if (run->marks_at > 0 && !is_json(run->format)) {
			run->marks |= mark;
			return EVERR_OK;
		}
	} else if (err == EVERR_OK) {
		return EVERR_OK;
	}
	restart(run);
	err = put_kind(run);
	run->marks |= mark;
	return err;
}

everr_t forward_format_event(struct forward_format *format, struct buf *out,
			     const struct forward_event *event,
			     uint32_t *ret_marks)
{
	struct format_run run;
	everr_t err;

	format_run_init(&run, format, event);
	err = put_event(&run);
	if (err == EVERR_OK) {
		err = format_run_finish(&run, out);
	}
	if (err == EVERR_OK) {
		*ret_marks = run.marks;
	}
	return err;
}
