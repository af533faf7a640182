/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/wire.h"

#include "event/dict.h"

static const struct ev_guid guid_a = {{1}};
static const struct ev_guid guid_b = {{2}};

/* <name>%last</name> as a definition; header and waste as asked. */
static void definition(struct wire *w, const char *name, uint16_t last,
		       bool header, size_t waste)
{
	buf_reset(&w->b);
	w->depth = 0;
	if (header) {
		wire_header(w);
	}
	wire_open(w, name, last, false);
	wire_close_start(w);
	wire_subst(w, true, last, 1);
	wire_end(w);
	wire_u8(w, 0);
	buf_put_zero(&w->b, waste);
}

static everr_t intern(struct event_dict *dict, const struct ev_guid *guid,
		      const struct wire *w, struct event_template **ret)
{
	return event_dict_intern(dict, guid, w->b.data, w->b.len, ret);
}

static void test_the_same_bytes_are_one_template(void **state)
{
	struct event_template *first = NULL, *again = NULL, *other = NULL;
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct wire w;

	wire_init(&w, *state);
	definition(&w, "A", 4, true, 0);
	assert_int_equal(intern(dict, &guid_a, &w, &first), EVERR_OK);
	assert_int_equal(first->no, 1);
	assert_int_equal(first->num_values, 5);
	assert_int_equal(first->depth, 1);
	assert_int_equal(first->def_len, w.b.len);
	assert_memory_equal(first->def, w.b.data, w.b.len);
	assert_true(ev_guid_equal(&first->guid, &guid_a));

	assert_int_equal(intern(dict, &guid_a, &w, &again), EVERR_OK);
	assert_ptr_equal(again, first);
	/* The bytes are the identity, not the GUID. */
	assert_int_equal(intern(dict, &guid_b, &w, &again), EVERR_OK);
	assert_ptr_equal(again, first);

	definition(&w, "B", 4, true, 0);
	assert_int_equal(intern(dict, &guid_b, &w, &other), EVERR_OK);
	assert_int_equal(other->no, 2);
	assert_int_equal(event_dict_count(dict), 2);
	talloc_free(dict);
	buf_free(&w.b);
}

static void test_the_id_is_sha256_of_the_normalised_bytes(void **state)
{
	/* sha256sum of 0f010100 01ffff09000000 4100 0100 4100 0000 03 00 */
	static const uint8_t want[] = {
		0xca, 0x3a, 0x41, 0x5d, 0x87, 0x94, 0x8a, 0xa5,
		0x5e, 0xc5, 0x9d, 0xe3, 0xc1, 0x24, 0x56, 0xde,
		0xc2, 0xf8, 0x10, 0x39, 0x64, 0x66, 0xf9, 0x13,
		0xa5, 0xcc, 0x1a, 0x9c, 0x71, 0x7d, 0x05, 0x34,
	};
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_template *template = NULL;
	struct wire w;

	wire_init(&w, *state);
	wire_open(&w, "A", WIRE_NONE, false);
	wire_close_empty(&w);
	wire_u8(&w, 0);
	wire_u8(&w, 0x77); /* waste */
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	assert_memory_equal(template->id, want, sizeof(want));
	talloc_free(dict);
	buf_free(&w.b);
}

static void test_headers_and_waste_make_no_difference(void **state)
{
	struct event_template *normal = NULL, *other = NULL;
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct wire w;
	int i;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	assert_int_equal(intern(dict, &guid_a, &w, &normal), EVERR_OK);
	/* Twice: the second time they are known as they are. */
	for (i = 0; i < 2; i++) {
		definition(&w, "A", 0, false, 0);
		assert_int_equal(intern(dict, &guid_a, &w, &other), EVERR_OK);
		assert_ptr_equal(other, normal);
		definition(&w, "A", 0, true, 72);
		assert_int_equal(intern(dict, &guid_a, &w, &other), EVERR_OK);
		assert_ptr_equal(other, normal);
		definition(&w, "A", 0, true, 100000);
		assert_int_equal(intern(dict, &guid_a, &w, &other), EVERR_OK);
		assert_ptr_equal(other, normal);
	}
	assert_int_equal(event_dict_count(dict), 1);
	talloc_free(dict);
	buf_free(&w.b);
}

