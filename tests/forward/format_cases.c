/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * 200 events that formats have reason to fear, always the same ones, for
 * check_syslog.py:
 *
 *   format_cases declared          what is in them, one JSON object a line:
 *                                  names and values as bytes in hexadecimal
 *   format_cases FORMAT MAXIMUM    the messages, each after its length and a
 *                                  blank (RFC 6587 3.4.1)
 *   format_cases gap FORMAT        a gap that is exact, and one that is not
 */

#include "tests/event/make.h"

#include "event/build.h"
#include "forward/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NUM_CASES 200
#define TIME_BASE 133444736001234567ULL
#define DATA_MAX 64

struct data {
	const char *name; /* UTF-8; NULL: none */
	uint8_t type;
	const uint8_t *value;
	size_t len;
};

enum shape {
	SHAPE_EVENT_DATA, /* nested templates, as Windows' and ours */
	SHAPE_USER_DATA,
	SHAPE_FLAT,	/* one template, no nested one: large values fit */
	SHAPE_DOCUMENT, /* no template at all: strings only, as text */
	SHAPE_NUM
};
static const char *const shape_names[] = {"EventData", "UserData", "flat",
					  "document"};

struct test_case {
	enum shape shape;
	struct event_system system;
	struct data data[DATA_MAX];
	size_t num_data;
};

struct maker_state {
	TALLOC_CTX *mem_ctx;
	uint32_t seed;
};

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "%s\n", what);
		exit(1);
	}
}

/* Numerical Recipes' generator: the same numbers everywhere. */
static uint32_t next_random(struct maker_state *s, uint32_t below)
{
	s->seed = s->seed * 1664525U + 1013904223U;
	return (s->seed >> 8) % below;
}

/* --------------------------------------------------------------- values */

#define UNITS(...)                         \
	((const uint16_t[]){__VA_ARGS__}), \
		sizeof((const uint16_t[]){__VA_ARGS__}) / 2

static const struct {
	const uint16_t *units;
	size_t num_units;
} hostile_texts[] = {
	{UNITS('b', 'o', 'b')},
	{UNITS('"', ']', '\\', '"', ']', '\\')},
	{UNITS(']', '[', 'x', '@', '1', ' ', 'y', '=', '"', 'z', '"', ']')},
	{UNITS('\\')},
	{UNITS('a', '\\', '\\', '"')},
	{UNITS('a', '\n', '<', '3', '4', '>', '1', ' ', '-', '\r', '\n')},
	{UNITS(1, 2, 7, 8, 9, 10, 11, 12, 13, 27, 31, 127)},
	{UNITS(0x80, 0x85, 0x9F, 0xA0, 0xAD)},
	{UNITS('a', 0, 'b')},
	{UNITS('#', '0', '1', '2', '#', '0', '4', '3', '#', '1', '2', '3')},
	{UNITS('#', '2', '0', '5', 'x', '#', '#', '0', '0', '0', '#', '0')},
	{UNITS(0xD800)},
	{UNITS('a', 0xDC00, 'b')},
	{UNITS(0xDBFF, 0xD83D, 0xDE00, 0xDFFF)},
	{UNITS(0xD83D, 0xDE00, ' ', 0xD83C, 0xDDE9, 0xD83C, 0xDDEA)},
	{UNITS(0x05E9, 0x05DC, 0x05D5, 0x05DD, 0x202E, 'a', 'b', 'c', 0x202C)},
	{UNITS(0xFFFE, 0xFFFF, 0xFDD0, 0xFEFF, 0x2028, 0x2029)},
	{UNITS(0xFFFD)},
	{UNITS('M', 0xFC, 'l', 'l', 'e', 'r', 0x4E2D, 0x6587)},
	{UNITS('%', 's', '%', 'n', '{', '}', '$', '(', 'x', ')')},
	{UNITS(' ', ' ', 'x', ' ', ' ')},
	{UNITS(0xEF, 0xBB, 0xBF, 'x')},
};

static const char *const hostile_names[] = {
	"User",
	"TargetUserName",
	"Logon Type",
	"a=b",
	"quo\"te]d",
	"\xC3\x9C"
	"berraschung",
	"\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
	"\xF0\x9F\x98\x80",
	"exactly-thirty-two-characters-xx",
	"exactly-thirty-three-characters-x",
	"a-name-that-is-much-longer-than-any-parameter-may-be",
	"a-name-that-is-much-longer-than-any-parameter-may-be2",
	"tab\there",
	"dot.dot@at",
	"User",
};

