/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The checker on a store with damage anywhere: the input is a list of bytes to
 * be changed, five bytes each, offset and new value, and the last bytes say
 * where to cut the file.
 */

#include "event/build.h"
#include "store/image.h"
#include "store/store.h"
#include "store/verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANGES_MAX 64

/* A fuzzer lives in one process; its store is made once. */
static struct {
	char dir[32];
	char path[64];
	uint8_t *bytes;
	size_t len;
	int fd;
} base;

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void append_some(struct tevent_context *ev, struct store *store,
			const char *name)
{
	const struct store_channel_config config = {.enabled = true};
	const struct event_system system = {
		.provider = "P",
		.channel = name,
		.computer = "H",
	};
	static uint8_t text[6000];
	const struct event_data data = {"A", EVENT_TYPE_BINARY, text,
					sizeof(text)};
	struct store_channel *channel = NULL;
	struct store_input inputs[12];
	struct tevent_req *req = NULL;
	uint64_t id;
	size_t bad;
	size_t i;

	must(store_channel_define(store, name, &config, &channel) == EVERR_OK);
	for (i = 0; i < 12; i++) {
		struct buf doc;

		buf_init(&doc, ev, EVENT_WIRE_MAX);
		must(event_build(&doc, &system, &data, i == 5) == EVERR_OK);
		inputs[i] = (struct store_input){doc.data, doc.len, true};
	}
	req = store_append_send(ev, ev, channel, inputs, 12, NULL, 0);
	must(tevent_req_poll(req, ev));
	must(store_append_recv(req, &id, &bad) == EVERR_OK);
	talloc_free(req);
}

static void base_remove(void)
{
	unlink(base.path);
	rmdir(base.dir);
}

static void base_make(void)
{
	struct store_options options = {.path = base.dir};
	struct tevent_context *ev = tevent_context_init(NULL);
	struct store *store = NULL;
	char lock[64];
	struct stat st;

	snprintf(base.dir, sizeof(base.dir), "/tmp/image_fuzz.XXXXXX");
	must(mkdtemp(base.dir) != NULL);
	snprintf(base.path, sizeof(base.path), "%s/data.mdb", base.dir);
	store_limits_default(&options.limits);
	options.limits.map_size = 1 << 28;
	options.limits.disk_reserve = 0;
	must(store_open(ev, ev, &options, &store) == EVERR_OK);
	append_some(ev, store, "Application");
	append_some(ev, store, "System");
	talloc_free(store);
	talloc_free(ev);
	snprintf(lock, sizeof(lock), "%s/lock.mdb", base.dir);
	unlink(lock);
	snprintf(lock, sizeof(lock), "%s/writer.lock", base.dir);
	unlink(lock);

	base.fd = open(base.path, O_RDWR | O_CLOEXEC);
	must(base.fd != -1 && fstat(base.fd, &st) == 0);
	base.len = (size_t)st.st_size;
	base.bytes = malloc(base.len);
	must(pread(base.fd, base.bytes, base.len, 0) == st.st_size);
	atexit(base_remove);
}

static void count(enum store_verify_level level, const char *where,
		  const char *what, void *private_data)
{
	(*(uint64_t *)private_data)++;
}

static void check(void)
{
	struct store_verify_result result = {};
	uint64_t told = 0;
	everr_t err;

	err = store_verify(NULL, base.dir, count, NULL, &told, &result);
	must(err == EVERR_OK || err == EVERR_STORE_CORRUPT ||
	     err == EVERR_STORE_VERSION);
	if (err == EVERR_OK) {
		must(told == result.errors + result.notes);
	}
	/* What keeps the service from opening it is an error here, too. */
	if (err == EVERR_OK && result.errors == 0) {
		must(store_image_check(base.dir, true) == EVERR_OK);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t num = size / 5;
	size_t i;

	if (base.bytes == NULL) {
		base_make();
	}
	num = num > CHANGES_MAX ? CHANGES_MAX : num;
	for (i = 0; i < num; i++) {
		off_t at = le32_get(data + 5 * i) % base.len;

		must(pwrite(base.fd, data + 5 * i + 4, 1, at) == 1);
	}
	if (size % 5 == 4) {
		must(ftruncate(base.fd, le32_get(data + size - 4) % base.len) ==
		     0);
	}
	check();
	if (size % 5 == 4) {
		must(pwrite(base.fd, base.bytes, base.len, 0) ==
		     (ssize_t)base.len);
	}
	for (i = 0; i < num; i++) {
		size_t at = le32_get(data + 5 * i) % base.len;

		must(pwrite(base.fd, base.bytes + at, 1, (off_t)at) == 1);
	}
	return 0;
}
