/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/record.h"

#include "bridge/document.h"
#include "bridge/text.h"
#include "event/binxml.h"

#define NAMESPACE "urn:evenlog:configmgr"

/* Places for properties are a power of two from least to most. */
#define PLACES_LEAST 8
#define PLACES_MOST 128

/* What fixed fields may take of an event that has properties. */
#define FIXED_MAX (20 * 1024)

/* Bytes around a definition and its values, but for their specs. */
#define INSTANCE_FRAME 64

/* Names are ASCII and short. */
#define NAME_MAX_UNITS 64

/* An attribute as it was measured last; neighbours share texts. */
struct attribute {
	const char *text;
	size_t len;
	size_t num_units; /* as it is written */
};

struct layout {
	struct bridge_event *event;
	const struct bridge_record *record;
	const struct bridge_properties *properties;
	struct buf definition; /* with so many places */
	size_t defined;
	struct attribute attributes[BRIDGE_ATTRIBUTES_MAX];
	struct buf values;
	struct event_data data[BRIDGE_FIELDS_MAX +
			       PLACES_MOST * (BRIDGE_ATTRIBUTES_MAX + 1)];
	/* Bytes of an event: without properties, and of each place. */
	size_t base;
	size_t place;
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
		     bool attributes, uint16_t dependency)
{
	put_named(writer,
		  (struct event_token){.kind = EVENT_TOKEN_OPEN,
				       .more = attributes,
				       .dependency = dependency},
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

/*
 * <Property Class='%n' ...>%m</Property>, of the values from first on.  Absent
 * attributes are left out, and without a value the element.
 */
static void put_place(struct event_writer *writer,
		      const struct bridge_record *record, size_t first)
{
	size_t num = record->num_attributes;
	size_t i;

	put_open(writer, "Property", true, (uint16_t)(first + num));
	for (i = 0; i < num; i++) {
		put_attribute(writer, record->attributes[i]);
		put_subst(writer, EVENT_TOKEN_OPTIONAL_SUBST, first + i,
			  EVENT_TYPE_STRING);
	}
	put_kind(writer, EVENT_TOKEN_CLOSE_START);
	put_subst(writer, EVENT_TOKEN_OPTIONAL_SUBST, first + num,
		  EVENT_TYPE_STRING);
	put_kind(writer, EVENT_TOKEN_END);
}

static void put_element(struct event_writer *writer,
			const struct bridge_field *field, size_t id)
{
	put_open(writer, field->name, false, EVENT_NO_DEPENDENCY);
	put_kind(writer, EVENT_TOKEN_CLOSE_START);
	put_subst(writer, EVENT_TOKEN_SUBST, id, field->type);
	put_kind(writer, EVENT_TOKEN_END);
}

/* How many values a place has. */
static size_t place_values(const struct layout *layout)
{
	return layout->record->num_attributes + 1;
}

/* UserData, the record, its fields, and so many places for properties. */
static everr_t define(struct layout *layout, size_t num_places)
{
	const struct bridge_event *event = layout->event;
	struct event_writer writer;
	size_t i;

	if (layout->defined == num_places) {
		return EVERR_OK;
	}
	layout->defined = num_places;
	buf_reset(&layout->definition);
	event_writer_init(&writer, EVENT_READ_DEFINITION, &layout->definition);
	put_kind(&writer, EVENT_TOKEN_FRAGMENT);
	put_open(&writer, "UserData", false, EVENT_NO_DEPENDENCY);
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	put_open(&writer, layout->record->element, true, EVENT_NO_DEPENDENCY);
	put_attribute(&writer, "xmlns");
	put_named(&writer, (struct event_token){.kind = EVENT_TOKEN_TEXT},
		  NAMESPACE);
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < event->num_fields; i++) {
		put_element(&writer, &event->fields[i], i);
	}
	put_open(&writer, "Properties", false, EVENT_NO_DEPENDENCY);
	put_kind(&writer, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < num_places; i++) {
		put_place(&writer, layout->record,
			  event->num_fields + i * place_values(layout));
	}
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_END);
	put_kind(&writer, EVENT_TOKEN_EOF);
	return buf_error(&layout->definition);
}

/* ---------------------------------------------------------------- layout */

static size_t num_places(size_t num_properties)
{
	size_t num = PLACES_LEAST;

	while (num < num_properties) {
		num *= 2;
	}
	return num;
}

/*
 * The i-th attribute of a property.  A text may be megabytes long and belong
 * to all properties: its length is looked for once.
 */
static const struct attribute *measured(struct layout *layout, size_t i,
					const char *text)
{
	struct attribute *attribute = &layout->attributes[i];
	size_t units;

	if (attribute->text != text) {
		attribute->text = text;
		attribute->len = text == NULL ? 0 : strlen(text);
		units = bridge_text_units(text, attribute->len,
					  BRIDGE_ATTRIBUTE_MAX);
		attribute->num_units = units < BRIDGE_ATTRIBUTE_MAX
					       ? units
					       : BRIDGE_ATTRIBUTE_MAX;
	}
	return attribute;
}

static size_t attributes_size(struct layout *layout,
			      const struct bridge_property *property)
{
	size_t size = 0;
	size_t i;

	for (i = 0; i < layout->record->num_attributes; i++) {
		size += 2 *
			measured(layout, i, property->attributes[i])->num_units;
	}
	return size;
}

/* Units of a value that has an event of its own; longer ones are cut. */
static size_t value_max(struct layout *layout,
			const struct bridge_property *property)
{
	return (BRIDGE_BODY_MAX - layout->base - PLACES_LEAST * layout->place -
		attributes_size(layout, property)) /
	       2;
}

