/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/verify.h"

#include "base/buf.h"
#include "base/text.h"
#include "store/verify_node.h"
#include "store/verify_parts.h"

#include <gnutls/crypto.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAGIC 0x4C4E5645U
#define MAJOR 1
#define MINOR 2
#define META_SIZE 64
#define CHANNEL_HEADER 40
#define HEAD_HEADER 64
#define CLOSED_HEADER 8
#define GAP_SIZE 24
#define TEMPLATE_HEADER 56
#define USERS_SIZE 16
#define SDDL_NONE UINT32_MAX
#define SDDL_MAX 65535
#define NAME_CHARS_MAX 255
#define STATE_NAME_MAX 400
#define STATE_DATA_MAX 1048576
#define CHANNELS_MAX 8192

#define CHANNEL_ENABLED 0x1U
#define CHANNEL_REMOVED 0x2U
#define CHANNEL_RETAIN 0x4U

#define KEY_META "store"
#define RECORDS_PREFIX "records/"

/* Progress is told once for so many items. */
#define STEP 4096

/* Tables in the order in which they are checked; heads need gaps and so on. */
enum table {
	TABLE_META,
	TABLE_TEMPLATES,
	TABLE_USERS,
	TABLE_CHANNELS,
	TABLE_GAPS,
	TABLE_HEADS,
	TABLE_BLOCKS,
	TABLE_STATE,
	NUM_TABLES
};

static const char *const table_names[NUM_TABLES] = {
	"meta", "templates", "users",  "channels",
	"gaps", "heads",     "blocks", "state",
};

/* A table of records, or one that is not known. */
struct other_table {
	uint32_t channel; /* 0: not known */
	struct store_image_tree tree;
};

/* The table of tables, as it is collected. */
struct tables {
	struct verify *verify;
	struct store_image_tree trees[NUM_TABLES];
	bool found[NUM_TABLES];
	struct other_table *others;
	size_t num_others;
	uint64_t num_items;
};

void verify_tell(struct verify *verify, enum store_verify_level level,
		 const char *where, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (level == STORE_VERIFY_ERROR) {
		verify->result.errors++;
	} else {
		verify->result.notes++;
	}
	verify->fn(level, where, what, verify->private_data);
}

#define tell_error(verify, where, ...) \
	verify_tell(verify, STORE_VERIFY_ERROR, where, __VA_ARGS__)

static void image_told(enum store_verify_level level, const char *where,
		       const char *what, void *private_data)
{
	verify_tell(private_data, level, where, "%s", what);
}

void *verify_more(struct verify *verify, void *array, size_t num, size_t size)
{
	void *grown = NULL;

	if (array != NULL && (num + 1) * size <= talloc_get_size(array)) {
		return array;
	}
	grown = talloc_realloc_size(verify, array,
				    (num == 0 ? 16 : 2 * num) * size);
	if (grown == NULL) {
		verify->err = EVERR_NOMEM;
	}
	return grown;
}

void verify_step(struct verify *verify)
{
	if (++verify->num_items % STEP == 0 && verify->progress != NULL) {
		verify->progress(store_image_pages_done(verify->image),
				 store_image_pages(verify->image),
				 verify->private_data);
	}
}

static bool all_zero(const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] != 0) {
			return false;
		}
	}
	return true;
}

/* Text for a report from bytes that may be anything; NULL: no memory. */
static char *printable(TALLOC_CTX *mem_ctx, const char *prefix,
		       const uint8_t *data, size_t len)
{
	char *text = NULL;
	char *p = NULL;

	text = talloc_asprintf(mem_ctx, "%s%.*s", prefix, (int)len,
			       (const char *)data);
	if (text == NULL) {
		return NULL;
	}
	for (p = text; *p != '\0'; p++) {
		if ((uint8_t)*p < 0x20 || *p == 0x7F) {
			*p = '?';
		}
	}
	if (!text_utf8_valid(text, strlen(text))) {
		talloc_free(text);
		return talloc_strdup(mem_ctx, prefix);
	}
	return text;
}

