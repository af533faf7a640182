/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/vectors.h"
#include "tests/event/wire.h"

#include "event/build.h"
#include "event/glance.h"

#define TIME 133444736000000000 /* 2023-11-14T22:13:20Z */

struct fixture {
	struct event_glancer *glancer;
	struct event_glance glance;
	struct wire in;
};

static struct fixture *fixture_new(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->glancer = event_glancer_create(f);
	assert_non_null(f->glancer);
	wire_init(&f->in, f);
	return f;
}

static everr_t glance(struct fixture *f)
{
	return event_glance(f->glancer, f->in.b.data, f->in.b.len, &f->glance);
}

/* The name, and that it lies in the document; NULL: there is none. */
static void assert_computer(const struct fixture *f, const char *want)
{
	const uint8_t *p = f->glance.computer;
	size_t i;

	if (want == NULL) {
		assert_null(p);
		return;
	}
	assert_non_null(p);
	assert_int_equal(f->glance.computer_units, strlen(want));
	assert_true(p >= f->in.b.data);
	assert_true(p + 2 * f->glance.computer_units <=
		    f->in.b.data + f->in.b.len);
	for (i = 0; want[i] != '\0'; i++) {
		assert_int_equal(le16_get(p + 2 * i), want[i]);
	}
}

static void assert_glance(struct fixture *f, uint64_t time,
			  const char *computer)
{
	f->glance = (struct event_glance){0};
	assert_int_equal(glance(f), EVERR_OK);
	assert_int_equal(f->glance.has_time, time != 0);
	assert_int_equal(f->glance.time_created, time);
	assert_computer(f, computer);
}

static void load(struct fixture *f, const char *vector)
{
	buf_reset(&f->in.b);
	vector_load(&f->in.b, vector);
}

/* What the parts of a made event's System are made of. */
enum part {
	VALUE,
	LITERAL,
	CDATA,
	PIECES,	   /* text in two tokens */
	AMPERSAND, /* text and an entity */
	BOTH,	   /* text and a value */
	CHILD,	   /* an element */
	ABSENT
};

static void put_computer(struct wire *w, enum part part, int dependency,
			 const char *text)
{
	wire_open(w, "Computer", dependency, false);
	wire_close_start(w);
	switch (part) {
	case VALUE:
		wire_subst(w, true, 1, 0x01);
		break;
	case CDATA:
		wire_u8(w, 0x07);
		buf_put_u16(&w->b, (uint16_t)strlen(text));
		wire_units(w, text);
		break;
	case PIECES:
		wire_text(w, text);
		wire_text(w, ".evil");
		break;
	case AMPERSAND:
		wire_text(w, text);
		wire_u8(w, 0x09);
		wire_name(w, "amp");
		break;
	case BOTH:
		wire_text(w, text);
		wire_subst(w, true, 1, 0x01);
		break;
	case CHILD:
		wire_leaf(w, "b", dependency, text);
		break;
	default:
		wire_text(w, text);
		break;
	}
	wire_end(w);
}

/* <Event><System><TimeCreated SystemTime=''/><Computer>... */
static void put_event(struct wire *w, enum part time, enum part computer,
		      int dependency, const char *name)
{
	wire_open(w, "Event", dependency, false);
	wire_close_start(w);
	wire_open(w, "System", dependency, false);
	wire_close_start(w);
	if (time != ABSENT) {
		wire_open(w, "TimeCreated", dependency, true);
		wire_attribute(w, "SystemTime", false);
		if (time == VALUE) {
			wire_subst(w, true, 0, 0x11);
		} else {
			wire_text(w, "2023-11-14T22:13:20.0000000Z");
		}
		wire_close_empty(w);
	}
	if (computer != ABSENT) {
		put_computer(w, computer, dependency, name);
	}
	wire_end(w);
	wire_end(w);
	wire_u8(w, 0x00);
}

