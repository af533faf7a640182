/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/buf.h"
#include "store/crc32c.h"
#include "store/u32set.h"
#include "store/value.h"

#include <stdlib.h>
#include <string.h>

/* RFC 3720 B.4, and the check value of the CRC catalogue. */
static void test_crc32c_gives_the_published_values(void **state)
{
	uint8_t bytes[32];
	size_t i;

	assert_int_equal(store_crc32c(0, "123456789", 9), 0xE3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(store_crc32c(0, bytes, 32), 0x8A9136AA);
	memset(bytes, 0xFF, sizeof(bytes));
	assert_int_equal(store_crc32c(0, bytes, 32), 0x62A8AB43);
	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}
	assert_int_equal(store_crc32c(0, bytes, 32), 0x46DD794E);
	assert_int_equal(store_crc32c_portable(0, bytes, 32), 0x46DD794E);
	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(31 - i);
	}
	assert_int_equal(store_crc32c(0, bytes, 32), 0x113FDB5C);
	assert_int_equal(store_crc32c(7, bytes, 0), 7);
}

static void test_crc32c_is_the_same_in_pieces_and_without_the_instruction(
	void **state)
{
	uint8_t bytes[4099];
	unsigned int seed = 3;
	size_t cut;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)rand_r(&seed);
	}
	for (i = 0; i < sizeof(bytes); i += i < 80 ? 1 : 401) {
		uint32_t crc = store_crc32c_portable(0, bytes + 3, i - i / 9);

		assert_int_equal(store_crc32c(0, bytes + 3, i - i / 9), crc);
		cut = i / 3;
		assert_int_equal(store_crc32c(store_crc32c(0, bytes + 3, cut),
					      bytes + 3 + cut, i - i / 9 - cut),
				 crc);
	}
}

static void test_a_set_keeps_numbers_once_and_in_order(void **state)
{
	struct u32set set = {};
	bool seen[5000] = {};
	unsigned int seed = 5;
	uint32_t num = 0;
	bool is_new;
	uint32_t v;
	int round;
	int i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 20000; i++) {
			/* Few at first, so that both ways to look are used. */
			v = (uint32_t)rand_r(&seed) % (i < 100 ? 12 : 5000);
			assert_true(u32set_add(&set, v, &is_new));
			assert_int_equal(is_new, !seen[v]);
			if (is_new) {
				assert_int_equal(set.items[num], v);
				num++;
			}
			seen[v] = true;
			assert_int_equal(set.num, num);
		}
		u32set_clear(&set);
		memset(seen, 0, sizeof(seen));
		num = 0;
	}
	u32set_free(&set);
}

/* ------------------------------------------------------------- records */

#define DATA "packed event"
#define LEN (STORE_RECORD_DATA + sizeof(DATA))

static void make_record(uint8_t value[LEN])
{
	struct event_packed event = {
		.header =
			{
				.time_created = 0x0102030405060708,
				.keywords = 0x8020000000000000,
				.provider_hash = 0x11223344,
				.event_id = 4624,
				.task = 12544,
				.level = 4,
				.opcode = 1,
				.version = 2,
				.has = 0xFF,
			},
		.data = (const uint8_t *)DATA,
		.len = sizeof(DATA),
		.wire_len = 999,
	};

	const struct store_input input = {
		.born_here = true,
		.origin = 0x0301,
		.origin_mark = STORE_ORIGIN_CLAIMED,
	};

	store_record_put(value, &event, &input);
	store_record_seal(value, LEN, 3, 17, 0x1112131415161718, 0);
}

