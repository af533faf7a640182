/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Filters over stored events: what a query costs beyond reading.
 *
 * The floor is a scan of the same records with no filter, in the same run and
 * in turns with it.  EVENLOG_BENCH_EVENTS says how many events there are; the
 * directory is made in $TMPDIR.
 */

#include "base/wintime.h"
#include "event/build.h"
#include "event/filter.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 1000000
#define BATCH 1024
#define NUM_DATA 8
#define TURNS 3
/* One event a second; the newest is as old as a second. */
#define FIRST_TIME 133444736000000000ULL

/* What Event Viewer makes of many ids, levels, a provider and a time. */
#define TWENTY_CLAUSES                                                      \
	"*[System[Provider[@Name='Microsoft-Windows-Security-Auditing' or " \
	"@Name='Microsoft-Windows-Eventlog'] and (Level=0 or Level=1 or "   \
	"Level=2 or Level=3 or Level=4) and (EventID=1102 or EventID=4616 " \
	"or EventID=4648 or EventID=4672 or EventID=4688 or EventID=4697 "  \
	"or EventID=4719 or EventID=4740 or  (EventID >= 4720 and "         \
	"EventID <= 4738)  or EventID=4765 or EventID=4964) and "           \
	"TimeCreated[timediff(@SystemTime) <= 864000000000]]]"

struct bench {
	char path[4096];
	uint64_t num_events;
	uint64_t now;
	struct tevent_context *ev;
	struct store *store;
	struct store_channel *channel;
	double scan_rate;
};

static void die(const char *what)
{
	fprintf(stderr, "filter_bench: %s failed\n", what);
	exit(1);
}

static void must(int rc, const char *what)
{
	if (rc != 0) {
		die(what);
	}
}

/* Of the processor: everything is in memory, and the writer sleeps. */
static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ------------------------------------------------------------- set-up */

static size_t utf16(uint8_t *to, const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		to[2 * i] = (uint8_t)text[i];
		to[2 * i + 1] = 0;
	}
	return 2 * i;
}

/* Logons of a thousand users, with some events of another kind. */
static void make_event(struct bench *b, uint64_t i, struct buf *out)
{
	static const char *const names[NUM_DATA] = {
		"SubjectUserSid",   "SubjectUserName", "TargetUserName",
		"TargetDomainName", "WorkstationName", "ProcessName",
		"LogonType",	    "LogonProcessName"};
	static const uint8_t sid[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
	static const uint16_t ids[] = {4624, 4625, 4634, 4648, 4672,
				       4723, 4624, 4634, 4624, 4634};
	struct event_system system = {
		.provider = "Microsoft-Windows-Security-Auditing",
		.event_id = ids[i % 10],
		.level = i % 7 == 0 ? 2 : 4,
		.task = 12544,
		.keywords = 0x8020000000000000,
		.time_created = FIRST_TIME + i * WINTIME_SECOND,
		.process_id = 468,
		.thread_id = 1140,
		.channel = "Security",
		.computer = "server.example.com",
		.user_sid = sid,
		.user_sid_len = sizeof(sid),
		.record_id = 1,
	};
	struct event_data data[NUM_DATA];
	uint8_t text[64], user[64];
	uint8_t logon_type[4] = {(uint8_t)(i % 11), 0, 0, 0};
	char name[32];
	size_t n;

	snprintf(name, sizeof(name), "user%llu", (unsigned long long)i % 1000);
	for (n = 0; n < NUM_DATA; n++) {
		data[n] = (struct event_data){.name = names[n],
					      .type = EVENT_TYPE_STRING,
					      .value = text};
		data[n].len = utf16(text, "Example text of a val");
	}
	data[0] =
		(struct event_data){names[0], EVENT_TYPE_SID, sid, sizeof(sid)};
	data[2].value = user;
	data[2].len = utf16(user, name);
	data[6] = (struct event_data){names[6], EVENT_TYPE_UINT32, logon_type,
				      sizeof(logon_type)};
	buf_reset(out);
	must(event_build(out, &system, data, NUM_DATA), "event_build");
	b->now = system.time_created + WINTIME_SECOND;
}

static void appended(struct tevent_req *req)
{
	bool *done = tevent_req_callback_data_void(req);
	uint64_t first_id = 0;
	size_t bad = 0;

	must(store_append_recv(req, &first_id, &bad), "store_append");
	TALLOC_FREE(req);
	*done = true;
}

static void append(struct bench *b, struct store_input *inputs, size_t num)
{
	struct tevent_req *req = NULL;
	bool done = false;

	req = store_append_send(b->ev, b->ev, b->channel, inputs, num, NULL, 0);
	if (req == NULL) {
		die("store_append_send");
	}
	tevent_req_set_callback(req, appended, &done);
	while (!done) {
		must(tevent_loop_once(b->ev), "tevent_loop_once");
	}
}

static void fill_store(struct bench *b)
{
	static struct store_input inputs[BATCH];
	static struct buf docs[BATCH];
	uint64_t i;
	size_t n = 0;

	for (n = 0; n < BATCH; n++) {
		buf_init(&docs[n], b->ev, EVENT_WIRE_MAX);
	}
	for (i = 0, n = 0; i < b->num_events; i++) {
		make_event(b, i, &docs[n]);
		inputs[n] = (struct store_input){.doc = docs[n].data,
						 .len = docs[n].len,
						 .born_here = true};
		n++;
		if (n == BATCH || i + 1 == b->num_events) {
			append(b, inputs, n);
			n = 0;
		}
	}
	for (n = 0; n < BATCH; n++) {
		buf_free(&docs[n]);
	}
}

static void open_store(struct bench *b)
{
	struct store_channel_config config = {.enabled = true};
	struct store_options options = {.path = b->path, .asynchronous = true};

	store_limits_default(&options.limits);
	must(store_open(b->ev, b->ev, &options, &b->store), "store_open");
	must(store_channel_define(b->store, "Security", &config, &b->channel),
	     "store_channel_define");
}

static void remove_files(struct bench *b)
{
	static const char *const files[] = {"data.mdb", "lock.mdb",
					    "writer.lock"};
	char path[4200];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->path, files[i]);
		(void)remove(path);
	}
	(void)rmdir(b->path);
}

