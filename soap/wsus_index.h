/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_INDEX_H
#define EVENLOG_SOAP_WSUS_INDEX_H

/*
 * A catalogue's index as a file: what its reader and its writer agree on.
 * doc/wsus.md describes it.  Integers are little endian; rows have a fixed
 * size and hold everything that would be dear to find out, so that reading is
 * one pass.  Texts are UTF-8 ended by NUL, in a section of their own; a row
 * has where one begins.
 */

#include "soap/wsus_catalogue.h"

#define WSUS_INDEX_MAGIC "EVLWSUS\n"
#define WSUS_INDEX_FORMAT 1

/*
 * The header: magic, format, checksum (CRC-32C of all that follows it), length
 * of the file (u64), anchor of the last change, flags, N of updates-N.dat
 * (u64), how many rows each section has.  An anchor is a time (u64) and a
 * number; what is not said to be a u64 is a u32.
 */
#define WSUS_INDEX_MAGIC_LEN 8
#define WSUS_INDEX_AT_CHECKSUM 12
#define WSUS_INDEX_AT_LENGTH 16
#define WSUS_INDEX_AT_COUNTS 48
#define WSUS_INDEX_HEADER 100

#define WSUS_INDEX_CATALOG_ONLY 0x1
#define WSUS_INDEX_LAZY 0x2

/* Behind the header, without gaps. */
enum wsus_index_section {
	WSUS_INDEX_UPDATES,
	WSUS_INDEX_LANGUAGES,
	WSUS_INDEX_GROUPS,
	WSUS_INDEX_DEPLOYMENTS,
	WSUS_INDEX_DEAD,
	WSUS_INDEX_DECLINED,
	WSUS_INDEX_EULAS,
	WSUS_INDEX_CATEGORIES, /* that any update is in, sorted */
	WSUS_INDEX_NAMED,      /* categories, update by update */
	WSUS_INDEX_MEMBERS,    /* numbers in CATEGORIES, update by update */
	WSUS_INDEX_FILES,      /* update by update */
	WSUS_INDEX_DIGESTS,    /* numbers in FILES, by digest */
	WSUS_INDEX_TEXTS,      /* bytes; the first text is empty */
	WSUS_INDEX_SECTIONS
};

struct wsus_index_section_info {
	const char *name; /* for messages */
	size_t row_size;
	size_t max; /* rows */
};
extern const struct wsus_index_section_info
	wsus_index_sections[WSUS_INDEX_SECTIONS];

#endif