/* Bytes of a property's values. */
static size_t property_size(struct layout *layout, size_t index)
{
	struct bridge_property property;
	size_t max, units;

	layout->properties->get(layout->properties->private_data, index,
				&property);
	max = value_max(layout, &property);
	units = bridge_text_units(property.value, property.len, max);
	return attributes_size(layout, &property) +
	       2 * (units < max ? units : max);
}

/* How many properties from first on go into one event. */
static size_t fitting(struct layout *layout, size_t first)
{
	size_t used = layout->base;
	size_t num = 0;

	while (num < PLACES_MOST && first + num < layout->properties->num) {
		used += property_size(layout, first + num);
		if (used + num_places(num + 1) * layout->place >
		    BRIDGE_BODY_MAX) {
			break;
		}
		num++;
	}
	return num;
}

static size_t count_parts(struct layout *layout)
{
	size_t num = 0;
	size_t first = 0;

	do {
		first += fitting(layout, first);
		num++;
	} while (first < layout->properties->num);
	return num;
}

/* What the definitions and the fixed fields take of an event. */
static everr_t measure(struct layout *layout)
{
	size_t least;
	everr_t err;

	err = define(layout, PLACES_LEAST);
	least = layout->definition.len;
	if (err == EVERR_OK) {
		err = define(layout, 2 * PLACES_LEAST);
	}
	if (err == EVERR_OK) {
		err = bridge_event_data(&layout->values, layout->event,
					FIXED_MAX, layout->data);
	}
	layout->place = (layout->definition.len - least) / PLACES_LEAST;
	layout->base = INSTANCE_FRAME + least - PLACES_LEAST * layout->place +
		       EVENT_SPEC_SIZE * layout->event->num_fields +
		       layout->values.len;
	layout->place += EVENT_SPEC_SIZE * place_values(layout);
	return err;
}

/* ---------------------------------------------------------------- events */

/* Appended to values; *data says how long it is, not yet where. */
static void put_string(struct buf *values, struct event_data *data,
		       const char *text, size_t len, size_t max)
{
	size_t start = values->len;

	*data = (struct event_data){.type = EVENT_TYPE_STRING,
				    .absent = text == NULL};
	if (text != NULL) {
		bridge_text_put(values, text, len, max);
		data->len = values->len - start;
	}
}

static void put_property(struct layout *layout, struct event_data *data,
			 size_t index)
{
	size_t num = layout->record->num_attributes;
	struct bridge_property property;
	size_t i;

	layout->properties->get(layout->properties->private_data, index,
				&property);
	for (i = 0; i < num; i++) {
		const struct attribute *attribute =
			measured(layout, i, property.attributes[i]);

		put_string(&layout->values, &data[i], attribute->text,
			   attribute->len, BRIDGE_ATTRIBUTE_MAX);
	}
	put_string(&layout->values, &data[num], property.value, property.len,
		   value_max(layout, &property));
}

/* The values of the event's properties, and Null in the places left over. */
static everr_t put_values(struct layout *layout, size_t first, size_t num)
{
	size_t num_fields = layout->event->num_fields;
	size_t used = num_fields + num * place_values(layout);
	size_t all = num_fields + num_places(num) * place_values(layout);
	size_t start = 0;
	everr_t err;
	size_t i;

	buf_reset(&layout->values);
	err = bridge_event_data(&layout->values, layout->event, FIXED_MAX,
				layout->data);
	for (i = 0; i < num; i++) {
		put_property(
			layout,
			&layout->data[num_fields + i * place_values(layout)],
			first + i);
	}
	for (i = used; i < all; i++) {
		layout->data[i] = (struct event_data){.type = EVENT_TYPE_STRING,
						      .absent = true};
	}
	/* Only now: the bytes no longer move. */
	for (i = 0; i < used; i++) {
		layout->data[i].value = bridge_value_at(&layout->values, start);
		start += layout->data[i].len;
	}
	return err == EVERR_OK ? buf_error(&layout->values) : err;
}

static everr_t put_part(struct layout *layout, struct bridge_events *out,
			size_t first, size_t num)
{
	size_t num_data = layout->event->num_fields +
			  num_places(num) * place_values(layout);
	struct event_system system;
	struct buf document;
	everr_t err;

	buf_init(&document, layout, EVENT_WIRE_MAX);
	err = define(layout, num_places(num));
	if (err == EVERR_OK) {
		err = put_values(layout, first, num);
	}
	if (err == EVERR_OK) {
		err = bridge_event_system(layout, layout->event, &system);
	}
	if (err == EVERR_OK) {
		err = event_build_body(
			&document, &system, layout->definition.data,
			layout->definition.len, layout->data, num_data);
	}
	if (err == EVERR_OK) {
		err = bridge_events_add(out, &document);
	}
	buf_free(&document);
	return err;
}

static everr_t put_parts(struct layout *layout, struct bridge_events *out)
{
	size_t part = 0;
	size_t first = 0;
	everr_t err;

	set_number(layout->event, "Parts", count_parts(layout));
	do {
		size_t num = fitting(layout, first);

		set_number(layout->event, "Part", ++part);
		err = put_part(layout, out, first, num);
		first += num;
	} while (err == EVERR_OK && first < layout->properties->num);
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
	buf_init(&layout->definition, layout, BRIDGE_BODY_MAX);
	buf_init(&layout->values, layout, BRIDGE_BODY_MAX);
	err = measure(layout);
	if (err == EVERR_OK) {
		err = put_parts(layout, out);
	}
	if (err != EVERR_OK) {
		bridge_events_truncate(out, before);
	}
	talloc_free(layout);
	return err;
}