/* Byte by byte as doc/store-format.md has it. */
static void test_a_record_stands_as_the_format_says(void **state)
{
	static const uint8_t expected[STORE_RECORD_DATA - 4] = {
		0x01, 0x05, 0xFF, 0x04, 0x18, 0x17, 0x16, 0x15, 0x14,
		0x13, 0x12, 0x11, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03,
		0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20,
		0x80, 0x44, 0x33, 0x22, 0x11, 0x10, 0x12, 0x00, 0x31,
		0x01, 0x02, 0x01, 0x03, 0xE7, 0x03, 0x00, 0x00};
	const uint8_t where[12] = {3, 0, 0, 0, 17};
	struct store_record record = {};
	uint8_t value[LEN];
	uint32_t crc;

	make_record(value);
	assert_memory_equal(value + 4, expected, sizeof(expected));
	assert_memory_equal(value + STORE_RECORD_DATA, DATA, sizeof(DATA));
	crc = store_crc32c_portable(0, where, sizeof(where));
	crc = store_crc32c_portable(crc, value + 4, LEN - 4);
	assert_int_equal(le32_get(value), crc);

	assert_int_equal(store_record_get(value, LEN, 3, 17, &record),
			 EVERR_OK);
	assert_int_equal(record.id, 17);
	assert_int_equal(record.received, 0x1112131415161718);
	assert_int_equal(record.header.event_id, 4624);
	assert_int_equal(record.header.task, 12544);
	assert_int_equal(record.header.opcode, 1);
	assert_int_equal(record.header.version, 2);
	assert_int_equal(record.wire_len, 999);
	assert_int_equal(record.origin, 0x0301);
	assert_int_equal(record.origin_mark, STORE_ORIGIN_CLAIMED);
	assert_int_equal(record.len, sizeof(DATA));

	/* Longer than an event can be: nobody need ask for that much. */
	le32_set(value + STORE_RECORD_WIRE_LEN, EVENT_WIRE_MAX + 1);
	crc = store_crc32c_portable(0, where, sizeof(where));
	crc = store_crc32c_portable(crc, value + 4, LEN - 4);
	le32_set(value, crc);
	assert_int_equal(store_record_get(value, LEN, 3, 17, &record),
			 EVERR_STORE_CORRUPT);
}

