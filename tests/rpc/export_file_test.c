/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The file of an export on disk: there whole or not at all, under the export
 * directory or nowhere.
 */

#include "tests/leak.h"

#include "rpc/export_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct tevent_context *ev;
	char *top;  /* everything */
	char *root; /* the export directory, in it */
	struct rpc_export_place place;
	struct rpc_export_file *file;
};

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int fixture_destructor(struct fixture *f)
{
	TALLOC_FREE(f->file);
	nftw(f->top, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static struct fixture *fixture_new(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->ev = tevent_context_init(f);
	f->top = talloc_asprintf(f, "%s/evenlog-export-XXXXXX",
				 tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->top));
	f->root = talloc_asprintf(f, "%s/export", f->top);
	talloc_set_destructor(f, fixture_destructor);
	assert_int_equal(rpc_export_clean(f->root), EVERR_OK);
	f->place = (struct rpc_export_place){
		.directory = f->root,
		.max_bytes = UINT64_MAX / 2,
	};
	return f;
}

static char *under(struct fixture *f, const char *path)
{
	return talloc_asprintf(f, "%s/%s", f->root, path);
}

static void woken(void *private_data)
{
	(void)private_data;
}

static void begin(struct fixture *f, const char *text)
{
	struct rpc_export_path *path = NULL;

	assert_int_equal(rpc_export_path_parse(f, text, &path), EVERR_OK);
	assert_int_equal(rpc_export_file_create(f, f->ev, &f->place, path,
						woken, f, &f->file),
			 EVERR_OK);
	TALLOC_FREE(path);
}

static void late(struct tevent_context *ev, struct tevent_timer *te,
		 struct timeval now, void *private_data)
{
	(void)ev;
	(void)te;
	(void)now;
	(void)private_data;
	fail_msg("half a minute has passed");
}

/* Until there is more to be done than to wait. */
static enum rpc_export_state wait_state(struct fixture *f, everr_t *ret_err)
{
	struct tevent_timer *te = NULL;
	enum rpc_export_state state;

	te = tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(30, 0), late,
			      NULL);
	while ((state = rpc_export_file_state(f->file, ret_err)) ==
	       RPC_EXPORT_WAIT) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	TALLOC_FREE(te);
	return state;
}

/* Chunks filled with their number, from 'a'. */
static everr_t write_chunks(struct fixture *f, unsigned int num)
{
	uint8_t chunk[EVENT_EVTX_CHUNK_SIZE];
	uint8_t header[EVENT_EVTX_HEADER_SIZE];
	enum rpc_export_state state;
	everr_t err = EVERR_OK;
	unsigned int i;

	for (i = 0; i < num; i++) {
		state = wait_state(f, &err);
		if (state != RPC_EXPORT_ROOM) {
			assert_int_equal(state, RPC_EXPORT_FAILED);
			return err;
		}
		memset(chunk, 'a' + (int)i % 26, sizeof(chunk));
		assert_int_equal(rpc_export_file_put(f->file, chunk), EVERR_OK);
	}
	state = wait_state(f, &err);
	if (state == RPC_EXPORT_FAILED) {
		return err;
	}
	memset(header, 'H', sizeof(header));
	rpc_export_file_finish(f->file, header);
	state = wait_state(f, &err);
	return state == RPC_EXPORT_DONE ? EVERR_OK : err;
}

/* One export from begin to end. */
static everr_t export_to(struct fixture *f, const char *path, unsigned int num)
{
	everr_t err;

	begin(f, path);
	err = write_chunks(f, num);
	rpc_export_file_keep(f->file, err == EVERR_OK);
	TALLOC_FREE(f->file);
	return err;
}

static unsigned int num_files;
static int count_entry(const char *path, const struct stat *st, int type,
		       struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	(void)ftw;
	num_files++;
	return 0;
}

/* Files, directories and links under the export directory, itself not. */
static unsigned int num_entries(struct fixture *f)
{
	num_files = 0;
	nftw(f->root, count_entry, 16, FTW_PHYS);
	return num_files - 1;
}

/* The thread takes back what it did a moment after the loop has said so. */
static void wait_until_empty(struct fixture *f, unsigned int but)
{
	unsigned int i;

	for (i = 0; num_entries(f) != but; i++) {
		assert_true(i < 30000);
		usleep(1000);
	}
}

