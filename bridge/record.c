/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/record.h"

#include "bridge/document.h"
#include "bridge/text.h"
#include "event/binxml.h"

#define NAMESPACE "urn:evenlog:configmgr"

/* Places for properties: of most machines' events, and of the others. */
#define PLACES_FEW 32
#define PLACES_MANY 256

/* What fixed fields may take of an event that has properties. */
#define FIXED_MAX (20 * 1024)

/* Bytes around a definition and its values, but for their specs. */
#define INSTANCE_FRAME 64

/* Names are ASCII and short. */
#define NAME_MAX_UNITS 64

struct layout {
	struct bridge_event *event;
	const struct bridge_record *record;
	const struct bridge_properties *properties;
	TALLOC_CTX *tmp_ctx;
	struct buf property; /* definition of <Property> */
	struct buf body;     /* definition of the record, with PLACES_MANY */
	struct buf fixed;    /* the fields' values */
	struct event_data data[BRIDGE_FIELDS_MAX + PLACES_MANY];
	size_t room; /* bytes of an event for properties */
};

void bridge_put_parts(struct bridge_event *event)
{
	bridge_put_uint32(event, "Part", 1);
	bridge_put_uint32(event, "Parts", 1);
}

static void set_number(struct bridge_event *event, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < event->num_fields; i++) {
		if (strcmp(event->fields[i].name, name) == 0) {
			le64_set(event->fields[i].bytes, n);
		}
	}
}

/* ----------------------------------------------------------- definitions */

static void put_kind(struct event_writer *writer, enum event_token_kind kind)
{
	const struct event_token token = {.kind = (uint8_t)kind};

	event_writer_put(writer, &token);
}

static void put_named(struct event_writer *writer, struct event_token token,
		      const char *name)
{
	uint8_t units[2 * NAME_MAX_UNITS];
	size_t i;

	for (i = 0; name[i] != '\0' && i < NAME_MAX_UNITS; i++) {
		le16_set(units + 2 * i, (uint8_t)name[i]);
	}
	token.units = units;
	token.num_units = i;
	event_writer_put(writer, &token);
}

static void put_open(struct event_writer *writer, const char *name,
		     bool attributes)
{
	put_named(writer,
		  (struct event_token){.kind = EVENT_TOKEN_OPEN,
				       .more = attributes,
				       .dependency = EVENT_NO_DEPENDENCY},
		  name);
}

static void put_attribute(struct event_writer *writer, const char *name)
{
	put_named(writer, (struct event_token){.kind = EVENT_TOKEN_ATTRIBUTE},
		  name);
}

static void put_subst(struct event_writer *writer, enum event_token_kind kind,
		      size_t id, uint8_t type)
{
	const struct event_token token = {.kind = (uint8_t)kind,
					  .subst_id = (uint16_t)id,
					  .subst_type = type};

	event_writer_put(writer, &token);
}

/* <Property Class='%0' ...>%n</Property>; absent attributes are left out. */
static everr_t define_property(struct layout *layout)
{
	const struct bridge_record *record = layout->record;
	struct event_writer writer;
	size_t i;

	event_writer_init(&writer, EVENT_READ_DEFINITION, &layout->property);
	put_kind(&writer, EVENT_TOKEN_FRAGMENT);
	put_open(&writer, "Property", true);
	for (i = 0; i < record->num_attributes; i++) {
		put_attribute(&writer, record->attributes[i]);
		put_subst(&writer, EVENT_TOKEN_OPTIONAL_SUBST, i,
			  EVENT_TYPE_STRING);
	}
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	put_subst(&writer, EVENT_TOKEN_SUBST, i, EVENT_TYPE_STRING);
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_EOF);
	return buf_error(&layout->property);
}

static void put_element(struct event_writer *writer,
			const struct bridge_field *field, size_t id)
{
	put_open(writer, field->name, false);
	put_kind(writer, EVENT_TOKEN_CLOSE_START);
	put_subst(writer, EVENT_TOKEN_SUBST, id, field->type);
	put_kind(writer, EVENT_TOKEN_END);
}

