/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

#include "base/text.h"
#include "base/wintime.h"
#include "event/value.h"

#include <stdio.h>

/* Keywords of the standard: winmeta.xml's win:AuditFailure. */
#define KEYWORD_AUDIT_FAILURE 0x10000000000000ULL

/* Of a process's number. */
#define UINT32_DIGITS_MAX 10

/* Where the object says the same, longer structured data are left out. */
#define SHORT_SD_MAX 512

/* RFC 5424 6.2.1. */
enum severity {
	SEVERITY_CRITICAL = 2,
	SEVERITY_ERROR = 3,
	SEVERITY_WARNING = 4,
	SEVERITY_NOTICE = 5,
	SEVERITY_INFORMATIONAL = 6,
	SEVERITY_DEBUG = 7
};

static unsigned int severity_of(const struct event_header *header)
{
	switch (header->level) {
	case 1:
		return SEVERITY_CRITICAL;
	case 2:
		return SEVERITY_ERROR;
	case 3:
		return SEVERITY_WARNING;
	case 5:
		return SEVERITY_DEBUG;
	}
	/* Audit events have level 0. */
	return (header->keywords & KEYWORD_AUDIT_FAILURE) != 0
		       ? SEVERITY_NOTICE
		       : SEVERITY_INFORMATIONAL;
}

/* --------------------------------------------------------------- header */

/* TimeCreated, else the time of its arrival. */
static uint64_t event_time(const struct format_run *run)
{
	const struct event_header *header = run->event->header;

	return (header->has & EVENT_HAS_TIME) != 0 ? header->time_created
						   : run->event->received;
}

/* RFC 5424 6.2.3: at most six digits of the fraction. */
static void put_timestamp(struct format_run *run)
{
	uint64_t time = event_time(run);
	struct format_second *cache = &run->format->created;

	if (!format_second(cache, time)->in_range) {
		buf_put_u8(run->out, '-');
		return;
	}
	format_put_time(run->out, cache, time);
	buf_truncate(run->out, run->out->len - 2);
	buf_put_u8(run->out, 'Z');
}

static const struct format_known *hostname(const struct format_run *run)
{
	return run->computer != NULL ? run->computer : run->format->self;
}

static bool all_digits(const struct buf *text)
{
	size_t i;

	for (i = 0; i < text->len; i++) {
		if (text->data[i] < '0' || text->data[i] > '9') {
			return false;
		}
	}
	return true;
}

/* A number; in an event without template it is text. */
static bool put_process(struct format_run *run)
{
	const struct buf *scratch = &run->format->scratch;
	const struct event_value *value = NULL;
	uint32_t first = EVENT_PLAN_NONE;
	everr_t err;

	value = format_field(run, FORMAT_PROCESS, &first);
	if (value != NULL && value->type == EVENT_TYPE_UINT32 &&
	    value->len == 4) {
		format_put_number(run->out, le32_get(value->data));
		return true;
	}
	err = format_read_parts(run, run->scope, first);
	if (err != EVERR_OK || scratch->len == 0 ||
	    scratch->len > UINT32_DIGITS_MAX || !all_digits(scratch)) {
		return false;
	}
	buf_put(run->out, scratch->data, scratch->len);
	return true;
}

static void put_procid(struct format_run *run)
{
	if (run->scope == NULL || !put_process(run)) {
		buf_put_u8(run->out, '-');
	}
}

static void put_host(struct format_run *run)
{
	const struct format_known *host = hostname(run);

	buf_put(run->out, host->header, host->header_len);
	if (host->header_differs) {
		run->marks |= FORWARD_REPLACED;
	}
}

/* RFC 5424 6.2. */
void format_put_header(struct format_run *run, unsigned int severity,
		       const char *app_name, const char *msgid)
{
	struct buf *out = run->out;

	buf_puts(out, run->format->pri[severity]);
	FORMAT_PUT(out, "1 ");
	put_timestamp(run);
	buf_put_u8(out, ' ');
	put_host(run);
	buf_put_u8(out, ' ');
	buf_puts(out, app_name);
	buf_put_u8(out, ' ');
	put_procid(run);
	buf_put_u8(out, ' ');
	buf_puts(out, msgid);
	buf_put_u8(out, ' ');
}

static void put_header(struct format_run *run)
{
	const struct event_header *header = run->event->header;
	char msgid[8] = "-";

	if ((header->has & EVENT_HAS_EVENT_ID) != 0) {
		snprintf(msgid, sizeof(msgid), "%u", header->event_id);
	}
	format_put_header(run, severity_of(header),
			  run->provider != NULL ? run->provider->header : "-",
			  msgid);
}

