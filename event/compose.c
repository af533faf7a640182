/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/compose.h"

#include "event/catalog.h"

#include <stdlib.h>
#include <string.h>

struct compose {
	TALLOC_CTX *mem_ctx;
	TALLOC_CTX *tmp_ctx;
	const struct event_publisher *publisher;
	const struct event_manifest_event *event;
	const struct event_compose_value *values;
	size_t num_values;
	struct buf bytes; /* of all values */
	struct event_data *data;
	size_t *ends; /* of each value in bytes */
	char *message;
};

static everr_t refuse(struct compose *compose, everr_t err, const char *format,
		      ...) __attribute__((format(printf, 3, 4)));

static everr_t refuse(struct compose *compose, everr_t err, const char *format,
		      ...)
{
	va_list ap;

	va_start(ap, format);
	compose->message = talloc_vasprintf(compose->mem_ctx, format, ap);
	va_end(ap);
	return compose->message == NULL ? EVERR_NOMEM : err;
}

static size_t num_fields(const struct compose *compose)
{
	const struct event_manifest_template *tmpl = compose->event->tmpl;

	return tmpl != NULL ? tmpl->num_fields : 0;
}

static const struct event_manifest_field *field_at(
	const struct compose *compose, size_t index)
{
	return &compose->event->tmpl->fields[index];
}

/* ---------------------------------------------------------------- names */

static const char *field_names(const struct compose *compose)
{
	char *names = talloc_strdup(compose->tmp_ctx, "");
	size_t i;

	for (i = 0; i < num_fields(compose); i++) {
		names = talloc_asprintf_append_buffer(
			names, "%s%s", i == 0 ? "" : ", ",
			field_at(compose, i)->name);
	}
	return names != NULL ? names : "";
}

static everr_t check_known(struct compose *compose, const char *name)
{
	size_t i;

	for (i = 0; i < num_fields(compose); i++) {
		if (strcmp(field_at(compose, i)->name, name) == 0) {
			return EVERR_OK;
		}
	}
	if (num_fields(compose) == 0) {
		return refuse(compose, EVERR_INVALID,
			      "the event %u of %s has no data, and so no %s",
			      compose->event->id, compose->publisher->name,
			      name);
	}
	return refuse(compose, EVERR_INVALID,
		      "the event %u of %s has no %s; its data are %s",
		      compose->event->id, compose->publisher->name, name,
		      field_names(compose));
}

static everr_t check_names(struct compose *compose)
{
	everr_t err = EVERR_OK;
	size_t i, j;

	if (compose->num_values > EVENT_BUILD_DATA_MAX) {
		return EVERR_LIMIT;
	}
	for (i = 0; i < compose->num_values && err == EVERR_OK; i++) {
		const char *name = compose->values[i].name;

		err = check_known(compose, name);
		for (j = 0; j < i && err == EVERR_OK; j++) {
			if (strcmp(compose->values[j].name, name) == 0) {
				err = refuse(compose, EVERR_INVALID,
					     "%s is given twice", name);
			}
		}
	}
	return err;
}

static everr_t find_text(struct compose *compose, const char *name,
			 const char **ret_text)
{
	size_t i;

	for (i = 0; i < compose->num_values; i++) {
		if (strcmp(compose->values[i].name, name) == 0) {
			*ret_text = compose->values[i].text;
			return EVERR_OK;
		}
	}
	return refuse(compose, EVERR_INVALID,
		      "there is no value for %s; the data of event %u of %s "
		      "are %s",
		      name, compose->event->id, compose->publisher->name,
		      field_names(compose));
}

/* --------------------------------------------------------------- values */

/* The type that the event has it in. */
static uint8_t value_type(const struct event_manifest_field *field)
{
	uint8_t array = field->type & EVENT_TYPE_ARRAY;
	const char *out = field->out_type != NULL ? field->out_type : "";

	switch (field->type & ~EVENT_TYPE_ARRAY) {
	case EVENT_TYPE_UINT32:
		if (strcmp(out, "win:HexInt32") == 0) {
			return EVENT_TYPE_HEXINT32 | array;
		}
		break;
	case EVENT_TYPE_UINT64:
		if (strcmp(out, "win:HexInt64") == 0) {
			return EVENT_TYPE_HEXINT64 | array;
		}
		break;
	}
	return field->type;
}

/* The number of a valueMap's item by its text; false: no such item. */
static bool find_item(const struct event_publisher *publisher,
		      const char *map_name, const char *text,
		      uint32_t *ret_value)
{
	size_t i, j;

	for (i = 0; i < publisher->num_maps; i++) {
		const struct event_manifest_map *map = &publisher->maps[i];

		if (map->bits || strcmp(map->name, map_name) != 0) {
			continue;
		}
		for (j = 0; j < map->num_items; j++) {
			const char *item = event_publisher_message(
				publisher, map->items[j].message_id, 0, false);

			if (item != NULL && strcmp(item, text) == 0) {
				*ret_value = map->items[j].value;
				return true;
			}
		}
	}
	return false;
}

