/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events as messages: 1,024 different events with 20 values of the kinds that
 * logon events have, formatted in turn on one core.  The floors are copying
 * the message that comes out, and event_render_json().
 */

#include "event/build.h"
#include "forward/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NUM_EVENTS 1024
#define SECONDS 1.0

struct bench {
	struct event_dict *dict;
	const uint8_t *nodes[NUM_EVENTS];
	size_t lens[NUM_EVENTS];
	struct event_header headers[NUM_EVENTS];
	struct forward_format *format;
	struct buf text; /* of all events, for the floor */
	size_t ends[NUM_EVENTS];
	struct buf out;
};

typedef everr_t (*format_fn)(struct bench *b, size_t i);

/* The values of a logon event, as its template names them. */
static const struct {
	const char *name;
	uint8_t type;
	const char *text; /* of event %u */
} values[] = {
	{"SubjectUserSid", EVENT_TYPE_SID, "S-1-5-21-397955417-626881126-%u"},
	{"SubjectUserName", EVENT_TYPE_STRING, "SERVER%u$"},
	{"SubjectDomainName", EVENT_TYPE_STRING, "EXAMPLE"},
	{"SubjectLogonId", EVENT_TYPE_HEXINT64, "0x3e%x"},
	{"TargetUserSid", EVENT_TYPE_SID, "S-1-5-21-397955417-626881126-%u"},
	{"TargetUserName", EVENT_TYPE_STRING, "administrator-%u"},
	{"TargetDomainName", EVENT_TYPE_STRING, "EXAMPLE"},
	{"TargetLogonId", EVENT_TYPE_HEXINT64, "0x8dcd%x"},
	{"LogonType", EVENT_TYPE_UINT32, "3"},
	{"LogonProcessName", EVENT_TYPE_STRING, "Advapi  "},
	{"AuthenticationPackageName", EVENT_TYPE_STRING, "Negotiate"},
	{"WorkstationName", EVENT_TYPE_STRING, "WORKSTATION-%u"},
	{"LogonGuid", EVENT_TYPE_GUID, "{00000000-0000-0000-0000-0000000%05u}"},
	{"TransmittedServices", EVENT_TYPE_STRING, "-"},
	{"LmPackageName", EVENT_TYPE_STRING, "-"},
	{"KeyLength", EVENT_TYPE_UINT32, "%u"},
	{"ProcessId", EVENT_TYPE_HEXINT64, "0x%x"},
	{"ProcessName", EVENT_TYPE_STRING,
	 "C:\\Windows\\System32\\services%u.exe"},
	{"IpAddress", EVENT_TYPE_STRING, "10.0.%u.1"},
	{"IpPort", EVENT_TYPE_STRING, "%u"},
};
#define NUM_VALUES (sizeof(values) / sizeof(values[0]))

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

static void add_data(TALLOC_CTX *mem_ctx, unsigned int n, size_t i,
		     struct event_data *ret_data)
{
	struct buf value;
	char text[128];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), values[i].text, n);
#pragma GCC diagnostic pop
	buf_init(&value, mem_ctx, EVENT_VALUE_MAX);
	must(event_value_from_text(&value, values[i].type, text));
	*ret_data = (struct event_data){.name = values[i].name,
					.type = values[i].type,
					.value = value.data,
					.len = value.len};
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
	struct event_data data[NUM_VALUES];
	struct event_packed packed;
	struct buf doc;
	size_t i;

	buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
	for (i = 0; i < NUM_VALUES; i++) {
		add_data(mem_ctx, n, i, &data[i]);
	}
	must(event_build(&doc, &system, data, NUM_VALUES));
	must(event_pack(packer, doc.data, doc.len, &packed));
	b->nodes[n] = talloc_memdup(mem_ctx, packed.data, packed.len);
	b->lens[n] = packed.len;
	b->headers[n] = packed.header;
}

static everr_t format(struct bench *b, size_t i)
{
	const struct forward_event event = {
		.channel = "Security",
		.record_id = 1000000 + i,
		.received = 133444736000000000 + i * 1234567ULL,
		.header = &b->headers[i],
		.data = b->nodes[i],
		.len = b->lens[i],
	};
	uint32_t marks;

	return forward_format_event(b->format, &b->out, &event, &marks);
}

static everr_t render(struct bench *b, size_t i)
{
	return event_render_json(&b->out, b->dict, b->nodes[i], b->lens[i]);
}

