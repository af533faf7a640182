/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * .evtx to XML: a file of varied events is written by our writer, then read by
 * our reader and renderer in this process, by the evenlog command, and by
 * libevtx's evtxexport, whose time is the floor.  All have one core; what is
 * counted is its time.  EVTX_BENCH_MB is the size of the file.
 */

#include "event/build.h"
#include "event/event.h"
#include "event/evtx.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_MB 32
#define MAX_MB 4000
#define NUM_KINDS 24
#define MAX_DATA 16

extern char **environ;

/* The types that Windows' events have, about as often. */
static const struct {
	uint8_t type;
	const char *format;
} values[] = {
	{EVENT_TYPE_STRING, "C:\\Windows\\System32\\services%u.exe"},
	{EVENT_TYPE_STRING, "user%u"},
	{EVENT_TYPE_UINT32, "%u"},
	{EVENT_TYPE_HEXINT64, "0x%x"},
	{EVENT_TYPE_STRING, "WORKSTATION-%u & others"},
	{EVENT_TYPE_SID, "S-1-5-21-397955417-626881126-188441444-%u"},
	{EVENT_TYPE_STRING, "EXAMPLE%u"},
	{EVENT_TYPE_GUID, "{%08x-1111-2222-3333-444455556666}"},
	{EVENT_TYPE_UINT16, "%u"},
	{EVENT_TYPE_STRING, "10.0.%u.1"},
	{EVENT_TYPE_BOOL, "true"},
	{EVENT_TYPE_HEXINT32, "0x%x"},
	{EVENT_TYPE_STRING, "Kerberos authentication of session %u was "
			    "renewed before its ticket expired"},
};

static void must(everr_t err)
{
	if (err != EVERR_OK) {
		fprintf(stderr, "evtx_bench: %s\n", everr_text(err));
		exit(1);
	}
}

