/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The inbox of .DDR files, on a real directory and a real store. */

#include "tests/soap/configmgr_fixture.h"

#include "soap/inbox_files.h"

#include <sys/wait.h>

/* A discovery record in its frame, facts, section 6. */
static struct buf ddr(TALLOC_CTX *mem_ctx, const char *name)
{
	struct buf payload;
	struct buf file;

	buf_init(&payload, mem_ctx, 1 << 20);
	buf_printf(&payload,
		   "<System>\r\nBEGIN_PROPERTY\r\n"
		   "<8><Netbios Name><19><64><%s>\r\nEND_PROPERTY\r\n"
		   "BEGIN_PROPERTY\r\n<10><SMS Unique Identifier><19><64>"
		   "<GUID:01234567-89AB-CDEF-0123-456789ABCDEF>\r\n"
		   "END_PROPERTY\r\nBEGIN_PROPERTY\r\n"
		   "<16><IP Addresses><19><64>\r\nBEGIN_ARRAY_VALUES\r\n"
		   "<192.0.2.1><192.0.2.2>\r\nEND_ARRAY_VALUES\r\n"
		   "END_PROPERTY\r\n"
		   "AGENTINFO<MyAgent><ABC><11/21/2026 19:14:35>\r\nFEOF\r",
		   name);
	buf_init(&file, mem_ctx, 1 << 20);
	buf_put_u32(&file, 0x1E1F0001);
	buf_put_u32(&file, 0x56460000);
	buf_put_u32(&file, 0xB0);
	buf_put_u32(&file, (uint32_t)payload.len + 16);
	buf_put(&file, payload.data, payload.len);
	buf_put_u32(&file, 0x56460000);
	assert_int_equal(buf_error(&file), EVERR_OK);
	return file;
}

static char *path(struct mp_fixture *m, const char *name)
{
	return talloc_asprintf(m, "%s/inbox/%s", m->dir, name);
}

static void write_file(const char *name, const struct buf *data)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data->data, data->len), data->len);
	assert_int_equal(close(fd), 0);
}

/* Written elsewhere, then moved in: how it should be done. */
static void drop(struct mp_fixture *m, const char *name, const struct buf *data)
{
	char *outside = talloc_asprintf(m, "%s/outside", m->dir);

	write_file(outside, data);
	assert_int_equal(rename(outside, path(m, name)), 0);
}

static bool there(struct mp_fixture *m, const char *name)
{
	struct stat stat;

	return lstat(path(m, name), &stat) == 0;
}

/* Files of a directory. */
static size_t count(struct mp_fixture *m, const char *name)
{
	DIR *dir = opendir(path(m, name));
	struct dirent *entry = NULL;
	size_t num = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		num += entry->d_name[0] != '.';
	}
	closedir(dir);
	return num;
}

/* What NAME.reason.txt says. */
static char *reason(struct mp_fixture *m, const char *name)
{
	char *text = talloc_zero_array(m, char, 4096);
	int fd = open(path(m, name), O_RDONLY);

	assert_int_not_equal(fd, -1);
	assert_true(read(fd, text, 4095) > 0);
	close(fd);
	return text;
}

static struct mp_fixture *inbox_new(void **state)
{
	struct mp_fixture *m = mp_new(state);

	m->config.inbox = talloc_asprintf(m, "%s/inbox", m->dir);
	assert_int_equal(mkdir(m->config.inbox, 0700), 0);
	return m;
}

static struct mp_fixture *inbox_start(void **state)
{
	struct mp_fixture *m = inbox_new(state);

	mp_open(m);
	return m;
}

static size_t events(struct mp_fixture *m)
{
	return mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY_FILE);
}

/* ---------------------------------------------------------- good files */

static void test_a_file_moved_in_becomes_an_event(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");

	drop(m, "ABCDEFGH.DDR", &file);
	fixture_until(m->f, there(m, "done/ABCDEFGH.DDR"));
	assert_int_equal(events(m), 1);
	assert_false(there(m, "ABCDEFGH.DDR"));
	assert_int_equal(m->configmgr->inbox_counters.done, 1);
}

