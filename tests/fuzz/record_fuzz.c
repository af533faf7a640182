/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a value of the store, with a checksum that is right: the first
 * byte chooses the table.  Records are read twice, as the service does it and
 * as the checker does it, and the two must agree; what can be sent must be
 * whole to the checker, and as long as it says.
 */

#include "event/build.h"
#include "store/value.h"
#include "store/verify_node.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANNEL 3
#define ID 4711

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Templates 1 to 3 are known: the System one and two of EventData. */
static struct event_dict *dict_make(TALLOC_CTX *mem_ctx)
{
	const struct event_system system = {
		.provider = "P",
		.channel = "C",
		.computer = "H",
	};
	const struct event_data data[] = {
		{"A", EVENT_TYPE_UINT32, (const uint8_t *)"1234", 4},
		{"B", EVENT_TYPE_STRING, (const uint8_t *)"a\0b\0", 4},
	};
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;
	struct buf doc;
	size_t num;

	for (num = 1; num <= 2; num++) {
		buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
		must(event_build(&doc, &system, data, num) == EVERR_OK);
		must(event_pack(packer, doc.data, doc.len, &packed) ==
		     EVERR_OK);
	}
	must(event_dict_count(dict) == 3);
	return dict;
}

static bool def_len_of(uint32_t no, uint32_t *ret_def_len, void *private_data)
{
	struct event_template *template = NULL;

	if (event_dict_get(private_data, no, &template) != EVERR_OK) {
		return false;
	}
	*ret_def_len = template->def_len;
	return true;
}

static void ignore_template(uint32_t no, void *private_data)
{
}

static void check_node(TALLOC_CTX *mem_ctx, const uint8_t *node, size_t len)
{
	struct event_dict *dict = dict_make(mem_ctx);
	const char *fault = NULL;
	uint64_t wire_len = 0;
	struct buf wire;
	everr_t err;

	fault = verify_node_walk(node, len, def_len_of, dict, &wire_len);
	err = event_packed_templates(node, len, ignore_template, NULL);
	if (fault == NULL) {
		must(err == EVERR_OK);
	}
	buf_init(&wire, mem_ctx, EVENT_WIRE_MAX);
	err = event_packed_to_wire(&wire, dict, node, len);
	/* Reserved bits are not sent; that they are set is still damage. */
	if (err == EVERR_OK && fault == NULL) {
		must(wire_len == wire.len);
	} else if (err == EVERR_OK) {
		must(strstr(fault, "reserved bits") != NULL);
	}
}

static void check_record(TALLOC_CTX *mem_ctx, uint8_t *value, size_t len)
{
	struct verify_record theirs = {};
	struct store_record ours = {};
	const char *fault = NULL;
	everr_t err;

	if (len < STORE_RECORD_DATA) {
		must(store_record_get(value, len, CHANNEL, ID, &ours) ==
		     EVERR_STORE_CORRUPT);
		must(verify_record_read(CHANNEL, ID, false, value, len,
					&theirs) != NULL);
		return;
	}
	store_record_seal(value, len, CHANNEL, ID, le64_get(value + 8), 0);
	err = store_record_get(value, len, CHANNEL, ID, &ours);
	fault = verify_record_read(CHANNEL, ID, false, value, len, &theirs);
	if (err != EVERR_OK) {
		/* Or of a kind that only a later version knows. */
		must(fault != NULL || !theirs.packed);
		return;
	}
	must(fault == NULL);
	must(ours.id == ID);
	must(ours.received == theirs.received);
	must(ours.header.time_created == theirs.time_created);
	must(ours.wire_len == theirs.wire_len);
	must(ours.data == theirs.node && ours.len == theirs.node_len);
	check_node(mem_ctx, ours.data, ours.len);

	/* Under another id it is damaged, for both. */
	must(store_record_get(value, len, CHANNEL, ID + 1, &ours) ==
	     EVERR_STORE_CORRUPT);
	must(verify_record_read(CHANNEL, ID + 1, false, value, len, &theirs) !=
	     NULL);
}

