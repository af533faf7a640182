/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The codec on one event of the usual shape: our System template and EventData
 * with 8 strings.  CPU time of one thread; the floor is copying the event's
 * wire form.
 */

#include "event/build.h"
#include "event/event.h"
#include "event/glance.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECONDS 0.5
#define NUM_DATA 8

struct bench {
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_glancer *glancer;
	struct event_system system;
	struct event_data data[NUM_DATA];
	struct buf wire;     /* the event as it came */
	const uint8_t *node; /* packed */
	size_t node_len;
	struct buf out;
};

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static everr_t run_copy(struct bench *b)
{
	buf_put(&b->out, b->wire.data, b->wire.len);
	return buf_error(&b->out);
}

static everr_t run_build(struct bench *b)
{
	return event_build(&b->out, &b->system, b->data, NUM_DATA);
}

static everr_t run_pack(struct bench *b)
{
	struct event_packed packed;

	return event_pack(b->packer, b->wire.data, b->wire.len, &packed);
}

static everr_t run_glance(struct bench *b)
{
	struct event_glance glance;

	return event_glance(b->glancer, b->wire.data, b->wire.len, &glance);
}

static everr_t run_to_wire(struct bench *b)
{
	return event_packed_to_wire(&b->out, b->dict, b->node, b->node_len);
}

static everr_t run_xml(struct bench *b)
{
	return event_render_xml(&b->out, b->dict, b->node, b->node_len, NULL);
}

static everr_t run_json(struct bench *b)
{
	return event_render_json(&b->out, b->dict, b->node, b->node_len);
}

/* Events per second; ends the program on an error. */
static double measure(struct bench *b, const char *name,
		      everr_t (*run)(struct bench *b), double floor)
{
	size_t num = 0;
	double start = cpu_seconds();
	double spent = 0;
	double rate;
	int i;

	while (spent < SECONDS) {
		for (i = 0; i < 1000; i++) {
			buf_reset(&b->out);
			if (run(b) != EVERR_OK) {
				fprintf(stderr, "%s failed\n", name);
				exit(1);
			}
		}
		num += 1000;
		spent = cpu_seconds() - start;
	}
	rate = (double)num / spent;
	printf("%-10s %12.0f events/s %8.0f MB/s of wire form", name, rate,
	       rate * (double)b->wire.len / 1e6);
	if (floor > 0) {
		printf("  %.3f of a copy", rate / floor);
	}
	printf("\n");
	return rate;
}

static void prepare(TALLOC_CTX *mem_ctx, struct bench *b)
{
	static const char *const names[NUM_DATA] = {
		"SubjectUserSid",   "SubjectUserName", "TargetUserName",
		"TargetDomainName", "WorkstationName", "ProcessName",
		"IpAddress",	    "LogonProcessName"};
	static const uint8_t text[] =
		"E\0x\0a\0m\0p\0l\0e\0 \0t\0e\0x\0t\0 \0o\0f\0 \0a\0 \0v\0a\0";
	struct event_packed packed = {0};
	everr_t err;
	size_t i;

	b->dict = event_dict_create(mem_ctx, NULL);
	b->packer = event_packer_create(mem_ctx, b->dict);
	b->glancer = event_glancer_create(mem_ctx);
	buf_init(&b->wire, mem_ctx, EVENT_WIRE_MAX);
	buf_init(&b->out, mem_ctx, EVENT_WIRE_MAX);
	b->system = (struct event_system){
		.provider = "Microsoft-Windows-Security-Auditing",
		.event_id = 4624,
		.time_created = 133444736000000000,
		.process_id = 700,
		.thread_id = 804,
		.channel = "Security",
		.computer = "server.example.com",
	};
	for (i = 0; i < NUM_DATA; i++) {
		b->data[i] = (struct event_data){
			.name = names[i],
			.type = EVENT_TYPE_STRING,
			.value = text,
			.len = sizeof(text) - 1,
		};
	}
	err = event_build(&b->wire, &b->system, b->data, NUM_DATA);
	if (err == EVERR_OK) {
		err = event_pack(b->packer, b->wire.data, b->wire.len, &packed);
	}
	if (err != EVERR_OK) {
		fprintf(stderr, "%s\n", everr_text(err));
		exit(1);
	}
	b->node = talloc_memdup(mem_ctx, packed.data, packed.len);
	b->node_len = packed.len;
}

int main(void)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct bench bench = {0};
	double floor;

	prepare(mem_ctx, &bench);
	printf("event: %zu bytes of wire form, %zu packed, %d strings\n",
	       bench.wire.len, bench.node_len, NUM_DATA);
	floor = measure(&bench, "copy", run_copy, 0);
	measure(&bench, "build", run_build, floor);
	measure(&bench, "pack", run_pack, floor);
	measure(&bench, "glance", run_glance, floor);
	measure(&bench, "to wire", run_to_wire, floor);
	measure(&bench, "XML", run_xml, floor);
	measure(&bench, "JSON", run_json, floor);
	talloc_free(mem_ctx);
	return 0;
}