static everr_t copy(struct bench *b, size_t i)
{
	size_t start = i > 0 ? b->ends[i - 1] : 0;

	buf_put(&b->out, b->text.data + start, b->ends[i] - start);
	return buf_error(&b->out);
}

/* Events per second. */
static double measure(struct bench *b, format_fn fn)
{
	double start = cpu_seconds();
	double spent = 0;
	size_t rounds = 0;
	size_t i;

	while (spent < SECONDS) {
		for (i = 0; i < NUM_EVENTS; i++) {
			buf_reset(&b->out);
			must(fn(b, i));
		}
		rounds++;
		spent = cpu_seconds() - start;
	}
	return (double)(rounds * NUM_EVENTS) / spent;
}

static void compare(TALLOC_CTX *mem_ctx, struct bench *b, const char *name,
		    enum forward_format_kind kind,
		    const struct event_catalog *catalog, double json)
{
	const struct forward_config config = {
		.format = kind,
		.facility = 16,
		.sd_id = "evenlog@32473",
		.max_message = 65536,
	};
	double rate, floor;
	size_t i;

	must(forward_format_create(mem_ctx, &config, "collector", b->dict,
				   catalog, &b->format));
	buf_reset(&b->text);
	for (i = 0; i < NUM_EVENTS; i++) {
		buf_reset(&b->out);
		must(format(b, i));
		buf_put(&b->text, b->out.data, b->out.len);
		b->ends[i] = b->text.len;
	}
	must(buf_error(&b->text));
	rate = measure(b, format);
	floor = measure(b, copy);
	printf("%-13s %8.0f events/s  %5.0f MB/s (%zu bytes an event)  "
	       "%.3f of a copy  %.2f of event_render_json()\n",
	       name, rate, rate * (double)b->text.len / NUM_EVENTS / 1e6,
	       b->text.len / NUM_EVENTS, rate / floor, rate / json);
	TALLOC_FREE(b->format);
}

/* A publisher with a message for the events. */
static const char manifest_xml[] =
	"<instrumentationManifest><instrumentation><events>"
	"<provider name='Microsoft-Windows-Security-Auditing' "
	"guid='{54849625-0000-0000-0000-000000000000}'>"
	"<events><event value='4624' message='$(string.S)'/></events>"
	"</provider></events></instrumentation><localization>"
	"<resources culture='en-US'><stringTable>"
	"<string id='S' value='%6 of %7 has logged on from %12 by %10.%n"
	"Type %9, address %19, port %20.'/>"
	"</stringTable></resources></localization></instrumentationManifest>";

static const struct event_catalog *catalog_new(TALLOC_CTX *mem_ctx)
{
	struct event_catalog *catalog = event_catalog_create(mem_ctx);
	struct event_manifest_error error;
	struct event_manifest *manifest = NULL;
	const char *name = NULL;

	must(event_manifest_parse(catalog, "bench",
				  (const uint8_t *)manifest_xml,
				  sizeof(manifest_xml) - 1, &manifest, &error));
	must(event_catalog_add(catalog, manifest, &name));
	return catalog;
}

int main(void)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_packer *packer = NULL;
	struct bench bench = {0};
	double json;
	unsigned int i;

	bench.dict = event_dict_create(mem_ctx, NULL);
	packer = event_packer_create(mem_ctx, bench.dict);
	buf_init(&bench.out, mem_ctx, EVENT_WIRE_MAX);
	buf_init(&bench.text, mem_ctx, NUM_EVENTS * 65536UL);
	for (i = 0; i < NUM_EVENTS; i++) {
		add_event(mem_ctx, &bench, packer, i);
	}
	json = measure(&bench, render);
	printf("forward formats: %d events of %zu values; "
	       "event_render_json() %.0f events/s\n",
	       NUM_EVENTS, NUM_VALUES, json);
	compare(mem_ctx, &bench, "rfc5424", FORWARD_RFC5424, NULL, json);
	compare(mem_ctx, &bench, "  with message", FORWARD_RFC5424,
		catalog_new(mem_ctx), json);
	compare(mem_ctx, &bench, "rfc5424-json", FORWARD_RFC5424_JSON, NULL,
		json);
	compare(mem_ctx, &bench, "rfc3164", FORWARD_RFC3164, NULL, json);
	compare(mem_ctx, &bench, "json", FORWARD_JSON, NULL, json);
	talloc_free(mem_ctx);
	return 0;
}