static void must_do(bool done, const char *what)
{
	if (!done) {
		fprintf(stderr, "evtx_bench: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* -------------------------------------------------------------- the file */

/* Event number n, of one of NUM_KINDS templates. */
static void make_event(TALLOC_CTX *mem_ctx, struct buf *doc, unsigned int n)
{
	const size_t num_values = sizeof(values) / sizeof(values[0]);
	const struct ev_guid guid = {{0x25, 0x96, (uint8_t)(n % 4)}};
	unsigned int kind = n * 7 % NUM_KINDS;
	size_t num = 2 + kind * 5 % (MAX_DATA - 2);
	struct event_system system = {
		.provider = "Microsoft-Windows-Security-Auditing",
		.provider_guid = &guid,
		.event_id = (uint16_t)(4600 + kind),
		.keywords = 0x8020000000000000,
		.time_created = 133444736000000000 + n * 1234567ULL,
		.process_id = 700 + n % 1000,
		.thread_id = 804 + n % 1000,
		.channel = "Security",
		.computer = "server.example.com",
		.record_id = 1000000 + n,
	};
	struct event_data data[MAX_DATA];
	char name[32];
	size_t i;

	for (i = 0; i < num; i++) {
		size_t which = (kind + i) % num_values;
		struct buf value;

		snprintf(name, sizeof(name), "Value%zuOfKind%u", i, kind);
		buf_init(&value, mem_ctx, EVENT_VALUE_MAX);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		must(event_value_from_text(&value, values[which].type,
					   talloc_asprintf(mem_ctx,
							   values[which].format,
							   n % 60000)));
#pragma GCC diagnostic pop
		data[i] = (struct event_data){talloc_strdup(mem_ctx, name),
					      values[which].type, value.data,
					      value.len};
	}
	must(event_build(doc, &system, data, num));
}

static void put(int fd, const uint8_t *data, size_t len)
{
	must_do(data == NULL || write(fd, data, len) == (ssize_t)len, "write");
}

/* Events are made beforehand, so that the writer alone is measured. */
static double write_events(struct event_evtx_writer *writer,
			   struct event_packer *packer, int fd, size_t bytes,
			   size_t *ret_written)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	size_t written = EVENT_EVTX_HEADER_SIZE;
	struct event_packed packed;
	const uint8_t *chunk = NULL;
	double spent = 0;
	double start;
	struct buf doc;
	unsigned int n;

	for (n = 0; written < bytes; n++) {
		buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
		make_event(mem_ctx, &doc, n);
		must(event_pack(packer, doc.data, doc.len, &packed));
		start = cpu_seconds();
		must(event_evtx_add(writer, packed.data, packed.len,
				    packed.header.time_created, &chunk));
		spent += cpu_seconds() - start;
		talloc_free_children(mem_ctx);
		if (chunk != NULL) {
			put(fd, chunk, EVENT_EVTX_CHUNK_SIZE);
			written += EVENT_EVTX_CHUNK_SIZE;
		}
	}
	talloc_free(mem_ctx);
	*ret_written = written;
	return spent;
}

static size_t make_file(int fd, size_t bytes)
{
	static uint8_t header[EVENT_EVTX_HEADER_SIZE];
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_evtx_writer *writer = NULL;
	const uint8_t *chunk = NULL;
	size_t written = 0;
	double spent;
	uint64_t num;

	must(event_evtx_writer_create(mem_ctx, dict, &writer));
	put(fd, header, sizeof(header));
	spent = write_events(writer, packer, fd, bytes, &written);
	must(event_evtx_finish(writer, &chunk, header));
	put(fd, chunk, EVENT_EVTX_CHUNK_SIZE);
	must_do(pwrite(fd, header, sizeof(header), 0) == sizeof(header),
		"write");
	num = event_evtx_num_records(writer);
	printf("evtx: %llu events of %d kinds in %.0f MB, %.0f bytes each\n",
	       (unsigned long long)num, NUM_KINDS, (double)written / 1e6,
	       (double)written / (double)num);
	printf("%-30s %8.2f s %8.1f MB/s %9.0f events/s\n", "written", spent,
	       (double)written / spent / 1e6, (double)num / spent);
	talloc_free(mem_ctx);
	return written + EVENT_EVTX_CHUNK_SIZE;
}

/* ------------------------------------------------------------ the readers */

/* Seconds to render all events; they are rendered and forgotten. */
static double read_here(const uint8_t *data, size_t size, size_t *ret_num)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	struct event_packed packed;
	double start = cpu_seconds();
	struct buf xml;
	size_t num = 0;
	everr_t err;

	buf_init(&xml, mem_ctx, EVENT_WIRE_MAX);
	must(event_evtx_open(mem_ctx, data, size, &reader));
	for (;;) {
		err = event_evtx_next(reader, &record, &damage);
		if (err == EVERR_END) {
			break;
		}
		must(err);
		must(event_pack(packer, record.doc, record.len, &packed));
		buf_reset(&xml);
		must(event_render_xml(&xml, dict, packed.data, packed.len,
				      NULL));
		num++;
	}
	talloc_free(mem_ctx);
	*ret_num = num;
	return cpu_seconds() - start;
}

/* The processor's seconds a command takes; negative: there is no such. */
static double run(const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status = 0;
	pid_t pid = 0;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
					 O_WRONLY, 0);
	ret = posix_spawnp(&pid, argv[0], &actions, NULL, (char **)argv,
			   environ);
	posix_spawn_file_actions_destroy(&actions);
	if (ret != 0) {
		return -1;
	}
	must_do(wait4(pid, &status, 0, &usage) == pid, "wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		return -1;
	}
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void show(const char *name, double seconds, size_t size, size_t num,
		 double floor)
{
	if (seconds < 0) {
		printf("%-30s cannot be run\n", name);
		return;
	}
	printf("%-30s %8.2f s %8.1f MB/s %9.0f events/s", name, seconds,
	       (double)size / seconds / 1e6, (double)num / seconds);
	if (floor > 0) {
		printf("  %.1f times evtxexport", floor / seconds);
	}
	printf("\n");
}

static void compare(const char *path, const uint8_t *data, size_t size)
{
	const char *const evtxexport[] = {"evtxexport", "-f", "xml", path,
					  NULL};
	const char *const evenlog[] = {"cli/evenlog", "query", "--format=xml",
				       path, NULL};
	size_t num = 0;
	double here = read_here(data, size, &num);
	double floor = run(evtxexport);

	show("evtxexport -f xml", floor, size, num, 0);
	show("reader and XML", here, size, num, floor);
	show("evenlog query --format=xml", run(evenlog), size, num, floor);
}

int main(void)
{
	const char *mb_text = getenv("EVTX_BENCH_MB");
	unsigned long mb = mb_text != NULL ? strtoul(mb_text, NULL, 10) : 0;
	const char *dir = getenv("TMPDIR");
	char path[4096];
	void *data = NULL;
	size_t size;
	int fd;

	if (mb == 0 || mb > MAX_MB) {
		mb = DEFAULT_MB;
	}
	snprintf(path, sizeof(path), "%s/evenlog-bench.XXXXXX.evtx",
		 dir != NULL ? dir : "/tmp");
	fd = mkstemps(path, 5);
	must_do(fd != -1, path);
	size = make_file(fd, mb * 1000000);
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	must_do(data != MAP_FAILED, "mmap");
	compare(path, data, size);
	munmap(data, size);
	close(fd);
	unlink(path);
	return 0;
}
