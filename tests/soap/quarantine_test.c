/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/text.h"
#include "base/wintime.h"
#include "soap/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A disk that stands still while a test holds it, or is full. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static bool disk_full;

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	bool full;

	pthread_mutex_lock(&disk);
	full = disk_full;
	pthread_mutex_unlock(&disk);
	if (full) {
		errno = ENOSPC;
		return -1;
	}
	return __real_renameat(from_dir, from, to_dir, to);
}

struct fixture {
	char dir[64];  /* with the quarantine in it */
	char path[80]; /* of the quarantine */
	struct quarantine_limits limits;
	struct quarantine *quarantine;
};

static void each_file(const char *path, void (*fn)(const char *file, void *p),
		      void *p)
{
	struct dirent *entry = NULL;
	DIR *dir = opendir(path);
	char file[512];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0) {
			snprintf(file, sizeof(file), "%s/%s", path,
				 entry->d_name);
			fn(file, p);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

static void remove_file(const char *file, void *p)
{
	(void)p;
	unlink(file);
}

static void count_file(const char *file, void *p)
{
	(void)file;
	++*(size_t *)p;
}

static size_t num_files(const struct fixture *f)
{
	size_t num = 0;

	each_file(f->path, count_file, &num);
	return num;
}

/* What was kept is on disk then. */
static void reopen(struct fixture *f)
{
	TALLOC_FREE(f->quarantine);
	assert_int_equal(
		quarantine_open(f, f->path, &f->limits, &f->quarantine),
		EVERR_OK);
}

static int fixture_destructor(struct fixture *f)
{
	TALLOC_FREE(f->quarantine);
	each_file(f->path, remove_file, NULL);
	rmdir(f->path);
	rmdir(f->dir);
	return 0;
}

static struct fixture *fixture(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	snprintf(f->dir, sizeof(f->dir), "/tmp/evenlog-quarantine-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/q", f->dir);
	quarantine_limits_default(&f->limits);
	talloc_set_destructor(f, fixture_destructor);
	reopen(f);
	return f;
}

static const char *keep(struct fixture *f, const char *reason, const void *data,
			size_t len)
{
	const struct quarantine_entry entry = {
		.source = "configmgr",
		.reason = reason,
		.complete = true,
		.received = 133449192000000000ULL,
	};
	char *name = NULL;

	assert_int_equal(
		quarantine_keep(f->quarantine, f, &entry, data, len, &name),
		EVERR_OK);
	return name;
}

static size_t list(struct fixture *f, struct quarantine_entry **entries)
{
	size_t num = 0;

	assert_int_equal(quarantine_list(f, f->quarantine, entries, &num),
			 EVERR_OK);
	return num;
}

static void put_file(const struct fixture *f, const char *name,
		     const char *text)
{
	char file[512];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", f->path, name);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool has_file(const struct fixture *f, const char *name)
{
	char file[512];

	snprintf(file, sizeof(file), "%s/%s", f->path, name);
	return access(file, F_OK) == 0;
}

static void test_what_is_kept_can_be_listed_and_read(void **state)
{
	const struct quarantine_entry want = {
		.source = "wsus",
		.reason = "no body",
		.peer = "192.0.2.7",
		.method = "POST",
		.path = "/ReportingWebService/ReportingWebService.asmx",
		.content_type = "text/xml",
		.soap_action = "\"x\"",
		.received = 133449192000000000ULL, /* 2023-11-20T... */
		.complete = true,
	};
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	struct quarantine_entry got;
	uint8_t *data = NULL;
	char *name = NULL;
	size_t len = 0;

	assert_int_equal(quarantine_keep(f->quarantine, f, &want,
					 (const uint8_t *)"a\0b", 3, &name),
			 EVERR_OK);
	assert_int_equal(list(f, &entries), 1);
	assert_string_equal(entries[0].name, name);
	assert_int_equal(
		quarantine_read(f, f->quarantine, name, &got, &data, &len),
		EVERR_OK);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 3);
	assert_string_equal(got.name, name);
	assert_string_equal(got.source, want.source);
	assert_string_equal(got.reason, want.reason);
	assert_string_equal(got.peer, want.peer);
	assert_string_equal(got.method, want.method);
	assert_string_equal(got.path, want.path);
	assert_string_equal(got.content_type, want.content_type);
	assert_string_equal(got.soap_action, want.soap_action);
	assert_int_equal(got.received, want.received);
	assert_int_equal(got.len, 3);
	assert_true(got.complete);
}

static void test_files_and_directory_are_the_services_alone(void **state)
{
	struct fixture *f = fixture(state);
	const char *name = keep(f, "r", "x", 1);
	char file[512];
	struct stat st;

	reopen(f);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(file, sizeof(file), "%s/%s.in", f->path, name);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_texts_that_are_not_known_stay_so(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;

	keep(f, NULL, NULL, 0);
	assert_int_equal(list(f, &entries), 1);
	assert_null(entries[0].reason);
	assert_null(entries[0].peer);
	assert_int_equal(entries[0].len, 0);
}

static void test_parts_are_read_one_by_one(void **state)
{
	struct fixture *f = fixture(state);
	const char *name = keep(f, "r", "abcdefg", 7);
	uint64_t total = 0;
	uint8_t *data = NULL;
	size_t len = 0;

	assert_int_equal(quarantine_read_part(f, f->quarantine, name, 2, 3,
					      &data, &len, &total),
			 EVERR_OK);
	assert_int_equal(total, 7);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "cde", 3);
	assert_int_equal(quarantine_read_part(f, f->quarantine, name, 5, 100,
					      &data, &len, &total),
			 EVERR_OK);
	assert_int_equal(len, 2);
	assert_memory_equal(data, "fg", 2);
	assert_int_equal(quarantine_read_part(f, f->quarantine, name,
					      UINT64_MAX, 100, &data, &len,
					      &total),
			 EVERR_OK);
	assert_int_equal(len, 0);
}

static void test_the_order_of_names_is_the_order_of_arrival(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	const char *names[20];
	struct quarantine_entry entry = {.name = ""};
	size_t i;

	for (i = 0; i < 20; i++) {
		names[i] = keep(f, "r", "x", 1);
		if (i == 9) {
			reopen(f);
		}
	}
	assert_int_equal(list(f, &entries), 20);
	for (i = 0; i < 20; i++) {
		assert_string_equal(entries[i].name, names[i]);
		assert_int_equal(
			quarantine_next(f, f->quarantine, entry.name, &entry),
			EVERR_OK);
		assert_string_equal(entry.name, names[i]);
	}
	assert_int_equal(quarantine_next(f, f->quarantine, entry.name, &entry),
			 EVERR_END);
}

static void test_the_oldest_go_when_there_are_too_many(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	struct quarantine_stats stats;
	const char *last = NULL;
	size_t i;

	f->limits.entries = 3;
	reopen(f);
	for (i = 0; i < 10; i++) {
		last = keep(f, "r", "x", 1);
	}
	assert_int_equal(list(f, &entries), 3);
	assert_string_equal(entries[2].name, last);
	quarantine_stats(f->quarantine, &stats);
	assert_int_equal(stats.kept, 10);
	assert_int_equal(stats.dropped, 7);
	assert_int_equal(stats.entries, 3);
	reopen(f);
	assert_int_equal(num_files(f), 6);
}

static void test_the_oldest_go_when_they_are_too_large(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	struct quarantine_stats stats;
	uint8_t data[1000] = {0};
	size_t i;

	f->limits.bytes = 5000;
	f->limits.entry_bytes = 1000;
	reopen(f);
	for (i = 0; i < 10; i++) {
		keep(f, "r", data, sizeof(data));
		quarantine_stats(f->quarantine, &stats);
		assert_true(stats.bytes <= 5000);
	}
	/* Their descriptions count as well. */
	assert_in_range(list(f, &entries), 3, 4);
}

static void test_a_large_one_is_cut_and_says_so(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry entry;
	uint8_t *data = NULL;
	size_t len = 0;

	f->limits.entry_bytes = 4;
	reopen(f);
	assert_int_equal(quarantine_read(f, f->quarantine,
					 keep(f, "r", "12345", 5), &entry,
					 &data, &len),
			 EVERR_OK);
	assert_int_equal(len, 4);
	assert_int_equal(entry.len, 5);
	assert_false(entry.complete);

	assert_int_equal(quarantine_read(f, f->quarantine,
					 keep(f, "r", "1234", 4), &entry, &data,
					 &len),
			 EVERR_OK);
	assert_true(entry.complete);
}

static void test_one_is_not_larger_than_all_may_be(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry entry;
	uint8_t *data = NULL;
	size_t len = 0;

	f->limits.bytes = 4;
	reopen(f);
	assert_int_equal(quarantine_read(f, f->quarantine,
					 keep(f, "r", "12345", 5), &entry,
					 &data, &len),
			 EVERR_OK);
	assert_int_equal(len, 4);
	assert_false(entry.complete);
}

static void test_entries_found_at_the_start_are_counted(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_stats before, after;

	keep(f, "one", "x", 1);
	keep(f, "two", "yy", 2);
	quarantine_stats(f->quarantine, &before);
	reopen(f);
	quarantine_stats(f->quarantine, &after);
	assert_int_equal(after.entries, 2);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(after.kept, 0);

	/* The limit holds for them, too. */
	f->limits.entries = 2;
	reopen(f);
	keep(f, "three", "zzz", 3);
	quarantine_stats(f->quarantine, &after);
	assert_int_equal(after.entries, 2);
	assert_int_equal(after.dropped, 1);
}

#define A_NAME "20231114T221320000000-0001-0123abcd"

static void test_what_a_crash_left_goes_at_the_start(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;

	keep(f, "whole", "x", 1);
	put_file(f, ".new-" A_NAME ".in", "half");
	put_file(f, ".new-" A_NAME ".json", "{");
	put_file(f, A_NAME ".in", "without its description");
	put_file(f, "20231114T221320000001-0001-0123abcd.json", "{}");
	reopen(f);
	assert_int_equal(list(f, &entries), 1);
	assert_string_equal(entries[0].reason, "whole");
	assert_int_equal(num_files(f), 2);
}

/* As a file system leaves it when the power fails: too short, or empty. */
static void test_what_never_reached_the_disk_goes_at_the_start(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	const char *cut = keep(f, "cut", "12345", 5);
	const char *empty = keep(f, "empty", "12345", 5);

	keep(f, "whole", "12345", 5);
	keep(f, "nothing", NULL, 0);
	reopen(f);
	put_file(f, talloc_asprintf(f, "%s.in", cut), "1234");
	put_file(f, talloc_asprintf(f, "%s.json", empty), "");
	reopen(f);
	assert_int_equal(list(f, &entries), 2);
	assert_string_equal(entries[0].reason, "whole");
	assert_string_equal(entries[1].reason, "nothing");
	assert_int_equal(num_files(f), 4);
}

/* They are named to the thread faster than any disk takes them. */
static void test_many_at_once_are_all_there_when_it_is_closed(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	int i;

	for (i = 0; i < 600; i++) {
		keep(f, "r", "x", 1);
	}
	assert_int_equal(list(f, &entries), 600);
	reopen(f);
	assert_int_equal(list(f, &entries), 600);
}

static void test_an_entry_is_there_before_the_disk_has_it(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	struct quarantine_entry entry = {.name = ""};
	struct quarantine_stats stats;
	const char *first = NULL, *second = NULL;
	uint64_t total = 0;
	uint8_t *data = NULL;
	size_t len = 0;

	pthread_mutex_lock(&disk);
	first = keep(f, "one", "abcdef", 6);
	second = keep(f, "two", "x", 1);
	assert_int_equal(list(f, &entries), 2);
	assert_string_equal(entries[0].name, first);
	assert_string_equal(entries[0].reason, "one");
	assert_int_equal(quarantine_next(f, f->quarantine, first, &entry),
			 EVERR_OK);
	assert_string_equal(entry.name, second);
	assert_int_equal(
		quarantine_read(f, f->quarantine, first, &entry, &data, &len),
		EVERR_OK);
	assert_int_equal(len, 6);
	assert_memory_equal(data, "abcdef", 6);
	assert_true(entry.complete);
	assert_int_equal(quarantine_read_part(f, f->quarantine, first, 4, 9,
					      &data, &len, &total),
			 EVERR_OK);
	assert_int_equal(len, 2);
	assert_int_equal(total, 6);
	assert_memory_equal(data, "ef", 2);

	assert_int_equal(quarantine_remove(f->quarantine, second), EVERR_OK);
	assert_int_equal(quarantine_remove(f->quarantine, second),
			 EVERR_NOT_FOUND);
	assert_int_equal(quarantine_find(f, f->quarantine, second, &entry),
			 EVERR_NOT_FOUND);
	assert_int_equal(list(f, &entries), 1);
	quarantine_stats(f->quarantine, &stats);
	assert_int_equal(stats.entries, 1);
	pthread_mutex_unlock(&disk);

	reopen(f);
	assert_int_equal(list(f, &entries), 1);
	assert_string_equal(entries[0].name, first);
	assert_int_equal(num_files(f), 2);
}

static void test_the_oldest_go_before_the_disk_has_them(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	const char *last = NULL;
	int i;

	f->limits.entries = 2;
	reopen(f);
	pthread_mutex_lock(&disk);
	for (i = 0; i < 5; i++) {
		last = keep(f, "r", "x", 1);
	}
	assert_int_equal(list(f, &entries), 2);
	pthread_mutex_unlock(&disk);
	reopen(f);
	assert_int_equal(list(f, &entries), 2);
	assert_string_equal(entries[1].name, last);
	assert_int_equal(num_files(f), 4);
}

static void test_what_waits_for_the_disk_has_a_limit(void **state)
{
	const struct quarantine_entry entry = {.source = "wsus"};
	const size_t len = 8 * 1024 * 1024;
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	struct quarantine_stats stats;
	uint8_t *data = calloc(1, len);
	everr_t err = EVERR_OK;
	char *name = NULL;
	size_t num = 0;

	pthread_mutex_lock(&disk);
	while (err == EVERR_OK && num < 100) {
		err = quarantine_keep(f->quarantine, f, &entry, data, len,
				      &name);
		num += err == EVERR_OK ? 1 : 0;
	}
	free(data);
	assert_int_equal(err, EVERR_LIMIT);
	assert_int_equal(num, 4);
	quarantine_stats(f->quarantine, &stats);
	assert_int_equal(stats.entries, 4);
	assert_int_equal(stats.kept, 4);
	assert_int_equal(stats.lost, 1);
	pthread_mutex_unlock(&disk);

	reopen(f);
	assert_int_equal(list(f, &entries), 4);
	keep(f, "again", "x", 1);
}

static void test_what_cannot_be_written_is_counted_as_lost(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	struct quarantine_stats stats = {.lost = 0};

	pthread_mutex_lock(&disk);
	disk_full = true;
	pthread_mutex_unlock(&disk);
	keep(f, "r", "x", 1);
	while (stats.lost == 0) {
		quarantine_stats(f->quarantine, &stats);
	}
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	assert_int_equal(num_files(f), 0);

	pthread_mutex_lock(&disk);
	disk_full = false;
	pthread_mutex_unlock(&disk);
	keep(f, "two", "x", 1);
	assert_int_equal(list(f, &entries), 1);
	assert_string_equal(entries[0].reason, "two");
}

static void test_files_of_others_are_left_alone(void **state)
{
	static const char *const others[] = {
		"README",
		A_NAME ".in.bak",
		A_NAME,
		".new-x",
		"x.json",
		"x.in",
		A_NAME "0.in",
		A_NAME ".txt",
		"20231114T221320000000-0001-0123ABCD.in",
	};
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	size_t i;

	f->limits.entries = 1;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		put_file(f, others[i], "mine");
	}
	reopen(f);
	keep(f, "one", "x", 1);
	keep(f, "two", "x", 1);
	assert_int_equal(list(f, &entries), 1);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_true(has_file(f, others[i]));
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char file[512];

		snprintf(file, sizeof(file), "%s/%s", f->path, others[i]);
		unlink(file);
	}
}