/* ----------------------------------------------------------- parameters */

static void put_number_param(struct buf *out, const char *name, size_t len,
			     uint64_t v)
{
	buf_put(out, name, len);
	format_put_number(out, v);
	buf_put_u8(out, '"');
}
#define PUT_NUMBER(out, name, v) \
	put_number_param((out), (name), sizeof(name) - 1, (v))

static void put_text_param(struct format_run *run, const char *name,
			   const char *text)
{
	buf_puts(run->out, name);
	format_put_utf8(run->out, text, strlen(text), FORMAT_QUOTED,
			&run->marks);
	buf_put_u8(run->out, '"');
}

static void put_known_param(struct format_run *run, const char *name,
			    const struct format_known *known)
{
	buf_puts(run->out, name);
	buf_put(run->out, known->quoted, known->quoted_len);
	buf_put_u8(run->out, '"');
	run->marks |= known->marks;
}

/* A field of System, unless it is missing or empty. */
static everr_t put_field(struct format_run *run, const char *name,
			 enum format_field field)
{
	struct buf *scratch = &run->format->scratch;
	const struct event_value *value = NULL;
	uint32_t first = EVENT_PLAN_NONE;
	everr_t err;

	value = format_field(run, field, &first);
	if (value != NULL && event_value_is_empty(value)) {
		return EVERR_OK;
	}
	if (value != NULL) {
		buf_puts(run->out, name);
		err = format_put_value(run, value);
		buf_put_u8(run->out, '"');
		return err;
	}
	err = format_read_parts(run, run->scope, first);
	if (err == EVERR_OK && scratch->len > 0) {
		buf_puts(run->out, name);
		format_put_utf8(run->out, (const char *)scratch->data,
				scratch->len, FORMAT_QUOTED, &run->marks);
		buf_put_u8(run->out, '"');
	}
	return err;
}

/* Whether a value in the event is what its channel's name is here. */
static bool is_channel(const struct event_value *value, const char *channel)
{
	size_t n = text_utf16_nlen(value->data, value->len / 2);
	size_t i;

	for (i = 0; i < n && channel[i] != '\0'; i++) {
		uint16_t unit = le16_get(value->data + 2 * i);
		const char a[2] = {(char)unit, '\0'};
		const char b[2] = {channel[i], '\0'};

		if (unit >= 0x80 || (a[0] != b[0] && !text_name_equal(a, b))) {
			return false;
		}
	}
	return i == n && channel[i] == '\0';
}

/* The same for one that is text in the template, as in older ones. */
static everr_t put_channel_text(struct format_run *run, uint32_t first)
{
	struct buf *scratch = &run->format->scratch;
	everr_t err;

	err = format_read_parts(run, run->scope, first);
	if (err != EVERR_OK || scratch->len == 0) {
		return err;
	}
	buf_put_u8(scratch, 0);
	if (buf_error(scratch) == EVERR_OK &&
	    !text_name_equal((const char *)scratch->data,
			     run->event->channel)) {
		put_text_param(run, " eventChannel=\"",
			       (const char *)scratch->data);
	}
	return buf_error(scratch);
}

/* What the event says of its place in another log. */
static everr_t put_original_place(struct format_run *run)
{
	const struct event_value *value = NULL;
	uint32_t first = EVENT_PLAN_NONE;
	everr_t err = EVERR_OK;

	value = format_field(run, FORMAT_RECORD_ID, &first);
	if (value == NULL || value->type != EVENT_TYPE_UINT64 ||
	    value->len != 8 || le64_get(value->data) != run->event->record_id) {
		err = put_field(run, " eventRecordId=\"", FORMAT_RECORD_ID);
	}
	if (err != EVERR_OK) {
		return err;
	}
	value = format_field(run, FORMAT_CHANNEL, &first);
	if (value != NULL && value->type == EVENT_TYPE_STRING) {
		return is_channel(value, run->event->channel)
			       ? EVERR_OK
			       : put_field(run, " eventChannel=\"",
					   FORMAT_CHANNEL);
	}
	return put_channel_text(run, first);
}