static void put_string(struct wire *w, const char *ascii)
{
	struct wire text;

	wire_init(&text, w->b.mem_ctx);
	wire_units(&text, ascii);
	wire_value(w, 0x01, text.b.data, text.b.len);
	buf_free(&text.b);
}

static void put_time(struct wire *w)
{
	uint8_t time[8];

	le64_set(time, TIME);
	wire_value(w, 0x11, time, sizeof(time));
}

/* An instance of such a template: values 0 is the time, 1 a name. */
static void make_instance(struct fixture *f, enum part time, enum part computer,
			  uint8_t guid, const char *literal, const char *value)
{
	buf_reset(&f->in.b);
	wire_header(&f->in);
	wire_template(&f->in, guid);
	wire_header(&f->in);
	put_event(&f->in, time, computer, WIRE_NONE, literal);
	wire_values(&f->in, 2);
	put_time(&f->in);
	put_string(&f->in, value);
	wire_u8(&f->in, 0x00);
}

static void make_document(struct fixture *f, enum part time, enum part computer,
			  const char *literal)
{
	buf_reset(&f->in.b);
	wire_header(&f->in);
	put_event(&f->in, time, computer, WIRE_PLAIN, literal);
}

/* Facts 19 has what they decode to. */
static void test_real_and_specified_events(void **state)
{
	struct fixture *f = fixture_new(state);
	int i;

	/* The second time from memory. */
	for (i = 0; i < 2; i++) {
		load(f, "windows-4634");
		assert_glance(f, 132399469512952353, "ADSERVER.idfw.local");
		load(f, "manifest-style");
		assert_glance(f, TIME, "srv.example");
	}
}

/* What we write ourselves: the computer is a value. */
static void test_our_own_emission(void **state)
{
	struct fixture *f = fixture_new(state);
	struct event_system system = {
		.provider = "P",
		.channel = "C",
		.computer = "a.example",
		.time_created = TIME,
	};

	assert_int_equal(event_build(&f->in.b, &system, NULL, 0), EVERR_OK);
	assert_glance(f, TIME, "a.example");
	buf_reset(&f->in.b);
	system.computer = "longer.example";
	system.time_created = TIME + 1;
	assert_int_equal(event_build(&f->in.b, &system, NULL, 0), EVERR_OK);
	assert_glance(f, TIME + 1, "longer.example");
}

static void test_each_kind_of_place_in_a_template(void **state)
{
	struct fixture *f = fixture_new(state);
	const enum part times[] = {VALUE, LITERAL};
	size_t i;

	for (i = 0; i < 2; i++) {
		make_instance(f, times[i], VALUE, 1, "", "value.example");
		assert_glance(f, TIME, "value.example");
		make_instance(f, times[i], LITERAL, 2, "text.example", "x");
		assert_glance(f, TIME, "text.example");
		make_instance(f, times[i], CDATA, 3, "cdata.example", "x");
		assert_glance(f, TIME, "cdata.example");
		make_instance(f, times[i], ABSENT, 4, "", "x");
		assert_glance(f, TIME, NULL);
	}
	make_instance(f, ABSENT, LITERAL, 5, "text.example", "x");
	assert_glance(f, 0, "text.example");
}

static void test_documents_without_template(void **state)
{
	struct fixture *f = fixture_new(state);

	make_document(f, LITERAL, LITERAL, "text.example");
	assert_glance(f, TIME, "text.example");
	make_document(f, LITERAL, CDATA, "cdata.example");
	assert_glance(f, TIME, "cdata.example");
	make_document(f, ABSENT, ABSENT, "");
	assert_glance(f, 0, NULL);
	/* A substitution is no token of a document. */
	make_document(f, LITERAL, VALUE, "");
	assert_int_equal(glance(f), EVERR_BINXML_TOKEN);
}