static uint32_t be32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static uint64_t be64_get(const uint8_t *p)
{
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

/* ---------------------------------------------------------------- meta */

static void meta_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		      size_t len, unsigned int flags, void *private_data)
{
	static const char where[] = "table meta";
	struct verify *verify = private_data;
	uint16_t minor;

	if (key_len != strlen(KEY_META) ||
	    memcmp(key, KEY_META, key_len) != 0) {
		tell_error(verify, where, "it has an unknown key");
		return;
	}
	verify->has_meta = true;
	/* Before the checksum: another version may have another one. */
	if (len >= 12 && le32_get(data + 4) == MAGIC &&
	    le16_get(data + 8) != MAJOR &&
	    verify_crc_value(key, key_len, data, len)) {
		verify->err = EVERR_STORE_VERSION;
		return;
	}
	if (len < META_SIZE || !verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, where, "its checksum or size is wrong");
		return;
	}
	if (le32_get(data + 4) != MAGIC || le16_get(data + 8) != MAJOR) {
		tell_error(verify, where, "the magic number is missing");
		return;
	}
	minor = le16_get(data + 10);
	if (minor > MINOR) {
		verify_tell(verify, STORE_VERIFY_NOTE, where,
			    "the store is of the newer version %u.%u: what is "
			    "new in it is not checked",
			    MAJOR, minor);
	}
	verify->minor = minor;
	verify->strict = minor <= MINOR;
	verify->next_no = le32_get(data + 40);
	if (verify->next_no == 0) {
		tell_error(verify, where, "the next template number is 0");
	}
	if (all_zero(data + 16, 16)) {
		tell_error(verify, where, "the store has no UUID");
	}
	if (verify->strict && (len != META_SIZE || le32_get(data + 44) != 0 ||
			       (le32_get(data + 12) & ~3U) != 0)) {
		tell_error(verify, where, "unknown flags or fields are set");
	}
}

/* ----------------------------------------------------------- templates */

struct verify_template *verify_template_find(struct verify *verify, uint32_t no)
{
	size_t low = 0;
	size_t high = verify->num_templates;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (verify->templates[middle].no == no) {
			return &verify->templates[middle];
		}
		if (verify->templates[middle].no < no) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

static const char *template_fault(const uint8_t *key, size_t key_len,
				  const uint8_t *data, size_t len)
{
	const uint8_t *def = data + TEMPLATE_HEADER;
	uint8_t sha256[32];
	size_t def_len;
	int ret;

	if (!verify_crc_value(key, key_len, data, len)) {
		return "its checksum is wrong";
	}
	if (len < TEMPLATE_HEADER + 5) {
		return "it has no definition";
	}
	def_len = len - TEMPLATE_HEADER;
	ret = gnutls_hash_fast(GNUTLS_DIG_SHA256, def, def_len, sha256);
	if (ret != 0 || memcmp(sha256, data + 24, sizeof(sha256)) != 0) {
		return "its definition is not the one of its SHA-256";
	}
	if (le32_get(def) != 0x0001010F || def[def_len - 1] != 0) {
		return "its definition has no fragment header or no end";
	}
	return NULL;
}

/*
 * A damaged definition is still a definition: it is remembered all the same,
 * so that the records that use it are not all reported, too.
 */
static void template_item(const uint8_t *key, size_t key_len,
			  const uint8_t *data, size_t len, unsigned int flags,
			  void *private_data)
{
	struct verify *verify = private_data;
	struct verify_template *template = NULL;
	const char *fault = NULL;
	char where[32];
	void *more = NULL;

	if (key_len != 4 || be32_get(key) == 0) {
		tell_error(verify, "table templates", "it has an unknown key");
		return;
	}
	snprintf(where, sizeof(where), "template %" PRIu32, be32_get(key));
	fault = template_fault(key, key_len, data, len);
	if (fault != NULL) {
		tell_error(verify, where, "%s", fault);
	}
	if (len < TEMPLATE_HEADER) {
		return;
	}
	if (verify->next_no != 0 && be32_get(key) >= verify->next_no) {
		tell_error(verify, where,
			   "its number is not below the next one, %" PRIu32,
			   verify->next_no);
	}
	if (verify->strict && le32_get(data + 4) != 0) {
		tell_error(verify, where, "reserved bytes are set");
	}

	more = verify_more(verify, verify->templates, verify->num_templates,
			   sizeof(*template));
	if (more == NULL) {
		return;
	}
	verify->templates = more;
	template = &verify->templates[verify->num_templates];
	*template = (struct verify_template){
		.no = be32_get(key),
		.def_len = (uint32_t)(len - TEMPLATE_HEADER),
	};
	memcpy(template->guid, data + 8, 16);
	memcpy(template->sha256, data + 24, 32);
	verify->num_templates++;
	verify->result.templates++;
}

static void users_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		       size_t len, unsigned int flags, void *private_data)
{
	struct verify *verify = private_data;
	struct verify_template *template = NULL;
	char where[48];

	if (key_len != 4) {
		tell_error(verify, "table users", "it has an unknown key");
		return;
	}
	snprintf(where, sizeof(where), "users of template %" PRIu32,
		 be32_get(key));
	if (len < USERS_SIZE || !verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, where, "the checksum or size is wrong");
		return;
	}
	if (verify->strict && (len != USERS_SIZE || le32_get(data + 4) != 0)) {
		tell_error(verify, where, "reserved bytes are set");
	}
	template = verify_template_find(verify, be32_get(key));
	if (template == NULL) {
		tell_error(verify, where, "there is no such template");
		return;
	}
	template->has_users = true;
	template->users = le64_get(data + 8);
}

