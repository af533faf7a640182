/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/vectors.h"
#include "tests/event/wire.h"

#include "event/build.h"
#include "event/event.h"

/* What facts 19 say of the vector manifest-style. */
static const uint8_t local_system[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
static const struct ev_guid provider_guid = {
	{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55,
	 0x55, 0x55, 0x55, 0x55}};
static const struct event_data vector_data[] = {
	{"User", EVENT_TYPE_STRING, (const uint8_t *)"b\0o\0b\0", 6},
	{"Port", EVENT_TYPE_UINT32, (const uint8_t *)"\xBD\x01\0\0", 4},
};
static const struct event_system vector_system = {
	.provider = "Example-Provider",
	.provider_guid = &provider_guid,
	.event_id = 1000,
	.level = 4,
	.keywords = 0x8000000000000000,
	.time_created = 133444736000000000,
	.process_id = 1234,
	.thread_id = 5678,
	.channel = "Application",
	.computer = "srv.example",
	.user_sid = local_system,
	.user_sid_len = sizeof(local_system),
	.record_id = 1,
};

static const struct event_system least = {
	.provider = "P",
	.channel = "C",
	.computer = "H",
};

/* <name>%id</name> that depends on its value. */
static void field(struct wire *w, const char *name, uint16_t id, uint8_t type)
{
	wire_open(w, name, id, false);
	wire_close_start(w);
	wire_subst(w, true, id, type);
	wire_end(w);
}

static void attribute(struct wire *w, const char *name, bool more, uint16_t id,
		      uint8_t type)
{
	wire_attribute(w, name, more);
	wire_subst(w, true, id, type);
}

/* <name first='%..' second='%..'/> */
static void element(struct wire *w, const char *name, const char *first,
		    uint16_t first_id, const char *second, uint16_t second_id,
		    uint8_t type)
{
	wire_open(w, name, WIRE_NONE, true);
	attribute(w, first, second != NULL, first_id, type);
	if (second != NULL) {
		attribute(w, second, false, second_id, type);
	}
	wire_close_empty(w);
}

/*
 * The System template by hand: as Windows has it with the host's name in it,
 * or ours with the name as value 18 and the body as normal substitution.
 */
static void system_definition(struct wire *w, const char *computer)
{
	bool windows = computer != NULL;

	wire_header(w);
	wire_open(w, "Event", windows ? 17 : WIRE_NONE, true);
	wire_attribute(w, "xmlns", false);
	wire_text(w, "http://schemas.microsoft.com/win/2004/08/events/event");
	wire_close_start(w);
	wire_open(w, "System", WIRE_NONE, false);
	wire_close_start(w);
	wire_open(w, "Provider", WIRE_NONE, true);
	attribute(w, "Name", true, 14, 0x01);
	attribute(w, "Guid", false, 15, 0x0F);
	wire_close_empty(w);
	wire_open(w, "EventID", 3, true);
	attribute(w, "Qualifiers", false, 4, 0x06);
	wire_close_start(w);
	wire_subst(w, true, 3, 0x06);
	wire_end(w);
	field(w, "Version", 11, 0x04);
	field(w, "Level", 0, 0x04);
	field(w, "Task", 2, 0x06);
	field(w, "Opcode", 1, 0x04);
	field(w, "Keywords", 5, 0x15);
	element(w, "TimeCreated", "SystemTime", 6, NULL, 0, 0x11);
	field(w, "EventRecordID", 10, 0x0A);
	element(w, "Correlation", "ActivityID", 7, "RelatedActivityID", 13,
		0x0F);
	element(w, "Execution", "ProcessID", 8, "ThreadID", 9, 0x08);
	field(w, "Channel", 16, 0x01);
	if (windows) {
		wire_leaf(w, "Computer", WIRE_NONE, computer);
	} else {
		field(w, "Computer", 18, 0x01);
	}
	element(w, "Security", "UserID", 12, NULL, 0, 0x13);
	wire_end(w);
	wire_subst(w, windows, 17, 0x21);
	wire_end(w);
	wire_u8(w, 0);
}

static void put_guid_of(struct buf *wire, size_t def, size_t len)
{
	struct ev_guid guid;

	ev_guid_from_bytes(wire->data + def, len, &guid);
	memcpy(wire->data + def - 20, guid.b, 16);
}

/*
 * The whole document by hand.  The hand is checked first: with the host's name
 * it writes the definition of the vector, which other parsers have read.
 */
static void test_the_document_is_the_vector_with_computer_as_a_value(
	void **state)
{
	struct wire w;
	struct buf vector, out;
	const uint8_t *nested = NULL;
	uint8_t time[8];
	size_t def;

	wire_init(&w, *state);
	buf_init(&vector, *state, 4096);
	buf_init(&out, *state, 4096);
	vector_load(&vector, "manifest-style");
	system_definition(&w, "srv.example");
	assert_int_equal(w.b.len, le32_get(vector.data + 22));
	assert_memory_equal(w.b.data, vector.data + 26, w.b.len);

	buf_reset(&w.b);
	w.depth = 0;
	wire_header(&w);
	wire_template(&w, 0);
	system_definition(&w, NULL);
	put_guid_of(&w.b, w.def, w.b.len - w.def);
	wire_values(&w, 19);
	wire_value(&w, 0x04, "\4", 1);
	wire_value(&w, 0x04, "\0", 1);
	wire_value(&w, 0x06, "\0\0", 2);
	wire_value(&w, 0x06, "\xE8\3", 2);
	wire_value(&w, 0x00, "", 0);
	wire_value(&w, 0x15, "\0\0\0\0\0\0\0\x80", 8);
	le64_set(time, 133444736000000000);
	wire_value(&w, 0x11, time, 8);
	wire_value(&w, 0x00, "", 0);
	wire_value(&w, 0x08, "\xD2\4\0\0", 4);
	wire_value(&w, 0x08, "\x2E\x16\0\0", 4);
	wire_value(&w, 0x0A, "\1\0\0\0\0\0\0\0", 8);
	wire_value(&w, 0x04, "\0", 1);
	wire_value(&w, 0x13, local_system, sizeof(local_system));
	wire_value(&w, 0x00, "", 0);
	wire_value(&w, 0x01, "E\0x\0a\0m\0p\0l\0e\0-\0P\0r\0o\0v\0i\0d\0e\0r\0",
		   32);
	wire_value(&w, 0x0F, provider_guid.b, 16);
	wire_value(&w, 0x01, "A\0p\0p\0l\0i\0c\0a\0t\0i\0o\0n\0", 22);
	/* EventData of the vector: 203 bytes before its last. */
	nested = vector.data + vector.len - 1 - 203;
	def = w.b.len + 26;
	wire_value(&w, 0x21, nested, 203);
	put_guid_of(&w.b, def, 0x9A);
	wire_value(&w, 0x01, "s\0r\0v\0.\0e\0x\0a\0m\0p\0l\0e\0", 22);
	wire_u8(&w, 0);

	assert_int_equal(event_build(&out, &vector_system, vector_data, 2),
			 EVERR_OK);
	assert_int_equal(out.len, w.b.len);
	assert_memory_equal(out.data, w.b.data, w.b.len);
	buf_free(&w.b);
	buf_free(&vector);
	buf_free(&out);
}

static void test_a_built_event_packs_into_shared_templates(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_packer *packer = event_packer_create(*state, dict);
	struct event_system system = vector_system;
	struct event_packed packed = {0};
	struct buf out, wire;
	int i;

	buf_init(&out, *state, 4096);
	buf_init(&wire, *state, 4096);
	for (i = 0; i < 3; i++) {
		buf_reset(&out);
		buf_reset(&wire);
		system.computer = i == 0 ? "one" : "another.example";
		system.channel = i == 1 ? "System" : "Application";
		system.provider = i == 2 ? "X" : "Y";
		system.record_id = 0x1122334455667788;
		assert_int_equal(event_build(&out, &system, vector_data, 2),
				 EVERR_OK);
		assert_int_equal(event_pack(packer, out.data, out.len, &packed),
				 EVERR_OK);
		assert_int_equal(event_dict_count(dict), 2);
		assert_int_equal(packed.header.has, 0xFF);
		assert_int_equal(packed.header.event_id, 1000);
		assert_int_equal(
			le64_get(packed.data + packed.record_id_offset),
			0x1122334455667788);
		assert_int_equal(event_packed_to_wire(&wire, dict, packed.data,
						      packed.len),
				 EVERR_OK);
		assert_int_equal(wire.len, out.len);
		assert_memory_equal(wire.data, out.data, out.len);
	}
	talloc_free(packer);
	talloc_free(dict);
	buf_free(&out);
	buf_free(&wire);
}

/* The spec of a value of the outer instance. */
static const uint8_t *spec(const struct buf *out, unsigned int id)
{
	uint32_t def_len = le32_get(out->data + 22);

	return out->data + 26 + def_len + 4 + 4 * (size_t)id;
}

static void test_what_is_absent_is_null(void **state)
{
	static const unsigned int optional[] = {4, 7, 12, 13, 15, 17};
	struct buf out;
	size_t i;

	buf_init(&out, *state, 4096);
	assert_int_equal(event_build(&out, &least, NULL, 0), EVERR_OK);
	for (i = 0; i < 6; i++) {
		assert_memory_equal(spec(&out, optional[i]), "\0\0\0\0", 4);
	}
	assert_memory_equal(spec(&out, 14), "\2\0\1\0", 4);
	buf_free(&out);
}

/* Its value is Null, and the template is that of an event with the value. */
static void test_data_that_are_absent_share_the_template(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_packer *packer = event_packer_create(*state, dict);
	struct event_data data[] = {vector_data[0], vector_data[1]};
	struct event_packed packed;
	struct buf out, text;
	size_t i;

	buf_init(&text, *state, 65536);
	for (i = 0; i < 2; i++) {
		buf_init(&out, *state, 4096);
		assert_int_equal(event_build(&out, &least, data, 2), EVERR_OK);
		assert_int_equal(event_pack(packer, out.data, out.len, &packed),
				 EVERR_OK);
		buf_free(&out);
		/* System and EventData, numbered from 1. */
		assert_int_equal(event_dict_next_no(dict), 3);
		data[1] = (struct event_data){.name = "Port",
					      .type = EVENT_TYPE_UINT32,
					      .absent = true};
	}
	assert_int_equal(
		event_render_xml(&text, dict, packed.data, packed.len, NULL),
		EVERR_OK);
	buf_put_u8(&text, 0);
	assert_non_null(strstr((const char *)text.data,
			       "<EventData><Data Name='User'>bob</Data>"
			       "<Data Name='Port'></Data></EventData>"));
	talloc_free(packer);
	talloc_free(dict);
	buf_free(&text);
}

static void test_what_is_given_has_the_types_clients_demand(void **state)
{
	struct event_system system = vector_system;
	struct buf out;

	system.has_qualifiers = true;
	system.activity_id = &provider_guid;
	system.related_activity_id = &provider_guid;
	buf_init(&out, *state, 4096);
	assert_int_equal(event_build(&out, &system, vector_data, 2), EVERR_OK);
	assert_memory_equal(spec(&out, 4), "\2\0\6\0", 4);
	assert_memory_equal(spec(&out, 7), "\x10\0\x0F\0", 4);
	assert_memory_equal(spec(&out, 12), "\x0C\0\x13\0", 4);
	assert_memory_equal(spec(&out, 13), "\x10\0\x0F\0", 4);
	assert_memory_equal(spec(&out, 17), "\xCB\0\x21\0", 4);
	buf_free(&out);
}

/* A Data without Name has no attribute list; names may be any UTF-8. */
static void test_data_without_names_and_with_strange_ones(void **state)
{
	static const struct event_data data[] = {
		{NULL, EVENT_TYPE_UINT8, (const uint8_t *)"\1", 1},
		{"", EVENT_TYPE_NULL, NULL, 0},
		{"\xC3\xA9", EVENT_TYPE_BINARY, (const uint8_t *)"", 0},
	};
	struct wire w;
	struct buf out;

	wire_init(&w, *state);
	buf_init(&out, *state, 4096);
	wire_header(&w);
	wire_open(&w, "EventData", WIRE_NONE, false);
	wire_close_start(&w);
	wire_open(&w, "Data", WIRE_NONE, false);
	wire_close_start(&w);
	wire_subst(&w, false, 0, 0x04);
	wire_end(&w);
	wire_open(&w, "Data", WIRE_NONE, true);
	wire_attribute(&w, "Name", false);
	wire_text(&w, "");
	wire_close_start(&w);
	wire_subst(&w, false, 1, 0x00);
	wire_end(&w);
	wire_open(&w, "Data", WIRE_NONE, true);
	wire_attribute(&w, "Name", false);
	buf_put(&w.b, "\x05\x01\x01\x00\xE9\x00", 6);
	wire_close_start(&w);
	wire_subst(&w, false, 2, 0x0E);
	wire_end(&w);
	wire_end(&w);
	wire_u8(&w, 0);

	assert_int_equal(event_build(&out, &least, data, 3), EVERR_OK);
	/* Behind the definition: 3 values, their specs, 1 byte, EOF; then
	   the computer's 2 bytes and the last EOF. */
	assert_memory_equal(out.data + out.len - 3 - 1 - 1 - 12 - 4 - w.b.len,
			    w.b.data, w.b.len);
	assert_memory_equal(out.data + out.len - 3 - 1 - 1 - 12 - 4,
			    "\3\0\0\0\1\0\4\0\0\0\0\0\0\0\x0E\0\1\0", 18);
	buf_free(&w.b);
	buf_free(&out);
}

static void test_every_type_but_binxml(void **state)
{
	static const uint8_t sizes[] = {0, 2, 1, 1, 1,	2, 2, 4,  4,  8, 8,
					4, 8, 4, 3, 16, 8, 8, 16, 12, 4, 8};
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_packer *packer = event_packer_create(*state, dict);
	struct event_packed packed = {0};
	struct event_data data = {.name = "x", .value = local_system};
	uint8_t zeros[16] = {0};
	struct buf out;
	unsigned int type, item;
	everr_t err;

	buf_init(&out, *state, 4096);
	for (type = 0; type < 256; type++) {
		buf_reset(&out);
		item = type & ~EVENT_TYPE_ARRAY;
		data.type = (uint8_t)type;
		data.value = item == EVENT_TYPE_SID ? local_system : zeros;
		data.len = item < sizeof(sizes) ? sizes[item] : 4;
		err = event_build(&out, &least, &data, 1);
		if (item >= sizeof(sizes)) {
			assert_int_equal(err, EVERR_INVALID);
			continue;
		}
		/* Of these there are no arrays. */
		if (type == (EVENT_TYPE_ARRAY | EVENT_TYPE_NULL) ||
		    type == (EVENT_TYPE_ARRAY | EVENT_TYPE_BINARY)) {
			assert_int_equal(err, EVERR_BINXML_VALUE);
			continue;
		}
		assert_int_equal(err, EVERR_OK);
		assert_int_equal(event_pack(packer, out.data, out.len, &packed),
				 EVERR_OK);
	}
	talloc_free(packer);
	talloc_free(dict);
	buf_free(&out);
}

/* A refused event leaves the buffer as it was. */
static void assert_refused(TALLOC_CTX *mem_ctx,
			   const struct event_system *system,
			   const struct event_data *data, size_t num_data,
			   everr_t want)
{
	struct buf out;

	buf_init(&out, mem_ctx, 4 * 1024 * 1024);
	buf_puts(&out, "kept");
	assert_int_equal(event_build(&out, system, data, num_data), want);
	assert_int_equal(out.len, 4);
	assert_int_equal(buf_error(&out), EVERR_OK);
	buf_free(&out);
}

/* As XML, without what stands before UserData. */
static everr_t built_user(TALLOC_CTX *mem_ctx, const char *user_data,
			  const char **ret_xml)
{
	static const struct event_data data[] = {
		{"A", EVENT_TYPE_STRING, (const uint8_t *)"x\0y\0", 4},
		{"B", EVENT_TYPE_UINT8, (const uint8_t *)"\7", 1},
	};
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed = {0};
	struct buf out, xml;
	const char *start = NULL;
	everr_t err;

	buf_init(&out, mem_ctx, 1 << 20);
	buf_init(&xml, mem_ctx, 1 << 20);
	err = event_build_user(&out, &least, user_data, data, 2);
	if (err != EVERR_OK) {
		assert_int_equal(out.len, 0);
		return err;
	}
	assert_int_equal(event_pack(packer, out.data, out.len, &packed),
			 EVERR_OK);
	assert_int_equal(
		event_render_xml(&xml, dict, packed.data, packed.len, NULL),
		EVERR_OK);
	buf_put_u8(&xml, 0);
	start = strstr((const char *)xml.data, "<UserData>");
	assert_non_null(start);
	*ret_xml = start;
	return EVERR_OK;
}

static void test_user_data_have_the_shape_that_is_given(void **state)
{
	char *filler = talloc_zero_size(*state, 2001);
	const char *xml = NULL;
	char *text = NULL;

	assert_int_equal(built_user(*state, "<X>%1</X>", &xml), EVERR_OK);
	assert_string_equal(xml, "<UserData><X>xy</X></UserData></Event>");
	assert_int_equal(
		built_user(*state,
			   "<X xmlns='urn:u' a='&lt;%2-%1'><Y>1 &amp; %2</Y>"
			   "<Z/>t</X>",
			   &xml),
		EVERR_OK);
	assert_string_equal(
		xml, "<UserData><X xmlns='urn:u' a='&lt;7-xy'><Y>1 &amp; 7</Y>"
		     "<Z></Z>t</X></UserData></Event>");
	/* A parser hands long text over in pieces. */
	memset(filler, '%', 2000);
	for (size_t i = 1; i < 2000; i += 2) {
		filler[i] = '2';
	}
	text = talloc_asprintf(*state, "<X>\xC3\xA4%s</X>", filler);
	assert_int_equal(built_user(*state, text, &xml), EVERR_OK);
	assert_int_equal(strspn(xml + strlen("<UserData><X>") + 2, "7"), 1000);
}

static void test_user_data_that_are_none(void **state)
{
	static const char *const bad[] = {"",		"x",	     "<X>",
					  "<X>%3</X>",	"<X>%0</X>", "<X>%</X>",
					  "<X a='%a'/>"};
	char *deep = talloc_strdup(*state, "");
	const char *xml = NULL;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(built_user(*state, bad[i], &xml), EVERR_TEXT);
	}
	for (i = 0; i < 100; i++) {
		deep = talloc_strdup_append(deep, "<X>");
	}
	assert_int_equal(built_user(*state, deep, &xml), EVERR_TEXT);
	assert_null(xml);
}

