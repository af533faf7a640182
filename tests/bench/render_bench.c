/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * BinXML to text: 1,024 different events of the manifest kind with 8 string
 * values (from 4 to 35 characters), rendered in turn on one core.  The floor
 * is copying the text that comes out.
 */

#include "event/build.h"
#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NUM_EVENTS 1024
#define NUM_DATA 8
#define SECONDS 1.0

struct bench {
	struct event_dict *dict;
	const uint8_t *nodes[NUM_EVENTS];
	size_t lens[NUM_EVENTS];
	size_t wire_bytes;	/* of all events */
	const struct buf *text; /* of all events, for the floor */
	size_t ends[NUM_EVENTS];
	struct buf out;
};

typedef everr_t (*render_fn)(struct bench *b, size_t i);

static const char *const names[NUM_DATA] = {
	"SubjectUserSid",   "SubjectUserName", "TargetUserName",
	"TargetDomainName", "WorkstationName", "ProcessName",
	"IpAddress",	    "LogonProcessName"};

static const char *const formats[NUM_DATA] = {
	"S-1-5-21-397955417-626881126-%u",
	"user%u",
	"administrator-%u",
	"EXAMPLE%u",
	"WORKSTATION-%u",
	"C:\\Windows\\System32\\services%u.exe",
	"10.0.%u.1",
	"Advapi %u"};

static void must(everr_t err)
{
	if (err != EVERR_OK) {
		fprintf(stderr, "%s\n", everr_text(err));
		exit(1);
	}
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void add_event(TALLOC_CTX *mem_ctx, struct bench *b,
		      struct event_packer *packer, unsigned int n)
{
	static const struct ev_guid guid = {{0x25, 0x96, 0x84, 0x54}};
	const struct event_system system = {
		.provider = "Microsoft-Windows-Security-Auditing",
		.provider_guid = &guid,
		.event_id = 4624,
		.keywords = 0x8020000000000000,
		.time_created = 133444736000000000 + n * 1234567ULL,
		.process_id = 700 + n,
		.thread_id = 804 + n,
		.channel = "Security",
		.computer = "server.example.com",
		.record_id = 1000000 + n,
	};
	struct event_data data[NUM_DATA];
	struct event_packed packed;
	struct buf doc;
	size_t i;

	buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
	for (i = 0; i < NUM_DATA; i++) {
		struct buf value;
		char *text = talloc_asprintf(mem_ctx, formats[i], n);

		buf_init(&value, mem_ctx, EVENT_VALUE_MAX);
		must(event_value_from_text(&value, EVENT_TYPE_STRING, text));
		data[i] = (struct event_data){names[i], EVENT_TYPE_STRING,
					      value.data, value.len};
	}
	must(event_build(&doc, &system, data, NUM_DATA));
	must(event_pack(packer, doc.data, doc.len, &packed));
	b->nodes[n] = talloc_memdup(mem_ctx, packed.data, packed.len);
	b->lens[n] = packed.len;
	b->wire_bytes += packed.wire_len;
}

static everr_t render_xml(struct bench *b, size_t i)
{
	return event_render_xml(&b->out, b->dict, b->nodes[i], b->lens[i],
				NULL);
}

static everr_t render_json(struct bench *b, size_t i)
{
	return event_render_json(&b->out, b->dict, b->nodes[i], b->lens[i]);
}

static everr_t copy(struct bench *b, size_t i)
{
	size_t start = i > 0 ? b->ends[i - 1] : 0;

	buf_put(&b->out, b->text->data + start, b->ends[i] - start);
	return buf_error(&b->out);
}

/* Events per second. */
static double measure(struct bench *b, render_fn render)
{
	double start = cpu_seconds();
	double spent = 0;
	size_t rounds = 0;
	size_t i;

	while (spent < SECONDS) {
		for (i = 0; i < NUM_EVENTS; i++) {
			buf_reset(&b->out);
			must(render(b, i));
		}
		rounds++;
		spent = cpu_seconds() - start;
	}
	return (double)(rounds * NUM_EVENTS) / spent;
}

static void compare(TALLOC_CTX *mem_ctx, struct bench *b, const char *name,
		    render_fn render)
{
	struct buf text;
	double rate, floor;
	size_t i;

	buf_init(&text, mem_ctx, NUM_EVENTS * 65536UL);
	b->text = &text;
	for (i = 0; i < NUM_EVENTS; i++) {
		buf_reset(&b->out);
		must(render(b, i));
		buf_put(&text, b->out.data, b->out.len);
		b->ends[i] = text.len;
	}
	must(buf_error(&text));

	rate = measure(b, render);
	floor = measure(b, copy);
	printf("%-5s %8.0f events/s  %5.0f MB/s of wire form  %5.0f MB/s of "
	       "text (%zu bytes an event)  %.3f of a copy\n",
	       name, rate, rate * (double)b->wire_bytes / NUM_EVENTS / 1e6,
	       rate * (double)text.len / NUM_EVENTS / 1e6,
	       text.len / NUM_EVENTS, rate / floor);
	buf_free(&text);
}

int main(void)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_packer *packer = NULL;
	struct bench bench = {0};
	unsigned int i;

	bench.dict = event_dict_create(mem_ctx, NULL);
	packer = event_packer_create(mem_ctx, bench.dict);
	buf_init(&bench.out, mem_ctx, EVENT_WIRE_MAX);
	for (i = 0; i < NUM_EVENTS; i++) {
		add_event(mem_ctx, &bench, packer, i);
	}
	printf("render: %d events of %zu bytes of wire form, %d strings\n",
	       NUM_EVENTS, bench.wire_bytes / NUM_EVENTS, NUM_DATA);
	compare(mem_ctx, &bench, "XML", render_xml);
	compare(mem_ctx, &bench, "JSON", render_json);
	talloc_free(mem_ctx);
	return 0;
}
