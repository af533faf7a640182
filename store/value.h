/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_VALUE_H
#define EVENLOG_STORE_VALUE_H

/*
 * The values of store/format.h to and from structures.  Pure; used by the
 * loop's thread and by the writer's.
 *
 * Every get function checks length and checksum: EVERR_STORE_CORRUPT.
 */

#include "base/everr.h"
#include "event/event.h"
#include "store/format.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

/* Keys of the tables by channel, and by channel and id. */
#define STORE_KEY_U32_SIZE 4
#define STORE_KEY_PAIR_SIZE 12
void store_key_u32(uint8_t key[STORE_KEY_U32_SIZE], uint32_t no);
uint32_t store_key_u32_get(const uint8_t *key);
void store_key_pair(uint8_t key[STORE_KEY_PAIR_SIZE], uint32_t channel,
		    uint64_t id);
uint64_t store_key_pair_id(const uint8_t *key);

/* Set and check the checksum of a value of any table but records. */
void store_value_seal(uint8_t *value, size_t len, const void *key,
		      size_t key_len);
everr_t store_value_check(const uint8_t *value, size_t len, const void *key,
			  size_t key_len, size_t min_len) EVERR_MUST_CHECK;

struct store_meta {
	uint16_t major;
	uint16_t minor;
	uint32_t flags;
	uint8_t uuid[16];
	uint64_t created;
	uint32_t next_no;
	uint64_t opened;
	uint64_t inode;
};

void store_meta_put(uint8_t value[STORE_META_SIZE],
		    const struct store_meta *meta);
/* EVERR_STORE_VERSION: not ours, or a major version that is not known. */
everr_t store_meta_get(const uint8_t *value, size_t len,
		       struct store_meta *ret_meta) EVERR_MUST_CHECK;

/* A block summary without its templates. */
struct store_summary {
	uint32_t flags;
	uint32_t count;
	uint64_t last_id;
	uint64_t min_time;
	uint64_t max_time;
	uint64_t bytes;
};

/* The first id of the block that id lies in. */
static inline uint64_t store_block_of(uint64_t id)
{
	return (id - 1) / STORE_BLOCK_RECORDS * STORE_BLOCK_RECORDS + 1;
}

struct store_head {
	uint64_t next_id;
	uint64_t oldest_id;
	uint64_t records;
	uint64_t bytes;
	uint64_t missing;
	uint64_t received;
	uint64_t block_id;
	struct store_summary block;
};

/* templates may be NULL when there are none. */
#define STORE_HEAD_LEN(num_templates) \
	(STORE_HEAD_BLOCK + STORE_BLOCK_TEMPLATES + 4 * (size_t)(num_templates))
#define STORE_CLOSED_LEN(num_templates)               \
	(STORE_CLOSED_BLOCK + STORE_BLOCK_TEMPLATES + \
	 4 * (size_t)(num_templates))
void store_head_put(uint8_t *value, uint32_t channel,
		    const struct store_head *head, const uint32_t *templates,
		    uint32_t num_templates);
void store_closed_put(uint8_t *value, uint32_t channel, uint64_t block_id,
		      const struct store_summary *block,
		      const uint32_t *templates, uint32_t num_templates);

/* ret_templates: the numbers in the value, 4 unaligned bytes each. */
everr_t store_head_get(const uint8_t *value, size_t len, uint32_t channel,
		       struct store_head *ret_head,
		       const uint8_t **ret_templates,
		       uint32_t *ret_num_templates) EVERR_MUST_CHECK;
everr_t store_closed_get(const uint8_t *value, size_t len, uint32_t channel,
			 uint64_t block_id, struct store_summary *ret_block,
			 const uint8_t **ret_templates,
			 uint32_t *ret_num_templates) EVERR_MUST_CHECK;

/*
 * A record's value but for what the writer knows; value has
 * STORE_RECORD_DATA + event->len bytes.  input is where the event came from.
 */
void store_record_put(uint8_t *value, const struct event_packed *event,
		      const struct store_input *input);
/*
 * Give it its id and time.  record_id_at: offset in value of the 8 bytes of
 * System/EventRecordID to be overwritten, or 0.
 */
void store_record_seal(uint8_t *value, size_t len, uint32_t channel,
		       uint64_t id, uint64_t received, uint32_t record_id_at);
everr_t store_record_get(const uint8_t *value, size_t len, uint32_t channel,
			 uint64_t id,
			 struct store_record *ret_record) EVERR_MUST_CHECK;
/* ReceivedTime without a look at the checksum; 0 when too short. */
uint64_t store_record_received(const uint8_t *value, size_t len);

struct store_gap_value {
	enum store_gap_cause cause;
	uint64_t last_id;
	uint64_t time;
};
void store_gap_put(uint8_t value[STORE_GAP_SIZE], uint32_t channel,
		   uint64_t first_id, const struct store_gap_value *gap);
everr_t store_gap_get(const uint8_t *value, size_t len, uint32_t channel,
		      uint64_t first_id,
		      struct store_gap_value *ret_gap) EVERR_MUST_CHECK;

/* value has STORE_TEMPLATE_DEF + tmpl->def_len bytes. */
void store_template_put(uint8_t *value, const struct event_template *tmpl);
everr_t store_template_get(const uint8_t *value, size_t len, uint32_t no,
			   struct ev_guid *ret_guid, const uint8_t **ret_def,
			   size_t *ret_def_len) EVERR_MUST_CHECK;

void store_users_put(uint8_t value[STORE_USERS_SIZE], uint32_t no,
		     uint64_t count);
everr_t store_users_get(const uint8_t *value, size_t len, uint32_t no,
			uint64_t *ret_count) EVERR_MUST_CHECK;

#define STORE_CHANNEL_LEN(name_len, sddl_len) \
	(STORE_CHANNEL_TEXT + (size_t)(name_len) + (size_t)(sddl_len))
void store_channel_put(uint8_t *value, uint32_t channel, const char *name,
		       uint64_t created, bool removed,
		       const struct store_channel_config *config);
/* Strings are talloc children of mem_ctx. */
everr_t store_channel_get(
	TALLOC_CTX *mem_ctx, const uint8_t *value, size_t len, uint32_t channel,
	char **ret_name, uint64_t *ret_created, bool *ret_removed,
	struct store_channel_config *ret_config) EVERR_MUST_CHECK;

#endif
