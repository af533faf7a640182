/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/catalog_default.h"

#include "event/winmeta.h"

#include <stdlib.h>

/* Message ids of channels, facts 12.3. */
#define MESSAGE_APPLICATION 256
#define MESSAGE_SECURITY 257
#define MESSAGE_SYSTEM 258

struct standard {
	struct event_publisher *publisher;
	struct event_manifest_strings *strings;
};

static void add_message(struct standard *standard, uint32_t id,
			const char *text)
{
	struct event_manifest_strings *strings = standard->strings;

	strings->messages[strings->num_messages++] =
		(struct event_manifest_message){.id = id, .text = text};
}

static uint32_t message_id(uint32_t kind, uint64_t value)
{
	if (kind != EVENT_MESSAGE_KEYWORD) {
		return kind | (uint32_t)value;
	}
	return value == 0 ? kind
			  : kind | ((uint32_t)__builtin_ctzll(value) + 1);
}

static everr_t add_names(struct standard *standard, uint32_t kind,
			 const struct winmeta_name *names, size_t num_names,
			 struct event_manifest_name **ret_names,
			 size_t *ret_num)
{
	struct event_manifest_name *out = NULL;
	size_t i;

	out = talloc_zero_array(standard->publisher, struct event_manifest_name,
				num_names);
	if (out == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num_names; i++) {
		out[i].name = names[i].name;
		out[i].value = names[i].value;
		out[i].message_id = message_id(kind, names[i].value);
		add_message(standard, out[i].message_id, names[i].text);
	}
	*ret_names = out;
	*ret_num = num_names;
	return EVERR_OK;
}

static everr_t add_channels(struct standard *standard)
{
	static const uint32_t messages[] = {MESSAGE_SYSTEM, MESSAGE_APPLICATION,
					    MESSAGE_SECURITY};
	struct event_publisher *publisher = standard->publisher;
	size_t i;

	publisher->channels = talloc_zero_array(
		publisher, struct event_manifest_channel, winmeta_num_channels);
	if (publisher->channels == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < winmeta_num_channels; i++) {
		publisher->channels[i] = (struct event_manifest_channel){
			.name = winmeta_channels[i].name,
			.id = (uint32_t)winmeta_channels[i].value,
			.index = (uint32_t)i,
			.enabled = true,
			.message_id = messages[i],
		};
		add_message(standard, messages[i], winmeta_channels[i].text);
	}
	publisher->num_channels = winmeta_num_channels;
	return EVERR_OK;
}

static everr_t add_all(struct standard *standard)
{
	struct event_publisher *publisher = standard->publisher;
	everr_t err;

	err = add_names(standard, EVENT_MESSAGE_LEVEL, winmeta_levels,
			winmeta_num_levels, &publisher->levels,
			&publisher->num_levels);
	if (err != EVERR_OK) {
		return err;
	}
	err = add_names(standard, EVENT_MESSAGE_TASK, winmeta_tasks,
			winmeta_num_tasks, &publisher->tasks,
			&publisher->num_tasks);
	if (err != EVERR_OK) {
		return err;
	}
	err = add_names(standard, EVENT_MESSAGE_OPCODE, winmeta_opcodes,
			winmeta_num_opcodes, &publisher->opcodes,
			&publisher->num_opcodes);
	if (err != EVERR_OK) {
		return err;
	}
	err = add_names(standard, EVENT_MESSAGE_KEYWORD, winmeta_keywords,
			winmeta_num_keywords, &publisher->keywords,
			&publisher->num_keywords);
	if (err != EVERR_OK) {
		return err;
	}
	return add_channels(standard);
}

static int message_cmp(const void *a, const void *b)
{
	const struct event_manifest_message *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static everr_t fill(struct event_publisher *publisher)
{
	struct standard standard = {.publisher = publisher};
	everr_t err;

	publisher->name = "";
	publisher->message_id = EVENT_MESSAGE_NONE;
	standard.strings =
		talloc_zero(publisher, struct event_manifest_strings);
	if (standard.strings == NULL) {
		return EVERR_NOMEM;
	}
	publisher->strings = standard.strings;
	publisher->num_strings = 1;
	standard.strings->culture = "en-US";
	standard.strings->lcid = winmeta_lcid("en-US");
	standard.strings->messages = talloc_array(
		publisher, struct event_manifest_message,
		winmeta_num_levels + winmeta_num_tasks + winmeta_num_opcodes +
			winmeta_num_keywords + winmeta_num_channels);
	if (standard.strings->messages == NULL) {
		return EVERR_NOMEM;
	}
	err = add_all(&standard);
	qsort(standard.strings->messages, standard.strings->num_messages,
	      sizeof(struct event_manifest_message), message_cmp);
	return err;
}

struct event_publisher *event_catalog_default_create(TALLOC_CTX *mem_ctx)
{
	struct event_publisher *publisher = NULL;
	everr_t err;

	publisher = talloc_zero(mem_ctx, struct event_publisher);
	if (publisher == NULL) {
		return NULL;
	}
	err = fill(publisher);
	if (err != EVERR_OK) {
		talloc_free(publisher);
		return NULL;
	}
	return publisher;
}