static void test_a_record_with_any_bit_flipped_is_refused(void **state)
{
	struct store_record record = {};
	uint8_t value[LEN];
	size_t bit;

	make_record(value);
	for (bit = 0; bit < LEN * 8; bit++) {
		value[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(store_record_get(value, LEN, 3, 17, &record),
				 EVERR_STORE_CORRUPT);
		value[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* Cut, or at another place, it is none either. */
	for (bit = 0; bit < LEN; bit++) {
		assert_int_equal(store_record_get(value, bit, 3, 17, &record),
				 EVERR_STORE_CORRUPT);
	}
	assert_int_equal(store_record_get(value, LEN, 4, 17, &record),
			 EVERR_STORE_CORRUPT);
	assert_int_equal(store_record_get(value, LEN, 3, 18, &record),
			 EVERR_STORE_CORRUPT);
	assert_int_equal(store_record_get(value, LEN, 3, 17, &record),
			 EVERR_OK);
}

/* --------------------------------------------------------------- heads */

static void test_a_head_comes_back_with_its_block(void **state)
{
	const uint32_t templates[] = {5, 9, 70000};
	struct store_head head = {
		.next_id = 2000,
		.oldest_id = 100,
		.records = 1900,
		.bytes = 123456,
		.missing = 7,
		.received = 88,
		.block_id = 1025,
		.block = {.flags = 1,
			  .count = 975,
			  .last_id = 1999,
			  .min_time = 3,
			  .max_time = 4,
			  .bytes = 5},
	};
	uint8_t value[STORE_HEAD_LEN(3)];
	struct store_head got = {};
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	size_t i;

	store_head_put(value, 2, &head, templates, 3);
	assert_int_equal(
		store_head_get(value, sizeof(value), 2, &got, &nos, &num),
		EVERR_OK);
	assert_memory_equal(&got, &head, sizeof(head));
	assert_int_equal(num, 3);
	assert_int_equal(le32_get(nos + 8), 70000);
	for (i = 0; i < sizeof(value); i++) {
		assert_int_equal(store_head_get(value, i, 2, &got, &nos, &num),
				 EVERR_STORE_CORRUPT);
	}
	/* A list of templates that is longer than the value. */
	le32_set(value + STORE_HEAD_BLOCK + STORE_BLOCK_NUM_TEMPLATES, 4);
	store_value_seal(value, sizeof(value), "\0\0\0\2", 4);
	assert_int_equal(
		store_head_get(value, sizeof(value), 2, &got, &nos, &num),
		EVERR_STORE_CORRUPT);
}

static void test_a_head_that_contradicts_itself_is_refused(void **state)
{
	const struct store_head heads[] = {
		{.next_id = 0},
		{.next_id = 7, .oldest_id = 7},
		{.next_id = 1025, .oldest_id = 1, .block_id = 1025},
	};
	uint8_t value[STORE_HEAD_LEN(0)];
	struct store_head got = {};
	const uint8_t *nos = NULL;
	uint32_t num = 0;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		store_head_put(value, 2, &heads[i], NULL, 0);
		assert_int_equal(store_head_get(value, sizeof(value), 2, &got,
						&nos, &num),
				 EVERR_STORE_CORRUPT);
	}
}

static void test_blocks_are_of_1024_ids_from_1(void **state)
{
	assert_int_equal(store_block_of(1), 1);
	assert_int_equal(store_block_of(1024), 1);
	assert_int_equal(store_block_of(1025), 1025);
	assert_int_equal(store_block_of(UINT64_C(1) << 40),
			 (UINT64_C(1) << 40) - 1023);
}

static void test_another_major_version_is_told_from_damage(void **state)
{
	struct store_meta meta = {.major = STORE_FORMAT_MAJOR, .next_no = 1};
	uint8_t value[STORE_META_SIZE];
	struct store_meta got = {};

	store_meta_put(value, &meta);
	assert_int_equal(store_meta_get(value, sizeof(value), &got), EVERR_OK);
	value[STORE_META_NEXT_NO] ^= 1;
	assert_int_equal(store_meta_get(value, sizeof(value), &got),
			 EVERR_STORE_CORRUPT);
	value[STORE_META_MAJOR]++;
	assert_int_equal(store_meta_get(value, sizeof(value), &got),
			 EVERR_STORE_VERSION);
	assert_int_equal(store_meta_get(value, 3, &got), EVERR_STORE_VERSION);
}

static void test_a_channel_keeps_none_and_empty_apart(void **state)
{
	struct store_channel_config config = {.enabled = true, .sddl = ""};
	struct store_channel_config got = {};
	uint8_t value[STORE_CHANNEL_LEN(4, 0)];
	uint64_t created = 0;
	bool removed = true;
	char *name = NULL;

	store_channel_put(value, 1, "Name", 5, false, &config);
	assert_int_equal(store_channel_get(*state, value, sizeof(value), 1,
					   &name, &created, &removed, &got),
			 EVERR_OK);
	assert_false(removed);
	assert_string_equal(name, "Name");
	assert_string_equal(got.sddl, "");
	config.sddl = NULL;
	store_channel_put(value, 1, "Name", 5, true, &config);
	assert_int_equal(store_channel_get(*state, value, sizeof(value), 1,
					   &name, &created, &removed, &got),
			 EVERR_OK);
	assert_true(removed);
	assert_null(got.sddl);
	assert_int_equal(created, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_crc32c_gives_the_published_values),
		leak_test(
			test_crc32c_is_the_same_in_pieces_and_without_the_instruction),
		leak_test(test_a_set_keeps_numbers_once_and_in_order),
		leak_test(test_a_record_stands_as_the_format_says),
		leak_test(test_a_record_with_any_bit_flipped_is_refused),
		leak_test(test_a_head_comes_back_with_its_block),
		leak_test(test_a_head_that_contradicts_itself_is_refused),
		leak_test(test_blocks_are_of_1024_ids_from_1),
		leak_test(test_another_major_version_is_told_from_damage),
		leak_test(test_a_channel_keeps_none_and_empty_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
