/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_WINMETA_H
#define EVENLOG_EVENT_WINMETA_H

/*
 * What Windows defines for all manifests (its winmeta.xml): standard levels,
 * tasks, opcodes, keywords and channels, the inTypes of data; and the names of
 * cultures, [MS-LCID] 2.2.
 *
 * The numbers are Microsoft's; of the English texts, those of reserved levels
 * and of the rarer keywords are not verified against Windows.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>

/* "win:Error": value 2, text "Error". */
struct winmeta_name {
	const char *name;
	uint64_t value;
	const char *text;
};

extern const struct winmeta_name winmeta_levels[];
extern const size_t winmeta_num_levels;
extern const struct winmeta_name winmeta_tasks[];
extern const size_t winmeta_num_tasks;
extern const struct winmeta_name winmeta_opcodes[];
extern const size_t winmeta_num_opcodes;
extern const struct winmeta_name winmeta_keywords[];
extern const size_t winmeta_num_keywords;
/* Value: the channel byte of event descriptors. */
extern const struct winmeta_name winmeta_channels[];
extern const size_t winmeta_num_channels;

/* By name; NULL: none. */
const struct winmeta_name *winmeta_find(const struct winmeta_name *names,
					size_t num_names, const char *name);

/* "win:UInt32": the value type, and the outType it has where none is given. */
struct winmeta_type {
	const char *name;
	uint8_t type; /* enum event_type */
	const char *out_type;
};

/* NULL: none. */
const struct winmeta_type *winmeta_in_type(const char *name);

/* "de-DE" in either case: 0x407; 0: not known. */
uint32_t winmeta_lcid(const char *culture);

/* The language of an LCID, without its region. */
#define WINMETA_LANGUAGE(lcid) ((lcid)&0x3FFU)
#define WINMETA_ENGLISH 0x09U

#endif