static const uint8_t fixed_types[] = {
	EVENT_TYPE_INT8,   EVENT_TYPE_UINT8,	EVENT_TYPE_INT16,
	EVENT_TYPE_UINT16, EVENT_TYPE_INT32,	EVENT_TYPE_UINT32,
	EVENT_TYPE_INT64,  EVENT_TYPE_UINT64,	EVENT_TYPE_BOOL,
	EVENT_TYPE_GUID,   EVENT_TYPE_FILETIME, EVENT_TYPE_HEXINT32,
	EVENT_TYPE_SID,	   EVENT_TYPE_HEXINT64, EVENT_TYPE_BINARY,
	EVENT_TYPE_NULL,   EVENT_TYPE_ANSI,	EVENT_TYPE_REAL64,
};

static size_t size_of(uint8_t type)
{
	switch (type) {
	case EVENT_TYPE_INT8:
	case EVENT_TYPE_UINT8:
		return 1;
	case EVENT_TYPE_INT16:
	case EVENT_TYPE_UINT16:
		return 2;
	case EVENT_TYPE_INT32:
	case EVENT_TYPE_UINT32:
	case EVENT_TYPE_HEXINT32:
	case EVENT_TYPE_BOOL:
		return 4;
	case EVENT_TYPE_GUID:
	case EVENT_TYPE_SID:
		return 16;
	case EVENT_TYPE_NULL:
		return 0;
	}
	return 8;
}

static void set_bytes(struct maker_state *s, struct data *data, size_t len)
{
	uint8_t *bytes = talloc_array(s->mem_ctx, uint8_t, len + 1);
	size_t i;

	must(bytes != NULL, "no memory");
	for (i = 0; i < len; i++) {
		bytes[i] = (uint8_t)next_random(s, 256);
	}
	data->value = bytes;
	data->len = len;
}

static void set_fixed(struct maker_state *s, struct data *data, uint8_t type)
{
	uint8_t *bytes = NULL;

	data->type = type;
	set_bytes(s, data, size_of(type));
	bytes = talloc_memdup(s->mem_ctx, data->value, data->len + 1);
	must(bytes != NULL, "no memory");
	if (type == EVENT_TYPE_SID) {
		memcpy(bytes, "\1\2\0\0\0\0\0\5", 8);
	} else if (type == EVENT_TYPE_FILETIME) {
		bytes[7] = 1;
	} else if (type == EVENT_TYPE_REAL64) {
		le64_set(bytes, 0xC05EDD2F1A9FBE77ULL); /* -123.456 */
	}
	data->value = bytes;
}

static void set_text(struct maker_state *s, struct data *data, size_t which)
{
	size_t n = hostile_texts[which].num_units;
	uint8_t *bytes = talloc_array(s->mem_ctx, uint8_t, 2 * n + 1);
	size_t i;

	must(bytes != NULL, "no memory");
	for (i = 0; i < n; i++) {
		le16_set(bytes + 2 * i, hostile_texts[which].units[i]);
	}
	data->type = EVENT_TYPE_STRING;
	data->value = bytes;
	data->len = 2 * n;
}

/* A string of len bytes; every so often not ASCII, or to be escaped. */
static void set_long(struct maker_state *s, struct data *data, size_t len)
{
	static const uint16_t units[] = {'a',  'b', '"', 0x20AC, '\n', '\\',
					 0xE9, '#', '0', '1',	 '2',  0xD800};
	uint8_t *bytes = talloc_array(s->mem_ctx, uint8_t, len + 1);
	size_t i;

	must(bytes != NULL, "no memory");
	for (i = 0; i + 1 < len; i += 2) {
		uint32_t r = next_random(s, 64);

		le16_set(bytes + i,
			 r < 12 ? units[r] : (uint16_t)('A' + i % 26));
	}
	data->type = EVENT_TYPE_STRING;
	data->value = bytes;
	data->len = len & ~(size_t)1;
}

/* Strings with NULs between them, or numbers. */
static void set_array(struct maker_state *s, struct data *data)
{
	static const uint8_t strings[] = {'a',	0, 0, 0, 0,   0, '"', 0,
					  0xE9, 0, 0, 0, 'c', 0, 0,   0};

	if (next_random(s, 2) == 0) {
		data->type = EVENT_TYPE_STRING | EVENT_TYPE_ARRAY;
		data->value = strings;
		data->len = sizeof(strings);
		return;
	}
	set_bytes(s, data, 4 * next_random(s, 5));
	data->type = EVENT_TYPE_UINT32 | EVENT_TYPE_ARRAY;
}

