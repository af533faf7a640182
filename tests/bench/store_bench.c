/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Durable appends and reads of events of the usual shape: our System template
 * and EventData with 8 strings.
 *
 * The floor of an append is LMDB itself, given the same stored bytes in the
 * same number of records for each synced transaction, one table, MDB_APPEND;
 * the floor of a read is LMDB's cursor.  Store and floor take turns, because
 * a disk's speed changes with time.  The directory is made in $TMPDIR.
 */

#include "event/build.h"
#include "store/store.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NUM_DATA 8
#define BATCH_MAX 1024
#define TURNS 3
#define TURN_SECONDS 0.5
#define READ_RECORDS 200000
/* Small enough that retention works from the first second on. */
#define RETENTION_BYTES (16 * 1024 * 1024)

struct bench {
	char path[4096];
	struct tevent_context *ev;
	struct store *store;
	struct store_channel *channel;
	struct store_input inputs[BATCH_MAX];
	struct buf doc;
	uint8_t record[4096]; /* the value as stored */
	size_t record_len;
	uint32_t wire_len;

	MDB_env *bare;
	MDB_dbi table;
	size_t bare_id;
};

struct producer {
	struct bench *b;
	size_t batch;
	bool stop;
	unsigned int *running;
	uint64_t *events;
};

static void die(const char *what)
{
	fprintf(stderr, "store_bench: %s failed\n", what);
	exit(1);
}

static void must(int rc, const char *what)
{
	if (rc != 0) {
		die(what);
	}
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ------------------------------------------------------------- set-up */

static void make_event(struct bench *b)
{
	static const char *const names[NUM_DATA] = {
		"SubjectUserSid",   "SubjectUserName", "TargetUserName",
		"TargetDomainName", "WorkstationName", "ProcessName",
		"IpAddress",	    "LogonProcessName"};
	static const uint8_t text[] =
		"E\0x\0a\0m\0p\0l\0e\0 \0t\0e\0x\0t\0 \0o\0f\0 \0a\0 \0v\0a\0";
	static const uint8_t sid[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
	struct event_system system = {
		.provider = "Microsoft-Windows-Security-Auditing",
		.event_id = 4624,
		.task = 12544,
		.keywords = 0x8020000000000000,
		.time_created = 133444736000000000,
		.process_id = 468,
		.thread_id = 1140,
		.channel = "Security",
		.computer = "server.example.com",
		.user_sid = sid,
		.user_sid_len = sizeof(sid),
		.record_id = 1,
	};
	struct event_data data[NUM_DATA];
	size_t i;

	for (i = 0; i < NUM_DATA; i++) {
		data[i] = (struct event_data){
			.name = names[i],
			.type = EVENT_TYPE_STRING,
			.value = text,
			.len = sizeof(text) - 1,
		};
	}
	buf_init(&b->doc, b->ev, EVENT_WIRE_MAX);
	must(event_build(&b->doc, &system, data, NUM_DATA), "event_build");
	for (i = 0; i < BATCH_MAX; i++) {
		b->inputs[i] = (struct store_input){
			.doc = b->doc.data,
			.len = b->doc.len,
			.born_here = true,
		};
	}
}

static void open_store(struct bench *b)
{
	struct store_channel_config config = {.enabled = true};
	struct store_options options = {};
	char path[4200];

	store_limits_default(&options.limits);
	snprintf(path, sizeof(path), "%s/store", b->path);
	options.path = path;
	must(store_open(b->ev, b->ev, &options, &b->store), "store_open");
	must(store_channel_define(b->store, "Security", &config, &b->channel),
	     "store_channel_define");
}

/* From here on each record that comes makes an old one go. */
static void limit_store(struct bench *b)
{
	struct store_channel_config config = {
		.enabled = true,
		.max_bytes = RETENTION_BYTES,
	};

	must(store_channel_define(b->store, "Limited", &config, &b->channel),
	     "store_channel_define");
}

static void open_bare(struct bench *b)
{
	struct store_limits limits;
	MDB_txn *txn = NULL;
	char path[4200];

	store_limits_default(&limits);
	snprintf(path, sizeof(path), "%s/bare", b->path);
	must(mdb_env_create(&b->bare), "mdb_env_create");
	must(mdb_env_set_maxdbs(b->bare, 4), "mdb_env_set_maxdbs");
	must(mdb_env_set_mapsize(b->bare, limits.map_size),
	     "mdb_env_set_mapsize");
	must(mdb_env_open(b->bare, path, MDB_NOTLS | MDB_NOSUBDIR, 0600),
	     "mdb_env_open");
	must(mdb_txn_begin(b->bare, NULL, 0, &txn), "mdb_txn_begin");
	must(mdb_dbi_open(txn, "records", MDB_CREATE | MDB_INTEGERKEY,
			  &b->table),
	     "mdb_dbi_open");
	must(mdb_txn_commit(txn), "mdb_txn_commit");
}

static void remove_files(struct bench *b)
{
	static const char *const files[] = {
		"store/data.mdb", "store/lock.mdb", "store/writer.lock",
		"store",	  "bare",	    "bare-lock"};
	char path[4200];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->path, files[i]);
		(void)remove(path);
	}
	(void)rmdir(b->path);
}

