/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_STORE_FIXTURE_H
#define EVENLOG_TESTS_STORE_FIXTURE_H

/*
 * A store in a directory of its own, events of our making, and requests that
 * are waited for.
 */

#include "tests/leak.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/wintime.h"
#include "event/build.h"
#include "store/internal.h"
#include "store/verify.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 2023-11-14T22:13:20Z */
#define FIXTURE_TIME UINT64_C(133444736000000000)

struct fixture {
	struct tevent_context *ev;
	char *path;
	struct store_options options;
	struct store_hooks hooks;
	struct store *store;
	uint64_t clock;	    /* atomic: the writer's thread reads it */
	uint64_t disk_free; /* atomic; 0: ask the system */
};

/* tevent keeps its list of backends for ever: not a leak of a test. */
static inline void fixture_prepare(void)
{
	talloc_free(tevent_context_init(NULL));
}

static inline uint64_t fixture_now(void *private_data)
{
	struct fixture *f = private_data;

	return __atomic_load_n(&f->clock, __ATOMIC_SEQ_CST);
}

static inline uint64_t fixture_disk_free(void *private_data)
{
	struct fixture *f = private_data;

	return __atomic_load_n(&f->disk_free, __ATOMIC_SEQ_CST);
}

static inline void fixture_clock_set(struct fixture *f, uint64_t clock)
{
	__atomic_store_n(&f->clock, clock, __ATOMIC_SEQ_CST);
}

static inline void fixture_disk_set(struct fixture *f, uint64_t disk_free)
{
	__atomic_store_n(&f->disk_free, disk_free, __ATOMIC_SEQ_CST);
}

static inline int fixture_destructor(struct fixture *f)
{
	struct dirent *entry = NULL;
	DIR *dir = NULL;

	TALLOC_FREE(f->store);
	dir = opendir(f->path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	rmdir(f->path);
	return 0;
}

static inline void fixture_open(struct fixture *f)
{
	assert_int_equal(
		store_open_hooked(f, f->ev, &f->options, &f->hooks, &f->store),
		EVERR_OK);
}

static inline void fixture_reopen(struct fixture *f)
{
	TALLOC_FREE(f->store);
	fixture_open(f);
}

/* Not open yet, so that options can be changed. */
static inline struct fixture *fixture_new(TALLOC_CTX *mem_ctx)
{
	struct fixture *f = talloc_zero(mem_ctx, struct fixture);
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	f->ev = tevent_context_init(f);
	assert_non_null(f->ev);
	f->path = talloc_asprintf(f, "%s/evenlog-store-XXXXXX",
				  tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->path));
	talloc_set_destructor(f, fixture_destructor);
	f->options.path = f->path;
	f->options.limits.map_size = UINT64_C(1) << 30;
	f->clock = FIXTURE_TIME;
	f->disk_free = UINT64_C(1) << 40;
	f->hooks = (struct store_hooks){
		.now = fixture_now,
		.disk_free = fixture_disk_free,
		.private_data = f,
	};
	return f;
}

static inline struct fixture *fixture_start(void **state)
{
	struct fixture *f = fixture_new(*state);

	fixture_open(f);
	return f;
}

/* The data file as a copy, which is what a restored backup is. */
static inline void fixture_replace_by_copy(struct fixture *f)
{
	char *from = talloc_asprintf(f, "%s/data.mdb", f->path);
	char *to = talloc_asprintf(f, "%s/copy.mdb", f->path);
	char page[4096];
	ssize_t n;
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT, 0600);

	while ((n = read(in, page, sizeof(page))) > 0) {
		assert_int_equal(write(out, page, (size_t)n), n);
	}
	close(in);
	close(out);
	assert_int_equal(rename(to, from), 0);
}

static inline struct store_channel *fixture_channel(struct fixture *f,
						    const char *name)
{
	struct store_channel_config config = {.enabled = true};
	struct store_channel *channel = NULL;

	assert_int_equal(
		store_channel_define(f->store, name, &config, &channel),
		EVERR_OK);
	return channel;
}

/*
 * A document with one string; kind makes the template: events of one kind
 * share one.  A talloc child of mem_ctx.
 */