static void test_a_name_that_none_can_have_is_not_found(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		"../q/" A_NAME,
		"/etc/passwd",
		A_NAME "/",
		A_NAME ".in",
		"20231114T221320000000-0001-0123abc",
		"20231114T221320000000-0001-0123abc/",
		"20231114T221320000000-0001-0123ABCD",
		A_NAME, /* well-formed, and not there */
	};
	struct fixture *f = fixture(state);
	struct quarantine_entry entry;
	uint64_t total = 0;
	uint8_t *data = NULL;
	size_t len = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(quarantine_read(f, f->quarantine, names[i],
						 &entry, &data, &len),
				 EVERR_NOT_FOUND);
		assert_int_equal(quarantine_read_part(f, f->quarantine,
						      names[i], 0, 1, &data,
						      &len, &total),
				 EVERR_NOT_FOUND);
		assert_int_equal(quarantine_remove(f->quarantine, names[i]),
				 EVERR_NOT_FOUND);
	}
}

static void test_an_entry_is_removed_once(void **state)
{
	struct fixture *f = fixture(state);
	const char *name = keep(f, "r", "x", 1);
	struct quarantine_stats stats;

	reopen(f);
	assert_int_equal(quarantine_remove(f->quarantine, name), EVERR_OK);
	assert_int_equal(num_files(f), 0);
	quarantine_stats(f->quarantine, &stats);
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	assert_int_equal(quarantine_remove(f->quarantine, name),
			 EVERR_NOT_FOUND);
}