static void put_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "old", 3), 3);
	close(fd);
}

/* ------------------------------------------------------------- success */

static void test_a_file_is_there_whole_with_its_directories(void **state)
{
	struct fixture *f = fixture_new(state);
	uint8_t data[EVENT_EVTX_HEADER_SIZE + 3 * EVENT_EVTX_CHUNK_SIZE + 1];
	mode_t before = umask(0077);
	struct stat st;
	int fd;

	assert_int_equal(export_to(f, "C:\\Backups\\app.evtx", 3), EVERR_OK);
	umask(before);
	fd = open(under(f, "C/Backups/app.evtx"), O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(read(fd, data, sizeof(data)), sizeof(data) - 1);
	close(fd);
	assert_int_equal(data[0], 'H');
	assert_int_equal(data[4095], 'H');
	assert_int_equal(data[4096], 'a');
	assert_int_equal(data[4096 + 65535], 'a');
	assert_int_equal(data[4096 + 65536], 'b');
	assert_int_equal(data[4096 + 3 * 65536 - 1], 'c');

	assert_int_equal(stat(under(f, "C/Backups/app.evtx"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat(under(f, "C/Backups"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(num_entries(f), 3);
}

static void test_many_chunks_pass_through_a_short_queue(void **state)
{
	struct fixture *f = fixture_new(state);
	struct stat st;

	assert_int_equal(export_to(f, "/big.evtx", 200), EVERR_OK);
	assert_int_equal(stat(under(f, "big.evtx"), &st), 0);
	assert_int_equal(st.st_size, 4096 + 200 * 65536);
}

static void test_two_files_share_a_directory(void **state)
{
	struct fixture *f = fixture_new(state);

	assert_int_equal(export_to(f, "/x/a.evtx", 1), EVERR_OK);
	assert_int_equal(export_to(f, "/x/b.evtx", 1), EVERR_OK);
	assert_int_equal(num_entries(f), 3);
}

/* ------------------------------------------------------------- refusal */

static void test_what_is_there_is_not_touched(void **state)
{
	struct fixture *f = fixture_new(state);
	struct stat st;

	put_file(under(f, "a.evtx"));
	assert_int_equal(mkdir(under(f, "dir.evtx"), 0700), 0);
	assert_int_equal(symlink("nowhere", under(f, "link.evtx")), 0);
	assert_int_equal(export_to(f, "/a.evtx", 1), EVERR_EXISTS);
	assert_int_equal(export_to(f, "/dir.evtx", 1), EVERR_EXISTS);
	assert_int_equal(export_to(f, "/link.evtx", 1), EVERR_EXISTS);
	assert_int_equal(stat(under(f, "a.evtx"), &st), 0);
	assert_int_equal(st.st_size, 3);
	wait_until_empty(f, 3);
}

/* Somebody takes the name while the export is at work. */
static void test_a_name_taken_meanwhile_is_not_overwritten(void **state)
{
	struct fixture *f = fixture_new(state);
	everr_t err = EVERR_OK;
	struct stat st;

	begin(f, "/x/a.evtx");
	assert_int_equal(wait_state(f, &err), RPC_EXPORT_ROOM);
	put_file(under(f, "x/a.evtx"));
	assert_int_equal(write_chunks(f, 2), EVERR_EXISTS);
	TALLOC_FREE(f->file);
	assert_int_equal(stat(under(f, "x/a.evtx"), &st), 0);
	assert_int_equal(st.st_size, 3);
	/* The directory is not empty, so it stays. */
	wait_until_empty(f, 2);
}

static void test_no_link_leads_out(void **state)
{
	struct fixture *f = fixture_new(state);
	char *outside = talloc_asprintf(f, "%s/outside", f->top);

	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(symlink(outside, under(f, "link")), 0);
	assert_int_equal(symlink("..", under(f, "up")), 0);
	assert_int_equal(symlink("/", under(f, "C")), 0);
	assert_int_equal(export_to(f, "/link/a.evtx", 1), EVERR_NOT_FOUND);
	assert_int_equal(export_to(f, "/link/b/a.evtx", 1), EVERR_NOT_FOUND);
	assert_int_equal(export_to(f, "/up/a.evtx", 1), EVERR_NOT_FOUND);
	assert_int_equal(export_to(f, "C:\\tmp\\a.evtx", 1), EVERR_NOT_FOUND);
	assert_int_equal(num_entries(f), 3);
	assert_int_equal(rmdir(outside), 0);
}

/*
 * A directory is replaced by a link while the export is at work: it goes on in
 * the directory it has open, and not where the link leads.
 */
static void test_a_link_that_comes_later_leads_nobody_astray(void **state)
{
	struct fixture *f = fixture_new(state);
	char *outside = talloc_asprintf(f, "%s/outside", f->top);
	everr_t err = EVERR_OK;

	assert_int_equal(mkdir(outside, 0700), 0);
	begin(f, "/x/y/a.evtx");
	assert_int_equal(wait_state(f, &err), RPC_EXPORT_ROOM);
	assert_int_equal(rename(under(f, "x/y"), under(f, "x/z")), 0);
	assert_int_equal(symlink(outside, under(f, "x/y")), 0);
	assert_int_equal(write_chunks(f, 2), EVERR_OK);
	rpc_export_file_keep(f->file, true);
	TALLOC_FREE(f->file);
	assert_int_equal(access(under(f, "x/z/a.evtx"), F_OK), 0);
	assert_int_equal(rmdir(outside), 0);
}

static void test_a_file_is_no_directory(void **state)
{
	struct fixture *f = fixture_new(state);

	put_file(under(f, "a"));
	assert_int_equal(export_to(f, "/a/b.evtx", 1), EVERR_NOT_FOUND);
	assert_int_equal(num_entries(f), 1);
}

static void test_a_missing_export_directory_is_told(void **state)
{
	struct fixture *f = fixture_new(state);

	f->place.directory = under(f, "missing");
	assert_int_equal(export_to(f, "/a.evtx", 1), EVERR_NOT_FOUND);
}

static void test_who_may_not_write_is_told(void **state)
{
	struct fixture *f = fixture_new(state);

	if (geteuid() == 0) {
		print_message("root may write everywhere: not tested\n");
		return;
	}
	assert_int_equal(chmod(f->root, 0500), 0);
	assert_int_equal(export_to(f, "/a.evtx", 1), EVERR_ACCESS);
	assert_int_equal(chmod(f->root, 0700), 0);
}

static void test_the_size_is_bounded(void **state)
{
	struct fixture *f = fixture_new(state);

	f->place.max_bytes = EVENT_EVTX_HEADER_SIZE + EVENT_EVTX_CHUNK_SIZE;
	assert_int_equal(export_to(f, "/x/a.evtx", 1), EVERR_OK);
	assert_int_equal(export_to(f, "/y/b.evtx", 2), EVERR_LIMIT);
	wait_until_empty(f, 2);
}

static void test_the_reserve_of_the_disk_is_left(void **state)
{
	struct fixture *f = fixture_new(state);

	f->place.reserve = UINT64_MAX / 2;
	assert_int_equal(export_to(f, "/x/y/a.evtx", 1), EVERR_STORE_FULL);
	wait_until_empty(f, 0);
}

/* /dev/full's file system has no room; a real one, as small as can be. */
static void test_a_full_disk_is_told_and_left_clean(void **state)
{
	struct fixture *f = fixture_new(state);
	char *command = NULL;
	everr_t err;

	command = talloc_asprintf(
		f, "mount -t tmpfs -o size=256k tmpfs %s 2>/dev/null", f->root);
	if (geteuid() != 0 || system(command) != 0) {
		print_message("nothing can be mounted here: not tested\n");
		return;
	}
	err = export_to(f, "/x/a.evtx", 20);
	wait_until_empty(f, 0);
	command = talloc_asprintf(f, "umount %s", f->root);
	assert_int_equal(system(command), 0);
	assert_int_equal(err, EVERR_STORE_FULL);
}

/* ---------------------------------------------------------------- cancel */

static void test_what_is_given_up_leaves_nothing(void **state)
{
	struct fixture *f = fixture_new(state);
	uint8_t chunk[EVENT_EVTX_CHUNK_SIZE] = {};
	everr_t err = EVERR_OK;
	unsigned int num;

	/*
	 * At once, and after some chunks.  Each has directories of its own:
	 * one that is given up at once may not have begun when the next one
	 * does, which then finds the directories made and leaves them.
	 */
	for (num = 0; num < 20; num++) {
		char *path = talloc_asprintf(f, "/x%u/y/a.evtx", num);
		unsigned int i;

		begin(f, path);
		for (i = 0; i < num; i++) {
			assert_int_equal(wait_state(f, &err), RPC_EXPORT_ROOM);
			assert_int_equal(rpc_export_file_put(f->file, chunk),
					 EVERR_OK);
		}
		TALLOC_FREE(f->file);
		wait_until_empty(f, 0);
	}
}

static void test_a_done_file_that_is_not_kept_goes(void **state)
{
	struct fixture *f = fixture_new(state);

	begin(f, "/x/a.evtx");
	assert_int_equal(write_chunks(f, 3), EVERR_OK);
	assert_int_equal(access(under(f, "x/a.evtx"), F_OK), 0);
	TALLOC_FREE(f->file);
	wait_until_empty(f, 0);
}

/* Whenever that comes: during the sync, the renaming, before or after. */
static void test_giving_up_during_the_end_leaves_nothing(void **state)
{
	struct fixture *f = fixture_new(state);
	uint8_t header[EVENT_EVTX_HEADER_SIZE] = {};
	everr_t err = EVERR_OK;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		begin(f, "/x/a.evtx");
		assert_int_equal(wait_state(f, &err), RPC_EXPORT_ROOM);
		rpc_export_file_finish(f->file, header);
		usleep(i * 20);
		TALLOC_FREE(f->file);
		wait_until_empty(f, 0);
	}
}

/* ----------------------------------------------------------------- crash */

static void test_what_a_crash_leaves_is_removed_at_the_start(void **state)
{
	struct fixture *f = fixture_new(state);
	char *outside = talloc_asprintf(f, "%s/outside", f->top);
	char *kept =
		talloc_asprintf(f, "%s/.evenlog-0123456789abcdef.tmp", outside);

	assert_int_equal(mkdir(outside, 0700), 0);
	put_file(kept);
	assert_int_equal(symlink(outside, under(f, "link")), 0);
	assert_int_equal(mkdir(under(f, "x"), 0700), 0);
	assert_int_equal(mkdir(under(f, "x/y"), 0700), 0);
	put_file(under(f, ".evenlog-0123456789abcdef.tmp"));
	put_file(under(f, "x/y/.evenlog-fedcba9876543210.tmp"));
	/* None of ours. */
	put_file(under(f, "x/y/a.evtx"));
	put_file(under(f, "x/.evenlog-0123456789abcdef.evtx"));
	put_file(under(f, "x/.evenlog-0123456789abcde.tmp"));
	put_file(under(f, "x/evenlog-0123456789abcdef.tmp"));
	assert_int_equal(rpc_export_clean(f->root), EVERR_OK);
	assert_int_equal(num_entries(f), 7);
	assert_int_equal(access(kept, F_OK), 0);
}

static void test_the_export_directory_is_made(void **state)
{
	struct fixture *f = fixture_new(state);
	mode_t before = umask(0077);
	struct stat st;

	assert_int_equal(rpc_export_clean(under(f, "new")), EVERR_OK);
	umask(before);
	assert_int_equal(stat(under(f, "new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(rpc_export_clean(under(f, "new/a/b")),
			 EVERR_NOT_FOUND);
	put_file(under(f, "file"));
	assert_int_equal(rpc_export_clean(under(f, "file")), EVERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_file_is_there_whole_with_its_directories),
		leak_test(test_many_chunks_pass_through_a_short_queue),
		leak_test(test_two_files_share_a_directory),
		leak_test(test_what_is_there_is_not_touched),
		leak_test(test_a_name_taken_meanwhile_is_not_overwritten),
		leak_test(test_no_link_leads_out),
		leak_test(test_a_link_that_comes_later_leads_nobody_astray),
		leak_test(test_a_file_is_no_directory),
		leak_test(test_a_missing_export_directory_is_told),
		leak_test(test_who_may_not_write_is_told),
		leak_test(test_the_size_is_bounded),
		leak_test(test_the_reserve_of_the_disk_is_left),
		leak_test(test_a_full_disk_is_told_and_left_clean),
		leak_test(test_what_is_given_up_leaves_nothing),
		leak_test(test_a_done_file_that_is_not_kept_goes),
		leak_test(test_giving_up_during_the_end_leaves_nothing),
		leak_test(test_what_a_crash_leaves_is_removed_at_the_start),
		leak_test(test_the_export_directory_is_made),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests_name("export_file", tests, NULL, NULL);
}
