/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest_parse.h"

#include "base/text.h"
#include "event/winmeta.h"

#include <string.h>

/* Values of channels that are not Windows' own, [MS-EVEN6] 3.1.1.6. */
#define CHANNEL_ID_FIRST 16
/* Tasks beyond it have no room for their opcodes in a message id. */
#define OPCODE_TASK_MAX 0xFFF
#define OPCODE_MESSAGES_MAX 0xFFFF

static everr_t sort_index(struct manifest_parse *parse,
			  struct manifest_index *index,
			  const struct manifest_element *list)
{
	const char *twice = manifest_index_sort(index);

	if (twice == NULL) {
		return EVERR_OK;
	}
	return manifest_refuse(parse, list, "<%s> has %s twice", list->name,
			       twice);
}

/* ------------------------------------------------------------- channels */

/* The number of a word in a list that NULL ends. */
static everr_t read_word(struct manifest_parse *parse,
			 const struct manifest_element *element,
			 const char *name, const char *const *words,
			 uint32_t *ret_value)
{
	const char *text = manifest_attribute(element, name);
	uint32_t i;

	if (text == NULL) {
		return EVERR_OK;
	}
	for (i = 0; words[i] != NULL; i++) {
		if (text_name_equal(words[i], text)) {
			*ret_value = i;
			return EVERR_OK;
		}
	}
	return manifest_refuse(parse, element, "%s=\"%s\" of <%s> is not known",
			       name, text, element->name);
}

static everr_t read_logging(struct manifest_parse *parse,
			    const struct manifest_element *element,
			    struct event_manifest_channel *channel)
{
	const struct manifest_element *logging =
		manifest_child(element, "logging");
	const struct manifest_element *item = NULL;
	everr_t err = EVERR_OK;

	item = manifest_child(logging, "maxSize");
	if (item != NULL &&
	    !manifest_parse_number(item->text, &channel->max_size)) {
		return manifest_refuse(parse, item,
				       "<maxSize> is not a number");
	}
	item = manifest_child(logging, "retention");
	if (item != NULL) {
		err = manifest_bool(parse, item, "<retention>", item->text,
				    &channel->retention);
	}
	if (err != EVERR_OK) {
		return err;
	}
	item = manifest_child(logging, "autoBackup");
	if (item != NULL) {
		err = manifest_bool(parse, item, "<autoBackup>", item->text,
				    &channel->auto_backup);
	}
	return err;
}

/* What a <channel> says and an <importChannel> does not. */
static everr_t read_own_channel(struct manifest_parse *parse,
				const struct manifest_element *element,
				struct event_manifest_channel *channel)
{
	static const char *const types[] = {"Admin", "Operational", "Analytic",
					    "Debug", NULL};
	static const char *const isolations[] = {"Application", "System",
						 "Custom", NULL};
	const char *type = NULL;
	everr_t err;

	err = manifest_required(parse, element, "type", &type);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_word(parse, element, "type", types, &channel->type);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_word(parse, element, "isolation", isolations,
			&channel->isolation);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_bool(parse, element, "enabled",
			    manifest_attribute(element, "enabled"),
			    &channel->enabled);
	if (err != EVERR_OK) {
		return err;
	}
	channel->access = manifest_attribute(element, "access");
	return read_logging(parse, element, channel);
}

static bool channel_id_used(const struct event_publisher *publisher,
			    uint32_t id)
{
	size_t i;

	for (i = 0; i < publisher->num_channels; i++) {
		if (publisher->channels[i].id == id) {
			return true;
		}
	}
	return false;
}

static everr_t channel_id(struct manifest_parse *parse,
			  const struct manifest_element *element,
			  struct event_manifest_channel *channel)
{
	const struct winmeta_name *known = NULL;
	uint64_t id = 0;
	everr_t err;

	known = winmeta_find(winmeta_channels, winmeta_num_channels,
			     channel->name);
	if (channel->imported && known != NULL) {
		channel->id = (uint32_t)known->value;
		return EVERR_OK;
	}
	err = manifest_number(parse, element, "value", UINT8_MAX, &id);
	if (err != EVERR_OK) {
		return err;
	}
	if (manifest_attribute(element, "value") == NULL) {
		id = CHANNEL_ID_FIRST;
		while (channel_id_used(parse->publisher, (uint32_t)id)) {
			id++;
		}
	} else if (channel_id_used(parse->publisher, (uint32_t)id)) {
		return manifest_refuse(parse, element,
				       "two channels have the value %u",
				       (unsigned int)id);
	}
	channel->id = (uint32_t)id;
	return EVERR_OK;
}