static everr_t put_value(struct compose *compose,
			 const struct event_manifest_field *field, uint8_t type,
			 const char *text)
{
	char *number = NULL;
	uint32_t item = 0;
	everr_t err;

	err = event_value_from_text(&compose->bytes, type, text);
	if (err == EVERR_TEXT && field->map != NULL &&
	    find_item(compose->publisher, field->map, text, &item)) {
		number = talloc_asprintf(compose->tmp_ctx, "%u", item);
		if (number == NULL) {
			return EVERR_NOMEM;
		}
		err = event_value_from_text(&compose->bytes, type, number);
	}
	if (err == EVERR_TEXT) {
		return refuse(compose, err, "%s is a %s, which \"%s\" is not",
			      field->name, field->in_type, text);
	}
	return err;
}

/* Strings end with a NUL where another one follows. */
static void put_separator(struct compose *compose, uint8_t type)
{
	if (type == EVENT_TYPE_STRING) {
		buf_put_u16(&compose->bytes, 0);
	} else if (type == EVENT_TYPE_ANSI) {
		buf_put_u8(&compose->bytes, 0);
	}
}

/* A count that is a number must be met; one that is a field's is its own. */
static everr_t check_count(struct compose *compose,
			   const struct event_manifest_field *field, size_t num)
{
	char *end = NULL;
	unsigned long want = strtoul(field->count, &end, 10);

	if (end == field->count || *end != '\0' || want == num) {
		return EVERR_OK;
	}
	return refuse(compose, EVERR_TEXT,
		      "%s has %lu items with commas between them, not %zu",
		      field->name, want, num);
}

static everr_t put_array(struct compose *compose,
			 const struct event_manifest_field *field, uint8_t type,
			 const char *text)
{
	char *copy = talloc_strdup(compose->tmp_ctx, text);
	char *rest = copy;
	size_t num = 0;
	everr_t err = EVERR_OK;

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	if (*rest == '\0') {
		rest = NULL;
	}
	while (rest != NULL && err == EVERR_OK) {
		const char *item = strsep(&rest, ",");

		err = put_value(compose, field, type, item);
		put_separator(compose, type);
		num++;
	}
	return err == EVERR_OK ? check_count(compose, field, num) : err;
}

static everr_t put_field(struct compose *compose, size_t index)
{
	const struct event_manifest_field *field = field_at(compose, index);
	uint8_t type = value_type(field);
	const char *text = NULL;
	everr_t err;

	err = find_text(compose, field->name, &text);
	if (err != EVERR_OK) {
		return err;
	}
	if ((type & EVENT_TYPE_ARRAY) != 0) {
		err = put_array(compose, field, type & ~EVENT_TYPE_ARRAY, text);
	} else {
		err = put_value(compose, field, type, text);
	}
	compose->data[index] =
		(struct event_data){.name = field->name, .type = type};
	compose->ends[index] = compose->bytes.len;
	return err;
}

static everr_t put_fields(struct compose *compose)
{
	size_t start = 0;
	everr_t err;
	size_t i;

	compose->data = talloc_array(compose->tmp_ctx, struct event_data,
				     num_fields(compose));
	compose->ends =
		talloc_array(compose->tmp_ctx, size_t, num_fields(compose));
	if (compose->data == NULL || compose->ends == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num_fields(compose); i++) {
		err = put_field(compose, i);
		if (err != EVERR_OK) {
			return err;
		}
	}
	/* Only now: the buffer no longer moves. */
	for (i = 0; i < num_fields(compose); i++) {
		compose->data[i].value = compose->bytes.data + start;
		compose->data[i].len = compose->ends[i] - start;
		start = compose->ends[i];
	}
	return buf_error(&compose->bytes);
}

/* ---------------------------------------------------------------- event */

static everr_t build(struct compose *compose, struct buf *out,
		     const struct event_system *base)
{
	const struct event_manifest_event *event = compose->event;
	struct event_system system = *base;

	system.provider = compose->publisher->name;
	system.provider_guid = &compose->publisher->guid;
	system.event_id = (uint16_t)event->id;
	system.version = event->version;
	system.level = event->level;
	system.opcode = event->opcode;
	system.task = (uint16_t)event->task;
	system.keywords = event->keywords;
	if (system.channel == NULL && event->channel != NULL) {
		system.channel = event->channel->name;
	}
	if (system.channel == NULL) {
		return refuse(compose, EVERR_INVALID,
			      "the manifest names no channel for the event %u "
			      "of %s: say which",
			      event->id, compose->publisher->name);
	}
	if (event->tmpl != NULL && event->tmpl->user_data != NULL) {
		return event_build_user(out, &system, event->tmpl->user_data,
					compose->data, num_fields(compose));
	}
	return event_build(out, &system, compose->data, num_fields(compose));
}

everr_t event_compose(TALLOC_CTX *mem_ctx, struct buf *out,
		      const struct event_publisher *publisher,
		      const struct event_manifest_event *event,
		      const struct event_system *base,
		      const struct event_compose_value *values,
		      size_t num_values, char **ret_message)
{
	struct compose compose = {
		.mem_ctx = mem_ctx,
		.publisher = publisher,
		.event = event,
		.values = values,
		.num_values = num_values,
	};
	everr_t err;

	compose.tmp_ctx = talloc_new(mem_ctx);
	if (compose.tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&compose.bytes, compose.tmp_ctx, EVENT_WIRE_MAX);
	err = check_names(&compose);
	if (err == EVERR_OK) {
		err = put_fields(&compose);
	}
	if (err == EVERR_OK) {
		err = build(&compose, out, base);
	}
	talloc_free(compose.tmp_ctx);
	if (compose.message != NULL) {
		*ret_message = compose.message;
	}
	return err;
}
