/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/event.h"
#include "tests/event/make.h"
#include "tests/event/vectors.h"

#include <jansson.h>

#define OUT_MAX (1 << 20)

struct fixture {
	struct event_dict *dict;
	struct event_packer *packer;
	struct buf out;
};

/* full: the dictionary takes nothing, so that all become documents. */
static void start(struct fixture *f, TALLOC_CTX *mem_ctx, bool full)
{
	const struct event_dict_limits none = {0};

	f->dict = event_dict_create(mem_ctx, full ? &none : NULL);
	f->packer = event_packer_create(mem_ctx, f->dict);
	buf_init(&f->out, mem_ctx, OUT_MAX);
}

/* Rendered, and read by Jansson, which finds names that occur twice. */
static const char *render(struct fixture *f, const struct buf *doc)
{
	struct event_packed packed;
	json_error_t error;
	json_t *json = NULL;

	assert_int_equal(event_pack(f->packer, doc->data, doc->len, &packed),
			 EVERR_OK);
	buf_reset(&f->out);
	assert_int_equal(
		event_render_json(&f->out, f->dict, packed.data, packed.len),
		EVERR_OK);
	buf_put_u8(&f->out, '\0');
	json = json_loads((const char *)f->out.data,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (json == NULL) {
		fail_msg("%s: %s", error.text, (const char *)f->out.data);
	}
	json_decref(json);
	return (const char *)f->out.data;
}

static void assert_renders(TALLOC_CTX *mem_ctx, const struct buf *doc,
			   const char *want)
{
	struct fixture f;

	start(&f, mem_ctx, false);
	assert_string_equal(render(&f, doc), want);
	start(&f, mem_ctx, true);
	assert_string_equal(render(&f, doc), want);
}

static void assert_made(struct maker *m, const char *want)
{
	struct buf doc;

	make_document(m, &doc);
	assert_renders(m->mem_ctx, &doc, want);
}

static void assert_vector(TALLOC_CTX *mem_ctx, const char *name,
			  const char *want)
{
	struct buf doc;

	buf_init(&doc, mem_ctx, OUT_MAX);
	vector_load(&doc, name);
	assert_renders(mem_ctx, &doc, want);
}

/* The fields that facts 19 and 9.9 list, in the form of event/event.h. */
static void test_the_vectors(void **state)
{
	assert_vector(*state, "spec-4.4",
		      "{\"Element1\":\"abc\",\"Element2\":\" def &< ghi \","
		      "\"Element3\":{\"AttrA\":\"abc\","
		      "\"AttrB\":\"def&<ghi\"}}");
	assert_vector(
		*state, "windows-4634",
		"{\"System\":{\"Provider\":{\"Name\":\"Microsoft-Windows-"
		"Security-Auditing\",\"Guid\":\"{54849625-5478-4994-A5BA-"
		"3E3B0328C30D}\"},\"EventID\":4634,\"Version\":0,\"Level\":0,"
		"\"Task\":12545,\"Opcode\":0,"
		"\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":{"
		"\"SystemTime\":\"2020-07-23T03:02:31.2952353Z\"},"
		"\"EventRecordID\":28493,\"Correlation\":null,\"Execution\":{"
		"\"ProcessID\":468,\"ThreadID\":1140},\"Channel\":\"Security\","
		"\"Computer\":\"ADSERVER.idfw.local\",\"Security\":null},"
		"\"EventData\":{\"TargetUserSid\":\"S-1-5-18\","
		"\"TargetUserName\":\"ADSERVER$\","
		"\"TargetDomainName\":\"IDFW\",\"TargetLogonId\":\"0x10ac2b1\","
		"\"LogonType\":3}}");
	assert_vector(
		*state, "spec-4.8",
		"{\"System\":{\"Provider\":{\"Name\":\"Microsoft-Windows-"
		"Wevttest\",\"Guid\":\"{03f41308-fa7b-4fb3-98b8-"
		"c2ed0a40d1ef}\"},\"EventID\":100,\"Version\":0,\"Level\":1,"
		"\"Task\":100,\"Opcode\":1,"
		"\"Keywords\":\"0x4000000000e00000\",\"TimeCreated\":{"
		"\"SystemTime\":\"2006-06-14T21:40:54.6258076Z\"},"
		"\"EventRecordID\":6,\"Correlation\":null,\"Execution\":{"
		"\"ProcessID\":2088,\"ThreadID\":2464},\"Channel\":\"Microsoft-"
		"Windows-Wevttest/Operational/Wevttest\",\"Computer\":"
		"\"michaelm4-lh.ntdev.corp.microsoft.com\",\"Security\":{"
		"\"UserID\":\"S-1-5-21-397955417-626881126-188441444-2967838\"}"
		"},\"UserData\":{\"MyEvent\":{\"Property\":1,"
		"\"Property2\":2}}}");
}

/* <Data Name='name'>%id</Data> */
static void make_data(struct maker *m, const char *name, uint16_t id)
{
	make_open(m, "Data", EVENT_NO_DEPENDENCY, true);
	make_attribute(m, "Name");
	make_text(m, name);
	make_kind(m, EVENT_TOKEN_CLOSE_START);
	make_subst(m, id);
	make_kind(m, EVENT_TOKEN_END);
}

static void make_event(struct maker *m, TALLOC_CTX *mem_ctx)
{
	make_start(m, mem_ctx, EVENT_READ_DEFINITION);
	make_open(m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(m, EVENT_TOKEN_CLOSE_START);
}

static void make_u64(struct maker *m, uint8_t type, uint64_t v, size_t len)
{
	uint8_t bytes[8];

	le64_set(bytes, v);
	make_value(m, type, bytes, len);
}

static void test_types_of_json(void **state)
{
	struct maker m;
	uint16_t i;

	make_event(&m, *state);
	for (i = 0; i < 15; i++) {
		make_data(&m, (char[]){(char)('a' + i), '\0'}, i);
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_u64(&m, EVENT_TYPE_UINT8, 255, 1);
	make_u64(&m, EVENT_TYPE_INT8, 255, 1);
	make_u64(&m, EVENT_TYPE_INT32, 0x80000000, 4);
	make_u64(&m, EVENT_TYPE_UINT64, 1ULL << 53, 8);
	make_u64(&m, EVENT_TYPE_UINT64, (1ULL << 53) + 1, 8);
	make_u64(&m, EVENT_TYPE_INT64, -(1ULL << 53), 8);
	make_u64(&m, EVENT_TYPE_INT64, -(1ULL << 53) - 1, 8);
	make_u64(&m, EVENT_TYPE_INT64, 1ULL << 63, 8);
	make_u64(&m, EVENT_TYPE_BOOL, 0x100, 4);
	make_u64(&m, EVENT_TYPE_BOOL, 0, 1);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	make_string(&m, "");
	make_string(&m, "1");
	make_u64(&m, EVENT_TYPE_HEXINT32, 0xABC, 4);
	make_u64(&m, EVENT_TYPE_REAL64, 0x3FF8000000000000, 8);
	assert_made(&m, "{\"a\":255,\"b\":-1,\"c\":-2147483648,"
			"\"d\":9007199254740992,\"e\":\"9007199254740993\","
			"\"f\":-9007199254740992,\"g\":\"-9007199254740993\","
			"\"h\":\"-9223372036854775808\",\"i\":true,\"j\":false,"
			"\"k\":null,\"l\":\"\",\"m\":\"1\",\"n\":\"0xabc\","
			"\"o\":\"1.500000\"}");
}

/* A name that a definition has twice is an array even if one is left out. */
static void test_names_that_repeat_are_arrays_in_one_place(void **state)
{
	struct maker m;

	make_event(&m, *state);
	make_data(&m, "x", 0);
	make_data(&m, "y", 0);
	make_data(&m, "x", 0);
	make_leaf(&m, "L", 0);
	make_open(&m, "L", 1, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_open(&m, "Gone", 1, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_open(&m, "Gone", 1, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_kind(&m, EVENT_TOKEN_END);
	make_string(&m, "v");
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	assert_made(&m, "{\"x\":[\"v\",\"v\"],\"y\":\"v\",\"L\":[\"v\"]}");
}

static void test_data_without_a_name_is_the_array_data(void **state)
{
	struct maker m;

	make_event(&m, *state);
	make_leaf(&m, "Data", 0);
	make_open(&m, "Data", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Name");
	make_subst(&m, 1);
	make_attribute(&m, "Type");
	make_text(&m, "t");
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "Binary", 3, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 3);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_STRING, "a\0\0\0b\0\0\0",
		   8);
	make_string(&m, "name");
	make_u64(&m, EVENT_TYPE_UINT16, 7, 2);
	make_value(&m, EVENT_TYPE_BINARY, "\x00\xFF", 2);
	assert_made(&m, "{\"Data\":[\"a\",\"b\",{\"Name\":\"name\","
			"\"Type\":\"t\",\"#text\":7}],\"Binary\":\"00FF\"}");
}

static void test_arrays_are_arrays_of_any_length(void **state)
{
	struct maker m;

	make_event(&m, *state);
	make_leaf(&m, "none", 0);
	make_leaf(&m, "one", 1);
	make_leaf(&m, "two", 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, "", 0);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, "\x01", 1);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, "\x01\x02", 2);
	assert_made(&m, "{\"none\":[],\"one\":[1],\"two\":[1,2]}");
}

static void test_text_beside_attributes_and_elements(void **state)
{
	struct maker m;

	make_event(&m, *state);
	make_open(&m, "EventID", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Qualifiers");
	make_subst(&m, 0);
	make_attribute(&m, "xmlns:x");
	make_text(&m, "urn:x");
	make_attribute(&m, "xmlnsx");
	make_text(&m, "no namespace");
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "Same", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Qualifiers");
	make_subst(&m, 2);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "Mixed", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "a");
	make_text(&m, "attribute");
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_text(&m, "before ");
	make_leaf(&m, "a", 1);
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_u64(&m, EVENT_TYPE_UINT16, 16384, 2);
	make_u64(&m, EVENT_TYPE_UINT16, 7036, 2);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	assert_made(&m, "{\"EventID\":{\"Qualifiers\":16384,"
			"\"xmlnsx\":\"no namespace\",\"#text\":7036},"
			"\"Same\":7036,\"Mixed\":{\"@a\":\"attribute\","
			"\"#text\":\"before 7036\",\"a\":7036}}");
}

static void test_what_is_empty(void **state)
{
	struct maker m;

	make_event(&m, *state);
	make_open(&m, "Closed", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_open(&m, "Nothing", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "EmptyText", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_text(&m, "");
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "Children", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "Gone", 0, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	assert_made(&m, "{\"Closed\":null,\"Nothing\":null,"
			"\"EmptyText\":\"\",\"Children\":{}}");
}

/* Its members may not pass for those of the object it comes into. */
static void test_nested_values_cannot_shadow_members(void **state)
{
	struct maker m, t;
	struct buf doc;
	int i;

	make_event(&m, *state);
	make_leaf(&m, "System", 0);
	make_subst(&m, 1);
	make_subst(&m, 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_string(&m, "ours");
	for (i = 0; i < 2; i++) {
		make_start(&t, *state, EVENT_READ_DOCUMENT);
		make_open(&t, "System", EVENT_NO_DEPENDENCY, false);
		make_kind(&t, EVENT_TOKEN_CLOSE_EMPTY);
		make_open(&t, "EventData", EVENT_NO_DEPENDENCY, false);
		make_kind(&t, EVENT_TOKEN_CLOSE_EMPTY);
		make_document(&t, &doc);
		make_value(&m, EVENT_TYPE_BINXML, doc.data, doc.len);
	}
	assert_made(&m, "{\"System\":\"ours\",\"System#2\":null,"
			"\"EventData\":null,\"System#3\":null,"
			"\"EventData#3\":null}");
}

static void test_another_root_than_event_is_a_member(void **state)
{
	struct maker m;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_leaf(&m, "Other", 0);
	make_string(&m, "x");
	assert_made(&m, "{\"Other\":\"x\"}");
}

static void test_hostile_names_and_texts_stay_strings(void **state)
{
	struct maker m;

	make_event(&m, *state);
	make_data(&m, "\"}],\\\n", 0);
	make_data(&m, "[", 1);
	make_data(&m, "{:", 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_STRING, "\"\0\\\0\x01\0\x00\xD8{\0", 10);
	make_string(&m, "ends with [");
	assert_made(&m, "{\"\\\"}],\\\\\\n\":\"\\\"\\\\\\u0001\uFFFD{\","
			"\"[\":\"ends with [\",\"{:\":\"ends with [\"}");
}

/* 20,000 elements of one parent: sorted, not compared each with each. */
static void test_many_names_of_one_element(void **state)
{
	struct fixture f;
	struct buf doc;
	struct maker m;
	char name[16];
	int i;

	make_event(&m, *state);
	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "e%d", i % 10000);
		make_open(&m, name, EVENT_NO_DEPENDENCY, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_document(&m, &doc);
	start(&f, *state, false);
	assert_non_null(strstr(render(&f, &doc),
			       "{\"e0\":[null,null],\"e1\":[null,null],"));
}

/* 65,535 times 2,000 elements that are left out: work, but no output. */
static void test_work_without_output_is_limited(void **state)
{
	uint8_t *items = talloc_zero_array(*state, uint8_t, 65535);
	struct event_packed packed;
	struct fixture f;
	struct buf doc;
	struct maker m;
	int i;

	make_event(&m, *state);
	make_open(&m, "A", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_open(&m, "B", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < 2000; i++) {
		make_open(&m, "x", 1, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 65535);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	make_document(&m, &doc);

	start(&f, *state, false);
	assert_int_equal(event_pack(f.packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	f.out.max = SIZE_MAX / 2;
	assert_int_equal(
		event_render_json(&f.out, f.dict, packed.data, packed.len),
		EVERR_LIMIT);
}

/* Where nothing goes any more: 10,000 arrays of 65,535 items. */
static void test_a_full_buffer_ends_the_work(void **state)
{
	uint8_t *items = talloc_zero_array(*state, uint8_t, 65535);
	struct event_packed packed;
	struct fixture f;
	struct buf doc;
	struct maker m;
	int i;

	make_event(&m, *state);
	for (i = 0; i < 10000; i++) {
		make_open(&m, "x", EVENT_NO_DEPENDENCY, true);
		make_attribute(&m, "a");
		make_subst(&m, 0);
		make_attribute(&m, "b");
		make_subst(&m, 1);
		make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 1);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 65535);
	make_document(&m, &doc);

	start(&f, *state, false);
	assert_int_equal(event_pack(f.packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	assert_int_equal(
		event_render_json(&f.out, f.dict, packed.data, packed.len),
		EVERR_LIMIT);
	assert_int_equal(f.out.len, 0);
}

static void test_a_full_buffer_is_cut_back(void **state)
{
	struct event_packed packed;
	struct fixture f;
	struct buf doc;
	size_t max;

	start(&f, *state, false);
	buf_init(&doc, *state, OUT_MAX);
	vector_load(&doc, "windows-4634");
	assert_int_equal(event_pack(f.packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	for (max = 1; max < 550; max += 7) {
		buf_init(&f.out, *state, max);
		buf_puts(&f.out, "x");
		assert_int_equal(event_render_json(&f.out, f.dict, packed.data,
						   packed.len),
				 EVERR_LIMIT);
		assert_int_equal(f.out.len, 1);
		buf_free(&f.out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_vectors),
		leak_test(test_types_of_json),
		leak_test(test_names_that_repeat_are_arrays_in_one_place),
		leak_test(test_data_without_a_name_is_the_array_data),
		leak_test(test_arrays_are_arrays_of_any_length),
		leak_test(test_text_beside_attributes_and_elements),
		leak_test(test_what_is_empty),
		leak_test(test_nested_values_cannot_shadow_members),
		leak_test(test_another_root_than_event_is_a_member),
		leak_test(test_hostile_names_and_texts_stay_strings),
		leak_test(test_many_names_of_one_element),
		leak_test(test_work_without_output_is_limited),
		leak_test(test_a_full_buffer_ends_the_work),
		leak_test(test_a_full_buffer_is_cut_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
