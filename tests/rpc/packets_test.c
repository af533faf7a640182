/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "rpc/packets.h"

#include <string.h>

struct seen {
	size_t num;
	uint8_t types[8];
	uint32_t call_ids[8];
};

static void note(uint8_t type, uint32_t call_id, void *private_data)
{
	struct seen *seen = private_data;

	assert_true(seen->num < 8);
	seen->types[seen->num] = type;
	seen->call_ids[seen->num] = call_id;
	seen->num++;
}

/*
 * [C706] 12.6.3.1: version, type, flags, data representation, lengths of the
 * fragment and of the verifier, call id.
 */
#define HEADER(type, length, call_id)                                     \
	5, 0, type, 3, 0x10, 0, 0, 0, (length)&0xFF, (length) >> 8, 0, 0, \
		call_id, 0, 0, 0

/* A request of 20 bytes, a cancel, an empty request, an orphaned with more. */
static const uint8_t stream[] = {
	HEADER(0, 20, 1),
	18,
	18,
	19,
	19,
	HEADER(18, 16, 7),
	HEADER(0, 16, 2),
	HEADER(19, 18, 9),
	18,
	0,
	HEADER(0, 17, 3),
	5,
};

static void assert_stream_seen(const struct seen *seen)
{
	assert_int_equal(seen->num, 2);
	assert_int_equal(seen->types[0], RPC_PACKET_CO_CANCEL);
	assert_int_equal(seen->call_ids[0], 7);
	assert_int_equal(seen->types[1], RPC_PACKET_ORPHANED);
	assert_int_equal(seen->call_ids[1], 9);
}

static void test_packets_are_found_in_pieces_of_any_size(void **state)
{
	size_t size, at;

	(void)state;
	for (size = 1; size <= sizeof(stream); size++) {
		struct rpc_packets packets = {};
		struct seen seen = {};

		for (at = 0; at < sizeof(stream); at += size) {
			size_t len = sizeof(stream) - at;

			rpc_packets_feed(&packets, stream + at,
					 len < size ? len : size, note, &seen);
		}
		assert_stream_seen(&seen);
	}
}

static void test_a_packet_counts_when_it_is_whole(void **state)
{
	static const uint8_t orphaned[] = {HEADER(19, 18, 9), 1, 2};
	struct rpc_packets packets = {};
	struct seen seen = {};

	(void)state;
	rpc_packets_feed(&packets, orphaned, 17, note, &seen);
	assert_int_equal(seen.num, 0);
	rpc_packets_feed(&packets, orphaned + 17, 1, note, &seen);
	assert_int_equal(seen.num, 1);
}

static void test_numbers_of_the_other_byte_order(void **state)
{
	static const uint8_t big[] = {
		5, 0, 0,  3, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 1, 99,
		5, 0, 18, 3, 0, 0, 0, 0, 0, 16, 0, 0, 1, 2, 3, 4,
	};
	struct rpc_packets packets = {};
	struct seen seen = {};

	(void)state;
	rpc_packets_feed(&packets, big, sizeof(big), note, &seen);
	assert_int_equal(seen.num, 1);
	assert_int_equal(seen.call_ids[0], 0x01020304);
}

static void test_after_an_impossible_length_nothing_is_looked_at(void **state)
{
	static const uint8_t broken[] = {HEADER(0, 15, 1), HEADER(18, 16, 7)};
	static const uint8_t cancel[] = {HEADER(18, 15, 7)};
	struct rpc_packets packets = {};
	struct seen seen = {};

	(void)state;
	rpc_packets_feed(&packets, broken, sizeof(broken), note, &seen);
	rpc_packets_feed(&packets, stream, sizeof(stream), note, &seen);
	assert_int_equal(seen.num, 0);

	packets = (struct rpc_packets){};
	rpc_packets_feed(&packets, cancel, sizeof(cancel), note, &seen);
	assert_int_equal(seen.num, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_packets_are_found_in_pieces_of_any_size),
		leak_test(test_a_packet_counts_when_it_is_whole),
		leak_test(test_numbers_of_the_other_byte_order),
		leak_test(test_after_an_impossible_length_nothing_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