/* What is in the event's header: all there is of a damaged one. */
static void put_header_params(struct format_run *run)
{
	const struct event_header *header = run->event->header;
	struct buf *out = run->out;

	if ((header->has & EVENT_HAS_EVENT_ID) != 0) {
		PUT_NUMBER(out, " eventId=\"", header->event_id);
	}
	if ((header->has & EVENT_HAS_VERSION) != 0) {
		PUT_NUMBER(out, " version=\"", header->version);
	}
	if ((header->has & EVENT_HAS_LEVEL) != 0) {
		PUT_NUMBER(out, " level=\"", header->level);
	}
	if ((header->has & EVENT_HAS_TASK) != 0) {
		PUT_NUMBER(out, " task=\"", header->task);
	}
	if ((header->has & EVENT_HAS_OPCODE) != 0) {
		PUT_NUMBER(out, " opcode=\"", header->opcode);
	}
	if ((header->has & EVENT_HAS_KEYWORDS) != 0) {
		FORMAT_PUT(out, " keywords=\"");
		format_put_hex(out, header->keywords);
		buf_put_u8(out, '"');
	}
	if ((header->has & EVENT_HAS_TIME) != 0) {
		FORMAT_PUT(out, " time=\"");
		format_put_time(out, &run->format->created,
				header->time_created);
		buf_put_u8(out, '"');
	}
}

static everr_t put_system_params(struct format_run *run)
{
	static const struct {
		const char *name;
		enum format_field field;
	} fields[] = {
		{" qualifiers=\"", FORMAT_QUALIFIERS},
		{" activityId=\"", FORMAT_ACTIVITY},
		{" relatedActivityId=\"", FORMAT_RELATED_ACTIVITY},
		{" processId=\"", FORMAT_PROCESS},
		{" threadId=\"", FORMAT_THREAD},
		{" userSid=\"", FORMAT_USER},
	};
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]) && err == EVERR_OK;
	     i++) {
		err = put_field(run, fields[i].name, fields[i].field);
	}
	return err;
}

/* Where the event is here, and where it came from. */
static void put_place(struct format_run *run)
{
	put_text_param(run, " channel=\"", run->event->channel);
	PUT_NUMBER(run->out, " recordId=\"", run->event->record_id);
}

static void put_origin(struct format_run *run)
{
	FORMAT_PUT(run->out, " received=\"");
	format_put_time(run->out, &run->format->received, run->event->received);
	buf_put_u8(run->out, '"');
	if (run->event->origin != NULL) {
		put_text_param(run, " origin=\"", run->event->origin);
	}
	if (run->event->origin_mark != NULL) {
		put_text_param(run, " originMark=\"", run->event->origin_mark);
	}
}

/* All parameters but those of the event's data. */
static everr_t put_params(struct format_run *run)
{
	everr_t err = EVERR_OK;

	put_place(run);
	if (run->scope != NULL) {
		err = put_original_place(run);
	}
	if (run->provider != NULL) {
		put_known_param(run, " provider=\"", run->provider);
	}
	if (run->scope != NULL && err == EVERR_OK) {
		err = put_field(run, " providerGuid=\"", FORMAT_PROVIDER_GUID);
	}
	put_header_params(run);
	put_origin(run);
	if (run->scope != NULL && err == EVERR_OK) {
		err = put_system_params(run);
	}
	if (run->computer != NULL && run->computer->header_differs) {
		put_known_param(run, " computer=\"", run->computer);
	}
	return err;
}

/* ------------------------------------------------------------- messages */

/* What stands for a message: the name of the provider and the event's id. */
static void put_default_message(struct format_run *run, unsigned int form)
{
	const struct event_header *header = run->event->header;

	if (run->provider != NULL) {
		format_put_utf8(run->out, run->provider->text,
				run->provider->text_len, form | FORMAT_FLOWING,
				&run->marks);
		buf_put_u8(run->out, ' ');
	}
	FORMAT_PUT(run->out, "event");
	if ((header->has & EVENT_HAS_EVENT_ID) != 0) {
		buf_put_u8(run->out, ' ');
		format_put_number(run->out, header->event_id);
	}
}

static everr_t put_message(struct format_run *run, unsigned int form)
{
	const struct buf *scratch = &run->format->scratch;
	bool found = false;
	everr_t err;

	err = format_read_message(run, &found);
	if (err != EVERR_OK) {
		return err;
	}
	if (!found) {
		put_default_message(run, form);
		return EVERR_OK;
	}
	format_put_utf8(run->out, (const char *)scratch->data, scratch->len,
			form | FORMAT_FLOWING, &run->marks);
	return EVERR_OK;
}

static bool is_ascii(const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint8_t any = 0;

	for (i = 0; i < n; i++) {
		any |= p[i];
	}
	return any < 0x80;
}

/*
 * RFC 5424 6.4: text that is not ASCII begins with a BOM.  ASCII may be sent
 * without, and is: many receivers show the BOM to people.
 */