static void test_a_file_is_taken_when_its_writer_has_closed_it(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");
	struct buf other = ddr(m, "PC02");
	int fd = open(path(m, "slow.ddr"), O_WRONLY | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, file.data, 100), 100);
	/* Another one comes and goes meanwhile. */
	drop(m, "quick.DDR", &other);
	fixture_until(m->f, there(m, "done/quick.DDR"));
	assert_true(there(m, "slow.ddr"));
	assert_int_equal(events(m), 1);

	assert_int_equal(write(fd, file.data + 100, file.len - 100),
			 file.len - 100);
	assert_int_equal(close(fd), 0);
	fixture_until(m->f, there(m, "done/slow.ddr"));
	assert_int_equal(events(m), 2);
	assert_int_equal(m->configmgr->inbox_counters.bad, 0);
}

static void test_files_that_wait_are_taken_at_start(void **state)
{
	struct mp_fixture *m = inbox_new(state);
	char name[32];
	unsigned int i;

	for (i = 0; i < 50; i++) {
		struct buf file;

		snprintf(name, sizeof(name), "PC%u", i);
		file = ddr(m, name);
		snprintf(name, sizeof(name), "F%u.Ddr", i);
		write_file(path(m, name), &file);
		buf_free(&file);
	}
	write_file(path(m, "notes.txt"), &(struct buf){});
	mp_open(m);
	fixture_until(m->f, m->configmgr->inbox_counters.done == 50);
	assert_int_equal(events(m), 50);
	assert_true(there(m, "notes.txt"));
	assert_true(there(m, "done/F49.Ddr"));
}

static void test_one_name_twice_is_two_files(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf one = ddr(m, "PC01");
	struct buf two = ddr(m, "PC02");

	drop(m, "A.DDR", &one);
	fixture_until(m->f, there(m, "done/A.DDR"));
	drop(m, "A.DDR", &two);
	fixture_until(m->f, there(m, "done/A.DDR.1"));
	assert_int_equal(events(m), 2);
}

static void test_one_name_very_often_is_taken_all_the_same(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");
	unsigned int i;

	write_file(path(m, "done/A.DDR"), &file);
	for (i = 1; i <= 1000; i++) {
		char *name = talloc_asprintf(m, "done/A.DDR.%u", i);

		write_file(path(m, name), &file);
	}
	drop(m, "A.DDR", &file);
	fixture_until(m->f, m->configmgr->inbox_counters.done == 1);
	assert_false(there(m, "A.DDR"));
	assert_int_equal(m->configmgr->inbox_counters.failed, 0);
	assert_int_equal(count(m, "done"), 1002);
}

static void test_a_name_may_have_any_bytes(void **state)
{
	static const char name[] = "\xff\x01 <x>'\".DDR";
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");
	char *longer = talloc_zero_array(m, char, 256);

	drop(m, name, &file);
	fixture_until(m->f, !there(m, name));
	assert_true(there(m, "done/\xff\x01 <x>'\".DDR"));

	memset(longer, 'a', 251);
	memcpy(longer + 251, ".DDR", 4);
	drop(m, longer, &file);
	fixture_until(m->f, !there(m, longer));
	fixture_until(m->f, m->configmgr->inbox_counters.done == 2);
	assert_int_equal(events(m), 2);
}

/* ------------------------------------------------------------- crashes */

static void test_a_crash_before_the_move_makes_no_second_event(void **state)
{
	struct mp_fixture *m = inbox_new(state);
	struct buf file = ddr(m, "PC01");
	int status = -1;
	pid_t pid;

	write_file(path(m, "A.DDR"), &file);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		mp_open(m);
		fixture_until(m->f, events(m) > 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* As it was behind the commit, should the move have come first. */
	(void)rename(path(m, "done/A.DDR"), path(m, "A.DDR"));
	assert_true(there(m, "A.DDR"));
	mp_open(m);
	fixture_until(m->f, there(m, "done/A.DDR"));
	assert_int_equal(events(m), 1);
	assert_int_equal(m->configmgr->inbox_counters.again, 1);
	assert_int_equal(m->configmgr->inbox_counters.done, 0);
}

static void test_a_full_store_leaves_the_file_for_later(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");

	fixture_disk_set(m->f, 1);
	drop(m, "A.DDR", &file);
	fixture_until(m->f, m->configmgr->inbox_counters.deferred == 1);
	assert_true(there(m, "A.DDR"));
	assert_int_equal(events(m), 0);

	fixture_disk_set(m->f, UINT64_C(1) << 40);
	mp_reopen(m);
	fixture_until(m->f, there(m, "done/A.DDR"));
	assert_int_equal(events(m), 1);
}

/* ----------------------------------------------------------- bad files */

static void test_a_bad_file_is_put_aside_with_the_reason(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");
	struct buf good = ddr(m, "PC02");

	file.len -= 20;
	drop(m, "A.DDR", &file);
	file.len = 0;
	drop(m, "empty.DDR", &file);
	drop(m, "good.DDR", &good);
	fixture_until(m->f, there(m, "done/good.DDR") &&
				    there(m, "bad/empty.DDR.reason.txt"));
	assert_true(there(m, "bad/A.DDR"));
	assert_true(there(m, "bad/empty.DDR"));
	assert_true(strlen(reason(m, "bad/A.DDR.reason.txt")) > 5);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_FILE_REJECTED), 2);
	assert_int_equal(events(m), 1);
	assert_int_equal(m->configmgr->inbox_counters.bad, 2);
}