static void set_any(struct maker_state *s, struct data *data)
{
	uint32_t r = next_random(s, 10);

	if (r < 5) {
		set_text(s, data,
			 next_random(s, sizeof(hostile_texts) /
						sizeof(hostile_texts[0])));
	} else if (r < 9) {
		set_fixed(s, data,
			  fixed_types[next_random(s, sizeof(fixed_types))]);
	} else {
		set_array(s, data);
	}
}

/* --------------------------------------------------------------- events */

static void set_system(unsigned int n, struct event_system *system)
{
	static const char *const providers[] = {
		"Sample", "Service Control Manager",
		"Microsoft-Windows-Security-Auditing",
		"Pr\xC3\xBC"
		"fer \"x\"]",
		"A provider with a name that is longer than an APP-NAME"};
	static const char *const computers[] = {"server.example.com", "H",
						"r\xC3\xA9seau 1"};
	static const struct ev_guid guid = {
		{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

	*system = (struct event_system){
		.provider = providers[n % 5],
		.provider_guid = n % 3 == 0 ? &guid : NULL,
		.activity_id = n % 4 == 0 ? &guid : NULL,
		.event_id = (uint16_t)(n * 331),
		.level = (uint8_t)(n % 7),
		.opcode = (uint8_t)n,
		.task = (uint16_t)(n * 77),
		.version = (uint8_t)(n % 3),
		.keywords = n % 2 == 0 ? 0x8010000000000000 : n,
		.time_created = n == 199 ? UINT64_MAX - 1
					 : TIME_BASE + n * 864000000123ULL,
		.process_id = n * 4,
		.thread_id = n * 8,
		.channel = n % 2 == 0 ? "Application" : "Other/Channel",
		.computer = computers[n % 7 < 2 ? n % 7 + 1 : 0],
		.record_id = n % 2 == 0 ? n + 1 : 9007199254740993ULL + n,
	};
}

static void set_data(struct maker_state *s, unsigned int n, struct test_case *c)
{
	size_t i;

	if (n == 190) {
		/* 1 MB. */
		c->shape = SHAPE_FLAT;
		c->num_data = 15;
		for (i = 0; i < c->num_data; i++) {
			set_long(s, &c->data[i], 65534);
		}
		return;
	}
	if (n == 191 || n == 192) {
		c->shape = SHAPE_FLAT;
		c->num_data = 2;
		set_bytes(s, &c->data[0], 65535);
		c->data[0].type = EVENT_TYPE_BINARY;
		set_long(s, &c->data[1], n == 191 ? 65534 : 100);
		return;
	}
	c->shape = n % 8 == 5	? SHAPE_DOCUMENT
		   : n % 8 == 6 ? SHAPE_USER_DATA
		   : n % 8 == 7 ? SHAPE_FLAT
				: SHAPE_EVENT_DATA;
	c->num_data = c->shape == SHAPE_USER_DATA ? 5 : n % 23;
	for (i = 0; i < c->num_data; i++) {
		if (c->shape == SHAPE_DOCUMENT) {
			set_text(s, &c->data[i], (n + i) % 8);
		} else if (n % 20 == 3) {
			set_long(s, &c->data[i], 100 + 60 * i);
		} else {
			set_any(s, &c->data[i]);
		}
	}
}

static void make_case(TALLOC_CTX *mem_ctx, unsigned int n,
		      struct test_case *ret_case)
{
	struct maker_state s = {.mem_ctx = mem_ctx, .seed = n * 7919 + 1};
	struct test_case *c = ret_case;
	size_t i;

	*c = (struct test_case){0};
	set_system(n, &c->system);
	set_data(&s, n, c);
	for (i = 0; i < c->num_data; i++) {
		c->data[i].name =
			next_random(&s, 12) == 0
				? NULL
				: hostile_names[next_random(
					  &s,
					  sizeof(hostile_names) /
						  sizeof(hostile_names[0]))];
	}
}

/* -------------------------------------------------------------- BinXML */

/* %1 to %5; the checker knows where they are. */
static const char user_data[] =
	"<Top xmlns='urn:x' a='%5'><A>%1</A><B><C>%2</C><C>%3</C>"
	"<D k='v'>x%4</D></B><E/></Top>";

static void build(struct maker_state *s, const struct test_case *c,
		  struct buf *out)
{
	struct event_data data[DATA_MAX];
	size_t i;

	for (i = 0; i < c->num_data; i++) {
		data[i] = (struct event_data){.name = c->data[i].name,
					      .type = c->data[i].type,
					      .value = c->data[i].value,
					      .len = c->data[i].len};
	}
	buf_init(out, s->mem_ctx, EVENT_WIRE_MAX);
	if (c->shape == SHAPE_USER_DATA) {
		must(event_build_user(out, &c->system, user_data, data,
				      c->num_data) == EVERR_OK,
		     "event_build_user");
	} else {
		must(event_build(out, &c->system, data, c->num_data) ==
			     EVERR_OK,
		     "event_build");
	}
}

static void put_literal(struct maker *m, const char *name, const char *text)
{
	make_open(m, name, EVENT_NO_DEPENDENCY, false);
	make_kind(m, EVENT_TOKEN_CLOSE_START);
	make_text(m, text);
	make_kind(m, EVENT_TOKEN_END);
}

static void put_number(struct maker *m, const char *name, unsigned int v)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", v);
	put_literal(m, name, text);
}

static void put_units(struct maker *m, const struct data *data)
{
	make_put(m, (struct event_token){.kind = EVENT_TOKEN_TEXT,
					 .units = data->value,
					 .num_units = data->len / 2});
}

/* A few fields are enough, as text: older templates have them so. */
static void put_system(struct maker *m, const struct event_system *system)
{
	make_open(m, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(m, EVENT_TOKEN_CLOSE_START);
	make_open(m, "Provider", EVENT_NO_DEPENDENCY, true);
	make_attribute(m, "Name");
	make_text(m, system->provider);
	make_kind(m, EVENT_TOKEN_CLOSE_EMPTY);
	put_number(m, "EventID", system->event_id);
	put_number(m, "Level", system->level);
	put_literal(m, "Channel", system->channel);
	put_literal(m, "Computer", system->computer);
	make_kind(m, EVENT_TOKEN_END);
}

static void build_flat(struct maker_state *s, const struct test_case *c,
		       struct buf *out)
{
	bool document = c->shape == SHAPE_DOCUMENT;
	struct maker m;
	uint16_t i;

	make_start(&m, s->mem_ctx,
		   document ? EVENT_READ_DOCUMENT : EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	put_system(&m, &c->system);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < c->num_data; i++) {
		make_open(&m, "Data", EVENT_NO_DEPENDENCY,
			  c->data[i].name != NULL);
		if (c->data[i].name != NULL) {
			make_attribute(&m, "Name");
			make_text(&m, c->data[i].name);
		}
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
		if (document) {
			put_units(&m, &c->data[i]);
		} else {
			make_put(&m, (struct event_token){
					     .kind = EVENT_TOKEN_SUBST,
					     .subst_id = i,
					     .subst_type = c->data[i].type});
			make_value(&m, c->data[i].type, c->data[i].value,
				   c->data[i].len);
		}
		make_kind(&m, EVENT_TOKEN_END);
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_document(&m, out);
}

/* ------------------------------------------------------------- printing */

static void print_hex(const char *name, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	printf("\"%s\":\"", name);
	for (i = 0; i < len; i++) {
		printf("%02x", p[i]);
	}
	printf("\"");
}

static void print_data(const struct data *data)
{
	printf("{\"type\":%u,", data->type);
	if (data->name != NULL) {
		print_hex("name", data->name, strlen(data->name));
		printf(",");
	}
	print_hex("value", data->value, data->len);
	printf("}");
}

static uint64_t record_id(unsigned int n)
{
	return n == 3 ? 9007199254740994ULL : n + 1;
}

static void declare(unsigned int n, const struct test_case *c)
{
	const struct event_system *system = &c->system;
	size_t i;

	printf("{\"shape\":\"%s\",\"eventId\":%u,\"level\":%u,\"version\":%u,"
	       "\"task\":%u,\"opcode\":%u,\"keywords\":%" PRIu64
	       ",\"time\":%" PRIu64 ",\"processId\":%u,\"threadId\":%u,"
	       "\"eventRecordId\":%" PRIu64 ",\"recordId\":%" PRIu64
	       ",\"guid\":%s,\"activity\":%s,\"eventChannel\":\"%s\",",
	       shape_names[c->shape], system->event_id, system->level,
	       system->version, system->task, system->opcode, system->keywords,
	       system->time_created, system->process_id, system->thread_id,
	       system->record_id, record_id(n),
	       system->provider_guid != NULL ? "true" : "false",
	       system->activity_id != NULL ? "true" : "false", system->channel);
	print_hex("provider", system->provider, strlen(system->provider));
	printf(",");
	print_hex("computer", system->computer, strlen(system->computer));
	printf(",\"data\":[");
	for (i = 0; i < c->num_data; i++) {
		printf("%s", i > 0 ? "," : "");
		print_data(&c->data[i]);
	}
	printf("]}\n");
}

struct printer {
	struct event_dict *dict;
	struct event_packer *packer;
	struct forward_format *format;
	struct buf out;
};

static void write_message(struct printer *p)
{
	printf("%zu ", p->out.len);
	fwrite(p->out.data, 1, p->out.len, stdout);
}

static void print_case(struct printer *p, TALLOC_CTX *mem_ctx, unsigned int n,
		       const struct test_case *c)
{
	struct maker_state s = {.mem_ctx = mem_ctx};
	struct event_packed packed;
	struct forward_event event;
	struct buf doc;
	uint32_t marks;

	if (c->shape == SHAPE_FLAT || c->shape == SHAPE_DOCUMENT) {
		build_flat(&s, c, &doc);
	} else {
		build(&s, c, &doc);
	}
	must(event_pack(p->packer, doc.data, doc.len, &packed) == EVERR_OK,
	     "event_pack");
	event = (struct forward_event){
		.channel = "Application",
		.record_id = record_id(n),
		.received = TIME_BASE + n,
		.header = &packed.header,
		.data = packed.data,
		.len = packed.len,
		.origin = n % 2 == 0 ? "dc1.example.com" : NULL,
		.origin_mark = n % 2 == 0 ? "verified" : NULL,
	};
	buf_reset(&p->out);
	must(forward_format_event(p->format, &p->out, &event, &marks) ==
		     EVERR_OK,
	     "forward_format_event");
	write_message(p);
}

static void print_gap(struct printer *p, bool at_most)
{
	const struct forward_gap gap = {.first = 11,
					.last = 20,
					.missing = 9,
					.at_most = at_most,
					.cause = "trim]med"};

	buf_reset(&p->out);
	must(forward_format_gap(p->format, &p->out, "App\"lication", &gap,
				TIME_BASE) == EVERR_OK,
	     "forward_format_gap");
	write_message(p);
}

static uint32_t kind_of(const char *name)
{
	static const char *const names[] = {"rfc5424", "rfc5424-json",
					    "rfc3164", "json"};
	uint32_t i;

	for (i = 0; i < 4; i++) {
		if (strcmp(name, names[i]) == 0) {
			return i;
		}
	}
	must(false, "no such format");
	return 0;
}

static void printer_init(struct printer *p, TALLOC_CTX *mem_ctx,
			 const char *kind, const char *max)
{
	const struct forward_config config = {
		.format = kind_of(kind),
		.facility = 16,
		.sd_id = "evenlog@32473",
		.max_message = strtoull(max, NULL, 10),
	};

	p->dict = event_dict_create(mem_ctx, NULL);
	p->packer = event_packer_create(mem_ctx, p->dict);
	must(forward_format_create(mem_ctx, &config, "collector", p->dict, NULL,
				   &p->format) == EVERR_OK,
	     "forward_format_create");
	buf_init(&p->out, mem_ctx, 1 << 24);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct printer printer = {0};
	struct test_case c;
	unsigned int n;
	bool gap = argc == 3 && strcmp(argv[1], "gap") == 0;
	bool declared = argc == 2 && strcmp(argv[1], "declared") == 0;

	/* No tests here: what make.h brings for them is not needed. */
	(void)leak_setup;
	(void)leak_teardown;
	must(declared || argc == 3,
	     "usage: declared | gap FORMAT | FORMAT MAX");
	if (!declared) {
		printer_init(&printer, mem_ctx, argv[gap ? 2 : 1],
			     gap ? "65536" : argv[2]);
	}
	if (gap) {
		print_gap(&printer, false);
		print_gap(&printer, true);
		talloc_free(mem_ctx);
		return 0;
	}
	for (n = 0; n < NUM_CASES; n++) {
		TALLOC_CTX *case_ctx = talloc_new(mem_ctx);

		make_case(case_ctx, n, &c);
		if (declared) {
			declare(n, &c);
		} else {
			print_case(&printer, case_ctx, n, &c);
		}
		talloc_free(case_ctx);
	}
	talloc_free(mem_ctx);
	return 0;
}
