/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/operational.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/wintime.h"
#include "event/build.h"

#include <string.h>
#include <unistd.h>

/* What the channel keeps when nobody configured it. */
#define OPERATIONAL_MAX_BYTES (64 * 1024 * 1024)
/* Fields of one event, those added here included. */
#define FIELDS_MAX 16
/* UTF-8 bytes of one value; a peer chooses some of them. */
#define FIELD_MAX 1024
/* UTF-8 bytes of a subject that tell it from others. */
#define SUBJECT_MAX 256
/* Events handed to the store and not answered yet. */
#define IN_FLIGHT_MAX 256

/* The bit that marks keywords as a channel's own, facts 10.3. */
#define KEYWORDS 0x8000000000000000ULL

enum {
	LEVEL_ERROR = 2,
	LEVEL_WARNING = 3,
	LEVEL_INFORMATION = 4
};

/* One subject's running minute. */
struct repeat {
	struct repeat *next;
	struct operational *operational;
	enum operational_id id;
	const char *subject; /* NULL: all that found no place of their own */
	uint64_t count;	     /* since the last event about it */
	char *fields[2 * FIELDS_MAX]; /* of the latest repetition */
	size_t num_fields;
	struct tevent_timer *timer;
};

struct operational {
	struct tevent_context *ev;
	struct store_channel *channel;
	const char *computer;
	struct timeval window;
	struct repeat *repeats;
	size_t num_repeats;
	size_t in_flight;
	uint64_t lost; /* reports that could not be written */
	struct buf doc;
	struct buf values;
};

/* An event on its way to disk. */
struct report_state {
	struct operational *operational;
	uint64_t reports; /* how many it stands for, lost ones included */
};

static uint8_t level_of(enum operational_id id)
{
	switch (id) {
	case OPERATIONAL_CONFIGURATION_REFUSED:
	case OPERATIONAL_STORE_FULL:
	case OPERATIONAL_STORE_FAILED:
	case OPERATIONAL_RECORD_DAMAGED:
	case OPERATIONAL_CHANNEL_FULL:
	case OPERATIONAL_SETTINGS_DAMAGED:
		return LEVEL_ERROR;
	case OPERATIONAL_READER_GAP:
	case OPERATIONAL_BOOKMARK_STALE:
	case OPERATIONAL_IDS_SKIPPED:
	case OPERATIONAL_ACCESS_REFUSED:
	case OPERATIONAL_LOGON_FAILED:
	case OPERATIONAL_LIMIT_REACHED:
	case OPERATIONAL_ADDRESS_REFUSED:
	case OPERATIONAL_CHANGE_REFUSED:
	case OPERATIONAL_EXPORT_INCOMPLETE:
	case OPERATIONAL_HOST_LOST:
	case OPERATIONAL_LOG_FAILED:
	case OPERATIONAL_LOG_GAP:
	case OPERATIONAL_LOG_SILENT:
	case OPERATIONAL_COMPUTER_MISMATCH:
	case OPERATIONAL_EVENT_REFUSED:
	case OPERATIONAL_OUTPUT_LOST:
	case OPERATIONAL_OUTPUT_GAP:
	case OPERATIONAL_OUTPUT_CUT:
	case OPERATIONAL_OUTPUT_POSITION_LOST:
	case OPERATIONAL_OUTPUT_REFUSED:
	case OPERATIONAL_OUTPUT_DROPPED:
		return LEVEL_WARNING;
	case OPERATIONAL_STARTED:
	case OPERATIONAL_STOPPING:
	case OPERATIONAL_CONFIGURATION_RELOADED:
	case OPERATIONAL_STORE_ROOM_AGAIN:
	case OPERATIONAL_CHANNEL_CREATED:
	case OPERATIONAL_CHANNEL_CHANGED:
	case OPERATIONAL_CHANNEL_REMOVED:
	case OPERATIONAL_LOG_CLEARED:
	case OPERATIONAL_LOG_EXPORTED:
	case OPERATIONAL_HOST_CONNECTED:
	case OPERATIONAL_HOST_STARTED:
	case OPERATIONAL_HOST_STOPPED:
	case OPERATIONAL_LOG_READING:
	case OPERATIONAL_LOG_HEARD:
	case OPERATIONAL_POSITION_FORGOTTEN:
	case OPERATIONAL_OUTPUT_CONNECTED:
	case OPERATIONAL_OUTPUT_STARTED:
	case OPERATIONAL_OUTPUT_STOPPED:
	case OPERATIONAL_OUTPUT_REWOUND:
		break;
	}
	return LEVEL_INFORMATION;
}