static void test_what_is_no_regular_file_is_not_read(void **state)
{
	struct mp_fixture *m = inbox_new(state);
	struct buf file = ddr(m, "PC01");
	char *secret = talloc_asprintf(m, "%s/secret", m->dir);

	write_file(secret, &file);
	assert_int_equal(symlink(secret, path(m, "link.DDR")), 0);
	assert_int_equal(mkfifo(path(m, "fifo.DDR"), 0600), 0);
	assert_int_equal(mkdir(path(m, "dir.DDR"), 0700), 0);
	mp_open(m);
	fixture_until(m->f, there(m, "bad/link.DDR.reason.txt") &&
				    there(m, "bad/fifo.DDR.reason.txt"));
	assert_true(there(m, "dir.DDR"));
	assert_int_equal(events(m), 0);
	assert_string_equal(reason(m, "bad/link.DDR.reason.txt"),
			    "it is not a regular file\n");
}

/* As if its writer had not touched it for long. */
static void make_old(int fd)
{
	const struct timespec times[2] = {{.tv_sec = 1000000000},
					  {.tv_sec = 1000000000}};

	assert_int_equal(futimens(fd, times), 0);
}

static void test_a_huge_file_is_not_read(void **state)
{
	struct mp_fixture *m = inbox_new(state);
	int fd = open(path(m, "huge.DDR"), O_WRONLY | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	make_old(fd);
	close(fd);
	mp_open(m);
	fixture_until(m->f, there(m, "bad/huge.DDR.reason.txt"));
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_FILE_REJECTED), 1);
	assert_non_null(strstr(reason(m, "bad/huge.DDR.reason.txt"), "1 MiB"));
}

static void test_a_large_file_that_is_being_written_is_left_alone(void **state)
{
	struct mp_fixture *m = inbox_new(state);
	struct buf good = ddr(m, "PC01");
	int fd = open(path(m, "large.DDR"), O_WRONLY | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 2 * INBOX_FILE_MAX), 0);
	mp_open(m);
	drop(m, "good.DDR", &good);
	fixture_until(m->f, there(m, "done/good.DDR"));
	mp_settle(m);
	assert_true(there(m, "large.DDR"));
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_FILE_REJECTED), 0);

	/* Nobody has written to it for long: a look finds it bad. */
	make_old(fd);
	fixture_until(m->f, there(m, "bad/large.DDR.reason.txt"));
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_FILE_REJECTED), 1);
	close(fd);
}

/* -------------------------------------------------------- directories */

static void test_missing_directories_are_made(void **state)
{
	struct mp_fixture *m = inbox_new(state);

	assert_int_equal(rmdir(m->config.inbox), 0);
	mp_open(m);
	assert_true(there(m, "done"));
	assert_true(there(m, "bad"));
}

static void test_directories_that_were_removed_are_made_again(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");

	assert_int_equal(rmdir(path(m, "done")), 0);
	drop(m, "A.DDR", &file);
	fixture_until(m->f, there(m, "done/A.DDR"));
	assert_int_equal(events(m), 1);
}

static void test_an_inbox_that_is_none_is_refused(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct configmgr_config other = m->config;
	struct buf file = ddr(m, "PC01");
	char *message = NULL;

	other.inbox = talloc_asprintf(m, "%s/file", m->dir);
	write_file(other.inbox, &file);
	assert_int_equal(configmgr_reload(m->configmgr, &other, &message),
			 EVERR_CONFIG);
	assert_non_null(strstr(message, other.inbox));

	/* done/ must not lead elsewhere. */
	other.inbox = talloc_asprintf(m, "%s/other", m->dir);
	assert_int_equal(mkdir(other.inbox, 0700), 0);
	assert_int_equal(
		symlink("/tmp", talloc_asprintf(m, "%s/done", other.inbox)), 0);
	assert_int_equal(configmgr_reload(m->configmgr, &other, &message),
			 EVERR_CONFIG);

	/* What was watched still is. */
	drop(m, "A.DDR", &file);
	fixture_until(m->f, there(m, "done/A.DDR"));
}

