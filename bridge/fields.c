/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/fields.h"

#include "bridge/decode.h"
#include "bridge/document.h"
#include "bridge/text.h"
#include "event/build.h"

/* The bit of a provider's first channel, as winmeta has it. */
#define CHANNEL_KEYWORD 0x8000000000000000ULL

/*
 * EventData is one BinXML value: what frames it, and what each Data takes
 * there beside the two bytes of each letter of its name and its value.
 */
#define BODY_FRAME 128
#define DATA_FRAME 80

void bridge_event_begin(struct bridge_event *event,
			const struct bridge_provider *provider,
			const struct bridge_kind *kind,
			const struct bridge_origin *origin)
{
	event->provider = provider;
	event->kind = kind;
	event->origin = origin;
	event->computer = NULL;
	event->time = 0;
	event->level = kind->level;
	event->num_fields = 0;
}

/* ------------------------------------------------------------ the fields */

/* There is always room: no kind of event has that many. */
static struct bridge_field *next_field(struct bridge_event *event,
				       const char *name, uint8_t type)
{
	struct bridge_field *field = &event->fields[event->num_fields];

	if (event->num_fields < BRIDGE_FIELDS_MAX - 1) {
		event->num_fields++;
	}
	*field = (struct bridge_field){.name = name, .type = type};
	return field;
}

void bridge_put_text(struct bridge_event *event, const char *name,
		     const char *text)
{
	struct bridge_field *field = NULL;

	field = next_field(event, name, EVENT_TYPE_STRING);
	if (text == NULL) {
		text = "";
	}
	field->text = text;
	field->len = strlen(text);
	field->num_units =
		bridge_text_units(text, field->len, EVENT_VALUE_MAX / 2);
}

void bridge_put_guid(struct bridge_event *event, const char *name,
		     const struct ev_guid *guid)
{
	struct bridge_field *field = NULL;

	field = next_field(event, name, EVENT_TYPE_GUID);
	memcpy(field->bytes, guid, sizeof(*guid));
	field->num_bytes = sizeof(*guid);
}

static void put_number(struct bridge_event *event, const char *name,
		       uint8_t type, uint8_t num_bytes, uint64_t value)
{
	struct bridge_field *field = next_field(event, name, type);

	le64_set(field->bytes, value);
	field->num_bytes = num_bytes;
}

void bridge_put_time(struct bridge_event *event, const char *name,
		     uint64_t filetime)
{
	put_number(event, name, EVENT_TYPE_FILETIME, 8, filetime);
}

void bridge_put_bool(struct bridge_event *event, const char *name, bool value)
{
	put_number(event, name, EVENT_TYPE_BOOL, 4, value ? 1 : 0);
}

void bridge_put_uint32(struct bridge_event *event, const char *name,
		       uint32_t value)
{
	put_number(event, name, EVENT_TYPE_UINT32, 4, value);
}

void bridge_put_uint64(struct bridge_event *event, const char *name,
		       uint64_t value)
{
	put_number(event, name, EVENT_TYPE_UINT64, 8, value);
}

void bridge_put_count(struct bridge_event *event, const char *name,
		      int32_t value)
{
	bridge_put_uint32(event, name, value < 0 ? 0 : (uint32_t)value);
}

void bridge_put_digits(struct bridge_event *event, const char *name,
		       const char *text)
{
	uint32_t number = 0;

	if (text == NULL || !bridge_parse_number(text, &number)) {
		number = 0;
	}
	bridge_put_uint32(event, name, number);
}

void bridge_put_int32(struct bridge_event *event, const char *name,
		      int32_t value)
{
	put_number(event, name, EVENT_TYPE_INT32, 4, (uint32_t)value);
}

void bridge_put_bits(struct bridge_event *event, const char *name,
		     uint32_t value)
{
	put_number(event, name, EVENT_TYPE_HEXINT32, 4, value);
}

void bridge_put_peer(struct bridge_event *event)
{
	bridge_put_text(event, "PeerAddress", event->origin->peer);
	bridge_put_text(event, "PeerCertificate", event->origin->certificate);
}

/* ------------------------------------------------------------- their wire */