static int guid_cmp(const void *a, const void *b)
{
	return memcmp(((const struct verify_template *)a)->guid,
		      ((const struct verify_template *)b)->guid, 16);
}

static int sha256_cmp(const void *a, const void *b)
{
	return memcmp(((const struct verify_template *)a)->sha256,
		      ((const struct verify_template *)b)->sha256, 32);
}

/*
 * Neighbours after sorting that are equal.  Only of those in use: one that
 * waits to be removed may have come back under another number.
 */
static void check_distinct(struct verify *verify,
			   int (*cmp)(const void *, const void *),
			   const char *what)
{
	struct verify_template *used = NULL;
	size_t num_used = 0;
	char where[32];
	size_t i;

	used = talloc_array(verify, struct verify_template,
			    verify->num_templates);
	if (used == NULL) {
		verify->err = EVERR_NOMEM;
		return;
	}
	for (i = 0; i < verify->num_templates; i++) {
		if (verify->templates[i].blocks > 0) {
			used[num_used++] = verify->templates[i];
		}
	}
	qsort(used, num_used, sizeof(*used), cmp);
	for (i = 1; i < num_used; i++) {
		if (cmp(&used[i - 1], &used[i]) == 0) {
			snprintf(where, sizeof(where), "template %" PRIu32,
				 used[i].no);
			tell_error(verify, where,
				   "it has the same %s as template %" PRIu32,
				   what, used[i - 1].no);
		}
	}
	talloc_free(used);
}

static void check_templates(struct verify *verify)
{
	char where[32];
	size_t i;

	for (i = 0; i < verify->num_templates; i++) {
		const struct verify_template *template = &verify->templates[i];

		snprintf(where, sizeof(where), "template %" PRIu32,
			 template->no);
		if (!template->has_users) {
			tell_error(verify, where, "its users are not counted");
		} else if (template->users != template->blocks) {
			tell_error(verify, where,
				   "it has %" PRIu64
				   " users, but its count says %" PRIu64,
				   template->blocks, template->users);
		}
	}
	check_distinct(verify, guid_cmp, "GUID");
	check_distinct(verify, sha256_cmp, "definition");
}

/* ------------------------------------------------------------ channels */

/* The channel of a number, made when it is new; NULL: told or no memory. */
static struct verify_channel *channel_of(struct verify *verify,
					 const char *table, uint32_t no)
{
	struct verify_channel *channels = NULL;
	size_t i;

	if (no == 0 || no > CHANNELS_MAX) {
		tell_error(verify, table, "channel %" PRIu32 " is impossible",
			   no);
		return NULL;
	}
	if (no <= verify->num_channels) {
		return &verify->channels[no - 1];
	}
	channels = talloc_realloc(verify, verify->channels,
				  struct verify_channel, no);
	if (channels == NULL) {
		verify->err = EVERR_NOMEM;
		return NULL;
	}
	verify->channels = channels;
	for (i = verify->num_channels; i < no; i++) {
		channels[i] = (struct verify_channel){.no = (uint32_t)(i + 1)};
		channels[i].label =
			talloc_asprintf(verify, "channel %zu", i + 1);
		if (channels[i].label == NULL) {
			verify->err = EVERR_NOMEM;
			return NULL;
		}
		verify->num_channels = i + 1;
	}
	return &channels[no - 1];
}