static void check_summary(const uint8_t *templates, uint32_t num,
			  const uint8_t *value, size_t len)
{
	size_t i;

	must(templates >= value && num <= len / 4);
	for (i = 0; i < num; i++) {
		must(templates + 4 * i + 4 <= value + len);
		(void)le32_get(templates + 4 * i);
	}
}

static void check_pair(uint8_t *value, size_t len, bool gap)
{
	struct store_gap_value gap_value = {};
	struct store_summary block = {};
	uint8_t key[STORE_KEY_PAIR_SIZE];
	const uint8_t *templates = NULL;
	uint32_t num = 0;
	everr_t err;

	store_key_pair(key, CHANNEL, ID);
	store_value_seal(value, len, key, sizeof(key));
	must(verify_crc_value(key, sizeof(key), value, len));
	if (gap) {
		(void)!store_gap_get(value, len, CHANNEL, ID, &gap_value);
		return;
	}
	err = store_closed_get(value, len, CHANNEL, ID, &block, &templates,
			       &num);
	if (err == EVERR_OK) {
		check_summary(templates, num, value, len);
	}
}

static void check_channel(TALLOC_CTX *mem_ctx, const uint8_t *value, size_t len)
{
	struct store_channel_config config = {};
	uint64_t created = 0;
	bool removed = false;
	char *name = NULL;
	everr_t err;

	err = store_channel_get(mem_ctx, value, len, CHANNEL, &name, &created,
				&removed, &config);
	if (err == EVERR_OK) {
		must(strlen(name) < len);
		must(config.sddl == NULL || strlen(config.sddl) < len);
	}
}

static void check_by_number(TALLOC_CTX *mem_ctx, unsigned int table,
			    uint8_t *value, size_t len)
{
	uint8_t key[STORE_KEY_U32_SIZE];
	struct store_head head = {};
	const uint8_t *bytes = NULL;
	struct ev_guid guid;
	size_t def_len = 0;
	uint64_t count = 0;
	uint32_t num = 0;
	everr_t err;

	store_key_u32(key, CHANNEL);
	store_value_seal(value, len, key, sizeof(key));
	must(verify_crc_value(key, sizeof(key), value, len));
	switch (table) {
	case 0:
		check_channel(mem_ctx, value, len);
		break;
	case 1:
		err = store_head_get(value, len, CHANNEL, &head, &bytes, &num);
		if (err == EVERR_OK) {
			check_summary(bytes, num, value, len);
		}
		break;
	case 2:
		err = store_template_get(value, len, CHANNEL, &guid, &bytes,
					 &def_len);
		if (err == EVERR_OK) {
			must(bytes >= value && bytes + def_len <= value + len);
		}
		break;
	default:
		(void)!store_users_get(value, len, CHANNEL, &count);
		break;
	}
}

static void check_meta(uint8_t *value, size_t len)
{
	struct store_meta meta = {};

	store_value_seal(value, len, STORE_KEY_META, strlen(STORE_KEY_META));
	(void)!store_meta_get(value, len, &meta);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = NULL;
	uint8_t *value = NULL;
	size_t len;

	/* Values of the store always have room for their checksum. */
	if (size < 5) {
		return 0;
	}
	mem_ctx = talloc_new(NULL);
	len = size - 1;
	value = talloc_memdup(mem_ctx, data + 1, len);
	switch (data[0] % 8) {
	case 0:
		check_meta(value, len);
		break;
	case 1:
	case 2:
		check_pair(value, len, data[0] % 8 == 1);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		check_by_number(mem_ctx, data[0] % 8 - 3, value, len);
		break;
	default:
		check_record(mem_ctx, value, len);
		break;
	}
	talloc_free(mem_ctx);
	return 0;
}