/* Bytes of all fields when no text is longer than max units. */
static size_t fields_size(const struct bridge_event *event, size_t max)
{
	size_t size = 0;
	size_t i;

	for (i = 0; i < event->num_fields; i++) {
		const struct bridge_field *field = &event->fields[i];

		size += field->num_bytes;
		size += 2 * (field->num_units < max ? field->num_units : max);
	}
	return size;
}

/* The longest that texts may be so that all of them fit into room. */
static size_t longest_text(const struct bridge_event *event, size_t room)
{
	size_t low = BRIDGE_CUT_MARK_MAX;
	size_t high = EVENT_VALUE_MAX / 2 + 1;

	if (fields_size(event, high) <= room) {
		return high;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (fields_size(event, middle) <= room) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

everr_t bridge_event_data(struct buf *values, const struct bridge_event *event,
			  size_t room, struct event_data *data)
{
	size_t max = longest_text(event, room);
	size_t start = values->len;
	size_t i;

	for (i = 0; i < event->num_fields; i++) {
		const struct bridge_field *field = &event->fields[i];

		data[i] = (struct event_data){.name = field->name,
					      .type = field->type,
					      .len = values->len};
		if (field->text != NULL) {
			bridge_text_put(values, field->text, field->len, max);
		} else {
			buf_put(values, field->bytes, field->num_bytes);
		}
		data[i].len = values->len - data[i].len;
	}
	if (buf_error(values) != EVERR_OK) {
		return buf_error(values);
	}
	/* Only now: the bytes no longer move. */
	for (i = 0; i < event->num_fields; i++) {
		data[i].value = bridge_value_at(values, start);
		start += data[i].len;
	}
	return EVERR_OK;
}

everr_t bridge_event_system(TALLOC_CTX *mem_ctx,
			    const struct bridge_event *event,
			    struct event_system *ret_system)
{
	const char *computer = event->computer;

	if (computer == NULL || computer[0] == '\0') {
		computer = event->origin->computer;
	}
	computer = bridge_text_clean(mem_ctx, computer, BRIDGE_COMPUTER_MAX);
	if (computer == NULL) {
		return EVERR_NOMEM;
	}
	*ret_system = (struct event_system){
		.provider = event->provider->name,
		.provider_guid = &event->provider->guid,
		.event_id = event->kind->id,
		.level = event->level,
		.task = event->kind->task,
		.keywords = CHANNEL_KEYWORD | event->kind->keywords,
		.time_created = bridge_time(event->origin, event->time),
		.channel = event->provider->channel,
		.computer = computer,
	};
	return EVERR_OK;
}

/* ----------------------------------------------------------------- event */

static size_t event_data_room(const struct bridge_event *event)
{
	size_t frame = BODY_FRAME;
	size_t i;

	for (i = 0; i < event->num_fields; i++) {
		frame += DATA_FRAME + 2 * strlen(event->fields[i].name);
	}
	return BRIDGE_BODY_MAX - frame;
}

static everr_t build(TALLOC_CTX *tmp_ctx, struct bridge_events *out,
		     const struct bridge_event *event)
{
	struct event_data data[BRIDGE_FIELDS_MAX];
	struct event_system system;
	struct buf values, document;
	everr_t err;

	buf_init(&values, tmp_ctx, EVENT_VALUE_MAX);
	buf_init(&document, tmp_ctx, EVENT_WIRE_MAX);
	err = bridge_event_data(&values, event, event_data_room(event), data);
	if (err == EVERR_OK) {
		err = bridge_event_system(tmp_ctx, event, &system);
	}
	if (err == EVERR_OK) {
		err = event_build(&document, &system, data, event->num_fields);
	}
	if (err == EVERR_OK) {
		err = bridge_events_add(out, &document);
	}
	return err;
}

everr_t bridge_event_end(struct bridge_events *out,
			 const struct bridge_event *event)
{
	TALLOC_CTX *tmp_ctx = NULL;
	everr_t err;

	tmp_ctx = talloc_new(out);
	if (tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	err = build(tmp_ctx, out, event);
	talloc_free(tmp_ctx);
	return err;
}