static bool name_valid(const uint8_t *name, size_t len)
{
	size_t chars = 0;
	size_t i;

	if (len == 0 || name[0] == '\\' ||
	    !text_utf8_valid((const char *)name, len)) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (name[i] < 0x20 || name[i] == 0x7F ||
		    strchr("<>|\\\":'*?", name[i]) != NULL) {
			return false;
		}
		chars += (name[i] & 0xC0) != 0x80;
	}
	return chars <= NAME_CHARS_MAX;
}

static void channel_name(struct verify *verify, struct verify_channel *channel,
			 const uint8_t *name, size_t len)
{
	if (!name_valid(name, len)) {
		tell_error(verify, channel->label,
			   "it has a name that no channel may have");
		return;
	}
	channel->name = talloc_strndup(verify, (const char *)name, len);
	if (channel->name == NULL) {
		verify->err = EVERR_NOMEM;
		return;
	}
	channel->label = talloc_asprintf(verify, "channel %s", channel->name);
	if (channel->label == NULL) {
		verify->err = EVERR_NOMEM;
	}
}

static void channel_item(const uint8_t *key, size_t key_len,
			 const uint8_t *data, size_t len, unsigned int flags,
			 void *private_data)
{
	static const char table[] = "table channels";
	struct verify *verify = private_data;
	struct verify_channel *channel = NULL;
	uint64_t name_len, sddl_len;

	if (key_len != 4) {
		tell_error(verify, table, "it has an unknown key");
		return;
	}
	if (be32_get(key) != verify->num_channels + 1) {
		tell_error(verify, table, "channels are not numbered in a row");
	}
	channel = channel_of(verify, table, be32_get(key));
	if (channel == NULL) {
		return;
	}
	verify->result.channels++;
	if (len < CHANNEL_HEADER ||
	    !verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, channel->label,
			   "the checksum or size of its properties is wrong");
		return;
	}
	name_len = le32_get(data + 32);
	sddl_len = le32_get(data + 36);
	sddl_len = sddl_len == SDDL_NONE ? 0 : sddl_len;
	if (sddl_len > SDDL_MAX || name_len > len - CHANNEL_HEADER ||
	    CHANNEL_HEADER + name_len + sddl_len != len) {
		tell_error(verify, channel->label,
			   "the lengths in its properties are wrong");
		return;
	}
	if (verify->strict &&
	    (le32_get(data + 4) &
	     ~(CHANNEL_ENABLED | CHANNEL_REMOVED | CHANNEL_RETAIN)) != 0) {
		tell_error(verify, channel->label, "unknown flags are set");
	}
	channel->removed = (le32_get(data + 4) & CHANNEL_REMOVED) != 0;
	channel_name(verify, channel, data + CHANNEL_HEADER, (size_t)name_len);
}

static int name_cmp(const void *a, const void *b)
{
	return text_name_cmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_names(struct verify *verify)
{
	const char **names = NULL;
	size_t num_names = 0;
	size_t i;

	names = talloc_array(verify, const char *, verify->num_channels + 1);
	if (names == NULL) {
		verify->err = EVERR_NOMEM;
		return;
	}
	for (i = 0; i < verify->num_channels; i++) {
		if (verify->channels[i].name != NULL) {
			names[num_names++] = verify->channels[i].name;
		}
	}
	qsort(names, num_names, sizeof(*names), name_cmp);
	for (i = 1; i < num_names; i++) {
		if (name_cmp(&names[i - 1], &names[i]) == 0) {
			tell_error(verify, names[i],
				   "two channels have this name");
		}
	}
	talloc_free(names);
}

/* ---------------------------------------------------------------- gaps */

static void gap_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		     size_t len, unsigned int flags, void *private_data)
{
	static const char table[] = "table gaps";
	struct verify *verify = private_data;
	struct verify_channel *channel = NULL;
	struct verify_gap gap = {};
	void *more = NULL;

	if (key_len != 12) {
		tell_error(verify, table, "it has an unknown key");
		return;
	}
	channel = channel_of(verify, table, be32_get(key));
	if (channel == NULL) {
		return;
	}
	if (len < GAP_SIZE || !verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, channel->label,
			   "the checksum or size of the gap at %" PRIu64
			   " is wrong",
			   be64_get(key + 4));
		return;
	}
	gap.first_id = be64_get(key + 4);
	gap.last_id = le64_get(data + 8);
	gap.cause = le32_get(data + 4);
	if (gap.first_id == 0 || gap.last_id < gap.first_id ||
	    (channel->num_gaps > 0 &&
	     channel->gaps[channel->num_gaps - 1].last_id >= gap.first_id)) {
		tell_error(verify, channel->label,
			   "the gap at %" PRIu64 " has impossible bounds",
			   gap.first_id);
		return;
	}
	if (verify->strict && (gap.cause < VERIFY_GAP_RESTORED ||
			       gap.cause > VERIFY_GAP_CLEARED)) {
		tell_error(verify, channel->label,
			   "the gap at %" PRIu64 " has an unknown cause",
			   gap.first_id);
	}
	verify_tell(verify, STORE_VERIFY_NOTE, channel->label,
		    "ids %" PRIu64 " to %" PRIu64 " are a gap: %s",
		    gap.first_id, gap.last_id,
		    gap.cause == VERIFY_GAP_RESTORED  ? "skipped"
		    : gap.cause == VERIFY_GAP_DAMAGED ? "damaged"
						      : "cleared");

	more = verify_more(verify, channel->gaps, channel->num_gaps,
			   sizeof(gap));
	if (more == NULL) {
		return;
	}
	channel->gaps = more;
	channel->gaps[channel->num_gaps++] = gap;
}