/* Events name a channel by its chid, or by its name where it has none. */
static everr_t index_channel(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     const struct event_manifest_channel *channel)
{
	const char *chid = manifest_attribute(element, "chid");
	everr_t err = EVERR_OK;

	if (chid != NULL && strcmp(chid, channel->name) != 0) {
		err = manifest_index_add(parse, &parse->channels, chid, 0,
					 channel->index);
	}
	if (err != EVERR_OK) {
		return err;
	}
	return manifest_index_add(parse, &parse->channels, channel->name, 0,
				  channel->index);
}

static everr_t read_channel(struct manifest_parse *parse,
			    const struct manifest_element *element,
			    bool imported)
{
	struct event_publisher *publisher = parse->publisher;
	struct event_manifest_channel *channel =
		&publisher->channels[publisher->num_channels];
	everr_t err;

	channel->imported = imported;
	channel->index = (uint32_t)publisher->num_channels;
	channel->message_id = EVENT_MESSAGE_NONE;
	err = manifest_required(parse, element, "name", &channel->name);
	if (err != EVERR_OK) {
		return err;
	}
	if (strlen(channel->name) > EVENT_PUBLISHER_NAME_MAX) {
		return manifest_refuse(parse, element,
				       "a channel's name has more than %d "
				       "characters",
				       EVENT_PUBLISHER_NAME_MAX);
	}
	err = channel_id(parse, element, channel);
	if (err != EVERR_OK) {
		return err;
	}
	if (!imported) {
		err = read_own_channel(parse, element, channel);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_message(parse, element,
				       EVENT_MESSAGE_CHANNEL |
					       parse->next_channel_message++,
				       &channel->message_id);
		if (err != EVERR_OK) {
			return err;
		}
	}
	publisher->num_channels++;
	return index_channel(parse, element, channel);
}