/* Clients cache by GUID: it never stands for two definitions. */
static void test_a_guid_that_is_taken_is_replaced(void **state)
{
	struct event_template *a = NULL, *b = NULL, *c = NULL;
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_dict *other = event_dict_create(*state, NULL);
	struct ev_guid minted = {0};
	struct wire w;
	int i;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	assert_int_equal(intern(dict, &guid_a, &w, &a), EVERR_OK);
	definition(&w, "B", 0, true, 0);
	ev_guid_from_bytes(w.b.data, w.b.len, &minted);
	for (i = 0; i < 3; i++) {
		assert_int_equal(intern(dict, &guid_a, &w, &b), EVERR_OK);
		assert_ptr_not_equal(b, a);
		assert_true(ev_guid_equal(&b->guid, &minted));
	}
	assert_int_equal(event_dict_count(dict), 2);

	/* Even when someone took that one in advance. */
	definition(&w, "C", 0, true, 0);
	assert_int_equal(intern(other, &minted, &w, &c), EVERR_OK);
	definition(&w, "A", 0, true, 0);
	assert_int_equal(intern(other, &guid_a, &w, &a), EVERR_OK);
	definition(&w, "B", 0, true, 0);
	assert_int_equal(intern(other, &guid_a, &w, &b), EVERR_OK);
	assert_false(ev_guid_equal(&b->guid, &minted));
	assert_false(ev_guid_equal(&b->guid, &guid_a));
	talloc_free(dict);
	talloc_free(other);
	buf_free(&w.b);
}

static void test_a_full_dictionary_knows_what_it_has(void **state)
{
	static const struct event_dict_limits two = {2, 65536};
	struct event_template *template = NULL;
	struct event_dict *dict = event_dict_create(*state, &two);
	struct wire w;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	definition(&w, "B", 0, true, 0);
	assert_int_equal(intern(dict, &guid_b, &w, &template), EVERR_OK);
	definition(&w, "C", 0, true, 0);
	assert_int_equal(intern(dict, &guid_b, &w, &template), EVERR_LIMIT);
	definition(&w, "A", 0, true, 0);
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	assert_int_equal(template->no, 1);

	/* Room again; the number is a new one. */
	event_dict_forget(dict, 1);
	event_dict_forget(dict, 77);
	definition(&w, "C", 0, true, 0);
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	assert_int_equal(template->no, 3);
	talloc_free(dict);
	buf_free(&w.b);
}

static void test_bytes_are_limited_too(void **state)
{
	struct event_dict_limits limits = {100, 0};
	struct event_template *template = NULL;
	struct event_dict *dict = NULL;
	struct wire w;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	limits.max_bytes = w.b.len + 1;
	dict = event_dict_create(*state, &limits);
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	definition(&w, "B", 0, true, 0);
	assert_int_equal(intern(dict, &guid_b, &w, &template), EVERR_LIMIT);
	event_dict_forget(dict, 1);
	assert_int_equal(intern(dict, &guid_b, &w, &template), EVERR_OK);
	talloc_free(dict);
	buf_free(&w.b);
}

/* Also found no more by the form it came in. */
static void test_what_is_forgotten_is_gone(void **state)
{
	struct event_template *template = NULL;
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct wire w;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 5);
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	event_dict_forget(dict, 1);
	assert_int_equal(event_dict_count(dict), 0);
	assert_int_equal(event_dict_get(dict, 1, &template),
			 EVERR_TEMPLATE_UNKNOWN);
	assert_int_equal(intern(dict, &guid_a, &w, &template), EVERR_OK);
	assert_int_equal(template->no, 2);
	talloc_free(dict);
	buf_free(&w.b);
}

static void test_malformed_definitions_are_refused(void **state)
{
	struct event_template *template = NULL;
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct wire w;
	size_t len;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	for (len = 0; len < w.b.len; len++) {
		assert_int_equal(event_dict_intern(dict, &guid_a, w.b.data, len,
						   &template),
				 EVERR_BINXML_TRUNCATED);
	}
	assert_null(template);
	assert_int_equal(event_dict_count(dict), 0);
	talloc_free(dict);
	buf_free(&w.b);
}

struct loading {
	const struct wire *w;
	everr_t err;
	unsigned int calls;
};