static inline struct store_input fixture_event(TALLOC_CTX *mem_ctx,
					       unsigned int kind, uint64_t time,
					       const char *text)
{
	struct event_system system = {
		.provider = "Test-Provider",
		.event_id = 1000,
		.level = 4,
		.time_created = time,
		.channel = "Application",
		.computer = "host.example",
		.record_id = 77,
	};
	char *name = talloc_asprintf(mem_ctx, "Kind%u", kind);
	struct event_data data = {.name = name, .type = EVENT_TYPE_STRING};
	struct buf value;
	struct buf doc;

	buf_init(&value, mem_ctx, 1 << 20);
	buf_init(&doc, mem_ctx, 1 << 20);
	assert_int_equal(text_utf8_to_utf16(&value, text, strlen(text)),
			 EVERR_OK);
	data.value = value.data;
	data.len = value.len;
	assert_int_equal(event_build(&doc, &system, &data, 1), EVERR_OK);
	return (struct store_input){.doc = doc.data, .len = doc.len};
}

static inline void fixture_late(struct tevent_context *ev,
				struct tevent_timer *te, struct timeval now,
				void *private_data)
{
	bool *late = private_data;

	*late = true;
}

/* Run the loop until the condition holds; half a minute is too long. */
#define fixture_until(f, condition)                                      \
	do {                                                             \
		bool late_ = false;                                      \
		struct tevent_timer *te_ = tevent_add_timer(             \
			(f)->ev, (f), tevent_timeval_current_ofs(30, 0), \
			fixture_late, &late_);                           \
		while (!(condition)) {                                   \
			assert_int_equal(tevent_loop_once((f)->ev), 0);  \
			assert_false(late_);                             \
		}                                                        \
		TALLOC_FREE(te_);                                        \
	} while (0)

static inline struct store_channel_info fixture_info(
	struct store_channel *channel)
{
	struct store_channel_info info;

	store_channel_info(channel, &info);
	return info;
}

static inline struct tevent_req *fixture_send(struct fixture *f,
					      struct store_channel *channel,
					      const struct store_input *inputs,
					      size_t num_inputs)
{
	struct tevent_req *req = NULL;

	req = store_append_send(f, f->ev, channel, inputs, num_inputs, NULL, 0);
	assert_non_null(req);
	return req;
}

/* Wait for the request; frees it. */
static inline everr_t fixture_recv(struct fixture *f, struct tevent_req *req,
				   uint64_t *ret_first_id)
{
	size_t bad = 0;
	everr_t err;

	assert_true(tevent_req_poll(req, f->ev));
	err = store_append_recv(req, ret_first_id, &bad);
	TALLOC_FREE(req);
	return err;
}

/* Append num events of this kind, each a second after the other. */
static inline everr_t fixture_append(struct fixture *f,
				     struct store_channel *channel,
				     unsigned int kind, size_t num,
				     uint64_t *ret_first_id)
{
	TALLOC_CTX *frame = talloc_new(f);
	struct store_input *inputs = NULL;
	everr_t err;
	size_t i;

	inputs = talloc_array(frame, struct store_input, num);
	for (i = 0; i < num; i++) {
		inputs[i] = fixture_event(
			frame, kind, FIXTURE_TIME + i * WINTIME_SECOND, "text");
	}
	err = fixture_recv(f, fixture_send(f, channel, inputs, num),
			   ret_first_id);
	TALLOC_FREE(frame);
	return err;
}

static inline void fixture_append_ok(struct fixture *f,
				     struct store_channel *channel,
				     unsigned int kind, size_t num)
{
	uint64_t first_id = 0;

	assert_int_equal(fixture_append(f, channel, kind, num, &first_id),
			 EVERR_OK);
}

/* Read one record; only its id and error matter. */
static inline everr_t fixture_read(struct fixture *f,
				   struct store_channel *channel, uint64_t id,
				   bool reverse, uint64_t *ret_id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	everr_t err;

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	err = store_read(snapshot, channel, id, reverse, &record);
	*ret_id = record.id;
	store_snapshot_end(snapshot);
	return err;
}

static inline void fixture_tell(enum store_verify_level level,
				const char *where, const char *what,
				void *private_data)
{
	if (level == STORE_VERIFY_ERROR) {
		fprintf(stderr, "# verify: %s: %s\n", where, what);
	}
}

/* The independent checker finds nothing. */
static inline void fixture_verify(struct fixture *f)
{
	struct store_verify_result result = {};

	assert_int_equal(
		store_verify(f, f->path, fixture_tell, NULL, NULL, &result),
		EVERR_OK);
	assert_int_equal(result.errors, 0);
}

#endif