everr_t operational_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			   struct store *store, const char *computer,
			   struct operational **ret_operational)
{
	const struct store_channel_config config = {
		.enabled = true,
		.max_bytes = OPERATIONAL_MAX_BYTES,
	};
	struct operational *operational = NULL;
	everr_t err;

	operational = talloc_zero(mem_ctx, struct operational);
	if (operational == NULL) {
		return EVERR_NOMEM;
	}
	operational->ev = ev;
	operational->window.tv_sec = OPERATIONAL_WINDOW_SECONDS;
	buf_init(&operational->doc, operational, EVENT_WIRE_MAX);
	buf_init(&operational->values, operational, EVENT_WIRE_MAX);
	operational->computer = talloc_strdup(operational, computer);
	if (operational->computer == NULL) {
		talloc_free(operational);
		return EVERR_NOMEM;
	}

	err = store_channel_find(store, OPERATIONAL_CHANNEL,
				 &operational->channel);
	if (err == EVERR_CHANNEL_NOT_FOUND) {
		err = store_channel_define(store, OPERATIONAL_CHANNEL, &config,
					   &operational->channel);
	}
	if (err != EVERR_OK) {
		talloc_free(operational);
		return err;
	}

	*ret_operational = operational;
	return EVERR_OK;
}

void operational_set_window(struct operational *operational,
			    struct timeval window)
{
	operational->window = window;
}

/* ------------------------------------------------------------- writing */

/* The longest prefix of at most FIELD_MAX bytes that cuts no character. */
static size_t field_len(const char *text)
{
	size_t len = strnlen(text, FIELD_MAX + 1);

	if (len <= FIELD_MAX) {
		return len;
	}
	len = FIELD_MAX;
	while (len > 0 && ((uint8_t)text[len] & 0xC0) == 0x80) {
		len--;
	}
	return len;
}

/*
 * Append text as UTF-16.  Some of it was sent by peers: what is not UTF-8
 * keeps its ASCII, so that the report is written all the same.
 */
static everr_t put_text(struct buf *out, const char *text)
{
	size_t start = out->len;
	size_t len = field_len(text);
	size_t i;
	everr_t err;

	err = text_utf8_to_utf16(out, text, len);
	if (err != EVERR_TEXT) {
		return err;
	}
	buf_truncate(out, start);
	for (i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		buf_put_u16(out, c < 0x80 ? c : 0xFFFD);
	}
	return buf_error(out);
}

static everr_t put_fields(struct operational *operational,
			  const char *const *fields, size_t num_fields,
			  struct event_data *data)
{
	struct buf *values = &operational->values;
	size_t ends[FIELDS_MAX];
	size_t start = 0;
	size_t i;

	for (i = 0; i < num_fields; i++) {
		const char *value = fields[2 * i + 1];
		everr_t err;

		err = put_text(values, value == NULL ? "" : value);
		if (err != EVERR_OK) {
			return err;
		}
		ends[i] = values->len;
	}
	/* Only now: the buffer no longer moves. */
	for (i = 0; i < num_fields; i++) {
		data[i] = (struct event_data){
			.name = fields[2 * i],
			.type = EVENT_TYPE_STRING,
			.value = values->data + start,
			.len = ends[i] - start,
		};
		start = ends[i];
	}
	return EVERR_OK;
}

static size_t put_number(struct event_data *data, size_t num_data,
			 const char *name, uint8_t bytes[8], uint64_t number)
{
	le64_set(bytes, number);
	data[num_data] = (struct event_data){
		.name = name,
		.type = EVENT_TYPE_UINT64,
		.value = bytes,
		.len = 8,
	};
	return num_data + 1;
}