static void test_a_person_may_empty_the_directory(void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	const char *name = keep(f, "one", "x", 1);
	struct quarantine_entry entry;
	uint8_t *data = NULL;
	size_t len = 0;

	reopen(f);
	each_file(f->path, remove_file, NULL);
	assert_int_equal(
		quarantine_read(f, f->quarantine, name, &entry, &data, &len),
		EVERR_NOT_FOUND);
	assert_int_equal(list(f, &entries), 0);

	/* Or take it away: the next one makes it again. */
	assert_int_equal(rmdir(f->path), 0);
	keep(f, "two", "x", 1);
	assert_int_equal(list(f, &entries), 1);
	assert_string_equal(entries[0].reason, "two");
}

static void test_texts_from_outside_cannot_spoil_the_description(void **state)
{
	/* Cut in the middle of a character, overlong, a surrogate, controls. */
	static const char *const texts[] = {
		"caf\xC3",	"\xC0\xAF",	    "\xED\xA0\x80",
		"\xFF\xFE\xFD", "\x1b[2Jgone\r\n",  "\"},{\"source\":\"x",
		"../../etc",	"\xF5\x80\x80\x80", "ok \xE2\x82\xAC",
	};
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	char *longer = NULL;
	size_t num = sizeof(texts) / sizeof(texts[0]);
	size_t i;

	for (i = 0; i < num; i++) {
		keep(f, texts[i], "x", 1);
	}
	longer = talloc_zero_size(f, 1000001);
	memset(longer, 0x80, 1000000);
	keep(f, longer, "x", 1);
	memset(longer, 'y', 1000000);
	keep(f, longer, "x", 1);

	assert_int_equal(list(f, &entries), num + 2);
	for (i = 0; i < num + 2; i++) {
		assert_string_equal(entries[i].source, "configmgr");
		assert_true(text_utf8_valid(entries[i].reason,
					    strlen(entries[i].reason)));
		assert_true(strlen(entries[i].reason) < 4096);
	}
	assert_string_equal(entries[0].reason, "caf\xEF\xBF\xBD");
	assert_string_equal(entries[4].reason, texts[4]);
	assert_string_equal(entries[5].reason, texts[5]);
	assert_string_equal(entries[8].reason, texts[8]);
	/* A cut is seen. */
	assert_string_equal(entries[num + 1].reason +
				    strlen(entries[num + 1].reason) - 3,
			    "\xE2\x80\xA6");
}

