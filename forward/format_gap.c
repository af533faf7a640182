/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

/*
 * What is missing between two events, as a message of Evenlog's own: warning,
 * APP-NAME evenlog, MSGID gap.
 */

#define APP_NAME "evenlog"
#define SEVERITY_WARNING 4

/* A sentence, in scratch. */
static void write_sentence(struct format_run *run,
			   const struct forward_gap *gap)
{
	struct buf *text = &run->format->scratch;

	buf_reset(text);
	if (gap->at_most) {
		FORMAT_PUT(text, "up to ");
	}
	format_put_number(text, gap->missing);
	FORMAT_PUT(text, " events of channel ");
	buf_puts(text, run->event->channel);
	FORMAT_PUT(text, " are missing, records ");
	format_put_number(text, gap->first);
	FORMAT_PUT(text, " to ");
	format_put_number(text, gap->last);
	FORMAT_PUT(text, ": ");
	buf_puts(text, gap->cause);
}

static void put_sentence(struct format_run *run, const struct forward_gap *gap,
			 unsigned int form)
{
	const struct buf *text = &run->format->scratch;

	write_sentence(run, gap);
	format_put_utf8(run->out, (const char *)text->data, text->len,
			form | FORMAT_FLOWING, &run->marks);
}

static void put_text(struct format_run *run, const char *name, const char *text)
{
	buf_puts(run->out, name);
	format_put_utf8(run->out, text, strlen(text), FORMAT_QUOTED,
			&run->marks);
	buf_put_u8(run->out, '"');
}

static void put_number(struct format_run *run, const char *name, uint64_t v)
{
	buf_puts(run->out, name);
	format_put_number(run->out, v);
	buf_put_u8(run->out, '"');
}

static void put_params(struct format_run *run, const struct forward_gap *gap)
{
	put_text(run, " channel=\"", run->event->channel);
	put_number(run, " gapFirst=\"", gap->first);
	put_number(run, " gapLast=\"", gap->last);
	put_number(run, " gapMissing=\"", gap->missing);
	put_text(run, " gapExact=\"", forward_gap_exact(gap));
	put_text(run, " gapCause=\"", gap->cause);
}

static void put_rfc5424(struct format_run *run, const struct forward_gap *gap)
{
	struct buf *out = run->out;

	format_put_header(run, SEVERITY_WARNING, APP_NAME, "gap");
	buf_puts(out, run->format->sd_open);
	run->marks_at = out->len;
	put_params(run, gap);
	FORMAT_PUT(out, "] ");
	run->text_at = out->len;
	put_sentence(run, gap, FORMAT_TEXT);
	format_add_bom(out, run->text_at);
}

static void put_rfc3164(struct format_run *run, const struct forward_gap *gap)
{
	format_put_bsd_header(run, SEVERITY_WARNING, APP_NAME);
	run->marks_at = run->out->len;
	FORMAT_PUT(run->out, "msg=\"");
	put_sentence(run, gap, FORMAT_QUOTED);
	buf_put_u8(run->out, '"');
	put_params(run, gap);
}

/* {"channel":...,"received":...,"gap":{...},"message":...} */
static void put_json(struct format_run *run, const struct forward_gap *gap)
{
	struct buf *out = run->out;
	const struct buf *text = &run->format->scratch;
	size_t start = out->len;

	buf_put_u8(out, '{');
	run->marks_at = out->len;
	format_put_json_text(out, "\"channel\":", run->event->channel);
	FORMAT_PUT(out, ",\"received\":\"");
	format_put_time(out, &run->format->received, run->event->received);
	FORMAT_PUT(out, "\",\"gap\":{");
	format_put_json_number(out, "\"first\":", gap->first);
	format_put_json_number(out, ",\"last\":", gap->last);
	format_put_json_number(out, ",\"missing\":", gap->missing);
	format_put_json_text(out, ",\"exact\":", forward_gap_exact(gap));
	format_put_json_text(out, ",\"cause\":", gap->cause);
	FORMAT_PUT(out, "}");
	write_sentence(run, gap);
	buf_put_u8(&run->format->scratch, 0);
	if (text->data != NULL) {
		format_put_json_text(out,
				     ",\"message\":", (const char *)text->data);
	}
	buf_put_u8(out, '}');
	format_clean_json(run, start);
}

static void put_syslog_json(struct format_run *run,
			    const struct forward_gap *gap)
{
	size_t start;

	format_put_header(run, SEVERITY_WARNING, APP_NAME, "gap");
	start = run->out->len;
	buf_puts(run->out, run->format->sd_open);
	put_text(run, " channel=\"", run->event->channel);
	FORMAT_PUT(run->out, "] ");
	format_limit_sd(run->out, start);
	put_json(run, gap);
}

everr_t forward_format_gap(struct forward_format *format, struct buf *out,
			   const char *channel, const struct forward_gap *gap,
			   uint64_t now)
{
	const struct event_header header = {};
	const struct forward_event event = {
		.channel = channel, .received = now, .header = &header};
	struct format_run run;

	format_run_init(&run, format, &event);
	switch (format->kind) {
	case FORWARD_RFC5424:
		put_rfc5424(&run, gap);
		break;
	case FORWARD_RFC5424_JSON:
		put_syslog_json(&run, gap);
		break;
	case FORWARD_RFC3164:
		put_rfc3164(&run, gap);
		break;
	case FORWARD_JSON:
		put_json(&run, gap);
		break;
	}
	return format_run_finish(&run, out);
}
