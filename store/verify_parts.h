/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_VERIFY_PARTS_H
#define EVENLOG_STORE_VERIFY_PARTS_H

/*
 * What the parts of the checker share.  verify.c reads the small tables into
 * memory; verify_records.c then checks the records of one channel after the
 * other against them.
 */

#include "store/image.h"
#include "store/verify.h"
#include "store/verify_node.h"

#include <stdarg.h>

#define VERIFY_BLOCK_RECORDS 1024
#define VERIFY_BLOCK_HEADER 48
#define VERIFY_BLOCK_TIMELESS 0x01
#define VERIFY_ORIGINS 65536 /* and 0 is none */

enum {
	VERIFY_GAP_RESTORED = 2,
	VERIFY_GAP_DAMAGED,
	VERIFY_GAP_CLEARED
};

struct verify_template {
	uint32_t no;
	uint32_t def_len;
	uint8_t guid[16];
	uint8_t sha256[32];
	uint64_t blocks; /* summaries that were seen to list it */
	uint64_t users;	 /* and how many there should be */
	bool has_users;
	uint64_t stamp; /* of the last block that was seen to use it */
};

struct verify_gap {
	uint64_t first_id;
	uint64_t last_id;
	uint32_t cause;
};

/* A summary, as stored or as found. */
struct verify_block {
	uint64_t first_id;
	uint64_t last_id;
	uint64_t min;
	uint64_t max;
	uint64_t bytes;
	uint32_t count;
	bool timeless;
	bool open;
	bool damaged; /* found: a record could not be read */
	bool seen;    /* stored: it has records */
	uint32_t num_templates;
	uint32_t *templates;
};

struct verify_head {
	uint64_t next_id;
	uint64_t oldest_id;
	uint64_t records;
	uint64_t bytes;
	uint64_t missing;
	uint64_t received;
	uint64_t block_id;
};

struct verify_channel {
	uint32_t no;
	const char *label; /* "channel Application" */
	const char *name;  /* NULL: not known */
	bool removed;
	bool has_head;
	bool has_table;
	struct verify_head head;
	struct store_image_tree table;
	struct verify_gap *gaps; /* by first_id */
	size_t num_gaps;
	struct verify_block *blocks; /* by first_id */
	size_t num_blocks;
};

struct verify {
	store_verify_fn fn;
	store_verify_progress_fn progress;
	void *private_data;
	struct store_verify_result result;
	struct store_image *image;
	everr_t err; /* the first that ends the check */
	uint64_t num_items;
	bool has_meta;
	uint16_t minor;
	bool strict;	  /* a minor version that is known in full */
	uint32_t next_no; /* 0: not known */
	struct verify_template *templates; /* by no */
	size_t num_templates;
	struct verify_channel *channels; /* by no, from 1 */
	size_t num_channels;
	uint64_t stamp;
	uint8_t origins[VERIFY_ORIGINS / 8]; /* bits of those with a name */
	uint32_t num_origins;		     /* the greatest */
	char **hosts;			     /* their names */
	size_t num_hosts;
};

/* Tell and count. */
void verify_tell(struct verify *verify, enum store_verify_level level,
		 const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The talloc array of num elements with room for one more; it may have moved.
 * NULL: verify->err is set, and the array is as it was.
 */
void *verify_more(struct verify *verify, void *array, size_t num, size_t size);

/* To be called for each item: tells the progress now and then. */
void verify_step(struct verify *verify);

/* NULL: there is none of that number. */
struct verify_template *verify_template_find(struct verify *verify,
					     uint32_t no);

/* A named state: whether it is an origin, and then a good one. */
void verify_origin_state(struct verify *verify, const char *where,
			 const uint8_t *key, size_t key_len,
			 const uint8_t *data, size_t len);
/* After all states: no host has two numbers. */
void verify_origin_hosts(struct verify *verify);
/* What is wrong with a record's origin; NULL: nothing. */
const char *verify_origin_fault(const struct verify *verify,
				const struct verify_record *record);

/* Check the records of a channel, its blocks, and its head's counters. */
void verify_records(struct verify *verify, struct verify_channel *channel);

#endif
