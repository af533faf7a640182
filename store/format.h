/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_FORMAT_H
#define EVENLOG_STORE_FORMAT_H

/*
 * What is on disk.  doc/store-format.md says the same in prose and for ever;
 * store/verify.c is written from that text alone.
 *
 * A store is a directory:
 *
 *   data.mdb     the LMDB environment (0.9 format), everything below
 *   lock.mdb     LMDB's reader table; carries nothing over a restart
 *   writer.lock  flock()ed by the one process that writes; empty
 *   create/      a directory in which a new data.mdb is made before it is
 *                moved to its place; else what a crash has left, of no use
 *
 * Integers in values are little endian and not aligned.  Numbers in keys are
 * big endian, so that LMDB's order of bytes is their order, but for record
 * ids, which are native 64-bit integers (MDB_INTEGERKEY).  LMDB's own pages
 * are in the machine's order, so that a store moves between machines of one
 * word size and byte order.
 *
 * Every value begins with a CRC-32C (Castagnoli, reflected, initial value and
 * final XOR 0xFFFFFFFF, as in iSCSI), little endian, over
 *
 *   records   channel:u32 id:u64 (both little endian), value from byte 4 on
 *   others    the key's bytes, value from byte 4 on
 *
 * so that a value under a wrong key is damage too.  Reserved bytes are 0.
 *
 * Tables (LMDB named databases):
 *
 *   meta               "store"                        one value
 *   channels           channel:u32be                  what the owner set
 *   heads              channel:u32be                  counters, open block
 *   records/XXXXXXXX   id:u64 native                  one event each
 *   blocks             channel:u32be first_id:u64be   closed summaries
 *   gaps               channel:u32be first_id:u64be   ids without a record
 *   templates          no:u32be                       definitions
 *   users              no:u32be                       who needs them
 *   state              name, 1 to 400 bytes           named small state
 *
 * XXXXXXXX are the channel's number in eight lower-case hexadecimal digits;
 * the table has the flag MDB_INTEGERKEY.  Channels are numbered from 1 in the
 * order of their creation, without holes; one that was removed leaves its
 * number and its name behind.
 *
 * Version.  A program refuses a major version that it does not know, and
 * opens a newer minor one for reading only.  A minor version adds tables and
 * gives meaning to reserved bytes; a new major version comes with a migration
 * in one transaction at open.  1.1 added STORE_CHANNEL_FLAG_REMOVED and records
 * below a channel's oldest one, both for clearing, and
 * STORE_CHANNEL_FLAG_RETAIN.  1.2 added the origin of records and the state
 * that names it.
 */

#include <stdint.h>

#define STORE_FORMAT_MAJOR 1
#define STORE_FORMAT_MINOR 2
#define STORE_FORMAT_MAGIC 0x4C4E5645u /* "EVNL" */

#define STORE_FILE_DATA "data.mdb"
#define STORE_DIR_CREATE "create"
#define STORE_FILE_LOCK "writer.lock"

#define STORE_TABLE_META "meta"
#define STORE_TABLE_CHANNELS "channels"
#define STORE_TABLE_HEADS "heads"
#define STORE_TABLE_RECORDS "records/%08x"
#define STORE_TABLE_BLOCKS "blocks"
#define STORE_TABLE_GAPS "gaps"
#define STORE_TABLE_TEMPLATES "templates"
#define STORE_TABLE_USERS "users"
#define STORE_TABLE_STATE "state"

#define STORE_KEY_META "store"
#define STORE_STATE_NAME_MAX 400
#define STORE_STATE_DATA_MAX (1024 * 1024)
/* Bytes of a channel's SDDL. */
#define STORE_SDDL_MAX 65535

/* Ids skipped when some may have been given out that are not on disk. */
#define STORE_ID_MARGIN 1048576

/* All values. */
enum {
	STORE_CRC = 0
};

/*
 * meta, "store".
 *
 * flags       see below
 * uuid        random, made with the store
 * created     FILETIME
 * next_no     the next template number; above every number in templates
 * opened      times opened for writing
 * inode       identity of data.mdb when it was last opened for writing: its
 *             inode's number ^ (nanoseconds of its birth, 0 where the file
 *             system has none) * 0x9E3779B97F4A7C15; another one at the next
 *             opening tells that the file was copied back, and ids jump
 *             (design decision 8)
 */
