/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_MANIFEST_H
#define EVENLOG_EVENT_MANIFEST_H

/*
 * Publishers and what they say about their events: Windows' instrumentation
 * manifests (.man XML, namespace
 * http://schemas.microsoft.com/win/2004/08/events) read into memory.
 *
 * What [MS-EVEN6] 3.1.4.25 to 3.1.4.30 hand out comes from here (facts 12.3,
 * 12.5); event/catalog.h holds all publishers of a service together.
 * Everything is immutable after it was read.
 */

#include "base/everr.h"
#include "base/guid.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Bytes of one file; elements of all kinds in it; nesting. */
#define EVENT_MANIFEST_MAX (16 * 1024 * 1024)
#define EVENT_MANIFEST_ELEMENTS_MAX 262144
#define EVENT_MANIFEST_DEPTH_MAX 32
/* Bytes of an attribute: texts of messages are the longest. */
#define EVENT_MANIFEST_ATTRIBUTE_MAX 65535
/* <data> of one template: as many as event/build.h takes. */
#define EVENT_MANIFEST_FIELDS_MAX 1024
/* Characters of a publisher's name, [MS-EVEN6] 2.2.1. */
#define EVENT_PUBLISHER_NAME_MAX 255

/* No message; also no value where one is optional. */
#define EVENT_MESSAGE_NONE 0xFFFFFFFFU

/*
 * Message ids are given as Microsoft's message compiler gives them, where a
 * manifest's messageTable says nothing else: a kind in the upper bits, the
 * value below.
 */
#define EVENT_MESSAGE_KEYWORD 0x10000000U /* | number of the bit, from 1 */
#define EVENT_MESSAGE_OPCODE 0x30000000U  /* | task << 16 | opcode */
#define EVENT_MESSAGE_LEVEL 0x50000000U
#define EVENT_MESSAGE_TASK 0x70000000U
#define EVENT_MESSAGE_CHANNEL 0x90000000U /* counted; 1: the publisher */
#define EVENT_MESSAGE_EVENT 0xB0000000U	  /* | version << 16 | id */
#define EVENT_MESSAGE_MAP 0xD0000000U	  /* of a valueMap, counted */
#define EVENT_MESSAGE_BIT_MAP 0xF0000000U /* of a bitMap, counted */

struct event_manifest_channel {
	const char *name;
	uint32_t id;	    /* the byte in event descriptors, from 16 */
	uint32_t index;	    /* among the publisher's channels */
	bool imported;	    /* importChannel: another publisher's */
	uint32_t type;	    /* 0 Admin, 1 Operational, 2 Analytic, 3 Debug */
	uint32_t isolation; /* 0 Application, 1 System, 2 Custom */
	bool enabled;
	const char *access; /* SDDL or NULL */
	uint64_t max_size;  /* bytes; 0: not said */
	bool retention;
	bool auto_backup;
	uint32_t message_id;
};

/* A level, a task, an opcode or a keyword. */
struct event_manifest_name {
	const char *name;    /* "win:Error", "TaskLogon" */
	const char *symbol;  /* or NULL */
	uint64_t value;	     /* keyword: the mask; else the number */
	uint32_t task;	     /* opcode of a task: its value; else 0 */
	struct ev_guid guid; /* task: eventGUID, or zero */
	uint32_t message_id;
};

/* One <data> of a template. */
struct event_manifest_field {
	const char *name;
	uint8_t type;	      /* enum event_type, with the array bit */
	const char *in_type;  /* "win:UInt32" */
	const char *out_type; /* "xs:unsignedInt" or NULL */
	const char *map;      /* name of a valueMap or bitMap, or NULL */
	const char *length;   /* number or a field's name, or NULL */
	const char *count;
};

struct event_manifest_template {
	const char *id;
	/* As opnum 27 returns it: <template xmlns=...><data .../></template> */
	const char *xml;
	const struct event_manifest_field *fields;
	size_t num_fields;
	const char *user_data; /* XML of <UserData>'s child, or NULL */
};

struct event_manifest_map {
	const char *name;
	bool bits; /* bitMap */
	struct event_manifest_map_item {
		uint32_t value;
		uint32_t message_id;
	} * items;
	size_t num_items;
};

struct event_manifest_event {
	uint32_t id;
	uint8_t version;
	uint8_t level;
	uint8_t opcode;
	uint32_t task;
	uint64_t keywords; /* with the channel's bit of the winmeta kind */
	const struct event_manifest_channel *channel; /* or NULL */
	const struct event_manifest_template *tmpl;   /* or NULL */
	const char *symbol;
	uint32_t message_id;
};

/* Texts of one culture. */
struct event_manifest_strings {
	const char *culture; /* "en-US" */
	uint32_t lcid;	     /* 0x409; 0: not known */
	struct event_manifest_message {
		uint32_t id;
		const char *text; /* UTF-8, FormatMessage's escapes kept */
	} * messages;		  /* sorted by id */
	size_t num_messages;
	struct event_manifest_message *parameters; /* for %%n; sorted */
	size_t num_parameters;
};

struct event_publisher {
	const char *name;
	struct ev_guid guid;
	const char *symbol;
	const char *resource_file; /* or NULL, and so the next ones */
	const char *parameter_file;
	const char *message_file;
	const char *help_link;
	uint32_t message_id; /* the display name */
	bool classic;	     /* message id = Qualifiers << 16 | EventID */

	struct event_manifest_channel *channels;
	size_t num_channels;
	struct event_manifest_name *levels;
	size_t num_levels;
	struct event_manifest_name *tasks;
	size_t num_tasks;
	struct event_manifest_name *opcodes;
	size_t num_opcodes;
	struct event_manifest_name *keywords;
	size_t num_keywords;
	struct event_manifest_template *templates;
	size_t num_templates;
	struct event_manifest_map *maps;
	size_t num_maps;
	struct event_manifest_event *events; /* sorted by id, version */
	size_t num_events;
	struct event_manifest_strings *strings; /* the first is the fall-back */
	size_t num_strings;
};

struct event_manifest {
	const char *file; /* name for messages and for taking it out again */
	struct event_publisher *publishers;
	size_t num_publishers;
};

/* What is wrong with a manifest, for a person. */
struct event_manifest_error {
	int line;
	char message[240];
};

/*
 * Read a manifest; xml may be UTF-8 or UTF-16 with its mark.  No network, no
 * DTD, no entities.  References that lead nowhere ("$(string.X)" without the
 * string, an event's template) are errors, as Microsoft's compiler has it.
 * Elements that are not known are passed over.
 *
 * EVERR_MANIFEST  not such a document; *ret_error says where and what
 * EVERR_LIMIT     over a limit above
 * EVERR_NOMEM
 */
everr_t event_manifest_parse(
	TALLOC_CTX *mem_ctx, const char *file, const uint8_t *xml, size_t len,
	struct event_manifest **ret_manifest,
	struct event_manifest_error *ret_error) EVERR_MUST_CHECK;

/* The event of id and version; the highest version below it if there is none. */
const struct event_manifest_event *event_publisher_event(
	const struct event_publisher *publisher, uint32_t id, uint8_t version);

#endif
