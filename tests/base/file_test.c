/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of its own, and the path of one file in it. */
struct fixture {
	char dir[32];
	char path[48];
};

static void make(struct fixture *f)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/evenlog.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/file", f->dir);
}

static void done(const struct fixture *f)
{
	if (unlink(f->path) != 0) {
		assert_int_equal(errno, ENOENT);
	}
	assert_int_equal(rmdir(f->dir), 0);
}

static void put(const struct fixture *f, const void *data, size_t len)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(file_write_all(fd, data, len));
	assert_int_equal(close(fd), 0);
}

static void test_what_was_written_is_read(void **state)
{
	static const char text[] = "first\nsec\0ond\n";
	struct fixture f;
	char *data = NULL;
	size_t len = 0;

	make(&f);
	put(&f, text, sizeof(text));
	assert_int_equal(file_read_all(*state, f.path, 100, &data, &len),
			 EVERR_OK);
	assert_int_equal(len, sizeof(text));
	assert_memory_equal(data, text, sizeof(text));
	assert_int_equal(data[len], '\0');
	done(&f);
}

static void test_an_empty_file_is_an_empty_string(void **state)
{
	struct fixture f;
	char *data = NULL;
	size_t len = 7;

	make(&f);
	put(&f, "", 0);
	assert_int_equal(file_read_all(*state, f.path, 0, &data, &len),
			 EVERR_OK);
	assert_int_equal(len, 0);
	assert_string_equal(data, "");
	done(&f);
}

/* Nothing is left behind, and the results are as they were. */
static void refused(void **state, const char *path, size_t max,
		    everr_t expected)
{
	size_t blocks = talloc_total_blocks(*state);
	char *data = NULL;
	size_t len = 7;

	assert_int_equal(file_read_all(*state, path, max, &data, &len),
			 expected);
	assert_null(data);
	assert_int_equal(len, 7);
	assert_int_equal(talloc_total_blocks(*state), blocks);
}

static void test_a_file_may_have_max_bytes_and_no_more(void **state)
{
	struct fixture f;
	char *data = NULL;
	size_t len = 0;

	make(&f);
	put(&f, "12345", 5);
	assert_int_equal(file_read_all(*state, f.path, 5, &data, &len),
			 EVERR_OK);
	assert_string_equal(data, "12345");
	refused(state, f.path, 4, EVERR_LIMIT);
	refused(state, f.path, 0, EVERR_LIMIT);
	done(&f);
}

static void test_a_missing_file_is_an_error_of_the_system(void **state)
{
	struct fixture f;

	make(&f);
	refused(state, f.path, 100, EVERR_IO);
	assert_int_equal(errno, ENOENT);
	done(&f);
}

/* A FIFO without a writer would be waited for. */
static void test_what_is_no_regular_file_is_refused_at_once(void **state)
{
	struct fixture f;

	make(&f);
	assert_int_equal(mkfifo(f.path, 0600), 0);
	refused(state, f.path, 100, EVERR_NOT_SUPPORTED);
	refused(state, f.dir, 100, EVERR_NOT_SUPPORTED);
	refused(state, "/dev/zero", 100, EVERR_NOT_SUPPORTED);
	done(&f);
}

/* ------------------------------------------------------------- writing */

/*
 * The limit cuts the first write() short; only one for what is left, from where
 * that one ended, is told of it.
 */
static void test_what_one_write_leaves_the_next_one_takes(void **state)
{
	struct rlimit old, low;
	struct fixture f;
	char *data = NULL;
	size_t len = 0;
	bool good;
	int fd, failed;

	make(&f);
	fd = open(f.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 6;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	good = file_write_all(fd, "0123456789", 10);
	failed = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	close(fd);

	assert_false(good);
	assert_int_equal(failed, EFBIG);
	assert_int_equal(file_read_all(*state, f.path, 100, &data, &len),
			 EVERR_OK);
	assert_string_equal(data, "012345");
	done(&f);
}

static void test_what_cannot_be_written_says_why(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_false(file_write_all(fd, "x", 1));
	assert_int_equal(errno, ENOSPC);
	assert_true(file_write_all(fd, "", 0));
	close(fd);
	assert_false(file_write_all(-1, "x", 1));
	assert_int_equal(errno, EBADF);
}

static void test_a_directory_can_be_made_to_last(void **state)
{
	struct fixture f;

	make(&f);
	assert_true(file_sync_directory(f.dir));
	assert_false(file_sync_directory(f.path));
	assert_int_equal(errno, ENOENT);
	put(&f, "x", 1);
	assert_false(file_sync_directory(f.path));
	assert_int_equal(errno, ENOTDIR);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_was_written_is_read),
		leak_test(test_an_empty_file_is_an_empty_string),
		leak_test(test_a_file_may_have_max_bytes_and_no_more),
		leak_test(test_a_missing_file_is_an_error_of_the_system),
		leak_test(test_what_is_no_regular_file_is_refused_at_once),
		leak_test(test_what_one_write_leaves_the_next_one_takes),
		leak_test(test_what_cannot_be_written_says_why),
		leak_test(test_a_directory_can_be_made_to_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
