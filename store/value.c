/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/value.h"

#include "base/buf.h"
#include "store/crc32c.h"

#include <string.h>

/* ---------------------------------------------------------------- keys */

static void be32_set(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t be32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

void store_key_u32(uint8_t key[STORE_KEY_U32_SIZE], uint32_t no)
{
	be32_set(key, no);
}

uint32_t store_key_u32_get(const uint8_t *key)
{
	return be32_get(key);
}

void store_key_pair(uint8_t key[STORE_KEY_PAIR_SIZE], uint32_t channel,
		    uint64_t id)
{
	be32_set(key, channel);
	be32_set(key + 4, (uint32_t)(id >> 32));
	be32_set(key + 8, (uint32_t)id);
}

uint64_t store_key_pair_id(const uint8_t *key)
{
	return (uint64_t)be32_get(key + 4) << 32 | be32_get(key + 8);
}

/* ----------------------------------------------------------- checksums */

static uint32_t value_crc(const uint8_t *value, size_t len, const void *key,
			  size_t key_len)
{
	uint32_t crc = store_crc32c(0, key, key_len);

	return store_crc32c(crc, value + 4, len - 4);
}

void store_value_seal(uint8_t *value, size_t len, const void *key,
		      size_t key_len)
{
	le32_set(value + STORE_CRC, value_crc(value, len, key, key_len));
}

everr_t store_value_check(const uint8_t *value, size_t len, const void *key,
			  size_t key_len, size_t min_len)
{
	if (len < min_len || len < 4) {
		return EVERR_STORE_CORRUPT;
	}
	if (le32_get(value + STORE_CRC) !=
	    value_crc(value, len, key, key_len)) {
		return EVERR_STORE_CORRUPT;
	}
	return EVERR_OK;
}

static void seal_u32(uint8_t *value, size_t len, uint32_t no)
{
	uint8_t key[STORE_KEY_U32_SIZE];

	store_key_u32(key, no);
	store_value_seal(value, len, key, sizeof(key));
}

static everr_t check_u32(const uint8_t *value, size_t len, uint32_t no,
			 size_t min_len)
{
	uint8_t key[STORE_KEY_U32_SIZE];

	store_key_u32(key, no);
	return store_value_check(value, len, key, sizeof(key), min_len);
}

static void seal_pair(uint8_t *value, size_t len, uint32_t channel, uint64_t id)
{
	uint8_t key[STORE_KEY_PAIR_SIZE];

	store_key_pair(key, channel, id);
	store_value_seal(value, len, key, sizeof(key));
}

static everr_t check_pair(const uint8_t *value, size_t len, uint32_t channel,
			  uint64_t id, size_t min_len)
{
	uint8_t key[STORE_KEY_PAIR_SIZE];

	store_key_pair(key, channel, id);
	return store_value_check(value, len, key, sizeof(key), min_len);
}

/* ---------------------------------------------------------------- meta */

void store_meta_put(uint8_t value[STORE_META_SIZE],
		    const struct store_meta *meta)
{
	memset(value, 0, STORE_META_SIZE);
	le32_set(value + STORE_META_MAGIC, STORE_FORMAT_MAGIC);
	le16_set(value + STORE_META_MAJOR, meta->major);
	le16_set(value + STORE_META_MINOR, meta->minor);
	le32_set(value + STORE_META_FLAGS, meta->flags);
	memcpy(value + STORE_META_UUID, meta->uuid, sizeof(meta->uuid));
	le64_set(value + STORE_META_CREATED, meta->created);
	le32_set(value + STORE_META_NEXT_NO, meta->next_no);
	le64_set(value + STORE_META_OPENED, meta->opened);
	le64_set(value + STORE_META_INODE, meta->inode);
	store_value_seal(value, STORE_META_SIZE, STORE_KEY_META,
			 strlen(STORE_KEY_META));
}

everr_t store_meta_get(const uint8_t *value, size_t len,
		       struct store_meta *ret_meta)
{
	everr_t err;

	/* What another major version checksums is its own matter. */
	if (len < STORE_META_MINOR + 2 ||
	    le32_get(value + STORE_META_MAGIC) != STORE_FORMAT_MAGIC ||
	    le16_get(value + STORE_META_MAJOR) != STORE_FORMAT_MAJOR) {
		return EVERR_STORE_VERSION;
	}
	err = store_value_check(value, len, STORE_KEY_META,
				strlen(STORE_KEY_META), STORE_META_SIZE);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_meta = (struct store_meta){
		.major = le16_get(value + STORE_META_MAJOR),
		.minor = le16_get(value + STORE_META_MINOR),
		.flags = le32_get(value + STORE_META_FLAGS),
		.created = le64_get(value + STORE_META_CREATED),
		.next_no = le32_get(value + STORE_META_NEXT_NO),
		.opened = le64_get(value + STORE_META_OPENED),
		.inode = le64_get(value + STORE_META_INODE),
	};
	memcpy(ret_meta->uuid, value + STORE_META_UUID, sizeof(ret_meta->uuid));
	return EVERR_OK;
}

/* -------------------------------------------------------------- blocks */

static void summary_put(uint8_t *p, const struct store_summary *block,
			const uint32_t *templates, uint32_t num_templates)
{
	uint32_t i;

	le32_set(p + STORE_BLOCK_FLAGS, block->flags);
	le32_set(p + STORE_BLOCK_COUNT, block->count);
	le64_set(p + STORE_BLOCK_LAST_ID, block->last_id);
	le64_set(p + STORE_BLOCK_MIN, block->min_time);
	le64_set(p + STORE_BLOCK_MAX, block->max_time);
	le64_set(p + STORE_BLOCK_BYTES, block->bytes);
	le32_set(p + STORE_BLOCK_NUM_TEMPLATES, num_templates);
	le32_set(p + STORE_BLOCK_RESERVED, 0);
	for (i = 0; i < num_templates; i++) {
		le32_set(p + STORE_BLOCK_TEMPLATES + 4 * i, templates[i]);
	}
}

static everr_t summary_get(const uint8_t *p, size_t len,
			   struct store_summary *ret_block,
			   const uint8_t **ret_templates,
			   uint32_t *ret_num_templates)
{
	uint32_t num = le32_get(p + STORE_BLOCK_NUM_TEMPLATES);

	if (num != (len - STORE_BLOCK_TEMPLATES) / 4 ||
	    (len - STORE_BLOCK_TEMPLATES) % 4 != 0) {
		return EVERR_STORE_CORRUPT;
	}
	*ret_block = (struct store_summary){
		.flags = le32_get(p + STORE_BLOCK_FLAGS),
		.count = le32_get(p + STORE_BLOCK_COUNT),
		.last_id = le64_get(p + STORE_BLOCK_LAST_ID),
		.min_time = le64_get(p + STORE_BLOCK_MIN),
		.max_time = le64_get(p + STORE_BLOCK_MAX),
		.bytes = le64_get(p + STORE_BLOCK_BYTES),
	};
	*ret_templates = p + STORE_BLOCK_TEMPLATES;
	*ret_num_templates = num;
	return EVERR_OK;
}

void store_head_put(uint8_t *value, uint32_t channel,
		    const struct store_head *head, const uint32_t *templates,
		    uint32_t num_templates)
{
	le32_set(value + STORE_HEAD_RESERVED, 0);
	le64_set(value + STORE_HEAD_NEXT_ID, head->next_id);
	le64_set(value + STORE_HEAD_OLDEST_ID, head->oldest_id);
	le64_set(value + STORE_HEAD_RECORDS, head->records);
	le64_set(value + STORE_HEAD_BYTES, head->bytes);
	le64_set(value + STORE_HEAD_MISSING, head->missing);
	le64_set(value + STORE_HEAD_RECEIVED, head->received);
	le64_set(value + STORE_HEAD_BLOCK_ID, head->block_id);
	summary_put(value + STORE_HEAD_BLOCK, &head->block, templates,
		    num_templates);
	seal_u32(value, STORE_HEAD_LEN(num_templates), channel);
}

everr_t store_head_get(const uint8_t *value, size_t len, uint32_t channel,
		       struct store_head *ret_head,
		       const uint8_t **ret_templates,
		       uint32_t *ret_num_templates)
{
	struct store_head head = {};
	everr_t err;

	err = check_u32(value, len, channel, STORE_HEAD_LEN(0));
	if (err != EVERR_OK) {
		return err;
	}
	head.next_id = le64_get(value + STORE_HEAD_NEXT_ID);
	head.oldest_id = le64_get(value + STORE_HEAD_OLDEST_ID);
	head.records = le64_get(value + STORE_HEAD_RECORDS);
	head.bytes = le64_get(value + STORE_HEAD_BYTES);
	head.missing = le64_get(value + STORE_HEAD_MISSING);
	head.received = le64_get(value + STORE_HEAD_RECEIVED);
	head.block_id = le64_get(value + STORE_HEAD_BLOCK_ID);
	err = summary_get(value + STORE_HEAD_BLOCK, len - STORE_HEAD_BLOCK,
			  &head.block, ret_templates, ret_num_templates);
	if (err != EVERR_OK) {
		return err;
	}
	if (head.next_id == 0 || head.oldest_id >= head.next_id ||
	    head.block_id >= head.next_id) {
		return EVERR_STORE_CORRUPT;
	}
	*ret_head = head;
	return EVERR_OK;
}

void store_closed_put(uint8_t *value, uint32_t channel, uint64_t block_id,
		      const struct store_summary *block,
		      const uint32_t *templates, uint32_t num_templates)
{
	le32_set(value + STORE_CLOSED_RESERVED, 0);
	summary_put(value + STORE_CLOSED_BLOCK, block, templates,
		    num_templates);
	seal_pair(value, STORE_CLOSED_LEN(num_templates), channel, block_id);
}

everr_t store_closed_get(const uint8_t *value, size_t len, uint32_t channel,
			 uint64_t block_id, struct store_summary *ret_block,
			 const uint8_t **ret_templates,
			 uint32_t *ret_num_templates)
{
	everr_t err;

	err = check_pair(value, len, channel, block_id, STORE_CLOSED_LEN(0));
	if (err != EVERR_OK) {
		return err;
	}
	return summary_get(value + STORE_CLOSED_BLOCK, len - STORE_CLOSED_BLOCK,
			   ret_block, ret_templates, ret_num_templates);
}

/* ------------------------------------------------------------- records */

static uint32_t record_crc(const uint8_t *value, size_t len, uint32_t channel,
			   uint64_t id)
{
	uint8_t where[12];
	uint32_t crc;

	le32_set(where, channel);
	le64_set(where + 4, id);
	crc = store_crc32c(0, where, sizeof(where));
	return store_crc32c(crc, value + 4, len - 4);
}

void store_record_put(uint8_t *value, const struct event_packed *event,
		      const struct store_input *input)
{
	const struct event_header *header = &event->header;
	uint8_t flags = input->born_here ? STORE_RECORD_FLAG_BORN : 0;

	if (input->origin != 0) {
		flags |= (uint8_t)(input->origin_mark
				   << STORE_RECORD_MARK_SHIFT) &
			 STORE_RECORD_MARK_MASK;
	}

	le32_set(value + STORE_CRC, 0);
	value[STORE_RECORD_KIND] = STORE_RECORD_KIND_PACKED;
	value[STORE_RECORD_FLAGS] = flags;
	value[STORE_RECORD_HAS] = header->has;
	value[STORE_RECORD_LEVEL] = header->level;
	le64_set(value + STORE_RECORD_RECEIVED, 0);
	le64_set(value + STORE_RECORD_TIME_CREATED, header->time_created);
	le64_set(value + STORE_RECORD_KEYWORDS, header->keywords);
	le32_set(value + STORE_RECORD_PROVIDER_HASH, header->provider_hash);
	le16_set(value + STORE_RECORD_EVENT_ID, header->event_id);
	le16_set(value + STORE_RECORD_TASK, header->task);
	value[STORE_RECORD_OPCODE] = header->opcode;
	value[STORE_RECORD_VERSION] = header->version;
	le16_set(value + STORE_RECORD_ORIGIN, input->origin);
	le32_set(value + STORE_RECORD_WIRE_LEN, event->wire_len);
	memcpy(value + STORE_RECORD_DATA, event->data, event->len);
}

void store_record_seal(uint8_t *value, size_t len, uint32_t channel,
		       uint64_t id, uint64_t received, uint32_t record_id_at)
{
	le64_set(value + STORE_RECORD_RECEIVED, received);
	if (record_id_at != 0) {
		le64_set(value + record_id_at, id);
	}
	le32_set(value + STORE_CRC, record_crc(value, len, channel, id));
}

everr_t store_record_get(const uint8_t *value, size_t len, uint32_t channel,
			 uint64_t id, struct store_record *ret_record)
{
	if (len < STORE_RECORD_DATA ||
	    le32_get(value + STORE_CRC) !=
		    record_crc(value, len, channel, id) ||
	    value[STORE_RECORD_KIND] != STORE_RECORD_KIND_PACKED ||
	    le32_get(value + STORE_RECORD_WIRE_LEN) > EVENT_WIRE_MAX) {
		return EVERR_STORE_CORRUPT;
	}
	*ret_record = (struct store_record){
		.id = id,
		.received = le64_get(value + STORE_RECORD_RECEIVED),
		.header =
			{
				.time_created = le64_get(
					value + STORE_RECORD_TIME_CREATED),
				.keywords =
					le64_get(value + STORE_RECORD_KEYWORDS),
				.provider_hash = le32_get(
					value + STORE_RECORD_PROVIDER_HASH),
				.event_id =
					le16_get(value + STORE_RECORD_EVENT_ID),
				.task = le16_get(value + STORE_RECORD_TASK),
				.level = value[STORE_RECORD_LEVEL],
				.opcode = value[STORE_RECORD_OPCODE],
				.version = value[STORE_RECORD_VERSION],
				.has = value[STORE_RECORD_HAS],
			},
		.data = value + STORE_RECORD_DATA,
		.len = len - STORE_RECORD_DATA,
		.wire_len = le32_get(value + STORE_RECORD_WIRE_LEN),
		.origin = le16_get(value + STORE_RECORD_ORIGIN),
		.origin_mark =
			(value[STORE_RECORD_FLAGS] & STORE_RECORD_MARK_MASK) >>
			STORE_RECORD_MARK_SHIFT,
	};
	return EVERR_OK;
}

uint64_t store_record_received(const uint8_t *value, size_t len)
{
	if (len < STORE_RECORD_DATA) {
		return 0;
	}
	return le64_get(value + STORE_RECORD_RECEIVED);
}

/* ---------------------------------------------------- gaps, templates */

void store_gap_put(uint8_t value[STORE_GAP_SIZE], uint32_t channel,
		   uint64_t first_id, const struct store_gap_value *gap)
{
	le32_set(value + STORE_GAP_CAUSE, (uint32_t)gap->cause);
	le64_set(value + STORE_GAP_LAST_ID, gap->last_id);
	le64_set(value + STORE_GAP_TIME, gap->time);
	seal_pair(value, STORE_GAP_SIZE, channel, first_id);
}

everr_t store_gap_get(const uint8_t *value, size_t len, uint32_t channel,
		      uint64_t first_id, struct store_gap_value *ret_gap)
{
	everr_t err;

	err = check_pair(value, len, channel, first_id, STORE_GAP_SIZE);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_gap = (struct store_gap_value){
		.cause =
			(enum store_gap_cause)le32_get(value + STORE_GAP_CAUSE),
		.last_id = le64_get(value + STORE_GAP_LAST_ID),
		.time = le64_get(value + STORE_GAP_TIME),
	};
	return EVERR_OK;
}

void store_template_put(uint8_t *value, const struct event_template *tmpl)
{
	le32_set(value + STORE_TEMPLATE_RESERVED, 0);
	memcpy(value + STORE_TEMPLATE_GUID, tmpl->guid.b, sizeof(tmpl->guid.b));
	memcpy(value + STORE_TEMPLATE_SHA256, tmpl->id, sizeof(tmpl->id));
	memcpy(value + STORE_TEMPLATE_DEF, tmpl->def, tmpl->def_len);
	seal_u32(value, STORE_TEMPLATE_DEF + tmpl->def_len, tmpl->no);
}

everr_t store_template_get(const uint8_t *value, size_t len, uint32_t no,
			   struct ev_guid *ret_guid, const uint8_t **ret_def,
			   size_t *ret_def_len)
{
	everr_t err;

	err = check_u32(value, len, no, STORE_TEMPLATE_DEF);
	if (err != EVERR_OK) {
		return err;
	}
	memcpy(ret_guid->b, value + STORE_TEMPLATE_GUID, sizeof(ret_guid->b));
	*ret_def = value + STORE_TEMPLATE_DEF;
	*ret_def_len = len - STORE_TEMPLATE_DEF;
	return EVERR_OK;
}

void store_users_put(uint8_t value[STORE_USERS_SIZE], uint32_t no,
		     uint64_t count)
{
	le32_set(value + STORE_USERS_RESERVED, 0);
	le64_set(value + STORE_USERS_COUNT, count);
	seal_u32(value, STORE_USERS_SIZE, no);
}

everr_t store_users_get(const uint8_t *value, size_t len, uint32_t no,
			uint64_t *ret_count)
{
	everr_t err;

	err = check_u32(value, len, no, STORE_USERS_SIZE);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_count = le64_get(value + STORE_USERS_COUNT);
	return EVERR_OK;
}

/* ------------------------------------------------------------ channels */

void store_channel_put(uint8_t *value, uint32_t channel, const char *name,
		       uint64_t created, bool removed,
		       const struct store_channel_config *config)
{
	size_t name_len = strlen(name);
	size_t sddl_len = config->sddl == NULL ? 0 : strlen(config->sddl);
	uint32_t flags = 0;

	flags |= config->enabled ? STORE_CHANNEL_FLAG_ENABLED : 0;
	flags |= removed ? STORE_CHANNEL_FLAG_REMOVED : 0;
	flags |= config->retain ? STORE_CHANNEL_FLAG_RETAIN : 0;
	le32_set(value + STORE_CHANNEL_FLAGS, flags);
	le64_set(value + STORE_CHANNEL_MAX_BYTES, config->max_bytes);
	le64_set(value + STORE_CHANNEL_MAX_AGE, config->max_age);
	le64_set(value + STORE_CHANNEL_CREATED, created);
	le32_set(value + STORE_CHANNEL_NAME_LEN, (uint32_t)name_len);
	le32_set(value + STORE_CHANNEL_SDDL_LEN,
		 config->sddl == NULL ? STORE_SDDL_NONE : (uint32_t)sddl_len);
	memcpy(value + STORE_CHANNEL_TEXT, name, name_len);
	if (sddl_len > 0) {
		memcpy(value + STORE_CHANNEL_TEXT + name_len, config->sddl,
		       sddl_len);
	}
	seal_u32(value, STORE_CHANNEL_LEN(name_len, sddl_len), channel);
}

static everr_t channel_text(TALLOC_CTX *mem_ctx, const uint8_t *value,
			    size_t len, char **ret_name, char **ret_sddl)
{
	const char *text = (const char *)value + STORE_CHANNEL_TEXT;
	uint32_t name_len = le32_get(value + STORE_CHANNEL_NAME_LEN);
	uint32_t sddl_len = le32_get(value + STORE_CHANNEL_SDDL_LEN);
	bool has_sddl = sddl_len != STORE_SDDL_NONE;
	char *name = NULL;
	char *sddl = NULL;

	if (!has_sddl) {
		sddl_len = 0;
	}
	if (len - STORE_CHANNEL_TEXT != (uint64_t)name_len + sddl_len) {
		return EVERR_STORE_CORRUPT;
	}
	name = talloc_strndup(mem_ctx, text, name_len);
	if (name == NULL) {
		return EVERR_NOMEM;
	}
	if (has_sddl) {
		sddl = talloc_strndup(mem_ctx, text + name_len, sddl_len);
		if (sddl == NULL) {
			TALLOC_FREE(name);
			return EVERR_NOMEM;
		}
	}
	*ret_name = name;
	*ret_sddl = sddl;
	return EVERR_OK;
}

everr_t store_channel_get(TALLOC_CTX *mem_ctx, const uint8_t *value, size_t len,
			  uint32_t channel, char **ret_name,
			  uint64_t *ret_created, bool *ret_removed,
			  struct store_channel_config *ret_config)
{
	char *sddl = NULL;
	uint32_t flags;
	everr_t err;

	err = check_u32(value, len, channel, STORE_CHANNEL_TEXT);
	if (err != EVERR_OK) {
		return err;
	}
	err = channel_text(mem_ctx, value, len, ret_name, &sddl);
	if (err != EVERR_OK) {
		return err;
	}
	flags = le32_get(value + STORE_CHANNEL_FLAGS);
	*ret_created = le64_get(value + STORE_CHANNEL_CREATED);
	*ret_removed = (flags & STORE_CHANNEL_FLAG_REMOVED) != 0;
	*ret_config = (struct store_channel_config){
		.enabled = (flags & STORE_CHANNEL_FLAG_ENABLED) != 0,
		.max_bytes = le64_get(value + STORE_CHANNEL_MAX_BYTES),
		.max_age = le64_get(value + STORE_CHANNEL_MAX_AGE),
		.retain = (flags & STORE_CHANNEL_FLAG_RETAIN) != 0,
		.sddl = sddl,
	};
	return EVERR_OK;
}
