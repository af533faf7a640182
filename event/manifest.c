/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest.h"

#include "event/catalog.h"
#include "event/manifest_parse.h"

#include <stdio.h>
#include <string.h>

/* Everything known of a provider starts anew; the file's tables stay. */
static void begin_provider(struct manifest_parse *parse,
			   struct event_publisher *publisher)
{
	static const struct manifest_index none = {};

	talloc_free(parse->references);
	parse->references = NULL;
	parse->num_references = 0;
	talloc_free(parse->levels.entries);
	talloc_free(parse->tasks.entries);
	talloc_free(parse->opcodes.entries);
	talloc_free(parse->keywords.entries);
	talloc_free(parse->channels.entries);
	talloc_free(parse->templates.entries);
	talloc_free(parse->maps.entries);
	parse->levels = parse->tasks = parse->opcodes = none;
	parse->keywords = parse->channels = none;
	parse->templates = parse->maps = none;
	/* 1 is the provider itself. */
	parse->next_channel_message = 2;
	/* Above all opcodes of task 0. */
	parse->next_opcode_message = UINT8_MAX + 1;
	parse->next_map_message = 1;
	parse->next_bit_map_message = 1;
	parse->publisher = publisher;
}

static everr_t read_identity(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     struct event_publisher *publisher)
{
	const char *guid = NULL;
	everr_t err;

	err = manifest_required(parse, element, "name", &publisher->name);
	if (err != EVERR_OK) {
		return err;
	}
	if (strlen(publisher->name) > EVENT_PUBLISHER_NAME_MAX) {
		return manifest_refuse(parse, element,
				       "a provider's name has more than %d "
				       "characters",
				       EVENT_PUBLISHER_NAME_MAX);
	}
	err = manifest_required(parse, element, "guid", &guid);
	if (err != EVERR_OK) {
		return err;
	}
	err = ev_guid_parse(guid, &publisher->guid);
	if (err != EVERR_OK) {
		return manifest_refuse(parse, element,
				       "guid=\"%s\" is not a GUID", guid);
	}
	publisher->symbol = manifest_attribute(element, "symbol");
	publisher->resource_file =
		manifest_attribute(element, "resourceFileName");
	publisher->message_file =
		manifest_attribute(element, "messageFileName");
	publisher->parameter_file =
		manifest_attribute(element, "parameterFileName");
	publisher->help_link = manifest_attribute(element, "helpLink");
	return manifest_message(parse, element, EVENT_MESSAGE_CHANNEL | 1,
				&publisher->message_id);
}

static everr_t read_provider(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     struct event_publisher *publisher)
{
	everr_t err;

	begin_provider(parse, publisher);
	err = read_identity(parse, element, publisher);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_read_names(parse, element);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_read_maps(parse, element);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_read_templates(parse, element);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_read_events(parse, element);
	if (err != EVERR_OK) {
		return err;
	}
	return manifest_resolve_strings(parse);
}

static everr_t read_providers(struct manifest_parse *parse,
			      const struct manifest_element *events)
{
	struct event_manifest *manifest = parse->manifest;
	const struct manifest_element *provider = NULL;
	size_t num = manifest_count(events, "provider");
	everr_t err;

	if (num > EVENT_CATALOG_PUBLISHERS_MAX) {
		return manifest_refuse(parse, events, "more than %d providers",
				       EVENT_CATALOG_PUBLISHERS_MAX);
	}
	manifest->publishers =
		talloc_zero_array(manifest, struct event_publisher, num);
	if (manifest->publishers == NULL) {
		return EVERR_NOMEM;
	}
	for (provider = manifest_child(events, "provider"); provider != NULL;
	     provider = manifest_next(provider)) {
		err = read_provider(
			parse, provider,
			&manifest->publishers[manifest->num_publishers++]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (manifest->num_publishers == 0) {
		return manifest_refuse(parse, events, "there is no <provider>");
	}
	return EVERR_OK;
}

static everr_t read_root(struct manifest_parse *parse,
			 const struct manifest_element *root)
{
	const struct manifest_element *instrumentation = NULL, *events = NULL;
	everr_t err;

	/* Windows' component manifests have it inside an <assembly>. */
	if (strcmp(root->name, "instrumentationManifest") != 0 &&
	    strcmp(root->name, "assembly") != 0) {
		return manifest_refuse(parse, root,
				       "<%s> is not an "
				       "<instrumentationManifest>",
				       root->name);
	}
	err = manifest_read_strings(parse, root);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_list(parse, root, "instrumentation", &instrumentation);
	if (err != EVERR_OK) {
		return err;
	}
	err = manifest_list(parse, instrumentation, "events", &events);
	if (err != EVERR_OK) {
		return err;
	}
	if (events == NULL) {
		return manifest_refuse(parse, root,
				       "there is no <events> in "
				       "<instrumentation>");
	}
	err = manifest_read_table(parse, events);
	if (err != EVERR_OK) {
		return err;
	}
	return read_providers(parse, events);
}

static everr_t parse_into(struct event_manifest *manifest, const char *file,
			  const uint8_t *xml, size_t len,
			  struct event_manifest_error *error)
{
	struct manifest_parse parse = {.manifest = manifest, .error = error};
	const struct manifest_element *root = NULL;
	everr_t err;

	manifest->file = talloc_strdup(manifest, file);
	parse.tmp_ctx = talloc_new(manifest);
	if (manifest->file == NULL || parse.tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	err = manifest_tree_read(manifest, xml, len, &root, error);
	if (err == EVERR_OK) {
		err = read_root(&parse, root);
	}
	talloc_free(parse.tmp_ctx);
	return err;
}

everr_t event_manifest_parse(TALLOC_CTX *mem_ctx, const char *file,
			     const uint8_t *xml, size_t len,
			     struct event_manifest **ret_manifest,
			     struct event_manifest_error *ret_error)
{
	struct event_manifest_error error = {};
	struct event_manifest *manifest = NULL;
	everr_t err;

	manifest = talloc_zero(mem_ctx, struct event_manifest);
	if (manifest == NULL) {
		return EVERR_NOMEM;
	}
	err = parse_into(manifest, file, xml, len, &error);
	if (err != EVERR_OK) {
		*ret_error = error;
		talloc_free(manifest);
		return err;
	}
	*ret_manifest = manifest;
	return EVERR_OK;
}