enum {
	STORE_META_MAGIC = 4,	  /* u32 */
	STORE_META_MAJOR = 8,	  /* u16 */
	STORE_META_MINOR = 10,	  /* u16 */
	STORE_META_FLAGS = 12,	  /* u32 */
	STORE_META_UUID = 16,	  /* 16 bytes */
	STORE_META_CREATED = 32,  /* u64 */
	STORE_META_NEXT_NO = 40,  /* u32 */
	STORE_META_RESERVED = 44, /* u32 */
	STORE_META_OPENED = 48,	  /* u64 */
	STORE_META_INODE = 56,	  /* u64 */
	STORE_META_SIZE = 64
};

/* Set while open for writing, cleared by a clean close. */
#define STORE_META_FLAG_OPEN 0x1u
/* With OPEN: opened with synchronous = off, so ids jump when it is found. */
#define STORE_META_FLAG_ASYNC 0x2u

/*
 * channels.
 *
 * max_bytes   retention by size, of head.bytes; 0: none
 * max_age     retention by age of ReceivedTime in seconds; 0: none
 * sddl_len    0xFFFFFFFF: no SDDL was set
 * name        UTF-8, as created; unique without ASCII case
 */
enum {
	STORE_CHANNEL_FLAGS = 4,     /* u32 */
	STORE_CHANNEL_MAX_BYTES = 8, /* u64 */
	STORE_CHANNEL_MAX_AGE = 16,  /* u64 */
	STORE_CHANNEL_CREATED = 24,  /* u64 FILETIME */
	STORE_CHANNEL_NAME_LEN = 32, /* u32 */
	STORE_CHANNEL_SDDL_LEN = 36, /* u32 */
	STORE_CHANNEL_TEXT = 40	     /* name, then SDDL, no NULs */
};

#define STORE_CHANNEL_FLAG_ENABLED 0x1u
/*
 * There is no such channel any more.  Its entry and head stay, so that ids do
 * not repeat when the name, or another one, gets the number.
 */
#define STORE_CHANNEL_FLAG_REMOVED 0x2u
/* At max_bytes appends are refused, and no record is removed for it. */
#define STORE_CHANNEL_FLAG_RETAIN 0x4u
#define STORE_SDDL_NONE 0xFFFFFFFFu

/*
 * Blocks.  Block n has the ids n * 1024 + 1 to n * 1024 + 1024; first_id is
 * the first of them whether or not it has a record.  The last block of a
 * channel that was written to is open and lies in its head; when an id beyond
 * it is written it is closed: it moves to the table blocks and does not change
 * until retention has removed its last record, which removes it too.  (A block
 * in which nothing was ever written has no summary.  So has an open one whose
 * records are all removed: count is 0 then.)
 *
 * A summary speaks of all records that were appended to the block, those that
 * retention has removed since included:
 *
 * last_id     id of the last one
 * min, max    of TimeCreated; min > max: no record has it
 * count       records appended
 * bytes       of their values
 * templates   distinct template numbers they use, nested ones too, in no order
 *
 * Block summary, 48 bytes and 4 for each template.
 */
enum {
	STORE_BLOCK_FLAGS = 0,		/* u32 */
	STORE_BLOCK_COUNT = 4,		/* u32 */
	STORE_BLOCK_LAST_ID = 8,	/* u64 */
	STORE_BLOCK_MIN = 16,		/* u64 FILETIME */
	STORE_BLOCK_MAX = 24,		/* u64 FILETIME */
	STORE_BLOCK_BYTES = 32,		/* u64 */
	STORE_BLOCK_NUM_TEMPLATES = 40, /* u32 */
	STORE_BLOCK_RESERVED = 44,	/* u32 */
	STORE_BLOCK_TEMPLATES = 48	/* u32 each */
};

/* A record of this block has no TimeCreated: min and max do not cover it. */
#define STORE_BLOCK_FLAG_TIMELESS 0x1u

/* blocks: CRC, reserved:u32, block summary. */
enum {
	STORE_CLOSED_RESERVED = 4,
	STORE_CLOSED_BLOCK = 8
};

/*
 * heads.  Written in every transaction that touches the channel.
 *
 * next_id     id of the next record, from 1; above every id ever given out
 * oldest_id   id of the first record; 0: the channel is empty.  Records below
 *             it (empty: all) were cleared: nobody reads them, the counters do
 *             not count them, and they are removed some at a time
 * records     how many there are
 * bytes       sum of the lengths of their values
 * missing     ids in recorded gaps, ever
 * received    ReceivedTime of the last record, ever; it never decreases
 * block_id    first_id of the open block; 0: nothing was ever written, and
 *             the summary behind it is all zeros
 */
