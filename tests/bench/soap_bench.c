/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A RollupComputerStatus request, read item by item as the service reads it.
 *
 * The floor is xmllint --stream --noout on the same bytes in the same run.
 * EVENLOG_BENCH_COMPUTERS says how many computers with 2,000 states each there
 * are (500 is what a downstream server sends at most); the file is made in
 * $TMPDIR.
 */

#include "soap/envelope.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMPUTERS 100
#define STATES 2000
#define TURNS 3
/* What libmicrohttpd hands over at a time is of this order. */
#define CHUNK (32 * 1024)

#define NS "http://www.microsoft.com/SoftwareDistribution"

struct bench {
	char path[4096];
	uint64_t computers;
	uint64_t bytes;
	uint64_t items, rows; /* seen */
	uint64_t values;      /* of the scalars; so that they are made */
	bool scalars;
};

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "soap_bench: %s failed\n", what);
		exit(1);
	}
}

static double processor_seconds(int who)
{
	struct rusage usage;

	must(getrusage(who, &usage) == 0, "getrusage");
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ------------------------------------------------------------ the request */

static void put_state(FILE *f, uint64_t computer, uint64_t n)
{
	fprintf(f,
		"<ComputerStatusRollupUpdateStatus><UpdateId>"
		"%08" PRIx64 "-5c09-4f3a-972e-cc1bbb7c%04" PRIx64
		"</UpdateId><SummarizationState>%" PRIu64
		"</SummarizationState><LastChangeTime>2007-03-05T%02" PRIu64
		":%02" PRIu64 ":11.64Z</LastChangeTime>"
		"</ComputerStatusRollupUpdateStatus>",
		n * 2654435761 % 0xFFFFFFFF, n, 1 + (n + computer) % 6, n % 24,
		computer % 60);
}

static void put_computer(FILE *f, uint64_t computer)
{
	uint64_t n;

	fprintf(f,
		"<ComputerStatusRollupInfo><InstanceId>"
		"14720b83-5998-41f7-b586-%012" PRIx64
		"</InstanceId><ComputerId>d07a4d51-7cb2-46d1-ad86-%012" PRIx64
		"</ComputerId><EffectiveLastDetectionTime>"
		"2007-03-06T01:47:46.42Z</EffectiveLastDetectionTime>"
		"<RollupNumber>3</RollupNumber><IsFullRollup>true"
		"</IsFullRollup><UpdateStatus>",
		computer, computer);
	for (n = 0; n < STATES; n++) {
		put_state(f, computer, n);
	}
	fprintf(f, "</UpdateStatus></ComputerStatusRollupInfo>");
}

static void make_request(struct bench *b)
{
	FILE *f = NULL;
	uint64_t i;
	int fd;

	snprintf(b->path, sizeof(b->path), "%s/soap_bench.XXXXXX",
		 getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	fd = mkstemp(b->path);
	must(fd != -1, "mkstemp");
	f = fdopen(fd, "w");
	must(f != NULL, "fdopen");
	fprintf(f, "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope "
		   "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" "
		   "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
		   "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>"
		   "<RollupComputerStatus xmlns=\"" NS "\"><clientTime>"
		   "2007-03-06T03:39:24.2520342Z</clientTime><parentServerId>"
		   "050cee4a-aaff-470c-8fc3-7a94cb3a4293</parentServerId>"
		   "<computers>");
	for (i = 0; i < b->computers; i++) {
		put_computer(f, i);
	}
	fprintf(f, "</computers></RollupComputerStatus></soap:Body>"
		   "</soap:Envelope>");
	b->bytes = (uint64_t)ftell(f);
	must(fclose(f) == 0, "fclose");
}

/* --------------------------------------------------------------- reading */

static everr_t on_operation(void *private_data, const struct soap_node *node,
			    const char **ret_items)
{
	*ret_items = "computers/ComputerStatusRollupInfo";
	return EVERR_OK;
}

static everr_t on_item(void *private_data, const struct soap_node *item)
{
	struct bench *b = private_data;
	const struct soap_node *row = NULL;

	b->items++;
	for (row = soap_child(soap_child(item, "UpdateStatus"),
			      "ComputerStatusRollupUpdateStatus");
	     row != NULL; row = soap_next(row)) {
		struct ev_guid guid;
		uint64_t time;
		int64_t state;

		b->rows++;
		if (!b->scalars) {
			continue;
		}
		must(soap_get_guid(soap_text(row, "UpdateId"), &guid) ==
				     EVERR_OK &&
			     soap_get_int(soap_text(row, "SummarizationState"),
					  0, 6, &state) == EVERR_OK &&
			     soap_get_time(soap_text(row, "LastChangeTime"),
					   &time) == EVERR_OK,
		     "a scalar");
		b->values += guid.b[0] + (uint64_t)state + time;
	}
	return EVERR_OK;
}

static double read_once(struct bench *b)
{
	static const struct soap_envelope_handler handler = {
		.operation = on_operation, .item = on_item};
	static uint8_t chunk[CHUNK];
	double start = processor_seconds(RUSAGE_SELF);
	struct soap_envelope *envelope = NULL;
	ssize_t n;
	int fd;

	fd = open(b->path, O_RDONLY | O_CLOEXEC);
	must(fd != -1, "open");
	must(soap_envelope_create(NULL, &handler, b, NULL, &envelope) ==
		     EVERR_OK,
	     "soap_envelope_create");
	b->items = 0;
	b->rows = 0;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		must(soap_envelope_feed(envelope, chunk, (size_t)n) == EVERR_OK,
		     "soap_envelope_feed");
	}
	must(n == 0, "read");
	must(soap_envelope_end(envelope) == EVERR_OK, "soap_envelope_end");
	must(b->items == b->computers && b->rows == b->computers * STATES,
	     "the count of states");
	talloc_free(envelope);
	close(fd);
	return processor_seconds(RUSAGE_SELF) - start;
}

/* 0: there is no xmllint. */
static double xmllint_once(struct bench *b)
{
	double start = processor_seconds(RUSAGE_CHILDREN);
	int status;
	pid_t pid;

	pid = fork();
	must(pid != -1, "fork");
	if (pid == 0) {
		execlp("xmllint", "xmllint", "--stream", "--noout", "--huge",
		       b->path, (char *)NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		return 0;
	}
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "xmllint");
	return processor_seconds(RUSAGE_CHILDREN) - start;
}

static double best(double a, double b)
{
	return a == 0 || b < a ? b : a;
}

static void report(const struct bench *b, const char *what, double seconds,
		   double floor)
{
	printf("%-44s %7.1f MB/s", what, (double)b->bytes / 1e6 / seconds);
	if (floor > 0) {
		printf("  %.2f x xmllint", seconds / floor);
	}
	printf("\n");
}

int main(void)
{
	const char *computers = getenv("EVENLOG_BENCH_COMPUTERS");
	struct bench b = {.computers = COMPUTERS};
	double trees = 0, scalars = 0, floor = 0;
	struct rusage usage;
	int i;

	if (computers != NULL) {
		b.computers = strtoull(computers, NULL, 10);
	}
	make_request(&b);
	for (i = 0; i < TURNS; i++) {
		floor = best(floor, xmllint_once(&b));
		b.scalars = false;
		trees = best(trees, read_once(&b));
		b.scalars = true;
		scalars = best(scalars, read_once(&b));
	}
	unlink(b.path);
	must(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");

	printf("SOAP: %" PRIu64 " computers with %d states, %.1f MB; "
	       "time of the processor\n",
	       b.computers, STATES, (double)b.bytes / 1e6);
	if (floor > 0) {
		report(&b, "xmllint --stream --noout", floor, 0);
	}
	report(&b, "request as items", trees, floor);
	report(&b, "request as items, three scalars of each state", scalars,
	       floor);
	printf("%-44s %7.1f MB\n", "peak of memory",
	       (double)usage.ru_maxrss / 1024);
	return 0;
}
