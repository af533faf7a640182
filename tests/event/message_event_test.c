/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Events composed by a manifest, and shown by it. */

#include "tests/leak.h"
#include "tests/event/make.h"
#include "tests/event/manifest.h"

#include "event/compose.h"
#include "event/message_event.h"

#define OUT_MAX (1 << 20)

struct fixture {
	TALLOC_CTX *mem_ctx;
	struct event_catalog *catalog;
	const struct event_publisher *publisher;
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_packed packed;
	struct buf out;
	char *message;
};

static const struct event_system base = {
	.computer = "host",
	.time_created = 133444736000000000,
};

static void start(struct fixture *f, TALLOC_CTX *mem_ctx)
{
	struct event_manifest *manifest = man_read(mem_ctx, MAN_SAMPLE);
	const char *name = NULL;

	*f = (struct fixture){.mem_ctx = mem_ctx};
	f->catalog = event_catalog_create(mem_ctx);
	assert_int_equal(event_catalog_add(f->catalog, manifest, &name),
			 EVERR_OK);
	f->publisher = event_catalog_find(f->catalog, "Contoso-Backup");
	f->dict = event_dict_create(mem_ctx, NULL);
	f->packer = event_packer_create(mem_ctx, f->dict);
	buf_init(&f->out, mem_ctx, OUT_MAX);
}

static void pack(struct fixture *f, const struct buf *doc)
{
	assert_int_equal(event_pack(f->packer, doc->data, doc->len, &f->packed),
			 EVERR_OK);
}

/* pairs: name, value, ..., NULL */
static everr_t compose(struct fixture *f, uint32_t id, uint8_t version,
		       const char *const *pairs)
{
	struct event_compose_value values[8];
	struct buf doc;
	size_t num = 0;
	everr_t err;

	for (; pairs[2 * num] != NULL; num++) {
		values[num].name = pairs[2 * num];
		values[num].text = pairs[2 * num + 1];
	}
	buf_init(&doc, f->mem_ctx, OUT_MAX);
	err = event_compose(f->mem_ctx, &doc, f->publisher,
			    event_publisher_event(f->publisher, id, version),
			    &base, values, num, &f->message);
	if (err == EVERR_OK) {
		pack(f, &doc);
	}
	return err;
}

static const char *xml(struct fixture *f)
{
	buf_reset(&f->out);
	assert_int_equal(event_render_xml(&f->out, f->dict, f->packed.data,
					  f->packed.len, NULL),
			 EVERR_OK);
	buf_put_u8(&f->out, 0);
	return (const char *)f->out.data;
}

/* As the forwarder has it, which reads no more than the message names. */
static everr_t put_open(struct fixture *f, struct buf *out, uint32_t lcid)
{
	const struct event_header *header = &f->packed.header;
	struct event_message_source *read = NULL;
	struct event_message_source *source = NULL;
	const struct event_publisher *publisher = NULL;
	struct event_render render = {.out = out, .dict = f->dict};
	struct event_scope scope;
	struct buf scratch;
	everr_t err;

	assert_int_equal(event_message_read(f->mem_ctx, f->dict, f->packed.data,
					    f->packed.len, &read),
			 EVERR_OK);
	publisher = event_message_publisher(f->catalog, read);
	if (publisher == NULL) {
		return EVERR_PUBLISHER;
	}
	/* What is not set must not be looked at. */
	source = talloc(f->mem_ctx, struct event_message_source);
	assert_non_null(source);
	memset(source, 0xAA, sizeof(*source));
	source->event_id = header->event_id;
	source->version = header->version;
	source->qualifiers = read->qualifiers;
	source->has_qualifiers = read->has_qualifiers;
	buf_init(&scratch, f->mem_ctx, OUT_MAX);
	assert_int_equal(event_scope_open(&scope, &render, f->packed.data,
					  f->packed.len),
			 EVERR_OK);
	err = event_message_put_open(out, publisher, source, &scope, &scratch,
				     lcid);
	event_scope_close(&scope);
	return err;
}

static const char *shown(struct fixture *f, uint32_t lcid)
{
	struct buf other;
	everr_t err;

	buf_reset(&f->out);
	err = event_message_render(&f->out, f->catalog, f->dict, f->packed.data,
				   f->packed.len, lcid);
	buf_init(&other, f->mem_ctx, OUT_MAX);
	assert_int_equal(put_open(f, &other, lcid), err);
	if (err != EVERR_OK) {
		return everr_name(err);
	}
	assert_int_equal(other.len, f->out.len);
	assert_memory_equal(other.data, f->out.data, other.len);
	buf_put_u8(&f->out, 0);
	return (const char *)f->out.data;
}

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		fail_msg("no %s in %s", part, text);
	}
}