static void test_a_damaged_description_is_listed_and_cannot_be_retried(
	void **state)
{
	static const char *const damaged[] = {"", "{", "[]", "\xFF", "null"};
	struct fixture *f = fixture(state);
	struct quarantine_entry *entries = NULL;
	const char *name = keep(f, "r", "x", 1);
	char file[64];
	size_t i;

	reopen(f);
	snprintf(file, sizeof(file), "%s.json", name);
	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put_file(f, file, damaged[i]);
		assert_int_equal(list(f, &entries), 1);
		assert_string_equal(entries[0].reason,
				    "its description cannot be read");
		assert_false(entries[0].complete);
	}
}

static void test_a_link_or_a_pipe_in_the_place_of_a_file_is_not_followed(
	void **state)
{
	struct fixture *f = fixture(state);
	struct quarantine_entry entry;
	uint8_t *data = NULL;
	char file[512];
	size_t len = 0;
	const char *name = keep(f, "r", "x", 1);

	reopen(f);
	snprintf(file, sizeof(file), "%s/%s.in", f->path, name);
	unlink(file);
	assert_int_equal(symlink("/etc/passwd", file), 0);
	assert_int_not_equal(
		quarantine_read(f, f->quarantine, name, &entry, &data, &len),
		EVERR_OK);
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(
		quarantine_read(f, f->quarantine, name, &entry, &data, &len),
		EVERR_NOT_FOUND);
}

