/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "collect/mapper.h"

#include <string.h>

/* f6beaff7-1e19-4fbb-9f8f-b89e2018337c, [MS-EVEN6] 1.9. */
static const struct ev_guid even6 = {{0xf7, 0xaf, 0xbe, 0xf6, 0x19, 0x1e, 0xbb,
				      0x4f, 0x9f, 0x8f, 0xb8, 0x9e, 0x20, 0x18,
				      0x33, 0x7c}};

/*
 * Request and reply as impacket 0.10 writes them (ept_map, ept_mapResponse);
 * in the request its random referents and pad byte are made 1, 2 and 0.
 */
static const char request_hex[] =
	"0100000000000000000000000000000000000000020000004b0000004b000000"
	"050013000df7afbef6191ebb4f9f8fb89e2018337c01000200000013000d045d"
	"888aeb1cc9119fe808002b10486002000200000001000b020000000100070200"
	"0000010009040000000000000000000000000000000000000000000000000000"
	"01000000";
static const char reply_hex[] =
	"0000000000000000000000000000000000000000010000000100000000000000"
	"0100000060a600004b0000004b000000050013000df7afbef6191ebb4f9f8fb8"
	"9e2018337c01000200000013000d045d888aeb1cc9119fe808002b1048600200"
	"0200000001000b020000000100070200c20301000904007f000001bf00000000";
/* Where the reply has the tower's TCP floor identifier and its status. */
#define REPLY_TCP 109
#define REPLY_STATUS 124

static size_t from_hex(const char *hex, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = strlen(hex) / 2;
	size_t i;

	for (i = 0; i < len; i++) {
		size_t high = (size_t)(strchr(digits, hex[2 * i]) - digits);
		size_t low = (size_t)(strchr(digits, hex[2 * i + 1]) - digits);

		out[i] = (uint8_t)(high << 4 | low);
	}
	return len;
}

static void test_request_has_the_bytes_another_client_sends(void **state)
{
	uint8_t expected[256];
	size_t len = from_hex(request_hex, expected);
	struct buf out;

	buf_init(&out, *state, 1024);
	collect_mapper_request(&out, &even6, 1, 0);
	assert_int_equal(buf_error(&out), EVERR_OK);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, expected, len);
}

static void test_reply_gives_the_port(void **state)
{
	uint8_t reply[256];
	size_t len = from_hex(reply_hex, reply);
	uint16_t port = 0;

	assert_int_equal(collect_mapper_reply(reply, len, &port), EVERR_OK);
	assert_int_equal(port, 49667);
}

static void test_reply_without_tower_is_not_found(void **state)
{
	/* num_towers 0, array 0/0/0, status EPT_S_NOT_REGISTERED */
	uint8_t reply[40] = {0};
	uint16_t port = 7;

	le32_set(reply + 36, 0x16c9a0d6);
	assert_int_equal(collect_mapper_reply(reply, sizeof(reply), &port),
			 EVERR_NOT_FOUND);
	assert_int_equal(port, 7);
}

static void test_reply_with_error_status_is_not_found(void **state)
{
	uint8_t reply[256];
	size_t len = from_hex(reply_hex, reply);
	uint16_t port = 0;

	le32_set(reply + REPLY_STATUS, 0x16c9a0d6);
	assert_int_equal(collect_mapper_reply(reply, len, &port),
			 EVERR_NOT_FOUND);
}

static void test_reply_for_another_transport_is_not_found(void **state)
{
	uint8_t reply[256];
	size_t len = from_hex(reply_hex, reply);
	uint16_t port = 0;

	assert_int_equal(reply[REPLY_TCP], 0x07);
	reply[REPLY_TCP] = 0x0f; /* a named pipe's floor */
	assert_int_equal(collect_mapper_reply(reply, len, &port),
			 EVERR_NOT_FOUND);
}

static void test_reply_cut_anywhere_is_a_protocol_error(void **state)
{
	uint8_t reply[256];
	size_t len = from_hex(reply_hex, reply);
	size_t cut;

	for (cut = 0; cut < len; cut++) {
		/* An exact allocation, so that a read past it is seen. */
		uint8_t *copy = talloc_memdup(*state, reply, cut);
		uint16_t port = 0;

		assert_int_equal(collect_mapper_reply(copy, cut, &port),
				 EVERR_PROTOCOL);
		TALLOC_FREE(copy);
	}
}

static void test_reply_with_absurd_counts_is_a_protocol_error(void **state)
{
	static const size_t counts[] = {20, 32, 40, 44};
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint8_t reply[256];
		size_t len = from_hex(reply_hex, reply);
		uint16_t port = 0;

		le32_set(reply + counts[i], 0xffffffff);
		assert_int_equal(collect_mapper_reply(reply, len, &port),
				 EVERR_PROTOCOL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_request_has_the_bytes_another_client_sends),
		leak_test(test_reply_gives_the_port),
		leak_test(test_reply_without_tower_is_not_found),
		leak_test(test_reply_with_error_status_is_not_found),
		leak_test(test_reply_for_another_transport_is_not_found),
		leak_test(test_reply_cut_anywhere_is_a_protocol_error),
		leak_test(test_reply_with_absurd_counts_is_a_protocol_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