static const char *const backup[] = {"Name",  "db",    "Size",	"0x1000",
				     "Kind",  "2",     "Where", "5",
				     "Parts", "1,2,3", NULL};

static void test_an_event_is_as_its_manifest_says(void **state)
{
	struct fixture f;

	start(&f, *state);
	assert_int_equal(compose(&f, 5, 2, backup), EVERR_OK);
	assert_has(xml(&f), "<Provider Name='Contoso-Backup' Guid='{1DB28F2E-"
			    "8F80-4027-8C5A-A11F7F10F62D}'/>");
	assert_has(xml(&f), "<EventID>5</EventID><Version>2</Version>"
			    "<Level>2</Level><Task>7</Task><Opcode>12</Opcode>"
			    "<Keywords>0x4020000000000001</Keywords>");
	assert_has(xml(&f), "<Channel>Contoso-Backup/Operational</Channel>");
	assert_has(xml(&f), "<EventData><Data Name='Name'>db</Data>"
			    "<Data Name='Size'>0x1000</Data>"
			    "<Data Name='Kind'>2</Data>"
			    "<Data Name='Where'>5</Data>"
			    "<Data Name='Parts'>1</Data>"
			    "<Data Name='Parts'>2</Data>"
			    "<Data Name='Parts'>3</Data></EventData>");
}

static void test_maps_and_types_show_in_the_message(void **state)
{
	struct fixture f;

	start(&f, *state);
	assert_int_equal(compose(&f, 5, 2, backup), EVERR_OK);
	assert_string_equal(shown(&f, 0),
			    "db has 0x1000 bytes, partial on disk, tape.");
	assert_string_equal(shown(&f, 0x407),
			    "db hat 0x1000 Bytes, partial auf disk, tape.");
}

/* How an outType shows a number. */
static void test_out_types_show_in_the_message(void **state)
{
	static const char man[] =
		MAN_HEAD "<provider name='P' guid='{1db28f2e-8f80-4027-8c5a-"
			 "a11f7f10f62e}'><channels><channel name='C' "
			 "type='Admin'/></channels><templates><template "
			 "tid='T'>"
			 "<data name='A' inType='win:UInt8' "
			 "outType='win:HexInt8'/>"
			 "<data name='B' inType='win:UInt32' "
			 "outType='win:IPv4'/>"
			 "<data name='C' inType='win:UInt32' "
			 "outType='win:NTSTATUS'/>"
			 "<data name='D' inType='win:UInt32' "
			 "outType='win:Win32Error'/>"
			 "<data name='E' inType='win:UInt16' count='N'/>"
			 "<data name='F' inType='win:UnicodeString' count='2'/>"
			 "</template></templates><events>"
			 "<event value='1' channel='C' template='T' "
			 "message='$(string.E)'/></events></provider>" MAN_LOCAL
			 "<string id='E' value='%1 %2 %3 %4 %5 %6'/>" MAN_TAIL;
	/* 16777343 is 127.0.0.1 in memory. */
	const char *const pairs[] = {
		"A", "200", "B",   "16777343", "C",   "0xC0000022", "D",
		"5", "E",   "1,2", "F",	       "x,y", NULL};
	const char *name = NULL;
	struct fixture f;

	start(&f, *state);
	assert_int_equal(
		event_catalog_add(f.catalog, man_read(*state, man), &name),
		EVERR_OK);
	f.publisher = event_catalog_find(f.catalog, "P");
	assert_int_equal(compose(&f, 1, 0, pairs), EVERR_OK);
	assert_string_equal(shown(&f, 0),
			    "0xc8 127.0.0.1 0xc0000022 5 1 2 x y");
}

/* Where the dictionary has no room an event is a document. */
static void test_a_document_shows_as_its_template_does(void **state)
{
	const struct event_dict_limits none = {0};
	const char *const pairs[] = {"N", "-3", "Who", "me", NULL};
	struct event_message_source *source = NULL;
	struct fixture f;

	start(&f, *state);
	f.dict = event_dict_create(*state, &none);
	f.packer = event_packer_create(*state, f.dict);
	assert_int_equal(compose(&f, 5, 2, backup), EVERR_OK);
	assert_int_equal(event_dict_count(f.dict), 0);
	assert_string_equal(shown(&f, 0),
			    "db has 0x1000 bytes, partial on disk, tape.");
	assert_int_equal(compose(&f, 16, 0, pairs), EVERR_OK);
	assert_int_equal(event_message_read(*state, f.dict, f.packed.data,
					    f.packed.len, &source),
			 EVERR_OK);
	assert_int_equal(source->num_inserts, 2);
	assert_string_equal(source->inserts[0].text, "me");
	assert_string_equal(source->channel, "Contoso-Backup/Debug");
}