static void test_a_directory_that_cannot_be_made_is_an_error(void **state)
{
	struct quarantine *quarantine = NULL;
	struct quarantine_limits limits;

	quarantine_limits_default(&limits);
	assert_int_equal(quarantine_open(*state, "/nonexistent/a/b", &limits,
					 &quarantine),
			 EVERR_IO);
	assert_null(quarantine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_is_kept_can_be_listed_and_read),
		leak_test(test_files_and_directory_are_the_services_alone),
		leak_test(test_texts_that_are_not_known_stay_so),
		leak_test(test_parts_are_read_one_by_one),
		leak_test(test_the_order_of_names_is_the_order_of_arrival),
		leak_test(test_the_oldest_go_when_there_are_too_many),
		leak_test(test_the_oldest_go_when_they_are_too_large),
		leak_test(test_a_large_one_is_cut_and_says_so),
		leak_test(test_one_is_not_larger_than_all_may_be),
		leak_test(test_entries_found_at_the_start_are_counted),
		leak_test(test_what_a_crash_left_goes_at_the_start),
		leak_test(test_what_never_reached_the_disk_goes_at_the_start),
		leak_test(test_many_at_once_are_all_there_when_it_is_closed),
		leak_test(test_an_entry_is_there_before_the_disk_has_it),
		leak_test(test_the_oldest_go_before_the_disk_has_them),
		leak_test(test_what_waits_for_the_disk_has_a_limit),
		leak_test(test_what_cannot_be_written_is_counted_as_lost),
		leak_test(test_files_of_others_are_left_alone),
		leak_test(test_a_name_that_none_can_have_is_not_found),
		leak_test(test_an_entry_is_removed_once),
		leak_test(test_a_person_may_empty_the_directory),
		leak_test(test_texts_from_outside_cannot_spoil_the_description),
		leak_test(
			test_a_damaged_description_is_listed_and_cannot_be_retried),
		leak_test(
			test_a_link_or_a_pipe_in_the_place_of_a_file_is_not_followed),
		leak_test(test_a_directory_that_cannot_be_made_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
