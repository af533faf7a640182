/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "forward/position.h"

#include <string.h>

static const uint8_t two[] = {
	'F',  'W',  'P',  '1',			 /* magic */
	0x15, 0xCD, 0x5B, 0x07, 0,   0, 0, 0,	 /* 123456789 */
	2,    0,    0,	  0,			 /* places */
	3,    0,    'A',  '/',	'b',		 /* name */
	0x05, 0,    0,	  0,	0,   0, 0, 0,	 /* 5 */
	2,    0,    0xC3, 0xA4,			 /* U+00E4 */
	0xFF, 0xFF, 0xFF, 0xFF, 0,   0, 0, 0x80, /* 0x80000000FFFFFFFF */
};

static void test_a_position_is_written_as_documented(void **state)
{
	struct forward_place places[] = {
		{.channel = "A/b", .id = 5},
		{.channel = "\xC3\xA4", .id = UINT64_C(0x80000000FFFFFFFF)},
	};
	const struct forward_position position = {
		.began = 123456789, .places = places, .num_places = 2};
	struct buf out;

	buf_init(&out, *state, 1024);
	assert_int_equal(forward_position_encode(&out, &position), EVERR_OK);
	assert_int_equal(out.len, sizeof(two));
	assert_memory_equal(out.data, two, sizeof(two));
}

static void test_a_position_is_read_back(void **state)
{
	struct forward_position *position = NULL;

	assert_int_equal(
		forward_position_decode(*state, two, sizeof(two), &position),
		EVERR_OK);
	assert_int_equal(position->began, 123456789);
	assert_int_equal(position->num_places, 2);
	assert_string_equal(position->places[0].channel, "A/b");
	assert_int_equal(position->places[0].id, 5);
	assert_string_equal(position->places[1].channel, "\xC3\xA4");
	assert_true(position->places[1].id == UINT64_C(0x80000000FFFFFFFF));
}

static void test_a_position_that_is_cut_anywhere_is_refused(void **state)
{
	struct forward_position *position = NULL;
	size_t len;

	for (len = 0; len < sizeof(two); len++) {
		uint8_t *copy = talloc_memdup(*state, two, len);

		assert_int_equal(
			forward_position_decode(*state, copy, len, &position),
			EVERR_INVALID);
		talloc_free(copy);
	}
	assert_null(position);
}

static void refused(void **state, size_t at, uint8_t value)
{
	struct forward_position *position = NULL;
	uint8_t bytes[sizeof(two)];

	memcpy(bytes, two, sizeof(two));
	bytes[at] = value;
	assert_int_equal(forward_position_decode(*state, bytes, sizeof(bytes),
						 &position),
			 EVERR_INVALID);
	assert_null(position);
}

static void test_damage_is_refused(void **state)
{
	refused(state, 0, 'X');	  /* magic */
	refused(state, 12, 1);	  /* bytes after the last place */
	refused(state, 12, 3);	  /* a place too many */
	refused(state, 15, 0xFF); /* four thousand million places */
	refused(state, 16, 0);	  /* no name */
	refused(state, 17, 0xFF); /* a name longer than all there is */
	refused(state, 19, '\0'); /* a NUL in a name */
	refused(state, 32, 0x41); /* not UTF-8 */
}

static void test_a_position_stays_within_a_state(void **state)
{
	char *name = talloc_zero_size(*state, FORWARD_PLACE_NAME_MAX + 1);
	struct forward_position position = {.num_places = 1100};
	struct buf out;
	size_t i;

	memset(name, 'n', FORWARD_PLACE_NAME_MAX);
	position.places = talloc_zero_array(*state, struct forward_place,
					    position.num_places);
	for (i = 0; i < position.num_places; i++) {
		position.places[i].channel = name;
	}
	buf_init(&out, *state, 4 * FORWARD_POSITION_MAX);
	assert_int_equal(forward_position_encode(&out, &position), EVERR_LIMIT);
	assert_int_equal(out.len, 0);
	position.num_places = 1000;
	assert_int_equal(forward_position_encode(&out, &position), EVERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_position_is_written_as_documented),
		leak_test(test_a_position_is_read_back),
		leak_test(test_a_position_that_is_cut_anywhere_is_refused),
		leak_test(test_damage_is_refused),
		leak_test(test_a_position_stays_within_a_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