static void test_numbers_without_a_name_in_the_map_stay(void **state)
{
	const char *const pairs[] = {"Name",  "db",    "Size",	"1",
				     "Kind",  "9",     "Where", "9",
				     "Parts", "1,2,3", NULL};
	struct fixture f;

	start(&f, *state);
	assert_int_equal(compose(&f, 5, 2, pairs), EVERR_OK);
	assert_string_equal(shown(&f, 0), "db has 0x1 bytes, 9 on disk, 0x8.");
}

static void test_a_map_is_taken_by_its_text(void **state)
{
	const char *const pairs[] = {"Name",  "db",    "Size",	"1",
				     "Kind",  "full",  "Where", "0",
				     "Parts", "1,2,3", NULL};
	struct fixture f;

	start(&f, *state);
	assert_int_equal(compose(&f, 5, 2, pairs), EVERR_OK);
	assert_has(xml(&f), "<Data Name='Kind'>1</Data>");
	assert_string_equal(shown(&f, 0), "db has 0x1 bytes, full on 0.");
}

static void test_user_data_have_their_own_shape(void **state)
{
	const char *const pairs[] = {"N", "-3", "Who", "me & you", NULL};
	struct event_message_source *source = NULL;
	struct fixture f;

	start(&f, *state);
	assert_int_equal(compose(&f, 16, 0, pairs), EVERR_OK);
	assert_has(xml(&f),
		   "<UserData><Done xmlns='urn:contoso' Who='me &amp; you'>"
		   "<Count>-3</Count><Note>a &amp; b</Note></Done></UserData>");
	assert_int_equal(event_message_read(*state, f.dict, f.packed.data,
					    f.packed.len, &source),
			 EVERR_OK);
	assert_int_equal(source->num_inserts, 2);
	assert_string_equal(source->inserts[0].text, "me & you");
	assert_string_equal(source->inserts[1].text, "-3");
	assert_string_equal(shown(&f, 0), "EVERR_MESSAGE");
}

static void test_an_event_without_data_and_its_channel(void **state)
{
	const char *const none[] = {NULL};
	const char *const some[] = {"X", "1", NULL};
	struct fixture f;

	start(&f, *state);
	assert_int_equal(compose(&f, 3, 0, none), EVERR_INVALID);
	assert_string_equal(f.message,
			    "the manifest names no channel for the event 3 of "
			    "Contoso-Backup: say which");
	assert_int_equal(compose(&f, 3, 0, some), EVERR_INVALID);
	assert_string_equal(
		f.message,
		"the event 3 of Contoso-Backup has no data, and so no X");
}

static void test_what_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *pairs[13];
		everr_t err;
		const char *message;
	} cases[] = {
		{{"Name", "db", NULL},
		 EVERR_INVALID,
		 "there is no value for Size; the data of event 5 of "
		 "Contoso-Backup are Name, Size, Kind, Where, Parts"},
		{{"Nme", "db", NULL},
		 EVERR_INVALID,
		 "the event 5 of Contoso-Backup has no Nme; its data are "
		 "Name, Size, Kind, Where, Parts"},
		{{"Name", "db", "Name", "x", NULL},
		 EVERR_INVALID,
		 "Name is given twice"},
		{{"Name", "db", "Size", "big", NULL},
		 EVERR_TEXT,
		 "Size is a win:UInt64, which \"big\" is not"},
		{{"Name", "db", "Size", "1", "Kind", "half", NULL},
		 EVERR_TEXT,
		 "Kind is a win:UInt32, which \"half\" is not"},
		{{"Name", "db", "Size", "1", "Kind", "1", "Where", "1", "Parts",
		  "1,2", NULL},
		 EVERR_TEXT,
		 "Parts has 3 items with commas between them, not 2"},
		{{"Name", "db", "Size", "1", "Kind", "1", "Where", "1", "Parts",
		  "1,70000,2", NULL},
		 EVERR_TEXT,
		 "Parts is a win:UInt16, which \"70000\" is not"},
	};
	struct fixture f;
	size_t i;

	start(&f, *state);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(compose(&f, 5, 2, cases[i].pairs),
				 cases[i].err);
		assert_string_equal(f.message, cases[i].message);
	}
}

