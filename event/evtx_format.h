/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_EVTX_FORMAT_H
#define EVENLOG_EVENT_EVTX_FORMAT_H

/*
 * Where things stand in an .evtx file; facts: evtx, 2 to 5.  Inside of the
 * reader and the writer.  All offsets of a chunk count from its first byte.
 */

/* The file's header. */
#define EVTX_FILE_MAGIC "ElfFile" /* with its NUL */
#define EVTX_FILE_FIRST_CHUNK 8
#define EVTX_FILE_LAST_CHUNK 16
#define EVTX_FILE_NEXT_RECORD 24
#define EVTX_FILE_HEADER_SIZE 32
#define EVTX_FILE_MINOR 36
#define EVTX_FILE_MAJOR 38
#define EVTX_FILE_BLOCK_SIZE 40
#define EVTX_FILE_NUM_CHUNKS 42
#define EVTX_FILE_FLAGS 120
#define EVTX_FILE_CRC 124 /* of what stands before the flags */

#define EVTX_FILE_DIRTY 0x1
#define EVTX_FILE_FULL 0x2
#define EVTX_FILE_NO_CRC 0x4

/* A chunk's header. */
#define EVTX_CHUNK_MAGIC "ElfChnk" /* with its NUL */
#define EVTX_CHUNK_FIRST_NUMBER 8
#define EVTX_CHUNK_LAST_NUMBER 16
#define EVTX_CHUNK_FIRST_ID 24
#define EVTX_CHUNK_LAST_ID 32
#define EVTX_CHUNK_HEADER_SIZE 40
#define EVTX_CHUNK_LAST_RECORD 44
#define EVTX_CHUNK_FREE 48
#define EVTX_CHUNK_RECORDS_CRC 52
#define EVTX_CHUNK_FLAGS 120
#define EVTX_CHUNK_CRC 124 /* of what stands before the flags, and of tables */
#define EVTX_CHUNK_STRINGS 128
#define EVTX_CHUNK_TEMPLATES 384
#define EVTX_CHUNK_RECORDS 512

#define EVTX_STRING_BUCKETS 64
#define EVTX_TEMPLATE_BUCKETS 32
#define EVTX_TABLES_SIZE (EVTX_CHUNK_RECORDS - EVTX_CHUNK_STRINGS)

#define EVTX_HEADER_USED 128 /* of either header, as their fields say */
#define EVTX_MAGIC_SIZE 8

/* A record: magic, size, id, time, BinXML, padding, size again. */
#define EVTX_RECORD_MAGIC 0x00002A2A
#define EVTX_RECORD_SIZE 4
#define EVTX_RECORD_ID 8
#define EVTX_RECORD_TIME 16
#define EVTX_RECORD_HEAD 24
#define EVTX_RECORD_TAIL 4
#define EVTX_RECORD_ALIGN 8

/* A string: next in its bucket, hash, units, text, NUL. */
#define EVTX_STRING_HASH 4
#define EVTX_STRING_UNITS 6
#define EVTX_STRING_HEAD 8
#define EVTX_STRING_TAIL 2

/* A template definition: next in its bucket, GUID, length, BinXML. */
#define EVTX_DEFINITION_GUID 4
#define EVTX_DEFINITION_LEN 20
#define EVTX_DEFINITION_HEAD 24

#endif