/* -------------------------------------------------- heads and summaries */

static void block_add(struct verify *verify, struct verify_channel *channel,
		      const struct verify_block *block)
{
	void *more = NULL;

	more = verify_more(verify, channel->blocks, channel->num_blocks,
			   sizeof(*block));
	if (more == NULL) {
		return;
	}
	channel->blocks = more;
	channel->blocks[channel->num_blocks++] = *block;
}

/* Read the list of templates and count this block among their users. */
static const char *block_templates(struct verify *verify, const uint8_t *data,
				   struct verify_block *block)
{
	uint64_t stamp = ++verify->stamp;
	uint32_t i;

	block->templates = talloc_array(verify, uint32_t, block->num_templates);
	if (block->templates == NULL) {
		verify->err = EVERR_NOMEM;
		return NULL;
	}
	for (i = 0; i < block->num_templates; i++) {
		struct verify_template *template = NULL;

		block->templates[i] = le32_get(data + 4 * (size_t)i);
		template = verify_template_find(verify, block->templates[i]);
		if (template == NULL) {
			return "its summary lists a template that does not "
			       "exist";
		}
		if (template->stamp == stamp) {
			return "its summary lists a template twice";
		}
		template->stamp = stamp;
		template->blocks++;
	}
	return NULL;
}

static const char *block_fault(const struct verify *verify,
			       const struct verify_block *block)
{
	if (block->first_id % VERIFY_BLOCK_RECORDS != 1) {
		return "no block begins there";
	}
	if (block->count > VERIFY_BLOCK_RECORDS ||
	    (block->count == 0 && !block->open)) {
		return "its summary has an impossible count";
	}
	if (block->count == 0) {
		return block->num_templates == 0
			       ? NULL
			       : "its summary is empty but lists templates";
	}
	if (block->last_id < block->first_id ||
	    block->last_id - block->first_id >= VERIFY_BLOCK_RECORDS) {
		return "its last record lies outside";
	}
	if (block->min > block->max && !block->timeless) {
		return "its summary has no times, though records have";
	}
	return NULL;
}

/* A summary of len bytes; *ret_block is usable when true. */
static bool block_read(struct verify *verify,
		       const struct verify_channel *channel, uint64_t first_id,
		       bool open, const uint8_t *data, size_t len,
		       struct verify_block *ret_block)
{
	struct verify_block block = {.first_id = first_id, .open = open};
	const char *fault = NULL;
	char where[1400];

	snprintf(where, sizeof(where), "%s, block %" PRIu64, channel->label,
		 first_id);
	block.num_templates = le32_get(data + 40);
	if ((len - VERIFY_BLOCK_HEADER) / 4 != block.num_templates ||
	    len % 4 != 0) {
		tell_error(verify, where, "its summary has a wrong length");
		return false;
	}
	if (verify->strict &&
	    ((le32_get(data) & ~(uint32_t)VERIFY_BLOCK_TIMELESS) != 0 ||
	     le32_get(data + 44) != 0)) {
		tell_error(verify, where, "unknown flags are set");
	}
	block.timeless = (le32_get(data) & VERIFY_BLOCK_TIMELESS) != 0;
	block.count = le32_get(data + 4);
	block.last_id = le64_get(data + 8);
	block.min = le64_get(data + 16);
	block.max = le64_get(data + 24);
	block.bytes = le64_get(data + 32);
	fault = block_fault(verify, &block);
	if (fault == NULL) {
		fault = block_templates(verify, data + VERIFY_BLOCK_HEADER,
					&block);
	}
	if (fault != NULL) {
		tell_error(verify, where, "%s", fault);
	}
	*ret_block = block;
	return verify->err == EVERR_OK;
}