static void test_required_fields(void **state)
{
	struct event_system system = least;

	system.provider = NULL;
	assert_refused(*state, &system, NULL, 0, EVERR_INVALID);
	system = least;
	system.channel = "";
	assert_refused(*state, &system, NULL, 0, EVERR_INVALID);
	system = least;
	system.computer = NULL;
	assert_refused(*state, &system, NULL, 0, EVERR_INVALID);
}

static void test_text_that_is_not_utf8(void **state)
{
	struct event_system system = least;
	struct event_data data = {"\xFF", EVENT_TYPE_NULL, NULL, 0};

	system.computer = "caf\xE9";
	assert_refused(*state, &system, NULL, 0, EVERR_TEXT);
	system = least;
	system.provider = "\xED\xA0\x80";
	assert_refused(*state, &system, NULL, 0, EVERR_TEXT);
	assert_refused(*state, &least, &data, 1, EVERR_TEXT);
}

static void test_values_that_do_not_fit(void **state)
{
	struct event_system system = least;
	struct event_data data = {"x", EVENT_TYPE_UINT32, local_system, 3};
	uint8_t *big = talloc_zero_array(*state, uint8_t, 70000);

	assert_refused(*state, &least, &data, 1, EVERR_BINXML_VALUE);
	system.user_sid = local_system;
	system.user_sid_len = 11;
	assert_refused(*state, &system, NULL, 0, EVERR_BINXML_VALUE);

	data = (struct event_data){"x", EVENT_TYPE_BINARY, big, 65536};
	assert_refused(*state, &least, &data, 1, EVERR_BINXML_VALUE);
	/* It fits by itself, but not with its definition around it. */
	data.len = 65535;
	assert_refused(*state, &least, &data, 1, EVERR_EVENT_DATA_SIZE);

	memset(big, 'a', 40000);
	big[40000] = '\0';
	system = least;
	system.channel = (const char *)big;
	assert_refused(*state, &system, NULL, 0, EVERR_BINXML_VALUE);
	big[40000] = 'a';
	memset(big, 'a', 69999);
	data = (struct event_data){(const char *)big, EVENT_TYPE_NULL, NULL, 0};
	assert_refused(*state, &least, &data, 1, EVERR_EVENT_DATA_SIZE);
	talloc_free(big);
}