static everr_t loader(struct event_dict *dict, uint32_t no, void *private_data)
{
	struct loading *loading = private_data;
	struct event_template *template = NULL;

	loading->calls++;
	if (loading->err != EVERR_OK) {
		return loading->err;
	}
	return event_dict_load(dict, no, &guid_a, loading->w->b.data,
			       loading->w->b.len, &template);
}

static void test_the_loader_is_asked_once(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_template *template = NULL, *again = NULL;
	struct loading loading = {.err = EVERR_NOT_FOUND};
	struct wire w;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	loading.w = &w;
	event_dict_set_loader(dict, loader, &loading);
	assert_int_equal(event_dict_get(dict, 7, &template),
			 EVERR_TEMPLATE_UNKNOWN);
	loading.err = EVERR_IO;
	assert_int_equal(event_dict_get(dict, 7, &template), EVERR_IO);
	loading.err = EVERR_OK;
	assert_int_equal(event_dict_get(dict, 7, &template), EVERR_OK);
	assert_int_equal(template->no, 7);
	assert_int_equal(event_dict_get(dict, 7, &again), EVERR_OK);
	assert_ptr_equal(again, template);
	assert_int_equal(loading.calls, 3);

	/* It is known by its bytes too, and numbers go on behind it. */
	assert_int_equal(intern(dict, &guid_a, &w, &again), EVERR_OK);
	assert_ptr_equal(again, template);
	assert_int_equal(event_dict_next_no(dict), 8);
	talloc_free(dict);
	buf_free(&w.b);
}

static void test_loading_checks_what_it_gets(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_template *a = NULL, *again = NULL, *b = NULL;
	struct wire w;

	wire_init(&w, *state);
	definition(&w, "A", 0, true, 0);
	assert_int_equal(
		event_dict_load(dict, 3, &guid_a, w.b.data, w.b.len, &a),
		EVERR_OK);
	assert_int_equal(
		event_dict_load(dict, 3, &guid_a, w.b.data, w.b.len, &again),
		EVERR_OK);
	assert_ptr_equal(again, a);
	definition(&w, "B", 0, true, 0);
	assert_int_equal(
		event_dict_load(dict, 3, &guid_b, w.b.data, w.b.len, &b),
		EVERR_EXISTS);
	/* The owner kept it normalised; anything else is damage. */
	definition(&w, "B", 0, true, 1);
	assert_int_equal(
		event_dict_load(dict, 4, &guid_b, w.b.data, w.b.len, &b),
		EVERR_BINXML_TOKEN);
	definition(&w, "B", 0, false, 0);
	assert_int_equal(
		event_dict_load(dict, 4, &guid_b, w.b.data, w.b.len, &b),
		EVERR_BINXML_TOKEN);
	talloc_free(dict);
	buf_free(&w.b);
}

static void test_thousands_are_found_and_forgotten(void **state)
{
	struct event_dict *dict = event_dict_create(*state, NULL);
	struct event_template *template = NULL;
	struct ev_guid guid = {0};
	struct wire w;
	char name[16];
	uint32_t i;

	wire_init(&w, *state);
	event_dict_set_next_no(dict, 1000);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		definition(&w, name, 0, true, 0);
		le32_set(guid.b, i / 2); /* every GUID twice */
		assert_int_equal(intern(dict, &guid, &w, &template), EVERR_OK);
		assert_int_equal(template->no, 1000 + i);
	}
	for (i = 0; i < 5000; i += 3) {
		event_dict_forget(dict, 1000 + i);
	}
	for (i = 0; i < 5000; i++) {
		assert_int_equal(event_dict_get(dict, 1000 + i, &template),
				 i % 3 == 0 ? EVERR_TEMPLATE_UNKNOWN
					    : EVERR_OK);
	}
	assert_int_equal(event_dict_count(dict), 5000 - 1667);
	talloc_free(dict);
	buf_free(&w.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_same_bytes_are_one_template),
		leak_test(test_the_id_is_sha256_of_the_normalised_bytes),
		leak_test(test_headers_and_waste_make_no_difference),
		leak_test(test_a_guid_that_is_taken_is_replaced),
		leak_test(test_a_full_dictionary_knows_what_it_has),
		leak_test(test_bytes_are_limited_too),
		leak_test(test_what_is_forgotten_is_gone),
		leak_test(test_malformed_definitions_are_refused),
		leak_test(test_the_loader_is_asked_once),
		leak_test(test_loading_checks_what_it_gets),
		leak_test(test_thousands_are_found_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