/* None of them may pass for the name it begins with. */
static void test_a_name_in_pieces_is_no_name(void **state)
{
	const enum part parts[] = {PIECES, AMPERSAND, BOTH, CHILD};
	struct fixture *f = fixture_new(state);
	size_t i;

	for (i = 0; i < 4; i++) {
		make_instance(f, VALUE, parts[i], (uint8_t)i, "dc1", "x");
		assert_glance(f, TIME, "");
	}
	make_document(f, LITERAL, PIECES, "dc1");
	assert_glance(f, TIME, "");
}

static void test_what_a_processing_instruction_precedes(void **state)
{
	struct fixture *f = fixture_new(state);
	struct wire w;

	make_instance(f, VALUE, VALUE, 1, "", "value.example");
	wire_init(&w, f);
	wire_header(&w);
	wire_u8(&w, 0x0A);
	wire_name(&w, "pi");
	wire_u8(&w, 0x0B);
	buf_put_u16(&w.b, 1);
	wire_units(&w, "x");
	buf_put(&w.b, f->in.b.data, f->in.b.len);
	buf_free(&f->in.b);
	f->in = w;
	assert_glance(f, TIME, "value.example");
}

static void test_values_that_are_not_there(void **state)
{
	struct fixture *f = fixture_new(state);
	size_t specs;

	make_instance(f, VALUE, VALUE, 1, "", "value.example");
	specs = f->in.specs;
	/* Null keeps its bytes and is nothing. */
	f->in.b.data[specs + 2] = 0x00;
	assert_glance(f, 0, "value.example");
	f->in.b.data[specs + 4 + 2] = 0x00;
	assert_glance(f, 0, NULL);
	/* Other types than text are no name; here an array of it. */
	f->in.b.data[specs + 4 + 2] = 0x81;
	assert_glance(f, 0, "");

	/* Fewer values than the definition asks for. */
	make_instance(f, VALUE, VALUE, 1, "", "v");
	buf_set_u32(&f->in.b, specs - 4, 0);
	f->in.b.data[specs] = 0x00;
	assert_glance(f, 0, NULL);
}

static void test_text_ends_at_its_nul(void **state)
{
	struct fixture *f = fixture_new(state);

	make_instance(f, VALUE, VALUE, 1, "", "dc1_x");
	/* The values end the document, but for its EOF. */
	le16_set(f->in.b.data + f->in.b.len - 1 - 4, 0);
	assert_glance(f, TIME, "dc1");
}

static void test_a_time_as_text(void **state)
{
	struct fixture *f = fixture_new(state);

	buf_reset(&f->in.b);
	wire_header(&f->in);
	wire_template(&f->in, 7);
	wire_header(&f->in);
	put_event(&f->in, VALUE, VALUE, WIRE_NONE, "");
	wire_values(&f->in, 2);
	put_string(&f->in, "2023-11-14T22:13:20Z");
	put_string(&f->in, "a");
	wire_u8(&f->in, 0x00);
	assert_glance(f, TIME, "a");
}

/* The same GUID and length, other bytes: what was remembered is not used. */
static void test_another_definition_under_the_same_guid(void **state)
{
	struct fixture *f = fixture_new(state);
	int i;

	for (i = 0; i < 3; i++) {
		make_instance(f, VALUE, LITERAL, 9, "dc1.example", "x");
		assert_glance(f, TIME, "dc1.example");
		make_instance(f, VALUE, LITERAL, 9, "dc2.example", "x");
		assert_glance(f, TIME, "dc2.example");
		make_instance(f, VALUE, LITERAL, 9, "dc2.exampl", "x");
		assert_glance(f, TIME, "dc2.exampl");
		make_instance(f, VALUE, VALUE, 9, "", "dc3.example");
		assert_glance(f, TIME, "dc3.example");
	}
}

/* Ten times as many definitions as are remembered, in little memory. */
static void test_many_definitions_in_bounded_memory(void **state)
{
	struct fixture *f = fixture_new(state);
	char name[2000];
	int i;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < 2560; i++) {
		make_instance(f, VALUE, LITERAL, (uint8_t)i, name, "x");
		/* The GUID's other bytes choose the slot as well. */
		le32_set(f->in.b.data + 4 + 2 + 4, (uint32_t)i);
		assert_glance(f, TIME, name);
		assert_true(talloc_total_size(f->glancer) < 300 * 1024);
	}
}

