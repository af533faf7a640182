/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest_parse.h"

#include "event/winmeta.h"

#include <stdlib.h>
#include <string.h>

/* The keyword that says which of its provider's channels an event is for. */
#define CHANNEL_KEYWORD 0x8000000000000000ULL
#define BLANKS " \t\r\n"

/*
 * What a name stands for: one of the provider's, one that Windows defines, or
 * a number.  at is the provider's index of it, if it is one of its own.
 */
static everr_t find_name(struct manifest_parse *parse,
			 const struct manifest_element *element,
			 const char *attribute,
			 const struct manifest_index *index,
			 const struct event_manifest_name *names,
			 const struct winmeta_name *standard,
			 size_t num_standard, uint64_t max, size_t *ret_at,
			 uint64_t *ret_value)
{
	const char *text = manifest_attribute(element, attribute);
	const struct winmeta_name *known = NULL;
	size_t at = 0;

	if (text == NULL || text[0] == '\0') {
		return EVERR_OK;
	}
	if (manifest_index_find(index, text, 0, &at)) {
		*ret_at = at;
		*ret_value = names[at].value;
		return EVERR_OK;
	}
	known = winmeta_find(standard, num_standard, text);
	if (known != NULL) {
		*ret_value = known->value;
		return EVERR_OK;
	}
	if (manifest_parse_number(text, ret_value) && *ret_value <= max) {
		return EVERR_OK;
	}
	return manifest_refuse(parse, element, "no %s %s is defined", attribute,
			       text);
}

static everr_t read_level(struct manifest_parse *parse,
			  const struct manifest_element *element,
			  struct event_manifest_event *event)
{
	uint64_t value = 0;
	size_t at = 0;
	everr_t err;

	err = find_name(parse, element, "level", &parse->levels,
			parse->publisher->levels, winmeta_levels,
			winmeta_num_levels, UINT8_MAX, &at, &value);
	event->level = (uint8_t)value;
	return err;
}

/* An opcode may be its task's own; then that one counts. */
static everr_t read_task_opcode(struct manifest_parse *parse,
				const struct manifest_element *element,
				struct event_manifest_event *event)
{
	const char *opcode = manifest_attribute(element, "opcode");
	const size_t no_task = SIZE_MAX;
	uint64_t value = 0;
	size_t task = no_task;
	size_t at = 0;
	everr_t err;

	err = find_name(parse, element, "task", &parse->tasks,
			parse->publisher->tasks, winmeta_tasks,
			winmeta_num_tasks, UINT16_MAX, &task, &value);
	if (err != EVERR_OK) {
		return err;
	}
	event->task = (uint32_t)value;
	if (opcode != NULL && task != no_task &&
	    manifest_index_find(&parse->opcodes, opcode, (uint32_t)task + 1,
				&at)) {
		event->opcode = (uint8_t)parse->publisher->opcodes[at].value;
		return EVERR_OK;
	}
	value = 0;
	err = find_name(parse, element, "opcode", &parse->opcodes,
			parse->publisher->opcodes, winmeta_opcodes,
			winmeta_num_opcodes, UINT8_MAX, &at, &value);
	event->opcode = (uint8_t)value;
	return err;
}

static everr_t find_keyword(struct manifest_parse *parse,
			    const struct manifest_element *element,
			    const char *name, uint64_t *keywords)
{
	const struct winmeta_name *known = NULL;
	size_t at = 0;

	if (manifest_index_find(&parse->keywords, name, 0, &at)) {
		*keywords |= parse->publisher->keywords[at].value;
		return EVERR_OK;
	}
	known = winmeta_find(winmeta_keywords, winmeta_num_keywords, name);
	if (known == NULL) {
		return manifest_refuse(parse, element,
				       "no keyword %s is defined", name);
	}
	*keywords |= known->value;
	return EVERR_OK;
}

/* A list of names with blanks between them. */
static everr_t read_keywords(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     uint64_t *keywords)
{
	const char *text = manifest_attribute(element, "keywords");
	char *name = NULL;
	everr_t err = EVERR_OK;

	if (text == NULL) {
		return EVERR_OK;
	}
	for (text += strspn(text, BLANKS); *text != '\0' && err == EVERR_OK;
	     text += strspn(text, BLANKS)) {
		size_t len = strcspn(text, BLANKS);

		name = talloc_strndup(parse->tmp_ctx, text, len);
		if (name == NULL) {
			return EVERR_NOMEM;
		}
		err = find_keyword(parse, element, name, keywords);
		talloc_free(name);
		text += len;
	}
	return err;
}

