/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_CONFIG_LOAD_H
#define EVENLOG_DAEMON_CONFIG_LOAD_H

/*
 * Inside the configuration: what the readers of the sections share.  config.c
 * opens files and hands each section to its reader; a room with sections of
 * its own has them in a config_ROOM.c.
 *
 * A reader complains and goes on, so that all mistakes are told in one go;
 * whether there were any is looked at once, at the end.
 */

#include "daemon/config.h"
#include "daemon/schema.h"

#include <ini_configobj.h>

/* Characters of a NAME in [listener NAME] and the like. */
#define CONFIG_NAME_MAX 64

/*
 * Of one file, and of one section; the parser's time grows with their squares.
 */
#define CONFIG_SECTIONS_MAX 1000
#define CONFIG_KEYS_MAX 1000
/* Files of the directory of [collector]. */
#define CONFIG_FILES_MAX 1000

struct load_collect; /* of config_collect.c */

/* State of one load. */
struct load {
	struct daemon_config *config;
	struct daemon_config_errors *errors;
	/* The file that is being read. */
	struct ini_cfgobj *ini;
	const char *file; /* as long as the load */
	struct load_collect *collect;
	bool basic; /* daemon_config_load_basic() */
};

/* Where something stands in the files. */
struct config_place {
	const char *file;
	uint32_t line; /* 0: the file as a whole */
};

/* In the file that is being read; line 0: the file as a whole. */
void config_complain(struct load *load, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What is found wrong when all files have been read. */
void config_complain_at(struct load *load, const struct config_place *place,
			const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Take the keys of [ini_section] by the rows of section in schema, into
 * target.  Returns the bits of all keys that the section gives, by their
 * position in schema.
 */
uint32_t config_apply_section(struct load *load,
			      const struct schema_key *schema,
			      const char *section, const char *ini_section,
			      void *target);

/*
 * A key that is not in the schema; false: it is none of the section's.  What
 * is wrong with its value is complained of, and it is true.
 */
typedef bool (*config_other_key)(struct load *load, const char *key,
				 const char *value, uint32_t line,
				 void *target);
/* The same for sections that have keys with names of the user's. */
uint32_t config_apply_section_other(struct load *load,
				    const struct schema_key *schema,
				    const char *section,
				    const char *ini_section, void *target,
				    config_other_key other);

/* The line of a key, or of the section's first one (key NULL); 0: none. */
uint32_t config_line(struct load *load, const char *ini_section,
		     const char *key);

/*
 * NAME of [PREFIX NAME], where prefix has its blank at the end; NULL when the
 * section is another.
 */
const char *config_section_name(const char *section, const char *prefix);
/* It stands in messages and as a label of metrics. */
bool config_name_valid(const char *name);

/* Whether there will be such a channel: when all files have been read. */
bool config_has_channel(const struct daemon_config *config, const char *name);

#endif
