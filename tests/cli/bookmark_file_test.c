/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/bookmark_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/evenlog-bookmark-XXXXXX";
static char path[sizeof(dir) + 16];

static int make_dir(void **state)
{
	if (mkdtemp(dir) == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/mark", dir);
	return 0;
}

static int remove_dir(void **state)
{
	unlink(path);
	return rmdir(dir);
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_what_is_saved_is_loaded(void **state)
{
	struct event_bookmark bookmarks[] = {
		{"Application", 17, false},
		{"A & B/Operational", UINT64_MAX, true},
	};
	const struct event_bookmark_list list = {bookmarks, 2, false};
	struct event_bookmark_list *loaded = NULL;
	struct stat st;

	assert_int_equal(bookmark_file_save(path, &list), EVERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(bookmark_file_load(*state, path, &loaded), EVERR_OK);
	assert_int_equal(loaded->num_bookmarks, 2);
	assert_string_equal(loaded->bookmarks[0].channel, "Application");
	assert_int_equal(loaded->bookmarks[0].record_id, 17);
	assert_string_equal(loaded->bookmarks[1].channel, "A & B/Operational");
	assert_true(loaded->bookmarks[1].record_id == UINT64_MAX);
	assert_ptr_equal(event_bookmark_current(loaded), &loaded->bookmarks[1]);
}

static void test_saving_replaces_and_leaves_nothing_behind(void **state)
{
	struct event_bookmark bookmark = {"A", 1, true};
	const struct event_bookmark_list list = {&bookmark, 1, false};
	struct event_bookmark_list *loaded = NULL;

	assert_int_equal(bookmark_file_save(path, &list), EVERR_OK);
	bookmark.record_id = 2;
	assert_int_equal(bookmark_file_save(path, &list), EVERR_OK);
	assert_int_equal(bookmark_file_load(*state, path, &loaded), EVERR_OK);
	assert_int_equal(loaded->bookmarks[0].record_id, 2);
	/* Nothing else is in the directory: it goes with its one file. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static void test_a_failed_save_leaves_the_old_file(void **state)
{
	struct event_bookmark bookmark = {"A", 1, true};
	const struct event_bookmark_list list = {&bookmark, 1, false};
	char missing[sizeof(path) + 16];

	snprintf(missing, sizeof(missing), "%s/no/mark", dir);
	assert_int_equal(bookmark_file_save(missing, &list), EVERR_IO);
	assert_int_equal(errno, ENOENT);

	/* A directory in the way of the rename. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(bookmark_file_save(path, &list), EVERR_IO);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static void test_no_file_is_told_from_a_bad_one(void **state)
{
	struct event_bookmark_list *loaded = NULL;

	assert_int_equal(bookmark_file_load(*state, path, &loaded),
			 EVERR_NOT_FOUND);
	/* An empty file would otherwise mean "from now": events lost. */
	write_text("");
	assert_int_equal(bookmark_file_load(*state, path, &loaded),
			 EVERR_BOOKMARK_SYNTAX);
	write_text("<BookmarkList><Bookmark Channel='A'");
	assert_int_equal(bookmark_file_load(*state, path, &loaded),
			 EVERR_BOOKMARK_SYNTAX);
	assert_null(loaded);
	unlink(path);
}

static void test_a_file_of_windows_is_read(void **state)
{
	struct event_bookmark_list *loaded = NULL;

	write_text("<BookmarkList>\r\n  <Bookmark Channel='Security'"
		   " RecordId='123' IsCurrent='true'/>\r\n</BookmarkList>");
	assert_int_equal(bookmark_file_load(*state, path, &loaded), EVERR_OK);
	assert_string_equal(loaded->bookmarks[0].channel, "Security");
	assert_int_equal(loaded->bookmarks[0].record_id, 123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_is_saved_is_loaded),
		leak_test(test_saving_replaces_and_leaves_nothing_behind),
		leak_test(test_a_failed_save_leaves_the_old_file),
		leak_test(test_no_file_is_told_from_a_bad_one),
		leak_test(test_a_file_of_windows_is_read),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