/* --------------------------------------------------------------- scans */

/* Is there nothing for the filter in the id's block?  As rpc/walk.c asks. */
static bool skips_block(struct bench *b, struct store_snapshot *snapshot,
			struct event_filter *filter, uint64_t *id)
{
	struct store_block block;
	uint64_t min, max;

	if (store_block(snapshot, b->channel, *id, &block) != EVERR_OK) {
		return false;
	}
	event_filter_time_range(filter, b->now, &min, &max);
	if (block.max_time >= min && block.min_time <= max) {
		return false;
	}
	*id = block.last_id + 1;
	return true;
}

/* One pass; without filter, everything matches. */
static uint64_t scan(struct bench *b, struct event_filter *filter, bool skip)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	struct event_view view = {
		.header = &record.header,
		.dict = store_dict(b->store),
		.now = b->now,
	};
	uint64_t matches = 0;
	uint64_t id = 1;

	must(store_snapshot_begin(b->store, &snapshot), "store_snapshot_begin");
	while (true) {
		if (skip && id % STORE_BLOCK_RECORDS == 1 &&
		    skips_block(b, snapshot, filter, &id)) {
			continue;
		}
		if (store_read(snapshot, b->channel, id, false, &record) !=
		    EVERR_OK) {
			break;
		}
		id = record.id + 1;
		view.data = record.data;
		view.len = record.len;
		matches += filter == NULL || event_filter_match(filter, &view);
	}
	store_snapshot_end(snapshot);
	return matches;
}

static double bench_filter(struct bench *b, const char *name, const char *text,
			   bool skip)
{
	struct event_filter *filter = NULL;
	struct event_filter_error error = {};
	double spent = 0, bare = 0;
	double start;
	uint64_t matches = 0;
	double rate;
	int i;

	if (event_filter_compile(b->ev, text, strlen(text), &filter, &error) !=
	    EVERR_OK) {
		die(error.message);
	}
	for (i = 0; i < TURNS; i++) {
		start = seconds();
		(void)scan(b, NULL, false);
		bare += seconds() - start;
		start = seconds();
		matches = scan(b, filter, skip);
		spent += seconds() - start;
	}
	rate = (double)b->num_events * TURNS / spent;
	printf("%-26s %10.0f events/s  bare scan %9.0f  ratio %6.2f  "
	       "%8llu match\n",
	       name, rate, (double)b->num_events * TURNS / bare, bare / spent,
	       (unsigned long long)matches);
	TALLOC_FREE(filter);
	return rate;
}

/* 1 % of the time, somewhere in the middle. */
static const char *window(struct bench *b)
{
	char from[WINTIME_TEXT_MAX], to[WINTIME_TEXT_MAX];
	uint64_t span = b->num_events * WINTIME_SECOND;
	uint64_t start = FIRST_TIME + span / 2;

	(void)wintime_format(start, from);
	(void)wintime_format(start + span / 100, to);
	return talloc_asprintf(b->ev,
			       "*[System[TimeCreated[@SystemTime>='%s' and "
			       "@SystemTime<'%s']]]",
			       from, to);
}

int main(void)
{
	static struct bench b = {.num_events = EVENTS};
	const char *events = getenv("EVENLOG_BENCH_EVENTS");
	const char *tmp = getenv("TMPDIR");
	struct store_channel_info info;
	double header, jumping;

	if (events != NULL) {
		b.num_events = strtoull(events, NULL, 10);
	}
	snprintf(b.path, sizeof(b.path), "%s/evenlog-bench-XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(b.path) == NULL) {
		die("mkdtemp");
	}
	b.ev = tevent_context_init(NULL);
	if (b.ev == NULL) {
		die("tevent_context_init");
	}
	open_store(&b);
	fill_store(&b);
	store_channel_info(b.channel, &info);
	printf("filters over %llu stored events of %llu bytes\n",
	       (unsigned long long)info.num_records,
	       (unsigned long long)(info.bytes / info.num_records));
	/* Once to bring them into memory. */
	(void)scan(&b, NULL, false);

	header = bench_filter(&b, "(a) header only",
			      "*[System[(Level=1 or Level=2) and "
			      "(EventID=4624 or EventID=4625)]]",
			      false);
	(void)bench_filter(&b, "(b) EventData equality",
			   "*[EventData[Data[@Name='TargetUserName']="
			   "'user123']]",
			   false);
	(void)bench_filter(&b, "    and a header field",
			   "*[System[EventID=4648] and EventData[Data[@Name="
			   "'TargetUserName']='user123']]",
			   false);
	(void)bench_filter(&b, "(c) 20 clauses", TWENTY_CLAUSES, false);
	(void)bench_filter(&b, "    1 % of the time, read", window(&b), false);
	jumping = bench_filter(&b, "(d) the same, jumping", window(&b), true);
	printf("(d) is %.1f times as fast as (a)\n", jumping / header);

	TALLOC_FREE(b.store);
	remove_files(&b);
	TALLOC_FREE(b.ev);
	return 0;
}