static void test_another_inbox_by_reload(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct configmgr_config other = m->config;
	struct buf file = ddr(m, "PC01");
	char *message = NULL;

	other.inbox = NULL;
	assert_int_equal(configmgr_reload(m->configmgr, &other, &message),
			 EVERR_OK);
	drop(m, "A.DDR", &file);
	assert_int_equal(configmgr_reload(m->configmgr, &m->config, &message),
			 EVERR_OK);
	fixture_until(m->f, there(m, "done/A.DDR"));
	assert_int_equal(events(m), 1);
}

static void test_a_reload_while_a_file_is_on_its_way(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct configmgr_config other = m->config;
	struct buf file = ddr(m, "PC01");
	char *message = NULL;

	other.inbox = NULL;
	drop(m, "A.DDR", &file);
	fixture_until(m->f, m->configmgr->flights != NULL);
	assert_int_equal(configmgr_reload(m->configmgr, &other, &message),
			 EVERR_OK);
	assert_int_equal(configmgr_reload(m->configmgr, &m->config, &message),
			 EVERR_OK);
	assert_int_equal(configmgr_reload(m->configmgr, &m->config, &message),
			 EVERR_OK);
	fixture_until(m->f, there(m, "done/A.DDR"));
	assert_int_equal(events(m), 1);

	/* A stop in that moment. */
	file = ddr(m, "PC02");
	drop(m, "B.DDR", &file);
	fixture_until(m->f, m->configmgr->flights != NULL);
	mp_reopen(m);
	fixture_until(m->f, there(m, "done/B.DDR"));
	assert_int_equal(events(m), 2);
}

static void test_an_inbox_that_was_exchanged_is_watched_again(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct buf file = ddr(m, "PC01");
	char *message = NULL;

	assert_int_equal(
		rename(m->config.inbox, talloc_asprintf(m, "%s/gone", m->dir)),
		0);
	assert_int_equal(mkdir(m->config.inbox, 0700), 0);
	assert_int_equal(configmgr_reload(m->configmgr, &m->config, &message),
			 EVERR_OK);
	drop(m, "A.DDR", &file);
	fixture_until(m->f, there(m, "done/A.DDR"));
}

static void test_old_files_are_removed(void **state)
{
	struct mp_fixture *m = inbox_start(state);
	struct inbox_dirs *dirs = NULL;
	char *message = NULL;
	char name[32];
	unsigned int i;

	assert_int_equal(inbox_dirs_open(m, m->config.inbox, &dirs, &message),
			 EVERR_OK);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "done/F%02u.DDR", i);
		write_file(path(m, name), &(struct buf){});
	}
	inbox_trim(dirs, INBOX_DONE, 20, 3600);
	assert_int_equal(count(m, "done"), 20);
	inbox_trim(dirs, INBOX_DONE, 5, 3600);
	assert_int_equal(count(m, "done"), 5);
	/* All of them are as old as this. */
	inbox_trim(dirs, INBOX_DONE, 5, 0);
	assert_int_equal(count(m, "done"), 0);
	talloc_free(dirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_file_moved_in_becomes_an_event),
		leak_test(test_a_file_is_taken_when_its_writer_has_closed_it),
		leak_test(test_files_that_wait_are_taken_at_start),
		leak_test(test_one_name_twice_is_two_files),
		leak_test(test_one_name_very_often_is_taken_all_the_same),
		leak_test(test_a_name_may_have_any_bytes),
		leak_test(test_a_crash_before_the_move_makes_no_second_event),
		leak_test(test_a_full_store_leaves_the_file_for_later),
		leak_test(test_a_bad_file_is_put_aside_with_the_reason),
		leak_test(test_what_is_no_regular_file_is_not_read),
		leak_test(test_a_huge_file_is_not_read),
		leak_test(
			test_a_large_file_that_is_being_written_is_left_alone),
		leak_test(test_missing_directories_are_made),
		leak_test(test_directories_that_were_removed_are_made_again),
		leak_test(test_an_inbox_that_is_none_is_refused),
		leak_test(test_another_inbox_by_reload),
		leak_test(test_a_reload_while_a_file_is_on_its_way),
		leak_test(test_an_inbox_that_was_exchanged_is_watched_again),
		leak_test(test_old_files_are_removed),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
