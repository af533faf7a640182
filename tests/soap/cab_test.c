/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Cabinets, judged by cabextract. */

#include "tests/leak.h"

#include "soap/cab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_MAX (8 * 1024 * 1024)

struct place {
	char dir[64];
	char cab[96];
	char file[96];
};

static void place_init(struct place *place)
{
	snprintf(place->dir, sizeof(place->dir), "/tmp/evenlog-cab.XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->cab, sizeof(place->cab), "%s/x.cab", place->dir);
	snprintf(place->file, sizeof(place->file), "%s/blob", place->dir);
}

static void place_remove(const struct place *place)
{
	unlink(place->cab);
	unlink(place->file);
	assert_int_equal(rmdir(place->dir), 0);
}

static void write_file(const char *path, const struct buf *data)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data->data, data->len), data->len);
	close(fd);
}

static int extract(const struct place *place)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("cabextract", "cabextract", "-q", "-d", place->dir,
		       place->cab, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_file_is(const char *path, const uint8_t *data, size_t len)
{
	uint8_t *found = malloc(len + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 1;

	assert_true(fd >= 0);
	while (n > 0) {
		n = read(fd, found + have, len + 1 - have);
		assert_true(n >= 0);
		have += (size_t)n;
	}
	close(fd);
	assert_int_equal(have, len);
	assert_memory_equal(found, data, len);
	free(found);
}

static void round_trip(TALLOC_CTX *mem_ctx, size_t len)
{
	uint8_t *data = talloc_array(mem_ctx, uint8_t, len + 1);
	struct place place;
	struct buf cab;
	uint32_t x = 12345;
	size_t i;

	for (i = 0; i < len; i++) {
		/* Bytes of 0xE8 as well, which LZX can translate. */
		x = x * 1103515245 + 12345;
		data[i] = i % 7 == 0 ? 0xE8 : (uint8_t)(x >> 16);
	}
	buf_init(&cab, mem_ctx, OUT_MAX);
	assert_int_equal(cab_write(&cab, "blob", data, len), EVERR_OK);
	place_init(&place);
	write_file(place.cab, &cab);
	assert_int_equal(extract(&place), 0);
	assert_file_is(place.file, data, len);
	place_remove(&place);
	buf_free(&cab);
	talloc_free(data);
}

static void test_cabextract_gives_back_every_byte(void **state)
{
	static const size_t lens[] = {1,      2,       3,	10,	5122,
				      32766,  32767,   32768,	32769,	32770,
				      65535,  65536,   65537,	98304,	98305,
				      400001, 2097152, 2097153, 3000000};
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		round_trip(*state, lens[i]);
	}
}

static void test_the_header_is_that_of_windows(void **state)
{
	/* From a cabinet of Windows; sizes, checksum and data differ. */
	static const uint8_t head[] = {'M', 'S', 'C', 'F', 0, 0, 0, 0};
	static const uint8_t version[] = {3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
	uint8_t data[100] = {};
	struct buf cab;

	buf_init(&cab, *state, OUT_MAX);
	assert_int_equal(cab_write(&cab, "blob", data, sizeof(data)), EVERR_OK);
	assert_memory_equal(cab.data, head, sizeof(head));
	assert_int_equal(le32_get(cab.data + 8), cab.len);
	assert_int_equal(le32_get(cab.data + 16), 44);
	assert_memory_equal(cab.data + 24, version, sizeof(version));
	assert_int_equal(le32_get(cab.data + 36), 65);
	assert_int_equal(le16_get(cab.data + 40), 1);
	assert_int_equal(le16_get(cab.data + 42), 0x1503);
	assert_int_equal(le32_get(cab.data + 44), sizeof(data));
	assert_string_equal((const char *)cab.data + 60, "blob");
	buf_free(&cab);
}

static void test_a_damaged_cabinet_is_refused(void **state)
{
	uint8_t data[1000] = {1, 2, 3};
	struct place place;
	struct buf cab;

	buf_init(&cab, *state, OUT_MAX);
	assert_int_equal(cab_write(&cab, "blob", data, sizeof(data)), EVERR_OK);
	/* So the checksum that is there is looked at, and right. */
	cab.data[cab.len - 1] ^= 1;
	place_init(&place);
	write_file(place.cab, &cab);
	assert_int_not_equal(extract(&place), 0);
	place_remove(&place);
	buf_free(&cab);
}

static void test_the_buffers_limit_is_kept(void **state)
{
	uint8_t data[1000] = {};
	struct buf cab;

	buf_init(&cab, *state, 500);
	assert_int_equal(cab_write(&cab, "blob", data, sizeof(data)),
			 EVERR_LIMIT);
	buf_free(&cab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_cabextract_gives_back_every_byte),
		leak_test(test_the_header_is_that_of_windows),
		leak_test(test_a_damaged_cabinet_is_refused),
		leak_test(test_the_buffers_limit_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