static everr_t read_channel(struct manifest_parse *parse,
			    const struct manifest_element *element,
			    struct event_manifest_event *event)
{
	const char *name = manifest_attribute(element, "channel");
	size_t at = 0;

	if (name == NULL || name[0] == '\0') {
		return EVERR_OK;
	}
	if (!manifest_index_find(&parse->channels, name, 0, &at)) {
		return manifest_refuse(parse, element,
				       "no channel %s is in <channels>", name);
	}
	event->channel = &parse->publisher->channels[at];
	event->keywords |= CHANNEL_KEYWORD >> at;
	return EVERR_OK;
}

static everr_t find_template(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     struct event_manifest_event *event)
{
	const char *name = manifest_attribute(element, "template");
	size_t at = 0;

	if (name == NULL || name[0] == '\0') {
		return EVERR_OK;
	}
	if (!manifest_index_find(&parse->templates, name, 0, &at)) {
		return manifest_refuse(parse, element,
				       "no template %s is in <templates>",
				       name);
	}
	event->tmpl = &parse->publisher->templates[at];
	return EVERR_OK;
}

static everr_t read_identity(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     struct event_manifest_event *event)
{
	const char *ignored = NULL;
	uint64_t id = 0, version = 0;
	everr_t err;

	err = manifest_required(parse, element, "value", &ignored);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_number(parse, element, "value", UINT16_MAX, &id);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_number(parse, element, "version", UINT8_MAX, &version);
	event->id = (uint32_t)id;
	event->version = (uint8_t)version;
	event->symbol = manifest_attribute(element, "symbol");
	return err;
}

static everr_t read_event(struct manifest_parse *parse,
			  const struct manifest_element *element,
			  struct event_manifest_event *event)
{
	everr_t err;

	err = read_identity(parse, element, event);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_level(parse, element, event);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_task_opcode(parse, element, event);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_keywords(parse, element, &event->keywords);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_channel(parse, element, event);
	if (err != EVERR_OK) {
		return err;
	}
	err = find_template(parse, element, event);
	if (err != EVERR_OK) {
		return err;
	}
	return manifest_message(parse, element,
				EVENT_MESSAGE_EVENT |
					(uint32_t)event->version << 16 |
					event->id,
				&event->message_id);
}

static int event_cmp(const void *a, const void *b)
{
	const struct event_manifest_event *x = a, *y = b;

	if (x->id != y->id) {
		return x->id < y->id ? -1 : 1;
	}
	return (int)x->version - (int)y->version;
}

everr_t manifest_read_events(struct manifest_parse *parse,
			     const struct manifest_element *provider)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	size_t i;
	everr_t err;

	err = manifest_list(parse, provider, "events", &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	publisher->events =
		talloc_zero_array(parse->manifest, struct event_manifest_event,
				  manifest_count(list, "event"));
	if (publisher->events == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(list, "event"); item != NULL;
	     item = manifest_next(item)) {
		err = read_event(parse, item,
				 &publisher->events[publisher->num_events++]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (publisher->num_events > 0) {
		qsort(publisher->events, publisher->num_events,
		      sizeof(*publisher->events), event_cmp);
	}
	for (i = 1; i < publisher->num_events; i++) {
		const struct event_manifest_event *event =
			&publisher->events[i];

		if (event_cmp(event - 1, event) == 0) {
			return manifest_refuse(
				parse, list,
				"the event %u, version %u, is there twice",
				event->id, event->version);
		}
	}
	return EVERR_OK;
}

const struct event_manifest_event *event_publisher_event(
	const struct event_publisher *publisher, uint32_t id, uint8_t version)
{
	const struct event_manifest_event *found = NULL;
	size_t low = 0;
	size_t high = publisher->num_events;

	/* The last one that is not above (id, version). */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct event_manifest_event *event =
			&publisher->events[middle];

		if (event->id < id ||
		    (event->id == id && event->version <= version)) {
			found = event;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return found != NULL && found->id == id ? found : NULL;
}
