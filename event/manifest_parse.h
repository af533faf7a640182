/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_MANIFEST_PARSE_H
#define EVENLOG_EVENT_MANIFEST_PARSE_H

/*
 * What the modules that read a manifest share; nobody else includes this.
 *
 * The elements' tree (manifest_tree.h) is a child of the manifest and holds
 * its texts.  The parts of a provider are read in an order in which what is
 * referred to comes first, whatever the file's order is.
 */

#include "event/manifest.h"
#include "event/manifest_tree.h"

/* Cultures of one file. */
#define MANIFEST_CULTURES_MAX 128
/* Messages of all providers in all cultures, found or not. */
#define MANIFEST_MESSAGE_SLOTS_MAX (16 * EVENT_MANIFEST_ELEMENTS_MAX)
/* What a culture of a provider costs besides, in messages. */
#define MANIFEST_CULTURE_SLOTS 16
/* Channels of a provider, Microsoft's limit. */
#define MANIFEST_CHANNELS_MAX 8

/* Names that something else refers to, and where the things stand. */
struct manifest_index {
	struct manifest_index_entry {
		const char *name;
		uint32_t scope; /* 0, or what the name is local to */
		size_t at;
	} * entries;
	size_t num;
};

/* "$(string.X)" at an element, and the message id that X gets. */
struct manifest_reference {
	uint32_t id;
	const char *string;
	int line;
};

/* The string table of a culture. */
struct manifest_culture {
	const char *name;
	uint32_t lcid;
	struct manifest_index index;
	const char **texts;
};

/* A message of the file's messageTable. */
struct manifest_table_message {
	uint32_t value;
	const char *mid;
	const char *symbol;
	struct manifest_reference reference;
};

struct manifest_parse {
	struct event_manifest *manifest;
	struct event_manifest_error *error;
	TALLOC_CTX *tmp_ctx; /* freed when the manifest is read */
	struct manifest_culture *cultures;
	size_t num_cultures;
	struct manifest_table_message *table;
	size_t num_table;
	struct manifest_index table_index; /* mid or symbol */
	size_t template_bytes;
	size_t message_slots;

	/* Of the provider being read. */
	struct event_publisher *publisher;
	struct manifest_reference *references;
	size_t num_references;
	struct manifest_index levels, tasks, opcodes, keywords;
	struct manifest_index channels, templates, maps;
	uint32_t next_channel_message;
	uint32_t next_opcode_message;
	uint32_t next_map_message;
	uint32_t next_bit_map_message;
};

/* Say what is wrong at an element; returns EVERR_MANIFEST. */
everr_t manifest_refuse(struct manifest_parse *parse,
			const struct manifest_element *element,
			const char *format, ...)
	__attribute__((format(printf, 3, 4))) EVERR_MUST_CHECK;

/*
 * The one child that holds a list, or NULL; two of them are an error.  The
 * number of a list's items.
 */
everr_t manifest_list(struct manifest_parse *parse,
		      const struct manifest_element *parent, const char *name,
		      const struct manifest_element **ret_list)
	EVERR_MUST_CHECK;
size_t manifest_count(const struct manifest_element *list, const char *name);

/* Indexes are filled, sorted, and then searched. */
everr_t manifest_index_add(struct manifest_parse *parse,
			   struct manifest_index *index, const char *name,
			   uint32_t scope, size_t at) EVERR_MUST_CHECK;
/* NULL, or a name that is in it twice. */
const char *manifest_index_sort(struct manifest_index *index);
/* False: not there. */
bool manifest_index_find(const struct manifest_index *index, const char *name,
			 uint32_t scope, size_t *ret_at);

/*
 * Attributes.  A missing one is EVERR_MANIFEST where it is required, else the
 * result keeps its value.  Numbers are decimal or 0x and at most max.
 */
everr_t manifest_required(struct manifest_parse *parse,
			  const struct manifest_element *element,
			  const char *name,
			  const char **ret_value) EVERR_MUST_CHECK;
everr_t manifest_number(struct manifest_parse *parse,
			const struct manifest_element *element,
			const char *name, uint64_t max,
			uint64_t *ret_value) EVERR_MUST_CHECK;
bool manifest_parse_number(const char *text, uint64_t *ret_value);
everr_t manifest_bool(struct manifest_parse *parse,
		      const struct manifest_element *element, const char *name,
		      const char *value, bool *ret_value) EVERR_MUST_CHECK;

/*
 * The message attribute of an element.  The string it refers to gets the
 * number id, or the one its messageTable says; *ret_id is it, or
 * EVENT_MESSAGE_NONE where the attribute is missing.
 */
everr_t manifest_message(struct manifest_parse *parse,
			 const struct manifest_element *element, uint32_t id,
			 uint32_t *ret_id) EVERR_MUST_CHECK;

/* manifest_strings.c: localization and messageTable of the file. */
everr_t manifest_read_strings(struct manifest_parse *parse,
			      const struct manifest_element *root)
	EVERR_MUST_CHECK;
everr_t manifest_read_table(struct manifest_parse *parse,
			    const struct manifest_element *events)
	EVERR_MUST_CHECK;
/* The provider's messages in each culture, once all references are known. */
everr_t manifest_resolve_strings(struct manifest_parse *parse) EVERR_MUST_CHECK;

/* manifest_names.c: channels, levels, tasks, opcodes, keywords, maps. */
everr_t manifest_read_names(struct manifest_parse *parse,
			    const struct manifest_element *provider)
	EVERR_MUST_CHECK;
everr_t manifest_read_maps(struct manifest_parse *parse,
			   const struct manifest_element *provider)
	EVERR_MUST_CHECK;

/* manifest_template.c */
everr_t manifest_read_templates(struct manifest_parse *parse,
				const struct manifest_element *provider)
	EVERR_MUST_CHECK;

/* manifest_events.c: after all the others. */
everr_t manifest_read_events(struct manifest_parse *parse,
			     const struct manifest_element *provider)
	EVERR_MUST_CHECK;

#endif
