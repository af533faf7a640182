/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest_parse.h"

#include "event/winmeta.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------- reading tables */

static everr_t read_culture(struct manifest_parse *parse,
			    const struct manifest_element *resources,
			    struct manifest_culture *culture)
{
	const struct manifest_element *list = NULL, *string = NULL;
	const char *twice = NULL;
	size_t n = 0;
	everr_t err;

	err = manifest_required(parse, resources, "culture", &culture->name);
	if (err != EVERR_OK) {
		return err;
	}
	culture->lcid = winmeta_lcid(culture->name);
	err = manifest_list(parse, resources, "stringTable", &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	culture->texts = talloc_array(parse->tmp_ctx, const char *,
				      manifest_count(list, "string"));
	if (culture->texts == NULL) {
		return EVERR_NOMEM;
	}
	for (string = manifest_child(list, "string"); string != NULL;
	     string = manifest_next(string)) {
		const char *id = NULL;
		const char *value = manifest_attribute(string, "value");

		err = manifest_required(parse, string, "id", &id);
		if (err != EVERR_OK) {
			return err;
		}
		culture->texts[n] = value != NULL ? value : "";
		err = manifest_index_add(parse, &culture->index, id, 0, n++);
		if (err != EVERR_OK) {
			return err;
		}
	}
	twice = manifest_index_sort(&culture->index);
	if (twice != NULL) {
		return manifest_refuse(parse, list,
				       "the string %s is in the table of %s "
				       "twice",
				       twice, culture->name);
	}
	return EVERR_OK;
}

everr_t manifest_read_strings(struct manifest_parse *parse,
			      const struct manifest_element *root)
{
	const struct manifest_element *list = NULL, *resources = NULL;
	size_t num;
	everr_t err;

	err = manifest_list(parse, root, "localization", &list);
	if (err != EVERR_OK) {
		return err;
	}
	num = manifest_count(list, "resources");
	if (num > MANIFEST_CULTURES_MAX) {
		return manifest_refuse(parse, list, "more than %d cultures",
				       MANIFEST_CULTURES_MAX);
	}
	parse->cultures =
		talloc_zero_array(parse->tmp_ctx, struct manifest_culture, num);
	if (parse->cultures == NULL) {
		return EVERR_NOMEM;
	}
	for (resources = manifest_child(list, "resources"); resources != NULL;
	     resources = manifest_next(resources)) {
		err = read_culture(parse, resources,
				   &parse->cultures[parse->num_cultures++]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static everr_t read_table_message(struct manifest_parse *parse,
				  const struct manifest_element *message,
				  struct manifest_table_message *entry)
{
	const char *ignored = NULL;
	uint64_t value = 0;
	uint32_t id;
	everr_t err;

	err = manifest_required(parse, message, "value", &ignored);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_required(parse, message, "message", &ignored);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_number(parse, message, "value", EVENT_MESSAGE_NONE - 1,
			      &value);
	if (err != EVERR_OK) {
		return err;
	}
	entry->value = (uint32_t)value;
	entry->mid = manifest_attribute(message, "mid");
	entry->symbol = manifest_attribute(message, "symbol");

	/* Each provider of the file takes it over from here. */
	err = manifest_message(parse, message, entry->value, &id);
	if (err != EVERR_OK) {
		return err;
	}
	if (parse->num_references == 0) {
		return manifest_refuse(parse, message,
				       "a <message> refers to another one");
	}
	entry->reference = parse->references[--parse->num_references];
	return EVERR_OK;
}

static everr_t index_table(struct manifest_parse *parse,
			   const struct manifest_element *list)
{
	const char *twice = NULL;
	size_t i;
	everr_t err;

	for (i = 0; i < parse->num_table; i++) {
		const struct manifest_table_message *entry = &parse->table[i];
		const char *name =
			entry->mid != NULL ? entry->mid : entry->symbol;

		if (name == NULL) {
			continue;
		}
		err = manifest_index_add(parse, &parse->table_index, name, 0,
					 i);
		if (err != EVERR_OK) {
			return err;
		}
	}
	twice = manifest_index_sort(&parse->table_index);
	if (twice != NULL) {
		return manifest_refuse(parse, list,
				       "<messageTable> has %s twice", twice);
	}
	return EVERR_OK;
}

static int table_cmp(const void *a, const void *b)
{
	const struct manifest_table_message *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

everr_t manifest_read_table(struct manifest_parse *parse,
			    const struct manifest_element *events)
{
	const struct manifest_element *list = NULL, *message = NULL;
	size_t num, i;
	everr_t err;

	err = manifest_list(parse, events, "messageTable", &list);
	if (err != EVERR_OK || list == NULL) {
		return err;
	}
	num = manifest_count(list, "message");
	parse->table = talloc_zero_array(parse->tmp_ctx,
					 struct manifest_table_message, num);
	if (parse->table == NULL) {
		return EVERR_NOMEM;
	}
	for (message = manifest_child(list, "message"); message != NULL;
	     message = manifest_next(message)) {
		err = read_table_message(parse, message,
					 &parse->table[parse->num_table++]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	qsort(parse->table, num, sizeof(*parse->table), table_cmp);
	for (i = 1; i < num; i++) {
		if (parse->table[i].value == parse->table[i - 1].value) {
			return manifest_refuse(
				parse, list,
				"<messageTable> has the value 0x%x twice",
				parse->table[i].value);
		}
	}
	return index_table(parse, list);
}

/* ------------------------------------------------------------- resolving */

static int message_cmp(const void *a, const void *b)
{
	const struct event_manifest_message *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* The culture's text of a reference is added to out where it has one. */
static void resolve(const struct manifest_culture *culture,
		    const struct manifest_reference *reference, bool *found,
		    struct event_manifest_message *out, size_t *num)
{
	size_t at = 0;

	if (!manifest_index_find(&culture->index, reference->string, 0, &at)) {
		return;
	}
	*found = true;
	out[(*num)++] = (struct event_manifest_message){
		.id = reference->id, .text = culture->texts[at]};
}

/*
 * A messageTable has the texts that a provider's parameter file would have:
 * so %%n finds its text there.
 */
static everr_t resolve_culture(struct manifest_parse *parse,
			       const struct manifest_culture *culture,
			       bool *found,
			       struct event_manifest_strings *strings)
{
	size_t num = parse->num_references + parse->num_table;
	size_t i;

	strings->culture = culture->name;
	strings->lcid = culture->lcid;
	strings->messages = talloc_array(parse->manifest,
					 struct event_manifest_message, num);
	strings->parameters =
		talloc_array(parse->manifest, struct event_manifest_message,
			     parse->num_table);
	if (strings->messages == NULL || strings->parameters == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < parse->num_references; i++) {
		resolve(culture, &parse->references[i], &found[i],
			strings->messages, &strings->num_messages);
	}
	for (i = 0; i < parse->num_table; i++) {
		resolve(culture, &parse->table[i].reference,
			&found[parse->num_references + i], strings->parameters,
			&strings->num_parameters);
	}
	if (strings->num_parameters > 0) {
		memcpy(strings->messages + strings->num_messages,
		       strings->parameters,
		       strings->num_parameters *
			       sizeof(struct event_manifest_message));
		strings->num_messages += strings->num_parameters;
	}
	qsort(strings->messages, strings->num_messages,
	      sizeof(struct event_manifest_message), message_cmp);
	return EVERR_OK;
}

static const struct manifest_reference *unresolved(
	const struct manifest_parse *parse, const bool *found)
{
	size_t i;

	for (i = 0; i < parse->num_references; i++) {
		if (!found[i]) {
			return &parse->references[i];
		}
	}
	for (i = 0; i < parse->num_table; i++) {
		if (!found[parse->num_references + i]) {
			return &parse->table[i].reference;
		}
	}
	return NULL;
}

/* Each provider has each text of the table in each culture. */
static everr_t check_slots(struct manifest_parse *parse)
{
	const struct manifest_element at = {};

	parse->message_slots += (parse->num_references + parse->num_table +
				 MANIFEST_CULTURE_SLOTS) *
				parse->num_cultures;
	if (parse->message_slots > MANIFEST_MESSAGE_SLOTS_MAX) {
		return manifest_refuse(parse, &at,
				       "too many messages, providers or "
				       "cultures");
	}
	return EVERR_OK;
}

everr_t manifest_resolve_strings(struct manifest_parse *parse)
{
	struct event_publisher *publisher = parse->publisher;
	const struct manifest_reference *missing = NULL;
	bool *found = NULL;
	size_t i;
	everr_t err;

	err = check_slots(parse);
	if (err != EVERR_OK) {
		return err;
	}
	found = talloc_zero_array(parse->tmp_ctx, bool,
				  parse->num_references + parse->num_table);
	publisher->strings = talloc_zero_array(parse->manifest,
					       struct event_manifest_strings,
					       parse->num_cultures);
	if (found == NULL || publisher->strings == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < parse->num_cultures; i++) {
		err = resolve_culture(parse, &parse->cultures[i], found,
				      &publisher->strings[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	publisher->num_strings = parse->num_cultures;

	missing = unresolved(parse, found);
	if (missing != NULL) {
		const struct manifest_element at = {.line = missing->line};

		return manifest_refuse(parse, &at,
				       "no string %s in any <stringTable>",
				       missing->string);
	}
	return EVERR_OK;
}