/* ------------------------------------------------------------- append */

static void produce(struct producer *p);

static void produced(struct tevent_req *req)
{
	struct producer *p = tevent_req_callback_data_void(req);
	uint64_t first_id = 0;
	size_t bad = 0;

	must(store_append_recv(req, &first_id, &bad), "store_append");
	TALLOC_FREE(req);
	*p->events += p->batch;
	if (p->stop) {
		(*p->running)--;
		return;
	}
	produce(p);
}

static void produce(struct producer *p)
{
	struct tevent_req *req = NULL;

	req = store_append_send(p->b->ev, p->b->ev, p->b->channel, p->b->inputs,
				p->batch, NULL, 0);
	if (req == NULL) {
		die("store_append_send");
	}
	tevent_req_set_callback(req, produced, p);
}

/* Each producer waits for its answer before it sends again. */
static void run_store(struct bench *b, unsigned int producers, size_t batch,
		      double *ret_spent, uint64_t *ret_events)
{
	struct producer p[16];
	unsigned int running = producers;
	uint64_t events = 0;
	double start = seconds();
	unsigned int i;

	for (i = 0; i < producers; i++) {
		p[i] = (struct producer){.b = b,
					 .batch = batch,
					 .running = &running,
					 .events = &events};
		produce(&p[i]);
	}
	while (running > 0) {
		if (tevent_loop_once(b->ev) != 0) {
			die("tevent_loop_once");
		}
		if (seconds() - start < TURN_SECONDS) {
			continue;
		}
		for (i = 0; i < producers; i++) {
			p[i].stop = true;
		}
	}
	*ret_spent += seconds() - start;
	*ret_events += events;
}

static void bare_batch(struct bench *b, size_t batch)
{
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	MDB_val key;
	MDB_val value;
	size_t i;

	must(mdb_txn_begin(b->bare, NULL, 0, &txn), "mdb_txn_begin");
	must(mdb_cursor_open(txn, b->table, &cursor), "mdb_cursor_open");
	for (i = 0; i < batch; i++) {
		b->bare_id++;
		key = (MDB_val){sizeof(b->bare_id), &b->bare_id};
		value = (MDB_val){b->record_len, b->record};
		must(mdb_cursor_put(cursor, &key, &value, MDB_APPEND),
		     "mdb_cursor_put");
	}
	must(mdb_txn_commit(txn), "mdb_txn_commit");
}

static void run_bare(struct bench *b, size_t batch, double *ret_spent,
		     uint64_t *ret_events)
{
	double start = seconds();

	while (seconds() - start < TURN_SECONDS) {
		bare_batch(b, batch);
		*ret_events += batch;
	}
	*ret_spent += seconds() - start;
}

static void bench_append(struct bench *b, unsigned int producers, size_t batch)
{
	struct store_stats before;
	struct store_stats after;
	uint64_t events = 0;
	uint64_t bare_events = 0;
	double spent = 0;
	double bare_spent = 0;
	double rate;
	double bare;
	size_t per_commit;
	int i;

	for (i = 0; i < TURNS; i++) {
		store_stats(b->store, &before);
		run_store(b, producers, batch, &spent, &events);
		store_stats(b->store, &after);
		per_commit = (after.records - before.records) /
			     (after.commits - before.commits);
		run_bare(b, per_commit, &bare_spent, &bare_events);
	}
	rate = (double)events / spent;
	bare = (double)bare_events / bare_spent;
	printf("append %2u x %4zu  %9.0f events/s %7.1f MB/s  %5zu per commit  "
	       "bare LMDB %9.0f  ratio %.2f\n",
	       producers, batch, rate, rate * (double)b->record_len / 1e6,
	       per_commit, bare, rate / bare);
}