static everr_t read_channels(struct manifest_parse *parse,
			     const struct manifest_element *provider)
{
	const struct manifest_element *list = NULL, *item = NULL;
	size_t num = 0;
	everr_t err;

	err = manifest_list(parse, provider, "channels", &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	num = manifest_count(list, "channel") +
	      manifest_count(list, "importChannel");
	if (num > MANIFEST_CHANNELS_MAX) {
		return manifest_refuse(parse, list, "more than %d channels",
				       MANIFEST_CHANNELS_MAX);
	}
	parse->publisher->channels = talloc_zero_array(
		parse->manifest, struct event_manifest_channel, num);
	if (parse->publisher->channels == NULL) {
		return EVERR_NOMEM;
	}
	/* In the order of the file: it gives each its keyword bit. */
	for (item = list->child; item != NULL; item = item->next) {
		bool imported = strcmp(item->name, "importChannel") == 0;

		if (!imported && strcmp(item->name, "channel") != 0) {
			continue;
		}
		err = read_channel(parse, item, imported);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return sort_index(parse, &parse->channels, list);
}

/* -------------------------------------- levels, tasks, opcodes, keywords */

/* Where a kind of name stands and what it may be. */
struct name_kind {
	const char *list;
	const char *item;
	const char *value; /* the attribute */
	uint64_t max;
	uint32_t message;
};

static const struct name_kind kind_level = {"levels", "level", "value",
					    UINT8_MAX, EVENT_MESSAGE_LEVEL};
static const struct name_kind kind_task = {"tasks", "task", "value", UINT16_MAX,
					   EVENT_MESSAGE_TASK};
static const struct name_kind kind_opcode = {"opcodes", "opcode", "value",
					     UINT8_MAX, EVENT_MESSAGE_OPCODE};
static const struct name_kind kind_keyword = {
	"keywords", "keyword", "mask", UINT64_MAX, EVENT_MESSAGE_KEYWORD};

/* Name, symbol and value. */
static everr_t read_name(struct manifest_parse *parse,
			 const struct manifest_element *element,
			 const struct name_kind *kind,
			 struct event_manifest_name *name)
{
	const char *ignored = NULL;
	everr_t err;

	err = manifest_required(parse, element, "name", &name->name);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_required(parse, element, kind->value, &ignored);
	if (err != EVERR_OK) {
		return err;
	}
	name->symbol = manifest_attribute(element, "symbol");
	return manifest_number(parse, element, kind->value, kind->max,
			       &name->value);
}

static everr_t read_levels(struct manifest_parse *parse,
			   const struct manifest_element *provider)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	everr_t err;

	err = manifest_list(parse, provider, kind_level.list, &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	publisher->levels =
		talloc_zero_array(parse->manifest, struct event_manifest_name,
				  manifest_count(list, kind_level.item));
	if (publisher->levels == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(list, kind_level.item); item != NULL;
	     item = manifest_next(item)) {
		size_t at = publisher->num_levels++;
		struct event_manifest_name *level = &publisher->levels[at];

		err = read_name(parse, item, &kind_level, level);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_message(parse, item,
				       EVENT_MESSAGE_LEVEL |
					       (uint32_t)level->value,
				       &level->message_id);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_index_add(parse, &parse->levels, level->name, 0,
					 at);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return sort_index(parse, &parse->levels, list);
}

/* Microsoft's compiler counts bits from 1. */
static uint32_t bit_number(uint64_t mask)
{
	return (uint32_t)__builtin_ctzll(mask) + 1;
}

static everr_t read_keyword(struct manifest_parse *parse,
			    const struct manifest_element *element,
			    struct event_manifest_name *keyword)
{
	everr_t err;

	err = read_name(parse, element, &kind_keyword, keyword);
	if (err != EVERR_OK) {
		return err;
	}
	if (keyword->value == 0 ||
	    (keyword->value & (keyword->value - 1)) != 0) {
		return manifest_refuse(parse, element,
				       "the mask of the keyword %s has not "
				       "exactly one bit",
				       keyword->name);
	}
	return manifest_message(parse, element,
				EVENT_MESSAGE_KEYWORD |
					bit_number(keyword->value),
				&keyword->message_id);
}

static everr_t read_keywords(struct manifest_parse *parse,
			     const struct manifest_element *provider)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	everr_t err;

	err = manifest_list(parse, provider, kind_keyword.list, &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	publisher->keywords =
		talloc_zero_array(parse->manifest, struct event_manifest_name,
				  manifest_count(list, kind_keyword.item));
	if (publisher->keywords == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(list, kind_keyword.item); item != NULL;
	     item = manifest_next(item)) {
		size_t at = publisher->num_keywords++;

		err = read_keyword(parse, item, &publisher->keywords[at]);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_index_add(parse, &parse->keywords,
					 publisher->keywords[at].name, 0, at);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return sort_index(parse, &parse->keywords, list);
}

static uint32_t opcode_message(struct manifest_parse *parse, uint32_t task,
			       uint32_t opcode)
{
	if (task <= OPCODE_TASK_MAX) {
		return EVENT_MESSAGE_OPCODE | task << 16 | opcode;
	}
	/* Opcodes end at 255: above it no other id stands. */
	return EVENT_MESSAGE_OPCODE | parse->next_opcode_message++;
}

/* task: the task's value; scope: 0 for the provider's own. */
static everr_t read_opcodes(struct manifest_parse *parse,
			    const struct manifest_element *parent,
			    uint32_t task, uint32_t scope)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	everr_t err;

	err = manifest_list(parse, parent, kind_opcode.list, &list);
	if (err != EVERR_OK) {
		return err;
	}
	for (item = manifest_child(list, kind_opcode.item); item != NULL;
	     item = manifest_next(item)) {
		size_t at = publisher->num_opcodes++;
		struct event_manifest_name *opcode = &publisher->opcodes[at];

		err = read_name(parse, item, &kind_opcode, opcode);
		if (err != EVERR_OK) {
			return err;
		}
		if (parse->next_opcode_message > OPCODE_MESSAGES_MAX) {
			return manifest_refuse(parse, item, "too many opcodes");
		}
		opcode->task = task;
		err = manifest_message(
			parse, item,
			opcode_message(parse, task, (uint32_t)opcode->value),
			&opcode->message_id);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_index_add(parse, &parse->opcodes, opcode->name,
					 scope, at);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static size_t count_opcodes(const struct manifest_element *provider)
{
	const struct manifest_element *tasks = NULL, *task = NULL;
	size_t n;

	n = manifest_count(manifest_child(provider, kind_opcode.list),
			   kind_opcode.item);
	tasks = manifest_child(provider, kind_task.list);
	for (task = manifest_child(tasks, kind_task.item); task != NULL;
	     task = manifest_next(task)) {
		n += manifest_count(manifest_child(task, kind_opcode.list),
				    kind_opcode.item);
	}
	return n;
}

static everr_t read_task(struct manifest_parse *parse,
			 const struct manifest_element *element, size_t at)
{
	struct event_manifest_name *task = &parse->publisher->tasks[at];
	const char *guid = manifest_attribute(element, "eventGUID");
	everr_t err;

	err = read_name(parse, element, &kind_task, task);
	if (err != EVERR_OK) {
		return err;
	}
	if (guid != NULL) {
		err = ev_guid_parse(guid, &task->guid);
		if (err != EVERR_OK) {
			return manifest_refuse(parse, element,
					       "eventGUID=\"%s\" is not a GUID",
					       guid);
		}
	}
	err = manifest_message(parse, element,
			       EVENT_MESSAGE_TASK | (uint32_t)task->value,
			       &task->message_id);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_index_add(parse, &parse->tasks, task->name, 0, at);
	if (err != EVERR_OK) {
		return err;
	}
	return read_opcodes(parse, element, (uint32_t)task->value,
			    (uint32_t)at + 1);
}

static everr_t read_tasks(struct manifest_parse *parse,
			  const struct manifest_element *provider)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	everr_t err;

	err = manifest_list(parse, provider, kind_task.list, &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	publisher->tasks =
		talloc_zero_array(parse->manifest, struct event_manifest_name,
				  manifest_count(list, kind_task.item));
	if (publisher->tasks == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(list, kind_task.item); item != NULL;
	     item = manifest_next(item)) {
		err = read_task(parse, item, publisher->num_tasks++);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return sort_index(parse, &parse->tasks, list);
}

static everr_t read_all_opcodes(struct manifest_parse *parse,
				const struct manifest_element *provider)
{
	const char *twice = NULL;
	everr_t err;

	parse->publisher->opcodes =
		talloc_zero_array(parse->manifest, struct event_manifest_name,
				  count_opcodes(provider));
	if (parse->publisher->opcodes == NULL) {
		return EVERR_NOMEM;
	}
	err = read_opcodes(parse, provider, 0, 0);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_tasks(parse, provider);
	if (err != EVERR_OK) {
		return err;
	}
	twice = manifest_index_sort(&parse->opcodes);
	if (twice != NULL) {
		return manifest_refuse(parse, provider,
				       "the opcode %s is there twice", twice);
	}
	return EVERR_OK;
}

everr_t manifest_read_names(struct manifest_parse *parse,
			    const struct manifest_element *provider)
{
	everr_t err;

	err = read_channels(parse, provider);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_levels(parse, provider);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_keywords(parse, provider);
	if (err != EVERR_OK) {
		return err;
	}
	return read_all_opcodes(parse, provider);
}

/* ----------------------------------------------------------------- maps */

static everr_t read_map_items(struct manifest_parse *parse,
			      const struct manifest_element *element,
			      struct event_manifest_map *map)
{
	const struct manifest_element *item = NULL;
	everr_t err;

	map->items = talloc_zero_array(parse->manifest,
				       struct event_manifest_map_item,
				       manifest_count(element, "map"));
	if (map->items == NULL) {
		return EVERR_NOMEM;
	}
	for (item = manifest_child(element, "map"); item != NULL;
	     item = manifest_next(item)) {
		struct event_manifest_map_item *out =
			&map->items[map->num_items++];
		const char *ignored = NULL;
		uint64_t value = 0;
		uint32_t id;

		err = manifest_required(parse, item, "value", &ignored);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_number(parse, item, "value", UINT32_MAX, &value);
		if (err != EVERR_OK) {
			return err;
		}
		out->value = (uint32_t)value;
		id = map->bits ? EVENT_MESSAGE_BIT_MAP |
					 parse->next_bit_map_message++
			       : EVENT_MESSAGE_MAP | parse->next_map_message++;
		err = manifest_message(parse, item, id, &out->message_id);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

everr_t manifest_read_maps(struct manifest_parse *parse,
			   const struct manifest_element *provider)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_element *list = NULL, *item = NULL;
	everr_t err;

	err = manifest_list(parse, provider, "maps", &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	publisher->maps =
		talloc_zero_array(parse->manifest, struct event_manifest_map,
				  manifest_count(list, "valueMap") +
					  manifest_count(list, "bitMap"));
	if (publisher->maps == NULL) {
		return EVERR_NOMEM;
	}
	for (item = list->child; item != NULL; item = item->next) {
		bool bits = strcmp(item->name, "bitMap") == 0;
		struct event_manifest_map *map = NULL;

		if (!bits && strcmp(item->name, "valueMap") != 0) {
			continue;
		}
		map = &publisher->maps[publisher->num_maps];
		map->bits = bits;
		err = manifest_required(parse, item, "name", &map->name);
		if (err != EVERR_OK) {
			return err;
		}
		err = manifest_index_add(parse, &parse->maps, map->name, 0,
					 publisher->num_maps++);
		if (err != EVERR_OK) {
			return err;
		}
		err = read_map_items(parse, item, map);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return sort_index(parse, &parse->maps, list);
}