static everr_t build(struct operational *operational, enum operational_id id,
		     const char *const *fields, size_t num_fields,
		     uint64_t count)
{
	const struct event_system system = {
		.provider = OPERATIONAL_PROVIDER,
		.event_id = (uint16_t)id,
		.level = level_of(id),
		.keywords = KEYWORDS,
		.time_created = wintime_now(),
		.process_id = (uint32_t)getpid(),
		.channel = OPERATIONAL_CHANNEL,
		.computer = operational->computer,
	};
	struct event_data data[FIELDS_MAX + 2];
	uint8_t count_bytes[8], lost_bytes[8];
	everr_t err;

	buf_reset(&operational->doc);
	buf_reset(&operational->values);
	err = put_fields(operational, fields, num_fields, data);
	if (err != EVERR_OK) {
		return err;
	}
	if (count > 0) {
		num_fields = put_number(data, num_fields, "Count", count_bytes,
					count);
	}
	if (operational->lost > 0) {
		num_fields = put_number(data, num_fields, "LostReports",
					lost_bytes, operational->lost);
	}
	return event_build(&operational->doc, &system, data, num_fields);
}

static void report_done(struct tevent_req *req)
{
	struct report_state *state =
		tevent_req_callback_data(req, struct report_state);
	struct operational *operational = state->operational;
	uint64_t first_id;
	size_t bad;
	everr_t err;

	err = store_append_recv(req, &first_id, &bad);
	operational->in_flight--;
	if (err != EVERR_OK) {
		operational->lost += state->reports;
	}
	TALLOC_FREE(req);
	talloc_free(state);
}