enum {
	STORE_HEAD_RESERVED = 4,   /* u32 */
	STORE_HEAD_NEXT_ID = 8,	   /* u64 */
	STORE_HEAD_OLDEST_ID = 16, /* u64 */
	STORE_HEAD_RECORDS = 24,   /* u64 */
	STORE_HEAD_BYTES = 32,	   /* u64 */
	STORE_HEAD_MISSING = 40,   /* u64 */
	STORE_HEAD_RECEIVED = 48,  /* u64 FILETIME */
	STORE_HEAD_BLOCK_ID = 56,  /* u64 */
	STORE_HEAD_BLOCK = 64	   /* block summary */
};

/*
 * records.  Keys strictly increase by one but for the ids of gaps.
 *
 * kind        1: a packed event (event/event.h) follows the header; other
 *             kinds are for later versions
 * flags       see below
 * received    ReceivedTime, FILETIME; not below the record's before it
 * time_created .. opcode, has
 *             struct event_header, as in the event
 * origin      number of the host it was collected from, which the state
 *             "origin/NNNNN" names; 0: it was not collected
 * wire_len    bytes of its RPC form
 *
 * The value of System/EventRecordID inside a BORN record is its id.
 */
enum {
	STORE_RECORD_KIND = 4,		 /* u8 */
	STORE_RECORD_FLAGS = 5,		 /* u8 */
	STORE_RECORD_HAS = 6,		 /* u8, enum event_has */
	STORE_RECORD_LEVEL = 7,		 /* u8 */
	STORE_RECORD_RECEIVED = 8,	 /* u64 */
	STORE_RECORD_TIME_CREATED = 16,	 /* u64 */
	STORE_RECORD_KEYWORDS = 24,	 /* u64 */
	STORE_RECORD_PROVIDER_HASH = 32, /* u32 */
	STORE_RECORD_EVENT_ID = 36,	 /* u16 */
	STORE_RECORD_TASK = 38,		 /* u16 */
	STORE_RECORD_OPCODE = 40,	 /* u8 */
	STORE_RECORD_VERSION = 41,	 /* u8 */
	STORE_RECORD_ORIGIN = 42,	 /* u16 */
	STORE_RECORD_WIRE_LEN = 44,	 /* u32 */
	STORE_RECORD_DATA = 48
};

#define STORE_RECORD_KIND_PACKED 1
#define STORE_RECORD_FLAG_BORN 0x1u
/* enum store_origin_mark, two bits; 0 where there is no origin. */
#define STORE_RECORD_MARK_SHIFT 1
#define STORE_RECORD_MARK_MASK 0x6u

/* gaps: ids first_id (in the key) to last_id have no record. */
enum {
	STORE_GAP_CAUSE = 4,   /* u32, enum store_gap_cause but TRIMMED */
	STORE_GAP_LAST_ID = 8, /* u64 */
	STORE_GAP_TIME = 16,   /* u64 FILETIME, when it was recorded */
	STORE_GAP_SIZE = 24
};

/*
 * templates.  Never changes; removed in the transaction that finds it without
 * users, or in a later one.  Numbers are never used twice.
 */
enum {
	STORE_TEMPLATE_RESERVED = 4, /* u32 */
	STORE_TEMPLATE_GUID = 8,     /* 16 bytes */
	STORE_TEMPLATE_SHA256 = 24,  /* 32 bytes, of the definition */
	STORE_TEMPLATE_DEF = 56	     /* normalised, RPC form */
};

/*
 * users: how many blocks, open and closed ones of all channels, have this
 * template in their summary.  One value for each definition.
 */
enum {
	STORE_USERS_RESERVED = 4, /* u32 */
	STORE_USERS_COUNT = 8,	  /* u64 */
	STORE_USERS_SIZE = 16
};

/* state: the bytes behind the CRC. */
enum {
	STORE_STATE_DATA = 4
};

/*
 * state "origin/NNNNN", five decimal digits from 00001 on, without holes: a
 * host that events were collected from.  Written by the store itself; offsets
 * are those of the data.
 *
 * host  UTF-8 up to the end; unique without ASCII case
 */
#define STORE_ORIGIN_PREFIX "origin/"
#define STORE_ORIGIN_DIGITS 5
#define STORE_ORIGIN_NAME_SIZE 13 /* with a NUL */
#define STORE_ORIGIN_HOST_MAX 300
#define STORE_ORIGIN_VERSION 1
enum {
	STORE_ORIGIN_FORMAT = 0, /* u32, STORE_ORIGIN_VERSION */
	STORE_ORIGIN_HOST = 4
};

#endif