/* UserData, the record, its fields, and so many places for properties. */
static everr_t define_body(struct layout *layout, size_t num_places)
{
	const struct bridge_event *event = layout->event;
	struct event_writer writer;
	size_t i;

	buf_reset(&layout->body);
	event_writer_init(&writer, EVENT_READ_DEFINITION, &layout->body);
	put_kind(&writer, EVENT_TOKEN_FRAGMENT);
	put_open(&writer, "UserData", false);
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	put_open(&writer, layout->record->element, true);
	put_attribute(&writer, "xmlns");
	put_named(&writer, (struct event_token){.kind = EVENT_TOKEN_TEXT},
		  NAMESPACE);
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < event->num_fields; i++) {
		put_element(&writer, &event->fields[i], i);
	}
	put_open(&writer, "Properties", false);
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < num_places; i++) {
		put_subst(&writer, EVENT_TOKEN_SUBST, event->num_fields + i,
			  EVENT_TYPE_BINXML);
	}
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_EOF);
	return buf_error(&layout->body);
}

/* ---------------------------------------------------------------- layout */

/* Bytes of a property beside its value. */
static size_t property_frame(const struct layout *layout,
			     const struct bridge_property *property)
{
	size_t num = layout->record->num_attributes;
	size_t size = INSTANCE_FRAME + layout->property.len +
		      EVENT_SPEC_SIZE * (num + 1);
	size_t i;

	for (i = 0; i < num; i++) {
		const char *text = property->attributes[i];
		size_t units = 0;

		if (text != NULL) {
			units = bridge_text_units(text, strlen(text),
						  BRIDGE_ATTRIBUTE_MAX);
		}
		size += 2 * (units < BRIDGE_ATTRIBUTE_MAX
				     ? units
				     : BRIDGE_ATTRIBUTE_MAX);
	}
	return size;
}

/* A value that has no room in an event of its own is cut. */
static size_t value_max(const struct layout *layout, size_t frame)
{
	return (layout->room - frame) / 2;
}

static size_t property_size(const struct layout *layout, size_t index)
{
	struct bridge_property property;
	size_t frame, max, units;

	layout->properties->get(layout->properties->private_data, index,
				&property);
	frame = property_frame(layout, &property);
	max = value_max(layout, frame);
	units = bridge_text_units(property.value, property.len, max);
	return frame + 2 * (units < max ? units : max);
}

/* How many properties from first on go into one event. */
static size_t fitting(const struct layout *layout, size_t first)
{
	size_t used = 0;
	size_t i;

	for (i = first; i < layout->properties->num && i - first < PLACES_MANY;
	     i++) {
		used += property_size(layout, i);
		if (used > layout->room) {
			break;
		}
	}
	return i - first;
}

static size_t count_parts(const struct layout *layout)
{
	size_t num = 0;
	size_t first = 0;

	do {
		first += fitting(layout, first);
		num++;
	} while (first < layout->properties->num);
	return num;
}

/* ---------------------------------------------------------------- events */

static everr_t put_property(const struct layout *layout, struct buf *out,
			    size_t index)
{
	struct event_data data[BRIDGE_ATTRIBUTES_MAX + 1] = {};
	const struct bridge_record *record = layout->record;
	size_t num = record->num_attributes;
	struct bridge_property property;
	struct buf text;
	size_t start = 0;
	everr_t err;
	size_t i;

	layout->properties->get(layout->properties->private_data, index,
				&property);
	buf_init(&text, layout->tmp_ctx, EVENT_VALUE_MAX);
	for (i = 0; i < num; i++) {
		const char *attribute = property.attributes[i];

		data[i].absent = attribute == NULL;
		if (attribute != NULL) {
			bridge_text_put(&text, attribute, strlen(attribute),
					BRIDGE_ATTRIBUTE_MAX);
		}
		data[i].len = text.len;
	}
	bridge_text_put(&text, property.value, property.len,
			value_max(layout, property_frame(layout, &property)));
	data[num].len = text.len;
	for (i = 0; i <= num; i++) {
		size_t end = data[i].len;

		data[i].type = EVENT_TYPE_STRING;
		data[i].value = bridge_value_at(&text, start);
		data[i].len = end - start;
		start = end;
	}
	err = buf_error(&text);
	if (err == EVERR_OK) {
		err = event_build_value(out, layout->property.data,
					layout->property.len, data, num + 1);
	}
	buf_free(&text);
	return err;
}