void format_add_bom(struct buf *out, size_t start)
{
	if (buf_error(out) != EVERR_OK ||
	    is_ascii(out->data + start, out->len - start) ||
	    buf_extend(out, 3) == NULL) {
		return;
	}
	memmove(out->data + start + 3, out->data + start, out->len - start - 3);
	memcpy(out->data + start, "\xEF\xBB\xBF", 3);
}

static everr_t put_data_element(struct format_run *run)
{
	struct buf *out = run->out;
	size_t start = out->len;
	size_t first;
	everr_t err;

	buf_puts(out, run->format->sd_data_open);
	first = out->len;
	err = format_put_data(run);
	if (out->len == first) {
		buf_truncate(out, start);
	} else {
		buf_put_u8(out, ']');
	}
	return err;
}

everr_t format_put_syslog(struct format_run *run)
{
	struct buf *out = run->out;
	everr_t err;

	put_header(run);
	buf_puts(out, run->format->sd_open);
	run->marks_at = out->len;
	err = put_params(run);
	buf_put_u8(out, ']');
	if (run->scope != NULL && err == EVERR_OK) {
		err = put_data_element(run);
	}
	if (err != EVERR_OK) {
		return err;
	}
	buf_put_u8(out, ' ');
	run->text_at = out->len;
	err = put_message(run, FORMAT_TEXT);
	format_add_bom(out, run->text_at);
	return err;
}

void format_limit_sd(struct buf *out, size_t start)
{
	if (out->len - start > SHORT_SD_MAX) {
		buf_truncate(out, start);
		FORMAT_PUT(out, "- ");
	}
}

/* The structured data say where the event is; the object says it, too. */
everr_t format_put_syslog_json(struct format_run *run)
{
	struct buf *out = run->out;
	size_t start;

	put_header(run);
	start = out->len;
	buf_puts(out, run->format->sd_open);
	put_place(run);
	if (run->event->origin != NULL) {
		put_text_param(run, " origin=\"", run->event->origin);
	}
	FORMAT_PUT(out, "] ");
	format_limit_sd(out, start);
	return format_put_json(run);
}

/* ------------------------------------------------------------- RFC 3164 */

/* 4.1.2: Mmm dd hh:mm:ss, and no zone: UTC. */
static void put_bsd_time(struct format_run *run)
{
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr",
					   "May", "Jun", "Jul", "Aug",
					   "Sep", "Oct", "Nov", "Dec"};
	struct format_second *cache = &run->format->created;
	const char *text = NULL;
	uint8_t day[3] = {' '};
	unsigned int month;

	text = format_second(cache, event_time(run))->text;
	if (!cache->in_range) {
		text = format_second(cache, run->event->received)->text;
	}
	if (!cache->in_range) {
		text = "1970-01-01T00:00:00";
	}
	month = (unsigned int)(text[5] - '0') * 10 +
		(unsigned int)(text[6] - '0');
	buf_put(run->out, months[(month + 11) % 12], 3);
	day[1] = text[8] == '0' ? ' ' : (uint8_t)text[8];
	day[2] = (uint8_t)text[9];
	buf_put(run->out, day, sizeof(day));
	buf_put_u8(run->out, ' ');
	buf_put(run->out, text + 11, 8);
}

void format_put_bsd_header(struct format_run *run, unsigned int severity,
			   const char *tag)
{
	struct buf *out = run->out;
	size_t start;

	buf_puts(out, run->format->pri[severity]);
	put_bsd_time(run);
	buf_put_u8(out, ' ');
	put_host(run);
	buf_put_u8(out, ' ');
	buf_puts(out, tag);
	start = out->len;
	buf_put_u8(out, '[');
	put_procid(run);
	if (buf_error(out) == EVERR_OK && out->data[out->len - 1] == '-') {
		buf_truncate(out, start);
	} else {
		buf_put_u8(out, ']');
	}
	FORMAT_PUT(out, ": ");
}

/*
 * The message comes first, for people and for relays that cut; it is quoted
 * like the rest, so that no text of an event passes for a value of ours.
 */
everr_t format_put_rfc3164(struct format_run *run)
{
	struct buf *out = run->out;
	everr_t err;

	format_put_bsd_header(run, severity_of(run->event->header),
			      run->provider != NULL ? run->provider->tag
						    : "event");
	run->marks_at = out->len;
	FORMAT_PUT(out, "msg=\"");
	err = put_message(run, FORMAT_QUOTED);
	buf_put_u8(out, '"');
	if (err == EVERR_OK) {
		err = put_params(run);
	}
	if (run->scope != NULL && err == EVERR_OK) {
		err = format_put_data(run);
	}
	return err;
}