static everr_t send_doc(struct operational *operational, uint64_t reports)
{
	const struct store_input input = {
		.doc = operational->doc.data,
		.len = operational->doc.len,
		.born_here = true,
	};
	struct report_state *state = NULL;
	struct tevent_req *req = NULL;

	if (operational->in_flight >= IN_FLIGHT_MAX) {
		return EVERR_LIMIT;
	}
	state = talloc_zero(operational, struct report_state);
	if (state == NULL) {
		return EVERR_NOMEM;
	}
	state->operational = operational;
	state->reports = reports;

	req = store_append_send(operational, operational->ev,
				operational->channel, &input, 1, NULL, 0);
	if (req == NULL) {
		talloc_free(state);
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(req, report_done, state);
	operational->in_flight++;
	return EVERR_OK;
}

/* count 0: a report of its own; else it stands for so many repetitions. */
static void write_event(struct operational *operational, enum operational_id id,
			const char *const *fields, size_t num_fields,
			uint64_t count)
{
	uint64_t reports = count > 0 ? count : 1;
	everr_t err;

	err = build(operational, id, fields, num_fields, count);
	if (err != EVERR_OK) {
		operational->lost += reports;
		return;
	}
	err = send_doc(operational, reports + operational->lost);
	if (err != EVERR_OK) {
		operational->lost += reports;
		return;
	}
	/* Said by the event under way; counted again should that one fail. */
	operational->lost = 0;
}

/* --------------------------------------------------------- aggregation */

static void repeat_due(struct tevent_context *ev, struct tevent_timer *timer,
		       struct timeval now, void *private_data);

static void repeat_forget_fields(struct repeat *repeat)
{
	size_t i;

	for (i = 0; i < 2 * repeat->num_fields; i++) {
		TALLOC_FREE(repeat->fields[i]);
	}
	repeat->num_fields = 0;
}

/* What cannot be kept is left out: the count is what matters. */
static void repeat_keep_fields(struct repeat *repeat, const char *const *fields,
			       size_t num_fields)
{
	size_t i;

	repeat_forget_fields(repeat);
	for (i = 0; i < num_fields; i++) {
		const char *value = fields[2 * i + 1];

		value = value == NULL ? "" : value;
		repeat->fields[2 * i] = talloc_strdup(repeat, fields[2 * i]);
		repeat->fields[2 * i + 1] =
			talloc_strndup(repeat, value, field_len(value));
		if (repeat->fields[2 * i] == NULL ||
		    repeat->fields[2 * i + 1] == NULL) {
			TALLOC_FREE(repeat->fields[2 * i]);
			TALLOC_FREE(repeat->fields[2 * i + 1]);
			return;
		}
		repeat->num_fields = i + 1;
	}
}

static void repeat_write(struct repeat *repeat)
{
	write_event(repeat->operational, repeat->id,
		    (const char *const *)repeat->fields, repeat->num_fields,
		    repeat->count);
	repeat->count = 0;
	repeat_forget_fields(repeat);
}

static void repeat_free(struct repeat *repeat)
{
	struct repeat **link = &repeat->operational->repeats;

	while (*link != repeat) {
		link = &(*link)->next;
	}
	*link = repeat->next;
	repeat->operational->num_repeats--;
	talloc_free(repeat);
}

static everr_t repeat_arm(struct repeat *repeat)
{
	struct operational *operational = repeat->operational;
	struct timeval due;

	due = tevent_timeval_current_ofs((uint32_t)operational->window.tv_sec,
					 (uint32_t)operational->window.tv_usec);
	repeat->timer = tevent_add_timer(operational->ev, repeat, due,
					 repeat_due, repeat);
	return repeat->timer == NULL ? EVERR_NOMEM : EVERR_OK;
}

static void repeat_due(struct tevent_context *ev, struct tevent_timer *timer,
		       struct timeval now, void *private_data)
{
	struct repeat *repeat =
		talloc_get_type_abort(private_data, struct repeat);
	everr_t err;

	repeat->timer = NULL;
	if (repeat->count == 0) {
		repeat_free(repeat);
		return;
	}
	repeat_write(repeat);
	err = repeat_arm(repeat);
	if (err != EVERR_OK) {
		repeat_free(repeat);
	}
}

static struct repeat *repeat_find(struct operational *operational,
				  enum operational_id id, const char *subject)
{
	struct repeat *repeat = NULL;

	for (repeat = operational->repeats; repeat != NULL;
	     repeat = repeat->next) {
		if (repeat->id != id) {
			continue;
		}
		if (subject == NULL || repeat->subject == NULL) {
			if (subject == repeat->subject) {
				return repeat;
			}
			continue;
		}
		if (strncmp(repeat->subject, subject, SUBJECT_MAX) == 0) {
			return repeat;
		}
	}
	return NULL;
}

/* subject NULL: the one for all the others. */
static struct repeat *repeat_add(struct operational *operational,
				 enum operational_id id, const char *subject)
{
	struct repeat *repeat = NULL;
	everr_t err;

	repeat = talloc_zero(operational, struct repeat);
	if (repeat == NULL) {
		return NULL;
	}
	repeat->operational = operational;
	repeat->id = id;
	if (subject != NULL) {
		repeat->subject = talloc_strndup(repeat, subject, SUBJECT_MAX);
		if (repeat->subject == NULL) {
			talloc_free(repeat);
			return NULL;
		}
	}
	err = repeat_arm(repeat);
	if (err != EVERR_OK) {
		talloc_free(repeat);
		return NULL;
	}
	repeat->next = operational->repeats;
	operational->repeats = repeat;
	operational->num_repeats++;
	return repeat;
}

/*
 * No place for the subject: it is counted together with the others that found
 * none.  There is one such entry per event id, so the table stays bounded.
 */
static void report_others(struct operational *operational,
			  enum operational_id id)
{
	static const char *const others[] = {"Subject", "others"};
	struct repeat *repeat = NULL;

	repeat = repeat_find(operational, id, NULL);
	if (repeat == NULL) {
		repeat = repeat_add(operational, id, NULL);
	}
	if (repeat == NULL) {
		operational->lost++;
		return;
	}
	repeat_keep_fields(repeat, others, 1);
	repeat->count++;
}

void operational_report(struct operational *operational, enum operational_id id,
			const char *subject, const char *const *fields,
			size_t num_fields)
{
	struct repeat *repeat = NULL;

	if (operational == NULL) {
		return;
	}
	if (num_fields > FIELDS_MAX) {
		num_fields = FIELDS_MAX;
	}
	if (subject == NULL) {
		write_event(operational, id, fields, num_fields, 0);
		return;
	}

	repeat = repeat_find(operational, id, subject);
	if (repeat != NULL) {
		repeat_keep_fields(repeat, fields, num_fields);
		repeat->count++;
		return;
	}
	if (operational->num_repeats >= OPERATIONAL_SUBJECTS_MAX) {
		report_others(operational, id);
		return;
	}
	repeat = repeat_add(operational, id, subject);
	if (repeat == NULL) {
		operational->lost++;
		return;
	}
	write_event(operational, id, fields, num_fields, 0);
}

bool operational_has_room(const struct operational *operational)
{
	return operational == NULL ||
	       operational->in_flight < IN_FLIGHT_MAX / 2;
}

void operational_flush(struct operational *operational)
{
	struct repeat *repeat = NULL;
	struct repeat *next = NULL;

	if (operational == NULL) {
		return;
	}
	for (repeat = operational->repeats; repeat != NULL; repeat = next) {
		next = repeat->next;
		if (repeat->count > 0) {
			repeat_write(repeat);
		}
		repeat_free(repeat);
	}
}