/* The properties' values, and Null in the places that are left. */
static everr_t put_properties(struct layout *layout, struct buf *values,
			      size_t first, size_t num, size_t num_places)
{
	struct event_data *data = layout->data + layout->event->num_fields;
	size_t start = 0;
	everr_t err;
	size_t i;

	for (i = 0; i < num; i++) {
		err = put_property(layout, values, first + i);
		if (err != EVERR_OK) {
			return err;
		}
		data[i] = (struct event_data){.type = EVENT_TYPE_BINXML,
					      .len = values->len - start};
		start = values->len;
	}
	start = 0;
	for (i = 0; i < num; i++) {
		data[i].value = bridge_value_at(values, start);
		start += data[i].len;
	}
	for (; i < num_places; i++) {
		data[i] = (struct event_data){.type = EVENT_TYPE_BINXML,
					      .absent = true};
	}
	return EVERR_OK;
}

static everr_t put_part(struct layout *layout, struct bridge_events *out,
			size_t first, size_t num, size_t num_places)
{
	struct event_system system;
	struct buf values, document;
	TALLOC_CTX *tmp_ctx = NULL;
	everr_t err;

	tmp_ctx = talloc_new(layout->tmp_ctx);
	if (tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&values, tmp_ctx, EVENT_WIRE_MAX);
	buf_init(&document, tmp_ctx, EVENT_WIRE_MAX);
	buf_reset(&layout->fixed);
	err = bridge_event_data(&layout->fixed, layout->event, FIXED_MAX,
				layout->data);
	if (err == EVERR_OK) {
		err = put_properties(layout, &values, first, num, num_places);
	}
	if (err == EVERR_OK) {
		err = bridge_event_system(tmp_ctx, layout->event, &system);
	}
	if (err == EVERR_OK) {
		err = event_build_body(&document, &system, layout->body.data,
				       layout->body.len, layout->data,
				       layout->event->num_fields + num_places);
	}
	if (err == EVERR_OK) {
		err = bridge_events_add(out, &document);
	}
	talloc_free(tmp_ctx);
	return err;
}

static everr_t put_parts(struct layout *layout, struct bridge_events *out)
{
	size_t total = layout->properties->num;
	size_t part = 0;
	size_t first = 0;
	everr_t err;

	set_number(layout->event, "Parts", count_parts(layout));
	do {
		size_t num = fitting(layout, first);
		size_t num_places =
			num <= PLACES_FEW ? PLACES_FEW : PLACES_MANY;

		set_number(layout->event, "Part", ++part);
		err = define_body(layout, num_places);
		if (err == EVERR_OK) {
			err = put_part(layout, out, first, num, num_places);
		}
		first += num;
	} while (err == EVERR_OK && first < total);
	return err;
}

/* The definitions, and what they and the fixed fields leave of an event. */
static everr_t prepare(struct layout *layout)
{
	size_t used = INSTANCE_FRAME;
	everr_t err;

	buf_init(&layout->property, layout->tmp_ctx, BRIDGE_BODY_MAX);
	buf_init(&layout->body, layout->tmp_ctx, BRIDGE_BODY_MAX);
	buf_init(&layout->fixed, layout->tmp_ctx, BRIDGE_BODY_MAX);
	err = define_property(layout);
	if (err == EVERR_OK) {
		err = define_body(layout, PLACES_MANY);
	}
	if (err == EVERR_OK) {
		err = bridge_event_data(&layout->fixed, layout->event,
					FIXED_MAX, layout->data);
	}
	used += layout->body.len + layout->fixed.len;
	used += EVENT_SPEC_SIZE * (layout->event->num_fields + PLACES_MANY);
	layout->room = BRIDGE_BODY_MAX - used;
	return err;
}

everr_t bridge_record_end(struct bridge_events *out, struct bridge_event *event,
			  const struct bridge_record *record,
			  const struct bridge_properties *properties)
{
	size_t before = out->num_documents;
	struct layout *layout = NULL;
	everr_t err;

	layout = talloc_zero(out, struct layout);
	if (layout == NULL) {
		return EVERR_NOMEM;
	}
	layout->event = event;
	layout->record = record;
	layout->properties = properties;
	layout->tmp_ctx = layout;
	err = prepare(layout);
	if (err == EVERR_OK) {
		err = put_parts(layout, out);
	}
	if (err != EVERR_OK) {
		bridge_events_truncate(out, before);
	}
	talloc_free(layout);
	return err;
}