/* A definition that is too long to be remembered is read each time. */
static void test_a_long_definition(void **state)
{
	struct fixture *f = fixture_new(state);
	char *name = talloc_zero_size(f, 30001);
	size_t before = talloc_total_blocks(f->glancer);

	memset(name, 'n', 30000);
	make_instance(f, VALUE, LITERAL, 1, name, "x");
	assert_glance(f, TIME, name);
	assert_glance(f, TIME, name);
	assert_int_equal(talloc_total_blocks(f->glancer), before);
}

static void test_malformed_documents_leave_the_result_alone(void **state)
{
	struct fixture *f = fixture_new(state);

	f->glance = (struct event_glance){.time_created = 5};
	assert_int_equal(glance(f), EVERR_BINXML_TRUNCATED);
	make_instance(f, VALUE, VALUE, 1, "", "a");
	/* A FILETIME of 7 bytes. */
	f->in.b.data[f->in.specs] = 7;
	assert_int_equal(glance(f), EVERR_BINXML_VALUE);
	/* Text of an odd length. */
	make_instance(f, VALUE, VALUE, 1, "", "a");
	f->in.b.data[f->in.specs + 4] = 1;
	assert_int_equal(glance(f), EVERR_BINXML_VALUE);
	/* More values than there may be. */
	make_instance(f, VALUE, VALUE, 1, "", "a");
	buf_set_u32(&f->in.b, f->in.specs - 4, EVENT_VALUES_MAX + 1);
	assert_int_equal(glance(f), EVERR_LIMIT);
	/* A definition that is none: remembered as little as its like. */
	make_instance(f, VALUE, VALUE, 1, "", "a");
	f->in.b.data[f->in.def + 4] = 0x3F;
	assert_int_equal(glance(f), EVERR_BINXML_TOKEN);
	assert_int_equal(glance(f), EVERR_BINXML_TOKEN);
	assert_int_equal(f->glance.time_created, 5);
}

/* Sanitizers watch: nothing is read outside of what there is. */
static void test_truncated_and_flipped(void **state)
{
	struct fixture *f = fixture_new(state);
	uint8_t *copy = NULL;
	size_t len, i;

	load(f, "windows-4634");
	len = f->in.b.len;
	for (i = 0; i < len; i++) {
		copy = talloc_memdup(f, f->in.b.data, i);
		if (event_glance(f->glancer, copy, i, &f->glance) == EVERR_OK) {
			/* All but the closing EOF. */
			assert_int_equal(i, len - 1);
		}
		TALLOC_FREE(copy);
	}
	for (i = 0; i < 8 * len; i++) {
		copy = talloc_memdup(f, f->in.b.data, len);
		copy[i / 8] ^= (uint8_t)(1U << i % 8);
		f->glance = (struct event_glance){0};
		if (event_glance(f->glancer, copy, len, &f->glance) ==
			    EVERR_OK &&
		    f->glance.computer != NULL) {
			assert_true(f->glance.computer >= copy);
			assert_true(f->glance.computer +
					    2 * f->glance.computer_units <=
				    copy + len);
		}
		TALLOC_FREE(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_real_and_specified_events),
		leak_test(test_our_own_emission),
		leak_test(test_each_kind_of_place_in_a_template),
		leak_test(test_documents_without_template),
		leak_test(test_a_name_in_pieces_is_no_name),
		leak_test(test_what_a_processing_instruction_precedes),
		leak_test(test_values_that_are_not_there),
		leak_test(test_text_ends_at_its_nul),
		leak_test(test_a_time_as_text),
		leak_test(test_another_definition_under_the_same_guid),
		leak_test(test_many_definitions_in_bounded_memory),
		leak_test(test_a_long_definition),
		leak_test(test_malformed_documents_leave_the_result_alone),
		leak_test(test_truncated_and_flipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