static void test_the_number_of_data_is_limited(void **state)
{
	struct event_data *data = NULL;
	struct buf out;
	size_t i;

	data = talloc_zero_array(*state, struct event_data,
				 EVENT_BUILD_DATA_MAX + 1);
	for (i = 0; i <= EVENT_BUILD_DATA_MAX; i++) {
		data[i].type = EVENT_TYPE_UINT8;
		data[i].value = local_system;
		data[i].len = 1;
	}
	buf_init(&out, *state, 1024 * 1024);
	assert_int_equal(event_build(&out, &least, data, EVENT_BUILD_DATA_MAX),
			 EVERR_OK);
	assert_refused(*state, &least, data, EVENT_BUILD_DATA_MAX + 1,
		       EVERR_LIMIT);
	buf_free(&out);
	talloc_free(data);
}

static void test_a_full_buffer_is_cut_back(void **state)
{
	struct buf out, small;
	size_t max;

	buf_init(&out, *state, 4096);
	assert_int_equal(event_build(&out, &vector_system, vector_data, 2),
			 EVERR_OK);
	for (max = 4; max < 4 + out.len; max++) {
		buf_init(&small, *state, max);
		buf_puts(&small, "kept");
		assert_int_equal(
			event_build(&small, &vector_system, vector_data, 2),
			EVERR_LIMIT);
		assert_int_equal(small.len, 4);
		buf_free(&small);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(
			test_the_document_is_the_vector_with_computer_as_a_value),
		leak_test(test_a_built_event_packs_into_shared_templates),
		leak_test(test_what_is_absent_is_null),
		leak_test(test_data_that_are_absent_share_the_template),
		leak_test(test_what_is_given_has_the_types_clients_demand),
		leak_test(test_data_without_names_and_with_strange_ones),
		leak_test(test_every_type_but_binxml),
		leak_test(test_user_data_have_the_shape_that_is_given),
		leak_test(test_user_data_that_are_none),
		leak_test(test_required_fields),
		leak_test(test_text_that_is_not_utf8),
		leak_test(test_values_that_do_not_fit),
		leak_test(test_the_number_of_data_is_limited),
		leak_test(test_a_full_buffer_is_cut_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