/* Take the value as it is stored, for the floor. */
static void take_record(struct bench *b)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	struct store_channel_info info;
	double spent = 0;
	uint64_t events = 0;

	run_store(b, 1, 1, &spent, &events);
	must(store_snapshot_begin(b->store, &snapshot), "store_snapshot_begin");
	must(store_read(snapshot, b->channel, 1, false, &record), "store_read");
	store_channel_info(b->channel, &info);
	b->record_len = info.bytes / info.num_records;
	b->wire_len = record.wire_len;
	if (b->record_len > sizeof(b->record)) {
		die("the size of a record");
	}
	memset(b->record, 0x5a, sizeof(b->record));
	memcpy(b->record, record.data, record.len);
	store_snapshot_end(snapshot);
}

/* --------------------------------------------------------------- read */

static double read_store(struct bench *b, uint64_t *ret_num)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	double start = seconds();
	uint64_t num = 0;

	must(store_snapshot_begin(b->store, &snapshot), "store_snapshot_begin");
	while (num < READ_RECORDS &&
	       store_read(snapshot, b->channel, record.id + 1, false,
			  &record) == EVERR_OK) {
		num++;
	}
	store_snapshot_end(snapshot);
	*ret_num = num;
	return seconds() - start;
}

/* Each byte is looked at, as the store's checksum does. */
static double read_bare(struct bench *b, uint64_t max, uint64_t *ret_num)
{
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	MDB_val key;
	MDB_val value;
	double start = seconds();
	uint64_t num = 0;
	volatile uint64_t sink = 0;

	must(mdb_txn_begin(b->bare, NULL, MDB_RDONLY, &txn), "mdb_txn_begin");
	must(mdb_cursor_open(txn, b->table, &cursor), "mdb_cursor_open");
	while (num < max &&
	       mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		const uint8_t *p = value.mv_data;
		uint64_t sum = 0;
		uint64_t word;
		size_t i;

		for (i = 0; i + 8 <= value.mv_size; i += 8) {
			memcpy(&word, p + i, 8);
			sum += word;
		}
		sink += sum;
		num++;
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	*ret_num = num;
	return seconds() - start;
}

static void bench_read(struct bench *b)
{
	uint64_t num = 0;
	uint64_t bare_num = 0;
	double rate;
	double bare;

	/* Once to bring it into memory. */
	(void)read_store(b, &num);
	(void)read_bare(b, num, &bare_num);
	rate = 1 / read_store(b, &num) * (double)num;
	bare = 1 / read_bare(b, num, &bare_num) * (double)bare_num;
	printf("read             %9.0f events/s %7.1f MB/s  of %llu  "
	       "bare LMDB %9.0f  ratio %.2f\n",
	       rate, rate * (double)b->record_len / 1e6,
	       (unsigned long long)num, bare, rate / bare);
}

int main(void)
{
	static struct bench b;
	const char *tmp = getenv("TMPDIR");

	snprintf(b.path, sizeof(b.path), "%s/evenlog-bench-XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(b.path) == NULL) {
		die("mkdtemp");
	}
	b.ev = tevent_context_init(NULL);
	if (b.ev == NULL) {
		die("tevent_context_init");
	}
	make_event(&b);
	open_store(&b);
	open_bare(&b);
	take_record(&b);
	printf("one event: %u bytes on the wire, %zu stored\n", b.wire_len,
	       b.record_len);
	bench_append(&b, 1, 1);
	bench_append(&b, 1, 64);
	bench_append(&b, 1, 1024);
	bench_append(&b, 16, 1);
	bench_append(&b, 16, 64);
	bench_append(&b, 16, 1024);
	bench_read(&b);
	limit_store(&b);
	printf("retention at %d MiB, which the floor has not:\n",
	       RETENTION_BYTES >> 20);
	bench_append(&b, 1, 64);
	bench_append(&b, 16, 64);
	bench_append(&b, 16, 1024);
	TALLOC_FREE(b.store);
	mdb_env_close(b.bare);
	remove_files(&b);
	TALLOC_FREE(b.ev);
	return 0;
}