static const char *head_fault(const struct verify_head *head)
{
	if (head->next_id == 0) {
		return "its next id is 0";
	}
	if (head->oldest_id >= head->next_id) {
		return "its oldest id is not below the next one";
	}
	if ((head->oldest_id == 0) != (head->records == 0) ||
	    (head->oldest_id == 0) != (head->bytes == 0)) {
		return "its counters contradict each other";
	}
	if (head->records > head->next_id - head->oldest_id) {
		return "it has more records than ids";
	}
	if (head->block_id >= head->next_id) {
		return "its open block is not below the next id";
	}
	return NULL;
}

static void head_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		      size_t len, unsigned int flags, void *private_data)
{
	static const char table[] = "table heads";
	struct verify *verify = private_data;
	struct verify_channel *channel = NULL;
	struct verify_block block = {};
	const char *fault = NULL;
	size_t summary_len;

	if (key_len != 4) {
		tell_error(verify, table, "it has an unknown key");
		return;
	}
	channel = channel_of(verify, table, be32_get(key));
	if (channel == NULL) {
		return;
	}
	if (len < HEAD_HEADER + VERIFY_BLOCK_HEADER ||
	    !verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, channel->label,
			   "the checksum or size of its head is wrong");
		return;
	}
	if (verify->strict && le32_get(data + 4) != 0) {
		tell_error(verify, channel->label, "reserved bytes are set");
	}
	channel->has_head = true;
	channel->head = (struct verify_head){
		.next_id = le64_get(data + 8),
		.oldest_id = le64_get(data + 16),
		.records = le64_get(data + 24),
		.bytes = le64_get(data + 32),
		.missing = le64_get(data + 40),
		.received = le64_get(data + 48),
		.block_id = le64_get(data + 56),
	};
	fault = head_fault(&channel->head);
	if (fault != NULL) {
		tell_error(verify, channel->label, "%s", fault);
	}
	summary_len = len - HEAD_HEADER;
	if (channel->head.block_id == 0) {
		if (!all_zero(data + HEAD_HEADER, summary_len)) {
			tell_error(verify, channel->label,
				   "it has no open block, but a summary of it");
		}
		return;
	}
	if (block_read(verify, channel, channel->head.block_id, true,
		       data + HEAD_HEADER, summary_len, &block)) {
		block_add(verify, channel, &block);
	}
}

/*
 * Closed blocks come by channel and first id; the open one was there before
 * them and belongs behind them.
 */
static void closed_add(struct verify *verify, struct verify_channel *channel,
		       const struct verify_block *block)
{
	struct verify_block open = {};
	bool has_open = channel->num_blocks > 0 &&
			channel->blocks[channel->num_blocks - 1].open;

	if (has_open) {
		open = channel->blocks[--channel->num_blocks];
	}
	block_add(verify, channel, block);
	if (has_open) {
		block_add(verify, channel, &open);
	}
}

static void block_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		       size_t len, unsigned int flags, void *private_data)
{
	static const char table[] = "table blocks";
	struct verify *verify = private_data;
	struct verify_channel *channel = NULL;
	struct verify_block block = {};
	uint64_t first_id;

	if (key_len != 12) {
		tell_error(verify, table, "it has an unknown key");
		return;
	}
	channel = channel_of(verify, table, be32_get(key));
	if (channel == NULL) {
		return;
	}
	first_id = be64_get(key + 4);
	if (len < CLOSED_HEADER + VERIFY_BLOCK_HEADER ||
	    !verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, channel->label,
			   "the checksum or size of the summary of block "
			   "%" PRIu64 " is wrong",
			   first_id);
		return;
	}
	if (verify->strict && le32_get(data + 4) != 0) {
		tell_error(verify, channel->label, "reserved bytes are set");
	}
	if (channel->has_head && first_id >= channel->head.block_id) {
		tell_error(verify, channel->label,
			   "block %" PRIu64 " is closed, but not below the "
			   "open one",
			   first_id);
	}
	if (block_read(verify, channel, first_id, false, data + CLOSED_HEADER,
		       len - CLOSED_HEADER, &block)) {
		closed_add(verify, channel, &block);
	}
}

