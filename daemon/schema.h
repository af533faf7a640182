/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_SCHEMA_H
#define EVENLOG_DAEMON_SCHEMA_H

/*
 * The table of configuration keys: where each one's value goes, its type, its
 * range, its default.  config.c reads files by it.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

enum schema_type {
	SCHEMA_BOOL,	   /* bool: yes/no */
	SCHEMA_UINT16,	   /* uint16_t */
	SCHEMA_UINT32,	   /* uint32_t */
	SCHEMA_SIZE,	   /* uint64_t bytes: 10, 4K, 64M, 2G, 1T */
	SCHEMA_SIZE32,	   /* the same in a uint32_t */
	SCHEMA_DURATION,   /* uint64_t seconds: 90, 5m, 12h, 30d */
	SCHEMA_DURATION32, /* the same in a uint32_t */
	SCHEMA_STRING,	   /* const char *, not empty */
	SCHEMA_PATH,	   /* const char *, absolute */
	SCHEMA_SDDL,	   /* const char *, an access string */
	SCHEMA_ADDRESS,	   /* const char *, a numeric IP address */
	SCHEMA_SITE,	   /* const char *, a ConfigMgr site code */
	SCHEMA_LIST,	   /* const char *const *, NULL-terminated */
	SCHEMA_NETWORKS,   /* the same; "10.1.0.0/16", "::1" */
	SCHEMA_CHOICE,	   /* uint32_t, index into choices */
	SCHEMA_SET	   /* uint32_t, a bit for each of choices */
};

struct schema_key {
	const char *section;
	const char *name;
	enum schema_type type;
	size_t offset; /* into the structure it fills */
	uint64_t min;
	uint64_t max; /* 0: no bound but the type's */
	const char *const *choices;
	const char *initial; /* default as text; NULL: left as it is */
	const char *unit;    /* for messages: "records", or NULL */
};

/* Tables end with a NULL section. */
extern const struct schema_key daemon_schema[]; /* struct daemon_config */
/* store_channel_config; rows in the order of enum daemon_channel_key's bits */
extern const struct schema_key channel_schema[];
/* soap_listener_config; its first rows in the order of enum daemon_listener_key's bits */
extern const struct schema_key listener_schema[];

const struct schema_key *schema_find(const struct schema_key *schema,
				     const char *section, const char *name);
bool schema_has_section(const struct schema_key *schema, const char *section);

/*
 * Check text and store it at target + key->offset; pointers are talloc
 * children of mem_ctx.  EVERR_CONFIG: not allowed, target untouched.
 */
everr_t schema_set(TALLOC_CTX *mem_ctx, const struct schema_key *key,
		   const char *text, void *target) EVERR_MUST_CHECK;

void schema_set_defaults(TALLOC_CTX *mem_ctx, const struct schema_key *schema,
			 void *target);

/* "a number from 1 to 65535", for a message. */
char *schema_allowed(TALLOC_CTX *mem_ctx, const struct schema_key *key);
/* "'path', 'map_size' and 'synchronous'" */
char *schema_keys(TALLOC_CTX *mem_ctx, const struct schema_key *schema,
		  const char *section);

/* Lower case without blanks, as smb.conf compares its words. */
void schema_squeeze(const char *text, char *out, size_t size);

#endif