/* The classic layout of facts 10.2: strings in one array, then binary. */
static void make_classic(struct fixture *f, const char *provider, uint16_t id,
			 uint16_t qualifiers)
{
	static const uint8_t strings[] = {'a', 0, 0,   0, 'b', 0, 'c', 0,
					  0,   0, '%', 0, '%', 0, '1', 0,
					  '8', 0, '3', 0, '2', 0, 0,   0};
	struct maker m;
	struct buf doc;

	make_start(&m, f->mem_ctx, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "System", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "Provider", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Name");
	make_text(&m, provider);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_open(&m, "EventID", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Qualifiers");
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_leaf(&m, "Keywords", 4);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_leaf(&m, "Data", 2);
	make_leaf(&m, "Binary", 3);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_UINT16, &id, 2);
	make_value(&m, EVENT_TYPE_UINT16, &qualifiers, 2);
	make_value(&m, EVENT_TYPE_STRING | EVENT_TYPE_ARRAY, strings,
		   sizeof(strings));
	make_value(&m, EVENT_TYPE_BINARY, "\x01\x02", 2);
	make_value(&m, EVENT_TYPE_HEXINT64, "\0\0\0\0\0\0\x80\0", 8);
	make_document(&m, &doc);
	pack(f, &doc);
}

static void test_a_classic_event_has_an_insert_for_each_string(void **state)
{
	struct event_message_source *source = NULL;
	struct fixture f;

	start(&f, *state);
	make_classic(&f, "A < B", 4660, 0xC000);
	assert_int_equal(event_message_read(*state, f.dict, f.packed.data,
					    f.packed.len, &source),
			 EVERR_OK);
	assert_string_equal(source->provider, "A < B");
	assert_int_equal(source->event_id, 4660);
	assert_true(source->has_qualifiers);
	assert_int_equal(source->qualifiers, 0xC000);
	assert_true(source->keywords == 0x80000000000000);
	assert_int_equal(source->num_inserts, 3);
	assert_string_equal(source->inserts[0].text, "a");
	assert_string_equal(source->inserts[1].text, "bc");
	assert_null(source->inserts[0].name);
	assert_int_equal(
		event_message_id(event_catalog_default(f.catalog), source),
		0xC0001234);
	assert_string_equal(shown(&f, 0), "EVERR_PUBLISHER");
}

/* The messageTable has the text of 0 << 16 | 8193. */
static void test_a_classic_events_message_is_in_the_table(void **state)
{
	struct fixture f;

	start(&f, *state);
	make_classic(&f, "contoso-backup", 8193, 0);
	assert_string_equal(shown(&f, 0), "the third");
	make_classic(&f, "contoso-backup", 8194, 0);
	assert_string_equal(shown(&f, 0), "EVERR_MESSAGE");
}

static void test_a_damaged_event_is_refused(void **state)
{
	struct event_message_source *source = NULL;
	struct fixture f;
	size_t len;

	start(&f, *state);
	assert_int_equal(compose(&f, 5, 2, backup), EVERR_OK);
	for (len = 0; len < f.packed.len; len++) {
		uint8_t *cut = talloc_memdup(*state, f.packed.data, len);
		everr_t err;

		err = event_message_read(*state, f.dict, cut, len, &source);
		assert_int_not_equal(err, EVERR_OK);
		talloc_free(cut);
	}
	assert_null(source);
}

/* Work is counted, and a number of 309 digits takes a lot of it. */
static void test_a_long_text_beside_a_large_number_is_read(void **state)
{
	static const uint8_t largest[] = {0xFF, 0xFF, 0xFF, 0xFF,
					  0xFF, 0xFF, 0xEF, 0x7F};
	struct event_message_source *source = NULL;
	char text[32001];
	struct fixture f;
	struct maker m;
	struct buf doc;

	start(&f, *state);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_leaf(&m, "Data", 0);
	make_leaf(&m, "Data", 1);
	make_leaf(&m, "Data", 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_string(&m, text);
	make_value(&m, EVENT_TYPE_REAL64, largest, sizeof(largest));
	make_document(&m, &doc);
	pack(&f, &doc);
	assert_int_equal(event_message_read(*state, f.dict, f.packed.data,
					    f.packed.len, &source),
			 EVERR_OK);
	assert_int_equal(source->num_inserts, 3);
	assert_int_equal(strlen(source->inserts[1].text), 309 + 7);
	assert_string_equal(source->inserts[2].text, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_an_event_is_as_its_manifest_says),
		leak_test(test_maps_and_types_show_in_the_message),
		leak_test(test_out_types_show_in_the_message),
		leak_test(test_a_document_shows_as_its_template_does),
		leak_test(test_numbers_without_a_name_in_the_map_stay),
		leak_test(test_a_map_is_taken_by_its_text),
		leak_test(test_user_data_have_their_own_shape),
		leak_test(test_an_event_without_data_and_its_channel),
		leak_test(test_what_does_not_fit_is_refused),
		leak_test(test_a_classic_event_has_an_insert_for_each_string),
		leak_test(test_a_classic_events_message_is_in_the_table),
		leak_test(test_a_damaged_event_is_refused),
		leak_test(test_a_long_text_beside_a_large_number_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