/* --------------------------------------------------------------- state */

static void state_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		       size_t len, unsigned int flags, void *private_data)
{
	struct verify *verify = private_data;
	char *where = NULL;

	where = printable(verify, "state ", key, key_len);
	if (where == NULL) {
		verify->err = EVERR_NOMEM;
		return;
	}
	if (key_len == 0 || key_len > STATE_NAME_MAX ||
	    !text_utf8_valid((const char *)key, key_len)) {
		tell_error(verify, where, "its name is impossible");
	}
	if (!verify_crc_value(key, key_len, data, len)) {
		tell_error(verify, where, "its checksum is wrong");
	} else if (len - 4 > STATE_DATA_MAX) {
		tell_error(verify, where, "it is too long");
	} else {
		verify_origin_state(verify, where, key, key_len, data + 4,
				    len - 4);
	}
	talloc_free(where);
}

/* -------------------------------------------------------------- tables */

/* The channel's number in a name "records/0000002a"; false: no such name. */
static bool records_channel(const uint8_t *key, size_t key_len,
			    uint32_t *ret_channel)
{
	size_t prefix_len = strlen(RECORDS_PREFIX);
	uint32_t channel = 0;
	size_t i;

	if (key_len != prefix_len + 8 ||
	    memcmp(key, RECORDS_PREFIX, prefix_len) != 0) {
		return false;
	}
	for (i = prefix_len; i < key_len; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = key[i] == 0 ? NULL : strchr(digits, key[i]);

		if (digit == NULL) {
			return false;
		}
		channel = channel << 4 | (uint32_t)(digit - digits);
	}
	*ret_channel = channel;
	return true;
}

/* A table that has a fixed name; false: it is another one. */
static bool set_table(struct tables *tables, const uint8_t *key, size_t key_len,
		      const struct store_image_tree *tree)
{
	size_t i;

	for (i = 0; i < NUM_TABLES; i++) {
		if (strlen(table_names[i]) == key_len &&
		    memcmp(table_names[i], key, key_len) == 0) {
			tables->trees[i] = *tree;
			tables->found[i] = true;
			return true;
		}
	}
	return false;
}

static void add_table(struct tables *tables, uint32_t channel,
		      const struct store_image_tree *tree)
{
	struct other_table *others = NULL;

	others = verify_more(tables->verify, tables->others, tables->num_others,
			     sizeof(*others));
	if (others == NULL) {
		return;
	}
	tables->others = others;
	others[tables->num_others++] = (struct other_table){
		.channel = channel,
		.tree = *tree,
	};
}

static void table_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		       size_t len, unsigned int flags, void *private_data)
{
	struct tables *tables = private_data;
	struct verify *verify = tables->verify;
	struct store_image_tree tree = {};
	uint16_t wanted_flags = 0;
	uint32_t channel = 0;
	const char *name = NULL;
	everr_t err;

	tables->num_items++;
	name = printable(verify, "table ", key, key_len);
	if (name == NULL) {
		verify->err = EVERR_NOMEM;
		return;
	}
	err = store_image_subtree(name, data, len, &tree);
	if ((flags & STORE_IMAGE_SUBTREE) == 0 || err != EVERR_OK) {
		tell_error(verify, name, "it is no table");
		return;
	}
	if (records_channel(key, key_len, &channel)) {
		wanted_flags = STORE_IMAGE_INTEGER_KEY;
	}
	if (tree.flags != wanted_flags) {
		tell_error(verify, name, "it has wrong flags");
		tree.flags = wanted_flags;
	}
	if (!set_table(tables, key, key_len, &tree)) {
		add_table(tables, channel, &tree);
	}
}

static everr_t walk_table(struct tables *tables, enum table table)
{
	static const store_image_item_fn fns[NUM_TABLES] = {
		meta_item, template_item, users_item, channel_item,
		gap_item,  head_item,	  block_item, state_item,
	};
	struct verify *verify = tables->verify;
	everr_t err;

	if (!tables->found[table]) {
		tell_error(verify, "the table of tables", "%s is missing",
			   table_names[table]);
		return EVERR_OK;
	}
	err = store_image_walk(verify->image, &tables->trees[table], fns[table],
			       verify);
	return err != EVERR_OK ? err : verify->err;
}

/* Every channel must be known and counted, and its gaps lie below its end. */
static void check_channel(struct verify *verify,
			  const struct verify_channel *channel)
{
	uint64_t in_gaps = 0;
	size_t i;

	for (i = 0; i < channel->num_gaps; i++) {
		const struct verify_gap *gap = &channel->gaps[i];

		in_gaps += gap->last_id - gap->first_id + 1;
		if (channel->has_head &&
		    gap->last_id >= channel->head.next_id) {
			tell_error(verify, channel->label,
				   "the gap at %" PRIu64
				   " is not below the next id",
				   gap->first_id);
		}
	}
	if (!channel->has_head) {
		tell_error(verify, channel->label, "it has no head");
	} else if (channel->head.missing < in_gaps) {
		tell_error(verify, channel->label,
			   "its head counts fewer missing ids than its gaps");
	}
}

static void unknown_item(const uint8_t *key, size_t key_len,
			 const uint8_t *data, size_t len, unsigned int flags,
			 void *private_data)
{
	verify_step(private_data);
}

/* A newer minor version may have more tables; only their pages are checked. */
static everr_t walk_unknown(struct tables *tables)
{
	struct verify *verify = tables->verify;
	size_t i;
	everr_t err;

	for (i = 0; i < tables->num_others; i++) {
		const struct store_image_tree *tree = &tables->others[i].tree;

		if (tables->others[i].channel != 0) {
			continue;
		}
		if (verify->strict) {
			tell_error(verify, tree->name, "it is unknown");
		}
		err = store_image_walk(verify->image, tree, unknown_item,
				       verify);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static everr_t walk_channels(struct tables *tables)
{
	struct verify *verify = tables->verify;
	struct verify_channel *channel = NULL;
	size_t i;

	for (i = 0; i < tables->num_others; i++) {
		const struct other_table *other = &tables->others[i];

		if (other->channel == 0) {
			continue;
		}
		channel = channel_of(verify, other->tree.name, other->channel);
		if (channel != NULL) {
			channel->has_table = true;
			channel->table = other->tree;
		}
	}
	if (verify->num_channels != verify->result.channels) {
		tell_error(verify, "table channels",
			   "there are more channels in the store than the "
			   "%" PRIu64 " it has",
			   verify->result.channels);
	}
	for (i = 0; i < verify->num_channels; i++) {
		check_channel(verify, &verify->channels[i]);
		verify_records(verify, &verify->channels[i]);
		if (verify->err != EVERR_OK) {
			return verify->err;
		}
	}
	return EVERR_OK;
}

static everr_t check_image(struct verify *verify)
{
	struct tables tables = {.verify = verify};
	enum table table;
	everr_t err;

	err = store_image_walk(verify->image, store_image_main(verify->image),
			       table_item, &tables);
	if (err != EVERR_OK) {
		return err;
	}
	if (tables.num_items == 0) {
		verify_tell(verify, STORE_VERIFY_NOTE, "the file",
			    "it is empty: nothing was ever stored");
		return store_image_finish(verify->image);
	}
	for (table = 0; table < NUM_TABLES; table++) {
		err = walk_table(&tables, table);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (!verify->has_meta) {
		tell_error(verify, "table meta", "it is empty");
	}
	check_names(verify);
	verify_origin_hosts(verify);
	err = walk_channels(&tables);
	if (err != EVERR_OK) {
		return err;
	}
	err = walk_unknown(&tables);
	if (err != EVERR_OK) {
		return err;
	}
	check_templates(verify);
	if (verify->err != EVERR_OK) {
		return verify->err;
	}
	return store_image_finish(verify->image);
}

everr_t store_verify(TALLOC_CTX *mem_ctx, const char *path, store_verify_fn fn,
		     store_verify_progress_fn progress, void *private_data,
		     struct store_verify_result *ret_result)
{
	struct verify *verify = NULL;
	everr_t err;

	verify = talloc_zero(mem_ctx, struct verify);
	if (verify == NULL) {
		return EVERR_NOMEM;
	}
	verify->fn = fn;
	verify->progress = progress;
	verify->private_data = private_data;
	verify->strict = true;
	verify->minor = MINOR;

	err = store_image_open(verify, path, image_told, verify,
			       &verify->image);
	if (err == EVERR_OK) {
		verify->result.bytes = store_image_bytes(verify->image);
		err = check_image(verify);
	}
	if (err == EVERR_OK) {
		*ret_result = verify->result;
	}
	talloc_free(verify);
	return err;
}
